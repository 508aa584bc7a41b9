/*
 * test_resolver.c - the address that PASV announces, and the look-up of its name
 *
 * Process: a test program, and the children that resolver.c makes.
 * Trusts:  that /etc/hosts knows localhost.
 * Touches: the log, which is a file under /tmp instead of stderr.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netaddr.h"
#include "resolver.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"
#include "unit.h"

#define NOBODY 65534
/* A label of 64 letters: no name service is asked for it. */
#define IMPOSSIBLE "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffgggggggghhhhhhhh"

static struct {
    struct resolver r;
    struct tunables tun;
    char dir[UNIT_DIR_MAX];
    int stderr_fd;
    size_t fds_before;
} side;

static void set_option(const char *name, const char *value)
{
    struct str error = STR_INIT(1000);

    assert_true(tunable_set(&side.tun, tunable_find(name), value, &error));
    str_free(&error);
}

static void configure(const char *name)
{
    set_option("pasv_address", name);
    resolver_configure(&side.r, &side.tun, NOBODY, NOBODY);
}

static void side_open(void)
{
    char path[UNIT_DIR_MAX + 10];
    int fd;

    side.fds_before = unit_count_fds();
    unit_make_dir(side.dir);
    assert_true(snprintf(path, sizeof(path), "%s/log", side.dir) > 0);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_int_not_equal(fd, -1);
    side.stderr_fd = dup(STDERR_FILENO);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    close(fd);
    tunable_init(&side.tun);
    set_option("pasv_addr_resolve", "YES");
    resolver_init(&side.r);
}

static void side_close(void)
{
    resolver_free(&side.r);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    tunable_free(&side.tun);
    assert_int_equal(dup2(side.stderr_fd, STDERR_FILENO), STDERR_FILENO);
    close(side.stderr_fd);
    unit_remove_dir(side.dir);
    assert_int_equal(unit_count_fds(), side.fds_before);
}

/* How often the log says it. */
static unsigned logged(const char *text)
{
    static char content[100000];
    unsigned count = 0;

    unit_read_file(side.dir, "log", content, sizeof(content));
    for (const char *at = content; (at = strstr(at, text)) != NULL; at++) {
        count++;
    }
    return count;
}

/* As the listener does: the end of the child, then its answer. */
static void take(void)
{
    pid_t child = side.r.child;

    assert_int_not_equal(child, 0);
    assert_int_not_equal(sysutil_wait(child), -1);
    assert_false(resolver_take(&side.r, child + 1));
    assert_true(resolver_take(&side.r, child));
    assert_int_equal(side.r.child, 0);
    assert_int_equal(side.r.answer_fd, -1);
}

/* Let the time come for which the resolver has planned something. */
static void pass_time(void)
{
    side.r.next_ms = side.r.deadline_ms = sysutil_now_ms();
    resolver_work(&side.r);
}

static void assert_announced(const char *expected, bool known)
{
    struct netaddr client, local, addr;
    char text[NETADDR_TEXT_MAX];

    assert_true(netaddr_parse("192.0.2.7", AF_INET, &client));
    assert_true(netaddr_parse("192.0.2.1", AF_INET, &local));
    assert_int_equal(resolver_announced(&side.r, &side.tun, &client, &local, &addr), known);
    netaddr_text(&addr, text);
    assert_string_equal(text, expected);
}

static void a_name_is_looked_up(void **state)
{
    (void)state;
    side_open();
    configure("localhost");
    assert_true(resolver_is_starting(&side.r));
    assert_announced("192.0.2.1", false);
    take();
    assert_false(resolver_is_starting(&side.r));
    assert_announced("127.0.0.1", true);
    assert_int_equal(logged("pasv_address=localhost is 127.0.0.1\n"), 1);
    side_close();
}

static void it_is_looked_up_again_every_minute(void **state)
{
    int64_t now_ms;

    (void)state;
    side_open();
    configure("localhost");
    take();
    now_ms = sysutil_now_ms();
    assert_in_range(resolver_due_ms(&side.r), now_ms + 55000, now_ms + 60000);
    resolver_work(&side.r); /* not yet */
    assert_int_equal(side.r.child, 0);
    pass_time();
    take();
    assert_int_equal(logged("localhost"), 1); /* nothing new */
    side_close();
}

static void a_changed_address_is_logged(void **state)
{
    (void)state;
    side_open();
    configure("localhost");
    take();
    assert_true(netaddr_parse("203.0.113.5", AF_INET, &side.r.addr)); /* which it was yesterday */
    pass_time();
    assert_announced("203.0.113.5", true);
    take();
    assert_announced("127.0.0.1", true);
    assert_int_equal(logged("pasv_address=localhost is 127.0.0.1 now, and was 203.0.113.5\n"), 1);
    side_close();
}

static void a_failure_keeps_the_address_and_is_logged_once(void **state)
{
    int64_t now_ms;

    (void)state;
    side_open();
    configure("localhost");
    take();
    configure(IMPOSSIBLE); /* a reload */
    assert_announced("127.0.0.1", true);
    for (int i = 0; i < 3; i++) {
        take();
        assert_announced("127.0.0.1", true);
        now_ms = sysutil_now_ms();
        assert_in_range(resolver_due_ms(&side.r), now_ms + 55000, now_ms + 60000);
        pass_time();
    }
    take();
    assert_int_equal(logged("cannot be looked up"), 1);
    assert_int_equal(logged("PASV names still 127.0.0.1 until it can\n"), 1);
    configure("localhost");
    take();
    assert_int_equal(logged("cannot be looked up"), 1);
    side_close();
}

static void recovery_is_logged(void **state)
{
    (void)state;
    side_open();
    configure("localhost");
    take();
    side.r.failing = true;
    pass_time();
    take();
    assert_int_equal(logged("pasv_address=localhost is found again and still 127.0.0.1\n"), 1);
    assert_false(side.r.failing);
    side_close();
}

static void without_any_address_it_tries_sooner(void **state)
{
    int64_t now_ms;

    (void)state;
    side_open();
    configure(IMPOSSIBLE);
    take();
    assert_false(resolver_is_starting(&side.r));
    assert_announced("192.0.2.1", false);
    now_ms = sysutil_now_ms();
    assert_in_range(resolver_due_ms(&side.r), now_ms + 1, now_ms + 5000);
    assert_int_equal(logged("PASV names the server's own address until it can\n"), 1);
    side_close();
}

static void a_child_that_hangs_is_ended(void **state)
{
    pid_t child;

    (void)state;
    side_open();
    configure("localhost");
    take();
    pass_time();
    child = side.r.child;
    assert_int_equal(kill(child, SIGSTOP), 0);
    /* it may have answered before: what counts is that nobody waits for it */
    pass_time();
    assert_int_equal(resolver_due_ms(&side.r), 0);
    take();
    assert_announced("127.0.0.1", true);
    assert_int_not_equal(resolver_due_ms(&side.r), 0);
    side_close();
}

/* An end without an answer, whatever the reason. */
static void a_child_that_dies_is_a_failure(void **state)
{
    (void)state;
    side_open();
    configure("localhost");
    sysutil_close(&side.r.answer_fd); /* what it says is lost */
    side.r.answer_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    take();
    assert_announced("192.0.2.1", false);
    assert_int_equal(logged("ended without an answer"), 1);
    side_close();
}

static void a_reload_ends_the_look_up_under_way(void **state)
{
    pid_t first;

    (void)state;
    side_open();
    configure("localhost");
    first = side.r.child;
    configure("localhost");
    assert_int_not_equal(side.r.child, first);
    assert_int_equal(kill(first, 0), -1); /* and reaped */
    take();
    assert_announced("127.0.0.1", true);
    side_close();
}

static void nothing_is_looked_up_unless_configured(void **state)
{
    (void)state;
    side_open();
    configure("192.0.2.9");
    assert_int_equal(side.r.child, 0);
    assert_int_equal(resolver_due_ms(&side.r), 0);
    assert_announced("192.0.2.9", true);
    configure("");
    assert_int_equal(side.r.child, 0);
    assert_announced("192.0.2.1", true);
    set_option("pasv_addr_resolve", "NO");
    configure("localhost"); /* which tunable_check() refuses */
    assert_int_equal(side.r.child, 0);
    side_close();
}

static void an_address_is_forgotten_with_its_name(void **state)
{
    (void)state;
    side_open();
    configure("localhost");
    take();
    configure("");
    configure("localhost");
    assert_announced("192.0.2.1", false);
    side_close();
}

static void the_map_comes_before_the_name(void **state)
{
    (void)state;
    side_open();
    configure("localhost");
    set_option("pasv_address_map", "10.0.0.0/8=10.1.2.3, 192.0.2.0/24=own");
    assert_announced("192.0.2.1", true); /* nobody needs the name */
    set_option("pasv_address_map", "10.0.0.0/8=own, 192.0.2.0/24=203.0.113.9");
    assert_announced("203.0.113.9", true);
    set_option("pasv_address_map", "10.0.0.0/8=own");
    take();
    assert_announced("127.0.0.1", true);
    side_close();
}

static void a_name_of_another_user_is_not_known(void **state)
{
    (void)state;
    side_open();
    configure("localhost");
    take();
    set_option("pasv_address", "elsewhere.example"); /* by a file of that user */
    assert_announced("192.0.2.1", false);
    set_option("pasv_address", "192.0.2.9");
    assert_announced("192.0.2.9", true);
    side_close();
}

static void one_that_has_no_loop_can_wait(void **state)
{
    (void)state;
    side_open();
    configure("localhost");
    resolver_wait(&side.r);
    assert_int_equal(side.r.child, 0);
    assert_announced("127.0.0.1", true);
    resolver_wait(&side.r); /* for nothing */
    side_close();
}

static void a_session_holds_nothing_of_a_look_up(void **state)
{
    pid_t child;

    (void)state;
    side_open();
    configure("localhost");
    child = side.r.child;
    resolver_leave(&side.r);
    assert_int_equal(side.r.answer_fd, -1);
    resolver_free(&side.r); /* and does not wait for it */
    assert_int_not_equal(sysutil_wait(child), -1);
    side_close();
}

int main(void)
{
    UNIT_ADD(a_name_is_looked_up);
    UNIT_ADD(it_is_looked_up_again_every_minute);
    UNIT_ADD(a_changed_address_is_logged);
    UNIT_ADD(a_failure_keeps_the_address_and_is_logged_once);
    UNIT_ADD(recovery_is_logged);
    UNIT_ADD(without_any_address_it_tries_sooner);
    UNIT_ADD(a_child_that_hangs_is_ended);
    UNIT_ADD(a_child_that_dies_is_a_failure);
    UNIT_ADD(a_reload_ends_the_look_up_under_way);
    UNIT_ADD(nothing_is_looked_up_unless_configured);
    UNIT_ADD(an_address_is_forgotten_with_its_name);
    UNIT_ADD(the_map_comes_before_the_name);
    UNIT_ADD(a_name_of_another_user_is_not_known);
    UNIT_ADD(one_that_has_no_loop_can_wait);
    UNIT_ADD(a_session_holds_nothing_of_a_look_up);
    return unit_run("resolver");
}
