"""EPRT."""

import pytest

import codes
from active import Active, peer_port
from ftpraw import eprt_command, receive_all


class TestActive(Active):
    mode = "eprt"


@pytest.mark.parametrize("argument", [
    "", " ", "|", "||||", "|1|127.0.0.1|", "|1|127.0.0.1|50000", "1|127.0.0.1|50000|", "|1||50000|",
    "|1|127.0.0.1||", "|1|127.0.0.1|x|", "|1|127.0.0.1|65536|", "|1|127.0.0.1|-1|",
    "|1|127.0.0|50000|", "|1|127.0.0.1.1|50000|", "|1|localhost|50000|", "|1|::1|50000|",
    "|1|127.0.0.1|50000|x", "|1|127.0.0.1|50000||", "|1!127.0.0.1!50000!",
    "|1|127.0.0.1|99999999999999999999|", "|1|127.0.0.256|50000|", "|" + "1" * 3000,
    "|1|%n%s|50000|",
])
def test_malformed_eprt_is_501(alice, argument):
    alice.cmd(f"EPRT {argument}", 501)
    alice.in_step()


@pytest.mark.parametrize("argument", ["|3|127.0.0.1|50000|", "|0|127.0.0.1|50000|", "|9|x|50000|"])
def test_eprt_of_an_unknown_family_is_522(alice, argument):
    assert "(1" in alice.cmd(f"EPRT {argument}", 522).text
    alice.in_step()


def test_eprt_of_another_family_than_the_control_connection(dual):
    for host, target in (("127.0.0.1", "|2|::1|50000|"), ("::1", "|1|127.0.0.1|50000|")):
        client = dual.login("alice", host)
        client.cmd(f"EPRT {target}", codes.EPRT_OTHER_FAMILY)
        client.cmd("RETR f", 425)
        client.in_step()


@pytest.mark.parametrize("delimiter", ["|", "!", "#", "/"])
def test_eprt_takes_any_delimiter(alice, home, delimiter):
    home.file("f", b"content")
    listener = alice.listen_data()
    alice.cmd(eprt_command(listener.getsockname()).replace("|", delimiter), 200)
    alice.cmd("RETR f", 150)
    assert receive_all(alice.accept_data(listener)) == b"content"
    alice.reply(226)


@pytest.mark.parametrize("host", ["::1", "fd00::1"])
def test_transfers_over_ipv6(dual, home, host):
    client = dual.login("alice", host, source=host)
    assert client.retr("f", "eprt") == b"content"
    client.stor("g", b"more", "eprt")
    assert (home / "g").read_bytes() == b"more"
    assert peer_port(client, "eprt") == 20


def test_foreign_address_over_ipv6(dual):
    client = dual.login("alice", "fd00::1", source="fd00::1")
    for host in ("fd00::2", "::1", "::", "ff02::1"):
        client.cmd(eprt_command((host, 5000)), 500)
    client.in_step()


def test_refused_command_leaves_no_target(alice, home):
    home.file("f", b"content")
    for line, code in (("EPRT |1|127.0.0.1|80|", 500), ("EPRT rubbish", 501)):
        alice.cmds((line, code), ("RETR f", 425))
    alice.in_step()
