"""Who must encrypt, and who may."""

import os

import pytest

import ftpsraw
from accounts import ALL
from ftpraw import closed_without_data
from virtualusers import VirtualUsers

OPTIONS = ("force_local_logins_ssl", "force_local_data_ssl", "force_anon_logins_ssl",
           "force_anon_data_ssl", "allow_anon_ssl")

DATA_LINES = ["RETR f", "STOR g", "APPE g", "STOU g", "LIST", "NLST", "MLSD"]
ANON = {"allow_anon_ssl": "YES"}


def refused_before_a_password(daemon, client, user):
    """530 to USER, the end of the session, and a line in the log or none, but no login."""
    before = daemon.log.count("OK LOGIN")
    client.cmd(f"USER {user}", 530)
    client.wait_closed()
    assert daemon.log.count("OK LOGIN") == before


# Logins.

@pytest.mark.parametrize("user", ["alice", "nosuchuser", "root"])
def test_local_logins_must_encrypt(ftps, user):
    daemon = ftps()
    refused_before_a_password(daemon, ftpsraw.connect(daemon), user)


def test_password_in_the_clear_is_of_no_use(ftps):
    """Sent in one piece with its USER."""
    daemon = ftps()
    client = ftpsraw.connect(daemon)
    client.send("USER alice\r\nPASS secret-alice\r\n")
    client.reply(530)
    ftpsraw.closes(client)
    assert "OK LOGIN" not in daemon.whole_log()


def test_local_logins_may_be_clear(ftps, home):
    daemon = ftps(force_local_logins_ssl="NO", force_local_data_ssl="NO")
    client = daemon.login("alice")
    client.stor("f", b"content")
    assert client.retr("f") == b"content"
    assert ftpsraw.login(daemon).retr("f") == b"content"


def test_virtual_users_are_local_users(ftps, tmp_path):
    users = VirtualUsers(tmp_path / "users")
    account = ALL["guest"]
    users.add("shop", uid=account.uid, gid=account.gid, home="/home/guest")
    daemon = ftps(virtual_users_file=str(users.path))
    refused_before_a_password(daemon, ftpsraw.connect(daemon), "shop")
    client = ftpsraw.secured(daemon)
    client.login("shop", "secret-shop")
    client.cmd("PASV", 227)
    client.cmd("LIST", 522)
    client.protect().list()


def test_guests_are_local_users(ftps, home):
    daemon = ftps(guest_enable="YES", guest_username="guest")
    refused_before_a_password(daemon, ftpsraw.connect(daemon), "alice")
    client = ftpsraw.secured(daemon)
    client.login("alice", "secret-alice")
    client.cmd("PROT C", 534)
    client.cmd("PASV", 227)
    client.cmd("LIST", 522)
    client.protect().list()


@pytest.mark.parametrize("force, allow, clear, encrypted", [
    ("NO", "NO", True, False),
    ("NO", "YES", True, True),
    ("YES", "NO", False, True),  # who is forced may, as in vsftpd
    ("YES", "YES", False, True),
])
def test_anonymous_logins(ftps, force, allow, clear, encrypted):
    daemon = ftps(force_anon_logins_ssl=force, allow_anon_ssl=allow)
    if clear:
        daemon.anonymous().list()
    else:
        refused_before_a_password(daemon, ftpsraw.connect(daemon), "anonymous")
    if encrypted:
        ftpsraw.login(daemon, "ftp").list()
    else:
        refused_before_a_password(daemon, ftpsraw.secured(daemon), "ftp")


# Data connections.

@pytest.mark.parametrize("line", DATA_LINES)
@pytest.mark.parametrize("mode", ["pasv", "epsv", "port", "eprt"])
def test_local_data_must_be_encrypted(ftps, home, line, mode):
    """522 before a data connection is used; no byte goes over it, and nothing is created."""
    home.file("f", b"content")
    client = ftpsraw.secured(ftps())
    client.login("alice", "secret-alice")
    data = getattr(client, mode)()
    client.cmd(line, 522)
    client.in_step()
    if mode in ("pasv", "epsv"):
        client.cmd(mode.upper())  # which closes what has connected before
        assert closed_without_data(data())
    assert home.names() == ["f"]
    client.protect()
    assert client.retr("f", mode) == b"content"


def test_prot_c_is_refused_then(ftps, home):
    """Before the login nobody knows yet what will hold for the user."""
    home.file("f", b"content")
    client = ftpsraw.secured(ftps())
    client.cmd("PROT C", 200)
    client.login("alice", "secret-alice")
    client.cmd("PROT C", 534)
    client.cmd("PASV", 227)
    client.cmd("RETR f", 522)
    client.protect()
    client.cmd("PROT C", 534)
    assert client.retr("f") == b"content"


def test_data_may_be_clear(ftps, home):
    home.file("f", b"content")
    client = ftpsraw.login(ftps(force_local_data_ssl="NO"), level="C")
    assert client.retr("f") == b"content"
    client.protect()
    assert client.retr("f") == b"content"
    client.protect("C")
    assert client.retr("f") == b"content"


def test_clear_login_with_data_that_must_be_encrypted(ftps, home):
    """Who does not encrypt can list nothing."""
    daemon = ftps(force_local_logins_ssl="NO", force_local_data_ssl="YES")
    client = daemon.login("alice")
    client.cmd("PASV", 227)
    client.cmd("LIST", 522)
    client.in_step()
    ftpsraw.login(daemon).list()


@pytest.mark.parametrize("force", ["YES", "NO"])
def test_anonymous_data(ftps, force):
    daemon = ftps(force_anon_data_ssl=force, **ANON)
    client = ftpsraw.login(daemon, "ftp")
    client.list()
    client.cmd("PROT C", 534 if force == "YES" else 200)
    other = ftpsraw.secured(daemon)
    other.cmd("USER ftp", 331)
    other.cmd("PASS x@example.com", 230)
    if force == "YES":
        other.cmd("PASV", 227)
        other.cmd("LIST", 522)
        other.in_step()
    else:
        other.list()


@pytest.mark.parametrize("option, name", [("force_local_data_ssl", "alice"),
                                          ("force_anon_data_ssl", "ftp")])
def test_data_by_user(ftps, home, tmp_path, option, name):
    """One user's own file says so, or that he need not."""
    for value, other in (("YES", "NO"), ("NO", "YES")):
        place = tmp_path / value
        place.mkdir()
        (place / name).write_text(f"{option}={value}\n")
        os.chown(place / name, 0, 0)
        daemon = ftps(user_config_dir=str(place), listen_port="2100" if value == "YES" else "2101",
                      **{option: other}, **ANON)
        client = ftpsraw.login(daemon, name, level="P")
        client.cmd("PROT C", 534 if value == "YES" else 200)
        if name == "alice":
            client = ftpsraw.login(daemon, "bob", level="P")
            client.cmd("PROT C", 534 if other == "YES" else 200)


def test_without_tls_nothing_is_forced(ftpd, home):
    """The options belong to ssl_enable=YES."""
    home.file("f", b"content")
    daemon = ftpd(force_local_logins_ssl="YES", force_local_data_ssl="YES",
                  force_anon_logins_ssl="YES", force_anon_data_ssl="YES")
    assert daemon.login("alice").retr("f") == b"content"
    daemon.anonymous().list()


def test_reasons_are_not_told_to_clients(ftps):
    """No names of options, no paths."""
    daemon = ftps(force_anon_logins_ssl="YES")
    for user in ("alice", "anonymous"):
        text = ftpsraw.connect(daemon).cmd(f"USER {user}", 530).text
        assert "_ssl" not in text and "/" not in text
        assert "AUTH TLS" in text


def test_home_is_left_alone(ftps, home):
    """522 comes before a file is made or cut."""
    home.file("f", b"content")
    client = ftpsraw.secured(ftps())
    client.login("alice", "secret-alice")
    for line in ("STOR f", "STOR new", "APPE f"):
        client.cmd("PASV", 227)
        client.cmd(line, 522)
    assert home.names() == ["f"]
    assert (home / "f").read_bytes() == b"content"
