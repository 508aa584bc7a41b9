/*
 * digest.h - checksums of files: a thin layer over libmd, which only digest.c includes
 *
 * A build without libmd has CRC32 only, and one without zlib not even that.
 */
#ifndef MINIFTPD_DIGEST_H
#define MINIFTPD_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "common.h"

enum digest_kind {
    DIGEST_SHA256,
    DIGEST_SHA512,
    DIGEST_SHA1,
    DIGEST_MD5,
    DIGEST_CRC32,
    DIGEST_KINDS, /* how many */
};

/* The longest result as text with its NUL: SHA-512. */
#define DIGEST_HEX_MAX 129

struct digest;

/* The name of the algorithm as HASH writes it: "SHA-256", "SHA-512", "SHA-1", "MD5", "CRC32". */
const char *digest_name(enum digest_kind kind);

/* True if this build has it. */
bool digest_available(enum digest_kind kind);

/* The kind of that name, without case, if this build has it. Returns false, and leaves *kind_out, if not. */
MUST_CHECK bool digest_find(const char *name, enum digest_kind *kind_out);

/* Returns NULL without memory, or if this build does not have it. */
MUST_CHECK struct digest *digest_new(enum digest_kind kind);

void digest_add(struct digest *d, const void *data, size_t len);

/* The result, lower case and NUL-terminated, into hex[DIGEST_HEX_MAX]; frees d. */
void digest_end(struct digest *d, char *hex);

/* To give up before the end. NULL is fine. */
void digest_free(struct digest *d);

#endif
