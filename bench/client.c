/*
 * client.c - one FTP session of the load generator
 *
 * Process: the load generator, one thread.
 * Trusts:  the server under test, which runs on this machine. Each of its replies is checked.
 * Touches: its control connection and, through transfer.c, its data connections.
 */
#include "client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "login.h"
#include "reply.h"

enum {
    PATH_SIZE = 4096 + 16,        /* of the longest --path, with a number */
    LINE_SIZE = PATH_SIZE + 4096, /* with the longest --command */
    BATCH_SIZE = 100,
};

enum step {
    STEP_OFF,      /* not connected */
    STEP_LOGIN,    /* from the greeting until all lines of the login are answered */
    STEP_READY,    /* logged in, nothing asked */
    STEP_COMMAND,  /* commands were sent; `replies_due` are missing */
    STEP_ADDRESS,  /* PASV or PORT was sent */
    STEP_OPENING,  /* RETR, STOR or a listing was sent, its 150 is missing */
    STEP_TRANSFER, /* 150 came, 226 is missing, or the data */
    STEP_RAW,      /* a connection without FTP */
    STEP_CHECK,    /* SIZE was sent */
    STEP_QUIT,     /* QUIT was sent, 221 is missing */
    STEP_END,      /* 221 came, the end of the connection is missing */
};

struct client {
    struct bench *bench;
    unsigned number;
    enum step step;
    size_t login_row;
    bool securing; /* the handshake of the control connection is going on */
    struct wire control;
    struct watch control_watch;
    struct reply_reader reader;
    struct transfer transfer;
    bool data_done; /* all bytes of the unit have moved */
    bool confirmed; /* and the server said so */
    bool failed;    /* the unit has gone wrong and only waits for its end */
    bool uploaded;  /* at least once */
    int64_t unit_start_ns;
    uint64_t unit_size;   /* commands in the batch, else 1 */
    uint64_t replies_due; /* of them */
    size_t text_length;
    char *text; /* what a unit sends: the batch of commands, or RETR ... */
    char path[PATH_SIZE];
};

static void next_unit(struct client *client);

static const struct sockaddr_storage *source_address(const struct client *client,
                                                     struct sockaddr_storage *buffer)
{
    const struct job *job = client->bench->job;
    struct sockaddr_in *v4 = (struct sockaddr_in *)buffer;

    if (job->sources == 0) {
        return NULL;
    }
    *buffer = job->source;
    if (buffer->ss_family == AF_INET) {
        v4->sin_addr.s_addr =
            htonl(ntohl(v4->sin_addr.s_addr) + client->number % client->bench->job->sources);
    }
    return buffer;
}

static void rest(struct client *client, enum step step)
{
    client->step = step;
    client->bench->busy--;
}

static void hang_up(struct client *client)
{
    wire_close(&client->control);
    client->control_watch.events = 0;
    transfer_drop(&client->transfer);
    client->securing = false;
    client->step = STEP_OFF;
}

/* A unit ends, well or not; the session is as it is. */
static void end_unit(struct client *client)
{
    struct tally *tally = client->bench->tally;

    transfer_drop(&client->transfer);
    if (!client->failed) {
        const int64_t took_us = (job_now_ns() - client->unit_start_ns) / 1000;

        tally->good += client->unit_size;
        tally->latencies_us[tally->latency_count++] =
            took_us < UINT32_MAX ? (uint32_t)took_us : UINT32_MAX;
    }
    next_unit(client);
}

/* Each unit has its own connection, so that a lost one is no reason to end. */
static bool stands_alone(const struct client *client)
{
    return (client->bench->job->traits & (JOB_SESSION | JOB_RAW)) != 0;
}

/* Something went wrong behind which the session cannot go on. */
static void lose(struct client *client, const char *what, const char *why)
{
    const bool was_busy = client->step != STEP_READY;

    if (!client->failed) {
        tally_error(client->bench->tally, "%s: %s", what, why);
    }
    client->failed = true;
    hang_up(client);
    if (stands_alone(client)) {
        end_unit(client);
    } else if (was_busy) {
        rest(client, STEP_OFF);
    }
}

static bool say(struct client *client, const char *text, size_t length)
{
    if (wire_send_text(&client->control, text, length) != WIRE_OK) {
        lose(client, "control connection", client->control.why);
        return false;
    }
    return true;
}

static void say_line(struct client *client, const char *text)
{
    char line[LINE_SIZE + 2];
    const int length = snprintf(line, sizeof(line), "%s\r\n", text);

    (void)say(client, line, (size_t)length); /* a failure has been dealt with */
}

/* --- login --- */

static void await_control(struct client *client, uint32_t events)
{
    if (!client->bench->blocking) {
        watch_set(client->bench, &client->control_watch, client->control.fd, events);
    }
}

static int open_control(struct client *client)
{
    const int on = 1;
    struct sockaddr_storage source;

    client->reader.start = 0;
    client->reader.end = 0;
    client->reader.open_code = 0;
    client->login_row = 0;
    if (wire_connect(&client->control, &client->bench->job->peer,
                     source_address(client, &source)) == -1) {
        tally_error(client->bench->tally, "connect: %s", strerrordesc_np(errno));
        return -1;
    }
    (void)setsockopt(client->control.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    client->step = STEP_LOGIN;
    if (client->bench->blocking) {
        wire_block(&client->control, JOB_STALL_SEC);
    }
    await_control(client, EPOLLIN);
    return 0;
}

/* Say the next line of the login; behind the last one, do what logging in was for. */
static void go_on_with_login(struct client *client)
{
    char line[LINE_SIZE];

    if (login_next(client->bench->job, client->path, &client->login_row, line, sizeof(line))) {
        say_line(client, line);
    } else if ((client->bench->job->traits & JOB_SESSION) != 0) {
        client->step = STEP_QUIT;
        say_line(client, "QUIT");
    } else {
        rest(client, STEP_READY);
    }
}

static void go_on_securing(struct client *client)
{
    switch (wire_handshake(&client->control)) {
    case WIRE_OK:
        client->securing = false;
        await_control(client, EPOLLIN);
        go_on_with_login(client);
        break;
    case WIRE_AGAIN:
        await_control(client, client->control.wants);
        break;
    case WIRE_EOF:
    case WIRE_ERROR:
        lose(client, "TLS on the control connection", client->control.why);
        break;
    }
}

static void login_reply(struct client *client, const struct reply *reply)
{
    const char *name = login_name(client->login_row);

    switch (login_judge(&client->login_row, reply)) {
    case LOGIN_REFUSED:
        lose(client, name, reply->text);
        return;
    case LOGIN_START_TLS:
        if (wire_start_tls(&client->control, client->bench->tls, NULL) == -1) {
            lose(client, name, "TLS could not be started");
            return;
        }
        client->securing = true;
        go_on_securing(client);
        return;
    case LOGIN_SIZE:
        client->bench->tally->expected = strtoll(reply->text + 4, NULL, 10);
        break;
    case LOGIN_GO_ON:
        break;
    }
    go_on_with_login(client);
}

void client_login(struct client *client)
{
    client->bench->busy++;
    if (open_control(client) == -1) {
        rest(client, STEP_OFF);
    }
}

/* --- units --- */

/* A transfer is over when both sides of it are. */
static void try_end_transfer(struct client *client)
{
    struct tally *tally = client->bench->tally;
    const off_t moved = client->transfer.moved;

    if (!client->confirmed || !client->data_done) {
        return;
    }
    tally->bytes += (uint64_t)moved;
    if (tally->expected == -1) {
        tally->expected = moved;
    }
    if (!client->failed && moved != tally->expected) {
        tally_error(tally, "%lld bytes instead of %lld", (long long)moved,
                    (long long)tally->expected);
        client->failed = true;
    }
    client->uploaded = true;
    end_unit(client);
}

static void drive_data(struct client *client, uint32_t events)
{
    if (client->data_done) {
        return;
    }
    switch (transfer_drive(&client->transfer, events)) {
    case TRANSFER_MORE:
        return;
    case TRANSFER_DONE:
        break;
    case TRANSFER_FAILED:
        if (!client->failed) {
            tally_error(client->bench->tally, "data connection: %s", client->transfer.wire.why);
        }
        client->failed = true;
        transfer_drop(&client->transfer);
        break;
    }
    client->data_done = true;
    try_end_transfer(client);
}

/* A reply that is not the right one ends the unit, not the session. */
static void unit_failed(struct client *client, const char *what, const struct reply *reply)
{
    if (!client->failed) {
        tally_error(client->bench->tally, "%s: %s", what, reply->text);
    }
    client->failed = true;
    end_unit(client);
}

static void command_reply(struct client *client, const struct reply *reply)
{
    if (reply->code < 200 || reply->code >= 400) {
        if (!client->failed) {
            tally_error(client->bench->tally, "%s: %s", client->bench->job->command, reply->text);
        }
        client->failed = true;
    }
    client->replies_due--;
    if (client->replies_due == 0) {
        end_unit(client);
    }
}

static int connect_data(struct client *client, uint16_t port)
{
    struct sockaddr_storage peer = client->bench->job->peer;
    struct sockaddr_storage source;

    if (peer.ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)&peer)->sin6_port = htons(port);
    } else {
        ((struct sockaddr_in *)&peer)->sin_port = htons(port);
    }
    return transfer_connect(&client->transfer, &peer, source_address(client, &source));
}

/* The server listens, or knows where we do: ask for the transfer. */
static void address_reply(struct client *client, const struct reply *reply)
{
    const uint16_t port = reply_port(reply);

    if (client->control.ssl != NULL) {
        client->transfer.session = SSL_get0_session(client->control.ssl);
    }
    if (client->bench->job->active) {
        if (reply->code != 200) {
            unit_failed(client, "PORT", reply);
            return;
        }
    } else if (port == 0) {
        unit_failed(client, "PASV", reply);
        return;
    } else if (connect_data(client, port) == -1) {
        unit_failed(client, "data connection", &(struct reply){0, strerrordesc_np(errno)});
        return;
    }
    client->step = STEP_OPENING;
    if (!say(client, client->text, client->text_length)) {
        return;
    }
    if (client->bench->tls != NULL && !client->bench->job->active) {
        drive_data(client, 0);
    }
}

static void opening_reply(struct client *client, const struct reply *reply)
{
    if (reply->code < 100 || reply->code >= 200) {
        unit_failed(client, client->bench->job->kind, reply);
        return;
    }
    client->step = STEP_TRANSFER;
    client->transfer.may_send = true;
    if (client->transfer.upload || client->bench->job->active) {
        drive_data(client, 0);
    }
}

static void transfer_reply(struct client *client, const struct reply *reply)
{
    if (reply->code < 200 || reply->code >= 300) {
        unit_failed(client, client->bench->job->kind, reply);
        return;
    }
    client->confirmed = true;
    try_end_transfer(client);
}

/* PORT or PASV, or their kin for IPv6. Returns false if it went wrong at once. */
static bool ask_for_address(struct client *client)
{
    const bool v6 = client->bench->job->peer.ss_family == AF_INET6;
    struct sockaddr_storage local;
    socklen_t size = sizeof(local);
    char command[128];
    size_t length;

    client->step = STEP_ADDRESS;
    if (!client->bench->job->active) {
        return wire_send_text(&client->control, v6 ? "EPSV\r\n" : "PASV\r\n", 6) == WIRE_OK;
    }
    if (getsockname(client->control.fd, (struct sockaddr *)&local, &size) == -1) {
        return false;
    }
    length = transfer_listen(&client->transfer, &local, command, sizeof(command));
    return length > 0 && wire_send_text(&client->control, command, length) == WIRE_OK;
}

static bool start_raw(struct client *client)
{
    const struct job *job = client->bench->job;
    struct sockaddr_storage source;

    client->step = STEP_RAW;
    client->confirmed = true;
    if (transfer_connect(&client->transfer, &job->peer, source_address(client, &source)) == -1) {
        return false;
    }
    client->transfer.may_send = true;
    if (job->tls || client->transfer.upload) {
        watch_set(client->bench, &client->transfer.data_watch, client->transfer.wire.fd, EPOLLOUT);
    }
    return true;
}

static bool start_unit(struct client *client)
{
    const unsigned traits = client->bench->job->traits;

    if ((traits & JOB_RAW) != 0) {
        return start_raw(client);
    }
    if ((traits & JOB_SESSION) != 0) {
        return open_control(client) == 0;
    }
    if ((traits & JOB_DATA) != 0) {
        return ask_for_address(client);
    }
    client->step = STEP_COMMAND;
    client->replies_due = client->unit_size;
    /* All commands of a batch are as long as the first. */
    return wire_send_text(&client->control, client->text,
                          client->text_length / ((traits & JOB_BATCH) != 0 ? BATCH_SIZE : 1) *
                              client->unit_size) == WIRE_OK;
}

/* Units that fail at once are counted in a loop: there may be a million of them. */
static void next_unit(struct client *client)
{
    const struct job *job = client->bench->job;
    struct tally *tally = client->bench->tally;
    const uint64_t most = (job->traits & JOB_BATCH) != 0 ? BATCH_SIZE : 1;

    while (tally->started < job->count && (stands_alone(client) || client->control.fd != -1)) {
        const uint64_t left = job->count - tally->started;

        client->unit_size = left < most ? left : most;
        tally->started += client->unit_size;
        client->data_done = false;
        client->confirmed = false;
        client->failed = false;
        client->unit_start_ns = job_now_ns();
        if (start_unit(client)) {
            return;
        }
        tally_error(tally, "%s not started: %s", job->kind, strerrordesc_np(errno));
        hang_up(client);
    }
    rest(client, client->control.fd == -1 ? STEP_OFF : STEP_READY);
}

void client_work(struct client *client)
{
    if (client->step == STEP_READY || stands_alone(client)) {
        client->bench->busy++;
        next_unit(client);
    }
}

/* --- after the units --- */

void client_check(struct client *client)
{
    char line[LINE_SIZE];

    if (client->step == STEP_READY && client->uploaded) {
        client->bench->busy++;
        client->failed = false;
        client->step = STEP_CHECK;
        (void)snprintf(line, sizeof(line), "SIZE %s", client->path);
        say_line(client, line);
    }
}

static void check_reply(struct client *client, const struct reply *reply)
{
    struct tally *tally = client->bench->tally;

    /* Another reply: this server does not show this file to this user. */
    if (reply->code == 213 && strtoll(reply->text + 4, NULL, 10) != tally->expected) {
        tally_error(tally, "size after the upload: %s", reply->text);
    }
    rest(client, STEP_READY);
}

void client_quit(struct client *client)
{
    if (client->step == STEP_READY) {
        client->bench->busy++;
        client->failed = false;
        client->step = STEP_QUIT;
        say_line(client, "QUIT");
    }
}

/* The server has closed, as it should after QUIT. */
static void ended(struct client *client)
{
    hang_up(client);
    if (stands_alone(client)) {
        end_unit(client);
    } else {
        rest(client, STEP_OFF);
    }
}

/* --- events --- */

static void handle_reply(struct client *client, const struct reply *reply)
{
    switch (client->step) {
    case STEP_LOGIN:
        login_reply(client, reply);
        return;
    case STEP_COMMAND:
        command_reply(client, reply);
        return;
    case STEP_ADDRESS:
        address_reply(client, reply);
        return;
    case STEP_OPENING:
        opening_reply(client, reply);
        return;
    case STEP_TRANSFER:
        transfer_reply(client, reply);
        return;
    case STEP_CHECK:
        check_reply(client, reply);
        return;
    case STEP_QUIT:
        if (reply->code == 221) {
            client->step = STEP_END;
            return;
        }
        break;
    case STEP_READY:
    case STEP_END:
    case STEP_RAW:
    case STEP_OFF:
        break;
    }
    lose(client, "unexpected reply", reply->text);
}

bool client_wait(struct client *client)
{
    struct reply reply;
    enum wire_status status;

    if (client->control.fd == -1) {
        return true; /* an event of a connection that is closed by now */
    }
    if (client->securing) {
        go_on_securing(client);
        return !client->securing;
    }
    do {
        size_t size;
        char *space = reply_space(&client->reader, &size);

        status = wire_receive(&client->control, space, size, &size);
        if (status == WIRE_EOF || status == WIRE_ERROR) {
            if (client->step == STEP_END) {
                ended(client);
            } else {
                lose(client, "control connection",
                     status == WIRE_EOF ? "closed by the server" : client->control.why);
            }
            return true;
        }
        reply_add(&client->reader, size);
        while (reply_next(&client->reader, &reply)) {
            handle_reply(client, &reply);
        }
    } while (status == WIRE_OK && client->control.ssl != NULL && !client->securing &&
             SSL_has_pending(client->control.ssl));
    return status == WIRE_OK;
}

void client_event(struct watch *watch, uint32_t events)
{
    struct client *client = watch->client;

    if (watch->role == WATCH_CONTROL) {
        (void)client_wait(client); /* nothing there: epoll will tell */
    } else if (client->step >= STEP_ADDRESS && client->step <= STEP_RAW) {
        drive_data(client, events);
    }
}

/* --- life --- */

/* What each unit sends. Returns 0 or -1. */
static int compose(struct client *client)
{
    const struct job *job = client->bench->job;
    const bool data = (job->traits & JOB_DATA) != 0;
    const char *verb = job->command;
    const size_t times = (job->traits & JOB_BATCH) != 0 ? BATCH_SIZE : 1;
    char line[LINE_SIZE + 2];
    int length;

    if ((job->traits & JOB_FILE) != 0) {
        verb = (job->traits & JOB_UPLOAD) != 0 ? "STOR" : "RETR";
    }
    length = snprintf(line, sizeof(line), "%s%s%s\r\n", verb != NULL ? verb : "",
                      data && client->path[0] != '\0' ? " " : "", data ? client->path : "");
    client->text_length = (size_t)length * times;
    client->text = malloc(client->text_length);
    if (client->text == NULL) {
        return -1;
    }
    for (size_t i = 0; i < times; i++) {
        memcpy(client->text + i * (size_t)length, line, (size_t)length);
    }
    return 0;
}

struct client *client_new(struct bench *bench, unsigned number)
{
    const struct job *job = bench->job;
    struct client *client = calloc(1, sizeof(*client));
    const bool numbered = (job->traits & JOB_UPLOAD) != 0 && job->conns > 1;

    if (client == NULL) {
        return NULL;
    }
    client->bench = bench;
    client->number = number;
    client->control = (struct wire)WIRE_INIT;
    client->control_watch = (struct watch){.client = client, .role = WATCH_CONTROL};
    transfer_init(&client->transfer, bench, client);
    if (numbered) {
        (void)snprintf(client->path, sizeof(client->path), "%s%u", job->path, number + 1);
    } else {
        (void)snprintf(client->path, sizeof(client->path), "%s",
                       job->path != NULL ? job->path : "");
    }
    if (compose(client) == -1) {
        free(client);
        return NULL;
    }
    return client;
}

void client_free(struct client *client)
{
    if (client != NULL) {
        hang_up(client);
        free(client->text);
        free(client);
    }
}
