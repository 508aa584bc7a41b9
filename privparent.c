/*
 * privparent.c - the privileged half of one session
 *
 * Process: session parent (root until login, then nobody with CAP_NET_BIND_SERVICE).
 * Trusts:  the tunables, and the addresses recorded at accept. Nothing read from priv_fd.
 * Touches: priv_fd, sockets it creates and gives away, the log. Never waits on the network.
 */
#include "privparent.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "log.h"
#include "privcap.h"
#include "privsock.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"

#define LOGIN_DEADLINE_MS   60000 /* for the account database and the hash */
#define REFUSED_DEADLINE_MS 5000  /* for P to say goodbye */
#define LISTEN_BACKLOG      4096  /* strangers may come before the client; the kernel cuts it */

/* How a request ended. */
enum outcome { SERVED, GRANTED, WANTS_TLS, BROKEN };

struct request_row {
    enum priv_command command;
    const char *name;
    unsigned phases; /* bits of enum priv_phase */
    bool with_fd;    /* it comes with a descriptor (pp->passed_fd) */
    size_t min_len, max_len;
    enum outcome (*run)(struct privparent *pp, const union priv_request *request, size_t len);
};

static enum outcome serve_login(struct privparent *pp, const union priv_request *request,
                                size_t len);
static enum outcome serve_user(struct privparent *pp, const union priv_request *request,
                               size_t len);
static enum outcome serve_pasv_listen(struct privparent *pp, const union priv_request *request,
                                      size_t len);
static enum outcome serve_data_sock(struct privparent *pp, const union priv_request *request,
                                    size_t len);
static enum outcome serve_log(struct privparent *pp, const union priv_request *request, size_t len);
static enum outcome serve_chown_upload(struct privparent *pp, const union priv_request *request,
                                       size_t len);
static enum outcome serve_start_tls(struct privparent *pp, const union priv_request *request,
                                    size_t len);

/* SECURITY: all that a child can ask for. There is no path, no uid and no host name in it. */
/* clang-format off */
static const struct request_row requests[] = {
    { PRIV_SOCK_LOGIN, "LOGIN", PRIV_PHASE_BEFORE, false,
      sizeof(struct priv_login), sizeof(struct priv_login), serve_login },
    { PRIV_SOCK_USER, "USER", PRIV_PHASE_BEFORE, false,
      sizeof(struct priv_user), sizeof(struct priv_user), serve_user },
    { PRIV_SOCK_PASV_LISTEN, "PASV_LISTEN", PRIV_PHASE_AFTER, false,
      sizeof(uint8_t), sizeof(uint8_t), serve_pasv_listen },
    { PRIV_SOCK_GET_DATA_SOCK, "GET_DATA_SOCK", PRIV_PHASE_AFTER, false,
      sizeof(struct priv_data_sock), sizeof(struct priv_data_sock), serve_data_sock },
    { PRIV_SOCK_LOG, "LOG", PRIV_PHASE_BEFORE | PRIV_PHASE_REFUSED | PRIV_PHASE_AFTER, false,
      offsetof(struct priv_log, text), sizeof(struct priv_log), serve_log },
    { PRIV_SOCK_CHOWN_UPLOAD, "CHOWN_UPLOAD", PRIV_PHASE_AFTER, true,
      sizeof(uint8_t), sizeof(uint8_t), serve_chown_upload },
    { PRIV_SOCK_START_TLS, "START_TLS", PRIV_PHASE_BEFORE, false,
      sizeof(uint8_t), sizeof(uint8_t), serve_start_tls },
};
/* clang-format on */

_Static_assert(ARRAY_LEN(requests) == PRIV_SOCK_COUNT - 1, "every request has its row");

/* The letter of xferlog(5). */
static enum log_access access_of(const struct privparent *pp)
{
    if (pp->account.name[0] == '\0') {
        return LOG_ACCESS_NONE;
    }
    switch (pp->account.kind) {
    case ACCOUNT_LOCAL:
        return LOG_ACCESS_REAL;
    case ACCOUNT_GUEST:
        return LOG_ACCESS_GUEST;
    case ACCOUNT_ANONYMOUS:
        break;
    }
    return LOG_ACCESS_ANONYMOUS;
}

/* SECURITY: what a child cannot say of itself. `user` is an account, or a name that was refused. */
static void log_as(const struct privparent *pp, const char *user, const struct log_record *record)
{
    const struct log_who who = {
        .pid = pp->pid,
        .session = pp->session_id[0] != '\0' ? pp->session_id : NULL,
        .user = user,
        .peer = pp->peer_text,
        .access = access_of(pp),
        .anon_password = pp->anon_password,
    };

    log_record(&who, record);
}

void privparent_log(const struct privparent *pp, const struct log_record *record)
{
    log_as(pp, pp->account.name, record);
}

/* What the child did wrong goes to both logs: it is news for the administrator. */
static enum outcome broken(struct privparent *pp, const char *what)
{
    const struct log_record record = {
        .event = LOG_EVENT_WARNING, .text = what, .text_len = strlen(what)};

    privparent_log(pp, &record);
    log_message(LOG_ERR, "session %d (%s): %s; ending it", pp->pid, pp->peer_text, what);
    return BROKEN;
}

/* Answer, with at most one descriptor. A child that is gone is noticed at the next receive. */
static enum outcome answer(struct privparent *pp, enum priv_result result, int error, uint16_t port,
                           int pass_fd)
{
    const struct priv_reply reply = {
        .result = (uint8_t)result, .port = port, .error = (int32_t)error};

    (void)!sysutil_send_message(pp->priv_fd, &reply, sizeof(reply), pass_fd);
    return SERVED;
}

/* The two that everybody makes. They get the line that vsftpd writes, which log readers know. */
static bool is_usual_mistake(const char *reason)
{
    return strcmp(reason, "wrong password") == 0 || strcmp(reason, "no such account") == 0;
}

static void log_login(struct privparent *pp, const char *name, bool ok, const char *text)
{
    const struct log_record record = {
        .event = LOG_EVENT_LOGIN,
        .ok = ok,
        .is_anon_password = ok && pp->account.kind == ACCOUNT_ANONYMOUS,
        .is_usual = !ok && is_usual_mistake(text),
        .text = text,
        .text_len = strlen(text),
    };

    if (record.is_anon_password) {
        memcpy(pp->anon_password, text, strnlen(text, sizeof(pp->anon_password) - 1));
    }
    log_as(pp, name, &record);
}

/* Let time pass, unless the child ends. */
static void delay(const struct privparent *pp, unsigned seconds)
{
    struct pollfd pfd = {.fd = pp->priv_fd, .events = 0};

    if (seconds > 0) {
        (void)sysutil_poll(&pfd, 1, sysutil_now_ms() + (int64_t)seconds * 1000);
    }
}

/* The same delay for every reason to refuse. error: what the client may know, or 0. */
static enum outcome refuse_login_with(struct privparent *pp, const char *name, const char *reason,
                                      int error)
{
    log_login(pp, name[0] != '\0' ? name : "?", false, reason);
    delay(pp, pp->tun->delay_failed_login);
    pp->login_fails++;
    if (pp->login_fails >= pp->tun->max_login_fails) {
        pp->phase = PRIV_PHASE_REFUSED;
        pp->refused_deadline_ms = sysutil_now_ms() + REFUSED_DEADLINE_MS;
        return answer(pp, PRIV_RESULT_FAILED_LAST, error, 0, -1);
    }
    return answer(pp, PRIV_RESULT_FAILED, error, 0, -1);
}

static enum outcome refuse_login(struct privparent *pp, const char *name, const char *reason)
{
    return refuse_login_with(pp, name, reason, 0);
}

/* Wait for the verifier, the end of the child or the deadline. password NULL: anonymous. */
static bool verify_user(struct privparent *pp, const char *name, const char *password, char *reason)
{
    const struct auth_login login = {.name = name, .password = password, .peer = pp->peer_text};
    struct auth_job job;
    struct pollfd fds[2];

    if (!auth_start(pp->auth_fd, &login, &job)) {
        struct str text = STR_INIT(AUTH_REASON_MAX - 1);

        if (errno == EPIPE || errno == ECONNRESET) {
            str_append(&text, "the verifier died"); /* and so did who starts them */
        } else {
            str_append_format(&text, "cannot start the verifier: %s", strerror(errno));
        }
        memcpy(reason, str_text(&text), text.len + 1);
        str_free(&text);
        return false;
    }
    fds[0] = (struct pollfd){.fd = job.ready_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = pp->priv_fd, .events = 0};
    (void)sysutil_poll(fds, ARRAY_LEN(fds), sysutil_now_ms() + LOGIN_DEADLINE_MS);
    if (fds[0].revents == 0) {
        static const char late[] = "the client went away, or the account database did not answer";

        auth_cancel(&job);
        memcpy(reason, late, sizeof(late));
        return false;
    }
    if (!auth_finish(&job, &pp->account, reason, &pp->keeper_fd)) {
        return false;
    }
    if (reason[0] != '\0') {
        const struct log_record record = {
            .event = LOG_EVENT_WARNING, .text = reason, .text_len = strlen(reason)};

        privparent_log(pp, &record);
    }
    return true;
}

/* From here on the options of this user count. */
static bool use_own_options(struct privparent *pp)
{
    const struct account *account = &pp->account;

    if (account->settings_len == 0) {
        return true;
    }
    if (!tunable_copy(&pp->own_tun, pp->tun)) {
        return false;
    }
    pp->tun = &pp->own_tun;
    return tunable_apply_changes(&pp->own_tun, account->settings, account->settings_len);
}

/* The password was right; what is left are limits. */
static enum outcome grant_login(struct privparent *pp, const char *anon_password)
{
    const struct tunables *common = pp->tun;
    struct account *account = &pp->account;
    char name[LOGIN_NAME_MAX_LEN + 1];
    const char *reason = NULL;
    int error = 0;

    if (!use_own_options(pp)) {
        reason = "no memory for the options of the user";
    } else if (pp->tun->max_per_user > 0 &&
               !auth_take_place(pp->auth, account->name, pp->tun->max_per_user)) {
        reason = "max_per_user: too many sessions of this user";
        error = EUSERS;
    }
    if (reason != NULL) {
        sysutil_close(&pp->keeper_fd);
        if (pp->tun != common) {
            tunable_free(&pp->own_tun);
            pp->tun = common;
        }
        memcpy(name, account->name, sizeof(name));
        account->name[0] = '\0'; /* nobody is logged in */
        return refuse_login_with(pp, name, reason, error);
    }
    delay(pp, pp->tun->delay_successful_login);
    log_login(pp, account->name, true, anon_password);
    return GRANTED;
}

static enum outcome login_anonymous(struct privparent *pp, const char *name, const char *password)
{
    char reason[AUTH_REASON_MAX] = "";
    const char *fault;
    const struct account *account = auth_anonymous(pp->auth, &fault);

    if (account == NULL) {
        return refuse_login(pp, name, fault);
    }
    if (pp->tun->user_config_dir == NULL) {
        account_copy(&pp->account, account);
    } else if (!verify_user(pp, account->name, NULL, reason)) {
        return refuse_login(pp, name, reason);
    }
    return grant_login(pp, password); /* by custom their mail address */
}

/* SECURITY: P refuses these before a password is sent; here it counts. NULL: this user may log in so. */
static const char *tls_fault(const struct privparent *pp, bool anonymous)
{
    const struct tunables *tun = pp->tun;

    if (!pp->tls && tun->ssl_enable &&
        (anonymous ? tun->force_anon_logins_ssl : tun->force_local_logins_ssl)) {
        return anonymous ? "not encrypted (force_anon_logins_ssl)"
                         : "not encrypted (force_local_logins_ssl)";
    }
    if (pp->tls && anonymous && !tun->allow_anon_ssl && !tun->force_anon_logins_ssl) {
        return "encrypted (allow_anon_ssl)";
    }
    return NULL;
}

static enum outcome check_login(struct privparent *pp, const char *name, const char *password)
{
    char reason[AUTH_REASON_MAX] = "";
    const char *fault = tls_fault(pp, privsock_is_anonymous(name));

    if (fault != NULL) {
        return refuse_login(pp, name, fault);
    }
    if (!auth_list_allows(pp->auth, name, reason)) {
        return refuse_login(pp, name, reason);
    }
    if (privsock_is_anonymous(name)) {
        return login_anonymous(pp, name, password);
    }
    if (!auth_is_name(name, strlen(name))) {
        return refuse_login(pp, name, "not a user name");
    }
    if (!verify_user(pp, name, password, reason)) {
        return refuse_login(pp, name, reason);
    }
    return grant_login(pp, "");
}

/* Before a password is asked for: does the user list let the name through? */
static enum outcome serve_user(struct privparent *pp, const union priv_request *request, size_t len)
{
    const struct priv_user *user = &request->user;
    char name[LOGIN_NAME_MAX_LEN + 1] = "";
    char reason[AUTH_REASON_MAX] = "";

    (void)len; /* the row fixes it */
    if (user->name_len > sizeof(user->name) || memchr(user->name, '\0', user->name_len) != NULL) {
        return broken(pp, "a malformed USER request from the service process");
    }
    memcpy(name, user->name, user->name_len);
    if (!auth_list_allows(pp->auth, name, reason)) {
        return refuse_login(pp, name, reason);
    }
    return answer(pp, PRIV_RESULT_OK, 0, 0, -1);
}

static enum outcome serve_login(struct privparent *pp, const union priv_request *request,
                                size_t len)
{
    const struct priv_login *login = &request->login;
    char name[LOGIN_NAME_MAX_LEN + 1] = "";
    char password[LOGIN_PASSWORD_MAX_LEN + 1] = "";
    enum outcome outcome;

    (void)len; /* the row fixes it */
    if (login->name_len > sizeof(login->name) || login->password_len > sizeof(login->password) ||
        memchr(login->name, '\0', login->name_len) != NULL ||
        memchr(login->password, '\0', login->password_len) != NULL) {
        return broken(pp, "a malformed LOGIN request from the service process");
    }
    pp->protect = pp->tls && login->protect != 0;
    memcpy(name, login->name, login->name_len);
    memcpy(password, login->password, login->password_len);
    outcome = check_login(pp, name, password);
    explicit_bzero(password, sizeof(password));
    return outcome;
}

/* Errors that another port of the range may not have. */
static bool is_port_taken(int error)
{
    return error == EADDRINUSE || error == EACCES;
}

static enum outcome serve_pasv_listen(struct privparent *pp, const union priv_request *request,
                                      size_t len)
{
    struct netaddr addr = pp->local;
    union netaddr_sockaddr sa;
    uint16_t low, high;
    uint32_t count, first;

    (void)request;
    (void)len;
    if (!tunable_pasv_range(pp->tun, &low, &high) || !pp->tun->pasv_enable) {
        return answer(pp, PRIV_RESULT_FAILED, EPERM, 0, -1);
    }
    count = (uint32_t)high - low + 1;
    first = sysutil_random(count);
    for (uint32_t i = 0; i < count; i++) {
        socklen_t sa_len;
        int fd;

        addr.port = (uint16_t)(low + (first + i) % count);
        sa_len = netaddr_to_sockaddr(&addr, &sa);
        fd = sysutil_tcp_server(&sa.sa, sa_len, LISTEN_BACKLOG, true);
        if (fd != -1) {
            (void)answer(pp, PRIV_RESULT_OK, 0, addr.port, fd);
            sysutil_close(&fd);
            return SERVED;
        }
        if (!is_port_taken(errno)) {
            return answer(pp, PRIV_RESULT_FAILED, errno, 0, -1);
        }
    }
    return answer(pp, PRIV_RESULT_FAILED, EADDRINUSE, 0, -1);
}

/*
 * A socket bound to our end of the control connection: to ftp_data_port if so configured, else to a
 * port that the kernel chooses at connect(2) (choosing at bind(2) gets slow with old connections).
 */
static bool bind_data_sock(const struct privparent *pp, int fd)
{
    struct netaddr from = pp->local;
    union netaddr_sockaddr sa;
    socklen_t sa_len;
    const int on = 1;

    from.port = pp->tun->connect_from_port_20 ? (uint16_t)pp->tun->ftp_data_port : 0;
    sa_len = netaddr_to_sockaddr(&from, &sa);
    if (from.port == 0) {
        return setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) == 0 &&
               bind(fd, &sa.sa, sa_len) == 0;
    }
    /* SO_REUSEPORT spares a walk through all connections that port 20 had in the last minute */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == -1) {
        return false;
    }
    return (pp->bind_service ? privcap_bind(fd, &sa.sa, sa_len) : bind(fd, &sa.sa, sa_len)) == 0;
}

/* Make the socket and begin to connect it. Returns it, or -1 with errno. */
static int start_connect(const struct privparent *pp, const struct netaddr *target)
{
    union netaddr_sockaddr sa;
    socklen_t sa_len = netaddr_to_sockaddr(target, &sa);
    int fd = socket(target->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd == -1) {
        return -1;
    }
    if (!bind_data_sock(pp, fd) ||
        (connect(fd, &sa.sa, sa_len) == -1 && errno != EINPROGRESS && errno != EINTR)) {
        sysutil_close(&fd);
    }
    return fd;
}

static enum outcome serve_data_sock(struct privparent *pp, const union priv_request *request,
                                    size_t len)
{
    const struct priv_data_sock *wanted = &request->data_sock;
    struct netaddr target = {
        .family = wanted->is_ipv6 != 0 ? AF_INET6 : AF_INET,
        .port = wanted->port,
        .scope_id = pp->peer.scope_id, /* a link-local target is where the client is */
    };
    int fd;

    (void)len;
    memcpy(target.bytes, wanted->address, sizeof(target.bytes));
    if (!pp->tun->port_enable) {
        return answer(pp, PRIV_RESULT_FAILED, EPERM, 0, -1);
    }
    /* SECURITY: S has refused this already; one that asks all the same is not our program any more */
    if (!netaddr_is_target(&target, &pp->peer, pp->tun->port_promiscuous)) {
        return broken(pp, "a request for a data connection to a foreign address or a low port");
    }
    fd = start_connect(pp, &target);
    if (fd == -1) {
        return answer(pp, PRIV_RESULT_FAILED, errno, 0, -1);
    }
    (void)answer(pp, PRIV_RESULT_OK, 0, 0, fd);
    sysutil_close(&fd);
    return SERVED;
}

/* SECURITY: connections and logins are what N itself saw; P has seen nothing but the network. */
static bool may_report(const struct privparent *pp, uint8_t event)
{
    if (event >= LOG_EVENT_COUNT || event == LOG_EVENT_CONNECT || event == LOG_EVENT_LOGIN) {
        return false;
    }
    if (logline_is_protocol((enum log_event)event)) {
        return log_wants(pp->tun, (enum log_event)event);
    }
    if (event == LOG_EVENT_DEBUG) {
        return pp->tun->debug_ssl;
    }
    return event == LOG_EVENT_WARNING || pp->phase == PRIV_PHASE_AFTER;
}

static enum outcome serve_log(struct privparent *pp, const union priv_request *request, size_t len)
{
    const struct priv_log *log = &request->log;
    size_t text_len = len - offsetof(struct priv_log, text);
    struct log_record record = {
        .event = (enum log_event)log->event,
        .ok = log->ok != 0,
        .has_bytes = log->has_bytes != 0,
        .is_ascii = log->is_ascii != 0,
        .bytes = log->bytes,
        .duration_ms = log->duration_ms,
        .text = log->text,
        .detail_len = log->detail_len,
        .error = log->error,
    };

    if (log->detail_len > text_len || !may_report(pp, log->event)) {
        return broken(pp, "a record for the log that the service process may not make");
    }
    record.text_len = text_len - log->detail_len;
    record.detail = log->text + record.text_len;
    privparent_log(pp, &record);
    return SERVED;
}

/* A file that the session's user has made, under one name, with the permissions of chown_upload_mode. */
static bool is_upload_of(const struct privparent *pp, uid_t owner)
{
    struct stat st;

    return fstat(pp->passed_fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
           st.st_uid == owner && (st.st_mode & ALLPERMS) == pp->tun->chown_upload_mode;
}

/* Raise CAP_CHOWN and give the file away. False with errno, which the administrator is told. */
static bool give_away(const struct privparent *pp)
{
    struct str text = STR_INIT(512);
    struct log_record record = {.event = LOG_EVENT_WARNING};
    int saved_errno;

    if (privcap_fchown(pp->passed_fd, pp->auth->chown_uid) == 0) {
        return true;
    }
    saved_errno = errno;
    str_append_format(&text,
                      "cannot give an upload to chown_username=%s: %s; does its file system have "
                      "owners, and let this machine change them (NFS: root_squash)?",
                      pp->tun->chown_username, strerror(saved_errno));
    record.text = str_text(&text);
    record.text_len = text.len;
    privparent_log(pp, &record);
    log_message(LOG_WARNING, "session %d (%s): %s", pp->pid, pp->peer_text, str_text(&text));
    str_free(&text);
    errno = saved_errno;
    return false;
}

/*
 * SECURITY: what is given away must be the user's own, and cannot be changed by the user afterwards but
 * for its content, through descriptors that are open. Permissions and links can still be changed up to
 * the call, so they are looked at again behind it.
 */
static enum outcome serve_chown_upload(struct privparent *pp, const union priv_request *request,
                                       size_t len)
{
    uid_t target = pp->auth->chown_uid;

    (void)request;
    (void)len;
    if (!pp->gives_away) {
        return broken(pp, "a request to give a file away, in a session that has nothing to give");
    }
    if (!is_upload_of(pp, pp->account.uid)) {
        return broken(pp, "a request to give away what is no upload of the session");
    }
    if (!give_away(pp)) {
        return answer(pp, PRIV_RESULT_FAILED, errno, 0, -1);
    }
    if (!is_upload_of(pp, target)) {
        (void)!privcap_fchown(pp->passed_fd, pp->account.uid); /* the session ends in any case */
        return broken(pp, "an upload that changed while it was given away");
    }
    return answer(pp, PRIV_RESULT_OK, 0, 0, -1);
}

/* The session makes the relay; it holds the control connection. */
static enum outcome serve_start_tls(struct privparent *pp, const union priv_request *request,
                                    size_t len)
{
    (void)request;
    (void)len;
    if (pp->tls) {
        return broken(pp, "a second request for TLS from the service process");
    }
    if (!tunable_wants_tls(pp->tun)) {
        return broken(pp, "a request for TLS, which is not configured");
    }
    if (!pp->has_tls_program) {
        return answer(pp, PRIV_RESULT_FAILED, EAGAIN, 0, -1);
    }
    return WANTS_TLS;
}

void privparent_answer_tls(struct privparent *pp, int plain_fd, int relay_fd)
{
    if (plain_fd == -1) {
        (void)answer(pp, PRIV_RESULT_FAILED, errno, 0, -1);
        return;
    }
    pp->tls = true;
    (void)answer(pp, PRIV_RESULT_OK, 0, 0, plain_fd);
    (void)answer(pp, PRIV_RESULT_OK, 0, 0, relay_fd);
}

static const struct request_row *find_request(uint8_t command)
{
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        if (requests[i].command == command) {
            return &requests[i];
        }
    }
    return NULL;
}

/* Check one datagram against its row and run it. */
static enum outcome dispatch(struct privparent *pp, const union priv_request *request, size_t len)
{
    const struct request_row *row = find_request(request->command);

    if (row == NULL) {
        return broken(pp, "an unknown request from the service process");
    }
    if ((row->phases & pp->phase) == 0) {
        return broken(pp, "a request from the service process at the wrong time");
    }
    if (row->with_fd != (pp->passed_fd != -1)) {
        return broken(pp, row->with_fd ? "a request without its descriptor from the service process"
                                       : "a message from the service process that is no request");
    }
    if (len < row->min_len || len > row->max_len) {
        return broken(pp, "a request of a wrong length from the service process");
    }
    return row->run(pp, request, len);
}

/* ---- drain ---- */

static volatile sig_atomic_t got_drain;

static void on_drain(int number)
{
    (void)number;
    got_drain = 1;
}

void privparent_watch_drain(void)
{
    struct sigaction action = {.sa_handler = on_drain};
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &blocked, NULL); /* valid arguments: neither can fail */
    (void)sigaction(SIGUSR1, &action, NULL);
}

/* Once for each child. If it cannot be said now, the listener asks again in a moment. */
static void tell_drain(struct privparent *pp)
{
    const uint8_t notice = PRIV_DRAIN;

    if (got_drain != 0 && !pp->drain_told) {
        pp->drain_told =
            send(pp->priv_fd, &notice, sizeof(notice), MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
    }
}

/*
 * Wait for the child to ask for something or to end. After the last refusal P has a few seconds;
 * otherwise it may think as long as it likes. Returns false if that time is over.
 */
static bool wait_for_request(struct privparent *pp)
{
    struct pollfd pfd = {.fd = pp->priv_fd, .events = POLLIN};
    bool hurries = pp->phase == PRIV_PHASE_REFUSED;
    sigset_t nothing_blocked;
    int ready;

    sigemptyset(&nothing_blocked);
    do {
        struct timespec left = {0};

        if (hurries) {
            int64_t left_ms = pp->refused_deadline_ms - sysutil_now_ms();

            if (left_ms <= 0) {
                return false;
            }
            left.tv_sec = (time_t)(left_ms / 1000);
            left.tv_nsec = (long)(left_ms % 1000) * 1000000;
        }
        tell_drain(pp);
        ready = ppoll(&pfd, 1, hurries ? &left : NULL, &nothing_blocked);
    } while (ready == -1 && errno == EINTR);
    return ready > 0 || !hurries; /* without a deadline an error is found by receiving */
}

enum privparent_event privparent_serve(struct privparent *pp)
{
    union priv_request *request = &pp->request; /* not on the stack: it is larger than a page */
    enum outcome outcome = SERVED;

    while (outcome == SERVED) {
        ssize_t len;

        if (!wait_for_request(pp)) {
            return PRIVPARENT_BROKEN;
        }
        len = sysutil_recv_message(pp->priv_fd, request, sizeof(*request), &pp->passed_fd);
        if (len == 0 || (len == -1 && errno == ECONNRESET)) {
            sysutil_close(&pp->passed_fd);
            return PRIVPARENT_CHILD_GONE;
        }
        if (len == -1) {
            outcome = broken(pp, "a message from the service process that is no request");
            continue;
        }
        outcome = dispatch(pp, request, (size_t)len);
        sysutil_close(&pp->passed_fd);
        if (request->command == PRIV_SOCK_LOGIN) {
            explicit_bzero(request, (size_t)len);
        }
    }
    return outcome == GRANTED     ? PRIVPARENT_LOGIN
           : outcome == WANTS_TLS ? PRIVPARENT_TLS
                                  : PRIVPARENT_BROKEN;
}
