/*
 * tlschan.c - one TLS connection and what its bytes are exchanged with
 *
 * Process: R.
 * Trusts:  nobody: neither the client nor what comes from S.
 * Touches: the descriptors of the channel.
 */
#include "tlschan.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "rate.h"
#include "sysutil.h"

#define RECORDS_AT_ONCE 64         /* 1 MiB: then the control channel has its turn */
#define KERNEL_CHUNK    (1U << 20) /* bytes a call: then the control channel has its turn */
#define CORK_FROM       (1U << 20) /* bytes: a long download saves segments, a short one gains nothing */

/*
 * SECURITY: only an alert is a clean end. A FIN without it, which anybody on the way can send, looks the
 * same to OpenSSL under SSL_OP_IGNORE_UNEXPECTED_EOF.
 */
static void note_alert(const SSL *ssl, int where, int value)
{
    struct tlschan *c = SSL_get_app_data(ssl);

    if (where == SSL_CB_READ_ALERT && (value & 0xFF) == SSL_AD_CLOSE_NOTIFY) {
        c->in_clean = true;
    }
}

bool tlschan_open(struct tlschan *c, SSL_CTX *ctx, int net_fd)
{
    c->net_fd = net_fd;
    c->ssl = SSL_new(ctx);
    if (c->ssl == NULL || SSL_set_fd(c->ssl, net_fd) != 1) {
        return false;
    }
    SSL_set_app_data(c->ssl, c);
    SSL_set_info_callback(c->ssl, note_alert);
    SSL_set_read_ahead(c->ssl, 1); /* a command is one read, and what a handshake sends too */
    if (c->wants_kernel) {
        SSL_set_options(c->ssl, SSL_OP_ENABLE_KTLS);
    }
    SSL_set_accept_state(c->ssl);
    return true;
}

void tlschan_begin_moving(struct tlschan *c)
{
    SSL_set_read_ahead(c->ssl, 0); /* for files it would be one copy more */
    c->in_kernel = c->wants_kernel && BIO_get_ktls_send(SSL_get_wbio(c->ssl)) == 1;
}

/* The connection is of no use any more, in either direction. */
static void break_off(struct tlschan *c, int error)
{
    c->error = error;
    c->in_eof = c->out_eof = c->out_closed = true;
    c->in_more = false;
    c->out.len = 0;
}

/* What OpenSSL waits for; false if the connection, or its direction from the client, is over. */
static bool wait_for(struct tlschan *c, int result)
{
    int error = errno;

    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        c->net_events |= POLLIN;
        return true;
    case SSL_ERROR_WANT_WRITE:
        c->net_events |= POLLOUT;
        return true;
    case SSL_ERROR_ZERO_RETURN:
        c->in_eof = true;
        return false;
    case SSL_ERROR_SYSCALL:
        break_off(c, error);
        return false;
    default:
        break_off(c, EPROTO);
        return false;
    }
}

int tlschan_handshake(struct tlschan *c)
{
    int result;

    c->net_events = 0;
    ERR_clear_error();
    result = SSL_do_handshake(c->ssl);
    if (result == 1) {
        c->in_more = SSL_has_pending(c->ssl) == 1;
        return 1;
    }
    return wait_for(c, result) ? 0 : -1;
}

static void fill(struct tlschan_buffer *b, size_t len)
{
    b->at = 0;
    b->len = len;
    b->used = len > b->used ? len : b->used;
}

static void take(struct tlschan_buffer *b, size_t len)
{
    b->at += len;
    b->len -= len;
}

/* True, with the moment in pause_until_ms, if the limit of rate says so. */
static bool has_to_pause(struct tlschan *c)
{
    c->pause_until_ms =
        c->rate != NULL && c->rate->bytes_per_sec != 0 ? rate_pause(c->rate, sysutil_now_ms()) : 0;
    return c->pause_until_ms != 0;
}

static size_t portion(const struct tlschan *c, size_t most)
{
    return c->rate != NULL ? rate_portion(c->rate, most) : most;
}

static void account(struct tlschan *c, size_t len)
{
    c->bytes += len;
    if (c->rate != NULL && c->rate->bytes_per_sec != 0) {
        rate_spend(c->rate, len, sysutil_now_ms());
    }
}

/* Read a record. Returns true if bytes or an end came. */
static bool read_tls(struct tlschan *c)
{
    int got;

    ERR_clear_error();
    got = SSL_read(c->ssl, c->in.bytes, (int)portion(c, TLSCHAN_RECORD));
    if (got > 0) {
        fill(&c->in, (size_t)got);
        c->in_more = SSL_has_pending(c->ssl) == 1;
        return true;
    }
    c->in_more = false;
    return !wait_for(c, got);
}

/* Write a record. Returns true if bytes went or an end came. */
static bool write_tls(struct tlschan *c)
{
    int sent;

    ERR_clear_error();
    sent = SSL_write(c->ssl, c->out.bytes + c->out.at, (int)c->out.len);
    if (sent > 0) {
        take(&c->out, (size_t)sent);
        return true;
    }
    if (wait_for(c, sent)) {
        return false;
    }
    break_off(c, c->error != 0 ? c->error : EPIPE);
    return true;
}

/*
 * close_notify, then FIN, which sends both at once whatever Nagle or a cork would say. A failure of either
 * is the end as well.
 */
static bool close_tls(struct tlschan *c)
{
    int result;

    ERR_clear_error();
    result = SSL_shutdown(c->ssl);
    if (result < 0 && SSL_get_error(c->ssl, result) == SSL_ERROR_WANT_WRITE) {
        c->net_events |= POLLOUT;
        return false;
    }
    (void)shutdown(c->net_fd, SHUT_WR); /* the connection may be gone */
    c->closed_well = result >= 0;
    c->out_closed = true;
    return true;
}

static void write_plain(struct tlschan *c)
{
    ssize_t sent =
        send(c->plain_fd, c->in.bytes + c->in.at, c->in.len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent >= 0) {
        take(&c->in, (size_t)sent);
        if (c->is_data) {
            account(c, (size_t)sent);
        }
    } else if (errno != EAGAIN && errno != EINTR) {
        c->in_eof = true; /* nobody listens any more */
        c->in_more = false;
        c->in.len = 0;
    }
    if (c->in.len > 0) {
        c->plain_events |= POLLOUT;
    }
}

static void read_plain(struct tlschan *c)
{
    ssize_t got = recv(c->plain_fd, c->out.bytes, portion(c, c->out.size), MSG_DONTWAIT);

    if (got > 0) {
        fill(&c->out, (size_t)got);
        if (c->is_data) {
            account(c, (size_t)got);
        }
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        c->out_eof = true;
    }
}

/* From the client to the plain end. */
static void pump_in(struct tlschan *c)
{
    if (c->in.len == 0 && !c->in_eof && (c->net_ready || c->in_more) &&
        !(c->upload && has_to_pause(c))) {
        (void)read_tls(c);
        if (c->is_data && !c->upload) {
            c->in.len = 0; /* what a client says during a download is not for anybody */
        }
        if (c->in_eof && c->plain_fd != -1) {
            (void)shutdown(c->plain_fd, SHUT_WR); /* S may have closed its end */
        }
    }
    if (c->in.len > 0) {
        write_plain(c);
    } else if (c->in_eof && c->upload) {
        c->out_eof = true; /* answer close_notify at once: clients wait for it */
    }
}

/* From the plain end to the client. */
static void pump_out(struct tlschan *c)
{
    if (c->out.len == 0 && !c->out_eof && !c->upload && c->plain_ready && !has_to_pause(c)) {
        read_plain(c);
    }
    while (c->out.len > 0 && write_tls(c)) {
        continue;
    }
    if (c->out.len == 0 && c->out_eof && !c->out_closed) {
        (void)close_tls(c);
    }
}

bool tlschan_pump(struct tlschan *c)
{
    c->net_events = c->plain_events = 0;
    if (c->pause_until_ms != 0) { /* its end is no event of a descriptor */
        c->plain_ready = true;
        c->in_more |= c->upload;
    }
    pump_in(c);
    pump_out(c);
    c->net_ready = c->plain_ready = false;
    if (c->in.len == 0 && !c->in_eof && !(c->upload && c->pause_until_ms != 0)) {
        c->net_events |= POLLIN;
    }
    if (c->out.len == 0 && !c->out_eof && !c->upload && c->pause_until_ms == 0) {
        c->plain_events |= POLLIN;
    }
    return c->in_more && c->in.len == 0 && c->pause_until_ms == 0;
}

static void fail_file(struct tlschan *c)
{
    break_off(c, errno != 0 ? errno : EIO);
    c->file_failed = true;
    c->in.len = 0;
}

static void read_file(struct tlschan *c)
{
    size_t most = portion(c, c->out.size);
    ssize_t got = 0;

    if (c->left > 0) {
        got = pread(c->file_fd, c->out.bytes, most < c->left ? most : (size_t)c->left,
                    (off_t)c->offset);
    }
    if (got == -1) {
        fail_file(c);
        return;
    }
    if (got == 0 && c->left > 0 && c->exact) {
        errno = EIO; /* the file got shorter: its end would be a lie */
        fail_file(c);
        return;
    }
    c->out_eof = got == 0;
    fill(&c->out, (size_t)got);
    c->offset += (uint64_t)got;
    c->left -= (uint64_t)got;
    account(c, (size_t)got);
}

static void write_file(struct tlschan *c)
{
    while (c->in.len > 0) {
        size_t len = c->in.len < c->left ? c->in.len : (size_t)c->left;
        ssize_t put;

        errno = EFBIG;
        put = len == 0 ? -1 : pwrite(c->file_fd, c->in.bytes + c->in.at, len, (off_t)c->offset);
        if (put == -1) {
            fail_file(c);
            return;
        }
        take(&c->in, (size_t)put);
        c->offset += (uint64_t)put;
        c->left -= (uint64_t)put;
        account(c, (size_t)put);
    }
}

/* A segment for every record is a waste in a long download. The FIN sends the rest. */
static void cork(struct tlschan *c)
{
    const int on = 1;

    c->corked = true;
    (void)setsockopt(c->net_fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)); /* nothing but speed */
}

/* sendfile(2) with TLS in the kernel: nothing comes through here. Returns true if bytes went or an end came. */
static bool send_from_kernel(struct tlschan *c)
{
    size_t most = portion(c, c->left < KERNEL_CHUNK ? (size_t)c->left : KERNEL_CHUNK);
    ossl_ssize_t sent;

    ERR_clear_error();
    sent = SSL_sendfile(c->ssl, c->file_fd, (off_t)c->offset, most, 0);
    if (sent > 0) {
        c->offset += (uint64_t)sent;
        c->left -= (uint64_t)sent;
        account(c, (size_t)sent);
        return true;
    }
    if (sent == 0) {
        c->out_eof = true; /* the file ends here */
        if (c->exact) {
            errno = EIO;
            fail_file(c);
        }
        return true;
    }
    if (wait_for(c, (int)sent)) {
        return false;
    }
    break_off(c, c->error != 0 ? c->error : EPIPE);
    return true;
}

/* One record out of the file, or what comes after the last. False: nothing can be done now. */
static bool send_record(struct tlschan *c)
{
    if (c->out.len == 0 && !c->out_eof) {
        if (has_to_pause(c)) {
            return false;
        }
        if (c->in_kernel && c->left > 0) {
            return send_from_kernel(c);
        }
        read_file(c);
    }
    if (c->out.len > 0) {
        if (!c->corked && c->bytes > CORK_FROM && c->rate->bytes_per_sec == 0) {
            cork(c);
        }
        return write_tls(c);
    }
    if (!c->out_closed) {
        return close_tls(c);
    }
    if (c->in_eof) {
        return false;
    }
    if (!read_tls(c)) {
        return false;
    }
    c->in.len = 0;
    return true;
}

static bool receive_record(struct tlschan *c)
{
    if (c->in_eof) {
        c->out_eof = true;
        return !c->out_closed && close_tls(c);
    }
    if (has_to_pause(c) || !read_tls(c)) {
        return false;
    }
    write_file(c);
    return true;
}

bool tlschan_pump_file(struct tlschan *c)
{
    c->net_events = c->plain_events = 0;
    for (int i = 0; i < RECORDS_AT_ONCE; i++) {
        if (tlschan_is_done(c) || !(c->upload ? receive_record(c) : send_record(c))) {
            return false;
        }
    }
    return true;
}

bool tlschan_is_done(const struct tlschan *c)
{
    return c->in_eof && c->in.len == 0 && c->out_closed;
}

void tlschan_reset(struct tlschan *c)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    /* without it the end is an ordinary one */
    (void)setsockopt(c->net_fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void tlschan_close(struct tlschan *c)
{
    SSL_free(c->ssl);
    c->ssl = NULL;
    sysutil_close(&c->net_fd);
    sysutil_close(&c->plain_fd);
    sysutil_close(&c->file_fd);
    if (c->in.used > 0) {
        explicit_bzero(c->in.bytes, c->in.used);
    }
    if (c->out.used > 0) {
        explicit_bzero(c->out.bytes, c->out.used);
    }
}
