"""MODE."""

import gzip
import hashlib
import random
import socket
import zlib

import pytest

import codes
import procs
from bytewise import check_untouched
from converted import (BOTH_WAYS, abort, any_lines, packed, packed_list, to_file, to_network,
                       truncate_while_sent, unpacked)
from ftpraw import DEADLINE_SEC, receive, receive_all, receive_exactly
from rules import check_refused
from sessions import close_with_reset, connect_slow, crowd, small_send_buffers

OPTIONS = ("mode_z_enable",)

MODES = ["pasv", "epsv", "port", "eprt"]
KIB, MIB = 1 << 10, 1 << 20
ZEROS = 50 * MIB
ENABLED = {"mode_z_enable": "YES"}
RANDOM = random.Random(23)

CONTENTS = {
    "empty": b"", "one byte": b"x", "text": b"one\ntwo\n", "zeros": bytes(MIB + 1),
    "noise": RANDOM.randbytes(3 * MIB + 5), "lines": any_lines(23, MIB),
    "64k": RANDOM.randbytes(64 * KIB), "128k": RANDOM.randbytes(128 * KIB),
    "256k+1": RANDOM.randbytes(256 * KIB + 1), "packed": packed(RANDOM.randbytes(100000)),
}
TEXT = b"one line of text\n" * 1000

# What no zlib stream begins with, or what is broken in it.
GARBAGE = {
    "text": b"this is no stream", "zeros": bytes(1000), "gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT)[2:], "checksum": packed(TEXT)[:-1] + b"\0",
    "header": b"\x78\x9d" + packed(TEXT)[2:], "block": b"\x78\x9c\xff" + packed(TEXT)[3:],
    "dictionary": b"\x78\xbb\0\0\0\1" + packed(TEXT)[2:],
    "behind": packed(TEXT) + b"x", "second": packed(TEXT) + packed(TEXT),
}


@pytest.mark.parametrize("line, code", [
    ("MODE S", 200), ("MODE s", 200), ("MODE B", codes.MODE_REFUSED),
    ("MODE C", codes.MODE_REFUSED), ("MODE Z", codes.MODE_REFUSED),
    ("MODE z", codes.MODE_REFUSED), ("MODE", 501), ("MODE ", 501), ("MODE X", 501),
    ("MODE SS", 501),
])
def test_reply(alice, line, code):
    alice.cmd(line, code)
    alice.in_step()


@pytest.mark.parametrize("line", ["MODE S", "MODE B", "MODE Z"])
def test_bytes_are_untouched_whatever_was_said(alice, home, line):
    check_untouched(alice, home, line)


# MODE Z.

@pytest.fixture
def with_z(ftpd, home):
    """alice where MODE Z is enabled, which it is not by default."""
    return ftpd(**ENABLED).login("alice")


@pytest.fixture
def zed(with_z):
    """alice in MODE Z."""
    with_z.cmd("MODE Z", 200)
    return with_z


@pytest.fixture
def zed_text(ftpd, home):
    """alice in MODE Z and in a TYPE A that converts both ways."""
    client = ftpd(**ENABLED, **BOTH_WAYS).login("alice")
    client.cmds(("MODE Z", 200), ("TYPE A", 200))
    return client


def peak_kib(pid):
    """The most memory that a process has had at once."""
    return int(procs.status(pid)["VmHWM"].split()[0])


@pytest.mark.parametrize("line, code", [("MODE Z", 200), ("MODE z", 200), ("mode z", 200),
                                        ("MODE Z ", 200), ("MODE S", 200),
                                        ("MODE B", codes.MODE_REFUSED)])
def test_reply_with_z(with_z, line, code):
    with_z.cmd(line, code)
    with_z.in_step()


def test_z_before_login_is_530(ftpd):
    client = ftpd(**ENABLED).connect()
    client.cmd("MODE Z", 530)
    client.in_step()


@pytest.mark.parametrize("argument", ["ZZ", "Z 5", "Z LEVEL 5", "SZ", "ZS", "%n"])
def test_z_with_more_is_501_and_changes_nothing(with_z, home, argument):
    with_z.cmd(f"MODE {argument}", 501)
    check_untouched(with_z, home, "NOOP")


@pytest.mark.parametrize("options, told", [({}, False), ({"mode_z_enable": "NO"}, False),
                                           (ENABLED, True)])
def test_feat_tells_of_z_where_it_works(ftpd, options, told):
    client = ftpd(**options).login("alice")
    assert (" MODE Z" in client.cmd("FEAT", 211).lines) == told
    client.cmd("MODE Z", 200 if told else codes.MODE_REFUSED)


@pytest.mark.parametrize("content", CONTENTS)
def test_z_down(zed, home, content):
    home.file("f", CONTENTS[content])
    assert unpacked(zed.retr("f")) == CONTENTS[content]
    zed.in_step()


@pytest.mark.parametrize("content", CONTENTS)
def test_z_up(zed, home, content):
    for verb in ("STOR", "APPE", "STOU"):
        zed.stor(verb, packed(CONTENTS[content]), verb=verb)
        assert (home / verb).read_bytes() == CONTENTS[content]
    zed.in_step()


@pytest.mark.parametrize("mode", MODES)
def test_z_over_every_kind_of_connection(zed, home, mode):
    home.file("f", CONTENTS["lines"])
    assert unpacked(zed.retr("f", mode)) == CONTENTS["lines"]
    zed.stor("g", packed(CONTENTS["noise"]), mode)
    assert (home / "g").read_bytes() == CONTENTS["noise"]
    zed.in_step()


def test_z_compresses(zed, home):
    home.file("f", TEXT)
    assert len(zed.retr("f")) < len(TEXT) // 10


def test_z_appends_what_was_packed(zed, home):
    home.file("f", b"one")
    zed.stor("f", packed(b"two"), verb="APPE")
    zed.stor("f", packed(b""), verb="APPE")
    zed.stor("f", packed(b"three"), verb="APPE")
    assert (home / "f").read_bytes() == b"onetwothree"


@pytest.mark.parametrize("level", range(10))
def test_z_of_any_level_up(zed, home, level):
    zed.stor("f", packed(CONTENTS["lines"], level))
    assert (home / "f").read_bytes() == CONTENTS["lines"]


def test_z_up_in_single_bytes(zed, home):
    content = RANDOM.randbytes(500)
    with zed.begin("STOR f") as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in packed(content):
            sock.sendall(bytes([byte]))
    zed.reply(226)
    assert (home / "f").read_bytes() == content


def test_z_to_a_slow_reader(zed, home):
    home.file("f", CONTENTS["noise"])
    sock = connect_slow(zed, zed.pasv_address())
    zed.cmd("RETR f", 150)
    received = b"".join(iter(lambda: receive(sock, 5003), b""))
    zed.reply(226)
    assert unpacked(received) == CONTENTS["noise"]


def test_z_many_times_in_one_session(zed, home):
    for number in range(40):
        content = b"%d\n" % number * number
        zed.stor("f", packed(content), MODES[number % 4])
        assert unpacked(zed.retr("f", MODES[number % 4])) == content


# The level, which OPTS sets; the first bytes of the stream tell it roughly.

@pytest.mark.parametrize("level, told", [(1, 0), (2, 1), (3, 1), (4, 1), (5, 1), (6, 2), (7, 3),
                                         (8, 3), (9, 3)])
def test_z_level(with_z, home, level, told):
    home.file("f", CONTENTS["lines"])
    with_z.cmds((f"OPTS MODE Z LEVEL {level}", 200), ("MODE Z", 200))
    stream = with_z.retr("f")
    assert stream[1] >> 6 == told
    assert unpacked(stream) == CONTENTS["lines"]


def test_z_level_can_change(zed, home):
    home.file("f", TEXT)
    assert zed.retr("f")[1] >> 6 == 2
    for level, told in ((9, 3), (1, 0), (6, 2)):
        zed.cmds((f"OPTS MODE Z LEVEL {level}", 200), ("OPTS MODE Z LEVEL 0", 501),
                 ("OPTS MODE Z LEVEL 10", 501), ("OPTS MODE Z", 200), ("MODE S", 200),
                 ("MODE Z", 200))
        stream = zed.retr("f")
        assert stream[1] >> 6 == told
        assert unpacked(stream) == TEXT


# Listings.

@pytest.mark.parametrize("verb", ["LIST", "NLST", "MLSD"])
@pytest.mark.parametrize("mode", MODES)
def test_z_listing(with_z, home, verb, mode):
    for name in ("one", "two words", "ünï", "x" * 255):
        home.file(name)
    expected = with_z.list("", verb)
    with_z.cmd("MODE Z", 200)
    listing = packed_list(with_z, "", verb, mode)
    assert listing.decode() == "".join(line + "\r\n" for line in expected)
    with_z.in_step()


@pytest.mark.parametrize("verb", ["LIST", "NLST"])
def test_z_listing_of_nothing_is_a_stream_all_the_same(zed, home, verb):
    home.dir("d")
    assert packed_list(zed, "d", verb) == b""
    zed.in_step()


def test_z_mlsd_of_an_empty_directory(zed, home):
    home.dir("d")
    lines = packed_list(zed, "d", "MLSD").split(b"\r\n")
    assert [line.partition(b" ")[2] for line in lines] == [b".", b"..", b""]


@pytest.mark.parametrize("verb", ["LIST", "NLST", "MLSD"])
def test_z_listing_of_a_large_directory(zed, home, verb):
    crowd(home / "crowd")
    listing = packed_list(zed, "crowd", verb)
    names = [f"{number:0250}".encode() for number in range(6000)]
    found = [line[-250:] for line in listing.split(b"\r\n")[:-1]]
    assert sorted(found)[:6000] == names


@pytest.mark.parametrize("line", ["LIST missing", "NLST missing", "MLSD missing", "RETR missing",
                                  "STOR missing/f"])
def test_z_of_a_missing_path(zed, line):
    zed.refused(line, 550, codes.STOR_REFUSED)
    zed.in_step()


def test_z_leaves_the_control_connection_alone(zed, home):
    home.file("f", TEXT)
    zed.cmds(("STAT .", 213), ("MLST f", 250), ("FEAT", 211), ("SIZE f", 213))
    zed.in_step()


# TYPE A and MODE Z.

@pytest.mark.parametrize("seed", range(3))
def test_z_with_line_ends(zed_text, home, seed):
    content = any_lines(seed, 2 * MIB)
    home.file("f", content)
    received = hashlib.sha256(unpacked(zed_text.retr("f")))
    assert received.digest() == hashlib.sha256(to_network(content)).digest()
    zed_text.stor("g", packed(content))
    stored = hashlib.sha256((home / "g").read_bytes())
    assert stored.digest() == hashlib.sha256(to_file(content)).digest()


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n", b"\r", b"one\r", b"one\r\ntwo\n"])
def test_z_with_few_line_ends(zed_text, home, content):
    home.file("f", content)
    assert unpacked(zed_text.retr("f")) == to_network(content)
    zed_text.stor("g", packed(content))
    assert (home / "g").read_bytes() == to_file(content)


@pytest.mark.parametrize("edge", [16 * KIB, 64 * KIB, 128 * KIB, 256 * KIB])
@pytest.mark.parametrize("text", [b"\n", b"\r\n", b"\r", b"\n\r\n\r"])
def test_z_with_line_ends_at_the_ends_of_buffers(zed_text, home, edge, text):
    for shift in range(-len(text) - 1, 3):
        content = (b"x" * (edge + shift) + text).ljust(edge + KIB, b"y")
        home.file("f", content)
        assert unpacked(zed_text.retr("f")) == to_network(content)
        zed_text.stor("g", packed(content))
        assert (home / "g").read_bytes() == to_file(content)


def test_z_with_line_ends_cut_between_segments(zed_text, home):
    """A CR has arrived, and the server waits for what follows."""
    pack = zlib.compressobj()
    first = pack.compress(b"one\r") + pack.flush(zlib.Z_SYNC_FLUSH)
    last = pack.compress(b"\ntwo") + pack.flush()
    with zed_text.begin("STOR f") as sock:
        sock.sendall(first)
        assert procs.wait_for(lambda: (home / "f").read_bytes() == b"one")
        sock.sendall(last)
    zed_text.reply(226)
    assert (home / "f").read_bytes() == b"one\ntwo"


# Streams that are broken.

@pytest.mark.parametrize("stream", GARBAGE)
@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_z_garbage_is_451(zed, home, stream, mode):
    with zed.begin("STOR f", mode) as sock:
        sock.sendall(GARBAGE[stream])
    zed.reply(codes.ZLIB_BAD)
    zed.in_step()
    zed.stor("f", packed(TEXT), mode)
    assert (home / "f").read_bytes() == TEXT


def test_z_garbage_ends_the_transfer_at_once(zed):
    """The client would go on for ever."""
    sock = zed.begin("STOR f")
    sock.sendall(b"this is no stream")
    zed.reply(codes.ZLIB_BAD)
    assert receive(sock) == b""
    zed.in_step()


@pytest.mark.parametrize("more", [b"x", packed(TEXT), packed(b"")],
                         ids=["byte", "stream", "empty-stream"])
def test_z_bytes_behind_a_stream_that_was_complete(zed, home, more):
    sock = zed.begin("STOR f")
    sock.sendall(packed(TEXT))
    assert procs.wait_for(lambda: (home / "f").read_bytes() == TEXT)
    sock.sendall(more)
    zed.reply(codes.ZLIB_BAD)
    zed.in_step()


@pytest.mark.parametrize("verb", ["STOR", "APPE", "STOU"])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 50, -5, -4, -1])
def test_z_stream_without_its_end_is_426(zed, home, verb, size):
    with zed.begin(f"{verb} f") as sock:
        sock.sendall(packed(TEXT)[:size])
    zed.reply(codes.ZLIB_CUT)
    zed.in_step()
    zed.stor("f", packed(TEXT))
    assert (home / "f").read_bytes() == TEXT


def test_z_what_came_before_a_cut_stays(zed, home):
    pack = zlib.compressobj()
    with zed.begin("STOR f") as sock:
        sock.sendall(pack.compress(TEXT) + pack.flush(zlib.Z_SYNC_FLUSH))
    zed.reply(codes.ZLIB_CUT)
    assert (home / "f").read_bytes() == TEXT


def test_z_reset_data_connection_is_no_success(zed, home):
    sock = zed.begin("STOR f")
    sock.sendall(packed(TEXT))
    assert procs.wait_for(lambda: (home / "f").read_bytes() == TEXT)
    close_with_reset(sock)
    zed.reply(426)
    zed.in_step()


# What goes wrong in the middle of others.

@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_z_abor_during_a_download(zed, home, mode):
    home.sparse("big", 1 << 40)
    home.file("f", TEXT)
    sock = zed.begin("RETR big", mode)
    receive_exactly(sock, 1000)
    zed.cmds(("NOOP", 200), ("STAT", codes.STAT_IN_TRANSFER))
    abort(zed, sock)
    assert unpacked(zed.retr("f", mode)) == TEXT


def test_z_abor_during_a_download_that_nobody_reads(zed, home):
    home.file("noise", CONTENTS["noise"] * 10)
    home.file("f", TEXT)
    abort(zed, zed.begin("RETR noise"))
    assert unpacked(zed.retr("f")) == TEXT


@pytest.mark.parametrize("sent", [0, 1, 1000, -4])
@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_z_abor_during_an_upload(zed, home, sent, mode):
    sock = zed.begin("STOR f", mode)
    sock.sendall(packed(CONTENTS["lines"])[:sent])
    zed.cmds(("NOOP", 200), ("STAT", codes.STAT_IN_TRANSFER))
    abort(zed, sock)
    zed.stor("f", packed(TEXT), mode)
    assert (home / "f").read_bytes() == TEXT


def test_z_abor_during_a_listing(zed, home):
    """Of names that do not compress, so that it does not fit into the buffers on its way."""
    home.dir("d")
    home.file("f", TEXT)
    for _ in range(12000):
        (home / "d" / RANDOM.randbytes(120).hex()).touch()
    with small_send_buffers():
        for verb in ("LIST", "NLST", "MLSD"):
            sock = connect_slow(zed, zed.pasv_address())
            zed.cmd(f"{verb} d", 150)
            receive_exactly(sock, 1000)
            zed.cmd("STAT", codes.STAT_IN_TRANSFER)
            abort(zed, sock)
            assert unpacked(zed.retr("f")) == TEXT


def test_z_client_drops_the_data_connection(zed, home):
    home.sparse("big", 1 << 40)
    sock = zed.begin("RETR big")
    receive_exactly(sock, 1000)
    sock.close()
    zed.reply(426)
    zed.in_step()


def test_z_file_that_shrinks_while_it_is_sent_is_451(zed, home):
    truncate_while_sent(zed, home.sparse("big", 1 << 40), zed.begin("RETR big"))


@pytest.mark.parametrize("verb", ["STOR", "APPE", "STOU"])
def test_z_full_disk_is_452(zed, disk, verb):
    """What is small on the network is large on the disk."""
    content = b"x" * (64 * MIB)
    sock = zed.begin(f"{verb} disk/f")
    try:
        sock.sendall(packed(content))
    except ConnectionError:
        pass
    sock.close()
    zed.reply(452)
    zed.in_step()
    assert (disk / "f").read_bytes() == b"x" * (256 * KIB)
    zed.cmd("DELE disk/f", 250)
    zed.stor("disk/f", packed(TEXT))
    assert (disk / "f").read_bytes() == TEXT


@pytest.mark.parametrize("line", ["RETR noise", "STOR up"])
def test_z_without_progress_is_426(ftpd, home, line):
    home.file("noise", CONTENTS["noise"] * 10)
    client = ftpd(data_connection_timeout="1", **ENABLED).login("alice")
    client.cmd("MODE Z", 200)
    sock = client.begin(line)
    if line == "STOR up":
        sock.sendall(packed(TEXT)[:20])
    client.reply(426)
    client.in_step()
    assert len(unpacked(client.retr("noise"))) == len(CONTENTS["noise"]) * 10


# Memory.

def test_z_takes_little_memory_whatever_it_unpacks_to(ftpd, home):
    daemon = ftpd(**ENABLED)
    client = daemon.login("alice")
    client.cmd("MODE Z", 200)
    client.stor("f", packed(TEXT))
    pid = daemon.only_session()[1].pid
    before = peak_kib(pid)
    client.stor("zeros", packed(bytes(ZEROS), 9))
    content = (home / "zeros").read_bytes()
    assert len(content) == content.count(0) == ZEROS
    received = client.retr("zeros")
    assert unpacked(received) == content and len(received) < ZEROS // 100
    assert peak_kib(pid) < before + 4 * KIB


def test_z_gives_back_the_memory_of_every_transfer(ftpd, home):
    daemon = ftpd(**ENABLED)
    client = daemon.login("alice")
    client.cmd("MODE Z", 200)
    home.file("f", TEXT)
    pid = daemon.only_session()[1].pid
    for number in range(60):
        client.retr("f")
        client.stor("g", packed(TEXT))
        with client.begin("STOR h") as sock:
            sock.sendall(b"no stream" if number % 2 else packed(TEXT)[:50])
        client.reply(codes.ZLIB_BAD, codes.ZLIB_CUT)
        if number == 5:
            before = peak_kib(pid)
    assert peak_kib(pid) < before + 2 * KIB


# MODE S again; marks; who may.

def test_s_again(zed, home):
    home.file("f", TEXT)
    for _ in range(3):
        zed.cmd("MODE S", 200)
        check_untouched(zed, home, "NOOP")
        zed.cmd("MODE Z", 200)
        assert unpacked(zed.retr("f")) == (home / "f").read_bytes()


@pytest.mark.parametrize("line, code", [
    ("MODE B", codes.MODE_REFUSED), ("MODE C", codes.MODE_REFUSED), ("MODE X", 501), ("MODE", 501),
])
def test_refused_mode_changes_nothing(zed, home, line, code):
    home.file("f", TEXT)
    zed.cmd(line, code)
    assert unpacked(zed.retr("f")) == TEXT


def test_z_ends_with_the_session(ftpd, home):
    home.file("f", TEXT)
    daemon = ftpd(**ENABLED)
    daemon.login("alice").cmd("MODE Z", 200)
    assert daemon.login("alice").retr("f") == TEXT


# Marks count bytes of the file, not of the stream.

@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_z_down_from_an_offset(zed, home, mode):
    content = CONTENTS["noise"]
    home.file("f", content)
    for offset in (0, 1, 128 * KIB, len(content) - 1, len(content)):
        assert unpacked(zed.retr("f", mode, rest=offset)) == content[offset:]
    zed.in_step()


@pytest.mark.parametrize("first, last", [(0, 0), (5, 9), (1, 3 * MIB), (128 * KIB, 256 * KIB),
                                         (3 * MIB + 4, 2 ** 40), (3 * MIB + 5, 2 ** 40)])
def test_z_down_of_a_range(zed, home, first, last):
    home.file("f", CONTENTS["noise"])
    zed.cmd(f"RANG {first} {last}", 350)
    assert unpacked(zed.retr("f")) == CONTENTS["noise"][first:last + 1]
    assert unpacked(zed.retr("f")) == CONTENTS["noise"]


@pytest.mark.parametrize("verb", ["STOR", "APPE"])
@pytest.mark.parametrize("offset", [1, 5, 9, 10])
def test_z_up_at_an_offset(zed, home, verb, offset):
    home.file("f", b"0123456789")
    zed.stor("f", packed(b"new"), verb=verb, rest=offset)
    assert (home / "f").read_bytes() == (b"0123456789"[:offset] + b"new" +
                                         b"0123456789"[offset + 3:])
    zed.stor("f", packed(b"again"))
    assert (home / "f").read_bytes() == b"again"


@pytest.mark.parametrize("line", ["RETR f", "STOR f", "APPE f", "STOR new"])
def test_z_behind_the_end_is_554(zed, home, line):
    home.file("f", TEXT)
    zed.refused(line, 554, rest=len(TEXT) + 1)
    zed.in_step()
    assert home.names() == ["f"] and (home / "f").read_bytes() == TEXT
    assert unpacked(zed.retr("f")) == TEXT, "the mark is still there"


@pytest.mark.parametrize("line", ["STOR f", "APPE f"])
def test_z_up_into_a_range_is_551(zed, home, line):
    home.file("f", TEXT)
    zed.cmd("RANG 0 5", 350)
    zed.refused(line, codes.RANGE_OF_UPLOAD)
    assert (home / "f").read_bytes() == TEXT


@pytest.mark.parametrize("mark", ["REST 2", "RANG 1 2"])
@pytest.mark.parametrize("line", ["RETR f", "STOR f"])
def test_z_with_line_ends_and_a_mark_is_550(zed_text, home, mark, line):
    home.file("f", TEXT)
    zed_text.cmd(mark, 350)
    zed_text.refused(line, codes.ASCII_RESTART)
    assert (home / "f").read_bytes() == TEXT


def test_z_upload_that_was_cut_is_resumed(zed, home):
    content = CONTENTS["noise"]
    stream = packed(content)
    with zed.begin("STOR f") as sock:
        sock.sendall(stream[:MIB])
    zed.reply(codes.ZLIB_CUT)
    size = int(zed.cmd("SIZE f", 213).text)
    assert 0 < size < len(content) and (home / "f").read_bytes() == content[:size]
    zed.stor("f", packed(content[size:]), rest=size)
    assert (home / "f").read_bytes() == content


def test_z_download_that_broke_is_resumed(zed, home):
    home.file("f", CONTENTS["noise"] * 10)
    sock = zed.begin("RETR f")
    received = zlib.decompressobj().decompress(receive_exactly(sock, 100_000))
    sock.close()
    zed.reply(426)
    rest = unpacked(zed.retr("f", rest=len(received)))
    assert received + rest == CONTENTS["noise"] * 10


@pytest.mark.parametrize("line", ["RETR f", "STOR f", "APPE f", "STOU f", "LIST", "NLST", "MLSD"])
def test_z_without_data_connection_is_425(zed, home, line):
    home.file("f", TEXT)
    check_refused(zed, home, line, 425)


def test_z_needs_write_enable_to_write(ftpd, home):
    home.file("f", TEXT)
    client = ftpd(write_enable="NO", **ENABLED).login("alice")
    client.cmd("MODE Z", 200)
    assert unpacked(client.retr("f")) == TEXT
    client.refused("STOR f", 550)
    assert (home / "f").read_bytes() == TEXT


def test_z_of_an_anonymous_user(ftpd):
    anon = ftpd(**ENABLED).anonymous()
    anon.cmd("MODE Z", 200)
    assert unpacked(anon.retr("pub/readme.txt")) == b"Hello, world.\n"
    assert b"readme.txt\r\n" in packed_list(anon, "pub", "NLST")
    anon.refused("STOR pub/new", 550)


def test_z_half_closed_control_connection_still_gets_the_file(zed, home):
    home.file("f", CONTENTS["noise"])
    sock = zed.begin("RETR f")
    zed.sock.shutdown(socket.SHUT_WR)
    assert unpacked(receive_all(sock)) == CONTENTS["noise"]
    zed.reply(226, seconds=DEADLINE_SEC)
    zed.wait_closed()
