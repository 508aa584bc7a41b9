/*
 * digest.c - checksums of files: a thin layer over libmd
 *
 * Process: S.
 * Trusts:  nothing about the data.
 * Touches: memory of its own only.
 */
#include "digest.h"

#include <stdint.h>
#include <stdlib.h>

#ifdef WITH_LIBMD
#include <md5.h>
#include <sha1.h>
#include <sha2.h>
#endif

#include "str.h"
#include "sysutil.h"
#include "zstream.h"

#define RESULT_MAX 64

_Static_assert(DIGEST_HEX_MAX == 2 * RESULT_MAX + 1, "two digits for a byte, and a NUL");

struct digest {
    enum digest_kind kind;
    union {
#ifdef WITH_LIBMD
        SHA2_CTX sha2;
        SHA1_CTX sha1;
        MD5_CTX md5;
#endif
        uint32_t crc;
    } state;
};

struct algorithm {
    const char *name;
    size_t result_len;
    void (*start)(struct digest *d); /* NULL: this build does not have it */
    void (*add)(struct digest *d, const void *data, size_t len);
    void (*end)(struct digest *d, uint8_t *result);
};

/* The three functions of an algorithm of libmd, for its row of the table. */
#ifdef WITH_LIBMD
#define LIBMD(name, prefix, member)                                                                \
    static void name##_start(struct digest *d)                                                     \
    {                                                                                              \
        prefix##Init(&d->state.member);                                                            \
    }                                                                                              \
    static void name##_add(struct digest *d, const void *data, size_t len)                         \
    {                                                                                              \
        prefix##Update(&d->state.member, data, len);                                               \
    }                                                                                              \
    static void name##_end(struct digest *d, uint8_t *result)                                      \
    {                                                                                              \
        prefix##Final(result, &d->state.member);                                                   \
    }

LIBMD(sha256, SHA256, sha2)
LIBMD(sha512, SHA512, sha2)
LIBMD(sha1, SHA1, sha1)
LIBMD(md5, MD5, md5)
#define LIBMD_ROW(name) name##_start, name##_add, name##_end
#else
#define LIBMD_ROW(name) NULL, NULL, NULL
#endif

static void crc32_start(struct digest *d)
{
    d->state.crc = 0;
}

static void crc32_add(struct digest *d, const void *data, size_t len)
{
    d->state.crc = zstream_crc32(d->state.crc, data, len);
}

static void crc32_end(struct digest *d, uint8_t *result)
{
    for (size_t i = 0; i < 4; i++) {
        result[i] = (uint8_t)(d->state.crc >> (24 - 8 * i));
    }
}

/* clang-format off */
static const struct algorithm algorithms[DIGEST_KINDS] = {
    [DIGEST_SHA256] = { "SHA-256", 32, LIBMD_ROW(sha256) },
    [DIGEST_SHA512] = { "SHA-512", 64, LIBMD_ROW(sha512) },
    [DIGEST_SHA1]   = { "SHA-1",   20, LIBMD_ROW(sha1) },
    [DIGEST_MD5]    = { "MD5",     16, LIBMD_ROW(md5) },
    [DIGEST_CRC32]  = { "CRC32",    4, crc32_start, crc32_add, crc32_end },
};
/* clang-format on */

static const struct algorithm *algorithm_of(enum digest_kind kind)
{
    if ((unsigned)kind >= DIGEST_KINDS) {
        bug("no such checksum");
    }
    return &algorithms[kind];
}

const char *digest_name(enum digest_kind kind)
{
    return algorithm_of(kind)->name;
}

bool digest_available(enum digest_kind kind)
{
    return algorithm_of(kind)->start != NULL && (kind != DIGEST_CRC32 || zstream_available());
}

bool digest_find(const char *name, enum digest_kind *kind_out)
{
    for (unsigned i = 0; i < DIGEST_KINDS; i++) {
        enum digest_kind kind = (enum digest_kind)i;

        if (str_equal_nocase(name, digest_name(kind)) && digest_available(kind)) {
            *kind_out = kind;
            return true;
        }
    }
    return false;
}

struct digest *digest_new(enum digest_kind kind)
{
    struct digest *d = digest_available(kind) ? malloc(sizeof(*d)) : NULL;

    if (d != NULL) {
        d->kind = kind;
        algorithm_of(kind)->start(d);
    }
    return d;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
    if (len > 0) { /* NULL would do then, but not for everyone below */
        algorithm_of(d->kind)->add(d, data, len);
    }
}

void digest_end(struct digest *d, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    const struct algorithm *algorithm = algorithm_of(d->kind);
    uint8_t result[RESULT_MAX];

    algorithm->end(d, result);
    for (size_t i = 0; i < algorithm->result_len; i++) {
        hex[2 * i] = digits[result[i] >> 4];
        hex[2 * i + 1] = digits[result[i] & 15];
    }
    hex[2 * algorithm->result_len] = '\0';
    digest_free(d);
}

void digest_free(struct digest *d)
{
    free(d);
}
