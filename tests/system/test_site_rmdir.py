"""SITE RMDIR."""

import os
import subprocess

import pytest

from changes import ODD_NAMES, PATHS_IN_A_CHROOT, furnish
from ftpraw import escaped
from rules import ArgumentRule, WriteRule, check_refused, snapshot

CROWD = 20000


@pytest.fixture
def things(home):
    furnish(home)
    home.dir("tree/one/two/three")
    for name in ("a", ".hidden", "one/b", "one/two/c", "one/two/three/d"):
        home.file(f"tree/{name}", b"x")
    home.dir("tree/empty")
    home.fifo("tree/pipe")
    return home


@pytest.fixture
def crowd(home):
    """A directory of so many files that removing them takes a while."""
    path = home.dir("crowd")
    for number in range(CROWD):
        os.close(os.open(path / f"{number:05}", os.O_WRONLY | os.O_CREAT, 0o644))
    return path


class TestRules(ArgumentRule, WriteRule):
    verbs = ["SITE RMDIR"]
    lines = ["SITE RMDIR empty", "SITE RMDIR tree"]


@pytest.mark.parametrize("path", ["tree", "tree/", "./tree", "/home/alice/tree", "~/tree",
                                  "empty/../tree", "../alice/tree", "tree//"])
def test_removes_the_whole_tree_and_nothing_else(alice, things, path):
    before = things.names()
    alice.cmd(f"SITE RMDIR {path}", 200)
    alice.in_step()
    assert things.names() == [name for name in before if name != "tree"]
    assert (things / "full" / "inside").exists()


@pytest.mark.parametrize("name", ODD_NAMES + [b"a\xffb", "\x01", "a\nb"])
def test_entries_of_any_name(alice, home, name):
    home.dir(b"tree/" + os.fsencode(name))
    home.file(b"tree/" + os.fsencode(name) + b"/f")
    home.file("canary")
    alice.cmd("SITE RMDIR tree", 200)
    assert home.names() == ["canary"]


@pytest.mark.parametrize("name", ODD_NAMES + [b"a\xffb"])
def test_directory_of_any_name(alice, home, name):
    home.dir(name)
    home.file(os.fsencode(name) + b"/f")
    home.dir("canary")
    alice.cmd(b"SITE RMDIR " + escaped(name), 200)
    assert home.names() == ["canary"]


@pytest.mark.parametrize("target", ["../full", "/home/alice/full", "../f", "..", ".", "/",
                                    "nowhere", "/etc", "loop"])
def test_links_are_removed_and_not_followed(alice, things, target):
    things.link("tree/loop", target)
    things.link("tree/one/two/loop", target)
    before = {path: kept for path, kept in snapshot(things.path).items()
              if not path.startswith(b"tree")}
    alice.cmd("SITE RMDIR tree", 200)
    assert snapshot(things.path) == before
    assert os.path.exists("/etc/passwd")


@pytest.mark.parametrize("path", ["linkdir", "linkdir/", "link", "dangling"])
def test_link_is_no_directory(alice, things, path):
    things.file("empty/inside")
    check_refused(alice, things, f"SITE RMDIR {path}", 550)


@pytest.mark.parametrize("path", ["missing", "missing/x", "f", "f/x", "pipe", "n" * 300, "*",
                                  ".", "..", "./", "../", "/", "//", "tree/.", "tree/..",
                                  "tree/one/..", "/root/x", "~"])
def test_refused(alice, things, path):
    check_refused(alice, things, f"SITE RMDIR {path}", 550)


@pytest.mark.parametrize("path", ["/", ".", "..", "/..", "~/", "tree/..", "//", "/."])
def test_root_of_a_chroot_is_not_removed(jailed, things, path):
    check_refused(jailed, things, f"SITE RMDIR {path}", 550)


@pytest.mark.parametrize("path", PATHS_IN_A_CHROOT)
def test_in_a_chroot(jailed, things, path):
    things.link("up", "../..")
    jailed.cmd("SITE RMDIR " + path.format("tree"), 200)
    assert not (things / "tree").exists()
    assert (things / "full" / "inside").exists()


@pytest.mark.parametrize("path", ["/home/alice/tree", "out/ftp", "out"])
def test_nothing_outside_a_chroot(jailed, things, path):
    things.link("out", "/srv")
    check_refused(jailed, things, f"SITE RMDIR {path}", 550)
    assert os.path.exists("/srv/ftp/pub/readme.txt")


@pytest.mark.parametrize("length", [1, 200])
def test_deep_tree(alice, home, length):
    """Deeper than a path can be long, with the long names."""
    top = home.dir("tree")
    fd = os.open(top, os.O_RDONLY)
    for level in range(300):
        name = "d" * length
        os.mkdir(name, dir_fd=fd)
        os.chown(name, home.account.uid, home.account.gid, dir_fd=fd)
        os.close(os.open(f"file{level}", os.O_WRONLY | os.O_CREAT, dir_fd=fd))
        below = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)
    home.dir("canary")
    alice.cmd("SITE RMDIR tree", 200)
    alice.in_step()
    assert home.names() == ["canary"]


def test_wide_tree(alice, home):
    for number in range(500):
        home.dir(f"tree/{number}")
        home.file(f"tree/{number}/f")
    alice.cmd("SITE RMDIR tree", 200)
    assert home.names() == []


def test_many_entries(alice, home, crowd):
    alice.cmd("SITE RMDIR crowd", 200)
    alice.in_step()
    assert home.names() == []


def test_abor_ends_it_early(alice, home, crowd):
    alice.send("SITE RMDIR crowd\r\nABOR\r\n")
    alice.reply(426)
    alice.reply(226)
    alice.in_step()
    assert len(os.listdir(crowd)) > CROWD // 2
    alice.cmd("SITE RMDIR crowd", 200)
    assert home.names() == []


def test_commands_during_it(alice, home, crowd):
    """Those that speak of the session are answered at once, the others in their turn."""
    alice.send("SITE RMDIR crowd\r\nNOOP\r\nSTAT\r\nPWD\r\n")
    for code in (200, 211, 200, 257):
        alice.reply(code)
    alice.in_step()
    assert home.names() == []


@pytest.mark.parametrize("where", ["tree/one", "tree/one/two/three"])
@pytest.mark.parametrize("mode", [0o555, 0o755])
def test_entry_that_cannot_be_removed_is_550(alice, things, where, mode):
    """It is in a directory of root, or in one's own without the right to write."""
    path = things / where
    if mode == 0o755:
        os.chown(path, 0, 0)
    else:
        path.chmod(mode)
    before = snapshot(path)
    alice.cmd("SITE RMDIR tree", 550)
    alice.in_step()
    assert snapshot(path) == before
    alice.cmd("SITE RMDIR tree", 550)


def test_directory_that_cannot_be_read_is_550(alice, things):
    (things / "tree" / "one").chmod(0o000)
    alice.cmd("SITE RMDIR tree", 550)
    alice.in_step()
    assert (things / "tree" / "one" / "two" / "c").exists()


def test_file_of_another_user_in_ones_own_directory_goes(alice, things):
    path = things / "tree" / "of-root"
    path.write_bytes(b"x")
    path.chmod(0o600)
    alice.cmd("SITE RMDIR tree", 200)
    assert not (things / "tree").exists()


@pytest.mark.parametrize("where", ["tree", "tree/one"])
def test_mount_point_is_550(alice, things, where):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=777", "tmpfs", things / where], check=True)
    try:
        alice.cmd("SITE RMDIR tree", 550)
        alice.in_step()
        assert (things / where).is_dir()
    finally:
        subprocess.run(["umount", "--lazy", things / where], check=True)


def test_directory_one_stands_in(alice, things):
    alice.cmds(("CWD tree/one", 250), ("SITE RMDIR /home/alice/tree", 200))
    alice.cmd("NOOP", 200)
    alice.cmds(("CWD /home/alice", 250), ("PWD", 257))
    assert not (things / "tree").exists()
