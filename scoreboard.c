/*
 * scoreboard.c - the table of sessions: a file in memory for each of them
 *
 * Process: L (the directory), N (its file), P and S (one page of it).
 * Trusts:  its own directory, which belongs to the user who runs the daemon and is closed to all others.
 * Touches: scoreboard_dir, /proc/PID/stat, shared memory.
 */
#include "scoreboard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "str.h"
#include "sysutil.h"

#define SHARED_MEMORY "/dev/shm" /* tmpfs on every system, containers included */
#define NAME_MAX_LEN  32         /* "listener." and a pid */
#define STAT_MAX      1024       /* bytes of /proc/PID/stat that are looked at */
#define START_FIELD   22         /* of it: starttime, proc(5) */

/* ---- places ---- */

/* On a file system of another kind; one that cannot be asked is named in an error later. */
static bool lies_on_disk(const char *dir)
{
    struct statfs fs;

    return statfs(dir, &fs) == 0 && (unsigned long)fs.f_type != TMPFS_MAGIC &&
           (unsigned long)fs.f_type != RAMFS_MAGIC;
}

/*
 * On a disk the pages would be written again and again, and a full one could end a session in the middle
 * of a store.
 */
bool scoreboard_place(const char *path, struct str *place)
{
    const char *name = strrchr(path, '/');
    struct str parent = STR_INIT(SCOREBOARD_PATH_MAX);

    str_clear(place);
    if (path[0] != '/' || name[1] == '\0') {
        return false;
    }
    str_append_mem(&parent, path, name == path ? 1 : (size_t)(name - path));
    if (lies_on_disk(str_text(&parent))) {
        str_append(place, SHARED_MEMORY);
        str_append(place, name);
    } else {
        str_append(place, path);
    }
    str_free(&parent);
    return str_ok(place);
}

/* The name of a file of the table, into name[NAME_MAX_LEN]. */
static void make_name(char *name, const char *prefix, pid_t pid)
{
    struct str text = STR_INIT(NAME_MAX_LEN - 1);

    str_append(&text, prefix);
    str_append_int(&text, pid);
    memcpy(name, str_text(&text), text.len + 1);
    str_free(&text);
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now) == -1) {
        bug("a clock that does not exist");
    }
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- who is alive ---- */

/* The field `number` of a line of /proc/PID/stat, from the state (3) on; NULL if it ends before. */
static const char *stat_field(const char *line, unsigned number)
{
    const char *at =
        strrchr(line, ')'); /* behind the name of the program, which may hold anything */

    for (unsigned field = 2; at != NULL && field < number; field++) {
        at = strchr(at + 1, ' ');
    }
    return at != NULL ? at + 1 : NULL;
}

bool scoreboard_is_alive(pid_t pid, int64_t born_ms)
{
    struct str path = STR_INIT(64);
    char line[STAT_MAX];
    const char *state, *start;
    ssize_t len = -1;
    long ticks = sysconf(_SC_CLK_TCK);
    int fd;

    str_append_format(&path, "/proc/%d/stat", (int)pid);
    fd = open(str_text(&path), O_RDONLY | O_CLOEXEC);
    str_free(&path);
    if (fd != -1) {
        len = sysutil_readn(fd, line, sizeof(line) - 1);
        sysutil_close(&fd);
    }
    if (len <= 0 || ticks <= 0) {
        return false;
    }
    line[len] = '\0';
    state = stat_field(line, 3);
    start = stat_field(line, START_FIELD);
    if (state == NULL || start == NULL || *state == 'Z' || *state == 'X') {
        return false;
    }
    return (long double)strtoull(start, NULL, 10) * 1000 / (long double)ticks <=
           (long double)born_ms;
}

/* ---- L ---- */

/* SECURITY: names in it are believed, so it must be ours and closed to everybody else. */
static bool is_ours(int dir_fd)
{
    struct stat st;

    return fstat(dir_fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

static void remove_if_dead(int dir_fd, const char *name)
{
    const size_t prefix = strlen(SCOREBOARD_LISTENER_PREFIX);
    bool is_listener = strncmp(name, SCOREBOARD_LISTENER_PREFIX, prefix) == 0;
    struct scoreboard_facts facts = {.pid = 0};
    int64_t born_ms =
        INT64_MAX; /* another daemon is just writing it, or it is of another version */
    uint64_t pid;
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd != -1 && sysutil_readn(fd, &facts, sizeof(facts)) == sizeof(facts) &&
        memcmp(facts.magic, SCOREBOARD_MAGIC, sizeof(facts.magic)) == 0) {
        born_ms = facts.born_ms;
    }
    sysutil_close(&fd);
    if (!str_to_uint(is_listener ? name + prefix : name, 1, INT32_MAX, &pid) ||
        !scoreboard_is_alive((pid_t)pid, born_ms)) {
        (void)unlinkat(dir_fd, name, 0); /* readers pass over it in any case */
    }
}

/* Sessions of an earlier listener may still go on; all other files are left over. */
static void remove_the_dead(int dir_fd)
{
    int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy != -1 ? fdopendir(copy) : NULL;
    const struct dirent *entry;

    if (dir == NULL) {
        sysutil_close(&copy);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            remove_if_dead(dir_fd, entry->d_name);
        }
    }
    (void)closedir(dir);
}

static void fill_facts(struct scoreboard_facts *facts, pid_t listener)
{
    memset(facts, 0, sizeof(*facts));
    memcpy(facts->magic, SCOREBOARD_MAGIC, sizeof(facts->magic));
    facts->pid = (int32_t)getpid();
    facts->listener = (int32_t)listener;
    facts->born_ms = clock_ms(CLOCK_BOOTTIME);
    facts->since_sec = clock_ms(CLOCK_REALTIME) / 1000;
}

/* A new file, whoever had the name before. Returns the descriptor, or -1 with errno. */
static int make_file(int dir_fd, const char *name)
{
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(dir_fd, name, flags, 0600);

    if (fd == -1 && errno == EEXIST && unlinkat(dir_fd, name, 0) == 0) {
        fd = openat(dir_fd, name, flags, 0600); /* the pid came round again */
    }
    return fd;
}

static bool enter_listener(int dir_fd)
{
    struct scoreboard_facts facts;
    char name[NAME_MAX_LEN];
    bool good;
    int fd;

    make_name(name, SCOREBOARD_LISTENER_PREFIX, getpid());
    fill_facts(&facts, getpid());
    fd = make_file(dir_fd, name);
    good = fd != -1 && sysutil_writen(fd, &facts, sizeof(facts)) == 0;
    sysutil_close(&fd);
    return good;
}

int scoreboard_open(const char *path, struct str *error)
{
    struct str place = STR_INIT(SCOREBOARD_PATH_MAX);
    const char *where;
    int fd = -1;

    if (!scoreboard_place(path, &place)) {
        str_append(error, "it must be an absolute path");
        str_free(&place);
        return -1;
    }
    where = str_text(&place);
    if (mkdir(where, 0700) == -1 && errno != EEXIST) {
        str_append_format(error, "cannot make %s: %s", where, strerror(errno));
    } else if ((fd = open(where, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) == -1) {
        str_append_format(error, "%s: %s", where, strerror(errno));
    } else if (!is_ours(fd)) {
        str_append_format(error, "%s belongs to another user or is open to others; remove it",
                          where);
        sysutil_close(&fd);
    } else {
        remove_the_dead(fd);
        if (!enter_listener(fd)) {
            str_append_format(error, "cannot write to %s: %s", where, strerror(errno));
            sysutil_close(&fd);
        }
    }
    str_free(&place);
    return fd;
}

void scoreboard_forget(int dir_fd, pid_t pid)
{
    char name[NAME_MAX_LEN];

    if (dir_fd != -1) {
        make_name(name, "", pid);
        (void)unlinkat(dir_fd, name, 0); /* ENOENT: it was not in the table */
    }
}

void scoreboard_close(int *dir_fd)
{
    char name[NAME_MAX_LEN];

    if (*dir_fd != -1) {
        make_name(name, SCOREBOARD_LISTENER_PREFIX, getpid());
        (void)unlinkat(*dir_fd, name, 0); /* a dead listener does not count */
        sysutil_close(dir_fd);
    }
}

/* ---- N ---- */

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Copy a text into an array, cut between two characters if it is too long; `size` is that of the array. */
static void put_text(char *to, size_t size, const char *text)
{
    static const char mark[] = "...";
    size_t len = strnlen(text, size);

    if (len == size) {
        len = size - sizeof(mark);
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) {
            len--;
        }
        memcpy(to + len, mark, sizeof(mark));
    } else {
        to[len] = '\0';
    }
    memcpy(to, text, len);
}

bool scoreboard_enter(struct scoreboard *board, int dir_fd, const char *peer)
{
    const size_t page = page_size();
    char name[NAME_MAX_LEN];
    char *both = MAP_FAILED;
    int fd, error;

    board->facts = NULL;
    board->live = NULL;
    make_name(name, "", getpid());
    fd = make_file(dir_fd, name);
    if (fd == -1) {
        return false;
    }
    /* a page that is not there yet would be a deadly signal later, when memory is short */
    error = posix_fallocate(fd, 0, (off_t)(2 * page));
    if (error == 0) {
        both = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        error = both == MAP_FAILED ? errno : 0;
    }
    sysutil_close(&fd);
    /* SECURITY: P and S can change what they do, and not who they are said to be */
    if (error == 0 && madvise(both, page, MADV_DONTFORK) == -1) {
        error = errno;
        (void)munmap(both, 2 * page); /* as good as it was mapped */
    }
    if (error != 0) {
        (void)unlinkat(dir_fd, name, 0); /* a reader leaves out what is empty */
        errno = error;
        return false;
    }
    board->facts = (struct scoreboard_facts *)(void *)both;
    board->live = (struct scoreboard_live *)(void *)(both + page);
    board->live->active_ms = sysutil_now_ms();
    fill_facts(board->facts, getppid());
    put_text(board->facts->peer, sizeof(board->facts->peer), peer);
    return true;
}

void scoreboard_login(struct scoreboard *board, const char *user, enum scoreboard_access access)
{
    if (board->facts != NULL) {
        put_text(board->facts->user, sizeof(board->facts->user), user);
        board->facts->access = (uint8_t)access;
    }
}

/* ---- P and S ---- */

/* Between these two a reader knows that it sees half of it. */
static void begin_change(struct scoreboard_live *live)
{
    uint32_t sequence = atomic_load_explicit(&live->sequence, memory_order_relaxed);

    atomic_store_explicit(&live->sequence, sequence | 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

static void end_change(struct scoreboard_live *live)
{
    uint32_t sequence = atomic_load_explicit(&live->sequence, memory_order_relaxed);

    atomic_store_explicit(&live->sequence, sequence + 1, memory_order_release);
}

void scoreboard_command(struct scoreboard_live *live, const char *verb, const char *argument)
{
    if (live != NULL) {
        begin_change(live);
        live->busy = 1;
        live->transferring = 0; /* nothing was idle before, when commands are sent in a row */
        put_text(live->verb, sizeof(live->verb), verb);
        live->argument[0] = '\0';
        if (*argument != '\0') { /* most have none */
            put_text(live->argument, sizeof(live->argument), argument);
        }
        end_change(live);
    }
}

void scoreboard_idle(struct scoreboard_live *live, int64_t now_ms)
{
    if (live != NULL) {
        begin_change(live);
        live->busy = live->transferring = 0;
        live->active_ms = now_ms;
        end_change(live);
    }
}

_Atomic uint64_t *scoreboard_transfer(struct scoreboard_live *live, const char *file,
                                      int64_t started_ms, uint64_t offset, uint64_t size)
{
    if (live == NULL) {
        return NULL;
    }
    begin_change(live);
    live->transferring = 1;
    live->started_ms = started_ms;
    live->offset = offset;
    live->size = size;
    atomic_store_explicit(&live->bytes, 0, memory_order_relaxed);
    put_text(live->file, sizeof(live->file), file);
    end_change(live);
    return &live->bytes;
}
