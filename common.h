/*
 * common.h - what every file of the project may use
 *
 * Macros, limits and the name of the program; no functions and no state.
 */
#ifndef MINIFTPD_COMMON_H
#define MINIFTPD_COMMON_H

#define MINIFTPD_NAME    "miniftpd"
#define MINIFTPD_VERSION "0.1.0"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define NORETURN          __attribute__((noreturn))
#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* The longest command line, without its line ending; vsftpd's limit. */
#define FTP_LINE_MAX 4096

/* User name and password, as they cross from P to N. */
#define LOGIN_NAME_MAX_LEN     128
#define LOGIN_PASSWORD_MAX_LEN 512

/* Exit statuses of the processes of a session; N logs any other. */
#define EXIT_STATUS_OK    0
#define EXIT_STATUS_ERROR 1
#define EXIT_STATUS_USAGE 2

#endif
