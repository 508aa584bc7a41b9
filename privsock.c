/*
 * privsock.c - the child's side of the messages to the session parent
 *
 * Process: P and S.
 * Trusts:  the parent, but not its existence.
 * Touches: priv_fd.
 */
#include "privsock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "netaddr.h"
#include "str.h"
#include "sysutil.h"

bool privsock_is_anonymous(const char *name)
{
    return str_equal_nocase(name, "ftp") || str_equal_nocase(name, "anonymous");
}

#define LOG_DELAY_MS  100
#define LOG_WAITS_MAX 16
#define LOG_ROOM      4096 /* bytes; a longer record goes alone */

/* Records for the log, behind each other. Of the process, as is what they wait for: it has one parent. */
static struct {
    size_t count;
    int64_t due_ms;
    size_t used;
    size_t lengths[LOG_WAITS_MAX];
    char bytes[LOG_ROOM];
} waiting;

static bool draining; /* of the process: it has one parent, and the word is never taken back */

bool privsock_is_draining(void)
{
    return draining;
}

static bool is_drain(const void *message, ssize_t len)
{
    return len == 1 && *(const uint8_t *)message == PRIV_DRAIN;
}

bool privsock_take_notice(int priv_fd)
{
    uint8_t message;
    int fd;
    ssize_t len = sysutil_recv_message(priv_fd, &message, sizeof(message), &fd);
    bool good = fd == -1 && is_drain(&message, len);

    sysutil_close(&fd);
    draining = draining || good;
    return good;
}

/* Receive a reply; a notice that crossed the request comes before it. */
static ssize_t receive_reply(int priv_fd, struct priv_reply *reply, int *fd_out)
{
    ssize_t got = sysutil_recv_message(priv_fd, reply, sizeof(*reply), fd_out);

    if (*fd_out == -1 && is_drain(reply, got)) {
        draining = true;
        got = sysutil_recv_message(priv_fd, reply, sizeof(*reply), fd_out);
    }
    return got;
}

/* Connections in active mode are asked for too often to send one record along with each, and no record tells of them. */
static bool overtakes_log(const void *request)
{
    return *(const uint8_t *)request == PRIV_SOCK_GET_DATA_SOCK;
}

/*
 * Send one request, with a descriptor unless pass_fd is -1, and receive its reply. *fd_out gets the
 * descriptor that came with it, or -1.
 */
static enum privsock_status ask_with(int priv_fd, const void *request, size_t len, int pass_fd,
                                     struct priv_reply *reply, int *fd_out)
{
    ssize_t got;

    *fd_out = -1;
    if (!(overtakes_log(request) || privsock_send_log(priv_fd)) ||
        sysutil_send_message(priv_fd, request, len, pass_fd) == -1) {
        return PRIVSOCK_GONE;
    }
    got = receive_reply(priv_fd, reply, fd_out);
    if (got == -1 && errno == EMFILE) {
        return PRIVSOCK_FAILED;
    }
    if (got != sizeof(*reply)) {
        sysutil_close(fd_out);
        return PRIVSOCK_GONE;
    }
    errno = reply->error;
    switch (reply->result) {
    case PRIV_RESULT_OK:
        return PRIVSOCK_OK;
    case PRIV_RESULT_FAILED_LAST:
        return PRIVSOCK_FAILED_LAST;
    case PRIV_RESULT_FAILED:
        return PRIVSOCK_FAILED;
    default:
        sysutil_close(fd_out);
        return PRIVSOCK_GONE;
    }
}

/* The same for a request that brings no descriptor. */
static enum privsock_status ask(int priv_fd, const void *request, size_t len,
                                struct priv_reply *reply, int *fd_out)
{
    return ask_with(priv_fd, request, len, -1, reply, fd_out);
}

enum privsock_status privsock_login(int priv_fd, bool protect, const char *name, size_t name_len,
                                    const char *password, size_t password_len)
{
    struct priv_login request = {.command = PRIV_SOCK_LOGIN, .protect = protect};
    struct priv_reply reply;
    enum privsock_status status;
    int fd;

    if (name_len > sizeof(request.name) || password_len > sizeof(request.password)) {
        bug("name or password too long");
    }
    request.name_len = (uint16_t)name_len;
    request.password_len = (uint16_t)password_len;
    memcpy(request.name, name, name_len);
    memcpy(request.password, password, password_len);
    status = ask(priv_fd, &request, sizeof(request), &reply, &fd);
    explicit_bzero(&request, sizeof(request));
    sysutil_close(&fd);
    return status == PRIVSOCK_OK ? PRIVSOCK_GONE : status; /* success has no answer */
}

enum privsock_status privsock_user(int priv_fd, const char *name, size_t name_len)
{
    struct priv_user request = {.command = PRIV_SOCK_USER, .name_len = (uint16_t)name_len};
    struct priv_reply reply;
    enum privsock_status status;
    int fd;

    if (name_len > sizeof(request.name)) {
        bug("name too long");
    }
    memcpy(request.name, name, name_len);
    status = ask(priv_fd, &request, sizeof(request), &reply, &fd);
    sysutil_close(&fd);
    return status;
}

/* A request whose answer is a descriptor. */
static enum privsock_status ask_for_socket(int priv_fd, const void *request, size_t len,
                                           struct priv_reply *reply, int *fd_out)
{
    enum privsock_status status = ask(priv_fd, request, len, reply, fd_out);

    if (status == PRIVSOCK_OK && *fd_out == -1) {
        return PRIVSOCK_GONE;
    }
    if (status != PRIVSOCK_OK) {
        sysutil_close(fd_out);
    }
    return status;
}

enum privsock_status privsock_pasv_listen(int priv_fd, int *fd_out, uint16_t *port_out)
{
    uint8_t command = PRIV_SOCK_PASV_LISTEN;
    struct priv_reply reply;
    enum privsock_status status =
        ask_for_socket(priv_fd, &command, sizeof(command), &reply, fd_out);

    if (status == PRIVSOCK_OK) {
        *port_out = reply.port;
    }
    return status;
}

enum privsock_status privsock_data_sock(int priv_fd, const struct netaddr *target, int *fd_out)
{
    struct priv_data_sock request = {
        .command = PRIV_SOCK_GET_DATA_SOCK,
        .is_ipv6 = target->family == AF_INET6,
        .port = target->port,
    };
    struct priv_reply reply;

    memcpy(request.address, target->bytes, sizeof(request.address));
    return ask_for_socket(priv_fd, &request, sizeof(request), &reply, fd_out);
}

enum privsock_status privsock_start_tls(int priv_fd, int *plain_out, int *relay_out)
{
    uint8_t command = PRIV_SOCK_START_TLS;
    struct priv_reply reply;
    enum privsock_status status =
        ask_for_socket(priv_fd, &command, sizeof(command), &reply, plain_out);

    *relay_out = -1;
    if (status == PRIVSOCK_OK &&
        (receive_reply(priv_fd, &reply, relay_out) != sizeof(reply) || *relay_out == -1)) {
        sysutil_close(plain_out);
        sysutil_close(relay_out);
        status = PRIVSOCK_GONE;
    }
    return status;
}

enum privsock_status privsock_chown_upload(int priv_fd, int file_fd)
{
    uint8_t command = PRIV_SOCK_CHOWN_UPLOAD;
    struct priv_reply reply;
    int fd;
    enum privsock_status status =
        ask_with(priv_fd, &command, sizeof(command), file_fd, &reply, &fd);

    sysutil_close(&fd);
    return status;
}

int64_t privsock_log_due_ms(void)
{
    return waiting.due_ms;
}

bool privsock_send_log(int priv_fd)
{
    const char *next = waiting.bytes;
    bool good = true;

    for (size_t i = 0; good && i < waiting.count; i++) {
        good = sysutil_send_message(priv_fd, next, waiting.lengths[i], -1) == 0;
        next += waiting.lengths[i];
    }
    waiting.count = waiting.used = 0;
    waiting.due_ms = 0;
    return good;
}

/* Let a message wait, or send it with those before it if there is no room. */
static bool send_later(int priv_fd, const void *message, size_t len)
{
    if ((waiting.count == LOG_WAITS_MAX || len > LOG_ROOM - waiting.used) &&
        !privsock_send_log(priv_fd)) {
        return false;
    }
    if (len > LOG_ROOM) {
        return sysutil_send_message(priv_fd, message, len, -1) == 0;
    }
    if (waiting.count == 0) {
        waiting.due_ms = sysutil_now_ms() + LOG_DELAY_MS;
    }
    memcpy(waiting.bytes + waiting.used, message, len);
    waiting.used += len;
    waiting.lengths[waiting.count++] = len;
    return true;
}

bool privsock_log(int priv_fd, const struct log_record *record)
{
    struct priv_log request;
    size_t detail_len =
        record->detail_len < PRIV_LOG_DETAIL_MAX ? record->detail_len : PRIV_LOG_DETAIL_MAX;
    size_t room = sizeof(request.text) - detail_len;
    size_t len = record->text_len < room ? record->text_len : room;

    memset(&request, 0, offsetof(struct priv_log, text));
    request.command = PRIV_SOCK_LOG;
    request.event = (uint8_t)record->event;
    request.ok = record->ok;
    request.has_bytes = record->has_bytes;
    request.duration_ms = record->duration_ms;
    request.bytes = record->bytes;
    request.error = record->error;
    request.is_ascii = record->is_ascii;
    request.detail_len = (uint16_t)detail_len;
    if (len > 0) {
        memcpy(request.text, record->text, len);
    }
    if (detail_len > 0) {
        memcpy(request.text + len, record->detail, detail_len);
    }
    return send_later(priv_fd, &request, offsetof(struct priv_log, text) + len + detail_len);
}
