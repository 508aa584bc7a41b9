"""Options of vsftpd that ask for what is always so: it is there with YES, with NO and without them."""

import os

import pytest

import posture
from ftpraw import receive_exactly
from passive import occupy
from sessions import Session, connect_slow

OPTIONS = ("async_abor_enable", "utf8_filesystem", "allow_writeable_chroot", "isolate",
           "isolate_network", "bind_retries")

SWITCHED = pytest.mark.parametrize("value", ["YES", "NO", None])


@SWITCHED
def test_async_abor_enable(ftpd, home, value):
    """ABOR as urgent data in the middle of a transfer, and the session goes on."""
    home.sparse("big", 64 << 20)
    client = ftpd(async_abor_enable=value).login("alice")
    data = connect_slow(client, client.pasv_address())
    client.cmd("RETR big", 150)
    receive_exactly(data, 1000)
    client.send(b"\xff\xf4")
    client.send_urgent(b"\xff\xf2")
    client.send("ABOR\r\n")
    client.reply(426)
    client.reply(226)
    client.in_step()


@SWITCHED
def test_utf8_filesystem(ftpd, home, value):
    name = "gr\u00fc\u00df \u2603.txt"
    client = ftpd(utf8_filesystem=value).login("alice")
    assert " UTF8" in client.cmd("FEAT", 211).lines
    client.cmd("OPTS UTF8 ON", 200)
    client.stor(name, b"content")
    assert os.listdir(home.path) == [name]
    assert client.nlst() == [name] and client.retr(name) == b"content"


@SWITCHED
@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_allow_writeable_chroot(ftpd, home, value, mode):
    home.path.chmod(mode)
    client = ftpd(allow_writeable_chroot=value, chroot_local_user="YES").login("alice")
    assert client.pwd() == "/"
    client.stor("/f", b"content")
    assert (home / "f").read_bytes() == b"content"


@SWITCHED
def test_isolate(ftpd, home, value):
    """No process of a session can make another one, signal others or get rights."""
    session = Session(ftpd(isolate=value)).login()
    for pid in (session.parent, session.child):
        assert posture.filters(pid) == posture.filters(os.getpid()) + 2
        assert posture.no_new_privileges(pid)
        assert posture.limit(pid, "Max processes") == (0, 0)
        assert not posture.is_dumpable(pid)
    assert posture.capabilities(session.child, "Bnd") == set()


@SWITCHED
def test_isolate_network(ftpd, home, value):
    """The process of the user holds its connections and no other socket, and gets no new one."""
    session = Session(ftpd(isolate_network=value)).login()
    sockets = {kind for kind in posture.descriptors(session.child).values()
               if kind[0] in ("tcp", "listen", "unix", "seqpacket")}
    assert sockets == {("tcp", 21), ("seqpacket",)}
    assert posture.filters(session.child) == posture.filters(os.getpid()) + 2
    home.file("f", b"content")
    assert session.client.retr("f") == session.client.retr("f", "port") == b"content"


@pytest.mark.parametrize("value", ["1", "9", None])
def test_bind_retries(ftpd, home, value):
    """The only free port of a range is found, wherever it is."""
    sockets = occupy(port for port in range(20000, 20040) if port != 20023)
    client = ftpd(bind_retries=value, pasv_min_port="20000", pasv_max_port="20039").login("alice")
    for _ in range(5):
        assert client.pasv_address()[1] == client.epsv_address()[1] == 20023
    for sock in sockets:
        sock.close()
