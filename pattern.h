/*
 * pattern.h - file name patterns: * ? [set] {one,two} (pure)
 *
 * No regular expressions and no libc. Work is counted in steps of about a character, over compiling and
 * all matching together: a pattern that needs too many, or that expands to too much, matches nothing
 * any more.
 */
#ifndef MINIFTPD_PATTERN_H
#define MINIFTPD_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.h"

/* How many patterns the braces of one may stand for. */
#define PATTERN_ALTERNATIVES_MAX 256

/* Steps for one pattern: less than a second. A hundred thousand names need some ten millions. */
#define PATTERN_STEPS_MAX 200000000

struct pattern {
    char *alternatives[PATTERN_ALTERNATIVES_MAX]; /* without braces */
    size_t count;
    uint32_t steps_left;
};

/* True if `text` holds a character that is special in patterns. */
bool pattern_is_special(const char *text);

/*
 * Compile a pattern. Returns false if its braces stand for more than PATTERN_ALTERNATIVES_MAX patterns,
 * if that takes too many steps or if memory is short. Braces without a partner are ordinary characters.
 */
MUST_CHECK bool pattern_compile(struct pattern *pattern, const char *text);
void pattern_free(struct pattern *pattern);

/* The whole name must match. A '.' in front is matched by '.' only. Bytes, not characters. */
bool pattern_matches(struct pattern *pattern, const char *name);

/* The same for one of the alternatives, where a '.' in front is a character like any other. */
bool pattern_matches_one(struct pattern *pattern, size_t index, const char *text);

/* Let the work be counted from the start. For patterns of the configuration, which are used for ever. */
void pattern_renew(struct pattern *pattern);

/* True if the steps ran out, so that a "does not match" means nothing. */
bool pattern_is_exhausted(const struct pattern *pattern);

#endif
