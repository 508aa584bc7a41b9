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
    SANDBOX_COUNT
};

/* Compiled filters; made once by the listener, loaded as they are by each process. */
struct sandbox {
    struct {
        void *code; /* struct sock_filter[] */
        unsigned short len;
    } filter[SANDBOX_COUNT];
};

/* True if this build and this kernel have seccomp filters; else `why` says what is missing. */
bool sandbox_available(const char **why);

/* Compile the filters. Returns false with a reason in `error`. */
MUST_CHECK bool sandbox_build(struct sandbox *sandbox, struct str *error);

/*
 * Load the filter of a role; it cannot be taken off again. Needs no_new_privs or CAP_SYS_ADMIN.
 * Returns false with errno.
 */
MUST_CHECK bool sandbox_enter(const struct sandbox *sandbox, enum sandbox_role role);

/*
 * Landlock: from now on this process (S) reaches only files under its current root directory, by name
 * or through a directory that it still holds; makes no devices and executes nothing; no TCP bind or
 * connect, no signals and abstract sockets to the outside. As far as the kernel knows
 * these; one without Landlock (or older than ABI 2) is not an error. Returns false with errno.
 */
MUST_CHECK bool sandbox_limit_files(void);

#endif
