"""What may be said before a login, and lines that come in pieces or many at once."""

import pytest

import codes
from accounts import ALL
from ftpraw import Closed

ALICE = ALL["alice"].password

# Verbs that work before login, and their replies then.
BEFORE_LOGIN = [
    ("SYST", 215), ("FEAT", 211), ("OPTS UTF8 ON", 200), ("CLNT test 1.0", 200), ("HELP", 214),
    ("HELP RETR", 214), ("NOOP", 200), ("STAT", 211), ("ABOR", codes.ABOR_IDLE),
    ("ACCT x", codes.ACCT), ("REIN", 220),
]

AFTER_LOGIN_ONLY = [
    "PWD", "XPWD", "CWD /", "XCWD /", "CDUP", "XCUP", "TYPE I", "STRU F", "MODE S", "PASV", "EPSV",
    "EPSV ALL", "PORT 127,0,0,1,40,40", "EPRT |1|127.0.0.1|4000|", "LIST", "NLST", "RETR x",
    "STOR x", "APPE x", "REST 0", "SIZE x", "MDTM x", "MKD x", "XMKD x", "RMD x", "XRMD x",
    "DELE x", "RNFR x", "RNTO x", "ALLO 1", "SITE HELP", "SITE CHMOD 644 x", "SITE UMASK",
    "STAT /", "PORT rubbish",
]


@pytest.mark.parametrize("line, code", BEFORE_LOGIN)
def test_allowed_before_login(client, line, code):
    client.cmd(line, code)
    client.login("alice", ALICE)


@pytest.mark.parametrize("line", AFTER_LOGIN_ONLY)
def test_refused_before_login(client, line):
    client.cmd(line, 530)
    client.in_step()


@pytest.mark.parametrize("line", ["LIST", "RETR x", "PASV"])
def test_refused_between_user_and_pass(client, line):
    client.cmds(("USER alice", 331), (line, 530))
    client.in_step()


def test_verbs_of_any_case(client):
    client.cmds(("user alice", 331), (f"PaSs {ALICE}", 230), ("noop", 200), ("pWd", 257))


def test_login_and_commands_in_one_write(client, home):
    client.send(f"USER alice\r\nPASS {ALICE}\r\nMKD one\r\nPWD\r\nQUIT\r\n")
    for code in (331, 230, 257, 257, 221):
        client.reply(code)
    client.wait_closed()
    assert home.names() == ["one"]


def test_commands_behind_a_failed_login_are_refused(client, home):
    client.send("USER alice\r\nPASS wrong\r\nMKD one\r\nPWD\r\nNOOP\r\n")
    for code in (331, 530, 530, 530, 200):
        client.reply(code)
    assert home.names() == []


def test_login_one_byte_at_a_time(client):
    for byte in f"USER alice\r\nPASS {ALICE}\r\nNOOP\r\n".encode():
        client.send(bytes([byte]))
    for code in (331, 230, 200):
        client.reply(code)


def test_no_reply_before_the_line_is_complete(client):
    client.send("USER alice\r\nPASS " + ALICE)
    client.reply(331)
    client.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.sock.recv(1)
    client.send("\r\n")
    client.reply(230)


def test_client_that_vanishes_before_login(ftpd):
    daemon = ftpd()
    for line in ("", "USER alice\r\n", f"USER alice\r\nPASS {ALICE}\r\n", "QUIT\r\n", "NO"):
        client = daemon.connect()
        client.send(line)
        client.close()
    assert not daemon.wait_no_sessions()


def test_closed_is_told_from_a_reply(client):
    client.cmd("QUIT", 221)
    with pytest.raises(Closed):
        client.reply()
