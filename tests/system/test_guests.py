"""guest_enable, guest_username, virtual_use_local_privs: users with the account of another one."""

import os

import pytest

import posture
import procs
from accounts import ALL, GROUPS

OPTIONS = ("guest_enable", "guest_username", "virtual_use_local_privs", "local_umask")

GUEST = {"guest_enable": "YES", "guest_username": "guest"}
LOCAL = {**GUEST, "virtual_use_local_privs": "YES"}
WEB = {**GUEST, "guest_username": "tokens", "user_sub_token": "$USER"}


@pytest.fixture
def web():
    """The home of alice as a guest of the account tokens."""
    account = ALL["tokens"]
    top = ALL["tokens"].home.replace("$USER", "alice")
    os.makedirs(top, exist_ok=True)
    os.chown(top, account.uid, account.gid)
    yield top
    for name in os.listdir(top):
        os.unlink(f"{top}/{name}")
    os.rmdir(top)


def service(daemon):
    """The service process of the one session."""
    return daemon.only_session()[1].pid


def check_ids(pid, account, groups=()):
    """The process has the ids of the account, and no other group than its own and `groups`."""
    assert posture.ids(pid, "Uid") == [account.uid] * 4
    assert posture.ids(pid, "Gid") == [account.gid] * 4
    assert posture.groups(pid) == {account.gid, *groups}


def test_guests_have_the_account_of_guest_username(ftpd):
    daemon = ftpd(**GUEST)
    daemon.login("alice").in_step()
    check_ids(service(daemon), ALL["guest"])
    assert '[alice] OK LOGIN: Client "127.0.0.1"' in daemon.log


def test_users_are_themselves_without_guest_enable(ftpd):
    daemon = ftpd(**{**GUEST, "guest_enable": "NO"})
    daemon.login("alice")
    check_ids(service(daemon), ALL["alice"], GROUPS.values())


def test_guests_have_the_groups_of_guest_username(ftpd):
    daemon = ftpd(guest_enable="YES", guest_username="grp")
    daemon.login("bob")
    check_ids(service(daemon), ALL["grp"], GROUPS.values())


def test_guests_need_their_own_password(ftpd):
    client = ftpd(**GUEST).connect()
    assert client.try_login("alice", ALL["guest"].password) == 530
    assert client.try_login("nosuchuser", "x") == 530
    client.login("alice", ALL["alice"].password)


@pytest.mark.parametrize("name", ["expired", "badshell", "locked", "uidzero"])
def test_accounts_that_may_not_log_in_are_no_guests(ftpd, name):
    assert ftpd(**GUEST).connect().try_login(name, ALL[name].password) == 530


def test_guests_need_no_home_of_their_own(ftpd):
    ftpd(**GUEST).login("nohome").in_step()


def test_guests_see_nothing_outside_the_home(ftpd):
    """Whatever chroot_local_user and the list say."""
    chroot_list = ftpd.directory / "list"
    chroot_list.write_text("alice\n")
    daemon = ftpd(**GUEST, chroot_local_user="YES", chroot_list_enable="YES",
                  chroot_list_file=str(chroot_list))
    client = daemon.login("alice")
    assert posture.root(service(daemon)) == "/home/guest"
    assert client.pwd() == "/"
    client.cmds(("CWD /home", 550), ("CWD ..", 250), ("SIZE /etc/passwd", 550))
    client.refused("RETR ../../etc/passwd", 550)


def test_guests_begin_in_a_home_of_their_own_name(ftpd, web):
    open(f"{web}/inside", "wb").close()
    daemon = ftpd(**WEB)
    client = daemon.login("alice")
    assert client.nlst() == ["inside"]
    assert posture.root(service(daemon)) == web
    check_ids(service(daemon), ALL["tokens"])


def test_guests_go_to_local_root(ftpd, ground):
    ground.dir("alice")
    daemon = ftpd(**GUEST, local_root="/srv/ground/$USER", user_sub_token="$USER")
    daemon.login("alice")
    assert posture.root(service(daemon)) == "/srv/ground/alice"


# Rights.

WRITES = ["MKD new", "DELE old", "RNFR old", "APPE old", "SITE CHMOD 600 old"]


def test_guests_write_nothing_by_default(ftpd, web):
    old = web + "/old"
    open(old, "wb").close()
    os.chown(old, ALL["tokens"].uid, ALL["tokens"].gid)
    client = ftpd(**WEB).login("alice")
    for line in WRITES:
        client.cmd(line, 550)
    client.refused("STOR new", 550)
    assert os.listdir(web) == ["old"]


def test_guests_may_what_anonymous_users_may(ftpd, web):
    client = ftpd(**WEB, anon_upload_enable="YES", anon_umask="027", local_umask="000").login("alice")
    client.stor("new", b"x")
    assert os.stat(f"{web}/new").st_mode & 0o7777 == 0o640
    client.cmd("DELE new", 550)


def test_guests_read_only_what_everybody_may(ftpd, web):
    for name, mode in (("open", 0o644), ("closed", 0o640)):
        open(f"{web}/{name}", "wb").close()
        os.chown(f"{web}/{name}", ALL["tokens"].uid, ALL["tokens"].gid)
        os.chmod(f"{web}/{name}", mode)
    client = ftpd(**WEB).login("alice")
    assert client.retr("open") == b""
    client.refused("RETR closed", 550)


def test_guests_with_local_rights(ftpd, web):
    daemon = ftpd(**WEB, virtual_use_local_privs="YES", local_umask="027", anon_umask="077")
    client = daemon.login("alice")
    check_ids(service(daemon), ALL["tokens"])
    client.stor("new", b"x")
    assert os.stat(f"{web}/new").st_mode & 0o7777 == 0o640
    client.cmds(("MKD dir", 257), ("RMD dir", 250), ("RNFR new", 350), ("RNTO old", 250),
                ("SITE CHMOD 600 old", 200))
    assert client.retr("old") == b"x"
    client.cmd("DELE old", 250)


@pytest.mark.parametrize("umask, mode", [("022", 0o644), ("077", 0o600)])
def test_umask_of_guests_with_local_rights(ftpd, web, umask, mode):
    ftpd(**WEB, virtual_use_local_privs="YES", local_umask=umask).login("alice").stor("new", b"x")
    assert os.stat(f"{web}/new").st_mode & 0o7777 == mode


def test_guests_with_local_rights_need_write_enable(ftpd, web):
    client = ftpd(**WEB, virtual_use_local_privs="YES", write_enable="NO").login("alice")
    client.refused("STOR new", 550)


@pytest.mark.parametrize("jail, root", [("NO", "/"), ("YES", "/home/guest")])
def test_guests_with_local_rights_are_kept_in_as_local_users(ftpd, jail, root):
    daemon = ftpd(**LOCAL, chroot_local_user=jail)
    client = daemon.login("alice")
    assert posture.root(service(daemon)) == root
    assert client.pwd() == ("/" if jail == "YES" else "/home/guest")


def test_guests_with_local_rights_are_in_the_chroot_list_by_their_own_name(ftpd):
    chroot_list = ftpd.directory / "list"
    chroot_list.write_text("alice\n")
    daemon = ftpd(**LOCAL, chroot_list_enable="YES", chroot_list_file=str(chroot_list))
    assert daemon.login("alice").pwd() == "/"
    assert daemon.login("bob").pwd() == "/home/guest"


def test_mark_in_the_home_of_guest_username(ftpd):
    client = ftpd(guest_enable="YES", guest_username="marked", passwd_chroot_enable="YES").login("bob")
    assert client.pwd() == "/in/side"


# Others.

def test_anonymous_users_are_no_guests(ftpd):
    daemon = ftpd(**LOCAL)
    client = daemon.anonymous()
    check_ids(service(daemon), ALL["ftp"])
    client.cmd("MKD new", 550)


def test_guests_say_user_again(ftpd):
    """The name is their own, and not that of anonymous users, whose rights they have."""
    client = ftpd(**GUEST).login("alice")
    client.cmds(("USER anonymous", 530), ("USER bob", 530), ("USER alice", 331), ("PASS x", 230))


def test_owner_of_files_of_guests_is_shown(ftpd, web):
    client = ftpd(**WEB, text_userdb_names="YES", virtual_use_local_privs="YES").login("alice")
    client.stor("new", b"x")
    (line,) = client.list()
    assert line.split()[2:4] == ["tokens", "tokens"]


def test_reload_makes_guests(ftpd):
    daemon = ftpd()
    daemon.reload(**GUEST)
    assert procs.wait_for(lambda: "changed: guest_enable, guest_username" in daemon.stderr)
    daemon.login("alice")
    check_ids(service(daemon), ALL["guest"])


def test_home_of_guest_username_that_is_missing_refuses_the_login(ftpd):
    daemon = ftpd(guest_enable="YES", guest_username="nohome")
    assert daemon.connect().try_login("alice", ALL["alice"].password) == 530
    assert "cannot enter the directory /home/nohome: No such file" in daemon.log
    daemon.anonymous().in_step()
