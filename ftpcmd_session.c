/*
 * ftpcmd_session.c - login, and the commands that speak about the session itself
 *
 * Process: P (login) and S.
 * Trusts:  nothing that the client sends; the parent decides about logins.
 * Touches: the control connection.
 */
#include <string.h>

#include "ftpproto.h"
#include "privsock.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"
#include "xfer.h"

/* Hand name and password to the parent. A granted login ends this process inside the call. */
static void log_in(struct ftp *f, const char *password, size_t password_len)
{
    switch (privsock_login(f->setup->priv_fd, str_text(&f->user), f->user.len, password,
                           password_len)) {
    case PRIVSOCK_FAILED:
        ftp_reply(f, FTP_NOT_LOGGED_IN, "Login incorrect.");
        break;
    case PRIVSOCK_FAILED_LAST:
        ftp_reply(f, FTP_NOT_LOGGED_IN, "Login incorrect.");
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
    bool same =
        f->setup->anonymous ? privsock_is_anonymous(name) : strcmp(name, str_text(&f->user)) == 0;

    if (same) {
        ftp_reply(f, FTP_NEED_PASSWORD, "Any password will do.");
    } else {
        ftp_reply(f, FTP_NOT_LOGGED_IN, "Changing to another user is not possible.");
    }
}

void cmd_user(struct ftp *f, const char *argument)
{
    if (f->setup->logged_in) {
        user_again(f, argument);
        return;
    }
    if (!f->tun->local_enable && !privsock_is_anonymous(argument)) {
        ftp_reply(f, FTP_NOT_LOGGED_IN, "This server is for anonymous users only.");
        return;
    }
    str_clear(&f->user);
    if (strlen(argument) <= LOGIN_NAME_MAX_LEN) {
        str_append(&f->user, argument); /* a longer one belongs to nobody: it stays empty */
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
    if (f->setup->logged_in) {
        /* the process that could log somebody else in has given up root */
        ftp_reply(f, FTP_NOT_IMPLEMENTED, "Please reconnect to log in again.");
        return;
    }
    f->has_user = false;
    str_clear(&f->user);
    ftp_reply(f, FTP_GREETING, "Ready for a new user.");
}

void cmd_syst(struct ftp *f, const char *argument)
{
    (void)argument;
    ftp_reply(f, FTP_SYSTEM, "UNIX Type: L8");
}

void cmd_feat(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(64);

    (void)argument;
    ctrlio_reply_first(&f->io, FTP_STATUS, "Features:");
    for (const struct command *c = ftp_commands; c->verb != NULL; c++) {
        if (c->feature != NULL && ftp_command_enabled(f, c)) {
            str_clear(&line);
            str_append_char(&line, ' ');
            str_append(&line, c->feature);
            ctrlio_reply_middle(&f->io, str_text(&line));
        }
    }
    ctrlio_reply_middle(&f->io, " TVFS");
    ctrlio_reply_middle(&f->io, " UTF8");
    ftp_reply(f, FTP_STATUS, "End");
    str_free(&line);
}

void cmd_opts(struct ftp *f, const char *argument)
{
    if (str_equal_nocase(argument, "UTF8 ON") || str_equal_nocase(argument, "UTF8") ||
        str_equal_nocase(argument, "UTF-8 ON") || str_equal_nocase(argument, "UTF-8")) {
        ftp_reply(f, FTP_OK, "Names are always UTF-8.");
    } else if (str_equal_nocase(argument, "UTF8 OFF") || str_equal_nocase(argument, "UTF-8 OFF")) {
        ftp_reply(f, FTP_BAD_PARAMETER, "Names are always UTF-8.");
    } else {
        ftp_reply(f, FTP_BAD_ARGUMENT, "Unknown option.");
    }
}

void cmd_clnt(struct ftp *f, const char *argument)
{
    (void)argument;
    ftp_reply(f, FTP_OK, "Noted.");
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

/* "<n>" or "<n> R <m>": RFC 959 4.1.3. Space is found when it is needed. */
void cmd_allo(struct ftp *f, const char *argument)
{
    size_t digits = strspn(argument, "0123456789");
    const char *rest = argument + digits;

    if (digits > 0 && digits <= 19 &&
        (*rest == '\0' || strncmp(rest, " R ", 3) == 0 || strncmp(rest, " r ", 3) == 0)) {
        ftp_reply(f, FTP_SUPERFLUOUS, "No need to allocate space.");
    } else {
        ftp_reply(f, FTP_BAD_PARAMETER, "Not a number of bytes.");
    }
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

/* The verbs of a table, eight in a line. */
static void help_verbs(struct ftp *f, const struct command *table)
{
    struct str line = STR_INIT(128);
    unsigned column = 0;

    for (const struct command *c = table; c->verb != NULL; c++) {
        if ((c->flags & CMD_HIDDEN) != 0 || !ftp_command_enabled(f, c)) {
            continue;
        }
        str_append_format(&line, " %-5s", c->verb);
        if (++column % 8 == 0) {
            ctrlio_reply_middle(&f->io, str_text(&line));
            str_clear(&line);
        }
    }
    if (line.len > 0) {
        ctrlio_reply_middle(&f->io, str_text(&line));
    }
    str_free(&line);
}

void cmd_site_help(struct ftp *f, const char *argument)
{
    (void)argument;
    ctrlio_reply_first(&f->io, FTP_HELP, "The SITE commands are:");
    help_verbs(f, ftp_site_commands);
    ftp_reply(f, FTP_HELP, "End of the list.");
}

void cmd_help(struct ftp *f, const char *argument)
{
    const struct command *command;
    struct str line = STR_INIT(256);

    if (*argument == '\0') {
        ctrlio_reply_first(&f->io, FTP_HELP, "The commands are:");
        help_verbs(f, ftp_commands);
        ftp_reply(f, FTP_HELP, "End of the list.");
        return;
    }
    if (str_equal_nocase(argument, "SITE")) {
        cmd_site_help(f, "");
        return;
    }
    command = ftp_find_command(ftp_commands, argument);
    if (command == NULL || (command->flags & CMD_HIDDEN) != 0) {
        ftp_reply(f, FTP_NOT_IMPLEMENTED, "Unknown command.");
        return;
    }
    str_append_format(&line, "Syntax: %s %s", command->verb, command->help);
    ftp_reply(f, FTP_HELP, str_text(&line));
    str_free(&line);
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

/* How far the transfer is, in the shape that clients look for. */
static void status_of_transfer(struct ftp *f, const struct xfer *x)
{
    struct str line = STR_INIT(128);

    if (x == NULL) {
        ftp_reply(f, FTP_STATUS, "Waiting for the data connection.");
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
        ctrlio_reply_middle(&f->io, f->type_ascii
                                        ? "     TYPE: ASCII, STRUcture: File, MODE: Stream"
                                        : "     TYPE: Image, STRUcture: File, MODE: Stream");
    } else {
        ctrlio_reply_middle(&f->io, "     Not logged in");
    }
    str_clear(&line);
    str_append_format(&line, "     The session ends after %u seconds without a command",
                      f->tun->idle_session_timeout);
    ctrlio_reply_middle(&f->io, str_text(&line));
    ctrlio_reply_middle(&f->io, "     The control connection is not encrypted");
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

bool ftp_is_aborted(struct ftp *f, const struct xfer *x)
{
    struct str line = STR_INIT(FTP_LINE_MAX);
    bool aborted = false;
    bool front = false;

    while (!aborted && ctrlio_next_line(&f->io, &line, &front)) {
        bool answered = front;

        if (str_equal_nocase(str_text(&line), "ABOR")) {
            aborted = true; /* its own reply comes in its turn */
            answered = false;
        } else if (front && str_equal_nocase(str_text(&line), "STAT")) {
            status_of_transfer(f, x);
        } else if (front && str_equal_nocase(str_text(&line), "NOOP")) {
            cmd_noop(f, "");
        } else {
            answered = false; /* in its turn, too: after the transfer */
        }
        if (answered) {
            (void)ctrlio_read_line(&f->io, &line, sysutil_now_ms()); /* the one just seen */
        }
    }
    str_free(&line);
    return aborted;
}
