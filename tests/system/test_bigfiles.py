"""Large, sparse, empty and changing files; full disks; the same under valgrind."""

import functools
import hashlib
import os
import random
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

import ftpd as harness
import procs
from clients import FAMILY_OPTIONS, HOSTS
from ftpraw import Deadline, receive_exactly

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
BIG = GIB + 12_345
SPARSE = 5 * GIB + 777
SLOW_LIMIT_SEC = 120  # for tests that move gigabytes; they take some seconds
DATA_DEADLINE_SEC = 60

BLOCK = random.Random(47).randbytes(4 * MIB)

# What is written into the sparse file, all around the limits of 32 bits.
MARKERS = {0: b"the beginning", 2 * GIB - 6: b"two gigabytes", 4 * GIB - 6: b"four gigabytes",
           SPARSE - 7: b"the end"}


@pytest.fixture(autouse=True)
def slow_limit(time_limit):
    """More time than other tests have."""
    signal.alarm(SLOW_LIMIT_SEC)


def blocks(size):
    """Content of `size` bytes that does not compress; every block begins with its own number."""
    for number in range(0, size, len(BLOCK)):
        part = number.to_bytes(8, "big") + BLOCK[8:]
        yield memoryview(part)[:size - number]


@functools.cache
def digest_of(size):
    """SHA-256 of that content."""
    digest = hashlib.sha256()
    for part in blocks(size):
        digest.update(part)
    return digest.hexdigest()


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def chunks(sock):
    """What comes from `sock` until its orderly end; closes it."""
    deadline = Deadline(DATA_DEADLINE_SEC)
    buffer = bytearray(MIB)
    with sock:
        while True:
            deadline.arm(sock)
            size = sock.recv_into(buffer)
            if size == 0:
                return
            yield memoryview(buffer)[:size]


def upload(client, name, size, mode):
    """STOR the content of `size` bytes."""
    with client.begin(f"STOR {name}", mode) as sock:
        sock.settimeout(DATA_DEADLINE_SEC)
        for part in blocks(size):
            sock.sendall(part)
    client.reply(226, seconds=DATA_DEADLINE_SEC)


def download(client, name, mode):
    """RETR; the hash of what came."""
    digest = hashlib.sha256()
    for chunk in chunks(client.begin(f"RETR {name}", mode)):
        digest.update(chunk)
    client.reply(226)
    return digest.hexdigest()


def push(sock, content):
    """Send until all is sent or the other side does not want more."""
    sock.settimeout(DATA_DEADLINE_SEC)
    try:
        sock.sendall(content)
    except (BrokenPipeError, ConnectionResetError):
        pass
    sock.close()


@pytest.fixture
def sparse(home):
    """A file of more than 4 GiB that takes a few pages."""
    path = home.sparse("sparse", SPARSE)
    with open(path, "r+b") as file:
        for offset, text in MARKERS.items():
            file.seek(offset)
            file.write(text)
    return path


# One gigabyte.

@pytest.mark.parametrize("mode", ["pasv", "eprt"])
def test_one_gigabyte_goes_up_and_down(alice, home, mode):
    upload(alice, "big", BIG, mode)
    assert sha256(home / "big") == digest_of(BIG)
    assert download(alice, "big", mode) == digest_of(BIG)
    alice.in_step()
    (home / "big").unlink()


def test_one_gigabyte_over_ipv6(ftpd, home):
    client = ftpd(**FAMILY_OPTIONS["ipv6"]).login("alice", HOSTS["ipv6"])
    upload(client, "big", BIG, "eprt")
    assert sha256(home / "big") == digest_of(BIG)
    assert download(client, "big", "epsv") == digest_of(BIG)
    (home / "big").unlink()


def test_append_resumes_a_large_upload(alice, home):
    half = 512 * MIB
    upload(alice, "big", half, "pasv")
    with alice.begin("APPE big") as sock:
        sock.settimeout(DATA_DEADLINE_SEC)
        for part in blocks(BIG):
            if int.from_bytes(part[:8], "big") >= half:
                sock.sendall(part)
    alice.reply(226, seconds=DATA_DEADLINE_SEC)
    assert sha256(home / "big") == digest_of(BIG)
    (home / "big").unlink()


# More than 32 bits.

def test_size_beyond_4_gib(alice, sparse):
    alice.cmd("TYPE I", 200)
    assert alice.cmd("SIZE sparse", 213).text == str(SPARSE)


def test_listing_beyond_4_gib(alice, sparse):
    assert any(f" {SPARSE} " in line and line.endswith(" sparse") for line in alice.list())


@pytest.mark.parametrize("offset", [*MARKERS, 4 * GIB - 1, 4 * GIB, 4 * GIB + 1, SPARSE])
@pytest.mark.parametrize("mode", ["epsv", "port"])
def test_retr_from_a_far_offset(alice, sparse, offset, mode):
    length = min(1000, SPARSE - offset)
    with alice.begin("RETR sparse", mode, rest=offset) as sock:
        found = receive_exactly(sock, length)
    alice.reply(226, 426, seconds=DATA_DEADLINE_SEC)
    with open(sparse, "rb") as file:
        file.seek(offset)
        assert found == file.read(length)
    alice.in_step()


def test_the_tail_ends_where_the_file_ends(alice, sparse):
    assert alice.retr("sparse", rest=SPARSE - 7) == MARKERS[SPARSE - 7]
    assert alice.retr("sparse", rest=SPARSE) == b""
    alice.refused("RETR sparse", 501, 550, 554, rest=SPARSE + 1)


def test_the_whole_sparse_file_comes(alice, sparse, tmp_path):
    position = written = 0
    zeros = bytes(MIB)
    with open(tmp_path / "copy", "w+b") as copy:
        for chunk in chunks(alice.begin("RETR sparse")):
            data = bytes(chunk)
            if not zeros.startswith(data):
                os.pwrite(copy.fileno(), data, position)
                written += len(data) - data.count(0)
            position += len(data)
        alice.reply(226)
        assert position == SPARSE
        assert written == sum(map(len, MARKERS.values()))
        for offset, text in MARKERS.items():
            assert os.pread(copy.fileno(), len(text), offset) == text


def test_stor_beyond_4_gib(alice, sparse):
    offset = 4 * GIB + 5
    content = BLOCK[:300_001]
    alice.stor("sparse", content, rest=offset)
    with open(sparse, "rb") as file:
        for position, text in [*MARKERS.items()][:2]:
            file.seek(position)
            assert file.read(len(text)) == text
        file.seek(offset)
        assert file.read(len(content)) == content
    alice.stor("sparse", content, rest=sparse.stat().st_size)
    with open(sparse, "rb") as file:
        file.seek(-len(content), os.SEEK_END)
        assert file.read() == content


def test_appe_beyond_4_gib(alice, sparse):
    content = BLOCK[:300_001]
    alice.stor("sparse", content, verb="APPE")
    assert sparse.stat().st_size == SPARSE + len(content)
    assert alice.retr("sparse", rest=SPARSE) == content


# Nothing.

@pytest.mark.parametrize("mode", ["pasv", "epsv", "port", "eprt"])
def test_empty_files(alice, home, mode):
    home.file("here")
    assert alice.retr("here", mode) == b""
    alice.stor("there", b"", mode)
    assert (home / "there").read_bytes() == b""
    alice.stor("there", b"", mode, verb="APPE")
    assert alice.retr("there", mode, rest=0) == b""
    assert alice.cmd("SIZE there", 213).text == "0"
    alice.in_step()


def test_an_empty_upload_empties_a_file(alice, home):
    home.file("f", b"a former content")
    alice.stor("f", b"")
    assert (home / "f").read_bytes() == b""


# Files that change while they are sent.

@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_a_file_that_shrinks_is_no_success(alice, home, mode):
    path = home.file("f", BLOCK * 16)
    with alice.begin("RETR f", mode) as sock:
        assert receive_exactly(sock, 100_000) == BLOCK[:100_000]
        os.truncate(path, 200_000)
        while True:  # the connection must not end as it does behind a complete file
            try:
                Deadline().arm(sock)
                if not sock.recv(MIB):
                    break
            except ConnectionResetError:
                break
    alice.reply(451)
    alice.in_step()
    assert alice.retr("f") == BLOCK[:200_000]


@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_a_file_that_grows_is_sent_as_it_was_or_is(alice, home, mode):
    path = home.file("f", BLOCK * 8)
    received = bytearray()
    sock = alice.begin("RETR f", mode)
    received += receive_exactly(sock, 100_000)
    with open(path, "ab") as file:
        file.write(BLOCK)
    for chunk in chunks(sock):
        received += chunk
    alice.reply(226)
    assert len(received) >= 8 * len(BLOCK)
    assert received == (BLOCK * 9)[:len(received)]


def test_a_file_that_is_removed_while_it_is_sent_comes_whole(alice, home):
    path = home.file("f", BLOCK * 8)
    received = bytearray()
    sock = alice.begin("RETR f")
    received += receive_exactly(sock, 100_000)
    path.unlink()
    for chunk in chunks(sock):
        received += chunk
    alice.reply(226)
    assert received == BLOCK * 8


# File systems.

def mount(path, kind, *options):
    subprocess.run(["mount", "-t", kind, *options, kind, str(path)], check=True)


@pytest.fixture
def small_disk(home):
    """A file system of 1 MiB in alice's home."""
    path = home.dir("disk")
    mount(path, "tmpfs", "-o", f"size=1m,mode=755,uid={home.account.uid},gid={home.account.gid}")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


@pytest.mark.parametrize("mode", ["pasv", "eprt"])
@pytest.mark.parametrize("verb", ["STOR", "APPE"])
def test_full_disk(alice, small_disk, mode, verb):
    push(alice.begin(f"{verb} disk/f", mode), BLOCK)
    alice.reply(452)
    alice.in_step()
    part = (small_disk / "f").read_bytes()
    assert len(part) == MIB
    assert part == BLOCK[:len(part)]
    alice.cmd("DELE disk/f", 250)
    alice.stor("disk/f", BLOCK[:MIB], mode, verb=verb)
    assert (small_disk / "f").read_bytes() == BLOCK[:MIB]


def test_resume_after_a_full_disk(alice, small_disk):
    push(alice.begin("STOR disk/f"), BLOCK)
    alice.reply(452)
    size = int(alice.cmd("SIZE disk/f", 213).text)
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    alice.stor("disk/f", BLOCK[size:], rest=size)
    assert (small_disk / "f").read_bytes() == BLOCK


@pytest.fixture(params=["tmpfs", "ramfs", "overlay"])
def other_disk(request, home, tmp_path):
    """A directory in alice's home on another file system."""
    path = home.dir("disk")
    if request.param == "overlay":
        layers = [tmp_path / name for name in ("lower", "upper", "work")]
        for layer in layers:
            layer.mkdir()
        mount(path, "overlay", "-o", "lowerdir={},upperdir={},workdir={}".format(*layers))
    else:
        mount(path, request.param)
    home.own(path)
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


@pytest.mark.parametrize("jail", ["NO", "YES"])
def test_other_file_systems(ftpd, home, other_disk, jail):
    client = ftpd(chroot_local_user=jail).login("alice")
    size = 20 * MIB + 1
    upload(client, "disk/f", size, "pasv")
    assert sha256(other_disk / "f") == digest_of(size)
    assert download(client, "disk/f", "eprt") == digest_of(size)
    client.stor("disk/f", BLOCK, verb="APPE")
    assert (other_disk / "f").stat().st_size == size + len(BLOCK)
    assert client.retr("disk/f", rest=size) == BLOCK
    client.stor("disk/f", BLOCK[::-1], rest=1000)
    assert client.retr("disk/f", rest=900)[:200] == BLOCK[900:1000] + BLOCK[::-1][:100]
    client.cmds(("RNFR disk/f", 350), ("RNTO disk/g", 250), ("DELE disk/g", 250))
    client.in_step()


# Under valgrind.

VALGRIND = ["valgrind", "--vgdb=no", "--error-exitcode=99", "--leak-check=full",
            "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"]

# What the daemon needs and valgrind 3.19 cannot do: lower the hard limit of open files (EPERM), and
# pidfd_open (ENOSYS). This one waits for the process, so the descriptor may be readable at once.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    int (*real)(__rlimit_resource_t, const struct rlimit *) = dlsym(RTLD_NEXT, "setrlimit");

    return resource == RLIMIT_NOFILE ? 0 : real(resource, limit);
}

int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
    int (*real)(__rlimit_resource_t, const struct rlimit64 *) = dlsym(RTLD_NEXT, "setrlimit64");

    return resource == RLIMIT_NOFILE ? 0 : real(resource, limit);
}

long syscall(long number, ...)
{
    long (*real)(long, ...) = dlsym(RTLD_NEXT, "syscall");
    long arg[6];
    va_list list;
    siginfo_t info;

    va_start(list, number);
    for (int i = 0; i < 6; i++) {
        arg[i] = va_arg(list, long);
    }
    va_end(list);
    if (number == SYS_pidfd_open) {
        return waitid(P_PID, (id_t)arg[0], &info, WEXITED | WNOWAIT) == 0 ? eventfd(1, EFD_CLOEXEC)
                                                                          : -1;
    }
    return real(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}
"""


# The daemon with shared libraries, of which valgrind replaces functions.
DYNAMIC = Path("/run/tree/build/dynamic/miniftpd")


class Valgrind:
    """Stands between a test and the daemon and collects what valgrind says of each process.

    The greeter may not write to files (RLIMIT_FSIZE), so all of them write to one pipe.
    """

    def __init__(self, directory):
        shim, pipe = directory / "shim.so", directory / "valgrind.pipe"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-x", "c", "-o", shim, "-"],
                       input=SHIM.encode(), check=True)
        os.mkfifo(pipe)
        self.program = directory / "miniftpd"
        self.program.write_text(f"#!/bin/sh\nexec 9>'{pipe}'\nexec env LD_PRELOAD='{shim}' "
                                f"{' '.join(VALGRIND)} --log-fd=9 '{DYNAMIC}' \"$@\"\n")
        self.program.chmod(0o755)
        self.text = ""
        self.reader = threading.Thread(target=self.read, args=(pipe,), daemon=True)
        self.reader.start()

    def read(self, pipe):
        """Read until the last process has closed the pipe."""
        self.text = pipe.read_text(errors="replace")

    def reports(self):
        """The report of each process, by pid; to be called when all of them have ended."""
        self.reader.join(10)
        assert not self.reader.is_alive(), "a process still holds the pipe"
        found = {}
        for pid, line in re.findall(r"^==(\d+)== ?(.*)$", self.text, re.M):
            found.setdefault(int(pid), []).append(line)
        return {pid: "\n".join(lines) for pid, lines in found.items()}


@pytest.fixture
def valgrind(tmp_path, monkeypatch):
    """Daemons that are started from now on run under valgrind."""
    valgrind = Valgrind(tmp_path)
    monkeypatch.setattr(harness, "PROGRAM", str(valgrind.program))
    return valgrind


def last_five(path):
    """The last five bytes of a file."""
    with open(path, "rb") as file:
        file.seek(-5, os.SEEK_END)
        return file.read()


def both_of(daemon):
    """The pids of the two processes of the only session."""
    return [process.pid for process in daemon.only_session()]


def stop(daemon):
    """End the daemon; it takes its time under valgrind."""
    assert not daemon.wait_no_sessions(20), "sessions that go on"
    daemon.process.send_signal(signal.SIGTERM)
    daemon.process.wait(20)


@pytest.mark.parametrize("jail", ["NO", "YES"])
def test_one_gigabyte_in_processes_that_are_clean_under_valgrind(valgrind, ftpd, home, jail):
    daemon = ftpd("-oseccomp_sandbox=NO", chroot_local_user=jail)
    must_report = {daemon.pid}
    with daemon.connect() as client:  # a greeter that comes to its end; others are killed
        client.cmds(("USER alice", 331), ("PASS wrong", 530), ("NONSENSE", (500, 530)))
        must_report.update(both_of(daemon))
        client.cmd("QUIT", 221)
    assert not daemon.wait_no_sessions(20)

    with daemon.login("alice") as client:
        must_report.update(both_of(daemon))
        upload(client, "big", BIG, "pasv")
        assert sha256(home / "big") == digest_of(BIG)
        assert download(client, "big", "eprt") == digest_of(BIG)
        assert client.retr("big", "port", rest=BIG - 5) == last_five(home / "big")
        assert "big" in client.names()
        client.nlst("b*")
        client.stor("small", b"small")
        client.cmds(("MKD d", 257), ("CWD d", 250), ("PWD", 257), ("STAT", 211), ("STAT ..", 213),
                    ("CDUP", 250), ("RMD d", 250), ("RNFR small", 350), ("RNTO tiny", 250),
                    ("DELE tiny", 250), ("DELE missing", 550), ("SITE CHMOD 600 big", 200))
        client.begin("RETR big").close()
        client.reply(426)
        client.in_step()
        client.cmd("QUIT", 221)
    (home / "big").unlink()

    stop(daemon)
    reports = valgrind.reports()
    for pid, report in reports.items():
        assert "ERROR SUMMARY: 0 errors " in report, f"process {pid}:\n{report}"
    assert must_report <= set(reports), valgrind.text
