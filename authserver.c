/*
 * authserver.c - the program miniftpd-auth: who may log in
 *
 * Process: V (as L, but with no connection and no log), and A, its fork for one login.
 * Trusts:  its arguments and the options that L sends. V reads nothing that a client sent; what A reads of a
 *          login went through authproto.
 * Touches: name services, PAM, account files, files of users; the socket of the listener (descriptor 3).
 *
 * Usage: miniftpd-auth VERSION --serve
 *        miniftpd-auth VERSION --account NAME | --own-account NAME
 *        miniftpd-auth VERSION --address HOST UID GID PARENT [KNOWN]
 *        miniftpd-auth VERSION --passwd FILE NAME
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "authproto.h"
#include "common.h"
#include "helper.h"
#include "lookup.h"
#include "pamlogin.h"
#include "passwdcmd.h"
#include "privcap.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"
#include "utmprec.h"
#include "verifier.h"

#define REQUEST_FD      HELPER_REQUEST_FD
#define LOOKUP_MAX_OPEN 64
#define LOOKUP_MAX_MIB  64

static struct authproto_answer answer;       /* of this process, to its one question */
static uint8_t packed[AUTHPROTO_PACKED_MAX]; /* the same for the wire */

/* Who asked may be gone: then nobody misses it. */
static void send_answer(int fd)
{
    (void)!sysutil_send_message(fd, packed, authproto_pack(&answer, packed), -1);
}

static void set_reason(const char *text)
{
    size_t len = strnlen(text, sizeof(answer.reason) - 1);

    memcpy(answer.reason, text, len);
    answer.reason[len] = '\0';
}

/* ---- A ---- */

/*
 * End with N, at once and whatever is under way in the libraries: when its end of the socket is closed the
 * kernel sends SIGIO. It may have been closed just before that was asked for.
 */
static bool end_with_asker(int fd)
{
    struct pollfd pfd = {.fd = fd, .events = 0};

    return fcntl(fd, F_SETOWN, getpid()) == 0 && fcntl(fd, F_SETFL, O_RDWR | O_ASYNC) == 0 &&
           poll(&pfd, 1, 0) == 0;
}

/* With a PAM session: say that the user is in, wait for the end of N, and close the session. */
static void keep_session(struct pamlogin *pam, int fd, const char *peer)
{
    char byte;
    ssize_t n;

    if (fcntl(fd, F_SETFL, O_RDWR) == -1) {
        return; /* our end would leave the session open, so we end before anybody is in it */
    }
    utmprec_login(getpid(), answer.account.name, peer);
    (void)setsid(); /* what ends the session's processes must not end this one */
    send_answer(fd);
    do {
        n = read(fd, &byte, sizeof(byte));
    } while (n > 0 || (n == -1 && errno == EINTR));
    utmprec_logout(getpid());
    pamlogin_end(pam);
}

NORETURN static void check_login(struct verifier *by, int fd)
{
    struct str reason = STR_INIT(AUTHPROTO_REASON_MAX - 1);
    struct pamlogin *pam = NULL;
    struct authproto_login login;
    ssize_t got;
    int none = -1;

    (void)signal(SIGCHLD, SIG_DFL); /* PAM modules wait for programs of theirs */
    (void)close(REQUEST_FD);
    got = sysutil_recv_message(fd, &login, sizeof(login), &none);
    if (got <= 0 || none != -1 || !authproto_is_login(&login, (size_t)got) || !end_with_asker(fd)) {
        _exit(EXIT_STATUS_ERROR);
    }
    answer.granted = verifier_run(by, login.name, login.has_password == 1 ? login.password : NULL,
                                  login.peer, &answer.account, &reason, &pam);
    set_reason(str_text(&reason));
    if (pam != NULL && by->tun->session_support) {
        (void)close(by->slots_fd); /* with its lock: the check is over, and this process stays */
        answer.stays = true;
        keep_session(pam, fd, login.peer);
    } else {
        send_answer(fd);
    }
    _exit(EXIT_STATUS_OK);
}

/* ---- V ---- */

static void serve_start(struct verifier *by, int fd)
{
    pid_t pid = fork();

    if (pid == 0) {
        check_login(by, fd);
    }
    if (pid == -1) {
        struct str text = STR_INIT(AUTHPROTO_REASON_MAX - 1);

        str_append_format(&text, "cannot start the verifier: %s", strerror(errno));
        set_reason(str_text(&text));
        send_answer(fd);
        str_free(&text);
    }
}

static void serve(struct verifier *by)
{
    for (;;) {
        struct authproto_note note;
        int fd = -1;
        ssize_t got = sysutil_recv_message(REQUEST_FD, &note, sizeof(note), &fd);

        if (got == 0) {
            return; /* no listener and no session before its login is left */
        }
        if (got == 1 && note.kind == AUTHPROTO_START && fd != -1) {
            serve_start(by, fd);
        }
        sysutil_close(&fd); /* without a verifier N sees the end of its socket */
        if (got == -1 && errno != EPROTO && errno != EMFILE) {
            return;
        }
    }
}

/* To the listener, which logs it. */
NORETURN static void give_up(const char *text)
{
    (void)!authproto_send_note(REQUEST_FD, AUTHPROTO_WRONG, text, -1); /* it may be gone */
    _exit(EXIT_STATUS_ERROR);
}

NORETURN static void give_up_at(const char *step)
{
    struct str text = STR_INIT(AUTHPROTO_TEXT_MAX);

    str_append_format(&text, "%s: %s", step, strerror(errno));
    give_up(str_text(&text));
}

/* The options in force, as L has them: the first message. */
static void take_options_or_die(struct tunables *tun)
{
    struct authproto_note note;
    struct stat st;
    char *text;
    int fd = -1;
    ssize_t got = sysutil_recv_message(REQUEST_FD, &note, sizeof(note), &fd);

    if (got != 1 || note.kind != AUTHPROTO_OPTIONS || fd == -1 || fstat(fd, &st) == -1 ||
        st.st_size > TUNABLE_SETTINGS_MAX) {
        give_up("the options do not come");
    }
    tunable_init(tun);
    if (st.st_size > 0) {
        text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (text == MAP_FAILED) {
            give_up_at("mmap");
        }
        if (!tunable_apply_settings(tun, text, (size_t)st.st_size)) {
            give_up("the options are not those of this version");
        }
        (void)munmap(text, (size_t)st.st_size); /* as good as it was mapped */
    }
    sysutil_close(&fd);
}

/* One byte to lock for each check that may run at once: one per processor. */
static void make_slots_or_die(struct verifier *by)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    by->slots = cores > 0 ? (unsigned)cores : 1;
    by->slots_fd = memfd_create("password-checks", MFD_CLOEXEC);
    if (by->slots_fd == -1) {
        give_up_at("memfd_create");
    }
}

/*
 * What names that do not exist are hashed with. It is looked up in a process of its own, as passwords are
 * verified in one: no hash may stay in memory that later verifiers inherit.
 */
static void choose_dummy_setting(struct verifier *by)
{
    const size_t size = sizeof(by->dummy_setting);
    char *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = shared != MAP_FAILED ? fork() : -1;

    if (pid == 0) {
        verifier_find_setting(by->tun, shared, size);
        _exit(EXIT_STATUS_OK);
    }
    if (pid != -1) {
        (void)sysutil_wait(pid); /* without a setting unknown names are just refused faster */
        memcpy(by->dummy_setting, shared, size);
    }
    if (shared != MAP_FAILED) {
        (void)munmap(shared, size); /* as good as it was mapped */
    }
}

static int run_server(const char *version)
{
    static struct tunables tun;
    static struct verifier by;
    bool bounds_empty;

    (void)signal(SIGPIPE, SIG_IGN);
    /* an old kernel does not know it: the listener's are close-on-exec */
    (void)syscall(SYS_close_range, REQUEST_FD + 1, ~0U, 0);
    if (strcmp(version, MINIFTPD_VERSION) != 0) {
        give_up("the daemon is of another version than " MINIFTPD_NAME "-auth, " MINIFTPD_VERSION
                ": after an upgrade the daemon has to be restarted");
    }
    /* SECURITY: before a password is read */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1) {
        give_up_at("prctl");
    }
    take_options_or_die(&tun);
    by.tun = &tun;
    make_slots_or_die(&by);
    if (!privcap_begin_session(&bounds_empty)) {
        give_up_at("emptying the capability bounding set");
    }
    if (authproto_send_note(REQUEST_FD, AUTHPROTO_READY, NULL, -1) == -1) {
        return EXIT_STATUS_ERROR;
    }
    /* name services may take their time: logins wait for it, the listener does not */
    if (tun.local_enable || tun.virtual_users_file != NULL) {
        choose_dummy_setting(&by);
    }
    lookup_warm_up();
    (void)signal(SIGCHLD, SIG_IGN); /* verifiers are reaped by the kernel */
    serve(&by);
    return EXIT_STATUS_OK;
}

/* ---- one question ---- */

static int tell_account(const char *name, bool rootless)
{
    lookup_account(name, rootless, &answer);
    send_answer(REQUEST_FD);
    return EXIT_STATUS_OK;
}

/* SECURITY: answers come from the network, and the libraries that read them are many. */
static bool give_up_rights(uid_t uid, gid_t gid, pid_t parent)
{
    const struct privcap_plan plan = {
        .uid = uid,
        .gid = gid,
        .dir = "/",
        .max_open = LOOKUP_MAX_OPEN,
        .max_data_mib = LOOKUP_MAX_MIB,
    };
    const char *step;

    /* an ordinary user has nothing to give up */
    if (geteuid() == 0 && !privcap_become(&plan, &step)) {
        return false;
    }
    /* a listener that is killed cannot end us; after the change of ids, which takes it back */
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent;
}

/* arguments: HOST UID GID PARENT [KNOWN] */
static int tell_address(char **arguments)
{
    uint64_t uid, gid, parent;

    (void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0); /* as above */
    if (!str_to_uint(arguments[1], 1, UINT32_MAX - 1, &uid) ||
        !str_to_uint(arguments[2], 0, UINT32_MAX - 1, &gid) ||
        !str_to_uint(arguments[3], 1, INT32_MAX, &parent)) {
        return EXIT_STATUS_USAGE;
    }
    if (!give_up_rights((uid_t)uid, (gid_t)gid, (pid_t)parent)) {
        return EXIT_STATUS_ERROR;
    }
    return lookup_address(arguments[0], arguments[4]);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[2] : "";

    if (argc == 3 && strcmp(mode, "--serve") == 0) {
        return run_server(argv[1]);
    }
    if (argc == 4 && strcmp(mode, "--account") == 0) {
        return tell_account(argv[3], false);
    }
    if (argc == 4 && strcmp(mode, "--own-account") == 0) {
        return tell_account(argv[3], true);
    }
    if ((argc == 7 || argc == 8) && strcmp(mode, "--address") == 0) {
        return tell_address(argv + 3);
    }
    if (argc == 5 && strcmp(mode, "--passwd") == 0) {
        return passwdcmd_run(argv[3], argv[4]);
    }
    (void)fputs(MINIFTPD_NAME "-auth is started by " MINIFTPD_NAME ", and is nothing to call\n",
                stderr);
    return EXIT_STATUS_USAGE;
}
