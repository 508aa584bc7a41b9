/*
 * floor.c - bare kernel loops to compare servers with: what no server can be cheaper than
 *
 * Serves one TCP port without any protocol, and `load raw` is its client; or with no more of FTP than
 * `load` needs.
 *
 * Process: this program, and --workers processes that accept.
 * Trusts:  its command line. It is for loopback only.
 * Touches: the port, the file that is sent or written.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "ftpfloor.h"

enum {
    PIPE_SIZE = 1024 * 1024,
    BUFFER_SIZE = 128 * 1024,
    SENDFILE_MAX = 0x7ffff000,
    BACKLOG = 1024,
};

struct floor {
    const char *address, *path, *cert, *key;
    uint16_t port;
    off_t bytes;
    unsigned workers;
    int listen_fd;
    int file_fd; /* what is sent, or written anew by each connection */
    SSL_CTX *tls;
};

static char buffer[BUFFER_SIZE];

__attribute__((noreturn)) static void die(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerrordesc_np(errno));
    exit(1);
}

/* --- what is done with one connection --- */

static void serve_send(struct floor *floor, int fd)
{
    const int on = 1;
    off_t offset = 0;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)); /* a hint */
    while (offset < floor->bytes) {
        const off_t left = floor->bytes - offset;

        if (sendfile(fd, floor->file_fd, &offset,
                     left < SENDFILE_MAX ? (size_t)left : SENDFILE_MAX) <= 0) {
            return; /* the client sees that bytes are missing */
        }
    }
}

static void serve_receive(struct floor *floor, int fd)
{
    int ends[2];
    ssize_t filled;

    if (ftruncate(floor->file_fd, 0) == -1 || lseek(floor->file_fd, 0, SEEK_SET) == -1 ||
        pipe2(ends, O_CLOEXEC) == -1) {
        die("receiving");
    }
    (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE); /* or it works with less */
    while ((filled = splice(fd, NULL, ends[1], NULL, PIPE_SIZE, SPLICE_F_MOVE)) > 0) {
        while (filled > 0) {
            const ssize_t n =
                splice(ends[0], NULL, floor->file_fd, NULL, (size_t)filled, SPLICE_F_MOVE);

            if (n <= 0) {
                die("writing");
            }
            filled -= n;
        }
    }
    close(ends[0]);
    close(ends[1]);
}

static void serve_fork(struct floor *floor, int fd)
{
    static const char greeting[] = "220 floor\r\n";

    (void)floor;
    switch (fork()) {
    case -1:
        die("fork");
    case 0:
        (void)send(fd, greeting, sizeof(greeting) - 1, MSG_NOSIGNAL); /* the client counts bytes */
        _exit(0);
    default:
        break;
    }
}

static void serve_ftp(struct floor *floor, int fd)
{
    ftpfloor_serve(fd, floor->file_fd, floor->bytes);
}

/* The handshake; NULL if it failed, which the client sees. */
static SSL *accept_tls(struct floor *floor, int fd)
{
    SSL *ssl = SSL_new(floor->tls);

    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || SSL_accept(ssl) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}

static void end_tls(SSL *ssl)
{
    if (ssl != NULL) {
        (void)SSL_shutdown(ssl); /* close_notify; its answer is not waited for */
        SSL_free(ssl);
    }
}

static void serve_tls_send(struct floor *floor, int fd)
{
    const int on = 1;
    SSL *ssl = accept_tls(floor, fd);
    off_t offset = 0;
    ssize_t n;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)); /* a hint */
    while (ssl != NULL && offset < floor->bytes &&
           (n = pread(floor->file_fd, buffer, sizeof(buffer), offset)) > 0) {
        if (n > floor->bytes - offset) {
            n = (ssize_t)(floor->bytes - offset);
        }
        if (SSL_write(ssl, buffer, (int)n) <= 0) {
            break;
        }
        offset += n;
    }
    end_tls(ssl);
}

static void serve_tls_receive(struct floor *floor, int fd)
{
    SSL *ssl = accept_tls(floor, fd);
    size_t n;

    if (ftruncate(floor->file_fd, 0) == -1 || lseek(floor->file_fd, 0, SEEK_SET) == -1) {
        die("receiving");
    }
    while (ssl != NULL && SSL_read_ex(ssl, buffer, sizeof(buffer), &n) == 1) {
        if (write(floor->file_fd, buffer, n) != (ssize_t)n) {
            die("writing");
        }
    }
    end_tls(ssl);
}

static void serve_handshake(struct floor *floor, int fd)
{
    end_tls(accept_tls(floor, fd));
}

static void serve_tls_fork(struct floor *floor, int fd)
{
    switch (fork()) {
    case -1:
        die("fork");
    case 0:
        serve_handshake(floor, fd);
        _exit(0);
    default:
        break;
    }
}

/* clang-format off */
static const struct loop {
    const char *name;
    void (*serve)(struct floor *floor, int fd);
    bool tls, file, writes, forks;
    const char *help;
} loops[] = {
    { "send",      serve_send,        false, true,  false, false, "sendfile of --bytes, corked" },
    { "recv",      serve_receive,     false, true,  true,  false, "splice to a file until the client ends" },
    { "fork",      serve_fork,        false, false, false, true,  "fork, write a greeting, exit" },
    { "ftp",       serve_ftp,         false, true,  false, false, "fixed replies, small files of --bytes, listings of --path" },
    { "tls-send",  serve_tls_send,    true,  true,  false, false, "handshake, then pread and SSL_write of --bytes" },
    { "tls-recv",  serve_tls_receive, true,  true,  true,  false, "handshake, then SSL_read and write" },
    { "handshake", serve_handshake,   true,  false, false, false, "handshake only" },
    { "tls-fork",  serve_tls_fork,    true,  false, false, true,  "fork, handshake, exit" },
};

static const char usage_text[] =
    "usage: floor LOOP --port PORT [OPTION]...\n"
    "\n"
    "Prints \"ready\" when it listens and serves until it is killed. Its client is: load raw\n"
    "(--command send for recv and tls-recv; --tls for the TLS loops); for ftp: load cmd, pipe, retr, stor, list.\n"
    "\n"
    "  --address A    IPv4 address to listen on (default 127.0.0.1)\n"
    "  --bytes B      how much each connection is sent\n"
    "  --path FILE    what is sent (at least --bytes long); recv: what is written, with the number\n"
    "                 of the worker appended (default for both: memory)\n"
    "  --workers N    processes that serve at once (default 4; fork and tls-fork: 1)\n"
    "  --cert FILE    PEM certificate, with the key behind it unless --key FILE is there\n"
    "\n"
    "loops:\n";
/* clang-format on */

/* --- set-up --- */

static SSL_CTX *make_context(const struct floor *floor)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    const char *key = floor->key != NULL ? floor->key : floor->cert;

    if (context == NULL || SSL_CTX_use_certificate_chain_file(context, floor->cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "floor: the certificate or its key cannot be used\n");
        exit(1);
    }
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* Unread tickets would reset connections which the client closes. */
    (void)SSL_CTX_set_num_tickets(context, 0);
    return context;
}

static int open_listener(const struct floor *floor)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(floor->port)};
    const int on = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (inet_pton(AF_INET, floor->address, &address.sin_addr) != 1) {
        errno = EINVAL;
        die(floor->address);
    }
    if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) == -1 ||
        listen(fd, BACKLOG) == -1) {
        die("listening");
    }
    return fd;
}

/* The file of one worker. Without --path it is in memory: of --bytes length, or empty. */
static int open_file(const struct floor *floor, const struct loop *loop, unsigned worker)
{
    char name[4096];
    int fd;

    if (floor->path == NULL) {
        fd = memfd_create("floor", MFD_CLOEXEC);
        if (fd == -1 || (!loop->writes && posix_fallocate(fd, 0, floor->bytes) != 0)) {
            die("memory file");
        }
        return fd;
    }
    if (loop->writes) {
        (void)snprintf(name, sizeof(name), "%s%u", floor->path, worker + 1);
        fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    } else {
        fd = open(floor->path, O_RDONLY | O_CLOEXEC);
    }
    if (fd == -1) {
        die(floor->path);
    }
    return fd;
}

__attribute__((noreturn)) static void work(struct floor *floor, const struct loop *loop,
                                           unsigned worker)
{
    if (loop->writes) {
        floor->file_fd = open_file(floor, loop, worker);
    }
    for (;;) {
        const int fd = accept4(floor->listen_fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd == -1 && errno != EINTR && errno != ECONNABORTED) {
            die("accept");
        }
        /* Reaped children count as CPU of this process. There may be none to reap. */
        while (loop->forks && waitpid(-1, NULL, WNOHANG) > 0) {
        }
        if (fd == -1) {
            continue;
        }
        loop->serve(floor, fd);
        close(fd);
    }
}

static void start_workers(struct floor *floor, const struct loop *loop)
{
    const pid_t parent = getpid();

    for (unsigned i = 0; i < floor->workers; i++) {
        const pid_t pid = fork();

        if (pid == -1) {
            die("fork");
        }
        if (pid == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
            if (getppid() != parent) {
                _exit(1);
            }
            work(floor, loop, i);
        }
    }
}

static off_t parse_number(const char *text, long long min, long long max)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < min || number > max) {
        fprintf(stderr, "floor: %s: not a number in the range\n", text);
        exit(2);
    }
    return number;
}

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},
    {"address", required_argument, NULL, 'a'},
    {"bytes", required_argument, NULL, 'b'},
    {"path", required_argument, NULL, 'f'},
    {"workers", required_argument, NULL, 'w'},
    {"cert", required_argument, NULL, 'c'},
    {"key", required_argument, NULL, 'k'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

__attribute__((noreturn)) static void usage(int status)
{
    FILE *out = status == 0 ? stdout : stderr;

    fputs(usage_text, out);
    for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
        fprintf(out, "  %-10s %s\n", loops[i].name, loops[i].help);
    }
    exit(status);
}

static void take_option(struct floor *floor, int option)
{
    switch (option) {
    case 'p':
        floor->port = (uint16_t)parse_number(optarg, 1, UINT16_MAX);
        break;
    case 'b':
        floor->bytes = parse_number(optarg, 0, INT64_MAX);
        break;
    case 'w':
        floor->workers = (unsigned)parse_number(optarg, 1, 64);
        break;
    case 'a':
        floor->address = optarg;
        break;
    case 'f':
        floor->path = optarg;
        break;
    case 'c':
        floor->cert = optarg;
        break;
    case 'k':
        floor->key = optarg;
        break;
    case 'h':
        usage(0);
    default:
        usage(2);
    }
}

static const struct loop *parse_arguments(int argc, char **argv, struct floor *floor)
{
    const struct loop *loop = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        take_option(floor, option);
    }
    for (size_t i = 0; optind + 1 == argc && i < sizeof(loops) / sizeof(loops[0]); i++) {
        if (strcmp(loops[i].name, argv[optind]) == 0) {
            loop = &loops[i];
        }
    }
    if (loop == NULL || floor->port == 0 || (loop->tls && floor->cert == NULL) ||
        (loop->file && !loop->writes && floor->bytes < 0)) {
        usage(2);
    }
    if (floor->workers == 0) {
        floor->workers = loop->forks ? 1 : 4;
    }
    return loop;
}

static void on_child(int number)
{
    (void)number;
}

int main(int argc, char **argv)
{
    struct floor floor = {.address = "127.0.0.1", .bytes = -1, .file_fd = -1};
    const struct sigaction interrupt = {.sa_handler = on_child}; /* ends accept4() */
    const struct loop *loop = parse_arguments(argc, argv, &floor);

    (void)signal(SIGPIPE, SIG_IGN); /* a client that goes away ends one connection only */
    if (loop->forks) {
        (void)sigaction(SIGCHLD, &interrupt, NULL); /* cannot fail */
    }
    if (loop->tls) {
        floor.tls = make_context(&floor);
    }
    if (loop->file && !loop->writes) {
        floor.file_fd = open_file(&floor, loop, 0);
    }
    floor.listen_fd = open_listener(&floor);
    puts("ready");
    (void)fflush(stdout); /* nobody has to read it */
    if (floor.workers == 1) {
        work(&floor, loop, 0); /* so that its children are ours, and their CPU too */
    }
    start_workers(&floor, loop);
    while (wait(NULL) != -1 || errno == EINTR) {
    }
    return 1; /* a worker ends only after an error, of which it has spoken */
}
