/*
 * sandbox.c - seccomp filters and the Landlock rule set, one role each
 *
 * Process: L and miniftpd-tls compile; they and their children load.
 * Trusts:  the tables below.
 * Touches: what its own process may do from now on.
 *
 * The filters are lists of what is allowed; the rest fails with ENOSYS, which a newer C library takes
 * as "an older kernel" and works around. Only what can have no honest reason ends the process.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef WITH_SECCOMP
#include <seccomp.h>
#endif

#include "str.h"
#include "sysutil.h"

#ifdef WITH_SECCOMP

enum verdict { ALLOW, DENY, KILL };

/* One rule: a system call, and how one argument, or it and the next, must look for it to apply. */
struct rule {
    int roles; /* bits 1 << SANDBOX_... */
    enum verdict verdict;
    int call;
    unsigned arg;
    enum { ANY_ARG, ARG_HAS_NOT, ARG_EQUALS, ARGS_EQUAL } test;
    uint64_t value;
    uint64_t next_value; /* ARGS_EQUAL: of the next argument */
};

#define BASE     (1 << SANDBOX_BASE)
#define GREETER  (1 << SANDBOX_GREETER)
#define BROKER   (1 << SANDBOX_BROKER)
#define FENCED   (1 << SANDBOX_FENCED)
#define SERVICE  ((1 << SANDBOX_SERVICE) | FENCED)
#define FORKER   (1 << SANDBOX_FORKER)
#define RELAY    (1 << SANDBOX_RELAY)
#define CONFINED (GREETER | BROKER | SERVICE | RELAY)
#define SERVING  (CONFINED | FORKER)

#define NOT_PERMISSIONS (~(uint64_t)0777)

#define RULE(who, what, name)                                                                      \
    {                                                                                              \
        (who), (what), SCMP_SYS(name), 0, ANY_ARG, 0, 0                                            \
    }
#define RULE_ARG(who, what, name, number, how, bits)                                               \
    {                                                                                              \
        (who), (what), SCMP_SYS(name), (number), (how), (bits), 0                                  \
    }
#define RULE_OPTION(who, level, option)                                                            \
    {                                                                                              \
        (who), ALLOW, SCMP_SYS(setsockopt), 1, ARGS_EQUAL, (level), (option)                       \
    }

/* clang-format off */
static const struct rule rules[] = {
    /* what nobody here ever does, root or not: the listener refuses it for all its children */
    RULE(BASE, KILL, ptrace), RULE(BASE, KILL, process_vm_readv), RULE(BASE, KILL, process_vm_writev),
    RULE(BASE, KILL, bpf), RULE(BASE, KILL, init_module), RULE(BASE, KILL, finit_module),
    RULE(BASE, KILL, delete_module), RULE(BASE, KILL, kexec_load), RULE(BASE, KILL, reboot),
    RULE(BASE, KILL, mount), RULE(BASE, KILL, umount2), RULE(BASE, KILL, pivot_root),
    RULE(BASE, KILL, unshare), RULE(BASE, KILL, setns), RULE(BASE, KILL, open_by_handle_at),
    RULE(BASE, KILL, userfaultfd), RULE(BASE, KILL, perf_event_open), RULE(BASE, KILL, io_uring_setup),
    RULE(BASE, KILL, mknodat), RULE(BASE, KILL, swapon), RULE(BASE, KILL, personality),

    /* no new programs and processes */
    RULE(SERVING, KILL, execve), RULE(SERVING, KILL, execveat), RULE(CONFINED, KILL, clone),
    RULE(CONFINED, KILL, clone3),

    /* descriptors it holds */
    RULE(SERVING, ALLOW, read), RULE(SERVING, ALLOW, write), RULE(SERVING, ALLOW, close),
    RULE(SERVING, ALLOW, recvfrom), RULE(SERVING, ALLOW, recvmsg),
    /* to the connected peer only; other flags than this one could open connections (MSG_FASTOPEN) */
    RULE_ARG(SERVING, ALLOW, sendto, 4, ARG_EQUALS, 0),
    RULE_ARG(SERVING, ALLOW, sendmsg, 2, ARG_EQUALS, MSG_NOSIGNAL),
    RULE(SERVING, ALLOW, poll), RULE(SERVING, ALLOW, ppoll), RULE(SERVING, ALLOW, shutdown),

    /* memory, without code */
    RULE(SERVING, ALLOW, brk), RULE(SERVING, ALLOW, munmap), RULE(SERVING, ALLOW, mremap),
    RULE(SERVING, ALLOW, madvise), RULE(SERVING, ALLOW, futex),
    RULE_ARG(SERVING, ALLOW, mmap, 2, ARG_HAS_NOT, PROT_EXEC),
    RULE_ARG(SERVING, ALLOW, mprotect, 2, ARG_HAS_NOT, PROT_EXEC),

    /* time, chance, signals, the end */
    RULE(SERVING, ALLOW, clock_gettime), RULE(SERVING, ALLOW, gettimeofday),
    RULE(SERVING, ALLOW, getrandom), RULE(SERVING, ALLOW, restart_syscall),
    RULE(SERVING, ALLOW, rt_sigreturn), RULE(SERVING, ALLOW, rt_sigprocmask),
    RULE(SERVING, ALLOW, getpid), RULE(SERVING, ALLOW, exit), RULE(SERVING, ALLOW, exit_group),

    /* N makes sockets for S */
    RULE_ARG(BROKER, ALLOW, socket, 0, ARG_EQUALS, AF_INET),
    RULE_ARG(BROKER, ALLOW, socket, 0, ARG_EQUALS, AF_INET6),
    RULE(BROKER, ALLOW, bind), RULE(BROKER, ALLOW, listen), RULE(BROKER, ALLOW, connect),
    RULE(BROKER | SERVICE, ALLOW, setsockopt), RULE(BROKER | SERVICE, ALLOW, getsockopt),
    RULE(BROKER, ALLOW, capset), RULE(BROKER, ALLOW, capget),
    RULE(BROKER, ALLOW, wait4), RULE(BROKER, ALLOW, pidfd_open),

    /* and gives uploads away, for which it has a capability only if it is to: open files, their owner */
    RULE(BROKER, ALLOW, fstat),
    RULE_ARG(BROKER, ALLOW, newfstatat, 3, ARG_EQUALS, AT_EMPTY_PATH),
    RULE_ARG(BROKER, ALLOW, fchown, 2, ARG_EQUALS, UINT32_MAX),

    /* a relay of TLS: files and sockets that were opened by others */
    RULE(RELAY | FORKER, ALLOW, pread64), RULE(RELAY | FORKER, ALLOW, pwrite64),
    RULE_ARG(RELAY | FORKER, ALLOW, fcntl, 1, ARG_EQUALS, F_SETFL),
    RULE_OPTION(RELAY | FORKER, SOL_SOCKET, SO_LINGER),
    RULE_OPTION(RELAY | FORKER, IPPROTO_TCP, TCP_NODELAY),
    RULE_OPTION(RELAY | FORKER, IPPROTO_TCP, TCP_CORK),
    /* kernel TLS, where there is such a thing: OpenSSL sends its alerts with flags of 0 */
    RULE_OPTION(RELAY | FORKER, IPPROTO_TCP, TCP_ULP), RULE_OPTION(RELAY | FORKER, SOL_TLS, TLS_TX),
    RULE_OPTION(RELAY | FORKER, SOL_TLS, TLS_RX), RULE(RELAY | FORKER, ALLOW, sendfile),
    RULE_ARG(RELAY | FORKER, ALLOW, sendmsg, 2, ARG_EQUALS, 0),

    /* its parent: what the child needs before it loads its own filter, too; no sockets */
    RULE(FORKER, KILL, ptrace), RULE(FORKER, KILL, socket),
    RULE(FORKER, ALLOW, clone), RULE(FORKER, ALLOW, set_robust_list), RULE(FORKER, ALLOW, seccomp),

    /* S has none, and cannot make any */
    RULE(GREETER | SERVICE, DENY, socket), RULE(GREETER | SERVICE, DENY, bind),
    RULE(GREETER | SERVICE, DENY, connect),
    RULE_ARG(SERVICE, ALLOW, socketpair, 0, ARG_EQUALS, AF_UNIX), /* to the relay of TLS */
    RULE(SERVICE, ALLOW, accept4),

    /* files, with the user's rights; nothing gets set-id bits */
    RULE_ARG(SERVICE, ALLOW, openat, 3, ARG_HAS_NOT, NOT_PERMISSIONS),
    RULE(SERVICE, ALLOW, newfstatat), RULE(SERVICE, ALLOW, fstat), RULE(SERVICE, ALLOW, statx),
    RULE(SERVICE, ALLOW, fstatfs), RULE(SERVICE, ALLOW, statfs), RULE(SERVICE, ALLOW, lseek),
    RULE(SERVICE, ALLOW, ftruncate), RULE(SERVICE, ALLOW, pread64), RULE(SERVICE, ALLOW, fsync),
    RULE(SERVICE, ALLOW, utimensat), RULE(SERVICE, ALLOW, symlinkat),
    RULE_ARG(SERVICE, ALLOW, fchownat, 2, ARG_EQUALS, UINT32_MAX), /* the group, never the owner */
    RULE(SERVICE, ALLOW, getdents64), RULE(SERVICE, ALLOW, readlinkat), RULE(SERVICE, ALLOW, chdir),
    RULE(SERVICE, ALLOW, fchdir),
    RULE(SERVICE, ALLOW, getcwd), RULE(SERVICE, ALLOW, unlinkat), RULE(SERVICE, ALLOW, renameat),
    RULE(SERVICE, ALLOW, renameat2),
    RULE_ARG(SERVICE, ALLOW, mkdirat, 2, ARG_HAS_NOT, NOT_PERMISSIONS),
    RULE_ARG(SERVICE, ALLOW, fchmodat, 2, ARG_HAS_NOT, NOT_PERMISSIONS),
    RULE_ARG(SERVICE, ALLOW, fchmod, 1, ARG_HAS_NOT, NOT_PERMISSIONS),
    RULE(SERVICE, ALLOW, umask),
    RULE(SERVICE, ALLOW, sysinfo), /* qsort(3) of older C libraries asks how much memory there is */
    RULE(SERVICE, ALLOW, sendfile), RULE(SERVICE, ALLOW, splice), RULE(SERVICE, ALLOW, pipe2),
    RULE_ARG(SERVICE, ALLOW, fcntl, 1, ARG_EQUALS, F_SETPIPE_SZ),
    RULE_ARG(SERVICE, ALLOW, fcntl, 1, ARG_EQUALS, F_OFD_SETLK), /* lock_upload_files */
    RULE_ARG(SERVICE, ALLOW, fcntl, 1, ARG_EQUALS, F_GETFL), /* fdopendir; so the next */
    RULE_ARG(SERVICE, ALLOW, fcntl, 1, ARG_EQUALS, F_SETFD),
    RULE_ARG(SERVICE, ALLOW, fcntl, 1, ARG_EQUALS, F_DUPFD_CLOEXEC),

    /* its arguments cannot be looked into; set-id bits would be those of who started the daemon */
    RULE(FENCED, ALLOW, openat2),
};
/* clang-format on */

static uint32_t action_of(enum verdict verdict)
{
    switch (verdict) {
    case ALLOW:
        return SCMP_ACT_ALLOW;
    case DENY:
        return SCMP_ACT_ERRNO(EACCES);
    case KILL:
        return SCMP_ACT_KILL_PROCESS;
    }
    bug("unknown verdict");
}

static int add_rule(scmp_filter_ctx ctx, const struct rule *rule)
{
    uint32_t action = action_of(rule->verdict);

    switch (rule->test) {
    case ANY_ARG:
        return seccomp_rule_add(ctx, action, rule->call, 0);
    case ARG_HAS_NOT:
        return seccomp_rule_add(ctx, action, rule->call, 1,
                                SCMP_CMP64(rule->arg, SCMP_CMP_MASKED_EQ, rule->value, 0));
    case ARG_EQUALS:
        return seccomp_rule_add(ctx, action, rule->call, 1,
                                SCMP_CMP64(rule->arg, SCMP_CMP_EQ, rule->value, 0));
    case ARGS_EQUAL:
        return seccomp_rule_add(ctx, action, rule->call, 2,
                                SCMP_CMP64(rule->arg, SCMP_CMP_EQ, rule->value, 0),
                                SCMP_CMP64(rule->arg + 1, SCMP_CMP_EQ, rule->next_value, 0));
    }
    bug("unknown test");
}

/* Roles that make a few calls only: what counts for their filters is how fast they are loaded. */
static bool makes_few_calls(enum sandbox_role role)
{
    return role == SANDBOX_GREETER || role == SANDBOX_BROKER;
}

/*
 * When a filter is loaded, the kernel tries it with each system call there is, to know which it need not
 * ask about again. That takes a third of the loading, and pays for many calls only. It gives up at once
 * on a filter that begins by looking at an argument, whatever follows. Returns how many instructions
 * were put into code[].
 */
static size_t add_prologue(enum sandbox_role role, struct sock_filter *code)
{
    if (!makes_few_calls(role)) {
        return 0;
    }
    code[0] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args));
    return 1;
}

/* The program as bytes, through a memory file: libseccomp writes to descriptors only. */
static int export_filter(scmp_filter_ctx ctx, struct sandbox *sandbox, enum sandbox_role role)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);
    struct stat st;
    struct sock_filter *code = NULL;
    size_t before = 0;
    int error = 0;

    if (fd == -1) {
        return -errno;
    }
    error = seccomp_export_bpf(ctx, fd);
    if (error == 0 && (fstat(fd, &st) == -1 || lseek(fd, 0, SEEK_SET) == -1)) {
        error = -errno;
    }
    if (error == 0 && (code = malloc((size_t)st.st_size + sizeof(*code))) == NULL) {
        error = -ENOMEM;
    }
    if (error == 0) {
        before = add_prologue(role, code); /* jumps are relative, so they stay right */
        error = sysutil_readn(fd, code + before, (size_t)st.st_size) != st.st_size ? -EIO : 0;
    }
    sysutil_close(&fd);
    if (error != 0) {
        free(code);
        return error;
    }
    sandbox->filter[role].code = code;
    sandbox->filter[role].len = (unsigned short)(before + (size_t)st.st_size / sizeof(*code));
    return 0;
}

static int build_role(struct sandbox *sandbox, enum sandbox_role role)
{
    scmp_filter_ctx ctx =
        seccomp_init(role == SANDBOX_BASE ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS));
    int error = 0;

    if (ctx == NULL) {
        return -ENOMEM;
    }
    error = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (error == 0) { /* 1: a list, which is shorter; 2: a tree, which is faster */
        error = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, makes_few_calls(role) ? 1 : 2);
    }
    for (size_t i = 0; error == 0 && i < ARRAY_LEN(rules); i++) {
        if ((rules[i].roles & (1 << role)) != 0) {
            error = add_rule(ctx, &rules[i]);
        }
    }
    if (error == 0) {
        error = export_filter(ctx, sandbox, role);
    }
    seccomp_release(ctx);
    return error;
}

bool sandbox_available(const char **why)
{
    uint32_t action = SECCOMP_RET_KILL_PROCESS;

    *why = "this kernel has no seccomp filters";
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool sandbox_build(struct sandbox *sandbox, unsigned roles, struct str *error)
{
    memset(sandbox, 0, sizeof(*sandbox));
    for (int role = 0; role < SANDBOX_COUNT; role++) {
        int result = (roles & 1U << role) != 0 ? build_role(sandbox, (enum sandbox_role)role) : 0;

        if (result != 0) {
            str_append_format(error, "cannot build the system call filters: %s", strerror(-result));
            return false;
        }
    }
    return true;
}

#else /* !WITH_SECCOMP */

bool sandbox_available(const char **why)
{
    *why = "this program was built without libseccomp";
    return false;
}

bool sandbox_build(struct sandbox *sandbox, unsigned roles, struct str *error)
{
    (void)roles;
    memset(sandbox, 0, sizeof(*sandbox));
    str_append(error, "built without libseccomp");
    return false;
}

#endif

bool sandbox_enter(const struct sandbox *sandbox, enum sandbox_role role)
{
    struct sock_fprog program = {.len = sandbox->filter[role].len,
                                 .filter = sandbox->filter[role].code};

    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &program) == 0;
}

/* From linux/landlock.h of newer kernels; the header of the system may be older than its kernel. */
#define LANDLOCK_FS_EXECUTE     (1ULL << 0)
#define LANDLOCK_FS_WRITE_FILE  (1ULL << 1)
#define LANDLOCK_FS_READ_FILE   (1ULL << 2)
#define LANDLOCK_FS_READ_DIR    (1ULL << 3)
#define LANDLOCK_FS_REMOVE_DIR  (1ULL << 4)
#define LANDLOCK_FS_REMOVE_FILE (1ULL << 5)
#define LANDLOCK_FS_MAKE_CHAR   (1ULL << 6)
#define LANDLOCK_FS_MAKE_DIR    (1ULL << 7)
#define LANDLOCK_FS_MAKE_REG    (1ULL << 8)
#define LANDLOCK_FS_MAKE_SOCK   (1ULL << 9)
#define LANDLOCK_FS_MAKE_FIFO   (1ULL << 10)
#define LANDLOCK_FS_MAKE_BLOCK  (1ULL << 11)
#define LANDLOCK_FS_MAKE_SYM    (1ULL << 12)
#define LANDLOCK_FS_REFER       (1ULL << 13) /* ABI 2 */
#define LANDLOCK_FS_TRUNCATE    (1ULL << 14) /* ABI 3 */
#define LANDLOCK_FS_IOCTL_DEV   (1ULL << 15) /* ABI 5 */
#define LANDLOCK_NET_BIND_TCP   (1ULL << 0)  /* ABI 4 */
#define LANDLOCK_NET_CONNECT    (1ULL << 1)
#define LANDLOCK_SCOPE_ABSTRACT (1ULL << 0) /* ABI 6 */
#define LANDLOCK_SCOPE_SIGNAL   (1ULL << 1)
#define LANDLOCK_VERSION        (1U << 0)
#define LANDLOCK_PATH_BENEATH   1

struct landlock_ruleset {
    uint64_t handled_fs;
    uint64_t handled_net; /* ABI 4 */
    uint64_t scoped;      /* ABI 6 */
};

struct landlock_beneath {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

/* Asked for by rename(2) of such things; the filter has no system call to make new ones. */
#define LANDLOCK_FS_RENAMED (LANDLOCK_FS_MAKE_SYM | LANDLOCK_FS_MAKE_FIFO | LANDLOCK_FS_MAKE_SOCK)

/* What an FTP session does with files. */
#define LANDLOCK_FS_WANTED                                                                         \
    (LANDLOCK_FS_WRITE_FILE | LANDLOCK_FS_READ_FILE | LANDLOCK_FS_READ_DIR |                       \
     LANDLOCK_FS_REMOVE_DIR | LANDLOCK_FS_REMOVE_FILE | LANDLOCK_FS_MAKE_DIR |                     \
     LANDLOCK_FS_MAKE_REG | LANDLOCK_FS_REFER | LANDLOCK_FS_TRUNCATE | LANDLOCK_FS_RENAMED)

static uint64_t handled_fs(long abi)
{
    uint64_t handled = LANDLOCK_FS_REFER - 1;

    handled |= abi >= 2 ? LANDLOCK_FS_REFER : 0;
    handled |= abi >= 3 ? LANDLOCK_FS_TRUNCATE : 0;
    handled |= abi >= 5 ? LANDLOCK_FS_IOCTL_DEV : 0;
    return handled;
}

/* Let `allowed` be done under a directory. */
static bool allow_beneath(int ruleset_fd, const char *dir, uint64_t allowed)
{
    struct landlock_beneath rule = {.allowed = allowed};
    int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool good;

    if (dir_fd == -1) {
        return false;
    }
    rule.parent_fd = dir_fd;
    good = syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_PATH_BENEATH, &rule, 0) == 0;
    sysutil_close(&dir_fd);
    return good;
}

static long landlock_abi(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
}

bool sandbox_has_landlock(void)
{
    return landlock_abi() >= 1;
}

bool sandbox_limit_files(const char *dir)
{
    long abi = landlock_abi();
    /* ABI 1 forbids every rename between directories: a price for a wall, but not for a second one */
    long needed_abi = dir != NULL && strcmp(dir, "/") == 0 ? 2 : 1;
    struct landlock_ruleset set = {0};
    size_t size;
    int fd;
    bool good;

    if (abi < needed_abi) {
        return true;
    }
    set.handled_fs = handled_fs(abi);
    if (dir != NULL) {
        set.handled_net = LANDLOCK_NET_BIND_TCP | LANDLOCK_NET_CONNECT;
        set.scoped = LANDLOCK_SCOPE_ABSTRACT | LANDLOCK_SCOPE_SIGNAL;
    }
    size = abi >= 6   ? sizeof(set)
           : abi >= 4 ? offsetof(struct landlock_ruleset, scoped)
                      : offsetof(struct landlock_ruleset, handled_net);
    fd = (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
    if (fd == -1) {
        return false;
    }
    good = (dir == NULL || allow_beneath(fd, dir, LANDLOCK_FS_WANTED & set.handled_fs)) &&
           syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    sysutil_close(&fd);
    return good;
}
