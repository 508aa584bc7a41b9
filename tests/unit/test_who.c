/*
 * test_who.c - the table of sessions as text and as JSON
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: TZ, memory of its own.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scoreview.h"
#include "unit.h"
#include "who.h"

#define NOW_SEC 1700000000 /* 2023-11-14 22:13:20 UTC */

/* What was printed, to be freed. */
static char *table_of(const struct scoreview_row *rows, size_t count, size_t width)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    who_print_table(out, rows, count, NOW_SEC, width);
    assert_int_equal(fclose(out), 0);
    return text;
}

static char *json_of(const struct scoreview_row *rows, size_t count)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    who_print_json(out, rows, count);
    assert_int_equal(fclose(out), 0);
    return text;
}

struct who_row {
    const char *name;
    struct scoreview_row row;
    const char *headings;
    const char *line;
    const char *json;
};

#define SINCE      .pid = 7, .listener = 3, .since_sec = NOW_SEC - 60, .peer = "192.0.2.7"
#define JSON_BEGIN "[{\"pid\": 7, \"listener\": 3, "
#define JSON_SINCE "\"address\": \"192.0.2.7\", \"since\": \"2023-11-14T22:12:20Z\", "
#define JSON_NO_XFER                                                                               \
    "\"file\": null, \"bytes\": null, \"offset\": null, \"size\": null, \"percent\": null, "       \
    "\"rate\": null}]\n"

/* clang-format off */
static const struct who_row who_rows[] = {
    { "session_before_login", { SINCE, .idle_ms = 12999 },
      "USER  ACCESS  ADDRESS    PID  SINCE  IDLE  BYTES  DONE  RATE  COMMAND\n",
      "-     -       192.0.2.7    7  22:12   12s      -     -     -  -\n",
      JSON_BEGIN "\"user\": null, \"access\": null, " JSON_SINCE "\"idle\": 12, \"command\": null, " JSON_NO_XFER },
    { "idle_session_does_not_show_its_last_command",
      { SINCE, .user = "ftp", .access = SCOREBOARD_ANONYMOUS, .idle_ms = 60000, .verb = "RETR", .argument = "f",
        .file = "/f", .bytes = 7 },
      "USER  ACCESS     ADDRESS    PID  SINCE  IDLE  BYTES  DONE  RATE  COMMAND\n",
      "ftp   anonymous  192.0.2.7    7  22:12    1m      -     -     -  -\n",
      JSON_BEGIN "\"user\": \"ftp\", \"access\": \"anonymous\", " JSON_SINCE "\"idle\": 60, \"command\": null, " JSON_NO_XFER },
    { "command_without_an_argument",
      { SINCE, .user = "alice", .access = SCOREBOARD_GUEST, .busy = true, .verb = "NOOP" },
      "USER   ACCESS  ADDRESS    PID  SINCE  IDLE  BYTES  DONE  RATE  COMMAND\n",
      "alice  guest   192.0.2.7    7  22:12     -      -     -     -  NOOP\n",
      JSON_BEGIN "\"user\": \"alice\", \"access\": \"guest\", " JSON_SINCE "\"idle\": 0, \"command\": \"NOOP\", " JSON_NO_XFER },
    { "transfer",
      { SINCE, .user = "alice", .access = SCOREBOARD_LOCAL, .busy = true, .verb = "RETR", .argument = "f",
        .transferring = true, .file = "/home/f", .elapsed_ms = 2000, .bytes = 3 << 20, .offset = 1 << 20,
        .has_size = true, .size = 8 << 20 },
      "USER   ACCESS  ADDRESS    PID  SINCE  IDLE  BYTES  DONE    RATE  COMMAND\n",
      "alice  local   192.0.2.7    7  22:12     -   3.0M   50%  1.5M/s  RETR /home/f\n",
      JSON_BEGIN "\"user\": \"alice\", \"access\": \"local\", " JSON_SINCE "\"idle\": 0, \"command\": \"RETR f\", "
      "\"file\": \"/home/f\", \"bytes\": 3145728, \"offset\": 1048576, \"size\": 8388608, \"percent\": 50, "
      "\"rate\": 1572864}]\n" },
    { "listing_that_has_just_begun",
      { SINCE, .user = "alice", .access = SCOREBOARD_LOCAL, .busy = true, .verb = "LIST", .argument = "-a d",
        .transferring = true },
      "USER   ACCESS  ADDRESS    PID  SINCE  IDLE  BYTES  DONE  RATE  COMMAND\n",
      "alice  local   192.0.2.7    7  22:12     -      0     -     -  LIST -a d\n",
      JSON_BEGIN "\"user\": \"alice\", \"access\": \"local\", " JSON_SINCE "\"idle\": 0, \"command\": \"LIST -a d\", "
      "\"file\": null, \"bytes\": 0, \"offset\": 0, \"size\": null, \"percent\": null, \"rate\": null}]\n" },
    { "texts_that_would_do_harm",
      { SINCE, .user = "a\x1b\"", .access = SCOREBOARD_LOCAL, .busy = true, .verb = "CWD", .argument = "\\\r\n\xff\xc3\xa9" },
      "USER    ACCESS  ADDRESS    PID  SINCE  IDLE  BYTES  DONE  RATE  COMMAND\n",
      "a\\x1B\"  local   192.0.2.7    7  22:12     -      -     -     -  CWD \\x5C\\x0D\\x0A\\xFF\xc3\xa9\n",
      JSON_BEGIN "\"user\": \"a\\\\x1B\\\"\", \"access\": \"local\", " JSON_SINCE "\"idle\": 0, \"command\": "
      "\"CWD \\\\x5C\\\\x0D\\\\x0A\\\\xFF\xc3\xa9\", " JSON_NO_XFER },
};
/* clang-format on */

static void rows_are_shown(void **state)
{
    const struct who_row *row = *state;
    char *text = table_of(&row->row, 1, 0);

    assert_int_equal(strncmp(text, row->headings, strlen(row->headings)), 0);
    assert_string_equal(text + strlen(row->headings), row->line);
    free(text);
    text = json_of(&row->row, 1);
    assert_string_equal(text, row->json);
    free(text);
}

/* The word of the only line below a heading. */
static void expect_cell(const struct scoreview_row *row, unsigned column, const char *wanted)
{
    char *text = table_of(row, 1, 0);
    char *rest = strchr(text, '\n');
    const char *word = NULL;

    assert_non_null(rest);
    for (unsigned i = 0; i <= column; i++) {
        rest += strspn(rest, " \n");
        word = rest;
        rest += strcspn(rest, " \n");
    }
    *rest = '\0';
    assert_string_equal(word, wanted);
    free(text);
}

struct cell_row {
    const char *name;
    struct scoreview_row row;
    unsigned column;
    const char *cell;
};

#define IDLE(seconds) {.idle_ms = (int64_t)(seconds)*1000}, 5
#define BYTES(count)  {.busy = true, .transferring = true, .bytes = (count)}, 6
#define DONE(from, count, all)                                                                     \
    {.busy = true,                                                                                 \
     .transferring = true,                                                                         \
     .offset = (from),                                                                             \
     .bytes = (count),                                                                             \
     .has_size = true,                                                                             \
     .size = (all)},                                                                               \
        7
#define RATE(count, ms)                                                                            \
    {.busy = true, .transferring = true, .bytes = (count), .elapsed_ms = (ms)}, 8

/* clang-format off */
static const struct cell_row cell_rows[] = {
    { "no_idle_time",               IDLE(0), "0s" },
    { "seconds",                    IDLE(59), "59s" },
    { "minutes",                    IDLE(3599), "59m" },
    { "hours",                      IDLE(3660), "1h01m" },
    { "almost_a_day",               IDLE(86399), "23h59m" },
    { "days",                       IDLE(86400 * 400), "400d" },
    { "longest_idle_time",          { .idle_ms = INT64_MAX }, 5, "106751991167d" },
    { "no_bytes",                   BYTES(0), "0" },
    { "single_bytes",               BYTES(1023), "1023" },
    { "a_kilobyte",                 BYTES(1024), "1.0K" },
    { "few_kilobytes",              BYTES(10188), "9.9K" },
    { "more_kilobytes",             BYTES(10189), "10K" },
    { "almost_a_megabyte",          BYTES(1047551), "1023K" },
    { "a_megabyte_by_rounding",     BYTES(1048575), "1.0M" },
    { "gigabytes",                  BYTES(5ULL << 30), "5.0G" },
    { "most_bytes",                 BYTES(INT64_MAX), "8.0E" },
    { "nothing_done",               DONE(0, 0, 1000), "0%" },
    { "almost_done",                DONE(500, 499, 1000), "99%" },
    { "done",                       DONE(0, 1000, 1000), "100%" },
    { "more_than_there_is",         DONE(INT64_MAX, INT64_MAX, 1), "100%" },
    { "empty_file",                 DONE(0, 0, 0), "100%" },
    { "no_time_for_a_rate",         RATE(1000, 0), "-" },
    { "slow_rate",                  RATE(999, 1000000), "0/s" },
    { "rate",                       RATE(4096, 2000), "2.0K/s" },
    { "highest_rate",               RATE(INT64_MAX, 1), "8.0E/s" },
    { "since_yesterday",            { .since_sec = NOW_SEC - 86400 }, 4, "Nov13" },
    { "since_the_last_year",        { .since_sec = NOW_SEC - 365 * 86400 }, 4, "2022-11-14" },
    { "since_today",                { .since_sec = NOW_SEC - 3600 }, 4, "21:13" },
};
/* clang-format on */

static void cells(void **state)
{
    const struct cell_row *row = *state;

    expect_cell(&row->row, row->column, row->cell);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    const struct scoreview_row rows[] = {
        {.user = "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", .pid = 1, .since_sec = NOW_SEC},
        {.user = "abcdef", .pid = 100000, .since_sec = NOW_SEC},
    };
    char *text = table_of(rows, ARRAY_LEN(rows), 0);

    (void)state;
    assert_string_equal(text,
                        "USER    ACCESS  ADDRESS     PID  SINCE  IDLE  BYTES  DONE  RATE  COMMAND\n"
                        "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9   "
                        "-       -             1  22:13    0s      -     -     -  -\n"
                        "abcdef  -       -        100000  22:13    0s      -     -     -  -\n");
    free(text);
}

struct width_row {
    const char *name;
    size_t width;
    const char *line;
};

/* Characters from the Chinese on take two columns. */
static const struct width_row width_rows[] = {
    {"terminal_that_is_wide_enough", 200, "\xC3\xA9\xE4\xB8\xAD\xE4\xB8\xAD"},
    {"terminal_that_just_fits", 65, "\xC3\xA9\xE4\xB8\xAD\xE4\xB8\xAD"},
    {"half_a_character_is_no_character", 64, "\xC3\xA9\xE4\xB8\xAD"},
    {"cut_in_front_of_them", 62, "\xC3\xA9"},
    {"narrow_terminal", 3, "-  "},
};

static void lines_are_cut_to_the_terminal(void **state)
{
    const struct width_row *width = *state;
    const struct scoreview_row row = {
        .since_sec = NOW_SEC, .busy = true, .verb = "\xC3\xA9\xE4\xB8\xAD\xE4\xB8\xAD"};
    char *text = table_of(&row, 1, width->width);
    char *line = strchr(text, '\n') + 1;
    size_t len = strlen(line) - 1;
    size_t end = strlen(width->line);

    assert_int_equal(line[len], '\n');
    line[len] = '\0';
    assert_true(len >= end);
    assert_string_equal(line + len - end, width->line);
    assert_true((size_t)(strchr(text, '\n') - text) <= width->width);
    free(text);
}

static void json_of_many(void **state)
{
    const struct scoreview_row rows[2] = {{.pid = 1}, {.pid = 2}};
    char *text = json_of(rows, 0);

    (void)state;
    assert_string_equal(text, "[]\n");
    free(text);
    text = json_of(rows, 2);
    assert_int_equal(strncmp(text, "[{\"pid\": 1, ", 12), 0);
    assert_non_null(strstr(text, "},\n {\"pid\": 2, "));
    free(text);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    UNIT_ADD_TABLE(rows_are_shown, who_rows);
    UNIT_ADD_TABLE(cells, cell_rows);
    UNIT_ADD(columns_are_as_wide_as_their_widest_cell);
    UNIT_ADD_TABLE(lines_are_cut_to_the_terminal, width_rows);
    UNIT_ADD(json_of_many);
    return unit_run("who");
}
