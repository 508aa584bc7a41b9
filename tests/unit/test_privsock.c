/*
 * test_privsock.c - the child's side of the messages, against a parent that follows a script
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: socketpairs of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "netaddr.h"
#include "privsock.h"
#include "sysutil.h"
#include "unit.h"

/* What the parent has answered before it was asked. */
struct script_row {
    const char *name;
    struct priv_reply reply;
    size_t len;  /* bytes of it that are sent; 0: none, the parent ends */
    bool passes; /* with a descriptor */
    enum privsock_status login, listen, data;
    int error; /* errno of a failure */
};

#define FULL sizeof(struct priv_reply)

/* clang-format off */
static const struct script_row script_rows[] = {
    { "reply_ok_with_a_descriptor", { .result = PRIV_RESULT_OK, .port = 50000 }, FULL, true,
      PRIVSOCK_GONE, PRIVSOCK_OK, PRIVSOCK_OK, 0 },
    { "reply_ok_without_a_descriptor", { .result = PRIV_RESULT_OK, .port = 50000 }, FULL, false,
      PRIVSOCK_GONE, PRIVSOCK_GONE, PRIVSOCK_GONE, 0 },
    { "reply_failed", { .result = PRIV_RESULT_FAILED, .error = EADDRINUSE }, FULL, false,
      PRIVSOCK_FAILED, PRIVSOCK_FAILED, PRIVSOCK_FAILED, EADDRINUSE },
    { "reply_failed_with_a_descriptor", { .result = PRIV_RESULT_FAILED, .error = EPERM }, FULL, true,
      PRIVSOCK_FAILED, PRIVSOCK_FAILED, PRIVSOCK_FAILED, EPERM },
    { "reply_failed_for_no_reason", { .result = PRIV_RESULT_FAILED }, FULL, false,
      PRIVSOCK_FAILED, PRIVSOCK_FAILED, PRIVSOCK_FAILED, 0 },
    { "reply_failed_for_the_last_time", { .result = PRIV_RESULT_FAILED_LAST }, FULL, false,
      PRIVSOCK_FAILED_LAST, PRIVSOCK_FAILED_LAST, PRIVSOCK_FAILED_LAST, 0 },
    { "reply_too_short", { .result = PRIV_RESULT_OK }, FULL - 1, false,
      PRIVSOCK_GONE, PRIVSOCK_GONE, PRIVSOCK_GONE, 0 },
    { "reply_too_short_with_a_descriptor", { .result = PRIV_RESULT_OK }, 1, true,
      PRIVSOCK_GONE, PRIVSOCK_GONE, PRIVSOCK_GONE, 0 },
    { "reply_too_long", { .result = PRIV_RESULT_OK }, FULL + 1, false,
      PRIVSOCK_GONE, PRIVSOCK_GONE, PRIVSOCK_GONE, 0 },
    { "reply_too_long_with_a_descriptor", { .result = PRIV_RESULT_OK }, FULL + 1, true,
      PRIVSOCK_GONE, PRIVSOCK_GONE, PRIVSOCK_GONE, 0 },
    { "reply_is_the_end", { .result = 0 }, 0, false, PRIVSOCK_GONE, PRIVSOCK_GONE, PRIVSOCK_GONE, 0 },
    { "reply_is_nonsense", { .result = 200 }, FULL, false, PRIVSOCK_GONE, PRIVSOCK_GONE, PRIVSOCK_GONE, 0 },
    { "reply_is_nothing", { .result = 0 }, FULL, false, PRIVSOCK_GONE, PRIVSOCK_GONE, PRIVSOCK_GONE, 0 },
};
/* clang-format on */

static int parent_fd, priv_fd;

static void ends_open(void)
{
    int fds[2];

    assert_int_equal(sysutil_socketpair(fds), 0);
    parent_fd = fds[0];
    priv_fd = fds[1];
}

static void ends_close(void)
{
    sysutil_close(&parent_fd);
    sysutil_close(&priv_fd);
}

static void play(const struct script_row *row)
{
    char data[FULL + 1] = "";

    memcpy(data, &row->reply, FULL);
    if (row->len > 0) {
        assert_int_equal(
            sysutil_send_message(parent_fd, data, row->len, row->passes ? parent_fd : -1), 0);
    } else {
        assert_int_equal(shutdown(parent_fd, SHUT_WR), 0);
    }
}

/* The one request that the child has sent. */
static void take_request(union priv_request *request, size_t expected_len)
{
    ssize_t len = recv(parent_fd, request, sizeof(*request), MSG_DONTWAIT);

    assert_int_equal(len, expected_len);
    assert_int_equal(recv(parent_fd, request, 0, MSG_DONTWAIT), -1); /* no other */
}

static void assert_status(enum privsock_status status, enum privsock_status expected, int error)
{
    int saved_errno = errno;

    assert_int_equal(status, expected);
    if (expected == PRIVSOCK_FAILED) {
        assert_int_equal(saved_errno, error);
    }
}

static void check_script(void **state)
{
    const struct script_row *row = *state;
    struct netaddr target;
    union priv_request request;
    uint16_t port = 7;
    size_t before;
    int fd;

    assert_true(netaddr_parse("192.0.2.7", AF_INET, &target));
    target.port = 0x1234;

    ends_open();
    before = unit_count_fds();
    play(row);
    assert_status(privsock_login(priv_fd, true, "bob", 3, "secret", 6), row->login, row->error);
    assert_int_equal(unit_count_fds(), before);
    take_request(&request, sizeof(request.login));
    assert_int_equal(request.command, PRIV_SOCK_LOGIN);
    assert_int_equal(request.login.protect, 1);
    assert_int_equal(request.login.name_len, 3);
    assert_int_equal(request.login.password_len, 6);
    assert_memory_equal(request.login.name, "bob\0", 4);
    assert_memory_equal(request.login.password, "secret\0", 7);
    ends_close();

    ends_open();
    play(row);
    assert_status(privsock_pasv_listen(priv_fd, &fd, &port), row->listen, row->error);
    assert_int_equal(fd != -1, row->listen == PRIVSOCK_OK);
    assert_int_equal(port, row->listen == PRIVSOCK_OK ? row->reply.port : 7);
    sysutil_close(&fd);
    assert_int_equal(unit_count_fds(), before);
    take_request(&request, 1);
    assert_int_equal(request.command, PRIV_SOCK_PASV_LISTEN);
    ends_close();

    ends_open();
    play(row);
    assert_status(privsock_data_sock(priv_fd, &target, &fd), row->data, row->error);
    assert_int_equal(fd != -1, row->data == PRIVSOCK_OK);
    sysutil_close(&fd);
    assert_int_equal(unit_count_fds(), before);
    take_request(&request, sizeof(request.data_sock));
    assert_int_equal(request.command, PRIV_SOCK_GET_DATA_SOCK);
    assert_int_equal(request.data_sock.is_ipv6, 0);
    assert_int_equal(request.data_sock.port, 0x1234);
    assert_memory_equal(request.data_sock.address, target.bytes, 16);
    ends_close();
}

/* The request with a descriptor: its answer needs none, and one that comes is closed. */
static void check_chown_script(const struct script_row *row)
{
    bool granted = row->reply.result == PRIV_RESULT_OK && row->len == FULL;
    union priv_request request;
    struct stat sent, got;
    size_t before;
    int fd;

    ends_open();
    before = unit_count_fds();
    play(row);
    assert_status(privsock_chown_upload(priv_fd, priv_fd), granted ? PRIVSOCK_OK : row->login,
                  row->error);
    assert_int_equal(unit_count_fds(), before);
    assert_int_equal(sysutil_recv_message(parent_fd, &request, sizeof(request), &fd), 1);
    assert_int_equal(request.command, PRIV_SOCK_CHOWN_UPLOAD);
    assert_int_equal(fstat(fd, &got), 0);
    assert_int_equal(fstat(priv_fd, &sent), 0);
    assert_int_equal(got.st_ino, sent.st_ino);
    sysutil_close(&fd);
    ends_close();
}

static void a_file_is_sent_and_every_answer_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(script_rows); i++) {
        check_chown_script(&script_rows[i]);
    }
}

static void a_parent_that_has_ended_is_gone(void **state)
{
    const struct log_record record = {.event = LOG_EVENT_WARNING};
    struct netaddr target;
    uint16_t port;
    int fd, other_fd;

    (void)state;
    assert_true(netaddr_parse("::1", AF_INET6, &target));
    ends_open();
    sysutil_close(&parent_fd);
    assert_int_equal(privsock_login(priv_fd, false, "", 0, "", 0), PRIVSOCK_GONE);
    assert_int_equal(privsock_pasv_listen(priv_fd, &fd, &port), PRIVSOCK_GONE);
    assert_int_equal(fd, -1);
    assert_int_equal(privsock_data_sock(priv_fd, &target, &fd), PRIVSOCK_GONE);
    assert_int_equal(fd, -1);
    assert_int_equal(privsock_chown_upload(priv_fd, priv_fd), PRIVSOCK_GONE);
    assert_int_equal(privsock_start_tls(priv_fd, &fd, &other_fd), PRIVSOCK_GONE);
    assert_int_equal(fd, -1);
    assert_int_equal(other_fd, -1);
    assert_true(privsock_log(priv_fd, &record)); /* it waits */
    assert_false(privsock_send_log(priv_fd));
    assert_true(privsock_log_due_ms() == 0);
    ends_close();
}

static void the_longest_name_and_password_are_sent(void **state)
{
    char *name = unit_repeat('n', LOGIN_NAME_MAX_LEN);
    char *password = unit_repeat('p', LOGIN_PASSWORD_MAX_LEN);
    union priv_request request;

    (void)state;
    ends_open();
    assert_int_equal(shutdown(parent_fd, SHUT_WR), 0);
    assert_int_equal(
        privsock_login(priv_fd, false, name, LOGIN_NAME_MAX_LEN, password, LOGIN_PASSWORD_MAX_LEN),
        PRIVSOCK_GONE);
    take_request(&request, sizeof(request.login));
    assert_int_equal(request.login.name_len, LOGIN_NAME_MAX_LEN);
    assert_int_equal(request.login.password_len, LOGIN_PASSWORD_MAX_LEN);
    assert_memory_equal(request.login.name, name, LOGIN_NAME_MAX_LEN);
    assert_memory_equal(request.login.password, password, LOGIN_PASSWORD_MAX_LEN);
    ends_close();
    free(name);
    free(password);
}

static void an_ipv6_target_is_sent_as_such(void **state)
{
    union priv_request request;
    struct netaddr target;
    int fd;

    (void)state;
    assert_true(netaddr_parse("2001:db8::7", AF_INET6, &target));
    target.port = 65535;
    ends_open();
    assert_int_equal(shutdown(parent_fd, SHUT_WR), 0);
    assert_int_equal(privsock_data_sock(priv_fd, &target, &fd), PRIVSOCK_GONE);
    take_request(&request, sizeof(request.data_sock));
    assert_int_equal(request.data_sock.is_ipv6, 1);
    assert_int_equal(request.data_sock.port, 65535);
    assert_memory_equal(request.data_sock.address, target.bytes, 16);
    ends_close();
}

/* The next message must be a record with this text. */
static void take_record(const char *text)
{
    static union priv_request request;
    ssize_t len = recv(parent_fd, &request, sizeof(request), MSG_DONTWAIT);

    assert_int_equal(len, offsetof(struct priv_log, text) + strlen(text));
    assert_int_equal(request.command, PRIV_SOCK_LOG);
    assert_memory_equal(request.log.text, text, strlen(text));
}

static void log_text(const char *text)
{
    const struct log_record record = {
        .event = LOG_EVENT_UPLOAD, .text = text, .text_len = strlen(text)};

    assert_true(privsock_log(priv_fd, &record));
}

static void records_wait_for_each_other(void **state)
{
    int64_t before_ms = sysutil_now_ms();
    char byte;

    (void)state;
    ends_open();
    assert_true(privsock_log_due_ms() == 0);
    log_text("one");
    log_text("two");
    assert_int_equal(recv(parent_fd, &byte, 1, MSG_DONTWAIT), -1);
    assert_true(privsock_log_due_ms() > before_ms);
    assert_true(privsock_log_due_ms() <= sysutil_now_ms() + 100);
    assert_true(privsock_send_log(priv_fd));
    assert_true(privsock_log_due_ms() == 0);
    take_record("one");
    take_record("two");
    ends_close();
}

static void a_request_sends_records_first(void **state)
{
    union priv_request request;

    (void)state;
    ends_open();
    log_text("before");
    assert_int_equal(shutdown(parent_fd, SHUT_WR), 0);
    assert_int_equal(privsock_user(priv_fd, "n", 1), PRIVSOCK_GONE);
    take_record("before");
    take_request(&request, sizeof(request.user));
    ends_close();
}

/* A transfer in active mode does not wake the parent for the record of the one before. */
static void a_request_to_connect_overtakes_records(void **state)
{
    const struct netaddr target = {.family = AF_INET, .port = 1};
    union priv_request request;
    uint16_t port;
    int fd;

    (void)state;
    ends_open();
    log_text("before");
    assert_int_equal(shutdown(parent_fd, SHUT_WR), 0);
    assert_int_equal(privsock_data_sock(priv_fd, &target, &fd), PRIVSOCK_GONE);
    take_request(&request, sizeof(request.data_sock));
    assert_true(privsock_log_due_ms() != 0);
    assert_int_equal(privsock_pasv_listen(priv_fd, &fd, &port), PRIVSOCK_GONE);
    take_record("before");
    take_request(&request, sizeof(request.command));
    ends_close();
}

/* Each row is more than can wait: by number, and by bytes. All arrive, in order. */
static void too_many_records_are_sent(void **state)
{
    static const struct {
        unsigned count;
        size_t len;
    } rows[] = {{17, 1}, {5, 1000}, {2, 5000}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ends_open();
        for (unsigned n = 0; n < rows[i].count; n++) {
            char *text = unit_repeat((char)('a' + n), rows[i].len);

            log_text(text);
            free(text);
        }
        for (unsigned n = 0; n < rows[i].count; n++) {
            char *text = unit_repeat((char)('a' + n), rows[i].len);

            if (n == rows[i].count - 1) {
                assert_true(privsock_send_log(priv_fd));
            }
            take_record(text);
            free(text);
        }
        ends_close();
    }
}

struct text_row {
    const char *name;
    size_t len, sent;
};

/* clang-format off */
static const struct text_row text_rows[] = {
    { "record_without_a_text", 0, 0 },
    { "record_with_a_text", 100, 100 },
    { "record_with_the_longest_text", PRIV_LOG_TEXT_MAX, PRIV_LOG_TEXT_MAX },
    { "record_with_a_text_too_long_is_cut", PRIV_LOG_TEXT_MAX + 1, PRIV_LOG_TEXT_MAX },
    { "record_with_a_text_much_too_long_is_cut", 100000, PRIV_LOG_TEXT_MAX },
};
/* clang-format on */

static void a_detail_goes_behind_the_text(void **state)
{
    static const size_t lengths[][4] = {
        /* text, detail, and what is sent of them */
        {3, 2, 3, 2},
        {0, 2, 0, 2},
        {100000, 2, PRIV_LOG_TEXT_MAX - 2, 2},
        {100000, 100000, PRIV_LOG_TEXT_MAX - PRIV_LOG_DETAIL_MAX, PRIV_LOG_DETAIL_MAX},
    };
    char *text = unit_repeat('t', 100000);
    char *detail = unit_repeat('d', 100000);
    static union priv_request request;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        const struct log_record record = {.event = LOG_EVENT_RENAME,
                                          .is_ascii = true,
                                          .error = -7,
                                          .text = text,
                                          .text_len = lengths[i][0],
                                          .detail = detail,
                                          .detail_len = lengths[i][1]};

        ends_open();
        assert_true(privsock_log(priv_fd, &record));
        assert_true(privsock_send_log(priv_fd));
        take_request(&request, offsetof(struct priv_log, text) + lengths[i][2] + lengths[i][3]);
        assert_int_equal(request.log.detail_len, lengths[i][3]);
        assert_int_equal(request.log.is_ascii, 1);
        assert_int_equal(request.log.error, -7);
        assert_memory_equal(request.log.text, text, lengths[i][2]);
        assert_memory_equal(request.log.text + lengths[i][2], detail, lengths[i][3]);
        ends_close();
    }
    free(text);
    free(detail);
}

static void check_text(void **state)
{
    const struct text_row *row = *state;
    char *text = unit_repeat('t', row->len);
    const struct log_record record = {.event = LOG_EVENT_UPLOAD,
                                      .ok = true,
                                      .has_bytes = true,
                                      .bytes = UINT64_MAX - 1,
                                      .duration_ms = UINT32_MAX - 1,
                                      .text = row->len > 0 ? text : NULL,
                                      .text_len = row->len};
    static union priv_request request;

    ends_open();
    assert_true(privsock_log(priv_fd, &record));
    assert_true(privsock_send_log(priv_fd));
    take_request(&request, offsetof(struct priv_log, text) + row->sent);
    assert_int_equal(request.command, PRIV_SOCK_LOG);
    assert_int_equal(request.log.event, LOG_EVENT_UPLOAD);
    assert_int_equal(request.log.ok, 1);
    assert_int_equal(request.log.has_bytes, 1);
    assert_int_equal(request.log.bytes, UINT64_MAX - 1);
    assert_int_equal(request.log.duration_ms, UINT32_MAX - 1);
    assert_memory_equal(request.log.text, text, row->sent);
    ends_close();
    free(text);
}

struct anonymous_row {
    const char *name;
    const char *user;
    bool anonymous;
};

/* clang-format off */
static const struct anonymous_row anonymous_rows[] = {
    { "anonymous_is_anonymous", "anonymous", true },
    { "ftp_is_anonymous", "ftp", true },
    { "anonymous_in_any_case", "AnonYmous", true },
    { "ftp_in_any_case", "FTP", true },
    { "nobody_is_not_anonymous", "nobody", false },
    { "a_beginning_is_not_anonymous", "anonymou", false },
    { "a_longer_name_is_not_anonymous", "ftp1", false },
    { "nothing_is_not_anonymous", "", false },
};
/* clang-format on */

static void check_anonymous(void **state)
{
    const struct anonymous_row *row = *state;

    assert_int_equal(privsock_is_anonymous(row->user), row->anonymous);
}

/* The last test: the word is never taken back. */
static void a_notice_may_cross_a_request(void **state)
{
    const struct priv_reply reply = {.result = PRIV_RESULT_FAILED, .error = EADDRINUSE};
    const uint8_t notice = PRIV_DRAIN;
    uint16_t port;
    int fd;

    (void)state;
    ends_open();
    assert_false(privsock_is_draining());
    assert_int_equal(sysutil_send_message(parent_fd, &notice, 1, -1), 0);
    assert_int_equal(sysutil_send_message(parent_fd, &reply, sizeof(reply), -1), 0);
    assert_status(privsock_pasv_listen(priv_fd, &fd, &port), PRIVSOCK_FAILED, EADDRINUSE);
    assert_true(privsock_is_draining());
    assert_int_equal(sysutil_send_message(parent_fd, &notice, 1, -1), 0);
    assert_true(privsock_take_notice(priv_fd));
    assert_int_equal(sysutil_send_message(parent_fd, &notice, 1, parent_fd), 0);
    assert_false(privsock_take_notice(priv_fd)); /* it comes without a descriptor */
    sysutil_close(&parent_fd);
    assert_false(privsock_take_notice(priv_fd));
    assert_true(privsock_is_draining());
    ends_close();
}

/* TLS is answered by two descriptors or by none. */
static void tls_is_two_descriptors_or_none(void **state)
{
    const struct priv_reply good = {.result = PRIV_RESULT_OK};
    const struct priv_reply bad = {.result = PRIV_RESULT_FAILED, .error = EAGAIN};
    union priv_request request;
    int plain_fd, relay_fd;
    size_t before;

    (void)state;
    ends_open();
    before = unit_count_fds();
    assert_int_equal(sysutil_send_message(parent_fd, &good, sizeof(good), parent_fd), 0);
    assert_int_equal(sysutil_send_message(parent_fd, &good, sizeof(good), parent_fd), 0);
    assert_int_equal(privsock_start_tls(priv_fd, &plain_fd, &relay_fd), PRIVSOCK_OK);
    assert_int_equal(unit_count_fds(), before + 2);
    assert_int_not_equal(plain_fd, relay_fd);
    take_request(&request, 1);
    assert_int_equal(request.command, PRIV_SOCK_START_TLS);
    sysutil_close(&plain_fd);
    sysutil_close(&relay_fd);
    assert_int_equal(sysutil_send_message(parent_fd, &bad, sizeof(bad), -1), 0);
    assert_status(privsock_start_tls(priv_fd, &plain_fd, &relay_fd), PRIVSOCK_FAILED, EAGAIN);
    assert_int_equal(sysutil_send_message(parent_fd, &good, sizeof(good), parent_fd), 0);
    assert_int_equal(sysutil_send_message(parent_fd, &good, sizeof(good), -1), 0);
    assert_int_equal(privsock_start_tls(priv_fd, &plain_fd, &relay_fd), PRIVSOCK_GONE);
    assert_int_equal(unit_count_fds(), before);
    ends_close();
}

int main(void)
{
    UNIT_ADD_TABLE(check_script, script_rows);
    UNIT_ADD(a_file_is_sent_and_every_answer_taken);
    UNIT_ADD(tls_is_two_descriptors_or_none);
    UNIT_ADD(a_parent_that_has_ended_is_gone);
    UNIT_ADD(the_longest_name_and_password_are_sent);
    UNIT_ADD(an_ipv6_target_is_sent_as_such);
    UNIT_ADD(records_wait_for_each_other);
    UNIT_ADD(a_request_sends_records_first);
    UNIT_ADD(a_request_to_connect_overtakes_records);
    UNIT_ADD(too_many_records_are_sent);
    UNIT_ADD_TABLE(check_text, text_rows);
    UNIT_ADD(a_detail_goes_behind_the_text);
    UNIT_ADD_TABLE(check_anonymous, anonymous_rows);
    UNIT_ADD(a_notice_may_cross_a_request);
    return unit_run("privsock");
}
