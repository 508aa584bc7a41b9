/*
 * datachan.h - where the next data connection comes from: PASV, EPSV, PORT, EPRT
 *
 * All sockets come from the session parent. The passive listener is kept for the transfers that follow.
 */
#ifndef MINIFTPD_DATACHAN_H
#define MINIFTPD_DATACHAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common.h"
#include "netaddr.h"

struct ctrlio;
struct tunables;

enum datachan_mode { DATACHAN_NONE, DATACHAN_PASSIVE, DATACHAN_ACTIVE };

struct datachan {
    const struct tunables *tun;
    int priv_fd;
    struct netaddr peer; /* the client; nobody else may open the data connection */
    enum datachan_mode mode;
    bool epsv_all;        /* RFC 2428 4: only EPSV from now on */
    bool stranger_logged; /* since the last PASV; one line is enough */
    int listen_fd;        /* kept between transfers; -1 = none */
    uint16_t listen_port;
    struct netaddr target; /* of DATACHAN_ACTIVE */

    /* one opening under way */
    int connecting_fd;   /* -1 = none */
    int64_t deadline_ms; /* of the opening; 0 = not begun */
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
 * Get ready for a client that connects (PASV, EPSV). *port_out: where to. Connections that came
 * unasked are closed.
 * Returns DATACHAN_OPEN when listening, DATACHAN_FAILED (errno) or DATACHAN_PARENT_GONE.
 */
enum datachan_result datachan_passive(struct datachan *dc, uint16_t *port_out);

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

#endif
