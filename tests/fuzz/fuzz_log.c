/*
 * fuzz_log.c - fuzz the lines of the log: a user, a NUL, a text
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 *
 * A line has no control byte, and what stands between the last quotes has no quote.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void check_line(const struct log_who *who, const struct log_record *record)
{
    static const char before[] = "Client \"192.0.2.7\", \"";
    struct str line = STR_INIT(100000);
    const char *text;

    log_format(who, record, &line);
    require(str_ok(&line));
    for (size_t i = 0; i < line.len; i++) {
        require((unsigned char)line.buf[i] >= 0x20 && line.buf[i] != 0x7F);
    }
    if (record->text_len > 0 && !record->has_bytes && who->user[0] == '\0') {
        text = strstr(str_text(&line), before);
        require(text != NULL);
        require(strchr(text + strlen(before), '"') == str_text(&line) + line.len - 1);
    }
    str_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
    struct log_record record = {.event = LOG_EVENT_RENAME, .ok = true};
    struct log_who who = {.pid = 7, .user = "", .peer = "192.0.2.7"};

    if (nul == NULL) {
        return 0;
    }
    record.text = (const char *)nul + 1;
    record.text_len = size - (size_t)(nul - data) - 1;
    check_line(&who, &record);
    who.user = (const char *)data;
    record.has_bytes = true;
    record.bytes = size * 1000003;
    record.duration_ms = (uint32_t)size;
    check_line(&who, &record);
    return 0;
}
