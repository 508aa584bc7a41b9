/*
 * test_userdb.c - names of user and group ids
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: a directory under /tmp.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "str.h"
#include "unit.h"
#include "userdb.h"

static char dir[UNIT_DIR_MAX];
static char passwd_file[UNIT_DIR_MAX + 16];
static char group_file[UNIT_DIR_MAX + 16];

static void set_up(void)
{
    unit_make_dir(dir);
    (void)snprintf(passwd_file, sizeof(passwd_file), "%s/passwd", dir);
    (void)snprintf(group_file, sizeof(group_file), "%s/group", dir);
}

static void write_file(const char *name, const char *text)
{
    unit_write_file(dir, name, text, strlen(text));
}

/* A table of these two files. */
static struct userdb *make_db(const char *passwd, const char *group)
{
    struct userdb *db = userdb_new();

    write_file("passwd", passwd);
    write_file("group", group);
    assert_non_null(db);
    assert_true(userdb_refresh(db, passwd_file, group_file));
    return db;
}

static void assert_name(const char *name, const char *expected)
{
    if (expected == NULL) {
        assert_null(name);
    } else {
        assert_non_null(name);
        assert_string_equal(name, expected);
    }
}

struct lookup_row {
    const char *name;
    const char *text; /* the lines of both files: name:x:id:... */
    unsigned id;
    const char *found; /* NULL: nothing */
};

/* clang-format off */
static const struct lookup_row lookup_rows[] = {
    { "finds_an_id", "root@0 bin@1 ", 1, "bin" },
    { "finds_id_0", "root@0 bin@1 ", 0, "root" },
    { "finds_the_only_one", "bin@1 ", 1, "bin" },
    { "finds_nothing_in_nothing", "", 0, NULL },
    { "finds_nothing_below", "a@5 b@7 c@9 ", 4, NULL },
    { "finds_nothing_between", "a@5 b@7 c@9 ", 6, NULL },
    { "finds_nothing_above", "a@5 b@7 c@9 ", 10, NULL },
    { "finds_first_of_unsorted", "c@9 a@5 b@7 ", 5, "a" },
    { "finds_middle_of_unsorted", "c@9 a@5 b@7 ", 7, "b" },
    { "finds_last_of_unsorted", "c@9 a@5 b@7 ", 9, "c" },
    { "finds_large_ids", "big@4294967294 a@1 ", 4294967294U, "big" },
    { "finds_ids_over_31_bits", "a@1 big@3000000000 b@2000000000 ", 3000000000U, "big" },
    { "first_entry_wins", "zoe@5 amy@5 ", 5, "zoe" },
    { "first_entry_wins_of_many", "x@1 zoe@5 y@9 amy@5 bob@5 z@2 ", 5, "zoe" },
    { "blanks_become_underscores", "a\\b\\\\c@5 ", 5, "a_b__c" },
    { "tabs_become_underscores", "a\tb@5 ", 5, "a_b" },
    { "control_bytes_become_underscores", "a\x01\x1b\x7fz@5 ", 5, "a___z" },
    { "carriage_returns_become_underscores", "a\rz@5 ", 5, "a_z" },
    { "semicolons_become_underscores", "a;type=dir;@5 ", 5, "a_type=dir_" },
    { "utf8_stays", "m\xC3\xBCller@5 ", 5, "m\xC3\xBCller" },
    { "no_name_is_no_entry", "@5 amy@5 ", 5, "amy" },
    { "other_sources_are_no_entry", "+@5 +nis@5 -nis@5 amy@5 ", 5, "amy" },
    { "other_sources_do_not_hide_root", "+@ +nis@ -@ root@0 ", 0, "root" },
    { "an_id_that_is_no_number_is_no_entry", "amy@five bob@5 ", 5, "bob" },
    { "a_negative_id_is_no_small_one", "amy@-5 bob@5 ", 5, "bob" },
    { "a_line_without_id_is_no_entry", "amy@ bob@5 ", 5, "bob" },
};
/* clang-format on */

/*
 * Lines of a file: in `text` an '@' is ":x:", a blank ends a line with `tail`, and a backslash is a
 * blank.
 */
static void make_lines(const char *text, const char *tail, struct str *out)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '@':
            str_append(out, ":x:");
            break;
        case ' ':
            str_append(out, tail);
            break;
        case '\\':
            str_append_char(out, ' ');
            break;
        default:
            str_append_char(out, *text);
            break;
        }
    }
    assert_true(str_ok(out));
}

static void check_lookup(void **state)
{
    const struct lookup_row *row = *state;
    struct str passwd = STR_INIT(4096), group = STR_INIT(4096);
    struct userdb *db;

    set_up();
    make_lines(row->text, ":0:A User:/home:/bin/sh\n", &passwd);
    make_lines(row->text, ":one,two\n", &group);
    db = make_db(str_text(&passwd), "");
    assert_name(userdb_user(db, row->id), row->found);
    assert_name(userdb_group(db, row->id), NULL);
    userdb_free(db);
    db = make_db("", str_text(&group));
    assert_name(userdb_group(db, row->id), row->found);
    assert_name(userdb_user(db, row->id), NULL);
    userdb_free(db);
    str_free(&passwd);
    str_free(&group);
    unit_remove_dir(dir);
}

static void strange_lines_are_no_entries(void **state)
{
    struct userdb *db;

    (void)state;
    set_up();
    db = make_db("\n\n# amy:x:5:5::/:\nnonsense\n:::::::::\namy:x\namy:x:5\n"
                 "  bob:x:6:6::/:/bin/sh\nlast:x:7:7::/:/bin/sh",
                 "#\n\nstaff\nstaff:x\nlast:x:7:");
    assert_name(userdb_user(db, 7), "last"); /* without a line ending */
    assert_name(userdb_user(db, 6), "bob");
    assert_name(userdb_group(db, 7), "last");
    userdb_free(db);
    unit_remove_dir(dir);
}

static void an_empty_table_knows_nothing(void **state)
{
    struct userdb *db = userdb_new();
    gid_t gid = 77;

    (void)state;
    assert_non_null(db);
    assert_null(userdb_user(db, 0));
    assert_null(userdb_group(db, 0));
    assert_false(userdb_find_group(db, "root", &gid));
    assert_int_equal(gid, 77);
    userdb_free(db);
    userdb_free(NULL);
}

static void long_names_are_cut_and_long_lines_are_read(void **state)
{
    char *name = unit_repeat('n', 5000);
    char *members = unit_repeat('m', 200000);
    struct str passwd = STR_INIT(10000), group = STR_INIT(300000);
    struct userdb *db;

    (void)state;
    set_up();
    str_append_format(&passwd, "%s:x:5:5::/:/bin/sh\nnext:x:6:6::/:\n", name);
    str_append_format(&group, "many:x:5:%s\nnext:x:6:\n", members);
    db = make_db(str_text(&passwd), str_text(&group));
    assert_int_equal(strlen(userdb_user(db, 5)), USERDB_NAME_MAX);
    assert_name(userdb_user(db, 6), "next");
    assert_name(userdb_group(db, 5), "many");
    assert_name(userdb_group(db, 6), "next");
    userdb_free(db);
    str_free(&passwd);
    str_free(&group);
    free(name);
    free(members);
    unit_remove_dir(dir);
}

static void groups_are_found_by_name(void **state)
{
    struct userdb *db;
    gid_t gid = 77;

    (void)state;
    set_up();
    db =
        make_db("amy:x:5:5::/:\n", "b:x:9:\na:x:8:\nalias:x:9:\na:x:3:\na:x:20:\nmy group:x:12:\n");
    assert_false(userdb_find_group(db, "amy", &gid)); /* a user */
    assert_false(userdb_find_group(db, "A", &gid));
    assert_false(userdb_find_group(db, "al", &gid));
    assert_false(userdb_find_group(db, "", &gid));
    assert_int_equal(gid, 77);
    assert_true(userdb_find_group(db, "b", &gid));
    assert_int_equal(gid, 9);
    assert_true(userdb_find_group(db, "a", &gid)); /* the first of three */
    assert_int_equal(gid, 8);
    assert_true(userdb_find_group(db, "alias", &gid)); /* a second name of one id */
    assert_int_equal(gid, 9);
    assert_name(userdb_group(db, 9), "b");
    assert_true(userdb_find_group(db, "my_group", &gid)); /* as listings show it */
    assert_int_equal(gid, 12);
    userdb_free(db);
    unit_remove_dir(dir);
}

/* Give a file a time of change. */
static void set_time(const char *path, time_t sec, long nsec)
{
    const struct timespec times[2] = {{.tv_sec = sec, .tv_nsec = nsec},
                                      {.tv_sec = sec, .tv_nsec = nsec}};

    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

#define USER_AMY  "amy:x:5:5::/:\n"
#define USER_BOB  "bob:x:5:5::/:\n"
#define GROUP_ONE "one:x:5:\n"
#define GROUP_TWO "two:x:5:\n"

static void files_are_read_again_only_if_they_changed(void **state)
{
    struct userdb *db;

    (void)state;
    set_up();
    write_file("passwd", USER_AMY);
    write_file("group", GROUP_ONE);
    set_time(passwd_file, 1000, 5);
    set_time(group_file, 1000, 5);
    db = userdb_new();
    assert_non_null(db);
    assert_true(userdb_refresh(db, passwd_file, group_file));

    write_file("passwd", USER_BOB); /* same file, size and time: it looks the same */
    write_file("group", GROUP_TWO);
    set_time(passwd_file, 1000, 5);
    set_time(group_file, 1000, 5);
    assert_true(userdb_refresh(db, passwd_file, group_file));
    assert_name(userdb_user(db, 5), "amy");
    assert_name(userdb_group(db, 5), "one");

    set_time(passwd_file, 1000, 6); /* one of both, by its time */
    assert_true(userdb_refresh(db, passwd_file, group_file));
    assert_name(userdb_user(db, 5), "bob");
    assert_name(userdb_group(db, 5), "one");

    write_file("group", GROUP_TWO GROUP_ONE); /* by its size */
    set_time(group_file, 1000, 5);
    assert_true(userdb_refresh(db, passwd_file, group_file));
    assert_name(userdb_group(db, 5), "two");

    write_file("new", USER_AMY); /* by its inode */
    {
        char path[UNIT_DIR_MAX + 16];

        (void)snprintf(path, sizeof(path), "%s/new", dir);
        set_time(path, 1000, 6);
        assert_int_equal(rename(path, passwd_file), 0);
    }
    assert_true(userdb_refresh(db, passwd_file, group_file));
    assert_name(userdb_user(db, 5), "amy");
    userdb_free(db);
    unit_remove_dir(dir);
}

static void a_file_that_became_empty_is_empty(void **state)
{
    struct userdb *db;

    (void)state;
    set_up();
    db = make_db(USER_AMY, GROUP_ONE);
    write_file("passwd", "");
    write_file("group", "");
    assert_true(userdb_refresh(db, passwd_file, group_file));
    assert_null(userdb_user(db, 5));
    assert_null(userdb_group(db, 5));
    userdb_free(db);
    unit_remove_dir(dir);
}

static void a_missing_file_leaves_what_was_read(void **state)
{
    struct userdb *db;

    (void)state;
    set_up();
    db = make_db(USER_AMY, GROUP_ONE);
    assert_int_equal(unlink(passwd_file), 0);
    write_file("group", GROUP_TWO GROUP_ONE);
    errno = 0;
    assert_false(userdb_refresh(db, passwd_file, group_file));
    assert_int_equal(errno, ENOENT);
    assert_name(userdb_user(db, 5), "amy");
    assert_name(userdb_group(db, 5), "two"); /* the other one is read all the same */

    assert_int_equal(unlink(group_file), 0);
    write_file("passwd", USER_BOB);
    errno = 0;
    assert_false(userdb_refresh(db, passwd_file, group_file));
    assert_int_equal(errno, ENOENT);
    assert_name(userdb_user(db, 5), "bob");
    assert_name(userdb_group(db, 5), "two");

    write_file("group", GROUP_ONE);
    assert_true(userdb_refresh(db, passwd_file, group_file));
    assert_name(userdb_group(db, 5), "one");
    userdb_free(db);
    unit_remove_dir(dir);
}

static void what_is_no_file_is_refused_at_once(void **state)
{
    struct userdb *db = userdb_new();

    (void)state;
    set_up();
    assert_non_null(db);
    write_file("group", GROUP_ONE);
    assert_int_equal(mkfifo(passwd_file, 0600), 0); /* the alarm ends a test that waits for it */
    errno = 0;
    assert_false(userdb_refresh(db, passwd_file, group_file));
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_false(userdb_refresh(db, dir, group_file));
    assert_int_equal(errno, EINVAL);
    assert_null(userdb_user(db, 5));
    assert_name(userdb_group(db, 5), "one");
    userdb_free(db);
    unit_remove_dir(dir);
}

static void no_descriptor_stays_open(void **state)
{
    struct userdb *db;
    size_t before;

    (void)state;
    set_up();
    before = unit_count_fds();
    db = make_db(USER_AMY, GROUP_ONE);
    assert_true(userdb_refresh(db, passwd_file, group_file));
    assert_false(userdb_refresh(db, dir, group_file));
    assert_false(userdb_refresh(db, "/nowhere", group_file));
    assert_int_equal(unit_count_fds(), before);
    userdb_free(db);
    unit_remove_dir(dir);
}

static void the_number_of_entries_is_bounded(void **state)
{
    struct userdb *db;
    FILE *file;

    (void)state;
    set_up();
    file = fopen(group_file, "w");
    assert_non_null(file);
    for (unsigned i = USERDB_ENTRIES_MAX + 5; i-- > 0;) { /* the largest id first */
        (void)fprintf(file, "g:x:%u:\n", i);
    }
    assert_int_equal(fclose(file), 0);
    write_file("passwd", USER_AMY);
    db = userdb_new();
    assert_non_null(db);
    assert_true(userdb_refresh(db, passwd_file, group_file));
    assert_name(userdb_group(db, USERDB_ENTRIES_MAX + 4), "g");
    assert_name(userdb_group(db, USERDB_ENTRIES_MAX / 2), "g");
    assert_name(userdb_group(db, 5), "g");
    assert_name(userdb_group(db, 4), NULL);
    userdb_free(db);
    unit_remove_dir(dir);
}

static void a_user_may_be_added(void **state)
{
    struct userdb *db;

    (void)state;
    set_up();
    db = make_db(USER_AMY, GROUP_ONE);
    assert_true(userdb_add_user(db, 9, "ldap user;"));
    assert_true(userdb_add_user(db, 7, "zoe"));
    assert_true(userdb_add_user(db, 8, "kim"));
    assert_true(userdb_add_user(db, 5, "other"));
    assert_true(userdb_add_user(db, 7, "other"));
    assert_name(userdb_user(db, 5), "amy"); /* nobody is replaced */
    assert_name(userdb_user(db, 7), "zoe");
    assert_name(userdb_user(db, 8), "kim");
    assert_name(userdb_user(db, 9), "ldap_user_");
    assert_name(userdb_group(db, 7), NULL);

    write_file("passwd", USER_AMY "file:x:8:8::/:\n");
    assert_true(userdb_refresh(db, passwd_file, group_file));
    assert_name(userdb_user(db, 7), "zoe"); /* stays */
    assert_name(userdb_user(db, 8), "file");
    userdb_free(db);

    db = userdb_new();
    assert_non_null(db);
    assert_true(userdb_add_user(db, 0, "root")); /* before any file */
    assert_name(userdb_user(db, 0), "root");
    userdb_free(db);
    unit_remove_dir(dir);
}

int main(void)
{
    UNIT_ADD_TABLE(check_lookup, lookup_rows);
    UNIT_ADD(strange_lines_are_no_entries);
    UNIT_ADD(an_empty_table_knows_nothing);
    UNIT_ADD(long_names_are_cut_and_long_lines_are_read);
    UNIT_ADD(groups_are_found_by_name);
    UNIT_ADD(files_are_read_again_only_if_they_changed);
    UNIT_ADD(a_file_that_became_empty_is_empty);
    UNIT_ADD(a_missing_file_leaves_what_was_read);
    UNIT_ADD(what_is_no_file_is_refused_at_once);
    UNIT_ADD(no_descriptor_stays_open);
    UNIT_ADD(the_number_of_entries_is_bounded);
    UNIT_ADD(a_user_may_be_added);
    return unit_run("userdb");
}
