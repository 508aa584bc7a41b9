"""Limits and views of transfers are the same over TLS: rates, sizes, locks, --who."""

import random
import re
import time

import pytest

import ftpsraw
from checking import run
from converted import BOTH_WAYS
from procs import wait_for
from test_upload_locks import READ, WRITE, can_lock

KB, MB = 1000, 1000_000
CONTENT = random.Random(9).randbytes(4 * MB)
TOLERANCE = 0.05
LIMIT = 100_000


def seconds_of(client, line, size):
    """How long a transfer of `size` bytes takes."""
    begin = time.monotonic()
    if line.startswith("RETR"):
        with client.begin(line) as sock:
            total = 0
            while chunk := sock.recv(1 << 18):
                total += len(chunk)
        assert total == size
    else:
        with client.begin(line) as sock:
            sock.settimeout(30)
            sock.sendall(CONTENT[:size])
            client.end_data(sock)
    client.reply(226, seconds=30)
    return time.monotonic() - begin


@pytest.mark.parametrize("option, line, kind", [
    ("local_max_rate", "RETR f", "I"), ("local_max_rate", "STOR g", "I"),
    ("download_max_rate", "RETR f", "I"), ("upload_max_rate", "APPE g", "I"),
    ("local_max_rate", "RETR f", "A"), ("local_max_rate", "STOR g", "A"),
])
def test_rate_holds_within_five_percent(ftps, home, option, line, kind):
    """Four seconds at a megabyte a second; text goes through the daemon itself."""
    home.file("f", CONTENT.replace(b"\n", b"x"))
    client = ftpsraw.login(ftps(**{option: str(MB)}, **BOTH_WAYS))
    client.cmd(f"TYPE {kind}", 200)
    rate = 4 * MB / seconds_of(client, line, 4 * MB)
    assert abs(rate / MB - 1) <= TOLERANCE, f"{rate:.0f} bytes/s"


def test_small_files_are_not_faster_than_a_large_one(ftps, home):
    home.file("f", b"x" * KB)
    client = ftpsraw.login(ftps(local_max_rate=str(10 * KB)))
    begin = time.monotonic()
    for _ in range(10):
        assert client.retr("f") == b"x" * KB
        client.stor("g", b"x" * KB)
    assert time.monotonic() - begin > 1.6


@pytest.mark.parametrize("option, line", [("upload_max_rate", "RETR f"),
                                          ("download_max_rate", "STOR g")])
def test_limits_of_the_other_direction_do_not_count(ftps, home, option, line):
    home.file("f", CONTENT)
    client = ftpsraw.login(ftps(**{option: "1"}))
    seconds_of(client, line, len(CONTENT))


@pytest.mark.parametrize("line", ["RETR f", "STOR g"])
def test_abor_in_a_pause(ftps, home, line):
    home.file("f", CONTENT)
    client = ftpsraw.login(ftps(local_max_rate="1000"))
    sock = client.begin(line)
    if line == "STOR g":
        sock.sendall(CONTENT[:20 * KB])
    else:
        assert sock.recv(1)
    client.cmd("STAT", 211)
    client.cmd("ABOR", 426)
    client.reply(226)
    ftpsraw.drain(sock)
    client.in_step()


# Sizes.

def too_large(client, line, content, rest=None):
    sock = client.begin(line, rest=rest)
    try:
        sock.sendall(content)
        client.end_data(sock)
    except OSError:
        pass  # it has ended before we could send all
    sock.close()
    client.reply(552)
    client.in_step()


def test_max_upload_size(ftps, home):
    daemon = ftps(max_upload_size=str(LIMIT), ascii_upload_enable="YES")
    client = ftpsraw.login(daemon)
    client.stor("f", CONTENT[:LIMIT])
    assert (home / "f").read_bytes() == CONTENT[:LIMIT]
    too_large(client, "STOR g", CONTENT[:LIMIT + 1])
    too_large(client, "STOR g", CONTENT)
    too_large(client, "APPE f", b"x")
    home.file("h", CONTENT[:1000])
    client.stor("h", CONTENT[:LIMIT - 1000], verb="APPE")
    client.stor("h", CONTENT[:LIMIT - 10], rest=10)
    too_large(client, "STOR h", CONTENT[:LIMIT - 9], rest=10)
    assert (home / "h").read_bytes() == CONTENT[:1000][:10]
    client.cmd("TYPE A", 200)
    too_large(client, "STOR g", b"x" * (LIMIT + 1))
    assert home.names() == ["f", "h"]
    assert wait_for(lambda: f"max_upload_size={LIMIT}" in daemon.log)


@pytest.mark.parametrize("line", ["STOR f", "APPE f", "RETR f"])
@pytest.mark.parametrize("kind", ["I", "A"])
def test_locks(ftps, home, line, kind):
    """Kept while the relay has the file, and gone with the reply."""
    path = home.file("f", CONTENT * 8)
    client = ftpsraw.login(ftps(**BOTH_WAYS))
    client.cmd(f"TYPE {kind}", 200)
    for _ in range(3):
        sock = client.begin(line)
        if line == "RETR f":
            assert sock.recv(1)
            assert can_lock(path, READ) and not can_lock(path, WRITE)
            ftpsraw.drain(sock)
        else:
            sock.sendall(b"x" * KB)
            assert not can_lock(path, READ)
            client.end_data(sock)
        client.reply(226)
        assert can_lock(path, WRITE)


def test_second_upload_waits_for_the_first(ftps, home):
    daemon = ftps()
    first, second = ftpsraw.login(daemon), ftpsraw.login(daemon)
    sock = first.begin("STOR f")
    data = second.pasv()
    second.send_line("STOR f")
    sock.sendall(b"x" * LIMIT)
    first.end_data(sock)
    first.reply(226)
    second.reply(150)
    sock = second.secure(data())
    sock.sendall(b"second")
    second.end_data(sock)
    second.reply(226)
    assert (home / "f").read_bytes() == b"second"


# What is seen from outside.

@pytest.mark.parametrize("line", ["RETR big", "STOR new"])
def test_who_shows_progress(ftps, home, line):
    home.sparse("big", 1 << 30)
    daemon = ftps(local_max_rate=str(MB))
    client = ftpsraw.login(daemon)
    sock = client.begin(line)

    def shown():
        if line == "STOR new":
            sock.sendall(CONTENT[:LIMIT])
        else:
            sock.recv(1 << 18)
        out = run("--who", str(daemon.conf_path), "--json").stdout
        numbers = re.findall(r'"bytes": ?(\d+)', out)
        return numbers and int(numbers[0]) > 2 * LIMIT and out

    out = wait_for(shown, 10)
    assert out and line.split()[1] in out, run("--who", str(daemon.conf_path))
    client.cmd("ABOR", 426)
    client.reply(226)
    ftpsraw.drain(sock)
