/*
 * str.c - bounded strings and the reading of numbers
 *
 * Process: all.
 * Trusts:  nothing about the content; lengths are checked before every copy.
 * Touches: memory of its own only.
 */
#include "str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STR_FIRST_ALLOC 64
#define FORMAT_USUAL    256 /* bytes; what is longer is formatted twice */

void str_init(struct str *s, size_t limit_bytes)
{
    *s = (struct str)STR_INIT(limit_bytes);
}

void str_free(struct str *s)
{
    free(s->buf);
    str_init(s, s->limit);
}

void str_wipe(struct str *s)
{
    if (s->buf != NULL) {
        explicit_bzero(s->buf, s->cap);
    }
    str_free(s);
}

void str_clear(struct str *s)
{
    str_truncate(s, 0);
    s->failed = false;
}

bool str_ok(const struct str *s)
{
    return !s->failed;
}

const char *str_text(const struct str *s)
{
    return s->buf != NULL ? s->buf : "";
}

bool str_next_word(const char **rest, struct str *word)
{
    const char *p = *rest + strspn(*rest, " ");
    bool quoted = *p == '"';

    str_clear(word);
    if (*p == '\0') {
        return false;
    }
    for (p += quoted; *p != '\0' && (quoted || *p != ' '); p++) {
        if (quoted && *p == '"' && *++p != '"') {
            *rest = p;
            return *p == '\0' || *p == ' ';
        }
        str_append_char(word, *p);
    }
    *rest = p;
    return !quoted;
}

bool str_only_blanks(const char *text)
{
    return text[strspn(text, " ")] == '\0';
}

bool str_copy_out(char *to, size_t size, const char *from)
{
    size_t len = strlen(from);

    if (len >= size) {
        return false;
    }
    memcpy(to, from, len + 1);
    return true;
}

void str_truncate(struct str *s, size_t len)
{
    if (len < s->len) {
        s->len = len;
        s->buf[len] = '\0';
    }
}

/* Make room for `more` bytes and a NUL, or mark the string and return false. */
static bool reserve(struct str *s, size_t more)
{
    size_t need, cap;
    char *buf;

    if (s->failed || more > s->limit - s->len) {
        s->failed = true;
        return false;
    }
    need = s->len + more + 1;
    if (need <= s->cap) {
        return true;
    }
    cap = s->cap == 0 ? STR_FIRST_ALLOC : s->cap;
    while (cap < need) {
        cap *= 2;
    }
    if (cap > s->limit + 1) {
        cap = s->limit + 1;
    }
    /* Not realloc: it may leave a copy of a secret behind. */
    buf = malloc(cap);
    if (buf == NULL) {
        s->failed = true;
        return false;
    }
    if (s->buf != NULL) {
        memcpy(buf, s->buf, s->len);
        explicit_bzero(s->buf, s->cap);
        free(s->buf);
    }
    buf[s->len] = '\0';
    s->buf = buf;
    s->cap = cap;
    return true;
}

void str_append_mem(struct str *s, const char *data, size_t len)
{
    if (!reserve(s, len)) {
        return;
    }
    memcpy(s->buf + s->len, data, len);
    s->len += len;
    s->buf[s->len] = '\0';
}

void str_append(struct str *s, const char *text)
{
    str_append_mem(s, text, strlen(text));
}

void str_append_char(struct str *s, char c)
{
    str_append_mem(s, &c, 1);
}

void str_append_uint(struct str *s, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    str_append_mem(s, digits + at, sizeof(digits) - at);
}

void str_append_int(struct str *s, int64_t value)
{
    size_t before = s->len;

    if (value < 0) {
        str_append_char(s, '-');
        str_append_uint(s, (uint64_t)0 - (uint64_t)value);
    } else {
        str_append_uint(s, (uint64_t)value);
    }
    if (s->failed) {
        str_truncate(s, before);
    }
}

void str_append_octal(struct str *s, unsigned value, unsigned digits)
{
    char text[12];
    size_t at = sizeof(text);

    do {
        text[--at] = (char)('0' + (value & 7));
        value >>= 3;
    } while (at > 0 && (value != 0 || sizeof(text) - at < digits));
    str_append_mem(s, text + at, sizeof(text) - at);
}

void str_append_format(struct str *s, const char *format, ...)
{
    char text[FORMAT_USUAL];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof(text)) {
        str_append_mem(s, text, (size_t)len);
        return;
    }
    if (len < 0 || !reserve(s, (size_t)len)) {
        s->failed = true;
        return;
    }
    va_start(args, format);
    (void)vsnprintf(s->buf + s->len, (size_t)len + 1, format, args); /* measured above */
    va_end(args);
    s->len += (size_t)len;
}

void str_append_quoted(struct str *s, const char *text)
{
    size_t before = s->len;

    for (; *text != '\0'; text++) {
        if (*text == '"') {
            str_append_char(s, '"');
        }
        str_append_char(s, *text);
    }
    if (s->failed) {
        str_truncate(s, before);
    }
}

/*
 * Length of the valid UTF-8 sequence of a printable character at p (2 to 4), or 0. Overlong forms,
 * surrogates, C1 controls (U+0080 to U+009F) and bidirectional marks count as not printable.
 */
static size_t utf8_printable(const unsigned char *p, size_t left)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    uint32_t code;

    if (p[0] < 0xC2 || p[0] > 0xF4 || left < len) {
        return 0;
    }
    code = p[0] & (0x7FU >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
        code = code << 6 | (p[i] & 0x3F);
    }
    if (code < lowest[len] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        return 0;
    }
    if (code < 0xA0 || code == 0x061C || (code >= 0x200B && code <= 0x200F) ||
        (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
        code == 0xFEFF) {
        return 0;
    }
    return len;
}

void str_append_escaped(struct str *s, const char *text, size_t len, size_t max_bytes)
{
    static const char hex[] = "0123456789ABCDEF";
    const unsigned char *p = (const unsigned char *)text;
    size_t before = s->len;
    size_t take = len < max_bytes ? len : max_bytes;

    for (size_t i = 0; i < take;) {
        size_t n = p[i] >= 0x80 ? utf8_printable(p + i, take - i)
                                : (size_t)(p[i] >= 0x20 && p[i] != 0x7F && p[i] != '\\');
        if (n > 0) {
            str_append_mem(s, text + i, n);
            i += n;
        } else {
            char escaped[4] = {'\\', 'x', hex[p[i] >> 4], hex[p[i] & 15]};
            str_append_mem(s, escaped, sizeof(escaped));
            i++;
        }
    }
    if (take < len) {
        str_append(s, "...");
    }
    if (s->failed) {
        str_truncate(s, before);
    }
}

bool str_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool str_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

char str_upper_char(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool str_equal_nocase(const char *a, const char *b)
{
    while (*a != '\0' && str_upper_char(*a) == str_upper_char(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

void str_upper(char *text)
{
    for (; *text != '\0'; text++) {
        *text = str_upper_char(*text);
    }
}

static bool to_number(const char *text, unsigned base, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)(unsigned char)*text - '0';

        if (digit >= base || value > (UINT64_MAX - digit) / base) {
            return false;
        }
        value = value * base + digit;
    }
    if (value < min || value > max) {
        return false;
    }
    *out = value;
    return true;
}

bool str_to_uint(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    return strnlen(text, 21) <= 20 && to_number(text, 10, min, max, out);
}

bool str_to_octal(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    return strnlen(text, 12) <= 11 && to_number(text, 8, min, max, out);
}

size_t str_distance(const char *a, const char *b)
{
    size_t row[64];
    size_t len_a = strlen(a);
    size_t len_b = strlen(b);

    if (len_a >= ARRAY_LEN(row) || len_b >= ARRAY_LEN(row)) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= len_b; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= len_a; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= len_b; j++) {
            size_t change = diagonal + (str_upper_char(a[i - 1]) != str_upper_char(b[j - 1]));
            size_t insert = row[j - 1] + 1;
            size_t best = row[j] + 1;

            diagonal = row[j];
            best = insert < best ? insert : best;
            row[j] = change < best ? change : best;
        }
    }
    return row[len_b];
}
