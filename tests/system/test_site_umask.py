"""SITE UMASK."""

import re

import pytest

from rules import LoginRule, mode_of


@pytest.fixture
def things(home):
    return home


class TestRules(LoginRule):
    lines = ["SITE UMASK", "SITE UMASK 022"]


def test_umask_is_told(ftpd, home):
    client = ftpd(local_umask="027").login("alice")
    assert re.search(r"\b0?027\b", client.cmd("SITE UMASK", 200).text)


@pytest.mark.parametrize("digits, file_mode, dir_mode", [
    ("022", 0o644, 0o755), ("0022", 0o644, 0o755), ("000", 0o666, 0o777), ("077", 0o600, 0o700),
    ("0777", 0o000, 0o000),
])
def test_umask_is_set(alice, home, digits, file_mode, dir_mode):
    alice.cmd(f"SITE UMASK {digits}", 200)
    assert re.search(rf"\b0?{int(digits, 8):03o}\b", alice.cmd("SITE UMASK", 200).text)
    alice.stor("f", b"x")
    alice.cmd("MKD d", 257)
    assert (mode_of(home / "f"), mode_of(home / "d")) == (file_mode, dir_mode)


@pytest.mark.parametrize("argument", ["x", "8", "999", "-1", "1777", "77777", "022 x", "0x12"])
def test_umask_of_rubbish_is_501(alice, home, argument):
    alice.cmds((f"SITE UMASK {argument}", 501), ("SITE UMASK", 200))
    alice.stor("f", b"x")
    assert mode_of(home / "f") == 0o600


def test_umask_does_not_reach_other_sessions(ftpd, home):
    daemon = ftpd()
    daemon.login("alice").cmd("SITE UMASK 0", 200)
    daemon.login("alice").stor("f", b"x")
    assert mode_of(home / "f") == 0o600
