/*
 * parseconf.c - the reader of name=value files and of -oname=value
 *
 * Process: L at start and at SIGHUP.
 * Trusts:  files that belong to root (or to who starts the daemon) and that nobody else can write.
 *          Their content is checked line by line.
 * Touches: struct tunables.
 */
#include "parseconf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "str.h"
#include "sysutil.h"
#include "tunable.h"

/* Begin an error line; the caller appends the text and '\n'. */
static void error_at(struct str *errors, const char *where)
{
    str_append(errors, where);
    str_append(errors, ": ");
}

/* Text of the configuration in an error: escaped, and cut when it is long. */
static void append_quote(struct str *errors, const char *text)
{
    str_append_char(errors, '\'');
    str_append_escaped(errors, text, strlen(text), 80);
    str_append_char(errors, '\'');
}

/* Drop white space from both ends, in place. */
static char *trim(char *text)
{
    size_t len;

    while (str_is_blank(*text)) {
        text++;
    }
    for (len = strlen(text); len > 0 && str_is_blank(text[len - 1]); len--) {
    }
    text[len] = '\0';
    return text;
}

static bool load_pair(char *name, char *value, const char *where, struct tunables *t,
                      struct str *errors)
{
    const struct tunable_row *row = tunable_find(name);
    struct str reason = STR_INIT(256);
    const char *near;
    bool good;

    if (row == NULL) {
        error_at(errors, where);
        str_append(errors, "unknown option ");
        append_quote(errors, name);
        near = tunable_nearest(name);
        if (near != NULL) {
            str_append_format(errors, "; the nearest name is '%s'", near);
        }
        str_append_char(errors, '\n');
        return false;
    }
    good = tunable_set(t, row, value, &reason);
    if (!good) {
        error_at(errors, where);
        str_append_format(errors, "%s %s, not ", name, str_text(&reason));
        append_quote(errors, value);
        str_append_char(errors, '\n');
    }
    str_free(&reason);
    return good;
}

bool parseconf_load_setting(const char *setting, const char *where, struct tunables *t,
                            struct str *errors)
{
    char *copy = strdup(setting);
    char *equals;
    bool good = false;

    if (copy == NULL) {
        error_at(errors, where);
        str_append(errors, "no memory\n");
        return false;
    }
    equals = strchr(copy, '=');
    if (equals == NULL) {
        error_at(errors, where);
        append_quote(errors, trim(copy));
        str_append(errors, " is not name=value\n");
    } else {
        *equals = '\0';
        good = load_pair(trim(copy), trim(equals + 1), where, t, errors);
    }
    free(copy);
    return good;
}

/* One line of a file, without its ending. Empty lines and comments are fine. */
static bool load_line(char *line, size_t len, const char *path, unsigned number, struct tunables *t,
                      struct str *errors)
{
    struct str where = STR_INIT(8192);
    bool good;

    if (len > 0 && line[len - 1] == '\r') {
        line[--len] = '\0';
    }
    str_append_format(&where, "%s:%u", path, number);
    if (strlen(line) != len) {
        error_at(errors, str_text(&where));
        str_append(errors, "the line holds a NUL byte\n");
        good = false;
    } else {
        while (str_is_blank(*line)) {
            line++;
        }
        good = *line == '\0' || *line == '#' ||
               parseconf_load_setting(line, str_text(&where), t, errors);
    }
    str_free(&where);
    return good;
}

/* SECURITY: a file that another user can write would make that user the administrator. */
static const char *file_fault(const struct stat *st)
{
    if (!S_ISREG(st->st_mode)) {
        return "not a regular file";
    }
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        return "belongs neither to root nor to the user who starts the daemon";
    }
    if ((st->st_mode & S_IWOTH) != 0 || ((st->st_mode & S_IWGRP) != 0 && st->st_gid != 0)) {
        return "others than root can write it";
    }
    if (st->st_size > PARSECONF_FILE_MAX) {
        return "longer than 100000 bytes";
    }
    return NULL;
}

/* The whole file, NUL-terminated, to be freed; NULL with an error line. */
static char *read_file(const char *path, size_t *len_out, struct str *errors)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    char *content = NULL;
    const char *fault = NULL;
    struct stat st;
    ssize_t len;

    if (fd == -1 || fstat(fd, &st) == -1) {
        fault = strerror(errno);
    } else if ((fault = file_fault(&st)) == NULL) {
        content = malloc(PARSECONF_FILE_MAX + 2);
        len = content != NULL ? sysutil_readn(fd, content, PARSECONF_FILE_MAX + 1) : -1;
        if (len == -1) {
            fault = strerror(errno);
        } else if (len > PARSECONF_FILE_MAX) {
            fault = "longer than 100000 bytes";
        } else {
            content[len] = '\0';
            *len_out = (size_t)len;
        }
    }
    sysutil_close(&fd);
    if (fault != NULL) {
        error_at(errors, path);
        str_append_format(errors, "%s\n", fault);
        free(content);
        content = NULL;
    }
    return content;
}

bool parseconf_load_file(const char *path, struct tunables *t, struct str *errors)
{
    size_t len = 0;
    char *content = read_file(path, &len, errors);
    char *line = content;
    unsigned number = 1;
    bool good = content != NULL;

    while (line != NULL && line < content + len) {
        char *end = memchr(line, '\n', (size_t)(content + len - line));
        size_t line_len = end != NULL ? (size_t)(end - line) : (size_t)(content + len - line);

        line[line_len] = '\0';
        good = load_line(line, line_len, path, number, t, errors) && good;
        line += line_len + 1;
        number++;
    }
    free(content);
    return good;
}
