/*
 * tlsstore.h - R: the TLS sessions that data channels may resume
 */
#ifndef MINIFTPD_TLSSTORE_H
#define MINIFTPD_TLSSTORE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "common.h"

#define TLSSTORE_MAX 32 /* sessions; some 700 bytes each */

/* Sessions of the control channel, by their ids. What is not in here is not resumed. */
struct tlsstore {
    SSL *control; /* the only one whose sessions are kept; not ours */
    uint64_t clock;
    struct tlsstore_entry {
        SSL_SESSION *session; /* NULL: free */
        uint64_t used;        /* by `clock`: when it was kept, or resumed more than once */
        bool resumed;
    } entries[TLSSTORE_MAX];
};

/*
 * In R, before the handshake of `control`, which was made from `ctx`. Both and the store have to live until
 * tlsstore_end(). A full store forgets what is oldest. What was resumed twice counts as new each time: its
 * client uses a ticket for ever; what was resumed once does not: a client that uses each ticket once, oldest
 * first, would find its unused ones forgotten for used ones.
 */
void tlsstore_begin(struct tlsstore *store, SSL_CTX *ctx, SSL *control);

/* Forget all sessions. Also after a tlsstore_begin() that never was, if the store is all zero. */
void tlsstore_end(struct tlsstore *store);

#endif
