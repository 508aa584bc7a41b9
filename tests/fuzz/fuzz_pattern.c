/*
 * fuzz_pattern.c - fuzz file name patterns: a pattern, a NUL, a name
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 *
 * -timeout finds what takes too long. Patterns without braces and sets are also matched by the simplest
 * matcher there is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pattern.h"

#define NAME_LONGEST 255

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* For short texts only: it goes back everywhere. */
static bool matches_simply(const char *pattern, const char *name)
{
    if (*pattern == '\0') {
        return *name == '\0';
    }
    if (*pattern == '*') {
        return matches_simply(pattern + 1, name) ||
               (*name != '\0' && matches_simply(pattern, name + 1));
    }
    return *name != '\0' && (*pattern == '?' || *pattern == *name) &&
           matches_simply(pattern + 1, name + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t pattern_len = nul != NULL ? (size_t)(nul - data) : 0;
    char *text, *name;
    struct pattern pattern;

    if (nul == NULL || pattern_len > FTP_LINE_MAX) {
        return 0;
    }
    text = strndup((const char *)data, pattern_len);
    name = strndup((const char *)nul + 1, size - pattern_len - 1);
    require(text != NULL && name != NULL);
    if (strlen(name) > NAME_LONGEST) {
        name[NAME_LONGEST] = '\0';
    }
    (void)pattern_is_special(text); /* just not to crash */
    if (pattern_compile(&pattern, text)) {
        bool matches = pattern_matches(&pattern, name);

        require(pattern.count >= 1 && pattern.count <= PATTERN_ALTERNATIVES_MAX);
        if (strpbrk(text, "[{") == NULL && pattern_len < 12 && strlen(name) < 16) {
            bool hidden = name[0] == '.' && text[0] != '.';

            require(matches == (!hidden && matches_simply(text, name)));
        }
        pattern_free(&pattern);
    }
    free(text);
    free(name);
    return 0;
}
