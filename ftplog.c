/*
 * ftplog.c - what the service processes report for the log
 *
 * Process: P and S.
 * Trusts:  nothing that the client sends.
 * Touches: priv_fd, and nothing at all unless a log asks for it.
 */
#include "ftplog.h"

#include <string.h>

#include "ftpproto.h"
#include "log.h"
#include "privsock.h"
#include "str.h"
#include "tunable.h"

#define PATH_TEXT_MAX  (2 * FTP_LINE_MAX)
#define VERB_MAX       31
#define TYPING_MISTAKE 2 /* letters; PAS, PSAS and PASSS mean PASS */

/* ---- events ---- */

void ftp_log_record(struct ftp *f, struct log_record *record, const char *path)
{
    struct str absolute = STR_INIT(PATH_TEXT_MAX);

    if (!log_wants(f->tun, record->event)) {
        return;
    }
    ftp_absolute(f, path, &absolute);
    record->text = str_text(&absolute);
    record->text_len = absolute.len;
    record->is_ascii = f->type_ascii; /* what TYPE said, converted or not: so does vsftpd */
    if (!record->ok && record->detail == NULL) {
        record->error = f->error;
    }
    (void)privsock_log(f->setup->priv_fd, record); /* the next wait notices a dead parent */
    str_free(&absolute);
}

void ftp_log_path(struct ftp *f, int event, bool ok, const char *path)
{
    struct log_record record = {.event = (enum log_event)event, .ok = ok};

    ftp_log_record(f, &record, path);
}

void ftp_log_detail(struct ftp *f, int event, bool ok, const char *path, const char *detail)
{
    struct log_record record = {
        .event = (enum log_event)event,
        .ok = ok,
        .detail = detail,
        .detail_len = strlen(detail),
        .error = ok ? 0 : f->error,
    };

    ftp_log_record(f, &record, path);
}

/* ---- the dialogue ---- */

/* What passwords come with. */
static const char *const secret_verbs[] = {"PASS", "ACCT"};

/* Is `word` one of them, or meant to be? */
static const char *secret_verb(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(secret_verbs); i++) {
        size_t len = strlen(secret_verbs[i]);
        char begin[VERB_MAX + 1] = "";

        memcpy(begin, word, strnlen(word, len));
        if (str_equal_nocase(begin, secret_verbs[i])) {
            return secret_verbs[i]; /* PASSWORD and PASSsecret, too */
        }
        if (ftp_find_command(ftp_commands, word) == NULL &&
            str_distance(word, secret_verbs[i]) <= TYPING_MISTAKE) {
            return secret_verbs[i];
        }
    }
    return NULL;
}

void ftplog_mask(const char *line, bool expected, struct str *out)
{
    const char *start = line + strspn(line, " \t");
    size_t len = strcspn(start, " \t");
    char word[VERB_MAX + 1] = "";
    const char *secret;

    memcpy(word, start, len < VERB_MAX ? len : VERB_MAX);
    secret = secret_verb(word);
    if (secret != NULL) {
        str_append_format(out, "%s <password>", secret);
    } else if (expected && (len > VERB_MAX || ftp_find_command(ftp_commands, word) == NULL)) {
        str_append(out, "<unknown command>"); /* a password without its command, perhaps */
    } else {
        str_append(out, line);
    }
}

static void report(const struct ftp *f, enum log_event event, const char *text, size_t len)
{
    const struct log_record record = {.event = event, .text = text, .text_len = len};

    (void)privsock_log(f->setup->priv_fd, &record); /* the next wait notices a dead parent */
}

static void report_reply(void *context, const char *line, size_t len)
{
    report(context, LOG_EVENT_RESPONSE, line, len);
}

void ftplog_watch(struct ftp *f)
{
    f->logs_dialogue = log_wants(f->tun, LOG_EVENT_RESPONSE);
    if (f->logs_dialogue) {
        ctrlio_watch_replies(&f->io, report_reply, f);
    }
}

void ftplog_command(struct ftp *f, const char *line)
{
    struct str shown = STR_INIT(FTP_LINE_MAX + 64);

    if (!f->logs_dialogue) {
        return;
    }
    ftplog_mask(line, !f->setup->logged_in && f->has_user, &shown);
    report(f, LOG_EVENT_COMMAND, str_text(&shown), shown.len);
    str_free(&shown);
}
