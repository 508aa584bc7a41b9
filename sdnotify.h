/*
 * sdnotify.h - telling the service manager how we are: the protocol of sd_notify(3), without its library
 */
#ifndef MINIFTPD_SDNOTIFY_H
#define MINIFTPD_SDNOTIFY_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common.h"

struct sdnotify {
    int fd; /* -1: nobody wants to know */
    struct sockaddr_un address;
    socklen_t address_len;
};

/*
 * Find the socket that NOTIFY_SOCKET names (a path, or '@' and an abstract name) and remove it from the
 * environment. Without one, or if it cannot be used, all else here does nothing.
 */
void sdnotify_open(struct sdnotify *sd);

/* In a process that must not have it. */
void sdnotify_close(struct sdnotify *sd);

/* Does somebody wait for us to be ready? */
bool sdnotify_is_open(const struct sdnotify *sd);

/* Send assignments, one a line: "READY=1\nSTATUS=..." Never waits; what is lost is lost. */
void sdnotify_send(const struct sdnotify *sd, const char *format, ...) PRINTF_LIKE(2, 3);

/* RELOADING=1 with the time that Type=notify-reload wants. READY=1 ends it. */
void sdnotify_reloading(const struct sdnotify *sd);

#endif
