/*
 * test_scoreboard.c - the table of sessions: who can write what, and what is found there again
 *
 * Process: a test program, which plays L, N and S.
 * Trusts:  nothing.
 * Touches: a directory under /dev/shm, which is in memory on every system.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scoreboard.h"
#include "scoreview.h"
#include "str.h"
#include "sysutil.h"
#include "unit.h"

#define PATH_SIZE 128

/* A table that this process has opened as a listener. */
struct table {
    char dir[PATH_SIZE];
    char path[PATH_SIZE];
    int fd;
};

static void make_table(struct table *t)
{
    struct str error = STR_INIT(1000);

    (void)snprintf(t->dir, sizeof(t->dir), "/dev/shm/miniftpd-unit.XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    assert_true(snprintf(t->path, sizeof(t->path), "%s/board", t->dir) < PATH_SIZE);
    t->fd = scoreboard_open(t->path, &error);
    assert_string_equal(str_text(&error), "");
    assert_int_not_equal(t->fd, -1);
}

static void remove_table(struct table *t)
{
    scoreboard_close(&t->fd);
    assert_int_equal(t->fd, -1);
    unit_remove_dir(t->dir);
}

/* Unmap a session, which the daemon leaves to the end of the process. */
static void leave(struct scoreboard *board)
{
    assert_int_equal(munmap(board->facts, 2 * (size_t)sysconf(_SC_PAGESIZE)), 0);
}

/* With clock_gettime(2), since time(2) may be a tick behind it, in the second before. */
static int64_t now_sec(void)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    return now.tv_sec;
}

/* The only session of the table. */
static struct scoreview_row only_row(const struct table *t)
{
    struct str error = STR_INIT(1000);
    struct scoreview view;
    struct scoreview_row row;

    assert_true(scoreview_read(t->path, false, &view, &error));
    assert_int_equal(view.listeners, 1);
    assert_int_equal(view.count, 1);
    row = view.rows[0];
    scoreview_free(&view);
    return row;
}

static void a_session_before_login(void **state)
{
    struct table t;
    struct scoreboard board;
    struct scoreview_row row;

    (void)state;
    make_table(&t);
    assert_true(scoreboard_enter(&board, t.fd, "192.0.2.7"));
    row = only_row(&t);
    assert_int_equal(row.pid, getpid());
    assert_int_equal(row.listener, getppid());
    assert_int_equal(row.access, SCOREBOARD_NOBODY);
    assert_string_equal(row.peer, "192.0.2.7");
    assert_string_equal(row.user, "");
    assert_false(row.busy);
    assert_false(row.transferring);
    assert_in_range(row.since_sec, now_sec() - 60, now_sec());
    leave(&board);
    remove_table(&t);
}

static void what_a_session_does(void **state)
{
    struct table t;
    struct scoreboard board;
    struct scoreview_row row;
    _Atomic uint64_t *bytes;

    (void)state;
    make_table(&t);
    assert_true(scoreboard_enter(&board, t.fd, "192.0.2.7"));
    scoreboard_login(&board, "alice", SCOREBOARD_GUEST);
    scoreboard_command(board.live, "RETR", "big");
    row = only_row(&t);
    assert_int_equal(row.access, SCOREBOARD_GUEST);
    assert_string_equal(row.user, "alice");
    assert_true(row.busy);
    assert_false(row.transferring);
    assert_string_equal(row.verb, "RETR");
    assert_string_equal(row.argument, "big");

    bytes = scoreboard_transfer(board.live, "/home/big", sysutil_now_ms() - 5000, 10, 1000);
    atomic_store(bytes, 90);
    row = only_row(&t);
    assert_true(row.busy && row.transferring && row.has_size);
    assert_string_equal(row.file, "/home/big");
    assert_true(row.bytes == 90 && row.offset == 10 && row.size == 1000);
    assert_in_range(row.elapsed_ms, 5000, 60000);

    scoreboard_idle(board.live, sysutil_now_ms() - 3000);
    row = only_row(&t);
    assert_false(row.busy);
    assert_false(row.transferring);
    assert_in_range(row.idle_ms, 3000, 60000);

    (void)scoreboard_transfer(board.live, "", sysutil_now_ms(), 0, SCOREBOARD_UNKNOWN);
    scoreboard_command(board.live, "LIST",
                       ""); /* at once, as from a client that sends them in a row */
    assert_false(only_row(&t).has_size);
    assert_false(only_row(&t).transferring);
    leave(&board);
    remove_table(&t);
}

static void without_a_table_nothing_happens(void **state)
{
    struct scoreboard board = {.facts = NULL};
    int fd = -1;

    (void)state;
    scoreboard_login(&board, "alice", SCOREBOARD_LOCAL);
    scoreboard_command(board.live, "NOOP", "");
    scoreboard_idle(board.live, 1);
    assert_null(scoreboard_transfer(board.live, "/f", 1, 0, 1));
    scoreboard_forget(-1, 1);
    scoreboard_close(&fd);
}

struct cut_row {
    const char *name;
    const char *unit; /* repeated */
    size_t times;
    const char *end; /* what the text ends in */
    size_t len;
};

static const struct cut_row cut_rows[] = {
    {"text_that_just_fits", "a", SCOREBOARD_ARGUMENT_MAX, "aaa", SCOREBOARD_ARGUMENT_MAX},
    {"text_that_is_one_too_long", "a", SCOREBOARD_ARGUMENT_MAX + 1, "a...",
     SCOREBOARD_ARGUMENT_MAX},
    {"text_that_is_far_too_long", "a", 4000, "a...", SCOREBOARD_ARGUMENT_MAX},
    {"cut_between_two_characters", "\xE2\x82\xAC", 1000, "\xE2\x82\xAC...", 65 * 3 + 3},
    {"no_character_to_cut_at", "\x80", 1000, "...", 3},
};

static void texts_are_cut(void **state)
{
    const struct cut_row *row = *state;
    struct scoreboard_live *live = calloc(1, sizeof(*live));
    struct str text = STR_INIT(10000);

    assert_non_null(live);
    for (size_t i = 0; i < row->times; i++) {
        str_append(&text, row->unit);
    }
    scoreboard_command(live, "VERBTHATISMUCHTOOLONG", str_text(&text));
    assert_int_equal(strlen(live->argument), row->len);
    assert_string_equal(live->argument + row->len - strlen(row->end), row->end);
    assert_string_equal(live->verb, "VERBTHATISMU...");
    str_free(&text);
    free(live);
}

static void an_odd_sequence_becomes_even_again(void **state)
{
    struct scoreboard_live *live = calloc(1, sizeof(*live));

    (void)state;
    assert_non_null(live);
    live->sequence = UINT32_MAX; /* somebody else wrote there */
    scoreboard_idle(live, 1);
    assert_int_equal(live->sequence % 2, 0);
    scoreboard_idle(live, 1);
    assert_int_equal(live->sequence, 2);
    free(live);
}

/* ---- the walls ---- */

/* The status of a child that runs `run`. */
static int status_of_child(void (*run)(const struct scoreboard *), const struct scoreboard *board)
{
    pid_t pid = fork();

    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        (void)signal(SIGSEGV, SIG_DFL); /* no report of the sanitizer */
        (void)signal(SIGBUS, SIG_DFL);
        run(board);
        _exit(EXIT_STATUS_OK);
    }
    return sysutil_wait(pid);
}

static void write_own_page(const struct scoreboard *board)
{
    scoreboard_command(board->live, "NOOP", "");
}

static void write_facts(const struct scoreboard *board)
{
    *(volatile uint8_t *)&board->facts->access = SCOREBOARD_LOCAL;
}

/* With mremap(2), which the system call filter lets through, for memory. */
static void grow_and_write(const struct scoreboard *board)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *more = mremap(board->live, page, 2 * page, MREMAP_MAYMOVE);

    if (more != MAP_FAILED) {
        *(volatile char *)(more + page) = 'x';
    }
}

static void children_have_their_page_and_nothing_else(void **state)
{
    struct table t;
    struct scoreboard board;

    (void)state;
    make_table(&t);
    assert_true(scoreboard_enter(&board, t.fd, "192.0.2.7"));
    assert_int_equal(status_of_child(write_own_page, &board), 0);
    assert_string_equal(only_row(&t).verb, "NOOP");
    assert_int_equal(WTERMSIG(status_of_child(write_facts, &board)), SIGSEGV);
    assert_int_equal(WTERMSIG(status_of_child(grow_and_write, &board)), SIGBUS);
    assert_int_equal(only_row(&t).access, SCOREBOARD_NOBODY);
    leave(&board);
    remove_table(&t);
}

static void entering_leaves_no_descriptor(void **state)
{
    struct table t;
    struct scoreboard board;
    size_t before;

    (void)state;
    make_table(&t);
    before = unit_count_fds();
    assert_true(scoreboard_enter(&board, t.fd, "192.0.2.7"));
    (void)only_row(&t);
    assert_int_equal(unit_count_fds(), before);
    leave(&board);
    remove_table(&t);
}

/* The process number came round: the old file is not written, and not shown. */
static void a_name_that_is_taken_gets_a_new_file(void **state)
{
    struct table t;
    struct scoreboard first, second;

    (void)state;
    make_table(&t);
    assert_true(scoreboard_enter(&first, t.fd, "192.0.2.1"));
    assert_true(scoreboard_enter(&second, t.fd, "192.0.2.2"));
    scoreboard_login(&first, "old", SCOREBOARD_LOCAL);
    assert_string_equal(only_row(&t).peer, "192.0.2.2");
    assert_string_equal(only_row(&t).user, "");
    leave(&first);
    leave(&second);
    remove_table(&t);
}

static void a_session_is_forgotten(void **state)
{
    struct table t;
    struct scoreboard board;
    struct scoreview view;
    struct str error = STR_INIT(1000);

    (void)state;
    make_table(&t);
    assert_true(scoreboard_enter(&board, t.fd, "192.0.2.7"));
    scoreboard_forget(t.fd, getpid());
    scoreboard_forget(t.fd, getpid()); /* it does no harm */
    assert_true(scoreview_read(t.path, false, &view, &error));
    assert_int_equal(view.count, 0);
    assert_int_equal(view.listeners, 1);
    scoreview_free(&view);
    leave(&board);
    scoreboard_command(board.live = NULL, "NOOP", "");
    remove_table(&t);
}

/* ---- places ---- */

struct place_row {
    const char *name;
    const char *path;
    const char *place; /* NULL: refused */
};

static const struct place_row place_rows[] = {
    {"place_in_memory", "/dev/shm/board", "/dev/shm/board"},
    {"place_on_another_file_system", "/proc/sys/board", "/dev/shm/board"},
    {"place_in_a_directory_that_does_not_exist", "/nonexistent/board", "/nonexistent/board"},
    {"relative_place", "board", NULL},
    {"empty_place", "", NULL},
    {"place_without_a_name", "/dev/shm/", NULL},
    {"root_as_place", "/", NULL},
};

static void places(void **state)
{
    const struct place_row *row = *state;
    struct str place = STR_INIT(SCOREBOARD_PATH_MAX);

    assert_int_equal(scoreboard_place(row->path, &place), row->place != NULL);
    if (row->place != NULL) {
        assert_string_equal(str_text(&place), row->place);
    }
    str_free(&place);
}

static void a_path_that_is_too_long_is_no_place(void **state)
{
    struct str place = STR_INIT(SCOREBOARD_PATH_MAX);
    char *name = unit_repeat('x', SCOREBOARD_PATH_MAX + 1);

    (void)state;
    name[0] = '/';
    assert_false(scoreboard_place(name, &place));
    free(name);
    str_free(&place);
}

/* ---- who is alive ---- */

static int64_t boot_ms(void)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &now), 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void the_living(void **state)
{
    (void)state;
    assert_true(scoreboard_is_alive(getpid(), boot_ms()));
    assert_true(scoreboard_is_alive(getppid(), INT64_MAX));
    assert_false(scoreboard_is_alive(getpid(), 1)); /* it had not begun then */
    assert_false(scoreboard_is_alive(getpid(), INT64_MIN));
    assert_false(scoreboard_is_alive(INT32_MAX, INT64_MAX));
}

static void the_dead_that_nobody_has_buried(void **state)
{
    siginfo_t info;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        _exit(EXIT_STATUS_OK);
    }
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_false(scoreboard_is_alive(pid, INT64_MAX));
    assert_int_equal(sysutil_wait(pid), 0);
    assert_false(scoreboard_is_alive(pid, INT64_MAX));
}

int main(void)
{
    UNIT_ADD(a_session_before_login);
    UNIT_ADD(what_a_session_does);
    UNIT_ADD(without_a_table_nothing_happens);
    UNIT_ADD_TABLE(texts_are_cut, cut_rows);
    UNIT_ADD(an_odd_sequence_becomes_even_again);
    UNIT_ADD(children_have_their_page_and_nothing_else);
    UNIT_ADD(entering_leaves_no_descriptor);
    UNIT_ADD(a_name_that_is_taken_gets_a_new_file);
    UNIT_ADD(a_session_is_forgotten);
    UNIT_ADD_TABLE(places, place_rows);
    UNIT_ADD(a_path_that_is_too_long_is_no_place);
    UNIT_ADD(the_living);
    UNIT_ADD(the_dead_that_nobody_has_buried);
    return unit_run("scoreboard");
}
