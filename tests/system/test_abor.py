"""ABOR: idle, and in the middle of every kind of transfer."""

import socket

import pytest

import codes
from ftpraw import DEADLINE_SEC, closed_without_data, drain, receive_all, receive_exactly

IAC, IP, DM = b"\xff", b"\xf4", b"\xf2"


def plain(client):
    client.send("ABOR\r\n")


def lower_case(client):
    client.send("abor\r\n")


def telnet_in_band(client):
    client.send(IAC + IP + IAC + DM + b"ABOR\r\n")


def whole_line_urgent(client):
    """As Python's ftplib does."""
    client.send_urgent("ABOR\r\n")


def telnet_synch(client):
    """As the BSD clients do: the urgent mark is on the IAC before DM."""
    client.send_urgent(IAC + IP + IAC)
    client.send(DM + b"ABOR\r\n")


def urgent_data_mark(client):
    """As RFC 854 has it: the urgent mark is on DM."""
    client.send(IAC + IP)
    client.send_urgent(IAC + DM)
    client.send("ABOR\r\n")


FORMS = [plain, lower_case, telnet_in_band, whole_line_urgent, telnet_synch, urgent_data_mark]


@pytest.fixture
def big(home):
    """A file that fits in no socket buffer, and a small one."""
    home.sparse("big", 1 << 30)
    home.file("small", b"content")
    return home


@pytest.fixture
def crowd(home):
    """A directory whose listing fits in no socket buffer."""
    home.dir("crowd")
    for number in range(30000):
        (home / "crowd" / f"{number:0200}").touch()
    return home


def still_works(client):
    """Every kind of transfer can follow."""
    client.in_step()
    assert client.retr("small") == b"content"
    assert client.retr("small", "port") == b"content"
    client.stor("new", b"x")
    assert "small" in client.nlst()


@pytest.mark.parametrize("form", FORMS)
def test_idle(alice, form):
    form(alice)
    alice.reply(codes.ABOR_IDLE)
    alice.in_step()


@pytest.mark.parametrize("mode", ["pasv", "epsv", "port", "eprt"])
@pytest.mark.parametrize("form", FORMS)
def test_during_a_download(alice, big, form, mode):
    sock = alice.begin("RETR big", mode)
    receive_exactly(sock, 100000)
    form(alice)
    alice.reply(426)
    alice.reply(226)
    drain(sock)
    still_works(alice)


@pytest.mark.parametrize("mode", ["pasv", "port"])
@pytest.mark.parametrize("form", FORMS)
def test_during_an_upload(alice, big, form, mode):
    sock = alice.begin("STOR up", mode)
    sock.sendall(b"x" * 5000)
    form(alice)
    alice.reply(426)
    alice.reply(226)
    assert closed_without_data(sock)
    still_works(alice)


@pytest.mark.parametrize("verb", ["LIST", "NLST"])
def test_during_a_listing(alice, crowd, verb):
    crowd.file("small", b"content")
    sock = alice.begin(f"{verb} crowd")
    receive_exactly(sock, 1000)
    plain(alice)
    alice.reply(426)
    alice.reply(226)
    drain(sock)
    still_works(alice)


def test_during_a_download_that_nobody_reads(alice, big):
    sock = alice.begin("RETR big")
    plain(alice)
    alice.reply(426)
    alice.reply(226)
    drain(sock)
    still_works(alice)


def test_while_the_server_waits_for_the_data_connection(alice, big):
    alice.cmd("PASV", 227)
    alice.send("RETR big\r\n")
    alice.cmd_without_data("ABOR", codes.ABOR_WHILE_WAITING)
    alice.reply(226)
    still_works(alice)


def test_while_the_server_connects(alice, big):
    """The queue of a full listener drops what comes, so the connection stays unanswered."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = [socket.socket() for _ in range(3)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
    host, port = listener.getsockname()
    alice.cmd(f"PORT {host.replace('.', ',')},{port // 256},{port % 256}", 200)
    alice.send("RETR big\r\n")
    alice.cmd_without_data("ABOR", codes.ABOR_WHILE_WAITING)
    alice.reply(226)
    for sock in [listener, *fillers]:
        sock.close()
    still_works(alice)


def test_after_the_transfer_has_ended(alice, big):
    sock = alice.begin("RETR small")
    assert receive_all(sock) == b"content"
    plain(alice)
    alice.reply(226)
    alice.reply(226)
    still_works(alice)


def test_with_a_listener_waiting(alice, big):
    alice.cmds(("PASV", 227), ("ABOR", codes.ABOR_WITH_LISTENER), ("RETR small", 425))
    still_works(alice)


def test_commands_behind_it_are_answered_in_order(alice, big):
    sock = alice.begin("RETR big")
    receive_exactly(sock, 100000)
    alice.send("ABOR\r\nPWD\r\nSIZE big\r\n")
    for code in (426, 226, 257, 213):
        alice.reply(code)
    drain(sock)
    still_works(alice)


def test_commands_before_it_do_not_hide_it(alice, big):
    sock = alice.begin("RETR big")
    receive_exactly(sock, 100000)
    alice.send("PWD\r\nABOR\r\n")
    for code in (426, 257, 226):  # the transfer ends at once, and every command has its turn
        alice.reply(code)
    drain(sock)
    still_works(alice)


def test_twice(alice, big):
    sock = alice.begin("RETR big")
    receive_exactly(sock, 100000)
    alice.send("ABOR\r\nABOR\r\n")
    for code in (426, 226, 226):
        alice.reply(code)
    drain(sock)
    still_works(alice)


def test_word_in_the_data_is_data(alice, home):
    content = b"ABOR\r\nQUIT\r\n" * 1000
    alice.stor("f", content)
    assert (home / "f").read_bytes() == content
    alice.in_step()


def test_what_was_uploaded_before_it_stays(alice, home):
    sock = alice.begin("STOR up")
    sock.settimeout(DEADLINE_SEC)
    sock.sendall(b"x" * 5000)
    alice.send("ABOR\r\n")
    alice.reply(426)
    alice.reply(226)
    content = (home / "up").read_bytes()
    assert content == b"x" * len(content) and len(content) <= 5000


@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_many_times(alice, big, mode):
    for _ in range(20):
        sock = alice.begin("RETR big", mode)
        receive_exactly(sock, 1000)
        plain(alice)
        alice.reply(426)
        alice.reply(226)
        drain(sock)
    still_works(alice)
