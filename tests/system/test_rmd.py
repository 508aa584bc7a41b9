"""RMD and XRMD."""

import os

import pytest

import codes
from changes import ODD_NAMES, PATHS_IN_A_CHROOT, furnish
from rules import ArgumentRule, WriteRule

VERBS = {"RMD", "XRMD"}
HOME = "/home/alice"


@pytest.fixture
def things(home):
    home.dir("other")
    return furnish(home)


class TestRules(ArgumentRule, WriteRule):
    verbs = ["RMD", "XRMD"]
    lines = ["RMD empty", "XRMD other"]


@pytest.mark.parametrize("verb", ["RMD", "XRMD"])
@pytest.mark.parametrize("path", ["empty", "empty/", "./empty", HOME + "/empty", "~/empty"])
def test_rmd(alice, things, verb, path):
    alice.cmd(f"{verb} {path}", 250)
    assert not (things / "empty").exists()


@pytest.mark.parametrize("path", ["full", "missing", "f", "link", "linkdir", "pipe", ".", "..",
                                  "closed/dir", "n" * 300, "*", "/root/x", "/tmp/x"])
def test_rmd_refused(alice, things, path):
    before = things.names()
    alice.cmd(f"RMD {path}", 550)
    assert things.names() == before
    assert (things / "closed" / "dir").exists()
    alice.in_step()


def test_rmd_of_the_root_is_refused(jailed, things):
    before = things.names()
    for path in ("/", "..", "/.."):
        jailed.cmd(f"RMD {path}", codes.RMD_ROOT)
    assert things.names() == before


@pytest.mark.parametrize("name", ODD_NAMES)
def test_directories_of_any_name(alice, home, name):
    home.dir(name)
    home.dir("canary")
    alice.cmd(b"RMD " + os.fsencode(name), 250)
    assert home.names() == ["canary"]


@pytest.mark.parametrize("path", PATHS_IN_A_CHROOT)
def test_paths_inside_a_chroot(jailed, things, path):
    things.link("up", "../..")
    jailed.cmd(f"RMD {path.format('empty')}", 250)
    assert not (things / "empty").exists()


def test_nothing_outside_a_chroot(jailed, things):
    before = things.names()
    jailed.cmd("RMD /home/alice/empty", 550)
    assert things.names() == before
