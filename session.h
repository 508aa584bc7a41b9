/*
 * session.h - one client: the session parent N and the service processes P and S
 */
#ifndef MINIFTPD_SESSION_H
#define MINIFTPD_SESSION_H

#include "common.h"

struct auth;
struct resolver;
struct sandbox;
struct tunables;
struct userdb;

/* What the listener has made for all sessions. */
struct session_env {
    const struct tunables *tun;
    const struct auth *auth;
    const struct sandbox *sandbox; /* NULL: no system call filters */
    struct userdb *names;          /* of users and groups; S adds its own */
    const struct resolver *resolver;
    int scoreboard_fd; /* the table of sessions; -1: there is none */
    int auth_fd;       /* for auth_start(); -1: there is nobody to ask now */
    int tls_fd;        /* for tlslink_start(); -1: there is no TLS, or not now */
};

/*
 * Be the session parent of the client on ctrl_fd until the session has ended; in a process that was
 * forked for it and that has given up what belongs to the listener alone. Descriptors 0 to 2 are
 * /dev/null. Ends the process.
 */
NORETURN void session_run(const struct session_env *env, int ctrl_fd);

#endif
