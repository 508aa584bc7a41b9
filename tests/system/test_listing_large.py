"""Listings of a hundred thousand entries: whole, in bounded memory, never deaf to the client."""

import os
import shutil
import signal
import stat
import time
from pathlib import Path

import pytest

import procs
from ftpraw import decode, drain, list_entry, receive, receive_all, receive_exactly
from listings import MODES
from mlsx import parse
from sessions import Session, connect_slow, gone, readable, small_send_buffers

COUNT = 100_000
HELD_KIB = 32 * 1024  # of names: the most that LIST sorts of its own accord
HUGE_COUNT = 240_000
SORTED = 9_999  # names: the most that NLST sorts of its own accord
LIMIT_SEC = 120  # for a test; they take a few seconds
TOP = Path("/home/multitude")
VERBS = ["LIST", "NLST", "MLSD"]

# Long names, so that no listing of them fits into the buffers of the kernel. They are not made in
# the order of the alphabet.
NAMES = [f"{number * 7919 % COUNT:05}-{'n' * 180}" for number in range(COUNT)]


@pytest.fixture(autouse=True)
def slow_limit(time_limit):
    """More time than other tests have."""
    signal.alarm(LIMIT_SEC)


def fill(path, names):
    """Make the directory `path` and an empty file of each name in it."""
    path.mkdir()
    top = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    for name in names:
        os.mknod(name, stat.S_IFREG | 0o644, dir_fd=top)
    os.close(top)
    return path


@pytest.fixture(scope="module", autouse=True)
def multitude():
    """The directory of all tests here; nobody changes it."""
    fill(TOP, NAMES)
    yield
    shutil.rmtree(TOP)


def end_of(client):
    """The next reply, which may have begun long ago: its code, and how many lines it had."""
    reply = client.reply(seconds=LIMIT_SEC)
    return reply.code, len(reply.lines)


# Whole.

@pytest.mark.parametrize("mode", MODES)
def test_list_is_complete_and_sorted(alice, mode):
    lines = alice.list(str(TOP), mode=mode)
    assert [list_entry(line)["name"] for line in lines] == sorted(NAMES)
    alice.in_step()


def test_nlst_is_complete(alice):
    """In the order of the kernel: so many names are not sorted unless somebody asks for that."""
    assert sorted(alice.nlst(str(TOP))) == [f"{TOP}/{name}" for name in sorted(NAMES)]


@pytest.mark.parametrize("count", [SORTED, SORTED + 1, 2 * SORTED, 2 * SORTED + 1])
def test_nlst_around_the_longest_sorted_directory(ftpd, home, count):
    names = [f"{number * 7919 % count:05}" for number in range(count)]
    fill(home / "d", names)
    got = ftpd().login("alice").nlst("d")
    if count == SORTED:
        assert got == sorted(got)
    assert sorted(got) == [f"d/{number:05}" for number in range(count)]


def test_mlsd_is_complete(alice):
    names = [parse(line).name for line in alice.list(str(TOP), "MLSD")]
    assert names[:2] == [".", ".."]
    assert sorted(names[2:]) == sorted(NAMES)


def test_stat_is_complete_and_sorted(alice):
    lines = alice.cmd(f"STAT {TOP}", 213).lines[1:-1]
    names = [list_entry(line)["name"] for line in lines]
    assert [name for name in names if name not in (".", "..")] == sorted(NAMES)
    alice.in_step()


def test_other_orders_are_complete(alice):
    assert alice.names(f"-S {TOP}") == sorted(NAMES)  # all are of one size
    assert alice.names(f"-r {TOP}") == sorted(NAMES, reverse=True)
    assert sorted(alice.names(f"-t {TOP}")) == sorted(NAMES)


def test_pattern_in_a_large_directory(alice):
    assert alice.nlst(f"{TOP}/0000?-*") == [
        f"{TOP}/{name}" for name in sorted(NAMES) if name.startswith("0000")]
    assert len(alice.nlst(f"{TOP}/*[05]-n*")) == COUNT / 5
    assert alice.nlst(f"{TOP}/*x") == []


# Memory.

def peak_kib(pid):
    """The most memory that a process ever had at once."""
    return int(procs.status(pid)["VmHWM"].split()[0])


def grown_kib(ftpd, home, line):
    """How much more a session needs at its peak for a listing of TOP than for one of a file."""
    home.file("f")
    daemon = ftpd()
    client = daemon.login("alice")
    (_, service) = daemon.only_session()
    client.list("", line.split()[0])
    before = peak_kib(service.pid)
    assert len(client.list(f"{line.partition(' ')[2]} {TOP}".lstrip(), line.split()[0])) >= COUNT
    return peak_kib(service.pid) - before


@pytest.mark.parametrize("line, most_kib", [("MLSD", 512), ("NLST", 6000)])
def test_memory_of_a_stream_is_bounded(ftpd, home, line, most_kib):
    assert grown_kib(ftpd, home, line) < most_kib


@pytest.mark.parametrize("line", ["LIST", "NLST -r", "LIST -t"])
def test_sorted_listings_need_their_names_and_little_more(ftpd, home, line):
    """Which shows, too, that the measure of the test above is one."""
    names_kib = sum(len(name) + 1 for name in NAMES) // 1024
    assert names_kib < grown_kib(ftpd, home, line) < 3 * names_kib


def test_directory_of_any_size_is_listed_in_bounded_memory(ftpd, home):
    """More names than are held at once come as the kernel has them, in parts."""
    names = [f"{number * 7919 % HUGE_COUNT:06}-{'h' * 243}" for number in range(HUGE_COUNT)]
    assert sum(map(len, names)) > 1.5 * HELD_KIB * 1024
    fill(home / "huge", names)
    daemon = ftpd()
    client = daemon.login("alice")
    (_, service) = daemon.only_session()
    before = peak_kib(service.pid)
    lines = client.list("huge")
    assert sorted(line.rpartition(" ")[2] for line in lines) == sorted(names)
    assert peak_kib(service.pid) - before < 1.25 * HELD_KIB
    assert len(client.list("huge/00000?-*")) == 10
    client.in_step()


def test_memory_of_a_listing_is_given_back(ftpd, home):
    daemon = ftpd()
    client = daemon.login("alice")
    (_, service) = daemon.only_session()
    for _ in range(3):
        assert len(client.list(str(TOP))) == COUNT
    peak = peak_kib(service.pid)
    for _ in range(5):
        assert len(client.list(str(TOP))) == COUNT
    assert peak_kib(service.pid) - peak < 1024


# ABOR.

def aborted(client):
    """Both replies to ABOR, and a session that goes on."""
    client.reply(426)
    client.reply(226)
    client.in_step()
    assert client.nlst(f"{TOP}/00000-*") == [f"{TOP}/00000-{'n' * 180}"]


@pytest.mark.parametrize("mode", ["pasv", "port"])
@pytest.mark.parametrize("verb", VERBS)
def test_abor_of_a_client_that_reads(alice, verb, mode):
    """It goes on reading, as most do, and the listing ends all the same."""
    sock = alice.begin(f"{verb} {TOP}", mode)
    got = len(receive_exactly(sock, 1 << 20))
    alice.send_line("ABOR")
    while chunk := receive(sock):
        got += len(chunk)
    assert got < COUNT * 180
    sock.close()
    aborted(alice)


@pytest.mark.parametrize("verb", VERBS)
def test_abor_of_a_client_that_does_not_read(alice, verb):
    sock = alice.begin(f"{verb} {TOP}")
    alice.send_line("ABOR")
    aborted(alice)
    drain(sock)


@pytest.mark.parametrize("verb", VERBS)
def test_abor_after_the_client_has_stopped_reading(alice, verb):
    with small_send_buffers():
        sock = connect_slow(alice, alice.pasv_address())
        alice.cmd(f"{verb} {TOP}", 150)
        receive_exactly(sock, 100_000)
        assert not readable([alice.sock], 0.2)
        alice.send_line("ABOR")
        aborted(alice)
        drain(sock)


def test_abor_of_stat_of_a_client_that_reads(alice):
    alice.send_line(f"STAT {TOP}")
    begin = receive_exactly(alice.sock, 1 << 20)
    alice.buffer += begin
    alice.send_line("ABOR")
    code, lines = end_of(alice)
    assert code == 213 and lines < COUNT
    alice.reply(226)
    alice.in_step()


def test_abor_of_stat_of_a_client_that_does_not_read(alice):
    """It is heard as soon as the client takes what was said before."""
    alice.send_line(f"STAT {TOP}")
    assert readable([alice.sock], 10)
    alice.send_line("ABOR")
    code, lines = end_of(alice)
    assert code == 213 and lines < COUNT
    alice.reply(226)
    alice.in_step()


def test_commands_behind_stat_wait_for_its_end(alice):
    """A reply within a reply could not be told from it."""
    alice.send(f"STAT {TOP}\r\nNOOP\r\nSTAT\r\nPWD\r\n")
    code, lines = end_of(alice)
    assert code == 213 and lines >= COUNT
    for expected in (200, 211, 257):
        alice.reply(expected)
    alice.in_step()


def test_commands_in_the_middle_of_stat_wait_for_its_end(alice):
    alice.send_line(f"STAT {TOP}")
    alice.buffer += receive_exactly(alice.sock, 1 << 20)
    alice.send("NOOP\r\nSTAT\r\n")
    code, lines = end_of(alice)
    assert code == 213 and lines >= COUNT
    alice.reply(200)
    alice.reply(211)
    alice.in_step()


def test_stat_that_takes_longer_than_a_session_may_be_idle_ends_early(ftpd):
    """The client reads on and on, but too slowly, and hears of it as soon as it reads faster."""
    with small_send_buffers():
        client = ftpd(idle_session_timeout="2").login("alice")
        client.send_line(f"STAT {TOP}")
        late = time.monotonic() + 2.5
        while time.monotonic() < late:
            client.buffer += receive(client.sock, 16384)
            time.sleep(0.01)
    client.send_line("PWD")
    code, lines = end_of(client)
    assert code == 213 and lines < COUNT
    client.reply(257)


@pytest.mark.parametrize("verb", VERBS)
def test_stat_and_noop_are_answered_during_a_listing(alice, verb):
    sock = alice.begin(f"{verb} {TOP}")
    got = len(receive_exactly(sock, 100_000))
    alice.cmds(("STAT", 211), ("NOOP", 200), ("STAT", 211))
    got += len(receive_all(sock, LIMIT_SEC))
    assert got > COUNT * 180
    alice.reply(226)
    alice.in_step()


# Clients that vanish.

@pytest.mark.parametrize("reset", [False, True], ids=["close", "reset"])
@pytest.mark.parametrize("verb", VERBS + ["STAT"])
def test_session_of_a_vanished_client_ends(ftpd, verb, reset):
    session = Session(ftpd()).login()
    pids = session.pids
    if verb == "STAT":
        session.client.send_line(f"STAT {TOP}")
        receive_exactly(session.client.sock, 1 << 20)
    else:
        session.data = session.client.begin(f"{verb} {TOP}")
        receive_exactly(session.data, 1 << 20)
    session.leave(reset)
    assert not gone(pids, 10)


@pytest.mark.parametrize("verb", VERBS)
def test_data_connection_that_vanishes(alice, verb):
    sock = alice.begin(f"{verb} {TOP}")
    receive_exactly(sock, 1 << 20)
    sock.close()
    alice.reply(426)
    alice.in_step()


# Entries that vanish.

@pytest.mark.parametrize("verb", VERBS)
def test_entries_that_vanish_while_they_are_listed(alice, home, verb):
    """Those that stay are all there, those that went may be, and every line is whole."""
    names = [f"{number:05}-{'n' * 180}" for number in range(20_000)]
    top = fill(home / "crowd", names)
    leaving = set(names[1::2])
    with small_send_buffers():
        sock = connect_slow(alice, alice.pasv_address())
        alice.cmd(f"{verb} crowd", 150)
        begin = receive_exactly(sock, 10_000)
        for name in leaving:
            (top / name).unlink()
        lines = decode(begin + receive_all(sock, LIMIT_SEC)).split("\r\n")
    assert lines.pop() == ""
    alice.reply(226)
    if verb == "LIST":
        shown = [list_entry(line)["name"] for line in lines]
    elif verb == "NLST":
        shown = [line.removeprefix("crowd/") for line in lines]
    else:
        shown = [parse(line).name for line in lines[2:]]
    assert len(set(shown)) == len(shown)
    assert set(names) - leaving <= set(shown) <= set(names)
    assert verb == "NLST" or len(shown) < len(names)
    alice.in_step()


@pytest.mark.parametrize("verb", VERBS)
def test_directory_that_vanishes_while_it_is_listed(alice, home, verb):
    names = [f"{number:05}-{'n' * 180}" for number in range(20_000)]
    top = fill(home / "crowd", names)
    with small_send_buffers():
        sock = connect_slow(alice, alice.pasv_address())
        alice.cmd(f"{verb} crowd", 150)
        begin = receive_exactly(sock, 10_000)
        shutil.rmtree(top)
        rest = receive_all(sock, LIMIT_SEC)
    assert (begin + rest).endswith(b"\r\n")
    alice.reply(226)
    alice.in_step()
