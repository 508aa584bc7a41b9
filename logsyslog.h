/*
 * logsyslog.h - lines for syslog
 *
 * syslog(3) of the C library waits for a log daemon that hangs, and every session would hang with it.
 * Here one that is only busy gets a moment, and one that hangs costs lines.
 */
#ifndef MINIFTPD_LOGSYSLOG_H
#define MINIFTPD_LOGSYSLOG_H

#include <stdbool.h>

#include "common.h"

/* Connect to the log daemon, anew if it is connected. No error if there is none: it is tried again. */
void logsyslog_open(void);

void logsyslog_close(void);

bool logsyslog_is_open(void);

/*
 * Send one line; priority as of syslog(3), the facility is ftp. Returns false with errno if it is lost.
 * A process in a jail cannot connect again when the log daemon has been restarted.
 */
bool logsyslog_send(int priority, const char *text);

#endif
