/*
 * access.h - what the configuration lets a user name: patterns of names and lists of commands (pure)
 *
 * The patterns are those of pattern.h, and a name matches as well if it contains the text of the option
 * as it is, which is vsftpd's rule. A pattern without a '/' is about one name; one with a '/' is about a
 * path from the root or, unless the '/' stands in front, about the end of one. '*' matches '/' too.
 */
#ifndef MINIFTPD_ACCESS_H
#define MINIFTPD_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "common.h"
#include "pattern.h"

struct str;

/* One of the options deny_file, hide_file, upload_file and download_file. */
struct access_filter {
    const char *text;        /* as the configuration has it; NULL: not set */
    struct pattern *pattern; /* NULL: nobody knows what it means, so it holds for every name */
};

struct access_rules {
    struct access_filter deny, hide, upload, download;
    size_t
        home_len; /* bytes of the directory that the user was put in, which no pattern is about */
    char *home;   /* NULL: there is none, or it is "/" */
};

/* The texts of the options; NULL and "" are not set. They are used until access_free(). */
struct access_texts {
    const char *deny, *hide, *upload, *download;
};

/*
 * Prepare the rules of one user. home: where the session begins, from the root; the user got there by
 * the configuration, so its own name and those above it are not looked at.
 * Returns false if a pattern stands for too much or memory is short: such a pattern refuses all. The
 * rules are usable, and have to be freed, in any case.
 */
MUST_CHECK bool access_init(struct access_rules *rules, const struct access_texts *texts,
                            const char *home);
void access_free(struct access_rules *rules);

/* False if no option is set; then all that follows is always allowed. */
bool access_is_set(const struct access_rules *rules);

/*
 * Paths here are absolute and normalised. Work is bounded; where it would be too much, the answer is the
 * strict one.
 *
 * Denied: the name itself or a directory above it matches deny_file.
 * Hidden: the name itself matches hide_file.
 * Stored, fetched: the name itself matches upload_file or download_file, or these are not set.
 */
bool access_is_denied(struct access_rules *rules, const char *path);
bool access_is_hidden(struct access_rules *rules, const char *path);
bool access_is_stored(struct access_rules *rules, const char *path);
bool access_is_fetched(struct access_rules *rules, const char *path);

/* Check a pattern of the configuration: false if it stands for too many others. */
bool access_is_pattern(const char *text);

/*
 * `path` seen from the directory `cwd` (absolute), as text: slashes made single, "." and ".." resolved.
 * Too long: str_ok() is false.
 */
void access_normalise(const char *cwd, const char *path, struct str *out);

/*
 * Take the next command of *list ("RETR, stor,SITE CHMOD") into `word`: in capitals, without blanks
 * around it. *list: behind it. False at the end; empty words are passed over.
 */
bool access_next_command(const char **list, struct str *word);

#endif
