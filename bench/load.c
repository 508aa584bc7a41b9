/*
 * load.c - the load generator of the benchmark
 *
 * Logs in, works through units of one kind as fast as the server goes, and reports. One thread and
 * epoll do: what it receives is dropped by the kernel, what it sends comes from a memory file.
 *
 * Process: the load generator.
 * Trusts:  its command line, and the server, which runs on this machine.
 * Touches: stdin and stdout, where it is told to go on and says how far it is.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "options.h"

enum {
    EVENTS_PER_WAIT = 256,
    /* So many log in at once before the units begin; servers have short backlogs. */
    LOGINS_AT_ONCE = 16,
    CONTENT_LINE = 64,
    CONTENT_SIZE = 4 * 1024 * 1024,
};

struct measure {
    double wall_s, cpu_s;
};

static char content[CONTENT_SIZE];

int64_t job_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void tally_error(struct tally *tally, const char *format, ...)
{
    va_list arguments;

    if (tally->errors == 0) {
        va_start(arguments, format);
        (void)vsnprintf(tally->first_error, sizeof(tally->first_error), format, arguments);
        va_end(arguments);
    }
    tally->errors++;
}

/* Letters that do not repeat within reach; for TYPE A in lines of 64 bytes. xorshift64. */
static void make_content(bool ascii)
{
    uint64_t state = 0x9e3779b97f4a7c15;

    for (size_t i = 0; i < CONTENT_SIZE; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content[i] = ascii ? (char)('!' + state % 90) : (char)(state >> 32);
    }
    for (size_t i = CONTENT_LINE; ascii && i <= CONTENT_SIZE; i += CONTENT_LINE) {
        content[i - 2] = '\r';
        content[i - 1] = '\n';
    }
}

static double cpu_seconds(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage); /* cannot fail */
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Returns false if there was none in time. */
static bool serve_events(struct bench *bench)
{
    struct epoll_event events[EVENTS_PER_WAIT];
    const int n = epoll_wait(bench->epoll_fd, events, EVENTS_PER_WAIT, JOB_STALL_SEC * 1000);

    for (int i = 0; i < n; i++) {
        client_event(events[i].data.ptr, events[i].events);
    }
    return n != 0;
}

/* Serve events until no client is busy, or the server hangs. */
static void run(struct bench *bench, struct client **clients)
{
    while (bench->busy > 0 && !bench->hung) {
        if (bench->blocking ? client_wait(clients[0]) : serve_events(bench)) {
            continue;
        }
        bench->hung = true;
        tally_error(bench->tally, "the server has done nothing for %d s", JOB_STALL_SEC);
    }
}

/* Wait for a line on stdin, or its end. */
static void wait_for_line(void)
{
    char byte;

    while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n') {
    }
}

/* Say a word to whoever drives this program. */
static void mark(const char *word)
{
    puts(word);
    (void)fflush(stdout); /* if nobody reads, stdin ends too */
}

static void log_in(struct bench *bench, struct client **clients)
{
    for (unsigned i = 0; i < bench->job->conns && bench->tally->errors == 0; i++) {
        client_login(clients[i]);
        if ((i + 1) % LOGINS_AT_ONCE == 0 || i + 1 == bench->job->conns) {
            run(bench, clients);
        }
    }
}

static void hold(void)
{
    char byte;

    mark("ready");
    while (read(STDIN_FILENO, &byte, 1) == 1) {
    }
}

static void measure_units(struct bench *bench, struct client **clients, struct measure *measure)
{
    const bool marks = bench->job->marks;
    double cpu_start;
    int64_t start_ns;

    if (marks) {
        mark("begin");
        wait_for_line();
    }
    cpu_start = cpu_seconds();
    start_ns = job_now_ns();
    for (unsigned i = 0; i < bench->job->conns; i++) {
        client_work(clients[i]);
    }
    run(bench, clients);
    measure->wall_s = (double)(job_now_ns() - start_ns) / 1e9;
    measure->cpu_s = cpu_seconds() - cpu_start;
    if (marks) {
        mark("end");
        wait_for_line();
    }
}

static void for_each(struct bench *bench, struct client **clients, void (*act)(struct client *))
{
    for (unsigned i = 0; i < bench->job->conns; i++) {
        act(clients[i]);
    }
    run(bench, clients);
}

/* All that happens between the first connection and the report. */
static void perform(struct bench *bench, struct client **clients, struct measure *measure)
{
    const unsigned traits = bench->job->traits;

    if ((traits & (JOB_SESSION | JOB_RAW)) == 0) {
        log_in(bench, clients);
    }
    if (bench->tally->errors > 0) {
        return; /* what follows would measure something else */
    }
    if ((traits & JOB_HOLD) != 0) {
        hold();
    } else {
        measure_units(bench, clients, measure);
    }
    if ((traits & JOB_UPLOAD) != 0 && (traits & JOB_ASCII) == 0) {
        for_each(bench, clients, client_check);
    }
    for_each(bench, clients, client_quit);
}

/* --- report --- */

static int compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static uint32_t percentile(const struct tally *tally, size_t percent)
{
    if (tally->latency_count == 0) {
        return 0;
    }
    return tally->latencies_us[(tally->latency_count - 1) * percent / 100];
}

static void print_json_string(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            putchar('\\');
        }
        /* A reply may be in any encoding; the object must be UTF-8. */
        putchar(c < ' ' || c > '~' ? '?' : c);
    }
    putchar('"');
}

static void print_hash(const struct bench *bench)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (bench->tally->digest != NULL) {
        if ((bench->job->traits & JOB_UPLOAD) != 0) {
            wire_digest_content(bench->tally->digest, bench->job->bytes);
        }
        (void)EVP_DigestFinal_ex(bench->tally->digest, bytes, &size);
    }
    for (unsigned i = 0; i < size; i++) {
        printf("%02x", bytes[i]);
    }
}

static void report(const struct bench *bench, const struct measure *measure)
{
    struct tally *tally = bench->tally;

    qsort(tally->latencies_us, tally->latency_count, sizeof(uint32_t), compare);
    printf("{\"kind\":\"%s\",\"units\":%llu,\"bytes\":%llu,\"wall_s\":%.6f,\"p50_us\":%u,"
           "\"p99_us\":%u,\"cpu_s\":%.6f,\"errors\":%llu,\"first_error\":",
           bench->job->kind, (unsigned long long)tally->good, (unsigned long long)tally->bytes,
           measure->wall_s, percentile(tally, 50), percentile(tally, 99), measure->cpu_s,
           (unsigned long long)tally->errors);
    print_json_string(tally->first_error);
    printf(",\"hash\":\"");
    print_hash(bench);
    printf("\",\"resumed\":%llu}\n", (unsigned long long)tally->resumed);
}

/* --- set-up --- */

static int prepare(struct bench *bench, struct client **clients)
{
    const struct job *job = bench->job;

    bench->blocking = job->conns == 1 && (job->traits & (JOB_DATA | JOB_RAW)) == 0;
    bench->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    bench->tally->latencies_us = calloc(job->count, sizeof(uint32_t));
    if (bench->epoll_fd == -1 || bench->tally->latencies_us == NULL) {
        return -1;
    }
    if ((job->traits & JOB_UPLOAD) != 0) {
        make_content((job->traits & JOB_ASCII) != 0);
        if (wire_init(content, sizeof(content)) == -1) {
            return -1;
        }
    }
    if (job->tls && (bench->tls = wire_tls_context()) == NULL) {
        return -1;
    }
    if (job->hash) {
        bench->tally->digest = EVP_MD_CTX_new();
        if (EVP_DigestInit_ex(bench->tally->digest, EVP_sha256(), NULL) != 1) {
            return -1;
        }
    }
    for (unsigned i = 0; i < job->conns; i++) {
        clients[i] = client_new(bench, i);
        if (clients[i] == NULL) {
            return -1;
        }
    }
    return 0;
}

static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* then the connections tell */
    }
}

int main(int argc, char **argv)
{
    struct job job;
    struct tally tally = {.expected = -1};
    struct bench bench = {.job = &job, .tally = &tally, .epoll_fd = -1};
    struct measure measure = {0, 0};
    struct client **clients;

    if (options_parse(argc, argv, &job) == -1) {
        return 2;
    }
    tally.expected = job.bytes;
    (void)signal(SIGPIPE, SIG_IGN); /* sendfile(2) has no MSG_NOSIGNAL */
    raise_file_limit();
    clients = calloc(job.conns, sizeof(struct client *));
    if (clients == NULL || prepare(&bench, clients) == -1) {
        fprintf(stderr, "load: cannot start: %s\n", strerrordesc_np(errno));
        return 2;
    }
    perform(&bench, clients, &measure);
    report(&bench, &measure);
    for (unsigned i = 0; i < job.conns; i++) {
        client_free(clients[i]);
    }
    free(clients);
    free(tally.latencies_us);
    EVP_MD_CTX_free(tally.digest);
    SSL_CTX_free(bench.tls);
    close(bench.epoll_fd);
    return tally.errors > 0 ? 1 : 0;
}
