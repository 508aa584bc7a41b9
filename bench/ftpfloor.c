/*
 * ftpfloor.c - the least that an FTP server can do for a command, a small file and a listing
 *
 * Process: the bare loop.
 * Trusts:  its client, which is the load generator.
 * Touches: the control connection, one port, the file or directory that is sent.
 */
#include "ftpfloor.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LINES_SIZE = 16 * 1024,
    REPLY_SIZE = 80,
    DATA_SIZE = 64 * 1024,
    SOURCE_PORT = 20,
};

struct dialogue {
    int control_fd, file_fd;
    int upload_fd; /* what is written */
    int listen_fd; /* the passive port; -1: none */
    struct sockaddr_in target; /* of PORT; AF_UNSPEC: passive mode */
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

/* A port for passive mode, which is kept for the next transfer, as a good server does. */
static bool open_port(struct dialogue *dialogue, const char *line)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    char text[REPLY_SIZE];
    unsigned port;

    (void)line;
    if (dialogue->listen_fd == -1) {
        dialogue->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (dialogue->listen_fd == -1 ||
            bind(dialogue->listen_fd, (const struct sockaddr *)&address, sizeof(address)) == -1 ||
            listen(dialogue->listen_fd, 1) == -1) {
            return false;
        }
    }
    if (getsockname(dialogue->listen_fd, (struct sockaddr *)&address, &size) == -1) {
        return false;
    }
    dialogue->target.sin_family = AF_UNSPEC;
    port = ntohs(address.sin_port);
    (void)snprintf(text, sizeof(text), "227 Port (127,0,0,1,%u,%u)\r\n", port >> 8, port & 255);
    return reply(dialogue, text);
}

static bool take_port(struct dialogue *dialogue, const char *line)
{
    unsigned high, low;

    if (sscanf(line, "PORT 127,0,0,1,%u,%u", &high, &low) != 2) {
        return false;
    }
    dialogue->target = (struct sockaddr_in){.sin_family = AF_INET,
                                            .sin_port = htons((uint16_t)(high << 8 | low)),
                                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return reply(dialogue, "200 Done.\r\n");
}

/* The connection of one transfer, from port 20 in active mode; -1: none. */
static int open_data(struct dialogue *dialogue)
{
    const struct sockaddr_in source = {.sin_family = AF_INET,
                                       .sin_port = htons(SOURCE_PORT),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    int fd;

    if (dialogue->target.sin_family == AF_UNSPEC) {
        return accept4(dialogue->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    }
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd != -1 &&
        (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
         /* without it each bind(2) looks through all connections of the port that have ended */
         setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == -1 ||
         bind(fd, (const struct sockaddr *)&source, sizeof(source)) == -1 ||
         connect(fd, (const struct sockaddr *)&dialogue->target, sizeof(source)) == -1)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool transfer(struct dialogue *dialogue,
                     bool (*move)(const struct dialogue *dialogue, int data_fd))
{
    const int data_fd = open_data(dialogue);
    const bool good = data_fd != -1 && move(dialogue, data_fd);

    if (data_fd != -1) {
        close(data_fd);
    }
    return good && reply(dialogue, "226 Done.\r\n");
}

static bool send_bytes(const struct dialogue *dialogue, int data_fd)
{
    off_t offset = 0;

    return sendfile(data_fd, dialogue->file_fd, &offset, (size_t)dialogue->size_bytes) ==
           dialogue->size_bytes;
}

static bool send_file(struct dialogue *dialogue, const char *line)
{
    (void)line;
    return reply(dialogue, "150 Now.\r\n") && transfer(dialogue, send_bytes);
}

static bool receive_bytes(const struct dialogue *dialogue, int data_fd)
{
    char bytes[DATA_SIZE];
    ssize_t n;

    if (ftruncate(dialogue->upload_fd, 0) == -1 || lseek(dialogue->upload_fd, 0, SEEK_SET) == -1) {
        return false;
    }
    while ((n = recv(data_fd, bytes, sizeof(bytes), 0)) > 0) {
        if (write(dialogue->upload_fd, bytes, (size_t)n) != n) {
            return false;
        }
    }
    return n == 0;
}

static bool receive_file(struct dialogue *dialogue, const char *line)
{
    (void)line;
    return reply(dialogue, "150 Now.\r\n") && flush(dialogue) && transfer(dialogue, receive_bytes);
}

/* As long as what LIST or MLSD tells of an entry; the status is asked for and not looked at. */
static bool send_entries(const struct dialogue *dialogue, int data_fd)
{
    static const char facts[] = "-rw-r--r--    1 0        0               0 Nov 23 12:00 ";
    static char names[DATA_SIZE], out[DATA_SIZE];
    size_t filled = 0;
    struct stat status;
    ssize_t n;

    (void)lseek(dialogue->file_fd, 0, SEEK_SET);
    while ((n = getdents64(dialogue->file_fd, names, sizeof(names))) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct dirent64 *entry = (const struct dirent64 *)(const void *)(names + at);
            const size_t length = strlen(entry->d_name);

            at += entry->d_reclen;
            if (entry->d_name[0] == '.') {
                continue;
            }
            if (fstatat(dialogue->file_fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == -1) {
                return false;
            }
            if (sizeof(out) - filled < sizeof(facts) + length + 2) {
                if (send(data_fd, out, filled, MSG_NOSIGNAL) != (ssize_t)filled) {
                    return false;
                }
                filled = 0;
            }
            memcpy(out + filled, facts, sizeof(facts) - 1);
            memcpy(out + filled + sizeof(facts) - 1, entry->d_name, length);
            filled += sizeof(facts) - 1 + length + 2;
            memcpy(out + filled - 2, "\r\n", 2);
        }
    }
    return n == 0 && send(data_fd, out, filled, MSG_NOSIGNAL) == (ssize_t)filled;
}

static bool send_listing(struct dialogue *dialogue, const char *line)
{
    (void)line;
    return reply(dialogue, "150 Now.\r\n") && transfer(dialogue, send_entries);
}

static bool tell_size(struct dialogue *dialogue, const char *line)
{
    char text[REPLY_SIZE];

    (void)line;
    (void)snprintf(text, sizeof(text), "213 %lld\r\n", (long long)dialogue->size_bytes);
    return reply(dialogue, text);
}

static bool bid_farewell(struct dialogue *dialogue, const char *line)
{
    (void)line;
    (void)(reply(dialogue, "221 Bye.\r\n") && flush(dialogue)); /* it ends anyway */
    return false;
}

/* Returns false when the dialogue ends. */
static bool answer(struct dialogue *dialogue, const char *line)
{
    /* clang-format off */
    static const struct {
        char verb[5];
        bool (*act)(struct dialogue *dialogue, const char *line);
    } verbs[] = {
        { "PASV", open_port },
        { "PORT", take_port },
        { "RETR", send_file },
        { "STOR", receive_file },
        { "LIST", send_listing },
        { "MLSD", send_listing },
        { "SIZE", tell_size },
        { "QUIT", bid_farewell },
    };
    /* clang-format on */

    if (strncmp(line, "USER", 4) == 0) {
        return reply(dialogue, "230 Logged in.\r\n");
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strncmp(line, verbs[i].verb, 4) == 0) {
            return verbs[i].act(dialogue, line);
        }
    }
    return reply(dialogue, "200 Done.\r\n");
}

void ftpfloor_serve(int control_fd, int file_fd, off_t size_bytes)
{
    struct dialogue dialogue = {.control_fd = control_fd,
                                .file_fd = file_fd,
                                .upload_fd = memfd_create("upload", MFD_CLOEXEC),
                                .listen_fd = -1,
                                .size_bytes = size_bytes};
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
    if (dialogue.upload_fd != -1) {
        close(dialogue.upload_fd);
    }
}
