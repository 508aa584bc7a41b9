/*
 * dirlist.h - listings: the directory walker and the pattern filter
 */
#ifndef MINIFTPD_DIRLIST_H
#define MINIFTPD_DIRLIST_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common.h"
#include "listfmt.h"
#include "str.h"

struct access_rules;
struct namesort_entry;
struct pattern;

/* A buffer for dirlist_fill() holds at least this: the longest line. */
#define DIRLIST_LINE_MAX LISTFMT_LINE_MAX

enum dirlist_format {
    DIRLIST_LONG,  /* as 'ls -l' in the form that FTP clients parse; with millions of entries unsorted */
    DIRLIST_NAMES, /* one name a line, usable as an argument of RETR; long directories unsorted */
    DIRLIST_FACTS  /* MLSD: a directory as it comes from the kernel, with "." and ".." first */
};

enum dirlist_order { DIRLIST_BY_NAME, DIRLIST_BY_TIME, DIRLIST_BY_SIZE };

struct dirlist_options {
    enum dirlist_format format;
    enum dirlist_order order; /* newest (-t) or largest (-S) first */
    bool all;                 /* names that begin with a dot, too (-A) */
    bool dots;                /* and, in DIRLIST_LONG, the directory itself and its parent (-a) */
    bool itself;              /* a directory itself and not its content (-d) */
    bool reverse;             /* the order (-r) */
    bool follow;              /* show what links lead to (-L) */
    bool recurse;             /* directories in directories, links not followed (-R) */
    bool world_readable;      /* a directory that others may not read counts as empty */

    /* names that the configuration hides or refuses; NULL: none. cwd: where relative paths begin */
    struct access_rules *access;
    const char *cwd;
};

struct dirlist {
    struct dirlist_options options;
    struct listfmt *fmt;
    int error;    /* errno, if reading a directory failed on the way: the listing is not complete */
    int dir_fd;   /* -1: names are relative to the working directory */
    char *prefix; /* before each name of DIRLIST_NAMES, "" mostly */
    char *where;  /* the directory as a path from the root, if there are rules about names */
    struct str path; /* of the entry in hand, to ask these rules */

    /* all names of one directory; of a long one, part by part */
    char *names; /* NUL-terminated, one after the other */
    size_t names_len, names_cap;
    bool has_breaks; /* some name may hold CR or LF */
    struct namesort_entry *entries;
    size_t count, entries_cap;
    size_t next;

    /* what is still to be read of a directory; of DIRLIST_FACTS all of it */
    DIR *stream;
    struct pattern *pattern; /* that names must match, or NULL */
    struct listfmt_dir dir;
    enum { STREAM_SELF, STREAM_PARENT, STREAM_ENTRIES } stream_next;

    /* -R: directories still to list, the next one last */
    char **pending;
    size_t pending_count, pending_cap;
    const char *heading; /* to be shown before the entries, or NULL */
};

/*
 * Take the options in front of a LIST or NLST argument ("-la name"): letters in any order and in several
 * groups; unknown ones are ignored, "--" ends them. Returns where the path begins.
 */
const char *dirlist_parse_options(const char *argument, struct dirlist_options *options);

/*
 * Read the names to list: of a directory, of one file, or of what a pattern in the last part of the path
 * matches. A path that exists as it is written is never taken as a pattern; "" is the working directory.
 * DIRLIST_FACTS lists directories only (else ENOTDIR) and knows no patterns. fmt is used until
 * dirlist_close().
 * Returns false with errno (ENOENT, EACCES, ...); then nothing is to be freed.
 */
MUST_CHECK bool dirlist_open(struct dirlist *list, const char *path,
                             const struct dirlist_options *options, struct listfmt *fmt);

/*
 * Write whole lines into buf, as many as fit; entries that have vanished are left out. *len_out: the
 * bytes written, which may be 0 on the way (there is more to look at, but nothing to show so far).
 * Returns false at the end, which may be an end too early (list->error); nothing was written then.
 */
MUST_CHECK bool dirlist_fill(struct dirlist *list, char *buf, size_t cap, size_t *len_out);

void dirlist_close(struct dirlist *list);

#endif
