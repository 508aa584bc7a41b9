/*
 * fuzz_scoreboard.c - fuzz what --who makes of the pages of a session: its facts, and what it does
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 *
 * A table has one line for each session and nothing that a terminal takes for a command; JSON has its
 * strings, and nothing gets out of them.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scoreview.h"
#include "who.h"

#define NOW_MS  1000000000
#define NOW_SEC 1700000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void check_row(const struct scoreview_row *row)
{
    require(row->pid > 0 && row->access < SCOREBOARD_ACCESS_COUNT);
    require(row->idle_ms >= 0 && row->idle_ms <= NOW_MS);
    require(row->elapsed_ms >= 0 && row->elapsed_ms <= NOW_MS);
    require(row->bytes <= INT64_MAX && row->offset <= INT64_MAX && row->size <= INT64_MAX);
    require(memchr(row->peer, '\0', sizeof(row->peer)) != NULL);
    require(memchr(row->user, '\0', sizeof(row->user)) != NULL);
    require(memchr(row->verb, '\0', sizeof(row->verb)) != NULL);
    require(memchr(row->argument, '\0', sizeof(row->argument)) != NULL);
    require(memchr(row->file, '\0', sizeof(row->file)) != NULL);
}

/* No control byte but the ends of `lines` lines. */
static void check_printable(const char *text, size_t len, size_t lines)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        require((c >= 0x20 && c != 0x7F) || c == '\n');
        lines -= c == '\n';
    }
    require(lines == 0);
}

/* Outside of strings there are names, numbers, and what holds them together. */
static void check_json(const char *text)
{
    bool in_string = false;

    for (const char *p = text; *p != '\0'; p++) {
        if (in_string && *p == '\\') {
            p++;
            require(*p == '\\' || *p == '"');
        } else if (*p == '"') {
            in_string = !in_string;
        } else if (!in_string) {
            require(strchr("[]{}:, \n0123456789null", *p) != NULL);
        }
    }
    require(!in_string);
}

static void check_output(const struct scoreview_row *rows, size_t count, size_t width)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    require(out != NULL);
    who_print_table(out, rows, count, NOW_SEC, width);
    require(fclose(out) == 0);
    check_printable(text, len, count + 1);
    free(text);
    out = open_memstream(&text, &len);
    require(out != NULL);
    who_print_json(out, rows, count);
    require(fclose(out) == 0);
    check_printable(text, len, count);
    check_json(text);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t facts_size = sizeof(struct scoreboard_facts);
    struct scoreview_row rows[2];

    if (size < facts_size) {
        require(!scoreview_decode(data, size, data, size, NOW_MS, &rows[0]));
        return 0;
    }
    if (!scoreview_decode(data, facts_size, data + facts_size, size - facts_size, NOW_MS,
                          &rows[0])) {
        return 0;
    }
    check_row(&rows[0]);
    rows[1] = (struct scoreview_row){.pid = 1, .user = "other"};
    check_output(rows, 2, size % 2 == 0 ? 0 : size % 200);
    return 0;
}
