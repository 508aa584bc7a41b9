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

#define RETRY_PAUSE_MS      50    /* between two tries for a busy port 20 */
#define RETRY_FOR_MS        1000  /* and how long to try */
#define FIRST_PAUSE_MS      50    /* when no passive port is free; doubled each time */
#define LAST_PAUSE_MS       400   /* which makes 750 in all */
#define EOF_GRACE_MS        1000  /* a client that has closed its side may still be connecting */
#define PATIENCE_MS         3000  /* who connects at all has connected by then */
#define STRANGERS_PER_DRAIN 64    /* before the control connection is looked at again */
#define MANY_SESSIONS       10000 /* with max_clients=0 */

/*
 * A kept listener saves a request to the parent for each transfer, but holds a port while the session
 * is idle. So there must be one for everybody. Where anybody may connect, a port that is known from
 * the transfer before is a present to thieves.
 */
static bool can_keep_listener(const struct tunables *tun)
{
    unsigned sessions = tun->max_clients > 0 ? tun->max_clients : MANY_SESSIONS;
    uint16_t low, high;

    return !tun->pasv_promiscuous && tunable_pasv_range(tun, &low, &high) &&
           (unsigned)(high - low) + 1 >= sessions;
}

void datachan_init(struct datachan *dc, const struct tunables *tun, int priv_fd,
                   const struct netaddr *peer)
{
    memset(dc, 0, sizeof(*dc));
    dc->tun = tun;
    dc->priv_fd = priv_fd;
    dc->peer = *peer;
    dc->keeps_listener = can_keep_listener(tun);
    dc->listen_fd = -1;
    dc->connecting_fd = -1;
}

void datachan_free(struct datachan *dc)
{
    sysutil_close(&dc->listen_fd);
    sysutil_close(&dc->connecting_fd);
}

/* ---- what the administrator should know ---- */

static void warn(struct datachan *dc, const char *text)
{
    const struct log_record record = {
        .event = LOG_EVENT_WARNING, .text = text, .text_len = strlen(text)};

    /* a parent that is gone is noticed by the next wait */
    (void)privsock_log(dc->priv_fd, &record);
}

void datachan_warn_once(struct datachan *dc, enum datachan_told what, const char *text)
{
    if ((dc->told & what) == 0) {
        dc->told |= what;
        warn(dc, text);
    }
}

static void warn_no_port(struct datachan *dc)
{
    struct str line = STR_INIT(256);
    uint16_t low, high;

    if (tunable_pasv_range(dc->tun, &low, &high)) {
        str_append_format(&line,
                          "no port from %u to %u is free for a passive data connection; "
                          "see pasv_min_port and pasv_max_port",
                          (unsigned)low, (unsigned)high);
        datachan_warn_once(dc, DATACHAN_TOLD_NO_PORT, str_text(&line));
    }
    str_free(&line);
}

static void warn_no_client(struct datachan *dc)
{
    char address[NETADDR_TEXT_MAX];
    struct str line = STR_INIT(256);

    str_append_format(&line, "the client never connected to data port %u (announced ",
                      (unsigned)dc->listen_port);
    if (dc->announced.family == AF_UNSPEC) {
        str_append(&line, "by EPSV");
    } else {
        netaddr_text(&dc->announced, address);
        str_append_format(&line, "as %s", address);
    }
    str_append(&line, "); a firewall or NAT may be in between, see pasv_address and pasv_min_port");
    datachan_warn_once(dc, DATACHAN_TOLD_NO_CLIENT, str_text(&line));
    str_free(&line);
}

/* The network did it, and not this machine. */
static bool is_networks_fault(int error)
{
    return error == ECONNREFUSED || error == ETIMEDOUT || error == EHOSTUNREACH ||
           error == ENETUNREACH;
}

static void warn_no_answer(struct datachan *dc, int error)
{
    char address[NETADDR_TEXT_MAX];
    struct str line = STR_INIT(256);

    netaddr_text(&dc->target, address);
    str_append_format(&line, "no data connection to the client at %s port %u: %s%s", address,
                      (unsigned)dc->target.port, strerror(error),
                      is_networks_fault(error) ? "; a firewall or NAT may be in front of the "
                                                 "client, passive mode does without"
                                               : "");
    datachan_warn_once(dc, DATACHAN_TOLD_NO_ANSWER, str_text(&line));
    str_free(&line);
}

/* An opening ends without a connection. error: 0 if the client did not wait for it any longer. */
static void report_failure(struct datachan *dc, int error)
{
    int64_t limit_ms = (int64_t)dc->tun->accept_timeout * 1000;
    int64_t waited_ms = sysutil_now_ms() - dc->began_ms;
    bool was_patient = waited_ms >= (limit_ms < PATIENCE_MS ? limit_ms : PATIENCE_MS);

    if (dc->mode == DATACHAN_PASSIVE && was_patient) {
        warn_no_client(dc);
    } else if (dc->mode == DATACHAN_ACTIVE && (error != 0 || was_patient)) {
        warn_no_answer(dc, error != 0 ? error : ETIMEDOUT);
    }
}

void datachan_explain(const struct datachan *dc, int error, struct str *text)
{
    const char *way_out = dc->tun->pasv_enable ? ", try passive mode" : "";

    if (dc->tried == DATACHAN_PASSIVE && error == ETIMEDOUT) {
        str_append_format(text,
                          dc->stranger_logged
                              ? "The connection to port %u came from another address than yours."
                              : "You did not connect to port %u in time; "
                                "a firewall may be in between.",
                          (unsigned)dc->listen_port);
    } else if (dc->tried == DATACHAN_ACTIVE && error == ECONNREFUSED) {
        str_append_format(text, "Your port %u refused the data connection%s.",
                          (unsigned)dc->target.port, way_out);
    } else if (dc->tried == DATACHAN_ACTIVE && is_networks_fault(error)) {
        str_append_format(text, "Your port %u does not answer; a firewall may be in between%s.",
                          (unsigned)dc->target.port, way_out);
    } else {
        str_append(text, "Cannot open the data connection.");
    }
}

static void log_stranger(struct datachan *dc, const struct netaddr *from)
{
    char address[NETADDR_TEXT_MAX];
    struct str line = STR_INIT(256);

    if (dc->stranger_logged) {
        return;
    }
    dc->stranger_logged = true;
    netaddr_text(from, address);
    str_append_format(&line,
                      "a stranger, %s, connected to the data port %u and was turned away; "
                      "if that was the client through a NAT or proxy, see pasv_promiscuous",
                      address, (unsigned)dc->listen_port);
    warn(dc, str_text(&line));
    str_free(&line);
}

/* ---- getting ready ---- */

/* Nothing is open or being opened any more; a listener stays. */
static void forget(struct datachan *dc)
{
    dc->mode = DATACHAN_NONE;
    dc->began_ms = 0;
    dc->deadline_ms = 0;
    dc->retry_ms = 0;
    sysutil_close(&dc->connecting_fd);
}

void datachan_reset(struct datachan *dc)
{
    if (dc->began_ms != 0) {
        report_failure(dc, 0);
    }
    forget(dc);
    if (!dc->keeps_listener) {
        sysutil_close(&dc->listen_fd);
    }
}

/* Is somebody in the queue? accept(2) would make a socket before it looked. */
static bool has_caller(const struct datachan *dc)
{
    struct pollfd pfd = {.fd = dc->listen_fd, .events = POLLIN};

    return sysutil_poll(&pfd, 1, sysutil_now_ms()) == 1;
}

/* Close what came to the listener unasked. A flood is cut short: more is closed at accept. */
static void drain(struct datachan *dc)
{
    for (int i = 0; i < STRANGERS_PER_DRAIN && has_caller(dc); i++) {
        int fd = sysutil_accept(dc->listen_fd, SOCK_NONBLOCK);

        if (fd == -1) {
            break;
        }
        sysutil_close(&fd);
    }
}

/* Ask the parent for a listener, a few times if the others have all ports. */
static enum datachan_result get_listener(struct datachan *dc, struct ctrlio *io)
{
    for (int64_t pause_ms = FIRST_PAUSE_MS;; pause_ms *= 2) {
        switch (privsock_pasv_listen(dc->priv_fd, &dc->listen_fd, &dc->listen_port)) {
        case PRIVSOCK_OK:
            return DATACHAN_OPEN;
        case PRIVSOCK_FAILED:
        case PRIVSOCK_FAILED_LAST:
            break;
        case PRIVSOCK_GONE:
            return DATACHAN_PARENT_GONE;
        }
        if (errno != EADDRINUSE) {
            return DATACHAN_FAILED;
        }
        if (pause_ms > LAST_PAUSE_MS) {
            break;
        }
        switch (ctrlio_wait(io, -1, 0, sysutil_now_ms() + pause_ms)) {
        case CTRL_WAIT_READY:
        case CTRL_WAIT_TIMEOUT:
        case CTRL_WAIT_EOF:
            break;
        case CTRL_WAIT_INPUT: /* another command: no time to wait */
            pause_ms = LAST_PAUSE_MS;
            break;
        case CTRL_WAIT_GONE:
            return DATACHAN_CTRL_GONE;
        case CTRL_WAIT_PARENT_GONE:
            return DATACHAN_PARENT_GONE;
        }
    }
    warn_no_port(dc);
    errno = EADDRINUSE;
    return DATACHAN_FAILED;
}

enum datachan_result datachan_passive(struct datachan *dc, struct ctrlio *io,
                                      const struct netaddr *announced, uint16_t *port_out)
{
    enum datachan_result result = DATACHAN_OPEN;

    forget(dc);
    if (dc->tun->pasv_promiscuous) {
        sysutil_close(&dc->listen_fd); /* see can_keep_listener() */
    }
    if (dc->listen_fd != -1) {
        drain(dc);
    } else {
        result = get_listener(dc, io);
    }
    if (result == DATACHAN_OPEN) {
        dc->mode = DATACHAN_PASSIVE;
        dc->stranger_logged = false;
        dc->announced = announced != NULL ? *announced : (struct netaddr){.family = AF_UNSPEC};
        *port_out = dc->listen_port;
    }
    return result;
}

void datachan_active(struct datachan *dc, const struct netaddr *target)
{
    datachan_reset(dc);
    dc->mode = DATACHAN_ACTIVE;
    dc->target = *target;
}

/* ---- opening ---- */

/* One opening is over, well or not; errno is kept. */
static enum datachan_result finish(struct datachan *dc, enum datachan_result result)
{
    int saved_errno = errno;

    if (result == DATACHAN_FAILED) {
        report_failure(dc, saved_errno);
    }
    if (result != DATACHAN_CTRL_GONE) {
        dc->began_ms = 0; /* nothing more to be said about it */
    }
    datachan_reset(dc);
    errno = saved_errno;
    return result;
}

/* SECURITY: only the client itself, unless configured otherwise; anybody can connect to a port. */
static bool is_from_peer(struct datachan *dc, const union netaddr_sockaddr *sa)
{
    struct netaddr from;

    if (dc->tun->pasv_promiscuous) {
        return true;
    }
    if (!netaddr_from_sockaddr(&from, sa)) {
        return false;
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
        union netaddr_sockaddr from = {0};
        socklen_t len = sizeof(from);
        int fd = sysutil_accept_from(dc->listen_fd, SOCK_NONBLOCK, &from.sa, &len);

        if (fd == -1) {
            return errno == EAGAIN || errno == EWOULDBLOCK ? DATACHAN_PENDING : DATACHAN_FAILED;
        }
        if (is_from_peer(dc, &from)) {
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
    if (is_worth_a_retry(errno) && now_ms < dc->began_ms + RETRY_FOR_MS) {
        dc->retry_ms = now_ms + RETRY_PAUSE_MS;
        return DATACHAN_PENDING;
    }
    return DATACHAN_FAILED;
}

/* The connecting socket has become writable: connected or, with POLLERR or POLLHUP, refused. */
static enum datachan_result take_connected(struct datachan *dc, short revents, int *fd_out)
{
    int error = revents == POLLOUT ? 0 : sysutil_socket_error(dc->connecting_fd);

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
    return take_connected(dc, pfd.revents, fd_out);
}

enum datachan_result datachan_try(struct datachan *dc, int *fd_out)
{
    enum datachan_result result;

    *fd_out = -1;
    dc->tried = dc->mode;
    dc->began_ms = sysutil_now_ms();
    if (dc->mode == DATACHAN_PASSIVE) {
        dc->deadline_ms = dc->began_ms + (int64_t)dc->tun->accept_timeout * 1000;
        result = try_accept(dc, fd_out);
    } else {
        dc->deadline_ms = dc->began_ms + (int64_t)dc->tun->connect_timeout * 1000;
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
