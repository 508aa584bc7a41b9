"""USER."""

import pytest

from accounts import ALL

ALICE = ALL["alice"].password


@pytest.mark.parametrize("name", ["alice", "nosuchuser", "locked", "root", "nopass", "badshell",
                                  "anonymous", "ftp", "x" * 100, "ünknown"])
def test_of_any_name_is_331(client, name):
    client.cmd(f"USER {name}", 331)


@pytest.mark.parametrize("line", ["USER", "USER "])
def test_without_name_is_501(client, line):
    client.cmd(line, 501)
    client.in_step()


def test_second_user_replaces_the_first(client):
    client.cmds(("USER bob", 331), ("USER alice", 331), (f"PASS {ALICE}", 230))
    assert client.pwd() == ALL["alice"].home


def test_after_login_same_name_is_331(alice):
    alice.cmd("USER alice", 331)
    alice.cmd("PASS wrong", 230)
    assert alice.pwd() == ALL["alice"].home


@pytest.mark.parametrize("name", ["bob", "root", "anonymous", "nosuchuser"])
def test_after_login_other_name_is_530(alice, name):
    alice.cmd(f"USER {name}", 530)
    alice.cmd(f"PASS {ALL['bob'].password}", 230)
    assert alice.pwd() == ALL["alice"].home
