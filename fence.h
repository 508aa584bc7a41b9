/*
 * fence.h - paths that must not lead out of a directory, for sessions without a root of their own
 *
 * With run_as_launching_user there is no chroot. Landlock keeps such a session from opening and changing
 * what lies outside of its directory, but it does not hide what is there: a path that leads out could
 * still tell names, sizes and times, and change modes and times.
 */
#ifndef MINIFTPD_FENCE_H
#define MINIFTPD_FENCE_H

#include <stdbool.h>

#include "common.h"
#include "str.h"

struct fence {
    int dir_fd;     /* the directory; -1: there is no fence */
    struct str dir; /* its name from "/", without links, dots and a "/" at the end */
};

/* No fence: every path is inside. */
void fence_init(struct fence *fence);

/* Put it around a directory, as realpath(3) names it. Returns false with errno. */
MUST_CHECK bool fence_set(struct fence *fence, const char *dir);

void fence_free(struct fence *fence);

/*
 * Does `path` (from "/", as the client means it) stay inside, links and ".." on the way included? What
 * does not exist is inside if the way to it is.
 */
bool fence_contains(const struct fence *fence, const char *path);

/*
 * A path to be used in place of one that leads out: it begins in a directory right under "/" that does
 * not exist, whose name nobody can guess, and where no ordinary user makes one; and goes on with `path`,
 * for those who read the log. If that gets too long for `out`, its end is missing.
 */
void fence_append_nowhere(const char *path, struct str *out);

#endif
