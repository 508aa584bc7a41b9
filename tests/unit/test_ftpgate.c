/*
 * test_ftpgate.c - lists of commands held against the table of commands
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 */
#include <string.h>

#include "ftpproto.h"
#include "str.h"
#include "unit.h"

struct unknown_row {
    const char *name;
    const char *list;
    const char *unknown;
};

struct names_row {
    const char *name;
    const char *list;
    const char *verb;
    bool named;
};

/* clang-format off */
static const struct unknown_row unknown_rows[] = {
    { "no_command", "", "" },
    { "known_commands", "USER, pass,RETR,SITE,site chmod,AUTH,P@SW", "" },
    { "unknown_command", "RETR,FETCH", "FETCH" },
    { "unknown_commands", "GETT,RETR,fetch", "GETT, FETCH" },
    { "unknown_command_of_site", "SITE CHMOD,SITE WHO", "SITE WHO" },
    { "command_of_site_without_site", "UMASK", "UMASK" },
    { "blanks_for_commas", "RETR STOR", "RETR STOR" },
    { "word_that_is_too_long",
      "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX,RETR",
      "(a very long one)" },
};

static const struct names_row names_rows[] = {
    { "named", "PWD,QUIT", "QUIT", true },
    { "not_named", "PWD,RETR", "QUIT", false },
    { "named_in_small_letters", "pwd, quit", "QUIT", true },
    { "named_by_another_name", "XPWD", "PWD", true },
    { "refusals_are_not_one_command", "AUTH", "PROT", false },
    { "one_of_site", "SITE CHMOD", "SITE CHMOD", true },
    { "another_of_site", "SITE CHMOD", "SITE UMASK", false },
    { "all_of_site", "SITE", "SITE UMASK", true },
    { "no_such_command", "FETCH", "FETCH", false },
};
/* clang-format on */

static void check_unknown(void **state)
{
    const struct unknown_row *row = *state;
    struct str unknown = STR_INIT(200);

    assert_int_equal(ftpproto_check_commands(row->list, &unknown), row->unknown[0] == '\0');
    assert_string_equal(str_text(&unknown), row->unknown);
    str_free(&unknown);
}

static void check_names(void **state)
{
    const struct names_row *row = *state;

    assert_int_equal(ftpproto_list_names(row->list, row->verb), row->named);
}

int main(void)
{
    UNIT_ADD_TABLE(check_unknown, unknown_rows);
    UNIT_ADD_TABLE(check_names, names_rows);
    return unit_run("test_ftpgate");
}
