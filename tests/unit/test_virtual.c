/*
 * test_virtual.c - virtual_users_file
 *
 * Process: a test program, and writers that it forks.
 * Trusts:  nothing.
 * Touches: a directory under /tmp.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "str.h"
#include "unit.h"
#include "virtual.h"

#define FILE_NAME "users"
#define HASH      "$y$j75$salt$new"
#define WRITERS   12

/* A file of users in a directory of its own. */
static struct {
    char dir[UNIT_DIR_MAX];
    char path[UNIT_DIR_MAX + 16];
    size_t fds_before;
} world;

static void world_open(const char *data, size_t len)
{
    world.fds_before = unit_count_fds();
    unit_make_dir(world.dir);
    (void)snprintf(world.path, sizeof(world.path), "%s/" FILE_NAME, world.dir);
    if (data != NULL) {
        unit_write_file(world.dir, FILE_NAME, data, len);
    }
}

static void world_close(void)
{
    unit_remove_dir(world.dir);
    assert_int_equal(unit_count_fds(), world.fds_before);
}

/* ---- one line ---- */

struct line_row {
    const char *name;
    const char *line;
    const char *fault;     /* a part of it; NULL: none */
    const char *fields[6]; /* [0] NULL: a comment */
};

/* clang-format off */
static const struct line_row line_rows[] = {
    { "line_of_all_fields", "bob:$y$h:1001:1002:/home/bob:write_enable=NO max_per_user=2", NULL,
      { "bob", "$y$h", "1001", "1002", "/home/bob", "write_enable=NO max_per_user=2" } },
    { "line_of_two_fields", "bob:h", NULL, { "bob", "h", "", "", "", "" } },
    { "line_of_empty_fields", "bob:h::::", NULL, { "bob", "h", "", "", "", "" } },
    { "line_with_names_of_account_and_group", "bob:h:www-data:web:/srv:", NULL,
      { "bob", "h", "www-data", "web", "/srv", "" } },
    { "line_without_a_gid", "bob:h:1001", NULL, { "bob", "h", "1001", "", "", "" } },
    { "line_with_a_home_alone", "bob:h:::/srv/$USER", NULL, { "bob", "h", "", "", "/srv/$USER", "" } },
    { "line_with_colons_in_the_settings", "bob:h::::pasv_address=::1 x:y", NULL,
      { "bob", "h", "", "", "", "pasv_address=::1 x:y" } },
    { "line_of_dos", "bob:h:::/srv\r", NULL, { "bob", "h", "", "", "/srv", "" } },
    { "line_of_dos_with_two_fields", "bob:h\r", NULL, { "bob", "h", "", "", "", "" } },
    { "line_of_a_locked_user", "bob:!", NULL, { "bob", "!", "", "", "", "" } },
    { "line_of_utf8", "b\xC3\xB6" "b:h:::/srv/\xC3\xB6", NULL, { "b\xC3\xB6" "b", "h", "", "", "/srv/\xC3\xB6", "" } },
    { "line_with_blanks_in_the_home", "bob:h:::/srv/two words:", NULL, { "bob", "h", "", "", "/srv/two words", "" } },
    { "line_of_nothing", "", NULL, { NULL } },
    { "line_of_blanks", "  \t ", NULL, { NULL } },
    { "line_of_a_carriage_return", "\r", NULL, { NULL } },
    { "line_of_a_comment", "# bob:h", NULL, { NULL } },
    { "line_of_a_commented_user", "#bob:h", NULL, { NULL } },
    { "line_without_a_colon", "bob", "wants name:hash:uid:gid:home:settings", { NULL } },
    { "line_without_a_name", ":h", "the name", { NULL } },
    { "line_with_a_blank_in_the_name", "bob x:h", "the name", { NULL } },
    { "line_with_a_blank_before_the_name", " bob:h", "the name", { NULL } },
    { "line_with_a_slash_in_the_name", "../bob:h", "the name", { NULL } },
    { "line_with_a_dot_as_name", ".:h", "the name", { NULL } },
    { "line_with_two_dots_as_name", "..:h", "the name", { NULL } },
    { "line_with_a_minus_in_front", "-bob:h", "the name", { NULL } },
    { "line_with_a_control_byte_in_the_name", "b\x1B:h", "the name", { NULL } },
    { "line_without_a_hash", "bob:", "there is no hash", { NULL } },
    { "line_without_a_hash_but_fields", "bob::1001:1001:/srv", "there is no hash", { NULL } },
    { "line_with_a_gid_and_no_uid", "bob:h::1001:/srv", "a gid but no uid", { NULL } },
    { "line_with_a_relative_home", "bob:h:1001:1001:srv", "the home", { NULL } },
};
/* clang-format on */

static void assert_fields(const struct virtual_entry *entry, const char *const *fields)
{
    assert_string_equal(entry->name, fields[0]);
    assert_string_equal(entry->hash, fields[1]);
    assert_string_equal(entry->uid, fields[2]);
    assert_string_equal(entry->gid, fields[3]);
    assert_string_equal(entry->home, fields[4]);
    assert_string_equal(entry->settings, fields[5]);
}

static void check_line(void **state)
{
    const struct line_row *row = *state;
    char *line = strdup(row->line);
    struct virtual_entry entry;
    const char *fault = "";
    bool good = virtual_parse(line, &entry, &fault);

    assert_int_equal(good, row->fields[0] != NULL);
    if (row->fault != NULL) {
        assert_non_null(fault);
        assert_non_null(strstr(fault, row->fault));
    } else {
        assert_null(fault);
    }
    if (good) {
        assert_fields(&entry, row->fields);
    }
    free(line);
}

/* ---- looking a name up ---- */

struct find_row {
    const char *name;
    const char *content;
    size_t len;
    const char *user;
    enum virtual_answer answer;
    const char *what; /* the hash and the number of the line; or a part of the reason */
};

#define BYTES(content) (content), sizeof(content) - 1

/* clang-format off */
static const struct find_row find_rows[] = {
    { "find_the_only_one", BYTES("bob:h\n"), "bob", VIRTUAL_FOUND, "h 1" },
    { "find_without_an_end_of_line", BYTES("bob:h"), "bob", VIRTUAL_FOUND, "h 1" },
    { "find_behind_others", BYTES("# users\n\nalice:a\nbob:h:1:1:/b:\ncarol:c\n"), "bob", VIRTUAL_FOUND, "h 4" },
    { "find_the_first", BYTES("bob:1\nbob:2\n"), "bob", VIRTUAL_FOUND, "1 1" },
    { "find_among_faults_of_others", BYTES("alice\nx:\ny::\nbob:h\n"), "bob", VIRTUAL_FOUND, "h 4" },
    { "find_in_a_file_of_dos", BYTES("alice:a\r\nbob:h\r\n"), "bob", VIRTUAL_FOUND, "h 2" },
    { "find_nothing_in_an_empty_file", BYTES(""), "bob", VIRTUAL_UNKNOWN, "" },
    { "find_no_longer_name", BYTES("bobby:h\n"), "bob", VIRTUAL_UNKNOWN, "" },
    { "find_no_shorter_name", BYTES("bo:h\n"), "bob", VIRTUAL_UNKNOWN, "" },
    { "find_no_other_case", BYTES("Bob:h\n"), "bob", VIRTUAL_UNKNOWN, "" },
    { "find_no_name_alone", BYTES("bob\n"), "bob", VIRTUAL_UNKNOWN, "" },
    { "find_no_comment", BYTES("#bob:h\n"), "bob", VIRTUAL_UNKNOWN, "" },
    { "find_no_home", BYTES("alice:a:bob:h:/bob:bob:x\n"), "bob", VIRTUAL_UNKNOWN, "" },
    { "find_a_fault", BYTES("alice:a\nbob:h:::srv:\n"), "bob", VIRTUAL_FAULT, ":2: the home wants" },
    { "find_no_hash", BYTES("bob::1:1:/b:\n"), "bob", VIRTUAL_FAULT, ":1: there is no hash" },
    { "find_a_fault_before_a_good_line", BYTES("bob::\nbob:h\n"), "bob", VIRTUAL_FAULT, ":1: there is no hash" },
    { "find_a_nul", BYTES("bob:h\0:1\n"), "bob", VIRTUAL_FAULT, ":1: holds a NUL byte" },
};
/* clang-format on */

static void check_found(const char *user, enum virtual_answer answer, const char *what)
{
    struct str line = STR_INIT(VIRTUAL_LINE_MAX);
    struct str reason = STR_INIT(1000);
    struct virtual_entry entry;
    char found[200];

    assert_int_equal(virtual_look_up(world.path, user, &line, &entry, &reason), answer);
    if (answer == VIRTUAL_FOUND) {
        (void)snprintf(found, sizeof(found), "%s %u", entry.hash, entry.number);
        assert_string_equal(found, what);
        assert_string_equal(entry.name, user);
    }
    if (answer == VIRTUAL_FAULT) {
        assert_memory_equal(str_text(&reason), world.path, strlen(world.path));
        assert_non_null(strstr(str_text(&reason), what));
        assert_null(strchr(str_text(&reason), '$')); /* no hash in a log */
    } else {
        assert_int_equal(reason.len, 0);
    }
    str_free(&line);
    str_free(&reason);
}

static void check_find(void **state)
{
    const struct find_row *row = *state;

    world_open(row->content, row->len);
    check_found(row->user, row->answer, row->what);
    world_close();
}

static void lines_have_a_longest_length(void **state)
{
    char *text = unit_repeat('x', VIRTUAL_LINE_MAX + 2);

    (void)state;
    memcpy(text, "bob:h:::/", 9);
    text[VIRTUAL_LINE_MAX] = '\n';
    world_open(text, VIRTUAL_LINE_MAX + 1);
    check_found("bob", VIRTUAL_FOUND, "h 1");
    text[VIRTUAL_LINE_MAX] = 'x';
    text[VIRTUAL_LINE_MAX + 1] = '\n';
    unit_write_file(world.dir, FILE_NAME, text, VIRTUAL_LINE_MAX + 2);
    check_found("bob", VIRTUAL_FAULT, ":1: is too long");
    world_close();
    free(text);
}

struct mode_row {
    const char *name;
    mode_t mode;
    bool good;
};

static const struct mode_row mode_rows[] = {
    {"mode_0600", 0600, true},  {"mode_0400", 0400, true},  {"mode_0640", 0640, true},
    {"mode_0644", 0644, false}, {"mode_0604", 0604, false}, {"mode_0602", 0602, false},
    {"mode_0601", 0601, false}, {"mode_0620", 0620, false}, {"mode_0660", 0660, false},
    {"mode_0777", 0777, false},
};

static void check_mode(void **state)
{
    const struct mode_row *row = *state;
    struct str error = STR_INIT(1000);
    bool added;

    world_open("bob:h\n", 6);
    assert_int_equal(chmod(world.path, row->mode), 0);
    check_found("bob", row->good ? VIRTUAL_FOUND : VIRTUAL_FAULT,
                row->good ? "h 1" : ": holds hashes and can be read by everyone or written");
    /* a file that is not believed is not written either */
    assert_int_equal(virtual_set_hash(world.path, "alice", HASH, &added, &error), row->good);
    world_close();
    str_free(&error);
}

static void what_is_no_file_is_a_fault(void **state)
{
    (void)state;
    world_open(NULL, 0);
    check_found("bob", VIRTUAL_FAULT, ": No such file or directory");
    assert_int_equal(mkdir(world.path, 0700), 0);
    check_found("bob", VIRTUAL_FAULT, ": is not a regular file");
    assert_int_equal(rmdir(world.path), 0);
    assert_int_equal(mkfifo(world.path, 0600), 0);
    check_found("bob", VIRTUAL_FAULT, ": is not a regular file"); /* and it does not wait */
    assert_int_equal(unlink(world.path), 0);
    unit_write_file(world.dir, FILE_NAME, "bob:h\n", 6);
    assert_int_equal(truncate(world.path, VIRTUAL_FILE_MAX + 1), 0);
    check_found("bob", VIRTUAL_FAULT, ": is too long");
    world_close();
}

/* ---- reading all of it ---- */

struct seen {
    struct str names;
    unsigned most;
};

static bool see(void *data, const struct virtual_entry *entry)
{
    struct seen *seen = data;

    str_append_format(&seen->names, "%u=%s ", entry->number, entry->name);
    return --seen->most > 0;
}

static void reading_shows_entries_and_names_faults(void **state)
{
    static const char text[] = "# users\nbob:h\nx y:h\n\nalice\ncarol:c:::rel\ndave:d\0\neve:e";
    struct seen seen = {.names = STR_INIT(1000), .most = 100};
    struct str errors = STR_INIT(4000), expected = STR_INIT(4000);

    (void)state;
    world_open(text, sizeof(text) - 1);
    assert_false(virtual_read(world.path, see, &seen, &errors));
    assert_string_equal(str_text(&seen.names), "2=bob 8=eve ");
    str_append_format(
        &expected,
        "%s:3: the name is empty, too long or has a character that a name cannot have\n"
        "%s:5: wants name:hash:uid:gid:home:settings\n"
        "%s:6: the home wants a path that begins with /\n"
        "%s:7: holds a NUL byte\n",
        world.path, world.path, world.path, world.path);
    assert_string_equal(str_text(&errors), str_text(&expected));
    str_clear(&errors);
    assert_false(virtual_read(world.path, NULL, NULL, &errors));
    assert_string_equal(str_text(&errors), str_text(&expected));
    world_close();
    str_free(&seen.names);
    str_free(&errors);
    str_free(&expected);
}

static void reading_stops_when_told(void **state)
{
    struct seen seen = {.names = STR_INIT(1000), .most = 1};
    struct str errors = STR_INIT(4000);

    (void)state;
    world_open("a:h\nb:h\nfault\n", 14);
    assert_true(virtual_read(world.path, see, &seen, &errors));
    assert_string_equal(str_text(&seen.names), "1=a ");
    world_close();
    str_free(&seen.names);
    str_free(&errors);
}

static void reading_a_missing_file_is_one_fault(void **state)
{
    struct str errors = STR_INIT(4000);

    (void)state;
    world_open(NULL, 0);
    assert_false(virtual_read(world.path, NULL, NULL, &errors));
    assert_non_null(strstr(str_text(&errors), "/users: No such file or directory\n"));
    world_close();
    str_free(&errors);
}

/* ---- writing ---- */

struct set_row {
    const char *name;
    const char *before;
    size_t len;
    const char *after; /* with HASH for bob */
    bool added;
};

/* clang-format off */
static const struct set_row set_rows[] = {
    { "set_in_an_empty_file", BYTES(""), "bob:" HASH "::::\n", true },
    { "set_behind_others", BYTES("alice:a:1:2:/a:x=y\n"), "alice:a:1:2:/a:x=y\nbob:" HASH "::::\n", true },
    { "set_behind_a_line_without_an_end", BYTES("alice:a"), "alice:a\nbob:" HASH "::::\n", true },
    { "set_in_the_middle", BYTES("alice:a\nbob:old\ncarol:c\n"), "alice:a\nbob:" HASH "::::\ncarol:c\n", false },
    { "set_keeps_other_fields", BYTES("bob:old:1001:web:/srv/b b:x=y a:b\n"), "bob:" HASH ":1001:web:/srv/b b:x=y a:b\n", false },
    { "set_keeps_few_fields", BYTES("bob:old:1001\n"), "bob:" HASH ":1001\n", false },
    { "set_gives_a_hash_where_none_was", BYTES("bob::1001:1001:/b:\n"), "bob:" HASH ":1001:1001:/b:\n", false },
    { "set_keeps_comments_and_empty_lines", BYTES("# bob:x\n\n  \nbob:old\n#end"), "# bob:x\n\n  \nbob:" HASH "::::\n#end\n", false },
    { "set_changes_the_first_only", BYTES("bob:1:\nbob:2:\n"), "bob:" HASH ":\nbob:2:\n", false },
    { "set_leaves_faults_of_others_alone", BYTES("nonsense\nbobby:x\nbo:x\nbob:old\n"), "nonsense\nbobby:x\nbo:x\nbob:" HASH "::::\n", false },
    { "set_keeps_line_ends_of_dos", BYTES("alice:a:1\r\nbob:old:1\r\n"), "alice:a:1\r\nbob:" HASH ":1\r\n", false },
    { "set_keeps_high_bytes", BYTES("\xFF\x01:a\n"), "\xFF\x01:a\nbob:" HASH "::::\n", true },
};
/* clang-format on */

static void set_hash(bool added)
{
    struct str error = STR_INIT(1000);
    bool is_new = !added;

    assert_true(virtual_set_hash(world.path, "bob", HASH, &is_new, &error));
    assert_int_equal(is_new, added);
    assert_int_equal(error.len, 0);
    str_free(&error);
}

static void assert_content(const char *expected)
{
    char text[4096];

    unit_read_file(world.dir, FILE_NAME, text, sizeof(text));
    assert_string_equal(text, expected);
    assert_int_equal(access(world.path, F_OK), 0);
}

static void assert_nothing_beside(void)
{
    struct str new_path = STR_INIT(200);

    str_append_format(&new_path, "%s.new", world.path);
    assert_int_equal(access(str_text(&new_path), F_OK), -1);
    str_free(&new_path);
}

static void check_set(void **state)
{
    const struct set_row *row = *state;

    world_open(row->before, row->len);
    set_hash(row->added);
    assert_content(row->after);
    assert_nothing_beside();
    set_hash(false); /* once more changes nothing */
    assert_content(row->after);
    world_close();
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void a_new_file_is_for_its_owner_alone(void **state)
{
    mode_t before = umask(0);

    (void)state;
    world_open(NULL, 0);
    set_hash(true);
    assert_content("bob:" HASH "::::\n");
    assert_int_equal(mode_of(world.path), 0600);
    world_close();
    (void)umask(before);
}

static void mode_and_nul_bytes_are_kept(void **state)
{
    static const char text[] = "x\0y\nbob:old:\n";
    char after[200];

    (void)state;
    world_open(text, sizeof(text) - 1);
    assert_int_equal(chmod(world.path, 0640), 0);
    set_hash(false);
    assert_int_equal(mode_of(world.path), 0640);
    unit_read_file(world.dir, FILE_NAME, after, sizeof(after));
    assert_memory_equal(after, "x\0y\nbob:" HASH ":\n", 4 + 4 + strlen(HASH) + 2);
    world_close();
}

static void a_link_stays_a_link(void **state)
{
    struct str link_path = STR_INIT(200);
    struct str error = STR_INIT(1000);
    struct stat st;
    bool added;

    (void)state;
    world_open("bob:old\n", 8);
    str_append_format(&link_path, "%s/link", world.dir);
    assert_int_equal(symlink(FILE_NAME, str_text(&link_path)), 0);
    assert_true(virtual_set_hash(str_text(&link_path), "bob", HASH, &added, &error));
    assert_content("bob:" HASH "::::\n");
    assert_int_equal(lstat(str_text(&link_path), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    world_close();
    str_free(&link_path);
    str_free(&error);
}

static void what_an_interrupted_writer_left_is_no_obstacle(void **state)
{
    (void)state;
    world_open("bob:old\n", 8);
    unit_write_file(world.dir, FILE_NAME ".new", "half", 4);
    set_hash(false);
    assert_content("bob:" HASH "::::\n");
    assert_nothing_beside();
    world_close();
}

static void writers_at_once_lose_nothing(void **state)
{
    struct str expected = STR_INIT(4000);
    char name[16], text[4096];
    int lock_fd;

    (void)state;
    world_open("# users\n", 8);
    lock_fd = open(world.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(lock_fd, LOCK_EX), 0); /* let them all wait at the door */
    for (int i = 0; i < WRITERS; i++) {
        pid_t pid = fork();

        assert_int_not_equal(pid, -1);
        if (pid == 0) {
            struct str error = STR_INIT(1000);
            bool added;

            close(lock_fd);
            (void)snprintf(name, sizeof(name), "user%d", i);
            _exit(virtual_set_hash(world.path, name, HASH, &added, &error) && added ? 0 : 1);
        }
    }
    close(lock_fd);
    for (int i = 0; i < WRITERS; i++) {
        int status;

        assert_int_not_equal(wait(&status), -1);
        assert_int_equal(status, 0);
    }
    unit_read_file(world.dir, FILE_NAME, text, sizeof(text));
    for (int i = 0; i < WRITERS; i++) {
        str_clear(&expected);
        str_append_format(&expected, "\nuser%d:" HASH "::::\n", i);
        assert_non_null(strstr(text, str_text(&expected)));
    }
    world_close();
    str_free(&expected);
}

/* A limit on the size of files stands for the full disk: what is written fails in the middle. */
static void a_full_disk_leaves_the_old_file(void **state)
{
    char *old = unit_repeat('#', 20001);
    char text[30000];
    struct rlimit before, limit;
    struct str error = STR_INIT(1000);
    bool added, good;

    (void)state;
    old[20000] = '\n';
    world_open(old, 20001);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){.rlim_cur = 10000, .rlim_max = before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    good = virtual_set_hash(world.path, "bob", HASH, &added, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_DFL);
    assert_false(good);
    assert_non_null(strstr(str_text(&error), "/users: File too large"));
    unit_read_file(world.dir, FILE_NAME, text, sizeof(text));
    assert_string_equal(text, old);
    assert_nothing_beside();
    world_close();
    free(old);
    str_free(&error);
}

static void a_missing_directory_is_named(void **state)
{
    struct str error = STR_INIT(1000);
    bool added;

    (void)state;
    assert_false(virtual_set_hash("/no/such/dir/users", "bob", HASH, &added, &error));
    assert_non_null(strstr(str_text(&error), "/no/such/dir/users: cannot lock its directory"));
    str_free(&error);
}

static void a_path_without_a_slash_is_here(void **state)
{
    char *before = getcwd(NULL, 0);
    struct str error = STR_INIT(1000);
    bool added;

    (void)state;
    world_open(NULL, 0);
    assert_int_equal(chdir(world.dir), 0);
    assert_true(virtual_set_hash(FILE_NAME, "bob", HASH, &added, &error));
    assert_int_equal(chdir(before), 0);
    assert_content("bob:" HASH "::::\n");
    world_close();
    free(before);
    str_free(&error);
}

int main(void)
{
    UNIT_ADD_TABLE(check_line, line_rows);
    UNIT_ADD_TABLE(check_find, find_rows);
    UNIT_ADD(lines_have_a_longest_length);
    UNIT_ADD_TABLE(check_mode, mode_rows);
    UNIT_ADD(what_is_no_file_is_a_fault);
    UNIT_ADD(reading_shows_entries_and_names_faults);
    UNIT_ADD(reading_stops_when_told);
    UNIT_ADD(reading_a_missing_file_is_one_fault);
    UNIT_ADD_TABLE(check_set, set_rows);
    UNIT_ADD(a_new_file_is_for_its_owner_alone);
    UNIT_ADD(mode_and_nul_bytes_are_kept);
    UNIT_ADD(a_link_stays_a_link);
    UNIT_ADD(what_an_interrupted_writer_left_is_no_obstacle);
    UNIT_ADD(writers_at_once_lose_nothing);
    UNIT_ADD(a_full_disk_leaves_the_old_file);
    UNIT_ADD(a_missing_directory_is_named);
    UNIT_ADD(a_path_without_a_slash_is_here);
    return unit_run("virtual");
}
