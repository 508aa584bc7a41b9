/*
 * dirfacts.h - the facts of one thing by its path, for MLST
 */
#ifndef MINIFTPD_DIRFACTS_H
#define MINIFTPD_DIRFACTS_H

#include <stddef.h>

struct listfmt;

/*
 * The entry of MLST for a path: its facts and `shown`. Links are followed; one that leads nowhere is
 * shown itself. "" is the working directory. buf holds LISTFMT_LINE_MAX bytes.
 * Returns the length, or 0 with errno.
 */
size_t dirfacts_put(char *buf, const char *path, const char *shown, struct listfmt *fmt);

#endif
