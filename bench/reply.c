/*
 * reply.c - replies of an FTP server, cut out of the bytes that arrive
 *
 * Process: the load generator.
 * Trusts:  nothing; what is no reply is reported as such.
 * Touches: nothing.
 */
#include "reply.h"

#include <stdio.h>
#include <string.h>

char *reply_space(struct reply_reader *reader, size_t *size_out)
{
    if (reader->start == reader->end) {
        reader->start = 0;
        reader->end = 0;
    } else if (reader->end == sizeof(reader->bytes)) {
        memmove(reader->bytes, reader->bytes + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
    *size_out = sizeof(reader->bytes) - reader->end;
    return reader->bytes + reader->end;
}

void reply_add(struct reply_reader *reader, size_t size)
{
    reader->end += size;
}

/* The next line without its end, or NULL. A line that fills the whole buffer is cut there. */
static char *next_line(struct reply_reader *reader)
{
    char *const line = reader->bytes + reader->start;
    const size_t unread = reader->end - reader->start;
    char *end = memchr(line, '\n', unread);

    if (end == NULL) {
        if (unread < sizeof(reader->bytes)) {
            return NULL;
        }
        end = line + unread - 1;
    }
    reader->start += (size_t)(end - line) + 1;
    *end = '\0';
    if (end > line && end[-1] == '\r') {
        end[-1] = '\0';
    }
    return line;
}

static int line_code(const char *line)
{
    int code = 0;

    for (int i = 0; i < 3; i++) {
        if (line[i] < '0' || line[i] > '9') {
            return 0;
        }
        code = code * 10 + (line[i] - '0');
    }
    return code;
}

bool reply_next(struct reply_reader *reader, struct reply *reply_out)
{
    char *line;

    while ((line = next_line(reader)) != NULL) {
        const int code = line_code(line);
        const char mark = code == 0 ? '\0' : line[3];
        const bool last = mark == ' ' || mark == '\0';

        if (reader->open_code != 0 && (code != reader->open_code || !last)) {
            continue;
        }
        if (reader->open_code == 0 && mark == '-') {
            reader->open_code = code;
            continue;
        }
        reader->open_code = 0;
        *reply_out = (struct reply){.code = last ? code : 0, .text = line};
        return true;
    }
    return false;
}

uint16_t reply_port(const struct reply *reply)
{
    const char *open = strchr(reply->text, '(');
    unsigned high, low, port;

    if (reply->code == 229 && open != NULL && sscanf(open, "(|||%5u|)", &port) == 1 &&
        port <= UINT16_MAX) {
        return (uint16_t)port;
    }
    /* The address before the port is not asked for: it is the server's. */
    if (reply->code == 227 && open != NULL &&
        sscanf(open, "(%*u,%*u,%*u,%*u,%3u,%3u)", &high, &low) == 2 && high < 256 && low < 256) {
        return (uint16_t)(high * 256 + low);
    }
    return 0;
}
