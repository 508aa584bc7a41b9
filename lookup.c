/*
 * lookup.c - accounts and addresses, as the name services of the system know them
 *
 * Process: V, A, D, and the program started to look up one account.
 * Trusts:  the account database. An address comes from the network; D has no rights.
 * Touches: whatever the name services of nsswitch.conf(5) touch.
 */
#include "lookup.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "authproto.h"
#include "netaddr.h"
#include "str.h"
#include "sysutil.h"

struct passwd *lookup_find(const char *name, bool rootless, struct passwd *own)
{
    static char nowhere[] = "/nonexistent";
    struct passwd *pw = getpwnam(name);

    if (!rootless || geteuid() == 0) {
        return pw;
    }
    *own = (struct passwd){.pw_name = (char *)(uintptr_t)name, /* read only */
                           .pw_uid = geteuid(),
                           .pw_gid = getegid(),
                           .pw_dir = pw != NULL ? pw->pw_dir : nowhere};
    return own;
}

bool lookup_fill_ids(struct account *account, const struct passwd *pw)
{
    int count = ACCOUNT_GROUPS_MAX;

    account->uid = pw->pw_uid;
    account->gid = pw->pw_gid;
    if (getgrouplist(pw->pw_name, pw->pw_gid, account->groups, &count) == -1 || count < 0) {
        return false;
    }
    account->group_count = (size_t)count;
    return true;
}

void lookup_account(const char *name, bool rootless, struct authproto_answer *answer)
{
    static const char unfit[] = "does not fit";
    struct account *account = &answer->account;
    struct passwd own;
    const struct passwd *pw = lookup_find(name, rootless, &own);

    if (pw == NULL) {
        return;
    }
    answer->granted = true;
    if (!str_copy_out(account->name, sizeof(account->name), pw->pw_name) ||
        !str_copy_out(account->dir, sizeof(account->dir), pw->pw_dir) ||
        !lookup_fill_ids(account, pw)) {
        memcpy(answer->reason, unfit, sizeof(unfit));
        account->name[0] = account->dir[0] = '\0';
        account->group_count = 0;
    }
    account->uid = pw->pw_uid;
    account->gid = pw->pw_gid;
}

void lookup_warm_up(void)
{
    (void)getpwnam(MINIFTPD_NAME ".no-such-user"); /* every service of the list is asked */
}

/* The address that was known, if it is still among them: their order may change each time. */
static void choose(const struct addrinfo *list, const struct netaddr *known, uint8_t bytes[4])
{
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)at->ai_addr;

        if (at == list ||
            (known->family == AF_INET && memcmp(known->bytes, &in->sin_addr, 4) == 0)) {
            memcpy(bytes, &in->sin_addr, 4);
        }
    }
}

int lookup_address(const char *host, const char *known_text)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct authproto_address answer = {.gai_error = EAI_SYSTEM};
    struct netaddr known = {.family = AF_UNSPEC};
    struct addrinfo *list = NULL;

    if (known_text != NULL && !netaddr_parse(known_text, AF_INET, &known)) {
        return EXIT_STATUS_USAGE;
    }
    answer.gai_error = getaddrinfo(host, NULL, &hints, &list);
    answer.sys_error = errno;
    if (answer.gai_error == 0) {
        choose(list, &known, answer.bytes);
    }
    return sysutil_writen(STDOUT_FILENO, &answer, sizeof(answer)) == 0 ? EXIT_STATUS_OK
                                                                       : EXIT_STATUS_ERROR;
}
