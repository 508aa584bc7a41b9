/*
 * test_ftplog.c - passwords do not get into the log of the dialogue
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 */
#include <string.h>

#include "ftplog.h"
#include "str.h"
#include "unit.h"

struct mask_row {
    const char *name;
    const char *line;
    bool expected; /* a password comes next */
    const char *shown;
};

/* clang-format off */
static const struct mask_row mask_rows[] = {
    { "shown_user", "USER alice", false, "USER alice" },
    { "shown_command", "RETR PASS secret", true, "RETR PASS secret" },
    { "shown_command_in_small_letters", "retr  f ", false, "retr  f " },
    { "shown_unknown_command", "XYZZY a b", false, "XYZZY a b" },
    { "shown_command_like_pass", "PASV", true, "PASV" },
    { "shown_pwd", "PWD", true, "PWD" },
    { "shown_rest", "REST 5", true, "REST 5" },
    { "shown_nothing", "", false, "" },
    { "masked_pass", "PASS secret", false, "PASS <password>" },
    { "masked_pass_in_small_letters", "pAsS secret", true, "PASS <password>" },
    { "masked_pass_of_words", "PASS my secret phrase", true, "PASS <password>" },
    { "masked_pass_without_argument", "PASS", true, "PASS <password>" },
    { "masked_pass_behind_blanks", "   PASS secret", false, "PASS <password>" },
    { "masked_pass_behind_a_tab", "\tPASS secret", false, "PASS <password>" },
    { "masked_pass_with_a_tab", "PASS\tsecret", false, "PASS <password>" },
    { "masked_pass_without_a_blank", "PASSsecret", false, "PASS <password>" },
    { "masked_password", "PASSWORD secret", false, "PASS <password>" },
    { "masked_pas", "PAS secret", false, "PASS <password>" },
    { "masked_apss", "APSS secret", false, "PASS <password>" },
    { "masked_passs", "PASSS secret", false, "PASS <password>" },
    { "masked_acct", "acct secret", true, "ACCT <password>" },
    { "masked_lone_password", "secret", true, "<unknown command>" },
    { "masked_lone_password_of_words", "my secret", true, "<unknown command>" },
    { "masked_lone_password_that_is_long", "abcdefghijklmnopqrstuvwxyz0123456789", true, "<unknown command>" },
    { "masked_long_word_that_begins_as_a_command", "NOOPabcdefghijklmnopqrstuvwxyz0123456789", true, "<unknown command>" },
    { "masked_bytes", "\xFF\xFE secret", true, "<unknown command>" },
};
/* clang-format on */

static void check_mask(void **state)
{
    const struct mask_row *row = *state;
    struct str shown = STR_INIT(FTP_LINE_MAX);

    ftplog_mask(row->line, row->expected, &shown);
    assert_string_equal(str_text(&shown), row->shown);
    str_free(&shown);
}

int main(void)
{
    UNIT_ADD_TABLE(check_mask, mask_rows);
    return unit_run("ftplog");
}
