"""USER, PASS, REIN, and what may be said before a login."""

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

CROSS_PROTOCOL = [
    "GET / HTTP/1.1", "POST / HTTP/1.1", "HEAD / HTTP/1.1", "PUT /x HTTP/1.1",
    "OPTIONS * HTTP/1.1", "CONNECT example.com:443 HTTP/1.1", "TRACE / HTTP/1.1",
    "EHLO example.com",
    "HELO example.com", "MAIL FROM:<a@example.com>", "get / http/1.0",
]


@pytest.fixture
def client(ftpd):
    return ftpd().connect()


@pytest.mark.parametrize("name", ["alice", "nosuchuser", "locked", "root", "nopass", "badshell",
                                  "anonymous", "ftp", "x" * 100, "ünknown"])
def test_user_of_any_name_is_331(client, name):
    client.cmd(f"USER {name}", 331)


@pytest.mark.parametrize("line", ["USER", "USER "])
def test_user_without_name_is_501(client, line):
    client.cmd(line, 501)
    client.in_step()


def test_pass_without_user_is_503(client):
    client.cmd("PASS secret", 503)
    client.in_step()


def test_pass_after_a_failure_needs_user_again(client):
    client.cmds(("USER alice", 331), ("PASS wrong", 530), (f"PASS {ALICE}", 503))
    client.login("alice", ALICE)


def test_second_user_replaces_the_first(client):
    client.cmds(("USER bob", 331), ("USER alice", 331), (f"PASS {ALICE}", 230))
    assert client.cmd("PWD", 257).quoted() == ALL["alice"].home


def test_user_after_login_same_name_is_331(alice):
    alice.cmd("USER alice", 331)
    alice.cmd("PASS wrong", 230)
    assert alice.cmd("PWD", 257).quoted() == ALL["alice"].home


@pytest.mark.parametrize("name", ["bob", "root", "anonymous", "nosuchuser"])
def test_user_after_login_other_name_is_530(alice, name):
    alice.cmd(f"USER {name}", 530)
    alice.cmd(f"PASS {ALL['bob'].password}", 230)
    assert alice.cmd("PWD", 257).quoted() == ALL["alice"].home


def test_pass_after_login_is_230(alice):
    alice.cmd("PASS whatever", 230)
    alice.in_step()


@pytest.mark.parametrize("line, code", BEFORE_LOGIN)
def test_allowed_before_login(client, line, code):
    client.cmd(line, code)
    client.login("alice", ALICE)


def test_quit_before_login(client):
    client.cmd("QUIT", 221)
    client.wait_closed()


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


def test_rein_before_login_forgets_the_user(client):
    client.cmds(("USER alice", 331), ("REIN", 220), (f"PASS {ALICE}", 503))
    client.login("alice", ALICE)


def test_rein_after_login_is_502(alice):
    alice.cmd("REIN", 502)
    alice.in_step()
    alice.cmd("PWD", 257)


def test_nine_unknown_commands_before_login_are_answered(client):
    for number in range(9):
        client.cmd(f"XYZ{number}", 500)
    client.login("alice", ALICE)


def test_ten_unknown_commands_before_login_end_the_session(client):
    for number in range(9):
        client.cmd(f"XYZ{number}", 500)
    client.cmd("XYZZY", codes.TOO_MANY_UNKNOWN)
    client.wait_closed()


def test_unknown_command_after_login_is_500(alice):
    for number in range(10):
        alice.cmd(f"XYZ{number}", 500)
    alice.in_step()


@pytest.mark.parametrize("line", CROSS_PROTOCOL)
def test_words_of_other_protocols_end_the_session(client, line):
    reply = client.cmd(line, codes.CROSS_PROTOCOL)
    assert "HTTP" not in reply.text and "example" not in reply.text, "the reply echoes the request"
    client.wait_closed()


def test_commands_hidden_in_an_http_request_are_not_run(client):
    client.send("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60\r\n\r\n"
                f"USER alice\r\nPASS {ALICE}\r\nMKD made\r\nQUIT\r\n")
    client.reply(codes.CROSS_PROTOCOL)
    client.wait_closed()


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
