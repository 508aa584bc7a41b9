/*
 * test_password.c - hashes of passwords
 *
 * Process: a test program.
 * Trusts:  libcrypt.
 * Touches: memory of its own only.
 */
#include <stdlib.h>
#include <string.h>

#include "password.h"
#include "unit.h"

#define DUMMY "$5$rounds=1000$........"

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

    assert_int_equal(password_matches(row->password, row->hash, DUMMY), row->matches);
    assert_int_equal(password_matches(row->password, row->hash, SHA512), row->matches);
}

static void every_changed_byte_of_a_hash_is_a_wrong_password(void **state)
{
    char hash[] = SHA256;

    (void)state;
    for (size_t i = strlen("$5$rounds=1000$saltsalt$"); hash[i] != '\0'; i++) {
        hash[i] ^= 1;
        assert_false(password_matches("secret", hash, DUMMY));
        hash[i] ^= 1;
    }
    assert_true(password_matches("secret", hash, DUMMY));
}

static void the_longest_password_is_handled(void **state)
{
    char *password = unit_repeat('p', LOGIN_PASSWORD_MAX_LEN);

    (void)state;
    assert_false(password_matches(password, SHA512, DUMMY));
    assert_false(password_matches(password, "!", DUMMY));
    free(password);
}

struct setting_row {
    const char *name;
    const char *hash;
    const char *setting; /* NULL: refused */
};

/* clang-format off */
static const struct setting_row setting_rows[] = {
    { "setting_of_yescrypt", YESCRYPT, "$y$j75$......................" },
    { "setting_of_sha512", SHA512, "$6$rounds=1000$........" },
    { "setting_of_sha256", SHA256, "$5$rounds=1000$........" },
    { "setting_of_bcrypt", BCRYPT, "$2b$04$......................" },
    { "setting_of_sha512_without_a_cost", "$6$saltsalt$x", "$6$........" },
    { "setting_of_nothing", "", NULL },
    { "setting_of_a_locked_account", "!" SHA512, NULL },
    { "setting_of_a_star", "*", NULL },
    { "setting_of_the_old_scheme", "abJnggxhB/yWI", NULL },
    { "setting_of_an_unknown_scheme", "$99$saltsalt$x", NULL },
    { "setting_of_a_dollar", "$", NULL },
    { "setting_of_dollars", "$$$$", NULL },
    { "setting_of_bcrypt_that_is_cut", "$2b$04$abcdefghijklmnopqrstuu", NULL },
    { "setting_of_bcrypt_that_is_very_short", "$2", NULL },
    { "setting_of_a_bad_cost", "$2b$99$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", NULL },
};
/* clang-format on */

static void check_setting(void **state)
{
    const struct setting_row *row = *state;
    char setting[PASSWORD_SETTING_MAX] = "";

    assert_int_equal(password_setting_of(row->hash, setting, sizeof(setting)),
                     row->setting != NULL);
    if (row->setting != NULL) {
        assert_string_equal(setting, row->setting);
        assert_false(password_matches("secret", setting, DUMMY));
    }
}

static void a_setting_that_does_not_fit_is_refused(void **state)
{
    const size_t need = strlen("$5$rounds=1000$saltsalt");
    char *setting = malloc(need + 1);

    (void)state;
    assert_true(password_setting_of(SHA256, setting, need + 1));
    assert_false(password_setting_of(SHA256, setting, need));
    assert_false(password_setting_of(SHA256, setting, 1));
    free(setting);
}

static void the_default_setting_can_be_used(void **state)
{
    char setting[PASSWORD_SETTING_MAX];
    char small[4] = "xxx";

    (void)state;
    password_default_setting(setting, sizeof(setting));
    assert_int_equal(setting[0], '$');
    assert_false(password_matches("secret", "!", setting));
    password_default_setting(small, sizeof(small));
    assert_string_equal(small, "");
}

static void a_new_hash_is_of_yescrypt_and_of_its_password(void **state)
{
    char hash[PASSWORD_HASH_MAX + 1], again[PASSWORD_HASH_MAX + 1];
    char *longest = unit_repeat('p', LOGIN_PASSWORD_MAX_LEN - 1);

    (void)state;
    assert_true(password_hash("p\xC3\xA4ss: wort", hash));
    assert_memory_equal(hash, "$y$", 3);
    assert_null(strpbrk(hash, ":\n "));
    assert_true(password_matches("p\xC3\xA4ss: wort", hash, DUMMY));
    assert_false(password_matches("p\xC3\xA4ss: worT", hash, DUMMY));
    assert_true(password_hash("p\xC3\xA4ss: wort", again));
    assert_string_not_equal(hash, again); /* a salt of its own */
    assert_true(password_hash(longest, hash));
    assert_true(password_matches(longest, hash, DUMMY));
    longest[LOGIN_PASSWORD_MAX_LEN - 2] = 'q'; /* the last byte counts */
    assert_false(password_matches(longest, hash, DUMMY));
    free(longest);
}

int main(void)
{
    UNIT_ADD_TABLE(check_password, password_rows);
    UNIT_ADD(every_changed_byte_of_a_hash_is_a_wrong_password);
    UNIT_ADD(the_longest_password_is_handled);
    UNIT_ADD_TABLE(check_setting, setting_rows);
    UNIT_ADD(a_setting_that_does_not_fit_is_refused);
    UNIT_ADD(the_default_setting_can_be_used);
    UNIT_ADD(a_new_hash_is_of_yescrypt_and_of_its_password);
    return unit_run("password");
}
