"""Anonymous sessions: names, root directory, what they may read, and that they write nothing."""

import os
import shutil
from pathlib import Path

import pytest

import procs
from accounts import ALL

OPTIONS = ("ftp_username", "anon_root", "no_anon_password", "anon_world_readable_only")

TOP = Path(ALL["ftp"].home)


@pytest.fixture
def incoming():
    """A directory in the anonymous area where the system would let anyone write."""
    path = TOP / "incoming"
    path.mkdir()
    path.chmod(0o777)
    (path / "old").write_bytes(b"old")
    (path / "dir").mkdir()
    for made in (path / "old", path / "dir"):
        os.chown(made, ALL["ftp"].uid, ALL["ftp"].gid)
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("name", ["anonymous", "ftp", "ANONYMOUS", "Ftp"])
@pytest.mark.parametrize("password", ["test@example.com", "x", "", " ", "ü", "%n%s"])
def test_any_password_will_do(ftpd, name, password):
    client = ftpd().connect()
    client.cmds((f"USER {name}", 331), (f"PASS {password}", 230))
    client.in_step()


def test_no_password_asked_with_no_anon_password(ftpd):
    daemon = ftpd(no_anon_password="YES")
    client = daemon.connect()
    client.cmd("USER anonymous", 230)
    assert client.cmd("PWD", 257).quoted() == "/"
    daemon.login("alice").in_step()


def test_root_directory_is_the_anonymous_area(anon):
    assert anon.cmd("PWD", 257).quoted() == "/"
    assert "pub" in anon.names()
    assert anon.names("/") == anon.names()


def test_identity_of_the_service_process(ftpd):
    daemon = ftpd()
    daemon.anonymous()
    service = daemon.only_session()[1].pid
    status = procs.status(service)
    assert set(status["Uid"].split()) == {str(ALL["ftp"].uid)}
    assert set(status["Gid"].split()) == {str(ALL["ftp"].gid)}
    assert os.readlink(f"/proc/{service}/root") == str(TOP)


@pytest.mark.parametrize("path", ["..", "/..", "../../etc", "/etc", "/home", "pub/../..",
                                  "pub/outside"])
def test_nothing_outside_can_be_entered(anon, path):
    reply = anon.cmd(f"CWD {path}", 250, 550)
    if reply.code == 250:
        assert anon.cmd("PWD", 257).quoted() == "/"
    assert "pub" in anon.names("/")


@pytest.mark.parametrize("path", ["/etc/passwd", "../etc/passwd", "/../etc/passwd", "pub/outside",
                                  "../../../../../../etc/passwd", "/proc/version"])
def test_nothing_outside_can_be_read(anon, path):
    anon.refused(f"RETR {path}", 550)
    anon.cmd(f"SIZE {path}", 550)
    anon.in_step()


@pytest.mark.parametrize("mode", ["pasv", "epsv", "port", "eprt"])
def test_download(anon, mode):
    assert anon.retr("pub/data.bin", mode) == (TOP / "pub" / "data.bin").read_bytes()


def test_name_with_blanks(anon):
    anon.cmd("CWD pub", 250)
    assert anon.retr("name with blanks") == b"blank\n"


def test_unreadable_file(anon):
    anon.refused("RETR pub/secret.txt", 550)


def test_own_file_that_not_everyone_may_read(ftpd, incoming):
    (incoming / "old").chmod(0o600)
    ftpd().anonymous().refused("RETR incoming/old", 550)


def test_listing_of_a_directory_that_not_everyone_may_read_is_empty(ftpd, incoming):
    os.chown(incoming, ALL["ftp"].uid, ALL["ftp"].gid)
    incoming.chmod(0o700)
    for setting, expected in (("YES", []), ("NO", ["dir", "old"])):
        client = ftpd(anon_world_readable_only=setting).anonymous()
        client.cmd("CWD incoming", 250)
        assert client.names() == client.names("/incoming") == client.nlst() == expected
        client.close()
        ftpd.daemons[-1].stop()


def test_own_file_with_anon_world_readable_only_off(ftpd, incoming):
    (incoming / "old").chmod(0o600)
    client = ftpd(anon_world_readable_only="NO").anonymous()
    assert client.retr("incoming/old") == b"old"


@pytest.mark.parametrize("line", ["DELE old", "RMD dir", "MKD new", "XMKD new", "RNFR old",
                                  "SITE CHMOD 777 old"])
def test_no_changes(ftpd, incoming, line):
    client = ftpd().anonymous()
    client.cmds(("CWD incoming", 250), (line, 550))
    client.in_step()
    assert sorted(os.listdir(incoming)) == ["dir", "old"]
    assert (incoming / "old").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("line", ["STOR new", "STOR old", "APPE new", "APPE old"])
def test_no_uploads(ftpd, incoming, line):
    client = ftpd().anonymous()
    client.cmd("CWD incoming", 250)
    client.refused(line, 550)
    client.in_step()
    assert sorted(os.listdir(incoming)) == ["dir", "old"]
    assert (incoming / "old").read_bytes() == b"old"


def test_anon_root(ftpd):
    client = ftpd(anon_root="/srv/ftp/pub").anonymous()
    assert client.cmd("PWD", 257).quoted() == "/"
    assert client.retr("/readme.txt") == b"Hello, world.\n"
    client.cmds(("CWD ..", 250), ("SIZE pub", 550), ("SIZE /pub/readme.txt", 550))


def test_ftp_username(ftpd):
    daemon = ftpd(ftp_username="carol", anon_root="/srv/ftp")
    daemon.anonymous()
    status = procs.status(daemon.only_session()[1].pid)
    assert set(status["Uid"].split()) == {str(ALL["carol"].uid)}


def test_other_users_beside_anonymous(ftpd):
    daemon = ftpd()
    anonymous, alice = daemon.anonymous(), daemon.login("alice")
    assert anonymous.cmd("PWD", 257).quoted() == "/"
    assert alice.cmd("PWD", 257).quoted() == ALL["alice"].home
