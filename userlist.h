/*
 * userlist.h - files with one user name a line: userlist_file, chroot_list_file
 */
#ifndef MINIFTPD_USERLIST_H
#define MINIFTPD_USERLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common.h"

/* Longest file in bytes. */
#define USERLIST_FILE_MAX (4 * 1024 * 1024)

enum userlist_answer {
    USERLIST_LISTED,
    USERLIST_NOT_LISTED,
    USERLIST_UNREADABLE, /* errno; EFBIG: too long, EINVAL: no regular file */
};

/* Is `name` a line of the file at `path`? NULL is a path that does not exist. */
enum userlist_answer userlist_look_up(const char *path, const char *name);

/*
 * Is `name` a line of text[0..len)? Names are compared exactly; blanks around them, carriage returns
 * and lines that begin with # do not count.
 */
bool userlist_has(const char *text, size_t len, const char *name);

#endif
