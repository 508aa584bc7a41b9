/*
 * auth.c - who may log in
 *
 * Process: L (preparing), N before login, and the verifier that N forks (root, cut capabilities).
 * Trusts:  the account database of the system. Name and password come from the network through P.
 * Touches: /etc/passwd and /etc/shadow through NSS; a shared page for the answer.
 */
#include "auth.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <shadow.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "privcap.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"

/* The verifier's answer, in memory that it shares with N. */
struct auth_answer {
    bool complete; /* set last */
    bool granted;
    char reason[AUTH_REASON_MAX];
    struct auth_account account;
};

static void set_reason(char *reason, const char *text)
{
    struct str s = STR_INIT(AUTH_REASON_MAX - 1);

    str_append(&s, text);
    memcpy(reason, str_text(&s), s.len + 1);
    str_free(&s);
}

/* Copy a C string into an array; false if it does not fit. */
static bool copy_string(char *to, size_t size, const char *from)
{
    size_t len = strlen(from);

    if (len >= size) {
        return false;
    }
    memcpy(to, from, len + 1);
    return true;
}

/* Fill in what the account database says about a user. */
static bool fill_account(struct auth_account *account, const struct passwd *pw)
{
    int count = AUTH_GROUPS_MAX;

    memset(account, 0, sizeof(*account));
    account->uid = pw->pw_uid;
    account->gid = pw->pw_gid;
    if (getgrouplist(pw->pw_name, pw->pw_gid, account->groups, &count) == -1 || count < 0) {
        return false;
    }
    account->group_count = (size_t)count;
    return copy_string(account->name, sizeof(account->name), pw->pw_name) &&
           copy_string(account->dir, sizeof(account->dir), pw->pw_dir);
}

static bool prepare_anonymous(struct auth *auth, struct str *errors)
{
    const struct tunables *tun = auth->tun;
    struct passwd *pw = getpwnam(tun->ftp_username);
    struct auth_account *account;
    struct stat st;

    if (pw == NULL || pw->pw_uid == 0) {
        str_append_format(errors,
                          "the account ftp_username=%s %s (anonymous_enable=YES needs it)\n",
                          tun->ftp_username, pw == NULL ? "does not exist" : "must not be root");
        return false;
    }
    account = malloc(sizeof(*account));
    if (account == NULL || !fill_account(account, pw) ||
        (tun->anon_root != NULL &&
         !copy_string(account->dir, sizeof(account->dir), tun->anon_root))) {
        str_append_format(errors, "cannot use the account ftp_username=%s\n", tun->ftp_username);
        free(account);
        return false;
    }
    if (stat(account->dir, &st) == -1 || !S_ISDIR(st.st_mode)) {
        str_append_format(errors,
                          "the directory for anonymous users, %s, is missing or no directory (see "
                          "anon_root)\n",
                          account->dir);
        free(account);
        return false;
    }
    account->anonymous = true;
    auth->anonymous = account;
    return true;
}

/*
 * Turn a hash into a setting of the same scheme and cost, with a salt of dots: nothing of an account
 * stays in the memory that all sessions inherit. Returns false for a scheme it does not know.
 */
static bool setting_from_hash(const char *hash, char *setting, size_t size)
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

/* The scheme and cost of the first account that has a password. */
static void find_setting(char *setting, size_t size)
{
    char fallback[CRYPT_GENSALT_OUTPUT_SIZE];
    struct spwd *entry;
    bool found = false;

    setspent();
    while (!found && (entry = getspent()) != NULL) {
        found = entry->sp_pwdp != NULL && setting_from_hash(entry->sp_pwdp, setting, size);
    }
    endspent();
    if (!found && (crypt_gensalt_rn(NULL, 0, NULL, 0, fallback, sizeof(fallback)) == NULL ||
                   !copy_string(setting, size, fallback))) {
        setting[0] = '\0';
    }
}

/*
 * What names that do not exist are hashed with. It is looked up in a process of its own, for the reason
 * that passwords are verified in one: no hash may stay in memory that sessions inherit.
 */
static void choose_dummy_setting(struct auth *auth, struct str *errors)
{
    const size_t size = sizeof(auth->dummy_setting);
    char *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = shared != MAP_FAILED ? fork() : -1;

    if (pid == 0) {
        find_setting(shared, size);
        _exit(EXIT_STATUS_OK);
    }
    if (pid == -1) {
        str_append_format(errors, "cannot prepare for logins: %s\n", strerror(errno));
    } else {
        (void)sysutil_wait(pid); /* without a setting unknown names are just refused faster */
        memcpy(auth->dummy_setting, shared, size);
    }
    if (shared != MAP_FAILED) {
        (void)munmap(shared, size);
    }
}

/* One slot per processor. Locks on its bytes belong to processes and die with them. */
static bool prepare_slots(struct auth *auth, const struct auth *old)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (old != NULL) {
        auth->slots_fd = old->slots_fd;
        auth->slots = old->slots;
        return true;
    }
    auth->slots = cores > 0 ? (unsigned)cores : 1;
    auth->slots_fd = memfd_create("password-checks", MFD_CLOEXEC);
    return auth->slots_fd != -1;
}

bool auth_prepare(struct auth *auth, const struct tunables *tun, const struct auth *old,
                  struct str *errors)
{
    struct passwd *pw;
    size_t before = errors->len;

    memset(auth, 0, sizeof(*auth));
    auth->tun = tun;
    auth->slots_fd = -1;
    pw = getpwnam(tun->nopriv_user);
    if (pw == NULL || pw->pw_uid == 0) {
        str_append_format(errors, "the account nopriv_user=%s %s\n", tun->nopriv_user,
                          pw == NULL ? "does not exist" : "must not be root");
    } else {
        auth->nopriv_uid = pw->pw_uid;
        auth->nopriv_gid = pw->pw_gid;
    }
    if (tun->anonymous_enable) {
        (void)prepare_anonymous(auth, errors); /* the errors count */
    }
    if (tun->local_enable) {
        choose_dummy_setting(auth, errors);
    }
    if (errors->len == before && !prepare_slots(auth, old)) {
        str_append_format(errors, "memfd_create: %s\n", strerror(errno));
    }
    if (errors->len != before) {
        auth_release(auth);
        return false;
    }
    return true;
}

void auth_release(struct auth *auth)
{
    free(auth->anonymous);
    auth->anonymous = NULL;
}

bool auth_is_name(const char *name, size_t len)
{
    if (len == 0 || len > LOGIN_NAME_MAX_LEN || name[0] == '-') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];

        if (c <= ' ' || c == 0x7F || c == '/' || c == ':') {
            return false;
        }
    }
    return true;
}

const struct auth_account *auth_anonymous(const struct auth *auth, const char **reason)
{
    *reason = "anonymous_enable=NO";
    return auth->anonymous;
}

const char *auth_shadow_fault(const struct spwd *entry, long today)
{
    if (entry->sp_expire >= 0 && today >= entry->sp_expire) {
        return "the account has expired";
    }
    if (entry->sp_lstchg == 0) {
        return "the password must be changed first";
    }
    if (entry->sp_lstchg > 0 && entry->sp_max >= 0 && today - entry->sp_lstchg > entry->sp_max) {
        return "the password has expired";
    }
    return NULL;
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

bool auth_password_matches(const char *password, const char *hash, const char *dummy_setting)
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

static bool shell_is_listed(const char *shell)
{
    const char *listed;
    bool found = false;

    if (shell == NULL || shell[0] == '\0') {
        shell = "/bin/sh"; /* passwd(5) */
    }
    setusershell();
    while (!found && (listed = getusershell()) != NULL) {
        found = strcmp(listed, shell) == 0;
    }
    endusershell();
    return found;
}

/* Why an account may not log in whatever its password is, or NULL. */
static const char *account_fault(const struct auth *auth, const struct passwd *pw,
                                 const struct spwd *shadow)
{
    if (!auth->tun->local_enable) {
        return "local_enable=NO";
    }
    if (pw == NULL) {
        return "no such account";
    }
    if (pw->pw_uid == 0) {
        return "root may not log in";
    }
    if (auth->tun->check_shell && !shell_is_listed(pw->pw_shell)) {
        return "the shell is not in /etc/shells";
    }
    return shadow != NULL ? auth_shadow_fault(shadow, (long)(time(NULL) / 86400)) : NULL;
}

/* In the verifier: wait for a free slot; the lock goes away with the process. */
static void take_slot(const struct auth *auth)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

    for (unsigned i = 0; i < auth->slots; i++) {
        lock.l_start = i;
        if (fcntl(auth->slots_fd, F_SETLK, &lock) == 0) {
            return;
        }
    }
    lock.l_start = (off_t)sysutil_random(auth->slots);
    while (fcntl(auth->slots_fd, F_SETLKW, &lock) == -1 && errno == EINTR) {
    }
}

/* In the verifier, as its last act: a home that cannot be entered is a login that fails. */
static bool enter_home(struct auth_answer *answer)
{
    const struct auth_account *account = &answer->account;
    const struct privcap_plan plan = {
        .uid = account->uid,
        .gid = account->gid,
        .groups = account->groups,
        .group_count = account->group_count,
        .dir = account->dir,
    };
    struct str reason = STR_INIT(AUTH_REASON_MAX - 1);

    if (privcap_can_enter(&plan)) {
        return true;
    }
    str_append(&reason, "cannot enter the home directory: ");
    str_append(&reason, strerror(errno));
    set_reason(answer->reason, str_text(&reason));
    str_free(&reason);
    return false;
}

/* In the verifier: every step is taken whatever the one before said, so that times tell nothing. */
static void verify(const struct auth *auth, const char *name, const char *password,
                   struct auth_answer *answer)
{
    struct passwd *pw = getpwnam(name);
    struct spwd *shadow = getspnam(name);
    const char *fault = account_fault(auth, pw, shadow);
    const char *hash = shadow != NULL ? shadow->sp_pwdp : pw != NULL ? pw->pw_passwd : NULL;
    bool matches;

    take_slot(auth);
    matches = auth_password_matches(password, hash, auth->dummy_setting);
    if (fault == NULL && !matches) {
        fault = "wrong password";
    }
    if (fault == NULL && !fill_account(&answer->account, pw)) {
        fault = "the account has too many groups or too long a home";
    }
    set_reason(answer->reason, fault != NULL ? fault : "");
    answer->granted = fault == NULL && enter_home(answer);
    answer->complete = true;
}

/* The verifier holds nothing of the session: not the client, not the log. */
static void close_others(int keep_fd)
{
    if (keep_fd > STDERR_FILENO + 1) {
        (void)syscall(SYS_close_range, STDERR_FILENO + 1, keep_fd - 1, 0);
    }
    (void)syscall(SYS_close_range, keep_fd + 1, ~0U, 0);
}

bool auth_start(const struct auth *auth, const char *name, const char *password,
                struct auth_job *job)
{
    struct auth_answer *answer =
        mmap(NULL, sizeof(*answer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    if (answer == MAP_FAILED) {
        return false;
    }
    pid = fork();
    if (pid == 0) {
        close_others(auth->slots_fd);
        verify(auth, name, password, answer);
        _exit(EXIT_STATUS_OK);
    }
    job->pid = pid;
    job->answer = answer;
    job->pidfd = pid == -1 ? -1 : sysutil_pidfd_open(pid);
    if (job->pidfd == -1) {
        int saved_errno = errno;

        auth_cancel(job);
        errno = saved_errno;
        return false;
    }
    return true;
}

/* Reap the verifier and give the page back. */
static void end_job(struct auth_job *job)
{
    if (job->pid > 0) {
        (void)sysutil_wait(job->pid);
    }
    sysutil_close(&job->pidfd);
    (void)munmap(job->answer, sizeof(*job->answer));
    job->pid = -1;
    job->answer = NULL;
}

bool auth_finish(struct auth_job *job, struct auth_account *account, char *reason)
{
    bool granted = job->answer->complete && job->answer->granted;

    if (granted) {
        *account = job->answer->account;
    }
    set_reason(reason, job->answer->complete ? job->answer->reason : "the verifier died");
    end_job(job);
    return granted;
}

void auth_cancel(struct auth_job *job)
{
    if (job->pid > 0) {
        (void)kill(job->pid, SIGKILL); /* it is our child and not yet reaped */
    }
    end_job(job);
}
