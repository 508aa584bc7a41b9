/*
 * auth.c - who may log in
 *
 * Process: L (preparing), and N before login.
 * Trusts:  miniftpd-auth, which knows the accounts of the system. Name and password come from the network
 *          through P.
 * Touches: the socket to that program, userlist_file.
 */
#include "auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account.h"
#include "authhelper.h"
#include "authproto.h"
#include "privcap.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"
#include "userlist.h"
#include "virtual.h"

#define PLACES_BITS 20 /* more than max_per_user can be */

/* Where an answer is received, and taken apart. Mapped, so that pages it does not use are none. */
struct auth_inbox {
    uint8_t packed[AUTHPROTO_PACKED_MAX];
    struct authproto_answer answer;
};

static void set_reason(char *reason, const char *text)
{
    size_t len = strlen(text);

    len = len < AUTH_REASON_MAX ? len : AUTH_REASON_MAX - 1;
    memcpy(reason, text, len);
    reason[len] = '\0';
}

/* An account that the configuration names must be there, and not be root. NULL if not. */
static struct authhelper_known *configured_account(const struct tunables *tun, const char *option,
                                                   const char *name, struct str *errors)
{
    struct authhelper_known *known = NULL;

    if (name != NULL && !authhelper_look_up(tun->run_as_launching_user, name, &known, errors)) {
        return NULL;
    }
    if (known == NULL || !known->is_there || known->account.uid == 0) {
        str_append_format(errors, "the account %s=%s %s\n", option, name != NULL ? name : "",
                          known == NULL || !known->is_there ? "does not exist"
                                                            : "must not be root");
        authhelper_forget(known);
        known = NULL;
    }
    return known;
}

/* The account of all anonymous users into auth->anonymous, or an error. */
static void place_anonymous(struct auth *auth, const struct authhelper_known *known,
                            struct str *errors)
{
    const struct account_facts facts = {.home = known->account.dir};
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
    struct authhelper_known *known =
        configured_account(auth->tun, "ftp_username", auth->tun->ftp_username, errors);

    if (known != NULL) {
        place_anonymous(auth, known, errors);
        authhelper_forget(known);
    }
}

/* A file that is nothing but bytes to lock, one per session that a user may have; see auth_take_place(). */
static bool prepare_places(struct auth *auth, const struct auth *old)
{
    auth->places_fd = old != NULL ? old->places_fd : memfd_create("sessions-of-users", MFD_CLOEXEC);
    return auth->places_fd != -1;
}

/* Who gets uploads of anonymous users. */
static void prepare_chown(struct auth *auth, struct str *errors)
{
    struct authhelper_known *known = NULL;

    if (auth->tun->chown_username != NULL &&
        !authhelper_look_up(auth->tun->run_as_launching_user, auth->tun->chown_username, &known,
                            errors)) {
        return;
    }
    if (known == NULL || !known->is_there) {
        str_append_format(
            errors, "the account chown_username=%s does not exist (chown_uploads=YES needs it)\n",
            auth->tun->chown_username != NULL ? auth->tun->chown_username : "");
    } else {
        auth->chown_uid = known->account.uid;
    }
    authhelper_forget(known);
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
    struct authhelper_known *known;
    size_t before = errors->len;

    memset(auth, 0, sizeof(*auth));
    auth->tun = tun;
    auth->places_fd = -1;
    known = configured_account(tun, "nopriv_user", tun->nopriv_user, errors);
    if (known != NULL) {
        auth->nopriv_uid = known->account.uid;
        auth->nopriv_gid = known->account.gid;
    }
    authhelper_forget(known);
    if (tun->anonymous_enable) {
        prepare_anonymous(auth, errors);
    }
    if (tun->guest_enable && tun->local_enable) {
        authhelper_forget(configured_account(tun, "guest_username", tun->guest_username, errors));
    }
    if (tun->chown_uploads) {
        prepare_chown(auth, errors);
    }
    if (errors->len == before && !prepare_places(auth, old)) {
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

/* The question of a verifier, over our end of its socket. */
static bool send_login(int fd, const struct auth_login *login)
{
    struct authproto_login message = {.kind = AUTHPROTO_LOGIN,
                                      .has_password = login->password != NULL};
    bool good;

    if (!str_copy_out(message.name, sizeof(message.name), login->name) ||
        !str_copy_out(message.password, sizeof(message.password),
                      login->password != NULL ? login->password : "") ||
        !str_copy_out(message.peer, sizeof(message.peer), login->peer)) {
        bug("a login that is too long");
    }
    good = sysutil_send_message(fd, &message, sizeof(message), -1) == 0;
    explicit_bzero(&message, sizeof(message));
    return good;
}

bool auth_start(int request_fd, const struct auth_login *login, struct auth_job *job)
{
    struct auth_inbox *inbox =
        mmap(NULL, sizeof(*inbox), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fds[2] = {-1, -1};
    bool good;

    if (inbox == MAP_FAILED) {
        return false;
    }
    *job = (struct auth_job){.ready_fd = -1, .inbox = inbox};
    errno = EPIPE; /* for who has no program to ask */
    good = request_fd != -1 && sysutil_socketpair(fds) == 0 &&
           authproto_send_note(request_fd, AUTHPROTO_START, NULL, fds[1]) == 0;
    sysutil_close(&fds[1]);
    good = good && send_login(fds[0], login);
    job->ready_fd = fds[0];
    if (!good) {
        int saved_errno = errno;

        auth_cancel(job);
        errno = saved_errno;
    }
    return good;
}

bool auth_finish(struct auth_job *job, struct account *account, char *reason, int *keeper_fd_out)
{
    struct authproto_answer *answer = &job->inbox->answer;
    int none = -1;
    ssize_t got =
        sysutil_recv_message(job->ready_fd, job->inbox->packed, sizeof(job->inbox->packed), &none);
    bool granted = false;

    *keeper_fd_out = -1;
    set_reason(reason, "the verifier died");
    if (got > 0 && none == -1 && authproto_unpack(job->inbox->packed, (size_t)got, answer)) {
        granted = answer->granted;
        set_reason(reason, answer->reason);
    }
    sysutil_close(&none);
    if (granted) {
        account_copy(account, &answer->account);
    }
    if (granted && answer->stays) {
        *keeper_fd_out = job->ready_fd;
        job->ready_fd = -1; /* its end is the end of the PAM session */
    }
    auth_cancel(job);
    return granted;
}

void auth_cancel(struct auth_job *job)
{
    sysutil_close(&job->ready_fd);
    (void)munmap(job->inbox, sizeof(*job->inbox)); /* as good as it was mapped */
    job->inbox = NULL;
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
