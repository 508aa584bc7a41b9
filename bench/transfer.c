/*
 * transfer.c - the data connection of one unit
 *
 * Process: the load generator, one thread.
 * Trusts:  the server under test, which runs on this machine.
 * Touches: data sockets and listeners for active mode.
 */
#include "transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    /* Ports for active mode, below those which the kernel gives to connections. They are taken in
     * turn: bind(2) to port 0 gets slow with many TIME_WAIT sockets. */
    PORT_FIRST = 10000,
    PORT_LAST = 32000,
    /* Pieces that one upload sends before other connections have their turn */
    PIECES_PER_TURN = 64,
};

void watch_set(const struct bench *bench, struct watch *watch, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    const int operation = events == 0          ? EPOLL_CTL_DEL
                          : watch->events == 0 ? EPOLL_CTL_ADD
                                               : EPOLL_CTL_MOD;

    if (watch->events == events) {
        return;
    }
    if (epoll_ctl(bench->epoll_fd, operation, fd, &event) == -1) {
        tally_error(bench->tally, "epoll_ctl: %s", strerrordesc_np(errno));
        return;
    }
    watch->events = events;
}

void transfer_init(struct transfer *transfer, struct bench *bench, struct client *client)
{
    *transfer = (struct transfer){
        .bench = bench,
        .wire = WIRE_INIT,
        .listen_fd = -1,
        .data_watch = {.client = client, .role = WATCH_DATA},
        .listen_watch = {.client = client, .role = WATCH_LISTENER},
        .upload = (bench->job->traits & JOB_UPLOAD) != 0,
        .wait_end = (bench->job->traits & JOB_RAW) != 0,
        .total = bench->job->bytes,
    };
}

static void begin(struct transfer *transfer)
{
    transfer->moved = 0;
    transfer->may_send = false;
    transfer->sent = false;
    transfer->secure = transfer->bench->tls == NULL;
}

/* A listener on the next port. Returns its descriptor, or -1 with errno. */
static int listen_next_port(struct sockaddr_storage *local)
{
    static in_port_t next_port = PORT_FIRST;
    const int on = 1;
    const bool v6 = local->ss_family == AF_INET6;
    const socklen_t size = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    const int fd = socket(local->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int saved_errno;

    if (fd == -1) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    for (int tries = PORT_FIRST; tries <= PORT_LAST; tries++) {
        const in_port_t port = htons(next_port);

        next_port = next_port == PORT_LAST ? PORT_FIRST : (in_port_t)(next_port + 1);
        if (v6) {
            ((struct sockaddr_in6 *)local)->sin6_port = port;
        } else {
            ((struct sockaddr_in *)local)->sin_port = port;
        }
        if (bind(fd, (const struct sockaddr *)local, size) == 0 && listen(fd, 1) == 0) {
            return fd;
        }
        if (errno != EADDRINUSE) {
            break;
        }
    }
    saved_errno = errno;
    close(fd);
    errno = saved_errno;
    return -1;
}

size_t transfer_listen(struct transfer *transfer, const struct sockaddr_storage *local,
                       char *command, size_t size)
{
    struct sockaddr_storage address = *local;
    int length;

    begin(transfer);
    transfer->listen_fd = listen_next_port(&address);
    if (transfer->listen_fd == -1) {
        return 0;
    }
    watch_set(transfer->bench, &transfer->listen_watch, transfer->listen_fd, EPOLLIN);
    if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address;
        char text[INET6_ADDRSTRLEN];

        (void)inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
        length = snprintf(command, size, "EPRT |2|%s|%u|\r\n", text, ntohs(v6->sin6_port));
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;
        const uint32_t ip = ntohl(v4->sin_addr.s_addr);
        const unsigned port = ntohs(v4->sin_port);

        length = snprintf(command, size, "PORT %u,%u,%u,%u,%u,%u\r\n", ip >> 24, ip >> 16 & 255,
                          ip >> 8 & 255, ip & 255, port >> 8, port & 255);
    }
    return (size_t)length;
}

static int start_tls(struct transfer *transfer)
{
    if (transfer->bench->tls == NULL) {
        return 0;
    }
    return wire_start_tls(&transfer->wire, transfer->bench->tls, transfer->session);
}

int transfer_connect(struct transfer *transfer, const struct sockaddr_storage *peer,
                     const struct sockaddr_storage *source)
{
    begin(transfer);
    if (wire_connect(&transfer->wire, peer, source) == -1 || start_tls(transfer) == -1) {
        return -1;
    }
    if (transfer->secure && !transfer->upload) {
        watch_set(transfer->bench, &transfer->data_watch, transfer->wire.fd, EPOLLIN | EPOLLRDHUP);
    }
    return 0;
}

/* Take the server's connection. WIRE_AGAIN: it has not come. */
static enum wire_status take_connection(struct transfer *transfer)
{
    const int fd = accept4(transfer->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd == -1) {
        transfer->wire.why = "accept failed";
        return errno == EAGAIN ? WIRE_AGAIN : WIRE_ERROR;
    }
    close(transfer->listen_fd);
    transfer->listen_fd = -1;
    transfer->listen_watch.events = 0;
    transfer->wire = (struct wire){.fd = fd, .why = ""};
    if (start_tls(transfer) == -1) {
        transfer->wire.why = "TLS could not be started";
        return WIRE_ERROR;
    }
    return WIRE_OK;
}

static enum wire_status secure(struct transfer *transfer)
{
    const enum wire_status status = wire_handshake(&transfer->wire);

    if (status == WIRE_OK) {
        transfer->secure = true;
        transfer->bench->tally->resumed += SSL_session_reused(transfer->wire.ssl) == 1;
    }
    return status;
}

static enum wire_status send_pieces(struct transfer *transfer)
{
    for (int turns = PIECES_PER_TURN; turns > 0 && transfer->moved < transfer->total; turns--) {
        size_t n;
        const enum wire_status status = wire_send_content(&transfer->wire, transfer->moved,
                                                          transfer->total - transfer->moved, &n);

        if (status != WIRE_OK) {
            return status;
        }
        transfer->moved += (off_t)n;
    }
    transfer->wire.wants = EPOLLOUT;
    if (transfer->moved < transfer->total) {
        return WIRE_AGAIN;
    }
    transfer->sent = true;
    if (transfer->wait_end || transfer->wire.ssl != NULL) {
        /* With TLS, closing now would make the server's unread tickets reset the connection. */
        wire_finish(&transfer->wire);
    } else {
        wire_close(&transfer->wire);
        transfer->data_watch.events = 0;
    }
    return transfer->wait_end ? WIRE_OK : WIRE_EOF;
}

/* Receive what is there; behind an upload nothing may come. */
static enum wire_status receive_pieces(struct transfer *transfer, uint32_t events)
{
    EVP_MD_CTX *const digest = transfer->upload ? NULL : transfer->bench->tally->digest;
    enum wire_status status;

    do {
        size_t n;

        status = wire_discard(&transfer->wire, digest, &n);
        if (!transfer->upload) {
            transfer->moved += (off_t)n;
        }
        /* The end has come already: no need to ask epoll about it. */
    } while (status == WIRE_OK && (events & (EPOLLRDHUP | EPOLLHUP)) != 0);
    transfer->wire.wants = EPOLLIN | EPOLLRDHUP;
    return status;
}

static enum wire_status move(struct transfer *transfer, uint32_t events)
{
    enum wire_status status = WIRE_OK;

    if (transfer->listen_fd != -1) {
        status = take_connection(transfer);
    }
    if (status == WIRE_OK && !transfer->secure) {
        status = secure(transfer);
    }
    if (status != WIRE_OK) {
        return status;
    }
    if (transfer->upload && !transfer->sent) {
        if (!transfer->may_send) {
            transfer->wire.wants = 0;
            return WIRE_AGAIN;
        }
        status = send_pieces(transfer);
        if (status != WIRE_OK) {
            return status;
        }
    }
    return receive_pieces(transfer, events);
}

enum transfer_status transfer_drive(struct transfer *transfer, uint32_t events)
{
    if (transfer->wire.fd == -1 && transfer->listen_fd == -1) {
        return TRANSFER_MORE; /* an event of a connection that is closed by now */
    }
    switch (move(transfer, events)) {
    case WIRE_EOF:
        if (!transfer->upload || transfer->wait_end) {
            transfer_drop(transfer);
        } else if (transfer->wire.fd != -1) {
            watch_set(transfer->bench, &transfer->data_watch, transfer->wire.fd, 0);
        }
        return TRANSFER_DONE;
    case WIRE_ERROR:
        return TRANSFER_FAILED;
    case WIRE_OK:
    case WIRE_AGAIN:
        break;
    }
    if (transfer->wire.fd != -1) {
        watch_set(transfer->bench, &transfer->data_watch, transfer->wire.fd, transfer->wire.wants);
    }
    return TRANSFER_MORE;
}

void transfer_drop(struct transfer *transfer)
{
    wire_close(&transfer->wire);
    transfer->data_watch.events = 0;
    if (transfer->listen_fd != -1) {
        close(transfer->listen_fd);
        transfer->listen_fd = -1;
        transfer->listen_watch.events = 0;
    }
}
