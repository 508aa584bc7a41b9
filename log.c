/*
 * log.c - the log
 *
 * Process: L and N. P and S close it and send records to N.
 * Trusts:  the numbers in a record after their enums were checked; no byte of a text.
 * Touches: the log file, syslog, stderr.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "str.h"
#include "sysutil.h"
#include "tunable.h"

#define LOG_TEXT_MAX 2048 /* bytes of a path or reason that a line shows */
#define LOG_LINE_MAX (4 * LOG_TEXT_MAX + 1024)

static const char *const event_names[LOG_EVENT_COUNT] = {
    [LOG_EVENT_CONNECT] = "CONNECT",   [LOG_EVENT_LOGIN] = "LOGIN",
    [LOG_EVENT_DOWNLOAD] = "DOWNLOAD", [LOG_EVENT_UPLOAD] = "UPLOAD",
    [LOG_EVENT_MKDIR] = "MKDIR",       [LOG_EVENT_RMDIR] = "RMDIR",
    [LOG_EVENT_DELETE] = "DELETE",     [LOG_EVENT_RENAME] = "RENAME",
    [LOG_EVENT_CHMOD] = "CHMOD",       [LOG_EVENT_WARNING] = "WARNING",
};

/* The sink of this process. */
static struct {
    int file_fd;       /* the log file, or -1 */
    int stderr_fd;     /* messages about the daemon; -1: syslog */
    bool to_syslog;    /* records go to syslog */
    unsigned int lost; /* lines that could not be written */
    bool torn;         /* the last of them in part */
} sink = {.file_fd = -1, .stderr_fd = STDERR_FILENO};

bool log_open(const struct tunables *t, struct str *error)
{
    int fd = -1;

    if (t->xferlog_enable && !t->syslog_enable) {
        /* O_NONBLOCK: a pipe without a reader must not stop the daemon */
        fd = open(t->vsftpd_log_file,
                  O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
        if (fd == -1) {
            str_append_format(error, "cannot open the log %s: %s", t->vsftpd_log_file,
                              strerror(errno));
            return false;
        }
    }
    sysutil_close(&sink.file_fd);
    sink.file_fd = fd;
    sink.to_syslog = t->syslog_enable;
    if (sink.to_syslog || sink.stderr_fd == -1) {
        closelog(); /* syslog may have been restarted */
        openlog(MINIFTPD_NAME, LOG_NDELAY | LOG_PID, LOG_FTP);
    }
    return true;
}

void log_to_background(void)
{
    sink.stderr_fd = -1;
    openlog(MINIFTPD_NAME, LOG_NDELAY | LOG_PID, LOG_FTP);
}

void log_keep_stderr(void)
{
    if (sink.stderr_fd != -1) {
        sink.stderr_fd = fcntl(sink.stderr_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    }
}

void log_close(void)
{
    sysutil_close(&sink.file_fd);
    if (sink.stderr_fd > STDERR_FILENO) {
        sysutil_close(&sink.stderr_fd);
    }
    if (sink.to_syslog || sink.stderr_fd == -1) {
        closelog();
    }
    sink.to_syslog = false;
}

/* Text from outside; the bytes in `marks` are what ends it in the line, so they are escaped too. */
static void append_text(struct str *line, const char *text, size_t len, const char *marks)
{
    size_t take = len < LOG_TEXT_MAX ? len : LOG_TEXT_MAX;
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

void log_format(const struct log_who *who, const struct log_record *record, struct str *line)
{
    bool has_outcome = record->event != LOG_EVENT_CONNECT && record->event != LOG_EVENT_WARNING;

    str_append_format(line, "[pid %d] ", who->pid);
    if (who->user[0] != '\0') {
        str_append_char(line, '[');
        append_text(line, who->user, strlen(who->user), "]\"");
        str_append(line, "] ");
    }
    if (has_outcome) {
        str_append(line, record->ok ? "OK " : "FAIL ");
    }
    str_append_format(line, "%s: Client \"%s\"", event_names[record->event], who->peer);
    if (record->text_len > 0 || record->is_anon_password) {
        str_append(line, record->is_anon_password ? ", anon password \"" : ", \"");
        append_text(line, record->text, record->text_len, "\"");
        str_append_char(line, '"');
    }
    if (record->has_bytes) {
        uint32_t ms = record->duration_ms > 0 ? record->duration_ms : 1;
        double rate = (double)record->bytes / 1024.0 / ((double)ms / 1000.0);

        str_append_format(line, ", %llu bytes, %.2fKbyte/sec", (unsigned long long)record->bytes,
                          rate);
    }
}

/* "Thu Oct  2 18:37:41 2025 " in English, whatever the locale. */
static void append_date(struct str *line)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t now = time(NULL);
    struct tm tm;

    if (localtime_r(&now, &tm) == NULL) {
        memset(&tm, 0, sizeof(tm));
    }
    str_append_format(line, "%.3s %.3s %2d %02d:%02d:%02d %d ", days + (size_t)tm.tm_wday * 3,
                      months + (size_t)tm.tm_mon * 3, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                      tm.tm_year + 1900);
}

/* One write, so that lines of several processes never mix. Returns false if it did not work. */
static bool write_line(const struct str *line)
{
    ssize_t n;

    do {
        n = write(sink.file_fd, str_text(line), line->len);
    } while (n == -1 && errno == EINTR);
    sink.torn = n > 0 ? n < (ssize_t)line->len : sink.torn;
    return n == (ssize_t)line->len;
}

static void report_lost(void)
{
    struct str line = STR_INIT(256);

    if (sink.torn) {
        str_append_char(&line, '\n');
    }
    append_date(&line);
    str_append_format(&line, "[pid %d] WARNING: %u lines of the log could not be written\n",
                      (int)getpid(), sink.lost);
    if (write_line(&line)) {
        sink.lost = 0;
    }
    str_free(&line);
}

void log_record(const struct log_who *who, const struct log_record *record)
{
    struct str line = STR_INIT(LOG_LINE_MAX);

    if (sink.file_fd == -1 && !sink.to_syslog) {
        return;
    }
    if (sink.file_fd != -1) {
        append_date(&line);
    }
    log_format(who, record, &line);
    if (sink.to_syslog) {
        syslog(record->event == LOG_EVENT_WARNING ? LOG_WARNING : LOG_INFO, "%s", str_text(&line));
    }
    if (sink.file_fd != -1) {
        if (sink.lost > 0) {
            report_lost();
        }
        str_append_char(&line, '\n');
        if (!write_line(&line)) {
            sink.lost++;
        }
    }
    str_free(&line);
}

PRINTF_LIKE(2, 0)
static void message_va(int priority, const char *format, va_list args)
{
    char text[4096];

    if (vsnprintf(text, sizeof(text), format, args) < 0) {
        return;
    }
    /* what comes from outside was escaped where it came in; this is for the rest */
    for (char *p = text; *p != '\0'; p++) {
        *p = (unsigned char)*p < ' ' || *p == 0x7F ? '?' : *p;
    }
    if (sink.stderr_fd == -1) {
        syslog(priority, "%s", text);
    } else {
        dprintf(sink.stderr_fd, MINIFTPD_NAME ": %s\n", text); /* one write */
    }
}

void log_message(int priority, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message_va(priority, format, args);
    va_end(args);
}

void log_fatal(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message_va(LOG_ERR, format, args);
    va_end(args);
    exit(EXIT_STATUS_ERROR);
}
