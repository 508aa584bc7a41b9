/*
 * tlsctx.h - certificates, keys and the rules of TLS
 */
#ifndef MINIFTPD_TLSCTX_H
#define MINIFTPD_TLSCTX_H

#include <openssl/types.h>
#include <stdbool.h>

#include "common.h"

struct tlscert_report;

/* As in the configuration; NULL or "": not set. */
struct tlsctx_settings {
    const char *rsa_cert_file;
    const char *rsa_private_key_file;
    const char *dsa_cert_file; /* vsftpd's name; here for ECDSA */
    const char *dsa_private_key_file;
    const char *ca_certs_file;
    const char *ssl_ciphers;      /* up to TLS 1.2 */
    const char *ssl_ciphersuites; /* TLS 1.3 */
    const char *ssl_sni_hostname;
    bool tlsv11; /* lowers the security level: its signatures need SHA-1 */
    bool tlsv12;
    bool tlsv13;
    bool request_cert;
    bool require_cert;
    bool validate_cert;
    bool require_reuse;
};

/*
 * Load everything. `settings` has to outlive the result. What is wrong, or will be, is reported with option
 * and file. Returns NULL if anything was reported as an error.
 */
MUST_CHECK SSL_CTX *tlsctx_new(const struct tlsctx_settings *settings,
                               const struct tlscert_report *report);

/*
 * In miniftpd-tls, before it serves: shake hands with itself. What OpenSSL makes at the first handshake (its
 * tables of algorithms and errors) is then there for every relay.
 * SECURITY: with keys that are thrown away. The real ones would keep what blinds their use, and all relays
 * would have the same.
 */
void tlsctx_warm_up(void);

/* In R: handshakes from here on are of data channels, and give no tickets. */
void tlsctx_begin_data(SSL_CTX *ctx);

#endif
