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
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "auth.h"
#include "parseconf.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"
#include "unit.h"

#define DUMMY "$5$rounds=1000$........"

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
    const char *fault = auth_shadow_fault(&entry, TODAY);

    if (row->fault == NULL) {
        assert_null(fault);
    } else {
        assert_non_null(fault);
        assert_non_null(strstr(fault, row->fault));
    }
}

/* Hashes of "secret", all made by crypt(3) of libxcrypt with the lowest costs. */
#define YESCRYPT "$y$j75$aaaaaaaaaaaaaaaaaaaa1/$6Z2YZM56GIv2RGydU0zRSeLL5TPoK6H90CD42Ofgh72"
#define SHA512                                                                                     \
    "$6$rounds=1000$saltsalt$"                                                                     \
    "LAV5VE5Y7w1d73x1mFNspYWUpazfmwv2SoepNXNKJ/otop/Zok96Hr8Q13LEv0DRY/x8v0/crpIjl8NJSAqXV/"
#define SHA256 "$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2"
#define BCRYPT "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
/* of "päss wörd" in UTF-8, and of "" */
#define UMLAUTS                                                                                    \
    "$6$rounds=1000$saltsalt$"                                                                     \
    "QjrOMI2bpjUkKw7r6F4LlcDJCcvAteBcyt9zi21uOtLdVsU9ft96/SKWYGzMWU8EG6R.XlcMeZTb4oTubbQk10"
#define EMPTY                                                                                      \
    "$6$rounds=1000$saltsalt$"                                                                     \
    "VEHSITfYmhRDpD6t31S9LUhNne.FOx10qNSjfu2skYK5wKPYCkdF/995SUbfpqIy5BFbEit9G4aDmW4aq4oX9."

struct password_row {
    const char *name;
    const char *password;
    const char *hash;
    bool matches;
};

/* clang-format off */
static const struct password_row password_rows[] = {
    { "password_of_yescrypt", "secret", YESCRYPT, true },
    { "password_of_sha512", "secret", SHA512, true },
    { "password_of_sha256", "secret", SHA256, true },
    { "password_of_bcrypt", "secret", BCRYPT, true },
    { "password_of_utf8", "p\xC3\xA4ss w\xC3\xB6rd", UMLAUTS, true },
    { "wrong_password_of_yescrypt", "Secret", YESCRYPT, false },
    { "wrong_password_of_sha512", "Secret", SHA512, false },
    { "wrong_password_of_sha256", "Secret", SHA256, false },
    { "wrong_password_of_bcrypt", "Secret", BCRYPT, false },
    { "wrong_password_that_is_longer", "secretx", SHA512, false },
    { "wrong_password_that_is_shorter", "secre", SHA512, false },
    { "wrong_password_that_is_empty", "", SHA512, false },
    { "wrong_password_that_is_the_hash", SHA256, SHA256, false },
    { "empty_password_that_was_set", "", EMPTY, true },
    { "no_hash_takes_no_password", "", NULL, false },
    { "no_hash_takes_no_word", "secret", NULL, false },
    { "empty_hash_takes_no_password", "", "", false },
    { "empty_hash_takes_no_word", "secret", "", false },
    { "locked_by_a_star", "", "*", false },
    { "locked_by_an_exclamation_mark", "", "!", false },
    { "locked_by_two_exclamation_marks", "", "!!", false },
    { "locked_hash_of_the_right_password", "secret", "!" SHA512, false },
    { "locked_by_a_star_before_a_hash", "secret", "*" SHA512, false },
    { "failure_token_of_crypt", "secret", "*0", false },
    { "other_failure_token_of_crypt", "secret", "*1", false },
    { "shadowed_elsewhere", "secret", "x", false },
    { "malformed_scheme", "secret", "$99$saltsalt$abc", false },
    { "malformed_without_a_scheme", "secret", "$", false },
    { "malformed_with_nothing_behind_the_salt", "secret", "$6$rounds=1000$saltsalt$", false },
    { "malformed_hash_that_is_cut", "secret", "$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX",
      false },
    { "malformed_hash_with_more_behind", "secret", SHA256 "x", false },
    { "malformed_hash_with_a_blank_behind", "secret", SHA256 " ", false },
    { "malformed_cost_of_bcrypt", "secret", "$2b$99$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", false },
    { "malformed_text", "secret", "secret", false },
    { "the_dummy_is_nobodys_hash", "secret", DUMMY, false },
};
/* clang-format on */

static void check_password(void **state)
{
    const struct password_row *row = *state;

    assert_int_equal(auth_password_matches(row->password, row->hash, DUMMY), row->matches);
    assert_int_equal(auth_password_matches(row->password, row->hash, SHA512), row->matches);
}

static void every_changed_byte_of_a_hash_is_a_wrong_password(void **state)
{
    char hash[] = SHA256;

    (void)state;
    for (size_t i = strlen("$5$rounds=1000$saltsalt$"); hash[i] != '\0'; i++) {
        hash[i] ^= 1;
        assert_false(auth_password_matches("secret", hash, DUMMY));
        hash[i] ^= 1;
    }
    assert_true(auth_password_matches("secret", hash, DUMMY));
}

static void the_longest_password_is_handled(void **state)
{
    char *password = unit_repeat('p', LOGIN_PASSWORD_MAX_LEN);

    (void)state;
    assert_false(auth_password_matches(password, SHA512, DUMMY));
    assert_false(auth_password_matches(password, "!", DUMMY));
    free(password);
}

/* An auth as the listener makes it, but with a cheap hash for unknown names. */
static struct {
    struct tunables tun;
    struct auth auth;
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
    world.auth.slots = 1;
    world.auth.slots_fd = memfd_create("slots", MFD_CLOEXEC);
    memcpy(world.auth.dummy_setting, DUMMY, sizeof(DUMMY));
    assert_int_not_equal(world.auth.slots_fd, -1);
}

static void world_close(void)
{
    close(world.auth.slots_fd);
    tunable_free(&world.tun);
}

static void wait_for(const struct auth_job *job)
{
    struct pollfd pfd = {.fd = job->pidfd, .events = POLLIN};

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
    struct auth_account account = {.uid = 4711};
    char reason[AUTH_REASON_MAX];
    struct auth_job job;
    size_t before;

    world_open(row->settings);
    before = unit_count_fds();
    assert_true(auth_start(&world.auth, row->user, row->password, &job));
    wait_for(&job);
    assert_false(auth_finish(&job, &account, reason));
    assert_string_equal(reason, row->reason);
    assert_int_equal(account.uid, 4711);
    assert_int_equal(unit_count_fds(), before);
    world_close();
}

/* Hold the only slot, so that a verifier waits for it. */
static void hold_the_slot(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

    assert_int_equal(fcntl(world.auth.slots_fd, F_SETLK, &lock), 0);
}

static void a_verifier_that_is_killed_grants_nothing(void **state)
{
    struct auth_account account;
    char reason[AUTH_REASON_MAX];
    struct auth_job job;

    (void)state;
    world_open("local_enable=YES");
    hold_the_slot();
    assert_true(auth_start(&world.auth, "no-such-user-here", "x", &job));
    assert_int_equal(kill(job.pid, SIGKILL), 0);
    wait_for(&job);
    assert_false(auth_finish(&job, &account, reason));
    assert_string_equal(reason, "the verifier died");
    world_close();
}

static void a_verifier_waits_for_a_free_slot(void **state)
{
    struct auth_account account;
    struct pollfd pfd = {.events = POLLIN};
    char reason[AUTH_REASON_MAX];
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_len = 1};
    struct auth_job job;

    (void)state;
    world_open("local_enable=YES");
    hold_the_slot();
    assert_true(auth_start(&world.auth, "no-such-user-here", "x", &job));
    pfd.fd = job.pidfd;
    assert_int_equal(sysutil_poll(&pfd, 1, sysutil_now_ms() + 200), 0);
    assert_int_equal(fcntl(world.auth.slots_fd, F_SETLK, &lock), 0);
    wait_for(&job);
    assert_false(auth_finish(&job, &account, reason));
    assert_string_equal(reason, "no such account");
    world_close();
}

static void a_verifier_that_hangs_can_be_cancelled(void **state)
{
    struct auth_job job;
    size_t before;
    pid_t pid;

    (void)state;
    world_open("local_enable=YES");
    hold_the_slot();
    before = unit_count_fds();
    assert_true(auth_start(&world.auth, "no-such-user-here", "x", &job));
    pid = job.pid;
    auth_cancel(&job);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(unit_count_fds(), before);
    world_close();
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
        const struct auth_account *account = auth_anonymous(&auth, &reason);

        assert_int_equal(errors.len, 0);
        assert_int_not_equal(auth.nopriv_uid, 0);
        assert_true(auth.slots >= 1);
        assert_int_equal(account != NULL, world.tun.anonymous_enable);
        if (account != NULL) {
            assert_true(account->anonymous);
            assert_string_equal(account->dir, "/usr");
        } else {
            assert_string_equal(reason, "anonymous_enable=NO");
        }
        /* a reload keeps the semaphore */
        assert_true(auth_prepare(&again, &world.tun, &auth, &errors));
        assert_int_equal(again.slots_fd, auth.slots_fd);
        auth_release(&again);
        close(auth.slots_fd);
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
    UNIT_ADD_TABLE(check_password, password_rows);
    UNIT_ADD(every_changed_byte_of_a_hash_is_a_wrong_password);
    UNIT_ADD(the_longest_password_is_handled);
    UNIT_ADD_TABLE(check_job, job_rows);
    UNIT_ADD(a_verifier_that_is_killed_grants_nothing);
    UNIT_ADD(a_verifier_waits_for_a_free_slot);
    UNIT_ADD(a_verifier_that_hangs_can_be_cancelled);
    UNIT_ADD_TABLE(check_prepare, prepare_rows);
    return unit_run("auth");
}
