"""PORT and EPRT."""

import socket

import pytest

import codes
from ftpraw import closed_without_data, eprt_command, port_command, receive_all


@pytest.fixture
def dual(ftpd, home):
    """A daemon on an IPv6 socket that takes IPv4, too, with data from port 20."""
    home.file("f", b"content")
    return ftpd(listen="NO", listen_ipv6="YES", connect_from_port_20="YES")


def peer_port(client, mode):
    """The port that an active data connection comes from."""
    sock = client.begin("NLST", mode)
    port = sock.getpeername()[1]
    receive_all(sock)
    client.reply(226)
    return port


@pytest.mark.parametrize("mode", ["port", "eprt"])
def test_data_comes_from_port_20(ftpd, home, mode):
    client = ftpd(connect_from_port_20="YES").login("alice")
    assert peer_port(client, mode) == 20


@pytest.mark.parametrize("mode", ["port", "eprt"])
def test_data_comes_from_ftp_data_port(ftpd, home, mode):
    client = ftpd(connect_from_port_20="YES", ftp_data_port="989").login("alice")
    assert peer_port(client, mode) == 989


@pytest.mark.parametrize("mode", ["port", "eprt"])
def test_data_comes_from_any_port_by_default(ftpd, home, mode):
    assert peer_port(ftpd().login("alice"), mode) >= 1024


def test_data_comes_from_the_address_of_the_control_connection(ftpd, home):
    client = ftpd(connect_from_port_20="YES").login("alice", "127.0.0.3")
    with client.begin("NLST", "port") as sock:
        assert sock.getpeername() == ("127.0.0.3", 20)
    client.reply(226)


def test_many_transfers_from_port_20(ftpd, home):
    home.file("f", b"content")
    client = ftpd(connect_from_port_20="YES").login("alice")
    for number in range(100):
        assert client.retr("f", ("port", "eprt")[number % 2]) == b"content"


def test_many_transfers_from_port_20_to_one_port(ftpd, home):
    """The port pair of the last connection waits in TIME_WAIT, so the client closes first."""
    home.file("f", b"content")
    client = ftpd(connect_from_port_20="YES").login("alice")
    listener = client.listen_data()
    listener.settimeout(10)
    for _ in range(3):
        client.cmd(port_command(listener.getsockname()), 200)
        client.send_line("STOR g")
        reply = client.reply(150, 425)
        if reply.code == 425:
            break
        sock, _ = listener.accept()
        sock.sendall(b"x")
        sock.close()
        client.reply(226)
    client.in_step()


def test_two_sessions_from_port_20_at_once(ftpd, home):
    home.sparse("big", 32 << 20)
    daemon = ftpd(connect_from_port_20="YES")
    clients = [daemon.login("alice") for _ in range(3)]
    sockets = [client.begin("RETR big", "port") for client in clients]
    for client, sock in zip(clients, sockets):
        assert len(receive_all(sock)) == 32 << 20
        client.reply(226)


@pytest.mark.parametrize("host", ["127.0.0.2", "0.0.0.0", "255.255.255.255", "192.0.2.1",
                                  "127.0.0.0",
                                  "224.0.0.1"])
def test_foreign_address_is_500(alice, host):
    alice.cmd(port_command((host, 5000)), 500)
    alice.cmd(eprt_command((host, 5000)), 500)
    alice.in_step()


def test_nothing_connects_to_a_foreign_address(alice, home):
    home.file("f", b"content")
    victim = alice.listen_data("127.0.0.2")
    for command in (port_command, eprt_command):
        alice.cmd(command(victim.getsockname()), 500)
        alice.cmd("RETR f", 425)
    victim.setblocking(False)
    with pytest.raises(BlockingIOError):
        victim.accept()


@pytest.mark.parametrize("port, code", [
    (0, codes.PORT_ZERO), (1, 500), (20, 500), (21, 500), (1023, 500), (1024, 200), (65535, 200),
])
def test_ports_below_1024_are_500(alice, port, code):
    alice.cmd(port_command(("127.0.0.1", port)), code)
    alice.cmd(eprt_command(("127.0.0.1", port)), code)
    alice.in_step()


@pytest.mark.parametrize("argument", [
    "", " ", "127", "127,0,0,1", "127,0,0,1,40", "127,0,0,1,40,", "127,0,0,1,40,40,",
    ",127,0,0,1,40,40",
    "127,0,0,1,40,40,40", "127,0,0,1,40,256", "127,0,0,1,256,40", "256,0,0,1,40,40",
    "127,0,0,-1,40,40",
    "127,0,0,1,+40,40", "127,0,0,1,,40", "127,0,0,1,40,x", "127.0.0.1,40,40", "127,0,0,1,40,40 x",
    "127, 0, 0, 1, 40, 40", "(127,0,0,1,40,40)", "127,0,0,1,0x28,40", "127,0,0,1,4294967336,40",
    "127,0,0,1,40,99999999999999999999", "a,b,c,d,e,f", ",,,,,", "%n,%n,%n,%n,%n,%n", "1" * 3000,
])
def test_malformed_port_is_501(alice, argument):
    alice.cmd(f"PORT {argument}", 501)
    alice.in_step()


@pytest.mark.parametrize("argument", [
    "", " ", "|", "||||", "|1|127.0.0.1|", "|1|127.0.0.1|50000", "1|127.0.0.1|50000|", "|1||50000|",
    "|1|127.0.0.1||", "|1|127.0.0.1|x|", "|1|127.0.0.1|65536|", "|1|127.0.0.1|-1|",
    "|1|127.0.0|50000|",
    "|1|127.0.0.1.1|50000|", "|1|localhost|50000|", "|1|::1|50000|", "|1|127.0.0.1|50000|x",
    "|1|127.0.0.1|50000||", "|1!127.0.0.1!50000!", "|1|127.0.0.1|99999999999999999999|",
    "|1|127.0.0.256|50000|", "|" + "1" * 3000, "|1|%n%s|50000|",
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
    client.cmd("PORT 127,0,0,1,200,1", codes.PORT_ON_IPV6)
    client.in_step()


def test_ipv4_client_of_an_ipv6_socket(dual):
    client = dual.login("alice", "127.0.0.1")
    for mode in ("port", "eprt"):
        assert client.retr("f", mode) == b"content"
        assert peer_port(client, mode) == 20
    client.cmd("PORT 127,0,0,2,200,1", 500)


@pytest.mark.parametrize("line", ["RETR f", "NLST", "STOR g"])
def test_no_listener_is_425(alice, home, line):
    home.file("f", b"content")
    listener = alice.listen_data()
    alice.cmd(port_command(listener.getsockname()), 200)
    listener.close()
    alice.cmd_without_data(line, 425)
    alice.in_step()
    assert alice.retr("f", "port") == b"content"


def test_peer_that_does_not_answer_is_425(ftpd, home):
    """The queue of a full listener drops what comes, as a firewall does."""
    home.file("f", b"content")
    client = ftpd(connect_timeout="1").login("alice")
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    for _ in range(3):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    client.cmd(port_command(listener.getsockname()), 200)
    client.cmd_without_data("RETR f", 425)
    client.in_step()
    for sock in [listener, *fillers]:
        sock.close()
    assert client.retr("f", "port") == b"content"


def test_serves_one_transfer(alice, home):
    home.file("f", b"content")
    for mode in ("port", "eprt"):
        assert alice.retr("f", mode) == b"content"
        alice.cmd("RETR f", 425)
    alice.in_step()


def test_pasv_cancels_port(alice, home):
    home.file("f", b"content")
    listener = alice.listen_data()
    alice.cmd(port_command(listener.getsockname()), 200)
    assert alice.retr("f", "pasv") == b"content"
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_port_cancels_pasv(alice, home):
    home.file("f", b"content")
    former = alice.connect_data(alice.pasv_address())
    assert alice.retr("f", "port") == b"content"
    alice.cmd("RETR f", 425)
    assert alice.retr("f", "pasv") == b"content"
    assert closed_without_data(former)


def test_refused_port_leaves_no_target(alice, home):
    home.file("f", b"content")
    for line in ("PORT rubbish", "PORT 127,0,0,2,40,40", "EPRT |1|127.0.0.1|80|"):
        alice.cmd(line, 500, 501)
        alice.cmd("RETR f", 425)
    alice.in_step()


def test_port_enable(ftpd, home):
    home.file("f", b"content")
    client = ftpd(port_enable="NO").login("alice")
    client.cmds(("PORT 127,0,0,1,200,1", 550), ("EPRT |1|127.0.0.1|50000|", 550))
    client.in_step()
    assert client.retr("f") == b"content"
