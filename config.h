/*
 * config.h - a configuration with all that was prepared for it: read, checked, compared
 */
#ifndef MINIFTPD_CONFIG_H
#define MINIFTPD_CONFIG_H

#include <stdbool.h>

#include "auth.h"
#include "common.h"
#include "tunable.h"

struct parseconf_report;
struct str;

#define CONFIG_DEFAULT_FILE "/etc/" MINIFTPD_NAME ".conf"
#define CONFIG_ERRORS_MAX   (256 * 1024) /* bytes that the `errors` below may need */

struct config {
    struct tunables tun;
    struct auth auth;
};

/*
 * Read, check and prepare a configuration. Settings that ask for a refusal which does not happen here
 * are told to the log. args: files, and settings as "-oname=value", in the order
 * in which they count. `old` is the one in force, or NULL.
 * Returns it, for config_free(), or NULL with all errors, one a line.
 */
MUST_CHECK struct config *config_load(char **args, int arg_count, const struct config *old,
                                      struct str *errors);

/*
 * The same for "miniftpd -t": what is to be told about the settings goes into `report` instead of the
 * log. NULL: nowhere.
 */
MUST_CHECK struct config *config_load_reported(char **args, int arg_count, const struct config *old,
                                               struct parseconf_report *report, struct str *errors);

/*
 * Read a configuration into `tun`, for tunable_free() in any case, and neither check nor prepare it: for
 * programs that only want to know what it says. Returns false with all errors, one a line.
 */
MUST_CHECK bool config_read(char **args, int arg_count, struct tunables *tun, struct str *errors);

/* Release a configuration; what auth_release() keeps stays. */
void config_free(struct config *config);

/*
 * Make secure_chroot_dir, if it is not there, and check it. In a process that is root.
 * Returns false with the fault as a line of `errors`.
 */
MUST_CHECK bool config_prepare_jail(const struct config *config, struct str *errors);

/* The check alone; the directory has to be there. */
MUST_CHECK bool config_check_jail(const struct config *config, struct str *errors);

/* Log each line of `errors` as a message of its own. */
void config_report_errors(const struct str *errors);

/* Log what a reload changes, and what of that has to wait for a restart. */
void config_report_changes(const struct config *old, const struct config *new);

#endif
