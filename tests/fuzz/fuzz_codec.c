/*
 * fuzz_codec.c - fuzz the conversions of a data connection
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 *
 * The first byte says what is on (bit 0: TYPE A, bit 1: MODE Z, the rest the level), the next two are
 * the sizes of the pieces of input and output. The rest is converted from the client's form at once and
 * in pieces, which must come to the same; and, without its CRs, to the client's form and back, which
 * must change nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "common.h"

#define HEAD      3
#define OUT_LIMIT ((size_t)256 << 10) /* what expands to more is not run to its end */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct output {
    char *data;
    size_t len;
    enum codec_result result;
    bool stopped; /* at OUT_LIMIT */
};

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* One call, into memory of its own so that a write behind it is found. */
static enum codec_result run_once(struct codec *c, const char *in, size_t in_len, size_t *used,
                                  size_t room, struct output *out, bool last)
{
    char *piece = malloc(room);
    size_t len = SIZE_MAX;
    enum codec_result result;

    require(piece != NULL);
    *used = SIZE_MAX;
    result = codec_run(c, in, in_len, used, piece, room, &len, last);
    require(*used <= in_len && len <= room);
    require(result != CODEC_MORE || (*used == in_len && !last));
    require(result != CODEC_FULL || len > 0);
    require((result != CODEC_END && result != CODEC_CUT) || (last && *used == in_len));
    memcpy(out->data + out->len, piece, len);
    out->len += len;
    free(piece);
    return result;
}

/* Returns false if there is no such codec in this build. */
static bool run(const struct codec_plan *plan, const char *in, size_t in_len, size_t in_piece,
                size_t out_piece, struct output *out)
{
    struct codec *c = codec_new(plan);
    size_t at = 0;

    if (c == NULL) {
        return false;
    }
    *out = (struct output){.data = malloc(OUT_LIMIT), .result = CODEC_FULL};
    require(out->data != NULL);
    while (out->result == CODEC_MORE || out->result == CODEC_FULL) {
        size_t n = in_len - at < in_piece ? in_len - at : in_piece;
        size_t left = OUT_LIMIT - out->len;
        size_t used;

        if (left < CODEC_OUT_MIN) {
            out->stopped = true;
            break;
        }
        out->result = run_once(c, in + at, n, &used, left < out_piece ? left : out_piece, out,
                               at + n == in_len);
        at += used;
    }
    codec_free(c);
    return true;
}

static void require_same(const struct output *a, const struct output *b)
{
    bool whole = !a->stopped && !b->stopped;

    require(!whole || (a->result == b->result && a->len == b->len));
    require(memcmp(a->data, b->data, a->len < b->len ? a->len : b->len) == 0);
}

static void decode(const struct codec_plan *plan, const char *in, size_t in_len, size_t in_piece,
                   size_t out_piece)
{
    struct output at_once, in_pieces;

    if (!run(plan, in, in_len, in_len + 1, OUT_LIMIT, &at_once)) {
        return;
    }
    require(run(plan, in, in_len, in_piece, out_piece, &in_pieces));
    require_same(&at_once, &in_pieces);
    free(at_once.data);
    free(in_pieces.data);
}

static void there_and_back(struct codec_plan plan, const char *text, size_t len, size_t in_piece,
                           size_t out_piece)
{
    struct output there, back;

    plan.encode = true;
    if (!run(&plan, text, len, in_piece, out_piece, &there)) {
        return;
    }
    require(there.result == CODEC_END);
    if (!plan.deflate && plan.ascii) {
        struct ascii_count count = {false};
        uint64_t growth = 0;

        for (size_t at = 0; at < len; at += in_piece) {
            size_t left = len - at;

            growth += codec_ascii_growth(&count, text + at, left < in_piece ? left : in_piece);
        }
        require(there.len == len + growth);
    }
    plan.encode = false;
    require(run(&plan, there.data, there.len, out_piece, in_piece + 1, &back));
    require(back.result == CODEC_END && back.len == len && memcmp(back.data, text, len) == 0);
    free(there.data);
    free(back.data);
}

/* `text` without its CRs; returns the new length. */
static size_t drop_crs(char *text, size_t len)
{
    size_t kept = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\r') {
            text[kept++] = text[i];
        }
    }
    return kept;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct codec_plan plan = {0};
    size_t in_piece, out_piece, len;
    char *text;

    if (size < HEAD || size > OUT_LIMIT / 4) {
        return 0;
    }
    plan.ascii = (data[0] & 1) != 0;
    plan.deflate = (data[0] & 2) != 0;
    plan.level = 1 + (data[0] >> 2) % 9;
    in_piece = 1 + (size_t)data[1];
    out_piece = CODEC_OUT_MIN + (size_t)data[2];
    len = size - HEAD;
    text = malloc(len + 1);
    require(text != NULL);
    memcpy(text, data + HEAD, len);
    decode(&plan, text, len, in_piece, out_piece);
    len = drop_crs(text, len);
    there_and_back(plan, text, len, in_piece, out_piece);
    free(text);
    return 0;
}
