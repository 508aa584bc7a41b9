/*
 * authproto.c - the messages between the daemon and miniftpd-auth
 *
 * Process: L and N on one side, miniftpd-auth on the other.
 * Trusts:  nothing that was received before it is checked here.
 * Touches: the sockets it is given.
 */
#include "authproto.h"

#include <string.h>

#include "sysutil.h"

#define TEXT_AT offsetof(struct authproto_note, text)

bool authproto_is_login(const struct authproto_login *login, size_t len)
{
    return len == sizeof(*login) && login->kind == AUTHPROTO_LOGIN && login->has_password <= 1 &&
           memchr(login->name, '\0', sizeof(login->name)) != NULL &&
           memchr(login->password, '\0', sizeof(login->password)) != NULL &&
           memchr(login->peer, '\0', sizeof(login->peer)) != NULL;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

size_t authproto_pack(const struct authproto_answer *answer, uint8_t *packed)
{
    const struct account *account = &answer->account;
    struct authproto_head head = {
        .kind = AUTHPROTO_ANSWER,
        .granted = answer->granted,
        .stays = answer->stays,
        .reason_len = (uint16_t)strlen(answer->reason),
    };
    uint8_t *at = packed + sizeof(head);

    at = put(at, answer->reason, head.reason_len);
    if (answer->granted) {
        head.account_kind = (uint8_t)account->kind;
        head.anonymous = account->anonymous;
        head.jail = account->jail;
        head.has_start = account->has_start;
        head.name_len = (uint8_t)strlen(account->name);
        head.uid = account->uid;
        head.gid = account->gid;
        head.dir_len = (uint16_t)strlen(account->dir);
        head.start_len = account->has_start ? (uint16_t)strlen(account->start) : 0;
        head.group_count = (uint16_t)account->group_count;
        head.settings_len = (uint32_t)account->settings_len;
        at = put(at, account->name, head.name_len);
        at = put(at, account->dir, head.dir_len);
        at = put(at, account->start, head.start_len);
        at = put(at, account->groups, head.group_count * sizeof(account->groups[0]));
        at = put(at, account->settings, head.settings_len);
    }
    memcpy(packed, &head, sizeof(head));
    return (size_t)(at - packed);
}

/* The bytes that are left of a packed answer. */
struct rest {
    const uint8_t *at;
    const uint8_t *end;
    bool good;
};

static void take(struct rest *rest, void *to, size_t len, size_t room)
{
    rest->good = rest->good && len <= room && len <= (size_t)(rest->end - rest->at);
    if (rest->good) {
        memcpy(to, rest->at, len);
        rest->at += len;
    }
}

/* A text of `len` bytes into to[size], which gets a NUL at its end and has no other. */
static void take_text(struct rest *rest, char *to, size_t len, size_t size)
{
    take(rest, to, len, size - 1);
    if (rest->good) {
        to[len] = '\0';
        rest->good = strlen(to) == len;
    }
}

static bool is_sane(const struct authproto_head *head)
{
    bool empty = head->name_len == 0 && head->dir_len == 0 && head->start_len == 0 &&
                 head->group_count == 0 && head->settings_len == 0;

    return head->kind == AUTHPROTO_ANSWER && head->granted <= 1 && head->stays <= head->granted &&
           head->account_kind <= ACCOUNT_ANONYMOUS && head->anonymous <= 1 && head->jail <= 1 &&
           head->has_start <= 1 && (head->has_start == 1 || head->start_len == 0) &&
           (head->granted == 1 || empty);
}

bool authproto_unpack(const uint8_t *packed, size_t len, struct authproto_answer *answer)
{
    struct rest rest = {.at = packed, .end = packed + len, .good = true};
    struct account *account = &answer->account;
    struct authproto_head head = {0};

    take(&rest, &head, sizeof(head), sizeof(head));
    if (!rest.good || !is_sane(&head)) {
        return false;
    }
    answer->granted = head.granted == 1;
    answer->stays = head.stays == 1;
    take_text(&rest, answer->reason, head.reason_len, sizeof(answer->reason));
    account->kind = (enum account_kind)head.account_kind;
    account->anonymous = head.anonymous == 1;
    account->jail = head.jail == 1;
    account->has_start = head.has_start == 1;
    account->uid = head.uid;
    account->gid = head.gid;
    account->group_count = head.group_count;
    account->settings_len = head.settings_len;
    take_text(&rest, account->name, head.name_len, sizeof(account->name));
    take_text(&rest, account->dir, head.dir_len, sizeof(account->dir));
    take_text(&rest, account->start, head.start_len, sizeof(account->start));
    take(&rest, account->groups, head.group_count * sizeof(account->groups[0]),
         sizeof(account->groups));
    take(&rest, account->settings, head.settings_len, sizeof(account->settings));
    return rest.good && rest.at == rest.end;
}

int authproto_send_note(int fd, enum authproto_kind kind, const char *text, int pass_fd)
{
    struct authproto_note note = {.kind = (uint8_t)kind};
    size_t len = text != NULL ? strnlen(text, sizeof(note.text)) : 0;

    memcpy(note.text, text != NULL ? text : "", len);
    return sysutil_send_message(fd, &note, TEXT_AT + len, pass_fd);
}
