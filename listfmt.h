/*
 * listfmt.h - what an entry of a listing looks like: the line of LIST, the facts of MLSD and MLST
 *
 * Pure: everything comes from a struct stat and from what the session was given. RFC 3659 7.
 */
#ifndef MINIFTPD_LISTFMT_H
#define MINIFTPD_LISTFMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "common.h"

struct access_rules;
struct stat;
struct str;
struct userdb;

/* No line is longer: name and link target may take 4096 bytes each. */
#define LISTFMT_LINE_MAX 16384

/* Where a directory stands to the one that is listed. */
enum listfmt_kind { LISTFMT_ENTRY, LISTFMT_SELF, LISTFMT_PARENT };

/* Facts of RFC 3659 7.5 and the registry, in the order in which they are shown. */
enum listfmt_fact {
    FACT_TYPE = 1 << 0,
    FACT_SIZE = 1 << 1,
    FACT_MODIFY = 1 << 2,
    FACT_PERM = 1 << 3,
    FACT_UNIQUE = 1 << 4,
    FACT_MODE = 1 << 5,
    FACT_OWNER = 1 << 6,
    FACT_GROUP = 1 << 7,
    FACT_ALL = (1 << 8) - 1,
};

/* The directory that holds the entries, for the fact perm. */
struct listfmt_dir {
    bool writable;
    bool sticky;
    uid_t owner;
};

/* What is the same for most entries of a directory is kept from one to the next. */
struct listfmt_head { /* of a line of LIST, up to the group; len 0: nothing */
    mode_t mode;
    nlink_t links;
    uid_t uid;
    gid_t gid;
    size_t len;
    char text[96];
};

struct listfmt_text {
    size_t len;
    char bytes[120];
};

struct listfmt_alike { /* facts of an entry that depend on these fields */
    bool known;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    unsigned withheld, facts;
    struct listfmt_dir dir;
    struct listfmt_text perm, owner;
};

/* For whom, and how. Set up once a session. */
struct listfmt {
    const struct userdb *names; /* NULL: ids as numbers */
    bool hide_ids;              /* "ftp" for every owner and group */
    bool local_time;            /* of LIST; facts are always UTC */
    unsigned facts;             /* enum listfmt_fact */

    /* whose rights the fact perm tells */
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    size_t group_count;
    bool world_readable; /* only what others may read */

    /* letters of the fact perm, as listfmt_letters() makes them */
    unsigned file_letters, dir_letters; /* that the configuration grants this user */
    unsigned withheld;                  /* and does not grant for the name of the entry in hand */

    time_t now; /* when the listing began */

    /* the minute shown last: files of one directory often share it */
    bool has_minute;
    time_t minute;
    char minute_text[16];

    /* and the second shown last as a fact */
    time_t second;
    size_t second_len; /* 0: none */
    char second_text[16];

    struct listfmt_head head;
    struct listfmt_alike alike;
};

/* A set of letters from 'a' to 'z'. */
unsigned listfmt_letters(const char *letters);

/* The letters that the name of what is at `path` (absolute, normalised) costs. */
unsigned listfmt_withheld(struct access_rules *rules, const char *path);

/* Forget what was kept of the listing before: another one begins at this time. */
void listfmt_begin(struct listfmt *fmt, time_t now);

/* Learn what listfmt_facts() must know about the directory of the entries. */
void listfmt_learn_dir(const struct listfmt *fmt, const struct stat *st, struct listfmt_dir *dir);

/*
 * One line of LIST without its ending; `target` of a symbolic link or NULL. buf holds
 * LISTFMT_LINE_MAX bytes. Returns the length.
 */
size_t listfmt_long(struct listfmt *fmt, char *buf, const struct stat *st, const char *name,
                    const char *target);

/*
 * The facts that are switched on, each with its ';', and the blank behind them (which stands alone
 * when there are none). buf holds LISTFMT_LINE_MAX bytes. Returns the length.
 */
size_t listfmt_facts(struct listfmt *fmt, char *buf, const struct stat *st,
                     const struct listfmt_dir *dir, enum listfmt_kind kind, const char *target);

/* Copy a name with CR and LF as '?'. Returns its length. */
size_t listfmt_name(char *buf, const char *name);

/* The facts named in "type;size;": unknown ones are left out. RFC 3659 7.9. */
unsigned listfmt_parse_facts(const char *list);

/* "type;size;" of some facts; `star` stands behind each name that is among `starred`. */
void listfmt_append_facts(struct str *out, unsigned facts, unsigned starred);

#endif
