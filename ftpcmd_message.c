/*
 * ftpcmd_message.c - texts of the administrator: the greeting, and the messages of directories
 *
 * Process: P (greeting) and S.
 * Trusts:  the greeting, which the parent has read. No message: whoever may write in a directory can put
 *          one there.
 * Touches: the control connection, message_file.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ftpproto.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"

#define MESSAGE_MAX 4000 /* bytes of a message that are shown, as in vsftpd */

/* Control characters could lie about what a terminal shows: '?' for each, those of Unicode as well. */
static void clean(char *line)
{
    for (unsigned char *p = (unsigned char *)line; *p != '\0'; p++) {
        if ((*p < ' ' && *p != '\t') || *p == 0x7F) {
            *p = '?';
        } else if (p[0] == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F) {
            p[0] = p[1] = '?'; /* U+0080 to U+009F */
        }
    }
}

/* Each line of a text as a line of a reply that goes on. */
static void reply_lines(struct ftp *f, enum ftp_code code, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        char *line = strndup(text, len);

        if (line == NULL) {
            return; /* what is said in the end is what counts */
        }
        if (len > 0 && line[len - 1] == '\r') {
            line[len - 1] = '\0';
        }
        clean(line);
        ctrlio_reply_first(&f->io, code, line);
        free(line);
        text += len;
        text += *text == '\n';
    }
}

void ftp_greet(struct ftp *f)
{
    const char *banner = f->tun->ftpd_banner;

    if (f->setup->logged_in) {
        ftp_show_message(f, FTP_LOGIN_OK);
        ftp_reply(f, FTP_LOGIN_OK, "Login successful.");
    } else if (f->setup->banner != NULL) {
        reply_lines(f, FTP_GREETING, f->setup->banner);
        ftp_reply(f, FTP_GREETING, "");
    } else {
        ftp_reply(f, FTP_GREETING, banner != NULL ? banner : "Welcome to " MINIFTPD_NAME ".");
    }
}

/* Was the user in the working directory before? From now on, yes. */
static bool was_here(struct ftp_messages *m)
{
    size_t known = m->count < FTP_MESSAGES_MAX ? m->count : FTP_MESSAGES_MAX;
    struct stat st;

    if (stat(".", &st) == -1) {
        return true;
    }
    for (size_t i = 0; i < known; i++) {
        if (m->shown[i].dev == st.st_dev && m->shown[i].ino == st.st_ino) {
            return true;
        }
    }
    m->shown[m->count % FTP_MESSAGES_MAX].dev = st.st_dev;
    m->shown[m->count % FTP_MESSAGES_MAX].ino = st.st_ino;
    m->count++;
    return false;
}

void ftp_show_message(struct ftp *f, enum ftp_code code)
{
    const char *name = f->tun->message_file;
    struct stat st;
    char *text;
    ssize_t len;
    int fd;

    if (!f->tun->dirmessage_enable || name == NULL || *name == '\0' || was_here(&f->messages)) {
        return;
    }
    fd = ftp_open_to_read(f, name, &st);
    if (fd == -1) {
        return; /* most directories have none */
    }
    text = malloc(MESSAGE_MAX + 1); /* without memory there is no message */
    len = text != NULL ? sysutil_readn(fd, text, MESSAGE_MAX) : -1;
    sysutil_close(&fd);
    if (len > 0) {
        text[len] = '\0';
        reply_lines(f, code, text);
    }
    free(text);
}
