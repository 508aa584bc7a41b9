/*
 * virtual.c - virtual_users_file
 *
 * Process: A (reading), main for "miniftpd -t", and --passwd (writing). Hashes never get into a process
 *          that serves a client.
 * Trusts:  a file that only its owner, root or who runs the daemon, can write. Lines are checked.
 * Touches: the file, and beside it the new one that takes its place.
 */
#include "virtual.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parseconf.h"
#include "str.h"
#include "sysutil.h"

#define FIELDS   6
#define NEW_MODE 0600

bool virtual_is_name(const char *name, size_t len)
{
    if (len == 0 || len > LOGIN_NAME_MAX_LEN || name[0] == '-' || name[0] == '#' ||
        (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];

        if (c <= ' ' || c == 0x7F || c == '/' || c == ':') {
            return false;
        }
    }
    return true;
}

bool virtual_parse(char *line, struct virtual_entry *entry, const char **fault)
{
    const char *fields[FIELDS] = {"", "", "", "", "", ""};
    size_t count = 0;
    size_t len = strlen(line);
    char *rest = line;

    *fault = NULL;
    if (len > 0 && line[len - 1] == '\r') {
        line[len - 1] = '\0';
    }
    if (line[0] == '#' || line[strspn(line, " \t")] == '\0') {
        return false;
    }
    while (count < FIELDS - 1 && rest != NULL) {
        fields[count++] = strsep(&rest, ":");
    }
    if (rest != NULL) {
        fields[count++] = rest; /* settings may hold colons */
    }
    *entry =
        (struct virtual_entry){fields[0], fields[1], fields[2], fields[3], fields[4], fields[5], 0};
    if (count < 2) {
        *fault = "wants name:hash:uid:gid:home:settings";
    } else if (!virtual_is_name(entry->name, strlen(entry->name))) {
        *fault = "the name is empty, too long or has a character that a name cannot have";
    } else if (entry->hash[0] == '\0') {
        *fault = "there is no hash; miniftpd --passwd makes one";
    } else if (entry->uid[0] == '\0' && entry->gid[0] != '\0') {
        *fault = "there is a gid but no uid";
    } else if (entry->home[0] != '\0' && entry->home[0] != '/') {
        *fault = "the home wants a path that begins with /";
    }
    return *fault == NULL;
}

static const char *file_fault(const struct stat *st)
{
    if (!S_ISREG(st->st_mode)) {
        return "is not a regular file";
    }
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        return "belongs to another user than root or the one who runs the daemon";
    }
    if ((st->st_mode & (S_IWGRP | S_IRWXO)) != 0) {
        return "holds hashes and can be read by everyone or written by its group; "
               "its mode should be 0600";
    }
    return st->st_size > VIRTUAL_FILE_MAX ? "is too long" : NULL;
}

/* All of the file, ended by NUL, to be freed by the caller; NULL with the reason. */
static char *read_file(const char *path, size_t *len_out, struct str *reason)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    const char *fault = NULL;
    char *text = NULL;
    struct stat st;
    ssize_t len = -1;

    if (fd == -1 || fstat(fd, &st) == -1) {
        fault = strerror(errno);
    } else if ((fault = file_fault(&st)) == NULL) {
        text = malloc((size_t)st.st_size + 1);
        len = text != NULL ? sysutil_readn(fd, text, (size_t)st.st_size) : -1;
    }
    if (fault == NULL && len < 0) {
        fault = strerror(errno);
    }
    sysutil_close(&fd);
    if (fault != NULL || len < 0) {
        str_append_format(reason, "%s: %s", path, fault);
        free(text);
        return NULL;
    }
    text[len] = '\0';
    *len_out = (size_t)len;
    return text;
}

/* The next line of *text, NUL-terminated in place; NULL at the end. */
static char *next_line(char **text, const char *end, size_t *len_out)
{
    char *line = *text;
    char *eol;

    if (line >= end) {
        return NULL;
    }
    eol = memchr(line, '\n', (size_t)(end - line));
    if (eol != NULL) {
        *eol = '\0';
    }
    *len_out = eol != NULL ? (size_t)(eol - line) : (size_t)(end - line);
    *text = line + *len_out + 1;
    return line;
}

/* Faults that virtual_parse() cannot see, because it knows no lengths. */
static const char *line_fault(const char *line, size_t len)
{
    if (memchr(line, '\0', len) != NULL) {
        return "holds a NUL byte";
    }
    return len > VIRTUAL_LINE_MAX ? "is too long" : NULL;
}

static bool is_of(const char *line, const char *name)
{
    size_t len = strlen(name);

    return strncmp(line, name, len) == 0 && line[len] == ':';
}

enum virtual_answer virtual_look_up(const char *path, const char *name, struct str *line,
                                    struct virtual_entry *entry, struct str *reason)
{
    enum virtual_answer answer = VIRTUAL_UNKNOWN;
    size_t len = 0;
    size_t line_len;
    unsigned number = 0;
    char *text = read_file(path, &len, reason);
    char *rest = text;
    char *found;

    if (text == NULL) {
        return VIRTUAL_FAULT;
    }
    while (answer == VIRTUAL_UNKNOWN && (found = next_line(&rest, text + len, &line_len)) != NULL) {
        const char *fault = line_fault(found, line_len);

        number++;
        if (!is_of(found, name)) {
            continue;
        }
        str_clear(line);
        str_append(line, found);
        if (fault == NULL && str_ok(line) && virtual_parse(line->buf, entry, &fault)) {
            entry->number = number;
            answer = VIRTUAL_FOUND;
        } else {
            str_append_format(reason, "%s:%u: %s", path, number,
                              fault != NULL ? fault : "is too long");
            answer = VIRTUAL_FAULT;
        }
    }
    explicit_bzero(text, len);
    free(text);
    return answer;
}

bool virtual_apply_settings(const struct virtual_entry *entry, const char *path, struct tunables *t,
                            struct str *errors)
{
    static const char blanks[] = " \t";
    const struct parseconf to = {.t = t, .errors = errors, .user_only = true};
    struct str where = STR_INIT(PATH_MAX + 16);
    struct str word = STR_INIT(VIRTUAL_LINE_MAX);
    const char *rest = entry->settings + strspn(entry->settings, blanks);
    bool good = true;

    str_append_format(&where, "%s:%u", path, entry->number);
    while (*rest != '\0') {
        size_t len = strcspn(rest, blanks);

        str_clear(&word);
        str_append_mem(&word, rest, len);
        good = parseconf_read_setting(&to, str_text(&word), str_text(&where)) && good;
        rest += len;
        rest += strspn(rest, blanks);
    }
    str_free(&where);
    str_free(&word);
    return good;
}

bool virtual_read(const char *path, virtual_visit *visit, void *data, struct str *errors)
{
    size_t before = errors->len;
    size_t len = 0;
    size_t line_len;
    char *text = read_file(path, &len, errors);
    char *rest = text;
    bool goes_on = text != NULL;
    unsigned number = 0;
    char *line;

    if (text == NULL) {
        str_append_char(errors, '\n');
    }
    while (goes_on && (line = next_line(&rest, text + len, &line_len)) != NULL) {
        const char *fault = line_fault(line, line_len);
        struct virtual_entry entry;

        number++;
        if (fault == NULL && virtual_parse(line, &entry, &fault) && visit != NULL) {
            entry.number = number;
            goes_on = visit(data, &entry);
        }
        if (fault != NULL) {
            str_append_format(errors, "%s:%u: %s\n", path, number, fault);
        }
    }
    if (text != NULL) {
        explicit_bzero(text, len);
    }
    free(text);
    return errors->len == before;
}

/* ---- writing ---- */

/* Write the old lines, one of them with the new hash, or the new line at the end. */
static bool write_lines(FILE *out, char *text, size_t len, const char *name, const char *hash,
                        bool *added)
{
    char *rest = text;
    size_t line_len;
    char *line;

    *added = true;
    while (text != NULL && (line = next_line(&rest, text + len, &line_len)) != NULL) {
        if (*added && is_of(line, name)) {
            const char *behind = strchr(line + strlen(name) + 1, ':');

            fprintf(out, "%s:%s%s\n", name, hash, behind != NULL ? behind : "::::");
            *added = false;
        } else {
            fwrite(line, 1, line_len, out);
            fputc('\n', out);
        }
    }
    if (*added) {
        fprintf(out, "%s:%s::::\n", name, hash);
    }
    return fflush(out) == 0 && fsync(fileno(out)) == 0 && ferror(out) == 0;
}

/* Make the new file beside the old one, with its owner and mode, and let it take its place. */
static bool replace_file(const char *path, const struct stat *old, char *text, size_t len,
                         const char *name, const char *hash, bool *added)
{
    struct str new_path = STR_INIT(4096);
    bool good = false;
    FILE *out = NULL;
    int fd;

    str_append_format(&new_path, "%s.new", path);
    if (!str_ok(&new_path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    (void)unlink(str_text(&new_path)); /* of one that was interrupted; we hold the lock */
    fd = open(str_text(&new_path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, NEW_MODE);
    if (fd != -1 && (old == NULL || (fchown(fd, old->st_uid, old->st_gid) == 0 &&
                                     fchmod(fd, old->st_mode & 0777) == 0))) {
        out = fdopen(fd, "w");
    }
    if (out != NULL) {
        good = write_lines(out, text, len, name, hash, added);
        good = fclose(out) == 0 && good && rename(str_text(&new_path), path) == 0;
    } else {
        sysutil_close(&fd);
    }
    if (!good) {
        int saved_errno = errno;

        (void)unlink(str_text(&new_path));
        errno = saved_errno;
    }
    str_free(&new_path);
    return good;
}

/* Two administrators at once: the second one waits. The directory stays, the file does not. */
static int take_lock(const char *path)
{
    struct str dir = STR_INIT(4096);
    const char *slash = strrchr(path, '/');
    int fd;

    str_append_mem(&dir, slash != NULL ? path : ".",
                   slash != NULL ? (size_t)(slash - path) + 1 : 1);
    fd = open(str_text(&dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd != -1 && flock(fd, LOCK_EX) == -1) {
        sysutil_close(&fd);
    }
    str_free(&dir);
    return fd;
}

/* The same for the file itself. */
static bool set_hash(const char *path, const char *name, const char *hash, bool *added,
                     struct str *error)
{
    int lock_fd = take_lock(path);
    bool is_new = false;
    char *text = NULL;
    size_t len = 0;
    struct stat st;
    bool good = false;

    if (lock_fd == -1) {
        str_append_format(error, "%s: cannot lock its directory: %s", path, strerror(errno));
        return false;
    }
    is_new = stat(path, &st) == -1 && errno == ENOENT;
    if (!is_new) {
        text = read_file(path, &len, error);
    }
    if (is_new || text != NULL) {
        good = replace_file(path, is_new ? NULL : &st, text, len, name, hash, added);
        if (!good) {
            str_append_format(error, "%s: %s", path, strerror(errno));
        }
    }
    if (text != NULL) {
        explicit_bzero(text, len);
    }
    free(text);
    sysutil_close(&lock_fd);
    return good;
}

bool virtual_set_hash(const char *path, const char *name, const char *hash, bool *added,
                      struct str *error)
{
    char *real = realpath(path, NULL); /* NULL: it does not exist yet, or it will be said below */
    bool good = set_hash(real != NULL ? real : path, name, hash, added, error);

    free(real);
    return good;
}
