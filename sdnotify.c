/*
 * sdnotify.c - telling the service manager how we are
 *
 * Process: L. The sessions close it.
 * Trusts:  the environment it was started with.
 * Touches: a datagram socket, NOTIFY_SOCKET of the environment.
 */
#include "sdnotify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sysutil.h"

#define MESSAGE_MAX 512

void sdnotify_open(struct sdnotify *sd)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t len = name != NULL ? strlen(name) : 0;

    *sd = (struct sdnotify){.fd = -1, .address = {.sun_family = AF_UNIX}};
    /* room for the NUL at the end of a path, which an abstract name does not need but may have */
    if (len > 1 && len < sizeof(sd->address.sun_path) && (name[0] == '/' || name[0] == '@')) {
        memcpy(sd->address.sun_path, name, len);
        if (name[0] == '@') {
            sd->address.sun_path[0] = '\0';
        }
        sd->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
        sd->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }
    (void)unsetenv("NOTIFY_SOCKET"); /* fails for malformed names only */
}

void sdnotify_close(struct sdnotify *sd)
{
    sysutil_close(&sd->fd);
}

bool sdnotify_is_open(const struct sdnotify *sd)
{
    return sd->fd != -1;
}

void sdnotify_send(const struct sdnotify *sd, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list args;
    int len;

    if (sd->fd == -1) {
        return;
    }
    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len > 0 && (size_t)len < sizeof(text)) {
        /* a manager that is gone or does not read is no reason to stop serving */
        (void)!sendto(sd->fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL,
                      (const struct sockaddr *)&sd->address, sd->address_len);
    }
}

void sdnotify_reloading(const struct sdnotify *sd)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) == -1) {
        bug("no monotonic clock");
    }
    sdnotify_send(sd, "RELOADING=1\nMONOTONIC_USEC=%lld",
                  (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}
