/*
 * ftptime.h - points of time as FTP writes them: YYYYMMDDHHMMSS[.sss], RFC 3659 2.3 (pure)
 */
#ifndef MINIFTPD_FTPTIME_H
#define MINIFTPD_FTPTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "common.h"

/* Digits of a time without a fraction. */
#define FTPTIME_LEN 14

/*
 * Read 14 digits, or 14 digits, '.' and at least one digit, and nothing else: a real date and time in
 * UTC of the years 1970 to 9999. Second 60 is taken as 59; digits behind the nanoseconds are ignored.
 * Returns false, and leaves *out, on anything else. text[len] need not end with a NUL.
 */
MUST_CHECK bool ftptime_parse(const char *text, size_t len, struct timespec *out);

/*
 * The same as local time (tzset(3) decides). A time that does not exist because clocks were put forward
 * is moved by an hour, one that exists twice is either of the two. False for a time before 1970 in UTC.
 */
MUST_CHECK bool ftptime_parse_local(const char *text, size_t len, struct timespec *out);

/*
 * Write a time as 14 digits in UTC and a NUL into out[FTPTIME_LEN + 1]. A time outside of the years 0
 * to 9999 becomes 19700101000000. Returns FTPTIME_LEN. Fast: for each entry of a listing.
 */
size_t ftptime_put(char *out, time_t t);

/* The same as local time. */
size_t ftptime_put_local(char *out, time_t t);

#endif
