/*
 * test_dirlist.c - listings: options, formats, and what of a directory is shown
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: a directory under /tmp, which becomes the working directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dirlist.h"
#include "str.h"
#include "sysutil.h"
#include "unit.h"

/* Options as letters: L long, A all, D dots, I itself, R reverse. */
static void spell_options(const struct dirlist_options *options, struct str *text)
{
    str_append(text, options->format == DIRLIST_LONG ? "L" : "");
    str_append(text, options->all ? "A" : "");
    str_append(text, options->dots ? "D" : "");
    str_append(text, options->itself ? "I" : "");
    str_append(text, options->reverse ? "R" : "");
}

struct option_row {
    const char *name;
    const char *argument;
    const char *options;
    const char *path;
};

/* clang-format off */
static const struct option_row option_rows[] = {
    { "options_none", "", "", "" },
    { "options_none_before_a_path", "dir/file", "", "dir/file" },
    { "option_l", "-l", "L", "" },
    { "option_a_shows_hidden_names_and_dots", "-a", "AD", "" },
    { "option_capital_a_shows_hidden_names_only", "-A", "A", "" },
    { "option_d", "-d dir", "I", "dir" },
    { "option_r", "-r", "R", "" },
    { "options_in_one_group", "-la name", "LAD", "name" },
    { "options_in_any_order", "-alr name", "LADR", "name" },
    { "options_in_several_groups", "-l -a -r name", "LADR", "name" },
    { "options_unknown_are_ignored", "-laFhtZ1 name", "LAD", "name" },
    { "options_end_at_two_minuses", "-l -- -a", "L", "-a" },
    { "options_end_at_two_minuses_alone", "--", "", "" },
    { "options_behind_a_path_are_a_path", "name -l", "", "name -l" },
    { "options_leave_further_blanks_to_the_path", "-l  name", "L", " name" },
    { "options_leave_blanks_in_the_path", "-l a b", "L", "a b" },
    { "option_of_a_minus_alone", "- name", "", "name" },
    { "options_of_bytes_over_127", "-\xFF\xFEl x", "L", "x" },
};
/* clang-format on */

static void check_options(void **state)
{
    const struct option_row *row = *state;
    struct dirlist_options options = {.format = DIRLIST_NAMES};
    struct str text = STR_INIT(100);

    assert_string_equal(dirlist_parse_options(row->argument, &options), row->path);
    spell_options(&options, &text);
    assert_string_equal(str_text(&text), row->options);
    str_free(&text);
}

/* 2024-07-03 04:05:06 UTC, and "six months" as the code has them */
#define NOW        1719979506
#define SIX_MONTHS (182 * 86400)

struct long_row {
    const char *name;
    mode_t mode;
    nlink_t links;
    uid_t uid;
    gid_t gid;
    off_t size;
    time_t when;
    const char *file, *target;
    const char *line;
};

/* clang-format off */
static const struct long_row long_rows[] = {
    { "long_line_of_a_file", S_IFREG | 0644, 1, 1000, 100, 4711, NOW, "a b.txt", NULL,
      "-rw-r--r--    1 1000     100              4711 Jul  3 04:05 a b.txt" },
    { "long_line_of_a_directory", S_IFDIR | 0755, 2, 0, 0, 4096, NOW - 86400, "dir", NULL,
      "drwxr-xr-x    2 0        0                4096 Jul  2 04:05 dir" },
    { "long_line_of_a_link", S_IFLNK | 0777, 1, 0, 0, 6, NOW, "link", "target",
      "lrwxrwxrwx    1 0        0                   6 Jul  3 04:05 link -> target" },
    { "long_line_of_a_link_without_its_target", S_IFLNK | 0777, 1, 0, 0, 6, NOW, "link", NULL,
      "lrwxrwxrwx    1 0        0                   6 Jul  3 04:05 link" },
    { "long_line_of_a_fifo", S_IFIFO | 0600, 1, 0, 0, 0, NOW, "p", NULL,
      "prw-------    1 0        0                   0 Jul  3 04:05 p" },
    { "long_line_of_a_socket", S_IFSOCK | 0600, 1, 0, 0, 0, NOW, "s", NULL,
      "srw-------    1 0        0                   0 Jul  3 04:05 s" },
    { "long_line_of_a_character_device", S_IFCHR | 0600, 1, 0, 0, 0, NOW, "c", NULL,
      "crw-------    1 0        0                   0 Jul  3 04:05 c" },
    { "long_line_of_a_block_device", S_IFBLK | 0600, 1, 0, 0, 0, NOW, "b", NULL,
      "brw-------    1 0        0                   0 Jul  3 04:05 b" },
    { "long_line_of_no_rights", S_IFREG, 1, 0, 0, 0, NOW, "x", NULL,
      "----------    1 0        0                   0 Jul  3 04:05 x" },
    { "long_line_with_all_special_bits", S_IFREG | 07777, 1, 0, 0, 0, NOW, "x", NULL,
      "-rwsrwsrwt    1 0        0                   0 Jul  3 04:05 x" },
    { "long_line_with_special_bits_alone", S_IFREG | 07000, 1, 0, 0, 0, NOW, "x", NULL,
      "---S--S--T    1 0        0                   0 Jul  3 04:05 x" },
    { "long_line_of_a_huge_file", S_IFREG | 0600, 1, 0, 0, INT64_MAX, NOW, "x", NULL,
      "-rw-------    1 0        0        9223372036854775807 Jul  3 04:05 x" },
    { "long_line_of_a_file_over_4_gib", S_IFREG | 0600, 1, 0, 0, 4294967296, NOW, "x", NULL,
      "-rw-------    1 0        0          4294967296 Jul  3 04:05 x" },
    { "long_line_of_large_ids_and_many_links", S_IFREG | 0600, 100000, 4294967294, 4294967295, 1, NOW, "x", NULL,
      "-rw------- 100000 4294967294 4294967295            1 Jul  3 04:05 x" },
    { "long_line_of_a_negative_size", S_IFREG | 0600, 1, 0, 0, -1, NOW, "x", NULL,
      "-rw-------    1 0        0                   0 Jul  3 04:05 x" },
    { "date_just_inside_six_months", S_IFREG, 1, 0, 0, 0, NOW - SIX_MONTHS + 1, "x", NULL,
      "----------    1 0        0                   0 Jan  3 04:05 x" },
    { "date_just_outside_six_months", S_IFREG, 1, 0, 0, 0, NOW - SIX_MONTHS, "x", NULL,
      "----------    1 0        0                   0 Jan  3  2024 x" },
    { "date_in_the_future_shows_its_year", S_IFREG, 1, 0, 0, 0, NOW + 1, "x", NULL,
      "----------    1 0        0                   0 Jul  3  2024 x" },
    { "date_at_midnight", S_IFREG, 1, 0, 0, 0, 1719964800, "x", NULL,
      "----------    1 0        0                   0 Jul  3 00:00 x" },
    { "date_before_midnight", S_IFREG, 1, 0, 0, 0, 1719964799, "x", NULL,
      "----------    1 0        0                   0 Jul  2 23:59 x" },
    { "date_of_a_leap_day", S_IFREG, 1, 0, 0, 0, 951782400, "x", NULL,
      "----------    1 0        0                   0 Feb 29  2000 x" },
    { "date_of_1970", S_IFREG, 1, 0, 0, 0, 0, "x", NULL,
      "----------    1 0        0                   0 Jan  1  1970 x" },
    { "date_before_1970", S_IFREG, 1, 0, 0, 0, -1, "x", NULL,
      "----------    1 0        0                   0 Dec 31  1969 x" },
    { "date_after_2038", S_IFREG, 1, 0, 0, 0, 4102444800, "x", NULL,
      "----------    1 0        0                   0 Jan  1  2100 x" },
    { "name_with_a_line_ending_stays_in_its_line", S_IFREG, 1, 0, 0, 0, NOW, "a\r\nb", NULL,
      "----------    1 0        0                   0 Jul  3 04:05 a??b" },
    { "target_with_a_line_ending_stays_in_its_line", S_IFLNK, 1, 0, 0, 0, NOW, "x", "a\nb",
      "l---------    1 0        0                   0 Jul  3 04:05 x -> a?b" },
    { "name_keeps_all_other_bytes", S_IFREG, 1, 0, 0, 0, NOW, "\x01\x1B\"%n\xFF\xC3\xA4", NULL,
      "----------    1 0        0                   0 Jul  3 04:05 \x01\x1B\"%n\xFF\xC3\xA4" },
};
/* clang-format on */

static size_t format_long(const struct long_row *row, char *buf)
{
    struct stat st = {.st_mode = row->mode,
                      .st_nlink = row->links,
                      .st_uid = row->uid,
                      .st_gid = row->gid,
                      .st_size = row->size,
                      .st_mtime = row->when};

    return dirlist_format_long(buf, &st, row->file, row->target, NOW);
}

static void check_long(void **state)
{
    const struct long_row *row = *state;
    char *buf = malloc(DIRLIST_LINE_MAX);
    size_t len;

    assert_non_null(buf);
    len = format_long(row, buf);
    assert_int_equal(len, strlen(row->line));
    assert_memory_equal(buf, row->line, len);
    free(buf);
}

static void every_time_fits_into_a_line(void **state)
{
    struct long_row row = {.mode = S_IFREG, .links = 1, .file = "x"};
    char *buf = malloc(DIRLIST_LINE_MAX);

    (void)state;
    assert_non_null(buf);
    for (unsigned bit = 0; bit < 63; bit++) {
        row.when = (time_t)(UINT64_C(1) << bit);
        assert_true(format_long(&row, buf) < 100);
        row.when = -row.when;
        assert_true(format_long(&row, buf) < 100);
    }
    row.when = INT64_MAX;
    assert_true(format_long(&row, buf) < 100);
    row.when = INT64_MIN;
    assert_true(format_long(&row, buf) < 100);
    free(buf);
}

/* A file system may hold any time; the sanitizers end the process that reckons wrong. */
static void the_last_second_that_gmtime_knows_is_formatted(void **state)
{
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        static char buf[DIRLIST_LINE_MAX];
        const struct long_row row = {
            .mode = S_IFREG, .links = 1, .when = 67768036191676799, .file = "x"};

        _exit(format_long(&row, buf) < 100 ? 0 : 1);
    }
    assert_int_equal(sysutil_wait(pid), 0);
}

static void the_longest_name_and_target_fit(void **state)
{
    char *file = unit_repeat('\n', 4096);
    char *target = unit_repeat('\r', 4095);
    struct long_row row = {.mode = S_IFLNK | 07777,
                           .links = UINT32_MAX,
                           .uid = UINT32_MAX,
                           .gid = UINT32_MAX,
                           .size = INT64_MAX,
                           .when = INT64_MAX,
                           .file = file,
                           .target = target};
    char *buf = malloc(DIRLIST_LINE_MAX);

    (void)state;
    assert_non_null(buf);
    assert_in_range(format_long(&row, buf), 8191, DIRLIST_LINE_MAX - 2);
    free(buf);
    free(file);
    free(target);
}

/* A directory with known content, entered for each test and removed after it. */
static struct {
    char path[UNIT_DIR_MAX];
    int old_fd;
} place;

static void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_int_not_equal(fd, -1);
    close(fd);
}

static void enter_place(void)
{
    unit_make_dir(place.path);
    place.old_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_not_equal(place.old_fd, -1);
    assert_int_equal(chdir(place.path), 0);
    touch("B");
    touch("a");
    touch(".hidden");
    touch("c.mp3");
    touch("[x]");
    touch("x");
    touch("-l");
    assert_int_equal(mkdir("sub", 0755), 0);
    touch("sub/b");
    touch("sub/a");
    touch("sub/.h");
    assert_int_equal(mkdir("sub/deep", 0755), 0);
    assert_int_equal(mkdir("empty", 0755), 0);
    assert_int_equal(symlink("sub", "link"), 0);
    assert_int_equal(symlink("nowhere", "broken"), 0);
    assert_int_equal(symlink("loop", "loop"), 0);
}

static void leave_place(void)
{
    assert_int_equal(fchdir(place.old_fd), 0);
    close(place.old_fd);
    unit_remove_dir(place.path);
}

/* All lines, through a buffer of `cap` bytes. */
static void fill_all(struct dirlist *list, size_t cap, struct str *text)
{
    char *buf = malloc(cap);
    size_t len;

    assert_non_null(buf);
    while ((len = dirlist_fill(list, buf, cap)) > 0) {
        assert_true(len >= 2 && buf[len - 1] == '\n');
        str_append_mem(text, buf, len);
    }
    assert_int_equal(dirlist_fill(list, buf, cap), 0);
    assert_true(str_ok(text));
    free(buf);
}

/* "name name ": a listing with each line ending as a blank. */
static void join_lines(struct str *text)
{
    size_t kept = 0;

    for (size_t i = 0; i < text->len; i++) {
        if (text->buf[i] == '\r') {
            i++;
            assert_int_equal(text->buf[i], '\n');
            text->buf[kept++] = ' ';
        } else {
            assert_int_not_equal(text->buf[i], '\n');
            text->buf[kept++] = text->buf[i];
        }
    }
    str_truncate(text, kept);
}

struct names_row {
    const char *name;
    const char *argument; /* options and path */
    const char *expected; /* names, each with a blank behind */
    int error;
};

/* clang-format off */
static const struct names_row names_rows[] = {
    { "names_of_the_working_directory", "", "-l B [x] a broken c.mp3 empty link loop sub x ", 0 },
    { "names_of_dot_have_no_prefix", ".", "-l B [x] a broken c.mp3 empty link loop sub x ", 0 },
    { "names_in_reverse", "-r", "x sub loop link empty c.mp3 broken a [x] B -l ", 0 },
    { "names_with_hidden_ones", "-A", "-l .hidden B [x] a broken c.mp3 empty link loop sub x ", 0 },
    { "names_never_have_dots", "-a", "-l .hidden B [x] a broken c.mp3 empty link loop sub x ", 0 },
    { "names_of_a_directory_have_its_prefix", "sub", "sub/a sub/b sub/deep ", 0 },
    { "names_of_a_directory_with_a_slash", "sub/", "sub/a sub/b sub/deep ", 0 },
    { "names_of_a_path_with_dots_are_as_asked", "sub/../sub/.", "sub/../sub/./a sub/../sub/./b sub/../sub/./deep ", 0 },
    { "names_of_dot_slash", "./sub", "./sub/a ./sub/b ./sub/deep ", 0 },
    { "names_of_a_link_to_a_directory", "link", "link/a link/b link/deep ", 0 },
    { "names_of_an_empty_directory", "empty", "", 0 },
    { "names_of_a_file", "a", "a ", 0 },
    { "names_of_a_file_with_its_path", "sub/a", "sub/a ", 0 },
    { "names_of_a_dangling_link", "broken", "broken ", 0 },
    { "names_of_a_link_to_itself", "loop", "loop ", 0 },
    { "names_of_a_directory_itself", "-d sub", "sub ", 0 },
    { "names_of_the_working_directory_itself", "-d", ". ", 0 },
    { "names_of_what_is_missing", "missing", NULL, ENOENT },
    { "names_below_what_is_missing", "missing/x", NULL, ENOENT },
    { "names_below_a_file", "a/x", NULL, ENOTDIR },
    { "names_below_a_file_by_a_pattern", "a/*", NULL, ENOTDIR },
    { "names_of_a_pattern", "*.mp3", "c.mp3 ", 0 },
    { "names_of_a_pattern_in_a_directory", "sub/?", "sub/a sub/b ", 0 },
    { "names_of_a_pattern_of_sets", "[aB]", "B a ", 0 },
    { "names_of_a_pattern_of_braces", "{sub,a,x}", "a sub x ", 0 },
    { "names_of_a_pattern_for_hidden_ones", ".h*", ".hidden ", 0 },
    { "names_of_a_pattern_never_have_dots", "-a .*", ".hidden ", 0 },
    { "names_of_a_pattern_leave_hidden_ones", "-a *n", "broken ", 0 },
    { "names_of_a_pattern_without_a_match", "*.ogg", "", 0 },
    { "names_of_a_pattern_in_reverse", "-r sub/?", "sub/b sub/a ", 0 },
    { "names_of_a_pattern_below_what_is_missing", "missing/*", NULL, ENOENT },
    { "names_of_a_pattern_in_the_middle_is_no_pattern", "s*b/a", NULL, ENOENT },
    { "names_of_a_bomb", "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}*", "", 0 },
    { "a_name_that_exists_is_no_pattern", "[x]", "[x] ", 0 },
    { "a_name_that_begins_with_a_minus", "-- -l", "-l ", 0 },
};
/* clang-format on */

static void check_names(void **state)
{
    const struct names_row *row = *state;
    struct dirlist_options options = {.format = DIRLIST_NAMES};
    const char *path = dirlist_parse_options(row->argument, &options);
    struct str text = STR_INIT(10000);
    size_t before = unit_count_fds();
    struct dirlist list;

    enter_place();
    if (row->expected == NULL) {
        assert_false(dirlist_open(&list, path, &options));
        assert_int_equal(errno, row->error);
    } else {
        assert_true(dirlist_open(&list, path, &options));
        fill_all(&list, 20000, &text);
        join_lines(&text);
        assert_string_equal(str_text(&text), row->expected);
        dirlist_close(&list);
    }
    leave_place();
    assert_int_equal(unit_count_fds(), before);
    str_free(&text);
}

struct shown_row {
    const char *name;
    const char *argument;
    const char *expected; /* first letters and names, each with a blank behind */
};

/* clang-format off */
static const struct shown_row shown_rows[] = {
    { "long_of_a_directory_has_no_prefix", "sub", "-:a -:b d:deep " },
    { "long_with_dots", "-a sub", "d:. d:.. -:.h -:a -:b d:deep " },
    { "long_of_a_file_shows_its_last_part", "sub/a", "-:a " },
    { "long_of_a_directory_itself", "-d sub", "d:sub " },
    { "long_of_a_directory_itself_without_its_slash", "-d sub/deep/", "d:deep " },
    { "long_of_links_shows_their_targets", "l*", "l:link -> sub l:loop -> loop " },
    { "long_of_a_dangling_link", "broken", "l:broken -> nowhere " },
    { "long_of_an_empty_directory", "empty", "" },
    { "long_of_a_pattern", "sub/[ab]", "-:a -:b " },
};
/* clang-format on */

/* Of each line the type and all from the 57th column on. */
static void check_shown(void **state)
{
    const struct shown_row *row = *state;
    struct dirlist_options options = {.format = DIRLIST_LONG};
    const char *path = dirlist_parse_options(row->argument, &options);
    struct str text = STR_INIT(10000), shown = STR_INIT(10000);
    struct dirlist list;
    char *rest, *line;

    enter_place();
    assert_true(dirlist_open(&list, path, &options));
    fill_all(&list, DIRLIST_LINE_MAX, &text);
    dirlist_close(&list);
    leave_place();
    rest = text.len > 0 ? text.buf : NULL;
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        size_t len = strlen(line);

        assert_true(len > 58 && line[len - 1] == '\r');
        line[len - 1] = ' ';
        assert_int_equal(line[59], ' ');
        str_append_char(&shown, line[0]);
        str_append_char(&shown, ':');
        str_append(&shown, line + 60);
    }
    assert_string_equal(str_text(&shown), row->expected);
    str_free(&text);
    str_free(&shown);
}

static void an_entry_that_has_vanished_is_left_out(void **state)
{
    const struct dirlist_options options = {.format = DIRLIST_LONG};
    struct str text = STR_INIT(10000);
    struct dirlist list;

    (void)state;
    enter_place();
    assert_true(dirlist_open(&list, "sub", &options));
    assert_int_equal(unlink("sub/a"), 0);
    fill_all(&list, DIRLIST_LINE_MAX, &text);
    assert_null(strstr(str_text(&text), " a\r\n"));
    assert_non_null(strstr(str_text(&text), " b\r\n"));
    assert_non_null(strstr(str_text(&text), " deep\r\n"));
    dirlist_close(&list);
    str_free(&text);
    leave_place();
}

static void a_directory_that_was_renamed_is_still_listed(void **state)
{
    const struct dirlist_options options = {.format = DIRLIST_LONG};
    struct str text = STR_INIT(10000);
    struct dirlist list;

    (void)state;
    enter_place();
    assert_true(dirlist_open(&list, "sub", &options));
    assert_int_equal(rename("sub", "moved"), 0);
    fill_all(&list, DIRLIST_LINE_MAX, &text);
    assert_non_null(strstr(str_text(&text), " a\r\n"));
    dirlist_close(&list);
    str_free(&text);
    leave_place();
}

static void names_with_control_bytes_keep_to_their_lines(void **state)
{
    const struct dirlist_options names = {.format = DIRLIST_NAMES};
    const struct dirlist_options lines = {.format = DIRLIST_LONG};
    struct str text = STR_INIT(10000);
    struct dirlist list;

    (void)state;
    enter_place();
    touch("empty/a\nb");
    touch("empty/c\r\n226 done");
    touch("empty/\x1B[2J\xFF");
    assert_true(dirlist_open(&list, "empty", &names));
    fill_all(&list, 20000, &text);
    dirlist_close(&list);
    assert_string_equal(str_text(&text), "empty/\x1B[2J\xFF\r\nempty/a?b\r\nempty/c??226 done\r\n");
    str_clear(&text);
    assert_true(dirlist_open(&list, "empty", &lines));
    fill_all(&list, DIRLIST_LINE_MAX, &text);
    dirlist_close(&list);
    assert_non_null(strstr(str_text(&text), " c??226 done\r\n"));
    assert_null(strstr(str_text(&text), "\n226"));
    str_free(&text);
    leave_place();
}

static void a_directory_that_others_may_not_read_counts_as_empty(void **state)
{
    struct dirlist_options options = {.format = DIRLIST_NAMES};
    struct str text = STR_INIT(10000);
    struct dirlist list;

    (void)state;
    enter_place();
    assert_int_equal(chmod("sub", 0750), 0);
    for (int i = 0; i < 2; i++) {
        options.world_readable = i == 1;
        assert_true(dirlist_open(&list, "sub", &options));
        fill_all(&list, 20000, &text);
        dirlist_close(&list);
        assert_int_equal(text.len > 0, i == 0);
        str_clear(&text);
        assert_true(dirlist_open(&list, "sub/*", &options)); /* nor through a pattern */
        fill_all(&list, 20000, &text);
        dirlist_close(&list);
        assert_int_equal(text.len > 0, i == 0);
        str_clear(&text);
    }
    str_free(&text);
    leave_place();
}

static void many_entries_come_through_a_small_buffer(void **state)
{
    const unsigned many = 3000;
    const struct dirlist_options names = {.format = DIRLIST_NAMES};
    const struct dirlist_options lines = {.format = DIRLIST_LONG};
    struct str text = STR_INIT(2000000), expected = STR_INIT(2000000);
    char name[32];
    struct dirlist list;
    const char *at;

    (void)state;
    enter_place();
    for (unsigned i = 0; i < many; i++) {
        (void)snprintf(name, sizeof(name), "empty/file%06u", (i * 7919) % many);
        touch(name);
        (void)snprintf(name, sizeof(name), "empty/file%06u", i);
        str_append(&expected, name);
        str_append(&expected, "\r\n");
    }
    assert_true(dirlist_open(&list, "empty", &names));
    fill_all(&list, strlen("empty/") + 300, &text); /* a line or a few at a time */
    dirlist_close(&list);
    assert_int_equal(text.len, expected.len);
    assert_string_equal(str_text(&text), str_text(&expected));
    str_clear(&text);
    assert_true(dirlist_open(&list, "empty", &lines));
    fill_all(&list, DIRLIST_LINE_MAX, &text);
    dirlist_close(&list);
    at = str_text(&text);
    for (unsigned i = 0; i < many; i++) {
        (void)snprintf(name, sizeof(name), " file%06u\r\n", i);
        at = strstr(at, name);
        assert_non_null(at);
        at++;
    }
    str_free(&text);
    str_free(&expected);
    leave_place();
}

static void the_longest_names_fit(void **state)
{
    const struct dirlist_options names = {.format = DIRLIST_NAMES};
    struct str text = STR_INIT(10000), path = STR_INIT(1000);
    char *name = unit_repeat('\n', 255);
    struct dirlist list;

    (void)state;
    enter_place();
    str_append(&path, "empty/");
    str_append(&path, name);
    touch(str_text(&path));
    assert_true(dirlist_open(&list, "empty", &names));
    fill_all(&list, strlen("empty/") + 300, &text);
    assert_int_equal(text.len, strlen("empty/") + 255 + 2);
    dirlist_close(&list);
    str_free(&text);
    str_free(&path);
    free(name);
    leave_place();
}

int main(void)
{
    UNIT_ADD_TABLE(check_options, option_rows);
    UNIT_ADD_TABLE(check_long, long_rows);
    UNIT_ADD(every_time_fits_into_a_line);
    UNIT_ADD(the_last_second_that_gmtime_knows_is_formatted);
    UNIT_ADD(the_longest_name_and_target_fit);
    UNIT_ADD_TABLE(check_names, names_rows);
    UNIT_ADD_TABLE(check_shown, shown_rows);
    UNIT_ADD(an_entry_that_has_vanished_is_left_out);
    UNIT_ADD(a_directory_that_was_renamed_is_still_listed);
    UNIT_ADD(names_with_control_bytes_keep_to_their_lines);
    UNIT_ADD(a_directory_that_others_may_not_read_counts_as_empty);
    UNIT_ADD(many_entries_come_through_a_small_buffer);
    UNIT_ADD(the_longest_names_fit);
    return unit_run("dirlist");
}
