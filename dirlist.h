/*
 * dirlist.h - listings: a directory walker, a pattern filter, and the LIST and NLST formats
 */
#ifndef MINIFTPD_DIRLIST_H
#define MINIFTPD_DIRLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "common.h"

struct stat;

/* A buffer for dirlist_fill() holds at least this: the longest line. */
#define DIRLIST_LINE_MAX 16384

enum dirlist_format {
    DIRLIST_LONG, /* as 'ls -l' in the form that FTP clients parse */
    DIRLIST_NAMES /* one name a line, usable as an argument of RETR */
};

struct dirlist_options {
    enum dirlist_format format;
    bool all;            /* names that begin with a dot, too (-A) */
    bool dots;           /* and, in DIRLIST_LONG, the directory itself and its parent (-a) */
    bool itself;         /* a directory itself and not its content (-d) */
    bool reverse;        /* the order (-r) */
    bool world_readable; /* a directory that others may not read counts as empty */
};

struct dirlist {
    struct dirlist_options options;
    int dir_fd;   /* -1: names are relative to the working directory */
    char *prefix; /* before each name of DIRLIST_NAMES, "" mostly */
    char *names;  /* NUL-terminated names, one after the other */
    size_t names_len, names_cap;
    uint32_t *order; /* offsets of the names in the order of the listing */
    size_t count, order_cap;
    size_t next;
    time_t now;
};

/*
 * Take the options in front of a LIST or NLST argument ("-la name"): letters in any order and in several
 * groups; unknown ones are ignored, "--" ends them. Returns where the path begins.
 */
const char *dirlist_parse_options(const char *argument, struct dirlist_options *options);

/*
 * Read the names to list: of a directory, of one file, or of what a pattern in the last part of the path
 * matches. A path that exists as it is written is never taken as a pattern; "" is the working directory.
 * Returns false with errno (ENOENT, EACCES, ...); then nothing is to be freed.
 */
MUST_CHECK bool dirlist_open(struct dirlist *list, const char *path,
                             const struct dirlist_options *options);

/*
 * Write whole lines into buf, as many as fit; entries that have vanished are left out.
 * Returns the bytes written, 0 at the end.
 */
size_t dirlist_fill(struct dirlist *list, char *buf, size_t cap);

void dirlist_close(struct dirlist *list);

/*
 * One line of DIRLIST_LONG without its ending, for entries of any kind; `target` of a symbolic link or
 * NULL. buf holds DIRLIST_LINE_MAX bytes. Times in UTC. Returns the length. Pure; for the tests too.
 */
size_t dirlist_format_long(char *buf, const struct stat *st, const char *name, const char *target,
                           time_t now);

#endif
