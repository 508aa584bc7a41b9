/*
 * confcheck.c - whether the options of a correct configuration do together what they say
 *
 * Process: miniftpd -t.
 * Trusts:  the table of options. The values are those of a configuration without errors.
 * Touches: memory of its own only.
 */
#include "confcheck.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ftpproto.h"
#include "parseconf.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"

#define WARNING_MAX 1024

/* One thing to look for; `holds` is the condition, already worked out. */
struct finding {
    const char *option; /* the one that the warning is about */
    bool holds;
    const char *text;
};

static const char *origin_of(const struct confcheck *check, const char *option)
{
    const struct tunable_row *row = tunable_find(option);

    if (row == NULL) {
        bug("a warning about no option");
    }
    return parseconf_origin(check->report, row);
}

bool confcheck_is_set(const struct confcheck *check, const char *option)
{
    return origin_of(check, option) != NULL;
}

void confcheck_warn(const struct confcheck *check, const char *option, const char *format, ...)
{
    const char *origin = origin_of(check, option);
    char text[WARNING_MAX];
    va_list args;

    if (origin == NULL && check->only_set) {
        return;
    }
    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) < 0) {
        text[0] = '\0';
    }
    va_end(args);
    if (origin != NULL) {
        str_append_format(check->warnings, "%s: ", origin);
    }
    str_append_format(check->warnings, "%s: %s\n", option, text);
}

static void warn_of(const struct confcheck *check, const struct finding *findings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (findings[i].holds) {
            confcheck_warn(check, findings[i].option, "%s", findings[i].text);
        }
    }
}

/* ---- who ---- */

static bool has_anon_rights(const struct tunables *t)
{
    return t->anon_upload_enable || t->anon_mkdir_write_enable || t->anon_other_write_enable;
}

static void check_logins(const struct confcheck *check)
{
    const struct tunables *t = check->tun;
    bool guests = (t->guest_enable && t->local_enable) || t->virtual_users_file != NULL;
    bool anon_rights = has_anon_rights(t);
    /* clang-format off */
    const struct finding findings[] = {
        { "anonymous_enable", t->anonymous_enable && !confcheck_is_set(check, "anonymous_enable"),
          "is YES because the configuration does not say NO: anybody can log in as anonymous. Say what you want" },
        { t->guest_enable ? "guest_enable" : "virtual_users_file",
          guests && t->write_enable && !t->virtual_use_local_privs && !anon_rights,
          "guests have the rights of anonymous users, so they cannot write in spite of write_enable=YES: set "
          "virtual_use_local_privs=YES, or those of anon_upload_enable, anon_mkdir_write_enable and "
          "anon_other_write_enable that they need" },
        { "guest_enable", t->guest_enable && !guests,
          "has no effect: with local_enable=NO nobody logs in with a password. Set local_enable=YES" },
        { "virtual_use_local_privs", t->virtual_use_local_privs && !guests,
          "has no effect: there are no guests. Set guest_enable=YES, or name a virtual_users_file" },
        { "virtual_use_local_privs", t->virtual_use_local_privs && guests && anon_rights && !t->anonymous_enable,
          "makes the anon_ options that allow writing meaningless: guests get all rights of local users. "
          "Remove one or the other" },
        { "userlist_deny", !t->userlist_deny && !t->userlist_enable,
          "userlist_file restricts nobody: set userlist_enable=YES" },
        { "userlist_file", confcheck_is_set(check, "userlist_file") && !t->userlist_enable,
          "is not read: set userlist_enable=YES" },
        { "chroot_list_file", confcheck_is_set(check, "chroot_list_file") && !t->chroot_list_enable,
          "is not read: set chroot_list_enable=YES" },
        { "passwd_chroot_enable", t->passwd_chroot_enable && !t->chroot_local_user && !t->chroot_list_enable,
          "has no effect as long as nobody is kept in: set chroot_local_user=YES" },
        { "local_root", t->local_root != NULL && !t->local_enable && t->virtual_users_file == NULL,
          "has no effect: with local_enable=NO nobody logs in with a password" },
        { "local_root", t->local_root != NULL && strchr(t->local_root, '$') != NULL && t->user_sub_token == NULL,
          "holds a $, which is a letter like any other: set user_sub_token to what stands for the user's name" },
        { "user_sub_token", t->user_sub_token != NULL && !guests &&
                                (t->local_root == NULL || strstr(t->local_root, t->user_sub_token) == NULL),
          "has no effect: local_root does not hold it" },
        { "run_as_launching_user", t->run_as_launching_user && t->local_enable,
          "accounts of this machine cannot log in then: set local_enable=NO" },
#ifndef WITH_PAM
        { "pam_service_name", t->local_enable && confcheck_is_set(check, "pam_service_name"),
          "has no effect: this build has no PAM, so what the file in /etc/pam.d asks for (pam_listfile with "
          "/etc/ftpusers, virtual users) does not happen. Use userlist_file or virtual_users_file, or a build "
          "with WITH_PAM=1" },
        { "session_support", t->session_support, "has no effect: this build has no PAM" },
#endif
    };
    /* clang-format on */

    warn_of(check, findings, ARRAY_LEN(findings));
}

/* Could an anonymous user fetch what another one has stored? */
static bool uploads_are_public(const struct tunables *t)
{
    unsigned mode = t->file_open_mode & ~t->anon_umask;

    if (!t->anonymous_enable || !t->write_enable || !t->anon_upload_enable || !t->download_enable) {
        return false;
    }
    if (t->chown_uploads) {
        return (t->chown_upload_mode & 04) != 0;
    }
    return (mode & 04) != 0 || !t->anon_world_readable_only;
}

static void check_writing(const struct confcheck *check)
{
    const struct tunables *t = check->tun;
    bool guests = t->guest_enable || t->virtual_users_file != NULL;
    bool anon_like = t->anonymous_enable || (guests && !t->virtual_use_local_privs);
    /* clang-format off */
    const struct finding findings[] = {
        { "anon_upload_enable", t->anon_upload_enable && !t->write_enable,
          "has no effect without write_enable=YES" },
        { "anon_mkdir_write_enable", t->anon_mkdir_write_enable && !t->write_enable,
          "has no effect without write_enable=YES" },
        { "anon_other_write_enable", t->anon_other_write_enable && !t->write_enable,
          "has no effect without write_enable=YES" },
        { "anon_upload_enable", has_anon_rights(t) && t->write_enable && !anon_like && !guests,
          "rights of anonymous users have no effect: anonymous_enable=NO, and there are no guests" },
        { "anon_upload_enable", uploads_are_public(t),
          "what one anonymous user stores every other can fetch: strangers will trade files here. Set "
          "anon_umask=077 and anon_world_readable_only=YES, or chown_uploads=YES with chown_upload_mode=0600" },
        { "anon_other_write_enable", t->anonymous_enable && t->write_enable && t->anon_other_write_enable,
          "lets anybody delete and overwrite what the account ftp_username may write: leave it NO for a drop box" },
        { "chown_uploads", t->chown_uploads && !(t->anon_upload_enable && t->write_enable && anon_like),
          "has no effect: anonymous users cannot upload" },
        { "local_umask", t->local_enable && t->write_enable && (t->local_umask & 02) == 0,
          "every account of this machine can write what local users create: 022 is usual" },
        { "file_open_mode", (t->file_open_mode & 0600) != 0600,
          "takes away the owner's right to read or write uploads, which cannot be resumed then: 0666 is usual" },
        { "lock_upload_files", !t->lock_upload_files && t->write_enable,
          "two sessions can write one file at the same time: leave it YES unless the file system has no locks" },
    };
    /* clang-format on */

    warn_of(check, findings, ARRAY_LEN(findings));
}

/* ---- data connections ---- */

/* As many ports as sessions: each session keeps its passive port. */
static void check_range(const struct confcheck *check)
{
    const struct tunables *t = check->tun;
    unsigned low = t->pasv_min_port < 1024 ? 1024 : t->pasv_min_port;
    unsigned high = t->pasv_max_port == 0 ? 65535 : t->pasv_max_port;
    unsigned ports = high - low + 1;

    if (!t->pasv_enable || (t->max_clients > 0 && ports >= t->max_clients) ||
        (!t->listen && !t->listen_ipv6)) { /* from inetd: nobody counts sessions */
        return;
    }
    if (t->max_clients > 0) {
        confcheck_warn(
            check, "pasv_max_port",
            "pasv_min_port to pasv_max_port are %u ports for max_clients=%u sessions. They are "
            "shared, but no more than %u clients can open a data connection at the same moment; "
            "others get 425. If that is too few, widen the range, or set max_clients=%u",
            ports, t->max_clients, ports, ports);
    } else if (t->pasv_max_port != 0) {
        confcheck_warn(
            check, "max_clients",
            "is 0, no limit, but pasv_min_port to pasv_max_port are %u ports, and no more "
            "clients can open a data connection at the same moment: set max_clients=%u",
            ports, ports);
    }
}

static void check_data(const struct confcheck *check)
{
    const struct tunables *t = check->tun;
    /* clang-format off */
    const struct finding findings[] = {
        { "pasv_enable", !t->pasv_enable && !t->port_enable,
          "with port_enable=NO there is no way to transfer or list anything: set one of them to YES" },
        { "connect_from_port_20", t->connect_from_port_20 && !t->port_enable,
          "has no effect, because port_enable=NO" },
        { "ftp_data_port", confcheck_is_set(check, "ftp_data_port") && !t->connect_from_port_20,
          "has no effect, because connect_from_port_20=NO" },
        { "port_promiscuous", t->port_promiscuous && !t->port_enable,
          "has no effect, because port_enable=NO" },
        { "port_promiscuous", t->port_promiscuous && t->port_enable,
          "users can have this machine connect to any address and port (FTP bounce): leave it NO unless you "
          "need transfers from server to server" },
        { "pasv_promiscuous", t->pasv_promiscuous && !t->pasv_enable,
          "has no effect, because pasv_enable=NO" },
        { "pasv_promiscuous", t->pasv_promiscuous && t->pasv_enable,
          "whoever connects to a passive port first gets the data, or sends it: leave it NO unless clients "
          "come from several addresses at once" },
        { "pasv_address", t->pasv_address != NULL && !t->pasv_enable,
          "has no effect, because pasv_enable=NO" },
        { "pasv_address_map", t->pasv_address_map != NULL && !t->pasv_enable,
          "has no effect, because pasv_enable=NO" },
        { "pasv_addr_resolve", t->pasv_addr_resolve && t->pasv_address == NULL,
          "has no effect: pasv_address names no host" },
        { "pasv_max_port", confcheck_is_set(check, "pasv_max_port") && t->pasv_max_port != 0 && !t->pasv_enable,
          "has no effect, because pasv_enable=NO" },
        { "trans_chunk_size", t->trans_chunk_size > 0 && t->trans_chunk_size < 4096,
          "counts as 4096, the smallest size" },
        { "anon_max_rate", t->anon_max_rate > 0 && !t->anonymous_enable && !t->guest_enable &&
                               t->virtual_users_file == NULL,
          "has no effect: anonymous_enable=NO, and there are no guests" },
    };
    /* clang-format on */

    warn_of(check, findings, ARRAY_LEN(findings));
    check_range(check);
}

/* ---- logs and the rest ---- */

static bool same_text(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void check_logs(const struct confcheck *check)
{
    const struct tunables *t = check->tun;
    bool to_file = t->xferlog_enable || t->dual_log_enable;
    bool native = t->dual_log_enable || !t->xferlog_std_format;
    bool native_set = confcheck_is_set(check, "vsftpd_log_file");
    /* clang-format off */
    const struct finding findings[] = {
        { "xferlog_std_format", t->xferlog_std_format && !to_file,
          "has no effect: no log file is written. Set xferlog_enable=YES" },
        { "vsftpd_log_file", native_set && !to_file && !t->syslog_enable,
          "is not written: set xferlog_enable=YES" },
        { "vsftpd_log_file", native_set && t->syslog_enable,
          "is not written: syslog_enable=YES sends the log to syslog. Remove one of them" },
        { "vsftpd_log_file", native_set && to_file && !native && !t->syslog_enable,
          "is not written: xferlog_std_format=YES puts transfers into xferlog_file only. Set "
          "dual_log_enable=YES for both" },
        { "xferlog_file", confcheck_is_set(check, "xferlog_file") && !t->dual_log_enable &&
                              !(t->xferlog_enable && t->xferlog_std_format),
          "is not written: set xferlog_enable=YES with xferlog_std_format=YES, or dual_log_enable=YES" },
        { "dual_log_enable", t->dual_log_enable && !t->syslog_enable && same_text(t->vsftpd_log_file, t->xferlog_file),
          "mixes two formats in one file: let vsftpd_log_file and xferlog_file differ" },
        { "log_ftp_protocol", t->log_ftp_protocol && !to_file && !t->syslog_enable,
          "has no effect: no log is written. Set xferlog_enable=YES" },
        { "log_ftp_protocol", t->log_ftp_protocol && t->xferlog_enable && !native && !t->syslog_enable,
          "has no effect: xferlog_file holds transfers only. Set dual_log_enable=YES" },
    };
    /* clang-format on */

    warn_of(check, findings, ARRAY_LEN(findings));
}

static void check_others(const struct confcheck *check)
{
    const struct tunables *t = check->tun;
    /* clang-format off */
    const struct finding findings[] = {
        { "use_localtime", t->use_localtime,
          "MDTM gives local time too, where clients expect UTC and may take files for changed: leave it NO, or "
          "have clients use MLSD and MFMT, which stay in UTC" },
        { "seccomp_sandbox", !t->seccomp_sandbox,
          "NO is for looking for faults. Many a vsftpd.conf has it because of faults in vsftpd's filter: remove "
          "the line" },
        { "banner_file", t->banner_file != NULL && t->ftpd_banner != NULL,
          "is sent instead of ftpd_banner: remove one of them" },
        { "message_file", confcheck_is_set(check, "message_file") && !t->dirmessage_enable,
          "is shown to nobody: set dirmessage_enable=YES" },
        { "max_per_ip", t->max_clients > 0 && t->max_per_ip > t->max_clients &&
                            confcheck_is_set(check, "max_per_ip"),
          "is above max_clients, so one address can take every session" },
    };
    /* clang-format on */

    warn_of(check, findings, ARRAY_LEN(findings));
}

/* ---- commands ---- */

/* Call `visit` for each verb of a list with commas; returns false as soon as it does. */
static bool each_verb(const char *list, bool (*visit)(const char *verb, void *context),
                      void *context)
{
    char *copy = strdup(list != NULL ? list : "");
    char *rest = copy;
    char *verb;
    bool all = true;

    while (all && (verb = strsep(&rest, ",")) != NULL) {
        size_t len = strlen(verb);

        while (len > 0 && str_is_blank(verb[len - 1])) {
            verb[--len] = '\0';
        }
        while (str_is_blank(*verb)) {
            verb++;
        }
        all = *verb == '\0' || visit(verb, context);
    }
    free(copy);
    return all;
}

static bool is_other_verb(const char *verb, void *context)
{
    return !str_equal_nocase(verb, context);
}

static bool list_holds(const char *list, const char *verb)
{
    return !each_verb(list, is_other_verb, (void *)(uintptr_t)verb);
}

/* Does the command work after login, as far as the two lists say? */
static bool verb_works(const struct tunables *t, const char *verb)
{
    return (t->cmds_allowed == NULL || list_holds(t->cmds_allowed, verb)) &&
           !list_holds(t->cmds_denied, verb);
}

static bool any_works(const struct tunables *t, const char *const *verbs)
{
    for (; *verbs != NULL; verbs++) {
        if (verb_works(t, *verbs)) {
            return true;
        }
    }
    return false;
}

/* Where the verbs of a list are, for name_unknown(). */
struct verb_list {
    const struct confcheck *check;
    const char *option;
};

static bool name_unknown(const char *verb, void *context)
{
    const struct verb_list *list = context;
    struct str text = STR_INIT(256);

    if (ftp_find_command(ftp_commands, verb) == NULL) {
        str_append_escaped(&text, verb, strlen(verb), 40);
        confcheck_warn(list->check, list->option, "'%s' is no command of FTP that miniftpd knows",
                       str_text(&text));
    }
    str_free(&text);
    return true;
}

static void check_verbs(const struct confcheck *check, const char *option, const char *verbs)
{
    const struct verb_list list = {.check = check, .option = option};

    if (verbs == NULL) {
        return;
    }
    (void)each_verb(verbs, name_unknown, (void *)(uintptr_t)&list); /* visits them all */
    for (const char *p = verbs; *p != '\0'; p++) {
        if (str_is_blank(*p) || str_upper_char(*p) != *p) {
            confcheck_warn(check, option, "vsftpd takes capitals without blanks only");
            break;
        }
    }
}

/* What clients cannot do without; `since` is a command that makes it matter. */
static const struct {
    const char *verb;
    const char *since; /* NULL: always */
    const char *text;
} needed_verbs[] = {
    {"QUIT", NULL, "clients cannot end a session in order"},
    {"PWD", NULL, "most clients with windows ask for the directory first, and give up"},
    {"TYPE", "RETR", "clients cannot ask for transfers that leave files as they are"},
    {"TYPE", "STOR", "clients cannot ask for transfers that leave files as they are"},
    {"ALLO", "STOR", "lftp announces the size of an upload with it, and gives up"},
    {"RNTO", "RNFR", "nothing can be renamed"},
};

static void check_commands(const struct confcheck *check)
{
    static const char *const transfers[] = {"RETR", "STOR", "APPE", "STOU",
                                            "LIST", "NLST", "MLSD", NULL};
    static const char *const channels[] = {"PASV", "EPSV", "PORT", "EPRT", NULL};
    const struct tunables *t = check->tun;
    const char *option = t->cmds_allowed != NULL ? "cmds_allowed" : "cmds_denied";
    const char *last = "";

    check_verbs(check, "cmds_allowed", t->cmds_allowed);
    check_verbs(check, "cmds_denied", t->cmds_denied);
    for (size_t i = 0; i < ARRAY_LEN(needed_verbs); i++) {
        const char *verb = needed_verbs[i].verb;
        const char *since = needed_verbs[i].since;

        if ((since == NULL || verb_works(t, since)) && !verb_works(t, verb) &&
            strcmp(verb, last) != 0) {
            confcheck_warn(check, option, "%s is not allowed: %s", verb, needed_verbs[i].text);
            last = verb;
        }
    }
    if (any_works(t, transfers) && !any_works(t, channels)) {
        confcheck_warn(check, option,
                       "none of PASV, EPSV, PORT and EPRT is allowed: nothing can be transferred "
                       "or listed");
    }
}

/* ---- TLS ---- */

/* What is said of encryption where nothing is encrypted. Certificates that wait for it are fine. */
static void check_without_tls(const struct confcheck *check)
{
    const struct tunables *t = check->tun;
    const struct {
        const char *option;
        bool value;
    } wishes[] = {
        {"force_local_logins_ssl", t->force_local_logins_ssl},
        {"force_local_data_ssl", t->force_local_data_ssl},
        {"force_anon_logins_ssl", t->force_anon_logins_ssl},
        {"force_anon_data_ssl", t->force_anon_data_ssl},
        {"allow_anon_ssl", t->allow_anon_ssl},
        {"require_ssl_reuse", t->require_ssl_reuse},
        {"require_cert", t->require_cert},
        {"validate_cert", t->validate_cert},
    };

    for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
        if (wishes[i].value && confcheck_is_set(check, wishes[i].option)) {
            confcheck_warn(check, wishes[i].option,
                           "has no effect: nothing is encrypted without ssl_enable=YES");
        }
    }
}

static void check_who_encrypts(const struct confcheck *check)
{
    const struct tunables *t = check->tun;
    bool locals = t->local_enable || t->virtual_users_file != NULL;
    bool listens = t->listen || t->listen_ipv6;
    /* clang-format off */
    const struct finding findings[] = {
        { "implicit_ssl", t->implicit_ssl && listens && t->listen_port == 21,
          "clients begin in the clear on port 21 and would wait for ever: set listen_port=990, or "
          "implicit_ssl=NO with ssl_enable=YES" },
        { "listen_port", !t->implicit_ssl && listens && t->listen_port == 990,
          "clients begin with TLS on port 990: set implicit_ssl=YES, or listen_port=21" },
        { "ssl_enable", t->anonymous_enable && !locals && !t->allow_anon_ssl && !t->force_anon_logins_ssl,
          "nobody can log in encrypted: there are anonymous users only, and they may not. Set "
          "allow_anon_ssl=YES" },
        { "force_local_data_ssl", t->ssl_enable && !t->implicit_ssl && locals && !t->force_local_logins_ssl &&
                                      t->force_local_data_ssl,
          "who logs in without TLS, as force_local_logins_ssl=NO allows, can transfer and list nothing: "
          "remove that line, or set force_local_data_ssl=NO, too" },
        { "force_local_data_ssl", !t->ssl_enable && t->force_local_data_ssl &&
                                      confcheck_is_set(check, "force_local_data_ssl"),
          "has no effect with implicit_ssl=YES alone: set ssl_enable=YES, too" },
        { "force_anon_data_ssl", !t->ssl_enable && t->force_anon_data_ssl,
          "has no effect with implicit_ssl=YES alone: set ssl_enable=YES, too" },
        { "require_ssl_reuse", !t->require_ssl_reuse,
          "whoever is quicker than a client behind the same address can take its data connections. Many a "
          "vsftpd.conf has NO because of faults in vsftpd: try without the line" },
    };
    /* clang-format on */

    warn_of(check, findings, ARRAY_LEN(findings));
}

/* What is wrong with the files themselves is told by who reads them: confworld_check_tls(). */
static void check_certificates(const struct confcheck *check)
{
    const struct tunables *t = check->tun;
    bool asked = t->ssl_request_cert || t->require_cert;
    /* clang-format off */
    const struct finding findings[] = {
        { "rsa_private_key_file", confcheck_is_set(check, "rsa_private_key_file") &&
                                      !confcheck_is_set(check, "rsa_cert_file") && t->dsa_cert_file == NULL,
          "there is no certificate to this key: set rsa_cert_file" },
        { "validate_cert", t->validate_cert && t->ca_certs_file == NULL && asked,
          "refuses every client that shows a certificate: name those who may sign them in ca_certs_file" },
        { "validate_cert", t->validate_cert && !asked,
          "has no effect: clients are not asked for a certificate. Set ssl_request_cert=YES or require_cert=YES" },
        { "require_cert", t->require_cert && !t->validate_cert,
          "any certificate will do, also one that the client has made itself: set validate_cert=YES and "
          "ca_certs_file" },
        { "ca_certs_file", t->ca_certs_file != NULL && !t->validate_cert,
          "certificates of clients are not held against it: set validate_cert=YES" },
        { "ssl_tlsv11", t->ssl_tlsv11,
          "TLS 1.1 is not safe any more (RFC 8996), and what OpenSSL needs for it makes all sessions weaker: "
          "NO unless there is a device that cannot do better" },
        { "ssl_ciphers", t->ssl_ciphers != NULL && !t->ssl_tlsv12 && !t->ssl_tlsv11,
          "has no effect: it counts up to TLS 1.2, and ssl_tlsv12=NO. For TLS 1.3 there is ssl_ciphersuites" },
        { "ssl_ciphersuites", t->ssl_ciphersuites != NULL && !t->ssl_tlsv13,
          "has no effect: it is for TLS 1.3, and ssl_tlsv13=NO. Up to TLS 1.2 there is ssl_ciphers" },
    };
    /* clang-format on */

    warn_of(check, findings, ARRAY_LEN(findings));
}

static void check_tls(const struct confcheck *check)
{
    if (tunable_wants_tls(check->tun)) {
        check_who_encrypts(check);
        check_certificates(check);
    } else {
        check_without_tls(check);
    }
}

void confcheck_options(const struct confcheck *check)
{
    check_logins(check);
    check_writing(check);
    check_commands(check);
    check_data(check);
    check_tls(check);
    check_logs(check);
    check_others(check);
}
