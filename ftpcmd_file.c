/*
 * ftpcmd_file.c - the commands that look at files and directories or change them
 *
 * Process: S.
 * Trusts:  the kernel's checks, made with the user's rights inside the user's root.
 * Touches: files of the user.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "codec.h"
#include "ftpproto.h"
#include "ftpxfer.h"
#include "log.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"

#define COUNT_MAX   (64 * 1024 * 1024) /* files whose lines SIZE counts in TYPE A */
#define COUNT_CHUNK (256 * 1024)

/* 257 with the path in quotes, doubled inside: RFC 959 appendix II. */
static void reply_path(struct ftp *f, const char *path, const char *comment)
{
    struct str line = STR_INIT((size_t)4 * FTP_LINE_MAX);

    str_append_char(&line, '"');
    str_append_quoted(&line, path);
    str_append_char(&line, '"');
    str_append(&line, comment);
    if (str_ok(&line)) {
        ftp_reply(f, FTP_PATH, str_text(&line));
    } else {
        ftp_reply(f, FTP_LOCAL_ERROR, "The path is too long to report.");
    }
    str_free(&line);
}

void cmd_pwd(struct ftp *f, const char *argument)
{
    (void)argument;
    reply_path(f, str_text(&f->cwd), " is the current directory");
}

/* The kernel knows the way through links and dots; we only remember where it led. */
static void change_dir(struct ftp *f, const char *path)
{
    char now[FTP_LINE_MAX];

    if (chdir(path) == -1) {
        ftp_reply_errno(f, errno, false);
        return;
    }
    if (getcwd(now, sizeof(now)) == NULL || now[0] != '/') {
        int saved_errno = errno;

        if (chdir(str_text(&f->cwd)) == -1) { /* back to what PWD says */
            f->ended = true;
        }
        ftp_reply_errno(f, saved_errno, false);
        return;
    }
    str_clear(&f->cwd);
    str_append(&f->cwd, now);
    ftp_show_message(f, FTP_FILE_OK);
    ftp_reply(f, FTP_FILE_OK, "Directory changed.");
}

void cmd_cwd(struct ftp *f, const char *argument)
{
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    const char *path;

    if (argument[strspn(argument, " ")] == '\0') {
        argument = "~"; /* cameras send "CWD " */
    }
    path = ftp_take_directory(f, argument, &expanded);
    if (path != NULL) {
        change_dir(f, path);
    }
    str_free(&expanded);
}

void cmd_cdup(struct ftp *f, const char *argument)
{
    (void)argument;
    cmd_cwd(f, "..");
}

void cmd_mkd(struct ftp *f, const char *argument)
{
    struct str path = STR_INIT((size_t)2 * FTP_LINE_MAX);

    if (!ftp_may_create(f, argument)) {
        return;
    }
    if (mkdirat(AT_FDCWD, argument, FTP_PERMISSIONS) == -1) {
        ftp_reply_errno(f, errno, false);
        ftp_log_path(f, LOG_EVENT_MKDIR, false, argument);
        return;
    }
    ftp_absolute(f, argument, &path);
    reply_path(f, str_text(&path), " created");
    ftp_log_path(f, LOG_EVENT_MKDIR, true, argument);
    str_free(&path);
}

/* RMD and DELE. */
static void remove_path(struct ftp *f, const char *path, int flags, int event, const char *done)
{
    bool ok = unlinkat(AT_FDCWD, path, flags) == 0;

    if (ok) {
        ftp_reply(f, FTP_FILE_OK, done);
    } else {
        /* a root or a mount point is not busy for a moment but for ever */
        ftp_reply_errno(f, errno == EBUSY && flags != 0 ? EPERM : errno, false);
    }
    ftp_log_path(f, event, ok, path);
}

void cmd_rmd(struct ftp *f, const char *argument)
{
    remove_path(f, argument, AT_REMOVEDIR, LOG_EVENT_RMDIR, "Directory removed.");
}

void cmd_dele(struct ftp *f, const char *argument)
{
    remove_path(f, argument, 0, LOG_EVENT_DELETE, "File deleted.");
}

void cmd_rnfr(struct ftp *f, const char *argument)
{
    struct stat st;

    f->has_renaming = false;
    if (fstatat(AT_FDCWD, argument, &st, AT_SYMLINK_NOFOLLOW) == -1) {
        ftp_reply_errno(f, errno, false);
        return;
    }
    str_clear(&f->renaming);
    str_append(&f->renaming, argument);
    f->has_renaming = true;
    ftp_reply(f, FTP_PENDING, "Now the new name, please.");
}

static void log_rename(struct ftp *f, bool ok, const char *to)
{
    struct str path = STR_INIT((size_t)2 * FTP_LINE_MAX);

    ftp_absolute(f, to, &path);
    ftp_log_detail(f, LOG_EVENT_RENAME, ok, str_text(&f->renaming), str_text(&path));
    str_free(&path);
}

/* A directory may have any name; the name of a file must fit upload_file and download_file. */
static bool may_rename_to(struct ftp *f, const char *to)
{
    struct stat st;

    if (!ftp_may_create(f, to)) {
        return false;
    }
    return (fstatat(AT_FDCWD, str_text(&f->renaming), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISDIR(st.st_mode)) ||
           (ftp_may_store(f, to) && ftp_may_pass_as(f, str_text(&f->renaming), to));
}

void cmd_rnto(struct ftp *f, const char *argument)
{
    bool ok;

    if (!f->has_renaming) {
        ftp_reply(f, FTP_BAD_SEQUENCE, "Say RNFR first.");
        return;
    }
    if (!may_rename_to(f, argument)) {
        return;
    }
    ok = renameat2(AT_FDCWD, str_text(&f->renaming), AT_FDCWD, argument, 0) == 0;
    if (ok) {
        ftp_reply(f, FTP_FILE_OK, "Renamed.");
    } else {
        ftp_reply_errno(f, errno, false);
    }
    log_rename(f, ok, argument);
}

/*
 * The bytes that RETR would send of a file in TYPE A: RFC 3659 4 wants that, so it has to be read.
 * Returns false with errno, or with the reply sent and *replied.
 */
static bool ascii_size(struct ftp *f, const char *path, uint64_t *size, bool *replied)
{
    char *buffer = malloc(COUNT_CHUNK);
    struct ascii_count count = {false};
    struct ftp_work work;
    struct stat st;
    int fd = ftp_open_to_read(f, path, &st);
    ssize_t n = -1;

    errno = fd != -1 && buffer == NULL ? ENOMEM : errno;
    ftp_work_begin(f, &work, "Counting lines.");
    *size = 0;
    while (fd != -1 && buffer != NULL && (n = sysutil_readn(fd, buffer, COUNT_CHUNK)) > 0) {
        *size += (uint64_t)n + codec_ascii_growth(&count, buffer, (size_t)n);
        if (!ftp_work_goes_on(f, &work)) {
            *replied = true;
            n = -1;
            break;
        }
    }
    sysutil_close(&fd);
    free(buffer);
    return n == 0;
}

void cmd_size(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(32);
    struct stat st;
    uint64_t size;
    bool replied = false;
    bool good = stat(argument, &st) == 0;

    if (good && !S_ISREG(st.st_mode)) {
        errno = EISDIR;
        good = false;
    }
    size = good ? (uint64_t)st.st_size : 0;
    if (good && ftp_converts_ascii(f, true)) {
        if (st.st_size > COUNT_MAX) {
            ftp_reply(f, FTP_REFUSED, "The file is too large to count its lines; use TYPE I.");
            return;
        }
        good = ascii_size(f, argument, &size, &replied);
    }
    if (good) {
        str_append_uint(&line, size); /* and nothing else: clients parse it all */
        ftp_reply(f, FTP_FILE_STATUS, str_text(&line));
    } else if (!replied) {
        ftp_reply_errno(f, errno, false);
    }
    str_free(&line);
}

/* draft-peterson-streamlined-ftp-command-extensions: the space that this user could fill. */
void cmd_avbl(struct ftp *f, const char *argument)
{
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    struct str line = STR_INIT(32);
    struct statvfs fs;
    const char *path = ftp_take_directory(f, *argument != '\0' ? argument : ".", &expanded);

    if (path != NULL && statvfs(path, &fs) == -1) {
        ftp_reply_errno(f, errno, false);
    } else if (path != NULL) {
        str_append_uint(&line, (uint64_t)fs.f_bavail * fs.f_frsize);
        ftp_reply(f, FTP_FILE_STATUS, str_text(&line));
    }
    str_free(&expanded);
    str_free(&line);
}
