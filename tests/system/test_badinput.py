"""Input that no proper client sends gets a clear reply and changes nothing."""

import os
import random
import select
import socket
import time

import pytest

from accounts import ALL
from ftpraw import DEADLINE_SEC, receive

LINE_MAX = 4096
IAC = b"\xff"
PASSWORD = ALL["alice"].password


@pytest.fixture
def canary(home):
    """Files that a command which was not to be run would remove."""
    for name in ("a", "b", "ab", "canary"):
        home.file(name, b"content")
    return home


def exchange(client, data):
    """Send all of `data` while reading,
    so that neither side waits for the other; then what came."""
    received = bytearray()
    end = time.monotonic() + 30
    client.sock.setblocking(False)
    while data:
        assert time.monotonic() < end, "the server takes no more"
        readable, writable, _ = select.select([client.sock], [client.sock], [], 1)
        if readable:
            chunk = client.sock.recv(1 << 16)
            assert chunk, "closed"
            received += chunk
        if writable:
            data = data[client.sock.send(data[:1 << 16]):]
    client.buffer += bytes(received)


# Over-long lines.

@pytest.mark.parametrize("length", [1000, LINE_MAX - 1, LINE_MAX])
def test_line_up_to_the_limit_is_a_command(alice, length):
    alice.cmd("CWD " + "x" * (length - 4), 550)
    alice.in_step()


@pytest.mark.parametrize("length", [LINE_MAX + 1, LINE_MAX + 2, 2 * LINE_MAX, 65536, 1 << 20])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_longer_line_is_500_once(alice, length, end):
    exchange(alice, b"CWD " + b"x" * (length - 4) + end.encode())
    alice.reply(500)
    alice.in_step()


@pytest.mark.parametrize("offset", [LINE_MAX - 4, LINE_MAX - 1, LINE_MAX, LINE_MAX + 1,
                                    LINE_MAX + 2,
                                    2 * LINE_MAX, 3 * LINE_MAX])
def test_rest_of_a_long_line_is_not_run(alice, canary, offset):
    exchange(alice, b"x" * offset + b"DELE canary" + b" " * LINE_MAX + b"\r\n")
    alice.reply(500)
    alice.in_step()
    assert "canary" in canary.names()


def test_long_line_before_login(ftpd):
    client = ftpd().connect()
    for _ in range(3):
        exchange(client, b"USER " + b"x" * 20000 + b"\r\n")
        client.reply(500)
    client.login("alice", PASSWORD)
    client.in_step()


def test_long_line_in_small_pieces(alice):
    for _ in range(100):
        alice.send("x" * 100)
    alice.send("\r\n")
    alice.reply(500)
    alice.in_step()


def test_commands_behind_a_long_line_are_run(alice):
    exchange(alice, b"x" * 10000 + b"\r\nNOOP\r\n" + b"y" * 10000 + b"\nPWD\r\n")
    for code in (500, 200, 500, 257):
        alice.reply(code)
    alice.in_step()


@pytest.mark.parametrize("size", [100, 1 << 20])
def test_client_that_vanishes_within_a_line(ftpd, size):
    daemon = ftpd()
    for client in (daemon.connect(), daemon.login("alice")):
        exchange(client, b"x" * size)
        client.close()
    assert not daemon.wait_no_sessions()


# NUL, CR and LF where they do not belong.

@pytest.mark.parametrize("line", [
    b"DELE a\0", b"DELE a\0b", b"DELE \0a", b"DELE\0 a", b"DEL\0E a", b"\0DELE a", b"DELE a\0\0\0",
    b"\0",
    b"DELE a\0\r", b"NOOP\0", b"DELE a\rb", b"DELE\ra", b"\rDELE a", b"DELE \ra", b"DE\rLE a",
    b"NOOP\rNOOP",
    b"DELE a\rDELE b",
])
def test_nul_or_cr_within_a_line_is_501(alice, canary, line):
    alice.cmd(line, 501)
    alice.in_step()
    assert canary.names() == ["a", "ab", "b", "canary"]


@pytest.mark.parametrize("line", [b"USER al\0ice", b"USER alice\0", b"US\rER alice",
                                  b"\0USER alice"])
def test_nul_or_cr_before_login_is_501(ftpd, line):
    client = ftpd().connect()
    client.cmd(line, 501)
    client.cmd(f"PASS {PASSWORD}", 503)


@pytest.mark.parametrize("line", [b"PASS secret-alice\0", b"PASS secret-alice\0x",
                                  b"PASS secret\r-alice"])
def test_nul_or_cr_in_a_password_does_not_log_in(ftpd, line):
    client = ftpd().connect()
    client.cmds(("USER alice", 331), (line, 501))
    client.cmd("PWD", 530)


@pytest.mark.parametrize("ending", [b"\r\n", b"\n", b"\r\r\n"])
def test_line_endings(alice, ending):
    alice.send(b"NOOP" + ending + b"PWD" + ending)
    for code in (200, 257):
        alice.reply(code)
    alice.in_step()


@pytest.mark.parametrize("empty", [b"\r\n", b"\n", b"\r\n\r\n\n\n\r\n", b"\r\r\n", b"\r\n" * 5000])
def test_empty_lines_are_ignored(alice, empty):
    alice.send(empty)
    alice.in_step()


def test_empty_lines_before_login_are_no_failures(ftpd):
    client = ftpd().connect()
    client.send("\r\n" * 100)
    client.login("alice", PASSWORD)
    client.in_step()


def test_crlf_split_over_two_writes(alice):
    alice.send("NOOP\r")
    alice.send("\n")
    alice.reply(200)
    alice.send("PWD")
    alice.send("\r\n")
    alice.reply(257)
    alice.in_step()


# Telnet.

@pytest.mark.parametrize("code", [0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf9])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_telnet_commands_are_removed(alice, code, place):
    telnet = IAC + bytes([code])
    alice.cmd(b"NOOP"[:place] + telnet + b"NOOP"[place:], 200)
    alice.in_step()


@pytest.mark.parametrize("verb", [0xfb, 0xfc, 0xfd, 0xfe])
@pytest.mark.parametrize("option", [0x01, 0x00, 0x0a, 0x0d, 0x18, 0xff])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_telnet_options_are_removed(alice, verb, option, place):
    telnet = IAC + bytes([verb, option])
    alice.cmd(b"NOOP"[:place] + telnet + b"NOOP"[place:], 200)
    alice.in_step()


def test_telnet_one_byte_at_a_time(alice):
    for byte in IAC + b"\xfd\x0aNO" + IAC + b"\xf4OP" + IAC + b"\xfb\x01\r\n":
        alice.send(bytes([byte]))
    alice.reply(200)
    alice.in_step()


def test_doubled_ff_is_one_ff(alice, home):
    alice.cmd(b"MKD x" + IAC * 2 + b"y", 257)
    alice.cmd(b"MKD " + IAC * 4, 257)
    assert sorted(os.listdir(os.fsencode(home.path))) == [b"x\xffy", b"\xff\xff"]
    alice.cmd(b"RMD x" + IAC * 2 + b"y", 250)


def test_many_telnet_commands(alice):
    exchange(alice, (IAC + b"\xf1") * 50000)
    exchange(alice, (IAC + b"\xfb\x0a") * 50000)
    alice.send("NOOP\r\n")
    alice.reply(200)
    alice.in_step()


@pytest.mark.parametrize("offset", range(LINE_MAX - 4, LINE_MAX + 4))
def test_telnet_command_at_the_end_of_the_buffer(alice, offset):
    argument = b"x" * (offset - 4)
    exchange(alice, b"CWD " + argument + IAC + b"\xfd\x0a\r\n")
    alice.reply(550 if offset <= LINE_MAX else 500)
    exchange(alice, b"CWD " + argument + IAC * 2 + b"\r\n")
    alice.reply(550 if offset + 1 <= LINE_MAX else 500)
    alice.in_step()


def test_urgent_data_is_harmless(alice):
    for data in (b"\xff", b"\xff\xf2", b"x", b"\r\n"):
        alice.send_urgent(data)
    alice.send("\r\n")
    end = time.monotonic() + DEADLINE_SEC
    alice.send_line("SYST")
    while alice.reply(500, 501, 215).code != 215:
        assert time.monotonic() < end
    alice.in_step()


# Bytes of every value, and texts that mean something elsewhere.

def test_every_byte_as_an_argument(alice):
    for value in range(256):
        byte = bytes([value])
        alice.send(b"CWD " + (byte * 2 if byte == IAC else byte) + b"\r\n")
        alice.reply(250, 501, 550)
        alice.cmd("CWD", 250)
    alice.in_step()


def test_every_byte_as_a_verb(ftpd):
    daemon = ftpd()
    values = [value for value in range(256) if value not in b"\r\n\xff"]
    for start in range(0, len(values), 8):
        client = daemon.connect()
        for value in values[start:start + 8]:
            client.cmd(bytes([value]), 500, 501)
        client.in_step()
        client.close()


@pytest.mark.parametrize("line", [
    "%n%n%n%n", "%s%s%s%s", "%1000000d", "$(id)", "`id`", ";id", "|id", "' OR 1=1", "../../..",
    " NOOP",
    "NOOPX", "NOO", "NO OP", "\tNOOP", "\x1b[2J", "ÜSER alice", "A" * 1000,
])
def test_rubbish_is_500(alice, line):
    alice.cmd(line, 500, 501)
    alice.in_step()


@pytest.mark.parametrize("verb", [
    "USER", "PASS", "CWD", "RETR", "STOR", "APPE", "LIST", "NLST", "STAT", "SIZE", "MDTM", "MKD",
    "RMD", "DELE",
    "RNFR", "RNTO", "REST", "TYPE", "STRU", "MODE", "PORT", "EPRT", "EPSV", "OPTS", "HELP", "SITE",
    "SITE CHMOD", "SITE UMASK", "CLNT", "ACCT", "ALLO",
])
def test_wild_arguments_get_one_reply(alice, verb):
    for argument in ("%n%s%x", "x" * 4000, "../" * 1300, "\x01\x7f\x80\xfe", '"' * 2000,
                     " " * 4000):
        alice.cmd(f"{verb} {argument}")
        alice.in_step()


@pytest.mark.parametrize("name", [b"\xe4\xf6\xfc", b"\x80", b"\xc3\x28", "ünï€😀".encode(),
                                  b"\xfe\xfe"])
def test_8_bit_names_make_the_round(alice, home, name):
    alice.stor(name, b"content")
    assert os.listdir(os.fsencode(home.path)) == [name]
    assert alice.nlst() == [os.fsdecode(name)]
    assert alice.retr(name) == b"content"
    alice.cmds((b"SIZE " + name, 213), (b"RNFR " + name, 350), (b"RNTO d" + name, 250),
               (b"DELE d" + name, 250))
    assert os.fsencode(alice.cmd(b"MKD " + name, 257).quoted()) == b"/home/alice/" + name
    alice.cmd(b"CWD " + name, 250)
    assert os.fsencode(alice.cmd("PWD", 257).quoted()) == b"/home/alice/" + name


# Pipelining.

PIPELINE = [
    ("NOOP", 200), ("PWD", 257), ("SYST", 215), ("SIZE missing", 550), ("RNTO x", 503),
    ("REST 7", 350), ("FEAT", 211), ("TYPE X", 501), ("STRU R", 504), ("CWD .", 250),
    ("RETR missing", (425, 550)), ("TYPE I", 200), ("STAT", 211), ("HELP", 214), ("ABOR", 226),
]


def run_pipeline(client, count, pieces=None):
    chosen = random.Random(count).choices(PIPELINE, k=count)
    data = "".join(line + "\r\n" for line, _ in chosen).encode()
    if pieces:
        for start in range(0, len(data), pieces):
            exchange(client, data[start:start + pieces])
    else:
        exchange(client, data)
    for line, code in chosen:
        try:
            client.reply(code)
        except AssertionError as error:
            raise AssertionError(f"for {line!r}: {error}") from None
    client.in_step()


def test_thousand_commands_in_one_write(alice):
    run_pipeline(alice, 1000)


@pytest.mark.parametrize("pieces", [1, 7, 100, 4095, 4096, 4097])
def test_pipelined_commands_in_pieces(alice, pieces):
    run_pipeline(alice, 200, pieces)


def test_pipelined_commands_that_change_things_keep_their_order(alice, home):
    exchange(alice, b"".join(b"MKD d%d\r\nCWD d%d\r\n" % (n, n) for n in range(100)))
    for _ in range(100):
        alice.reply(257)
        alice.reply(250)
    assert alice.cmd("PWD", 257).quoted() == "/home/alice/" + "/".join(f"d{n}" for n in range(100))


def test_thousand_commands_before_login(ftpd):
    client = ftpd().connect()
    exchange(client, b"NOOP\r\nSYST\r\n" * 500)
    for _ in range(500):
        client.reply(200)
        client.reply(215)
    client.login("alice", PASSWORD)


def test_client_that_does_not_read_does_not_hurt(ftpd):
    """The server stops reading when its replies are not taken, and serves others meanwhile."""
    daemon = ftpd()
    client = daemon.login("alice")
    client.sock.setblocking(False)
    block, sent = b"HELP\r\n" * 10000, 0
    while sent < 100 << 20:
        if not select.select([], [client.sock], [], 0.5)[1]:
            break
        try:
            sent += client.sock.send(block)
        except BlockingIOError:
            pass
    assert sent < 100 << 20, "the server takes commands without end"
    daemon.login("bob").in_step()
    daemon.close_clients()
    assert not daemon.wait_no_sessions()


# A control connection that is half closed, or gone.

def test_half_closed_connection_gets_its_replies(alice):
    alice.send("NOOP\r\nPWD\r\nSYST\r\n")
    alice.sock.shutdown(socket.SHUT_WR)
    for code in (200, 257, 215):
        alice.reply(code)
    alice.wait_closed()


def test_half_closed_before_login(ftpd):
    client = ftpd().connect()
    client.send(f"USER alice\r\nPASS {PASSWORD}\r\nPWD\r\n")
    client.sock.shutdown(socket.SHUT_WR)
    for code in (331, 230, 257):
        client.reply(code)
    client.wait_closed()


def test_half_closed_without_a_word(ftpd):
    daemon = ftpd()
    client = daemon.connect()
    client.sock.shutdown(socket.SHUT_WR)
    client.wait_closed()
    assert not daemon.wait_no_sessions()


def test_unfinished_last_line_is_not_run(alice, canary):
    alice.send("NOOP\r\nDELE canary")
    alice.sock.shutdown(socket.SHUT_WR)
    alice.reply(200)
    while receive(alice.sock):
        pass
    assert "canary" in canary.names()


@pytest.mark.parametrize("reset", [False, True])
def test_three_hundred_clients_that_vanish(ftpd, reset):
    daemon = ftpd(max_per_ip="0", max_clients="0")
    for number in range(300):
        sock = socket.create_connection(("127.0.0.1", daemon.port), DEADLINE_SEC)
        if number % 3 == 1:
            sock.sendall(b"USER alice\r\n")
        elif number % 3 == 2:
            receive(sock)
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
    daemon.login("alice").in_step()
    daemon.close_clients()
    assert not daemon.wait_no_sessions(10)


# Wrong order.

@pytest.mark.parametrize("line, code", [
    ("RNTO x", 503), ("RETR a", 425), ("STOR x", 425), ("APPE x", 425), ("LIST", 425), ("NLST",
    425),
    ("PASS x", 230),
])
def test_wrong_order(alice, canary, line, code):
    alice.cmd(line, code)
    alice.in_step()
    assert canary.names() == ["a", "ab", "b", "canary"]


# Paths.

@pytest.mark.parametrize("path", ["..", "../", "/..", "//", "/./..//", "../../../../..", "a/../..",
                                  "d/../../..",
                                  "d/./../d/..//..", "out", "out/..", "./out/alice/..", "up",
                                  "up/..", "/up/.."])
def test_no_path_leaves_the_chroot(jailed, home, path):
    outside = os.path.join("/home", "canary")
    with open(outside, "wb") as canary:
        canary.write(b"outside")
    os.chmod(outside, 0o666)
    home.dir("d")
    home.link("out", "/home")
    home.link("up", "../..")
    for line in ("SIZE", "MDTM", "DELE", "RNFR", "STAT", "SITE CHMOD 600"):
        jailed.cmd(f"{line} {path}/canary", 550, 450)
    jailed.refused(f"RETR {path}/canary", 550)
    jailed.refused(f"LIST {path}/canary", 550)
    with open(outside, "rb") as canary:
        assert canary.read() == b"outside"
    assert os.stat(outside).st_mode & 0o777 == 0o666
    os.unlink(outside)
