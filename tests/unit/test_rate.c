/*
 * test_rate.c - the token bucket, on a clock of its own
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: nothing.
 */
#include <stdint.h>

#include "rate.h"
#include "unit.h"

#define START_MS 1000000
#define RUN_MS   10000

/* A transfer on a machine that wakes up late. */
struct run {
    const char *name;
    uint64_t rate;
    size_t most;     /* bytes a call can move */
    int64_t late_ms; /* each pause is longer by up to that much */
    unsigned pauses_max;
};

static const struct run runs[] = {
    {"one byte a second", 1, 65536, 0, 11},
    {"39 bytes a second", 39, 65536, 0, 400},
    {"50 KB/s", 50000, 65536, 0, 420},
    {"50 KB/s, late", 50000, 65536, 40, 420},
    {"50 KB/s in small pieces", 50000, 100, 5, 1010},
    {"1 MB/s", 1000000, 1 << 20, 0, 420},
    {"1 MB/s, late", 1000000, 1 << 20, 40, 420},
    {"1 MB/s in pieces of 4096", 1000000, 4096, 10, 1010},
    {"100 MB/s", 100000000, 1 << 20, 0, 1010},
    {"100 MB/s, late", 100000000, 1 << 20, 40, 1010},
    {"100 MB/s in pieces of 64 KiB", 100000000, 65536, 20, 1010},
    {"4 GB/s", UINT32_MAX, 0x7ffff000, 0, 420},
};

static void the_rate_holds_over_ten_seconds(void **state)
{
    const struct run *run = *state;
    struct rate r = {0};
    int64_t now_ms = START_MS, until_ms;
    uint64_t moved = 0, want = run->rate * (RUN_MS / 1000);
    unsigned pauses = 0, seed = 1;

    rate_set(&r, run->rate);
    while (now_ms < START_MS + RUN_MS) {
        until_ms = rate_pause(&r, now_ms);
        if (until_ms > 0) {
            assert_true(until_ms > now_ms);
            seed = seed * 1103515245 + 12345;
            now_ms = until_ms + (run->late_ms > 0 ? (seed >> 16) % run->late_ms : 0);
            pauses++;
            continue;
        }
        moved += rate_portion(&r, run->most);
        rate_spend(&r, rate_portion(&r, run->most), now_ms);
    }
    assert_in_range(moved, want - want / 50, want + want / 50 + 1);
    assert_true(pauses <= run->pauses_max);
}

static void without_a_limit_nothing_waits(void **state)
{
    struct rate r = {0};

    (void)state;
    assert_int_equal(rate_portion(&r, 123456789), 123456789);
    rate_spend(&r, 1ULL << 33, START_MS);
    assert_int_equal(rate_pause(&r, START_MS), 0);
    rate_set(&r, 1000);
    rate_set(&r, 0);
    assert_int_equal(rate_portion(&r, 1), 1);
    assert_int_equal(rate_pause(&r, START_MS), 0);
}

/* What may go out before the first pause, from here on. */
static uint64_t burst(struct rate *r, int64_t now_ms)
{
    uint64_t moved = 0;

    while (rate_pause(r, now_ms) == 0) {
        moved += rate_portion(r, SIZE_MAX);
        rate_spend(r, rate_portion(r, SIZE_MAX), now_ms);
    }
    return moved;
}

static void no_burst_after_a_stall(void **state)
{
    struct rate r = {0};

    (void)state;
    rate_set(&r, 1000000);
    assert_in_range(burst(&r, START_MS), 75000, 101000);
    assert_in_range(burst(&r, START_MS + 3600000), 75000, 101000);
}

static void debts_outlive_a_transfer(void **state)
{
    struct rate r = {0};

    (void)state;
    rate_set(&r, 1000);
    (void)burst(&r, START_MS);
    rate_spend(&r, 10000, START_MS); /* a small file: it was moved at once */
    rate_set(&r, 1000);
    assert_in_range(rate_pause(&r, START_MS), START_MS + 10000, START_MS + 10200);
}

static void pauses_are_not_short(void **state)
{
    struct rate r = {0};

    (void)state;
    rate_set(&r, 1000000);
    (void)burst(&r, START_MS);
    assert_true(rate_pause(&r, START_MS) >= START_MS + 10);
    assert_int_equal(rate_pause(&r, START_MS + 1000), 0);
}

int main(void)
{
    UNIT_ADD_TABLE(the_rate_holds_over_ten_seconds, runs);
    UNIT_ADD(without_a_limit_nothing_waits);
    UNIT_ADD(no_burst_after_a_stall);
    UNIT_ADD(debts_outlive_a_transfer);
    UNIT_ADD(pauses_are_not_short);
    return unit_run("rate");
}
