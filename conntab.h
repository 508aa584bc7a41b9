/*
 * conntab.h - who is connected: sessions by process and by address (pure)
 *
 * Adding, removing and counting take the same time whatever the number of sessions.
 */
#ifndef MINIFTPD_CONNTAB_H
#define MINIFTPD_CONNTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common.h"

struct netaddr;
struct conntab;

/* An empty table, or NULL without memory. */
struct conntab *conntab_new(void);
void conntab_free(struct conntab *tab);

/* Remember a session. Returns false without memory; the session is then not counted. */
MUST_CHECK bool conntab_add(struct conntab *tab, pid_t pid, const struct netaddr *addr);

/* Forget a session; false if its process is unknown. */
bool conntab_remove(struct conntab *tab, pid_t pid);

/* Sessions now, in all and from one address. */
size_t conntab_total(const struct conntab *tab);
size_t conntab_count(const struct conntab *tab, const struct netaddr *addr);

/* Copy the processes of at most max sessions to pids; returns how many. */
size_t conntab_list(const struct conntab *tab, pid_t *pids, size_t max);

#endif
