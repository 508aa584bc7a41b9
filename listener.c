/*
 * listener.c - the listener: accepts clients, counts them, forks a session parent for each
 *
 * Process: L, root with the few capabilities that sessions need. With the one client of inetd it
 *          becomes N after the same preparations.
 * Trusts:  the command line, the configuration and the sockets of its starter.
 * Touches: the listening sockets, the pid file, the log, the service manager. Never reads a byte that a
 *          client sent.
 */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "authhelper.h"
#include "common.h"
#include "config.h"
#include "conntab.h"
#include "log.h"
#include "netaddr.h"
#include "privcap.h"
#include "scoreboard.h"
#include "session.h"
#include "startup.h"
#include "str.h"
#include "sysutil.h"
#include "tlshelper.h"
#include "userdb.h"

#define ACCEPT_BATCH   64    /* clients taken before signals are looked at again */
#define SLEEP_MS       60000 /* ppoll never sleeps longer */
#define PAUSE_MS       100   /* no descriptors or processes left: let the clients wait */
#define REAP_ALL_MS    100   /* after a child has ended, for those who ended with it */
#define WARN_EVERY_MS  10000 /* about that */
#define HELPERS        2     /* programs beside us that are watched */
#define DRAIN_EVERY_MS 1000  /* sessions are told again: one may have begun just before */

/* ---- signals ---- */

/* All that handlers touch. */
static volatile sig_atomic_t got_hangup, got_stop, got_child, got_drain;
static volatile sig_atomic_t
    ended_child; /* whom SIGCHLD named; it does not name all who end at once */

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    switch (number) {
    case SIGHUP:
        got_hangup = 1;
        break;
    case SIGCHLD:
        got_child = 1;
        ended_child = info->si_pid;
        break;
    case SIGUSR1:
        got_drain = 1;
        break;
    default:
        got_stop = number;
        break;
    }
}

static const int handled_signals[] = {SIGHUP, SIGTERM, SIGINT, SIGCHLD, SIGUSR1};

/* Signals come in only while ppoll waits, with `open_mask` in force. */
static void prepare_signals(sigset_t *open_mask)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
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
    action = (struct sigaction){.sa_handler = SIG_IGN};
    if (sigaction(SIGPIPE, &action, NULL) == -1) {
        log_fatal("sigaction: %s", strerror(errno));
    }
}

/* A session has no use for the listener's handlers, and one of its own for SIGUSR1, blocked until then. */
static void restore_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t blocked;

    for (size_t i = 0; i < ARRAY_LEN(handled_signals); i++) {
        if (handled_signals[i] != SIGUSR1) {
            (void)sigaction(handled_signals[i], &action, NULL); /* valid numbers: cannot fail */
        }
    }
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    (void)sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/*
 * A child that has ended; of a session what may be left of it (its parent was killed, or a child hangs) is
 * ended with its process group, while the number still belongs to the dead parent.
 */
static void reap(struct listener *l, pid_t pid)
{
    (void)kill(-pid, SIGKILL); /* ESRCH: nothing is left, as it should be */
    (void)sysutil_wait(pid);
    if (resolver_take(&l->resolver, pid)) {
        l->paused_until_ms = 0; /* at the start clients wait for this */
    } else {
        (void)conntab_remove(l->connections, pid); /* not a session: an orphan of one */
        scoreboard_forget(l->scoreboard_fd, pid);
    }
}

/* A child that has ended and is not reaped: `which` of waitid(2). 0: there is none. */
static pid_t ended(idtype_t which, pid_t pid)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(which, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ? info.si_pid : 0;
}

/* Everybody who has ended. */
static void reap_all(struct listener *l)
{
    pid_t pid;

    got_child = 0;
    l->next_reap_ms = 0;
    while ((pid = ended(P_ALL, 0)) > 0) {
        reap(l, pid);
    }
}

/*
 * SIGCHLD came: whom it named is taken at once. The others are looked for a little later, and for all signals of that time
 * together, since the kernel goes through all sessions for that.
 */
static void reap_named(struct listener *l)
{
    pid_t pid = ended_child;

    got_child = 0;
    if (l->next_reap_ms == 0) {
        l->next_reap_ms = sysutil_now_ms() + REAP_ALL_MS;
    }
    if (pid > 0 && ended(P_PID, pid) == pid) {
        reap(l, pid);
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

/* What the configuration has names for is looked up from now on. */
static void look_up_names(struct listener *l)
{
    const struct auth *auth = &l->config->auth;

    resolver_configure(&l->resolver, &l->config->tun, auth->nopriv_uid, auth->nopriv_gid);
}

/* The program that does TLS, with the certificates as they are now. */
static bool start_tls(struct listener *l, const struct config *config, struct str *errors)
{
    return tlshelper_start(&l->tls, &config->tun, config->auth.nopriv_uid, config->auth.nopriv_gid,
                           errors);
}

/* Without a log service is better than none. */
static void open_logs(const struct tunables *tun)
{
    struct str error = STR_INIT(CONFIG_ERRORS_MAX);

    if (!log_open(tun, &error)) {
        log_message(LOG_WARNING, "%s", str_text(&error));
    }
    str_free(&error);
}

/* ---- reload ---- */

/* SIGHUP: a fresh configuration, whole or not at all. */
static void reload(struct listener *l)
{
    struct str errors = STR_INIT(CONFIG_ERRORS_MAX);
    struct config *fresh;

    got_hangup = 0;
    sysutil_unpack_heap();
    fresh = config_load(l->args, l->arg_count, l->config, &errors);
    sdnotify_reloading(&l->notify);
    tzset();
    if (fresh != NULL && config_prepare_jail(fresh, &errors) && start_tls(l, fresh, &errors) &&
        authhelper_start(&l->auth, &fresh->tun, &errors)) {
        open_logs(&fresh->tun);
        config_report_changes(l->config, fresh);
        config_free(l->config);
        l->config = fresh;
        refresh_names(l);
        look_up_names(l);
        malloc_trim(0);
    } else {
        config_report_errors(&errors);
        log_message(LOG_ERR, "the configuration was not read again; the old one stays in force");
        if (fresh != NULL) {
            config_free(fresh);
        }
    }
    sdnotify_send(&l->notify, "READY=1");
    str_free(&errors);
    sysutil_pack_heap();
}

/* ---- drain ---- */

/*
 * Tell all sessions to end when they have nothing under way. It is said again and again: a session that
 * was just being born may have missed it, and one that knows it takes no harm.
 */
static void tell_sessions_to_end(struct listener *l)
{
    size_t count = conntab_total(l->connections);
    pid_t *pids = calloc(count + 1, sizeof(*pids));

    l->next_drain_ms = sysutil_now_ms() + DRAIN_EVERY_MS;
    if (pids == NULL) {
        return; /* next time */
    }
    count = conntab_list(l->connections, pids, count);
    for (size_t i = 0; i < count; i++) {
        (void)kill(pids[i], SIGUSR1); /* not reaped, so the number is theirs */
    }
    free(pids);
    sdnotify_send(&l->notify, "STATUS=draining, sessions left: %zu", count);
}

/* SIGUSR1, and from then on once in a while. */
static void drain(struct listener *l)
{
    if (!l->draining) {
        l->draining = true;
        log_message(LOG_INFO,
                    "draining: no new sessions, transfers are finished; sessions left: %zu",
                    conntab_total(l->connections));
        tell_sessions_to_end(l);
    } else if (sysutil_now_ms() >= l->next_drain_ms) {
        tell_sessions_to_end(l);
    }
}

/* ---- accepting ---- */

/* Say 421 and hang up; no process is spent on it, and the client cannot make us wait. */
static void turn_away(int fd, const char *reply)
{
    (void)!send(fd, reply, strlen(reply), MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)close(fd);
}

static void close_listening(struct listener *l)
{
    for (unsigned i = 0; i < l->listen_count; i++) {
        sysutil_close(&l->listen_fds[i]);
    }
    l->listen_count = 0;
}

/* In the new process: become N and never return. */
NORETURN static void become_session(struct listener *l, int ctrl_fd)
{
    const struct session_env env = {
        .tun = &l->config->tun,
        .auth = &l->config->auth,
        .sandbox = l->has_sandbox && l->config->tun.seccomp_sandbox ? &l->sandbox : NULL,
        .names = l->names,
        .resolver = &l->resolver,
        .scoreboard_fd = l->scoreboard_fd,
        .auth_fd = l->auth.request_fd,
        .tls_fd = l->tls.request_fd,
    };

    restore_signals();
    resolver_leave(&l->resolver);
    (void)setpgid(0, 0); /* so that all of a session can be ended together */
    close_listening(l);
    sdnotify_close(&l->notify);
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

/* Why a client cannot be served: what it hears, and the text that vsftpd logs. */
struct refusal {
    const char *reply;
    const char *logged;
};

/* NULL if this client can be served. */
static const struct refusal *over_limit(const struct listener *l, const struct netaddr *from)
{
    static const struct refusal going_down = {
        "421 The service is going down, please try again later.\r\n",
        "Connection refused: the service is going down."};
    static const struct refusal too_many = {
        "421 Too many users are connected, please try again later.\r\n",
        "Connection refused: too many sessions."};
    static const struct refusal too_many_from_there = {
        "421 Too many connections from your address.\r\n",
        "Connection refused: too many sessions for this address."};
    const struct tunables *tun = &l->config->tun;

    if (l->draining) {
        return &going_down;
    }
    if (tun->max_clients > 0 && conntab_total(l->connections) >= tun->max_clients) {
        return &too_many;
    }
    if (tun->max_per_ip > 0 && conntab_count(l->connections, from) >= tun->max_per_ip) {
        return &too_many_from_there;
    }
    return NULL;
}

static void refuse_client(int fd, const struct netaddr *from, const struct refusal *refusal)
{
    char peer[NETADDR_TEXT_MAX];
    const struct log_who who = {.pid = (int)getpid(), .user = "", .peer = peer};
    const struct log_record record = {
        .event = LOG_EVENT_CONNECT, .text = refusal->logged, .text_len = strlen(refusal->logged)};

    turn_away(fd, refusal->reply);
    netaddr_text(from, peer);
    log_record(&who, &record);
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

static void serve_client(struct listener *l, int fd, const union netaddr_sockaddr *sa)
{
    struct netaddr from;
    const struct refusal *refusal;
    pid_t pid;

    if (!netaddr_from_sockaddr(&from, sa)) {
        (void)close(fd); /* of a family that is not ours */
        return;
    }
    log_refresh();
    refusal = over_limit(l, &from);
    if (refusal != NULL) {
        reap_all(l); /* those that ended since the last look do not count */
        refusal = over_limit(l, &from);
    }
    if (refusal != NULL) {
        refuse_client(fd, &from, refusal);
        return;
    }
    refresh_names(l);
    pid = sysutil_fork();
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
static void accept_failed(struct listener *l, int listen_fd, int error)
{
    pause_accepting(l, "accept", error);
    if ((error == EMFILE || error == ENFILE) && l->spare_fd != -1) {
        int fd;

        sysutil_close(&l->spare_fd);
        fd = sysutil_accept(listen_fd, SOCK_NONBLOCK);
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

static void accept_clients(struct listener *l, int listen_fd)
{
    for (int i = 0; i < ACCEPT_BATCH && l->paused_until_ms == 0; i++) {
        union netaddr_sockaddr from = {0};
        socklen_t len = sizeof(from);
        int fd = sysutil_accept_from(listen_fd, 0, &from.sa, &len);

        if (fd != -1) {
            serve_client(l, fd, &from);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (!is_clients_fault(errno)) {
            accept_failed(l, listen_fd, errno);
        }
    }
}

static int64_t least_ms(int64_t ms, int64_t due_ms, int64_t now_ms)
{
    return due_ms != 0 && due_ms - now_ms < ms ? due_ms - now_ms : ms;
}

/* How long the listener may sleep. */
static struct timespec sleep_time(const struct listener *l)
{
    int64_t now_ms = sysutil_now_ms();
    int64_t ms = SLEEP_MS;

    if (l->paused_until_ms != 0) {
        ms = PAUSE_MS;
    } else if (l->draining) {
        ms = l->next_drain_ms - now_ms;
    }
    ms = least_ms(ms, l->next_reap_ms, now_ms);
    ms = least_ms(ms, resolver_due_ms(&l->resolver), now_ms);
    ms = least_ms(ms, tlshelper_due_ms(&l->tls), now_ms);
    ms = least_ms(ms, authhelper_due_ms(&l->auth), now_ms);
    ms = ms < 0 ? 0 : ms;
    return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}

/* Sleep until clients or a signal come, or a pause ends; take the clients in. */
static void wait_for_clients(struct listener *l)
{
    struct pollfd fds[HELPERS + INHERIT_SOCKETS_MAX];
    const struct timespec timeout = sleep_time(l);
    int ready;

    fds[0] = (struct pollfd){.fd = l->tls.request_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = l->auth.request_fd, .events = POLLIN};
    for (unsigned i = 0; i < l->listen_count; i++) {
        fds[HELPERS + i] = (struct pollfd){.fd = l->listen_fds[i], .events = POLLIN};
    }
    ready = ppoll(fds, HELPERS + (l->paused_until_ms == 0 ? l->listen_count : 0), &timeout,
                  &l->open_mask);
    if (l->paused_until_ms != 0 && sysutil_now_ms() >= l->paused_until_ms) {
        l->paused_until_ms = 0;
    }
    if (ready <= 0) {
        return;
    }
    if (fds[0].revents != 0) {
        tlshelper_lost(&l->tls);
    }
    if (fds[1].revents != 0) {
        authhelper_lost(&l->auth);
    }
    for (unsigned i = 0; l->paused_until_ms == 0 && i < l->listen_count; i++) {
        if (fds[HELPERS + i].revents != 0) {
            accept_clients(l, fds[HELPERS + i].fd);
        }
    }
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

/* What becomes of the sessions, for the log. */
static const char *last_words(const struct listener *l)
{
    if (got_stop == 0) {
        return ": drained, the last session has ended";
    }
    if (got_stop == SIGINT || conntab_total(l->connections) == 0) {
        return "";
    }
    /* the end of process 1 is the end of its container */
    return getpid() == 1 ? "; running sessions end with this container"
                         : "; running sessions go on to their end";
}

/* Without the table "miniftpd --who" shows nothing, and service goes on. */
static void open_scoreboard(struct listener *l)
{
    const char *path = l->config->tun.scoreboard_dir;
    struct str error = STR_INIT(SCOREBOARD_PATH_MAX + 256);

    if (path != NULL) {
        l->scoreboard_fd = scoreboard_open(path, &error);
    }
    if (error.len > 0) {
        log_message(LOG_WARNING,
                    "scoreboard_dir=%s: %s; " MINIFTPD_NAME " --who cannot show the "
                    "sessions of this daemon",
                    path, str_text(&error));
    }
    str_free(&error);
}

void listener_run(struct listener *l)
{
    open_scoreboard(l); /* now: its process does not change any more */
    look_up_names(l);
    if (resolver_is_starting(&l->resolver)) {
        l->paused_until_ms =
            sysutil_now_ms() + RESOLVER_START_MS; /* the first clients need it, too */
    }
    sysutil_pack_heap();
    sdnotify_send(&l->notify, "READY=1\nSTATUS=serving\nMAINPID=%d", (int)getpid());
    while (got_stop == 0 && (!l->draining || conntab_total(l->connections) > 0)) {
        wait_for_clients(l);
        if (got_child != 0) {
            reap_named(l);
        }
        if (l->next_reap_ms != 0 && sysutil_now_ms() >= l->next_reap_ms) {
            reap_all(l);
        }
        if (got_hangup != 0) {
            reload(l);
        }
        resolver_work(&l->resolver);
        tlshelper_work(&l->tls, &l->config->tun, l->config->auth.nopriv_uid,
                       l->config->auth.nopriv_gid);
        authhelper_work(&l->auth, &l->config->tun);
        if (got_drain != 0) {
            drain(l);
        }
    }
    sdnotify_send(&l->notify, "STOPPING=1");
    close_listening(l);
    tlshelper_leave(&l->tls);
    authhelper_leave(&l->auth);
    if (got_stop == SIGINT) {
        end_sessions(l);
    }
    if (l->config->tun.pid_file != NULL) {
        (void)unlink(l->config->tun.pid_file); /* a stale one is overwritten at the next start */
    }
    scoreboard_close(&l->scoreboard_fd);
    log_message(LOG_INFO, "stopped%s", last_words(l));
}

void listener_serve_one(struct listener *l)
{
    look_up_names(l);
    resolver_wait(&l->resolver);
    become_session(l, l->client_fd);
}

/* ---- start and end ---- */

/* Where the clients come from: sockets that are there already, ours, or a client that is here. */
static void prepare_sockets(struct listener *l, const struct inherit *given)
{
    const struct tunables *tun = &l->config->tun;

    if (given->listen_count > 0) {
        memcpy(l->listen_fds, given->listen_fds, sizeof(l->listen_fds));
        l->listen_count = given->listen_count;
        return;
    }
    if (given->client_fd != -1) {
        if (given->on_standard_input && (tun->listen || tun->listen_ipv6)) {
            log_message(
                LOG_ERR,
                "standard input is a client, as from inetd, but %s=YES: set listen=NO and "
                "listen_ipv6=NO to serve it, or start the daemon with another standard input",
                tun->listen_ipv6 ? "listen_ipv6" : "listen");
            exit(EXIT_STATUS_USAGE);
        }
        l->client_fd = given->client_fd;
        return;
    }
    if (!tun->listen && !tun->listen_ipv6) {
        log_message(LOG_ERR, "listen=NO and listen_ipv6=NO: inetd or systemd has to start the "
                             "program with a client on standard input, and there is none; set "
                             "listen=YES or listen_ipv6=YES for a daemon that listens itself");
        exit(EXIT_STATUS_USAGE);
    }
    l->listen_fds[l->listen_count++] = startup_listen(tun);
}

void listener_prepare(struct listener *l, char **args, int arg_count, const struct inherit *given)
{
    struct str errors = STR_INIT(CONFIG_ERRORS_MAX);
    const char *step;

    *l = (struct listener){
        .args = args, .arg_count = arg_count, .client_fd = -1, .scoreboard_fd = -1};
    resolver_init(&l->resolver);
    tlshelper_init(&l->tls);
    authhelper_init(&l->auth);
    sdnotify_open(&l->notify);
    l->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (l->null_fd == -1) {
        log_fatal("/dev/null: %s", strerror(errno));
    }
    l->config = config_load(l->args, l->arg_count, NULL, &errors);
    if (l->config != NULL) {
        startup_check_rights(&l->config->tun);
    }
    if (l->config == NULL || !config_prepare_jail(l->config, &errors) ||
        !start_tls(l, l->config, &errors)) {
        config_report_errors(&errors);
        exit(EXIT_STATUS_USAGE);
    }
    startup_take_title(&l->config->tun, l->args, l->arg_count);
    prepare_signals(&l->open_mask); /* before anybody can see that we are there */
    open_logs(&l->config->tun);     /* first: log_die=YES wants to know what goes wrong next */
    prepare_sockets(l, given);
    l->connections = conntab_new();
    l->names = userdb_new();
    l->spare_fd = fcntl(l->null_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (l->connections == NULL || l->names == NULL || l->spare_fd == -1) {
        log_fatal("%s", strerror(errno));
    }
    refresh_names(l);
    l->has_sandbox = startup_enter_sandbox(&l->config->tun, &l->sandbox);
    if (!privcap_become_listener(l->config->tun.max_clients, &step)) {
        log_fatal("%s: %s%s", step, strerror(errno),
                  errno == EPERM ? "; is this a container or user namespace without that right?"
                                 : "");
    }
    startup_warn_of_missing(&l->config->tun);
    if (!authhelper_start(&l->auth, &l->config->tun,
                          &errors)) { /* with the rights that we have now */
        config_report_errors(&errors);
        exit(EXIT_STATUS_ERROR);
    }
    str_free(&errors);
}

void listener_free(struct listener *l)
{
    resolver_free(&l->resolver);
    sdnotify_close(&l->notify);
    conntab_free(l->connections);
    userdb_free(l->names);
    config_free(l->config);
}
