"""user_config_dir: options of single users, read after the password and in force in S and in N."""

import os
import time

import pytest

import posture
import procs
from accounts import ALL
from rules import mode_of

OPTIONS = ("user_config_dir",)


class Users:
    """The directory, and daemons that go by it."""

    def __init__(self, ftpd):
        self.ftpd = ftpd
        self.path = ftpd.directory / "users"
        self.path.mkdir()

    def write(self, name, *lines):
        path = self.path / name
        path.write_text("".join(line + "\n" for line in lines))
        return path

    def daemon(self, **options):
        return self.ftpd(user_config_dir=str(self.path), **options)


@pytest.fixture
def users(ftpd):
    return Users(ftpd)


def refused(daemon, name="alice"):
    """The client hears what everybody hears; returns what the log says about it."""
    client = daemon.connect()
    user = "anonymous" if name == "ftp" else name
    client.cmd(f"USER {user}", 331)
    reply = client.cmd(f"PASS {ALL[name].password}", 530)
    assert reply.lines == ["530 Login incorrect."]
    client.in_step()
    last = daemon.log.splitlines()[-1]
    assert f'[{user}] FAIL LOGIN: Client "127.0.0.1", "' in last
    return last


# What counts there.

def test_options_count_for_their_user_only(users, home):
    users.write("alice", "write_enable=NO")
    daemon = users.daemon()
    daemon.login("alice").cmd("MKD new", 550)
    bob = daemon.login("bob")
    bob.cmds(("MKD new", 257), ("RMD new", 250))


def test_options_do_not_count_without_user_config_dir(users, home):
    users.write("alice", "write_enable=NO")
    users.ftpd().login("alice").cmd("MKD new", 257)


def test_number_text_and_permissions_of_a_user(users, home):
    home.file("secret")
    home.file("shown")
    users.write("alice", "# of alice", "", " local_umask = 027 ", "idle_session_timeout=77",
                "hide_file=secret", "cmds_denied=DELE", "file_open_mode=0777")
    client = users.daemon(local_umask="022").login("alice")
    assert client.nlst() == ["shown"]
    client.stor("new", b"x")
    assert mode_of(home / "new") == 0o750
    assert "ends after 77 seconds" in " ".join(client.cmd("STAT", 211).lines)
    client.cmd("DELE new", 550)


def test_last_line_of_a_user_wins_over_all(users, home):
    users.write("alice", "write_enable=NO", "write_enable=YES")
    users.daemon(write_enable="NO").login("alice").cmd("MKD new", 257)


def test_empty_value_of_a_user_unsets_a_text(users, ground):
    users.write("alice", "local_root=")
    daemon = users.daemon(local_root="/srv/ground")
    assert daemon.login("alice").pwd() == "/home/alice"
    assert daemon.login("bob").pwd() == "/srv/ground"


def test_place_of_a_user(users, ground):
    users.write("alice", "local_root=/srv/ground")
    users.write("marked", "passwd_chroot_enable=YES")
    daemon = users.daemon(chroot_local_user="YES")
    alice = daemon.login("alice")
    assert posture.root(daemon.only_session()[1].pid) == "/srv/ground"
    assert alice.pwd() == "/"
    assert daemon.login("marked").pwd() == "/in/side"
    assert daemon.login("bob").pwd() == "/"


@pytest.mark.parametrize("all_users, one_user, seen", [("YES", "NO", "/"),
                                                       ("NO", "YES", "/home/alice")])
def test_who_is_kept_in_is_decided_for_all(users, all_users, one_user, seen):
    """With vsftpd, too, chroot_local_user and chroot_list_enable have no effect in such a file."""
    users.write("alice", f"chroot_local_user={one_user}", "chroot_list_enable=YES",
                "chroot_list_file=/etc/passwd")
    daemon = users.daemon(chroot_local_user=all_users)
    assert daemon.login("alice").pwd() == seen


def test_session_parent_goes_by_the_options_of_the_user(users, home):
    """The ports come from N, and so does the active connection."""
    users.write("alice", "pasv_min_port=30100", "pasv_max_port=30103", "port_enable=NO")
    users.write("bob", "pasv_enable=NO")
    daemon = users.daemon(pasv_min_port="20000", pasv_max_port="20010")
    alice, bob, carol = (daemon.login(name) for name in ("alice", "bob", "carol"))
    for _ in range(10):
        assert 30100 <= alice.pasv_address()[1] <= 30103
        assert 20000 <= carol.pasv_address()[1] <= 20010
    alice.cmd("PORT 127,0,0,1,200,0", 550)
    bob.cmd("PASV", 550)
    assert bob.list(mode="port") == []
    assert carol.list(mode="port") == []


def test_session_parent_gives_up_port_20_by_the_options_of_the_user(users, home):
    users.write("alice", "port_enable=NO")
    daemon = users.daemon(connect_from_port_20="YES")
    for name, kept in (("alice", set()), ("bob", {"NET_BIND_SERVICE"})):
        client = daemon.login(name)
        client.in_step()
        pid = daemon.only_session()[0].pid
        assert client.list() == []  # N has settled by then
        assert posture.capabilities(pid, "Prm") == kept
        client.close()
        assert not daemon.wait_no_sessions()


def test_delay_of_a_user(users):
    users.write("alice", "delay_successful_login=1")
    daemon = users.daemon()
    start = time.monotonic()
    daemon.login("alice")
    assert time.monotonic() - start >= 0.99


def test_file_is_read_at_each_login(users, home):
    daemon = users.daemon()
    path = users.write("alice", "write_enable=NO")
    first = daemon.login("alice")
    path.unlink()
    second = daemon.login("alice")
    second.cmd("MKD new", 257)
    first.cmd("MKD other", 550)


@pytest.mark.parametrize("name", ["dot.dash-under_score9", "_underscore", "l" * 32])
def test_file_of_any_name(users, name):
    users.write(name, "write_enable=NO")
    daemon = users.daemon()
    daemon.login(name).cmd("MKD new", 550)


def test_options_that_cannot_differ_have_no_effect(users, home):
    """Even with values that would be refused elsewhere."""
    users.write("alice", "listen_port=nonsense", "max_login_fails=0", "userlist_enable=YES",
                "userlist_file=/nowhere", "local_enable=NO", "ftpd_banner=of alice",
                "vsftpd_log_file=/nowhere/log", "user_config_dir=/nowhere", "ssl_enable=YES",
                "virtual_users_file=/nowhere", "secure_chroot_dir=/home/alice", "nopriv_user=alice",
                "utf8_filesystem=x", "tcp_wrappers=YES")
    daemon = users.daemon()
    client = daemon.login("alice")
    client.cmd("MKD new", 257)
    assert procs.wait_for(lambda: "OK MKDIR" in daemon.log)
    assert posture.ids(daemon.only_session()[0].pid, "Uid")[0] == ALL["nobody"].uid


# Files with faults.

FAULTS = {
    "unknown": ("write_enabled=NO", "unknown option 'write_enabled'; the nearest name is"),
    "bool": ("write_enable=perhaps", "write_enable wants YES or NO, not 'perhaps'"),
    "number": ("idle_session_timeout=soon", "idle_session_timeout wants a number"),
    "range": ("max_per_user=-1", "max_per_user wants a number"),
    "no pair": ("write_enable", "'write_enable' is not name=value"),
    "control": ("\x1b[2Jx=1", r"unknown option '\x5Cx1B[2Jx'"),
    "nul": ("write_enable=NO\0", "the line holds a NUL byte"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_refuses_the_login(users, home, fault):
    """Nobody gets rights that somebody has tried to take away."""
    line, words = FAULTS[fault]
    path = users.write("alice", "# of alice", "local_umask=077", line, "write_enable=NO")
    daemon = users.daemon()
    assert f"{path}:3: {words}" in refused(daemon)
    daemon.login("bob").cmds(("MKD new", 257), ("RMD new", 250))
    users.write("alice", "local_umask=077")
    daemon.login("alice").cmd("MKD new", 257)


def test_fault_is_told_after_the_password_only(users):
    users.write("alice", "nonsense")
    daemon = users.daemon()
    client = daemon.connect()
    client.cmds(("USER alice", 331), ("PASS wrong", 530))
    assert "FAIL LOGIN" in daemon.log and str(users.path) not in daemon.log


@pytest.mark.parametrize("kind, words", [
    ("foreign", "belongs neither to root"), ("writable", "others than root can write it"),
    ("directory", "not a regular file"), ("fifo", "not a regular file"),
    ("long", "longer than 100000 bytes"), ("loop", "Too many levels"),
])
def test_unsafe_file_refuses_the_login(users, kind, words):
    path = users.write("alice", "write_enable=YES")
    if kind == "foreign":
        os.chown(path, ALL["alice"].uid, 0)
    elif kind == "writable":
        path.chmod(0o666)
    elif kind == "long":
        path.write_text("#" * 100001)
    else:
        path.unlink()
        if kind == "directory":
            path.mkdir()
        elif kind == "fifo":
            os.mkfifo(path)
        else:
            path.symlink_to("alice")
    logged = refused(users.daemon())
    assert str(path) in logged and words in logged


def test_missing_directory_is_no_fault(users):
    """As with vsftpd; -t warns of it."""
    users.path.rmdir()
    users.daemon().login("alice").in_step()
    users.path.mkdir()


def test_file_in_the_place_of_the_directory_refuses_the_login(users):
    users.path.rmdir()
    users.path.touch()
    assert "Not a directory" in refused(users.daemon())


@pytest.mark.parametrize("name", ["..", ".", "../alice", "x/../alice"])
def test_no_name_leads_out_of_the_directory(users, name):
    users.write("alice", "nonsense")
    daemon = users.daemon()
    assert daemon.connect().try_login(name, "x") == 530
    assert '"not a user name"' in daemon.log


# Other users.

def test_anonymous_users_have_the_file_of_ftp_username(users, ground):
    ground.file("inside", b"content")
    users.write("ftp", "anon_root=/srv/ground", "cmds_denied=SIZE")
    users.write("anonymous", "nonsense")
    daemon = users.daemon()
    client = daemon.anonymous()
    assert client.nlst() == ["inside"]
    assert posture.root(daemon.only_session()[1].pid) == "/srv/ground"
    client.cmd("SIZE inside", 550)
    assert '[ftp] OK LOGIN: Client "127.0.0.1", anon password "test@example.com"' in daemon.log


def test_fault_in_the_file_of_ftp_username_refuses_anonymous_users(users):
    path = users.write("ftp", "nonsense")
    daemon = users.daemon()
    assert f"{path}:1: " in refused(daemon, "ftp")
    daemon.login("alice").in_step()


def test_anonymous_users_without_a_file(users):
    users.daemon().anonymous().in_step()


def test_single_users_are_guests(users, ground):
    users.write("alice", "guest_enable=YES", "guest_username=guest", "local_root=/srv/ground")
    daemon = users.daemon()
    daemon.login("alice")
    pid = daemon.only_session()[1].pid
    assert posture.ids(pid, "Uid")[0] == ALL["guest"].uid
    assert posture.root(pid) == "/srv/ground"
    daemon.login("bob").in_step()


@pytest.mark.parametrize("guest, words", [("nosuchuser", "does not exist"),
                                          ("root", "nobody gets the rights of root")])
def test_guest_username_of_a_user_must_be_good(users, guest, words):
    users.write("alice", "guest_enable=YES", f"guest_username={guest}")
    assert words in refused(users.daemon())
