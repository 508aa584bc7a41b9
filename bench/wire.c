/*
 * wire.c - one non-blocking byte stream of a benchmark, plain or TLS
 *
 * Process: the load generator, one thread.
 * Trusts:  the server under test, which runs on this machine.
 * Touches: sockets, a memory file with the content of uploads.
 */
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/err.h>

enum {
    READ_SIZE = 256 * 1024,
    /* Records that are read in a row before other connections have their turn */
    RECORDS_PER_TURN = 16,
    READ_AHEAD = 64 * 1024,
};

static char read_buffer[READ_SIZE];
static const char *content_text;
static size_t content_length;
static int content_fd = -1;

int wire_init(const char *content, size_t length)
{
    int fd = memfd_create("content", MFD_CLOEXEC);

    if (fd == -1) {
        return -1;
    }
    for (size_t done = 0; done < length;) {
        ssize_t n = write(fd, content + done, length - done);

        if (n <= 0) {
            close(fd);
            return -1;
        }
        done += (size_t)n;
    }
    content_text = content;
    content_length = length;
    content_fd = fd;
    return 0;
}

SSL_CTX *wire_tls_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context == NULL) {
        return NULL;
    }
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Byte counts tell a cut-off file; servers differ in how they end a stream. */
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* With a cache, OpenSSL lets a TLS 1.3 ticket be used only once; data connections resume the
     * session of their control connection again and again. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD);
    if (SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1 ||
        SSL_CTX_set_cipher_list(context, "AES128+AESGCM") != 1) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

int wire_connect(struct wire *wire, const struct sockaddr_storage *peer,
                 const struct sockaddr_storage *source)
{
    const int on = 1;
    const socklen_t size =
        peer->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    const int fd = socket(peer->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int saved_errno;

    if (fd == -1) {
        return -1;
    }
    if (source != NULL) {
        /* The port is chosen by connect(2), which can share it between different peers. */
        (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
        if (bind(fd, (const struct sockaddr *)source, size) == -1) {
            goto fail;
        }
    }
    if (connect(fd, (const struct sockaddr *)peer, size) == -1 && errno != EINPROGRESS) {
        goto fail;
    }
    *wire = (struct wire){.fd = fd, .why = ""};
    return 0;

fail:
    saved_errno = errno;
    close(fd);
    errno = saved_errno;
    return -1;
}

void wire_block(struct wire *wire, int seconds)
{
    const struct timeval timeout = {.tv_sec = seconds};
    const int flags = fcntl(wire->fd, F_GETFL);

    /* None of these fails on a socket. */
    (void)fcntl(wire->fd, F_SETFL, flags & ~O_NONBLOCK);
    (void)setsockopt(wire->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    (void)setsockopt(wire->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
}

int wire_start_tls(struct wire *wire, SSL_CTX *context, SSL_SESSION *session)
{
    wire->ssl = SSL_new(context);
    if (wire->ssl == NULL || SSL_set_fd(wire->ssl, wire->fd) != 1) {
        return -1;
    }
    SSL_set_connect_state(wire->ssl);
    if (session != NULL && SSL_set_session(wire->ssl, session) != 1) {
        return -1;
    }
    return 0;
}

/* What a failed call on the TLS layer means. */
static enum wire_status tls_status(struct wire *wire, int result)
{
    const char *why;

    switch (SSL_get_error(wire->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        wire->wants = EPOLLIN;
        return WIRE_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        wire->wants = EPOLLOUT;
        return WIRE_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return WIRE_EOF;
    default:
        why = ERR_reason_error_string(ERR_peek_error());
        wire->why = why != NULL ? why : "TLS connection broken";
        ERR_clear_error();
        return WIRE_ERROR;
    }
}

/* What a failed system call means. */
static enum wire_status plain_status(struct wire *wire, uint32_t wants)
{
    if (errno == EAGAIN || errno == EINTR) {
        wire->wants = wants;
        return WIRE_AGAIN;
    }
    wire->why = strerrordesc_np(errno);
    return WIRE_ERROR;
}

enum wire_status wire_handshake(struct wire *wire)
{
    int result;

    if (wire->ssl == NULL || SSL_is_init_finished(wire->ssl)) {
        return WIRE_OK;
    }
    result = SSL_do_handshake(wire->ssl);
    return result == 1 ? WIRE_OK : tls_status(wire, result);
}

enum wire_status wire_receive(struct wire *wire, void *buffer, size_t size, size_t *received_out)
{
    ssize_t n;

    *received_out = 0;
    if (wire->ssl != NULL) {
        const int result = SSL_read_ex(wire->ssl, buffer, size, received_out);

        return result == 1 ? WIRE_OK : tls_status(wire, result);
    }
    n = recv(wire->fd, buffer, size, 0);
    if (n == -1) {
        return plain_status(wire, EPOLLIN);
    }
    *received_out = (size_t)n;
    return n == 0 ? WIRE_EOF : WIRE_OK;
}

/* Records are decrypted anyway; what matters is to take all that the layer has buffered. */
static enum wire_status tls_discard(struct wire *wire, EVP_MD_CTX *digest, size_t *received_out)
{
    enum wire_status status = WIRE_OK;
    int turns = RECORDS_PER_TURN;

    do {
        size_t n;

        status = wire_receive(wire, read_buffer, sizeof(read_buffer), &n);
        if (digest != NULL) {
            (void)EVP_DigestUpdate(digest, read_buffer, n);
        }
        *received_out += n;
        turns--;
    } while (status == WIRE_OK && (turns > 0 || SSL_has_pending(wire->ssl)));
    return status;
}

enum wire_status wire_discard(struct wire *wire, EVP_MD_CTX *digest, size_t *received_out)
{
    ssize_t n;

    *received_out = 0;
    if (wire->ssl != NULL) {
        return tls_discard(wire, digest, received_out);
    }
    if (digest != NULL) {
        const enum wire_status status =
            wire_receive(wire, read_buffer, sizeof(read_buffer), received_out);

        (void)EVP_DigestUpdate(digest, read_buffer, *received_out);
        return status;
    }
    /* TCP drops the bytes in the kernel: nothing is copied. tcp(7) */
    n = recv(wire->fd, NULL, INT32_MAX, MSG_TRUNC);
    if (n == -1) {
        return plain_status(wire, EPOLLIN);
    }
    *received_out = (size_t)n;
    return n == 0 ? WIRE_EOF : WIRE_OK;
}

enum wire_status wire_send_text(struct wire *wire, const char *text, size_t length)
{
    size_t sent = 0;

    if (wire->ssl != NULL) {
        const int result = SSL_write_ex(wire->ssl, text, length, &sent);

        if (result != 1) {
            return tls_status(wire, result);
        }
    } else {
        const ssize_t n = send(wire->fd, text, length, MSG_NOSIGNAL);

        if (n == -1) {
            return plain_status(wire, EPOLLOUT);
        }
        sent = (size_t)n;
    }
    if (sent != length) {
        wire->why = "a command did not fit into the socket";
        return WIRE_ERROR;
    }
    return WIRE_OK;
}

enum wire_status wire_send_content(struct wire *wire, off_t sent, off_t left, size_t *sent_out)
{
    off_t offset = sent % (off_t)content_length;
    size_t piece = content_length - (size_t)offset;
    ssize_t n;

    *sent_out = 0;
    if ((off_t)piece > left) {
        piece = (size_t)left;
    }
    if (wire->ssl != NULL) {
        const int result = SSL_write_ex(wire->ssl, content_text + offset, piece, sent_out);

        return result == 1 ? WIRE_OK : tls_status(wire, result);
    }
    n = sendfile(wire->fd, content_fd, &offset, piece);
    if (n == -1) {
        return plain_status(wire, EPOLLOUT);
    }
    *sent_out = (size_t)n;
    return WIRE_OK;
}

void wire_digest_content(EVP_MD_CTX *digest, off_t total)
{
    while (total > 0) {
        const size_t piece = (off_t)content_length < total ? content_length : (size_t)total;

        (void)EVP_DigestUpdate(digest, content_text, piece);
        total -= (off_t)piece;
    }
}

void wire_finish(struct wire *wire)
{
    if (wire->ssl != NULL) {
        (void)SSL_shutdown(wire->ssl); /* sends; the answer is not waited for */
        ERR_clear_error();
    }
    (void)shutdown(wire->fd, SHUT_WR); /* fails only when the connection is gone already */
}

void wire_close(struct wire *wire)
{
    if (wire->fd == -1) {
        return;
    }
    if (wire->ssl != NULL) {
        if (SSL_is_init_finished(wire->ssl)) {
            (void)SSL_shutdown(wire->ssl);
            ERR_clear_error();
        }
        /* A connection freed without this would spoil the session that others resume. */
        SSL_set_shutdown(wire->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(wire->ssl);
    }
    close(wire->fd);
    *wire = (struct wire)WIRE_INIT;
}
