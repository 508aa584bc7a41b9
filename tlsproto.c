/*
 * tlsproto.c - the messages between the daemon and miniftpd-tls
 *
 * Process: N, P, S on one side, miniftpd-tls and its relays on the other.
 * Trusts:  nothing that was received before it is checked here.
 * Touches: the sockets it is given.
 */
#include "tlsproto.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>

#include "sysutil.h"

#define TEXT_AT offsetof(struct tlsproto_message, text)

static bool wants_fd(uint8_t kind)
{
    return kind == TLSPROTO_START || kind == TLSPROTO_NET || kind == TLSPROTO_PLAIN ||
           kind == TLSPROTO_DATA || kind == TLSPROTO_FILE;
}

static bool is_sane(const struct tlsproto_message *m, size_t len, bool has_fd)
{
    const uint64_t most = INT64_MAX;

    return len >= TEXT_AT && len == TEXT_AT + m->text_len && m->text_len <= TLSPROTO_TEXT_MAX &&
           m->kind >= TLSPROTO_START && m->kind <= TLSPROTO_END && m->flags <= TLSPROTO_FLAGS &&
           m->result <= TLSPROTO_ABORTED && m->offset <= most &&
           (m->limit == UINT64_MAX || m->limit <= most - m->offset) && has_fd == wants_fd(m->kind);
}

void tlsproto_set_text(struct tlsproto_message *message, const char *text)
{
    size_t len = strnlen(text, TLSPROTO_TEXT_MAX);

    message->text_len = (uint8_t)len;
    memcpy(message->text, text, len);
}

int tlsproto_send(int fd, const struct tlsproto_message *message, int pass_fd)
{
    if (!is_sane(message, TEXT_AT + message->text_len, pass_fd != -1)) {
        bug("a message that nobody would take");
    }
    return sysutil_send_message(fd, message, TEXT_AT + message->text_len, pass_fd);
}

int tlsproto_receive(int fd, struct tlsproto_message *message, int *fd_out)
{
    ssize_t got;

    memset(message, 0, sizeof(*message));
    got = sysutil_recv_message(fd, message, sizeof(*message), fd_out);
    if (got <= 0) {
        return (int)got;
    }
    if (!is_sane(message, (size_t)got, *fd_out != -1)) {
        sysutil_close(fd_out);
        errno = EPROTO;
        return -1;
    }
    return 1;
}
