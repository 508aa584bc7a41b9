/*
 * test_authproto.c - the messages between the daemon and miniftpd-auth
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: memory.
 */
#include <stdlib.h>
#include <string.h>

#include "authproto.h"
#include "unit.h"

static struct authproto_answer answer, again;
static uint8_t packed[AUTHPROTO_PACKED_MAX];

static void fill(char *text, size_t len)
{
    memset(text, 'x', len);
    text[len] = '\0';
}

/* A login that is granted, with all that fits. */
static void fill_largest(void)
{
    struct account *account = &answer.account;

    memset(&answer, 0, sizeof(answer));
    answer.granted = answer.stays = true;
    fill(answer.reason, sizeof(answer.reason) - 1);
    fill(account->name, sizeof(account->name) - 1);
    fill(account->dir, sizeof(account->dir) - 1);
    fill(account->start, sizeof(account->start) - 1);
    account->uid = 1;
    account->gid = UINT32_MAX - 1;
    account->kind = ACCOUNT_GUEST;
    account->anonymous = account->jail = account->has_start = true;
    account->group_count = ACCOUNT_GROUPS_MAX;
    for (unsigned i = 0; i < ACCOUNT_GROUPS_MAX; i++) {
        account->groups[i] = i * 4000000;
    }
    account->settings_len = ACCOUNT_SETTINGS_MAX;
    memset(account->settings, 's', ACCOUNT_SETTINGS_MAX);
}

static void fill_small(void)
{
    memset(&answer, 0, sizeof(answer));
    answer.granted = true;
    memcpy(answer.account.name, "bob", 4);
    memcpy(answer.account.dir, "/home/bob", 10);
    answer.account.uid = 1000;
    answer.account.group_count = 1;
    answer.account.groups[0] = 100;
}

static bool unpack(size_t len)
{
    memset(&again, 0, sizeof(again));
    return authproto_unpack(packed, len, &again);
}

static void the_largest_answer_arrives(void **state)
{
    size_t len;

    (void)state;
    fill_largest();
    len = authproto_pack(&answer, packed);
    assert_true(len <= sizeof(packed));
    assert_true(unpack(len));
    assert_memory_equal(&again, &answer, sizeof(answer));
}

static void a_small_answer_arrives_and_is_small(void **state)
{
    size_t len;

    (void)state;
    fill_small();
    len = authproto_pack(&answer, packed);
    assert_int_equal(len, sizeof(struct authproto_head) + 3 + 9 + 4);
    assert_true(unpack(len));
    assert_memory_equal(&again, &answer, sizeof(answer));
}

/* Whatever the verifier had found out about the account. */
static void a_refusal_is_its_reason(void **state)
{
    size_t len;

    (void)state;
    fill_small();
    answer.granted = false;
    memcpy(answer.reason, "wrong password", 15);
    len = authproto_pack(&answer, packed);
    assert_int_equal(len, sizeof(struct authproto_head) + 14);
    assert_true(unpack(len));
    assert_false(again.granted);
    assert_string_equal(again.reason, "wrong password");
    assert_int_equal(again.account.uid, 0);
    assert_string_equal(again.account.name, "");
}

static void an_answer_of_another_length_is_none(void **state)
{
    size_t len;

    (void)state;
    fill_small();
    len = authproto_pack(&answer, packed);
    for (size_t cut = 0; cut < len; cut++) {
        assert_false(unpack(cut));
    }
    assert_false(unpack(len + 1));
}

struct head_row {
    const char *name;
    size_t offset, size;
    uint32_t value;
};

#define FIELD(field)                                                                               \
    offsetof(struct authproto_head, field), sizeof(((struct authproto_head *)NULL)->field)

/* clang-format off */
static const struct head_row head_rows[] = {
    { "answer_of_another_kind", FIELD(kind), AUTHPROTO_LOGIN },
    { "answer_of_no_kind", FIELD(kind), 0 },
    { "answer_granted_twice", FIELD(granted), 2 },
    { "answer_refused_with_an_account", FIELD(granted), 0 },
    { "answer_of_an_unknown_kind_of_account", FIELD(account_kind), ACCOUNT_ANONYMOUS + 1 },
    { "answer_with_an_odd_truth", FIELD(jail), 2 },
    { "answer_with_an_odd_stay", FIELD(stays), 2 },
    { "answer_with_a_start_that_is_none", FIELD(start_len), 1 },
    { "answer_with_a_longer_name", FIELD(name_len), LOGIN_NAME_MAX_LEN + 1 },
    { "answer_with_a_shorter_name", FIELD(name_len), 2 },
    { "answer_with_a_longer_reason", FIELD(reason_len), AUTHPROTO_REASON_MAX },
    { "answer_with_a_longer_directory", FIELD(dir_len), ACCOUNT_DIR_MAX },
    { "answer_with_more_groups", FIELD(group_count), ACCOUNT_GROUPS_MAX + 1 },
    { "answer_with_most_groups", FIELD(group_count), UINT16_MAX },
    { "answer_with_more_settings", FIELD(settings_len), ACCOUNT_SETTINGS_MAX + 1 },
    { "answer_with_most_settings", FIELD(settings_len), UINT32_MAX },
};
/* clang-format on */

static void check_head(void **state)
{
    const struct head_row *row = *state;

    fill_small();
    (void)authproto_pack(&answer, packed);
    memcpy(packed + row->offset, &row->value, row->size); /* little end first */
    assert_false(unpack(sizeof(struct authproto_head) + 3 + 9 + 4));
    assert_false(unpack(sizeof(packed)));
}

static void an_answer_with_a_nul_in_a_text_is_none(void **state)
{
    size_t len;

    (void)state;
    fill_small();
    len = authproto_pack(&answer, packed);
    packed[sizeof(struct authproto_head) + 1] = '\0'; /* b\0b */
    assert_false(unpack(len));
}

static void a_login_has_texts_that_end(void **state)
{
    struct authproto_login login = {.kind = AUTHPROTO_LOGIN, .has_password = 1, .name = "bob"};

    (void)state;
    assert_true(authproto_is_login(&login, sizeof(login)));
    assert_false(authproto_is_login(&login, sizeof(login) - 1));
    memset(login.name, 'x', sizeof(login.name));
    assert_false(authproto_is_login(&login, sizeof(login)));
    login.name[0] = '\0';
    memset(login.password, 'x', sizeof(login.password));
    assert_false(authproto_is_login(&login, sizeof(login)));
    login.password[0] = '\0';
    memset(login.peer, 'x', sizeof(login.peer));
    assert_false(authproto_is_login(&login, sizeof(login)));
    login.peer[0] = '\0';
    assert_true(authproto_is_login(&login, sizeof(login)));
    login.has_password = 2;
    assert_false(authproto_is_login(&login, sizeof(login)));
    login.has_password = 0;
    login.kind = AUTHPROTO_START;
    assert_false(authproto_is_login(&login, sizeof(login)));
}

int main(void)
{
    UNIT_ADD(the_largest_answer_arrives);
    UNIT_ADD(a_small_answer_arrives_and_is_small);
    UNIT_ADD(a_refusal_is_its_reason);
    UNIT_ADD(an_answer_of_another_length_is_none);
    UNIT_ADD_TABLE(check_head, head_rows);
    UNIT_ADD(an_answer_with_a_nul_in_a_text_is_none);
    UNIT_ADD(a_login_has_texts_that_end);
    return unit_run("authproto");
}
