"""SIGUSR1: no new sessions, transfers are finished, and the daemon ends with the last session."""

import contextlib
import os
import re
import shutil
import signal
from pathlib import Path

import pytest

import procs
from ftpraw import Client, receive_all, receive_exactly
from posture import HeldChecks
from sessions import Session, crowd, gone, small_send_buffers

SIZE = 64 << 20


def drain(daemon):
    daemon.process.send_signal(signal.SIGUSR1)
    assert procs.wait_for(lambda: "draining" in daemon.stderr)


def turned_away():
    with Client() as client:
        client.reply(421)
        client.wait_closed()


def ended(daemon):
    """The daemon ends by itself, with success."""
    return daemon.process.wait(5) == 0


def test_without_sessions_it_ends_at_once(ftpd):
    daemon = ftpd()
    daemon.process.send_signal(signal.SIGUSR1)
    assert ended(daemon)
    assert "drained" in daemon.stderr.splitlines()[-1]


def test_pid_file_goes_away(ftpd, tmp_path):
    path = tmp_path / "pid"
    daemon = ftpd(pid_file=str(path))
    assert procs.wait_for(path.exists)
    daemon.process.send_signal(signal.SIGUSR1)
    assert ended(daemon)
    assert not path.exists()


@pytest.mark.parametrize("phase", ["greeting", "user", "idle", "pasv"])
def test_idle_session_ends_with_421(ftpd, home, phase):
    daemon = ftpd()
    session = Session(daemon)
    getattr(session, phase)()
    pids = session.pids
    drain(daemon)
    assert re.fullmatch(rb"421 [^\r\n]*\r\n", session.last_words())
    assert ended(daemon)
    assert not gone(pids)


@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_download_is_finished(ftpd, home, mode):
    home.sparse("big", SIZE)
    daemon = ftpd()
    client = daemon.login("alice")
    sock = client.begin("RETR big", mode)
    drain(daemon)
    turned_away()
    assert daemon.process.poll() is None
    assert len(receive_exactly(sock, SIZE)) == SIZE
    client.reply(226)
    client.reply(421)
    client.wait_closed()
    assert ended(daemon)


def test_upload_is_finished(ftpd, home):
    daemon = ftpd()
    session = Session(daemon)
    session.stor()
    drain(daemon)
    session.data.sendall(b"y" * 100000)
    turned_away()
    session.data.close()
    session.client.reply(226)
    session.client.reply(421)
    assert (home / "upload").read_bytes() == b"x" * 100000 + b"y" * 100000
    assert ended(daemon)


def test_listing_is_finished(ftpd):
    crowd("/home/crowd")
    try:
        with small_send_buffers():
            daemon = ftpd()
            session = Session(daemon)
            session.list()
            drain(daemon)
            turned_away()
            assert len(receive_all(session.data)) > 1000000
            session.client.reply(226)
            session.client.reply(421)
            assert ended(daemon)
    finally:
        shutil.rmtree("/home/crowd")


def test_transfer_that_waits_for_its_connection_is_finished(ftpd, home):
    """150 is said, so the transfer is under way."""
    home.file("f", b"content")
    daemon = ftpd()
    client = daemon.login("alice")
    address = client.pasv_address()
    client.cmd("RETR f", 150)
    drain(daemon)
    turned_away()
    assert receive_all(client.connect_data(address)) == b"content"
    client.reply(226)
    client.reply(421)
    assert ended(daemon)


def test_abor_still_works(ftpd, home):
    home.sparse("big", SIZE)
    daemon = ftpd()
    session = Session(daemon)
    session.retr()
    drain(daemon)
    session.client.send_line("ABOR")
    session.client.reply(426)
    session.client.reply(421)
    assert ended(daemon)


def test_no_command_behind_the_transfer_is_served(ftpd, home):
    home.sparse("big", SIZE)
    daemon = ftpd()
    session = Session(daemon)
    session.retr()
    session.client.send("DELE big\r\n")
    drain(daemon)
    receive_all(session.data)
    session.client.reply(226)
    session.client.reply(421)
    assert (home / "big").exists()
    assert ended(daemon)


def test_login_under_way_ends_with_the_session(ftpd, home):
    """The password is right, and the service process that comes is told in its turn."""
    daemon = ftpd()
    with HeldChecks(daemon) as held:
        session = Session(daemon)
        session.check()
        drain(daemon)
        held.release()
        words = session.last_words()
    assert re.fullmatch(rb"(230 [^\r\n]*\r\n)?421 [^\r\n]*\r\n", words)
    assert ended(daemon)


def in_sendmsg(pid):
    """True while the process is held up at the door of sendmsg(2)."""
    return Path(f"/proc/{pid}/syscall").read_text().split()[0] in ("46", "211")  # x86-64, ARM


def test_word_that_crosses_the_login(ftpd, home):
    """It comes while the greeter is about to ask: the greeter takes it for what it is, the login is
    granted, and the service process is told in its turn. strace holds the greeter up."""
    slow = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=sendmsg", "-e", "signal=none",
            "-e", "inject=sendmsg:delay_enter=400000:when=1"]
    daemon = ftpd.start_by(slow, {})
    daemon.wait_listening()
    session = Session(daemon)
    session.user()
    greeter = session.child
    session.client.send_line("PASS secret-alice")
    assert procs.wait_for(lambda: in_sendmsg(greeter))
    drain(daemon)
    assert re.fullmatch(rb"230 [^\r\n]*\r\n421 [^\r\n]*\r\n", session.last_words())
    assert ended(daemon)


def test_delayed_refusal_and_drain(ftpd):
    daemon = ftpd(delay_failed_login="1")
    session = Session(daemon)
    session.delay()
    drain(daemon)
    assert re.fullmatch(rb"530 [^\r\n]*\r\n421 [^\r\n]*\r\n", session.last_words())
    assert ended(daemon)


def test_again_changes_nothing(ftpd, home):
    home.sparse("big", SIZE)
    daemon = ftpd()
    session = Session(daemon)
    session.retr()
    drain(daemon)
    for _ in range(20):
        daemon.process.send_signal(signal.SIGUSR1)
        turned_away()
    receive_all(session.data)
    session.client.reply(226)
    session.client.reply(421)
    session.client.wait_closed()
    assert ended(daemon)
    assert daemon.stderr.count("draining: no new sessions") == 1


@pytest.mark.parametrize("phase", ["greeting", "user", "retr", "stor"])
def test_signal_to_all_processes(ftpd, home, phase):
    """systemctl kill -s USR1 reaches them all: no one dies of it, and nothing else changes."""
    home.sparse("big", SIZE)
    daemon = ftpd()
    session = Session(daemon)
    getattr(session, phase)()
    for pid in [daemon.pid, *session.pids] * 3:
        with contextlib.suppress(ProcessLookupError):  # it may have ended already
            os.kill(pid, signal.SIGUSR1)
    if phase == "retr":
        receive_all(session.data)
        session.client.reply(226)
    elif phase == "stor":
        session.data.close()
        session.client.reply(226)
    session.client.reply(421)
    session.client.wait_closed()
    assert ended(daemon)
    assert "ended by signal" not in daemon.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_end_at_once_is_still_possible(ftpd, home, number):
    home.sparse("big", SIZE)
    daemon = ftpd()
    session = Session(daemon)
    session.retr()
    drain(daemon)
    daemon.process.send_signal(number)
    assert daemon.process.wait(1) == 0
    if number == signal.SIGTERM:
        receive_all(session.data)
        session.client.reply(226)
        session.client.reply(421)


def test_many_sessions(ftpd, home):
    """Some idle, some before login, some in a transfer, in any order of their ends."""
    home.sparse("big", SIZE)
    daemon = ftpd(max_per_ip="0")
    idle = [daemon.login("alice") for _ in range(5)] + [daemon.connect() for _ in range(5)]
    busy = [Session(daemon) for _ in range(5)]
    for session in busy:
        session.retr()
    drain(daemon)
    for client in idle:
        client.reply(421)
        client.wait_closed()
    assert procs.wait_for(lambda: len(daemon.sessions()) == len(busy))
    for session in reversed(busy):
        assert daemon.process.poll() is None
        receive_all(session.data)
        session.client.reply(226)
        session.client.reply(421)
    assert ended(daemon)


def test_turned_away_clients_are_in_the_log(ftpd, home):
    home.sparse("big", SIZE)
    daemon = ftpd()
    session = Session(daemon)
    session.retr()
    drain(daemon)
    turned_away()
    text = 'CONNECT: Client "127.0.0.1", "Connection refused: the service is going down."'
    assert procs.wait_for(lambda: text in daemon.log)
    assert "draining: no new sessions, transfers are finished; sessions left: 1" in daemon.stderr


def test_drain_before_the_listener_runs_is_not_lost(ftpd):
    """strace stretches the time between listen(2) and the first wait."""
    slow = ["strace", "-D", "-qq", "-o", "/dev/null", "-e", "trace=seccomp", "-e", "signal=none",
            "-e", "inject=seccomp:delay_enter=300000:when=1"]
    daemon = ftpd.start_by(slow, {})
    daemon.wait_listening()
    daemon.process.send_signal(signal.SIGUSR1)
    assert ended(daemon)
