/*
 * tlsblind.c - what hides the use of an RSA key from who measures its time
 *
 * Process: T (making factors), R (signing).
 * Trusts:  the key.
 * Touches: the memory of its process.
 *
 * SECURITY: no factor is ever used twice, by whichever process. T squares it before each fork, and takes a new
 * one after 32 times, as OpenSSL does between the signatures of one process; a relay uses what it inherits
 * for its first signature, then makes its own. Decryption is left to OpenSSL altogether, which takes care
 * there that the result, too, shows in no time.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* RSA_METHOD: OpenSSL 3 has nothing else to put between */

#include "tlsblind.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

#if OPENSSL_VERSION_MAJOR == 3 && !defined(OPENSSL_NO_DEPRECATED_3_0)

#define TEST_TEXT     "miniftpd"
#define SIGNATURE_MAX 2048 /* bytes; an RSA key of 16,384 bits */
#define AS_IT_IS      (BN_BLINDING_NO_UPDATE | BN_BLINDING_NO_RECREATE)

/* Of the one RSA key that a context can have. */
static struct {
    BN_BLINDING *factor; /* NULL: OpenSSL's own are used */
    BN_MONT_CTX *modulus;
    unsigned uses; /* by this process, since the factor was made in advance */
    bool signing;
} blind;

static void forget(void)
{
    BN_BLINDING_free(blind.factor);
    BN_MONT_CTX_free(blind.modulus);
    blind.factor = NULL;
    blind.modulus = NULL;
}

/* Make sure of a factor that nobody has used, and count its use. */
static bool take_factor(BN_CTX *ctx)
{
    if (blind.uses == 0) {
        BN_BLINDING_set_flags(blind.factor, AS_IT_IS);
    } else if (blind.uses == 1) { /* T goes on from that one: leave its row */
        BN_BLINDING_set_flags(blind.factor, 0);
        if (BN_BLINDING_create_param(blind.factor, NULL, NULL, ctx, NULL, NULL) == NULL) {
            return false;
        }
    }
    blind.uses += blind.uses < 2; /* from now on BN_BLINDING_convert_ex renews it */
    return true;
}

/* To the power of the private exponent. SECURITY: without a factor there is no signature. */
static int exponentiate(BIGNUM *out, const BIGNUM *in, RSA *rsa, BN_CTX *ctx)
{
    int (*plain)(BIGNUM *, const BIGNUM *, RSA *, BN_CTX *) =
        RSA_meth_get_mod_exp(RSA_PKCS1_OpenSSL());
    BIGNUM *blinded;
    bool good;

    if (!blind.signing) {
        return plain(out, in, rsa, ctx);
    }
    blinded = BN_dup(in);
    good = blinded != NULL && take_factor(ctx) &&
           BN_BLINDING_convert_ex(blinded, NULL, blind.factor, ctx) == 1 &&
           plain(out, blinded, rsa, ctx) == 1 &&
           BN_BLINDING_invert_ex(out, NULL, blind.factor, ctx) == 1;
    BN_clear_free(blinded);
    return good;
}

/* OpenSSL's way of signing, but that its own factor is not made: exponentiate() has one. */
static int sign(int len, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
    int result;

    if (blind.factor == NULL) {
        return RSA_meth_get_priv_enc(RSA_PKCS1_OpenSSL())(len, from, to, rsa, padding);
    }
    blind.signing = true;
    RSA_set_flags(rsa, RSA_FLAG_NO_BLINDING);
    result = RSA_meth_get_priv_enc(RSA_PKCS1_OpenSSL())(len, from, to, rsa, padding);
    RSA_clear_flags(rsa, RSA_FLAG_NO_BLINDING);
    blind.signing = false;
    return result;
}

static const RSA_METHOD *our_method(void)
{
    static RSA_METHOD *method;

    if (method == NULL && (method = RSA_meth_dup(RSA_PKCS1_OpenSSL())) != NULL &&
        (RSA_meth_set_priv_enc(method, sign) != 1 ||
         RSA_meth_set_mod_exp(method, exponentiate) != 1)) {
        RSA_meth_free(method);
        method = NULL;
    }
    return method;
}

/* SECURITY: with less OpenSSL does not come through exponentiate(). */
static bool is_whole(RSA *rsa)
{
    return RSA_get0_n(rsa) != NULL && RSA_get0_e(rsa) != NULL && RSA_get0_p(rsa) != NULL &&
           RSA_get0_q(rsa) != NULL && RSA_get0_dmp1(rsa) != NULL && RSA_get0_dmq1(rsa) != NULL &&
           RSA_get0_iqmp(rsa) != NULL && RSA_get_version(rsa) == RSA_ASN1_VERSION_DEFAULT;
}

static bool make_factor(const RSA *rsa)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_dup(RSA_get0_n(rsa));

    forget();
    blind.uses = 0;
    blind.modulus = BN_MONT_CTX_new();
    if (ctx != NULL && n != NULL && blind.modulus != NULL) {
        BN_set_flags(n, BN_FLG_CONSTTIME);
        if (BN_MONT_CTX_set(blind.modulus, n, ctx) == 1) {
            blind.factor = BN_BLINDING_create_param(NULL, RSA_get0_e(rsa), n, ctx, BN_mod_exp_mont,
                                                    blind.modulus);
        }
    }
    BN_free(n);
    BN_CTX_free(ctx);
    return blind.factor != NULL;
}

/* A copy of the key with our method; NULL if there cannot be one. */
static EVP_PKEY *wrap(const EVP_PKEY *key)
{
    const RSA *theirs = EVP_PKEY_get0_RSA(key);
    RSA *rsa = theirs != NULL ? RSAPrivateKey_dup(theirs) : NULL;
    EVP_PKEY *ours = EVP_PKEY_new();

    if (rsa == NULL || ours == NULL || our_method() == NULL || !is_whole(rsa) ||
        RSA_set_method(rsa, our_method()) != 1 || EVP_PKEY_set1_RSA(ours, rsa) != 1 ||
        !make_factor(rsa)) {
        EVP_PKEY_free(ours);
        ours = NULL;
    }
    RSA_free(rsa);
    return ours;
}

/* Does it sign as the key does? Also leaves with it what each signature needs that is no secret of its own. */
static bool signs(EVP_PKEY *ours, EVP_PKEY *key)
{
    static const unsigned char text[] = TEST_TEXT;
    unsigned char signature[SIGNATURE_MAX];
    size_t len = sizeof(signature);
    EVP_MD_CTX *signer = EVP_MD_CTX_new();
    EVP_MD_CTX *verifier = EVP_MD_CTX_new();
    bool good = signer != NULL && verifier != NULL &&
                EVP_DigestSignInit(signer, NULL, EVP_sha256(), NULL, ours) == 1 &&
                EVP_DigestSign(signer, signature, &len, text, sizeof(text)) == 1 &&
                blind.uses == 1 &&
                EVP_DigestVerifyInit(verifier, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestVerify(verifier, signature, len, text, sizeof(text)) == 1;

    EVP_MD_CTX_free(signer);
    EVP_MD_CTX_free(verifier);
    return good;
}

static bool adopt(SSL_CTX *ctx, EVP_PKEY *key)
{
    EVP_PKEY *ours = wrap(key);
    bool good = ours != NULL && signs(ours, key) &&
                make_factor(EVP_PKEY_get0_RSA(ours)) && /* the test has used one */
                SSL_CTX_use_PrivateKey(ctx, ours) == 1;

    EVP_PKEY_free(ours);
    if (!good) {
        forget();
    }
    return good;
}

/* Is the key to decrypt, too? For that libssl does not take a key with a method of its own. */
static bool decrypts(const SSL_CTX *ctx)
{
    const STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);

    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        if (SSL_CIPHER_get_kx_nid(sk_SSL_CIPHER_value(ciphers, i)) == NID_kx_rsa) {
            return true;
        }
    }
    return false;
}

bool tlsblind_adopt(SSL_CTX *ctx)
{
    bool adopted = false;

    /* whoever wants certified code only gets nothing else */
    if (decrypts(ctx) || EVP_default_properties_is_fips_enabled(NULL)) {
        return false;
    }
    for (long at = SSL_CERT_SET_FIRST; SSL_CTX_set_current_cert(ctx, at) == 1;
         at = SSL_CERT_SET_NEXT) {
        EVP_PKEY *key = SSL_CTX_get0_privatekey(ctx);

        if (key != NULL && EVP_PKEY_is_a(key, "RSA")) {
            adopted = adopt(ctx, key);
        }
    }
    return adopted;
}

void tlsblind_renew(void)
{
    BN_CTX *ctx;

    if (blind.factor == NULL) {
        return;
    }
    ctx = BN_CTX_new();
    if (ctx == NULL || BN_BLINDING_update(blind.factor, ctx) != 1) {
        forget(); /* relays make their own */
    }
    BN_CTX_free(ctx);
}

#else /* another OpenSSL */

bool tlsblind_adopt(SSL_CTX *ctx)
{
    (void)ctx;
    return false;
}

void tlsblind_renew(void)
{
}

#endif
