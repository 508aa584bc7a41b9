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
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctrlio.h"
#include "sysutil.h"

#define SEND_CHUNK_MAX  0x7ffff000    /* what one sendfile(2) can do */
#define CORK_FROM       (1024 * 1024) /* files from this size on gain by TCP_CORK */
#define EOF_PATIENCE_MS 5000          /* once the client has closed the control connection */
#define RECV_BUFFER     (64 * 1024)   /* small uploads, and files that splice(2) refuses */
#define PIPE_SIZE       (1024 * 1024) /* the most an ordinary user may ask for */

void xfer_init(struct xfer *x, int data_fd, int file_fd, int64_t timeout_ms)
{
    memset(x, 0, sizeof(*x));
    x->data_fd = data_fd;
    x->file_fd = file_fd;
    x->timeout_ms = timeout_ms;
    x->started_ms = x->progress_ms = sysutil_now_ms();
    x->pipe_fds[0] = x->pipe_fds[1] = -1;
}

static void moved(struct xfer *x, size_t bytes)
{
    x->bytes += bytes;
    x->progress_ms = sysutil_now_ms();
}

/* Wait until the data connection can go on. XFER_DONE: it can. */
static enum xfer_result wait_for_data(struct xfer *x, struct ctrlio *io, short events)
{
    for (;;) {
        /* half closed, what was asked for is still delivered; but a client that is gone looks the same */
        int64_t patience_ms =
            io->input_ended && x->timeout_ms > EOF_PATIENCE_MS ? EOF_PATIENCE_MS : x->timeout_ms;

        switch (ctrlio_wait(io, x->data_fd, events, x->progress_ms + patience_ms)) {
        case CTRL_WAIT_READY:
            return XFER_DONE;
        case CTRL_WAIT_TIMEOUT:
            return XFER_TIMEOUT;
        case CTRL_WAIT_INPUT:
            return XFER_INPUT;
        case CTRL_WAIT_EOF:
            break;
        case CTRL_WAIT_GONE:
            return XFER_CTRL_GONE;
        case CTRL_WAIT_PARENT_GONE:
            return XFER_PARENT_GONE;
        }
    }
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

/* Errors of sendfile(2) that speak of the file and not of the connection. */
static bool is_file_error(int error)
{
    return error == EIO || error == EINVAL || error == ENOMEM || error == EOVERFLOW ||
           error == EISDIR || error == EACCES || error == ESTALE || error == EBADMSG ||
           error == EUCLEAN;
}

enum xfer_result xfer_send_file(struct xfer *x, struct ctrlio *io)
{
    const int on = 1;

    if (!x->corked && x->size - x->offset >= CORK_FROM) {
        /* fewer, fuller packets; closing the socket sends the rest. Only speed depends on it. */
        (void)setsockopt(x->data_fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
        x->corked = true;
    }
    while (x->offset < x->size) {
        off_t left = x->size - x->offset;
        size_t chunk = left > SEND_CHUNK_MAX ? SEND_CHUNK_MAX : (size_t)left;
        ssize_t n = sendfile(x->data_fd, x->file_fd, &x->offset, chunk);
        enum xfer_result waited;

        if (n > 0) {
            moved(x, (size_t)n);
        } else if (n == 0) {
            return fail(x, XFER_FILE, EIO); /* the file got shorter; 226 would be a lie */
        } else if (errno != EINTR && !would_block(errno)) {
            return fail(x, is_file_error(errno) ? XFER_FILE : XFER_NETWORK, errno);
        }
        if (x->offset < x->size && (waited = wait_for_data(x, io, POLLOUT)) != XFER_DONE) {
            return waited;
        }
    }
    return XFER_DONE;
}

/* Through our own memory: the first bytes of every upload, and files that splice(2) refuses. */
static enum xfer_result copy_some(struct xfer *x, bool *ended)
{
    char buffer[RECV_BUFFER];
    ssize_t n = recv(x->data_fd, buffer, sizeof(buffer), 0);

    if (n == 0) {
        *ended = true;
        return XFER_DONE;
    }
    if (n == -1) {
        return would_block(errno) || errno == EINTR ? XFER_DONE : fail(x, XFER_NETWORK, errno);
    }
    if (sysutil_writen(x->file_fd, buffer, (size_t)n) == -1) {
        return fail(x, XFER_FILE, errno);
    }
    moved(x, (size_t)n);
    return XFER_DONE;
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
    ssize_t n = splice(x->data_fd, NULL, x->pipe_fds[1], NULL, PIPE_SIZE,
                       SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE);

    if (n == 0) {
        *ended = true;
        return XFER_DONE;
    }
    if (n == -1) {
        return would_block(errno) || errno == EINTR ? XFER_DONE : fail(x, XFER_NETWORK, errno);
    }
    x->in_pipe = (size_t)n;
    return empty_pipe(x);
}

enum xfer_result xfer_recv_file(struct xfer *x, struct ctrlio *io)
{
    bool ended = false;

    for (;;) {
        /* small files are not worth a pipe */
        bool by_splice = x->bytes >= RECV_BUFFER / 2 && make_pipe(x);
        enum xfer_result result = by_splice ? splice_some(x, &ended) : copy_some(x, &ended);

        if (result != XFER_DONE || ended) {
            return result;
        }
        result = wait_for_data(x, io, POLLIN);
        if (result != XFER_DONE) {
            return result;
        }
    }
}

enum xfer_result xfer_send_text(struct xfer *x, struct ctrlio *io, const char *data, size_t len,
                                size_t *sent)
{
    while (*sent < len) {
        ssize_t n = send(x->data_fd, data + *sent, len - *sent, MSG_NOSIGNAL);
        enum xfer_result waited;

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

void xfer_close(struct xfer *x, bool complete)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};

    if (x->data_fd != -1 && !complete) {
        (void)setsockopt(x->data_fd, SOL_SOCKET, SO_LINGER, &reset,
                         sizeof(reset)); /* best effort */
    }
    sysutil_close(&x->data_fd);
    close_pipe(x);
}

uint32_t xfer_duration_ms(const struct xfer *x)
{
    int64_t ms = sysutil_now_ms() - x->started_ms;

    return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}
