"""The strict client of ftpraw over TLS, with the sessions of TLS in the hands of the test."""

import socket
import ssl
import struct
import warnings

import accounts
import certs
from ftpraw import DEADLINE_SEC, Client

BOTH = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
CLOSE_NOTIFY_ANSWER_SEC = 10


def options(pair=None, **changes):
    """What a daemon with FTPS needs; rsa_cert_file and what else is given."""
    pair = pair or certs.rsa()
    return {"ssl_enable": "YES", "rsa_cert_file": str(pair.cert),
            "rsa_private_key_file": str(pair.key), **changes}


def configuration(pair=None, **changes):
    """The same as the text of a file."""
    return "listen=YES\nlisten_port=2199\n" + "".join(
        f"{name}={value}\n" for name, value in options(pair, **changes).items())


def context(version=None, client=None, ca=None, ciphers=None):
    """What a client takes: one version or all, a certificate of its own, a CA to check by."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # which Python sets: no end without close_notify
    if version is not None:
        made.set_ciphers(ciphers or ("DEFAULT@SECLEVEL=0" if version < ssl.TLSVersion.TLSv1_2
                                     else "DEFAULT"))
        with warnings.catch_warnings(action="ignore"):  # the old ones are meant
            made.minimum_version = made.maximum_version = version
    elif ciphers:
        made.set_ciphers(ciphers)
    if client:
        made.load_cert_chain(client.cert, client.key)
    if ca:
        made.load_verify_locations(ca)
        made.verify_mode = ssl.CERT_REQUIRED
    return made


class TlsClient(Client):
    """A client with TLS on the control connection; with `protected` on data connections, too."""

    def __init__(self, host="127.0.0.1", port=21, source=None, *, tls=None, implicit=False):
        super().__init__(host, port, source)
        self.context = tls or context()
        self.tcp = self.sock
        self.protected = implicit
        self.reuses = True
        if implicit:
            self.begin_tls()

    def begin_tls(self, name=None):
        """The handshake of the control connection."""
        self.tcp.settimeout(DEADLINE_SEC)
        self.sock = self.context.wrap_socket(self.tcp, server_hostname=name)

    def auth(self, mechanism="TLS"):
        """AUTH and the handshake."""
        self.cmd(f"AUTH {mechanism}", 234)
        assert not self.buffer, f"in the clear behind 234: {self.buffer!r}"
        self.begin_tls()
        return self

    def protect(self, level="P"):
        """PBSZ and PROT."""
        self.cmds(("PBSZ 0", 200), (f"PROT {level}", 200))
        self.protected = level == "P"
        return self

    def ticket(self):
        """The newest session of the control connection, which data connections are to resume."""
        return self.sock.session

    def secure(self, sock):
        """TLS on a data connection, if it is to be there; the session is resumed by hand."""
        return self.wrap(sock, self.ticket() if self.reuses else None) if self.protected else sock

    def wrap(self, sock, session):
        """TLS on a data connection that resumes `session`; it has to end with close_notify."""
        sock.settimeout(DEADLINE_SEC)
        return self._keep(self.context.wrap_socket(sock, session=session,
                                                   suppress_ragged_eofs=False))

    def end_data(self, sock):
        """Our end of an upload, with close_notify."""
        if isinstance(sock, ssl.SSLSocket):
            sock.settimeout(CLOSE_NOTIFY_ANSWER_SEC)
            sock = sock.unwrap()
        sock.close()

    def close(self):
        self.tcp.close()  # nothing, if TLS has it
        super().close()


def connect(daemon, host="127.0.0.1", source=None, *, tls=None, implicit=False):
    """A client that has read the greeting."""
    client = TlsClient(host, daemon.port, source, tls=tls, implicit=implicit)
    daemon.clients.append(client)
    client.reply(220)
    return client


def secured(daemon, host="127.0.0.1", *, tls=None):
    """A client that has done AUTH TLS."""
    return connect(daemon, host, tls=tls).auth()


def login(daemon, name="alice", host="127.0.0.1", *, tls=None, level="P"):
    """A client that has logged in by TLS, with PROT; "ftp" is the anonymous user."""
    client = secured(daemon, host, tls=tls)
    if name == "ftp":
        client.cmd("USER anonymous", 331)
        client.cmd("PASS test@example.com", 230)
    else:
        client.login(name, accounts.ALL[name].password)
    return client.protect(level)


def half_close(sock):
    """End what we send on a TLS connection as if it was cut off: without close_notify."""
    socket.socket.shutdown(sock, socket.SHUT_WR)


def drain(sock):
    """Whatever still comes on a TLS connection, whichever end it has; closes it."""
    try:
        while sock.recv(1 << 18):
            pass
    except OSError:
        pass
    sock.close()


def without_tls(sock):
    """The bare socket below a TLS connection, which is over for us."""
    return socket.socket(fileno=sock.detach())


def refused_handshake(client, line, session=None, mode="pasv"):
    """Ask for a transfer and shake hands on it with `session`; True if no byte of data came."""
    data = getattr(client, mode)()
    client.cmd(line, 150)
    try:
        sock = client.wrap(data(), session)
        return sock.recv(1) == b""
    except OSError:
        return True



def reset(sock):
    """Break a connection, TLS or not."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def closes(client):
    """All that still comes, decrypted, up to the end of the connection."""
    rest = client.buffer
    client.sock.settimeout(DEADLINE_SEC)
    try:
        while chunk := client.sock.recv(65536):
            rest += chunk
    except (ConnectionResetError, ssl.SSLError):
        pass
    return rest


