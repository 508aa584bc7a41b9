/*
 * tlslink.c - what the daemon asks miniftpd-tls and the relay R of a session for
 *
 * Process: N, P and S.
 * Trusts:  the form of a message, which tlsproto checks.
 * Touches: the relay control and the sockets it is given.
 */
#include "tlslink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "str.h"
#include "sysutil.h"
#include "tlsproto.h"

#define SHAKE_MS  30000 /* for the handshake of a control channel; security.md S5 */
#define GRACE_MS  2000  /* for the relay to say so */
#define ANSWER_MS 2000  /* for the END after an ABORT */

bool tlslink_start(int request_fd, int net_fd, int *plain_out, int *relay_out)
{
    const struct tlsproto_message start = {.kind = TLSPROTO_START};
    const struct tlsproto_message net = {.kind = TLSPROTO_NET};
    const struct tlsproto_message plain = {.kind = TLSPROTO_PLAIN};
    int control[2] = {-1, -1};
    int stream[2] = {-1, -1};
    bool good = sysutil_socketpair(control) == 0 &&
                fcntl(control[0], F_SETFL, O_RDWR | O_NONBLOCK) == 0 && /* see tlslink_take() */
                socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream) == 0 &&
                tlsproto_send(request_fd, &start, control[1]) == 0;

    sysutil_close(&control[1]);
    good = good && tlsproto_send(control[0], &net, net_fd) == 0 &&
           tlsproto_send(control[0], &plain, stream[1]) == 0;
    sysutil_close(&stream[1]);
    if (!good) {
        sysutil_close(&control[0]);
        sysutil_close(&stream[0]);
    }
    *plain_out = stream[0];
    *relay_out = control[0];
    return good;
}

/* One message, by the deadline; 1, 0 at the end of the relay or of the parent, -1 with errno. */
static int receive_by(int relay_fd, int priv_fd, int64_t deadline_ms, struct tlsproto_message *m)
{
    struct pollfd fds[2] = {{.fd = relay_fd, .events = POLLIN}, {.fd = priv_fd, .events = 0}};
    int ready = sysutil_poll(fds, ARRAY_LEN(fds), deadline_ms);
    int fd = -1;
    int got;

    if (ready <= 0 || fds[0].revents == 0) {
        errno = ready == 0 ? ETIMEDOUT : ECONNRESET;
        return ready == 0 ? -1 : 0;
    }
    got = tlsproto_receive(relay_fd, m, &fd);
    sysutil_close(&fd); /* the relay has none to give */
    return got;
}

bool tlslink_shake(int relay_fd, int priv_fd, struct str *text)
{
    const struct tlsproto_message go = {.kind = TLSPROTO_GO, .timeout_ms = SHAKE_MS};
    struct tlsproto_message m;

    if (tlsproto_send(relay_fd, &go, -1) == -1 ||
        receive_by(relay_fd, priv_fd, sysutil_now_ms() + SHAKE_MS + GRACE_MS, &m) != 1 ||
        (m.kind != TLSPROTO_UP && m.kind != TLSPROTO_DOWN)) {
        str_append(text, "the TLS process of the session has ended");
        return false;
    }
    str_append_mem(text, m.text, m.text_len);
    return m.kind == TLSPROTO_UP;
}

bool tlslink_begin(int relay_fd, const struct tlslink_order *order, int *plain_out)
{
    const struct tlsproto_message data = {
        .kind = TLSPROTO_DATA,
        .flags = (uint8_t)((order->upload ? TLSPROTO_UPLOAD : 0) |
                           (order->strict_end ? TLSPROTO_STRICT : 0) |
                           (order->tells ? TLSPROTO_TELL : 0)),
        .timeout_ms = order->timeout_ms,
    };
    const struct tlsproto_message file = {
        .kind = TLSPROTO_FILE,
        .offset = order->offset,
        .limit = order->limit,
        .rate = order->rate,
    };
    const struct tlsproto_message plain = {.kind = TLSPROTO_PLAIN};
    int stream[2] = {-1, -1};
    bool good;

    *plain_out = -1;
    if (order->file_fd != -1) {
        return tlsproto_send(relay_fd, &data, order->data_fd) == 0 &&
               tlsproto_send(relay_fd, &file, order->file_fd) == 0;
    }
    good = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, stream) == 0 &&
           tlsproto_send(relay_fd, &data, order->data_fd) == 0 &&
           tlsproto_send(relay_fd, &plain, stream[1]) == 0;
    sysutil_close(&stream[1]);
    if (!good) {
        sysutil_close(&stream[0]);
    }
    *plain_out = stream[0];
    return good;
}

static void note(const struct tlsproto_message *m, struct tlslink_news *news)
{
    news->bytes = m->bytes;
    news->result = m->result;
    news->error = m->error;
    news->answered = (m->flags & TLSPROTO_ANSWERED) != 0;
    news->resumed = (m->flags & TLSPROTO_RESUMED) != 0;
    memcpy(news->text, m->text, m->text_len);
    news->text[m->text_len] = '\0';
}

enum tlslink_event tlslink_take(int relay_fd, struct tlslink_news *news)
{
    struct tlsproto_message m;
    int fd = -1;
    int got = tlsproto_receive(relay_fd, &m, &fd);

    if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return TLSLINK_NOTHING;
    }
    if (got != 1) {
        return TLSLINK_GONE;
    }
    sysutil_close(&fd);
    note(&m, news);
    switch ((enum tlsproto_kind)m.kind) {
    case TLSPROTO_UP:
        return TLSLINK_UP;
    case TLSPROTO_PROGRESS:
        return TLSLINK_PROGRESS;
    case TLSPROTO_END:
        return TLSLINK_END;
    default:
        return TLSLINK_GONE; /* not the program that it should be */
    }
}

bool tlslink_abort(int relay_fd, bool reset)
{
    const struct tlsproto_message abort = {.kind = TLSPROTO_ABORT,
                                           .flags = reset ? TLSPROTO_RESET : 0};
    int64_t deadline_ms = sysutil_now_ms() + ANSWER_MS;
    struct tlsproto_message m;

    if (tlsproto_send(relay_fd, &abort, -1) == -1) {
        return false;
    }
    do {
        if (receive_by(relay_fd, -1, deadline_ms, &m) != 1) {
            return false;
        }
    } while (m.kind != TLSPROTO_END);
    return true;
}
