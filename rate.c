/*
 * rate.c - how fast bytes may flow: a token bucket (pure)
 *
 * Process: S.
 * Trusts:  its callers.
 * Touches: nothing.
 */
#include "rate.h"

#include "sysutil.h"

#define NS_PER_SEC       1000000000
#define NS_PER_MS        1000000
#define PORTIONS_PER_SEC 40
#define CREDIT_NS        (75 * NS_PER_MS) /* with one portion it makes the longest burst: 0.1 s */
#define LEAST_PAUSE_MS   10
#define SPEND_MAX        (1ULL << 33) /* times NS_PER_SEC it fits 64 bits */

void rate_set(struct rate *r, uint64_t bytes_per_sec)
{
    r->bytes_per_sec = bytes_per_sec;
}

size_t rate_portion(const struct rate *r, size_t most)
{
    uint64_t portion = r->bytes_per_sec / PORTIONS_PER_SEC;

    if (r->bytes_per_sec == 0 || portion >= most) {
        return most;
    }
    return portion > 0 ? (size_t)portion : 1;
}

void rate_spend(struct rate *r, uint64_t bytes, int64_t now_ms)
{
    int64_t oldest_ns = now_ms * NS_PER_MS - CREDIT_NS;

    if (r->bytes_per_sec == 0) {
        return;
    }
    if (bytes > SPEND_MAX) {
        bug("more bytes at once than any system call moves");
    }
    if (r->paid_ns < oldest_ns) {
        r->paid_ns = oldest_ns;
    }
    r->paid_ns += (int64_t)((bytes * NS_PER_SEC + r->bytes_per_sec - 1) / r->bytes_per_sec);
}

int64_t rate_pause(const struct rate *r, int64_t now_ms)
{
    int64_t paid_ms = (r->paid_ns + NS_PER_MS - 1) / NS_PER_MS;

    if (r->bytes_per_sec == 0 || paid_ms <= now_ms) {
        return 0;
    }
    return paid_ms > now_ms + LEAST_PAUSE_MS ? paid_ms : now_ms + LEAST_PAUSE_MS;
}
