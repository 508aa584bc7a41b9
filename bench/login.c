/*
 * login.c - the dialogue from the greeting until units can begin
 *
 * Process: the load generator.
 * Trusts:  nothing; a reply that is not the expected one ends the login.
 * Touches: nothing.
 */
#include "login.h"

#include <stdio.h>

enum argument { NO_ARGUMENT, ARGUMENT_USER, ARGUMENT_PASSWORD, ARGUMENT_PATH };
enum need {
    NEED_TLS = 1,
    NEED_DATA = 2,
    NEED_BINARY = 4,
    NEED_ASCII = 8,
    NEED_SIZE = 16,
};

/* clang-format off */
static const struct row {
    const char *verb;           /* NULL: nothing is sent, the greeting is awaited */
    enum argument argument;
    int code;                   /* the right reply */
    enum login_verdict verdict; /* what it means */
    int shortcut;               /* a reply that makes the next row superfluous; 0: none */
    unsigned needs;             /* all of them, or the row is left out */
} rows[] = {
    { NULL,       NO_ARGUMENT,       220, LOGIN_GO_ON,     0,   0 },
    { "AUTH TLS", NO_ARGUMENT,       234, LOGIN_START_TLS, 0,   NEED_TLS },
    { "USER",     ARGUMENT_USER,     331, LOGIN_GO_ON,     230, 0 },
    { "PASS",     ARGUMENT_PASSWORD, 230, LOGIN_GO_ON,     0,   0 },
    { "PBSZ 0",   NO_ARGUMENT,       200, LOGIN_GO_ON,     0,   NEED_TLS | NEED_DATA },
    { "PROT P",   NO_ARGUMENT,       200, LOGIN_GO_ON,     0,   NEED_TLS | NEED_DATA },
    { "TYPE I",   NO_ARGUMENT,       200, LOGIN_GO_ON,     0,   NEED_BINARY },
    { "TYPE A",   NO_ARGUMENT,       200, LOGIN_GO_ON,     0,   NEED_ASCII },
    { "SIZE",     ARGUMENT_PATH,     213, LOGIN_SIZE,      0,   NEED_SIZE },
};
/* clang-format on */

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static unsigned job_needs(const struct job *job)
{
    const unsigned traits = job->traits;
    unsigned needs = job->tls ? NEED_TLS : 0;

    if ((traits & JOB_DATA) != 0) {
        needs |= NEED_DATA | ((traits & JOB_ASCII) != 0 ? NEED_ASCII : NEED_BINARY);
    } else if ((traits & JOB_COMMAND) != 0) {
        needs |= NEED_BINARY; /* or servers refuse SIZE */
    }
    if ((traits & JOB_FILE) != 0 && (traits & (JOB_UPLOAD | JOB_ASCII)) == 0 && job->bytes == -1) {
        needs |= NEED_SIZE;
    }
    return needs;
}

enum login_verdict login_judge(size_t *row, const struct reply *reply)
{
    const struct row *asked = &rows[*row];

    if (asked->shortcut != 0 && reply->code == asked->shortcut) {
        ++*row;
        return LOGIN_GO_ON;
    }
    return reply->code == asked->code ? asked->verdict : LOGIN_REFUSED;
}

bool login_next(const struct job *job, const char *path, size_t *row, char *line, size_t size)
{
    const char *const arguments[] = {
        [NO_ARGUMENT] = "",
        [ARGUMENT_USER] = job->user,
        [ARGUMENT_PASSWORD] = job->password,
        [ARGUMENT_PATH] = path,
    };
    const unsigned needs = job_needs(job);

    do {
        ++*row;
        if (*row == ROWS) {
            return false;
        }
    } while ((rows[*row].needs & ~needs) != 0);
    (void)snprintf(line, size, "%s%s%s", rows[*row].verb,
                   rows[*row].argument != NO_ARGUMENT ? " " : "", arguments[rows[*row].argument]);
    return true;
}

const char *login_name(size_t row)
{
    return rows[row].verb != NULL ? rows[row].verb : "greeting";
}
