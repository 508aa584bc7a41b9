/*
 * lookup.h - accounts and addresses, as the name services of the system know them
 *
 * Only the program miniftpd-auth has them.
 */
#ifndef MINIFTPD_LOOKUP_H
#define MINIFTPD_LOOKUP_H

#include <stdbool.h>

#include "common.h"

struct account;
struct authproto_answer;
struct passwd;

/*
 * An account. rootless (run_as_launching_user): the name with our own ids, for nobody can become somebody
 * else; with its home, if there is such an account. `own`: room for that. NULL if there is none.
 */
MUST_CHECK struct passwd *lookup_find(const char *name, bool rootless, struct passwd *own);

/* Take ids and groups from the account database. False if there are too many groups. */
MUST_CHECK bool lookup_fill_ids(struct account *account, const struct passwd *pw);

/*
 * Tell of an account: granted if it is there, with name, ids, groups and as dir its home. A reason says that
 * it does not fit; then there are only ids.
 */
void lookup_account(const char *name, bool rootless, struct authproto_answer *answer);

/* Load what the name services need, so that processes forked from this one have it. */
void lookup_warm_up(void);

/*
 * Look up the IPv4 address of a host and write one struct authproto_address to standard output. known: the
 * text of the address that was known, which stays if it is still one of them; or NULL. Returns an exit status.
 */
MUST_CHECK int lookup_address(const char *host, const char *known);

#endif
