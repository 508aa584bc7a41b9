/*
 * listener.h - the listener L: accepts clients, counts them, forks a session parent for each
 */
#ifndef MINIFTPD_LISTENER_H
#define MINIFTPD_LISTENER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "sandbox.h"

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
    sigset_t open_mask;   /* in force while the listener sleeps */
    int listen_fd;
    int null_fd;
    int spare_fd; /* closed for a moment when descriptors run out */
    int64_t paused_until_ms;
    int64_t warned_ms;
};

/*
 * Become the listener: configuration, signals, socket, log, filters, and the privileges that remain.
 * args: as for config_load(); they are read again at each reload. Ends the process with lines in the
 * log if it cannot be; on return clients can connect already, and wait for listener_run().
 */
void listener_prepare(struct listener *l, char **args, int arg_count);

/*
 * Serve until SIGTERM or SIGINT; SIGHUP reads the configuration again. On return the socket is closed
 * and the pid file removed; SIGINT has ended all sessions.
 */
void listener_run(struct listener *l);

/* Release what listener_prepare() made. */
void listener_free(struct listener *l);

#endif
