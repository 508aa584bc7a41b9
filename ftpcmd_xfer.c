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

#include "codec.h"
#include "ftpproto.h"
#include "log.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"
#include "xfer.h"

#define STOU_TRIES 64 /* names that are tried */

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
 * If the connection is there already, 150 goes out together with what follows; if the client still has
 * to connect, 150 goes out before the wait, for clients that connect only then.
 */
int ftp_open_data(struct ftp *f, const char *opening)
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
        if (result == DATACHAN_INPUT &&
            ftp_is_aborted(f, NULL, "Waiting for the data connection.")) {
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

void ftp_reply_transfer(struct ftp *f, int result, int error)
{
    switch ((enum xfer_result)result) {
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
    case XFER_BAD_DATA:
        ftp_reply(f, FTP_LOCAL_ERROR, "This is not a zlib stream.");
        break;
    case XFER_CUT:
        ftp_reply(f, FTP_DATA_BROKEN, "The zlib stream has no end.");
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
                            const char *path, const char *done)
{
    /* a reset says "incomplete"; who asked for ABOR knows it */
    xfer_close(x, result == XFER_DONE || result == XFER_INPUT);
    if (event == LOG_EVENT_UPLOAD && close(x->file_fd) == -1 && result == XFER_DONE) {
        result = XFER_FILE; /* a network file system tells a full disk here */
        x->error = errno;
    }
    if (result == XFER_DONE) {
        ftp_reply(f, FTP_TRANSFER_OK, done);
    } else {
        ftp_reply_transfer(f, (int)result, x->error);
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
    } while (result == XFER_INPUT && !ftp_is_aborted(f, x, ""));
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

int ftp_open_to_read(const struct ftp *f, const char *path, struct stat *st)
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

bool ftp_converts_ascii(const struct ftp *f, bool encode)
{
    return f->type_ascii && (encode ? f->tun->ascii_download_enable : f->tun->ascii_upload_enable);
}

bool ftp_convert(struct ftp *f, struct xfer *x, bool encode, bool ascii)
{
    const struct codec_plan plan = {
        .encode = encode, .ascii = ascii, .deflate = f->mode_z, .level = f->z_level};

    if ((!ascii && !f->mode_z) || xfer_convert(x, codec_new(&plan))) {
        return true;
    }
    ftp_reply_errno(f, ENOMEM, false);
    return false;
}

/*
 * Can the next transfer of a file of `size` bytes begin at the mark that REST or RANG has set? A mark
 * counts bytes of the file (also in MODE Z), so it does not fit conversion of line ends. Replies if not.
 */
static bool mark_fits(struct ftp *f, off_t size, bool encode)
{
    bool marked = f->restart > 0 || f->has_end;

    if (marked && ftp_converts_ascii(f, encode)) {
        ftp_reply(f, FTP_REFUSED, "REST and RANG need TYPE I.");
    } else if (f->has_end && !encode) {
        ftp_reply(f, FTP_BAD_RANGE, "RANG is for downloads.");
    } else if (f->restart > size) {
        ftp_reply(f, FTP_BAD_RESTART, "The restart mark is behind the end of the file.");
    } else {
        return true;
    }
    return false;
}

static void append_opening(struct str *line, const char *path, off_t size, bool ascii)
{
    str_append_format(line, "Opening %s mode data connection for ", ascii ? "ASCII" : "BINARY");
    str_append(line, path);
    str_append(line, " (");
    str_append_uint(line, (uint64_t)size);
    str_append(line, " bytes)."); /* clients show progress by it */
}

static void send_file(struct ftp *f, const char *path, int fd, const struct stat *st)
{
    struct str opening = STR_INIT(FTP_LINE_MAX + 128);
    bool ascii = ftp_converts_ascii(f, true);
    struct xfer x;
    int data_fd;

    append_opening(&opening, path, st->st_size, ascii);
    data_fd = ftp_open_data(f, str_text(&opening));
    str_free(&opening);
    if (data_fd == -1) {
        return;
    }
    xfer_init(&x, data_fd, fd, (int64_t)f->tun->data_connection_timeout * 1000);
    x.offset = f->restart;
    x.size = f->has_end && f->end < st->st_size ? f->end : st->st_size;
    if (!ftp_convert(f, &x, true, ascii)) {
        xfer_close(&x, false);
        return;
    }
    finish_transfer(f, &x, run_transfer(f, &x, xfer_send_file), LOG_EVENT_DOWNLOAD, path,
                    "Transfer complete.");
}

void cmd_retr(struct ftp *f, const char *argument)
{
    struct stat st;
    int fd = ftp_open_to_read(f, argument, &st);

    if (fd == -1) {
        ftp_reply_errno(f, errno, false);
        ftp_log_path(f, LOG_EVENT_DOWNLOAD, false, argument);
        return;
    }
    if (mark_fits(f, st.st_size, true)) {
        send_file(f, argument, fd, &st);
    }
    sysutil_close(&fd);
}

int ftp_open_to_write(const struct ftp *f, const char *path, int flags, struct stat *st,
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

void ftp_remove_created(const char *path, const struct stat *made)
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

/* An upload: where it goes, and what is said about it. */
struct upload {
    const char *path;
    int fd;
    bool created; /* by us, just now */
    bool append;  /* behind what is there */
    struct stat st;
    const char *opening, *done;
};

/* Receive into the file, which is closed then. */
static void receive_file(struct ftp *f, struct upload *u)
{
    struct xfer x;
    int data_fd = -1;

    if (mark_fits(f, u->st.st_size, false)) {
        data_fd = ftp_open_data(f, u->opening);
    }
    if (data_fd != -1 && prepare_file(f, u->fd, u->append)) {
        xfer_init(&x, data_fd, u->fd, (int64_t)f->tun->data_connection_timeout * 1000);
        if (ftp_convert(f, &x, false, ftp_converts_ascii(f, false))) {
            finish_transfer(f, &x, run_transfer(f, &x, xfer_recv_file), LOG_EVENT_UPLOAD, u->path,
                            u->done);
            return;
        }
        xfer_close(&x, false);
        data_fd = -1;
    }
    sysutil_close(&data_fd);
    sysutil_close(&u->fd);
    if (u->created) {
        ftp_remove_created(u->path, &u->st);
    }
    ftp_log_path(f, LOG_EVENT_UPLOAD, false, u->path);
}

static void store(struct ftp *f, const char *path, bool append)
{
    /* with a restart mark APPE writes there: RFC 3659 5.3 */
    struct upload u = {.path = path,
                       .append = append && f->restart == 0,
                       .opening = "Ready to receive.",
                       .done = "Transfer complete."};

    if (!ftp_may_create(f, path)) {
        return;
    }
    u.fd = ftp_open_to_write(f, path, u.append ? O_APPEND : 0, &u.st, &u.created);
    if (u.fd == -1) {
        ftp_reply_errno(f, errno, true);
        ftp_log_path(f, LOG_EVENT_UPLOAD, false, path);
        return;
    }
    receive_file(f, &u);
}

void cmd_stor(struct ftp *f, const char *argument)
{
    store(f, argument, false);
}

void cmd_appe(struct ftp *f, const char *argument)
{
    store(f, argument, true);
}

/*
 * Make a file whose name begins with `base` and is not taken: base, base.1, base.2, and so on; where
 * many are taken, numbers by chance. *name: which one it is.
 * Returns the descriptor, or -1 with errno (EEXIST: none was free).
 */
static int make_unique(const struct ftp *f, const char *base, struct str *name)
{
    int fd = -1;

    for (unsigned i = 0; i < STOU_TRIES; i++) {
        str_clear(name);
        str_append(name, base);
        if (i > 0) {
            str_append_format(name, ".%u", i <= STOU_TRIES / 2 ? i : sysutil_random(1000000000));
        }
        fd = open(str_text(name), O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC,
                  (mode_t)f->tun->file_open_mode);
        if (fd != -1 || errno != EEXIST) {
            return fd;
        }
    }
    errno = EEXIST;
    return -1;
}

/* RFC 1123 4.1.2.9: the 150 reply tells the name, and in this form. */
static void store_unique(struct ftp *f, const char *base)
{
    struct str name = STR_INIT(FTP_LINE_MAX + 32);
    struct str opening = STR_INIT(FTP_LINE_MAX + 64);
    struct str done = STR_INIT(FTP_LINE_MAX + 64);
    struct upload u = {.created = true, .fd = make_unique(f, base, &name)};

    if (u.fd == -1 || fstat(u.fd, &u.st) == -1) {
        if (errno == EEXIST) {
            ftp_reply(f, FTP_TEMPORARY, "No name is free.");
        } else {
            ftp_reply_errno(f, errno, true);
        }
        ftp_log_path(f, LOG_EVENT_UPLOAD, false, base);
        sysutil_close(&u.fd);
    } else {
        str_append_format(&opening, "FILE: %s", str_text(&name));
        str_append_format(&done, "Transfer complete. FILE: %s", str_text(&name));
        u.path = str_text(&name);
        u.opening = str_text(&opening);
        u.done = str_text(&done);
        receive_file(f, &u);
    }
    str_free(&name);
    str_free(&opening);
    str_free(&done);
}

void cmd_stou(struct ftp *f, const char *argument)
{
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    const char *base = str_only_blanks(argument) ? "stou" : ftp_expand_file(f, argument, &expanded);

    if (f->restart > 0 || f->has_end) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "A new file has nothing to restart.");
    } else if (ftp_may_create(f, base)) {
        store_unique(f, base);
    }
    str_free(&expanded);
}

void cmd_rest(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(64);
    uint64_t offset;

    f->restart = 0;
    f->has_end = false;
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

/* draft-bryan-ftp-range: "RANG first last", both of them included; "RANG 1 0" is none. */
void cmd_rang(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(128);
    const char *rest = argument;
    uint64_t numbers[2];
    bool good = true;

    f->restart = 0;
    f->has_end = false;
    for (size_t i = 0; i < ARRAY_LEN(numbers) && good; i++) {
        good = str_next_word(&rest, &line) &&
               str_to_uint(str_text(&line), 0, INT64_MAX - 1, &numbers[i]);
    }
    str_clear(&line);
    if (!good || !str_only_blanks(rest)) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "Two offsets are wanted.");
    } else if (numbers[0] == 1 && numbers[1] == 0) {
        ftp_reply(f, FTP_PENDING, "The next transfer is of the whole file.");
    } else if (numbers[0] > numbers[1]) {
        ftp_reply(f, FTP_BAD_RANGE, "The range ends before it begins.");
    } else {
        f->restart = (off_t)numbers[0];
        f->end = (off_t)numbers[1] + 1;
        f->has_end = true;
        str_append(&line, "Restarting at ");
        str_append_uint(&line, numbers[0]);
        str_append(&line, ". Ending at ");
        str_append_uint(&line, numbers[1]);
        str_append_char(&line, '.');
        ftp_reply(f, FTP_PENDING, str_text(&line));
    }
    str_free(&line);
}

/* What the next transfer will be, for servers that have to fetch the file from elsewhere first. */
void cmd_pret(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(FTP_LINE_MAX);
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    const struct command *command;
    const char *path;
    struct stat st;
    int fd = -1;

    str_append(&line, argument);
    path = ftp_expand_file(f, ftp_split_line(line.buf), &expanded);
    command = ftp_find_command(ftp_commands, line.buf);
    if (command == NULL || (command->flags & CMD_DATA) == 0) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "That is no transfer.");
    } else if (!ftp_command_enabled(f, command)) {
        ftp_reply(f, FTP_REFUSED, "Permission denied.");
    } else if (command->run == cmd_retr && (fd = ftp_open_to_read(f, path, &st)) == -1) {
        ftp_reply_errno(f, errno, false);
    } else {
        ftp_reply(f, FTP_OK, "Fine.");
    }
    sysutil_close(&fd);
    str_free(&expanded);
    str_free(&line);
}

void cmd_abor(struct ftp *f, const char *argument)
{
    (void)argument;
    datachan_reset(&f->data);
    ftp_reply(f, FTP_TRANSFER_OK, "ABOR is done.");
}
