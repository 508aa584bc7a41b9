"""banner_file and ftpd_banner: the greeting."""

import os
import re

import pytest

import procs
from ftpraw import Client

OPTIONS = ("banner_file", "ftpd_banner")

DEFAULT = "220 Welcome to miniftpd."


def greeting(daemon):
    """The lines of the greeting of a new session, which works then."""
    client = Client(port=daemon.port)
    daemon.clients.append(client)
    lines = client.reply(220).lines
    client.login("alice", "secret-alice")
    client.in_step()
    client.close()
    return lines


@pytest.fixture
def banner(tmp_path):
    path = tmp_path / "banner"
    path.write_bytes(b"Hello.\n\n  No visitors on Mondays.\n")
    return path


def test_greeting_without_options(ftpd, home):
    assert greeting(ftpd()) == [DEFAULT]


@pytest.mark.parametrize("text", ["Hello there", "Gr\u00fc\u00df Gott \u2603", "220 x", "%n%s", "a,b=c"])
def test_ftpd_banner(ftpd, home, text):
    assert greeting(ftpd(ftpd_banner=text)) == ["220 " + text]


def test_banner_file(ftpd, home, banner):
    expected = ["220-Hello.", "220-", "220-  No visitors on Mondays.", "220 "]
    assert greeting(ftpd(banner_file=banner)) == expected


def test_banner_file_counts_before_ftpd_banner(ftpd, home, banner):
    lines = greeting(ftpd(banner_file=banner, ftpd_banner="not this"))
    assert lines[0] == "220-Hello." and not any("not this" in line for line in lines)


def test_change_counts_at_once(ftpd, home, banner):
    daemon = ftpd(banner_file=banner)
    assert greeting(daemon)[0] == "220-Hello."
    banner.write_text("Closed today.\n")
    assert greeting(daemon) == ["220-Closed today.", "220 "]
    banner.unlink()
    assert greeting(daemon) == [DEFAULT]


def test_banner_that_only_root_may_read(ftpd, home, banner):
    """The process that greets is nobody in an empty directory."""
    banner.chmod(0o600)
    assert greeting(ftpd(banner_file=banner))[0] == "220-Hello."


@pytest.mark.parametrize("text, expected", [
    (b"one\r\ntwo", ["220-one", "220-two"]),
    (b"220 Ready.\n331 Go on.\n", ["220-220 Ready.", "220-331 Go on."]),
    (b"\x1b[2J\x07\n", ["220-?[2J?"]),
    ("\u00fc \u2603\n".encode(), ["220-\u00fc \u2603"]),
    (b"\xff\n", ["220-" + b"\xff\xff".decode("utf-8", "surrogateescape")]),
    (b"", []),
    (b"\n", ["220-"]),
    (b"cut\0here\n", ["220-cut"]),
], ids=lambda value: repr(value)[:20])
def test_what_of_a_banner_is_shown(ftpd, home, banner, text, expected):
    banner.write_bytes(text)
    assert greeting(ftpd(banner_file=banner)) == expected + ["220 "]


@pytest.mark.parametrize("kind", ["missing", "directory", "fifo", "device"])
@pytest.mark.parametrize("other", [None, "Hello anyway"])
def test_banner_that_cannot_be_read(ftpd, home, tmp_path, kind, other):
    """The client gets the other greeting, the log the reason."""
    path = tmp_path / "banner"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    daemon = ftpd(banner_file=path, ftpd_banner=other)
    assert greeting(daemon) == ["220 " + other if other else DEFAULT]
    assert procs.wait_for(lambda: re.search(r"banner_file.*%s" % re.escape(str(path)), daemon.log))


def test_long_banner_is_cut(ftpd, home, banner):
    banner.write_bytes(b"0123456789abcde\n" * 5000)
    daemon = ftpd(banner_file=banner)
    lines = greeting(daemon)
    assert lines == ["220-0123456789abcde"] * 4096 + ["220 "]
    assert procs.wait_for(lambda: re.search(r"64 KiB of banner_file", daemon.log))


def test_banner_of_64_kib_is_not_cut(ftpd, home, banner):
    banner.write_bytes(b"0123456789abcde\n" * 4096)
    daemon = ftpd(banner_file=banner)
    assert len(greeting(daemon)) == 4097
    assert "banner_file" not in daemon.log


def test_long_line(ftpd, home, banner):
    banner.write_bytes(b"x" * 20000)
    assert greeting(ftpd(banner_file=banner)) == ["220-" + "x" * 20000, "220 "]


@pytest.mark.parametrize("name", ["alice", "anonymous"])
def test_banner_is_for_the_greeting_only(ftpd, home, banner, name):
    daemon = ftpd(banner_file=banner)
    client = daemon.anonymous() if name == "anonymous" else daemon.login(name)
    assert "Mondays" not in " ".join(client.cmd("STAT", 211).lines + client.cmd("SYST", 215).lines)
    client.in_step()


def test_client_that_does_not_wait_for_the_greeting(ftpd, home, banner):
    daemon = ftpd(banner_file=banner)
    client = Client(port=daemon.port)
    daemon.clients.append(client)
    client.send("USER alice\r\nPASS secret-alice\r\nPWD\r\n")
    for code in (220, 331, 230, 257):
        client.reply(code)
