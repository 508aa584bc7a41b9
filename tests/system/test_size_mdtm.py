"""SIZE and MDTM."""

import os
import time

import pytest

from ftpraw import list_entry


@pytest.mark.parametrize("size", [0, 1, 1234, (1 << 31) - 1, 1 << 31, (1 << 32) + 1, 5 << 40])
def test_size_is_digits_only(alice, home, size):
    home.sparse("f", size)
    assert alice.cmd("SIZE f", 213).lines == [f"213 {size}"]


def test_size_does_not_depend_on_type(alice, home):
    home.file("f", b"one\ntwo\n")
    for kind in ("A", "I"):
        alice.cmd(f"TYPE {kind}", 200)
        assert alice.cmd("SIZE f", 213).text == "8"


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


@pytest.mark.parametrize("verb", ["SIZE", "MDTM"])
@pytest.mark.parametrize("path", ["missing", "d", "d/", ".", "/", "pipe", "dangling", "loop",
                                  "f/x", "closed/f",
                                  "n" * 300, "*", "/root/x"])
def test_refused(alice, home, verb, path):
    home.file("f")
    home.dir("d")
    home.fifo("pipe")
    home.link("dangling", "nowhere")
    home.link("loop", "loop")
    home.dir("closed")
    home.file("closed/f")
    (home / "closed").chmod(0o000)
    alice.cmd(f"{verb} {path}", 550)
    alice.in_step()


@pytest.mark.parametrize("verb", ["SIZE", "MDTM"])
def test_without_name_is_501(alice, verb):
    alice.cmds((verb, 501), (f"{verb} ", 501))
    alice.in_step()


@pytest.mark.parametrize("verb", ["SIZE", "MDTM"])
@pytest.mark.parametrize("path", ["d/f", "./d/f", "/home/alice/d/f", "link", "two words", "~/d/f",
                                  " leading", "20240101000000", "20240101000000 x"])
def test_paths(alice, home, verb, path):
    home.dir("d")
    for name in ("d/f", "two words", " leading", "20240101000000", "20240101000000 x"):
        os.utime(home.file(name, b"1234"), (1700000000, 1700000000))
    home.link("link", "d/f")
    expected = {"SIZE": "4", "MDTM": "20231114221320"}[verb]
    assert alice.cmd(f"{verb} {path}", 213).text == expected


@pytest.mark.parametrize("verb", ["SIZE", "MDTM"])
def test_unreadable_file_is_known_all_the_same(alice, home, verb):
    home.file("f", b"1234", 0o000)
    alice.cmd(f"{verb} f", 213)


@pytest.mark.parametrize("verb", ["SIZE", "MDTM"])
def test_nothing_outside_a_chroot(jailed, home, verb):
    home.link("out", "/etc/passwd")
    for path in ("/etc/passwd", "../../etc/passwd", "out"):
        jailed.cmd(f"{verb} {path}", 550)


def test_mdtm_after_an_upload(alice, home):
    alice.stor("f", b"x")
    stamp = int((home / "f").stat().st_mtime)
    expected = time.strftime("%Y%m%d%H%M%S", time.gmtime(stamp))
    assert alice.cmd("MDTM f", 213).text == expected
