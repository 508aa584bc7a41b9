/*
 * ftpproto.h - the FTP session as the service processes P and S see it
 */
#ifndef MINIFTPD_FTPPROTO_H
#define MINIFTPD_FTPPROTO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "access.h"
#include "common.h"
#include "ctrlio.h"
#include "datachan.h"
#include "digest.h"
#include "fence.h"
#include "listfmt.h"
#include "netaddr.h"
#include "rate.h"
#include "str.h"

struct ftp;
struct log_record;
struct scoreboard_live;
struct stat;
struct tunables;
struct userdb;
struct xfer;

/* What a service process is given. */
struct ftp_setup {
    const struct tunables *tun;
    int ctrl_fd;
    int priv_fd;
    int relay_fd; /* with TLS: the relay control; -1 without. P: TLS is about to begin (implicit_ssl) */
    bool protect; /* PROT P holds from the start */
    struct netaddr peer;
    struct netaddr local;
    const char *banner; /* P: the content of banner_file, or NULL */
    bool logged_in;     /* S */
    bool anonymous;     /* S with the rights of anonymous users */
    bool guest;         /* S of a guest, which anonymous ones may be too */
    bool jailed;        /* S behind chroot */
    const char *fence;  /* S without chroot: where it is kept, as of realpath(3); or NULL */
    const char *user;   /* S: the account */
    uid_t uid;          /* and its ids, for the fact perm */
    gid_t gid;
    const gid_t *groups;
    size_t group_count;
    const struct userdb *names;   /* of users and groups, NULL if there are none */
    struct scoreboard_live *live; /* what --who shows; NULL: nothing */

    /* what PASV names, without a port; in vain: it is `local` for want of what pasv_address means */
    struct netaddr announced;
    bool announced_in_vain;
};

/*
 * The words of cmds_allowed or cmds_denied that are no commands, with commas between, into `unknown`.
 * Returns true if there are none. (pure)
 */
bool ftpproto_check_commands(const char *list, struct str *unknown);

/* True if a list of commands names this one, by whatever name: the rule of the session. (pure) */
bool ftpproto_list_names(const char *list, const char *verb);

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
    FTP_SECURITY_OK = 234,
    FTP_NEED_PASSWORD = 331,
    FTP_PENDING = 350,
    FTP_CLOSING = 421,
    FTP_NO_DATA_CONNECTION = 425,
    FTP_DATA_BROKEN = 426,
    FTP_NO_SECURITY = 431,
    FTP_TEMPORARY = 450,
    FTP_LOCAL_ERROR = 451,
    FTP_DISK_FULL = 452,
    FTP_UNKNOWN_COMMAND = 500,
    FTP_BAD_ARGUMENT = 501,
    FTP_NOT_IMPLEMENTED = 502,
    FTP_BAD_SEQUENCE = 503,
    FTP_BAD_PARAMETER = 504,
    FTP_BAD_FAMILY = 522,
    FTP_NOT_PROTECTED = 522, /* of a data connection: RFC 4217 11.4 */
    FTP_NOT_LOGGED_IN = 530,
    FTP_UNPROTECTED = 533,
    FTP_AGAINST_POLICY = 534,
    FTP_NO_SUCH_PROTECTION = 536,
    FTP_REFUSED = 550,
    FTP_BAD_RANGE = 551,
    FTP_QUOTA = 552,
    FTP_BAD_NAME = 553,
    FTP_BAD_RESTART = 554,
};

/* Directories whose message was shown; the oldest ones are forgotten. */
#define FTP_MESSAGES_MAX 100

struct ftp_messages {
    struct {
        dev_t dev;
        ino_t ino;
    } shown[FTP_MESSAGES_MAX];
    size_t count; /* of all there ever were */
};

struct ftp {
    const struct ftp_setup *setup;
    const struct tunables *tun;
    int relay_fd; /* -1: the session is not encrypted */
    bool protect; /* PROT P */
    struct datachan data;
    struct fence fence;
    bool ended; /* no further command */
    int error;  /* errno of the last refusal to this command, 0 if there was none; for the log */

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
    uint64_t announced;    /* ALLO, for the next upload; 0: nothing */
    struct rate rate;      /* of all transfers of the session */
    bool has_end;          /* RANG */
    off_t end;             /* the byte behind the range */
    enum digest_kind hash; /* of HASH; OPTS HASH */
    struct listfmt look;   /* of listings; OPTS MLST */
    bool has_renaming;     /* RNFR came */
    struct str renaming;
    struct str copying; /* SITE CPFR; empty: nothing */
    char *listing;      /* buffer of listings, from the first one on */
    struct access_rules access;
    struct ftp_messages messages;
    bool logs_dialogue; /* log_ftp_protocol, and a log that shows it */

    struct ctrlio io; /* last: between the rest and its buffers lie no pages that nobody needs */
};

#define FTP_VERB_SIZE 8 /* the longest has seven letters */

/* What a command needs; the loop checks it before the handler runs. */
enum command_flags {
    CMD_EARLY = 1 << 0,  /* works before login */
    CMD_WRITE = 1 << 1,  /* changes files: needs write_enable; anonymous users, see below */
    CMD_DATA = 1 << 2,   /* needs PASV, EPSV, PORT or EPRT before it, and uses up REST */
    CMD_PASV = 1 << 3,   /* needs pasv_enable */
    CMD_PORT = 1 << 4,   /* needs port_enable */
    CMD_RNFR = 1 << 5,   /* what RNFR said outlives this command */
    CMD_HIDDEN = 1 << 6, /* in no list of commands: a refusal or another name */
    CMD_MARK = 1 << 7,   /* uses up what REST and RANG said, as CMD_DATA does */
    CMD_HASH = 1 << 8,   /* needs hash_enable, and libmd in the build */
    CMD_CRC = 1 << 9,    /* needs hash_enable, and zlib in the build */
    CMD_CHMOD = 1 << 10, /* needs chmod_enable */
    CMD_GET = 1 << 11,   /* gives content away: needs download_enable */
    CMD_SHOW = 1 << 12,  /* lists: needs dirlist_enable */
    CMD_LINK = 1 << 13,  /* is about a link itself and not about what it leads to */

    /* what anonymous users need; with CMD_WRITE and none of these it is never for them */
    CMD_LOCAL = 1 << 14,   /* never for them */
    CMD_UPLOAD = 1 << 15,  /* anon_upload_enable */
    CMD_MAKEDIR = 1 << 16, /* anon_mkdir_write_enable */
    CMD_CHANGE = 1 << 17,  /* anon_other_write_enable */

    CMD_TLS = 1 << 18, /* needs ssl_enable or implicit_ssl */
};

enum argument_rule {
    ARG_NONE,     /* whatever comes is ignored */
    ARG_OPTIONAL, /* as it is */
    ARG_TEXT,     /* at least one byte, as it is */
    ARG_PATH,     /* the same: blanks belong to names; it comes as from ftp_take_path() */
    ARG_MORE,     /* a path and more; the handler takes the path out of it with ftp_take_path() */
    ARG_WORD,     /* at least one byte after blanks were taken off both ends */
};

struct command {
    char verb[FTP_VERB_SIZE]; /* in capitals, filled up with NUL */
    void (*run)(struct ftp *f, const char *argument);
    unsigned flags; /* enum command_flags */
    enum argument_rule argument;
    const char *feature; /* line of FEAT, or NULL */
    const char *help;    /* arguments, for HELP */
};

/* The commands and the subcommands of SITE, sorted by verb; an empty verb at the end. */
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

/* ftpgate.c: which commands this user may give. */

/* False if this build lacks the library that the command needs. */
bool ftp_command_built(const struct command *command);

/* False if the configuration refuses the command to this user, or the build lacks it. */
bool ftp_command_enabled(const struct ftp *f, const struct command *command);

/* The same for a command, or for one of SITE, by its name. */
bool ftp_verb_enabled(const struct ftp *f, const char *verb);
bool ftp_site_enabled(const struct ftp *f, const char *verb);

/* May this user's uploads take the place of what is there? */
bool ftp_may_overwrite(const struct ftp *f);

/* SECURITY: every rule that holds before a handler runs, in one place. Replies if one does not. */
bool ftp_passes_gate(struct ftp *f, const struct command *command, const char *argument);

/* Log that the path of a command was refused, if the log has a word for what it would have done. */
void ftp_log_refused_path(struct ftp *f, const struct command *command, const char *path);

/* Learn what listings show to this user: the letters of the fact perm and the rest. */
void ftp_init_look(struct ftp *f);

void ftp_reply(struct ftp *f, enum ftp_code code, const char *text);

/* Reply to a failed file operation by errno: 550 and the like; `create` failures are 553. */
void ftp_reply_errno(struct ftp *f, int error, bool create);

/* The same, with a code of its own for what is refused for good. */
void ftp_reply_errno_as(struct ftp *f, int error, enum ftp_code refused);

/* End the session: 421 and no further command. */
void ftp_end(struct ftp *f, const char *text);

/* ftppath.c: paths, and which of them this user may name. */

/* `path` seen from "/" as text, without looking at the disk: cwd and path, slashes made single. */
void ftp_absolute(const struct ftp *f, const char *path, struct str *out);

/*
 * SECURITY: every path of a client comes through one of these, from the gate (ARG_PATH) or from the
 * handler that finds it in its argument.
 * "~/x" with the directory where the session began in place of "~"; any other path as it is; one that
 * leads out of setup->fence becomes one that does not exist. A lone "~" is a file of that name for
 * ftp_take_path(), and the directory for ftp_take_directory().
 * Returns `path` itself or what lies in `buffer`; NULL, with 550 sent, if deny_file refuses it or what it
 * leads to through links.
 */
const char *ftp_take_path(struct ftp *f, const char *path, struct str *buffer);
const char *ftp_take_directory(struct ftp *f, const char *path, struct str *buffer);

/* The same; `links`: what a link at the end leads to counts as well. */
const char *ftp_take_path_as(struct ftp *f, const char *path, bool links, struct str *buffer);

/* "~/x" as above, and nothing else: to look for something without a word about it to the client. */
const char *ftp_expand_file(const struct ftp *f, const char *path, struct str *buffer);

/* True if deny_file refuses the path; `links` as above. Replies nothing. */
bool ftp_is_denied(struct ftp *f, const char *path, bool links);

/* True if a file may be stored under this name (upload_file). Replies nothing. */
bool ftp_is_stored(struct ftp *f, const char *path);

/* False, with 550 sent, if a file of this name may not be stored (upload_file). */
bool ftp_may_store(struct ftp *f, const char *path);

/* False, with 550 sent, if a file of this name may not be fetched (download_file). */
bool ftp_may_fetch(struct ftp *f, const char *path);

/*
 * The file `from` is to be had as `to` too. False, with 550 sent, if that would let it be fetched which
 * it could not be so far (download_file).
 */
bool ftp_may_pass_as(struct ftp *f, const char *from, const char *to);

/* The letters of the fact perm that the names of the configuration withhold from a path. */
unsigned ftp_withheld_letters(struct ftp *f, const char *path);

/*
 * Send a record for the log to the parent, about a path as the client gave it. Of a failure without
 * a detail the log shows the errno of the last refusal.
 */
void ftp_log_record(struct ftp *f, struct log_record *record, const char *path);

/* The same for an event that has an outcome and nothing else. */
void ftp_log_path(struct ftp *f, int event, bool ok, const char *path);

/* The same with the detail of the event: the new path of RENAME (absolute), the mode of CHMOD. */
void ftp_log_detail(struct ftp *f, int event, bool ok, const char *path, const char *detail);

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

/* The same for a wait before a transfer: with QUIT, too, nothing is to be waited for any more. */
bool ftp_is_given_up(struct ftp *f, const char *doing);

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

/*
 * Open a regular file to be read. O_NONBLOCK: a FIFO answers at once, and is refused.
 * Returns the descriptor, or -1 with errno (EISDIR: not regular).
 */
int ftp_open_to_read(const struct ftp *f, const char *path, struct stat *st);

/*
 * Open a regular file to be written, made if it does not exist (*created). Nothing of an old content is
 * touched, and who may not overwrite (ftp_may_overwrite()) gets new files only. flags: O_APPEND or 0. Returns the descriptor, or -1 with errno (EISDIR: not regular).
 */
int ftp_open_to_write(const struct ftp *f, const char *path, int flags, struct stat *st,
                      bool *created);

/* Take away an empty file that something failed left behind, if it is still the one we made. */
void ftp_remove_created(const char *path, const struct stat *made);

/*
 * Lock an open file for an upload (to_write) or a download, if lock_upload_files says so, and wait for
 * those who have it as long as a transfer may stand still. *st is taken anew after a wait. File systems
 * without locks do without.
 * Returns false with the reply sent: 450 (in use), 426 (ABOR or QUIT came), or the session ends.
 */
MUST_CHECK bool ftp_lock_file(struct ftp *f, int fd, bool to_write, struct stat *st);

/* Bytes that max_upload_size lets an upload write from `begin` on; UINT64_MAX: no limit. */
uint64_t ftp_upload_room(const struct ftp *f, off_t begin);

/*
 * False, with 552 sent and logged, if a file of `size` bytes is over max_upload_size. path: as for
 * ftp_warn_too_large().
 */
MUST_CHECK bool ftp_upload_fits(struct ftp *f, const char *path, uint64_t size);

/* Log that an upload to `path` (NULL: not known yet) met max_upload_size. */
void ftp_warn_too_large(struct ftp *f, const char *path);

/*
 * Undo an upload that began at `begin`: cut the file (fd, or -1 if it is closed) back to that length, and
 * remove it if that is 0 and the name still means the file `made`. Logs what cannot be removed.
 */
void ftp_take_back(struct ftp *f, const char *path, int fd, off_t begin, const struct stat *made);

/*
 * Give a file of ours that is to be written, with the status *st, to chown_username, if chown_uploads asks
 * for it and the user has anonymous rights. Returns false with the reply sent if that fails.
 */
MUST_CHECK bool ftp_give_away(struct ftp *f, int fd, const struct stat *st);

/* ftpcmd_tls.c: RFC 4217. */

/*
 * P: let the relay begin; all that was said before is forgotten. False, with a line in the log, if there
 * is no TLS now: the session ends without a word.
 */
MUST_CHECK bool ftp_begin_tls(struct ftp *f);

/* False, with 530 sent and the session ended, if this user must not log in with, or without, TLS. */
MUST_CHECK bool ftp_may_log_in(struct ftp *f, bool anonymous);

/* Must data connections of this user be encrypted? */
MUST_CHECK bool ftp_must_protect(const struct ftp *f);

/* ftpcmd_message.c: texts of the administrator. */

/* The greeting. */
void ftp_greet(struct ftp *f);

/* The message of the working directory as the first lines of a reply, if it is due. */
void ftp_show_message(struct ftp *f, enum ftp_code code);

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

/* ftpcmd_tls.c */
FTP_HANDLER(cmd_auth);
FTP_HANDLER(cmd_pbsz);
FTP_HANDLER(cmd_prot);
FTP_HANDLER(cmd_ccc);

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
