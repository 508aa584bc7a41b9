/*
 * ftpcmd_xfer.c - the commands that move data: files and listings
 *
 * Process: S.
 * Trusts:  the kernel's checks, made with the user's rights inside the user's root.
 * Touches: files of the user, data connections.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "dirlist.h"
#include "ftpproto.h"
#include "log.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"
#include "xfer.h"

#define LISTING_BUFFER (64 * 1024)

static void parent_gone(struct ftp *f)
{
    ftp_end(f, "The service is going down, closing the connection.");
}

/* The data connection did not come. */
static void reply_not_opened(struct ftp *f, enum datachan_result result, int error)
{
    switch (result) {
    case DATACHAN_CTRL_GONE:
        f->ended = true;
        break;
    case DATACHAN_PARENT_GONE:
        parent_gone(f);
        break;
    default:
        ftp_reply(f, FTP_NO_DATA_CONNECTION,
                  error == ETIMEDOUT ? "The data connection was not opened in time."
                                     : "Cannot open the data connection.");
        break;
    }
}

/*
 * Open the data connection and announce it with 150. If it is there already, 150 goes out together with
 * what follows; if the client still has to connect, 150 goes out before the wait, for clients that
 * connect only then.
 * Returns the descriptor, or -1 with the final reply sent.
 */
static int open_data(struct ftp *f, const char *opening)
{
    int fd = -1;
    int error;
    bool passive = f->data.mode == DATACHAN_PASSIVE;
    enum datachan_result result = datachan_try(&f->data, &fd);
    bool announced = passive && result == DATACHAN_PENDING;

    if (announced) {
        ftp_reply(f, FTP_DATA_OPENING, opening);
    }
    while (result == DATACHAN_PENDING || result == DATACHAN_INPUT) {
        result = datachan_open(&f->data, &f->io, &fd);
        if (result == DATACHAN_INPUT && ftp_is_aborted(f, NULL)) {
            datachan_reset(&f->data);
            ftp_reply(f, FTP_DATA_BROKEN, "Transfer aborted.");
            return -1;
        }
    }
    error = errno;
    if (result != DATACHAN_OPEN) {
        reply_not_opened(f, result, error);
    } else if (!announced) {
        ftp_reply(f, FTP_DATA_OPENING, opening);
    }
    return fd;
}

/* The end of every transfer that did not end well. */
static void reply_failure(struct ftp *f, enum xfer_result result, int error)
{
    switch (result) {
    case XFER_TIMEOUT:
        ftp_reply(f, FTP_DATA_BROKEN, "No progress for too long, transfer given up.");
        break;
    case XFER_NETWORK:
        ftp_reply(f, FTP_DATA_BROKEN, "The data connection broke.");
        break;
    case XFER_FILE:
        if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
            ftp_reply_errno(f, error, true);
        } else {
            ftp_reply(f, FTP_LOCAL_ERROR, "Reading or writing the file failed.");
        }
        break;
    case XFER_CTRL_GONE:
        f->ended = true;
        break;
    case XFER_PARENT_GONE:
        parent_gone(f);
        break;
    case XFER_INPUT: /* ABOR, which gets a reply of its own: RFC 959 4.1.3 */
        ftp_reply(f, FTP_DATA_BROKEN, "Transfer aborted.");
        break;
    case XFER_DONE:
        bug("success is no failure");
    }
}

static void log_transfer(struct ftp *f, int event, bool ok, const char *path, const struct xfer *x)
{
    struct log_record record = {
        .event = (enum log_event)event,
        .ok = ok,
        .has_bytes = true,
        .bytes = x->bytes,
        .duration_ms = xfer_duration_ms(x),
    };

    ftp_log_record(f, &record, path);
}

/*
 * SECURITY: 226 is a promise. Only here a transfer becomes a success: everything moved, the data
 * connection closed and, for an upload, the file closed without an error.
 */
static void finish_transfer(struct ftp *f, struct xfer *x, enum xfer_result result, int event,
                            const char *path)
{
    /* a reset says "incomplete"; who asked for ABOR knows it */
    xfer_close(x, result == XFER_DONE || result == XFER_INPUT);
    if (event == LOG_EVENT_UPLOAD && close(x->file_fd) == -1 && result == XFER_DONE) {
        result = XFER_FILE; /* a network file system tells a full disk here */
        x->error = errno;
    }
    if (result == XFER_DONE) {
        ftp_reply(f, FTP_TRANSFER_OK, "Transfer complete.");
    } else {
        reply_failure(f, result, x->error);
    }
    log_transfer(f, event, result == XFER_DONE, path, x);
}

/* Run a transfer to its end or to ABOR. */
static enum xfer_result run_transfer(struct ftp *f, struct xfer *x,
                                     enum xfer_result (*step)(struct xfer *, struct ctrlio *))
{
    enum xfer_result result;

    do {
        result = step(x, &f->io);
    } while (result == XFER_INPUT && !ftp_is_aborted(f, x));
    return result;
}

/* SECURITY: files of the kernel look regular and are not; they are in reach only without a jail. */
static bool is_kernel_file(int fd)
{
    struct statfs fs;

    if (fstatfs(fd, &fs) == -1) {
        return true;
    }
    switch ((unsigned long)fs.f_type) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case SECURITYFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
        return true;
    default:
        return false;
    }
}

/*
 * Open a file to send. O_NONBLOCK: a FIFO answers at once, and is refused then.
 * Returns the descriptor, or -1 with errno.
 */
static int open_to_send(const struct ftp *f, const char *path, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd == -1) {
        return -1;
    }
    if (fstat(fd, st) == -1) {
        goto fail;
    }
    errno = EISDIR;
    if (!S_ISREG(st->st_mode)) {
        goto fail;
    }
    errno = EACCES;
    if (!f->setup->jailed && is_kernel_file(fd)) {
        goto fail;
    }
    if (f->setup->anonymous && f->tun->anon_world_readable_only && (st->st_mode & S_IROTH) == 0) {
        goto fail;
    }
    return fd;

fail:
    sysutil_close(&fd);
    return -1;
}

/* Whatever TYPE said: bytes go out as they are. */
static void append_opening(struct str *line, const char *path, off_t size)
{
    str_append(line, "Opening BINARY mode data connection for ");
    str_append(line, path);
    str_append(line, " (");
    str_append_uint(line, (uint64_t)size);
    str_append(line, " bytes)."); /* clients show progress by it */
}

static void send_file(struct ftp *f, const char *path, int fd, const struct stat *st)
{
    struct str opening = STR_INIT(FTP_LINE_MAX + 128);
    struct xfer x;
    int data_fd;

    append_opening(&opening, path, st->st_size);
    data_fd = open_data(f, str_text(&opening));
    str_free(&opening);
    if (data_fd == -1) {
        return;
    }
    xfer_init(&x, data_fd, fd, (int64_t)f->tun->data_connection_timeout * 1000);
    x.offset = f->restart;
    x.size = st->st_size;
    finish_transfer(f, &x, run_transfer(f, &x, xfer_send_file), LOG_EVENT_DOWNLOAD, path);
}

void cmd_retr(struct ftp *f, const char *argument)
{
    struct stat st;
    int fd = open_to_send(f, argument, &st);

    if (fd == -1) {
        ftp_reply_errno(f, errno, false);
        ftp_log_path(f, LOG_EVENT_DOWNLOAD, false, argument);
        return;
    }
    if (f->restart > st.st_size) {
        ftp_reply(f, FTP_BAD_RESTART, "The restart mark is behind the end of the file.");
    } else {
        send_file(f, argument, fd, &st);
    }
    sysutil_close(&fd);
}

/*
 * Open a file to write, made if it does not exist. Nothing of an old content is touched yet.
 * Returns the descriptor, or -1 with errno.
 */
static int open_to_receive(const struct ftp *f, const char *path, int flags, struct stat *st,
                           bool *created)
{
    const int base = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags;
    int fd;

    *created = false;
    do {
        fd = open(path, base);
        if (fd == -1 && errno == ENOENT) {
            fd = open(path, base | O_CREAT | O_EXCL, (mode_t)f->tun->file_open_mode);
            *created = fd != -1;
        }
        /* somebody else may make or remove it in between */
    } while (fd == -1 && errno == EEXIST && stat(path, st) == 0);
    if (fd == -1) {
        return -1;
    }
    if (fstat(fd, st) == -1 || !S_ISREG(st->st_mode)) {
        sysutil_close(&fd);
        errno = EISDIR;
        return -1;
    }
    return fd;
}

/* Take away an empty file that a failed opening left behind, if it is still the one we made. */
static void remove_created(const char *path, const struct stat *made)
{
    struct stat st;

    if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == made->st_dev &&
        st.st_ino == made->st_ino && st.st_size == 0) {
        (void)unlinkat(AT_FDCWD, path, 0); /* it does no harm if it stays */
    }
}

/* Put the file in the state that the first byte needs. Replies on failure. */
static bool prepare_file(struct ftp *f, int fd, bool append)
{
    if (f->restart > 0 ? lseek(fd, f->restart, SEEK_SET) == -1
                       : !append && ftruncate(fd, 0) == -1) {
        ftp_reply_errno(f, errno, true);
        return false;
    }
    return true;
}

static void receive_file(struct ftp *f, const char *path, bool append)
{
    /* with a restart mark APPE writes there: RFC 3659 5.3 */
    bool at_end = append && f->restart == 0;
    struct stat st;
    struct xfer x;
    bool created;
    int data_fd;
    int fd = open_to_receive(f, path, at_end ? O_APPEND : 0, &st, &created);

    if (fd == -1) {
        ftp_reply_errno(f, errno, true);
        ftp_log_path(f, LOG_EVENT_UPLOAD, false, path);
        return;
    }
    if (f->restart > st.st_size) {
        ftp_reply(f, FTP_BAD_RESTART, "The restart mark is behind the end of the file.");
        data_fd = -1;
    } else {
        data_fd = open_data(f, "Ready to receive.");
    }
    if (data_fd != -1 && prepare_file(f, fd, at_end)) {
        xfer_init(&x, data_fd, fd, (int64_t)f->tun->data_connection_timeout * 1000);
        finish_transfer(f, &x, run_transfer(f, &x, xfer_recv_file), LOG_EVENT_UPLOAD, path);
        return;
    }
    sysutil_close(&data_fd);
    sysutil_close(&fd);
    if (created) {
        remove_created(path, &st);
    }
    ftp_log_path(f, LOG_EVENT_UPLOAD, false, path);
}

void cmd_stor(struct ftp *f, const char *argument)
{
    if (ftp_may_create(f, argument)) {
        receive_file(f, argument, false);
    }
}

void cmd_appe(struct ftp *f, const char *argument)
{
    if (ftp_may_create(f, argument)) {
        receive_file(f, argument, true);
    }
}

void cmd_rest(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(64);
    uint64_t offset;

    f->restart = 0;
    if (!str_to_uint(argument, 0, INT64_MAX, &offset)) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "Not an offset.");
        return;
    }
    f->restart = (off_t)offset; /* whether it fits is up to the transfer */
    str_append(&line, "Restarting at ");
    str_append_uint(&line, offset);
    str_append_char(&line, '.');
    ftp_reply(f, FTP_PENDING, str_text(&line));
    str_free(&line);
}

/* The buffer that listings are written in, from the first one on. */
static bool need_listing_buffer(struct ftp *f)
{
    if (f->listing == NULL) {
        f->listing = malloc(LISTING_BUFFER);
    }
    if (f->listing == NULL) {
        ftp_reply_errno(f, ENOMEM, false);
    }
    return f->listing != NULL;
}

/* Send lines until there are no more, or ABOR. */
static enum xfer_result send_listing(struct ftp *f, struct xfer *x, struct dirlist *list)
{
    enum xfer_result result = XFER_DONE;
    size_t len;

    while (result == XFER_DONE && (len = dirlist_fill(list, f->listing, LISTING_BUFFER)) > 0) {
        size_t sent = 0;

        do {
            result = xfer_send_text(x, &f->io, f->listing, len, &sent);
        } while (result == XFER_INPUT && !ftp_is_aborted(f, x));
    }
    return result;
}

/* LIST and NLST over an open data connection. */
static void transfer_listing(struct ftp *f, struct dirlist *list)
{
    int data_fd = open_data(f, "Here comes the listing.");
    enum xfer_result result;
    struct xfer x;

    if (data_fd == -1) {
        return;
    }
    xfer_init(&x, data_fd, -1, (int64_t)f->tun->data_connection_timeout * 1000);
    result = send_listing(f, &x, list);
    xfer_close(&x, result == XFER_DONE || result == XFER_INPUT);
    if (result == XFER_DONE) {
        ftp_reply(f, FTP_TRANSFER_OK, "Listing complete.");
    } else {
        reply_failure(f, result, x.error);
    }
}

/* Parse options and path and read the names. Replies on failure. */
static bool open_listing(struct ftp *f, const char *argument, struct dirlist_options *options,
                         struct dirlist *list)
{
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    const char *path;
    bool opened;

    options->world_readable = f->setup->anonymous && f->tun->anon_world_readable_only;
    path = ftp_expand_home(f, dirlist_parse_options(argument, options), &expanded);
    opened = need_listing_buffer(f);
    if (opened && !dirlist_open(list, path, options)) {
        ftp_reply_errno(f, errno, false);
        opened = false;
    }
    str_free(&expanded);
    return opened;
}

static void list_in_format(struct ftp *f, const char *argument, enum dirlist_format format)
{
    struct dirlist_options options = {.format = format};
    struct dirlist list;

    if (open_listing(f, argument, &options, &list)) {
        transfer_listing(f, &list);
        dirlist_close(&list);
    }
}

void cmd_list(struct ftp *f, const char *argument)
{
    list_in_format(f, argument, DIRLIST_LONG);
}

void cmd_nlst(struct ftp *f, const char *argument)
{
    list_in_format(f, argument, DIRLIST_NAMES);
}

void ftp_stat_path(struct ftp *f, const char *path)
{
    struct dirlist_options options = {.format = DIRLIST_LONG, .all = true};
    struct dirlist list;
    size_t len;

    if (!open_listing(f, path, &options, &list)) {
        return;
    }
    ctrlio_reply_first(&f->io, FTP_FILE_STATUS, "Status follows:");
    while (!f->io.broken && (len = dirlist_fill(&list, f->listing, LISTING_BUFFER - 1)) > 0) {
        char *line = f->listing;

        f->listing[len] = '\0';
        for (char *end; (end = strstr(line, "\r\n")) != NULL; line = end + 2) {
            *end = '\0';
            ctrlio_reply_middle(&f->io, line);
        }
    }
    ftp_reply(f, FTP_FILE_STATUS, "End of status");
    dirlist_close(&list);
}

void cmd_abor(struct ftp *f, const char *argument)
{
    (void)argument;
    datachan_reset(&f->data);
    ftp_reply(f, FTP_TRANSFER_OK, "ABOR is done.");
}
