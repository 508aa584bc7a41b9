/*
 * zstream.c - zlib streams: a thin layer over zlib
 *
 * Process: S.
 * Trusts:  nothing about a stream that is read; its expansion is bounded by the room of each call.
 * Touches: memory of its own only.
 */
#include "zstream.h"

#include <stdlib.h>

#ifdef WITH_ZLIB
#define ZLIB_CONST
#include <zlib.h>
#endif

#include "sysutil.h"

#ifdef WITH_ZLIB

/* zlib counts in 32 bits: what is more than this is left for the next call. */
#define PIECE_MAX ((size_t)1 << 30)

struct zstream {
    z_stream z;
    bool writing;
    bool ended;
};

bool zstream_available(void)
{
    return true;
}

uint32_t zstream_crc32(uint32_t crc, const void *data, size_t len)
{
    return len > 0 ? (uint32_t)crc32_z(crc, data, len) : crc; /* it starts anew when it sees NULL */
}

struct zstream *zstream_new_deflate(int level)
{
    struct zstream *z = calloc(1, sizeof(*z));

    if (level < 1 || level > 9) {
        bug("no such compression level");
    }
    if (z != NULL && deflateInit(&z->z, level) != Z_OK) {
        free(z);
        return NULL;
    }
    if (z != NULL) {
        z->writing = true;
    }
    return z;
}

struct zstream *zstream_new_inflate(void)
{
    struct zstream *z = calloc(1, sizeof(*z));

    if (z != NULL && inflateInit(&z->z) != Z_OK) {
        free(z);
        return NULL;
    }
    return z;
}

void zstream_free(struct zstream *z)
{
    if (z == NULL) {
        return;
    }
    if (z->writing) {
        (void)deflateEnd(&z->z); /* says only whether the stream was complete */
    } else {
        (void)inflateEnd(&z->z);
    }
    free(z);
}

enum zstream_result zstream_run(struct zstream *z, const char *in, size_t in_len, size_t *in_used,
                                char *out, size_t cap, size_t *out_len, bool last)
{
    size_t in_piece = in_len < PIECE_MAX ? in_len : PIECE_MAX;
    size_t out_piece = cap < PIECE_MAX ? cap : PIECE_MAX;
    int result;

    *in_used = 0;
    *out_len = 0;
    if (z->ended) {
        return in_len == 0 ? ZSTREAM_END : ZSTREAM_BAD;
    }
    z->z.next_in = (const Bytef *)in;
    z->z.avail_in = (uInt)in_piece;
    z->z.next_out = (Bytef *)out;
    z->z.avail_out = (uInt)out_piece;
    if (z->writing) {
        result = deflate(&z->z, last && in_piece == in_len ? Z_FINISH : Z_NO_FLUSH);
    } else {
        result = inflate(&z->z, Z_NO_FLUSH);
    }
    *in_used = in_piece - z->z.avail_in;
    *out_len = out_piece - z->z.avail_out;
    switch (result) {
    case Z_STREAM_END:
        z->ended = true;
        return *in_used == in_len ? ZSTREAM_END : ZSTREAM_BAD;
    case Z_OK:
    case Z_BUF_ERROR: /* nothing to do: no harm is done */
        return *in_used == in_len && z->z.avail_out > 0 ? ZSTREAM_MORE : ZSTREAM_FULL;
    default:
        return ZSTREAM_BAD;
    }
}

#else

bool zstream_available(void)
{
    return false;
}

uint32_t zstream_crc32(uint32_t crc, const void *data, size_t len)
{
    (void)crc;
    (void)data;
    (void)len;
    return 0;
}

struct zstream *zstream_new_deflate(int level)
{
    (void)level;
    return NULL;
}

struct zstream *zstream_new_inflate(void)
{
    return NULL;
}

void zstream_free(struct zstream *z)
{
    (void)z;
}

enum zstream_result zstream_run(struct zstream *z, const char *in, size_t in_len, size_t *in_used,
                                char *out, size_t cap, size_t *out_len, bool last)
{
    (void)z;
    (void)in;
    (void)in_len;
    (void)in_used;
    (void)out;
    (void)cap;
    (void)out_len;
    (void)last;
    bug("there is no stream without zlib");
}

#endif
