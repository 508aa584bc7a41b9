"""ftplib, Python's own client."""

import ftplib
import hashlib
import io
import os

import pytest

from clients import (ANONYMOUS_TREE, CONTENT, DEADLINE_SEC, RESUME_AT, TREE, WAYS, Site,
                     directories, expected_hashes, hashes, make_tree, public_hashes, sha256,
                     way_id)
from ftpraw import list_entry


class Client(ftplib.FTP):
    """ftplib.FTP that remembers where the data connections came from."""

    def __init__(self, *arguments, **options):
        self.data_ports = []
        super().__init__(*arguments, **options)

    def ntransfercmd(self, cmd, rest=None):
        conn, size = super().ntransfercmd(cmd, rest)
        self.data_ports.append(conn.getpeername()[1])
        return conn, size

    def get(self, name, rest=None):
        """The content of a file, or what is behind `rest`."""
        content = io.BytesIO()
        self.retrbinary("RETR " + name, content.write, rest=rest)
        return content.getvalue()

    def put(self, name, content, verb="STOR", rest=None):
        """Upload."""
        self.storbinary(f"{verb} {name}", io.BytesIO(content), rest=rest)

    def lines(self, command):
        """What LIST or NLST says."""
        found = []
        self.retrlines(command, found.append)
        return found


class Ftplib(Site):
    """A site with a client that is connected to it."""

    def __init__(self, ftpd, home, directory, way):
        super().__init__(ftpd, home, directory, way)
        self.ftp = Client(timeout=DEADLINE_SEC, encoding="utf-8")
        self.ftp.connect(self.host, self.daemon.port)
        self.ftp.set_pasv(self.passive)

    def login(self):
        self.ftp.login(self.account.name, self.account.password)
        return self.ftp


@pytest.fixture(params=WAYS, ids=way_id)
def site(request, ftpd, home, tmp_path):
    site = Ftplib(ftpd, home, tmp_path, request.param)
    yield site
    site.ftp.close()


@pytest.fixture
def ftp(site):
    return site.login()


def walk_down(ftp, here):
    """Bring the current directory over to `here`."""
    for line in ftp.lines("LIST"):
        entry = list_entry(line)
        target = here / entry["name"]
        if entry["mode"].startswith("d"):
            target.mkdir()
            ftp.cwd(entry["name"])
            walk_down(ftp, target)
            ftp.cwd("..")
        else:
            target.write_bytes(ftp.get(entry["name"]))


def walk_up(ftp, here):
    """Bring `here` over to the current directory."""
    for entry in os.scandir(here):
        if entry.is_dir():
            ftp.mkd(entry.name)
            ftp.cwd(entry.name)
            walk_up(ftp, entry.path)
            ftp.cwd("..")
        else:
            with open(entry.path, "rb") as file:
                ftp.storbinary("STOR " + entry.name, file)


def test_lists(site, ftp):
    make_tree(site.remote)
    names = sorted({name.partition("/")[0] for name in TREE})
    assert sorted(ftp.nlst()) == names
    found = {entry["name"]: entry for entry in map(list_entry, ftp.lines("LIST"))}
    assert sorted(found) == names
    assert found["big.bin"]["size"] == str(len(CONTENT))


def test_gets_and_puts(site, ftp):
    make_tree(site.remote)
    ftp.mkd("back")
    for number, (name, content) in enumerate(TREE.items()):
        if content is not None:
            assert hashlib.sha256(ftp.get(name)).digest() == hashlib.sha256(content).digest(), name
            ftp.put(f"back/{number} {os.path.basename(name)}", content)
            assert sha256(site.remote / f"back/{number} {os.path.basename(name)}") == \
                sha256(site.remote / name)


def test_active_connections_come_from_port_20(site, ftp):
    site.remote.file("f", b"content")
    ftp.lines("LIST")
    ftp.get("f")
    ftp.put("g", b"content")
    if site.passive:
        assert 20 not in ftp.data_ports
    else:
        assert ftp.data_ports == [20, 20, 20]


def test_resumes_a_download(site, ftp):
    site.remote.file("big.bin", CONTENT)
    assert CONTENT[:RESUME_AT] + ftp.get("big.bin", rest=RESUME_AT) == CONTENT
    assert site.log_bytes("DOWNLOAD") == [len(CONTENT) - RESUME_AT]


def test_resumes_an_upload(site, ftp):
    site.remote.file("big.bin", CONTENT[:RESUME_AT])
    ftp.put("big.bin", CONTENT[RESUME_AT:], rest=RESUME_AT)
    assert sha256(site.remote / "big.bin") == hashlib.sha256(CONTENT).hexdigest()
    assert site.log_bytes("UPLOAD") == [len(CONTENT) - RESUME_AT]


def test_resumes_an_upload_by_appending(site, ftp):
    site.remote.file("big.bin", CONTENT[:RESUME_AT])
    ftp.put("big.bin", CONTENT[ftp.size("big.bin"):], verb="APPE")
    assert sha256(site.remote / "big.bin") == hashlib.sha256(CONTENT).hexdigest()


def test_brings_a_tree_there_and_back(site, ftp):
    source, target = site.dir_here("source"), site.dir_here("target")
    make_tree(source)
    ftp.mkd("there")
    ftp.cwd("there")
    walk_up(ftp, source)
    assert hashes(site.remote / "there") == expected_hashes()
    walk_down(ftp, target)
    assert hashes(target) == expected_hashes()


def test_changes_names(site, ftp):
    make_tree(site.remote)
    assert ftp.pwd() == str(site.remote.path)
    assert ftp.mkd('say "b"') == str(site.remote / 'say "b"')
    ftp.cwd('say "b"')
    assert ftp.pwd() == str(site.remote / 'say "b"')
    ftp.cwd("..")
    ftp.rename("sub", 'say "b"/sub')
    ftp.rename("plain.txt", "big.bin")
    ftp.delete("two  blanks in a row")
    for name in reversed(directories()):
        if name.startswith("sub/"):
            for file in ftp.nlst(f'say "b"/{name[:-1]}'):
                ftp.delete(f'say "b"/{name}{os.path.basename(file)}')
            ftp.rmd(f'say "b"/{name}')
    expected = {name: found for name, found in expected_hashes().items()
                if not name.startswith("sub/")}
    del expected["two  blanks in a row"]
    expected.update({'say "b"/': None, "big.bin": expected.pop("plain.txt")})
    assert hashes(site.remote.path) == expected


def test_size_and_time(site, ftp):
    os.utime(site.remote.file("big.bin", CONTENT), (1_000_000_000, 1_000_000_000))
    assert ftp.sendcmd("TYPE I").startswith("200")
    assert ftp.size("big.bin") == len(CONTENT)
    assert ftp.sendcmd("MDTM big.bin") == "213 20010909014640"


def test_abort_of_a_download(site, ftp):
    site.remote.sparse("huge", 1 << 30)
    ftp.voidcmd("TYPE I")
    data = ftp.transfercmd("RETR huge")
    assert len(data.recv(100_000)) > 0
    answer = ftp.abort()
    data.close()
    assert answer.startswith("426")
    assert ftp.getresp().startswith("226")
    site.remote.file("f", b"content")
    assert ftp.get("f") == b"content"


def test_anonymous(site):
    ftp = site.ftp
    assert ftp.login().startswith("230")
    assert ftp.pwd() == "/"
    for name, found in public_hashes().items():
        if found is not None:
            assert hashlib.sha256(ftp.get("pub/" + name)).hexdigest() == found, name
    assert sorted(ftp.nlst("pub/sub")) == [
        "pub/sub/" + name for name in os.listdir(ANONYMOUS_TREE / "pub/sub")]
    with pytest.raises(ftplib.error_perm, match="^55[0-9]"):
        ftp.put("new", b"content")


def test_a_wrong_password_is_reported(site):
    with pytest.raises(ftplib.error_perm, match="^530"):
        site.ftp.login("alice", "wrong")
