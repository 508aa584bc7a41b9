"""RNTO."""

import os
import socket
import subprocess

import pytest

import codes
from changes import furnish_for_renaming
from rules import WriteRule


@pytest.fixture
def things(home):
    return furnish_for_renaming(home)


class TestRules(WriteRule):
    lines = ["RNFR f", "RNTO g"]


@pytest.mark.parametrize("source, target", [
    ("f", "g"), ("f", "d/g"), ("f", "/home/alice/d/e/g"), ("./f", "d/../g"), ("d/inside", "inside"),
    ("f", "two words"), ("f", " leading"), ("f", "trailing "), ("f", 'q"uote'), ("f", "*"),
    ("f", "x" * 255), ("f", "ünï"), ("f", "%n%s"),
])
def test_file(alice, things, source, target):
    content = (things / source).read_bytes()
    alice.cmds((f"RNFR {source}", 350), (f"RNTO {target}", 250))
    assert (things / target).read_bytes() == content
    assert not os.path.lexists(things / source)
    alice.in_step()


def test_name_that_is_not_utf_8(alice, things):
    alice.cmds(("RNFR f", 350), (b"RNTO \xe4\xff\xff", 250))
    assert b"\xe4\xff" in os.listdir(os.fsencode(things.path))


def test_directory(alice, things):
    alice.cmds(("RNFR d", 350), ("RNTO new", 250))
    assert (things / "new" / "inside").read_bytes() == b"inside"


def test_existing_file_is_replaced(alice, things):
    alice.cmds(("RNFR f", 350), ("RNTO other", 250))
    assert (things / "other").read_bytes() == b"content"
    assert not (things / "f").exists()


def test_link_itself_is_renamed(alice, things):
    alice.cmds(("RNFR link", 350), ("RNTO link2", 250))
    assert os.readlink(things / "link2") == "f"
    assert (things / "f").read_bytes() == b"content"


@pytest.mark.parametrize("target", ["nowhere", "link2", "d", "/root/x"])
def test_link_is_renamed_wherever_it_points(alice, things, target):
    things.link("link2", target)
    alice.cmds(("RNFR link2", 350), ("RNTO new", 250))
    assert os.readlink(things / "new") == target


@pytest.mark.parametrize("name", ["pipe", "socket"])
def test_special_files_are_renamed(alice, things, name):
    things.fifo("pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(things / "socket"))
    things.own(things / "socket")
    alice.cmds((f"RNFR {name}", 350), ("RNTO d/new", 250))
    assert "new" in os.listdir(things / "d")


@pytest.mark.parametrize("target", ["missing/g", "f/g", "d", "closed/g", "/etc/g", "/g", "n" * 256,
                                    "/", "/root/g"])
def test_refused_target(alice, things, target):
    alice.cmds(("RNFR f", 350), (f"RNTO {target}", codes.RENAME_REFUSED))
    assert (things / "f").read_bytes() == b"content"
    alice.in_step()


@pytest.mark.parametrize("target", ["d/e/x", "d/x"])
def test_directory_cannot_go_into_itself(alice, things, target):
    alice.cmds(("RNFR d", 350), (f"RNTO {target}", codes.RENAME_REFUSED))
    assert (things / "d" / "inside").exists()


def test_to_another_file_system_is_refused(alice, things):
    path = things.dir("disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=777", "tmpfs", path], check=True)
    try:
        alice.cmds(("RNFR f", 350), ("RNTO disk/f", codes.RENAME_REFUSED))
        assert (things / "f").exists() and os.listdir(path) == []
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


@pytest.mark.parametrize("line", ["RNTO", "RNTO "])
def test_without_name_is_501(alice, line):
    alice.cmd("RNFR /home/alice", 350)
    alice.cmd(line, 501)
    alice.in_step()


def test_rnto_without_rnfr_is_503(alice):
    alice.cmd("RNTO x", 503)
    alice.in_step()


def test_rnfr_serves_one_rnto(alice, things):
    alice.cmds(("RNFR f", 350), ("RNTO g", 250), ("RNTO h", 503))
    assert (things / "g").exists()


def test_refused_rnto_uses_rnfr_up(alice, things):
    alice.cmds(("RNFR f", 350), ("RNTO missing/g", codes.RENAME_REFUSED), ("RNTO g", 503))
    assert (things / "f").exists()


def test_needs_write_enable(ftpd, things):
    client = ftpd(write_enable="NO").login("alice")
    client.cmd("RNFR f", 550)
    client.cmd("RNTO g", 503, 550)
    assert (things / "f").exists() and not (things / "g").exists()


@pytest.mark.parametrize("source, target", [("f", "../g"), ("/f", "/../../g"), ("f", "d/../../g"),
                                            ("../f", "g"), ("f", "up/g")])
def test_paths_inside_a_chroot(jailed, things, source, target):
    things.link("up", "../..")
    jailed.cmds((f"RNFR {source}", 350), (f"RNTO {target}", 250))
    assert (things / "g").read_bytes() == b"content"


@pytest.mark.parametrize("path", ["/etc/passwd", "/home/alice/f", "out/passwd"])
def test_nothing_outside_a_chroot(jailed, things, path):
    things.link("out", "/etc")
    jailed.cmds((f"RNFR {path}", 550), ("RNFR f", 350), (f"RNTO {path}", codes.RENAME_REFUSED))
    assert (things / "f").exists()
