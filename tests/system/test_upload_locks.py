"""lock_upload_files: who stores a file has it alone, who fetches it shares it with others who do."""

import contextlib
import errno
import fcntl
import os
import struct

import pytest

from ftpraw import drain, receive_all
from procs import wait_for
from rules import snapshot
from sessions import Session, close_with_reset
from tracing import Trace

OPTIONS = ("lock_upload_files",)

OFD_SETLK = 37
WAITING = "Waiting for a file"


class Lock:
    """A lock of this process on a file: `how` is "posix", as vsftpd's are, or "ofd", as ours are.

    A POSIX lock is lost as soon as this process closes another descriptor of the file.
    """

    def __init__(self, path, kind, how="ofd"):
        self.fd = os.open(path, os.O_RDWR)
        try:
            self.call(kind, how)
        except OSError:
            self.release()
            raise

    def call(self, kind, how):
        if how == "ofd":
            fcntl.fcntl(self.fd, OFD_SETLK, struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0))
        else:
            operation = fcntl.LOCK_EX if kind == fcntl.F_WRLCK else fcntl.LOCK_SH
            fcntl.lockf(self.fd, operation | fcntl.LOCK_NB)

    def release(self):
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.release()


def can_lock(path, kind, how="ofd"):
    """Would another program get the lock?"""
    try:
        Lock(path, kind, how).release()
        return True
    except OSError as error:
        assert error.errno in (errno.EAGAIN, errno.EACCES), error
        return False


READ, WRITE = fcntl.F_RDLCK, fcntl.F_WRLCK
HOW = pytest.mark.parametrize("how", ["posix", "ofd"])


@pytest.fixture
def daemon(ftpd, home):
    home.file("f", b"former content")
    return ftpd()


@pytest.fixture
def client(daemon):
    return daemon.login("alice")


# What others notice.

@HOW
@pytest.mark.parametrize("verb", ["STOR", "APPE"])
def test_upload_is_locked_for_all_others(client, home, verb, how):
    sock = client.begin(f"{verb} f")
    assert not can_lock(home / "f", READ, how) and not can_lock(home / "f", WRITE, how)
    sock.sendall(b"x" * 100_000)
    assert not can_lock(home / "f", READ, how)
    sock.close()
    client.reply(226)
    assert can_lock(home / "f", WRITE, how)


@HOW
def test_download_is_locked_for_those_who_write(client, home, how):
    home.sparse("big", 100 << 20)
    sock = client.begin("RETR big")
    assert can_lock(home / "big", READ, how) and not can_lock(home / "big", WRITE, how)
    client.send_line("ABOR")
    drain(sock)
    client.reply(426)
    client.reply(226)
    assert can_lock(home / "big", WRITE, how)


@pytest.mark.parametrize("line", ["STOR new", "STOU new", "APPE new"])
def test_new_file_is_locked(client, home, line):
    sock = client.begin(line)
    assert not can_lock(home / "new", READ)
    sock.close()
    client.reply(226)


@pytest.mark.parametrize("line", ["STOR f", "RETR big"])
def test_without_the_option_nothing_is_locked(ftpd, home, line):
    home.file("f", b"former content")
    home.sparse("big", 100 << 20)
    client = ftpd(lock_upload_files="NO").login("alice")
    sock = client.begin(line)
    assert can_lock(home / line.split()[1], WRITE)
    client.send_line("ABOR")
    drain(sock)
    client.reply(426)
    client.reply(226)


def test_without_the_option_nothing_is_waited_for(ftpd, home):
    home.file("f", b"former content")
    client = ftpd(lock_upload_files="NO").login("alice")
    with Lock(home / "f", WRITE):
        assert client.retr("f") == b"former content"
        client.stor("f", b"new")


def test_lock_is_gone_when_nobody_connects(ftpd, home):
    home.file("f", b"former content")
    client = ftpd(accept_timeout="1").login("alice")
    client.pasv_address()
    client.cmd("STOR f", 150)
    assert not can_lock(home / "f", READ)
    client.reply(425)
    assert can_lock(home / "f", WRITE)
    assert (home / "f").read_bytes() == b"former content"


# Waiting for others.

def wait_in(client, line, mode="pasv"):
    """Ask for a transfer that has to wait; shows that it does. Returns the data socket."""
    data = getattr(client, mode)()
    client.send_line(line)
    assert client.cmd("STAT", 211).text.startswith(WAITING)
    assert client.cmd("NOOP", 200)
    return data


@HOW
@pytest.mark.parametrize("kind", [READ, WRITE])
def test_upload_waits_and_touches_nothing(client, home, kind, how):
    with Lock(home / "f", kind, how) as lock:
        data = wait_in(client, "STOR f")
        assert os.pread(lock.fd, 100, 0) == b"former content"
        lock.release()
        client.reply(150)
    with data() as sock:
        sock.sendall(b"new")
    client.reply(226)
    assert (home / "f").read_bytes() == b"new"
    client.in_step()


@HOW
def test_download_waits_for_who_writes(client, home, how):
    """And sends what the file holds then."""
    with Lock(home / "f", WRITE, how) as lock:
        data = wait_in(client, "RETR f", "epsv")
        os.write(lock.fd, b"something much longer than before")
        lock.release()
        assert "(33 bytes)" in client.reply(150).text
    assert receive_all(data()) == b"something much longer than before"
    client.reply(226)


def test_download_does_not_wait_for_who_reads(client, home):
    with Lock(home / "f", READ):
        assert client.retr("f") == b"former content"


def test_append_goes_behind_what_came_meanwhile(client, home):
    with Lock(home / "f", WRITE) as lock:
        data = wait_in(client, "APPE f")
        os.pwrite(lock.fd, b" and more", 14)
        lock.release()
        client.reply(150)
    with data() as sock:
        sock.sendall(b".")
    client.reply(226)
    assert (home / "f").read_bytes() == b"former content and more."


def test_restart_mark_is_compared_with_what_came_meanwhile(client, home):
    client.cmd("REST 14", 350)
    with Lock(home / "f", WRITE) as lock:
        client.pasv()
        client.cmd("REST 14", 350)
        client.send_line("STOR f")
        assert client.cmd("STAT", 211).text.startswith(WAITING)
        os.ftruncate(lock.fd, 3)
        lock.release()
        client.reply(554)
    assert (home / "f").read_bytes() == b"for"


def test_two_uploads_of_one_name_come_one_after_the_other(daemon, home):
    first, second = daemon.login("alice"), daemon.login("alice")
    sock = first.begin("STOR f")
    sock.sendall(b"1" * 200_000)
    data = wait_in(second, "STOR f", "epsv")
    sock.sendall(b"1" * 200_000)
    sock.close()
    first.reply(226)
    second.reply(150)
    with data() as sock:
        sock.sendall(b"2" * 1000)
    second.reply(226)
    assert (home / "f").read_bytes() == b"2" * 1000


def test_file_that_is_removed_meanwhile_is_450(ftpd, home):
    """Nothing is stored where nobody would find it."""
    daemon = ftpd(delete_failed_uploads="YES")
    first, second = daemon.login("alice"), daemon.login("alice")
    sock = first.begin("STOR f")
    wait_in(second, "STOR f")
    first.cmd("ABOR", 426)
    first.reply(226)
    sock.close()
    second.reply(450)
    second.in_step()
    second.stor("f", b"again")
    assert (home / "f").read_bytes() == b"again"


def test_comb_waits(client, home):
    home.file("part", b"part")
    with Lock(home / "f", READ) as lock:
        client.send_line("COMB f part")
        assert client.cmd("STAT", 211).text.startswith(WAITING)
        lock.release()
        client.reply(250)
    assert (home / "f").read_bytes() == b"former contentpart"


# Giving up.

@pytest.mark.parametrize("line", ["STOR f", "RETR f", "APPE f", "COMB f part"])
def test_in_use_for_too_long_is_450(ftpd, home, line):
    home.file("f", b"former content")
    home.file("part", b"part")
    client = ftpd(data_connection_timeout="1").login("alice")
    before = snapshot(home.path)
    with Lock(home / "f", WRITE):
        client.pasv()
        client.cmd(line, 450)
        client.in_step()
    assert snapshot(home.path) == before
    assert client.retr("f") == b"former content"


@pytest.mark.parametrize("line", ["STOR f", "RETR f", "APPE f"])
def test_abor(client, home, line):
    with Lock(home / "f", WRITE):
        wait_in(client, line)
        client.cmd("ABOR", 426)
        client.reply(226)
        client.in_step()
    assert client.retr("f") == b"former content"


@pytest.mark.parametrize("line", ["STOR f", "RETR f"])
def test_quit(client, home, line):
    """Nothing has begun that would have to come to its end first."""
    with Lock(home / "f", WRITE):
        wait_in(client, line)
        client.cmd("QUIT", 426)
        client.reply(221)
        client.wait_closed()
    assert (home / "f").read_bytes() == b"former content"


def test_other_commands_wait(client, home):
    with Lock(home / "f", WRITE) as lock:
        data = wait_in(client, "RETR f")
        client.send_line("PWD")
        client.send_line("NOOP")
        lock.release()
        client.reply(150)
    assert receive_all(data()) == b"former content"
    for code in (226, 257, 200):
        client.reply(code)


@pytest.mark.parametrize("reset", [True, False])
def test_client_that_vanishes(daemon, client, home, reset):
    with Lock(home / "f", WRITE):
        wait_in(client, "STOR f")
        if reset:
            close_with_reset(client.sock)
        client.close()
        assert not daemon.wait_no_sessions(8)
    assert (home / "f").read_bytes() == b"former content"


# File systems without locks.

@pytest.mark.parametrize("error", ["ENOLCK", "EINVAL", "EOPNOTSUPP"])
def test_goes_on_without(daemon, home, tmp_path, error):
    session = Session(daemon).login()
    with Trace(session.child, tmp_path, "fcntl", f"fcntl:error={error}") as trace:
        assert session.client.retr("f") == b"former content"
        session.client.stor("f", b"new")
        trace.stop()
    tried = [rest for _, rest in trace.of(session.child) if "F_OFD_SETLK" in rest]
    assert len(tried) == 2 and all(error in rest for rest in tried)
    assert (home / "f").read_bytes() == b"new"
