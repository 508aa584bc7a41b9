/*
 * codec.h - what a data connection does to bytes: TYPE A and MODE Z, both directions
 *
 * A codec lives for one transfer and may be interrupted at any byte of its input and output. The line
 * ends are converted before compressing and after uncompressing.
 */
#ifndef MINIFTPD_CODEC_H
#define MINIFTPD_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.h"

struct codec;

struct codec_plan {
    bool encode;  /* towards the client; else from the client */
    bool ascii;   /* TYPE A: CRLF on the network, LF in files (RFC 959 3.1.1.1) */
    bool deflate; /* MODE Z: a zlib stream on the network */
    int level;    /* of compression, 1 to 9; used with encode and deflate only */
};

/* Returns NULL without memory, or with `deflate` in a build without zlib. */
MUST_CHECK struct codec *codec_new(const struct codec_plan *plan);

/* NULL is fine. */
void codec_free(struct codec *c);

enum codec_result {
    CODEC_MORE, /* all input is taken, more is wanted */
    CODEC_FULL, /* the output is to be emptied, and the call to be repeated with the rest */
    CODEC_END,  /* `last` was set, and everything is out */
    CODEC_BAD,  /* no zlib stream, or bytes behind its end */
    CODEC_CUT,  /* the last input is taken, but the zlib stream has not ended */
};

/* The least size of the output. */
#define CODEC_OUT_MIN 2

/*
 * Take some of in[in_len], write some of out[cap] (at least CODEC_OUT_MIN). *in_used and *out_len are
 * set on every return; the caller has to use what was written whatever is returned. CODEC_FULL may come
 * with input not taken, and also with all of it taken. CODEC_MORE may come with an output that is
 * partly or not at all filled.
 * last: nothing comes after `in`, whose length may be 0.
 *
 * Line ends, to the client: LF becomes CRLF, unless the byte before it is CR. From the client: CRLF
 * becomes LF; a CR without LF stays. A byte whose fate depends on the next one waits inside.
 * Nothing may be called but codec_free() after CODEC_END, CODEC_BAD or CODEC_CUT.
 */
MUST_CHECK enum codec_result codec_run(struct codec *c, const char *in, size_t in_len,
                                       size_t *in_used, char *out, size_t cap, size_t *out_len,
                                       bool last);

/* For codec_ascii_growth(); starts as {false}. */
struct ascii_count {
    bool after_cr;
};

/*
 * How many bytes longer data[len] becomes on its way to a client in TYPE A: the file SIZE is about, in
 * pieces (RFC 3659 4).
 */
uint64_t codec_ascii_growth(struct ascii_count *state, const char *data, size_t len);

#endif
