/*
 * scoreboard.h - the table of sessions that "miniftpd --who" shows: how it lies, and who writes what
 *
 * A directory in memory (tmpfs) that only its owner can enter. It holds a file for each session, with the
 * pid of N for its name, and a file for each listener. The file of a session has two pages:
 *
 *     facts   what N knows: who is connected since when, and who has logged in
 *     live    what P and S do: the command, and how far a transfer is
 *
 * N maps both and closes the file; P and S inherit the live page alone. So they can write one page and
 * nothing else: it has no descriptor, behind its page the file ends, and the next session has another file.
 * Writing is a few stores into memory, without a system call.
 *
 * A file outlives its session if the listener has ended before. Readers (scoreview.h) leave out those whose
 * process is gone, and the next listener removes them.
 */
#ifndef MINIFTPD_SCOREBOARD_H
#define MINIFTPD_SCOREBOARD_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common.h"

struct str;

#define SCOREBOARD_MAGIC           "mftpd-1" /* changes with the layout; 8 bytes with its NUL */
#define SCOREBOARD_LISTENER_PREFIX "listener."
#define SCOREBOARD_VERB_MAX        15
#define SCOREBOARD_ARGUMENT_MAX    200
#define SCOREBOARD_FILE_MAX        1024
#define SCOREBOARD_PATH_MAX        4096
#define SCOREBOARD_UNKNOWN         UINT64_MAX

enum scoreboard_access {
    SCOREBOARD_NOBODY, /* not logged in yet */
    SCOREBOARD_ANONYMOUS,
    SCOREBOARD_GUEST,
    SCOREBOARD_LOCAL,
    SCOREBOARD_ACCESS_COUNT
};

/* The first page. Of a listener it is all there is, without peer and user. */
struct scoreboard_facts {
    char magic[sizeof(SCOREBOARD_MAGIC)];
    int32_t pid;
    int32_t listener; /* pid of L */
    int64_t
        born_ms; /* CLOCK_BOOTTIME, from within the process: a later one has its pid by chance */
    int64_t since_sec; /* CLOCK_REALTIME */
    uint8_t access;    /* enum scoreboard_access */
    char peer[INET6_ADDRSTRLEN];
    char user[LOGIN_NAME_MAX_LEN + 1];
};

/* The second page. Texts end with a NUL and are cut to fit. */
struct scoreboard_live {
    _Atomic uint32_t sequence; /* odd while it is being changed */
    uint8_t busy;              /* a command is carried out */
    uint8_t transferring;      /* it moves data: the numbers below count */
    int64_t active_ms;         /* CLOCK_MONOTONIC: when the last command was done */
    int64_t started_ms;        /* the same: when the transfer began */
    _Atomic uint64_t bytes;    /* moved so far; changes without `sequence` */
    uint64_t offset;           /* of the file, where the transfer began */
    uint64_t size;             /* where it will end, or SCOREBOARD_UNKNOWN */
    char verb[SCOREBOARD_VERB_MAX + 1];
    char argument[SCOREBOARD_ARGUMENT_MAX + 1];
    char file[SCOREBOARD_FILE_MAX + 1]; /* "" for a listing */
};

_Static_assert(sizeof(struct scoreboard_facts) <= 4096, "facts fit the smallest page");
_Static_assert(sizeof(struct scoreboard_live) <= 4096, "so does what S writes");

/* ---- places ---- */

/*
 * Where the table of scoreboard_dir=`path` is: there if that lies in memory, else under the same name in
 * /dev/shm. Readers and writers find the same place. Returns false if the path is not absolute, ends in a
 * slash, or is too long.
 */
MUST_CHECK bool scoreboard_place(const char *path, struct str *place);

/* The process has begun before born_ms (CLOCK_BOOTTIME), and has not ended: it is the one that wrote it. */
bool scoreboard_is_alive(pid_t pid, int64_t born_ms);

/* ---- L ---- */

/*
 * Open the table, made if it is not there, remove what dead processes left, and enter this process as a
 * listener. Several listeners may share one. Returns a descriptor for the two below, which the caller
 * owns, or -1 with a reason in `error`.
 */
MUST_CHECK int scoreboard_open(const char *path, struct str *error);

/* Take a session that has ended out of the table. dir_fd may be -1, here and below. */
void scoreboard_forget(int dir_fd, pid_t pid);

/* Take the listener out and close the table; its sessions stay in. */
void scoreboard_close(int *dir_fd);

/* ---- N ---- */

/* A session in the table. Both NULL: it is not in it, and everything below does nothing. */
struct scoreboard {
    struct scoreboard_facts *facts; /* in N only: fork(2) leaves it out */
    struct scoreboard_live *live;
};

/*
 * Enter this process as a session of the client at `peer`; dir_fd is not needed afterwards.
 * Returns false with errno, and the session is not in the table.
 */
MUST_CHECK bool scoreboard_enter(struct scoreboard *board, int dir_fd, const char *peer);

void scoreboard_login(struct scoreboard *board, const char *user, enum scoreboard_access access);

/* ---- P and S; live may be NULL ---- */

/* A command begins. */
void scoreboard_command(struct scoreboard_live *live, const char *verb, const char *argument);

/* The last command is done. now_ms: CLOCK_MONOTONIC. */
void scoreboard_idle(struct scoreboard_live *live, int64_t now_ms);

/*
 * The command moves data. file: an absolute path, "" for none; size: where it ends, or SCOREBOARD_UNKNOWN.
 * Returns where to store the bytes moved so far, or NULL.
 */
_Atomic uint64_t *scoreboard_transfer(struct scoreboard_live *live, const char *file,
                                      int64_t started_ms, uint64_t offset, uint64_t size);

#endif
