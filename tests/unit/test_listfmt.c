/*
 * test_listfmt.c - the lines of LIST and the facts of MLSD
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: files under /tmp that stand for /etc/passwd and /etc/group.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "listfmt.h"
#include "str.h"
#include "sysutil.h"
#include "unit.h"
#include "userdb.h"

/* 2024-07-03 04:05:06 UTC, and "six months" as the code has them */
#define NOW        1719979506
#define SIX_MONTHS (182 * 86400)

struct long_row {
    const char *name;
    mode_t mode;
    nlink_t links;
    uid_t uid;
    gid_t gid;
    off_t size;
    time_t when;
    const char *file, *target;
    const char *line;
};

/* clang-format off */
static const struct long_row long_rows[] = {
    { "long_line_of_a_file", S_IFREG | 0644, 1, 1000, 100, 4711, NOW, "a b.txt", NULL,
      "-rw-r--r--    1 1000     100              4711 Jul  3 04:05 a b.txt" },
    { "long_line_of_a_directory", S_IFDIR | 0755, 2, 0, 0, 4096, NOW - 86400, "dir", NULL,
      "drwxr-xr-x    2 0        0                4096 Jul  2 04:05 dir" },
    { "long_line_of_a_link", S_IFLNK | 0777, 1, 0, 0, 6, NOW, "link", "target",
      "lrwxrwxrwx    1 0        0                   6 Jul  3 04:05 link -> target" },
    { "long_line_of_a_link_without_its_target", S_IFLNK | 0777, 1, 0, 0, 6, NOW, "link", NULL,
      "lrwxrwxrwx    1 0        0                   6 Jul  3 04:05 link" },
    { "long_line_of_a_fifo", S_IFIFO | 0600, 1, 0, 0, 0, NOW, "p", NULL,
      "prw-------    1 0        0                   0 Jul  3 04:05 p" },
    { "long_line_of_a_socket", S_IFSOCK | 0600, 1, 0, 0, 0, NOW, "s", NULL,
      "srw-------    1 0        0                   0 Jul  3 04:05 s" },
    { "long_line_of_a_character_device", S_IFCHR | 0600, 1, 0, 0, 0, NOW, "c", NULL,
      "crw-------    1 0        0                   0 Jul  3 04:05 c" },
    { "long_line_of_a_block_device", S_IFBLK | 0600, 1, 0, 0, 0, NOW, "b", NULL,
      "brw-------    1 0        0                   0 Jul  3 04:05 b" },
    { "long_line_of_no_rights", S_IFREG, 1, 0, 0, 0, NOW, "x", NULL,
      "----------    1 0        0                   0 Jul  3 04:05 x" },
    { "long_line_with_all_special_bits", S_IFREG | 07777, 1, 0, 0, 0, NOW, "x", NULL,
      "-rwsrwsrwt    1 0        0                   0 Jul  3 04:05 x" },
    { "long_line_with_special_bits_alone", S_IFREG | 07000, 1, 0, 0, 0, NOW, "x", NULL,
      "---S--S--T    1 0        0                   0 Jul  3 04:05 x" },
    { "long_line_of_a_huge_file", S_IFREG | 0600, 1, 0, 0, INT64_MAX, NOW, "x", NULL,
      "-rw-------    1 0        0        9223372036854775807 Jul  3 04:05 x" },
    { "long_line_of_a_file_over_4_gib", S_IFREG | 0600, 1, 0, 0, 4294967296, NOW, "x", NULL,
      "-rw-------    1 0        0          4294967296 Jul  3 04:05 x" },
    { "long_line_of_large_ids_and_many_links", S_IFREG | 0600, 100000, 4294967294, 4294967295, 1, NOW, "x", NULL,
      "-rw------- 100000 4294967294 4294967295            1 Jul  3 04:05 x" },
    { "long_line_of_a_negative_size", S_IFREG | 0600, 1, 0, 0, -1, NOW, "x", NULL,
      "-rw-------    1 0        0                   0 Jul  3 04:05 x" },
    { "date_just_inside_six_months", S_IFREG, 1, 0, 0, 0, NOW - SIX_MONTHS + 1, "x", NULL,
      "----------    1 0        0                   0 Jan  3 04:05 x" },
    { "date_just_outside_six_months", S_IFREG, 1, 0, 0, 0, NOW - SIX_MONTHS, "x", NULL,
      "----------    1 0        0                   0 Jan  3  2024 x" },
    { "date_in_the_future_shows_its_year", S_IFREG, 1, 0, 0, 0, NOW + 1, "x", NULL,
      "----------    1 0        0                   0 Jul  3  2024 x" },
    { "date_at_midnight", S_IFREG, 1, 0, 0, 0, 1719964800, "x", NULL,
      "----------    1 0        0                   0 Jul  3 00:00 x" },
    { "date_before_midnight", S_IFREG, 1, 0, 0, 0, 1719964799, "x", NULL,
      "----------    1 0        0                   0 Jul  2 23:59 x" },
    { "date_of_a_leap_day", S_IFREG, 1, 0, 0, 0, 951782400, "x", NULL,
      "----------    1 0        0                   0 Feb 29  2000 x" },
    { "date_of_1970", S_IFREG, 1, 0, 0, 0, 0, "x", NULL,
      "----------    1 0        0                   0 Jan  1  1970 x" },
    { "date_before_1970", S_IFREG, 1, 0, 0, 0, -1, "x", NULL,
      "----------    1 0        0                   0 Dec 31  1969 x" },
    { "date_after_2038", S_IFREG, 1, 0, 0, 0, 4102444800, "x", NULL,
      "----------    1 0        0                   0 Jan  1  2100 x" },
    { "name_with_a_line_ending_stays_in_its_line", S_IFREG, 1, 0, 0, 0, NOW, "a\r\nb", NULL,
      "----------    1 0        0                   0 Jul  3 04:05 a??b" },
    { "target_with_a_line_ending_stays_in_its_line", S_IFLNK, 1, 0, 0, 0, NOW, "x", "a\nb",
      "l---------    1 0        0                   0 Jul  3 04:05 x -> a?b" },
    { "name_keeps_all_other_bytes", S_IFREG, 1, 0, 0, 0, NOW, "\x01\x1B\"%n\xFF\xC3\xA4", NULL,
      "----------    1 0        0                   0 Jul  3 04:05 \x01\x1B\"%n\xFF\xC3\xA4" },
};
/* clang-format on */

static size_t format_long(const struct long_row *row, char *buf)
{
    struct stat st = {.st_mode = row->mode,
                      .st_nlink = row->links,
                      .st_uid = row->uid,
                      .st_gid = row->gid,
                      .st_size = row->size,
                      .st_mtime = row->when};
    struct listfmt fmt = {.now = NOW};

    return listfmt_long(&fmt, buf, &st, row->file, row->target);
}

static void check_long(void **state)
{
    const struct long_row *row = *state;
    char *buf = malloc(LISTFMT_LINE_MAX);
    size_t len;

    assert_non_null(buf);
    len = format_long(row, buf);
    assert_int_equal(len, strlen(row->line));
    assert_memory_equal(buf, row->line, len);
    free(buf);
}

static void every_time_fits_into_a_line(void **state)
{
    struct long_row row = {.mode = S_IFREG, .links = 1, .file = "x"};
    char *buf = malloc(LISTFMT_LINE_MAX);

    (void)state;
    assert_non_null(buf);
    for (unsigned bit = 0; bit < 63; bit++) {
        row.when = (time_t)(UINT64_C(1) << bit);
        assert_true(format_long(&row, buf) < 100);
        row.when = -row.when;
        assert_true(format_long(&row, buf) < 100);
    }
    row.when = INT64_MAX;
    assert_true(format_long(&row, buf) < 100);
    row.when = INT64_MIN;
    assert_true(format_long(&row, buf) < 100);
    free(buf);
}

/* A file system may hold any time; the sanitizers end the process that reckons wrong. */
static void the_last_second_that_gmtime_knows_is_formatted(void **state)
{
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        static char buf[LISTFMT_LINE_MAX];
        const struct long_row row = {
            .mode = S_IFREG, .links = 1, .when = 67768036191676799, .file = "x"};

        _exit(format_long(&row, buf) < 100 ? 0 : 1);
    }
    assert_int_equal(sysutil_wait(pid), 0);
}

static void the_longest_name_and_target_fit(void **state)
{
    char *file = unit_repeat('\n', 4096);
    char *target = unit_repeat('\r', 4095);
    struct long_row row = {.mode = S_IFLNK | 07777,
                           .links = UINT32_MAX,
                           .uid = UINT32_MAX,
                           .gid = UINT32_MAX,
                           .size = INT64_MAX,
                           .when = INT64_MAX,
                           .file = file,
                           .target = target};
    char *buf = malloc(LISTFMT_LINE_MAX);

    (void)state;
    assert_non_null(buf);
    assert_in_range(format_long(&row, buf), 8191, LISTFMT_LINE_MAX - 2);
    free(buf);
    free(file);
    free(target);
}

/* Many entries through one context: the minute that is remembered is never shown for another one. */
static void dates_do_not_depend_on_what_was_shown_before(void **state)
{
    static const time_t times[] = {NOW,
                                   NOW - 1,
                                   NOW - 6,
                                   NOW - 7,
                                   NOW - 60,
                                   NOW - 3600,
                                   NOW + 60,
                                   NOW,
                                   NOW - 86400,
                                   NOW - 2 * 86400,
                                   0,
                                   -1,
                                   NOW - 6,
                                   NOW + 61,
                                   NOW - SIX_MONTHS,
                                   NOW - SIX_MONTHS + 1,
                                   NOW};
    struct listfmt fmt = {.now = NOW};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        static char shared[LISTFMT_LINE_MAX], alone[LISTFMT_LINE_MAX];
        const struct long_row row = {.mode = S_IFREG, .links = 1, .when = times[i], .file = "x"};
        const struct stat st = {.st_mode = S_IFREG, .st_nlink = 1, .st_mtime = times[i]};
        size_t len = listfmt_long(&fmt, shared, &st, "x", NULL);

        assert_int_equal(format_long(&row, alone), len);
        assert_memory_equal(shared, alone, len);
    }
}

static void local_times_are_shown_if_asked_for(void **state)
{
    const struct stat st = {.st_mode = S_IFREG | 0600, .st_nlink = 1, .st_mtime = NOW};
    struct listfmt fmt = {.now = NOW, .local_time = true};
    static char buf[LISTFMT_LINE_MAX];
    size_t len;

    (void)state;
    assert_int_equal(setenv("TZ", "XYZ-5:30", 1), 0);
    tzset();
    len = listfmt_long(&fmt, buf, &st, "x", NULL);
    buf[len] = '\0';
    assert_non_null(strstr(buf, " Jul  3 09:35 x"));
    fmt.local_time = false;
    fmt.has_minute = false;
    len = listfmt_long(&fmt, buf, &st, "x", NULL);
    buf[len] = '\0';
    assert_non_null(strstr(buf, " Jul  3 04:05 x"));
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
}

/* A user database with alice 1000 and the group staff 50. */
static struct userdb *make_names(void)
{
    static const char passwd[] = "alice:x:1000:100::/:/bin/sh\n";
    static const char group[] = "staff:x:50:\n";
    struct str passwd_path = STR_INIT(200), group_path = STR_INIT(200);
    struct userdb *names = userdb_new();
    char dir[UNIT_DIR_MAX];

    assert_non_null(names);
    unit_make_dir(dir);
    unit_write_file(dir, "passwd", passwd, sizeof(passwd) - 1);
    unit_write_file(dir, "group", group, sizeof(group) - 1);
    str_append_format(&passwd_path, "%s/passwd", dir);
    str_append_format(&group_path, "%s/group", dir);
    assert_true(userdb_refresh(names, str_text(&passwd_path), str_text(&group_path)));
    unit_remove_dir(dir);
    str_free(&passwd_path);
    str_free(&group_path);
    return names;
}

struct owner_row {
    const char *name;
    bool names, hide;
    uid_t uid;
    gid_t gid;
    const char *part;  /* of the line of LIST */
    const char *facts; /* owner and group */
};

/* clang-format off */
static const struct owner_row owner_rows[] = {
    { "owners_as_numbers", false, false, 1000, 50, " 1000     50       ", "UNIX.owner=1000;UNIX.group=50; " },
    { "owners_as_names", true, false, 1000, 50, " alice    staff    ", "UNIX.owner=alice;UNIX.group=staff; " },
    { "owners_unknown_are_numbers", true, false, 1001, 51, " 1001     51       ", "UNIX.owner=1001;UNIX.group=51; " },
    { "owners_hidden", false, true, 1000, 50, " ftp      ftp      ", "UNIX.owner=ftp;UNIX.group=ftp; " },
    { "owners_hidden_though_named", true, true, 1000, 50, " ftp      ftp      ", "UNIX.owner=ftp;UNIX.group=ftp; " },
};
/* clang-format on */

static void check_owner(void **state)
{
    const struct owner_row *row = *state;
    const struct stat st = {
        .st_mode = S_IFREG | 0600, .st_nlink = 1, .st_uid = row->uid, .st_gid = row->gid};
    struct userdb *names = make_names();
    struct listfmt fmt = {.names = row->names ? names : NULL,
                          .hide_ids = row->hide,
                          .facts = FACT_OWNER | FACT_GROUP};
    const struct listfmt_dir dir = {0};
    static char buf[LISTFMT_LINE_MAX];
    size_t len = listfmt_long(&fmt, buf, &st, "x", NULL);

    buf[len] = '\0';
    assert_non_null(strstr(buf, row->part));
    len = listfmt_facts(&fmt, buf, &st, &dir, LISTFMT_ENTRY, NULL);
    buf[len] = '\0';
    assert_string_equal(buf, row->facts);
    userdb_free(names);
}

struct fact_row {
    const char *name;
    unsigned facts;
    mode_t mode;
    off_t size;
    enum listfmt_kind kind;
    const char *target;
    const char *line;
};

/* clang-format off */
static const struct fact_row fact_rows[] = {
    { "fact_type_of_a_file", FACT_TYPE, S_IFREG, 0, LISTFMT_ENTRY, NULL, "type=file; " },
    { "fact_type_of_a_directory", FACT_TYPE, S_IFDIR, 0, LISTFMT_ENTRY, NULL, "type=dir; " },
    { "fact_type_of_the_listed_one", FACT_TYPE, S_IFDIR, 0, LISTFMT_SELF, NULL, "type=cdir; " },
    { "fact_type_of_the_parent", FACT_TYPE, S_IFDIR, 0, LISTFMT_PARENT, NULL, "type=pdir; " },
    { "fact_type_of_a_link", FACT_TYPE, S_IFLNK, 0, LISTFMT_ENTRY, "a b", "type=OS.unix=symlink; " },
    { "fact_type_of_a_link_whose_target_breaks_facts", FACT_TYPE, S_IFLNK, 0, LISTFMT_ENTRY, "a;b", "type=OS.unix=symlink; " },
    { "fact_type_of_a_link_whose_target_breaks_lines", FACT_TYPE, S_IFLNK, 0, LISTFMT_ENTRY, "a\nb", "type=OS.unix=symlink; " },
    { "fact_type_of_a_link_without_target", FACT_TYPE, S_IFLNK, 0, LISTFMT_ENTRY, NULL, "type=OS.unix=symlink; " },
    { "fact_type_of_a_fifo", FACT_TYPE, S_IFIFO, 0, LISTFMT_ENTRY, NULL, "type=OS.unix=fifo; " },
    { "fact_type_of_a_socket", FACT_TYPE, S_IFSOCK, 0, LISTFMT_ENTRY, NULL, "type=OS.unix=socket; " },
    { "fact_type_of_a_character_device", FACT_TYPE, S_IFCHR, 0, LISTFMT_ENTRY, NULL, "type=OS.unix=char; " },
    { "fact_type_of_a_block_device", FACT_TYPE, S_IFBLK, 0, LISTFMT_ENTRY, NULL, "type=OS.unix=block; " },
    { "fact_size_of_a_file", FACT_SIZE, S_IFREG, 5000000000, LISTFMT_ENTRY, NULL, "size=5000000000; " },
    { "fact_size_is_not_of_directories", FACT_SIZE, S_IFDIR, 4096, LISTFMT_ENTRY, NULL, " " },
    { "fact_size_is_never_negative", FACT_SIZE, S_IFREG, -1, LISTFMT_ENTRY, NULL, "size=0; " },
    { "fact_modify", FACT_MODIFY, S_IFREG, 0, LISTFMT_ENTRY, NULL, "modify=20240703040506; " },
    { "fact_unique", FACT_UNIQUE, S_IFREG, 0, LISTFMT_ENTRY, NULL, "unique=801gff; " },
    { "fact_mode", FACT_MODE, S_IFREG | 0644, 0, LISTFMT_ENTRY, NULL, "UNIX.mode=0644; " },
    { "fact_mode_with_special_bits", FACT_MODE, S_IFREG | 07001, 0, LISTFMT_ENTRY, NULL, "UNIX.mode=7001; " },
    { "facts_none", 0, S_IFREG, 0, LISTFMT_ENTRY, NULL, " " },
    { "facts_all_in_their_order", FACT_ALL, S_IFREG | 0640, 7, LISTFMT_ENTRY, NULL,
      "type=file;size=7;modify=20240703040506;perm=;unique=801gff;UNIX.mode=0640;UNIX.owner=5;UNIX.group=6; " },
};
/* clang-format on */

static void check_fact(void **state)
{
    const struct fact_row *row = *state;
    struct listfmt fmt = {.facts = row->facts, .local_time = true, .uid = 1, .gid = 1};
    const struct listfmt_dir dir = {0};
    const struct stat st = {.st_mode = row->mode,
                            .st_size = row->size,
                            .st_mtime = NOW,
                            .st_uid = 5,
                            .st_gid = 6,
                            .st_dev = 0x801,
                            .st_ino = 255};
    static char buf[LISTFMT_LINE_MAX];
    size_t len = listfmt_facts(&fmt, buf, &st, &dir, row->kind, row->target);

    buf[len] = '\0';
    assert_string_equal(buf, row->line);
}

/* Who asks: uid 10, gid 20, in the group 30. */
struct perm_row {
    const char *name;
    mode_t mode, dir_mode;
    uid_t uid, dir_uid;
    gid_t gid;
    bool reads_only, world_readable;
    enum listfmt_kind kind;
    const char *perm;
};

/* clang-format off */
static const struct perm_row perm_rows[] = {
    { "perm_of_an_own_file", S_IFREG | 0600, 0700, 10, 10, 20, false, false, LISTFMT_ENTRY, "adfrw" },
    { "perm_of_an_own_file_that_is_read_only", S_IFREG | 0400, 0700, 10, 10, 20, false, false, LISTFMT_ENTRY, "dfr" },
    { "perm_of_the_owner_comes_before_that_of_others", S_IFREG | 0066, 0500, 10, 10, 20, false, false, LISTFMT_ENTRY, "" },
    { "perm_by_the_group", S_IFREG | 0060, 0500, 11, 10, 20, false, false, LISTFMT_ENTRY, "arw" },
    { "perm_by_another_group", S_IFREG | 0060, 0500, 11, 10, 30, false, false, LISTFMT_ENTRY, "arw" },
    { "perm_of_the_group_comes_before_that_of_others", S_IFREG | 0006, 0500, 11, 10, 30, false, false, LISTFMT_ENTRY, "" },
    { "perm_of_others", S_IFREG | 0004, 0500, 11, 10, 40, false, false, LISTFMT_ENTRY, "r" },
    { "perm_of_a_directory", S_IFDIR | 0700, 0700, 10, 10, 20, false, false, LISTFMT_ENTRY, "cdeflmp" },
    { "perm_of_a_directory_to_read", S_IFDIR | 0500, 0500, 10, 10, 20, false, false, LISTFMT_ENTRY, "el" },
    { "perm_of_a_directory_without_search", S_IFDIR | 0600, 0500, 10, 10, 20, false, false, LISTFMT_ENTRY, "l" },
    { "perm_of_the_listed_directory_itself", S_IFDIR | 0700, 0700, 10, 10, 20, false, false, LISTFMT_SELF, "celmp" },
    { "perm_in_a_directory_without_search", S_IFREG | 0600, 0600, 10, 10, 20, false, false, LISTFMT_ENTRY, "arw" },
    { "perm_in_a_sticky_directory_of_a_foreign_file", S_IFREG | 0666, 01777, 11, 0, 40, false, false, LISTFMT_ENTRY, "arw" },
    { "perm_in_a_sticky_directory_of_an_own_file", S_IFREG | 0600, 01777, 10, 0, 40, false, false, LISTFMT_ENTRY, "adfrw" },
    { "perm_in_an_own_sticky_directory", S_IFREG | 0600, 01700, 11, 10, 40, false, false, LISTFMT_ENTRY, "df" },
    { "perm_of_a_fifo", S_IFIFO | 0666, 0700, 10, 10, 20, false, false, LISTFMT_ENTRY, "df" },
    { "perm_of_a_link", S_IFLNK | 0777, 0700, 10, 10, 20, false, false, LISTFMT_ENTRY, "df" },
    { "perm_for_who_may_only_read", S_IFREG | 0600, 0700, 10, 10, 20, true, false, LISTFMT_ENTRY, "r" },
    { "perm_of_a_directory_for_who_may_only_read", S_IFDIR | 0700, 0700, 10, 10, 20, true, false, LISTFMT_ENTRY, "el" },
    { "perm_of_what_the_world_may_not_read", S_IFREG | 0640, 0500, 10, 10, 20, true, true, LISTFMT_ENTRY, "" },
    { "perm_of_what_the_world_may_read", S_IFREG | 0444, 0500, 10, 10, 20, true, true, LISTFMT_ENTRY, "r" },
};
/* clang-format on */

static void check_perm(void **state)
{
    const struct perm_row *row = *state;
    static const gid_t groups[] = {29, 30};
    struct listfmt fmt = {.facts = FACT_PERM,
                          .uid = 10,
                          .gid = 20,
                          .groups = groups,
                          .group_count = ARRAY_LEN(groups),
                          .file_letters = listfmt_letters(row->reads_only ? "r" : "adfrw"),
                          .dir_letters = listfmt_letters(row->reads_only ? "el" : "cdeflmp"),
                          .world_readable = row->world_readable};
    const struct stat dir_st = {
        .st_mode = S_IFDIR | row->dir_mode, .st_uid = row->dir_uid, .st_gid = 40};
    const struct stat st = {.st_mode = row->mode, .st_uid = row->uid, .st_gid = row->gid};
    struct str expected = STR_INIT(100);
    static char buf[LISTFMT_LINE_MAX];
    struct listfmt_dir dir;
    size_t len;

    listfmt_learn_dir(&fmt, &dir_st, &dir);
    len = listfmt_facts(&fmt, buf, &st, &dir, row->kind, NULL);
    buf[len] = '\0';
    str_append_format(&expected, "perm=%s; ", row->perm);
    assert_string_equal(buf, str_text(&expected));
    str_free(&expected);
}

/* Both forms of an entry; the whole of it into buf[2 * LISTFMT_LINE_MAX]. */
static void show_both(struct listfmt *fmt, const struct stat *st, const struct listfmt_dir *dir,
                      char *buf)
{
    size_t len = listfmt_long(fmt, buf, st, "name", NULL);

    len += listfmt_facts(fmt, buf + len, st, dir, LISTFMT_ENTRY, NULL);
    buf[len] = '\0';
}

/* Whatever was shown before: for each two of entries that differ in one thing. */
static void an_entry_does_not_depend_on_the_one_before(void **state)
{
    static const struct stat entries[] = {
        {.st_mode = S_IFREG | 0644, .st_nlink = 1, .st_uid = 10, .st_gid = 20, .st_mtime = NOW},
        {.st_mode = S_IFREG | 0600, .st_nlink = 1, .st_uid = 10, .st_gid = 20, .st_mtime = NOW},
        {.st_mode = S_IFDIR | 0644, .st_nlink = 1, .st_uid = 10, .st_gid = 20, .st_mtime = NOW},
        {.st_mode = S_IFREG | 0644, .st_nlink = 2, .st_uid = 10, .st_gid = 20, .st_mtime = NOW},
        {.st_mode = S_IFREG | 0644, .st_nlink = 1, .st_uid = 11, .st_gid = 20, .st_mtime = NOW},
        {.st_mode = S_IFREG | 0644, .st_nlink = 1, .st_uid = 10, .st_gid = 21, .st_mtime = NOW},
        {.st_mode = S_IFREG | 0644, .st_nlink = 1, .st_uid = 10, .st_gid = 20, .st_mtime = NOW - 1},
        {.st_mode = S_IFREG | 0644, .st_nlink = 1, .st_uid = 10, .st_gid = 20, .st_mtime = 60},
    };
    static const struct listfmt_dir dirs[] = {{.writable = false},
                                              {.writable = true},
                                              {.writable = true, .owner = 99},
                                              {.writable = true, .sticky = true, .owner = 99},
                                              {.writable = true, .sticky = true, .owner = 10}};
    static const unsigned withheld[] = {0, 1 << ('r' - 'a')};
    static char fresh[2 * LISTFMT_LINE_MAX], used[2 * LISTFMT_LINE_MAX];
    const struct listfmt plain = {.facts = FACT_ALL,
                                  .uid = 10,
                                  .gid = 20,
                                  .now = NOW,
                                  .file_letters = listfmt_letters("adfrw"),
                                  .dir_letters = listfmt_letters("cdeflmp")};
    const size_t ways = ARRAY_LEN(entries) * ARRAY_LEN(dirs) * ARRAY_LEN(withheld);

    (void)state;
    for (size_t pair = 0; pair < ways * ways; pair++) {
        struct listfmt fmt = plain;
        const size_t both[] = {pair / ways, pair % ways};

        for (size_t i = 0; i < ARRAY_LEN(both); i++) {
            const struct stat *st = &entries[both[i] % ARRAY_LEN(entries)];
            size_t rest = both[i] / ARRAY_LEN(entries);

            fmt.withheld = withheld[rest / ARRAY_LEN(dirs)];
            show_both(&fmt, st, &dirs[rest % ARRAY_LEN(dirs)], used);
            if (i == 1) {
                struct listfmt other = plain;

                other.withheld = fmt.withheld;
                show_both(&other, st, &dirs[rest % ARRAY_LEN(dirs)], fresh);
                assert_string_equal(used, fresh);
            }
        }
    }
}

struct opts_row {
    const char *name;
    const char *list;
    const char *taken;
};

/* clang-format off */
static const struct opts_row opts_rows[] = {
    { "opts_one", "size;", "size;" },
    { "opts_without_its_end", "size", "size;" },
    { "opts_are_put_in_order", "UNIX.group;size;type;", "type;size;UNIX.group;" },
    { "opts_in_any_case", "TYPE;Unix.MODE;", "type;UNIX.mode;" },
    { "opts_unknown_are_left_out", "foo;size;type2;typ;", "size;" },
    { "opts_none", "", "" },
    { "opts_empty_ones", ";;;size;;", "size;" },
    { "opts_with_blanks_are_unknown", " size;", "" },
    { "opts_twice", "size;size;", "size;" },
};
/* clang-format on */

static void check_opts(void **state)
{
    const struct opts_row *row = *state;
    struct str text = STR_INIT(200);

    listfmt_append_facts(&text, listfmt_parse_facts(row->list), 0);
    assert_string_equal(str_text(&text), row->taken);
    str_free(&text);
}

static void stars_mark_facts(void **state)
{
    struct str text = STR_INIT(200);

    (void)state;
    listfmt_append_facts(&text, FACT_ALL, FACT_TYPE | FACT_GROUP);
    assert_string_equal(str_text(&text),
                        "type*;size;modify;perm;unique;UNIX.mode;UNIX.owner;UNIX.group*;");
    str_free(&text);
}

int main(void)
{
    UNIT_ADD_TABLE(check_long, long_rows);
    UNIT_ADD(every_time_fits_into_a_line);
    UNIT_ADD(the_last_second_that_gmtime_knows_is_formatted);
    UNIT_ADD(the_longest_name_and_target_fit);
    UNIT_ADD(an_entry_does_not_depend_on_the_one_before);
    UNIT_ADD(dates_do_not_depend_on_what_was_shown_before);
    UNIT_ADD(local_times_are_shown_if_asked_for);
    UNIT_ADD_TABLE(check_owner, owner_rows);
    UNIT_ADD_TABLE(check_fact, fact_rows);
    UNIT_ADD_TABLE(check_perm, perm_rows);
    UNIT_ADD_TABLE(check_opts, opts_rows);
    UNIT_ADD(stars_mark_facts);
    return unit_run("listfmt");
}
