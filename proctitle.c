/*
 * proctitle.c - what ps(1) shows of a process
 *
 * Process: all of the daemon; each one changes its own copy.
 * Trusts:  that the kernel puts arguments and environment behind each other, as far as it looks so.
 * Touches: the memory of argv and environ, environ itself.
 */
#include "proctitle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "str.h"
#include "sysutil.h"

#define ABOUT_MAX 768  /* an address, and a name that is escaped */
#define TITLE_MAX 2048 /* longer ones are hard to read in any case */

/* Of this process. */
static struct {
    char *area; /* of arguments and environment */
    size_t size;
    bool taken;   /* titles are shown there */
    size_t shown; /* bytes of the one that is there */
    struct str about;
    struct str title;
} proctitle = {.about = STR_INIT(ABOUT_MAX), .title = STR_INIT(TITLE_MAX)};

/* The end of the strings that lie behind each other from `end` on; others are not ours to overwrite. */
static char *follow(char *const *strings, char *end)
{
    for (; *strings != NULL; strings++) {
        if (*strings == end) {
            end += strlen(end) + 1;
        }
    }
    return end;
}

void proctitle_init(int argc, char **argv)
{
    if (argc > 0 && argv[0] != NULL) {
        proctitle.area = argv[0];
        proctitle.size = (size_t)(follow(environ, follow(argv, argv[0])) - argv[0]);
    }
}

/* Copy strings; `list` has room for a NULL behind them. Returns false without memory, with nothing left. */
static bool copy_strings(char **list, char *const *strings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        list[i] = strdup(strings[i]);
        if (list[i] == NULL) {
            while (i > 0) {
                free(list[--i]);
            }
            return false;
        }
    }
    list[count] = NULL;
    return true;
}

static char **copy_list(char *const *strings, size_t count)
{
    char **list = calloc(count + 1, sizeof(*list));

    if (list != NULL && !copy_strings(list, strings, count)) {
        free(list);
        return NULL;
    }
    return list;
}

static size_t count_strings(char *const *strings)
{
    size_t count = 0;

    while (strings[count] != NULL) {
        count++;
    }
    return count;
}

bool proctitle_take(char **args, int count)
{
    const size_t arg_count = (size_t)count;
    const size_t env_count = count_strings(environ);
    char **own_args = copy_list(args, arg_count);
    char **own_environ = copy_list(environ, env_count);

    if (proctitle.size == 0 || own_args == NULL || own_environ == NULL) {
        for (size_t i = 0; own_args != NULL && i < arg_count; i++) {
            free(own_args[i]);
        }
        for (size_t i = 0; own_environ != NULL && i < env_count; i++) {
            free(own_environ[i]);
        }
        free(own_args);
        free(own_environ);
        errno = proctitle.size == 0 ? ENOSPC : ENOMEM;
        return false;
    }
    memcpy(args, own_args, arg_count * sizeof(*args));
    free(own_args);
    environ = own_environ;
    program_invocation_name = program_invocation_short_name = (char *)(uintptr_t)MINIFTPD_NAME;
    memset(proctitle.area, 0, proctitle.size);
    proctitle.taken = true;
    return true;
}

void proctitle_about(const char *peer, const char *user)
{
    if (!proctitle.taken) {
        return;
    }
    str_clear(&proctitle.about);
    str_append(&proctitle.about, peer);
    if (*user != '\0') {
        str_append_char(&proctitle.about, '/');
        str_append_escaped(&proctitle.about, user, strlen(user), LOGIN_NAME_MAX_LEN);
    }
    str_append(&proctitle.about, ": ");
}

/* The title into the area, with a NUL and nothing of the last one behind it. */
static void put(const struct str *title)
{
    size_t len = title->len < proctitle.size ? title->len : proctitle.size - 1;

    memcpy(proctitle.area, str_text(title), len);
    if (proctitle.shown > len) {
        memset(proctitle.area + len, 0, proctitle.shown - len);
    }
    proctitle.shown = len;
}

void proctitle_show(const char *text, const char *more)
{
    struct str *title = &proctitle.title;

    if (!proctitle.taken) {
        return;
    }
    str_clear(title);
    str_append(title, MINIFTPD_NAME ": ");
    str_append(title, str_text(&proctitle.about));
    str_append(title, text);
    if (*more != '\0') {
        str_append_char(title, ' ');
        /* a part that does not fit is left out as a whole: so no more of it than surely fits */
        str_append_escaped(title, more, strlen(more), (TITLE_MAX - title->len) / 4);
    }
    put(title);
}
