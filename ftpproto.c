/*
 * ftpproto.c - the FTP session: the command table, the gate checks and the loop
 *
 * Process: P until login, S from then on.
 * Trusts:  nothing that the client sends.
 * Touches: the control connection; everything else through the handlers.
 */
#include "ftpproto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ftplog.h"
#include "log.h"
#include "privsock.h"
#include "proctitle.h"
#include "scoreboard.h"
#include "sysutil.h"
#include "tunable.h"

#define PATH_TEXT_MAX        (2 * FTP_LINE_MAX)
#define UNKNOWN_COMMANDS_MAX 10 /* before login; then it is no FTP client */
#define DEFAULT_Z_LEVEL      6
#define USUAL_PATH           256  /* bytes; longer ones are rare, and take memory */
#define EOF_PATIENCE_MS      5000 /* for work that nobody may wait for any more */

/*
 * In the order of the alphabet, since they are searched by halves.
 *
 * cmd_not_implemented: known, and refused. RFC 959, 1639, 2228, 7151; there are no virtual hosts, and TLS does what is left
 * of RFC 2228. The others are of drafts and of the time before RFC 959, never taken up; RMDA would remove trees by
 * accident.
 * cmd_other_protocol: a web or mail client, made to talk to us. Nothing it sends later may be taken for a command.
 * X...: names of RFC 775. CHMOD and NOP are names that other servers have, P@SW is what a NAT makes of PASV.
 */
/* clang-format off */
const struct command ftp_commands[] = {
    /* verb      run                 flags                      argument      FEAT line      HELP text */
    { "ABOR",    cmd_abor,            CMD_EARLY,                 ARG_NONE,     NULL,          "" },
    { "ACCT",    cmd_acct,            CMD_EARLY,                 ARG_OPTIONAL, NULL,          "<account>" },
    { "ADAT",    cmd_not_implemented, CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "ALLO",    cmd_allo,            0,                         ARG_WORD,     NULL,          "<bytes> [R <bytes>]" },
    { "APPE",    cmd_appe,            CMD_WRITE | CMD_CHANGE | CMD_DATA, ARG_PATH,     NULL,          "<file>" },
    { "AUTH",    cmd_auth,            CMD_TLS | CMD_EARLY,       ARG_WORD,     "AUTH TLS",    "TLS | SSL" },
    { "AVBL",    cmd_avbl,            0,                         ARG_OPTIONAL, "AVBL",        "[<directory>]" },
    { "CCC",     cmd_ccc,             CMD_TLS | CMD_HIDDEN | CMD_EARLY, ARG_NONE,     NULL,          "" },
    { "CDUP",    cmd_cdup,            0,                         ARG_NONE,     NULL,          "" },
    { "CHMOD",   cmd_site_chmod,      CMD_HIDDEN | CMD_WRITE | CMD_CHMOD | CMD_LOCAL, ARG_TEXT,     NULL,          "" },
    { "CLNT",    cmd_clnt,            CMD_EARLY,                 ARG_OPTIONAL, "CLNT",        "<name of the client>" },
    { "COMB",    cmd_comb,            CMD_WRITE | CMD_CHANGE,    ARG_TEXT,     "COMB",        "<file> <part>..." },
    { "CONF",    cmd_not_implemented, CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "CONNECT", cmd_other_protocol,  CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "CPSV",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "CSID",    cmd_csid,            0,                         ARG_OPTIONAL, "CSID",        "<facts of the client>" },
    { "CWD",     cmd_cwd,             0,                         ARG_OPTIONAL, NULL,          "[<directory>]" },
    { "DELE",    cmd_dele,            CMD_WRITE | CMD_CHANGE | CMD_LINK, ARG_PATH,     NULL,          "<file>" },
    { "DELETE",  cmd_other_protocol,  CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "DSIZ",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "EHLO",    cmd_other_protocol,  CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "ENC",     cmd_not_implemented, CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "EPRT",    cmd_eprt,            CMD_PORT,                  ARG_WORD,     "EPRT",        "|<1 or 2>|<address>|<port>|" },
    { "EPSV",    cmd_epsv,            CMD_PASV,                  ARG_OPTIONAL, "EPSV",        "[1 | 2 | ALL]" },
    { "ESTA",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "ESTP",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "FEAT",    cmd_feat,            CMD_EARLY,                 ARG_NONE,     NULL,          "" },
    { "GET",     cmd_other_protocol,  CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "HASH",    cmd_hash,            CMD_HASH | CMD_GET | CMD_MARK, ARG_PATH,     "HASH",        "<file>" },
    { "HEAD",    cmd_other_protocol,  CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "HELO",    cmd_other_protocol,  CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "HELP",    cmd_help,            CMD_EARLY,                 ARG_OPTIONAL, NULL,          "[<command>]" },
    { "HOST",    cmd_not_implemented, CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "LANG",    cmd_lang,            CMD_EARLY,                 ARG_OPTIONAL, "LANG EN*",    "[en]" },
    { "LIST",    cmd_list,            CMD_SHOW | CMD_DATA,       ARG_OPTIONAL, NULL,          "[-<options>] [<path>]" },
    { "LPRT",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "LPSV",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "MAIL",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "MD5",     cmd_md5,             CMD_HASH | CMD_GET,        ARG_PATH,     "MD5",         "<file>" },
    { "MDTM",    cmd_mdtm,            0,                         ARG_MORE,     "MDTM",        "[<time>] <file>" },
    { "MFCT",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "MFF",     cmd_mff,             CMD_WRITE | CMD_CHANGE,    ARG_TEXT,     "MFF",          "<fact>=<value>;... <path>" },
    { "MFMT",    cmd_mfmt,            CMD_WRITE | CMD_CHANGE,    ARG_TEXT,     "MFMT",        "<time> <path>" },
    { "MIC",     cmd_not_implemented, CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "MKD",     cmd_mkd,             CMD_WRITE | CMD_MAKEDIR,   ARG_PATH,     NULL,          "<directory>" },
    { "MLFL",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "MLSD",    cmd_mlsd,            CMD_SHOW | CMD_DATA,       ARG_OPTIONAL, NULL,          "[<directory>]" },
    { "MLST",    cmd_mlst,            CMD_SHOW,                  ARG_OPTIONAL, "MLST",        "[<path>]" },
    { "MMD5",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "MODE",    cmd_mode,            0,                         ARG_WORD,     "MODE Z",      "S | Z" },
    { "MSND",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "NLST",    cmd_nlst,            CMD_SHOW | CMD_DATA,       ARG_OPTIONAL, NULL,          "[-<options>] [<path>]" },
    { "NOOP",    cmd_noop,            CMD_EARLY | CMD_RNFR,      ARG_NONE,     NULL,          "" },
    { "NOP",     cmd_noop,            CMD_HIDDEN | CMD_EARLY | CMD_RNFR, ARG_NONE,     NULL,          "" },
    { "OPTIONS", cmd_other_protocol,  CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "OPTS",    cmd_opts,            CMD_EARLY,                 ARG_WORD,     NULL,          "<command> [<option>]" },
    { "P@SW",    cmd_pasv,            CMD_HIDDEN | CMD_PASV,     ARG_NONE,     NULL,          "" },
    { "PASS",    cmd_pass,            CMD_EARLY,                 ARG_OPTIONAL, NULL,          "<password>" },
    { "PASV",    cmd_pasv,            CMD_PASV,                  ARG_NONE,     "PASV",        "" },
    { "PATCH",   cmd_other_protocol,  CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "PBSZ",    cmd_pbsz,            CMD_TLS | CMD_EARLY,       ARG_WORD,     "PBSZ",        "0" },
    { "PORT",    cmd_port,            CMD_PORT,                  ARG_WORD,     NULL,          "<h1,h2,h3,h4,p1,p2>" },
    { "POST",    cmd_other_protocol,  CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "PRET",    cmd_pret,            0,                         ARG_TEXT,     NULL,          "<command> [<path>]" },
    { "PROT",    cmd_prot,            CMD_TLS | CMD_EARLY,       ARG_WORD,     "PROT",        "C | P" },
    { "PUT",     cmd_other_protocol,  CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "PWD",     cmd_pwd,             0,                         ARG_NONE,     NULL,          "" },
    { "QUIT",    cmd_quit,            CMD_EARLY,                 ARG_NONE,     NULL,          "" },
    { "RANG",    cmd_rang,            0,                         ARG_WORD,     "RANG STREAM", "<first byte> <last byte>" },
    { "REIN",    cmd_rein,            CMD_EARLY,                 ARG_NONE,     NULL,          "" },
    { "REST",    cmd_rest,            0,                         ARG_TEXT,     "REST STREAM", "<offset>" },
    { "RETR",    cmd_retr,            CMD_GET | CMD_DATA,        ARG_PATH,     NULL,          "<file>" },
    { "RMD",     cmd_rmd,             CMD_WRITE | CMD_CHANGE | CMD_LINK, ARG_PATH,     NULL,          "<directory>" },
    { "RMDA",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "RNFR",    cmd_rnfr,            CMD_WRITE | CMD_CHANGE | CMD_LINK | CMD_RNFR, ARG_PATH,     NULL,          "<old name>" },
    { "RNTO",    cmd_rnto,            CMD_WRITE | CMD_CHANGE | CMD_LINK, ARG_PATH,     NULL,          "<new name>" },
    { "SITE",    cmd_site,            0,                         ARG_TEXT,     NULL,          "<command>" },
    { "SIZE",    cmd_size,            0,                         ARG_PATH,     "SIZE",        "<file>" },
    { "SMNT",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "SPSV",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "SSCN",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "STAT",    cmd_stat,            CMD_EARLY,                 ARG_OPTIONAL, NULL,          "[<path>]" },
    { "STOR",    cmd_stor,            CMD_WRITE | CMD_UPLOAD | CMD_DATA, ARG_PATH,     NULL,          "<file>" },
    { "STOU",    cmd_stou,            CMD_WRITE | CMD_UPLOAD | CMD_DATA, ARG_OPTIONAL, NULL,          "[<beginning of the name>]" },
    { "STRU",    cmd_stru,            0,                         ARG_WORD,     NULL,          "F" },
    { "SYST",    cmd_syst,            CMD_EARLY,                 ARG_NONE,     NULL,          "" },
    { "THMB",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "TRACE",   cmd_other_protocol,  CMD_HIDDEN | CMD_EARLY,    ARG_NONE,     NULL,          "" },
    { "TYPE",    cmd_type,            0,                         ARG_WORD,     NULL,          "A | I | L 8" },
    { "USER",    cmd_user,            CMD_EARLY,                 ARG_TEXT,     NULL,          "<name>" },
    { "XCRC",    cmd_xcrc,            CMD_CRC | CMD_GET | CMD_MARK, ARG_MORE,     "XCRC",        "<file> [<start> [<end>]]" },
    { "XCUP",    cmd_cdup,            0,                         ARG_NONE,     NULL,          "" },
    { "XCWD",    cmd_cwd,             0,                         ARG_OPTIONAL, NULL,          "[<directory>]" },
    { "XMD5",    cmd_xmd5,            CMD_HASH | CMD_GET | CMD_MARK, ARG_MORE,     "XMD5",        "<file> [<start> [<end>]]" },
    { "XMKD",    cmd_mkd,             CMD_WRITE | CMD_MAKEDIR,   ARG_PATH,     NULL,          "<directory>" },
    { "XPWD",    cmd_pwd,             0,                         ARG_NONE,     NULL,          "" },
    { "XRCP",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "XRMD",    cmd_rmd,             CMD_WRITE | CMD_CHANGE | CMD_LINK, ARG_PATH,     NULL,          "<directory>" },
    { "XRSQ",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "XSEM",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "XSEN",    cmd_not_implemented, CMD_HIDDEN,                ARG_NONE,     NULL,          "" },
    { "XSHA",    cmd_xsha1,           CMD_HASH | CMD_GET | CMD_MARK, ARG_MORE,     "XSHA",        "<file> [<start> [<end>]]" },
    { "XSHA1",   cmd_xsha1,           CMD_HASH | CMD_GET | CMD_MARK, ARG_MORE,     "XSHA1",       "<file> [<start> [<end>]]" },
    { "XSHA256", cmd_xsha256,         CMD_HASH | CMD_GET | CMD_MARK, ARG_MORE,     "XSHA256",     "<file> [<start> [<end>]]" },
    { "XSHA512", cmd_xsha512,         CMD_HASH | CMD_GET | CMD_MARK, ARG_MORE,     "XSHA512",     "<file> [<start> [<end>]]" },
    { "", NULL, 0, ARG_NONE, NULL, NULL },
};

const struct command ftp_site_commands[] = {
    { "CHGRP",   cmd_site_chgrp,      CMD_WRITE | CMD_LOCAL,     ARG_TEXT,     NULL,          "<group> <path>" },
    { "CHMOD",   cmd_site_chmod,      CMD_WRITE | CMD_CHMOD | CMD_LOCAL, ARG_TEXT,     "SITE CHMOD",  "<mode> <path>" },
    { "COPY",    cmd_site_copy,       CMD_WRITE | CMD_UPLOAD,    ARG_TEXT,     "SITE COPY",   "<file> <new name>" },
    { "CPFR",    cmd_site_cpfr,       CMD_WRITE | CMD_UPLOAD,    ARG_PATH,     NULL,          "<file>" },
    { "CPTO",    cmd_site_cpto,       CMD_WRITE | CMD_UPLOAD,    ARG_PATH,     NULL,          "<new name>" },
    { "HELP",    cmd_site_help,       0,                         ARG_NONE,     NULL,          "" },
    { "IDLE",    cmd_site_idle,       0,                         ARG_OPTIONAL, NULL,          "[<seconds>]" },
    { "MKDIR",   cmd_site_mkdir,      CMD_WRITE | CMD_MAKEDIR,   ARG_PATH,     "SITE MKDIR",  "<directory>" },
    { "RMDIR",   cmd_site_rmdir,      CMD_WRITE | CMD_CHANGE | CMD_LINK, ARG_PATH,     "SITE RMDIR",  "<directory>" },
    { "SYMLINK", cmd_site_symlink,    CMD_WRITE | CMD_CHANGE,    ARG_TEXT,     "SITE SYMLINK", "<target> <new link>" },
    { "UMASK",   cmd_site_umask,      CMD_LOCAL,                 ARG_OPTIONAL, NULL,          "[<umask>]" },
    { "UTIME",   cmd_site_utime,      CMD_WRITE | CMD_CHANGE,    ARG_TEXT,     "SITE UTIME",  "<time> <path> | <path> <accessed> <modified> <created> UTC" },
    { "", NULL, 0, ARG_NONE, NULL, NULL },
};
/* clang-format on */

static int compare_verb(const void *verb, const void *row)
{
    return memcmp(verb, ((const struct command *)row)->verb, FTP_VERB_SIZE);
}

const struct command *ftp_find_command(const struct command *table, const char *verb)
{
    const size_t count =
        table == ftp_commands ? ARRAY_LEN(ftp_commands) : ARRAY_LEN(ftp_site_commands);
    char wanted[FTP_VERB_SIZE] = "";

    for (size_t i = 0; verb[i] != '\0'; i++) {
        if (i == sizeof(wanted) - 1) {
            return NULL; /* longer than all of them */
        }
        wanted[i] = str_upper_char(verb[i]);
    }
    return bsearch(wanted, table, count - 1, sizeof(*table), compare_verb);
}

const char *ftp_split_line(char *line)
{
    char *blank = strchr(line, ' ');

    if (blank == NULL) {
        return line + strlen(line);
    }
    *blank = '\0';
    return blank + 1;
}

void ftp_reply(struct ftp *f, enum ftp_code code, const char *text)
{
    ctrlio_reply(&f->io, code, text);
}

void ftp_end(struct ftp *f, const char *text)
{
    ftp_reply(f, FTP_CLOSING, text);
    f->ended = true;
}

/* What the client is told about an errno; the rest is our business. */
static const struct {
    int error;
    enum ftp_code code;
    const char *text;
} error_replies[] = {
    {ENOENT, FTP_REFUSED, "No such file or directory."},
    {EACCES, FTP_REFUSED, "Permission denied."},
    {EPERM, FTP_REFUSED, "Permission denied."},
    {EEXIST, FTP_REFUSED, "It already exists."}, /* FileZilla gives up without these two words */
    {ENOTEMPTY, FTP_REFUSED, "The directory is not empty."},
    {ENOTDIR, FTP_REFUSED, "Not a directory."},
    {EISDIR, FTP_REFUSED, "Not a regular file."},
    {ENXIO, FTP_REFUSED, "Not a regular file."},
    {ENODEV, FTP_REFUSED, "Not a regular file."},
    {ENAMETOOLONG, FTP_REFUSED, "The name is too long."},
    {EROFS, FTP_REFUSED, "The file system is read-only."},
    {EXDEV, FTP_REFUSED, "Cannot be moved to another file system."},
    {ELOOP, FTP_REFUSED, "Too many symbolic links."},
    {EBUSY, FTP_TEMPORARY, "In use, try again later."},
    {EAGAIN, FTP_TEMPORARY, "In use, try again later."},
    {ETXTBSY, FTP_TEMPORARY, "In use, try again later."},
    {EMFILE, FTP_TEMPORARY, "Too many open files, try again later."},
    {ENFILE, FTP_TEMPORARY, "Too many open files, try again later."},
    {ENOMEM, FTP_LOCAL_ERROR, "Out of memory."},
    {EIO, FTP_LOCAL_ERROR, "Input or output error."},
    {ENOSPC, FTP_DISK_FULL, "The disk is full."},
    {EDQUOT, FTP_QUOTA, "The quota is used up."},
    {EFBIG, FTP_QUOTA, "The file would become too large."},
};

void ftp_reply_errno_as(struct ftp *f, int error, enum ftp_code refused)
{
    f->error = error;
    for (size_t i = 0; i < ARRAY_LEN(error_replies); i++) {
        if (error_replies[i].error == error) {
            enum ftp_code code = error_replies[i].code;

            ftp_reply(f, code == FTP_REFUSED ? refused : code, error_replies[i].text);
            return;
        }
    }
    ftp_reply(f, refused, "The operation failed.");
}

void ftp_reply_errno(struct ftp *f, int error, bool create)
{
    ftp_reply_errno_as(f, error, create ? FTP_BAD_NAME : FTP_REFUSED);
}

void ftp_work_begin(const struct ftp *f, struct ftp_work *work, const char *doing)
{
    work->doing = doing;
    work->hurries = false;
    work->deadline_ms = sysutil_now_ms() + (int64_t)f->idle_sec * 1000;
}

enum ftp_work_state ftp_work_look(struct ftp *f, struct ftp_work *work)
{
    int64_t now_ms = sysutil_now_ms();

    if (f->io.input_ended &&
        !work->hurries) { /* a client that is gone looks like a half-closed one */
        work->hurries = true;
        if (work->deadline_ms > now_ms + EOF_PATIENCE_MS) {
            work->deadline_ms = now_ms + EOF_PATIENCE_MS;
        }
    }
    if (now_ms >= work->deadline_ms) {
        return FTP_WORK_TOO_LONG;
    }
    switch (ctrlio_wait(&f->io, -1, 0, now_ms)) { /* only a look */
    case CTRL_WAIT_INPUT:
        return ftp_is_aborted(f, NULL, work->doing) ? FTP_WORK_ABORTED : FTP_WORK_GOES_ON;
    case CTRL_WAIT_GONE:
        f->ended = true;
        return FTP_WORK_GONE;
    case CTRL_WAIT_PARENT_GONE:
        return FTP_WORK_GONE; /* the next wait for a command says so */
    case CTRL_WAIT_EOF:       /* half closed: it may still read */
    case CTRL_WAIT_TIMEOUT:
    case CTRL_WAIT_READY:
        break;
    }
    return FTP_WORK_GOES_ON;
}

bool ftp_work_goes_on(struct ftp *f, struct ftp_work *work)
{
    switch (ftp_work_look(f, work)) {
    case FTP_WORK_GOES_ON:
        return true;
    case FTP_WORK_ABORTED:
        ftp_reply(f, FTP_DATA_BROKEN, "Aborted.");
        break;
    case FTP_WORK_TOO_LONG:
        ftp_reply(f, FTP_TEMPORARY, "This takes too long, given up.");
        break;
    case FTP_WORK_GONE:
        break;
    }
    return false;
}

bool ftp_may_create(struct ftp *f, const char *path)
{
    for (const char *p = path; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7F) {
            ftp_reply(f, FTP_BAD_NAME, "Names with control characters are not created here.");
            return false;
        }
    }
    return true;
}

/* Blanks off both ends, in place. */
static char *trim(char *text)
{
    size_t len;

    while (*text == ' ') {
        text++;
    }
    for (len = strlen(text); len > 0 && text[len - 1] == ' '; len--) {
    }
    text[len] = '\0';
    return text;
}

/* The argument as the handler gets it; NULL, with the reply sent and the log written, if it may not. */
static const char *take_argument(struct ftp *f, const struct command *command, const char *argument,
                                 struct str *buffer)
{
    const char *taken = argument;

    if (command->argument == ARG_PATH) {
        taken = ftp_take_path_as(f, argument, (command->flags & CMD_LINK) == 0, buffer);
    } else if (command->argument == ARG_MORE) {
        taken = ftp_expand_file(f, argument, buffer);
    }
    if (taken == NULL) {
        ftp_log_refused_path(f, command, argument);
    }
    return taken;
}

void ftp_run_command(struct ftp *f, const struct command *command, char *argument)
{
    struct str expanded = STR_INIT(PATH_TEXT_MAX);

    f->error = 0;
    if (command->argument == ARG_WORD) {
        argument = trim(argument);
    }
    if (ftp_passes_gate(f, command, argument)) {
        const char *taken = take_argument(f, command, argument, &expanded);

        if (taken != NULL) {
            command->run(f, taken);
        }
    }
    str_free(&expanded);
    if ((command->flags & (CMD_DATA | CMD_MARK)) != 0) {
        f->restart = 0; /* for one transfer, whatever became of it */
        f->has_end = false;
        f->announced = 0;
    }
    if ((command->flags & CMD_RNFR) == 0) {
        f->has_renaming = false;
    }
}

static void unknown_command(struct ftp *f)
{
    ftp_reply(f, FTP_UNKNOWN_COMMAND, "Unknown command.");
    if (!f->setup->logged_in && ++f->unknown_commands >= UNKNOWN_COMMANDS_MAX) {
        f->ended = true;
    }
}

/*
 * SECURITY: passwords are shown nowhere. A line that is no command may be one that was sent in the wrong
 * place.
 */
static void show_command(const struct ftp *f, const struct command *command, const char *argument)
{
    if (command == NULL) {
        return;
    }
    if (command->run == cmd_pass || command->run == cmd_acct) {
        argument = "";
    }
    scoreboard_command(f->setup->live, command->verb, argument);
    if (f->setup->logged_in) {
        proctitle_show(command->verb, argument);
    }
}

static void show_idle(const struct ftp *f, int64_t now_ms)
{
    scoreboard_idle(f->setup->live, now_ms);
    if (f->setup->logged_in) {
        proctitle_show("IDLE", "");
    }
}

/* One complete line from the client. */
static void run_line(struct ftp *f, struct str *line)
{
    const struct command *command;
    char *argument;

    if (line->len == 0) {
        return; /* some clients keep connections alive with empty lines */
    }
    ftplog_command(f, str_text(line));
    argument = line->buf + (ftp_split_line(line->buf) - line->buf);
    command = ftp_find_command(ftp_commands, line->buf);
    show_command(f, command, argument);
    if (command == NULL) {
        f->has_renaming = false;
        unknown_command(f);
        return;
    }
    ftp_run_command(f, command, argument);
}

/* Wait for a line and act on it. */
static void run_next(struct ftp *f, struct str *line)
{
    int64_t deadline_ms = 0;

    /* between commands that were sent in a row nobody is idle, and there is nothing to wait for */
    if (!ctrlio_has_line(&f->io)) {
        int64_t now_ms = sysutil_now_ms();

        deadline_ms = now_ms + (int64_t)f->idle_sec * 1000;
        show_idle(f, now_ms);
        if (privsock_log_due_ms() != 0 && privsock_log_due_ms() <= now_ms) {
            (void)privsock_send_log(f->setup->priv_fd); /* the next wait notices a dead parent */
        }
    }
    switch (ctrlio_read_line(&f->io, line, deadline_ms)) {
    case CTRL_LINE:
        run_line(f, line);
        break;
    case CTRL_TOO_LONG:
        ftplog_command(f, "<a line that is too long>");
        ftp_reply(f, FTP_UNKNOWN_COMMAND, "The line is too long.");
        break;
    case CTRL_BAD_BYTES:
        ftplog_command(f, "<a line with control characters>");
        ftp_reply(f, FTP_BAD_ARGUMENT, "The line holds a control character.");
        break;
    case CTRL_TIMEOUT:
        ftp_end(f, "No command for too long, closing the connection.");
        break;
    case CTRL_PARENT_GONE:
        ftp_end(f, "The service is going down, closing the connection.");
        break;
    case CTRL_DRAINING:
        ftp_end(f, "The service is going down, please try again later.");
        break;
    case CTRL_EOF:
    case CTRL_ERROR:
        f->ended = true;
        break;
    }
}

/* S: remember where the session begins. */
static bool learn_home(struct ftp *f)
{
    char path[USUAL_PATH];
    char *longer = NULL;
    const char *found = getcwd(path, sizeof(path));

    if (found == NULL && errno == ERANGE) {
        found = longer = getcwd(NULL, 0);
    }
    if (found != NULL) {
        str_append(&f->home, found);
        str_append(&f->cwd, found);
    }
    free(longer);
    return found != NULL && str_ok(&f->home) && str_ok(&f->cwd) &&
           (f->setup->fence == NULL || fence_set(&f->fence, f->setup->fence));
}

static void warn_of_patterns(const struct ftp *f)
{
    static const char text[] =
        "a pattern of deny_file, hide_file, upload_file or download_file cannot "
        "be used; write fewer {,} in it. Until then it refuses every name";
    struct log_record record = {
        .event = LOG_EVENT_WARNING, .text = text, .text_len = sizeof(text) - 1};

    (void)privsock_log(f->setup->priv_fd, &record); /* the next wait notices a dead parent */
}

/* S: from where the session begins, and what may be named there. */
static bool begin_session(struct ftp *f)
{
    const struct access_texts texts = {f->tun->deny_file, f->tun->hide_file, f->tun->upload_file,
                                       f->tun->download_file};

    if (!learn_home(f)) {
        ftp_end(f, "The home directory cannot be used.");
        return false;
    }
    if (!access_init(&f->access, &texts, str_text(&f->home))) {
        warn_of_patterns(f);
    }
    return true;
}

static void init(struct ftp *f, const struct ftp_setup *setup)
{
    f->setup = setup;
    f->tun = setup->tun;
    f->ended = f->has_user = f->type_ascii = f->mode_z = f->has_renaming = f->has_end = false;
    f->unknown_commands = 0;
    f->idle_sec = f->tun->idle_session_timeout;
    f->z_level = DEFAULT_Z_LEVEL;
    f->restart = 0;
    f->announced = 0;
    f->rate = (struct rate){0};
    f->error = 0;
    f->hash = DIGEST_SHA256;
    f->listing = NULL;
    fence_init(&f->fence);
    ftp_init_look(f);
    f->relay_fd = setup->relay_fd;
    f->protect = setup->protect;
    f->umask = setup->anonymous ? f->tun->anon_umask : f->tun->local_umask;
    ctrlio_init(&f->io, setup->ctrl_fd, setup->priv_fd, !setup->logged_in,
                (int64_t)f->tun->idle_session_timeout * 1000);
    ftplog_watch(f);
    datachan_init(&f->data, f->tun, setup->priv_fd, &setup->peer);
    str_init(&f->user, LOGIN_NAME_MAX_LEN);
    str_init(&f->home, PATH_TEXT_MAX);
    str_init(&f->cwd, PATH_TEXT_MAX);
    str_init(&f->renaming, FTP_LINE_MAX);
    str_init(&f->copying, PATH_TEXT_MAX);
    if (setup->logged_in) {
        str_append(&f->user, setup->user);
        (void)umask((mode_t)f->umask); /* cannot fail */
    }
}

int ftpproto_run(const struct ftp_setup *setup)
{
    static struct ftp f; /* one session a process; kept off the stack for its buffers */
    struct str line = STR_INIT(FTP_LINE_MAX);

    init(&f, setup);
    if (!setup->logged_in && f.relay_fd != -1 && !ftp_begin_tls(&f)) {
        f.ended = true;
    } else if (!setup->logged_in || begin_session(&f)) {
        ftp_greet(&f);
    }
    while (!f.ended) {
        run_next(&f, &line);
    }
    (void)privsock_send_log(setup->priv_fd); /* a dead parent writes no log */
    ctrlio_finish(&f.io);
    datachan_free(&f.data);
    access_free(&f.access);
    free(f.listing);
    str_wipe(&line);
    str_free(&f.user);
    str_free(&f.home);
    str_free(&f.cwd);
    str_free(&f.renaming);
    str_free(&f.copying);
    fence_free(&f.fence);
    return EXIT_STATUS_OK;
}
