/*
 * tlsctx.c - certificates, keys and the rules of TLS
 *
 * Process: miniftpd-tls as root (loading), R (the callbacks).
 * Trusts:  the configuration. Nothing in a ClientHello.
 * Touches: the files of certificates and keys, once.
 */
#include "tlsctx.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

#include "str.h"
#include "tlscert.h"

#define TEXT_MAX         2000
#define SESSION_CONTEXT  "miniftpd"
#define TICKETS_AT_START 2
#define TICKET_LIFE_SEC  604800L /* the most TLS 1.3 allows; what it names dies with R */

/* What costs least first, as far as the client has it: AES-128-GCM. */
#define DEFAULT_CIPHERS                                                                            \
    "ECDHE+AES128+AESGCM:ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AES128+AESGCM:DHE+AESGCM:ECDHE+AES:"      \
    "!aNULL:!PSK:!AESCCM"
#define OLD_CIPHERS    "DEFAULT:@SECLEVEL=0" /* with TLS 1.1 */
#define WARM_UP_STEPS  6
#define WARM_UP_BITS   1024 /* made in some milliseconds */
#define DEFAULT_SUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void say(const struct tlscert_report *report, enum tlscert_severity severity,
                const char *option, const char *value, const char *reason)
{
    struct str text = STR_INIT(TEXT_MAX);

    str_append_format(&text, "%s=%s: %s", option, value, reason);
    report->say(report->context, severity, str_text(&text));
    str_free(&text);
}

/* Says what is wrong with an option; false, for the caller to return. */
static bool complain(const struct tlscert_report *report, const char *option, const char *value,
                     const char *reason)
{
    say(report, TLSCERT_ERROR, option, value, reason);
    ERR_clear_error();
    return false;
}

/* What OpenSSL's queue has to say, in words for an administrator. */
static const char *reason_of(const char *no_pem)
{
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);

    if (ERR_SYSTEM_ERROR(code)) {
        return strerror(ERR_GET_REASON(code));
    }
    if ((ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE) ||
        (ERR_GET_LIB(code) == ERR_LIB_X509 &&
         ERR_GET_REASON(code) == X509_R_NO_CERTIFICATE_OR_CRL_FOUND) ||
        ERR_GET_LIB(code) == ERR_LIB_OSSL_DECODER) {
        return no_pem;
    }
    return reason != NULL ? reason : "not usable";
}

/* No terminal is there to ask for a passphrase. */
static int no_passphrase(char *buf, int size, int rwflag, void *asked)
{
    (void)buf, (void)size, (void)rwflag;
    if (asked != NULL) {
        *(bool *)asked = true;
    }
    return -1;
}

static bool load_key(SSL_CTX *ctx, const char *option, const char *key, const char *cert,
                     const struct tlscert_report *report)
{
    struct str reason = STR_INIT(TEXT_MAX);
    bool asked = false;
    bool good, belongs;

    SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, &asked);
    good = SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
    belongs = good ? SSL_CTX_check_private_key(ctx) == 1
                   : ERR_GET_LIB(ERR_peek_last_error()) != ERR_LIB_X509;
    if (good && belongs) {
        return true;
    }
    if (asked) {
        str_append(&reason, "the key is encrypted with a passphrase, which nobody can enter at "
                            "start; store it without (openssl pkey) and readable by root alone");
    } else if (!belongs) {
        str_append_format(&reason, "the key does not belong to the certificate in %s", cert);
    } else {
        str_append(&reason, reason_of(strcmp(key, cert) == 0
                                          ? "there is no private key in this file, and none is set"
                                          : "there is no private key in this file (it has to be "
                                            "PEM)"));
    }
    (void)complain(report, option, key, str_text(&reason));
    str_free(&reason);
    return false;
}

static bool load_pair(SSL_CTX *ctx, const char *cert_option, const char *cert,
                      const char *key_option, const char *key, const struct tlscert_report *report)
{
    if (!is_set(cert)) {
        if (is_set(key)) {
            say(report, TLSCERT_WARNING, key_option, key,
                "not used: there is no certificate to it");
        }
        return true;
    }
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) {
        return complain(report, cert_option, cert,
                        reason_of("there is no certificate in this file (it has to be PEM)"));
    }
    if (!is_set(key)) { /* as vsftpd: then it is in the same file */
        key = cert;
        key_option = cert_option;
    }
    if (!load_key(ctx, key_option, key, cert, report)) {
        return false;
    }
    tlscert_describe(cert_option, cert, key_option, key, report);
    return true;
}

/* RFC 7301: "ftp" or nothing. SECURITY: walks the list, so a name that ends in it is not taken (ALPACA). */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl, (void)arg;
    for (unsigned at = 0; at < in_len && in[at] < in_len - at; at += 1U + in[at]) {
        if (in[at] == 3 && memcmp(in + at + 1, "ftp", 3) == 0) {
            *out = in + at + 1;
            *out_len = 3;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int check_sni(SSL *ssl, int *alert, void *arg)
{
    const struct tlsctx_settings *settings = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    if (!is_set(settings->ssl_sni_hostname)) {
        return SSL_TLSEXT_ERR_OK;
    }
    if (name != NULL && str_equal_nocase(name, settings->ssl_sni_hostname)) {
        return SSL_TLSEXT_ERR_OK;
    }
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* validate_cert=NO: whatever the client shows is taken. */
static int accept_any(int good, X509_STORE_CTX *store)
{
    (void)good, (void)store;
    return 1;
}

static bool set_client_certs(SSL_CTX *ctx, const struct tlsctx_settings *s,
                             const struct tlscert_report *report)
{
    int mode = SSL_VERIFY_PEER | (s->require_cert ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);

    if (is_set(s->ca_certs_file)) {
        ERR_clear_error();
        if (SSL_CTX_load_verify_locations(ctx, s->ca_certs_file, NULL) != 1) {
            return complain(report, "ca_certs_file", s->ca_certs_file,
                            reason_of("there is no certificate in this file (it has to be PEM)"));
        }
        SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(s->ca_certs_file));
    }
    if (!s->request_cert && !s->require_cert) {
        return true;
    }
    if (s->validate_cert && !is_set(s->ca_certs_file)) {
        report->say(report->context, TLSCERT_WARNING,
                    "validate_cert=YES without ca_certs_file: every client certificate is refused");
    }
    SSL_CTX_set_verify(ctx, mode, s->validate_cert ? NULL : accept_any);
    return true;
}

static void set_callbacks(SSL_CTX *ctx, const struct tlsctx_settings *s)
{
    SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
    SSL_CTX_set_tlsext_servername_callback(ctx, check_sni);
    SSL_CTX_set_tlsext_servername_arg(ctx, (void *)(uintptr_t)s);
}

static void set_versions(SSL_CTX *ctx, const struct tlsctx_settings *s)
{
    SSL_CTX_set_min_proto_version(ctx, s->tlsv11   ? TLS1_1_VERSION
                                       : s->tlsv12 ? TLS1_2_VERSION
                                                   : TLS1_3_VERSION);
    SSL_CTX_set_max_proto_version(ctx, s->tlsv13   ? TLS1_3_VERSION
                                       : s->tlsv12 ? TLS1_2_VERSION
                                                   : TLS1_1_VERSION);
    if (s->tlsv11) {
        SSL_CTX_set_security_level(ctx, 0); /* RFC 8996: asked for, for old devices */
    }
    if (!s->tlsv12) {
        SSL_CTX_set_options(ctx, SSL_OP_NO_TLSv1_2); /* between the others */
    }
}

/* Before certificates are loaded: a security level in the list of ciphers is meant for them, too. */
static bool set_rules(SSL_CTX *ctx, const struct tlsctx_settings *s,
                      const struct tlscert_report *report)
{
    const char *ciphers = is_set(s->ssl_ciphers) ? s->ssl_ciphers
                          : s->tlsv11            ? OLD_CIPHERS
                                                 : DEFAULT_CIPHERS;
    const char *suites = is_set(s->ssl_ciphersuites) ? s->ssl_ciphersuites : DEFAULT_SUITES;
    bool good = true;

    if (!s->tlsv11 && !s->tlsv12 && !s->tlsv13) {
        report->say(report->context, TLSCERT_ERROR,
                    "ssl_tlsv12=NO and ssl_tlsv13=NO leave no version of TLS");
        good = false;
    }
    set_versions(ctx, s);
    /* an end without close_notify is told by what tlschan saw, and need not break the other direction */
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                 SSL_OP_NO_TICKET); /* but the ids of tlsstore */
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_dh_auto(ctx, 1);
    SSL_CTX_set_timeout(ctx, TICKET_LIFE_SEC);
    SSL_CTX_set_num_tickets(ctx, TICKETS_AT_START);
    /* never mixed up: each relay has a store of its own */
    good &= SSL_CTX_set_session_id_context(ctx, (const unsigned char *)SESSION_CONTEXT,
                                           sizeof(SESSION_CONTEXT) - 1) == 1;
    if (SSL_CTX_set_cipher_list(ctx, ciphers) != 1) {
        good = complain(report, "ssl_ciphers", ciphers, "no cipher of OpenSSL has such a name");
    }
    if (SSL_CTX_set_ciphersuites(ctx, suites) != 1) {
        good = complain(report, "ssl_ciphersuites", suites,
                        "not a list of TLS 1.3 suites (such as TLS_AES_128_GCM_SHA256)");
    }
    set_callbacks(ctx, s);
    return good;
}

SSL_CTX *tlsctx_new(const struct tlsctx_settings *s, const struct tlscert_report *report)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    bool good;

    if (ctx == NULL) {
        report->say(report->context, TLSCERT_ERROR, "OpenSSL has no memory");
        return NULL;
    }
    good = set_rules(ctx, s, report);
    if (!is_set(s->rsa_cert_file) && !is_set(s->dsa_cert_file)) {
        report->say(report->context, TLSCERT_ERROR,
                    "neither rsa_cert_file nor dsa_cert_file is set: TLS needs a certificate");
        good = false;
    }
    good &= load_pair(ctx, "rsa_cert_file", s->rsa_cert_file, "rsa_private_key_file",
                      s->rsa_private_key_file, report);
    good &= load_pair(ctx, "dsa_cert_file", s->dsa_cert_file, "dsa_private_key_file",
                      s->dsa_private_key_file, report);
    good &= set_client_certs(ctx, s, report);
    if (good) {
        return ctx;
    }
    SSL_CTX_free(ctx);
    return NULL;
}

void tlsctx_begin_data(SSL_CTX *ctx)
{
    SSL_CTX_set_num_tickets(ctx, 0);
}

/* ---- warming up ---- */

/* A certificate for a key of ours, that nobody ever sees. */
static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *cert = X509_new();

    if (cert != NULL && X509_gmtime_adj(X509_getm_notBefore(cert), 0) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(cert), 3600) != NULL &&
        X509_set_pubkey(cert, key) == 1 && X509_sign(cert, key, EVP_sha256()) > 0) {
        return cert;
    }
    X509_free(cert);
    return NULL;
}

/* A server with a key that is thrown away; NULL if there cannot be one. */
static SSL_CTX *make_server(EVP_PKEY *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    X509 *cert = key != NULL ? make_certificate(key) : NULL;

    if (ctx != NULL) {
        SSL_CTX_set_security_level(ctx, 0); /* for its small key */
    }
    if (ctx == NULL || cert == NULL || SSL_CTX_use_certificate(ctx, cert) != 1 ||
        SSL_CTX_use_PrivateKey(ctx, key) != 1) {
        SSL_CTX_free(ctx);
        ctx = NULL;
    }
    X509_free(cert);
    return ctx;
}

/* One handshake between two ends in memory. Whether it succeeds does not matter. */
static void shake_hands(SSL_CTX *server_ctx, SSL_CTX *client_ctx)
{
    SSL *server = SSL_new(server_ctx);
    SSL *client = SSL_new(client_ctx);
    BIO *a, *b;

    if (server != NULL && client != NULL && BIO_new_bio_pair(&a, 0, &b, 0) == 1) {
        SSL_set_bio(server, a, a);
        SSL_set_bio(client, b, b);
        SSL_set_accept_state(server);
        SSL_set_connect_state(client);
        for (int i = 0; i < WARM_UP_STEPS; i++) {
            (void)SSL_do_handshake(client);
            (void)SSL_do_handshake(server);
        }
    }
    SSL_free(server);
    SSL_free(client);
}

static void warm_up_with(EVP_PKEY *key)
{
    SSL_CTX *server = make_server(key);
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());

    if (server != NULL && client != NULL) {
        SSL_CTX_set_security_level(client, 0);
        shake_hands(server, client);
        SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
        shake_hands(server, client);
    }
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    EVP_PKEY_free(key);
}

void tlsctx_warm_up(void)
{
    (void)ERR_reason_error_string(ERR_R_EVP_LIB); /* loads all texts */
    warm_up_with(EVP_RSA_gen(WARM_UP_BITS));
    warm_up_with(EVP_EC_gen("P-256"));
    ERR_clear_error();
}
