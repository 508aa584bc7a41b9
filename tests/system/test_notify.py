"""What a service manager is told by way of NOTIFY_SOCKET."""

import os
import signal
import time

import pytest

import procs
from ftpraw import Client
from ftpd import listening_ports
from sessions import Session
from starters import Manager

OPTIONS = ("background",)


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    one = Manager(tmp_path / "notify" if request.param == "path" else "@miniftpd-test")
    yield one
    one.close()


def start(ftpd, manager, **options):
    return ftpd.start_by((), {"env": manager.environment}, **options)


def test_ready_when_clients_can_connect(ftpd, manager):
    daemon = start(ftpd, manager)
    told = manager.told()
    assert told["READY"] == "1" and told["MAINPID"] == str(daemon.pid)
    assert 21 in listening_ports()
    daemon.connect().in_step()
    assert manager.nothing()


def test_never_ready_if_it_cannot_start(ftpd, manager):
    daemon = start(ftpd, manager, pid_file="/nonexistent/pid")
    assert daemon.process.wait(5) == 1
    assert manager.nothing()
    ftpd.daemons.remove(daemon)


@pytest.mark.parametrize("good", [True, False])
def test_reload(ftpd, manager, good):
    """RELOADING=1 comes with the time of it, and READY=1 ends it, also if nothing was reloaded."""
    daemon = start(ftpd, manager)
    manager.told()
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    daemon.reload(ftpd_banner="new" if good else None, max_clients="1" if good else "many")
    told = manager.told()
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert told["RELOADING"] == "1"
    assert before <= int(told["MONOTONIC_USEC"]) <= after
    assert manager.told() == {"READY": "1"}
    client = Client()
    daemon.clients.append(client)
    assert (client.reply(220).text == "new") == good


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping(ftpd, manager, number):
    daemon = start(ftpd, manager)
    manager.told()
    daemon.process.send_signal(number)
    assert manager.told() == {"STOPPING": "1"}
    assert daemon.process.wait(5) == 0


def test_drain(ftpd, manager, home):
    home.sparse("big", 64 << 20)
    daemon = start(ftpd, manager)
    manager.told()
    session = Session(daemon)
    session.retr()
    daemon.process.send_signal(signal.SIGUSR1)
    assert manager.told() == {"STATUS": "draining, sessions left: 1"}
    session.leave(reset=True)
    told = {}
    while "STOPPING" not in told:
        told = manager.told()
    assert daemon.process.wait(5) == 0


def test_sessions_tell_nothing(ftpd, manager, home):
    """They have neither the socket nor its name."""
    daemon = start(ftpd, manager)
    manager.told()
    session = Session(daemon).login()
    names = [os.readlink(f"/proc/{pid}/fd/{number}") for pid in session.pids
             for number in os.listdir(f"/proc/{pid}/fd")]
    assert len([name for name in names if name.startswith("socket:")]) == 3
    session.client.cmd("QUIT", 221)
    assert manager.nothing()


@pytest.mark.parametrize("managed", [True, False])
def test_background_counts_only_without_a_manager(ftpd, manager, tmp_path, managed):
    """The manager waits for the process that it has started."""
    path = tmp_path / "pid"
    options = {"background": "YES", "pid_file": str(path)}
    daemon = start(ftpd, manager, **options) if managed else ftpd.start(**options)
    if managed:
        assert manager.told()["MAINPID"] == str(daemon.pid)
        assert daemon.process.poll() is None
        assert "background=YES does not count" in daemon.stderr
        return
    assert daemon.process.wait(5) == 0
    pid = int(path.read_text())
    os.kill(pid, signal.SIGTERM)
    assert procs.wait_for(lambda: procs.read(pid) is None)
