/*
 * ftpfloor.c - the least that an FTP server can do for a command and for a small download
 *
 * Process: the bare loop.
 * Trusts:  its client, which is the load generator.
 * Touches: the control connection, one port at a time.
 */
#include "ftpfloor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LINES_SIZE = 16 * 1024,
    REPLY_SIZE = 80,
};

struct dialogue {
    int control_fd, file_fd;
    int listen_fd; /* the passive port; -1: none */
    off_t size_bytes;
    char out[LINES_SIZE]; /* replies that are sent together */
    size_t out_length;
};

static bool flush(struct dialogue *dialogue)
{
    const size_t length = dialogue->out_length;

    dialogue->out_length = 0;
    return send(dialogue->control_fd, dialogue->out, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static bool reply(struct dialogue *dialogue, const char *text)
{
    const size_t length = strlen(text);

    if (dialogue->out_length + length > sizeof(dialogue->out) && !flush(dialogue)) {
        return false;
    }
    memcpy(dialogue->out + dialogue->out_length, text, length);
    dialogue->out_length += length;
    return true;
}

static bool open_port(struct dialogue *dialogue)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    char text[REPLY_SIZE];
    unsigned port;

    dialogue->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (dialogue->listen_fd == -1 ||
        bind(dialogue->listen_fd, (const struct sockaddr *)&address, sizeof(address)) == -1 ||
        listen(dialogue->listen_fd, 1) == -1 ||
        getsockname(dialogue->listen_fd, (struct sockaddr *)&address, &size) == -1) {
        return false;
    }
    port = ntohs(address.sin_port);
    (void)snprintf(text, sizeof(text), "227 Port (127,0,0,1,%u,%u)\r\n", port >> 8, port & 255);
    return reply(dialogue, text);
}

static bool send_file(struct dialogue *dialogue)
{
    off_t offset = 0;
    int data_fd;
    bool good;

    if (!reply(dialogue, "150 Now.\r\n") || !flush(dialogue)) {
        return false;
    }
    data_fd = accept4(dialogue->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    close(dialogue->listen_fd);
    dialogue->listen_fd = -1;
    good = sendfile(data_fd, dialogue->file_fd, &offset, (size_t)dialogue->size_bytes) ==
           dialogue->size_bytes;
    close(data_fd);
    return good && reply(dialogue, "226 Done.\r\n");
}

static bool tell_size(struct dialogue *dialogue)
{
    char text[REPLY_SIZE];

    (void)snprintf(text, sizeof(text), "213 %lld\r\n", (long long)dialogue->size_bytes);
    return reply(dialogue, text);
}

static bool bid_farewell(struct dialogue *dialogue)
{
    (void)(reply(dialogue, "221 Bye.\r\n") && flush(dialogue)); /* it ends anyway */
    return false;
}

/* Returns false when the dialogue ends. */
static bool answer(struct dialogue *dialogue, const char *line)
{
    /* clang-format off */
    static const struct {
        char verb[5];
        bool (*act)(struct dialogue *dialogue);
    } verbs[] = {
        { "PASV", open_port },
        { "RETR", send_file },
        { "SIZE", tell_size },
        { "QUIT", bid_farewell },
    };
    /* clang-format on */

    if (strncmp(line, "USER", 4) == 0) {
        return reply(dialogue, "230 Logged in.\r\n");
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strncmp(line, verbs[i].verb, 4) == 0) {
            return verbs[i].act(dialogue);
        }
    }
    return reply(dialogue, "200 Done.\r\n");
}

void ftpfloor_serve(int control_fd, int file_fd, off_t size_bytes)
{
    struct dialogue dialogue = {control_fd, file_fd, -1, size_bytes, "", 0};
    const int on = 1;
    char lines[LINES_SIZE + 1];
    size_t filled = 0;
    ssize_t n;
    bool good = reply(&dialogue, "220 floor\r\n") && flush(&dialogue);

    /* 226 must not wait until 150 is acknowledged. */
    (void)setsockopt(control_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    while (good && (n = recv(control_fd, lines + filled, LINES_SIZE - filled, 0)) > 0) {
        char *line = lines;
        char *end;

        filled += (size_t)n;
        lines[filled] = '\0';
        while (good && (end = strchr(line, '\n')) != NULL) {
            good = answer(&dialogue, line);
            line = end + 1;
        }
        filled -= (size_t)(line - lines);
        memmove(lines, line, filled); /* a line that is not complete yet */
        good = good && flush(&dialogue);
    }
    if (dialogue.listen_fd != -1) {
        close(dialogue.listen_fd);
    }
}
