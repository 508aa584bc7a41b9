/*
 * account.c - what a user gets: whose rights, and which directory
 *
 * Process: L (the place of anonymous users) and A, which verifies a login.
 * Trusts:  the options. The name has been verified with its password, and has no slash in it.
 * Touches: its arguments.
 */
#include "account.h"

#include <stddef.h>
#include <string.h>

#include "privcap.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"

#define JAIL_MARK "/./" /* passwd_chroot_enable: the end of the jail in a home directory */

void account_copy(struct account *to, const struct account *from)
{
    if (from->group_count > ACCOUNT_GROUPS_MAX || from->settings_len > ACCOUNT_SETTINGS_MAX) {
        bug("an account that does not fit");
    }
    memcpy(to, from, offsetof(struct account, dir));
    memcpy(to->dir, from->dir, strnlen(from->dir, ACCOUNT_DIR_MAX - 1) + 1);
    if (from->has_start) {
        memcpy(to->start, from->start, strnlen(from->start, ACCOUNT_DIR_MAX - 1) + 1);
    }
    memcpy(to->groups, from->groups, from->group_count * sizeof(from->groups[0]));
    memcpy(to->settings, from->settings, from->settings_len);
}

void account_plan(const struct account *account, struct privcap_plan *plan)
{
    *plan = (struct privcap_plan){
        .uid = account->uid,
        .gid = account->gid,
        .groups = account->groups,
        .group_count = account->group_count,
        .dir = account->dir,
    };
}

/* `text` with each `token` replaced by the name. A NULL token is nowhere. */
static void append_replaced(struct str *out, const char *text, const char *token, const char *name)
{
    const char *found;

    while (token != NULL && (found = strstr(text, token)) != NULL) {
        str_append_mem(out, text, (size_t)(found - text));
        str_append(out, name);
        text = found + strlen(token);
    }
    str_append(out, text);
}

static bool is_jailed(const struct account *account, const struct tunables *tun,
                      const struct account_facts *facts)
{
    if (account->anonymous || facts->is_virtual) {
        return true;
    }
    return tun->chroot_local_user != (tun->chroot_list_enable && facts->listed);
}

static bool store(const struct str *path, size_t from, size_t len, char *out)
{
    if (!str_ok(path) || len >= ACCOUNT_DIR_MAX) {
        return false;
    }
    memcpy(out, str_text(path) + from, len);
    out[len] = '\0';
    return true;
}

/*
 * A home, divided at the mark: the jail, and the start inside of it. In front of a mark at the very
 * beginning is no directory at all; the whole path is the jail then, as vsftpd has it.
 */
static bool store_divided(struct account *account, const struct str *path)
{
    const char *mark = strstr(str_text(path), JAIL_MARK);
    size_t dir_len, start;

    if (mark == NULL || mark == str_text(path)) { /* NULL: it was a part of user_sub_token */
        return store(path, 0, path->len, account->dir);
    }
    dir_len = (size_t)(mark - str_text(path));
    start = dir_len + strlen(JAIL_MARK);
    while (start < path->len && str_text(path)[start] == '/') {
        start++;
    }
    account->has_start = start < path->len;
    return store(path, 0, dir_len, account->dir) &&
           store(path, start, path->len - start, account->start);
}

bool account_place(struct account *account, const struct tunables *tun,
                   const struct account_facts *facts)
{
    struct str path = STR_INIT(ACCOUNT_DIR_MAX - 1);
    bool by_mark = tun->passwd_chroot_enable && account->kind != ACCOUNT_ANONYMOUS &&
                   !facts->is_virtual && strstr(facts->home, JAIL_MARK) != NULL;
    bool good;

    account->anonymous =
        account->kind == ACCOUNT_ANONYMOUS ||
        (account->kind == ACCOUNT_GUEST && !facts->is_virtual && !tun->virtual_use_local_privs);
    account->jail = is_jailed(account, tun, facts);
    account->has_start = false;
    account->start[0] = '\0';
    if (account->kind == ACCOUNT_ANONYMOUS) {
        str_append(&path, tun->anon_root != NULL ? tun->anon_root : facts->home);
    } else if (tun->local_root != NULL && !by_mark && !facts->has_own_home) {
        append_replaced(&path, tun->local_root, tun->user_sub_token, account->name);
    } else {
        append_replaced(&path, facts->home, tun->user_sub_token, account->name);
    }
    good = str_ok(&path) && str_text(&path)[0] == '/';
    if (good) {
        good = by_mark ? store_divided(account, &path) : store(&path, 0, path.len, account->dir);
    }
    str_free(&path);
    return good;
}
