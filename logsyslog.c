/*
 * logsyslog.c - lines for syslog
 *
 * Process: L and N.
 * Trusts:  its callers to have escaped the text.
 * Touches: the socket /dev/log.
 */
#include "logsyslog.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "str.h"
#include "sysutil.h"

#define LINE_MAX_BYTES   65536 /* far more than a line has; the log daemon cuts earlier */
#define PATIENCE_MS      200   /* the kernel queues ten lines; a burst has more */
#define PATIENT_AFTER_MS 10000 /* who has let us wait in vain is not waited for again so soon */

/* The socket of this process. */
static struct {
    bool wanted;
    int fd;
    int64_t hangs_until_ms;
} peer = {.fd = -1};

static void connect_peer(void)
{
    static const struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = _PATH_LOG};

    sysutil_close(&peer.fd);
    peer.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (peer.fd != -1 && connect(peer.fd, (const struct sockaddr *)&addr, sizeof(addr)) == -1) {
        sysutil_close(&peer.fd);
    }
}

void logsyslog_open(void)
{
    peer.wanted = true;
    connect_peer();
}

void logsyslog_close(void)
{
    peer.wanted = false;
    sysutil_close(&peer.fd);
}

bool logsyslog_is_open(void)
{
    return peer.wanted;
}

/* "<94>Oct  2 18:37:41 miniftpd[7]: text": what syslog(3) sends, RFC 3164. */
static void append_line(struct str *line, int priority, const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t now = time(NULL);
    struct tm tm;

    if (localtime_r(&now, &tm) == NULL) {
        memset(&tm, 0, sizeof(tm));
    }
    str_append_format(line, "<%d>%.3s %2d %02d:%02d:%02d " MINIFTPD_NAME "[%d]: %s",
                      LOG_FTP | priority, months + (size_t)tm.tm_mon * 3, tm.tm_mday, tm.tm_hour,
                      tm.tm_min, tm.tm_sec, (int)getpid(), text);
}

static bool send_line(const struct str *line)
{
    return peer.fd != -1 &&
           send(peer.fd, str_text(line), line->len, MSG_DONTWAIT | MSG_NOSIGNAL) != -1;
}

/* The queue is full: give the log daemon a moment. Another process may be faster than we are. */
static bool send_patiently(const struct str *line)
{
    struct pollfd pfd = {.fd = peer.fd, .events = POLLOUT};
    int64_t now_ms = sysutil_now_ms();
    int64_t deadline_ms = now_ms + PATIENCE_MS;
    bool sent = false;

    if (now_ms < peer.hangs_until_ms) {
        errno = EAGAIN;
        return false;
    }
    while (!sent && (errno == EAGAIN || errno == ENOBUFS) &&
           sysutil_poll(&pfd, 1, deadline_ms) > 0) {
        sent = send_line(line);
    }
    if (!sent) {
        peer.hangs_until_ms = sysutil_now_ms() + PATIENT_AFTER_MS;
        errno = EAGAIN;
    }
    return sent;
}

bool logsyslog_send(int priority, const char *text)
{
    struct str line = STR_INIT(LINE_MAX_BYTES);
    bool sent;

    if (!peer.wanted) {
        errno = ENOTCONN;
        return false;
    }
    append_line(&line, priority, text);
    sent = send_line(&line);
    if (!sent && peer.fd != -1 && (errno == EAGAIN || errno == ENOBUFS)) {
        sent = send_patiently(&line);
    } else if (!sent) {
        connect_peer(); /* it may have been restarted */
        sent = send_line(&line);
    }
    str_free(&line);
    return sent;
}
