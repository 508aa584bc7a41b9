/*
 * sandbox.h - seccomp filters and the Landlock rule set, one role each
 */
#ifndef MINIFTPD_SANDBOX_H
#define MINIFTPD_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "common.h"

struct str;

enum sandbox_role {
    SANDBOX_BASE,    /* L, and so everybody: what no process of the daemon ever does */
    SANDBOX_GREETER, /* P: descriptors it holds, memory, time */
    SANDBOX_BROKER,  /* N after login: internet sockets, no files */
    SANDBOX_SERVICE, /* S: files and descriptors it holds, no sockets of its own */
    SANDBOX_FENCED,  /* S without chroot: the same, and openat2(2) to see where a path leads */
    SANDBOX_FORKER,  /* miniftpd-tls: takes descriptors, forks, and lets its child load the next */
    SANDBOX_RELAY,   /* R: descriptors it is given */
    SANDBOX_COUNT
};

/* The roles of each program, for sandbox_build. */
#define SANDBOX_ROLES_TLS    (1U << SANDBOX_FORKER | 1U << SANDBOX_RELAY)
#define SANDBOX_ROLES_DAEMON ((1U << SANDBOX_COUNT) - 1 - SANDBOX_ROLES_TLS)

/* Compiled filters; made once when a program starts, loaded as they are by each process. */
struct sandbox {
    struct {
        void *code; /* struct sock_filter[] */
        unsigned short len;
    } filter[SANDBOX_COUNT];
};

/* True if this build and this kernel have seccomp filters; else `why` says what is missing. */
bool sandbox_available(const char **why);

/* Compile the filters of the roles: bits 1 << SANDBOX_.... Returns false with a reason in `error`. */
MUST_CHECK bool sandbox_build(struct sandbox *sandbox, unsigned roles, struct str *error);

/*
 * Load the filter of a role; it cannot be taken off again. Needs no_new_privs or CAP_SYS_ADMIN.
 * Returns false with errno.
 */
MUST_CHECK bool sandbox_enter(const struct sandbox *sandbox, enum sandbox_role role);

/* Does this kernel have Landlock, and is it switched on? */
bool sandbox_has_landlock(void);

/*
 * Landlock: from now on this process reaches only files under `dir`, by name or through a directory that
 * it still holds; makes no devices and executes nothing. dir "/" is the root directory of a session, which
 * is there as far as the kernel knows Landlock: one without it (or older than ABI 2) is not an error. Any
 * other directory is a wall where there is no chroot: there ABI 1 is used, too. NULL: no files at all.
 * With a directory also: no TCP bind or connect, no signals and abstract sockets to the outside. Returns
 * false with errno.
 */
MUST_CHECK bool sandbox_limit_files(const char *dir);

#endif
