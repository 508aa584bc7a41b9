"""local_root, user_sub_token, passwd_chroot_enable: where a user is."""

import os

import pytest

import posture
from accounts import ALL
from ftpd import Ftpd

OPTIONS = ("local_root", "user_sub_token", "passwd_chroot_enable")

JAIL = {"chroot_local_user": "YES"}
MARKS = {"passwd_chroot_enable": "YES"}


def place(daemon, name="alice"):
    """The directory in which the user begins, as the client sees it, and the root of the session."""
    assert isinstance(daemon, Ftpd)
    client = daemon.login(name)
    root = posture.root(daemon.only_session()[1].pid)
    path = client.pwd()
    client.in_step()
    daemon.close_clients()
    assert not daemon.wait_no_sessions()
    return path, root


@pytest.fixture
def web(ground):
    """Directories of alice and bob, and one with the name of the token."""
    for name in ("alice", "bob", "$USER"):
        path = ground.dir(name)
        ground.file(f"{name}/mark-{name}", b"x")
        if name in ALL:
            os.chown(path, ALL[name].uid, ALL[name].gid)
    return ground


def test_local_root_is_where_users_begin(ftpd, ground):
    assert place(ftpd(), "alice") == ("/home/alice", "/")
    assert place(ftpd(local_root="/srv/ground", listen_port="2121"), "alice") == ("/srv/ground", "/")


def test_local_root_is_what_users_are_kept_in(ftpd, ground, home):
    ground.file("inside", b"content")
    home.file("outside", b"x")
    daemon = ftpd(local_root="/srv/ground", **JAIL)
    assert place(daemon) == ("/", "/srv/ground")
    client = daemon.login("alice")
    assert client.nlst() == ["inside"]
    client.cmds(("CWD ..", 250), ("CWD /home", 550), ("SIZE /home/alice/outside", 550))
    client.refused("RETR ../home/alice/outside", 550)
    assert client.retr("/inside") == b"content"


def test_local_root_is_not_for_anonymous_users(ftpd, ground):
    daemon = ftpd(local_root="/srv/ground")
    client = daemon.anonymous()
    assert posture.root(daemon.only_session()[1].pid) == "/srv/ftp"
    assert client.nlst() == ["pub"]


def test_local_root_does_without_a_home(ftpd, ground):
    """vsftpd wants the home too; that is a trap, and no use."""
    assert ftpd().connect().try_login("nohome", ALL["nohome"].password) == 530
    assert place(ftpd(local_root="/srv/ground", listen_port="2121"), "nohome") == ("/srv/ground", "/")


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_token_stands_for_the_name(ftpd, web, name):
    daemon = ftpd(local_root="/srv/ground/$USER", user_sub_token="$USER", **JAIL)
    assert place(daemon, name) == ("/", f"/srv/ground/{name}")
    assert daemon.login(name).nlst() == [f"mark-{name}"]


def test_without_a_token_the_name_is_taken_as_it_is(ftpd, web):
    daemon = ftpd(local_root="/srv/ground/$USER", **JAIL)
    assert place(daemon) == ("/", "/srv/ground/$USER")


def test_token_in_a_home(ftpd, home):
    for name in ("tokens", "$USER"):
        os.makedirs(f"/srv/web/{name}", exist_ok=True)
    assert place(ftpd(), "tokens")[0] == "/srv/web/$USER"
    assert place(ftpd(user_sub_token="$USER", listen_port="2121"), "tokens")[0] == "/srv/web/tokens"


# A local_root that is not there.

def closed_to_alice(ground):
    path = ground.dir("closed", 0o700)
    os.chown(path, 0, 0)


@pytest.mark.parametrize("name", ["missing", "closed", "file"])
def test_free_user_begins_at_home_without_local_root(ftpd, ground, name):
    """As with vsftpd; the log says it."""
    closed_to_alice(ground)
    ground.file("file")
    daemon = ftpd(local_root=f"/srv/ground/{name}")
    assert place(daemon) == ("/home/alice", "/")
    assert (f'[alice] WARNING: Client "127.0.0.1", "cannot enter local_root, /srv/ground/{name}; '
            'the session begins in /home/alice"') in daemon.log
    assert "OK LOGIN" in daemon.log


@pytest.mark.parametrize("name", ["missing", "closed", "file"])
def test_kept_in_user_is_refused_without_local_root(ftpd, ground, name):
    closed_to_alice(ground)
    ground.file("file")
    daemon = ftpd(local_root=f"/srv/ground/{name}", max_login_fails="2", **JAIL)
    client = daemon.connect()
    assert client.cmd("USER alice", 331)
    reply = client.cmd("PASS secret-alice", 530)
    assert reply.text == "Login incorrect."
    assert f"cannot enter the directory /srv/ground/{name}: " in daemon.log
    assert client.try_login("alice", ALL["alice"].password) == 530
    client.wait_closed()


def test_user_without_home_and_local_root_is_refused(ftpd, ground):
    daemon = ftpd(local_root="/srv/ground/missing")
    assert daemon.connect().try_login("nohome", ALL["nohome"].password) == 530
    assert "cannot enter the directory /srv/ground/missing: No such file" in daemon.log


def test_relative_local_root_lets_nobody_in(ftpd):
    daemon = ftpd(local_root="srv/ground")
    assert daemon.connect().try_login("alice", ALL["alice"].password) == 530
    assert "does not begin with /" in daemon.log
    daemon.anonymous().in_step()


# passwd_chroot_enable.

@pytest.mark.parametrize("name, options, expected", [
    ("marked", {**JAIL}, ("/", "/home/marked/in/side")),
    ("marked", {**JAIL, **MARKS}, ("/in/side", "/home/marked")),
    ("marked", {**MARKS}, ("/home/marked/in/side", "/")),
    ("marked", {**JAIL, **MARKS, "local_root": "/srv"}, ("/in/side", "/home/marked")),
    ("marked", {**JAIL, "local_root": "/srv"}, ("/", "/srv")),
    ("markend", {**JAIL, **MARKS}, ("/", "/home/markend")),
    ("markend", {**JAIL, **MARKS, "local_root": "/srv"}, ("/", "/home/markend")),
    ("markfront", {**JAIL, **MARKS}, ("/", "/home/markfront")),
    ("marklost", {**JAIL, **MARKS}, ("/", "/home/marklost")),
    ("marklost", {**MARKS}, ("/home/marklost", "/")),
    ("alice", {**JAIL, **MARKS}, ("/", "/home/alice")),
    ("alice", {**JAIL, **MARKS, "local_root": "/srv"}, ("/", "/srv")),
])
def test_mark_in_a_home(ftpd, name, options, expected):
    """As the real vsftpd does it, case by case."""
    assert place(ftpd(**options), name) == expected


def test_start_behind_a_mark_is_no_way_out(ftpd):
    """What stands behind the mark is looked up inside of the jail."""
    os.symlink("/etc", "/home/marklost/lost")
    try:
        assert place(ftpd(**JAIL, **MARKS), "marklost") == ("/", "/home/marklost")
    finally:
        os.unlink("/home/marklost/lost")


def test_home_with_a_mark_that_is_missing_is_refused_without_the_option(ftpd):
    assert ftpd(**JAIL).connect().try_login("marklost", ALL["marklost"].password) == 530
