"""use_sendfile and trans_chunk_size: how the bytes of a transfer are moved."""

import random
import re

import pytest

from converted import BOTH_WAYS, to_file, to_network, unpacked
from sessions import Session
from tracing import Trace

OPTIONS = ("use_sendfile", "trans_chunk_size")

CONTENT = random.Random(91).randbytes(1_000_000)
MOVING = "sendfile,pread64,sendto,recvfrom,write,splice,read"


class Calls:
    """The calls that moved bytes of a session while the block ran: {name: [bytes]}."""

    def __init__(self, session, directory, inject=None):
        self.session = session
        self.trace = Trace(session.child, directory, MOVING, inject)
        self.moved = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.trace.stop()
        for name, rest in self.trace.of(self.session.child):
            result = re.search(r"\) += (\d+)", rest)
            if result and "MSG_DONTWAIT" not in rest:  # the control connection
                self.moved.setdefault(name, []).append(int(result.group(1)))

    def total(self, name):
        return sum(self.moved.get(name, []))

    def largest(self):
        return max(max(sizes) for sizes in self.moved.values())


@pytest.fixture
def begin(ftpd, home):
    """begin(option=...) is a session of alice, with a file `f`."""
    home.file("f", CONTENT)
    return lambda **options: Session(ftpd(**options)).login()


# use_sendfile

def test_sendfile(begin, tmp_path):
    session = begin()
    with Calls(session, tmp_path) as calls:
        assert session.client.retr("f") == CONTENT
    assert calls.total("sendfile") == len(CONTENT)
    assert calls.total("pread64") == 0


@pytest.mark.parametrize("mode", ["pasv", "port"])
@pytest.mark.parametrize("rest", [None, 0, 1, 500_000, 999_999, 1_000_000])
def test_without_sendfile(begin, tmp_path, mode, rest):
    session = begin(use_sendfile="NO")
    with Calls(session, tmp_path) as calls:
        assert session.client.retr("f", mode, rest) == CONTENT[rest or 0:]
    assert "sendfile" not in calls.moved
    assert calls.total("pread64") == len(CONTENT) - (rest or 0)


def test_ranges_and_small_files_without_sendfile(begin, home):
    client = begin(use_sendfile="NO").client
    client.cmd("RANG 10 19", 350)
    assert client.retr("f") == CONTENT[10:20]
    for size in (0, 1, 131072, 131073):
        home.file("small", CONTENT[:size])
        assert client.retr("small") == CONTENT[:size]


def test_file_that_gets_shorter_without_sendfile(begin, home):
    client = begin(use_sendfile="NO").client
    home.sparse("big", 50 << 20)
    sock = client.begin("RETR big")
    (home / "big").write_bytes(b"")
    while True:
        try:
            if not sock.recv(1 << 20):
                break
        except ConnectionResetError:
            break
    client.reply(451)
    client.in_step()


@pytest.mark.parametrize("error", ["EINVAL", "ENOSYS"])
def test_file_system_that_cannot_is_read_instead(begin, tmp_path, error):
    session = begin()
    with Calls(session, tmp_path, f"sendfile:error={error}") as calls:
        assert session.client.retr("f") == CONTENT
    assert calls.total("sendfile") == 0 and calls.total("pread64") == len(CONTENT)


def test_file_system_that_cannot_go_on_is_read_from_there(begin, tmp_path):
    session = begin(trans_chunk_size="10000")
    with Calls(session, tmp_path, "sendfile:error=EINVAL:when=4+") as calls:
        assert session.client.retr("f") == CONTENT
    assert calls.total("sendfile") == 30000
    assert calls.total("pread64") == len(CONTENT) - 30000


# trans_chunk_size

CHUNKS = [("10000", 10000), ("4096", 4096), ("1", 4096), ("4095", 4096)]
WAYS = {
    "retr": {}, "copied": {"use_sendfile": "NO"}, "stor": {}, "appe": {}, "ascii": BOTH_WAYS,
    "z": {"mode_z_enable": "YES"}, "list": {},
}


def transfer(client, way, home):
    """One transfer; its content must arrive."""
    if way in ("stor", "appe"):
        client.stor("new", CONTENT, verb=way.upper())
        assert (home / "new").read_bytes() == CONTENT
    elif way == "ascii":
        client.cmd("TYPE A", 200)
        assert client.retr("f") == to_network(CONTENT)
        client.stor("new", to_network(CONTENT))
        assert (home / "new").read_bytes() == to_file(to_network(CONTENT))
    elif way == "z":
        client.cmd("MODE Z", 200)
        assert unpacked(client.retr("f")) == CONTENT
    elif way == "list":
        assert len(client.nlst()) == 201
    else:
        assert client.retr("f") == CONTENT


@pytest.mark.parametrize("value, limit", CHUNKS)
@pytest.mark.parametrize("way", WAYS)
def test_no_call_moves_more(begin, home, tmp_path, way, value, limit):
    session = begin(trans_chunk_size=value, **WAYS[way])
    if way == "list":
        for number in range(200):
            home.file(f"{number:0200}")
    with Calls(session, tmp_path) as calls:
        transfer(session.client, way, home)
    assert calls.largest() == limit, calls.moved.keys()


@pytest.mark.parametrize("way", ["retr", "copied", "stor"])
def test_by_itself_it_moves_much_at_once(begin, home, tmp_path, way):
    session = begin(**WAYS[way])
    with Calls(session, tmp_path) as calls:
        transfer(session.client, way, home)
    assert calls.largest() > 30_000
