"""Transfers over TLS: they bring what the plain ones bring."""

import hashlib
import os
import random
import ssl
import zlib

import pytest

import certs
import ftpsraw
import procs
from converted import BOTH_WAYS
from ftpraw import receive, receive_all

OPTIONS = ("dsa_cert_file", "dsa_private_key_file")

CONTENT = random.Random(5).randbytes(300_003)
MODES = ("pasv", "epsv", "port", "eprt")
VERSIONS = pytest.mark.parametrize("version", ftpsraw.BOTH, ids=lambda version: version.name)


@VERSIONS
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("reuse", ["YES", "NO"])
def test_every_way(ftps, home, version, mode, reuse):
    home.file("f", CONTENT)
    daemon = ftps(require_ssl_reuse=reuse, connect_from_port_20="YES")
    client = ftpsraw.login(daemon, tls=ftpsraw.context(version))
    assert client.sock.version() == ("TLSv1.2" if version == ftpsraw.BOTH[0] else "TLSv1.3")
    assert client.retr("f", mode) == CONTENT
    assert client.retr("f", mode, rest=1000) == CONTENT[1000:]
    client.stor("g", CONTENT, mode)
    client.stor("g", b"more", mode, verb="APPE")
    client.stor("g", b"in the middle", mode, rest=100)
    assert (home / "g").read_bytes() == CONTENT[:100] + b"in the middle" + CONTENT[113:] + b"more"
    assert client.names(mode=mode) == ["f", "g"]
    assert sorted(client.nlst(mode=mode)) == ["f", "g"]
    assert len(client.list(verb="MLSD", mode=mode)) == 2 + 2
    client.in_step()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "fd00::1"])
@pytest.mark.parametrize("mode", ["epsv", "eprt"])
def test_both_families(ftps, home, host, mode):
    home.file("f", CONTENT)
    client = ftpsraw.login(ftps(listen=None, listen_ipv6="YES"), host=host)
    assert client.retr("f", mode) == CONTENT
    client.stor("g", CONTENT, mode)
    assert (home / "g").read_bytes() == CONTENT
    assert client.names(mode=mode) == ["f", "g"]


@VERSIONS
@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_nothing_to_send(ftps, home, version, mode):
    home.file("empty")
    client = ftpsraw.login(ftps(), tls=ftpsraw.context(version))
    assert client.retr("empty", mode) == b""
    client.stor("new", b"", mode)
    assert (home / "new").read_bytes() == b""
    home.dir("nothing")
    assert client.list("nothing", mode=mode) == []
    assert client.nlst("nothing", mode=mode) == []
    home.file("f", CONTENT)
    assert client.retr("f", mode, rest=len(CONTENT)) == b""
    client.in_step()


@pytest.mark.parametrize("size", [1, 16383, 16384, 16385, 131071, 131072, 131073, 1 << 20])
def test_sizes_around_records(ftps, home, size):
    home.file("f", CONTENT[:1] * size)
    client = ftpsraw.login(ftps())
    assert client.retr("f") == CONTENT[:1] * size
    client.stor("g", CONTENT[:1] * size)
    assert (home / "g").read_bytes() == CONTENT[:1] * size


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@VERSIONS
def test_a_hundred_mebibytes_both_ways(ftps, home, version):
    block = random.Random(6).randbytes(1 << 20)
    with open(home.own(home.file("f")), "wb") as file:
        for number in range(100):
            file.write(block[number:] + block[:number])
    client = ftpsraw.login(ftps(), tls=ftpsraw.context(version))
    got, total = hashlib.sha256(), 0
    with client.begin("RETR f") as sock:
        while chunk := sock.recv(1 << 18):
            got.update(chunk)
            total += len(chunk)
    client.reply(226)
    assert (total, got.hexdigest()) == (100 << 20, digest_of(home / "f"))
    with client.begin("STOR g") as sock, open(home / "f", "rb") as file:
        while chunk := file.read(1 << 20):
            sock.sendall(chunk)
        client.end_data(sock)
    client.reply(226)
    assert digest_of(home / "g") == digest_of(home / "f")


@VERSIONS
def test_text_mode(ftps, home, version):
    home.file("f", b"one\ntwo\nthree\n" * 20000)
    client = ftpsraw.login(ftps(**BOTH_WAYS), tls=ftpsraw.context(version))
    client.cmd("TYPE A", 200)
    assert client.retr("f") == b"one\r\ntwo\r\nthree\r\n" * 20000
    client.stor("g", b"one\r\ntwo\r\nthree\r\n" * 20000)
    assert (home / "g").read_bytes() == b"one\ntwo\nthree\n" * 20000
    client.in_step()


@VERSIONS
def test_compressed(ftps, home, version):
    home.file("f", CONTENT + bytes(500_000))
    client = ftpsraw.login(ftps(mode_z_enable="YES"), tls=ftpsraw.context(version))
    client.cmd("MODE Z", 200)
    assert zlib.decompress(client.retr("f")) == CONTENT + bytes(500_000)
    client.stor("g", zlib.compress(CONTENT))
    assert (home / "g").read_bytes() == CONTENT
    assert b"f\r\n" in zlib.decompress(receive_all(client.begin("NLST")))
    client.reply(226)
    client.in_step()


def test_unique_names(ftps, home):
    home.file("f", b"taken")
    client = ftpsraw.login(ftps())
    client.stor("f", b"first", verb="STOU")
    client.stor("f", b"second", verb="STOU")
    assert home.names() == ["f", "f.1", "f.2"]
    assert (home / "f.2").read_bytes() == b"second"


def test_a_long_listing(ftps, home):
    for number in range(3000):
        home.file(f"{number:0200}")
    client = ftpsraw.login(ftps())
    assert len(client.list()) == 3000
    assert len(client.nlst()) == 3000
    client.in_step()


def test_refusals_leave_the_session_as_it_was(ftps, home):
    home.file("f", b"content")
    client = ftpsraw.login(ftps())
    for mode in MODES:
        client.refused("RETR missing", 550, mode=mode)
        client.refused("STOR missing/f", (550, 553), mode=mode)
        assert client.retr("f", mode) == b"content"
    client.in_step()


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@VERSIONS
def test_kinds_of_keys(ftps, home, kind, version):
    pair = getattr(certs, kind)()
    client = ftpsraw.login(ftps(pair=pair), tls=ftpsraw.context(version))
    assert client.sock.getpeercert(True) == certs.der(pair.cert)
    client.stor("f", CONTENT)
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("cipher, kind", [("ECDHE-RSA-AES128-GCM-SHA256", "rsa"),
                                          ("ECDHE-ECDSA-AES128-GCM-SHA256", "ec")])
def test_two_certificates_side_by_side(ftps, home, cipher, kind):
    """The client's ciphers choose."""
    ec = certs.ec()
    daemon = ftps(dsa_cert_file=str(ec.cert), dsa_private_key_file=str(ec.key))
    only_it = ftpsraw.context(ftpsraw.BOTH[0], ciphers=cipher)
    client = ftpsraw.login(daemon, tls=only_it)
    assert client.sock.cipher()[0] == cipher
    assert client.sock.getpeercert(True) == certs.der(getattr(certs, kind)().cert)
    client.stor("f", CONTENT)
    assert client.retr("f") == CONTENT


def test_the_second_certificate_alone(ftpd, home):
    """dsa_cert_file with the key in the same file; rsa_cert_file is not missed."""
    daemon = ftpd(ssl_enable="YES", dsa_cert_file=str(certs.ec().both))
    client = ftpsraw.login(daemon)
    assert client.sock.getpeercert(True) == certs.der(certs.ec().cert)
    assert client.names() == []


def test_a_chain_is_sent(ftps):
    """The client knows the authority only."""
    trusting = ftpsraw.context(ca=certs.authority().cert)
    client = ftpsraw.secured(ftps(pair=certs.chain()), tls=trusting)
    client.in_step()


def test_clear_and_encrypted_at_will(ftps, home):
    home.file("f", CONTENT)
    client = ftpsraw.login(ftps(force_local_data_ssl="NO"), level="C")
    for level in "CPCP":
        client.protect(level)
        assert client.retr("f") == CONTENT
        client.stor("g", CONTENT)
        assert client.names() == ["f", "g"]
    client.in_step()


def test_file_that_shrinks(ftps, home):
    """The client can tell that this is not the end: there is no close_notify."""
    home.sparse("f", 200 << 20)
    client = ftpsraw.login(ftps())
    sock = client.begin("RETR f")
    assert len(receive(sock, 1000)) > 0
    os.truncate(home / "f", 1 << 20)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        while sock.recv(1 << 18):
            pass
    sock.close()
    client.reply(426, 451)
    client.in_step()


def test_full_disk(ftps, home, disk):
    client = ftpsraw.login(ftps())
    with client.begin("STOR disk/f") as sock:
        try:
            sock.sendall(bytes(8 << 20))
        except OSError:
            pass  # it ends while we send
    client.reply(452)
    client.in_step()
    client.stor("g", b"content")


def test_counts_in_the_logs(ftps, home):
    home.file("f", CONTENT)
    daemon = ftps()
    client = ftpsraw.login(daemon)
    client.retr("f")
    client.retr("f", rest=3)
    client.stor("g", CONTENT[:1000])
    size = len(CONTENT)
    for text in (f'OK DOWNLOAD: Client "127.0.0.1", "/home/alice/f", {size} bytes',
                 f'OK DOWNLOAD: Client "127.0.0.1", "/home/alice/f", {size - 3} bytes',
                 'OK UPLOAD: Client "127.0.0.1", "/home/alice/g", 1000 bytes'):
        assert procs.wait_for(lambda: text in daemon.log), daemon.log
