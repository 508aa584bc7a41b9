/*
 * rate.h - how fast bytes may flow: a token bucket (pure)
 *
 * The bucket is kept as one moment: the one at which all that was moved is paid for. Who moves bytes
 * pays afterwards and pauses until then. What a pause was too long, and a stall up to CREDIT, is caught
 * up with, so the rate holds on average; a longer stall is lost, so it is never followed by a burst.
 */
#ifndef MINIFTPD_RATE_H
#define MINIFTPD_RATE_H

#include <stddef.h>
#include <stdint.h>

#include "common.h"

/* Starts as {0}: no limit, and nothing to pay for. */
struct rate {
    uint64_t bytes_per_sec; /* 0: no limit */
    int64_t paid_ns;        /* CLOCK_MONOTONIC */
};

/* Set the limit, bytes a second; 0 is none. What was moved before still has to be paid for. */
void rate_set(struct rate *r, uint64_t bytes_per_sec);

/*
 * How many bytes to move at once: at most `most` (at least 1), and less if those would be more than a
 * fortieth of a second is worth. At least 1.
 */
MUST_CHECK size_t rate_portion(const struct rate *r, size_t most);

/* `bytes`, at most 2^33, were moved at now_ms (sysutil_now_ms()). */
void rate_spend(struct rate *r, uint64_t bytes, int64_t now_ms);

/*
 * Until when to pause before the next portion: a moment after now_ms, or 0 if there is no need. Pauses
 * are not shorter than 10 ms, so there are not many of them at high rates.
 */
MUST_CHECK int64_t rate_pause(const struct rate *r, int64_t now_ms);

#endif
