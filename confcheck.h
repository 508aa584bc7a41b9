/*
 * confcheck.h - whether the options of a correct configuration do together what they say
 */
#ifndef MINIFTPD_CONFCHECK_H
#define MINIFTPD_CONFCHECK_H

#include <stdbool.h>

#include "common.h"

struct parseconf_report;
struct str;
struct tunables;

struct confcheck {
    const struct tunables *tun;            /* checked by tunable_check() */
    const struct parseconf_report *report; /* where the values come from */
    struct str *warnings;                  /* what is found, each line ended by '\n' */
    bool only_set; /* say nothing about options that the report does not know: a user's file */
};

/* True if the configuration names the option. */
bool confcheck_is_set(const struct confcheck *check, const char *option);

/* Add a warning about an option: its place, its name, and the text. */
void confcheck_warn(const struct confcheck *check, const char *option, const char *format, ...)
    PRINTF_LIKE(3, 4);

/*
 * Look for options that contradict each other, that have no effect because of others, or that open
 * what is better closed. Each warning says what to do. Looks at nothing but the values.
 */
void confcheck_options(const struct confcheck *check);

#endif
