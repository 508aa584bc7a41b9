/*
 * log.h - which record goes to which log, and messages about the daemon itself
 *
 * Two kinds of text. A session's records (connections, logins, transfers, changes) go to the log files
 * and to syslog as the options of the section "Logs" ask for it. Messages about the daemon go to stderr
 * in the foreground and to syslog in the background.
 * The service processes have no log: they send records to their parent (privsock.h).
 * Nothing here ever waits for a log or fails because of one: what cannot be written is counted, and
 * told to the same log when it can be written again.
 */
#ifndef MINIFTPD_LOG_H
#define MINIFTPD_LOG_H

#include <stdbool.h>
#include <syslog.h>

#include "common.h"
#include "logline.h"

struct str;
struct tunables;

/*
 * Open what the configuration asks for, and close what it does not. A log that cannot be opened stays
 * as it was, if it was open, and is tried again by log_refresh(). Returns false if there is one; `error`
 * says which and why.
 */
MUST_CHECK bool log_open(const struct tunables *t, struct str *error);

/*
 * In L, when a client has come: open what could not be opened before, and anew what was moved away or
 * removed. Looks at most once in ten seconds.
 */
void log_refresh(void);

/* From now on messages about the daemon go to syslog and not to stderr. */
void log_to_background(void);

/*
 * After fork: keep a copy of stderr for the messages of a session parent, whose descriptors 0 to 2
 * are /dev/null.
 */
void log_keep_stderr(void);

/* Close every descriptor of the log, in a process that must not have it. */
void log_close(void);

/* Is there a log in this configuration that shows such events? Without, no record needs to be made. */
bool log_wants(const struct tunables *t, enum log_event event);

/* Append where records go: "/var/log/miniftpd.log, syslog"; nothing if there is no log. */
void log_append_places(const struct tunables *t, struct str *out);

/* One record of a session. Never fails. */
void log_record(const struct log_who *who, const struct log_record *record);

/*
 * A message about the daemon, in one line; priority as of syslog(3). LOG_ERR and above is what ends the
 * daemon or a session; log_die=YES sends it to syslog, too.
 */
void log_message(int priority, const char *format, ...) PRINTF_LIKE(2, 3);

/* log_message(LOG_ERR) and exit with EXIT_STATUS_ERROR. */
NORETURN void log_fatal(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
