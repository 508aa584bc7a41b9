/*
 * datachan.c - where the next data connection comes from
 *
 * Process: S.
 * Trusts:  descriptors from the session parent.
 * Touches: the listening and the connecting socket.
 */
#include "datachan.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "ctrlio.h"
#include "log.h"
#include "privsock.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"

#define RETRY_PAUSE_MS      50   /* between two tries for a busy port 20 */
#define RETRY_FOR_MS        1000 /* and how long to try */
#define EOF_GRACE_MS        1000 /* a client that has closed its side may still be connecting */
#define STRANGERS_PER_DRAIN 64   /* before the control connection is looked at again */

void datachan_init(struct datachan *dc, const struct tunables *tun, int priv_fd,
                   const struct netaddr *peer)
{
    memset(dc, 0, sizeof(*dc));
    dc->tun = tun;
    dc->priv_fd = priv_fd;
    dc->peer = *peer;
    dc->listen_fd = -1;
    dc->connecting_fd = -1;
}

void datachan_free(struct datachan *dc)
{
    sysutil_close(&dc->listen_fd);
    sysutil_close(&dc->connecting_fd);
}

/* Close what came to the kept listener unasked. A flood is cut short: more is closed at accept. */
static void drain(struct datachan *dc)
{
    for (int i = 0; i < STRANGERS_PER_DRAIN; i++) {
        int fd = sysutil_accept(dc->listen_fd, SOCK_NONBLOCK);

        if (fd == -1) {
            break;
        }
        sysutil_close(&fd);
    }
}

enum datachan_result datachan_passive(struct datachan *dc, uint16_t *port_out)
{
    datachan_reset(dc);
    if (dc->listen_fd != -1) {
        drain(dc);
    } else {
        switch (privsock_pasv_listen(dc->priv_fd, &dc->listen_fd, &dc->listen_port)) {
        case PRIVSOCK_OK:
            break;
        case PRIVSOCK_FAILED:
        case PRIVSOCK_FAILED_LAST:
            return DATACHAN_FAILED;
        case PRIVSOCK_GONE:
            return DATACHAN_PARENT_GONE;
        }
    }
    dc->mode = DATACHAN_PASSIVE;
    dc->stranger_logged = false;
    *port_out = dc->listen_port;
    return DATACHAN_OPEN;
}

void datachan_active(struct datachan *dc, const struct netaddr *target)
{
    datachan_reset(dc);
    dc->mode = DATACHAN_ACTIVE;
    dc->target = *target;
}

void datachan_reset(struct datachan *dc)
{
    dc->mode = DATACHAN_NONE;
    dc->deadline_ms = 0;
    dc->retry_ms = 0;
    sysutil_close(&dc->connecting_fd);
}

/* One opening is over, well or not; errno is kept. */
static enum datachan_result finish(struct datachan *dc, enum datachan_result result)
{
    int saved_errno = errno;

    datachan_reset(dc);
    errno = saved_errno;
    return result;
}

static void log_stranger(struct datachan *dc, const struct netaddr *from)
{
    char text[NETADDR_TEXT_MAX];
    struct str line = STR_INIT(256);
    struct log_record record = {.event = LOG_EVENT_WARNING};

    if (dc->stranger_logged) {
        return;
    }
    dc->stranger_logged = true;
    netaddr_text(from, text);
    str_append_format(&line, "a stranger, %s, connected to the data port %u and was turned away",
                      text, (unsigned)dc->listen_port);
    record.text = str_text(&line);
    record.text_len = line.len;
    (void)privsock_log(dc->priv_fd,
                       &record); /* a parent that is gone is noticed by the next wait */
    str_free(&line);
}

/* SECURITY: only the client itself; anybody can connect to a port. */
static bool is_from_peer(struct datachan *dc, int fd)
{
    union netaddr_sockaddr sa;
    socklen_t len = sizeof(sa);
    struct netaddr from;

    if (getpeername(fd, &sa.sa, &len) == -1 || !netaddr_from_sockaddr(&from, &sa)) {
        return false; /* it has gone again */
    }
    if (!netaddr_same_host(&from, &dc->peer)) {
        log_stranger(dc, &from);
        return false;
    }
    return true;
}

/* The client's connection out of the queue, past any strangers. */
static enum datachan_result try_accept(struct datachan *dc, int *fd_out)
{
    for (int i = 0; i < STRANGERS_PER_DRAIN; i++) {
        int fd = sysutil_accept(dc->listen_fd, SOCK_NONBLOCK);

        if (fd == -1) {
            return errno == EAGAIN || errno == EWOULDBLOCK ? DATACHAN_PENDING : DATACHAN_FAILED;
        }
        if (is_from_peer(dc, fd)) {
            *fd_out = fd;
            return DATACHAN_OPEN;
        }
        sysutil_close(&fd);
    }
    return DATACHAN_PENDING; /* so many strangers: look at the control connection in between */
}

/* Port 20 may be busy with an older connection for a moment. */
static bool is_worth_a_retry(int error)
{
    return error == EADDRINUSE || error == EADDRNOTAVAIL;
}

/* Ask the parent for a connecting socket. */
static enum datachan_result start_connect(struct datachan *dc)
{
    int64_t now_ms = sysutil_now_ms();

    dc->retry_ms = 0;
    switch (privsock_data_sock(dc->priv_fd, &dc->target, &dc->connecting_fd)) {
    case PRIVSOCK_OK:
        return DATACHAN_PENDING;
    case PRIVSOCK_GONE:
        return DATACHAN_PARENT_GONE;
    case PRIVSOCK_FAILED:
    case PRIVSOCK_FAILED_LAST:
        break;
    }
    if (is_worth_a_retry(errno) &&
        now_ms + (int64_t)dc->tun->connect_timeout * 1000 < dc->deadline_ms + RETRY_FOR_MS) {
        dc->retry_ms = now_ms + RETRY_PAUSE_MS;
        return DATACHAN_PENDING;
    }
    return DATACHAN_FAILED;
}

/* The connecting socket has become writable: connected or refused. */
static enum datachan_result take_connected(struct datachan *dc, int *fd_out)
{
    int error = sysutil_socket_error(dc->connecting_fd);

    if (error != 0) {
        errno = error;
        return DATACHAN_FAILED;
    }
    *fd_out = dc->connecting_fd;
    dc->connecting_fd = -1;
    return DATACHAN_OPEN;
}

/* Is the connection already there, or refused? poll(2) with no time. */
static enum datachan_result try_connected(struct datachan *dc, int *fd_out)
{
    struct pollfd pfd = {.fd = dc->connecting_fd, .events = POLLOUT};

    if (dc->connecting_fd == -1 || sysutil_poll(&pfd, 1, sysutil_now_ms()) <= 0) {
        return DATACHAN_PENDING;
    }
    return take_connected(dc, fd_out);
}

enum datachan_result datachan_try(struct datachan *dc, int *fd_out)
{
    enum datachan_result result;

    *fd_out = -1;
    if (dc->mode == DATACHAN_PASSIVE) {
        dc->deadline_ms = sysutil_now_ms() + (int64_t)dc->tun->accept_timeout * 1000;
        result = try_accept(dc, fd_out);
    } else {
        dc->deadline_ms = sysutil_now_ms() + (int64_t)dc->tun->connect_timeout * 1000;
        result = start_connect(dc);
        if (result == DATACHAN_PENDING) {
            result = try_connected(dc, fd_out);
        }
    }
    return result == DATACHAN_PENDING ? result : finish(dc, result);
}

/* Something happened, or the time for another try has come: go one step on. */
static enum datachan_result step(struct datachan *dc, int *fd_out)
{
    if (dc->mode == DATACHAN_PASSIVE) {
        return try_accept(dc, fd_out);
    }
    return dc->connecting_fd == -1 ? start_connect(dc) : try_connected(dc, fd_out);
}

enum datachan_result datachan_open(struct datachan *dc, struct ctrlio *io, int *fd_out)
{
    enum datachan_result result = DATACHAN_PENDING;

    *fd_out = -1;
    while (result == DATACHAN_PENDING) {
        bool passive = dc->mode == DATACHAN_PASSIVE;
        int fd = passive ? dc->listen_fd : dc->connecting_fd;
        int64_t until_ms = dc->retry_ms != 0 ? dc->retry_ms : dc->deadline_ms;

        if (io->input_ended && dc->deadline_ms > sysutil_now_ms() + EOF_GRACE_MS) {
            dc->deadline_ms = until_ms = sysutil_now_ms() + EOF_GRACE_MS;
        }
        switch (ctrlio_wait(io, fd, passive ? POLLIN : POLLOUT, until_ms)) {
        case CTRL_WAIT_READY:
            result = step(dc, fd_out);
            break;
        case CTRL_WAIT_TIMEOUT:
            if (dc->retry_ms != 0) {
                result = step(dc, fd_out);
            } else {
                errno = ETIMEDOUT;
                result = DATACHAN_FAILED;
            }
            break;
        case CTRL_WAIT_EOF:
            break;
        case CTRL_WAIT_INPUT:
            return DATACHAN_INPUT;
        case CTRL_WAIT_GONE:
            return finish(dc, DATACHAN_CTRL_GONE);
        case CTRL_WAIT_PARENT_GONE:
            return finish(dc, DATACHAN_PARENT_GONE);
        }
    }
    return finish(dc, result);
}
