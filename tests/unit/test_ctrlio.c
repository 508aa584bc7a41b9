/*
 * test_ctrlio.c - the control channel: lines in, replies out, waiting
 *
 * Process: a test program; one thread reads slowly.
 * Trusts:  nothing.
 * Touches: socketpairs of its own.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctrlio.h"
#include "privsock.h"
#include "str.h"
#include "sysutil.h"
#include "unit.h"

#define LONG_AGO      1     /* a deadline that has passed */
#define PATIENCE_MS   60000 /* longer than any test takes */
#define IMPATIENCE_MS 20

#define BYTES(text) (text), sizeof(text) - 1

/* Both ends of a control connection and of the socket to the parent. */
static struct {
    struct ctrlio io;
    int client, ctrl_fd;
    int parent, priv_fd;
} ends;

static void ends_open(bool one_line, int64_t write_timeout_ms)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ends.client = fds[0];
    ends.ctrl_fd = fds[1];
    assert_int_equal(sysutil_socketpair(fds), 0);
    ends.parent = fds[0];
    ends.priv_fd = fds[1];
    ctrlio_init(&ends.io, ends.ctrl_fd, ends.priv_fd, one_line, write_timeout_ms);
}

static void ends_close(void)
{
    sysutil_close(&ends.client);
    sysutil_close(&ends.ctrl_fd);
    sysutil_close(&ends.parent);
    sysutil_close(&ends.priv_fd);
}

static void client_sends(const char *data, size_t len)
{
    assert_int_equal(send(ends.client, data, len, MSG_DONTWAIT | MSG_NOSIGNAL), len);
}

static void client_ends(void)
{
    assert_int_equal(shutdown(ends.client, SHUT_WR), 0);
}

/* Read until nothing more comes, and note what came: "<line>", "long", "bad", "eof". */
static void note_lines(struct str *notes)
{
    struct str line = STR_INIT(FTP_LINE_MAX);
    enum ctrl_result result;

    do {
        result = ctrlio_read_line(&ends.io, &line, LONG_AGO);
        assert_true(result == CTRL_LINE || line.len == 0);
        switch (result) {
        case CTRL_LINE:
            str_append(notes, "<");
            str_append_escaped(notes, str_text(&line), line.len, 100);
            str_append(notes, ">");
            break;
        case CTRL_TOO_LONG:
            str_append(notes, "long ");
            break;
        case CTRL_BAD_BYTES:
            str_append(notes, "bad ");
            break;
        case CTRL_EOF:
            str_append(notes, "eof");
            break;
        default:
            assert_int_equal(result, CTRL_TIMEOUT);
            break;
        }
    } while (result != CTRL_TIMEOUT && result != CTRL_EOF);
    str_free(&line);
}

/* Deliver data in two parts, and compare what is read. */
static void assert_lines(bool one_line, const char *data, size_t len, size_t cut,
                         const char *expected)
{
    struct str notes = STR_INIT(100000);

    ends_open(one_line, PATIENCE_MS);
    if (cut > 0) {
        client_sends(data, cut);
        note_lines(&notes);
    }
    client_sends(data + cut, len - cut);
    client_ends();
    note_lines(&notes);
    assert_true(str_ok(&notes));
    assert_string_equal(str_text(&notes), expected);
    str_free(&notes);
    ends_close();
}

struct line_row {
    const char *name;
    const char *data;
    size_t len;
    const char *expected;
};

/* clang-format off */
static const struct line_row line_rows[] = {
    { "line_with_crlf", BYTES("NOOP\r\n"), "<NOOP>eof" },
    { "line_with_lf_alone", BYTES("NOOP\n"), "<NOOP>eof" },
    { "line_with_two_crs", BYTES("NOOP\r\r\n"), "<NOOP>eof" },
    { "line_with_nothing_in_it", BYTES("\r\n\nNOOP\r\n"), "<><><NOOP>eof" },
    { "line_keeps_blanks", BYTES("  RETR  a b \r\n"), "<  RETR  a b >eof" },
    { "line_keeps_bytes_over_127", BYTES("DELE \xE4\xFE\r\n"), "<DELE \\xE4\\xFE>eof" },
    { "line_keeps_control_bytes", BYTES("DELE \x01\t\x7F\r\n"), "<DELE \\x01\\x09\\x7F>eof" },
    { "lines_pipelined", BYTES("USER a\r\nPASS b\r\nNOOP\r\n"), "<USER a><PASS b><NOOP>eof" },
    { "line_without_an_end_is_no_line", BYTES("NOOP\r\nDELE canary"), "<NOOP>eof" },
    { "line_cut_at_its_cr_is_no_line", BYTES("DELE canary\r"), "eof" },
    { "nul_makes_a_bad_line", BYTES("DELE a\0b\r\nNOOP\r\n"), "bad <NOOP>eof" },
    { "nul_in_front_makes_a_bad_line", BYTES("\0NOOP\r\nNOOP\r\n"), "bad <NOOP>eof" },
    { "nul_at_the_end_makes_a_bad_line", BYTES("NOOP\0\r\nNOOP\r\n"), "bad <NOOP>eof" },
    { "nul_after_the_cr_makes_a_bad_line", BYTES("NOOP\r\0\nNOOP\r\n"), "bad <NOOP>eof" },
    { "lone_cr_makes_a_bad_line", BYTES("DELE a\rDELE b\r\nNOOP\r\n"), "bad <NOOP>eof" },
    { "lone_cr_in_front_makes_a_bad_line", BYTES("\rNOOP\r\nNOOP\r\n"), "bad <NOOP>eof" },
    { "telnet_doubled_ff_is_the_byte", BYTES("DELE a\xFF\xFF" "b\r\n"), "<DELE a\\xFFb>eof" },
    { "telnet_two_doubled_ffs", BYTES("\xFF\xFF\xFF\xFF\r\n"), "<\\xFF\\xFF>eof" },
    { "telnet_interrupt_before_abor", BYTES("\xFF\xF4\xFF\xF2" "ABOR\r\n"), "<ABOR>eof" },
    { "telnet_command_inside_a_word", BYTES("NO\xFF\xF1OP\r\n"), "<NOOP>eof" },
    { "telnet_options", BYTES("\xFF\xFB\x01\xFF\xFC\x02\xFF\xFD\x03\xFF\xFE\x04NOOP\r\n"), "<NOOP>eof" },
    { "telnet_option_lf_ends_no_line", BYTES("NO\xFF\xFB\nOP\r\n"), "<NOOP>eof" },
    { "telnet_option_nul_is_no_text", BYTES("NO\xFF\xFD\0OP\r\n"), "<NOOP>eof" },
    { "telnet_option_ff_is_one_byte", BYTES("\xFF\xFB\xFFNOOP\r\n"), "<NOOP>eof" },
    { "telnet_subnegotiation", BYTES("\xFF\xFA\x18\x01xterm\xFF\xF0NOOP\r\n"), "<NOOP>eof" },
    { "telnet_subnegotiation_with_line_endings", BYTES("NO\xFF\xFA\n\r\nDELE a\r\n\xFF\xF0OP\r\n"), "<NOOP>eof" },
    { "telnet_subnegotiation_with_a_doubled_ff", BYTES("\xFF\xFA\xFF\xFF\xF0\xFF\xF0NOOP\r\n"), "<NOOP>eof" },
    { "telnet_subnegotiation_without_an_end", BYTES("NOOP\r\n\xFF\xFA" "DELE a\r\n"), "<NOOP>eof" },
    { "telnet_command_between_cr_and_lf", BYTES("NOOP\r\xFF\xF1\nNOOP\n"), "<NOOP><NOOP>eof" },
    { "telnet_command_without_an_end", BYTES("NOOP\r\n\xFF"), "<NOOP>eof" },
    { "telnet_iac_before_lf_takes_it", BYTES("NOOP\xFF\n\r\n"), "<NOOP>eof" },
    { "telnet_doubled_ff_before_lf_leaves_it", BYTES("a\xFF\xFF\nb\n"), "<a\\xFF><b>eof" },
};
/* clang-format on */

/* In both modes, in one piece and cut at every offset. */
static void check_lines(void **state)
{
    const struct line_row *row = *state;

    for (size_t cut = 0; cut < row->len; cut++) {
        assert_lines(false, row->data, row->len, cut, row->expected);
        assert_lines(true, row->data, row->len, cut, row->expected);
    }
}

struct length_row {
    const char *name;
    size_t len;
    bool good;
};

/* clang-format off */
static const struct length_row length_rows[] = {
    { "length_4095", 4095, true },
    { "length_4096", 4096, true },
    { "length_4097_is_too_long", 4097, false },
    { "length_4098_is_too_long", 4098, false },
    { "length_4099_is_too_long", 4099, false },
    { "length_8190_is_too_long", 8190, false },
    { "length_8191_is_too_long", 8191, false },
    { "length_8192_is_too_long", 8192, false },
    { "length_8193_is_too_long", 8193, false },
    { "length_100_kib_is_too_long", 102400, false },
};
/* clang-format on */

/* The line goes by as a whole: nothing of its end is a command, what follows is. */
static void check_length(void **state)
{
    static const char *const endings[] = {"\n", "\r\n"};
    static const size_t cuts[] = {0, 1, 4094, 4095};
    const struct length_row *row = *state;

    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        char *content = unit_repeat('a', row->len);
        struct str data = STR_INIT(200000), expected = STR_INIT(1000);

        memcpy(content + row->len - 11, "DELE canary", 11);
        str_append(&data, content);
        str_append(&data, endings[i]);
        str_append(&data, "NOOP\r\n");
        if (row->good) {
            str_append_char(&expected, '<');
            str_append_escaped(&expected, content, row->len, 100);
            str_append_char(&expected, '>');
        } else {
            str_append(&expected, "long ");
        }
        str_append(&expected, "<NOOP>eof");
        for (size_t j = 0; j < ARRAY_LEN(cuts); j++) {
            assert_lines(false, data.buf, data.len, cuts[j], str_text(&expected));
            assert_lines(true, data.buf, data.len, cuts[j], str_text(&expected));
        }
        str_free(&data);
        str_free(&expected);
        free(content);
    }
}

static void a_line_that_never_ends_is_discarded_as_it_comes(void **state)
{
    char *part = unit_repeat('a', 8192);
    struct str notes = STR_INIT(1000);

    (void)state;
    for (int one_line = 0; one_line < 2; one_line++) {
        ends_open(one_line == 1, PATIENCE_MS);
        for (int i = 0; i < 1000; i++) {
            client_sends(part, 8192);
            note_lines(&notes);
        }
        assert_int_equal(notes.len, 0);
        client_sends(BYTES("\r\nNOOP\r\n"));
        note_lines(&notes);
        assert_string_equal(str_text(&notes), "long <NOOP>");
        str_clear(&notes);
        ends_close();
    }
    str_free(&notes);
    free(part);
}

static void a_flood_of_telnet_commands_is_no_text(void **state)
{
    struct str data = STR_INIT(200000);

    (void)state;
    str_append(&data, "NO");
    for (int i = 0; i < 30000; i++) {
        str_append(&data, "\xFF\xF1");
    }
    str_append(&data, "OP\r\n");
    assert_lines(false, data.buf, data.len, 0, "<NOOP>eof");
    assert_lines(true, data.buf, data.len, 4096, "<NOOP>eof");
    str_free(&data);
}

static void a_thousand_pipelined_lines_come_in_order(void **state)
{
    struct str data = STR_INIT(100000), expected = STR_INIT(100000);

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        str_append_format(&data, "NOOP %u\r\n", i);
        str_append_format(&expected, "<NOOP %u>", i);
    }
    str_append(&expected, "eof");
    assert_lines(false, data.buf, data.len, 0, str_text(&expected));
    assert_lines(true, data.buf, data.len, 0, str_text(&expected));
    str_free(&data);
    str_free(&expected);
}

static void a_line_that_came_with_another_is_known(void **state)
{
    struct str line = STR_INIT(FTP_LINE_MAX);

    (void)state;
    ends_open(false, PATIENCE_MS);
    client_sends(BYTES("NOOP\r\nPWD\r\nST"));
    assert_false(ctrlio_has_line(&ends.io)); /* not received yet */
    assert_int_equal(ctrlio_read_line(&ends.io, &line, SYSUTIL_FOREVER), CTRL_LINE);
    assert_true(ctrlio_has_line(&ends.io));
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_LINE);
    assert_string_equal(str_text(&line), "PWD");
    assert_false(ctrlio_has_line(&ends.io)); /* the beginning of one */
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_TIMEOUT);
    assert_false(ctrlio_has_line(&ends.io));
    str_free(&line);
    ends_close();
}

static void the_filter_does_not_depend_on_where_input_is_cut(void **state)
{
    static const char letters[] = {'\xFF', '\xFA', '\xF0', '\xFB', '\xF4', '\n', 'a'};
    const size_t count =
        sizeof(letters) * sizeof(letters) * sizeof(letters) * sizeof(letters) * sizeof(letters);

    (void)state;
    for (size_t number = 0; number < count; number++) {
        char data[5];
        char whole[5];
        enum ctrlio_telnet state_whole = TELNET_TEXT;
        size_t rest = number, len;

        for (size_t i = 0; i < sizeof(data); i++) {
            data[i] = letters[rest % sizeof(letters)];
            rest /= sizeof(letters);
        }
        memcpy(whole, data, sizeof(data));
        len = ctrlio_telnet_filter(&state_whole, whole, sizeof(whole));
        assert_true(len <= sizeof(whole));
        for (size_t cut = 0; cut <= sizeof(data); cut++) {
            char parts[5];
            enum ctrlio_telnet state_parts = TELNET_TEXT;
            size_t first, second;

            memcpy(parts, data, sizeof(data));
            first = ctrlio_telnet_filter(&state_parts, parts, cut);
            second = ctrlio_telnet_filter(&state_parts, parts + cut, sizeof(data) - cut);
            memmove(parts + first, parts + cut, second);
            assert_int_equal(first + second, len);
            assert_memory_equal(parts, whole, len);
            assert_int_equal(state_parts, state_whole);
        }
    }
}

struct leave_row {
    const char *name;
    const char *data;
    size_t len;
    const char *first; /* what is noted of the first line */
    const char *rest;  /* what stays in the socket */
};

/* clang-format off */
static const struct leave_row leave_rows[] = {
    { "one_line_leaves_the_next_line", BYTES("PASS x\r\nSTAT\r\n"), "PASS x", "STAT\r\n" },
    { "one_line_leaves_bytes_that_are_no_line", BYTES("AUTH TLS\r\n\x16\x03\x01"), "AUTH TLS", "\x16\x03\x01" },
    { "one_line_sees_through_telnet_options", BYTES("USER\xFF\xFB\n x\r\nPASS y\r\n"), "USER x", "PASS y\r\n" },
    { "one_line_sees_through_subnegotiations", BYTES("a\xFF\xFA\n\xFF\xF0" "b\nPASS y\r\n"), "ab", "PASS y\r\n" },
    { "one_line_leaves_telnet_commands_behind", BYTES("a\n\xFF\xF4" "b\n"), "a", "\xFF\xF4" "b\n" },
    { "one_line_leaves_nothing_of_the_line", BYTES("a\r\n"), "a", "" },
};
/* clang-format on */

static void assert_in_socket(const char *expected)
{
    char buf[100] = "";
    int waiting = -1;

    assert_int_equal(ioctl(ends.ctrl_fd, FIONREAD, &waiting), 0);
    assert_int_equal(waiting, strlen(expected));
    if (waiting > 0) {
        assert_int_equal(recv(ends.ctrl_fd, buf, sizeof(buf), MSG_PEEK), waiting);
        assert_memory_equal(buf, expected, strlen(expected));
    }
}

static void check_leave(void **state)
{
    const struct leave_row *row = *state;
    struct str line = STR_INIT(FTP_LINE_MAX);

    ends_open(true, PATIENCE_MS);
    client_sends(row->data, row->len);
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_LINE);
    assert_string_equal(str_text(&line), row->first);
    assert_in_socket(row->rest);
    str_free(&line);
    ends_close();
}

static void one_line_leaves_what_follows_a_line_too_long(void **state)
{
    char *content = unit_repeat('a', 20000);
    struct str line = STR_INIT(FTP_LINE_MAX);

    (void)state;
    ends_open(true, PATIENCE_MS);
    client_sends(content, 20000);
    client_sends(BYTES("\r\nSTAT\r\n"));
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_TOO_LONG);
    assert_in_socket("STAT\r\n");
    str_free(&line);
    free(content);
    ends_close();
}

static void reading_ends_at_the_deadline_and_goes_on_later(void **state)
{
    struct str line = STR_INIT(FTP_LINE_MAX);

    (void)state;
    ends_open(false, PATIENCE_MS);
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_TIMEOUT);
    client_sends(BYTES("NO"));
    assert_int_equal(ctrlio_read_line(&ends.io, &line, sysutil_now_ms() + 20), CTRL_TIMEOUT);
    assert_int_equal(line.len, 0);
    client_sends(BYTES("OP\r\n"));
    assert_int_equal(ctrlio_read_line(&ends.io, &line, SYSUTIL_FOREVER), CTRL_LINE);
    assert_string_equal(str_text(&line), "NOOP");
    str_free(&line);
    ends_close();
}

static void reading_ends_when_the_parent_ends(void **state)
{
    struct str line = STR_INIT(FTP_LINE_MAX);

    (void)state;
    for (int one_line = 0; one_line < 2; one_line++) {
        ends_open(one_line == 1, PATIENCE_MS);
        sysutil_close(&ends.parent);
        assert_int_equal(ctrlio_read_line(&ends.io, &line, SYSUTIL_FOREVER), CTRL_PARENT_GONE);
        ends_close();
    }
    str_free(&line);
}

static void nonsense_from_the_parent_is_its_end(void **state)
{
    struct str line = STR_INIT(FTP_LINE_MAX);
    const char two[] = {(char)PRIV_DRAIN, 0};

    (void)state;
    for (size_t len = 1; len <= sizeof(two); len++) {
        ends_open(false, PATIENCE_MS);
        assert_int_equal(send(ends.parent, len == 1 ? "x" : two, len, 0), len);
        assert_int_equal(ctrlio_read_line(&ends.io, &line, SYSUTIL_FOREVER), CTRL_PARENT_GONE);
        assert_false(privsock_is_draining());
        ends_close();
    }
    str_free(&line);
}

static void a_reset_by_the_client_is_an_error(void **state)
{
    struct str line = STR_INIT(FTP_LINE_MAX);

    (void)state;
    ends_open(false, PATIENCE_MS);
    assert_int_equal(send(ends.ctrl_fd, "220\r\n", 5, 0), 5);
    sysutil_close(&ends.client); /* with our bytes unread: a reset */
    assert_int_equal(ctrlio_read_line(&ends.io, &line, SYSUTIL_FOREVER), CTRL_ERROR);
    str_free(&line);
    ends_close();
}

/* What the client has received by now. */
static void client_reads(struct str *text)
{
    char buf[4096];
    ssize_t got;

    while ((got = recv(ends.client, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
        str_append_mem(text, buf, (size_t)got);
    }
}

struct reply_row {
    const char *name;
    const char *text;
    const char *expected;
};

/* clang-format off */
static const struct reply_row reply_rows[] = {
    { "reply_is_a_line", "Command okay.", "200 Command okay.\r\n" },
    { "reply_of_nothing", "", "200 \r\n" },
    { "reply_keeps_bytes_over_127", "\xC3\xA4\xFE", "200 \xC3\xA4\xFE\r\n" },
    { "reply_doubles_ff", "a\xFF" "b\xFF\xFF", "200 a\xFF\xFF" "b\xFF\xFF\xFF\xFF\r\n" },
    { "reply_stays_one_line_despite_lf", "a\n221 Bye", "200 a?221 Bye\r\n" },
    { "reply_stays_one_line_despite_crlf", "a\r\n221 Bye\r\n", "200 a??221 Bye??\r\n" },
    { "reply_keeps_percent_signs", "%s%n%x", "200 %s%n%x\r\n" },
};

static const struct reply_row middle_rows[] = {
    { "middle_line_as_it_is", "abc", "abc\r\n" },
    { "middle_line_keeps_its_blank", " MDTM", " MDTM\r\n" },
    { "middle_line_with_a_digit_gets_a_blank", "221 Bye", " 221 Bye\r\n" },
    { "middle_line_stays_one_line", "a\n221 Bye\xFF", "a?221 Bye\xFF\xFF\r\n" },
    { "middle_line_of_nothing", "", "\r\n" },
};
/* clang-format on */

static void assert_reply(const char *expected)
{
    struct str text = STR_INIT(100000);

    assert_true(ctrlio_flush(&ends.io));
    client_reads(&text);
    assert_string_equal(str_text(&text), expected);
    str_free(&text);
}

static void check_reply(void **state)
{
    const struct reply_row *row = *state;

    ends_open(false, PATIENCE_MS);
    ctrlio_reply(&ends.io, 200, row->text);
    assert_reply(row->expected);
    ends_close();
}

static void check_middle(void **state)
{
    const struct reply_row *row = *state;

    ends_open(false, PATIENCE_MS);
    ctrlio_reply_middle(&ends.io, row->text);
    assert_reply(row->expected);
    ends_close();
}

static void a_reply_of_several_lines(void **state)
{
    (void)state;
    ends_open(false, PATIENCE_MS);
    ctrlio_reply_first(&ends.io, 211, "Features:");
    ctrlio_reply_middle(&ends.io, " SIZE");
    ctrlio_reply(&ends.io, 211, "End");
    assert_reply("211-Features:\r\n SIZE\r\n211 End\r\n");
    ends_close();
}

static void replies_go_out_together_before_waiting(void **state)
{
    struct str text = STR_INIT(1000), line = STR_INIT(FTP_LINE_MAX);

    (void)state;
    ends_open(false, PATIENCE_MS);
    client_sends(BYTES("a\r\nb\r\n"));
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_LINE);
    ctrlio_reply(&ends.io, 200, "a");
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_LINE);
    client_reads(&text);
    assert_int_equal(text.len, 0); /* the second line was there: nothing to wait for */
    ctrlio_reply(&ends.io, 200, "b");
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_TIMEOUT);
    client_reads(&text);
    assert_string_equal(str_text(&text), "200 a\r\n200 b\r\n");
    str_free(&text);
    str_free(&line);
    ends_close();
}

static void replies_go_out_before_the_end_is_told(void **state)
{
    struct str text = STR_INIT(1000), line = STR_INIT(FTP_LINE_MAX);

    (void)state;
    ends_open(false, PATIENCE_MS);
    client_sends(BYTES("a\r\n"));
    client_ends();
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_LINE);
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_EOF);
    ctrlio_reply(&ends.io, 200, "a");
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_EOF);
    client_reads(&text);
    assert_string_equal(str_text(&text), "200 a\r\n");
    str_free(&text);
    str_free(&line);
    ends_close();
}

static void *read_slowly(void *collected)
{
    char buf[97];
    ssize_t got;

    (void)poll(NULL, 0,
               100); /* so that the writer meets a full socket; it must not mind either way */
    while ((got = recv(ends.client, buf, sizeof(buf), 0)) > 0) {
        str_append_mem(collected, buf, (size_t)got);
    }
    return NULL;
}

static void large_replies_reach_a_client_that_reads_slowly(void **state)
{
    struct str expected = STR_INIT(2000000), collected = STR_INIT(2000000);
    const int small = 1;
    pthread_t reader;

    (void)state;
    ends_open(false, PATIENCE_MS);
    assert_int_equal(setsockopt(ends.ctrl_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_slowly, &collected), 0);
    for (unsigned i = 0; i < 10000; i++) {
        struct str text = STR_INIT(200);

        str_append_format(&text, " line %u of many\xFF", i);
        ctrlio_reply_middle(&ends.io, str_text(&text));
        str_append_format(&expected, "%s\xFF\r\n", str_text(&text));
        str_free(&text);
    }
    assert_true(ctrlio_flush(&ends.io));
    sysutil_close(&ends.ctrl_fd);
    assert_int_equal(pthread_join(reader, NULL), 0);
    assert_true(str_ok(&collected));
    assert_int_equal(collected.len, expected.len);
    assert_string_equal(str_text(&collected), str_text(&expected));
    str_free(&collected);
    str_free(&expected);
    ends_close();
}

static void reply_much(void)
{
    char *text = unit_repeat('a', 1000);

    for (int i = 0; i < 2000; i++) {
        ctrlio_reply(&ends.io, 200, text);
    }
    free(text);
}

static void a_client_that_reads_nothing_is_given_up(void **state)
{
    struct str line = STR_INIT(FTP_LINE_MAX);

    (void)state;
    ends_open(false, IMPATIENCE_MS);
    client_sends(BYTES("NOOP\r\n")); /* and still sends */
    reply_much();
    assert_false(ctrlio_flush(&ends.io));
    ctrlio_reply(&ends.io, 200, "into nothing");
    assert_false(ctrlio_flush(&ends.io));
    assert_int_equal(ctrlio_wait(&ends.io, -1, 0, LONG_AGO), CTRL_WAIT_GONE);
    str_free(&line);
    ends_close();
}

static void a_flush_does_not_outlive_the_parent(void **state)
{
    (void)state;
    ends_open(false, PATIENCE_MS * 10); /* alarm(2) ends a flush that waits so long */
    sysutil_close(&ends.parent);
    reply_much();
    assert_false(ctrlio_flush(&ends.io));
    ends_close();
}

static void a_client_that_is_gone_gets_no_signal_but_an_end(void **state)
{
    (void)state;
    ends_open(false, PATIENCE_MS);
    sysutil_close(&ends.client);
    ctrlio_reply(&ends.io, 200, "x");
    assert_false(ctrlio_flush(&ends.io));
    ends_close();
}

static void waiting_for_a_descriptor_sees_everything(void **state)
{
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    ends_open(false, PATIENCE_MS);
    assert_int_equal(ctrlio_wait(&ends.io, fds[0], POLLIN, LONG_AGO), CTRL_WAIT_TIMEOUT);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(ctrlio_wait(&ends.io, fds[0], POLLIN, SYSUTIL_FOREVER), CTRL_WAIT_READY);
    client_sends(BYTES("AB"));
    assert_int_equal(ctrlio_wait(&ends.io, fds[0], POLLIN, SYSUTIL_FOREVER), CTRL_WAIT_READY);
    client_sends(BYTES("OR\r\n"));
    assert_int_equal(ctrlio_wait(&ends.io, fds[0], POLLIN, SYSUTIL_FOREVER), CTRL_WAIT_INPUT);
    sysutil_close(&ends.parent);
    assert_int_equal(ctrlio_wait(&ends.io, fds[0], POLLIN, SYSUTIL_FOREVER),
                     CTRL_WAIT_INPUT); /* until it is looked at */
    ends.io.in_seen = ends.io.in_end;
    assert_int_equal(ctrlio_wait(&ends.io, fds[0], POLLIN, SYSUTIL_FOREVER), CTRL_WAIT_PARENT_GONE);
    ends_close();
    close(fds[0]);
    close(fds[1]);
}

static void a_half_closed_client_is_told_once(void **state)
{
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    ends_open(false, PATIENCE_MS);
    client_ends();
    assert_int_equal(ctrlio_wait(&ends.io, fds[0], POLLIN, SYSUTIL_FOREVER), CTRL_WAIT_EOF);
    assert_int_equal(ctrlio_wait(&ends.io, fds[0], POLLIN, LONG_AGO), CTRL_WAIT_TIMEOUT);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(ctrlio_wait(&ends.io, fds[0], POLLIN, SYSUTIL_FOREVER), CTRL_WAIT_READY);
    sysutil_close(&ends.client);
    assert_int_equal(ctrlio_wait(&ends.io, fds[1], POLLIN, SYSUTIL_FOREVER), CTRL_WAIT_GONE);
    ends_close();
    close(fds[0]);
    close(fds[1]);
}

static void lines_are_shown_once_and_stay(void **state)
{
    struct str line = STR_INIT(FTP_LINE_MAX);
    bool front = false;

    (void)state;
    ends_open(false, PATIENCE_MS);
    client_sends(BYTES("NOOP\r\nDELE a\0b\r\nABOR\r\nST"));
    assert_int_equal(ctrlio_wait(&ends.io, -1, 0, SYSUTIL_FOREVER), CTRL_WAIT_INPUT);
    assert_true(ctrlio_next_line(&ends.io, &line, &front));
    assert_string_equal(str_text(&line), "NOOP");
    assert_true(front);
    assert_true(ctrlio_next_line(&ends.io, &line, &front));
    assert_int_equal(line.len, 0); /* not well-formed */
    assert_false(front);
    assert_true(ctrlio_next_line(&ends.io, &line, &front));
    assert_string_equal(str_text(&line), "ABOR");
    assert_false(front);
    assert_false(ctrlio_next_line(&ends.io, &line, &front));
    assert_int_equal(ctrlio_wait(&ends.io, -1, 0, LONG_AGO), CTRL_WAIT_TIMEOUT);
    client_sends(BYTES("AT\r\n"));
    assert_int_equal(ctrlio_wait(&ends.io, -1, 0, SYSUTIL_FOREVER), CTRL_WAIT_INPUT);
    assert_true(ctrlio_next_line(&ends.io, &line, &front));
    assert_string_equal(str_text(&line), "STAT");
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_LINE);
    assert_string_equal(str_text(&line), "NOOP");
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_BAD_BYTES);
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_LINE);
    assert_string_equal(str_text(&line), "ABOR");
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_LINE);
    assert_string_equal(str_text(&line), "STAT");
    assert_false(ctrlio_next_line(&ends.io, &line, &front));
    str_free(&line);
    ends_close();
}

static void the_end_of_a_line_too_long_is_shown_as_nothing(void **state)
{
    char *content = unit_repeat('a', 6000);
    struct str line = STR_INIT(FTP_LINE_MAX);
    bool front = true;

    (void)state;
    ends_open(false, PATIENCE_MS);
    client_sends(content, 6000);
    assert_int_equal(ctrlio_wait(&ends.io, -1, 0, sysutil_now_ms() + 20), CTRL_WAIT_TIMEOUT);
    client_sends(BYTES("ABOR\r\nSTAT\r\n"));
    assert_int_equal(ctrlio_wait(&ends.io, -1, 0, SYSUTIL_FOREVER), CTRL_WAIT_INPUT);
    assert_true(ctrlio_next_line(&ends.io, &line, &front));
    assert_int_equal(line.len, 0);
    assert_true(ctrlio_next_line(&ends.io, &line, &front));
    assert_string_equal(str_text(&line), "STAT");
    assert_false(front);
    str_free(&line);
    free(content);
    ends_close();
}

static void a_client_that_floods_is_stopped_by_a_full_buffer(void **state)
{
    char *content = unit_repeat('a', 3000);
    struct str notes = STR_INIT(10000);
    struct str line = STR_INIT(FTP_LINE_MAX);
    int fds[2];
    bool front;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    ends_open(false, PATIENCE_MS);
    for (int i = 0; i < 10; i++) {
        content[2999] = '\n';
        client_sends(content, 3000);
    }
    /* a transfer goes on while commands wait: all that fit are shown, then it is the descriptor's turn */
    while (ctrlio_wait(&ends.io, fds[0], POLLIN, SYSUTIL_FOREVER) == CTRL_WAIT_INPUT) {
        assert_true(ctrlio_next_line(&ends.io, &line, &front));
    }
    assert_int_equal(ctrlio_wait(&ends.io, fds[0], POLLIN, SYSUTIL_FOREVER), CTRL_WAIT_READY);
    note_lines(&notes);
    assert_int_equal(notes.len, 10 * strlen("<...>") + 10 * 100); /* none was lost */
    str_free(&notes);
    str_free(&line);
    free(content);
    ends_close();
    close(fds[0]);
    close(fds[1]);
}

static void the_last_reply_is_not_lost_in_a_reset(void **state)
{
    char buf[100] = "";

    (void)state;
    ends_open(false, PATIENCE_MS);
    client_sends(BYTES("NOOP\r\nNOOP\r\n")); /* never read */
    ctrlio_reply(&ends.io, 421, "Timeout.");
    ctrlio_finish(&ends.io);
    sysutil_close(&ends.ctrl_fd);
    assert_int_equal(recv(ends.client, buf, sizeof(buf), 0), 14);
    assert_string_equal(buf, "421 Timeout.\r\n");
    assert_int_equal(recv(ends.client, buf, sizeof(buf), 0), 0);
    ends_close();
}

static void a_password_is_wiped_and_what_follows_stays(void **state)
{
    struct str line = STR_INIT(FTP_LINE_MAX);

    (void)state;
    for (int one_line = 0; one_line < 2; one_line++) {
        ends_open(one_line == 1, PATIENCE_MS);
        client_sends(BYTES("USER me\r\nPASS secret\r\nNOOP\r\n"));
        assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_LINE);
        assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_LINE);
        assert_string_equal(str_text(&line), "PASS secret");
        assert_non_null(memmem(ends.io.in, sizeof(ends.io.in), "secret", 6));
        ctrlio_wipe_input(&ends.io);
        assert_null(memmem(ends.io.in, sizeof(ends.io.in), "secret", 6));
        assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_LINE);
        assert_string_equal(str_text(&line), "NOOP");
        ends_close();
    }
    str_free(&line);
}

static void a_password_that_came_in_parts_is_wiped(void **state)
{
    struct str line = STR_INIT(FTP_LINE_MAX);

    (void)state;
    ends_open(false, PATIENCE_MS);
    client_sends(BYTES("NOOP with some words behind it\r\nPASS secret"));
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_LINE);
    client_sends(BYTES("ly\r\n")); /* what was received moves to the front now, and leaves a copy */
    assert_int_equal(ctrlio_read_line(&ends.io, &line, LONG_AGO), CTRL_LINE);
    assert_string_equal(str_text(&line), "PASS secretly");
    ctrlio_wipe_input(&ends.io);
    assert_null(memmem(ends.io.in, sizeof(ends.io.in), "secret", 6));
    str_free(&line);
    ends_close();
}

/* Lines that were told, one behind the other. */
static void note_line(void *context, const char *text, size_t len)
{
    str_append_mem(context, text, len);
    str_append(context, "\n");
}

static void who_watches_is_told_every_line(void **state)
{
    struct str told = STR_INIT(20000);
    char *text = unit_repeat('x', 10000);

    (void)state;
    ends_open(false, PATIENCE_MS);
    ctrlio_reply(&ends.io, 220, "before");
    ctrlio_watch_replies(&ends.io, note_line, &told);
    ctrlio_reply_first(&ends.io, 211, "Features:");
    ctrlio_reply_middle(&ends.io, " SIZE");
    ctrlio_reply_middle(&ends.io, "211 is a number");
    ctrlio_reply(&ends.io, 211, "End\r\n200 forged");
    assert_string_equal(str_text(&told), "211-Features:\n SIZE\n 211 is a number\n"
                                         "211 End\r\n200 forged\n"); /* as it was asked for */
    str_clear(&told);
    ctrlio_reply(&ends.io, 200, text);
    assert_int_equal(told.len, 2 * FTP_LINE_MAX + 1);
    free(text);
    str_free(&told);
    ends_close();
}

/* The last test: the word is never taken back. */
static void a_notice_ends_reading_and_nothing_else(void **state)
{
    struct str line = STR_INIT(FTP_LINE_MAX);
    const char notice = (char)PRIV_DRAIN;
    int fds[2];

    (void)state;
    ends_open(false, PATIENCE_MS);
    assert_int_equal(sysutil_socketpair(fds), 0);
    assert_int_equal(send(ends.parent, &notice, 1, 0), 1);
    assert_int_equal(ctrlio_wait(&ends.io, fds[0], POLLIN, LONG_AGO), CTRL_WAIT_TIMEOUT);
    assert_true(privsock_is_draining());
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(ctrlio_wait(&ends.io, fds[0], POLLIN, SYSUTIL_FOREVER), CTRL_WAIT_READY);
    assert_int_equal(send(ends.client, "NOOP\r\n", 6, 0), 6);
    assert_int_equal(ctrlio_wait(&ends.io, -1, 0, SYSUTIL_FOREVER), CTRL_WAIT_INPUT);
    assert_int_equal(ctrlio_read_line(&ends.io, &line, SYSUTIL_FOREVER), CTRL_DRAINING);
    assert_int_equal(line.len, 0);
    sysutil_close(&fds[0]);
    sysutil_close(&fds[1]);
    str_free(&line);
    ends_close();
}

int main(void)
{
    UNIT_ADD(who_watches_is_told_every_line);
    UNIT_ADD_TABLE(check_lines, line_rows);
    UNIT_ADD_TABLE(check_length, length_rows);
    UNIT_ADD(a_line_that_never_ends_is_discarded_as_it_comes);
    UNIT_ADD(a_flood_of_telnet_commands_is_no_text);
    UNIT_ADD(a_thousand_pipelined_lines_come_in_order);
    UNIT_ADD(a_line_that_came_with_another_is_known);
    UNIT_ADD(the_filter_does_not_depend_on_where_input_is_cut);
    UNIT_ADD_TABLE(check_leave, leave_rows);
    UNIT_ADD(one_line_leaves_what_follows_a_line_too_long);
    UNIT_ADD(reading_ends_at_the_deadline_and_goes_on_later);
    UNIT_ADD(reading_ends_when_the_parent_ends);
    UNIT_ADD(nonsense_from_the_parent_is_its_end);
    UNIT_ADD(a_reset_by_the_client_is_an_error);
    UNIT_ADD_TABLE(check_reply, reply_rows);
    UNIT_ADD_TABLE(check_middle, middle_rows);
    UNIT_ADD(a_reply_of_several_lines);
    UNIT_ADD(replies_go_out_together_before_waiting);
    UNIT_ADD(replies_go_out_before_the_end_is_told);
    UNIT_ADD(large_replies_reach_a_client_that_reads_slowly);
    UNIT_ADD(a_client_that_reads_nothing_is_given_up);
    UNIT_ADD(a_flush_does_not_outlive_the_parent);
    UNIT_ADD(a_client_that_is_gone_gets_no_signal_but_an_end);
    UNIT_ADD(waiting_for_a_descriptor_sees_everything);
    UNIT_ADD(a_half_closed_client_is_told_once);
    UNIT_ADD(lines_are_shown_once_and_stay);
    UNIT_ADD(the_end_of_a_line_too_long_is_shown_as_nothing);
    UNIT_ADD(a_client_that_floods_is_stopped_by_a_full_buffer);
    UNIT_ADD(the_last_reply_is_not_lost_in_a_reset);
    UNIT_ADD(a_password_is_wiped_and_what_follows_stays);
    UNIT_ADD(a_password_that_came_in_parts_is_wiped);
    UNIT_ADD(a_notice_ends_reading_and_nothing_else);
    return unit_run("ctrlio");
}
