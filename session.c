/*
 * session.c - one client: what N, P and S are made of, and what each of them closes
 *
 * Process: N, and the first steps of P and S.
 * Trusts:  the configuration and the account that was verified.
 * Touches: the control connection (only to give it away), the socketpair, its own credentials.
 *
 *     N --fork--> P   until a login is granted
 *     N --fork--> S   from then on, over a new socketpair: nothing that P queued is taken for S
 */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth.h"
#include "ftpproto.h"
#include "log.h"
#include "netaddr.h"
#include "privcap.h"
#include "privparent.h"
#include "proctitle.h"
#include "resolver.h"
#include "sandbox.h"
#include "scoreboard.h"
#include "str.h"
#include "sysutil.h"
#include "tlslink.h"
#include "tunable.h"
#include "userdb.h"

#define LOWEST_FREE_PORT   1024
#define CHILD_GRACE_MS     2000 /* for a child that has closed its socket to end */
#define GREETER_OPEN_FILES 16
#define GREETER_DATA_MIB   16
#define BROKER_OPEN_FILES  64
#define BROKER_DATA_MIB    16
#define BANNER_MAX         (64 * 1024)
#define SERVICE_OPEN_FILES 64
#define SERVICE_DATA_MIB   512 /* the names of a directory with millions of entries */

struct session {
    const struct session_env *env;
    int ctrl_fd;  /* the client, or with TLS the plain stream to its relay; -1 in N from login on */
    int relay_fd; /* with TLS: the relay control, until S has it; -1 without */
    int tls_fd;   /* for tlslink_start(); -1 from login on */
    pid_t child;  /* P or S */
    bool bounds_empty; /* privcap_begin_session() */
    char *banner;      /* the content of banner_file for P, or NULL */
    struct scoreboard board;
    struct privparent parent;
};

/* The addresses of both ends, from the kernel. False if the client has gone already. */
static bool learn_addresses(struct session *s)
{
    union netaddr_sockaddr sa;
    socklen_t len = sizeof(sa);

    if (getpeername(s->ctrl_fd, &sa.sa, &len) == -1 ||
        !netaddr_from_sockaddr(&s->parent.peer, &sa)) {
        return false;
    }
    len = sizeof(sa);
    if (getsockname(s->ctrl_fd, &sa.sa, &len) == -1 ||
        !netaddr_from_sockaddr(&s->parent.local, &sa)) {
        return false;
    }
    netaddr_text(&s->parent.peer, s->parent.peer_text);
    return true;
}

/* Urgent data in line (ABOR of old clients), no delay for replies, and dead clients are noticed. */
static void set_control_options(int fd)
{
    const int on = 1;

    /* none of them is needed for a correct answer */
    (void)setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* A warning of N or of a child that has not yet given its rights away. */
static void warn(const struct session *s, const char *what, const char *step)
{
    struct str text = STR_INIT(512);
    struct log_record record = {.event = LOG_EVENT_WARNING};

    str_append_format(&text, "%s: %s: %s", what, step, strerror(errno));
    record.text = str_text(&text);
    record.text_len = text.len;
    privparent_log(&s->parent, &record);
    log_message(LOG_ERR, "session %d (%s): %s", s->parent.pid, s->parent.peer_text,
                str_text(&text));
    str_free(&text);
}

/*
 * The whole of an open file, as far as it is a text of at most BANNER_MAX bytes. Returns it as a string
 * to be freed, or NULL with errno. *cut_out: there is more of it.
 */
static char *read_banner(int fd, bool *cut_out)
{
    struct stat st;
    ssize_t len;
    char *text;

    if (fstat(fd, &st) == -1) {
        return NULL;
    }
    errno = EISDIR;
    text = S_ISREG(st.st_mode) ? malloc(BANNER_MAX + 1) : NULL;
    if (text == NULL) {
        return NULL;
    }
    len = sysutil_readn(fd, text, BANNER_MAX + 1);
    if (len == -1) {
        free(text);
        return NULL;
    }
    *cut_out = len > BANNER_MAX;
    text[*cut_out ? BANNER_MAX : len] = '\0';
    return text;
}

/* Read banner_file, anew for each session. Without it there is the other greeting, and a warning. */
static void load_banner(struct session *s)
{
    const char *path = s->env->tun->banner_file;
    bool cut = false;
    int fd;

    if (path == NULL || *path == '\0') {
        return;
    }
    fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    s->banner = fd != -1 ? read_banner(fd, &cut) : NULL;
    if (s->banner == NULL) {
        warn(s, "cannot read banner_file", path);
    } else if (cut) {
        errno = EFBIG;
        warn(s, "only the first 64 KiB of banner_file are shown", path);
    }
    sysutil_close(&fd);
}

/* In a child that cannot do its work: the client hears that, and no reason. */
NORETURN static void give_up(const struct session *s, const char *reply)
{
    (void)!send(s->ctrl_fd, reply, strlen(reply), MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)shutdown(s->ctrl_fd, SHUT_WR);
    _exit(EXIT_STATUS_ERROR);
}

/* The filter of a role, unless switched off. */
static bool enter_sandbox(const struct session *s, enum sandbox_role role)
{
    return s->env->sandbox == NULL || sandbox_enter(s->env->sandbox, role);
}

/*
 * run_as_launching_user: nobody can become somebody else or have a root directory of his own. What keeps
 * processes apart then is Landlock, no_new_privs and their filters.
 */
static bool is_rootless(const struct session *s)
{
    return s->env->tun->run_as_launching_user;
}

/* Where P and N have their jail; without root "/", of which they can open nothing. */
static const char *empty_dir(const struct session *s)
{
    return is_rootless(s) ? "/" : s->env->tun->secure_chroot_dir;
}

/* What N had and a service process must not. Only the kernel's part: our memory is still that of N. */
static void close_parents(const struct session *s)
{
    int fds[] = {s->parent.priv_fd, s->parent.keeper_fd, s->parent.auth_fd, s->tls_fd,
                 s->env->auth->places_fd};

    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        sysutil_close(&fds[i]);
    }
}

static void fill_setup(const struct session *s, int priv_fd, struct ftp_setup *setup)
{
    memset(setup, 0, sizeof(*setup));
    setup->tun = s->parent.tun;
    setup->ctrl_fd = s->ctrl_fd;
    setup->priv_fd = priv_fd;
    setup->relay_fd = s->relay_fd;
    setup->protect = s->parent.protect;
    setup->peer = s->parent.peer;
    setup->local = s->parent.local;
    setup->announced_in_vain = !resolver_announced(s->env->resolver, setup->tun, &setup->peer,
                                                   &setup->local, &setup->announced);
    setup->banner = s->banner;
    setup->live = s->board.live;
}

/* P: nobody, nowhere, nothing but two sockets. */
NORETURN static void run_greeter(struct session *s, int priv_fd)
{
    const struct auth *auth = s->env->auth;
    const struct privcap_plan plan = {
        .uid = auth->nopriv_uid,
        .gid = auth->nopriv_gid,
        .dir = empty_dir(s),
        .jail = !is_rootless(s),
        .bounds_empty = s->bounds_empty,
        .max_open = GREETER_OPEN_FILES,
        .max_data_mib = GREETER_DATA_MIB,
    };
    struct ftp_setup setup;
    const char *step;

    close_parents(s);
    if (!privcap_become(&plan, &step)) {
        warn(s, "cannot start the greeter", step);
        give_up(s, "421 Service not available.\r\n");
    }
    log_close();
    if ((is_rootless(s) && !sandbox_limit_files(NULL)) || !enter_sandbox(s, SANDBOX_GREETER)) {
        give_up(s, "421 Service not available.\r\n");
    }
    fill_setup(s, priv_fd, &setup);
    proctitle_show("not logged in", "");
    _exit(ftpproto_run(&setup));
}

/* S: the user, in the user's directory. */
NORETURN static void run_service(struct session *s, int priv_fd)
{
    const struct account *account = &s->parent.account;
    struct privcap_plan plan;
    struct ftp_setup setup;
    char *fence = NULL; /* lives as long as the process */
    const char *step;

    account_plan(account, &plan);
    plan.start = account->has_start ? account->start : NULL;
    plan.jail = account->jail && !is_rootless(s);
    plan.bounds_empty = s->bounds_empty;
    plan.writes_files = true;
    plan.max_open = SERVICE_OPEN_FILES;
    plan.max_data_mib = SERVICE_DATA_MIB;
    close_parents(s);
    if (!privcap_become(&plan, &step) ||
        (is_rootless(s) && (fence = realpath(account->dir, NULL)) == NULL)) {
        warn(s, "cannot start the service", step);
        give_up(s, "530 Login failed: the home directory cannot be used.\r\n");
    }
    if (!sandbox_limit_files(fence != NULL ? fence : "/")) {
        warn(s, "cannot start the service", "landlock");
        give_up(s, "421 Service not available.\r\n");
    }
    log_close();
    if (!enter_sandbox(s, fence != NULL ? SANDBOX_FENCED : SANDBOX_SERVICE)) {
        give_up(s, "421 Service not available.\r\n");
    }
    if (s->parent.tun->text_userdb_names && account->kind == ACCOUNT_LOCAL) {
        /* an account of another source than the file; without memory its number is shown */
        (void)userdb_add_user(s->env->names, account->uid, account->name);
    }
    fill_setup(s, priv_fd, &setup);
    setup.logged_in = true;
    setup.anonymous = account->anonymous;
    setup.guest = account->kind == ACCOUNT_GUEST;
    setup.jailed = plan.jail;
    setup.fence = fence;
    setup.user = account->name;
    setup.uid = account->uid;
    setup.gid = account->gid;
    setup.groups = account->groups;
    setup.group_count = account->group_count;
    setup.names = s->env->names;
    _exit(ftpproto_run(&setup));
}

/* Fork P or S over a fresh socketpair. Returns false if there is no room for another process. */
static bool start_child(struct session *s, void (*run)(struct session *, int))
{
    pid_t child;
    int fds[2];

    if (sysutil_socketpair(fds) == -1) {
        warn(s, "cannot start a service process", "socketpair");
        return false;
    }
    s->parent.priv_fd = fds[0];
    child = sysutil_fork();
    if (child == 0) {
        run(s, fds[1]);
    }
    s->child = child; /* behind the fork: the child writes nothing here, and shares the page */
    sysutil_close(&fds[1]);
    if (child == -1) {
        warn(s, "cannot start a service process", "fork");
        return false;
    }
    return true;
}

/* A child that did not end by itself and in order is news. */
static void report_child(const struct session *s, int status)
{
    struct str text = STR_INIT(128);
    struct log_record record = {.event = LOG_EVENT_WARNING};

    if (WIFSIGNALED(status)) {
        str_append_format(&text, "the service process was ended by signal %d (%s)%s",
                          WTERMSIG(status), strsignal(WTERMSIG(status)),
                          WTERMSIG(status) == SIGSYS ? ": a system call outside its sandbox" : "");
    } else if (WEXITSTATUS(status) != EXIT_STATUS_OK) {
        str_append_format(&text, "the service process ended with status %d", WEXITSTATUS(status));
    }
    if (text.len > 0) {
        record.text = str_text(&text);
        record.text_len = text.len;
        privparent_log(&s->parent, &record);
        log_message(LOG_ERR, "session %d (%s): %s", s->parent.pid, s->parent.peer_text,
                    str_text(&text));
    }
    str_free(&text);
}

/*
 * The child has closed its socket: it is ending. If it hangs all the same, the listener, which may
 * signal everybody, ends it together with our process group.
 */
static void reap_child(const struct session *s)
{
    int status;

    if (sysutil_wait_until(s->child, sysutil_now_ms() + CHILD_GRACE_MS, &status)) {
        report_child(s, status);
    }
}

/* End a child at once; only while N may do that (before login). */
static void end_child(const struct session *s)
{
    (void)kill(s->child, SIGKILL); /* ours and not reaped: the number is right */
    (void)sysutil_wait(s->child);
}

/* N after login: nobody, with one capability at most. */
static bool become_broker(struct session *s)
{
    const struct tunables *tun = s->parent.tun;
    struct privparent *parent = &s->parent;
    const struct privcap_plan plan = {
        .uid = s->env->auth->nopriv_uid,
        .gid = s->env->auth->nopriv_gid,
        .dir = empty_dir(s),
        .jail = !is_rootless(s),
        .bounds_empty = s->bounds_empty,
        .bind_service = tun->port_enable && tun->connect_from_port_20 &&
                        tun->ftp_data_port < LOWEST_FREE_PORT && privcap_can_bind_low(),
        .chown = tun->chown_uploads && parent->account.anonymous,
        .writes_files = true, /* the log */
        .max_open = BROKER_OPEN_FILES,
        .max_data_mib = BROKER_DATA_MIB,
    };
    const char *step = "";

    parent->bind_service = plan.bind_service;
    parent->gives_away = plan.chown;
    if (!privcap_become(&plan, &step)) {
        warn(s, "cannot give up root", step);
        return false;
    }
    if ((is_rootless(s) && !sandbox_limit_files(NULL)) || !enter_sandbox(s, SANDBOX_BROKER)) {
        warn(s, "cannot give up root", "landlock and seccomp");
        return false;
    }
    return true;
}

/* The session is somebody's now. */
static void show_login(struct session *s)
{
    static const enum scoreboard_access access_of[] = {
        [ACCOUNT_LOCAL] = SCOREBOARD_LOCAL,
        [ACCOUNT_GUEST] = SCOREBOARD_GUEST,
        [ACCOUNT_ANONYMOUS] = SCOREBOARD_ANONYMOUS,
    };
    const struct account *account = &s->parent.account;

    scoreboard_login(&s->board, account->name, access_of[account->kind]);
    proctitle_about(s->parent.peer_text, account->name);
    proctitle_show("connected", "");
}

/*
 * SECURITY: from here on only the relay holds the connection of the client; what comes through our
 * descriptor went through TLS. Returns false with a line in the log.
 */
static bool start_relay(struct session *s)
{
    int plain_fd;

    if (s->tls_fd == -1) {
        errno = ENOENT;
    }
    if (s->tls_fd == -1 || !tlslink_start(s->tls_fd, s->ctrl_fd, &plain_fd, &s->relay_fd)) {
        warn(s, "cannot start TLS", "miniftpd-tls");
        return false;
    }
    sysutil_close(&s->ctrl_fd);
    s->ctrl_fd = plain_fd;
    return true;
}

/* AUTH TLS: P holds the connection still, and says so to the client before it closes it. */
static void serve_tls(struct session *s)
{
    bool good = start_relay(s);

    privparent_answer_tls(&s->parent, good ? s->ctrl_fd : -1, s->relay_fd);
}

/* From the granted login on: P goes, S comes, N becomes nobody. */
static bool change_over(struct session *s)
{
    int places_fd = s->env->auth->places_fd;
    bool good;

    end_child(s);
    sysutil_close(&s->parent.priv_fd);
    s->parent.drain_told = false; /* S does not know what P knew */
    show_login(s);
    if (!start_child(s, run_service)) {
        give_up(s, "421 Service not available.\r\n");
    }
    sysutil_close(&s->ctrl_fd);
    sysutil_close(&s->relay_fd);
    sysutil_close(&s->tls_fd);
    sysutil_close(&s->parent.auth_fd);
    if (s->parent.tun->max_per_user == 0) {
        sysutil_close(&places_fd); /* else it holds the place of this session */
    }
    s->parent.phase = PRIV_PHASE_AFTER;
    good = become_broker(s);
    if (!good) {
        (void)kill(s->child, SIGKILL); /* if we still may; our end is its end in any case */
    }
    return good;
}

/* What N knows goes to the table of sessions; its directory is L's alone. */
static void enter_scoreboard(struct session *s)
{
    int dir_fd = s->env->scoreboard_fd;

    if (dir_fd != -1 && !scoreboard_enter(&s->board, dir_fd, s->parent.peer_text)) {
        log_message(LOG_WARNING, "session %d (%s) is not shown by --who: %s", s->parent.pid,
                    s->parent.peer_text, strerror(errno));
    }
    sysutil_close(&dir_fd);
}

/* One name for all records of the session, if there is a log that shows it. */
static void name_session(struct session *s)
{
    struct str id = STR_INIT(PRIVPARENT_ID_LEN);

    if (s->env->tun->json_log_file == NULL) {
        return;
    }
    str_append_format(&id, "%08x%08x", sysutil_random(UINT32_MAX), sysutil_random(UINT32_MAX));
    memcpy(s->parent.session_id, str_text(&id), id.len + 1);
    str_free(&id);
}

static void log_connect(const struct session *s)
{
    const struct log_record record = {.event = LOG_EVENT_CONNECT};

    privparent_log(&s->parent, &record);
}

/* Serve the child until the session is over; true if the child still has to be reaped. */
static void serve(struct session *s)
{
    for (;;) {
        switch (privparent_serve(&s->parent)) {
        case PRIVPARENT_LOGIN:
            if (!change_over(s)) {
                return;
            }
            break;
        case PRIVPARENT_TLS:
            serve_tls(s);
            break;
        case PRIVPARENT_CHILD_GONE:
            reap_child(s);
            return;
        case PRIVPARENT_BROKEN:
            if (s->parent.phase != PRIV_PHASE_AFTER) {
                end_child(s);
                return;
            }
            sysutil_close(&s->parent.priv_fd); /* which ends an honest S */
            reap_child(s);
            return;
        }
    }
}

void session_run(const struct session_env *env, int ctrl_fd)
{
    static struct session s; /* one session a process */

    s.env = env;
    s.ctrl_fd = ctrl_fd;
    s.parent.pid = (int)getpid();
    s.parent.tun = env->tun;
    s.parent.auth = env->auth;
    s.parent.phase = PRIV_PHASE_BEFORE;
    s.parent.priv_fd = s.parent.keeper_fd = -1;
    s.parent.auth_fd = env->auth_fd;
    s.relay_fd = -1;
    s.tls_fd = env->tls_fd;
    s.parent.has_tls_program = s.tls_fd != -1;
    if (!learn_addresses(&s)) {
        _exit(EXIT_STATUS_OK);
    }
    if (!privcap_begin_session(&s.bounds_empty)) {
        warn(&s, "cannot begin a session", "emptying the capability bounding set");
        give_up(&s, "421 Service not available.\r\n");
    }
    privparent_watch_drain();
    enter_scoreboard(&s);
    proctitle_about(s.parent.peer_text, "");
    proctitle_show("connected", "");
    set_control_options(ctrl_fd);
    name_session(&s);
    log_connect(&s);
    load_banner(&s);
    if (env->tun->implicit_ssl) {
        if (!start_relay(&s)) {
            _exit(EXIT_STATUS_ERROR); /* nothing can be said without TLS */
        }
        s.parent.tls = s.parent.protect = true;
    }
    if (!start_child(&s, run_greeter)) {
        give_up(&s, "421 Service not available.\r\n");
    }
    free(s.banner);
    s.banner = NULL;
    serve(&s);
    _exit(EXIT_STATUS_OK);
}
