/*
 * who.h - miniftpd --who: the live sessions, as a table for people or as JSON for programs
 */
#ifndef MINIFTPD_WHO_H
#define MINIFTPD_WHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common.h"

struct scoreview_row;

/*
 * Print the sessions of the daemons that run with this configuration (args: as for config_load()).
 * Returns the exit status: EXIT_STATUS_OK also without sessions, EXIT_STATUS_ERROR if no daemon runs, or
 * its table cannot be read, EXIT_STATUS_USAGE for a wrong configuration. What is wrong goes to stderr.
 */
int who_run(char **args, int arg_count, bool json);

/*
 * An aligned table, one line a session. What comes from clients is escaped as in the log, so that no byte
 * of it reaches a terminal as a command. now_sec: CLOCK_REALTIME; width: columns of the terminal, which
 * lines are cut to, 0 for as long as they are.
 */
void who_print_table(FILE *out, const struct scoreview_row *rows, size_t count, int64_t now_sec,
                     size_t width);

/* One array of objects. Texts are escaped in the same way, so they are valid UTF-8. */
void who_print_json(FILE *out, const struct scoreview_row *rows, size_t count);

#endif
