/*
 * verifier.h - one login, checked: name and password, the account, the options and the place of the user
 *
 * For the process that miniftpd-auth forks for each login.
 */
#ifndef MINIFTPD_VERIFIER_H
#define MINIFTPD_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>

#include "common.h"
#include "password.h"

struct account;
struct pamlogin;
struct spwd;
struct str;
struct tunables;

/* What does not change from login to login. */
struct verifier {
    const struct tunables *tun;
    char dummy_setting[PASSWORD_SETTING_MAX]; /* what unknown names are hashed with */
    int slots_fd; /* as many bytes as checks may run at once, to be locked */
    unsigned slots;
};

/*
 * Verify a user; password NULL: an anonymous login, `name` is ftp_username. peer: the client's address. On
 * success `account`, which is empty before, is complete, and the process has become the user; or it is
 * still root and *pam_out is what it has to end when the session of the user is over. `reason`, for the
 * log, says why it failed, or what is odd about a login that did not.
 */
MUST_CHECK bool verifier_run(const struct verifier *by, const char *name, const char *password,
                             const char *peer, struct account *account, struct str *reason,
                             struct pamlogin **pam_out);

/* The scheme and cost of the first user who has a password. Reads hashes: for a process that ends then. */
void verifier_find_setting(const struct tunables *tun, char *text, size_t size);

/*
 * For the tests: why an account of /etc/shadow may not log in today (days since 1970), or NULL.
 * shadow(5); an expired password counts, because FTP cannot change it.
 */
const char *verifier_shadow_fault(const struct spwd *entry, long today);

#endif
