/*
 * ftppath.c - the paths that clients name, and which of them the configuration lets them name
 *
 * Process: S.
 * Trusts:  no path. The patterns of names are a convenience on top of the kernel's checks: who may rename
 *          directories, or change links while a command runs, can get around one with a '/'.
 * Touches: links, to see where they lead.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "ftpproto.h"
#include "listfmt.h"
#include "str.h"

#define PATH_TEXT_MAX (2 * FTP_LINE_MAX)
#define LINKS_MAX     40 /* that one path may lead through, as in the kernel */

/* Copy path parts, joined by single slashes. */
static void append_parts(struct str *out, const char *path)
{
    while (*path != '\0') {
        size_t len = strcspn(path, "/");

        if (len > 0) {
            if (out->len == 0 || str_text(out)[out->len - 1] != '/') {
                str_append_char(out, '/');
            }
            str_append_mem(out, path, len);
        }
        path += len;
        path += *path == '/';
    }
}

void ftp_absolute(const struct ftp *f, const char *path, struct str *out)
{
    str_clear(out);
    if (path[0] != '/') {
        append_parts(out, str_text(&f->cwd));
    }
    append_parts(out, path);
    if (out->len == 0) {
        str_append_char(out, '/');
    }
}

/* The path itself, or in `buffer` one that leads nowhere, for one that leads out of the fence. */
static const char *keep_inside(const struct ftp *f, const char *path, struct str *buffer)
{
    struct str absolute = STR_INIT(PATH_TEXT_MAX);

    if (f->fence.dir_fd == -1 || *path == '\0') {
        return path;
    }
    ftp_absolute(f, path, &absolute);
    if (!str_ok(&absolute) || !fence_contains(&f->fence, str_text(&absolute))) {
        str_clear(buffer);
        fence_append_nowhere(str_text(&absolute), buffer);
        path = str_text(buffer);
    }
    str_free(&absolute);
    return path;
}

static const char *expand_home(const struct ftp *f, const char *path, struct str *buffer)
{
    if (path[0] == '~' && (path[1] == '\0' || path[1] == '/')) {
        str_clear(buffer);
        str_append(buffer, str_text(&f->home));
        str_append(buffer, path + 1);
        path = str_ok(buffer) ? str_text(buffer) : path;
    }
    return keep_inside(f, path, buffer);
}

const char *ftp_expand_file(const struct ftp *f, const char *path, struct str *buffer)
{
    return path[0] == '~' && path[1] == '/' ? expand_home(f, path, buffer)
                                            : keep_inside(f, path, buffer);
}

/* Take the next name of a path; the rest follows it. False if there is none. */
static bool next_name(const char **path, struct str *name)
{
    size_t len;

    *path += strspn(*path, "/");
    len = strcspn(*path, "/");
    str_clear(name);
    str_append_mem(name, *path, len);
    *path += len;
    return len > 0;
}

/* A link was met: what it says takes its place in front of what is left of the path. */
static void go_through(const char *target, const char **left, struct str *rest)
{
    struct str whole = STR_INIT(PATH_TEXT_MAX);

    str_append(&whole, target);
    str_append_char(&whole, '/');
    str_append(&whole, *left);
    str_free(rest);
    *rest = whole;
    *left = str_text(rest);
}

/*
 * Where a path leads, with every link on the way followed and ".." as the kernel takes it, as far as it
 * exists. `last`: a link at its end, too. False if there are too many links or it gets too long.
 */
static bool resolve(const struct ftp *f, const char *path, bool last, struct str *out)
{
    struct str rest = STR_INIT(PATH_TEXT_MAX);
    struct str name = STR_INIT(PATH_TEXT_MAX);
    struct str step = STR_INIT(PATH_TEXT_MAX);
    char target[FTP_LINE_MAX];
    unsigned links = 0;

    ftp_absolute(f, path, &rest);
    path = str_text(&rest);
    str_clear(out);
    str_append_char(out, '/');
    while (next_name(&path, &name) && links < LINKS_MAX && str_ok(&rest) && str_ok(out)) {
        bool followed = last || path[strspn(path, "/")] != '\0';
        ssize_t len;

        access_normalise(str_text(out), str_text(&name), &step);
        len = followed ? readlinkat(AT_FDCWD, str_text(&step), target, sizeof(target) - 1) : -1;
        if (len > 0) {
            links++;
            target[len] = '\0';
            if (target[0] == '/') {
                str_clear(out);
                str_append_char(out, '/');
            }
            go_through(target, &path, &rest);
        } else {
            str_clear(out);
            str_append(out, str_text(&step));
        }
    }
    links = str_ok(&rest) && str_ok(out) ? links : LINKS_MAX;
    str_free(&rest);
    str_free(&name);
    str_free(&step);
    return links < LINKS_MAX;
}

/* Denied is a path by what it says, or by where it leads. */
bool ftp_is_denied(struct ftp *f, const char *path, bool links)
{
    struct str absolute = STR_INIT(PATH_TEXT_MAX);
    bool denied;

    if (f->access.deny.text == NULL) {
        return false;
    }
    access_normalise(str_text(&f->cwd), path, &absolute);
    denied = !str_ok(&absolute) || access_is_denied(&f->access, str_text(&absolute));
    if (!denied) {
        denied = !resolve(f, path, links, &absolute) ||
                 access_is_denied(&f->access, str_text(&absolute));
    }
    str_free(&absolute);
    return denied;
}

static const char *take(struct ftp *f, const char *path, bool links)
{
    if (!ftp_is_denied(f, path, links)) {
        return path;
    }
    ftp_reply(f, FTP_REFUSED, "Permission denied.");
    return NULL;
}

const char *ftp_take_path_as(struct ftp *f, const char *path, bool links, struct str *buffer)
{
    return take(f, ftp_expand_file(f, path, buffer), links);
}

const char *ftp_take_path(struct ftp *f, const char *path, struct str *buffer)
{
    return ftp_take_path_as(f, path, true, buffer);
}

const char *ftp_take_directory(struct ftp *f, const char *path, struct str *buffer)
{
    return take(f, expand_home(f, path, buffer), true);
}

/* Ask one of the rules about a path. `unsure`: the answer about one that is too long. */
static bool ask(struct ftp *f, bool (*rule)(struct access_rules *, const char *), const char *path,
                bool unsure)
{
    struct str absolute = STR_INIT(PATH_TEXT_MAX);
    bool answer = unsure;

    access_normalise(str_text(&f->cwd), path, &absolute);
    if (str_ok(&absolute)) {
        answer = rule(&f->access, str_text(&absolute));
    }
    str_free(&absolute);
    return answer;
}

bool ftp_is_stored(struct ftp *f, const char *path)
{
    return f->access.upload.text == NULL || ask(f, access_is_stored, path, false);
}

static bool is_fetched(struct ftp *f, const char *path)
{
    return f->access.download.text == NULL || ask(f, access_is_fetched, path, false);
}

static bool or_refuse(struct ftp *f, bool allowed)
{
    if (!allowed) {
        ftp_reply(f, FTP_REFUSED, "Permission denied.");
    }
    return allowed;
}

bool ftp_may_store(struct ftp *f, const char *path)
{
    return or_refuse(f, ftp_is_stored(f, path));
}

bool ftp_may_fetch(struct ftp *f, const char *path)
{
    return or_refuse(f, is_fetched(f, path));
}

bool ftp_may_pass_as(struct ftp *f, const char *from, const char *to)
{
    return or_refuse(f, is_fetched(f, from) || !is_fetched(f, to));
}

unsigned ftp_withheld_letters(struct ftp *f, const char *path)
{
    struct str absolute = STR_INIT(PATH_TEXT_MAX);
    unsigned letters = 0;

    if (access_is_set(&f->access)) {
        access_normalise(str_text(&f->cwd), path, &absolute);
        letters = listfmt_withheld(&f->access, str_text(&absolute));
    }
    str_free(&absolute);
    return letters;
}
