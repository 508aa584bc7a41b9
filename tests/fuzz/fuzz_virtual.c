/*
 * fuzz_virtual.c - fuzz virtual_users_file: read all of it, and look each of its users up
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: a file in memory.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "str.h"
#include "virtual.h"

#define NAMES_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* What was seen of the first entries. */
struct seen {
    size_t count;
    char names[NAMES_MAX][LOGIN_NAME_MAX_LEN + 1];
    unsigned numbers[NAMES_MAX];
};

static bool see(void *data, const struct virtual_entry *entry)
{
    struct seen *seen = data;
    size_t len = strlen(entry->name);

    require(virtual_is_name(entry->name, len) && entry->hash[0] != '\0');
    require(strchr(entry->hash, ':') == NULL && strchr(entry->uid, ':') == NULL &&
            strchr(entry->gid, ':') == NULL && strchr(entry->home, ':') == NULL);
    require(entry->home[0] == '\0' || entry->home[0] == '/');
    require(entry->uid[0] != '\0' || entry->gid[0] == '\0');
    require(strpbrk(entry->settings, "\n") == NULL && entry->number > 0);
    if (seen->count < NAMES_MAX) {
        memcpy(seen->names[seen->count], entry->name, len + 1);
        seen->numbers[seen->count++] = entry->number;
    }
    return true;
}

/* The first line that begins with the name is the entry, or a fault. */
static void look_up(const char *path, const char *name, unsigned number)
{
    struct str line = STR_INIT(VIRTUAL_LINE_MAX), reason = STR_INIT(10000);
    struct virtual_entry entry;

    switch (virtual_look_up(path, name, &line, &entry, &reason)) {
    case VIRTUAL_FOUND:
        require(strcmp(entry.name, name) == 0 && entry.number > 0 && entry.number <= number);
        require(reason.len == 0);
        break;
    case VIRTUAL_FAULT:
        require(reason.len > 0);
        break;
    case VIRTUAL_UNKNOWN:
        require(false);
        break;
    }
    str_free(&line);
    str_free(&reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct seen seen;
    struct str errors = STR_INIT(10000000);
    int fd = memfd_create("users", MFD_CLOEXEC);
    char path[64];
    bool good;

    require(fd != -1 && fchmod(fd, 0600) == 0);
    require(write(fd, data, size) == (ssize_t)size);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    seen.count = 0;
    good = virtual_read(path, see, &seen, &errors);
    require(good == (errors.len == 0) && str_ok(&errors));
    for (size_t i = 0; i < seen.count; i++) {
        look_up(path, seen.names[i], seen.numbers[i]);
    }
    str_free(&errors);
    close(fd);
    return 0;
}
