/*
 * str.h - bounded strings and the reading of numbers
 *
 * Text from outside lives in a struct str, which knows its limit. Appending past the limit (or without
 * memory) leaves the content as it was and marks the string; the consumer asks str_ok() once.
 */
#ifndef MINIFTPD_STR_H
#define MINIFTPD_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.h"

struct str {
    char *buf;    /* NUL-terminated once anything was appended; NULL before */
    size_t len;   /* without the NUL; the content may hold NUL bytes */
    size_t cap;   /* bytes allocated */
    size_t limit; /* longest content in bytes */
    bool failed;  /* an append did not fit */
};

#define STR_INIT(limit_bytes)                                                                      \
    {                                                                                              \
        NULL, 0, 0, (limit_bytes), false                                                           \
    }

/* Make `s` an empty string of at most limit_bytes; nothing is allocated. */
void str_init(struct str *s, size_t limit_bytes);

/* Release the memory; the string is empty and usable again. */
void str_free(struct str *s);

/* Overwrite the content, then str_free(). For secrets. */
void str_wipe(struct str *s);

/* Empty the string and remove the mark; the memory is kept. */
void str_clear(struct str *s);

/* True unless an append failed since the last str_clear(). */
bool str_ok(const struct str *s);

/* The content as a C string, never NULL; valid until the next change. */
const char *str_text(const struct str *s);

void str_append(struct str *s, const char *text);
void str_append_mem(struct str *s, const char *data, size_t len);
void str_append_char(struct str *s, char c);
void str_append_uint(struct str *s, uint64_t value);
void str_append_int(struct str *s, int64_t value);
void str_append_octal(struct str *s, unsigned value, unsigned digits);
void str_append_format(struct str *s, const char *format, ...) PRINTF_LIKE(2, 3);

/* Append `text` with each '"' doubled: RFC 959 appendix II. */
void str_append_quoted(struct str *s, const char *text);

/*
 * Append `text` fit for one line of a log: control bytes, '\' and bytes that are not valid UTF-8 become
 * \xHH, and so do C1 controls and the Unicode marks that change the direction of text. At most
 * max_bytes bytes of `text` are taken; "..." marks a cut.
 */
void str_append_escaped(struct str *s, const char *text, size_t len, size_t max_bytes);

/* Copy a C string into an array of `size` bytes; false, with nothing changed, if it does not fit. */
MUST_CHECK bool str_copy_out(char *to, size_t size, const char *from);

/* Shorten the content to at most len bytes. */
void str_truncate(struct str *s, size_t len);

/*
 * Take the next word of *rest into `word`: bytes other than blanks, or what stands in double quotes,
 * where a doubled quote is one. *rest: behind it.
 * Returns false if there is no word, a quote is not closed, or something follows it at once.
 */
MUST_CHECK bool str_next_word(const char **rest, struct str *word);

/* True if nothing but blanks is in `text`. */
bool str_only_blanks(const char *text);

/* ASCII only: never depends on a locale, safe for bytes over 127. */
bool str_is_digit(char c);
bool str_is_blank(char c);
char str_upper_char(char c);
bool str_equal_nocase(const char *a, const char *b);
void str_upper(char *text);

/*
 * Read an unsigned decimal number: 1 to 20 digits and nothing else, between min and max.
 * Returns false, and leaves *out, on anything else.
 */
MUST_CHECK bool str_to_uint(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/* The same for an octal number of 1 to 11 digits. */
MUST_CHECK bool str_to_octal(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/*
 * Edit distance of two short words, letters compared without case; words over 63 bytes are far from
 * everything (SIZE_MAX). For "did you mean".
 */
size_t str_distance(const char *a, const char *b);

#endif
