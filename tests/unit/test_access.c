/*
 * test_access.c - patterns of names and lists of commands
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "str.h"
#include "unit.h"

struct rule_row {
    const char *name;
    const char *home;
    const char *pattern;
    const char *path;
    bool denied; /* by deny_file */
    bool itself; /* the name itself matches: hide_file, upload_file, download_file */
};

/* clang-format off */
static const struct rule_row rule_rows[] = {
    { "no_pattern", "/", NULL, "/a", false, false },
    { "empty_pattern_is_none", "/", "", "/a", false, false },
    { "plain_name", "/", "secret", "/secret", true, true },
    { "plain_name_below", "/", "secret", "/a/secret", true, true },
    { "below_a_plain_name", "/", "secret", "/a/secret/b", true, false },
    { "deep_below_a_plain_name", "/", "secret", "/secret/a/b/c/d", true, false },
    { "other_name", "/", "secret", "/a/b", false, false },
    { "text_within_a_name", "/", "secret", "/my secrets.txt", true, true },
    { "text_within_a_directory", "/", "secret", "/my secrets/a", true, false },
    { "text_across_names_is_none", "/", "ab", "/xa/bx", false, false },
    { "case_counts", "/", "secret", "/Secret", false, false },
    { "star", "/", "*.mp3", "/a/b.mp3", true, true },
    { "star_and_a_directory", "/", "*.mp3", "/a.mp3/b", true, false },
    { "star_wants_the_whole_name", "/", "*.mp3", "/a.mp3.txt", false, false },
    { "star_finds_the_last_end", "/", "*.mp3", "/a.mp3.mp3", true, true },
    { "star_finds_names_with_a_dot", "/", "*.mp3", "/.mp3", true, true },
    { "star_alone_is_everything", "/", "*", "/a", true, true },
    { "star_alone_spares_the_root", "/", "*", "/", false, true },
    { "dot_names", "/", ".*", "/.profile", true, true },
    { "dot_names_only", "/", ".*", "/profile", false, false },
    { "question_mark", "/", "?", "/a", true, true },
    { "question_mark_is_no_slash", "/", "?a", "/a", false, false },
    { "braces", "/", "{*.exe,secret}", "/a/x.exe", true, true },
    { "braces_second", "/", "{*.exe,secret}", "/a/secret", true, true },
    { "braces_do_not_look_inside_names", "/", "{*.exe,secret}", "/a/secrets", false, false },
    { "set", "/", "[Ss]ecret", "/Secret", true, true },
    { "text_of_a_pattern_within_a_name", "/", "[a]", "/x[a]y", true, true },
    { "path_from_the_root", "/", "/a/secret", "/a/secret", true, true },
    { "below_a_path_from_the_root", "/", "/a/secret", "/a/secret/b", true, false },
    { "path_elsewhere_contains_it", "/", "/a/secret", "/b/a/secret", true, true },
    { "pattern_from_the_root", "/", "/a/*.exe", "/a/x.exe", true, true },
    { "pattern_from_the_root_elsewhere", "/", "/a/*.exe", "/b/a/x.exe", false, false },
    { "star_takes_slashes", "/", "/a/*.exe", "/a/b/c/x.exe", true, true },
    { "star_for_a_directory", "/", "/home/*/private", "/home/bob/private", true, true },
    { "below_a_star_for_a_directory", "/", "/home/*/private", "/home/bob/private/a/b", true, false },
    { "end_of_a_path", "/", "a/*.exe", "/b/a/x.exe", true, true },
    { "end_of_a_path_at_the_root", "/", "a/*.exe", "/a/x.exe", true, true },
    { "end_of_a_path_begins_with_a_name", "/", "a/*.exe", "/ba/x.exe", false, false },
    { "braces_with_and_without_slashes", "/", "{/a/*,secret}", "/b/secret", true, true },
    { "braces_with_and_without_slashes_again", "/", "{/a/*,secret}", "/a/b", true, true },
    { "own_home_is_no_name", "/home/alice", "alice", "/home/alice", false, true },
    { "own_home_is_not_above", "/home/alice", "alice", "/home/alice/a", false, false },
    { "own_home_is_not_above_by_path", "/home/alice", "/home", "/home/alice/a", false, false },
    { "name_in_the_own_home", "/home/alice", "alice", "/home/alice/alice", true, true },
    { "path_in_the_own_home", "/home/alice", "alice/secret", "/home/alice/secret", true, true },
    { "pattern_in_the_own_home", "/home/alice", "/home/*/secret", "/home/alice/secret/a", true, false },
    { "home_of_another", "/home/alice", "bob", "/home/bob/a", true, false },
    { "home_that_begins_alike", "/home/al", "alice", "/home/alice/a", true, false },
};
/* clang-format on */

static void check_rule(void **state)
{
    const struct rule_row *row = *state;
    const struct access_texts texts = {row->pattern, row->pattern, row->pattern, row->pattern};
    bool is_set = row->pattern != NULL && *row->pattern != '\0';
    struct access_rules rules;

    assert_true(access_init(&rules, &texts, row->home));
    assert_int_equal(access_is_set(&rules), is_set);
    for (unsigned i = 0; i < 2; i++) { /* the same answer each time */
        assert_int_equal(access_is_denied(&rules, row->path), row->denied);
        assert_int_equal(access_is_hidden(&rules, row->path), row->itself);
        assert_int_equal(access_is_stored(&rules, row->path), row->itself || !is_set);
        assert_int_equal(access_is_fetched(&rules, row->path), row->itself || !is_set);
    }
    access_free(&rules);
}

static void rules_do_not_mix(void **state)
{
    const struct access_texts texts = {"denied", "hidden", "stored", "fetched"};
    struct access_rules rules;

    (void)state;
    assert_true(access_init(&rules, &texts, "/"));
    assert_true(access_is_denied(&rules, "/denied"));
    assert_false(access_is_denied(&rules, "/hidden"));
    assert_true(access_is_hidden(&rules, "/hidden"));
    assert_false(access_is_hidden(&rules, "/denied"));
    assert_true(access_is_stored(&rules, "/stored"));
    assert_false(access_is_stored(&rules, "/fetched"));
    assert_true(access_is_fetched(&rules, "/fetched"));
    assert_false(access_is_fetched(&rules, "/stored"));
    access_free(&rules);
}

/* Nine pairs of braces: 512 patterns. */
static const char too_much[] = "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}";

static void pattern_for_too_much_refuses_everything(void **state)
{
    const struct access_texts texts = {too_much, too_much, too_much, too_much};
    struct access_rules rules;

    (void)state;
    assert_false(access_is_pattern(too_much));
    assert_true(access_is_pattern("{a,b}"));
    assert_false(access_init(&rules, &texts, "/"));
    assert_true(access_is_denied(&rules, "/x"));
    assert_true(access_is_hidden(&rules, "/x"));
    assert_false(access_is_stored(&rules, "/x"));
    assert_false(access_is_fetched(&rules, "/x"));
    access_free(&rules);
}

/* SECURITY: what takes too long to find out counts as denied. */
static void work_without_end_is_refused(void **state)
{
    const size_t len = 30000;
    char *pattern = unit_repeat('a', len);
    char *path = unit_repeat('a', 2 * len);
    struct access_texts texts = {.deny = pattern, .download = pattern};
    struct access_rules rules;

    (void)state;
    pattern[0] = '*'; /* each 'a' of the path may be the first of the pattern, and none is */
    pattern[len - 1] = 'b';
    path[0] = '/';
    assert_true(access_init(&rules, &texts, "/"));
    assert_false(access_is_denied(&rules, "/a"));
    assert_true(access_is_denied(&rules, path));
    assert_false(access_is_fetched(&rules, path));
    assert_false(access_is_denied(&rules, "/a")); /* each question has steps of its own */
    access_free(&rules);
    free(pattern);
    free(path);
}

struct path_row {
    const char *name;
    const char *cwd;
    const char *path;
    const char *expected;
};

/* clang-format off */
static const struct path_row path_rows[] = {
    { "relative_path", "/a", "b", "/a/b" },
    { "relative_path_at_the_root", "/", "b", "/b" },
    { "absolute_path", "/a", "/b/c", "/b/c" },
    { "empty_path", "/a/b", "", "/a/b" },
    { "empty_path_at_the_root", "/", "", "/" },
    { "dot", "/a", ".", "/a" },
    { "dots", "/a/b", "..", "/a" },
    { "dots_at_the_root", "/", "..", "/" },
    { "dots_above_the_root", "/a", "../../../..", "/" },
    { "dots_and_back", "/a", "../a/./b/../c", "/a/c" },
    { "slashes", "/a", "b//c///d", "/a/b/c/d" },
    { "slashes_in_front", "/a", "///b", "/b" },
    { "slash_at_the_end", "/a", "b/", "/a/b" },
    { "root", "/a", "/", "/" },
    { "three_dots_are_a_name", "/a", "...", "/a/..." },
    { "dots_in_a_name", "/a", "..b/c..", "/a/..b/c.." },
    { "tilde_is_a_name", "/a", "~/b", "/a/~/b" },
    { "dots_behind_a_name_with_slashes", "/", "a//..//b", "/b" },
};
/* clang-format on */

static void check_path(void **state)
{
    const struct path_row *row = *state;
    struct str out = STR_INIT(100);

    str_append(&out, "rubbish");
    access_normalise(row->cwd, row->path, &out);
    assert_true(str_ok(&out));
    assert_string_equal(str_text(&out), row->expected);
    str_free(&out);
}

static void path_too_long_is_marked(void **state)
{
    struct str out = STR_INIT(10);

    (void)state;
    access_normalise("/aaaa", "bbbbbbbbb", &out);
    assert_false(str_ok(&out));
    access_normalise("/aaaa", "bb", &out);
    assert_true(str_ok(&out));
    str_free(&out);
}

struct list_row {
    const char *name;
    const char *list;
    const char *expected; /* the words, each with a ';' */
};

/* clang-format off */
static const struct list_row list_rows[] = {
    { "no_command", "", "" },
    { "one_command", "RETR", "RETR;" },
    { "some_commands", "RETR,STOR,QUIT", "RETR;STOR;QUIT;" },
    { "small_letters", "retr,Stor", "RETR;STOR;" },
    { "blanks_around", " RETR , STOR\t,QUIT ", "RETR;STOR;QUIT;" },
    { "commas_too_many", ",,RETR,,STOR,", "RETR;STOR;" },
    { "only_commas", " , ,", "" },
    { "blanks_within", "site chmod,RETR", "SITE CHMOD;RETR;" },
    { "word_that_is_too_long", "XXXXXXXXXXXXXXXXXXXX,RETR", ";RETR;" },
};
/* clang-format on */

static void check_list(void **state)
{
    const struct list_row *row = *state;
    struct str words = STR_INIT(200);
    struct str word = STR_INIT(15);
    const char *list = row->list;

    while (access_next_command(&list, &word)) {
        str_append(&words, str_text(&word));
        str_append_char(&words, ';');
    }
    assert_string_equal(str_text(&words), row->expected);
    str_free(&words);
    str_free(&word);
}

int main(void)
{
    UNIT_ADD_TABLE(check_rule, rule_rows);
    UNIT_ADD(rules_do_not_mix);
    UNIT_ADD(pattern_for_too_much_refuses_everything);
    UNIT_ADD(work_without_end_is_refused);
    UNIT_ADD_TABLE(check_path, path_rows);
    UNIT_ADD(path_too_long_is_marked);
    UNIT_ADD_TABLE(check_list, list_rows);
    return unit_run("test_access");
}
