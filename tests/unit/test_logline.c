/*
 * test_logline.c - what a record looks like in each of the logs
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "logline.h"
#include "str.h"
#include "tests/json_check.h"
#include "unit.h"

#define BYTES(content)  .text = (content), .text_len = sizeof(content) - 1
#define DETAIL(content) .detail = (content), .detail_len = sizeof(content) - 1

#define RANDOM_ROUNDS 20000
#define MOMENT        1759430261 /* Thu Oct  2 18:37:41 2025 UTC */

struct format_row {
    const char *name;
    const char *user;
    struct log_record record;
    const char *line;
};

#define PEER "Client \"192.0.2.7\""

/* clang-format off */
static const struct format_row native_rows[] = {
    { "line_of_a_connection", "", { .event = LOG_EVENT_CONNECT }, "[pid 7] CONNECT: " PEER },
    { "line_of_a_login", "bob", { .event = LOG_EVENT_LOGIN, .ok = true }, "[pid 7] [bob] OK LOGIN: " PEER },
    { "line_of_a_failed_login", "bob", { .event = LOG_EVENT_LOGIN, BYTES("wrong password") },
      "[pid 7] [bob] FAIL LOGIN: " PEER ", \"wrong password\"" },
    { "line_of_a_login_with_a_wrong_password_has_no_reason", "bob",
      { .event = LOG_EVENT_LOGIN, .is_usual = true, BYTES("wrong password") },
      "[pid 7] [bob] FAIL LOGIN: " PEER },
    { "line_of_a_connection_that_was_refused", "",
      { .event = LOG_EVENT_CONNECT, BYTES("Connection refused: too many sessions.") },
      "[pid 7] CONNECT: " PEER ", \"Connection refused: too many sessions.\"" },
    { "line_of_a_command", "bob", { .event = LOG_EVENT_COMMAND, BYTES("RETR f") },
      "[pid 7] [bob] FTP command: " PEER ", \"RETR f\"" },
    { "line_of_a_reply", "", { .event = LOG_EVENT_RESPONSE, BYTES("220 Hello.") },
      "[pid 7] FTP response: " PEER ", \"220 Hello.\"" },
    { "line_of_a_failed_download_has_a_rate_and_no_reason", "bob",
      { .event = LOG_EVENT_DOWNLOAD, BYTES("/x"), DETAIL("the data connection broke"), .error = ENOENT },
      "[pid 7] [bob] FAIL DOWNLOAD: " PEER ", \"/x\", 0.00Kbyte/sec" },
    { "line_of_a_failed_rename", "bob",
      { .event = LOG_EVENT_RENAME, BYTES("/a"), DETAIL("/b\""), .error = ENOENT },
      "[pid 7] [bob] FAIL RENAME: " PEER ", \"/a /b\\x22\"" },
    { "line_of_an_anonymous_login", "ftp", { .event = LOG_EVENT_LOGIN, .ok = true, .is_anon_password = true, BYTES("a@b") },
      "[pid 7] [ftp] OK LOGIN: " PEER ", anon password \"a@b\"" },
    { "line_of_an_anonymous_login_without_a_password", "ftp",
      { .event = LOG_EVENT_LOGIN, .ok = true, .is_anon_password = true, BYTES("") },
      "[pid 7] [ftp] OK LOGIN: " PEER ", anon password \"?\"" },
    { "quotes_in_an_anonymous_password_do_not_end_it", "ftp",
      { .event = LOG_EVENT_LOGIN, .ok = true, .is_anon_password = true, BYTES("a\" b") },
      "[pid 7] [ftp] OK LOGIN: " PEER ", anon password \"a\\x22_b\"" },
    { "line_of_a_download", "bob",
      { .event = LOG_EVENT_DOWNLOAD, .ok = true, .has_bytes = true, .bytes = 2048, .duration_ms = 2000,
        BYTES("/a b.txt") },
      "[pid 7] [bob] OK DOWNLOAD: " PEER ", \"/a b.txt\", 2048 bytes, 1.00Kbyte/sec" },
    { "line_of_a_transfer_in_no_time", "bob",
      { .event = LOG_EVENT_UPLOAD, .ok = true, .has_bytes = true, .bytes = 1024, BYTES("x") },
      "[pid 7] [bob] OK UPLOAD: " PEER ", \"x\", 1024 bytes, 1000.00Kbyte/sec" },
    { "rates_have_two_decimals", "bob",
      { .event = LOG_EVENT_UPLOAD, .ok = true, .has_bytes = true, .bytes = 1126, .duration_ms = 1000, BYTES("x") },
      "[pid 7] [bob] OK UPLOAD: " PEER ", \"x\", 1126 bytes, 1.10Kbyte/sec" },
    { "rates_are_rounded", "bob",
      { .event = LOG_EVENT_UPLOAD, .ok = true, .has_bytes = true, .bytes = 1023999, .duration_ms = 1000, BYTES("x") },
      "[pid 7] [bob] OK UPLOAD: " PEER ", \"x\", 1023999 bytes, 1000.00Kbyte/sec" },
    { "rates_have_no_largest_one", "bob",
      { .event = LOG_EVENT_UPLOAD, .ok = true, .has_bytes = true, .bytes = UINT64_MAX, .duration_ms = 1, BYTES("x") },
      "[pid 7] [bob] OK UPLOAD: " PEER ", \"x\", 18446744073709551615 bytes, 18014398509481984000.00Kbyte/sec" },
    { "line_of_an_empty_file", "bob",
      { .event = LOG_EVENT_UPLOAD, .ok = true, .has_bytes = true, BYTES("x") },
      "[pid 7] [bob] OK UPLOAD: " PEER ", \"x\", 0.00Kbyte/sec" },
    { "line_of_a_failed_mkdir", "bob", { .event = LOG_EVENT_MKDIR, BYTES("/d") },
      "[pid 7] [bob] FAIL MKDIR: " PEER ", \"/d\"" },
    { "line_of_a_rmdir", "bob", { .event = LOG_EVENT_RMDIR, .ok = true, BYTES("/d") },
      "[pid 7] [bob] OK RMDIR: " PEER ", \"/d\"" },
    { "line_of_a_delete", "bob", { .event = LOG_EVENT_DELETE, .ok = true, BYTES("/d") },
      "[pid 7] [bob] OK DELETE: " PEER ", \"/d\"" },
    { "line_of_a_rename", "bob", { .event = LOG_EVENT_RENAME, .ok = true, BYTES("/a"), DETAIL("/b") },
      "[pid 7] [bob] OK RENAME: " PEER ", \"/a /b\"" },
    { "line_of_a_chmod", "bob", { .event = LOG_EVENT_CHMOD, .ok = true, BYTES("/a"), DETAIL("644") },
      "[pid 7] [bob] OK CHMOD: " PEER ", \"/a 644\"" },
    { "line_of_a_fact_has_no_outcome", "", { .event = LOG_EVENT_DEBUG, BYTES("x") },
      "[pid 7] DEBUG: " PEER ", \"x\"" },
    { "line_of_a_warning_has_no_outcome", "", { .event = LOG_EVENT_WARNING, .ok = true, BYTES("x") },
      "[pid 7] WARNING: " PEER ", \"x\"" },
    { "line_endings_in_a_name_stay_in_the_line", "bob",
      { .event = LOG_EVENT_DELETE, .ok = true, BYTES("a\r\nThu Oct  2 18:37:41 2025 [pid 1]") },
      "[pid 7] [bob] OK DELETE: " PEER ", \"a\\x0D\\x0AThu Oct  2 18:37:41 2025 [pid 1]\"" },
    { "quotes_in_a_name_do_not_end_it", "bob",
      { .event = LOG_EVENT_DELETE, .ok = true, BYTES("a\", \"b\"") },
      "[pid 7] [bob] OK DELETE: " PEER ", \"a\\x22, \\x22b\\x22\"" },
    { "nul_and_escape_in_a_name_are_shown", "bob",
      { .event = LOG_EVENT_DELETE, .ok = true, BYTES("\0\x1B[2J\\\xFF") },
      "[pid 7] [bob] OK DELETE: " PEER ", \"\\x00\\x1B[2J\\x5C\\xFF\"" },
    { "percent_signs_are_ordinary", "bob", { .event = LOG_EVENT_DELETE, .ok = true, BYTES("%n%s%x") },
      "[pid 7] [bob] OK DELETE: " PEER ", \"%n%s%x\"" },
    { "utf8_is_readable", "bob", { .event = LOG_EVENT_DELETE, .ok = true, BYTES("\xC3\xA4") },
      "[pid 7] [bob] OK DELETE: " PEER ", \"\xC3\xA4\"" },
    { "line_endings_in_a_user_stay_in_the_line", "a\nb", { .event = LOG_EVENT_LOGIN },
      "[pid 7] [a\\x0Ab] FAIL LOGIN: " PEER },
};
/* clang-format on */

static void check_native(void **state)
{
    const struct format_row *row = *state;
    const struct log_who who = {.pid = 7, .user = row->user, .peer = "192.0.2.7"};
    struct str line = STR_INIT(4096);

    logline_native(&who, &row->record, &line);
    assert_true(str_ok(&line));
    assert_string_equal(str_text(&line), row->line);
    str_free(&line);
}

/* USER takes any name before login, and a failed one is logged. */
static void a_user_name_cannot_imitate_another_login(void **state)
{
    const struct log_who who = {
        .pid = 7, .user = "root] OK LOGIN: Client \"198.51.100.1\" [x", .peer = "192.0.2.7"};
    const struct log_record record = {.event = LOG_EVENT_LOGIN, BYTES("not a user name")};
    struct str line = STR_INIT(4096);
    const char *end;

    (void)state;
    logline_native(&who, &record, &line);
    assert_null(strstr(str_text(&line), "OK LOGIN: Client \"198.51.100.1\""));
    end = strchr(str_text(&line) + strlen("[pid 7] ["), ']'); /* the first one ends the name */
    assert_non_null(end);
    assert_string_equal(end, "] FAIL LOGIN: " PEER ", \"not a user name\"");
    str_free(&line);
}

static void a_text_is_cut_at_2048_bytes(void **state)
{
    const struct log_who who = {.pid = 7, .user = "bob", .peer = "192.0.2.7"};
    char *text = unit_repeat('a', 5000);
    struct log_record record = {
        .event = LOG_EVENT_DELETE, .ok = true, .text = text, .text_len = 2048};
    struct str line = STR_INIT(20000);

    (void)state;
    logline_native(&who, &record, &line);
    assert_null(strstr(str_text(&line), "..."));
    str_clear(&line);
    record.text_len = 5000;
    logline_native(&who, &record, &line);
    assert_string_equal(str_text(&line) + line.len - 5, "a...\"");
    assert_in_range(line.len, 2048, 2148);
    str_free(&line);
    free(text);
}

static void syslog_has_neither_date_nor_pid(void **state)
{
    const struct log_who who = {.pid = 7, .user = "bob", .peer = "192.0.2.7"};
    const struct log_record record = {.event = LOG_EVENT_LOGIN};
    struct str line = STR_INIT(4096);

    (void)state;
    logline_syslog(&who, &record, &line);
    assert_string_equal(str_text(&line), "[bob] FAIL LOGIN: " PEER);
    str_free(&line);
}

static void a_line_about_the_log_itself_has_no_client(void **state)
{
    const struct log_who who = {.pid = 7, .user = ""};
    const struct log_record record = {.event = LOG_EVENT_WARNING, BYTES("3 lines")};
    const struct timespec when = {.tv_sec = MOMENT};
    struct str line = STR_INIT(4096);

    (void)state;
    logline_native(&who, &record, &line);
    assert_string_equal(str_text(&line), "[pid 7] WARNING: 3 lines");
    str_clear(&line);
    logline_json(&who, &record, &when, &line);
    assert_string_equal(str_text(&line),
                        "{\"time\":\"2025-10-02T18:37:41.000Z\",\"event\":\"warning\","
                        "\"ok\":false,\"pid\":7,\"message\":\"3 lines\"}");
    str_free(&line);
}

/* ---- xferlog ---- */

struct xferlog_row {
    const char *name;
    struct log_who who;
    struct log_record record;
    const char *line; /* behind the date */
};

#define REAL                                                                                       \
    {                                                                                              \
        .pid = 7, .user = "bob", .peer = "192.0.2.7", .access = LOG_ACCESS_REAL                    \
    }
#define ANONYMOUS(password)                                                                        \
    {                                                                                              \
        .pid = 7, .user = "ftp", .peer = "192.0.2.7", .access = LOG_ACCESS_ANONYMOUS,              \
        .anon_password = (password)                                                                \
    }

/* clang-format off */
static const struct xferlog_row xferlog_rows[] = {
    { "xferlog_download", REAL,
      { .event = LOG_EVENT_DOWNLOAD, .ok = true, .has_bytes = true, .bytes = 1234, .duration_ms = 5600, BYTES("/a") },
      "6 192.0.2.7 1234 /a b _ o r bob ftp 0 * c" },
    { "xferlog_upload", REAL, { .event = LOG_EVENT_UPLOAD, .ok = true, .bytes = 5, .is_ascii = true, BYTES("/a") },
      "1 192.0.2.7 5 /a a _ i r bob ftp 0 * c" },
    { "xferlog_incomplete", REAL, { .event = LOG_EVENT_UPLOAD, .bytes = UINT64_MAX, BYTES("/a"), DETAIL("x y") },
      "1 192.0.2.7 18446744073709551615 /a b _ i r bob ftp 0 * i" },
    { "xferlog_blanks_in_a_name", REAL, { .event = LOG_EVENT_DOWNLOAD, .ok = true, BYTES("/two  words ") },
      "1 192.0.2.7 0 /two__words_ b _ o r bob ftp 0 * c" },
    { "xferlog_line_end_in_a_name", REAL, { .event = LOG_EVENT_DOWNLOAD, .ok = true, BYTES("/a\nb\t\x7F\\") },
      "1 192.0.2.7 0 /a\\x0Ab\\x09\\x7F\\x5C b _ o r bob ftp 0 * c" },
    { "xferlog_utf8_in_a_name", REAL, { .event = LOG_EVENT_DOWNLOAD, .ok = true, BYTES("/\xC3\xA4\xFF\"") },
      "1 192.0.2.7 0 /\xC3\xA4\\xFF\" b _ o r bob ftp 0 * c" },
    { "xferlog_anonymous", ANONYMOUS("me@example.com"), { .event = LOG_EVENT_DOWNLOAD, .ok = true, BYTES("/a") },
      "1 192.0.2.7 0 /a b _ o a me@example.com ftp 0 * c" },
    { "xferlog_anonymous_with_a_password_of_words", ANONYMOUS("a b\n* c"), { .event = LOG_EVENT_DOWNLOAD, BYTES("/a") },
      "1 192.0.2.7 0 /a b _ o a a_b\\x0A*_c ftp 0 * i" },
    { "xferlog_anonymous_without_a_password", ANONYMOUS(""), { .event = LOG_EVENT_DOWNLOAD, BYTES("/a") },
      "1 192.0.2.7 0 /a b _ o a ? ftp 0 * i" },
    { "xferlog_guest", { .pid = 7, .user = "bob", .peer = "::1", .access = LOG_ACCESS_GUEST, .anon_password = "" },
      { .event = LOG_EVENT_UPLOAD, .ok = true, BYTES("/a") },
      "1 ::1 0 /a b _ i g bob ftp 0 * c" },
};
/* clang-format on */

static void check_xferlog(void **state)
{
    const struct xferlog_row *row = *state;
    struct str line = STR_INIT(4096);

    logline_xferlog(&row->who, &row->record, MOMENT, &line);
    assert_true(str_ok(&line));
    assert_memory_equal(str_text(&line), "Thu Oct  2 18:37:41 2025 ", 25);
    assert_string_equal(str_text(&line) + 25, row->line);
    str_free(&line);
}

/* ---- JSON ---- */

struct json_row {
    const char *name;
    struct log_who who;
    struct log_record record;
    const char *line; /* behind the time */
};

#define IN_SESSION .pid = 7, .session = "0123456789abcdef", .peer = "192.0.2.7"
#define ALL_OF(event, ok)                                                                          \
    "\"event\":\"" event "\",\"ok\":" ok                                                           \
    ",\"session\":\"0123456789abcdef\",\"pid\":7,\"client\":\"192.0.2.7\""
#define OF_BOB ",\"user\":\"bob\",\"access\":\"real\""

/* clang-format off */
static const struct json_row json_rows[] = {
    { "json_connect", { IN_SESSION, .user = "" }, { .event = LOG_EVENT_CONNECT }, ALL_OF("connect", "true") "}" },
    { "json_refused_connection", { .pid = 3, .user = "", .peer = "::1" }, { .event = LOG_EVENT_CONNECT, BYTES("too many") },
      "\"event\":\"connect\",\"ok\":false,\"pid\":3,\"client\":\"::1\",\"reason\":\"too many\"}" },
    { "json_failed_login", { IN_SESSION, .user = "b\"b" }, { .event = LOG_EVENT_LOGIN, .is_usual = true, BYTES("wrong password") },
      ALL_OF("login", "false") ",\"user\":\"b\\\"b\",\"reason\":\"wrong password\"}" },
    { "json_login", { IN_SESSION, .user = "bob", .access = LOG_ACCESS_REAL }, { .event = LOG_EVENT_LOGIN, .ok = true },
      ALL_OF("login", "true") OF_BOB "}" },
    { "json_anonymous_login", { IN_SESSION, .user = "ftp", .access = LOG_ACCESS_ANONYMOUS },
      { .event = LOG_EVENT_LOGIN, .ok = true, .is_anon_password = true, BYTES("a b") },
      ALL_OF("login", "true") ",\"user\":\"ftp\",\"access\":\"anonymous\",\"anon_password\":\"a b\"}" },
    { "json_download", { IN_SESSION, .user = "bob", .access = LOG_ACCESS_REAL },
      { .event = LOG_EVENT_DOWNLOAD, .ok = true, .has_bytes = true, .bytes = 5, .duration_ms = 6, .is_ascii = true, BYTES("/a") },
      ALL_OF("download", "true") OF_BOB ",\"path\":\"/a\",\"bytes\":5,\"duration_ms\":6,\"type\":\"ascii\"}" },
    { "json_failed_upload", { IN_SESSION, .user = "bob", .access = LOG_ACCESS_GUEST },
      { .event = LOG_EVENT_UPLOAD, BYTES("/a"), DETAIL("no progress") },
      ALL_OF("upload", "false") ",\"user\":\"bob\",\"access\":\"guest\",\"path\":\"/a\",\"reason\":\"no progress\","
      "\"bytes\":0,\"duration_ms\":0,\"type\":\"binary\"}" },
    { "json_rename", { IN_SESSION, .user = "bob", .access = LOG_ACCESS_REAL },
      { .event = LOG_EVENT_RENAME, BYTES("/a"), DETAIL("/b c"), .error = ENOENT },
      ALL_OF("rename", "false") OF_BOB ",\"path\":\"/a\",\"to\":\"/b c\",\"reason\":\"No such file or directory\"}" },
    { "json_chmod", { IN_SESSION, .user = "bob", .access = LOG_ACCESS_REAL },
      { .event = LOG_EVENT_CHMOD, .ok = true, BYTES("/a"), DETAIL("640") },
      ALL_OF("chmod", "true") OF_BOB ",\"path\":\"/a\",\"mode\":\"640\"}" },
    { "json_debug", { IN_SESSION, .user = "" }, { .event = LOG_EVENT_DEBUG, BYTES("TLSv1.3") },
      ALL_OF("debug", "true") ",\"message\":\"TLSv1.3\"}" },
    { "json_warning", { IN_SESSION, .user = "" }, { .event = LOG_EVENT_WARNING, .ok = true, BYTES("oh") },
      ALL_OF("warning", "false") ",\"message\":\"oh\"}" },
    { "json_odd_bytes", { IN_SESSION, .user = "" }, { .event = LOG_EVENT_DELETE, .ok = true, BYTES("\n\"\\\xFF\xC3\xA4\xC2\x9B") },
      ALL_OF("delete", "true") ",\"path\":\"\\\\x0A\\\"\\\\x5C\\\\xFF\xC3\xA4\\\\xC2\\\\x9B\"}" },
};
/* clang-format on */

static void check_json(void **state)
{
    const struct json_row *row = *state;
    const struct timespec when = {.tv_sec = MOMENT, .tv_nsec = 45999999};
    static const char time_text[] = "{\"time\":\"2025-10-02T18:37:41.045Z\",";
    struct str line = STR_INIT(4096);

    logline_json(&row->who, &row->record, &when, &line);
    assert_true(str_ok(&line));
    assert_true(json_check(str_text(&line), line.len));
    assert_memory_equal(str_text(&line), time_text, strlen(time_text));
    assert_string_equal(str_text(&line) + strlen(time_text), row->line);
    str_free(&line);
}

/* A record of random bytes, which are chosen so that most of them are special. */
static void random_record(struct log_record *record, struct log_who *who, char *bytes, size_t size)
{
    static const char special[] =
        "\n\r\"\\ ]\x1B\x7F\x80\x9B\xC2\xC3\xA4\xE2\x80\xAE\xED\xA0\xF0\x9F\x98\xFF";

    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char)(random() % 4 == 0 ? random() % 256
                                            : special[(size_t)random() % (sizeof(special) - 1)]);
    }
    bytes[size - 1] = '\0';
    *record = (struct log_record){
        .event = (enum log_event)(random() % LOG_EVENT_COUNT),
        .ok = random() % 2 == 0,
        .has_bytes = random() % 2 == 0,
        .is_anon_password = random() % 8 == 0,
        .is_usual = random() % 8 == 0,
        .is_ascii = random() % 2 == 0,
        .bytes = (uint64_t)random(),
        .text = bytes,
        .text_len = (size_t)random() % size,
        .error = (int)(random() % 200) - 20,
    };
    record->detail = bytes + record->text_len;
    record->detail_len = size - record->text_len;
    *who = (struct log_who){.pid = 7,
                            .session = bytes,
                            .user = bytes,
                            .peer = "::1",
                            .access = LOG_ACCESS_ANONYMOUS,
                            .anon_password = bytes};
}

static void assert_printable(const struct str *line)
{
    assert_true(str_ok(line));
    for (size_t i = 0; i < line->len; i++) {
        assert_true((unsigned char)line->buf[i] >= 0x20 && line->buf[i] != 0x7F);
    }
}

static size_t count_blanks(const struct str *line)
{
    size_t count = 0;

    for (size_t i = 0; i < line->len; i++) {
        count += line->buf[i] == ' ';
    }
    return count;
}

/* Whatever a name holds, a record is one line, and its fields are where they belong. */
static void no_bytes_forge_a_line(void **state)
{
    const struct timespec when = {.tv_sec = MOMENT};
    struct str line = STR_INIT(LOGLINE_MAX);
    struct log_record record;
    struct log_who who;
    char bytes[60];

    (void)state;
    srandom(53);
    for (int i = 0; i < RANDOM_ROUNDS; i++) {
        random_record(&record, &who, bytes, sizeof(bytes));
        str_clear(&line);
        logline_native(&who, &record, &line);
        assert_printable(&line);
        str_clear(&line);
        logline_json(&who, &record, &when, &line);
        assert_printable(&line);
        assert_true(json_check(str_text(&line), line.len));
        str_clear(&line);
        logline_xferlog(&who, &record, MOMENT, &line);
        assert_printable(&line);
        assert_int_equal(count_blanks(&line),
                         18); /* the date is five fields, with two blanks once */
    }
    str_free(&line);
}

/* Every byte of a name can be told from the JSON: the escapes are those of one text only. */
static void json_tells_names_apart(void **state)
{
    static const char *const names[] = {"\xFF", "\\xFF", "\\x5CxFF", "\\\\xFF", "\\", "\"", "\\\""};
    const struct timespec when = {.tv_sec = MOMENT};
    struct str lines[ARRAY_LEN(names)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct log_who who = {.pid = 7, .user = "", .peer = "::1"};
        const struct log_record record = {
            .event = LOG_EVENT_DELETE, .text = names[i], .text_len = strlen(names[i])};

        str_init(&lines[i], LOGLINE_MAX);
        logline_json(&who, &record, &when, &lines[i]);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(str_text(&lines[i]), str_text(&lines[j]));
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        str_free(&lines[i]);
    }
}

/* The worst of everything. */
static void the_longest_lines_fit(void **state)
{
    char *text = unit_repeat('\x01', 8208);
    char *name = unit_repeat('\x01', LOGIN_NAME_MAX_LEN);
    char *password = unit_repeat('\x01', LOGIN_PASSWORD_MAX_LEN);
    const struct timespec when = {.tv_sec = MOMENT};
    const struct log_who who = {.pid = 2147483647,
                                .session = "0123456789abcdef",
                                .user = name,
                                .peer = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
                                .access = LOG_ACCESS_ANONYMOUS,
                                .anon_password = password};
    const struct log_record record = {.event = LOG_EVENT_DOWNLOAD,
                                      .has_bytes = true,
                                      .bytes = UINT64_MAX,
                                      .duration_ms = UINT32_MAX,
                                      .text = text,
                                      .text_len = 8208,
                                      .detail = text,
                                      .detail_len = 8208,
                                      .error = ENOENT};
    struct str line = STR_INIT(LOGLINE_MAX);

    (void)state;
    logline_json(&who, &record, &when, &line);
    assert_true(str_ok(&line));
    str_clear(&line);
    logline_xferlog(&who, &record, MOMENT, &line);
    assert_true(str_ok(&line));
    str_clear(&line);
    logline_native(&who, &record, &line);
    assert_true(str_ok(&line));
    str_free(&line);
    free(text);
    free(name);
    free(password);
}

/* The checker itself has to refuse what is no JSON. */
static void the_checker_sees_faults(void **state)
{
    static const char *const faulty[] = {"",
                                         "{",
                                         "{}",
                                         "{\"a\":1",
                                         "{\"a\":1}}",
                                         "{\"a\":1,}",
                                         "{\"a\":1,\"a\":2}",
                                         "{\"a\":\"\n\"}",
                                         "{\"a\":\"\\x\"}",
                                         "{\"a\":\"\xFF\"}",
                                         "{\"a\":\"\xC0\xAF\"}",
                                         "{\"a\":\"\xED\xA0\x80\"}",
                                         "{\"a\":\"}",
                                         "{\"a\":\"\xC2\x9B\"}",
                                         "{\"a\":nul}",
                                         "{a:1}",
                                         "{\"a\":\"b\"c\"}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(faulty); i++) {
        assert_false(json_check(faulty[i], strlen(faulty[i])));
    }
    assert_true(json_check("{\"a\":1,\"b\":true,\"c\":\"\xC3\xA4\\\"\"}", 27));
}

int main(void)
{
    (void)setenv("TZ", "UTC", 1);
    tzset();
    UNIT_ADD_TABLE(check_native, native_rows);
    UNIT_ADD(a_user_name_cannot_imitate_another_login);
    UNIT_ADD(a_text_is_cut_at_2048_bytes);
    UNIT_ADD(syslog_has_neither_date_nor_pid);
    UNIT_ADD(a_line_about_the_log_itself_has_no_client);
    UNIT_ADD_TABLE(check_xferlog, xferlog_rows);
    UNIT_ADD_TABLE(check_json, json_rows);
    UNIT_ADD(no_bytes_forge_a_line);
    UNIT_ADD(json_tells_names_apart);
    UNIT_ADD(the_longest_lines_fit);
    UNIT_ADD(the_checker_sees_faults);
    return unit_run("logline");
}
