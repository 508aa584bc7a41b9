"""log_ftp_protocol: every command and every reply, and no password."""

import re

import pytest

import procs
import tracing
from accounts import ALL
from logs import lines
from sessions import Session

OPTIONS = ("log_ftp_protocol",)

SECRET = "tell-nobody-83c1"


@pytest.fixture
def chatty(ftpd, home):
    """A daemon that logs the dialogue."""
    return ftpd(log_ftp_protocol="YES")


def dialogue(daemon):
    """[("command" or "response", text)] so far."""
    return [(line.event.removeprefix("FTP "), line.rest[1:-1])
            for line in lines(daemon) if line.event.startswith("FTP ")]


def wait_dialogue(daemon, kind, text):
    """The dialogue, as soon as it has this in it."""
    assert procs.wait_for(lambda: (kind, text) in dialogue(daemon)), dialogue(daemon)
    return dialogue(daemon)


def test_off(ftpd, home):
    daemon = ftpd()
    client = daemon.login("alice")
    client.cmds(("PWD", 257), ("MKD d", 257))
    assert procs.wait_for(lambda: lines(daemon, "MKDIR"))
    assert dialogue(daemon) == []


def test_whole_session(chatty):
    client = chatty.connect()
    client.cmds(("USER alice", 331), ("PASS wrong", 530))
    client.login("alice", ALL["alice"].password)
    client.cmds(("PWD", 257), ("mkd  d", 257), ("NOPE", 500), ("QUIT", 221))
    assert not chatty.wait_no_sessions()
    said = dialogue(chatty)
    commands = [text for kind, text in said if kind == "command"]
    assert commands == ["USER alice", "PASS <password>", "USER alice", "PASS <password>", "PWD",
                        "mkd  d", "NOPE", "QUIT"]
    codes = [text[:4] for kind, text in said if kind == "response"]
    assert codes == ["220 ", "331 ", "530 ", "331 ", "230 ", "257 ", "257 ", "500 ", "221 "]
    assert said[0][0] == "response" and said[1][0] == "command"
    session = {line.pid for line in lines(chatty)}
    assert len(session) == 1


def test_who_it_is(chatty):
    """No name before login: nobody has shown that it is theirs. Then it is there."""
    session = Session(chatty).login()
    session.client.cmd("NOOP", 200)
    wait_dialogue(chatty, "command", "NOOP")
    for line in lines(chatty):
        after = line.rest in ('"NOOP"', '"230 Login successful."') or line.event == "LOGIN"
        assert (line.user, int(line.pid)) == ("alice" if after else None, session.parent) or (
            line.rest.startswith('"200') and line.user == "alice")


def test_reply_of_many_lines(chatty):
    client = chatty.login("alice")
    reply = client.cmd("FEAT", 211)
    wait_dialogue(chatty, "response", reply.lines[-1])
    shown = [text for kind, text in dialogue(chatty) if kind == "response"]
    first = shown.index(reply.lines[0])
    assert shown[first:first + len(reply.lines)] == reply.lines


PASSWORD_LINES = [
    f"PASS {SECRET}", f"pass {SECRET}", f"pAsS  {SECRET}", f" PASS {SECRET}", f"\tPASS {SECRET}",
    f"PASS\t{SECRET}", f"PASS{SECRET}", f"PASSWORD {SECRET}", f"PAS {SECRET}", f"PSAS {SECRET}",
    f"ACCT {SECRET}", f"acct {SECRET}", SECRET, f"x {SECRET}", f"PASS {SECRET}\0", f"PASS {SECRET}\r",
    f"PASS {SECRET}" + "x" * 5000, f"PASS a {SECRET} b",
]


@pytest.mark.parametrize("line", PASSWORD_LINES, ids=range(len(PASSWORD_LINES)))
def test_no_password_in_any_spelling(chatty, line):
    client = chatty.connect()
    client.cmd("USER alice", 331)
    client.send(line + "\r\nNOOP\r\n")
    procs.wait_for(lambda: "NOOP" in chatty.log)
    client.close()
    assert not chatty.wait_no_sessions()
    assert SECRET not in chatty.log + chatty.stderr
    assert ("command", "NOOP") in dialogue(chatty)


@pytest.mark.parametrize("line", ["PASS {}", "acct {}", " pass {}", "PASSS {}"])
def test_no_password_after_login(chatty, line):
    client = chatty.login("alice")
    client.cmd(line.format(SECRET))
    client.cmd("NOOP", 200)
    wait_dialogue(chatty, "command", "NOOP")
    assert SECRET not in chatty.log and ALL["alice"].password not in chatty.log


def test_what_is_no_line(chatty):
    client = chatty.connect()
    client.cmd("X" * 5000, 500)
    client.cmd("NOOP\0", 501)
    said = wait_dialogue(chatty, "command", "<a line with control characters>")
    assert ("command", "<a line that is too long>") in said


def test_control_bytes_are_escaped(chatty):
    client = chatty.login("alice")
    client.cmd(b"DELE a\x1b[2J\xff\xff\x7f", 550)
    wait_dialogue(chatty, "command", r"DELE a\x1B[2J\xFF\x7F")


def test_no_name_forges_a_line(chatty):
    client = chatty.login("alice")
    client.cmd('DELE x", "y" [pid 1] [root] OK LOGIN: Client "192.0.2.1', 550)
    client.cmd("NOOP", 200)
    wait_dialogue(chatty, "command", "NOOP")
    for text in chatty.log.splitlines():
        assert re.findall(r'Client "([^"]*)', text) == ["127.0.0.1"], text


def test_long_lines_are_cut(chatty):
    client = chatty.login("alice")
    client.cmd("DELE " + "x" * 4000, 550)
    assert procs.wait_for(lambda: "xxx..." in chatty.log)
    assert max(map(len, chatty.log.splitlines())) < 3000


def test_what_is_answered_during_a_transfer(chatty, home):
    home.sparse("big", 1 << 30)
    client = chatty.login("alice")
    sock = client.begin("RETR big")
    sock.recv(1000)
    client.cmd("STAT", 211)
    client.cmd("NOOP", 200)
    client.send_line("ABOR")
    client.reply(426)
    client.reply(226)
    wait_dialogue(chatty, "response", "226 ABOR is done.")
    commands = [text for kind, text in dialogue(chatty) if kind == "command"]
    assert commands[-3:] == ["STAT", "NOOP", "ABOR"]


def test_transfers_only_log_has_no_dialogue(ftpd, home, tmp_path):
    path = tmp_path / "xferlog"
    daemon = ftpd(log_ftp_protocol="YES", xferlog_std_format="YES", xferlog_file=str(path))
    client = daemon.login("alice")
    client.stor("f", b"x")
    client.in_step()
    assert procs.wait_for(lambda: "/home/alice/f" in path.read_text())
    assert "USER" not in path.read_text() and not daemon.log_path.exists()


@pytest.mark.parametrize("option, records", [("NO", 0), ("YES", 4)])
def test_no_message_to_the_parent_unless_it_is_logged(ftpd, home, tmp_path, option, records):
    """What the service process sends its parent for NOOP and EPSV: records, and one request."""
    def logged(reply):
        """Has the record of this reply come? It may wait for a moment before it is sent."""
        return not records or procs.wait_for(lambda: f'"{reply} ' in daemon.log_path.read_text())

    daemon = ftpd(log_ftp_protocol=option)
    session = Session(daemon).login()
    assert logged(230)
    with tracing.Trace(session.child, tmp_path, "sendmsg,sendto") as trace:
        session.client.cmd("NOOP", 200)
        session.client.cmd("EPSV", 229)
        assert logged(229)
        trace.stop()
    calls = [rest for name, rest in trace.of(session.child) if name == "sendmsg"]
    assert len(calls) == records + 1, calls
