/*
 * log.c - which record goes to which log, and messages about the daemon itself
 *
 * Process: L and N. P and S close it and send records to N.
 * Trusts:  the numbers in a record after their enums were checked; no byte of a text.
 * Touches: the log files, syslog, stderr.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "logfile.h"
#include "logsyslog.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"

#define REFRESH_EVERY_MS 10000
#define WARN_EVERY_MS    60000

enum sink { SINK_NATIVE, SINK_XFERLOG, SINK_JSON, SINK_SYSLOG, SINK_COUNT };

/* The logs of this process. */
static struct {
    struct logfile files[SINK_SYSLOG];
    struct logfile_state *states; /* one for each sink; shared with all processes of the daemon */
    bool to_syslog;               /* records go to syslog */
    bool die_to_syslog;           /* errors go there, too */
    int stderr_fd;                /* messages about the daemon; -1: syslog */
    int64_t refreshed_ms;
} logs = {.files = {LOGFILE_INIT, LOGFILE_INIT, LOGFILE_INIT}, .stderr_fd = STDERR_FILENO};

/* ---- what goes where; as vsftpd does it ---- */

/* The file of a sink, or NULL if the configuration does not ask for it. */
static const char *path_of(const struct tunables *t, enum sink sink)
{
    bool on = t->xferlog_enable || t->dual_log_enable;

    switch (sink) {
    case SINK_NATIVE:
        return on && (t->dual_log_enable || !t->xferlog_std_format) && !t->syslog_enable
                   ? t->vsftpd_log_file
                   : NULL;
    case SINK_XFERLOG:
        return on && (t->dual_log_enable || t->xferlog_std_format) ? t->xferlog_file : NULL;
    case SINK_JSON:
        return t->json_log_file;
    case SINK_SYSLOG:
    case SINK_COUNT:
        break;
    }
    return NULL;
}

static bool sink_shows(enum sink sink, enum log_event event)
{
    switch (sink) {
    case SINK_XFERLOG:
        return logline_is_transfer(event);
    case SINK_JSON:
        return !logline_is_protocol(event);
    default:
        return true;
    }
}

bool log_wants(const struct tunables *t, enum log_event event)
{
    if (logline_is_protocol(event) && !t->log_ftp_protocol) {
        return false;
    }
    for (enum sink sink = SINK_NATIVE; sink < SINK_SYSLOG; sink++) {
        if (sink_shows(sink, event) && path_of(t, sink) != NULL) {
            return true;
        }
    }
    return t->syslog_enable;
}

void log_append_places(const struct tunables *t, struct str *out)
{
    const char *separator = "";

    for (enum sink sink = SINK_NATIVE; sink < SINK_SYSLOG; sink++) {
        if (path_of(t, sink) != NULL) {
            str_append_format(out, "%s%s", separator, path_of(t, sink));
            separator = ", ";
        }
    }
    if (t->syslog_enable) {
        str_append_format(out, "%ssyslog", separator);
    }
}

/* ---- open and close ---- */

/* The counters; without memory to share every process has its own. */
static struct logfile_state *make_states(void)
{
    static struct logfile_state own[SINK_COUNT];
    void *shared =
        mmap(NULL, sizeof(own), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return shared != MAP_FAILED ? shared : own;
}

static void open_syslog(void)
{
    if (logs.to_syslog || logs.die_to_syslog || logs.stderr_fd == -1) {
        logsyslog_open(); /* it may have been restarted */
    } else {
        logsyslog_close();
    }
}

bool log_open(const struct tunables *t, struct str *error)
{
    bool good = true;

    if (logs.states == NULL) {
        logs.states = make_states();
    }
    for (enum sink sink = SINK_NATIVE; sink < SINK_SYSLOG; sink++) {
        struct logfile *file = &logs.files[sink];

        file->state = &logs.states[sink];
        if (!logfile_open(file, path_of(t, sink))) {
            str_append_format(error, "%scannot open the log %s: %s", good ? "" : "; ",
                              path_of(t, sink), strerror(errno));
            good = false;
        }
    }
    if (!good) {
        str_append(error, "; the service goes on, and it is tried again when clients come");
    }
    logs.to_syslog = t->syslog_enable;
    logs.die_to_syslog = t->log_die;
    logs.refreshed_ms = sysutil_now_ms();
    open_syslog();
    return good;
}

void log_to_background(void)
{
    logs.stderr_fd = -1;
    open_syslog();
}

void log_keep_stderr(void)
{
    if (logs.stderr_fd != -1) {
        logs.stderr_fd = fcntl(logs.stderr_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    }
}

void log_close(void)
{
    for (enum sink sink = SINK_NATIVE; sink < SINK_SYSLOG; sink++) {
        logfile_close(&logs.files[sink]);
    }
    if (logs.stderr_fd > STDERR_FILENO) {
        sysutil_close(&logs.stderr_fd);
    }
    logs.to_syslog = logs.die_to_syslog = false;
    logsyslog_close();
    if (logs.states != NULL) {
        (void)munmap(logs.states,
                     sizeof(*logs.states) * SINK_COUNT); /* refused for our own array */
        logs.states = NULL;
    }
}

/* ---- lines that are lost ---- */

/* Tell the administrator, but not each time. */
static void warn_of(struct logfile_state *state, const char *what, const char *path, int error)
{
    int64_t now_ms = sysutil_now_ms();
    int64_t before_ms = atomic_load(&state->warned_ms);

    if ((before_ms == 0 || now_ms - before_ms >= WARN_EVERY_MS) &&
        atomic_compare_exchange_strong(&state->warned_ms, &before_ms, now_ms)) {
        log_message(LOG_WARNING, "cannot %s the log %s: %s; the service goes on", what, path,
                    strerror(error));
    }
}

void log_refresh(void)
{
    int64_t now_ms = sysutil_now_ms();

    if (now_ms - logs.refreshed_ms < REFRESH_EVERY_MS) {
        return;
    }
    logs.refreshed_ms = now_ms;
    for (enum sink sink = SINK_NATIVE; sink < SINK_SYSLOG; sink++) {
        struct logfile *file = &logs.files[sink];

        if (!logfile_check(file)) {
            warn_of(file->state, "open", file->path, errno);
        }
    }
}

/* ---- records ---- */

static void append_line(enum sink sink, const struct log_who *who, const struct log_record *record,
                        const struct timespec *now, struct str *line)
{
    switch (sink) {
    case SINK_NATIVE:
        logline_date(now->tv_sec, line);
        logline_native(who, record, line);
        break;
    case SINK_XFERLOG:
        logline_xferlog(who, record, now->tv_sec, line);
        break;
    case SINK_JSON:
        logline_json(who, record, now, line);
        break;
    case SINK_SYSLOG:
    case SINK_COUNT:
        logline_syslog(who, record, line);
        break;
    }
}

/* Write one record to one log. Returns false with errno if it is lost. */
static bool put(enum sink sink, const struct log_who *who, const struct log_record *record,
                const struct timespec *now)
{
    struct str line = STR_INIT(LOGLINE_MAX);
    bool bad =
        record->event == LOG_EVENT_WARNING || (record->event == LOG_EVENT_LOGIN && !record->ok);
    bool written;

    append_line(sink, who, record, now, &line);
    if (sink == SINK_SYSLOG) {
        written = logsyslog_send(bad ? LOG_WARNING : LOG_INFO, str_text(&line));
    } else {
        str_append_char(&line, '\n');
        written = logfile_write(&logs.files[sink], &line);
    }
    str_free(&line);
    return written;
}

/* Say in the log itself how much of it is missing; xferlog has no line for that. */
static void report_lost(enum sink sink, const struct timespec *now)
{
    struct logfile_state *state = &logs.states[sink];
    unsigned lost = atomic_exchange(&state->lost, 0);
    const struct log_who who = {.pid = (int)getpid(), .user = ""};
    struct log_record record = {.event = LOG_EVENT_WARNING};
    struct str text = STR_INIT(256);

    if (lost == 0) {
        return; /* somebody else was faster */
    }
    str_append_format(&text, "%u line%s of the log could not be written", lost,
                      lost == 1 ? "" : "s");
    record.text = str_text(&text);
    record.text_len = text.len;
    if (sink == SINK_XFERLOG) {
        log_message(LOG_WARNING, "%s: %s", logs.files[sink].path, str_text(&text));
    } else if (!put(sink, &who, &record, now)) {
        atomic_fetch_add(&state->lost, lost);
    }
    str_free(&text);
}

static void put_counted(enum sink sink, const struct log_who *who, const struct log_record *record,
                        const struct timespec *now)
{
    struct logfile_state *state = &logs.states[sink];
    bool missing = atomic_load(&state->lost) > 0;

    if (missing && sink != SINK_XFERLOG) {
        report_lost(sink, now);
    }
    if (!put(sink, who, record, now)) {
        int error = errno;

        atomic_fetch_add(&state->lost, 1);
        warn_of(state, "write", sink == SINK_SYSLOG ? "to syslog" : logs.files[sink].path, error);
    } else if (missing && sink == SINK_XFERLOG) {
        report_lost(sink, now);
    }
}

void log_record(const struct log_who *who, const struct log_record *record)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now); /* there always is one */
    for (enum sink sink = SINK_NATIVE; sink < SINK_COUNT; sink++) {
        bool wanted = sink == SINK_SYSLOG ? logs.to_syslog : logs.files[sink].path != NULL;

        if (wanted && sink_shows(sink, record->event)) {
            put_counted(sink, who, record, &now);
        }
    }
}

/* ---- messages ---- */

/* To a terminal or a pipe that takes nothing just now, nothing is written. */
static void write_stderr(const char *text)
{
    char line[PIPE_BUF]; /* what a writable pipe takes at once */
    struct pollfd pfd = {.fd = logs.stderr_fd, .events = POLLOUT};
    int len = snprintf(line, sizeof(line), MINIFTPD_NAME ": %.4000s\n", text);

    if (len > 0 && poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLOUT) != 0) {
        (void)!write(logs.stderr_fd, line, (size_t)len); /* nobody is left to be told */
    }
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
    if (logs.stderr_fd != -1) {
        write_stderr(text);
    }
    if (logs.stderr_fd == -1 || (logs.die_to_syslog && priority <= LOG_ERR)) {
        (void)logsyslog_send(priority, text); /* nobody is left to be told */
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
