/*
 * helper.c - the programs that lie beside ours
 *
 * Process: L; main for "miniftpd -t" and "miniftpd --passwd".
 * Trusts:  the files beside our own program.
 * Touches: those programs, and the descriptor that they are given.
 */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "str.h"
#include "sysutil.h"

#define RESTART_MS 1000 /* not more often than that */
#define NUMBER_MAX 32

void helper_add(struct helper_words *line, const char *text)
{
    char *word = line->count < HELPER_WORDS_MAX ? strdup(text) : NULL;

    if (word == NULL) {
        bug("no memory for a command line");
    }
    line->words[line->count++] = word;
    line->words[line->count] = NULL;
}

void helper_add_number(struct helper_words *line, unsigned number)
{
    struct str text = STR_INIT(NUMBER_MAX);

    str_append_format(&text, "%u", number);
    helper_add(line, str_text(&text));
    str_free(&text);
}

void helper_free_words(struct helper_words *line)
{
    for (size_t i = 0; i < line->count; i++) {
        free(line->words[i]);
    }
    line->count = 0;
}

bool helper_find(const char *program, char path[HELPER_PATH_MAX])
{
    size_t program_size = strlen(program) + 1;
    ssize_t len = readlink("/proc/self/exe", path, HELPER_PATH_MAX - program_size);
    char *slash;

    if (len == -1) {
        int saved_errno = errno;

        memcpy(path, program, program_size);
        errno = saved_errno;
        return false;
    }
    path[len] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL) {
        errno = ENOENT;
        return false;
    }
    memcpy(slash + 1, program, program_size);
    return access(path, X_OK) == 0;
}

/* In the child: nothing but the program's own descriptor `fd` as number `as`. */
static NORETURN void run_program(const char *path, char *const *words, int fd, int as)
{
    static char *const no_environment[] = {NULL};
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    sigset_t none;

    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL); /* valid arguments: cannot fail */
    if (null_fd == -1) {
        _exit(EXIT_STATUS_ERROR);
    }
    for (int std = STDIN_FILENO; std <= STDERR_FILENO; std++) {
        if (std != as && dup2(null_fd, std) == -1) {
            _exit(EXIT_STATUS_ERROR);
        }
    }
    if (fd == as ? fcntl(fd, F_SETFD, 0) == -1 : dup2(fd, as) == -1) {
        _exit(EXIT_STATUS_ERROR);
    }
    (void)execve(path, words, no_environment);
    _exit(EXIT_STATUS_ERROR);
}

pid_t helper_start(const char *path, const struct helper_words *line, int fd, int as)
{
    pid_t pid = fork();

    if (pid == 0) {
        run_program(path, line->words, fd, as);
    }
    return pid;
}

int64_t helper_restart_ms(int64_t begun_ms)
{
    int64_t now_ms = sysutil_now_ms();

    return begun_ms + RESTART_MS > now_ms ? begun_ms + RESTART_MS : now_ms;
}
