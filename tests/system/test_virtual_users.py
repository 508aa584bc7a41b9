"""virtual_users_file: users that are no accounts of the machine, beside those that are."""

import hashlib
import os
import subprocess

import pytest

import accounts
import posture
from accounts import ALL, GROUPS
from sessions import Session
from virtualusers import VirtualUsers

OPTIONS = ("virtual_users_file",)


@pytest.fixture
def users(ftpd):
    return VirtualUsers(ftpd.directory / "users")


@pytest.fixture
def start(ftpd, users):
    """start(option="value", ...) starts a daemon with the file."""
    def start(**options):
        return ftpd(virtual_users_file=str(users.path), **options)
    return start


def login(daemon, name="vera", password=None):
    client = daemon.connect()
    client.login(name, password or f"secret-{name}")
    return client


def refused(daemon, name="vera", password=None):
    """The client hears what everybody hears; returns what the log says about it."""
    client = daemon.connect()
    client.cmd(f"USER {name}", 331)
    reply = client.cmd(f"PASS {password or 'secret-' + name}", 530)
    assert reply.lines == ["530 Login incorrect."]
    client.in_step()
    return daemon.log.splitlines()[-1]


def check_service(daemon, uid, gid, groups, root):
    """Ids, groups and root of the one service process."""
    pid = daemon.only_session()[1].pid
    assert posture.ids(pid, "Uid") == [uid] * 4
    assert posture.ids(pid, "Gid") == [gid] * 4
    assert posture.groups(pid) == set(groups)
    assert posture.root(pid) == posture.cwd(pid) == root


# Who may log in.

def test_virtual_users_need_the_option(ftpd, users, start, ground):
    users.add("vera", uid="guest", home=ground.path)
    login(start()).in_step()
    assert ftpd(listen_port="2121").connect().try_login("vera", "secret-vera") == 530


def test_real_users_log_in_beside_them(start, users, ground):
    users.add("vera", uid="guest", home=ground.path)
    daemon = start()
    login(daemon).in_step()
    daemon.login("alice").in_step()
    daemon.anonymous().in_step()


def test_virtual_users_alone(start, users, ground):
    users.add("vera", uid="guest", home=ground.path)
    daemon = start(local_enable="NO", anonymous_enable="NO")
    login(daemon).in_step()
    assert "not in virtual_users_file, and local_enable=NO" in refused(daemon, "alice")
    assert daemon.connect().try_login("anonymous", "x") == 530


def test_virtual_user_goes_before_an_account_of_that_name(start, users, ground):
    users.add("alice", "another", uid="guest", home=ground.path)
    daemon = start()
    client = daemon.connect()
    assert client.try_login("alice", ALL["alice"].password) == 530
    client.login("alice", "another")
    check_service(daemon, ALL["guest"].uid, ALL["guest"].gid, [ALL["guest"].gid], "/srv/ground")


@pytest.mark.parametrize("scheme", sorted(accounts.SCHEMES))
def test_every_scheme_of_crypt(start, users, ground, scheme):
    users.add("vera", hashed=accounts.crypt_hash("päss wörd", scheme), uid="guest",
              home=ground.path)
    daemon = start()
    login(daemon, "vera", "päss wörd")
    refused(daemon, "vera", "päss wört")


@pytest.mark.parametrize("hashed", ["!", "*", "x", "!!", "$y$nonsense", "secret-vera"])
def test_locked_and_malformed_hashes_let_nobody_in(start, users, ground, hashed):
    users.add("vera", hashed=hashed, uid="guest", home=ground.path)
    refused(start())


def test_locked_hash_of_the_right_password(start, users, ground):
    hashed = "!" + accounts.crypt_hash("secret-vera", "yescrypt")
    users.add("vera", hashed=hashed, uid="guest", home=ground.path)
    refused(start())


@pytest.mark.parametrize("name", ["Vera", "ver", "vera2", "verb"])
def test_only_the_whole_name_counts(start, users, ground, name):
    users.add("vera", uid="guest", home=ground.path)
    refused(start(), name, "secret-vera")


def test_change_of_the_file_counts_at_once(start, users, ground):
    daemon = start()
    client = daemon.connect()
    assert client.try_login("vera", "secret-vera") == 530
    users.add("vera", uid="guest", home=ground.path)
    client.login("vera", "secret-vera")
    users.lines.clear()
    users.write()
    client.in_step()
    refused(daemon)


def test_user_list_counts_for_virtual_users(ftpd, start, users, ground):
    users.add("vera", uid="guest", home=ground.path)
    userlist = ftpd.directory / "list"
    userlist.write_text("vera\n")
    daemon = start(userlist_enable="YES", userlist_file=str(userlist))
    daemon.connect().cmd("USER vera", 530)


# Whose rights they get.

def test_account_by_name(start, users, ground):
    users.add("vera", uid="grp", home=ground.path)
    daemon = start()
    login(daemon)
    account = ALL["grp"]
    check_service(daemon, account.uid, account.gid, [account.gid, *GROUPS.values()], "/srv/ground")


def test_account_by_number(start, users, ground):
    """It is the same account."""
    account = ALL["grp"]
    users.add("vera", uid=account.uid, home=ground.path)
    daemon = start()
    login(daemon)
    check_service(daemon, account.uid, account.gid, [account.gid, *GROUPS.values()], "/srv/ground")


def test_numbers_without_an_account(start, users, ground):
    users.add("vera", uid=50001, gid=50002, home=ground.path)
    daemon = start()
    login(daemon)
    check_service(daemon, 50001, 50002, [], "/srv/ground")


def test_uid_without_an_account_wants_a_gid(start, users, ground):
    users.add("vera", uid=50001, home=ground.path)
    assert "the account 50001, whose rights the user would get, does not exist" in refused(start())


@pytest.mark.parametrize("gid", ["team7", 2007])
def test_group_takes_the_place_of_those_of_the_account(start, users, ground, gid):
    users.add("vera", uid="grp", gid=gid, home=ground.path)
    daemon = start()
    login(daemon)
    check_service(daemon, ALL["grp"].uid, 2007, [], "/srv/ground")


def test_guest_username_without_a_uid(start, users, ground):
    users.add("vera", home=ground.path)
    daemon = start(guest_username="guest")
    login(daemon)
    check_service(daemon, ALL["guest"].uid, ALL["guest"].gid, [ALL["guest"].gid], "/srv/ground")


@pytest.mark.parametrize("fields, words", [
    ({"uid": "0", "gid": "1"}, "nobody gets the rights of root"),
    ({"uid": "0"}, "nobody gets the rights of root"),
    ({"uid": "root"}, "nobody gets the rights of root"),
    ({"uid": "uidzero"}, "nobody gets the rights of root"),
    ({"uid": "nosuchuser"}, "the account nosuchuser, whose rights the user would get, does not exist"),
    ({"uid": "guest", "gid": "nosuchgroup"}, "the group nosuchgroup of the user does not exist"),
    ({"uid": "4294967295", "gid": "1"}, "the account 4294967295"),
    ({"uid": "-1", "gid": "1"}, "the account -1"),
    ({"uid": "99999999999999999999", "gid": "1"}, "the account 9999"),
])
def test_rights_that_nobody_gets(start, users, ground, fields, words):
    users.add("vera", home=ground.path, **fields)
    assert words in refused(start())


def test_guest_username_that_does_not_exist(start, users, ground):
    users.add("vera", home=ground.path)
    daemon = start(guest_username="nosuchuser")
    assert "the account nosuchuser" in refused(daemon)
    daemon.login("alice").in_step()


# Where they are, and what they may.

def test_virtual_user_sees_nothing_outside_the_home(start, users, ground):
    """Whatever chroot_local_user says."""
    ground.file("inside", b"content")
    ground.link("out", "/etc")
    users.add("vera", uid="guest", home=ground.path)
    client = login(start(chroot_local_user="NO"))
    assert client.pwd() == "/"
    assert client.nlst() == ["inside", "out"]
    client.cmds(("CWD ..", 250), ("CWD /home", 550), ("CWD out", 550), ("SIZE /etc/passwd", 550))
    client.refused("RETR ../../etc/passwd", 550)
    assert client.retr("/../inside") == b"content"


def test_virtual_user_has_the_rights_of_local_users(start, users, ground):
    users.add("vera", uid="alice", home=ground.path)
    client = login(start(local_umask="027"))
    client.stor("new", b"x")
    assert os.stat("/srv/ground/new").st_mode & 0o7777 == 0o640
    client.cmds(("MKD dir", 257), ("RMD dir", 250), ("SITE CHMOD 600 new", 200), ("DELE new", 250))


def test_virtual_user_needs_write_enable(start, users, ground):
    users.add("vera", uid="alice", home=ground.path)
    login(start(write_enable="NO")).refused("STOR new", 550)


def test_virtual_user_is_kept_out_by_the_system(start, users, ground):
    """The home is of another account."""
    users.add("vera", uid="bob", home=ground.path)
    login(start()).refused("STOR new", 550, 553)


def test_token_in_the_home(start, users, ground):
    ground.dir("vera")
    users.add("vera", uid="guest", home="/srv/ground/$USER")
    daemon = start(user_sub_token="$USER")
    login(daemon)
    assert posture.root(daemon.only_session()[1].pid) == "/srv/ground/vera"


def test_home_of_the_account_without_one(start, users):
    users.add("vera", uid="guest")
    daemon = start()
    login(daemon)
    assert posture.root(daemon.only_session()[1].pid) == "/home/guest"


def test_local_root_without_a_home(start, users, ground):
    ground.dir("vera")
    users.add("vera", uid=50001, gid=50001)
    daemon = start(local_root="/srv/ground/$USER", user_sub_token="$USER")
    login(daemon)
    assert posture.root(daemon.only_session()[1].pid) == "/srv/ground/vera"


def test_no_home_at_all(start, users):
    users.add("vera", uid=50001, gid=50001)
    assert "the user has no home in virtual_users_file" in refused(start())


@pytest.mark.parametrize("home, words", [
    ("/srv/missing", "cannot enter the directory /srv/missing: No such file"),
    ("/etc/passwd", "cannot enter the directory /etc/passwd: Not a directory"),
    ("/root", "cannot enter the directory /root: Permission denied"),
    ("srv/ground", ":1: the home wants a path that begins with /"),
])
def test_home_that_cannot_be_used(start, users, home, words):
    os.chmod("/root", 0o700)
    users.add("vera", uid="guest", home=home)
    assert words in refused(start())


def test_settings(start, users, ground):
    users.add("vera", uid="alice", home=ground.path,
              settings="write_enable=NO pasv_min_port=30100\tpasv_max_port=30103 ")
    users.add("wim", uid="alice", home=ground.path)
    daemon = start()
    vera, wim = login(daemon), login(daemon, "wim")
    vera.refused("STOR new", 550)
    assert 30100 <= vera.pasv_address()[1] <= 30103
    wim.stor("new", b"x")


def test_file_of_the_user_goes_before_settings(ftpd, start, users, ground):
    directory = ftpd.directory / "config"
    directory.mkdir()
    (directory / "vera").write_text("write_enable=YES\n")
    users.add("vera", uid="alice", home=ground.path, settings="write_enable=NO local_umask=077")
    login(start(user_config_dir=str(directory))).stor("new", b"x")
    assert os.stat("/srv/ground/new").st_mode & 0o7777 == 0o600


def test_settings_that_cannot_differ_have_no_effect(start, users, ground):
    users.add("vera", uid="alice", home=ground.path, settings="listen_port=x max_login_fails=1")
    login(start()).in_step()


@pytest.mark.parametrize("settings, words", [
    ("write_enable=perhaps", "write_enable wants YES or NO, not 'perhaps'"),
    ("local_umask=022 writeable=NO", "unknown option 'writeable'"),
    ("write_enable", "'write_enable' is not name=value"),
])
def test_fault_in_settings_refuses_the_login(start, users, ground, settings, words):
    users.add_line("# users")
    users.add("vera", uid="alice", home=ground.path, settings=settings)
    users.add("wim", uid="alice", home=ground.path)
    daemon = start()
    assert f"{users.path}:2: {words}" in refused(daemon)
    login(daemon, "wim").in_step()


# Files with faults.

@pytest.mark.parametrize("line, words", [
    ("vera", None), ("vera:", "there is no hash"), ("vera::1:1:/srv:", "there is no hash"),
    ("vera:x::1", "there is a gid but no uid"),
])
def test_bad_line_refuses_its_user_only(start, users, ground, line, words):
    users.add_line(line)
    users.add("wim", uid="alice", home=ground.path)
    daemon = start()
    logged = refused(daemon)
    assert words is None or f"{users.path}:1: {words}" in logged
    login(daemon, "wim").in_step()
    daemon.login("alice").in_step()


@pytest.mark.parametrize("kind, words", [
    ("foreign", "belongs to another user than root"), ("readable", "should be 0600"),
    ("writable", "should be 0600"), ("missing", "No such file"),
    ("directory", "is not a regular file"), ("fifo", "is not a regular file"),
])
def test_unsafe_file_lets_nobody_in_who_gives_a_password(start, users, ground, kind, words):
    """Who of the real users is in the file cannot be told, so they are refused, too."""
    users.add("vera", uid="guest", home=ground.path)
    daemon = start(max_login_fails="10")
    if kind == "foreign":
        os.chown(users.path, ALL["alice"].uid, 0)
    elif kind in ("readable", "writable"):
        users.path.chmod(0o604 if kind == "readable" else 0o620)
    else:
        users.path.unlink()
        if kind == "directory":
            users.path.mkdir()
        elif kind == "fifo":
            os.mkfifo(users.path)
    for name in ("vera", "alice"):
        logged = refused(daemon, name)
        assert f'"{users.path}: ' in logged and words in logged
    daemon.anonymous().in_step()
    if kind == "directory":
        users.path.rmdir()
    elif kind == "fifo":
        users.path.unlink()
    users.write()
    login(daemon).in_step()


def test_group_may_read_the_file(start, users, ground):
    users.add("vera", uid="guest", home=ground.path)
    users.path.chmod(0o640)
    login(start()).in_step()


# What processes know.

def test_no_process_of_the_session_keeps_hashes_or_the_file(start, users, ground):
    for name in ("vera", "wim", "xenia"):
        users.add(name, uid="guest", home=ground.path)
    hashes = {line.split(":")[1].encode() for line in users.lines}
    secrets = hashes | {text[-20:] for text in hashes} | {b"secret-vera"}
    daemon = start()
    early = Session(daemon)
    session = Session(daemon).login("vera", "secret-vera")
    session.client.in_step()
    for pid in (daemon.pid, *early.pids, *session.pids):
        assert not posture.remembers(pid, secrets)
        assert str(users.path) not in str(posture.descriptors(pid))


def test_verifier_reads_the_file_alone(start, users, ground):
    """The search above would find it."""
    users.add("vera", uid="guest", home=ground.path)
    hashed = users.lines[0].split(":")[1].encode()
    daemon = start()
    with posture.HeldChecks(daemon):
        session = Session(daemon)
        child = session.child
        session.client.cmd("USER vera", 331)
        session.client.send_line("PASS secret-vera")

        (pid,) = (one.pid for one in posture.procs.wait_for(daemon.verifiers))
        assert posture.procs.wait_for(lambda: posture.remembers(pid, {hashed}))
        (helper,) = daemon.auth_helpers()
        for other in (daemon.pid, helper.pid, session.parent, child):
            assert not posture.remembers(other, {hashed})


# Real clients.

def test_lftp_and_curl(start, users, ground, tmp_path):
    content = os.urandom(300_000)
    (tmp_path / "up").write_bytes(content)
    users.add("vera", "two words", uid="alice", home=ground.path)
    start()
    script = (f"set net:max-retries 1; set ssl:verify-certificate no; set ftp:ssl-allow no; "
              f"open -u vera,'two words' 127.0.0.1; mkdir d; put -O d {tmp_path}/up; "
              f"get d/up -o {tmp_path}/down; mv d/up d/moved; cls d; bye")
    result = subprocess.run(["lftp", "-c", script], capture_output=True, text=True, timeout=30,
                            check=True)
    assert "d/moved" in result.stdout
    assert (tmp_path / "down").read_bytes() == content
    result = subprocess.run(["curl", "-sS", "--user", "vera:two words", "ftp://127.0.0.1/d/moved"],
                            capture_output=True, timeout=30, check=True)
    assert hashlib.sha256(result.stdout).digest() == hashlib.sha256(content).digest()
    assert (ground / "d" / "moved").stat().st_uid == ALL["alice"].uid
