/*
 * tunable.h - the options of miniftpd.conf: one row each
 *
 * A row is a field of struct tunables, a row for the parser, the default, a paragraph of the sample
 * miniftpd.conf and of the manual page, and a case of the tests. Names, types and defaults are those
 * of vsftpd.conf; options of our own say so in their text.
 */
#ifndef MINIFTPD_TUNABLE_H
#define MINIFTPD_TUNABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common.h"

struct str;

enum tunable_type { TUNABLE_BOOL, TUNABLE_UINT, TUNABLE_OCTAL, TUNABLE_TEXT };

/* When a changed value takes effect. */
enum tunable_scope {
    SCOPE_START,   /* at the next start of the daemon */
    SCOPE_SESSION, /* after a reload (SIGHUP), for sessions that begin then */
    SCOPE_USER,    /* the same; may also differ from user to user */
};

/*
 * SECTION(heading)
 * BOOL(name, default, shipped, scope, text)
 * UINT(name, default, min, max, shipped, scope, text)     OCTAL: the same, shown in octal
 * TEXT(name, default, shipped, scope, text)               NULL: not set
 *
 * `shipped` is the value that the shipped miniftpd.conf sets, as it is written there; NULL leaves the
 * default there as a comment.
 */
/* clang-format off */
#define TUNABLE_LIST(SECTION, BOOL, UINT, OCTAL, TEXT)                                                                 \
    SECTION("Listening")                                                                                               \
    BOOL(listen, true, "NO", SCOPE_START,                                                                              \
         "Listen on IPv4. Counts as NO when listen_ipv6=YES is set and this is not.")                                  \
    BOOL(listen_ipv6, false, "YES", SCOPE_START,                                                                       \
         "Listen on IPv6; unless listen_address6 names one address, the same socket takes IPv4 clients too.")          \
    TEXT(listen_address, NULL, NULL, SCOPE_START,                                                                      \
         "IPv4 address to listen on, in numbers. Not set: all of them.")                                               \
    TEXT(listen_address6, NULL, NULL, SCOPE_START,                                                                     \
         "IPv6 address to listen on, in numbers. Not set: all of them.")                                               \
    UINT(listen_port, 21, 1, 65535, NULL, SCOPE_START,                                                                 \
         "TCP port to listen on.")                                                                                     \
    UINT(max_clients, 2000, 0, 1000000, NULL, SCOPE_SESSION,                                                           \
         "Sessions at the same time; further clients are answered with 421. 0 means no limit.")                        \
    UINT(max_per_ip, 50, 0, 1000000, NULL, SCOPE_SESSION,                                                              \
         "Sessions at the same time from one address; further ones are answered with 421. 0 means no limit.")          \
    BOOL(background, false, NULL, SCOPE_START,                                                                         \
         "Leave the terminal after the start. The command returns when clients can connect, or with the error.")       \
    TEXT(pid_file, NULL, NULL, SCOPE_START,                                                                            \
         "File that holds the process number of the listener while it runs. An option of miniftpd's own.")             \
    SECTION("Who may log in")                                                                                          \
    BOOL(anonymous_enable, true, "NO", SCOPE_SESSION,                                                                  \
         "Let anyone in as ftp or anonymous. They get the account ftp_username and are kept inside its directory.")    \
    BOOL(local_enable, false, "YES", SCOPE_SESSION,                                                                    \
         "Let the accounts of this machine in, with their passwords. The account root is always refused.")             \
    BOOL(no_anon_password, false, NULL, SCOPE_SESSION,                                                                 \
         "Do not ask anonymous users for a password.")                                                                 \
    TEXT(ftp_username, "ftp", NULL, SCOPE_SESSION,                                                                     \
         "Account that anonymous users get. It must exist when anonymous_enable=YES.")                                 \
    TEXT(anon_root, NULL, NULL, SCOPE_SESSION,                                                                         \
         "Directory for anonymous users. Not set: the home of ftp_username.")                                          \
    BOOL(anon_world_readable_only, true, NULL, SCOPE_SESSION,                                                          \
         "Let anonymous users fetch only what everyone on this machine may read.")                                     \
    BOOL(chroot_local_user, false, "YES", SCOPE_USER,                                                                  \
         "Keep local users inside their home directory. It may be writable: nothing is ever loaded from it.")          \
    BOOL(check_shell, true, NULL, SCOPE_SESSION,                                                                       \
         "Refuse accounts whose shell is not listed in /etc/shells.")                                                  \
    UINT(max_login_fails, 3, 1, 1000, NULL, SCOPE_SESSION,                                                             \
         "Failed logins before the connection is closed.")                                                             \
    UINT(delay_failed_login, 1, 0, 60, NULL, SCOPE_SESSION,                                                            \
         "Seconds to wait before a failed login is answered.")                                                         \
    SECTION("What users may do")                                                                                       \
    BOOL(write_enable, false, "YES", SCOPE_USER,                                                                       \
         "Allow commands that change files: STOR APPE STOU DELE RNFR RNTO MKD RMD MFMT, SITE CHMOD and more.")         \
    BOOL(chmod_enable, true, NULL, SCOPE_USER,                                                                         \
         "Allow SITE CHMOD to local users, if write_enable=YES.")                                                      \
    BOOL(mdtm_write, true, NULL, SCOPE_USER,                                                                           \
         "Let MDTM with a time in front of the name set the time of a file, if write_enable=YES.")                     \
    BOOL(hash_enable, true, NULL, SCOPE_USER,                                                                          \
         "Allow HASH, MD5, XCRC, XMD5, XSHA1, XSHA256, XSHA512: checksums of files. An option of miniftpd's own.")     \
    OCTAL(local_umask, 077, 0, 0777, "022", SCOPE_USER,                                                                \
         "Permissions that are taken away from what local users create. A leading 0 makes a number octal.")            \
    OCTAL(file_open_mode, 0666, 0, 0777, NULL, SCOPE_USER,                                                             \
         "Permissions of uploaded files before the umask is applied. 0777 makes uploads executable.")                  \
    SECTION("Listings")                                                                                                \
    BOOL(force_dot_files, false, NULL, SCOPE_USER,                                                                     \
         "Show names that begin with a dot in LIST and NLST even if the client did not say -a.")                       \
    BOOL(hide_ids, false, NULL, SCOPE_USER,                                                                            \
         "Show ftp instead of every owner and group.")                                                                 \
    BOOL(text_userdb_names, false, NULL, SCOPE_SESSION,                                                                \
         "Show names of owners and groups, from /etc/passwd and /etc/group, instead of numbers.")                      \
    BOOL(use_localtime, false, NULL, SCOPE_USER,                                                                       \
         "Show local times in LIST and MDTM, and read them in MDTM. MLSD and MFMT are always in UTC.")                 \
    BOOL(ls_recurse_enable, false, NULL, SCOPE_USER,                                                                   \
         "Allow LIST -R and NLST -R: all directories below at once.")                                                  \
    SECTION("Data connections")                                                                                        \
    BOOL(pasv_enable, true, NULL, SCOPE_USER,                                                                          \
         "Allow PASV and EPSV: the client opens the data connection.")                                                 \
    UINT(pasv_min_port, 5001, 0, 65535, NULL, SCOPE_USER,                                                              \
         "Lowest port for PASV and EPSV. 0 means 1024.")                                                               \
    UINT(pasv_max_port, 0, 0, 65535, NULL, SCOPE_USER,                                                                 \
         "Highest port for PASV and EPSV. 0 means 65535. Every port of the range is tried.")                           \
    BOOL(port_enable, true, NULL, SCOPE_USER,                                                                          \
         "Allow PORT and EPRT: the server opens the data connection, only to the client's own address.")               \
    BOOL(connect_from_port_20, false, "YES", SCOPE_SESSION,                                                            \
         "Open PORT and EPRT connections from ftp_data_port, which old clients and firewalls expect.")                 \
    UINT(ftp_data_port, 20, 1, 65535, NULL, SCOPE_SESSION,                                                             \
         "Local port of PORT and EPRT connections when connect_from_port_20=YES.")                                     \
    BOOL(ascii_download_enable, false, NULL, SCOPE_USER,                                                               \
         "Convert line ends of downloads in TYPE A. NO sends every file as it is.")                                    \
    BOOL(ascii_upload_enable, false, NULL, SCOPE_USER,                                                                 \
         "Convert line ends of uploads in TYPE A. NO stores every file as it comes.")                                  \
    BOOL(mode_z_enable, false, NULL, SCOPE_USER,                                                                       \
         "Allow MODE Z, compressed transfers. Some clients use it for everything then, which costs more time than it " \
         "saves on all but slow networks. An option of miniftpd's own.")                                               \
    SECTION("Time limits, in seconds")                                                                                 \
    UINT(idle_session_timeout, 300, 1, 86400, NULL, SCOPE_USER,                                                        \
         "Time without a command before the session is ended.")                                                        \
    UINT(data_connection_timeout, 300, 1, 86400, NULL, SCOPE_USER,                                                     \
         "Time without any progress before a transfer is given up.")                                                   \
    UINT(accept_timeout, 60, 1, 86400, NULL, SCOPE_USER,                                                               \
         "Time for the client to open the data connection after PASV or EPSV.")                                        \
    UINT(connect_timeout, 60, 1, 86400, NULL, SCOPE_USER,                                                              \
         "Time for the client to answer the data connection after PORT or EPRT.")                                      \
    SECTION("Messages and logs")                                                                                       \
    TEXT(ftpd_banner, NULL, NULL, SCOPE_SESSION,                                                                       \
         "Greeting in one line. Not set: the name of the program.")                                                    \
    BOOL(xferlog_enable, false, "YES", SCOPE_SESSION,                                                                  \
         "Log connections, logins, transfers and changes to vsftpd_log_file.")                                         \
    TEXT(vsftpd_log_file, "/var/log/vsftpd.log", "/var/log/miniftpd.log", SCOPE_SESSION,                               \
         "The log file, in vsftpd's format. Opened again on SIGHUP.")                                                  \
    BOOL(syslog_enable, false, NULL, SCOPE_SESSION,                                                                    \
         "Send the log to syslog (facility ftp) instead of vsftpd_log_file.")                                          \
    SECTION("Processes")                                                                                               \
    TEXT(nopriv_user, "nobody", NULL, SCOPE_SESSION,                                                                   \
         "Account of the processes that need no rights.")                                                              \
    TEXT(secure_chroot_dir, "/usr/share/empty", "/run/miniftpd/empty", SCOPE_SESSION,                                  \
         "Empty directory of root that locks those processes in. It is made if it does not exist.")                    \
    BOOL(seccomp_sandbox, true, NULL, SCOPE_SESSION,                                                                   \
         "Limit every process to the system calls it needs. NO is for looking for faults only.")
/* clang-format on */

#define TUNABLE_NO_SECTION(heading)
#define TUNABLE_BOOL_FIELD(name, ...) bool name;
#define TUNABLE_UINT_FIELD(name, ...) unsigned name;
#define TUNABLE_TEXT_FIELD(name, ...) char *name;

/* The values of all options. Never changed once loaded. Texts are NULL when not set. */
struct tunables {
    TUNABLE_LIST(TUNABLE_NO_SECTION, TUNABLE_BOOL_FIELD, TUNABLE_UINT_FIELD, TUNABLE_UINT_FIELD,
                 TUNABLE_TEXT_FIELD)
    bool listen_is_set; /* listen was named by the configuration */
};

struct tunable_row {
    const char *heading; /* a heading of the sample; all else is empty then */
    const char *name;
    enum tunable_type type;
    enum tunable_scope scope;
    size_t offset; /* in struct tunables */
    unsigned default_number;
    const char *default_text;
    unsigned min, max;
    const char *shipped;
    const char *text;
};

/* All rows in the order of the sample, headings among them. */
extern const struct tunable_row tunable_rows[];
extern const size_t tunable_row_count;

/* Set every option to its default. */
void tunable_init(struct tunables *t);

/* Release the texts. */
void tunable_free(struct tunables *t);

/* Make `to` a copy of `from`, and return false (with nothing to free) if memory is short. */
MUST_CHECK bool tunable_copy(struct tunables *to, const struct tunables *from);

/* The row of an option, or NULL. Names are compared exactly, as vsftpd does. */
const struct tunable_row *tunable_find(const char *name);

/* The name of the option that is spelled most alike, or NULL if none is near. */
const char *tunable_nearest(const char *name);

/*
 * Set one option from its text in a configuration. On failure the option is unchanged and `error`
 * says what is wrong with the value.
 */
MUST_CHECK bool tunable_set(struct tunables *t, const struct tunable_row *row, const char *value,
                            struct str *error);

/*
 * Check the options against each other. Each contradiction is one line appended to `errors`, ended by
 * '\n'. Returns true if there is none.
 */
MUST_CHECK bool tunable_check(const struct tunables *t, struct str *errors);

/* Append the value of an option as it is written in a configuration. */
void tunable_append_value(const struct tunables *t, const struct tunable_row *row, struct str *out);

/* Append the names of the options that differ, those of SCOPE_START apart from the others. */
void tunable_differences(const struct tunables *a, const struct tunables *b, struct str *changed,
                         struct str *need_restart);

/* Write the sample miniftpd.conf. */
void tunable_print_sample(FILE *out);

/* Write the options in the language of manual pages (man(7)). */
void tunable_print_manual(FILE *out);

#endif
