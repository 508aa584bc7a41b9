/*
 * unit.c - what all unit tests share
 *
 * Process: a test program.
 * Trusts:  the tests.
 * Touches: a directory under /tmp.
 */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TESTS_MAX     2048
#define LIMIT_SECONDS 120

static struct CMUnitTest tests[TESTS_MAX];
static size_t test_count;

static NORETURN void give_up(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s\n", what, name);
    abort();
}

void unit_add(const char *name, CMUnitTestFunction run, const void *row)
{
    if (test_count == ARRAY_LEN(tests)) {
        give_up("too many tests", name);
    }
    for (size_t i = 0; i < test_count; i++) {
        if (strcmp(tests[i].name, name) == 0) {
            give_up("two tests of the same name", name);
        }
    }
    tests[test_count++] = (struct CMUnitTest){
        .name = name, .test_func = run, .initial_state = (void *)(uintptr_t)row};
}

void unit_add_rows(CMUnitTestFunction run, const void *rows, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        const char *row = (const char *)rows + i * size;
        const char *name;

        memcpy(&name, row, sizeof(name));
        unit_add(name, run, row);
    }
}

int unit_run(const char *program)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as in the daemon */
    (void)alarm(LIMIT_SECONDS);
    return _cmocka_run_group_tests(program, tests, test_count, NULL, NULL) == 0 ? 0 : 1;
}

size_t unit_count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count;
}

void unit_make_dir(char *path)
{
    (void)snprintf(path, UNIT_DIR_MAX, "/tmp/miniftpd-unit.XXXXXX");
    assert_non_null(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void unit_remove_dir(const char *path)
{
    assert_int_equal(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void join_path(char *path, size_t size, const char *dir, const char *name)
{
    int len = snprintf(path, size, "%s/%s", dir, name);

    assert_true(len > 0 && (size_t)len < size);
}

void unit_write_file(const char *dir, const char *name, const char *data, size_t len)
{
    char path[512];
    int fd;

    join_path(path, sizeof(path), dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_not_equal(fd, -1);
    assert_int_equal(write(fd, data, len), len);
    assert_int_equal(close(fd), 0);
}

void unit_read_file(const char *dir, const char *name, char *text, size_t size)
{
    char path[512];
    ssize_t len;
    int fd;

    join_path(path, sizeof(path), dir, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_not_equal(fd, -1);
    len = read(fd, text, size - 1);
    assert_true(len >= 0);
    text[len] = '\0';
    assert_int_equal(close(fd), 0);
}

char *unit_repeat(char c, size_t len)
{
    char *text = malloc(len + 1);

    assert_non_null(text);
    memset(text, c, len);
    text[len] = '\0';
    return text;
}
