/*
 * test_zstream.c - zlib streams
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "zstream.h"

/* `len` bytes that do not repeat soon but can be compressed a little. */
static char *make_data(size_t len)
{
    char *data = malloc(len + 1);
    uint32_t random = 1;

    assert_non_null(data);
    for (size_t i = 0; i < len; i++) {
        random = random * 1664525 + 1013904223;
        data[i] = (char)('a' + (random >> 24) % 26);
    }
    return data;
}

/*
 * Run a whole stream, with input and output in pieces, and hold each call against its contract.
 * Returns the result of the last call; *out_len: bytes written, at most cap.
 */
static enum zstream_result run_pieces(struct zstream *z, const char *in, size_t in_len,
                                      size_t in_piece, size_t out_piece, bool writing, char *out,
                                      size_t cap, size_t *out_len)
{
    size_t at = 0;

    *out_len = 0;
    for (;;) {
        size_t n = in_len - at < in_piece ? in_len - at : in_piece;
        size_t room = cap - *out_len < out_piece ? cap - *out_len : out_piece;
        char *piece = malloc(room); /* of its own, so that a write behind it is found */
        size_t used, len;
        bool last = at + n == in_len;
        enum zstream_result result;

        assert_true(room > 0);
        assert_non_null(piece);
        result = zstream_run(z, in + at, n, &used, piece, room, &len, last);
        assert_true(used <= n);
        assert_true(len <= room);
        memcpy(out + *out_len, piece, len);
        free(piece);
        at += used;
        *out_len += len;
        if (result == ZSTREAM_MORE) {
            assert_int_equal(used, n);
            assert_false(last && writing);
        } else if (result == ZSTREAM_FULL) {
            assert_int_equal(len, room);
        } else if (result == ZSTREAM_END) {
            assert_int_equal(used, n);
        }
        if (result == ZSTREAM_BAD || (result == ZSTREAM_END && at == in_len) ||
            (result == ZSTREAM_MORE && last)) {
            return result;
        }
    }
}

struct pieces_row {
    const char *name;
    size_t len;
    int level;
    size_t in_piece, out_piece;
};

/* clang-format off */
static const struct pieces_row pieces_rows[] = {
    { "there_and_back_nothing", 0, 6, 1, 100 },
    { "there_and_back_nothing_into_single_bytes", 0, 6, 1, 1 },
    { "there_and_back_one_byte", 1, 1, 1, 100 },
    { "there_and_back_single_bytes", 3000, 6, 1, 1 },
    { "there_and_back_single_bytes_of_input", 3000, 9, 1, 10000 },
    { "there_and_back_single_bytes_of_output", 3000, 1, 10000, 1 },
    { "there_and_back_at_once", 300000, 1, 1000000, 1000000 },
    { "there_and_back_best", 300000, 9, 4096, 4096 },
    { "there_and_back_odd_pieces", 300000, 6, 997, 1013 },
};
/* clang-format on */

static void check_pieces(void **state)
{
    const struct pieces_row *row = *state;
    size_t cap = row->len + 1000;
    char *data = make_data(row->len);
    char *packed = malloc(cap);
    char *unpacked = malloc(cap);
    size_t packed_len, unpacked_len;
    struct zstream *z = zstream_new_deflate(row->level);

    assert_non_null(packed);
    assert_non_null(unpacked);
    assert_non_null(z);
    assert_int_equal(run_pieces(z, data, row->len, row->in_piece, row->out_piece, true, packed, cap,
                                &packed_len),
                     ZSTREAM_END);
    zstream_free(z);
    if (row->len > 1000) {
        assert_true(packed_len < row->len);
    }

    z = zstream_new_inflate();
    assert_non_null(z);
    assert_int_equal(run_pieces(z, packed, packed_len, row->in_piece, row->out_piece, false,
                                unpacked, cap, &unpacked_len),
                     ZSTREAM_END);
    zstream_free(z);
    assert_int_equal(unpacked_len, row->len);
    assert_memory_equal(unpacked, data, row->len);
    free(data);
    free(packed);
    free(unpacked);
}

struct read_row {
    const char *name;
    const char *in;
    size_t in_len;
    enum zstream_result result;
    const char *out;
};

#define HELLO "\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00"
#define SUM   "\x06\x2c\x02\x15"
#define IN(s) (s), sizeof(s) - 1

/* clang-format off */
static const struct read_row read_rows[] = {
    { "reads_a_stream", IN(HELLO SUM), ZSTREAM_END, "hello" },
    { "reads_an_empty_stream", IN("\x78\x9c\x03\x00\x00\x00\x00\x01"), ZSTREAM_END, "" },
    { "reads_no_input", "", 0, ZSTREAM_MORE, "" },
    { "reads_a_stream_without_its_sum", IN(HELLO), ZSTREAM_MORE, "hello" },
    { "reads_a_stream_without_its_last_byte", IN(HELLO "\x06\x2c\x02"), ZSTREAM_MORE, "hello" },
    { "reads_a_header_only", IN("\x78\x9c"), ZSTREAM_MORE, "" },
    { "refuses_a_wrong_sum", IN(HELLO "\x06\x2c\x02\x16"), ZSTREAM_BAD, "hello" },
    { "refuses_bytes_behind_the_end", IN(HELLO SUM "x"), ZSTREAM_BAD, "hello" },
    { "refuses_a_second_stream", IN(HELLO SUM HELLO SUM), ZSTREAM_BAD, "hello" },
    { "refuses_text", IN("hello, this is no stream"), ZSTREAM_BAD, "" },
    { "refuses_gzip", IN("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"), ZSTREAM_BAD, "" },
    { "refuses_a_bare_deflate_stream", IN("\xcb\x48\xcd\xc9\xc9\x07\x00"), ZSTREAM_BAD, "" },
    { "refuses_a_dictionary", IN("\x78\xbb\x06\x2c\x02\x15\xcb\x00\x11\x00" SUM), ZSTREAM_BAD, "" },
};
/* clang-format on */

static void check_read(void **state)
{
    const struct read_row *row = *state;

    for (size_t piece = 1; piece <= row->in_len + 1; piece++) {
        struct zstream *z = zstream_new_inflate();
        char out[64];
        size_t out_len;

        assert_non_null(z);
        assert_int_equal(run_pieces(z, row->in, row->in_len, piece, sizeof(out), false, out,
                                    sizeof(out), &out_len),
                         row->result);
        assert_int_equal(out_len, strlen(row->out));
        assert_memory_equal(out, row->out, out_len);
        zstream_free(z);
    }
}

static void an_ended_stream_ends_again_but_takes_no_byte(void **state)
{
    struct zstream *z = zstream_new_inflate();
    char out[64];
    size_t used, len;

    (void)state;
    assert_int_equal(zstream_run(z, IN(HELLO SUM), &used, out, sizeof(out), &len, false),
                     ZSTREAM_END);
    assert_int_equal(len, 5);
    assert_int_equal(zstream_run(z, NULL, 0, &used, out, sizeof(out), &len, true), ZSTREAM_END);
    assert_int_equal(len, 0);
    assert_int_equal(zstream_run(z, IN("x"), &used, out, sizeof(out), &len, true), ZSTREAM_BAD);
    assert_int_equal(used, 0);
    assert_int_equal(len, 0);
    zstream_free(z);
}

static void a_bomb_comes_out_in_pieces(void **state)
{
    const size_t size = 16 << 20;
    char *zeros = calloc(1, size);
    char *packed = malloc(size / 500);
    char out[4096];
    size_t packed_len, used, len, at = 0, total = 0;
    struct zstream *z = zstream_new_deflate(9);
    enum zstream_result result;

    (void)state;
    assert_non_null(zeros);
    assert_non_null(packed);
    assert_int_equal(run_pieces(z, zeros, size, size, size, true, packed, size / 500, &packed_len),
                     ZSTREAM_END);
    zstream_free(z);
    z = zstream_new_inflate();
    do {
        result = zstream_run(z, packed + at, packed_len - at, &used, out, sizeof(out), &len, true);
        at += used;
        total += len;
    } while (result == ZSTREAM_FULL);
    assert_int_equal(result, ZSTREAM_END);
    assert_int_equal(total, size);
    zstream_free(z);
    free(zeros);
    free(packed);
}

static void streams_may_be_given_up_half_way(void **state)
{
    struct zstream *deflate = zstream_new_deflate(6);
    struct zstream *inflate = zstream_new_inflate();
    char out[64];
    size_t used, len;

    (void)state;
    assert_int_equal(zstream_run(deflate, IN("hello"), &used, out, sizeof(out), &len, false),
                     ZSTREAM_MORE);
    assert_int_equal(zstream_run(inflate, IN(HELLO), &used, out, sizeof(out), &len, false),
                     ZSTREAM_MORE);
    zstream_free(deflate); /* the sanitizer finds what is left */
    zstream_free(inflate);
    zstream_free(NULL);
}

static void crc32_is_that_of_the_standard(void **state)
{
    (void)state;
    assert_int_equal(zstream_crc32(0, "", 0), 0);
    assert_int_equal(zstream_crc32(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(zstream_crc32(zstream_crc32(0, "1234", 4), "56789", 5), 0xCBF43926);
    assert_int_equal(zstream_crc32(0x12345678, NULL, 0), 0x12345678);
}

static void without_zlib_there_are_no_streams(void **state)
{
    (void)state;
    assert_null(zstream_new_deflate(6));
    assert_null(zstream_new_inflate());
    assert_int_equal(zstream_crc32(0, "123456789", 9), 0);
    zstream_free(NULL);
}

int main(void)
{
    if (!zstream_available()) {
        UNIT_ADD(without_zlib_there_are_no_streams);
        return unit_run("zstream");
    }
    UNIT_ADD_TABLE(check_pieces, pieces_rows);
    UNIT_ADD_TABLE(check_read, read_rows);
    UNIT_ADD(an_ended_stream_ends_again_but_takes_no_byte);
    UNIT_ADD(a_bomb_comes_out_in_pieces);
    UNIT_ADD(streams_may_be_given_up_half_way);
    UNIT_ADD(crc32_is_that_of_the_standard);
    return unit_run("zstream");
}
