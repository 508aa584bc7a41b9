"""CWD, CDUP, PWD and their X forms, in the whole file system and in a chroot."""

import os

import pytest

HOME = "/home/alice"


def pwd(client):
    return client.cmd("PWD", 257).quoted()


def doubled(name):
    """A name as a command carries it: its FF bytes doubled, as Telnet wants."""
    return os.fsencode(name).replace(b"\xff", b"\xff\xff")


@pytest.mark.parametrize("path, expected", [
    ("d", "d"), ("d/", "d"), ("./d", "d"), ("d/.", "d"), ("d/e", "d/e"), ("d//e", "d/e"),
    ("d/e/..", "d"), ("d/../d/e", "d/e"), ("d/e/../..", ""), (".", ""), ("./", ""), ("", ""),
    (" ", ""), ("~", ""), ("~/d", "d"), (HOME, ""), (HOME + "/d", "d"), ("//home//alice//d", "d"),
    ("/home/../home/alice/d/", "d"), ("../alice/d", "d"),
])
def test_cwd(alice, home, path, expected):
    home.dir("d/e")
    alice.cmd(f"CWD {path}", 250)
    assert pwd(alice) == f"{HOME}/{expected}".rstrip("/")


@pytest.mark.parametrize("line", ["CWD", "CWD ", "CWD ~", "XCWD"])
def test_cwd_without_argument_goes_home(alice, home, line):
    home.dir("d/e")
    alice.cmds(("CWD d/e", 250), (line, 250))
    assert pwd(alice) == HOME


def test_x_forms(alice, home):
    home.dir("d/e")
    alice.cmd("XCWD d/e", 250)
    assert alice.cmd("XPWD", 257).quoted() == HOME + "/d/e"
    alice.cmd("XCUP", 250)
    assert pwd(alice) == HOME + "/d"


def test_cdup(alice, home):
    home.dir("d/e")
    alice.cmds(("CWD d/e", 250), ("CDUP", 250))
    assert pwd(alice) == HOME + "/d"


def test_cdup_up_to_the_root_and_on(alice):
    for expected in ("/home", "/", "/", "/"):
        alice.cmd("CDUP", 250)
        assert pwd(alice) == expected


def test_cdup_in_the_root_of_a_chroot(jailed):
    for _ in range(3):
        jailed.cmd("CDUP", 250)
        assert pwd(jailed) == "/"


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
    assert pwd(alice) == HOME


def test_cwd_needs_no_right_to_read(alice, home):
    home.dir("dark/deep")
    (home / "dark").chmod(0o311)
    alice.cmds(("CWD dark", 250), ("CWD deep", 250), ("CDUP", 250), ("CDUP", 250))
    assert pwd(alice) == HOME


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
    alice.cmd(b"CWD " + doubled(name), 250)
    # The control connection is Telnet, so a server may double FF as a client must.
    assert os.fsencode(pwd(alice)) in (os.fsencode(path), doubled(path))
    alice.cmd("CDUP", 250)
    assert pwd(alice) == HOME


def test_pwd_of_a_name_with_a_line_feed_is_one_line(alice, home):
    home.dir("a\r\n226 b")
    home.link("link", "a\r\n226 b")
    alice.cmd("CWD link", 250)
    assert len(alice.cmd("PWD", 257).lines) == 1
    alice.cmd("MKD d", 257)
    alice.in_step()


def test_deep_directories(alice, home):
    name = "x" * 200
    for depth in range(1, 16):
        home.dir("/".join([name] * depth))
        alice.cmd(f"CWD {name}", 250)
    assert pwd(alice) == HOME + ("/" + name) * 15
    for _ in range(15):
        alice.cmd("CDUP", 250)
    assert pwd(alice) == HOME


def test_directory_that_goes_away(alice, home):
    home.dir("d")
    alice.cmd("CWD d", 250)
    (home / "d").rmdir()
    alice.cmd("PWD", 257, 550)
    alice.cmd(f"CWD {HOME}", 250)
    assert pwd(alice) == HOME


def test_pwd_of_a_chroot(jailed, home):
    home.dir("d/e")
    assert pwd(jailed) == "/"
    jailed.cmd("CWD /d/e", 250)
    assert pwd(jailed) == "/d/e"
    jailed.cmd("CWD", 250)
    assert pwd(jailed) == "/"


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
    assert pwd(jailed) == "/"
    assert [name.split(" -> ")[0] for name in jailed.names("/")] == ["d", "inside", "out", "up"]


@pytest.mark.parametrize("path", ["up", "d/up"])
def test_relative_link_above_the_root_ends_at_the_root(jailed, home, path):
    home.dir("d")
    home.link("up", "../../../..")
    home.link("d/up", "../..")
    jailed.cmd(f"CWD {path}", 250)
    jailed.cmd("MKD made", 257)
    assert (home / "made").is_dir()
