"""What the processes ask the kernel for, seen by strace: sockets, files, programs."""

import os
import re
from pathlib import Path

import pytest

import codes
import posture
from sessions import Session, gone
from tracing import Trace

CONTENT = bytes(range(256)) * 1000
SOCKET_CALLS = {"socket", "bind", "connect", "listen", "socketpair"}
NETWORK = "socket,socketpair,bind,connect,listen,accept,accept4"

# What a C library or an NSS module would read if it were asked to.
PLANTED = [
    "etc/localtime", "etc/nsswitch.conf", "etc/passwd", "etc/group", "etc/shadow", "etc/shells",
    "etc/ld.so.preload", "etc/ld.so.cache", "etc/resolv.conf", "etc/hosts", "etc/host.conf",
    "etc/services", "etc/gai.conf", "etc/locale.alias", "etc/ssl/openssl.cnf",
    "etc/security/limits.conf", "usr/share/zoneinfo/UTC", "usr/share/zoneinfo/localtime",
    "usr/lib/locale/locale-archive", "usr/lib/x86_64-linux-gnu/gconv/gconv-modules",
    "usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache", "lib/x86_64-linux-gnu/libnss_files.so.2",
    "lib/x86_64-linux-gnu/libnss_compat.so.2", "lib/x86_64-linux-gnu/libnss_systemd.so.2",
    "lib/x86_64-linux-gnu/libnss_dns.so.2", "lib/x86_64-linux-gnu/libgcc_s.so.1",
    "usr/lib/x86_64-linux-gnu/libnss_files.so.2", "lib/libnss_files.so.2", "dev/null", "dev/log",
    "dev/urandom", "proc/self/maps", "sys/devices/system/cpu/online", "run/nscd/socket",
]


def whole_session(client, home):
    """Every kind of work that a session knows."""
    home.dir("dir")
    for number in range(500):
        home.file(f"dir/file number {number}", b"x")
    home.file("f", CONTENT)
    os.utime(home / "f", (0, 0))
    for mode in ("pasv", "epsv", "port", "eprt"):
        assert client.retr("f", mode) == CONTENT
        assert client.retr("f", mode, rest=1000) == CONTENT[1000:]
        client.stor("new", CONTENT * 8, mode)
        client.stor("new", b"more", mode, verb="APPE")
        client.stor("new", b"in the middle", mode, rest=100)
        for argument in ("", "dir", "-la", "-laR", "*", "dir/file*", "-d dir"):
            client.list(argument, mode=mode)
            client.nlst(argument, mode=mode)
        client.refused("RETR missing", 550, mode=mode)
        client.refused("STOR missing/new", codes.STOR_REFUSED, mode=mode)
    client.cmd("STAT", 211)
    client.cmd("STAT dir", codes.STAT_DIRECTORY)
    client.cmd("STAT f", codes.STAT_FILE)
    for text in ("TYPE A", "TYPE I", "STRU F", "MODE S", "SYST", "HELP", "HELP RETR", "NOOP",
                 "FEAT", "OPTS UTF8 ON", "CLNT x", "ALLO 100", "SITE UMASK 022", "SITE HELP",
                 "PWD", "SIZE f", "MDTM f", "CWD dir", "CDUP", "CWD ~", "MKD d", "RMD d", "XMKD d",
                 "XRMD d", "SITE CHMOD 640 f", "RNFR f", "RNTO g", "DELE g", "ABOR"):
        reply = client.cmd(text)
        assert reply.code < 400, f"{text}: {reply!r}"
    client.in_step()


@pytest.fixture(params=["jailed", "free"])
def options(request):
    return {"chroot_local_user": "YES" if request.param == "jailed" else "NO",
            "connect_from_port_20": "YES", "idle_session_timeout": "30"}


def test_only_the_parent_makes_sockets(ftpd, home, tmp_path, options):
    daemon = ftpd(**options)
    with Trace(daemon.pid, tmp_path, NETWORK) as trace:
        session = Session(daemon)
        greeter = session.child
        session.login()
        service = session.child
        whole_session(session.client, home)
        session.client.cmd("QUIT", 221)
        assert not gone([session.parent])
        trace.stop()
    assert trace.names(greeter) == set()
    assert trace.names(service) == {"accept4"}
    assert {"socket", "bind", "listen", "connect"} <= trace.names(session.parent)
    assert "accept4" not in trace.names(session.parent)
    assert trace.names(daemon.pid) == {"accept4"}


def targets(trace, pid, call):
    """The addresses that a process gave to bind or connect, as (address, port)."""
    found = set()
    for name, rest in trace.of(pid):
        match = re.search(r'sin_port=htons\((\d+)\), sin_addr=inet_addr\("([0-9.]+)"\)', rest)
        if name == call and match:
            found.add((match.group(2), int(match.group(1))))
    return found


def test_parent_connects_to_nobody_but_the_client(ftpd, home, tmp_path):
    home.file("f", CONTENT)
    daemon = ftpd(connect_from_port_20="YES")
    with Trace(daemon.pid, tmp_path, NETWORK) as trace:
        session = Session(daemon).login()
        client = session.client
        for argument in ("127,0,0,2,100,1", "10,0,0,1,100,1", "127,0,0,1,0,21", "127,0,0,1,0,80"):
            assert client.cmd(f"PORT {argument}").code >= 500
            client.cmd("RETR f", 425)
        listener = client.listen_data()
        address = listener.getsockname()
        client.cmd(f"PORT 127,0,0,1,{address[1] // 256},{address[1] % 256}", 200)
        client.cmd("RETR f", 150)
        with client.accept_data(listener) as sock:
            assert sock.getpeername() == ("127.0.0.1", 20)
        trace.stop()
    assert targets(trace, session.parent, "connect") == {address}
    assert targets(trace, session.parent, "bind") == {("127.0.0.1", 20)}


def test_every_process_is_filtered_all_the_time(ftpd, home, options):
    session = Session(ftpd(**options))
    ours = posture.filters(os.getpid())
    for pid in (session.daemon.pid, session.parent, session.child):
        assert posture.filters(pid) > ours
    session.login()
    for pid in session.pids:
        assert posture.filters(pid) == ours + 2


def test_no_call_of_a_whole_session_is_refused_by_a_filter(ftpd, home, tmp_path, options):
    """Neither ENOSYS nor death: the filters know what is needed, and the audit log is quiet.

    EACCES is what socket(2) would get; nobody asks for one.
    """
    daemon = ftpd(**options)
    with Trace(daemon.pid, tmp_path, "all") as trace:
        session = Session(daemon)
        greeter = session.child
        session.client.cmds(("USER alice", 331), ("PASS wrong", 530))
        session.login()
        service = session.child
        whole_session(session.client, home)
        session.client.cmd("QUIT", 221)
        assert not gone([session.parent])
        trace.stop()
    for pid in (daemon.pid, session.parent, greeter, service):
        calls = trace.of(pid)
        assert len(calls) > 10
        refused = {name for name, rest in calls if " ENOSYS " in rest}
        assert not refused, f"process {pid} of {daemon.pid, session.parent, greeter, service}"


def test_greeter_opens_nothing(ftpd, tmp_path):
    daemon = ftpd()
    with Trace(daemon.pid, tmp_path, "file") as trace:
        session = Session(daemon)
        greeter = session.child
        for line in ("USER alice", "PASS wrong", "STAT", "FEAT", "HELP", "SYST", "NOOP", "PWD"):
            session.client.cmd(line)
        session.client.cmd("QUIT", 221)
        assert not gone([session.parent])
        trace.stop()
    assert [name for name, _ in trace.of(greeter) if name not in ("chdir", "chroot")] == []


@pytest.fixture
def plants(home):
    """A home that the user can write, with all that a library may look for."""
    home.path.chmod(0o777)
    for name in PLANTED:
        home.dir(os.path.dirname(name))
        home.file(name, Path("/etc/localtime").read_bytes() if "localtime" in name else b"planted")
    return home


def test_nothing_planted_in_the_root_is_opened(ftpd, plants, tmp_path):
    daemon = ftpd(chroot_local_user="YES", connect_from_port_20="YES")
    with Trace(daemon.pid, tmp_path, "file") as trace:
        session = Session(daemon).login()
        service = session.child
        assert posture.root(service) == "/home/alice"
        whole_session(session.client, plants)
        before = trace.of(service)
        # the trace does see what the client itself asks for
        assert session.client.retr("/etc/passwd") == b"planted"
        session.client.cmd("SIZE /lib/libnss_files.so.2", 213)
        session.client.cmd("QUIT", 221)
        assert not gone([session.parent])
        trace.stop()
    assert len(before) > 100
    for name, rest in before:
        for planted in PLANTED:
            assert f'/{planted}"' not in rest and f'"{planted}"' not in rest, f"{name}({rest}"
        assert not re.search(r'"/(etc|usr|lib|lib64|dev|proc|sys|run|var)(/|")', rest), (name, rest)
    last = [rest for _, rest in trace.of(service)[len(before):]]
    assert any('"/etc/passwd"' in rest for rest in last)
    assert any('"/lib/libnss_files.so.2"' in rest for rest in last)


def test_nothing_is_executed_or_mapped_executable(ftpd, plants, tmp_path):
    daemon = ftpd(chroot_local_user="YES")
    calls = "execve,execveat,mmap,mprotect,clone,clone3,fork,vfork"
    with Trace(daemon.pid, tmp_path, calls) as trace:
        session = Session(daemon).login()
        service = session.child
        whole_session(session.client, plants)
        session.client.cmd("QUIT", 221)
        assert not gone([session.parent])
        trace.stop()
    assert trace.names(daemon.pid) & {"clone", "clone3"}
    for pid in (daemon.pid, session.parent, service):
        for name, rest in trace.of(pid):
            assert not name.startswith("execve")
            assert "PROT_EXEC" not in rest, (name, rest)
    assert not trace.names(service) & {"clone", "clone3", "fork", "vfork"}
