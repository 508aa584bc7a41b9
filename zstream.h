/*
 * zstream.h - zlib streams: a thin layer over zlib, which only zstream.c includes
 *
 * A build without zlib has all of this too; the constructors return NULL there.
 */
#ifndef MINIFTPD_ZSTREAM_H
#define MINIFTPD_ZSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.h"

struct zstream;

/* False in a build without zlib. */
bool zstream_available(void);

/* The CRC-32 of ISO 3309 over more data; start with 0. Always 0 in a build without zlib. */
uint32_t zstream_crc32(uint32_t crc, const void *data, size_t len);

/*
 * A stream in the format of RFC 1950 to be written (level 1 to 9), or to be read. Returns NULL without
 * memory or without zlib. To be freed with zstream_free(), which takes NULL too.
 */
MUST_CHECK struct zstream *zstream_new_deflate(int level);
MUST_CHECK struct zstream *zstream_new_inflate(void);
void zstream_free(struct zstream *z);

enum zstream_result {
    ZSTREAM_MORE, /* all input is taken, more is wanted */
    ZSTREAM_FULL, /* the output is full: empty it and call again with the rest of the input */
    ZSTREAM_END,  /* the end of the stream, and all of it is out */
    ZSTREAM_BAD,  /* not such a stream, or bytes behind its end (or no memory); of no more use */
};

/*
 * Take some of in[in_len], write some of out[cap] (cap at least 1). *in_used and *out_len are set on
 * every return; what was written before ZSTREAM_BAD is good.
 * last: of a stream being written: nothing comes after `in`; ZSTREAM_MORE is not returned then. With
 * in_len 0 nothing but the end is written. Ignored for a stream being read, which knows its own end.
 */
MUST_CHECK enum zstream_result zstream_run(struct zstream *z, const char *in, size_t in_len,
                                           size_t *in_used, char *out, size_t cap, size_t *out_len,
                                           bool last);

#endif
