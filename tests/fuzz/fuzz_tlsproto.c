/*
 * fuzz_tlsproto.c - fuzz what the daemon and miniftpd-tls take from each other
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: a socketpair.
 *
 * The two lowest bits of the first byte are the number of descriptors; the rest is one message. What is
 * taken has to be one that tlsproto_send would send, and to arrive the same once more.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sysutil.h"
#include "tlsproto.h"

#define FDS_MAX 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
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

static void send_raw(int fd, const uint8_t *data, size_t size, size_t fds)
{
    char control[CMSG_SPACE(FDS_MAX * sizeof(int))] = {0};
    struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

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
    require(sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tlsproto_message first, second;
    size_t fds_before;
    int fds[2];
    int fd, again;

    if (size < 2) { /* a datagram without a byte is the end of the other side */
        return 0;
    }
    fds_before = count_fds();
    require(sysutil_socketpair(fds) == 0);
    send_raw(fds[1], data + 1, size - 1, data[0] & FDS_MAX);
    if (tlsproto_receive(fds[0], &first, &fd) == 1) {
        require((fd != -1) == ((data[0] & FDS_MAX) == 1));
        require(tlsproto_send(fds[1], &first, fd) ==
                0); /* it ends by bug() on what nobody would take */
        require(tlsproto_receive(fds[0], &second, &again) == 1);
        require(memcmp(&first, &second, sizeof(first)) == 0);
        sysutil_close(&again);
        sysutil_close(&fd);
    } else {
        require(errno == EPROTO && fd == -1);
    }
    close(fds[0]);
    close(fds[1]);
    require(count_fds() == fds_before);
    return 0;
}
