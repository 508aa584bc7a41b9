/*
 * test_pattern.c - file name patterns
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pattern.h"
#include "str.h"
#include "sysutil.h"
#include "unit.h"

struct match_row {
    const char *name;
    const char *pattern;
    const char *text;
    bool matches;
};

/* clang-format off */
static const struct match_row match_rows[] = {
    { "plain_matches_itself", "readme", "readme", true },
    { "plain_wants_the_whole_name", "readme", "readme.txt", false },
    { "plain_wants_no_less", "readme.txt", "readme", false },
    { "plain_knows_case", "README", "readme", false },
    { "nothing_matches_nothing", "", "", true },
    { "nothing_matches_no_name", "", "a", false },
    { "star_matches_everything", "*", "readme", true },
    { "star_matches_nothing", "a*", "a", true },
    { "star_finds_the_end", "*.mp3", "a.mp3", true },
    { "star_finds_the_last_of_two_ends", "*.mp3", "a.mp3.mp3", true },
    { "star_finds_the_end_after_false_starts", "*ab", "aaabab", true },
    { "star_goes_back_as_far_as_it_must", "*a*b*c", "aabbccabc", true },
    { "star_does_not_invent_an_end", "*.mp3", "a.mp3x", false },
    { "star_in_the_middle", "a*z", "a...z", true },
    { "stars_in_a_row", "a***z", "az", true },
    { "star_only_at_the_end", "abc***", "abc", true },
    { "stars_alone_match_nothing", "***", "", true },
    { "star_wants_what_follows", "*a", "", false },
    { "question_mark_matches_one", "a?c", "abc", true },
    { "question_mark_wants_one", "a?", "a", false },
    { "question_mark_is_a_byte", "?", "\xC3\xA4", false },
    { "question_marks_and_star", "?*?", "ab", true },
    { "question_marks_want_two", "?*?", "a", false },
    { "star_leaves_hidden_names", "*", ".profile", false },
    { "question_mark_leaves_hidden_names", "?profile", ".profile", false },
    { "set_leaves_hidden_names", "[.]profile", ".profile", false },
    { "braces_leave_hidden_names", "{*,x}", ".profile", false },
    { "dot_finds_hidden_names", ".*", ".profile", true },
    { "braces_with_a_dot_find_hidden_names", "{.,x}*", ".profile", true },
    { "dots_elsewhere_are_ordinary", "a*", "a.b", true },
    { "set_matches_a_member", "[abc]", "b", true },
    { "set_refuses_others", "[abc]", "d", false },
    { "set_is_one_byte", "[abc]", "ab", false },
    { "set_matches_a_range", "[a-f]x", "cx", true },
    { "set_refuses_outside_a_range", "[a-f]x", "gx", false },
    { "set_takes_both_ends_of_a_range", "[a-f][a-f]", "af", true },
    { "set_of_several_ranges", "[a-cx-z0-9]", "5", true },
    { "set_of_an_empty_range", "[z-a]", "m", false },
    { "set_negated", "[!abc]", "d", true },
    { "set_negated_refuses_members", "[!abc]", "b", false },
    { "set_negated_by_a_caret", "[^a-c]", "b", false },
    { "set_with_a_bracket_first", "[]a]", "]", true },
    { "set_negated_with_a_bracket_first", "[!]a]", "]", false },
    { "set_with_a_minus_last", "[a-]", "-", true },
    { "set_with_a_minus_first", "[-a]", "-", true },
    { "set_with_a_star_in_it", "[*]", "*", true },
    { "set_with_a_star_is_no_star", "[*]", "a", false },
    { "set_of_bytes_over_127", "[\xE0-\xFF]", "\xE9", true },
    { "set_does_not_mistake_signs", "[\x01-\xFF]", "a", true },
    { "set_not_closed_is_a_bracket", "[abc", "[abc", true },
    { "set_not_closed_is_no_set", "[abc", "a", false },
    { "set_not_closed_behind_a_star", "*[", "a[", true },
    { "set_negation_alone_is_a_bracket", "[!]", "[!]", true },
    { "set_empty_is_a_bracket", "[]", "[]", true },
    { "set_behind_a_star", "*[0-9]", "ab7c8", true },
    { "backslash_is_ordinary", "\\*", "\\abc", true },
    { "braces_match_the_first", "{a,b}.c", "a.c", true },
    { "braces_match_the_last", "{a,b,cd}.c", "cd.c", true },
    { "braces_match_no_other", "{a,b}.c", "c.c", false },
    { "braces_of_one", "{a}b", "ab", true },
    { "braces_with_nothing", "a{}b", "ab", true },
    { "braces_with_an_empty_alternative", "a{,x}b", "ab", true },
    { "braces_nested", "{a{b,c},d}e", "ace", true },
    { "braces_nested_outer", "{a{b,c},d}e", "de", true },
    { "braces_nested_no_mixture", "{a{b,c},d}e", "ae", false },
    { "braces_nested_three_deep", "{a,{b,{c,d}}}", "d", true },
    { "braces_twice", "{a,b}{c,d}", "bc", true },
    { "braces_with_patterns_inside", "{*.c,?.h}", "x.h", true },
    { "braces_not_closed_are_ordinary", "{a,b", "{a,b", true },
    { "braces_not_opened_are_ordinary", "a,b}", "a,b}", true },
    { "braces_not_closed_before_good_ones", "{x{a,b}", "{xb", true },
    { "comma_outside_braces_is_ordinary", "a,b", "a,b", true },
    { "pattern_of_the_cve", "{{*},{{*},{*}}}", "a", true },
};
/* clang-format on */

static void check_match(void **state)
{
    const struct match_row *row = *state;
    struct pattern pattern;

    assert_true(pattern_compile(&pattern, row->pattern));
    assert_int_equal(pattern_matches(&pattern, row->text), row->matches);
    pattern_free(&pattern);
}

struct special_row {
    const char *name;
    const char *text;
    bool special;
};

/* clang-format off */
static const struct special_row special_rows[] = {
    { "special_star", "a*", true },
    { "special_question_mark", "?a", true },
    { "special_bracket", "a[", true },
    { "special_brace", "{", true },
    { "ordinary_name", "read me.txt", false },
    { "ordinary_closing_characters", "a]b}c,d\\", false },
    { "ordinary_nothing", "", false },
};
/* clang-format on */

static void check_special(void **state)
{
    const struct special_row *row = *state;

    assert_int_equal(pattern_is_special(row->text), row->special);
}

/* `unit` written `times` times, then `tail`. */
static char *repeat_text(const char *unit, size_t times, const char *tail)
{
    struct str s = STR_INIT(100000);

    for (size_t i = 0; i < times; i++) {
        str_append(&s, unit);
    }
    str_append(&s, tail);
    assert_true(str_ok(&s));
    return s.buf;
}

static void braces_stand_for_256_patterns(void **state)
{
    char *text = repeat_text("{a,b}", 8, "");
    struct pattern pattern;

    (void)state;
    assert_true(pattern_compile(&pattern, text));
    assert_int_equal(pattern.count, PATTERN_ALTERNATIVES_MAX);
    assert_true(pattern_matches(&pattern, "abababab"));
    assert_true(pattern_matches(&pattern, "bbbbbbbb"));
    assert_false(pattern_matches(&pattern, "bbbbbbbc"));
    pattern_free(&pattern);
    free(text);
}

/* Each is refused, and nothing leaks. */
struct bomb_row {
    const char *name;
    const char *unit;
    size_t times;
    const char *tail;
};

/* clang-format off */
static const struct bomb_row bomb_rows[] = {
    { "bomb_of_512_alternatives", "{a,b}", 9, "" },
    { "bomb_of_2_to_the_800", "{a,b}", 800, "" },
    { "bomb_of_one_long_list", "{,", 1, ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,"
      ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,"
      ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,}" },
    { "bomb_of_stars", "{*,*}", 20, "*" },
    { "bomb_of_empty_alternatives", "{,,,}", 5, "" },
};
/* clang-format on */

static void check_bomb(void **state)
{
    const struct bomb_row *row = *state;
    char *text = repeat_text(row->unit, row->times, row->tail);
    struct pattern pattern;

    assert_false(pattern_compile(&pattern, text));
    free(text);
}

static void braces_may_be_as_deep_as_a_line_is_long(void **state)
{
    char *open = unit_repeat('{', 2000);
    char *close = unit_repeat('}', 2000);
    struct str s = STR_INIT(5000);
    struct pattern pattern;

    (void)state;
    str_append(&s, open);
    str_append(&s, "a");
    str_append(&s, close);
    assert_true(pattern_compile(&pattern, str_text(&s)));
    assert_true(pattern_matches(&pattern, "a"));
    pattern_free(&pattern);
    str_free(&s);
    free(open);
    free(close);
}

/*
 * Compile a pattern and match one name in a process that may use five seconds of processor time. The
 * work is thousands of times less if it is bounded by the lengths of both, as pattern.h says.
 */
static void assert_bounded(const char *text, const char *name)
{
    const struct rlimit seconds = {.rlim_cur = 5, .rlim_max = 5};
    pid_t pid = fork();

    if (pid == 0) {
        struct pattern pattern;

        if (setrlimit(RLIMIT_CPU, &seconds) == 0 && pattern_compile(&pattern, text)) {
            (void)pattern_matches(&pattern, name);
        }
        _exit(0);
    }
    assert_int_equal(sysutil_wait(pid), 0);
}

struct hostile_row {
    const char *name;
    const char *head, *unit;
    size_t times;
    const char *tail;
    char letter; /* 254 of them and an 'x' are the name */
};

#define FOUR_COMMAS    ",,,,"
#define SIXTEEN_COMMAS FOUR_COMMAS FOUR_COMMAS FOUR_COMMAS FOUR_COMMAS
#define SIXTY_COMMAS                                                                               \
    SIXTEEN_COMMAS SIXTEEN_COMMAS SIXTEEN_COMMAS FOUR_COMMAS FOUR_COMMAS FOUR_COMMAS
#define BRACES_OF_241 "{" SIXTY_COMMAS SIXTY_COMMAS SIXTY_COMMAS SIXTY_COMMAS "}"
#define EIGHT_PAIRS   "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"

/* clang-format off */
static const struct hostile_row hostile_rows[] = {
    { "work_of_many_stars_is_bounded", "", "*a", 30, "b", 'a' },
    { "work_of_a_line_of_stars_is_bounded", "", "*a", 2000, "b", 'a' },
    { "work_of_a_long_set_is_bounded", "*[", "a", 4000, "]b", 'a' },
    { "work_of_open_sets_is_bounded", "*", "[", 4000, "", '[' },
    { "work_of_open_sets_in_every_alternative_is_bounded", "*", "[", 3700, BRACES_OF_241, '[' },
    { "work_of_open_braces_is_bounded", "", "{", 4000, "", 'a' },
    { "work_of_open_braces_before_pairs_is_bounded", "", "{", 3900, EIGHT_PAIRS, 'a' },
};
/* clang-format on */

static void check_hostile(void **state)
{
    const struct hostile_row *row = *state;
    struct str s = STR_INIT(FTP_LINE_MAX);
    char *name = unit_repeat(row->letter, 255);

    name[254] = 'x';
    str_append(&s, row->head);
    for (size_t i = 0; i < row->times; i++) {
        str_append(&s, row->unit);
    }
    str_append(&s, row->tail);
    assert_true(str_ok(&s));
    assert_bounded(str_text(&s), name);
    str_free(&s);
    free(name);
}

static void work_of_nested_braces_behind_open_ones_is_bounded(void **state)
{
    char *open = unit_repeat('{', 2700);
    char *close = unit_repeat('}', 1350);
    struct str s = STR_INIT(FTP_LINE_MAX);

    (void)state;
    str_append(&s, open);
    str_append(&s, close);
    assert_true(str_ok(&s));
    assert_bounded(str_text(&s), "a");
    str_free(&s);
    free(open);
    free(close);
}

static void a_pattern_without_steps_left_matches_nothing(void **state)
{
    struct pattern pattern;

    (void)state;
    assert_true(pattern_compile(&pattern, "*.mp3"));
    assert_true(pattern_matches(&pattern, "a.mp3"));
    pattern.steps_left = 3;
    assert_false(pattern_matches(&pattern, "a.mp3"));
    assert_false(pattern_matches(&pattern, "a.mp3")); /* and never again */
    pattern_free(&pattern);
}

static void the_steps_are_enough_for_a_large_directory(void **state)
{
    struct pattern pattern;
    char name[32];

    (void)state;
    assert_true(pattern_compile(&pattern, "*{a,b,c}*[0-9].{mp3,ogg,flac}"));
    for (unsigned i = 0; i < 100000; i++) {
        (void)snprintf(name, sizeof(name), "some-name-b%06u.flac", i);
        assert_true(pattern_matches(&pattern, name));
    }
    pattern_free(&pattern);
}

int main(void)
{
    UNIT_ADD_TABLE(check_match, match_rows);
    UNIT_ADD_TABLE(check_special, special_rows);
    UNIT_ADD(braces_stand_for_256_patterns);
    UNIT_ADD_TABLE(check_bomb, bomb_rows);
    UNIT_ADD(braces_may_be_as_deep_as_a_line_is_long);
    UNIT_ADD_TABLE(check_hostile, hostile_rows);
    UNIT_ADD(work_of_nested_braces_behind_open_ones_is_bounded);
    UNIT_ADD(a_pattern_without_steps_left_matches_nothing);
    UNIT_ADD(the_steps_are_enough_for_a_large_directory);
    return unit_run("pattern");
}
