/*
 * options.h - the command line of the load generator
 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "job.h"

/* Fill `job`. What is wrong is said on stderr; then -1 is returned. --help prints and exits. */
int options_parse(int argc, char **argv, struct job *job);

#endif
