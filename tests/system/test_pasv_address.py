"""pasv_address: the address that PASV names."""

import pytest

from ftpraw import receive_all

OPTIONS = ("pasv_address",)

PUBLIC = "203.0.113.5"


def test_named_in_place_of_the_own_address(ftpd):
    assert ftpd(pasv_address=PUBLIC).login("alice").pasv_address()[0] == PUBLIC


@pytest.mark.parametrize("value", [None, ""])
def test_not_set(ftpd, value):
    assert ftpd(pasv_address=value).login("alice").pasv_address()[0] == "127.0.0.1"


def test_only_what_is_said_changes(ftpd, home):
    """The port is open at the address of the control connection, to which a NAT leads."""
    home.file("f", b"content")
    client = ftpd(pasv_address=PUBLIC).login("alice", "127.0.0.3")
    for _ in range(2):
        host, port = client.pasv_address()
        assert host == PUBLIC
        sock = client.connect_data(("127.0.0.3", port), "127.0.0.1")
        client.cmd("RETR f", 150)
        assert receive_all(sock) == b"content"
        client.reply(226)


def test_epsv_names_no_address(ftpd, home):
    home.file("f", b"content")
    client = ftpd(pasv_address=PUBLIC).login("alice")
    assert client.retr("f", "epsv") == b"content"
    assert PUBLIC.replace(".", ",") not in client.cmd("EPSV", 229).text


def test_ipv4_client_of_an_ipv6_socket(ftpd):
    daemon = ftpd(listen="NO", listen_ipv6="YES", pasv_address=PUBLIC)
    assert daemon.login("alice", "127.0.0.1").pasv_address()[0] == PUBLIC


def test_ipv6_client(ftpd, home):
    """Nobody listens on IPv4 for a client that came over IPv6."""
    home.file("f", b"content")
    client = ftpd(listen="NO", listen_ipv6="YES", pasv_address=PUBLIC).login("alice", "::1")
    client.cmd("PASV", 425)
    assert client.retr("f", "epsv") == b"content"


def test_form_that_nats_leave_alone(ftpd):
    reply = ftpd(pasv_address=PUBLIC).login("alice").cmd("P@SW", 227)
    assert "(203,0,113,5," in reply.text


def test_anonymous_users(ftpd):
    assert ftpd(pasv_address=PUBLIC).anonymous().pasv_address()[0] == PUBLIC
