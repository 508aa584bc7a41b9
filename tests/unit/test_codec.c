/*
 * test_codec.c - TYPE A and MODE Z
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "codec.h"
#include "str.h"
#include "sysutil.h"
#include "unit.h"
#include "zstream.h"

#define TEXT_MAX 4096

static const struct codec_plan plain = {.encode = true};
static const struct codec_plan to_crlf = {.encode = true, .ascii = true};
static const struct codec_plan to_lf = {.ascii = true};
static const struct codec_plan pack = {.encode = true, .deflate = true, .level = 6};
static const struct codec_plan unpack = {.deflate = true};
static const struct codec_plan pack_crlf = {
    .encode = true, .ascii = true, .deflate = true, .level = 6};
static const struct codec_plan unpack_lf = {.ascii = true, .deflate = true};

enum last_call { LAST_WITH_INPUT, LAST_ALONE };

/*
 * Run a codec with input and output in pieces, and hold each call against its contract. What comes out
 * is appended to `out`. Returns the result of the last call.
 */
static enum codec_result run_pieces(const struct codec_plan *plan, const char *in, size_t in_len,
                                    size_t in_piece, size_t out_piece, enum last_call last_call,
                                    struct str *out)
{
    struct codec *c = codec_new(plan);
    char *piece = malloc(out_piece); /* of its own, so that a write behind it is found */
    enum codec_result result;
    size_t at = 0;

    assert_non_null(c);
    assert_non_null(piece);
    do {
        size_t n = in_len - at < in_piece ? in_len - at : in_piece;
        bool last = last_call == LAST_ALONE ? at == in_len : at + n == in_len;
        size_t used = SIZE_MAX, len = SIZE_MAX;

        result = codec_run(c, n > 0 ? in + at : NULL, n, &used, piece, out_piece, &len, last);
        assert_true(used <= n);
        assert_true(len <= out_piece);
        switch (result) {
        case CODEC_MORE:
            assert_false(last);
            assert_int_equal(used, n);
            break;
        case CODEC_FULL:
            assert_true(len > 0);
            break;
        case CODEC_END:
        case CODEC_CUT:
            assert_true(last);
            assert_int_equal(used, n);
            break;
        default:
            break;
        }
        str_append_mem(out, piece, len);
        at += used;
    } while (result == CODEC_MORE || result == CODEC_FULL);
    codec_free(c);
    free(piece);
    assert_true(str_ok(out));
    return result;
}

/* Run a codec in all sorts of pieces: the result and the output must be these. */
static void assert_codec(const struct codec_plan *plan, const char *in, size_t in_len,
                         enum codec_result result, const char *expected, size_t expected_len)
{
    for (size_t in_piece = 1; in_piece <= in_len + 1; in_piece++) {
        for (size_t out_piece = CODEC_OUT_MIN; out_piece <= expected_len + 2; out_piece++) {
            for (enum last_call last = LAST_WITH_INPUT; last <= LAST_ALONE; last++) {
                struct str out = STR_INIT(TEXT_MAX);

                assert_int_equal(run_pieces(plan, in, in_len, in_piece, out_piece, last, &out),
                                 result);
                assert_int_equal(out.len, expected_len);
                assert_memory_equal(str_text(&out), expected, expected_len);
                str_free(&out);
            }
        }
    }
}

/* The whole of `in` in one piece, into `out`; it must be fine. */
static void run_at_once(const struct codec_plan *plan, const char *in, size_t in_len,
                        struct str *out)
{
    assert_int_equal(run_pieces(plan, in, in_len, in_len + 1, 65536, LAST_WITH_INPUT, out),
                     CODEC_END);
}

struct lines_row {
    const char *name;
    const struct codec_plan *plan;
    const char *in;
    size_t in_len;
    const char *out;
    size_t out_len;
};

#define TEXT(s) (s), sizeof(s) - 1

/* clang-format off */
static const struct lines_row lines_rows[] = {
    { "plain_nothing", &plain, TEXT(""), TEXT("") },
    { "plain_changes_nothing", &plain, TEXT("a\nb\r\nc\rd\0\xff\n"), TEXT("a\nb\r\nc\rd\0\xff\n") },
    { "encode_nothing", &to_crlf, TEXT(""), TEXT("") },
    { "encode_lf", &to_crlf, TEXT("\n"), TEXT("\r\n") },
    { "encode_two_lf", &to_crlf, TEXT("\n\n"), TEXT("\r\n\r\n") },
    { "encode_many_lf", &to_crlf, TEXT("\n\n\n\n\n"), TEXT("\r\n\r\n\r\n\r\n\r\n") },
    { "encode_a_line", &to_crlf, TEXT("abc\n"), TEXT("abc\r\n") },
    { "encode_lines", &to_crlf, TEXT("abc\nde\n\nf\n"), TEXT("abc\r\nde\r\n\r\nf\r\n") },
    { "encode_no_line_end", &to_crlf, TEXT("abc"), TEXT("abc") },
    { "encode_no_line_end_at_the_end", &to_crlf, TEXT("a\nbc"), TEXT("a\r\nbc") },
    { "encode_leaves_crlf", &to_crlf, TEXT("a\r\nb\r\n"), TEXT("a\r\nb\r\n") },
    { "encode_leaves_crlf_alone", &to_crlf, TEXT("\r\n"), TEXT("\r\n") },
    { "encode_leaves_cr", &to_crlf, TEXT("a\rb\r"), TEXT("a\rb\r") },
    { "encode_cr_cr_lf", &to_crlf, TEXT("\r\r\n"), TEXT("\r\r\n") },
    { "encode_crlf_lf", &to_crlf, TEXT("\r\n\n"), TEXT("\r\n\r\n") },
    { "encode_lf_cr", &to_crlf, TEXT("\n\r"), TEXT("\r\n\r") },
    { "encode_lf_cr_lf", &to_crlf, TEXT("\n\r\n"), TEXT("\r\n\r\n") },
    { "encode_cr_far_from_lf", &to_crlf, TEXT("\ra\n"), TEXT("\ra\r\n") },
    { "encode_mixed", &to_crlf, TEXT("a\nb\r\nc\rd\n"), TEXT("a\r\nb\r\nc\rd\r\n") },
    { "encode_any_byte", &to_crlf, TEXT("\0\n\xff\n\x8a\x1a\n"), TEXT("\0\r\n\xff\r\n\x8a\x1a\r\n") },
    { "decode_nothing", &to_lf, TEXT(""), TEXT("") },
    { "decode_crlf", &to_lf, TEXT("\r\n"), TEXT("\n") },
    { "decode_many_crlf", &to_lf, TEXT("\r\n\r\n\r\n\r\n"), TEXT("\n\n\n\n") },
    { "decode_lines", &to_lf, TEXT("abc\r\nde\r\n\r\nf\r\n"), TEXT("abc\nde\n\nf\n") },
    { "decode_no_line_end", &to_lf, TEXT("abc"), TEXT("abc") },
    { "decode_leaves_lf", &to_lf, TEXT("a\nb\n"), TEXT("a\nb\n") },
    { "decode_leaves_cr", &to_lf, TEXT("a\rb"), TEXT("a\rb") },
    { "decode_leaves_cr_at_the_end", &to_lf, TEXT("a\r"), TEXT("a\r") },
    { "decode_leaves_cr_alone", &to_lf, TEXT("\r"), TEXT("\r") },
    { "decode_leaves_many_cr", &to_lf, TEXT("\r\r\r\r"), TEXT("\r\r\r\r") },
    { "decode_cr_cr_lf", &to_lf, TEXT("\r\r\n"), TEXT("\r\n") },
    { "decode_lf_cr", &to_lf, TEXT("\n\r"), TEXT("\n\r") },
    { "decode_crlf_cr", &to_lf, TEXT("\r\n\r"), TEXT("\n\r") },
    { "decode_mixed", &to_lf, TEXT("a\nb\r\nc\rd\r\r\n"), TEXT("a\nb\nc\rd\r\n") },
    { "decode_any_byte", &to_lf, TEXT("\0\r\n\xff\r\x8a\x8d\r\n"), TEXT("\0\n\xff\r\x8a\x8d\n") },
};
/* clang-format on */

static void check_lines(void **state)
{
    const struct lines_row *row = *state;

    assert_codec(row->plan, row->in, row->in_len, CODEC_END, row->out, row->out_len);
}

static void check_lines_packed(void **state)
{
    const struct lines_row *row = *state;
    struct codec_plan plan = *row->plan;
    struct str packed = STR_INIT(TEXT_MAX);

    plan.deflate = true;
    plan.level = 9;
    if (!plan.encode) {
        run_at_once(&pack, row->in, row->in_len, &packed);
        assert_codec(&plan, str_text(&packed), packed.len, CODEC_END, row->out, row->out_len);
        str_free(&packed);
        return;
    }
    for (size_t piece = 1; piece <= row->in_len + 1; piece++) {
        for (size_t room = CODEC_OUT_MIN; room < 40; room++) {
            struct str unpacked = STR_INIT(TEXT_MAX);

            assert_int_equal(
                run_pieces(&plan, row->in, row->in_len, piece, room, piece % 2, &packed),
                CODEC_END);
            run_at_once(&unpack, str_text(&packed), packed.len, &unpacked);
            assert_int_equal(unpacked.len, row->out_len);
            assert_memory_equal(str_text(&unpacked), row->out, row->out_len);
            str_free(&unpacked);
            str_clear(&packed);
        }
    }
    str_free(&packed);
}

static void check_growth(void **state)
{
    const struct lines_row *row = *state;
    struct str out = STR_INIT(TEXT_MAX);

    run_at_once(&to_crlf, row->in, row->in_len, &out);
    for (size_t piece = 1; piece <= row->in_len; piece++) {
        struct ascii_count count = {false};
        uint64_t growth = 0;

        for (size_t at = 0; at < row->in_len; at += piece) {
            size_t left = row->in_len - at;

            growth += codec_ascii_growth(&count, row->in + at, left < piece ? left : piece);
            growth += codec_ascii_growth(&count, NULL, 0); /* does not forget */
        }
        assert_int_equal(growth, out.len - row->in_len);
    }
    str_free(&out);
}

/* The same rows under another name. */
static void add_lines(CMUnitTestFunction run, const char *prefix)
{
    static char names[3 * ARRAY_LEN(lines_rows)][64];
    static size_t used;

    for (size_t i = 0; i < ARRAY_LEN(lines_rows); i++) {
        struct str name = STR_INIT(sizeof(names[0]) - 1);

        str_append(&name, prefix);
        str_append(&name, lines_rows[i].name);
        memcpy(names[used], str_text(&name), name.len);
        unit_add(names[used++], run, &lines_rows[i]);
        str_free(&name);
    }
}

static void a_cr_waits_for_the_next_byte(void **state)
{
    struct codec *c = codec_new(&to_lf);
    char out[8];
    size_t used, len;

    (void)state;
    assert_int_equal(codec_run(c, "a\r", 2, &used, out, sizeof(out), &len, false), CODEC_MORE);
    assert_int_equal(used, 2);
    assert_int_equal(len, 1);
    assert_int_equal(codec_run(c, NULL, 0, &used, out, sizeof(out), &len, false), CODEC_MORE);
    assert_int_equal(len, 0);
    assert_int_equal(codec_run(c, "\nb\r", 3, &used, out, sizeof(out), &len, false), CODEC_MORE);
    assert_int_equal(len, 2);
    assert_memory_equal(out, "\nb", 2);
    assert_int_equal(codec_run(c, NULL, 0, &used, out, sizeof(out), &len, true), CODEC_END);
    assert_int_equal(len, 1);
    assert_int_equal(out[0], '\r');
    codec_free(c);
}

/* Text of lines of 0 to 80 bytes; to be freed. */
static char *make_text(size_t len)
{
    char *text = malloc(len);
    uint32_t random = 7;
    size_t left = 0;

    assert_non_null(text);
    for (size_t i = 0; i < len; i++) {
        random = random * 1664525 + 1013904223;
        if (left == 0) {
            text[i] = '\n';
            left = (random >> 24) % 81;
        } else {
            text[i] = (char)('a' + (random >> 24) % 26);
            left--;
        }
    }
    return text;
}

struct long_row {
    const char *name;
    const struct codec_plan *out, *back;
    size_t in_piece, out_piece;
};

/* clang-format off */
static const struct long_row long_rows[] = {
    { "long_text_in_large_pieces", &to_crlf, &to_lf, 131072, 131072 },
    { "long_text_in_odd_pieces", &to_crlf, &to_lf, 997, 1013 },
    { "long_text_into_small_pieces", &to_crlf, &to_lf, 100000, 3 },
    { "long_text_packed_in_large_pieces", &pack_crlf, &unpack_lf, 131072, 131072 },
    { "long_text_packed_in_odd_pieces", &pack_crlf, &unpack_lf, 997, 1013 },
    { "long_text_packed_into_small_pieces", &pack_crlf, &unpack_lf, 100000, 3 },
    { "long_data_packed", &pack, &unpack, 131072, 131072 },
    { "long_data_packed_in_odd_pieces", &pack, &unpack, 997, 1013 },
};
/* clang-format on */

static void check_long(void **state)
{
    const struct long_row *row = *state;
    const size_t len = 1000000;
    char *text = make_text(len);
    struct str there = STR_INIT(2 * len), back = STR_INIT(2 * len);

    assert_int_equal(
        run_pieces(row->out, text, len, row->in_piece, row->out_piece, LAST_WITH_INPUT, &there),
        CODEC_END);
    if (!row->out->deflate) {
        struct ascii_count count = {false};

        assert_int_equal(there.len, len + codec_ascii_growth(&count, text, len));
    } else {
        assert_true(there.len < len);
    }
    assert_int_equal(run_pieces(row->back, str_text(&there), there.len, row->in_piece,
                                row->out_piece, LAST_ALONE, &back),
                     CODEC_END);
    assert_int_equal(back.len, len);
    assert_memory_equal(str_text(&back), text, len);
    str_free(&there);
    str_free(&back);
    free(text);
}

static void a_stream_without_its_end_is_cut(void **state)
{
    static const char text[] = "one\r\ntwo\r\nthree\r";
    struct str packed = STR_INIT(TEXT_MAX);

    (void)state;
    run_at_once(&pack, text, sizeof(text) - 1, &packed);
    for (size_t len = 0; len < packed.len; len++) {
        struct str whole = STR_INIT(TEXT_MAX);

        assert_int_equal(run_pieces(&unpack_lf, str_text(&packed), len, len + 1, TEXT_MAX,
                                    LAST_WITH_INPUT, &whole),
                         CODEC_CUT);
        assert_codec(&unpack_lf, str_text(&packed), len, CODEC_CUT, str_text(&whole), whole.len);
        if (len == packed.len - 1) { /* the checksum is cut; all data came */
            assert_string_equal(str_text(&whole), "one\ntwo\nthree\r");
        }
        str_free(&whole);
    }
    str_free(&packed);
}

struct bad_row {
    const char *name;
    size_t
        change_at; /* this byte of the stream is changed, from its end if after_end is not NULL */
    const char *after_end;
    const char *out;
};

#define NO_CHANGE SIZE_MAX

/* clang-format off */
static const struct bad_row bad_rows[] = {
    { "bad_first_byte", 0, "", "" },
    { "bad_second_byte", 1, "", "" },
    { "bad_byte_behind_the_end", NO_CHANGE, "x", "hello\n" },
    { "bad_bytes_behind_the_end", NO_CHANGE, "\r\n\r\n\r\n", "hello\n" },
};
/* clang-format on */

static void check_bad(void **state)
{
    const struct bad_row *row = *state;
    struct str packed = STR_INIT(TEXT_MAX);

    run_at_once(&pack, "hello\r\n", 7, &packed);
    if (row->change_at != NO_CHANGE) {
        packed.buf[row->change_at] ^= 0x55;
    }
    str_append(&packed, row->after_end);
    assert_codec(&unpack_lf, str_text(&packed), packed.len, CODEC_BAD, row->out, strlen(row->out));
    assert_codec(&unpack, str_text(&packed), packed.len, CODEC_BAD,
                 row->out[0] != '\0' ? "hello\r\n" : "", row->out[0] != '\0' ? 7 : 0);
    str_free(&packed);
}

static void text_is_no_stream(void **state)
{
    (void)state;
    assert_codec(&unpack, TEXT("These are bytes of a client that forgot MODE Z.\r\n"), CODEC_BAD,
                 "", 0);
}

static void an_ended_stream_waits_for_the_last_call(void **state)
{
    struct codec *c = codec_new(&unpack_lf);
    struct str packed = STR_INIT(TEXT_MAX);
    char out[64];
    size_t used, len;

    (void)state;
    run_at_once(&pack, "hello\r", 6, &packed);
    assert_int_equal(
        codec_run(c, str_text(&packed), packed.len, &used, out, sizeof(out), &len, false),
        CODEC_MORE);
    assert_int_equal(used, packed.len);
    assert_int_equal(len, 6); /* its CR does not wait: the end of the stream was seen */
    assert_int_equal(codec_run(c, NULL, 0, &used, out, sizeof(out), &len, false), CODEC_MORE);
    assert_int_equal(codec_run(c, NULL, 0, &used, out, sizeof(out), &len, true), CODEC_END);
    assert_int_equal(len, 0);
    codec_free(c);
    str_free(&packed);
}

static void nothing_becomes_an_empty_stream(void **state)
{
    struct str packed = STR_INIT(TEXT_MAX);

    (void)state;
    run_at_once(&pack_crlf, NULL, 0, &packed);
    assert_true(packed.len >= 8);
    assert_codec(&unpack_lf, str_text(&packed), packed.len, CODEC_END, "", 0);
    str_free(&packed);
}

static void the_level_decides_the_size(void **state)
{
    struct codec_plan plan = pack;
    char *text = make_text(100000);
    struct str best = STR_INIT(200000), fast = STR_INIT(200000);

    (void)state;
    plan.level = 1;
    run_at_once(&plan, text, 100000, &fast);
    plan.level = 9;
    run_at_once(&plan, text, 100000, &best);
    assert_true(best.len < fast.len);
    str_free(&best);
    str_free(&fast);
    free(text);
}

static void a_codec_may_be_given_up_half_way(void **state)
{
    struct codec *c = codec_new(zstream_available() ? &pack_crlf : &to_crlf);
    char out[64];
    size_t used, len;

    (void)state;
    assert_int_equal(codec_run(c, "a\n", 2, &used, out, sizeof(out), &len, false), CODEC_MORE);
    codec_free(c); /* the sanitizer finds what is left */
    codec_free(NULL);
}

struct work_row {
    const char *name;
    const struct codec_plan *plan;
    char letter;
};

/* clang-format off */
static const struct work_row work_rows[] = {
    { "work_of_one_line_to_crlf_is_bounded", &to_crlf, 'a' },
    { "work_of_one_line_to_lf_is_bounded", &to_lf, 'a' },
    { "work_of_line_ends_to_crlf_is_bounded", &to_crlf, '\n' },
    { "work_of_line_ends_to_lf_is_bounded", &to_lf, '\r' },
};
/* clang-format on */

/*
 * A large input and the smallest output, in a process that may use five seconds of processor time: it
 * needs a fraction of one if no byte is looked at more than a few times.
 */
static void check_work(void **state)
{
    const struct rlimit seconds = {.rlim_cur = 5, .rlim_max = 5};
    const struct work_row *row = *state;
    const size_t size = 4 << 20;
    char *data = unit_repeat(row->letter, size);
    pid_t pid = fork();

    if (pid == 0) {
        struct codec *c = codec_new(row->plan);
        size_t used, len, at = 0;
        char out[CODEC_OUT_MIN];

        if (setrlimit(RLIMIT_CPU, &seconds) != 0) {
            _exit(1);
        }
        while (codec_run(c, data + at, size - at, &used, out, sizeof(out), &len, true) ==
               CODEC_FULL) {
            at += used;
        }
        _exit(at + used == size ? 0 : 1);
    }
    assert_int_equal(sysutil_wait(pid), 0);
    free(data);
}

static void without_zlib_there_is_no_mode_z(void **state)
{
    (void)state;
    assert_null(codec_new(&pack));
    assert_null(codec_new(&unpack_lf));
}

int main(void)
{
    UNIT_ADD_TABLE(check_lines, lines_rows);
    add_lines(check_growth, "growth_of_");
    UNIT_ADD(a_cr_waits_for_the_next_byte);
    unit_add_rows(check_long, long_rows, 3, sizeof(long_rows[0]));
    UNIT_ADD(a_codec_may_be_given_up_half_way);
    UNIT_ADD_TABLE(check_work, work_rows);
    if (!zstream_available()) {
        UNIT_ADD(without_zlib_there_is_no_mode_z);
        return unit_run("codec");
    }
    add_lines(check_lines_packed, "packed_");
    unit_add_rows(check_long, long_rows + 3, ARRAY_LEN(long_rows) - 3, sizeof(long_rows[0]));
    UNIT_ADD(a_stream_without_its_end_is_cut);
    UNIT_ADD_TABLE(check_bad, bad_rows);
    UNIT_ADD(text_is_no_stream);
    UNIT_ADD(an_ended_stream_waits_for_the_last_call);
    UNIT_ADD(nothing_becomes_an_empty_stream);
    UNIT_ADD(the_level_decides_the_size);
    return unit_run("codec");
}
