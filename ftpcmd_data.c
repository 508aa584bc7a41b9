/*
 * ftpcmd_data.c - how data is represented, and where its connection comes from
 *
 * Process: S.
 * Trusts:  nothing that the client sends; N checks addresses and ports once more.
 * Touches: the state of the session; listeners through datachan.
 */
#include <errno.h>
#include <string.h>

#include "ftpproto.h"
#include "netaddr.h"
#include "str.h"
#include "tunable.h"
#include "zstream.h"

void cmd_type(struct ftp *f, const char *argument)
{
    /* what devices send, RFC 959 3.1.1: ASCII (non-print), Image, and bytes of eight bits */
    static const struct {
        const char *text;
        enum ftp_code code;
        bool ascii;
    } types[] = {
        {"A", FTP_OK, true},
        {"A N", FTP_OK, true},
        {"AN", FTP_OK, true},
        {"I", FTP_OK, false},
        {"I N", FTP_OK, false},
        {"L 8", FTP_OK, false},
        {"L8", FTP_OK, false},
        {"A T", FTP_BAD_PARAMETER, false},
        {"A C", FTP_BAD_PARAMETER, false},
        {"E", FTP_BAD_PARAMETER, false},
        {"E N", FTP_BAD_PARAMETER, false},
    };
    uint64_t bits;

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (!str_equal_nocase(argument, types[i].text)) {
            continue;
        }
        if (types[i].code == FTP_OK) {
            f->type_ascii = types[i].ascii;
            ftp_reply(f, FTP_OK, types[i].ascii ? "Type is ASCII." : "Type is binary.");
        } else {
            ftp_reply(f, types[i].code, "Only ASCII non-print and binary are supported.");
        }
        return;
    }
    if (str_upper_char(argument[0]) == 'L' && argument[1] == ' ' &&
        str_to_uint(argument + 2, 1, 255, &bits)) {
        ftp_reply(f, FTP_BAD_PARAMETER, "A byte has eight bits here.");
        return;
    }
    ftp_reply(f, FTP_BAD_ARGUMENT, "Unknown type.");
}

/* STRU and MODE: a letter that works, and some that RFC 959 knows besides. */
static void one_letter(struct ftp *f, const char *argument, char works, const char *others)
{
    char letter = str_upper_char(argument[0]);

    if (argument[1] == '\0' && letter == works) {
        ftp_reply(f, FTP_OK, "Fine.");
    } else if (argument[1] == '\0' && strchr(others, letter) != NULL) {
        ftp_reply(f, FTP_BAD_PARAMETER, "Not supported.");
    } else {
        ftp_reply(f, FTP_BAD_ARGUMENT, "Unknown parameter.");
    }
}

void cmd_stru(struct ftp *f, const char *argument)
{
    one_letter(f, argument, 'F', "RP");
}

void cmd_mode(struct ftp *f, const char *argument)
{
    if (f->tun->mode_z_enable && zstream_available() && str_equal_nocase(argument, "Z")) {
        f->mode_z = true;
        ftp_reply(f, FTP_OK, "Transfers are compressed from now on.");
        return;
    }
    if (str_equal_nocase(argument, "S")) {
        f->mode_z = false;
    }
    one_letter(f, argument, 'S', "BCZ");
}

/* False, with 501 sent, once the client has said EPSV ALL. RFC 2428 4. */
static bool only_epsv(struct ftp *f)
{
    if (f->data.epsv_all) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "Only EPSV is allowed after EPSV ALL.");
    }
    return f->data.epsv_all;
}

/* Get the listener. announced: as of datachan_passive(). Replies on failure. */
static bool listen_for_client(struct ftp *f, const struct netaddr *announced, uint16_t *port)
{
    switch (datachan_passive(&f->data, &f->io, announced, port)) {
    case DATACHAN_OPEN:
        return true;
    case DATACHAN_CTRL_GONE:
        f->ended = true;
        break;
    case DATACHAN_PARENT_GONE:
        ftp_end(f, "The service is going down, closing the connection.");
        break;
    default:
        ftp_reply(f, FTP_NO_DATA_CONNECTION,
                  errno == EADDRINUSE ? "No port is free for a data connection, try again later."
                                      : "Cannot open a data port.");
        break;
    }
    return false;
}

void cmd_pasv(struct ftp *f, const char *argument)
{
    struct netaddr addr = f->setup->announced;
    struct str line = STR_INIT(128);

    (void)argument;
    if (only_epsv(f)) {
        return;
    }
    if (f->setup->local.family != AF_INET) {
        ftp_reply(f, FTP_NO_DATA_CONNECTION, "PASV is for IPv4; use EPSV.");
        return;
    }
    if (!listen_for_client(f, &f->setup->announced, &addr.port)) {
        return;
    }
    if (f->setup->announced_in_vain) {
        datachan_warn_once(
            &f->data, DATACHAN_TOLD_NO_ADDRESS,
            "the name in pasv_address has not been found, so PASV names the server's "
            "own address");
    }
    /* the form that clients search for: six numbers in the only parentheses */
    str_append(&line, "Entering Passive Mode (");
    netaddr_append_pasv(&line, &addr);
    str_append(&line, ").");
    ftp_reply(f, FTP_PASSIVE, str_text(&line));
    str_free(&line);
}

/* The protocol number of RFC 2428 for the control connection. */
static const char *protocol_number(const struct ftp *f)
{
    return f->setup->local.family == AF_INET ? "1" : "2";
}

static void bad_family(struct ftp *f)
{
    struct str line = STR_INIT(128);

    str_append_format(&line, "Network protocol not supported, use (%s)", protocol_number(f));
    ftp_reply(f, FTP_BAD_FAMILY, str_text(&line));
    str_free(&line);
}

void cmd_epsv(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(128);
    uint16_t port;

    if (str_equal_nocase(argument, "ALL")) {
        f->data.epsv_all = true;
        ftp_reply(f, FTP_OK, "Only EPSV from now on.");
        return;
    }
    if (*argument != '\0' && strcmp(argument, protocol_number(f)) != 0) {
        if (strspn(argument, "0123456789") == strlen(argument)) {
            bad_family(f);
        } else {
            ftp_reply(f, FTP_BAD_ARGUMENT, "Unknown argument.");
        }
    } else if (listen_for_client(f, NULL, &port)) {
        /* nothing behind the parenthesis: a middlebox was seen to choke on a dot */
        str_append_format(&line, "Entering Extended Passive Mode (|||%u|)", (unsigned)port);
        ftp_reply(f, FTP_EXTENDED_PASSIVE, str_text(&line));
    }
    str_free(&line);
}

/* SECURITY: see netaddr_is_target(). N will check it again. */
static void connect_to(struct ftp *f, const struct netaddr *target)
{
    bool promiscuous = f->tun->port_promiscuous;

    if (!netaddr_is_target(target, &f->setup->peer, promiscuous)) {
        ftp_reply(f, FTP_UNKNOWN_COMMAND,
                  promiscuous ? "This is not an address to connect to."
                              : "Only your own address and a port from 1024 up.");
        return;
    }
    datachan_active(&f->data, target);
    ftp_reply(f, FTP_OK, "Fine, use it.");
}

void cmd_port(struct ftp *f, const char *argument)
{
    struct netaddr target;

    if (only_epsv(f)) {
        return;
    }
    if (!netaddr_parse_port(argument, &target)) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "Six numbers from 0 to 255 are wanted.");
        return;
    }
    connect_to(f, &target);
}

void cmd_eprt(struct ftp *f, const char *argument)
{
    struct netaddr target;

    if (only_epsv(f)) {
        return;
    }
    switch (netaddr_parse_eprt(argument, f->setup->local.family, &target)) {
    case NETADDR_EPRT_OK:
        connect_to(f, &target);
        break;
    case NETADDR_EPRT_FAMILY:
        bad_family(f);
        break;
    case NETADDR_EPRT_SYNTAX:
        ftp_reply(f, FTP_BAD_ARGUMENT, "Protocol, address and port are wanted.");
        break;
    }
}
