"""pasv_addr_resolve: pasv_address is a name, and the listener looks it up."""

import contextlib
import os
import signal
import time

import pytest

import posture
import procs
from ftpraw import Client
from nameserver import file_replaced, name_server

OPTIONS = ("pasv_addr_resolve",)

NAME = "ftp.example.net"
FIRST, SECOND = "203.0.113.5", "203.0.113.6"
LOOK_UP = {"pasv_address": NAME, "pasv_addr_resolve": "YES"}
UNKNOWN = f"pasv_address={NAME} cannot be looked up: "
NO_ADDRESS = "the name in pasv_address has not been found"


@pytest.fixture
def hosts(tmp_path):
    """/etc/hosts, a file to write to."""
    with file_replaced("/etc/hosts", "127.0.0.1 localhost\n", tmp_path) as path:
        yield path


@pytest.fixture
def dns(tmp_path):
    with name_server(tmp_path) as server:
        server.addresses[NAME] = [FIRST]
        server.waiting = set()
        yield server
        for pid in server.waiting:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # so that the daemon can end as usual


def announced(daemon):
    """The address that a new session is told."""
    client = daemon.login("alice")
    address = client.pasv_address()[0]
    client.cmd("QUIT", 221)
    return address


def says(daemon, text):
    """Wait until the daemon has said `text` about itself."""
    assert procs.wait_for(lambda: text in daemon.stderr, 15), daemon.stderr


def holds_a_pipe(pid):
    """True if the process has one open; a process that has just ended has nothing."""
    try:
        kinds = posture.descriptors(pid).values()
    except FileNotFoundError:
        return False
    return any(kind[0] == "other" and kind[1].startswith("pipe:") for kind in kinds)


def look_ups(daemon):
    """The processes that look names up: the children of the listener with a pipe for an answer."""
    return [one for one in procs.children(daemon.pid) if holds_a_pipe(one.pid)]


def hanging(daemon, dns):
    """Let a look-up wait for an answer; returns its process."""
    dns.silent = True
    asked = dns.asked
    daemon.reload()
    assert procs.wait_for(lambda: dns.asked > asked)
    (child,) = look_ups(daemon)
    dns.waiting.add(child.pid)
    return child.pid


# What is announced.

def test_name_is_looked_up_at_the_start(ftpd, hosts):
    hosts.write_text(f"{FIRST} {NAME}\n")
    daemon = ftpd(**LOOK_UP)
    assert announced(daemon) == FIRST
    assert f"pasv_address={NAME} is {FIRST}\n" in daemon.stderr


def test_name_without_the_option_is_an_error(ftpd, hosts):
    hosts.write_text(f"{FIRST} {NAME}\n")
    daemon = ftpd.start(pasv_address=NAME)
    assert daemon.process.wait(10) == 2
    assert f"pasv_address wants an IPv4 address in numbers, not '{NAME}'" in daemon.stderr
    ftpd.daemons.remove(daemon)


def test_address_is_taken_as_it_is(ftpd, dns):
    daemon = ftpd(pasv_address=SECOND, pasv_addr_resolve="YES")
    assert announced(daemon) == SECOND
    assert dns.asked == 0


def test_name_server_is_asked(ftpd, dns):
    assert announced(ftpd(**LOOK_UP)) == FIRST


def test_ipv4_client_of_an_ipv6_socket(ftpd, dns):
    assert announced(ftpd(listen="NO", listen_ipv6="YES", **LOOK_UP)) == FIRST


def test_map_comes_first(ftpd, dns):
    daemon = ftpd(pasv_address_map="127.0.0.2=own", **LOOK_UP)
    assert daemon.login("alice", source="127.0.0.2").pasv_address()[0] == "127.0.0.1"
    assert announced(daemon) == FIRST


def test_running_sessions_keep_their_address(ftpd, dns):
    daemon = ftpd(**LOOK_UP)
    client = daemon.login("alice")
    dns.addresses[NAME] = [SECOND]
    daemon.reload()
    says(daemon, f"pasv_address={NAME} is {SECOND} now, and was {FIRST}\n")
    assert announced(daemon) == SECOND
    assert client.pasv_address()[0] == FIRST


def test_order_of_the_addresses_is_no_change(ftpd, dns):
    dns.addresses[NAME] = [SECOND, FIRST]
    daemon = ftpd(**LOOK_UP)
    chosen = announced(daemon)
    for order in ([FIRST, SECOND], [SECOND, FIRST], [FIRST, SECOND, "203.0.113.7"]):
        dns.addresses[NAME] = order
        asked = dns.asked
        daemon.reload()
        assert procs.wait_for(lambda: dns.asked > asked)
        assert procs.wait_for(lambda: not look_ups(daemon))
        assert announced(daemon) == chosen
    assert "now, and was" not in daemon.stderr


def test_reload_with_another_name(ftpd, dns):
    dns.addresses["new.example.net"] = [SECOND]
    daemon = ftpd(**LOOK_UP)
    assert announced(daemon) == FIRST
    daemon.reload(pasv_address="new.example.net")
    says(daemon, f"pasv_address=new.example.net is {SECOND} now")
    assert announced(daemon) == SECOND


def test_reload_without_a_name(ftpd, dns):
    daemon = ftpd(**LOOK_UP)
    assert announced(daemon) == FIRST
    daemon.reload(pasv_address=None)
    says(daemon, "configuration read again")
    assert announced(daemon) == "127.0.0.1"


# What cannot be looked up.

def test_name_that_is_not_found_at_the_start_is_tried_again(ftpd, dns):
    """The machine may be up before its network is."""
    del dns.addresses[NAME]
    daemon = ftpd(**LOOK_UP)
    assert announced(daemon) == "127.0.0.1"
    assert f"{UNKNOWN}Name or service not known; PASV names the server's own address" \
        in daemon.stderr
    assert procs.wait_for(lambda: NO_ADDRESS in daemon.log)
    dns.addresses[NAME] = [FIRST]
    says(daemon, f"pasv_address={NAME} is {FIRST}\n")
    assert announced(daemon) == FIRST
    assert daemon.whole_log().count(NO_ADDRESS) == 1


def test_session_without_the_address_says_so_once(ftpd, dns):
    del dns.addresses[NAME]
    daemon = ftpd(**LOOK_UP)
    client = daemon.login("alice")
    assert NO_ADDRESS not in daemon.log
    for _ in range(3):
        client.pasv_address()
    client.epsv_address()
    assert daemon.whole_log().count(NO_ADDRESS) == 1


def test_name_that_is_not_found_any_more_keeps_its_address(ftpd, dns):
    daemon = ftpd(**LOOK_UP)
    assert announced(daemon) == FIRST
    del dns.addresses[NAME]
    daemon.reload()
    says(daemon, f"{UNKNOWN}Name or service not known; PASV names still {FIRST} until it can\n")
    assert announced(daemon) == FIRST
    assert NO_ADDRESS not in daemon.whole_log()


# Nobody waits for a name server.

def test_silent_name_server_delays_the_start_by_some_seconds(ftpd, dns):
    """The first clients wait for the first answer, but not for ever."""
    dns.silent = True
    daemon = ftpd(**LOOK_UP)
    client = Client()
    daemon.clients.append(client)
    client.reply(220, seconds=9)
    client.login("alice", "secret-alice")
    assert client.pasv_address()[0] == "127.0.0.1"
    dns.silent = False
    says(daemon, f"pasv_address={NAME} is {FIRST}\n")
    assert announced(daemon) == FIRST


def test_slow_answer_at_the_start_is_waited_for(ftpd, dns):
    dns.silent = True
    daemon = ftpd(**LOOK_UP)
    client = Client()
    daemon.clients.append(client)
    assert procs.wait_for(lambda: dns.asked > 0)
    (child,) = look_ups(daemon)
    os.kill(child.pid, signal.SIGKILL)  # which is an answer, too
    client.reply(220, seconds=3)
    assert "ended without an answer" in daemon.stderr


def test_clients_are_served_while_a_look_up_hangs(ftpd, dns):
    daemon = ftpd(**LOOK_UP)
    assert announced(daemon) == FIRST
    child = hanging(daemon, dns)
    for _ in range(5):
        assert announced(daemon) == FIRST
    assert child in [one.pid for one in look_ups(daemon)]


def test_only_one_look_up_at_a_time(ftpd, dns):
    daemon = ftpd(**LOOK_UP)
    says(daemon, FIRST)
    children = {hanging(daemon, dns) for _ in range(3)}
    assert len(children) == 3 and len(look_ups(daemon)) == 1


def test_reload_with_an_error_leaves_the_look_up_alone(ftpd, dns):
    daemon = ftpd(**LOOK_UP)
    says(daemon, FIRST)
    child = hanging(daemon, dns)
    daemon.reload(pasv_address="not a name")
    says(daemon, "pasv_address wants a host name")
    assert [one.pid for one in look_ups(daemon)] == [child]
    assert announced(daemon) == FIRST


# The process that looks up.

def test_look_up_has_no_rights(ftpd, dns):
    daemon = ftpd(**LOOK_UP)
    says(daemon, FIRST)
    child = hanging(daemon, dns)
    assert posture.ids(child, "Uid") == posture.ids(child, "Gid") == [65534] * 4
    assert posture.groups(child) == set()
    for which in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
        assert posture.capabilities(child, which) == set()
    assert posture.no_new_privileges(child)
    assert posture.filters(child) == posture.filters(daemon.pid)
    assert posture.limit(child, "Max processes") == (0, 0)
    assert posture.limit(child, "Max core file size") == (0, 0)
    assert posture.limit(child, "Max file size") == (0, 0)
    assert not posture.is_dumpable(child)
    table = posture.descriptors(child)
    assert table.pop(0) == table.pop(2) == ("null",)
    kinds = [kind[1].partition(":")[0] for kind in table.values()]
    assert sorted(kinds) == ["pipe", "socket"], table


def test_session_holds_nothing_of_a_look_up(ftpd, dns):
    daemon = ftpd(**LOOK_UP)
    says(daemon, FIRST)
    hanging(daemon, dns)
    client = daemon.login("alice")
    client.in_step()
    sessions = [one.pid for one in procs.children(daemon.pid) if procs.children(one.pid)]
    (parent,) = sessions
    for pid in (parent, procs.children(parent)[0].pid):
        assert not holds_a_pipe(pid)


def test_look_up_leaves_nothing_behind(ftpd, dns):
    daemon = ftpd(**LOOK_UP)
    says(daemon, FIRST)
    before = sorted(posture.descriptors(daemon.pid).values())
    for number in range(20):
        dns.addresses[NAME] = [f"203.0.113.{number + 100}"]
        daemon.reload()
        says(daemon, f"is 203.0.113.{number + 100} now")
    assert procs.forks(daemon.pid) == []
    assert sorted(posture.descriptors(daemon.pid).values()) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_look_up_ends_with_the_listener(ftpd, dns, number):
    daemon = ftpd(**LOOK_UP)
    says(daemon, FIRST)
    child = hanging(daemon, dns)
    daemon.process.send_signal(number)
    assert daemon.process.wait(5) == 0
    assert procs.read(child) is None


def test_look_up_ends_with_a_listener_that_is_killed(ftpd, dns):
    daemon = ftpd(**LOOK_UP)
    says(daemon, FIRST)
    child = hanging(daemon, dns)
    daemon.kill()
    assert procs.wait_for(lambda: procs.read(child) is None)


def test_idle_listener_sleeps_until_the_next_look_up(ftpd, dns):
    daemon = ftpd(**LOOK_UP)
    says(daemon, FIRST)
    assert procs.wait_for(lambda: not look_ups(daemon) and procs.read(daemon.pid).state == "S")

    def switches():
        return int(procs.status(daemon.pid)["voluntary_ctxt_switches"])

    def is_calm():
        """The look for children that ended together with the one that asked is over, too."""
        before = switches()
        time.sleep(0.3)
        return switches() == before

    assert procs.wait_for(is_calm)
    before, asked = switches(), dns.asked
    time.sleep(1)  # nothing may happen in it
    assert (switches(), dns.asked) == (before, asked)
