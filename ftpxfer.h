/*
 * ftpxfer.h - one transfer of a session: its data connection, its limits, and how it ends
 */
#ifndef MINIFTPD_FTPXFER_H
#define MINIFTPD_FTPXFER_H

#include <stdbool.h>

#include "common.h"
#include "logline.h"
#include "xfer.h"

struct ftp;

/* Open the data connection and announce it with 150. The descriptor, or -1 with the reply sent. */
int ftp_open_data(struct ftp *f, const char *opening);

/* Begin a transfer (xfer_init) within the limits of this user. file_fd is -1 for text. */
void ftp_begin_transfer(struct ftp *f, struct xfer *x, int data_fd, int file_fd, bool upload);

/* What the next download (`encode`) or upload does to the ends of lines. */
bool ftp_converts_ascii(const struct ftp *f, bool encode);

/* Give a transfer the codec it needs. Replies on failure, of which there is lack of memory only. */
MUST_CHECK bool ftp_convert(struct ftp *f, struct xfer *x, bool encode, bool ascii);

/* Let --who show a transfer that begins. path: as the client gave it, NULL for a listing. */
void ftp_show_transfer(struct ftp *f, struct xfer *x, const char *path);

/* Run a transfer of a file, which is xfer_send_file or xfer_recv_file, to its end or to ABOR. */
enum xfer_result ftp_run_transfer(struct ftp *f, struct xfer *x,
                                  enum xfer_result (*step)(struct xfer *, struct ctrlio *));

/*
 * SECURITY: 226 is a promise. Only here the transfer of a file becomes a success: everything moved, the
 * data connection closed and, for an upload, the file closed without an error. Replies (`done` after a
 * success) and logs. Returns whether it is one.
 */
bool ftp_finish_transfer(struct ftp *f, struct xfer *x, enum xfer_result result,
                         enum log_event event, const char *path, const char *done);

/* The reply to a transfer that did not end well. error: the errno of XFER_FILE. */
void ftp_reply_transfer(struct ftp *f, enum xfer_result result, int error);

/*
 * Log what debug_ssl wants to know of an encrypted data connection, and what was wrong with its TLS,
 * with the option that would allow it.
 */
void ftp_log_tls(struct ftp *f, const struct xfer *x, enum xfer_result result);

#endif
