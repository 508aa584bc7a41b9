/*
 * datachan.h - where the next data connection comes from: PASV, EPSV, PORT, EPRT
 *
 * All sockets come from the session parent. The passive listener is kept for the transfers that follow
 * if there is a port for every session; if not, its port is free again as soon as the client has
 * connected. What an administrator has to know about the network is logged, once a session.
 */
#ifndef MINIFTPD_DATACHAN_H
#define MINIFTPD_DATACHAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common.h"
#include "netaddr.h"

struct ctrlio;
struct tunables;

struct str;

enum datachan_mode { DATACHAN_NONE, DATACHAN_PASSIVE, DATACHAN_ACTIVE };

/* What was logged in this session already; bits. */
enum datachan_told {
    DATACHAN_TOLD_NO_PORT = 1 << 0,
    DATACHAN_TOLD_NO_CLIENT = 1 << 1,
    DATACHAN_TOLD_NO_ANSWER = 1 << 2,
    DATACHAN_TOLD_NO_ADDRESS = 1 << 3,
};

struct datachan {
    const struct tunables *tun;
    int priv_fd;
    struct netaddr peer; /* the client; nobody else may open the data connection */
    enum datachan_mode mode;
    bool epsv_all;        /* RFC 2428 4: only EPSV from now on */
    bool keeps_listener;  /* after a transfer, for the next one */
    bool stranger_logged; /* since the last PASV; one line is enough */
    unsigned told;        /* bits of enum datachan_told */
    int listen_fd;        /* -1 = none */
    uint16_t listen_port;
    struct netaddr announced; /* what PASV said; AF_UNSPEC: it was EPSV, which names a port only */
    struct netaddr target;    /* of DATACHAN_ACTIVE */

    enum datachan_mode tried; /* of the last opening */

    /* one opening under way */
    int connecting_fd;   /* -1 = none */
    int64_t began_ms;    /* 0 = not begun */
    int64_t deadline_ms; /* of the opening */
    int64_t retry_ms;    /* port 20 is busy: ask again then, 0 = not waiting */
};

enum datachan_result {
    DATACHAN_OPEN,       /* *fd_out belongs to the caller, non-blocking */
    DATACHAN_PENDING,    /* not yet; only from datachan_try() */
    DATACHAN_INPUT,      /* a command line waits; call again to go on */
    DATACHAN_FAILED,     /* errno says why; ETIMEDOUT: nobody came in time */
    DATACHAN_CTRL_GONE,  /* the client is gone */
    DATACHAN_PARENT_GONE /* the session parent is gone */
};

void datachan_init(struct datachan *dc, const struct tunables *tun, int priv_fd,
                   const struct netaddr *peer);
void datachan_free(struct datachan *dc);

/*
 * Get ready for a client that connects (PASV, EPSV). announced: the address that the reply will name,
 * NULL for EPSV. *port_out: where to connect to. Connections that came unasked are closed. Waits a
 * moment if every port is taken, for they are only until a client has connected.
 * Returns DATACHAN_OPEN when listening, DATACHAN_FAILED (errno; EADDRINUSE: no port is free),
 * DATACHAN_CTRL_GONE or DATACHAN_PARENT_GONE.
 */
enum datachan_result datachan_passive(struct datachan *dc, struct ctrlio *io,
                                      const struct netaddr *announced, uint16_t *port_out);

/* Remember where to connect to (PORT, EPRT). */
void datachan_active(struct datachan *dc, const struct netaddr *target);

/* Forget what PASV or PORT said: ABOR. */
void datachan_reset(struct datachan *dc);

/*
 * Take a connection that is already there, without waiting: DATACHAN_OPEN, DATACHAN_PENDING,
 * DATACHAN_FAILED or DATACHAN_PARENT_GONE. The first call of an opening.
 */
enum datachan_result datachan_try(struct datachan *dc, int *fd_out);

/*
 * Wait for the connection until accept_timeout or connect_timeout. A stranger's connection is closed
 * and logged, and the wait goes on. RFC 2577 8.
 */
enum datachan_result datachan_open(struct datachan *dc, struct ctrlio *io, int *fd_out);

/*
 * Why the last opening failed with `error`, for the client's user: one sentence, appended to `text`.
 */
void datachan_explain(const struct datachan *dc, int error, struct str *text);

/* A warning for the log, unless this session has given it already. */
void datachan_warn_once(struct datachan *dc, enum datachan_told what, const char *text);

#endif
