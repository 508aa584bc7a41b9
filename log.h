/*
 * log.h - the log: vsftpd's native format to a file or to syslog, and messages about the daemon itself
 *
 * Two kinds of text. A session's records (connections, logins, transfers, changes) go to the log file
 * or to syslog if xferlog_enable or syslog_enable asks for it. Messages about the daemon go to stderr
 * in the foreground and to syslog in the background.
 * The service processes have no log: they send records to their parent (privsock.h).
 */
#ifndef MINIFTPD_LOG_H
#define MINIFTPD_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#include "common.h"

struct str;
struct tunables;

enum log_event {
    LOG_EVENT_CONNECT,
    LOG_EVENT_LOGIN,
    LOG_EVENT_DOWNLOAD,
    LOG_EVENT_UPLOAD,
    LOG_EVENT_MKDIR,
    LOG_EVENT_RMDIR,
    LOG_EVENT_DELETE,
    LOG_EVENT_RENAME,
    LOG_EVENT_CHMOD,
    LOG_EVENT_WARNING,
    LOG_EVENT_COUNT
};

/* Whom a record is about; filled in by the process that writes the log, never by the child. */
struct log_who {
    int pid;          /* of the session parent: one number for a session */
    const char *user; /* "" before login */
    const char *peer; /* address as text */
};

struct log_record {
    enum log_event event;
    bool ok;               /* meaningless for CONNECT and WARNING */
    bool has_bytes;        /* `bytes` and `duration_ms` count */
    bool is_anon_password; /* what `text` is, of an anonymous LOGIN */
    uint64_t bytes;
    uint32_t duration_ms;
    const char *text; /* path, reason, ...: any bytes, escaped when written */
    size_t text_len;
};

/*
 * Open what the configuration asks for; what was open before stays in use until then. On failure
 * everything is as before and `error` says why.
 */
MUST_CHECK bool log_open(const struct tunables *t, struct str *error);

/* From now on messages about the daemon go to syslog and not to stderr. */
void log_to_background(void);

/*
 * After fork: keep a copy of stderr for the messages of a session parent, whose descriptors 0 to 2
 * are /dev/null.
 */
void log_keep_stderr(void);

/* Close every descriptor of the log, in a process that must not have it. */
void log_close(void);

/* One record of a session. Never fails: lines that cannot be written are counted and reported later. */
void log_record(const struct log_who *who, const struct log_record *record);

/* A message about the daemon, in one line; priority as of syslog(3). */
void log_message(int priority, const char *format, ...) PRINTF_LIKE(2, 3);

/* log_message(LOG_ERR) and exit with EXIT_STATUS_ERROR. */
NORETURN void log_fatal(const char *format, ...) PRINTF_LIKE(1, 2);

/* The line of a record without date and line ending (for the tests and for syslog). */
void log_format(const struct log_who *who, const struct log_record *record, struct str *line);

#endif
