"""Sessions brought to one point of their life, and clients that leave in every way."""

import contextlib
import select
import socket
import time
from pathlib import Path

import accounts
import posture
import procs
from ftpraw import DEADLINE_SEC, receive, receive_exactly

RESET_AT_CLOSE = b"\1\0\0\0\0\0\0\0"
SMALL_BUFFER = 8192

WMEM = Path("/proc/sys/net/ipv4/tcp_wmem")
CROWD = 6000


@contextlib.contextmanager
def small_send_buffers():
    """The kernel buffers less than the listing of a crowd() for a client that does not read."""
    before = WMEM.read_text()
    WMEM.write_text("4096 16384 1048576")
    yield
    WMEM.write_text(before)


def crowd(top):
    """Make the directory `top` and fill it with long names: one and a half megabytes of them."""
    Path(top).mkdir()
    for number in range(CROWD):
        Path(top, f"{number:0250}").touch()


def readable(socks, seconds=0):
    """Those of `socks` that have something to read, or their end; waits until there is one."""
    poll = select.poll()
    by_number = {sock.fileno(): sock for sock in socks}
    for number in by_number:
        poll.register(number, select.POLLIN)
    return [by_number[number] for number, _ in poll.poll(seconds * 1000)]


def flood(sock, block, limit, seconds=0.3):
    """Send `block` again and again, without reading, until the peer takes no more for `seconds` or

    has closed. Returns how many bytes went out; more than `limit` is an error.
    """
    sock.setblocking(False)
    sent = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        if not poll.poll((end - time.monotonic()) * 1000):
            break
        try:
            sent += sock.send(block)
        except BlockingIOError:
            continue
        except ConnectionError:
            break
        assert sent < limit, "the server takes everything"
        end = time.monotonic() + seconds
    return sent


def close_with_reset(sock):
    """Close `sock` so that the peer gets RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    sock.close()


def connect_slow(client, address):
    """A data connection with a receive buffer so small that the server soon has to wait."""
    sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    sock.settimeout(DEADLINE_SEC)
    sock.connect(address)
    client.data_sockets.append(sock)
    return sock


def gone(pids, seconds=3):
    """Wait until none of the processes exists, not even as a zombie; returns those that do."""
    def left():
        return [process for process in map(procs.read, pids) if process]

    procs.wait_for(lambda: not left(), seconds)
    return left()


class Session:
    """One session of `daemon`: its client, which `connect` makes, and its processes."""

    def __init__(self, daemon, host="127.0.0.1", source=None, connect=None):
        before = {process.pid for process in daemon.session_parents()}
        relays = {process.pid for process in daemon.relays()}
        self.daemon = daemon
        self.first_filters = posture.filters(daemon.pid)
        self.client = connect(daemon, host) if connect else daemon.connect(host, source)
        new = [one.pid for one in daemon.session_parents() if one.pid not in before]
        assert len(new) == 1, f"one session has begun, but the new processes are {new}"
        self.parent = new[0]
        self.relay = next((one.pid for one in daemon.relays() if one.pid not in relays), None)
        self.verifier = None
        self.data = None

    @property
    def child(self):
        """P or S; None while there is none."""
        below = [one.pid for one in procs.children(self.parent)]
        return below[0] if below else None

    @property
    def pids(self):
        """All processes of the session."""
        return [self.parent] + [process.pid for process in procs.descendants(self.parent)]

    def login(self, name="alice", password=None):
        if name == "ftp":
            self.client.login("anonymous", "test@example.com")
        else:
            self.client.login(name, password or accounts.ALL[name].password)
        assert procs.wait_for(self._parent_is_settled), "the session parent has not given up root"
        return self

    def _parent_is_settled(self):
        """The parent gives up root while S already greets the client; its filter comes last."""
        wanted = 0 if self.daemon.options.get("seccomp_sandbox") == "NO" else 1
        return (posture.limit(self.parent, "Max processes") == (0, 0) and
                posture.filters(self.parent) >= self.first_filters + wanted)

    def leave(self, reset):
        """Close all that the client has, with FIN or with RST."""
        for sock in (self.data, self.client.sock):
            if sock and reset:
                close_with_reset(sock)
            elif sock:
                sock.close()

    def last_words(self):
        """All that still comes on the control connection up to its end."""
        words = self.client.buffer
        while chunk := receive(self.client.sock):
            words += chunk
        return words

    # The phases.

    def greeting(self):
        pass

    def user(self):
        self.client.cmd("USER alice", 331)

    def check(self):
        """A password check that waits; the caller holds the checks."""
        self.user()
        before = {one.pid for one in self.daemon.verifiers()}
        self.client.send_line("PASS secret-alice")

        def verifier():
            return [one.pid for one in self.daemon.verifiers() if one.pid not in before]

        (self.verifier,) = procs.wait_for(verifier)

    def delay(self):
        """A failed login whose answer has to wait; the caller has set a long delay."""
        self.user()
        self.client.send_line("PASS wrong")
        text = f"[pid {self.parent}] [alice] FAIL LOGIN"
        assert procs.wait_for(lambda: text in self.daemon.log), "the failure is not in the log"

    def idle(self):
        self.login()

    def pasv(self):
        self.login()
        self.client.pasv_address()

    def accepting(self):
        """A listing is asked for, and the data connection is awaited."""
        self.pasv()
        self.client.cmd("LIST", 150)

    def _in_transfer(self):
        kinds = posture.descriptors(self.child).values()
        local = {kind[1] for kind in kinds if kind[0] == "tcp"}
        assert local - {self.daemon.port}, f"no data connection: {kinds}"

    def retr(self):
        """A download of the sparse file `big` that waits for the client."""
        self.login()
        self.data = connect_slow(self.client, self.client.pasv_address())
        self.client.cmd("RETR /home/alice/big", 150)
        assert len(receive_exactly(self.data, 100000)) == 100000
        self._in_transfer()

    def stor(self):
        """An upload that waits for the client."""
        self.login()
        self.data = self.client.connect_data(self.client.pasv_address())
        self.client.cmd("STOR /home/alice/upload", 150)
        self.data.sendall(b"x" * 100000)
        self._in_transfer()

    def list(self):
        """A listing of /home/crowd that waits for the client."""
        self.login()
        self.data = connect_slow(self.client, self.client.pasv_address())
        self.client.cmd("LIST /home/crowd", 150)
        assert len(receive_exactly(self.data, 10000)) == 10000
        self._in_transfer()


PHASES = ["greeting", "user", "check", "delay", "idle", "pasv", "accepting", "retr", "stor", "list"]
