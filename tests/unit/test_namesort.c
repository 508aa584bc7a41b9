/*
 * test_namesort.c - the order of names, against a plain sort of the same
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "namesort.h"
#include "unit.h"

#define ENTRIES_MAX 5000
#define NAME_BYTES  16

/* Names of random letters behind a common beginning, whatever their keys are made of. */
struct order_row {
    const char *name;
    const char *begin;
    size_t count;
    const char *letters;
    uint64_t keys; /* this many different ones; 0: made of the names */
};

/* clang-format off */
static const struct order_row order_rows[] = {
    { "no_names", "", 0, "ab", 0 },
    { "one_name", "", 1, "ab", 0 },
    { "two_names", "", 2, "ab", 0 },
    { "a_few_names", "", 64, "abc", 0 },
    { "one_name_more_than_a_few", "", 65, "abc", 0 },
    { "many_names", "", 5000, "abcdefghijklmnopqrstuvwxyz", 0 },
    { "many_names_that_are_often_the_same", "", 5000, "a", 0 },
    { "many_names_with_one_beginning", "photo-", 5000, "0123456789", 0 },
    { "names_with_bytes_over_127", "\xC3", 5000, "\x01\x7F\x80\xFF", 0 },
    { "names_that_differ_in_their_ends", "", 5000, "aaaaaaaaaaaaaaaaaaaaab", 0 },
    { "one_key_for_all", "x", 5000, "0123456789", 1 },
    { "two_keys", "x", 5000, "0123456789", 2 },
    { "keys_of_two_bytes", "x", 5000, "0123456789", 300 },
    { "keys_of_eight_bytes", "x", 5000, "0123456789", UINT64_MAX },
};
/* clang-format on */

static struct {
    struct namesort_entry entries[ENTRIES_MAX];
    struct namesort_entry expected[ENTRIES_MAX];
    char names[ENTRIES_MAX * (NAME_BYTES + 8)];
} sorting;

/* The same at each run. */
static uint64_t next_number(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void make_entries(const struct order_row *row)
{
    uint64_t state = 88172645463325252U;
    size_t at = 0;

    for (size_t i = 0; i < row->count; i++) {
        size_t len = next_number(&state) % NAME_BYTES;

        sorting.entries[i].name = (uint32_t)at;
        sorting.entries[i].key = row->keys > 0 ? next_number(&state) % row->keys : 0;
        memcpy(sorting.names + at, row->begin, strlen(row->begin));
        at += strlen(row->begin);
        while (len-- > 0) {
            sorting.names[at++] = row->letters[next_number(&state) % strlen(row->letters)];
        }
        sorting.names[at++] = '\0';
    }
}

static int compare_plainly(const void *a, const void *b)
{
    const struct namesort_entry *left = a;
    const struct namesort_entry *right = b;

    if (left->key != right->key) {
        return left->key < right->key ? -1 : 1;
    }
    return strcmp(sorting.names + left->name, sorting.names + right->name);
}

static void check_order(void **state)
{
    const struct order_row *row = *state;

    make_entries(row);
    memcpy(sorting.expected, sorting.entries, sizeof(sorting.expected));
    qsort(sorting.expected, row->count, sizeof(sorting.expected[0]), compare_plainly);
    if (row->keys == 0) {
        namesort_key_by_name(sorting.entries, row->count, sorting.names);
    }
    namesort_run(sorting.entries, row->count, sorting.names);
    for (size_t i = 0; i < row->count; i++) {
        if (row->keys > 0) {
            assert_true(sorting.entries[i].key == sorting.expected[i].key);
        }
        assert_string_equal(sorting.names + sorting.entries[i].name,
                            sorting.names + sorting.expected[i].name);
    }
}

static void keys_are_made_of_what_differs(void **state)
{
    static const char names[] = "file-0001\0file-0002\0file-";
    struct namesort_entry entries[] = {{.name = 0}, {.name = 10}};

    (void)state;
    namesort_key_by_name(entries, ARRAY_LEN(entries), names);
    assert_true(entries[0].key == (uint64_t)'1' << 56);
    assert_true(entries[1].key == (uint64_t)'2' << 56);
    entries[0].name = 20; /* a name that the other begins with */
    namesort_key_by_name(entries, ARRAY_LEN(entries), names);
    assert_true(entries[0].key == 0);
    assert_true(entries[1].key == (uint64_t)0x3030303200000000);
}

int main(void)
{
    UNIT_ADD_TABLE(check_order, order_rows);
    UNIT_ADD(keys_are_made_of_what_differs);
    return unit_run("namesort");
}
