/*
 * ftpcmd_info.c - what the server says about itself: FEAT, OPTS, HELP and the like
 *
 * Process: P and S.
 * Trusts:  nothing that the client sends.
 * Touches: the control connection and the state of the session.
 */
#include <string.h>
#include <strings.h>

#include "ftpproto.h"
#include "str.h"
#include "tunable.h"
#include "zstream.h"

void cmd_syst(struct ftp *f, const char *argument)
{
    (void)argument;
    ftp_reply(f, FTP_SYSTEM, "UNIX Type: L8");
}

/* "HASH SHA-256*;SHA-512;...": all that this build has, the selected one with a star. */
static bool feature_hash(const struct ftp *f, struct str *line)
{
    const char *separator = "HASH ";

    for (int kind = 0; kind < DIGEST_KINDS; kind++) {
        if (digest_available((enum digest_kind)kind)) {
            str_append(line, separator);
            str_append(line, digest_name((enum digest_kind)kind));
            str_append(line, (int)f->hash == kind ? "*" : "");
            separator = ";";
        }
    }
    return true;
}

static bool feature_mff(const struct ftp *f, struct str *line)
{
    str_append(line, "MFF modify;");
    str_append(line, ftp_site_enabled(f, "CHMOD") ? "UNIX.mode;" : "");
    str_append(line, ftp_site_enabled(f, "CHGRP") ? "UNIX.group;" : "");
    return true;
}

/* It promises MLSD as well: RFC 3659 7.8. */
static bool feature_mlst(const struct ftp *f, struct str *line)
{
    str_append(line, "MLST ");
    listfmt_append_facts(line, FACT_ALL, f->look.facts);
    return ftp_verb_enabled(f, "MLSD");
}

static bool feature_mode(const struct ftp *f, struct str *line)
{
    str_append(line, "MODE Z");
    return f->tun->mode_z_enable && zstream_available();
}

/* Lines of FEAT that depend on the session. False: not to be shown. */
static const struct {
    const char *verb;
    bool (*append)(const struct ftp *f, struct str *line);
} changing_features[] = {
    {"HASH", feature_hash},
    {"MFF", feature_mff},
    {"MLST", feature_mlst},
    {"MODE", feature_mode},
};

static bool append_feature(const struct ftp *f, const struct command *command, struct str *line)
{
    for (size_t i = 0; i < ARRAY_LEN(changing_features); i++) {
        if (strcmp(changing_features[i].verb, command->verb) == 0) {
            return changing_features[i].append(f, line);
        }
    }
    str_append(line, command->feature);
    return true;
}

static void reply_features(struct ftp *f, const struct command *table)
{
    struct str line = STR_INIT(256);

    for (const struct command *c = table; c->verb[0] != '\0'; c++) {
        str_clear(&line);
        str_append_char(&line, ' ');
        if (c->feature != NULL && ftp_command_enabled(f, c) && append_feature(f, c, &line)) {
            ctrlio_reply_middle(&f->io, str_text(&line));
        }
    }
    str_free(&line);
}

void cmd_feat(struct ftp *f, const char *argument)
{
    (void)argument;
    ctrlio_reply_first(&f->io, FTP_STATUS, "Features:");
    reply_features(f, ftp_commands);
    reply_features(f, ftp_site_commands);
    ctrlio_reply_middle(&f->io, " TVFS");
    ctrlio_reply_middle(&f->io, " UTF8");
    ftp_reply(f, FTP_STATUS, "End");
}

static void opts_utf8(struct ftp *f, const char *value)
{
    if (*value == '\0' || str_equal_nocase(value, "ON") || str_equal_nocase(value, "NLST")) {
        ftp_reply(f, FTP_OK, "Names are always UTF-8.");
    } else if (str_equal_nocase(value, "OFF")) {
        ftp_reply(f, FTP_BAD_PARAMETER, "Names are always UTF-8.");
    } else {
        ftp_reply(f, FTP_BAD_ARGUMENT, "Unknown option.");
    }
}

/* RFC 3659 7.9: the facts wanted from now on; the reply tells which of them there are. */
static void opts_mlst(struct ftp *f, const char *value)
{
    struct str line = STR_INIT(256);

    f->look.facts = listfmt_parse_facts(value);
    str_append(&line, "MLST OPTS");
    if (f->look.facts != 0) {
        str_append_char(&line, ' ');
        listfmt_append_facts(&line, f->look.facts, 0);
    }
    ftp_reply(f, FTP_OK, str_text(&line));
    str_free(&line);
}

static void opts_hash(struct ftp *f, const char *value)
{
    if (!f->tun->hash_enable || (*value != '\0' && !digest_find(value, &f->hash)) ||
        !digest_available(f->hash)) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "Unknown algorithm.");
    } else {
        ftp_reply(f, FTP_OK, digest_name(f->hash));
    }
}

/* "Z" or "Z LEVEL n", of draft-preston-ftpext-deflate. */
static void opts_mode(struct ftp *f, const char *value)
{
    static const char level_text[] = "Z LEVEL ";
    struct str head = STR_INIT(FTP_LINE_MAX);
    size_t len = sizeof(level_text) - 1;
    uint64_t level = (uint64_t)f->z_level;
    bool good = str_equal_nocase(value, "Z");

    if (strlen(value) > len) {
        str_append_mem(&head, value, len);
        good =
            str_equal_nocase(str_text(&head), level_text) && str_to_uint(value + len, 1, 9, &level);
    }
    if (!good || !f->tun->mode_z_enable || !zstream_available()) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "Unknown option.");
    } else {
        f->z_level = (int)level;
        ftp_reply(f, FTP_OK, "Fine.");
    }
    str_free(&head);
}

/* Some clients ask whether REST works before STOR. */
static void opts_rest(struct ftp *f, const char *value)
{
    const struct command *stor = ftp_find_command(ftp_commands, "STOR");

    if (!str_equal_nocase(value, "STOR")) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "Unknown option.");
    } else if (!ftp_command_enabled(f, stor)) {
        ftp_reply(f, FTP_LOCAL_ERROR, "STOR is not allowed.");
    } else {
        ftp_reply(f, FTP_OK, "REST works before STOR.");
    }
}

void cmd_opts(struct ftp *f, const char *argument)
{
    static const struct {
        const char *name;
        void (*run)(struct ftp *f, const char *value);
    } options[] = {
        {"UTF8", opts_utf8}, {"UTF-8", opts_utf8}, {"MLST", opts_mlst},
        {"HASH", opts_hash}, {"MODE", opts_mode},  {"REST", opts_rest},
    };
    struct str line = STR_INIT(FTP_LINE_MAX);
    const char *value;

    str_append(&line, argument);
    value = ftp_split_line(line.buf);
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (str_equal_nocase(line.buf, options[i].name)) {
            options[i].run(f, value);
            str_free(&line);
            return;
        }
    }
    ftp_reply(f, FTP_BAD_ARGUMENT, "Unknown option.");
    str_free(&line);
}

void cmd_clnt(struct ftp *f, const char *argument)
{
    (void)argument;
    ftp_reply(f, FTP_OK, "Noted.");
}

/* draft-peterson-streamlined-ftp-command-extensions */
void cmd_csid(struct ftp *f, const char *argument)
{
    (void)argument;
    ftp_reply(f, FTP_OK,
              "Name=" MINIFTPD_NAME "; Version=" MINIFTPD_VERSION "; CaseSensitive=1; DirSep=/;");
}

/* RFC 2640 4: one language, however it is called. */
void cmd_lang(struct ftp *f, const char *argument)
{
    bool english = str_upper_char(argument[0]) == 'E' && str_upper_char(argument[1]) == 'N' &&
                   (argument[2] == '\0' || argument[2] == '-' || argument[2] == '*');

    if (*argument == '\0' || english) {
        ftp_reply(f, FTP_OK, "Replies are in English.");
    } else {
        ftp_reply(f, FTP_BAD_PARAMETER, "Replies are in English only.");
    }
}

/* The verbs of a table, eight in a line. */
static void help_verbs(struct ftp *f, const struct command *table)
{
    struct str line = STR_INIT(128);
    unsigned column = 0;

    for (const struct command *c = table; c->verb[0] != '\0'; c++) {
        if ((c->flags & CMD_HIDDEN) != 0 || !ftp_command_enabled(f, c)) {
            continue;
        }
        str_append_format(&line, " %-7s", c->verb);
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

/* "<verb>" or "SITE <verb>" */
static const struct command *find_for_help(const char *argument)
{
    static const char site[] = "SITE ";
    const struct command *command;

    if (strncasecmp(argument, site, sizeof(site) - 1) == 0) {
        return ftp_find_command(ftp_site_commands, argument + sizeof(site) - 1);
    }
    command = ftp_find_command(ftp_commands, argument);
    return command != NULL && (command->flags & CMD_HIDDEN) == 0 ? command : NULL;
}

static bool is_site(const struct command *command)
{
    return ftp_find_command(ftp_site_commands, command->verb) == command;
}

void cmd_help(struct ftp *f, const char *argument)
{
    const struct command *command = find_for_help(argument);
    struct str line = STR_INIT(256);

    if (*argument == '\0') {
        ctrlio_reply_first(&f->io, FTP_HELP, "The commands are:");
        help_verbs(f, ftp_commands);
        ftp_reply(f, FTP_HELP, "End of the list.");
    } else if (str_equal_nocase(argument, "SITE")) {
        cmd_site_help(f, "");
    } else if (command == NULL || !ftp_command_enabled(f, command)) {
        ftp_reply(f, FTP_NOT_IMPLEMENTED, "Unknown command.");
    } else {
        str_append_format(&line, "Syntax: %s%s %s", is_site(command) ? "SITE " : "", command->verb,
                          command->help);
        ftp_reply(f, FTP_HELP, str_text(&line));
    }
    str_free(&line);
}
