"""delete_failed_uploads: what an upload has stored goes with it, and nothing else."""

import contextlib
import os
import signal
import zlib

import pytest

from ftpraw import drain
from procs import wait_for
from sessions import Session, close_with_reset

OPTIONS = ("delete_failed_uploads",)

PART = b"x" * 100_000


@pytest.fixture
def daemon(ftpd, home):
    return ftpd(delete_failed_uploads="YES", mode_z_enable="YES", data_connection_timeout="1")


@pytest.fixture
def client(daemon):
    return daemon.login("alice")


# How an upload fails: each gets the client and the data connection, with PART in the file.

def abort(client, sock):
    client.cmd("ABOR", 426)
    client.reply(226)
    drain(sock)


def reset(client, sock):
    close_with_reset(sock)
    client.reply(426)


def stand_still(client, sock):
    client.reply(426)
    drain(sock)


def leave(client, sock):
    close_with_reset(client.sock)
    close_with_reset(sock)


def lose_network(client, sock):
    """As leave(), but the data connection stays: nobody says a word any more."""
    close_with_reset(client.sock)
    drain(sock)


FAILURES = [abort, reset, stand_still, leave, lose_network]


def begin(client, home, line, name="f", size=len(PART), rest=None):
    """An upload of PART that has not ended; `size` is what the file is long then."""
    sock = client.begin(line, rest=rest)
    sock.sendall(PART)
    assert wait_for(lambda: (home / name).exists() and (home / name).stat().st_size == size)
    return sock


@pytest.mark.parametrize("fail", FAILURES)
def test_file_is_removed(client, home, fail):
    fail(client, begin(client, home, "STOR f"))
    assert wait_for(lambda: home.names() == [])


@pytest.mark.parametrize("fail", [abort, reset])
@pytest.mark.parametrize("line", ["STOR f", "APPE f"])
def test_it_stays_without_the_option(ftpd, home, fail, line):
    client = ftpd(delete_failed_uploads="NO").login("alice")
    fail(client, begin(client, home, line))
    assert (home / "f").read_bytes() == PART
    client.in_step()


def test_stou(client, home):
    home.file("f", b"taken")
    abort(client, begin(client, home, "STOU f", "f.1"))
    assert home.names() == ["f"]


def test_file_that_was_begun_anew_is_removed(client, home):
    """Its old content went when the upload began."""
    home.file("f", b"former")
    abort(client, begin(client, home, "STOR f"))
    assert home.names() == []


@pytest.mark.parametrize("fail", FAILURES)
def test_append_leaves_what_was_there(client, home, fail):
    """vsftpd removes all of the file, the part that was there before, too."""
    home.file("f", b"former")
    fail(client, begin(client, home, "APPE f", size=6 + len(PART)))
    assert wait_for(lambda: (home / "f").read_bytes() == b"former")


def test_append_to_nothing_is_removed(client, home):
    abort(client, begin(client, home, "APPE f"))
    assert home.names() == []


@pytest.mark.parametrize("verb", ["STOR", "APPE"])
@pytest.mark.parametrize("mark", [3, 6])
def test_restart_leaves_what_is_before_the_mark(client, home, verb, mark):
    home.file("f", b"former")
    abort(client, begin(client, home, f"{verb} f", size=mark + len(PART), rest=mark))
    assert (home / "f").read_bytes() == b"former"[:mark]


def test_success_is_left_alone(client, home):
    client.stor("f", PART)
    client.stor("empty", b"")
    client.stor("f", b"more", verb="APPE")
    assert (home / "f").read_bytes() == PART + b"more"
    assert home.names() == ["empty", "f"]


def test_bad_stream_is_a_failure(client, home):
    client.cmd("MODE Z", 200)
    sock = client.begin("STOR f")
    sock.sendall(zlib.compress(PART)[:-10])
    sock.close()
    client.reply(426)
    assert home.names() == []


def test_full_disk_is_a_failure(ftpd, disk):
    client = ftpd(delete_failed_uploads="YES").login("alice")
    client.cmd("CWD disk", 250)
    sock = client.begin("STOR big")
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        sock.sendall(b"x" * (8 << 20))
    client.reply(452)
    sock.close()
    client.in_step()
    assert os.listdir(disk) == []


def test_no_data_connection_leaves_an_old_file_alone(client, home):
    home.file("f", b"former")
    client.pasv_address()
    client.cmd("STOR f", 150)
    client.cmd("ABOR", 426)
    client.reply(226)
    assert (home / "f").read_bytes() == b"former"


# Only what is the upload's own.

def test_new_file_of_that_name_is_left_alone(client, home):
    """Somebody has removed ours and made another one meanwhile."""
    sock = begin(client, home, "STOR f")
    (home / "f").unlink()
    home.file("f", b"of somebody else")
    abort(client, sock)
    assert (home / "f").read_bytes() == b"of somebody else"


def test_renamed_file_is_emptied(client, home):
    sock = begin(client, home, "STOR f")
    (home / "f").rename(home / "g")
    abort(client, sock)
    assert home.names() == ["g"] and (home / "g").read_bytes() == b""


def test_link_to_the_file_stays(client, home):
    """The name is a link's, and what it points to is emptied."""
    home.file("target", b"former")
    home.link("f", "target")
    abort(client, begin(client, home, "STOR f"))
    assert (home / "f").is_symlink() and (home / "target").read_bytes() == b""


def test_other_name_of_the_file_does_not_keep_the_content(client, home):
    home.file("f", b"former")
    os.link(home / "f", home / "other")
    abort(client, begin(client, home, "STOR f"))
    assert home.names() == ["other"] and (home / "other").read_bytes() == b""


def test_file_in_another_directory(client, home):
    home.dir("d")
    home.file("f", b"in the first directory")
    client.cmd("CWD d", 250)
    abort(client, begin(client, home / "d", "STOR f"))
    assert home.names() == ["d", "f"] and os.listdir(home / "d") == []


def test_what_cannot_be_removed_is_logged(daemon, client, home):
    sock = begin(client, home, "STOR f")
    home.path.chmod(0o555)
    abort(client, sock)
    home.path.chmod(0o755)
    assert (home / "f").read_bytes() == b""
    text = "cannot delete the failed upload: /home/alice/f: Permission denied"
    assert wait_for(lambda: text in daemon.log), daemon.log


def test_end_of_the_parent_is_a_failure(daemon, home):
    """The listener is held back: it ends what is left of such a session as soon as it sees it."""
    session = Session(daemon).login()
    sock = begin(session.client, home, "STOR f")
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        os.kill(session.parent, signal.SIGKILL)
        drain(sock)
        assert wait_for(lambda: home.names() == [])
    finally:
        os.kill(daemon.pid, signal.SIGCONT)


# ALLO: what an upload is held to.

@pytest.mark.parametrize("setting, code, names", [("YES", 426, []), ("NO", 226, ["f"])])
def test_less_than_announced_is_a_failure(ftpd, home, setting, code, names):
    """The data connection was closed in order, and still the client did not send all."""
    client = ftpd(delete_failed_uploads=setting).login("alice")
    client.cmd(f"ALLO {len(PART) + 1}", 202)
    with client.begin("STOR f") as sock:
        sock.sendall(PART)
    client.reply(code)
    client.in_step()
    assert home.names() == names


@pytest.mark.parametrize("announced", [0, len(PART) - 1, len(PART)])
def test_announced_or_more_is_success(client, home, announced):
    client.cmd(f"ALLO {announced}", 202)
    client.stor("f", PART)


def test_announcement_is_for_one_upload(client, home):
    client.cmd("ALLO 10000000", 202)
    client.list()
    client.stor("f", PART)


@pytest.mark.parametrize("announced", [len(PART), len(PART) + 1000])
def test_announcement_of_the_rest_or_of_the_whole(client, home, announced):
    """Clients mean one or the other, when they go on with an upload."""
    home.file("f", b"y" * 1000)
    client.cmd(f"ALLO {announced}", 202)
    client.stor("f", PART, rest=1000)


def test_announcement_in_other_modes_is_not_compared(client, home):
    client.cmds(("MODE Z", 200), (f"ALLO {len(PART)}", 202))
    client.stor("f", zlib.compress(PART))
    assert (home / "f").read_bytes() == PART
