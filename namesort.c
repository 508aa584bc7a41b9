/*
 * namesort.c - the order of the names in a listing (pure)
 *
 * Process: S.
 * Trusts:  no name.
 * Touches: memory of its own only.
 *
 * Sorting is most of the work of a large NLST. Keys are numbers, so they are sorted byte by byte with
 * counted places and without comparisons; bytes that are the same in all keys cost nothing.
 */
#include "namesort.h"

#include <stdlib.h>
#include <string.h>

#define KEY_BYTES   sizeof(uint64_t)
#define BYTE_VALUES 256
#define FEW         64 /* entries, which comparing sorts faster */

/* The first eight bytes as a number; NULs follow the end of the name. */
static uint64_t key_of(const char *name)
{
    uint64_t key = 0;

    for (size_t i = 0; i < KEY_BYTES; i++) {
        key = key << 8 | (unsigned char)*name;
        name += *name != '\0';
    }
    return key;
}

void namesort_key_by_name(struct namesort_entry *entries, size_t count, const char *names)
{
    const char *first = count > 0 ? names + entries[0].name : "";
    size_t shared = strlen(first); /* bytes that all names begin with */

    for (size_t i = 1; i < count && shared > 0; i++) {
        const char *name = names + entries[i].name;
        size_t same = 0;

        while (same < shared && name[same] == first[same]) {
            same++;
        }
        shared = same;
    }
    for (size_t i = 0; i < count; i++) {
        entries[i].key = key_of(names + entries[i].name + shared);
    }
}

static int compare(const void *a, const void *b, void *names)
{
    const struct namesort_entry *left = a;
    const struct namesort_entry *right = b;
    const char *base = names;

    if (left->key != right->key) {
        return left->key < right->key ? -1 : 1;
    }
    return strcmp(base + left->name, base + right->name);
}

static void sort_comparing(struct namesort_entry *entries, size_t count, const char *names)
{
    if (count > 1) {
        qsort_r(entries, count, sizeof(*entries), compare, (void *)(uintptr_t)names);
    }
}

static size_t byte_of(uint64_t key, size_t index)
{
    return key >> (index * 8) & (BYTE_VALUES - 1);
}

/* How often each byte of the keys, the lowest being the first, has each value. */
static void count_bytes(const struct namesort_entry *entries, size_t count,
                        size_t counts[KEY_BYTES][BYTE_VALUES])
{
    memset(counts, 0, KEY_BYTES * sizeof(counts[0]));
    for (size_t i = 0; i < count; i++) {
        for (size_t index = 0; index < KEY_BYTES; index++) {
            counts[index][byte_of(entries[i].key, index)]++;
        }
    }
}

/* Order by one byte and leave the order among equals; `places` holds how often each value occurs. */
static void sort_by_byte(const struct namesort_entry *from, struct namesort_entry *to, size_t count,
                         size_t index, size_t *places)
{
    size_t next = 0;

    for (size_t value = 0; value < BYTE_VALUES; value++) {
        size_t here = places[value];

        places[value] = next;
        next += here;
    }
    for (size_t i = 0; i < count; i++) {
        to[places[byte_of(from[i].key, index)]++] = from[i];
    }
}

/* Order by key; the result is in `entries`, whatever was in `other`. */
static void sort_by_key(struct namesort_entry *entries, struct namesort_entry *other, size_t count)
{
    size_t counts[KEY_BYTES][BYTE_VALUES];
    struct namesort_entry *from = entries;
    struct namesort_entry *to = other;

    count_bytes(entries, count, counts);
    for (size_t index = 0; index < KEY_BYTES; index++) {
        struct namesort_entry *kept = from;

        if (counts[index][byte_of(from[0].key, index)] == count) {
            continue;
        }
        sort_by_byte(from, to, count, index, counts[index]);
        from = to;
        to = kept;
    }
    if (from != entries) {
        memcpy(entries, from, count * sizeof(*entries));
    }
}

/* Among equal keys the names decide. */
static void sort_equals(struct namesort_entry *entries, size_t count, const char *names)
{
    for (size_t start = 0, end; start < count; start = end) {
        end = start + 1;
        while (end < count && entries[end].key == entries[start].key) {
            end++;
        }
        sort_comparing(entries + start, end - start, names);
    }
}

void namesort_run(struct namesort_entry *entries, size_t count, const char *names)
{
    struct namesort_entry *other = count > FEW ? reallocarray(NULL, count, sizeof(*entries)) : NULL;

    if (other == NULL) {
        sort_comparing(entries, count, names);
        return;
    }
    sort_by_key(entries, other, count);
    sort_equals(entries, count, names);
    free(other);
}
