"""What the processes of a session with TLS ask the kernel for, seen by strace."""

import os

import pytest

import ftpsraw
import posture
from sessions import Session, gone
from test_privilege_boundary import CONTENT, NETWORK, whole_session
from tracing import Trace


class Traces:
    """The daemon and miniftpd-tls with all that they start."""

    def __init__(self, daemon, directory, calls):
        (helper,) = daemon.helpers()
        for name in ("daemon", "helper"):
            (directory / name).mkdir()
        self.both = [Trace(daemon.pid, directory / "daemon", calls),
                     Trace(helper.pid, directory / "helper", calls)]

    def stop(self):
        for trace in self.both:
            trace.stop()

    def of(self, pid):
        return [call for trace in self.both for call in trace.of(pid)]

    def names(self, pid):
        return {name for name, _ in self.of(pid)}


@pytest.fixture(params=["jailed", "free"])
def options(request):
    return {"chroot_local_user": "YES" if request.param == "jailed" else "NO",
            "connect_from_port_20": "YES", "require_ssl_reuse": "YES",
            "delete_failed_uploads": "YES"}


class TracedSession:
    """All that a session can ask for, over TLS, with the transfers that end badly."""

    def __init__(self, daemon, home):
        session = Session(daemon, connect=ftpsraw.secured)
        self.greeter, self.parent, self.relay = session.child, session.parent, session.relay
        client = session.client
        client.cmds(("USER alice", 331), ("PASS wrong", 530))
        session.login()
        self.service = session.child
        client.protect()
        whole_session(client, home)
        home.file("f", CONTENT)
        home.sparse("big", 1 << 30)
        sock = client.begin("RETR big")
        client.cmd("ABOR", 426)
        client.reply(226)
        ftpsraw.drain(sock)
        sock = client.begin("STOR cut")
        sock.sendall(CONTENT)
        ftpsraw.half_close(sock)
        client.reply(426)
        sock.close()
        assert ftpsraw.refused_handshake(client, "RETR f")
        client.reply(522)
        client.cmd("TYPE A", 200)
        client.retr("f")
        client.cmd("QUIT", 221)
        client.close()
        assert not gone([self.parent, self.relay])


def test_no_call_is_refused_by_a_filter(ftps, home, tmp_path, options):
    """Neither ENOSYS nor death: the filters know what is needed."""
    daemon = ftps(**options)
    traces = Traces(daemon, tmp_path, "all")
    session = TracedSession(daemon, home)
    traces.stop()
    for pid in (daemon.pid, session.parent, session.greeter, session.service, session.relay):
        calls = traces.of(pid)
        assert len(calls) > 10
        assert not {name for name, rest in calls if " ENOSYS " in rest}, pid


def test_who_makes_sockets(ftps, home, tmp_path, options):
    """The relay none at all; the service only the stream to its relay."""
    daemon = ftps(**options)
    traces = Traces(daemon, tmp_path, NETWORK)
    session = TracedSession(daemon, home)
    traces.stop()
    assert traces.names(session.greeter) == set()
    assert traces.names(session.relay) == set()
    assert traces.names(session.service) == {"accept4", "socketpair"}
    assert all("AF_UNIX" in rest for name, rest in traces.of(session.service)
               if name == "socketpair")


def test_the_relay_opens_nothing(ftps, home, tmp_path, options):
    daemon = ftps(**options)
    traces = Traces(daemon, tmp_path, "file")
    session = TracedSession(daemon, home)
    traces.stop()
    assert traces.of(session.relay) == []
    assert traces.names(session.greeter) <= {"chdir", "chroot"}


def test_filters_count(ftps, home):
    """As many for each process as without TLS."""
    session = Session(ftps(), connect=ftpsraw.secured).login()
    ours = posture.filters(os.getpid())
    for pid in session.pids:
        assert posture.filters(pid) == ours + 2
    assert posture.filters(session.relay) >= ours + 2
