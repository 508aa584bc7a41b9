/*
 * transfer.h - the data connection of one unit
 */
#ifndef BENCH_TRANSFER_H
#define BENCH_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "job.h"
#include "wire.h"

struct client;

/* What epoll hands back: whose descriptor it is, and which. */
enum watch_role { WATCH_CONTROL, WATCH_LISTENER, WATCH_DATA };
struct watch {
    struct client *client;
    enum watch_role role;
    uint32_t events; /* 0: epoll does not know the descriptor */
};

/*
 * Wait for `events` on `fd` (0: for nothing), if that is news. Whoever closes the descriptor sets
 * watch->events to 0.
 */
void watch_set(const struct bench *bench, struct watch *watch, int fd, uint32_t events);

struct transfer {
    struct bench *bench;
    struct wire wire;
    int listen_fd;        /* active mode, until the server has come; -1: none */
    SSL_SESSION *session; /* to resume; borrowed */
    struct watch data_watch, listen_watch;
    off_t moved;   /* bytes so far */
    off_t total;   /* of an upload */
    bool upload;   /* else a download */
    bool may_send; /* the server said 150 */
    bool wait_end; /* after an upload, wait until the server closes */
    bool sent;     /* all of the upload */
    bool secure;   /* the handshake is done, or not needed */
};

enum transfer_status { TRANSFER_MORE, TRANSFER_DONE, TRANSFER_FAILED };

void transfer_init(struct transfer *transfer, struct bench *bench, struct client *client);

/*
 * Listen on `local` and write the PORT or EPRT line for it into `command`. Returns its length, or
 * 0 with errno.
 */
size_t transfer_listen(struct transfer *transfer, const struct sockaddr_storage *local,
                       char *command, size_t size);

/* Connect to `peer`. Returns 0, or -1 with errno. `source`: as for wire_connect(). */
int transfer_connect(struct transfer *transfer, const struct sockaddr_storage *peer,
                     const struct sockaddr_storage *source);

/*
 * Do what can be done now. `events`: those which epoll reported, 0 for none.
 * TRANSFER_DONE: all bytes have moved and the connection is closed, or will be by transfer_drop().
 * TRANSFER_FAILED: transfer->wire.why says why.
 */
enum transfer_status transfer_drive(struct transfer *transfer, uint32_t events);

/* Close what is open. */
void transfer_drop(struct transfer *transfer);

#endif
