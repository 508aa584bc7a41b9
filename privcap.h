/*
 * privcap.h - the only module that changes credentials
 */
#ifndef MINIFTPD_PRIVCAP_H
#define MINIFTPD_PRIVCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common.h"

struct str;

/* What a process becomes. Without root it stays who it is, and can have no jail. */
struct privcap_plan {
    uid_t uid; /* never 0; without root our own */
    gid_t gid;
    const gid_t *groups; /* supplementary groups */
    size_t group_count;
    const char *dir;       /* entered with the new ids, never as root */
    const char *start;     /* then entered, seen from there, if it can be; NULL or "": not */
    bool jail;             /* chroot to dir */
    bool bounds_empty;     /* the bounding set is, and was seen to be: privcap_begin_session() */
    bool bind_service;     /* keep CAP_NET_BIND_SERVICE permitted, not effective */
    bool chown;            /* the same for CAP_CHOWN */
    bool may_fork;         /* miniftpd-tls only; else RLIMIT_NPROC 0 */
    bool uncut;            /* the same: the listener has not cut bounding set and limits before */
    bool writes_files;     /* false: RLIMIT_FSIZE 0 */
    unsigned max_open;     /* RLIMIT_NOFILE */
    unsigned max_data_mib; /* RLIMIT_DATA in MiB */
};

/*
 * Append the names of the capabilities that root needs for the daemon and this process lacks, with blanks
 * between; nothing if all are there. CAP_NET_BIND_SERVICE and CAP_DAC_READ_SEARCH are not among them: not
 * everybody needs those.
 */
void privcap_append_missing(struct str *out);

/* Can CAP_NET_BIND_SERVICE be kept? It is needed for local ports below 1024. */
bool privcap_can_bind_low(void);

/* For a process that may not load a system call filter without it. Returns false with errno. */
MUST_CHECK bool privcap_set_no_new_privs(void);

/*
 * The parent of a session, at start: an empty bounding set, for it and all its children, which run no
 * programs. Not WITH_PAM: modules do, and each other process empties its own in privcap_become(); without
 * root nobody can. *bounds_empty_out says what was done, for the plans. Returns false with errno.
 */
MUST_CHECK bool privcap_begin_session(bool *bounds_empty_out);

/*
 * The listener, at start: no supplementary groups, only the capabilities that sessions need, no cores,
 * descriptors for max_clients sessions. Without root: no capabilities, no_new_privs; the groups stay.
 * Returns false with errno; *step_out says what failed.
 */
MUST_CHECK bool privcap_become_listener(unsigned max_clients, const char **step_out);

/*
 * Become what the plan says, for good: empty bounding set, ids, directory, capabilities, no_new_privs,
 * limits; then verify that it is so and that there is no way back. errno and *step_out tell what failed;
 * the process must end then, it is in between.
 */
MUST_CHECK bool privcap_become(const struct privcap_plan *plan, const char **step_out);

/*
 * Would the plan's user get into the plan's directory? The process becomes that user to find out, for
 * good, and is fit for nothing else afterwards. Returns false with errno.
 */
MUST_CHECK bool privcap_can_enter(const struct privcap_plan *plan);

/*
 * bind(2) with CAP_NET_BIND_SERVICE effective for just this call.
 * Returns 0, or -1 with errno.
 */
struct sockaddr;
MUST_CHECK int privcap_bind(int fd, const struct sockaddr *addr, unsigned addr_len);

/*
 * fchown(2) with CAP_CHOWN effective for just this call; the group stays.
 * Returns 0, or -1 with errno.
 */
MUST_CHECK int privcap_fchown(int fd, uid_t uid);

/* Does this process have CAP_CHOWN, and can it hand it on? */
MUST_CHECK bool privcap_can_chown(void);

#endif
