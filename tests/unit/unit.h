/*
 * unit.h - what all unit tests share: tests from tables of named cases, and a few helpers
 *
 * A row of a table is one test of its own; its first member is its name. A test that would wait for
 * ever is ended by alarm(2).
 */
#ifndef MINIFTPD_TESTS_UNIT_H
#define MINIFTPD_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common.h"

/* Add one test; `row` becomes *state. Names are unique in a program. */
void unit_add(const char *name, CMUnitTestFunction run, const void *row);

/* Add a test for each of `count` rows of `size` bytes, whose first member is the name. */
void unit_add_rows(CMUnitTestFunction run, const void *rows, size_t count, size_t size);

#define UNIT_ADD(function) unit_add(#function, (function), NULL)
#define UNIT_ADD_TABLE(function, table)                                                            \
    unit_add_rows((function), (table), ARRAY_LEN(table), sizeof((table)[0]))

/* Run what was added. Returns the exit status of the program. */
int unit_run(const char *program);

/* Open descriptors of this process. */
size_t unit_count_fds(void);

/* A new directory, into path[64]; remove it with unit_remove_dir(). */
#define UNIT_DIR_MAX 64
void unit_make_dir(char *path);
void unit_remove_dir(const char *path);

/* A file of `len` bytes under `dir`. */
void unit_write_file(const char *dir, const char *name, const char *data, size_t len);

/* The content of a small file, NUL-terminated, into text[size]. */
void unit_read_file(const char *dir, const char *name, char *text, size_t size);

/* `len` bytes of one kind, NUL-terminated; to be freed. */
char *unit_repeat(char c, size_t len);

#endif
