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

struct tunables;

/* The phases of N, as bits, so that a request can name those in which it is allowed. */
enum priv_phase {
    PRIV_PHASE_BEFORE = 1 << 0,  /* P asks */
    PRIV_PHASE_REFUSED = 1 << 1, /* the last login failed; P says so and ends */
    PRIV_PHASE_AFTER = 1 << 2,   /* S asks */
};

struct privparent {
    const struct tunables *tun;
    const struct auth *auth;
    int pid;             /* of N; the number of the session in the log */
    struct netaddr peer; /* recorded at accept; nothing the child says changes them */
    struct netaddr local;
    char peer_text[NETADDR_TEXT_MAX];
    enum priv_phase phase;
    int priv_fd;       /* the child; owned by the session */
    bool bind_service; /* CAP_NET_BIND_SERVICE can be raised for bind(2) */
    unsigned login_fails;
    int64_t refused_deadline_ms; /* of PRIV_PHASE_REFUSED: P has ended by then */
    struct auth_account account; /* valid once PRIVPARENT_LOGIN was returned */
};

enum privparent_event {
    PRIVPARENT_LOGIN,      /* a login was granted: end P and start S */
    PRIVPARENT_CHILD_GONE, /* end of file: the child has ended */
    PRIVPARENT_BROKEN,     /* the child broke the rules (logged): end the session */
};

/*
 * Answer requests until one of the events. Never waits on the network; waits for the child, and while
 * a password is verified or a failed login is delayed.
 */
enum privparent_event privparent_serve(struct privparent *pp);

/* A record about this session in the log, with what N knows about it. */
struct log_record;
void privparent_log(const struct privparent *pp, const struct log_record *record);

#endif
