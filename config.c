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
#include <unistd.h>

#include "log.h"
#include "parseconf.h"
#include "privcap.h"
#include "str.h"
#include "sysutil.h"

/* Read files and settings in order into `tun`. */
static bool load_settings(char **args, int arg_count, struct tunables *tun, struct str *errors)
{
    bool has_file = false;
    bool good = true;

    for (int i = 0; i < arg_count; i++) {
        has_file = has_file || args[i][0] != '-';
    }
    /* as vsftpd: settings alone do without the default file, but do not hide it */
    if (!has_file && (arg_count == 0 || access(CONFIG_DEFAULT_FILE, F_OK) == 0)) {
        good = parseconf_load_file(CONFIG_DEFAULT_FILE, tun, errors);
    }
    for (int i = 0; i < arg_count; i++) {
        bool fine = args[i][0] == '-' ? parseconf_load_setting(args[i] + 2, args[i], tun, errors)
                                      : parseconf_load_file(args[i], tun, errors);

        good = good && fine;
    }
    return good;
}

struct config *config_load(char **args, int arg_count, const struct config *old, struct str *errors)
{
    struct config *config = calloc(1, sizeof(*config));
    bool good;

    if (config == NULL) {
        str_append(errors, "no memory\n");
        return NULL;
    }
    tunable_init(&config->tun);
    good = load_settings(args, arg_count, &config->tun, errors);
    if (config->tun.listen_ipv6 && !config->tun.listen_is_set) {
        config->tun.listen = false;
    }
    good = good && tunable_check(&config->tun, errors);
    if (!good ||
        !auth_prepare(&config->auth, &config->tun, old != NULL ? &old->auth : NULL, errors)) {
        tunable_free(&config->tun);
        free(config);
        return NULL;
    }
    return config;
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

/* Can nopriv_user get there? A process of its own finds out by becoming that user. */
static bool jail_is_in_reach(const struct config *config)
{
    const struct privcap_plan plan = {
        .uid = config->auth.nopriv_uid,
        .gid = config->auth.nopriv_gid,
        .dir = config->tun.secure_chroot_dir,
    };
    pid_t pid = fork();

    if (pid == 0) {
        _exit(privcap_can_enter(&plan) ? EXIT_STATUS_OK : EXIT_STATUS_ERROR);
    }
    return pid != -1 && sysutil_wait(pid) == 0;
}

/* SECURITY: the jail of P and N must not be anybody's to fill. */
bool config_prepare_jail(const struct config *config, struct str *errors)
{
    const char *path = config->tun.secure_chroot_dir;
    struct stat st;

    if (stat(path, &st) == -1 &&
        (errno != ENOENT || !make_directories(path) || stat(path, &st) == -1)) {
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
    if (!jail_is_in_reach(config)) {
        str_append_format(errors,
                          "secure_chroot_dir=%s: the account nopriv_user=%s cannot enter it\n",
                          path, config->tun.nopriv_user);
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
