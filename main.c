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

#include "common.h"
#include "config.h"
#include "listener.h"
#include "startup.h"
#include "str.h"
#include "tunable.h"

/* What the command line asks for. */
enum action { ACTION_RUN, ACTION_TEST, ACTION_VERSION, ACTION_SAMPLE, ACTION_MANUAL, ACTION_HELP };

static void usage(FILE *out)
{
    fprintf(out, "Usage: " MINIFTPD_NAME " [-t] [file]... [-oname=value]...\n"
                 "The FTP daemon. Files and settings count in the order in which they stand;\n"
                 "without a file " CONFIG_DEFAULT_FILE " is read first.\n"
                 "  -oname=value      set one option\n"
                 "  -t                check the configuration and end\n"
                 "  -v                print name and version\n"
                 "  --print-sample    print a configuration file with all options\n"
                 "  --print-manual    print the options as a part of a manual page\n"
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
        {"--version", ACTION_VERSION},
    };

    *action = ACTION_RUN;
    *arg_count = 0;
    for (int i = 1; i < argc; i++) {
        bool known = argv[i][0] != '-' || (argv[i][1] == 'o' && argv[i][2] != '\0');

        if (known) {
            argv[(*arg_count)++] = argv[i];
            continue;
        }
        for (size_t w = 0; w < ARRAY_LEN(words); w++) {
            if (strcmp(argv[i], words[w].text) == 0) {
                *action = words[w].action;
                known = true;
            }
        }
        if (!known) {
            fprintf(stderr, MINIFTPD_NAME ": unknown argument '%s'\n", argv[i]);
            return false;
        }
    }
    return true;
}

static int test_config(char **args, int arg_count)
{
    struct str errors = STR_INIT(CONFIG_ERRORS_MAX);
    struct config *config = config_load(args, arg_count, NULL, &errors);

    if (config == NULL) {
        config_report_errors(&errors);
        str_free(&errors);
        return EXIT_STATUS_USAGE;
    }
    printf(MINIFTPD_NAME ": the configuration is correct\n");
    config_free(config);
    return EXIT_STATUS_OK;
}

int main(int argc, char **argv)
{
    struct listener l;
    const struct tunables *tun; /* of the start; a reload frees them */
    enum action action;
    int arg_count;

    startup_tidy_descriptors();
    (void)umask(022);
    tzset(); /* now: later there is no /etc in sight */
    if (!parse_arguments(argc, argv, &action, &arg_count)) {
        usage(stderr);
        return EXIT_STATUS_USAGE;
    }
    switch (action) {
    case ACTION_TEST:
        return test_config(argv, arg_count);
    case ACTION_VERSION:
        printf(MINIFTPD_NAME " " MINIFTPD_VERSION "\n");
        return EXIT_STATUS_OK;
    case ACTION_SAMPLE:
        tunable_print_sample(stdout);
        return EXIT_STATUS_OK;
    case ACTION_MANUAL:
        tunable_print_manual(stdout);
        return EXIT_STATUS_OK;
    case ACTION_HELP:
        usage(stdout);
        return EXIT_STATUS_OK;
    case ACTION_RUN:
        break;
    }
    listener_prepare(&l, argv, arg_count);
    tun = &l.config->tun;
    startup_announce(tun, l.listen_fd);
    if (tun->background) {
        startup_daemonise(tun->pid_file, l.null_fd);
    } else {
        startup_write_pid_file(tun->pid_file, getpid());
    }
    malloc_trim(0);
    listener_run(&l);
    listener_free(&l);
    return EXIT_STATUS_OK;
}
