"""Where logs go, and that none of them ever stops the service."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

import ftpd as harness
import logs
import procs
from logs import FACILITY_FTP, wait_lines, whole_lines
from sessions import Session

OPTIONS = ("syslog_enable", "log_die")

CONTENT = b"x" * 1234
MANY = 3000  # lines; more than any pipe holds
REOPENED_SEC = 15  # looked after at most once in ten seconds


# syslog.

def test_syslog(ftpd, home, syslog):
    """The same lines, facility ftp; date and pid are those of syslog."""
    daemon = ftpd(syslog_enable="YES", delay_failed_login="0")
    session = Session(daemon)
    session.client.cmds(("USER alice", 331), ("PASS wrong", 530))
    session.login()
    session.client.cmd("MKD d", 257)
    found = syslog.wait("MKDIR")
    texts = ['CONNECT: Client "127.0.0.1"', '[alice] FAIL LOGIN: Client "127.0.0.1"',
             '[alice] OK LOGIN: Client "127.0.0.1"',
             '[alice] OK MKDIR: Client "127.0.0.1", "/home/alice/d"']
    assert [line.text for line in found] == texts
    severities = [int(line.priority) - 8 * FACILITY_FTP for line in found]
    assert severities == [6, 4, 6, 6]  # a failed login is a warning; so in vsftpd
    assert {(line.tag, int(line.pid)) for line in found} == {("miniftpd", session.parent)}
    assert not daemon.log_path.exists()


def test_no_syslog(ftpd, home, syslog):
    daemon = ftpd(syslog_enable="NO")
    daemon.login("alice").cmd("MKD d", 257)
    wait_lines(daemon, "MKDIR")
    assert syslog.take() == []


def test_log_daemon_that_hangs_stops_nobody(ftpd, home, syslog):
    """Its queue is full soon. What is lost is counted, and told when it reads again."""
    daemon = ftpd(syslog_enable="YES")
    session = Session(daemon).login()
    syslog.sleep()
    for number in range(MANY):
        session.client.send_line(f"DELE missing{number}")
        session.client.reply(550)
    daemon.login("bob").in_step()
    assert "cannot write the log to syslog" in daemon.stderr
    syslog.wake()
    session.client.cmd("MKD after", 257)
    found = syslog.wait("MKDIR")
    assert any("lines of the log could not be written" in line.text for line in found)


def test_log_daemon_that_is_restarted_is_found_again(ftpd, home, syslog):
    daemon = ftpd(syslog_enable="YES")
    daemon.connect()
    syslog.wait("CONNECT")
    syslog.stop()
    client = daemon.login("alice")
    client.in_step()
    syslog.start()
    daemon.connect(source="127.0.0.2")
    syslog.wait('CONNECT: Client "127.0.0.2"')


def test_no_log_daemon_at_all(ftpd, home, syslog):
    syslog.stop()
    daemon = ftpd(syslog_enable="YES")
    daemon.login("alice").cmd("MKD d", 257)
    syslog.start()


def test_no_line_of_a_burst_is_lost(ftpd, home, syslog):
    """The kernel queues ten lines; a log daemon that is only busy gets its time."""
    daemon = ftpd(syslog_enable="YES", log_ftp_protocol="YES")
    client = daemon.login("alice")
    client.send("NOOP\r\n" * MANY)
    for _ in range(MANY):
        client.reply(200)
    client.cmd("MKD d", 257)
    found = [line.text for line in syslog.wait("MKDIR")]
    assert sum('"NOOP"' in text for text in found) == MANY
    assert not any("could not be written" in text for text in found)


# log_die.

@pytest.mark.parametrize("option", ["YES", "NO"])
def test_error_that_ends_the_daemon(ftpd, syslog, option):
    ftpd()
    second = ftpd.start(log_die=option)
    assert second.process.wait(10) == 1
    ftpd.daemons.remove(second)
    assert "the port is taken" in second.stderr
    found = [line for line in syslog.take() if "the port is taken" in line.text]
    assert [int(line.priority) for line in found] == ([8 * FACILITY_FTP + 3] * (option == "YES"))


@pytest.mark.parametrize("option", ["YES", "NO"])
def test_error_that_ends_a_session(ftpd, home, syslog, option):
    daemon = ftpd(log_die=option)
    session = Session(daemon).login()
    os.kill(session.child, signal.SIGKILL)
    assert not daemon.wait_no_sessions()
    found = [line for line in syslog.take() if "signal 9" in line.text]
    assert len(found) == (option == "YES")
    assert "signal 9" in daemon.stderr


def test_log_die_is_about_errors_only(ftpd, home, syslog):
    daemon = ftpd(log_die="YES")
    daemon.login("alice").cmd("MKD d", 257)
    daemon.reload()
    assert procs.wait_for(lambda: "configuration read again" in daemon.stderr)
    assert syslog.take() == []


# Standard output.

def wrapped(tmp_path, monkeypatch, script):
    """Daemons that are started from now on are started by a shell script."""
    program = tmp_path / "started"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(harness, "PROGRAM", str(program))


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/stderr", "/proc/self/fd/1"])
@pytest.mark.parametrize("option", ["vsftpd_log_file", "log_file"])
def test_standard_output_that_is_a_file(ftpd, home, path, option):
    """Sessions, whose descriptors 0 to 2 are /dev/null, write there, too; the second name wins."""
    daemon = ftpd(**{"vsftpd_log_file": None, option: path})
    client = daemon.login("alice")
    client.cmd("MKD d", 257)
    assert procs.wait_for(lambda: "OK MKDIR" in daemon.stderr)
    texts = [text for text in whole_lines(daemon.stderr) if not text.startswith("miniftpd: ")]
    assert [logs.Line(text).event for text in texts] == ["CONNECT", "LOGIN", "MKDIR"]


def test_every_log_may_be_standard_output(ftpd, home):
    daemon = ftpd(vsftpd_log_file="/dev/stdout", json_log_file="/dev/stdout",
                  dual_log_enable="YES", xferlog_file="/dev/stdout")
    daemon.login("alice").stor("f", CONTENT)
    assert procs.wait_for(lambda: '"event":"upload"' in daemon.stderr)
    assert "OK UPLOAD" in daemon.stderr and " b _ i r alice ftp 0 * c\n" in daemon.stderr


def test_standard_output_survives_a_reload(ftpd, home):
    daemon = ftpd(vsftpd_log_file="/dev/stdout")
    daemon.reload()
    assert procs.wait_for(lambda: "configuration read again" in daemon.stderr)
    daemon.login("alice").cmd("MKD d", 257)
    assert procs.wait_for(lambda: "OK MKDIR" in daemon.stderr)


def test_standard_output_that_is_a_pipe(ftpd, home, tmp_path, monkeypatch):
    """A reader that has fallen asleep stops nobody; it is told what it has missed."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    wrapped(tmp_path, monkeypatch, f'exec {harness.PROGRAM} "$@" >{pipe}')
    daemon = ftpd(vsftpd_log_file="/dev/stdout")
    session = Session(daemon).login()
    assert procs.wait_for(lambda: b"OK LOGIN" in os.read(reader, 65536))
    for number in range(MANY):
        session.client.send_line(f"DELE missing{number}")
        session.client.reply(550)
    daemon.login("bob").in_step()
    assert len(os.read(reader, 1 << 20)) <= 1 << 16
    session.client.cmd("MKD after", 257)
    text = b""

    def told():
        nonlocal text
        try:
            text += os.read(reader, 65536)
        except BlockingIOError:
            pass
        return b"MKDIR" in text

    assert procs.wait_for(told)
    assert b"lines of the log could not be written" in text
    os.close(reader)
    session.client.in_step()


def test_messages_to_a_pipe_that_is_full_stop_nobody(ftpd, home, tmp_path, monkeypatch):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    wrapped(tmp_path, monkeypatch, f'exec {harness.PROGRAM} "$@" 2>{pipe}')
    daemon = ftpd()
    writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(writer, b"x" * 512)
    daemon.reload()  # which has something to say
    daemon.login("alice").in_step()
    os.close(writer)
    os.close(reader)


def test_standard_output_that_is_a_socket(ftpd, home, tmp_path, monkeypatch):
    """As systemd gives it; /dev/stdout cannot be opened then."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    server.listen()
    script = (f'exec python3 -c \'import os, socket, sys; s = socket.socket(socket.AF_UNIX); '
              f's.connect("{tmp_path}/socket"); os.dup2(s.fileno(), 1); '
              f'os.execv(sys.argv[1], sys.argv[1:])\' {harness.PROGRAM} "$@"')
    wrapped(tmp_path, monkeypatch, script)
    daemon = ftpd(vsftpd_log_file="/dev/stdout")
    journal, _ = server.accept()
    journal.settimeout(10)
    session = Session(daemon).login()
    text = b""
    while b"OK LOGIN" not in text:
        text += journal.recv(65536)
    for number in range(MANY):
        session.client.send_line(f"DELE missing{number}")
        session.client.reply(550)
    daemon.login("bob").in_step()
    journal.close()
    session.client.in_step()
    daemon.login("carol").in_step()
    server.close()


# Files that come and go.

@pytest.fixture
def places(tmp_path):
    """Three logs in a directory each; the first directory is missing."""
    paths = {name: tmp_path / name / "log"
             for name in ("vsftpd_log_file", "xferlog_file", "json_log_file")}
    for path in list(paths.values())[1:]:
        path.parent.mkdir()
    return paths


def options_of(places):
    return {"dual_log_enable": "YES", **{name: str(path) for name, path in places.items()}}


def test_log_that_cannot_be_opened_is_a_warning(ftpd, home):
    daemon = ftpd(vsftpd_log_file="/nonexistent/log")
    daemon.login("alice").cmd("MKD d", 257)
    assert "cannot open the log /nonexistent/log: No such file or directory" in daemon.stderr
    assert "the service goes on" in daemon.stderr


def test_missing_moved_and_removed_logs_are_made_anew(ftpd, home, places):
    """Without a signal, when clients come; Debian's logrotate for vsftpd sends none."""
    daemon = ftpd(**options_of(places), max_per_ip="0")
    daemon.login("alice").stor("f", CONTENT)
    moved = places["xferlog_file"].with_name("log.1")
    assert procs.wait_for(places["xferlog_file"].exists)
    places["xferlog_file"].rename(moved)
    shutil.rmtree(places["json_log_file"].parent)
    daemon.login("alice").stor("g", CONTENT)
    for path in places.values():
        path.parent.mkdir(exist_ok=True)

    def all_there():
        daemon.login("alice").stor("h", CONTENT)
        daemon.close_clients()
        time.sleep(0.2)
        return all(path.exists() and path.stat().st_size for path in places.values())

    assert procs.wait_for(all_there, REOPENED_SEC), daemon.stderr
    assert "/home/alice/f" in moved.read_text()
    native = places["vsftpd_log_file"].read_text()
    assert "lines of the log could not be written" in native and "OK UPLOAD" in native
    assert logs.records(places["json_log_file"])
    assert logs.xferlog(places["xferlog_file"])


def test_reload_opens_what_was_missing(ftpd, home, places):
    daemon = ftpd(**options_of(places))
    places["vsftpd_log_file"].parent.mkdir()
    daemon.reload()
    assert procs.wait_for(lambda: "configuration read again" in daemon.stderr)
    daemon.login("alice").cmd("MKD d", 257)
    assert procs.wait_for(lambda: "OK MKDIR" in logs.read(places["vsftpd_log_file"]))


def test_rotation_with_a_signal(ftpd, home, places):
    """New sessions write to the new files at once; those that run go on with the old ones."""
    places["vsftpd_log_file"].parent.mkdir()
    daemon = ftpd(**options_of(places))
    old = daemon.login("alice")
    old.stor("before", CONTENT)
    assert procs.wait_for(lambda: '"upload"' in logs.read(places["json_log_file"]))
    for path in places.values():
        path.rename(path.with_name("log.1"))
    daemon.reload()
    assert procs.wait_for(lambda: "configuration read again" in daemon.stderr)
    old.stor("old", CONTENT)
    daemon.login("alice").stor("new", CONTENT)
    for path in places.values():
        assert procs.wait_for(lambda: "/home/alice/new" in logs.read(path))
        assert procs.wait_for(lambda: "/home/alice/old" in logs.read(path.with_name("log.1")))
        assert "/home/alice/old" not in logs.read(path)


def test_reload_to_a_place_that_does_not_exist_keeps_the_old_log(ftpd, home):
    daemon = ftpd()
    daemon.reload(vsftpd_log_file="/nonexistent/log")
    assert procs.wait_for(lambda: "configuration read again" in daemon.stderr)
    assert "cannot open the log /nonexistent/log" in daemon.stderr
    daemon.login("alice").cmd("MKD d", 257)
    wait_lines(daemon, "MKDIR")


def test_pipe_without_a_reader_at_the_start(ftpd, home, tmp_path):
    path = tmp_path / "log"
    os.mkfifo(path)
    daemon = ftpd(vsftpd_log_file=str(path))
    daemon.login("alice").cmd("MKD d", 257)
    assert f"cannot open the log {path}: No such device or address" in daemon.stderr


# A full disk.

@pytest.fixture
def tiny():
    """A directory with room for three pages, one for each log."""
    path = Path("/run/tiny")
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k,mode=755", "tmpfs", path], check=True)
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)
    path.rmdir()


def test_full_disk_costs_lines_and_nothing_else(ftpd, home, tiny):
    places = {name: tiny / name for name in ("vsftpd_log_file", "xferlog_file", "json_log_file")}
    daemon = ftpd(**options_of(places))
    session = Session(daemon).login()
    for number in range(200):
        session.client.stor(f"f{number % 5}", CONTENT, mode="port")
    assert (home / "f4").read_bytes() == CONTENT
    daemon.login("bob").in_step()
    daemon.anonymous().in_step()
    assert daemon.stderr.count("cannot write the log") == 3, daemon.stderr
    session.client.list()  # records go before the request for a port, and the parent answers in order
    subprocess.run(["mount", "-o", "remount,size=256k", tiny], check=True)
    session.client.stor("after", CONTENT)
    for path in places.values():
        assert procs.wait_for(lambda: "/home/alice/after" in logs.read(path))
    texts = whole_lines(logs.read(places["vsftpd_log_file"]))
    assert "lines of the log could not be written" in texts[-2]
    texts = whole_lines(logs.read(places["xferlog_file"]))
    assert logs.Fields(logs.XFERLOG, texts[-1]).path == "/home/alice/after"
    assert "xferlog_file:" in daemon.stderr
    texts = whole_lines(logs.read(places["json_log_file"]))
    lost = logs.json.loads(texts[-2])
    assert lost["event"] == "warning" and "could not be written" in lost["message"]
