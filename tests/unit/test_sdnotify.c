/*
 * test_sdnotify.c - what the service manager is told, and where
 *
 * Process: a test program that is service and manager at once.
 * Trusts:  nothing.
 * Touches: NOTIFY_SOCKET of its environment, sockets in a directory of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "sdnotify.h"
#include "str.h"
#include "sysutil.h"
#include "unit.h"

/* A manager that listens at `name`, which may begin with '@'. */
static int manager_open(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_int_not_equal(fd, -1);
    assert_true(len < sizeof(address.sun_path));
    memcpy(address.sun_path, name, len);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    len += offsetof(struct sockaddr_un, sun_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, (socklen_t)len), 0);
    return fd;
}

static void assert_told(int fd, const char *expected)
{
    char text[1000] = "";
    ssize_t len = recv(fd, text, sizeof(text) - 1, 0);

    assert_int_equal(len, strlen(expected));
    assert_string_equal(text, expected);
}

static void check_manager(const char *name)
{
    struct sdnotify sd;
    int manager = manager_open(name);

    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    sdnotify_open(&sd);
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_true(sdnotify_is_open(&sd));
    sdnotify_send(&sd, "READY=1\nSTATUS=%d %s", 7, "sessions");
    assert_told(manager, "READY=1\nSTATUS=7 sessions");
    sdnotify_close(&sd);
    assert_false(sdnotify_is_open(&sd));
    sdnotify_send(&sd, "STOPPING=1");
    assert_int_equal(recv(manager, &sd, 1, 0), -1);
    sysutil_close(&manager);
}

static void a_path_and_an_abstract_name(void **state)
{
    char dir[UNIT_DIR_MAX];
    struct str name = STR_INIT(200);
    size_t before = unit_count_fds();

    (void)state;
    unit_make_dir(dir);
    str_append_format(&name, "%s/notify", dir);
    check_manager(str_text(&name));
    str_clear(&name);
    str_append_format(&name, "@miniftpd-test-%d", (int)getpid());
    check_manager(str_text(&name));
    unit_remove_dir(dir);
    str_free(&name);
    assert_int_equal(unit_count_fds(), before);
}

struct useless_row {
    const char *name;
    const char *value;
};

/* clang-format off */
static const struct useless_row useless_rows[] = {
    { "notify_socket_not_set", NULL },
    { "notify_socket_empty", "" },
    { "notify_socket_of_one_byte", "@" },
    { "notify_socket_relative", "run/notify" },
    { "notify_socket_of_another_family", "vsock:2:1234" },
    { "notify_socket_too_long", "/12345678901234567890123456789012345678901234567890123456789012345678901"
      "234567890123456789012345678901234567890" },
};
/* clang-format on */

static void check_useless(void **state)
{
    const struct useless_row *row = *state;
    struct sdnotify sd;

    if (row->value != NULL) {
        assert_int_equal(setenv("NOTIFY_SOCKET", row->value, 1), 0);
    }
    sdnotify_open(&sd);
    assert_false(sdnotify_is_open(&sd));
    assert_null(getenv("NOTIFY_SOCKET"));
    sdnotify_send(&sd, "READY=1");
    sdnotify_reloading(&sd);
    sdnotify_close(&sd);
}

static void a_manager_that_is_gone_or_deaf_is_no_obstacle(void **state)
{
    struct str name = STR_INIT(200);
    struct sdnotify sd;
    int manager;

    (void)state;
    str_append_format(&name, "@miniftpd-test-%d", (int)getpid());
    assert_int_equal(setenv("NOTIFY_SOCKET", str_text(&name), 1), 0);
    sdnotify_open(&sd);
    sdnotify_send(&sd, "READY=1");
    manager = manager_open(str_text(&name));
    for (int i = 0; i < 100000; i++) {
        sdnotify_send(&sd, "STATUS=%d", i);
    }
    sysutil_close(&manager);
    sdnotify_close(&sd);
    str_free(&name);
}

static void a_reload_tells_the_time(void **state)
{
    struct str name = STR_INIT(200);
    struct timespec before, after;
    char text[200] = "";
    long long usec = 0;
    struct sdnotify sd;
    int manager;

    (void)state;
    str_append_format(&name, "@miniftpd-test-%d", (int)getpid());
    manager = manager_open(str_text(&name));
    assert_int_equal(setenv("NOTIFY_SOCKET", str_text(&name), 1), 0);
    sdnotify_open(&sd);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &before), 0);
    sdnotify_reloading(&sd);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &after), 0);
    assert_true(recv(manager, text, sizeof(text) - 1, 0) > 0);
    assert_int_equal(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%lld", &usec), 1);
    assert_true(usec >= before.tv_sec * 1000000 + before.tv_nsec / 1000);
    assert_true(usec <= after.tv_sec * 1000000 + after.tv_nsec / 1000);
    sysutil_close(&manager);
    sdnotify_close(&sd);
    str_free(&name);
}

int main(void)
{
    UNIT_ADD(a_path_and_an_abstract_name);
    UNIT_ADD_TABLE(check_useless, useless_rows);
    UNIT_ADD(a_manager_that_is_gone_or_deaf_is_no_obstacle);
    UNIT_ADD(a_reload_tells_the_time);
    return unit_run("sdnotify");
}
