/*
 * ftpcmd_tls.c - the commands of RFC 4217, and who must and may use TLS
 *
 * Process: P (AUTH) and S.
 * Trusts:  nothing that the client sends.
 * Touches: the control connection, which it exchanges for the plain stream of the relay.
 */
#include <string.h>

#include "ftpproto.h"
#include "log.h"
#include "privsock.h"
#include "str.h"
#include "sysutil.h"
#include "tlslink.h"
#include "tunable.h"

#define FACTS_MAX 512

static void tell_log(const struct ftp *f, enum log_event event, const char *what,
                     const struct str *text)
{
    struct str line = STR_INIT(FACTS_MAX);
    struct log_record record = {.event = event};

    str_append_format(&line, "%s: %s", what, str_text(text));
    record.text = str_text(&line);
    record.text_len = line.len;
    (void)privsock_log(f->setup->priv_fd, &record); /* the next wait notices a dead parent */
    str_free(&line);
}

/* SECURITY: nothing that came before TLS counts in it (RFC 4217 15.1.1; CVE-2011-0411). */
static void forget_all(struct ftp *f)
{
    f->has_user = f->has_renaming = false;
    f->restart = 0;
    str_clear(&f->user);
}

bool ftp_begin_tls(struct ftp *f)
{
    struct str text = STR_INIT(FACTS_MAX);
    bool good = tlslink_shake(f->relay_fd, f->setup->priv_fd, &text);

    forget_all(f);
    if (!good) {
        tell_log(f, LOG_EVENT_WARNING, "no TLS with this client", &text);
    } else if (f->tun->debug_ssl) {
        tell_log(f, LOG_EVENT_DEBUG, "control connection", &text);
    }
    str_free(&text);
    return good;
}

/* How AUTH may be called, and whether data connections are to be encrypted without PROT. */
static const struct {
    const char *name;
    bool protect;
} mechanisms[] = {{"TLS", false}, {"TLS-C", false}, {"SSL", true}, {"TLS-P", true}};

/* 234, then the connection is the relay's alone. */
static void change_to_tls(struct ftp *f)
{
    int old_fd = f->io.ctrl_fd;
    int plain_fd;

    switch (privsock_start_tls(f->setup->priv_fd, &plain_fd, &f->relay_fd)) {
    case PRIVSOCK_OK:
        break;
    case PRIVSOCK_FAILED:
    case PRIVSOCK_FAILED_LAST:
        f->protect = false;
        ftp_reply(f, FTP_NO_SECURITY, "TLS is not available now, try again later.");
        return;
    case PRIVSOCK_GONE:
        ftp_end(f, "The service is going down, closing the connection.");
        return;
    }
    ftp_reply(f, FTP_SECURITY_OK, "TLS may begin.");
    f->ended = !ctrlio_flush(&f->io);
    ctrlio_switch(&f->io, plain_fd);
    sysutil_close(&old_fd);
    f->ended = f->ended || !ftp_begin_tls(f);
}

void cmd_auth(struct ftp *f, const char *argument)
{
    if (f->relay_fd != -1) {
        ftp_reply(f, FTP_BAD_SEQUENCE, "The connection is encrypted already.");
        return;
    }
    if (f->setup->logged_in) {
        ftp_reply(f, FTP_BAD_SEQUENCE, "TLS has to begin before the login.");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
        if (str_equal_nocase(argument, mechanisms[i].name)) {
            f->protect = mechanisms[i].protect;
            change_to_tls(f);
            return;
        }
    }
    ftp_reply(f, FTP_BAD_PARAMETER, "Only TLS is known here.");
}

void cmd_pbsz(struct ftp *f, const char *argument)
{
    uint64_t size;

    if (f->relay_fd == -1) {
        ftp_reply(f, FTP_BAD_SEQUENCE, "AUTH TLS comes first.");
    } else if (!str_to_uint(argument, 0, UINT32_MAX, &size)) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "Not a number.");
    } else {
        ftp_reply(f, FTP_OK, "PBSZ=0"); /* TLS has buffers of its own: RFC 4217 9 */
    }
}

bool ftp_must_protect(const struct ftp *f)
{
    return f->tun->ssl_enable &&
           (f->setup->anonymous && !f->setup->guest ? f->tun->force_anon_data_ssl
                                                    : f->tun->force_local_data_ssl);
}

void cmd_prot(struct ftp *f, const char *argument)
{
    bool clear = str_equal_nocase(argument, "C");

    if (f->relay_fd == -1) {
        ftp_reply(f, FTP_BAD_SEQUENCE, "AUTH TLS comes first.");
    } else if (str_equal_nocase(argument, "S") || str_equal_nocase(argument, "E")) {
        ftp_reply(f, FTP_NO_SUCH_PROTECTION, "TLS has C and P only.");
    } else if (!clear && !str_equal_nocase(argument, "P")) {
        ftp_reply(f, FTP_BAD_PARAMETER, "Only C and P are known here.");
    } else if (clear && f->setup->logged_in && ftp_must_protect(f)) {
        ftp_reply(f, FTP_AGAINST_POLICY, "Data connections must be encrypted here.");
    } else {
        f->protect = !clear;
        ftp_reply(f, FTP_OK,
                  clear ? "Data connections will not be encrypted."
                        : "Data connections will be encrypted.");
    }
}

/* SECURITY: never back to the clear in the middle of a session; clients.md and security.md S2. */
void cmd_ccc(struct ftp *f, const char *argument)
{
    (void)argument;
    if (f->relay_fd == -1) {
        ftp_reply(f, FTP_UNPROTECTED, "The connection is not encrypted.");
    } else {
        ftp_reply(f, FTP_AGAINST_POLICY, "The connection stays encrypted.");
    }
}

bool ftp_may_log_in(struct ftp *f, bool anonymous)
{
    const struct tunables *tun = f->tun;
    bool forced = anonymous ? tun->force_anon_logins_ssl : tun->force_local_logins_ssl;
    const char *refusal = NULL;

    if (f->relay_fd == -1 && tun->ssl_enable && forced) {
        refusal = anonymous ? "Anonymous sessions must be encrypted: AUTH TLS."
                            : "Sessions must be encrypted: AUTH TLS.";
    } else if (f->relay_fd != -1 && anonymous && !tun->allow_anon_ssl && !forced) {
        refusal = "Anonymous sessions cannot be encrypted here.";
    }
    if (refusal != NULL) {
        ftp_reply(f, FTP_NOT_LOGGED_IN, refusal);
        f->ended = true; /* before a password is sent: as vsftpd */
    }
    return refusal == NULL;
}
