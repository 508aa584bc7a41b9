/*
 * resolver.h - the address that PASV announces, and the look-up of its name
 *
 * With pasv_addr_resolve=YES the name in pasv_address is looked up by a child process of the listener,
 * at the start, after a reload and every minute. getaddrinfo(3) may wait for minutes, reads what comes
 * from the network and loads libraries; all this happens there, without any rights. The listener never
 * waits for it.
 */
#ifndef MINIFTPD_RESOLVER_H
#define MINIFTPD_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common.h"
#include "netaddr.h"

struct tunables;

#define RESOLVER_START_MS 5000 /* how long clients may wait for the first answer */

struct resolver {
    char *name;          /* to be looked up; NULL: none is */
    struct netaddr addr; /* the last answer, AF_UNSPEC: none yet */
    bool failing;        /* the last look-up failed; that was logged */
    uid_t uid;           /* whom the child becomes */
    gid_t gid;
    pid_t child;         /* a look-up under way; 0 = none */
    int answer_fd;       /* what it will say; -1 = none */
    bool overdue;        /* it was ended */
    int64_t deadline_ms; /* of the look-up */
    int64_t next_ms;     /* when the next one begins */
};

/* Nothing is looked up. */
void resolver_init(struct resolver *r);

/*
 * Look up what the configuration asks for, beginning now; at start and after a reload. An address that
 * is known stays until another is. uid, gid: whom the child becomes, if this process is root.
 */
void resolver_configure(struct resolver *r, const struct tunables *tun, uid_t uid, gid_t gid);

/* True while the very first look-up is under way. */
bool resolver_is_starting(const struct resolver *r);

/* When resolver_work() will have something to do, CLOCK_MONOTONIC in ms; 0: never. */
int64_t resolver_due_ms(const struct resolver *r);

/* Begin a look-up, or end one that takes too long, if it is time for that. Logs failures. */
void resolver_work(struct resolver *r);

/* A child was reaped: if it was ours, take its answer, log what is new and return true. */
bool resolver_take(struct resolver *r, pid_t pid);

/*
 * Wait at most RESOLVER_START_MS for the look-up under way; for a process that serves one client and
 * has no loop.
 */
void resolver_wait(struct resolver *r);

/* In a forked process: close what belongs to the look-up under way. */
void resolver_leave(struct resolver *r);

/* End the look-up under way and release the memory. */
void resolver_free(struct resolver *r);

/*
 * The address that PASV announces to `client`: what pasv_address_map says of its network, else
 * pasv_address, else `local`. tun: the options of this user. r: NULL if nothing was looked up.
 * Returns false if pasv_address is a name without an address, which leaves `local`.
 */
bool resolver_announced(const struct resolver *r, const struct tunables *tun,
                        const struct netaddr *client, const struct netaddr *local,
                        struct netaddr *out);

#endif
