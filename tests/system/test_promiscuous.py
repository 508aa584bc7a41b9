"""pasv_promiscuous and port_promiscuous: data connections from and to other hosts."""

import subprocess

import pytest

from ftpraw import closed_without_data, eprt_command, port_command, receive_all
from passive import STRANGER, occupy

OPTIONS = ("pasv_promiscuous", "port_promiscuous")

CONTENT = bytes(range(256)) * 4000
SOURCE_HOST, TARGET_HOST = "127.0.0.5", "127.0.0.3"
OUTSIDE = "198.51.100.1"


@pytest.fixture
def outside():
    """An address of this machine that is not one of loopback."""
    subprocess.run(["ip", "address", "add", f"{OUTSIDE}/32", "dev", "lo"], check=True)
    yield OUTSIDE
    subprocess.run(["ip", "address", "delete", f"{OUTSIDE}/32", "dev", "lo"], check=True)


# Passive.

@pytest.mark.parametrize("mode", ["pasv", "epsv"])
def test_passive_connection_of_another_host(ftpd, home, mode):
    home.file("f", b"content")
    client = ftpd(pasv_promiscuous="YES").login("alice")
    for _ in range(3):
        sock = client.connect_data(getattr(client, f"{mode}_address")(), STRANGER)
        client.cmd("RETR f", 150)
        assert receive_all(sock) == b"content"
        client.reply(226)
        assert client.retr("f", mode) == b"content"
    client.in_step()


def test_passive_connection_of_another_host_is_refused_by_default(ftpd, home):
    home.file("f", b"content")
    daemon = ftpd(accept_timeout="1")
    client = daemon.login("alice")
    sock = client.connect_data(client.pasv_address(), STRANGER)
    assert "another address than yours" in client.cmd_without_data("RETR f", 425).text
    assert closed_without_data(sock)
    log = daemon.whole_log()
    assert f"a stranger, {STRANGER}," in log and "see pasv_promiscuous" in log


def test_promiscuous_port_is_new_for_each_transfer(ftpd, home):
    """Who knows the port of one transfer knows nothing of the next."""
    home.file("f", b"content")
    client = ftpd(pasv_promiscuous="YES").login("alice")
    ports = set()
    for _ in range(10):
        address = client.pasv_address()
        ports.add(address[1])
        sock = client.connect_data(address)
        client.cmd("RETR f", 150)
        assert receive_all(sock) == b"content"
        client.reply(226)
    assert len(ports) > 5


# Active.

@pytest.mark.parametrize("command", [port_command, eprt_command])
def test_active_connection_to_another_host(ftpd, home, command):
    home.file("f", b"content")
    client = ftpd(port_promiscuous="YES").login("alice")
    listener = client.listen_data(TARGET_HOST)
    client.cmd(command(listener.getsockname()), 200)
    client.cmd("RETR f", 150)
    assert receive_all(client.accept_data(listener)) == b"content"
    client.reply(226)
    assert client.retr("f", "port") == b"content"


@pytest.mark.parametrize("command", [port_command, eprt_command])
def test_active_connection_to_another_host_is_refused_by_default(alice, home, command):
    home.file("f", b"content")
    listener = alice.listen_data(TARGET_HOST)
    alice.cmds((command(listener.getsockname()), 500), ("RETR f", 425))
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize("promiscuous, code", [("YES", 200), ("NO", 500)])
def test_low_port_of_the_client(ftpd, home, promiscuous, code):
    """As vsftpd: the option allows any port with any address."""
    home.file("f", b"content")
    client = ftpd(port_promiscuous=promiscuous).login("alice")
    (listener,) = occupy([902])
    client.cmd(port_command(("127.0.0.1", 902)), code)
    if code == 200:
        client.cmd("RETR f", 150)
        assert receive_all(client.accept_data(listener)) == b"content"
        client.reply(226)
    listener.close()


@pytest.mark.parametrize("address", [("0.0.0.0", 5000), ("255.255.255.255", 5000),
                                     ("224.0.0.1", 5000), ("127.0.0.1", 0)])
def test_addresses_of_nobody_are_500_all_the_same(ftpd, address):
    client = ftpd(port_promiscuous="YES").login("alice")
    client.cmds((port_command(address), 500), (eprt_command(address), 500))
    client.in_step()


@pytest.mark.parametrize("host, code", [("127.0.0.1", 500), ("127.0.0.3", 500),
                                        ("169.254.169.254", 500), (OUTSIDE, 200),
                                        ("192.0.2.1", 200)])
def test_no_way_to_what_listens_for_this_machine_alone(outside, ftpd, host, code):
    client = ftpd(port_promiscuous="YES").login("alice", outside, outside)
    client.cmd(port_command((host, 5000)), code)
    client.in_step()


def test_other_family_is_refused(ftpd, home):
    client = ftpd(listen="NO", listen_ipv6="YES", port_promiscuous="YES").login("alice", "::1")
    client.cmds((port_command(("127.0.0.1", 5000)), 500), ("EPRT |2|::ffff:127.0.0.1|5000|", 500),
                ("EPRT |2|fd00::2|5000|", 200))
    client.in_step()


def test_to_another_host_over_ipv6(ftpd, home):
    home.file("f", b"content")
    daemon = ftpd(listen="NO", listen_ipv6="YES", port_promiscuous="YES")
    client = daemon.login("alice", "fd00::1", "fd00::1")
    listener = client.listen_data("fd00::2")
    client.cmd(eprt_command(listener.getsockname()), 200)
    client.cmd("RETR f", 150)
    assert receive_all(client.accept_data(listener)) == b"content"
    client.reply(226)


# Between two servers.

class Pair:
    """A file goes from one daemon to another, and its client only says so."""

    def __init__(self, ftpd, **options):
        self.source, self.target = (
            ftpd(listen_address=host, listen_port=port, accept_timeout="1", **options)
            .login("alice", host) for host, port in ((SOURCE_HOST, "21"), (TARGET_HOST, "2121")))


@pytest.fixture
def big(home):
    home.file("big", CONTENT)
    return home


def test_from_server_to_server(ftpd, big):
    pair = Pair(ftpd, pasv_promiscuous="YES", port_promiscuous="YES")
    for passive, active, store in ((pair.target, pair.source, pair.target),
                                   (pair.source, pair.target, pair.target)):
        active.cmd(port_command(passive.pasv_address()), 200)
        fetch = pair.source
        store.send_line("STOR copy")
        fetch.send_line("RETR big")
        for client in (fetch, store):
            client.reply(150)
        for client in (fetch, store):
            client.reply(226)
        assert (big / "copy").read_bytes() == CONTENT
        (big / "copy").unlink()


def test_between_servers_both_have_to_allow_it(ftpd, big):
    big.sparse("big", 1 << 30)
    pair = Pair(ftpd, port_promiscuous="YES")
    pair.source.cmd(port_command(pair.target.pasv_address()), 200)
    pair.target.send_line("STOR copy")
    pair.source.send_line("RETR big")
    pair.target.reply(150)
    pair.target.reply(425)
    pair.source.reply(150)
    pair.source.reply(426)
    assert not (big / "copy").exists() or (big / "copy").read_bytes() == b""


def test_without_port_promiscuous_no_server_calls_another(ftpd, big):
    pair = Pair(ftpd, pasv_promiscuous="YES")
    pair.source.cmd(port_command(pair.target.pasv_address()), 500)
