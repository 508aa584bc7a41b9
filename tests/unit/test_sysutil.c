/*
 * test_sysutil.c - system calls made safe to use
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: pipes and sockets of its own, ports of the loopback interface.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "netaddr.h"
#include "sysutil.h"
#include "unit.h"

/* A signal every millisecond; the fifth makes the call that it interrupts possible. */
static struct {
    timer_t timer;
    volatile sig_atomic_t count;
    int fd;
    bool drain; /* read from fd; else write one byte */
} interrupts;

static void on_interrupt(int number)
{
    static char buf[65536];
    int saved_errno = errno;

    (void)number;
    interrupts.count = interrupts.count + 1;
    if (interrupts.count >= 5) {
        ssize_t done = 0;

        if (interrupts.drain) {
            done = read(interrupts.fd, buf, sizeof(buf));
        } else if (interrupts.count == 5) {
            done = write(interrupts.fd, "x", 1);
        }
        (void)done;
    }
    errno = saved_errno;
}

static void interrupts_start(int fd, bool drain)
{
    const struct itimerspec each = {.it_interval.tv_nsec = 1000000, .it_value.tv_nsec = 1000000};
    struct sigaction action = {.sa_handler = on_interrupt}; /* no SA_RESTART */
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};

    interrupts.count = 0;
    interrupts.fd = fd;
    interrupts.drain = drain;
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &interrupts.timer), 0);
    assert_int_equal(timer_settime(interrupts.timer, 0, &each, NULL), 0);
}

static void interrupts_stop(void)
{
    assert_int_equal(timer_delete(interrupts.timer), 0);
    assert_true(interrupts.count >= 5);
}

static bool is_cloexec(int fd)
{
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static void readn_goes_on_after_a_signal(void **state)
{
    int fds[2];
    char c = '\0';

    (void)state;
    assert_int_equal(pipe(fds), 0);
    interrupts_start(fds[1], false);
    assert_int_equal(sysutil_readn(fds[0], &c, 1), 1);
    interrupts_stop();
    assert_int_equal(c, 'x');
    close(fds[0]);
    close(fds[1]);
}

static void writen_goes_on_after_a_signal(void **state)
{
    const size_t len = 300000; /* more than a pipe holds */
    char *data = unit_repeat('a', len);
    int fds[2];

    (void)state;
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0); /* only the writer waits */
    interrupts_start(fds[0], true);
    assert_int_equal(sysutil_writen(fds[1], data, len), 0);
    interrupts_stop();
    close(fds[0]);
    close(fds[1]);
    free(data);
}

static void poll_goes_on_after_a_signal(void **state)
{
    int fds[2];
    struct pollfd pfd = {.events = POLLIN};

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pfd.fd = fds[0];
    interrupts_start(fds[1], false);
    assert_int_equal(sysutil_poll(&pfd, 1, SYSUTIL_FOREVER), 1);
    interrupts_stop();
    close(fds[0]);
    close(fds[1]);
}

static void poll_at_its_deadline_returns_0(void **state)
{
    int fds[2];
    struct pollfd pfd = {.events = POLLIN};

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pfd.fd = fds[0];
    assert_int_equal(sysutil_poll(&pfd, 1, 1), 0); /* long ago */
    assert_int_equal(sysutil_poll(&pfd, 1, sysutil_now_ms() + 20), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(sysutil_poll(&pfd, 1, 1), 1); /* what is there counts even then */
    close(fds[0]);
    close(fds[1]);
}

static void poll_waits_until_its_deadline(void **state)
{
    int64_t deadline_ms = sysutil_now_ms() + 30;

    (void)state;
    assert_int_equal(sysutil_poll(NULL, 0, deadline_ms), 0);
    assert_true(sysutil_now_ms() >= deadline_ms);
}

static void the_clock_is_never_0_and_never_goes_back(void **state)
{
    int64_t last = 1;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        int64_t now = sysutil_now_ms();

        assert_true(now >= last);
        last = now;
    }
}

static void readn_takes_short_reads_and_stops_at_the_end(void **state)
{
    int fds[2];
    char buf[16] = "";
    pid_t pid;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    pid = fork();
    if (pid == 0) { /* each datagram is a short read */
        close(fds[0]);
        for (const char *p = "abcdef"; *p != '\0'; p++) {
            if (write(fds[1], p, 1) != 1) {
                _exit(1);
            }
        }
        _exit(0);
    }
    close(fds[1]);
    assert_int_equal(sysutil_readn(fds[0], buf, 4), 4);
    assert_string_equal(buf, "abcd");
    assert_int_equal(sysutil_readn(fds[0], buf, sizeof(buf)), 2);
    assert_int_equal(sysutil_readn(fds[0], buf, sizeof(buf)), 0);
    assert_int_equal(sysutil_wait(pid), 0);
    close(fds[0]);
}

static void reading_and_writing_report_errors(void **state)
{
    int fds[2];
    char c = 'x';

    (void)state;
    assert_int_equal(sysutil_readn(-1, &c, 1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    assert_int_equal(sysutil_writen(fds[1], &c, 1), -1);
    assert_int_equal(errno, EPIPE);
    close(fds[1]);
}

static void close_keeps_errno_and_forgets_the_descriptor(void **state)
{
    size_t before = unit_count_fds();
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    errno = ENOSPC;
    sysutil_close(&fd);
    assert_int_equal(fd, -1);
    sysutil_close(&fd);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(unit_count_fds(), before);
    fd = 1000000; /* not open: the error of close(2) is nobody's business */
    sysutil_close(&fd);
    assert_int_equal(errno, ENOSPC);
}

/* Send with any number of descriptors (all the same one) in one SCM_RIGHTS. */
static void send_raw(int fd, size_t len, size_t fd_count)
{
    static char data[70000];
    char control[CMSG_SPACE(253 * sizeof(int))];
    struct iovec iov = {.iov_base = data, .iov_len = len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd_count > 0) {
        struct cmsghdr *header;

        memset(control, 0, sizeof(control));
        msg.msg_control = control;
        msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        header = CMSG_FIRSTHDR(&msg);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        for (size_t i = 0; i < fd_count; i++) {
            memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof(int));
        }
    }
    assert_int_equal(sendmsg(fd, &msg, 0), len);
}

struct message_row {
    const char *name;
    size_t len, cap, fds;
    bool good;
};

/* clang-format off */
static const struct message_row message_rows[] = {
    { "message_of_one_byte", 1, 100, 0, true },
    { "message_as_long_as_the_buffer", 100, 100, 0, true },
    { "message_longer_than_the_buffer_is_refused", 101, 100, 0, false },
    { "message_much_longer_is_refused", 65000, 100, 0, false },
    { "message_with_a_descriptor", 10, 100, 1, true },
    { "message_with_two_descriptors_is_refused", 10, 100, 2, false },
    { "message_with_three_descriptors_is_refused", 10, 100, 3, false },
    { "message_with_253_descriptors_is_refused", 10, 100, 253, false },
    { "message_too_long_with_a_descriptor_is_refused", 101, 100, 1, false },
    { "message_too_long_with_two_descriptors_is_refused", 101, 100, 2, false },
};
/* clang-format on */

static void check_message(void **state)
{
    const struct message_row *row = *state;
    char buf[128];
    size_t before;
    int fds[2];
    int got = 4711;

    assert_int_equal(sysutil_socketpair(fds), 0);
    before = unit_count_fds();
    send_raw(fds[0], row->len, row->fds);
    if (row->good) {
        assert_int_equal(sysutil_recv_message(fds[1], buf, row->cap, &got), row->len);
        assert_int_equal(got != -1, row->fds == 1);
        assert_true(got == -1 || is_cloexec(got));
    } else {
        assert_int_equal(sysutil_recv_message(fds[1], buf, row->cap, &got), -1);
        assert_int_equal(errno, EPROTO);
        assert_int_equal(got, -1);
    }
    sysutil_close(&got);
    assert_int_equal(unit_count_fds(), before);
    close(fds[0]);
    close(fds[1]);
}

static void a_passed_descriptor_is_the_same_file(void **state)
{
    int fds[2], pipe_fds[2];
    char buf[8] = "";
    int got;

    (void)state;
    assert_int_equal(sysutil_socketpair(fds), 0);
    assert_true(is_cloexec(fds[0]) && is_cloexec(fds[1]));
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(sysutil_send_message(fds[0], "hello", 5, pipe_fds[1]), 0);
    assert_int_equal(sysutil_recv_message(fds[1], buf, sizeof(buf), &got), 5);
    assert_string_equal(buf, "hello");
    assert_int_equal(write(got, "y", 1), 1);
    assert_int_equal(read(pipe_fds[0], buf, 1), 1);
    assert_int_equal(buf[0], 'y');
    close(got);
    close(fds[0]);
    close(fds[1]);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void a_full_descriptor_table_is_emfile(void **state)
{
    struct rlimit old, low;
    char buf[8];
    int fds[2];
    int got, lowest;

    (void)state;
    assert_int_equal(sysutil_socketpair(fds), 0);
    send_raw(fds[0], 1, 1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    lowest = dup(fds[0]);
    close(lowest);
    low = (struct rlimit){.rlim_cur = (rlim_t)lowest, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(sysutil_recv_message(fds[1], buf, sizeof(buf), &got), -1);
    assert_int_equal(errno, EMFILE);
    assert_int_equal(got, -1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    close(fds[0]);
    close(fds[1]);
}

static void the_end_of_the_peer_is_0_to_read_and_epipe_to_write(void **state)
{
    char buf[8];
    int fds[2];
    int got;

    (void)state;
    assert_int_equal(sysutil_socketpair(fds), 0);
    assert_int_equal(sysutil_send_message(fds[0], "last", 4, -1), 0);
    close(fds[0]);
    assert_int_equal(sysutil_recv_message(fds[1], buf, sizeof(buf), &got), 4);
    assert_int_equal(sysutil_recv_message(fds[1], buf, sizeof(buf), &got), 0);
    assert_int_equal(sysutil_send_message(fds[1], "x", 1, -1), -1);
    assert_int_equal(errno, EPIPE);
    close(fds[1]);
}

/* A listening socket on a free port of `host`; the address with its port into *addr. */
static int listen_on(const char *host, bool v6_only, struct netaddr *addr)
{
    union netaddr_sockaddr sa;
    socklen_t len;
    int fd;

    assert_true(netaddr_parse(host, AF_UNSPEC, addr));
    len = netaddr_to_sockaddr(addr, &sa);
    fd = sysutil_tcp_server(&sa.sa, len, 4, v6_only);
    assert_int_not_equal(fd, -1);
    len = sizeof(sa);
    assert_int_equal(getsockname(fd, &sa.sa, &len), 0);
    assert_true(netaddr_from_sockaddr(addr, &sa));
    return fd;
}

/* A blocking connection, or -1. */
static int connect_to(const struct netaddr *addr)
{
    union netaddr_sockaddr sa;
    socklen_t len = netaddr_to_sockaddr(addr, &sa);
    int fd = socket(addr->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_not_equal(fd, -1);
    if (connect(fd, &sa.sa, len) == -1) {
        sysutil_close(&fd);
    }
    return fd;
}

static void a_tcp_server_accepts(void **state)
{
    struct netaddr addr;
    int listen_fd = listen_on("127.0.0.1", false, &addr);
    int client_fd, fd;

    (void)state;
    assert_true(is_cloexec(listen_fd));
    assert_int_equal(sysutil_accept(listen_fd, 0), -1); /* it does not wait */
    assert_int_equal(errno, EAGAIN);
    client_fd = connect_to(&addr);
    assert_int_not_equal(client_fd, -1);
    fd = sysutil_accept(listen_fd, SOCK_NONBLOCK);
    assert_int_not_equal(fd, -1);
    assert_true(is_cloexec(fd));
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    close(fd);
    close(client_fd);
    close(listen_fd);
}

static void accepting_tells_who_it_is(void **state)
{
    struct netaddr addr, from;
    int listen_fd = listen_on("127.0.0.1", false, &addr);
    int client_fd = connect_to(&addr);
    union netaddr_sockaddr sa, own;
    socklen_t len = sizeof(sa), own_len = sizeof(own);
    int fd = sysutil_accept_from(listen_fd, 0, &sa.sa, &len);

    (void)state;
    assert_int_not_equal(fd, -1);
    assert_true(is_cloexec(fd));
    assert_true(netaddr_from_sockaddr(&from, &sa));
    assert_true(netaddr_same_host(&from, &addr));
    assert_int_equal(getsockname(client_fd, &own.sa, &own_len), 0);
    assert_int_equal(from.port, ntohs(own.in.sin_port));
    close(fd);
    close(client_fd);
    close(listen_fd);
}

static void a_port_in_use_is_eaddrinuse(void **state)
{
    struct netaddr addr;
    int listen_fd = listen_on("127.0.0.1", false, &addr);
    union netaddr_sockaddr sa;
    socklen_t len = netaddr_to_sockaddr(&addr, &sa);
    size_t before = unit_count_fds();

    (void)state;
    assert_int_equal(sysutil_tcp_server(&sa.sa, len, 4, false), -1);
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(unit_count_fds(), before);
    close(listen_fd);
}

static void an_ipv6_server_takes_ipv4_unless_told_not_to(void **state)
{
    (void)state;
    for (int only = 0; only < 2; only++) {
        struct netaddr addr, v4;
        int listen_fd = listen_on("::", only == 1, &addr);
        int client_fd;

        assert_true(netaddr_parse("127.0.0.1", AF_INET, &v4));
        v4.port = addr.port;
        client_fd = connect_to(&v4);
        assert_int_equal(client_fd != -1, only == 0);
        sysutil_close(&client_fd);
        close(listen_fd);
    }
}

static void a_refused_connection_is_a_socket_error(void **state)
{
    struct netaddr addr;
    int listen_fd = listen_on("127.0.0.1", false, &addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct pollfd pfd = {.fd = fd, .events = POLLOUT};
    union netaddr_sockaddr sa;
    socklen_t len = netaddr_to_sockaddr(&addr, &sa);

    (void)state;
    assert_int_equal(sysutil_socket_error(fd), 0);
    close(listen_fd);
    if (connect(fd, &sa.sa, len) == -1 && errno == EINPROGRESS) {
        assert_int_equal(sysutil_poll(&pfd, 1, SYSUTIL_FOREVER), 1);
        assert_int_equal(sysutil_socket_error(fd), ECONNREFUSED);
    }
    close(fd);
    assert_int_equal(sysutil_socket_error(fd), EBADF);
}

static void waiting_for_a_child_ends_at_the_deadline(void **state)
{
    int status = 0;
    int fds[2];
    pid_t pid;
    char c;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        close(fds[1]);
        _exit(read(fds[0], &c, 1) == 0 ? 7 : 8);
    }
    close(fds[0]);
    assert_false(sysutil_wait_until(pid, sysutil_now_ms() + 20, &status));
    close(fds[1]); /* it may end now */
    assert_true(sysutil_wait_until(pid, SYSUTIL_FOREVER, &status));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_int_equal(sysutil_wait(pid), -1);
    assert_int_equal(errno, ECHILD);
}

static void random_numbers_stay_below_their_limit(void **state)
{
    bool seen[3] = {false, false, false};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint32_t value = sysutil_random(3);

        assert_true(value < 3);
        seen[value] = true;
        assert_int_equal(sysutil_random(1), 0);
    }
    assert_true(seen[0] && seen[1] && seen[2]);
}

/* Blocks keep their content, and what was taken out of use comes back. */
static void a_heap_is_packed_as_often_as_wanted(void **state)
{
    char *blocks[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        blocks[i] = malloc(100);
        assert_non_null(blocks[i]);
        memset(blocks[i], (int)i, 100);
    }
    for (size_t i = 0; i < ARRAY_LEN(blocks); i += 2) {
        free(blocks[i]);
    }
    for (int round = 0; round < 3; round++) {
        sysutil_pack_heap();
        sysutil_pack_heap();
        sysutil_unpack_heap();
    }
    for (size_t i = 1; i < ARRAY_LEN(blocks); i += 2) {
        assert_int_equal(blocks[i][0], i);
        assert_int_equal(blocks[i][99], i);
        free(blocks[i]);
    }
}

static void a_forked_child_has_its_status_at_once_or_later(void **state)
{
    siginfo_t info;
    int status;

    (void)state;
    for (int early = 0; early < 2; early++) {
        pid_t pid = sysutil_fork();

        if (pid == 0) {
            _exit(7);
        }
        assert_true(pid > 0);
        if (early == 1) { /* it has ended before we ask */
            assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
        }
        assert_true(sysutil_wait_until(pid, sysutil_now_ms() + 10000, &status));
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 7);
    }
}

static void an_array_doubles_and_keeps_its_content(void **state)
{
    size_t room = 0;
    void *array = NULL;
    uint32_t *items;

    (void)state;
    assert_true(sysutil_grow(&array, &room, 1, sizeof(uint32_t)));
    assert_int_equal(room, 64);
    items = array;
    items[0] = 4711;
    assert_true(sysutil_grow(&array, &room, 64, sizeof(uint32_t)));
    assert_ptr_equal(array, items);
    assert_true(sysutil_grow(&array, &room, 129, sizeof(uint32_t)));
    assert_int_equal(room, 256);
    items = array;
    items[255] = 1;
    assert_int_equal(items[0], 4711);
    assert_false(sysutil_grow(&array, &room, SIZE_MAX, 1));
    assert_int_equal(errno, ENOMEM);
    assert_ptr_equal(array, items);
    assert_int_equal(room, 256);
    free(array);
}

int main(void)
{
    UNIT_ADD(readn_goes_on_after_a_signal);
    UNIT_ADD(writen_goes_on_after_a_signal);
    UNIT_ADD(poll_goes_on_after_a_signal);
    UNIT_ADD(poll_at_its_deadline_returns_0);
    UNIT_ADD(poll_waits_until_its_deadline);
    UNIT_ADD(the_clock_is_never_0_and_never_goes_back);
    UNIT_ADD(readn_takes_short_reads_and_stops_at_the_end);
    UNIT_ADD(reading_and_writing_report_errors);
    UNIT_ADD(close_keeps_errno_and_forgets_the_descriptor);
    UNIT_ADD_TABLE(check_message, message_rows);
    UNIT_ADD(a_passed_descriptor_is_the_same_file);
    UNIT_ADD(a_full_descriptor_table_is_emfile);
    UNIT_ADD(the_end_of_the_peer_is_0_to_read_and_epipe_to_write);
    UNIT_ADD(a_tcp_server_accepts);
    UNIT_ADD(accepting_tells_who_it_is);
    UNIT_ADD(a_port_in_use_is_eaddrinuse);
    UNIT_ADD(an_ipv6_server_takes_ipv4_unless_told_not_to);
    UNIT_ADD(a_refused_connection_is_a_socket_error);
    UNIT_ADD(waiting_for_a_child_ends_at_the_deadline);
    UNIT_ADD(random_numbers_stay_below_their_limit);
    UNIT_ADD(a_heap_is_packed_as_often_as_wanted);
    UNIT_ADD(a_forked_child_has_its_status_at_once_or_later);
    UNIT_ADD(an_array_doubles_and_keeps_its_content);
    return unit_run("sysutil");
}
