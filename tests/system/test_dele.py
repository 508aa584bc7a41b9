"""DELE."""

import os

import pytest

from changes import ODD_NAMES, PATHS_IN_A_CHROOT, furnish
from rules import ArgumentRule, WriteRule

HOME = "/home/alice"


@pytest.fixture
def things(home):
    return furnish(home)


class TestRules(ArgumentRule, WriteRule):
    verbs = ["DELE"]
    lines = ["DELE f"]


@pytest.mark.parametrize("path", ["f", "./f", HOME + "/f", "readonly", "full/inside", "pipe",
                                  "empty/../f"])
def test_dele(alice, things, path):
    alice.cmd(f"DELE {path}", 250)
    assert not os.path.lexists(things / path)


@pytest.mark.parametrize("name", ["link", "linkdir", "dangling"])
def test_dele_of_a_link_leaves_its_target(alice, things, name):
    alice.cmd(f"DELE {name}", 250)
    assert name not in things.names()
    assert (things / "f").exists() and (things / "empty").exists()


@pytest.mark.parametrize("path", ["missing", "empty", "full", ".", "..", "/", "closed/inside",
                                  "f/", "f/x", "n" * 300, "*", "?", "f*", "/etc/passwd", "/root/x"])
def test_dele_refused(alice, things, path):
    before = things.names()
    alice.cmd(f"DELE {path}", 550)
    assert things.names() == before
    assert (things / "closed" / "inside").exists()
    alice.in_step()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_files_of_any_name(alice, home, name):
    home.file(name)
    home.file("canary")
    alice.cmd(b"DELE " + os.fsencode(name), 250)
    assert home.names() == ["canary"]


@pytest.mark.parametrize("name", ["\x01", "a\x1b[2J", "x\x7f"])
def test_names_with_control_bytes_can_be_removed(alice, home, name):
    home.file(name)
    alice.cmd(f"DELE {name}", 250)
    assert home.names() == []


@pytest.mark.parametrize("path", PATHS_IN_A_CHROOT)
def test_paths_inside_a_chroot(jailed, things, path):
    things.link("up", "../..")
    jailed.cmd(f"DELE {path.format('f')}", 250)
    assert not (things / "f").exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "out/passwd", "/home/alice/f"])
def test_nothing_outside_a_chroot(jailed, things, path):
    things.link("out", "/etc")
    before = things.names()
    jailed.cmd(f"DELE {path}", 550)
    assert things.names() == before
    assert os.path.exists("/etc/passwd")
