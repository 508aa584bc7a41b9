/*
 * startup.h - what the daemon does once, at its start, around the listener
 */
#ifndef MINIFTPD_STARTUP_H
#define MINIFTPD_STARTUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "common.h"

struct sandbox;
struct tunables;

/*
 * Are we who the configuration wants us to be, with the rights that it takes? Ends the process with a line
 * in the log if not.
 */
void startup_check_rights(const struct tunables *tun);

/* Say in the log what the daemon can do without, but may miss. Its rights must be those that remain. */
void startup_warn_of_missing(const struct tunables *tun);

/* Be the listener in ps(1), if setproctitle_enable says so. args: as for proctitle_take(). */
void startup_take_title(const struct tunables *tun, char **args, int arg_count);

/*
 * Build the filters of system calls and load that of the listener, if seccomp_sandbox says so; they are
 * built in any case, since a reload may ask for them. Returns false, with a warning in the log, if this
 * kernel has none; ends the process if one cannot be loaded.
 */
MUST_CHECK bool startup_enter_sandbox(const struct tunables *tun, struct sandbox *sandbox);

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
