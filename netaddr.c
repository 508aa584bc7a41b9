/*
 * netaddr.c - internet addresses and their spellings in FTP (pure)
 *
 * Process: all.
 * Trusts:  nothing about the text; it comes from clients and from the configuration.
 * Touches: nothing.
 */
#include "netaddr.h"

#include <arpa/inet.h>
#include <string.h>

#include "str.h"
#include "sysutil.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

/* Fill in an IPv6 address, unmapping IPv4. */
static void set_in6(struct netaddr *addr, const struct in6_addr *in6, uint32_t scope_id)
{
    if (memcmp(in6->s6_addr, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        addr->family = AF_INET;
        memcpy(addr->bytes, in6->s6_addr + sizeof(mapped_prefix), 4);
        return;
    }
    addr->family = AF_INET6;
    memcpy(addr->bytes, in6->s6_addr, 16);
    addr->scope_id = scope_id;
}

bool netaddr_from_sockaddr(struct netaddr *addr, const union netaddr_sockaddr *from)
{
    memset(addr, 0, sizeof(*addr));
    switch (from->sa.sa_family) {
    case AF_INET:
        addr->family = AF_INET;
        addr->port = ntohs(from->in.sin_port);
        memcpy(addr->bytes, &from->in.sin_addr, 4);
        return true;
    case AF_INET6:
        set_in6(addr, &from->in6.sin6_addr, from->in6.sin6_scope_id);
        addr->port = ntohs(from->in6.sin6_port);
        return true;
    default:
        return false;
    }
}

socklen_t netaddr_to_sockaddr(const struct netaddr *addr, union netaddr_sockaddr *to)
{
    memset(to, 0, sizeof(*to));
    to->sa.sa_family = addr->family;
    if (addr->family == AF_INET) {
        to->in.sin_port = htons(addr->port);
        memcpy(&to->in.sin_addr, addr->bytes, 4);
        return sizeof(to->in);
    }
    if (addr->family != AF_INET6) {
        bug("address without a family");
    }
    to->in6.sin6_port = htons(addr->port);
    to->in6.sin6_scope_id = addr->scope_id;
    memcpy(&to->in6.sin6_addr, addr->bytes, 16);
    return sizeof(to->in6);
}

bool netaddr_same_host(const struct netaddr *a, const struct netaddr *b)
{
    return a->family == b->family && a->family != AF_UNSPEC &&
           memcmp(a->bytes, b->bytes, a->family == AF_INET ? 4 : 16) == 0;
}

void netaddr_text(const struct netaddr *addr, char *text)
{
    if (addr->family == AF_UNSPEC ||
        inet_ntop(addr->family, addr->bytes, text, NETADDR_TEXT_MAX) == NULL) {
        text[0] = '?';
        text[1] = '\0';
    }
}

bool netaddr_parse(const char *text, sa_family_t family, struct netaddr *out)
{
    struct in6_addr in6;

    memset(out, 0, sizeof(*out));
    if (family != AF_INET6 && inet_pton(AF_INET, text, out->bytes) == 1) {
        out->family = AF_INET;
        return true;
    }
    if (family != AF_INET && inet_pton(AF_INET6, text, &in6) == 1) {
        set_in6(out, &in6, 0);
        return true;
    }
    return false;
}

bool netaddr_parse_port(const char *text, struct netaddr *out)
{
    uint8_t field[6];
    char digits[4];

    for (size_t i = 0; i < ARRAY_LEN(field); i++) {
        size_t len = strcspn(text, ",");
        uint64_t value;

        if (len == 0 || len >= sizeof(digits) || (text[len] == ',') != (i < 5)) {
            return false;
        }
        memcpy(digits, text, len);
        digits[len] = '\0';
        if (!str_to_uint(digits, 0, 255, &value)) {
            return false;
        }
        field[i] = (uint8_t)value;
        text += len + (i < 5);
    }
    memset(out, 0, sizeof(*out));
    out->family = AF_INET;
    memcpy(out->bytes, field, 4);
    out->port = (uint16_t)(field[4] << 8 | field[5]);
    return true;
}

/* Copy one field up to `delimiter` into field[size]; *text moves behind the delimiter. */
static bool eprt_field(const char **text, char delimiter, char *field, size_t size)
{
    const char *end = strchr(*text, delimiter);
    size_t len;

    if (end == NULL) {
        return false;
    }
    len = (size_t)(end - *text);
    if (len == 0 || len >= size) {
        return false;
    }
    memcpy(field, *text, len);
    field[len] = '\0';
    *text = end + 1;
    return true;
}

enum netaddr_eprt netaddr_parse_eprt(const char *text, sa_family_t family, struct netaddr *out)
{
    char protocol[12], host[NETADDR_TEXT_MAX + 1], port[6];
    char delimiter = text[0];
    uint64_t number;

    if (delimiter < 33 || delimiter > 126 || str_is_digit(delimiter)) {
        return NETADDR_EPRT_SYNTAX;
    }
    text++;
    if (!eprt_field(&text, delimiter, protocol, sizeof(protocol)) ||
        !eprt_field(&text, delimiter, host, sizeof(host)) ||
        !eprt_field(&text, delimiter, port, sizeof(port)) || *text != '\0' ||
        !str_to_uint(protocol, 0, UINT32_MAX, &number)) {
        return NETADDR_EPRT_SYNTAX;
    }
    if (number != (family == AF_INET ? 1 : 2)) {
        return NETADDR_EPRT_FAMILY;
    }
    if (!netaddr_parse(host, family, out) || !str_to_uint(port, 0, UINT16_MAX, &number)) {
        return NETADDR_EPRT_SYNTAX;
    }
    out->port = (uint16_t)number;
    return NETADDR_EPRT_OK;
}

void netaddr_append_pasv(struct str *s, const struct netaddr *addr)
{
    str_append_format(s, "%u,%u,%u,%u,%u,%u", addr->bytes[0], addr->bytes[1], addr->bytes[2],
                      addr->bytes[3], (unsigned)(addr->port >> 8), (unsigned)(addr->port & 0xFF));
}
