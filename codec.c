/*
 * codec.c - what a data connection does to bytes: TYPE A and MODE Z, both directions
 *
 * Process: S.
 * Trusts:  nothing about the bytes, of files or of the network.
 * Touches: memory of its own only.
 */
#include "codec.h"

#include <stdlib.h>
#include <string.h>

#include "sysutil.h"
#include "zstream.h"

/* Between the line ends and the compression. */
#define MIDDLE_SIZE 16384

struct flow {
    const char *in, *in_end;
    char *out, *out_end;
};

/*
 * Move what fits. Returns true if all input is taken and, with `last`, everything is out; false if the
 * output is full.
 */
typedef bool convert_fn(struct codec *c, struct flow *flow, bool last);

enum stream_state { STREAM_OPEN, STREAM_ENDED, STREAM_BAD, STREAM_CUT };

struct codec {
    convert_fn *convert;
    bool after_cr; /* encoding: the byte before was CR; decoding: a CR waits for the next byte */
    bool encode;
    struct zstream *stream; /* NULL without MODE Z, and so is the rest */
    enum stream_state state;
    size_t middle_at, middle_len;
    char middle[];
};

static size_t least(ptrdiff_t a, ptrdiff_t b)
{
    return (size_t)(a < b ? a : b);
}

static bool convert_nothing(struct codec *c, struct flow *flow, bool last)
{
    size_t n = least(flow->in_end - flow->in, flow->out_end - flow->out);

    (void)c;
    (void)last;
    if (n > 0) {
        memcpy(flow->out, flow->in, n);
        flow->in += n;
        flow->out += n;
    }
    return flow->in == flow->in_end;
}

/* No search goes beyond what there is room for, so nothing is searched twice. */
static bool convert_to_crlf(struct codec *c, struct flow *flow, bool last)
{
    const char *in = flow->in;
    char *out = flow->out;
    size_t n;

    (void)last;
    while ((n = least(flow->in_end - in, flow->out_end - out)) > 0) {
        const char *lf = memchr(in, '\n', n);
        size_t run = lf != NULL ? (size_t)(lf - in) : n;

        if (run > 0) {
            memcpy(out, in, run);
            in += run;
            out += run;
            c->after_cr = in[-1] == '\r';
        }
        if (lf == NULL) {
            continue;
        }
        if (!c->after_cr) {
            if (flow->out_end - out < 2) {
                break;
            }
            *out++ = '\r';
        }
        *out++ = '\n';
        in++;
        c->after_cr = false;
    }
    flow->in = in;
    flow->out = out;
    return in == flow->in_end;
}

/* A CR is taken and decided upon when the next byte is seen; an LF is part of the run that follows. */
static bool convert_to_lf(struct codec *c, struct flow *flow, bool last)
{
    const char *in = flow->in;
    char *out = flow->out;

    for (;;) {
        const char *cr;
        size_t n, run;

        if (c->after_cr && (in < flow->in_end || last) && out < flow->out_end) {
            c->after_cr = false;
            if (in == flow->in_end || *in != '\n') {
                *out++ = '\r';
            }
        }
        n = least(flow->in_end - in, flow->out_end - out);
        if (n == 0) {
            break;
        }
        cr = memchr(in, '\r', n);
        run = cr != NULL ? (size_t)(cr - in) : n;
        memcpy(out, in, run);
        in += run;
        out += run;
        if (cr != NULL) {
            in++;
            c->after_cr = true;
        }
    }
    flow->in = in;
    flow->out = out;
    return in == flow->in_end && !(last && c->after_cr);
}

struct codec *codec_new(const struct codec_plan *plan)
{
    struct codec *c = calloc(1, sizeof(*c) + (plan->deflate ? MIDDLE_SIZE : 0));

    if (c == NULL) {
        return NULL;
    }
    c->encode = plan->encode;
    c->convert = !plan->ascii ? convert_nothing : plan->encode ? convert_to_crlf : convert_to_lf;
    if (plan->deflate) {
        c->stream = plan->encode ? zstream_new_deflate(plan->level) : zstream_new_inflate();
        if (c->stream == NULL) {
            free(c);
            return NULL;
        }
    }
    return c;
}

void codec_free(struct codec *c)
{
    if (c != NULL) {
        zstream_free(c->stream);
        free(c);
    }
}

/* One step of the stream. Input and output of `flow` move; the result is zstream_run()'s. */
static enum zstream_result run_stream(struct codec *c, struct flow *flow, bool last)
{
    size_t used, len;
    enum zstream_result result =
        zstream_run(c->stream, flow->in, (size_t)(flow->in_end - flow->in), &used, flow->out,
                    (size_t)(flow->out_end - flow->out), &len, last);

    flow->in += used;
    flow->out += len;
    return result;
}

/* flow's input -> line ends -> middle -> stream -> flow's output */
static enum codec_result encode_stream(struct codec *c, struct flow *flow, bool last)
{
    for (;;) {
        struct flow tail = {.out = flow->out, .out_end = flow->out_end};
        enum zstream_result result;

        if (c->middle_at == c->middle_len) {
            struct flow head = {flow->in, flow->in_end, c->middle, c->middle + MIDDLE_SIZE};

            (void)c->convert(c, &head, last); /* what it could not take is still in flow->in */
            flow->in = head.in;
            c->middle_at = 0;
            c->middle_len = (size_t)(head.out - c->middle);
        }
        tail.in = c->middle + c->middle_at;
        tail.in_end = c->middle + c->middle_len;
        result = run_stream(c, &tail, last && flow->in == flow->in_end);
        c->middle_at = (size_t)(tail.in - c->middle);
        flow->out = tail.out;
        if (result == ZSTREAM_BAD) {
            return CODEC_BAD;
        }
        if (result == ZSTREAM_FULL) {
            return CODEC_FULL;
        }
        if (flow->in == flow->in_end) {
            return result == ZSTREAM_END ? CODEC_END : CODEC_MORE;
        }
    }
}

/* More of the stream into the empty middle. Returns true if there was anything new. */
static bool fill_middle(struct codec *c, struct flow *flow, bool last)
{
    struct flow head = {flow->in, flow->in_end, c->middle, c->middle + MIDDLE_SIZE};
    enum zstream_result result;

    if (c->state == STREAM_BAD || c->state == STREAM_CUT) {
        return false;
    }
    result = run_stream(c, &head, false);
    flow->in = head.in;
    c->middle_at = 0;
    c->middle_len = (size_t)(head.out - c->middle);
    if (result == ZSTREAM_BAD) {
        c->state = STREAM_BAD;
        return true;
    }
    if (result == ZSTREAM_END && c->state == STREAM_OPEN) {
        c->state = STREAM_ENDED;
        return true;
    }
    if (result == ZSTREAM_MORE && c->middle_len == 0 && last) {
        c->state = STREAM_CUT;
        return true;
    }
    return c->middle_len > 0 || result == ZSTREAM_FULL;
}

/* flow's input -> stream -> middle -> line ends -> flow's output */
static enum codec_result decode_stream(struct codec *c, struct flow *flow, bool last)
{
    do {
        struct flow tail = {c->middle + c->middle_at, c->middle + c->middle_len, flow->out,
                            flow->out_end};
        bool done = c->convert(c, &tail, c->state != STREAM_OPEN);

        c->middle_at = (size_t)(tail.in - c->middle);
        flow->out = tail.out;
        if (!done) {
            return CODEC_FULL;
        }
    } while (fill_middle(c, flow, last));

    switch (c->state) {
    case STREAM_BAD:
        return CODEC_BAD;
    case STREAM_CUT:
        return CODEC_CUT;
    default:
        return c->state == STREAM_ENDED && last ? CODEC_END : CODEC_MORE;
    }
}

enum codec_result codec_run(struct codec *c, const char *in, size_t in_len, size_t *in_used,
                            char *out, size_t cap, size_t *out_len, bool last)
{
    const char *first = in_len > 0 ? in : ""; /* NULL would do as well */
    struct flow flow = {first, first + in_len, out, out + cap};
    enum codec_result result;

    if (cap < CODEC_OUT_MIN) {
        bug("no room for a line end");
    }
    if (c->stream == NULL) {
        result = !c->convert(c, &flow, last) ? CODEC_FULL : last ? CODEC_END : CODEC_MORE;
    } else if (c->encode) {
        result = encode_stream(c, &flow, last);
    } else {
        result = decode_stream(c, &flow, last);
    }
    *in_used = (size_t)(flow.in - first);
    *out_len = (size_t)(flow.out - out);
    return result;
}

uint64_t codec_ascii_growth(struct ascii_count *state, const char *data, size_t len)
{
    const char *at = data;
    const char *end = data + len;
    uint64_t growth = 0;

    while (at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));

        if (lf == NULL) {
            break;
        }
        growth += lf > data ? lf[-1] != '\r' : !state->after_cr;
        at = lf + 1;
    }
    if (len > 0) {
        state->after_cr = data[len - 1] == '\r';
    }
    return growth;
}
