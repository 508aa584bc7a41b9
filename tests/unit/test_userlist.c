/*
 * test_userlist.c - files with one user name a line
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: a directory under /tmp.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "str.h"
#include "unit.h"
#include "userlist.h"

struct list_row {
    const char *name;
    const char *text;
    size_t len;
    const char *user;
    bool listed;
};

#define BYTES(content) (content), sizeof(content) - 1

/* clang-format off */
static const struct list_row list_rows[] = {
    { "name_alone", BYTES("bob\n"), "bob", true },
    { "name_without_an_end_of_line", BYTES("bob"), "bob", true },
    { "name_at_the_beginning", BYTES("bob\nalice\ncarol\n"), "bob", true },
    { "name_in_the_middle", BYTES("alice\nbob\ncarol\n"), "bob", true },
    { "name_at_the_end", BYTES("alice\ncarol\nbob"), "bob", true },
    { "name_twice", BYTES("bob\nbob\n"), "bob", true },
    { "name_between_empty_lines", BYTES("\n\n\nbob\n\n"), "bob", true },
    { "name_between_blanks", BYTES("  bob \n"), "bob", true },
    { "name_between_tabs", BYTES("\tbob\t\n"), "bob", true },
    { "name_before_a_carriage_return", BYTES("alice\r\nbob\r\n"), "bob", true },
    { "name_before_a_carriage_return_at_the_end", BYTES("bob\r"), "bob", true },
    { "name_behind_a_comment", BYTES("# bob\nbob\n"), "bob", true },
    { "name_of_utf8", BYTES("b\xC3\xB6" "b\n"), "b\xC3\xB6" "b", true },
    { "empty_list", BYTES(""), "bob", false },
    { "list_of_empty_lines", BYTES("\n\n \n\r\n"), "bob", false },
    { "name_in_another_case", BYTES("Bob\n"), "bob", false },
    { "longer_name", BYTES("bobby\n"), "bob", false },
    { "shorter_name", BYTES("bo\n"), "bob", false },
    { "name_behind_another", BYTES("alice bob\n"), "bob", false },
    { "name_before_another", BYTES("bob alice\n"), "bob", false },
    { "name_behind_a_comma", BYTES("alice,bob\n"), "bob", false },
    { "comment", BYTES("#bob\n"), "bob", false },
    { "comment_behind_blanks", BYTES("  #bob\n"), "#bob", false },
    { "comment_behind_a_name_is_none", BYTES("bob # the builder\n"), "bob", false },
    { "name_before_a_nul", BYTES("bob\0\n"), "bob", false },
    { "name_behind_a_nul", BYTES("\0bob\n"), "bob", false },
    { "empty_name", BYTES("\nbob\n\n"), "", false },
    { "empty_name_in_an_empty_list", BYTES(""), "", false },
    { "name_of_two_lines", BYTES("a\nb\n"), "a\nb", false },
    { "name_of_a_blank", BYTES(" \n"), " ", false },
    { "name_with_blanks_is_no_trimmed_name", BYTES("bob\n"), " bob", false },
};
/* clang-format on */

static void check_list(void **state)
{
    const struct list_row *row = *state;
    char *exact = malloc(row->len + 1); /* so that a read beyond it is seen */

    assert_non_null(exact);
    memcpy(exact, row->text, row->len);
    exact = realloc(exact, row->len > 0 ? row->len : 1);
    assert_int_equal(userlist_has(exact, row->len, row->user), row->listed);
    free(exact);
}

static void the_longest_name_is_found(void **state)
{
    char *name = unit_repeat('n', 5000);

    (void)state;
    assert_true(userlist_has(name, 5000, name));
    assert_false(userlist_has(name, 4999, name));
    free(name);
}

static void look_up(const char *path, const char *user, enum userlist_answer answer, int error)
{
    size_t before = unit_count_fds();

    errno = 0;
    assert_int_equal(userlist_look_up(path, user), answer);
    assert_true(error == 0 || errno == error);
    assert_int_equal(unit_count_fds(), before);
}

static void files_are_read_each_time(void **state)
{
    char dir[UNIT_DIR_MAX];
    struct str path = STR_INIT(200);

    (void)state;
    unit_make_dir(dir);
    str_append_format(&path, "%s/list", dir);
    look_up(str_text(&path), "bob", USERLIST_UNREADABLE, ENOENT);
    unit_write_file(dir, "list", "", 0);
    look_up(str_text(&path), "bob", USERLIST_NOT_LISTED, 0);
    unit_write_file(dir, "list", "bob\n", 4);
    look_up(str_text(&path), "bob", USERLIST_LISTED, 0);
    look_up(str_text(&path), "alice", USERLIST_NOT_LISTED, 0);
    unit_remove_dir(dir);
    str_free(&path);
}

static void what_is_no_list_is_unreadable(void **state)
{
    char dir[UNIT_DIR_MAX];
    struct str path = STR_INIT(200);

    (void)state;
    unit_make_dir(dir);
    look_up(NULL, "bob", USERLIST_UNREADABLE, ENOENT);
    look_up("", "bob", USERLIST_UNREADABLE, ENOENT);
    look_up(dir, "bob", USERLIST_UNREADABLE, EINVAL);
    look_up("/dev/zero", "bob", USERLIST_UNREADABLE, EINVAL);
    str_append_format(&path, "%s/fifo", dir);
    assert_int_equal(mkfifo(str_text(&path), 0600), 0);
    look_up(str_text(&path), "bob", USERLIST_UNREADABLE,
            EINVAL); /* and nobody waits for a writer */
    str_clear(&path);
    str_append_format(&path, "%s/big", dir);
    unit_write_file(dir, "big", "bob\n", 4);
    assert_int_equal(truncate(str_text(&path), USERLIST_FILE_MAX), 0);
    look_up(str_text(&path), "bob", USERLIST_LISTED, 0);
    assert_int_equal(truncate(str_text(&path), USERLIST_FILE_MAX + 1), 0);
    look_up(str_text(&path), "bob", USERLIST_UNREADABLE, EFBIG);
    unit_remove_dir(dir);
    str_free(&path);
}

int main(void)
{
    UNIT_ADD_TABLE(check_list, list_rows);
    UNIT_ADD(the_longest_name_is_found);
    UNIT_ADD(files_are_read_each_time);
    UNIT_ADD(what_is_no_list_is_unreadable);
    return unit_run("userlist");
}
