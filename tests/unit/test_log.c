/*
 * test_log.c - the lines of the log, and the file that they go to
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: a directory under /tmp, /dev/full.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "parseconf.h"
#include "str.h"
#include "tunable.h"
#include "unit.h"

#define BYTES(content) .text = (content), .text_len = sizeof(content) - 1

struct format_row {
    const char *name;
    const char *user;
    struct log_record record;
    const char *line;
};

#define PEER "Client \"192.0.2.7\""

/* clang-format off */
static const struct format_row format_rows[] = {
    { "line_of_a_connection", "", { .event = LOG_EVENT_CONNECT }, "[pid 7] CONNECT: " PEER },
    { "line_of_a_login", "bob", { .event = LOG_EVENT_LOGIN, .ok = true }, "[pid 7] [bob] OK LOGIN: " PEER },
    { "line_of_a_failed_login", "bob", { .event = LOG_EVENT_LOGIN, BYTES("wrong password") },
      "[pid 7] [bob] FAIL LOGIN: " PEER ", \"wrong password\"" },
    { "line_of_an_anonymous_login", "ftp", { .event = LOG_EVENT_LOGIN, .ok = true, .is_anon_password = true, BYTES("a@b") },
      "[pid 7] [ftp] OK LOGIN: " PEER ", anon password \"a@b\"" },
    { "line_of_an_anonymous_login_without_a_password", "ftp",
      { .event = LOG_EVENT_LOGIN, .ok = true, .is_anon_password = true, BYTES("") },
      "[pid 7] [ftp] OK LOGIN: " PEER ", anon password \"\"" },
    { "quotes_in_an_anonymous_password_do_not_end_it", "ftp",
      { .event = LOG_EVENT_LOGIN, .ok = true, .is_anon_password = true, BYTES("a\" b") },
      "[pid 7] [ftp] OK LOGIN: " PEER ", anon password \"a\\x22 b\"" },
    { "line_of_a_download", "bob",
      { .event = LOG_EVENT_DOWNLOAD, .ok = true, .has_bytes = true, .bytes = 2048, .duration_ms = 2000,
        BYTES("/a b.txt") },
      "[pid 7] [bob] OK DOWNLOAD: " PEER ", \"/a b.txt\", 2048 bytes, 1.00Kbyte/sec" },
    { "line_of_a_transfer_in_no_time", "bob",
      { .event = LOG_EVENT_UPLOAD, .ok = true, .has_bytes = true, .bytes = 1024, BYTES("x") },
      "[pid 7] [bob] OK UPLOAD: " PEER ", \"x\", 1024 bytes, 1000.00Kbyte/sec" },
    { "line_of_an_empty_file", "bob",
      { .event = LOG_EVENT_UPLOAD, .ok = true, .has_bytes = true, BYTES("x") },
      "[pid 7] [bob] OK UPLOAD: " PEER ", \"x\", 0 bytes, 0.00Kbyte/sec" },
    { "line_of_a_failed_mkdir", "bob", { .event = LOG_EVENT_MKDIR, BYTES("/d") },
      "[pid 7] [bob] FAIL MKDIR: " PEER ", \"/d\"" },
    { "line_of_a_rmdir", "bob", { .event = LOG_EVENT_RMDIR, .ok = true, BYTES("/d") },
      "[pid 7] [bob] OK RMDIR: " PEER ", \"/d\"" },
    { "line_of_a_delete", "bob", { .event = LOG_EVENT_DELETE, .ok = true, BYTES("/d") },
      "[pid 7] [bob] OK DELETE: " PEER ", \"/d\"" },
    { "line_of_a_rename", "bob", { .event = LOG_EVENT_RENAME, .ok = true, BYTES("/a /b") },
      "[pid 7] [bob] OK RENAME: " PEER ", \"/a /b\"" },
    { "line_of_a_chmod", "bob", { .event = LOG_EVENT_CHMOD, .ok = true, BYTES("/a 644") },
      "[pid 7] [bob] OK CHMOD: " PEER ", \"/a 644\"" },
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

static void check_format(void **state)
{
    const struct format_row *row = *state;
    const struct log_who who = {.pid = 7, .user = row->user, .peer = "192.0.2.7"};
    struct str line = STR_INIT(4096);

    log_format(&who, &row->record, &line);
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
    log_format(&who, &record, &line);
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
    log_format(&who, &record, &line);
    assert_null(strstr(str_text(&line), "..."));
    str_clear(&line);
    record.text_len = 5000;
    log_format(&who, &record, &line);
    assert_string_equal(str_text(&line) + line.len - 5, "a...\"");
    assert_in_range(line.len, 2048, 2148);
    str_free(&line);
    free(text);
}

static void the_longest_line_fits(void **state)
{
    const struct log_who who = {.pid = 2147483647,
                                .user = "\x01\x02",
                                .peer = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"};
    char dir[UNIT_DIR_MAX];
    char *text = unit_repeat('\n', 8208);
    char *content = malloc(20000);
    struct log_record record = {.event = LOG_EVENT_DOWNLOAD,
                                .has_bytes = true,
                                .bytes = UINT64_MAX,
                                .text = text,
                                .text_len = 8208};
    struct str error = STR_INIT(1000);
    struct str setting = STR_INIT(1000);
    struct tunables t;

    (void)state;
    unit_make_dir(dir);
    tunable_init(&t);
    str_append_format(&setting, "vsftpd_log_file=%s/log", dir);
    assert_true(parseconf_load_setting(str_text(&setting), "-o", &t, &error));
    assert_true(parseconf_load_setting("xferlog_enable=YES", "-o", &t, &error));
    assert_true(log_open(&t, &error));
    log_record(&who, &record);
    log_close();
    unit_read_file(dir, "log", content, 20000);
    assert_non_null(strstr(content, "18446744073709551615 bytes"));
    assert_ptr_equal(strchr(content, '\n'), content + strlen(content) - 1);
    str_free(&setting);
    str_free(&error);
    tunable_free(&t);
    unit_remove_dir(dir);
    free(content);
    free(text);
}

/* Open the log at a path, with the options of a daemon. */
static bool open_log(const char *path, struct str *error)
{
    struct str setting = STR_INIT(1000);
    struct tunables t;
    bool good;

    tunable_init(&t);
    str_append_format(&setting, "vsftpd_log_file=%s", path);
    assert_true(parseconf_load_setting(str_text(&setting), "-o", &t, error));
    assert_true(parseconf_load_setting("xferlog_enable=YES", "-o", &t, error));
    good = log_open(&t, error);
    str_free(&setting);
    tunable_free(&t);
    return good;
}

static void one_line(const char *text)
{
    const struct log_who who = {.pid = 7, .user = "", .peer = "192.0.2.7"};
    const struct log_record record = {
        .event = LOG_EVENT_WARNING, .text = text, .text_len = strlen(text)};

    log_record(&who, &record);
}

static size_t count_lines(const char *text)
{
    size_t count = 0;

    while ((text = strchr(text, '\n')) != NULL) {
        text++;
        count++;
    }
    return count;
}

static void a_record_is_a_line_with_its_date(void **state)
{
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8], content[1000];
    struct str error = STR_INIT(1000);
    struct stat st;

    (void)state;
    unit_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/log", dir);
    assert_true(open_log(path, &error));
    one_line("one\ntwo");
    one_line("three");
    log_close();
    one_line("into a closed log");
    unit_read_file(dir, "log", content, sizeof(content));
    assert_int_equal(count_lines(content), 2);
    /* "Thu Oct  2 18:37:41 2025 " and the line of vsftpd */
    assert_int_equal(content[3], ' ');
    assert_int_equal(content[13], ':');
    assert_int_equal(content[24], ' ');
    assert_memory_equal(content + 25, "[pid 7] WARNING: " PEER ", \"one\\x0Atwo\"\n",
                        strlen("[pid 7] WARNING: " PEER ", \"one\\x0Atwo\"\n"));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    unit_remove_dir(dir);
}

static void a_log_that_cannot_be_opened_leaves_the_old_one(void **state)
{
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8], wrong[UNIT_DIR_MAX + 16], content[1000];
    struct str error = STR_INIT(1000);

    (void)state;
    unit_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/log", dir);
    (void)snprintf(wrong, sizeof(wrong), "%s/none/log", dir);
    assert_true(open_log(path, &error));
    assert_false(open_log(wrong, &error));
    assert_non_null(strstr(str_text(&error), "No such file or directory"));
    one_line("still here");
    log_close();
    unit_read_file(dir, "log", content, sizeof(content));
    assert_non_null(strstr(content, "still here"));
    str_free(&error);
    unit_remove_dir(dir);
}

static void a_pipe_without_a_reader_does_not_stop_anybody(void **state)
{
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8];
    struct str error = STR_INIT(1000);

    (void)state;
    unit_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(open_log(path, &error));
    str_free(&error);
    unit_remove_dir(dir);
}

static void lines_that_were_lost_are_counted(void **state)
{
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8], content[1000];
    struct str error = STR_INIT(1000);

    (void)state;
    unit_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/log", dir);
    assert_true(open_log("/dev/full", &error));
    one_line("lost");
    one_line("lost");
    one_line("lost");
    assert_true(open_log(path, &error));
    one_line("kept");
    one_line("kept");
    log_close();
    unit_read_file(dir, "log", content, sizeof(content));
    assert_int_equal(count_lines(content), 3);
    assert_non_null(strstr(content, "WARNING: 3 lines of the log could not be written\n"));
    unit_remove_dir(dir);
}

static void a_line_that_was_cut_by_a_full_disk_is_ended(void **state)
{
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8], content[2000];
    struct str error = STR_INIT(1000);
    struct rlimit old, small;

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    unit_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/log", dir);
    assert_true(open_log(path, &error));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){.rlim_cur = 30, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    one_line("cut");
    one_line("lost");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    one_line("kept");
    one_line("kept");
    log_close();
    unit_read_file(dir, "log", content, sizeof(content));
    assert_int_equal(content[30], '\n');
    assert_int_equal(count_lines(content), 4);
    assert_non_null(strstr(content, "WARNING: 2 lines of the log could not be written\n"));
    unit_remove_dir(dir);
}

int main(void)
{
    UNIT_ADD_TABLE(check_format, format_rows);
    UNIT_ADD(a_user_name_cannot_imitate_another_login);
    UNIT_ADD(a_text_is_cut_at_2048_bytes);
    UNIT_ADD(the_longest_line_fits);
    UNIT_ADD(a_record_is_a_line_with_its_date);
    UNIT_ADD(a_log_that_cannot_be_opened_leaves_the_old_one);
    UNIT_ADD(a_pipe_without_a_reader_does_not_stop_anybody);
    UNIT_ADD(lines_that_were_lost_are_counted);
    UNIT_ADD(a_line_that_was_cut_by_a_full_disk_is_ended);
    return unit_run("log");
}
