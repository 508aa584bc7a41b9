/*
 * privsock.h - the messages between a service process (P, S) and its parent (N)
 *
 * One request is one datagram on a SEQPACKET socketpair: a 1-byte command, then fixed fields. The
 * parent answers every request but LOG with one struct priv_reply, with at most one descriptor; START_TLS
 * with two of them. Only CHOWN_UPLOAD brings a descriptor itself.
 * Nobody else can read the socket, and both ends are the same program: host byte order.
 */
#ifndef MINIFTPD_PRIVSOCK_H
#define MINIFTPD_PRIVSOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.h"

struct log_record;
struct netaddr;

enum priv_command {
    PRIV_SOCK_LOGIN = 1,     /* struct priv_login; only before login */
    PRIV_SOCK_USER,          /* struct priv_user; only before login, if there is a user list */
    PRIV_SOCK_PASV_LISTEN,   /* the command alone: a listening socket, please */
    PRIV_SOCK_GET_DATA_SOCK, /* struct priv_data_sock: a connecting socket, please */
    PRIV_SOCK_LOG,           /* struct priv_log, cut to its text; never answered */
    PRIV_SOCK_CHOWN_UPLOAD,  /* the command alone, with the open file: give it to chown_username */
    PRIV_SOCK_START_TLS, /* the command alone; before login, once: answered by two descriptors */
    PRIV_SOCK_COUNT
};

/* The one datagram that the parent sends unasked, of this one byte: end when nothing is under way. */
#define PRIV_DRAIN 0xD7

struct priv_login {
    uint8_t command;
    uint8_t protect; /* 1: PROT P, for the process that comes after this one */
    uint16_t name_len;
    uint16_t password_len;
    char name[LOGIN_NAME_MAX_LEN];
    char password[LOGIN_PASSWORD_MAX_LEN];
};

struct priv_user {
    uint8_t command;
    uint8_t unused;
    uint16_t name_len;
    char name[LOGIN_NAME_MAX_LEN];
};

struct priv_data_sock {
    uint8_t command;
    uint8_t is_ipv6;
    uint16_t port;
    uint8_t address[16];
};

/* A text and a detail: the two paths of a rename. */
#define PRIV_LOG_DETAIL_MAX FTP_LINE_MAX
#define PRIV_LOG_TEXT_MAX   (FTP_LINE_MAX + PRIV_LOG_DETAIL_MAX + 16)

struct priv_log {
    uint8_t command;
    uint8_t event; /* enum log_event */
    uint8_t ok;
    uint8_t has_bytes;
    uint32_t duration_ms;
    uint64_t bytes;
    int32_t error; /* errno, or 0 */
    uint8_t is_ascii;
    uint8_t unused;
    uint16_t detail_len;          /* how many of the last bytes are not the text but the detail */
    char text[PRIV_LOG_TEXT_MAX]; /* sent only as far as it is used */
};

/* True for the names that mean an anonymous login: "ftp" and "anonymous" in any case. RFC 1635. */
bool privsock_is_anonymous(const char *name);

/* The largest request. */
union priv_request {
    uint8_t command;
    struct priv_login login;
    struct priv_user user;
    struct priv_data_sock data_sock;
    struct priv_log log;
};

enum priv_result { PRIV_RESULT_OK = 1, PRIV_RESULT_FAILED, PRIV_RESULT_FAILED_LAST };

struct priv_reply {
    uint8_t result; /* enum priv_result */
    uint8_t unused;
    uint16_t port; /* of a listening socket */
    int32_t error; /* errno of a failure, 0 if it is nobody's business */
};

_Static_assert(sizeof(struct priv_login) == 6 + LOGIN_NAME_MAX_LEN + LOGIN_PASSWORD_MAX_LEN,
               "struct priv_login has padding");
_Static_assert(sizeof(struct priv_user) == 4 + LOGIN_NAME_MAX_LEN, "struct priv_user has padding");
_Static_assert(sizeof(struct priv_data_sock) == 20, "struct priv_data_sock has padding");
_Static_assert(offsetof(struct priv_log, text) == 24, "struct priv_log has padding");
_Static_assert(sizeof(struct priv_reply) == 8, "struct priv_reply has padding");

/* What became of a request, seen by the child. */
enum privsock_status {
    PRIVSOCK_OK,
    PRIVSOCK_FAILED,      /* errno says why, 0 if the parent does not tell */
    PRIVSOCK_FAILED_LAST, /* USER and LOGIN only: there will be no further try */
    PRIVSOCK_GONE,        /* the parent is gone or talks nonsense: end the process */
};

/*
 * Ask for a login. There is no answer to a granted one: the parent ends the asking process.
 * protect: data connections are to be encrypted (PROT P). name and password are not longer than their limits. Blocks while the parent verifies and delays.
 * errno of a refusal: EUSERS for too many sessions of the user, else 0.
 */
MUST_CHECK enum privsock_status privsock_login(int priv_fd, bool protect, const char *name,
                                               size_t name_len, const char *password,
                                               size_t password_len);

/*
 * Ask for TLS. *plain_out takes the place of the control connection, *relay_out is for tlslink_shake();
 * both belong to the caller.
 */
MUST_CHECK enum privsock_status privsock_start_tls(int priv_fd, int *plain_out, int *relay_out);

/* Ask whether the user list lets a name (not longer than its limit) through to a password. */
MUST_CHECK enum privsock_status privsock_user(int priv_fd, const char *name, size_t name_len);

/* Ask for a listening socket. *fd_out belongs to the caller; *port_out in host byte order. */
MUST_CHECK enum privsock_status privsock_pasv_listen(int priv_fd, int *fd_out, uint16_t *port_out);

/* Ask for a socket that connects to `target`. *fd_out is non-blocking and may still be connecting. */
MUST_CHECK enum privsock_status privsock_data_sock(int priv_fd, const struct netaddr *target,
                                                   int *fd_out);

/*
 * The parent's socket is readable outside of a request: take what it says. Returns false if the parent
 * is gone or talks nonsense.
 */
MUST_CHECK bool privsock_take_notice(int priv_fd);

/* Has the parent said PRIV_DRAIN? It stays true. */
bool privsock_is_draining(void);

/* Ask for an upload to be given to chown_username. file_fd stays the caller's. */
MUST_CHECK enum privsock_status privsock_chown_upload(int priv_fd, int file_fd);

/*
 * Send a record for the log. A text or a detail that is too long is cut. Records wait for each other, so that
 * the parent is not woken for each of them; any request but that for a connecting socket sends them first.
 * Returns false if the parent is gone.
 */
bool privsock_log(int priv_fd, const struct log_record *record);

/* When waiting records are to be sent, CLOCK_MONOTONIC in ms: 100 ms behind the first; 0: there are none. */
int64_t privsock_log_due_ms(void);

/* Send the records that wait. Returns false if the parent is gone. */
bool privsock_send_log(int priv_fd);

#endif
