/*
 * test_scoreview.c - what a reader makes of pages that anybody may have written
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 */
#include <string.h>

#include "scoreview.h"
#include "unit.h"

#define NOW_MS 1000000

static struct scoreboard_facts good_facts(void)
{
    struct scoreboard_facts facts = {
        .magic = SCOREBOARD_MAGIC,
        .pid = 7,
        .listener = 1,
        .since_sec = 1700000000,
        .access = SCOREBOARD_LOCAL,
        .peer = "192.0.2.7",
        .user = "alice",
    };

    return facts;
}

static void fill_live(struct scoreboard_live *live)
{
    memset(live, 0, sizeof(*live));
    live->busy = live->transferring = 1;
    live->active_ms = NOW_MS - 7000;
    live->started_ms = NOW_MS - 5000;
    live->bytes = 90;
    live->offset = 10;
    live->size = 1000;
    memcpy(live->verb, "RETR", 5);
    memcpy(live->argument, "f", 2);
    memcpy(live->file, "/f", 3);
}

static bool decode(const struct scoreboard_facts *facts, const struct scoreboard_live *live,
                   struct scoreview_row *row)
{
    return scoreview_decode(facts, sizeof(*facts), live, sizeof(*live), NOW_MS, row);
}

static void pages_of_a_session(void **state)
{
    struct scoreboard_facts facts = good_facts();
    struct scoreboard_live live;
    struct scoreview_row row;

    (void)state;
    fill_live(&live);
    assert_true(decode(&facts, &live, &row));
    assert_int_equal(row.pid, 7);
    assert_int_equal(row.listener, 1);
    assert_int_equal(row.access, SCOREBOARD_LOCAL);
    assert_string_equal(row.peer, "192.0.2.7");
    assert_string_equal(row.user, "alice");
    assert_true(row.busy && row.transferring && row.has_size);
    assert_int_equal(row.idle_ms, 0);
    assert_int_equal(row.elapsed_ms, 5000);
    assert_true(row.bytes == 90 && row.offset == 10 && row.size == 1000);
    assert_string_equal(row.verb, "RETR");
    assert_string_equal(row.argument, "f");
    assert_string_equal(row.file, "/f");
    live.busy = 0;
    assert_true(decode(&facts, &live, &row));
    assert_false(row.transferring);
    assert_int_equal(row.idle_ms, 7000);
}

static void pages_that_are_too_short(void **state)
{
    struct scoreboard_facts facts = good_facts();
    struct scoreboard_live live;
    struct scoreview_row row;

    (void)state;
    fill_live(&live);
    assert_false(scoreview_decode(&facts, sizeof(facts) - 1, &live, sizeof(live), NOW_MS, &row));
    assert_false(scoreview_decode(&facts, sizeof(facts), &live, sizeof(live) - 1, NOW_MS, &row));
    assert_false(scoreview_decode(&facts, 0, &live, 0, NOW_MS, &row));
}

struct facts_row {
    const char *name;
    size_t offset, len;
    uint8_t byte;
    bool good;
};

#define FIELD(field)                                                                               \
    offsetof(struct scoreboard_facts, field), sizeof(((struct scoreboard_facts *)0)->field)

/* clang-format off */
static const struct facts_row facts_rows[] = {
    { "magic_of_another_version",   FIELD(magic),     'x',  false },
    { "pid_zero",                   FIELD(pid),       0x00, false },
    { "pid_below_zero",             FIELD(pid),       0xFF, false },
    { "since_below_zero",           FIELD(since_sec), 0xFF, false },
    { "since_in_the_far_future",    FIELD(since_sec), 0x7F, false },
    { "access_that_does_not_exist", FIELD(access),    0x04, false },
    { "peer_without_an_end",        FIELD(peer),      'p',  true },
    { "user_without_an_end",        FIELD(user),      'u',  true },
};
/* clang-format on */

static void facts_are_checked(void **state)
{
    const struct facts_row *row = *state;
    struct scoreboard_facts facts = good_facts();
    struct scoreboard_live live;
    struct scoreview_row view;

    fill_live(&live);
    memset((char *)&facts + row->offset, row->byte, row->len);
    assert_int_equal(decode(&facts, &live, &view), row->good);
    assert_true(strlen(view.peer) < sizeof(view.peer));
    assert_true(strlen(view.user) < sizeof(view.user));
}

static void garbage_in_the_live_page_is_bounded(void **state)
{
    struct scoreboard_facts facts = good_facts();
    struct scoreboard_live live;
    struct scoreview_row row;

    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        memset(&live, byte, sizeof(live));
        assert_true(decode(&facts, &live, &row));
        assert_int_equal(row.pid, 7);
        assert_in_range(row.idle_ms, 0, NOW_MS);
        assert_in_range(row.elapsed_ms, 0, NOW_MS);
        assert_true(row.bytes <= INT64_MAX && row.size <= INT64_MAX && row.offset <= INT64_MAX);
        assert_true(strlen(row.verb) <= SCOREBOARD_VERB_MAX);
        assert_true(strlen(row.argument) <= SCOREBOARD_ARGUMENT_MAX);
        assert_true(strlen(row.file) <= SCOREBOARD_FILE_MAX);
    }
}

struct time_row {
    const char *name;
    int64_t then_ms;
    int64_t age_ms;
};

static const struct time_row time_rows[] = {
    {"a_moment_ago", NOW_MS - 1, 1},    {"now", NOW_MS, 0},
    {"in_the_future", NOW_MS + 1, 0},   {"never", 0, 0},
    {"before_all_times", INT64_MIN, 0}, {"after_all_times", INT64_MAX, 0},
};

static void times_are_bounded(void **state)
{
    const struct time_row *row = *state;
    struct scoreboard_facts facts = good_facts();
    struct scoreboard_live live;
    struct scoreview_row view;

    fill_live(&live);
    live.busy = 0;
    live.active_ms = live.started_ms = row->then_ms;
    assert_true(decode(&facts, &live, &view));
    assert_int_equal(view.idle_ms, row->age_ms);
    assert_int_equal(view.elapsed_ms, row->age_ms);
}

int main(void)
{
    UNIT_ADD(pages_of_a_session);
    UNIT_ADD(pages_that_are_too_short);
    UNIT_ADD_TABLE(facts_are_checked, facts_rows);
    UNIT_ADD(garbage_in_the_live_page_is_bounded);
    UNIT_ADD_TABLE(times_are_bounded, time_rows);
    return unit_run("scoreview");
}
