/*
 * explain.h - "miniftpd -t": is the configuration correct, what does it say, and what is odd about it
 */
#ifndef MINIFTPD_EXPLAIN_H
#define MINIFTPD_EXPLAIN_H

/*
 * Check a configuration and explain it on standard output, or tell its errors on stderr. args: as for
 * config_load(). Nothing is started, bound, made or changed.
 * Returns the exit status of the program.
 */
int explain_config(char **args, int arg_count);

#endif
