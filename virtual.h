/*
 * virtual.h - virtual_users_file: users that are no accounts of this machine
 *
 * One user a line, six fields with colons between:
 *
 *     name:hash:uid:gid:home:settings
 *
 * hash is one of crypt(5). uid and gid are numbers or names; without a gid the own groups of the account
 * with that uid count, without both those of guest_username. home is a path, in which user_sub_token stands
 * for the name; without one it is local_root, or the home of that account. settings are options, name=value
 * with blanks between, as a file in user_config_dir has them. Empty lines and those that begin with # are
 * comments. Carriage returns at the ends of lines do not count.
 */
#ifndef MINIFTPD_VIRTUAL_H
#define MINIFTPD_VIRTUAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common.h"

struct str;
struct tunables;

#define VIRTUAL_FILE_MAX (16 * 1024 * 1024)
#define VIRTUAL_LINE_MAX 8192

/* The fields of one line; they point into it. Empty ones are "". */
struct virtual_entry {
    const char *name, *hash, *uid, *gid, *home, *settings;
    unsigned number; /* of the line in its file, from 1; 0 if virtual_parse() alone has seen it */
};

/*
 * Take a line apart, in place. Returns false with what is wrong with it in *fault (a constant).
 * A comment is no entry either: false, and *fault is NULL.
 */
MUST_CHECK bool virtual_parse(char *line, struct virtual_entry *entry, const char **fault);

/* A name that an entry may have: fit for a log, a path and a field. */
bool virtual_is_name(const char *name, size_t len);

enum virtual_answer {
    VIRTUAL_FOUND,
    VIRTUAL_UNKNOWN,
    VIRTUAL_FAULT, /* `reason` says why nothing can be said about the name */
};

/*
 * Look for `name`; the first entry counts. The file is read only if it belongs to root or to who runs the
 * daemon, nobody else can write it, and nobody but its group can read it. `line` holds the fields.
 */
enum virtual_answer virtual_look_up(const char *path, const char *name, struct str *line,
                                    struct virtual_entry *entry, struct str *reason);

/*
 * Apply the settings of an entry of the file `path` to `t`: options of one user, as a file of
 * user_config_dir has them. Each fault is a line "file:line: text" in `errors`.
 */
MUST_CHECK bool virtual_apply_settings(const struct virtual_entry *entry, const char *path,
                                       struct tunables *t, struct str *errors);

/* Called for every entry, in the order of the file. Returns false to stop. */
typedef bool virtual_visit(void *data, const struct virtual_entry *entry);

/*
 * Read all of the file: each fault is a line "file:line: text", ended by '\n', in `errors`; each entry
 * is shown to `visit`, unless that is NULL. Returns true if there was no fault.
 */
MUST_CHECK bool virtual_read(const char *path, virtual_visit *visit, void *data,
                             struct str *errors);

/*
 * miniftpd --passwd: set the hash of `name`, whose other fields stay as they are, or add it. The new
 * file takes the place of the old one (of what a link points to) at once and whole, with its owner and
 * mode; one that does not exist is made, for its owner alone. *added: it was not there before. Returns false with a line for the user in `error`.
 */
MUST_CHECK bool virtual_set_hash(const char *path, const char *name, const char *hash, bool *added,
                                 struct str *error);

#endif
