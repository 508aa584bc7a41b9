/*
 * fuzz_config.c - fuzz the configuration: every line of the input is one setting
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 *
 * What a line set is written out and read again, and must be the same then.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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
