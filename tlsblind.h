/*
 * tlsblind.h - what hides the use of an RSA key from who measures its time
 *
 * The number that is signed is multiplied by a random factor first, and the result by its inverse. To make such
 * a pair takes nearly as long as to sign. OpenSSL makes one when a process first uses a key, so every relay
 * would; here T has the next one ready, at the price of two squarings.
 */
#ifndef MINIFTPD_TLSBLIND_H
#define MINIFTPD_TLSBLIND_H

#include <openssl/types.h>
#include <stdbool.h>

#include "common.h"

/*
 * In T, once, after the certificates are loaded: the RSA key of ctx, if it has one, gives way to one that signs
 * the same with factors made in advance. Returns false if there is none, if a cipher of ctx exchanges keys by
 * RSA, or where this OpenSSL or its configuration does not let us; then all is as before, which costs time
 * only.
 */
bool tlsblind_adopt(SSL_CTX *ctx);

/* In T, before each fork: another factor. SECURITY: a relay uses the one that it inherits once. */
void tlsblind_renew(void);

#endif
