/*
 * userdb.h - names of user and group ids, for processes that cannot look them up any more
 *
 * The listener reads /etc/passwd and /etc/group (the files only, no name service); its children inherit
 * the table by fork and read it behind chroot and seccomp.
 */
#ifndef MINIFTPD_USERDB_H
#define MINIFTPD_USERDB_H

#include <stdbool.h>
#include <sys/types.h>

#include "common.h"

/* Entries of each file; what comes after them is left out. */
#define USERDB_ENTRIES_MAX 1000000

/* The rest of a longer name is left out. */
#define USERDB_NAME_MAX LOGIN_NAME_MAX_LEN

struct userdb;

/* An empty table. Returns NULL without memory. */
MUST_CHECK struct userdb *userdb_new(void);

/* NULL is fine. */
void userdb_free(struct userdb *db);

/*
 * Read each file again if it is not the one that was read last (another inode, size or time of change).
 * Returns false with errno if one cannot be read; its old entries stay then, and the other file is read
 * all the same. Names that were added by userdb_add_user() stay.
 */
bool userdb_refresh(struct userdb *db, const char *passwd_file, const char *group_file);

/*
 * The name of an id, or NULL if it is unknown; the first entry of a file counts. Blanks, control bytes
 * and ';' of a name are '_', for it stands in listings. Valid until the next change of the table.
 */
const char *userdb_user(const struct userdb *db, uid_t uid);
const char *userdb_group(const struct userdb *db, gid_t gid);

/* The id of a group by its name as listings show it. Returns false, and leaves *gid_out, if unknown. */
MUST_CHECK bool userdb_find_group(const struct userdb *db, const char *name, gid_t *gid_out);

/*
 * One name more, for an account that is not in the file; a uid that has a name keeps it.
 * Returns false without memory.
 */
bool userdb_add_user(struct userdb *db, uid_t uid, const char *name);

#endif
