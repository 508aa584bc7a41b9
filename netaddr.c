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

#define LOWEST_DATA_PORT 1024 /* RFC 2577 3 */
#define MAPPED_BITS      96   /* of ::ffff:0:0/96 */
#define NETWORK_TEXT_MAX (NETADDR_TEXT_MAX + 4)
#define MAP_ENTRY_MAX    (2 * NETWORK_TEXT_MAX)

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

/* As inet_ntop(3), which goes through printf: each session does it, and much would be paged in for that. */
static void ipv4_text(const uint8_t *bytes, char *text)
{
    for (int i = 0; i < 4; i++) {
        unsigned value = bytes[i];

        if (i > 0) {
            *text++ = '.';
        }
        if (value >= 100) {
            *text++ = (char)('0' + value / 100);
        }
        if (value >= 10) {
            *text++ = (char)('0' + value / 10 % 10);
        }
        *text++ = (char)('0' + value % 10);
    }
    *text = '\0';
}

void netaddr_text(const struct netaddr *addr, char *text)
{
    if (addr->family == AF_INET) {
        ipv4_text(addr->bytes, text);
    } else if (addr->family == AF_UNSPEC ||
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

/* ---- networks ---- */

bool netaddr_parse_network(const char *text, struct netaddr_network *out)
{
    size_t len = strcspn(text, "/");
    char host[NETADDR_TEXT_MAX];
    unsigned bits, skipped;
    uint64_t prefix;

    if (len >= sizeof(host)) {
        return false;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    if (!netaddr_parse(host, AF_UNSPEC, &out->addr)) {
        return false;
    }
    bits = strchr(host, ':') != NULL ? 128 : 32;
    skipped = out->addr.family == AF_INET && bits == 128 ? MAPPED_BITS : 0;
    prefix = bits;
    if (text[len] == '/' && !str_to_uint(text + len + 1, skipped, bits, &prefix)) {
        return false;
    }
    out->prefix = (unsigned)prefix - skipped;
    return true;
}

bool netaddr_in_network(const struct netaddr *addr, const struct netaddr_network *network)
{
    unsigned whole = network->prefix / 8, rest = network->prefix % 8;
    unsigned mask = 0xFF00U >> rest & 0xFF;

    return addr->family == network->addr.family &&
           memcmp(addr->bytes, network->addr.bytes, whole) == 0 &&
           (rest == 0 || ((addr->bytes[whole] ^ network->addr.bytes[whole]) & mask) == 0);
}

/* What an address can mean beyond one host somewhere. */
enum kind { KIND_HOST, KIND_LOOPBACK, KIND_LINK_LOCAL, KIND_NO_HOST };

static enum kind kind_of(const struct netaddr *addr)
{
    /* clang-format off */
    static const struct {
        struct netaddr_network network;
        enum kind kind;
    } special[] = {
        {{{.family = AF_INET, .bytes = {0}}, 8}, KIND_NO_HOST},
        {{{.family = AF_INET, .bytes = {127}}, 8}, KIND_LOOPBACK},
        {{{.family = AF_INET, .bytes = {169, 254}}, 16}, KIND_LINK_LOCAL},
        {{{.family = AF_INET, .bytes = {224}}, 3}, KIND_NO_HOST}, /* multicast, reserved, broadcast */
        {{{.family = AF_INET6, .bytes = {[15] = 1}}, 128}, KIND_LOOPBACK},
        {{{.family = AF_INET6, .bytes = {0}}, 80}, KIND_NO_HOST}, /* ::, and IPv4 in disguise */
        {{{.family = AF_INET6, .bytes = {0xFE, 0x80}}, 10}, KIND_LINK_LOCAL},
        {{{.family = AF_INET6, .bytes = {0xFF}}, 8}, KIND_NO_HOST}, /* multicast */
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(special); i++) {
        if (netaddr_in_network(addr, &special[i].network)) {
            return special[i].kind;
        }
    }
    return KIND_HOST;
}

bool netaddr_is_target(const struct netaddr *target, const struct netaddr *peer, bool promiscuous)
{
    enum kind kind = kind_of(target);

    if (!promiscuous) {
        return netaddr_same_host(target, peer) && target->port >= LOWEST_DATA_PORT;
    }
    return target->port != 0 && target->family == peer->family && kind != KIND_NO_HOST &&
           (kind == KIND_HOST || kind == kind_of(peer));
}

/* ---- maps of networks ---- */

struct mapping {
    struct netaddr_network network;
    bool own;
    struct netaddr addr; /* unless own */
};

/* The next entry, without the blanks around it; *map moves behind it. False at the end. */
static bool next_entry(const char **map, const char **entry, size_t *len)
{
    if (*map == NULL) {
        return false;
    }
    *entry = *map;
    *len = strcspn(*map, ",");
    *map = (*entry)[*len] == ',' ? *entry + *len + 1 : NULL;
    while (*len > 0 && str_is_blank(**entry)) {
        (*entry)++;
        (*len)--;
    }
    while (*len > 0 && str_is_blank((*entry)[*len - 1])) {
        (*len)--;
    }
    return true;
}

static bool parse_mapping(const char *entry, size_t len, struct mapping *out)
{
    char text[MAP_ENTRY_MAX];
    char *value;

    if (len >= sizeof(text)) {
        return false;
    }
    memcpy(text, entry, len);
    text[len] = '\0';
    value = strchr(text, '=');
    if (value == NULL) {
        return false;
    }
    *value++ = '\0';
    out->own = str_equal_nocase(value, "own");
    return netaddr_parse_network(text, &out->network) && out->network.addr.family == AF_INET &&
           (out->own || netaddr_parse(value, AF_INET, &out->addr));
}

const char *netaddr_map_fault(const char *map, size_t *len_out)
{
    struct mapping mapping;
    const char *entry;

    while (next_entry(&map, &entry, len_out)) {
        if (!parse_mapping(entry, *len_out, &mapping)) {
            return entry;
        }
    }
    return NULL;
}

enum netaddr_mapped netaddr_map_find(const char *map, const struct netaddr *client,
                                     struct netaddr *out)
{
    struct mapping mapping;
    const char *entry;
    size_t len;

    while (next_entry(&map, &entry, &len)) {
        if (parse_mapping(entry, len, &mapping) && netaddr_in_network(client, &mapping.network)) {
            if (mapping.own) {
                return NETADDR_MAP_OWN;
            }
            *out = mapping.addr;
            return NETADDR_MAP_ADDRESS;
        }
    }
    return NETADDR_MAP_NONE;
}

/* ---- replies ---- */

void netaddr_append_pasv(struct str *s, const struct netaddr *addr)
{
    for (int i = 0; i < 4; i++) {
        str_append_uint(s, addr->bytes[i]);
        str_append_char(s, ',');
    }
    str_append_uint(s, addr->port >> 8);
    str_append_char(s, ',');
    str_append_uint(s, addr->port & 0xFF);
}
