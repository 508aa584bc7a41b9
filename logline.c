/*
 * logline.c - what a record looks like in each of the logs
 *
 * Process: L and N.
 * Trusts:  the numbers in a record after their enums were checked; no byte of a text.
 * Touches: memory of its own only.
 */
#include "logline.h"

#include <string.h>

#include "str.h"

#define MS_PER_SECOND  1000
#define HUNDREDTHS_MAX 1e13 /* in hundredths it is still exact in a double */
#define NS_PER_MS      1000000

/* How an event is called, and what is said of it. */
struct event_row {
    const char *native;
    const char *json;
    bool has_outcome; /* OK or FAIL in front */
    bool has_path;    /* that is what `text` is */
    const char *text; /* the names of `text` and `detail` in JSON */
    const char *detail;
};

/* clang-format off */
static const struct event_row event_rows[LOG_EVENT_COUNT] = {
    [LOG_EVENT_CONNECT] =  { "CONNECT",      "connect",  false, false, "reason",  NULL },
    [LOG_EVENT_LOGIN] =    { "LOGIN",        "login",    true,  false, "reason",  NULL },
    [LOG_EVENT_DOWNLOAD] = { "DOWNLOAD",     "download", true,  true,  "path",    "reason" },
    [LOG_EVENT_UPLOAD] =   { "UPLOAD",       "upload",   true,  true,  "path",    "reason" },
    [LOG_EVENT_MKDIR] =    { "MKDIR",        "mkdir",    true,  true,  "path",    "reason" },
    [LOG_EVENT_RMDIR] =    { "RMDIR",        "rmdir",    true,  true,  "path",    "reason" },
    [LOG_EVENT_DELETE] =   { "DELETE",       "delete",   true,  true,  "path",    "reason" },
    [LOG_EVENT_RENAME] =   { "RENAME",       "rename",   true,  true,  "path",    "to" },
    [LOG_EVENT_CHMOD] =    { "CHMOD",        "chmod",    true,  true,  "path",    "mode" },
    [LOG_EVENT_WARNING] =  { "WARNING",      "warning",  false, false, "message", NULL },
    [LOG_EVENT_DEBUG] =    { "DEBUG",        "debug",    false, false, "message", NULL },
    [LOG_EVENT_COMMAND] =  { "FTP command",  "command",  false, false, "line",    NULL },
    [LOG_EVENT_RESPONSE] = { "FTP response", "response", false, false, "line",    NULL },
};
/* clang-format on */

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

bool logline_is_transfer(enum log_event event)
{
    return event == LOG_EVENT_DOWNLOAD || event == LOG_EVENT_UPLOAD;
}

bool logline_is_protocol(enum log_event event)
{
    return event == LOG_EVENT_COMMAND || event == LOG_EVENT_RESPONSE;
}

static void append_two_digits(struct str *line, unsigned value)
{
    const char digits[2] = {(char)('0' + value / 10 % 10), (char)('0' + value % 10)};

    str_append_mem(line, digits, sizeof(digits));
}

void logline_date(time_t when, struct str *line)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    struct tm tm;

    if (localtime_r(&when, &tm) == NULL) {
        memset(&tm, 0, sizeof(tm));
    }
    /* by hand, as it is in every line: "Mon Nov  2 03:04:05 2026 " */
    str_append_mem(line, days + (size_t)tm.tm_wday * 3, 3);
    str_append_char(line, ' ');
    str_append_mem(line, month_names + (size_t)tm.tm_mon * 3, 3);
    str_append(line, tm.tm_mday < 10 ? "  " : " ");
    str_append_int(line, tm.tm_mday);
    str_append_char(line, ' ');
    append_two_digits(line, (unsigned)tm.tm_hour);
    str_append_char(line, ':');
    append_two_digits(line, (unsigned)tm.tm_min);
    str_append_char(line, ':');
    append_two_digits(line, (unsigned)tm.tm_sec);
    str_append_char(line, ' ');
    str_append_int(line, tm.tm_year + 1900);
    str_append_char(line, ' ');
}

/* Text from outside; the bytes in `marks` are what ends it in the line, so they are escaped too. */
static void append_text(struct str *line, const char *text, size_t len, const char *marks)
{
    size_t take = len < LOGLINE_TEXT_MAX ? len : LOGLINE_TEXT_MAX;
    size_t start = 0;

    for (size_t i = 0; i < take; i++) {
        if (text[i] != '\0' && strchr(marks, text[i]) != NULL) {
            str_append_escaped(line, text + start, i - start, i - start);
            str_append_format(line, "\\x%02X", (unsigned char)text[i]);
            start = i + 1;
        }
    }
    str_append_escaped(line, text + start, take - start, take - start);
    if (take < len) {
        str_append(line, "...");
    }
}

/* A field that ends at a blank: blanks become '_', and nothing at all '?', as vsftpd has it. */
static void append_word(struct str *line, const char *text, size_t len, const char *marks)
{
    size_t start = line->len;

    append_text(line, text, len, marks);
    for (size_t i = start; i < line->len; i++) {
        if (line->buf[i] == ' ') {
            line->buf[i] = '_';
        }
    }
    if (len == 0) {
        str_append_char(line, '?');
    }
}

/* ---- vsftpd ---- */

/* With two decimals. By hand: printf(3) takes a microsecond for it. */
static void append_hundredths(struct str *line, double value)
{
    uint64_t hundredths = value < HUNDREDTHS_MAX ? (uint64_t)(value * 100 + 0.5) : 0;

    if (value >= HUNDREDTHS_MAX) {
        str_append_format(line, "%.2f", value);
        return;
    }
    str_append_uint(line, hundredths / 100);
    str_append_char(line, '.');
    append_two_digits(line, (unsigned)(hundredths % 100));
}

static void append_rate(struct str *line, const struct log_record *record)
{
    uint32_t ms = record->duration_ms > 0 ? record->duration_ms : 1;
    double rate = (double)record->bytes / 1024.0 / ((double)ms / MS_PER_SECOND);

    if (record->bytes > 0) {
        str_append(line, ", ");
        str_append_uint(line, record->bytes);
        str_append(line, " bytes");
    }
    str_append(line, ", ");
    append_hundredths(line, rate);
    str_append(line, "Kbyte/sec");
}

/* What stands in quotes behind the client. */
static void append_quoted_text(struct str *line, const struct log_record *record)
{
    if (record->is_anon_password) {
        str_append(line, ", anon password \"");
        append_word(line, record->text, record->text_len, "\"");
        str_append_char(line, '"');
    } else if (record->text_len > 0 && !record->is_usual) {
        str_append(line, ", \"");
        append_text(line, record->text, record->text_len, "\"");
        if (record->detail_len > 0 &&
            (record->event == LOG_EVENT_RENAME || record->event == LOG_EVENT_CHMOD)) {
            str_append_char(line, ' ');
            append_text(line, record->detail, record->detail_len, "\"");
        }
        str_append_char(line, '"');
    }
}

void logline_syslog(const struct log_who *who, const struct log_record *record, struct str *line)
{
    const struct event_row *row = &event_rows[record->event];

    if (who->user[0] != '\0') {
        str_append_char(line, '[');
        append_text(line, who->user, strlen(who->user), "]\"");
        str_append(line, "] ");
    }
    if (row->has_outcome) {
        str_append(line, record->ok ? "OK " : "FAIL ");
    }
    if (who->peer == NULL) {
        str_append_format(line, "%s: ", row->native);
        append_text(line, record->text, record->text_len, "");
        return;
    }
    str_append(line, row->native);
    str_append(line, ": Client \"");
    str_append(line, who->peer);
    str_append_char(line, '"');
    append_quoted_text(line, record);
    if (logline_is_transfer(record->event)) {
        append_rate(line, record);
    }
}

void logline_native(const struct log_who *who, const struct log_record *record, struct str *line)
{
    str_append(line, "[pid ");
    str_append_int(line, who->pid);
    str_append(line, "] ");
    logline_syslog(who, record, line);
}

/* ---- wu-ftpd ---- */

void logline_xferlog(const struct log_who *who, const struct log_record *record, time_t when,
                     struct str *line)
{
    uint32_t seconds = (record->duration_ms + MS_PER_SECOND / 2) / MS_PER_SECOND;
    const char *name = who->user;

    if (who->access == LOG_ACCESS_ANONYMOUS && who->anon_password != NULL) {
        name = who->anon_password; /* by custom their mail address */
    }
    logline_date(when, line);
    str_append_uint(line, seconds > 0 ? seconds : 1);
    str_append_format(line, " %s %llu ", who->peer, (unsigned long long)record->bytes);
    append_word(line, record->text, record->text_len, "");
    str_append_format(line, " %c _ %c %c ", record->is_ascii ? 'a' : 'b',
                      record->event == LOG_EVENT_UPLOAD ? 'i' : 'o',
                      who->access != LOG_ACCESS_NONE ? (int)who->access : LOG_ACCESS_REAL);
    append_word(line, name, strlen(name), "");
    str_append_format(line, " ftp 0 * %c", record->ok ? 'c' : 'i');
}

/* ---- JSON ---- */

/* RFC 3339, in UTC and milliseconds. */
static void append_time(struct str *line, const struct timespec *when)
{
    struct tm tm;

    if (gmtime_r(&when->tv_sec, &tm) == NULL) {
        memset(&tm, 0, sizeof(tm));
    }
    str_append_format(line, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\"", tm.tm_year + 1900,
                      tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                      when->tv_nsec / NS_PER_MS);
}

/* A member whose value is text from outside: escaped as in every log, then as JSON wants it. */
static void append_member(struct str *line, const char *name, const char *text, size_t len)
{
    struct str clean = STR_INIT(4 * LOGLINE_TEXT_MAX + 16);

    append_text(&clean, text, len, "");
    str_append_format(line, ",\"%s\":\"", name);
    for (size_t i = 0; i < clean.len; i++) {
        if (clean.buf[i] == '"' || clean.buf[i] == '\\') {
            str_append_char(line, '\\');
        }
        str_append_char(line, clean.buf[i]);
    }
    str_append_char(line, '"');
    str_free(&clean);
}

static const char *access_name(enum log_access access)
{
    switch (access) {
    case LOG_ACCESS_ANONYMOUS:
        return "anonymous";
    case LOG_ACCESS_GUEST:
        return "guest";
    case LOG_ACCESS_REAL:
        return "real";
    case LOG_ACCESS_NONE:
        break;
    }
    return NULL;
}

/*
 * Whether all was well: a connection that is refused has a text, a warning never is good news, and what
 * debug_ssl tells never is bad.
 */
static bool went_well(const struct log_record *record)
{
    switch (record->event) {
    case LOG_EVENT_CONNECT:
        return record->text_len == 0;
    case LOG_EVENT_WARNING:
        return false;
    case LOG_EVENT_DEBUG:
        return true;
    default:
        return record->ok;
    }
}

static void append_who(struct str *line, const struct log_who *who)
{
    const char *access = access_name(who->access);

    if (who->session != NULL) {
        append_member(line, "session", who->session, strlen(who->session));
    }
    str_append_format(line, ",\"pid\":%d", who->pid);
    if (who->peer != NULL) {
        append_member(line, "client", who->peer, strlen(who->peer));
    }
    if (who->user[0] != '\0') {
        append_member(line, "user", who->user, strlen(who->user));
    }
    if (access != NULL) {
        str_append_format(line, ",\"access\":\"%s\"", access);
    }
}

/* Why something failed, unless a text has said so. */
static void append_error(struct str *line, const struct event_row *row,
                         const struct log_record *record)
{
    bool told = record->detail_len > 0 && row->detail != NULL && strcmp(row->detail, "reason") == 0;

    if (record->error != 0 && row->has_path && !told) {
        const char *reason = strerror(record->error);

        append_member(line, "reason", reason, strlen(reason));
    }
}

void logline_json(const struct log_who *who, const struct log_record *record,
                  const struct timespec *when, struct str *line)
{
    const struct event_row *row = &event_rows[record->event];

    append_time(line, when);
    str_append_format(line, ",\"event\":\"%s\",\"ok\":%s", row->json,
                      went_well(record) ? "true" : "false");
    append_who(line, who);
    if (record->is_anon_password) {
        append_member(line, "anon_password", record->text, record->text_len);
    } else if (record->text_len > 0) {
        append_member(line, row->text, record->text, record->text_len);
    }
    if (record->detail_len > 0 && row->detail != NULL) {
        append_member(line, row->detail, record->detail, record->detail_len);
    }
    append_error(line, row, record);
    if (record->has_bytes || logline_is_transfer(record->event)) {
        str_append_format(line, ",\"bytes\":%llu,\"duration_ms\":%lu",
                          (unsigned long long)record->bytes, (unsigned long)record->duration_ms);
    }
    if (logline_is_transfer(record->event)) {
        str_append_format(line, ",\"type\":\"%s\"", record->is_ascii ? "ascii" : "binary");
    }
    str_append_char(line, '}');
}
