"""chroot_local_user, chroot_list_enable, chroot_list_file: who is kept in."""

import pytest

import posture
from accounts import ALL

OPTIONS = ("chroot_local_user", "chroot_list_enable", "chroot_list_file")


@pytest.fixture
def chroot_list(ftpd):
    """The file, with alice in it."""
    path = ftpd.directory / "chroot_list"
    path.write_text("alice\n")
    return path


def is_kept_in(daemon, name):
    """True if the new session of the user sees the home only; the client has to see the same."""
    client = daemon.login(name)
    root = posture.root(daemon.only_session()[1].pid)
    home = ALL[name].home
    assert root in ("/", home)
    assert client.pwd() == ("/" if root == home else home)
    client.cmd("CWD /etc", 550 if root == home else 250)
    daemon.close_clients()
    assert not daemon.wait_no_sessions()
    return root == home


@pytest.mark.parametrize("everyone, enable, listed, other", [
    ("NO", "NO", False, False),
    ("NO", "YES", True, False),
    ("YES", "NO", True, True),
    ("YES", "YES", False, True),
])
def test_who_is_kept_in(ftpd, chroot_list, everyone, enable, listed, other):
    daemon = ftpd(chroot_local_user=everyone, chroot_list_enable=enable,
                  chroot_list_file=str(chroot_list))
    assert is_kept_in(daemon, "alice") == listed
    assert is_kept_in(daemon, "bob") == other


def test_change_of_the_file_counts_at_once(ftpd, chroot_list):
    daemon = ftpd(chroot_list_enable="YES", chroot_list_file=str(chroot_list))
    client = daemon.connect()
    chroot_list.write_text("# alice\n  bob \r\n")
    client.login("alice", ALL["alice"].password)
    assert client.pwd() == "/home/alice"
    client.close()
    assert not daemon.wait_no_sessions()
    assert is_kept_in(daemon, "bob")


@pytest.mark.parametrize("everyone", ["NO", "YES"])
def test_list_that_cannot_be_read_lets_no_local_user_in(ftpd, chroot_list, everyone):
    """Nobody gets out of a jail because a file was lost."""
    daemon = ftpd(chroot_local_user=everyone, chroot_list_enable="YES",
                  chroot_list_file=str(chroot_list))
    chroot_list.unlink()
    client = daemon.connect()
    assert client.try_login("alice", ALL["alice"].password) == 530
    assert (f'[alice] FAIL LOGIN: Client "127.0.0.1", "cannot read chroot_list_file={chroot_list}: '
            'No such file or directory"') in daemon.log
    daemon.anonymous().in_step()
    chroot_list.touch()
    client.login("alice", ALL["alice"].password)


def test_list_is_not_for_anonymous_users(ftpd, chroot_list):
    chroot_list.write_text("ftp\nanonymous\n")
    daemon = ftpd(chroot_local_user="YES", chroot_list_enable="YES",
                  chroot_list_file=str(chroot_list))
    client = daemon.anonymous()
    assert posture.root(daemon.only_session()[1].pid) == "/srv/ftp"
    client.cmd("CWD /etc", 550)


def test_what_a_user_puts_into_the_jail_is_not_loaded(ftpd, home):
    """Files under names that libraries and databases have outside."""
    home.dir("etc")
    home.file("etc/passwd", b"alice:x:0:0::/:/bin/sh\n")
    home.file("etc/group", b"root:x:%d:\n" % home.account.gid)
    home.file("etc/nsswitch.conf", b"passwd: evil\n")
    home.file("etc/localtime", b"TZif")
    home.dir("lib/x86_64-linux-gnu")
    home.file("lib/x86_64-linux-gnu/libnss_evil.so.2", b"\x7fELF")
    home.file("mine")
    client = ftpd(chroot_local_user="YES", text_userdb_names="YES").login("alice")
    for line in client.list():
        assert " alice " in line, line
    client.cmd("SITE CHMOD 600 mine", 200)
    client.in_step()
