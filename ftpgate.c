/*
 * ftpgate.c - which commands the configuration lets this user give
 *
 * Process: P and S; main, to check a list of commands.
 * Trusts:  the rows of the command table.
 * Touches: nothing but the control connection.
 *
 * cmds_allowed and cmds_denied were written for the commands that vsftpd has. So a command counts under
 * all of its names, and what we do beyond vsftpd is refused wherever its plain relative is: who denies
 * MKD does not want SITE MKDIR either.
 */
#include <string.h>

#include "access.h"
#include "digest.h"
#include "ftpproto.h"
#include "listfmt.h"
#include "log.h"
#include "str.h"
#include "tunable.h"

#define COMMAND_MAX 64 /* bytes of one in a list */

/* Flags that ask for no right. SECURITY: a flag that is not named here is looked up. */
#define FREE_FLAGS (CMD_EARLY | CMD_DATA | CMD_RNFR | CMD_HIDDEN | CMD_MARK | CMD_LINK)

typedef void handler(struct ftp *f, const char *argument);

/* Commands that do the work of others: those must be allowed, too. */
static const struct {
    handler *run;
    const char *relatives[3];
} extensions[] = {
    {cmd_comb, {"APPE", "DELE"}}, {cmd_hash, {"RETR"}},       {cmd_md5, {"RETR"}},
    {cmd_mff, {"MDTM"}},          {cmd_mfmt, {"MDTM"}},       {cmd_mlsd, {"LIST"}},
    {cmd_mlst, {"LIST"}},         {cmd_site_copy, {"STOR"}},  {cmd_site_cpfr, {"STOR"}},
    {cmd_site_cpto, {"STOR"}},    {cmd_site_mkdir, {"MKD"}},  {cmd_site_rmdir, {"RMD", "DELE"}},
    {cmd_site_symlink, {"STOR"}}, {cmd_site_utime, {"MDTM"}}, {cmd_xcrc, {"RETR"}},
    {cmd_xmd5, {"RETR"}},         {cmd_xsha1, {"RETR"}},      {cmd_xsha256, {"RETR"}},
    {cmd_xsha512, {"RETR"}},
};

static const char *const *relatives_of(const struct command *command)
{
    static const char *const none[] = {NULL};

    for (size_t i = 0; i < ARRAY_LEN(extensions); i++) {
        if (extensions[i].run == command->run) {
            return extensions[i].relatives;
        }
    }
    return none;
}

/* Two names of one command; refusals share their handlers and are commands all the same. */
static bool is_same(const struct command *a, const struct command *b)
{
    return a == b ||
           (a->run == b->run && a->run != cmd_not_implemented && a->run != cmd_other_protocol);
}

/* Is it one of SITE, by whatever name? */
static bool is_of_site(const struct command *command)
{
    for (const struct command *c = ftp_site_commands; c->verb[0] != '\0'; c++) {
        if (is_same(c, command)) {
            return true;
        }
    }
    return false;
}

/* The row of "STOR" or "SITE CHMOD", in capitals, or NULL. */
static const struct command *find_word(const char *word)
{
    static const char site[] = "SITE ";

    if (strncmp(word, site, sizeof(site) - 1) == 0) {
        word += sizeof(site) - 1;
        return ftp_find_command(ftp_site_commands, word + strspn(word, " "));
    }
    return ftp_find_command(ftp_commands, word);
}

/* Does the list name the command? `within`: naming SITE names all of its commands. */
static bool list_has(const char *list, const struct command *command, bool within)
{
    struct str word = STR_INIT(COMMAND_MAX);
    bool found = false;

    within = within && is_of_site(command);
    while (!found && access_next_command(&list, &word)) {
        const struct command *named = find_word(str_text(&word));

        found = named != NULL && (is_same(named, command) || (within && named->run == cmd_site));
    }
    str_free(&word);
    return found;
}

/* Does the list name a command of SITE one by one? Then SITE itself has to be let through to it. */
static bool list_has_of_site(const char *list)
{
    struct str word = STR_INIT(COMMAND_MAX);
    bool found = false;

    while (!found && access_next_command(&list, &word)) {
        const struct command *named = find_word(str_text(&word));

        found = named != NULL && is_of_site(named);
    }
    str_free(&word);
    return found;
}

static bool is_set(const char *list)
{
    return list != NULL && *list != '\0';
}

/* cmds_denied, for the command and for what it does the work of. */
static bool is_listed_denied(const struct tunables *tun, const struct command *command)
{
    if (!is_set(tun->cmds_denied)) {
        return false;
    }
    if (list_has(tun->cmds_denied, command, true)) {
        return true;
    }
    for (const char *const *relative = relatives_of(command); *relative != NULL; relative++) {
        if (list_has(tun->cmds_denied, find_word(*relative), true)) {
            return true;
        }
    }
    return false;
}

/* cmds_allowed. What SITE alone lets through must not do what the list leaves out. */
static bool is_listed_allowed(const struct tunables *tun, const struct command *command)
{
    const char *list = tun->cmds_allowed;

    if (!is_set(list) || list_has(list, command, false)) {
        return true;
    }
    if (command->run == cmd_site) {
        return list_has_of_site(list);
    }
    if (!list_has(list, command, true)) {
        return false;
    }
    for (const char *const *relative = relatives_of(command); *relative != NULL; relative++) {
        if (!list_has(list, find_word(*relative), true)) {
            return false;
        }
    }
    return true;
}

bool ftpproto_check_commands(const char *list, struct str *unknown)
{
    struct str word = STR_INIT(COMMAND_MAX);
    bool good = true;

    while (access_next_command(&list, &word)) {
        if (find_word(str_text(&word)) == NULL) {
            str_append(unknown, unknown->len > 0 ? ", " : "");
            str_append(unknown, word.len > 0 ? str_text(&word) : "(a very long one)");
            good = false;
        }
    }
    str_free(&word);
    return good;
}

bool ftpproto_list_names(const char *list, const char *verb)
{
    const struct command *command = find_word(verb);

    return command != NULL && list_has(list, command, true);
}

bool ftp_command_built(const struct command *command)
{
    return ((command->flags & CMD_HASH) == 0 || digest_available(DIGEST_MD5)) &&
           ((command->flags & CMD_CRC) == 0 || digest_available(DIGEST_CRC32));
}

/* What the flags ask for, one by one. SECURITY: an anonymous user changes nothing without a right to. */
static bool has_rights(const struct ftp *f, unsigned flags)
{
    const unsigned anonymous_rights = CMD_UPLOAD | CMD_MAKEDIR | CMD_CHANGE;
    const struct tunables *tun = f->tun;
    const bool anonymous = f->setup->anonymous;
    const struct {
        unsigned flag;
        bool granted;
    } rights[] = {
        {CMD_WRITE, tun->write_enable && (!anonymous || (flags & anonymous_rights) != 0)},
        {CMD_LOCAL, !anonymous},
        {CMD_UPLOAD, !anonymous || tun->anon_upload_enable},
        {CMD_MAKEDIR, !anonymous || tun->anon_mkdir_write_enable},
        {CMD_CHANGE, !anonymous || tun->anon_other_write_enable},
        {CMD_GET, tun->download_enable},
        {CMD_SHOW, tun->dirlist_enable},
        {CMD_PASV, tun->pasv_enable},
        {CMD_PORT, tun->port_enable},
        {CMD_HASH | CMD_CRC, tun->hash_enable},
        {CMD_CHMOD, tun->chmod_enable},
        {CMD_TLS, tunable_wants_tls(tun)},
    };

    for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
        if ((flags & rights[i].flag) != 0 && !rights[i].granted) {
            return false;
        }
    }
    return true;
}

/* The lists are about users, and before a login there is none. */
static bool passes_lists(const struct ftp *f, const struct command *command)
{
    return !f->setup->logged_in ||
           (is_listed_allowed(f->tun, command) && !is_listed_denied(f->tun, command));
}

bool ftp_command_enabled(const struct ftp *f, const struct command *command)
{
    return ftp_command_built(command) &&
           ((command->flags & ~(unsigned)FREE_FLAGS) == 0 || has_rights(f, command->flags)) &&
           passes_lists(f, command);
}

/* A command of TLS on a server without it. */
static bool is_missing(const struct ftp *f, const struct command *command)
{
    return (command->flags & CMD_TLS) != 0 && !tunable_wants_tls(f->tun) &&
           passes_lists(f, command);
}

bool ftp_verb_enabled(const struct ftp *f, const char *verb)
{
    return ftp_command_enabled(f, ftp_find_command(ftp_commands, verb));
}

bool ftp_site_enabled(const struct ftp *f, const char *verb)
{
    return ftp_command_enabled(f, ftp_find_command(ftp_site_commands, verb));
}

bool ftp_may_overwrite(const struct ftp *f)
{
    return !f->setup->anonymous || f->tun->anon_other_write_enable;
}

bool ftp_passes_gate(struct ftp *f, const struct command *command, const char *argument)
{
    if (!f->setup->logged_in && (command->flags & CMD_EARLY) == 0) {
        ftp_reply(f, FTP_NOT_LOGGED_IN, "Please log in with USER and PASS first.");
    } else if (!ftp_command_built(command) || is_missing(f, command)) {
        cmd_not_implemented(f, "");
    } else if (!ftp_command_enabled(f, command)) {
        ftp_reply(f, FTP_REFUSED, "Permission denied.");
    } else if (*argument == '\0' && command->argument != ARG_NONE &&
               command->argument != ARG_OPTIONAL) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "An argument is missing.");
    } else if ((command->flags & CMD_DATA) != 0 && f->data.mode == DATACHAN_NONE) {
        ftp_reply(f, FTP_NO_DATA_CONNECTION, "Use PASV, EPSV, PORT or EPRT first.");
    } else if ((command->flags & CMD_DATA) != 0 && !f->protect && ftp_must_protect(f)) {
        datachan_reset(&f->data);
        ftp_reply(f, FTP_NOT_PROTECTED, "Data connections must be encrypted: PROT P.");
    } else {
        return true;
    }
    return false;
}

void ftp_log_refused_path(struct ftp *f, const struct command *command, const char *path)
{
    static const struct {
        handler *run;
        enum log_event event;
    } events[] = {
        {cmd_retr, LOG_EVENT_DOWNLOAD}, {cmd_stor, LOG_EVENT_UPLOAD},
        {cmd_appe, LOG_EVENT_UPLOAD},   {cmd_dele, LOG_EVENT_DELETE},
        {cmd_mkd, LOG_EVENT_MKDIR},     {cmd_site_mkdir, LOG_EVENT_MKDIR},
        {cmd_rmd, LOG_EVENT_RMDIR},     {cmd_site_rmdir, LOG_EVENT_RMDIR},
    };

    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        if (events[i].run == command->run) {
            ftp_log_path(f, (int)events[i].event, false, path);
        }
    }
}

/* What each letter of the fact perm stands for: RFC 3659 7.5.5. */
static void learn_letters(struct ftp *f)
{
    const bool renames = ftp_verb_enabled(f, "RNFR") && ftp_verb_enabled(f, "RNTO");
    const bool stores = ftp_verb_enabled(f, "STOR");
    const struct {
        const char *letter;
        bool of_file, of_dir;
    } rows[] = {
        {"a", ftp_verb_enabled(f, "APPE"), false},
        {"c", false, stores},
        {"d", ftp_verb_enabled(f, "DELE"), ftp_verb_enabled(f, "RMD")},
        {"e", false, ftp_verb_enabled(f, "CWD")},
        {"f", renames, renames},
        {"l", false, ftp_verb_enabled(f, "LIST") || ftp_verb_enabled(f, "MLSD")},
        {"m", false, ftp_verb_enabled(f, "MKD")},
        {"p", false, ftp_verb_enabled(f, "DELE")},
        {"r", ftp_verb_enabled(f, "RETR"), false},
        {"w", stores && ftp_may_overwrite(f), false},
    };

    f->look.file_letters = f->look.dir_letters = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned bit = listfmt_letters(rows[i].letter);

        f->look.file_letters |= rows[i].of_file ? bit : 0;
        f->look.dir_letters |= rows[i].of_dir ? bit : 0;
    }
}

void ftp_init_look(struct ftp *f)
{
    const struct ftp_setup *setup = f->setup;

    memset(&f->look, 0, sizeof(f->look));
    f->look.names = f->tun->text_userdb_names ? setup->names : NULL;
    f->look.hide_ids = f->tun->hide_ids;
    f->look.local_time = f->tun->use_localtime;
    f->look.facts = FACT_ALL;
    f->look.uid = setup->uid;
    f->look.gid = setup->gid;
    f->look.groups = setup->groups;
    f->look.group_count = setup->group_count;
    f->look.world_readable = setup->anonymous && f->tun->anon_world_readable_only;
    if (setup->logged_in) {
        learn_letters(f);
    }
}
