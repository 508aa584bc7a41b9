/*
 * tlshelper.c - the program miniftpd-tls, as the listener starts it
 *
 * Process: L, root; main for "miniftpd -t".
 * Trusts:  the configuration, and the file beside our own program.
 * Touches: that program, and the socket to it.
 */
#include "tlshelper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper.h"
#include "log.h"
#include "str.h"
#include "sysutil.h"
#include "tlsproto.h"
#include "tunable.h"

#define PROGRAM        MINIFTPD_NAME "-tls"
#define SETTING_MAX    8192
#define CHECK_LINE_MAX 1024

/* What the program has to know; as "name=value" after its first arguments. */
static const char *const options[] = {
    "rsa_cert_file",        "rsa_private_key_file", "dsa_cert_file",
    "dsa_private_key_file", "ca_certs_file",        "ssl_ciphers",
    "ssl_ciphersuites",     "ssl_sni_hostname",

    "ssl_tlsv11",           "ssl_tlsv12",           "ssl_tlsv13",
    "ssl_request_cert",     "require_cert",         "validate_cert",
    "require_ssl_reuse",    "seccomp_sandbox",      "run_as_launching_user",
};

_Static_assert(ARRAY_LEN(options) + 5 <= HELPER_WORDS_MAX, "room for all arguments");

/* The certificate that vsftpd expects in its place is not missed by who has set another one. */
static bool counts(const struct tunables *tun, const char *option)
{
    struct tunables defaults;
    bool is_default;

    if (strcmp(option, "rsa_cert_file") != 0 || tun->dsa_cert_file == NULL ||
        tun->rsa_cert_file == NULL) {
        return true;
    }
    tunable_init(&defaults);
    is_default = strcmp(tun->rsa_cert_file, defaults.rsa_cert_file) == 0;
    tunable_free(&defaults);
    return !is_default;
}

static void add_options(struct helper_words *line, const struct tunables *tun)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        struct str setting = STR_INIT(SETTING_MAX);

        str_append_format(&setting, "%s=", options[i]);
        if (counts(tun, options[i])) {
            tunable_append_value(tun, tunable_find(options[i]), &setting);
        }
        helper_add(line, str_text(&setting));
        str_free(&setting);
    }
}

static void complain_of_program(const char *path, struct str *errors)
{
    str_append_format(errors, "ssl_enable=YES needs the program %s: %s%s\n", path, strerror(errno),
                      errno == ENOENT
                          ? "; it is made with OpenSSL (make WITH_TLS=1) and lies beside this one"
                          : "");
}

/* Wait for the program's word about its certificates. */
static bool wait_ready(int fd, struct str *errors)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct tlsproto_message m = {0};
    int none = -1;
    int ready = sysutil_poll(&p, 1, sysutil_now_ms() + HELPER_READY_MS);

    if (ready > 0 && tlsproto_receive(fd, &m, &none) == 1 && m.kind == TLSPROTO_READY) {
        if (m.text_len > 0) {
            log_message(LOG_WARNING, "%.*s", (int)m.text_len, m.text);
        }
        return true;
    }
    sysutil_close(&none);
    if (m.kind == TLSPROTO_WRONG) {
        str_append_format(errors, "%.*s\n", (int)m.text_len, m.text);
    } else {
        str_append_format(errors, PROGRAM " %s\n",
                          ready == 0 ? "does not get ready" : "ended at its start");
    }
    return false;
}

/* Start it. Returns our end of its socket, or -1 with the fault in `errors`. */
static int spawn(const struct tunables *tun, uid_t uid, gid_t gid, struct str *errors)
{
    struct helper_words line = {.count = 0};
    char path[HELPER_PATH_MAX];
    int fds[2];
    pid_t pid;

    if (!helper_find(PROGRAM, path)) {
        complain_of_program(path, errors);
        return -1;
    }
    if (sysutil_socketpair(fds) == -1) {
        complain_of_program(path, errors);
        return -1;
    }
    helper_add(&line, PROGRAM);
    helper_add(&line, MINIFTPD_VERSION);
    helper_add_number(&line, (unsigned)uid);
    helper_add_number(&line, (unsigned)gid);
    helper_add(&line, tun->secure_chroot_dir);
    add_options(&line, tun);
    pid = helper_start(path, &line, fds[1], HELPER_REQUEST_FD);
    sysutil_close(&fds[1]);
    helper_free_words(&line);
    if (pid == -1) {
        complain_of_program(path, errors);
        sysutil_close(&fds[0]);
    } else if (!wait_ready(fds[0], errors)) {
        (void)kill(pid, SIGKILL); /* it may hang in a file that is none */
        (void)sysutil_wait(pid);
        sysutil_close(&fds[0]);
    }
    return fds[0];
}

void tlshelper_init(struct tlshelper *h)
{
    *h = (struct tlshelper){.request_fd = -1};
}

bool tlshelper_start(struct tlshelper *h, const struct tunables *tun, uid_t uid, gid_t gid,
                     struct str *errors)
{
    int fd = -1;

    if (tunable_wants_tls(tun)) {
        h->begun_ms = sysutil_now_ms();
        fd = spawn(tun, uid, gid, errors);
        if (fd == -1) {
            return false;
        }
    }
    sysutil_close(&h->request_fd);
    h->request_fd = fd;
    h->next_ms = 0;
    return true;
}

void tlshelper_lost(struct tlshelper *h)
{
    log_message(LOG_ERR, PROGRAM " has ended; starting another one");
    sysutil_close(&h->request_fd);
    h->next_ms = helper_restart_ms(h->begun_ms);
}

int64_t tlshelper_due_ms(const struct tlshelper *h)
{
    return h->next_ms;
}

void tlshelper_work(struct tlshelper *h, const struct tunables *tun, uid_t uid, gid_t gid)
{
    struct str errors = STR_INIT(SETTING_MAX);

    if (h->next_ms == 0 || sysutil_now_ms() < h->next_ms) {
        return;
    }
    if (!tlshelper_start(h, tun, uid, gid, &errors)) {
        log_message(LOG_ERR, "no TLS until this is mended: %.*s",
                    (int)strcspn(str_text(&errors), "\n"), str_text(&errors));
        h->next_ms = sysutil_now_ms() + HELPER_RETRY_MS;
    }
    str_free(&errors);
}

void tlshelper_leave(struct tlshelper *h)
{
    sysutil_close(&h->request_fd);
    h->next_ms = 0;
}

/* ---- miniftpd -t ---- */

bool tlshelper_check(const struct tunables *tun, void (*line)(void *context, const char *text),
                     void *context)
{
    struct helper_words words = {.count = 0};
    struct str error = STR_INIT(SETTING_MAX);
    char path[HELPER_PATH_MAX];
    char text[CHECK_LINE_MAX];
    int fds[2] = {-1, -1};
    FILE *answers;
    pid_t pid;

    if (!helper_find(PROGRAM, path) || pipe2(fds, O_CLOEXEC) == -1) {
        str_append(&error, "error: ");
        complain_of_program(path, &error);
        error.buf[strcspn(error.buf, "\n")] = '\0';
        line(context, error.buf);
        str_free(&error);
        return false;
    }
    helper_add(&words, PROGRAM);
    helper_add(&words, MINIFTPD_VERSION);
    helper_add(&words, "--check");
    add_options(&words, tun);
    pid = helper_start(path, &words, fds[1], STDOUT_FILENO);
    sysutil_close(&fds[1]);
    helper_free_words(&words);
    answers = fdopen(fds[0], "r");
    while (answers != NULL && fgets(text, sizeof(text), answers) != NULL) {
        text[strcspn(text, "\n")] = '\0';
        line(context, text);
    }
    if (answers != NULL) {
        (void)fclose(answers); /* only read */
    }
    if (pid != -1) {
        (void)sysutil_wait(pid);
    }
    return pid != -1 && answers != NULL;
}
