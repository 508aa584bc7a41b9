/*
 * sysutil.h - system calls made safe to use
 *
 * EINTR is retried, time is CLOCK_MONOTONIC in milliseconds, descriptors are close-on-exec.
 */
#ifndef MINIFTPD_SYSUTIL_H
#define MINIFTPD_SYSUTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common.h"

struct pollfd;

/* A deadline that never comes. */
#define SYSUTIL_FOREVER 0

/*
 * Ours, not the environment's: a state that the code promised cannot be. Ends the process by abort();
 * cores are off (RLIMIT_CORE 0), and the parent logs the signal.
 */
#define bug(text) sysutil_bug(__FILE__, __LINE__, (text))
NORETURN void sysutil_bug(const char *file, int line, const char *text);

/*
 * fork(2) for a process of ours that has one thread and calls no libraries with handlers of their own:
 * without what the C library does for those, each time, in pages that parent and child share till then.
 */
pid_t sysutil_fork(void);

/*
 * Take what lies free between the blocks of the heap out of use. What is allocated from now on lies
 * together at its end, and so do the pages that processes forked from this one write to: each of those
 * is copied.
 */
void sysutil_pack_heap(void);

/* Give it back, before much is allocated. */
void sysutil_unpack_heap(void);

/* Milliseconds of CLOCK_MONOTONIC; never 0. */
int64_t sysutil_now_ms(void);

/*
 * poll(2) until something happens or deadline_ms (SYSUTIL_FOREVER: no limit) has passed.
 * Returns the number of ready entries, 0 at the deadline, -1 with errno (never EINTR).
 */
int sysutil_poll(struct pollfd *fds, size_t count, int64_t deadline_ms);

/* Close and set to -1; nothing if it is -1 already. errno is kept. */
void sysutil_close(int *fd);

/*
 * Read up to len bytes until end of file; for regular files and pipes.
 * Returns the bytes read or -1 with errno.
 */
ssize_t sysutil_readn(int fd, void *buf, size_t len);

/* Write all of len bytes; for regular files and pipes. Returns 0, or -1 with errno. */
int sysutil_writen(int fd, const void *buf, size_t len);

/*
 * A listening TCP socket on `addr`, non-blocking, SO_REUSEADDR set. An IPv6 socket takes IPv4 too
 * (as mapped addresses) unless v6_only.
 * Returns the descriptor, or -1 with errno.
 */
MUST_CHECK int sysutil_tcp_server(const struct sockaddr *addr, socklen_t addr_len, int backlog,
                                  bool v6_only);

/* accept4(2) with CLOEXEC and `flags`; EINTR and ECONNABORTED are retried. -1 with errno. */
MUST_CHECK int sysutil_accept(int listen_fd, int flags);

/* The same, with the address of the peer into *from of *from_len bytes, which become those it has. */
MUST_CHECK int sysutil_accept_from(int listen_fd, int flags, struct sockaddr *from,
                                   socklen_t *from_len);

/* The pending error of a socket (SO_ERROR), 0 if none. */
int sysutil_socket_error(int fd);

/*
 * Send one datagram, with pass_fd attached unless it is -1.
 * Returns 0, or -1 with errno (EMSGSIZE, EPIPE, ...).
 */
MUST_CHECK int sysutil_send_message(int fd, const void *buf, size_t len, int pass_fd);

/*
 * Receive one datagram of at most cap bytes and at most one descriptor.
 * *fd_out: the descriptor, close-on-exec, owned by the caller; -1 if none came.
 * Returns its length, 0 at end of file, or -1 with errno; EPROTO: longer than cap, more than one
 * descriptor, or control data of another kind (whatever came was closed); EMFILE: a descriptor was
 * sent but this process has no room for it.
 */
MUST_CHECK ssize_t sysutil_recv_message(int fd, void *buf, size_t cap, int *fd_out);

/* A connected pair of SEQPACKET sockets. Returns 0, or -1 with errno. */
MUST_CHECK int sysutil_socketpair(int fds_out[2]);

/* Wait for one child. Returns its wait status, or -1 with errno. */
int sysutil_wait(pid_t pid);

/*
 * Wait for one child until deadline_ms. Returns true and its wait status in *status_out, or false if
 * it still runs.
 */
bool sysutil_wait_until(pid_t pid, int64_t deadline_ms, int *status_out);

/* A descriptor of process `pid` that polls readable when it has ended, or -1 with errno. */
MUST_CHECK int sysutil_pidfd_open(pid_t pid);

/*
 * Make room for `need` items in an array of *room, which doubles as long as it is too small. NULL and 0
 * begin one. Returns false with errno, and *array as it was, without memory.
 */
MUST_CHECK bool sysutil_grow(void **array, size_t *room, size_t need, size_t item_size);

/* A random number below `limit` (at least 1), from the kernel. */
uint32_t sysutil_random(uint32_t limit);

#endif
