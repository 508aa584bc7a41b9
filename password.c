/*
 * password.c - hashes of passwords
 *
 * Process: A, a fork of V that looks for a setting, and --passwd: all in miniftpd-auth.
 * Trusts:  libcrypt. Password and hash are any text.
 * Touches: memory of its own, wiped where a password was.
 */
#include "password.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

bool password_setting_of(const char *hash, char *setting, size_t size)
{
    bool bcrypt = strncmp(hash, "$2", 2) == 0;
    const char *last = strrchr(hash, '$');
    size_t salt_end = bcrypt ? 29 : last != NULL ? (size_t)(last - hash) : 0;
    size_t salt = salt_end;
    struct crypt_data *data;
    const char *result;
    bool good;

    if (hash[0] != '$' || salt_end == 0 || salt_end >= size || strlen(hash) <= salt_end) {
        return false;
    }
    memcpy(setting, hash, salt_end);
    setting[salt_end] = '\0';
    while (salt > 0 && setting[salt - 1] != '$') {
        setting[--salt] = '.';
    }
    data = calloc(1, sizeof(*data));
    result = data != NULL ? crypt_r("", setting, data) : NULL;
    good = result != NULL && result[0] != '*';
    free(data);
    return good;
}

void password_default_setting(char *setting, size_t size)
{
    char made[CRYPT_GENSALT_OUTPUT_SIZE];

    if (crypt_gensalt_rn(NULL, 0, NULL, 0, made, sizeof(made)) == NULL ||
        !str_copy_out(setting, size, made)) {
        setting[0] = '\0';
    }
}

/* For strings of the same length the time does not depend on where they differ. */
static bool equal_constant_time(const char *a, const char *b)
{
    size_t len = strlen(a);
    unsigned char difference = 0;

    if (len != strlen(b)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        difference |= (unsigned char)(a[i] ^ b[i]);
    }
    return difference == 0;
}

bool password_matches(const char *password, const char *hash, const char *dummy_setting)
{
    bool usable = hash != NULL && hash[0] != '\0' && hash[0] != '*' && hash[0] != '!' &&
                  crypt_checksalt(hash) != CRYPT_SALT_INVALID;
    struct crypt_data *data = calloc(1, sizeof(*data));
    const char *result;
    bool matches;

    if (data == NULL) {
        return false;
    }
    /* an empty or locked hash costs what a wrong password costs */
    result = crypt_r(password, usable ? hash : dummy_setting, data);
    matches = usable && result != NULL && result[0] != '*' && equal_constant_time(result, hash);
    explicit_bzero(data, sizeof(*data));
    free(data);
    return matches;
}

bool password_hash(const char *password, char *hash_out)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data *data;
    const char *result;
    bool good = false;

    if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) == NULL ||
        (data = calloc(1, sizeof(*data))) == NULL) {
        return false;
    }
    result = crypt_r(password, setting, data);
    if (result != NULL && result[0] != '*') {
        good = str_copy_out(hash_out, PASSWORD_HASH_MAX + 1, result);
    }
    explicit_bzero(data, sizeof(*data));
    free(data);
    return good;
}
