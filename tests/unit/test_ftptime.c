/*
 * test_ftptime.c - points of time
 *
 * Process: a test program.
 * Trusts:  the C library's gmtime_r(3).
 * Touches: TZ of its own environment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ftptime.h"
#include "unit.h"

#define DAY_SEC 86400

struct parse_row {
    const char *name;
    const char *text;
    time_t sec;
    long nsec;
};

/* clang-format off */
static const struct parse_row parse_rows[] = {
    { "epoch", "19700101000000", 0, 0 },
    { "second_of_a_day", "19700102030405", 97445, 0 },
    { "turn_of_the_millennium", "20000101000000", 946684800, 0 },
    { "leap_day", "20240229235959", 1709251199, 0 },
    { "leap_day_of_2000", "20000229120000", 951825600, 0 },
    { "day_after_the_leap_day", "20240301000000", 1709251200, 0 },
    { "last_second_of_32_bits", "20380119031407", 2147483647, 0 },
    { "behind_32_bits", "20380119031408", 2147483648, 0 },
    { "last_second_of_a_year", "20231231235959", 1704067199, 0 },
    { "last_second", "99991231235959", 253402300799, 0 },
    { "leap_second_is_the_one_before", "20161231235960", 1483228799, 0 },
    { "fraction_of_one_digit", "19700101000001.5", 1, 500000000 },
    { "fraction_of_three_digits", "19700101000001.007", 1, 7000000 },
    { "fraction_of_nine_digits", "19700101000001.123456789", 1, 123456789 },
    { "fraction_of_ten_digits_is_cut", "19700101000001.1234567899", 1, 123456789 },
    { "fraction_of_many_digits_is_cut", "19700101000001.99999999999999999999999", 1, 999999999 },
    { "fraction_of_zero", "19700101000001.0", 1, 0 },
};

static const struct { const char *name, *text; } refused_rows[] = {
    { "refuses_nothing", "" },
    { "refuses_13_digits", "2024010203040" },
    { "refuses_12_digits", "202401020304" },
    { "refuses_15_digits", "202401020304055" },
    { "refuses_a_date_alone", "20240102" },
    { "refuses_a_blank_in_front", " 20240102030405" },
    { "refuses_a_blank_behind", "20240102030405 " },
    { "refuses_a_blank_inside", "2024 102030405" },
    { "refuses_a_sign", "+2024010203040" },
    { "refuses_a_sign_inside", "2024-102030405" },
    { "refuses_letters", "2024010203040x" },
    { "refuses_a_point_alone", "20240102030405." },
    { "refuses_a_comma", "20240102030405,5" },
    { "refuses_two_points", "20240102030405.5.5" },
    { "refuses_a_letter_in_the_fraction", "20240102030405.5x" },
    { "refuses_a_letter_far_in_the_fraction", "20240102030405.123456789012x" },
    { "refuses_a_sign_in_the_fraction", "20240102030405.-5" },
    { "refuses_a_zone", "20240102030405Z" },
    { "refuses_month_0", "20240002030405" },
    { "refuses_month_13", "20241302030405" },
    { "refuses_day_0", "20240100030405" },
    { "refuses_january_32nd", "20240132030405" },
    { "refuses_april_31st", "20240431030405" },
    { "refuses_february_30th", "20240230030405" },
    { "refuses_february_29th_of_a_common_year", "20230229030405" },
    { "refuses_february_29th_of_2100", "21000229030405" },
    { "refuses_hour_24", "20240102240000" },
    { "refuses_minute_60", "20240102036000" },
    { "refuses_second_61", "20240102030461" },
    { "refuses_1969", "19691231235959" },
    { "refuses_the_year_0", "00000101000000" },
    { "refuses_a_year_like_19100", "191000102030405" },
};
/* clang-format on */

/* The text lies in memory of its own without a NUL, so that reading too far is found. */
static bool parse(const char *text, bool local, struct timespec *out)
{
    size_t len = strlen(text);
    char *copy = malloc(len + 1);
    bool result;

    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    result = local ? ftptime_parse_local(copy + 1, len, out) : ftptime_parse(copy + 1, len, out);
    free(copy);
    return result;
}

static void set_zone(const char *zone)
{
    assert_int_equal(setenv("TZ", zone, 1), 0);
    tzset();
}

static void check_parse(void **state)
{
    const struct parse_row *row = *state;
    struct timespec out;

    set_zone("EST5"); /* does not matter */
    assert_true(parse(row->text, false, &out));
    assert_int_equal(out.tv_sec, row->sec);
    assert_int_equal(out.tv_nsec, row->nsec);
    set_zone("UTC0");
    assert_true(parse(row->text, true, &out));
    assert_int_equal(out.tv_sec, row->sec);
    assert_int_equal(out.tv_nsec, row->nsec);
}

static void check_refused(void **state)
{
    const char *text = ((const char *const *)*state)[1];
    struct timespec out = {.tv_sec = 42, .tv_nsec = 43};

    set_zone("UTC0");
    assert_false(parse(text, false, &out));
    assert_false(parse(text, true, &out));
    assert_int_equal(out.tv_sec, 42);
    assert_int_equal(out.tv_nsec, 43);
}

static void a_nul_is_no_end(void **state)
{
    struct timespec out;

    (void)state;
    assert_false(ftptime_parse("20240102030405\0", 15, &out));
    assert_false(ftptime_parse("2024010203040\0", 14, &out));
}

static void only_the_given_length_is_read(void **state)
{
    struct timespec out;

    (void)state;
    assert_true(ftptime_parse("20240102030405.5 name", 14, &out));
    assert_int_equal(out.tv_nsec, 0);
    assert_true(ftptime_parse("20240102030405.5 name", 16, &out));
    assert_int_equal(out.tv_nsec, 500000000);
}

struct put_row {
    const char *name;
    time_t t;
    const char *text;
};

/* clang-format off */
static const struct put_row put_rows[] = {
    { "put_epoch", 0, "19700101000000" },
    { "put_second_of_a_day", 97445, "19700102030405" },
    { "put_leap_day", 1709251199, "20240229235959" },
    { "put_behind_32_bits", 2147483648, "20380119031408" },
    { "put_last_second", 253402300799, "99991231235959" },
    { "put_behind_the_last_second", 253402300800, "19700101000000" },
    { "put_before_the_epoch", -1, "19691231235959" },
    { "put_midnight_before_the_epoch", -DAY_SEC, "19691231000000" },
    { "put_the_first_second", -62167219200, "00000101000000" },
    { "put_before_the_first_second", -62167219201, "19700101000000" },
    { "put_the_end_of_time", INT64_MAX, "19700101000000" },
    { "put_the_beginning_of_time", INT64_MIN, "19700101000000" },
};
/* clang-format on */

static void check_put(void **state)
{
    const struct put_row *row = *state;
    char out[FTPTIME_LEN + 1];

    set_zone("EST5"); /* does not matter */
    assert_int_equal(ftptime_put(out, row->t), FTPTIME_LEN);
    assert_string_equal(out, row->text);
    set_zone("UTC0");
    assert_int_equal(ftptime_put_local(out, row->t), FTPTIME_LEN);
    assert_string_equal(out, row->text);
}

static void every_day_is_written_as_the_c_library_does(void **state)
{
    (void)state;
    set_zone("EST5");
    for (time_t day = -719528; day <= 2932896; day += day > -150000 && day < 150000 ? 1 : 13) {
        time_t t = day * DAY_SEC + (day & 0xFFFF); /* another time of each day */
        char expected[64], out[FTPTIME_LEN + 1];
        struct tm tm;

        assert_non_null(gmtime_r(&t, &tm));
        (void)snprintf(expected, sizeof(expected), "%04d%02d%02d%02d%02d%02d", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        (void)ftptime_put(out, t);
        assert_string_equal(out, expected);
        if (t >= 0) {
            struct timespec back;

            assert_true(ftptime_parse(out, FTPTIME_LEN, &back));
            assert_int_equal(back.tv_sec, t);
        }
    }
}

/* Central Europe: an hour before UTC, two from the last Sunday of March to that of October. */
#define CENTRAL_EUROPE "CET-1CEST,M3.5.0,M10.5.0/3"

struct local_row {
    const char *name;
    const char *zone;
    const char *text;
    time_t sec;
};

/* clang-format off */
static const struct local_row local_rows[] = {
    { "local_winter", CENTRAL_EUROPE, "20240115120000", 1705316400 },
    { "local_summer", CENTRAL_EUROPE, "20240715120000", 1721037600 },
    { "local_just_before_clocks_go_forward", CENTRAL_EUROPE, "20240331015959", 1711846799 },
    { "local_just_after_clocks_went_forward", CENTRAL_EUROPE, "20240331030000", 1711846800 },
    { "local_just_after_clocks_went_back", CENTRAL_EUROPE, "20241027030000", 1729994400 },
    { "local_just_before_clocks_go_back", CENTRAL_EUROPE, "20241027015959", 1729987199 },
    { "local_west", "EST5EDT,M3.2.0,M11.1.0", "20240115120000", 1705338000 },
    { "local_far_east", "<+14>-14", "20240115120000", 1705269600 },
    { "local_odd_minutes", "<+0545>-5:45", "20240115120000", 1705299300 },
};
/* clang-format on */

static void check_local(void **state)
{
    const struct local_row *row = *state;
    char out[FTPTIME_LEN + 1];
    struct timespec ts;

    set_zone(row->zone);
    assert_true(parse(row->text, true, &ts));
    assert_int_equal(ts.tv_sec, row->sec);
    assert_int_equal(ftptime_put_local(out, row->sec), FTPTIME_LEN);
    assert_string_equal(out, row->text);
}

static void a_local_time_that_does_not_exist_is_moved(void **state)
{
    struct timespec ts;

    (void)state;
    set_zone(CENTRAL_EUROPE);
    assert_true(parse("20240331023000", true, &ts)); /* 01:30 or 03:30 are meant */
    assert_true(ts.tv_sec == 1711845000 || ts.tv_sec == 1711848600);
}

static void a_local_time_that_exists_twice_is_either(void **state)
{
    struct timespec ts;

    (void)state;
    set_zone(CENTRAL_EUROPE);
    assert_true(parse("20241027023000", true, &ts));
    assert_true(ts.tv_sec == 1729989000 || ts.tv_sec == 1729992600);
}

static void a_local_time_before_the_epoch_is_refused(void **state)
{
    struct timespec ts;

    (void)state;
    set_zone(CENTRAL_EUROPE);
    assert_true(parse("19700101010000", true, &ts));
    assert_int_equal(ts.tv_sec, 0);
    assert_false(parse("19700101005959", true, &ts));
}

/* In a chroot there may be no /etc/localtime: what was loaded before must do. */
static void the_zone_is_not_read_again(void **state)
{
    char out[FTPTIME_LEN + 1];
    struct timespec ts;

    (void)state;
    set_zone("<+14>-14");
    assert_int_equal(unsetenv("TZ"), 0);
    assert_true(parse("20240115120000", true, &ts));
    assert_int_equal(ts.tv_sec, 1705269600);
    (void)ftptime_put_local(out, ts.tv_sec);
    assert_string_equal(out, "20240115120000");
}

int main(void)
{
    UNIT_ADD_TABLE(check_parse, parse_rows);
    UNIT_ADD_TABLE(check_refused, refused_rows);
    UNIT_ADD(a_nul_is_no_end);
    UNIT_ADD(only_the_given_length_is_read);
    UNIT_ADD_TABLE(check_put, put_rows);
    UNIT_ADD(every_day_is_written_as_the_c_library_does);
    UNIT_ADD_TABLE(check_local, local_rows);
    UNIT_ADD(a_local_time_that_does_not_exist_is_moved);
    UNIT_ADD(a_local_time_that_exists_twice_is_either);
    UNIT_ADD(a_local_time_before_the_epoch_is_refused);
    UNIT_ADD(the_zone_is_not_read_again);
    return unit_run("ftptime");
}
