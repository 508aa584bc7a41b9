"""OPTS."""

import pytest

import codes


@pytest.mark.parametrize("line, code", [
    ("OPTS UTF8 ON", 200), ("opts utf8 on", 200), ("OPTS UTF8 OFF", codes.OPTS_UTF8_OFF),
    ("OPTS XYZZY", codes.OPTS_UNKNOWN), ("OPTS XYZZY ON", codes.OPTS_UNKNOWN), ("OPTS", 501),
    ("OPTS ", 501), ("OPTS %n%s", codes.OPTS_UNKNOWN), ("OPTS UTF8", 200), ("OPTS utf8 ON", 200),
    ("OPTS UTF-8 ON", 200), ("OPTS UTF8 NLST", 200), ("OPTS UTF8 X", 501), ("OPTS UTF8ON", 501),
    ("OPTS REST STOR", 200), ("opts rest stor", 200), ("OPTS REST", 501), ("OPTS REST RETR", 501),
    ("OPTS RETR", 501), ("OPTS PASV ON", 501), ("OPTS " + "x" * 1000, 501),
])
def test_reply(alice, line, code):
    alice.cmd(line, code)
    alice.in_step()


@pytest.mark.parametrize("line, code", [
    ("OPTS UTF8 ON", 200), ("OPTS UTF8 OFF", codes.OPTS_UTF8_OFF), ("OPTS XYZZY", 501),
    ("OPTS REST STOR", 200), ("OPTS MODE Z LEVEL 3", 501),
])
def test_before_login(client, line, code):
    client.cmd(line, code)
    client.in_step()


def test_rest_stor_where_nothing_may_be_written(ftpd):
    daemon = ftpd(write_enable="NO")
    for client in (daemon.login("alice"), daemon.connect(), daemon.anonymous()):
        client.cmd("OPTS REST STOR", 451)
        client.in_step()


def test_rest_stor_of_an_anonymous_user(anon):
    anon.cmd("OPTS REST STOR", 451)
    anon.in_step()


@pytest.mark.parametrize("line", ["OPTS MODE Z", "opts mode z"] +
                         [f"OPTS MODE Z LEVEL {level}" for level in range(1, 10)])
def test_mode_z(ftpd, line):
    client = ftpd(mode_z_enable="YES").login("alice")
    client.cmd(line, 200)
    client.in_step()


@pytest.mark.parametrize("argument", ["", " ", " X", " Z LEVEL", " Z LEVEL ", " Z LEVEL 0",
                                      " Z LEVEL 10", " Z LEVEL -1", " Z LEVEL x", " Z LEVEL 5 x",
                                      " Z BLOCKSIZE 5", " Z 5", " S"])
def test_mode_of_rubbish_is_501(ftpd, argument):
    client = ftpd(mode_z_enable="YES").login("alice")
    client.cmd(f"OPTS MODE{argument}", 501)
    client.in_step()


def test_mode_z_needs_mode_z_enable(alice):
    client = alice
    client.cmds(("OPTS MODE Z", 501), ("OPTS MODE Z LEVEL 5", 501))
    client.in_step()


def test_names_are_utf_8_without_being_asked_for(alice, home):
    home.file("ünï.txt", b"content")
    assert alice.nlst() == ["ünï.txt"]
    alice.cmd("OPTS UTF8 OFF", codes.OPTS_UTF8_OFF)
    assert alice.retr("ünï.txt") == b"content"
