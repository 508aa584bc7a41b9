/*
 * fuzz_config.c - fuzz the configuration: the input is a file, and every line of it one setting
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: memory of its own only; the file is one in memory.
 *
 * What a line set is written out and read again, and must be the same then. What -t would say about the
 * file are lines that can be shown.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confcheck.h"
#include "parseconf.h"
#include "str.h"
#include "tunable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* Lines, and nothing else, whose bytes a terminal shows. */
static void require_lines(const struct str *lines)
{
    require(str_ok(lines) || lines->len > 100000);
    for (size_t i = 0; i < lines->len; i++) {
        require((unsigned char)lines->buf[i] >= 0x20 || lines->buf[i] == '\n');
    }
    require(lines->len == 0 || lines->buf[lines->len - 1] == '\n');
}

/* The input as a file, for all or for one user, with all that -t tells about it. */
static void load_file(const uint8_t *data, size_t size, bool user_only)
{
    struct parseconf_report *report = parseconf_report_new();
    struct str errors = STR_INIT(1000000);
    struct tunables t;
    const struct parseconf to = {
        .t = &t, .errors = &errors, .report = report, .user_only = user_only};
    const struct confcheck check = {
        .tun = &t, .report = report, .warnings = &report->warnings, .only_set = user_only};
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    char path[64];
    bool good;

    require(report != NULL && fd != -1 && fchmod(fd, 0600) == 0);
    require(write(fd, data, size) == (ssize_t)size);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    tunable_init(&t);
    good = parseconf_read_file(&to, path);
    require(good == (errors.len == 0));
    if (good && tunable_check(&t, &errors)) {
        confcheck_options(&check);
    }
    require_lines(&errors);
    require_lines(&report->warnings);
    require_lines(&report->idle);
    tunable_free(&t);
    str_free(&errors);
    parseconf_report_free(report);
    require(close(fd) == 0);
}

static void load_lines(char *text, struct tunables *t)
{
    char *rest = text;
    char *line;

    while ((line = strsep(&rest, "\n")) != NULL) {
        struct str errors = STR_INIT(100000);
        bool good = parseconf_load_setting(line, "fuzz:1", t, &errors);

        require(good == (errors.len == 0));
        require(str_ok(&errors));
        for (size_t i = 0; i < errors.len; i++) { /* one printable line */
            require((unsigned char)errors.buf[i] >= 0x20 || i == errors.len - 1);
        }
        str_free(&errors);
    }
}

/* A copy made of the written values alone. */
static void reload(const struct tunables *t, struct tunables *copy)
{
    tunable_init(copy);
    for (size_t i = 0; i < tunable_row_count; i++) {
        struct str setting = STR_INIT(10000), errors = STR_INIT(10000);

        if (tunable_has_value(&tunable_rows[i])) {
            str_append(&setting, tunable_rows[i].name);
            str_append(&setting, "=");
            tunable_append_value(t, &tunable_rows[i], &setting);
            require(str_ok(&setting));
            require(parseconf_load_setting(str_text(&setting), "copy", copy, &errors));
        }
        str_free(&setting);
        str_free(&errors);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str changed = STR_INIT(10000), restart = STR_INIT(10000), errors = STR_INIT(100000);
    char *text = malloc(size + 1);
    struct tunables t, copy;

    require(text != NULL);
    load_file(data, size, false);
    load_file(data, size, true);
    memcpy(text, data, size);
    text[size] = '\0';
    tunable_init(&t);
    load_lines(text, &t);
    (void)tunable_check(&t, &errors); /* either way */
    require(str_ok(&errors));
    reload(&t, &copy);
    tunable_differences(&t, &copy, &changed, &restart);
    require(changed.len == 0 && restart.len == 0);
    tunable_free(&t);
    tunable_free(&copy);
    str_free(&changed);
    str_free(&restart);
    str_free(&errors);
    free(text);
    return 0;
}
