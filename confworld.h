/*
 * confworld.h - whether the files, directories and accounts that a configuration names are there
 */
#ifndef MINIFTPD_CONFWORLD_H
#define MINIFTPD_CONFWORLD_H

#include <stdbool.h>

#include "common.h"

struct confcheck;
struct config;
struct str;

/*
 * Look for what would keep the daemon from starting and is not looked at when a configuration is
 * loaded: secure_chroot_dir, and the directory of pid_file. As root. Nothing is made.
 * Returns false with each fault as a line of `errors`.
 */
MUST_CHECK bool confworld_can_start(const struct config *config, struct str *errors);

/*
 * Look at the certificates and keys of a configuration that encrypts, as a start would. As root.
 * What is in them is added to `facts`, what is odd about them to the warnings of `check`.
 * Returns false with each fault as a line of `errors`.
 */
MUST_CHECK bool confworld_check_tls(const struct confcheck *check, struct str *facts,
                                    struct str *errors);

/* Look for what users would miss: files, directories, accounts. As root. */
void confworld_check(const struct confcheck *check, const struct config *config);

/* True if the machine has an account of that name. */
bool confworld_has_account(const char *name);

#endif
