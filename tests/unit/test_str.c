/*
 * test_str.c - bounded strings and the reading of numbers
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 */
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "unit.h"

#define BYTES(text) (text), sizeof(text) - 1

struct number_row {
    const char *name;
    const char *text;
    uint64_t min, max;
    bool good;
    uint64_t value;
};

/* clang-format off */
static const struct number_row uint_rows[] = {
    { "uint_reads_zero", "0", 0, UINT64_MAX, true, 0 },
    { "uint_reads_leading_zeros", "0000000012", 0, 100, true, 12 },
    { "uint_reads_the_largest_number", "18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX },
    { "uint_takes_the_minimum", "10", 10, 20, true, 10 },
    { "uint_takes_the_maximum", "20", 10, 20, true, 20 },
    { "uint_reads_20_digits", "00000000000000000007", 0, 9, true, 7 },
    { "uint_refuses_below_the_minimum", "9", 10, 20, false, 0 },
    { "uint_refuses_above_the_maximum", "21", 10, 20, false, 0 },
    { "uint_refuses_an_overflow_by_one", "18446744073709551616", 0, UINT64_MAX, false, 0 },
    { "uint_refuses_an_overflow_by_a_digit", "99999999999999999999", 0, UINT64_MAX, false, 0 },
    { "uint_refuses_21_digits", "000000000000000000007", 0, 9, false, 0 },
    { "uint_refuses_40_digits", "1000000000000000000000000000000000000000", 0, UINT64_MAX, false, 0 },
    { "uint_refuses_nothing", "", 0, UINT64_MAX, false, 0 },
    { "uint_refuses_minus", "-1", 0, UINT64_MAX, false, 0 },
    { "uint_refuses_plus", "+1", 0, UINT64_MAX, false, 0 },
    { "uint_refuses_a_blank_in_front", " 1", 0, UINT64_MAX, false, 0 },
    { "uint_refuses_a_blank_behind", "1 ", 0, UINT64_MAX, false, 0 },
    { "uint_refuses_a_word_behind", "1 x", 0, UINT64_MAX, false, 0 },
    { "uint_refuses_an_exponent", "1e3", 0, UINT64_MAX, false, 0 },
    { "uint_refuses_hex", "0x10", 0, UINT64_MAX, false, 0 },
    { "uint_refuses_the_byte_below_0", "1/", 0, UINT64_MAX, false, 0 },
    { "uint_refuses_the_byte_above_9", "1:", 0, UINT64_MAX, false, 0 },
    { "uint_refuses_bytes_over_127", "1\xB2", 0, UINT64_MAX, false, 0 },
};

static const struct number_row octal_rows[] = {
    { "octal_reads_a_mode", "755", 0, 0777, true, 0755 },
    { "octal_reads_leading_zeros", "0022", 0, 0777, true, 022 },
    { "octal_reads_11_digits", "00000000644", 0, 0777, true, 0644 },
    { "octal_refuses_12_digits", "000000000644", 0, 0777, false, 0 },
    { "octal_refuses_8", "758", 0, 07777, false, 0 },
    { "octal_refuses_above_the_maximum", "1000", 0, 0777, false, 0 },
    { "octal_refuses_nothing", "", 0, 0777, false, 0 },
    { "octal_refuses_minus", "-1", 0, 0777, false, 0 },
    { "octal_refuses_letters", "u+x", 0, 0777, false, 0 },
};
/* clang-format on */

static void check_number(const struct number_row *row,
                         bool (*read)(const char *, uint64_t, uint64_t, uint64_t *))
{
    uint64_t value = 4711;

    assert_int_equal(read(row->text, row->min, row->max, &value), row->good);
    assert_int_equal(value, row->good ? row->value : 4711);
}

static void check_uint(void **state)
{
    check_number(*state, str_to_uint);
}

static void check_octal(void **state)
{
    check_number(*state, str_to_octal);
}

struct escape_row {
    const char *name;
    const char *text;
    size_t len, max;
    const char *expected;
};

/* clang-format off */
static const struct escape_row escape_rows[] = {
    { "escape_keeps_printable_ascii", BYTES(" !~azAZ09\"'%$"), 100, " !~azAZ09\"'%$" },
    { "escape_shows_line_endings", BYTES("a\r\n226 ok"), 100, "a\\x0D\\x0A226 ok" },
    { "escape_shows_nul", BYTES("a\0b"), 100, "a\\x00b" },
    { "escape_shows_a_terminal_sequence", BYTES("\x1B[2J"), 100, "\\x1B[2J" },
    { "escape_shows_tab_and_bell", BYTES("\t\a"), 100, "\\x09\\x07" },
    { "escape_shows_del", BYTES("\x7F"), 100, "\\x7F" },
    { "escape_doubles_no_backslash_but_shows_it", BYTES("\\x41"), 100, "\\x5Cx41" },
    { "escape_keeps_utf8_of_two_bytes", BYTES("\xC3\xA4\xC2\xA0"), 100, "\xC3\xA4\xC2\xA0" },
    { "escape_keeps_utf8_of_three_bytes", BYTES("\xE2\x82\xAC"), 100, "\xE2\x82\xAC" },
    { "escape_keeps_utf8_of_four_bytes", BYTES("\xF0\x9F\x98\x80"), 100, "\xF0\x9F\x98\x80" },
    { "escape_keeps_the_last_code_point", BYTES("\xF4\x8F\xBF\xBF"), 100, "\xF4\x8F\xBF\xBF" },
    { "escape_shows_beyond_unicode", BYTES("\xF4\x90\x80\x80"), 100, "\\xF4\\x90\\x80\\x80" },
    { "escape_shows_five_byte_forms", BYTES("\xF8\x88\x80\x80\x80"), 100, "\\xF8\\x88\\x80\\x80\\x80" },
    { "escape_shows_overlong_two_bytes", BYTES("\xC0\x8A\xC1\xBF"), 100, "\\xC0\\x8A\\xC1\\xBF" },
    { "escape_shows_overlong_three_bytes", BYTES("\xE0\x80\x8A"), 100, "\\xE0\\x80\\x8A" },
    { "escape_shows_overlong_four_bytes", BYTES("\xF0\x80\x80\x8A"), 100, "\\xF0\\x80\\x80\\x8A" },
    { "escape_shows_overlong_printable_characters", BYTES("\xE0\x83\xA4\xF0\x82\x82\xAC"), 100,
      "\\xE0\\x83\\xA4\\xF0\\x82\\x82\\xAC" },
    { "escape_shows_surrogates", BYTES("\xED\xA0\x80\xED\xBF\xBF"), 100, "\\xED\\xA0\\x80\\xED\\xBF\\xBF" },
    { "escape_shows_a_lone_continuation", BYTES("a\x80z"), 100, "a\\x80z" },
    { "escape_shows_a_sequence_cut_by_the_end", BYTES("\xE2\x82"), 100, "\\xE2\\x82" },
    { "escape_shows_a_sequence_cut_by_ascii", BYTES("\xE2\x82" "a"), 100, "\\xE2\\x82a" },
    { "escape_shows_latin1", BYTES("\xFC\xFF\xFE"), 100, "\\xFC\\xFF\\xFE" },
    { "escape_shows_c1_controls", BYTES("\xC2\x9B" "31m\xC2\x80\xC2\x9F"), 100,
      "\\xC2\\x9B31m\\xC2\\x80\\xC2\\x9F" },
    { "escape_shows_right_to_left_override", BYTES("\xE2\x80\xAE"), 100, "\\xE2\\x80\\xAE" },
    { "escape_shows_direction_marks", BYTES("\xE2\x80\x8E\xE2\x80\x8F"), 100, "\\xE2\\x80\\x8E\\xE2\\x80\\x8F" },
    { "escape_shows_direction_isolates", BYTES("\xE2\x81\xA6\xE2\x81\xA9"), 100, "\\xE2\\x81\\xA6\\xE2\\x81\\xA9" },
    { "escape_shows_arabic_letter_mark", BYTES("\xD8\x9C"), 100, "\\xD8\\x9C" },
    { "escape_shows_line_separators", BYTES("\xE2\x80\xA8\xE2\x80\xA9"), 100, "\\xE2\\x80\\xA8\\xE2\\x80\\xA9" },
    { "escape_shows_the_byte_order_mark", BYTES("\xEF\xBB\xBF"), 100, "\\xEF\\xBB\\xBF" },
    { "escape_marks_a_cut", BYTES("abcdef"), 3, "abc..." },
    { "escape_marks_no_cut_at_the_edge", BYTES("abcdef"), 6, "abcdef" },
    { "escape_cuts_inside_a_sequence", BYTES("a\xE2\x82\xAC"), 3, "a\\xE2\\x82..." },
    { "escape_of_nothing", BYTES(""), 10, "" },
};
/* clang-format on */

static void check_escape(void **state)
{
    const struct escape_row *row = *state;
    struct str s = STR_INIT(1000);

    str_append(&s, "<");
    str_append_escaped(&s, row->text, row->len, row->max);
    assert_true(str_ok(&s));
    assert_string_equal(str_text(&s) + 1, row->expected);
    assert_int_equal(s.len, strlen(row->expected) + 1);
    str_free(&s);
}

static void escape_leaves_only_printable_bytes_of_any_pair(void **state)
{
    struct str s = STR_INIT(100);

    (void)state;
    for (unsigned pair = 0; pair <= 0xFFFF; pair++) {
        const char text[2] = {(char)(pair >> 8), (char)pair};

        str_clear(&s);
        str_append_escaped(&s, text, sizeof(text), sizeof(text));
        for (size_t i = 0; i < s.len; i++) {
            unsigned char c = (unsigned char)s.buf[i];

            assert_true(c >= 0x20 && c != 0x7F);
            if (c >= 0x80) { /* two bytes of UTF-8 and nothing less */
                assert_int_equal(s.len, 2);
                assert_in_range((unsigned char)s.buf[0], 0xC2, 0xDF);
                assert_in_range((unsigned char)s.buf[1], 0x80, 0xBF);
            }
        }
    }
    str_free(&s);
}

static void append_up_to_the_limit_fits(void **state)
{
    struct str s = STR_INIT(5);

    (void)state;
    str_append(&s, "abc");
    str_append_char(&s, 'd');
    str_append_mem(&s, "\0", 1);
    assert_true(str_ok(&s));
    assert_int_equal(s.len, 5);
    assert_memory_equal(s.buf, "abcd\0", 6);
    str_free(&s);
}

static void append_past_the_limit_changes_nothing_and_marks(void **state)
{
    struct str s = STR_INIT(5);

    (void)state;
    str_append(&s, "abcd");
    str_append(&s, "ef");
    assert_false(str_ok(&s));
    assert_string_equal(str_text(&s), "abcd");
    str_append(&s, "e"); /* would fit, but the text has a hole already */
    assert_string_equal(str_text(&s), "abcd");
    assert_false(str_ok(&s));
    str_free(&s);
}

static void clear_removes_the_mark(void **state)
{
    struct str s = STR_INIT(2);

    (void)state;
    str_append(&s, "abc");
    assert_false(str_ok(&s));
    str_clear(&s);
    assert_true(str_ok(&s));
    str_append(&s, "ab");
    assert_true(str_ok(&s));
    assert_string_equal(str_text(&s), "ab");
    str_free(&s);
}

static void free_leaves_a_usable_string_with_its_limit(void **state)
{
    struct str s = STR_INIT(3);

    (void)state;
    str_append(&s, "abc");
    str_free(&s);
    assert_string_equal(str_text(&s), "");
    str_append(&s, "abcd");
    assert_false(str_ok(&s));
    str_clear(&s);
    str_append(&s, "xyz");
    assert_string_equal(str_text(&s), "xyz");
    str_wipe(&s);
    assert_int_equal(s.len, 0);
    assert_int_equal(s.limit, 3);
    assert_string_equal(str_text(&s), "");
}

static void a_limit_of_zero_holds_nothing(void **state)
{
    struct str s = STR_INIT(0);

    (void)state;
    str_append(&s, "");
    assert_true(str_ok(&s));
    str_append(&s, "a");
    assert_false(str_ok(&s));
    assert_string_equal(str_text(&s), "");
    str_free(&s);
}

static void growth_keeps_the_content(void **state)
{
    struct str s = STR_INIT(100000);

    (void)state;
    for (size_t i = 0; i < 100000; i++) {
        str_append_char(&s, (char)('a' + i % 26));
    }
    assert_true(str_ok(&s));
    assert_int_equal(s.len, 100000);
    for (size_t i = 0; i < 100000; i++) {
        assert_int_equal(s.buf[i], 'a' + i % 26);
    }
    assert_int_equal(s.buf[100000], '\0');
    str_append_char(&s, 'x');
    assert_false(str_ok(&s));
    str_free(&s);
}

static void compound_appends_are_all_or_nothing(void **state)
{
    struct str s = STR_INIT(4);

    (void)state;
    str_append(&s, "a");
    str_append_quoted(&s, "b\"c");
    assert_false(str_ok(&s));
    assert_string_equal(str_text(&s), "a");
    str_clear(&s);
    str_append(&s, "a");
    str_append_escaped(&s, "b\n", 2, 2);
    assert_false(str_ok(&s));
    assert_string_equal(str_text(&s), "a");
    str_clear(&s);
    str_append(&s, "a");
    str_append_format(&s, "%d", 1234);
    assert_false(str_ok(&s));
    assert_string_equal(str_text(&s), "a");
    str_clear(&s);
    str_append(&s, "a");
    str_append_int(&s, -1234);
    assert_false(str_ok(&s));
    assert_string_equal(str_text(&s), "a");
    str_free(&s);
}

static void numbers_are_written_in_full(void **state)
{
    struct str s = STR_INIT(200);

    (void)state;
    str_append_uint(&s, 0);
    str_append_char(&s, ' ');
    str_append_uint(&s, UINT64_MAX);
    str_append_char(&s, ' ');
    str_append_int(&s, INT64_MIN);
    str_append_char(&s, ' ');
    str_append_int(&s, INT64_MAX);
    str_append_char(&s, ' ');
    str_append_octal(&s, 0, 1);
    str_append_char(&s, ' ');
    str_append_octal(&s, 022, 3);
    str_append_char(&s, ' ');
    str_append_octal(&s, 07755, 3);
    str_append_char(&s, ' ');
    str_append_octal(&s, UINT32_MAX, 3);
    assert_string_equal(str_text(&s), "0 18446744073709551615 -9223372036854775808 "
                                      "9223372036854775807 0 022 7755 37777777777");
    str_free(&s);
}

static void format_appends_after_what_is_there(void **state)
{
    struct str s = STR_INIT(100);

    (void)state;
    str_append(&s, "x");
    str_append_format(&s, "%s=%d%%", "name", 50);
    assert_string_equal(str_text(&s), "xname=50%");
    str_free(&s);
}

static void quoted_doubles_every_quote(void **state)
{
    struct str s = STR_INIT(100);

    (void)state;
    str_append_quoted(&s, "\"a\"\"b\"");
    assert_string_equal(str_text(&s), "\"\"a\"\"\"\"b\"\"");
    str_free(&s);
}

static void truncate_only_shortens(void **state)
{
    struct str s = STR_INIT(100);

    (void)state;
    str_truncate(&s, 0); /* nothing allocated yet */
    str_append(&s, "abcdef");
    str_truncate(&s, 10);
    assert_string_equal(str_text(&s), "abcdef");
    str_truncate(&s, 2);
    assert_string_equal(str_text(&s), "ab");
    assert_int_equal(s.len, 2);
    str_free(&s);
}

static void upper_changes_ascii_letters_only(void **state)
{
    (void)state;
    for (int c = 1; c < 256; c++) {
        char text[2] = {(char)c, '\0'};
        int expected = c >= 'a' && c <= 'z' ? c - 32 : c;

        str_upper(text);
        assert_int_equal((unsigned char)text[0], expected);
        assert_int_equal((unsigned char)str_upper_char((char)c), expected);
    }
}

static void classes_of_bytes_are_ascii(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        assert_int_equal(str_is_digit((char)c), c >= '0' && c <= '9');
        assert_int_equal(str_is_blank((char)c), c == ' ' || c == '\t');
    }
}

struct equal_row {
    const char *name;
    const char *a, *b;
    bool equal;
};

/* clang-format off */
static const struct equal_row equal_rows[] = {
    { "nocase_equal_in_other_case", "AnonYmous", "aNONyMOUS", true },
    { "nocase_equal_empty", "", "", true },
    { "nocase_differs_in_length", "ftp", "ftpx", false },
    { "nocase_differs_from_longer", "ftpx", "ftp", false },
    { "nocase_differs_in_a_letter", "ftp", "ftb", false },
    { "nocase_keeps_brackets_and_braces_apart", "[", "{", false },
    { "nocase_keeps_at_and_backquote_apart", "@", "`", false },
    { "nocase_leaves_latin1_alone", "\xE9", "\xC9", false },
};

struct words_row {
    const char *name;
    const char *text;
    const char *words; /* each in <>; '!' where it ends with an error, and no more */
};

static const struct words_row words_rows[] = {
    { "words_none", "", "!" },
    { "words_of_blanks", "   ", "!" },
    { "words_one", "a", "<a>!" },
    { "words_between_blanks", "  a  bc ", "<a><bc>!" },
    { "words_in_quotes", "\"a b\" c", "<a b><c>!" },
    { "words_with_doubled_quotes", "\"a\"\"b\"", "<a\"b>!" },
    { "words_of_a_doubled_quote_alone", "\"\"\"\"", "<\">!" },
    { "words_empty_in_quotes", "\"\" x", "<><x>!" },
    { "words_with_an_open_quote", "\"a b", "!" },
    { "words_with_text_at_a_closing_quote", "\"a\"b", "!" },
    { "words_with_a_quote_inside", "a\"b c", "<a\"b><c>!" },
    { "words_with_other_bytes", "\xFF\t \xC3\xA4", "<\xFF\t><\xC3\xA4>!" },
};

struct distance_row {
    const char *name;
    const char *a, *b;
    size_t distance;
};

static const struct distance_row distance_rows[] = {
    { "distance_of_equal_words", "listen", "listen", 0 },
    { "distance_ignores_case", "Listen", "lISTEN", 0 },
    { "distance_of_a_change", "listen", "lister", 1 },
    { "distance_of_a_missing_letter", "listen", "listn", 1 },
    { "distance_of_a_letter_too_many", "listen", "llisten", 1 },
    { "distance_of_the_classic", "kitten", "sitting", 3 },
    { "distance_from_nothing", "", "abc", 3 },
    { "distance_to_nothing", "abc", "", 3 },
    { "distance_of_63_bytes", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a", 62 },
    { "distance_of_64_bytes_is_far", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a",
      SIZE_MAX },
};
/* clang-format on */

static void check_equal(void **state)
{
    const struct equal_row *row = *state;

    assert_int_equal(str_equal_nocase(row->a, row->b), row->equal);
}

static void check_words(void **state)
{
    const struct words_row *row = *state;
    struct str word = STR_INIT(100), found = STR_INIT(200);
    const char *rest = row->text;

    while (str_next_word(&rest, &word)) {
        str_append_format(&found, "<%s>", str_text(&word));
    }
    str_append_char(&found, '!');
    assert_string_equal(str_text(&found), row->words);
    str_free(&word);
    str_free(&found);
}

static void blanks_are_blanks_only(void **state)
{
    (void)state;
    assert_true(str_only_blanks(""));
    assert_true(str_only_blanks("   "));
    assert_false(str_only_blanks(" \t"));
    assert_false(str_only_blanks("  a"));
}

static void check_distance(void **state)
{
    const struct distance_row *row = *state;

    assert_int_equal(str_distance(row->a, row->b), row->distance);
    assert_int_equal(str_distance(row->b, row->a), row->distance);
}

static void a_copy_out_fits_or_changes_nothing(void **state)
{
    char room[5] = "old";

    (void)state;
    assert_true(str_copy_out(room, sizeof(room), "four"));
    assert_string_equal(room, "four");
    assert_false(str_copy_out(room, sizeof(room), "fives"));
    assert_string_equal(room, "four");
    assert_true(str_copy_out(room, sizeof(room), ""));
    assert_string_equal(room, "");
}

int main(void)
{
    UNIT_ADD(a_copy_out_fits_or_changes_nothing);
    UNIT_ADD_TABLE(check_uint, uint_rows);
    UNIT_ADD_TABLE(check_octal, octal_rows);
    UNIT_ADD_TABLE(check_escape, escape_rows);
    UNIT_ADD(escape_leaves_only_printable_bytes_of_any_pair);
    UNIT_ADD(append_up_to_the_limit_fits);
    UNIT_ADD(append_past_the_limit_changes_nothing_and_marks);
    UNIT_ADD(clear_removes_the_mark);
    UNIT_ADD(free_leaves_a_usable_string_with_its_limit);
    UNIT_ADD(a_limit_of_zero_holds_nothing);
    UNIT_ADD(growth_keeps_the_content);
    UNIT_ADD(compound_appends_are_all_or_nothing);
    UNIT_ADD(numbers_are_written_in_full);
    UNIT_ADD(format_appends_after_what_is_there);
    UNIT_ADD(quoted_doubles_every_quote);
    UNIT_ADD(truncate_only_shortens);
    UNIT_ADD(upper_changes_ascii_letters_only);
    UNIT_ADD(classes_of_bytes_are_ascii);
    UNIT_ADD_TABLE(check_equal, equal_rows);
    UNIT_ADD_TABLE(check_words, words_rows);
    UNIT_ADD(blanks_are_blanks_only);
    UNIT_ADD_TABLE(check_distance, distance_rows);
    return unit_run("str");
}
