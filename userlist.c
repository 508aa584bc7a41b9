/*
 * userlist.c - files with one user name a line
 *
 * Process: N before login, and A, which verifies a login.
 * Trusts:  the files, which are the administrator's. A name comes from the network.
 * Touches: the files, read only.
 */
#include "userlist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "str.h"
#include "sysutil.h"

static bool is_space(char c)
{
    return str_is_blank(c) || c == '\r';
}

bool userlist_has(const char *text, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    const char *end = text + len;

    while (text < end) {
        const char *eol = memchr(text, '\n', (size_t)(end - text));
        const char *next = eol != NULL ? eol + 1 : end;
        const char *last = eol != NULL ? eol : end;

        while (text < last && is_space(*text)) {
            text++;
        }
        while (last > text && is_space(last[-1])) {
            last--;
        }
        if (text < last && *text != '#' && (size_t)(last - text) == name_len &&
            memcmp(text, name, name_len) == 0) {
            return true;
        }
        text = next;
    }
    return false;
}

/* All of an open file, to be freed by the caller; NULL with errno. */
static char *read_all(int fd, size_t *len_out)
{
    struct stat st;
    char *text;
    ssize_t len;

    if (fstat(fd, &st) == -1) {
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return NULL;
    }
    if (st.st_size > USERLIST_FILE_MAX) {
        errno = EFBIG;
        return NULL;
    }
    text = malloc((size_t)st.st_size + 1);
    len = text != NULL ? sysutil_readn(fd, text, (size_t)st.st_size) : -1;
    if (len == -1) {
        free(text);
        return NULL;
    }
    *len_out = (size_t)len;
    return text;
}

enum userlist_answer userlist_look_up(const char *path, const char *name)
{
    int fd = open(path != NULL ? path : "", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    size_t len = 0;
    char *text = fd != -1 ? read_all(fd, &len) : NULL;
    enum userlist_answer answer = USERLIST_UNREADABLE;

    if (text != NULL) {
        answer = userlist_has(text, len, name) ? USERLIST_LISTED : USERLIST_NOT_LISTED;
    }
    free(text);
    sysutil_close(&fd);
    return answer;
}
