/*
 * tlshelper.h - the program miniftpd-tls, as the listener starts it
 *
 * It holds certificates and keys, and makes a relay for each session that asks for one. A new one is
 * started at each reload; the one before serves its sessions to their end.
 */
#ifndef MINIFTPD_TLSHELPER_H
#define MINIFTPD_TLSHELPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common.h"

struct str;
struct tunables;

struct tlshelper {
    int request_fd; /* for tlslink_start(); at end of file the program has ended. -1: there is none */
    int64_t next_ms;  /* it ended by itself: when another one is started; 0: no need */
    int64_t begun_ms; /* the last start */
};

void tlshelper_init(struct tlshelper *h);

/*
 * Start a program with the certificates of this configuration, and let it take the place of the one that
 * runs; or of none, if the configuration has no TLS. uid, gid: whom it becomes. Waits until the
 * certificates are loaded, some milliseconds; warnings go to the log. Returns false with the fault as
 * lines of `errors`, and nothing changed.
 */
MUST_CHECK bool tlshelper_start(struct tlshelper *h, const struct tunables *tun, uid_t uid,
                                gid_t gid, struct str *errors);

/* request_fd is readable: the program has ended, which is logged. */
void tlshelper_lost(struct tlshelper *h);

/* When tlshelper_work() will have something to do, CLOCK_MONOTONIC in ms; 0: never. */
int64_t tlshelper_due_ms(const struct tlshelper *h);

/* Start another program in place of one that was lost, if it is time for that. Logs failures. */
void tlshelper_work(struct tlshelper *h, const struct tunables *tun, uid_t uid, gid_t gid);

/* Close our end: the program ends when nobody can ask it for a relay any more. */
void tlshelper_leave(struct tlshelper *h);

/*
 * Look at the certificates of a configuration as a start would. `line` is called with each thing that is
 * to be told: "error: ...", "warning: ..." or "info: ...". Returns false if the program cannot be run.
 */
MUST_CHECK bool tlshelper_check(const struct tunables *tun,
                                void (*line)(void *context, const char *text), void *context);

#endif
