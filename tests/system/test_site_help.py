"""SITE HELP."""

import pytest

import codes
from rules import LoginRule

NAMES = ["CHGRP", "CHMOD", "HELP", "IDLE", "MKDIR", "RMDIR", "SYMLINK", "UMASK", "UTIME"]


@pytest.fixture
def things(home):
    return home


class TestRules(LoginRule):
    lines = ["SITE HELP", "SITE HELP CHMOD"]


@pytest.mark.parametrize("line", ["SITE HELP", "site help", "HELP SITE"])
def test_help_names_the_subcommands(alice, line):
    words = " ".join(alice.cmd(line, 214).lines).split()
    assert set(NAMES) <= set(words)


@pytest.mark.parametrize("name", NAMES)
def test_help_of_a_subcommand(alice, name):
    for line in (f"HELP SITE {name}", f"help site {name.lower()}"):
        assert name in alice.cmd(line, 214).text.split()


def test_help_of_an_unknown_subcommand(alice):
    alice.cmd("HELP SITE XYZZY", codes.HELP_UNKNOWN)
    alice.in_step()


def test_nothing_that_is_switched_off(ftpd):
    client = ftpd(write_enable="NO").login("alice")
    words = " ".join(client.cmd("SITE HELP", 214).lines).split()
    assert "UMASK" in words and "IDLE" in words
    assert not {"CHGRP", "CHMOD", "MKDIR", "RMDIR", "SYMLINK", "UTIME"} & set(words)
