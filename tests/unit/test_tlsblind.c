/*
 * test_tlsblind.c - what hides the use of an RSA key from who measures its time
 *
 * Process: a test program, and the relays it forks.
 * Trusts:  nothing.
 * Touches: its own memory. The module is part of it, so that its factors can be looked at.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* as the module */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/bn.h>

/* Every use of a factor comes through here. */
static int note_use(BIGNUM *n, BIGNUM *r, BN_BLINDING *b, BN_CTX *ctx);

#define BN_BLINDING_convert_ex note_use
#include "tlsblind.c" /* NOLINT */
#undef BN_BLINDING_convert_ex

#include <openssl/err.h>

#include "sysutil.h"
#include "unit.h"

#define BITS           2048
#define BYTES          (BITS / 8)
#define USES_MAX       256
#define RELAYS         40 /* more than there are squarings of one factor */
#define USES_OF_RELAYS 3

/* Of all processes. */
static struct uses {
    unsigned count;
    bool fails; /* no factor can be used */
    unsigned char factor[USES_MAX][BYTES];
} * uses;

static EVP_PKEY *plain_key; /* as it came, to verify with */

/* factor = after / before, modulo the key's modulus */
static void keep_factor(const BIGNUM *before, const BIGNUM *after, BN_CTX *ctx)
{
    BIGNUM *n = NULL;
    BIGNUM *factor = BN_new();

    assert_int_equal(EVP_PKEY_get_bn_param(plain_key, "n", &n), 1);
    assert_non_null(BN_mod_inverse(factor, before, n, ctx));
    assert_int_equal(BN_mod_mul(factor, factor, after, n, ctx), 1);
    assert_true(uses->count < USES_MAX);
    assert_int_equal(BN_bn2binpad(factor, uses->factor[uses->count++], BYTES), BYTES);
    BN_free(n);
    BN_free(factor);
}

static int note_use(BIGNUM *n, BIGNUM *r, BN_BLINDING *b, BN_CTX *ctx)
{
    BIGNUM *before = BN_dup(n);
    int result = uses->fails ? 0 : BN_BLINDING_convert_ex(n, r, b, ctx);

    if (result == 1) {
        keep_factor(before, n, ctx);
    }
    BN_free(before);
    return result;
}

/* ---- keys and contexts ---- */

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *cert = X509_new();

    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static void add_key(SSL_CTX *ctx, EVP_PKEY *key)
{
    X509 *cert = make_certificate(key);

    assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
    X509_free(cert);
}

static SSL_CTX *make_plain(const char *ciphers)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    assert_int_equal(SSL_CTX_set_cipher_list(ctx, ciphers), 1);
    add_key(ctx, plain_key);
    return ctx;
}

/* A context with an RSA key that was adopted. */
static SSL_CTX *make_adopted(void)
{
    SSL_CTX *ctx = make_plain("ECDHE+AESGCM");

    assert_true(tlsblind_adopt(ctx));
    return ctx;
}

static bool sign_with(EVP_PKEY *key, int padding)
{
    static const unsigned char text[] = "what is signed";
    unsigned char signature[BYTES];
    size_t len = sizeof(signature);
    EVP_PKEY_CTX *how;
    EVP_MD_CTX *signer = EVP_MD_CTX_new();
    EVP_MD_CTX *verifier = EVP_MD_CTX_new();
    bool good;

    assert_int_equal(EVP_DigestSignInit(signer, &how, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(how, padding), 1);
    assert_int_equal(EVP_DigestVerifyInit(verifier, &how, EVP_sha256(), NULL, plain_key), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(how, padding), 1);
    good = EVP_DigestSign(signer, signature, &len, text, sizeof(text)) == 1;
    if (good) {
        assert_int_equal(EVP_DigestVerify(verifier, signature, len, text, sizeof(text)), 1);
    }
    EVP_MD_CTX_free(signer);
    EVP_MD_CTX_free(verifier);
    ERR_clear_error();
    return good;
}

static void forget_uses(void)
{
    memset(uses, 0, sizeof(*uses));
}

/* ---- tests ---- */

struct padding_row {
    const char *name;
    int padding;
};

static const struct padding_row padding_rows[] = {
    {"signs_as_tls_1_3_does", RSA_PKCS1_PSS_PADDING},
    {"signs_as_tls_1_2_may", RSA_PKCS1_PADDING},
};

static void signs_right(void **state)
{
    const struct padding_row *row = *state;
    SSL_CTX *ctx;

    forget_uses();
    ctx = make_adopted();
    for (unsigned i = 0; i < USES_OF_RELAYS; i++) {
        assert_true(sign_with(SSL_CTX_get0_privatekey(ctx), row->padding));
    }
    assert_int_equal(uses->count, 1 + USES_OF_RELAYS); /* the test of the adoption is one */
    SSL_CTX_free(ctx);
}

static void each_factor_is_used_once(void **state)
{
    SSL_CTX *ctx;

    (void)state;
    forget_uses();
    ctx = make_adopted();
    for (unsigned i = 0; i < RELAYS; i++) {
        pid_t pid;

        tlsblind_renew();
        pid = fork();
        if (pid == 0) {
            for (unsigned k = 0; k < USES_OF_RELAYS; k++) {
                if (!sign_with(SSL_CTX_get0_privatekey(ctx), RSA_PKCS1_PSS_PADDING)) {
                    _exit(1);
                }
            }
            _exit(0);
        }
        assert_int_equal(sysutil_wait(pid), 0);
    }
    assert_int_equal(uses->count, 1 + RELAYS * USES_OF_RELAYS);
    for (unsigned i = 0; i < uses->count; i++) {
        for (unsigned k = 0; k < i; k++) {
            assert_memory_not_equal(uses->factor[i], uses->factor[k], BYTES);
        }
    }
    SSL_CTX_free(ctx);
}

static void without_a_factor_nothing_is_signed(void **state)
{
    SSL_CTX *ctx;

    (void)state;
    forget_uses();
    ctx = make_adopted();
    uses->fails = true;
    assert_false(sign_with(SSL_CTX_get0_privatekey(ctx), RSA_PKCS1_PSS_PADDING));
    uses->fails = false;
    assert_true(sign_with(SSL_CTX_get0_privatekey(ctx), RSA_PKCS1_PSS_PADDING));
    SSL_CTX_free(ctx);
}

static void key_that_fails_its_test_is_not_adopted(void **state)
{
    SSL_CTX *ctx = make_plain("ECDHE+AESGCM");

    (void)state;
    forget_uses();
    uses->fails = true;
    assert_false(tlsblind_adopt(ctx));
    assert_ptr_equal(SSL_CTX_get0_privatekey(ctx), plain_key);
    assert_true(sign_with(plain_key, RSA_PKCS1_PSS_PADDING)); /* with OpenSSL's own factor */
    assert_int_equal(uses->count, 0);
    SSL_CTX_free(ctx);
}

static void decryption_is_left_to_openssl(void **state)
{
    static const unsigned char secret[] = "a premaster secret";
    unsigned char hidden[BYTES], shown[BYTES];
    size_t hidden_len = sizeof(hidden), shown_len = sizeof(shown);
    EVP_PKEY_CTX *in, *out;
    SSL_CTX *ctx;
    unsigned before;

    (void)state;
    forget_uses();
    ctx = make_adopted();
    before = uses->count;
    in = EVP_PKEY_CTX_new(plain_key, NULL);
    out = EVP_PKEY_CTX_new(SSL_CTX_get0_privatekey(ctx), NULL);
    assert_int_equal(EVP_PKEY_encrypt_init(in), 1);
    assert_int_equal(EVP_PKEY_encrypt(in, hidden, &hidden_len, secret, sizeof(secret)), 1);
    assert_int_equal(EVP_PKEY_decrypt_init(out), 1);
    assert_int_equal(EVP_PKEY_decrypt(out, shown, &shown_len, hidden, hidden_len), 1);
    assert_int_equal(shown_len, sizeof(secret));
    assert_memory_equal(shown, secret, sizeof(secret));
    assert_int_equal(uses->count, before);
    EVP_PKEY_CTX_free(in);
    EVP_PKEY_CTX_free(out);
    SSL_CTX_free(ctx);
}

static void key_that_is_to_decrypt_stays_as_it_is(void **state)
{
    SSL_CTX *ctx = make_plain("ECDHE+AESGCM:AES128-GCM-SHA256");

    (void)state;
    forget_uses();
    assert_false(tlsblind_adopt(ctx));
    assert_ptr_equal(SSL_CTX_get0_privatekey(ctx), plain_key);
    SSL_CTX_free(ctx);
}

static void other_keys_stay_as_they_are(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");

    (void)state;
    forget_uses();
    assert_int_equal(SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM"), 1);
    add_key(ctx, key);
    assert_false(tlsblind_adopt(ctx));
    assert_ptr_equal(SSL_CTX_get0_privatekey(ctx), key);
    tlsblind_renew();
    EVP_PKEY_free(key);
    SSL_CTX_free(ctx);
}

int main(void)
{
    int status;

    uses = mmap(NULL, sizeof(*uses), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    plain_key = EVP_RSA_gen(BITS);
    UNIT_ADD_TABLE(signs_right, padding_rows);
    UNIT_ADD(each_factor_is_used_once);
    UNIT_ADD(without_a_factor_nothing_is_signed);
    UNIT_ADD(key_that_fails_its_test_is_not_adopted);
    UNIT_ADD(decryption_is_left_to_openssl);
    UNIT_ADD(key_that_is_to_decrypt_stays_as_it_is);
    UNIT_ADD(other_keys_stay_as_they_are);
    status = unit_run("tlsblind");
    EVP_PKEY_free(plain_key);
    return status;
}
