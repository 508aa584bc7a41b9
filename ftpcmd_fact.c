/*
 * ftpcmd_fact.c - times, permissions and groups: MDTM, MFMT, MFF, SITE CHMOD, CHGRP, UMASK and UTIME
 *
 * Process: S.
 * Trusts:  the kernel's checks, made with the user's rights inside the user's root.
 * Touches: what the file system knows about files of the user, not their content.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ftpproto.h"
#include "ftptime.h"
#include "log.h"
#include "str.h"
#include "tunable.h"
#include "userdb.h"

/* A change of facts; the flags tell which. */
struct change {
    bool has_modify, has_access, has_mode, has_group;
    struct timespec modify, access;
    mode_t mode;
    gid_t group;
};

static void log_chmod(struct ftp *f, bool ok, const char *path, mode_t mode)
{
    struct str text = STR_INIT(16);

    str_append_octal(&text, mode, 3);
    ftp_log_detail(f, LOG_EVENT_CHMOD, ok, path, str_text(&text));
    str_free(&text);
}

/* Make a change, the part that fails most likely first. Returns false with errno. */
static bool apply(struct ftp *f, const char *path, const struct change *change)
{
    const struct timespec leave = {.tv_nsec = UTIME_OMIT};
    const struct timespec times[2] = {change->has_access ? change->access : leave,
                                      change->has_modify ? change->modify : leave};
    bool ok;

    if (change->has_group && fchownat(AT_FDCWD, path, (uid_t)-1, change->group, 0) == -1) {
        return false;
    }
    if (change->has_mode) {
        ok = fchmodat(AT_FDCWD, path, change->mode, 0) == 0;
        f->error = ok ? 0 : errno; /* the reply comes later */
        log_chmod(f, ok, path, change->mode);
        if (!ok) {
            errno = f->error;
            return false;
        }
    }
    return (!change->has_modify && !change->has_access) || utimensat(AT_FDCWD, path, times, 0) == 0;
}

static void apply_and_reply(struct ftp *f, const char *path, const struct change *change,
                            enum ftp_code code, const char *done)
{
    if (apply(f, path, change)) {
        ftp_reply(f, code, done);
    } else {
        ftp_reply_errno(f, errno, false);
    }
}

/* The same for a path as the client said it. */
static void take_and_apply(struct ftp *f, const char *path, const struct change *change,
                           enum ftp_code code, const char *done)
{
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    const char *taken = ftp_take_path(f, path, &expanded);

    if (taken != NULL) {
        apply_and_reply(f, taken, change, code, done);
    }
    str_free(&expanded);
}

static bool read_time(const struct ftp *f, const char *text, size_t len, struct timespec *out)
{
    return f->tun->use_localtime ? ftptime_parse_local(text, len, out)
                                 : ftptime_parse(text, len, out);
}

/*
 * "<time> <path>" as the argument of MDTM, a habit from before MFMT: 14 digits with or without a
 * fraction, or a date alone. Returns the path, or NULL if it is just a path.
 */
static const char *stamp_and_path(const struct ftp *f, const char *argument, struct timespec *out)
{
    static const char midnight[] = "000000";
    size_t len = strcspn(argument, " ");
    char text[FTPTIME_LEN];

    if (argument[len] == '\0' || argument[len + 1] == '\0') {
        return NULL;
    }
    if (len == FTPTIME_LEN - (sizeof(midnight) - 1)) {
        memcpy(text, argument, len);
        memcpy(text + len, midnight, sizeof(midnight) - 1);
        return read_time(f, text, sizeof(text), out) ? argument + len + 1 : NULL;
    }
    return read_time(f, argument, len, out) ? argument + len + 1 : NULL;
}

static void set_time(struct ftp *f, const char *path, const struct timespec *when)
{
    const struct change change = {.has_modify = true, .modify = *when};

    if (!f->tun->mdtm_write || !f->tun->write_enable ||
        (f->setup->anonymous && !f->tun->anon_other_write_enable)) {
        ftp_reply(f, FTP_REFUSED, "Permission denied.");
    } else {
        take_and_apply(f, path, &change, FTP_FILE_STATUS, "File modification time set.");
    }
}

static void reply_time(struct ftp *f, const char *path)
{
    char text[FTPTIME_LEN + 1];
    struct stat st;

    if (stat(path, &st) == -1) {
        ftp_reply_errno(f, errno, false);
    } else if (!S_ISREG(st.st_mode)) {
        ftp_reply_errno(f, EISDIR, false);
    } else {
        (void)(f->tun->use_localtime ? ftptime_put_local(text, st.st_mtime)
                                     : ftptime_put(text, st.st_mtime));
        ftp_reply(f, FTP_FILE_STATUS, text);
    }
}

/* "<path>", or "<time> <path>" if there is nothing of the name that this would be. */
void cmd_mdtm(struct ftp *f, const char *argument)
{
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    struct timespec when;
    struct stat st;
    bool missing = stat(argument, &st) == -1 && (errno == ENOENT || errno == ENAMETOOLONG);
    const char *path = missing ? stamp_and_path(f, argument, &when) : NULL;

    if (path != NULL) {
        set_time(f, path, &when);
    } else if ((path = ftp_take_path(f, argument, &expanded)) != NULL) {
        reply_time(f, path);
    }
    str_free(&expanded);
}

/* "<time> <path>", draft-somers-ftp-mfxx 3 */
void cmd_mfmt(struct ftp *f, const char *argument)
{
    struct str done = STR_INIT((size_t)2 * FTP_LINE_MAX);
    struct change change = {.has_modify = true};
    size_t len = strcspn(argument, " ");
    const char *path = argument[len] != '\0' ? argument + len + 1 : "";
    char text[FTPTIME_LEN + 1];

    if (*path == '\0' || !ftptime_parse(argument, len, &change.modify)) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "A time YYYYMMDDHHMMSS and a name are wanted.");
    } else {
        (void)ftptime_put(text, change.modify.tv_sec);
        str_append_format(&done, "Modify=%s; ", text);
        str_append(&done, path);
        take_and_apply(f, path, &change, FTP_FILE_STATUS, str_text(&done));
    }
    str_free(&done);
}

/* A number, or the name of a group. */
static bool read_group(const struct ftp *f, const char *text, gid_t *out)
{
    uint64_t number;

    if (str_to_uint(text, 0, UINT32_MAX - 1, &number)) {
        *out = (gid_t)number;
        return true;
    }
    return f->setup->names != NULL && userdb_find_group(f->setup->names, text, out);
}

/* Three or four octal digits without special bits. */
static bool read_mode(const char *text, mode_t *out)
{
    size_t digits = strlen(text);
    uint64_t mode;

    if (digits < 3 || digits > 4 || !str_to_octal(text, 0, FTP_PERMISSIONS, &mode)) {
        return false;
    }
    *out = (mode_t)mode;
    return true;
}

enum fact_result { FACT_TAKEN, FACT_UNKNOWN, FACT_BAD_VALUE };

/* "name=value" of MFF; what is understood stands in *change and, as it is shown, in *done. */
static enum fact_result take_fact(const struct ftp *f, const char *name, const char *value,
                                  struct change *change, struct str *done)
{
    bool good;

    if (str_equal_nocase(name, "modify")) {
        good = ftptime_parse(value, strlen(value), &change->modify);
        change->has_modify = true;
        str_append_format(done, "Modify=%.14s;", value);
    } else if (str_equal_nocase(name, "UNIX.mode")) {
        good = read_mode(value, &change->mode);
        change->has_mode = true;
        str_append_format(done, "UNIX.mode=%04o;", (unsigned)change->mode);
    } else if (str_equal_nocase(name, "UNIX.group")) {
        good = read_group(f, value, &change->group);
        change->has_group = true;
        str_append_format(done, "UNIX.group=%s;", value);
    } else {
        return FACT_UNKNOWN;
    }
    return good ? FACT_TAKEN : FACT_BAD_VALUE;
}

/* All facts of "a=b;c=d;"; replies if one is not to be taken. `facts` is changed. */
static bool take_facts(struct ftp *f, char *facts, struct change *change, struct str *done)
{
    struct str line = STR_INIT(FTP_LINE_MAX + 64);
    enum fact_result result = *facts != '\0' ? FACT_TAKEN : FACT_BAD_VALUE;

    while (*facts != '\0' && result == FACT_TAKEN) {
        char *end = facts + strcspn(facts, ";");
        char *value = facts + strcspn(facts, "=;");
        bool closed = *end == ';';

        *end = '\0';
        if (value < end) {
            *value++ = '\0';
        }
        str_clear(&line);
        str_append_format(&line, "Cannot set the fact %s.", facts);
        result = closed ? take_fact(f, facts, value, change, done) : FACT_BAD_VALUE;
        facts = end + closed;
    }
    if (result == FACT_UNKNOWN) {
        ftp_reply(f, FTP_BAD_PARAMETER, str_text(&line));
    } else if (result == FACT_BAD_VALUE) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "Facts as modify=YYYYMMDDHHMMSS; and a name are wanted.");
    }
    str_free(&line);
    return result == FACT_TAKEN;
}

/* "<fact>=<value>;... <path>", draft-somers-ftp-mfxx 5 */
void cmd_mff(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(FTP_LINE_MAX);
    struct str done = STR_INIT((size_t)2 * FTP_LINE_MAX);
    struct change change = {0};
    const char *path;

    str_append(&line, argument);
    path = ftp_split_line(line.buf);
    if (*path == '\0') {
        ftp_reply(f, FTP_BAD_ARGUMENT, "Facts as modify=YYYYMMDDHHMMSS; and a name are wanted.");
    } else if (take_facts(f, line.buf, &change, &done)) {
        str_append_char(&done, ' ');
        str_append(&done, path);
        if ((change.has_mode && !ftp_site_enabled(f, "CHMOD")) ||
            (change.has_group && !ftp_site_enabled(f, "CHGRP"))) {
            ftp_reply(f, FTP_REFUSED, "Permission denied.");
        } else {
            take_and_apply(f, path, &change, FTP_FILE_STATUS, str_text(&done));
        }
    }
    str_free(&line);
    str_free(&done);
}

/* "<word> <path>" of SITE commands. `word` is the changed start of `line`. Returns the path. */
static const char *word_and_path(struct str *line, const char *argument)
{
    str_append(line, argument);
    return ftp_split_line(line->buf);
}

void cmd_site_chmod(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(FTP_LINE_MAX);
    const char *path = word_and_path(&line, argument);
    struct change change = {.has_mode = true};

    if (*path == '\0' || !read_mode(line.buf, &change.mode)) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "A mode from 000 to 777 and a name are wanted.");
    } else {
        take_and_apply(f, path, &change, FTP_OK, "Mode changed.");
    }
    str_free(&line);
}

void cmd_site_chgrp(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(FTP_LINE_MAX);
    const char *path = word_and_path(&line, argument);
    struct change change = {.has_group = true};

    if (*path == '\0' || !read_group(f, line.buf, &change.group)) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "A group, as name or number, and a name are wanted.");
    } else {
        take_and_apply(f, path, &change, FTP_OK, "Group changed.");
    }
    str_free(&line);
}

void cmd_site_umask(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(64);
    uint64_t value = f->umask;
    bool asks = *argument == '\0';

    if (!asks && !str_to_octal(argument, 0, FTP_PERMISSIONS, &value)) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "An octal umask up to 777 is wanted.");
        return;
    }
    f->umask = (unsigned)value;
    (void)umask((mode_t)value); /* cannot fail */
    str_append(&line, asks ? "The umask is " : "The umask is now ");
    str_append_octal(&line, f->umask, 4);
    ftp_reply(f, FTP_OK, str_text(&line));
    str_free(&line);
}

/* "YYYYMMDDhhmm[ss] <path>": the older form. Returns the path, or NULL. */
static const char *utime_short(const char *argument, struct change *change)
{
    size_t len = strcspn(argument, " ");
    char text[FTPTIME_LEN] = "00000000000000";

    if ((len != FTPTIME_LEN && len != FTPTIME_LEN - 2) || argument[len] == '\0' ||
        argument[len + 1] == '\0') {
        return NULL;
    }
    memcpy(text, argument, len);
    if (!ftptime_parse(text, sizeof(text), &change->modify)) {
        return NULL;
    }
    change->access = change->modify;
    change->has_access = change->has_modify = true;
    return argument + len + 1;
}

/* The last word of `line`, cut off from it. */
static const char *cut_last_word(char *line)
{
    char *blank = strrchr(line, ' ');

    if (blank == NULL) {
        return "";
    }
    *blank = '\0';
    return blank + 1;
}

/* "<path> <accessed> <modified> <created> UTC", cut into pieces. Returns the path, or NULL. */
static const char *utime_long(char *line, struct change *change)
{
    struct timespec created;
    const char *zone = cut_last_word(line);
    const char *times[3];

    for (size_t i = ARRAY_LEN(times); i-- > 0;) {
        times[i] = cut_last_word(line);
    }
    if (!str_equal_nocase(zone, "UTC") ||
        !ftptime_parse(times[0], strlen(times[0]), &change->access) ||
        !ftptime_parse(times[1], strlen(times[1]), &change->modify) ||
        !ftptime_parse(times[2], strlen(times[2]), &created)) {
        return NULL;
    }
    change->has_access = change->has_modify = true; /* when it was created nobody can set here */
    return *line != '\0' ? line : NULL;
}

void cmd_site_utime(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(FTP_LINE_MAX);
    struct change change = {0};
    const char *path;

    str_append(&line, argument);
    path = utime_long(line.buf, &change);
    if (path == NULL) {
        path = utime_short(argument, &change);
    }
    if (path == NULL) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "A time YYYYMMDDhhmmss and a name are wanted.");
    } else {
        take_and_apply(f, path, &change, FTP_OK, "Times set.");
    }
    str_free(&line);
}
