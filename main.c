/*
 * main.c - arguments, and what they ask for
 *
 * Process: what becomes L, root; or one that prints something and ends.
 * Trusts:  the command line and the configuration.
 * Touches: stdout and stderr; the listener and its start do the rest.
 */
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "authhelper.h"
#include "common.h"
#include "config.h"
#include "explain.h"
#include "inherit.h"
#include "listener.h"
#include "log.h"
#include "optdoc.h"
#include "proctitle.h"
#include "sdnotify.h"
#include "startup.h"
#include "str.h"
#include "tunable.h"
#include "who.h"

/* What the command line asks for. */
enum action {
    ACTION_RUN,
    ACTION_TEST,
    ACTION_WHO,
    ACTION_WHO_JSON,
    ACTION_VERSION,
    ACTION_SAMPLE,
    ACTION_MANUAL,
    ACTION_MIGRATION,
    ACTION_HELP
};

static void usage(FILE *out)
{
    fprintf(out, "Usage: " MINIFTPD_NAME " [-t] [file]... [-oname=value]...\n"
                 "       " MINIFTPD_NAME " --who [--json] [file]... [-oname=value]...\n"
                 "       " MINIFTPD_NAME " --passwd FILE NAME\n"
                 "The FTP daemon. Files and settings count in the order in which they stand;\n"
                 "without a file " CONFIG_DEFAULT_FILE " is read first.\n"
                 "  -oname=value      set one option\n"
                 "  -t                check the configuration, explain it, and end\n"
                 "  --who             show the live sessions; with --json, for programs\n"
                 "  --passwd FILE NAME  set the password of a user in a virtual_users_file\n"
                 "  -v                print name and version\n"
                 "  --print-sample    print a configuration file with all options\n"
                 "  --print-manual    print the options as a part of a manual page\n"
                 "  --print-migration print what becomes of each option of vsftpd.conf\n"
                 "  -h, --help        print this\n");
}

/* Sort the arguments: what to do, and what to configure (kept in place, *arg_count of them). */
static bool parse_arguments(int argc, char **argv, enum action *action, int *arg_count)
{
    static const struct {
        const char *text;
        enum action action;
    } words[] = {
        {"-t", ACTION_TEST},           {"-v", ACTION_VERSION},
        {"-h", ACTION_HELP},           {"--print-sample", ACTION_SAMPLE},
        {"--help", ACTION_HELP},       {"--print-manual", ACTION_MANUAL},
        {"--version", ACTION_VERSION}, {"--print-migration", ACTION_MIGRATION},
        {"--who", ACTION_WHO},
    };
    bool json = false;

    *action = ACTION_RUN;
    *arg_count = 0;
    for (int i = 1; i < argc; i++) {
        bool known = argv[i][0] != '-' || (argv[i][1] == 'o' && argv[i][2] != '\0');

        if (known) {
            argv[(*arg_count)++] = argv[i];
            continue;
        }
        known = strcmp(argv[i], "--json") == 0;
        json = json || known;
        for (size_t w = 0; w < ARRAY_LEN(words); w++) {
            if (strcmp(argv[i], words[w].text) == 0) {
                *action = words[w].action;
                known = true;
            }
        }
        if (!known) {
            log_message(LOG_ERR, "unknown argument '%s'", argv[i]); /* inetd's client has stderr */
            return false;
        }
    }
    if (json && *action != ACTION_WHO) {
        fprintf(stderr, MINIFTPD_NAME ": --json goes with --who\n");
        return false;
    }
    *action = json ? ACTION_WHO_JSON : *action;
    return true;
}

/* Be the daemon, or the session of the one client that came with us. */
static int run(char **args, int arg_count, const struct inherit *given)
{
    struct listener l;
    const struct tunables *tun; /* of the start; a reload frees them */

    listener_prepare(&l, args, arg_count, given);
    if (l.client_fd != -1) {
        listener_serve_one(&l);
    }
    tun = &l.config->tun;
    startup_announce(tun, l.listen_fds, l.listen_count, given->listen_count > 0);
    if (tun->background && sdnotify_is_open(&l.notify)) {
        log_message(LOG_INFO, "background=YES does not count: the service manager waits for us");
    }
    if (tun->background && !sdnotify_is_open(&l.notify)) {
        startup_daemonise(tun->pid_file, l.null_fd);
    } else {
        startup_write_pid_file(tun->pid_file, getpid());
    }
    malloc_trim(0);
    listener_run(&l);
    listener_free(&l);
    return EXIT_STATUS_OK;
}

int main(int argc, char **argv)
{
    struct inherit given;
    enum action action;
    int arg_count;

    inherit_take(&given);
    proctitle_init(argc, argv);
    (void)umask(022);
    tzset(); /* now: later there is no /etc in sight */
    if (argc == 4 && strcmp(argv[1], "--passwd") == 0) {
        authhelper_passwd(argv[2], argv[3]);
        return EXIT_STATUS_ERROR;
    }
    if (!parse_arguments(argc, argv, &action, &arg_count)) {
        usage(stderr);
        return EXIT_STATUS_USAGE;
    }
    switch (action) {
    case ACTION_TEST:
        return explain_config(argv, arg_count);
    case ACTION_WHO:
    case ACTION_WHO_JSON:
        return who_run(argv, arg_count, action == ACTION_WHO_JSON);
    case ACTION_VERSION:
        printf(MINIFTPD_NAME " " MINIFTPD_VERSION "\n");
        return EXIT_STATUS_OK;
    case ACTION_SAMPLE:
        optdoc_print_sample(stdout);
        return EXIT_STATUS_OK;
    case ACTION_MANUAL:
        optdoc_print_manual(stdout);
        return EXIT_STATUS_OK;
    case ACTION_MIGRATION:
        optdoc_print_migration(stdout);
        return EXIT_STATUS_OK;
    case ACTION_HELP:
        usage(stdout);
        return EXIT_STATUS_OK;
    case ACTION_RUN:
        break;
    }
    return run(argv, arg_count, &given);
}
