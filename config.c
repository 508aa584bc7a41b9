/*
 * config.c - a configuration with all that was prepared for it
 *
 * Process: L, root, at start and at a reload.
 * Trusts:  the command line and the configuration.
 * Touches: configuration files, the account database (through auth), secure_chroot_dir, the log.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "parseconf.h"
#include "privcap.h"
#include "str.h"
#include "sysutil.h"

/* Read files and settings in order. */
static bool read_settings(char **args, int arg_count, const struct parseconf *to)
{
    bool has_file = false;
    bool good = true;

    for (int i = 0; i < arg_count; i++) {
        has_file = has_file || args[i][0] != '-';
    }
    /* as vsftpd: settings alone do without the default file, but do not hide it */
    if (!has_file && (arg_count == 0 || access(CONFIG_DEFAULT_FILE, F_OK) == 0)) {
        good = parseconf_read_file(to, CONFIG_DEFAULT_FILE);
    }
    for (int i = 0; i < arg_count; i++) {
        bool fine = args[i][0] == '-' ? parseconf_read_setting(to, args[i] + 2, args[i])
                                      : parseconf_read_file(to, args[i]);

        good = good && fine;
    }
    return good;
}

/* What the configuration asks to be closed, and what stays open here. */
static void warn_of_unmet(const struct tunables *tun)
{
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];

        if (tunable_is_unmet(tun, row)) {
            log_message(LOG_WARNING, "%s=YES has no effect: %s", row->name, row->text);
        }
    }
}

/* What an ordinary user cannot have: said once a start or reload, and then it is so. */
static void adapt_to_launching_user(struct tunables *tun)
{
    if (tun->connect_from_port_20 && tun->ftp_data_port < 1024) {
        log_message(LOG_WARNING, "connect_from_port_20=YES does not count with "
                                 "run_as_launching_user=YES: ports below 1024 need root");
        tun->connect_from_port_20 = false;
    }
    if (tun->chown_uploads) {
        log_message(LOG_WARNING, "chown_uploads=YES does not count with run_as_launching_user=YES: "
                                 "only root can give files away");
        tun->chown_uploads = false;
    }
    if (tun->local_enable) {
        log_message(LOG_WARNING,
                    "run_as_launching_user=YES: the accounts of this machine cannot log "
                    "in; only root can check passwords and become users");
    }
}

struct config *config_load(char **args, int arg_count, const struct config *old, struct str *errors)
{
    struct config *config = config_load_reported(args, arg_count, old, NULL, errors);

    if (config != NULL) {
        warn_of_unmet(&config->tun);
    }
    return config;
}

struct config *config_load_reported(char **args, int arg_count, const struct config *old,
                                    struct parseconf_report *report, struct str *errors)
{
    struct config *config = calloc(1, sizeof(*config));
    struct parseconf to = {.errors = errors, .report = report};
    bool good;

    if (config == NULL) {
        str_append(errors, "no memory\n");
        return NULL;
    }
    to.t = &config->tun;
    tunable_init(&config->tun);
    good = read_settings(args, arg_count, &to);
    if (config->tun.listen_ipv6 && !config->tun.listen_is_set) {
        config->tun.listen = false;
    }
    good = good && tunable_check(&config->tun, errors);
    /* SECURITY: jails depend on it, so it is what it was at the start */
    if (good && old != NULL &&
        old->tun.run_as_launching_user != config->tun.run_as_launching_user) {
        str_append(errors, "run_as_launching_user cannot change while the daemon runs\n");
        good = false;
    }
    if (good && config->tun.run_as_launching_user && geteuid() != 0) {
        adapt_to_launching_user(&config->tun);
    }
    if (!good ||
        !auth_prepare(&config->auth, &config->tun, old != NULL ? &old->auth : NULL, errors)) {
        tunable_free(&config->tun);
        free(config);
        return NULL;
    }
    return config;
}

bool config_read(char **args, int arg_count, struct tunables *tun, struct str *errors)
{
    const struct parseconf to = {.t = tun, .errors = errors};

    tunable_init(tun);
    return read_settings(args, arg_count, &to);
}

void config_free(struct config *config)
{
    auth_release(&config->auth);
    tunable_free(&config->tun);
    free(config);
}

/* ---- the jail ---- */

/* Make a directory and those above it. */
static bool make_directories(const char *path)
{
    char *copy = strdup(path);
    bool good = copy != NULL;

    for (char *slash = copy; good && slash != NULL;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
        good = mkdir(copy, 0755) == 0 || errno == EEXIST;
        if (slash != NULL) {
            *slash = '/';
        }
    }
    free(copy);
    return good;
}

/*
 * Can nopriv_user get there? A process of its own finds out by becoming that user. Returns 0 or an errno.
 */
static int reach_jail(const struct config *config)
{
    const struct privcap_plan plan = {
        .uid = config->auth.nopriv_uid,
        .gid = config->auth.nopriv_gid,
        .dir = config->tun.secure_chroot_dir,
    };
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        _exit(privcap_can_enter(&plan) ? 0 : errno); /* a small number: it fits */
    }
    status = pid != -1 ? sysutil_wait(pid) : -1;
    return status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : EAGAIN;
}

static void complain_of_reach(const struct config *config, int error, struct str *errors)
{
    const char *why = strerror(error);

    if (error == EINVAL) {
        why = "this user namespace has no such user; map a range of ids into it";
    } else if (error == EPERM) {
        why = "this process may not become another user; a container or user namespace takes that "
              "right away (CAP_SETUID, CAP_SETGID, setgroups)";
    }
    str_append_format(errors,
                      "secure_chroot_dir=%s: the account nopriv_user=%s cannot enter it: %s\n",
                      config->tun.secure_chroot_dir, config->tun.nopriv_user, why);
}

bool config_prepare_jail(const struct config *config, struct str *errors)
{
    const char *path = config->tun.secure_chroot_dir;
    struct stat st;

    if (config->tun.run_as_launching_user) {
        return true; /* there is none */
    }
    if (stat(path, &st) == -1 && (errno != ENOENT || !make_directories(path))) {
        str_append_format(errors, "secure_chroot_dir=%s: %s%s\n", path, strerror(errno),
                          errno == EROFS ? "; make it in the image of the system, or name a "
                                           "directory of root that is there and empty"
                                         : "");
        return false;
    }
    return config_check_jail(config, errors);
}

/* SECURITY: the jail of P and N must not be anybody's to fill. */
bool config_check_jail(const struct config *config, struct str *errors)
{
    const char *path = config->tun.secure_chroot_dir;
    struct stat st;
    int error;

    if (config->tun.run_as_launching_user) {
        return true;
    }
    if (stat(path, &st) == -1) {
        str_append_format(errors, "secure_chroot_dir=%s: %s\n", path, strerror(errno));
        return false;
    }
    if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        str_append_format(errors,
                          "secure_chroot_dir=%s must be a directory of root that nobody "
                          "else can write\n",
                          path);
        return false;
    }
    error = reach_jail(config);
    if (error != 0) {
        complain_of_reach(config, error, errors);
        return false;
    }
    return true;
}

/* ---- reports ---- */

void config_report_errors(const struct str *errors)
{
    const char *line = str_text(errors);

    while (*line != '\0') {
        size_t len = strcspn(line, "\n");

        log_message(LOG_ERR, "%.*s", (int)len, line);
        line += len;
        line += *line == '\n';
    }
    if (!str_ok(errors)) {
        log_message(LOG_ERR, "there are more errors than can be shown");
    }
}

void config_report_changes(const struct config *old, const struct config *new)
{
    struct str changed = STR_INIT(8192);
    struct str need_restart = STR_INIT(8192);

    tunable_differences(&old->tun, &new->tun, &changed, &need_restart);
    log_message(LOG_INFO, "configuration read again; changed: %s",
                changed.len > 0 ? str_text(&changed) : "nothing");
    if (need_restart.len > 0) {
        log_message(LOG_WARNING, "these changes need a restart: %s", str_text(&need_restart));
    }
    str_free(&changed);
    str_free(&need_restart);
}
