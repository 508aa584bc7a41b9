"""Where the daemon listens, how many it serves, and how it starts and ends."""

import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

import posture
import procs
from ftpd import PROGRAM, listening_ports
from ftpraw import DEADLINE_SEC, Client, receive_exactly
from sessions import Session, gone

OPTIONS = ("listen", "listen_ipv6", "listen_address", "listen_address6", "listen_port", "max_clients",
           "max_per_ip", "background", "pid_file")

CONTENT = bytes(range(256)) * 4000
EVERY_HOST = ["127.0.0.1", "127.0.0.2", "::1", "fd00::1", "fd00::2"]


def refused(host, port=21):
    """True if nobody listens there."""
    try:
        socket.create_connection((host, port), DEADLINE_SEC).close()
    except ConnectionRefusedError:
        return True
    return False


def last_pid():
    """The number of the youngest process of this pid namespace."""
    return int(Path("/proc/loadavg").read_text().split()[4])


def cpu_ticks(pid):
    """The CPU time of a process so far, in clock ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


# Addresses and ports.

@pytest.mark.parametrize("options, hosts", [
    ({}, ["127.0.0.1", "127.0.0.2"]),
    ({"listen": None}, ["127.0.0.1", "127.0.0.2"]),
    ({"listen": "NO", "listen_ipv6": "YES"}, EVERY_HOST),
    ({"listen": None, "listen_ipv6": "YES"}, EVERY_HOST),
    ({"listen_address": "127.0.0.2"}, ["127.0.0.2"]),
    ({"listen": "NO", "listen_ipv6": "YES", "listen_address6": "fd00::2"}, ["fd00::2"]),
    ({"listen": "NO", "listen_ipv6": "YES", "listen_address6": "::1"}, ["::1"]),
    ({"listen": "NO", "listen_ipv6": "YES", "listen_address6": "::"}, EVERY_HOST),
])
def test_addresses(ftpd, options, hosts):
    daemon = ftpd(**options)
    for host in EVERY_HOST:
        if host in hosts:
            daemon.connect(host).cmd("QUIT", 221)
        else:
            assert refused(host), host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "fd00::1"])
def test_transfers_on_a_dual_stack_socket(ftpd, home, host):
    home.file("f", CONTENT)
    client = ftpd(listen="NO", listen_ipv6="YES").login("alice", host)
    for mode in ("epsv", "eprt") if ":" in host else ("pasv", "epsv", "port", "eprt"):
        assert client.retr("f", mode) == CONTENT


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "fd00::2"])
def test_address_in_the_log_is_that_of_the_client(ftpd, host):
    daemon = ftpd(listen="NO", listen_ipv6="YES")
    daemon.connect(host, source=host).in_step()
    assert f'CONNECT: Client "{host}"\n' in daemon.log


def test_port(ftpd):
    daemon = ftpd(listen_port="2121")
    daemon.connect().in_step()
    assert refused("127.0.0.1", 21)


def test_two_daemons_on_two_addresses(ftpd):
    for host in ("127.0.0.1", "127.0.0.2"):
        daemon = ftpd(listen_address=host, ftpd_banner=f"at {host}")
        # that someone listens on the port may be the work of the other one
        assert procs.wait_for(lambda: "listens on" in daemon.stderr), daemon.stderr
    for daemon, host in zip(ftpd.daemons, ("127.0.0.1", "127.0.0.2")):
        client = Client(host)
        daemon.clients.append(client)
        assert client.reply(220).text == f"at {host}"


# Limits.

def turned_away(host="127.0.0.1", source=None):
    """True if a client at `source` gets 421 and nothing else."""
    with Client(host, 21, source) as client:
        if client.reply(220, 421).code == 220:
            return False
        client.wait_closed()
        return True


def test_max_clients(ftpd):
    daemon = ftpd(max_clients="3")
    clients = [daemon.connect() for _ in range(2)] + [daemon.login("alice")]
    for source in ("127.0.0.1", "127.0.0.2"):
        assert turned_away(source=source)
    for client in clients:
        client.in_step()
    clients.pop().cmd("QUIT", 221)
    assert procs.wait_for(lambda: len(daemon.sessions()) == 2)
    daemon.login("bob").in_step()
    assert turned_away()


def test_max_per_ip(ftpd):
    daemon = ftpd(listen="NO", listen_ipv6="YES", max_per_ip="2")
    sources = {"127.0.0.1": "127.0.0.1", "127.0.0.2": "127.0.0.1", "fd00::1": "fd00::1",
               "fd00::2": "fd00::1"}
    clients = [daemon.connect(host, source) for source, host in sources.items() for _ in range(2)]
    for source, host in sources.items():
        assert turned_away(host, source)
    assert not turned_away("127.0.0.1", "127.0.0.3")
    for client in clients:
        client.in_step()


@pytest.mark.parametrize("options", [{"max_clients": "1"}, {"max_per_ip": "1"}])
def test_client_over_the_limit_costs_no_process(ftpd, options):
    daemon = ftpd(**options)
    client = daemon.connect()
    before = last_pid()
    for _ in range(100):
        assert turned_away()
    assert last_pid() == before
    assert len(daemon.sessions()) == 1
    client.in_step()


def test_count_of_processes_sees_a_session(ftpd):
    """What the test above relies on."""
    daemon = ftpd()
    before = last_pid()
    daemon.connect()
    assert last_pid() == before + 2


def test_client_over_the_limit_that_sends_and_does_not_read(ftpd):
    """Whatever turned away clients do, the listener does not wait for them."""
    daemon = ftpd(max_per_ip="1")
    client = daemon.connect(source="127.0.0.2")
    daemon.connect()
    socks = [socket.create_connection(("127.0.0.1", 21), DEADLINE_SEC) for _ in range(50)]
    for sock in socks:
        try:
            sock.send(b"USER alice\r\n" * 1000)
        except (ConnectionResetError, BrokenPipeError):
            pass
    daemon.connect(source="127.0.0.3").in_step()
    client.in_step()
    for sock in socks:
        sock.close()


@pytest.mark.parametrize("kind", ["parent", "child"])
def test_killed_sessions_do_not_count(ftpd, kind):
    daemon = ftpd(max_clients="1")
    for _ in range(5):
        session = Session(daemon)
        assert turned_away()
        pids = session.pids
        os.kill(getattr(session, kind), signal.SIGKILL)
        assert not gone(pids)


def test_sessions_that_end_at_once_are_all_reaped(ftpd):
    """The kernel sends one signal for them, which names one."""
    daemon = ftpd()
    clients = [daemon.connect() for _ in range(20)]
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        for parent in daemon.session_parents():
            os.kill(parent.pid, signal.SIGKILL)
        assert procs.wait_for(lambda: [one.state for one in daemon.session_parents()] ==
                              ["Z"] * len(clients))
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    assert not daemon.wait_no_sessions()


@pytest.mark.parametrize("options, count", [({}, 50), ({"max_per_ip": "0"}, None)])
def test_default_limit_for_an_address(ftpd, options, count):
    daemon = ftpd(**options)
    for _ in range(50):
        daemon.connect()
    assert turned_away() == (count is not None)
    assert not turned_away(source="127.0.0.2")


# Out of descriptors.

@pytest.mark.parametrize("room", [0, -3], ids=["only the spare one", "not even that"])
def test_listener_out_of_descriptors(ftpd, room):
    """It neither ends nor spins, and serves again afterwards."""
    daemon = ftpd()
    client = daemon.login("alice")
    before = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    highest = max(posture.descriptors(daemon.pid))
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (highest + 1 + room, before[1]))
    socks = [socket.create_connection(("127.0.0.1", 21), DEADLINE_SEC) for _ in range(30)]
    ticks = cpu_ticks(daemon.pid)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        client.in_step()
        assert procs.read(daemon.pid).state != "Z"
    assert cpu_ticks(daemon.pid) - ticks < os.sysconf("SC_CLK_TCK") / 4
    assert "clients have to wait" in daemon.stderr
    assert len(daemon.stderr.splitlines()) < 10
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, before)
    for sock in socks:
        sock.close()

    def served():
        with Client() as visitor:
            return visitor.reply(220, 421).code == 220

    assert procs.wait_for(served, 10)
    daemon.login("bob").in_step()


def test_idle_daemon_does_nothing(ftpd, home):
    """Nobody looks whether there is something to do: no process wakes up by itself."""
    def switches(pid):
        return int(procs.status(pid)["voluntary_ctxt_switches"])

    daemon = ftpd()
    daemon.connect()
    daemon.login("alice").cmd("PASV", 227)
    pids = [daemon.pid] + [process.pid for process in procs.descendants(daemon.pid)]
    assert len(pids) == 6

    def asleep():
        return all(procs.read(pid).state == "S" for pid in pids)

    def quiet():
        """Nothing has happened for a second."""
        before = [switches(pid) for pid in pids]
        return not procs.wait_for(lambda: not asleep(), 1) and \
            [switches(pid) for pid in pids] == before

    # behind a command the next one is waited for in another way, for a moment
    assert procs.wait_for(lambda: asleep() and quiet())
    assert quiet()


# The end.

def test_sigterm_leaves_sessions_alone(ftpd, home):
    home.file("f", CONTENT)
    home.sparse("big", 64 << 20)
    daemon = ftpd()
    session, early = Session(daemon).login(), Session(daemon)
    client = session.client
    pids = session.pids + early.pids
    sock = client.begin("RETR big")
    got = len(receive_exactly(sock, 100000))
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(1) == 0
    assert refused("127.0.0.1")
    assert got + len(receive_exactly(sock, 1 << 30)) == 64 << 20
    client.reply(226)
    for mode in ("pasv", "epsv", "port", "eprt"):
        assert client.retr("f", mode) == CONTENT
    early.client.login("bob", "secret-bob")
    for one in (client, early.client):
        one.cmd("QUIT", 221)
        one.wait_closed()
    assert not gone(pids)
    assert "stopped; running sessions go on to their end" in daemon.stderr


def test_new_daemon_starts_while_old_sessions_run(ftpd, home):
    home.file("f", CONTENT)
    daemon = ftpd()
    client = daemon.login("alice")
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(1) == 0
    assert ftpd().login("bob").retr("/home/alice/f") == CONTENT
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("phase", ["greeting", "user", "idle", "pasv", "retr", "stor"])
def test_sigint_ends_everything(ftpd, home, phase):
    home.sparse("big", 1 << 30)
    daemon = ftpd()
    session = Session(daemon)
    getattr(session, phase)()
    pids = session.pids
    daemon.process.send_signal(signal.SIGINT)
    assert daemon.process.wait(1) == 0
    assert not gone(pids)
    assert session.last_words()[:4] in (b"", b"421 ")


def test_sigint_ends_stopped_processes_too(ftpd, home):
    daemon = ftpd()
    session = Session(daemon).login()
    pids = session.pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    daemon.process.send_signal(signal.SIGINT)
    assert daemon.process.wait(1) == 0
    assert not gone(pids)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_end_without_sessions(ftpd, number):
    daemon = ftpd()
    daemon.process.send_signal(number)
    assert daemon.process.wait(1) == 0
    assert daemon.stderr.splitlines()[-1] == "miniftpd: stopped"
    assert refused("127.0.0.1")


@pytest.mark.parametrize("number", [signal.SIGPIPE, signal.SIGCHLD])
def test_signals_that_mean_nothing(ftpd, number):
    daemon = ftpd()
    for _ in range(100):
        daemon.process.send_signal(number)
        daemon.connect().close()
    daemon.connect().in_step()


# The start.

@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_signal_at_the_moment_when_the_port_is_open(ftpd, number):
    """From then on it is the daemon that decides what a signal means, ready or not.

    strace stretches the moment: it holds up the first seccomp(2), which comes behind listen(2).
    """
    slow = ["strace", "-D", "-qq", "-o", "/dev/null", "-e", "trace=seccomp", "-e", "signal=none",
            "-e", "inject=seccomp:delay_enter=300000:when=1"]
    process = subprocess.Popen([*slow, PROGRAM, "-olocal_enable=YES"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert procs.wait_for(lambda: 21 in listening_ports(), 10)
    process.send_signal(number)
    if number == signal.SIGHUP:
        with Client() as client:
            client.reply(220)
            client.in_step()
        process.terminate()
    assert process.wait(5) == 0


def test_foreground_says_where_it_listens(ftpd):
    daemon = ftpd(listen_port="2121")
    assert procs.wait_for(lambda: "port 2121" in daemon.stderr)
    assert len(daemon.stderr.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_pid_file_in_the_foreground(ftpd, tmp_path, number):
    path = tmp_path / "pid"
    path.write_text("of an earlier one, and longer than a number\n")
    daemon = ftpd(pid_file=str(path))
    assert procs.wait_for(lambda: path.read_text() == f"{daemon.pid}\n")
    assert path.stat().st_mode & 0o777 == 0o644
    daemon.process.send_signal(number)
    assert daemon.process.wait(1) == 0
    assert not path.exists()


def test_pid_file_is_not_written_through_a_link(ftpd, tmp_path):
    target, path = tmp_path / "target", tmp_path / "pid"
    target.write_text("keep\n")
    path.symlink_to(target)
    daemon = ftpd.start(pid_file=str(path))
    assert daemon.process.wait(5) == 1
    assert "pid_file" in daemon.stderr
    assert target.read_text() == "keep\n"
    ftpd.daemons.remove(daemon)


@pytest.fixture
def background(ftpd, tmp_path):
    """The pid of a daemon in the background, which is ended after the test."""
    path = tmp_path / "pid"
    daemon = ftpd.start(background="YES", pid_file=str(path))
    assert daemon.process.wait(5) == 0
    pid = int(path.read_text())
    yield pid
    if procs.read(pid):
        os.kill(pid, signal.SIGTERM)
    assert not gone([pid])
    assert not path.exists()


def test_background_serves_when_the_command_returns(background):
    with Client() as client:
        client.reply(220)
        client.login("alice", "secret-alice")
        client.in_step()


def test_background_leaves_its_terminal(background):
    def has_left():
        fields = Path(f"/proc/{background}/stat").read_text().rpartition(")")[2].split()
        group, session, terminal = int(fields[2]), int(fields[3]), int(fields[4])
        kinds = [posture.descriptors(background)[number] for number in range(3)]
        return ((group, session, terminal) == (background, background, 0)
                and posture.cwd(background) == "/" and kinds == [("null",)] * 3)

    assert procs.wait_for(has_left)
    process = procs.read(background)
    assert (process.name, process.parent) == ("miniftpd", 1)


def test_background_session_holds_no_stderr(background, home):
    with Client() as client:
        client.reply(220)
        client.login("alice", "secret-alice")
        (parent,) = procs.forks(background)
        kinds = sorted(kind[0] for kind in posture.descriptors(parent.pid).values())
        assert [kind for kind in kinds if kind != "unix"] == ["file"] + ["null"] * 3 + ["seqpacket"]


def test_background_survives_sighup_and_ends_at_sigterm(background):
    os.kill(background, signal.SIGHUP)
    with Client() as client:
        client.reply(220)
        client.cmd("QUIT", 221)
    os.kill(background, signal.SIGTERM)
    assert not gone([background])
    assert refused("127.0.0.1")


@pytest.mark.parametrize("background", ["YES", "NO"])
@pytest.mark.parametrize("options", [{}, {"listen": "NO", "listen_ipv6": "YES"},
                                     {"listen_address": "127.0.0.1"}])
def test_taken_port_is_one_clear_line(ftpd, tmp_path, background, options):
    path = tmp_path / "pid"
    with socket.create_server(("0.0.0.0", 21)):
        daemon = ftpd.start(background=background, pid_file=str(path), **options)
        assert daemon.process.wait(5) == 1
    lines = daemon.stderr.splitlines()
    assert len(lines) == 1
    assert "port 21" in lines[0] and "taken" in lines[0]
    assert not path.exists()
    ftpd.daemons.remove(daemon)


def test_foreign_address_is_one_clear_line(ftpd):
    daemon = ftpd.start(listen_address="192.0.2.1")
    assert daemon.process.wait(5) == 1
    assert len(daemon.stderr.splitlines()) == 1
    assert "192.0.2.1" in daemon.stderr
    ftpd.daemons.remove(daemon)


def test_start_without_root_is_one_clear_line(ftpd):
    result = subprocess.run([PROGRAM, "-olisten_port=2121"], user=1001, group=1001,
                            extra_groups=[], capture_output=True, text=True, timeout=10)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "root" in result.stderr


@pytest.mark.parametrize("closed", [(0,), (1, 2), (0, 1, 2)])
def test_start_with_closed_standard_descriptors(ftpd, closed):
    """No socket becomes stderr: descriptors 0 to 2 are something harmless."""
    process = subprocess.Popen([PROGRAM, "-olocal_enable=YES"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=lambda: [os.close(number) for number in closed])
    try:
        assert procs.wait_for(lambda: 21 in listening_ports(), 10)
        for number in range(3):
            assert posture.descriptors(process.pid)[number] == ("null",)
        with Client() as client:
            client.reply(220)
            client.login("alice", "secret-alice")
    finally:
        process.terminate()
        assert process.wait(5) == 0


def test_inherited_descriptors_are_not_passed_on(ftpd, home, tmp_path):
    """What the caller left open must not end up in a session."""
    with open(tmp_path / "secret", "w+b") as secret:
        process = subprocess.Popen([PROGRAM, "-olocal_enable=YES"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   pass_fds=[secret.fileno()])
        try:
            assert procs.wait_for(lambda: 21 in listening_ports(), 10)
            with Client() as client:
                client.reply(220)
                client.login("alice", "secret-alice")
                pids = [process.pid] + [one.pid for one in procs.descendants(process.pid)]
                for pid in pids:
                    kinds = posture.descriptors(pid).values()
                    assert ("file", str(tmp_path / "secret")) not in kinds, procs.read(pid)
        finally:
            process.terminate()
            assert process.wait(5) == 0
