"""A strict FTP client on bare sockets.

It checks what client libraries forgive: every reply line ends in CRLF and has the shape of RFC 959,
and nothing comes that was not asked for. Every wait has a deadline, so no test can hang.
Text is UTF-8 with surrogate escapes: any byte can be sent and received.
"""

import os
import re
import socket
import time

DEADLINE_SEC = 10
TELNET_IAC = b"\xff"


class ProtocolError(AssertionError):
    """The server sent what no reply of FTP may look like."""


class Closed(AssertionError):
    """The server closed the connection where a reply was due."""


def encode(text):
    """Bytes of `text`, which may hold surrogate escapes or be bytes already."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def escaped(name):
    """A name as a command carries it: its FF bytes doubled, as Telnet wants."""
    return os.fsencode(name).replace(TELNET_IAC, TELNET_IAC * 2)


def decode(data):
    """Text of `data`; encode() turns it back into the same bytes."""
    return data.decode("utf-8", "surrogateescape")


class Deadline:
    """A moment that sockets can be held to."""

    def __init__(self, seconds=DEADLINE_SEC):
        self.end = time.monotonic() + seconds

    def arm(self, sock):
        """Let the next call on `sock` end at the deadline; raise TimeoutError if it has passed."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline passed")
        sock.settimeout(left)


def receive(sock, size=65536, deadline=None):
    """Some bytes from `sock`; empty at the end, also when the end is a reset."""
    (deadline or Deadline()).arm(sock)
    try:
        return sock.recv(size)
    except ConnectionResetError:
        return b""


def receive_exactly(sock, size):
    """`size` bytes from `sock`; fewer only if the peer closes before."""
    deadline = Deadline()
    data = bytearray()
    while len(data) < size:
        chunk = receive(sock, min(65536, size - len(data)), deadline)
        if not chunk:
            break
        data += chunk
    return bytes(data)


def receive_all(sock, seconds=DEADLINE_SEC):
    """Everything from `sock` up to its orderly end; a reset is an error. Closes `sock`."""
    deadline = Deadline(seconds)
    data = bytearray()
    with sock:
        while True:
            deadline.arm(sock)
            chunk = sock.recv(1 << 18)
            if not chunk:
                return bytes(data)
            data += chunk


def closed_without_data(sock):
    """Wait until the peer has closed or reset `sock`; True if it sent nothing before."""
    deadline = Deadline()
    total = 0
    while chunk := receive(sock, 1 << 18, deadline):
        total += len(chunk)
    sock.close()
    return total == 0


def drain(sock):
    """Read `sock` until the peer has closed or reset it."""
    closed_without_data(sock)


class Reply:
    """One reply. `lines` are its lines without line ends; `text` is the last without its code."""

    def __init__(self, lines):
        self.lines = lines
        self.code = int(lines[-1][:3])
        self.text = lines[-1][4:]

    def __repr__(self):
        return "<" + " / ".join(self.lines) + ">"

    def quoted(self):
        """The path between the quotes of a 257 reply, its doubled quotes undone."""
        match = re.match(r'257 "((?:[^"]|"")*)"', self.lines[-1])
        if not match:
            raise ProtocolError(f"no quoted path in {self!r}")
        return match.group(1).replace('""', '"')


def codes_of(codes):
    """Flatten the codes that cmd() and expect() take: numbers, or tuples of numbers."""
    flat = set()
    for code in codes:
        flat.update(code if isinstance(code, (tuple, list, set)) else (code,))
    return flat


class Client:
    """A control connection, with the data connections that its commands need."""

    def __init__(self, host="127.0.0.1", port=21, source=None):
        address = (source, 0) if source else None
        self.sock = socket.create_connection((host, port), DEADLINE_SEC, address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.data_sockets = []

    # The control connection.

    @property
    def local_host(self):
        return self.sock.getsockname()[0]

    @property
    def server_host(self):
        return self.sock.getpeername()[0]

    def send(self, data):
        """Send `data` as it is."""
        self.sock.settimeout(DEADLINE_SEC)
        self.sock.sendall(encode(data))

    def send_line(self, line):
        """Send `line` with its line end."""
        self.send(encode(line) + b"\r\n")

    def send_urgent(self, data):
        """Send `data` with the TCP urgent mark on its last byte."""
        self.sock.settimeout(DEADLINE_SEC)
        self.sock.send(encode(data), socket.MSG_OOB)

    def _line(self, deadline):
        while b"\n" not in self.buffer:
            chunk = receive(self.sock, deadline=deadline)
            if not chunk:
                raise Closed(f"connection closed, unfinished line: {self.buffer!r}")
            self.buffer += chunk
        raw, self.buffer = self.buffer.split(b"\n", 1)
        if not raw.endswith(b"\r"):
            raise ProtocolError(f"line does not end in CRLF: {raw!r}")
        raw = raw[:-1]
        if re.search(rb"[\r\0]", raw):
            raise ProtocolError(f"CR or NUL within a line: {raw!r}")
        return decode(raw)

    def reply(self, *codes, seconds=DEADLINE_SEC):
        """The next reply; with `codes`, an error unless its code is one of them."""
        deadline = Deadline(seconds)
        lines = [self._line(deadline)]
        match = re.match(r"([1-5][0-5][0-9])([ -])", lines[0])
        if not match:
            raise ProtocolError(f"not a reply: {lines[0]!r}")
        code, sign = match.groups()
        while sign == "-":
            line = self._line(deadline)
            lines.append(line)
            if line.startswith(code + " "):
                sign = " "
            elif re.match(r"[0-9]{3}", line) and not line.startswith(code + "-"):
                raise ProtocolError(f"line {line!r} within a {code} reply")
        reply = Reply(lines)
        if codes and reply.code not in codes_of(codes):
            raise AssertionError(f"got {reply!r}, expected {sorted(codes_of(codes))}")
        return reply

    def cmd(self, line, *codes):
        """Send one command and return its reply, checked as reply() does."""
        self.send_line(line)
        try:
            return self.reply(*codes)
        except (AssertionError, TimeoutError) as error:
            raise type(error)(f"after {line!r}: {error}") from None

    def cmd_without_data(self, line, *codes):
        """A transfer whose data connection cannot be made: a 150 may come before the refusal."""
        self.send_line(line)
        reply = self.reply()
        if reply.code == 150:
            reply = self.reply()
        assert reply.code in codes_of(codes), f"after {line!r}: got {reply!r}"
        return reply

    def cmds(self, *pairs):
        """Run (line, code) pairs in order."""
        for line, code in pairs:
            self.cmd(line, code)

    def pwd(self):
        """The current directory."""
        return self.cmd("PWD", 257).quoted()

    def in_step(self):
        """Show that the session lives and that no reply was sent beyond those already read."""
        reply = self.cmd("NOOP")
        assert reply.code == 200, f"the answer to NOOP is {reply!r}"
        assert not self.buffer, f"more than one reply: {self.buffer!r}"

    def wait_closed(self):
        """Wait until the server closes; an error if it says another word before."""
        rest = self.buffer
        deadline = Deadline()
        while chunk := receive(self.sock, deadline=deadline):
            rest += chunk
        assert rest == b"", f"sent before closing: {rest!r}"

    def reset(self):
        """Break the control connection, as a host does that was switched off and on again."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def close(self):
        """Close the control connection and every data connection made by this client."""
        for sock in self.data_sockets:
            sock.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Login.

    def login(self, user, password):
        """USER and PASS with success."""
        self.cmd(f"USER {user}", 331)
        return self.cmd(b"PASS " + escaped(password), 230)

    def try_login(self, user, password):
        """USER and PASS; returns the code of the last reply."""
        code = self.cmd(f"USER {user}").code
        return self.cmd(f"PASS {password}").code if code == 331 else code

    # Data connections.

    def _keep(self, sock):
        self.data_sockets.append(sock)
        return sock

    def pasv_address(self):
        """PASV; the address of its reply, which must be one that every client can parse."""
        reply = self.cmd("PASV", 227)
        match = re.fullmatch(r"[^()0-9]*\((\d+(?:,\d+){5})\)[^()0-9]*", reply.text)
        if not match:
            raise ProtocolError(f"unexpected form: {reply!r}")
        numbers = [int(number) for number in match.group(1).split(",")]
        assert all(number <= 255 for number in numbers), f"not bytes: {reply!r}"
        return ".".join(map(str, numbers[:4])), numbers[4] * 256 + numbers[5]

    def epsv_address(self, argument=""):
        """EPSV; the address of its reply, which has the form of RFC 2428 and nothing behind it."""
        reply = self.cmd(f"EPSV {argument}".rstrip(), 229)
        match = re.fullmatch(r"[^()|]*\(\|\|\|(\d+)\|\)", reply.text)
        if not match:
            raise ProtocolError(f"unexpected form: {reply!r}")
        return self.server_host, int(match.group(1))

    def connect_data(self, address, source=None):
        """A data connection to `address`, from the address of the control connection."""
        source = source or self.local_host
        return self._keep(socket.create_connection(address, DEADLINE_SEC, (source, 0)))

    def pasv(self):
        """A function that returns the connected data socket."""
        sock = self.connect_data(self.pasv_address())
        return lambda: sock

    def epsv(self):
        """As pasv()."""
        sock = self.connect_data(self.epsv_address())
        return lambda: sock

    def listen_data(self, host=None):
        """A listening socket for active mode, by default on the address of the client."""
        host = host or self.local_host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = self._keep(socket.socket(family, socket.SOCK_STREAM))
        sock.bind((host, 0))
        sock.listen(5)
        return sock

    def accept_data(self, listener):
        """The data connection that the server makes to `listener`, which is closed."""
        listener.settimeout(DEADLINE_SEC)
        sock, _ = listener.accept()
        listener.close()
        return self._keep(sock)

    def port(self):
        """A function that returns the data socket; to be called when the transfer has begun."""
        listener = self.listen_data()
        self.cmd(port_command(listener.getsockname()), 200)
        return lambda: self.accept_data(listener)

    def eprt(self):
        """As port()."""
        listener = self.listen_data()
        self.cmd(eprt_command(listener.getsockname()), 200)
        return lambda: self.accept_data(listener)

    def secure(self, sock):
        """What is done with a data connection before bytes move; for clients that encrypt."""
        return sock

    def end_data(self, sock):
        """End an upload."""
        sock.close()

    def begin(self, line, mode="pasv", rest=None, code=150):
        """Open a data connection by `mode`, send `line`, take its 150; returns the data socket."""
        data = getattr(self, mode)()
        if rest is not None:
            self.cmd(f"REST {rest}", 350)
        self.cmd(line, code)
        return self.secure(data())

    def refused(self, line, *codes, mode="pasv", rest=None):
        """Ask for a transfer that is refused: one reply, and no byte of data."""
        data = getattr(self, mode)()
        if rest is not None:
            self.cmd(f"REST {rest}", 350)
        reply = self.cmd(line, *codes)
        if mode in ("pasv", "epsv"):
            data().close()
        return reply

    def retr(self, path, mode="pasv", rest=None):
        """The content of a file."""
        data = receive_all(self.begin(b"RETR " + encode(path), mode, rest))
        self.reply(226)
        return data

    def stor(self, path, content, mode="pasv", rest=None, verb="STOR"):
        """Upload `content`."""
        with self.begin(encode(verb) + b" " + encode(path), mode, rest) as sock:
            sock.settimeout(DEADLINE_SEC)
            sock.sendall(content)
            self.end_data(sock)
        return self.reply(226)

    def list(self, argument="", verb="LIST", mode="pasv"):
        """The lines of a listing; every one must end in CRLF."""
        line = encode(verb) + (b" " + encode(argument) if argument else b"")
        data = receive_all(self.begin(line, mode))
        self.reply(226)
        lines = data.split(b"\r\n")
        assert lines.pop() == b"", f"the listing does not end in CRLF: {data[-80:]!r}"
        for line in lines:
            assert not re.search(rb"[\r\n]", line), f"bare CR or LF in the listing: {line!r}"
        return [decode(line) for line in lines]

    def nlst(self, argument="", mode="pasv"):
        """The names of NLST."""
        return self.list(argument, "NLST", mode)

    def names(self, argument="", mode="pasv"):
        """The names of a LIST, without their details."""
        return [list_entry(line)["name"] for line in self.list(argument, mode=mode)]


LIST_LINE = re.compile(
    r"(?P<mode>[-dlpscb][-rwxsStT]{9}) +(?P<links>\d+) +(?P<owner>\S+) +(?P<group>\S+) +"
    r"(?P<size>\d+) (?P<date>(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    r"(?P<day>[ 0-3]\d) (?P<time>\d\d:\d\d| \d{4})) (?P<name>.+)", re.DOTALL)


def list_entry(line):
    """The fields of one line of LIST, in the only form that all clients parse."""
    match = LIST_LINE.fullmatch(line)
    if not match:
        raise ProtocolError(f"not a line of ls: {line!r}")
    return match.groupdict()


def port_command(address):
    """PORT for an IPv4 address as getsockname() gives it."""
    host, port = address[:2]
    return f"PORT {host.replace('.', ',')},{port // 256},{port % 256}"


def eprt_command(address):
    """EPRT for an address as getsockname() gives it."""
    host, port = address[:2]
    return f"EPRT |{2 if ':' in host else 1}|{host}|{port}|"
