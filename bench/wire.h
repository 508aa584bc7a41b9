/*
 * wire.h - one non-blocking byte stream of a benchmark, plain or TLS
 *
 * No call here waits, unless wire_block() was called. Whoever gets WIRE_AGAIN asks epoll for the
 * events in wire->wants and comes back.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>

struct wire {
    int fd;          /* -1: closed */
    SSL *ssl;        /* NULL: plain */
    uint32_t wants;  /* the events that the last WIRE_AGAIN waits for */
    const char *why; /* after WIRE_ERROR: what failed, for people */
};

enum wire_status { WIRE_OK, WIRE_AGAIN, WIRE_EOF, WIRE_ERROR };

#define WIRE_INIT                                                                                  \
    {                                                                                              \
        -1, NULL, 0, ""                                                                            \
    }

/*
 * Make the buffers: uploads are sent from `length` bytes of `content`, over and over, and are thus
 * the same in every run. `content` must stay. Returns 0, or -1 with errno.
 */
int wire_init(const char *content, size_t length);

/* A context for clients that takes every certificate and asks for AES-128-GCM; NULL: no memory. */
SSL_CTX *wire_tls_context(void);

/*
 * Begin to connect to `peer`, from the address `source` (NULL: the kernel chooses) and any port.
 * Returns 0, or -1 with errno. A refused connection shows at the first use.
 */
int wire_connect(struct wire *wire, const struct sockaddr_storage *peer,
                 const struct sockaddr_storage *source);

/*
 * Let every call wait, for `seconds` at most; then it gives WIRE_AGAIN. This saves a system call
 * where there is only one connection to wait for.
 */
void wire_block(struct wire *wire, int seconds);

/* Put TLS over the connection, resuming `session` if it is not NULL. Returns 0 or -1. */
int wire_start_tls(struct wire *wire, SSL_CTX *context, SSL_SESSION *session);

/* Go on with the handshake. WIRE_OK: it is done (also without TLS). */
enum wire_status wire_handshake(struct wire *wire);

/* Receive at most `size` bytes into `buffer`. */
enum wire_status wire_receive(struct wire *wire, void *buffer, size_t size, size_t *received_out);

/* Throw away what came, or feed it to `digest` if that is not NULL. */
enum wire_status wire_discard(struct wire *wire, EVP_MD_CTX *digest, size_t *received_out);

/* Send `text`; a short write is an error, since commands are short. */
enum wire_status wire_send_text(struct wire *wire, const char *text, size_t length);

/*
 * Send a piece of the content: at most `left` bytes, from where an upload stands that has sent
 * `sent` bytes.
 */
enum wire_status wire_send_content(struct wire *wire, off_t sent, off_t left, size_t *sent_out);

/* Feed the `total` bytes that an upload consists of to `digest`. */
void wire_digest_content(EVP_MD_CTX *digest, off_t total);

/* Say that no more comes: TLS's close_notify, then the end of the stream. */
void wire_finish(struct wire *wire);

/* Close it if it is open, with close_notify. */
void wire_close(struct wire *wire);

#endif
