/*
 * fuzz_control.c - fuzz the reading of command lines
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: socketpairs of its own.
 *
 * The first byte is the size of the parts in which the rest arrives. All of it is read twice: line by
 * line as P does, and through a buffer as S does. Both must see the same lines, whatever the parts; a
 * line near the limit may be too long for one of them alone, so that is compared for short input only.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctrlio.h"
#include "str.h"
#include "sysutil.h"

#define LONG_AGO 1 /* a deadline that has passed */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* Read all lines that are there. Returns false at the end of input. */
static bool read_lines(struct ctrlio *io, struct str *notes)
{
    struct str line = STR_INIT(FTP_LINE_MAX);
    enum ctrl_result result;

    do {
        struct str shown = STR_INIT(FTP_LINE_MAX);
        bool front, is_shown;

        (void)ctrlio_wait(io, -1, 0, LONG_AGO); /* takes what is there, as during a transfer */
        is_shown = ctrlio_next_line(io, &shown, &front);
        result = ctrlio_read_line(io, &line, LONG_AGO);
        require(result == CTRL_LINE || line.len == 0);
        if (result == CTRL_LINE) {
            require(memchr(str_text(&line), '\n', line.len) == NULL);
            require(memchr(str_text(&line), '\r', line.len) == NULL);
            require(strlen(str_text(&line)) == line.len);
            require(!is_shown || strcmp(str_text(&shown), str_text(&line)) == 0);
            str_append_mem(notes, str_text(&line), line.len);
            str_append_char(notes, '\n');
        } else if (result == CTRL_BAD_BYTES) {
            require(!is_shown || shown.len == 0);
            str_append(notes, "bad\n");
        } else if (result == CTRL_TOO_LONG) {
            require(!is_shown || shown.len == 0); /* the end of a long line is no command */
            str_append(notes, "long\n");
        }
        str_free(&shown);
    } while (result != CTRL_TIMEOUT && result != CTRL_EOF);
    str_free(&line);
    return result != CTRL_EOF;
}

static void read_all(const uint8_t *data, size_t size, size_t part, bool one_line,
                     struct str *notes)
{
    static struct ctrlio io;
    int ctrl[2], priv[2];

    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ctrl) == 0);
    require(sysutil_socketpair(priv) == 0);
    ctrlio_init(&io, ctrl[0], priv[0], one_line, 1000);
    io.may_linger = false; /* nothing comes later */
    while (size > 0) {
        size_t len = size < part ? size : part;

        require(send(ctrl[1], data, len, MSG_DONTWAIT) == (ssize_t)len);
        require(read_lines(&io, notes));
        data += len;
        size -= len;
    }
    require(shutdown(ctrl[1], SHUT_WR) == 0);
    require(!read_lines(&io, notes));
    ctrlio_wipe_input(&io);
    ctrlio_finish(&io);
    close(ctrl[0]);
    close(ctrl[1]);
    close(priv[0]);
    close(priv[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str one = STR_INIT(1000000), buffered = STR_INIT(1000000), whole = STR_INIT(1000000);
    size_t part;

    if (size == 0) {
        return 0;
    }
    part = (size_t)data[0] * data[0] + 1;
    read_all(data + 1, size - 1, part, true, &one);
    read_all(data + 1, size - 1, part, false, &buffered);
    read_all(data + 1, size - 1, SIZE_MAX, false, &whole);
    if (size <= FTP_LINE_MAX) {
        require(strcmp(str_text(&one), str_text(&buffered)) == 0);
        require(strcmp(str_text(&one), str_text(&whole)) == 0);
    }
    str_free(&one);
    str_free(&buffered);
    str_free(&whole);
    return 0;
}
