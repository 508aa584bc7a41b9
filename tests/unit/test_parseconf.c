/*
 * test_parseconf.c - the reader of name=value files and of -oname=value
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: a directory under /tmp.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parseconf.h"
#include "str.h"
#include "tunable.h"
#include "unit.h"

struct setting_row {
    const char *name;
    const char *setting;
    const char *option;
    const char *value; /* of the option afterwards */
    const char *error; /* NULL: none */
};

/* clang-format off */
static const struct setting_row setting_rows[] = {
    { "setting_of_a_bool", "write_enable=YES", "write_enable", "YES", NULL },
    { "setting_of_a_number", "listen_port=2121", "listen_port", "2121", NULL },
    { "setting_of_a_text", "ftpd_banner=hello", "ftpd_banner", "hello", NULL },
    { "setting_drops_white_space", " \t listen_port \t=  2121 \t", "listen_port", "2121", NULL },
    { "setting_keeps_blanks_inside", "ftpd_banner= a  b ", "ftpd_banner", "a  b", NULL },
    { "setting_keeps_further_equal_signs", "ftpd_banner=a=b=", "ftpd_banner", "a=b=", NULL },
    { "setting_keeps_a_hash_in_the_value", "ftpd_banner=a # b", "ftpd_banner", "a # b", NULL },
    { "setting_without_a_text_unsets", "ftp_username=", "ftp_username", "", NULL },
    { "setting_refuses_unknown_names", "nonsense_zzzzzzz=1", "listen_port", "21",
      "here: unknown option 'nonsense_zzzzzzz'\n" },
    { "setting_names_the_nearest", "listen_prot=1", "listen_port", "21",
      "here: unknown option 'listen_prot'; the nearest name is 'listen_port'\n" },
    { "setting_knows_case", "LISTEN_PORT=1", "listen_port", "21",
      "here: unknown option 'LISTEN_PORT'; the nearest name is 'listen_port'\n" },
    { "setting_refuses_a_name_alone", "listen_port", "listen_port", "21",
      "here: 'listen_port' is not name=value\n" },
    { "setting_refuses_nothing", "", "listen_port", "21", "here: '' is not name=value\n" },
    { "setting_refuses_a_bad_bool", "write_enable=maybe", "write_enable", "NO",
      "here: write_enable wants YES or NO, not 'maybe'\n" },
    { "setting_refuses_a_number_out_of_range", "listen_port=65536", "listen_port", "21",
      "here: listen_port wants a number from 1 to 65535, not '65536'\n" },
    { "setting_shows_control_bytes_in_errors", "\x1B[2J\n=1", "listen_port", "21",
      "here: unknown option '\\x1B[2J\\x0A'\n" },
};
/* clang-format on */

static void assert_value(const struct tunables *t, const char *option, const char *expected)
{
    struct str value = STR_INIT(8192);

    tunable_append_value(t, tunable_find(option), &value);
    assert_string_equal(str_text(&value), expected);
    str_free(&value);
}

static void check_setting(void **state)
{
    const struct setting_row *row = *state;
    struct str errors = STR_INIT(1000);
    struct tunables t;

    tunable_init(&t);
    assert_int_equal(parseconf_load_setting(row->setting, "here", &t, &errors), row->error == NULL);
    assert_string_equal(str_text(&errors), row->error != NULL ? row->error : "");
    assert_value(&t, row->option, row->value);
    str_free(&errors);
    tunable_free(&t);
}

static void a_long_wrong_word_is_cut_in_the_error(void **state)
{
    char *word = unit_repeat('q', 5000);
    struct str errors = STR_INIT(1000);
    struct tunables t;

    (void)state;
    tunable_init(&t);
    assert_false(parseconf_load_setting(word, "here", &t, &errors));
    assert_true(str_ok(&errors));
    assert_in_range(errors.len, 80, 150);
    str_free(&errors);
    tunable_free(&t);
    free(word);
}

#define BYTES(text) (text), sizeof(text) - 1

struct file_row {
    const char *name;
    const char *content;
    size_t len;
    const char *port;  /* listen_port afterwards */
    const char *error; /* what follows the path; NULL: none */
};

/* clang-format off */
static const struct file_row file_rows[] = {
    { "file_with_nothing", BYTES(""), "21", NULL },
    { "file_with_comments_and_empty_lines", BYTES("# a\n\n  \t\n  # b=c\nlisten_port=2121\n#\n"), "2121", NULL },
    { "file_without_a_last_line_ending", BYTES("listen_port=2121"), "2121", NULL },
    { "file_with_dos_line_endings", BYTES("#x\r\n\r\nlisten_port=2121\r\n"), "2121", NULL },
    { "file_where_the_last_line_counts", BYTES("listen_port=1\nlisten_port=2\n"), "2", NULL },
    { "file_with_blanks_in_front", BYTES("   listen_port=2121\n"), "2121", NULL },
    { "file_error_names_its_line", BYTES("# one\nlisten_port=2121\nwrong\n"), "2121", ":3: 'wrong' is not name=value\n" },
    { "file_errors_are_all_named", BYTES("wrong\nlisten_port=0\n\nlisten_port=99\nalso wrong"), "99",
      ":1: 'wrong' is not name=value\n"
      "%s:2: listen_port wants a number from 1 to 65535, not '0'\n"
      "%s:5: 'also wrong' is not name=value\n" },
    { "file_with_a_nul", BYTES("listen_port=2\0" "121\n"), "21", ":1: the line holds a NUL byte\n" },
    { "file_with_a_nul_before_a_good_line", BYTES("\0\nlisten_port=2121\n"), "2121", ":1: the line holds a NUL byte\n" },
    { "file_with_a_lone_cr", BYTES("listen_port=21\r21\n"), "21",
      ":1: listen_port wants a number from 1 to 65535, not '21\\x0D21'\n" },
    { "file_with_a_byte_order_mark", BYTES("\xEF\xBB\xBF" "listen_port=2121\n"), "2121", NULL },
    { "file_with_a_byte_order_mark_and_a_comment", BYTES("\xEF\xBB\xBF# x\nlisten_port=2121\n"), "2121", NULL },
    { "file_of_a_byte_order_mark", BYTES("\xEF\xBB\xBF"), "21", NULL },
    { "file_with_a_byte_order_mark_inside", BYTES("\n\xEF\xBB\xBF" "x=1\n"), "21", ":2: unknown option '\\xEF\\xBB\\xBFx'\n" },
    { "file_with_a_comment_behind_a_value", BYTES("listen_port=2121 # why\n"), "21",
      ":1: listen_port wants a number from 1 to 65535, not '2121 # why'; a comment needs a line of its own\n" },
};
/* clang-format on */

/* The expected errors: the path in front, and for each %s. */
static void assert_errors(const struct str *errors, const char *path, const char *format)
{
    struct str expected = STR_INIT(4000);
    const char *at;

    if (format != NULL) {
        str_append(&expected, path);
        while ((at = strstr(format, "%s")) != NULL) {
            str_append_mem(&expected, format, (size_t)(at - format));
            str_append(&expected, path);
            format = at + 2;
        }
        str_append(&expected, format);
    }
    assert_string_equal(str_text(errors), str_text(&expected));
    str_free(&expected);
}

static void check_file(void **state)
{
    const struct file_row *row = *state;
    struct str errors = STR_INIT(4000);
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8];
    struct tunables t;

    unit_make_dir(dir);
    unit_write_file(dir, "conf", row->content, row->len);
    (void)snprintf(path, sizeof(path), "%s/conf", dir);
    tunable_init(&t);
    assert_int_equal(parseconf_load_file(path, &t, &errors), row->error == NULL);
    assert_errors(&errors, path, row->error);
    assert_value(&t, "listen_port", row->port);
    tunable_free(&t);
    str_free(&errors);
    unit_remove_dir(dir);
}

/* A file of one user, over options that are not the defaults. */
struct user_row {
    const char *name;
    const char *content;
    const char *option, *value; /* of the option afterwards */
    const char *error;          /* what follows the path; NULL: none */
};

/* clang-format off */
static const struct user_row user_rows[] = {
    { "user_file_sets_what_may_differ", "write_enable=NO\n", "write_enable", "NO", NULL },
    { "user_file_leaves_what_it_does_not_name", "# none\n", "local_root", "/srv", NULL },
    { "user_file_can_unset", "local_root=\n", "local_root", "", NULL },
    { "user_file_passes_over_what_counts_at_start", "listen_port=2121\n", "listen_port", "99", NULL },
    { "user_file_passes_over_what_counts_before_login", "max_clients=7\n", "max_clients", "2000", NULL },
    { "user_file_passes_over_bad_values_of_these", "max_clients=x\n", "max_clients", "2000", NULL },
    { "user_file_takes_what_is_only_accepted", "allow_writeable_chroot=YES\n", "local_root", "/srv", NULL },
    { "user_file_error_names_its_line", "\nlocal_umask=x\n", "local_root", "/srv",
      ":2: local_umask wants a number from 000 to 777, not 'x'\n" },
    { "user_file_refuses_unknown_names", "wirte_enable=YES\n", "write_enable", "YES",
      ":1: unknown option 'wirte_enable'; the nearest name is 'write_enable'\n" },
};
/* clang-format on */

static void check_user_file(void **state)
{
    const struct user_row *row = *state;
    struct str errors = STR_INIT(4000);
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8];
    struct tunables t;

    unit_make_dir(dir);
    unit_write_file(dir, "conf", row->content, strlen(row->content));
    (void)snprintf(path, sizeof(path), "%s/conf", dir);
    tunable_init(&t);
    assert_true(parseconf_load_setting("write_enable=YES", "-o", &t, &errors));
    assert_true(parseconf_load_setting("local_root=/srv", "-o", &t, &errors));
    assert_true(parseconf_load_setting("listen_port=99", "-o", &t, &errors));
    assert_int_equal(parseconf_load_user_file(path, &t, &errors), row->error == NULL);
    assert_errors(&errors, path, row->error);
    assert_value(&t, row->option, row->value);
    tunable_free(&t);
    str_free(&errors);
    unit_remove_dir(dir);
}

/* A file of `len` bytes, of which the first `newlines` are empty lines. */
static void check_size(size_t len, size_t newlines, const char *error)
{
    char *content = unit_repeat('#', len);
    struct str errors = STR_INIT(4000);
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8];
    struct tunables t;

    unit_make_dir(dir);
    memset(content, '\n', newlines);
    memcpy(content + newlines, "listen_port=2121\n", 17);
    unit_write_file(dir, "conf", content, len);
    (void)snprintf(path, sizeof(path), "%s/conf", dir);
    tunable_init(&t);
    assert_int_equal(parseconf_load_file(path, &t, &errors), error == NULL);
    assert_errors(&errors, path, error);
    assert_value(&t, "listen_port", error == NULL ? "2121" : "21");
    tunable_free(&t);
    str_free(&errors);
    unit_remove_dir(dir);
    free(content);
}

static void a_file_of_100000_bytes_is_read(void **state)
{
    (void)state;
    check_size(PARSECONF_FILE_MAX, 0, NULL);
}

static void a_longer_file_is_refused_with_the_line_that_is_too_much(void **state)
{
    (void)state;
    check_size(PARSECONF_FILE_MAX + 1, 0, ":2: the file is longer than 100000 bytes\n");
    check_size(PARSECONF_FILE_MAX + 1, 40, ":42: the file is longer than 100000 bytes\n");
    check_size(1 << 20, 0, ":2: the file is longer than 100000 bytes\n");
}

/* What is wrong with the file itself. */
struct fault_row {
    const char *name;
    mode_t mode;
    uid_t uid; /* 0: ours */
    gid_t gid;
    const char *error; /* what follows the path; NULL: none */
};

/* clang-format off */
static const struct fault_row fault_rows[] = {
    { "file_for_root_alone_is_read", 0600, 0, 0, NULL },
    { "file_that_all_may_read_is_read", 0644, 0, 0, NULL },
    { "file_that_all_may_write_is_refused", 0666, 0, 0, ": others than root can write it\n" },
    { "file_that_others_may_write_is_refused", 0602, 0, 0, ": others than root can write it\n" },
    { "file_that_roots_group_may_write_is_read", 0660, 0, 0, NULL },
    { "file_that_another_group_may_write_is_refused", 0660, 0, 65534, ": others than root can write it\n" },
    { "file_of_another_user_is_refused", 0600, 65534, 0,
      ": belongs neither to root nor to the user who starts the daemon\n" },
};
/* clang-format on */

static void check_fault(void **state)
{
    const struct fault_row *row = *state;
    struct str errors = STR_INIT(4000);
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8];
    struct tunables t;

    assert_int_equal(geteuid(), 0); /* owners are changed below */
    unit_make_dir(dir);
    unit_write_file(dir, "conf", "listen_port=2121\n", 17);
    (void)snprintf(path, sizeof(path), "%s/conf", dir);
    assert_int_equal(chown(path, row->uid, row->gid), 0);
    assert_int_equal(chmod(path, row->mode), 0);
    tunable_init(&t);
    assert_int_equal(parseconf_load_file(path, &t, &errors), row->error == NULL);
    assert_errors(&errors, path, row->error);
    assert_value(&t, "listen_port", row->error == NULL ? "2121" : "21");
    tunable_free(&t);
    str_free(&errors);
    unit_remove_dir(dir);
}

static void assert_refused(const char *path, const char *reason)
{
    struct str errors = STR_INIT(4000);
    size_t before = unit_count_fds();
    struct tunables t;

    tunable_init(&t);
    assert_false(parseconf_load_file(path, &t, &errors));
    assert_errors(&errors, path, reason);
    assert_int_equal(unit_count_fds(), before);
    tunable_free(&t);
    str_free(&errors);
}

static void what_is_no_file_is_refused_at_once(void **state)
{
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8];

    (void)state;
    unit_make_dir(dir);
    assert_refused(dir, ": not a regular file\n");
    (void)snprintf(path, sizeof(path), "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused(path, ": not a regular file\n"); /* and does not wait for a writer */
    (void)snprintf(path, sizeof(path), "%s/none", dir);
    assert_refused(path, ": No such file or directory\n");
    assert_refused("/dev/zero", ": not a regular file\n");
    unit_remove_dir(dir);
}

/* What -t tells about a file beside its errors. */
struct report_row {
    const char *name;
    const char *content;
    const char *warnings; /* with %s for the path */
    const char *idle;
};

/* clang-format off */
static const struct report_row report_rows[] = {
    { "report_of_plain_lines", "# a\nlisten_port=2121\nlocal_umask=022\nftpd_banner=a b # c\n", "", "" },
    { "report_names_blanks_before_the_equal_sign", "listen_port =2121\n",
      "%s:1: blanks around the name are dropped; vsftpd would refuse the line\n", "" },
    { "report_names_blanks_around_a_truth_value", "write_enable= YES\n",
      "%s:1: blanks around the value are dropped; vsftpd would refuse the line\n", "" },
    { "report_names_blanks_around_a_text", "ftpd_banner=hello \n",
      "%s:1: blanks around the value are dropped; vsftpd would keep them\n", "" },
    { "report_is_silent_on_blanks_around_a_number", "listen_port=2121 \n", "", "" },
    { "report_is_silent_on_blanks_in_front", "  listen_port=2121\n\t \n", "", "" },
    { "report_names_comments_behind_blanks", " # x\n",
      "%s:1: a comment behind blanks; vsftpd would refuse the line\n", "" },
    { "report_names_dos_line_endings_once", "#x\nlisten_port=1\r\nwrite_enable=YES\r\n",
      "%s:2: lines end with CR and LF, which vsftpd would not take\n", "" },
    { "report_names_a_byte_order_mark", "\xEF\xBB\xBF#x\n",
      "%s:1: a byte order mark in front is passed over; vsftpd would refuse the line\n", "" },
    { "report_names_a_comment_behind_a_path", "anon_root=/srv # x\n",
      "%s:1: what follows # is part of the value: a comment needs a line of its own\n", "" },
    { "report_names_a_leading_0", "accept_timeout=0100\n",
      "%s:1: accept_timeout=0100 is read as 100; vsftpd would read it as an octal number, 64: leave the 0 in front out\n", "" },
    { "report_names_a_leading_0_before_8", "accept_timeout=08\n",
      "%s:1: accept_timeout=08 is read as 8; vsftpd would read it as an octal number, 0: leave the 0 in front out\n", "" },
    { "report_is_silent_on_a_leading_0_without_effect", "accept_timeout=07\nmax_clients=0\nmax_per_ip=00\n", "", "" },
    { "report_names_decimal_permissions", "file_open_mode=511\n",
      "%s:1: file_open_mode=511 is a decimal number, 0777 in octal; octal numbers begin with 0\n", "" },
    { "report_is_silent_on_small_permissions", "local_umask=2\nanon_umask=0\n", "", "" },
    { "report_names_lines_that_later_ones_replace", "max_clients=1\n#\nmax_clients=2\nmax_clients=3\n",
      "%s:3: max_clients counts as it is set here, not as in line 1\n"
      "%s:4: max_clients counts as it is set here, not as in line 3\n", "" },
    { "report_knows_both_names_of_an_option", "log_file=/a\nvsftpd_log_file=/b\n",
      "%s:2: vsftpd_log_file counts as it is set here, not as in line 1\n", "" },
    { "report_names_what_is_always_so", "allow_writeable_chroot=YES\n", "",
      "%s:1: allow_writeable_chroot needs no setting: the directory that a user is kept in may always be "
      "writable: nothing is loaded from it\n" },
    { "report_names_what_is_obsolete", "one_process_model=YES\n", "",
      "%s:1: one_process_model has no effect: each session has processes of its own\n" },
    { "report_warns_of_what_stays_open", "tcp_wrappers=YES\n",
      "%s:1: tcp_wrappers has no effect: hosts.allow and hosts.deny are not read; use a firewall\n", "" },
    { "report_does_not_warn_of_what_is_to_be_open", "tcp_wrappers=NO\n", "",
      "%s:1: tcp_wrappers has no effect: hosts.allow and hosts.deny are not read; use a firewall\n" },
};
/* clang-format on */

/* A report on a file in `dir`, to be freed; its options are dropped. */
static struct parseconf_report *report_on(const char *path, bool user_only)
{
    struct parseconf_report *report = parseconf_report_new();
    struct str errors = STR_INIT(4000);
    struct tunables t;
    const struct parseconf to = {
        .t = &t, .errors = &errors, .report = report, .user_only = user_only};

    assert_non_null(report);
    tunable_init(&t);
    assert_true(parseconf_read_file(&to, path));
    assert_int_equal(errors.len, 0);
    tunable_free(&t);
    return report;
}

/* The lines with the path in place of each %s. */
static void assert_lines(const struct str *lines, const char *path, const char *format)
{
    struct str expected = STR_INIT(4000);
    const char *at;

    while ((at = strstr(format, "%s")) != NULL) {
        str_append_mem(&expected, format, (size_t)(at - format));
        str_append(&expected, path);
        format = at + 2;
    }
    str_append(&expected, format);
    assert_string_equal(str_text(lines), str_text(&expected));
    str_free(&expected);
}

static void check_report(void **state)
{
    const struct report_row *row = *state;
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8];
    struct parseconf_report *report;

    unit_make_dir(dir);
    unit_write_file(dir, "conf", row->content, strlen(row->content));
    (void)snprintf(path, sizeof(path), "%s/conf", dir);
    report = report_on(path, false);
    assert_lines(&report->warnings, path, row->warnings);
    assert_lines(&report->idle, path, row->idle);
    parseconf_report_free(report);
    unit_remove_dir(dir);
}

static void a_report_names_what_counts_for_no_single_user(void **state)
{
    static const char content[] = "max_clients=1\nwrite_enable=YES\nlisten_port=junk\n";
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8];
    struct parseconf_report *report;

    (void)state;
    unit_make_dir(dir);
    unit_write_file(dir, "conf", content, strlen(content));
    (void)snprintf(path, sizeof(path), "%s/conf", dir);
    report = report_on(path, true);
    assert_lines(&report->idle, path,
                 "%s:1: max_clients has no effect in the file of one user\n"
                 "%s:3: listen_port has no effect in the file of one user\n");
    assert_int_equal(report->warnings.len, 0);
    parseconf_report_free(report);
    unit_remove_dir(dir);
}

static void a_report_knows_where_each_value_was_set_last(void **state)
{
    static const char content[] = "\nmax_clients=1\nmax_per_ip=1\nno=1\nlisten_port=x\n";
    struct parseconf_report *report = parseconf_report_new();
    struct str errors = STR_INIT(4000), expected = STR_INIT(4000);
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8];
    struct tunables t;
    const struct parseconf to = {.t = &t, .errors = &errors, .report = report};

    (void)state;
    unit_make_dir(dir);
    unit_write_file(dir, "conf", content, strlen(content));
    (void)snprintf(path, sizeof(path), "%s/conf", dir);
    tunable_init(&t);
    assert_false(parseconf_read_file(&to, path));
    assert_true(parseconf_read_setting(&to, "max_per_ip=2", "-omax_per_ip=2"));
    str_append_format(&expected, "%s:2", path);
    assert_string_equal(parseconf_origin(report, tunable_find("max_clients")), str_text(&expected));
    assert_string_equal(parseconf_origin(report, tunable_find("max_per_ip")), "-omax_per_ip=2");
    assert_null(parseconf_origin(report, tunable_find("listen_port"))); /* was not good */
    assert_null(parseconf_origin(report, tunable_find("listen")));
    assert_int_equal(report->warnings.len, 0); /* another place may say otherwise on purpose */
    tunable_free(&t);
    parseconf_report_free(report);
    str_free(&errors);
    str_free(&expected);
    unit_remove_dir(dir);
}

static void another_file_may_say_otherwise(void **state)
{
    struct parseconf_report *report = parseconf_report_new();
    struct str errors = STR_INIT(4000);
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8];
    struct tunables t;
    const struct parseconf to = {.t = &t, .errors = &errors, .report = report};

    (void)state;
    unit_make_dir(dir);
    unit_write_file(dir, "conf", "max_clients=1\n", 14);
    (void)snprintf(path, sizeof(path), "%s/conf", dir);
    tunable_init(&t);
    assert_true(parseconf_read_file(&to, path));
    assert_true(parseconf_read_file(&to, path)); /* in other words: base.conf and site.conf */
    assert_int_equal(report->warnings.len, 0);
    tunable_free(&t);
    parseconf_report_free(report);
    str_free(&errors);
    unit_remove_dir(dir);
}

int main(void)
{
    UNIT_ADD_TABLE(check_setting, setting_rows);
    UNIT_ADD(a_long_wrong_word_is_cut_in_the_error);
    UNIT_ADD_TABLE(check_file, file_rows);
    UNIT_ADD_TABLE(check_user_file, user_rows);
    UNIT_ADD(a_file_of_100000_bytes_is_read);
    UNIT_ADD(a_longer_file_is_refused_with_the_line_that_is_too_much);
    UNIT_ADD_TABLE(check_report, report_rows);
    UNIT_ADD(a_report_names_what_counts_for_no_single_user);
    UNIT_ADD(a_report_knows_where_each_value_was_set_last);
    UNIT_ADD(another_file_may_say_otherwise);
    UNIT_ADD_TABLE(check_fault, fault_rows);
    UNIT_ADD(what_is_no_file_is_refused_at_once);
    return unit_run("parseconf");
}
