/*
 * scoreview.c - the table of sessions, read without trust in what stands there
 *
 * Process: miniftpd --who, as root or as the user who runs the daemon.
 * Trusts:  the directory, once it is known to belong to root or to that user. No byte of a live page: the
 *          process of a client writes it.
 * Touches: scoreboard_dir, /proc/PID/stat.
 */
#include "scoreview.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "str.h"
#include "sysutil.h"

#define LAST_SECOND 253402300799 /* of the year 9999 */
#define READ_TRIES  16           /* until nobody writes at the same time */

/* ---- decoding ---- */

/* Copy a text that may have no end. The arrays have the same size. */
static void copy_text(char *to, const char *from, size_t size)
{
    size_t len = strnlen(from, size - 1);

    memcpy(to, from, len);
    to[len] = '\0';
}

/* Milliseconds from a moment that somebody wrote there up to now. */
static int64_t since(int64_t then_ms, int64_t now_ms)
{
    return then_ms > 0 && then_ms < now_ms ? now_ms - then_ms : 0;
}

static uint64_t bounded(uint64_t value)
{
    return value < INT64_MAX ? value : INT64_MAX;
}

static bool decode_facts(const struct scoreboard_facts *facts, struct scoreview_row *row)
{
    if (memcmp(facts->magic, SCOREBOARD_MAGIC, sizeof(facts->magic)) != 0 || facts->pid <= 0 ||
        facts->since_sec < 0 || facts->since_sec > LAST_SECOND ||
        facts->access >= SCOREBOARD_ACCESS_COUNT) {
        return false;
    }
    row->pid = facts->pid;
    row->listener = facts->listener;
    row->since_sec = facts->since_sec;
    row->access = (enum scoreboard_access)facts->access;
    copy_text(row->peer, facts->peer, sizeof(row->peer));
    copy_text(row->user, facts->user, sizeof(row->user));
    return true;
}

static void decode_live(const struct scoreboard_live *live, int64_t now_ms,
                        struct scoreview_row *row)
{
    row->busy = live->busy != 0;
    row->idle_ms = row->busy ? 0 : since(live->active_ms, now_ms);
    copy_text(row->verb, live->verb, sizeof(row->verb));
    copy_text(row->argument, live->argument, sizeof(row->argument));
    row->transferring = row->busy && live->transferring != 0;
    row->elapsed_ms = since(live->started_ms, now_ms);
    row->bytes = bounded(live->bytes);
    row->offset = bounded(live->offset);
    row->has_size = live->size <= INT64_MAX;
    row->size = bounded(live->size);
    copy_text(row->file, live->file, sizeof(row->file));
}

bool scoreview_decode(const void *facts, size_t facts_len, const void *live, size_t live_len,
                      int64_t now_ms, struct scoreview_row *row)
{
    struct scoreboard_facts known;
    struct scoreboard_live said;

    memset(row, 0, sizeof(*row));
    if (facts_len < sizeof(known) || live_len < sizeof(said)) {
        return false;
    }
    /* copies: what is shared changes between a check and the use */
    memcpy(&known, facts, sizeof(known));
    memcpy(&said, live, sizeof(said));
    if (!decode_facts(&known, row)) {
        return false;
    }
    decode_live(&said, now_ms, row);
    return true;
}

/* ---- reading ---- */

/*
 * The live page at a moment when nobody writes. Whoever makes sure that there is none, is shown as the
 * last try found it.
 */
static bool read_live(int fd, off_t at, struct scoreboard_live *live)
{
    for (int i = 0; i < READ_TRIES; i++) {
        uint32_t after;

        if (pread(fd, live, sizeof(*live), at) != sizeof(*live) ||
            pread(fd, &after, sizeof(after),
                  at + (off_t)offsetof(struct scoreboard_live, sequence)) != sizeof(after)) {
            return false;
        }
        if (live->sequence == after && after % 2 == 0) {
            return true;
        }
    }
    return true;
}

static int open_entry(int dir_fd, const char *name)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))) {
        sysutil_close(&fd);
    }
    return fd;
}

/* The facts of a process that runs, whose pid must be `pid`. */
static bool read_facts(int fd, uint64_t pid, struct scoreboard_facts *facts)
{
    return pread(fd, facts, sizeof(*facts), 0) == sizeof(*facts) && facts->pid > 0 &&
           (uint64_t)facts->pid == pid &&
           memcmp(facts->magic, SCOREBOARD_MAGIC, sizeof(facts->magic)) == 0 &&
           scoreboard_is_alive(facts->pid, facts->born_ms);
}

/* One file of the table. Returns false without memory. */
static bool read_entry(int dir_fd, const char *name, struct scoreview *view, size_t *room)
{
    const size_t prefix = strlen(SCOREBOARD_LISTENER_PREFIX);
    bool is_listener = strncmp(name, SCOREBOARD_LISTENER_PREFIX, prefix) == 0;
    struct scoreboard_facts facts;
    struct scoreboard_live live;
    uint64_t pid;
    int fd;

    if (!str_to_uint(is_listener ? name + prefix : name, 1, INT32_MAX, &pid)) {
        return true; /* "." and "..", and what is not ours */
    }
    if (!sysutil_grow((void **)&view->rows, room, view->count + 1, sizeof(*view->rows))) {
        return false;
    }
    fd = open_entry(dir_fd, name);
    if (fd != -1 && read_facts(fd, pid, &facts)) {
        if (is_listener) {
            view->listeners++;
        } else if (read_live(fd, (off_t)sysconf(_SC_PAGESIZE), &live) &&
                   scoreview_decode(&facts, sizeof(facts), &live, sizeof(live), sysutil_now_ms(),
                                    &view->rows[view->count])) {
            view->count++;
        }
    }
    sysutil_close(&fd);
    return true;
}

static int by_age(const void *a, const void *b)
{
    const struct scoreview_row *left = a;
    const struct scoreview_row *right = b;

    if (left->since_sec != right->since_sec) {
        return left->since_sec < right->since_sec ? -1 : 1;
    }
    return left->pid < right->pid ? -1 : left->pid > right->pid;
}

/* SECURITY: root must not believe a directory that somebody else can fill. */
static DIR *open_table(const char *place, bool of_anybody, struct str *error)
{
    int fd = open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = NULL;
    struct stat st;

    if (fd == -1) {
        if (errno != ENOENT) {
            str_append_format(error, "cannot read %s: %s", place, strerror(errno));
        }
        return NULL;
    }
    if (fstat(fd, &st) == -1 || (!of_anybody && st.st_uid != 0 && st.st_uid != geteuid()) ||
        (st.st_mode & 022) != 0) {
        str_append_format(error, "%s belongs to another user, or others can write it", place);
    } else if ((dir = fdopendir(fd)) == NULL) {
        str_append_format(error, "cannot read %s: %s", place, strerror(errno));
    } else {
        return dir;
    }
    sysutil_close(&fd);
    return NULL;
}

bool scoreview_read(const char *path, bool of_anybody, struct scoreview *view, struct str *error)
{
    struct str place = STR_INIT(SCOREBOARD_PATH_MAX);
    const struct dirent *entry;
    size_t room = 0;
    bool good = true;
    DIR *dir = NULL;

    *view = (struct scoreview){.rows = NULL};
    if (!scoreboard_place(path, &place)) {
        str_append_format(error, "%s is not an absolute path", path);
    } else {
        dir = open_table(str_text(&place), of_anybody, error);
    }
    str_free(&place);
    if (dir == NULL) {
        return false;
    }
    while (good && view->count < SCOREVIEW_SESSIONS_MAX && (entry = readdir(dir)) != NULL) {
        good = read_entry(dirfd(dir), entry->d_name, view, &room);
    }
    (void)closedir(dir);
    if (!good) {
        str_append(error, "no memory");
        scoreview_free(view);
    } else if (view->count > 0) {
        qsort(view->rows, view->count, sizeof(*view->rows), by_age);
    }
    return good;
}

void scoreview_free(struct scoreview *view)
{
    free(view->rows);
    view->rows = NULL;
    view->count = 0;
}
