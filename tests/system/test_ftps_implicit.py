"""TLS from the first byte on, as on port 990."""

import pytest

import ftpsraw
from ftpraw import Client
from procs import wait_for

OPTIONS = ("implicit_ssl",)

CONTENT = bytes(range(256)) * 2000
PORT = {"listen_port": "990"}


@pytest.fixture(params=["YES", None])
def daemon(request, ftps, home):
    """implicit_ssl is enough."""
    home.file("f", CONTENT)
    return ftps(implicit_ssl="YES", ssl_enable=request.param, **PORT)


def login(daemon):
    client = ftpsraw.connect(daemon, implicit=True)
    client.login("alice", "secret-alice")
    return client


@pytest.mark.parametrize("mode", ["pasv", "epsv", "port", "eprt"])
def test_session(daemon, home, mode):
    """Data connections are encrypted without PROT."""
    client = login(daemon)
    assert client.retr("f", mode) == CONTENT
    client.stor("g", CONTENT, mode)
    assert (home / "g").read_bytes() == CONTENT
    assert client.names(mode=mode) == ["f", "g"]
    client.cmd("AUTH TLS", 503)
    client.protect()
    assert client.retr("f", mode) == CONTENT
    client.cmd("QUIT", 221)
    client.wait_closed()


def test_nothing_is_said_in_the_clear(daemon):
    client = Client(port=990)
    daemon.clients.append(client)
    client.send("USER alice\r\nPASS secret-alice\r\n")
    rest = ftpsraw.closes(client)
    assert b"220" not in rest and b"331" not in rest and b"230" not in rest
    assert wait_for(lambda: "no TLS with this client" in daemon.log), daemon.log
    assert not daemon.wait_no_sessions()
    assert "OK LOGIN" not in daemon.log


def test_without_the_option_the_greeting_is_clear(ftps):
    daemon = ftps(**PORT)
    daemon.connect().cmd("FEAT", 211)


@pytest.mark.parametrize("option", ["max_clients", "max_per_ip"])
def test_too_many_clients_are_told_in_the_clear(ftps, option):
    """There is no TLS for who is not served."""
    daemon = ftps(implicit_ssl="YES", **{option: "1"}, **PORT)
    first = ftpsraw.connect(daemon, implicit=True)
    client = Client(port=990)
    daemon.clients.append(client)
    client.reply(421)
    first.in_step()


def test_clients_that_leave_before_the_handshake(daemon):
    for number in range(40):
        client = Client(port=990)
        client.send(b"\x16\x03"[:number % 3])
        if number % 2:
            client.reset()
        client.close()
    assert not daemon.wait_no_sessions(20)
    assert login(daemon).retr("f") == CONTENT


def test_anonymous_users(ftps):
    """They are asked the same as behind AUTH."""
    for allow, code, port in (("NO", 530, "990"), ("YES", 331, "991")):
        daemon = ftps(implicit_ssl="YES", allow_anon_ssl=allow, listen_port=port)
        client = ftpsraw.connect(daemon, implicit=True)
        client.cmd("USER anonymous", code)
