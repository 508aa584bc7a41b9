/*
 * ftpcmd_list.c - listings: LIST, NLST, MLSD, MLST and STAT with a path
 *
 * Process: S.
 * Trusts:  the kernel's checks, made with the user's rights inside the user's root.
 * Touches: directories of the user, data connections.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dirfacts.h"
#include "dirlist.h"
#include "ftpproto.h"
#include "ftpxfer.h"
#include "str.h"
#include "tunable.h"
#include "xfer.h"

#define LISTING_BUFFER (64 * 1024)

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

    while (result == XFER_DONE && dirlist_fill(list, f->listing, LISTING_BUFFER, &len)) {
        size_t sent = 0;

        do {
            result = xfer_send_text(x, &f->io, f->listing, len, &sent);
        } while (result == XFER_INPUT && !ftp_is_aborted(f, x, ""));
    }
    if (result == XFER_DONE && list->error != 0) {
        x->error = list->error;
        return XFER_FILE;
    }
    while (result == XFER_DONE) {
        result = xfer_end_text(x, &f->io);
        if (result != XFER_INPUT || ftp_is_aborted(f, x, "")) {
            break;
        }
        result = XFER_DONE;
    }
    return result;
}

/* A listing over its data connection. */
static void transfer_listing(struct ftp *f, struct dirlist *list)
{
    int data_fd = ftp_open_data(f, "Here comes the listing.");
    enum xfer_result result;
    struct xfer x;

    if (data_fd == -1) {
        return;
    }
    ftp_begin_transfer(f, &x, data_fd, -1, false);
    if (!ftp_convert(f, &x, true, false)) {
        xfer_close(&x, false);
        return;
    }
    ftp_show_transfer(f, &x, NULL);
    result = send_listing(f, &x, list);
    xfer_close(&x, result == XFER_DONE || result == XFER_INPUT);
    if (result == XFER_DONE) {
        ftp_reply(f, FTP_TRANSFER_OK, "Listing complete.");
    } else {
        ftp_reply_transfer(f, result, x.error);
    }
    ftp_log_tls(f, &x, result);
}

/* Is there something of that name, whatever slashes stand behind it? */
static bool exists(const char *path)
{
    struct str name = STR_INIT((size_t)2 * FTP_LINE_MAX);
    struct stat st;
    bool found;

    str_append(&name, path);
    while (name.len > 1 && str_text(&name)[name.len - 1] == '/') {
        str_truncate(&name, name.len - 1);
    }
    found = stat(str_text(&name), &st) == 0;
    str_free(&name);
    return found;
}

/* Make the listing of a path. Replies on failure; `refused` is the code for what cannot be listed. */
static bool open_listing(struct ftp *f, const char *path, const struct dirlist_options *options,
                         enum ftp_code refused, struct dirlist *list)
{
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    const char *taken = ftp_take_directory(f, path, &expanded);
    bool opened = taken != NULL && need_listing_buffer(f);

    if (opened && !dirlist_open(list, taken, options, &f->look)) {
        int saved_errno = errno;

        if (options->format == DIRLIST_FACTS && saved_errno == ENOTDIR && exists(taken)) {
            ftp_reply(f, FTP_BAD_ARGUMENT, "Not a directory."); /* RFC 3659 7.2.1 */
        } else {
            ftp_reply_errno_as(f, saved_errno, refused);
        }
        opened = false;
    }
    str_free(&expanded);
    return opened;
}

/* What the configuration adds to the options of the client and takes away from them. */
static void rule_options(struct ftp *f, struct dirlist_options *options)
{
    options->access = &f->access;
    options->cwd = str_text(&f->cwd);
    options->world_readable = f->look.world_readable;
    options->all = options->all || f->tun->force_dot_files;
    options->recurse = options->recurse && f->tun->ls_recurse_enable;
}

static void list_in_format(struct ftp *f, const char *argument, enum dirlist_format format)
{
    struct dirlist_options options = {.format = format};
    struct dirlist list;

    if (format != DIRLIST_FACTS) { /* "-a" is a name for MLSD: RFC 3659 7.1 */
        argument = dirlist_parse_options(argument, &options);
    }
    rule_options(f, &options);
    if (open_listing(f, argument, &options, FTP_REFUSED, &list)) {
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

void cmd_mlsd(struct ftp *f, const char *argument)
{
    list_in_format(f, argument, DIRLIST_FACTS);
}

void cmd_mlst(struct ftp *f, const char *argument)
{
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    struct str absolute = STR_INIT((size_t)4 * FTP_LINE_MAX);
    struct str first = STR_INIT((size_t)4 * FTP_LINE_MAX);
    const char *path = ftp_take_directory(f, argument, &expanded);
    size_t len;

    if (path == NULL || !need_listing_buffer(f)) {
        str_free(&expanded);
        return;
    }
    f->look.withheld = ftp_withheld_letters(f, path);
    str_append(&first, "Listing ");
    ftp_absolute(f, path, &absolute);
    f->listing[0] = ' ';
    len = dirfacts_put(f->listing + 1, path, str_text(&absolute), &f->look);
    if (len == 0) {
        ftp_reply_errno(f, errno, false);
    } else {
        f->listing[len + 1] = '\0';
        str_append(&first, str_text(&absolute));
        ctrlio_reply_first(&f->io, FTP_FILE_OK, str_text(&first));
        ctrlio_reply_middle(&f->io, f->listing);
        ftp_reply(f, FTP_FILE_OK, "End");
    }
    str_free(&expanded);
    str_free(&absolute);
    str_free(&first);
}

/* Lines over the control connection. */
static void reply_lines(struct ftp *f, char *line)
{
    for (char *end; (end = strstr(line, "\r\n")) != NULL; line = end + 2) {
        *end = '\0';
        ctrlio_reply_middle(&f->io, line);
    }
}

void ftp_stat_path(struct ftp *f, const char *path)
{
    struct dirlist_options options = {.format = DIRLIST_LONG, .all = true, .dots = true};
    enum ftp_work_state state = FTP_WORK_GOES_ON;
    struct ftp_work work;
    struct dirlist list;
    size_t len;

    if (!f->tun->dirlist_enable) {
        ftp_reply(f, FTP_REFUSED, "Permission denied.");
        return;
    }
    path = dirlist_parse_options(path, &options);
    options.format = DIRLIST_LONG;
    rule_options(f, &options);
    if (!open_listing(f, path, &options, FTP_TEMPORARY,
                      &list)) { /* RFC 959 5.4 knows no 550 here */
        return;
    }
    ftp_work_begin(f, &work, NULL);
    ctrlio_reply_first(&f->io, FTP_FILE_STATUS, "Status follows:");
    while (state == FTP_WORK_GOES_ON && dirlist_fill(&list, f->listing, LISTING_BUFFER - 1, &len)) {
        f->listing[len] = '\0';
        reply_lines(f, f->listing);
        state = f->io.broken ? FTP_WORK_GONE : ftp_work_look(f, &work);
    }
    /* whatever ended it, the reply has to end as it began */
    ftp_reply(f, FTP_FILE_STATUS,
              state == FTP_WORK_GOES_ON ? "End of status" : "Status ends here, not complete");
    dirlist_close(&list);
}
