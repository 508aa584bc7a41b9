"""max_upload_size: 552 for what is larger, and nothing of it stays."""

import zlib

import pytest

from converted import BOTH_WAYS
from ftpraw import drain
from procs import wait_for
from rules import check_refused

OPTIONS = ("max_upload_size",)

LIMIT = 100_000
SIZES = [0, 1, LIMIT - 1, LIMIT]
LARGER = [LIMIT + 1, LIMIT + 4096, 10 * LIMIT]
MODES = ["pasv", "port"]


@pytest.fixture
def daemon(ftpd, home):
    return ftpd(max_upload_size=str(LIMIT), mode_z_enable="YES", **BOTH_WAYS)


@pytest.fixture
def client(daemon):
    return daemon.login("alice")


def too_large(client, line, content, mode="pasv", rest=None):
    """An upload that is to end with 552 although it has begun."""
    sock = client.begin(line, mode, rest)
    try:
        sock.sendall(content)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has ended before we could send all
    sock.close()
    reply = client.reply(552)
    assert "max_upload" not in reply.text and "/" not in reply.text
    client.in_step()


def x(size):
    return b"x" * size


def test_without_a_limit_there_is_none(alice, home):
    alice.stor("f", x(10 * LIMIT))
    assert (home / "f").stat().st_size == 10 * LIMIT


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", SIZES)
def test_up_to_the_limit(client, home, size, mode):
    client.stor("f", x(size), mode)
    assert (home / "f").read_bytes() == x(size)
    client.in_step()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", LARGER)
def test_more_is_552_and_removed(client, home, size, mode):
    too_large(client, "STOR f", x(size), mode)
    assert home.names() == []


@pytest.mark.parametrize("value, limit", [("1", 1), ("100K", 102400), ("4095", 4095)])
def test_units_and_small_values(ftpd, home, value, limit):
    client = ftpd(max_upload_size=value).login("alice")
    client.stor("f", x(limit))
    too_large(client, "STOR f", x(limit + 1))
    assert home.names() == []


def test_the_limit_ends_an_upload_that_would_never_end(client, home):
    """The client goes on sending; the server does not go on reading."""
    sock = client.begin("STOR f")
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        for _ in range(10000):
            sock.sendall(x(100_000))
    client.reply(552)
    assert home.names() == []


def test_old_content_of_that_name_goes_too(client, home):
    """It was cut off when the upload began: there is nothing left to come back to."""
    home.file("f", b"former")
    too_large(client, "STOR f", x(LIMIT + 1))
    assert home.names() == []


# What was there before the first byte stays.

def test_append_up_to_the_limit(client, home):
    home.file("f", x(LIMIT - 10))
    client.stor("f", b"0123456789", verb="APPE")
    assert (home / "f").stat().st_size == LIMIT


@pytest.mark.parametrize("size", [11, 5000, 2 * LIMIT])
def test_append_of_more_leaves_what_was_there(client, home, size):
    home.file("f", b"y" * (LIMIT - 10))
    too_large(client, "APPE f", x(size))
    assert (home / "f").read_bytes() == b"y" * (LIMIT - 10)


def test_append_that_creates(client, home):
    too_large(client, "APPE f", x(LIMIT + 1))
    assert home.names() == []


def test_append_behind_the_limit_is_552_at_once(client, home):
    home.file("f", x(LIMIT + 1))
    client.refused("APPE f", 552)
    assert (home / "f").stat().st_size == LIMIT + 1


@pytest.mark.parametrize("verb", ["STOR", "APPE"])
def test_restart_up_to_the_limit(client, home, verb):
    home.file("f", b"y" * 1000)
    client.stor("f", x(LIMIT - 1000), rest=1000, verb=verb)
    assert (home / "f").read_bytes() == b"y" * 1000 + x(LIMIT - 1000)


@pytest.mark.parametrize("verb", ["STOR", "APPE"])
@pytest.mark.parametrize("mark", [500, 1000])
def test_restart_with_more_is_cut_back_to_the_mark(client, home, verb, mark):
    home.file("f", b"y" * 1000)
    too_large(client, f"{verb} f", x(LIMIT - mark + 1), rest=mark)
    assert (home / "f").read_bytes() == b"y" * mark


def test_restart_behind_the_limit_is_552_at_once(client, home):
    home.sparse("f", 10 * LIMIT)
    for mark, code in ((LIMIT + 1, 552), (10 * LIMIT, 552), (10 * LIMIT + 1, 554)):
        client.refused("STOR f", code, rest=mark)
    assert (home / "f").stat().st_size == 10 * LIMIT
    client.in_step()


# Bytes of the file count, not those of the network.

def test_ascii_counts_what_is_written(client, home):
    client.cmd("TYPE A", 200)
    client.stor("f", b"\r\n" * LIMIT)
    assert (home / "f").read_bytes() == b"\n" * LIMIT
    too_large(client, "STOR f", b"\r\n" * (LIMIT + 1))
    assert home.names() == []


def test_mode_z_counts_what_is_written(client, home):
    """A few bytes that become very many are no way around."""
    client.cmd("MODE Z", 200)
    client.stor("f", zlib.compress(x(LIMIT)))
    assert (home / "f").stat().st_size == LIMIT
    too_large(client, "STOR f", zlib.compress(x(LIMIT + 1)))
    too_large(client, "STOR f", zlib.compress(bytes(1 << 30), 1))
    assert home.names() == []


# Other ways to make files.

def test_stou(client, home):
    home.file("f", b"taken")
    too_large(client, "STOU f", x(LIMIT + 1))
    assert home.names() == ["f"]


@pytest.mark.parametrize("line", ["SITE COPY {} new", "SITE CPTO new"])
@pytest.mark.parametrize("size, code", [(LIMIT, (200, 250)), (LIMIT + 1, 552)])
def test_copies(client, home, line, size, code):
    home.sparse("f", size)
    if "CPTO" in line:
        client.cmd("SITE CPFR f", 350)
    client.cmd(line.format("f"), code)
    assert home.names() == (["f", "new"] if size == LIMIT else ["f"])
    client.in_step()


@pytest.mark.parametrize("former", [None, b"", b"former"])
def test_comb(client, home, former):
    if former is not None:
        home.file("all", former)
    left = LIMIT - len(former or b"")
    home.file("1", x(left - 10))
    home.file("2", x(11))
    before = home.names()
    client.cmd("COMB all 1 2", 552)
    assert home.names() == before
    assert former is None or (home / "all").read_bytes() == former
    home.file("2", x(10))
    client.cmd("COMB all 1 2", 250)
    assert (home / "all").stat().st_size == LIMIT


# Before the first byte.

@pytest.mark.parametrize("number, code", [
    (0, 202), (LIMIT, 202), (LIMIT + 1, 552), (f"{LIMIT + 1} R 80", 552),
    (9223372036854775807, 552),
])
def test_allo_of_more_is_552_at_once(client, number, code):
    client.cmd(f"ALLO {number}", code)
    client.in_step()


def test_refusals_are_in_the_log(daemon, client):
    too_large(client, "STOR f", x(LIMIT + 1))
    client.cmd(f"ALLO {LIMIT + 1}", 552)
    text = f"max_upload_size={LIMIT}"
    assert wait_for(lambda: daemon.log.count(text) == 2), daemon.log
    log = daemon.whole_log()
    assert "FAIL UPLOAD" in log and "/home/alice/f" in log


def test_downloads_have_no_such_limit(client, home):
    content = x(3 * LIMIT)
    home.file("f", content)
    assert client.retr("f") == content


def test_nothing_is_changed_by_what_is_refused_at_once(client, home):
    home.file("f", x(LIMIT + 1))
    client.pasv()
    check_refused(client, home, "APPE f", 552)


def test_abor_at_the_limit(client, home):
    """Not one byte too much: the upload still goes on."""
    sock = client.begin("STOR f")
    sock.sendall(x(LIMIT))
    assert wait_for(lambda: (home / "f").stat().st_size == LIMIT)
    client.cmd("ABOR", 426)
    client.reply(226)
    drain(sock)
    assert (home / "f").stat().st_size == LIMIT
