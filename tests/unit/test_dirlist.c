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

#include "dirfacts.h"
#include "dirlist.h"
#include "str.h"
#include "sysutil.h"
#include "unit.h"

static struct listfmt look;

/* Options as letters: L long, A all, D dots, I itself, R reverse, F follow, S by size, T by time, C recurse. */
static void spell_options(const struct dirlist_options *options, struct str *text)
{
    str_append(text, options->format == DIRLIST_LONG ? "L" : "");
    str_append(text, options->all ? "A" : "");
    str_append(text, options->dots ? "D" : "");
    str_append(text, options->itself ? "I" : "");
    str_append(text, options->reverse ? "R" : "");
    str_append(text, options->follow ? "F" : "");
    str_append(text, options->order == DIRLIST_BY_SIZE ? "S" : "");
    str_append(text, options->order == DIRLIST_BY_TIME ? "T" : "");
    str_append(text, options->recurse ? "C" : "");
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
    { "options_unknown_are_ignored", "-laFhZ1 name", "LAD", "name" },
    { "option_t_sorts_by_time", "-t", "T", "" },
    { "option_capital_s_sorts_by_size", "-S", "S", "" },
    { "option_capital_l_follows_links", "-L", "F", "" },
    { "option_capital_r_recurses", "-lR x", "LC", "x" },
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

static void set_time(const char *path, time_t when)
{
    const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};

    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
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
    assert_int_equal(mkdir("sub/deep/down", 0755), 0);
    touch("sub/deep/down/x");
    set_time("sub/a", 1700000000);
    set_time("sub/b", -5);
    set_time("sub/deep", 1600000000);
    assert_int_equal(truncate("sub/b", 1), 0);
    set_time("sub/b", -5);
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
    while (dirlist_fill(list, buf, cap, &len)) {
        assert_true(len == 0 || (len >= 2 && buf[len - 1] == '\n'));
        str_append_mem(text, buf, len);
    }
    assert_int_equal(len, 0);
    assert_false(dirlist_fill(list, buf, cap, &len));
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
    { "names_recursively_are_paths", "-R sub", "sub/a sub/b sub/deep sub/deep/down sub/deep/down/x ", 0 },
    { "names_recursively_from_here", "-R", "-l B [x] a broken c.mp3 empty link loop sub x sub/a sub/b sub/deep sub/deep/down sub/deep/down/x ", 0 },
    { "names_recursively_of_a_pattern", "-R s*", "sub sub/a sub/b sub/deep sub/deep/down sub/deep/down/x ", 0 },
    { "names_recursively_do_not_follow_links", "-R link", "link/a link/b link/deep link/deep/down link/deep/down/x ", 0 },
    { "names_by_size", "-S sub", "sub/deep sub/b sub/a ", 0 },
    { "names_by_time", "-t sub", "sub/a sub/deep sub/b ", 0 },
    { "names_by_time_in_reverse", "-tr sub", "sub/b sub/deep sub/a ", 0 },
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
        assert_false(dirlist_open(&list, path, &options, &look));
        assert_int_equal(errno, row->error);
    } else {
        assert_true(dirlist_open(&list, path, &options, &look));
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
    { "long_following_links", "-L l*", "d:link l:loop -> loop " },
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
    assert_true(dirlist_open(&list, path, &options, &look));
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

static void times_of_one_second_are_in_order(void **state)
{
    const struct dirlist_options options = {.format = DIRLIST_NAMES, .order = DIRLIST_BY_TIME};
    static const struct timespec when[] = {
        {.tv_sec = 1000, .tv_nsec = 1},
        {.tv_sec = 1000, .tv_nsec = 3},
        {.tv_sec = 1000, .tv_nsec = 2},
        {.tv_sec = INT64_MAX / 2},
        {.tv_sec = -1000},
    };
    static const char *const names[] = {"empty/a", "empty/b", "empty/c", "empty/d", "empty/e"};
    struct str text = STR_INIT(1000);
    struct dirlist list;

    (void)state;
    enter_place();
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct timespec times[2] = {when[i], when[i]};

        touch(names[i]);
        assert_int_equal(utimensat(AT_FDCWD, names[i], times, 0), 0);
    }
    assert_true(dirlist_open(&list, "empty", &options, &look));
    fill_all(&list, DIRLIST_LINE_MAX, &text);
    dirlist_close(&list);
    join_lines(&text);
    assert_string_equal(str_text(&text), "empty/d empty/b empty/c empty/a empty/e ");
    str_free(&text);
    leave_place();
}

static void long_recursively_has_headings(void **state)
{
    const struct dirlist_options options = {.format = DIRLIST_LONG, .recurse = true};
    struct str text = STR_INIT(10000);
    struct dirlist list;
    const char *at;

    (void)state;
    enter_place();
    assert_true(dirlist_open(&list, "", &options, &look));
    fill_all(&list, DIRLIST_LINE_MAX, &text);
    dirlist_close(&list);
    at = str_text(&text);
    for (const char **p = (const char *[]){" x\r\n\r\n./empty:\r\n\r\n./sub:\r\n-",
                                           " deep\r\n\r\n./sub/deep:\r\nd",
                                           " down\r\n\r\n./sub/deep/down:\r\n-", " x\r\n", NULL};
         *p != NULL; p++) {
        at = strstr(at, *p);
        assert_non_null(at);
    }
    assert_int_equal(strlen(at), strlen(" x\r\n"));
    str_free(&text);
    leave_place();
}

static void a_directory_that_vanishes_during_recursion_is_empty(void **state)
{
    const struct dirlist_options options = {.format = DIRLIST_NAMES, .recurse = true};
    struct str text = STR_INIT(10000);
    struct dirlist list;

    (void)state;
    enter_place();
    assert_true(dirlist_open(&list, "sub/deep", &options, &look));
    assert_int_equal(unlink("sub/deep/down/x"), 0);
    assert_int_equal(rmdir("sub/deep/down"), 0);
    fill_all(&list, DIRLIST_LINE_MAX, &text);
    assert_int_equal(list.error, 0);
    dirlist_close(&list);
    assert_string_equal(str_text(&text), "sub/deep/down\r\n");
    str_free(&text);
    leave_place();
}

/* Between two of them the caller looks at the client, who waits for nothing else. */
static void empty_directories_during_recursion_are_steps(void **state)
{
    const struct dirlist_options options = {.format = DIRLIST_NAMES, .recurse = true};
    char *buf = malloc(DIRLIST_LINE_MAX);
    unsigned steps = 0;
    struct dirlist list;
    size_t len;

    (void)state;
    assert_non_null(buf);
    enter_place();
    assert_int_equal(mkdir("empty/a", 0755), 0);
    assert_int_equal(mkdir("empty/b", 0755), 0);
    assert_int_equal(mkdir("empty/c", 0755), 0);
    assert_true(dirlist_open(&list, "empty", &options, &look));
    while (dirlist_fill(&list, buf, DIRLIST_LINE_MAX, &len)) {
        steps++;
    }
    dirlist_close(&list);
    assert_in_range(steps, 4, 7);
    leave_place();
    free(buf);
}

/* SECURITY: a directory that was replaced by a link is not followed. */
static void recursion_does_not_follow_what_became_a_link(void **state)
{
    const struct dirlist_options options = {.format = DIRLIST_NAMES, .recurse = true};
    struct str text = STR_INIT(10000);
    struct dirlist list;

    (void)state;
    enter_place();
    assert_true(dirlist_open(&list, "sub/deep", &options, &look));
    assert_int_equal(rename("sub/deep/down", "moved"), 0);
    assert_int_equal(symlink("../../moved", "sub/deep/down"), 0);
    fill_all(&list, DIRLIST_LINE_MAX, &text);
    dirlist_close(&list);
    assert_string_equal(str_text(&text), "sub/deep/down\r\n");
    str_free(&text);
    leave_place();
}

/* The lines of facts, as a set: they come as the kernel has them. */
static void facts_show_everything_once(void **state)
{
    const struct dirlist_options options = {.format = DIRLIST_FACTS};
    struct listfmt types = {.facts = FACT_TYPE};
    struct str text = STR_INIT(10000);
    struct dirlist list;
    const char *const lines[] = {
        "type=file; a\r\n",
        "type=file; .hidden\r\n",
        "type=dir; sub\r\n",
        "type=file; -l\r\n",
        "type=OS.unix=slink:sub; link\r\n",
        "type=dir; empty\r\n",
        "type=file; [x]\r\n",
        "type=OS.unix=slink:loop; loop\r\n",
        "type=file; x\r\n",
        "type=file; c.mp3\r\n",
        "type=OS.unix=slink:nowhere; broken\r\n",
        "type=file; B\r\n",
        "type=cdir; .\r\n",
        "type=pdir; ..\r\n",
    };
    size_t total = 0;

    (void)state;
    enter_place();
    assert_true(dirlist_open(&list, "", &options, &types));
    fill_all(&list, DIRLIST_LINE_MAX, &text);
    assert_int_equal(list.error, 0);
    dirlist_close(&list);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_non_null(strstr(str_text(&text), lines[i]));
        total += strlen(lines[i]);
    }
    assert_int_equal(text.len, total);
    assert_int_equal(strncmp(str_text(&text), "type=cdir; .\r\ntype=pdir; ..\r\n", 29), 0);
    str_free(&text);
    leave_place();
}

struct facts_of_row {
    const char *name;
    const char *path;
    const char *line; /* NULL: errno is `error` */
    int error;
};

/* clang-format off */
static const struct facts_of_row facts_of_rows[] = {
    { "facts_of_a_file", "a", "type=file;perm=adfrw; shown", 0 },
    { "facts_of_a_directory", "sub", "type=dir;perm=cdeflmp; shown", 0 },
    { "facts_of_the_working_directory", "", "type=dir;perm=cdeflmp; shown", 0 },
    { "facts_of_a_directory_with_a_slash", "sub/", "type=dir;perm=cdeflmp; shown", 0 },
    { "facts_of_a_link_are_those_of_its_target", "link", "type=dir;perm=cdeflmp; shown", 0 },
    { "facts_of_a_dangling_link", "broken", "type=OS.unix=slink:nowhere;perm=df; shown", 0 },
    { "facts_of_a_file_in_a_directory", "sub/a", "type=file;perm=adfrw; shown", 0 },
    { "facts_of_the_root_grant_no_removal", "/", "type=dir;perm=el; shown", 0 },
    { "facts_of_a_spelling_with_dots", "sub/..", "type=dir;perm=cdeflmp; shown", 0 },
    { "facts_of_a_spelling_with_a_dot", "sub/.", "type=dir;perm=cdeflmp; shown", 0 },
    { "facts_of_a_pattern", "c.*", NULL, ENOENT },
    { "facts_below_a_file", "a/b", NULL, ENOTDIR },
};
/* clang-format on */

static void check_facts_of(void **state)
{
    const struct facts_of_row *row = *state;
    struct listfmt types = {.facts = FACT_TYPE | FACT_PERM,
                            .file_letters = listfmt_letters("adfrw"),
                            .dir_letters = listfmt_letters("cdeflmp"),
                            .uid = 4711};
    char *buf = malloc(DIRLIST_LINE_MAX);
    struct stat st;
    size_t len;

    assert_non_null(buf);
    enter_place();
    assert_int_equal(stat("a", &st), 0);
    types.uid = st.st_uid;
    if (strcmp(row->path, "/") == 0) {
        types.uid = 4711;
        types.gid = 4711;
    }
    len = dirfacts_put(buf, row->path, "shown", &types);
    if (row->line == NULL) {
        assert_int_equal(len, 0);
        assert_int_equal(errno, row->error);
    } else {
        assert_int_equal(len, strlen(row->line));
        assert_memory_equal(buf, row->line, len);
    }
    leave_place();
    free(buf);
}

static void facts_of_what_is_no_directory_are_refused(void **state)
{
    const struct dirlist_options options = {.format = DIRLIST_FACTS};
    size_t before = unit_count_fds();
    struct dirlist list;

    (void)state;
    enter_place();
    assert_false(dirlist_open(&list, "a", &options, &look));
    assert_int_equal(errno, ENOTDIR);
    assert_false(dirlist_open(&list, "missing", &options, &look));
    assert_int_equal(errno, ENOENT);
    assert_false(dirlist_open(&list, "su*", &options, &look));
    assert_int_equal(errno, ENOENT);
    leave_place();
    assert_int_equal(unit_count_fds(), before);
}

static void an_entry_that_has_vanished_is_left_out(void **state)
{
    const struct dirlist_options options = {.format = DIRLIST_LONG};
    struct str text = STR_INIT(10000);
    struct dirlist list;

    (void)state;
    enter_place();
    assert_true(dirlist_open(&list, "sub", &options, &look));
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
    assert_true(dirlist_open(&list, "sub", &options, &look));
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
    assert_true(dirlist_open(&list, "empty", &names, &look));
    fill_all(&list, 20000, &text);
    dirlist_close(&list);
    assert_string_equal(str_text(&text), "empty/\x1B[2J\xFF\r\nempty/a?b\r\nempty/c??226 done\r\n");
    str_clear(&text);
    assert_true(dirlist_open(&list, "empty", &lines, &look));
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
        assert_true(dirlist_open(&list, "sub", &options, &look));
        fill_all(&list, 20000, &text);
        dirlist_close(&list);
        assert_int_equal(text.len > 0, i == 0);
        str_clear(&text);
        assert_true(dirlist_open(&list, "sub/*", &options, &look)); /* nor through a pattern */
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
    assert_true(dirlist_open(&list, "empty", &names, &look));
    fill_all(&list, DIRLIST_LINE_MAX, &text); /* a line or a few at a time */
    dirlist_close(&list);
    assert_int_equal(text.len, expected.len);
    assert_string_equal(str_text(&text), str_text(&expected));
    str_clear(&text);
    assert_true(dirlist_open(&list, "empty", &lines, &look));
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
    assert_true(dirlist_open(&list, "empty", &names, &look));
    fill_all(&list, DIRLIST_LINE_MAX, &text);
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
    UNIT_ADD_TABLE(check_names, names_rows);
    UNIT_ADD_TABLE(check_shown, shown_rows);
    UNIT_ADD(times_of_one_second_are_in_order);
    UNIT_ADD(long_recursively_has_headings);
    UNIT_ADD(a_directory_that_vanishes_during_recursion_is_empty);
    UNIT_ADD(empty_directories_during_recursion_are_steps);
    UNIT_ADD(recursion_does_not_follow_what_became_a_link);
    UNIT_ADD(facts_show_everything_once);
    UNIT_ADD_TABLE(check_facts_of, facts_of_rows);
    UNIT_ADD(facts_of_what_is_no_directory_are_refused);
    UNIT_ADD(an_entry_that_has_vanished_is_left_out);
    UNIT_ADD(a_directory_that_was_renamed_is_still_listed);
    UNIT_ADD(names_with_control_bytes_keep_to_their_lines);
    UNIT_ADD(a_directory_that_others_may_not_read_counts_as_empty);
    UNIT_ADD(many_entries_come_through_a_small_buffer);
    UNIT_ADD(the_longest_names_fit);
    return unit_run("dirlist");
}
