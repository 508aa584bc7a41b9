/*
 * account.h - what a user who has given the right password gets: whose rights, and which directory
 *
 * Pure rules, without a look at the disk; the verifier (auth.h) applies them.
 */
#ifndef MINIFTPD_ACCOUNT_H
#define MINIFTPD_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common.h"

struct tunables;

#define ACCOUNT_GROUPS_MAX   1024 /* supplementary groups */
#define ACCOUNT_DIR_MAX      4096
#define ACCOUNT_SETTINGS_MAX 65536

enum account_kind {
    ACCOUNT_LOCAL,     /* an account of this machine */
    ACCOUNT_GUEST,     /* guest_enable, and users of virtual_users_file */
    ACCOUNT_ANONYMOUS, /* whoever comes */
};

/* A user who logged in: all that the service process needs. */
struct account {
    char name[LOGIN_NAME_MAX_LEN + 1]; /* as given at the login; of anonymous users ftp_username */
    uid_t uid;
    gid_t gid;
    enum account_kind kind;
    bool anonymous; /* has the rights of anonymous users; guests may too */
    bool jail;      /* dir is all that the session sees */
    bool has_start; /* there is a start */
    size_t group_count;
    size_t settings_len;         /* bytes */
    char dir[ACCOUNT_DIR_MAX];   /* where the session is kept, or where it starts */
    char start[ACCOUNT_DIR_MAX]; /* below dir, where it starts if that is there: relative */
    gid_t groups[ACCOUNT_GROUPS_MAX];
    char settings[ACCOUNT_SETTINGS_MAX]; /* options of this user alone: tunable_apply_changes() */
};

/* Copy what is used of an account. */
void account_copy(struct account *to, const struct account *from);

struct privcap_plan;

/* Its ids, groups and directory as a plan; everything else in the plan is empty. */
void account_plan(const struct account *account, struct privcap_plan *plan);

/* What the place of a user depends on, apart from kind, name and options. */
struct account_facts {
    const char *home;  /* of the account whose rights the session gets */
    bool is_virtual;   /* from virtual_users_file: always kept in */
    bool has_own_home; /* home is from there too: local_root does not count */
    bool listed;       /* in chroot_list_file, if chroot_list_enable */
};

/*
 * Fill in anonymous, jail, dir and start from kind, name and the options in force for this user.
 * Returns false if a path becomes too long or is not absolute.
 */
MUST_CHECK bool account_place(struct account *account, const struct tunables *tun,
                              const struct account_facts *facts);

#endif
