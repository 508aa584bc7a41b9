/*
 * test_fence.c - which paths stay in a directory, and what becomes of the others
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: a directory of its own.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fence.h"
#include "unit.h"

static struct {
    char top[UNIT_DIR_MAX];
    struct fence fence;
    size_t fds_before;
} place;

/*
 * top/in, with a fence around it: f, d/f, and links: up -> .., out -> ../out, etc -> /etc, back -> d/..,
 * loop -> loop, self -> top/in/f by its full name. Beside it: top/out/f and top/inside/f.
 */
static void place_open(void)
{
    struct str text = STR_INIT(1000);

    place.fds_before = unit_count_fds();
    unit_make_dir(place.top);
    assert_int_equal(chdir(place.top), 0);
    assert_int_equal(mkdir("in", 0755) | mkdir("in/d", 0755) | mkdir("out", 0755), 0);
    assert_int_equal(mkdir("inside", 0755), 0);
    unit_write_file("in", "f", "", 0);
    unit_write_file("in/d", "f", "", 0);
    unit_write_file("out", "f", "", 0);
    unit_write_file("inside", "f", "", 0);
    assert_int_equal(symlink("..", "in/up") | symlink("../out", "in/out"), 0);
    assert_int_equal(symlink("/etc", "in/etc") | symlink("d/..", "in/back"), 0);
    assert_int_equal(symlink("loop", "in/loop"), 0);
    str_append_format(&text, "%s/in/f", place.top);
    assert_int_equal(symlink(str_text(&text), "in/self"), 0);
    str_clear(&text);
    str_append_format(&text, "%s/in", place.top);
    fence_init(&place.fence);
    assert_true(fence_set(&place.fence, str_text(&text)));
    str_free(&text);
}

static void place_close(void)
{
    fence_free(&place.fence);
    assert_int_equal(chdir("/"), 0);
    unit_remove_dir(place.top);
    assert_int_equal(unit_count_fds(), place.fds_before);
}

struct path_row {
    const char *name;
    const char *path; /* behind top */
    bool inside;
};

/* clang-format off */
static const struct path_row path_rows[] = {
    { "inside_the_directory_itself", "/in", true },
    { "inside_the_directory_with_a_slash", "/in/", true },
    { "inside_a_file", "/in/f", true },
    { "inside_a_file_below", "/in/d/f", true },
    { "inside_with_dots", "/in/./d/../d/./f", true },
    { "inside_up_to_the_top", "/in/d/..", true },
    { "inside_by_a_link", "/in/back/f", true },
    { "inside_with_slashes", "/in//d///f", true },
    { "inside_what_does_not_exist", "/in/missing", true },
    { "inside_what_is_below_what_does_not_exist", "/in/missing/x/y", true },
    { "inside_below_a_file", "/in/f/x", true },
    { "inside_back_from_below_a_file", "/in/f/../x", true }, /* the kernel says no by itself */
    { "inside_a_name_too_long", "/in/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
      "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
      "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", true },
    { "outside_above", "", false },
    { "outside_beside", "/out/f", false },
    { "outside_a_longer_name", "/inside/f", false },
    { "outside_by_dots", "/in/..", false },
    { "outside_by_dots_and_back", "/in/../in/f", false },
    { "outside_by_dots_from_below", "/in/d/../../out/f", false },
    { "outside_by_dots_to_what_does_not_exist", "/in/../missing", false },
    { "outside_by_a_link_up", "/in/up", false },
    { "outside_by_a_link_beside", "/in/out/f", false },
    { "outside_by_a_link_to_what_does_not_exist", "/in/out/missing", false },
    { "outside_by_a_link_from_the_root", "/in/etc/passwd", false },
    { "outside_by_a_link_from_the_root_back_in", "/in/self", false },
    { "outside_for_a_link_that_leads_nowhere", "/in/loop", false },
};
/* clang-format on */

static void check_path(void **state)
{
    const struct path_row *row = *state;
    struct str path = STR_INIT(2000);

    place_open();
    str_append(&path, place.top);
    str_append(&path, row->path);
    assert_int_equal(fence_contains(&place.fence, str_text(&path)), row->inside);
    str_free(&path);
    place_close();
}

static void other_trees_are_outside(void **state)
{
    static const char *const paths[] = {"/", "/etc/passwd", "/proc/self/fd/0", "in/f", "f", ""};

    (void)state;
    place_open();
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        assert_false(fence_contains(&place.fence, paths[i]));
    }
    place_close();
}

static void without_a_fence_all_is_inside(void **state)
{
    struct fence fence;

    (void)state;
    fence_init(&fence);
    assert_true(fence_contains(&fence, "/etc/passwd"));
    assert_true(fence_contains(&fence, "/../x"));
    fence_free(&fence);
}

static void a_fence_around_everything(void **state)
{
    struct fence fence;

    (void)state;
    fence_init(&fence);
    assert_true(fence_set(&fence, "/"));
    assert_true(fence_contains(&fence, "/etc/passwd"));
    assert_true(fence_contains(&fence, "/"));
    fence_free(&fence);
}

static void a_fence_needs_a_directory(void **state)
{
    struct fence fence;

    (void)state;
    fence_init(&fence);
    assert_false(fence_set(&fence, "/nonexistent/directory"));
    fence_free(&fence);
    assert_false(fence_set(&fence, "/etc/passwd"));
    fence_free(&fence);
}

static void nowhere_does_not_exist(void **state)
{
    struct str one = STR_INIT(1000), other = STR_INIT(1000), cut = STR_INIT(100);
    char *longer = unit_repeat('x', 500);

    (void)state;
    fence_append_nowhere("/etc/passwd", &one);
    fence_append_nowhere("etc/passwd", &other);
    assert_int_equal(access(str_text(&one), F_OK), -1);
    assert_int_equal(mkdir(str_text(&one), 0755), -1);
    assert_int_equal(strncmp(str_text(&one), "/.outside-", 10), 0);
    assert_string_equal(strstr(str_text(&one), "/etc"), "/etc/passwd");
    assert_string_equal(strstr(str_text(&other), "/etc"), "/etc/passwd");
    assert_string_not_equal(str_text(&one), str_text(&other));
    fence_append_nowhere(longer, &cut);
    assert_int_equal(access(str_text(&cut), F_OK), -1);
    free(longer);
    str_free(&one);
    str_free(&other);
    str_free(&cut);
}

int main(void)
{
    UNIT_ADD_TABLE(check_path, path_rows);
    UNIT_ADD(other_trees_are_outside);
    UNIT_ADD(without_a_fence_all_is_inside);
    UNIT_ADD(a_fence_around_everything);
    UNIT_ADD(a_fence_needs_a_directory);
    UNIT_ADD(nowhere_does_not_exist);
    return unit_run("fence");
}
