/*
 * options.c - the command line of the load generator
 *
 * Process: the load generator, at its start.
 * Trusts:  whoever calls it.
 * Touches: stdout, stderr.
 */
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct kind {
    const char *name;
    unsigned traits;
    const char *help;
} kinds[] = {
    { "retr",      JOB_DATA | JOB_FILE | JOB_PATH,                          "RETR --path, binary" },
    { "stor",      JOB_DATA | JOB_FILE | JOB_PATH | JOB_UPLOAD,             "STOR --path, --bytes long, binary" },
    { "asciiretr", JOB_DATA | JOB_FILE | JOB_PATH | JOB_ASCII,              "retr with TYPE A" },
    { "asciistor", JOB_DATA | JOB_FILE | JOB_PATH | JOB_ASCII | JOB_UPLOAD, "stor with TYPE A" },
    { "list",      JOB_DATA | JOB_ASCII | JOB_COMMAND,                      "--command LIST, NLST or MLSD of --path" },
    { "cmd",       JOB_COMMAND,                                             "--command, one at a time" },
    { "pipe",      JOB_COMMAND | JOB_BATCH,                                 "--command, in batches of 100; p50 and p99 are of batches" },
    { "login",     JOB_SESSION,                                             "connect, log in, QUIT" },
    { "hold",      JOB_HOLD,                                                "log in, print \"ready\", stay idle until stdin ends, QUIT" },
    { "raw",       JOB_RAW,                                                 "connect, receive all (--command send: send --bytes); no FTP" },
};

static const char usage_text[] =
    "usage: load KIND --host ADDRESS --port PORT [OPTION]...\n"
    "\n"
    "Loads an FTP server with units of one kind and checks each of them. The last line of its\n"
    "output is a JSON object. Status 1: something went wrong in a unit; 2: wrong usage.\n"
    "\n"
    "  --user NAME       who logs in (default anonymous)\n"
    "  --password WORD   (default load@)\n"
    "  --conns N         connections (default 1); uploads get their number 1 to N at their path\n"
    "  --count M         units, over all connections (default 1)\n"
    "  --active          PORT or EPRT instead of PASV or EPSV\n"
    "  --tls             AUTH TLS and PROT P, AES-128-GCM; raw: TLS from the first byte\n"
    "  --bytes B         length of an upload; of another unit, what is right (default: SIZE for\n"
    "                    retr, else as many as the first one has)\n"
    "  --path PATH       the file, or the directory to list\n"
    "  --command TEXT    the command, where the kind says so\n"
    "  --hash            SHA-256 of all that was received, or of one upload\n"
    "  --marks           print \"begin\" and \"end\" around the units and wait for a line after each\n"
    "  --source A[-LAST] connect from this address, or from it to 127.0.0.LAST in turn (IPv4)\n"
    "\n"
    "kinds:\n";
/* clang-format on */

enum {
    OPT_HOST = 256,
    OPT_PORT,
    OPT_USER,
    OPT_PASSWORD,
    OPT_CONNS,
    OPT_COUNT,
    OPT_ACTIVE,
    OPT_TLS
};
enum { OPT_BYTES = OPT_TLS + 1, OPT_PATH, OPT_COMMAND, OPT_HASH, OPT_MARKS, OPT_SOURCE, OPT_HELP };

static const struct option long_options[] = {
    {"host", required_argument, NULL, OPT_HOST},
    {"port", required_argument, NULL, OPT_PORT},
    {"user", required_argument, NULL, OPT_USER},
    {"password", required_argument, NULL, OPT_PASSWORD},
    {"conns", required_argument, NULL, OPT_CONNS},
    {"count", required_argument, NULL, OPT_COUNT},
    {"active", no_argument, NULL, OPT_ACTIVE},
    {"tls", no_argument, NULL, OPT_TLS},
    {"bytes", required_argument, NULL, OPT_BYTES},
    {"path", required_argument, NULL, OPT_PATH},
    {"command", required_argument, NULL, OPT_COMMAND},
    {"hash", no_argument, NULL, OPT_HASH},
    {"marks", no_argument, NULL, OPT_MARKS},
    {"source", required_argument, NULL, OPT_SOURCE},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static void print_help(void)
{
    fputs(usage_text, stdout);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        printf("  %-11s %s\n", kinds[i].name, kinds[i].help);
    }
}

static int wrong(const char *what, const char *value)
{
    fprintf(stderr, "load: %s: %s (see --help)\n", value, what);
    return -1;
}

static int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || *out < min || *out > max) {
        return wrong("not a number in the range", text);
    }
    return 0;
}

static int parse_address(const char *text, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

    *out = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        out->ss_family = AF_INET;
        return 0;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        out->ss_family = AF_INET6;
        return 0;
    }
    return wrong("not an address", text);
}

/* ADDRESS or 127.0.0.2-9 */
static int parse_source(char *text, struct job *job)
{
    char *dash = strchr(text, '-');
    uint64_t last = 0;

    if (dash != NULL) {
        *dash = '\0';
        if (parse_number(dash + 1, 1, 254, &last) == -1) {
            return -1;
        }
    }
    if (parse_address(text, &job->source) == -1) {
        return -1;
    }
    job->sources = 1;
    if (dash != NULL) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&job->source;
        const uint32_t first = ntohl(v4->sin_addr.s_addr) & 255;

        if (job->source.ss_family != AF_INET || last < first) {
            return wrong("not a range of addresses", text);
        }
        job->sources = (unsigned)(last - first + 1);
    }
    return 0;
}

static int take_number(int option, const char *text, struct job *job, in_port_t *port)
{
    uint64_t number;
    const uint64_t max = option == OPT_PORT ? UINT16_MAX : option == OPT_CONNS ? 100000 : INT64_MAX;

    if (parse_number(text, option == OPT_BYTES ? 0 : 1, max, &number) == -1) {
        return -1;
    }
    if (option == OPT_PORT) {
        *port = htons((uint16_t)number);
    } else if (option == OPT_CONNS) {
        job->conns = (unsigned)number;
    } else if (option == OPT_COUNT) {
        job->count = number;
    } else {
        job->bytes = (off_t)number;
    }
    return 0;
}

/* Text that becomes part of a command; the client has room for so much. */
static int take_text(const char *text, const char **out)
{
    *out = text;
    return strlen(text) < 4096 ? 0 : wrong("too long", text);
}

static int take_option(int option, char *text, struct job *job, in_port_t *port)
{
    switch (option) {
    case OPT_HOST:
        return parse_address(text, &job->peer);
    case OPT_SOURCE:
        return parse_source(text, job);
    case OPT_PORT:
    case OPT_CONNS:
    case OPT_COUNT:
    case OPT_BYTES:
        return take_number(option, text, job, port);
    case OPT_USER:
        return take_text(text, &job->user);
    case OPT_PASSWORD:
        return take_text(text, &job->password);
    case OPT_PATH:
        return take_text(text, &job->path);
    case OPT_COMMAND:
        return take_text(text, &job->command);
    case OPT_ACTIVE:
        job->active = true;
        return 0;
    case OPT_TLS:
        job->tls = true;
        return 0;
    case OPT_HASH:
        job->hash = true;
        return 0;
    case OPT_MARKS:
        job->marks = true;
        return 0;
    case OPT_HELP:
        print_help();
        exit(0);
    default:
        return -1; /* getopt has said what is wrong */
    }
}

static int check_job(struct job *job, in_port_t port)
{
    if (job->peer.ss_family == 0 || port == 0) {
        return wrong("needs --host and --port", job->kind);
    }
    if (job->peer.ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)&job->peer)->sin6_port = port;
    } else {
        ((struct sockaddr_in *)&job->peer)->sin_port = port;
    }
    if (job->sources > 0 && job->source.ss_family != job->peer.ss_family) {
        return wrong("not of the kind of --host", "--source");
    }
    if ((job->traits & JOB_RAW) != 0 && job->command != NULL) {
        if (strcmp(job->command, "send") != 0) {
            return wrong("not \"send\"", job->command);
        }
        job->traits |= JOB_UPLOAD;
    }
    if ((job->traits & JOB_PATH) != 0 && job->path == NULL) {
        return wrong("needs --path", job->kind);
    }
    if ((job->traits & JOB_COMMAND) != 0 && job->command == NULL) {
        return wrong("needs --command", job->kind);
    }
    if ((job->traits & JOB_UPLOAD) != 0 && job->bytes == -1) {
        return wrong("needs --bytes", job->kind);
    }
    return 0;
}

int options_parse(int argc, char **argv, struct job *job)
{
    in_port_t port = 0;
    int option;

    *job =
        (struct job){.user = "anonymous", .password = "load@", .conns = 1, .count = 1, .bytes = -1};
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (take_option(option, optarg, job, &port) == -1) {
            return -1;
        }
    }
    if (optind + 1 != argc) {
        return wrong("expected: one KIND", optind < argc ? argv[optind + 1] : "load");
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, argv[optind]) == 0) {
            job->kind = kinds[i].name;
            job->traits = kinds[i].traits;
            return check_job(job, port);
        }
    }
    return wrong("no such kind", argv[optind]);
}
