/*
 * tlschan.h - one TLS connection and what its bytes are exchanged with
 *
 * Nothing blocks and nothing waits: a step does what can be done and says in net_events and plain_events
 * what to poll for.
 */
#ifndef MINIFTPD_TLSCHAN_H
#define MINIFTPD_TLSCHAN_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.h"

struct rate;

#define TLSCHAN_RECORD 16384 /* the most that one TLS record holds */

/*
 * Bytes on their way. Nothing is read for a buffer that is not empty: this is the back-pressure. The room
 * belongs to the caller, who sets it; pages that are never used cost nothing.
 */
struct tlschan_buffer {
    char *bytes;
    size_t size;
    size_t at, len;
    size_t used; /* so many were ever filled */
};

/* Starts with descriptors of -1 and room in both buffers, at least TLSCHAN_RECORD each. */
struct tlschan {
    SSL *ssl;
    int net_fd;        /* the TCP connection, -1: none */
    int plain_fd;      /* a stream, -1: none */
    int file_fd;       /* or a file, -1: none */
    struct rate *rate; /* data channels; NULL: no limit */
    bool is_data;      /* bytes go one way only: */
    bool upload;       /* from the client */
    bool in_eof;       /* nothing more comes from the client */
    bool in_clean;     /* and it said so by close_notify */
    bool in_more;      /* OpenSSL has read more than it has handed out */
    bool out_eof;      /* nothing more is to go there */
    bool out_closed;   /* close_notify and FIN are sent */
    bool closed_well;  /* our close_notify was sent, and all before it */
    bool wants_kernel; /* data channels: let the kernel encrypt, if it can */
    bool in_kernel;    /* it does, on the way out */
    bool corked;
    bool file_failed;
    int error;              /* errno of the end, 0 if none */
    uint64_t offset;        /* file: where the next byte is */
    bool exact;             /* file: it has that many; fewer are a failure */
    uint64_t left;          /* file: bytes still to move */
    uint64_t bytes;         /* moved */
    int64_t pause_until_ms; /* 0: no pause */
    short net_events, plain_events;
    bool net_ready, plain_ready; /* what poll said since the last step */
    struct tlschan_buffer in, out;
};

/*
 * Begin a handshake as server. net_fd belongs to the channel from now on, also after a failure, which is a
 * lack of memory.
 */
MUST_CHECK bool tlschan_open(struct tlschan *c, SSL_CTX *ctx, int net_fd);

/* After the handshake of a data channel. */
void tlschan_begin_moving(struct tlschan *c);

/* 1: the handshake is done; 0: not yet; -1: it failed, OpenSSL's queue says why. */
MUST_CHECK int tlschan_handshake(struct tlschan *c);

/*
 * Move what can be moved between TLS and plain_fd. Returns true if there is more to do without waiting.
 * Of what a client sends during a download, and S during an upload, nothing is handed on.
 */
bool tlschan_pump(struct tlschan *c);

/* The same between TLS and file_fd: at most 1 MiB, so that others have their turn. */
bool tlschan_pump_file(struct tlschan *c);

/* Nothing more to move in either direction? */
bool tlschan_is_done(const struct tlschan *c);

/* Let the end be a TCP reset. */
void tlschan_reset(struct tlschan *c);

/* Close everything (but a net_fd that was taken away), wipe the buffers. */
void tlschan_close(struct tlschan *c);

#endif
