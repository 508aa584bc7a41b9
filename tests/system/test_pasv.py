"""PASV and EPSV."""

import socket

import pytest

import codes
from ftpraw import closed_without_data, receive_all

STRANGER = "127.0.0.2"


@pytest.fixture
def dual(ftpd, home):
    """A daemon on an IPv6 socket that takes IPv4, too."""
    home.file("f", b"content")
    return ftpd(listen="NO", listen_ipv6="YES")


def occupy(ports):
    """Listening sockets on all of `ports`, which are below those that the kernel chooses."""
    sockets = []
    for port in ports:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("0.0.0.0", port))
        sock.listen(1)
        sockets.append(sock)
    return sockets


def test_address_is_that_of_the_control_connection(ftpd):
    daemon = ftpd()
    for host in ("127.0.0.1", "127.0.0.3"):
        assert daemon.login("alice", host).pasv_address()[0] == host


def test_default_ports(alice):
    for _ in range(50):
        assert 5001 <= alice.pasv_address()[1] <= 65535
        assert 5001 <= alice.epsv_address()[1] <= 65535


@pytest.mark.parametrize("mode", ["pasv", "epsv"])
def test_range_of_one_port(ftpd, home, mode):
    home.file("f", b"content")
    client = ftpd(pasv_min_port="20000", pasv_max_port="20000").login("alice")
    for _ in range(10):
        assert client.epsv_address()[1] == 20000
        assert client.retr("f", mode) == b"content"


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


def test_no_free_port_is_425(ftpd, home):
    home.file("f", b"content")
    client = ftpd(pasv_min_port="20000", pasv_max_port="20003").login("alice")
    sockets = occupy(range(20000, 20004))
    client.cmds(("PASV", 425), ("EPSV", 425), ("RETR f", 425))
    client.in_step()
    for sock in sockets:
        sock.close()
    assert client.retr("f") == b"content"


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


@pytest.mark.parametrize("line, code", [
    ("EPSV", 229), ("EPSV 1", 229), ("EPSV 2", 522), ("EPSV 3", 522), ("epsv 1", 229),
    ("EPSV x", codes.EPSV_BAD_ARGUMENT), ("EPSV 11", 522), ("EPSV -1", codes.EPSV_BAD_ARGUMENT),
])
def test_epsv_on_ipv4(alice, line, code):
    reply = alice.cmd(line, code)
    if reply.code == 522:
        assert "(1" in reply.text
    alice.in_step()


@pytest.mark.parametrize("line, code", [
    ("EPSV", 229), ("EPSV 2", 229), ("EPSV 1", 522), ("EPSV 3", 522), ("PASV", codes.PASV_ON_IPV6),
])
def test_epsv_on_ipv6(dual, line, code):
    client = dual.login("alice", "::1")
    reply = client.cmd(line, code)
    if reply.code == 522:
        assert "2)" in reply.text
    client.in_step()


def test_epsv_1_gives_a_working_address(alice, home):
    home.file("f", b"content")
    sock = alice.connect_data(alice.epsv_address("1"))
    alice.cmd("RETR f", 150)
    assert receive_all(sock) == b"content"
    alice.reply(226)


@pytest.mark.parametrize("line", ["EPSV ALL", "epsv all"])
def test_epsv_all_forbids_the_others(alice, home, line):
    home.file("f", b"content")
    alice.cmd(line, 200)
    refused = (("PASV", 501), ("PORT 127,0,0,1,200,1", 501), ("EPRT |1|127.0.0.1|50000|", 501))
    alice.cmds(*refused)
    assert alice.retr("f", "epsv") == b"content"
    alice.refused("RETR missing", 550, mode="epsv")
    alice.cmd("ABOR", codes.ABOR_IDLE)
    alice.cmds(*refused)
    assert alice.retr("f", "epsv") == b"content"


@pytest.mark.parametrize("host", ["::1", "fd00::1"])
def test_transfers_over_ipv6(dual, home, host):
    client = dual.login("alice", host)
    assert client.retr("f", "epsv") == b"content"
    assert client.nlst(mode="epsv") == ["f"]
    client.stor("g", b"more", "epsv")
    assert (home / "g").read_bytes() == b"more"


def test_stranger_over_ipv6(dual):
    client = dual.login("alice", "fd00::1", source="fd00::1")
    address = client.epsv_address()
    other = client.connect_data(address, "fd00::2")
    client.send_line("RETR f")
    sock = client.connect_data(address)
    client.reply(150)
    assert receive_all(sock) == b"content"
    client.reply(226)
    assert closed_without_data(other)


def test_ipv4_client_of_an_ipv6_socket(dual, home):
    client = dual.login("alice", "127.0.0.1")
    assert client.pasv_address()[0] == "127.0.0.1"
    for mode in ("pasv", "epsv"):
        assert client.retr("f", mode) == b"content"
    client.cmds(("EPSV 1", 229), ("EPSV 2", 522))
    address = client.pasv_address()
    other = client.connect_data(address, STRANGER)
    client.send_line("RETR f")
    sock = client.connect_data(address)
    client.reply(150)
    assert receive_all(sock) == b"content"
    client.reply(226)
    assert closed_without_data(other)


def test_pasv_enable(ftpd, home):
    home.file("f", b"content")
    client = ftpd(pasv_enable="NO").login("alice")
    client.cmds(("PASV", 550), ("EPSV", 550), ("EPSV 1", 550))
    features = [line.strip() for line in client.cmd("FEAT", 211).lines]
    assert "PASV" not in features and "EPSV" not in features
    assert client.retr("f", "port") == b"content"


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
