/*
 * netaddr.h - internet addresses and their spellings in FTP (pure)
 *
 * An IPv4 address mapped into IPv6 (::ffff:a.b.c.d) is always held as IPv4.
 */
#ifndef MINIFTPD_NETADDR_H
#define MINIFTPD_NETADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common.h"

struct str;

struct netaddr {
    sa_family_t family; /* AF_INET, AF_INET6, or AF_UNSPEC for none */
    uint16_t port;      /* host byte order */
    uint8_t bytes[16];  /* network byte order; the first 4 for AF_INET */
    uint32_t scope_id;  /* link-local IPv6 only, else 0 */
};

union netaddr_sockaddr {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_storage storage;
};

/* Longest text of an address with its NUL. */
#define NETADDR_TEXT_MAX INET6_ADDRSTRLEN

/* Returns false for a family other than IPv4 and IPv6. */
bool netaddr_from_sockaddr(struct netaddr *addr, const union netaddr_sockaddr *from);

/* Returns the length of *to. */
socklen_t netaddr_to_sockaddr(const struct netaddr *addr, union netaddr_sockaddr *to);

/* Addresses equal; ports and scopes are not compared. */
bool netaddr_same_host(const struct netaddr *a, const struct netaddr *b);

/* The address as text without the port, into text[NETADDR_TEXT_MAX]. */
void netaddr_text(const struct netaddr *addr, char *text);

/* Parse a numeric address of `family` (AF_UNSPEC: either). The port becomes 0. */
MUST_CHECK bool netaddr_parse(const char *text, sa_family_t family, struct netaddr *out);

/* The argument of PORT, "h1,h2,h3,h4,p1,p2": RFC 959 5.3.2. Returns false if malformed. */
MUST_CHECK bool netaddr_parse_port(const char *text, struct netaddr *out);

enum netaddr_eprt { NETADDR_EPRT_OK, NETADDR_EPRT_SYNTAX, NETADDR_EPRT_FAMILY };

/*
 * The argument of EPRT, "|1|a.b.c.d|port|": RFC 2428 2. NETADDR_EPRT_FAMILY: a protocol number other
 * than that of `family` (reply 522).
 */
MUST_CHECK enum netaddr_eprt netaddr_parse_eprt(const char *text, sa_family_t family,
                                                struct netaddr *out);

/*
 * SECURITY: may the server open a data connection to `target` for the client `peer`? Only to the
 * client itself and to no service (RFC 2577 3), unless `promiscuous`: then to any host and port of the
 * same family, though never to loopback or link-local addresses that the client has not come from,
 * and to none that stand for no host or for many.
 */
MUST_CHECK bool netaddr_is_target(const struct netaddr *target, const struct netaddr *peer,
                                  bool promiscuous);

/* Addresses that begin with the same bits. */
struct netaddr_network {
    struct netaddr addr; /* any address in it */
    unsigned prefix;     /* bits that count: 0 to 32, or to 128 */
};

/* Parse "address/bits" or "address", which is a network of one. Returns false if malformed. */
MUST_CHECK bool netaddr_parse_network(const char *text, struct netaddr_network *out);

/* Is the address in the network? Never if their families differ. */
bool netaddr_in_network(const struct netaddr *addr, const struct netaddr_network *network);

/*
 * Look for a fault in a map of IPv4 networks, "network=address, network=own, ...". Returns where the
 * first entry begins that is malformed, of *len_out bytes, or NULL if there is none.
 */
const char *netaddr_map_fault(const char *map, size_t *len_out);

enum netaddr_mapped { NETADDR_MAP_NONE, NETADDR_MAP_OWN, NETADDR_MAP_ADDRESS };

/*
 * What the first entry that `client` belongs to says; entries that are malformed belong to nobody.
 * *out: with NETADDR_MAP_ADDRESS the IPv4 address, without a port.
 */
enum netaddr_mapped netaddr_map_find(const char *map, const struct netaddr *client,
                                     struct netaddr *out);

/* Append "h1,h2,h3,h4,p1,p2" of an IPv4 address: RFC 959 4.2.1, reply 227. */
void netaddr_append_pasv(struct str *s, const struct netaddr *addr);

#endif
