"""What is offered to clients, and what is asked of them: versions, ciphers, names, certificates."""

import random
import ssl
import subprocess

import pytest

import certs
import ftpsraw
from checking import USAGE, only_error_of, run
from procs import wait_for

OPTIONS = ("ssl_tlsv11", "ssl_tlsv12", "ssl_tlsv13", "ssl_ciphers", "ssl_ciphersuites",
           "ssl_sni_hostname", "ssl_request_cert", "require_cert", "validate_cert", "ca_certs_file",
           "debug_ssl")

V10, V11 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
V12, V13 = ftpsraw.BOTH
ALL_VERSIONS = (V10, V11, V12, V13)


def accepted(daemon, tls, name=None):
    """The connection after the handshake and a command over it; None if the server refuses it."""
    client = ftpsraw.connect(daemon, tls=tls)
    client.cmd("AUTH TLS", 234)
    try:
        client.begin_tls(name)
        client.send_line("NOOP")
        client.reply(200)
    except (OSError, AssertionError):
        client.close()
        return None
    return client


@pytest.mark.parametrize("options, versions", [
    ({}, (V12, V13)),
    ({"ssl_tlsv1": "YES"}, (V12, V13)),
    ({"ssl_tlsv1": "YES", "ssl_sslv3": "YES", "ssl_sslv2": "YES"}, (V12, V13)),
    ({"ssl_tlsv12": "NO"}, (V13,)),
    ({"ssl_tlsv13": "NO"}, (V12,)),
    ({"ssl_tlsv1_3": "NO"}, (V12,)),
    ({"ssl_tlsv1_2": "NO"}, (V13,)),
    ({"ssl_tlsv11": "YES"}, (V11, V12, V13)),
    ({"ssl_tlsv1_1": "YES", "ssl_tlsv12": "NO", "ssl_tlsv13": "NO"}, (V11,)),
    ({"ssl_tlsv11": "YES", "ssl_tlsv12": "NO"}, (V11, V13)),
])
def test_versions(ftps, home, options, versions):
    home.file("f", b"content")
    daemon = ftps(**options)
    for version in ALL_VERSIONS:
        client = accepted(daemon, ftpsraw.context(version))
        assert (client is not None) == (version in versions), version
        if client:
            client.login("alice", "secret-alice")
            assert client.protect().retr("f") == b"content"
    if versions == (V11,):
        assert not accepted(daemon, ftpsraw.context())


def test_refusals_are_in_the_log(ftps):
    daemon = ftps()
    assert not accepted(daemon, ftpsraw.context(V11))
    assert wait_for(lambda: "no TLS with this client: " in daemon.log), daemon.log
    assert "unsupported protocol" in daemon.log


def test_no_version_at_all_is_an_error(conf):
    path = conf("ssl_enable=YES\nssl_tlsv12=NO\nssl_tlsv13=NO\n")
    assert "ssl_tlsv12=NO and ssl_tlsv13=NO" in only_error_of(path)


@pytest.mark.parametrize("ciphers, offered, taken", [
    (None, "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256",
     "ECDHE-RSA-AES128-GCM-SHA256"),  # the faster one, whatever the client prefers
    (None, "AES128-SHA", None),
    (None, "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"),
    ("HIGH", "AES128-SHA", "AES128-SHA"),
    ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", None),
    ("ECDHE-RSA-AES256-GCM-SHA384", "DEFAULT", "ECDHE-RSA-AES256-GCM-SHA384"),
])
def test_ciphers(ftps, ciphers, offered, taken):
    daemon = ftps(**({"ssl_ciphers": ciphers} if ciphers else {}))
    client = accepted(daemon, ftpsraw.context(V12, ciphers=offered))
    assert (client and client.sock.cipher()[0]) == taken


@pytest.mark.parametrize("suites, taken", [
    (None, "TLS_AES_128_GCM_SHA256"), ("TLS_CHACHA20_POLY1305_SHA256",) * 2,
    ("TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"),
])
def test_suites(ftps, suites, taken):
    daemon = ftps(**({"ssl_ciphersuites": suites} if suites else {}))
    assert accepted(daemon, ftpsraw.context(V13)).sock.cipher()[0] == taken


@pytest.mark.parametrize("option", ["ssl_ciphers", "ssl_ciphersuites"])
def test_unknown_ciphers_are_an_error_at_the_start(conf, option):
    result = run(conf(ftpsraw.configuration(**{option: "NO_SUCH_CIPHER"})))
    assert result.returncode == USAGE
    assert option in result.stderr and "NO_SUCH_CIPHER" in result.stderr


@pytest.mark.parametrize("wanted, asked, good", [
    (None, None, True), (None, "anything.example", True),
    ("ftp.example", "ftp.example", True), ("ftp.example", "FTP.Example", True),
    ("ftp.example", "other.example", False), ("ftp.example", None, False),
])
def test_name_of_the_server(ftps, wanted, asked, good):
    daemon = ftps(**({"ssl_sni_hostname": wanted} if wanted else {}))
    for version in ftpsraw.BOTH:
        assert bool(accepted(daemon, ftpsraw.context(version), asked)) == good


@pytest.mark.parametrize("protocols, good", [
    ([], True), (["ftp"], True), (["x-filezilla-ftp", "ftp"], True), (["http/1.1"], False),
    (["h2", "http/1.1"], False),
])
def test_protocol_of_the_client(ftps, protocols, good):
    """ALPN: a browser that was sent here by a trick gets nothing."""
    tls = ftpsraw.context()
    if protocols:
        tls.set_alpn_protocols(protocols)
    client = accepted(ftps(), tls)
    assert bool(client) == good
    if protocols and good:
        assert client.sock.selected_alpn_protocol() == "ftp"


# Certificates of clients.

def stranger():
    """A certificate that nobody has signed but itself."""
    return certs.pair("stranger", "ec")


@pytest.mark.parametrize("options, none, unknown, known", [
    ({}, True, True, True),
    ({"ssl_request_cert": "NO"}, True, True, True),
    ({"require_cert": "YES"}, False, True, True),
    ({"validate_cert": "YES"}, True, False, True),
    ({"require_cert": "YES", "validate_cert": "YES"}, False, False, True),
    ({"require_cert": "YES", "ssl_request_cert": "NO"}, False, True, True),
])
@pytest.mark.parametrize("version", ftpsraw.BOTH, ids=lambda version: version.name)
def test_client_certificates(ftps, home, options, none, unknown, known, version):
    home.file("f", b"content")
    daemon = ftps(ca_certs_file=str(certs.authority().cert), **options)
    for pair, good in ((None, none), (stranger(), unknown), (certs.client(), known)):
        client = accepted(daemon, ftpsraw.context(version, client=pair))
        assert bool(client) == good, pair
        if client:
            client.login("alice", "secret-alice")
            assert client.protect().retr("f") == b"content"


def test_authority_that_is_not_known(ftps):
    """The same certificate, and another file of authorities."""
    daemon = ftps(ca_certs_file=str(stranger().cert), validate_cert="YES")
    assert not accepted(daemon, ftpsraw.context(client=certs.client()))


@pytest.mark.parametrize("wanted, asked", [("YES", True), ("NO", False)])
def test_certificates_are_asked_for(ftps, wanted, asked):
    """Seen in the facts that debug_ssl logs: what is not asked for is not shown."""
    daemon = ftps(ssl_request_cert=wanted, debug_ssl="YES")
    accepted(daemon, ftpsraw.context(client=certs.client())).cmd("NOOP", 200)
    text = "CN=a-client" if asked else "no client certificate"
    assert wait_for(lambda: text in daemon.log), daemon.log


# What is logged.

@pytest.mark.parametrize("version", ftpsraw.BOTH, ids=lambda version: version.name)
def test_facts_are_logged(ftps, home, version):
    home.file("f", b"content")
    daemon = ftps(debug_ssl="YES", require_ssl_reuse="NO")
    client = ftpsraw.login(daemon, tls=ftpsraw.context(version))
    client.retr("f")
    client.reuses = False
    client.list()
    name = "TLSv1.2" if version == V12 else "TLSv1.3"
    assert wait_for(lambda: daemon.log.count("data connection: ") == 2), daemon.log
    lines = [line for line in daemon.log.splitlines() if " DEBUG: " in line]
    assert len(lines) == 3, daemon.log
    assert f"control connection: {name}, {client.sock.cipher()[0]}" in lines[0]
    assert f"data connection: {name}" in lines[1] and lines[1].endswith(', resumed"')
    assert f"data connection: {name}" in lines[2] and not lines[2].endswith(', resumed"')
    assert "[alice]" in lines[1]


def test_facts_are_not_logged_without_the_option(ftps, home):
    daemon = ftps()
    ftpsraw.login(daemon).list()
    assert "DEBUG" not in daemon.whole_log() and "TLSv1" not in daemon.log


# Hostile clients.

def test_renegotiation_is_refused(ftps):
    daemon = ftps()
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", "127.0.0.1:21", "-starttls", "ftp", "-tls1_2"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    process.stdin.write(b"NOOP\n")
    process.stdin.flush()
    while not process.stdout.readline().startswith(b"200 "):
        assert process.poll() is None
    process.stdin.write(b"R\n")  # a command of s_client
    process.stdin.flush()
    rest, _ = process.communicate(timeout=20)
    assert b"RENEGOTIATING" in rest and b"no renegotiation" in rest
    assert not daemon.wait_no_sessions()
    ftpsraw.login(daemon).in_step()


GARBAGE = {
    "zeros": bytes(1000),
    "random": random.Random(1).randbytes(5000),
    "http": b"GET / HTTP/1.1\r\n\r\n",
    "record too long": b"\x16\x03\x01\xff\xff" + bytes(70000),
    "ssl 2": b"\x80\x2e\x01\x03\x01" + bytes(100),
    "record a byte too long": b"\x16\x03\x03\x40\x01" + bytes(0x4001),
    "alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "data": b"\x17\x03\x03\x00\x05hello",
}
LATER_GARBAGE = {
    "no key": b"\x17\x03\x03\x00\x20" + bytes(32),
    "command": b"USER root\r\n",
    "record too long": b"\x17\x03\x03\x48\x01" + bytes(0x4801),
}


@pytest.mark.parametrize("sent", GARBAGE.values(), ids=GARBAGE)
def test_garbage_for_a_handshake(ftps, sent):
    daemon = ftps()
    client = ftpsraw.connect(daemon)
    client.cmd("AUTH TLS", 234)
    try:
        client.send(sent)
    except OSError:
        pass
    ftpsraw.closes(client)
    assert not daemon.wait_no_sessions()
    ftpsraw.login(daemon).in_step()


@pytest.mark.parametrize("sent", LATER_GARBAGE.values(), ids=LATER_GARBAGE)
def test_garbage_behind_the_handshake(ftps, home, sent):
    """The session ends; nothing of it is taken for a command."""
    daemon = ftps()
    client = ftpsraw.login(daemon)
    raw = ftpsraw.without_tls(client.sock)
    try:
        raw.sendall(sent)
    except OSError:
        pass
    assert not daemon.wait_no_sessions()
    raw.close()
    assert "root" not in daemon.log


def test_client_that_stops_reading_replies(ftps, home):
    """The server takes no more commands than it can answer, and others are served."""
    daemon = ftps(idle_session_timeout="60")
    client = ftpsraw.login(daemon)
    client.sock.settimeout(0.3)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 64 << 20:
            sent += client.sock.send(b"STAT\r\n" * 2000)
    ftpsraw.login(daemon).in_step()
    (relay, *_) = daemon.relays()
    with open(f"/proc/{relay.pid}/status") as file:
        peak = [line for line in file if line.startswith("VmRSS")][0]
    assert int(peak.split()[1]) < 20_000  # kB
