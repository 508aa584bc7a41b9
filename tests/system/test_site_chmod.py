"""SITE CHMOD and CHMOD."""

import pytest

import codes
from rules import ArgumentRule, FileRule, WriteRule, mode_of

OPTIONS = ("chmod_enable",)

VERBS = {"SITE CHMOD", "CHMOD"}


@pytest.fixture
def things(home):
    home.file("f", mode=0o640)
    return home


class TestRules(ArgumentRule, WriteRule, FileRule):
    verbs = ["SITE CHMOD", "SITE CHMOD 600", "CHMOD", "CHMOD 600"]
    lines = ["SITE CHMOD 600 f", "CHMOD 640 f"]
    begin = "SITE CHMOD 631 "

    def done(self, path):
        return mode_of(path) == 0o631


class TestShortForm(FileRule):
    begin = "CHMOD 631 "

    def done(self, path):
        return mode_of(path) == 0o631


@pytest.mark.parametrize("verb", ["SITE CHMOD", "site chmod", "Site Chmod", "CHMOD", "chmod"])
@pytest.mark.parametrize("digits, mode", [("600", 0o600), ("0600", 0o600), ("644", 0o644),
                                          ("0755", 0o755), ("000", 0), ("777", 0o777)])
def test_chmod(alice, home, verb, digits, mode):
    path = home.file("f", mode=0o640)
    alice.cmd(f"{verb} {digits} f", 200)
    assert mode_of(path) == mode


@pytest.mark.parametrize("name", ["two words", " leading", "trailing ", "d/f", "/home/alice/d/f",
                                  "d", "ünï", "*", "-R"])
def test_chmod_of_any_name(alice, home, name):
    home.dir("d")
    home.file("d/f", mode=0o640)
    if not (home / name).exists():
        home.file(name, mode=0o640)
    alice.cmd(f"SITE CHMOD 700 {name}", 200)
    assert mode_of(home / name) == 0o700


@pytest.mark.parametrize("verb", ["SITE CHMOD", "CHMOD"])
@pytest.mark.parametrize("argument", ["", " ", "644", "644 ", "f", "999 f", "8 f", "x f", "-1 f",
                                      "+644 f", "77777 f", "0x1ff f", "u+x, f"])
def test_chmod_of_rubbish_is_501(alice, home, verb, argument):
    path = home.file("f", mode=0o640)
    alice.cmd(f"{verb} {argument}", 501)
    assert mode_of(path) == 0o640
    alice.in_step()


@pytest.mark.parametrize("verb", ["SITE CHMOD", "CHMOD"])
@pytest.mark.parametrize("digits", ["4755", "2755", "1777", "7777", "6000"])
def test_chmod_sets_no_special_bits(alice, home, verb, digits):
    path = home.file("f", mode=0o640)
    alice.cmd(f"{verb} {digits} f", codes.CHMOD_REFUSED_BITS)
    assert mode_of(path) == 0o640


@pytest.mark.parametrize("path", ["missing", "missing/f", "/etc/passwd", "/", "dangling",
                                  "n" * 300])
def test_chmod_refused(alice, home, path):
    home.link("dangling", "nowhere")
    alice.cmd(f"SITE CHMOD 644 {path}", 550)
    alice.in_step()


@pytest.mark.parametrize("options", [{"chmod_enable": "NO"}, {"write_enable": "NO"}])
def test_chmod_disabled(ftpd, home, options):
    path = home.file("f", mode=0o640)
    client = ftpd(**options).login("alice")
    client.cmds(("SITE CHMOD 600 f", 550), ("CHMOD 600 f", 550))
    assert mode_of(path) == 0o640
    client.in_step()


def test_short_form_is_in_no_list(alice):
    alice.cmd("HELP CHMOD", codes.HELP_UNKNOWN)
    assert "CHMOD" not in " ".join(alice.cmd("HELP", 214).lines).split()
