"""MKD and XMKD."""

import os

import pytest

import codes
from changes import ODD_NAMES, PATHS_IN_A_CHROOT, furnish
from rules import ArgumentRule, WriteRule

VERBS = {"MKD", "XMKD"}
HOME = "/home/alice"


@pytest.fixture
def things(home):
    return furnish(home)


class TestRules(ArgumentRule, WriteRule):
    verbs = ["MKD", "XMKD"]
    lines = ["MKD new", "XMKD new/newer"]


@pytest.mark.parametrize("verb", ["MKD", "XMKD"])
@pytest.mark.parametrize("path, expected", [
    ("new", "new"), ("./new", "new"), ("empty/new", "empty/new"), ("empty/../new", "new"),
    ("new/", "new"), (HOME + "/new", "new"), ("//home//alice//new", "new"),
])
def test_mkd_tells_the_absolute_path(alice, things, verb, path, expected):
    reply = alice.cmd(f"{verb} {path}", 257)
    assert reply.quoted().startswith("/")
    assert os.path.normpath(reply.quoted()).replace("//", "/") == f"{HOME}/{expected}"
    assert reply.lines[-1].count('"') == 2, "clients take what is between the first and last quote"
    assert (things / expected).is_dir()


def test_mkd_below_the_current_directory(alice, things):
    alice.cmd("CWD empty", 250)
    assert alice.cmd("MKD new", 257).quoted() == HOME + "/empty/new"


def test_mkd_in_a_chroot_tells_the_path_there(jailed, things):
    assert jailed.cmd("MKD empty/new", 257).quoted() == "/empty/new"


@pytest.mark.parametrize("name", ODD_NAMES)
def test_directories_of_any_name(alice, home, name):
    raw = os.fsencode(name)
    path = alice.cmd(b"MKD " + raw, 257).quoted()
    assert os.fsencode(path) == HOME.encode() + b"/" + raw
    assert home.names() == [os.fsdecode(raw)]
    alice.cmd(b"RMD " + raw, 250)
    assert home.names() == []


@pytest.mark.parametrize("name", ["\x01", "a\x1b[2J", "tab\there", "x\x7f"])
def test_no_names_with_control_bytes_are_made(alice, home, name):
    alice.cmd(f"MKD {name}", codes.NAME_REFUSED)
    alice.refused(f"STOR {name}", codes.NAME_REFUSED)
    home.file("f")
    alice.cmds(("RNFR f", 350), (f"RNTO {name}", codes.NAME_REFUSED))
    assert home.names() == ["f"]


@pytest.mark.parametrize("umask, mode", [("077", 0o700), ("022", 0o755), ("0", 0o777)])
def test_permissions_of_a_new_directory(ftpd, home, umask, mode):
    ftpd(local_umask=umask).login("alice").cmd("MKD d", 257)
    status = (home / "d").stat()
    assert status.st_mode & 0o7777 == mode
    assert (status.st_uid, status.st_gid) == (home.account.uid, home.account.gid)


@pytest.mark.parametrize("path", ["empty", "f", "link", "linkdir", "dangling", "pipe", ".", "..",
                                  "/"])
def test_mkd_of_what_exists(alice, things, path):
    before = things.names()
    # FileZilla makes directories with several sessions at once; it takes these words for success
    assert "already exists" in alice.cmd(f"MKD {path}", codes.MKD_EXISTS).text
    assert things.names() == before
    alice.in_step()


@pytest.mark.parametrize("path", ["missing/new", "f/new", "closed/new", "/etc/new", "/new",
                                  "n" * 256, "/root/new", "n/" * 2000])
def test_mkd_refused(alice, things, path):
    before = things.names()
    alice.cmd(f"MKD {path}", 550)
    assert things.names() == before
    alice.in_step()


@pytest.mark.parametrize("path", PATHS_IN_A_CHROOT)
def test_paths_inside_a_chroot(jailed, things, path):
    things.link("up", "../..")
    jailed.cmd(f"MKD {path.format('new')}", 257)
    assert (things / "new").is_dir()


@pytest.mark.parametrize("line", ["MKD /home/new", "MKD /etc/new", "MKD out/new"])
def test_nothing_outside_a_chroot(jailed, things, line):
    things.link("out", "/etc")
    before = things.names()
    jailed.cmd(line, 550)
    assert things.names() == before
    assert not os.path.exists("/home/new") and not os.path.exists("/etc/new")
