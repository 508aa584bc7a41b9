"""TYPE A where line ends are converted: LF in files, CRLF on the network."""

import hashlib
import os
import socket

import pytest

import codes
import procs
from converted import (BOTH_WAYS, TELNET, abort, any_lines, to_file, to_network,
                       truncate_while_sent)
from ftpraw import DEADLINE_SEC, receive, receive_all, receive_exactly
from rules import check_refused
from sessions import close_with_reset, connect_slow

OPTIONS = ("ascii_download_enable", "ascii_upload_enable")

MODES = ["pasv", "epsv", "port", "eprt"]
KIB, MIB = 1 << 10, 1 << 20
SIZE_LIMIT = 64 * MIB

# The content of a file, and what goes over the network.
DOWNLOADS = [
    (b"", b""), (b"\n", b"\r\n"), (b"\n\n\n", b"\r\n\r\n\r\n"), (b"a", b"a"),
    (b"one\ntwo\n", b"one\r\ntwo\r\n"), (b"one\ntwo", b"one\r\ntwo"), (b"\r\n", b"\r\n"),
    (b"one\r\ntwo\n", b"one\r\ntwo\r\n"), (b"\r", b"\r"), (b"one\rtwo\r", b"one\rtwo\r"),
    (b"one\r", b"one\r"), (b"\r\r\n", b"\r\r\n"), (b"\r\n\n", b"\r\n\r\n"), (b"\n\r", b"\r\n\r"),
    (b"\n\r\n", b"\r\n\r\n"), (b"\rx\n", b"\rx\r\n"), (b"\0\n\xff\n\x1a", b"\0\r\n\xff\r\n\x1a"),
    (TELNET, TELNET), (bytes(range(256)), bytes(range(10)) + b"\r" + bytes(range(10, 256))),
]

# What comes over the network, and the content of the file it is stored in.
UPLOADS = [
    (b"", b""), (b"\r\n", b"\n"), (b"\r\n\r\n\r\n", b"\n\n\n"), (b"a", b"a"),
    (b"one\r\ntwo\r\n", b"one\ntwo\n"), (b"one\r\ntwo", b"one\ntwo"), (b"\n", b"\n"),
    (b"one\ntwo\r\n", b"one\ntwo\n"), (b"\r", b"\r"), (b"one\rtwo\r", b"one\rtwo\r"),
    (b"one\r", b"one\r"), (b"\r\r\n", b"\r\n"), (b"\r\r\r", b"\r\r\r"), (b"\r\n\n", b"\n\n"),
    (b"\n\r", b"\n\r"), (b"\r\n\r", b"\n\r"), (b"\n\r\n", b"\n\n"), (b"\rx\n", b"\rx\n"),
    (b"\0\r\n\xff\r\n\x1a", b"\0\n\xff\n\x1a"), (TELNET, TELNET.replace(b"\r", b"")),
    (bytes(range(256)), bytes(range(256))),
]

# Where buffers of the server may end, and what may lie across such an end.
EDGES = [16 * KIB, 64 * KIB, 128 * KIB, 256 * KIB, 384 * KIB]
ACROSS = [b"\n", b"\r\n", b"\r", b"\n\n", b"\r\r\n", b"\n\r\n\r"]


def across(edge, text):
    """Contents that have `text` around the byte `edge`, a little earlier and later."""
    for shift in range(-len(text) - 1, 3):
        yield (b"x" * (edge + shift) + text).ljust(edge + 3 * KIB, b"y")


@pytest.fixture
def client(ftpd, home):
    """alice in TYPE A, which converts both ways."""
    client = ftpd(**BOTH_WAYS).login("alice")
    client.cmd("TYPE A", 200)
    return client


def wait_content(path, content):
    """Wait until the file at `path`, which is being uploaded, holds `content`."""
    assert procs.wait_for(lambda: path.read_bytes() == content), path.read_bytes()


# Downloads.

@pytest.mark.parametrize("content, expected", DOWNLOADS)
def test_download(client, home, content, expected):
    home.file("f", content)
    assert client.retr("f") == expected
    client.in_step()


@pytest.mark.parametrize("mode", MODES)
def test_download_over_every_kind_of_connection(client, home, mode):
    for content in (b"", b"one\ntwo\r\nthree\r", b"x\n" * 100000):
        home.file("f", content)
        assert client.retr("f", mode) == to_network(content)
    client.in_step()


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("text", ACROSS)
def test_download_with_line_ends_at_the_ends_of_buffers(client, home, edge, text):
    for content in across(edge, text):
        home.file("f", content)
        assert client.retr("f") == to_network(content)
        assert client.cmd("SIZE f", 213).text == str(len(to_network(content)))


@pytest.mark.parametrize("edge", EDGES)
def test_download_with_converted_line_ends_at_the_ends_of_buffers(client, home, edge):
    """As before, counted in what is sent: the line ends before it have moved the edge."""
    for shift in range(-3, 3):
        content = b"\n" * 1000 + b"x" * (edge - 2000 + shift) + b"\n\n" + b"y" * (3 * KIB)
        home.file("f", content)
        assert client.retr("f") == to_network(content)


@pytest.mark.parametrize("size", [64 * KIB, 128 * KIB, 256 * KIB, MIB])
@pytest.mark.parametrize("byte", [b"\n", b"\r", b"x"])
def test_download_of_one_byte_over_and_over(client, home, size, byte):
    for total in (size - 1, size, size + 1):
        home.file("f", byte * total)
        assert client.retr("f") == to_network(byte * total)


@pytest.mark.parametrize("seed", range(3))
def test_large_download_by_hash(client, home, seed):
    content = any_lines(seed, 6 * MIB)
    home.file("f", content)
    expected = to_network(content)
    assert client.cmd("SIZE f", 213).text == str(len(expected))
    received = client.retr("f", MODES[seed])
    assert hashlib.sha256(received).digest() == hashlib.sha256(expected).digest()


def test_download_to_a_slow_reader(client, home):
    content = any_lines(4, 2 * MIB)
    home.file("f", content)
    sock = connect_slow(client, client.pasv_address())
    client.cmd("RETR f", 150)
    received = b"".join(iter(lambda: receive(sock, 5003), b""))
    client.reply(226)
    assert received == to_network(content)


def test_download_after_download(client, home):
    """A CR at the end of one file means nothing to the next."""
    home.file("cr", b"one\r")
    home.file("lf", b"\ntwo")
    for _ in range(3):
        assert client.retr("cr") == b"one\r"
        assert client.retr("lf") == b"\r\ntwo"


def test_opening_reply_of_a_download(client, home):
    home.file("f", b"one\n")
    data = client.pasv()
    text = client.cmd("RETR f", 150).text
    assert "ASCII" in text and "BINARY" not in text
    assert receive_all(data()) == b"one\r\n"
    client.reply(226)


# Uploads.

@pytest.mark.parametrize("content, expected", UPLOADS)
def test_upload(client, home, content, expected):
    for verb in ("STOR", "APPE", "STOU"):
        client.stor(verb, content, verb=verb)
        assert (home / verb).read_bytes() == expected
    client.in_step()


@pytest.mark.parametrize("mode", MODES)
def test_upload_over_every_kind_of_connection(client, home, mode):
    for content in (b"", b"one\r\ntwo\nthree\r", b"x\r\n" * 100000):
        client.stor("f", content, mode)
        assert (home / "f").read_bytes() == to_file(content)
    client.in_step()


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("text", ACROSS)
def test_upload_with_line_ends_at_the_ends_of_buffers(client, home, edge, text):
    for content in across(edge, text):
        client.stor("f", content)
        assert (home / "f").read_bytes() == to_file(content)


@pytest.mark.parametrize("pieces", [
    [b"one\r", b"\ntwo"], [b"one\r", b"two"], [b"one\r", b"\r\n"], [b"one\r", b"\r"],
    [b"one\r", b"\n\r", b"\n\r", b"\n"], [b"\r", b"\n"], [b"\r", b"\r", b"\r", b"\n"],
    [b"one\r\n", b"\r\n"], [b"one\n", b"\r"], [b"one\r", b""],
])
@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_upload_of_segments_that_cut_line_ends(client, home, pieces, mode):
    """Every piece has arrived before the next one goes: a CR at its end has to wait."""
    path = home / "f"
    sent = b""
    with client.begin("STOR f", mode) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            sock.sendall(piece)
            sent += piece
            waiting = sent.endswith(b"\r")
            wait_content(path, to_file(sent[:-1] if waiting else sent))
    client.reply(226)
    assert path.read_bytes() == to_file(sent)
    client.in_step()


def test_upload_in_single_bytes(client, home):
    content = b"one\r\ntwo\r\r\nthree\n\r\r\n\r" * 20
    with client.begin("STOR f") as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(len(content)):
            sock.sendall(content[number:number + 1])
    client.reply(226)
    assert (home / "f").read_bytes() == to_file(content)


@pytest.mark.parametrize("seed", range(3))
def test_large_upload_by_hash(client, home, seed):
    content = any_lines(seed, 6 * MIB)
    client.stor("f", content, MODES[seed])
    digest = hashlib.sha256((home / "f").read_bytes()).digest()
    assert digest == hashlib.sha256(to_file(content)).digest()


def test_upload_after_upload(client, home):
    """A CR at the end of one file means nothing to the next."""
    for _ in range(3):
        client.stor("cr", b"one\r")
        client.stor("lf", b"\ntwo")
        assert (home / "cr").read_bytes() == b"one\r"
        assert (home / "lf").read_bytes() == b"\ntwo"


def test_append(client, home):
    """What is in the file already is not touched, and does not count as the byte before."""
    home.file("f", b"one\r\ntwo\r")
    client.stor("f", b"\nthree\r\n", verb="APPE")
    assert (home / "f").read_bytes() == b"one\r\ntwo\r\nthree\n"


def test_unique_name(client, home):
    assert client.stor("up", b"one\r\n", verb="STOU").text.endswith("FILE: up")
    assert client.stor("up", b"two\r\n", verb="STOU").text.endswith("FILE: up.1")
    assert (home / "up").read_bytes() == b"one\n"
    assert (home / "up.1").read_bytes() == b"two\n"


def test_text_comes_back_as_it_went(client):
    for seed in range(5):
        content = to_network(any_lines(seed, 200 * KIB).replace(b"\r", b"."))
        client.stor("f", content)
        assert client.retr("f") == content


# What is converted, and what is not.

@pytest.mark.parametrize("options, down, up", [
    ({}, False, False), ({"ascii_download_enable": "YES"}, True, False),
    ({"ascii_upload_enable": "YES"}, False, True), (BOTH_WAYS, True, True),
])
@pytest.mark.parametrize("line", ["TYPE A", "TYPE A N", "type a", "TYPE I", "TYPE L 8"])
def test_options_and_type_decide(ftpd, home, options, down, up, line):
    content = b"one\ntwo\r\nthree\rfour\n"
    home.file("f", content)
    client = ftpd(**options).login("alice")
    client.cmd(line, 200)
    is_text = " a" in line.lower()
    expected = to_network(content) if is_text and down else content
    data = client.pasv()
    text = client.cmd("RETR f", 150).text
    assert ("ASCII" if is_text and down else "BINARY") in text
    assert receive_all(data()) == expected
    client.reply(226)
    assert client.cmd("SIZE f", 213).text == str(len(expected))
    client.stor("g", content)
    assert (home / "g").read_bytes() == (to_file(content) if is_text and up else content)
    client.in_step()


def test_type_can_change_between_transfers(client, home):
    home.file("f", b"one\n")
    for _ in range(3):
        assert client.retr("f") == b"one\r\n"
        client.cmd("TYPE I", 200)
        assert client.retr("f") == b"one\n"
        client.stor("g", b"two\r\n")
        assert (home / "g").read_bytes() == b"two\r\n"
        client.cmd("TYPE A", 200)
        client.stor("g", b"two\r\n")
        assert (home / "g").read_bytes() == b"two\n"


def test_refused_type_changes_nothing(client, home):
    home.file("f", b"one\n")
    client.cmds(("TYPE E", 504), ("TYPE X", 501))
    assert client.retr("f") == b"one\r\n"


@pytest.mark.parametrize("verb", ["LIST", "NLST", "MLSD"])
def test_listings_are_as_ever(client, home, verb):
    home.file("one")
    home.file("two\rwords")
    text = client.list("", verb)
    client.cmd("TYPE I", 200)
    assert client.list("", verb) == text


# SIZE.

@pytest.mark.parametrize("content, expected", DOWNLOADS)
def test_size_is_what_a_download_sends(client, home, content, expected):
    home.file("f", content)
    assert client.cmd("SIZE f", 213).lines == [f"213 {len(expected)}"]
    client.cmd("TYPE I", 200)
    assert client.cmd("SIZE f", 213).lines == [f"213 {len(content)}"]


def test_size_up_to_64_mib_is_counted(client, home):
    (home / "f").write_bytes(b"\n" * SIZE_LIMIT)
    assert client.cmd("SIZE f", 213).text == str(2 * SIZE_LIMIT)
    with open(home / "f", "ab") as file:
        file.write(b"\n")
    client.cmd("SIZE f", 550)
    client.in_step()
    client.cmd("TYPE I", 200)
    assert client.cmd("SIZE f", 213).text == str(SIZE_LIMIT + 1)


def test_size_of_a_large_file_where_nothing_is_converted(ftpd, home):
    home.sparse("f", 5 << 30)
    client = ftpd(ascii_upload_enable="YES").login("alice")
    client.cmd("TYPE A", 200)
    assert client.cmd("SIZE f", 213).text == str(5 << 30)


@pytest.mark.parametrize("path", ["missing", "d", "pipe", "unreadable", "dangling", "loop"])
def test_size_of_what_cannot_be_read_is_550(client, home, path):
    home.file("unreadable", b"one\n", 0o000)
    home.dir("d")
    home.fifo("pipe")
    home.link("dangling", "nowhere")
    home.link("loop", "loop")
    client.cmd(f"SIZE {path}", 550)
    client.in_step()


# Restart marks count bytes of the file, so they do not fit.

@pytest.mark.parametrize("line", ["RETR f", "STOR f", "APPE f", "STOR new"])
def test_restart_mark_is_550(client, home, line):
    home.file("f", b"one\ntwo\n")
    for mark in ("REST 2", "RANG 0 1", "RANG 1 2", f"REST {1 << 40}"):
        client.cmd(mark, 350)
        client.refused(line, codes.ASCII_RESTART)
        client.in_step()
        assert home.names() == ["f"] and (home / "f").read_bytes() == b"one\ntwo\n"
        assert client.retr("f") == b"one\r\ntwo\r\n", "the mark is still there"


@pytest.mark.parametrize("mark", ["REST 0", "RANG 1 0"])
def test_mark_that_means_the_whole_file(client, home, mark):
    home.file("f", b"one\ntwo\n")
    client.cmd(mark, 350)
    assert client.retr("f") == b"one\r\ntwo\r\n"
    client.cmd(mark, 350)
    client.stor("f", b"three\r\n")
    assert (home / "f").read_bytes() == b"three\n"


@pytest.mark.parametrize("option, works", [("ascii_download_enable", "STOR f"),
                                           ("ascii_upload_enable", "RETR f")])
def test_restart_mark_fits_the_direction_that_converts_nothing(ftpd, home, option, works):
    home.file("f", b"one\ntwo\n")
    client = ftpd(**{option: "YES"}).login("alice")
    client.cmd("TYPE A", 200)
    refused = {"STOR f": "RETR f", "RETR f": "STOR f"}[works]
    client.refused(refused, codes.ASCII_RESTART, rest=4)
    if works == "RETR f":
        assert client.retr("f", rest=4) == b"two\n"
    else:
        client.stor("f", b"TWO", rest=4)
        assert (home / "f").read_bytes() == b"one\nTWO\n"


# What goes wrong in the middle.

@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_abor_during_a_download(client, home, mode):
    home.sparse("big", 1 << 30)
    home.file("f", b"one\n")
    sock = client.begin("RETR big", mode)
    receive_exactly(sock, 100000)
    abort(client, sock)
    assert client.retr("f", mode) == b"one\r\n"


@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_abor_during_an_upload(client, home, mode):
    sock = client.begin("STOR f", mode)
    sock.sendall(b"one\r\ntwo\r")
    wait_content(home / "f", b"one\ntwo")
    abort(client, sock)
    assert (home / "f").read_bytes() == b"one\ntwo"
    client.stor("f", b"\nthree\r\n", mode)
    assert (home / "f").read_bytes() == b"\nthree\n"


@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_file_that_shrinks_while_it_is_sent_is_451(client, home, mode):
    path = home.sparse("big", 1 << 30)
    sock = client.begin("RETR big", mode)
    truncate_while_sent(client, path, sock)
    assert client.retr("big") == b""


def test_file_that_grows_while_it_is_sent(client, home):
    content = b"line\n" * (3 * MIB)
    path = home.file("big", content)
    sock = client.begin("RETR big")
    received = receive_exactly(sock, 100000)
    with open(path, "ab") as file:
        file.write(b"more\n" * 1000)
    received += receive_all(sock)
    client.reply(226)
    assert received == to_network(content)


@pytest.mark.parametrize("sent, kept", [(b"", b""), (b"one\r\ntwo\r", b"one\ntwo")])
def test_reset_data_connection_is_no_success(client, home, sent, kept):
    sock = client.begin("STOR f")
    sock.sendall(sent)
    wait_content(home / "f", kept)
    close_with_reset(sock)
    client.reply(426)
    client.in_step()
    assert (home / "f").read_bytes() == kept


def test_client_drops_the_data_connection_of_a_download(client, home):
    home.sparse("big", 1 << 30)
    sock = client.begin("RETR big")
    receive_exactly(sock, 100000)
    sock.close()
    client.reply(426)
    client.in_step()


@pytest.mark.parametrize("verb", ["STOR", "APPE", "STOU"])
def test_full_disk_is_452(client, disk, verb):
    line = b"x" * 78 + b"\r\n"
    sock = client.begin(f"{verb} disk/f")
    try:
        sock.sendall(line * 50000)
    except ConnectionError:
        pass
    sock.close()
    client.reply(452)
    client.in_step()
    kept = (disk / "f").read_bytes()
    assert len(kept) == 256 * KIB
    assert kept == to_file(line * 50000)[:len(kept)]
    os.truncate(disk / "f", 0)
    client.stor("disk/f", line)
    assert (disk / "f").read_bytes() == to_file(line)


def test_status_of_a_transfer_counts_what_went_over_the_network(client):
    with client.begin("STOR f") as sock:
        sock.settimeout(DEADLINE_SEC)
        sock.sendall(b"\r\n" * 500)
        assert procs.wait_for(lambda: " 1000 bytes" in client.cmd("STAT", 211).text)
        client.cmd("NOOP", 200)
    client.reply(226)
    client.in_step()


# Who may, and when.

@pytest.mark.parametrize("line", ["RETR f", "STOR f", "APPE f", "STOU f"])
def test_without_data_connection_is_425(client, home, line):
    home.file("f", b"one\n")
    check_refused(client, home, line, 425)


@pytest.mark.parametrize("line", ["STOR f", "APPE f", "STOU f"])
def test_needs_write_enable(ftpd, home, line):
    home.file("f", b"one\n")
    client = ftpd(write_enable="NO", **BOTH_WAYS).login("alice")
    client.cmd("TYPE A", 200)
    client.pasv()
    check_refused(client, home, line, 550)
    assert client.retr("f") == b"one\r\n"


def test_anonymous_download(ftpd):
    client = ftpd(**BOTH_WAYS).anonymous()
    client.cmd("TYPE A", 200)
    assert client.retr("pub/readme.txt") == b"Hello, world.\r\n"
    assert client.cmd("SIZE pub/readme.txt", 213).text == "15"
    client.refused("STOR pub/new", 550)
