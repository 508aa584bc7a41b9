/*
 * verifier.h - one login, checked: name and password, the account, the options and the place of the user
 *
 * For the process that auth.c forks for each login.
 */
#ifndef MINIFTPD_VERIFIER_H
#define MINIFTPD_VERIFIER_H

#include <stdbool.h>

#include "common.h"

struct account;
struct auth;
struct pamlogin;
struct passwd;
struct spwd;
struct str;

/*
 * Verify a user; password NULL: an anonymous login. peer: the client's address. On success `account` is
 * complete, and the process has become the user; or it is still root and *pam_out is what it has to end
 * when the session of the user is over. `reason`, for the log,
 * says why it failed, or what is odd about a login that did not.
 */
MUST_CHECK bool verifier_run(const struct auth *auth, const char *name, const char *password,
                             const char *peer, struct account *account, struct str *reason,
                             struct pamlogin **pam_out);

/* Take ids and groups from the account database. False if there are too many groups. */
MUST_CHECK bool verifier_fill_ids(struct account *account, const struct passwd *pw);

/*
 * For the tests: why an account of /etc/shadow may not log in today (days since 1970), or NULL.
 * shadow(5); an expired password counts, because FTP cannot change it.
 */
const char *verifier_shadow_fault(const struct spwd *entry, long today);

#endif
