/*
 * test_logfile.c - one log file, on all that a path may lead to
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: a directory under /tmp, its own standard output, /dev/full.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logfile.h"
#include "str.h"
#include "sysutil.h"
#include "unit.h"

#define LINES_MANY 100000 /* more than any pipe or socket holds */

/* A file in a directory of its own, and what it is called. */
static struct {
    struct logfile_state state;
    struct logfile file;
    char dir[UNIT_DIR_MAX];
    char path[UNIT_DIR_MAX + 8];
    size_t fds_before;
} at;

static void begin(void)
{
    at.fds_before = unit_count_fds();
    memset(&at.state, 0, sizeof(at.state));
    at.file = (struct logfile)LOGFILE_INIT;
    at.file.state = &at.state;
    unit_make_dir(at.dir);
    (void)snprintf(at.path, sizeof(at.path), "%s/log", at.dir);
}

static void end(void)
{
    logfile_close(&at.file);
    unit_remove_dir(at.dir);
    assert_int_equal(unit_count_fds(), at.fds_before);
}

static bool put(const char *text)
{
    struct str line = STR_INIT(100000);
    bool good;

    str_append(&line, text);
    good = logfile_write(&at.file, &line);
    str_free(&line);
    return good;
}

static void assert_content(const char *name, const char *wanted)
{
    char content[1000];

    unit_read_file(at.dir, name, content, sizeof(content));
    assert_string_equal(content, wanted);
}

static void no_path_is_no_file(void **state)
{
    (void)state;
    begin();
    assert_true(logfile_open(&at.file, NULL));
    assert_true(logfile_check(&at.file));
    assert_false(put("x\n"));
    assert_true(logfile_open(&at.file, at.path));
    assert_true(put("x\n"));
    assert_true(logfile_open(&at.file, NULL));
    assert_int_equal(at.file.fd, -1);
    end();
}

static void a_file_is_appended_to(void **state)
{
    (void)state;
    begin();
    unit_write_file(at.dir, "log", "old\n", 4);
    assert_true(logfile_open(&at.file, at.path));
    assert_true(put("new\n"));
    assert_content("log", "old\nnew\n");
    end();
}

static void a_file_that_was_moved_is_made_anew(void **state)
{
    char moved[UNIT_DIR_MAX + 16];
    int fd;

    (void)state;
    begin();
    (void)snprintf(moved, sizeof(moved), "%s/log.1", at.dir);
    assert_true(logfile_open(&at.file, at.path));
    assert_true(put("one\n"));
    fd = at.file.fd;
    assert_true(logfile_check(&at.file));
    assert_int_equal(at.file.fd, fd);
    assert_int_equal(rename(at.path, moved), 0);
    assert_true(put("two\n"));
    assert_true(logfile_check(&at.file));
    assert_true(put("three\n"));
    assert_content("log.1", "one\ntwo\n");
    assert_content("log", "three\n");
    end();
}

static void a_missing_directory_is_tried_again(void **state)
{
    char path[UNIT_DIR_MAX + 16], dir[UNIT_DIR_MAX + 8];

    (void)state;
    begin();
    (void)snprintf(dir, sizeof(dir), "%s/sub", at.dir);
    (void)snprintf(path, sizeof(path), "%s/log", dir);
    assert_false(logfile_open(&at.file, path));
    assert_int_equal(errno, ENOENT);
    assert_false(put("lost\n"));
    assert_false(logfile_check(&at.file));
    assert_int_equal(mkdir(dir, 0755), 0);
    assert_true(logfile_check(&at.file));
    assert_true(put("kept\n"));
    assert_content("sub/log", "kept\n");
    end();
}

static void a_directory_that_vanishes_costs_nothing(void **state)
{
    char path[UNIT_DIR_MAX + 16], dir[UNIT_DIR_MAX + 8];

    (void)state;
    begin();
    (void)snprintf(dir, sizeof(dir), "%s/sub", at.dir);
    (void)snprintf(path, sizeof(path), "%s/log", dir);
    assert_int_equal(mkdir(dir, 0755), 0);
    assert_true(logfile_open(&at.file, path));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    assert_false(logfile_check(&at.file));
    assert_true(put("into the old one\n")); /* nobody sees it, and nobody waits for it */
    assert_int_equal(mkdir(dir, 0755), 0);
    assert_true(logfile_check(&at.file));
    assert_true(put("new\n"));
    assert_content("sub/log", "new\n");
    end();
}

static void a_pipe_without_a_reader_is_not_waited_for(void **state)
{
    int reader;

    (void)state;
    begin();
    assert_int_equal(mkfifo(at.path, 0600), 0);
    assert_false(logfile_open(&at.file, at.path));
    assert_int_equal(errno, ENXIO);
    reader = open(at.path, O_RDONLY | O_NONBLOCK);
    assert_true(logfile_check(&at.file));
    assert_true(put("x\n"));
    close(reader);
    end();
}

/* Descriptor 1 is `fd` while `run` runs. */
static void with_stdout(int fd, void (*run)(int), int argument)
{
    int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

    (void)fflush(stdout);
    assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    run(argument);
    assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
    close(saved);
}

/* As the daemon does: open, then let 0 to 2 become /dev/null. */
static void open_stdout(int argument)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)argument;
    assert_true(logfile_open(&at.file, "/dev/stdout"));
    assert_int_equal(dup2(null_fd, STDOUT_FILENO), STDOUT_FILENO);
    close(null_fd);
    assert_true(at.file.fd > STDERR_FILENO);
    assert_true(logfile_open(&at.file, "/dev/stdout")); /* a reload */
    assert_true(logfile_check(&at.file));
}

/* Fill what is at the other end; in the end nothing goes in any more, and nobody has waited. */
static void fill(void)
{
    size_t lines = 0;

    while (lines < LINES_MANY && put("a line that is somewhat longer than others are\n")) {
        lines++;
    }
    assert_in_range(lines, 1, LINES_MANY - 1);
}

static void assert_read(int fd, const char *wanted)
{
    char got[100] = "";

    assert_int_equal(read(fd, got, sizeof(got) - 1), strlen(wanted));
    assert_string_equal(got, wanted);
}

static void standard_output_may_be_a_pipe(void **state)
{
    int ends[2];

    (void)state;
    begin();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    with_stdout(ends[1], open_stdout, 0);
    assert_true(put("x\n"));
    assert_read(ends[0], "x\n");
    fill();
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0); /* that is not ours */
    close(ends[0]);
    close(ends[1]);
    end();
}

static void standard_output_may_be_a_socket(void **state)
{
    int ends[2];

    (void)state;
    begin();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    with_stdout(ends[1], open_stdout, 0);
    assert_int_equal(at.file.kind, LOGFILE_SOCKET);
    assert_true(put("x\n"));
    assert_read(ends[0], "x\n");
    fill();
    close(ends[0]);
    assert_false(put("nobody is there\n"));
    close(ends[1]);
    end();
}

static void standard_output_may_be_a_file(void **state)
{
    int fd;

    (void)state;
    begin();
    unit_write_file(at.dir, "log", "old\n", 4);
    fd = open(at.path, O_WRONLY | O_CLOEXEC); /* as "> log" does: at its begin */
    with_stdout(fd, open_stdout, 0);
    assert_true(put("new\n"));
    assert_content("log", "old\nnew\n");
    close(fd);
    end();
}

/* What cannot be opened anew is shared, and then a pipe is asked first whether it takes a line. */
static void a_shared_pipe_is_not_waited_for(void **state)
{
    char *text = unit_repeat('x', 5000);
    int ends[2];

    (void)state;
    begin();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    at.file.path = strdup("/dev/stdout");
    at.file.fd = fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
    at.file.kind = LOGFILE_SHARED;
    assert_true(put("x\n"));
    fill();
    assert_false(put(text)); /* more than a pipe takes at once */
    free(text);
    close(ends[0]);
    close(ends[1]);
    end();
}

static void half_a_line_is_ended_before_the_next(void **state)
{
    char *text = unit_repeat('x', 10000);
    char rest[70000];
    ssize_t n;
    int reader;

    (void)state;
    begin();
    assert_int_equal(mkfifo(at.path, 0600), 0);
    reader = open(at.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(logfile_open(&at.file, at.path));
    while (put(text)) {
    }
    assert_true(atomic_load(&at.state.torn)); /* a pipe of 64 KiB holds six lines and a part */
    do {
        n = read(reader, rest, sizeof(rest));
    } while (n > 0);
    assert_true(put("whole\n"));
    assert_read(reader, "\nwhole\n");
    assert_false(atomic_load(&at.state.torn));
    close(reader);
    free(text);
    end();
}

static void a_full_disk_is_an_error_and_nothing_else(void **state)
{
    (void)state;
    begin();
    assert_true(logfile_open(&at.file, "/dev/full"));
    assert_false(put("lost\n"));
    assert_int_equal(errno, ENOSPC);
    assert_false(atomic_load(&at.state.torn));
    end();
}

int main(void)
{
    UNIT_ADD(no_path_is_no_file);
    UNIT_ADD(a_file_is_appended_to);
    UNIT_ADD(a_file_that_was_moved_is_made_anew);
    UNIT_ADD(a_missing_directory_is_tried_again);
    UNIT_ADD(a_directory_that_vanishes_costs_nothing);
    UNIT_ADD(a_pipe_without_a_reader_is_not_waited_for);
    UNIT_ADD(standard_output_may_be_a_pipe);
    UNIT_ADD(standard_output_may_be_a_socket);
    UNIT_ADD(standard_output_may_be_a_file);
    UNIT_ADD(a_shared_pipe_is_not_waited_for);
    UNIT_ADD(half_a_line_is_ended_before_the_next);
    UNIT_ADD(a_full_disk_is_an_error_and_nothing_else);
    return unit_run("logfile");
}
