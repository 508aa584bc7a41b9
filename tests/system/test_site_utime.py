"""SITE UTIME, in its two forms."""

import os

import pytest

from facts import NO_TIMES, STAMP, STAMP_TEXT
from ftpraw import escaped
from rules import ArgumentRule, FileRule, WriteRule, check_refused, snapshot

LONG_TIMES = "20240131123456 20231114221320 20200229000000 UTC"
ACCESSED = 1706704496


@pytest.fixture
def things(home):
    home.file("f", b"content")
    return home


class TestRules(ArgumentRule, WriteRule, FileRule):
    verbs = ["SITE UTIME", f"SITE UTIME {STAMP_TEXT}", "SITE UTIME f"]
    lines = [f"SITE UTIME {STAMP_TEXT} f", f"SITE UTIME f {LONG_TIMES}"]
    begin = f"SITE UTIME {STAMP_TEXT} "

    def done(self, path):
        return path.stat().st_mtime == STAMP


@pytest.mark.parametrize("text, seconds", [
    ("202311142213", STAMP - 20), (STAMP_TEXT, STAMP), ("200002291215", 951826500),
    ("19700101000000", 0), ("203801190314", 2147483640), ("210001010000", 4102444800),
])
def test_short_form_sets_both_times(alice, things, text, seconds):
    alice.cmd(f"SITE UTIME {text} f", 200)
    status = (things / "f").stat()
    assert (status.st_mtime, status.st_atime) == (seconds, seconds)
    alice.in_step()


@pytest.mark.parametrize("line", [f"SITE UTIME f {LONG_TIMES}", f"site utime f {LONG_TIMES}",
                                  f"SITE UTIME f {LONG_TIMES.replace('UTC', 'utc')}"])
def test_long_form_sets_each(alice, things, line):
    alice.cmd(line, 200)
    status = (things / "f").stat()
    assert (status.st_atime, status.st_mtime) == (ACCESSED, STAMP)
    alice.in_step()


@pytest.mark.parametrize("name", ["two words", " leading", "trailing ", "a  b", 'q"uote', "ünï",
                                  b"\xe4", b"a\xffb", "20240101000000", "UTC", "x" * 255])
def test_long_form_with_any_name(alice, home, name):
    path = home.file(name)
    alice.cmd(b"SITE UTIME " + escaped(name) + b" " + LONG_TIMES.encode(), 200)
    assert path.stat().st_mtime == STAMP


@pytest.mark.parametrize("path", ["missing", "missing/f", "f/x", "n" * 300, "/root/x", "*",
                                  "/etc/passwd"])
def test_long_form_of_a_missing_or_foreign_file_is_550(alice, things, path):
    alice.cmd(f"SITE UTIME {path} {LONG_TIMES}", 550)
    alice.in_step()


@pytest.mark.parametrize("text", NO_TIMES + ["2023111422", "20231114221", "202402300000",
                                             "20231114"])
def test_what_is_no_time_is_501(alice, things, text):
    before = snapshot(things.path)
    alice.cmd(f"SITE UTIME {text} f", 501)
    for times in (f"{text} {STAMP_TEXT} {STAMP_TEXT}", f"{STAMP_TEXT} {text} {STAMP_TEXT}",
                  f"{STAMP_TEXT} {STAMP_TEXT} {text}"):
        alice.cmd(f"SITE UTIME f {times} UTC", 501)
    alice.in_step()
    assert snapshot(things.path) == before


@pytest.mark.parametrize("argument", [
    f"f {STAMP_TEXT} {STAMP_TEXT} {STAMP_TEXT}", f"f {STAMP_TEXT} {STAMP_TEXT} UTC",
    f"f {STAMP_TEXT} {STAMP_TEXT} {STAMP_TEXT} CET", f"f {STAMP_TEXT}", "f UTC", "UTC",
    f" {STAMP_TEXT} {STAMP_TEXT} {STAMP_TEXT} UTC", "%n%s%x %n %n %n UTC",
])
def test_other_forms_are_501(alice, things, argument):
    check_refused(alice, things, f"SITE UTIME {argument}", 501)


def test_utc_whatever_the_zone_of_the_daemon(monkeypatch, ftpd, things):
    monkeypatch.setenv("TZ", "XYZ+5:30")
    client = ftpd(use_localtime="YES").login("alice")
    for line in (f"SITE UTIME {STAMP_TEXT} f", f"SITE UTIME f {LONG_TIMES}"):
        os.utime(things / "f", (0, 0))
        client.cmd(line, 200)
        assert (things / "f").stat().st_mtime == STAMP
