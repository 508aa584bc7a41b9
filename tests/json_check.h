/*
 * json_check.h - is this one object of JSON, flat, in one printable line of valid UTF-8?
 *
 * For the tests and the fuzzer of the log. Stricter than RFC 8259: no blanks, no control bytes, no two
 * members of one name.
 */
#ifndef MINIFTPD_TESTS_JSON_CHECK_H
#define MINIFTPD_TESTS_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define JSON_MEMBERS_MAX 32

/* The character at *p, of one to four bytes; false if it is none, or a control character. */
static inline bool json_character(const char **p, const char *end)
{
    const unsigned char *u = (const unsigned char *)*p;
    size_t len = u[0] < 0x80 ? 1 : u[0] < 0xE0 ? 2 : u[0] < 0xF0 ? 3 : 4;
    unsigned code = len == 1 ? u[0] : u[0] & (0x7FU >> len);
    static const unsigned lowest[] = {0, 0x20, 0xA0, 0x800, 0x10000};

    if (u[0] == 0x7F || (u[0] >= 0x80 && u[0] < 0xC2) || u[0] > 0xF4 || (size_t)(end - *p) < len) {
        return false;
    }
    for (size_t i = 1; i < len; i++) {
        if ((u[i] & 0xC0) != 0x80) {
            return false;
        }
        code = code << 6 | (u[i] & 0x3F);
    }
    *p += len;
    return code >= lowest[len] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

/* A string, its quotes included; the only escapes that we write are those of '"' and '\'. */
static inline bool json_string(const char **p, const char *end)
{
    if (*p >= end || *(*p)++ != '"') {
        return false;
    }
    while (*p < end && **p != '"') {
        if (**p == '\\') {
            ++*p;
            if (*p >= end || (**p != '"' && **p != '\\')) {
                return false;
            }
        }
        if (!json_character(p, end)) {
            return false;
        }
    }
    return *p < end && *(*p)++ == '"';
}

static inline bool json_value(const char **p, const char *end)
{
    size_t left = (size_t)(end - *p);

    if (left >= 4 && memcmp(*p, "true", 4) == 0) {
        *p += 4;
        return true;
    }
    if (left >= 5 && memcmp(*p, "false", 5) == 0) {
        *p += 5;
        return true;
    }
    if (left > 0 && **p == '"') {
        return json_string(p, end);
    }
    if (left == 0 || **p < '0' || **p > '9' || (**p == '0' && left > 1 && (*p)[1] == '0')) {
        return false;
    }
    while (*p < end && **p >= '0' && **p <= '9') {
        ++*p;
    }
    return true;
}

static inline bool json_check(const char *text, size_t len)
{
    const char *p = text;
    const char *end = text + len;
    const char *names[JSON_MEMBERS_MAX];
    size_t lengths[JSON_MEMBERS_MAX];
    size_t count = 0;

    if (len < 2 || *p++ != '{') {
        return false;
    }
    do {
        const char *name = p;

        if (count == JSON_MEMBERS_MAX || !json_string(&p, end)) {
            return false;
        }
        names[count] = name;
        lengths[count] = (size_t)(p - name);
        for (size_t i = 0; i < count; i++) {
            if (lengths[i] == lengths[count] && memcmp(names[i], name, lengths[i]) == 0) {
                return false;
            }
        }
        count++;
        if (p >= end || *p++ != ':' || !json_value(&p, end)) {
            return false;
        }
    } while (p < end && *p++ == ',');
    return p == end && end[-1] == '}';
}

#endif
