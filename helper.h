/*
 * helper.h - the programs that lie beside ours and do what does not belong into it
 *
 * miniftpd-tls holds keys and OpenSSL, miniftpd-auth holds name services, PAM and libcrypt. They are started
 * by exec, so that nothing of our memory is in them, with one descriptor and no environment.
 */
#ifndef MINIFTPD_HELPER_H
#define MINIFTPD_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common.h"

#define HELPER_PATH_MAX   4096
#define HELPER_WORDS_MAX  32
#define HELPER_REQUEST_FD 3     /* where such a program expects its socket */
#define HELPER_READY_MS   10000 /* so long it may take to get ready */
#define HELPER_RETRY_MS   10000 /* after a start that failed */

/* A command line; the words are copies. */
struct helper_words {
    char *words[HELPER_WORDS_MAX + 1];
    size_t count;
};

/* Add a word; ends the process without memory, or if there are too many. */
void helper_add(struct helper_words *line, const char *text);
void helper_add_number(struct helper_words *line, unsigned number);
void helper_free_words(struct helper_words *line);

/* The path of `program` in the directory of ours. Returns false with errno; `path` is good for a message. */
MUST_CHECK bool helper_find(const char *program, char path[HELPER_PATH_MAX]);

/*
 * Start it with the descriptor `fd`, which stays the caller's, as number `as`; 0 to 2 are /dev/null but for
 * that, all others that are not close-on-exec are the program's to close. Returns its pid, or -1 with errno.
 */
MUST_CHECK pid_t helper_start(const char *path, const struct helper_words *line, int fd, int as);

/* When a program may be started again that was started at begun_ms and has ended: CLOCK_MONOTONIC, ms. */
int64_t helper_restart_ms(int64_t begun_ms);

#endif
