/*
 * ctrlio.h - the control channel: lines in, replies out, and the one place where a service process waits
 */
#ifndef MINIFTPD_CTRLIO_H
#define MINIFTPD_CTRLIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.h"

struct str;

#define CTRLIO_IN_SIZE  8192
#define CTRLIO_OUT_SIZE 4096

enum ctrlio_telnet { TELNET_TEXT, TELNET_IAC, TELNET_OPTION, TELNET_SUB, TELNET_SUB_IAC };

struct ctrlio {
    int ctrl_fd; /* the client */
    int priv_fd; /* the session parent; its end means our end */
    int64_t write_timeout_ms;
    bool one_line;    /* never take more from the socket than the line in hand (P) */
    bool may_linger;  /* recv(2) on ctrl_fd returns after LINGER_MS: see wait_for() */
    bool lingers;     /* a command was just answered, so the next one may follow at once */
    bool input_ended; /* the client will send nothing more */
    bool discarding;  /* inside a line that is too long */
    bool broken;      /* a reply could not be sent */
    enum ctrlio_telnet telnet;
    size_t in_start, in_end; /* what was received and not taken */
    size_t in_scanned;       /* no LF before it */
    size_t in_seen;          /* lines before it were shown by ctrlio_next_line() */
    size_t out_len;
    void (*on_reply)(void *context, const char *line, size_t len); /* NULL: nobody watches */
    void *on_reply_context;
    char out[CTRLIO_OUT_SIZE];
    char in[CTRLIO_IN_SIZE];
};

enum ctrl_result {
    CTRL_LINE,
    CTRL_EOF,         /* the client has closed; every complete line was delivered before */
    CTRL_TIMEOUT,     /* deadline_ms has passed */
    CTRL_TOO_LONG,    /* a line over FTP_LINE_MAX bytes went by, all of it was discarded */
    CTRL_BAD_BYTES,   /* a line with a NUL, or a CR that does not end it; discarded */
    CTRL_ERROR,       /* reading or replying failed: the client is gone */
    CTRL_PARENT_GONE, /* the session parent has ended */
    CTRL_DRAINING, /* the session parent wants the session to end; lines that wait are not read */
};

/* What a wait ended with. */
enum ctrl_wait {
    CTRL_WAIT_READY,       /* the wanted descriptor */
    CTRL_WAIT_TIMEOUT,     /* the deadline */
    CTRL_WAIT_INPUT,       /* a complete line has come: look at it with ctrlio_next_line() */
    CTRL_WAIT_EOF,         /* the client closed its sending side; told once */
    CTRL_WAIT_GONE,        /* the control connection is broken */
    CTRL_WAIT_PARENT_GONE, /* the session parent has ended */
};

/*
 * one_line: bytes behind the current line stay in the kernel, for the process that comes after this one.
 * write_timeout_ms: how long a client may take to accept replies.
 */
void ctrlio_init(struct ctrlio *io, int ctrl_fd, int priv_fd, bool one_line,
                 int64_t write_timeout_ms);

/*
 * Go on over another descriptor. What was received and not read yet is dropped; replies must have been
 * sent (ctrlio_flush()).
 */
void ctrlio_switch(struct ctrlio *io, int ctrl_fd);

/*
 * Read one command line into `line`, without its line ending. Telnet commands are removed, a doubled
 * 0xFF becomes one. Sends pending replies before it waits.
 * deadline_ms: CLOCK_MONOTONIC; 0 waits for ever.
 * `line` belongs to the caller and is empty unless CTRL_LINE is returned.
 * RFC 959 5.3; RFC 1123 4.1.2.10; RFC 854.
 */
enum ctrl_result ctrlio_read_line(struct ctrlio *io, struct str *line, int64_t deadline_ms);

/*
 * Wait for `events` (poll(2)) of fd, -1 for none, while watching client and parent. Sends pending
 * replies first. errno is undefined.
 */
enum ctrl_wait ctrlio_wait(struct ctrlio *io, int fd, short events, int64_t deadline_ms);

/* Will ctrlio_read_line() find a line that came with the last one, and so not wait? */
bool ctrlio_has_line(struct ctrlio *io);

/*
 * Show the next complete line that was not shown before, without taking it; it stays in its place for
 * ctrlio_read_line(). `line` stays empty if it is not well-formed. *front_out: no other line is before it.
 * Returns false if there is none.
 */
bool ctrlio_next_line(struct ctrlio *io, struct str *line, bool *front_out);

/*
 * Replies. They are collected and go out when the process is about to wait. CR, LF and NUL in a text
 * become '?', 0xFF is doubled (RFC 854).
 */
void ctrlio_reply(struct ctrlio *io, unsigned code, const char *text);

/* The first line of a reply of several: "code-text". The last one is an ordinary ctrlio_reply(). */
void ctrlio_reply_first(struct ctrlio *io, unsigned code, const char *text);

/* A line between; one that begins with a digit gets a blank in front, as RFC 959 4.2 wants it. */
void ctrlio_reply_middle(struct ctrlio *io, const char *text);

/* From now on tell somebody each line of a reply, without its line ending, as it was asked for. */
void ctrlio_watch_replies(struct ctrlio *io,
                          void (*on_reply)(void *context, const char *line, size_t len),
                          void *context);

/* Send all pending replies, waiting at most write_timeout_ms. Returns false if the client is gone. */
bool ctrlio_flush(struct ctrlio *io);

/* The end: flush, tell the client that nothing more comes, and take what it had still sent. */
void ctrlio_finish(struct ctrlio *io);

/* Forget received bytes that may hold a password. */
void ctrlio_wipe_input(struct ctrlio *io);

/*
 * Remove Telnet commands from data[0..len) in place; *state goes on from call to call.
 * Returns the new length. Pure; exported for the tests.
 */
size_t ctrlio_telnet_filter(enum ctrlio_telnet *state, char *data, size_t len);

#endif
