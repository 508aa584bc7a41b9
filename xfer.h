/*
 * xfer.h - the transfer loop: a file to the client, a file from the client, generated text
 *
 * A transfer stops whenever the client says something, and goes on with the next call: so ABOR, STAT
 * and the end of the session work in the middle of every transfer, and the loop knows no commands.
 */
#ifndef MINIFTPD_XFER_H
#define MINIFTPD_XFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common.h"

struct codec;
struct ctrlio;
struct rate;

#define XFER_NO_LIMIT UINT64_MAX /* of `room` */

/* An encrypted transfer; see tlslink.h. */
struct xfer_tls {
    int relay_fd;     /* -1: not encrypted */
    bool upload;      /* which way it goes */
    bool strict_in;   /* an upload without the end of TLS was cut off */
    bool strict_out;  /* a download without the client's confirmation failed */
    bool wants_facts; /* below */
    bool begun;       /* the relay has the data connection */
    bool of_file;     /* and the file */
    bool drained;     /* our end of the stream has done its work */
    int drained_with; /* enum xfer_result of it */
    bool ended;       /* the relay said how it ended */
    bool up;          /* the handshake went well: */
    bool resumed;
    char facts[256]; /* "TLSv1.3, ...", or why it failed */
};

struct xfer {
    int data_fd; /* non-blocking; owned until xfer_close() */
    int file_fd; /* owned by the caller; -1 for text */
    int64_t timeout_ms;
    int64_t started_ms;
    int64_t progress_ms;     /* when the last byte moved */
    uint64_t bytes;          /* moved so far */
    _Atomic uint64_t *shown; /* where others see them; NULL: nowhere */
    int error;               /* errno of XFER_NETWORK and XFER_FILE */

    struct rate
        *rate;        /* NULL: as fast as it can be; the caller's, for all transfers of a session */
    size_t chunk_max; /* most bytes to be moved at once; 0: no limit */
    uint64_t room;    /* bytes that an upload may still write; set to XFER_NO_LIMIT at first */

    off_t offset, size; /* of a file that is sent */
    bool no_sendfile;   /* read and write instead */
    bool corked;

    int pipe_fds[2]; /* of an upload by splice(2); -1 = none */
    size_t in_pipe;
    bool no_splice; /* the file system refuses it */

    struct codec *codec; /* TYPE A, MODE Z; NULL: bytes go as they are */
    struct xfer_tls tls;
    char *raw; /* read from the file or received: what the codec takes */
    size_t raw_at, raw_len;
    char *cooked; /* what it made: to be sent or written */
    size_t cooked_at, cooked_len;
    bool raw_ended, cooked_ended; /* nothing comes after what is there */
};

enum xfer_result {
    XFER_DONE,
    XFER_INPUT,       /* a command line waits; call again to go on */
    XFER_TIMEOUT,     /* no progress for timeout_ms */
    XFER_NETWORK,     /* the data connection broke (error) */
    XFER_FILE,        /* reading or writing the file failed (error); EIO if it was cut short */
    XFER_BAD_DATA,    /* MODE Z: what came is no such stream */
    XFER_CUT,         /* MODE Z: the client closed before the end of its stream */
    XFER_TOO_LARGE,   /* an upload is larger than its room */
    XFER_TLS,         /* no TLS on the data connection: tls.facts */
    XFER_NOT_RESUMED, /* its TLS session is not that of the control connection */
    XFER_TRUNCATED,   /* an encrypted upload that TLS did not end */
    XFER_CTRL_GONE,   /* the client is gone */
    XFER_PARENT_GONE, /* the session parent is gone */
};

/*
 * Begin a transfer over data_fd, which x owns from now on. Its limits (rate, chunk_max, room) may be set
 * then, and the part of a file to be sent (offset, size).
 */
void xfer_init(struct xfer *x, int data_fd, int file_fd, int64_t timeout_ms);

/*
 * Encrypt the transfer: from the first call on that moves bytes the data connection is the relay's. A
 * file without a codec is moved by the relay itself; else bytes go through a stream, and x->data_fd is our
 * end of it.
 */
void xfer_protect(struct xfer *x, int relay_fd, bool upload);

/*
 * Pass everything through `codec`, which x owns from now on, instead of moving it as it is.
 * Returns false without memory.
 */
MUST_CHECK bool xfer_convert(struct xfer *x, struct codec *codec);

/*
 * Send file_fd from x->offset to x->size: with sendfile(2), if nothing is to be converted, and if the file
 * system can.
 */
enum xfer_result xfer_send_file(struct xfer *x, struct ctrlio *io);

/*
 * Receive until the client closes, to the current position of file_fd. Not more than x->room is written:
 * XFER_TOO_LARGE says that there was more.
 */
enum xfer_result xfer_recv_file(struct xfer *x, struct ctrlio *io);

/*
 * Send data[*sent..len). *sent counts on from call to call; XFER_DONE when all is out, or inside the
 * codec.
 */
enum xfer_result xfer_send_text(struct xfer *x, struct ctrlio *io, const char *data, size_t len,
                                size_t *sent);

/* Send what the codec has kept back, at the end of all text; wait for the end of an encrypted transfer. */
enum xfer_result xfer_end_text(struct xfer *x, struct ctrlio *io);

/*
 * Close the data connection. complete=false: as a reset, so that the client cannot take what it got
 * for the whole file.
 */
void xfer_close(struct xfer *x, bool complete);

/* Milliseconds since the transfer began. */
uint32_t xfer_duration_ms(const struct xfer *x);

#endif
