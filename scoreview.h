/*
 * scoreview.h - the table of sessions (scoreboard.h), read without trust in what stands there
 */
#ifndef MINIFTPD_SCOREVIEW_H
#define MINIFTPD_SCOREVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.h"
#include "scoreboard.h"

struct str;

#define SCOREVIEW_SESSIONS_MAX 65536

/* One session. The texts hold any bytes but NUL, and numbers are within sane limits. */
struct scoreview_row {
    int pid;
    int listener;
    int64_t since_sec; /* CLOCK_REALTIME */
    enum scoreboard_access access;
    char peer[INET6_ADDRSTRLEN];
    char user[LOGIN_NAME_MAX_LEN + 1];  /* "" before login */
    bool busy;                          /* a command is carried out */
    int64_t idle_ms;                    /* since the last one, 0 if busy */
    char verb[SCOREBOARD_VERB_MAX + 1]; /* of the command, or of the last one */
    char argument[SCOREBOARD_ARGUMENT_MAX + 1];
    bool transferring; /* the rest counts */
    int64_t elapsed_ms;
    uint64_t bytes;
    bool has_size;
    uint64_t offset, size;
    char file[SCOREBOARD_FILE_MAX + 1]; /* "" for a listing */
};

/*
 * Make a row of the two pages of a session as they were found (pure). now_ms: CLOCK_MONOTONIC.
 * Returns false if they are not those of a session of this version.
 */
MUST_CHECK bool scoreview_decode(const void *facts, size_t facts_len, const void *live,
                                 size_t live_len, int64_t now_ms, struct scoreview_row *row);

struct scoreview {
    struct scoreview_row *rows; /* in the order in which they came */
    size_t count;
    size_t listeners; /* that run */
};

/*
 * Read the table of scoreboard_dir=`path`. Sessions whose process is gone are left out. It must belong to
 * root or to the reader, unless of_anybody: the daemon runs as an ordinary user, and root asks.
 * Returns true, also for a table without sessions, and the caller calls scoreview_free(); or false with a
 * reason in `error`, which is empty if there is no table at all.
 */
MUST_CHECK bool scoreview_read(const char *path, bool of_anybody, struct scoreview *view,
                               struct str *error);

void scoreview_free(struct scoreview *view);

#endif
