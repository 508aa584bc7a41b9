/*
 * ftptime.c - points of time as FTP writes them (pure)
 *
 * Process: S.
 * Trusts:  nothing about the text; it comes from clients.
 * Touches: nothing but the time zone that the C library has in memory.
 */
#include "ftptime.h"

#include <stdint.h>
#include <string.h>

#include "str.h"

#define DAY_SEC         86400
#define DAYS_OF_400Y    146097
#define NANO_DIGITS     9
#define PARSED_YEAR_MIN 1970

/* Days since 1970-01-01 of the first and of the last day that has a year of four digits. */
#define FIRST_DAY (-719528)
#define LAST_DAY  2932896

struct civil {
    unsigned year, month, day, hour, minute, second;
};

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/*
 * Days and dates are counted from March 1st of the year 0: a leap day is the last day of a year then, and
 * month m (March is 0) begins at day (153 * m + 2) / 5.
 */
#define DAYS_TO_1970 719468

static int64_t days_from_date(unsigned year, unsigned month, unsigned day)
{
    unsigned y = month > 2 ? year : year - 1;
    unsigned m = month > 2 ? month - 3 : month + 9;

    return (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 -
           DAYS_TO_1970;
}

static void date_from_days(int64_t days, struct civil *out)
{
    /* 400 years on, for the two months before March of the year 0 */
    unsigned n = (unsigned)(days + DAYS_TO_1970 + DAYS_OF_400Y);
    unsigned age = n % DAYS_OF_400Y; /* in a period of 400 years */
    unsigned y = (age - age / 1460 + age / 36524 - age / 146096) / 365;
    unsigned in_year = age - (365 * y + y / 4 - y / 100);
    unsigned m = (5 * in_year + 2) / 153;

    out->day = in_year - (153 * m + 2) / 5 + 1;
    out->month = m < 10 ? m + 3 : m - 9;
    out->year = y + n / DAYS_OF_400Y * 400 - 400 + (m >= 10);
}

/* Exactly `count` digits, or false. */
static bool read_digits(const char *text, size_t count, unsigned *out)
{
    unsigned value = 0;

    for (size_t i = 0; i < count; i++) {
        if (!str_is_digit(text[i])) {
            return false;
        }
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *out = value;
    return true;
}

/* ".123": nothing is fine too. */
static bool read_fraction(const char *text, size_t len, long *nsec_out)
{
    unsigned nsec = 0;

    *nsec_out = 0;
    if (len == 0) {
        return true;
    }
    if (len == 1 || text[0] != '.') {
        return false;
    }
    for (size_t i = 1; i < len || i <= NANO_DIGITS; i++) {
        if (i < len && !str_is_digit(text[i])) {
            return false;
        }
        if (i <= NANO_DIGITS) {
            nsec = nsec * 10 + (i < len ? (unsigned)(text[i] - '0') : 0);
        }
    }
    *nsec_out = (long)nsec;
    return true;
}

static bool read_civil(const char *text, size_t len, struct civil *out, long *nsec_out)
{
    if (len < FTPTIME_LEN || !read_digits(text, 4, &out->year) ||
        !read_digits(text + 4, 2, &out->month) || !read_digits(text + 6, 2, &out->day) ||
        !read_digits(text + 8, 2, &out->hour) || !read_digits(text + 10, 2, &out->minute) ||
        !read_digits(text + 12, 2, &out->second)) {
        return false;
    }
    if (out->year < PARSED_YEAR_MIN || out->month < 1 || out->month > 12 || out->day < 1 ||
        out->day > days_in_month(out->year, out->month) || out->hour > 23 || out->minute > 59 ||
        out->second > 60) {
        return false;
    }
    if (out->second == 60) {
        out->second = 59; /* a leap second, which time_t does not have */
    }
    return read_fraction(text + FTPTIME_LEN, len - FTPTIME_LEN, nsec_out);
}

static time_t seconds_of(const struct civil *civil)
{
    return (time_t)(days_from_date(civil->year, civil->month, civil->day) * DAY_SEC +
                    (int64_t)civil->hour * 3600 + civil->minute * 60 + civil->second);
}

bool ftptime_parse(const char *text, size_t len, struct timespec *out)
{
    struct civil civil;
    long nsec;

    if (!read_civil(text, len, &civil, &nsec)) {
        return false;
    }
    *out = (struct timespec){.tv_sec = seconds_of(&civil), .tv_nsec = nsec};
    return true;
}

bool ftptime_parse_local(const char *text, size_t len, struct timespec *out)
{
    struct timespec utc;
    struct tm tm;
    time_t t;

    if (!ftptime_parse(text, len, &utc)) {
        return false;
    }
    /*
     * Not mktime(3): it reads the time zone again, and in a chroot there is none to read. The second
     * turn is for a change of the clocks between the first guess and the time.
     */
    t = utc.tv_sec;
    for (int turn = 0; turn < 2; turn++) {
        if (localtime_r(&t, &tm) == NULL) {
            return false;
        }
        t = utc.tv_sec - tm.tm_gmtoff;
    }
    if (t < 0) {
        return false;
    }
    *out = (struct timespec){.tv_sec = t, .tv_nsec = utc.tv_nsec};
    return true;
}

/* Two digits. */
static char *put_pair(char *out, unsigned value)
{
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
    return out + 2;
}

static size_t put_civil(char *out, const struct civil *civil)
{
    out = put_pair(out, civil->year / 100);
    out = put_pair(out, civil->year % 100);
    out = put_pair(out, civil->month);
    out = put_pair(out, civil->day);
    out = put_pair(out, civil->hour);
    out = put_pair(out, civil->minute);
    out = put_pair(out, civil->second);
    *out = '\0';
    return FTPTIME_LEN;
}

static size_t put_epoch(char *out)
{
    memcpy(out, "19700101000000", FTPTIME_LEN + 1);
    return FTPTIME_LEN;
}

size_t ftptime_put(char *out, time_t t)
{
    int64_t days = t / DAY_SEC;
    int64_t seconds = t % DAY_SEC;
    struct civil civil;

    if (seconds < 0) {
        seconds += DAY_SEC;
        days--;
    }
    if (days < FIRST_DAY || days > LAST_DAY) {
        return put_epoch(out);
    }
    date_from_days(days, &civil);
    civil.hour = (unsigned)seconds / 3600;
    civil.minute = (unsigned)seconds / 60 % 60;
    civil.second = (unsigned)seconds % 60;
    return put_civil(out, &civil);
}

size_t ftptime_put_local(char *out, time_t t)
{
    struct tm tm;

    if (localtime_r(&t, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900) {
        return put_epoch(out);
    }
    return put_civil(out, &(struct civil){
                              .year = (unsigned)tm.tm_year + 1900,
                              .month = (unsigned)tm.tm_mon + 1,
                              .day = (unsigned)tm.tm_mday,
                              .hour = (unsigned)tm.tm_hour,
                              .minute = (unsigned)tm.tm_min,
                              .second = (unsigned)tm.tm_sec,
                          });
}
