/*
 * test_tunable.c - the options: every row of the table, and the checks across them
 *
 * Process: a test program.
 * Trusts:  the table, whose rows it reads.
 * Touches: memory of its own only.
 */
#include <stdlib.h>
#include <string.h>

#include "parseconf.h"
#include "str.h"
#include "tunable.h"
#include "unit.h"

static bool is_number(const struct tunable_row *row)
{
    return row->type == TUNABLE_UINT || row->type == TUNABLE_OCTAL || row->type == TUNABLE_SIZE;
}

/* One row of tunable_rows is one test. */
static void check_option(void **state)
{
    const struct tunable_row *row = *state;
    struct tunables t;
    struct str value = STR_INIT(8192);
    struct str error = STR_INIT(256);

    assert_ptr_equal(tunable_find(row->name), row);
    assert_true(strlen(row->text) > 10);
    assert_int_equal(row->text[strlen(row->text) - 1], '.');
    assert_null(strchr(".'", row->text[0])); /* a request of man(7) */
    assert_true(row->min <= row->max);
    assert_true(!is_number(row) ||
                (row->default_number >= row->min && row->default_number <= row->max));
    tunable_init(&t);
    assert_true(row->shipped == NULL || tunable_set(&t, row, row->shipped, &error));
    tunable_free(&t);

    tunable_init(&t); /* the default, as it is written, is the default */
    tunable_append_value(&t, row, &value);
    assert_true(tunable_set(&t, row, str_text(&value), &error));
    assert_int_equal(error.len, 0);
    tunable_free(&t);
    str_free(&value);
    str_free(&error);
}

static void set_and_show(struct tunables *t, const struct tunable_row *row, uint64_t number,
                         bool good, const char *shown)
{
    struct str value = STR_INIT(64);
    struct str error = STR_INIT(256);

    if (row->type == TUNABLE_OCTAL) {
        str_append_format(&value, "0%llo", (unsigned long long)number);
    } else {
        str_append_uint(&value, number);
    }
    assert_int_equal(tunable_set(t, row, str_text(&value), &error), good);
    assert_int_equal(error.len == 0, good);
    str_clear(&value);
    tunable_append_value(t, row, &value);
    assert_true(shown == NULL || strcmp(str_text(&value), shown) == 0);
    str_free(&value);
    str_free(&error);
}

static void numbers_keep_within_their_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];
        struct str before = STR_INIT(64);
        struct tunables t;

        if (!tunable_has_value(row) || !is_number(row)) {
            continue;
        }
        tunable_init(&t);
        set_and_show(&t, row, row->min, true, NULL);
        set_and_show(&t, row, row->max, true, NULL);
        tunable_append_value(&t, row, &before);
        set_and_show(&t, row, (uint64_t)row->max + 1, false, str_text(&before));
        if (row->min > 0) {
            set_and_show(&t, row, row->min - 1, false, str_text(&before));
        }
        if (row->max <= UINT32_MAX) {
            set_and_show(&t, row, (uint64_t)UINT32_MAX + 1 + row->min, false, str_text(&before));
        }
        str_free(&before);
        tunable_free(&t);
    }
}

static void names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < tunable_row_count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_true(tunable_rows[i].heading != NULL || tunable_rows[j].heading != NULL ||
                        strcmp(tunable_rows[i].name, tunable_rows[j].name) != 0);
        }
    }
}

struct set_row {
    const char *name;
    const char *option, *value;
    const char *shown; /* NULL: refused */
};

/* clang-format off */
static const struct set_row set_rows[] = {
    { "bool_yes", "write_enable", "YES", "YES" },
    { "bool_true", "write_enable", "TRUE", "YES" },
    { "bool_1", "write_enable", "1", "YES" },
    { "bool_in_any_case", "write_enable", "yEs", "YES" },
    { "bool_no", "chmod_enable", "NO", "NO" },
    { "bool_false", "chmod_enable", "false", "NO" },
    { "bool_0", "chmod_enable", "0", "NO" },
    { "bool_refuses_on", "write_enable", "on", NULL },
    { "bool_refuses_2", "write_enable", "2", NULL },
    { "bool_refuses_nothing", "write_enable", "", NULL },
    { "bool_refuses_more", "write_enable", "YES ", NULL },
    { "number", "listen_port", "2121", "2121" },
    { "number_with_a_leading_0_is_decimal", "listen_port", "025", "25" },
    { "number_0_is_decimal", "max_clients", "0", "0" },
    { "octal_refuses_8", "local_umask", "089", NULL },
    { "number_refuses_nothing", "listen_port", "", NULL },
    { "number_refuses_minus", "max_clients", "-1", NULL },
    { "number_refuses_words", "max_clients", "many", NULL },
    { "number_refuses_hex", "max_clients", "0x10", NULL },
    { "number_refuses_a_unit", "idle_session_timeout", "5m", NULL },
    { "umask_in_octal", "local_umask", "022", "022" },
    { "umask_0", "local_umask", "0", "0" },
    { "umask_without_a_leading_0_is_decimal", "local_umask", "18", "022" },
    { "umask_refuses_more_than_0777", "local_umask", "01000", NULL },
    { "size", "max_upload_size", "5000000000", "5000000000" },
    { "size_in_units", "max_upload_size", "10K", "10240" },
    { "size_in_small_units", "max_upload_size", "3g", "3221225472" },
    { "size_refuses_a_unit_alone", "max_upload_size", "K", NULL },
    { "size_refuses_more_than_there_is", "max_upload_size", "9000000T", NULL },
    { "size_refuses_nothing", "max_upload_size", "", NULL },
    { "another_name", "log_file", "/x", "/x" },
    { "text", "ftpd_banner", "Hello = you", "Hello = you" },
    { "text_empty_unsets", "ftp_username", "", "" },
};
/* clang-format on */

static void check_set(void **state)
{
    const struct set_row *row = *state;
    const struct tunable_row *option = tunable_find(row->option);
    struct tunables t, defaults;
    struct str shown = STR_INIT(256);
    struct str expected = STR_INIT(256);
    struct str error = STR_INIT(256);
    uint64_t number;

    assert_non_null(option);
    tunable_init(&t);
    tunable_init(&defaults);
    assert_int_equal(tunable_set(&t, option, row->value, &error), row->shown != NULL);
    tunable_append_value(&t, option, &shown);
    if (row->shown == NULL) {
        assert_true(error.len > 0);
        tunable_append_value(&defaults, option, &expected);
        assert_string_equal(str_text(&shown), str_text(&expected));
    } else if (option->type == TUNABLE_OCTAL) { /* any number of zeros in front */
        assert_true(str_to_octal(str_text(&shown), 0, 07777, &number));
        assert_int_equal(number, strtoul(row->shown, NULL, 8));
    } else {
        assert_string_equal(str_text(&shown), row->shown);
    }
    str_free(&shown);
    str_free(&expected);
    str_free(&error);
    tunable_free(&t);
    tunable_free(&defaults);
}

static void an_unset_text_is_null(void **state)
{
    struct str error = STR_INIT(100);
    struct tunables t;

    (void)state;
    tunable_init(&t);
    assert_non_null(t.ftp_username);
    assert_true(tunable_set(&t, tunable_find("ftp_username"), "", &error));
    assert_null(t.ftp_username);
    assert_null(t.anon_root);
    tunable_free(&t);
}

static void too_long_texts_are_refused(void **state)
{
    char *text = unit_repeat('a', 4097);
    struct str error = STR_INIT(100);
    struct tunables t;

    (void)state;
    tunable_init(&t);
    assert_false(tunable_set(&t, tunable_find("ftpd_banner"), text, &error));
    assert_null(t.ftpd_banner);
    text[4096] = '\0';
    str_clear(&error);
    assert_true(tunable_set(&t, tunable_find("ftpd_banner"), text, &error));
    assert_string_equal(t.ftpd_banner, text);
    tunable_free(&t);
    str_free(&error);
    free(text);
}

static void a_copy_shares_nothing(void **state)
{
    struct str error = STR_INIT(100);
    struct tunables t, copy;

    (void)state;
    tunable_init(&t);
    assert_true(tunable_set(&t, tunable_find("ftpd_banner"), "one", &error));
    assert_true(tunable_copy(&copy, &t));
    assert_true(tunable_set(&t, tunable_find("ftpd_banner"), "two", &error));
    assert_string_equal(copy.ftpd_banner, "one");
    assert_int_equal(copy.listen_port, t.listen_port);
    tunable_free(&t);
    assert_string_equal(copy.nopriv_user, "nobody");
    tunable_free(&copy);
}

struct nearest_row {
    const char *name;
    const char *wrong;
    const char *right; /* NULL: none is near */
};

/* clang-format off */
static const struct nearest_row nearest_rows[] = {
    { "nearest_of_a_missing_letter", "anonymus_enable", "anonymous_enable" },
    { "nearest_of_another_case", "Listen_Port", "listen_port" },
    { "nearest_of_swapped_letters", "wirte_enable", "write_enable" },
    { "nearest_of_a_missing_part", "listen_por", "listen_port" },
    { "nearest_of_the_name_itself", "max_clients", "max_clients" },
    { "nearest_of_nonsense", "zzzzzzzzzzzz", NULL },
    { "nearest_of_nothing", "", NULL },
    { "nearest_of_a_very_long_word",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
};
/* clang-format on */

static void check_nearest(void **state)
{
    const struct nearest_row *row = *state;
    const char *found = tunable_nearest(row->wrong);

    if (row->right == NULL) {
        assert_null(found);
    } else {
        assert_non_null(found);
        assert_string_equal(found, row->right);
    }
}

static void unknown_names_are_not_found(void **state)
{
    (void)state;
    assert_null(tunable_find(""));
    assert_null(tunable_find("LISTEN"));
    assert_null(tunable_find("listen "));
    assert_null(tunable_find("Listening"));
}

static bool only_accepted(const struct tunable_row *row)
{
    return row->heading == NULL && !tunable_has_value(row) && row->type != TUNABLE_ALIAS;
}

/* A name that is only accepted: any value will do (of a truth value: any truth value), and says why. */
static void check_accepted(void **state)
{
    const struct tunable_row *row = *state;
    struct str error = STR_INIT(256);
    struct tunables t;

    assert_ptr_equal(tunable_find(row->name), row);
    assert_true(strlen(row->text) > 10);
    assert_int_not_equal(row->text[strlen(row->text) - 1], '.'); /* it stands within sentences */
    tunable_init(&t);
    assert_false(tunable_is_unmet(&t, row));
    assert_true(tunable_set(&t, row, "NO", &error));
    assert_false(tunable_is_unmet(&t, row));
    assert_true(tunable_set(&t, row, "YES", &error));
    assert_int_equal(tunable_is_unmet(&t, row), row->type == TUNABLE_UNMET);
    assert_int_equal(tunable_set(&t, row, "/some/file", &error), row->type != TUNABLE_UNMET);
    tunable_free(&t);
    str_free(&error);
}

/* Settings on top of the defaults, separated by blanks. */
struct check_row {
    const char *name;
    const char *settings;
    const char *complaint; /* a part of it; NULL: all is well */
};

/* clang-format off */
static const struct check_row check_rows[] = {
    { "check_takes_the_defaults", "", NULL },
    { "check_takes_ipv6_alone", "listen=NO listen_ipv6=YES", NULL },
    { "check_takes_ipv6_when_listen_is_only_a_default", "listen_ipv6=YES", NULL },
    { "check_refuses_two_listeners", "listen=YES listen_ipv6=YES", "listen_ipv6=YES" },
    { "check_takes_no_listener", "listen=NO", NULL }, /* inetd */
    { "check_refuses_no_login_at_all", "anonymous_enable=NO local_enable=NO", "nobody could log in" },
    { "check_takes_virtual_users_alone",
      "anonymous_enable=NO local_enable=NO virtual_users_file=/etc/users", NULL },
    { "check_takes_local_logins_alone", "anonymous_enable=NO local_enable=YES", NULL },
    { "check_refuses_a_range_upside_down", "pasv_min_port=3000 pasv_max_port=2000", "pasv_min_port" },
    { "check_takes_a_range_of_one", "pasv_min_port=3000 pasv_max_port=3000", NULL },
    { "check_takes_a_range_without_an_end", "pasv_min_port=3000 pasv_max_port=0", NULL },
    { "check_refuses_a_range_below_1024", "pasv_min_port=0 pasv_max_port=1023", "1024" },
    { "check_wants_nopriv_user", "nopriv_user=", "nopriv_user" },
    { "check_wants_secure_chroot_dir", "secure_chroot_dir=", "secure_chroot_dir" },
    { "check_wants_ftp_username", "ftp_username=", "ftp_username" },
    { "check_wants_no_ftp_username_without_anonymous", "ftp_username= anonymous_enable=NO local_enable=YES", NULL },
    { "check_wants_a_userlist_file", "userlist_enable=YES userlist_file=", "userlist_file" },
    { "check_wants_no_userlist_file_without_a_list", "userlist_file=", NULL },
    { "check_wants_a_chroot_list_file", "chroot_list_enable=YES chroot_list_file=", "chroot_list_file" },
    { "check_wants_no_chroot_list_file_without_a_list", "chroot_list_file=", NULL },
    { "check_wants_a_log_file", "xferlog_enable=YES vsftpd_log_file=", "vsftpd_log_file" },
    { "check_wants_no_log_file_for_syslog", "xferlog_enable=YES syslog_enable=YES vsftpd_log_file=", NULL },
    { "check_refuses_a_name_to_announce", "pasv_address=ftp.example.net", "pasv_address wants an IPv4" },
    { "check_refuses_ipv6_to_announce", "pasv_address=2001:db8::7", "'2001:db8::7'" },
    { "check_refuses_a_mapped_address_to_announce", "pasv_address=::ffff:192.0.2.7", "pasv_address" },
    { "check_takes_an_address_to_announce", "pasv_address=192.0.2.7", NULL },
    { "check_takes_an_address_to_look_up", "pasv_address=192.0.2.7 pasv_addr_resolve=YES", NULL },
    { "check_takes_a_name_to_look_up", "pasv_address=my_host-1.example.net. pasv_addr_resolve=YES", NULL },
    { "check_takes_no_name_to_look_up", "pasv_addr_resolve=YES", NULL },
    { "check_refuses_to_look_ipv6_up", "pasv_address=::1 pasv_addr_resolve=YES", "a host name" },
    { "check_refuses_to_look_a_url_up", "pasv_address=ftp://example.net pasv_addr_resolve=YES", "a host name" },
    { "check_refuses_to_look_a_dot_up", "pasv_address=.net pasv_addr_resolve=YES", "a host name" },
    { "check_takes_a_map", "pasv_address_map=10.0.0.0/8=own,11.0.0.0/8=192.0.2.7", NULL },
    { "check_names_the_faulty_entry_of_a_map", "pasv_address_map=10.0.0.0/8=own,11.0.0.0/8=x,y=own",
      "not '11.0.0.0/8=x'" },
    { "check_refuses_a_name_as_address", "listen_address=localhost", "listen_address" },
    { "check_refuses_ipv6_as_ipv4", "listen_address=::1", "IPv4" },
    { "check_refuses_ipv4_as_ipv6", "listen=NO listen_ipv6=YES listen_address6=127.0.0.1", "IPv6" },
    { "check_refuses_a_mapped_listener", "listen=NO listen_ipv6=YES listen_address6=::ffff:127.0.0.1", "IPv6" },
    { "check_takes_addresses", "listen_address=127.0.0.1 listen_address6=::1", NULL },
    { "check_refuses_relative_paths", "secure_chroot_dir=empty", "secure_chroot_dir" },
    { "check_refuses_a_relative_pid_file", "pid_file=x.pid", "pid_file" },
    { "check_refuses_a_relative_virtual_users_file", "virtual_users_file=users", "virtual_users_file" },
    { "check_refuses_a_relative_user_config_dir", "user_config_dir=users", "user_config_dir" },
    { "check_refuses_a_relative_anon_root", "anon_root=srv", "anon_root" },
};
/* clang-format on */

static void apply(struct tunables *t, const char *settings)
{
    struct str errors = STR_INIT(1000);
    char *copy = strdup(settings);
    char *rest = copy;
    char *setting;

    while ((setting = strsep(&rest, " ")) != NULL) {
        assert_true(*setting == '\0' || parseconf_load_setting(setting, "-o", t, &errors));
    }
    free(copy);
    str_free(&errors);
}

static void check_check(void **state)
{
    const struct check_row *row = *state;
    struct str errors = STR_INIT(4000);
    struct tunables t;

    tunable_init(&t);
    apply(&t, row->settings);
    assert_int_equal(tunable_check(&t, &errors), row->complaint == NULL);
    assert_int_equal(errors.len == 0, row->complaint == NULL);
    if (row->complaint != NULL) {
        assert_non_null(strstr(str_text(&errors), row->complaint));
        assert_ptr_equal(strchr(str_text(&errors), '\n'), str_text(&errors) + errors.len - 1);
    }
    str_free(&errors);
    tunable_free(&t);
}

static void each_contradiction_is_named(void **state)
{
    struct str errors = STR_INIT(4000);
    struct tunables t;

    (void)state;
    tunable_init(&t);
    apply(
        &t,
        "listen=YES listen_ipv6=YES pid_file=x nopriv_user= pasv_min_port=3000 pasv_max_port=2000");
    assert_false(tunable_check(&t, &errors));
    assert_non_null(strstr(str_text(&errors), "listen_ipv6"));
    assert_non_null(strstr(str_text(&errors), "pid_file"));
    assert_non_null(strstr(str_text(&errors), "nopriv_user"));
    assert_non_null(strstr(str_text(&errors), "pasv_min_port"));
    str_free(&errors);
    tunable_free(&t);
}

static void differences_name_what_needs_a_restart_apart(void **state)
{
    struct str changed = STR_INIT(1000), restart = STR_INIT(1000);
    struct tunables a, b;

    (void)state;
    tunable_init(&a);
    tunable_init(&b);
    tunable_differences(&a, &b, &changed, &restart);
    assert_int_equal(changed.len + restart.len, 0);
    apply(&b, "listen_port=2121 write_enable=YES ftpd_banner=x max_clients=1 listen_address=::1");
    tunable_differences(&a, &b, &changed, &restart);
    assert_string_equal(str_text(&changed), "max_clients, write_enable, ftpd_banner");
    assert_string_equal(str_text(&restart), "listen_address, listen_port");
    str_free(&changed);
    str_free(&restart);
    tunable_free(&a);
    tunable_free(&b);
}

/* Another value than the default for one option. */
static void change_option(struct tunables *t, const struct tunable_row *row, const char *text)
{
    struct str value = STR_INIT(8192);
    struct str error = STR_INIT(256);

    if (row->type == TUNABLE_BOOL) {
        str_append(&value, row->default_number != 0 ? "NO" : "YES");
    } else if (row->type == TUNABLE_TEXT) {
        str_append(&value, text);
    } else {
        uint64_t number = row->default_number == row->max ? row->min : row->max;

        if (row->type == TUNABLE_OCTAL) {
            str_append_format(&value, "0%llo", (unsigned long long)number);
        } else {
            str_append_uint(&value, number);
        }
    }
    assert_true(tunable_set(t, row, str_text(&value), &error));
    str_free(&value);
    str_free(&error);
}

static void assert_same_value(const struct tunables *a, const struct tunables *b,
                              const struct tunable_row *row)
{
    struct str value_a = STR_INIT(8192), value_b = STR_INIT(8192);

    tunable_append_value(a, row, &value_a);
    tunable_append_value(b, row, &value_b);
    assert_string_equal(str_text(&value_a), str_text(&value_b));
    str_free(&value_a);
    str_free(&value_b);
}

/* Every option of a user comes over as it is, and no other one does. */
static void check_changes(const char *base_text, const char *text)
{
    struct str changes = STR_INIT(100000);
    struct tunables base, mine, copy;

    tunable_init(&base);
    tunable_init(&mine);
    for (size_t i = 0; i < tunable_row_count; i++) {
        if (tunable_has_value(&tunable_rows[i])) {
            if (tunable_rows[i].type == TUNABLE_TEXT) {
                change_option(&base, &tunable_rows[i], base_text);
            }
            change_option(&mine, &tunable_rows[i], text);
        }
    }
    assert_true(tunable_copy(&copy, &base));
    tunable_append_changes(&base, &mine, &changes);
    assert_true(str_ok(&changes));
    assert_true(tunable_apply_changes(&copy, str_text(&changes), changes.len));
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];

        if (tunable_has_value(row)) {
            assert_same_value(&copy, row->scope == SCOPE_USER ? &mine : &base, row);
        }
    }
    str_free(&changes);
    tunable_free(&base);
    tunable_free(&mine);
    tunable_free(&copy);
}

static void changes_of_a_user_come_over_whole(void **state)
{
    char *longest = unit_repeat('t', 4096);

    (void)state;
    check_changes("/base", "/srv/a b=c\t\xC3\xA4#");
    check_changes("/base", "");
    check_changes("", "=");
    check_changes("", longest);
    check_changes(longest, "");
    free(longest);
}

static void no_changes_are_no_lines(void **state)
{
    struct str changes = STR_INIT(1000);
    struct tunables a, b;

    (void)state;
    tunable_init(&a);
    tunable_init(&b);
    apply(&b, "listen_port=2121 max_clients=1 userlist_enable=YES"); /* not of a user */
    tunable_append_changes(&a, &b, &changes);
    assert_int_equal(changes.len, 0);
    assert_true(tunable_apply_changes(&b, "", 0));
    str_free(&changes);
    tunable_free(&a);
    tunable_free(&b);
}

struct lines_row {
    const char *name;
    const char *lines;
};

static const struct lines_row lines_rows[] = {
    {"changes_without_an_end_of_line", "write_enable=YES"},
    {"changes_without_a_value", "write_enable\n"},
    {"changes_of_an_unknown_option", "no_such_option=YES\n"},
    {"changes_of_an_option_without_a_value", "utf8_filesystem=YES\n"},
    {"changes_with_a_bad_value", "max_per_user=-1\n"},
    {"changes_with_an_empty_line", "\n"},
    {"changes_with_garbage_behind", "write_enable=YES\nx\n"},
};

static void check_bad_changes(void **state)
{
    const struct lines_row *row = *state;
    struct tunables t;

    tunable_init(&t);
    assert_false(tunable_apply_changes(&t, row->lines, strlen(row->lines)));
    tunable_free(&t);
}

/* Every option with a value that is not its default, as another program of ours gets them. */
static void settings_of_all_options_arrive(void **state)
{
    struct tunables t, again;
    struct str settings = STR_INIT(TUNABLE_SETTINGS_MAX);
    struct str changed = STR_INIT(8192), need_restart = STR_INIT(8192);
    struct str error = STR_INIT(1000);
    size_t others = 0;

    (void)state;
    tunable_init(&t);
    tunable_init(&again);
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];
        struct str value = STR_INIT(5000);

        if (tunable_has_value(row)) {
            tunable_append_value(&t, row, &value);
            if (row->type == TUNABLE_BOOL) {
                assert_true(tunable_set(
                    &t, row, str_equal_nocase(str_text(&value), "YES") ? "NO" : "YES", &error));
            } else if (row->type == TUNABLE_TEXT) {
                assert_true(tunable_set(&t, row, "a\nb=c ", &error) ||
                            tunable_set(&t, row, "x", &error));
            } else {
                assert_true(tunable_set(&t, row,
                                        str_equal_nocase(str_text(&value), "077") ? "070" : "2000",
                                        &error) ||
                            tunable_set(&t, row, "1", &error) || tunable_set(&t, row, "3", &error));
            }
            others++;
        }
        str_free(&value);
    }
    tunable_append_settings(&t, &settings);
    assert_true(str_ok(&settings));
    assert_true(tunable_apply_settings(&again, str_text(&settings), settings.len));
    tunable_differences(&t, &again, &changed, &need_restart);
    assert_string_equal(str_text(&changed), "");
    assert_string_equal(str_text(&need_restart), "");
    assert_true(others > 100);
    assert_false(tunable_apply_settings(&again, str_text(&settings), settings.len - 1));
    tunable_free(&t);
    tunable_free(&again);
    str_free(&settings);
    str_free(&changed);
    str_free(&need_restart);
    str_free(&error);
}

static void settings_of_the_defaults_are_none(void **state)
{
    struct tunables t;
    struct str settings = STR_INIT(TUNABLE_SETTINGS_MAX);

    (void)state;
    tunable_init(&t);
    tunable_append_settings(&t, &settings);
    assert_int_equal(settings.len, 0);
    tunable_free(&t);
    str_free(&settings);
}

int main(void)
{
    for (size_t i = 0; i < tunable_row_count; i++) {
        if (tunable_has_value(&tunable_rows[i])) {
            unit_add(tunable_rows[i].name, check_option, &tunable_rows[i]);
        } else if (only_accepted(&tunable_rows[i])) {
            unit_add(tunable_rows[i].name, check_accepted, &tunable_rows[i]);
        }
    }
    UNIT_ADD(numbers_keep_within_their_range);
    UNIT_ADD(names_are_unique);
    UNIT_ADD_TABLE(check_set, set_rows);
    UNIT_ADD(an_unset_text_is_null);
    UNIT_ADD(too_long_texts_are_refused);
    UNIT_ADD(a_copy_shares_nothing);
    UNIT_ADD_TABLE(check_nearest, nearest_rows);
    UNIT_ADD(unknown_names_are_not_found);
    UNIT_ADD_TABLE(check_check, check_rows);
    UNIT_ADD(each_contradiction_is_named);
    UNIT_ADD(differences_name_what_needs_a_restart_apart);
    UNIT_ADD(changes_of_a_user_come_over_whole);
    UNIT_ADD(no_changes_are_no_lines);
    UNIT_ADD_TABLE(check_bad_changes, lines_rows);
    UNIT_ADD(settings_of_all_options_arrive);
    UNIT_ADD(settings_of_the_defaults_are_none);
    return unit_run("tunable");
}
