"""STOR."""

import hashlib
import os
import random
import socket

import pytest

import codes
from ftpraw import DEADLINE_SEC, Client, drain, escaped
from uploads import Upload

OPTIONS = ("local_umask", "file_open_mode")

MODES = ["pasv", "epsv", "port", "eprt"]
RANDOM = random.Random(11)

CONTENTS = {
    "empty": b"", "one-byte": b"x", "lines": b"one\ntwo\n", "crlf-lines": b"one\r\ntwo\r\n",
    "every-byte": bytes(range(256)) * 16, "64k-1": RANDOM.randbytes(65535),
    "64k": RANDOM.randbytes(65536), "64k+1": RANDOM.randbytes(65537),
    "4m": RANDOM.randbytes((4 << 20) + 3), "telnet": b"\xff\xf4\xff\xf2ABOR\r\n" * 10,
}


class TestUpload(Upload):
    verb = "STOR"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("content", CONTENTS)
def test_content_arrives_untouched(alice, home, content, mode):
    alice.stor("f", CONTENTS[content], mode)
    assert (home / "f").read_bytes() == CONTENTS[content]
    alice.in_step()


def test_large_file_by_hash(alice, home):
    block = RANDOM.randbytes(1 << 20)
    with alice.begin("STOR f") as sock:
        for _ in range(200):
            sock.sendall(block)
    alice.reply(226)
    expected = hashlib.sha256(block * 200).digest()
    assert hashlib.sha256((home / "f").read_bytes()).digest() == expected


def test_many_small_writes(alice, home):
    with alice.begin("STOR f") as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(500):
            sock.sendall(b"%d\n" % number)
    alice.reply(226)
    assert (home / "f").read_bytes() == b"".join(b"%d\n" % number for number in range(500))


def test_many_files_in_one_session(alice, home):
    for number in range(60):
        alice.stor(f"f{number}", b"%d" % number, MODES[number % 4])
    assert all((home / f"f{n}").read_bytes() == b"%d" % n for n in range(60))


def test_existing_file_is_replaced(alice, home):
    path = home.file("f", b"a long former content", 0o640)
    inode = path.stat().st_ino
    alice.stor("f", b"short")
    assert path.read_bytes() == b"short"
    assert (path.stat().st_ino, path.stat().st_mode & 0o777) == (inode, 0o640)


def test_file_belongs_to_the_user(alice, home):
    alice.stor("f", b"x")
    status = (home / "f").stat()
    assert (status.st_uid, status.st_gid) == (home.account.uid, home.account.gid)


@pytest.mark.parametrize("options, mode", [
    ({}, 0o600), ({"local_umask": "022"}, 0o644), ({"local_umask": "0"}, 0o666),
    ({"local_umask": "027", "file_open_mode": "0777"}, 0o750), ({"local_umask": "0777"}, 0o000),
])
def test_permissions_of_a_new_file(ftpd, home, options, mode):
    ftpd(**options).login("alice").stor("f", b"x")
    assert (home / "f").stat().st_mode & 0o7777 == mode


@pytest.mark.parametrize("name", [
    "two words", " leading", "trailing ", "ünï", b"\xe4\xf6", b"a\xffb", "*", "a[1]", "{a,b}",
    "?", '"', "%n%s%x", "-la", "back\\slash", "x" * 255, "~x",
])
def test_names_are_taken_as_they_are(alice, home, name):
    alice.stor(escaped(name), b"content")
    assert home.names() == [os.fsdecode(name)]


@pytest.mark.parametrize("path", ["d/f", "./d/f", "d//f", "d/../d/f", "/home/alice/d/f", "~/d/f",
                                  "linkdir/f", "link"])
def test_paths(alice, home, path):
    home.dir("d")
    home.file("d/f", b"former")
    home.link("linkdir", "d")
    home.link("link", "d/f")
    alice.stor(path, b"content")
    assert (home / "d" / "f").read_bytes() == b"content"


@pytest.mark.parametrize("path", ["/f", "../f", "/../../f", "d/../../f", "up/f"])
def test_paths_inside_a_chroot(jailed, home, path):
    home.dir("d")
    home.link("up", "../..")
    jailed.stor(path, b"content")
    assert (home / "f").read_bytes() == b"content"


def test_everything_is_in_the_file_at_226(alice, home):
    for number in range(20):
        alice.stor("f", b"x" * number)
        assert (home / "f").stat().st_size == number
        assert alice.cmd("SIZE f", 213).text == str(number)


@pytest.mark.parametrize("sent", [0, 1000, 100000])
def test_reset_data_connection_is_no_success(alice, home, sent):
    sock = alice.begin("STOR f")
    sock.sendall(b"x" * sent)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()
    alice.reply(codes.DATA_BROKEN)
    alice.in_step()
    alice.stor("f", b"again")
    assert (home / "f").read_bytes() == b"again"


@pytest.mark.parametrize("end", [Client.close, Client.reset])
def test_client_that_vanishes_during_an_upload(ftpd, home, end):
    """Also with the data connection open, if the control connection is not closed but broken."""
    daemon = ftpd()
    client = daemon.login("alice")
    client.begin("STOR f").sendall(b"x" * 1000)
    end(client)
    assert not daemon.wait_no_sessions()


def test_half_closed_control_connection_still_gets_the_file_there(alice, home):
    with alice.begin("STOR f") as sock:
        sock.sendall(b"one")
        alice.sock.shutdown(socket.SHUT_WR)
        sock.sendall(b"two")
    alice.reply(226)
    alice.wait_closed()
    assert (home / "f").read_bytes() == b"onetwo"


def test_full_disk_is_452_and_the_session_lives(alice, disk):
    alice.cmd("CWD disk", 250)
    sock = alice.begin("STOR big")
    try:
        sock.sendall(b"x" * (8 << 20))
    except (BrokenPipeError, ConnectionResetError):
        pass
    alice.reply(452)
    drain(sock)
    alice.in_step()
    alice.cmd("DELE big", 250)
    alice.stor("small", b"fits")
    assert (disk / "small").read_bytes() == b"fits"


def test_full_disk_at_the_last_byte(alice, disk):
    """Small enough to be wholly sent before the server notices."""
    (disk / "filler").write_bytes(b"x" * (255 << 10))
    alice.cmd("CWD disk", 250)
    with alice.begin("STOR f") as sock:
        try:
            sock.sendall(b"x" * 5000)
        except (BrokenPipeError, ConnectionResetError):
            pass
    alice.reply(452)
    alice.in_step()


def test_no_room_for_a_new_name(alice, disk):
    for number in range(9):
        (disk / str(number)).touch()
    alice.refused("STOR disk/one-more", codes.INODES_FULL)
    alice.in_step()


def test_upload_while_the_name_is_removed(alice, home):
    with alice.begin("STOR f") as sock:
        sock.sendall(b"one")
        (home / "f").unlink()
        sock.settimeout(DEADLINE_SEC)
        sock.sendall(b"two")
    alice.reply(226)
    alice.in_step()


def test_download_of_what_was_uploaded(alice):
    for name, content in CONTENTS.items():
        alice.stor(name, content)
    for name, content in CONTENTS.items():
        assert alice.retr(name) == content


@pytest.mark.parametrize("verb", ["STOR", "APPE"])
@pytest.mark.parametrize("mode", MODES)
def test_file_is_complete_and_closed_at_226(alice, home, verb, mode):
    """Clients ask for the size, set the time and rename as soon as they may, here even before."""
    for number in (0, 1, 70_000, 3 << 20):
        data = getattr(alice, mode)()
        alice.cmd(f"{verb} f", 150)
        with data() as sock:
            alice.send("SIZE f\r\nMFMT 20200102030405 f\r\nRNFR f\r\nRNTO g\r\nMDTM g\r\n")
            sock.settimeout(DEADLINE_SEC)
            sock.sendall(b"x" * number)
        alice.reply(226)
        assert alice.reply(213).text == str(number)
        for code in (213, 350, 250):
            alice.reply(code)
        assert alice.reply(213).text == "20200102030405"
        assert (home / "g").stat().st_size == number
        alice.in_step()
