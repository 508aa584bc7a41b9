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
    { "file_of_a_byte_order_mark", BYTES("\xEF\xBB\xBF" "x=1\n"), "21", ":1: unknown option '\\xEF\\xBB\\xBFx'\n" },
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

static void check_size(size_t len, bool good)
{
    char *content = unit_repeat('#', len);
    struct str errors = STR_INIT(4000);
    char dir[UNIT_DIR_MAX], path[UNIT_DIR_MAX + 8];
    struct tunables t;

    unit_make_dir(dir);
    memcpy(content, "listen_port=2121\n", 17);
    unit_write_file(dir, "conf", content, len);
    (void)snprintf(path, sizeof(path), "%s/conf", dir);
    tunable_init(&t);
    assert_int_equal(parseconf_load_file(path, &t, &errors), good);
    assert_errors(&errors, path, good ? NULL : ": longer than 100000 bytes\n");
    assert_value(&t, "listen_port", good ? "2121" : "21");
    tunable_free(&t);
    str_free(&errors);
    unit_remove_dir(dir);
    free(content);
}

static void a_file_of_100000_bytes_is_read(void **state)
{
    (void)state;
    check_size(PARSECONF_FILE_MAX, true);
}

static void a_file_over_100000_bytes_is_refused(void **state)
{
    (void)state;
    check_size(PARSECONF_FILE_MAX + 1, false);
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

int main(void)
{
    UNIT_ADD_TABLE(check_setting, setting_rows);
    UNIT_ADD(a_long_wrong_word_is_cut_in_the_error);
    UNIT_ADD_TABLE(check_file, file_rows);
    UNIT_ADD(a_file_of_100000_bytes_is_read);
    UNIT_ADD(a_file_over_100000_bytes_is_refused);
    UNIT_ADD_TABLE(check_fault, fault_rows);
    UNIT_ADD(what_is_no_file_is_refused_at_once);
    return unit_run("parseconf");
}
