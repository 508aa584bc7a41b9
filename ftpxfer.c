/*
 * ftpxfer.c - one transfer of a session: its data connection, its limits, and how it ends
 *
 * Process: S.
 * Trusts:  nothing about the data or the client.
 * Touches: data connections; closes the file of an upload.
 */
#include "ftpxfer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "codec.h"
#include "datachan.h"
#include "ftpproto.h"
#include "log.h"
#include "privsock.h"
#include "scoreboard.h"
#include "str.h"
#include "sysutil.h"
#include "tunable.h"

#define LEAST_CHUNK 4096

static void parent_gone(struct ftp *f)
{
    ftp_end(f, "The service is going down, closing the connection.");
}

/* The data connection did not come. */
static void reply_not_opened(struct ftp *f, enum datachan_result result, int error)
{
    struct str text = STR_INIT(128);

    f->error = error;
    switch (result) {
    case DATACHAN_CTRL_GONE:
        f->ended = true;
        break;
    case DATACHAN_PARENT_GONE:
        parent_gone(f);
        break;
    default:
        datachan_explain(&f->data, error, &text);
        ftp_reply(f, FTP_NO_DATA_CONNECTION, str_text(&text));
        break;
    }
    str_free(&text);
}

/*
 * If the connection is there already, 150 goes out together with what follows; if the client still has
 * to connect, 150 goes out before the wait, for clients that connect only then.
 */
int ftp_open_data(struct ftp *f, const char *opening)
{
    int fd = -1;
    int error;
    bool passive = f->data.mode == DATACHAN_PASSIVE;
    enum datachan_result result = datachan_try(&f->data, &fd);
    bool announced = passive && result == DATACHAN_PENDING;

    if (announced) {
        ftp_reply(f, FTP_DATA_OPENING, opening);
    }
    while (result == DATACHAN_PENDING || result == DATACHAN_INPUT) {
        result = datachan_open(&f->data, &f->io, &fd);
        if (result == DATACHAN_INPUT &&
            ftp_is_aborted(f, NULL, "Waiting for the data connection.")) {
            datachan_reset(&f->data);
            ftp_reply(f, FTP_DATA_BROKEN, "Transfer aborted.");
            f->error = ECANCELED;
            return -1;
        }
    }
    error = errno;
    if (result != DATACHAN_OPEN) {
        reply_not_opened(f, result, error);
    } else if (!announced) {
        ftp_reply(f, FTP_DATA_OPENING, opening);
    }
    return fd;
}

/* The smaller of two limits, of which 0 is none. */
static unsigned smaller_limit(unsigned a, unsigned b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

void ftp_begin_transfer(struct ftp *f, struct xfer *x, int data_fd, int file_fd, bool upload)
{
    const struct tunables *tun = f->tun;
    unsigned chunk = tun->trans_chunk_size;
    unsigned rate = smaller_limit(f->setup->anonymous ? tun->anon_max_rate : tun->local_max_rate,
                                  upload ? tun->upload_max_rate : tun->download_max_rate);

    xfer_init(x, data_fd, file_fd, (int64_t)tun->data_connection_timeout * 1000);
    x->chunk_max = chunk > 0 && chunk < LEAST_CHUNK ? LEAST_CHUNK : chunk;
    x->no_sendfile = !tun->use_sendfile;
    if (f->protect) {
        xfer_protect(x, f->relay_fd, upload);
        x->tls.strict_in = tun->strict_ssl_read_eof;
        x->tls.strict_out = tun->strict_ssl_write_shutdown;
        x->tls.wants_facts = tun->debug_ssl;
    }
    if (rate > 0) {
        rate_set(&f->rate, rate);
        x->rate = &f->rate;
    }
}

bool ftp_converts_ascii(const struct ftp *f, bool encode)
{
    return f->type_ascii && (encode ? f->tun->ascii_download_enable : f->tun->ascii_upload_enable);
}

bool ftp_convert(struct ftp *f, struct xfer *x, bool encode, bool ascii)
{
    const struct codec_plan plan = {
        .encode = encode, .ascii = ascii, .deflate = f->mode_z, .level = f->z_level};

    if ((!ascii && !f->mode_z) || xfer_convert(x, codec_new(&plan))) {
        return true;
    }
    ftp_reply_errno(f, ENOMEM, false);
    return false;
}

void ftp_show_transfer(struct ftp *f, struct xfer *x, const char *path)
{
    struct str absolute = STR_INIT((size_t)2 * FTP_LINE_MAX);
    /* what a codec sends has another length than the file */
    bool has_size = x->size > 0 && x->codec == NULL;

    if (f->setup->live == NULL) {
        return;
    }
    if (path != NULL) {
        ftp_absolute(f, path, &absolute);
    }
    x->shown =
        scoreboard_transfer(f->setup->live, str_text(&absolute), x->started_ms, (uint64_t)x->offset,
                            has_size ? (uint64_t)x->size : SCOREBOARD_UNKNOWN);
    str_free(&absolute);
}

enum xfer_result ftp_run_transfer(struct ftp *f, struct xfer *x,
                                  enum xfer_result (*step)(struct xfer *, struct ctrlio *))
{
    enum xfer_result result;

    do {
        result = step(x, &f->io);
    } while (result == XFER_INPUT && !ftp_is_aborted(f, x, ""));
    return result;
}

void ftp_reply_transfer(struct ftp *f, enum xfer_result result, int error)
{
    switch (result) {
    case XFER_TIMEOUT:
        ftp_reply(f, FTP_DATA_BROKEN, "No progress for too long, transfer given up.");
        break;
    case XFER_NETWORK:
        ftp_reply(f, FTP_DATA_BROKEN, "The data connection broke.");
        break;
    case XFER_FILE:
        if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
            ftp_reply_errno(f, error, true);
        } else {
            ftp_reply(f, FTP_LOCAL_ERROR, "Reading or writing the file failed.");
        }
        break;
    case XFER_BAD_DATA:
        ftp_reply(f, FTP_LOCAL_ERROR, "This is not a zlib stream.");
        break;
    case XFER_CUT:
        ftp_reply(f, FTP_DATA_BROKEN, "The zlib stream has no end.");
        break;
    case XFER_TOO_LARGE:
        ftp_reply_errno(f, EFBIG, true);
        break;
    case XFER_TLS:
        ftp_reply(f, FTP_NOT_PROTECTED, "No TLS on the data connection.");
        break;
    case XFER_NOT_RESUMED:
        ftp_reply(f, FTP_NOT_PROTECTED,
                  "The data connection must resume the TLS session of the control connection.");
        break;
    case XFER_TRUNCATED:
        ftp_reply(f, FTP_DATA_BROKEN, "The data connection ended without the end of TLS.");
        break;
    case XFER_CTRL_GONE:
        f->ended = true;
        break;
    case XFER_PARENT_GONE:
        parent_gone(f);
        break;
    case XFER_INPUT: /* ABOR, which gets a reply of its own: RFC 959 4.1.3 */
        ftp_reply(f, FTP_DATA_BROKEN, "Transfer aborted.");
        break;
    case XFER_DONE:
        bug("success is no failure");
    }
}

/* Why a transfer did not end well, for the log. */
static const char *failure_text(enum xfer_result result, const struct xfer *x)
{
    switch (result) {
    case XFER_TIMEOUT:
        return "no progress for too long";
    case XFER_NETWORK:
        return "the data connection broke";
    case XFER_FILE:
        return strerror(x->error);
    case XFER_BAD_DATA:
        return "not a zlib stream";
    case XFER_CUT:
        return "a zlib stream without its end";
    case XFER_TOO_LARGE:
        return "larger than max_upload_size";
    case XFER_TLS:
        return "no TLS on the data connection";
    case XFER_NOT_RESUMED:
        return "the data connection did not resume the TLS session; for clients that cannot: "
               "require_ssl_reuse=NO";
    case XFER_TRUNCATED:
        return x->tls.upload
                   ? "cut off: TLS was not ended; for clients that never do: strict_ssl_read_eof=NO"
                   : "the client did not confirm the end of TLS; for clients that never do: "
                     "strict_ssl_write_shutdown=NO";
    case XFER_CTRL_GONE:
        return "the client has gone";
    case XFER_PARENT_GONE:
        return "the session parent has gone";
    case XFER_INPUT:
        return "aborted by the client";
    case XFER_DONE:
        break;
    }
    return "";
}

static void log_line(struct ftp *f, enum log_event event, const char *text)
{
    const struct log_record record = {.event = event, .text = text, .text_len = strlen(text)};

    (void)privsock_log(f->setup->priv_fd, &record); /* the next wait notices a dead parent */
}

void ftp_log_tls(struct ftp *f, const struct xfer *x, enum xfer_result result)
{
    struct str line = STR_INIT(512);

    if (x->tls.begun && f->tun->debug_ssl && x->tls.facts[0] != '\0') {
        str_append_format(&line, "data connection: %s%s", x->tls.facts,
                          x->tls.resumed ? ", resumed" : "");
        log_line(f, LOG_EVENT_DEBUG, str_text(&line));
    }
    if (result == XFER_TLS || result == XFER_NOT_RESUMED || result == XFER_TRUNCATED) {
        /* the lines of transfers have no room for it, and there are none for listings */
        log_line(f, LOG_EVENT_WARNING, failure_text(result, x));
    }
    str_free(&line);
}

static void log_transfer(struct ftp *f, enum log_event event, enum xfer_result result,
                         const char *path, const struct xfer *x)
{
    const char *failure = failure_text(result, x);
    struct log_record record = {
        .event = event,
        .ok = result == XFER_DONE,
        .has_bytes = true,
        .detail = failure,
        .detail_len = strlen(failure),
        .bytes = x->bytes,
        .duration_ms = xfer_duration_ms(x),
    };

    ftp_log_record(f, &record, path);
    ftp_log_tls(f, x, result);
}

bool ftp_finish_transfer(struct ftp *f, struct xfer *x, enum xfer_result result,
                         enum log_event event, const char *path, const char *done)
{
    /* a reset says "incomplete"; who asked for ABOR knows it */
    xfer_close(x, result == XFER_DONE || result == XFER_INPUT);
    if (event == LOG_EVENT_UPLOAD && close(x->file_fd) == -1 && result == XFER_DONE) {
        result = XFER_FILE; /* a network file system tells a full disk here */
        x->error = errno;
    }
    if (result == XFER_DONE) {
        ftp_reply(f, FTP_TRANSFER_OK, done);
    } else {
        ftp_reply_transfer(f, result, x->error);
    }
    log_transfer(f, event, result, path, x);
    return result == XFER_DONE;
}
