/*
 * dirlist.c - listings
 *
 * Process: S.
 * Trusts:  no name: bytes are copied as they are, but for CR and LF, which would end the line of a
 *          listing and become '?'.
 * Touches: directories, with the user's rights.
 */
#include "dirlist.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pattern.h"
#include "str.h"
#include "sysutil.h"

#define RECENT_SECONDS (182 * 86400) /* as vsftpd: younger files show the time and not the year */
#define NAME_ROOM      300           /* a name, its prefix' rest and CRLF */

/* A cursor in an output buffer that is known to be large enough. */
struct out {
    char *at;
};

static void put_char(struct out *out, char c)
{
    *out->at++ = c;
}

static void put_mem(struct out *out, const char *data, size_t len)
{
    memcpy(out->at, data, len);
    out->at += len;
}

/* A name: nothing in it may look like the end of the line. */
static void put_name(struct out *out, const char *name)
{
    for (; *name != '\0'; name++) {
        put_char(out, *name == '\r' || *name == '\n' ? '?' : *name);
    }
}

/* A number in a column of `width`, filled up with `pad` in front. */
static void put_right(struct out *out, uint64_t value, size_t width, char pad)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (size_t i = sizeof(digits) - at; i < width; i++) {
        put_char(out, pad);
    }
    put_mem(out, digits + at, sizeof(digits) - at);
}

/* A number at the left of a column of `width`. */
static void put_left(struct out *out, uint64_t value, size_t width)
{
    const char *start = out->at;

    put_right(out, value, 1, ' ');
    while ((size_t)(out->at - start) < width) {
        put_char(out, ' ');
    }
}

static char type_letter(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return '-';
    case S_IFDIR:
        return 'd';
    case S_IFLNK:
        return 'l';
    case S_IFCHR:
        return 'c';
    case S_IFBLK:
        return 'b';
    case S_IFIFO:
        return 'p';
    case S_IFSOCK:
        return 's';
    default:
        return '?';
    }
}

/* "drwxr-sr-t": always ten letters. */
static void put_mode(struct out *out, mode_t mode)
{
    static const char letters[] = "rwxrwxrwx";
    static const struct {
        mode_t special, execute;
        size_t at;
        char with, without;
    } extra[] = {
        {S_ISUID, S_IXUSR, 2, 's', 'S'},
        {S_ISGID, S_IXGRP, 5, 's', 'S'},
        {S_ISVTX, S_IXOTH, 8, 't', 'T'},
    };
    char *start;

    put_char(out, type_letter(mode));
    start = out->at;
    for (size_t i = 0; i < 9; i++) {
        put_char(out, (mode & (S_IRUSR >> i)) != 0 ? letters[i] : '-');
    }
    for (size_t i = 0; i < ARRAY_LEN(extra); i++) {
        if ((mode & extra[i].special) != 0) {
            start[extra[i].at] = (mode & extra[i].execute) != 0 ? extra[i].with : extra[i].without;
        }
    }
}

/* "Jan  2 15:04" for the last six months, else "Jan  2  2006". English, in twelve columns. */
static void put_date(struct out *out, time_t when, time_t now)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm;

    if (gmtime_r(&when, &tm) == NULL) {
        memset(&tm, 0, sizeof(tm)); /* a year that does not fit */
        tm.tm_mday = 1;
    }
    put_mem(out, months + (size_t)tm.tm_mon * 3, 3);
    put_char(out, ' ');
    put_right(out, (uint64_t)tm.tm_mday, 2, ' ');
    put_char(out, ' ');
    if (when <= now && when > now - RECENT_SECONDS) {
        put_right(out, (uint64_t)tm.tm_hour, 2, '0');
        put_char(out, ':');
        put_right(out, (uint64_t)tm.tm_min, 2, '0');
    } else {
        put_right(out, tm.tm_year >= -1900 ? (uint64_t)((int64_t)tm.tm_year + 1900) : 0, 5, ' ');
    }
}

size_t dirlist_format_long(char *buf, const struct stat *st, const char *name, const char *target,
                           time_t now)
{
    struct out out = {.at = buf};

    put_mode(&out, st->st_mode);
    put_char(&out, ' ');
    put_right(&out, st->st_nlink, 4, ' ');
    put_char(&out, ' ');
    put_left(&out, st->st_uid, 8);
    put_char(&out, ' ');
    put_left(&out, st->st_gid, 8);
    put_char(&out, ' ');
    put_right(&out, st->st_size > 0 ? (uint64_t)st->st_size : 0, 12, ' ');
    put_char(&out, ' ');
    put_date(&out, st->st_mtime, now);
    put_char(&out, ' ');
    put_name(&out, name);
    if (target != NULL) {
        put_mem(&out, " -> ", 4);
        put_name(&out, target);
    }
    return (size_t)(out.at - buf);
}

static void take_option(char letter, struct dirlist_options *options)
{
    switch (letter) {
    case 'a':
        options->dots = true;
        options->all = true;
        break;
    case 'A':
        options->all = true;
        break;
    case 'l':
        options->format = DIRLIST_LONG;
        break;
    case 'd':
        options->itself = true;
        break;
    case 'r':
        options->reverse = true;
        break;
    default:
        break; /* clients send what their ls knows; the listing is right without it */
    }
}

const char *dirlist_parse_options(const char *argument, struct dirlist_options *options)
{
    while (argument[0] == '-') {
        const char *p = argument + 1;
        bool last = p[0] == '-' && (p[1] == ' ' || p[1] == '\0');

        for (; *p != '\0' && *p != ' '; p++) {
            take_option(*p, options);
        }
        argument = p + (*p == ' ');
        if (last) {
            break;
        }
    }
    return argument;
}

/* Make room for `need` elements in an array that doubles. */
static bool grow(void **array, size_t *cap, size_t need, size_t element, size_t first)
{
    size_t more = *cap == 0 ? first : *cap;
    void *larger;

    if (need <= *cap) {
        return true;
    }
    while (more < need) {
        more *= 2;
    }
    larger = reallocarray(*array, more, element);
    if (larger == NULL) {
        return false;
    }
    *array = larger;
    *cap = more;
    return true;
}

static bool add_name(struct dirlist *list, const char *name)
{
    size_t len = strlen(name) + 1;
    void *names = list->names;
    void *order = list->order;
    bool good = list->names_len + len < UINT32_MAX &&
                grow(&names, &list->names_cap, list->names_len + len, 1, 4096);

    list->names = names;
    good = good && grow(&order, &list->order_cap, list->count + 1, sizeof(uint32_t), 256);
    list->order = order;
    if (!good) {
        errno = ENOMEM;
        return false;
    }
    list->order[list->count++] = (uint32_t)list->names_len;
    memcpy(list->names + list->names_len, name, len);
    list->names_len += len;
    return true;
}

static bool is_wanted(const struct dirlist *list, struct pattern *pattern, const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        /* who asks NLST for names wants to do something with each of them */
        return list->options.dots && pattern == NULL && list->options.format == DIRLIST_LONG;
    }
    if (pattern != NULL) {
        return pattern_matches(pattern, name);
    }
    return name[0] != '.' || list->options.all;
}

/* All names of the directory into the list; list->dir_fd stays open for the lines. */
static bool read_names(struct dirlist *list, struct pattern *pattern)
{
    int fd = fcntl(list->dir_fd, F_DUPFD_CLOEXEC, 0);
    DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    bool good = dir != NULL;

    if (dir == NULL) {
        sysutil_close(&fd);
        return false;
    }
    while (good && (errno = 0, entry = readdir(dir)) != NULL) {
        good = !is_wanted(list, pattern, entry->d_name) || add_name(list, entry->d_name);
    }
    good = good && errno == 0;
    (void)closedir(dir); /* only read from */
    return good;
}

static int compare_names(const void *a, const void *b, void *names)
{
    const char *base = names;

    return strcmp(base + *(const uint32_t *)a, base + *(const uint32_t *)b);
}

static void sort_names(struct dirlist *list)
{
    if (list->count < 2) {
        return;
    }
    qsort_r(list->order, list->count, sizeof(uint32_t), compare_names, list->names);
    for (size_t i = 0; list->options.reverse && i < list->count / 2; i++) {
        uint32_t kept = list->order[i];

        list->order[i] = list->order[list->count - 1 - i];
        list->order[list->count - 1 - i] = kept;
    }
}

/* What stands before each name so that it works as an argument: "dir/" of "dir", nothing of ".". */
static bool set_prefix(struct dirlist *list, const char *path, size_t len)
{
    struct str prefix = STR_INIT(FTP_LINE_MAX + 1);

    if (len > 0 && !(len == 1 && path[0] == '.')) {
        str_append_mem(&prefix, path, len);
        if (path[len - 1] != '/') {
            str_append_char(&prefix, '/');
        }
    }
    list->prefix = strdup(str_text(&prefix));
    str_free(&prefix);
    return list->prefix != NULL;
}

/* List a directory, or what `pattern` matches in it. */
static bool open_dir(struct dirlist *list, const char *path, const char *pattern_text)
{
    struct pattern *pattern = NULL;
    struct stat st;
    bool good;

    list->dir_fd =
        open(*path != '\0' ? path : ".", O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
    if (list->dir_fd == -1 || fstat(list->dir_fd, &st) == -1) {
        return false;
    }
    if (list->options.world_readable && (st.st_mode & S_IROTH) == 0) {
        return true; /* and nothing in it */
    }
    if (pattern_text != NULL) {
        pattern = malloc(sizeof(*pattern));
        if (pattern == NULL || !pattern_compile(pattern, pattern_text)) {
            free(pattern);
            return true; /* too much to match anything */
        }
    }
    good = read_names(list, pattern);
    if (pattern != NULL) {
        pattern_free(pattern);
        free(pattern);
    }
    sort_names(list);
    return good;
}

/* List one thing by its name. NLST shows it as it was asked for, LIST its last part. */
static bool open_single(struct dirlist *list, const char *path)
{
    size_t len = strlen(path);
    char *name;
    bool good;

    if (list->options.format == DIRLIST_LONG) {
        while (len > 1 && path[len - 1] == '/') {
            len--;
        }
    }
    list->dir_fd = -1;
    name = strndup(path, len);
    good = name != NULL && set_prefix(list, "", 0) && add_name(list, name);
    free(name);
    return good;
}

static bool open_pattern(struct dirlist *list, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t dir_len = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    char *dir = strndup(path, dir_len);
    bool good =
        dir != NULL && set_prefix(list, path, dir_len) && open_dir(list, dir, path + dir_len);

    free(dir);
    return good;
}

static bool open_any(struct dirlist *list, const char *path)
{
    struct stat st;

    if (stat(*path != '\0' ? path : ".", &st) == -1) {
        int saved_errno = errno;

        if (lstat(path, &st) == 0) {
            return open_single(list, path); /* a link that leads nowhere */
        }
        if (saved_errno == ENOENT && pattern_is_special(path)) {
            return open_pattern(list, path);
        }
        errno = saved_errno;
        return false;
    }
    if (!S_ISDIR(st.st_mode) || list->options.itself) {
        return open_single(list, *path != '\0' ? path : ".");
    }
    return set_prefix(list, path, strlen(path)) && open_dir(list, path, NULL);
}

bool dirlist_open(struct dirlist *list, const char *path, const struct dirlist_options *options)
{
    int saved_errno;

    memset(list, 0, sizeof(*list));
    list->dir_fd = -1;
    list->options = *options;
    list->now = time(NULL);
    if (open_any(list, path)) {
        return true;
    }
    saved_errno = errno;
    dirlist_close(list);
    errno = saved_errno;
    return false;
}

/* What LIST shows of a path without slashes at its end: the last part. */
static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* One line into buf; its length, or 0 if the entry has vanished. */
static size_t format_entry(const struct dirlist *list, const char *name, char *buf)
{
    int at_fd = list->dir_fd == -1 ? AT_FDCWD : list->dir_fd;
    char target[4096];
    struct stat st;
    ssize_t target_len = -1;

    if (fstatat(at_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
        return 0;
    }
    if (S_ISLNK(st.st_mode)) {
        target_len = readlinkat(at_fd, name, target, sizeof(target) - 1);
    }
    if (target_len > 0) {
        target[target_len] = '\0';
    }
    return dirlist_format_long(buf, &st, last_part(name), target_len > 0 ? target : NULL,
                               list->now);
}

static size_t put_entry(const struct dirlist *list, const char *name, char *buf)
{
    struct out out = {.at = buf};

    if (list->options.format == DIRLIST_LONG) {
        size_t len = format_entry(list, name, buf);

        if (len == 0) {
            return 0;
        }
        out.at += len;
    } else {
        put_name(&out, list->prefix);
        put_name(&out, name);
    }
    put_mem(&out, "\r\n", 2);
    return (size_t)(out.at - buf);
}

/* The most that the line of an entry can take; LIST lines with a link target take most. */
static size_t line_room(const struct dirlist *list)
{
    if (list->options.format == DIRLIST_LONG) {
        return DIRLIST_LINE_MAX;
    }
    return list->dir_fd == -1 ? DIRLIST_LINE_MAX : strlen(list->prefix) + NAME_ROOM;
}

size_t dirlist_fill(struct dirlist *list, char *buf, size_t cap)
{
    size_t room = line_room(list);
    size_t len = 0;

    if (cap < room) {
        bug("a buffer too small for a line");
    }
    while (list->next < list->count && cap - len >= room) {
        len += put_entry(list, list->names + list->order[list->next], buf + len);
        list->next++;
    }
    return len;
}

void dirlist_close(struct dirlist *list)
{
    sysutil_close(&list->dir_fd);
    free(list->prefix);
    free(list->names);
    free(list->order);
    list->prefix = NULL;
    list->names = NULL;
    list->order = NULL;
    list->count = list->next = 0;
}
