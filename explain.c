/*
 * explain.c - "miniftpd -t": is the configuration correct, what does it say, what is odd about it
 *
 * Process: miniftpd -t, as root or as anybody.
 * Trusts:  the command line. Configuration files are checked as the daemon checks them.
 * Touches: configuration files, those of users among them; stdout and stderr.
 */
#include "explain.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "confcheck.h"
#include "config.h"
#include "confworld.h"
#include "parseconf.h"
#include "str.h"
#include "tunable.h"
#include "virtual.h"

#define VALUE_COLUMN 24 /* longer values push what follows to the right */

/* ---- values ---- */

static size_t longest_name(void)
{
    size_t longest = 0;

    for (size_t i = 0; i < tunable_row_count; i++) {
        if (tunable_has_value(&tunable_rows[i]) && strlen(tunable_rows[i].name) > longest) {
            longest = strlen(tunable_rows[i].name);
        }
    }
    return longest;
}

/* Every value that is not the default, and where it was set. */
static void print_values(const struct tunables *t, const struct parseconf_report *report)
{
    struct str value = STR_INIT(8192), usual = STR_INIT(8192), shown = STR_INIT(32768);
    const int name_column = (int)longest_name();
    struct tunables defaults;
    bool any = false;

    tunable_init(&defaults);
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];
        const char *origin = parseconf_origin(report, row);

        if (!tunable_has_value(row)) {
            continue;
        }
        str_clear(&value);
        str_clear(&usual);
        tunable_append_value(t, row, &value);
        tunable_append_value(&defaults, row, &usual);
        if (strcmp(str_text(&value), str_text(&usual)) == 0) {
            continue;
        }
        str_clear(&shown);
        str_append_escaped(&shown, str_text(&value), value.len, value.len);
        printf("%s    %-*s  %-*s  %s\n", any ? "" : "Values that are not the default:\n",
               name_column, row->name, VALUE_COLUMN, value.len > 0 ? str_text(&shown) : "(not set)",
               origin != NULL ? origin : "because of listen_ipv6=YES"); /* nothing else does that */
        any = true;
    }
    printf("%s\n", any ? "" : "Every value is the default.\n");
    str_free(&value);
    str_free(&usual);
    str_free(&shown);
    tunable_free(&defaults);
}

/* ---- files of users ---- */

/* The name of a file in user_config_dir is the name of a user. */
static void check_user(const struct confcheck *check, const char *name)
{
    const struct tunables *t = check->tun;

    if (t->guest_enable || t->virtual_users_file != NULL || confworld_has_account(name)) {
        return;
    }
    confcheck_warn(check, "user_config_dir",
                   "%s/%s is read for no one: there is no account of that name", t->user_config_dir,
                   name);
}

/* Add each of `lines` to `out`, behind the place that it is about. */
static void append_lines(struct str *out, const char *where, const struct str *lines)
{
    const char *line = str_text(lines);

    while (*line != '\0') {
        size_t len = strcspn(line, "\n");

        str_append_format(out, "%s: %.*s\n", where, (int)len, line);
        line += len;
        line += *line == '\n';
    }
}

/*
 * One file, over the options that hold for all. What is odd about it is added to the warnings of
 * `check`. Returns false with errors.
 */
static bool check_user_file(const struct confcheck *check, const char *path, struct str *errors)
{
    struct parseconf_report *report = parseconf_report_new();
    struct str faults = STR_INIT(CONFIG_ERRORS_MAX);
    struct tunables t;
    struct parseconf to = {.t = &t, .errors = errors, .report = report, .user_only = true};
    struct confcheck inner = {.tun = &t, .report = report, .only_set = true};
    bool good;

    if (report == NULL || !tunable_copy(&t, check->tun)) {
        str_append(errors, "no memory\n");
        parseconf_report_free(report);
        return false;
    }
    good = parseconf_read_file(&to, path);
    if (good && !tunable_check(&t, &faults)) {
        append_lines(errors, path, &faults);
        good = false;
    }
    if (good) {
        inner.warnings = &report->warnings;
        confcheck_options(&inner);
        str_append_mem(check->warnings, str_text(&report->warnings), report->warnings.len);
        str_append_mem(check->warnings, str_text(&report->idle), report->idle.len);
    }
    str_free(&faults);
    tunable_free(&t);
    parseconf_report_free(report);
    return good;
}

static int is_no_dot(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* All files of user_config_dir. A directory that is missing is for confworld_check(). */
static bool check_user_files(const struct confcheck *check, struct str *errors)
{
    const char *dir = check->tun->user_config_dir;
    struct dirent **entries = NULL;
    int count = dir != NULL ? scandir(dir, &entries, is_no_dot, alphasort) : 0;
    bool good = count != -1 || errno == ENOENT || errno == ENOTDIR;

    if (!good) {
        str_append_format(errors, "user_config_dir=%s: %s\n", dir, strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        struct str path = STR_INIT(8192);

        str_append_format(&path, "%s/%s", dir, entries[i]->d_name);
        good = check_user_file(check, str_text(&path), errors) && good;
        check_user(check, entries[i]->d_name);
        str_free(&path);
        free(entries[i]);
    }
    free(entries);
    return good;
}

/* ---- all of it ---- */

/* Print lines under a heading, each indented; nothing if there is none. Returns how many there are. */
static unsigned print_lines(const char *heading, const struct str *lines)
{
    const char *line = str_text(lines);
    unsigned count = 0;

    for (; *line != '\0'; count++) {
        size_t len = strcspn(line, "\n");

        printf("%s    %.*s\n", count == 0 ? heading : "", (int)len, line);
        line += len;
        line += *line == '\n';
    }
    if (!str_ok(lines)) {
        printf("    and more than can be shown\n");
    }
    if (count > 0) {
        putchar('\n');
    }
    return count;
}

static void print_report(const struct config *config, const struct parseconf_report *report,
                         const struct str *certificates)
{
    unsigned warnings;

    print_values(&config->tun, report);
    (void)print_lines("Accepted from vsftpd.conf:\n", &report->idle);
    (void)print_lines("Certificates:\n", certificates);
    warnings = print_lines("Warnings:\n", &report->warnings);
    printf(MINIFTPD_NAME ": the configuration is correct");
    if (warnings > 0) {
        printf(", with %u warning%s", warnings, warnings == 1 ? "" : "s");
    }
    putchar('\n');
}

/* Somebody whose line in virtual_users_file is being looked at. */
struct virtual_check {
    const struct tunables *tun;
    struct str *errors;
};

static bool check_virtual_user(void *data, const struct virtual_entry *entry)
{
    const struct virtual_check *check = data;
    struct tunables mine;

    if (tunable_copy(&mine, check->tun)) {
        (void)!virtual_apply_settings(entry, check->tun->virtual_users_file, &mine,
                                      check->errors); /* the errors count */
        tunable_free(&mine);
    }
    return true;
}

static bool check_virtual_users(const struct tunables *tun, struct str *errors)
{
    struct virtual_check check = {.tun = tun, .errors = errors};

    /* one that is not there is a warning: nobody is in it yet */
    return tun->virtual_users_file == NULL || access(tun->virtual_users_file, F_OK) == -1 ||
           virtual_read(tun->virtual_users_file, check_virtual_user, &check, errors);
}

/*
 * Load and look at everything. Returns NULL, or the configuration with what was found in `report` and
 * what is in its certificates.
 */
static struct config *examine(char **args, int arg_count, struct parseconf_report *report,
                              struct str *certificates, struct str *errors)
{
    struct config *config = config_load_reported(args, arg_count, NULL, report, errors);
    struct confcheck check = {.report = report, .warnings = &report->warnings};
    bool good = true;

    if (config == NULL) {
        return NULL;
    }
    check.tun = &config->tun;
    confcheck_options(&check);
    if (geteuid() == 0) {
        confworld_check(&check, config);
        good = check_virtual_users(&config->tun, errors);
        good = confworld_can_start(config, errors) && good;
        good = confworld_check_tls(&check, certificates, errors) && good;
    } else {
        str_append(&report->warnings, "files, directories and accounts were not looked at: only "
                                      "root sees them as the daemon does\n");
    }
    if (!check_user_files(&check, errors) || !good) {
        config_free(config);
        return NULL;
    }
    return config;
}

int explain_config(char **args, int arg_count)
{
    struct str errors = STR_INIT(CONFIG_ERRORS_MAX);
    struct str certificates = STR_INIT(8192);
    struct parseconf_report *report = parseconf_report_new();
    struct config *config = NULL;

    if (report == NULL) {
        str_append(&errors, "no memory\n");
    } else {
        config = examine(args, arg_count, report, &certificates, &errors);
    }
    if (config != NULL) {
        print_report(config, report, &certificates);
        config_free(config);
    } else {
        config_report_errors(&errors);
    }
    parseconf_report_free(report);
    str_free(&certificates);
    str_free(&errors);
    return config != NULL ? EXIT_STATUS_OK : EXIT_STATUS_USAGE;
}
