"""MFMT."""

import os

import pytest

from facts import NO_TIMES, STAMP, STAMP_TEXT, TIMES
from ftpraw import escaped
from rules import ArgumentRule, FileRule, WriteRule, check_refused


@pytest.fixture
def things(home):
    home.file("f", b"content")
    return home


class TestRules(ArgumentRule, WriteRule, FileRule):
    verbs = ["MFMT", f"MFMT {STAMP_TEXT}", "MFMT f"]
    lines = [f"MFMT {STAMP_TEXT} f"]
    begin = f"MFMT {STAMP_TEXT} "
    code = 213

    def done(self, path):
        return path.stat().st_mtime == STAMP


@pytest.mark.parametrize("text, expected", TIMES)
def test_time_is_set_and_told(alice, things, text, expected):
    seconds = text.partition(".")[0].replace("235960", "235959")
    assert alice.cmd(f"MFMT {text} f", 213).lines == [f"213 Modify={seconds}; f"]
    assert (things / "f").stat().st_mtime_ns == expected
    assert alice.cmd("MDTM f", 213).text == seconds


def test_nothing_else_is_changed(alice, things):
    path = things / "f"
    os.utime(path, (1000, 2000))
    alice.cmd(f"MFMT {STAMP_TEXT} f", 213)
    status = path.stat()
    assert (status.st_atime, status.st_size, status.st_mode & 0o7777) == (1000, 7, 0o644)


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_501(alice, things, text):
    check_refused(alice, things, f"MFMT {text} f", 501)


@pytest.mark.parametrize("name", ["two  words", " leading", "trailing ", 'q"uote', "ünï", b"\xe4",
                                  b"a\xffb"])
def test_name_is_told_as_it_was_given(alice, home, name):
    home.file(name)
    reply = alice.cmd(b"MFMT 20240131123456 " + escaped(name), 213)
    told = os.fsencode(reply.text).removeprefix(b"Modify=20240131123456; ")
    # The control connection is Telnet, so a server may double FF as a client must.
    assert told in (os.fsencode(name), escaped(name))


def test_utc_whatever_the_zone_of_the_daemon(monkeypatch, ftpd, things):
    monkeypatch.setenv("TZ", "XYZ+5:30")
    client = ftpd(use_localtime="YES").login("alice")
    client.cmd(f"MFMT {STAMP_TEXT} f", 213)
    assert (things / "f").stat().st_mtime == STAMP


def test_right_behind_an_upload(alice, home):
    for _ in range(20):
        alice.stor("f", b"x" * 1000)
        alice.cmd(f"MFMT {STAMP_TEXT} f", 213)
        assert (home / "f").stat().st_mtime == STAMP
