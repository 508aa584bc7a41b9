"""ABOR: idle, and in the middle of every kind of transfer."""

import random
import socket

import pytest

import codes
from ftpraw import (DEADLINE_SEC, closed_without_data, drain, port_command, receive_all,
                    receive_exactly)

IAC, IP, DM = b"\xff", b"\xf4", b"\xf2"
CONTENT = random.Random(53).randbytes((3 << 20) + 1)


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


def urgent_mark_alone(client):
    """As lftp does: DM is a segment of its own."""
    client.send(IAC + IP + IAC)
    client.send_urgent(DM)
    client.send("ABOR\r\n")


def urgent_synch(client):
    """All of the Telnet bytes in one urgent segment, and small letters."""
    client.send_urgent(IAC + IP + IAC + DM)
    client.send("abor\r\n")


def urgent_without_its_end(client):
    """The urgent mark is in the middle of the line."""
    client.send_urgent(IAC + IP + IAC + DM + b"ABO")
    client.send("R\r\n")


def bare_line_feed(client):
    client.send("Abor\n")


def byte_by_byte(client):
    for byte in IAC + IP + IAC + DM + b"ABOR\r\n":
        client.send(bytes([byte]))


FORMS = [plain, lower_case, telnet_in_band, whole_line_urgent, telnet_synch, urgent_data_mark,
         urgent_mark_alone, urgent_synch, urgent_without_its_end, bare_line_feed, byte_by_byte]


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


@pytest.mark.parametrize("verb", ["LIST", "NLST", "MLSD"])
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


# The session afterwards, and what may come around an ABOR.

def aborted(client, sock):
    """The replies to ABOR in the middle of a transfer, and the end of its data connection."""
    client.reply(426)
    client.reply(226)
    drain(sock)
    client.in_step()


@pytest.mark.parametrize("mode", ["pasv", "epsv", "port", "eprt"])
@pytest.mark.parametrize("line", ["RETR big", "STOR up", "APPE up", "STOU up", "RETR small"])
def test_next_transfers_move_the_right_bytes(alice, big, line, mode):
    big.file("f", CONTENT)
    sock = alice.begin(line, mode)
    if line == "RETR big":
        receive_exactly(sock, 100_000)
    elif line != "RETR small":
        sock.sendall(b"x" * 5000)
    plain(alice)
    alice.reply(226 if line == "RETR small" else 426)
    alice.reply(226)
    drain(sock)
    for other in ("pasv", "epsv", "port", "eprt"):
        assert alice.retr("f", other) == CONTENT
        alice.stor("g", CONTENT, other)
        assert (big / "g").read_bytes() == CONTENT
    alice.in_step()


@pytest.mark.parametrize("form", FORMS)
def test_before_login(client, form):
    form(client)
    client.reply(codes.ABOR_IDLE)
    client.in_step()


@pytest.mark.parametrize("form", FORMS)
def test_idle_twice(alice, form):
    for _ in range(2):
        form(alice)
    for _ in range(2):
        alice.reply(codes.ABOR_IDLE)
    alice.in_step()


@pytest.mark.parametrize("mode", ["pasv", "port"])
@pytest.mark.parametrize("line", ["RETR big", "STOR up"])
def test_in_one_segment_with_the_transfer(alice, big, line, mode):
    data = getattr(alice, mode)()
    alice.send(f"{line}\r\nABOR\r\n")
    alice.reply(150)
    aborted(alice, data())
    still_works(alice)


def test_in_one_segment_with_a_transfer_that_ends_before_it(alice, big):
    data = alice.pasv()
    alice.send("RETR small\r\nABOR\r\n")
    for code in (150, 226, 226):
        alice.reply(code)
    assert receive_all(data()) == b"content"
    still_works(alice)


@pytest.mark.parametrize("line", ["RETR big", "STOR up"])
@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_behind_a_data_connection_that_the_client_has_closed(alice, big, line, mode):
    """As curl does when it has enough: it closes first, and then it says so."""
    sock = alice.begin(line, mode)
    if line == "RETR big":
        receive_exactly(sock, 100_000)
    sock.close()
    plain(alice)
    alice.reply(426 if line == "RETR big" else (226, 426))
    alice.reply(226)
    still_works(alice)


def test_and_the_client_leaves_at_once(ftpd, big):
    daemon = ftpd()
    client = daemon.login("alice")
    sock = client.begin("RETR big")
    receive_exactly(sock, 100_000)
    sock.close()
    plain(client)
    client.sock.shutdown(socket.SHUT_WR)
    for code in (426, 226):
        client.reply(code)
    client.wait_closed()
    assert not daemon.wait_no_sessions()


@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_after_a_refused_transfer(alice, big, mode):
    data = getattr(alice, mode)()
    alice.cmds(("RETR missing", 550), ("ABOR", codes.ABOR_WITH_LISTENER), ("RETR small", 425))
    if mode == "pasv":
        data().close()
    still_works(alice)


def test_cancels_port(alice, big):
    listener = alice.listen_data()
    alice.cmds((port_command(listener.getsockname()), 200), ("ABOR", codes.ABOR_WITH_LISTENER),
               ("RETR small", 425))
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()
    still_works(alice)


def test_client_that_connects_after_it(alice, big):
    """The connection that was awaited before is not taken for the next transfer."""
    address = alice.pasv_address()
    alice.cmd("RETR big", 150)
    plain(alice)
    alice.reply(codes.ABOR_WHILE_WAITING)
    alice.reply(226)
    try:
        late = alice.connect_data(address)
    except ConnectionRefusedError:
        late = None
    assert alice.retr("small") == b"content"
    if late:
        assert closed_without_data(late)
    still_works(alice)


def test_twice_while_the_server_waits(alice, big):
    alice.pasv_address()
    alice.send("RETR big\r\nABOR\r\nABOR\r\nNOOP\r\n")
    for code in (150, codes.ABOR_WHILE_WAITING, 226, 226, 200):
        alice.reply(code)
    still_works(alice)


def test_what_is_answered_at_once_stays_before_it(alice, big):
    sock = alice.begin("RETR big")
    receive_exactly(sock, 100_000)
    alice.send("NOOP\r\nSTAT\r\nABOR\r\nNOOP\r\n")
    for code in (200, codes.STAT_IN_TRANSFER, 426, 226, 200):
        alice.reply(code)
    drain(sock)
    still_works(alice)


@pytest.mark.parametrize("before, replies", [
    ("\r\n\r\n", []), ("x" * 6000 + "\r\n", [500]), ("XYZZY\r\n", [500]), ("\n", []),
    ("ABORT\r\n", [500]), ("SITE ABOR\r\n", [500]), ("PWD\r\nTYPE I\r\n", [257, 200]),
    ("a\0b\r\n", [501]), ("RETR small\r\n", [425]),
], ids=["empty lines", "long line", "unknown", "line feed", "other word", "subcommand", "two",
        "bad byte", "transfer"])
def test_whatever_comes_before_it(alice, big, before, replies):
    sock = alice.begin("RETR big")
    receive_exactly(sock, 100_000)
    alice.send(f"{before}ABOR\r\n")
    for code in [426, *replies, 226]:
        alice.reply(code)
    drain(sock)
    still_works(alice)


def test_with_a_blank_behind_it(alice, big):
    sock = alice.begin("RETR big")
    receive_exactly(sock, 100_000)
    alice.send("ABOR \r\n")
    aborted(alice, sock)


@pytest.mark.parametrize("line", ["ABORT", "XABOR", "ABORABOR", "STAT ABOR", "A B O R"])
def test_other_words_abort_nothing(alice, home, line):
    home.file("f", CONTENT)
    sock = alice.begin("RETR f")
    received = receive_exactly(sock, 1000)
    alice.send_line(line)
    assert received + receive_all(sock) == CONTENT
    alice.reply(226)
    alice.reply(500, 501, codes.STAT_MISSING)
    alice.in_step()


def test_synch_alone_aborts_nothing(alice, home):
    home.file("f", CONTENT)
    sock = alice.begin("RETR f")
    received = receive_exactly(sock, 1000)
    alice.send_urgent(IAC + IP + IAC + DM)
    assert received + receive_all(sock) == CONTENT
    alice.reply(226)
    alice.send(IAC + IP)
    alice.send_urgent(IAC + DM)
    alice.in_step()


def test_next_transfer_goes_on_where_it_ended(alice, home):
    home.file("f", CONTENT * 10)
    sock = alice.begin("RETR f")
    received = receive_exactly(sock, 100_000)
    plain(alice)
    aborted(alice, sock)
    assert received + alice.retr("f", rest=len(received)) == CONTENT * 10
    sock = alice.begin("STOR up")
    sock.sendall(CONTENT[:100_000])
    plain(alice)
    aborted(alice, sock)
    size = int(alice.cmd("SIZE up", 213).text)
    alice.stor("up", CONTENT[size:], rest=size)
    assert (home / "up").read_bytes() == CONTENT


@pytest.mark.parametrize("line", ["RETR pub/data.bin", "LIST pub"])
def test_of_an_anonymous_user(anon, line):
    anon.pasv_address()
    anon.send(f"{line}\r\nABOR\r\n")
    for code in (150, codes.ABOR_WHILE_WAITING, 226):
        anon.reply(code)
    assert len(anon.retr("pub/data.bin")) == 102_400
    anon.in_step()
