/*
 * reply.h - replies of an FTP server, cut out of the bytes that arrive
 */
#ifndef BENCH_REPLY_H
#define BENCH_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reply_reader {
    char bytes[16 * 1024];
    size_t start, end; /* what is unread */
    int open_code;     /* of a reply of several lines that has begun; 0: none */
};

struct reply {
    int code;         /* 0: what came is no reply */
    const char *text; /* the last line with its code; good until the reader is touched again */
};

/* Where the next bytes go, and how many fit; reply_add() says how many came. */
char *reply_space(struct reply_reader *reader, size_t *size_out);
void reply_add(struct reply_reader *reader, size_t size);

/* The next complete reply. Returns false when more bytes are needed. RFC 959 4.2. */
bool reply_next(struct reply_reader *reader, struct reply *reply_out);

/* The port in the text of a 227 or 229 reply, 0 if there is none. RFC 959 4.1.2, RFC 2428. */
uint16_t reply_port(const struct reply *reply);

#endif
