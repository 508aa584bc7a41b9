/*
 * ftpcmd_hash.c - checksums: HASH, MD5, XCRC, XMD5, XSHA1, XSHA256, XSHA512
 *
 * Process: S.
 * Trusts:  the kernel's checks, made with the user's rights inside the user's root.
 * Touches: files of the user, to read them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ftpproto.h"
#include "str.h"
#include "sysutil.h"

#define CHUNK (256 * 1024)

/* A file and the part of it that is asked for. */
struct part {
    int fd;
    off_t start, end; /* `end` is the byte behind it */
};

/* Read the part. Returns true with the checksum; else the reply was sent. */
static bool compute(struct ftp *f, const struct part *part, enum digest_kind kind, char *hex)
{
    struct digest *digest = digest_new(kind);
    char *buffer = malloc(CHUNK);
    struct ftp_work work;
    off_t at = part->start;
    ssize_t n = 1;
    bool good = digest != NULL && buffer != NULL;
    bool replied = false;

    errno = ENOMEM;
    ftp_work_begin(f, &work, "Computing a checksum.");
    while (good && at < part->end) {
        off_t left = part->end - at;

        n = pread(part->fd, buffer, left < CHUNK ? (size_t)left : CHUNK, at);
        if (n <= 0) {
            errno = n == 0 ? EIO : errno; /* it got shorter */
            good = false;
            break;
        }
        digest_add(digest, buffer, (size_t)n);
        at += n;
        replied = !ftp_work_goes_on(f, &work);
        good = !replied;
    }
    if (good) {
        digest_end(digest, hex);
    } else {
        int saved_errno = errno;

        digest_free(digest);
        if (!replied) {
            ftp_reply_errno(f, saved_errno, false);
        }
    }
    free(buffer);
    return good;
}

/* Open a file. Replies on failure; a directory has a reply of its own. */
static bool open_part(struct ftp *f, const char *path, struct part *part)
{
    struct stat st;

    part->start = 0;
    part->fd = -1;
    if (!ftp_may_fetch(f, path)) { /* the checksums of all its bytes, one by one, are the file */
        return false;
    }
    part->fd = ftp_open_to_read(f, path, &st);
    if (part->fd == -1) {
        int saved_errno = errno;

        if (saved_errno == EISDIR && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            ftp_reply(f, FTP_BAD_NAME, "A directory has no checksum.");
        } else {
            ftp_reply_errno(f, saved_errno, false);
        }
        return false;
    }
    part->end = st.st_size;
    return true;
}

/* Let REST and RANG choose the part. Replies if they do not fit. */
static bool apply_mark(struct ftp *f, struct part *part)
{
    if (f->restart > part->end) {
        ftp_reply(f, FTP_BAD_RESTART, "The restart mark is behind the end of the file.");
        return false;
    }
    part->start = f->restart;
    if (f->has_end && f->end < part->end) {
        part->end = f->end;
    }
    return true;
}

/* draft-bryan-ftpext-hash */
void cmd_hash(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(FTP_LINE_MAX + 256);
    char hex[DIGEST_HEX_MAX];
    struct part part;

    if (!open_part(f, argument, &part)) {
        return;
    }
    if (apply_mark(f, &part) && compute(f, &part, f->hash, hex)) {
        str_append(&line, digest_name(f->hash));
        str_append_char(&line, ' ');
        str_append_uint(&line, (uint64_t)part.start);
        str_append_char(&line, '-');
        str_append_uint(&line, (uint64_t)part.end);
        str_append_format(&line, " %s ", hex);
        str_append(&line, argument);
        ftp_reply(f, FTP_FILE_STATUS, str_text(&line));
    }
    sysutil_close(&part.fd);
    str_free(&line);
}

/* draft-twine-ftpmd5 */
void cmd_md5(struct ftp *f, const char *argument)
{
    struct str line = STR_INIT(FTP_LINE_MAX + 256);
    char hex[DIGEST_HEX_MAX];
    struct part part;

    if (!open_part(f, argument, &part)) {
        return;
    }
    if (compute(f, &part, DIGEST_MD5, hex)) {
        str_append(&line, argument);
        str_append_format(&line, " %s", hex);
        ftp_reply(f, FTP_CHECKSUM, str_text(&line));
    }
    sysutil_close(&part.fd);
    str_free(&line);
}

/* A number at the end of `text`, with the blank before it, cut off. */
static bool cut_number(char *text, uint64_t *number)
{
    char *blank = strrchr(text, ' ');

    if (blank == NULL || blank == text || !str_to_uint(blank + 1, 0, INT64_MAX, number)) {
        return false;
    }
    *blank = '\0';
    return true;
}

/* What the X commands are about; the numbers may be missing. */
struct request {
    struct str path;
    size_t count;
    uint64_t numbers[2]; /* start, and the byte behind the end */
};

/* "<path>" in quotes, and numbers behind it. */
static bool parse_quoted(const char *argument, struct request *request)
{
    struct str word = STR_INIT(FTP_LINE_MAX);
    bool good = str_next_word(&argument, &request->path);

    while (good && request->count < ARRAY_LEN(request->numbers) &&
           str_next_word(&argument, &word)) {
        good = str_to_uint(str_text(&word), 0, INT64_MAX, &request->numbers[request->count++]);
    }
    str_free(&word);
    return good && str_only_blanks(argument);
}

/* A path without quotes: what looks like numbers at its end is numbers, unless such a file exists. */
static bool parse_plain(const char *argument, struct request *request)
{
    struct stat st;
    uint64_t number;

    str_append(&request->path, argument);
    if (stat(argument, &st) == 0) {
        return true;
    }
    while (request->count < ARRAY_LEN(request->numbers) && cut_number(request->path.buf, &number)) {
        request->numbers[1] = request->numbers[0]; /* they come from behind */
        request->numbers[0] = number;
        request->count++;
    }
    return true;
}

/* "<path> [<start> [<end>]]", the path in quotes or not. Replies if it is neither. */
static bool parse_request(struct ftp *f, const char *argument, struct request *request)
{
    struct stat st;
    bool quoted = argument[0] == '"' && stat(argument, &st) == -1;

    if (quoted ? parse_quoted(argument, request) : parse_plain(argument, request)) {
        return true;
    }
    ftp_reply(f, FTP_BAD_ARGUMENT, "A name, in quotes or not, and two offsets are wanted.");
    return false;
}

static bool apply_request(struct ftp *f, const struct request *request, struct part *part)
{
    uint64_t size = (uint64_t)part->end;
    uint64_t start = request->count > 0 ? request->numbers[0] : 0;
    uint64_t end = request->count > 1 && request->numbers[1] < size ? request->numbers[1] : size;

    if (request->count == 0) {
        return apply_mark(f, part);
    }
    if (start > size || start > end) {
        ftp_reply(f, FTP_BAD_ARGUMENT, "There is no such part of the file.");
        return false;
    }
    part->start = (off_t)start;
    part->end = (off_t)end;
    return true;
}

/* The X commands, which differ in the algorithm only. */
static void checksum(struct ftp *f, const char *argument, enum digest_kind kind)
{
    struct request request = {.path = STR_INIT(FTP_LINE_MAX)};
    struct str expanded = STR_INIT((size_t)2 * FTP_LINE_MAX);
    char hex[DIGEST_HEX_MAX];
    struct part part = {.fd = -1};
    const char *path = NULL;

    if (parse_request(f, argument, &request)) {
        path = ftp_take_path(f, str_text(&request.path), &expanded);
    }
    if (path != NULL && open_part(f, path, &part) && apply_request(f, &request, &part) &&
        compute(f, &part, kind, hex)) {
        ftp_reply(f, FTP_FILE_OK, hex);
    }
    sysutil_close(&part.fd);
    str_free(&expanded);
    str_free(&request.path);
}

void cmd_xcrc(struct ftp *f, const char *argument)
{
    checksum(f, argument, DIGEST_CRC32);
}

void cmd_xmd5(struct ftp *f, const char *argument)
{
    checksum(f, argument, DIGEST_MD5);
}

void cmd_xsha1(struct ftp *f, const char *argument)
{
    checksum(f, argument, DIGEST_SHA1);
}

void cmd_xsha256(struct ftp *f, const char *argument)
{
    checksum(f, argument, DIGEST_SHA256);
}

void cmd_xsha512(struct ftp *f, const char *argument)
{
    checksum(f, argument, DIGEST_SHA512);
}
