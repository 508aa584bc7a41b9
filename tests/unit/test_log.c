/*
 * test_log.c - which record goes to which log, and what becomes of it there
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
#include "sysutil.h"
#include "tunable.h"
#include "unit.h"

#define PEER "Client \"192.0.2.7\""

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

/* What vsftpd 3.0.3 was seen to write: N native log, x xferlog, S syslog; p with the dialogue. */
struct place_row {
    const char *name;
    bool xferlog, std_format, dual, syslog;
    const char *event, *transfer, *dialogue;
};

/* clang-format off */
static const struct place_row place_rows[] = {
    /*                  enable std    dual   syslog  of an event, of a transfer, of the dialogue */
    { "places_none",    false, false, false, false,  "",   "",   "" },
    { "places_s",       false, false, false, true,   "S",  "S",  "S" },
    { "places_d",       false, false, true,  false,  "N",  "Nx", "N" },
    { "places_ds",      false, false, true,  true,   "S",  "xS", "S" },
    { "places_f",       false, true,  false, false,  "",   "",   "" },
    { "places_fs",      false, true,  false, true,   "S",  "S",  "S" },
    { "places_fd",      false, true,  true,  false,  "N",  "Nx", "N" },
    { "places_fds",     false, true,  true,  true,   "S",  "xS", "S" },
    { "places_x",       true,  false, false, false,  "N",  "N",  "N" },
    { "places_xs",      true,  false, false, true,   "S",  "S",  "S" },
    { "places_xd",      true,  false, true,  false,  "N",  "Nx", "N" },
    { "places_xds",     true,  false, true,  true,   "S",  "xS", "S" },
    { "places_xf",      true,  true,  false, false,  "",   "x",  "" },
    { "places_xfs",     true,  true,  false, true,   "S",  "xS", "S" },
    { "places_xfd",     true,  true,  true,  false,  "N",  "Nx", "N" },
    { "places_xfds",    true,  true,  true,  true,   "S",  "xS", "S" },
};
/* clang-format on */

static void check_places(void **state)
{
    const struct place_row *row = *state;
    struct tunables t;

    tunable_init(&t);
    t.xferlog_enable = row->xferlog;
    t.xferlog_std_format = row->std_format;
    t.dual_log_enable = row->dual;
    t.syslog_enable = row->syslog;
    assert_int_equal(log_wants(&t, LOG_EVENT_MKDIR), row->event[0] != '\0');
    assert_int_equal(log_wants(&t, LOG_EVENT_LOGIN), row->event[0] != '\0');
    assert_int_equal(log_wants(&t, LOG_EVENT_UPLOAD), row->transfer[0] != '\0');
    assert_false(log_wants(&t, LOG_EVENT_COMMAND));
    t.log_ftp_protocol = true;
    assert_int_equal(log_wants(&t, LOG_EVENT_RESPONSE), row->dialogue[0] != '\0');
    t.json_log_file = strdup("/dev/null");
    assert_int_equal(log_wants(&t, LOG_EVENT_RESPONSE), row->dialogue[0] != '\0');
    assert_true(log_wants(&t, LOG_EVENT_MKDIR));
    assert_true(log_wants(&t, LOG_EVENT_DOWNLOAD));
    tunable_free(&t);
}

/* The same row, with real files: what stands in them after one record of each kind. */
static void check_files(void **state)
{
    const struct place_row *row = *state;
    const struct log_who who = {.pid = 7, .user = "bob", .peer = "192.0.2.7"};
    char dir[UNIT_DIR_MAX], native[1000] = "", xferlog[1000] = "", json[1000],
                            path[UNIT_DIR_MAX + 16];
    struct str error = STR_INIT(1000), texts = STR_INIT(1000);
    struct log_record record = {.event = LOG_EVENT_MKDIR};
    struct tunables t;

    unit_make_dir(dir);
    tunable_init(&t);
    t.xferlog_enable = row->xferlog;
    t.xferlog_std_format = row->std_format;
    t.dual_log_enable = row->dual;
    t.syslog_enable = row->syslog;
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"vsftpd_log_file", "xferlog_file", "json_log_file"};

        str_clear(&texts);
        str_append_format(&texts, "%s=%s/%s", names[i], dir, names[i]);
        assert_true(parseconf_load_setting(str_text(&texts), "-o", &t, &error));
    }
    assert_true(log_open(&t, &error));
    log_record(&who, &record);
    record.event = LOG_EVENT_UPLOAD;
    log_record(&who, &record);
    record.event = LOG_EVENT_COMMAND;
    log_record(&who, &record);
    log_close();
    (void)snprintf(path, sizeof(path), "%s/vsftpd_log_file", dir);
    assert_int_equal(access(path, F_OK) == 0, strchr(row->transfer, 'N') != NULL);
    if (strchr(row->transfer, 'N') != NULL) {
        unit_read_file(dir, "vsftpd_log_file", native, sizeof(native));
    }
    (void)snprintf(path, sizeof(path), "%s/xferlog_file", dir);
    assert_int_equal(access(path, F_OK) == 0, strchr(row->transfer, 'x') != NULL);
    if (strchr(row->transfer, 'x') != NULL) {
        unit_read_file(dir, "xferlog_file", xferlog, sizeof(xferlog));
    }
    unit_read_file(dir, "json_log_file", json, sizeof(json));
    assert_int_equal(strstr(native, "MKDIR") != NULL, strchr(row->event, 'N') != NULL);
    assert_int_equal(strstr(native, "UPLOAD") != NULL, strchr(row->transfer, 'N') != NULL);
    assert_int_equal(strstr(native, "FTP command") != NULL, strchr(row->dialogue, 'N') != NULL);
    assert_int_equal(count_lines(xferlog), strchr(row->transfer, 'x') != NULL);
    assert_int_equal(count_lines(json), 2);
    str_free(&texts);
    str_free(&error);
    tunable_free(&t);
    unit_remove_dir(dir);
}

/* The counters are those of the daemon, not of a process: what a session lost another one reports. */
static void lines_that_another_process_lost_are_counted(void **state)
{
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8], content[1000];
    struct str error = STR_INIT(1000);
    pid_t pid;

    (void)state;
    unit_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/log", dir);
    assert_true(open_log("/dev/full", &error));
    pid = fork();
    if (pid == 0) {
        one_line("lost");
        one_line("lost");
        _exit(0);
    }
    assert_int_equal(sysutil_wait(pid), 0);
    one_line("lost");
    assert_true(open_log(path, &error));
    one_line("kept");
    log_close();
    unit_read_file(dir, "log", content, sizeof(content));
    assert_non_null(strstr(content, "WARNING: 3 lines of the log could not be written\n"));
    unit_remove_dir(dir);
}

static void lost_lines_of_json_are_an_object(void **state)
{
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8], content[1000];
    struct str error = STR_INIT(1000);
    struct tunables t;

    (void)state;
    unit_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/log", dir);
    tunable_init(&t);
    t.json_log_file = strdup("/dev/full");
    assert_true(log_open(&t, &error));
    one_line("lost");
    free(t.json_log_file);
    t.json_log_file = strdup(path);
    assert_true(log_open(&t, &error));
    one_line("kept");
    log_close();
    tunable_free(&t);
    unit_read_file(dir, "log", content, sizeof(content));
    assert_int_equal(count_lines(content), 2);
    assert_non_null(strstr(content, "\"event\":\"warning\",\"ok\":false,"));
    assert_non_null(strstr(content, "\"message\":\"1 line of the log could not be written\"}\n"));
    unit_remove_dir(dir);
}

/* A log that nobody could open loses its lines, and counts them. */
static void lines_of_a_log_that_is_not_open_are_counted(void **state)
{
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8], content[1000];
    struct str error = STR_INIT(1000);

    (void)state;
    unit_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/log", dir);
    assert_false(open_log("/nonexistent/log", &error));
    assert_non_null(strstr(str_text(&error), "/nonexistent/log: No such file or directory; the"));
    one_line("lost");
    one_line("lost");
    assert_true(open_log(path, &error));
    one_line("kept");
    log_close();
    unit_read_file(dir, "log", content, sizeof(content));
    assert_non_null(strstr(content, "WARNING: 2 lines of the log could not be written\n"));
    str_free(&error);
    unit_remove_dir(dir);
}

static void the_places_are_named(void **state)
{
    struct str places = STR_INIT(1000);
    struct tunables t;

    (void)state;
    tunable_init(&t);
    log_append_places(&t, &places);
    assert_string_equal(str_text(&places), "");
    t.dual_log_enable = true;
    log_append_places(&t, &places);
    assert_string_equal(str_text(&places), "/var/log/vsftpd.log, /var/log/xferlog");
    str_clear(&places);
    t.syslog_enable = true;
    log_append_places(&t, &places);
    assert_string_equal(str_text(&places), "/var/log/xferlog, syslog");
    str_free(&places);
    tunable_free(&t);
}

/* Rows of a table are tests by their name, which has to be another one the second time. */
static void add_files(void)
{
    static char names[ARRAY_LEN(place_rows)][32];

    for (size_t i = 0; i < ARRAY_LEN(place_rows); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "files_%s",
                       place_rows[i].name + strlen("places_"));
        unit_add(names[i], check_files, &place_rows[i]);
    }
}

int main(void)
{
    UNIT_ADD_TABLE(check_places, place_rows);
    add_files();
    UNIT_ADD(lines_that_another_process_lost_are_counted);
    UNIT_ADD(lost_lines_of_json_are_an_object);
    UNIT_ADD(lines_of_a_log_that_is_not_open_are_counted);
    UNIT_ADD(the_places_are_named);
    UNIT_ADD(the_longest_line_fits);
    UNIT_ADD(a_record_is_a_line_with_its_date);
    UNIT_ADD(a_log_that_cannot_be_opened_leaves_the_old_one);
    UNIT_ADD(a_pipe_without_a_reader_does_not_stop_anybody);
    UNIT_ADD(lines_that_were_lost_are_counted);
    UNIT_ADD(a_line_that_was_cut_by_a_full_disk_is_ended);
    return unit_run("log");
}
