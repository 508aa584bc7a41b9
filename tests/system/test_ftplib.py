"""Python's ftplib, the client that many programs are made of."""

import ftplib
import hashlib
import io
import random
from collections import namedtuple

import pytest

from accounts import ALL

CONTENT = random.Random(5).randbytes((1 << 20) + 17)

Way = namedtuple("Way", "host passive")
WAYS = [Way(host, passive) for host in ("127.0.0.1", "::1") for passive in (True, False)]

TREE = {"a.txt": b"one", "b.bin": CONTENT, "sub/c.txt": b"", "sub/deep/d": b"four",
        "sub/two words": b"5"}


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(params=WAYS, ids=lambda way: f"{way.host}-{'passive' if way.passive else 'active'}")
def ftp(request, ftpd, home):
    """A connection of ftplib, logged in as alice."""
    daemon = ftpd(listen="NO", listen_ipv6="YES", connect_from_port_20="YES")
    client = ftplib.FTP(timeout=10)
    client.connect(request.param.host, daemon.port)
    client.login("alice", ALL["alice"].password)
    client.set_pasv(request.param.passive)
    daemon.clients.append(client)
    yield client
    assert client.voidcmd("NOOP").startswith("200")
    client.quit()


def fetch(ftp, path, rest=None):
    data = bytearray()
    assert ftp.retrbinary(f"RETR {path}", data.extend, rest=rest).startswith("226")
    return bytes(data)


def store(ftp, path, data, verb="STOR", rest=None):
    assert ftp.storbinary(f"{verb} {path}", io.BytesIO(data), rest=rest).startswith("226")


def test_lists(ftp, home):
    for name in ("a", "two words"):
        home.file(name, b"1234")
    home.dir("sub")
    lines = []
    ftp.dir(lines.append)
    assert [line.split(None, 8)[8] for line in lines] == ["a", "sub", "two words"]
    assert ftp.nlst() == ["a", "sub", "two words"]
    assert ftp.nlst("sub") == []


def test_gets_and_puts(ftp, home):
    store(ftp, "f", CONTENT)
    assert digest((home / "f").read_bytes()) == digest(CONTENT)
    assert digest(fetch(ftp, "f")) == digest(CONTENT)
    ftp.voidcmd("TYPE I")
    assert ftp.size("f") == len(CONTENT)


def test_resumes(ftp, home):
    half = len(CONTENT) // 2
    store(ftp, "f", CONTENT[:half])
    assert fetch(ftp, "f", rest=1000) == CONTENT[1000:half]
    store(ftp, "f", CONTENT[half:], rest=half)
    assert digest((home / "f").read_bytes()) == digest(CONTENT)
    store(ftp, "f", b"appended", verb="APPE")
    assert (home / "f").read_bytes() == CONTENT + b"appended"


def test_transfers_lines(ftp, home):
    home.file("f", b"one\ntwo\n")
    lines = []
    ftp.retrlines("RETR f", lines.append)
    assert lines == ["one", "two"]
    ftp.storlines("STOR g", io.BytesIO(b"three\nfour\n"))
    assert (home / "g").read_bytes().replace(b"\r\n", b"\n") == b"three\nfour\n"


def test_mirrors_a_tree_there_and_back(ftp, home):
    made = set()
    for path, content in TREE.items():
        parts = path.split("/")[:-1]
        for depth in range(len(parts)):
            directory = "/".join(parts[:depth + 1])
            if directory not in made:
                assert ftp.mkd(directory) == f"/home/alice/{directory}"
                made.add(directory)
        store(ftp, path, content)
    assert {path: (home / path).read_bytes() for path in TREE} == TREE

    found = {}

    def walk(directory):
        lines = []
        ftp.dir(directory, lines.append)
        for line in lines:
            path = f"{directory}/{line.split(None, 8)[8]}"
            if line.startswith("d"):
                walk(path)
            else:
                found[path[2:]] = fetch(ftp, path)

    walk(".")
    assert found == TREE


def test_renames_and_removes(ftp, home):
    home.file("f", b"x")
    ftp.rename("f", "g")
    ftp.mkd("d")
    assert ftp.cwd("d").startswith("250")
    assert ftp.pwd() == "/home/alice/d"
    ftp.cwd("..")
    ftp.rmd("d")
    ftp.delete("g")
    assert home.names() == []


def test_aborts(ftp, home):
    home.sparse("big", 1 << 30)
    home.file("f", b"content")
    sock = ftp.transfercmd("RETR big")
    sock.recv(1000)
    assert ftp.abort()[:3] in ("426", "226")
    sock.close()
    assert ftp.voidresp().startswith("226")
    assert fetch(ftp, "f") == b"content"


def test_errors_are_permanent_errors(ftp):
    for call in (ftp.cwd, ftp.delete, ftp.size, lambda path: fetch(ftp, path)):
        with pytest.raises(ftplib.error_perm, match="^550 "):
            call("missing")
