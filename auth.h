/*
 * auth.h - who may log in
 *
 * A password is verified by A, a process that miniftpd-auth (authhelper.h) forks for each login and that
 * answers over a socket: whatever the account database and crypt(3) leave in memory (other users' hashes
 * among it) dies with it and is never inherited by the user's service process, and one that hangs ends when
 * its socket is closed. Only N, before login, uses this module; L prepares it.
 */
#ifndef MINIFTPD_AUTH_H
#define MINIFTPD_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "account.h"
#include "authproto.h"
#include "common.h"

struct str;
struct tunables;

#define AUTH_REASON_MAX AUTHPROTO_REASON_MAX

/* What L prepares once per configuration. Read only for sessions. */
struct auth {
    const struct tunables *tun;
    uid_t nopriv_uid;
    gid_t nopriv_gid;
    uid_t chown_uid;           /* of chown_username; valid with chown_uploads */
    struct account *anonymous; /* NULL unless anonymous_enable */
    int places_fd;             /* see auth_take_place() */
};

/* What a verifier is asked. */
struct auth_login {
    const char *name;
    const char *password; /* NULL: an anonymous login, which has none, but may have settings */
    const char *peer;     /* the client's address as text */
};

/* A verification under way. */
struct auth_job {
    int ready_fd; /* readable when the answer is there, or the verifier has died */
    struct auth_inbox *inbox;
};

/*
 * Resolve the accounts of the configuration and make ready. `old` lends its places, or is NULL.
 * Returns false with one line per fault in `errors`, each ended by '\n'.
 */
MUST_CHECK bool auth_prepare(struct auth *auth, const struct tunables *tun, const struct auth *old,
                             struct str *errors);

/* Release what auth_prepare made, but not the places. */
void auth_release(struct auth *auth);

/* A name fit for the account database: no blanks, slashes, control bytes, no '-' in front. */
bool auth_is_name(const char *name, size_t len);

/*
 * Does the user list let this name (which may be any text) go on to a password? Reads userlist_file; one
 * that cannot be read lets nobody in. Returns false with a reason for the log.
 */
MUST_CHECK bool auth_list_allows(const struct auth *auth, const char *name, char *reason);

/*
 * The account of anonymous logins, or NULL with a reason for the log. It has no settings of its own:
 * with user_config_dir, ask auth_start().
 */
const struct account *auth_anonymous(const struct auth *auth, const char **reason);

/*
 * Start to verify a user. request_fd: of struct authhelper; name, password and peer fit into a struct
 * authproto_login. The password is not kept. Returns false with errno (EPIPE: there is no program to ask);
 * on true the caller ends the job with auth_finish() or auth_cancel().
 */
MUST_CHECK bool auth_start(int request_fd, const struct auth_login *login, struct auth_job *job);

/*
 * Take the answer of a job whose ready_fd is readable. Returns true and the account, or false; `reason`
 * (AUTH_REASON_MAX bytes), for the log only, says why, or what is odd about a login that is granted.
 * *keeper_fd_out: -1, or what the caller closes at the end of the session, which closes the PAM session.
 */
MUST_CHECK bool auth_finish(struct auth_job *job, struct account *account, char *reason,
                            int *keeper_fd_out);

/* End a job that takes too long or is not wanted any more. */
void auth_cancel(struct auth_job *job);

/*
 * Take one of the `most` places that the sessions of this user have; the place is held by this process
 * until its end. Returns false if there is none.
 */
MUST_CHECK bool auth_take_place(const struct auth *auth, const char *name, unsigned most);

#endif
