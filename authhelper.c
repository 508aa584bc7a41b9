/*
 * authhelper.c - the program miniftpd-auth, as the listener starts it
 *
 * Process: L, root; main for "miniftpd -t" and "miniftpd --passwd".
 * Trusts:  the configuration, and the file beside our own program.
 * Touches: that program, and the socket to it.
 */
#include "authhelper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "authproto.h"
#include "helper.h"
#include "log.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"

#define PROGRAM   MINIFTPD_NAME "-auth"
#define ERROR_MAX 8192

static void complain_of_program(const char *path, struct str *errors)
{
    str_append_format(errors, "cannot start the program %s: %s%s\n", path, strerror(errno),
                      errno == ENOENT ? "; it is installed with this one and lies beside it" : "");
}

/*
 * Start it in the given mode, with a socket. Returns our end, or -1 with the fault in `errors`.
 * *pid_out: the program.
 */
static int spawn(const char *mode, const char *argument, pid_t *pid_out, struct str *errors)
{
    struct helper_words line = {.count = 0};
    char path[HELPER_PATH_MAX];
    int fds[2];

    if (!helper_find(PROGRAM, path) || sysutil_socketpair(fds) == -1) {
        complain_of_program(path, errors);
        return -1;
    }
    helper_add(&line, PROGRAM);
    helper_add(&line, MINIFTPD_VERSION);
    helper_add(&line, mode);
    if (argument != NULL) {
        helper_add(&line, argument);
    }
    *pid_out = helper_start(path, &line, fds[1], HELPER_REQUEST_FD);
    if (*pid_out == -1) {
        complain_of_program(path, errors);
        sysutil_close(&fds[0]);
    }
    sysutil_close(&fds[1]);
    helper_free_words(&line);
    return fds[0];
}

/* All that the program has to know of the configuration, as it counts here. */
static bool send_options(int fd, const struct tunables *tun, struct str *errors)
{
    struct str text = STR_INIT(TUNABLE_SETTINGS_MAX);
    int file = memfd_create("options", MFD_CLOEXEC);
    bool good;

    tunable_append_settings(tun, &text);
    good = file != -1 && str_ok(&text) && sysutil_writen(file, str_text(&text), text.len) == 0 &&
           (authproto_send_note(fd, AUTHPROTO_OPTIONS, NULL, file) == 0 || errno == EPIPE);
    if (!good) {
        str_append_format(errors, PROGRAM ": cannot send the options: %s\n", strerror(errno));
    }
    sysutil_close(&file);
    str_free(&text);
    return good;
}

static bool wait_ready(int fd, struct str *errors)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct authproto_note note = {0};
    int none = -1;
    int ready = sysutil_poll(&p, 1, sysutil_now_ms() + HELPER_READY_MS);
    ssize_t got = ready > 0 ? sysutil_recv_message(fd, &note, sizeof(note), &none) : 0;

    sysutil_close(&none);
    if (got > 0 && note.kind == AUTHPROTO_READY) {
        return true;
    }
    if (got > 0 && note.kind == AUTHPROTO_WRONG) {
        str_append_format(errors, PROGRAM ": %.*s\n", (int)got - 1, note.text);
    } else {
        str_append_format(errors, PROGRAM " %s\n",
                          ready == 0 ? "does not get ready" : "ended at its start");
    }
    return false;
}

void authhelper_init(struct authhelper *h)
{
    *h = (struct authhelper){.request_fd = -1};
}

bool authhelper_start(struct authhelper *h, const struct tunables *tun, struct str *errors)
{
    pid_t pid;
    int fd;

    h->begun_ms = sysutil_now_ms();
    fd = spawn("--serve", NULL, &pid, errors);
    if (fd == -1) {
        return false;
    }
    if (!send_options(fd, tun, errors) || !wait_ready(fd, errors)) {
        (void)kill(pid, SIGKILL); /* ours and not reaped: the number is right */
        (void)sysutil_wait(pid);
        sysutil_close(&fd);
        return false;
    }
    sysutil_close(&h->request_fd);
    h->request_fd = fd;
    h->next_ms = 0;
    return true;
}

void authhelper_lost(struct authhelper *h)
{
    log_message(LOG_ERR, PROGRAM " has ended; starting another one");
    sysutil_close(&h->request_fd);
    h->next_ms = helper_restart_ms(h->begun_ms);
}

int64_t authhelper_due_ms(const struct authhelper *h)
{
    return h->next_ms;
}

void authhelper_work(struct authhelper *h, const struct tunables *tun)
{
    struct str errors = STR_INIT(ERROR_MAX);

    if (h->next_ms == 0 || sysutil_now_ms() < h->next_ms) {
        return;
    }
    if (!authhelper_start(h, tun, &errors)) {
        log_message(LOG_ERR, "nobody with a password can log in until this is mended: %.*s",
                    (int)strcspn(str_text(&errors), "\n"), str_text(&errors));
        h->next_ms = sysutil_now_ms() + HELPER_RETRY_MS;
    }
    str_free(&errors);
}

void authhelper_leave(struct authhelper *h)
{
    sysutil_close(&h->request_fd);
    h->next_ms = 0;
}

/* ---- one question ---- */

/* The answer of the program on `fd`, which waits for name services as long as they want. */
static bool receive_known(int fd, struct authhelper_known *known)
{
    static uint8_t packed[AUTHPROTO_PACKED_MAX];
    struct authproto_answer *answer = calloc(1, sizeof(*answer));
    int none = -1;
    ssize_t got = sysutil_recv_message(fd, packed, sizeof(packed), &none);
    bool good =
        answer != NULL && got > 0 && none == -1 && authproto_unpack(packed, (size_t)got, answer);

    sysutil_close(&none);
    if (good && answer->granted) {
        known->is_there = true;
        known->fits = answer->reason[0] == '\0';
        account_copy(&known->account, &answer->account);
    }
    free(answer);
    return good;
}

bool authhelper_look_up(bool rootless, const char *name, struct authhelper_known **known_out,
                        struct str *error)
{
    const char *mode = rootless ? "--own-account" : "--account";
    struct authhelper_known *known = calloc(1, sizeof(*known));
    pid_t pid;
    int fd = -1;
    bool good = known != NULL;

    *known_out = NULL;
    if (!good) {
        str_append(error, "no memory\n");
        return false;
    }
    fd = spawn(mode, name, &pid, error);
    good = fd != -1;
    if (good) {
        good = receive_known(fd, known);
        sysutil_close(&fd);
        (void)sysutil_wait(pid); /* it has said all or is ending */
        if (!good) {
            str_append_format(error, "cannot look up the account %s: " PROGRAM " ended\n", name);
        }
    }
    if (!good) {
        free(known);
        return false;
    }
    *known_out = known;
    return true;
}

void authhelper_forget(struct authhelper_known *known)
{
    free(known);
}

bool authhelper_address_words(const char *host, unsigned uid, unsigned gid, const char *known,
                              struct helper_words *line, char *path)
{
    if (!helper_find(PROGRAM, path)) {
        return false;
    }
    helper_add(line, PROGRAM);
    helper_add(line, MINIFTPD_VERSION);
    helper_add(line, "--address");
    helper_add(line, host);
    helper_add_number(line, uid);
    helper_add_number(line, gid);
    helper_add_number(line, (unsigned)getpid());
    if (known != NULL) {
        helper_add(line, known);
    }
    return true;
}

void authhelper_passwd(const char *file, const char *name)
{
    struct helper_words line = {.count = 0};
    struct str error = STR_INIT(ERROR_MAX);
    char path[HELPER_PATH_MAX];

    if (helper_find(PROGRAM, path)) {
        helper_add(&line, PROGRAM);
        helper_add(&line, MINIFTPD_VERSION);
        helper_add(&line, "--passwd");
        helper_add(&line, file);
        helper_add(&line, name);
        (void)execv(path, line.words); /* if it returns errno says why */
    }
    complain_of_program(path, &error);
    (void)fprintf(stderr, MINIFTPD_NAME ": %s", str_text(&error));
    str_free(&error);
    helper_free_words(&line);
}
