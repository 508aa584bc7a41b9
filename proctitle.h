/*
 * proctitle.h - what ps(1) shows of a process: setproctitle_enable
 *
 * The kernel shows the memory where the arguments and the environment of a program lay at its start. It is
 * used up for titles, and inherited by fork(2), so that a process changes its own without a system call.
 * Where titles are not asked for, all of this does nothing. The words are those of vsftpd.
 */
#ifndef MINIFTPD_PROCTITLE_H
#define MINIFTPD_PROCTITLE_H

#include <stdbool.h>

#include "common.h"

/* Remember where that memory is: the first thing in main(). Nothing is changed. */
void proctitle_init(int argc, char **argv);

/*
 * Show titles from now on. The environment and args[0..count) move elsewhere, so pointers into them that
 * were taken before (getenv(3), argv) show nonsense. Returns false without memory, and all is as it was.
 */
MUST_CHECK bool proctitle_take(char **args, int count);

/* Whom the titles below are about, in this process and those it forks: "192.0.2.7", "192.0.2.7/alice". */
void proctitle_about(const char *peer, const char *user);

/*
 * Show "miniftpd: <about>: <text> <more>"; more may be "". Bytes that are no printable text are escaped as
 * in the log, and what does not fit is cut.
 */
void proctitle_show(const char *text, const char *more);

#endif
