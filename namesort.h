/*
 * namesort.h - the order of the names in a listing
 */
#ifndef MINIFTPD_NAMESORT_H
#define MINIFTPD_NAMESORT_H

#include <stddef.h>
#include <stdint.h>

/* One name, ordered by key and then by its text. */
struct namesort_entry {
    uint64_t key;
    uint32_t name; /* where it begins, NUL-terminated, in the text that holds all names */
};

/*
 * Set all keys by the names alone: eight bytes behind what all names begin with, so that names which are
 * numbered differ in their keys. The order by key and name is that of strcmp(3) then.
 */
void namesort_key_by_name(struct namesort_entry *entries, size_t count, const char *names);

/*
 * Sort by key, and among equal keys by strcmp(3) of the names. In time linear in `count` as far as the
 * keys differ; while it runs it takes memory for a second array, and does without if there is none.
 */
void namesort_run(struct namesort_entry *entries, size_t count, const char *names);

#endif
