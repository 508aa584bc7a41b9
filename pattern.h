/*
 * pattern.h - file name patterns: * ? [set] {one,two} (pure)
 *
 * No regular expressions and no libc: the time to match is bounded by the lengths of pattern and name,
 * and a pattern that expands to too much matches nothing.
 */
#ifndef MINIFTPD_PATTERN_H
#define MINIFTPD_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "common.h"

/* How many patterns the braces of one may stand for. */
#define PATTERN_ALTERNATIVES_MAX 256

struct pattern {
    char *alternatives[PATTERN_ALTERNATIVES_MAX]; /* without braces */
    size_t count;
};

/* True if `text` holds a character that is special in patterns. */
bool pattern_is_special(const char *text);

/*
 * Compile a pattern. Returns false if its braces stand for more than PATTERN_ALTERNATIVES_MAX patterns
 * or memory is short. Braces without a partner are ordinary characters.
 */
MUST_CHECK bool pattern_compile(struct pattern *pattern, const char *text);
void pattern_free(struct pattern *pattern);

/* The whole name must match. A '.' in front is matched by '.' only. Bytes, not characters. */
bool pattern_matches(const struct pattern *pattern, const char *name);

#endif
