/*
 * ctrlio.c - the control channel
 *
 * Process: P and S.
 * Trusts:  no byte from the client.
 * Touches: ctrl_fd. It watches priv_fd for its end and for notices.
 */
#include "ctrlio.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "privsock.h"
#include "str.h"
#include "sysutil.h"

_Static_assert(CTRLIO_IN_SIZE > FTP_LINE_MAX + 256, "a whole line must fit into the buffer");

#define LINGER_MS       100                /* in recv(2), for the next command */
#define REPLY_SHOWN_MAX (2 * FTP_LINE_MAX) /* of a line, to who watches */

/* RFC 854. */
#define TELNET_BYTE_IAC  0xFF
#define TELNET_BYTE_SB   0xFA
#define TELNET_BYTE_WILL 0xFB
#define TELNET_BYTE_DONT 0xFE
#define TELNET_BYTE_SE   0xF0

/* Blocking recv(2) gives up after LINGER_MS from now on. */
static bool limit_recv(int fd)
{
    const struct timeval timeout = {.tv_usec = LINGER_MS * 1000};

    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0;
}

void ctrlio_init(struct ctrlio *io, int ctrl_fd, int priv_fd, bool one_line,
                 int64_t write_timeout_ms)
{
    /* not memset: the buffers stay untouched until they are used */
    io->ctrl_fd = ctrl_fd;
    io->priv_fd = priv_fd;
    io->write_timeout_ms = write_timeout_ms;
    io->one_line = one_line;
    io->may_linger = !one_line && limit_recv(ctrl_fd);
    io->lingers = io->input_ended = io->discarding = io->broken = false;
    io->telnet = TELNET_TEXT;
    io->in_start = io->in_end = io->in_scanned = io->in_seen = 0;
    io->out_len = 0;
    io->on_reply = NULL;
}

void ctrlio_switch(struct ctrlio *io, int ctrl_fd)
{
    io->ctrl_fd = ctrl_fd;
    io->input_ended = io->discarding = false;
    io->telnet = TELNET_TEXT;
    io->in_start = io->in_end = io->in_scanned = io->in_seen = 0;
}

/* Where one byte leads, and whether it is text. */
static bool telnet_step(enum ctrlio_telnet *state, unsigned char c)
{
    switch (*state) {
    case TELNET_TEXT:
        if (c == TELNET_BYTE_IAC) {
            *state = TELNET_IAC;
            return false;
        }
        return true;
    case TELNET_IAC:
        *state = c == TELNET_BYTE_SB                              ? TELNET_SUB
                 : c >= TELNET_BYTE_WILL && c <= TELNET_BYTE_DONT ? TELNET_OPTION
                                                                  : TELNET_TEXT;
        return c == TELNET_BYTE_IAC; /* a doubled one is the byte itself */
    case TELNET_OPTION:
        *state = TELNET_TEXT;
        return false;
    case TELNET_SUB:
        *state = c == TELNET_BYTE_IAC ? TELNET_SUB_IAC : TELNET_SUB;
        return false;
    case TELNET_SUB_IAC:
        *state = c == TELNET_BYTE_SE ? TELNET_TEXT : TELNET_SUB;
        return false;
    }
    bug("unknown telnet state");
}

size_t ctrlio_telnet_filter(enum ctrlio_telnet *state, char *data, size_t len)
{
    size_t kept = 0;

    if (*state == TELNET_TEXT && memchr(data, TELNET_BYTE_IAC, len) == NULL) {
        return len;
    }
    for (size_t i = 0; i < len; i++) {
        if (telnet_step(state, (unsigned char)data[i])) {
            data[kept++] = data[i];
        }
    }
    return kept;
}

/* How many of these bytes belong to the line in hand, its LF included. */
static size_t line_share(enum ctrlio_telnet state, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (telnet_step(&state, (unsigned char)data[i]) && data[i] == '\n') {
            return i + 1;
        }
    }
    return len;
}

static ssize_t receive(int fd, void *buf, size_t len, int flags)
{
    ssize_t got;

    do {
        got = recv(fd, buf, len, flags);
    } while (got == -1 && errno == EINTR);
    return got;
}

/*
 * Take bytes from the socket; flags: MSG_DONTWAIT, or 0 to wait LINGER_MS for them. Returns false when it
 * is broken; the end of input is noted.
 */
static bool fill(struct ctrlio *io, int flags)
{
    size_t room;
    ssize_t got;

    if (io->in_start > 0) {
        memmove(io->in, io->in + io->in_start, io->in_end - io->in_start);
        io->in_end -= io->in_start;
        io->in_scanned -= io->in_start;
        io->in_seen -= io->in_start;
        io->in_start = 0;
    }
    room = sizeof(io->in) - io->in_end;
    got = receive(io->ctrl_fd, io->in + io->in_end, room, flags | (io->one_line ? MSG_PEEK : 0));
    if (got > 0 && io->one_line) {
        room = line_share(io->telnet, io->in + io->in_end, (size_t)got);
        got = receive(io->ctrl_fd, io->in + io->in_end, room, MSG_DONTWAIT);
    }
    if (got == -1) {
        return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    io->input_ended = got == 0;
    io->in_end += ctrlio_telnet_filter(&io->telnet, io->in + io->in_end, (size_t)got);
    return true;
}

/* Let everything before `start` be taken. */
static void advance(struct ctrlio *io, size_t start)
{
    io->in_start = io->in_scanned = start;
    if (io->in_seen < start) {
        io->in_seen = start;
    }
}

/* The LF that ends the line in front, or NULL. */
static const char *find_line_end(struct ctrlio *io)
{
    const char *end = memchr(io->in + io->in_scanned, '\n', io->in_end - io->in_scanned);

    if (end == NULL) {
        io->in_scanned = io->in_end;
    } else {
        io->in_scanned = (size_t)(end - io->in);
    }
    return end;
}

/* Length of a line without the CRs before its LF. */
static size_t strip_crs(const char *line, size_t len)
{
    while (len > 0 && line[len - 1] == '\r') {
        len--;
    }
    return len;
}

static bool has_bad_bytes(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\0' || line[i] == '\r') {
            return true;
        }
    }
    return false;
}

/* Drop the unfinished line in hand once it is longer than any command. */
static void discard_if_too_long(struct ctrlio *io)
{
    if (io->discarding || io->in_end - io->in_start > FTP_LINE_MAX + 2) {
        io->discarding = true;
        io->in_start = io->in_end = io->in_scanned = io->in_seen = 0;
    }
}

/* Take the line in front. Returns false if there is no complete one. */
static bool take_line(struct ctrlio *io, struct str *line, enum ctrl_result *result)
{
    const char *end = find_line_end(io);
    const char *start = io->in + io->in_start;
    size_t len;

    if (end == NULL) {
        discard_if_too_long(io);
        return false;
    }
    len = strip_crs(start, (size_t)(end - start));
    advance(io, (size_t)(end - io->in) + 1);
    io->lingers = io->may_linger;
    if (io->discarding || len > FTP_LINE_MAX) {
        io->discarding = false;
        *result = CTRL_TOO_LONG;
    } else if (has_bad_bytes(start, len)) {
        *result = CTRL_BAD_BYTES;
    } else {
        str_append_mem(line, start, len);
        *result = str_ok(line) ? CTRL_LINE : CTRL_ERROR;
    }
    return true;
}

/* The LF that ends the first line which was not shown yet, or NULL. */
static const char *find_unseen(const struct ctrlio *io)
{
    return memchr(io->in + io->in_seen, '\n', io->in_end - io->in_seen);
}

/* Take input; flags as of fill(). Returns true if the wait is over. */
static bool wait_took_input(struct ctrlio *io, int flags, enum ctrl_wait *result)
{
    if (!fill(io, flags)) {
        *result = CTRL_WAIT_GONE;
        return true;
    }
    if (find_unseen(io) != NULL) {
        *result = CTRL_WAIT_INPUT;
        return true;
    }
    if (find_line_end(io) == NULL) {
        discard_if_too_long(io);
    }
    *result = CTRL_WAIT_EOF;
    return io->input_ended;
}

/* Room for more? Commands that wait for the end of a transfer fill the buffer up to here. */
static bool wants_input(const struct ctrlio *io)
{
    return !io->input_ended && (io->in_start > 0 || io->in_end < sizeof(io->in));
}

/* ctrlio_wait(); with `notices` one of the parent ends the wait, as if fd had become ready. */
static enum ctrl_wait wait_for(struct ctrlio *io, int fd, short events, int64_t deadline_ms,
                               bool notices)
{
    if (find_unseen(io) != NULL) {
        return CTRL_WAIT_INPUT;
    }
    if (!ctrlio_flush(io)) {
        return CTRL_WAIT_GONE;
    }
    /*
     * Between the commands of a busy client nothing else needs to be watched: one system call less for
     * each of them. The parent may have to wait as long as this, and the deadline.
     */
    if (notices && io->lingers && wants_input(io)) {
        enum ctrl_wait result;

        io->lingers = false;
        if (wait_took_input(io, 0, &result)) {
            return result;
        }
    }
    for (;;) {
        struct pollfd fds[] = {
            {.fd = io->ctrl_fd, .events = wants_input(io) ? POLLIN : 0},
            {.fd = io->priv_fd, .events = POLLIN},
            {.fd = fd, .events = events},
        };
        enum ctrl_wait result;
        int64_t log_ms = privsock_log_due_ms();
        bool log_first = log_ms != 0 && (deadline_ms == SYSUTIL_FOREVER || log_ms < deadline_ms);
        int ready = sysutil_poll(fds, ARRAY_LEN(fds), log_first ? log_ms : deadline_ms);

        if (ready == 0 && log_first) {
            if (!privsock_send_log(io->priv_fd)) {
                return CTRL_WAIT_PARENT_GONE;
            }
            continue;
        }
        if (ready <= 0) {
            return ready == 0 ? CTRL_WAIT_TIMEOUT : CTRL_WAIT_GONE;
        }
        if (fds[1].revents != 0) {
            if (!privsock_take_notice(io->priv_fd)) {
                return CTRL_WAIT_PARENT_GONE;
            }
            if (notices) {
                return CTRL_WAIT_READY;
            }
        }
        if ((fds[0].revents & POLLIN) != 0 && wait_took_input(io, MSG_DONTWAIT, &result)) {
            return result;
        }
        if ((fds[0].revents & POLLIN) == 0 && (fds[0].revents & (POLLERR | POLLHUP)) != 0) {
            return CTRL_WAIT_GONE;
        }
        if (fds[2].revents != 0) {
            return CTRL_WAIT_READY;
        }
    }
}

enum ctrl_wait ctrlio_wait(struct ctrlio *io, int fd, short events, int64_t deadline_ms)
{
    return wait_for(io, fd, events, deadline_ms, false);
}

enum ctrl_result ctrlio_read_line(struct ctrlio *io, struct str *line, int64_t deadline_ms)
{
    enum ctrl_result result;

    str_clear(line);
    for (;;) {
        if (privsock_is_draining()) {
            return CTRL_DRAINING;
        }
        if (take_line(io, line, &result)) {
            return result;
        }
        if (io->input_ended) {
            (void)ctrlio_flush(io); /* the client may still read */
            return CTRL_EOF;
        }
        switch (wait_for(io, -1, 0, deadline_ms, true)) {
        case CTRL_WAIT_TIMEOUT:
            return CTRL_TIMEOUT;
        case CTRL_WAIT_GONE:
            return CTRL_ERROR;
        case CTRL_WAIT_PARENT_GONE:
            return CTRL_PARENT_GONE;
        case CTRL_WAIT_INPUT:
        case CTRL_WAIT_EOF:
        case CTRL_WAIT_READY: /* a notice */
            break;
        }
    }
}

bool ctrlio_has_line(struct ctrlio *io)
{
    return find_line_end(io) != NULL;
}

bool ctrlio_next_line(struct ctrlio *io, struct str *line, bool *front_out)
{
    const char *start = io->in + io->in_seen;
    const char *end = find_unseen(io);
    bool first = io->in_seen == io->in_start;
    bool rest_of_long = first && io->discarding;
    size_t len;

    str_clear(line);
    if (end == NULL) {
        return false;
    }
    *front_out = first && !rest_of_long;
    io->in_seen = (size_t)(end - io->in) + 1;
    len = strip_crs(start, (size_t)(end - start));
    if (len <= FTP_LINE_MAX && !has_bad_bytes(start, len) && !rest_of_long) {
        str_append_mem(line, start, len);
    }
    return true;
}

/* Collect raw bytes of a reply. */
static void put(struct ctrlio *io, const char *data, size_t len)
{
    if (len <= sizeof(io->out) - io->out_len && !io->broken) {
        memcpy(io->out + io->out_len, data, len);
        io->out_len += len;
        return;
    }
    while (len > 0 && !io->broken) {
        size_t room = sizeof(io->out) - io->out_len;
        size_t part = len < room ? len : room;

        if (room == 0) {
            (void)ctrlio_flush(io); /* failure is remembered in io->broken */
            continue;
        }
        memcpy(io->out + io->out_len, data, part);
        io->out_len += part;
        data += part;
        len -= part;
    }
}

/* Text of a reply: nothing in it may look like a line ending or a Telnet command. */
static void put_text(struct ctrlio *io, const char *text)
{
    static const char doubled[2] = {'\xFF', '\xFF'};

    while (*text != '\0') {
        size_t plain = strcspn(text, "\r\n\xFF");

        put(io, text, plain);
        text += plain;
        if (*text == '\xFF') {
            put(io, doubled, sizeof(doubled));
            text++;
        } else if (*text != '\0') {
            put(io, "?", 1);
            text++;
        }
    }
}

void ctrlio_watch_replies(struct ctrlio *io,
                          void (*on_reply)(void *context, const char *line, size_t len),
                          void *context)
{
    io->on_reply = on_reply;
    io->on_reply_context = context;
}

static void tell(const struct ctrlio *io, const char *head, size_t head_len, const char *text)
{
    struct str line = STR_INIT(REPLY_SHOWN_MAX);

    str_append_mem(&line, head, head_len);
    str_append_mem(&line, text, strnlen(text, REPLY_SHOWN_MAX - head_len));
    io->on_reply(io->on_reply_context, str_text(&line), line.len);
    str_free(&line);
}

static void put_line(struct ctrlio *io, unsigned code, char separator, const char *text)
{
    char head[4] = {(char)('0' + code / 100 % 10), (char)('0' + code / 10 % 10),
                    (char)('0' + code % 10), separator};

    if (io->on_reply != NULL) {
        tell(io, head, sizeof(head), text);
    }
    put(io, head, sizeof(head));
    put_text(io, text);
    put(io, "\r\n", 2);
}

void ctrlio_reply(struct ctrlio *io, unsigned code, const char *text)
{
    put_line(io, code, ' ', text);
}

void ctrlio_reply_first(struct ctrlio *io, unsigned code, const char *text)
{
    put_line(io, code, '-', text);
}

void ctrlio_reply_middle(struct ctrlio *io, const char *text)
{
    bool begins_with_digit = str_is_digit(*text);

    if (io->on_reply != NULL) {
        tell(io, " ", begins_with_digit, text);
    }
    if (begins_with_digit) {
        put(io, " ", 1);
    }
    put_text(io, text);
    put(io, "\r\n", 2);
}

/* Wait until the client takes more. Input stays where it is: replies come first. */
static bool wait_writable(struct ctrlio *io, int64_t deadline_ms)
{
    struct pollfd fds[] = {
        {.fd = io->ctrl_fd, .events = POLLOUT},
        {.fd = io->priv_fd, .events = 0},
    };

    return sysutil_poll(fds, ARRAY_LEN(fds), deadline_ms) > 0 && fds[1].revents == 0 &&
           (fds[0].revents & POLLOUT) != 0;
}

bool ctrlio_flush(struct ctrlio *io)
{
    int64_t deadline_ms = 0;
    size_t sent = 0;

    while (sent < io->out_len && !io->broken) {
        ssize_t n =
            send(io->ctrl_fd, io->out + sent, io->out_len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n >= 0) {
            sent += (size_t)n;
            continue;
        }
        if (errno == EINTR) {
            continue;
        }
        if (deadline_ms == 0) {
            deadline_ms = sysutil_now_ms() + io->write_timeout_ms;
        }
        io->broken = (errno != EAGAIN && errno != EWOULDBLOCK) || !wait_writable(io, deadline_ms);
    }
    io->out_len = 0;
    return !io->broken;
}

void ctrlio_finish(struct ctrlio *io)
{
    /*
     * Unread input would turn our close into a reset, which can overtake the last reply. What has come
     * so far is taken; a client that goes on sending cannot keep us here.
     */
    int rounds = 64;

    if (!ctrlio_flush(io)) {
        return;
    }
    (void)shutdown(io->ctrl_fd, SHUT_WR); /* fails when the client is gone already */
    while (rounds-- > 0 && receive(io->ctrl_fd, io->in, sizeof(io->in), MSG_DONTWAIT) > 0) {
    }
}

void ctrlio_wipe_input(struct ctrlio *io)
{
    /* what is still to be read stays; in P that is nothing */
    explicit_bzero(io->in, io->in_start);
    explicit_bzero(io->in + io->in_end, sizeof(io->in) - io->in_end);
}
