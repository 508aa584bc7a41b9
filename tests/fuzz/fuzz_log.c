/*
 * fuzz_log.c - fuzz the lines of all logs: a user, a NUL, a text, a NUL, a detail
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 *
 * In every format a record is one printable line, and the fields are where they belong: what stands
 * between the last quotes of the native line has no quote, xferlog has its number of fields, JSON is
 * JSON. No password is left in a line of the dialogue.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ftplog.h"
#include "logline.h"
#include "str.h"
#include "tests/json_check.h"

#define XFERLOG_BLANKS 17 /* "Thu Oct 12 18:37:41 2025" has four */
#define MOMENT         1760294261

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void check_printable(const struct str *line)
{
    require(str_ok(line));
    for (size_t i = 0; i < line->len; i++) {
        require((unsigned char)line->buf[i] >= 0x20 && line->buf[i] != 0x7F);
    }
}

static void check_native(const struct log_who *who, const struct log_record *record)
{
    static const char before[] = "Client \"192.0.2.7\", \"";
    struct str line = STR_INIT(LOGLINE_MAX);
    const char *text;

    logline_native(who, record, &line);
    check_printable(&line);
    if (record->text_len > 0 && record->event == LOG_EVENT_RENAME && who->user[0] == '\0') {
        text = strstr(str_text(&line), before);
        require(text != NULL);
        require(strchr(text + strlen(before), '"') == str_text(&line) + line.len - 1);
    }
    str_free(&line);
}

static void check_xferlog(const struct log_who *who, const struct log_record *record)
{
    struct str line = STR_INIT(LOGLINE_MAX);
    size_t blanks = 0;

    logline_xferlog(who, record, MOMENT, &line);
    check_printable(&line);
    for (size_t i = 0; i < line.len; i++) {
        blanks += line.buf[i] == ' ';
    }
    require(blanks == XFERLOG_BLANKS);
    str_free(&line);
}

static void check_json(const struct log_who *who, const struct log_record *record)
{
    const struct timespec when = {.tv_sec = MOMENT};
    struct str line = STR_INIT(LOGLINE_MAX);

    logline_json(who, record, &when, &line);
    check_printable(&line);
    require(json_check(str_text(&line), line.len));
    str_free(&line);
}

/* `secret` behind PASS, and as a line of its own where a password is expected. */
static void check_mask(const char *secret)
{
    static const char pass[] = " \tpAsS ";
    struct str line = STR_INIT(100000), shown = STR_INIT(100000);

    str_append(&line, pass);
    str_append(&line, secret);
    ftplog_mask(str_text(&line), false, &shown);
    require(strcmp(str_text(&shown), "PASS <password>") == 0);
    str_clear(&shown);
    ftplog_mask(secret, true, &shown);
    require(str_ok(&shown));
    str_free(&line);
    str_free(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text, *detail, *end = (const char *)data + size;
    struct log_record record = {.ok = true};
    struct log_who who = {.pid = 7, .user = "", .peer = "192.0.2.7"};

    text = size > 0 ? memchr(data, '\0', size) : NULL;
    if (text == NULL) {
        return 0;
    }
    record.text = ++text;
    detail = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;
    record.text_len = (size_t)((detail != NULL ? detail : end) - text);
    if (detail != NULL) {
        record.detail = detail + 1;
        record.detail_len = (size_t)(end - record.detail);
    }
    record.event = (enum log_event)(size % LOG_EVENT_COUNT);
    check_native(&who, &record);
    who.user = who.session = who.anon_password = (const char *)data;
    who.access = LOG_ACCESS_ANONYMOUS;
    record.has_bytes = true;
    record.bytes = size * 1000003;
    record.duration_ms = (uint32_t)size;
    record.error = (int)size;
    record.is_anon_password = record.event == LOG_EVENT_LOGIN && size % 2 == 0;
    check_native(&who, &record);
    check_json(&who, &record);
    check_xferlog(&who, &record);
    check_mask((const char *)data);
    return 0;
}
