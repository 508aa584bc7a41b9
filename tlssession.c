/*
 * tlssession.c - R: the TLS of one session
 *
 * Process: R, a fork of miniftpd-tls: nobody, empty root, seccomp.
 * Trusts:  nobody. A message out of order ends the session.
 * Touches: the relay control and the descriptors that come through it.
 */
#include "tlssession.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "rate.h"
#include "str.h"
#include "sysutil.h"
#include "tlscert.h"
#include "tlschan.h"
#include "tlsctx.h"
#include "tlsproto.h"
#include "tlsstore.h"

#define SETUP_MS     10000 /* from the fork to GO */
#define LINGER_MS    2000  /* for the client to answer close_notify */
#define PROGRESS_MS  500
#define HANDSHAKE_MS 10000
#define PAST_MS      1 /* a deadline that has passed */
#define FILE_CHUNK   (8 * (size_t)TLSCHAN_RECORD)

enum phase { IDLE, WAITS_FOR_END, HANDSHAKES, MOVES };

struct relay {
    SSL_CTX *ctx;
    struct tlsstore store;
    bool require_reuse;
    bool ended;
    bool kernel_tls;
    bool tells;   /* the daemon wants to know about the handshake */
    bool strict;  /* the data channel waits for the client's close_notify */
    int relay_fd; /* -1: the daemon's side is gone */
    struct tlschan control;
    struct tlschan data;
    struct rate rate; /* of all transfers of the session */
    enum phase phase; /* of data */
    uint32_t timeout_ms;
    int64_t deadline_ms;      /* of data */
    int64_t linger_ms;        /* of control, 0: not closing */
    int64_t next_progress_ms; /* of data */
    /*
     * The last download's connection, after its END: closed at once it could be reset by what its client
     * says last, and the client lose what it has not read yet.
     */
    int rest_fd;
    int64_t rest_ms;
};

/* Untouched until used: a relay without transfers does not have these pages. */
static struct {
    char control_in[TLSCHAN_RECORD];
    char control_out[TLSCHAN_RECORD];
    char data_in[TLSCHAN_RECORD];
    char data_out[FILE_CHUNK];
} space;

static void set_nonblocking(int fd)
{
    (void)fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK); /* a socket takes this */
}

static int64_t timeout_of(const struct relay *r)
{
    return r->timeout_ms == 0 ? SYSUTIL_FOREVER : sysutil_now_ms() + r->timeout_ms;
}

static void tell(struct relay *r, const struct tlsproto_message *m)
{
    if (r->relay_fd != -1 && tlsproto_send(r->relay_fd, m, -1) == -1) {
        sysutil_close(&r->relay_fd);
    }
}

static void tell_up(struct relay *r, SSL *ssl)
{
    struct tlsproto_message m = {.kind = TLSPROTO_UP};
    struct str line = STR_INIT(TLSPROTO_TEXT_MAX);

    m.flags = SSL_session_reused(ssl) ? TLSPROTO_RESUMED : 0;
    str_append_format(&line, "%s, %s, ", SSL_get_version(ssl), SSL_get_cipher_name(ssl));
    tlscert_append_peer(&line, ssl);
    tlsproto_set_text(&m, str_text(&line));
    str_free(&line);
    tell(r, &m);
}

/* ---- one data channel ---- */

/* Keep the connection for a moment, as rest_fd, instead of closing it. */
static void put_aside(struct relay *r)
{
    r->rest_fd = r->data.net_fd;
    r->rest_ms = sysutil_now_ms() + LINGER_MS;
    r->data.net_fd = -1;
}

/* What the client still says is thrown away. */
static void look_at_rest(struct relay *r, bool ready)
{
    ssize_t got = -1;

    if (ready) {
        got = recv(r->rest_fd, r->data.in.bytes, r->data.in.size, MSG_DONTWAIT);
        if (got == 0 || (got == -1 && errno != EAGAIN && errno != EINTR)) {
            sysutil_close(&r->rest_fd);
        }
    } else if (sysutil_now_ms() >= r->rest_ms) {
        sysutil_close(&r->rest_fd);
    }
}

static void end_data(struct relay *r, enum tlsproto_end result)
{
    struct tlsproto_message m = {.kind = TLSPROTO_END,
                                 .result = (uint8_t)result,
                                 .error = r->data.error,
                                 .bytes = r->data.bytes,
                                 .flags = r->data.in_clean ? TLSPROTO_ANSWERED : 0};
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    if (result == TLSPROTO_HANDSHAKE && reason != NULL) {
        tlsproto_set_text(&m, reason);
    }
    ERR_clear_error();
    if (result == TLSPROTO_CLEAN && !r->data.upload && !r->data.in_eof) {
        put_aside(r);
    }
    tlschan_close(&r->data);
    r->phase = IDLE;
    tell(r, &m);
}

static void begin_data(struct relay *r, const struct tlsproto_message *m, int fd)
{
    struct tlschan *c = &r->data;

    sysutil_close(&r->rest_fd);
    *c = (struct tlschan){.net_fd = -1, .plain_fd = -1, .file_fd = -1, .is_data = true};
    c->in = (struct tlschan_buffer){.bytes = space.data_in, .size = sizeof(space.data_in)};
    c->out = (struct tlschan_buffer){.bytes = space.data_out, .size = sizeof(space.data_out)};
    c->upload = (m->flags & TLSPROTO_UPLOAD) != 0;
    c->wants_kernel = r->kernel_tls;
    c->rate = &r->rate;
    r->strict = (m->flags & TLSPROTO_STRICT) != 0;
    r->tells = (m->flags & TLSPROTO_TELL) != 0;
    r->timeout_ms = m->timeout_ms;
    r->phase = WAITS_FOR_END;
    set_nonblocking(fd);
    tlsctx_begin_data(r->ctx);
    if (!tlschan_open(c, r->ctx, fd)) {
        r->ended = true;
        return;
    }
    /*
     * Clients that use a ticket once need a new one for each transfer. It goes out with the next reply.
     * A failure costs the client a ticket, nothing else.
     */
    if (SSL_version(r->control.ssl) == TLS1_3_VERSION) {
        (void)SSL_new_session_ticket(r->control.ssl);
    }
}

static void begin_moving(struct relay *r, const struct tlsproto_message *m, int fd)
{
    if (m->kind == TLSPROTO_FILE) {
        r->data.file_fd = fd;
        r->data.offset = m->offset;
        r->data.left = m->limit == UINT64_MAX ? INT64_MAX - m->offset : m->limit;
        r->data.exact = m->limit != UINT64_MAX && !r->data.upload;
    } else {
        r->data.plain_fd = fd;
    }
    rate_set(&r->rate, m->rate);
    r->data.net_ready = r->data.plain_ready = true;
    r->phase = HANDSHAKES;
    r->deadline_ms = sysutil_now_ms() + (r->timeout_ms != 0 && r->timeout_ms < HANDSHAKE_MS
                                             ? (int64_t)r->timeout_ms
                                             : HANDSHAKE_MS);
}

static void abort_data(struct relay *r, const struct tlsproto_message *m)
{
    if (r->phase == IDLE) {
        return; /* the END is on its way */
    }
    if ((m->flags & TLSPROTO_RESET) != 0) {
        tlschan_reset(&r->data);
    }
    end_data(r, TLSPROTO_ABORTED);
}

/* The daemon's side is gone: a transfer has nobody to tell about its end. */
static void leave_daemon(struct relay *r)
{
    sysutil_close(&r->relay_fd);
    if (r->phase != IDLE) {
        tlschan_close(&r->data);
        r->phase = IDLE;
    }
}

static void take_message(struct relay *r)
{
    struct tlsproto_message m;
    int fd = -1;
    int got = tlsproto_receive(r->relay_fd, &m, &fd);

    if (got == 0) {
        leave_daemon(r);
    } else if (got == 1 && m.kind == TLSPROTO_DATA && r->phase == IDLE) {
        begin_data(r, &m, fd);
    } else if (got == 1 && (m.kind == TLSPROTO_PLAIN || m.kind == TLSPROTO_FILE) &&
               r->phase == WAITS_FOR_END) {
        begin_moving(r, &m, fd);
    } else if (got == 1 && m.kind == TLSPROTO_ABORT) {
        abort_data(r, &m);
    } else {
        sysutil_close(&fd);
        r->ended = true;
    }
}

static bool shake_data(struct relay *r)
{
    int result = tlschan_handshake(&r->data);

    if (result == 1 && r->require_reuse && !SSL_session_reused(r->data.ssl)) {
        end_data(r, TLSPROTO_REFUSED); /* SECURITY: no byte of the file goes to a stranger */
        return true;
    }
    if (result == 1) {
        if (r->tells) {
            tell_up(r, r->data.ssl);
        }
        tlschan_begin_moving(&r->data);
        r->phase = MOVES;
        r->deadline_ms = timeout_of(r);
        r->next_progress_ms = sysutil_now_ms() + PROGRESS_MS;
        r->data.net_ready = r->data.plain_ready = true;
    } else if (result == -1) {
        end_data(r, TLSPROTO_HANDSHAKE);
    }
    return result != 0;
}

static enum tlsproto_end result_of(const struct tlschan *c)
{
    if (c->file_failed) {
        return TLSPROTO_FILE_ERROR;
    }
    if (c->upload) {
        return c->in_clean     ? TLSPROTO_CLEAN
               : c->error != 0 ? TLSPROTO_NET_ERROR /* a reset, or no TLS: never a whole file */
                               : TLSPROTO_TRUNCATED;
    }
    return c->closed_well ? TLSPROTO_CLEAN : TLSPROTO_NET_ERROR;
}

/* Bytes went since the deadline was set: set it anew, and say so now and then. */
static void note_progress(struct relay *r, bool was_closed)
{
    struct tlsproto_message m = {.kind = TLSPROTO_PROGRESS, .bytes = r->data.bytes};
    int64_t now_ms = sysutil_now_ms();

    if (!r->data.out_closed) {
        r->deadline_ms = r->timeout_ms == 0 ? SYSUTIL_FOREVER : now_ms + r->timeout_ms;
    } else if (!was_closed) {
        r->deadline_ms = now_ms + LINGER_MS;
    }
    /* of a stream the other end counts itself */
    if (now_ms >= r->next_progress_ms && r->data.file_fd != -1) {
        r->next_progress_ms = now_ms + PROGRESS_MS;
        tell(r, &m);
    }
}

static bool move_data(struct relay *r)
{
    struct tlschan *c = &r->data;
    bool was_closed = c->out_closed;
    uint64_t moved_before = c->bytes;
    size_t waited_before = c->out.len;
    bool busy = c->file_fd != -1 ? tlschan_pump_file(c) : tlschan_pump(c);

    if (tlschan_is_done(c) || (c->out_closed && !c->upload && !r->strict)) {
        end_data(r, result_of(c));
        return true;
    }
    if (c->bytes != moved_before || c->out.len != waited_before || c->out_closed != was_closed) {
        note_progress(r, was_closed);
    }
    return busy;
}

/* Returns true if there is more to do without waiting. */
static bool step_data(struct relay *r)
{
    if (r->phase == IDLE || r->phase == WAITS_FOR_END) {
        return false;
    }
    if (r->deadline_ms != SYSUTIL_FOREVER && r->data.pause_until_ms == 0 &&
        sysutil_now_ms() >= r->deadline_ms) {
        end_data(r, r->data.closed_well && !r->data.upload ? TLSPROTO_CLEAN : TLSPROTO_TIMEOUT);
        return true;
    }
    if (r->phase == HANDSHAKES && (!shake_data(r) || r->phase != MOVES)) {
        return r->phase == IDLE;
    }
    return move_data(r);
}

/* ---- the session ---- */

static void watch(struct pollfd *p, int fd, short events)
{
    *p = (struct pollfd){.fd = events != 0 ? fd : -1, .events = events};
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a == SYSUTIL_FOREVER || (b != SYSUTIL_FOREVER && b < a) ? b : a;
}

static int64_t next_deadline(const struct relay *r, bool has_data)
{
    int64_t deadline_ms = r->linger_ms;

    if (has_data) {
        deadline_ms = earlier(deadline_ms, r->data.pause_until_ms != 0 ? r->data.pause_until_ms
                                                                       : r->deadline_ms);
    }
    return r->rest_fd != -1 ? earlier(deadline_ms, r->rest_ms) : deadline_ms;
}

/* Wait for something to do; with `busy` only look. */
static void wait_for_work(struct relay *r, bool busy)
{
    enum { RELAY, NET, PLAIN, DATA_NET, DATA_PLAIN, REST, COUNT };
    struct pollfd fds[COUNT];
    bool has_data = r->phase == HANDSHAKES || r->phase == MOVES;

    watch(&fds[RELAY], r->relay_fd, POLLIN);
    watch(&fds[NET], r->control.net_fd, r->control.net_events);
    watch(&fds[PLAIN], r->control.plain_fd, r->control.plain_events);
    watch(&fds[DATA_NET], r->data.net_fd, has_data ? r->data.net_events : 0);
    watch(&fds[DATA_PLAIN], r->data.plain_fd, has_data ? r->data.plain_events : 0);
    watch(&fds[REST], r->rest_fd, POLLIN);
    if (sysutil_poll(fds, COUNT, busy ? PAST_MS : next_deadline(r, has_data)) == -1) {
        r->ended = true;
        return;
    }
    r->control.net_ready = fds[NET].revents != 0;
    r->control.plain_ready = fds[PLAIN].revents != 0;
    r->data.net_ready |= fds[DATA_NET].revents != 0;
    r->data.plain_ready |= fds[DATA_PLAIN].revents != 0;
    if (r->rest_fd != -1) {
        look_at_rest(r, fds[REST].revents != 0);
    }
    if (fds[RELAY].revents != 0) {
        take_message(r);
    }
}

/* The next message, which has to be of this kind. */
static bool expect(struct relay *r, enum tlsproto_kind kind, int64_t deadline_ms, int *fd_out,
                   struct tlsproto_message *m)
{
    struct pollfd p = {.fd = r->relay_fd, .events = POLLIN};

    return sysutil_poll(&p, 1, deadline_ms) == 1 && tlsproto_receive(r->relay_fd, m, fd_out) == 1 &&
           m->kind == kind;
}

static bool shake_control(struct relay *r, uint32_t timeout_ms)
{
    struct tlsproto_message m = {.kind = TLSPROTO_DOWN};
    int64_t deadline_ms = sysutil_now_ms() + (timeout_ms != 0 ? timeout_ms : HANDSHAKE_MS);
    const char *reason;
    int result;

    while ((result = tlschan_handshake(&r->control)) == 0) {
        struct pollfd fds[2] = {{.fd = r->control.net_fd, .events = r->control.net_events},
                                {.fd = r->relay_fd, .events = 0}};

        if (sysutil_poll(fds, ARRAY_LEN(fds), deadline_ms) <= 0) {
            tlsproto_set_text(&m, "the client did not finish the TLS handshake in time");
            tell(r, &m);
            return false;
        }
        if (fds[1].revents != 0) {
            return false;
        }
    }
    if (result == 1) {
        tell_up(r, r->control.ssl);
        return true;
    }
    reason = ERR_reason_error_string(ERR_peek_last_error());
    tlsproto_set_text(&m, reason != NULL ? reason : "the connection was closed");
    tell(r, &m);
    return false;
}

static bool set_up(struct relay *r)
{
    const int on = 1;
    struct tlsproto_message m;
    int64_t deadline_ms = sysutil_now_ms() + SETUP_MS;
    int none = -1;

    if (!expect(r, TLSPROTO_NET, deadline_ms, &r->control.net_fd, &m) ||
        !expect(r, TLSPROTO_PLAIN, deadline_ms, &r->control.plain_fd, &m) ||
        !expect(r, TLSPROTO_GO, deadline_ms, &none, &m)) {
        return false;
    }
    set_nonblocking(r->control.net_fd);
    /* replies are whole; a failure costs time only */
    (void)setsockopt(r->control.net_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (!tlschan_open(&r->control, r->ctx, r->control.net_fd)) {
        return false;
    }
    tlsstore_begin(&r->store, r->ctx, r->control.ssl);
    return shake_control(r, m.timeout_ms);
}

/* The control channel is closing: its client gets a moment to close, too. True when that is over. */
static bool has_lingered(struct relay *r)
{
    if (!r->control.out_closed) {
        return false;
    }
    if (r->linger_ms == 0) {
        r->linger_ms = sysutil_now_ms() + LINGER_MS;
    }
    return sysutil_now_ms() >= r->linger_ms;
}

void tlssession_run(SSL_CTX *ctx, bool require_reuse, bool kernel_tls, int relay_fd)
{
    struct relay relay = {
        .ctx = ctx, .require_reuse = require_reuse, .kernel_tls = kernel_tls, .relay_fd = relay_fd};
    struct relay *r = &relay;

    r->rest_fd = -1;
    r->control.net_fd = r->control.plain_fd = r->control.file_fd = -1;
    r->control.in = (struct tlschan_buffer){.bytes = space.control_in, .size = TLSCHAN_RECORD};
    r->control.out = (struct tlschan_buffer){.bytes = space.control_out, .size = TLSCHAN_RECORD};
    r->data.net_fd = r->data.plain_fd = r->data.file_fd = -1;
    r->ended = !set_up(r);
    while (!r->ended) {
        bool busy = tlschan_pump(&r->control);

        if (tlschan_is_done(&r->control) || has_lingered(r)) {
            break;
        }
        busy |= step_data(r);
        wait_for_work(r, busy);
    }
    sysutil_close(&r->rest_fd);
    tlschan_close(&r->data);
    tlschan_close(&r->control);
    tlsstore_end(&r->store);
}
