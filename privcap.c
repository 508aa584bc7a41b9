/*
 * privcap.c - the only module that changes credentials
 *
 * Process: L, N, P, S.
 * Trusts:  the plan, which comes from the configuration and the account database.
 * Touches: ids, groups, capabilities, root and working directory, resource limits.
 */
#include "privcap.h"

#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "str.h"
#include "sysutil.h"

/* What the listener keeps, because a session needs it between accept and login. */
static const cap_value_t listener_caps[] = {
    CAP_SETUID,     /* to become nobody and the user */
    CAP_SETGID,     /* the same, and setgroups */
    CAP_SYS_CHROOT, /* jails */
    CAP_KILL,       /* end processes that have become somebody else */
    CAP_SETPCAP,    /* to cut the bounding set */

    /* a container may do without these */
    CAP_NET_BIND_SERVICE, /* ports 21 and 20 */
    CAP_DAC_READ_SEARCH,  /* /etc/shadow where it has mode 0000 */
    CAP_CHOWN,            /* chown_uploads */
#ifdef WITH_PAM
    CAP_AUDIT_WRITE,   /* modules: records of logins, */
    CAP_AUDIT_CONTROL, /* pam_loginuid, */
    CAP_DAC_OVERRIDE,  /* counters of failed logins, */
    CAP_FOWNER,        /* pam_mkhomedir, */
    CAP_SYS_RESOURCE,  /* pam_limits */
#endif
};

#define NEEDED_CAPS 5 /* the first of them: without one of these there is no service */

/* With run_as_launching_user nobody in the daemon is root, ever. */
static bool is_root(void)
{
    return geteuid() == 0;
}

#define CAP_WORDS _LINUX_CAPABILITY_U32S_3

/* The sets of a process, as bits 1 << CAP_... */
struct cap_sets {
    uint64_t permitted, effective, inheritable;
};

static uint64_t cap_bit(cap_value_t cap)
{
    return (uint64_t)1 << cap;
}

/*
 * capget(2) and capset(2) themselves: libcap's cap_get_proc() asks for the version each time, and takes memory,
 * which costs every process of a session a page.
 */
static bool read_caps(struct cap_sets *sets_out)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[CAP_WORDS] = {0};

    if (capget(&header, data) == -1) {
        return false;
    }
    sets_out->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
    sets_out->effective = (uint64_t)data[1].effective << 32 | data[0].effective;
    sets_out->inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable;
    return true;
}

/* Set permitted and effective; inheritable is always empty. */
static bool write_caps(uint64_t permitted, uint64_t effective)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[CAP_WORDS] = {
        {.permitted = (uint32_t)permitted, .effective = (uint32_t)effective},
        {.permitted = (uint32_t)(permitted >> 32), .effective = (uint32_t)(effective >> 32)},
    };

    return capset(&header, data) == 0;
}

static bool is_permitted(cap_value_t cap)
{
    struct cap_sets sets;

    return read_caps(&sets) && (sets.permitted & cap_bit(cap)) != 0;
}

void privcap_append_missing(struct str *out)
{
    for (size_t i = 0; i < NEEDED_CAPS; i++) {
        char *name = is_permitted(listener_caps[i]) ? NULL : cap_to_name(listener_caps[i]);

        if (name != NULL) {
            str_append(out, out->len > 0 ? " " : "");
            str_append(out, name);
            (void)cap_free(name);
        }
    }
}

bool privcap_can_chown(void)
{
    return is_permitted(CAP_CHOWN);
}

bool privcap_can_bind_low(void)
{
    return is_permitted(CAP_NET_BIND_SERVICE);
}

bool privcap_set_no_new_privs(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* Make one that is permitted effective. *before_out is for lower_again(). */
static bool raise_one(cap_value_t cap, struct cap_sets *before_out)
{
    return read_caps(before_out) &&
           write_caps(before_out->permitted, before_out->effective | cap_bit(cap));
}

/* As it was before. Keeps errno. */
static void lower_again(const struct cap_sets *before)
{
    const int saved_errno = errno;

    if (!write_caps(before->permitted, before->effective)) {
        bug("a capability that cannot be lowered");
    }
    errno = saved_errno;
}

static bool in_listener_caps(cap_value_t cap)
{
    for (size_t i = 0; i < ARRAY_LEN(listener_caps); i++) {
        if (listener_caps[i] == cap) {
            return true;
        }
    }
    return false;
}

static bool set_limit(__rlimit_resource_t resource, rlim_t value)
{
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

    return setrlimit(resource, &limit) == 0;
}

/* What no process of the daemon does; children inherit it. */
static bool set_never_needed(void)
{
    return set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_MSGQUEUE, 0) &&
           set_limit(RLIMIT_MEMLOCK, 0);
}

/* Room for two descriptors per client and some more, if the hard limit lets us. */
static bool raise_open_files(unsigned max_clients)
{
    struct rlimit limit;
    rlim_t want = (rlim_t)(max_clients > 0 ? max_clients : 10000) * 2 + 64;

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) {
        return false;
    }
    if (limit.rlim_cur >= want) {
        return true;
    }
    limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* Root: what sessions need of it stays, as far as it is there. */
static bool cut_root(const char **step_out)
{
    uint64_t kept = 0;

    *step_out = "giving up supplementary groups";
    if (setgroups(0, NULL) == -1) {
        return false;
    }
    *step_out = "cutting the capability bounding set";
    for (cap_value_t cap = 0; cap < cap_max_bits(); cap++) {
        if (!in_listener_caps(cap) && cap_get_bound(cap) == 1 && cap_drop_bound(cap) == -1) {
            return false;
        }
    }
    *step_out = "cutting capabilities";
    for (size_t i = 0; i < ARRAY_LEN(listener_caps); i++) {
        if (is_permitted(listener_caps[i])) {
            kept |= cap_bit(listener_caps[i]);
        }
    }
    return write_caps(kept, kept);
}

bool privcap_become_listener(unsigned max_clients, const char **step_out)
{
    *step_out = "setrlimit";
    if (!set_never_needed() || !raise_open_files(max_clients)) {
        return false;
    }
    if (is_root()) {
        return cut_root(step_out);
    }
    *step_out = "giving up capabilities";
    return write_caps(0, 0) && privcap_set_no_new_privs();
}

/* May this one be in the bounding set, when nothing was dropped yet? */
static bool may_be_bound(bool uncut, cap_value_t cap)
{
    return uncut || in_listener_caps(cap);
}

static bool drop_bounding_set(bool uncut)
{
    for (cap_value_t cap = 0; cap < cap_max_bits(); cap++) {
        /* fails without CAP_SETPCAP, which does not matter where there is nothing to drop */
        if (may_be_bound(uncut, cap) && cap_drop_bound(cap) == -1 && cap_get_bound(cap) != 0) {
            return false;
        }
    }
    return true;
}

/* SECURITY: see verify_caps. What was dropped never comes back, so the children of a process need no other look. */
static bool verify_bounding_set(bool uncut)
{
    bool empty = true;

    for (cap_value_t cap = 0; empty && cap < cap_max_bits(); cap++) {
        empty = !may_be_bound(uncut, cap) || cap_get_bound(cap) == 0;
    }
    return empty;
}

bool privcap_begin_session(bool *bounds_empty_out)
{
#ifdef WITH_PAM
    *bounds_empty_out = false;
    return true;
#else
    *bounds_empty_out = is_root();
    return !*bounds_empty_out || (drop_bounding_set(false) && verify_bounding_set(false));
#endif
}

static bool set_ids(const struct privcap_plan *plan)
{
    if (!is_root()) { /* nothing to give up: they must be ours, and setgroups is not for us */
        errno = EPERM;
        return plan->uid == geteuid() && plan->gid == getegid();
    }
    return setgroups(plan->group_count, plan->groups) == 0 &&
           setresgid(plan->gid, plan->gid, plan->gid) == 0 &&
           setresuid(plan->uid, plan->uid, plan->uid) == 0;
}

/*
 * Enter the directory with the rights of the user: as root we could walk where the user cannot, and on
 * a root-squashed NFS not even where the user can. chroot(2) alone needs a capability.
 */
static bool enter_dir(const struct privcap_plan *plan)
{
    if (chdir(plan->dir) == -1) {
        return false;
    }
    if (plan->jail && (chroot(".") == -1 || chdir("/") == -1)) {
        return false;
    }
    if (plan->start != NULL && plan->start[0] != '\0') {
        (void)!chdir(plan->start); /* as vsftpd: without it the session begins in dir */
    }
    return true;
}

static bool set_limits(const struct privcap_plan *plan)
{
    if (!set_limit(RLIMIT_NOFILE, plan->max_open) ||
        (!plan->may_fork && !set_limit(RLIMIT_NPROC, 0)) || (plan->uncut && !set_never_needed())) {
        return false;
    }
#if !defined(__SANITIZE_ADDRESS__)
    if (!set_limit(RLIMIT_DATA, (rlim_t)plan->max_data_mib << 20)) {
        return false;
    }
#endif
    return plan->writes_files || set_limit(RLIMIT_FSIZE, 0);
}

/* What a plan keeps permitted for good. */
static uint64_t kept_caps(const struct privcap_plan *plan)
{
    return (plan->bind_service ? cap_bit(CAP_NET_BIND_SERVICE) : 0) |
           (plan->chown ? cap_bit(CAP_CHOWN) : 0);
}

/*
 * SECURITY: the drop is believed only after it was seen. Without root the bounding set cannot be emptied;
 * no_new_privs makes it meaningless.
 */
static bool verify_caps(const struct privcap_plan *plan, bool was_root)
{
    struct cap_sets now;

    return read_caps(&now) && now.permitted == kept_caps(plan) && now.effective == 0 &&
           now.inheritable == 0 &&
           (!was_root || plan->bounds_empty || verify_bounding_set(plan->uncut));
}

/* SECURITY: see verify_caps. Without root the groups are those of who started us. */
static bool verify_ids(const struct privcap_plan *plan, bool was_root)
{
    uid_t ruid, euid, suid;
    gid_t rgid, egid, sgid;

    return getresuid(&ruid, &euid, &suid) == 0 && getresgid(&rgid, &egid, &sgid) == 0 &&
           ruid == plan->uid && euid == plan->uid && suid == plan->uid && rgid == plan->gid &&
           egid == plan->gid && sgid == plan->gid &&
           (!was_root || getgroups(0, NULL) == (int)plan->group_count) &&
           setresuid(0, 0, 0) == -1 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

bool privcap_become(const struct privcap_plan *plan, const char **step_out)
{
    const uint64_t kept = kept_caps(plan);
    const bool was_root = is_root();

    if (plan->uid == 0 || (!was_root && plan->jail)) {
        bug("nothing that talks to the network runs as root, and nobody else can have a jail");
    }
    *step_out = "emptying the capability bounding set";
    if (was_root && !plan->bounds_empty && !drop_bounding_set(plan->uncut)) {
        return false;
    }
    *step_out = "changing ids";
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1 || !set_ids(plan)) {
        return false;
    }
    *step_out = "reducing capabilities";
    if (was_root && !write_caps(kept | cap_bit(CAP_SYS_CHROOT), cap_bit(CAP_SYS_CHROOT))) {
        return false;
    }
    *step_out = "entering the directory";
    if (!enter_dir(plan)) {
        return false;
    }
    *step_out = "giving up capabilities";
    if (!write_caps(kept, 0) || prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == -1) {
        return false;
    }
    *step_out = "prctl and setrlimit";
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 || !privcap_set_no_new_privs() ||
        !set_limits(plan)) {
        return false;
    }
    *step_out = "verifying that the rights are gone";
    errno = 0;
    return verify_caps(plan, was_root) && verify_ids(plan, was_root);
}

bool privcap_can_enter(const struct privcap_plan *plan)
{
    if (plan->uid == 0) {
        bug("root is nobody to ask about");
    }
    return set_ids(plan) && chdir(plan->dir) == 0;
}

int privcap_bind(int fd, const struct sockaddr *addr, unsigned addr_len)
{
    struct cap_sets before;
    int result;

    if (!raise_one(CAP_NET_BIND_SERVICE, &before)) {
        return -1;
    }
    result = bind(fd, addr, (socklen_t)addr_len);
    lower_again(&before);
    return result;
}

int privcap_fchown(int fd, uid_t uid)
{
    struct cap_sets before;
    int result;

    if (!raise_one(CAP_CHOWN, &before)) {
        return -1;
    }
    result = fchown(fd, uid, (gid_t)-1);
    lower_again(&before);
    return result;
}
