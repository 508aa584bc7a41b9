/*
 * test_privparent.c - the session parent, against a child that was taken over
 *
 * Process: a test program that is parent and child at once: it queues what the child says, lets
 *          privparent_serve() answer, and looks at what came back.
 * Trusts:  nothing.
 * Touches: socketpairs, ports of the loopback interface, a log under /tmp.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "netaddr.h"
#include "parseconf.h"
#include "privparent.h"
#include "privsock.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"
#include "unit.h"

#define LOCAL_IPV4 "127.0.0.9" /* our own address, another one than the client's */
#define FIRST_PORT 21000       /* where a free range of ports is looked for */
#define RANGE      8
#define CHOWN_UID  4242
#define FDS_MAX    253 /* the most that the kernel lets through in one message */

static const enum priv_phase all_phases[] = {PRIV_PHASE_BEFORE, PRIV_PHASE_REFUSED,
                                             PRIV_PHASE_AFTER};

/* The parent under test and the child's end. */
static struct {
    struct privparent pp;
    struct tunables tun;
    struct auth auth;
    struct account anonymous;
    int child_fd;
    size_t fds_before;
    char dir[UNIT_DIR_MAX];
} side;

static void set_option(const char *setting)
{
    struct str errors = STR_INIT(1000);

    assert_true(parseconf_load_setting(setting, "-o", &side.tun, &errors));
    str_free(&errors);
}

static void side_open(enum priv_phase phase, const char *host)
{
    struct str setting = STR_INIT(1000), error = STR_INIT(1000);
    int fds[2];

    side.fds_before = unit_count_fds();
    unit_make_dir(side.dir);
    tunable_init(&side.tun);
    set_option("delay_failed_login=0");
    set_option("xferlog_enable=YES");
    str_append_format(&setting, "vsftpd_log_file=%s/log", side.dir);
    set_option(str_text(&setting));
    assert_true(log_open(&side.tun, &error));
    str_free(&setting);
    memset(&side.pp, 0, sizeof(side.pp));
    memset(&side.auth, 0, sizeof(side.auth));
    side.auth.tun = &side.tun;
    side.auth.places_fd = memfd_create("places", MFD_CLOEXEC);
    assert_int_equal(sysutil_socketpair(fds), 0);
    side.child_fd = fds[1];
    side.pp.priv_fd = fds[0];
    side.pp.keeper_fd = side.pp.auth_fd = -1; /* nobody to ask about passwords */
    side.pp.tun = &side.tun;
    side.pp.auth = &side.auth;
    side.pp.pid = (int)getpid();
    side.pp.phase = phase;
    side.pp.refused_deadline_ms = sysutil_now_ms() + 60000;
    assert_true(netaddr_parse(host, AF_UNSPEC, &side.pp.peer));
    side.pp.local = side.pp.peer;
    if (side.pp.peer.family == AF_INET) {
        assert_true(netaddr_parse(LOCAL_IPV4, AF_INET, &side.pp.local));
    }
    side.pp.peer.port = 40000;
    side.pp.local.port = 21;
    netaddr_text(&side.pp.peer, side.pp.peer_text);
}

static void side_close(void)
{
    sysutil_close(&side.child_fd);
    sysutil_close(&side.pp.priv_fd);
    sysutil_close(&side.auth.places_fd);
    log_close();
    tunable_free(&side.tun);
    unit_remove_dir(side.dir);
    assert_int_equal(unit_count_fds(), side.fds_before);
}

/* The log of the session so far. */
static bool log_holds(const char *text)
{
    static char content[100000];

    unit_read_file(side.dir, "log", content, sizeof(content));
    return strstr(content, text) != NULL;
}

/* Queue one datagram of the child, with any number of descriptors. */
static void child_says(const void *data, size_t len, size_t fd_count)
{
    char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
    struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd_count > 0) {
        struct cmsghdr *header;

        memset(control, 0, sizeof(control));
        msg.msg_control = control;
        msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        header = CMSG_FIRSTHDR(&msg);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        for (size_t i = 0; i < fd_count; i++) {
            memcpy(CMSG_DATA(header) + i * sizeof(int), &side.child_fd, sizeof(int));
        }
    }
    assert_int_equal(sendmsg(side.child_fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL), len);
}

/* Nothing more will come: privparent_serve() returns after what is queued. */
static enum privparent_event serve(void)
{
    assert_int_equal(shutdown(side.child_fd, SHUT_WR), 0);
    return privparent_serve(&side.pp);
}

/* The next reply; *fd_out may be NULL if none may come with it. */
static void take_reply(enum priv_result result, int error, struct priv_reply *reply, int *fd_out)
{
    int fd;

    assert_int_equal(sysutil_recv_message(side.child_fd, reply, sizeof(*reply), &fd),
                     sizeof(*reply));
    assert_int_equal(reply->result, result);
    assert_int_equal(reply->error, error);
    assert_int_equal(fd != -1, fd_out != NULL);
    if (fd_out != NULL) {
        *fd_out = fd;
    }
}

static void assert_no_reply(void)
{
    char c;

    assert_int_equal(recv(side.child_fd, &c, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

/* One message in a phase ends the session, without an answer or a descriptor left. */
static void assert_broken(enum priv_phase phase, const void *data, size_t len, size_t fd_count)
{
    size_t before;

    side_open(phase, "127.0.0.1");
    before = unit_count_fds();
    child_says(data, len, fd_count);
    assert_int_equal(serve(), PRIVPARENT_BROKEN);
    assert_int_equal(unit_count_fds(), before);
    assert_no_reply();
    assert_true(log_holds("WARNING: Client \"127.0.0.1\", \""));
    assert_int_equal(side.pp.phase, phase);
    side_close();
}

/* A good message of each kind. Returns its length. */
static size_t good_request(uint8_t command, union priv_request *request)
{
    memset(request, 0, sizeof(*request));
    request->command = command;
    switch (command) {
    case PRIV_SOCK_LOGIN:
        request->login.name_len = 3;
        memcpy(request->login.name, "bob", 3);
        return sizeof(request->login);
    case PRIV_SOCK_PASV_LISTEN:
    case PRIV_SOCK_CHOWN_UPLOAD:
    case PRIV_SOCK_START_TLS:
        return 1;
    case PRIV_SOCK_GET_DATA_SOCK:
        request->data_sock.port = 50000;
        assert_int_equal(inet_pton(AF_INET, "127.0.0.1", request->data_sock.address), 1);
        return sizeof(request->data_sock);
    case PRIV_SOCK_LOG:
        request->log.event = LOG_EVENT_WARNING;
        return offsetof(struct priv_log, text);
    default:
        return sizeof(request->login);
    }
}

static bool is_known(unsigned command)
{
    return command >= PRIV_SOCK_LOGIN && command < PRIV_SOCK_COUNT;
}

static void unknown_commands_end_the_session(void **state)
{
    static const size_t lengths[] = {1, sizeof(struct priv_data_sock), sizeof(struct priv_login),
                                     sizeof(union priv_request)};
    static union priv_request request;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all_phases); i++) {
        for (unsigned command = 0; command < 256; command++) {
            if (!is_known(command)) {
                memset(&request, 0, sizeof(request));
                request.command = (uint8_t)command;
                assert_broken(all_phases[i], &request, lengths[command % ARRAY_LEN(lengths)], 0);
            }
        }
    }
}

struct phase_row {
    const char *name;
    uint8_t command;
    unsigned phases; /* those in which it is allowed */
};

/* clang-format off */
static const struct phase_row phase_rows[] = {
    { "login_out_of_phase_ends_the_session", PRIV_SOCK_LOGIN, PRIV_PHASE_BEFORE },
    { "user_out_of_phase_ends_the_session", PRIV_SOCK_USER, PRIV_PHASE_BEFORE },
    { "pasv_listen_out_of_phase_ends_the_session", PRIV_SOCK_PASV_LISTEN, PRIV_PHASE_AFTER },
    { "get_data_sock_out_of_phase_ends_the_session", PRIV_SOCK_GET_DATA_SOCK, PRIV_PHASE_AFTER },
    { "chown_upload_out_of_phase_ends_the_session", PRIV_SOCK_CHOWN_UPLOAD, PRIV_PHASE_AFTER },
    { "start_tls_out_of_phase_ends_the_session", PRIV_SOCK_START_TLS, PRIV_PHASE_BEFORE },
};

static const struct phase_row command_rows[] = {
    { "login", PRIV_SOCK_LOGIN, PRIV_PHASE_BEFORE },
    { "user", PRIV_SOCK_USER, PRIV_PHASE_BEFORE },
    { "pasv_listen", PRIV_SOCK_PASV_LISTEN, PRIV_PHASE_AFTER },
    { "get_data_sock", PRIV_SOCK_GET_DATA_SOCK, PRIV_PHASE_AFTER },
    { "start_tls", PRIV_SOCK_START_TLS, PRIV_PHASE_BEFORE },
    { "log", PRIV_SOCK_LOG, PRIV_PHASE_BEFORE | PRIV_PHASE_REFUSED | PRIV_PHASE_AFTER },
};
/* clang-format on */

static void check_phase(void **state)
{
    const struct phase_row *row = *state;
    static union priv_request request;
    size_t len = good_request(row->command, &request);

    for (size_t i = 0; i < ARRAY_LEN(all_phases); i++) {
        if ((row->phases & all_phases[i]) == 0) {
            assert_broken(all_phases[i], &request, len, 0);
        }
    }
}

static void wrong_lengths_end_the_session(void **state)
{
    static char data[sizeof(union priv_request) + 100];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(command_rows); i++) {
        const struct phase_row *row = &command_rows[i];
        union priv_request *request = (union priv_request *)(void *)data;
        size_t len = good_request(row->command, request);
        size_t max = row->command == PRIV_SOCK_LOG ? sizeof(struct priv_log) : len;

        for (size_t j = 0; j < ARRAY_LEN(all_phases); j++) {
            if ((row->phases & all_phases[j]) == 0) {
                continue;
            }
            if (len > 1) {
                assert_broken(all_phases[j], data, 1, 0);
                assert_broken(all_phases[j], data, len - 1, 0);
            }
            assert_broken(all_phases[j], data, max + 1, 0);
            assert_broken(all_phases[j], data, sizeof(data), 0);
        }
    }
}

static void an_empty_message_ends_the_session(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all_phases); i++) {
        for (size_t fds = 0; fds <= 1; fds++) {
            size_t before;

            side_open(all_phases[i], "127.0.0.1");
            before = unit_count_fds();
            child_says("", 0, fds);
            /* a reader cannot tell it from the end of the peer */
            assert_int_not_equal(serve(), PRIVPARENT_LOGIN);
            assert_int_equal(unit_count_fds(), before);
            assert_no_reply();
            side_close();
        }
    }
}

static void descriptors_that_nobody_wants_end_the_session(void **state)
{
    static const size_t counts[] = {1, 2, 3, FDS_MAX};
    static char data[sizeof(union priv_request) + 100];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(command_rows); i++) {
        const struct phase_row *row = &command_rows[i];
        size_t len = good_request(row->command, (union priv_request *)(void *)data);

        for (size_t j = 0; j < ARRAY_LEN(all_phases); j++) {
            for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
                if ((row->phases & all_phases[j]) != 0) {
                    assert_broken(all_phases[j], data, len, counts[k]);
                    assert_broken(all_phases[j], data, sizeof(data), counts[k]);
                }
            }
        }
    }
}

static void descriptors_for_a_full_table_end_the_session(void **state)
{
    static union priv_request request;
    struct rlimit old, low;
    size_t len = good_request(PRIV_SOCK_PASV_LISTEN, &request);
    int lowest;

    (void)state;
    side_open(PRIV_PHASE_AFTER, "127.0.0.1");
    child_says(&request, len, 1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    lowest = dup(side.child_fd);
    close(lowest);
    low = (struct rlimit){.rlim_cur = (rlim_t)lowest, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(serve(), PRIVPARENT_BROKEN);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_no_reply();
    side_close();
}

struct login_row {
    const char *name;
    uint16_t name_len, password_len;
    size_t nul_in_name, nul_in_password; /* offset; SIZE_MAX: none */
};

/* clang-format off */
static const struct login_row login_rows[] = {
    { "login_with_a_nul_in_the_name", 3, 3, 1, SIZE_MAX },
    { "login_with_a_nul_at_the_end_of_the_name", 3, 3, 2, SIZE_MAX },
    { "login_with_a_nul_in_front_of_the_name", 3, 3, 0, SIZE_MAX },
    { "login_with_a_nul_in_the_password", 3, 3, SIZE_MAX, 0 },
    { "login_with_a_nul_at_the_end_of_the_longest_password", 3, LOGIN_PASSWORD_MAX_LEN, SIZE_MAX,
      LOGIN_PASSWORD_MAX_LEN - 1 },
    { "login_with_a_name_too_long", LOGIN_NAME_MAX_LEN + 1, 3, SIZE_MAX, SIZE_MAX },
    { "login_with_a_password_too_long", 3, LOGIN_PASSWORD_MAX_LEN + 1, SIZE_MAX, SIZE_MAX },
    { "login_with_the_largest_lengths", UINT16_MAX, UINT16_MAX, SIZE_MAX, SIZE_MAX },
    { "login_with_lengths_that_add_up", LOGIN_NAME_MAX_LEN + LOGIN_PASSWORD_MAX_LEN, 0, SIZE_MAX, SIZE_MAX },
};
/* clang-format on */

/* The bytes behind the message are no help: a record of the longest text has filled them before. */
static void check_login(void **state)
{
    const struct login_row *row = *state;
    static union priv_request record;
    struct priv_login login = {
        .command = PRIV_SOCK_LOGIN, .name_len = row->name_len, .password_len = row->password_len};

    memset(login.name, 'a', sizeof(login.name));
    memset(login.password, 'a', sizeof(login.password));
    if (row->nul_in_name != SIZE_MAX) {
        login.name[row->nul_in_name] = '\0';
    }
    if (row->nul_in_password != SIZE_MAX) {
        login.password[row->nul_in_password] = '\0';
    }
    good_request(PRIV_SOCK_LOG, &record);
    memset(record.log.text, 'a', sizeof(record.log.text));
    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    child_says(&record, sizeof(record.log), 0);
    child_says(&login, sizeof(login), 0);
    assert_int_equal(serve(), PRIVPARENT_BROKEN);
    assert_no_reply();
    assert_true(log_holds("malformed LOGIN"));
    side_close();
}

struct user_row {
    const char *name;
    uint16_t name_len;
    size_t nul; /* offset in the name; SIZE_MAX: none */
};

static const struct user_row user_rows[] = {
    {"user_with_a_nul_in_front", 3, 0},
    {"user_with_a_nul_inside", 3, 1},
    {"user_with_a_nul_at_the_end", LOGIN_NAME_MAX_LEN, LOGIN_NAME_MAX_LEN - 1},
    {"user_with_a_name_too_long", LOGIN_NAME_MAX_LEN + 1, SIZE_MAX},
    {"user_with_the_largest_length", UINT16_MAX, SIZE_MAX},
};

/* As check_login(). */
static void check_user(void **state)
{
    const struct user_row *row = *state;
    static union priv_request record;
    struct priv_user user = {.command = PRIV_SOCK_USER, .name_len = row->name_len};

    memset(user.name, 'a', sizeof(user.name));
    if (row->nul != SIZE_MAX) {
        user.name[row->nul] = '\0';
    }
    good_request(PRIV_SOCK_LOG, &record);
    memset(record.log.text, 'a', sizeof(record.log.text));
    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    child_says(&record, sizeof(record.log), 0);
    child_says(&user, sizeof(user), 0);
    assert_int_equal(serve(), PRIVPARENT_BROKEN);
    assert_no_reply();
    assert_true(log_holds("malformed USER"));
    side_close();
}

static void ask_user(const char *name)
{
    struct priv_user user = {.command = PRIV_SOCK_USER, .name_len = (uint16_t)strlen(name)};

    memcpy(user.name, name, strlen(name));
    child_says(&user, sizeof(user), 0);
}

/* A user list with these lines. */
static void set_user_list(const char *lines, const char *deny)
{
    struct str setting = STR_INIT(1000);

    unit_write_file(side.dir, "list", lines, strlen(lines));
    str_append_format(&setting, "userlist_file=%s/list", side.dir);
    set_option(str_text(&setting));
    str_clear(&setting);
    str_append_format(&setting, "userlist_deny=%s", deny);
    set_option(str_text(&setting));
    set_option("userlist_enable=YES");
    str_free(&setting);
}

static void users_are_asked_for_by_the_list(void **state)
{
    struct priv_reply reply;

    (void)state;
    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    ask_user("bob"); /* without a list everybody may try */
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    take_reply(PRIV_RESULT_OK, 0, &reply, NULL);
    side_close();

    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    set_user_list("bob\n", "YES");
    ask_user("alice");
    ask_user("bob");
    ask_user("");
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    take_reply(PRIV_RESULT_OK, 0, &reply, NULL);
    take_reply(PRIV_RESULT_FAILED, 0, &reply, NULL);
    take_reply(PRIV_RESULT_OK, 0, &reply, NULL);
    assert_true(log_holds("[bob] FAIL LOGIN: Client \"127.0.0.1\", \"refused by userlist_file\""));
    assert_int_equal(side.pp.login_fails, 1);
    side_close();
}

static void the_last_refused_user_is_the_last_try(void **state)
{
    struct priv_reply reply;

    (void)state;
    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    set_user_list("alice\n", "NO");
    set_option("max_login_fails=2");
    ask_user("bob");
    ask_user("bob\ncarol");
    ask_user("alice"); /* too late */
    assert_int_equal(serve(), PRIVPARENT_BROKEN);
    take_reply(PRIV_RESULT_FAILED, 0, &reply, NULL);
    take_reply(PRIV_RESULT_FAILED_LAST, 0, &reply, NULL);
    assert_no_reply();
    assert_true(log_holds("[bob\\x0Acarol] FAIL LOGIN"));
    assert_int_equal(side.pp.phase, PRIV_PHASE_REFUSED);
    side_close();
}

static void login_as(const char *name)
{
    struct priv_login login = {
        .command = PRIV_SOCK_LOGIN, .name_len = (uint16_t)strlen(name), .password_len = 6};

    memcpy(login.name, name, strlen(name));
    memcpy(login.password, "secret", 6);
    child_says(&login, sizeof(login), 0);
}

struct refused_row {
    const char *name;
    const char *user;
    const char *logged;
};

/* clang-format off */
static const struct refused_row refused_rows[] = {
    { "login_refuses_no_name", "", "[?] FAIL LOGIN: Client \"127.0.0.1\", \"not a user name\"" },
    { "login_refuses_a_slash", "../bob", "FAIL LOGIN: Client \"127.0.0.1\", \"not a user name\"" },
    { "login_refuses_a_line_ending", "bob\nroot", "[bob\\x0Aroot] FAIL LOGIN" },
    { "login_refuses_a_colon", "bob:x", "not a user name" },
    { "login_refuses_a_blank", "bob x", "not a user name" },
    { "login_refuses_a_minus_in_front", "-bob", "not a user name" },
    { "login_refuses_root", "root", "[root] FAIL LOGIN" },
    { "login_refuses_an_unknown_name", "no-such-user-here", "[no-such-user-here] FAIL LOGIN" },
    { "login_refuses_anonymous_unless_enabled", "anonymous", "anonymous_enable=NO" },
};
/* clang-format on */

static void check_refused(void **state)
{
    const struct refused_row *row = *state;
    struct priv_reply reply;

    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    set_option("local_enable=YES");
    login_as(row->user);
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    take_reply(PRIV_RESULT_FAILED, 0, &reply, NULL);
    assert_true(log_holds(row->logged));
    assert_int_equal(side.pp.phase, PRIV_PHASE_BEFORE);
    side_close();
}

static void the_last_refusal_is_the_last_login(void **state)
{
    struct priv_reply reply;

    (void)state;
    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    set_option("max_login_fails=3");
    for (int i = 0; i < 4; i++) {
        login_as("/");
    }
    assert_int_equal(serve(), PRIVPARENT_BROKEN);
    take_reply(PRIV_RESULT_FAILED, 0, &reply, NULL);
    take_reply(PRIV_RESULT_FAILED, 0, &reply, NULL);
    take_reply(PRIV_RESULT_FAILED_LAST, 0, &reply, NULL);
    assert_no_reply();
    assert_int_equal(side.pp.phase, PRIV_PHASE_REFUSED);
    side_close();
}

static void an_anonymous_login_is_granted(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
        memset(&side.anonymous, 0, sizeof(side.anonymous));
        memcpy(side.anonymous.name, "ftp", 4);
        side.anonymous.uid = 1234;
        side.anonymous.anonymous = true;
        side.anonymous.kind = ACCOUNT_ANONYMOUS;
        side.auth.anonymous = &side.anonymous;
        login_as(i == 0 ? "anonymous" : "FTP");
        assert_int_equal(serve(), PRIVPARENT_LOGIN);
        assert_int_equal(side.pp.account.uid, 1234);
        assert_true(side.pp.account.anonymous);
        assert_no_reply(); /* P is ended instead */
        assert_true(log_holds("[ftp] OK LOGIN: Client \"127.0.0.1\", anon password \"secret\"\n"));
        side_close();
    }
}

/* An account of anonymous users, with options of its own. */
static void set_anonymous(const char *settings)
{
    memset(&side.anonymous, 0, sizeof(side.anonymous));
    memcpy(side.anonymous.name, "ftp", 4);
    side.anonymous.kind = ACCOUNT_ANONYMOUS;
    side.anonymous.settings_len = strlen(settings);
    memcpy(side.anonymous.settings, settings, strlen(settings));
    side.auth.anonymous = &side.anonymous;
}

/* The child is asked to ask first, but one that was taken over does not. */
static void the_list_counts_for_a_login_without_a_question(void **state)
{
    static const char *const names[] = {"bob", "anonymous", "FTP"};
    struct priv_reply reply;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
        set_anonymous("");
        set_user_list("bob\nftp\nanonymous\n", "YES");
        login_as(names[i]);
        assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
        take_reply(PRIV_RESULT_FAILED, 0, &reply, NULL);
        assert_true(log_holds("refused by userlist_file"));
        side_close();
    }
}

static void options_of_the_user_are_in_force_after_the_login(void **state)
{
    static union priv_request request;
    struct priv_reply reply;
    size_t len = good_request(PRIV_SOCK_GET_DATA_SOCK, &request);
    int fds[2];

    (void)state;
    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    set_anonymous("port_enable=NO\nanon_umask=0027\nlocal_root=/srv/x\n");
    login_as("ftp");
    assert_int_equal(serve(), PRIVPARENT_LOGIN);
    assert_ptr_equal(side.pp.tun, &side.pp.own_tun);
    assert_int_equal(side.pp.tun->anon_umask, 027);
    assert_string_equal(side.pp.tun->local_root, "/srv/x");
    assert_int_equal(side.tun.anon_umask, 077);
    assert_null(side.tun.local_root);
    sysutil_close(&side.child_fd);
    sysutil_close(&side.pp.priv_fd);
    assert_int_equal(sysutil_socketpair(fds), 0);
    side.child_fd = fds[1];
    side.pp.priv_fd = fds[0];
    side.pp.phase = PRIV_PHASE_AFTER;
    child_says(&request, len, 0);
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    take_reply(PRIV_RESULT_FAILED, EPERM, &reply, NULL);
    tunable_free(&side.pp.own_tun);
    side_close();
}

/* Nobody is logged in, and the options of all are in force again. */
static void assert_still_nobody(void)
{
    assert_ptr_equal(side.pp.tun, &side.tun);
    assert_string_equal(side.pp.account.name, "");
    assert_int_equal(side.pp.phase, PRIV_PHASE_BEFORE);
    assert_int_equal(side.pp.login_fails, 1);
}

static void options_that_cannot_be_read_refuse_the_login(void **state)
{
    struct priv_reply reply;

    (void)state;
    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    set_anonymous("local_root=/srv\nport_enable\n");
    login_as("ftp");
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    take_reply(PRIV_RESULT_FAILED, 0, &reply, NULL);
    assert_still_nobody();
    side_close();
}

/* Another process that holds a place of ftp until it is ended. */
static pid_t hold_a_place(void)
{
    int fds[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails ends us too */
        byte = auth_take_place(&side.auth, "ftp", 1) ? 1 : 0;
        (void)!write(fds[1], &byte, 1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(fds[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    close(fds[0]);
    close(fds[1]);
    return pid;
}

static void a_user_with_too_many_sessions_is_refused(void **state)
{
    struct priv_reply reply;
    pid_t pid;

    (void)state;
    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    set_anonymous("local_root=/srv\nmax_per_user=1\n");
    pid = hold_a_place();
    login_as("ftp");
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    take_reply(PRIV_RESULT_FAILED, EUSERS, &reply, NULL);
    assert_true(log_holds("[ftp] FAIL LOGIN: Client \"127.0.0.1\", \"max_per_user: too many"));
    assert_still_nobody();
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_not_equal(sysutil_wait(pid), -1);
    side_close();

    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    set_anonymous("max_per_user=2\n");
    pid = hold_a_place();
    login_as("ftp");
    assert_int_equal(serve(), PRIVPARENT_LOGIN);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_not_equal(sysutil_wait(pid), -1);
    tunable_free(&side.pp.own_tun);
    side_close();
}

static void no_password_of_a_local_user_is_logged(void **state)
{
    (void)state;
    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    set_option("local_enable=YES");
    login_as("no-such-user-here");
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    assert_true(log_holds("[no-such-user-here] FAIL LOGIN"));
    assert_false(log_holds("secret"));
    side_close();
}

static void a_refused_child_that_does_not_end_is_ended(void **state)
{
    static union priv_request request;
    size_t len = good_request(PRIV_SOCK_LOG, &request);

    (void)state;
    side_open(PRIV_PHASE_REFUSED, "127.0.0.1");
    side.pp.refused_deadline_ms = sysutil_now_ms() - 1;
    child_says(&request, len, 0);
    assert_int_equal(serve(), PRIVPARENT_BROKEN); /* and not for ever, however much it has to say */
    side_close();
}

struct target_row {
    const char *name;
    const char *peer, *target;
    bool is_ipv6;
    uint16_t port;
};

/* clang-format off */
static const struct target_row target_rows[] = {
    { "data_sock_refuses_another_host", "127.0.0.1", "127.0.0.2", false, 50000 },
    { "data_sock_refuses_a_far_host", "127.0.0.1", "192.0.2.7", false, 50000 },
    { "data_sock_refuses_any_address", "127.0.0.1", "0.0.0.0", false, 50000 },
    { "data_sock_refuses_broadcast", "127.0.0.1", "255.255.255.255", false, 50000 },
    { "data_sock_refuses_another_ipv6_host", "::1", "::2", true, 50000 },
    { "data_sock_refuses_any_ipv6_address", "::1", "::", true, 50000 },
    { "data_sock_refuses_the_other_family", "127.0.0.1", "::1", true, 50000 },
    { "data_sock_refuses_a_family_that_does_not_fit", "::1", "::1", false, 50000 },
    { "data_sock_refuses_a_mapped_address", "127.0.0.1", "::ffff:127.0.0.1", true, 50000 },
    { "data_sock_refuses_port_0", "127.0.0.1", "127.0.0.1", false, 0 },
    { "data_sock_refuses_port_20", "127.0.0.1", "127.0.0.1", false, 20 },
    { "data_sock_refuses_port_25", "127.0.0.1", "127.0.0.1", false, 25 },
    { "data_sock_refuses_port_1023", "127.0.0.1", "127.0.0.1", false, 1023 },
    { "data_sock_refuses_low_ports_of_ipv6", "::1", "::1", true, 1023 },
};

/* With port_promiscuous=YES. */
static const struct target_row free_target_rows[] = {
    { "free_data_sock_refuses_the_other_family", "127.0.0.1", "::1", true, 50000 },
    { "free_data_sock_refuses_a_mapped_address", "::1", "::ffff:127.0.0.1", true, 50000 },
    { "free_data_sock_refuses_loopback", "192.0.2.7", "127.0.0.1", false, 50000 },
    { "free_data_sock_refuses_link_local", "192.0.2.7", "169.254.169.254", false, 50000 },
    { "free_data_sock_refuses_broadcast", "127.0.0.1", "255.255.255.255", false, 50000 },
    { "free_data_sock_refuses_any_address", "127.0.0.1", "0.0.0.0", false, 50000 },
    { "free_data_sock_refuses_port_0", "127.0.0.1", "127.0.0.1", false, 0 },
};
/* clang-format on */

static void fill_data_sock(struct priv_data_sock *request, const char *target, bool is_ipv6,
                           uint16_t port)
{
    memset(request, 0, sizeof(*request));
    request->command = PRIV_SOCK_GET_DATA_SOCK;
    request->is_ipv6 = is_ipv6;
    request->port = port;
    assert_int_equal(
        inet_pton(strchr(target, ':') != NULL ? AF_INET6 : AF_INET, target, request->address), 1);
}

static void assert_no_target(const struct target_row *row, const char *setting)
{
    struct priv_data_sock request;

    fill_data_sock(&request, row->target, row->is_ipv6, row->port);
    side_open(PRIV_PHASE_AFTER, row->peer);
    set_option(setting);
    child_says(&request, sizeof(request), 0);
    assert_int_equal(serve(), PRIVPARENT_BROKEN);
    assert_no_reply();
    assert_true(log_holds("foreign address or a low port"));
    side_close();
}

static void check_target(void **state)
{
    assert_no_target(*state, "port_promiscuous=NO");
}

static void check_free_target(void **state)
{
    assert_no_target(*state, "port_promiscuous=YES");
}

static void records_that_a_child_may_not_make_end_the_session(void **state)
{
    static union priv_request request;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all_phases); i++) {
        for (unsigned event = 0; event < 256; event++) {
            bool allowed = event == LOG_EVENT_WARNING ||
                           (all_phases[i] == PRIV_PHASE_AFTER && event < LOG_EVENT_COMMAND &&
                            event != LOG_EVENT_CONNECT && event != LOG_EVENT_LOGIN);

            if (!allowed) {
                good_request(PRIV_SOCK_LOG, &request);
                request.log.event = (uint8_t)event;
                assert_broken(all_phases[i], &request, offsetof(struct priv_log, text), 0);
            }
        }
    }
}

static void records_carry_what_the_parent_knows(void **state)
{
    static union priv_request request;
    static const char text[] = "x\n[pid 1] [root] OK LOGIN: Client \"192.0.2.1\"";
    struct str expected = STR_INIT(1000);

    (void)state;
    side_open(PRIV_PHASE_AFTER, "127.0.0.1");
    memcpy(side.pp.account.name, "bob", 4);
    good_request(PRIV_SOCK_LOG, &request);
    request.log.event = LOG_EVENT_DELETE;
    request.log.ok = 255;
    memcpy(request.log.text, text, sizeof(text) - 1);
    child_says(&request, offsetof(struct priv_log, text) + sizeof(text) - 1, 0);
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    assert_no_reply();
    str_append_format(&expected,
                      "[pid %d] [bob] OK DELETE: Client \"127.0.0.1\", \"x\\x0A[pid 1] [root] OK "
                      "LOGIN: Client \\x22192.0.2.1\\x22\"\n",
                      (int)getpid());
    assert_true(log_holds(str_text(&expected)));
    str_free(&expected);
    side_close();
}

static void the_dialogue_is_taken_only_if_it_is_logged(void **state)
{
    static const uint8_t events[] = {LOG_EVENT_COMMAND, LOG_EVENT_RESPONSE};
    static union priv_request request;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all_phases); i++) {
        for (size_t j = 0; j < ARRAY_LEN(events); j++) {
            good_request(PRIV_SOCK_LOG, &request);
            request.log.event = events[j];
            memcpy(request.log.text, "x", 1);
            assert_broken(all_phases[i], &request, offsetof(struct priv_log, text) + 1, 0);
            side_open(all_phases[i], "127.0.0.1");
            set_option("log_ftp_protocol=YES");
            child_says(&request, offsetof(struct priv_log, text) + 1, 0);
            assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
            assert_true(log_holds(j == 0 ? "] FTP command: Client \"127.0.0.1\", \"x\"\n"
                                         : "] FTP response: Client \"127.0.0.1\", \"x\"\n"));
            side_close();
        }
    }
}

static void a_detail_longer_than_its_record_ends_the_session(void **state)
{
    static union priv_request request;

    (void)state;
    for (size_t len = 0; len < 3; len++) {
        good_request(PRIV_SOCK_LOG, &request);
        request.log.event = LOG_EVENT_RENAME;
        memcpy(request.log.text, "abc", 3);
        request.log.detail_len = (uint16_t)(len + 1);
        assert_broken(PRIV_PHASE_AFTER, &request, offsetof(struct priv_log, text) + len, 0);
        request.log.detail_len = UINT16_MAX;
        assert_broken(PRIV_PHASE_AFTER, &request, offsetof(struct priv_log, text) + len, 0);
    }
}

/* SECURITY: user, access, password, session and address come from the parent, in each format. */
static void every_log_shows_what_the_parent_knows(void **state)
{
    static union priv_request request;
    static const char text[] =
        "x\n Thu Oct  2 18:37:41 2025 1 ::1 0 /f b _ o r root ftp 0 * c\",\"user\":\"root";
    struct str setting = STR_INIT(1000), error = STR_INIT(1000);
    char xferlog[4000], json[4000];

    (void)state;
    side_open(PRIV_PHASE_AFTER, "127.0.0.1");
    set_option("dual_log_enable=YES");
    str_append_format(&setting, "xferlog_file=%s/xferlog", side.dir);
    set_option(str_text(&setting));
    str_clear(&setting);
    str_append_format(&setting, "json_log_file=%s/json", side.dir);
    set_option(str_text(&setting));
    assert_true(log_open(&side.tun, &error));
    memcpy(side.pp.account.name, "ftp", 4);
    side.pp.account.anonymous = true;
    side.pp.account.kind = ACCOUNT_ANONYMOUS;
    memcpy(side.pp.anon_password, "me@x", 5);
    memcpy(side.pp.session_id, "0123456789abcdef", 17);
    good_request(PRIV_SOCK_LOG, &request);
    request.log.event = LOG_EVENT_UPLOAD;
    request.log.ok = 1;
    request.log.bytes = UINT64_MAX;
    request.log.error = -1;
    memcpy(request.log.text, text, sizeof(text) - 1);
    child_says(&request, offsetof(struct priv_log, text) + sizeof(text) - 1, 0);
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    unit_read_file(side.dir, "xferlog", xferlog, sizeof(xferlog));
    unit_read_file(side.dir, "json", json, sizeof(json));
    assert_ptr_equal(strchr(xferlog, '\n'), xferlog + strlen(xferlog) - 1);
    assert_non_null(strstr(xferlog, " 1 127.0.0.1 18446744073709551615 x\\x0A_Thu_"));
    assert_non_null(strstr(xferlog, " b _ i a me@x ftp 0 * c\n"));
    assert_ptr_equal(strchr(json, '\n'), json + strlen(json) - 1);
    assert_non_null(strstr(json, "\"session\":\"0123456789abcdef\",\"pid\":"));
    assert_non_null(
        strstr(json, "\"client\":\"127.0.0.1\",\"user\":\"ftp\",\"access\":\"anonymous\","));
    assert_null(strstr(json, "\"user\":\"root"));
    str_free(&setting);
    str_free(&error);
    side_close();
}

static void the_longest_record_is_taken(void **state)
{
    static union priv_request request;

    (void)state;
    side_open(PRIV_PHASE_AFTER, "127.0.0.1");
    good_request(PRIV_SOCK_LOG, &request);
    memset(request.log.text, '\n', sizeof(request.log.text));
    child_says(&request, sizeof(request.log), 0);
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    assert_true(log_holds("\\x0A...\"\n"));
    side_close();
}

static void the_end_of_the_child_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all_phases); i++) {
        side_open(all_phases[i], "127.0.0.1");
        sysutil_close(&side.child_fd);
        assert_int_equal(privparent_serve(&side.pp), PRIVPARENT_CHILD_GONE);
        side_close();
    }
}

static void a_child_that_ends_without_reading_its_reply_is_gone(void **state)
{
    static union priv_request request;
    size_t len = good_request(PRIV_SOCK_PASV_LISTEN, &request);

    (void)state;
    side_open(PRIV_PHASE_AFTER, "127.0.0.1");
    child_says(&request, len, 0);
    sysutil_close(&side.child_fd);
    assert_int_equal(privparent_serve(&side.pp), PRIVPARENT_CHILD_GONE);
    side_close();
}

static int listen_at(const char *host, uint16_t port)
{
    union netaddr_sockaddr sa;
    struct netaddr addr;
    socklen_t len;

    assert_true(netaddr_parse(host, AF_UNSPEC, &addr));
    addr.port = port;
    len = netaddr_to_sockaddr(&addr, &sa);
    return sysutil_tcp_server(&sa.sa, len, 4, true);
}

static struct netaddr own_address(int fd)
{
    union netaddr_sockaddr sa;
    socklen_t len = sizeof(sa);
    struct netaddr addr;

    assert_int_equal(getsockname(fd, &sa.sa, &len), 0);
    assert_true(netaddr_from_sockaddr(&addr, &sa));
    return addr;
}

/* Listen on RANGE ports in a row of LOCAL_IPV4. Returns the first. */
static uint16_t occupy_range(int fds[RANGE])
{
    uint16_t base = FIRST_PORT;
    size_t taken = 0;

    while (taken < RANGE) {
        fds[taken] = listen_at(LOCAL_IPV4, (uint16_t)(base + taken));
        if (fds[taken] != -1) {
            taken++;
            continue;
        }
        base = (uint16_t)(base + taken + 1);
        assert_true(base < 30000);
        while (taken > 0) {
            close(fds[--taken]);
        }
    }
    return base;
}

static void set_range(uint16_t low, unsigned high)
{
    struct str setting = STR_INIT(100);

    str_append_format(&setting, "pasv_min_port=%u", low);
    set_option(str_text(&setting));
    str_clear(&setting);
    str_append_format(&setting, "pasv_max_port=%u", high);
    set_option(str_text(&setting));
    str_free(&setting);
}

/* Ask for a listener, and take the answer. The request goes to a parent that waits for no other. */
static void ask_pasv(enum priv_result result, int error, struct priv_reply *reply, int *fd_out)
{
    const uint8_t command = PRIV_SOCK_PASV_LISTEN;
    int fds[2];

    child_says(&command, 1, 0);
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    take_reply(result, error, reply, fd_out);
    /* the next request needs a fresh pair */
    sysutil_close(&side.child_fd);
    sysutil_close(&side.pp.priv_fd);
    assert_int_equal(sysutil_socketpair(fds), 0);
    side.child_fd = fds[1];
    side.pp.priv_fd = fds[0];
    side.pp.keeper_fd = side.pp.auth_fd = -1; /* nobody to ask about passwords */
}

/* Where the search begins is chance: many rounds, so that each begin meets each free port. */
static void pasv_finds_the_one_free_port_of_its_range(void **state)
{
    int fds[RANGE];
    uint16_t base = occupy_range(fds);

    (void)state;
    for (unsigned round = 0; round < 15 * RANGE; round++) {
        unsigned i = round % RANGE;
        struct priv_reply reply;
        struct netaddr addr;
        int fd;

        sysutil_close(&fds[i]);
        side_open(PRIV_PHASE_AFTER, "127.0.0.1");
        set_range(base, base + RANGE - 1U);
        ask_pasv(PRIV_RESULT_OK, 0, &reply, &fd);
        assert_int_equal(reply.port, base + i);
        addr = own_address(fd);
        assert_int_equal(addr.port, base + i);
        assert_true(netaddr_same_host(&addr, &side.pp.local));
        ask_pasv(PRIV_RESULT_FAILED, EADDRINUSE, &reply, NULL); /* now all are taken */
        close(fd);
        side_close();
        fds[i] = listen_at(LOCAL_IPV4, (uint16_t)(base + i));
        assert_int_not_equal(fds[i], -1);
    }
    for (unsigned i = 0; i < RANGE; i++) {
        close(fds[i]);
    }
}

static void pasv_uses_its_whole_range_in_no_order(void **state)
{
    int fds[RANGE];
    uint16_t base = occupy_range(fds);
    unsigned seen = 0, rounds = 0, steps_up = 0, last = 0;

    (void)state;
    for (unsigned i = 0; i < RANGE; i++) {
        close(fds[i]);
    }
    side_open(PRIV_PHASE_AFTER, "127.0.0.1");
    set_range(base, base + RANGE - 1U);
    while (seen != (1U << RANGE) - 1 || rounds < 200) {
        struct priv_reply reply;
        int fd;

        ask_pasv(PRIV_RESULT_OK, 0, &reply, &fd);
        close(fd);
        assert_in_range(reply.port, base, base + RANGE - 1);
        seen |= 1U << (reply.port - base);
        steps_up += rounds > 0 && reply.port == (last + 1 - base) % RANGE + base;
        last = reply.port;
        rounds++;
        assert_true(rounds < 1000); /* all were seen long before */
    }
    assert_true(steps_up < rounds / 2); /* a counter would be foreseen */
    side_close();
}

static void pasv_gives_a_socket_that_listens(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "::1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct priv_reply reply;
        union netaddr_sockaddr sa;
        struct netaddr addr;
        socklen_t len;
        int listen_fd, client_fd, fd;

        side_open(PRIV_PHASE_AFTER, hosts[i]);
        ask_pasv(PRIV_RESULT_OK, 0, &reply, &listen_fd);
        addr = own_address(listen_fd);
        assert_true(netaddr_same_host(&addr, &side.pp.local));
        assert_int_equal(addr.port, reply.port);
        assert_true(reply.port >= 5001);
        len = netaddr_to_sockaddr(&addr, &sa);
        client_fd = socket(addr.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(client_fd, &sa.sa, len), 0);
        fd = sysutil_accept(listen_fd, 0);
        assert_int_not_equal(fd, -1);
        close(fd);
        close(client_fd);
        close(listen_fd);
        side_close();
    }
}

static void pasv_never_goes_below_1024(void **state)
{
    struct priv_reply reply;

    (void)state;
    side_open(PRIV_PHASE_AFTER, "127.0.0.1");
    set_range(0, 1023);
    ask_pasv(PRIV_RESULT_FAILED, EPERM, &reply, NULL);
    set_range(500, 1023);
    ask_pasv(PRIV_RESULT_FAILED, EPERM, &reply, NULL);
    set_range(3000, 2000);
    ask_pasv(PRIV_RESULT_FAILED, EPERM, &reply, NULL);
    side_close();
}

static void pasv_and_port_can_be_disabled(void **state)
{
    static union priv_request request;
    struct priv_reply reply;
    size_t len = good_request(PRIV_SOCK_GET_DATA_SOCK, &request);

    (void)state;
    side_open(PRIV_PHASE_AFTER, "127.0.0.1");
    set_option("pasv_enable=NO");
    set_option("port_enable=NO");
    ask_pasv(PRIV_RESULT_FAILED, EPERM, &reply, NULL);
    child_says(&request, len, 0);
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    take_reply(PRIV_RESULT_FAILED, EPERM, &reply, NULL);
    side_close();
}

/* Connect to a listener of ours on `host`; from `port` unless it is 0. */
static void assert_connects(const char *host, uint16_t from_port)
{
    int listen_fd = listen_at(host, 0);
    struct netaddr target = own_address(listen_fd);
    struct pollfd pfd = {.fd = listen_fd, .events = POLLIN};
    struct priv_data_sock request;
    struct priv_reply reply;
    struct netaddr from;
    int fd, accepted;
    char c = '\0';

    fill_data_sock(&request, host, target.family == AF_INET6, target.port);
    child_says(&request, sizeof(request), 0);
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    take_reply(PRIV_RESULT_OK, 0, &reply, &fd);
    assert_int_not_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(sysutil_poll(&pfd, 1, SYSUTIL_FOREVER), 1);
    accepted = sysutil_accept(listen_fd, 0);
    assert_int_not_equal(accepted, -1);
    pfd = (struct pollfd){.fd = fd, .events = POLLOUT};
    assert_int_equal(sysutil_poll(&pfd, 1, SYSUTIL_FOREVER), 1);
    from = own_address(fd);
    assert_true(netaddr_same_host(&from, &side.pp.local));
    assert_true(from_port == 0 || from.port == from_port);
    assert_int_equal(send(fd, "x", 1, 0), 1);
    assert_int_equal(recv(accepted, &c, 1, 0), 1);
    assert_int_equal(c, 'x');
    close(accepted);
    close(fd);
    close(listen_fd);
}

static void data_sock_connects_to_the_client(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "::1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        side_open(PRIV_PHASE_AFTER, hosts[i]);
        assert_connects(hosts[i], 0);
        side_close();
    }
}

static void data_sock_connects_to_anybody_if_it_may(void **state)
{
    static const char *const peers[] = {"127.0.0.1", "127.0.0.3"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
        side_open(PRIV_PHASE_AFTER, peers[i]);
        set_option("port_promiscuous=YES");
        assert_connects("127.0.0.5", 0);
        side_close();
    }
}

static void data_sock_comes_from_ftp_data_port(void **state)
{
    int fds[RANGE];
    uint16_t port = occupy_range(fds);
    struct str setting = STR_INIT(100);

    (void)state;
    for (unsigned i = 0; i < RANGE; i++) {
        close(fds[i]);
    }
    str_append_format(&setting, "ftp_data_port=%u", port);
    for (int i = 0; i < 3; i++) { /* again and again, in spite of the connections before */
        side_open(PRIV_PHASE_AFTER, "127.0.0.1");
        set_option("connect_from_port_20=YES");
        set_option(str_text(&setting));
        assert_connects("127.0.0.1", port);
        side_close();
    }
    str_free(&setting);
}

static void data_sock_that_cannot_connect_is_a_failure_only(void **state)
{
    int listen_fd = listen_at("127.0.0.1", 0);
    uint16_t port = own_address(listen_fd).port;
    struct priv_data_sock request;
    struct priv_reply reply;
    int fd;

    (void)state;
    close(listen_fd); /* nobody listens there now */
    side_open(PRIV_PHASE_AFTER, "127.0.0.1");
    fill_data_sock(&request, "127.0.0.1", false, port);
    child_says(&request, sizeof(request), 0);
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    assert_int_equal(sysutil_recv_message(side.child_fd, &reply, sizeof(reply), &fd),
                     sizeof(reply));
    if (reply.result == PRIV_RESULT_OK) {
        struct pollfd pfd = {.fd = fd, .events = POLLOUT};

        assert_int_equal(sysutil_poll(&pfd, 1, SYSUTIL_FOREVER), 1);
        assert_int_equal(sysutil_socket_error(fd), ECONNREFUSED);
        close(fd);
    } else {
        assert_int_equal(reply.result, PRIV_RESULT_FAILED);
        assert_int_equal(reply.error, ECONNREFUSED);
        assert_int_equal(fd, -1);
    }
    side_close();
}

/* What a child may try to give away. */
enum thing { UPLOAD, WRONG_MODE, SET_ID, HARD_LINK, DIRECTORY, FIFO, SOCKET, NO_NAME };

struct chown_row {
    const char *name;
    enum thing thing;
    bool configured, own;
    enum privparent_event event; /* CHILD_GONE: it was served */
};

/* clang-format off */
static const struct chown_row chown_rows[] = {
    { "chown_of_an_upload", UPLOAD, true, true, PRIVPARENT_CHILD_GONE },
    { "chown_that_is_not_configured", UPLOAD, false, true, PRIVPARENT_BROKEN },
    { "chown_of_a_file_of_somebody_else", UPLOAD, true, false, PRIVPARENT_BROKEN },
    { "chown_of_a_file_with_other_permissions", WRONG_MODE, true, true, PRIVPARENT_BROKEN },
    { "chown_of_a_set_id_program", SET_ID, true, true, PRIVPARENT_BROKEN },
    { "chown_of_a_file_with_two_names", HARD_LINK, true, true, PRIVPARENT_BROKEN },
    { "chown_of_a_directory", DIRECTORY, true, true, PRIVPARENT_BROKEN },
    { "chown_of_a_fifo", FIFO, true, true, PRIVPARENT_BROKEN },
    { "chown_of_a_socket", SOCKET, true, true, PRIVPARENT_BROKEN },
    { "chown_of_a_file_without_a_name", NO_NAME, true, true, PRIVPARENT_BROKEN },
};
/* clang-format on */

/* The thing, open, in the directory of this test; all of them have the right permissions but one. */
static int make_thing(enum thing thing)
{
    struct str path = STR_INIT(200), other = STR_INIT(200);
    int fd;

    str_append_format(&path, "%s/thing", side.dir);
    str_append_format(&other, "%s/other", side.dir);
    if (thing == SOCKET) {
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    } else if (thing == DIRECTORY) {
        assert_int_equal(mkdir(str_text(&path), 0700), 0);
        fd = open(str_text(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } else if (thing == FIFO) {
        assert_int_equal(mkfifo(str_text(&path), 0600), 0);
        fd = open(str_text(&path), O_RDWR | O_CLOEXEC);
    } else {
        fd = open(str_text(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    assert_int_not_equal(fd, -1);
    assert_int_equal(fchmod(fd, thing == WRONG_MODE ? 0644 : thing == SET_ID ? 04600 : 0600), 0);
    if (thing == HARD_LINK) {
        assert_int_equal(link(str_text(&path), str_text(&other)), 0);
    } else if (thing == NO_NAME) {
        assert_int_equal(unlink(str_text(&path)), 0);
    }
    str_free(&path);
    str_free(&other);
    return fd;
}

static void ask_chown(int fd)
{
    const uint8_t command = PRIV_SOCK_CHOWN_UPLOAD;

    assert_int_equal(sysutil_send_message(side.child_fd, &command, sizeof(command), fd), 0);
}

/* A session whose files are those of this process; away they go to another user if it is root. */
static void side_open_for_chown(bool configured)
{
    side_open(PRIV_PHASE_AFTER, "127.0.0.1");
    set_option("chown_uploads=YES");
    side.pp.gives_away = configured;
    side.pp.account.uid = geteuid();
    side.auth.chown_uid = geteuid() == 0 ? CHOWN_UID : geteuid();
}

static void check_chown(void **state)
{
    const struct chown_row *row = *state;
    bool may = geteuid() == 0;
    struct priv_reply reply;
    struct stat before, st;
    int fd;

    side_open_for_chown(row->configured);
    side.pp.account.uid += row->own ? 0 : 1;
    fd = make_thing(row->thing);
    assert_int_equal(fstat(fd, &before), 0);
    ask_chown(fd);
    assert_int_equal(serve(), row->event);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode, before.st_mode);
    assert_int_equal(st.st_gid, before.st_gid);
    if (row->event == PRIVPARENT_BROKEN) {
        assert_no_reply();
        assert_true(log_holds("WARNING: Client \"127.0.0.1\", \""));
        assert_int_equal(st.st_uid, before.st_uid);
    } else {
        take_reply(may ? PRIV_RESULT_OK : PRIV_RESULT_FAILED, may ? 0 : EPERM, &reply, NULL);
        assert_int_equal(st.st_uid, side.auth.chown_uid);
    }
    sysutil_close(&fd);
    side_close();
}

static void chown_of_what_was_given_away_ends_the_session(void **state)
{
    int fd;

    (void)state;
    side_open_for_chown(true);
    side.auth.chown_uid = CHOWN_UID;
    fd = make_thing(UPLOAD);
    ask_chown(fd);
    ask_chown(fd);
    assert_int_equal(serve(), geteuid() == 0 ? PRIVPARENT_BROKEN : PRIVPARENT_CHILD_GONE);
    sysutil_close(&fd);
    side_close();
}

static void chown_without_a_descriptor_ends_the_session(void **state)
{
    const uint8_t command = PRIV_SOCK_CHOWN_UPLOAD;

    (void)state;
    side_open_for_chown(true);
    child_says(&command, sizeof(command), 0);
    assert_int_equal(serve(), PRIVPARENT_BROKEN);
    assert_no_reply();
    side_close();
}

static void chown_with_many_descriptors_ends_the_session(void **state)
{
    const uint8_t command = PRIV_SOCK_CHOWN_UPLOAD;
    size_t before;

    (void)state;
    side_open_for_chown(true);
    before = unit_count_fds();
    child_says(&command, sizeof(command), 3);
    assert_int_equal(serve(), PRIVPARENT_BROKEN);
    assert_int_equal(unit_count_fds(), before);
    side_close();
}

/* What the kernel refuses is a failure only: the child may go on. */
static void chown_that_the_kernel_refuses_is_a_failure_only(void **state)
{
    struct priv_reply reply;
    int fd, path_fd;
    char name[64];

    (void)state;
    side_open_for_chown(true);
    fd = make_thing(UPLOAD);
    assert_true(snprintf(name, sizeof(name), "/proc/self/fd/%d", fd) > 0);
    path_fd = open(name, O_PATH | O_CLOEXEC); /* fchown(2) does not take such descriptors */
    assert_int_not_equal(path_fd, -1);
    ask_chown(path_fd);
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    take_reply(PRIV_RESULT_FAILED, geteuid() == 0 ? EBADF : EPERM, &reply, NULL);
    sysutil_close(&path_fd);
    sysutil_close(&fd);
    side_close();
}

/* A child that reads one notice, asks for something, and ends with success if nothing more came. */
static pid_t fork_listening_child(void)
{
    static union priv_request request;
    size_t len = good_request(PRIV_SOCK_PASV_LISTEN, &request);
    pid_t pid = fork();

    if (pid == 0) {
        struct priv_reply reply;
        uint8_t notice = 0;
        int fd;
        bool good =
            recv(side.child_fd, &notice, 1, 0) == 1 && notice == PRIV_DRAIN &&
            send(side.child_fd, &request, len, 0) == (ssize_t)len &&
            sysutil_recv_message(side.child_fd, &reply, sizeof(reply), &fd) == sizeof(reply) &&
            recv(side.child_fd, &notice, 1, MSG_DONTWAIT) == -1;

        _exit(good ? 0 : 1);
    }
    sysutil_close(&side.child_fd);
    return pid;
}

/* The last test: the signal counts for good. */
static void a_child_is_told_once_that_it_is_to_end(void **state)
{
    (void)state;
    privparent_watch_drain();
    assert_int_equal(raise(SIGUSR1), 0); /* it is blocked until somebody waits */
    for (int i = 0; i < 2; i++) {
        pid_t pid;

        side_open(PRIV_PHASE_AFTER, "127.0.0.1");
        pid = fork_listening_child();
        assert_int_equal(privparent_serve(&side.pp), PRIVPARENT_CHILD_GONE);
        assert_int_equal(sysutil_wait(pid), 0);
        assert_true(side.pp.drain_told);
        assert_int_equal(raise(SIGUSR1), 0); /* said again, it changes nothing */
        side_close();
    }
}

static void tls_is_started_once_and_if_configured(void **state)
{
    const uint8_t command = PRIV_SOCK_START_TLS;
    struct priv_reply reply;
    int fds[2], plain_fd, relay_fd;

    (void)state;
    assert_broken(PRIV_PHASE_BEFORE, &command, 1, 0); /* no TLS is configured */
    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    set_option("ssl_enable=YES");
    child_says(&command, 1, 0);
    child_says(&command, 1, 0);
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE); /* the program is not there: refused, twice */
    take_reply(PRIV_RESULT_FAILED, EAGAIN, &reply, NULL);
    take_reply(PRIV_RESULT_FAILED, EAGAIN, &reply, NULL);
    assert_false(side.pp.tls);
    side_close();

    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    set_option("ssl_enable=YES");
    side.pp.has_tls_program = true;
    child_says(&command, 1, 0);
    child_says(&command, 1, 0);
    assert_int_equal(serve(), PRIVPARENT_TLS);
    assert_int_equal(sysutil_socketpair(fds), 0);
    privparent_answer_tls(&side.pp, fds[0], fds[1]);
    take_reply(PRIV_RESULT_OK, 0, &reply, &plain_fd);
    take_reply(PRIV_RESULT_OK, 0, &reply, &relay_fd);
    assert_true(side.pp.tls);
    assert_int_equal(privparent_serve(&side.pp), PRIVPARENT_BROKEN); /* the second */
    assert_true(log_holds("a second request for TLS"));
    sysutil_close(&fds[0]);
    sysutil_close(&fds[1]);
    sysutil_close(&plain_fd);
    sysutil_close(&relay_fd);
    side_close();
}

/* SECURITY: P checks it first; but P may have been taken over. */
static void logins_in_the_clear_are_refused_where_tls_is_forced(void **state)
{
    static union priv_request request;
    struct priv_reply reply;
    size_t len;

    (void)state;
    for (int anonymous = 0; anonymous < 2; anonymous++) {
        len = good_request(PRIV_SOCK_LOGIN, &request);
        if (anonymous) {
            memcpy(request.login.name, "ftp", 3);
        }
        request.login.protect = 1;
        side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
        set_option("ssl_enable=YES");
        set_option("force_anon_logins_ssl=YES");
        child_says(&request, len, 0);
        assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
        take_reply(PRIV_RESULT_FAILED, 0, &reply, NULL);
        assert_true(log_holds(anonymous ? "not encrypted (force_anon_logins_ssl)"
                                        : "not encrypted (force_local_logins_ssl)"));
        assert_false(side.pp.protect); /* there is no TLS */
        side_close();
    }
    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    set_option("ssl_enable=YES");
    side.pp.tls = true;
    child_says(&request, len, 0);
    assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
    take_reply(PRIV_RESULT_FAILED, 0, &reply, NULL);
    assert_true(log_holds("encrypted (allow_anon_ssl)"));
    side_close();
}

struct tls_login_row {
    const char *name;
    const char *user;
    const char *setting; /* beside ssl_enable=YES */
    bool tls;
    const char *logged; /* NULL: the login is granted, or fails for another reason */
};

/* clang-format off */
static const struct tls_login_row tls_login_rows[] = {
    { "clear_local_login_is_refused", "bob", "force_local_logins_ssl=YES", false, "force_local_logins_ssl" },
    { "clear_local_login_is_allowed", "bob", "force_local_logins_ssl=NO", false, NULL },
    { "encrypted_local_login_is_allowed", "bob", "force_local_logins_ssl=YES", true, NULL },
    { "clear_anonymous_login_is_refused", "ftp", "force_anon_logins_ssl=YES", false, "force_anon_logins_ssl" },
    { "clear_anonymous_login_is_allowed", "ftp", "force_anon_logins_ssl=NO", false, NULL },
    { "encrypted_anonymous_login_is_refused", "FTP", "allow_anon_ssl=NO", true, "allow_anon_ssl" },
    { "encrypted_anonymous_login_is_allowed", "ftp", "allow_anon_ssl=YES", true, NULL },
    { "who_is_forced_to_encrypt_may", "anonymous", "force_anon_logins_ssl=YES", true, NULL },
};
/* clang-format on */

/* P refuses these itself; one that was taken over does not. */
static void check_tls_login(void **state)
{
    const struct tls_login_row *row = *state;
    struct priv_reply reply;

    side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
    set_anonymous("");
    set_option("ssl_enable=YES");
    set_option("local_enable=YES");
    set_option(row->setting);
    side.pp.tls = row->tls;
    login_as(row->user);
    if (row->logged != NULL) {
        assert_int_equal(serve(), PRIVPARENT_CHILD_GONE);
        take_reply(PRIV_RESULT_FAILED, 0, &reply, NULL);
        assert_true(log_holds(row->logged));
    } else {
        (void)serve(); /* there is no bob on the machine of the test */
        assert_false(log_holds("encrypted ("));
    }
    side_close();
}

/* Only what was said over TLS. */
static void protection_counts_with_tls_only(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct priv_login login = {
            .command = PRIV_SOCK_LOGIN, .protect = (i & 1) != 0, .name_len = 3, .password_len = 1};

        memcpy(login.name, "ftp", 3);
        login.password[0] = 'x';
        side_open(PRIV_PHASE_BEFORE, "127.0.0.1");
        set_anonymous("");
        set_option("ssl_enable=YES");
        set_option("allow_anon_ssl=YES");
        side.pp.tls = (i & 2) != 0;
        child_says(&login, sizeof(login), 0);
        assert_int_equal(serve(), PRIVPARENT_LOGIN);
        assert_int_equal(side.pp.protect, i == 3);
        side_close();
    }
}

int main(void)
{
    UNIT_ADD(unknown_commands_end_the_session);
    UNIT_ADD_TABLE(check_phase, phase_rows);
    UNIT_ADD(wrong_lengths_end_the_session);
    UNIT_ADD(tls_is_started_once_and_if_configured);
    UNIT_ADD(logins_in_the_clear_are_refused_where_tls_is_forced);
    UNIT_ADD_TABLE(check_tls_login, tls_login_rows);
    UNIT_ADD(protection_counts_with_tls_only);
    UNIT_ADD(an_empty_message_ends_the_session);
    UNIT_ADD(descriptors_that_nobody_wants_end_the_session);
    UNIT_ADD(descriptors_for_a_full_table_end_the_session);
    UNIT_ADD_TABLE(check_login, login_rows);
    UNIT_ADD_TABLE(check_user, user_rows);
    UNIT_ADD(users_are_asked_for_by_the_list);
    UNIT_ADD(the_last_refused_user_is_the_last_try);
    UNIT_ADD(the_list_counts_for_a_login_without_a_question);
    UNIT_ADD(options_of_the_user_are_in_force_after_the_login);
    UNIT_ADD(options_that_cannot_be_read_refuse_the_login);
    UNIT_ADD(a_user_with_too_many_sessions_is_refused);
    UNIT_ADD_TABLE(check_refused, refused_rows);
    UNIT_ADD(the_last_refusal_is_the_last_login);
    UNIT_ADD(an_anonymous_login_is_granted);
    UNIT_ADD(no_password_of_a_local_user_is_logged);
    UNIT_ADD(a_refused_child_that_does_not_end_is_ended);
    UNIT_ADD_TABLE(check_target, target_rows);
    UNIT_ADD_TABLE(check_free_target, free_target_rows);
    UNIT_ADD_TABLE(check_chown, chown_rows);
    UNIT_ADD(chown_of_what_was_given_away_ends_the_session);
    UNIT_ADD(chown_without_a_descriptor_ends_the_session);
    UNIT_ADD(chown_with_many_descriptors_ends_the_session);
    UNIT_ADD(chown_that_the_kernel_refuses_is_a_failure_only);
    UNIT_ADD(records_that_a_child_may_not_make_end_the_session);
    UNIT_ADD(records_carry_what_the_parent_knows);
    UNIT_ADD(the_dialogue_is_taken_only_if_it_is_logged);
    UNIT_ADD(a_detail_longer_than_its_record_ends_the_session);
    UNIT_ADD(every_log_shows_what_the_parent_knows);
    UNIT_ADD(the_longest_record_is_taken);
    UNIT_ADD(the_end_of_the_child_is_told);
    UNIT_ADD(a_child_that_ends_without_reading_its_reply_is_gone);
    UNIT_ADD(pasv_finds_the_one_free_port_of_its_range);
    UNIT_ADD(pasv_uses_its_whole_range_in_no_order);
    UNIT_ADD(pasv_gives_a_socket_that_listens);
    UNIT_ADD(pasv_never_goes_below_1024);
    UNIT_ADD(pasv_and_port_can_be_disabled);
    UNIT_ADD(data_sock_connects_to_the_client);
    UNIT_ADD(data_sock_connects_to_anybody_if_it_may);
    UNIT_ADD(data_sock_comes_from_ftp_data_port);
    UNIT_ADD(data_sock_that_cannot_connect_is_a_failure_only);
    UNIT_ADD(a_child_is_told_once_that_it_is_to_end);
    return unit_run("privparent");
}
