/*
 * auth.c - who may log in
 *
 * Process: L (preparing), N before login, and the verifier that N forks (root, cut capabilities).
 * Trusts:  the account database of the system. Name and password come from the network through P.
 * Touches: /etc/passwd and /etc/shadow through NSS; a shared page for the answer.
 */
#include "auth.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <shadow.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "account.h"
#include "pamlogin.h"
#include "password.h"
#include "privcap.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"
#include "userlist.h"
#include "utmprec.h"
#include "verifier.h"
#include "virtual.h"

#define PLACES_BITS 20 /* more than max_per_user can be */

/* The verifier's answer, in memory that it shares with N. */
struct auth_answer {
    bool complete; /* set last */
    bool granted;
    char reason[AUTH_REASON_MAX];
    struct account account;
};

static void set_reason(char *reason, const char *text)
{
    size_t len = strlen(text);

    len = len < AUTH_REASON_MAX ? len : AUTH_REASON_MAX - 1;
    memcpy(reason, text, len);
    reason[len] = '\0';
}

/* What the system knows of an account that the configuration names. */
struct known {
    bool is_there;
    bool fits;              /* account: its name and ids */
    struct account account; /* uid and gid are valid if it is there */
    char home[ACCOUNT_DIR_MAX];
};

/*
 * With run_as_launching_user it is the name with our own ids, for nobody can become somebody else.
 * `own`: room for it. NULL if there is no such account.
 */
static struct passwd *find_account(const struct tunables *tun, const char *name, struct passwd *own)
{
    static char nowhere[] = "/nonexistent";
    struct passwd *pw = getpwnam(name);

    if (!tun->run_as_launching_user || geteuid() == 0) {
        return pw;
    }
    *own = (struct passwd){.pw_name = (char *)(uintptr_t)name, /* read only */
                           .pw_uid = geteuid(),
                           .pw_gid = getegid(),
                           .pw_dir = pw != NULL ? pw->pw_dir : nowhere};
    return own;
}

static void learn_account(const struct tunables *tun, const char *name, struct known *known)
{
    struct passwd own;
    const struct passwd *pw = find_account(tun, name, &own);

    if (pw != NULL) {
        known->is_there = true;
        known->fits = str_copy_out(known->account.name, sizeof(known->account.name), pw->pw_name) &&
                      str_copy_out(known->home, sizeof(known->home), pw->pw_dir) &&
                      verifier_fill_ids(&known->account, pw);
        known->account.uid = pw->pw_uid;
        known->account.gid = pw->pw_gid;
    }
}

/*
 * In a process of its own, which takes the libraries of name services with it: mapped in the listener,
 * each fork of each session would cost more. Returns NULL with errno if there can be no such process;
 * else it is given back with forget_account().
 */
static struct known *look_up_account(const struct tunables *tun, const char *name)
{
    struct known *known =
        mmap(NULL, sizeof(*known), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = known != MAP_FAILED ? fork() : -1;

    if (pid == 0) {
        learn_account(tun, name, known);
        _exit(EXIT_STATUS_OK);
    }
    if (pid == -1) {
        int saved_errno = errno;

        if (known != MAP_FAILED) {
            (void)munmap(known, sizeof(*known)); /* as good as it was mapped */
        }
        errno = saved_errno;
        return NULL;
    }
    (void)sysutil_wait(pid); /* what it did not find is not there */
    return known;
}

static void forget_account(struct known *known)
{
    if (known != NULL) {
        (void)munmap(known, sizeof(*known)); /* as good as it was mapped */
    }
}

/* An account that the configuration names must be there, and not be root. */
static struct known *configured_account(const struct tunables *tun, const char *option,
                                        const char *name, struct str *errors)
{
    struct known *known;

    errno = 0;
    known = name != NULL ? look_up_account(tun, name) : NULL;
    if (known == NULL && errno != 0) {
        str_append_format(errors, "cannot look up the account %s=%s: %s\n", option, name,
                          strerror(errno));
    } else if (known == NULL || !known->is_there || known->account.uid == 0) {
        str_append_format(errors, "the account %s=%s %s\n", option, name != NULL ? name : "",
                          known == NULL || !known->is_there ? "does not exist"
                                                            : "must not be root");
        forget_account(known);
        known = NULL;
    }
    return known;
}

/* The account of all anonymous users into auth->anonymous, or an error. */
static void place_anonymous(struct auth *auth, const struct known *known, struct str *errors)
{
    const struct account_facts facts = {.home = known->home};
    struct account *account = calloc(1, sizeof(*account));
    struct stat st;

    if (account != NULL) {
        account_copy(account, &known->account);
        account->kind = ACCOUNT_ANONYMOUS;
    }
    if (account == NULL || !known->fits || !account_place(account, auth->tun, &facts)) {
        str_append_format(errors, "cannot use the account ftp_username=%s\n",
                          auth->tun->ftp_username);
        free(account);
        return;
    }
    if (stat(account->dir, &st) == -1 || !S_ISDIR(st.st_mode)) {
        str_append_format(errors,
                          "the directory for anonymous users, %s, is missing or no directory (see "
                          "anon_root)\n",
                          account->dir);
        free(account);
        return;
    }
    auth->anonymous = account;
}

static void prepare_anonymous(struct auth *auth, struct str *errors)
{
    struct known *known =
        configured_account(auth->tun, "ftp_username", auth->tun->ftp_username, errors);

    if (known != NULL) {
        place_anonymous(auth, known, errors);
        forget_account(known);
    }
}

struct setting {
    char *text;
    size_t size;
    bool found;
};

static bool use_setting(void *data, const struct virtual_entry *entry)
{
    struct setting *setting = data;

    setting->found = password_setting_of(entry->hash, setting->text, setting->size);
    return !setting->found;
}

/* The scheme and cost of the first user who has a password. */
static void find_setting(const struct tunables *tun, char *text, size_t size)
{
    struct setting setting = {.text = text, .size = size};
    struct str faults = STR_INIT(4096);
    struct spwd *entry;

    if (tun->virtual_users_file != NULL) {
        (void)!virtual_read(tun->virtual_users_file, use_setting, &setting, &faults);
    }
    if (tun->local_enable) {
        setspent();
        while (!setting.found && (entry = getspent()) != NULL) {
            setting.found =
                entry->sp_pwdp != NULL && password_setting_of(entry->sp_pwdp, text, size);
        }
        endspent();
    }
    if (!setting.found) {
        password_default_setting(text, size);
    }
    str_free(&faults);
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
        find_setting(auth->tun, shared, size);
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

/*
 * Two files that are nothing but bytes to lock; the locks belong to processes and die with them. Slots:
 * one per processor. Places: one per session that a user may have.
 */
static bool prepare_slots(struct auth *auth, const struct auth *old)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (old != NULL) {
        auth->slots_fd = old->slots_fd;
        auth->places_fd = old->places_fd;
        auth->slots = old->slots;
        return true;
    }
    auth->slots = cores > 0 ? (unsigned)cores : 1;
    auth->slots_fd = memfd_create("password-checks", MFD_CLOEXEC);
    auth->places_fd = memfd_create("sessions-of-users", MFD_CLOEXEC);
    return auth->slots_fd != -1 && auth->places_fd != -1;
}

/* Who gets uploads of anonymous users. */
static void prepare_chown(struct auth *auth, struct str *errors)
{
    struct known *known = look_up_account(auth->tun, auth->tun->chown_username);

    if (known == NULL || !known->is_there) {
        str_append_format(
            errors, "the account chown_username=%s does not exist (chown_uploads=YES needs it)\n",
            auth->tun->chown_username);
    } else {
        auth->chown_uid = known->account.uid;
    }
    forget_account(known);
    if (auth->tun->run_as_launching_user) {
        str_append(errors,
                   "chown_uploads=YES needs root, and run_as_launching_user=YES has none\n");
        return;
    }
    /* somebody else may check a configuration; but what runs as root was started without it */
    if (geteuid() == 0 && !privcap_can_chown()) {
        str_append(errors, "chown_uploads=YES needs the capability CAP_CHOWN, which this process "
                           "was not given\n");
    }
}

bool auth_prepare(struct auth *auth, const struct tunables *tun, const struct auth *old,
                  struct str *errors)
{
    struct known *known;
    size_t before = errors->len;

    memset(auth, 0, sizeof(*auth));
    auth->tun = tun;
    auth->slots_fd = auth->places_fd = -1;
    known = configured_account(tun, "nopriv_user", tun->nopriv_user, errors);
    if (known != NULL) {
        auth->nopriv_uid = known->account.uid;
        auth->nopriv_gid = known->account.gid;
    }
    forget_account(known);
    if (tun->anonymous_enable) {
        prepare_anonymous(auth, errors);
    }
    if (tun->guest_enable && tun->local_enable) {
        forget_account(configured_account(tun, "guest_username", tun->guest_username, errors));
    }
    if (tun->chown_uploads) {
        prepare_chown(auth, errors);
    }
    if (tun->local_enable || tun->virtual_users_file != NULL) {
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
    return virtual_is_name(name, len); /* what is no name there is none in /etc/passwd either */
}

/* Anonymous users may write their name in any case, and no list needs to foresee that. */
static enum userlist_answer look_up_listed(const char *path, const char *name)
{
    static const char *const anonymous[] = {"anonymous", "ftp"};
    enum userlist_answer answer = userlist_look_up(path, name);

    for (size_t i = 0; answer == USERLIST_NOT_LISTED && i < ARRAY_LEN(anonymous); i++) {
        if (str_equal_nocase(name, anonymous[i])) {
            answer = userlist_look_up(path, anonymous[i]);
        }
    }
    return answer;
}

bool auth_list_allows(const struct auth *auth, const char *name, char *reason)
{
    const struct tunables *tun = auth->tun;
    struct str text = STR_INIT(ACCOUNT_DIR_MAX + AUTH_REASON_MAX);
    bool allowed = true;

    if (!tun->userlist_enable) {
        return true;
    }
    switch (look_up_listed(tun->userlist_file, name)) {
    case USERLIST_LISTED:
        allowed = !tun->userlist_deny;
        str_append(&text, "refused by userlist_file");
        break;
    case USERLIST_NOT_LISTED:
        allowed = tun->userlist_deny;
        str_append(&text, "not in userlist_file");
        break;
    case USERLIST_UNREADABLE:
        allowed = false;
        str_append_format(&text, "cannot read userlist_file=%s: %s",
                          tun->userlist_file != NULL ? tun->userlist_file : "", strerror(errno));
        break;
    }
    set_reason(reason, str_text(&text));
    str_free(&text);
    return allowed;
}

const struct account *auth_anonymous(const struct auth *auth, const char **reason)
{
    *reason = "anonymous_enable=NO";
    return auth->anonymous;
}

/* The verifier holds nothing of the session: not the client, not the log. `a` and `b`: but these. */
static void close_others(int a, int b)
{
    int low = a < b ? a : b;
    int high = a < b ? b : a;

    if (low > STDERR_FILENO + 1) {
        (void)syscall(SYS_close_range, STDERR_FILENO + 1, low - 1, 0);
    }
    if (high > low + 1) {
        (void)syscall(SYS_close_range, (low > STDERR_FILENO ? low : STDERR_FILENO) + 1, high - 1,
                      0);
    }
    (void)syscall(SYS_close_range, high + 1, ~0U, 0);
}

/* With a PAM session: say that the answer is there, wait for the end of N, and close the session. */
static void keep_session(struct pamlogin *pam, int keeper_fd, const struct account *account,
                         const char *peer)
{
    char byte = 1;
    ssize_t n;

    utmprec_login(getpid(), account->name, peer);
    (void)setsid(); /* what ends the session's processes must not end this one */
    do {
        n = write(keeper_fd, &byte, sizeof(byte));
    } while (n == -1 && errno == EINTR);
    do {
        n = read(keeper_fd, &byte, sizeof(byte));
    } while (n > 0 || (n == -1 && errno == EINTR));
    utmprec_logout(getpid());
    pamlogin_end(pam);
}

NORETURN static void run_verifier(const struct auth *auth, const struct auth_login *login,
                                  struct auth_answer *answer, int keeper_fd)
{
    struct str reason = STR_INIT(AUTH_REASON_MAX - 1);
    struct pamlogin *pam = NULL;

    answer->granted = verifier_run(auth, login->name, login->password, login->peer,
                                   &answer->account, &reason, &pam);
    set_reason(answer->reason, str_text(&reason));
    answer->complete = true;
    if (pam != NULL && keeper_fd != -1) {
        (void)close(auth->slots_fd); /* with its lock: the check is over, and this process stays */
        keep_session(pam, keeper_fd, &answer->account, login->peer);
    }
    _exit(EXIT_STATUS_OK);
}

/* With a PAM session the verifier stays, and answers over a socket whose end is the session's end. */
static bool open_keeper(const struct auth *auth, int fds[2])
{
    fds[0] = fds[1] = -1;
    return !pamlogin_available() || !auth->tun->session_support || sysutil_socketpair(fds) == 0;
}

bool auth_start(const struct auth *auth, const struct auth_login *login, struct auth_job *job)
{
    struct auth_answer *answer =
        mmap(NULL, sizeof(*answer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int keeper[2];

    if (answer == MAP_FAILED) {
        return false;
    }
    *job = (struct auth_job){.pid = -1, .ready_fd = -1, .answer = answer};
    if (open_keeper(auth, keeper)) {
        job->pid = fork();
        if (job->pid == 0) {
            close_others(auth->slots_fd, keeper[1] != -1 ? keeper[1] : auth->slots_fd);
            run_verifier(auth, login, answer, keeper[1]);
        }
        job->stays = keeper[0] != -1;
        job->ready_fd = job->stays || job->pid == -1 ? keeper[0] : sysutil_pidfd_open(job->pid);
    }
    sysutil_close(&keeper[1]);
    if (job->pid == -1 || job->ready_fd == -1) {
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
    sysutil_close(&job->ready_fd);
    if (job->pid > 0) {
        (void)sysutil_wait(job->pid);
    }
    (void)munmap(job->answer, sizeof(*job->answer));
    job->pid = -1;
    job->answer = NULL;
}

bool auth_finish(struct auth_job *job, struct account *account, char *reason, int *keeper_fd_out)
{
    bool granted = job->answer->complete && job->answer->granted;

    *keeper_fd_out = -1;
    set_reason(reason, job->answer->complete ? job->answer->reason : "the verifier died");
    if (granted) {
        account_copy(account, &job->answer->account);
    }
    if (granted && job->stays) {
        *keeper_fd_out = job->ready_fd;
        job->ready_fd = -1;
        job->pid = -1; /* it outlives us */
    }
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

bool auth_take_place(const struct auth *auth, const char *name, unsigned most)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    uint64_t hash = 0xCBF29CE484222325ULL; /* FNV-1a; two users share places once in a trillion */

    for (const char *p = name; *p != '\0'; p++) {
        hash = (hash ^ (unsigned char)*p) * 0x100000001B3ULL;
    }
    for (unsigned i = 0; i < most; i++) {
        lock.l_start = (off_t)((hash >> 24 << PLACES_BITS) + i);
        if (fcntl(auth->places_fd, F_SETLK, &lock) == 0) {
            return true;
        }
    }
    return false;
}
