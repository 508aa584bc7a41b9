/*
 * test_tlsproto.c - the messages between the daemon and miniftpd-tls
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: socketpairs of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysutil.h"
#include "tlsproto.h"
#include "unit.h"

#define HEAD offsetof(struct tlsproto_message, text)

static int out_fd, in_fd;

static void ends_open(void)
{
    int fds[2];

    assert_int_equal(sysutil_socketpair(fds), 0);
    out_fd = fds[0];
    in_fd = fds[1];
}

static void ends_close(void)
{
    sysutil_close(&out_fd);
    sysutil_close(&in_fd);
}

/* ---- what is taken and what is not ---- */

struct message_row {
    const char *name;
    struct tlsproto_message message;
    size_t len; /* bytes sent */
    bool passes;
    bool good;
};

/* clang-format off */
static const struct message_row message_rows[] = {
    { "start", { .kind = TLSPROTO_START }, HEAD, true, true },
    { "start_without_a_descriptor", { .kind = TLSPROTO_START }, HEAD, false, false },
    { "net", { .kind = TLSPROTO_NET }, HEAD, true, true },
    { "plain_with_a_rate", { .kind = TLSPROTO_PLAIN, .rate = UINT64_MAX }, HEAD, true, true },
    { "go", { .kind = TLSPROTO_GO, .timeout_ms = UINT32_MAX }, HEAD, false, true },
    { "go_with_a_descriptor", { .kind = TLSPROTO_GO }, HEAD, true, false },
    { "data", { .kind = TLSPROTO_DATA, .flags = TLSPROTO_UPLOAD | TLSPROTO_STRICT }, HEAD, true, true },
    { "data_without_a_descriptor", { .kind = TLSPROTO_DATA }, HEAD, false, false },
    { "file", { .kind = TLSPROTO_FILE, .offset = 5, .limit = 7 }, HEAD, true, true },
    { "file_to_its_end", { .kind = TLSPROTO_FILE, .offset = INT64_MAX, .limit = UINT64_MAX }, HEAD, true, true },
    { "file_behind_all_files", { .kind = TLSPROTO_FILE, .offset = 1ULL << 63 }, HEAD, true, false },
    { "file_that_overflows", { .kind = TLSPROTO_FILE, .offset = INT64_MAX, .limit = 1 }, HEAD, true, false },
    { "file_limit_of_a_negative", { .kind = TLSPROTO_FILE, .limit = UINT64_MAX - 1 }, HEAD, true, false },
    { "abort_by_reset", { .kind = TLSPROTO_ABORT, .flags = TLSPROTO_RESET }, HEAD, false, true },
    { "all_flags", { .kind = TLSPROTO_ABORT, .flags = TLSPROTO_FLAGS }, HEAD, false, true },
    { "one_flag_more", { .kind = TLSPROTO_ABORT, .flags = TLSPROTO_FLAGS + 1 }, HEAD, false, false },
    { "end", { .kind = TLSPROTO_END, .result = TLSPROTO_ABORTED, .error = -1 }, HEAD, false, true },
    { "end_with_another_result", { .kind = TLSPROTO_END, .result = TLSPROTO_ABORTED + 1 }, HEAD, false, false },
    { "no_kind", { .kind = 0 }, HEAD, false, false },
    { "kind_beyond_the_last", { .kind = TLSPROTO_END + 1 }, HEAD, false, false },
    { "text", { .kind = TLSPROTO_UP, .text_len = 3, .text = "abc" }, HEAD + 3, false, true },
    { "longest_text", { .kind = TLSPROTO_UP, .text_len = TLSPROTO_TEXT_MAX }, HEAD + TLSPROTO_TEXT_MAX, false, true },
    { "text_shorter_than_it_says", { .kind = TLSPROTO_UP, .text_len = 3 }, HEAD + 2, false, false },
    { "text_longer_than_it_says", { .kind = TLSPROTO_UP, .text_len = 3 }, HEAD + 4, false, false },
    { "text_longer_than_there_is_room", { .kind = TLSPROTO_UP, .text_len = 255 }, HEAD + TLSPROTO_TEXT_MAX, false, false },
    { "head_cut", { .kind = TLSPROTO_GO }, HEAD - 1, false, false },
    { "head_cut_with_a_descriptor", { .kind = TLSPROTO_NET }, HEAD - 1, true, false },
    { "one_byte", { .kind = TLSPROTO_GO }, 1, false, false },
};
/* clang-format on */

static void message_is_checked(void **state)
{
    const struct message_row *row = *state;
    struct tlsproto_message got;
    size_t fds_before;
    int fd = -2;

    ends_open();
    fds_before = unit_count_fds();
    assert_int_equal(
        sysutil_send_message(out_fd, &row->message, row->len, row->passes ? out_fd : -1), 0);
    errno = 0;
    assert_int_equal(tlsproto_receive(in_fd, &got, &fd), row->good ? 1 : -1);
    if (row->good) {
        assert_memory_equal(&got, &row->message, row->len);
        assert_int_equal(fd != -1, row->passes);
        sysutil_close(&fd);
    } else {
        assert_int_equal(errno, EPROTO);
        assert_int_equal(fd, -1);
    }
    assert_int_equal(unit_count_fds(), fds_before); /* what nobody wanted was closed */
    ends_close();
}

/* ---- there and back ---- */

static void message_arrives_as_it_was_sent(void **state)
{
    struct tlsproto_message sent = {
        .kind = TLSPROTO_FILE, .offset = 1, .limit = UINT64_MAX, .rate = 3, .timeout_ms = 4};
    struct tlsproto_message got;
    struct stat there, here;
    int fd;

    (void)state;
    ends_open();
    assert_int_equal(tlsproto_send(out_fd, &sent, in_fd), 0);
    assert_int_equal(tlsproto_receive(in_fd, &got, &fd), 1);
    assert_memory_equal(&got, &sent, HEAD);
    assert_int_equal(fstat(fd, &there), 0);
    assert_int_equal(fstat(in_fd, &here), 0);
    assert_int_equal(there.st_ino, here.st_ino);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    sysutil_close(&fd);
    ends_close();
}

static void text_is_cut_to_its_limit(void **state)
{
    struct tlsproto_message sent = {.kind = TLSPROTO_DOWN};
    struct tlsproto_message got;
    char text[2 * TLSPROTO_TEXT_MAX];
    int fd;

    (void)state;
    ends_open();
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    tlsproto_set_text(&sent, text);
    assert_int_equal(sent.text_len, TLSPROTO_TEXT_MAX);
    assert_int_equal(tlsproto_send(out_fd, &sent, -1), 0);
    assert_int_equal(tlsproto_receive(in_fd, &got, &fd), 1);
    assert_memory_equal(got.text, text, TLSPROTO_TEXT_MAX);
    ends_close();
}

static void nothing_of_an_earlier_message_remains(void **state)
{
    struct tlsproto_message sent = {.kind = TLSPROTO_DOWN};
    struct tlsproto_message got;
    static const char zeros[TLSPROTO_TEXT_MAX];
    int fd;

    (void)state;
    ends_open();
    memset(&got, 'x', sizeof(got));
    assert_int_equal(tlsproto_send(out_fd, &sent, -1), 0);
    assert_int_equal(tlsproto_receive(in_fd, &got, &fd), 1);
    assert_memory_equal(got.text, zeros, sizeof(zeros));
    ends_close();
}

static void end_of_the_other_side_is_no_message(void **state)
{
    struct tlsproto_message message = {.kind = TLSPROTO_GO};
    int fd;

    (void)state;
    ends_open();
    sysutil_close(&out_fd);
    assert_int_equal(tlsproto_receive(in_fd, &message, &fd), 0);
    assert_int_equal(fd, -1);
    message = (struct tlsproto_message){.kind = TLSPROTO_GO};
    assert_int_equal(tlsproto_send(in_fd, &message, -1), -1);
    assert_int_equal(errno, EPIPE);
    ends_close();
}

int main(void)
{
    UNIT_ADD_TABLE(message_is_checked, message_rows);
    UNIT_ADD(message_arrives_as_it_was_sent);
    UNIT_ADD(text_is_cut_to_its_limit);
    UNIT_ADD(nothing_of_an_earlier_message_remains);
    UNIT_ADD(end_of_the_other_side_is_no_message);
    return unit_run("tlsproto");
}
