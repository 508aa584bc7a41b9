/*
 * tunable.h - the options of miniftpd.conf: one row each
 *
 * A row is a field of struct tunables, a row for the parser, the default, a paragraph of the sample
 * miniftpd.conf and of the manual page, and a case of the tests. Names, types and defaults are those
 * of vsftpd.conf; options of our own say so in their text.
 */
#ifndef MINIFTPD_TUNABLE_H
#define MINIFTPD_TUNABLE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.h"

struct str;

#define MAX_FILE_SIZE INT64_MAX /* of off_t */

/* Those after TUNABLE_TEXT have no value: whatever a configuration says about them is accepted. */
enum tunable_type {
    TUNABLE_BOOL,
    TUNABLE_UINT,
    TUNABLE_OCTAL,
    TUNABLE_SIZE, /* bytes, 64 bits */
    TUNABLE_TEXT,
    TUNABLE_FIXED,    /* what it asks for is always so */
    TUNABLE_OBSOLETE, /* has no effect any more */
    TUNABLE_UNMET,    /* a truth value: YES asks to refuse what is not refused here */
    TUNABLE_ALIAS,    /* another name of the row `target` */
};

/* When a changed value takes effect. */
enum tunable_scope {
    SCOPE_START,   /* at the next start of the daemon */
    SCOPE_SESSION, /* after a reload (SIGHUP), for sessions that begin then */
    SCOPE_USER,    /* the same; may also differ from user to user */
};

/*
 * SECTION(heading)
 * BOOL(name, default, shipped, scope, text)
 * UINT(name, default, min, max, shipped, scope, text)     OCTAL: the same, read and shown in octal;
 *                                                         SIZE: 64 bits, with K, M, G, T
 * TEXT(name, default, shipped, scope, text)               NULL: not set
 * FIXED(name, why)   OBSOLETE(name, why)   UNMET(name, why)
 *                                                         accepted, see enum tunable_type
 * ALIAS(name, option)
 *
 * `shipped` is the value that the shipped miniftpd.conf sets, as it is written there; NULL leaves the
 * default there as a comment.
 */
/* clang-format off */
#define TUNABLE_LIST(SECTION, BOOL, UINT, OCTAL, SIZE, TEXT, FIXED, OBSOLETE, UNMET, ALIAS)                            \
    SECTION("Listening")                                                                                               \
    BOOL(listen, true, "NO", SCOPE_START,                                                                              \
         "Listen on IPv4. Counts as NO when listen_ipv6=YES is set and this is not. With NO here and there the "       \
         "daemon serves the one client that inetd or systemd has put on standard input.")                              \
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
    TEXT(virtual_users_file, NULL, NULL, SCOPE_SESSION,                                                                \
         "File of users that are no accounts of this machine; 'miniftpd --passwd FILE NAME' writes it. They may "      \
         "log in whatever local_enable says, have the rights of local users, and are always kept in their home. An "   \
         "option of miniftpd's own.")                                                                                  \
    BOOL(userlist_enable, false, NULL, SCOPE_SESSION,                                                                  \
         "Look every user name up in userlist_file before a password is asked for.")                                   \
    BOOL(userlist_deny, true, NULL, SCOPE_SESSION,                                                                     \
         "YES: the users in userlist_file may not log in. NO: nobody else may.")                                       \
    TEXT(userlist_file, "/etc/vsftpd.user_list", NULL, SCOPE_SESSION,                                                  \
         "File of user names, one a line. A change counts at once.")                                                   \
    BOOL(check_shell, true, NULL, SCOPE_SESSION,                                                                       \
         "Refuse accounts whose shell is not listed in /etc/shells.")                                                  \
    UINT(max_login_fails, 3, 1, 1000, NULL, SCOPE_SESSION,                                                             \
         "Failed logins before the connection is closed.")                                                             \
    UINT(max_per_user, 0, 0, 100000, NULL, SCOPE_USER,                                                                 \
         "Sessions of one user at the same time; a further login is refused with 530. 0 means no limit. Anonymous "    \
         "users count as one user. An option of miniftpd's own.")                                                      \
    UINT(delay_failed_login, 1, 0, 60, NULL, SCOPE_SESSION,                                                            \
         "Seconds to wait before a failed login is answered.")                                                         \
    UINT(delay_successful_login, 0, 0, 60, NULL, SCOPE_USER,                                                           \
         "Seconds to wait before a successful login is answered.")                                                     \
    TEXT(pam_service_name, "ftp", NULL, SCOPE_SESSION,                                                                 \
         "Service in /etc/pam.d that decides about local logins. Only in a build with WITH_PAM=1.")                    \
    BOOL(session_support, false, NULL, SCOPE_SESSION,                                                                  \
         "Open a PAM session for each login, and close it at its end. Only in a build with WITH_PAM=1.")               \
    BOOL(reverse_lookup_enable, true, NULL, SCOPE_SESSION,                                                             \
         "Tell PAM the name of the client's machine instead of its address. Only in a build with WITH_PAM=1.")         \
    SECTION("Where users are")                                                                                         \
    BOOL(chroot_local_user, false, "YES", SCOPE_SESSION,                                                               \
         "Keep local users inside their home directory. It may be writable: nothing is ever loaded from it.")          \
    BOOL(chroot_list_enable, false, NULL, SCOPE_SESSION,                                                               \
         "Make exceptions: the users in chroot_list_file are kept inside their home when chroot_local_user=NO, "       \
         "and are free when it is YES.")                                                                               \
    TEXT(chroot_list_file, "/etc/vsftpd.chroot_list", NULL, SCOPE_SESSION,                                             \
         "File of user names, one a line. A change counts from the next login on.")                                    \
    BOOL(passwd_chroot_enable, false, NULL, SCOPE_USER,                                                                \
         "Let /./ in the home directory of an account stand between the directory to be kept in and the one to "       \
         "start in.")                                                                                                  \
    TEXT(local_root, NULL, NULL, SCOPE_USER,                                                                           \
         "Directory of local users instead of their home. If it cannot be entered, users who are to be kept in it "    \
         "are refused; the others begin in their home.")                                                               \
    TEXT(user_sub_token, NULL, NULL, SCOPE_USER,                                                                       \
         "What stands for the login name in local_root and in the home of guest_username, for example $USER.")         \
    TEXT(user_config_dir, NULL, NULL, SCOPE_SESSION,                                                                   \
         "Directory of configuration files with the names of users, for options that may differ from user to "         \
         "user. A user without a file is fine; one with a fault in it cannot log in.")                                 \
    SECTION("Anonymous users and guests")                                                                              \
    BOOL(no_anon_password, false, NULL, SCOPE_SESSION,                                                                 \
         "Do not ask anonymous users for a password.")                                                                 \
    TEXT(ftp_username, "ftp", NULL, SCOPE_SESSION,                                                                     \
         "Account that anonymous users get. It must exist when anonymous_enable=YES.")                                 \
    TEXT(anon_root, NULL, NULL, SCOPE_USER,                                                                            \
         "Directory for anonymous users. Not set: the home of ftp_username.")                                          \
    BOOL(anon_world_readable_only, true, NULL, SCOPE_USER,                                                             \
         "Let anonymous users fetch only what everyone on this machine may read.")                                     \
    BOOL(anon_upload_enable, false, NULL, SCOPE_USER,                                                                  \
         "Let anonymous users store new files, if write_enable=YES and the directory lets ftp_username write.")        \
    BOOL(anon_mkdir_write_enable, false, NULL, SCOPE_USER,                                                             \
         "Let anonymous users make directories, if write_enable=YES.")                                                 \
    BOOL(anon_other_write_enable, false, NULL, SCOPE_USER,                                                             \
         "Let anonymous users delete, rename, overwrite and append too, and set times, if write_enable=YES.")          \
    OCTAL(anon_umask, 077, 0, 0777, NULL, SCOPE_USER,                                                                  \
         "Permissions that are taken away from what anonymous users create.")                                          \
    BOOL(chown_uploads, false, NULL, SCOPE_SESSION,                                                                    \
         "Give uploads of anonymous users to chown_username, with the permissions chown_upload_mode.")                 \
    TEXT(chown_username, "root", NULL, SCOPE_SESSION,                                                                  \
         "Account that gets uploads of anonymous users when chown_uploads=YES.")                                       \
    OCTAL(chown_upload_mode, 0600, 0, 0777, NULL, SCOPE_USER,                                                          \
         "Permissions of these files.")                                                                                \
    BOOL(guest_enable, false, NULL, SCOPE_USER,                                                                        \
         "Make every user who has given a right password a guest: one who gets the account guest_username and the "    \
         "rights of anonymous users.")                                                                                 \
    TEXT(guest_username, "ftp", NULL, SCOPE_USER,                                                                      \
         "Account that guests get, and users of virtual_users_file without an account of their own.")                  \
    BOOL(virtual_use_local_privs, false, NULL, SCOPE_USER,                                                             \
         "Give guests the rights of local users instead of those of anonymous ones.")                                  \
    SECTION("What users may do")                                                                                       \
    BOOL(write_enable, false, "YES", SCOPE_USER,                                                                       \
         "Allow commands that change files: STOR APPE STOU DELE RNFR RNTO MKD RMD MFMT, SITE CHMOD and more.")         \
    BOOL(download_enable, true, NULL, SCOPE_USER,                                                                      \
         "Allow downloads, and checksums of files.")                                                                   \
    BOOL(dirlist_enable, true, NULL, SCOPE_USER,                                                                       \
         "Allow listings: LIST NLST MLSD MLST, and STAT with a name.")                                                 \
    TEXT(cmds_allowed, NULL, NULL, SCOPE_USER,                                                                         \
         "The only commands that work after login, with commas between. Leave QUIT among them. Those of SITE are "     \
         "allowed all at once (SITE) or one by one (SITE CHMOD). Not set: all.")                                       \
    TEXT(cmds_denied, NULL, NULL, SCOPE_USER,                                                                          \
         "Commands that do not work after login, with commas between, even if cmds_allowed names them. What does "     \
         "the same in another way is refused with them: SITE MKDIR with MKD, MLSD with LIST.")                         \
    TEXT(deny_file, NULL, NULL, SCOPE_USER,                                                                            \
         "Pattern of names that nobody can use in any command, like {*.exe,private}. A name is refused too if it "     \
         "contains the text as it is, or if a directory above it matches. A pattern with a / is about paths.")         \
    TEXT(hide_file, NULL, NULL, SCOPE_USER,                                                                            \
         "Pattern of names, as for deny_file, that listings leave out. Who knows them can still use them.")            \
    TEXT(upload_file, NULL, NULL, SCOPE_USER,                                                                          \
         "Pattern, as for deny_file, of the only names that files may be stored under.")                               \
    TEXT(download_file, NULL, NULL, SCOPE_USER,                                                                        \
         "Pattern, as for deny_file, of the only names that may be downloaded.")                                       \
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
    BOOL(lock_upload_files, true, NULL, SCOPE_USER,                                                                    \
         "Lock files while they are stored or fetched, so that two sessions do not disturb each other.")               \
    BOOL(delete_failed_uploads, false, NULL, SCOPE_USER,                                                               \
         "Delete what an upload has stored when it does not come to its end: the file, or what was appended to "       \
         "it. One that ends before the size that the client has announced with ALLO counts as such.")                  \
    BOOL(better_stou, false, NULL, SCOPE_USER,                                                                         \
         "Let STOU make up names by chance instead of counting.")                                                      \
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
    TEXT(pasv_address, NULL, NULL, SCOPE_USER,                                                                         \
         "IPv4 address that PASV names instead of the server's own, for a server behind NAT. A host name needs "       \
         "pasv_addr_resolve=YES.")                                                                                     \
    BOOL(pasv_addr_resolve, false, NULL, SCOPE_SESSION,                                                                \
         "Take pasv_address for a host name. It is looked up at the start and again every minute.")                    \
    TEXT(pasv_address_map, NULL, NULL, SCOPE_SESSION,                                                                  \
         "Address that PASV names by the client's network: 192.168.0.0/16=own, 10.0.0.0/8=10.1.2.3. The first "        \
         "that fits counts before pasv_address; own is the server's address. An option of miniftpd's own.")            \
    BOOL(pasv_promiscuous, false, NULL, SCOPE_USER,                                                                    \
         "Take data connections from other addresses than the client's. Anyone who is quick can then fetch what "      \
         "was meant for a user.")                                                                                      \
    BOOL(port_enable, true, NULL, SCOPE_USER,                                                                          \
         "Allow PORT and EPRT: the server opens the data connection, only to the client's own address.")               \
    BOOL(port_promiscuous, false, NULL, SCOPE_USER,                                                                    \
         "Open data connections to any address and port that PORT or EPRT names, though not to loopback and "          \
         "link-local ones. This lets users attack other machines through yours.")                                      \
    BOOL(connect_from_port_20, false, "YES", SCOPE_SESSION,                                                            \
         "Open PORT and EPRT connections from ftp_data_port, which old clients and firewalls expect.")                 \
    UINT(ftp_data_port, 20, 1, 65535, NULL, SCOPE_SESSION,                                                             \
         "Local port of PORT and EPRT connections when connect_from_port_20=YES.")                                     \
    BOOL(ascii_download_enable, false, NULL, SCOPE_USER,                                                               \
         "Convert line ends of downloads in TYPE A. NO sends every file as it is.")                                    \
    BOOL(ascii_upload_enable, false, NULL, SCOPE_USER,                                                                 \
         "Convert line ends of uploads in TYPE A. NO stores every file as it comes.")                                  \
    BOOL(mode_z_enable, false, NULL, SCOPE_USER,                                                                       \
         "Allow MODE Z, compressed transfers. Some clients use it for everything then, which costs more time than "    \
         "it saves on all but slow networks. An option of miniftpd's own.")                                            \
    BOOL(use_sendfile, true, NULL, SCOPE_USER,                                                                         \
         "Let the kernel move downloads from the file to the network by itself. NO is for file systems that "          \
         "cannot.")                                                                                                    \
    UINT(trans_chunk_size, 0, 0, 1073741824, NULL, SCOPE_USER,                                                         \
         "Most bytes to be moved at once. Small values make limited rates smoother. 0 leaves the choice to "           \
         "miniftpd; less than 4096 counts as 4096.")                                                                   \
    SECTION("Limits of transfers")                                                                                     \
    UINT(local_max_rate, 0, 0, UINT_MAX, NULL, SCOPE_USER,                                                             \
         "Bytes a second that a session of a local user may transfer. 0 means no limit.")                              \
    UINT(anon_max_rate, 0, 0, UINT_MAX, NULL, SCOPE_USER,                                                              \
         "Bytes a second that a session of an anonymous user may transfer. 0 means no limit.")                         \
    UINT(upload_max_rate, 0, 0, UINT_MAX, NULL, SCOPE_USER,                                                            \
         "Bytes a second of uploads in a session, whoever the user is. 0 means no limit. An option of miniftpd's "     \
         "own.")                                                                                                       \
    UINT(download_max_rate, 0, 0, UINT_MAX, NULL, SCOPE_USER,                                                          \
         "Bytes a second of downloads in a session, whoever the user is. 0 means no limit. An option of "              \
         "miniftpd's own.")                                                                                            \
    SIZE(max_upload_size, 0, 0, MAX_FILE_SIZE, NULL, SCOPE_USER,                                                       \
         "Largest file that may be stored, in bytes; K, M, G and T count in steps of 1024. More ends the upload "      \
         "with 552 and deletes what it has stored. 0 means no limit. An option of miniftpd's own.")                    \
    SECTION("Time limits, in seconds")                                                                                 \
    UINT(idle_session_timeout, 300, 1, 86400, NULL, SCOPE_USER,                                                        \
         "Time without a command before the session is ended.")                                                        \
    UINT(data_connection_timeout, 300, 1, 86400, NULL, SCOPE_USER,                                                     \
         "Time without any progress before a transfer is given up.")                                                   \
    UINT(accept_timeout, 60, 1, 86400, NULL, SCOPE_USER,                                                               \
         "Time for the client to open the data connection after PASV or EPSV.")                                        \
    UINT(connect_timeout, 60, 1, 86400, NULL, SCOPE_USER,                                                              \
         "Time for the client to answer the data connection after PORT or EPRT.")                                      \
    SECTION("Messages")                                                                                                \
    TEXT(ftpd_banner, NULL, NULL, SCOPE_SESSION,                                                                       \
         "Greeting in one line. Not set: the name of the program.")                                                    \
    TEXT(banner_file, NULL, NULL, SCOPE_SESSION,                                                                       \
         "File with a greeting of several lines, instead of ftpd_banner; 64 KiB of it are shown. A change counts "     \
         "from the next session on.")                                                                                  \
    BOOL(dirmessage_enable, false, NULL, SCOPE_USER,                                                                   \
         "Show message_file to users who enter a directory for the first time, and where they begin.")                 \
    TEXT(message_file, ".message", NULL, SCOPE_USER,                                                                   \
         "Name of the file in a directory that dirmessage_enable=YES shows, up to 4000 bytes of it.")                  \
    SECTION("Logs")                                                                                                    \
    BOOL(xferlog_enable, false, "YES", SCOPE_SESSION,                                                                  \
         "Log connections, logins, transfers and changes, to vsftpd_log_file unless an option below says otherwise.")  \
    TEXT(vsftpd_log_file, "/var/log/vsftpd.log", "/var/log/miniftpd.log", SCOPE_SESSION,                               \
         "The log file, in vsftpd's format. Opened again on SIGHUP, and when it has been moved or removed. "           \
         "/dev/stdout is standard output.")                                                                            \
    ALIAS(log_file, vsftpd_log_file)                                                                                   \
    BOOL(xferlog_std_format, false, NULL, SCOPE_SESSION,                                                               \
         "Log transfers only, to xferlog_file and in the format of wu-ftpd, which many programs read. Needs "          \
         "xferlog_enable=YES.")                                                                                        \
    TEXT(xferlog_file, "/var/log/xferlog", NULL, SCOPE_SESSION,                                                        \
         "The log file in the format of wu-ftpd, xferlog(5). Opened again as vsftpd_log_file is.")                     \
    BOOL(dual_log_enable, false, NULL, SCOPE_SESSION,                                                                  \
         "Write both logs, vsftpd_log_file and xferlog_file, whatever xferlog_enable says.")                           \
    BOOL(syslog_enable, false, NULL, SCOPE_SESSION,                                                                    \
         "Send the log to syslog (facility ftp) instead of vsftpd_log_file, whatever xferlog_enable says.")            \
    BOOL(log_ftp_protocol, false, NULL, SCOPE_USER,                                                                    \
         "Log every command and every reply, but no passwords, to vsftpd_log_file or to syslog.")                      \
    TEXT(json_log_file, NULL, NULL, SCOPE_SESSION,                                                                     \
         "Log file for programs: one line of JSON for each connection, login, refusal, transfer and change, with one " \
         "id for a session. Opened again as vsftpd_log_file is. An option of miniftpd's own.")                         \
    BOOL(log_die, false, NULL, SCOPE_SESSION,                                                                          \
         "Send the errors that end the daemon or a session to syslog too.")                                            \
    SECTION("Processes")                                                                                               \
    TEXT(nopriv_user, "nobody", NULL, SCOPE_SESSION,                                                                   \
         "Account of the processes that need no rights.")                                                              \
    TEXT(secure_chroot_dir, "/usr/share/empty", "/run/miniftpd/empty", SCOPE_SESSION,                                  \
         "Empty directory of root that locks those processes in. It is made if it does not exist.")                    \
    BOOL(seccomp_sandbox, true, NULL, SCOPE_SESSION,                                                                   \
         "Limit every process to the system calls it needs. NO is for looking for faults only.")                       \
    BOOL(setproctitle_enable, false, NULL, SCOPE_START,                                                                \
         "Show client, user and command of each session in the list of processes (ps).")                               \
    TEXT(scoreboard_dir, "/run/miniftpd.scoreboard", NULL, SCOPE_START,                                                \
         "Directory of the table of sessions that 'miniftpd --who' shows, made if it does not exist. It lies in "      \
         "memory: if the file system is of another kind, it is under the same name in /dev/shm. Empty: no table. An "  \
         "option of miniftpd's own.")                                                                                  \
    BOOL(run_as_launching_user, false, NULL, SCOPE_START,                                                              \
         "Run without root, as the user who starts the daemon. Nobody but anonymous users and those of "               \
         "virtual_users_file can log in then; they are kept inside their directory by Landlock.")                      \
    SECTION("FTPS")                                                                                                    \
    BOOL(ssl_enable, false, NULL, SCOPE_SESSION,                                                                       \
         "Let clients encrypt their sessions (AUTH TLS). It needs a certificate, see rsa_cert_file, and the "          \
         "program miniftpd-tls, which is installed beside this one. Logins of local and virtual users must be "        \
         "encrypted then, see force_local_logins_ssl.")                                                                \
    BOOL(implicit_ssl, false, NULL, SCOPE_SESSION,                                                                     \
         "Encrypt from the first byte on, without AUTH, as old clients expect it on port 990 (listen_port=990). "      \
         "It works without ssl_enable=YES, too.")                                                                      \
    TEXT(rsa_cert_file, "/usr/share/ssl/certs/vsftpd.pem", NULL, SCOPE_SESSION,                                        \
         "Certificate, with those that lead to the root behind it, in PEM form; it may also be one for ECDSA. "        \
         "Read as root at the start and at each reload.")                                                              \
    TEXT(rsa_private_key_file, NULL, NULL, SCOPE_SESSION,                                                              \
         "Its private key, without a passphrase. Empty: it is in rsa_cert_file.")                                      \
    TEXT(dsa_cert_file, NULL, NULL, SCOPE_SESSION,                                                                     \
         "A second certificate, for clients that take ECDSA. With it the default of rsa_cert_file does not count: "    \
         "set both to have both.")                                                                                     \
    TEXT(dsa_private_key_file, NULL, NULL, SCOPE_SESSION,                                                              \
         "Its private key. Empty: it is in dsa_cert_file.")                                                            \
    BOOL(force_local_logins_ssl, true, NULL, SCOPE_SESSION,                                                            \
         "With ssl_enable=YES: refuse logins of local and virtual users on connections that are not encrypted, "       \
         "before a password is sent.")                                                                                 \
    BOOL(force_local_data_ssl, true, NULL, SCOPE_USER,                                                                 \
         "With ssl_enable=YES: their data connections must be encrypted, too (PROT P).")                               \
    BOOL(allow_anon_ssl, false, NULL, SCOPE_SESSION,                                                                   \
         "Anonymous users may encrypt their sessions. With NO they are refused on encrypted connections.")             \
    BOOL(force_anon_logins_ssl, false, NULL, SCOPE_SESSION,                                                            \
         "With ssl_enable=YES: anonymous users must encrypt.")                                                         \
    BOOL(force_anon_data_ssl, false, NULL, SCOPE_USER,                                                                 \
         "With ssl_enable=YES: their data connections must be encrypted, too (PROT P).")                               \
    BOOL(require_ssl_reuse, true, NULL, SCOPE_SESSION,                                                                 \
         "An encrypted data connection must resume the TLS session of its control connection, so nobody else can "     \
         "take it; otherwise the answer is 522. NO is for clients that cannot do that.")                               \
    BOOL(strict_ssl_read_eof, true, NULL, SCOPE_USER,                                                                  \
         "An encrypted upload that ends without the end of TLS (close_notify) was cut off, and is answered with "      \
         "426. NO is for clients that never send it; what was cut off cannot be told then.")                           \
    BOOL(strict_ssl_write_shutdown, false, NULL, SCOPE_USER,                                                           \
         "An encrypted download counts only if the client confirms its end, for which it has two seconds. Many "       \
         "clients do not.")                                                                                            \
    BOOL(ssl_tlsv12, true, NULL, SCOPE_SESSION,                                                                        \
         "Offer TLS 1.2.")                                                                                             \
    BOOL(ssl_tlsv13, true, NULL, SCOPE_SESSION,                                                                        \
         "Offer TLS 1.3.")                                                                                             \
    BOOL(ssl_tlsv11, false, NULL, SCOPE_SESSION,                                                                       \
         "Offer TLS 1.1, too, for devices that are too old for more. It is not safe any more (RFC 8996).")             \
    TEXT(ssl_ciphers, NULL, NULL, SCOPE_SESSION,                                                                       \
         "Ciphers up to TLS 1.2, in the form of ciphers(1) of OpenSSL. Empty: all that are safe today, the "           \
         "fastest first.")                                                                                             \
    TEXT(ssl_ciphersuites, NULL, NULL, SCOPE_SESSION,                                                                  \
         "Ciphers of TLS 1.3, with colons between. Empty: all of OpenSSL.")                                            \
    TEXT(ssl_sni_hostname, NULL, NULL, SCOPE_SESSION,                                                                  \
         "Refuse clients that do not ask for a server of this name (SNI). Many FTP clients ask for none.")             \
    BOOL(ssl_request_cert, true, NULL, SCOPE_SESSION,                                                                  \
         "Ask clients for a certificate of their own; they need not have one.")                                        \
    BOOL(require_cert, false, NULL, SCOPE_SESSION,                                                                     \
         "Refuse clients without a certificate of their own. Which ones count: validate_cert.")                        \
    BOOL(validate_cert, false, NULL, SCOPE_SESSION,                                                                    \
         "A certificate that a client shows must be signed by one of those in ca_certs_file. With NO any will do.")    \
    TEXT(ca_certs_file, NULL, NULL, SCOPE_SESSION,                                                                     \
         "Certificates that may sign those of clients, in PEM form.")                                                  \
    BOOL(debug_ssl, false, NULL, SCOPE_SESSION,                                                                        \
         "Log version and cipher of each encrypted connection, the certificate of the client, and whether a data "     \
         "connection resumed the session.")                                                                            \
    ALIAS(ssl_tlsv1_1, ssl_tlsv11)                                                                                     \
    ALIAS(ssl_tlsv1_2, ssl_tlsv12)                                                                                     \
    ALIAS(ssl_tlsv1_3, ssl_tlsv13)                                                                                     \
    FIXED(allow_writeable_chroot,                                                                                      \
         "the directory that a user is kept in may always be writable: nothing is loaded from it")                     \
    FIXED(async_abor_enable, "ABOR always works during transfers, also as urgent data")                                \
    FIXED(isolate, "the system call filter keeps the processes of a session away from all others")                     \
    FIXED(isolate_network, "the process of a user can open no sockets: its parent does, and checks each address")      \
    FIXED(utf8_filesystem, "names are passed on as they are, and FEAT names UTF8")                                     \
    FIXED(bind_retries, "every port from pasv_min_port to pasv_max_port is tried")                                     \
    FIXED(userlist_log, "logins that the user list refuses are always logged, if anything is")                         \
    FIXED(wc_logs_enable, "UTF-8 stays as it is in logs, and control characters are written as \\xHH")                 \
    OBSOLETE(banned_email_file, "no list of mail addresses is read")                                                   \
    UNMET(deny_email_enable, "the passwords of anonymous users are not looked at")                                     \
    OBSOLETE(dh_param_file, "the parameters are chosen with the client")                                               \
    OBSOLETE(ecdh_param_file, "the curve is chosen with the client")                                                   \
    OBSOLETE(email_password_file, "no list of passwords is read")                                                      \
    OBSOLETE(enable_iconv, "names are not converted")                                                                  \
    OBSOLETE(ftp_enable, "there is nothing but FTP here")                                                              \
    OBSOLETE(http_enable, "there is nothing but FTP here")                                                             \
    OBSOLETE(local_charset, "names are not converted")                                                                 \
    OBSOLETE(no_log_lock, "logs are written without locks, a line at once")                                            \
    OBSOLETE(one_process_model, "each session has processes of its own")                                               \
    OBSOLETE(ptrace_sandbox, "seccomp_sandbox does its work")                                                          \
    OBSOLETE(remote_charset, "names are not converted")                                                                \
    UNMET(secure_email_list_enable, "the passwords of anonymous users are not looked at")                              \
    OBSOLETE(ssl_sslv2, "SSL 2 is broken and never used")                                                              \
    OBSOLETE(ssl_sslv3, "SSL 3 is broken and never used")                                                              \
    OBSOLETE(ssl_tlsv1, "TLS 1.0 is not offered; TLS 1.2 and 1.3 are, if ssl_enable=YES")                              \
    UNMET(tcp_wrappers, "hosts.allow and hosts.deny are not read; use a firewall")                                     \
    OBSOLETE(tilde_user_enable, "only ~ and ~/ are expanded, not the homes of others")                                 \
    OBSOLETE(convert_charset_enable, "names are not converted")                                                        \
    OBSOLETE(double_377, "bytes 0xFF are always doubled as Telnet wants it")
/* clang-format on */

#define TUNABLE_NO_FIELD(...)
#define TUNABLE_BOOL_FIELD(name, ...) bool name;
#define TUNABLE_UINT_FIELD(name, ...) unsigned name;
#define TUNABLE_SIZE_FIELD(name, ...) uint64_t name;
#define TUNABLE_TEXT_FIELD(name, ...) char *name;

/* The values of all options. Never changed once loaded. Texts are NULL when not set. */
struct tunables {
    TUNABLE_LIST(TUNABLE_NO_FIELD, TUNABLE_BOOL_FIELD, TUNABLE_UINT_FIELD, TUNABLE_UINT_FIELD,
                 TUNABLE_SIZE_FIELD, TUNABLE_TEXT_FIELD, TUNABLE_NO_FIELD, TUNABLE_NO_FIELD,
                 TUNABLE_BOOL_FIELD, TUNABLE_NO_FIELD)
    bool listen_is_set; /* listen was named by the configuration */
};

struct tunable_row {
    const char *heading; /* a heading of the sample; all else is empty then */
    const char *name;
    enum tunable_type type;
    enum tunable_scope scope;
    size_t offset; /* in struct tunables */
    uint64_t default_number;
    const char *default_text;
    uint64_t min, max;
    const char *shipped;
    const char *text;   /* of those without a value: why there is nothing to set */
    const char *target; /* of an ALIAS */
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

/* True for an option that has a value; false for headings and for names that are only accepted. */
bool tunable_has_value(const struct tunable_row *row);

/* True if `row` is of TUNABLE_UNMET and the configuration asks for it. */
bool tunable_is_unmet(const struct tunables *t, const struct tunable_row *row);

/*
 * The row of an option (of an alias: the row it stands for), or NULL. Names are compared exactly, as
 * vsftpd does.
 */
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

/* The ports of PASV and EPSV, from *low_out to *high_out. Returns false if there are none. */
MUST_CHECK bool tunable_pasv_range(const struct tunables *t, uint16_t *low_out, uint16_t *high_out);

/* Append the value of an option as it is written in a configuration. */
void tunable_append_value(const struct tunables *t, const struct tunable_row *row, struct str *out);

/* Append the names of the options that differ, those of SCOPE_START apart from the others. */
void tunable_differences(const struct tunables *a, const struct tunables *b, struct str *changed,
                         struct str *need_restart);

/*
 * Append the options that may differ from user to user and do so in `mine`, as lines name=value, which
 * tunable_apply_changes() reads.
 */
void tunable_append_changes(const struct tunables *base, const struct tunables *mine,
                            struct str *out);

/* Apply such lines. Returns false (with part of them applied) if they are no such lines. */
MUST_CHECK bool tunable_apply_changes(struct tunables *t, const char *lines, size_t len);

#define TUNABLE_SETTINGS_MAX (1024 * 1024) /* more bytes than all options can have */

/*
 * Append all options that are not as tunable_init() has them, as name=value with a NUL behind each, for
 * another program of ours. `out` has room for TUNABLE_SETTINGS_MAX.
 */
void tunable_append_settings(const struct tunables *t, struct str *out);

/* The reverse, onto tunable_init(). Returns false (with part of them applied) if they are no such texts. */
MUST_CHECK bool tunable_apply_settings(struct tunables *t, const char *settings, size_t len);

/* Are encrypted sessions served at all? (pure) */
MUST_CHECK bool tunable_wants_tls(const struct tunables *t);

#endif
