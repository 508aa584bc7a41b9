/*
 * test_optdoc.c - what the program prints about its options, held against the table
 *
 * Process: a test program.
 * Trusts:  the table of options.
 * Touches: memory of its own only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "optdoc.h"
#include "parseconf.h"
#include "str.h"
#include "tunable.h"
#include "unit.h"

/* Call print and return what it wrote, to be freed. */
static char *printed(void (*print)(FILE *))
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    print(out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void the_sample_names_every_option_once(void **state)
{
    char *sample = printed(optdoc_print_sample);

    (void)state;
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];
        struct str line = STR_INIT(256);
        const char *found;

        if (!tunable_has_value(row)) {
            continue;
        }
        str_append(&line, row->shipped != NULL ? "\n" : "\n#");
        str_append(&line, row->name);
        str_append(&line, "=");
        found = strstr(sample, str_text(&line));
        assert_non_null(found);
        assert_null(strstr(found + 1, str_text(&line)));
        str_free(&line);
    }
    free(sample);
}

static void the_sample_is_a_good_configuration(void **state)
{
    char *sample = printed(optdoc_print_sample);
    struct str errors = STR_INIT(4000);
    struct str value = STR_INIT(4096);
    struct tunables t;
    char *rest = sample;
    char *line;

    (void)state;
    tunable_init(&t);
    while ((line = strsep(&rest, "\n")) != NULL) {
        assert_true(strlen(line) <= 100);
        assert_true(*line == '\0' || *line == '#' ||
                    parseconf_load_setting(line, "sample", &t, &errors));
    }
    assert_true(tunable_check(&t, &errors));
    for (size_t i = 0; i < tunable_row_count; i++) {
        if (tunable_rows[i].heading == NULL && tunable_rows[i].shipped != NULL &&
            tunable_rows[i].type != TUNABLE_OCTAL) {
            str_clear(&value);
            tunable_append_value(&t, &tunable_rows[i], &value);
            assert_string_equal(str_text(&value), tunable_rows[i].shipped);
        }
    }
    str_free(&value);
    str_free(&errors);
    tunable_free(&t);
    free(sample);
}

/* `text` as it stands in a manual page, with blanks for line ends. */
static char *without_roff(char *text)
{
    static const char *const pairs[][2] = {{"\\e", "\\"},  {"\\-", "-"},   {"\\(aq", "'"},
                                           {"\\(ti", "~"}, {"\\(ha", "^"}, {"\\(ga", "`"}};
    char *to = text;

    for (const char *from = text; *from != '\0';) {
        size_t i = 0;

        while (i < ARRAY_LEN(pairs) && strncmp(from, pairs[i][0], strlen(pairs[i][0])) != 0) {
            i++;
        }
        if (i < ARRAY_LEN(pairs)) {
            *to++ = pairs[i][1][0];
            from += strlen(pairs[i][0]);
        } else {
            *to++ = *from == '\n' ? ' ' : *from;
            from++;
        }
    }
    *to = '\0';
    return text;
}

static void the_manual_describes_every_option(void **state)
{
    char *manual = without_roff(printed(optdoc_print_manual));

    (void)state;
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];
        struct str entry = STR_INIT(2048);

        if (row->heading != NULL) {
            str_append_format(&entry, ".SS %s ", row->heading);
        } else if (row->type == TUNABLE_ALIAS) {
            str_append_format(&entry, ".TP .B %s is %s.", row->name, row->target);
        } else {
            str_append_format(&entry, ".TP .B %s %s", row->name, row->text);
        }
        assert_non_null(strstr(manual, str_text(&entry)));
        str_free(&entry);
    }
    free(manual);
}

static void no_line_of_the_manual_is_a_request_by_chance(void **state)
{
    static const char *const requests[] = {".SS ", ".SH ", ".TP", ".B ", ".I "};
    char *manual = printed(optdoc_print_manual);
    char *rest = manual;
    char *line;

    (void)state;
    while ((line = strsep(&rest, "\n")) != NULL) {
        bool known = line[0] != '.';

        assert_true(strlen(line) <= 80);
        assert_null(strpbrk(line, "'`^~"));
        for (const char *p = strchr(line, '-'); p != NULL; p = strchr(p + 1, '-')) {
            assert_true(p > line && p[-1] == '\\'); /* a hyphen would break, and not be typed */
        }
        for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
            known = known || strncmp(line, requests[i], strlen(requests[i])) == 0;
        }
        assert_true(known);
    }
    free(manual);
}

static void the_migration_has_a_row_for_every_option(void **state)
{
    char *tables = printed(optdoc_print_migration);

    (void)state;
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];
        struct str line = STR_INIT(2048);
        const char *found;

        if (row->heading != NULL) {
            str_append_format(&line, "\n## %s\n", row->heading);
        } else {
            str_append_format(&line, "\n| `%s` | ", row->name);
        }
        found = strstr(tables, str_text(&line));
        assert_non_null(found);
        assert_null(strstr(found + 1, str_text(&line)));
        str_free(&line);
    }
    free(tables);
}

int main(void)
{
    UNIT_ADD(the_sample_names_every_option_once);
    UNIT_ADD(the_sample_is_a_good_configuration);
    UNIT_ADD(the_manual_describes_every_option);
    UNIT_ADD(no_line_of_the_manual_is_a_request_by_chance);
    UNIT_ADD(the_migration_has_a_row_for_every_option);
    return unit_run("optdoc");
}
