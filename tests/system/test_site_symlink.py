"""SITE SYMLINK; above all that nobody is led out of a chroot by what its user has made."""

import os

import pytest

import codes
from ftpraw import escaped
from rules import ArgumentRule, WriteRule, check_refused


@pytest.fixture
def things(home):
    home.file("f", b"content")
    home.dir("d/e")
    home.file("d/inside", b"inside")
    home.dir("a/b/c")
    home.dir("closed", 0o555)
    home.link("linkdir", "d")
    home.link("short", "a/b/c")
    home.link("a/b/long", "../..")
    home.link("dangling", "nowhere")
    return home


class TestRules(ArgumentRule, WriteRule):
    verbs = ["SITE SYMLINK", "SITE SYMLINK f", 'SITE SYMLINK "f"']
    lines = ["SITE SYMLINK f new"]


@pytest.mark.parametrize("target", ["f", "./f", "d", "d/inside", "missing", "../x", "../../../etc",
                                    "/etc/passwd", "/home/alice/f", "/", ".", "..", "d/../f",
                                    "linkdir/inside", "new", "%n%s"])
def test_text_is_as_given_outside_of_a_chroot(alice, things, target):
    alice.cmd(f"SITE SYMLINK {target} new", 200)
    assert os.readlink(things / "new") == target
    alice.in_step()


@pytest.mark.parametrize("path", ["new", "d/new", "./new", "/home/alice/d/e/new", "linkdir/new",
                                  "d/../new", "d//new"])
def test_place_of_the_link(alice, things, path):
    alice.cmd(f"SITE SYMLINK x {path}", 200)
    assert os.readlink(things / path) == "x"
    alice.in_step()


def test_current_directory_stays(alice, things):
    alice.cmds(("CWD a/b", 250), ("SITE SYMLINK x c/new", 200), ("SITE SYMLINK y new", 200))
    assert alice.pwd() == "/home/alice/a/b"
    assert os.readlink(things / "a" / "b" / "new") == "y"
    alice.cmds(("SITE SYMLINK x missing/new", codes.NAME_REFUSED), ("MKD here", 257))
    assert (things / "a" / "b" / "here").is_dir()


def test_from_a_directory_that_is_gone(alice, things):
    alice.cmd("CWD d/e", 250)
    (things / "d" / "e").rmdir()
    alice.cmd("SITE SYMLINK x /home/alice/new", 200)
    alice.in_step()
    alice.cmds(("CWD /home/alice", 250), ("SITE SYMLINK x other", 200))


def test_from_a_directory_that_has_got_another_name(alice, things):
    alice.cmd("CWD d/e", 250)
    (things / "d" / "e").rename(things / "d" / "moved")
    things.dir("d/e")
    alice.cmds(("SITE SYMLINK x /home/alice/new", 200), ("MKD here", 257))
    assert os.listdir(things / "d" / "moved") == ["here"]


def test_works_as_a_link(alice, things):
    alice.cmds(("SITE SYMLINK f new", 200), ("SITE SYMLINK d newdir", 200))
    assert alice.retr("new") == b"content"
    assert alice.retr("newdir/inside") == b"inside"
    assert "new -> f" in alice.names()


@pytest.mark.parametrize("line, target, name", [
    ('"two words" "a name"', "two words", "a name"), ('f "a name"', "f", "a name"),
    ('"two words" new', "two words", "new"), ('"say ""hi"" x" new', 'say "hi" x', "new"),
    ('f "a""b"', "f", 'a"b'), ('a"b c"d', 'a"b', 'c"d'), ('" f" " new "', " f", " new "),
    ('f   new', "f", "new"), ('"f" "new"', "f", "new"), ("  f new  ", "f", "new"),
    ("ünï €", "ünï", "€"),
])
def test_words_and_quotes(alice, home, line, target, name):
    alice.cmd(f"SITE SYMLINK {line}", 200)
    assert home.names() == [name]
    assert os.readlink(home / name) == target


def test_names_that_are_not_utf_8(alice, home):
    alice.cmd(b"SITE SYMLINK \xe4 " + escaped(b"\xf6\xff"), 200)
    assert os.readlink(os.path.join(os.fsencode(home.path), b"\xf6\xff")) == b"\xe4"


@pytest.mark.parametrize("argument", [
    "f new x", 'f "new', '"f new', '"f" "new" x', '"f"x new', 'f "new"x', '"" new', 'f ""', '"',
    '""', '" "',
])
def test_other_than_two_words_is_501(alice, things, argument):
    check_refused(alice, things, f"SITE SYMLINK {argument}", 501)


@pytest.mark.parametrize("path", [
    "f", "d", "linkdir", "dangling", "closed/new", "missing/new", "f/new", "/etc/new", "/new",
    "n" * 256, "/", ".", "..", "d/", "\x01", "a\x7f", "/root/new",
])
def test_link_that_cannot_be_made_is_553(alice, things, path):
    check_refused(alice, things, f"SITE SYMLINK f {path}", codes.NAME_REFUSED)


@pytest.mark.parametrize("path, target, text", [
    ("new", "/f", "f"), ("new", "/d/inside", "d/inside"), ("new", "/", "."),
    ("new", "//d//e", "d//e"), ("d/new", "/d/inside", "inside"), ("d/new", "/d", "."),
    ("/d/new", "/d/e", "e"),
    ("../d/new", "/d/inside", "inside"), ("linkdir/new", "/d/inside", "inside"),
    ("a/b/long/new", "/f", "f"), ("new", "/missing", "missing"), ("new", "/d/", "d/"),
])
def test_absolute_target_in_a_chroot_becomes_a_relative_text(jailed, things, path, target, text):
    jailed.cmd(f"SITE SYMLINK {target} {path}", 200)
    link = things / path.replace("../", "").lstrip("/")
    assert os.readlink(link) == text
    # Whoever follows it from outside of the chroot gets to what its user meant.
    assert os.path.realpath(link) == os.path.realpath(str(things.path) + target)
    jailed.in_step()


@pytest.mark.parametrize("path, target", [
    ("new", "f"), ("new", "d/inside"), ("new", "missing"), ("new", "."), ("d/new", "e"),
    ("d/new", "./inside"), ("linkdir/new", "inside"), ("new", "..."), ("new", "d/..e"),
])
def test_relative_target_in_a_chroot_stays(jailed, things, path, target):
    jailed.cmd(f"SITE SYMLINK {target} {path}", 200)
    assert os.readlink(things / path) == target
    assert os.path.realpath(things / path).startswith(str(things.path))


@pytest.mark.parametrize("path, target", [
    ("new", ".."), ("new", "../f"), ("new", "../../etc/passwd"), ("d/new", "../.."),
    ("d/new", "../../f"), ("d/e/new", "../../../f"), ("new", "./.."), ("new", ".//../f"),
    ("d/new", ".././.."), ("/d/new", "../../f"), ("d/e/../new", "../../f"),
    # inside, but only as long as nobody moves the link upwards
    ("d/new", "../f"), ("d/e/new", "../inside"), ("d/new", ".."), ("d/new", "/f"), ("d/new", "/"),
    ("d/e/new", "/d/inside"), ("d/e/new", "/d"), ("linkdir/new", "/linkdir/inside"),
    # a name that only begins like that of the directory
    ("d/new", "/dd/f"),
    # behind a name, where a link can stand
    ("new", "d/.."), ("new", "d/../f"), ("new", "d/../../f"), ("new", "linkdir/../../f"),
    ("d/e/new", "a/../f"), ("d/e/new", "../e/../../../x"), ("new", "short/../../../../x"),
    ("new", "/.."), ("new", "/../etc/passwd"), ("new", "/d/../f"), ("new", "/d/../../f"),
    ("d/new", "/../f"),
])
def test_target_outside_of_the_links_directory_is_550_in_a_chroot(jailed, things, path, target):
    check_refused(jailed, things, f"SITE SYMLINK {target} {path}", 550)


def test_no_link_leads_out_of_a_chroot_after_it_was_moved(jailed, things):
    jailed.cmds(("SITE SYMLINK c/x a/b/new", 200), ("SITE SYMLINK /a/b/c a/b/other", 200),
                ("RNFR a/b", 350), ("RNTO b", 250))
    for name in ("new", "other"):
        assert os.path.realpath(things / "b" / name).startswith(str(things / "b"))


def test_directory_in_a_chroot_is_that_of_the_link_and_not_the_current_one(jailed, things):
    jailed.cmds(("CWD /d/e", 250), ("SITE SYMLINK /d/inside /d/one", 200),
                ("SITE SYMLINK /d/inside two", 550), ("SITE SYMLINK /d/e/x three", 200))
    assert jailed.pwd() == "/d/e"
    assert os.readlink(things / "d" / "one") == "inside"
    assert os.readlink(things / "d" / "e" / "three") == "x"


def test_home_directory_in_the_name(jailed, things):
    jailed.cmds(("CWD d", 250), ("SITE SYMLINK f ~/new", 200))
    assert os.readlink(things / "new") == "f"


def test_anonymous_root_is_a_chroot_without_links(ftpd, things):
    client = ftpd(ftp_username="alice", anon_root=str(things.path)).anonymous()
    client.cmd("SITE SYMLINK /etc new", 550)
    assert not os.path.lexists(things / "new")
