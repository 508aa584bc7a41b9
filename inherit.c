/*
 * inherit.c - the sockets that whoever starts us hands over: inetd's, systemd's
 *
 * Process: what becomes L, or N of the one client.
 * Trusts:  its starter, but not that it is configured well.
 * Touches: every descriptor it was started with, LISTEN_* of the environment.
 */
#include "inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common.h"
#include "log.h"
#include "str.h"
#include "sysutil.h"

#define FIRST_PASSED_FD 3 /* SD_LISTEN_FDS_START */

/* What a descriptor is to us. */
enum kind { KIND_OTHER, KIND_LISTENING, KIND_CLIENT };

static int socket_number(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 ? value : -1;
}

/* A TCP socket that does not listen is a client, also one that has gone meanwhile. */
static enum kind kind_of(int fd)
{
    int domain = socket_number(fd, SO_DOMAIN);

    if ((domain != AF_INET && domain != AF_INET6) || socket_number(fd, SO_TYPE) != SOCK_STREAM) {
        return KIND_OTHER;
    }
    return socket_number(fd, SO_ACCEPTCONN) == 1 ? KIND_LISTENING : KIND_CLIENT;
}

/* How many sockets systemd says it has passed; 0 if it means another process. sd_listen_fds(3). */
static unsigned passed_count(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *fds = getenv("LISTEN_FDS");
    uint64_t number;
    uint64_t count = 0;

    if (pid == NULL || fds == NULL || !str_to_uint(pid, 1, INT32_MAX, &number) ||
        (pid_t)number != getpid() || !str_to_uint(fds, 0, INT32_MAX, &count)) {
        count = 0;
    }
    (void)unsetenv("LISTEN_PID"); /* they fail for malformed names only */
    (void)unsetenv("LISTEN_PIDFDID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return (unsigned)count;
}

/* Descriptors 0 to 2 are something, and those from `first` on are nothing. */
static void tidy_descriptors(unsigned first)
{
    int fd;

    (void)syscall(SYS_close_range, first, ~0U, 0); /* older kernels: they stay open */
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO) {
        (void)close(fd);
    }
}

static int client_to_refuse = -1;

/* At exit(3): whoever got this far has not become the client's session, which ends by _exit(2). */
static void refuse_client(void)
{
    static const char reply[] = "421 Service not available.\r\n";

    (void)!send(client_to_refuse, reply, sizeof(reply) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void keep_client(struct inherit *in, int fd)
{
    bool first = in->client_fd == -1;

    sysutil_close(&in->client_fd);
    in->client_fd = fd;
    client_to_refuse = fd;
    if (first && atexit(refuse_client) != 0) {
        log_fatal("atexit: no memory");
    }
}

/* Take the client's socket away from descriptors 0 to 2: what is written there is not FTP. */
static void detach_standard(void)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool had_stderr = kind_of(STDERR_FILENO) != KIND_CLIENT;

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (kind_of(fd) == KIND_CLIENT && (null_fd == -1 || dup2(null_fd, fd) == -1)) {
            (void)close(fd); /* then writing there fails */
        }
    }
    sysutil_close(&null_fd);
    if (!had_stderr) {
        log_to_background();
    }
}

/* Standard input. It may be a client although the configuration knows nothing of inetd. */
static void take_standard_input(struct inherit *in)
{
    if (kind_of(STDIN_FILENO) == KIND_CLIENT) {
        int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

        if (fd == -1) {
            _exit(EXIT_STATUS_ERROR); /* no descriptor left, and nobody to tell */
        }
        keep_client(in, fd);
        in->on_standard_input = true;
    }
    detach_standard();
}

/* The sockets of systemd: several that listen, or a client and nothing else. */
static void take_passed(struct inherit *in, unsigned count)
{
    if (count > INHERIT_SOCKETS_MAX) {
        log_fatal("the service manager passes %u sockets; at most %d can be served", count,
                  INHERIT_SOCKETS_MAX);
    }
    for (unsigned i = 0; i < count; i++) {
        int fd = FIRST_PASSED_FD + (int)i;
        enum kind kind = kind_of(fd);
        int flags = fcntl(fd, F_GETFL);

        if (kind == KIND_LISTENING && flags != -1 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
            fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0) {
            in->listen_fds[in->listen_count++] = fd;
        } else if (kind == KIND_CLIENT && count == 1 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) {
            keep_client(in, fd);
            in->on_standard_input = false;
        } else {
            log_fatal("descriptor %d, which the service manager passes, is no TCP socket that "
                      "listens; in the .socket unit use ListenStream= with a port",
                      fd);
        }
    }
}

void inherit_take(struct inherit *in)
{
    unsigned count = passed_count();

    *in = (struct inherit){.client_fd = -1};
    tidy_descriptors(FIRST_PASSED_FD + count);
    take_standard_input(in);
    take_passed(in, count);
}
