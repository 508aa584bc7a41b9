/*
 * userdb.c - names of user and group ids, for processes that cannot look them up any more
 *
 * Process: L reads the files; N may add a name; S looks up.
 * Trusts:  the files to be root's, but not that they are short or well-formed.
 * Touches: the two files. Once read, a table is not written any more.
 */
#include "userdb.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysutil.h"

struct entry {
    uint32_t id;
    uint32_t at; /* of the name in the pool; grows in the order of the file */
};

struct table {
    struct entry *entries; /* sorted by id, then by at */
    size_t count, room;
    char *pool; /* names, each with its NUL */
    size_t pool_len, pool_room;
    struct stat stamp; /* of the file that was read */
    bool was_read;
};

struct userdb {
    struct table users, groups;
    struct table added; /* users of other sources */
};

struct userdb *userdb_new(void)
{
    return calloc(1, sizeof(struct userdb));
}

static void table_free(struct table *table)
{
    free(table->entries);
    free(table->pool);
    *table = (struct table){0};
}

void userdb_free(struct userdb *db)
{
    if (db == NULL) {
        return;
    }
    table_free(&db->users);
    table_free(&db->groups);
    table_free(&db->added);
    free(db);
}

/* SECURITY: a name is a word of a listing, and must not become two words, two facts or two lines. */
static char fit_char(char c)
{
    unsigned char u = (unsigned char)c;

    return u <= ' ' || u == 0x7F || c == ';' ? '_' : c;
}

/* Append an entry; the order is not kept. */
static bool table_add(struct table *table, uint32_t id, const char *name)
{
    size_t len = strnlen(name, USERDB_NAME_MAX);
    void *entries = table->entries;
    void *pool = table->pool;
    bool ok = sysutil_grow(&entries, &table->room, table->count + 1, sizeof(struct entry)) &&
              sysutil_grow(&pool, &table->pool_room, table->pool_len + len + 1, 1);

    table->entries = entries;
    table->pool = pool;
    if (!ok) {
        return false;
    }
    table->entries[table->count++] = (struct entry){.id = id, .at = (uint32_t)table->pool_len};
    for (size_t i = 0; i < len; i++) {
        table->pool[table->pool_len++] = fit_char(name[i]);
    }
    table->pool[table->pool_len++] = '\0';
    return true;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;

    if (left->id != right->id) {
        return left->id < right->id ? -1 : 1;
    }
    return left->at < right->at ? -1 : left->at > right->at;
}

static void table_sort(struct table *table)
{
    if (table->count > 1) {
        qsort(table->entries, table->count, sizeof(struct entry), compare_entries);
    }
}

/* The first name of an id, or NULL. */
static const char *table_name(const struct table *table, uint32_t id)
{
    size_t low = 0;
    size_t high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table->entries[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == table->count || table->entries[low].id != id) {
        return NULL;
    }
    return table->pool + table->entries[low].at;
}

/* One entry of a file. Returns false at its end, or if it cannot be read. */
typedef bool next_fn(FILE *file, const char **name_out, uint32_t *id_out);

static bool next_user(FILE *file, const char **name_out, uint32_t *id_out)
{
    const struct passwd *pw = fgetpwent(file);

    if (pw == NULL) {
        return false;
    }
    *name_out = pw->pw_name;
    *id_out = pw->pw_uid;
    return true;
}

static bool next_group(FILE *file, const char **name_out, uint32_t *id_out)
{
    const struct group *gr = fgetgrent(file);

    if (gr == NULL) {
        return false;
    }
    *name_out = gr->gr_name;
    *id_out = gr->gr_gid;
    return true;
}

/* Returns 0, or -1 with errno; what was read so far is in the table then. */
static int read_entries(struct table *table, FILE *file, next_fn *next)
{
    const char *name;
    uint32_t id;

    while (table->count < USERDB_ENTRIES_MAX && next(file, &name, &id)) {
        /* "+" and "-" in front mean other sources (NIS), and have no id of their own */
        if (name[0] == '\0' || name[0] == '+' || name[0] == '-') {
            continue;
        }
        if (!table_add(table, id, name)) {
            errno = ENOMEM;
            return -1;
        }
    }
    if (ferror(file)) {
        errno = EIO;
        return -1;
    }
    table_sort(table);
    return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Open a regular file and tell what it is. Returns NULL with errno; never waits for a FIFO. */
static FILE *open_file(const char *path, struct stat *st_out)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    FILE *file = NULL;

    if (fd == -1) {
        return NULL;
    }
    if (fstat(fd, st_out) == 0) {
        if (S_ISREG(st_out->st_mode)) {
            file = fdopen(fd, "re");
        } else {
            errno = EINVAL;
        }
    }
    if (file == NULL) {
        sysutil_close(&fd);
    }
    return file;
}

/* Returns 0, or -1 with errno and the table as it was. */
static int table_refresh(struct table *table, const char *path, next_fn *next)
{
    struct table fresh = {.was_read = true};
    struct stat st;
    FILE *file;
    int result, saved_errno;

    if (table->was_read && stat(path, &st) == 0 && same_file(&st, &table->stamp)) {
        return 0;
    }
    file = open_file(path, &fresh.stamp);
    if (file == NULL) {
        return -1;
    }
    result = read_entries(&fresh, file, next);
    saved_errno = errno;
    (void)fclose(file); /* nothing was written */
    if (result == -1) {
        table_free(&fresh);
        errno = saved_errno;
        return -1;
    }
    table_free(table);
    *table = fresh;
    return 0;
}

bool userdb_refresh(struct userdb *db, const char *passwd_file, const char *group_file)
{
    int users = table_refresh(&db->users, passwd_file, next_user);
    int saved_errno = errno;
    int groups = table_refresh(&db->groups, group_file, next_group);

    if (users == -1) {
        errno = saved_errno;
    }
    return users == 0 && groups == 0;
}

const char *userdb_user(const struct userdb *db, uid_t uid)
{
    const char *name = table_name(&db->users, uid);

    return name != NULL ? name : table_name(&db->added, uid);
}

const char *userdb_group(const struct userdb *db, gid_t gid)
{
    return table_name(&db->groups, gid);
}

bool userdb_find_group(const struct userdb *db, const char *name, gid_t *gid_out)
{
    const struct table *table = &db->groups;
    const struct entry *found = NULL;

    for (size_t i = 0; i < table->count; i++) {
        const struct entry *entry = &table->entries[i];

        if (strcmp(table->pool + entry->at, name) == 0 &&
            (found == NULL || entry->at < found->at)) {
            found = entry;
        }
    }
    if (found != NULL) {
        *gid_out = found->id;
    }
    return found != NULL;
}

bool userdb_add_user(struct userdb *db, uid_t uid, const char *name)
{
    if (userdb_user(db, uid) != NULL) {
        return true;
    }
    if (db->added.count >= USERDB_ENTRIES_MAX || !table_add(&db->added, uid, name)) {
        return false;
    }
    table_sort(&db->added);
    return true;
}
