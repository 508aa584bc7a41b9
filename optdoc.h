/*
 * optdoc.h - what the program prints about its options: made from the table in tunable.h
 */
#ifndef MINIFTPD_OPTDOC_H
#define MINIFTPD_OPTDOC_H

#include <stdio.h>

#include "common.h"

/* Write the sample miniftpd.conf. */
void optdoc_print_sample(FILE *out);

/* Write the options in the language of manual pages (man(7)), for miniftpd.conf(5). */
void optdoc_print_manual(FILE *out);

/* Write what becomes of each option of vsftpd.conf, as the tables of doc/migrating-from-vsftpd.md. */
void optdoc_print_migration(FILE *out);

#endif
