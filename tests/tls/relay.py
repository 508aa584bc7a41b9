"""miniftpd-tls and the daemon's side of its messages, as tlsproto.h has them."""

import array
import os
import re
import socket
import ssl
import struct
import subprocess
from pathlib import Path

import pytest

import procs

TOP = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(os.environ.get("MINIFTPD", TOP / "miniftpd-tls"))
VERSION = re.search(r'MINIFTPD_VERSION "(.*)"', (TOP / "common.h").read_text()).group(1)
(START, NET, PLAIN, GO, DATA, FILE, ABORT, READY, WRONG, UP, DOWN, PROGRESS, END) = range(1, 14)
CLEAN, TRUNCATED, REFUSED, HANDSHAKE, NET_ERROR, FILE_ERROR, TIMEOUT, ABORTED = range(1, 9)
UPLOAD, ANSWERED, RESUMED, RESET, STRICT, TELL = 1, 2, 4, 8, 16, 32
HEAD = struct.Struct("=BBBBiQQQQII")
DEADLINE_SEC = 15
NOBODY = 65534
TO_THE_END = 2**64 - 1
RSA = ("rsa:2048",)
ECDSA = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


class Message:
    def __init__(self, raw):
        (self.kind, self.flags, self.result, _, self.error, _, _, _, self.bytes, _,
         _) = HEAD.unpack(raw[:HEAD.size])
        self.text = raw[HEAD.size:].decode()


def send(sock, kind, fd=None, flags=0, offset=0, limit=0, rate=0, timeout_ms=0):
    raw = HEAD.pack(kind, flags, 0, 0, 0, offset, limit, rate, 0, timeout_ms, 0)
    control = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
    sock.sendmsg([raw], control)


def receive(sock):
    """The next message, None at the end; progress is left out."""
    while True:
        raw = sock.recv(512)
        if not raw:
            return None
        message = Message(raw)
        if message.kind != PROGRESS:
            return message


def tcp_pair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    client.settimeout(DEADLINE_SEC)
    return client, server


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def make_pair(where, name, *kind, ca=None, names=(), more=()):
    """A certificate and its key. ca: the pair of who issues it, else it is its own; names: of hosts."""
    cert, key = where / f"{name}.pem", where / f"{name}.key"
    issuer = ["-CA", ca[0], "-CAkey", ca[1]] if ca else []
    hosts = ["-addext", "subjectAltName=" + ",".join(f"DNS:{host}" for host in names)] if names else []
    openssl("req", "-x509", "-nodes", "-newkey", *(kind or RSA), "-keyout", key, "-out", cert,
            "-days", "200", "-subj", f"/CN={name}", *issuer, *hosts, *more)
    key.chmod(0o600)
    return cert, key


def make_dated(where, name, start, end):
    """A certificate of its own that is valid from `start` to `end` (datetime), and its key."""
    cert, key = make_pair(where, name)
    conf, request, index = (where / f"{name}.{end}" for end in ("conf", "csr", "index"))
    index.touch()
    conf.write_text("[ca]\ndefault_ca=d\n[d]\npolicy=p\ndefault_md=sha256\nrand_serial=yes\n"
                    f"database={index}\nnew_certs_dir={where}\n[p]\ncommonName=supplied\n")
    openssl("req", "-new", "-key", key, "-out", request, "-subj", f"/CN={name}")
    openssl("ca", "-batch", "-selfsign", "-config", conf, "-keyfile", key, "-in", request, "-out", cert,
            "-startdate", f"{start:%Y%m%d%H%M%SZ}", "-enddate", f"{end:%Y%m%d%H%M%SZ}", "-notext")
    return cert, key


def check(*options, version=VERSION):
    """What --check says, as (exit status, lines)."""
    done = subprocess.run([PROGRAM, version, "--check", *(f"{k}={v}" for k, v in options)],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


# Fixtures; test modules import them.

@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory for certificates; everybody can enter it."""
    path = tmp_path_factory.mktemp("tls")
    for parent in [path, *path.parents][:-2]:
        os.chmod(parent, 0o755)
    return path


@pytest.fixture(scope="module")
def pair(place):
    return make_pair(place, "server")


@pytest.fixture
def start(place, pair):
    """start(option=value, ...) starts a program; with `pair` unless other certificates are given."""
    programs = []
    empty = place / "empty"
    empty.mkdir(mode=0o755, exist_ok=True)

    def run(**options):
        if not {"rsa_cert_file", "dsa_cert_file"} & set(options):
            options = {"rsa_cert_file": pair[0], "rsa_private_key_file": pair[1], **options}
        programs.append(Program(empty, **options))
        return programs[-1]

    yield run
    for program in programs:
        program.close()


@pytest.fixture
def session(start):
    """A session whose handshake is done and whose client has its tickets."""
    return Session(start()).ready()


class Program:
    def __init__(self, empty, version=VERSION, user=None, **options):
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(DEADLINE_SEC)
        who = str(user or NOBODY)
        args = [PROGRAM, version, who, who, empty, *(f"{k}={v}" for k, v in options.items())]

        def place():
            os.dup2(theirs.fileno(), 3, inheritable=True)

        self.process = subprocess.Popen(args, preexec_fn=place, close_fds=False,
                                        user=user, group=user, extra_groups=[] if user else None,
                                        stderr=subprocess.PIPE)
        theirs.close()
        self.said = receive(self.sock)

    @property
    def pid(self):
        return self.process.pid

    def relays(self):
        return [child.pid for child in procs.children(self.pid)]

    def close(self):
        self.sock.close()
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


class Session:
    """One control connection: `tls` is the client's end, `plain` the one of P and S."""

    def __init__(self, program, version=None, ends=None):
        """ends: both ends of the TCP connection; the first may be None."""
        before = program.relays()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        self.context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # Python would hide cut connections
        if version is not None:
            self.context.minimum_version = self.context.maximum_version = version
        self.relay, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.relay.settimeout(DEADLINE_SEC)
        send(program.sock, START, theirs.fileno())
        theirs.close()
        self.client, server = ends or tcp_pair()
        self.plain, plain_theirs = socket.socketpair()
        self.plain.settimeout(DEADLINE_SEC)
        send(self.relay, NET, server.fileno())
        send(self.relay, PLAIN, plain_theirs.fileno())
        server.close()
        plain_theirs.close()
        (self.pid,) = procs.wait_for(lambda: set(program.relays()) - set(before))

    def shake(self, timeout_ms=5000, name=None):
        """The client's handshake; what the relay says about it."""
        send(self.relay, GO, timeout_ms=timeout_ms)
        try:
            self.tls = self.context.wrap_socket(self.client, server_hostname=name)
        except OSError:
            self.tls = None
        return receive(self.relay)

    def ready(self):
        assert self.shake().kind == UP
        self.talk()
        return self

    def is_gone(self):
        """Has the relay ended?"""
        return procs.wait_for(lambda: procs.read(self.pid) is None)

    def talk(self, line=b"226 Done.\r\n"):
        """A reply of the server, which brings the client its tickets, too."""
        self.plain.sendall(line)
        got = b""
        while len(got) < len(line):
            got += self.tls.recv(len(line) - len(got))
        assert got == line

    def begin(self, kind, fd, flags=0, session=None, **fields):
        """Hand a data connection over and shake hands on it as the client."""
        client = self.offer(kind, fd, flags, **fields)
        return self.context.wrap_socket(client, session=session or self.tls.session,
                                        suppress_ragged_eofs=False)

    def offer(self, kind, fd, flags=0, timeout_ms=5000, **fields):
        """Hand a data connection over; its client's end, on which nothing was said."""
        client, server = tcp_pair()
        send(self.relay, DATA, server.fileno(), flags | TELL, timeout_ms=timeout_ms)
        server.close()
        send(self.relay, kind, fd, **fields)
        return client

    def begin_file(self, path, flags=0, **fields):
        """A transfer of a file; an upload makes it."""
        fields = {"limit": TO_THE_END, **fields}
        with open(path, "wb" if flags & UPLOAD else "rb") as file:
            return self.begin(FILE, file.fileno(), flags, **fields)

    def begin_plain(self, flags=0, **fields):
        """A transfer of a stream: the client's connection, the end of S."""
        ours, theirs = socket.socketpair()
        ours.settimeout(DEADLINE_SEC)
        tls = self.begin(PLAIN, theirs.fileno(), flags, **fields)
        theirs.close()
        return tls, ours

    def end(self):
        """The END of a transfer whose handshake is done, after its UP."""
        assert receive(self.relay).kind == UP
        message = receive(self.relay)
        assert message.kind == END
        return message


def resident_kib(pid):
    return int(procs.status(pid)["VmRSS"].split()[0])


def read_all(tls):
    """All that comes until close_notify."""
    return b"".join(iter(lambda: tls.recv(65536), b""))


def bare(tls):
    """The connection without its TLS."""
    sock = socket.socket(fileno=tls.detach())
    sock.settimeout(DEADLINE_SEC)
    return sock


def nothing_from(tls):
    """A refused client sees an end or a reset, and no byte."""
    try:
        return tls.recv(10) == b""
    except OSError:
        return True
