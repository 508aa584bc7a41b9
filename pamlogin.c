/*
 * pamlogin.c - name and password checked by PAM
 *
 * Process: A, a fork of miniftpd-auth, which stays for as long as a PAM session is open.
 * Trusts:  PAM and its modules, which run with the verifier's rights. The password is any text.
 * Touches: whatever the modules of the service touch; name lookups, with reverse_lookup_enable.
 */
#include "pamlogin.h"

#include <stddef.h>

#include "sysutil.h"

#ifdef WITH_PAM

#include <netdb.h>
#include <security/pam_appl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "netaddr.h"
#include "str.h"
#include "tunable.h"

#define HOST_NAME_MAX_LEN 1025 /* NI_MAXHOST */

struct pamlogin {
    pam_handle_t *handle;
    const char *password; /* while modules may ask for it */
    bool has_session;
    int status; /* of the last call */
};

bool pamlogin_available(void)
{
    return true;
}

/* Modules ask, we answer: the password to what they want typed blindly, nothing to all else. */
static int converse(int count, const struct pam_message **messages,
                    struct pam_response **responses_out, void *data)
{
    const struct pamlogin *pam = data;
    struct pam_response *responses;

    if (count <= 0 || count > PAM_MAX_NUM_MSG) {
        return PAM_CONV_ERR;
    }
    responses = calloc((size_t)count, sizeof(*responses));
    if (responses == NULL) {
        return PAM_BUF_ERR;
    }
    for (int i = 0; i < count; i++) {
        const char *text = "";

        switch (messages[i]->msg_style) {
        case PAM_PROMPT_ECHO_OFF:
            text = pam->password != NULL ? pam->password : "";
            break;
        case PAM_PROMPT_ECHO_ON:
            break;
        case PAM_ERROR_MSG:
        case PAM_TEXT_INFO:
            continue; /* there is nobody to show it to */
        default:
            free(responses); /* what was answered before is freed with the process */
            return PAM_CONV_ERR;
        }
        responses[i].resp = strdup(text);
        if (responses[i].resp == NULL) {
            free(responses);
            return PAM_BUF_ERR;
        }
    }
    *responses_out = responses;
    return PAM_SUCCESS;
}

/* The name of the client's machine; its address if there is none or nobody wants to know. */
static void find_host(const struct tunables *tun, const char *peer, char *host, size_t size)
{
    struct netaddr addr;
    union netaddr_sockaddr sa;
    struct str text = STR_INIT(NETADDR_TEXT_MAX);

    if (!tun->reverse_lookup_enable || !netaddr_parse(peer, AF_UNSPEC, &addr) ||
        getnameinfo(&sa.sa, netaddr_to_sockaddr(&addr, &sa), host, (socklen_t)size, NULL, 0,
                    NI_NAMEREQD) != 0) {
        str_append(&text, peer);
        memcpy(host, str_text(&text), text.len + 1);
    }
    str_free(&text);
}

static bool set_items(struct pamlogin *pam, const char *name, const char *host)
{
    pam->status = pam_set_item(pam->handle, PAM_RHOST, host);
    if (pam->status == PAM_SUCCESS) {
        pam->status = pam_set_item(pam->handle, PAM_TTY, "ftp"); /* pam_securetty and others ask */
    }
    if (pam->status == PAM_SUCCESS) {
        pam->status = pam_set_item(pam->handle, PAM_RUSER, name);
    }
    return pam->status == PAM_SUCCESS;
}

/* The steps of a login, in PAM's order. The first that fails ends it. */
static bool run_steps(struct pamlogin *pam, const struct tunables *tun, const char **user_out)
{
    const void *user = NULL;

    pam->status = pam_authenticate(pam->handle, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    if (pam->status == PAM_SUCCESS) {
        pam->status = pam_acct_mgmt(pam->handle, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    }
    if (pam->status == PAM_SUCCESS) {
        pam->status = pam_setcred(pam->handle, PAM_ESTABLISH_CRED | PAM_SILENT);
    }
    if (pam->status == PAM_SUCCESS && tun->session_support) {
        pam->status = pam_open_session(pam->handle, PAM_SILENT);
        pam->has_session = pam->status == PAM_SUCCESS;
    }
    if (pam->status == PAM_SUCCESS) {
        pam->status = pam_get_item(pam->handle, PAM_USER, &user);
        *user_out = user; /* a module may have put another name in its place */
    }
    return pam->status == PAM_SUCCESS && user != NULL;
}

struct pamlogin *pamlogin_start(const struct tunables *tun, const char *name, const char *password,
                                const char *peer, const char **user_out, struct str *reason)
{
    static char host[HOST_NAME_MAX_LEN]; /* PAM keeps a copy of its own */
    struct pamlogin *pam = calloc(1, sizeof(*pam));
    const struct pam_conv conversation = {.conv = converse, .appdata_ptr = pam};
    const char *service = tun->pam_service_name != NULL ? tun->pam_service_name : "ftp";

    if (pam == NULL) {
        str_append(reason, "no memory for PAM");
        return NULL;
    }
    pam->password = password;
    find_host(tun, peer, host, sizeof(host));
    pam->status = pam_start(service, name, &conversation, &pam->handle);
    if (pam->status == PAM_SUCCESS && set_items(pam, name, host) && run_steps(pam, tun, user_out)) {
        pam->password = NULL;
        return pam;
    }
    str_append_format(reason, "PAM service %s: %s", service,
                      pam->handle != NULL ? pam_strerror(pam->handle, pam->status)
                                          : "cannot be started");
    pamlogin_end(pam);
    return NULL;
}

void pamlogin_end(struct pamlogin *pam)
{
    if (pam->has_session) {
        pam->status = pam_close_session(pam->handle, PAM_SILENT);
        (void)pam_setcred(pam->handle, PAM_DELETE_CRED | PAM_SILENT); /* it ends with us anyway */
    }
    if (pam->handle != NULL) {
        (void)pam_end(pam->handle, pam->status);
    }
    free(pam);
}

#else /* !WITH_PAM */

bool pamlogin_available(void)
{
    return false;
}

struct pamlogin *pamlogin_start(const struct tunables *tun, const char *name, const char *password,
                                const char *peer, const char **user_out, struct str *reason)
{
    (void)tun;
    (void)name;
    (void)password;
    (void)peer;
    (void)user_out;
    (void)reason;
    bug("a build without PAM");
}

void pamlogin_end(struct pamlogin *pam)
{
    (void)pam;
    bug("a build without PAM");
}

#endif
