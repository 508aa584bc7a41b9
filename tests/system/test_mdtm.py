"""MDTM."""

import os
import time

import pytest

from facts import NO_TIMES, STAMP, STAMP_TEXT, TIMES, Fact
from ftpraw import list_entry
from rules import FileRule, WriteRule, snapshot

OPTIONS = ("mdtm_write",)


class TestFact(Fact):
    verb = "MDTM"
    expected = "20231114221320"


@pytest.mark.parametrize("stamp, text", [
    (0, "19700101000000"), (1, "19700101000001"), (951782399, "20000228235959"),
    (951826554, "20000229121554"), (1700000000, "20231114221320"), (2147483648, "20380119031408"),
    (4102444800, "21000101000000"),
])
def test_mdtm_is_fourteen_digits_of_utc(alice, home, stamp, text):
    os.utime(home.file("f"), (stamp, stamp))
    assert alice.cmd("MDTM f", 213).lines == [f"213 {text}"]


def test_times_are_utc_whatever_the_zone_of_the_daemon(monkeypatch, ftpd, home):
    monkeypatch.setenv("TZ", "XYZ+5:30")
    os.utime(home.file("f"), (951826554, 951826554))
    recent = int(time.time()) - 7200
    os.utime(home.file("g"), (recent, recent))
    client = ftpd().login("alice")
    assert client.cmd("MDTM f", 213).text == "20000229121554"
    entry = list_entry(client.list("g")[0])
    assert entry["time"] == time.strftime("%H:%M", time.gmtime(recent))


def test_mdtm_has_no_fraction(alice, home):
    os.utime(home.file("f"), ns=(0, 1700000000999999999))
    assert alice.cmd("MDTM f", 213).text == "20231114221320"


def test_mdtm_after_an_upload(alice, home):
    alice.stor("f", b"x")
    stamp = int((home / "f").stat().st_mtime)
    expected = time.strftime("%Y%m%d%H%M%S", time.gmtime(stamp))
    assert alice.cmd("MDTM f", 213).text == expected


class TestSetting(WriteRule, FileRule):
    """MDTM with a time in front of the name."""

    lines = [f"MDTM {STAMP_TEXT} f"]
    begin = f"MDTM {STAMP_TEXT} "
    code = 213

    @pytest.fixture
    def things(self, home):
        home.file("f")
        return home

    def done(self, path):
        return path.stat().st_mtime == STAMP


@pytest.mark.parametrize("text, expected", TIMES + [("20231114", 1699920000 * 10 ** 9)])
def test_time_is_set(alice, home, text, expected):
    home.file("f", b"content")
    assert alice.cmd(f"MDTM {text} f", 213).lines == ["213 File modification time set."]
    assert (home / "f").stat().st_mtime_ns == expected


@pytest.mark.parametrize("text", NO_TIMES + ["20240230", "2023111", "202311141", "20231114.5"])
def test_what_is_no_time_belongs_to_the_name(alice, home, text):
    home.file("f")
    before = snapshot(home.path)
    alice.cmd(f"MDTM {text} f", 550)
    os.utime(home.file(f"{text} f"), (STAMP, STAMP))
    assert alice.cmd(f"MDTM {text} f", 213).text == STAMP_TEXT
    assert before.items() <= snapshot(home.path).items()


@pytest.mark.parametrize("text", ["20240131123456", "20240131"])
def test_file_of_the_whole_name_comes_first(alice, home, text):
    home.file("f")
    os.utime(home.file(f"{text} f"), (STAMP, STAMP))
    before = snapshot(home.path)
    assert alice.cmd(f"MDTM {text} f", 213).text == STAMP_TEXT
    assert snapshot(home.path) == before


def test_mdtm_write(ftpd, home):
    os.utime(home.file("f"), (STAMP, STAMP))
    client = ftpd(mdtm_write="NO").login("alice")
    client.cmd("MDTM 20240131123456 f", 550)
    assert client.cmd("MDTM f", 213).text == STAMP_TEXT
    client.in_step()


def test_set_with_mdtm_write_only_if_write_enable_is_on(ftpd, home):
    os.utime(home.file("f"), (STAMP, STAMP))
    client = ftpd(mdtm_write="YES", write_enable="NO").login("alice")
    client.cmd("MDTM 20240131123456 f", 550)
    assert client.cmd("MDTM f", 213).text == STAMP_TEXT


@pytest.mark.parametrize("setting, hours", [("NO", 0), ("YES", 3)])
def test_use_localtime(monkeypatch, ftpd, home, setting, hours):
    """Both forms are in local time with it, so that a client gets back what it has set."""
    monkeypatch.setenv("TZ", "XYZ+3")
    os.utime(home.file("f"), (STAMP, STAMP))
    client = ftpd(use_localtime=setting).login("alice")
    shown = time.strftime("%Y%m%d%H%M%S", time.gmtime(STAMP - hours * 3600))
    assert client.cmd("MDTM f", 213).text == shown
    client.cmds(("MDTM 20240131123456 f", 213), ("MDTM 20240131 g", 550))
    assert (home / "f").stat().st_mtime == 1706704496 + hours * 3600
    assert client.cmd("MDTM f", 213).text == "20240131123456"
