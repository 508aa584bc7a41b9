"""Data connections belong to their control connection: they resume its session."""

import ssl

import pytest

import certs
import ftpsraw
import procs
from ftpraw import receive_all

OPTIONS = ("require_ssl_reuse",)

CONTENT = b"for the owner only " * 5000
VERSIONS = pytest.mark.parametrize("version", ftpsraw.BOTH, ids=lambda version: version.name)
LINES = ["RETR f", "LIST", "MLSD"]


@pytest.fixture
def files(home):
    home.file("f", CONTENT)
    return home


def two_sessions(daemon, version):
    """Two logins of one client program: Python refuses itself to mix sessions of two contexts."""
    context = ftpsraw.context(version)
    return [ftpsraw.login(daemon, tls=context) for _ in range(2)]


def check_refused(daemon, client, line, session, mode="pasv"):
    """522, no byte of data, the session lives; the log says why and what can be done."""
    assert ftpsraw.refused_handshake(client, line, session, mode)
    text = client.reply(522).text
    assert "require_ssl_reuse" not in text
    client.in_step()
    assert procs.wait_for(lambda: "require_ssl_reuse=NO" in daemon.log), daemon.log


@VERSIONS
@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_full_handshake_is_refused(ftps, files, version, line, mode):
    daemon = ftps()
    client = ftpsraw.login(daemon, tls=ftpsraw.context(version))
    check_refused(daemon, client, line, None, mode)
    assert client.retr("f", mode) == CONTENT


@VERSIONS
def test_upload_is_refused_too(ftps, files, version):
    """Nothing that a stranger sends is stored."""
    daemon = ftps()
    client = ftpsraw.login(daemon, tls=ftpsraw.context(version))
    client.reuses = False
    data = client.pasv()
    client.cmd("STOR new", 150)
    try:
        sock = client.wrap(data(), None)
        sock.sendall(b"from a stranger")
        client.end_data(sock)
    except OSError:
        pass
    client.reply(522)
    client.in_step()
    assert not (files / "new").exists() or (files / "new").read_bytes() == b""
    assert procs.wait_for(lambda: "require_ssl_reuse=NO" in daemon.log)
    client.reuses = True
    client.stor("new", CONTENT)
    assert (files / "new").read_bytes() == CONTENT


@VERSIONS
@pytest.mark.parametrize("line", LINES)
def test_full_handshake_is_accepted_without_the_option(ftps, files, version, line):
    client = ftpsraw.login(ftps(require_ssl_reuse="NO"), tls=ftpsraw.context(version))
    client.reuses = False
    with client.begin(line) as sock:
        assert not sock.session_reused
        assert sock.recv(100)
        while sock.recv(65536):
            pass
    client.reply(226)
    client.stor("new", CONTENT)
    assert (files / "new").read_bytes() == CONTENT


@VERSIONS
@pytest.mark.parametrize("line", LINES)
def test_session_of_another_control_connection_is_refused(ftps, files, version, line):
    """Also of one of the same user, at the same time."""
    daemon = ftps()
    client, other = two_sessions(daemon, version)
    check_refused(daemon, client, line, other.ticket())
    check_refused(daemon, other, line, client.ticket())
    assert client.retr("f") == other.retr("f") == CONTENT


@VERSIONS
def test_session_of_an_earlier_control_connection_is_refused(ftps, files, version):
    daemon = ftps()
    context = ftpsraw.context(version)
    first = ftpsraw.login(daemon, tls=context)
    ticket = first.ticket()
    first.cmd("QUIT", 221)
    client = ftpsraw.login(daemon, tls=context)
    check_refused(daemon, client, "RETR f", ticket)


@VERSIONS
def test_refused_connection_leaves_nothing_to_resume(ftps, files, version):
    """The session that it made, or a ticket for it, opens no door."""
    daemon = ftps()
    client = ftpsraw.login(daemon, tls=ftpsraw.context(version))
    data = client.pasv()
    client.cmd("RETR f", 150)
    try:
        sock = client.wrap(data(), None)
        sock.recv(1)
        session = sock.session
    except OSError:
        session = None
    client.reply(522)
    check_refused(daemon, client, "RETR f", session)


@VERSIONS
def test_another_control_connection_resumes_nothing(ftps, files, version):
    """A new control connection is a full handshake, whatever the client has kept."""
    daemon = ftps()
    context = ftpsraw.context(version)
    ticket = ftpsraw.login(daemon, tls=context).ticket()
    client = ftpsraw.connect(daemon, tls=context)
    client.cmd("AUTH TLS", 234)
    client.sock = context.wrap_socket(client.tcp, session=ticket)
    client.in_step()
    assert not client.sock.session_reused


@VERSIONS
def test_three_hundred_transfers(ftps, files, version):
    """With TLS 1.3 each ticket is used once, as RFC 8446 C.4 asks for."""
    client = ftpsraw.login(ftps(), tls=ftpsraw.context(version))
    used = set()
    for number in range(300):
        ticket = client.ticket()
        assert ticket.id  # which is all that a ticket is
        used.add(ticket.id)
        if number % 3 == 2:
            client.stor("new", b"x" * number)
        else:
            sock = client.begin("LIST" if number % 3 else "RETR f")
            assert sock.session_reused
            while sock.recv(65536):
                pass
            sock.close()
            client.reply(226)
    assert len(used) == (300 if version == ftpsraw.BOTH[1] else 1)
    client.in_step()


def test_one_ticket_serves_for_all(ftps, files):
    """Clients that keep the first one for ever are served, too, past the 32 that are remembered."""
    client = ftpsraw.login(ftps(), tls=ftpsraw.context(ftpsraw.BOTH[1]))
    ticket = client.ticket()
    for _ in range(100):
        data = client.pasv()
        client.cmd("RETR f", 150)
        sock = client.wrap(data(), ticket)
        assert sock.session_reused
        assert receive_all(sock) == CONTENT
        client.reply(226)


@VERSIONS
def test_other_version_on_the_data_connection(ftps, files, version):
    """A client that speaks another version there has not resumed anything."""
    daemon = ftps()
    client = ftpsraw.login(daemon, tls=ftpsraw.context(version))
    (other,) = set(ftpsraw.BOTH) - {version}
    client.context = ftpsraw.context(other)
    check_refused(daemon, client, "RETR f", None)


def test_no_tls_on_the_data_connection(ftps, files):
    """A client that forgets about TLS after PROT P."""
    daemon = ftps()
    client = ftpsraw.login(daemon)
    with client.pasv()() as sock:
        client.cmd("STOR new", 150)
        sock.sendall(b"in the clear")
        client.reply(522)
        client.in_step()
    assert (files / "new").read_bytes() == b"" if (files / "new").exists() else True
    assert procs.wait_for(lambda: "no TLS on the data connection" in daemon.log), daemon.log


def test_data_connection_that_is_closed_at_once(ftps, files):
    client = ftpsraw.login(ftps())
    sock = client.pasv()()
    sock.close()
    client.cmd("RETR f", 150)
    assert client.reply().code in (426, 522)
    client.in_step()


def test_stranger_in_front_of_the_client(ftps, files):
    """From another address it is not even heard; from the same one it has no ticket."""
    daemon = ftps()
    client = ftpsraw.login(daemon)
    address = client.pasv_address()
    stranger = client.connect_data(address, source="127.0.0.2")
    sock = client.connect_data(address)
    client.cmd("RETR f", 150)
    assert receive_all(client.wrap(sock, client.ticket())) == CONTENT
    client.reply(226)
    stranger.close()


def test_client_certificate_does_not_stand_for_resumption(ftps, files):
    authority = str(certs.authority().cert)
    daemon = ftps(require_cert="YES", validate_cert="YES", ca_certs_file=authority)
    client = ftpsraw.login(daemon, tls=ftpsraw.context(client=certs.client()))
    check_refused(daemon, client, "RETR f", None)
    assert client.retr("f") == CONTENT


def test_the_client_sees_the_refusal_as_an_end(ftps, files):
    """Not one byte of the file or of a listing came before 522."""
    daemon = ftps()
    client = ftpsraw.login(daemon)
    for line in LINES:
        data = client.pasv()
        client.cmd(line, 150)
        got = b""
        try:
            sock = client.wrap(data(), None)
            got = sock.recv(100)
        except (ssl.SSLError, OSError):
            pass
        assert got == b""
        client.reply(522)
