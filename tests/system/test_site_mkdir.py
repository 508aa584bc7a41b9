"""SITE MKDIR."""

import os

import pytest

import codes
from changes import ODD_NAMES, PATHS_IN_A_CHROOT, furnish
from ftpraw import escaped
from rules import ArgumentRule, WriteRule, check_refused, mode_of


@pytest.fixture
def things(home):
    return furnish(home)


class TestRules(ArgumentRule, WriteRule):
    verbs = ["SITE MKDIR"]
    lines = ["SITE MKDIR new", "SITE MKDIR new/a/b"]


@pytest.mark.parametrize("path", ["new", "new/", "./new", "new/a", "new/a/b/c", "new//a///b",
                                  "empty/new", "empty/new/a", "empty/../new/a", "linkdir/new/a",
                                  "/home/alice/new/a", "~/new/a", "../alice/new"])
def test_makes_all_that_is_missing(alice, things, path):
    alice.cmd(f"SITE MKDIR {path}", 200)
    made = path.replace("~", "/home/alice")
    assert (things.path / made).is_dir()
    assert (things.path / made).stat().st_uid == things.account.uid
    alice.in_step()


def test_below_the_current_directory(alice, things):
    alice.cmds(("CWD empty", 250), ("SITE MKDIR a/b", 200))
    assert (things / "empty" / "a" / "b").is_dir()


def test_hundred_levels(alice, home):
    path = "/".join(["level"] * 100)
    alice.cmd(f"SITE MKDIR {path}", 200)
    assert (home / path).is_dir()


@pytest.mark.parametrize("name", ODD_NAMES + [b"a\xffb"])
@pytest.mark.parametrize("parent", [b"", b"p/"])
def test_any_name(alice, home, name, parent):
    alice.cmd(b"SITE MKDIR " + parent + escaped(name), 200)
    path = os.path.join(os.fsencode(home.path), parent, os.fsencode(name))
    assert os.path.isdir(path)
    alice.in_step()


@pytest.mark.parametrize("path", ["empty", "empty/", "full", "f", "link", "linkdir", "dangling",
                                  "pipe", ".", "..", "/", "//", "~/", "/home/alice"])
def test_what_exists_is_550(alice, things, path):
    check_refused(alice, things, f"SITE MKDIR {path}", 550)


@pytest.mark.parametrize("path", ["f/new", "f/new/a", "closed/new", "closed/new/a", "/new",
                                  "/etc/new/a", "/root/new", "dangling/new", "n" * 256,
                                  "pipe/new"])
def test_refused(alice, things, path):
    check_refused(alice, things, f"SITE MKDIR {path}", 550)


@pytest.mark.parametrize("name", ["\x01", "a/\x1b[2J", "a\x7f/b"])
def test_no_names_with_control_bytes_are_made(alice, home, name):
    alice.cmd(f"SITE MKDIR {name}", codes.NAME_REFUSED)
    assert home.names() == []


def test_permissions(ftpd, home):
    ftpd(local_umask="027").login("alice").cmd("SITE MKDIR a/b", 200)
    assert mode_of(home / "a") == mode_of(home / "a" / "b") == 0o750


@pytest.mark.parametrize("path", PATHS_IN_A_CHROOT + ["/{}", "up/../{}"])
def test_in_a_chroot(jailed, things, path):
    things.link("up", "../..")
    jailed.cmd("SITE MKDIR " + path.format("new/a"), 200)
    assert (things / "new" / "a").is_dir()


def test_nothing_outside_a_chroot(jailed, things):
    things.link("out", "/etc")
    jailed.cmds(("SITE MKDIR out/new", 550), ("SITE MKDIR /etc/new", 200))
    assert (things / "etc" / "new").is_dir() and not os.path.exists("/etc/new")
