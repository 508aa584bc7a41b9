"""Limits of bytes a second, and the pauses that keep them.

This is the one place where the suite measures time: a rate is nothing else. What is measured takes ten
seconds, so that a machine that is busy for a moment does not matter.
"""

import os
import random
import threading
import time
from pathlib import Path

import pytest

from converted import BOTH_WAYS, unpacked
from ftpraw import Deadline, drain, receive, receive_exactly
from sessions import Session

OPTIONS = ("local_max_rate", "anon_max_rate", "upload_max_rate", "download_max_rate",
           "data_connection_timeout")

SECONDS = 10
TOLERANCE = 0.05
KB, MB = 1000, 1000_000
RATES = (50 * KB, MB, 100 * MB)
SLOW = RATES[:2]
FILES = 5  # a large upload is cut in so many, one after the other: the limit is that of the session
RANDOM = random.Random(77)
NOTHING_MOVES = 1  # bytes a second


def cpu_sec(pid):
    """The time that a process has computed so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wakeups(pid):
    """How often a process has waited for something so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


def receive_count(sock):
    """The number of bytes up to the end of `sock`, which is closed."""
    buffer = bytearray(1 << 20)
    deadline = Deadline(3 * SECONDS)
    total = 0
    with sock:
        while True:
            deadline.arm(sock)
            count = sock.recv_into(buffer)
            if count == 0:
                return total
            total += count


def send_count(sock, count):
    """Send `count` bytes that no compression makes fewer; close `sock`."""
    block = RANDOM.randbytes(min(count, 1 << 20))
    left = count
    with sock:
        sock.settimeout(3 * SECONDS)
        while left > 0:
            part = min(left, len(block))
            sock.sendall(memoryview(block)[:part])
            left -= part
    return count


class Transfer(threading.Thread):
    """Ten seconds of one session at its limit; `moved` bytes in `seconds`."""

    def __init__(self, daemon, rate, way, home):
        super().__init__()
        self.session = Session(daemon).login()
        self.client = self.session.client
        self.rate, self.way, self.home = rate, way, home
        self.want = rate * SECONDS
        self.moved = self.seconds = self.cpu = self.wakeups = 0
        self.name = f"{way}.{rate}"
        getattr(self, f"prepare_{way}", lambda: None)()

    def prepare_retr(self):
        self.home.sparse(self.name, self.want)

    def prepare_ascii(self):
        self.client.cmd("TYPE A", 200)
        if self.rate in SLOW:  # twice as much on the network as in the file
            self.home.file(self.name, b"\n" * (self.want // 2))
        else:
            self.home.sparse(self.name, self.want)

    def prepare_z(self):
        self.home.file(self.name, RANDOM.randbytes(self.want))
        self.client.cmd("MODE Z", 200)

    def download(self):
        self.moved = receive_count(self.client.begin(f"RETR {self.name}"))
        self.client.reply(226)

    run_retr = run_ascii = run_z = download

    def run_stor(self):
        for _ in range(FILES):
            self.moved += send_count(self.client.begin(f"STOR {self.name}"), self.want // FILES)
            self.client.reply(226, seconds=3 * SECONDS)
        assert (self.home / self.name).stat().st_size == self.want // FILES

    def run_appe(self):
        """Not by splice(2), which does not work with O_APPEND."""
        self.moved = send_count(self.client.begin(f"APPE {self.name}"), self.want)
        self.client.reply(226, seconds=3 * SECONDS)

    def run(self):
        pid = self.session.child
        cpu, waits, begin = cpu_sec(pid), wakeups(pid), time.monotonic()
        getattr(self, f"run_{self.way}")()
        self.seconds = time.monotonic() - begin
        self.cpu, self.wakeups = cpu_sec(pid) - cpu, wakeups(pid) - waits

    def check(self):
        """The rate holds; and nobody was busy waiting for it."""
        assert self.seconds, f"{self.name} did not come to its end"
        rate = self.moved / self.seconds
        text = (f"{self.name}: {rate:.0f} bytes/s, {self.moved} in {self.seconds:.2f} s, "
                f"{self.cpu:.2f} s of computing, {self.wakeups} waits")
        print(text)
        assert abs(rate / self.rate - 1) <= TOLERANCE, text
        assert self.cpu <= (1 if self.rate in SLOW and self.way != "z" else 5), text
        assert self.wakeups <= (100 if self.rate in SLOW else 500) * SECONDS, text


# The fast transfers apart from each other: it is our own end that takes the most time in them.
@pytest.mark.parametrize("fast, slow", [
    ("retr", ["retr", "stor", "appe", "ascii", "z"]), ("stor", []), ("ascii", []),
])
def test_rate_holds_within_five_percent(ftpd, home, fast, slow):
    plan = [(rate, way) for rate in SLOW for way in slow] + [(RATES[2], fast)]
    daemons = {rate: ftpd(listen_port=str(2100 + number), local_max_rate=str(rate),
                          mode_z_enable="YES", trans_chunk_size="0", **BOTH_WAYS)
               for number, rate in enumerate(sorted({rate for rate, _ in plan}))}
    transfers = [Transfer(daemons[rate], rate, way, home) for rate, way in plan]
    for transfer in transfers:
        transfer.start()
    for transfer in transfers:
        transfer.join()
    for transfer in transfers:
        transfer.check()


# Whom a limit is for.

def transfer(client, direction, size):
    """Move `size` bytes in one transfer; how many seconds it took."""
    begin = time.monotonic()
    if direction == "down":
        assert receive_count(client.begin("RETR f")) == size
    else:
        send_count(client.begin("STOR new"), size)
    client.reply(226, seconds=30)
    return time.monotonic() - begin


LIMITED = 20 * KB
CASES = [
    # option, user, direction: limited or not
    ("local_max_rate", "alice", "down", True), ("local_max_rate", "alice", "up", True),
    ("local_max_rate", "anonymous", "down", False), ("local_max_rate", "anonymous", "up", False),
    ("anon_max_rate", "alice", "down", False), ("anon_max_rate", "alice", "up", False),
    ("anon_max_rate", "anonymous", "down", True), ("anon_max_rate", "anonymous", "up", True),
    ("upload_max_rate", "alice", "down", False), ("upload_max_rate", "alice", "up", True),
    ("upload_max_rate", "anonymous", "down", False), ("upload_max_rate", "anonymous", "up", True),
    ("download_max_rate", "alice", "down", True), ("download_max_rate", "alice", "up", False),
    ("download_max_rate", "anonymous", "down", True),
    ("download_max_rate", "anonymous", "up", False),
]


@pytest.mark.parametrize("option, user, direction, limited", CASES)
def test_whom_a_limit_is_for(ftpd, home, option, user, direction, limited):
    """A second's worth takes about a second; without a limit much more comes to its end."""
    rate = LIMITED if limited else NOTHING_MOVES
    size = LIMITED if limited else 500 * KB
    home.file("f", RANDOM.randbytes(size))
    daemon = ftpd(anon_root=str(home.path), ftp_username="alice", anon_upload_enable="YES",
                  **{option: str(rate)})
    client = daemon.login("alice") if user == "alice" else daemon.anonymous()
    seconds = transfer(client, direction, size)
    assert not limited or seconds > 0.8


@pytest.mark.parametrize("local, upload", [(LIMITED, 0), (LIMITED, 500 * MB), (500 * MB, LIMITED),
                                           (0, LIMITED)])
def test_the_smallest_limit_counts(ftpd, home, local, upload):
    client = ftpd(local_max_rate=str(local), upload_max_rate=str(upload)).login("alice")
    assert transfer(client, "up", LIMITED) > 0.8


def test_many_small_files_are_not_faster_than_a_large_one(ftpd, home):
    home.file("f", b"x" * KB)
    client = ftpd(local_max_rate=str(10 * KB)).login("alice")
    begin = time.monotonic()
    for _ in range(10):
        assert client.retr("f") == b"x" * KB
        client.stor("g", b"x" * KB)
    assert time.monotonic() - begin > 1.6


def test_listings_count(ftpd, home):
    for number in range(100):
        home.file(f"{number:0200}")
    client = ftpd(local_max_rate=str(LIMITED)).login("alice")
    begin = time.monotonic()
    assert len(client.nlst()) == 100  # 20 KB
    assert time.monotonic() - begin > 0.8


def test_limit_may_be_far_below_what_a_packet_takes(ftpd, home):
    home.file("f", b"abc")
    client = ftpd(local_max_rate="2", data_connection_timeout="1").login("alice")
    assert client.retr("f") == b"abc"
    client.stor("g", b"abc")
    assert (home / "g").read_bytes() == b"abc"


def test_content_is_what_it_was(ftpd, home):
    content = RANDOM.randbytes(300 * KB)
    home.file("f", content)
    client = ftpd(local_max_rate=str(MB), mode_z_enable="YES").login("alice")
    assert client.retr("f") == content
    client.stor("g", content)
    client.stor("g", content, verb="APPE")
    assert (home / "g").read_bytes() == content * 2
    client.cmd("MODE Z", 200)
    assert unpacked(client.retr("f")) == content


# In a pause.

@pytest.fixture
def paused(ftpd, home):
    """A session whose transfers all but stand still."""
    home.file("f", RANDOM.randbytes(MB))
    return ftpd(local_max_rate=str(NOTHING_MOVES)).login("alice")


@pytest.fixture(params=["RETR f", "STOR g"])
def pausing(paused, request):
    """One of its transfers."""
    sock = paused.begin(request.param)
    if request.param == "STOR g":
        sock.sendall(b"x" * 20 * KB)
    else:
        assert len(receive(sock, 1)) == 1
    return sock


def moved_so_far(client):
    """How much STAT says has been moved."""
    return int(client.cmd("STAT", 211).text.split()[1])


def test_stat_is_answered_at_once(paused, pausing):
    """One that waits for the end of a pause would let a byte pass for each answer."""
    first = moved_so_far(paused)
    for _ in range(30):
        last = moved_so_far(paused)
    assert last - first < 15
    paused.cmd("NOOP", 200)
    paused.cmd("ABOR", 426)  # what has come of an upload would be stored even if we left


def test_abor_ends_a_transfer(paused, pausing):
    paused.cmd("ABOR", 426)
    paused.reply(226)
    drain(pausing)
    paused.in_step()


def test_abor_is_heard_at_once(paused, home):
    """Each of them would take a second, if it were not heard in the pause."""
    begin = time.monotonic()
    for _ in range(30):
        sock = paused.begin("RETR f")
        paused.send_line("ABOR")
        paused.reply(426)
        paused.reply(226)
        drain(sock)
    assert time.monotonic() - begin < 25


def test_quit_ends_the_session_after_the_transfer(ftpd, home):
    home.file("f", b"x" * 8 * KB)
    client = ftpd(local_max_rate=str(10 * KB)).login("alice")
    sock = client.begin("RETR f")
    client.send_line("QUIT")
    assert receive_count(sock) == 8 * KB
    client.reply(226)
    client.reply(221)
    client.wait_closed()


@pytest.mark.parametrize("end", ["close", "reset"])
def test_client_that_vanishes(ftpd, home, end):
    home.file("f", RANDOM.randbytes(MB))
    daemon = ftpd(local_max_rate=str(NOTHING_MOVES))
    client = daemon.login("alice")
    sock = client.begin("RETR f")
    getattr(client, end)()
    sock.close()
    assert not daemon.wait_no_sessions(8)


def test_client_that_stands_still_is_given_up(ftpd, home):
    client = ftpd(local_max_rate=str(MB), data_connection_timeout="1").login("alice")
    sock = client.begin("STOR g")
    sock.sendall(b"x" * 1000)
    client.reply(426)
    drain(sock)
    client.in_step()


@pytest.mark.parametrize("rate", ["0", str(MB)])
@pytest.mark.parametrize("line", ["STOR g", "RETR big"])
def test_how_long_a_client_may_stand_still(ftpd, home, line, rate):
    """One that has begun before is still patient when the other has given up."""
    home.sparse("big", 100 * MB)
    options = {"local_max_rate": rate}
    patient = ftpd(listen_port="2121", data_connection_timeout="60", **options).login("alice")
    first = patient.begin(line)
    hasty = ftpd(data_connection_timeout="1", **options).login("alice")
    second = hasty.begin(line.replace("STOR g", "STOR h"))
    hasty.reply(426, seconds=30)
    drain(second)
    patient.cmd("STAT", 211)
    if line == "STOR g":
        first.close()
        patient.reply(226)
    else:
        assert len(receive_exactly(first, 100_000)) == 100_000
        patient.send_line("ABOR")
        drain(first)
        patient.reply(426)
        patient.reply(226)
