"""SITE CHMOD, UMASK and HELP."""

import re

import pytest

import codes


def mode_of(path):
    return path.stat().st_mode & 0o7777


@pytest.mark.parametrize("verb", ["SITE CHMOD", "site chmod", "Site Chmod"])
@pytest.mark.parametrize("digits, mode", [("600", 0o600), ("0600", 0o600), ("644", 0o644), ("0755",
                                          0o755),
                                          ("000", 0), ("777", 0o777)])
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


@pytest.mark.parametrize("argument", ["", " ", "644", "644 ", "f", "999 f", "8 f", "x f", "-1 f",
                                      "+644 f",
                                      "77777 f", "0x1ff f", "u+x, f"])
def test_chmod_of_rubbish_is_501(alice, home, argument):
    path = home.file("f", mode=0o640)
    alice.cmd(f"SITE CHMOD {argument}", 501)
    assert mode_of(path) == 0o640
    alice.in_step()


@pytest.mark.parametrize("digits", ["4755", "2755", "1777", "7777", "6000"])
def test_chmod_sets_no_special_bits(alice, home, digits):
    path = home.file("f", mode=0o640)
    alice.cmd(f"SITE CHMOD {digits} f", codes.CHMOD_REFUSED_BITS)
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
    client.cmd("SITE CHMOD 600 f", 550)
    assert mode_of(path) == 0o640
    client.in_step()


def test_umask_is_told(ftpd, home):
    client = ftpd(local_umask="027").login("alice")
    assert re.search(r"\b0?027\b", client.cmd("SITE UMASK", 200).text)


@pytest.mark.parametrize("digits, file_mode, dir_mode", [
    ("022", 0o644, 0o755), ("0022", 0o644, 0o755), ("000", 0o666, 0o777), ("077", 0o600, 0o700),
    ("0777", 0o000, 0o000),
])
def test_umask_is_set(alice, home, digits, file_mode, dir_mode):
    alice.cmd(f"SITE UMASK {digits}", 200)
    assert re.search(rf"\b0?{int(digits, 8):03o}\b", alice.cmd("SITE UMASK", 200).text)
    alice.stor("f", b"x")
    alice.cmd("MKD d", 257)
    assert (mode_of(home / "f"), mode_of(home / "d")) == (file_mode, dir_mode)


@pytest.mark.parametrize("argument", ["x", "8", "999", "-1", "1777", "77777", "022 x", "0x12"])
def test_umask_of_rubbish_is_501(alice, home, argument):
    alice.cmds((f"SITE UMASK {argument}", 501), ("SITE UMASK", 200))
    alice.stor("f", b"x")
    assert mode_of(home / "f") == 0o600


def test_umask_does_not_reach_other_sessions(ftpd, home):
    daemon = ftpd()
    daemon.login("alice").cmd("SITE UMASK 0", 200)
    daemon.login("alice").stor("f", b"x")
    assert mode_of(home / "f") == 0o600


@pytest.mark.parametrize("line", ["SITE HELP", "site help", "HELP SITE"])
def test_help_names_the_subcommands(alice, line):
    text = " ".join(alice.cmd(line, 214).lines)
    assert all(word in text for word in ("CHMOD", "UMASK", "HELP"))


@pytest.mark.parametrize("argument", ["XYZZY", "EXEC ls", "CPFR /etc/passwd", "SYMLINK / x",
                                      "CHMODX 644 f",
                                      "%n%s%x", "x" * 1000])
def test_unknown_subcommand(alice, home, argument):
    home.file("f")
    alice.cmd(f"SITE {argument}", codes.SITE_UNKNOWN)
    alice.in_step()


@pytest.mark.parametrize("line", ["SITE", "SITE "])
def test_without_subcommand(alice, line):
    alice.cmd(line, codes.SITE_NO_ARGUMENT)
    alice.in_step()
