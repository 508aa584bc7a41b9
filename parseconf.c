/*
 * parseconf.c - the reader of name=value files and of -oname=value
 *
 * Process: L at start and at SIGHUP; N before login for the file of one user; miniftpd -t.
 * Trusts:  files that belong to root (or to who starts the daemon) and that nobody else can write.
 *          Their content is checked line by line.
 * Touches: struct tunables.
 */
#include "parseconf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysutil.h"
#include "tunable.h"

#define REPORT_MAX (256 * 1024) /* bytes of each text of a report */

/* Where the value of an option comes from. */
struct parseconf_origin {
    char *where;   /* NULL: not set */
    unsigned file; /* files are counted from 1; 0: a setting on the command line */
};

/* A place in the configuration. */
struct place {
    const char *where; /* what errors begin with */
    unsigned file;     /* as in struct parseconf_origin */
};

/* ---- the report ---- */

struct parseconf_report *parseconf_report_new(void)
{
    struct parseconf_report *report = calloc(1, sizeof(*report));

    if (report == NULL) {
        return NULL;
    }
    str_init(&report->warnings, REPORT_MAX);
    str_init(&report->idle, REPORT_MAX);
    report->origins = calloc(tunable_row_count, sizeof(*report->origins));
    if (report->origins == NULL) {
        free(report);
        return NULL;
    }
    return report;
}

void parseconf_report_free(struct parseconf_report *report)
{
    if (report == NULL) {
        return;
    }
    for (size_t i = 0; i < tunable_row_count; i++) {
        free(report->origins[i].where);
    }
    free(report->origins);
    str_free(&report->warnings);
    str_free(&report->idle);
    free(report);
}

const char *parseconf_origin(const struct parseconf_report *report, const struct tunable_row *row)
{
    return report->origins[row - tunable_rows].where;
}

/* Begin a line with its place; the caller appends the text and '\n'. */
static void begin_line(struct str *lines, const char *where)
{
    str_append(lines, where);
    str_append(lines, ": ");
}

static void warn_at(const struct parseconf *to, const char *where, const char *text)
{
    if (to->report != NULL) {
        begin_line(&to->report->warnings, where);
        str_append_format(&to->report->warnings, "%s\n", text);
    }
}

/*
 * A leading 0 is octal for vsftpd, whatever the option; and who writes permissions without it rarely
 * means a decimal number.
 */
static void remark_on_number(struct str *warnings, const struct tunable_row *row, const char *value,
                             const char *where)
{
    bool zero = value[0] == '0';
    unsigned long long decimal = strtoull(value, NULL, 10);
    unsigned long long octal = strtoull(value, NULL, 8);

    if (row->type == TUNABLE_OCTAL && !zero && decimal != octal) {
        begin_line(warnings, where);
        str_append_format(warnings,
                          "%s=%s is a decimal number, 0%llo in octal; octal numbers begin with 0\n",
                          row->name, value, decimal);
    } else if (row->type != TUNABLE_OCTAL && zero && decimal != octal) {
        begin_line(warnings, where);
        str_append_format(warnings,
                          "%s=%s is read as %llu; vsftpd would read it as an octal number, %llu: "
                          "leave the 0 in front out\n",
                          row->name, value, decimal, octal);
    }
}

/* The option was set before, in the same file: one of the two lines is not meant. */
static void remark_on_repetition(struct parseconf_report *report, const struct tunable_row *row,
                                 const struct place *place)
{
    const struct parseconf_origin *before = &report->origins[row - tunable_rows];

    if (before->where != NULL && before->file != 0 && before->file == place->file) {
        begin_line(&report->warnings, place->where);
        str_append_format(&report->warnings, "%s counts as it is set here, not as in line %s\n",
                          row->name, strrchr(before->where, ':') + 1);
    }
}

/* The setting is accepted, and that is all. */
static void remark_on_idle(struct parseconf_report *report, const struct parseconf *to,
                           const struct tunable_row *row, const char *where)
{
    struct str *lines = tunable_is_unmet(to->t, row) ? &report->warnings : &report->idle;

    begin_line(lines, where);
    if (tunable_has_value(row)) {
        str_append_format(lines, "%s has no effect in the file of one user\n", row->name);
    } else if (row->type == TUNABLE_FIXED) {
        str_append_format(lines, "%s needs no setting: %s\n", row->name, row->text);
    } else {
        str_append_format(lines, "%s has no effect: %s\n", row->name, row->text);
    }
}

/* Keep in mind where an option was set, and say what is odd about it. */
static void report_setting(const struct parseconf *to, const struct tunable_row *row,
                           const char *value, const struct place *place)
{
    struct parseconf_report *report = to->report;
    struct parseconf_origin *origin = &report->origins[row - tunable_rows];

    remark_on_repetition(report, row, place);
    if (!tunable_has_value(row) || (to->user_only && row->scope != SCOPE_USER)) {
        remark_on_idle(report, to, row, place->where);
    } else if (row->type == TUNABLE_TEXT) {
        if (value[0] == '/' && strstr(value, " #") != NULL) {
            warn_at(to, place->where,
                    "what follows # is part of the value: a comment needs a "
                    "line of its own");
        }
    } else if (row->type != TUNABLE_BOOL) {
        remark_on_number(&report->warnings, row, value, place->where);
    }
    free(origin->where);
    origin->where = strdup(place->where); /* without memory: not set, as far as -t knows */
    origin->file = place->file;
}

/* ---- lines ---- */

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

static bool has_blank_end(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && (str_is_blank(text[0]) || str_is_blank(text[len - 1]));
}

static void unknown_option(struct str *errors, const char *name, const char *where)
{
    const char *near = tunable_nearest(name);

    begin_line(errors, where);
    str_append(errors, "unknown option ");
    append_quote(errors, name);
    if (near != NULL) {
        str_append_format(errors, "; the nearest name is '%s'", near);
    }
    str_append_char(errors, '\n');
}

static void bad_value(struct str *errors, const char *name, const char *value, const char *reason,
                      const char *where)
{
    begin_line(errors, where);
    str_append_format(errors, "%s %s, not ", name, reason);
    append_quote(errors, value);
    if (strstr(value, " #") != NULL) {
        str_append(errors, "; a comment needs a line of its own");
    }
    str_append_char(errors, '\n');
}

static bool apply_pair(const struct parseconf *to, const char *name, const char *value,
                       const struct place *place)
{
    const struct tunable_row *row = tunable_find(name);
    struct str reason = STR_INIT(256);
    bool good = true;

    if (row == NULL) {
        unknown_option(to->errors, name, place->where);
        return false;
    }
    if (!to->user_only || row->scope == SCOPE_USER) {
        good = tunable_set(to->t, row, value, &reason);
    }
    if (!good) {
        bad_value(to->errors, name, value, str_text(&reason), place->where);
    } else if (to->report != NULL) {
        report_setting(to, row, value, place);
    }
    str_free(&reason);
    return good;
}

/* How vsftpd takes blanks depends on what they stand around. */
static void remark_on_blanks(const struct parseconf *to, char *name, char *value, const char *where)
{
    bool blank_value = has_blank_end(value);
    const struct tunable_row *row;

    if (has_blank_end(name)) {
        warn_at(to, where, "blanks around the name are dropped; vsftpd would refuse the line");
    }
    row = tunable_find(trim(name));
    if (row == NULL || !blank_value) {
        return;
    }
    if (row->type == TUNABLE_BOOL || row->type == TUNABLE_UNMET) {
        warn_at(to, where, "blanks around the value are dropped; vsftpd would refuse the line");
    } else if (row->type == TUNABLE_TEXT) {
        warn_at(to, where, "blanks around the value are dropped; vsftpd would keep them");
    }
}

static bool apply_setting(const struct parseconf *to, const char *setting,
                          const struct place *place)
{
    char *copy = strdup(setting);
    char *equals;
    bool good = false;

    if (copy == NULL) {
        begin_line(to->errors, place->where);
        str_append(to->errors, "no memory\n");
        return false;
    }
    equals = strchr(copy, '=');
    if (equals == NULL) {
        begin_line(to->errors, place->where);
        append_quote(to->errors, trim(copy));
        str_append(to->errors, " is not name=value\n");
    } else {
        *equals = '\0';
        if (to->report != NULL) {
            remark_on_blanks(to, copy, equals + 1, place->where);
        }
        good = apply_pair(to, trim(copy), trim(equals + 1), place);
    }
    free(copy);
    return good;
}

/* One line of a file, without its ending. Empty lines and comments are fine. */
static bool apply_line(const struct parseconf *to, char *line, size_t len,
                       const struct place *place)
{
    const char *start = line;

    if (strlen(line) != len) {
        begin_line(to->errors, place->where);
        str_append(to->errors, "the line holds a NUL byte\n");
        return false;
    }
    while (str_is_blank(*line)) {
        line++;
    }
    if (*line == '#' && line != start) {
        warn_at(to, place->where, "a comment behind blanks; vsftpd would refuse the line");
    }
    return *line == '\0' || *line == '#' || apply_setting(to, line, place);
}

/* ---- files ---- */

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
    return NULL;
}

/* The whole file, NUL-terminated, to be freed; NULL with an error line. */
static char *read_content(const char *path, size_t *len_out, struct str *errors)
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
        } else {
            content[len] = '\0';
            *len_out = (size_t)len;
        }
    }
    sysutil_close(&fd);
    if (fault != NULL) {
        begin_line(errors, path);
        str_append_format(errors, "%s\n", fault);
        free(content);
        content = NULL;
    }
    return content;
}

/* Does the file stay within the limit? If not, none of it counts, and the line is named. */
static bool fits(const char *content, size_t len, const char *path, struct str *errors)
{
    unsigned number = 1;

    if (len <= PARSECONF_FILE_MAX) {
        return true;
    }
    for (size_t i = 0; i < PARSECONF_FILE_MAX; i++) {
        number += content[i] == '\n';
    }
    str_append_format(errors, "%s:%u: the file is longer than %d bytes\n", path, number,
                      PARSECONF_FILE_MAX);
    return false;
}

/* Each line of the file; `content` is changed. */
static bool apply_lines(const struct parseconf *to, char *content, size_t len, const char *path)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* of UTF-8, as some editors write it */
    struct str where = STR_INIT(8192);
    char *line = content;
    bool has_cr = false;
    bool good = true;

    for (unsigned number = 1; line < content + len; number++) {
        char *end = memchr(line, '\n', (size_t)(content + len - line));
        char *next = end != NULL ? end + 1 : content + len;
        struct place place;

        end = end != NULL ? end : next;
        str_clear(&where);
        str_append_format(&where, "%s:%u", path, number);
        place.where = str_text(&where);
        place.file = to->report != NULL ? to->report->files : 0;
        if (number == 1 && strncmp(line, mark, strlen(mark)) == 0) {
            warn_at(to, place.where,
                    "a byte order mark in front is passed over; vsftpd would refuse the line");
            line += strlen(mark);
        }
        if (end > line && end[-1] == '\r') {
            end--;
            if (!has_cr) {
                warn_at(to, place.where, "lines end with CR and LF, which vsftpd would not take");
            }
            has_cr = true;
        }
        *end = '\0';
        good = apply_line(to, line, (size_t)(end - line), &place) && good;
        line = next;
    }
    str_free(&where);
    return good;
}

bool parseconf_read_file(const struct parseconf *to, const char *path)
{
    size_t len = 0;
    char *content = read_content(path, &len, to->errors);
    bool good = content != NULL && fits(content, len, path, to->errors);

    if (to->report != NULL) {
        to->report->files++;
    }
    good = good && apply_lines(to, content, len, path);
    free(content);
    return good;
}

bool parseconf_read_setting(const struct parseconf *to, const char *setting, const char *where)
{
    const struct place place = {.where = where};

    return apply_setting(to, setting, &place);
}

bool parseconf_load_file(const char *path, struct tunables *t, struct str *errors)
{
    const struct parseconf to = {.t = t, .errors = errors};

    return parseconf_read_file(&to, path);
}

bool parseconf_load_user_file(const char *path, struct tunables *t, struct str *errors)
{
    const struct parseconf to = {.t = t, .errors = errors, .user_only = true};

    return parseconf_read_file(&to, path);
}

bool parseconf_load_setting(const char *setting, const char *where, struct tunables *t,
                            struct str *errors)
{
    const struct parseconf to = {.t = t, .errors = errors};

    return parseconf_read_setting(&to, setting, where);
}
