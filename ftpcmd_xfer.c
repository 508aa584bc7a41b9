/*
 * ftpcmd_xfer.c - the commands that move files, and that say what the next of them is to do
 *
 * Process: S.
 * Trusts:  the kernel's checks, made with the user's rights inside the user's root.
 * Touches: files of the user, data connections.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "datachan.h"
#include "ftpproto.h"
#include "ftpxfer.h"
#include "log.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"
#include "xfer.h"

#define STOU_TRIES  64 /* names that are tried */
#define STOU_RANDOM 6  /* letters by chance */

/*
 * SECURITY: files of the kernel look regular and are not; they are in reach only without a jail. None of
 * their file systems is on a device.
 */
static bool is_kernel_file(int fd, const struct stat *st)
{
    struct statfs fs;

    if (major(st->st_dev) != 0) {
        return false;
    }
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
    if (!f->setup->jailed && is_kernel_file(fd, st)) {
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
        ftp_log_path(f, LOG_EVENT_DOWNLOAD, false, path);
        return;
    }
    ftp_begin_transfer(f, &x, data_fd, fd, false);
    x.offset = f->restart;
    x.size = f->has_end && f->end < st->st_size ? f->end : st->st_size;
    if (!ftp_convert(f, &x, true, ascii)) {
        xfer_close(&x, false);
        ftp_log_path(f, LOG_EVENT_DOWNLOAD, false, path);
        return;
    }
    ftp_show_transfer(f, &x, path);
    (void)ftp_finish_transfer(f, &x, ftp_run_transfer(f, &x, xfer_send_file), LOG_EVENT_DOWNLOAD,
                              path, "Transfer complete."); /* it has told everybody */
}

void cmd_retr(struct ftp *f, const char *argument)
{
    struct stat st;
    int fd;

    if (!ftp_may_fetch(f, argument)) {
        ftp_log_path(f, LOG_EVENT_DOWNLOAD, false, argument);
        return;
    }
    fd = ftp_open_to_read(f, argument, &st);
    if (fd == -1) {
        ftp_reply_errno(f, errno, false);
        ftp_log_path(f, LOG_EVENT_DOWNLOAD, false, argument);
        return;
    }
    if (ftp_lock_file(f, fd, false, &st) && mark_fits(f, st.st_size, true)) {
        send_file(f, argument, fd, &st);
    } else {
        ftp_log_path(f, LOG_EVENT_DOWNLOAD, false, argument);
    }
    sysutil_close(&fd);
}

int ftp_open_to_write(const struct ftp *f, const char *path, int flags, struct stat *st,
                      bool *created)
{
    const int base = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags;
    const bool overwrites = ftp_may_overwrite(f);
    int fd;

    *created = false;
    do {
        fd = overwrites ? open(path, base) : -1;
        if (fd == -1 && (!overwrites || errno == ENOENT)) {
            fd = open(path, base | O_CREAT | O_EXCL, (mode_t)f->tun->file_open_mode);
            *created = fd != -1;
        }
        /* somebody else may make or remove it in between */
    } while (fd == -1 && errno == EEXIST && overwrites && stat(path, st) == 0);
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

/* An upload: where it goes, and what is said about it. */
struct upload {
    const char *path;
    int fd;
    bool created; /* by us, just now */
    bool append;  /* behind what is there */
    off_t begin;  /* where its first byte goes; receive_file finds it out */
    struct stat st;
    const char *opening, *done;
};

/* May it begin? All that can be known before the first byte; nothing has been changed yet. */
static bool may_receive(struct ftp *f, struct upload *u)
{
    if (!ftp_lock_file(f, u->fd, true, &u->st) || !mark_fits(f, u->st.st_size, false)) {
        return false;
    }
    u->begin = u->append ? u->st.st_size : f->restart;
    return ftp_upload_fits(f, u->path, (uint64_t)u->begin);
}

/* Put the file in the state that the first byte needs. Replies on failure. */
static bool prepare_file(struct ftp *f, const struct upload *u)
{
    if (!ftp_give_away(f, u->fd, &u->st)) {
        return false;
    }
    if (f->restart > 0 ? lseek(u->fd, f->restart, SEEK_SET) == -1
                       : !u->append && ftruncate(u->fd, 0) == -1) {
        ftp_reply_errno(f, errno, true);
        return false;
    }
    return true;
}

/*
 * Less than ALLO has announced is an upload that was cut off, which nothing else tells in stream mode.
 * The number may be meant for the whole file, if it goes on where another one ended.
 */
static bool is_cut_short(const struct ftp *f, const struct upload *u, const struct xfer *x)
{
    return f->tun->delete_failed_uploads && x->codec == NULL &&
           (uint64_t)u->begin + x->bytes < f->announced;
}

/* Run the upload to its end, and undo it if it is not to stay. The file is closed then. */
static void run_upload(struct ftp *f, struct upload *u, struct xfer *x)
{
    enum xfer_result result = ftp_run_transfer(f, x, xfer_recv_file);
    bool undone = false;

    if (result == XFER_DONE && is_cut_short(f, u, x)) {
        result = XFER_NETWORK;
    }
    if (result == XFER_TOO_LARGE) {
        ftp_warn_too_large(f, u->path);
    }
    if (result == XFER_TOO_LARGE || (result != XFER_DONE && f->tun->delete_failed_uploads)) {
        ftp_take_back(f, u->path, u->fd, u->begin, &u->st); /* before close: it is still locked */
        undone = true;
    }
    if (!ftp_finish_transfer(f, x, result, LOG_EVENT_UPLOAD, u->path, u->done) && !undone &&
        f->tun->delete_failed_uploads) {
        ftp_take_back(f, u->path, -1, u->begin, &u->st);
    }
}

/* Receive into the file, which is closed then. */
static void receive_file(struct ftp *f, struct upload *u)
{
    struct xfer x;
    int data_fd = -1;

    if (may_receive(f, u)) {
        data_fd = ftp_open_data(f, u->opening);
    }
    if (data_fd != -1 && prepare_file(f, u)) {
        ftp_begin_transfer(f, &x, data_fd, u->fd, true);
        x.room = ftp_upload_room(f, u->begin);
        if (ftp_convert(f, &x, false, ftp_converts_ascii(f, false))) {
            ftp_show_transfer(f, &x, u->path);
            run_upload(f, u, &x);
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
    if (!ftp_may_store(f, path)) {
        ftp_log_path(f, LOG_EVENT_UPLOAD, false, path);
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

/* Letters and digits that nobody can guess. */
static void append_random(struct str *name, unsigned count)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";

    while (count-- > 0) {
        str_append_char(name, letters[sysutil_random(sizeof(letters) - 1)]);
    }
}

/* The name that STOU tries in its round `i`. */
static void unique_name(const struct ftp *f, const char *base, unsigned i, struct str *name)
{
    str_clear(name);
    str_append(name, base);
    if (f->tun->better_stou) {
        str_append_char(name, '.');
        append_random(name, STOU_RANDOM);
    } else if (i > 0) {
        str_append_format(name, ".%u", i <= STOU_TRIES / 2 ? i : sysutil_random(1000000000));
    }
}

/*
 * Make a file whose name begins with `base` and is not taken: base, base.1, base.2, and so on (where many
 * are taken, numbers by chance); or with better_stou, letters by chance at once. *name: which one it is.
 * Returns the descriptor, or -1 with errno (EEXIST: none was free; EPERM: none may be used).
 */
static int make_unique(struct ftp *f, const char *base, struct str *name)
{
    int error = EPERM;
    int fd = -1;

    for (unsigned i = 0; i < STOU_TRIES; i++) {
        unique_name(f, base, i, name);
        if (ftp_is_denied(f, str_text(name), false) || !ftp_is_stored(f, str_text(name))) {
            continue; /* what is added to it may make a name fit, or not */
        }
        fd = open(str_text(name), O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC,
                  (mode_t)f->tun->file_open_mode);
        if (fd != -1 || errno != EEXIST) {
            return fd;
        }
        error = EEXIST;
    }
    errno = error;
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
            ftp_reply_errno(f, errno, errno != EPERM);
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
    path = ftp_split_line(line.buf);
    command = ftp_find_command(ftp_commands, line.buf);
    if (command == NULL || (command->flags & CMD_DATA) == 0) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "That is no transfer.");
    } else if (!ftp_command_enabled(f, command)) {
        ftp_reply(f, FTP_REFUSED, "Permission denied.");
    } else if ((path = ftp_take_path(f, path, &expanded)) == NULL ||
               (command->run == cmd_retr && !ftp_may_fetch(f, path))) {
        /* the reply is sent */
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
