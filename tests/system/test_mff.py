"""MFF."""

import grp

import pytest

from facts import NO_TIMES, STAMP, STAMP_TEXT, TIMES
from rules import ArgumentRule, FileRule, WriteRule, check_refused, mode_of, snapshot

FACTS = f"modify={STAMP_TEXT};UNIX.mode=0640;UNIX.group=team2;"


@pytest.fixture
def things(home):
    home.file("f", b"content")
    return home


class TestRules(ArgumentRule, WriteRule, FileRule):
    verbs = ["MFF", f"MFF modify={STAMP_TEXT};", "MFF f"]
    lines = [f"MFF {FACTS} f"]
    begin = f"MFF {FACTS} "
    code = 213

    def done(self, path):
        status = path.stat()
        return (status.st_mtime == STAMP and mode_of(path) == 0o640 and
                grp.getgrgid(status.st_gid).gr_name == "team2")


@pytest.mark.parametrize("text, expected", TIMES)
def test_modify(alice, things, text, expected):
    mode = mode_of(things / "f")
    alice.cmd(f"MFF modify={text}; f", 213)
    assert (things / "f").stat().st_mtime_ns == expected
    assert mode_of(things / "f") == mode


@pytest.mark.parametrize("digits, mode", [("600", 0o600), ("0600", 0o600), ("0755", 0o755),
                                          ("000", 0), ("777", 0o777)])
def test_mode(alice, things, digits, mode):
    stamp = (things / "f").stat().st_mtime_ns
    reply = alice.cmd(f"MFF UNIX.mode={digits}; f", 213)
    assert reply.lines == [f"213 UNIX.mode={mode:04o}; f"]
    assert mode_of(things / "f") == mode
    assert (things / "f").stat().st_mtime_ns == stamp


@pytest.mark.parametrize("group, number", [("team1", 2001), ("2003", 2003), ("alice", 1001)])
def test_group(alice, things, group, number):
    alice.cmd(f"MFF UNIX.group={group}; f", 213)
    assert (things / "f").stat().st_gid == number


def test_group_by_name_in_a_chroot(jailed, things):
    jailed.cmd("MFF UNIX.group=team1; f", 213)
    assert (things / "f").stat().st_gid == 2001


@pytest.mark.parametrize("facts", [
    "modify=20240131123456;UNIX.mode=0600;", "UNIX.mode=0600;modify=20240131123456;",
    "MODIFY=20240131123456;unix.MODE=600;",
])
def test_facts_of_any_order_and_case(alice, things, facts):
    reply = alice.cmd(f"MFF {facts} f", 213)
    told, _, name = reply.text.partition(" ")
    assert name == "f"
    assert set(told.split(";")) == {"Modify=20240131123456", "UNIX.mode=0600", ""}
    assert alice.cmd("MDTM f", 213).text == "20240131123456"
    assert mode_of(things / "f") == 0o600


@pytest.mark.parametrize("fact", ["create", "size", "UNIX.owner", "perm", "xyzzy", "modified",
                                  "UNIX.modes"])
@pytest.mark.parametrize("facts", ["{}=1;", "UNIX.mode=0600;{}=1;", "{}=1;UNIX.mode=0600;"])
def test_unknown_fact_is_504_and_named(alice, things, fact, facts):
    assert fact in check_refused(alice, things, f"MFF {facts.format(fact)} f", 504).text


@pytest.mark.parametrize("value", [f"modify={text}" for text in NO_TIMES] + [
    "modify=", "modify", "UNIX.mode=", "UNIX.mode=999", "UNIX.mode=4755", "UNIX.mode=1777",
    "UNIX.mode=x", "UNIX.mode=u+w", "UNIX.mode=-1", "UNIX.group=", "UNIX.group=nosuchgroup",
    "UNIX.group=-1", "UNIX.group=4294967295", "UNIX.group=4294967296",
])
@pytest.mark.parametrize("facts", ["{};", "UNIX.mode=0600;{};", "{};UNIX.mode=0600;"])
def test_bad_value_is_501_and_nothing_is_changed(alice, things, value, facts):
    check_refused(alice, things, f"MFF {facts.format(value)} f", 501)


@pytest.mark.parametrize("group", ["bob", "root", "1002", "0"])
def test_group_of_others_is_550_and_nothing_is_changed(alice, things, group):
    facts = f"modify={STAMP_TEXT};UNIX.mode=0600;UNIX.group={group};"
    check_refused(alice, things, f"MFF {facts} f", 550)


def test_mode_needs_chmod_enable(ftpd, things):
    before = snapshot(things.path)
    client = ftpd(chmod_enable="NO").login("alice")
    client.cmds(("MFF UNIX.mode=0600; f", 550), (f"MFF modify={STAMP_TEXT};UNIX.mode=600; f", 550))
    assert snapshot(things.path) == before
    client.cmd(f"MFF modify={STAMP_TEXT}; f", 213)
    assert (things / "f").stat().st_mtime == STAMP


def test_utc_whatever_the_zone_of_the_daemon(monkeypatch, ftpd, things):
    monkeypatch.setenv("TZ", "XYZ+5:30")
    client = ftpd(use_localtime="YES").login("alice")
    client.cmd(f"MFF modify={STAMP_TEXT}; f", 213)
    assert (things / "f").stat().st_mtime == STAMP
