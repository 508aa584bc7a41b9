/*
 * login.h - the dialogue from the greeting until units can begin
 */
#ifndef BENCH_LOGIN_H
#define BENCH_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "job.h"
#include "reply.h"

enum login_verdict {
    LOGIN_GO_ON,     /* the next line is due */
    LOGIN_START_TLS, /* the handshake, and then the next line */
    LOGIN_SIZE,      /* the reply tells how long the file is; the next line is due */
    LOGIN_REFUSED,   /* the login has failed */
};

/*
 * What the reply to line `row` means; row 0 is the greeting. Moves `row` over lines that it makes
 * superfluous.
 */
enum login_verdict login_judge(size_t *row, const struct reply *reply);

/*
 * Move `row` to the next line that `job` needs and write it, without its end, into `line`. `path`
 * is the file of this connection. Returns false when all has been said.
 */
bool login_next(const struct job *job, const char *path, size_t *row, char *line, size_t size);

/* What line `row` asks for, for people. */
const char *login_name(size_t row);

#endif
