/*
 * tlsproto.h - the messages between the daemon and miniftpd-tls
 *
 * One datagram over SEQPACKET with at most one descriptor. Nothing here knows OpenSSL. The order:
 *
 *   N -> T   START + a SEQPACKET end, the relay control; T forks R, which keeps it
 *   N -> R   NET + the TCP control channel, PLAIN + one end of a stream pair
 *   P -> R   GO, when 234 is written; R -> P   UP or DOWN
 *   S -> R   DATA + the data connection, then PLAIN + a stream end or FILE + a file; ABORT at any time
 *   R -> S   UP (handshake done; if it is wanted), PROGRESS of a file, one END for each DATA
 *
 * A download's END comes when close_notify and FIN are on their way; with TLSPROTO_STRICT when the client
 * has answered, or did not for two seconds.
 */
#ifndef MINIFTPD_TLSPROTO_H
#define MINIFTPD_TLSPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.h"

enum tlsproto_kind {
    TLSPROTO_START = 1,
    TLSPROTO_NET,
    TLSPROTO_PLAIN,
    TLSPROTO_GO,
    TLSPROTO_DATA,
    TLSPROTO_FILE,
    TLSPROTO_ABORT,
    /* answers */
    TLSPROTO_READY, /* T to L: certificates are loaded; the text, if any, is a warning for the log */
    TLSPROTO_WRONG, /* T to L: they are not, the text says why */
    TLSPROTO_UP,    /* a handshake is done; the text has version, cipher and client certificate */
    TLSPROTO_DOWN,  /* the handshake of the control channel failed; the text is for the log */
    TLSPROTO_PROGRESS,
    TLSPROTO_END,
};

enum tlsproto_end {
    TLSPROTO_CLEAN = 1, /* close_notify came (upload) or was sent (download) */
    TLSPROTO_TRUNCATED, /* an upload ended without close_notify; all that came was handed on */
    TLSPROTO_REFUSED,   /* 522: no resumption of this control session */
    TLSPROTO_HANDSHAKE, /* the handshake failed */
    TLSPROTO_NET_ERROR, /* errno */
    TLSPROTO_FILE_ERROR,
    TLSPROTO_TIMEOUT,
    TLSPROTO_ABORTED,
};

#define TLSPROTO_UPLOAD   1  /* DATA: bytes come from the client */
#define TLSPROTO_ANSWERED 2  /* END: the client answered our close_notify */
#define TLSPROTO_RESUMED  4  /* UP */
#define TLSPROTO_RESET    8  /* ABORT: by a TCP reset; else by a FIN without close_notify */
#define TLSPROTO_STRICT   16 /* DATA: the END of a download waits for the client's close_notify */
#define TLSPROTO_TELL     32 /* DATA: UP is wanted */
#define TLSPROTO_FLAGS    63 /* all of them */

#define TLSPROTO_TEXT_MAX 240

/* Sent only as far as the text is used. */
struct tlsproto_message {
    uint8_t kind;   /* enum tlsproto_kind */
    uint8_t flags;  /* TLSPROTO_UPLOAD, ... */
    uint8_t result; /* END: enum tlsproto_end */
    uint8_t text_len;
    int32_t error;   /* END: errno */
    uint64_t offset; /* FILE: where in the file to begin */
    uint64_t limit;  /* FILE: at most so many bytes; UINT64_MAX: up to the end */
    uint64_t rate; /* FILE, PLAIN: bytes a second, over all transfers of the session; 0: no limit */
    uint64_t bytes;      /* PROGRESS, END: moved so far, without TLS */
    uint32_t timeout_ms; /* GO, DATA: of the handshake, and then of each progress; 0: none */
    uint32_t unused;
    char text[TLSPROTO_TEXT_MAX]; /* no NUL at its end */
};

_Static_assert(offsetof(struct tlsproto_message, text) == 48,
               "struct tlsproto_message has padding");

/* Set the text, cut to its limit. */
void tlsproto_set_text(struct tlsproto_message *message, const char *text);

/* Send with pass_fd (-1: none), which stays the caller's. Returns 0, or -1 with errno. */
MUST_CHECK int tlsproto_send(int fd, const struct tlsproto_message *message, int pass_fd);

/*
 * Receive one. *fd_out belongs to the caller, -1 if none. Returns 1, 0 at end of file, -1 with errno;
 * EPROTO: a wrong length, an unknown kind or number, a descriptor too many or too few (then closed).
 */
MUST_CHECK int tlsproto_receive(int fd, struct tlsproto_message *message, int *fd_out);

#endif
