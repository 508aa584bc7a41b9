/*
 * utmprec.h - logins in utmp and wtmp, for who(1) and last(1)
 */
#ifndef MINIFTPD_UTMPREC_H
#define MINIFTPD_UTMPREC_H

#include <sys/types.h>

#include "common.h"

/*
 * Write that a session began, or that it ended. pid: what stands for it. host: the client. Needs root;
 * what cannot be written is left out, as these files are optional. utmp(5).
 */
void utmprec_login(pid_t pid, const char *user, const char *host);
void utmprec_logout(pid_t pid);

#endif
