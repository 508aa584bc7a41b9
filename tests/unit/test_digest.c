/*
 * test_digest.c - checksums
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 */
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "unit.h"
#include "zstream.h"

struct vector_row {
    const char *name;
    enum digest_kind kind;
    const char *unit;
    size_t times;
    const char *hex;
};

/* The examples of FIPS 180 and RFC 1321, and the check value of CRC-32. */
/* clang-format off */
static const struct vector_row vector_rows[] = {
    { "sha256_of_nothing", DIGEST_SHA256, "", 1,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "sha256_of_abc", DIGEST_SHA256, "abc", 1,
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "sha256_of_two_blocks", DIGEST_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    { "sha256_of_a_million", DIGEST_SHA256, "a", 1000000,
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
    { "sha512_of_nothing", DIGEST_SHA512, "", 1,
      "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
      "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
    { "sha512_of_abc", DIGEST_SHA512, "abc", 1,
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
    { "sha512_of_two_long_blocks", DIGEST_SHA512, "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
      "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu", 1,
      "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
      "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909" },
    { "sha512_of_a_million", DIGEST_SHA512, "a", 1000000,
      "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
      "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b" },
    { "sha1_of_nothing", DIGEST_SHA1, "", 1,
      "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
    { "sha1_of_abc", DIGEST_SHA1, "abc", 1,
      "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { "sha1_of_two_blocks", DIGEST_SHA1, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
    { "sha1_of_a_million", DIGEST_SHA1, "a", 1000000,
      "34aa973cd4c4daa4f61eeb2bdbad27316534016f" },
    { "md5_of_nothing", DIGEST_MD5, "", 1,
      "d41d8cd98f00b204e9800998ecf8427e" },
    { "md5_of_a", DIGEST_MD5, "a", 1,
      "0cc175b9c0f1b6a831c399e269772661" },
    { "md5_of_abc", DIGEST_MD5, "abc", 1,
      "900150983cd24fb0d6963f7d28e17f72" },
    { "md5_of_message_digest", DIGEST_MD5, "message digest", 1,
      "f96b697d7cb7938d525a2f31aaf161d0" },
    { "md5_of_eighty_digits", DIGEST_MD5, "1234567890", 8,
      "57edf4a22be3c955ac49da2e2107b67a" },
    { "md5_of_a_million", DIGEST_MD5, "a", 1000000,
      "7707d6ae4e027c70eea2a935c2296f21" },
    { "crc32_of_nothing", DIGEST_CRC32, "", 1,
      "00000000" },
    { "crc32_of_abc", DIGEST_CRC32, "abc", 1,
      "352441c2" },
    { "crc32_of_digits", DIGEST_CRC32, "123456789", 1,
      "cbf43926" },
    { "crc32_of_a_million", DIGEST_CRC32, "a", 1000000,
      "dc25bfbc" },
};
/* clang-format on */

/* `unit` written `times` times; to be freed. */
static char *repeat_text(const char *unit, size_t times)
{
    size_t len = strlen(unit);
    char *text = malloc(len * times + 1);

    assert_non_null(text);
    for (size_t i = 0; i < times; i++) {
        memcpy(text + i * len, unit, len);
    }
    return text;
}

/* The checksum of data in pieces, into hex[DIGEST_HEX_MAX]. */
static void digest_pieces(enum digest_kind kind, const char *data, size_t len, size_t piece,
                          char *hex)
{
    struct digest *d = digest_new(kind);

    assert_non_null(d);
    for (size_t at = 0; at < len; at += piece) {
        digest_add(d, data + at, len - at < piece ? len - at : piece);
        digest_add(d, NULL, 0);
    }
    digest_end(d, hex);
}

static void check_vector(void **state)
{
    static const size_t pieces[] = {63, 64, 65, 127, 128, 129, 4096, 10000000};
    const struct vector_row *row = *state;
    size_t len = strlen(row->unit) * row->times;
    char *data = repeat_text(row->unit, row->times);
    char hex[DIGEST_HEX_MAX];

    if (!digest_available(row->kind)) {
        assert_null(digest_new(row->kind));
        free(data);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        digest_pieces(row->kind, data, len, pieces[i], hex);
        assert_string_equal(hex, row->hex);
    }
    free(data);
}

/* Around the ends of blocks, where the padding begins and where it needs a block more. */
static void pieces_do_not_matter(void **state)
{
    char *data = unit_repeat('x', 300);

    (void)state;
    for (unsigned kind = 0; kind < DIGEST_KINDS; kind++) {
        for (size_t len = 0; digest_available(kind) && len <= 300; len++) {
            char at_once[DIGEST_HEX_MAX], in_pieces[DIGEST_HEX_MAX];

            digest_pieces(kind, data, len, 1000, at_once);
            digest_pieces(kind, data, len, 1, in_pieces);
            assert_string_equal(at_once, in_pieces);
            digest_pieces(kind, data, len, 61, in_pieces);
            assert_string_equal(at_once, in_pieces);
        }
    }
    free(data);
}

struct name_row {
    const char *name;
    const char *text;
    enum digest_kind kind; /* DIGEST_KINDS: not found */
};

/* clang-format off */
static const struct name_row name_rows[] = {
    { "name_sha_256", "SHA-256", DIGEST_SHA256 },
    { "name_sha_512", "SHA-512", DIGEST_SHA512 },
    { "name_sha_1", "SHA-1", DIGEST_SHA1 },
    { "name_md5", "MD5", DIGEST_MD5 },
    { "name_crc32", "CRC32", DIGEST_CRC32 },
    { "name_without_case", "sha-256", DIGEST_SHA256 },
    { "name_with_mixed_case", "Md5", DIGEST_MD5 },
    { "name_without_hyphen", "SHA256", DIGEST_KINDS },
    { "name_with_more_behind", "MD5X", DIGEST_KINDS },
    { "name_cut", "SHA-", DIGEST_KINDS },
    { "name_empty", "", DIGEST_KINDS },
    { "name_of_another_algorithm", "SHA-384", DIGEST_KINDS },
};
/* clang-format on */

static void check_name(void **state)
{
    const struct name_row *row = *state;
    enum digest_kind kind = DIGEST_KINDS;
    bool here = row->kind != DIGEST_KINDS && digest_available(row->kind);

    assert_int_equal(digest_find(row->text, &kind), here);
    assert_int_equal(kind, here ? row->kind : DIGEST_KINDS);
}

static void names_find_themselves(void **state)
{
    (void)state;
    for (unsigned i = 0; i < DIGEST_KINDS; i++) {
        enum digest_kind kind;

        if (digest_available(i)) {
            assert_true(digest_find(digest_name(i), &kind));
            assert_int_equal(kind, i);
        }
    }
}

static void the_libraries_decide_what_there_is(void **state)
{
    bool libmd = false;

    (void)state;
#ifdef WITH_LIBMD
    libmd = true;
#endif
    assert_int_equal(digest_available(DIGEST_SHA256), libmd);
    assert_int_equal(digest_available(DIGEST_SHA512), libmd);
    assert_int_equal(digest_available(DIGEST_SHA1), libmd);
    assert_int_equal(digest_available(DIGEST_MD5), libmd);
    assert_int_equal(digest_available(DIGEST_CRC32), zstream_available());
}

static void a_checksum_may_be_given_up_half_way(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < DIGEST_KINDS; kind++) {
        struct digest *d = digest_new(kind);

        if (d != NULL) {
            digest_add(d, "abc", 3);
        }
        digest_free(d); /* the sanitizer finds what is left */
    }
}

int main(void)
{
    UNIT_ADD_TABLE(check_vector, vector_rows);
    UNIT_ADD(pieces_do_not_matter);
    UNIT_ADD_TABLE(check_name, name_rows);
    UNIT_ADD(names_find_themselves);
    UNIT_ADD(the_libraries_decide_what_there_is);
    UNIT_ADD(a_checksum_may_be_given_up_half_way);
    return unit_run("digest");
}
