/*
 * listener.c - the listener: accepts clients, counts them, forks a session parent for each
 *
 * Process: L, root with the few capabilities that sessions need.
 * Trusts:  the command line and the configuration.
 * Touches: the listening socket, the pid file, the log. Never reads a byte that a client sent.
 */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "config.h"
#include "conntab.h"
#include "log.h"
#include "netaddr.h"
#include "privcap.h"
#include "session.h"
#include "startup.h"
#include "str.h"
#include "sysutil.h"
#include "userdb.h"

#define ACCEPT_BATCH   64    /* clients taken before signals are looked at again */
#define SELECT_SECONDS 60    /* pselect never sleeps longer */
#define PAUSE_MS       100   /* no descriptors or processes left: let the clients wait */
#define WARN_EVERY_MS  10000 /* about that */

/* ---- signals ---- */

/* All that handlers touch. */
static volatile sig_atomic_t got_hangup, got_stop, got_child;

static void on_signal(int number)
{
    switch (number) {
    case SIGHUP:
        got_hangup = 1;
        break;
    case SIGCHLD:
        got_child = 1;
        break;
    default:
        got_stop = number;
        break;
    }
}

static const int handled_signals[] = {SIGHUP, SIGTERM, SIGINT, SIGCHLD};

/* Signals come in only while pselect waits, with `open_mask` in force. */
static void prepare_signals(sigset_t *open_mask)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked;

    sigemptyset(&blocked);
    for (size_t i = 0; i < ARRAY_LEN(handled_signals); i++) {
        sigaddset(&blocked, handled_signals[i]);
    }
    if (sigprocmask(SIG_BLOCK, &blocked, open_mask) == -1) {
        log_fatal("sigprocmask: %s", strerror(errno));
    }
    for (size_t i = 0; i < ARRAY_LEN(handled_signals); i++) {
        sigdelset(open_mask, handled_signals[i]);
        if (sigaction(handled_signals[i], &action, NULL) == -1) {
            log_fatal("sigaction: %s", strerror(errno));
        }
    }
    action.sa_handler = SIG_IGN;
    if (sigaction(SIGPIPE, &action, NULL) == -1) {
        log_fatal("sigaction: %s", strerror(errno));
    }
}

/* A session has no use for the listener's handlers. */
static void restore_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (size_t i = 0; i < ARRAY_LEN(handled_signals); i++) {
        (void)sigaction(handled_signals[i], &action, NULL); /* valid numbers: cannot fail */
    }
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Session parents that have ended. What may be left of such a session (its parent was killed, or a
 * child hangs) is ended with its process group, while the number still belongs to the dead parent.
 */
static void reap_sessions(struct listener *l)
{
    siginfo_t info;

    got_child = 0;
    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 || info.si_pid == 0) {
            return;
        }
        (void)kill(-info.si_pid, SIGKILL); /* ESRCH: nothing is left, as it should be */
        (void)sysutil_wait(info.si_pid);
        (void)conntab_remove(l->connections, info.si_pid); /* not a session: an orphan of one */
    }
}

/* Who is who, as the next session will need it: its processes cannot look it up any more. */
static void refresh_names(struct listener *l)
{
    const struct tunables *tun = &l->config->tun;

    /* a file that cannot be read leaves numbers in listings, and the names that were known */
    if (tun->text_userdb_names || tun->local_enable) {
        (void)userdb_refresh(l->names, "/etc/passwd", "/etc/group");
    }
}

/* ---- reload ---- */

/* SIGHUP: a fresh configuration, whole or not at all. */
static void reload(struct listener *l)
{
    struct str errors = STR_INIT(CONFIG_ERRORS_MAX);
    struct config *fresh = config_load(l->args, l->arg_count, l->config, &errors);

    got_hangup = 0;
    tzset();
    if (fresh != NULL && config_prepare_jail(fresh, &errors) && log_open(&fresh->tun, &errors)) {
        config_report_changes(l->config, fresh);
        config_free(l->config);
        l->config = fresh;
        refresh_names(l);
        malloc_trim(0);
    } else {
        config_report_errors(&errors);
        log_message(LOG_ERR, "the configuration was not read again; the old one stays in force");
        if (fresh != NULL) {
            config_free(fresh);
        }
    }
    str_free(&errors);
}

/* ---- accepting ---- */

/* Say 421 and hang up; no process is spent on it, and the client cannot make us wait. */
static void turn_away(int fd, const char *reply)
{
    (void)!send(fd, reply, strlen(reply), MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)close(fd);
}

/* In the new process: become N and never return. */
NORETURN static void become_session(struct listener *l, int ctrl_fd)
{
    const struct session_env env = {
        .tun = &l->config->tun,
        .auth = &l->config->auth,
        .sandbox = l->has_sandbox && l->config->tun.seccomp_sandbox ? &l->sandbox : NULL,
        .names = l->names,
    };

    restore_signals();
    (void)setpgid(0, 0); /* so that all of a session can be ended together */
    sysutil_close(&l->listen_fd);
    sysutil_close(&l->spare_fd);
    log_keep_stderr();
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (dup2(l->null_fd, fd) == -1) {
            _exit(EXIT_STATUS_ERROR);
        }
    }
    sysutil_close(&l->null_fd);
    session_run(&env, ctrl_fd);
}

/* Why this client cannot be served now, as a reply; NULL if it can. */
static const char *over_limit(const struct listener *l, const struct netaddr *from)
{
    const struct tunables *tun = &l->config->tun;

    if (tun->max_clients > 0 && conntab_total(l->connections) >= tun->max_clients) {
        return "421 Too many users are connected, please try again later.\r\n";
    }
    if (tun->max_per_ip > 0 && conntab_count(l->connections, from) >= tun->max_per_ip) {
        return "421 Too many connections from your address.\r\n";
    }
    return NULL;
}

/* No more accepting for a moment; said in the log, but not each time. */
static void pause_accepting(struct listener *l, const char *what, int error)
{
    int64_t now_ms = sysutil_now_ms();

    l->paused_until_ms = now_ms + PAUSE_MS;
    if (l->warned_ms == 0 || now_ms - l->warned_ms > WARN_EVERY_MS) {
        l->warned_ms = now_ms;
        log_message(LOG_WARNING, "%s: %s; clients have to wait", what, strerror(error));
    }
}

static void serve_client(struct listener *l, int fd)
{
    union netaddr_sockaddr sa;
    socklen_t len = sizeof(sa);
    struct netaddr from;
    const char *refusal;
    pid_t pid;

    if (getpeername(fd, &sa.sa, &len) == -1 || !netaddr_from_sockaddr(&from, &sa)) {
        (void)close(fd); /* gone before we came to it */
        return;
    }
    refusal = over_limit(l, &from);
    if (refusal != NULL) {
        turn_away(fd, refusal);
        return;
    }
    refresh_names(l);
    pid = fork();
    if (pid == 0) {
        become_session(l, fd);
    }
    if (pid == -1) {
        pause_accepting(l, "fork", errno);
        turn_away(fd, "421 Service not available.\r\n");
        return;
    }
    (void)setpgid(pid, pid); /* the child does it too; whoever comes first */
    if (!conntab_add(l->connections, pid, &from)) {
        log_message(LOG_WARNING, "no memory to count a session");
    }
    (void)close(fd);
}

/*
 * Out of descriptors: a client that stays in the queue would wake us for ever. Take it with the spare
 * one, say so, and pause.
 */
static void accept_failed(struct listener *l, int error)
{
    pause_accepting(l, "accept", error);
    if ((error == EMFILE || error == ENFILE) && l->spare_fd != -1) {
        int fd;

        sysutil_close(&l->spare_fd);
        fd = sysutil_accept(l->listen_fd, SOCK_NONBLOCK);
        if (fd != -1) {
            turn_away(fd, "421 Service not available.\r\n");
        }
    }
    if (l->spare_fd == -1) {
        l->spare_fd = fcntl(l->null_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    }
}

/* Errors of accept(2) that belong to one client: accept(2), "Error handling". */
static bool is_clients_fault(int error)
{
    return error == ECONNABORTED || error == EPROTO || error == ENOPROTOOPT || error == ENETDOWN ||
           error == EHOSTDOWN || error == ENONET || error == EHOSTUNREACH || error == ENETUNREACH ||
           error == EOPNOTSUPP || error == ETIMEDOUT || error == EPERM;
}

static void accept_clients(struct listener *l)
{
    for (int i = 0; i < ACCEPT_BATCH && l->paused_until_ms == 0; i++) {
        int fd = sysutil_accept(l->listen_fd, 0);

        if (fd != -1) {
            serve_client(l, fd);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (!is_clients_fault(errno)) {
            accept_failed(l, errno);
        }
    }
}

/* Sleep until a client or a signal comes, or a pause ends. True if there is a client. */
static bool wait_for_client(struct listener *l)
{
    struct timespec timeout = {.tv_sec = SELECT_SECONDS};
    fd_set readable;
    int ready;

    FD_ZERO(&readable);
    if (l->paused_until_ms == 0) {
        FD_SET(l->listen_fd, &readable);
    } else {
        timeout.tv_sec = 0;
        timeout.tv_nsec = (long)PAUSE_MS * 1000000;
    }
    ready = pselect(l->listen_fd + 1, &readable, NULL, NULL, &timeout, &l->open_mask);
    if (l->paused_until_ms != 0 && sysutil_now_ms() >= l->paused_until_ms) {
        l->paused_until_ms = 0;
    }
    return ready > 0;
}

/* Ctrl-C at a terminal means everything; SIGTERM leaves running sessions alone. */
static void end_sessions(const struct listener *l)
{
    size_t count = conntab_total(l->connections);
    pid_t *pids = calloc(count + 1, sizeof(*pids));

    if (pids == NULL) {
        return;
    }
    count = conntab_list(l->connections, pids, count);
    for (size_t i = 0; i < count; i++) {
        (void)kill(-pids[i], SIGKILL); /* not reaped, so the number is theirs */
    }
    free(pids);
}

void listener_run(struct listener *l)
{
    while (got_stop == 0) {
        if (wait_for_client(l)) {
            accept_clients(l);
        }
        if (got_child != 0) {
            reap_sessions(l);
        }
        if (got_hangup != 0) {
            reload(l);
        }
    }
    sysutil_close(&l->listen_fd);
    if (got_stop == SIGINT) {
        end_sessions(l);
    }
    if (l->config->tun.pid_file != NULL) {
        (void)unlink(l->config->tun.pid_file); /* a stale one is overwritten at the next start */
    }
    log_message(LOG_INFO, "stopped%s",
                got_stop != SIGINT && conntab_total(l->connections) > 0
                    ? "; running sessions go on to their end"
                    : "");
}

/* ---- start and end ---- */

/* The filters are built in any case: a reload may ask for them. */
static void prepare_sandbox(struct listener *l)
{
    struct str error = STR_INIT(256);
    bool wanted = l->config->tun.seccomp_sandbox;
    const char *why;

    if (!sandbox_available(&why)) {
        log_message(LOG_WARNING, "%s: sessions run without system call filters", why);
    } else if (!sandbox_build(&l->sandbox, &error)) {
        log_fatal("%s", str_text(&error));
    } else if (wanted && !sandbox_enter(&l->sandbox, SANDBOX_BASE)) {
        log_fatal("cannot load a system call filter: %s", strerror(errno));
    } else {
        l->has_sandbox = true;
    }
    if (l->has_sandbox && !wanted) {
        log_message(LOG_WARNING, "seccomp_sandbox=NO: sessions run without system call filters");
    }
    str_free(&error);
}

void listener_prepare(struct listener *l, char **args, int arg_count)
{
    struct str errors = STR_INIT(CONFIG_ERRORS_MAX);
    const char *step;

    *l = (struct listener){.args = args, .arg_count = arg_count, .listen_fd = -1};
    if (geteuid() != 0) {
        log_fatal("must be started as root: it binds port 21 and becomes the users who log in");
    }
    l->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (l->null_fd == -1) {
        log_fatal("/dev/null: %s", strerror(errno));
    }
    l->config = config_load(l->args, l->arg_count, NULL, &errors);
    if (l->config == NULL || !config_prepare_jail(l->config, &errors)) {
        config_report_errors(&errors);
        exit(EXIT_STATUS_USAGE);
    }
    prepare_signals(&l->open_mask); /* before anybody can see that we are there */
    l->listen_fd = startup_listen(&l->config->tun);
    if (!log_open(&l->config->tun, &errors)) {
        log_fatal("%s", str_text(&errors));
    }
    l->connections = conntab_new();
    l->names = userdb_new();
    l->spare_fd = fcntl(l->null_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (l->connections == NULL || l->names == NULL || l->spare_fd == -1) {
        log_fatal("%s", strerror(errno));
    }
    refresh_names(l);
    prepare_sandbox(l);
    if (!privcap_become_listener(l->config->tun.max_clients, &step)) {
        log_fatal("%s: %s", step, strerror(errno));
    }
    str_free(&errors);
}

void listener_free(struct listener *l)
{
    conntab_free(l->connections);
    userdb_free(l->names);
    config_free(l->config);
}
