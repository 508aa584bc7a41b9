/*
 * job.h - what one run of the load generator shall do, and what it found
 */
#ifndef BENCH_JOB_H
#define BENCH_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>

/* When nothing has happened for so long, the server hangs. */
enum { JOB_STALL_SEC = 60 };

/* What a kind of unit needs. */
enum job_traits {
    JOB_DATA = 1,     /* a data connection */
    JOB_UPLOAD = 2,   /* it sends */
    JOB_ASCII = 4,    /* TYPE A */
    JOB_FILE = 8,     /* the size can be asked for with SIZE */
    JOB_COMMAND = 16, /* --command */
    JOB_PATH = 32,    /* --path */
    JOB_SESSION = 64, /* a unit is a session of its own: nobody logs in before */
    JOB_RAW = 128,    /* no FTP */
    JOB_BATCH = 256,  /* commands are sent before the replies to those before them came */
    JOB_HOLD = 512,   /* no units: the sessions are idle */
};

struct job {
    const char *kind;
    unsigned traits;
    struct sockaddr_storage peer;
    struct sockaddr_storage source; /* the first one */
    unsigned sources;               /* how many addresses in turn; 0: the kernel chooses */
    const char *user, *password;
    const char *path;    /* NULL: none */
    const char *command; /* NULL: none */
    unsigned conns;
    uint64_t count; /* units, over all connections */
    off_t bytes;    /* of each unit; -1: unknown */
    bool active, tls, hash, marks;
};

struct tally {
    uint64_t started, good; /* units */
    uint64_t bytes;         /* over data connections */
    uint64_t errors;
    char first_error[256];
    off_t expected; /* bytes that each unit must have; -1: as the first unit */
    uint32_t *latencies_us;
    size_t latency_count;
    uint64_t resumed;   /* data connections whose TLS session was resumed */
    EVP_MD_CTX *digest; /* NULL: not asked for */
};

/* What the connections of one run share. */
struct bench {
    const struct job *job;
    struct tally *tally;
    SSL_CTX *tls; /* NULL: without */
    int epoll_fd;
    bool blocking; /* a single control connection: recv(2) waits for it, not epoll */
    bool hung;     /* nothing has come for JOB_STALL_SEC: give up */
    unsigned busy; /* connections that have something to do */
};

/* Count a wrong outcome; the first one is kept for people. */
__attribute__((format(printf, 2, 3))) void tally_error(struct tally *tally, const char *format,
                                                       ...);

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t job_now_ns(void);

#endif
