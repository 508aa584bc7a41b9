/*
 * test_auth.c - who may log in
 *
 * Process: a test program, and the verifiers that it starts.
 * Trusts:  the account database of the machine: root, nobody and no "no-such-user-here".
 * Touches: the account database, read only.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <shadow.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "auth.h"
#include "authhelper.h"
#include "parseconf.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"
#include "unit.h"
#include "verifier.h"

struct name_row {
    const char *name;
    const char *text;
    size_t len;
    bool good;
};

#define BYTES(content) (content), sizeof(content) - 1

/* clang-format off */
static const struct name_row name_rows[] = {
    { "name_of_letters", BYTES("bob"), true },
    { "name_of_one_letter", BYTES("b"), true },
    { "name_with_digits_and_signs", BYTES("bob_7.x-y@example.org$"), true },
    { "name_with_a_minus_inside", BYTES("a-"), true },
    { "name_of_utf8", BYTES("b\xC3\xB6" "b"), true },
    { "name_of_nothing_is_refused", BYTES(""), false },
    { "name_with_a_minus_in_front_is_refused", BYTES("-bob"), false },
    { "name_with_a_slash_is_refused", BYTES("a/b"), false },
    { "name_that_is_a_path_is_refused", BYTES("../bob"), false },
    { "name_with_a_colon_is_refused", BYTES("bob:x"), false },
    { "name_with_a_blank_is_refused", BYTES("bob x"), false },
    { "name_with_a_blank_behind_is_refused", BYTES("bob "), false },
    { "name_with_a_line_ending_is_refused", BYTES("bob\n"), false },
    { "name_with_a_cr_is_refused", BYTES("bob\r"), false },
    { "name_with_a_tab_is_refused", BYTES("bob\tx"), false },
    { "name_with_escape_is_refused", BYTES("\x1B[2J"), false },
    { "name_with_del_is_refused", BYTES("bob\x7F"), false },
    { "name_with_a_nul_is_refused", BYTES("bob\0root"), false },
    { "name_with_a_nul_behind_is_refused", BYTES("bob\0"), false },
};
/* clang-format on */

static void check_name(void **state)
{
    const struct name_row *row = *state;

    assert_int_equal(auth_is_name(row->text, row->len), row->good);
}

static void names_have_a_longest_length(void **state)
{
    char *text = unit_repeat('a', LOGIN_NAME_MAX_LEN + 1);

    (void)state;
    assert_true(auth_is_name(text, LOGIN_NAME_MAX_LEN));
    assert_false(auth_is_name(text, LOGIN_NAME_MAX_LEN + 1));
    free(text);
}

#define TODAY 20000
#define NONE  -1

struct shadow_row {
    const char *name;
    long changed, min, max, warn, inactive, expires;
    const char *fault; /* a part of it; NULL: may log in */
};

/* clang-format off */
static const struct shadow_row shadow_rows[] = {
    { "account_with_no_dates", NONE, NONE, NONE, NONE, NONE, NONE, NULL },
    { "account_as_debian_makes_it", TODAY - 500, 0, 99999, 7, NONE, NONE, NULL },
    { "account_that_expires_tomorrow", TODAY, 0, 99999, 7, NONE, TODAY + 1, NULL },
    { "account_that_expires_today", TODAY, 0, 99999, 7, NONE, TODAY, "account has expired" },
    { "account_that_expired_yesterday", TODAY, 0, 99999, 7, NONE, TODAY - 1, "account has expired" },
    { "account_that_expired_in_1970", TODAY, 0, 99999, 7, NONE, 1, "account has expired" },
    { "password_that_must_be_changed", 0, 0, 99999, 7, NONE, NONE, "must be changed" },
    { "password_on_its_last_day", TODAY - 90, 0, 90, 7, NONE, NONE, NULL },
    { "password_after_its_last_day", TODAY - 91, 0, 90, 7, NONE, NONE, "password has expired" },
    { "password_expired_within_the_grace_of_inactive", TODAY - 91, 0, 90, 7, 30, NONE, "password has expired" },
    { "password_expired_beyond_inactive", TODAY - 200, 0, 90, 7, 30, NONE, "password has expired" },
    { "password_without_a_change_never_expires", NONE, 0, 90, 7, NONE, NONE, NULL },
    { "password_without_a_maximum_never_expires", TODAY - 5000, 0, NONE, 7, NONE, NONE, NULL },
    { "password_of_maximum_0_expires_tomorrow", TODAY, 0, 0, 7, NONE, NONE, NULL },
    { "password_of_maximum_0_is_expired_after_a_day", TODAY - 1, 0, 0, 7, NONE, NONE, "password has expired" },
    { "password_changed_in_the_future", TODAY + 10, 0, 90, 7, NONE, NONE, NULL },
    { "password_too_young_to_change_may_log_in", TODAY, 30, 90, 7, NONE, NONE, NULL },
    { "password_in_its_warning_time_may_log_in", TODAY - 85, 0, 90, 7, NONE, NONE, NULL },
    { "account_expired_and_password_too", TODAY - 91, 0, 90, 7, NONE, TODAY, "account has expired" },
    { "dates_of_the_largest_numbers", INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, NULL },
};
/* clang-format on */

static void check_shadow(void **state)
{
    const struct shadow_row *row = *state;
    const struct spwd entry = {.sp_lstchg = row->changed,
                               .sp_min = row->min,
                               .sp_max = row->max,
                               .sp_warn = row->warn,
                               .sp_inact = row->inactive,
                               .sp_expire = row->expires};
    const char *fault = verifier_shadow_fault(&entry, TODAY);

    if (row->fault == NULL) {
        assert_null(fault);
    } else {
        assert_non_null(fault);
        assert_non_null(strstr(fault, row->fault));
    }
}

/* The options and the program miniftpd-auth, as the listener has them. */
static struct {
    struct tunables tun;
    struct auth auth;
    struct authhelper helper;
    pid_t server; /* V; 0: not yet started */
} world;

static void set_options(const char *settings)
{
    struct str errors = STR_INIT(1000);
    char *copy = strdup(settings);
    char *rest = copy;
    char *setting;

    while ((setting = strsep(&rest, " ")) != NULL) {
        assert_true(*setting == '\0' || parseconf_load_setting(setting, "-o", &world.tun, &errors));
    }
    free(copy);
}

static void world_open(const char *settings)
{
    tunable_init(&world.tun);
    set_options(settings);
    memset(&world.auth, 0, sizeof(world.auth));
    world.auth.tun = &world.tun;
    authhelper_init(&world.helper);
    world.server = 0;
}

/* The first child of a process as the kernel lists them, or 0. */
static pid_t first_child(pid_t pid)
{
    struct str path = STR_INIT(100);
    char text[32] = "";
    int fd;

    str_append_format(&path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    fd = open(str_text(&path), O_RDONLY | O_CLOEXEC);
    assert_int_not_equal(fd, -1);
    assert_true(sysutil_readn(fd, text, sizeof(text) - 1) >= 0);
    close(fd);
    str_free(&path);
    return (pid_t)strtol(text, NULL, 10);
}

/* The same, once there is one. */
static pid_t child_of(pid_t pid)
{
    int64_t deadline_ms = sysutil_now_ms() + 5000;
    pid_t child = 0;

    while (child == 0 && sysutil_now_ms() < deadline_ms) {
        child = first_child(pid);
    }
    assert_true(child > 0);
    return child;
}

static void start_server(void)
{
    struct str errors = STR_INIT(4000);

    assert_true(authhelper_start(&world.helper, &world.tun, &errors));
    assert_int_equal(errors.len, 0);
    str_free(&errors);
    world.server = child_of(getpid());
}

static void world_close(void)
{
    authhelper_leave(&world.helper);
    if (world.server != 0) {
        assert_int_equal(sysutil_wait(world.server), 0); /* nobody can ask it any more */
    }
    tunable_free(&world.tun);
}

static int keeper_fd;

static bool start(const char *name, const char *password, struct auth_job *job)
{
    const struct auth_login login = {.name = name, .password = password, .peer = "127.0.0.1"};

    if (world.server == 0) {
        start_server();
    }
    return auth_start(world.helper.request_fd, &login, job);
}

static void wait_for(const struct auth_job *job)
{
    struct pollfd pfd = {.fd = job->ready_fd, .events = POLLIN};

    assert_int_equal(sysutil_poll(&pfd, 1, SYSUTIL_FOREVER), 1);
}

struct job_row {
    const char *name;
    const char *settings, *user, *password;
    const char *reason;
};

/* clang-format off */
static const struct job_row job_rows[] = {
    { "verifier_refuses_unknown_names", "local_enable=YES", "no-such-user-here", "x", "no such account" },
    { "verifier_refuses_root", "local_enable=YES check_shell=NO", "root", "x", "root may not log in" },
    { "verifier_refuses_all_without_local_enable", "local_enable=NO", "nobody", "x", "local_enable=NO" },
    { "verifier_refuses_other_shells", "local_enable=YES", "nobody", "x", "the shell is not in /etc/shells" },
    { "verifier_refuses_locked_accounts", "local_enable=YES check_shell=NO", "nobody", "", "wrong password" },
};
/* clang-format on */

static void check_job(void **state)
{
    const struct job_row *row = *state;
    struct account account = {.uid = 4711};
    char reason[AUTH_REASON_MAX];
    struct auth_job job;
    size_t before;

    world_open(row->settings);
    start_server();
    before = unit_count_fds();
    assert_true(start(row->user, row->password, &job));
    wait_for(&job);
    assert_false(auth_finish(&job, &account, reason, &keeper_fd));
    assert_string_equal(reason, row->reason);
    assert_int_equal(account.uid, 4711);
    assert_int_equal(unit_count_fds(), before);
    world_close();
}

/* The file of slots that the server has. */
static int open_slots(void)
{
    for (int fd = 0; fd < 16; fd++) {
        char path[64], target[64] = "";

        assert_true(snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)world.server, fd) > 0);
        if (readlink(path, target, sizeof(target) - 1) > 0 &&
            strstr(target, "password-checks") != NULL) {
            return open(path, O_RDWR | O_CLOEXEC);
        }
    }
    fail_msg("the server has no slots");
    return -1;
}

/* The server has prepared everything, and has no child any more. */
static void settle(void)
{
    int64_t deadline_ms = sysutil_now_ms() + 5000;
    struct account account;
    char reason[AUTH_REASON_MAX];
    struct auth_job job;

    start_server();
    assert_true(start("no-such-user-here", "x", &job)); /* served when all is ready */
    wait_for(&job);
    assert_false(auth_finish(&job, &account, reason, &keeper_fd));
    while (first_child(world.server) != 0) {
        assert_true(sysutil_now_ms() < deadline_ms);
    }
}

/* Hold all slots, so that a verifier waits for one; closing what is returned gives them back. */
static int hold_the_slots(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd;

    settle();
    fd = open_slots();
    assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
    return fd;
}

static void a_verifier_that_is_killed_grants_nothing(void **state)
{
    struct account account;
    char reason[AUTH_REASON_MAX];
    struct auth_job job;
    int slots_fd;

    (void)state;
    world_open("local_enable=YES");
    slots_fd = hold_the_slots();
    assert_true(start("no-such-user-here", "x", &job));
    assert_int_equal(kill(child_of(world.server), SIGKILL), 0);
    wait_for(&job);
    assert_false(auth_finish(&job, &account, reason, &keeper_fd));
    assert_string_equal(reason, "the verifier died");
    close(slots_fd);
    world_close();
}

static void a_verifier_waits_for_a_free_slot(void **state)
{
    struct account account;
    struct pollfd pfd = {.events = POLLIN};
    char reason[AUTH_REASON_MAX];
    struct auth_job job;
    int slots_fd;

    (void)state;
    world_open("local_enable=YES");
    slots_fd = hold_the_slots();
    assert_true(start("no-such-user-here", "x", &job));
    pfd.fd = job.ready_fd;
    assert_int_equal(sysutil_poll(&pfd, 1, sysutil_now_ms() + 200), 0);
    close(slots_fd);
    wait_for(&job);
    assert_false(auth_finish(&job, &account, reason, &keeper_fd));
    assert_string_equal(reason, "no such account");
    world_close();
}

/* Wait for the end of a process that is not our child. */
static void wait_gone(pid_t pid)
{
    int64_t deadline_ms = sysutil_now_ms() + 5000;

    while (kill(pid, 0) == 0 && sysutil_now_ms() < deadline_ms) {
        (void)sysutil_poll(NULL, 0, sysutil_now_ms() + 5);
    }
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

/* Wait until a process waits in fcntl(2), for a lock of another one. */
static void wait_blocked(pid_t pid)
{
    int64_t deadline_ms = sysutil_now_ms() + 5000;
    struct str path = STR_INIT(100);
    long number = -1;

    str_append_format(&path, "/proc/%d/syscall", (int)pid);
    while (number != SYS_fcntl && sysutil_now_ms() < deadline_ms) {
        char text[32] = "";
        int fd = open(str_text(&path), O_RDONLY | O_CLOEXEC);

        assert_int_not_equal(fd, -1);
        assert_true(sysutil_readn(fd, text, sizeof(text) - 1) >= 0);
        close(fd);
        number = strtol(text, NULL, 10);
    }
    str_free(&path);
    assert_int_equal(number, SYS_fcntl);
}

/* Whatever it does just then: here it waits for a lock. */
static void a_verifier_that_hangs_ends_with_its_job(void **state)
{
    struct auth_job job;
    size_t before;
    int slots_fd;
    pid_t pid;

    (void)state;
    world_open("local_enable=YES");
    slots_fd = hold_the_slots();
    before = unit_count_fds();
    assert_true(start("no-such-user-here", "x", &job));
    pid = child_of(world.server);
    wait_blocked(pid);
    auth_cancel(&job);
    wait_gone(pid);
    assert_int_equal(unit_count_fds(), before);
    close(slots_fd);
    world_close();
}

/* The end of the job comes before the verifier has asked to be told of it, each time or nearly so. */
static void verifiers_end_whenever_the_job_does(void **state)
{
    int slots_fd;

    (void)state;
    world_open("local_enable=YES");
    slots_fd = hold_the_slots();
    for (int i = 0; i < 50; i++) {
        struct auth_job job;

        assert_true(start("no-such-user-here", "x", &job));
        (void)sysutil_poll(NULL, 0, sysutil_now_ms() + i % 5);
        auth_cancel(&job);
    }
    for (;;) {
        struct str path = STR_INIT(100);
        char text[32] = "";
        int fd;

        str_append_format(&path, "/proc/%d/task/%d/children", (int)world.server, (int)world.server);
        fd = open(str_text(&path), O_RDONLY | O_CLOEXEC);
        assert_true(sysutil_readn(fd, text, sizeof(text) - 1) >= 0);
        close(fd);
        str_free(&path);
        if (text[0] == '\0') {
            break;
        }
        wait_gone((pid_t)strtol(text, NULL, 10));
    }
    close(slots_fd);
    world_close();
}

static void a_program_that_was_killed_grants_nothing(void **state)
{
    struct auth_job job;

    (void)state;
    world_open("local_enable=YES");
    settle(); /* no child of it has its socket either */
    assert_int_equal(kill(world.server, SIGKILL), 0);
    assert_int_not_equal(sysutil_wait(world.server), -1);
    assert_false(start("no-such-user-here", "x", &job));
    assert_int_equal(errno, EPIPE);
    authhelper_leave(&world.helper);
    assert_false(start("no-such-user-here", "x", &job));
    assert_int_equal(errno, EPIPE);
    world.server = 0;
    world_close();
}

/* ---- lists of users ---- */

struct list_row {
    const char *name;
    const char *settings; /* besides userlist_file */
    const char *lines;    /* NULL: there is no file */
    const char *user;
    const char *reason; /* a part of it; NULL: allowed */
};

#define LIST  "userlist_enable=YES"
#define ALLOW LIST " userlist_deny=NO"

/* clang-format off */
static const struct list_row list_rows[] = {
    { "list_that_is_off", "", "bob\n", "bob", NULL },
    { "list_that_is_off_and_missing", "", NULL, "bob", NULL },
    { "list_denies", LIST, "bob\n", "bob", "refused by userlist_file" },
    { "list_denies_nobody_else", LIST, "bob\n", "alice", NULL },
    { "list_allows", ALLOW, "bob\n", "bob", NULL },
    { "list_allows_nobody_else", ALLOW, "bob\n", "alice", "not in userlist_file" },
    { "list_that_is_empty_denies_nobody", LIST, "", "bob", NULL },
    { "list_that_is_empty_allows_nobody", ALLOW, "", "bob", "not in userlist_file" },
    { "list_that_is_missing_denies", LIST, NULL, "bob", "/list: No such file or directory" },
    { "list_that_is_missing_allows_nobody", ALLOW, NULL, "bob", "/list: No such file or directory" },
    { "list_and_no_name", LIST, "bob\n", "", NULL },
    { "list_of_allowed_and_no_name", ALLOW, "\n", "", "not in userlist_file" },
    { "list_denies_anonymous", LIST, "anonymous\n", "anonymous", "refused by" },
    { "list_denies_anonymous_in_capitals", LIST, "anonymous\n", "ANONYMOUS", "refused by" },
    { "list_denies_ftp_in_capitals", LIST, "ftp\n", "Ftp", "refused by" },
    { "list_denies_capitals_as_they_are", LIST, "FTP\n", "FTP", "refused by" },
    { "list_denies_one_name_of_anonymous_users", LIST, "ftp\n", "anonymous", NULL },
    { "list_allows_anonymous_in_capitals", ALLOW, "anonymous\n", "ANONYMOUS", NULL },
    { "list_denies_others_in_their_case", LIST, "bob\n", "BOB", NULL },
};
/* clang-format on */

static void check_list(void **state)
{
    const struct list_row *row = *state;
    char dir[UNIT_DIR_MAX];
    struct str setting = STR_INIT(1000);
    char reason[AUTH_REASON_MAX] = "";

    unit_make_dir(dir);
    world_open(row->settings);
    str_append_format(&setting, "userlist_file=%s/list", dir);
    set_options(str_text(&setting));
    if (row->lines != NULL) {
        unit_write_file(dir, "list", row->lines, strlen(row->lines));
    }
    assert_int_equal(auth_list_allows(&world.auth, row->user, reason), row->reason == NULL);
    if (row->reason != NULL) {
        assert_non_null(strstr(reason, row->reason));
    }
    world_close();
    unit_remove_dir(dir);
    str_free(&setting);
}

static void a_list_with_a_long_path_has_a_reason(void **state)
{
    char *path = unit_repeat('x', 2000);
    struct str setting = STR_INIT(4000);
    char reason[AUTH_REASON_MAX];

    (void)state;
    world_open(LIST);
    str_append_format(&setting, "userlist_file=/%s", path);
    set_options(str_text(&setting));
    assert_false(auth_list_allows(&world.auth, "bob", reason));
    assert_int_equal(strlen(reason), AUTH_REASON_MAX - 1); /* cut, and not empty */
    assert_non_null(strstr(reason, "cannot read userlist_file=/xxx"));
    world_close();
    free(path);
    str_free(&setting);
}

/* ---- the places of users ---- */

/* A process that takes a place, says whether it got one, and keeps it until it is ended. */
static pid_t take_place(const char *name, unsigned most, bool *taken_out)
{
    int fds[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails ends us too */
        byte = auth_take_place(&world.auth, name, most) ? 1 : 0;
        (void)!write(fds[1], &byte, 1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(fds[0], &byte, 1), 1);
    *taken_out = byte == 1;
    close(fds[0]);
    close(fds[1]);
    return pid;
}

static void end_process(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_not_equal(sysutil_wait(pid), -1);
}

static void places_are_as_many_as_they_are(void **state)
{
    static const struct {
        const char *name;
        unsigned most;
        bool taken;
    } steps[] = {
        {"bob", 3, true},    {"bob", 3, true},      {"alice", 1, true}, {"bob", 3, true},
        {"bob", 3, false},   {"alice", 1, false},   {"bo", 1, true},    {"bobb", 1, true},
        {"", 1, true},       {"bob", 2, false},     {"bob", 4, true},   {"alice", 100000, true},
        {"carol", 0, false}, {"\xFF\x01", 1, true},
    };
    pid_t pids[ARRAY_LEN(steps)];

    (void)state;
    world_open("");
    world.auth.places_fd = memfd_create("places", MFD_CLOEXEC);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        bool taken;

        pids[i] = take_place(steps[i].name, steps[i].most, &taken);
        assert_int_equal(taken, steps[i].taken);
    }
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        end_process(pids[i]);
    }
    close(world.auth.places_fd);
    world_close();
}

static void a_place_is_free_after_the_end(void **state)
{
    pid_t first, second, third;
    bool taken;

    (void)state;
    world_open("");
    world.auth.places_fd = memfd_create("places", MFD_CLOEXEC);
    first = take_place("bob", 2, &taken);
    second = take_place("bob", 2, &taken);
    assert_true(taken);
    end_process(first);
    third = take_place("bob", 2, &taken);
    assert_true(taken);
    end_process(take_place("bob", 2, &taken));
    assert_false(taken);
    end_process(second);
    end_process(third);
    close(world.auth.places_fd);
    world_close();
}

/* ---- virtual users; those who get in are for the system suite, because it takes root ---- */

struct virtual_row {
    const char *name;
    const char *settings; /* besides virtual_users_file */
    const char *lines;
    const char *user, *password;
    const char *reason; /* a part of it */
};

#define SECRET "$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2" /* secret */

/* clang-format off */
static const struct virtual_row virtual_rows[] = {
    { "virtual_user_with_a_wrong_password", "", "vera:" SECRET ":1:1:/:\n", "vera", "Secret", "wrong password" },
    { "virtual_user_who_is_locked", "", "vera:!" SECRET ":1:1:/:\n", "vera", "secret", "wrong password" },
    { "virtual_user_who_is_unknown", "", "vera:" SECRET ":1:1:/:\n", "wim", "secret", "not in virtual_users_file, and local_enable=NO" },
    { "virtual_user_who_is_unknown_beside_accounts", "local_enable=YES", "vera:x\n", "no-such-user-here", "x", "no such account" },
    { "virtual_user_with_a_fault", "", "\nvera:" SECRET ":1:1:rel:\n", "vera", "secret", "/users:2: the home wants" },
    { "virtual_user_with_a_fault_and_a_wrong_password", "", "vera:" SECRET "::1\n", "vera", "x", "/users:1: there is a gid" },
    { "virtual_user_with_the_rights_of_root", "", "vera:" SECRET ":0:1:/:\n", "vera", "secret", "rights of root" },
    { "virtual_user_with_the_account_root", "", "vera:" SECRET ":root::/:\n", "vera", "secret", "rights of root" },
    { "virtual_user_without_an_account", "", "vera:" SECRET ":no-such-user-here::/:\n", "vera", "secret",
      "the account no-such-user-here, whose rights" },
    { "virtual_user_without_guest_username", "guest_username=no-such-user-here", "vera:" SECRET "\n", "vera", "secret",
      "the account no-such-user-here, whose rights" },
    { "virtual_user_without_any_guest_username", "guest_username=", "vera:" SECRET "\n", "vera", "secret", "the account , whose" },
    { "virtual_user_without_a_group", "", "vera:" SECRET ":1:no-such-group-here:/:\n", "vera", "secret",
      "the group no-such-group-here" },
    { "virtual_user_without_a_home", "", "vera:" SECRET ":1234567:1234567\n", "vera", "secret", "has no home" },
    { "virtual_user_with_a_bad_setting", "", "#\n#\nvera:" SECRET ":1:1:/: write_enable=NO\twrite_enable=x\n", "vera", "secret",
      "/users:3: write_enable wants YES or NO" },
    { "virtual_user_with_a_relative_local_root", "local_root=srv", "vera:" SECRET ":nobody\n", "vera", "secret", "does not begin with /" },
    { "virtual_user_and_a_file_in_user_config_dir", "user_config_dir=/dev/null", "vera:" SECRET ":1:1:/:\n", "vera", "secret",
      "/dev/null/vera: Not a directory" },
    { "virtual_user_and_a_missing_chroot_list", "chroot_list_enable=YES chroot_list_file=/no/such/file",
      "vera:" SECRET ":1:1:/:\n", "vera", "secret", "cannot read chroot_list_file=/no/such/file: No such file" },
    { "virtual_user_and_no_chroot_list", "chroot_list_enable=YES chroot_list_file=",
      "vera:" SECRET ":1:1:/:\n", "vera", "secret", "cannot read chroot_list_file=: No such file" },
};
/* clang-format on */

static void check_virtual(void **state)
{
    const struct virtual_row *row = *state;
    static struct account account;
    char dir[UNIT_DIR_MAX];
    struct str setting = STR_INIT(1000);
    char reason[AUTH_REASON_MAX];
    struct auth_job job;

    unit_make_dir(dir);
    world_open(row->settings);
    str_append_format(&setting, "virtual_users_file=%s/users", dir);
    set_options(str_text(&setting));
    unit_write_file(dir, "users", row->lines, strlen(row->lines));
    assert_true(start(row->user, row->password, &job));
    wait_for(&job);
    assert_false(auth_finish(&job, &account, reason, &keeper_fd));
    assert_non_null(strstr(reason, row->reason));
    assert_null(strstr(reason, "saltsalt"));
    world_close();
    unit_remove_dir(dir);
    str_free(&setting);
}

struct prepare_row {
    const char *name;
    const char *settings;
    const char *error; /* a part of it; NULL: none */
};

/* clang-format off */
static const struct prepare_row prepare_rows[] = {
    { "prepare_of_local_users", "anonymous_enable=NO local_enable=YES", NULL },
    { "prepare_of_anonymous_users", "anonymous_enable=YES ftp_username=nobody anon_root=/usr", NULL },
    { "prepare_names_a_missing_nopriv_user", "anonymous_enable=NO nopriv_user=no-such-user-here",
      "nopriv_user=no-such-user-here does not exist" },
    { "prepare_refuses_root_as_nopriv_user", "anonymous_enable=NO nopriv_user=root",
      "nopriv_user=root must not be root" },
    { "prepare_names_a_missing_ftp_username", "anonymous_enable=YES ftp_username=no-such-user-here",
      "ftp_username=no-such-user-here does not exist" },
    { "prepare_refuses_root_as_ftp_username", "anonymous_enable=YES ftp_username=root anon_root=/usr",
      "ftp_username=root must not be root" },
    { "prepare_of_guests", "anonymous_enable=NO local_enable=YES guest_enable=YES guest_username=nobody", NULL },
    { "prepare_names_a_missing_guest_username",
      "anonymous_enable=NO local_enable=YES guest_enable=YES guest_username=no-such-user-here",
      "guest_username=no-such-user-here does not exist" },
    { "prepare_refuses_root_as_guest_username",
      "anonymous_enable=NO local_enable=YES guest_enable=YES guest_username=root", "guest_username=root must not be root" },
    { "prepare_wants_no_guest_username_without_guests", "anonymous_enable=NO local_enable=YES guest_username=", NULL },
    { "prepare_of_virtual_users_alone",
      "anonymous_enable=NO local_enable=NO virtual_users_file=/no/such/file guest_username=nobody", NULL },
    { "prepare_names_a_missing_directory", "anonymous_enable=YES ftp_username=nobody anon_root=/no/such/dir",
      "/no/such/dir" },
    { "prepare_refuses_a_file_as_directory", "anonymous_enable=YES ftp_username=nobody anon_root=/etc/passwd",
      "/etc/passwd" },
};
/* clang-format on */

static void check_prepare(void **state)
{
    const struct prepare_row *row = *state;
    struct str errors = STR_INIT(4000);
    size_t before = unit_count_fds();
    struct auth auth, again;

    tunable_init(&world.tun);
    set_options(row->settings);
    assert_int_equal(auth_prepare(&auth, &world.tun, NULL, &errors), row->error == NULL);
    if (row->error != NULL) {
        assert_non_null(strstr(str_text(&errors), row->error));
        assert_int_equal(errors.buf[errors.len - 1], '\n');
        assert_null(auth.anonymous);
    } else {
        const char *reason;
        const struct account *account = auth_anonymous(&auth, &reason);

        assert_int_equal(errors.len, 0);
        assert_int_not_equal(auth.nopriv_uid, 0);
        assert_int_equal(account != NULL, world.tun.anonymous_enable);
        if (account != NULL) {
            assert_true(account->anonymous);
            assert_string_equal(account->dir, "/usr");
        } else {
            assert_string_equal(reason, "anonymous_enable=NO");
        }
        /* a reload keeps the places */
        assert_true(auth_prepare(&again, &world.tun, &auth, &errors));
        assert_int_equal(again.places_fd, auth.places_fd);
        auth_release(&again);
        close(auth.places_fd);
    }
    auth_release(&auth);
    tunable_free(&world.tun);
    str_free(&errors);
    assert_int_equal(unit_count_fds(), before);
}

int main(void)
{
    UNIT_ADD_TABLE(check_name, name_rows);
    UNIT_ADD(names_have_a_longest_length);
    UNIT_ADD_TABLE(check_shadow, shadow_rows);
    UNIT_ADD_TABLE(check_job, job_rows);
    UNIT_ADD(a_verifier_that_is_killed_grants_nothing);
    UNIT_ADD(a_verifier_waits_for_a_free_slot);
    UNIT_ADD(a_verifier_that_hangs_ends_with_its_job);
    UNIT_ADD(verifiers_end_whenever_the_job_does);
    UNIT_ADD(a_program_that_was_killed_grants_nothing);
    UNIT_ADD_TABLE(check_list, list_rows);
    UNIT_ADD(a_list_with_a_long_path_has_a_reason);
    UNIT_ADD(places_are_as_many_as_they_are);
    UNIT_ADD(a_place_is_free_after_the_end);
    UNIT_ADD_TABLE(check_virtual, virtual_rows);
    UNIT_ADD_TABLE(check_prepare, prepare_rows);
    return unit_run("auth");
}
