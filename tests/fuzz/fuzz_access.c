/*
 * fuzz_access.c - fuzz the rules about names: a pattern, a NUL, a directory, a NUL, a path in it
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 *
 * -timeout finds what takes too long. Checked is that normalised paths are normal, and that all spellings
 * of a path and all that is below it are denied together with it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "str.h"

#define TEXT_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* The text up to the next NUL, to be freed; *at: behind it. */
static char *take_text(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *nul = *at < end ? memchr(*at, '\0', (size_t)(end - *at)) : NULL;
    const uint8_t *stop = nul != NULL ? nul : end;
    char *text = strndup((const char *)*at, (size_t)(stop - *at));

    require(text != NULL);
    *at = nul != NULL ? nul + 1 : end;
    return text;
}

static void check_normal(const char *path)
{
    size_t len = strlen(path);

    require(path[0] == '/' && (len == 1 || path[len - 1] != '/'));
    for (const char *name = path + 1; len > 1 && name != NULL; name = strchr(name, '/')) {
        size_t name_len;

        name += *name == '/';
        name_len = strcspn(name, "/");
        require(name_len > 0);
        require(!(name_len == 1 && name[0] == '.'));
        require(!(name_len == 2 && name[0] == '.' && name[1] == '.'));
    }
}

static void check_rules(const char *pattern, const char *home, const struct str *path)
{
    const struct access_texts texts = {pattern, pattern, pattern, pattern};
    struct str other = STR_INIT(2 * TEXT_MAX);
    struct str spelling = STR_INIT(2 * TEXT_MAX);
    struct access_rules rules;
    bool good = access_init(&rules, &texts, home);

    str_append_format(&spelling, "./x/.//../%s//.", str_text(path));
    access_normalise("/", str_text(&spelling), &other);
    require(strcmp(str_text(&other), str_text(path)) == 0);
    str_append(&other, strcmp(str_text(path), "/") == 0 ? "x" : "/x");
    if (access_is_denied(&rules, str_text(path))) {
        require(access_is_denied(&rules, str_text(&other)));
    }
    require(access_is_hidden(&rules, str_text(path)) || good || pattern[0] == '\0');
    require(pattern[0] == '\0' || good || !access_is_stored(&rules, str_text(path)));
    (void)access_is_fetched(&rules, str_text(path)); /* just not to crash */
    access_free(&rules);
    str_free(&other);
    str_free(&spelling);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *at = data;
    char *pattern = take_text(&at, data + size);
    char *directory = take_text(&at, data + size);
    char *path = take_text(&at, data + size);
    struct str home = STR_INIT(TEXT_MAX);
    struct str whole = STR_INIT(TEXT_MAX);
    struct str word = STR_INIT(64);
    const char *list = pattern;

    while (access_next_command(&list, &word)) {
        require(strpbrk(str_text(&word), ",") == NULL);
    }
    access_normalise("/", directory, &home);
    access_normalise(str_text(&home), path, &whole);
    if (str_ok(&home) && str_ok(&whole)) {
        check_normal(str_text(&whole));
        check_rules(pattern, str_text(&home), &whole);
    }
    str_free(&home);
    str_free(&whole);
    str_free(&word);
    free(pattern);
    free(directory);
    free(path);
    return 0;
}
