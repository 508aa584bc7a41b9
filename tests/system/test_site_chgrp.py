"""SITE CHGRP."""

import pytest

from rules import ArgumentRule, FileRule, WriteRule, check_refused


@pytest.fixture
def things(home):
    home.file("f", b"content")
    return home


class TestRules(ArgumentRule, WriteRule, FileRule):
    verbs = ["SITE CHGRP", "SITE CHGRP team1", "SITE CHGRP 2001"]
    lines = ["SITE CHGRP team1 f"]
    begin = "SITE CHGRP team2 "

    def done(self, path):
        return path.stat().st_gid == 2002


@pytest.mark.parametrize("group, number", [
    ("team1", 2001), ("team20", 2020), ("2003", 2003), ("alice", 1001), ("1001", 1001),
])
def test_by_name_and_number(alice, things, group, number):
    alice.cmds(("SITE CHGRP team5 f", 200), (f"site chgrp {group} f", 200))
    assert (things / "f").stat().st_gid == number
    alice.in_step()


@pytest.mark.parametrize("group", ["team1", "2001"])
def test_in_a_chroot(jailed, things, group):
    jailed.cmd(f"SITE CHGRP {group} /f", 200)
    assert (things / "f").stat().st_gid == 2001


def test_of_a_directory(alice, home):
    home.dir("d/e")
    alice.cmd("SITE CHGRP team1 d", 200)
    assert (home / "d").stat().st_gid == 2001
    assert (home / "d" / "e").stat().st_gid == home.account.gid


@pytest.mark.parametrize("group", ["bob", "root", "nogroup", "0", "1002", "65534", "99999",
                                   "4294967294"])
def test_group_of_others_is_550(alice, things, group):
    check_refused(alice, things, f"SITE CHGRP {group} f", 550)


@pytest.mark.parametrize("group", ["nosuchgroup", "team", "team21", "TEAM1", "-1", "+2001",
                                   "4294967295", "4294967296", "2001x", "0x7d1", "alice:team1",
                                   ":team1", "%n%s", "g" * 1000, ""])
def test_unknown_group_is_501(alice, things, group):
    check_refused(alice, things, f"SITE CHGRP {group} f", 501)


def test_owner_stays(alice, things):
    alice.cmd("SITE CHGRP team1 f", 200)
    assert (things / "f").stat().st_uid == things.account.uid
