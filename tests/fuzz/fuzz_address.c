/*
 * fuzz_address.c - fuzz the arguments of PORT and EPRT, and what a configuration says of addresses
 *
 * Process: a libFuzzer program.
 * Trusts:  nothing.
 * Touches: nothing.
 *
 * What was understood is written out and read again, and must be the same then.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netaddr.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void try_port(const char *text)
{
    struct str s = STR_INIT(100);
    struct netaddr addr, again;

    if (netaddr_parse_port(text, &addr)) {
        require(addr.family == AF_INET);
        netaddr_append_pasv(&s, &addr);
        require(netaddr_parse_port(str_text(&s), &again));
        require(memcmp(&addr, &again, sizeof(addr)) == 0);
    }
    str_free(&s);
}

static void try_eprt(const char *text, sa_family_t family)
{
    struct str s = STR_INIT(100);
    char host[NETADDR_TEXT_MAX];
    struct netaddr addr, again;

    if (netaddr_parse_eprt(text, family, &addr) == NETADDR_EPRT_OK) {
        require(addr.family == family || (family == AF_INET6 && addr.family == AF_INET));
        netaddr_text(&addr, host);
        str_append_format(&s, "|%d|%s|%u|", addr.family == AF_INET ? 1 : 2, host, addr.port);
        require(netaddr_parse_eprt(str_text(&s), addr.family, &again) == NETADDR_EPRT_OK);
        require(memcmp(&addr, &again, sizeof(addr)) == 0);
    }
    str_free(&s);
}

static void try_address(const char *text)
{
    union netaddr_sockaddr sa;
    struct netaddr addr, again;

    if (netaddr_parse(text, AF_UNSPEC, &addr)) {
        (void)netaddr_to_sockaddr(&addr, &sa); /* the length is known */
        require(netaddr_from_sockaddr(&again, &sa));
        require(netaddr_same_host(&addr, &again));
    }
}

static void try_network(const char *text)
{
    struct str s = STR_INIT(100);
    char host[NETADDR_TEXT_MAX];
    struct netaddr_network network, again;

    if (netaddr_parse_network(text, &network)) {
        require(network.prefix <= (network.addr.family == AF_INET ? 32 : 128));
        require(netaddr_in_network(&network.addr, &network));
        netaddr_text(&network.addr, host);
        str_append_format(&s, "%s/%u", host, network.prefix);
        require(netaddr_parse_network(str_text(&s), &again));
        require(network.prefix == again.prefix && netaddr_in_network(&again.addr, &network));
    }
    str_free(&s);
}

/* A fault lies inside the text; a map without one has only IPv4 to say. */
static void try_map(const char *text)
{
    struct netaddr client, out = {.family = AF_UNSPEC};
    size_t len;
    const char *fault = netaddr_map_fault(text, &len);

    require(netaddr_parse("10.1.2.3", AF_INET, &client));
    if (fault != NULL) {
        require(fault >= text && fault + len <= text + strlen(text));
    }
    if (netaddr_map_find(text, &client, &out) == NETADDR_MAP_ADDRESS) {
        require(out.family == AF_INET);
    }
}

/* What a strict server connects to, a promiscuous one does, unless it is nobody's address. */
static void try_target(const char *text)
{
    struct netaddr target, peer = {.family = AF_INET, .bytes = {10, 1, 2, 3}};

    if (netaddr_parse_port(text, &target)) {
        bool strict = netaddr_is_target(&target, &peer, false);

        require(!strict || netaddr_same_host(&target, &peer));
        require(!strict || netaddr_is_target(&target, &peer, true));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    require(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    try_port(text);
    try_eprt(text, AF_INET);
    try_eprt(text, AF_INET6);
    try_address(text);
    try_network(text);
    try_map(text);
    try_target(text);
    free(text);
    return 0;
}
