/*
 * inherit.h - the sockets that whoever starts us hands over: inetd's, systemd's
 */
#ifndef MINIFTPD_INHERIT_H
#define MINIFTPD_INHERIT_H

#include <stdbool.h>

#define INHERIT_SOCKETS_MAX 8 /* listening ones */

struct inherit {
    int listen_fds[INHERIT_SOCKETS_MAX]; /* non-blocking; the listener's from here on */
    unsigned listen_count;
    int client_fd; /* the one client of inetd or of a systemd socket with Accept=yes; -1 = none */
    bool on_standard_input; /* the client was there, and not passed by systemd by number */
};

/*
 * The first thing of all. Find the sockets of sd_listen_fds(3) and a client on standard input, and close
 * what else was left open; afterwards descriptors 0 to 2 are something harmless and the environment says
 * nothing of sockets any more.
 * SECURITY: where 0 to 2 are the client's socket, nothing is written to them from here on: messages go to
 * syslog. A client for whom no session is started, for whatever reason, gets a neutral 421 at exit(3).
 * Ends the process with a line in the log if systemd hands over what cannot be served.
 */
void inherit_take(struct inherit *in);

#endif
