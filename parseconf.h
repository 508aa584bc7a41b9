/*
 * parseconf.h - the reader of name=value files and of -oname=value
 */
#ifndef MINIFTPD_PARSECONF_H
#define MINIFTPD_PARSECONF_H

#include <stdbool.h>

#include "common.h"

struct str;
struct tunables;

/* Longest configuration file in bytes; vsftpd's limit. */
#define PARSECONF_FILE_MAX 100000

/*
 * Read a configuration file into `t`. All of it is read: each error is one line "file:line: text"
 * appended to `errors`, ended by '\n'. Only what comes from root or from the user who starts the
 * daemon, and that nobody else can write, is read at all.
 * Returns true if there was no error. On false `t` may hold part of the file.
 */
MUST_CHECK bool parseconf_load_file(const char *path, struct tunables *t, struct str *errors);

/*
 * Apply one "name=value". White space around name and value is dropped; the value's first and last
 * visible characters count. An empty text value unsets the option.
 * `where` begins the error line ("file:line" or "-o").
 */
MUST_CHECK bool parseconf_load_setting(const char *setting, const char *where, struct tunables *t,
                                       struct str *errors);

#endif
