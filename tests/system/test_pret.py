"""PRET."""

import pytest

from ftpraw import escaped
from rules import ArgumentRule, LoginRule


@pytest.fixture
def things(home):
    home.file("f", b"content")
    return home


class TestRules(ArgumentRule, LoginRule):
    verbs = ["PRET"]
    lines = ["PRET RETR f", "PRET LIST"]


@pytest.mark.parametrize("argument", [
    "RETR f", "retr f", "STOR new", "STOR f", "APPE new", "STOU", "LIST", "LIST -la", "NLST",
    "LIST missing", "MLSD", "MLSD d", "RETR /home/alice/f", "RETR ~/f",
])
def test_is_200_and_has_no_effect(alice, home, argument):
    home.file("f", b"content")
    home.dir("d")
    alice.cmd(f"PRET {argument}", 200)
    assert home.names() == ["d", "f"]
    assert alice.retr("f") == b"content"
    alice.in_step()


@pytest.mark.parametrize("path", ["missing", "missing/f", "f/x", "n" * 300, "*", "/root/x"])
def test_download_of_a_missing_file_is_550(alice, things, path):
    alice.cmd(f"PRET RETR {path}", 550)
    alice.in_step()


@pytest.mark.parametrize("argument", ["XYZZY", "XYZZY f", "RETRIEVE f", "RET", "%n%s%x"])
def test_unknown_verb_is_501(alice, things, argument):
    alice.cmd(f"PRET {argument}", 501)
    alice.in_step()


@pytest.mark.parametrize("name", ["two words", " leading", 'q"uote', "ünï", b"\xe4", b"a\xffb"])
def test_names_are_taken_as_they_are(alice, home, name):
    home.file(name)
    alice.cmd(b"PRET RETR " + escaped(name), 200)


@pytest.mark.parametrize("mode", ["pasv", "epsv"])
def test_before_a_passive_transfer(alice, things, mode):
    """As the clients of distributed servers do it; the passive address comes behind."""
    alice.cmd("PRET RETR f", 200)
    assert alice.retr("f", mode) == b"content"
    alice.cmd("PRET STOR new", 200)
    alice.stor("new", b"x", mode)
    alice.cmd("PRET LIST", 200)
    assert alice.names(mode=mode) == ["f", "new"]


def test_listener_is_left_alone(alice, things):
    data = alice.pasv()
    alice.cmds(("PRET RETR missing", 550), ("PRET RETR f", 200), ("RETR f", 150))
    assert data().recv(100) == b"content"
    alice.reply(226)


def test_nothing_outside_a_chroot(jailed, things):
    jailed.cmds(("PRET RETR /f", 200), ("PRET RETR /etc/passwd", 550),
                ("PRET RETR ../../etc/passwd", 550))
