/*
 * test_netaddr.c - internet addresses and their spellings in FTP
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: nothing.
 */
#include <arpa/inet.h>
#include <string.h>

#include "netaddr.h"
#include "str.h"
#include "unit.h"

struct port_row {
    const char *name;
    const char *text;
    const char *host; /* NULL: refused */
    unsigned port;
};

/* clang-format off */
static const struct port_row port_rows[] = {
    { "port_reads_address_and_port", "192,0,2,7,4,1", "192.0.2.7", 1025 },
    { "port_reads_the_largest_fields", "255,255,255,255,255,255", "255.255.255.255", 65535 },
    { "port_reads_zeros", "0,0,0,0,0,0", "0.0.0.0", 0 },
    { "port_reads_leading_zeros_as_decimal", "010,001,002,003,004,010", "10.1.2.3", 1034 },
    { "port_keeps_the_order_of_its_bytes", "1,2,3,4,0,21", "1.2.3.4", 21 },
    { "port_refuses_fields_over_255", "256,0,2,7,4,1", NULL, 0 },
    { "port_refuses_ports_over_255", "192,0,2,7,4,256", NULL, 0 },
    { "port_refuses_fields_that_wrap", "4294967296,0,2,7,4,1", NULL, 0 },
    { "port_refuses_four_digits", "0001,0,2,7,4,1", NULL, 0 },
    { "port_refuses_five_fields", "192,0,2,7,4", NULL, 0 },
    { "port_refuses_seven_fields", "192,0,2,7,4,1,1", NULL, 0 },
    { "port_refuses_a_comma_behind", "192,0,2,7,4,1,", NULL, 0 },
    { "port_refuses_a_comma_in_front", ",192,0,2,7,4,1", NULL, 0 },
    { "port_refuses_an_empty_field", "192,,2,7,4,1", NULL, 0 },
    { "port_refuses_an_empty_last_field", "192,0,2,7,4,", NULL, 0 },
    { "port_refuses_nothing", "", NULL, 0 },
    { "port_refuses_commas_alone", ",,,,,", NULL, 0 },
    { "port_refuses_blanks_inside", "192, 0,2,7,4,1", NULL, 0 },
    { "port_refuses_a_blank_behind", "192,0,2,7,4,1 ", NULL, 0 },
    { "port_refuses_a_blank_in_front", " 192,0,2,7,4,1", NULL, 0 },
    { "port_refuses_minus", "192,0,2,7,4,-1", NULL, 0 },
    { "port_refuses_plus", "192,0,2,7,+4,1", NULL, 0 },
    { "port_refuses_hex", "0xC,0,2,7,4,1", NULL, 0 },
    { "port_refuses_dots", "192.0.2.7,4,1", NULL, 0 },
    { "port_refuses_letters", "a,b,c,d,e,f", NULL, 0 },
    { "port_refuses_bytes_over_127", "\xB2,0,2,7,4,1", NULL, 0 },
    { "port_refuses_text_behind", "192,0,2,7,4,1x", NULL, 0 },
};
/* clang-format on */

static void assert_host(const struct netaddr *addr, const char *host)
{
    char text[NETADDR_TEXT_MAX];

    netaddr_text(addr, text);
    assert_string_equal(text, host);
}

static void check_port(void **state)
{
    const struct port_row *row = *state;
    struct netaddr addr;

    assert_int_equal(netaddr_parse_port(row->text, &addr), row->host != NULL);
    if (row->host != NULL) {
        assert_int_equal(addr.family, AF_INET);
        assert_host(&addr, row->host);
        assert_int_equal(addr.port, row->port);
    }
}

struct eprt_row {
    const char *name;
    const char *text;
    sa_family_t family;
    enum netaddr_eprt result;
    const char *host;
    unsigned port;
};

#define V6_MAX "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"

/* clang-format off */
static const struct eprt_row eprt_rows[] = {
    { "eprt_reads_ipv4", "|1|192.0.2.7|6275|", AF_INET, NETADDR_EPRT_OK, "192.0.2.7", 6275 },
    { "eprt_reads_ipv6", "|2|2001:db8::7|65535|", AF_INET6, NETADDR_EPRT_OK, "2001:db8::7", 65535 },
    { "eprt_reads_other_delimiters", "!1!192.0.2.7!1024!", AF_INET, NETADDR_EPRT_OK, "192.0.2.7", 1024 },
    { "eprt_reads_the_longest_address", "|2|" V6_MAX "|1|", AF_INET6, NETADDR_EPRT_OK,
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1 },
    { "eprt_takes_a_mapped_address_for_ipv4", "|2|::ffff:192.0.2.7|1024|", AF_INET6, NETADDR_EPRT_OK,
      "192.0.2.7", 1024 },
    { "eprt_reads_port_0", "|1|192.0.2.7|0|", AF_INET, NETADDR_EPRT_OK, "192.0.2.7", 0 },
    { "eprt_names_the_wrong_family_for_ipv4", "|2|2001:db8::7|1024|", AF_INET, NETADDR_EPRT_FAMILY, NULL, 0 },
    { "eprt_names_the_wrong_family_for_ipv6", "|1|192.0.2.7|1024|", AF_INET6, NETADDR_EPRT_FAMILY, NULL, 0 },
    { "eprt_names_an_unknown_family", "|3|192.0.2.7|1024|", AF_INET, NETADDR_EPRT_FAMILY, NULL, 0 },
    { "eprt_refuses_a_family_that_wraps", "|4294967297|192.0.2.7|1024|", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_ipv6_text_as_ipv4", "|1|2001:db8::7|1024|", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_ipv4_text_as_ipv6", "|2|192.0.2.7|1024|", AF_INET6, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_ports_over_65535", "|1|192.0.2.7|65536|", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_long_ports", "|1|192.0.2.7|001024|", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_a_missing_end", "|1|192.0.2.7|1024", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_text_behind", "|1|192.0.2.7|1024|x", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_a_field_too_many", "|1|192.0.2.7|1024|1|", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_an_empty_family", "||192.0.2.7|1024|", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_an_empty_address", "|1||1024|", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_an_empty_port", "|1|192.0.2.7||", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_nothing", "", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_the_delimiter_alone", "|", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_delimiters_alone", "||||", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_a_digit_as_delimiter", "11192.0.2.711024", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_a_blank_as_delimiter", " 1 192.0.2.7 1024 ", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_a_delimiter_over_126", "\xFF" "1\xFF" "192.0.2.7\xFF" "1024\xFF", AF_INET,
      NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_two_delimiters", "|1!192.0.2.7|1024|", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_a_host_name", "|1|localhost|1024|", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_short_ipv4", "|1|127.1|1024|", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_a_number_as_address", "|1|2130706433|1024|", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_a_scope", "|2|fe80::1%lo|1024|", AF_INET6, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_an_address_too_long", "|2|0" V6_MAX "0|1|", AF_INET6, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_minus", "|1|192.0.2.7|-1|", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
    { "eprt_refuses_blanks", "|1| 192.0.2.7|1024|", AF_INET, NETADDR_EPRT_SYNTAX, NULL, 0 },
};
/* clang-format on */

static void check_eprt(void **state)
{
    const struct eprt_row *row = *state;
    struct netaddr addr;

    assert_int_equal(netaddr_parse_eprt(row->text, row->family, &addr), row->result);
    if (row->result == NETADDR_EPRT_OK) {
        assert_host(&addr, row->host);
        assert_int_equal(addr.port, row->port);
    }
}

struct parse_row {
    const char *name;
    const char *text;
    sa_family_t wanted, got; /* AF_UNSPEC: refused */
};

/* clang-format off */
static const struct parse_row parse_rows[] = {
    { "parse_takes_ipv4_for_either", "192.0.2.7", AF_UNSPEC, AF_INET },
    { "parse_takes_ipv6_for_either", "2001:db8::7", AF_UNSPEC, AF_INET6 },
    { "parse_takes_ipv4", "0.0.0.0", AF_INET, AF_INET },
    { "parse_takes_ipv6", "::", AF_INET6, AF_INET6 },
    { "parse_unmaps_ipv4", "::ffff:192.0.2.7", AF_INET6, AF_INET },
    { "parse_leaves_compatible_addresses", "::192.0.2.7", AF_INET6, AF_INET6 },
    { "parse_refuses_ipv6_for_ipv4", "::1", AF_INET, AF_UNSPEC },
    { "parse_refuses_ipv4_for_ipv6", "127.0.0.1", AF_INET6, AF_UNSPEC },
    { "parse_refuses_names", "localhost", AF_UNSPEC, AF_UNSPEC },
    { "parse_refuses_nothing", "", AF_UNSPEC, AF_UNSPEC },
    { "parse_refuses_a_port", "127.0.0.1:21", AF_UNSPEC, AF_UNSPEC },
    { "parse_refuses_octal", "0177.0.0.1", AF_UNSPEC, AF_UNSPEC },
};
/* clang-format on */

static void check_parse(void **state)
{
    const struct parse_row *row = *state;
    struct netaddr addr;

    assert_int_equal(netaddr_parse(row->text, row->wanted, &addr), row->got != AF_UNSPEC);
    if (row->got != AF_UNSPEC) {
        assert_int_equal(addr.family, row->got);
        assert_int_equal(addr.port, 0);
    }
}

static struct netaddr address(const char *text)
{
    struct netaddr addr;

    assert_true(netaddr_parse(text, AF_UNSPEC, &addr));
    return addr;
}

struct same_row {
    const char *name;
    const char *a, *b;
    bool same;
};

/* clang-format off */
static const struct same_row same_rows[] = {
    { "same_host_ipv4", "192.0.2.7", "192.0.2.7", true },
    { "same_host_ipv6", "2001:db8::7", "2001:0db8:0::0007", true },
    { "same_host_mapped_and_plain", "::ffff:192.0.2.7", "192.0.2.7", true },
    { "other_host_in_the_first_byte", "192.0.2.7", "193.0.2.7", false },
    { "other_host_in_the_last_byte", "192.0.2.7", "192.0.2.8", false },
    { "other_host_in_the_last_byte_of_ipv6", "2001:db8::7", "2001:db8::8", false },
    { "other_family_with_the_same_bytes", "32.1.13.184", "2001:db8::", false },
};
/* clang-format on */

static void check_same(void **state)
{
    const struct same_row *row = *state;
    struct netaddr a = address(row->a);
    struct netaddr b = address(row->b);

    a.port = 1; /* does not count */
    b.scope_id = 2;
    assert_int_equal(netaddr_same_host(&a, &b), row->same);
    assert_int_equal(netaddr_same_host(&b, &a), row->same);
}

static void no_address_is_no_host(void **state)
{
    const struct netaddr none = {.family = AF_UNSPEC};
    char text[NETADDR_TEXT_MAX];

    (void)state;
    assert_false(netaddr_same_host(&none, &none));
    netaddr_text(&none, text);
    assert_string_equal(text, "?");
}

static void ipv4_goes_through_sockaddr_and_back(void **state)
{
    struct netaddr addr = address("192.0.2.7"), back;
    union netaddr_sockaddr sa;

    (void)state;
    addr.port = 0x1234;
    assert_int_equal(netaddr_to_sockaddr(&addr, &sa), sizeof(struct sockaddr_in));
    assert_int_equal(sa.in.sin_family, AF_INET);
    assert_int_equal(ntohs(sa.in.sin_port), 0x1234);
    assert_int_equal(ntohl(sa.in.sin_addr.s_addr), 0xC0000207);
    assert_true(netaddr_from_sockaddr(&back, &sa));
    assert_memory_equal(&back, &addr, sizeof(addr));
}

static void ipv6_goes_through_sockaddr_and_back(void **state)
{
    struct netaddr addr = address("fe80::7"), back;
    union netaddr_sockaddr sa;

    (void)state;
    addr.port = 0x1234;
    addr.scope_id = 3;
    assert_int_equal(netaddr_to_sockaddr(&addr, &sa), sizeof(struct sockaddr_in6));
    assert_int_equal(sa.in6.sin6_family, AF_INET6);
    assert_int_equal(ntohs(sa.in6.sin6_port), 0x1234);
    assert_int_equal(sa.in6.sin6_scope_id, 3);
    assert_true(netaddr_from_sockaddr(&back, &sa));
    assert_memory_equal(&back, &addr, sizeof(addr));
}

static void a_mapped_peer_is_an_ipv4_host(void **state)
{
    union netaddr_sockaddr sa = {.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(4711)}};
    struct netaddr peer, plain = address("192.0.2.7");

    (void)state;
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.7", &sa.in6.sin6_addr), 1);
    assert_true(netaddr_from_sockaddr(&peer, &sa));
    assert_int_equal(peer.family, AF_INET);
    assert_int_equal(peer.port, 4711);
    assert_true(netaddr_same_host(&peer, &plain));
    assert_host(&peer, "192.0.2.7");
}

static void other_families_are_refused(void **state)
{
    union netaddr_sockaddr sa = {.sa = {.sa_family = AF_UNIX}};
    struct netaddr addr;

    (void)state;
    assert_false(netaddr_from_sockaddr(&addr, &sa));
}

static void pasv_text_is_what_port_reads(void **state)
{
    struct netaddr addr = address("10.255.0.1"), back;
    struct str s = STR_INIT(100);

    (void)state;
    addr.port = 0xFF01;
    netaddr_append_pasv(&s, &addr);
    assert_string_equal(str_text(&s), "10,255,0,1,255,1");
    assert_true(netaddr_parse_port(str_text(&s), &back));
    assert_memory_equal(&back, &addr, sizeof(addr));
    str_free(&s);
}

struct network_row {
    const char *name;
    const char *network;
    const char *inside;  /* NULL: the network is refused */
    const char *outside; /* NULL: nothing is */
};

/* clang-format off */
static const struct network_row network_rows[] = {
    { "network_of_whole_bytes", "10.0.0.0/8", "10.255.0.1", "11.0.0.0" },
    { "network_of_16_bits", "192.168.0.0/16", "192.168.255.255", "192.169.0.0" },
    { "network_of_odd_bits", "172.16.0.0/12", "172.31.255.255", "172.32.0.0" },
    { "network_of_odd_bits_below", "172.16.0.0/12", "172.16.0.0", "172.15.255.255" },
    { "network_of_31_bits", "192.0.2.6/31", "192.0.2.7", "192.0.2.8" },
    { "network_of_one_host", "192.0.2.7/32", "192.0.2.7", "192.0.2.6" },
    { "network_of_one_bit", "128.0.0.0/1", "255.0.0.1", "127.255.255.255" },
    { "network_of_everybody", "0.0.0.0/0", "255.1.2.3", NULL },
    { "network_without_bits_is_a_host", "192.0.2.7", "192.0.2.7", "192.0.2.8" },
    { "network_with_bits_of_a_host", "192.168.7.9/16", "192.168.0.1", "192.167.0.1" },
    { "network_takes_mapped_clients", "10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3" },
    { "network_may_be_mapped", "::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3" },
    { "network_of_everybody_mapped", "::ffff:0.0.0.0/96", "192.0.2.7", "2001:db8::7" },
    { "network_of_ipv6", "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1" },
    { "network_of_ipv6_of_odd_bits", "2001:db8:8000::/33", "2001:db8:8000::1", "2001:db8:7fff::1" },
    { "network_of_one_ipv6_host", "2001:db8::7", "2001:db8::7", "2001:db8::6" },
    { "network_of_all_ipv6", "::/0", "2001:db8::7", "10.0.0.1" },
    { "network_of_ipv4_has_no_ipv6", "0.0.0.0/0", "0.0.0.0", "::" },
    { "network_refuses_33_bits", "10.0.0.0/33", NULL, NULL },
    { "network_refuses_129_bits", "2001:db8::/129", NULL, NULL },
    { "network_refuses_mapped_bits_that_are_not", "::ffff:10.0.0.0/95", NULL, NULL },
    { "network_refuses_bits_that_wrap", "10.0.0.0/4294967304", NULL, NULL },
    { "network_refuses_a_minus", "10.0.0.0/-8", NULL, NULL },
    { "network_refuses_no_bits", "10.0.0.0/", NULL, NULL },
    { "network_refuses_a_mask", "10.0.0.0/255.0.0.0", NULL, NULL },
    { "network_refuses_two_slashes", "10.0.0.0/8/8", NULL, NULL },
    { "network_refuses_bits_alone", "/8", NULL, NULL },
    { "network_refuses_short_addresses", "10/8", NULL, NULL },
    { "network_refuses_names", "localhost/8", NULL, NULL },
    { "network_refuses_blanks", "10.0.0.0 /8", NULL, NULL },
    { "network_refuses_nothing", "", NULL, NULL },
    { "network_refuses_long_text", "10.0.0.00000000000000000000000000000000000000000000000000000/8",
      NULL, NULL },
};
/* clang-format on */

static void check_network(void **state)
{
    const struct network_row *row = *state;
    struct netaddr_network network;
    struct netaddr addr;

    assert_int_equal(netaddr_parse_network(row->network, &network), row->inside != NULL);
    if (row->inside != NULL) {
        addr = address(row->inside);
        assert_true(netaddr_in_network(&addr, &network));
    }
    if (row->outside != NULL) {
        addr = address(row->outside);
        assert_false(netaddr_in_network(&addr, &network));
    }
}

struct target_row {
    const char *name;
    const char *target;
    unsigned port;
    const char *peer;
    bool strict, promiscuous; /* is it a target? */
};

/* clang-format off */
static const struct target_row target_rows[] = {
    { "target_is_the_client", "192.0.2.7", 1024, "192.0.2.7", true, true },
    { "target_is_the_client_over_ipv6", "2001:db8::7", 65535, "2001:db8::7", true, true },
    { "target_is_a_mapped_client", "::ffff:192.0.2.7", 1024, "192.0.2.7", true, true },
    { "target_is_a_service_of_the_client", "192.0.2.7", 1023, "192.0.2.7", false, true },
    { "target_is_mail_of_somebody", "192.0.2.8", 25, "192.0.2.7", false, true },
    { "target_has_port_0", "192.0.2.7", 0, "192.0.2.7", false, false },
    { "target_is_another_host", "198.51.100.1", 5000, "192.0.2.7", false, true },
    { "target_is_another_host_of_ipv6", "2001:db8::8", 5000, "2001:db8::7", false, true },
    { "target_is_of_the_other_family", "2001:db8::8", 5000, "192.0.2.7", false, false },
    { "target_is_ipv4_for_an_ipv6_client", "192.0.2.7", 5000, "2001:db8::7", false, false },
    { "target_is_loopback", "127.0.0.1", 5000, "192.0.2.7", false, false },
    { "target_is_another_loopback", "127.255.0.1", 5000, "192.0.2.7", false, false },
    { "target_is_loopback_of_ipv6", "::1", 5000, "2001:db8::7", false, false },
    { "target_is_loopback_for_a_local_client", "127.0.0.3", 5000, "127.0.0.1", false, true },
    { "target_is_a_host_for_a_local_client", "192.0.2.7", 5000, "127.0.0.1", false, true },
    { "target_is_link_local", "169.254.169.254", 8080, "192.0.2.7", false, false },
    { "target_is_link_local_of_ipv6", "fe80::1", 5000, "2001:db8::7", false, false },
    { "target_is_another_link_local_one", "fe80::1", 5000, "fe80::2", false, true },
    { "target_is_this_network", "0.0.0.0", 5000, "192.0.2.7", false, false },
    { "target_is_this_network_for_a_local_client", "0.0.0.0", 5000, "127.0.0.1", false, false },
    { "target_is_multicast", "224.0.0.1", 5000, "192.0.2.7", false, false },
    { "target_is_broadcast", "255.255.255.255", 5000, "192.0.2.7", false, false },
    { "target_is_no_address_of_ipv6", "::", 5000, "2001:db8::7", false, false },
    { "target_is_multicast_of_ipv6", "ff02::1", 5000, "2001:db8::7", false, false },
    { "target_is_ipv4_in_disguise", "::127.0.0.1", 5000, "2001:db8::7", false, false },
};
/* clang-format on */

static void check_target(void **state)
{
    const struct target_row *row = *state;
    struct netaddr target = address(row->target), peer = address(row->peer);

    target.port = (uint16_t)row->port;
    assert_int_equal(netaddr_is_target(&target, &peer, false), row->strict);
    assert_int_equal(netaddr_is_target(&target, &peer, true), row->promiscuous);
}

/* SECURITY: the kernel takes this for 127.0.0.1; netaddr_parse() never makes one. */
static void a_mapped_address_that_was_not_unmapped_is_no_target(void **state)
{
    struct netaddr target = {.family = AF_INET6,
                             .port = 5000,
                             .bytes = {[10] = 0xFF, [11] = 0xFF, [12] = 127, [15] = 1}};
    struct netaddr peer = address("2001:db8::7");

    (void)state;
    assert_false(netaddr_is_target(&target, &peer, true));
}

struct map_row {
    const char *name;
    const char *map;
    const char *client;
    enum netaddr_mapped mapped;
    const char *host;
};

struct fault_row {
    const char *name;
    const char *map;
    const char *fault; /* the entry that is named; NULL: none */
};

/* clang-format off */
static const struct map_row map_rows[] = {
    { "map_names_an_address", "10.0.0.0/8=203.0.113.5", "10.1.2.3", NETADDR_MAP_ADDRESS, "203.0.113.5" },
    { "map_says_own", "10.0.0.0/8=own", "10.1.2.3", NETADDR_MAP_OWN, NULL },
    { "map_says_own_in_any_case", "10.0.0.0/8=OWN", "10.1.2.3", NETADDR_MAP_OWN, NULL },
    { "map_of_others", "10.0.0.0/8=own", "11.1.2.3", NETADDR_MAP_NONE, NULL },
    { "map_of_a_host", "10.1.2.3=203.0.113.5", "10.1.2.3", NETADDR_MAP_ADDRESS, "203.0.113.5" },
    { "map_takes_the_first_that_fits", "10.1.0.0/16=own,10.0.0.0/8=203.0.113.5", "10.1.2.3",
      NETADDR_MAP_OWN, NULL },
    { "map_takes_the_first_that_fits_and_not_the_best", "10.0.0.0/8=203.0.113.5,10.1.0.0/16=own",
      "10.1.2.3", NETADDR_MAP_ADDRESS, "203.0.113.5" },
    { "map_goes_on_to_the_last", "10.1.0.0/16=own, 10.2.0.0/16=own,\t0.0.0.0/0=203.0.113.5 ",
      "192.0.2.7", NETADDR_MAP_ADDRESS, "203.0.113.5" },
    { "map_takes_mapped_clients", "10.0.0.0/8=own", "::ffff:10.1.2.3", NETADDR_MAP_OWN, NULL },
    { "map_has_no_ipv6_clients", "0.0.0.0/0=own", "2001:db8::7", NETADDR_MAP_NONE, NULL },
};

static const struct fault_row fault_rows[] = {
    { "map_is_fine", "192.168.0.0/16=own, 10.0.0.0/8=10.1.2.3", NULL },
    { "map_is_fine_without_blanks", "192.168.0.0/16=own,10.0.0.0/8=10.1.2.3", NULL },
    { "map_is_fine_with_mapped_networks", "::ffff:10.0.0.0/104=own", NULL },
    { "map_without_value", "10.0.0.0/8", "10.0.0.0/8" },
    { "map_with_an_empty_value", "10.0.0.0/8=", "10.0.0.0/8=" },
    { "map_with_an_empty_network", "=own", "=own" },
    { "map_with_a_name", "10.0.0.0/8=ftp.example.net", "10.0.0.0/8=ftp.example.net" },
    { "map_with_ipv6_value", "10.0.0.0/8=2001:db8::7", "10.0.0.0/8=2001:db8::7" },
    { "map_with_ipv6_network", "2001:db8::/32=own", "2001:db8::/32=own" },
    { "map_with_two_values", "10.0.0.0/8=own=own", "10.0.0.0/8=own=own" },
    { "map_with_a_port", "10.0.0.0/8=10.1.2.3:21", "10.0.0.0/8=10.1.2.3:21" },
    { "map_with_blanks_inside", "10.0.0.0/8 = own", "10.0.0.0/8 = own" },
    { "map_without_comma", "10.0.0.0/8=own 11.0.0.0/8=own", "10.0.0.0/8=own 11.0.0.0/8=own" },
    { "map_with_many_bits", "10.0.0.0/8=own, 11.0.0.0/33=own ,12.0.0.0/8=own", "11.0.0.0/33=own" },
    { "map_with_a_comma_behind", "10.0.0.0/8=own,", "" },
    { "map_with_two_commas", "10.0.0.0/8=own,,11.0.0.0/8=own", "" },
    { "map_of_blanks", " ", "" },
    { "map_with_a_long_entry",
      "10.0.0.0/8=0000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "000000000000000000000000000000,10.0.0.0/8=own",
      "10.0.0.0/8=0000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "000000000000000000000000000000" },
};
/* clang-format on */

static void check_map(void **state)
{
    const struct map_row *row = *state;
    struct netaddr client = address(row->client), out = address("192.0.2.99");
    size_t len;

    assert_null(netaddr_map_fault(row->map, &len));
    assert_int_equal(netaddr_map_find(row->map, &client, &out), row->mapped);
    assert_host(&out, row->host != NULL ? row->host : "192.0.2.99");
    assert_int_equal(out.family, AF_INET);
}

static void check_fault(void **state)
{
    const struct fault_row *row = *state;
    size_t len = 0;
    const char *found = netaddr_map_fault(row->map, &len);

    assert_int_equal(found != NULL, row->fault != NULL);
    if (found != NULL) {
        assert_int_equal(len, strlen(row->fault));
        assert_memory_equal(found, row->fault, len);
    }
}

int main(void)
{
    UNIT_ADD_TABLE(check_port, port_rows);
    UNIT_ADD_TABLE(check_eprt, eprt_rows);
    UNIT_ADD_TABLE(check_parse, parse_rows);
    UNIT_ADD_TABLE(check_same, same_rows);
    UNIT_ADD_TABLE(check_network, network_rows);
    UNIT_ADD_TABLE(check_target, target_rows);
    UNIT_ADD_TABLE(check_map, map_rows);
    UNIT_ADD_TABLE(check_fault, fault_rows);
    UNIT_ADD(a_mapped_address_that_was_not_unmapped_is_no_target);
    UNIT_ADD(no_address_is_no_host);
    UNIT_ADD(ipv4_goes_through_sockaddr_and_back);
    UNIT_ADD(ipv6_goes_through_sockaddr_and_back);
    UNIT_ADD(a_mapped_peer_is_an_ipv4_host);
    UNIT_ADD(other_families_are_refused);
    UNIT_ADD(pasv_text_is_what_port_reads);
    return unit_run("netaddr");
}
