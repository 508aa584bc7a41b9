/*
 * xfer.c - the transfer loop
 *
 * Process: S.
 * Trusts:  nothing about the data.
 * Touches: the data connection and one open file.
 */
#include "xfer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec.h"
#include "ctrlio.h"
#include "rate.h"
#include "sysutil.h"
#include "tlslink.h"
#include "tlsproto.h"

#define SEND_CHUNK_MAX  0x7ffff000    /* what one sendfile(2) can do */
#define CORK_FROM       (1024 * 1024) /* files from this size on gain by TCP_CORK */
#define EOF_PATIENCE_MS 5000          /* once the client has closed the control connection */
#define RECV_BUFFER     (64 * 1024)   /* small uploads, and files that splice(2) refuses */
#define SMALL_UPLOAD    (RECV_BUFFER / 2)
#define PIPE_SIZE       (1024 * 1024) /* the most an ordinary user may ask for */
#define RAW_SIZE        (128 * 1024)  /* what a codec is given at once */
#define COOKED_SIZE     (256 * 1024)  /* line ends at most double it */
#define RELAY_GRACE_MS  15000         /* the relay has a deadline of its own, which comes first */

void xfer_init(struct xfer *x, int data_fd, int file_fd, int64_t timeout_ms)
{
    memset(x, 0, sizeof(*x));
    x->data_fd = data_fd;
    x->file_fd = file_fd;
    x->timeout_ms = timeout_ms;
    x->started_ms = x->progress_ms = sysutil_now_ms();
    x->room = XFER_NO_LIMIT;
    x->pipe_fds[0] = x->pipe_fds[1] = -1;
    x->tls.relay_fd = -1;
}

void xfer_protect(struct xfer *x, int relay_fd, bool upload)
{
    x->tls.relay_fd = relay_fd;
    x->tls.upload = upload;
}

bool xfer_convert(struct xfer *x, struct codec *codec)
{
    x->codec = codec;
    x->raw = malloc(RAW_SIZE);
    x->cooked = malloc(COOKED_SIZE);
    return codec != NULL && x->raw != NULL && x->cooked != NULL;
}

/* There is progress: so many bytes by now. */
static void note_progress(struct xfer *x, uint64_t bytes)
{
    x->bytes = bytes;
    if (x->shown != NULL) {
        atomic_store_explicit(x->shown, x->bytes, memory_order_relaxed);
    }
    x->progress_ms = sysutil_now_ms();
}

static void moved(struct xfer *x, size_t bytes)
{
    note_progress(x, x->bytes + bytes);
    if (x->rate != NULL) {
        rate_spend(x->rate, bytes, x->progress_ms);
    }
}

/* How much one system call may read or write. */
static size_t bounded(const struct xfer *x, size_t most)
{
    return x->chunk_max > 0 && x->chunk_max < most ? x->chunk_max : most;
}

/* How much one system call may put on the network or take from it. */
static size_t portion(const struct xfer *x, size_t most)
{
    return x->rate != NULL ? rate_portion(x->rate, bounded(x, most)) : bounded(x, most);
}

/* The same for an upload; without room one byte tells whether there is more. */
static size_t portion_in(const struct xfer *x, size_t most)
{
    size_t bytes = portion(x, most);

    return x->room >= bytes ? bytes : x->room > 0 ? (size_t)x->room : 1;
}

/* How much the codec may make at once. */
static size_t cooked_max(const struct xfer *x)
{
    return bounded(x, COOKED_SIZE);
}

/* What ended a wait; CTRL_WAIT_EOF does not. */
static enum xfer_result result_of(enum ctrl_wait wait)
{
    switch (wait) {
    case CTRL_WAIT_READY:
        return XFER_DONE;
    case CTRL_WAIT_TIMEOUT:
        return XFER_TIMEOUT;
    case CTRL_WAIT_INPUT:
        return XFER_INPUT;
    case CTRL_WAIT_GONE:
        return XFER_CTRL_GONE;
    case CTRL_WAIT_PARENT_GONE:
        return XFER_PARENT_GONE;
    case CTRL_WAIT_EOF:
        break;
    }
    bug("a wait that is not over");
}

/* Wait for fd while there is progress, and grace_ms more. XFER_DONE: it is ready. */
static enum xfer_result wait_for(struct xfer *x, struct ctrlio *io, int fd, short events,
                                 int64_t grace_ms)
{
    enum ctrl_wait wait;

    do {
        /* half closed, what was asked for is still delivered; but a client that is gone looks the same */
        int64_t patience_ms = io->input_ended && x->timeout_ms > EOF_PATIENCE_MS
                                  ? EOF_PATIENCE_MS
                                  : x->timeout_ms + grace_ms;

        wait = ctrlio_wait(io, fd, events, x->progress_ms + patience_ms);
    } while (wait == CTRL_WAIT_EOF); /* it is told once */
    return result_of(wait);
}

/* Wait until the data connection can go on. XFER_DONE: it can. */
static enum xfer_result wait_for_data(struct xfer *x, struct ctrlio *io, short events)
{
    return wait_for(x, io, x->data_fd, events, 0);
}

/* Let the time pass that the rate asks for before the next portion. XFER_DONE: it has passed. */
static enum xfer_result keep_rate(struct xfer *x, struct ctrlio *io)
{
    int64_t until_ms = x->rate != NULL ? rate_pause(x->rate, sysutil_now_ms()) : 0;
    enum ctrl_wait wait;

    if (until_ms == 0) {
        return XFER_DONE;
    }
    do {
        wait = ctrlio_wait(io, -1, 0, until_ms);
    } while (wait == CTRL_WAIT_EOF);
    return wait == CTRL_WAIT_TIMEOUT ? XFER_DONE : result_of(wait);
}

static bool would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

static enum xfer_result fail(struct xfer *x, enum xfer_result result, int error)
{
    x->error = error;
    return result;
}

/* ---- TLS ---- */

/* What the end of the relay's work means for the transfer. */
static enum xfer_result result_of_relay(struct xfer *x, const struct tlslink_news *news)
{
    x->tls.ended = true;
    x->error = news->error;
    switch ((enum tlsproto_end)news->result) {
    case TLSPROTO_CLEAN:
        return !x->tls.upload && x->tls.strict_out && !news->answered ? XFER_TRUNCATED : XFER_DONE;
    case TLSPROTO_TRUNCATED:
        return x->tls.strict_in ? XFER_TRUNCATED : XFER_DONE;
    case TLSPROTO_REFUSED:
        return XFER_NOT_RESUMED;
    case TLSPROTO_HANDSHAKE:
        return XFER_TLS;
    case TLSPROTO_FILE_ERROR:
        return x->tls.upload && news->error == EFBIG && news->bytes >= x->room ? XFER_TOO_LARGE
                                                                               : XFER_FILE;
    case TLSPROTO_TIMEOUT:
        return XFER_TIMEOUT;
    case TLSPROTO_NET_ERROR:
    case TLSPROTO_ABORTED:
        break;
    }
    return XFER_NETWORK;
}

static void note_facts(struct xfer *x, const struct tlslink_news *news)
{
    memcpy(x->tls.facts, news->text, sizeof(x->tls.facts));
}

/* Give the data connection to the relay, and what it is to do with it. */
static enum xfer_result begin_tls(struct xfer *x)
{
    struct tlslink_order order = {
        .data_fd = x->data_fd,
        .file_fd = x->codec == NULL ? x->file_fd : -1,
        .upload = x->tls.upload,
        .strict_end = x->tls.strict_out,
        .tells = x->tls.wants_facts,
        .timeout_ms = (uint32_t)x->timeout_ms,
        .rate = x->rate != NULL ? x->rate->bytes_per_sec : 0,
    };
    int plain_fd;
    bool good;

    x->tls.of_file = order.file_fd != -1;
    if (x->tls.upload && x->tls.of_file) {
        off_t at = lseek(x->file_fd, 0, SEEK_CUR); /* a regular file: cannot fail */

        order.offset = at > 0 ? (uint64_t)at : 0;
        order.limit = x->room < INT64_MAX - order.offset ? x->room : UINT64_MAX;
    } else {
        order.offset = (uint64_t)x->offset;
        order.limit = x->size > x->offset ? (uint64_t)(x->size - x->offset) : 0;
    }
    good = tlslink_begin(x->tls.relay_fd, &order, &plain_fd);
    sysutil_close(&x->data_fd);
    x->data_fd = plain_fd;
    x->tls.begun = true;
    return good ? XFER_DONE : fail(x, XFER_NETWORK, errno);
}

/* Wait for the relay to end. */
static enum xfer_result await_relay(struct xfer *x, struct ctrlio *io)
{
    for (;;) {
        struct tlslink_news news;
        enum xfer_result waited;

        switch (tlslink_take(x->tls.relay_fd, &news)) {
        case TLSLINK_UP:
            x->tls.up = true;
            x->tls.resumed = news.resumed;
            note_facts(x, &news);
            break;
        case TLSLINK_PROGRESS:
            if (x->tls.of_file) {
                note_progress(x, news.bytes);
            }
            break;
        case TLSLINK_END:
            if (x->tls.of_file) {
                note_progress(x, news.bytes);
            }
            if (!x->tls.up) {
                note_facts(x, &news);
            }
            return result_of_relay(x, &news);
        case TLSLINK_GONE:
            x->tls.ended = true;
            return XFER_CTRL_GONE;
        case TLSLINK_NOTHING:
            waited = wait_for(x, io, x->tls.relay_fd, POLLIN, RELAY_GRACE_MS);
            if (waited != XFER_DONE) {
                return waited;
            }
            break;
        }
    }
}

/* A whole file, by the relay. */
static enum xfer_result relay_file(struct xfer *x, struct ctrlio *io)
{
    enum xfer_result result = x->tls.begun ? XFER_DONE : begin_tls(x);

    return result == XFER_DONE ? await_relay(x, io) : result;
}

/* Does the relay read or write the file itself? */
static bool is_relayed(const struct xfer *x)
{
    return x->tls.relay_fd != -1 && x->codec == NULL && x->file_fd != -1;
}

/* Before bytes go through the stream. */
static enum xfer_result ready_stream(struct xfer *x)
{
    return x->tls.relay_fd != -1 && !x->tls.begun ? begin_tls(x) : XFER_DONE;
}

/*
 * Our side of the stream is at its end, well or not: the relay knows how it went. A fault of our own
 * stays what it is. To be called again after XFER_INPUT, with whatever.
 */
static enum xfer_result finish_stream(struct xfer *x, struct ctrlio *io, enum xfer_result result)
{
    enum xfer_result end;

    if (!x->tls.begun || x->tls.ended) {
        return result;
    }
    if (!x->tls.drained) {
        if (result != XFER_DONE && result != XFER_NETWORK && result != XFER_CUT) {
            return result;
        }
        x->tls.drained = true;
        x->tls.drained_with = (int)result;
        if (!x->tls.upload) {
            (void)shutdown(x->data_fd, SHUT_WR); /* the relay may have closed its side */
        }
    }
    end = await_relay(x, io);
    return end == XFER_DONE ? (enum xfer_result)x->tls.drained_with : end;
}

/* ---- files and text out ---- */

/* Errors of sendfile(2) that speak of the file and not of the connection. */
static bool is_file_error(int error)
{
    return error == EIO || error == ENOMEM || error == EOVERFLOW || error == EISDIR ||
           error == EACCES || error == ESTALE || error == EBADMSG || error == EUCLEAN;
}

/* Fewer, fuller packets for a large file; closing the socket sends the rest. Only speed depends on it. */
static void cork(struct xfer *x)
{
    const int on = 1;

    /* a slow one is better sent as it comes */
    if (!x->corked && x->rate == NULL && x->size - x->offset >= CORK_FROM) {
        (void)setsockopt(x->data_fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
        x->corked = true;
    }
}

static enum xfer_result send_plain(struct xfer *x, struct ctrlio *io)
{
    cork(x);
    while (x->offset < x->size) {
        off_t left = x->size - x->offset;
        size_t chunk = portion(x, left > SEND_CHUNK_MAX ? SEND_CHUNK_MAX : (size_t)left);
        enum xfer_result waited = keep_rate(x, io);
        ssize_t n;

        if (waited != XFER_DONE) {
            return waited;
        }
        n = sendfile(x->data_fd, x->file_fd, &x->offset, chunk);
        if (n > 0) {
            moved(x, (size_t)n);
        } else if (n == 0) {
            return fail(x, XFER_FILE, EIO); /* the file got shorter; 226 would be a lie */
        } else if (errno == EINVAL || errno == ENOSYS) {
            x->no_sendfile = true; /* the file system cannot */
            return XFER_DONE;
        } else if (errno != EINTR && !would_block(errno)) {
            return fail(x, is_file_error(errno) ? XFER_FILE : XFER_NETWORK, errno);
        }
        if (x->offset < x->size && (waited = wait_for_data(x, io, POLLOUT)) != XFER_DONE) {
            return waited;
        }
    }
    return XFER_DONE;
}

/* Send data[*sent..len). */
static enum xfer_result send_all(struct xfer *x, struct ctrlio *io, const char *data, size_t len,
                                 size_t *sent)
{
    while (*sent < len) {
        enum xfer_result waited = keep_rate(x, io);
        ssize_t n;

        if (waited != XFER_DONE) {
            return waited;
        }
        n = send(x->data_fd, data + *sent, portion(x, len - *sent), MSG_NOSIGNAL);
        if (n > 0) {
            *sent += (size_t)n;
            moved(x, (size_t)n);
        } else if (n == -1 && errno != EINTR && !would_block(errno)) {
            return fail(x, XFER_NETWORK, errno);
        }
        if (*sent < len && (waited = wait_for_data(x, io, POLLOUT)) != XFER_DONE) {
            return waited;
        }
    }
    return XFER_DONE;
}

/* Let the codec work on raw bytes; its output is empty when this is called. */
static enum xfer_result cook(struct xfer *x)
{
    size_t used = 0;
    enum codec_result result =
        codec_run(x->codec, x->raw + x->raw_at, x->raw_len - x->raw_at, &used, x->cooked,
                  cooked_max(x), &x->cooked_len, x->raw_ended);

    x->raw_at += used;
    x->cooked_at = 0;
    switch (result) {
    case CODEC_MORE:
    case CODEC_FULL:
        return XFER_DONE;
    case CODEC_END:
        x->cooked_ended = true;
        return XFER_DONE;
    case CODEC_BAD:
        return XFER_BAD_DATA;
    case CODEC_CUT:
        return XFER_CUT;
    }
    bug("unknown codec result");
}

/* More of the file, when all there was has been taken. */
static enum xfer_result read_raw(struct xfer *x)
{
    off_t left = x->size - x->offset;
    size_t chunk = bounded(x, left < RAW_SIZE ? (size_t)left : RAW_SIZE);
    ssize_t n = 0;

    if (x->raw_at < x->raw_len || x->raw_ended) {
        return XFER_DONE;
    }
    if (left > 0) {
        do {
            n = pread(x->file_fd, x->raw, chunk, x->offset);
        } while (n == -1 && errno == EINTR);
        if (n <= 0) {
            return fail(x, XFER_FILE, n == 0 ? EIO : errno); /* the file got shorter */
        }
    }
    x->raw_at = 0;
    x->raw_len = (size_t)n;
    x->offset += n;
    x->raw_ended = x->offset >= x->size;
    return XFER_DONE;
}

static enum xfer_result send_converted(struct xfer *x, struct ctrlio *io)
{
    for (;;) {
        enum xfer_result result = send_all(x, io, x->cooked, x->cooked_len, &x->cooked_at);

        if (result != XFER_DONE || x->cooked_ended) {
            return result;
        }
        if (x->bytes > 0 && (result = wait_for_data(x, io, POLLOUT)) != XFER_DONE) {
            return result; /* a client may have something to say even if it reads fast */
        }
        if ((result = read_raw(x)) != XFER_DONE || (result = cook(x)) != XFER_DONE) {
            return result;
        }
    }
}

/* Through our own memory, without converting. */
static enum xfer_result send_copied(struct xfer *x, struct ctrlio *io)
{
    if (x->raw == NULL && (x->raw = malloc(RAW_SIZE)) == NULL) {
        return fail(x, XFER_FILE, ENOMEM);
    }
    for (;;) {
        enum xfer_result result = send_all(x, io, x->raw, x->raw_len, &x->raw_at);

        if (result != XFER_DONE || x->raw_ended) {
            return result;
        }
        if (x->bytes > 0 && (result = wait_for_data(x, io, POLLOUT)) != XFER_DONE) {
            return result; /* as in send_converted */
        }
        if ((result = read_raw(x)) != XFER_DONE) {
            return result;
        }
    }
}

enum xfer_result xfer_send_file(struct xfer *x, struct ctrlio *io)
{
    enum xfer_result result = XFER_DONE;

    if (is_relayed(x)) {
        return relay_file(x, io);
    }
    if (x->codec != NULL) {
        result = ready_stream(x);
        if (result == XFER_DONE && !x->tls.drained) {
            result = send_converted(x, io);
        }
        return finish_stream(x, io, result);
    }
    if (!x->no_sendfile) {
        result = send_plain(x, io);
    }
    return result == XFER_DONE && x->no_sendfile ? send_copied(x, io) : result;
}

/* To the file, as far as there is room. */
static enum xfer_result write_file(struct xfer *x, const char *data, size_t len)
{
    if (len > x->room) {
        return XFER_TOO_LARGE;
    }
    if (sysutil_writen(x->file_fd, data, len) == -1) {
        return fail(x, XFER_FILE, errno);
    }
    x->room -= x->room != XFER_NO_LIMIT ? len : 0;
    return XFER_DONE;
}

/* Through our own memory: the first bytes of every upload, and files that splice(2) refuses. */
static enum xfer_result copy_some(struct xfer *x, bool *ended)
{
    char buffer[RECV_BUFFER];
    ssize_t n = recv(x->data_fd, buffer, portion_in(x, sizeof(buffer)), 0);
    enum xfer_result result;

    if (n == 0) {
        *ended = true;
        return XFER_DONE;
    }
    if (n == -1) {
        return would_block(errno) || errno == EINTR ? XFER_DONE : fail(x, XFER_NETWORK, errno);
    }
    result = write_file(x, buffer, (size_t)n);
    if (result == XFER_DONE) {
        moved(x, (size_t)n);
    }
    return result;
}

/* The pipe between socket and file, at the second round of an upload. */
static bool make_pipe(struct xfer *x)
{
    if (x->pipe_fds[0] != -1) {
        return true;
    }
    if (x->no_splice || pipe2(x->pipe_fds, O_CLOEXEC | O_NONBLOCK) == -1) {
        x->no_splice = true;
        x->pipe_fds[0] = x->pipe_fds[1] = -1;
        return false;
    }
    (void)fcntl(x->pipe_fds[1], F_SETPIPE_SZ, PIPE_SIZE); /* a smaller one works too, slower */
    return true;
}

static void close_pipe(struct xfer *x)
{
    sysutil_close(&x->pipe_fds[0]);
    sysutil_close(&x->pipe_fds[1]);
}

/* The bytes in the pipe, by read and write, after the file refused splice(2). */
static enum xfer_result rescue_pipe(struct xfer *x)
{
    char buffer[RECV_BUFFER];

    x->no_splice = true;
    while (x->in_pipe > 0) {
        ssize_t n = read(x->pipe_fds[0], buffer, sizeof(buffer));

        if (n <= 0) {
            return fail(x, XFER_FILE, n == 0 ? EIO : errno);
        }
        if (sysutil_writen(x->file_fd, buffer, (size_t)n) == -1) {
            return fail(x, XFER_FILE, errno);
        }
        x->in_pipe -= (size_t)n;
        moved(x, (size_t)n);
    }
    close_pipe(x);
    return XFER_DONE;
}

static enum xfer_result empty_pipe(struct xfer *x)
{
    while (x->in_pipe > 0) {
        ssize_t n = splice(x->pipe_fds[0], NULL, x->file_fd, NULL, x->in_pipe,
                           SPLICE_F_MOVE | SPLICE_F_MORE);

        if (n > 0) {
            x->in_pipe -= (size_t)n;
            moved(x, (size_t)n);
        } else if (n == -1 && errno == EINVAL) {
            return rescue_pipe(x); /* O_APPEND, or a file system without splice */
        } else if (n == 0 || errno != EINTR) {
            return fail(x, XFER_FILE, n == 0 ? EIO : errno);
        }
    }
    return XFER_DONE;
}

/* Socket to pipe to file: the data is copied once, by the kernel. */
static enum xfer_result splice_some(struct xfer *x, bool *ended)
{
    ssize_t n = splice(x->data_fd, NULL, x->pipe_fds[1], NULL, portion_in(x, PIPE_SIZE),
                       SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE);

    if (n == 0) {
        *ended = true;
        return XFER_DONE;
    }
    if (n == -1) {
        return would_block(errno) || errno == EINTR ? XFER_DONE : fail(x, XFER_NETWORK, errno);
    }
    if ((size_t)n > x->room) {
        return XFER_TOO_LARGE;
    }
    x->room -= x->room != XFER_NO_LIMIT ? (size_t)n : 0;
    x->in_pipe = (size_t)n;
    return empty_pipe(x);
}

/* Everything that the codec makes of the raw bytes into the file. */
static enum xfer_result write_cooked(struct xfer *x)
{
    do {
        enum xfer_result result = cook(x);
        enum xfer_result written = write_file(x, x->cooked, x->cooked_len);

        if (written != XFER_DONE || result != XFER_DONE) {
            return written != XFER_DONE ? written : result;
        }
    } while (x->raw_at < x->raw_len || x->cooked_len == cooked_max(x) ||
             (x->raw_ended && !x->cooked_ended));
    return XFER_DONE;
}

static enum xfer_result convert_some(struct xfer *x, bool *ended)
{
    ssize_t n = recv(x->data_fd, x->raw, portion(x, RAW_SIZE), 0);

    if (n == -1) {
        return would_block(errno) || errno == EINTR ? XFER_DONE : fail(x, XFER_NETWORK, errno);
    }
    x->raw_at = 0;
    x->raw_len = (size_t)n;
    *ended = x->raw_ended = n == 0;
    moved(x, (size_t)n);
    return write_cooked(x);
}

/* Some bytes from the client, in the way that fits best. */
static enum xfer_result receive_some(struct xfer *x, bool *ended)
{
    if (x->codec != NULL) {
        return convert_some(x, ended);
    }
    /* small files are not worth a pipe */
    return x->bytes >= SMALL_UPLOAD && make_pipe(x) ? splice_some(x, ended) : copy_some(x, ended);
}

static enum xfer_result receive_all(struct xfer *x, struct ctrlio *io)
{
    bool ended = false;

    for (;;) {
        enum xfer_result result = keep_rate(x, io);
        uint64_t before = x->bytes;

        if (result != XFER_DONE) {
            return result;
        }
        result = receive_some(x, &ended);
        if (result != XFER_DONE || ended) {
            return result;
        }
        if (x->bytes > before && x->bytes < SMALL_UPLOAD) {
            continue; /* it is here as a whole, its end too: nothing to wait for */
        }
        result = wait_for_data(x, io, POLLIN);
        if (result != XFER_DONE) {
            return result;
        }
    }
}

enum xfer_result xfer_recv_file(struct xfer *x, struct ctrlio *io)
{
    enum xfer_result result;

    if (is_relayed(x)) {
        return relay_file(x, io);
    }
    result = ready_stream(x);
    if (result == XFER_DONE && !x->tls.drained) {
        result = receive_all(x, io);
    }
    return finish_stream(x, io, result);
}

/* Text through the codec: from data into the raw buffer, cooked, and sent. */
static enum xfer_result send_cooked_text(struct xfer *x, struct ctrlio *io, const char *data,
                                         size_t len, size_t *sent)
{
    for (;;) {
        enum xfer_result result = send_all(x, io, x->cooked, x->cooked_len, &x->cooked_at);

        if (result != XFER_DONE) {
            return result;
        }
        if (x->raw_at == x->raw_len && !x->raw_ended) {
            size_t part = len - *sent < RAW_SIZE ? len - *sent : RAW_SIZE;

            if (part == 0) {
                x->cooked_len = x->cooked_at = 0;
                return XFER_DONE;
            }
            memcpy(x->raw, data + *sent, part);
            x->raw_at = 0;
            x->raw_len = part;
            *sent += part;
        }
        if (x->cooked_ended) {
            return XFER_DONE;
        }
        result = cook(x);
        if (result != XFER_DONE) {
            return result;
        }
    }
}

enum xfer_result xfer_send_text(struct xfer *x, struct ctrlio *io, const char *data, size_t len,
                                size_t *sent)
{
    enum xfer_result result = ready_stream(x);

    if (result != XFER_DONE) {
        return result;
    }
    if (*sent == 0 && x->bytes > 0 && (result = wait_for_data(x, io, POLLOUT)) != XFER_DONE) {
        return result; /* the client may have something to say before the next part */
    }
    result = x->codec != NULL ? send_cooked_text(x, io, data, len, sent)
                              : send_all(x, io, data, len, sent);
    return result == XFER_NETWORK ? finish_stream(x, io, result) : result;
}

enum xfer_result xfer_end_text(struct xfer *x, struct ctrlio *io)
{
    enum xfer_result result = ready_stream(x); /* of an empty text */
    size_t sent = 0;

    if (result == XFER_DONE && x->codec != NULL && !x->tls.drained) {
        x->raw_ended = true;
        result = send_cooked_text(x, io, "", 0, &sent);
    }
    return finish_stream(x, io, result);
}

void xfer_close(struct xfer *x, bool complete)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};

    if (x->tls.begun && !x->tls.ended) {
        (void)tlslink_abort(x->tls.relay_fd, !complete); /* without an answer it has ended itself */
    }
    if (x->data_fd != -1 && !complete && !x->tls.begun) {
        (void)setsockopt(x->data_fd, SOL_SOCKET, SO_LINGER, &reset,
                         sizeof(reset)); /* best effort */
    }
    sysutil_close(&x->data_fd);
    close_pipe(x);
    codec_free(x->codec);
    free(x->raw);
    free(x->cooked);
    x->codec = NULL;
    x->raw = x->cooked = NULL;
}

uint32_t xfer_duration_ms(const struct xfer *x)
{
    int64_t ms = sysutil_now_ms() - x->started_ms;

    return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}
