/*
 * dirfacts.c - the facts of one thing by its path, for MLST
 *
 * Process: S.
 * Trusts:  no name.
 * Touches: what the file system knows of a path, with the user's rights.
 */
#include "dirfacts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listfmt.h"

/* The name of the directory that holds `path`, as it is spelled; to be freed. */
static char *spell_parent(const char *path)
{
    size_t len = strlen(path);

    while (len > 0 && path[len - 1] == '/') {
        len--;
    }
    while (len > 0 && path[len - 1] != '/') {
        len--;
    }
    return len > 0 ? strndup(path, len) : strdup(".");
}

/* The name of the directory above a directory. */
static char *spell_above(const char *path)
{
    size_t len = strlen(path);
    char *above = malloc(len + sizeof("/.."));

    if (above != NULL) {
        memcpy(above, path, len);
        memcpy(above + len, len > 0 ? "/.." : "..", len > 0 ? sizeof("/..") : sizeof(".."));
    }
    return above;
}

/* The status of the directory with that name, which is freed. */
static bool stat_named(char *name, struct stat *st)
{
    bool good = name != NULL && stat(name, st) == 0;

    free(name);
    return good;
}

/*
 * The directory that holds what is at `path`, for the fact perm; nothing is granted if there is none.
 * st: what the path leads to, a link being followed.
 */
static void learn_parent(const char *path, const struct stat *st, struct listfmt *fmt,
                         struct listfmt_dir *dir)
{
    struct stat itself;
    struct stat above;
    bool known = lstat(*path != '\0' ? path : ".", &itself) == 0;

    memset(dir, 0, sizeof(*dir));
    /* the spelling may end in dots, so the way up is asked for first; it needs the right to enter */
    if (!(known && S_ISDIR(itself.st_mode) && stat_named(spell_above(path), &above)) &&
        !stat_named(spell_parent(path), &above)) {
        return;
    }
    if (above.st_dev == st->st_dev && above.st_ino == st->st_ino) {
        return; /* the root is in itself */
    }
    listfmt_learn_dir(fmt, &above, dir);
    if (known && S_ISLNK(itself.st_mode) && dir->sticky) {
        /* what can be removed is the link, not what it leads to */
        dir->writable = dir->writable && (dir->owner == fmt->uid || itself.st_uid == fmt->uid);
        dir->sticky = false;
    }
}

/* The target of a symbolic link into `target`; NULL if it is none. */
static const char *read_target(const char *path, const struct stat *st, char *target, size_t cap)
{
    ssize_t len = S_ISLNK(st->st_mode) ? readlinkat(AT_FDCWD, path, target, cap - 1) : -1;

    if (len <= 0) {
        return NULL;
    }
    target[len] = '\0';
    return target;
}

size_t dirfacts_put(char *buf, const char *path, const char *shown, struct listfmt *fmt)
{
    char target[4096];
    struct listfmt_dir dir;
    struct stat st;
    size_t len;

    if (stat(*path != '\0' ? path : ".", &st) == -1 && lstat(path, &st) == -1) {
        return 0;
    }
    learn_parent(path, &st, fmt, &dir);
    len = listfmt_facts(fmt, buf, &st, &dir, LISTFMT_ENTRY,
                        read_target(path, &st, target, sizeof(target)));
    return len + listfmt_name(buf + len, shown);
}
