"""How many system calls things take. Unlike times, they are the same on every machine.

strace gets one file per process. Between two operations the client sends a command that does not
exist, so what belongs to one can be told from what belongs to the next.
"""

import collections
import pathlib
import random
import re
import shlex

import pytest

import ftpd as harness
from nameserver import file_replaced

MIB = 1 << 20
BIG = 16 * MIB
CONTENT = random.Random(53).randbytes(BIG)

# The most system calls of the service process, its waits included; in comments what was measured.
NOOP_MAX = 2  # 2
HUNDRED_NOOPS_MAX = 10  # 3
CWD_MAX = 6  # 5
SMALL_RETR_MAX = 16  # 15 or, without a jail on tmpfs, 16, with its EPSV, which finds the listener
SMALL_STOR_MAX = 23  # 22, with its EPSV
BIG_RETR_MAX = 400  # 33 to 37; 28 to 34 in active mode
BIG_STOR_MAX = 800  # 78 to 81
LIST_ENTRIES = 2000
LIST_MAX = LIST_ENTRIES + 35  # 2027
# All processes together, from accept to the reply 230.
ANONYMOUS_LOGIN_MAX = 224  # 216: L 7, N 96, P 57, S 56
LOCAL_LOGIN_MAX = 285  # 275: L 7, N 105, P 57, S 55, the process that checks the password 51
# KiB that N and S, idle after a login, share with nobody: what they have written to.
IDLE_MEMORY_MAX = 96  # 68 to 84, as the addresses fall

# Every call that brings bytes to a place where the program could touch them.
COPYING = ("read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64",
           "pwritev", "pwritev2", "sendto", "sendmsg", "recvfrom", "recvmsg")

Call = collections.namedtuple("Call", "name result line")


class Trace:
    """System calls in order."""

    def __init__(self, calls):
        self.calls = calls

    @classmethod
    def of(cls, path):
        """Those of one file of strace. Lines that begin otherwise are signals and ends."""
        calls = []
        for line in path.read_text(errors="replace").splitlines():
            match = re.match(r"(\w+)\(", line)
            if match:
                result = re.search(r"\) += (-?\d+)", line)
                calls.append(Call(match.group(1), int(result.group(1)) if result else 0, line))
        return cls(calls)

    def __len__(self):
        return len(self.calls)

    def __str__(self):
        return "\n".join(call.line[:160] for call in self.calls)

    def part(self, begin, end):
        """From the call number `begin` to the one before `end`."""
        return Trace(self.calls[begin:end])

    def find(self, *words, start=0):
        """The number of the first call from `start` on whose line has all of `words`."""
        for number, call in enumerate(self.calls[start:], start):
            if all(word in call.line for word in words):
                return number
        raise AssertionError(f"no call with {words} in:\n{self}")

    def operation(self, number):
        """What was done between the marks `number` and `number` + 1."""
        begin = self.find("sendto(", '"500 ', start=self.find("recvfrom(", f'"MARK{number}\\r'))
        end = self.find("recvfrom(", f'"MARK{number + 1}\\r')
        return self.part(begin + 1, end).busy()

    def busy(self):
        """Without the waits for a command that did not follow at once: not our doing."""
        waits = set()
        for number, call in enumerate(self.calls):
            if re.search(r"^recvfrom\(.* 0, NULL, NULL\) += -1 EAGAIN", call.line):
                waits |= {number, number + 1}  # then comes ppoll
        return Trace([call for number, call in enumerate(self.calls) if number not in waits])

    def count(self, *names):
        """How many calls have one of these names."""
        return sum(call.name in names for call in self.calls)

    def bytes(self, *names):
        """How many bytes went through these calls."""
        return sum(call.result for call in self.calls if call.name in names and call.result > 0)


class Traced:
    """Stands between a test and the daemon, and reads what strace wrote of each process."""

    def __init__(self, directory):
        self.directory = directory
        self.client = self.daemon = self.service = None
        self.marks = 0
        # -D: the daemon keeps its place as our child. Tracing begins before there is any filter.
        command = ["strace", "-D", "-f", "-ff", "-s", "80", "-o", str(directory / "trace"),
                   harness.PROGRAM]
        self.program = directory / "miniftpd"
        self.program.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        self.program.chmod(0o755)

    def login(self, daemon):
        """Begin the session that is looked at."""
        self.daemon = daemon
        self.client = daemon.login("alice")
        self.service = daemon.only_session()[1].pid
        return self.client

    def mark(self):
        """The end of one operation and the begin of the next."""
        self.client.cmd(f"MARK{self.marks}", 500)
        self.marks += 1

    def operation(self):
        """End the session; the calls of the service process between the two marks."""
        self.client.cmd("QUIT", 221)
        assert not self.daemon.wait_no_sessions()
        return Trace.of(self.directory / f"trace.{self.service}").operation(0)


@pytest.fixture
def traced(tmp_path, monkeypatch):
    """Daemons that are started from now on run under strace."""
    traced = Traced(tmp_path)
    monkeypatch.setattr(harness, "PROGRAM", str(traced.program))
    return traced


@pytest.fixture
def session(traced, ftpd, home):
    """A session under strace, with a transfer behind it."""
    home.file("small", CONTENT[:1024])
    home.file("big", CONTENT)
    client = traced.login(ftpd())
    assert client.retr("small", "epsv") == CONTENT[:1024]
    traced.mark()
    return traced


def check(trace, limit, what):
    """Assert that there are not more calls than `limit`."""
    assert len(trace) <= limit, f"{what}: {len(trace)} system calls, at most {limit}:\n{trace}"


def test_noop(session):
    session.client.cmd("NOOP", 200)
    session.mark()
    check(session.operation(), NOOP_MAX, "NOOP")


def test_a_hundred_noops_at_once(session):
    session.client.send("NOOP\r\n" * 100)
    for _ in range(100):
        session.client.reply(200)
    session.mark()
    check(session.operation(), HUNDRED_NOOPS_MAX, "100 NOOPs in one write")


def test_cwd(session):
    session.client.cmd("CWD ..", 250)
    session.mark()
    check(session.operation(), CWD_MAX, "CWD")


def test_small_download(session):
    assert session.client.retr("small", "epsv") == CONTENT[:1024]
    session.mark()
    trace = session.operation()
    check(trace, SMALL_RETR_MAX, "EPSV and RETR of 1 KiB")
    assert trace.bytes("sendfile") == 1024


def test_small_upload(session):
    session.client.stor("new", CONTENT[:1024], "epsv")
    session.mark()
    check(session.operation(), SMALL_STOR_MAX, "EPSV and STOR of 1 KiB")


def test_a_small_upload_that_is_there_needs_no_wait_and_one_packet(session):
    client = session.client
    with client.epsv()() as data:
        data.sendall(CONTENT[:1024])
    client.cmd("STOR new", 150)
    client.reply(226)
    session.mark()
    trace = session.operation()
    begin = trace.find("recvfrom(", '"STOR ')
    upload = trace.part(begin, len(trace))
    assert upload.count("ppoll") == 0, str(upload)
    assert upload.count("sendto") == 1, str(upload)


@pytest.mark.parametrize("mode", ["epsv", "port"])
def test_large_download_is_sendfile_alone(session, mode):
    assert session.client.retr("big", mode) == CONTENT
    session.mark()
    trace = session.operation()
    check(trace, BIG_RETR_MAX, f"RETR of {BIG} bytes")
    assert trace.bytes("sendfile") == BIG, str(trace)
    assert trace.bytes(*COPYING) < 4096, str(trace)  # replies and requests
    assert trace.count("mmap", "lseek", "clone", "alarm", "setitimer") == 0, str(trace)
    assert trace.count("fcntl") == 1, str(trace)  # lock_upload_files


@pytest.mark.parametrize("mode", ["epsv", "port"])
def test_large_upload_is_splice(session, mode):
    session.client.stor("new", CONTENT, mode)
    session.mark()
    trace = session.operation()
    check(trace, BIG_STOR_MAX, f"STOR of {BIG} bytes")
    copied = trace.bytes("write")
    assert copied <= 128 * 1024, f"{copied} bytes were copied:\n{trace}"  # the first piece is
    assert trace.bytes("splice") == 2 * (BIG - copied), str(trace)
    assert trace.bytes(*COPYING) - 2 * copied < 4096, str(trace)
    assert trace.count("mmap", "lseek", "clone", "alarm", "setitimer") == 0, str(trace)


def test_listing(session, home):
    home.dir("many")
    for number in range(LIST_ENTRIES):
        home.file(f"many/file {number}")
    session.client.names("many", "epsv")
    session.mark()
    check(session.operation(), LIST_MAX, f"LIST of {LIST_ENTRIES} files")


def login_calls(traced, daemon):
    """The calls of all processes from accept to the 230 of the only session, by role."""
    parent, service = (process.pid for process in daemon.only_session())
    daemon.close_clients()
    assert not daemon.wait_no_sessions()
    calls = {path: Trace.of(path) for path in traced.directory.glob("trace.*")}
    listener = calls.pop(traced.directory / f"trace.{daemon.pid}")
    begin = listener.find("accept4(")
    roles = {"L": listener.part(begin, listener.find("ppoll(", start=begin + 1))}
    found = calls.pop(traced.directory / f"trace.{service}")
    roles["S"] = found.part(0, found.find("sendto(", '"230 ') + 1)
    found = calls.pop(traced.directory / f"trace.{parent}")
    roles["N"] = found.part(0, found.find("recvmsg(", start=found.find("setresuid(0, 0, 0)")))
    for path, found in calls.items():  # the greeter, and the one that checks a password
        if int(path.suffix[1:]) > parent:  # others came and went while the listener started
            roles[path.suffix] = found
    return roles


@pytest.mark.parametrize("user, limit", [("anonymous", ANONYMOUS_LOGIN_MAX),
                                         ("alice", LOCAL_LOGIN_MAX)])
def test_login(traced, ftpd, home, user, limit):
    daemon = ftpd()
    if user == "anonymous":
        daemon.anonymous()
    else:
        daemon.login(user)
    roles = login_calls(traced, daemon)
    total = sum(map(len, roles.values()))
    sizes = {role: len(found) for role, found in roles.items()}
    assert total <= limit, f"a login took {total} system calls, at most {limit}: {sizes}"


def test_no_process_that_lives_on_maps_name_services(ftpd, tmp_path):
    """Each mapping is copied by each fork; who looks names up takes the libraries along."""
    nsswitch = pathlib.Path("/etc/nsswitch.conf").read_text()
    for database in "passwd", "group":  # by a library that is there wherever the C library is
        nsswitch = nsswitch.replace(f"{database}: files", f"{database}: compat")
    assert nsswitch.count("compat") == 2
    with file_replaced("/etc/nsswitch.conf", nsswitch, tmp_path):
        daemon = ftpd(chown_uploads="YES", guest_enable="YES", guest_username="bob")
        daemon.login("alice")
        daemon.anonymous()
        pids = [daemon.pid] + [process.pid for pair in daemon.sessions() for process in pair]
        maps = [pathlib.Path(f"/proc/{pid}/maps").read_text() for pid in pids]
    assert len(pids) == 5
    assert not [pid for pid, text in zip(pids, maps) if "libnss" in text]


def private_kib(pid):
    """What a process shares with no other one."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Private_Dirty: +(\d+) kB$", text, re.M).group(1))


@pytest.mark.parametrize("user", ["anonymous", "alice"])
def test_memory_of_an_idle_session(ftpd, home, user):
    daemon = ftpd()
    clients = [daemon.anonymous() if user == "anonymous" else daemon.login(user) for _ in range(3)]
    for client in clients:  # whoever answers is ready
        client.cmd("NOOP", 200)
    for parent, service in daemon.sessions():
        kib = private_kib(parent.pid), private_kib(service.pid)
        assert sum(kib) <= IDLE_MEMORY_MAX, f"N and S: {kib} KiB"
