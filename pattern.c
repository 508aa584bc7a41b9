/*
 * pattern.c - file name patterns (pure)
 *
 * Process: S.
 * Trusts:  nothing; patterns come from clients, too, names from directories that they can fill.
 * Touches: memory of its own only.
 */
#include "pattern.h"

#include <stdlib.h>
#include <string.h>

bool pattern_is_special(const char *text)
{
    return strpbrk(text, "*?[{") != NULL;
}

void pattern_free(struct pattern *pattern)
{
    for (size_t i = 0; i < pattern->count; i++) {
        free(pattern->alternatives[i]);
    }
    pattern->count = 0;
}

/* Count steps. False once there are none left. */
static bool spend(struct pattern *pattern, size_t steps)
{
    if (steps >= pattern->steps_left) {
        pattern->steps_left = 0;
        return false;
    }
    pattern->steps_left -= (uint32_t)steps;
    return true;
}

/* The '}' that belongs to the '{' at `open`, or NULL. */
static const char *closing_brace(struct pattern *pattern, const char *open)
{
    size_t depth = 0;

    for (const char *p = open; *p != '\0' && spend(pattern, 1); p++) {
        if (*p == '{') {
            depth++;
        } else if (*p == '}' && --depth == 0) {
            return p;
        }
    }
    return NULL;
}

/* The first '{' that has a partner. */
static const char *opening_brace(struct pattern *pattern, const char *text)
{
    for (const char *p = strchr(text, '{'); p != NULL; p = strchr(p + 1, '{')) {
        if (closing_brace(pattern, p) != NULL) {
            return p;
        }
    }
    return NULL;
}

/* The end of the alternative at `from`: a comma of this level, or the closing brace. */
static const char *alternative_end(const char *from, const char *close)
{
    size_t depth = 0;

    for (; from < close; from++) {
        if (*from == '{') {
            depth++;
        } else if (*from == '}') {
            depth--;
        } else if (*from == ',' && depth == 0) {
            break;
        }
    }
    return from;
}

/* Head of `text` up to `open`, one alternative, tail after `close`. */
static char *join(const char *text, const char *open, const char *from, const char *to,
                  const char *close)
{
    size_t head = (size_t)(open - text);
    size_t middle = (size_t)(to - from);
    size_t tail = strlen(close + 1);
    char *joined = malloc(head + middle + tail + 1);

    if (joined != NULL) {
        memcpy(joined, text, head);
        memcpy(joined + head, from, middle);
        memcpy(joined + head + middle, close + 1, tail + 1);
    }
    return joined;
}

/* Replace the pattern at `index` by the alternatives of its first braces. */
static bool expand_one(struct pattern *pattern, size_t index, const char *open)
{
    char *text = pattern->alternatives[index];
    const char *close = closing_brace(pattern, open);
    const char *from = open + 1;
    bool first = true;

    if (close == NULL) {
        return false; /* seen before, so it is the steps that ran out */
    }

    for (;;) {
        const char *to = alternative_end(from, close);
        char *joined = join(text, open, from, to, close);

        if (joined == NULL || (!first && pattern->count == ARRAY_LEN(pattern->alternatives))) {
            free(joined);
            if (!first) {
                free(text);
            }
            return false;
        }
        if (first) {
            pattern->alternatives[index] = joined; /* `text` is still needed below */
            first = false;
        } else {
            pattern->alternatives[pattern->count++] = joined;
        }
        if (to == close) {
            break;
        }
        from = to + 1;
    }
    free(text);
    return true;
}

bool pattern_compile(struct pattern *pattern, const char *text)
{
    pattern->count = 0;
    pattern->steps_left = PATTERN_STEPS_MAX;
    pattern->alternatives[0] = strdup(text);
    if (pattern->alternatives[0] == NULL) {
        return false;
    }
    pattern->count = 1;
    for (size_t i = 0; i < pattern->count;) {
        const char *open = opening_brace(pattern, pattern->alternatives[i]);

        if (open == NULL && pattern->steps_left > 0) {
            i++;
        } else if (open == NULL || !expand_one(pattern, i, open)) {
            pattern_free(pattern);
            return false;
        }
    }
    return true;
}

/*
 * Does c belong to the set at p ("[...]")? *end_out: behind the set; NULL if it is not closed, and '['
 * is an ordinary character then.
 */
static bool in_set(const char *p, unsigned char c, const char **end_out)
{
    bool negated = p[1] == '!' || p[1] == '^';
    const char *at = p + 1 + negated;
    bool found = false;

    *end_out = NULL;
    do {
        unsigned char low = (unsigned char)*at;
        unsigned char high = low;

        if (low == '\0') {
            return false;
        }
        if (at[1] == '-' && at[2] != ']' && at[2] != '\0') {
            high = (unsigned char)at[2];
            at += 2;
        }
        found = found || (c >= low && c <= high);
        at++;
    } while (*at != ']');
    *end_out = at + 1;
    return found != negated;
}

/* Does the pattern element at *p match c? *p moves behind it. '*' is not for here. */
static bool match_one(struct pattern *pattern, const char **p, unsigned char c)
{
    const char *end = NULL;
    bool matches;

    switch (**p) {
    case '\0':
        return false;
    case '?':
        (*p)++;
        return true;
    case '[':
        matches = in_set(*p, c, &end);
        (void)spend(pattern,
                    end != NULL ? (size_t)(end - *p) : strlen(*p)); /* seen by the caller */
        if (end != NULL) {
            *p = end;
            return matches;
        }
        break;
    default:
        break;
    }
    matches = (unsigned char)**p == c;
    (*p)++;
    return matches;
}

/* Two pointers and one place to return to: at most strlen(pattern) * strlen(name) steps. */
static bool matches_plain(struct pattern *whole, const char *pattern, const char *name)
{
    const char *star = NULL; /* behind the last '*' */
    const char *retry = NULL;

    while (*name != '\0') {
        const char *p = pattern;

        if (!spend(whole, 1)) {
            return false;
        }
        if (*pattern == '*') {
            star = ++pattern;
            retry = name;
        } else if (match_one(whole, &p, (unsigned char)*name)) {
            pattern = p;
            name++;
        } else if (star != NULL) {
            pattern = star;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}

bool pattern_matches_one(struct pattern *pattern, size_t index, const char *text)
{
    return matches_plain(pattern, pattern->alternatives[index], text);
}

bool pattern_matches(struct pattern *pattern, const char *name)
{
    for (size_t i = 0; i < pattern->count; i++) {
        if ((name[0] != '.' || pattern->alternatives[i][0] == '.') &&
            pattern_matches_one(pattern, i, name)) {
            return true;
        }
    }
    return false;
}

void pattern_renew(struct pattern *pattern)
{
    pattern->steps_left = PATTERN_STEPS_MAX;
}

bool pattern_is_exhausted(const struct pattern *pattern)
{
    return pattern->steps_left == 0;
}
