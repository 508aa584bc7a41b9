/*
 * main.c - arguments, the configuration, and the listener
 *
 * Process: L, root. Accepts, counts, forks one N per client.
 * Trusts:  the command line and the configuration.
 * Touches: the listening socket, the pid file, the log. Never reads a byte that a client sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "auth.h"
#include "common.h"
#include "conntab.h"
#include "log.h"
#include "netaddr.h"
#include "parseconf.h"
#include "privcap.h"
#include "sandbox.h"
#include "session.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"
#include "userdb.h"

#define DEFAULT_CONFIG "/etc/" MINIFTPD_NAME ".conf"
#define ERRORS_MAX     (256 * 1024)
#define LISTEN_BACKLOG 4096
#define ACCEPT_BATCH   64    /* clients taken before signals are looked at again */
#define SELECT_SECONDS 60    /* pselect never sleeps longer */
#define PAUSE_MS       100   /* no descriptors or processes left: let the clients wait */
#define WARN_EVERY_MS  10000 /* about that */

/* What the command line asks for. */
enum action { ACTION_RUN, ACTION_TEST, ACTION_VERSION, ACTION_SAMPLE, ACTION_MANUAL, ACTION_HELP };

/* A configuration and all that was prepared for it. */
struct config {
    struct tunables tun;
    struct auth auth;
};

struct listener {
    char **args; /* files and -o settings, in order */
    int arg_count;
    struct config *config; /* the one in force */
    struct sandbox sandbox;
    bool has_sandbox;
    struct conntab *connections;
    struct userdb *names; /* of users and groups, for listings */
    int listen_fd;
    int null_fd;
    int spare_fd; /* closed for a moment when descriptors run out */
    int64_t paused_until_ms;
    int64_t warned_ms;
};

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

/* ---- configuration ---- */

static void usage(FILE *out)
{
    fprintf(out, "Usage: " MINIFTPD_NAME " [-t] [file]... [-oname=value]...\n"
                 "The FTP daemon. Files and settings count in the order in which they stand;\n"
                 "without a file " DEFAULT_CONFIG " is read first.\n"
                 "  -oname=value      set one option\n"
                 "  -t                check the configuration and end\n"
                 "  -v                print name and version\n"
                 "  --print-sample    print a configuration file with all options\n"
                 "  --print-manual    print the options as a part of a manual page\n"
                 "  -h, --help        print this\n");
}

/* Sort the arguments: what to do, and what to configure (kept in place, *arg_count of them). */
static bool parse_arguments(int argc, char **argv, enum action *action, int *arg_count)
{
    static const struct {
        const char *text;
        enum action action;
    } words[] = {
        {"-t", ACTION_TEST},           {"-v", ACTION_VERSION},
        {"-h", ACTION_HELP},           {"--print-sample", ACTION_SAMPLE},
        {"--help", ACTION_HELP},       {"--print-manual", ACTION_MANUAL},
        {"--version", ACTION_VERSION},
    };

    *action = ACTION_RUN;
    *arg_count = 0;
    for (int i = 1; i < argc; i++) {
        bool known = argv[i][0] != '-' || (argv[i][1] == 'o' && argv[i][2] != '\0');

        if (known) {
            argv[(*arg_count)++] = argv[i];
            continue;
        }
        for (size_t w = 0; w < ARRAY_LEN(words); w++) {
            if (strcmp(argv[i], words[w].text) == 0) {
                *action = words[w].action;
                known = true;
            }
        }
        if (!known) {
            fprintf(stderr, MINIFTPD_NAME ": unknown argument '%s'\n", argv[i]);
            return false;
        }
    }
    return true;
}

/* Read files and settings in order into `tun`. */
static bool load_settings(char **args, int arg_count, struct tunables *tun, struct str *errors)
{
    bool has_file = false;
    bool good = true;

    for (int i = 0; i < arg_count; i++) {
        has_file = has_file || args[i][0] != '-';
    }
    /* as vsftpd: settings alone do without the default file, but do not hide it */
    if (!has_file && (arg_count == 0 || access(DEFAULT_CONFIG, F_OK) == 0)) {
        good = parseconf_load_file(DEFAULT_CONFIG, tun, errors);
    }
    for (int i = 0; i < arg_count; i++) {
        bool fine = args[i][0] == '-' ? parseconf_load_setting(args[i] + 2, args[i], tun, errors)
                                      : parseconf_load_file(args[i], tun, errors);

        good = good && fine;
    }
    return good;
}

/*
 * Read, check and prepare a configuration. `old` is the one in force, or NULL.
 * Returns NULL with all errors, one a line.
 */
static struct config *load_config(char **args, int arg_count, const struct config *old,
                                  struct str *errors)
{
    struct config *config = calloc(1, sizeof(*config));
    bool good;

    if (config == NULL) {
        str_append(errors, "no memory\n");
        return NULL;
    }
    tunable_init(&config->tun);
    good = load_settings(args, arg_count, &config->tun, errors);
    if (config->tun.listen_ipv6 && !config->tun.listen_is_set) {
        config->tun.listen = false;
    }
    good = good && tunable_check(&config->tun, errors);
    if (!good ||
        !auth_prepare(&config->auth, &config->tun, old != NULL ? &old->auth : NULL, errors)) {
        tunable_free(&config->tun);
        free(config);
        return NULL;
    }
    return config;
}

static void free_config(struct config *config)
{
    auth_release(&config->auth);
    tunable_free(&config->tun);
    free(config);
}

/* Each line of `errors` as a message of its own. */
static void report_errors(const struct str *errors)
{
    const char *line = str_text(errors);

    while (*line != '\0') {
        size_t len = strcspn(line, "\n");

        log_message(LOG_ERR, "%.*s", (int)len, line);
        line += len;
        line += *line == '\n';
    }
}

/* ---- the environment: directory, socket, pid file ---- */

/* Make a directory and those above it. */
static bool make_directories(const char *path)
{
    char *copy = strdup(path);
    bool good = copy != NULL;

    for (char *slash = copy; good && slash != NULL;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
        good = mkdir(copy, 0755) == 0 || errno == EEXIST;
        if (slash != NULL) {
            *slash = '/';
        }
    }
    free(copy);
    return good;
}

/* Can nopriv_user get there? A process of its own finds out by becoming that user. */
static bool jail_is_in_reach(const struct config *config)
{
    const struct privcap_plan plan = {
        .uid = config->auth.nopriv_uid,
        .gid = config->auth.nopriv_gid,
        .dir = config->tun.secure_chroot_dir,
    };
    pid_t pid = fork();

    if (pid == 0) {
        _exit(privcap_can_enter(&plan) ? EXIT_STATUS_OK : EXIT_STATUS_ERROR);
    }
    return pid != -1 && sysutil_wait(pid) == 0;
}

/* SECURITY: the jail of P and N must not be anybody's to fill. */
static bool prepare_jail(const struct config *config, struct str *errors)
{
    const char *path = config->tun.secure_chroot_dir;
    struct stat st;

    if (stat(path, &st) == -1 &&
        (errno != ENOENT || !make_directories(path) || stat(path, &st) == -1)) {
        str_append_format(errors, "secure_chroot_dir=%s: %s\n", path, strerror(errno));
        return false;
    }
    if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        str_append_format(errors,
                          "secure_chroot_dir=%s must be a directory of root that nobody "
                          "else can write\n",
                          path);
        return false;
    }
    if (!jail_is_in_reach(config)) {
        str_append_format(errors,
                          "secure_chroot_dir=%s: the account nopriv_user=%s cannot enter it\n",
                          path, config->tun.nopriv_user);
        return false;
    }
    return true;
}

/* Where to listen. */
static struct netaddr listen_address(const struct tunables *tun, bool ipv6)
{
    const char *text = ipv6 ? tun->listen_address6 : tun->listen_address;
    struct netaddr addr = {.family = ipv6 ? AF_INET6 : AF_INET};

    if (text != NULL && !netaddr_parse(text, addr.family, &addr)) {
        bug("tunable_check has seen this address");
    }
    addr.port = (uint16_t)tun->listen_port;
    return addr;
}

static void listen_failed(const struct netaddr *addr, int error)
{
    char text[NETADDR_TEXT_MAX];

    netaddr_text(addr, text);
    if (error == EADDRINUSE) {
        log_fatal("cannot listen on %s port %u: the port is taken. Is another FTP server running? "
                  "Stop it, or choose another port with listen_port.",
                  text, (unsigned)addr->port);
    }
    log_fatal("cannot listen on %s port %u: %s", text, (unsigned)addr->port, strerror(error));
}

/* Open the listening socket; a machine without IPv6 listens on IPv4 instead. */
static int open_listener(const struct tunables *tun)
{
    bool ipv6 = tun->listen_ipv6;

    for (;;) {
        struct netaddr addr = listen_address(tun, ipv6);
        union netaddr_sockaddr sa;
        socklen_t len = netaddr_to_sockaddr(&addr, &sa);
        int fd = sysutil_tcp_server(&sa.sa, len, LISTEN_BACKLOG, false);

        if (fd != -1) {
            return fd;
        }
        if (errno != EAFNOSUPPORT || !ipv6 || tun->listen_address6 != NULL) {
            listen_failed(&addr, errno);
        }
        log_message(LOG_WARNING, "this machine has no IPv6; listening on IPv4 only");
        ipv6 = false;
    }
}

static void write_pid_file(const char *path, pid_t pid)
{
    struct str text = STR_INIT(32);
    int fd;

    if (path == NULL) {
        return;
    }
    str_append_int(&text, pid);
    str_append_char(&text, '\n');
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd == -1 || sysutil_writen(fd, str_text(&text), text.len) == -1) {
        log_fatal("cannot write pid_file=%s: %s", path, strerror(errno));
    }
    sysutil_close(&fd);
    str_free(&text);
}

/* Leave the terminal. Everything that can go wrong has been done; the parent returns success. */
static void daemonise(const struct listener *l)
{
    pid_t pid = fork();

    if (pid == -1) {
        log_fatal("cannot start in the background: %s", strerror(errno));
    }
    if (pid > 0) {
        write_pid_file(l->config->tun.pid_file, pid);
        _exit(EXIT_STATUS_OK);
    }
    if (setsid() == -1 || chdir("/") == -1 || dup2(l->null_fd, STDIN_FILENO) == -1 ||
        dup2(l->null_fd, STDOUT_FILENO) == -1) {
        log_fatal("cannot start in the background: %s", strerror(errno));
    }
    log_to_background();
    (void)dup2(l->null_fd, STDERR_FILENO); /* a descriptor that exists already */
}

/* Where the listening socket is, in words. */
static void append_place(struct str *out, int listen_fd)
{
    struct netaddr addr = {.family = AF_UNSPEC};
    union netaddr_sockaddr sa;
    socklen_t len = sizeof(sa);
    char text[NETADDR_TEXT_MAX];

    if (getsockname(listen_fd, &sa.sa, &len) == 0) {
        (void)netaddr_from_sockaddr(&addr, &sa); /* shown as '?' otherwise */
    }
    netaddr_text(&addr, text);
    if (strcmp(text, "::") == 0) {
        str_append(out, "every IPv4 and IPv6 address");
    } else if (strcmp(text, "0.0.0.0") == 0) {
        str_append(out, "every IPv4 address");
    } else {
        str_append(out, text);
    }
    str_append_format(out, ", port %u", (unsigned)addr.port);
}

static void announce(const struct listener *l)
{
    const struct tunables *tun = &l->config->tun;
    struct str place = STR_INIT(256);

    append_place(&place, l->listen_fd);
    log_message(LOG_INFO, "version %s listens on %s%s%s%s%s%s", MINIFTPD_VERSION, str_text(&place),
                tun->local_enable ? "; accounts of this machine may log in" : "",
                tun->anonymous_enable ? "; anonymous users may log in" : "",
                tun->write_enable ? "" : "; nobody may write",
                tun->xferlog_enable && !tun->syslog_enable ? "; sessions are logged to " : "",
                tun->xferlog_enable && !tun->syslog_enable ? tun->vsftpd_log_file : "");
    str_free(&place);
}

/* ---- signals ---- */

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

static void report_changes(const struct config *old, const struct config *new)
{
    struct str changed = STR_INIT(8192);
    struct str need_restart = STR_INIT(8192);

    tunable_differences(&old->tun, &new->tun, &changed, &need_restart);
    log_message(LOG_INFO, "configuration read again; changed: %s",
                changed.len > 0 ? str_text(&changed) : "nothing");
    if (need_restart.len > 0) {
        log_message(LOG_WARNING, "these changes need a restart: %s", str_text(&need_restart));
    }
    str_free(&changed);
    str_free(&need_restart);
}

/* SIGHUP: a fresh configuration, whole or not at all. */
static void reload(struct listener *l)
{
    struct str errors = STR_INIT(ERRORS_MAX);
    struct config *fresh = load_config(l->args, l->arg_count, l->config, &errors);

    got_hangup = 0;
    tzset();
    if (fresh != NULL && prepare_jail(fresh, &errors) && log_open(&fresh->tun, &errors)) {
        report_changes(l->config, fresh);
        free_config(l->config);
        l->config = fresh;
        refresh_names(l);
        malloc_trim(0);
    } else {
        report_errors(&errors);
        log_message(LOG_ERR, "the configuration was not read again; the old one stays in force");
        if (fresh != NULL) {
            free_config(fresh);
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
static bool wait_for_client(struct listener *l, const sigset_t *open_mask)
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
    ready = pselect(l->listen_fd + 1, &readable, NULL, NULL, &timeout, open_mask);
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

static void run(struct listener *l, const sigset_t *open_mask)
{
    while (got_stop == 0) {
        if (wait_for_client(l, open_mask)) {
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

/* ---- start ---- */

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

static int test_config(char **args, int arg_count)
{
    struct str errors = STR_INIT(ERRORS_MAX);
    struct config *config = load_config(args, arg_count, NULL, &errors);

    if (config == NULL) {
        report_errors(&errors);
        str_free(&errors);
        return EXIT_STATUS_USAGE;
    }
    printf(MINIFTPD_NAME ": the configuration is correct\n");
    free_config(config);
    return EXIT_STATUS_OK;
}

static void prepare_or_die(struct listener *l, sigset_t *open_mask)
{
    struct str errors = STR_INIT(ERRORS_MAX);
    const char *step;

    if (geteuid() != 0) {
        log_fatal("must be started as root: it binds port 21 and becomes the users who log in");
    }
    l->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (l->null_fd == -1) {
        log_fatal("/dev/null: %s", strerror(errno));
    }
    l->config = load_config(l->args, l->arg_count, NULL, &errors);
    if (l->config == NULL || !prepare_jail(l->config, &errors)) {
        report_errors(&errors);
        exit(EXIT_STATUS_USAGE);
    }
    prepare_signals(open_mask); /* before anybody can see that we are there */
    l->listen_fd = open_listener(&l->config->tun);
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

/*
 * Descriptors 0 to 2 must be something, or a socket could become stderr; and what else our starter left
 * open is nobody's business here.
 */
static void tidy_descriptors(void)
{
    int fd;

    (void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0); /* older kernels: they stay open */
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO) {
        (void)close(fd);
    }
}

int main(int argc, char **argv)
{
    struct listener l = {.args = argv, .listen_fd = -1};
    enum action action;
    sigset_t open_mask;

    tidy_descriptors();
    (void)umask(022);
    tzset(); /* now: later there is no /etc in sight */
    if (!parse_arguments(argc, argv, &action, &l.arg_count)) {
        usage(stderr);
        return EXIT_STATUS_USAGE;
    }
    switch (action) {
    case ACTION_TEST:
        return test_config(l.args, l.arg_count);
    case ACTION_VERSION:
        printf(MINIFTPD_NAME " " MINIFTPD_VERSION "\n");
        return EXIT_STATUS_OK;
    case ACTION_SAMPLE:
        tunable_print_sample(stdout);
        return EXIT_STATUS_OK;
    case ACTION_MANUAL:
        tunable_print_manual(stdout);
        return EXIT_STATUS_OK;
    case ACTION_HELP:
        usage(stdout);
        return EXIT_STATUS_OK;
    case ACTION_RUN:
        break;
    }
    prepare_or_die(&l, &open_mask);
    announce(&l);
    if (l.config->tun.background) {
        daemonise(&l);
    } else {
        write_pid_file(l.config->tun.pid_file, getpid());
    }
    malloc_trim(0);
    run(&l, &open_mask);
    conntab_free(l.connections);
    userdb_free(l.names);
    free_config(l.config);
    return EXIT_STATUS_OK;
}
