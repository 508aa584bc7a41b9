/*
 * logline.h - what a record looks like in each of the logs
 *
 * Pure: no file, no clock. Text from outside is escaped in every format, so a record is one line
 * whatever a name holds: control bytes, bytes that are not UTF-8 and the backslash become \xHH, and at
 * most LOGLINE_TEXT_MAX bytes of a text are shown, "..." marking a cut.
 */
#ifndef MINIFTPD_LOGLINE_H
#define MINIFTPD_LOGLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common.h"

struct str;

#define LOGLINE_TEXT_MAX 2048
/* The longest line of any format: two texts and a password, each byte of them five in JSON. */
#define LOGLINE_MAX                                                                                \
    (5 * (2 * LOGLINE_TEXT_MAX + LOGIN_PASSWORD_MAX_LEN + LOGIN_NAME_MAX_LEN) + 1024)

enum log_event {
    LOG_EVENT_CONNECT, /* with a text: refused, and why */
    LOG_EVENT_LOGIN,
    LOG_EVENT_DOWNLOAD,
    LOG_EVENT_UPLOAD,
    LOG_EVENT_MKDIR,
    LOG_EVENT_RMDIR,
    LOG_EVENT_DELETE,
    LOG_EVENT_RENAME,
    LOG_EVENT_CHMOD,
    LOG_EVENT_WARNING,
    LOG_EVENT_DEBUG,    /* what debug_ssl asks for */
    LOG_EVENT_COMMAND,  /* a line from the client; log_ftp_protocol */
    LOG_EVENT_RESPONSE, /* a line of a reply */
    LOG_EVENT_COUNT
};

/* With whose rights a session runs; the letters of xferlog(5). */
enum log_access {
    LOG_ACCESS_NONE = 0, /* nobody is logged in */
    LOG_ACCESS_ANONYMOUS = 'a',
    LOG_ACCESS_GUEST = 'g',
    LOG_ACCESS_REAL = 'r',
};

/* Whom a record is about; filled in by the process that writes the log, never by the child. */
struct log_who {
    int pid;                   /* of the session parent: one number for a session */
    const char *session;       /* the same for longer than pids last; NULL: none */
    const char *user;          /* "" before login */
    const char *peer;          /* address as text; NULL: it is about the log itself */
    enum log_access access;    /* of who is logged in */
    const char *anon_password; /* what an anonymous user has given; NULL: nobody has */
};

struct log_record {
    enum log_event event;
    bool ok;               /* meaningless for CONNECT, WARNING, DEBUG, COMMAND and RESPONSE */
    bool has_bytes;        /* `bytes` and `duration_ms` count */
    bool is_ascii;         /* of a transfer: TYPE A */
    bool is_anon_password; /* what `text` is, of an anonymous LOGIN */
    bool is_usual;         /* a wrong name or password: vsftpd's line for it has no reason */
    uint64_t bytes;
    uint32_t duration_ms;
    const char *text; /* path, reason of LOGIN and CONNECT, ...: any bytes */
    size_t text_len;
    const char *detail; /* new path of RENAME, mode of CHMOD, why a transfer failed */
    size_t detail_len;
    int error; /* errno of what failed, 0 if there is none or `detail` says it */
};

/* True for DOWNLOAD and UPLOAD, the only events that xferlog knows. */
bool logline_is_transfer(enum log_event event);

/* True for COMMAND and RESPONSE. */
bool logline_is_protocol(enum log_event event);

/* "Thu Oct  2 18:37:41 2025 " in local time and in English, whatever the locale. */
void logline_date(time_t when, struct str *line);

/* vsftpd's own format, behind the date. */
void logline_native(const struct log_who *who, const struct log_record *record, struct str *line);

/* The same for syslog, which has a date and a pid of its own. */
void logline_syslog(const struct log_who *who, const struct log_record *record, struct str *line);

/* The format of wu-ftpd, xferlog(5), with its date. Only for transfers. */
void logline_xferlog(const struct log_who *who, const struct log_record *record, time_t when,
                     struct str *line);

/*
 * An object of JSON. What a record does not know is left out. The texts are escaped as everywhere, so
 * they are valid UTF-8 and every byte of a name can be told from them.
 */
void logline_json(const struct log_who *who, const struct log_record *record,
                  const struct timespec *when, struct str *line);

#endif
