/*
 * tlsrelay.c - the program miniftpd-tls: certificates, and a relay for each session
 *
 * Process: T (root while it loads, then nobody in an empty root under seccomp), R.
 * Trusts:  its arguments. Of what comes through the socket only the form, which tlsproto checks.
 * Touches: certificate files; the socket of the listener (descriptor 3).
 *
 * Usage: miniftpd-tls VERSION UID GID EMPTY-DIRECTORY [OPTION=VALUE]...
 *        miniftpd-tls VERSION --check [OPTION=VALUE]...
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "privcap.h"
#include "sandbox.h"
#include "str.h"
#include "sysutil.h"
#include "tlsblind.h"
#include "tlscert.h"
#include "tlsctx.h"
#include "tlsproto.h"
#include "tlssession.h"

#define REQUEST_FD   3
#define MAX_OPEN     16
#define MAX_DATA_MIB 64
#define REPORT_MAX   16384 /* tlsproto_set_text cuts it */
#define CHECK_WRONG  2     /* exit status of --check */

static struct tlsctx_settings settings = {.tlsv12 = true, .tlsv13 = true, .require_reuse = true};
static bool wants_filters = true;
static bool rootless = false;
static bool kernel_tls = false;

/* clang-format off */
static const struct {
    const char *name;
    const char **text;
    bool *truth;
} options[] = {
    { "rsa_cert_file",         &settings.rsa_cert_file,        NULL },
    { "rsa_private_key_file",  &settings.rsa_private_key_file, NULL },
    { "dsa_cert_file",         &settings.dsa_cert_file,        NULL },
    { "dsa_private_key_file",  &settings.dsa_private_key_file, NULL },
    { "ca_certs_file",         &settings.ca_certs_file,        NULL },
    { "ssl_ciphers",           &settings.ssl_ciphers,          NULL },
    { "ssl_ciphersuites",      &settings.ssl_ciphersuites,     NULL },
    { "ssl_sni_hostname",      &settings.ssl_sni_hostname,     NULL },
    { "ssl_tlsv11",            NULL, &settings.tlsv11 },
    { "ssl_tlsv12",            NULL, &settings.tlsv12 },
    { "ssl_tlsv13",            NULL, &settings.tlsv13 },
    { "ssl_request_cert",      NULL, &settings.request_cert },
    { "require_cert",          NULL, &settings.require_cert },
    { "validate_cert",         NULL, &settings.validate_cert },
    { "require_ssl_reuse",     NULL, &settings.require_reuse },
    { "seccomp_sandbox",       NULL, &wants_filters },
    { "run_as_launching_user", NULL, &rootless },
};
/* clang-format on */

/* The listener has parsed them; anything odd is its mistake. */
static bool take_option(const char *argument)
{
    const char *value = strchr(argument, '=');

    for (size_t i = 0; value != NULL && i < ARRAY_LEN(options); i++) {
        size_t len = strlen(options[i].name);

        if (len != (size_t)(value - argument) || memcmp(argument, options[i].name, len) != 0) {
            continue;
        }
        if (options[i].text != NULL) {
            *options[i].text = value + 1;
            return true;
        }
        *options[i].truth = strcmp(value + 1, "YES") == 0;
        return *options[i].truth || strcmp(value + 1, "NO") == 0;
    }
    return false;
}

static void take_options_or_die(char **arguments)
{
    for (; *arguments != NULL; arguments++) {
        if (!take_option(*arguments)) {
            (void)fprintf(stderr, "miniftpd-tls: %s: no such option\n", *arguments);
            _exit(EXIT_STATUS_USAGE);
        }
    }
}

/* ---- the check ---- */

/* One line on standard output; the context counts errors. */
static void print_line(void *context, enum tlscert_severity severity, const char *text)
{
    static const char *const names[] = {
        [TLSCERT_INFO] = "info", [TLSCERT_WARNING] = "warning", [TLSCERT_ERROR] = "error"};

    *(unsigned *)context += severity == TLSCERT_ERROR;
    (void)printf("%s: %s\n", names[severity], text); /* see fflush below */
}

static const char *version_text(struct str *text, const char *version)
{
    str_append_format(text,
                      "the daemon is version %s, miniftpd-tls is %s: after an upgrade the daemon "
                      "has to be restarted",
                      version, MINIFTPD_VERSION);
    return str_text(text);
}

static int check(const char *version)
{
    unsigned errors = 0;
    const struct tlscert_report report = {.say = print_line, .context = &errors};
    struct str text = STR_INIT(TLSPROTO_TEXT_MAX);

    if (strcmp(version, MINIFTPD_VERSION) != 0) {
        print_line(&errors, TLSCERT_ERROR, version_text(&text, version));
    } else {
        SSL_CTX_free(tlsctx_new(&settings, &report));
    }
    str_free(&text);
    if (fflush(stdout) != 0) {
        return EXIT_STATUS_ERROR;
    }
    return errors > 0 ? CHECK_WRONG : EXIT_STATUS_OK;
}

/* ---- start ---- */

/* To the listener, and to standard error for who starts it by hand. */
static NORETURN void give_up(const char *text)
{
    struct tlsproto_message m = {.kind = TLSPROTO_WRONG};

    tlsproto_set_text(&m, text);
    (void)!tlsproto_send(REQUEST_FD, &m, -1); /* it may be gone */
    (void)fprintf(stderr, "miniftpd-tls: %s\n", text);
    _exit(EXIT_STATUS_ERROR);
}

static NORETURN void give_up_at(const char *step)
{
    struct str text = STR_INIT(TLSPROTO_TEXT_MAX);

    str_append_format(&text, "%s: %s", step, strerror(errno));
    give_up(str_text(&text));
}

/* What L hears: the first error, or the warnings, as far as they fit. */
struct start_report {
    struct str error;
    struct str warnings;
};

static void keep_line(void *context, enum tlscert_severity severity, const char *text)
{
    struct start_report *kept = context;
    struct str *to = severity == TLSCERT_ERROR ? &kept->error : &kept->warnings;

    if (severity == TLSCERT_INFO || (severity == TLSCERT_ERROR && to->len > 0)) {
        return;
    }
    str_append(to, to->len > 0 ? "; " : "");
    str_append(to, text);
}

static SSL_CTX *load_or_die(struct tlsproto_message *ready)
{
    struct start_report kept = {.error = STR_INIT(REPORT_MAX), .warnings = STR_INIT(REPORT_MAX)};
    const struct tlscert_report report = {.say = keep_line, .context = &kept};
    SSL_CTX *ctx = tlsctx_new(&settings, &report);

    if (ctx == NULL) {
        give_up(str_text(&kept.error));
    }
    (void)tlsblind_adopt(ctx); /* or relays take longer */
    tlsproto_set_text(ready, str_text(&kept.warnings));
    str_free(&kept.error);
    str_free(&kept.warnings);
    return ctx;
}

/*
 * SECURITY: nothing that is open here may be written to or read by a relay: standard streams go nowhere,
 * the rest is closed.
 */
static void close_strange_or_die(void)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null_fd == -1 || dup2(null_fd, STDIN_FILENO) == -1 || dup2(null_fd, STDOUT_FILENO) == -1 ||
        dup2(null_fd, STDERR_FILENO) == -1) {
        give_up_at("/dev/null");
    }
    close(null_fd);
}

static bool enter_sandbox(const struct sandbox *sandbox, enum sandbox_role role)
{
    return !wants_filters || sandbox_enter(sandbox, role);
}

static void drop_or_die(unsigned uid, unsigned gid, const char *dir, struct sandbox *sandbox)
{
    struct privcap_plan plan = {.uid = uid,
                                .gid = gid,
                                .dir = rootless ? "/" : dir,
                                .jail = !rootless,
                                .may_fork = true,
                                .uncut = true,
                                .max_open = MAX_OPEN,
                                .max_data_mib = MAX_DATA_MIB,
                                .writes_files = true};
    struct str error = STR_INIT(TLSPROTO_TEXT_MAX);
    const char *step;

    wants_filters = wants_filters && sandbox_available(&step); /* L has said so, if not */
    if (wants_filters && !sandbox_build(sandbox, SANDBOX_ROLES_TLS, &error)) {
        give_up(str_text(&error));
    }
    close_strange_or_die();
    if (!privcap_become(&plan, &step)) {
        give_up_at(step);
    }
    if (!sandbox_limit_files(NULL)) {
        give_up_at("landlock");
    }
    tlsctx_warm_up();
    (void)malloc_trim(0); /* every relay is a fork of what remains */
    if (!enter_sandbox(sandbox, SANDBOX_FORKER)) {
        give_up_at("seccomp");
    }
}

/*
 * Can the kernel do TLS? Its module may be loaded by asking. An unconnected socket is refused in any case;
 * but where there is no such thing, with ENOENT. tls(7)
 */
static bool has_kernel_tls(void)
{
    static const char name[] = "tls";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool known = fd != -1 && (setsockopt(fd, IPPROTO_TCP, TCP_ULP, name, sizeof(name)) == 0 ||
                              errno == ENOTCONN);

    sysutil_close(&fd);
    return known;
}

/* ---- service ---- */

static NORETURN void be_relay(SSL_CTX *ctx, const struct sandbox *sandbox, int relay_fd)
{
    close(REQUEST_FD);
    if (enter_sandbox(sandbox, SANDBOX_RELAY)) {
        tlssession_run(ctx, settings.require_reuse, kernel_tls, relay_fd);
    }
    _exit(EXIT_STATUS_OK);
}

static void serve(SSL_CTX *ctx, const struct sandbox *sandbox)
{
    for (;;) {
        struct tlsproto_message m;
        int fd = -1;
        int got = tlsproto_receive(REQUEST_FD, &m, &fd);

        if (got == 0) {
            return; /* no listener and no session parent is left */
        }
        if (got == 1 && m.kind == TLSPROTO_START) {
            tlsblind_renew();
            /* without a relay the sender sees the end of its relay control */
            if (fork() == 0) {
                be_relay(ctx, sandbox, fd);
            }
        }
        sysutil_close(&fd);
        if (got == -1 && errno != EPROTO && errno != EMFILE) {
            return;
        }
    }
}

/* arguments: UID, GID, directory, options */
static int run(const char *version, char **arguments)
{
    struct tlsproto_message ready = {.kind = TLSPROTO_READY};
    struct str text = STR_INIT(TLSPROTO_TEXT_MAX);
    struct sandbox sandbox;
    uint64_t uid, gid;
    SSL_CTX *ctx;

    (void)signal(SIGPIPE, SIG_IGN);
    if (strcmp(version, MINIFTPD_VERSION) != 0) {
        give_up(version_text(&text, version));
    }
    if (!str_to_uint(arguments[0], 1, UINT32_MAX - 1, &uid) ||
        !str_to_uint(arguments[1], 0, UINT32_MAX - 1, &gid)) {
        return EXIT_STATUS_USAGE;
    }
    take_options_or_die(arguments + 3);
    /* SECURITY: before a key is read. A change of ids sets this again, and privcap clears it again. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1) {
        give_up_at("prctl");
    }
    /* an old kernel does not know it: the listener's are close-on-exec */
    (void)syscall(SYS_close_range, REQUEST_FD + 1, ~0U, 0);
    (void)signal(SIGCHLD, SIG_IGN); /* relays are reaped by the kernel */
    ctx = load_or_die(&ready);
    kernel_tls = has_kernel_tls();
    drop_or_die((unsigned)uid, (unsigned)gid, arguments[2], &sandbox);
    if (tlsproto_send(REQUEST_FD, &ready, -1) == -1) {
        return EXIT_STATUS_ERROR;
    }
    serve(ctx, &sandbox);
    return EXIT_STATUS_OK;
}

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[2], "--check") == 0) {
        take_options_or_die(argv + 3);
        return check(argv[1]);
    }
    if (argc >= 5) {
        return run(argv[1], argv + 2);
    }
    (void)fputs("miniftpd-tls is started by miniftpd (ssl_enable=YES); by hand it can check "
                "certificates:\nusage: miniftpd-tls " MINIFTPD_VERSION
                " --check [OPTION=VALUE]...\n",
                stderr);
    return EXIT_STATUS_USAGE;
}
