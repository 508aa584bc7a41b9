/*
 * who.c - miniftpd --who: the live sessions, as a table for people or as JSON for programs
 *
 * Process: one of its own, as root or as the user who runs the daemon.
 * Trusts:  the configuration. Texts of a session come from its client.
 * Touches: stdout and stderr; the table of sessions through scoreview.
 */
#include "who.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "scoreview.h"
#include "str.h"
#include "tunable.h"

#define TEXT_MAX   (4 * SCOREBOARD_FILE_MAX + 1024) /* bytes of one cell: four for one, escaped */
#define LINE_LIMIT (2 * TEXT_MAX)
#define DAY_SEC    86400
#define WIDE       0x1100 /* characters from here on may take two columns */

static const char *const access_names[SCOREBOARD_ACCESS_COUNT] = {
    [SCOREBOARD_NOBODY] = NULL,
    [SCOREBOARD_ANONYMOUS] = "anonymous",
    [SCOREBOARD_GUEST] = "guest",
    [SCOREBOARD_LOCAL] = "local",
};

/* ---- what a session does ---- */

static void append_text(struct str *out, const char *text)
{
    str_append_escaped(out, text, strlen(text), TEXT_MAX);
}

/* The command that is carried out; nothing between two of them. */
static void append_command(struct str *out, const struct scoreview_row *row, const char *argument)
{
    if (row->busy) {
        append_text(out, row->verb);
        if (*argument != '\0') {
            str_append_char(out, ' ');
            append_text(out, argument);
        }
    }
}

/* False if there is no file, or nobody knows how long it will be. */
static bool percent_done(const struct scoreview_row *row, unsigned *percent_out)
{
    double share;

    if (!row->transferring || !row->has_size) {
        return false;
    }
    share = row->size > 0 ? (double)(row->offset + row->bytes) / (double)row->size : 1;
    *percent_out = share < 1 ? (unsigned)(share * 100) : 100;
    return true;
}

/* Bytes a second since the transfer began; false if that is no time yet. */
static bool average_rate(const struct scoreview_row *row, uint64_t *rate_out)
{
    double rate;

    if (!row->transferring || row->elapsed_ms <= 0) {
        return false;
    }
    rate = (double)row->bytes * 1000 / (double)row->elapsed_ms;
    *rate_out = rate < (double)INT64_MAX ? (uint64_t)rate : INT64_MAX;
    return true;
}

/* ---- the table ---- */

/* "812", "1.2K", "34M" */
static void append_size(struct str *out, uint64_t bytes)
{
    static const char units[] = "KMGTPE";
    double value = (double)bytes;
    size_t unit = 0;

    if (bytes < 1024) {
        str_append_uint(out, bytes);
        return;
    }
    for (value /= 1024; value >= 1023.5 && units[unit + 1] != '\0'; unit++) {
        value /= 1024;
    }
    str_append_format(out, "%.*f%c", value < 9.95 ? 1 : 0, value, units[unit]);
}

/* "12s", "7m", "3h05m", "4d" */
static void append_duration(struct str *out, int64_t seconds)
{
    if (seconds < 60) {
        str_append_format(out, "%ds", (int)seconds);
    } else if (seconds < 3600) {
        str_append_format(out, "%dm", (int)(seconds / 60));
    } else if (seconds < DAY_SEC) {
        str_append_format(out, "%dh%02dm", (int)(seconds / 3600), (int)(seconds / 60 % 60));
    } else {
        str_append_int(out, seconds / DAY_SEC);
        str_append_char(out, 'd');
    }
}

static void cell_user(const struct scoreview_row *row, int64_t now_sec, struct str *cell)
{
    (void)now_sec;
    append_text(cell, row->user);
}

static void cell_access(const struct scoreview_row *row, int64_t now_sec, struct str *cell)
{
    (void)now_sec;
    if (access_names[row->access] != NULL) {
        str_append(cell, access_names[row->access]);
    }
}

static void cell_address(const struct scoreview_row *row, int64_t now_sec, struct str *cell)
{
    (void)now_sec;
    append_text(cell, row->peer);
}

static void cell_pid(const struct scoreview_row *row, int64_t now_sec, struct str *cell)
{
    (void)now_sec;
    str_append_int(cell, row->pid);
}

/* The time of the day, or the day if that is another one; one word, for those who count them. */
static void cell_since(const struct scoreview_row *row, int64_t now_sec, struct str *cell)
{
    time_t then = (time_t)row->since_sec;
    time_t now = (time_t)now_sec;
    struct tm then_tm, now_tm;
    char text[16];
    size_t len;

    if (localtime_r(&then, &then_tm) == NULL || localtime_r(&now, &now_tm) == NULL) {
        return;
    }
    if (then_tm.tm_year != now_tm.tm_year) {
        len = strftime(text, sizeof(text), "%Y-%m-%d", &then_tm);
    } else if (then_tm.tm_yday != now_tm.tm_yday) {
        len = strftime(text, sizeof(text), "%b%d", &then_tm);
    } else {
        len = strftime(text, sizeof(text), "%H:%M", &then_tm);
    }
    str_append_mem(cell, text, len);
}

static void cell_idle(const struct scoreview_row *row, int64_t now_sec, struct str *cell)
{
    (void)now_sec;
    if (!row->busy) {
        append_duration(cell, row->idle_ms / 1000);
    }
}

static void cell_bytes(const struct scoreview_row *row, int64_t now_sec, struct str *cell)
{
    (void)now_sec;
    if (row->transferring) {
        append_size(cell, row->bytes);
    }
}

static void cell_done(const struct scoreview_row *row, int64_t now_sec, struct str *cell)
{
    unsigned percent;

    (void)now_sec;
    if (percent_done(row, &percent)) {
        str_append_format(cell, "%u%%", percent);
    }
}

static void cell_rate(const struct scoreview_row *row, int64_t now_sec, struct str *cell)
{
    uint64_t rate;

    (void)now_sec;
    if (average_rate(row, &rate)) {
        append_size(cell, rate);
        str_append(cell, "/s");
    }
}

/* Of a transfer the file as the server knows it. */
static void cell_command(const struct scoreview_row *row, int64_t now_sec, struct str *cell)
{
    (void)now_sec;
    append_command(cell, row,
                   row->transferring && row->file[0] != '\0' ? row->file : row->argument);
}

struct column {
    const char *heading;
    bool right; /* aligned at its right end */
    void (*make)(const struct scoreview_row *row, int64_t now_sec, struct str *cell);
};

/* clang-format off */
static const struct column columns[] = {
    { "USER",    false, cell_user },
    { "ACCESS",  false, cell_access },
    { "ADDRESS", false, cell_address },
    { "PID",     true,  cell_pid },
    { "SINCE",   false, cell_since },
    { "IDLE",    true,  cell_idle },
    { "BYTES",   true,  cell_bytes },
    { "DONE",    true,  cell_done },
    { "RATE",    true,  cell_rate },
    { "COMMAND", false, cell_command }, /* the last one: it may be long */
};
/* clang-format on */

/* The columns that the character at `p` takes on a terminal; *len_out: its bytes. The text is valid UTF-8. */
static size_t char_width(const char *p, size_t *len_out)
{
    unsigned char first = (unsigned char)*p;
    size_t len = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t code = len == 1 ? first : first & (0x7FU >> len);

    for (size_t i = 1; i < len; i++) {
        code = code << 6 | ((unsigned char)p[i] & 0x3F);
    }
    *len_out = len;
    return code < WIDE ? 1 : 2;
}

/* The length of what fits into `max` columns; *width_out: how many it takes. */
static size_t fit(const struct str *text, size_t max, size_t *width_out)
{
    const char *p = str_text(text);
    size_t at = 0;
    size_t width = 0;

    while (at < text->len) {
        size_t len;
        size_t more = char_width(p + at, &len);

        if (width + more > max) {
            break;
        }
        width += more;
        at += len;
    }
    *width_out = width;
    return at;
}

static void make_cell(const struct column *column, const struct scoreview_row *row, int64_t now_sec,
                      struct str *cell)
{
    str_clear(cell);
    if (row == NULL) {
        str_append(cell, column->heading);
        return;
    }
    column->make(row, now_sec, cell);
    if (cell->len == 0) {
        str_append_char(cell, '-');
    }
}

static void append_blanks(struct str *line, size_t count)
{
    while (count-- > 0) {
        str_append_char(line, ' ');
    }
}

/* One line; row NULL: the headings. */
static void print_line(FILE *out, const struct scoreview_row *row, int64_t now_sec,
                       const size_t *widths, size_t width)
{
    struct str line = STR_INIT(LINE_LIMIT);
    struct str cell = STR_INIT(TEXT_MAX);
    size_t shown;

    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        size_t used;

        make_cell(&columns[i], row, now_sec, &cell);
        (void)fit(&cell, SIZE_MAX, &used);
        if (columns[i].right) {
            append_blanks(&line, widths[i] - used);
        }
        str_append_mem(&line, str_text(&cell), cell.len);
        if (i + 1 < ARRAY_LEN(columns)) {
            append_blanks(&line, (columns[i].right ? 0 : widths[i] - used) + 2);
        }
    }
    if (width > 0) {
        str_truncate(&line, fit(&line, width, &shown));
    }
    fprintf(out, "%s\n", str_text(&line));
    str_free(&line);
    str_free(&cell);
}

void who_print_table(FILE *out, const struct scoreview_row *rows, size_t count, int64_t now_sec,
                     size_t width)
{
    size_t widths[ARRAY_LEN(columns)] = {0};
    struct str cell = STR_INIT(TEXT_MAX);

    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        for (size_t r = 0; r <= count; r++) {
            size_t used;

            make_cell(&columns[i], r == 0 ? NULL : &rows[r - 1], now_sec, &cell);
            (void)fit(&cell, SIZE_MAX, &used);
            widths[i] = used > widths[i] ? used : widths[i];
        }
    }
    str_free(&cell);
    for (size_t r = 0; r <= count; r++) {
        print_line(out, r == 0 ? NULL : &rows[r - 1], now_sec, widths, width);
    }
}

/* ---- JSON ---- */

/* A name, and a text as a string, or null for none. What is escaped has only these two left to care for. */
static void json_text(FILE *out, const char *name, const struct str *text)
{
    fprintf(out, ", \"%s\": ", name);
    if (text->len == 0) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (const char *p = str_text(text); *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            fputc('\\', out);
        }
        fputc(*p, out);
    }
    fputc('"', out);
}

static void json_escaped(FILE *out, const char *name, const char *text)
{
    struct str escaped = STR_INIT(TEXT_MAX);

    append_text(&escaped, text);
    json_text(out, name, &escaped);
    str_free(&escaped);
}

static void json_number(FILE *out, const char *name, bool known, uint64_t value)
{
    if (known) {
        fprintf(out, ", \"%s\": %llu", name, (unsigned long long)value);
    } else {
        fprintf(out, ", \"%s\": null", name);
    }
}

/* "2026-11-03T14:02:11Z" */
static void json_since(FILE *out, int64_t since_sec)
{
    time_t when = (time_t)since_sec;
    struct tm tm;
    char text[32] = "";

    if (gmtime_r(&when, &tm) != NULL) {
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    json_escaped(out, "since", text);
}

static void json_row(FILE *out, const struct scoreview_row *row)
{
    struct str command = STR_INIT(TEXT_MAX);
    unsigned percent = 0;
    uint64_t rate = 0;
    bool has_percent = percent_done(row, &percent);
    bool has_rate = average_rate(row, &rate);

    append_command(&command, row, row->argument);
    fprintf(out, "{\"pid\": %d", row->pid);
    json_number(out, "listener", true, (uint64_t)row->listener);
    json_escaped(out, "user", row->user);
    json_escaped(out, "access", access_names[row->access] != NULL ? access_names[row->access] : "");
    json_escaped(out, "address", row->peer);
    json_since(out, row->since_sec);
    json_number(out, "idle", true, (uint64_t)row->idle_ms / 1000);
    json_text(out, "command", &command);
    json_escaped(out, "file", row->transferring ? row->file : "");
    json_number(out, "bytes", row->transferring, row->bytes);
    json_number(out, "offset", row->transferring, row->offset);
    json_number(out, "size", row->transferring && row->has_size, row->size);
    json_number(out, "percent", has_percent, percent);
    json_number(out, "rate", has_rate, rate);
    fputc('}', out);
    str_free(&command);
}

void who_print_json(FILE *out, const struct scoreview_row *rows, size_t count)
{
    fputc('[', out);
    for (size_t r = 0; r < count; r++) {
        fputs(r > 0 ? ",\n " : "", out);
        json_row(out, &rows[r]);
    }
    fputs("]\n", out);
}

/* ---- the command ---- */

static size_t terminal_width(void)
{
    struct winsize size;

    return isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col
                                                                                      : 0;
}

/* The table of a configuration into `view`. Returns an exit status. */
static int read_table(const struct tunables *tun, struct scoreview *view)
{
    struct str error = STR_INIT(8192);
    int status = EXIT_STATUS_ERROR;

    if (tun->scoreboard_dir == NULL) {
        fprintf(stderr, MINIFTPD_NAME ": scoreboard_dir is empty: there is no table of sessions\n");
    } else if (!scoreview_read(tun->scoreboard_dir, tun->run_as_launching_user, view, &error) &&
               error.len > 0) {
        fprintf(stderr, MINIFTPD_NAME ": %s\n", str_text(&error));
    } else if (view->count == 0 && view->listeners == 0) {
        fprintf(stderr,
                MINIFTPD_NAME ": no daemon is running with this configuration "
                              "(scoreboard_dir=%s)\n",
                tun->scoreboard_dir);
        scoreview_free(view);
    } else {
        status = EXIT_STATUS_OK;
    }
    str_free(&error);
    return status;
}

static void print_sessions(const struct scoreview *view, bool json)
{
    if (json) {
        who_print_json(stdout, view->rows, view->count);
    } else if (view->count == 0) {
        puts("no sessions");
    } else {
        who_print_table(stdout, view->rows, view->count, (int64_t)time(NULL), terminal_width());
    }
}

int who_run(char **args, int arg_count, bool json)
{
    struct str errors = STR_INIT(CONFIG_ERRORS_MAX);
    struct tunables tun;
    struct scoreview view;
    int status = EXIT_STATUS_USAGE;

    if (!config_read(args, arg_count, &tun, &errors)) {
        config_report_errors(&errors);
    } else if ((status = read_table(&tun, &view)) == EXIT_STATUS_OK) {
        print_sessions(&view, json);
        scoreview_free(&view);
        if (fflush(stdout) != 0 || ferror(stdout) != 0) {
            perror(MINIFTPD_NAME ": standard output");
            status = EXIT_STATUS_ERROR;
        }
    }
    tunable_free(&tun);
    str_free(&errors);
    return status;
}
