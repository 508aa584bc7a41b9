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
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "privcap.h"
#include "privsock.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"

#define LOGIN_DEADLINE_MS   60000 /* for the account database and the hash */
#define REFUSED_DEADLINE_MS 5000  /* for P to say goodbye */
#define LISTEN_BACKLOG      4096  /* strangers may come before the client; the kernel cuts it */
#define LOWEST_DATA_PORT    1024  /* RFC 2577 3 */

/* How a request ended. */
enum outcome { SERVED, GRANTED, BROKEN };

struct request_row {
    enum priv_command command;
    const char *name;
    unsigned phases; /* bits of enum priv_phase */
    size_t min_len, max_len;
    enum outcome (*run)(struct privparent *pp, const union priv_request *request, size_t len);
};

static enum outcome serve_login(struct privparent *pp, const union priv_request *request,
                                size_t len);
static enum outcome serve_pasv_listen(struct privparent *pp, const union priv_request *request,
                                      size_t len);
static enum outcome serve_data_sock(struct privparent *pp, const union priv_request *request,
                                    size_t len);
static enum outcome serve_log(struct privparent *pp, const union priv_request *request, size_t len);

/* SECURITY: all that a child can ask for. There is no path, no uid and no host name in it. */
/* clang-format off */
static const struct request_row requests[] = {
    { PRIV_SOCK_LOGIN, "LOGIN", PRIV_PHASE_BEFORE,
      sizeof(struct priv_login), sizeof(struct priv_login), serve_login },
    { PRIV_SOCK_PASV_LISTEN, "PASV_LISTEN", PRIV_PHASE_AFTER,
      sizeof(uint8_t), sizeof(uint8_t), serve_pasv_listen },
    { PRIV_SOCK_GET_DATA_SOCK, "GET_DATA_SOCK", PRIV_PHASE_AFTER,
      sizeof(struct priv_data_sock), sizeof(struct priv_data_sock), serve_data_sock },
    { PRIV_SOCK_LOG, "LOG", PRIV_PHASE_BEFORE | PRIV_PHASE_REFUSED | PRIV_PHASE_AFTER,
      offsetof(struct priv_log, text), sizeof(struct priv_log), serve_log },
};
/* clang-format on */

_Static_assert(ARRAY_LEN(requests) == PRIV_SOCK_COUNT - 1, "every request has its row");

void privparent_log(const struct privparent *pp, const struct log_record *record)
{
    const struct log_who who = {
        .pid = pp->pid,
        .user = pp->account.name,
        .peer = pp->peer_text,
    };

    log_record(&who, record);
}

/* What the child did wrong goes to both logs: it is news for the administrator. */
static enum outcome broken(struct privparent *pp, const char *what)
{
    const struct log_record record = {
        .event = LOG_EVENT_WARNING, .text = what, .text_len = strlen(what)};

    privparent_log(pp, &record);
    log_message(LOG_WARNING, "session %d (%s): %s; ending it", pp->pid, pp->peer_text, what);
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

static void log_login(struct privparent *pp, const char *name, bool ok, const char *text)
{
    const struct log_record record = {
        .event = LOG_EVENT_LOGIN,
        .ok = ok,
        .is_anon_password = ok && pp->account.anonymous,
        .text = text,
        .text_len = strlen(text),
    };
    const struct log_who who = {.pid = pp->pid, .user = name, .peer = pp->peer_text};

    log_record(&who, &record);
}

/* Let time pass, unless the child ends. The same for every reason to refuse. */
static void delay_refusal(struct privparent *pp)
{
    struct pollfd pfd = {.fd = pp->priv_fd, .events = 0};

    if (pp->tun->delay_failed_login > 0) {
        (void)sysutil_poll(&pfd, 1, sysutil_now_ms() + (int64_t)pp->tun->delay_failed_login * 1000);
    }
}

static enum outcome refuse_login(struct privparent *pp, const char *name, const char *reason)
{
    log_login(pp, name[0] != '\0' ? name : "?", false, reason);
    delay_refusal(pp);
    pp->login_fails++;
    if (pp->login_fails >= pp->tun->max_login_fails) {
        pp->phase = PRIV_PHASE_REFUSED;
        pp->refused_deadline_ms = sysutil_now_ms() + REFUSED_DEADLINE_MS;
        return answer(pp, PRIV_RESULT_FAILED_LAST, 0, 0, -1);
    }
    return answer(pp, PRIV_RESULT_FAILED, 0, 0, -1);
}

/* Wait for the verifier, the end of the child or the deadline. */
static bool verify_local(struct privparent *pp, const char *name, const char *password,
                         char *reason)
{
    struct auth_job job;
    struct pollfd fds[2];

    if (!auth_start(pp->auth, name, password, &job)) {
        struct str text = STR_INIT(AUTH_REASON_MAX - 1);

        str_append(&text, "cannot start the verifier: ");
        str_append(&text, strerror(errno));
        memcpy(reason, str_text(&text), text.len + 1);
        str_free(&text);
        return false;
    }
    fds[0] = (struct pollfd){.fd = job.pidfd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = pp->priv_fd, .events = 0};
    (void)sysutil_poll(fds, ARRAY_LEN(fds), sysutil_now_ms() + LOGIN_DEADLINE_MS);
    if (fds[0].revents == 0) {
        static const char late[] = "the client went away, or the account database did not answer";

        auth_cancel(&job);
        memcpy(reason, late, sizeof(late));
        return false;
    }
    return auth_finish(&job, &pp->account, reason);
}

static enum outcome login_anonymous(struct privparent *pp, const char *name, const char *password)
{
    const char *reason;
    const struct auth_account *account = auth_anonymous(pp->auth, &reason);

    if (account == NULL) {
        return refuse_login(pp, name, reason);
    }
    pp->account = *account;
    log_login(pp, pp->account.name, true, password); /* by custom their mail address */
    return GRANTED;
}

static enum outcome check_login(struct privparent *pp, const char *name, const char *password)
{
    char reason[AUTH_REASON_MAX] = "";

    if (privsock_is_anonymous(name)) {
        return login_anonymous(pp, name, password);
    }
    if (!auth_is_name(name, strlen(name))) {
        return refuse_login(pp, name, "not a user name");
    }
    if (!verify_local(pp, name, password, reason)) {
        return refuse_login(pp, name, reason);
    }
    log_login(pp, pp->account.name, true, "");
    return GRANTED;
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
    const struct tunables *tun = pp->tun;
    uint32_t low = tun->pasv_min_port < LOWEST_DATA_PORT ? LOWEST_DATA_PORT : tun->pasv_min_port;
    uint32_t high = tun->pasv_max_port == 0 ? UINT16_MAX : tun->pasv_max_port;
    uint32_t count = high - low + 1;
    struct netaddr addr = pp->local;
    union netaddr_sockaddr sa;
    uint32_t first;

    (void)request;
    (void)len;
    if (!tun->pasv_enable || high < low) {
        return answer(pp, PRIV_RESULT_FAILED, EPERM, 0, -1);
    }
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
static int start_connect(const struct privparent *pp, uint16_t port)
{
    struct netaddr target = pp->peer; /* SECURITY: the address is ours, not the child's */
    union netaddr_sockaddr sa;
    socklen_t sa_len;
    int fd = socket(target.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd == -1) {
        return -1;
    }
    target.port = port;
    sa_len = netaddr_to_sockaddr(&target, &sa);
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
    struct netaddr target = {.family = wanted->is_ipv6 != 0 ? AF_INET6 : AF_INET};
    int fd;

    (void)len;
    memcpy(target.bytes, wanted->address, sizeof(target.bytes));
    if (!pp->tun->port_enable) {
        return answer(pp, PRIV_RESULT_FAILED, EPERM, 0, -1);
    }
    /* SECURITY: S has refused this already; one that asks all the same is not our program any more */
    if (!netaddr_same_host(&target, &pp->peer) || wanted->port < LOWEST_DATA_PORT) {
        return broken(pp, "a request for a data connection to a foreign address or a low port");
    }
    fd = start_connect(pp, wanted->port);
    if (fd == -1) {
        return answer(pp, PRIV_RESULT_FAILED, errno, 0, -1);
    }
    (void)answer(pp, PRIV_RESULT_OK, 0, 0, fd);
    sysutil_close(&fd);
    return SERVED;
}

static enum outcome serve_log(struct privparent *pp, const union priv_request *request, size_t len)
{
    const struct priv_log *log = &request->log;
    const struct log_record record = {
        .event = (enum log_event)log->event,
        .ok = log->ok != 0,
        .has_bytes = log->has_bytes != 0,
        .bytes = log->bytes,
        .duration_ms = log->duration_ms,
        .text = log->text,
        .text_len = len - offsetof(struct priv_log, text),
    };

    /* SECURITY: connections and logins are what N itself saw; P has seen nothing but the network */
    if (log->event >= LOG_EVENT_COUNT || log->event == LOG_EVENT_CONNECT ||
        log->event == LOG_EVENT_LOGIN ||
        (pp->phase != PRIV_PHASE_AFTER && log->event != LOG_EVENT_WARNING)) {
        return broken(pp, "a record for the log that the service process may not make");
    }
    privparent_log(pp, &record);
    return SERVED;
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
    if (len < row->min_len || len > row->max_len) {
        return broken(pp, "a request of a wrong length from the service process");
    }
    return row->run(pp, request, len);
}

/* After the last refusal P has a few seconds; otherwise it may think as long as it likes. */
static bool wait_for_request(const struct privparent *pp)
{
    struct pollfd pfd = {.fd = pp->priv_fd, .events = POLLIN};

    return pp->phase != PRIV_PHASE_REFUSED || (sysutil_now_ms() < pp->refused_deadline_ms &&
                                               sysutil_poll(&pfd, 1, pp->refused_deadline_ms) > 0);
}

enum privparent_event privparent_serve(struct privparent *pp)
{
    union priv_request request;
    enum outcome outcome = SERVED;

    while (outcome == SERVED) {
        ssize_t len;
        int fd = -1;

        if (!wait_for_request(pp)) {
            return PRIVPARENT_BROKEN;
        }
        len = sysutil_recv_message(pp->priv_fd, &request, sizeof(request), &fd);
        if (len == 0 || (len == -1 && errno == ECONNRESET)) {
            sysutil_close(&fd);
            return PRIVPARENT_CHILD_GONE;
        }
        if (len == -1 || fd != -1) {
            sysutil_close(&fd);
            outcome = broken(pp, "a message from the service process that is no request");
            continue;
        }
        outcome = dispatch(pp, &request, (size_t)len);
        if (request.command == PRIV_SOCK_LOGIN) {
            explicit_bzero(&request, sizeof(request));
        }
    }
    return outcome == GRANTED ? PRIVPARENT_LOGIN : PRIVPARENT_BROKEN;
}
