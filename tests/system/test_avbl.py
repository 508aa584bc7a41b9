"""AVBL."""

import os

import pytest

from ftpraw import escaped
from rules import LoginRule


@pytest.fixture
def things(home):
    home.dir("d")
    return home


class TestRules(LoginRule):
    lines = ["AVBL", "AVBL d"]


def free(path):
    """The bytes that a user can still write."""
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def test_is_digits_only(alice, home):
    assert alice.cmd("AVBL", 213).lines == [f"213 {free(home.path)}"]
    alice.in_step()


@pytest.mark.parametrize("path", ["disk", "disk/", "./disk", "~/disk", "/home/alice/disk", "link"])
def test_each_file_system_has_its_own(alice, home, disk, path):
    home.link("link", "disk")
    assert alice.cmd(f"AVBL {path}", 213).text == str(free(disk))
    assert free(disk) <= 256 << 10


def test_without_path_it_is_that_of_the_current_directory(alice, disk):
    alice.cmd("CWD disk", 250)
    for line in ("AVBL", "AVBL .", "avbl"):
        assert alice.cmd(line, 213).text == str(free(disk))


def test_falls_with_an_upload(alice, disk):
    before = int(alice.cmd("AVBL disk", 213).text)
    alice.stor("disk/f", b"x" * (64 << 10))
    assert int(alice.cmd("AVBL disk", 213).text) == before - (64 << 10)


def test_full_disk_is_0(alice, disk):
    (disk / "f").write_bytes(b"x" * (256 << 10))
    assert alice.cmd("AVBL disk", 213).text == "0"


@pytest.mark.parametrize("name", ["two words", " leading", 'q"uote', "ünï", b"\xe4", b"a\xffb"])
def test_directories_of_any_name(alice, home, name):
    home.dir(name)
    alice.cmd(b"AVBL " + escaped(name), 213)
    alice.in_step()


@pytest.mark.parametrize("path", ["missing", "d/missing", "f/x", "f/", "closed/d", "dangling",
                                  "n" * 300, "/root/x", "*"])
def test_missing_path_is_550(alice, home, path):
    home.dir("d")
    home.file("f")
    home.dir("closed/d")
    (home / "closed").chmod(0o000)
    home.link("dangling", "nowhere")
    alice.cmd(f"AVBL {path}", 550)
    alice.in_step()


def test_nothing_outside_a_chroot(jailed, home):
    home.link("out", "/etc")
    jailed.cmds(("AVBL /", 213), ("AVBL ..", 213), ("AVBL /home/alice", 550), ("AVBL out", 550))


def test_for_readers_too(ftpd):
    daemon = ftpd(write_enable="NO")
    for client in (daemon.login("alice"), daemon.anonymous()):
        client.cmd("AVBL", 213)
        client.in_step()
