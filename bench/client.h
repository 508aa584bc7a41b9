/*
 * client.h - one FTP session of the load generator
 *
 * A client is started with one of the calls below, counts itself in bench->busy while it has
 * something to do, and lives from events. What goes wrong is counted in the tally.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "transfer.h"

/* `number` counts from 0; it chooses the source address and the name of an upload. */
struct client *client_new(struct bench *bench, unsigned number);
void client_free(struct client *client);

/* Connect and log in. */
void client_login(struct client *client);

/* Do units until the job has no more. */
void client_work(struct client *client);

/* Compare the size of what was uploaded, as far as the server tells it. */
void client_check(struct client *client);

/* QUIT, and wait until the server closes. */
void client_quit(struct client *client);

/*
 * Receive what the server says on the control connection and deal with it; with bench->blocking,
 * wait for it. Returns false if nothing came.
 */
bool client_wait(struct client *client);

/* Something happened on one of the client's descriptors. */
void client_event(struct watch *watch, uint32_t events);

#endif
