/*
 * verifier.c - one login, checked
 *
 * Process: A, a fork of miniftpd-auth for one login (root, cut capabilities); it ends with the answer.
 * Trusts:  the account database of the system, the configuration and the files it names. Name and
 *          password come from the network through P.
 * Touches: /etc/passwd, /etc/group and /etc/shadow through NSS, the files of users.
 */
#include "verifier.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "authproto.h"
#include "lookup.h"
#include "pamlogin.h"
#include "parseconf.h"
#include "password.h"
#include "privcap.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"
#include "userlist.h"
#include "virtual.h"

const char *verifier_shadow_fault(const struct spwd *entry, long today)
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

/* Wait for a free slot; the lock goes away with the process. */
static void take_slot(const struct verifier *by)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

    for (unsigned i = 0; i < by->slots; i++) {
        lock.l_start = i;
        if (fcntl(by->slots_fd, F_SETLK, &lock) == 0) {
            return;
        }
    }
    lock.l_start = (off_t)sysutil_random(by->slots);
    while (fcntl(by->slots_fd, F_SETLKW, &lock) == -1 && errno == EINTR) {
    }
}

/* What is known about a name. Whatever is in here ends with the process. */
struct candidate {
    const char *name;
    const char *peer; /* the client's address */
    bool by_pam;
    struct pamlogin *pam; /* once PAM has let the user in */
    const char *fault;    /* why the login fails whatever the password is, or NULL */
    const char *hash;
    bool is_virtual;
    struct virtual_entry entry;
    struct str line; /* where the fields of the entry are */
    struct str home; /* of the account whose rights it gets */
    struct account_facts facts;
    struct str reason; /* room for a fault that is no constant */
    struct str note;   /* what the administrator should know about a login that is granted */
};

/* A fault in words of its own. */
PRINTF_LIKE(2, 3)
static void find_fault(struct candidate *c, const char *format, ...)
{
    char text[AUTHPROTO_REASON_MAX];
    va_list args;

    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) < 0) {
        text[0] = '\0';
    }
    va_end(args);
    str_clear(&c->reason);
    str_append(&c->reason, text);
    c->fault = str_text(&c->reason);
}

static void look_up_virtual(const struct verifier *by, struct candidate *c)
{
    switch (
        virtual_look_up(by->tun->virtual_users_file, c->name, &c->line, &c->entry, &c->reason)) {
    case VIRTUAL_FOUND:
        c->is_virtual = true;
        c->hash = c->entry.hash;
        break;
    case VIRTUAL_UNKNOWN:
        break;
    case VIRTUAL_FAULT:
        c->fault = str_text(&c->reason);
        break;
    }
}

/* Why an account may not log in whatever its password is, or NULL. PAM checks shells and dates itself. */
static const char *local_fault(const struct verifier *by, const struct candidate *c,
                               const struct passwd *pw, const struct spwd *shadow)
{
    if (!by->tun->local_enable) {
        return by->tun->virtual_users_file != NULL
                   ? "not in virtual_users_file, and local_enable=NO"
                   : "local_enable=NO";
    }
    if (geteuid() != 0) {
        return "run_as_launching_user=YES: only root can check passwords and become users";
    }
    if (pw == NULL) {
        /* with PAM a guest needs no account of that name */
        return c->by_pam && by->tun->guest_enable ? NULL : "no such account";
    }
    if (pw->pw_uid == 0) {
        return "root may not log in";
    }
    if (c->by_pam) {
        return NULL;
    }
    if (by->tun->check_shell && !shell_is_listed(pw->pw_shell)) {
        return "the shell is not in /etc/shells";
    }
    return shadow != NULL ? verifier_shadow_fault(shadow, (long)(time(NULL) / 86400)) : NULL;
}

static void look_up_local(const struct verifier *by, struct candidate *c, struct account *account)
{
    struct passwd *pw = getpwnam(c->name);
    struct spwd *shadow = c->by_pam ? NULL : getspnam(c->name);

    if (c->fault == NULL) {
        c->fault = local_fault(by, c, pw, shadow);
    }
    if (shadow != NULL) {
        c->hash = shadow->sp_pwdp;
    } else if (pw != NULL) {
        c->hash = pw->pw_passwd;
    }
    if (c->fault == NULL && pw != NULL && !lookup_fill_ids(account, pw)) {
        c->fault = "the account is in too many groups";
    }
    if (pw != NULL) {
        str_clear(&c->home);
        str_append(&c->home, pw->pw_dir);
    }
}

/* The account `pw`, whose rights somebody else gets; NULL: there is none that is called so. */
static void borrow_account(struct candidate *c, struct account *account, const struct passwd *pw,
                           const char *called)
{
    if (pw == NULL) {
        find_fault(c, "the account %s, whose rights the user would get, does not exist",
                   called != NULL ? called : "");
    } else if (!lookup_fill_ids(account, pw)) {
        c->fault = "the account whose rights the user would get is in too many groups";
    } else {
        str_clear(&c->home);
        str_append(&c->home, pw->pw_dir);
    }
}

static void become_guest(struct candidate *c, struct account *account, const char *guest_username)
{
    borrow_account(c, account, guest_username != NULL ? getpwnam(guest_username) : NULL,
                   guest_username);
}

/* uid, gid and home of an entry of virtual_users_file. */
static void use_entry(struct candidate *c, struct account *account, const struct tunables *tun)
{
    const struct virtual_entry *entry = &c->entry;
    struct group *group;
    uint64_t number;

    if (entry->uid[0] == '\0') {
        become_guest(c, account, tun->guest_username);
    } else if (!str_to_uint(entry->uid, 0, UINT32_MAX - 1, &number)) {
        borrow_account(c, account, getpwnam(entry->uid), entry->uid);
    } else if (entry->gid[0] != '\0') {
        account->uid = (uid_t)number;
        account->group_count = 0;
    } else {
        borrow_account(c, account, getpwuid((uid_t)number), entry->uid);
    }
    if (entry->gid[0] != '\0') {
        account->group_count = 0;
        if (str_to_uint(entry->gid, 0, UINT32_MAX - 1, &number)) {
            account->gid = (gid_t)number;
        } else if ((group = getgrnam(entry->gid)) != NULL) {
            account->gid = group->gr_gid;
        } else {
            find_fault(c, "the group %s of the user does not exist", entry->gid);
        }
    }
    if (entry->home[0] != '\0') {
        str_clear(&c->home);
        str_append(&c->home, entry->home);
    } else if (c->fault == NULL && c->home.len == 0 && tun->local_root == NULL) {
        c->fault = "the user has no home in virtual_users_file";
    }
}

/* What is wrong with an option of the user: the first line of what the parser says. */
static void find_option_fault(struct candidate *c, const struct str *errors)
{
    find_fault(c, "%.*s", (int)strcspn(str_text(errors), "\n"), str_text(errors));
}

/* The words of the last field are settings, as a file for the user has them. */
static void apply_entry_settings(struct candidate *c, const char *path, struct tunables *mine)
{
    struct str errors = STR_INIT(4 * ACCOUNT_DIR_MAX);

    if (!virtual_apply_settings(&c->entry, path, mine, &errors)) {
        find_option_fault(c, &errors);
    }
    str_free(&errors);
}

/* The file of the user in user_config_dir, if there is one. */
static void apply_user_file(struct candidate *c, struct tunables *mine)
{
    struct str errors = STR_INIT(8192);
    struct str path = STR_INIT(ACCOUNT_DIR_MAX);
    struct stat st;

    str_append_format(&path, "%s/%s", mine->user_config_dir, c->name);
    if (!str_ok(&path)) {
        c->fault = "the path of the file in user_config_dir is too long";
    } else if (stat(str_text(&path), &st) == -1) {
        if (errno != ENOENT) {
            find_fault(c, "%s: %s", str_text(&path), strerror(errno));
        }
    } else if (!parseconf_load_user_file(str_text(&path), mine, &errors)) {
        find_option_fault(c, &errors);
    }
    str_free(&errors);
    str_free(&path);
}

/* Options of this user alone: into `mine`, and where they differ into the answer. */
static void apply_settings(const struct verifier *by, struct candidate *c, struct tunables *mine,
                           struct account *account)
{
    struct str changes = STR_INIT(ACCOUNT_SETTINGS_MAX);

    if (!tunable_copy(mine, by->tun)) {
        c->fault = "no memory for the options of the user";
        return;
    }
    if (c->is_virtual) {
        apply_entry_settings(c, by->tun->virtual_users_file, mine);
    }
    if (c->fault == NULL && mine->user_config_dir != NULL) {
        apply_user_file(c, mine);
    }
    tunable_append_changes(by->tun, mine, &changes);
    if (str_ok(&changes)) {
        memcpy(account->settings, str_text(&changes), changes.len);
        account->settings_len = changes.len;
    } else if (c->fault == NULL) {
        c->fault = "the options of the user are too long";
    }
    str_free(&changes);
}

/* The rights of the session, and where it is kept. */
static void choose_place(struct candidate *c, const struct tunables *mine, struct account *account)
{
    struct account_facts *facts = &c->facts;

    facts->is_virtual = c->is_virtual;
    if (c->is_virtual) {
        account->kind = ACCOUNT_GUEST;
        use_entry(c, account, mine);
        facts->has_own_home = c->entry.home[0] != '\0';
    } else if (account->kind == ACCOUNT_LOCAL && mine->guest_enable) {
        account->kind = ACCOUNT_GUEST;
        become_guest(c, account, mine->guest_username);
    }
    if (c->fault == NULL && account->uid == 0) {
        c->fault = "nobody gets the rights of root";
    }
    if (c->fault == NULL && geteuid() != 0) {
        if (account->uid != geteuid()) {
            c->fault = "run_as_launching_user=YES: the user has the rights of another account";
        }
        account->gid = getegid(); /* the only ids there are */
        account->group_count = 0;
    }
    if (c->fault == NULL && account->kind != ACCOUNT_ANONYMOUS && mine->chroot_list_enable) {
        switch (userlist_look_up(mine->chroot_list_file, c->name)) {
        case USERLIST_LISTED:
            facts->listed = true;
            break;
        case USERLIST_NOT_LISTED:
            break;
        case USERLIST_UNREADABLE:
            find_fault(c, "cannot read chroot_list_file=%s: %s",
                       mine->chroot_list_file != NULL ? mine->chroot_list_file : "",
                       strerror(errno));
            break;
        }
    }
    facts->home = str_text(&c->home);
    if (c->fault == NULL && !account_place(account, mine, facts)) {
        c->fault = "the directory of the user is too long or does not begin with /";
    }
}

static void set_name(struct candidate *c, struct account *account)
{
    size_t len = strlen(c->name);

    if (len >= sizeof(account->name)) {
        c->fault = "the name is too long";
        return;
    }
    memcpy(account->name, c->name, len + 1);
}

/*
 * The last act: it gives root up. As vsftpd has it, a local_root that cannot be entered is passed over,
 * unless it is to keep the user in.
 */
static bool can_enter(const struct candidate *c, const struct tunables *mine,
                      struct account *account)
{
    struct privcap_plan plan;
    struct tunables at_home = *mine;
    int error;

    account_plan(account, &plan);
    if (privcap_can_enter(&plan)) {
        return true;
    }
    error = errno;
    at_home.local_root = NULL;
    if (!account->jail && mine->local_root != NULL && account_place(account, &at_home, &c->facts) &&
        chdir(account->dir) == 0) {
        return true;
    }
    (void)!account_place(account, mine, &c->facts); /* for the log; it worked before */
    errno = error;
    return false;
}

/*
 * A directory that cannot be entered is a login that fails. A process that has a PAM session to close lets
 * another one find out; the account is in memory that they share.
 */
static void enter_place(struct candidate *c, const struct tunables *mine, struct account *account)
{
    struct str wanted = STR_INIT(ACCOUNT_DIR_MAX);
    int error = 0;
    pid_t pid = c->pam != NULL ? fork() : 0;

    str_append(&wanted, account->dir);
    if (pid == 0) {
        error = can_enter(c, mine, account) ? 0 : errno;
        if (c->pam != NULL) {
            _exit(error);
        }
    } else {
        int status = pid != -1 ? sysutil_wait(pid) : -1;

        error = status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : EAGAIN;
    }
    if (error != 0) {
        find_fault(c, "cannot enter the directory %s: %s", account->dir, strerror(error));
    } else if (strcmp(account->dir, str_text(&wanted)) != 0) {
        str_append_format(&c->note, "cannot enter local_root, %s; the session begins in %s",
                          str_text(&wanted), account->dir);
    }
    str_free(&wanted);
}

/* PAM is asked even if the login fails anyway, so that its modules can count tries. */
static bool pam_agrees(const struct verifier *by, struct candidate *c, const char *password)
{
    struct str reason = STR_INIT(AUTHPROTO_REASON_MAX - 1);

    c->pam = pamlogin_start(by->tun, c->name, password, c->peer, &c->name, &reason);
    if (c->pam == NULL && c->fault == NULL) {
        find_fault(c, "%s", str_text(&reason));
    }
    str_free(&reason);
    return c->pam != NULL;
}

/* The account of all anonymous users, in its common place; what is left are settings of its own. */
static void look_up_anonymous(const struct verifier *by, struct candidate *c,
                              struct account *account)
{
    struct account_facts facts = {0};
    struct passwd own;
    const struct passwd *pw = lookup_find(c->name, by->tun->run_as_launching_user, &own);

    set_name(c, account);
    account->kind = ACCOUNT_ANONYMOUS;
    if (pw == NULL || !lookup_fill_ids(account, pw)) {
        c->fault = "the account ftp_username does not exist any more, or is in too many groups";
        return;
    }
    facts.home = pw->pw_dir;
    if (c->fault == NULL && !account_place(account, by->tun, &facts)) {
        c->fault = "the directory of anonymous users is too long or does not begin with /";
    }
    str_append(&c->home, account->dir);
}

/* Every step before the password is taken whatever the one before said, so that times tell nothing. */
static void check_password(const struct verifier *by, struct candidate *c, const char *password,
                           struct account *account)
{
    const char *given = c->name;
    bool matches;

    if (by->tun->virtual_users_file != NULL) {
        look_up_virtual(by, c);
    }
    c->by_pam = pamlogin_available() && !c->is_virtual;
    if (!c->is_virtual) {
        look_up_local(by, c, account);
    }
    take_slot(by);
    matches = c->by_pam ? by->tun->local_enable && pam_agrees(by, c, password)
                        : password_matches(password, c->hash, by->dummy_setting);
    if (c->fault == NULL && !matches) {
        c->fault = "wrong password";
    }
    if (c->fault == NULL && c->name != given) {
        if (!virtual_is_name(c->name, strlen(c->name))) {
            c->fault = "PAM has replaced the name by one that is none";
        } else if (strcmp(c->name, given) != 0) {
            look_up_local(by, c, account);
        }
    }
}

bool verifier_run(const struct verifier *by, const char *name, const char *password,
                  const char *peer, struct account *account, struct str *reason,
                  struct pamlogin **pam_out)
{
    struct candidate c = {
        .name = name,
        .peer = peer,
        .line = STR_INIT(VIRTUAL_LINE_MAX),
        .home = STR_INIT(ACCOUNT_DIR_MAX),
        .reason = STR_INIT(ACCOUNT_DIR_MAX + AUTHPROTO_REASON_MAX),
        .note = STR_INIT(2 * ACCOUNT_DIR_MAX + 128),
    };
    struct tunables own = {0};
    const struct tunables *mine = by->tun;
    const char *text;
    bool granted;

    if (password == NULL) {
        look_up_anonymous(by, &c, account);
    } else {
        check_password(by, &c, password, account);
        set_name(&c, account);
    }
    if (c.fault == NULL && (c.is_virtual || by->tun->user_config_dir != NULL)) {
        apply_settings(by, &c, &own, account);
        mine = &own;
    }
    if (c.fault == NULL) {
        choose_place(&c, mine, account);
    }
    if (c.fault == NULL) {
        enter_place(&c, mine, account);
    }
    if (c.fault != NULL && c.pam != NULL) {
        pamlogin_end(c.pam);
        c.pam = NULL;
    }
    *pam_out = c.pam;
    text = c.fault != NULL ? c.fault : str_text(&c.note);
    str_append_mem(reason, text, strnlen(text, AUTHPROTO_REASON_MAX - 1));
    granted = c.fault == NULL;
    tunable_free(&own);
    str_wipe(&c.line);
    str_free(&c.home);
    str_free(&c.reason);
    str_free(&c.note);
    return granted; /* what libraries have in memory ends with the process */
}

/* ---- unknown names ---- */

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

void verifier_find_setting(const struct tunables *tun, char *text, size_t size)
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
