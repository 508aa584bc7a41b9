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
#include "digest.h"
#include "listfmt.h"
#include "netaddr.h"
#include "str.h"

struct ftp;
struct log_record;
struct stat;
struct tunables;
struct userdb;
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
    uid_t uid;        /* and its ids, for the fact perm */
    gid_t gid;
    const gid_t *groups;
    size_t group_count;
    const struct userdb *names; /* of users and groups, NULL if there are none */
};

/*
 * Speak FTP until the end of the session. P begins with the greeting, S with the answer to the login;
 * S is in its start directory. Returns the exit status of the process.
 */
int ftpproto_run(const struct ftp_setup *setup);

/* ---- for the handlers in ftpcmd_*.c ---- */

/* What clients may set: no set-id bits, no sticky bit. */
#define FTP_PERMISSIONS 0777

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
    FTP_CHECKSUM = 251,
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
    FTP_BAD_RANGE = 551,
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
    unsigned idle_sec; /* time without a command; SITE IDLE */
    bool type_ascii;
    bool mode_z;           /* MODE Z */
    int z_level;           /* OPTS MODE Z LEVEL */
    off_t restart;         /* REST or RANG, for the next transfer */
    bool has_end;          /* RANG */
    off_t end;             /* the byte behind the range */
    enum digest_kind hash; /* of HASH; OPTS HASH */
    struct listfmt look;   /* of listings; OPTS MLST */
    bool has_renaming;     /* RNFR came */
    struct str renaming;
    struct str copying; /* SITE CPFR; empty: nothing */
    char *listing;      /* buffer of listings, from the first one on */
};

/* What a command needs; the loop checks it before the handler runs. */
enum command_flags {
    CMD_EARLY = 1 << 0,  /* works before login */
    CMD_WRITE = 1 << 1,  /* changes files: write_enable, never for anonymous users */
    CMD_DATA = 1 << 2,   /* needs PASV, EPSV, PORT or EPRT before it, and uses up REST */
    CMD_PASV = 1 << 3,   /* needs pasv_enable */
    CMD_PORT = 1 << 4,   /* needs port_enable */
    CMD_RNFR = 1 << 5,   /* what RNFR said outlives this command */
    CMD_HIDDEN = 1 << 6, /* in no list of commands: a refusal or another name */
    CMD_MARK = 1 << 7,   /* uses up what REST and RANG said, as CMD_DATA does */
    CMD_HASH = 1 << 8,   /* needs hash_enable, and libmd in the build */
    CMD_CRC = 1 << 9,    /* needs hash_enable, and zlib in the build */
    CMD_CHMOD = 1 << 10, /* needs chmod_enable */
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

/* False if this build lacks the library that the command needs. */
bool ftp_command_built(const struct command *command);

/* False if the configuration switches the command off, or the build lacks it. */
bool ftp_command_enabled(const struct ftp *f, const struct command *command);

void ftp_reply(struct ftp *f, enum ftp_code code, const char *text);

/* Reply to a failed file operation by errno: 550 and the like; `create` failures are 553. */
void ftp_reply_errno(struct ftp *f, int error, bool create);

/* The same, with a code of its own for what is refused for good. */
void ftp_reply_errno_as(struct ftp *f, int error, enum ftp_code refused);

/* End the session: 421 and no further command. */
void ftp_end(struct ftp *f, const char *text);

/* `path` seen from "/" as text, without looking at the disk: cwd and path, slashes made single. */
void ftp_absolute(const struct ftp *f, const char *path, struct str *out);

/*
 * "~" and "~/x" with the directory where the session began; any other path as it is. The result is
 * `path` itself or lies in `buffer`.
 */
const char *ftp_expand_home(const struct ftp *f, const char *path, struct str *buffer);

/* The same for files: a lone "~" is one of that name, for the home directory is nothing to change. */
const char *ftp_expand_file(const struct ftp *f, const char *path, struct str *buffer);

/* Send a record for the log to the parent, about a path as the client gave it. */
void ftp_log_record(struct ftp *f, struct log_record *record, const char *path);

/* The same for an event that has an outcome and nothing else. */
void ftp_log_path(struct ftp *f, int event, bool ok, const char *path);

/* False, with 553 sent, for a name that must not be created: one with control bytes. */
bool ftp_may_create(struct ftp *f, const char *path);

/*
 * Look at the commands that came during a transfer, or during something else that takes its time (x is
 * NULL then, and `doing` is what STAT says of it). STAT and NOOP are answered, unless something waits
 * before them or `doing` is NULL as well; the others wait for the end.
 * Returns true if there is an ABOR among them: the transfer ends with 426 and ABOR is answered in its
 * turn, so every command gets its reply and in order.
 */
bool ftp_is_aborted(struct ftp *f, const struct xfer *x, const char *doing);

/* Something long that is no transfer. */
struct ftp_work {
    const char *doing;   /* for STAT; NULL: nothing can be answered before the end */
    int64_t deadline_ms; /* it may take as long as a session may be idle */
    bool hurries;        /* the client has closed its side */
};

void ftp_work_begin(const struct ftp *f, struct ftp_work *work, const char *doing);

enum ftp_work_state { FTP_WORK_GOES_ON, FTP_WORK_ABORTED, FTP_WORK_TOO_LONG, FTP_WORK_GONE };

/* Between two steps of it, none of which takes long: has it to end? */
enum ftp_work_state ftp_work_look(struct ftp *f, struct ftp_work *work);

/* The same; if it has to end, the reply is sent (ABOR: 426, too long: 450) and false returned. */
bool ftp_work_goes_on(struct ftp *f, struct ftp_work *work);

/* What the next download (`encode`) or upload does to bytes: nothing, ASCII or MODE Z. */
bool ftp_converts_ascii(const struct ftp *f, bool encode);

/* Give a transfer the codec it needs. Replies on failure, of which there is lack of memory only. */
bool ftp_convert(struct ftp *f, struct xfer *x, bool encode, bool ascii);

/* Open the data connection and announce it with 150. The descriptor, or -1 with the reply sent. */
int ftp_open_data(struct ftp *f, const char *opening);

/* The reply to a transfer that did not end well; enum xfer_result, and errno for XFER_FILE. */
void ftp_reply_transfer(struct ftp *f, int result, int error);

/*
 * Open a regular file to be read. O_NONBLOCK: a FIFO answers at once, and is refused.
 * Returns the descriptor, or -1 with errno (EISDIR: not regular).
 */
int ftp_open_to_read(const struct ftp *f, const char *path, struct stat *st);

/*
 * Open a regular file to be written, made if it does not exist (*created). Nothing of an old content is
 * touched. flags: O_APPEND or 0. Returns the descriptor, or -1 with errno (EISDIR: not regular).
 */
int ftp_open_to_write(const struct ftp *f, const char *path, int flags, struct stat *st,
                      bool *created);

/* Take away an empty file that something failed left behind, if it is still the one we made. */
void ftp_remove_created(const char *path, const struct stat *made);

/* Handlers, by the file they live in. */
#define FTP_HANDLER(name) void name(struct ftp *f, const char *argument)

/* ftpcmd_session.c */
FTP_HANDLER(cmd_user);
FTP_HANDLER(cmd_pass);
FTP_HANDLER(cmd_quit);
FTP_HANDLER(cmd_rein);
FTP_HANDLER(cmd_noop);
FTP_HANDLER(cmd_stat);
FTP_HANDLER(cmd_acct);
FTP_HANDLER(cmd_allo);
FTP_HANDLER(cmd_site);
FTP_HANDLER(cmd_site_idle);
FTP_HANDLER(cmd_not_implemented);
FTP_HANDLER(cmd_other_protocol);

/* ftpcmd_info.c */
FTP_HANDLER(cmd_syst);
FTP_HANDLER(cmd_feat);
FTP_HANDLER(cmd_opts);
FTP_HANDLER(cmd_clnt);
FTP_HANDLER(cmd_csid);
FTP_HANDLER(cmd_lang);
FTP_HANDLER(cmd_help);
FTP_HANDLER(cmd_site_help);

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
FTP_HANDLER(cmd_stou);
FTP_HANDLER(cmd_rest);
FTP_HANDLER(cmd_rang);
FTP_HANDLER(cmd_abor);
FTP_HANDLER(cmd_pret);

/* ftpcmd_list.c */
FTP_HANDLER(cmd_list);
FTP_HANDLER(cmd_nlst);
FTP_HANDLER(cmd_mlsd);
FTP_HANDLER(cmd_mlst);

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
FTP_HANDLER(cmd_avbl);

/* ftpcmd_fact.c */
FTP_HANDLER(cmd_mdtm);
FTP_HANDLER(cmd_mfmt);
FTP_HANDLER(cmd_mff);
FTP_HANDLER(cmd_site_chgrp);
FTP_HANDLER(cmd_site_chmod);
FTP_HANDLER(cmd_site_umask);
FTP_HANDLER(cmd_site_utime);

/* ftpcmd_tree.c */
FTP_HANDLER(cmd_site_mkdir);
FTP_HANDLER(cmd_site_rmdir);
FTP_HANDLER(cmd_site_symlink);

/* ftpcmd_hash.c */
FTP_HANDLER(cmd_hash);
FTP_HANDLER(cmd_md5);
FTP_HANDLER(cmd_xcrc);
FTP_HANDLER(cmd_xmd5);
FTP_HANDLER(cmd_xsha1);
FTP_HANDLER(cmd_xsha256);
FTP_HANDLER(cmd_xsha512);

/* ftpcmd_copy.c */
FTP_HANDLER(cmd_comb);
FTP_HANDLER(cmd_site_copy);
FTP_HANDLER(cmd_site_cpfr);
FTP_HANDLER(cmd_site_cpto);

/* The listing of STAT with a path. */
void ftp_stat_path(struct ftp *f, const char *path);

#endif
