"""PORT."""

import socket

import pytest

import codes
from active import Active
from ftpraw import closed_without_data, port_command, receive_all

OPTIONS = ("port_enable", "connect_from_port_20", "ftp_data_port")


class TestActive(Active):
    mode = "port"


def test_on_ipv6(dual):
    client = dual.login("alice", "fd00::1", source="fd00::1")
    client.cmd("PORT 127,0,0,1,200,1", codes.PORT_ON_IPV6)
    client.in_step()


def test_data_comes_from_the_address_of_the_control_connection(ftpd, home):
    client = ftpd(connect_from_port_20="YES").login("alice", "127.0.0.3")
    with client.begin("NLST", "port") as sock:
        assert sock.getpeername() == ("127.0.0.3", 20)
    client.reply(226)


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


@pytest.mark.parametrize("argument", [
    "", " ", "127", "127,0,0,1", "127,0,0,1,40", "127,0,0,1,40,", "127,0,0,1,40,40,",
    ",127,0,0,1,40,40", "127,0,0,1,40,40,40", "127,0,0,1,40,256", "127,0,0,1,256,40",
    "256,0,0,1,40,40", "127,0,0,-1,40,40", "127,0,0,1,+40,40", "127,0,0,1,,40", "127,0,0,1,40,x",
    "127.0.0.1,40,40", "127,0,0,1,40,40 x", "127, 0, 0, 1, 40, 40", "(127,0,0,1,40,40)",
    "127,0,0,1,0x28,40", "127,0,0,1,4294967336,40", "127,0,0,1,40,99999999999999999999",
    "a,b,c,d,e,f", ",,,,,", "%n,%n,%n,%n,%n,%n", "1" * 3000,
])
def test_malformed_port_is_501(alice, argument):
    alice.cmd(f"PORT {argument}", 501)
    alice.in_step()


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
    for line in ("PORT rubbish", "PORT 127,0,0,2,40,40"):
        alice.cmd(line, 500, 501)
        alice.cmd("RETR f", 425)
    alice.in_step()
