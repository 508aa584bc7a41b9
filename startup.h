/*
 * startup.h - what the daemon does once, at its start, around the listener
 */
#ifndef MINIFTPD_STARTUP_H
#define MINIFTPD_STARTUP_H

#include <sys/types.h>

#include "common.h"

struct tunables;

/*
 * The first thing of all. Descriptors 0 to 2 must be something, or a socket could become stderr; and
 * what else our starter left open is nobody's business here.
 */
void startup_tidy_descriptors(void);

/*
 * Open the listening socket; a machine without IPv6 listens on IPv4 instead. Returns the descriptor,
 * which is the caller's; ends the process with a line in the log if it cannot be had.
 */
MUST_CHECK int startup_listen(const struct tunables *tun);

/* Say in the log where we listen and what is served. */
void startup_announce(const struct tunables *tun, int listen_fd);

/* Write `pid` to the file; NULL means none. Ends the process if that fails. */
void startup_write_pid_file(const char *path, pid_t pid);

/*
 * Leave the terminal. Everything that can go wrong has been done. The parent writes the pid file (as
 * above) and ends with success; the child returns, with descriptors 0 to 2 like null_fd.
 */
void startup_daemonise(const char *pid_file, int null_fd);

#endif
