"""PASV and P@SW."""

import re

import pytest

import codes
from ftpraw import closed_without_data, receive_all
from passive import STRANGER, Passive, occupy

OPTIONS = ("pasv_enable",)
VERBS = {"PASV", "P@SW"}


class TestPassive(Passive):
    mode = "pasv"


def test_address_is_that_of_the_control_connection(ftpd):
    daemon = ftpd()
    for host in ("127.0.0.1", "127.0.0.3"):
        assert daemon.login("alice", host).pasv_address()[0] == host


def test_what_an_address_translator_makes_of_it(alice, home):
    """Some put an @ there so that the next one lets the command alone."""
    home.file("f", b"content")
    reply = alice.cmd("P@SW", 227)
    numbers = [int(number) for number in re.findall(r"\d+", reply.text)]
    address = ".".join(map(str, numbers[:4])), numbers[4] * 256 + numbers[5]
    sock = alice.connect_data(address)
    alice.cmd("RETR f", 150)
    assert receive_all(sock) == b"content"
    alice.reply(226)


def test_on_ipv6(dual):
    client = dual.login("alice", "::1")
    client.cmd("PASV", codes.PASV_ON_IPV6)
    client.in_step()


def test_two_sessions_with_two_ports(ftpd, home):
    home.file("f", b"content")
    daemon = ftpd(pasv_min_port="20000", pasv_max_port="20001")
    one, other = daemon.login("alice"), daemon.login("alice")
    assert {one.pasv_address()[1], other.pasv_address()[1]} == {20000, 20001}


@pytest.mark.parametrize("free", [0, 1, 37, 98, 99])
def test_the_only_free_port_of_a_range_is_found(ftpd, home, free):
    home.file("f", b"content")
    ports = list(range(20000, 20100))
    only = ports.pop(free)
    client = ftpd(pasv_min_port="20000", pasv_max_port="20099").login("alice")
    sockets = occupy(ports)
    assert client.pasv_address()[1] == only
    assert client.retr("f") == b"content"
    for sock in sockets:
        sock.close()


def test_second_pasv_replaces_the_first(alice, home):
    home.file("f", b"content")
    alice.pasv_address()
    alice.epsv_address()
    assert alice.retr("f") == b"content"
    alice.in_step()


def test_connection_of_an_earlier_pasv_is_not_used(alice, home):
    home.file("f", b"content")
    former = alice.connect_data(alice.pasv_address())
    assert alice.retr("f") == b"content"
    assert closed_without_data(former)


def test_without_a_client_the_transfer_is_425(ftpd, home):
    home.file("f", b"content")
    client = ftpd(accept_timeout="1").login("alice")
    for mode, line in (("PASV", "RETR f"), ("EPSV", "LIST"), ("PASV", "STOR new")):
        client.cmd(mode, 227, 229)
        client.cmd_without_data(line, 425)
    client.in_step()
    assert client.retr("f") == b"content"


def test_client_may_connect_after_the_command(alice, home):
    home.file("f", b"content")
    address = alice.pasv_address()
    alice.send_line("RETR f")
    sock = alice.connect_data(address)
    alice.reply(150)
    assert receive_all(sock) == b"content"
    alice.reply(226)


@pytest.mark.parametrize("strangers", [1, 20])
@pytest.mark.parametrize("line", ["RETR f", "NLST"])
def test_strangers_who_come_first_get_nothing_and_break_nothing(alice, home, line, strangers):
    home.file("f", b"content")
    address = alice.pasv_address()
    others = [alice.connect_data(address, STRANGER) for _ in range(strangers)]
    alice.send_line(line)
    sock = alice.connect_data(address)
    alice.reply(150)
    assert receive_all(sock) == (b"content" if "RETR" in line else b"f\r\n")
    alice.reply(226)
    for other in others:
        assert closed_without_data(other)
    alice.in_step()


def test_stranger_who_comes_during_the_wait(alice, home):
    home.file("f", b"content")
    address = alice.pasv_address()
    alice.send_line("RETR f")
    assert closed_without_data(alice.connect_data(address, STRANGER))
    sock = alice.connect_data(address)
    alice.reply(150)
    assert receive_all(sock) == b"content"
    alice.reply(226)


def test_stranger_cannot_upload(alice, home):
    address = alice.pasv_address()
    other = alice.connect_data(address, STRANGER)
    other.sendall(b"foreign")
    alice.send_line("STOR f")
    with alice.connect_data(address) as sock:
        sock.sendall(b"own")
    alice.reply(150)
    alice.reply(226)
    assert (home / "f").read_bytes() == b"own"
    assert closed_without_data(other)


def test_stranger_alone_is_425(ftpd, home):
    home.file("f", b"content")
    client = ftpd(accept_timeout="1").login("alice")
    other = client.connect_data(client.pasv_address(), STRANGER)
    client.cmd_without_data("RETR f", 425)
    assert closed_without_data(other)
    client.in_step()


def test_control_connection_works_while_a_listener_waits(alice):
    alice.pasv_address()
    alice.cmds(("NOOP", 200), ("PWD", 257), ("TYPE I", 200))
    assert alice.nlst() == []


def test_passive_port_is_not_served_after_the_transfer(alice, home):
    home.file("f", b"content")
    address = alice.pasv_address()
    sock = alice.connect_data(address)
    alice.cmd("RETR f", 150)
    assert receive_all(sock) == b"content"
    alice.reply(226)
    try:
        late = alice.connect_data(address)
    except ConnectionRefusedError:
        late = None
    alice.cmd("RETR f", 425)
    assert late is None or alice.retr("f") == b"content" and closed_without_data(late)
