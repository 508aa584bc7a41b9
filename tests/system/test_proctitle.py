"""setproctitle_enable: what ps(1) shows of each process."""

import os
import subprocess
from pathlib import Path

import pytest

import procs
from ftpraw import Client, closed_without_data
from posture import HeldChecks
from sessions import Session

OPTIONS = ("setproctitle_enable",)

CONTROLS = "a\x1b[31mb\x7fc"


def command_line(pid):
    """The title of a process; of one without, its arguments with blanks between them."""
    content = Path(f"/proc/{pid}/cmdline").read_bytes()
    return content.rstrip(b"\0").replace(b"\0", b" ").decode(errors="surrogateescape")


def ps(pid):
    """The same as people see it."""
    result = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True,
                            text=True, check=True, timeout=10)
    return result.stdout.rstrip("\n")


def shows(pid, title):
    """Wait until the process has this title."""
    found = procs.wait_for(lambda: command_line(pid) == title)
    assert found, f"{command_line(pid)!r}, not {title!r}"


def titled(ftpd, *arguments, **options):
    return ftpd(*arguments, setproctitle_enable="YES", **options)


def test_without_it_every_process_shows_the_command_line(ftpd, home):
    daemon = ftpd(setproctitle_enable="NO")
    session = Session(daemon).login()
    shown = {command_line(pid) for pid in (daemon.pid, *session.pids)}
    assert len(shown) == 1 and shown.pop().endswith(f"/miniftpd {daemon.conf_path}")


def test_every_process_has_a_title(ftpd, home):
    daemon = titled(ftpd)
    shows(daemon.pid, "miniftpd: LISTENER")
    session = Session(daemon, source="127.0.0.7")
    shows(session.parent, "miniftpd: 127.0.0.7: connected")
    shows(session.child, "miniftpd: 127.0.0.7: not logged in")
    session.login()
    shows(session.parent, "miniftpd: 127.0.0.7/alice: connected")
    shows(session.child, "miniftpd: 127.0.0.7/alice: IDLE")
    assert ps(session.child) == "miniftpd: 127.0.0.7/alice: IDLE"
    assert ps(daemon.pid) == "miniftpd: LISTENER"


def test_over_ipv6(ftpd):
    session = Session(titled(ftpd, listen="NO", listen_ipv6="YES"), "fd00::1", "fd00::2")
    shows(session.child, "miniftpd: fd00::2: not logged in")


def test_command_under_way(ftpd, home):
    home.sparse("big", 1 << 30)
    session = Session(titled(ftpd)).login()
    session.data = session.client.begin("retr big")
    shows(session.child, "miniftpd: 127.0.0.1/alice: RETR big")
    session.data.close()
    session.client.reply()
    shows(session.child, "miniftpd: 127.0.0.1/alice: IDLE")


def wait_for_connection(session, line):
    """Let the session carry out a listing that waits for its data connection."""
    session.client.pasv_address()
    session.client.cmd(line, 150)


def test_a_shorter_title_leaves_nothing_of_a_longer_one(ftpd, home):
    session = Session(titled(ftpd)).login()
    wait_for_connection(session, "LIST -aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    session.client.cmd("ABOR", 426)
    session.client.reply(226)
    shows(session.child, "miniftpd: 127.0.0.1/alice: IDLE")


@pytest.mark.parametrize("argument, shown", [
    (CONTROLS, r"a\x1B[31mb\x7Fc"),
    ("-üñ😀", "-üñ😀"),
    (b"-\xff\xffx", r"-\xFFx"),
])
def test_bytes_that_are_no_text_are_escaped(ftpd, home, argument, shown):
    session = Session(titled(ftpd)).login()
    Path(home / CONTROLS).mkdir()
    wait_for_connection(session, b"LIST " + argument if isinstance(argument, bytes)
                        else f"LIST {argument}")
    shows(session.child, "miniftpd: 127.0.0.1/alice: LIST " + shown)


@pytest.mark.parametrize("environment", [{}, {"ROOM": "x" * 3000}])
def test_long_arguments_are_cut_to_the_room_there_is(ftpd, home, monkeypatch, environment):
    """Arguments and environment of the daemon are that room; nothing behind it is touched."""
    for name in list(os.environ):
        if name not in ("PATH", "LC_ALL", "MINIFTPD"):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    daemon = titled(ftpd)
    session = Session(daemon).login()
    wait_for_connection(session, "LIST -" + "a" * 3000)
    title = command_line(session.child)
    assert title.startswith("miniftpd: 127.0.0.1/alice: LIST -aaa")
    assert title.rstrip("a.").endswith("LIST -")
    if environment:
        assert 400 < len(title) < 2100
    else:
        assert len(title) < 400
    session.client.cmd("ABOR", 426)
    session.client.reply(226)
    session.client.cmd("NOOP", 200)


def test_passwords_are_in_no_title(ftpd, home):
    daemon = titled(ftpd)
    with HeldChecks(daemon):
        session = Session(daemon)
        session.check()
        shown = [command_line(pid) for pid in [*session.pids, session.verifier]]
        assert len(shown) == 3 and "secret" not in str(shown)
    session.client.reply(230)
    wait_for_connection(session, "LIST")
    for line in ("PASS secret-word", "ACCT secret-word", "secret-word"):
        session.client.send_line(line)
    session.client.cmd("ABOR", 426)
    for code in (230, 202, 500, 226):
        session.client.reply(code)
        assert "secret" not in command_line(session.child)


def test_reload_reads_the_same_files_and_settings(ftpd, home):
    """The arguments have moved; those that were there at the start still count."""
    daemon = titled(ftpd, "-oftpd_banner=from the command line")
    daemon.reload(ftpd_banner="from the file", max_login_fails="1")
    assert procs.wait_for(lambda: "configuration read again" in daemon.stderr), daemon.stderr
    client = Client()
    assert client.reply(220).text == "from the command line"
    client.cmds(("USER alice", 331), ("PASS wrong", 530))
    assert closed_without_data(client.sock)
    other = Session(daemon)
    shows(other.child, "miniftpd: 127.0.0.1: not logged in")
    shows(daemon.pid, "miniftpd: LISTENER")


def test_environment_survives(ftpd, home, monkeypatch):
    """TZ, which is read again at a reload."""
    monkeypatch.setenv("TZ", "TEST-9:30")
    os.utime(home.file("f"), (1577880000, 1577880000))
    daemon = titled(ftpd, use_localtime="YES")
    daemon.reload(max_clients="7")
    assert procs.wait_for(lambda: "configuration read again" in daemon.stderr), daemon.stderr
    reply = daemon.login("alice").cmd("MDTM f", 213)
    assert reply.text == "20200101213000"


def test_switched_on_by_a_reload_is_for_the_next_start(ftpd):
    daemon = ftpd()
    daemon.reload(setproctitle_enable="YES")
    assert procs.wait_for(lambda: "need a restart: setproctitle_enable" in daemon.stderr)
    assert "LISTENER" not in command_line(Session(daemon).parent)


def test_in_the_background(ftpd, tmp_path):
    pid_file = tmp_path / "pid"
    daemon = ftpd.start(setproctitle_enable="YES", background="YES", pid_file=str(pid_file))
    assert daemon.process.wait(10) == 0
    pid = int(pid_file.read_text())
    shows(pid, "miniftpd: LISTENER")
    os.kill(pid, 15)
    assert procs.wait_for(lambda: procs.read(pid) is None)
