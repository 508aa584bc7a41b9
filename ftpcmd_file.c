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
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ftpproto.h"
#include "log.h"
#include "str.h"
#include "tunable.h"

#define PERMISSIONS 0777 /* what clients may set: no set-id bits, no sticky bit */

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
    ftp_reply(f, FTP_FILE_OK, "Directory changed.");
}

void cmd_cwd(struct ftp *f, const char *argument)
{
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);

    if (argument[strspn(argument, " ")] == '\0') {
        argument = "~"; /* cameras send "CWD " */
    }
    change_dir(f, ftp_expand_home(f, argument, &expanded));
    str_free(&expanded);
}

void cmd_cdup(struct ftp *f, const char *argument)
{
    (void)argument;
    change_dir(f, "..");
}

void cmd_mkd(struct ftp *f, const char *argument)
{
    struct str path = STR_INIT((size_t)2 * FTP_LINE_MAX);

    if (!ftp_may_create(f, argument)) {
        return;
    }
    if (mkdirat(AT_FDCWD, argument, PERMISSIONS) == -1) {
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
    struct str both = STR_INIT((size_t)4 * FTP_LINE_MAX);
    struct str path = STR_INIT((size_t)2 * FTP_LINE_MAX);

    ftp_absolute(f, str_text(&f->renaming), &path);
    str_append(&both, str_text(&path));
    str_append_char(&both, ' ');
    ftp_absolute(f, to, &path);
    str_append(&both, str_text(&path));
    ftp_log_path(f, LOG_EVENT_RENAME, ok, str_text(&both));
    str_free(&both);
    str_free(&path);
}

void cmd_rnto(struct ftp *f, const char *argument)
{
    bool ok;

    if (!f->has_renaming) {
        ftp_reply(f, FTP_BAD_SEQUENCE, "Say RNFR first.");
        return;
    }
    if (!ftp_may_create(f, argument)) {
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

/* SIZE and MDTM speak of regular files only. Replies on failure. */
static bool stat_regular(struct ftp *f, const char *path, struct stat *st)
{
    if (stat(path, st) == -1) {
        ftp_reply_errno(f, errno, false);
        return false;
    }
    if (!S_ISREG(st->st_mode)) {
        ftp_reply_errno(f, EISDIR, false);
        return false;
    }
    return true;
}

void cmd_size(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(32);
    struct stat st;

    if (stat_regular(f, argument, &st)) {
        str_append_uint(&line, (uint64_t)st.st_size); /* and nothing else: clients parse it all */
        ftp_reply(f, FTP_FILE_STATUS, str_text(&line));
        str_free(&line);
    }
}

void cmd_mdtm(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(64);
    struct stat st;
    struct tm tm;

    if (!stat_regular(f, argument, &st)) {
        return;
    }
    if (gmtime_r(&st.st_mtime, &tm) == NULL) {
        ftp_reply(f, FTP_REFUSED, "The time cannot be told.");
        return;
    }
    str_append_format(&line, "%04d%02d%02d%02d%02d%02d", tm.tm_year + 1900, tm.tm_mon + 1,
                      tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    ftp_reply(f, FTP_FILE_STATUS, str_text(&line));
    str_free(&line);
}

static void log_chmod(struct ftp *f, bool ok, const char *path, uint64_t mode)
{
    struct str text = STR_INIT((size_t)2 * FTP_LINE_MAX);

    str_append(&text, path);
    str_append_char(&text, ' ');
    str_append_octal(&text, (unsigned)mode, 3);
    ftp_log_path(f, LOG_EVENT_CHMOD, ok, str_text(&text));
    str_free(&text);
}

void cmd_site_chmod(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(FTP_LINE_MAX);
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    const char *path;
    size_t digits;
    uint64_t mode;
    bool ok;

    str_append(&line, argument);
    path = ftp_expand_home(f, ftp_split_line(line.buf), &expanded);
    digits = strlen(line.buf);
    if (!f->tun->chmod_enable) {
        ftp_reply(f, FTP_REFUSED, "Permission denied.");
    } else if (digits < 3 || digits > 4 || !str_to_octal(line.buf, 0, PERMISSIONS, &mode) ||
               *path == '\0') {
        ftp_reply(f, FTP_BAD_ARGUMENT, "A mode from 000 to 777 and a name are wanted.");
    } else {
        ok = fchmodat(AT_FDCWD, path, (mode_t)mode, 0) == 0;
        if (ok) {
            ftp_reply(f, FTP_OK, "Mode changed.");
        } else {
            ftp_reply_errno(f, errno, false);
        }
        log_chmod(f, ok, path, mode);
    }
    str_free(&expanded);
    str_free(&line);
}

void cmd_site_umask(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(64);
    uint64_t value = f->umask;
    bool asks = *argument == '\0';

    if (!asks && !str_to_octal(argument, 0, PERMISSIONS, &value)) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "An octal umask up to 777 is wanted.");
        return;
    }
    f->umask = (unsigned)value;
    (void)umask((mode_t)value); /* cannot fail */
    str_append(&line, asks ? "The umask is " : "The umask is now ");
    str_append_octal(&line, f->umask, 4);
    ftp_reply(f, FTP_OK, str_text(&line));
    str_free(&line);
}
