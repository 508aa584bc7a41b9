"""Whoever dies, in whatever phase: its session goes with it, and nobody else notices."""

import os
import shutil
import signal

import pytest

import posture
import procs
from ftpraw import receive_exactly
from posture import HeldChecks
from sessions import PHASES, Session, close_with_reset, crowd, gone, small_send_buffers

OPTIONS = {"delay_failed_login": "30", "max_per_ip": "0"}
CONTENT = bytes(range(256)) * 40000


@pytest.fixture(scope="module", autouse=True)
def crowded():
    """/home/crowd, a directory whose listing fills every buffer on its way."""
    crowd("/home/crowd")
    with small_send_buffers():
        yield
    shutil.rmtree("/home/crowd")


@pytest.fixture
def files(home):
    """What the phases need in alice's home, and a file for the bystander."""
    home.sparse("big", 1 << 30)
    home.file("bystander", CONTENT)
    return home


class Bystander:
    """Another session, which is in the middle of a download."""

    def __init__(self, daemon):
        self.session = Session(daemon).login("bob")
        self.client = self.session.client
        self.sock = self.client.begin("RETR /home/alice/bystander")
        self.content = receive_exactly(self.sock, 100000)

    def finish(self):
        """The download ends well, and the session is as before."""
        self.content += receive_exactly(self.sock, len(CONTENT))
        assert self.content == CONTENT
        self.client.reply(226)
        self.client.in_step()


def reach(session, phase):
    """Bring the session into the phase; returns what holds it there, to be released, or None."""
    held = HeldChecks(session.daemon) if phase == "check" else None
    getattr(session, phase)()
    return held


def show_service(daemon):
    """The daemon takes new clients and lets them in."""
    client = daemon.login("carol")
    client.in_step()
    client.close()


# Many clients in a short time.

def visit(daemon, number):
    """Connect, do one of several things, and leave in one of several ways."""
    session = number % 6
    client = daemon.connect()
    if session == 0:
        client.cmd("QUIT", 221)
    elif session == 1:
        close_with_reset(client.sock)
    elif session == 2:
        client.cmd("USER alice", 331)
        close_with_reset(client.sock)
    elif session == 3:
        client.send("USER alice\r\nPASS secret-alice\r\n")
    elif session == 4:
        client.login("alice", "secret-alice")
        close_with_reset(client.sock)
    else:
        client.login("alice", "secret-alice")
        client.cmd("PASV", 227)
        client.send("LIST\r\nQUIT\r\n")
    client.close()


def test_three_hundred_visits_leave_nothing(ftpd, home):
    daemon = ftpd(max_per_ip="0")
    before = posture.descriptors(daemon.pid)
    for number in range(300):
        visit(daemon, number)
    assert not daemon.wait_no_sessions(10)
    assert posture.descriptors(daemon.pid) == before
    show_service(daemon)


# Killed processes.

@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("kind", ["parent", "child"])
def test_killed_process_takes_its_session_along(ftpd, files, phase, kind):
    daemon = ftpd(**OPTIONS)
    bystander = Bystander(daemon)
    session = Session(daemon)
    held = reach(session, phase)
    pids = session.pids
    os.kill(getattr(session, kind), signal.SIGKILL)
    assert not gone(pids)
    words = session.last_words()
    assert not words or words[:4] == b"421 ", f"the client was told {words}"
    if held:
        held.release()
    bystander.finish()
    show_service(daemon)


def test_killed_verifier_is_a_failed_login(ftpd, files):
    daemon = ftpd()
    bystander = Bystander(daemon)
    with HeldChecks(daemon):
        session = Session(daemon)
        session.check()
        os.kill(session.verifier, signal.SIGKILL)
        session.client.reply(530)
        assert not gone([session.verifier])
    session.verifier = None
    session.login()
    session.client.in_step()
    bystander.finish()


def test_partial_upload_of_a_killed_service_stays(ftpd, files):
    daemon = ftpd(**OPTIONS)
    session = Session(daemon)
    session.stor()
    path = files / "upload"
    assert procs.wait_for(lambda: path.stat().st_size == 100000)
    os.kill(session.child, signal.SIGKILL)
    assert not gone([session.parent])
    assert path.read_bytes() == b"x" * 100000


def test_death_of_a_service_is_in_the_log(ftpd, files):
    daemon = ftpd(**OPTIONS)
    session = Session(daemon)
    session.idle()
    os.kill(session.child, signal.SIGKILL)
    text = f"[pid {session.parent}] [alice] WARNING: "
    assert procs.wait_for(lambda: [line for line in daemon.log.splitlines()
                                   if text in line and "signal 9" in line])


@pytest.mark.parametrize("phase", ["greeting", "idle", "retr", "list"])
def test_stopped_service_goes_with_its_parent(ftpd, files, phase):
    """A service process that cannot notice anything is ended by the listener."""
    daemon = ftpd(**OPTIONS)
    session = Session(daemon)
    reach(session, phase)
    pids = session.pids
    os.kill(session.child, signal.SIGSTOP)
    os.kill(session.parent, signal.SIGKILL)
    assert not gone(pids)
    show_service(daemon)


@pytest.mark.parametrize("phase", ["greeting", "idle", "retr"])
def test_stopped_service_serves_again(ftpd, files, phase):
    """SIGSTOP and SIGCONT are no reason to end."""
    daemon = ftpd(**OPTIONS)
    session = Session(daemon)
    reach(session, phase)
    os.kill(session.child, signal.SIGSTOP)
    show_service(daemon)
    os.kill(session.child, signal.SIGCONT)
    if phase == "retr":
        assert len(receive_exactly(session.data, 1 << 20)) == 1 << 20
    else:
        session.client.in_step()


# The listener dies.

def kill_listener(session):
    """Kill the listener of the session."""
    session.daemon.kill()
    assert procs.read(session.parent).parent == 1


def test_logged_in_session_outlives_the_listener(ftpd, files):
    session = Session(ftpd(**OPTIONS)).login()
    kill_listener(session)
    pids = session.pids
    assert len(pids) == 2
    client = session.client
    client.in_step()
    for mode in ("pasv", "epsv", "port", "eprt"):
        assert client.retr("bystander", mode) == CONTENT
        client.stor("new", CONTENT, mode)
    client.cmd("QUIT", 221)
    client.wait_closed()
    assert not gone(pids)


def test_transfer_outlives_the_listener(ftpd, files):
    daemon = ftpd(**OPTIONS)
    bystander = Bystander(daemon)
    kill_listener(bystander.session)
    bystander.finish()
    pids = bystander.session.pids
    bystander.client.close()
    assert not gone(pids)


def test_login_goes_on_without_the_listener(ftpd, files):
    session = Session(ftpd(**OPTIONS))
    kill_listener(session)
    session.login()
    session.client.in_step()
    pids = session.pids
    session.client.close()
    assert not gone(pids)


@pytest.mark.parametrize("phase", ["greeting", "user", "delay", "idle", "pasv", "accepting", "retr",
                                   "stor", "list"])
@pytest.mark.parametrize("kind", ["parent", "child"])
def test_nothing_stays_without_the_listener(ftpd, files, phase, kind):
    """With nobody to end them, the processes of a session still end each other."""
    session = Session(ftpd(**OPTIONS))
    reach(session, phase)
    pids = session.pids
    kill_listener(session)
    os.kill(getattr(session, kind), signal.SIGKILL)
    assert not gone(pids)


def test_new_listener_beside_old_sessions(ftpd, files):
    session = Session(ftpd(**OPTIONS)).login()
    kill_listener(session)
    daemon = ftpd(**OPTIONS)
    assert daemon.login("alice").retr("bystander") == CONTENT
    assert session.client.retr("bystander") == CONTENT
    pids = session.pids
    session.client.close()
    assert not gone(pids)


# Clients that vanish.

@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase not in ("check", "delay")])
@pytest.mark.parametrize("reset", [False, True], ids=["close", "reset"])
def test_session_of_a_vanished_client_ends(ftpd, files, phase, reset):
    daemon = ftpd(**OPTIONS)
    session = Session(daemon)
    reach(session, phase)
    pids = session.pids
    bystander = Bystander(daemon)
    session.leave(reset)
    assert not gone(pids)
    bystander.finish()
    show_service(daemon)


@pytest.mark.parametrize("reset", [False, True], ids=["close", "reset"])
def test_client_vanishes_during_a_password_check(ftpd, files, reset):
    daemon = ftpd()
    bystander = Bystander(daemon)
    session = Session(daemon)
    held = reach(session, "check")
    pids = session.pids
    session.leave(reset)
    held.release()
    assert not gone(pids)
    bystander.finish()
    show_service(daemon)


@pytest.mark.parametrize("reset", [False, True], ids=["close", "reset"])
def test_client_vanishes_while_its_refusal_is_delayed(ftpd, files, reset):
    daemon = ftpd(delay_failed_login="1")
    bystander = Bystander(daemon)
    session = Session(daemon)
    reach(session, "delay")
    pids = session.pids
    session.leave(reset)
    assert not gone(pids, 5)
    bystander.finish()
    show_service(daemon)


@pytest.mark.parametrize("phase", ["retr", "stor", "list"])
def test_client_that_keeps_only_its_data_connection(ftpd, files, phase):
    daemon = ftpd(**OPTIONS)
    session = Session(daemon)
    reach(session, phase)
    pids = session.pids
    close_with_reset(session.client.sock)
    assert not gone(pids)
