/*
 * ftpcmd_copy.c - files made of files: COMB, SITE CPFR and CPTO, SITE COPY
 *
 * Process: S.
 * Trusts:  the kernel's checks, made with the user's rights inside the user's root.
 * Touches: files of the user.
 *
 * COMB is for clients that upload a large file in parts, over several connections. Either all parts are
 * in the target, on the disk, and only then removed; or the target is what it was and every part is
 * still there. The copying commands make new files only, and leave none behind that is not complete.
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

struct copying {
    struct ftp *f;
    struct ftp_work work;
    struct target target;
    uint64_t size; /* of the target, with what is in it so far */
    bool replied;
};

/* Call `step` for each part of the list; false as soon as it returns false. */
static bool each_part(struct copying *c, const char *list,
                      bool (*step)(struct copying *, const char *))
{
    struct str word = STR_INIT(FTP_LINE_MAX);
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    bool good = true;

    while (good && str_next_word(&list, &word)) {
        const char *path = ftp_take_path(c->f, str_text(&word), &expanded);

        c->replied = c->replied || path == NULL;
        good = path != NULL && step(c, path);
    }
    str_free(&word);
    str_free(&expanded);
    return good;
}

/* Is it a file that can be read and that is not the target? False with errno (EINVAL: it is). */
static bool check_part(struct copying *c, const char *path)
{
    struct stat target;
    struct stat st;
    int fd;
    bool good;

    if (!ftp_may_pass_as(c->f, path, c->target.path)) {
        c->replied = true;
        return false;
    }
    fd = ftp_open_to_read(c->f, path, &st);
    good = fd != -1;
    if (good && stat(c->target.path, &target) == 0 && target.st_dev == st.st_dev &&
        target.st_ino == st.st_ino) {
        errno = EINVAL;
        good = false;
    }
    sysutil_close(&fd);
    return good;
}

/* May the target become larger by so much? The reply is sent if not. */
static bool makes_room(struct copying *c, off_t more)
{
    c->size += (uint64_t)more;
    c->replied = !ftp_upload_fits(c->f, c->target.path, c->size);
    return !c->replied;
}

/* The target as other uploads have it: locked, and not ours for good. The reply is sent if not. */
static bool prepare_target(struct copying *c)
{
    struct target *t = &c->target;

    c->replied = !ftp_lock_file(c->f, t->fd, true, &t->st) || !ftp_give_away(c->f, t->fd, &t->st);
    c->size = (uint64_t)t->st.st_size;
    return !c->replied;
}

/* All of an open file to where the target is written. False with errno, or with the reply sent. */
static bool copy_all(struct copying *c, int fd, off_t size)
{
    off_t at = 0;
    bool good = true;

    while (good && at < size) {
        off_t left = size - at;
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
    return good;
}

static bool copy_part(struct copying *c, const char *path)
{
    struct stat st;
    int fd = ftp_open_to_read(c->f, path, &st);
    bool good = fd != -1 && makes_room(c, st.st_size) && copy_all(c, fd, st.st_size);

    sysutil_close(&fd);
    return good;
}

/* The content is in the target. A part that stays is no loss; the reply tells the first one. */
static bool remove_part(struct copying *c, const char *path)
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
static bool combine(struct copying *c, const char *parts)
{
    struct target *t = &c->target;
    bool good;

    t->fd = ftp_open_to_write(c->f, t->path, 0, &t->st, &t->created);
    if (t->fd == -1) {
        return false;
    }
    good = prepare_target(c) && lseek(t->fd, t->st.st_size, SEEK_SET) != -1 &&
           each_part(c, parts, copy_part) && fsync(t->fd) == 0; /* the parts are removed next */
    if (!good) {
        take_back(t);
        return false;
    }
    good = close(t->fd) == 0;
    t->fd = -1;
    return good;
}

static void log_target(const struct copying *c, bool ok)
{
    struct log_record record = {.event = LOG_EVENT_UPLOAD, .ok = ok};
    int saved_errno = errno;
    struct stat st;

    if (ok && stat(c->target.path, &st) == 0) {
        record.has_bytes = true;
        record.bytes = (uint64_t)(st.st_size - c->target.st.st_size);
    }
    ftp_log_record(c->f, &record, c->target.path);
    errno = saved_errno;
}

static void run(struct copying *c, const char *parts)
{
    bool ok;

    if (!each_part(c, parts, check_part)) {
        if (c->replied) {
            return;
        }
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
    struct copying c = {.f = f, .target = {.fd = -1}};
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
    } else if (ftp_may_create(f, str_text(&word)) &&
               (c.target.path = ftp_take_path(f, str_text(&word), &expanded)) != NULL &&
               ftp_may_store(f, c.target.path)) {
        ftp_work_begin(f, &c.work, "Combining files.");
        run(&c, parts);
    }
    str_free(&word);
    str_free(&expanded);
    str_free(&part);
}

/*
 * Make `to` as a new file with the content and the mode of `from`; NULL has been refused already.
 * Replies; `done` is for success.
 */
static void copy_file(struct ftp *f, const char *from, const char *to, enum ftp_code done)
{
    struct copying c = {.f = f, .target = {.path = to, .fd = -1, .created = true}};
    struct stat st;
    int fd = -1;
    bool good;
    bool create;

    if (from == NULL || to == NULL || !ftp_may_store(f, to) || !ftp_may_pass_as(f, from, to)) {
        return;
    }
    fd = ftp_open_to_read(f, from, &st);
    good = create = fd != -1;

    ftp_work_begin(f, &c.work, "Copying a file.");
    if (good) {
        c.target.fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC,
                           st.st_mode & FTP_PERMISSIONS);
        good = c.target.fd != -1 && fstat(c.target.fd, &c.target.st) == 0 && prepare_target(&c) &&
               makes_room(&c, st.st_size) && copy_all(&c, fd, st.st_size);
    }
    if (!good && c.target.fd != -1) {
        take_back(&c.target);
    } else if (c.target.fd != -1) {
        good = close(c.target.fd) == 0;
    }
    log_target(&c, good);
    if (good) {
        ftp_reply(f, done, "Copied.");
    } else if (!c.replied) {
        ftp_reply_errno(f, errno, create);
    }
    sysutil_close(&fd);
}

/* What to copy: a file that can be read. */
void cmd_site_cpfr(struct ftp *f, const char *argument)
{
    struct stat st;
    int fd = ftp_open_to_read(f, argument, &st);

    str_clear(&f->copying);
    if (fd == -1) {
        ftp_reply_errno(f, errno, false);
        return;
    }
    sysutil_close(&fd);
    str_append(&f->copying, argument);
    ftp_reply(f, FTP_PENDING, "Now the new name, please.");
}

/* And where to. What CPFR said is used up. */
void cmd_site_cpto(struct ftp *f, const char *argument)
{
    if (f->copying.len == 0) {
        ftp_reply(f, FTP_BAD_SEQUENCE, "Say SITE CPFR first.");
    } else if (ftp_may_create(f, argument)) {
        copy_file(f, str_text(&f->copying), argument, FTP_FILE_OK);
    }
    str_clear(&f->copying);
}

/* Both in one line. */
void cmd_site_copy(struct ftp *f, const char *argument)
{
    struct str from = STR_INIT(FTP_LINE_MAX), to = STR_INIT(FTP_LINE_MAX);
    struct str from_home = STR_INIT((size_t)2 * FTP_LINE_MAX);
    struct str to_home = STR_INIT((size_t)2 * FTP_LINE_MAX);
    const char *rest = argument;

    if (!str_next_word(&rest, &from) || !str_next_word(&rest, &to) || !str_only_blanks(rest) ||
        from.len == 0 || to.len == 0) {
        ftp_reply(f, FTP_BAD_ARGUMENT,
                  "A file and a new name are wanted; quote those with blanks.");
    } else if (ftp_may_create(f, str_text(&to))) {
        const char *source = ftp_take_path(f, str_text(&from), &from_home);

        /* one reply is enough */
        copy_file(f, source, source != NULL ? ftp_take_path(f, str_text(&to), &to_home) : NULL,
                  FTP_OK);
    }
    str_free(&from);
    str_free(&to);
    str_free(&from_home);
    str_free(&to_home);
}
