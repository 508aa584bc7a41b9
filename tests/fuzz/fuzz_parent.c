/*
 * fuzz_parent.c - fuzz the session parent with what a child may send
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: socketpairs, ports of the loopback interface (they listen for a moment), /dev/null as log.
 *
 * The first byte says the phase. Messages follow, each with a head of two bytes: its length with the
 * lowest 14 bits, the number of its descriptors with the highest two. connect(2) and the verifier are
 * replaced (see fuzz.mk), so that nobody is disturbed and runs are fast.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "netaddr.h"
#include "parseconf.h"
#include "privparent.h"
#include "privsock.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"

#define FDS_MAX      3
#define MESSAGES_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t len);
bool __wrap_auth_start(int request_fd, const struct auth_login *login, struct auth_job *job);
PRINTF_LIKE(2, 3) void __wrap_log_message(int priority, const char *format, ...);

static struct tunables tun;
static struct auth auth = {.tun = &tun};
static struct account anonymous = {.name = "ftp", .uid = 1234, .anonymous = true};
static struct netaddr peer;

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* The parent connects to its peer only, and to no low port. */
int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    union netaddr_sockaddr sa;
    struct netaddr target;

    (void)fd;
    memcpy(&sa, addr, len);
    require(netaddr_from_sockaddr(&target, &sa));
    require(netaddr_same_host(&target, &peer) && target.port >= 1024);
    errno = EINPROGRESS;
    return -1;
}

/* Only names come here that are fit for the account database. */
bool __wrap_auth_start(int request_fd, const struct auth_login *login, struct auth_job *job)
{
    (void)request_fd;
    (void)job;
    require(auth_is_name(login->name, strlen(login->name)) &&
            strlen(login->password) <= LOGIN_PASSWORD_MAX_LEN);
    errno = EAGAIN;
    return false;
}

void __wrap_log_message(int priority, const char *format, ...)
{
    (void)priority;
    (void)format;
}

static size_t count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t count = 0;

    require(dir != NULL);
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count;
}

static void prepare(void)
{
    static const char *const settings[] = {
        "delay_failed_login=0", "xferlog_enable=YES",     "vsftpd_log_file=/dev/null",
        "dual_log_enable=YES",  "xferlog_file=/dev/null", "json_log_file=/dev/null",
        "log_ftp_protocol=YES", "pasv_min_port=20000",    "pasv_max_port=30000"};
    struct str errors = STR_INIT(1000);

    tunable_init(&tun);
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        require(parseconf_load_setting(settings[i], "fuzz", &tun, &errors));
    }
    require(log_open(&tun, &errors));
    require(netaddr_parse("127.0.0.1", AF_INET, &peer));
    auth.anonymous = &anonymous;
}

/* Queue one message. Returns the bytes of the input that it took, 0 at the end. */
static size_t send_one(int fd, const uint8_t *data, size_t size)
{
    char control[CMSG_SPACE(FDS_MAX * sizeof(int))] = {0};
    struct iovec iov;
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    size_t head, len, fds;

    if (size < 2) {
        return 0;
    }
    head = (size_t)data[0] | (size_t)data[1] << 8;
    len = head & 0x3FFF;
    fds = head >> 14;
    len = len < size - 2 ? len : size - 2;
    iov = (struct iovec){.iov_base = (void *)(uintptr_t)(data + 2), .iov_len = len};
    if (fds > 0) {
        struct cmsghdr *header;

        msg.msg_control = control;
        msg.msg_controllen = CMSG_SPACE(fds * sizeof(int));
        header = CMSG_FIRSTHDR(&msg);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds * sizeof(int));
        for (size_t i = 0; i < fds; i++) {
            memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof(int));
        }
    }
    require(sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len);
    return len + 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct privparent pp;
    static const enum priv_phase phases[] = {PRIV_PHASE_BEFORE, PRIV_PHASE_AFTER,
                                             PRIV_PHASE_REFUSED};
    enum privparent_event event;
    enum priv_phase phase;
    size_t fds_before;
    int fds[2];

    if (tun.nopriv_user == NULL) {
        prepare();
    }
    if (size == 0) {
        return 0;
    }
    fds_before = count_fds();
    require(sysutil_socketpair(fds) == 0);
    phase = phases[data[0] % ARRAY_LEN(phases)];
    memset(&pp, 0, sizeof(pp));
    pp.tun = &tun;
    pp.auth = &auth;
    pp.peer = pp.local = peer;
    pp.phase = phase;
    pp.priv_fd = fds[0];
    pp.gives_away = phase == PRIV_PHASE_AFTER;
    data++;
    size--;
    for (int i = 0; i < MESSAGES_MAX; i++) {
        size_t taken = send_one(fds[1], data, size);

        data += taken;
        size -= taken;
    }
    require(shutdown(fds[1], SHUT_WR) == 0);
    event = privparent_serve(&pp);
    require(event != PRIVPARENT_LOGIN || (phase == PRIV_PHASE_BEFORE && pp.account.uid == 1234));
    require(pp.phase == phase || (phase == PRIV_PHASE_BEFORE && pp.phase == PRIV_PHASE_REFUSED));
    close(fds[0]);
    close(fds[1]);
    require(count_fds() == fds_before);
    return 0;
}
