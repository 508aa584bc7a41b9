/*
 * passwdcmd.h - miniftpd --passwd: set the password of a user in virtual_users_file
 */
#ifndef MINIFTPD_PASSWDCMD_H
#define MINIFTPD_PASSWDCMD_H

#include "common.h"

/*
 * Ask for a password (twice at a terminal, else the first line of standard input), and write its hash to
 * the file. Returns the exit status; what is wrong goes to stderr.
 */
int passwdcmd_run(const char *file, const char *name);

#endif
