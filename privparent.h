/*
 * privparent.h - the privileged half of one session: what N does for its child
 */
#ifndef MINIFTPD_PRIVPARENT_H
#define MINIFTPD_PRIVPARENT_H

#include <stdbool.h>
#include <stdint.h>

#include "auth.h"
#include "common.h"
#include "netaddr.h"
#include "privsock.h"
#include "tunable.h"

/* The phases of N, as bits, so that a request can name those in which it is allowed. */
enum priv_phase {
    PRIV_PHASE_BEFORE = 1 << 0,  /* P asks */
    PRIV_PHASE_REFUSED = 1 << 1, /* the last login failed; P says so and ends */
    PRIV_PHASE_AFTER = 1 << 2,   /* S asks */
};

#define PRIVPARENT_ID_LEN 16

struct privparent {
    const struct tunables *tun; /* from login on those of the user */
    const struct auth *auth;
    int pid;             /* of N; the number of the session in the log */
    struct netaddr peer; /* recorded at accept; nothing the child says changes them */
    struct netaddr local;
    char peer_text[NETADDR_TEXT_MAX];
    char session_id[PRIVPARENT_ID_LEN + 1]; /* for the log of programs; "" if there is none */
    enum priv_phase phase;
    int priv_fd;          /* the child; owned by the session */
    int auth_fd;          /* for auth_start(); owned by the session */
    int keeper_fd;        /* its end closes the PAM session; -1: there is none */
    bool bind_service;    /* CAP_NET_BIND_SERVICE can be raised for bind(2) */
    bool drain_told;      /* this child knows that it is to end */
    bool gives_away;      /* CAP_CHOWN can be raised for uploads (chown_uploads) */
    bool has_tls_program; /* for START_TLS */
    bool tls;             /* the control channel is encrypted, or about to be */
    bool protect;         /* what P said at login: PROT P */
    int passed_fd;        /* the descriptor that came with the request in hand, or -1 */
    unsigned login_fails;
    int64_t refused_deadline_ms;                    /* of PRIV_PHASE_REFUSED: P has ended by then */
    char anon_password[LOGIN_PASSWORD_MAX_LEN + 1]; /* of an anonymous login; for the log */
    union priv_request request;                     /* in hand */
    struct account account;                         /* valid once PRIVPARENT_LOGIN was returned */
    struct tunables own_tun;                        /* where `tun` points to, if users differ */
};

enum privparent_event {
    PRIVPARENT_LOGIN,      /* a login was granted: end P and start S */
    PRIVPARENT_TLS,        /* P wants TLS: privparent_answer_tls() */
    PRIVPARENT_CHILD_GONE, /* end of file: the child has ended */
    PRIVPARENT_BROKEN,     /* the child broke the rules (logged): end the session */
};

/*
 * From now on SIGUSR1 means that the session is to end when nothing is under way; the child is told so.
 * It comes in only while privparent_serve() waits for a request, and is blocked in all other places and
 * in the children. Ends nothing by itself.
 */
void privparent_watch_drain(void);

/*
 * Answer requests until one of the events. Never waits on the network; waits for the child, and while
 * a password is verified or a failed login is delayed.
 */
enum privparent_event privparent_serve(struct privparent *pp);

/* Answer START_TLS with two descriptors, which stay the caller's; -1: it cannot be had, and errno. */
void privparent_answer_tls(struct privparent *pp, int plain_fd, int relay_fd);

/*
 * A record about this session in the logs, with what N knows about it: pid, session, user, access and
 * address. For a refused login use `text` for the reason; it has no user before login is granted.
 */
struct log_record;
void privparent_log(const struct privparent *pp, const struct log_record *record);

#endif
