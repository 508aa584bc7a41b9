/*
 * authhelper.h - the program miniftpd-auth, as the listener starts it
 *
 * It knows the accounts of the system and verifies logins (auth.h asks it). A new one is started at each
 * reload; the one before serves the sessions before their login to their end.
 */
#ifndef MINIFTPD_AUTHHELPER_H
#define MINIFTPD_AUTHHELPER_H

#include <stdbool.h>
#include <stdint.h>

#include "account.h"
#include "common.h"

struct helper_words;
struct str;
struct tunables;

struct authhelper {
    int request_fd;  /* for auth_start(); at end of file the program has ended. -1: there is none */
    int64_t next_ms; /* it ended by itself: when another one is started; 0: no need */
    int64_t begun_ms; /* the last start */
};

void authhelper_init(struct authhelper *h);

/*
 * Start a program with this configuration, and let it take the place of the one that runs. It has the rights
 * of this process. Returns false with the fault as a line of `errors`, and nothing changed.
 */
MUST_CHECK bool authhelper_start(struct authhelper *h, const struct tunables *tun,
                                 struct str *errors);

/* request_fd is readable: the program has ended, which is logged. */
void authhelper_lost(struct authhelper *h);

/* When authhelper_work() will have something to do, CLOCK_MONOTONIC in ms; 0: never. */
int64_t authhelper_due_ms(const struct authhelper *h);

/* Start another program in place of one that was lost, if it is time for that. Logs failures. */
void authhelper_work(struct authhelper *h, const struct tunables *tun);

/* Close our end: the program ends when nobody can ask it any more. */
void authhelper_leave(struct authhelper *h);

/* ---- one question ---- */

/* What the system knows of an account that the configuration names. */
struct authhelper_known {
    bool is_there;
    bool fits;              /* account: its name, groups and, as dir, its home */
    struct account account; /* uid and gid are valid if it is there */
};

/*
 * Look an account up. rootless (run_as_launching_user): it is the name with our own ids. Waits for the name
 * services. Returns false with a text for the administrator in `error` if nobody can be asked; else *known,
 * for authhelper_forget().
 */
MUST_CHECK bool authhelper_look_up(bool rootless, const char *name,
                                   struct authhelper_known **known_out, struct str *error);
void authhelper_forget(struct authhelper_known *known);

/*
 * The command line for a look-up of an address by a child of this process, and the path of its program: it
 * becomes uid and gid, if this process is root, and writes one struct authproto_address to its descriptor 1.
 * known: the text of the address that was known, or NULL. Returns false with errno.
 */
MUST_CHECK bool authhelper_address_words(const char *host, unsigned uid, unsigned gid,
                                         const char *known, struct helper_words *line, char *path);

/* miniftpd --passwd: run that in place of this program. Returns if that cannot be, with a line said. */
void authhelper_passwd(const char *file, const char *name);

#endif
