/*
 * logfile.c - one log file
 *
 * Process: L opens; L and N write.
 * Trusts:  the configured path.
 * Touches: the log file.
 */
#include "logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "str.h"
#include "sysutil.h"

/* O_NONBLOCK: a pipe without a reader must not stop the daemon. */
#define OPEN_FLAGS (O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* The descriptor that a path means, or -1. Opening the path itself fails if that is a socket. */
static int standard_fd(const char *path)
{
    static const struct {
        const char *path;
        int fd;
    } names[] = {
        {"/dev/stdout", STDOUT_FILENO},     {"/dev/stderr", STDERR_FILENO},
        {"/dev/fd/1", STDOUT_FILENO},       {"/dev/fd/2", STDERR_FILENO},
        {"/proc/self/fd/1", STDOUT_FILENO}, {"/proc/self/fd/2", STDERR_FILENO},
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(path, names[i].path) == 0) {
            return names[i].fd;
        }
    }
    return -1;
}

/*
 * A descriptor like `fd` that survives when 0 to 2 become /dev/null. A description of our own can be
 * made non-blocking; that of the terminal or the pipe that we were given belongs to others as well.
 */
static int open_standard(int fd, enum logfile_kind *kind)
{
    char path[32];
    struct stat st;

    if (fstat(fd, &st) == -1) {
        return -1;
    }
    *kind = S_ISSOCK(st.st_mode) ? LOGFILE_SOCKET : LOGFILE_SHARED;
    if (*kind != LOGFILE_SOCKET) {
        int own_fd;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        own_fd = open(path, OPEN_FLAGS);
        if (own_fd != -1) {
            *kind = LOGFILE_PATH;
            return own_fd;
        }
    }
    return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static int open_path(const char *path, enum logfile_kind *kind)
{
    int fd = standard_fd(path);

    if (fd != -1) {
        return open_standard(fd, kind);
    }
    *kind = LOGFILE_PATH;
    return open(path, OPEN_FLAGS | O_CREAT, 0600);
}

static bool reopen(struct logfile *file)
{
    enum logfile_kind kind;
    int fd = open_path(file->path, &kind);

    if (fd == -1) {
        file->open_error = errno;
        return false;
    }
    sysutil_close(&file->fd);
    file->fd = fd;
    file->kind = kind;
    return true;
}

bool logfile_open(struct logfile *file, const char *path)
{
    char *copy;

    if (path == NULL) {
        logfile_close(file);
        return true;
    }
    /* in the background standard output is nothing any more; what it was at the start still is open */
    if (file->fd != -1 && strcmp(file->path, path) == 0 && standard_fd(path) != -1) {
        return true;
    }
    copy = strdup(path);
    if (copy == NULL) {
        return false;
    }
    free(file->path);
    file->path = copy;
    return reopen(file);
}

bool logfile_check(struct logfile *file)
{
    struct stat named, open_one;

    if (file->path == NULL || (file->fd != -1 && standard_fd(file->path) != -1)) {
        return true;
    }
    if (file->fd != -1 && stat(file->path, &named) == 0 && fstat(file->fd, &open_one) == 0 &&
        named.st_dev == open_one.st_dev && named.st_ino == open_one.st_ino) {
        return true;
    }
    return reopen(file);
}

void logfile_close(struct logfile *file)
{
    sysutil_close(&file->fd);
    free(file->path);
    file->path = NULL;
}

/* One call, so that lines of several processes never mix. */
static ssize_t write_once(const struct logfile *file, const char *data, size_t len)
{
    struct pollfd pfd = {.fd = file->fd, .events = POLLOUT};
    ssize_t n;

    if (file->kind == LOGFILE_SOCKET) {
        return send(file->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    /* a pipe that polls as writable takes PIPE_BUF bytes at once: pipe(7) */
    if (file->kind == LOGFILE_SHARED &&
        (len > PIPE_BUF || poll(&pfd, 1, 0) != 1 || (pfd.revents & POLLOUT) == 0)) {
        errno = EAGAIN;
        return -1;
    }
    do {
        n = write(file->fd, data, len);
    } while (n == -1 && errno == EINTR);
    return n;
}

bool logfile_write(struct logfile *file, const struct str *line)
{
    ssize_t n;

    if (file->fd == -1) {
        errno = file->open_error;
        return false;
    }
    if (atomic_load(&file->state->torn)) {
        if (write_once(file, "\n", 1) != 1) {
            return false;
        }
        atomic_store(&file->state->torn, false);
    }
    n = write_once(file, str_text(line), line->len);
    if (n == (ssize_t)line->len) {
        return true;
    }
    if (n >= 0) {
        atomic_store(&file->state->torn, n > 0);
        errno = ENOSPC; /* a disk or a pipe that has room for a part is full */
    }
    return false;
}
