"""The session of one client whom inetd, or systemd with Accept=yes, has put on standard input."""

import os
import signal
import socket
import subprocess

import pytest

import posture
import procs
from accounts import ALL
from ftpd import BASE, PROGRAM
from ftpraw import Client, receive_all
from sessions import gone
from starters import Inetd, high, passing, syslog

OPTIONS = ("listen", "max_clients", "max_per_ip")

CONTENT = bytes(range(256)) * 4000
REFUSAL = b"421 Service not available.\r\n"


@pytest.fixture
def inetd(tmp_path):
    """A function that starts an inetd."""
    started = []

    def start(*arguments, host="127.0.0.1", **options):
        directory = tmp_path / f"inetd{len(started)}"
        directory.mkdir()
        started.append(Inetd(directory, host=host, arguments=arguments, **options))
        return started[-1]

    yield start
    problems = [problem for one in started for problem in one.close()]
    assert not problems, "\n".join(problems)


def login(client, name="alice"):
    client.reply(220)
    client.login(name, ALL[name].password)
    return client


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_session(inetd, home, host):
    home.file("f", CONTENT)
    client = login(inetd(host=host, connect_from_port_20="YES").connect())
    for mode in ("epsv", "eprt") if ":" in host else ("pasv", "epsv", "port", "eprt"):
        assert client.retr("f", mode) == CONTENT
        client.stor("g", CONTENT, mode)
        assert client.names(mode=mode) == ["f", "g"]
    client.cmd("QUIT", 221)
    client.wait_closed()


def test_session_is_logged(inetd, home):
    server = inetd()
    login(server.connect())
    lines = server.log.splitlines()
    assert [line.split("] ", 1)[1] for line in lines] == [
        'CONNECT: Client "127.0.0.1"', '[alice] OK LOGIN: Client "127.0.0.1"']
    assert f"[pid {server.processes[0].pid}]" in lines[0]


def test_failed_logins_end_the_session_as_ever(inetd):
    client = inetd(max_login_fails="1").connect()
    client.reply(220)
    client.cmds(("USER alice", 331), ("PASS wrong", 530))
    client.wait_closed()


def test_process_is_the_session_parent(inetd, home):
    """The process that inetd has started is N, with the rights of N, and holds no other client."""
    server = inetd()
    client = server.connect()
    client.reply(220)
    parent = server.processes[0].pid
    assert len(procs.forks(parent)) == 1
    needed = {"SETUID", "SETGID", "SYS_CHROOT", "KILL", "SETPCAP"}
    assert needed <= posture.capabilities(parent, "Prm") < posture.capabilities(os.getpid(), "Prm")
    client.login("alice", "secret-alice")
    nobody = [ALL["nobody"].uid] * 4
    assert procs.wait_for(lambda: posture.ids(parent, "Uid") == nobody
                          and posture.filters(parent) >= posture.filters(os.getpid()) + 2)
    (service,) = procs.forks(parent)
    assert posture.ids(service.pid, "Uid") == [ALL["alice"].uid] * 4
    for pid in (parent, service.pid):
        table = posture.descriptors(pid)
        assert [table[number] for number in range(3)] == [("null",)] * 3
        sockets = sorted(kind[0] for kind in table.values() if kind[0] in ("tcp", "listen"))
        assert sockets == ([] if pid == parent else ["tcp"])


@pytest.mark.parametrize("kind", ["parent", "child"])
def test_killed_process_takes_its_session_along(inetd, home, kind):
    server = inetd()
    client = login(server.connect())
    parent = server.processes[0].pid
    (service,) = procs.forks(parent)
    os.kill(parent if kind == "parent" else service.pid, signal.SIGKILL)
    assert server.processes[0].wait(5) in (0, -signal.SIGKILL)
    assert not gone([service.pid])
    client.sock.close()


def test_limits_on_clients_do_not_count(ftpd, inetd):
    """Who starts the process for each client counts them; a listener would refuse the second one."""
    limits = {"max_clients": "1", "max_per_ip": "1"}
    daemon = ftpd(listen_port="2121", **limits)
    daemon.connect()
    daemon.connect(greeting=421)
    server = inetd(**limits)
    clients = [server.connect() for _ in range(3)]
    for client in clients:
        client.reply(220)
        client.in_step()


def test_background_and_pid_file_do_not_count(inetd, tmp_path):
    path = tmp_path / "pid"
    server = inetd(background="YES", pid_file=str(path))
    client = server.connect()
    client.reply(220)
    assert server.processes[0].poll() is None
    assert not path.exists()


def test_client_that_is_gone_before_the_start(inetd):
    server = inetd()
    sock = socket.create_connection(server.address)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()
    assert server.accept().wait(5) == 0
    assert server.log == ""


def test_sigusr1_ends_the_session_after_its_transfer(inetd, home):
    home.sparse("big", 64 << 20)
    server = inetd()
    client = login(server.connect())
    sock = client.begin("RETR big")
    server.processes[0].send_signal(signal.SIGUSR1)
    assert len(receive_all(sock)) == 64 << 20
    client.reply(226)
    client.reply(421)
    client.wait_closed()
    assert server.processes[0].wait(5) == 0


# What goes wrong is for the log; the client gets a reply.

@pytest.mark.parametrize("arguments, options, reason", [
    ((), {"no_such_option": "YES"}, "no_such_option"),
    ((), {"idle_session_timeout": "soon"}, "idle_session_timeout"),
    ((), {"nopriv_user": "nosuchuser"}, "nopriv_user"),
    ((), {"secure_chroot_dir": "/etc/passwd"}, "secure_chroot_dir"),
    ((), {"listen": "YES"}, "listen=YES"),
    ((), {"listen_ipv6": "YES"}, "listen_ipv6=YES"),
    (("/nonexistent/conf",), {}, "/nonexistent/conf"),
    (("--nonsense",), {}, "--nonsense"),
])
def test_fault_is_421_for_the_client_and_a_reason_in_syslog(inetd, arguments, options, reason):
    with syslog() as messages:
        server = inetd(*arguments, **options)
        client = server.connect()
        code = server.processes.pop().wait(5)
        assert receive_all(client.sock) == REFUSAL
        assert code in (1, 2)
        assert reason in messages()


def test_messages_go_to_syslog_and_not_to_the_client(inetd):
    """A warning at the start, which would be on stderr at a terminal."""
    with syslog() as messages:
        server = inetd(seccomp_sandbox="NO")
        client = server.connect()
        client.reply(220)
        client.in_step()
        assert "seccomp_sandbox=NO" in messages()


@pytest.mark.parametrize("kind", ["null", "file", "pipe", "unix", "udp", "listening"])
def test_no_client_on_standard_input(tmp_path, kind):
    """A daemon that was to listen, but is not configured to: the terminal tells what to set."""
    conf = tmp_path / "conf"
    conf.write_text("".join(f"{name}={value}\n" for name, value in {**BASE, "listen": "NO"}.items()))
    ends = []
    if kind == "pipe":
        ends = [os.fdopen(number, "rb" if number % 2 else "wb", 0) for number in os.pipe()]
    elif kind == "unix":
        ends = list(socket.socketpair())
    elif kind == "udp":
        ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
    elif kind == "listening":
        ends = [socket.create_server(("127.0.0.1", 0))]
    else:
        ends = [open("/dev/null" if kind == "null" else conf, "rb")]
    result = subprocess.run([PROGRAM, str(conf)], stdin=ends[0], capture_output=True, text=True,
                            timeout=10)
    for end in ends:
        end.close()
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert "listen=YES" in line and "inetd" in line


# systemd with Accept=yes, which passes the client by number and may do without standard input.

@pytest.mark.parametrize("standard", [False, True])
def test_client_passed_by_number(inetd, home, tmp_path, standard):
    """Whatever listen says: the unit of the socket has the last word."""
    home.file("f", CONTENT)
    server = inetd(listen="YES")
    client = Client(*server.address)
    server.clients.append(client)
    sock, _ = server.listener.accept()
    sock = high(sock)
    command, popen = passing([sock])
    stdin = sock if standard else subprocess.DEVNULL
    errors = tmp_path / "stderr"
    with sock, open(errors, "wb") as output:
        process = subprocess.Popen([*command, PROGRAM, str(server.conf_path)], stdin=stdin,
                                   stdout=stdin, stderr=output, cwd="/", **popen)
    server.processes.append(process)
    assert login(client).retr("f") == CONTENT
    assert errors.read_text() == ""
    client.cmd("QUIT", 221)
    client.wait_closed()
