/*
 * ftpcmd_tree.c - SITE MKDIR, SITE RMDIR and SITE SYMLINK: whole trees, and links
 *
 * Process: S.
 * Trusts:  the kernel's checks, made with the user's rights inside the user's root. Others may change
 *          the tree while it is walked: nothing here follows a link.
 * Touches: files of the user.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access.h"
#include "ftpproto.h"
#include "log.h"
#include "str.h"
#include "sysutil.h"

#define DEPTH_MAX     4096 /* directories in one another */
#define LOOK_EVERY    256  /* removed files between two looks at the client */
#define PATH_TEXT_MAX (DEPTH_MAX * 256)

/* Every directory that is missing on the way, and the last one, which must not exist yet. */
static bool make_dirs(char *path)
{
    for (char *p = path + strspn(path, "/"); *p != '\0';) {
        char *end = p + strcspn(p, "/");
        char *next = end + strspn(end, "/");
        char kept = *end;
        int result;

        *end = '\0';
        result = mkdirat(AT_FDCWD, path, FTP_PERMISSIONS);
        *end = kept;
        if (result == -1 && (errno != EEXIST || *next == '\0')) {
            return false;
        }
        p = next;
    }
    return true;
}

/* Cut "/" and "/." off the end: what makes a directory is the name before them. */
static void trim_dots(char *path)
{
    size_t len = strlen(path);

    while (len > 1 && (path[len - 1] == '/' || (path[len - 1] == '.' && path[len - 2] == '/'))) {
        path[--len] = '\0';
    }
}

void cmd_site_mkdir(struct ftp *f, const char *argument)
{
    char *path = strdup(argument);
    bool ok;

    if (path == NULL) {
        ftp_reply_errno(f, ENOMEM, false);
        return;
    }
    trim_dots(path);
    if (ftp_may_create(f, argument)) {
        errno = EEXIST; /* of "/" */
        ok = path[strspn(path, "/")] != '\0' && make_dirs(path);
        if (ok) {
            ftp_reply(f, FTP_OK, "Directory created.");
        } else {
            ftp_reply_errno(f, errno, false);
        }
        ftp_log_path(f, LOG_EVENT_MKDIR, ok, argument);
    }
    free(path);
}

/* A directory above the one in hand: where to go back to, and what to remove there then. */
struct level {
    dev_t dev;
    ino_t ino;
    char *name;      /* of the directory below */
    size_t path_len; /* of its own path */
};

struct removal {
    struct ftp *f;
    struct ftp_work work;
    int fd;   /* the directory in hand */
    DIR *dir; /* its entries */
    struct level *levels;
    size_t depth;
    struct str path;  /* of the directory in hand, for ftp_is_denied() */
    unsigned removed; /* since the entries were read from the start */
    unsigned unseen;  /* since the last look at the client */
    bool replied;
};

/* Let `fd` be the directory in hand; it is owned from now on. */
static bool enter(struct removal *r, int fd)
{
    int copy;

    if (r->dir != NULL) {
        (void)closedir(r->dir); /* only read from */
        r->dir = NULL;
    }
    sysutil_close(&r->fd);
    r->fd = fd;
    r->removed = 0;
    if (fd == -1) {
        return false;
    }
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    r->dir = copy != -1 ? fdopendir(copy) : NULL;
    if (r->dir == NULL) {
        sysutil_close(&copy);
        return false;
    }
    return true;
}

/* Go on in a directory of the one in hand. SECURITY: never through a link. */
static bool go_down(struct removal *r, const char *name)
{
    struct level *level = &r->levels[r->depth];
    struct stat st;

    if (r->depth == DEPTH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (fstat(r->fd, &st) == -1 || (level->name = strdup(name)) == NULL) {
        return false;
    }
    level->dev = st.st_dev;
    level->ino = st.st_ino;
    level->path_len = r->path.len;
    str_append_char(&r->path, '/');
    str_append(&r->path, name);
    r->depth++;
    return enter(r, openat(r->fd, level->name,
                           O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

/* Go back up and remove the empty directory. SECURITY: only if up is where we came from. */
static bool go_up(struct removal *r)
{
    struct level *level = &r->levels[r->depth - 1];
    struct stat st;
    bool ok;

    if (!enter(r, openat(r->fd, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) ||
        fstat(r->fd, &st) == -1) {
        return false;
    }
    if (st.st_dev != level->dev || st.st_ino != level->ino) {
        errno = EBUSY; /* somebody moved it away */
        return false;
    }
    r->removed++;
    str_truncate(&r->path, level->path_len);
    ok = unlinkat(r->fd, level->name, AT_REMOVEDIR) == 0;
    free(level->name);
    r->depth--;
    return ok;
}

/* The next entry, or NULL with errno (0: there is none). Those that a change hid are read again. */
static const char *next_entry(struct removal *r)
{
    for (;;) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(r->dir);
        if (entry == NULL) {
            if (errno != 0 || r->removed == 0) {
                return NULL;
            }
            rewinddir(r->dir);
            r->removed = 0;
        } else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            return entry->d_name;
        }
    }
}

/* deny_file holds for what is below a directory, too. */
static bool is_entry_denied(struct removal *r, const char *name)
{
    size_t len = r->path.len;
    bool denied;

    if (!access_is_set(&r->f->access)) {
        return false;
    }
    str_append_char(&r->path, '/');
    str_append(&r->path, name);
    denied = !str_ok(&r->path) || ftp_is_denied(r->f, str_text(&r->path), false);
    str_truncate(&r->path, len);
    return denied;
}

/* One file removed, or one directory entered or left. False with errno, or with the reply sent. */
static bool remove_next(struct removal *r, bool *done)
{
    const char *name = next_entry(r);

    if (name == NULL) {
        *done = errno == 0 && r->depth == 0;
        return errno == 0 && (r->depth == 0 || go_up(r));
    }
    if (++r->unseen == LOOK_EVERY) {
        r->unseen = 0;
        if (!ftp_work_goes_on(r->f, &r->work)) {
            r->replied = true;
            return false;
        }
    }
    if (is_entry_denied(r, name)) {
        errno = EACCES;
        return false;
    }
    if (unlinkat(r->fd, name, 0) == 0) {
        r->removed++;
        return true;
    }
    return errno == EISDIR && go_down(r, name);
}

/* Everything in the directory. */
static bool empty_dir(struct removal *r, const char *path)
{
    bool done = false;
    bool ok;
    int saved_errno;

    r->levels = calloc(DEPTH_MAX, sizeof(*r->levels));
    ok = r->levels != NULL &&
         enter(r, open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    while (ok && !done) {
        ok = remove_next(r, &done);
    }
    saved_errno = errno;
    (void)enter(r, -1); /* which leaves the one in hand */
    while (r->levels != NULL && r->depth > 0) {
        free(r->levels[--r->depth].name);
    }
    free(r->levels);
    errno = saved_errno;
    return ok;
}

/* Cut the slashes off the end, which would lead through a link. False for what has no name. */
static bool trim_to_name(char *path)
{
    size_t len = strlen(path);
    const char *last;

    while (len > 0 && path[len - 1] == '/') {
        path[--len] = '\0';
    }
    last = strrchr(path, '/');
    last = last != NULL ? last + 1 : path;
    return *last != '\0' && strcmp(last, ".") != 0 && strcmp(last, "..") != 0;
}

void cmd_site_rmdir(struct ftp *f, const char *argument)
{
    struct removal r = {.f = f, .fd = -1, .path = STR_INIT(PATH_TEXT_MAX)};
    char *path = strdup(argument);
    bool ok;

    if (path == NULL) {
        ftp_reply_errno(f, ENOMEM, false);
        return;
    }
    ftp_work_begin(f, &r.work, "Removing a directory.");
    errno = EPERM;
    str_append(&r.path, path);
    ok = trim_to_name(path) && empty_dir(&r, path) && unlinkat(AT_FDCWD, path, AT_REMOVEDIR) == 0;
    if (ok) {
        ftp_reply(f, FTP_OK, "Directory removed.");
    } else if (!r.replied) {
        /* a mount point is not busy for a moment but for ever; a link is no directory */
        ftp_reply_errno(f, errno == EBUSY ? EPERM : errno == ELOOP ? ENOTDIR : errno, false);
    }
    ftp_log_path(f, LOG_EVENT_RMDIR, ok, argument);
    str_free(&r.path);
    free(path);
}

static bool has_up(const char *path)
{
    for (path += strspn(path, "/"); *path != '\0'; path += strspn(path, "/")) {
        size_t len = strcspn(path, "/");

        if (len == 2 && memcmp(path, "..", 2) == 0) {
            return true;
        }
        path += len;
    }
    return false;
}

/*
 * The text of a link in `dir` (an absolute path without links). SECURITY: programs outside of the jail
 * see the link too, and wherever in the jail it or a directory above it is moved later, it must not lead
 * them out: so it leads to what is in its own directory or below, and there is no ".." in it.
 * False if the target is elsewhere.
 */
static bool confine_target(const char *target, const char *dir, struct str *text)
{
    size_t len = strcmp(dir, "/") == 0 ? 0 : strlen(dir);

    if (has_up(target)) {
        return false;
    }
    if (target[0] == '/') {
        target += strspn(target, "/") - 1;
        if (strncmp(target, dir, len) != 0 || (target[len] != '/' && target[len] != '\0')) {
            return false;
        }
        target += len;
        target += strspn(target, "/");
    }
    str_append(text, *target != '\0' ? target : ".");
    return true;
}

/* Make the link in the working directory, which is the one that holds it. */
static void link_here(struct ftp *f, const char *target, const char *name)
{
    struct str text = STR_INIT((size_t)2 * FTP_LINE_MAX);
    bool kept = f->setup->jailed || f->setup->fence != NULL;
    char dir[FTP_LINE_MAX];

    if (getcwd(dir, sizeof(dir)) == NULL) {
        ftp_reply_errno(f, errno, false);
    } else if (kept && (dir[0] != '/' || !confine_target(target, dir, &text))) {
        ftp_reply(f, FTP_REFUSED, "A link may lead to its own directory and below only.");
    } else if (symlinkat(kept ? str_text(&text) : target, AT_FDCWD, name) == -1) {
        ftp_reply_errno(f, errno, true);
    } else {
        ftp_reply(f, FTP_OK, "Link created.");
    }
    str_free(&text);
}

/* May what is at `target` be had as `path` too? Files are what the patterns of files are about. */
static bool may_link(struct ftp *f, const char *target, const char *path)
{
    struct str from = STR_INIT((size_t)4 * FTP_LINE_MAX);
    const char *slash = strrchr(path, '/');
    struct stat st;
    bool may;

    if (target[0] != '/' && slash != NULL) {
        str_append_mem(&from, path, (size_t)(slash - path) + 1);
    }
    str_append(&from, target);
    if (!str_ok(&from) || ftp_is_denied(f, str_text(&from), true)) {
        ftp_reply(f, FTP_REFUSED, "Permission denied.");
        may = false;
    } else {
        may = (stat(str_text(&from), &st) == 0 && S_ISDIR(st.st_mode)) ||
              (ftp_may_store(f, path) && ftp_may_store(f, str_text(&from)) &&
               ftp_may_pass_as(f, str_text(&from), path));
    }
    str_free(&from);
    return may;
}

/* The directory of the link becomes the working directory for a moment: so it is known where it is. */
static void make_link(struct ftp *f, const char *target, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash != NULL ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    int back_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (dir == NULL || back_fd == -1 || chdir(dir) == -1) {
        ftp_reply_errno(f, dir == NULL ? ENOMEM : errno, true);
    } else {
        link_here(f, target, slash != NULL ? slash + 1 : path);
        if (fchdir(back_fd) == -1) { /* where nobody forbade us to be */
            ftp_end(f, "The current directory is gone.");
        }
    }
    sysutil_close(&back_fd);
    free(dir);
}

void cmd_site_symlink(struct ftp *f, const char *argument)
{
    struct str target = STR_INIT(FTP_LINE_MAX);
    struct str path = STR_INIT(FTP_LINE_MAX);
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    const char *rest = argument;
    const char *taken;

    if (!str_next_word(&rest, &target) || !str_next_word(&rest, &path) || !str_only_blanks(rest) ||
        target.len == 0 || path.len == 0) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "A target and a name are wanted; quote those with blanks.");
    } else if (ftp_may_create(f, str_text(&target)) && ftp_may_create(f, str_text(&path)) &&
               (taken = ftp_take_path(f, str_text(&path), &expanded)) != NULL &&
               may_link(f, str_text(&target), taken)) {
        make_link(f, str_text(&target), taken);
    }
    str_free(&target);
    str_free(&path);
    str_free(&expanded);
}
