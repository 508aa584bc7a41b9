/*
 * confworld.c - whether the files, directories and accounts that a configuration names are there
 *
 * Process: miniftpd -t, root. What it looks up here never gets near a session.
 * Trusts:  the configuration, and the account database of the system.
 * Touches: nothing; files are looked at and not opened, accounts are looked up. Certificates and keys are
 *          read by miniftpd-tls, which ends again.
 */
#include "confworld.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authhelper.h"
#include "confcheck.h"
#include "config.h"
#include "privcap.h"
#include "str.h"
#include "sysutil.h"
#include "tlshelper.h"
#include "tunable.h"

enum kind {
    KIND_FILE,
    KIND_DIRECTORY,
    KIND_PLACE, /* a file to be made: its directory is what has to be there */
};

/* A path that a configuration names. */
struct path_row {
    const char *option;
    const char *path;
    bool used; /* the configuration makes something of it */
    enum kind kind;
    const char *advice;
};

/* Cut the last part off: the directory of a file. */
static void append_directory(struct str *out, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) {
        str_append_char(out, '.');
    } else {
        str_append_mem(out, path, slash == path ? 1 : (size_t)(slash - path));
    }
}

/* What is wrong with a path, or NULL. */
static const char *path_fault(const char *path, enum kind kind)
{
    struct str place = STR_INIT(8192);
    const char *fault = NULL;
    struct stat st;

    if (kind == KIND_PLACE && stat(path, &st) == 0) {
        return S_ISDIR(st.st_mode) ? "is a directory" : NULL;
    }
    if (kind == KIND_PLACE) {
        append_directory(&place, path);
        path = str_text(&place);
    }
    if (stat(path, &st) == -1) {
        fault = errno == ENOENT && kind == KIND_PLACE ? "the directory does not exist"
                : errno == ENOENT                     ? "does not exist"
                                                      : strerror(errno);
    } else if (kind != KIND_FILE && !S_ISDIR(st.st_mode)) {
        fault = "is no directory";
    } else if (kind == KIND_FILE && !S_ISREG(st.st_mode)) {
        fault = "is no regular file";
    }
    str_free(&place);
    return fault;
}

static bool is_for_all(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && (st.st_mode & S_IWOTH) != 0;
}

/* ---- what the start needs ---- */

bool confworld_can_start(const struct config *config, struct str *errors)
{
    const struct tunables *t = &config->tun;
    const char *fault = t->pid_file != NULL ? path_fault(t->pid_file, KIND_PLACE) : NULL;

    if (fault != NULL) {
        str_append_format(errors, "pid_file=%s: %s\n", t->pid_file, fault);
    }
    /* a jail that is missing is made at the start; who runs without root needs none */
    return (t->run_as_launching_user || access(t->secure_chroot_dir, F_OK) == -1 ||
            config_check_jail(config, errors)) &&
           fault == NULL;
}

/* ---- certificates ---- */

/* Where the lines of miniftpd-tls go. */
struct tls_check {
    const struct confcheck *check;
    struct str *facts;
    struct str *errors;
    bool good;
};

/* The text behind a word in front; NULL if it is not there. */
static const char *behind(const char *text, const char *word)
{
    size_t len = strlen(word);

    return strncmp(text, word, len) == 0 ? text + len : NULL;
}

/* "option=value: what is odd". Contradictions of options were found without the program. */
static void take_tls_warning(const struct tls_check *to, const char *text)
{
    struct str option = STR_INIT(64);
    size_t len = strcspn(text, "=:");
    const struct tunable_row *row;

    str_append_mem(&option, text, len);
    row = tunable_find(str_text(&option));
    if (text[len] == '\0' || row == NULL) {
        str_append_format(to->check->warnings, "%s\n", text);
    } else if (row->type == TUNABLE_TEXT) {
        confcheck_warn(to->check, row->name, "%s",
                       text + len + (text[len] == '=' ? 1 : strspn(text + len, ": ")));
    }
    str_free(&option);
}

static void take_tls_line(void *context, const char *text)
{
    struct tls_check *to = context;
    const char *rest;

    if ((rest = behind(text, "info: ")) != NULL) {
        str_append_format(to->facts, "%s\n", rest);
    } else if ((rest = behind(text, "warning: ")) != NULL) {
        take_tls_warning(to, rest);
    } else {
        rest = behind(text, "error: ");
        str_append_format(to->errors, "%s\n", rest != NULL ? rest : text);
        to->good = false;
    }
}

/* What would be waited for when it is opened, a FIFO, is found here. Missing files are for miniftpd-tls. */
static bool check_tls_files(const struct tunables *t, struct str *errors)
{
    const struct {
        const char *option;
        const char *path;
    } files[] = {
        {"rsa_cert_file", t->rsa_cert_file}, {"rsa_private_key_file", t->rsa_private_key_file},
        {"dsa_cert_file", t->dsa_cert_file}, {"dsa_private_key_file", t->dsa_private_key_file},
        {"ca_certs_file", t->ca_certs_file},
    };
    bool good = true;

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct stat st;

        if (files[i].path != NULL && stat(files[i].path, &st) == 0 && !S_ISREG(st.st_mode)) {
            str_append_format(errors, "%s=%s: is no regular file\n", files[i].option,
                              files[i].path);
            good = false;
        }
    }
    return good;
}

bool confworld_check_tls(const struct confcheck *check, struct str *facts, struct str *errors)
{
    struct tls_check to = {.check = check, .facts = facts, .errors = errors, .good = true};

    return !tunable_wants_tls(check->tun) ||
           (check_tls_files(check->tun, errors) &&
            tlshelper_check(check->tun, take_tls_line, &to) && to.good);
}

/* ---- what users need ---- */

/* Warn of each path that cannot serve. */
static void check_paths(const struct confcheck *check, const struct path_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct path_row *row = &rows[i];
        const char *fault =
            row->used && row->path != NULL ? path_fault(row->path, row->kind) : NULL;

        if (fault != NULL) {
            confcheck_warn(check, row->option, "%s %s: %s", row->path, fault, row->advice);
        } else if (row->used && row->path != NULL && row->kind == KIND_FILE &&
                   is_for_all(row->path)) {
            confcheck_warn(check, row->option, "everybody can write %s: chmod o-w", row->path);
        }
    }
}

static void check_user_paths(const struct confcheck *check)
{
    const struct tunables *t = check->tun;
    bool same_for_all = t->local_root != NULL && (t->user_sub_token == NULL ||
                                                  strstr(t->local_root, t->user_sub_token) == NULL);
    /* clang-format off */
    const struct path_row rows[] = {
        { "local_root", t->local_root, t->local_enable && same_for_all, KIND_DIRECTORY,
          "no local user can log in. Make it" },
        { "user_config_dir", t->user_config_dir, true, KIND_DIRECTORY,
          "no user has options of their own. Make it, or remove the line" },
        { "userlist_file", t->userlist_file, t->userlist_enable, KIND_FILE,
          "nobody can log in. Make it, with one name a line, or set userlist_enable=NO" },
        { "chroot_list_file", t->chroot_list_file, t->chroot_list_enable, KIND_FILE,
          "no local user can log in. Make it, with one name a line, or set chroot_list_enable=NO" },
        /* its lines are for the module that reads them */
        { "virtual_users_file", t->virtual_users_file, true, KIND_FILE,
          "its users cannot log in. Make it with 'miniftpd --passwd FILE NAME'" },
        { "banner_file", t->banner_file, true, KIND_FILE,
          "clients are greeted as without it. Make it, or remove the line" },
    };
    /* clang-format on */

    check_paths(check, rows, ARRAY_LEN(rows));
}

static void check_log_paths(const struct confcheck *check)
{
    const struct tunables *t = check->tun;
    bool native = t->dual_log_enable || (t->xferlog_enable && !t->xferlog_std_format);
    bool wu = t->dual_log_enable || (t->xferlog_enable && t->xferlog_std_format);
    /* clang-format off */
    const struct path_row rows[] = {
        { "vsftpd_log_file", t->vsftpd_log_file, native && !t->syslog_enable, KIND_PLACE,
          "nothing is logged to it. Make its directory" },
        { "xferlog_file", t->xferlog_file, wu, KIND_PLACE, "nothing is logged to it. Make its directory" },
        { "json_log_file", t->json_log_file, true, KIND_PLACE, "nothing is logged to it. Make its directory" },
        { "scoreboard_dir", t->scoreboard_dir, confcheck_is_set(check, "scoreboard_dir"), KIND_PLACE,
          "'miniftpd --who' has nothing to show. Make its directory" },
    };
    /* clang-format on */

    check_paths(check, rows, ARRAY_LEN(rows));
}

bool confworld_has_account(const char *name)
{
    struct str error = STR_INIT(CONFIG_ERRORS_MAX);
    struct authhelper_known *known = NULL;
    bool found = !authhelper_look_up(false, name, &known, &error) || known->is_there;

    authhelper_forget(known);
    str_free(&error); /* the configuration was loaded with such look-ups just before */
    return found;
}

static void check_accounts(const struct confcheck *check)
{
    const struct tunables *t = check->tun;

    if (t->virtual_users_file != NULL && confcheck_is_set(check, "guest_username") &&
        (t->guest_username == NULL || !confworld_has_account(t->guest_username))) {
        confcheck_warn(check, "guest_username",
                       "there is no such account, and users of virtual_users_file without one of "
                       "their own cannot log in: make it (useradd --system), or name another");
    }
#ifndef WITH_PAM
    if (t->local_enable && t->check_shell && access("/etc/shells", R_OK) == -1) {
        confcheck_warn(
            check, "check_shell",
            "there is no /etc/shells, so only accounts with /bin/sh and /bin/csh can log "
            "in: make the file, or set check_shell=NO");
    }
#endif
}

/* Can anonymous users enter their directory? A process of its own finds out by becoming their account. */
static void check_anonymous(const struct confcheck *check, const struct config *config)
{
    const struct account *account = config->auth.anonymous;
    struct stat st;
    pid_t pid;

    if (account == NULL) {
        return;
    }
    pid = fork();
    if (pid == 0) {
        struct privcap_plan plan;

        account_plan(account, &plan);
        _exit(privcap_can_enter(&plan) ? EXIT_STATUS_OK : EXIT_STATUS_ERROR);
    }
    if (pid != -1 && sysutil_wait(pid) != 0) {
        confcheck_warn(
            check, "anonymous_enable",
            "the account ftp_username=%s cannot enter %s, so no anonymous login succeeds: "
            "chmod a+rx the directory and those above it",
            check->tun->ftp_username, account->dir);
    }
    if (stat(account->dir, &st) == 0 && st.st_uid == account->uid && (st.st_mode & S_IWUSR) != 0 &&
        check->tun->write_enable && check->tun->anon_upload_enable) {
        confcheck_warn(check, "anon_upload_enable",
                       "anonymous users can write into %s itself: give it to root, and let "
                       "ftp_username=%s write into a directory below only",
                       account->dir, check->tun->ftp_username);
    }
}

void confworld_check(const struct confcheck *check, const struct config *config)
{
    check_user_paths(check);
    check_log_paths(check);
    check_accounts(check);
    check_anonymous(check, config);
}
