/*
 * fuzz_authproto.c - fuzz what the daemon takes from miniftpd-auth, and a verifier from N
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: memory.
 *
 * An answer that is taken has to be one that authproto_pack would write, and to arrive the same once more.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "authproto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct authproto_answer answer, again;
    static uint8_t packed[AUTHPROTO_PACKED_MAX];
    struct authproto_login login;

    memset(&answer, 0, sizeof(answer));
    if (authproto_unpack(data, size, &answer)) {
        size_t len = authproto_pack(&answer, packed);

        memset(&again, 0, sizeof(again));
        require(len <= size && authproto_unpack(packed, len, &again));
        require(again.granted == answer.granted && strcmp(again.reason, answer.reason) == 0);
        require(!answer.granted || memcmp(&again, &answer, sizeof(answer)) == 0);
    }
    memset(&login, 'x', sizeof(login));
    memcpy(&login, data, size < sizeof(login) ? size : sizeof(login));
    if (authproto_is_login(&login, size)) {
        require(strlen(login.name) <= LOGIN_NAME_MAX_LEN &&
                strlen(login.password) <= LOGIN_PASSWORD_MAX_LEN);
    }
    return 0;
}
