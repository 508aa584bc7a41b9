/*
 * access.c - what the configuration lets a user name (pure)
 *
 * Process: S; L, to check a configuration.
 * Trusts:  the patterns, which are the administrator's. No path.
 * Touches: memory of its own only.
 */
#include "access.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"

static bool init_filter(struct access_filter *filter, const char *text)
{
    filter->text = text != NULL && *text != '\0' ? text : NULL;
    filter->pattern = filter->text != NULL ? malloc(sizeof(*filter->pattern)) : NULL;
    if (filter->pattern != NULL && !pattern_compile(filter->pattern, filter->text)) {
        free(filter->pattern);
        filter->pattern = NULL;
    }
    return filter->pattern != NULL || filter->text == NULL;
}

static void free_filter(struct access_filter *filter)
{
    if (filter->pattern != NULL) {
        pattern_free(filter->pattern);
        free(filter->pattern);
    }
    filter->text = NULL;
    filter->pattern = NULL;
}

bool access_init(struct access_rules *rules, const struct access_texts *texts, const char *home)
{
    bool good = init_filter(&rules->deny, texts->deny);

    good = init_filter(&rules->hide, texts->hide) && good;
    good = init_filter(&rules->upload, texts->upload) && good;
    good = init_filter(&rules->download, texts->download) && good;
    /* without memory no directory is excepted, which is the strict way */
    rules->home = strcmp(home, "/") != 0 ? strdup(home) : NULL;
    rules->home_len = rules->home != NULL ? strlen(home) : 0;
    return good;
}

void access_free(struct access_rules *rules)
{
    free_filter(&rules->deny);
    free_filter(&rules->hide);
    free_filter(&rules->upload);
    free_filter(&rules->download);
    free(rules->home);
    rules->home = NULL;
    rules->home_len = 0;
}

bool access_is_set(const struct access_rules *rules)
{
    return rules->deny.text != NULL || rules->hide.text != NULL || rules->upload.text != NULL ||
           rules->download.text != NULL;
}

bool access_is_pattern(const char *text)
{
    struct pattern pattern;
    bool good = pattern_compile(&pattern, text);

    if (good) {
        pattern_free(&pattern);
    }
    return good;
}

/* Does an alternative match the path, whose last name begins at `name`? */
static bool matches_alternative(struct pattern *pattern, size_t index, const char *path,
                                const char *name)
{
    const char *alternative = pattern->alternatives[index];

    if (strchr(alternative, '/') == NULL) {
        return pattern_matches_one(pattern, index, name);
    }
    if (alternative[0] == '/') {
        return pattern_matches_one(pattern, index, path);
    }
    for (const char *end = path; end != NULL; end = strchr(end, '/')) {
        end += *end == '/';
        if (pattern_matches_one(pattern, index, end)) {
            return true;
        }
    }
    return false;
}

/* Is the text in the path, so that it ends in the last name? */
static bool contains(const char *text, const char *path, const char *name)
{
    size_t len = strlen(text);
    size_t at = (size_t)(name - path);

    return strstr(at < len ? path : name - len + 1, text) != NULL;
}

/* The same for all of the option. SECURITY: when in doubt, the answer is `unsure`. */
static bool matches(struct access_filter *filter, const char *path, const char *name, bool unsure)
{
    if (filter->pattern == NULL) {
        return unsure;
    }
    pattern_renew(filter->pattern);
    for (size_t i = 0; i < filter->pattern->count; i++) {
        if (matches_alternative(filter->pattern, i, path, name)) {
            return true;
        }
    }
    return pattern_is_exhausted(filter->pattern) ? unsure : contains(filter->text, path, name);
}

static const char *last_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

/* Where the first name begins that the user was not put below by the configuration; or the end. */
static char *first_name(const struct access_rules *rules, char *path)
{
    if (rules->home != NULL && strncmp(path, rules->home, rules->home_len) == 0 &&
        (path[rules->home_len] == '/' || path[rules->home_len] == '\0')) {
        path += rules->home_len;
    }
    return path + strspn(path, "/");
}

bool access_is_denied(struct access_rules *rules, const char *path)
{
    bool denied = false;
    char *copy;

    if (rules->deny.text == NULL) {
        return false;
    }
    copy = strdup(path);
    if (copy == NULL) {
        return true;
    }
    for (char *name = first_name(rules, copy); *name != '\0' && !denied;) {
        char *end = name + strcspn(name, "/");
        char kept = *end;

        *end = '\0';
        denied = matches(&rules->deny, copy, name, true);
        *end = kept;
        name = end + strspn(end, "/");
    }
    free(copy);
    return denied;
}

bool access_is_hidden(struct access_rules *rules, const char *path)
{
    return rules->hide.text != NULL && matches(&rules->hide, path, last_name(path), true);
}

bool access_is_stored(struct access_rules *rules, const char *path)
{
    return rules->upload.text == NULL || matches(&rules->upload, path, last_name(path), false);
}

bool access_is_fetched(struct access_rules *rules, const char *path)
{
    return rules->download.text == NULL || matches(&rules->download, path, last_name(path), false);
}

/* Append the names of a path to a normalised one, which is "" for the root. */
static void append_names(struct str *out, const char *path)
{
    for (path += strspn(path, "/"); *path != '\0'; path += strspn(path, "/")) {
        size_t len = strcspn(path, "/");

        if (len == 2 && memcmp(path, "..", 2) == 0) {
            const char *slash = strrchr(str_text(out), '/');

            str_truncate(out, slash != NULL ? (size_t)(slash - str_text(out)) : 0);
        } else if (len != 1 || *path != '.') {
            str_append_char(out, '/');
            str_append_mem(out, path, len);
        }
        path += len;
    }
}

void access_normalise(const char *cwd, const char *path, struct str *out)
{
    str_clear(out);
    if (path[0] != '/') {
        append_names(out, cwd);
    }
    append_names(out, path);
    if (out->len == 0) {
        str_append_char(out, '/');
    }
}

bool access_next_command(const char **list, struct str *word)
{
    while (**list != '\0') {
        const char *start = *list + strspn(*list, " \t,");
        size_t len = strcspn(start, ",");

        *list = start + len;
        while (len > 0 && (start[len - 1] == ' ' || start[len - 1] == '\t')) {
            len--;
        }
        if (len > 0) {
            str_clear(word);
            str_append_mem(word, start, len);
            if (word->len > 0) { /* one that is too long for a command stays empty */
                str_upper(word->buf);
            }
            return true;
        }
    }
    return false;
}
