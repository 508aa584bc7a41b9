/*
 * ftpcmd_comb.c - COMB: several files become one
 *
 * Process: S.
 * Trusts:  the kernel's checks, made with the user's rights inside the user's root.
 * Touches: files of the user.
 *
 * Clients upload a large file in parts, over several connections, and have it put together at the end.
 * Either all parts are in the target, on the disk, and only then removed; or the target is what it was
 * and every part is still there.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ftpproto.h"
#include "log.h"
#include "str.h"
#include "sysutil.h"

#define CHUNK (4 * 1024 * 1024) /* between two looks at the client */

struct target {
    const char *path;
    int fd;
    bool created;
    struct stat st; /* as it was found, or made */
};

struct comb {
    struct ftp *f;
    struct ftp_work work;
    struct target target;
    bool replied;
};

/* Call `step` for each part of the list; false as soon as it returns false. */
static bool each_part(struct comb *c, const char *list, bool (*step)(struct comb *, const char *))
{
    struct str word = STR_INIT(FTP_LINE_MAX);
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    bool good = true;

    while (good && str_next_word(&list, &word)) {
        good = step(c, ftp_expand_file(c->f, str_text(&word), &expanded));
    }
    str_free(&word);
    str_free(&expanded);
    return good;
}

/* Is it a file that can be read and that is not the target? False with errno (EINVAL: it is). */
static bool check_part(struct comb *c, const char *path)
{
    struct stat target;
    struct stat st;
    int fd = ftp_open_to_read(c->f, path, &st);
    bool good = fd != -1;

    if (good && stat(c->target.path, &target) == 0 && target.st_dev == st.st_dev &&
        target.st_ino == st.st_ino) {
        errno = EINVAL;
        good = false;
    }
    sysutil_close(&fd);
    return good;
}

static bool copy_part(struct comb *c, const char *path)
{
    struct stat st;
    off_t at = 0;
    int fd = ftp_open_to_read(c->f, path, &st);
    bool good = fd != -1;

    while (good && at < st.st_size) {
        off_t left = st.st_size - at;
        ssize_t n = sendfile(c->target.fd, fd, &at, left < CHUNK ? (size_t)left : CHUNK);

        if (n == 0) {
            errno = EIO; /* it got shorter */
        }
        good = n > 0 || (n == -1 && errno == EINTR);
        if (good && !ftp_work_goes_on(c->f, &c->work)) {
            c->replied = true;
            good = false;
        }
    }
    sysutil_close(&fd);
    return good;
}

/* The content is in the target. A part that stays is no loss; the reply tells the first one. */
static bool remove_part(struct comb *c, const char *path)
{
    struct str line = STR_INIT(FTP_LINE_MAX + 128);
    bool ok = unlinkat(AT_FDCWD, path, 0) == 0;

    ftp_log_path(c->f, LOG_EVENT_DELETE, ok, path);
    if (!ok && !c->replied) {
        str_append_format(&line, "Combined, but %s cannot be removed.", path);
        ftp_reply(c->f, FTP_FILE_OK, str_text(&line));
        c->replied = true;
    }
    str_free(&line);
    return true;
}

/* Let the target be what it was. */
static void take_back(struct target *t)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, t->st.st_mtim};
    int saved_errno = errno;

    (void)!ftruncate(t->fd, t->st.st_size); /* making a file shorter needs no space */
    (void)futimens(t->fd, times);           /* refused for a file of somebody else, and no loss */
    sysutil_close(&t->fd);
    if (t->created) {
        ftp_remove_created(t->path, &t->st);
    }
    errno = saved_errno;
}

/* Open the target and put all parts behind what is in it. False with errno, or with the reply sent. */
static bool combine(struct comb *c, const char *parts)
{
    struct target *t = &c->target;
    bool good;

    t->fd = ftp_open_to_write(c->f, t->path, 0, &t->st, &t->created);
    if (t->fd == -1) {
        return false;
    }
    good = lseek(t->fd, t->st.st_size, SEEK_SET) != -1 && each_part(c, parts, copy_part) &&
           fsync(t->fd) == 0; /* the parts are removed next */
    if (!good) {
        take_back(t);
        return false;
    }
    good = close(t->fd) == 0;
    t->fd = -1;
    return good;
}

static void log_target(const struct comb *c, bool ok)
{
    struct log_record record = {.event = LOG_EVENT_UPLOAD, .ok = ok};
    struct stat st;

    if (ok && stat(c->target.path, &st) == 0) {
        record.has_bytes = true;
        record.bytes = (uint64_t)(st.st_size - c->target.st.st_size);
    }
    ftp_log_record(c->f, &record, c->target.path);
}

static void run(struct comb *c, const char *parts)
{
    bool ok;

    if (!each_part(c, parts, check_part)) {
        if (errno == EINVAL) {
            ftp_reply(c->f, FTP_REFUSED, "A file cannot be a part of itself.");
        } else {
            ftp_reply_errno(c->f, errno, false);
        }
        return;
    }
    ok = combine(c, parts);
    log_target(c, ok);
    if (ok) {
        (void)each_part(c, parts, remove_part); /* which has replied if one stays */
    }
    if (!c->replied && ok) {
        ftp_reply(c->f, FTP_FILE_OK, "Combined.");
    } else if (!c->replied) {
        ftp_reply_errno(c->f, errno, true);
    }
}

void cmd_comb(struct ftp *f, const char *argument)
{
    struct comb c = {.f = f, .target = {.fd = -1}};
    struct str word = STR_INIT(FTP_LINE_MAX);
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    struct str part = STR_INIT(FTP_LINE_MAX);
    const char *parts = argument;
    const char *rest;
    bool good = str_next_word(&parts, &word);

    rest = parts;
    good = good && str_next_word(&rest, &part);
    while (good && !str_only_blanks(rest)) {
        good = str_next_word(&rest, &part);
    }
    if (!good) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "A file and its parts are wanted; quote names with blanks.");
    } else if (ftp_may_create(f, str_text(&word))) {
        c.target.path = ftp_expand_file(f, str_text(&word), &expanded);
        ftp_work_begin(f, &c.work, "Combining files.");
        run(&c, parts);
    }
    str_free(&word);
    str_free(&expanded);
    str_free(&part);
}
