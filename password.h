/*
 * password.h - hashes of passwords: crypt(5)
 */
#ifndef MINIFTPD_PASSWORD_H
#define MINIFTPD_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "common.h"

#define PASSWORD_SETTING_MAX 384 /* CRYPT_GENSALT_OUTPUT_SIZE of libcrypt is 192 */
#define PASSWORD_HASH_MAX    384 /* CRYPT_OUTPUT_SIZE, without the NUL */

/*
 * Does `password` belong to `hash`? The same work for every hash of a scheme. NULL, an empty or a
 * locked hash belongs to no password, and costs what a hash of dummy_setting costs.
 */
MUST_CHECK bool password_matches(const char *password, const char *hash, const char *dummy_setting);

/*
 * Turn a hash into a setting of the same scheme and cost, with a salt of dots: nothing of an account
 * stays in it. Returns false for a scheme that libcrypt does not know.
 */
MUST_CHECK bool password_setting_of(const char *hash, char *setting, size_t size);

/* The setting that libcrypt prefers. "" if it has none. */
void password_default_setting(char *setting, size_t size);

/*
 * Hash `password` with yescrypt and a fresh salt, at the cost that libcrypt recommends.
 * hash_out: PASSWORD_HASH_MAX + 1 bytes. Returns false with errno.
 */
MUST_CHECK bool password_hash(const char *password, char *hash_out);

#endif
