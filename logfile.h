/*
 * logfile.h - one log file: many processes append to it, and none of them ever waits for it
 *
 * What cannot be written is counted, by all processes together, until somebody can say so.
 */
#ifndef MINIFTPD_LOGFILE_H
#define MINIFTPD_LOGFILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common.h"

struct str;

/* What all processes know of a file; in memory that they share. All zero at first. */
struct logfile_state {
    _Atomic unsigned lost;     /* lines that could not be written */
    _Atomic bool torn;         /* the last of them in part */
    _Atomic int64_t warned_ms; /* when that was said to the administrator; 0: never */
};

enum logfile_kind {
    LOGFILE_PATH,   /* opened by its name, O_NONBLOCK */
    LOGFILE_SOCKET, /* standard output that is a socket: send(2) need not wait */
    LOGFILE_SHARED, /* the description of somebody else, whose flags are not ours to change */
};

struct logfile {
    char *path;     /* NULL: there is none to be written */
    int fd;         /* -1: it could not be opened */
    int open_error; /* why, an errno */
    enum logfile_kind kind;
    struct logfile_state *state; /* set by the owner */
};

#define LOGFILE_INIT                                                                               \
    {                                                                                              \
        NULL, -1, 0, LOGFILE_PATH, NULL                                                            \
    }

/*
 * Write to `path` from now on (NULL: to nothing), made with mode 0600 if it does not exist. /dev/stdout
 * and /dev/stderr are descriptors 1 and 2 of this process. What was open before is closed; if `path`
 * cannot be opened it stays in use, errno says why and false is returned; logfile_check() tries again.
 */
MUST_CHECK bool logfile_open(struct logfile *file, const char *path);

/*
 * Is the file still the one that has its name? If it was moved or removed, or could not be opened
 * before, open it anew. Returns false with errno if it cannot be opened now.
 */
MUST_CHECK bool logfile_check(struct logfile *file);

void logfile_close(struct logfile *file);

/* Append a line, with its line ending. Returns false with errno if it is lost. */
MUST_CHECK bool logfile_write(struct logfile *file, const struct str *line);

#endif
