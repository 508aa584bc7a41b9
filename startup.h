/*
 * startup.h - what the daemon does once, at its start, around the listener
 */
#ifndef MINIFTPD_STARTUP_H
#define MINIFTPD_STARTUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "common.h"

struct tunables;

/*
 * Open the listening socket; a machine without IPv6 listens on IPv4 instead. Returns the descriptor,
 * which is the caller's; ends the process with a line in the log if it cannot be had.
 */
MUST_CHECK int startup_listen(const struct tunables *tun);

/* Say in the log where we listen and what is served. given: the sockets come from the service manager. */
void startup_announce(const struct tunables *tun, const int *listen_fds, unsigned count,
                      bool given);

/* Write `pid` to the file; NULL means none. Ends the process if that fails. */
void startup_write_pid_file(const char *path, pid_t pid);

/*
 * Leave the terminal. Everything that can go wrong has been done. The parent writes the pid file (as
 * above) and ends with success; the child returns, with descriptors 0 to 2 like null_fd.
 */
void startup_daemonise(const char *pid_file, int null_fd);

#endif
