/*
 * authproto.h - the messages between the daemon and miniftpd-auth
 *
 * One datagram over SEQPACKET with at most one descriptor. The order:
 *
 *   L -> V   OPTIONS + a file with the options in force; V -> L READY or WRONG
 *   N -> V   START + a SEQPACKET end; V forks A, which keeps it
 *   N -> A   LOGIN; A -> N ANSWER. N ends the check, or the PAM session, by closing its end
 *
 * Started to look something up the program sends one ANSWER, or one struct authproto_address.
 */
#ifndef MINIFTPD_AUTHPROTO_H
#define MINIFTPD_AUTHPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"
#include "common.h"

#define AUTHPROTO_REASON_MAX 512 /* with its NUL */
#define AUTHPROTO_PEER_MAX   64  /* with its NUL */
#define AUTHPROTO_TEXT_MAX   512

enum authproto_kind {
    AUTHPROTO_OPTIONS = 1,
    AUTHPROTO_START,
    AUTHPROTO_LOGIN,
    /* answers */
    AUTHPROTO_READY,
    AUTHPROTO_WRONG,
    AUTHPROTO_ANSWER,
};

/* OPTIONS, START, READY, and WRONG with its text; sent only as far as the text is used. */
struct authproto_note {
    uint8_t kind;
    char text[AUTHPROTO_TEXT_MAX]; /* no NUL at its end */
};

/* Who wants to log in. Texts end with NUL. */
struct authproto_login {
    uint8_t kind;
    uint8_t has_password; /* 0: an anonymous login, which has none, but may have settings */
    char name[LOGIN_NAME_MAX_LEN + 1];
    char password[LOGIN_PASSWORD_MAX_LEN + 1];
    char peer[AUTHPROTO_PEER_MAX]; /* the client's address */
};

struct authproto_answer {
    bool granted;
    bool stays; /* A keeps a PAM session until the socket is closed */
    char reason[AUTHPROTO_REASON_MAX];
    struct account account; /* valid if granted */
};

/* The head of a packed answer; the texts follow, then groups, then settings. */
struct authproto_head {
    uint8_t kind;
    uint8_t granted;
    uint8_t stays;
    uint8_t account_kind;
    uint8_t anonymous;
    uint8_t jail;
    uint8_t has_start;
    uint8_t name_len;
    uint32_t uid;
    uint32_t gid;
    uint16_t reason_len;
    uint16_t dir_len;
    uint16_t start_len;
    uint16_t group_count;
    uint32_t settings_len;
};

_Static_assert(sizeof(struct authproto_head) == 28, "struct authproto_head has padding");
_Static_assert(ACCOUNT_GROUPS_MAX <= UINT16_MAX && LOGIN_NAME_MAX_LEN <= UINT8_MAX,
               "the lengths fit");

#define AUTHPROTO_PACKED_MAX                                                                       \
    (sizeof(struct authproto_head) + AUTHPROTO_REASON_MAX + sizeof(struct account))

/* What a look-up of an address says. */
struct authproto_address {
    int32_t gai_error; /* 0, or an error of getaddrinfo(3) */
    int32_t sys_error; /* errno with EAI_SYSTEM */
    uint8_t bytes[4];
};

/* Is what was received a LOGIN, with texts that end? */
MUST_CHECK bool authproto_is_login(const struct authproto_login *login, size_t len);

/*
 * Write what is used of an answer to packed[AUTHPROTO_PACKED_MAX]; of a refusal the reason alone.
 * Returns its length.
 */
size_t authproto_pack(const struct authproto_answer *answer, uint8_t *packed);

/*
 * The reverse. `answer` is empty before: what is not used stays untouched. Returns false for what no
 * authproto_pack() has written; `answer` is worth nothing then.
 */
MUST_CHECK bool authproto_unpack(const uint8_t *packed, size_t len,
                                 struct authproto_answer *answer);

/* Send a note; text NULL: without one. pass_fd -1: none. Returns 0, or -1 with errno. */
MUST_CHECK int authproto_send_note(int fd, enum authproto_kind kind, const char *text, int pass_fd);

#endif
