/*
 * parseconf.h - the reader of name=value files and of -oname=value
 */
#ifndef MINIFTPD_PARSECONF_H
#define MINIFTPD_PARSECONF_H

#include <stdbool.h>

#include "common.h"
#include "str.h"

struct tunable_row;
struct tunables;

/* Longest configuration file in bytes; vsftpd's limit. */
#define PARSECONF_FILE_MAX 100000

/* What "miniftpd -t" tells about a configuration beside its errors. The daemon does without. */
struct parseconf_report {
    struct str warnings;              /* "file:line: text", each ended by '\n' */
    struct str idle;                  /* settings without effect, in the same way */
    struct parseconf_origin *origins; /* of each row of tunable_rows */
    unsigned files;                   /* read so far */
};

/* Where settings go to. */
struct parseconf {
    struct tunables *t;
    struct str *errors;              /* "file:line: text", each ended by '\n' */
    struct parseconf_report *report; /* NULL: nobody wants to know */
    bool user_only; /* a file of one user: options whose scope is not SCOPE_USER are passed over */
};

/* An empty report, or NULL without memory. */
MUST_CHECK struct parseconf_report *parseconf_report_new(void);

/* NULL is fine. */
void parseconf_report_free(struct parseconf_report *report);

/*
 * Where the value of an option was set: "file:line", or the `where` of parseconf_read_setting(). NULL
 * if it was not set.
 */
const char *parseconf_origin(const struct parseconf_report *report, const struct tunable_row *row);

/*
 * Read a configuration file. All of it is read: each error is one line in `errors`. Only what belongs
 * to root or to the user who starts the daemon, and what nobody else can write, is read at all.
 * Returns true if there was no error. On false the options may hold part of the file.
 */
MUST_CHECK bool parseconf_read_file(const struct parseconf *to, const char *path);

/*
 * Apply one "name=value". White space around name and value is dropped; the value's first and last
 * visible characters count. An empty text value unsets the option.
 * `where` begins the error line ("file:line", or what stands on the command line).
 */
MUST_CHECK bool parseconf_read_setting(const struct parseconf *to, const char *setting,
                                       const char *where);

/* The same without a report. */
MUST_CHECK bool parseconf_load_file(const char *path, struct tunables *t, struct str *errors);
MUST_CHECK bool parseconf_load_setting(const char *setting, const char *where, struct tunables *t,
                                       struct str *errors);

/*
 * Read the file of one user over the options that hold for all. Options that cannot differ from user
 * to user (whose scope is not SCOPE_USER) are passed over, whatever their value.
 */
MUST_CHECK bool parseconf_load_user_file(const char *path, struct tunables *t, struct str *errors);

#endif
