/*
 * sysutil.c - system calls made safe to use
 *
 * Process: all.
 * Trusts:  its callers.
 * Touches: descriptors it is given.
 */
#include "sysutil.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIRST_ROOM       64    /* items of an array that grows */
#define PACK_EDGE        65536 /* bytes; no hole is so large */
#define PACK_LARGEST     512   /* bytes; sessions allocate little else */
#define PACK_STEP        16    /* of the sizes that malloc(3) tells apart */
#define PACK_PAGE        4096  /* of nearly all machines; it is only about speed */
#define PACK_OVERHEAD    32    /* bytes of malloc(3) around two blocks, about */
#define PACK_FILLERS_MAX 4096

void sysutil_bug(const char *file, int line, const char *text)
{
    /* stderr is /dev/null in the processes of a session, and an abort says enough to their parent */
    dprintf(STDERR_FILENO, MINIFTPD_NAME ": BUG: %s:%d: %s\n", file, line, text);
    abort();
}

pid_t sysutil_fork(void)
{
#if __GLIBC_PREREQ(2, 34)
    return _Fork();
#else
    return fork();
#endif
}

/* A block that fills a hole. */
struct filler {
    struct filler *next;
};

static struct filler *fillers; /* of this process */

/* Allocate one; NULL without memory. Nothing is written to it but the link. */
static struct filler *keep_filler(size_t size)
{
    struct filler *filler = malloc(size);

    if (filler != NULL) {
        filler->next = fillers;
        fillers = filler;
    }
    return filler;
}

void sysutil_unpack_heap(void)
{
    while (fillers != NULL) {
        struct filler *next = fillers->next;

        free(fillers);
        fillers = next;
    }
}

/* Fill the page up in which the next block would lie. */
static void keep_page_end(void)
{
    const struct filler *last = keep_filler(sizeof(*last));
    size_t room = PACK_PAGE - (uintptr_t)last % PACK_PAGE;

    if (room > PACK_OVERHEAD * 2 &&
        room < PACK_PAGE / 4 * 3) { /* else it is at an end, or a begin */
        (void)keep_filler(room - PACK_OVERHEAD - sizeof(*last));
    }
}

void sysutil_pack_heap(void)
{
    const struct filler *edge;
    unsigned count = 0;

    sysutil_unpack_heap();
    edge = keep_filler(PACK_EDGE);
    for (size_t size = PACK_LARGEST; edge != NULL && size >= sizeof(*edge); size -= PACK_STEP) {
        const struct filler *filler;

        do { /* the one behind the edge stays, too: freed it would be what comes next */
            filler = keep_filler(size);
        } while (filler != NULL && filler < edge && ++count < PACK_FILLERS_MAX);
    }
    keep_page_end();
}

int64_t sysutil_now_ms(void)
{
    struct timespec ts;

    if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1) {
        bug("no monotonic clock");
    }
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + 1;
}

int sysutil_poll(struct pollfd *fds, size_t count, int64_t deadline_ms)
{
    for (;;) {
        struct timespec left;
        int ready;

        if (deadline_ms != SYSUTIL_FOREVER) {
            int64_t left_ms = deadline_ms - sysutil_now_ms();

            left_ms = left_ms < 0 ? 0 : left_ms;
            left.tv_sec = (time_t)(left_ms / 1000);
            left.tv_nsec = (long)(left_ms % 1000) * 1000000;
        }
        ready = ppoll(fds, (nfds_t)count, deadline_ms != SYSUTIL_FOREVER ? &left : NULL, NULL);
        if (ready != -1 || errno != EINTR) {
            return ready;
        }
    }
}

void sysutil_close(int *fd)
{
    int saved_errno = errno;

    if (*fd != -1) {
        (void)close(*fd); /* nothing was written that a failing close could lose */
        *fd = -1;
    }
    errno = saved_errno;
}

ssize_t sysutil_readn(int fd, void *buf, size_t len)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = read(fd, (char *)buf + got, len - got);

        if (n == 0) {
            break;
        }
        if (n == -1) {
            if (errno == EINTR) {
                continue;
            }
            return -1;
        }
        got += (size_t)n;
    }
    return (ssize_t)got;
}

int sysutil_writen(int fd, const void *buf, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = write(fd, (const char *)buf + done, len - done);

        if (n == -1) {
            if (errno == EINTR) {
                continue;
            }
            return -1;
        }
        done += (size_t)n;
    }
    return 0;
}

int sysutil_tcp_server(const struct sockaddr *addr, socklen_t addr_len, int backlog, bool v6_only)
{
    const int on = 1;
    const int only = v6_only;
    int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd == -1) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
        (addr->sa_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) == -1) ||
        bind(fd, addr, addr_len) == -1 || listen(fd, backlog) == -1) {
        sysutil_close(&fd);
    }
    return fd;
}

int sysutil_accept(int listen_fd, int flags)
{
    return sysutil_accept_from(listen_fd, flags, NULL, NULL);
}

int sysutil_accept_from(int listen_fd, int flags, struct sockaddr *from, socklen_t *from_len)
{
    for (;;) {
        int fd = accept4(listen_fd, from, from_len, flags | SOCK_CLOEXEC);

        if (fd != -1 || (errno != EINTR && errno != ECONNABORTED)) {
            return fd;
        }
    }
}

int sysutil_socket_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1) {
        return errno;
    }
    return error;
}

int sysutil_send_message(int fd, const void *buf, size_t len, int pass_fd)
{
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {.iov_base = (void *)(uintptr_t)buf, .iov_len = len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t sent;

    if (pass_fd != -1) {
        struct cmsghdr *header;

        memset(&control, 0, sizeof(control));
        msg.msg_control = control.space;
        msg.msg_controllen = sizeof(control.space);
        header = CMSG_FIRSTHDR(&msg);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &pass_fd, sizeof(int));
    }
    do {
        sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
    } while (sent == -1 && errno == EINTR);
    return sent == -1 ? -1 : 0;
}

/*
 * Take the descriptors out of a received message. Returns the only one, -1 if there is none, or -2 if
 * the peer sent anything but a single descriptor; then all are closed.
 */
static int take_descriptor(struct msghdr *msg)
{
    int taken = -1;
    bool clean = true;

    for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h != NULL; h = CMSG_NXTHDR(msg, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS ||
            h->cmsg_len < CMSG_LEN(0)) {
            clean = false;
            continue;
        }
        for (size_t at = 0; at + sizeof(int) <= h->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
            int fd;

            memcpy(&fd, CMSG_DATA(h) + at, sizeof(fd));
            if (taken == -1) {
                taken = fd;
            } else {
                (void)close(fd); /* more than one: none is wanted */
                clean = false;
            }
        }
    }
    if (!clean) {
        sysutil_close(&taken);
        return -2;
    }
    return taken;
}

ssize_t sysutil_recv_message(int fd, void *buf, size_t cap, int *fd_out)
{
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {.iov_base = buf, .iov_len = cap};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space};
    ssize_t got;
    int taken;

    /* SECURITY: CMSG_LEN and not CMSG_SPACE: the padding of the latter has room for a second one. */
    msg.msg_controllen = CMSG_LEN(sizeof(int));
    *fd_out = -1;
    do {
        got = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    } while (got == -1 && errno == EINTR);
    if (got == -1) {
        return -1;
    }
    taken = take_descriptor(&msg);
    if (taken == -1 && (msg.msg_flags & MSG_CTRUNC) != 0 && (msg.msg_flags & MSG_TRUNC) == 0) {
        errno = EMFILE; /* a full descriptor table: the kernel drops what was sent */
        return -1;
    }
    if (taken == -2 || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        if (taken >= 0) {
            sysutil_close(&taken);
        }
        errno = EPROTO;
        return -1;
    }
    *fd_out = taken;
    return got;
}

int sysutil_socketpair(int fds_out[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds_out);
}

int sysutil_wait(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) == -1) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return status;
}

static bool has_ended(pid_t pid, int *status_out)
{
    pid_t got;

    do {
        got = waitpid(pid, status_out, WNOHANG);
    } while (got == -1 && errno == EINTR);
    return got == pid;
}

bool sysutil_wait_until(pid_t pid, int64_t deadline_ms, int *status_out)
{
    struct pollfd pfd = {.fd = -1, .events = POLLIN};

    if (has_ended(pid, status_out)) {
        return true;
    }
    pfd.fd = sysutil_pidfd_open(pid);
    if (pfd.fd != -1) {
        (void)sysutil_poll(&pfd, 1, deadline_ms); /* what follows has the answer */
        sysutil_close(&pfd.fd);
    }
    return has_ended(pid, status_out);
}

int sysutil_pidfd_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0); /* close-on-exec by itself */
}

uint32_t sysutil_random(uint32_t limit)
{
    uint32_t value;

    if (limit == 0) {
        bug("no numbers below 0");
    }
    while (getrandom(&value, sizeof(value), 0) != sizeof(value)) {
        if (errno != EINTR) {
            bug("no random numbers");
        }
    }
    return value % limit; /* limits are port ranges: the bias is below 2^-16 */
}

bool sysutil_grow(void **array, size_t *room, size_t need, size_t item_size)
{
    size_t more = *room == 0 ? FIRST_ROOM : *room;
    void *larger;

    if (need <= *room) {
        return true;
    }
    while (more < need) {
        if (more > SIZE_MAX / 2) {
            errno = ENOMEM;
            return false;
        }
        more *= 2;
    }
    larger = reallocarray(*array, more, item_size);
    if (larger == NULL) {
        return false;
    }
    *array = larger;
    *room = more;
    return true;
}
