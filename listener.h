/*
 * listener.h - the listener L: accepts clients, counts them, forks a session parent for each
 */
#ifndef MINIFTPD_LISTENER_H
#define MINIFTPD_LISTENER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "authhelper.h"
#include "common.h"
#include "inherit.h"
#include "resolver.h"
#include "sandbox.h"
#include "sdnotify.h"
#include "tlshelper.h"

struct config;
struct conntab;
struct userdb;

struct listener {
    char **args; /* files and -o settings, in order */
    int arg_count;
    struct config *config; /* the one in force */
    struct sandbox sandbox;
    bool has_sandbox;
    struct conntab *connections;
    struct userdb *names; /* of users and groups, for listings */
    struct sdnotify notify;
    sigset_t open_mask; /* in force while the listener sleeps */
    int listen_fds[INHERIT_SOCKETS_MAX];
    unsigned listen_count;
    int client_fd;     /* the only client, of inetd or systemd: nothing listens then; -1 = none */
    int scoreboard_fd; /* the table of sessions; -1: there is none */
    int null_fd;
    int spare_fd; /* closed for a moment when descriptors run out */
    int64_t paused_until_ms;
    int64_t warned_ms;
    int64_t next_reap_ms;     /* when all children who have ended are looked for; 0: not now */
    struct resolver resolver; /* of pasv_address */
    struct tlshelper tls;     /* the program with the certificates */
    struct authhelper auth;   /* the program that verifies logins */
    bool draining;            /* no new sessions, and the others are to end soon */
    int64_t next_drain_ms;    /* when they are told again */
};

/*
 * Become the listener: configuration, signals, sockets, log, filters, and the privileges that remain.
 * args: as for config_load(); they are read again at each reload. given: the sockets that are there
 * already; ours from here on. Ends the process with lines in the log if it cannot be; on return clients
 * can connect already, and wait for listener_run(), or client_fd waits for listener_serve_one().
 */
void listener_prepare(struct listener *l, char **args, int arg_count, const struct inherit *given);

/*
 * Serve until SIGTERM or SIGINT, or after SIGUSR1 until the last session has ended; SIGHUP reads the
 * configuration again. On return the sockets are closed and the pid file removed; SIGINT has ended all
 * sessions.
 */
void listener_run(struct listener *l);

/* Be the session of the only client; limits on the number of clients do not count. Ends the process. */
NORETURN void listener_serve_one(struct listener *l);

/* Release what listener_prepare() made. */
void listener_free(struct listener *l);

#endif
