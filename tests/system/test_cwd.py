"""CWD and XCWD, in the whole file system and in a chroot."""

import os

import pytest

from ftpraw import escaped

VERBS = {"CWD", "XCWD"}
HOME = "/home/alice"


@pytest.mark.parametrize("path, expected", [
    ("d", "d"), ("d/", "d"), ("./d", "d"), ("d/.", "d"), ("d/e", "d/e"), ("d//e", "d/e"),
    ("d/e/..", "d"), ("d/../d/e", "d/e"), ("d/e/../..", ""), (".", ""), ("./", ""), ("", ""),
    (" ", ""), ("~", ""), ("~/d", "d"), (HOME, ""), (HOME + "/d", "d"), ("//home//alice//d", "d"),
    ("/home/../home/alice/d/", "d"), ("../alice/d", "d"),
])
def test_cwd(alice, home, path, expected):
    home.dir("d/e")
    alice.cmd(f"CWD {path}", 250)
    assert alice.pwd() == f"{HOME}/{expected}".rstrip("/")


def test_x_form(alice, home):
    home.dir("d/e")
    alice.cmd("XCWD d/e", 250)
    assert alice.pwd() == HOME + "/d/e"


@pytest.mark.parametrize("line", ["CWD", "CWD ", "CWD ~", "XCWD"])
def test_cwd_without_argument_goes_home(alice, home, line):
    home.dir("d/e")
    alice.cmds(("CWD d/e", 250), (line, 250))
    assert alice.pwd() == HOME


@pytest.mark.parametrize("path", [
    "missing", "missing/..", "d/missing", "file", "file/", "file/..", "closed", "dangling", "loop",
    "n" * 256, "d/" * 2000, "/root", "d\\e", "D", "*", "?", "d*", "~root", "~bob",
])
def test_cwd_refused(alice, home, path):
    home.dir("d/e")
    home.file("file")
    home.dir("closed", 0o000)
    home.link("dangling", "nowhere")
    home.link("loop", "loop")
    alice.cmd(f"CWD {path}", 550)
    assert alice.pwd() == HOME


def test_cwd_needs_no_right_to_read(alice, home):
    home.dir("dark/deep")
    (home / "dark").chmod(0o311)
    alice.cmds(("CWD dark", 250), ("CWD deep", 250), ("CDUP", 250), ("CDUP", 250))
    assert alice.pwd() == HOME


def test_cwd_through_a_link(alice, home):
    home.dir("d/e")
    home.file("d/e/inside")
    home.link("link", "d/e")
    alice.cmd("CWD link", 250)
    assert alice.names() == ["inside"]


@pytest.mark.parametrize("name", [
    'a"b', '"', '""', "two words", " leading", "trailing ", "ünï", b"\xe4\xf6", b"\xff",
    b"a\xff\xffb",
    "%n%s%x", "-la", "~x", "back\\slash", "(1,2,3,4,5,6)", "x" * 255, "\x01\x1b[2J", "#", "*",
])
def test_directories_of_any_name(alice, home, name):
    path = home.dir(name)
    alice.cmd(b"CWD " + escaped(name), 250)
    # The control connection is Telnet, so a server may double FF as a client must.
    assert os.fsencode(alice.pwd()) in (os.fsencode(path), escaped(path))
    alice.cmd("CDUP", 250)
    assert alice.pwd() == HOME


def test_deep_directories(alice, home):
    name = "x" * 200
    for depth in range(1, 16):
        home.dir("/".join([name] * depth))
        alice.cmd(f"CWD {name}", 250)
    assert alice.pwd() == HOME + ("/" + name) * 15
    for _ in range(15):
        alice.cmd("CDUP", 250)
    assert alice.pwd() == HOME


@pytest.mark.parametrize("path", [
    "..", "/..", "../..", "/../..", "d/../..", "d/../../..", "../alice", "/../home/alice",
    "../../../../../../../../..", "//..//..", "~/..", "/home/alice", "/etc", "/root",
    "/proc/self/root",
    "out", "up", "out/alice", "up/home", "d/up", "d/../up/..",
])
def test_no_way_out_of_a_chroot(jailed, home, path):
    home.dir("d")
    home.file("inside")
    home.link("out", "/home")
    home.link("up", "../../../..")
    home.link("d/up", "../..")
    jailed.cmd(f"CWD {path}", 250, 550)
    assert jailed.pwd() == "/"
    assert [name.split(" -> ")[0] for name in jailed.names("/")] == ["d", "inside", "out", "up"]


@pytest.mark.parametrize("path", ["up", "d/up"])
def test_relative_link_above_the_root_ends_at_the_root(jailed, home, path):
    home.dir("d")
    home.link("up", "../../../..")
    home.link("d/up", "../..")
    jailed.cmd(f"CWD {path}", 250)
    jailed.cmd("MKD made", 257)
    assert (home / "made").is_dir()
