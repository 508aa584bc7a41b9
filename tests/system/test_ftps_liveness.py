"""Whoever dies of a session with TLS: all of it goes, nobody else notices."""

import os
import signal

import pytest

import ftpsraw
import posture
import procs
from procs import wait_for
from sessions import Session, gone

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def daemon(ftps, home):
    home.sparse("big", 1 << 30)
    home.file("f", CONTENT)
    return ftps(max_per_ip="0", idle_session_timeout="60")


def begin(daemon, phase):
    """A session of TLS in one phase."""
    session = Session(daemon, connect=ftpsraw.secured)
    assert session.relay
    if phase == "user":
        session.user()
    elif phase != "greeting":
        session.login()
        session.client.protect()
    if phase == "retr":
        session.data = session.client.begin("RETR big")
        assert session.data.recv(1000)
    elif phase == "stor":
        session.data = session.client.begin("STOR new")
        session.data.sendall(b"x" * 100_000)
    elif phase == "accepting":
        session.client.pasv_address()
        session.client.cmd("LIST", 150)
    elif phase == "handshake":
        session.data = session.client.pasv()()
        session.client.cmd("RETR f", 150)
    return session


PHASES = ["greeting", "user", "idle", "accepting", "handshake", "retr", "stor"]


def shows_service(daemon):
    assert ftpsraw.login(daemon, "alice").retr("f") == CONTENT


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("who", ["relay", "parent", "child"])
def test_killed_process_takes_its_session_along(daemon, phase, who):
    bystander = begin(daemon, "retr")
    session = begin(daemon, phase)
    pids = [*session.pids, session.relay]
    os.kill(getattr(session, who), signal.SIGKILL)
    assert not gone(pids, 5)
    assert bystander.data.recv(1000)
    bystander.client.cmd("NOOP", 200)
    shows_service(daemon)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("how", ["close", "reset", "close_notify"])
def test_session_of_a_vanished_client_ends(daemon, phase, how):
    session = begin(daemon, phase)
    pids = [*session.pids, session.relay]
    for sock in filter(None, (session.data, session.client.sock)):
        if how == "reset":
            ftpsraw.reset(sock)
        elif how == "close_notify" and sock is session.client.sock:
            sock.setblocking(False)
            try:
                sock.unwrap()
            except OSError:
                pass
            sock.close()
        else:
            sock.close()
    assert not gone(pids, 8)
    shows_service(daemon)


def test_quick_connects_leave_nothing(daemon):
    """Two hundred, each with TLS begun and ended in one of several ways."""
    ftpsraw.login(daemon).cmd("QUIT", 221)
    assert not daemon.wait_no_sessions()
    (helper,) = daemon.helpers()
    before = (posture.descriptors(daemon.pid), posture.descriptors(helper.pid))
    for number in range(200):
        client = ftpsraw.connect(daemon)
        way = number % 5
        if way == 0:
            client.auth().cmd("QUIT", 221)
        elif way == 1:
            ftpsraw.reset(client.auth().sock)
        elif way == 2:
            client.send("AUTH TLS\r\n")
        elif way == 3:
            client.cmd("AUTH TLS", 234)
            client.send(b"\x16\x03\x01")
        else:
            client.auth().login("alice", "secret-alice")
        client.close()
    assert not daemon.wait_no_sessions(20)
    assert (posture.descriptors(daemon.pid), posture.descriptors(helper.pid)) == before
    assert [one.pid for one in daemon.helpers()] == [helper.pid]
    shows_service(daemon)


def test_idle_session_is_ended(ftps, home):
    daemon = ftps(idle_session_timeout="1")
    session = Session(daemon, connect=ftpsraw.secured).login()
    pids = [*session.pids, session.relay]
    session.client.reply(421)
    session.client.wait_closed()
    assert not gone(pids)


def test_drain(daemon):
    """Idle sessions end with 421, transfers come to their end first."""
    idle = ftpsraw.login(daemon)
    busy = ftpsraw.login(daemon)
    sock = busy.begin("RETR f")
    daemon.process.send_signal(signal.SIGUSR1)
    idle.reply(421)
    idle.wait_closed()
    got = b""
    while chunk := sock.recv(1 << 18):
        got += chunk
    assert got == CONTENT
    busy.reply(226)
    busy.reply(421)
    assert daemon.process.wait(10) == 0
    assert wait_for(lambda: not [one for one in procs.everyone().values()
                                 if one.name == "miniftpd-tls"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_end_of_the_listener(daemon, number):
    """SIGTERM leaves sessions alone, SIGINT ends them; the program goes when nobody needs it."""
    session = begin(daemon, "idle")
    (helper,) = daemon.helpers()
    pids = [*session.pids, session.relay]
    daemon.process.send_signal(number)
    assert daemon.process.wait(10) == 0
    if number == signal.SIGTERM:
        assert session.client.retr("f") == CONTENT
        session.client.cmd("QUIT", 221)
        session.client.close()
    assert not gone([*pids, helper.pid], 5)


def test_killed_listener(daemon):
    """Nothing stays when its sessions have ended."""
    session = begin(daemon, "idle")
    (helper,) = daemon.helpers()
    pids = [*session.pids, session.relay]
    daemon.kill()
    assert session.client.retr("f") == CONTENT
    session.client.cmd("QUIT", 221)
    session.client.close()
    assert not gone([*pids, helper.pid], 5)


def test_stopped_relay_is_in_nobodys_way(daemon):
    session = begin(daemon, "idle")
    os.kill(session.relay, signal.SIGSTOP)
    shows_service(daemon)
    os.kill(session.relay, signal.SIGCONT)
    assert session.client.retr("f") == CONTENT
