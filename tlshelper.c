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
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "str.h"
#include "sysutil.h"
#include "tlsproto.h"
#include "tunable.h"

#define PROGRAM        MINIFTPD_NAME "-tls"
#define REQUEST_FD     3 /* where the program expects its socket */
#define READY_MS       10000
#define RESTART_MS     1000  /* not more often than that */
#define RETRY_MS       10000 /* after a start that failed */
#define PATH_LEN_MAX   4096
#define SETTING_MAX    8192
#define NUMBER_MAX     32
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

#define FIRST_ARGUMENTS 5 /* at most */
#define ARGUMENTS_MAX   (FIRST_ARGUMENTS + ARRAY_LEN(options) + 1)

struct command_line {
    char *words[ARGUMENTS_MAX];
    size_t count;
};

static void add_word(struct command_line *line, const char *text)
{
    char *word = strdup(text);

    if (word == NULL) {
        bug("no memory for a command line");
    }
    line->words[line->count++] = word;
}

static void add_number(struct command_line *line, unsigned number)
{
    struct str text = STR_INIT(NUMBER_MAX);

    str_append_format(&text, "%u", number);
    add_word(line, str_text(&text));
    str_free(&text);
}

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

static void add_options(struct command_line *line, const struct tunables *tun)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        struct str setting = STR_INIT(SETTING_MAX);

        str_append_format(&setting, "%s=", options[i]);
        if (counts(tun, options[i])) {
            tunable_append_value(tun, tunable_find(options[i]), &setting);
        }
        add_word(line, str_text(&setting));
        str_free(&setting);
    }
}

static void free_words(struct command_line *line)
{
    for (size_t i = 0; i < line->count; i++) {
        free(line->words[i]);
    }
}

/* The program lies beside ours. Returns false with errno. */
static bool find_program(char path[PATH_LEN_MAX])
{
    ssize_t len = readlink("/proc/self/exe", path, PATH_LEN_MAX - sizeof(PROGRAM));
    char *slash;

    if (len == -1) {
        return false;
    }
    path[len] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL) {
        errno = ENOENT;
        return false;
    }
    memcpy(slash + 1, PROGRAM, sizeof(PROGRAM));
    return access(path, X_OK) == 0;
}

static void complain_of_program(const char *path, struct str *errors)
{
    str_append_format(errors, "ssl_enable=YES needs the program %s: %s%s\n", path, strerror(errno),
                      errno == ENOENT
                          ? "; it is made with OpenSSL (make WITH_TLS=1) and lies beside this one"
                          : "");
}

/* In the child: nothing but the program's own descriptor `fd` as number `as`. */
static NORETURN void run_program(const char *path, char **words, int fd, int as)
{
    static char *const no_environment[] = {NULL};
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    sigset_t none;

    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL); /* valid arguments: cannot fail */
    if (null_fd == -1) {
        _exit(EXIT_STATUS_ERROR);
    }
    for (int std = STDIN_FILENO; std <= STDERR_FILENO; std++) {
        if (std != as && dup2(null_fd, std) == -1) {
            _exit(EXIT_STATUS_ERROR);
        }
    }
    if (fd == as ? fcntl(fd, F_SETFD, 0) == -1 : dup2(fd, as) == -1) {
        _exit(EXIT_STATUS_ERROR);
    }
    (void)execve(path, words, no_environment);
    _exit(EXIT_STATUS_ERROR);
}

/* Wait for the program's word about its certificates. */
static bool wait_ready(int fd, struct str *errors)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct tlsproto_message m = {0};
    int none = -1;
    int ready = sysutil_poll(&p, 1, sysutil_now_ms() + READY_MS);

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
    struct command_line line = {.count = 0};
    char path[PATH_LEN_MAX];
    int fds[2];
    pid_t pid;

    if (!find_program(path)) {
        complain_of_program(path, errors);
        return -1;
    }
    if (sysutil_socketpair(fds) == -1) {
        complain_of_program(path, errors);
        return -1;
    }
    add_word(&line, PROGRAM);
    add_word(&line, MINIFTPD_VERSION);
    add_number(&line, (unsigned)uid);
    add_number(&line, (unsigned)gid);
    add_word(&line, tun->secure_chroot_dir);
    add_options(&line, tun);
    line.words[line.count] = NULL;
    pid = fork();
    if (pid == 0) {
        run_program(path, line.words, fds[1], REQUEST_FD);
    }
    sysutil_close(&fds[1]);
    free_words(&line);
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
    int64_t now_ms = sysutil_now_ms();

    log_message(LOG_ERR, PROGRAM " has ended; starting another one");
    sysutil_close(&h->request_fd);
    h->next_ms = h->begun_ms + RESTART_MS > now_ms ? h->begun_ms + RESTART_MS : now_ms;
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
        h->next_ms = sysutil_now_ms() + RETRY_MS;
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
    struct command_line words = {.count = 0};
    struct str error = STR_INIT(SETTING_MAX);
    char path[PATH_LEN_MAX];
    char text[CHECK_LINE_MAX];
    int fds[2] = {-1, -1};
    FILE *answers;
    pid_t pid;

    if (!find_program(path) || pipe2(fds, O_CLOEXEC) == -1) {
        str_append(&error, "error: ");
        complain_of_program(path, &error);
        error.buf[strcspn(error.buf, "\n")] = '\0';
        line(context, error.buf);
        str_free(&error);
        return false;
    }
    add_word(&words, PROGRAM);
    add_word(&words, MINIFTPD_VERSION);
    add_word(&words, "--check");
    add_options(&words, tun);
    words.words[words.count] = NULL;
    pid = fork();
    if (pid == 0) {
        run_program(path, words.words, fds[1], STDOUT_FILENO);
    }
    sysutil_close(&fds[1]);
    free_words(&words);
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
