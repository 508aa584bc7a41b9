/*
 * test_account.c - what a user gets: whose rights, and which directory
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 */
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "parseconf.h"
#include "str.h"
#include "tunable.h"
#include "unit.h"

static void set_options(struct tunables *tun, const char *settings)
{
    struct str errors = STR_INIT(1000);
    char *copy = strdup(settings);
    char *rest = copy;
    char *setting;

    while ((setting = strsep(&rest, " ")) != NULL) {
        assert_true(*setting == '\0' || parseconf_load_setting(setting, "-o", tun, &errors));
    }
    free(copy);
    str_free(&errors);
}

struct place_row {
    const char *name;
    enum account_kind kind;
    bool is_virtual, has_own_home, listed;
    const char *options, *home;
    bool anonymous, jail;
    const char *dir, *start; /* NULL: refused */
};

#define LOCAL     ACCOUNT_LOCAL, false, false, false
#define LISTED    ACCOUNT_LOCAL, false, false, true
#define GUEST     ACCOUNT_GUEST, false, false, false
#define ANONYMOUS ACCOUNT_ANONYMOUS, false, false, false
#define VIRTUAL   ACCOUNT_GUEST, true, true, false  /* with a home of its own */
#define BORROWED  ACCOUNT_GUEST, true, false, false /* in the home of the account it gets */
#define JAIL      "chroot_local_user=YES "
#define LIST      "chroot_list_enable=YES "
#define MARKS     JAIL "passwd_chroot_enable=YES "
#define TOKEN     "user_sub_token=$USER "

/* The user is bob. */
/* clang-format off */
static const struct place_row place_rows[] = {
    { "local_user_is_free", LOCAL, "", "/home/bob", false, false, "/home/bob", "" },
    { "local_user_is_kept_in", LOCAL, JAIL, "/home/bob", false, true, "/home/bob", "" },
    { "listed_user_without_a_list", LISTED, "", "/h", false, false, "/h", "" },
    { "listed_user_without_a_list_is_kept_in", LISTED, JAIL, "/h", false, true, "/h", "" },
    { "listed_user_is_kept_in", LISTED, LIST, "/h", false, true, "/h", "" },
    { "listed_user_is_free", LISTED, JAIL LIST, "/h", false, false, "/h", "" },
    { "user_who_is_not_listed_is_free", LOCAL, LIST, "/h", false, false, "/h", "" },
    { "user_who_is_not_listed_is_kept_in", LOCAL, JAIL LIST, "/h", false, true, "/h", "" },

    { "local_root_replaces_home", LOCAL, "local_root=/srv", "/h", false, false, "/srv", "" },
    { "local_root_is_the_jail", LOCAL, JAIL "local_root=/srv", "/h", false, true, "/srv", "" },
    { "local_root_does_without_a_home", LOCAL, "local_root=/srv", "", false, false, "/srv", "" },
    { "token_in_local_root", LOCAL, TOKEN "local_root=/srv/$USER/www", "/h", false, false, "/srv/bob/www", "" },
    { "token_at_the_end", LOCAL, TOKEN "local_root=/srv/$USER", "/h", false, false, "/srv/bob", "" },
    { "token_several_times", LOCAL, TOKEN "local_root=/$USER/$USER$USER", "/h", false, false, "/bob/bobbob", "" },
    { "token_alone", LOCAL, TOKEN "local_root=$USER", "/h", false, false, NULL, "" },
    { "token_that_is_not_there", LOCAL, TOKEN "local_root=/srv/$USE", "/h", false, false, "/srv/$USE", "" },
    { "token_of_one_letter", LOCAL, "user_sub_token=% local_root=/%/%%", "/h", false, false, "/bob/bobbob", "" },
    { "token_inside_the_name_is_not_replaced_again", LOCAL, "user_sub_token=b local_root=/b", "/h", false, false, "/bob", "" },
    { "no_token", LOCAL, "local_root=/srv/$USER", "/h", false, false, "/srv/$USER", "" },
    { "token_in_the_home", LOCAL, TOKEN, "/home/$USER", false, false, "/home/bob", "" },
    { "token_in_the_home_of_a_guest", GUEST, TOKEN, "/web/$USER", true, true, "/web/bob", "" },

    { "relative_home", LOCAL, "", "home/bob", false, false, NULL, "" },
    { "empty_home", LOCAL, "", "", false, false, NULL, "" },
    { "relative_local_root", LOCAL, "local_root=srv", "/h", false, false, NULL, "" },

    { "mark_without_the_option", LOCAL, JAIL, "/home/./bob", false, true, "/home/./bob", "" },
    { "mark_divides", LOCAL, MARKS, "/home/./bob", false, true, "/home", "bob" },
    { "mark_divides_deep_paths", LOCAL, MARKS, "/a/b/./c/d", false, true, "/a/b", "c/d" },
    { "first_mark_counts", LOCAL, MARKS, "/a/./b/./c", false, true, "/a", "b/./c" },
    { "mark_at_the_end", LOCAL, MARKS, "/a/b/./", false, true, "/a/b", "" },
    { "half_a_mark_at_the_end", LOCAL, MARKS, "/a/b/.", false, true, "/a/b/.", "" },
    { "mark_and_more_slashes", LOCAL, MARKS, "/a/.///b", false, true, "/a", "b" },
    { "two_marks_in_a_row", LOCAL, MARKS, "/a/././b", false, true, "/a", "./b" },
    { "mark_in_front_does_not_free", LOCAL, MARKS, "/./home/bob", false, true, "/./home/bob", "" },
    { "mark_alone_is_the_root", LOCAL, MARKS, "/./", false, true, "/./", "" },
    { "no_mark", LOCAL, MARKS, "/home/bob", false, true, "/home/bob", "" },
    { "hidden_directory_is_no_mark", LOCAL, MARKS, "/home/.x/bob", false, true, "/home/.x/bob", "" },
    { "mark_of_a_free_user", LOCAL, "passwd_chroot_enable=YES", "/a/./b", false, false, "/a", "b" },
    { "mark_before_local_root", LOCAL, MARKS "local_root=/srv", "/a/./b", false, true, "/a", "b" },
    { "mark_at_the_end_before_local_root", LOCAL, MARKS "local_root=/srv", "/a/./", false, true, "/a", "" },
    { "local_root_without_a_mark", LOCAL, MARKS "local_root=/srv", "/a", false, true, "/srv", "" },
    { "no_mark_in_local_root", LOCAL, MARKS "local_root=/srv/./x", "/a", false, true, "/srv/./x", "" },
    { "mark_in_the_home_of_a_guest", GUEST, MARKS, "/a/./b", true, true, "/a", "b" },
    { "mark_and_token", LOCAL, MARKS TOKEN, "/a/$USER/./$USER", false, true, "/a/bob", "bob" },
    { "mark_that_is_the_token", LOCAL, MARKS "user_sub_token=/./", "/a/./b", false, true, "/abobb", "" },
    { "relative_home_with_a_mark", LOCAL, MARKS, "a/./b", false, true, NULL, "" },

    { "guest_has_anonymous_rights", GUEST, "", "/g", true, true, "/g", "" },
    { "guest_goes_to_local_root", GUEST, TOKEN "local_root=/srv/$USER", "/g", true, true, "/srv/bob", "" },
    { "guest_is_kept_in_whatever_the_lists_say", ACCOUNT_GUEST, false, false, true, JAIL LIST, "/g", true, true, "/g", "" },
    { "guest_has_local_rights", GUEST, "virtual_use_local_privs=YES", "/g", false, false, "/g", "" },
    { "guest_with_local_rights_is_kept_in", GUEST, JAIL "virtual_use_local_privs=YES", "/g", false, true, "/g", "" },
    { "guest_with_local_rights_is_listed", ACCOUNT_GUEST, false, false, true,
      JAIL LIST "virtual_use_local_privs=YES", "/g", false, false, "/g", "" },

    { "virtual_user_has_local_rights", VIRTUAL, "", "/v", false, true, "/v", "" },
    { "virtual_user_is_kept_in_whatever_the_lists_say", ACCOUNT_GUEST, true, true, true, JAIL LIST, "/v", false, true, "/v", "" },
    { "virtual_user_has_his_own_home", VIRTUAL, "local_root=/srv", "/v", false, true, "/v", "" },
    { "virtual_user_has_a_token_in_his_home", VIRTUAL, TOKEN, "/v/$USER", false, true, "/v/bob", "" },
    { "virtual_user_without_a_home_is_in_a_borrowed_one", BORROWED, "", "/g", false, true, "/g", "" },
    { "virtual_user_without_a_home_is_in_local_root", BORROWED, TOKEN "local_root=/srv/$USER", "/g", false, true, "/srv/bob", "" },
    { "virtual_user_has_no_mark", VIRTUAL, MARKS, "/v/./w", false, true, "/v/./w", "" },
    { "virtual_user_with_marks_goes_to_local_root", BORROWED, MARKS "local_root=/srv", "/v", false, true, "/srv", "" },
    { "virtual_user_without_any_home", BORROWED, "", "", false, true, NULL, "" },

    { "anonymous_user_is_at_home", ANONYMOUS, "", "/srv/ftp", true, true, "/srv/ftp", "" },
    { "anonymous_user_is_in_anon_root", ANONYMOUS, "anon_root=/pub", "/srv/ftp", true, true, "/pub", "" },
    { "anonymous_user_has_no_token", ANONYMOUS, TOKEN "anon_root=/$USER", "/h", true, true, "/$USER", "" },
    { "anonymous_user_has_no_local_root", ANONYMOUS, "local_root=/srv", "/h", true, true, "/h", "" },
    { "anonymous_user_has_no_mark", ANONYMOUS, MARKS, "/a/./b", true, true, "/a/./b", "" },
    { "anonymous_user_has_no_local_rights", ANONYMOUS, "virtual_use_local_privs=YES", "/h", true, true, "/h", "" },
    { "anonymous_user_is_kept_in_whatever_the_lists_say", ACCOUNT_ANONYMOUS, false, false, true, JAIL LIST, "/h", true, true, "/h", "" },
    { "anonymous_user_without_a_home", ANONYMOUS, "", "", true, true, NULL, "" },
};
/* clang-format on */

static bool place(const struct place_row *row, struct account *account)
{
    const struct account_facts facts = {.home = row->home,
                                        .is_virtual = row->is_virtual,
                                        .has_own_home = row->has_own_home,
                                        .listed = row->listed};
    struct tunables tun;
    bool good;

    tunable_init(&tun);
    set_options(&tun, row->options);
    memset(account, 0, sizeof(*account));
    memset(account->dir, 'x', sizeof(account->dir));
    memset(account->start, 'x', sizeof(account->start));
    memcpy(account->name, "bob", 4);
    account->kind = row->kind;
    good = account_place(account, &tun, &facts);
    tunable_free(&tun);
    return good;
}

static void check_place(void **state)
{
    const struct place_row *row = *state;
    static struct account account;

    assert_int_equal(place(row, &account), row->dir != NULL);
    assert_int_equal(account.anonymous, row->anonymous);
    assert_int_equal(account.jail, row->jail);
    if (row->dir != NULL) {
        assert_string_equal(account.dir, row->dir);
        assert_string_equal(account.start, row->start);
    }
}

/* A home of `len` bytes. */
static bool place_long(size_t len, const char *options, struct account *account)
{
    char *home = unit_repeat('h', len);
    struct place_row row = {.home = home, .options = options};
    bool good;

    home[0] = '/';
    good = place(&row, account);
    free(home);
    return good;
}

static void paths_have_a_longest_length(void **state)
{
    static struct account account;

    (void)state;
    assert_true(place_long(ACCOUNT_DIR_MAX - 1, "", &account));
    assert_int_equal(strlen(account.dir), ACCOUNT_DIR_MAX - 1);
    assert_false(place_long(ACCOUNT_DIR_MAX, "", &account));
    assert_false(place_long(100000, MARKS, &account));
    /* what is replaced makes it longer: each h becomes bob */
    assert_true(place_long(1365, "user_sub_token=h", &account));
    assert_int_equal(strlen(account.dir), 1 + 1364 * 3);
    assert_false(place_long(1366, "user_sub_token=h", &account));
}

static void a_copy_has_all_that_is_used(void **state)
{
    static struct account from, to;

    (void)state;
    memset(&from, 1, sizeof(from));
    memset(&to, 2, sizeof(to));
    memcpy(from.name, "bob", 4);
    from.uid = 1001;
    from.group_count = 3;
    from.settings_len = 5;
    account_copy(&to, &from);
    assert_string_equal(to.name, "bob");
    assert_int_equal(to.uid, 1001);
    assert_int_equal(to.group_count, 3);
    assert_memory_equal(to.groups, from.groups, 3 * sizeof(gid_t));
    assert_int_equal(to.settings_len, 5);
    assert_memory_equal(to.settings, from.settings, 5);
    assert_int_equal(to.settings[5], 2); /* and no more than that */
}

static void the_largest_account_is_copied(void **state)
{
    static struct account from, to;

    (void)state;
    memset(&from, 1, sizeof(from));
    from.group_count = ACCOUNT_GROUPS_MAX;
    from.settings_len = ACCOUNT_SETTINGS_MAX;
    account_copy(&to, &from);
    assert_int_equal(to.groups[ACCOUNT_GROUPS_MAX - 1], from.groups[ACCOUNT_GROUPS_MAX - 1]);
    assert_int_equal(to.settings[ACCOUNT_SETTINGS_MAX - 1], 1);
}

int main(void)
{
    UNIT_ADD_TABLE(check_place, place_rows);
    UNIT_ADD(paths_have_a_longest_length);
    UNIT_ADD(a_copy_has_all_that_is_used);
    UNIT_ADD(the_largest_account_is_copied);
    return unit_run("account");
}
