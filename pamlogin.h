/*
 * pamlogin.h - name and password checked by PAM (only in a build with WITH_PAM=1)
 */
#ifndef MINIFTPD_PAMLOGIN_H
#define MINIFTPD_PAMLOGIN_H

#include <stdbool.h>

#include "common.h"

struct pamlogin;
struct str;
struct tunables;

/* False in a build without PAM: nothing below may be called then. */
bool pamlogin_available(void);

/*
 * Authenticate, check the account, and establish credentials; with session_support, open a session too.
 * peer: the address of the client, for PAM_RHOST. *user_out: the name that PAM ended up with, valid until
 * pamlogin_end(). Returns NULL with a reason for the log, or what pamlogin_end() takes, in the same process
 * and still as root.
 */
MUST_CHECK struct pamlogin *pamlogin_start(const struct tunables *tun, const char *name,
                                           const char *password, const char *peer,
                                           const char **user_out, struct str *reason);

/* Close the session, if one was opened, and forget everything. */
void pamlogin_end(struct pamlogin *pam);

#endif
