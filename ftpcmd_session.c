/*
 * ftpcmd_session.c - login, and the commands that speak about the session itself
 *
 * Process: P (login) and S.
 * Trusts:  nothing that the client sends; the parent decides about logins.
 * Touches: the control connection.
 */
#include <errno.h>
#include <string.h>

#include "ftplog.h"
#include "ftpproto.h"
#include "privsock.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"
#include "xfer.h"

#define LEAST_IDLE_SEC  30 /* of SITE IDLE */
#define ALLO_DIGITS_MAX 19 /* of any size there is */

static const char *refusal(int error)
{
    return error == EUSERS ? "This user has too many sessions." : "Login incorrect.";
}

/* Hand name and password to the parent. A granted login ends this process inside the call. */
static void log_in(struct ftp *f, const char *password, size_t password_len)
{
    switch (privsock_login(f->setup->priv_fd, f->protect, str_text(&f->user), f->user.len, password,
                           password_len)) {
    case PRIVSOCK_FAILED:
        ftp_reply(f, FTP_NOT_LOGGED_IN, refusal(errno));
        break;
    case PRIVSOCK_FAILED_LAST:
        ftp_reply(f, FTP_NOT_LOGGED_IN, refusal(errno));
        f->ended = true;
        break;
    case PRIVSOCK_OK:
    case PRIVSOCK_GONE:
        ftp_end(f, "The service is going down, closing the connection.");
        break;
    }
    f->has_user = false;
    str_clear(&f->user);
}

/* After login: clients that say USER again mean no harm, if it is the same user. */
static void user_again(struct ftp *f, const char *name)
{
    bool same = f->setup->anonymous && !f->setup->guest ? privsock_is_anonymous(name)
                                                        : strcmp(name, str_text(&f->user)) == 0;

    if (same) {
        ftp_reply(f, FTP_NEED_PASSWORD, "Any password will do.");
    } else {
        ftp_reply(f, FTP_NOT_LOGGED_IN, "Changing to another user is not possible.");
    }
}

/* Does the user list of the parent let the name through? Replies if not. */
static bool may_try(struct ftp *f)
{
    switch (privsock_user(f->setup->priv_fd, str_text(&f->user), f->user.len)) {
    case PRIVSOCK_OK:
        return true;
    case PRIVSOCK_FAILED:
        ftp_reply(f, FTP_NOT_LOGGED_IN, "Permission denied.");
        break;
    case PRIVSOCK_FAILED_LAST:
        ftp_reply(f, FTP_NOT_LOGGED_IN, "Permission denied.");
        f->ended = true;
        break;
    case PRIVSOCK_GONE:
        ftp_end(f, "The service is going down, closing the connection.");
        break;
    }
    str_clear(&f->user);
    return false;
}

void cmd_user(struct ftp *f, const char *argument)
{
    if (f->setup->logged_in) {
        user_again(f, argument);
        return;
    }
    if (!f->tun->local_enable && f->tun->virtual_users_file == NULL &&
        !privsock_is_anonymous(argument)) {
        ftp_reply(f, FTP_NOT_LOGGED_IN, "This server is for anonymous users only.");
        return;
    }
    if (!ftp_may_log_in(f, privsock_is_anonymous(argument))) {
        return;
    }
    str_clear(&f->user);
    if (strlen(argument) <= LOGIN_NAME_MAX_LEN) {
        str_append(&f->user, argument); /* a longer one belongs to nobody: it stays empty */
    }
    if (f->tun->userlist_enable && !may_try(f)) {
        f->has_user = false;
        return;
    }
    f->has_user = true;
    if (f->tun->no_anon_password && f->tun->anonymous_enable && privsock_is_anonymous(argument)) {
        log_in(f, "", 0);
        return;
    }
    ftp_reply(f, FTP_NEED_PASSWORD, "Please give the password.");
}

void cmd_pass(struct ftp *f, const char *argument)
{
    size_t len = strlen(argument);

    if (f->setup->logged_in) {
        ftp_reply(f, FTP_LOGIN_OK, "You are logged in already.");
        return;
    }
    if (!f->has_user) {
        ftp_reply(f, FTP_BAD_SEQUENCE, "Say USER first.");
        return;
    }
    /* one that is too long is wrong; the parent spends on it what it spends on any wrong one */
    log_in(f, argument, len <= LOGIN_PASSWORD_MAX_LEN ? len : 0);
    ctrlio_wipe_input(&f->io);
    explicit_bzero((char *)(uintptr_t)argument, len); /* it lies in our own line buffer */
}

void cmd_quit(struct ftp *f, const char *argument)
{
    (void)argument;
    ftp_reply(f, FTP_GOODBYE, "Goodbye.");
    f->ended = true;
}

void cmd_rein(struct ftp *f, const char *argument)
{
    (void)argument;
    if (f->setup->logged_in || f->relay_fd != -1) {
        /*
         * The process that could log somebody else in has given up root; and who gives a connection back
         * without TLS (RFC 4217 4.6) invites others to speak on it.
         */
        ftp_reply(f, FTP_NOT_IMPLEMENTED, "Please reconnect to log in again.");
        return;
    }
    f->has_user = false;
    str_clear(&f->user);
    ftp_reply(f, FTP_GREETING, "Ready for a new user.");
}

void cmd_noop(struct ftp *f, const char *argument)
{
    (void)argument;
    ftp_reply(f, FTP_OK, "Here I am.");
}

void cmd_acct(struct ftp *f, const char *argument)
{
    (void)argument;
    ftp_reply(f, FTP_SUPERFLUOUS, "No account is needed.");
}

/*
 * "<n>" or "<n> R <m>": RFC 959 4.1.3. Space is found when it is needed; but what cannot be stored at all
 * is refused before it is sent, and with delete_failed_uploads an upload is held to the number.
 */
void cmd_allo(struct ftp *f, const char *argument)
{
    struct str number = STR_INIT(ALLO_DIGITS_MAX);
    size_t digits = strspn(argument, "0123456789");
    const char *rest = argument + digits;
    uint64_t size;

    str_append_mem(&number, argument, digits);
    if (!str_to_uint(str_text(&number), 0, UINT64_MAX, &size) || !str_ok(&number) ||
        (*rest != '\0' && strncmp(rest, " R ", 3) != 0 && strncmp(rest, " r ", 3) != 0)) {
        ftp_reply(f, FTP_BAD_PARAMETER, "Not a number of bytes.");
    } else if (ftp_upload_fits(f, NULL, size)) {
        f->announced = size;
        ftp_reply(f, FTP_SUPERFLUOUS, "No need to allocate space.");
    }
    str_free(&number);
}

void cmd_not_implemented(struct ftp *f, const char *argument)
{
    (void)argument;
    ftp_reply(f, FTP_NOT_IMPLEMENTED, "Command not implemented.");
}

void cmd_other_protocol(struct ftp *f, const char *argument)
{
    (void)argument;
    ftp_reply(f, FTP_UNKNOWN_COMMAND, "This is an FTP server.");
    f->ended = true;
}

void cmd_site(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(FTP_LINE_MAX);
    const struct command *command;
    char *rest;

    str_append(&line, argument);
    rest = line.buf + (ftp_split_line(line.buf) - line.buf);
    command = ftp_find_command(ftp_site_commands, line.buf);
    if (command == NULL) {
        ftp_reply(f, FTP_UNKNOWN_COMMAND, "Unknown SITE command.");
    } else {
        ftp_run_command(f, command, rest);
    }
    str_free(&line);
}

/* SITE IDLE: what the session may wait for a command, at most what the configuration allows. */
void cmd_site_idle(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(128);
    unsigned most = f->tun->idle_session_timeout;
    uint64_t value = f->idle_sec;

    if (*argument != '\0' &&
        !str_to_uint(argument, most < LEAST_IDLE_SEC ? most : LEAST_IDLE_SEC, most, &value)) {
        str_append_format(&line, "A time from %u to %u seconds is wanted.",
                          most < LEAST_IDLE_SEC ? most : LEAST_IDLE_SEC, most);
        ftp_reply(f, FTP_BAD_ARGUMENT, str_text(&line));
    } else {
        f->idle_sec = (unsigned)value;
        str_append_format(&line, "The idle time is %u seconds; the most is %u.", f->idle_sec, most);
        ftp_reply(f, FTP_OK, str_text(&line));
    }
    str_free(&line);
}

/* How far the transfer is, in the shape that clients look for. */
static void status_of_transfer(struct ftp *f, const struct xfer *x, const char *doing)
{
    struct str line = STR_INIT(128);

    if (x == NULL) {
        ftp_reply(f, FTP_STATUS, doing);
        return;
    }
    str_append(&line, "Status: ");
    str_append_uint(&line, x->bytes);
    if (x->size > 0) {
        str_append(&line, " of ");
        str_append_uint(&line, (uint64_t)x->size);
    }
    str_append(&line, " bytes transferred");
    ftp_reply(f, FTP_STATUS, str_text(&line));
    str_free(&line);
}

static void status_of_session(struct ftp *f)
{
    char peer[NETADDR_TEXT_MAX];
    struct str line = STR_INIT(512);

    netaddr_text(&f->setup->peer, peer);
    ctrlio_reply_first(&f->io, FTP_STATUS, MINIFTPD_NAME " status:");
    str_append_format(&line, "     Connected from %s", peer);
    ctrlio_reply_middle(&f->io, str_text(&line));
    str_clear(&line);
    if (f->setup->logged_in) {
        str_append_format(&line, "     Logged in as %s", str_text(&f->user));
        ctrlio_reply_middle(&f->io, str_text(&line));
        str_clear(&line);
        str_append_format(&line, "     TYPE: %s, STRUcture: File, MODE: %s",
                          f->type_ascii ? "ASCII" : "Image", f->mode_z ? "Deflate" : "Stream");
        ctrlio_reply_middle(&f->io, str_text(&line));
    } else {
        ctrlio_reply_middle(&f->io, "     Not logged in");
    }
    str_clear(&line);
    str_append_format(&line, "     The session ends after %u seconds without a command",
                      f->idle_sec);
    ctrlio_reply_middle(&f->io, str_text(&line));
    ctrlio_reply_middle(&f->io, f->relay_fd != -1 ? "     The control connection is encrypted"
                                                  : "     The control connection is not encrypted");
    ctrlio_reply_middle(&f->io, f->protect ? "     Data connections will be encrypted"
                                           : "     Data connections will not be encrypted");
    ftp_reply(f, FTP_STATUS, "End of status");
    str_free(&line);
}

void cmd_stat(struct ftp *f, const char *argument)
{
    if (*argument == '\0') {
        status_of_session(f);
    } else if (!f->setup->logged_in) {
        ftp_reply(f, FTP_NOT_LOGGED_IN, "Please log in with USER and PASS first.");
    } else {
        ftp_stat_path(f, argument);
    }
}

/* What can be answered at once: STAT without a path, and NOOP. */
static bool answer_now(struct ftp *f, const char *verb, const char *argument, const struct xfer *x,
                       const char *doing)
{
    if (x == NULL && doing == NULL) {
        return false; /* a reply of many lines is under way, and another one would be a part of it */
    }
    if (str_equal_nocase(verb, "STAT") && str_only_blanks(argument) && ftp_verb_enabled(f, verb)) {
        ftplog_command(f, "STAT");
        status_of_transfer(f, x, doing);
        return true;
    }
    if (str_equal_nocase(verb, "NOOP") && ftp_verb_enabled(f, verb)) {
        ftplog_command(f, "NOOP");
        cmd_noop(f, "");
        return true;
    }
    return false;
}

/* Look at what came; see ftp_is_aborted() and ftp_is_given_up(). */
static bool look_for_end(struct ftp *f, const struct xfer *x, const char *doing, bool with_quit)
{
    struct str line = STR_INIT(FTP_LINE_MAX);
    bool ended = false;
    bool front = false;

    while (!ended && ctrlio_next_line(&f->io, &line, &front)) {
        const char *argument = line.len > 0 ? ftp_split_line(line.buf) : "";
        const char *verb = str_text(&line);

        /* their own replies come in their turn */
        ended = (str_equal_nocase(verb, "ABOR") && ftp_verb_enabled(f, "ABOR")) ||
                (with_quit && str_equal_nocase(verb, "QUIT") && ftp_verb_enabled(f, "QUIT"));
        if (!ended && front && answer_now(f, verb, argument, x, doing)) {
            (void)ctrlio_read_line(&f->io, &line, sysutil_now_ms()); /* the one just seen */
        }
    }
    str_free(&line);
    return ended;
}

bool ftp_is_aborted(struct ftp *f, const struct xfer *x, const char *doing)
{
    return look_for_end(f, x, doing, false);
}

bool ftp_is_given_up(struct ftp *f, const char *doing)
{
    return look_for_end(f, NULL, doing, true);
}
