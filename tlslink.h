/*
 * tlslink.h - what the daemon asks miniftpd-tls and the relay R of a session for
 *
 * R holds the TCP connection of the control channel and gives the daemon a plain stream instead. What is
 * asked of it and what it answers goes over the relay control, a socket of its own: the messages of
 * tlsproto.h. No process of the daemon knows OpenSSL.
 */
#ifndef MINIFTPD_TLSLINK_H
#define MINIFTPD_TLSLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common.h"

struct str;

/* ---- N ---- */

/*
 * Have a relay made for the control connection net_fd, which stays the caller's. request_fd: of
 * miniftpd-tls. *plain_out takes the place of net_fd, *relay_out is the relay control; both are the
 * caller's. Returns false with errno. The relay does nothing before tlslink_shake().
 */
MUST_CHECK bool tlslink_start(int request_fd, int net_fd, int *plain_out, int *relay_out);

/* ---- P ---- */

/*
 * Let the relay begin, and wait for the end of the handshake. priv_fd: whose end ends the wait. `text`
 * gets the facts ("TLSv1.3, ...") or the reason of a failure, for the log.
 */
MUST_CHECK bool tlslink_shake(int relay_fd, int priv_fd, struct str *text);

/* ---- S ---- */

/* What to do with a data connection. */
struct tlslink_order {
    int data_fd; /* the TCP connection */
    int file_fd; /* bytes go from or to this file; -1: through a stream */
    bool upload;
    bool strict_end;     /* a download waits until the client has confirmed its end */
    bool tells;          /* TLSLINK_UP is wanted */
    uint64_t offset;     /* of the file */
    uint64_t limit;      /* bytes; UINT64_MAX: no limit */
    uint64_t rate;       /* bytes a second, of the file; 0: no limit */
    uint32_t timeout_ms; /* without progress */
};

/*
 * Give a data connection to the relay; its descriptors stay the caller's and can be closed. *plain_out:
 * our end of the stream, non-blocking, if there is no file; else -1. Returns false with errno.
 */
MUST_CHECK bool tlslink_begin(int relay_fd, const struct tlslink_order *order, int *plain_out);

enum tlslink_event {
    TLSLINK_NOTHING,  /* wait for the relay control and ask again */
    TLSLINK_UP,       /* the handshake is done: `text` */
    TLSLINK_PROGRESS, /* `bytes` so far */
    TLSLINK_END,      /* `result` and all else: enum tlsproto_end */
    TLSLINK_GONE,     /* the relay has ended: so has the control channel */
};

struct tlslink_news {
    uint64_t bytes;
    int result;    /* enum tlsproto_end */
    int error;     /* errno */
    bool answered; /* the client has confirmed the end */
    bool resumed;  /* the data connection resumed the session */
    char text[256];
};

/* What the relay says, without waiting. */
enum tlslink_event tlslink_take(int relay_fd, struct tlslink_news *news);

/*
 * End the transfer under way, as a reset if asked for, and wait for its END. Returns false if the relay
 * does not answer.
 */
bool tlslink_abort(int relay_fd, bool reset);

#endif
