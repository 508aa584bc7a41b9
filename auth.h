/*
 * auth.h - who may log in
 *
 * A password is verified in a child process of its own, forked by the session parent while it is still
 * root: whatever the account database and crypt(3) leave in memory (other users' hashes among it) dies
 * with that process and is never inherited by the user's service process, and one that hangs can be
 * ended. Only N, before login, uses this module; L prepares it.
 */
#ifndef MINIFTPD_AUTH_H
#define MINIFTPD_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common.h"

struct str;
struct tunables;

#define AUTH_GROUPS_MAX  1024 /* supplementary groups of one account */
#define AUTH_DIR_MAX     4096
#define AUTH_REASON_MAX  128
#define AUTH_SETTING_MAX 384 /* CRYPT_GENSALT_OUTPUT_SIZE of libcrypt is 192 */

/* An account that logged in: all that its service process needs. */
struct auth_account {
    char name[LOGIN_NAME_MAX_LEN + 1];
    uid_t uid;
    gid_t gid;
    bool anonymous;
    size_t group_count;
    gid_t groups[AUTH_GROUPS_MAX];
    char dir[AUTH_DIR_MAX]; /* where the session starts */
};

/* What L prepares once per configuration. Read only for sessions. */
struct auth {
    const struct tunables *tun;
    uid_t nopriv_uid;
    gid_t nopriv_gid;
    struct auth_account *anonymous;       /* NULL unless anonymous_enable */
    char dummy_setting[AUTH_SETTING_MAX]; /* what unknown names are hashed with */
    int slots_fd;                         /* as many bytes as checks may run at once */
    unsigned slots;
};

/* A verification under way. */
struct auth_job {
    pid_t pid;
    int pidfd; /* readable when the answer is there */
    struct auth_answer *answer;
};

/*
 * Resolve the accounts of the configuration and make ready. `old` lends its semaphore, or is NULL.
 * Returns false with one line per fault in `errors`, each ended by '\n'.
 */
MUST_CHECK bool auth_prepare(struct auth *auth, const struct tunables *tun, const struct auth *old,
                             struct str *errors);

/* Release what auth_prepare made, but not the semaphore. */
void auth_release(struct auth *auth);

/* A name fit for the account database: no blanks, slashes, control bytes, no '-' in front. */
bool auth_is_name(const char *name, size_t len);

/*
 * The account of anonymous logins, or NULL with a reason for the log.
 */
const struct auth_account *auth_anonymous(const struct auth *auth, const char **reason);

/*
 * Start to verify a local user. The password is not kept. Returns false with errno; on true the
 * caller ends the job with auth_finish() or auth_cancel().
 */
MUST_CHECK bool auth_start(const struct auth *auth, const char *name, const char *password,
                           struct auth_job *job);

/*
 * Take the answer of a job whose pidfd is readable. Returns true and the account, or false and why in
 * `reason` (AUTH_REASON_MAX bytes), for the log only.
 */
MUST_CHECK bool auth_finish(struct auth_job *job, struct auth_account *account, char *reason);

/* End a job that takes too long or is not wanted any more. */
void auth_cancel(struct auth_job *job);

/*
 * For the tests: why an account of /etc/shadow may not log in today (days since 1970), or NULL.
 * shadow(5); an expired password counts, because FTP cannot change it.
 */
struct spwd;
const char *auth_shadow_fault(const struct spwd *entry, long today);

/* For the tests: does `password` belong to `hash`? The same work for every hash of a scheme. */
bool auth_password_matches(const char *password, const char *hash, const char *dummy_setting);

#endif
