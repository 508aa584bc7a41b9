/*
 * fuzz_userlist.c - fuzz lists of users: the first line of the input is the name, the rest the list
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 *
 * A second reader, which copies each line, has to say the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "userlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* One line, to be changed: is it the name? */
static bool is_line(char *line, size_t len, const char *name)
{
    static const char space[] = " \t\r";
    size_t skip;

    if (memchr(line, '\0', len) != NULL) {
        return false;
    }
    line[len] = '\0';
    skip = strspn(line, space);
    while (len > skip && strchr(space, line[len - 1]) != NULL) {
        line[--len] = '\0';
    }
    return line[skip] != '\0' && line[skip] != '#' && strcmp(line + skip, name) == 0;
}

static bool has(const char *text, size_t len, const char *name)
{
    bool found = false;

    while (len > 0 && !found) {
        const char *eol = memchr(text, '\n', len);
        size_t line_len = eol != NULL ? (size_t)(eol - text) : len;
        char *line = malloc(line_len + 1);

        require(line != NULL);
        memcpy(line, text, line_len);
        found = is_line(line, line_len, name);
        free(line);
        text += line_len;
        len -= line_len;
        if (eol != NULL) {
            text++;
            len--;
        }
    }
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *eol = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t name_len = eol != NULL ? (size_t)(eol - data) : size;
    size_t list_len = eol != NULL ? size - name_len - 1 : 0;
    char *name = malloc(name_len + 1);
    char *list = malloc(list_len > 0 ? list_len : 1); /* so that a read beyond it is seen */

    require(name != NULL && list != NULL);
    memcpy(name, data, name_len);
    name[name_len] = '\0';
    if (list_len > 0) {
        memcpy(list, eol + 1, list_len);
    }
    require(userlist_has(list, list_len, name) == has(list, list_len, name));
    free(name);
    free(list);
    return 0;
}
