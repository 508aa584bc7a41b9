/*
 * startup.c - what the daemon does once, at its start, around the listener
 *
 * Process: L, root.
 * Trusts:  the configuration.
 * Touches: descriptors 0 to 2, the listening socket, the pid file, the title, the log; loads the filter of L.
 */
#include "startup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "netaddr.h"
#include "privcap.h"
#include "proctitle.h"
#include "sandbox.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"

#define LISTEN_BACKLOG 4096

/* ---- who we are ---- */

void startup_check_rights(const struct tunables *tun)
{
    struct str missing = STR_INIT(256);
    bool root = geteuid() == 0;

    if (!root && !tun->run_as_launching_user) {
        log_fatal(
            "must be started as root: it binds port 21 and becomes the users who log in; an "
            "ordinary user can serve files with run_as_launching_user=YES and listen_port=2121");
    }
    if (root && tun->run_as_launching_user) {
        log_fatal(
            "run_as_launching_user=YES, but root starts the daemon: files would be served with "
            "the rights of root; start it as the user who is to serve them, or set NO");
    }
    if (!root && !sandbox_has_landlock()) {
        log_message(LOG_WARNING, "this kernel has no Landlock, or it is switched off: what keeps "
                                 "sessions in their directory are this program's own checks alone");
    }
    privcap_append_missing(&missing);
    if (root && missing.len > 0) {
        log_fatal("root lacks capabilities here, as in a container: add %s, or start the daemon as "
                  "another user with run_as_launching_user=YES",
                  str_text(&missing));
    }
    str_free(&missing);
}

void startup_warn_of_missing(const struct tunables *tun)
{
    if (geteuid() != 0) {
        return;
    }
    if (tun->port_enable && tun->connect_from_port_20 && tun->ftp_data_port < 1024 &&
        !privcap_can_bind_low()) {
        log_message(LOG_WARNING, "connect_from_port_20=YES: without the capability "
                                 "CAP_NET_BIND_SERVICE PORT and EPRT will fail; add it or set NO");
    }
    if (tun->local_enable && access("/etc/shadow", R_OK) == -1 && errno == EACCES) {
        log_message(LOG_WARNING,
                    "/etc/shadow cannot be read, so the accounts of this machine cannot "
                    "log in; add the capability CAP_DAC_READ_SEARCH");
    }
}

void startup_take_title(const struct tunables *tun, char **args, int arg_count)
{
    if (!tun->setproctitle_enable) {
        return;
    }
    if (proctitle_take(args, arg_count)) {
        proctitle_show("LISTENER", "");
    } else {
        log_message(LOG_WARNING, "setproctitle_enable=YES: no titles: %s", strerror(errno));
    }
}

/* In a container root may not load a filter just so. */
static bool enter_base(const struct sandbox *sandbox)
{
    return sandbox_enter(sandbox, SANDBOX_BASE) ||
           (errno == EACCES && privcap_set_no_new_privs() && sandbox_enter(sandbox, SANDBOX_BASE));
}

bool startup_enter_sandbox(const struct tunables *tun, struct sandbox *sandbox)
{
    struct str error = STR_INIT(256);
    bool built = false;
    const char *why;

    if (!sandbox_available(&why)) {
        log_message(LOG_WARNING, "%s: sessions run without system call filters", why);
    } else if (!sandbox_build(sandbox, SANDBOX_ROLES_DAEMON, &error)) {
        log_fatal("%s", str_text(&error));
    } else if (tun->seccomp_sandbox && !enter_base(sandbox)) {
        log_fatal("cannot load a system call filter: %s", strerror(errno));
    } else {
        built = true;
    }
    if (built && !tun->seccomp_sandbox) {
        log_message(LOG_WARNING, "seccomp_sandbox=NO: sessions run without system call filters");
    }
    str_free(&error);
    return built;
}

/* ---- the listening socket ---- */

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
    if (error == EACCES) {
        log_fatal("cannot listen on %s port %u: ports below 1024 need root or the capability "
                  "CAP_NET_BIND_SERVICE. Add it, or choose a higher port with listen_port.",
                  text, (unsigned)addr->port);
    }
    log_fatal("cannot listen on %s port %u: %s", text, (unsigned)addr->port, strerror(error));
}

int startup_listen(const struct tunables *tun)
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

void startup_announce(const struct tunables *tun, const int *listen_fds, unsigned count, bool given)
{
    struct str place = STR_INIT(1024);
    struct str logs = STR_INIT(4096);

    for (unsigned i = 0; i < count; i++) {
        str_append(&place, i > 0 ? "; " : "");
        append_place(&place, listen_fds[i]);
    }
    if (given) {
        str_append(&place, " (sockets of the service manager)");
    }
    log_append_places(tun, &logs);
    log_message(LOG_INFO, "version %s listens on %s%s%s%s%s%s", MINIFTPD_VERSION, str_text(&place),
                tun->local_enable ? "; accounts of this machine may log in" : "",
                tun->anonymous_enable ? "; anonymous users may log in" : "",
                tun->write_enable ? "" : "; nobody may write",
                logs.len > 0 ? "; sessions are logged to " : "", str_text(&logs));
    str_free(&logs);
    str_free(&place);
}

/* ---- pid file and background ---- */

void startup_write_pid_file(const char *path, pid_t pid)
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

void startup_daemonise(const char *pid_file, int null_fd)
{
    pid_t pid = fork();

    if (pid == -1) {
        log_fatal("cannot start in the background: %s", strerror(errno));
    }
    if (pid > 0) {
        startup_write_pid_file(pid_file, pid);
        _exit(EXIT_STATUS_OK);
    }
    if (setsid() == -1 || chdir("/") == -1 || dup2(null_fd, STDIN_FILENO) == -1 ||
        dup2(null_fd, STDOUT_FILENO) == -1) {
        log_fatal("cannot start in the background: %s", strerror(errno));
    }
    log_to_background();
    (void)dup2(null_fd, STDERR_FILENO); /* a descriptor that exists already */
}
