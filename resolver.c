/*
 * resolver.c - the address that PASV announces, and the look-up of its name
 *
 * Process: L, with a child that looks up: miniftpd-auth as nopriv_user without capabilities, without a
 *          descriptor but the pipe for its answer. The choice of an address: S, as it starts.
 * Trusts:  the configuration; of the child only that it is not to be trusted.
 * Touches: the pipe, the log.
 */
#include "resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authhelper.h"
#include "authproto.h"
#include "helper.h"
#include "log.h"
#include "sysutil.h"
#include "tunable.h"

#define LOOKUP_MS 20000 /* two name servers that are dead before one that answers */
#define PERIOD_MS 60000 /* between look-ups */
#define RETRY_MS  5000  /* as long as no address is known */

void resolver_init(struct resolver *r)
{
    memset(r, 0, sizeof(*r));
    r->answer_fd = -1;
}

/* ---- the listener ---- */

/* A look-up has not brought an address: said once, until one does. */
static void failed(struct resolver *r, const char *why)
{
    char text[NETADDR_TEXT_MAX];

    if (r->failing) {
        return;
    }
    r->failing = true;
    netaddr_text(&r->addr, text);
    log_message(LOG_WARNING,
                "pasv_address=%s cannot be looked up: %s; PASV names %s%s until it can", r->name,
                why, r->addr.family == AF_UNSPEC ? "the server's own address" : "still ",
                r->addr.family == AF_UNSPEC ? "" : text);
}

static void found(struct resolver *r, const uint8_t bytes[4])
{
    struct netaddr addr = {.family = AF_INET};
    char old_text[NETADDR_TEXT_MAX], text[NETADDR_TEXT_MAX];

    memcpy(addr.bytes, bytes, 4);
    netaddr_text(&r->addr, old_text);
    netaddr_text(&addr, text);
    if (r->addr.family == AF_UNSPEC) {
        log_message(LOG_INFO, "pasv_address=%s is %s", r->name, text);
    } else if (!netaddr_same_host(&addr, &r->addr)) {
        log_message(LOG_INFO, "pasv_address=%s is %s now, and was %s", r->name, text, old_text);
    } else if (r->failing) {
        log_message(LOG_INFO, "pasv_address=%s is found again and still %s", r->name, text);
    }
    r->failing = false;
    r->addr = addr;
}

static void plan_next(struct resolver *r)
{
    r->next_ms = sysutil_now_ms() + (r->addr.family == AF_UNSPEC ? RETRY_MS : PERIOD_MS);
}

/* The child has ended: its answer lies in the pipe, whole or not at all. */
static void take_answer(struct resolver *r)
{
    struct authproto_address answer;
    ssize_t len = read(r->answer_fd, &answer, sizeof(answer));
    bool overdue = r->overdue;

    sysutil_close(&r->answer_fd);
    r->child = 0;
    r->overdue = false;
    if (len == sizeof(answer) && answer.gai_error == 0) {
        found(r, answer.bytes);
    } else if (len == sizeof(answer)) {
        failed(r, answer.gai_error == EAI_SYSTEM ? strerror(answer.sys_error)
                                                 : gai_strerror(answer.gai_error));
    } else {
        failed(r, overdue ? "no answer in time" : "the look-up ended without an answer");
    }
    plan_next(r);
}

/* Start the child. Returns its pid, or -1 with errno. */
static pid_t start_child(const struct resolver *r, int answer_fd)
{
    struct helper_words line = {.count = 0};
    char path[HELPER_PATH_MAX], known[NETADDR_TEXT_MAX];
    bool is_known = r->addr.family == AF_INET;
    pid_t pid = -1;

    netaddr_text(&r->addr, known);
    if (authhelper_address_words(r->name, (unsigned)r->uid, (unsigned)r->gid,
                                 is_known ? known : NULL, &line, path)) {
        pid = helper_start(path, &line, answer_fd, STDOUT_FILENO);
    }
    helper_free_words(&line);
    return pid;
}

static void begin(struct resolver *r)
{
    int fds[2] = {-1, -1};

    plan_next(r); /* should this one fail at once */
    r->deadline_ms = sysutil_now_ms() + LOOKUP_MS;
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1) {
        failed(r, strerror(errno));
        return;
    }
    r->child = start_child(r, fds[1]);
    if (r->child == -1) {
        r->child = 0;
        failed(r, strerror(errno));
        sysutil_close(&fds[0]);
    }
    sysutil_close(&fds[1]);
    r->answer_fd = fds[0];
}

/* A look-up that is not wanted any more. */
static void cancel(struct resolver *r)
{
    if (r->child != 0) {
        (void)kill(r->child, SIGKILL); /* ours and not reaped: the number is right */
        (void)sysutil_wait(r->child);
        r->child = 0;
        r->overdue = false;
    }
    sysutil_close(&r->answer_fd);
}

/* What is to be looked up, or NULL. */
static const char *wanted_name(const struct tunables *tun)
{
    struct netaddr numeric;

    return tun->pasv_addr_resolve && tun->pasv_address != NULL &&
                   !netaddr_parse(tun->pasv_address, AF_INET, &numeric)
               ? tun->pasv_address
               : NULL;
}

void resolver_configure(struct resolver *r, const struct tunables *tun, uid_t uid, gid_t gid)
{
    const char *name = wanted_name(tun);

    cancel(r);
    free(r->name);
    r->name = name != NULL ? strdup(name) : NULL;
    r->uid = uid;
    r->gid = gid;
    r->failing = false; /* the administrator wants to know */
    if (name == NULL) {
        r->addr.family = AF_UNSPEC;
    } else if (r->name == NULL) {
        log_message(LOG_WARNING, "no memory to look up pasv_address=%s", name);
    } else {
        begin(r);
    }
}

bool resolver_is_starting(const struct resolver *r)
{
    return r->child != 0 && r->addr.family == AF_UNSPEC && !r->failing;
}

int64_t resolver_due_ms(const struct resolver *r)
{
    if (r->name == NULL || r->overdue) {
        return 0; /* overdue: its end will be told by a signal */
    }
    return r->child != 0 ? r->deadline_ms : r->next_ms;
}

void resolver_work(struct resolver *r)
{
    int64_t due_ms = resolver_due_ms(r);

    if (due_ms == 0 || sysutil_now_ms() < due_ms) {
        return;
    }
    if (r->child != 0) {
        r->overdue = true;
        (void)kill(r->child, SIGKILL); /* ours and not reaped: the number is right */
    } else {
        begin(r);
    }
}

bool resolver_take(struct resolver *r, pid_t pid)
{
    if (r->child == 0 || r->child != pid) {
        return false;
    }
    take_answer(r);
    return true;
}

void resolver_wait(struct resolver *r)
{
    struct pollfd pfd = {.fd = r->answer_fd, .events = POLLIN};

    if (r->child != 0 && sysutil_poll(&pfd, 1, sysutil_now_ms() + RESOLVER_START_MS) > 0) {
        (void)sysutil_wait(r->child); /* it has said all or is ending */
        take_answer(r);
    }
}

void resolver_leave(struct resolver *r)
{
    sysutil_close(&r->answer_fd);
    r->child = 0;
}

void resolver_free(struct resolver *r)
{
    cancel(r);
    free(r->name);
    resolver_init(r);
}

/* ---- the choice ---- */

bool resolver_announced(const struct resolver *r, const struct tunables *tun,
                        const struct netaddr *client, const struct netaddr *local,
                        struct netaddr *out)
{
    const char *name = tun->pasv_address;

    *out = *local;
    if (tun->pasv_address_map != NULL) {
        switch (netaddr_map_find(tun->pasv_address_map, client, out)) {
        case NETADDR_MAP_OWN:
        case NETADDR_MAP_ADDRESS:
            return true;
        case NETADDR_MAP_NONE:
            break;
        }
    }
    if (name == NULL || netaddr_parse(name, AF_INET, out)) {
        return true;
    }
    /* a user's own name was never looked up */
    if (r != NULL && r->name != NULL && strcmp(r->name, name) == 0 && r->addr.family == AF_INET) {
        *out = r->addr;
        return true;
    }
    *out = *local; /* which the parser has overwritten */
    return false;
}
