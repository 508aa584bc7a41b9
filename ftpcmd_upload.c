/*
 * ftpcmd_upload.c - what holds for files that are stored: locks, the largest size, a new owner, and what
 * becomes of an upload that fails
 *
 * Process: S.
 * Trusts:  the kernel's checks, made with the user's rights inside the user's root.
 * Touches: files of the user that are open, and their names.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ftpproto.h"
#include "log.h"
#include "privsock.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"

#define LOCK_RETRY_MS   100
#define EOF_PATIENCE_MS 5000 /* once the client has closed the control connection */

/* A line for the administrator: `text`, the path unless it is NULL, the reason if there is an errno. */
static void warn(struct ftp *f, const char *text, const char *path, int error)
{
    struct str line = STR_INIT(PRIV_LOG_TEXT_MAX);
    struct str absolute = STR_INIT((size_t)2 * FTP_LINE_MAX);
    struct log_record record = {.event = LOG_EVENT_WARNING};

    str_append(&line, text);
    if (path != NULL) {
        ftp_absolute(f, path, &absolute);
        str_append_format(&line, ": %s", str_text(&absolute));
    }
    if (error != 0) {
        str_append_format(&line, ": %s", strerror(error));
    }
    record.text = str_text(&line);
    record.text_len = line.len;
    (void)privsock_log(f->setup->priv_fd, &record); /* the next wait notices a dead parent */
    str_free(&line);
    str_free(&absolute);
}

/* ---- locks ---- */

/* One look at the client while somebody else has the lock. False with the reply sent: give up. */
static bool go_on_waiting(struct ftp *f, int64_t *deadline_ms)
{
    int64_t now_ms = sysutil_now_ms();
    int64_t until_ms = now_ms + LOCK_RETRY_MS;

    switch (ctrlio_wait(&f->io, -1, 0, until_ms < *deadline_ms ? until_ms : *deadline_ms)) {
    case CTRL_WAIT_INPUT:
        if (ftp_is_given_up(f, "Waiting for a file that is in use.")) {
            ftp_reply(f, FTP_DATA_BROKEN, "Transfer aborted.");
            return false;
        }
        break;
    case CTRL_WAIT_EOF: /* half closed, or gone */
        if (*deadline_ms > now_ms + EOF_PATIENCE_MS) {
            *deadline_ms = now_ms + EOF_PATIENCE_MS;
        }
        break;
    case CTRL_WAIT_GONE:
        f->ended = true;
        return false;
    case CTRL_WAIT_PARENT_GONE:
        ftp_end(f, "The service is going down, closing the connection.");
        return false;
    case CTRL_WAIT_TIMEOUT:
    case CTRL_WAIT_READY:
        break;
    }
    if (sysutil_now_ms() < *deadline_ms) {
        return true;
    }
    ftp_reply_errno(f, EAGAIN, false);
    return false;
}

/* What came to be while we waited: whoever had the lock may have changed or removed the file. */
static bool look_again(struct ftp *f, int fd, struct stat *st)
{
    if (fstat(fd, st) == 0 && st->st_nlink > 0) {
        return true;
    }
    ftp_reply_errno(f, EAGAIN, false);
    return false;
}

/*
 * Locks of the open file and not of the process (fcntl_locking(2)): they are not lost when another
 * descriptor of the file is closed, and still conflict with those of vsftpd and other programs.
 */
bool ftp_lock_file(struct ftp *f, int fd, bool to_write, struct stat *st)
{
    struct flock lock = {.l_type = to_write ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};
    int64_t deadline_ms = 0;

    if (!f->tun->lock_upload_files) {
        return true;
    }
    while (fcntl(fd, F_OFD_SETLK, &lock) == -1) {
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN && errno != EACCES) {
            return true; /* ENOLCK, EINVAL, ...: a file system without locks is none without transfers */
        }
        if (deadline_ms == 0) {
            deadline_ms = sysutil_now_ms() + (int64_t)f->tun->data_connection_timeout * 1000;
        }
        if (!go_on_waiting(f, &deadline_ms)) {
            return false;
        }
    }
    return deadline_ms == 0 || look_again(f, fd, st);
}

/* ---- the largest size ---- */

uint64_t ftp_upload_room(const struct ftp *f, off_t begin)
{
    uint64_t most = f->tun->max_upload_size;

    if (most == 0) {
        return UINT64_MAX;
    }
    return (uint64_t)begin < most ? most - (uint64_t)begin : 0;
}

bool ftp_upload_fits(struct ftp *f, const char *path, uint64_t size)
{
    uint64_t most = f->tun->max_upload_size;

    if (most == 0 || size <= most) {
        return true;
    }
    ftp_reply_errno(f, EFBIG, true);
    ftp_warn_too_large(f, path);
    return false;
}

void ftp_warn_too_large(struct ftp *f, const char *path)
{
    struct str text = STR_INIT(128);

    str_append(&text, "refused what is larger than max_upload_size=");
    str_append_uint(&text, f->tun->max_upload_size);
    warn(f, str_text(&text), path, 0);
    str_free(&text);
}

/* ---- failed uploads ---- */

void ftp_take_back(struct ftp *f, const char *path, int fd, off_t begin, const struct stat *made)
{
    struct stat st;

    if (fd != -1) { /* other names of the file lose it too; and shorter needs no space */
        (void)!ftruncate(fd, begin);
    }
    if (begin > 0 || fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
        st.st_dev != made->st_dev || st.st_ino != made->st_ino) {
        return; /* SECURITY: a name that means another file now is not ours to remove */
    }
    if (unlinkat(AT_FDCWD, path, 0) == -1) {
        warn(f, "cannot delete the failed upload", path, errno);
    }
}

/* ---- a new owner ---- */

/*
 * The permissions are set while the file is still ours: they cannot be changed once it is not. The parent
 * looks whether they are right.
 */
bool ftp_give_away(struct ftp *f, int fd, const struct stat *st)
{
    if (!f->tun->chown_uploads || !f->setup->anonymous || st->st_uid != f->setup->uid) {
        return true;
    }
    if (st->st_nlink != 1) {
        ftp_reply_errno(f, EPERM, true); /* it would stay ours under its other name */
        return false;
    }
    if (fchmod(fd, (mode_t)f->tun->chown_upload_mode) == -1) {
        ftp_reply_errno(f, errno, true);
        return false;
    }
    switch (privsock_chown_upload(f->setup->priv_fd, fd)) {
    case PRIVSOCK_OK:
        return true;
    case PRIVSOCK_FAILED:
    case PRIVSOCK_FAILED_LAST:
        ftp_reply(f, FTP_LOCAL_ERROR, "Cannot take the file over.");
        return false;
    case PRIVSOCK_GONE:
        break;
    }
    ftp_end(f, "The service is going down, closing the connection.");
    return false;
}
