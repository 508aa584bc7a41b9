"""RETR."""

import os
import random
import socket
import stat

import pytest

import codes
from ftpraw import DEADLINE_SEC, Client, Deadline, drain, escaped, receive, receive_exactly

MODES = ["pasv", "epsv", "port", "eprt"]
RANDOM = random.Random(7)

CONTENTS = {
    "empty": b"", "one-byte": b"x", "lines": b"one\ntwo\n", "crlf-lines": b"one\r\ntwo\r\n",
    "every-byte": bytes(range(256)) * 16, "64k-1": RANDOM.randbytes(65535),
    "64k": RANDOM.randbytes(65536), "64k+1": RANDOM.randbytes(65537),
    "4m": RANDOM.randbytes((4 << 20) + 3), "telnet": b"\xff\xf4\xff\xf2ABOR\r\n" * 10,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("content", CONTENTS)
def test_content_arrives_untouched(alice, home, content, mode):
    home.file("f", CONTENTS[content])
    assert alice.retr("f", mode) == CONTENTS[content]
    alice.in_step()


def test_opening_reply_tells_the_size(alice, home):
    home.file("f", b"x" * 1234)
    data = alice.pasv()
    assert "(1234 bytes)" in alice.cmd("RETR f", 150).text
    assert len(receive_exactly(data(), 2000)) == 1234
    alice.reply(226)


@pytest.mark.parametrize("path", [
    "missing", "dir", "dir/", ".", "/", "pipe", "socket", "null", "/dev/zero", "unreadable",
    "f/x", "f/", "closed/f", "dangling", "loop", "n" * 256, "*", "?", "/root/x", "/etc/shadow",
    "/proc/version", "/proc/self/environ", "/proc/self/mem", "/sys/kernel/notes",
])
def test_refused(alice, home, path):
    home.file("f", b"content")
    home.dir("dir")
    home.fifo("pipe")
    home.file("unreadable", b"x", 0o000)
    home.dir("closed")
    home.file("closed/f")
    (home / "closed").chmod(0o000)
    home.link("dangling", "nowhere")
    home.link("loop", "loop")
    os.mknod(home / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(home / "socket"))
    os.chmod(home / "socket", 0o666)
    alice.refused(f"RETR {path}", 550)
    alice.in_step()
    assert alice.retr("f") == b"content"
    server.close()


@pytest.mark.parametrize("line", ["RETR", "RETR "])
def test_without_name_is_501(alice, line):
    alice.cmd(line, 501)
    alice.in_step()


def test_without_data_connection_is_425(alice, home):
    home.file("f")
    alice.cmd("RETR f", 425)
    alice.cmd("RETR missing", codes.NO_DATA_OR_MISSING)
    alice.in_step()


@pytest.mark.parametrize("mode", MODES)
def test_data_connection_serves_once(alice, home, mode):
    home.file("f", b"content")
    assert alice.retr("f", mode) == b"content"
    alice.cmd("RETR f", 425)
    alice.in_step()


def test_many_in_one_session(alice, home):
    for number in range(60):
        home.file("f", str(number).encode())
        assert alice.retr("f", MODES[number % 4]) == str(number).encode()
    alice.in_step()


@pytest.mark.parametrize("name", [
    "two words", " leading", "trailing ", "ünï", b"\xe4\xf6", b"a\xffb", "*", "a[1]", "{a,b}",
    "?", '"', "%n%s%x", "-la", "back\\slash", "\x01", "\t", "x" * 255, "~x", ";", "a\x7fb",
])
def test_names_are_taken_as_they_are(alice, home, name):
    home.file("other", b"wrong")
    home.file(name, b"right")
    assert alice.retr(escaped(name)) == b"right"


@pytest.mark.parametrize("path", ["d/f", "./d/f", "d//f", "d/../d/f", "/home/alice/d/f",
                                  "//home/alice/d/f", "~/d/f", "link", "linkdir/f", "linklink"])
def test_paths(alice, home, path):
    home.dir("d")
    home.file("d/f", b"content")
    home.link("link", "d/f")
    home.link("linkdir", "d")
    home.link("linklink", "/home/alice/link")
    assert alice.retr(path) == b"content"


@pytest.mark.parametrize("path", ["/f", "f", "../f", "/../../f", "d/../../f", "link", "relative"])
def test_paths_inside_a_chroot(jailed, home, path):
    home.dir("d")
    home.file("f", b"content")
    home.link("link", "/f")
    home.link("relative", "../../f")
    assert jailed.retr(path) == b"content"


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "out", "outdir/passwd",
                                  "/home/alice/f", "/proc/self/environ", "up/etc/passwd"])
def test_nothing_outside_a_chroot(jailed, home, path):
    home.file("f", b"content")
    home.link("out", "/etc/passwd")
    home.link("outdir", "/etc")
    home.link("up", "../../..")
    jailed.refused(f"RETR {path}", 550)
    jailed.in_step()


def test_over_4_gib(alice, home):
    size = (4 << 30) + 5
    path = home.sparse("big", size)
    with open(path, "r+b") as big:
        big.seek(4 << 30)
        big.write(b"tail!")
    data = alice.pasv()
    assert f"({size} bytes)" in alice.cmd("RETR big", 150).text
    deadline, total, last, buffer = Deadline(50), 0, b"", bytearray(1 << 20)
    sock = data()
    while True:
        deadline.arm(sock)
        count = sock.recv_into(buffer)
        if not count:
            break
        total += count
        last = (last + bytes(buffer[max(0, count - 5):count]))[-5:]
    assert (total, last) == (size, b"tail!")
    alice.reply(226, seconds=DEADLINE_SEC)


def test_slow_reader_gets_everything(alice, home):
    content = RANDOM.randbytes(3 << 20)
    home.file("f", content)
    with alice.begin("RETR f") as sock:
        got = b"".join(iter(lambda: receive(sock, 7000), b""))
    assert got == content
    alice.reply(226)


@pytest.mark.parametrize("how", ["close", "reset"])
def test_client_drops_the_data_connection(alice, home, how):
    home.sparse("big", 1 << 30)
    home.file("f", b"content")
    sock = alice.begin("RETR big")
    receive_exactly(sock, 100000)
    if how == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()
    alice.reply(codes.DATA_BROKEN)
    alice.in_step()
    assert alice.retr("f") == b"content"


@pytest.mark.parametrize("end", [Client.close, Client.reset])
def test_client_that_vanishes_during_a_transfer(ftpd, home, end):
    """Also with the data connection open, if the control connection is not closed but broken."""
    home.sparse("big", 1 << 30)
    daemon = ftpd()
    client = daemon.login("alice")
    receive_exactly(client.begin("RETR big"), 100000)
    end(client)
    assert not daemon.wait_no_sessions()


def test_half_closed_control_connection_still_gets_the_file(alice, home):
    home.sparse("big", 64 << 20)
    sock = alice.begin("RETR big")
    receive_exactly(sock, 1000)
    alice.sock.shutdown(socket.SHUT_WR)
    assert len(receive_exactly(sock, 1 << 30)) == (64 << 20) - 1000
    alice.reply(226)
    alice.wait_closed()


def test_file_that_shrinks_during_the_transfer(alice, home):
    path = home.sparse("big", 1 << 30)
    sock = alice.begin("RETR big")
    receive_exactly(sock, 100000)
    os.truncate(path, 0)
    drain(sock)
    alice.reply(codes.FILE_FAILED)
    alice.in_step()


def test_commands_during_a_transfer_are_answered_after_it(alice, home):
    home.sparse("big", 64 << 20)
    sock = alice.begin("RETR big")
    alice.send("PWD\r\nSIZE big\r\n")
    assert len(receive_exactly(sock, 1 << 30)) == 64 << 20
    for code in (226, 257, 213):
        alice.reply(code)
    alice.in_step()


@pytest.mark.parametrize("offset", [0, 1, 500, 1233, 1234])
@pytest.mark.parametrize("mode", MODES)
def test_opening_reply_of_a_resumed_download_tells_the_full_size(alice, home, offset, mode):
    """curl and others look for the number before "bytes"."""
    home.file("(7 bytes) f", bytes(1234))
    data = getattr(alice, mode)()
    alice.cmd(f"REST {offset}", 350)
    text = alice.cmd("RETR (7 bytes) f", 150).text
    assert text == "Opening BINARY mode data connection for (7 bytes) f (1234 bytes)."
    assert len(receive_exactly(data(), 2000)) == 1234 - offset
    alice.reply(226)
    alice.in_step()


def test_commands_right_behind_the_transfer(alice, home):
    """The file is closed at 226: it can be renamed and removed, and its listener serves no more."""
    home.file("f", b"content")
    data = alice.pasv()
    alice.send("RETR f\r\nRETR f\r\nRNFR f\r\nRNTO g\r\nDELE g\r\nSIZE g\r\n")
    for code in (150, 226, 425, 350, 250, 250, 550):
        alice.reply(code)
    assert receive_exactly(data(), 100) == b"content"
    alice.in_step()
