/*
 * conntab.c - who is connected: sessions by process and by address (pure)
 *
 * Process: L.
 * Trusts:  its caller.
 * Touches: memory of its own only.
 *
 * Two hash tables over the same entries: sessions chained by process, and one counter per address.
 * Both double when they are full, and stay as small as the busiest hour needed.
 */
#include "conntab.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netaddr.h"

#define FIRST_BUCKETS 64

struct address {
    struct address *next;
    struct netaddr addr;
    size_t sessions;
};

struct connection {
    struct connection *next;
    struct address *address;
    pid_t pid;
};

struct conntab {
    struct connection **by_pid;
    struct address **by_address;
    size_t buckets; /* of both, a power of two */
    size_t total;
};

struct conntab *conntab_new(void)
{
    struct conntab *tab = calloc(1, sizeof(*tab));

    if (tab == NULL) {
        return NULL;
    }
    tab->buckets = FIRST_BUCKETS;
    tab->by_pid = calloc(tab->buckets, sizeof(struct connection *));
    tab->by_address = calloc(tab->buckets, sizeof(struct address *));
    if (tab->by_pid == NULL || tab->by_address == NULL) {
        conntab_free(tab);
        return NULL;
    }
    return tab;
}

void conntab_free(struct conntab *tab)
{
    for (size_t i = 0; tab->by_pid != NULL && i < tab->buckets; i++) {
        while (tab->by_pid[i] != NULL) {
            struct connection *gone = tab->by_pid[i];

            tab->by_pid[i] = gone->next;
            free(gone);
        }
    }
    for (size_t i = 0; tab->by_address != NULL && i < tab->buckets; i++) {
        while (tab->by_address[i] != NULL) {
            struct address *gone = tab->by_address[i];

            tab->by_address[i] = gone->next;
            free(gone);
        }
    }
    free(tab->by_pid);
    free(tab->by_address);
    free(tab);
}

static size_t mix(uint64_t value, size_t buckets)
{
    value *= 0x9E3779B97F4A7C15U; /* 2^64 divided by the golden ratio: spreads neighbours */
    return (size_t)(value >> 32) & (buckets - 1);
}

static size_t pid_bucket(pid_t pid, size_t buckets)
{
    return mix((uint64_t)pid, buckets);
}

static size_t address_bucket(const struct netaddr *addr, size_t buckets)
{
    uint64_t half[2];

    memcpy(half, addr->bytes, sizeof(half));
    return mix(half[0] ^ half[1] * 31 ^ addr->family, buckets);
}

/* Twice the buckets. Without memory all stays as it is, just slower. */
static void grow(struct conntab *tab)
{
    size_t buckets = tab->buckets * 2;
    struct connection **by_pid = calloc(buckets, sizeof(struct connection *));
    struct address **by_address = calloc(buckets, sizeof(struct address *));

    if (by_pid == NULL || by_address == NULL) {
        free(by_pid);
        free(by_address);
        return;
    }
    for (size_t i = 0; i < tab->buckets; i++) {
        while (tab->by_pid[i] != NULL) {
            struct connection *moved = tab->by_pid[i];
            size_t to = pid_bucket(moved->pid, buckets);

            tab->by_pid[i] = moved->next;
            moved->next = by_pid[to];
            by_pid[to] = moved;
        }
        while (tab->by_address[i] != NULL) {
            struct address *moved = tab->by_address[i];
            size_t to = address_bucket(&moved->addr, buckets);

            tab->by_address[i] = moved->next;
            moved->next = by_address[to];
            by_address[to] = moved;
        }
    }
    free(tab->by_pid);
    free(tab->by_address);
    tab->by_pid = by_pid;
    tab->by_address = by_address;
    tab->buckets = buckets;
}

static struct address **find_address(const struct conntab *tab, const struct netaddr *addr)
{
    struct address **at = &tab->by_address[address_bucket(addr, tab->buckets)];

    while (*at != NULL && !netaddr_same_host(&(*at)->addr, addr)) {
        at = &(*at)->next;
    }
    return at;
}

/* The counter of an address, made if it is new. */
static struct address *take_address(struct conntab *tab, const struct netaddr *addr)
{
    struct address **at = find_address(tab, addr);

    if (*at == NULL) {
        *at = calloc(1, sizeof(**at));
        if (*at != NULL) {
            (*at)->addr = *addr;
        }
    }
    return *at;
}

bool conntab_add(struct conntab *tab, pid_t pid, const struct netaddr *addr)
{
    struct connection *added = calloc(1, sizeof(*added));
    size_t bucket;

    if (tab->total >= tab->buckets) {
        grow(tab);
    }
    if (added == NULL || (added->address = take_address(tab, addr)) == NULL) {
        free(added);
        return false;
    }
    bucket = pid_bucket(pid, tab->buckets);
    added->pid = pid;
    added->next = tab->by_pid[bucket];
    tab->by_pid[bucket] = added;
    added->address->sessions++;
    tab->total++;
    return true;
}

bool conntab_remove(struct conntab *tab, pid_t pid)
{
    struct connection **at = &tab->by_pid[pid_bucket(pid, tab->buckets)];
    struct connection *gone;

    while (*at != NULL && (*at)->pid != pid) {
        at = &(*at)->next;
    }
    gone = *at;
    if (gone == NULL) {
        return false;
    }
    if (--gone->address->sessions == 0) {
        struct address **address = find_address(tab, &gone->address->addr);

        *address = gone->address->next;
        free(gone->address);
    }
    *at = gone->next;
    free(gone);
    tab->total--;
    return true;
}

size_t conntab_total(const struct conntab *tab)
{
    return tab->total;
}

size_t conntab_count(const struct conntab *tab, const struct netaddr *addr)
{
    const struct address *found = *find_address(tab, addr);

    return found != NULL ? found->sessions : 0;
}

size_t conntab_list(const struct conntab *tab, pid_t *pids, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < tab->buckets; i++) {
        for (const struct connection *c = tab->by_pid[i]; c != NULL && count < max; c = c->next) {
            pids[count++] = c->pid;
        }
    }
    return count;
}
