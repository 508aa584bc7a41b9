/*
 * dirlist.c - the directory walker
 *
 * Process: S.
 * Trusts:  no name.
 * Touches: directories, with the user's rights.
 */
#include "dirlist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "access.h"
#include "namesort.h"
#include "pattern.h"
#include "str.h"
#include "sysutil.h"

#define NAME_ROOM     300   /* a name and CRLF */
#define SORTED_MAX    10000 /* from so many on, names alone come as the kernel has them */
#define HELD_MAX      ((size_t)32 << 20) /* bytes of names, more than two millions of usual ones */
#define PATH_TEXT_MAX (4 * FTP_LINE_MAX)

/* The options that are known, and what each means. */
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
    case 't':
        options->order = DIRLIST_BY_TIME;
        break;
    case 'S':
        options->order = DIRLIST_BY_SIZE;
        break;
    case 'L':
        options->follow = true;
        break;
    case 'R':
        options->recurse = true;
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

/* The status of an entry: of the link itself, unless -L was said and it leads somewhere. */
static bool stat_entry(const struct dirlist *list, const char *name, struct stat *st)
{
    int at_fd = list->dir_fd == -1 ? AT_FDCWD : list->dir_fd;

    return (list->options.follow && fstatat(at_fd, name, st, 0) == 0) ||
           fstatat(at_fd, name, st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Newest first, to the nanosecond; the centuries around us are all that differ. */
static uint64_t time_key(const struct timespec *when)
{
    const int64_t most = INT64_MAX / 1000000000 - 1;
    int64_t sec = when->tv_sec > most ? most : when->tv_sec < -most ? -most : when->tv_sec;

    return (uint64_t)INT64_MAX - (uint64_t)(sec * 1000000000 + when->tv_nsec);
}

/* What -S and -t order by; names are looked at once all of them are there. */
static uint64_t sort_key(const struct dirlist *list, const char *name)
{
    struct stat st;

    if (list->options.order == DIRLIST_BY_NAME) {
        return 0;
    }
    if (!stat_entry(list, name, &st)) {
        return UINT64_MAX; /* vanished, and to be left out */
    }
    return list->options.order == DIRLIST_BY_SIZE ? UINT64_MAX - (uint64_t)st.st_size
                                                  : time_key(&st.st_mtim);
}

/* For another name of len bytes, its NUL included. */
static bool make_room(struct dirlist *list, size_t len)
{
    void *names = list->names;
    void *entries = list->entries;
    bool good = list->names_len + len < UINT32_MAX &&
                sysutil_grow(&names, &list->names_cap, list->names_len + len, 1);

    list->names = names;
    good = good && sysutil_grow(&entries, &list->entries_cap, list->count + 1,
                                sizeof(struct namesort_entry));
    list->entries = entries;
    return good;
}

static bool add_name(struct dirlist *list, const char *name)
{
    const size_t len = strlen(name) + 1;

    if ((list->count == list->entries_cap || len > list->names_cap - list->names_len) &&
        !make_room(list, len)) {
        errno = ENOMEM;
        return false;
    }
    list->entries[list->count].key = sort_key(list, name);
    list->entries[list->count++].name = (uint32_t)list->names_len;
    memcpy(list->names + list->names_len, name, len);
    list->names_len += len;
    return true;
}

static bool is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* The path from the root of an entry of the directory in hand, valid until the next one. */
static const char *path_of(struct dirlist *list, const char *name)
{
    access_normalise(list->where, name, &list->path);
    return str_text(&list->path);
}

/* Does a rule of the configuration hold for an entry of the directory in hand? */
static bool holds(struct dirlist *list, bool (*rule)(struct access_rules *, const char *),
                  const char *name)
{
    return list->where != NULL && rule(list->options.access, path_of(list, name));
}

static bool is_wanted(struct dirlist *list, const char *name)
{
    if (is_dots(name)) {
        /* who asks NLST for names wants to do something with each of them */
        return list->options.dots && list->pattern == NULL && list->options.format == DIRLIST_LONG;
    }
    if (list->pattern != NULL ? !pattern_matches(list->pattern, name)
                              : name[0] == '.' && !list->options.all) {
        return false;
    }
    return !holds(list, access_is_hidden, name);
}

/* A stream of its own for the directory; list->dir_fd stays open for the entries. */
static DIR *open_stream(const struct dirlist *list)
{
    int fd = fcntl(list->dir_fd, F_DUPFD_CLOEXEC, 0);
    DIR *dir = fd != -1 ? fdopendir(fd) : NULL;

    if (dir == NULL) {
        sysutil_close(&fd);
    }
    return dir;
}

/* Nothing more is read of the directory in hand. */
static void end_reading(struct dirlist *list)
{
    if (list->stream != NULL) {
        (void)closedir(list->stream); /* only read from */
        list->stream = NULL;
    }
    if (list->pattern != NULL) {
        pattern_free(list->pattern);
        free(list->pattern);
        list->pattern = NULL;
    }
}

/*
 * How many entries, and bytes of their names, are held at once: as many as there are if somebody has asked
 * for an order. Else a longer directory comes as the kernel has it, in parts: sorting many names alone costs more
 * than it is worth to programs, and no directory is too large to be listed.
 */
static void set_bounds(const struct dirlist *list, size_t *most_out, size_t *most_bytes_out)
{
    const struct dirlist_options *options = &list->options;
    const bool ordered =
        options->order != DIRLIST_BY_NAME || options->reverse || options->recurse;

    *most_out = !ordered && options->format == DIRLIST_NAMES ? SORTED_MAX : SIZE_MAX;
    *most_bytes_out = ordered ? SIZE_MAX : HELD_MAX;
}

/*
 * Names from the stream into the list: all of them, or as many as are held at once. Ends the
 * reading when there are no more. Returns false with errno.
 */
static bool read_names(struct dirlist *list)
{
    const struct dirent *entry;
    size_t most, most_bytes;
    bool good = true;
    int saved_errno;

    set_bounds(list, &most, &most_bytes);
    do {
        errno = 0;
        entry = readdir(list->stream);
        good = entry != NULL ? !is_wanted(list, entry->d_name) || add_name(list, entry->d_name)
                             : errno == 0;
    } while (good && entry != NULL && list->count < most && list->names_len < most_bytes);
    saved_errno = errno;
    if (!good || entry == NULL) {
        end_reading(list);
    }
    list->has_breaks = list->count > 0 && (memchr(list->names, '\r', list->names_len) != NULL ||
                                           memchr(list->names, '\n', list->names_len) != NULL);
    errno = saved_errno;
    return good;
}

static void sort_names(struct dirlist *list)
{
    if (list->options.order == DIRLIST_BY_NAME) {
        namesort_key_by_name(list->entries, list->count, list->names);
    }
    namesort_run(list->entries, list->count, list->names);
    for (size_t i = 0; list->options.reverse && i < list->count / 2; i++) {
        struct namesort_entry kept = list->entries[i];

        list->entries[i] = list->entries[list->count - 1 - i];
        list->entries[list->count - 1 - i] = kept;
    }
}

/* What stands before each name so that it works as an argument: "dir/" of "dir", nothing of ".". */
static bool set_prefix(struct dirlist *list, const char *path, size_t len)
{
    bool here = len == 0 || (len == 1 && path[0] == '.');
    char *prefix = here ? strdup("") : malloc(len + 2);

    if (prefix == NULL) {
        return false;
    }
    if (!here) {
        memcpy(prefix, path, len);
        len -= path[len - 1] == '/';
        memcpy(prefix + len, "/", 2);
    }
    free(list->prefix);
    list->prefix = prefix;
    return true;
}

/* -R: note the directories among the entries; the first one is to be listed next. */
static bool note_pending(struct dirlist *list)
{
    for (size_t i = list->count; i-- > 0;) {
        const char *name = list->names + list->entries[i].name;
        void *pending = list->pending;
        struct stat st;
        char *path = NULL;

        if (is_dots(name) || list->dir_fd == -1 ||
            fstatat(list->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISDIR(st.st_mode) ||
            holds(list, access_is_denied, name)) {
            continue;
        }
        if (!sysutil_grow(&pending, &list->pending_cap, list->pending_count + 1, sizeof(char *))) {
            return false;
        }
        list->pending = pending;
        path = malloc(strlen(list->prefix) + strlen(name) + 1);
        if (path == NULL) {
            return false;
        }
        memcpy(path, list->prefix, strlen(list->prefix));
        memcpy(path + strlen(list->prefix), name, strlen(name) + 1);
        list->pending[list->pending_count++] = path;
    }
    return true;
}

static bool is_closed_to_world(const struct dirlist *list, const struct stat *st)
{
    return list->options.world_readable && (st->st_mode & S_IROTH) == 0;
}

/* The names in list->dir_fd, as far as the pattern lets them; of a long directory the first ones. */
static bool read_first(struct dirlist *list, const char *pattern_text)
{
    if (pattern_text != NULL) {
        list->pattern = malloc(sizeof(*list->pattern));
        if (list->pattern == NULL || !pattern_compile(list->pattern, pattern_text)) {
            free(list->pattern);
            list->pattern = NULL;
            return true; /* too much to match anything */
        }
    }
    list->stream = open_stream(list);
    if (list->stream == NULL || !read_names(list)) {
        return false;
    }
    if (list->stream == NULL) {
        sort_names(list);
    }
    return !list->options.recurse || note_pending(list);
}

/* Go on with the next names of a long directory. False if there are none. */
static bool read_more(struct dirlist *list)
{
    if (list->stream == NULL) {
        return false;
    }
    list->count = list->next = list->names_len = 0;
    if (!read_names(list)) {
        list->error = errno;
    }
    return list->error == 0;
}

/* Remember where the directory in hand is, if there are rules about names. */
static bool set_where(struct dirlist *list, const char *path)
{
    if (list->options.access == NULL || !access_is_set(list->options.access)) {
        return true;
    }
    access_normalise(list->options.cwd, path, &list->path);
    free(list->where);
    list->where = strdup(str_text(&list->path));
    return list->where != NULL;
}

/* List a directory, or what `pattern` matches in it. */
static bool open_dir(struct dirlist *list, const char *path, const char *pattern_text)
{
    struct stat st;

    if (!set_where(list, path)) {
        return false;
    }
    list->dir_fd =
        open(*path != '\0' ? path : ".", O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
    if (list->dir_fd == -1 || fstat(list->dir_fd, &st) == -1) {
        return false;
    }
    if (list->options.format == DIRLIST_FACTS) {
        listfmt_learn_dir(list->fmt, &st, &list->dir);
        list->stream = is_closed_to_world(list, &st) ? NULL : open_stream(list);
        return list->stream != NULL || is_closed_to_world(list, &st);
    }
    return is_closed_to_world(list, &st) || read_first(list, pattern_text);
}

/* List one thing by its name. NLST shows it as it was asked for, LIST its last part. */
static bool open_single(struct dirlist *list, const char *path)
{
    size_t len = strlen(path);
    char *name;
    bool good;

    list->dir_fd = -1;
    if (!set_where(list, "")) {
        return false;
    }
    if (holds(list, access_is_hidden, path)) {
        return set_prefix(list, "", 0);
    }
    if (list->options.format == DIRLIST_LONG) {
        while (len > 1 && path[len - 1] == '/') {
            len--;
        }
    }
    name = strndup(path, len);
    good = name != NULL && set_prefix(list, "", 0) && add_name(list, name);
    list->has_breaks = true; /* perhaps */
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

    if (list->options.format == DIRLIST_FACTS) {
        return open_dir(list, path, NULL);
    }
    if (stat(*path != '\0' ? path : ".", &st) == -1) {
        int saved_errno = errno;

        if (lstat(path, &st) == 0) {
            return open_single(list, path); /* a link that leads nowhere */
        }
        /* too long for a name, or nothing can be asked about names: a pattern may do all the same */
        if ((saved_errno == ENOENT || saved_errno == ENAMETOOLONG || saved_errno == EACCES) &&
            pattern_is_special(path)) {
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

bool dirlist_open(struct dirlist *list, const char *path, const struct dirlist_options *options,
                  struct listfmt *fmt)
{
    int saved_errno;

    memset(list, 0, sizeof(*list));
    list->dir_fd = -1;
    list->options = *options;
    str_init(&list->path, PATH_TEXT_MAX);
    list->fmt = fmt;
    listfmt_begin(fmt, time(NULL));
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

/* The target of a symbolic link into `target`; NULL if it is none. */
static const char *read_target(const struct dirlist *list, const char *name, const struct stat *st,
                               char *target, size_t cap)
{
    int at_fd = list->dir_fd == -1 ? AT_FDCWD : list->dir_fd;
    ssize_t len = S_ISLNK(st->st_mode) ? readlinkat(at_fd, name, target, cap - 1) : -1;

    if (len <= 0) {
        return NULL;
    }
    target[len] = '\0';
    return target;
}

/* One line without its end into buf; its length, or 0 if the entry has vanished. */
static size_t put_long(struct dirlist *list, const char *name, char *buf)
{
    char target[4096];
    struct stat st;

    if (!stat_entry(list, name, &st)) {
        return 0;
    }
    return listfmt_long(list->fmt, buf, &st, last_part(name),
                        read_target(list, name, &st, target, sizeof(target)));
}

static size_t put_facts(struct dirlist *list, const char *name, enum listfmt_kind kind, char *buf)
{
    char target[4096];
    struct stat st;
    size_t len;

    if (fstatat(list->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
        return 0;
    }
    list->fmt->withheld =
        list->where != NULL ? listfmt_withheld(list->options.access, path_of(list, name)) : 0;
    len = listfmt_facts(list->fmt, buf, &st, &list->dir, kind,
                        read_target(list, name, &st, target, sizeof(target)));
    return len + listfmt_name(buf + len, name);
}

static size_t end_line(char *buf, size_t len)
{
    memcpy(buf + len, "\r\n", 2);
    return len + 2;
}

static size_t copy_name(char *buf, const char *name)
{
    const size_t len = strlen(name);

    memcpy(buf, name, len);
    return len;
}

static size_t put_entry(struct dirlist *list, const char *name, char *buf)
{
    size_t len;

    if (list->options.format == DIRLIST_LONG) {
        len = put_long(list, name, buf);
        if (len == 0) {
            return 0;
        }
    } else {
        len = list->prefix[0] != '\0' ? listfmt_name(buf, list->prefix) : 0;
        len += list->has_breaks ? listfmt_name(buf + len, name) : copy_name(buf + len, name);
    }
    return end_line(buf, len);
}

/* The next line of a stream; 0 if there is nothing to show, *ended_out at its end. */
static size_t put_streamed(struct dirlist *list, char *buf, bool *ended_out)
{
    const struct dirent *entry;
    size_t len = 0;

    switch (list->stream_next) {
    case STREAM_SELF:
        list->stream_next = STREAM_PARENT;
        len = put_facts(list, ".", LISTFMT_SELF, buf);
        break;
    case STREAM_PARENT:
        list->stream_next = STREAM_ENTRIES;
        len = put_facts(list, "..", LISTFMT_PARENT, buf);
        break;
    case STREAM_ENTRIES:
        errno = 0;
        entry = list->stream != NULL ? readdir(list->stream) : NULL;
        if (entry == NULL) {
            list->error = errno;
            *ended_out = true;
        } else if (!is_dots(entry->d_name) && !holds(list, access_is_hidden, entry->d_name)) {
            len = put_facts(list, entry->d_name, LISTFMT_ENTRY, buf);
        }
        break;
    }
    return len > 0 ? end_line(buf, len) : 0;
}

/* -R: go on with the next directory that was seen. False if there is none. */
static bool next_directory(struct dirlist *list)
{
    char *path;
    struct stat st;

    if (list->pending_count == 0) {
        return false;
    }
    path = list->pending[--list->pending_count];
    sysutil_close(&list->dir_fd);
    list->count = list->next = list->names_len = 0;
    list->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    /* one that cannot be opened is shown as empty, as ls does */
    if (!set_prefix(list, path, strlen(path)) || !set_where(list, path) ||
        (list->dir_fd != -1 && fstat(list->dir_fd, &st) == 0 && !is_closed_to_world(list, &st) &&
         !read_first(list, NULL))) {
        list->error = errno;
    }
    free(path);
    list->heading = list->options.format == DIRLIST_LONG ? list->prefix : NULL;
    return true;
}

/* "", "./sub:" as ls -R has it; the heading is the prefix, which ends in a slash. */
static size_t put_heading(struct dirlist *list, char *buf)
{
    const char *path = list->heading;
    size_t len = end_line(buf, 0);

    if (path[0] != '/' && strncmp(path, "./", 2) != 0) {
        memcpy(buf + len, "./", 2);
        len += 2;
    }
    len += listfmt_name(buf + len, path);
    buf[len - 1] = ':';
    list->heading = NULL;
    return end_line(buf, len);
}

/* The most that a line can take; those with a link target take most. */
static size_t line_room(const struct dirlist *list)
{
    if (list->options.format != DIRLIST_NAMES || list->dir_fd == -1) {
        return DIRLIST_LINE_MAX;
    }
    return strlen(list->prefix) + NAME_ROOM;
}

/* Fill in lines of the directory in hand. */
static size_t fill_sorted(struct dirlist *list, char *buf, size_t cap)
{
    size_t room = line_room(list);
    size_t len = 0;

    if (list->heading != NULL && cap >= room) {
        len = put_heading(list, buf);
    }
    while (list->next < list->count && cap - len >= room) {
        len += put_entry(list, list->names + list->entries[list->next].name, buf + len);
        list->next++;
    }
    return len;
}

static bool fill_streamed(struct dirlist *list, char *buf, size_t cap, size_t *len_out)
{
    bool ended = false;

    while (!ended && cap - *len_out >= DIRLIST_LINE_MAX) {
        *len_out += put_streamed(list, buf + *len_out, &ended);
    }
    return !ended || *len_out > 0;
}

bool dirlist_fill(struct dirlist *list, char *buf, size_t cap, size_t *len_out)
{
    if (cap < DIRLIST_LINE_MAX) {
        bug("a buffer too small for a line");
    }
    *len_out = 0;
    if (list->options.format == DIRLIST_FACTS) {
        return fill_streamed(list, buf, cap, len_out);
    }
    *len_out = fill_sorted(list, buf, cap);
    return *len_out > 0 || read_more(list) || (list->error == 0 && next_directory(list));
}

void dirlist_close(struct dirlist *list)
{
    end_reading(list);
    for (size_t i = 0; i < list->pending_count; i++) {
        free(list->pending[i]);
    }
    sysutil_close(&list->dir_fd);
    free(list->pending);
    str_free(&list->path);
    free(list->where);
    free(list->prefix);
    free(list->names);
    free(list->entries);
    list->pending = NULL;
    list->where = list->prefix = list->names = NULL;
    list->entries = NULL;
    list->count = list->next = list->pending_count = 0;
}
