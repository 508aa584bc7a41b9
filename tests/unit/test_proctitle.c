/*
 * test_proctitle.c - titles in the memory of arguments and environment
 *
 * Process: a test program; each test is one of its own, for titles can be taken once.
 * Trusts:  nothing.
 * Touches: environ, memory of its own. The sanitizer watches both ends of that memory.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proctitle.h"
#include "sysutil.h"
#include "unit.h"

#define ARG_COUNT 3

/* What the kernel lays out: the arguments, and the environment behind them. */
static const char layout[] = "/sbin/prog\0-ofirst=1\0second\0A=1\0TZ=UTC";

/* Such memory, and the lists that point into it. */
struct memory {
    char *area;
    char *argv[ARG_COUNT + 1];
    char *environment[3];
};

static void lay_out(struct memory *m)
{
    char *at;

    m->area = malloc(sizeof(layout));
    assert_non_null(m->area);
    memcpy(m->area, layout, sizeof(layout));
    at = m->area;
    for (size_t i = 0; i < ARG_COUNT; i++, at += strlen(at) + 1) {
        m->argv[i] = at;
    }
    for (size_t i = 0; i < 2; i++, at += strlen(at) + 1) {
        m->environment[i] = at;
    }
    m->argv[ARG_COUNT] = m->environment[2] = NULL;
    environ = m->environment;
}

/* Everything below runs in a child, which ends with 0 if all was right. */
static void expect_text(const char *text, const char *wanted)
{
    if (strcmp(text, wanted) != 0) {
        _exit(EXIT_STATUS_ERROR);
    }
}

static void expect(bool truth)
{
    if (!truth) {
        _exit(EXIT_STATUS_ERROR);
    }
}

static void run_in_child(void (*run)(struct memory *))
{
    struct memory m;
    pid_t pid = fork();

    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        lay_out(&m);
        run(&m);
        _exit(EXIT_STATUS_OK);
    }
    assert_int_equal(sysutil_wait(pid), 0);
}

static void show_without_taking(struct memory *m)
{
    proctitle_init(ARG_COUNT, m->argv);
    proctitle_about("192.0.2.7", "");
    proctitle_show("IDLE", "");
    expect(memcmp(m->area, layout, sizeof(layout)) == 0);
}

static void nothing_changes_unless_it_is_asked_for(void **state)
{
    (void)state;
    run_in_child(show_without_taking);
}

static void take(struct memory *m)
{
    proctitle_init(ARG_COUNT, m->argv);
    expect(proctitle_take(m->argv + 1, 2));
    expect_text(m->area, "");
    expect_text(m->argv[1], "-ofirst=1");
    expect_text(m->argv[2], "second");
    expect_text(getenv("A"), "1");
    expect_text(getenv("TZ"), "UTC");
    expect(environ[2] == NULL);
}

static void arguments_and_environment_move(void **state)
{
    (void)state;
    run_in_child(take);
}

static void titles(struct memory *m)
{
    take(m);
    proctitle_show("LISTENER", "");
    expect_text(m->area, "miniftpd: LISTENER");
    proctitle_about("::1", "");
    proctitle_show("a", "");
    expect_text(m->area, "miniftpd: ::1: a");
    proctitle_about("::1", "b\x1b");
    proctitle_show("c", "d\n");
    expect_text(m->area, "miniftpd: ::1/b\\x1B: c d\\x0A");
    proctitle_about("::1", "");
    proctitle_show("a", "");
    expect_text(m->area, "miniftpd: ::1: a");
    for (size_t i = strlen(m->area); i < sizeof(layout); i++) {
        expect(m->area[i] == '\0');
    }
}

static void titles_replace_each_other(void **state)
{
    (void)state;
    run_in_child(titles);
}

static void long_titles(struct memory *m)
{
    char *text = unit_repeat('x', 5000);

    take(m);
    proctitle_show("c", text);
    expect(strlen(m->area) == sizeof(layout) - 1);
    expect(strncmp(m->area, "miniftpd: c xxxx", 16) == 0);
    proctitle_show(text, "");
    expect(strlen(m->area) < sizeof(layout));
    proctitle_show("c", "");
    expect_text(m->area, "miniftpd: c");
    free(text);
}

static void titles_end_where_the_memory_ends(void **state)
{
    (void)state;
    run_in_child(long_titles);
}

/* Strings that lie elsewhere are not ours to overwrite. */
static void strange_environment(struct memory *m)
{
    char *elsewhere[] = {strdup("X=1"), NULL};
    char *text = unit_repeat('x', 100);

    environ = elsewhere;
    proctitle_init(ARG_COUNT, m->argv);
    expect(proctitle_take(m->argv, ARG_COUNT));
    proctitle_show("c", text);
    expect_text(m->environment[0], "A=1");
    expect_text(elsewhere[0], "X=1");
    expect_text(getenv("X"), "1");
    free(elsewhere[0]);
    free(text);
}

static void only_what_lies_behind_each_other_is_used(void **state)
{
    (void)state;
    run_in_child(strange_environment);
}

static void no_arguments(struct memory *m)
{
    char *none[] = {NULL};

    (void)m;
    proctitle_init(0, none);
    expect(!proctitle_take(none, 0));
    proctitle_show("c", "");
}

static void without_arguments_there_is_no_room(void **state)
{
    (void)state;
    run_in_child(no_arguments);
}

int main(void)
{
    UNIT_ADD(nothing_changes_unless_it_is_asked_for);
    UNIT_ADD(arguments_and_environment_move);
    UNIT_ADD(titles_replace_each_other);
    UNIT_ADD(titles_end_where_the_memory_ends);
    UNIT_ADD(only_what_lies_behind_each_other_is_used);
    UNIT_ADD(without_arguments_there_is_no_room);
    return unit_run("proctitle");
}
