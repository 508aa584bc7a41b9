/*
 * ftplog.h - what the service processes report for the log
 */
#ifndef MINIFTPD_FTPLOG_H
#define MINIFTPD_FTPLOG_H

#include <stdbool.h>

#include "common.h"

struct ftp;
struct str;

/* From now on report the lines of every reply, if log_ftp_protocol asks for it. */
void ftplog_watch(struct ftp *f);

/* Report a line from the client, or what stands for one that cannot be shown. */
void ftplog_command(struct ftp *f, const char *line);

/*
 * `line` as it may be shown: without what is a password, or may be one. expected: a password is what
 * the client has to send next. Pure; exported for the tests.
 */
void ftplog_mask(const char *line, bool expected, struct str *out);

#endif
