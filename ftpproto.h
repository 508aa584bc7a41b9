/*
 * ftpproto.h - the FTP session as the service processes P and S see it
 */
#ifndef MINIFTPD_FTPPROTO_H
#define MINIFTPD_FTPPROTO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common.h"
#include "ctrlio.h"
#include "datachan.h"
#include "netaddr.h"
#include "str.h"

struct log_record;
struct tunables;
struct xfer;

/* What a service process is given. */
struct ftp_setup {
    const struct tunables *tun;
    int ctrl_fd;
    int priv_fd;
    struct netaddr peer;
    struct netaddr local;
    bool logged_in;   /* S */
    bool anonymous;   /* S of an anonymous login */
    bool jailed;      /* S behind chroot */
    const char *user; /* S: the account */
};

/*
 * Speak FTP until the end of the session. P begins with the greeting, S with the answer to the login;
 * S is in its start directory. Returns the exit status of the process.
 */
int ftpproto_run(const struct ftp_setup *setup);

/* ---- for the handlers in ftpcmd_*.c ---- */

/* The reply codes in use, RFC 959 4.2.2 and later ones. */
enum ftp_code {
    FTP_DATA_OPENING = 150,
    FTP_OK = 200,
    FTP_SUPERFLUOUS = 202,
    FTP_STATUS = 211,
    FTP_FILE_STATUS = 213,
    FTP_HELP = 214,
    FTP_SYSTEM = 215,
    FTP_GREETING = 220,
    FTP_GOODBYE = 221,
    FTP_TRANSFER_OK = 226,
    FTP_PASSIVE = 227,
    FTP_EXTENDED_PASSIVE = 229,
    FTP_LOGIN_OK = 230,
    FTP_FILE_OK = 250,
    FTP_PATH = 257,
    FTP_NEED_PASSWORD = 331,
    FTP_PENDING = 350,
    FTP_CLOSING = 421,
    FTP_NO_DATA_CONNECTION = 425,
    FTP_DATA_BROKEN = 426,
    FTP_TEMPORARY = 450,
    FTP_LOCAL_ERROR = 451,
    FTP_DISK_FULL = 452,
    FTP_UNKNOWN_COMMAND = 500,
    FTP_BAD_ARGUMENT = 501,
    FTP_NOT_IMPLEMENTED = 502,
    FTP_BAD_SEQUENCE = 503,
    FTP_BAD_PARAMETER = 504,
    FTP_BAD_FAMILY = 522,
    FTP_NOT_LOGGED_IN = 530,
    FTP_REFUSED = 550,
    FTP_QUOTA = 552,
    FTP_BAD_NAME = 553,
    FTP_BAD_RESTART = 554,
};

struct ftp {
    const struct ftp_setup *setup;
    const struct tunables *tun;
    struct ctrlio io;
    struct datachan data;
    bool ended; /* no further command */

    /* before login */
    bool has_user;
    struct str user;
    unsigned unknown_commands;

    /* after login */
    struct str home; /* where the session began */
    struct str cwd;  /* "/" first, no "/" at the end */
    unsigned umask;
    bool type_ascii;
    off_t restart;     /* REST, for the next transfer */
    bool has_renaming; /* RNFR came */
    struct str renaming;
    char *listing; /* buffer of listings, from the first one on */
};

/* What a command needs; the loop checks it before the handler runs. */
enum command_flags {
    CMD_EARLY = 1 << 0,  /* works before login */
    CMD_WRITE = 1 << 1,  /* changes files: write_enable, never for anonymous users */
    CMD_DATA = 1 << 2,   /* needs PASV, EPSV, PORT or EPRT before it, and uses up REST */
    CMD_PASV = 1 << 3,   /* needs pasv_enable */
    CMD_PORT = 1 << 4,   /* needs port_enable */
    CMD_RNFR = 1 << 5,   /* what RNFR said outlives this command */
    CMD_HIDDEN = 1 << 6, /* in no list of commands: a refusal */
};

enum argument_rule {
    ARG_NONE,     /* whatever comes is ignored */
    ARG_OPTIONAL, /* as it is */
    ARG_TEXT,     /* at least one byte, as it is */
    ARG_PATH,     /* the same: blanks belong to names; "~/" in front means the home directory */
    ARG_WORD,     /* at least one byte after blanks were taken off both ends */
};

struct command {
    const char *verb;
    void (*run)(struct ftp *f, const char *argument);
    unsigned flags; /* enum command_flags */
    enum argument_rule argument;
    const char *feature; /* line of FEAT, or NULL */
    const char *help;    /* arguments, for HELP */
};

/* The commands and the subcommands of SITE; NULL verb at the end. */
extern const struct command ftp_commands[];
extern const struct command ftp_site_commands[];

/* The row of a verb in any case, or NULL. */
const struct command *ftp_find_command(const struct command *table, const char *verb);

/* Split a line at its first blank; `line` is changed. The argument may be empty. */
const char *ftp_split_line(char *line);

/*
 * Check a command against login, configuration and argument rule and run it. Replies on refusal.
 * `argument` may be changed.
 */
void ftp_run_command(struct ftp *f, const struct command *command, char *argument);

/* False if the configuration switches the command off. */
bool ftp_command_enabled(const struct ftp *f, const struct command *command);

void ftp_reply(struct ftp *f, enum ftp_code code, const char *text);

/* Reply to a failed file operation by errno: 550 and the like; `create` failures are 553. */
void ftp_reply_errno(struct ftp *f, int error, bool create);

/* End the session: 421 and no further command. */
void ftp_end(struct ftp *f, const char *text);

/* `path` seen from "/" as text, without looking at the disk: cwd and path, slashes made single. */
void ftp_absolute(const struct ftp *f, const char *path, struct str *out);

/*
 * "~" and "~/x" with the directory where the session began; any other path as it is. The result is
 * `path` itself or lies in `buffer`.
 */
const char *ftp_expand_home(const struct ftp *f, const char *path, struct str *buffer);

/* Send a record for the log to the parent, about a path as the client gave it. */
void ftp_log_record(struct ftp *f, struct log_record *record, const char *path);

/* The same for an event that has an outcome and nothing else. */
void ftp_log_path(struct ftp *f, int event, bool ok, const char *path);

/* False, with 553 sent, for a name that must not be created: one with control bytes. */
bool ftp_may_create(struct ftp *f, const char *path);

/*
 * Look at the commands that came during a transfer (or while its connection is awaited; x is NULL then).
 * STAT and NOOP are answered, unless something waits before them; the others wait for the end.
 * Returns true if there is an ABOR among them: the transfer ends with 426 and ABOR is answered in its
 * turn, so every command gets its reply and in order.
 */
bool ftp_is_aborted(struct ftp *f, const struct xfer *x);

/* Handlers, by the file they live in. */
#define FTP_HANDLER(name) void name(struct ftp *f, const char *argument)

/* ftpcmd_session.c */
FTP_HANDLER(cmd_user);
FTP_HANDLER(cmd_pass);
FTP_HANDLER(cmd_quit);
FTP_HANDLER(cmd_rein);
FTP_HANDLER(cmd_syst);
FTP_HANDLER(cmd_feat);
FTP_HANDLER(cmd_opts);
FTP_HANDLER(cmd_clnt);
FTP_HANDLER(cmd_help);
FTP_HANDLER(cmd_noop);
FTP_HANDLER(cmd_stat);
FTP_HANDLER(cmd_acct);
FTP_HANDLER(cmd_allo);
FTP_HANDLER(cmd_site);
FTP_HANDLER(cmd_not_implemented);
FTP_HANDLER(cmd_other_protocol);

/* ftpcmd_data.c */
FTP_HANDLER(cmd_type);
FTP_HANDLER(cmd_stru);
FTP_HANDLER(cmd_mode);
FTP_HANDLER(cmd_pasv);
FTP_HANDLER(cmd_epsv);
FTP_HANDLER(cmd_port);
FTP_HANDLER(cmd_eprt);

/* ftpcmd_xfer.c */
FTP_HANDLER(cmd_retr);
FTP_HANDLER(cmd_stor);
FTP_HANDLER(cmd_appe);
FTP_HANDLER(cmd_rest);
FTP_HANDLER(cmd_list);
FTP_HANDLER(cmd_nlst);
FTP_HANDLER(cmd_abor);

/* ftpcmd_file.c */
FTP_HANDLER(cmd_pwd);
FTP_HANDLER(cmd_cwd);
FTP_HANDLER(cmd_cdup);
FTP_HANDLER(cmd_mkd);
FTP_HANDLER(cmd_rmd);
FTP_HANDLER(cmd_dele);
FTP_HANDLER(cmd_rnfr);
FTP_HANDLER(cmd_rnto);
FTP_HANDLER(cmd_size);
FTP_HANDLER(cmd_mdtm);
FTP_HANDLER(cmd_site_chmod);
FTP_HANDLER(cmd_site_umask);
FTP_HANDLER(cmd_site_help);

/* The listing of STAT with a path. */
void ftp_stat_path(struct ftp *f, const char *path);

#endif
