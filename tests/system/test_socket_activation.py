"""Listening sockets that the service manager opened: LISTEN_FDS, as sd_listen_fds(3) has it."""

import os
import signal
import socket
from pathlib import Path

import pytest

import posture
import procs
from ftpd import listening_ports
from ftpraw import Client
from sessions import Session
from starters import high, passing

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def sockets():
    """A function that opens listening sockets, which stay ours, too."""
    opened = []

    def listen(*addresses, kind=socket.SOCK_STREAM):
        for host, port in addresses:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            sock = socket.socket(family, kind)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            if kind == socket.SOCK_STREAM:
                sock.listen()
            opened.append(high(sock))
        return list(opened)

    yield listen
    for sock in opened:
        sock.close()


def serves(daemon, host, port):
    """Connect there and see that the daemon answers."""
    client = Client(host, port)
    daemon.clients.append(client)
    client.reply(220)
    client.in_step()
    return client


@pytest.mark.parametrize("listen", ["YES", "NO", None])
def test_one_socket(ftpd, home, sockets, listen):
    """What listen and listen_port say does not count."""
    home.file("f", CONTENT)
    daemon = ftpd.start_by(*passing(sockets(("127.0.0.1", 2121))), listen=listen)
    client = serves(daemon, "127.0.0.1", 2121)
    client.login("alice", "secret-alice")
    assert client.retr("f") == CONTENT
    assert 21 not in listening_ports()
    assert "127.0.0.1, port 2121" in daemon.stderr and "service manager" in daemon.stderr


def test_several_sockets(ftpd, sockets):
    """Eight of them, of both families; all are served by one listener."""
    addresses = [("127.0.0.1", 2121), ("127.0.0.2", 2121), ("::1", 21), ("fd00::1", 21),
                 ("127.0.0.1", 2122), ("127.0.0.1", 2123), ("127.0.0.1", 21), ("fd00::2", 2121)]
    daemon = ftpd.start_by(*passing(sockets(*addresses)), max_clients="8")
    for host, port in addresses:
        serves(daemon, host, port)
    client = Client("127.0.0.2", 2121)
    client.reply(421)
    client.close()
    assert len(daemon.sessions()) == len(addresses)
    for host, port in addresses:
        assert f"{host}, port {port}" in daemon.stderr


def test_wildcard_is_named_in_words(ftpd, sockets):
    daemon = ftpd.start_by(*passing(sockets(("0.0.0.0", 2121))))
    serves(daemon, "127.0.0.2", 2121)
    assert "every IPv4 address, port 2121" in daemon.stderr


def test_sessions_hold_no_listening_socket(ftpd, home, sockets):
    daemon = ftpd.start_by(*passing(sockets(("127.0.0.1", 21), ("127.0.0.2", 2121))))
    assert procs.wait_for(lambda: "listens on" in daemon.stderr)
    session = Session(daemon).login()
    for pid in session.pids:
        kinds = [kind[0] for kind in posture.descriptors(pid).values()]
        assert "listen" not in kinds
    assert posture.inherited(daemon.pid) <= {0, 1, 2}
    table = posture.descriptors(daemon.pid).values()
    assert sorted(kind for kind in table if kind[0] == "listen") == [("listen", 21),
                                                                     ("listen", 2121)]


def test_sockets_do_not_block(ftpd, sockets):
    """A client that is gone before accept(2) must not stop the listener."""
    (sock,) = sockets(("127.0.0.1", 2121))
    sock.setblocking(True)
    daemon = ftpd.start_by(*passing([sock]))
    serves(daemon, "127.0.0.1", 2121)
    assert os.get_blocking(sock.fileno()) is False


def test_clients_of_before_are_served(ftpd, sockets):
    """Who has connected while the daemon was away waits in the queue of the socket."""
    passed = sockets(("127.0.0.1", 2121))
    early = Client("127.0.0.1", 2121)
    daemon = ftpd.start_by(*passing(passed))
    daemon.clients.append(early)
    early.reply(220)


def test_socket_outlives_the_daemon(ftpd, home, sockets):
    """A restart refuses nobody: who comes in between is served by the next daemon."""
    home.file("f", CONTENT)
    passed = sockets(("127.0.0.1", 2121))
    first = ftpd.start_by(*passing(passed))
    session = serves(first, "127.0.0.1", 2121)
    session.login("alice", "secret-alice")
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(5) == 0
    between = Client("127.0.0.1", 2121)
    second = ftpd.start_by(*passing(passed))
    second.clients.append(between)
    between.reply(220)
    assert session.retr("f") == CONTENT


def test_sockets_of_another_process(ftpd, sockets):
    """LISTEN_PID names somebody else: the variables are left over and mean nothing."""
    passed = sockets(("127.0.0.1", 2121))
    environment = {**os.environ, "LISTEN_PID": "1", "LISTEN_FDS": "1"}
    daemon = ftpd.start_by((), {"env": environment, "pass_fds": [passed[0].fileno()]})
    daemon.wait_listening()
    serves(daemon, "127.0.0.1", 21)
    table = posture.descriptors(daemon.pid).values()
    assert ("listen", 2121) not in table


@pytest.mark.parametrize("count", ["x", "-1", "", "0", "99999999999"])
def test_nonsense_in_listen_fds(ftpd, count):
    command = ["/bin/bash", "-c", 'export LISTEN_PID=$$ LISTEN_FDS="$0"; exec "$@"', count]
    daemon = ftpd.start_by(command, {})
    daemon.wait_listening()
    serves(daemon, "127.0.0.1", 21)


@pytest.mark.parametrize("kind", ["nine", "udp", "unix", "missing", "client and more"])
def test_what_cannot_be_served_is_one_clear_line(ftpd, sockets, kind):
    extra = None
    if kind == "nine":
        passed = sockets(*(("127.0.0.1", 2121 + number) for number in range(9)))
    elif kind == "udp":
        passed = sockets(("127.0.0.1", 2121), kind=socket.SOCK_DGRAM)
    elif kind == "unix":
        extra = high(socket.socket(socket.AF_UNIX))
        extra.bind("")
        extra.listen()
        passed = [extra]
    elif kind == "missing":
        passed = []
    else:
        listening = sockets(("127.0.0.1", 2121))
        extra = high(socket.create_connection(("127.0.0.1", 2121)))
        passed = [*listening, extra]
    command, popen = passing(passed)
    if kind == "missing":
        command[2] = command[2].replace("LISTEN_FDS=0", "LISTEN_FDS=1")
    daemon = ftpd.start_by(command, popen)
    assert daemon.process.wait(5) == 1
    (line,) = daemon.stderr.splitlines()
    assert "service manager" in line
    ftpd.daemons.remove(daemon)
    if extra:
        extra.close()


def test_unit_files_fit():
    """What systemd is told about sockets, restarts and readiness."""
    units = Path(__file__).resolve().parents[2] / "doc"
    service = (units / "miniftpd.service.in").read_text().splitlines()
    assert {"Type=notify", "KillMode=process",
            "ExecReload=/bin/kill -HUP $MAINPID"} <= set(service)
    single = (units / "miniftpd@.service.in").read_text().splitlines()
    assert {"StandardInput=socket", "StandardOutput=null"} <= set(single)
    assert not {"Type=notify", "KillMode=process"} & set(single)

    def limits(lines):
        return [line for line in lines if line.startswith(("Capab", "Restrict", "Protect"))]

    assert limits(service) == limits(single)
    assert "ListenStream=21" in (units / "miniftpd.socket").read_text().splitlines()
