"""SITE IDLE."""

import re

import pytest

import procs
from rules import LoginRule
from tracing import Trace


@pytest.fixture
def things(home):
    return home


class TestRules(LoginRule):
    lines = ["SITE IDLE", "SITE IDLE 30"]


def told(client, line="SITE IDLE"):
    """The seconds that a reply tells."""
    return int(re.match(r"The idle time is (\d+) seconds", client.cmd(line, 200).text).group(1))


def test_is_told(ftpd, home):
    assert told(ftpd(idle_session_timeout="123").login("alice")) == 123


@pytest.mark.parametrize("seconds", [30, 31, 299, 300])
def test_is_set(alice, seconds):
    assert told(alice, f"SITE IDLE {seconds}") == seconds
    assert told(alice) == told(alice, "site idle") == seconds
    assert str(seconds) in " ".join(alice.cmd("STAT", 211).lines)


@pytest.mark.parametrize("value", ["29", "0", "301", "-1", "+60", "60 60", "x", "60s", "1e2",
                                   "4294967356", "18446744073709551676", "%n%s"])
def test_what_is_not_allowed_is_501(alice, value):
    alice.cmds(("SITE IDLE 60", 200), (f"SITE IDLE {value}", 501))
    assert told(alice) == 60
    alice.in_step()


def test_nothing_beyond_the_configuration(ftpd, home):
    client = ftpd(idle_session_timeout="100").login("alice")
    client.cmds(("SITE IDLE 101", 501), ("SITE IDLE 300", 501))
    assert told(client) == 100
    assert told(client, "SITE IDLE 100") == 100


def test_for_anonymous_users_and_readers_too(ftpd):
    daemon = ftpd(write_enable="NO")
    for client in (daemon.anonymous(), daemon.login("alice")):
        assert told(client, "SITE IDLE 60") == 60


def test_of_one_session_only(ftpd, home):
    daemon = ftpd()
    one, other = daemon.login("alice"), daemon.login("alice")
    assert told(one, "SITE IDLE 60") == 60
    assert told(other) == 300


def test_the_session_waits_no_longer(ftpd, home, tmp_path):
    """Half a minute would be long for a test, so it is read off the system calls."""
    daemon = ftpd()
    client = daemon.login("alice")
    service = daemon.only_session()[1].pid
    with Trace(service, tmp_path, "ppoll,poll") as trace:
        def waits():
            return [int(wait) for _, rest in trace.of(service)
                    for wait in re.findall(r"tv_sec=(\d+), tv_nsec=\d+\}, NULL", rest)]

        # the wait begins a moment behind the command
        client.cmd("NOOP", 200)
        assert procs.wait_for(lambda: waits() and waits()[-1] > 100)
        client.cmd("SITE IDLE 40", 200)
        assert procs.wait_for(lambda: 30 < waits()[-1] <= 40)
        client.cmd("NOOP", 200)
        count = len(waits())
        assert procs.wait_for(lambda: len(waits()) > count)
        assert 30 < waits()[-1] <= 40
