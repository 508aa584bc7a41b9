/*
 * listfmt.c - what an entry of a listing looks like
 *
 * Process: S.
 * Trusts:  no name: bytes are copied as they are, but for CR and LF, which would end the line and become
 *          '?'.
 * Touches: memory of its own only.
 */
#include "listfmt.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "access.h"
#include "ftptime.h"
#include "str.h"
#include "userdb.h"

#define RECENT_SECONDS (182 * 86400) /* as vsftpd: younger files show the time and not the year */
#define HIDDEN_NAME    "ftp"         /* of every owner, with hide_ids */
#define MODE_BITS      07777

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

static void put_text(struct out *out, const char *text)
{
    put_mem(out, text, strlen(text));
}

/* Every `c` among len bytes becomes '?'. */
static void hide(char *text, size_t len, char c)
{
    for (char *at = memchr(text, c, len); at != NULL;
         at = memchr(at + 1, c, len - (size_t)(at + 1 - text))) {
        *at = '?';
    }
}

size_t listfmt_name(char *buf, const char *name)
{
    const size_t len = strlen(name);

    memcpy(buf, name, len);
    hide(buf, len, '\r');
    hide(buf, len, '\n');
    return len;
}

static void put_name(struct out *out, const char *name)
{
    out->at += listfmt_name(out->at, name);
}

/* Digits in a column of `width` that is filled up with `pad` in front. */
static void put_column(struct out *out, const char *digits, size_t len, size_t width, char pad)
{
    if (len < width) {
        memset(out->at, pad, width - len);
        out->at += width - len;
    }
    put_mem(out, digits, len);
}

static void put_right(struct out *out, uint64_t value, size_t width, char pad)
{
    char text[24];
    size_t at = sizeof(text);

    do {
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    put_column(out, text + at, sizeof(text) - at, width, pad);
}

/* A number in base 8 or 16: 3 or 4 bits a digit. */
static void put_bits(struct out *out, uint64_t value, unsigned bits, size_t width)
{
    char text[24];
    size_t at = sizeof(text);

    do {
        text[--at] = "0123456789abcdef"[value & ((1U << bits) - 1)];
        value >>= bits;
    } while (value != 0);
    put_column(out, text + at, sizeof(text) - at, width, '0');
}

/* An owner or group: its name if there is one to show. */
static void put_id(struct out *out, const struct listfmt *fmt, uint64_t id, const char *name)
{
    if (fmt->hide_ids) {
        put_text(out, HIDDEN_NAME);
    } else if (name != NULL) {
        put_text(out, name);
    } else {
        put_right(out, id, 1, ' ');
    }
}

static const char *user_name(const struct listfmt *fmt, uid_t uid)
{
    return fmt->names != NULL ? userdb_user(fmt->names, uid) : NULL;
}

static const char *group_name(const struct listfmt *fmt, gid_t gid)
{
    return fmt->names != NULL ? userdb_group(fmt->names, gid) : NULL;
}

/* The same at the left of a column of eight. */
static void put_id_column(struct out *out, const struct listfmt *fmt, uint64_t id, const char *name)
{
    const char *start = out->at;

    put_id(out, fmt, id, name);
    while (out->at - start < 8) {
        put_char(out, ' ');
    }
}

/* The kinds of files, and their types in MLSx; RFC 3659 7.5.1. */
static const struct {
    mode_t type;
    char letter;
    const char *fact;
} file_types[] = {
    {S_IFREG, '-', "file"},
    {S_IFDIR, 'd', "dir"},
    {S_IFLNK, 'l', "OS.unix=symlink"},
    {S_IFCHR, 'c', "OS.unix=char"},
    {S_IFBLK, 'b', "OS.unix=block"},
    {S_IFIFO, 'p', "OS.unix=fifo"},
    {S_IFSOCK, 's', "OS.unix=socket"},
};

static char type_letter(mode_t mode)
{
    for (size_t i = 0; i < ARRAY_LEN(file_types); i++) {
        if (file_types[i].type == (mode & S_IFMT)) {
            return file_types[i].letter;
        }
    }
    return '?';
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
static void put_fresh_date(struct out *out, const struct listfmt *fmt, time_t when)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm;

    if ((fmt->local_time ? localtime_r(&when, &tm) : gmtime_r(&when, &tm)) == NULL) {
        memset(&tm, 0, sizeof(tm)); /* a year that does not fit */
        tm.tm_mday = 1;
    }
    put_mem(out, months + (size_t)tm.tm_mon * 3, 3);
    put_char(out, ' ');
    put_right(out, (uint64_t)tm.tm_mday, 2, ' ');
    put_char(out, ' ');
    if (when <= fmt->now && when > fmt->now - RECENT_SECONDS) {
        put_right(out, (uint64_t)tm.tm_hour, 2, '0');
        put_char(out, ':');
        put_right(out, (uint64_t)tm.tm_min, 2, '0');
    } else {
        put_right(out, tm.tm_year >= -1900 ? (uint64_t)((int64_t)tm.tm_year + 1900) : 0, 5, ' ');
    }
}

/* The same, remembered for the next entry of the same minute. */
static void put_date(struct out *out, struct listfmt *fmt, time_t when)
{
    const time_t minute = when / 60;
    const char *start = out->at;
    /* where the form of the date changes, each second counts */
    bool steady = when <= fmt->now && when > fmt->now - RECENT_SECONDS + 60 && when >= 0;

    if (steady && fmt->has_minute && fmt->minute == minute) {
        put_text(out, fmt->minute_text);
        return;
    }
    put_fresh_date(out, fmt, when);
    if (steady) {
        size_t len = (size_t)(out->at - start);

        memcpy(fmt->minute_text, start, len);
        fmt->minute_text[len] = '\0';
        fmt->minute = minute;
        fmt->has_minute = true;
    }
}

/* Mode, links, owner and group, which most entries of a directory have in common with the one before. */
static void put_head(struct out *out, struct listfmt *fmt, const struct stat *st)
{
    struct listfmt_head *last = &fmt->head;
    const char *start = out->at;

    if (last->len > 0 && last->mode == st->st_mode && last->links == st->st_nlink &&
        last->uid == st->st_uid && last->gid == st->st_gid) {
        put_mem(out, last->text, last->len);
        return;
    }
    put_mode(out, st->st_mode);
    put_char(out, ' ');
    put_right(out, st->st_nlink, 4, ' ');
    put_char(out, ' ');
    put_id_column(out, fmt, st->st_uid, user_name(fmt, st->st_uid));
    put_char(out, ' ');
    put_id_column(out, fmt, st->st_gid, group_name(fmt, st->st_gid));
    put_char(out, ' ');
    last->len = 0;
    if ((size_t)(out->at - start) <= sizeof(last->text)) {
        last->mode = st->st_mode;
        last->links = st->st_nlink;
        last->uid = st->st_uid;
        last->gid = st->st_gid;
        last->len = (size_t)(out->at - start);
        memcpy(last->text, start, last->len);
    }
}

size_t listfmt_long(struct listfmt *fmt, char *buf, const struct stat *st, const char *name,
                    const char *target)
{
    struct out out = {.at = buf};

    put_head(&out, fmt, st);
    put_right(&out, st->st_size > 0 ? (uint64_t)st->st_size : 0, 12, ' ');
    put_char(&out, ' ');
    put_date(&out, fmt, st->st_mtime);
    put_char(&out, ' ');
    put_name(&out, name);
    if (target != NULL) {
        put_mem(&out, " -> ", 4);
        put_name(&out, target);
    }
    return (size_t)(out.at - buf);
}

static bool in_group(const struct listfmt *fmt, gid_t gid)
{
    for (size_t i = 0; i < fmt->group_count; i++) {
        if (fmt->groups[i] == gid) {
            return true;
        }
    }
    return fmt->gid == gid;
}

/* The three bits (r 4, w 2, x 1) that the mode grants this user; access lists are not looked at. */
static unsigned rights(const struct listfmt *fmt, const struct stat *st)
{
    unsigned bits;

    if (st->st_uid == fmt->uid) {
        bits = st->st_mode >> 6 & 7;
    } else if (in_group(fmt, st->st_gid)) {
        bits = st->st_mode >> 3 & 7;
    } else {
        bits = st->st_mode & 7;
    }
    if (fmt->world_readable && (st->st_mode & S_IROTH) == 0) {
        bits &= ~4U;
    }
    return bits;
}

static unsigned letter_bit(char letter)
{
    return 1U << (letter - 'a');
}

unsigned listfmt_letters(const char *letters)
{
    unsigned set = 0;

    for (; *letters != '\0'; letters++) {
        set |= letter_bit(*letters);
    }
    return set;
}

unsigned listfmt_withheld(struct access_rules *rules, const char *path)
{
    unsigned set = 0;

    if (access_is_denied(rules, path)) {
        return ~0U;
    }
    if (!access_is_stored(rules, path)) {
        set |= letter_bit('a') | letter_bit('w');
    }
    if (!access_is_fetched(rules, path)) {
        set |= letter_bit('r');
    }
    return set;
}

void listfmt_begin(struct listfmt *fmt, time_t now)
{
    fmt->now = now;
    fmt->has_minute = false;
    fmt->second_len = 0;
    fmt->head.len = 0;
    fmt->alike.known = false;
}

void listfmt_learn_dir(const struct listfmt *fmt, const struct stat *st, struct listfmt_dir *dir)
{
    dir->writable = (rights(fmt, st) & 3) == 3;
    dir->sticky = (st->st_mode & S_ISVTX) != 0;
    dir->owner = st->st_uid;
}

/* Letters of the fact perm, in the order of the alphabet. RFC 3659 7.5.5. */
static void put_perm(struct out *out, const struct listfmt *fmt, const struct stat *st,
                     const struct listfmt_dir *dir, enum listfmt_kind kind)
{
    bool is_dir = S_ISDIR(st->st_mode);
    unsigned bits =
        is_dir || S_ISREG(st->st_mode) ? rights(fmt, st) : 0; /* no other is transferred */
    bool fills = is_dir && (bits & 3) == 3;                   /* new names in it */
    bool moves = kind == LISTFMT_ENTRY && dir->writable &&
                 (!dir->sticky || dir->owner == fmt->uid || st->st_uid == fmt->uid);
    const struct {
        char letter;
        bool granted;
    } letters[] = {
        {'a', !is_dir && (bits & 2) != 0},
        {'c', fills},
        {'d', moves},
        {'e', is_dir && (bits & 1) != 0},
        {'f', moves},
        {'l', is_dir && (bits & 4) != 0},
        {'m', fills},
        {'p', fills},
        {'r', !is_dir && (bits & 4) != 0},
        {'w', !is_dir && (bits & 2) != 0},
    };

    const unsigned set = (is_dir ? fmt->dir_letters : fmt->file_letters) & ~fmt->withheld;

    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (letters[i].granted && (set & letter_bit(letters[i].letter)) != 0) {
            put_char(out, letters[i].letter);
        }
    }
}

/* A target that does not break the form of a fact. */
static bool is_plain_target(const char *target)
{
    for (const char *p = target; *p != '\0'; p++) {
        if (*p == ';' || (unsigned char)*p <= ' ' || *p == 0x7F) { /* RFC 3659 7.2: RCHAR */
            return false;
        }
    }
    return true;
}

static void put_type(struct out *out, const struct stat *st, enum listfmt_kind kind,
                     const char *target)
{
    if (kind != LISTFMT_ENTRY) {
        put_text(out, kind == LISTFMT_SELF ? "cdir" : "pdir");
        return;
    }
    if (S_ISLNK(st->st_mode) && target != NULL && is_plain_target(target)) {
        put_text(out, "OS.unix=slink:");
        put_text(out, target);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(file_types); i++) {
        if (file_types[i].type == (st->st_mode & S_IFMT)) {
            put_text(out, file_types[i].fact);
            return;
        }
    }
    put_text(out, "OS.unix=unknown");
}

#define FACT_NAME(fact, name)                                                                      \
    {                                                                                              \
        (fact), (name "="), sizeof(name)                                                           \
    }

/* Their names with a '='; len without it is one less. */
static const struct {
    unsigned fact;
    const char *name;
    size_t len;
} fact_names[] = {
    FACT_NAME(FACT_TYPE, "type"),        FACT_NAME(FACT_SIZE, "size"),
    FACT_NAME(FACT_MODIFY, "modify"),    FACT_NAME(FACT_PERM, "perm"),
    FACT_NAME(FACT_UNIQUE, "unique"),    FACT_NAME(FACT_MODE, "UNIX.mode"),
    FACT_NAME(FACT_OWNER, "UNIX.owner"), FACT_NAME(FACT_GROUP, "UNIX.group"),
};

/* Remembered for the next entry of the same second. */
static void put_time(struct out *out, struct listfmt *fmt, time_t when)
{
    if (fmt->second_len == 0 || fmt->second != when) {
        fmt->second = when;
        fmt->second_len = ftptime_put(fmt->second_text, when);
    }
    put_mem(out, fmt->second_text, fmt->second_len);
}

static void put_unique(struct out *out, const struct stat *st)
{
    put_bits(out, st->st_dev, 4, 1);
    put_char(out, 'g');
    put_bits(out, st->st_ino, 4, 1);
}

/* One fact without its name. */
static void put_fact(struct out *out, struct listfmt *fmt, const struct stat *st,
                     const struct listfmt_dir *dir, enum listfmt_fact fact, enum listfmt_kind kind,
                     const char *target)
{
    switch (fact) {
    case FACT_TYPE:
        put_type(out, st, kind, target);
        break;
    case FACT_SIZE:
        put_right(out, st->st_size > 0 ? (uint64_t)st->st_size : 0, 1, ' ');
        break;
    case FACT_MODIFY:
        put_time(out, fmt, st->st_mtime);
        break;
    case FACT_PERM:
        put_perm(out, fmt, st, dir, kind);
        break;
    case FACT_UNIQUE:
        put_unique(out, st);
        break;
    case FACT_MODE:
        put_bits(out, st->st_mode & MODE_BITS, 3, 4);
        break;
    case FACT_OWNER:
        put_id(out, fmt, st->st_uid, user_name(fmt, st->st_uid));
        break;
    case FACT_GROUP:
        put_id(out, fmt, st->st_gid, group_name(fmt, st->st_gid));
        break;
    case FACT_ALL:
        break;
    }
}

/* Those of `wanted` that are switched on and that this kind of file has. */
static void put_some_facts(struct out *out, struct listfmt *fmt, const struct stat *st,
                           const struct listfmt_dir *dir, unsigned wanted, enum listfmt_kind kind,
                           const char *target)
{
    for (size_t i = 0; i < ARRAY_LEN(fact_names); i++) {
        unsigned fact = fact_names[i].fact;

        if ((fmt->facts & wanted & fact) == 0 || (fact == FACT_SIZE && !S_ISREG(st->st_mode))) {
            continue;
        }
        put_mem(out, fact_names[i].name, fact_names[i].len);
        put_fact(out, fmt, st, dir, (enum listfmt_fact)fact, kind, target);
        put_char(out, ';');
    }
}

/* Is what depends on mode, owner and directory alone the same as for the entry before? */
static bool is_alike(const struct listfmt_alike *last, const struct listfmt *fmt,
                     const struct stat *st, const struct listfmt_dir *dir)
{
    return last->known && last->mode == st->st_mode && last->uid == st->st_uid &&
           last->gid == st->st_gid && last->withheld == fmt->withheld &&
           last->facts == fmt->facts && last->dir.writable == dir->writable &&
           last->dir.sticky == dir->sticky && last->dir.owner == dir->owner;
}

/* Facts of an entry which most entries of a directory have in common; `part`: perm, or the owner's. */
static void put_alike(struct out *out, struct listfmt *fmt, const struct stat *st,
                      const struct listfmt_dir *dir, struct listfmt_text *part, unsigned wanted)
{
    const char *start = out->at;

    if (part->len > 0) {
        put_mem(out, part->bytes, part->len);
        return;
    }
    put_some_facts(out, fmt, st, dir, wanted, LISTFMT_ENTRY, NULL);
    if ((size_t)(out->at - start) <= sizeof(part->bytes)) {
        part->len = (size_t)(out->at - start);
        memcpy(part->bytes, start, part->len);
    }
}

size_t listfmt_facts(struct listfmt *fmt, char *buf, const struct stat *st,
                     const struct listfmt_dir *dir, enum listfmt_kind kind, const char *target)
{
    const unsigned of_owner = FACT_MODE | FACT_OWNER | FACT_GROUP;
    struct listfmt_alike *last = &fmt->alike;
    struct out out = {.at = buf};

    if (kind != LISTFMT_ENTRY) {
        put_some_facts(&out, fmt, st, dir, FACT_ALL, kind, target);
        put_char(&out, ' ');
        return (size_t)(out.at - buf);
    }
    if (!is_alike(last, fmt, st, dir)) {
        *last = (struct listfmt_alike){.known = true,
                                       .mode = st->st_mode,
                                       .uid = st->st_uid,
                                       .gid = st->st_gid,
                                       .withheld = fmt->withheld,
                                       .facts = fmt->facts,
                                       .dir = *dir};
    }
    put_some_facts(&out, fmt, st, dir, FACT_TYPE | FACT_SIZE | FACT_MODIFY, kind, target);
    put_alike(&out, fmt, st, dir, &last->perm, FACT_PERM);
    put_some_facts(&out, fmt, st, dir, FACT_UNIQUE, kind, target);
    put_alike(&out, fmt, st, dir, &last->owner, of_owner);
    put_char(&out, ' ');
    return (size_t)(out.at - buf);
}

/* The fact of a name that is len bytes long, or 0. */
static unsigned find_fact(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(fact_names); i++) {
        const char *known = fact_names[i].name;
        size_t at = 0;

        while (at < len && str_upper_char(known[at]) == str_upper_char(name[at])) {
            at++;
        }
        if (at == len && known[at] == '=') {
            return fact_names[i].fact;
        }
    }
    return 0;
}

unsigned listfmt_parse_facts(const char *list)
{
    unsigned facts = 0;

    while (*list != '\0') {
        size_t len = strcspn(list, ";");

        facts |= len > 0 ? find_fact(list, len) : 0;
        list += len;
        list += *list == ';';
    }
    return facts;
}

void listfmt_append_facts(struct str *out, unsigned facts, unsigned starred)
{
    for (size_t i = 0; i < ARRAY_LEN(fact_names); i++) {
        if ((facts & fact_names[i].fact) != 0) {
            str_append_mem(out, fact_names[i].name, fact_names[i].len - 1);
            str_append(out, (starred & fact_names[i].fact) != 0 ? "*;" : ";");
        }
    }
}
