"""max_per_user: sessions of one user at the same time."""

import os
import signal

import pytest

import posture
import procs
from accounts import ALL
from sessions import Session
from virtualusers import VirtualUsers

OPTIONS = ("max_per_user",)

REFUSAL = "530 This user has too many sessions."
PLACES = ("memory", "sessions-of-users")


def refused(daemon, name="alice", password=None):
    """One login more is refused, although the password is right."""
    client = daemon.connect()
    client.cmd(f"USER {name}", 331)
    assert client.cmd(f"PASS {password or ALL[name].password}", 530).lines == [REFUSAL]
    return client


def wait_for_a_place(daemon, name="alice"):
    """Log in as soon as a session that has ended has given its place back."""
    client = daemon.connect()

    def granted():
        return client.try_login(name, ALL[name].password) == 230

    assert procs.wait_for(granted), "no place was given back"
    return client


@pytest.mark.parametrize("most", [1, 2, 5])
def test_limit_holds(ftpd, most):
    daemon = ftpd(max_per_user=str(most))
    clients = [daemon.login("alice") for _ in range(most)]
    refused(daemon).in_step()
    for client in clients:
        client.in_step()


def test_no_limit_by_default(ftpd):
    daemon = ftpd()
    for client in [daemon.login("alice") for _ in range(8)]:
        client.in_step()


def test_users_are_counted_apart(ftpd):
    daemon = ftpd(max_per_user="1")
    for name in ("alice", "bob", "carol"):
        daemon.login(name).in_step()
    refused(daemon, "bob")


def test_connection_without_a_login_has_no_place(ftpd):
    daemon = ftpd(max_per_user="1")
    for _ in range(3):
        daemon.connect().cmd("USER alice", 331)
    daemon.login("alice").in_step()


def test_wrong_password_is_not_told_from_a_full_house(ftpd):
    daemon = ftpd(max_per_user="1")
    daemon.login("alice")
    assert daemon.connect().cmd("USER alice", 331)
    client = daemon.connect()
    client.cmd("USER alice", 331)
    assert client.cmd("PASS wrong", 530).lines == ["530 Login incorrect."]


def test_refusal_is_logged_and_counted_as_a_failed_login(ftpd):
    daemon = ftpd(max_per_user="1", max_login_fails="2")
    daemon.login("alice")
    client = refused(daemon)
    assert ('[alice] FAIL LOGIN: Client "127.0.0.1", "max_per_user: too many sessions of this user"'
            in daemon.log)
    client.cmds(("USER alice", 331), ("PASS secret-alice", 530))
    client.wait_closed()


def test_refused_client_may_be_somebody_else(ftpd):
    """With the options that hold for all, and nothing of the user who was refused."""
    directory = ftpd.directory / "users"
    directory.mkdir()
    (directory / "alice").write_text("max_per_user=1\nwrite_enable=NO\n")
    daemon = ftpd(user_config_dir=str(directory))
    daemon.login("alice")
    client = refused(daemon)
    client.login("bob", ALL["bob"].password)
    client.cmds(("MKD new", 257), ("RMD new", 250))
    daemon.login("bob").in_step()


def test_end_of_a_session_frees_its_place(ftpd):
    daemon = ftpd(max_per_user="1")
    first = daemon.login("alice")
    refused(daemon).close()
    first.cmd("QUIT", 221)
    wait_for_a_place(daemon).in_step()


@pytest.mark.parametrize("who", ["parent", "child", "client"])
def test_killed_session_frees_its_place(ftpd, who):
    daemon = ftpd(max_per_user="1", max_login_fails="1000")
    session = Session(daemon).login()
    if who == "client":
        session.leave(reset=True)
    else:
        os.kill(session.parent if who == "parent" else session.child, signal.SIGKILL)
    wait_for_a_place(daemon).in_step()
    refused(daemon)


def test_place_of_another_session_stays(ftpd):
    """The locks of one session do not end with another one."""
    daemon = ftpd(max_per_user="2", max_login_fails="1000")
    first, second = daemon.login("alice"), daemon.login("alice")
    first.cmd("QUIT", 221)
    third = wait_for_a_place(daemon)
    refused(daemon)
    second.in_step()
    third.in_step()


def test_logins_at_the_same_time(ftpd):
    """All of them pass the check of the password at once; as many get in as may."""
    daemon = ftpd(max_per_user="3", max_login_fails="1")
    clients = [daemon.connect() for _ in range(8)]
    for client in clients:
        client.cmd("USER alice", 331)
    with posture.HeldChecks(daemon):
        for client in clients:
            client.send_line("PASS secret-alice")
    codes = sorted(client.reply(230, 530).code for client in clients)
    assert codes == [230] * 3 + [530] * 5


def test_anonymous_users_are_one_user(ftpd):
    daemon = ftpd(max_per_user="2")
    for name in ("anonymous", "FTP"):
        daemon.connect().login(name, "x")
    refused(daemon, "ftp", "x")
    daemon.login("alice").in_step()


def test_anonymous_users_without_a_password(ftpd):
    daemon = ftpd(max_per_user="1", no_anon_password="YES")
    daemon.connect().cmd("USER anonymous", 230)
    assert daemon.connect().cmd("USER anonymous", 530).lines == [REFUSAL]


def test_guests_are_counted_by_their_own_names(ftpd):
    daemon = ftpd(max_per_user="1", guest_enable="YES", guest_username="guest")
    for name in ("alice", "bob"):
        daemon.login(name)
    refused(daemon, "bob")


def test_limits_of_single_users(ftpd):
    directory = ftpd.directory / "users"
    directory.mkdir()
    (directory / "bob").write_text("max_per_user=1\n")
    (directory / "carol").write_text("max_per_user=0\n")
    (directory / "ftp").write_text("max_per_user=1\n")
    users = VirtualUsers(ftpd.directory / "vusers")
    users.add("vera", uid="guest", settings="max_per_user=1")
    daemon = ftpd(max_per_user="2", user_config_dir=str(directory),
                  virtual_users_file=str(users.path))
    for name, most in (("alice", 2), ("bob", 1), ("ftp", 1)):
        for _ in range(most):
            Session(daemon).login(name)
        refused(daemon, name)
    for _ in range(4):
        daemon.login("carol").in_step()
    daemon.connect().login("vera", "secret-vera")
    refused(daemon, "vera", "secret-vera")


def test_reload_keeps_the_places(ftpd):
    daemon = ftpd(max_per_user="1")
    first = daemon.login("alice")
    daemon.reload(ftpd_banner="new")
    assert procs.wait_for(lambda: "changed: ftpd_banner" in daemon.stderr)
    refused(daemon)
    first.in_step()


def test_who_holds_the_places(ftpd):
    """Only session parents of users with a limit, once they are logged in."""
    def holds(pid):
        return PLACES in posture.descriptors(pid).values()

    daemon = ftpd(max_per_user="1")
    session = Session(daemon)
    assert holds(session.parent) and not holds(session.child)
    session.login()
    assert holds(session.parent) and not holds(session.child)
    other = Session(ftpd(listen_port="2121"))
    other.login()
    assert not holds(other.parent) and not holds(other.child)


def test_only_what_is_held_is_a_place(ftpd):
    """A failed login leaves none behind, however often it is tried."""
    daemon = ftpd(max_per_user="2", max_login_fails="1000")
    daemon.login("alice")
    client = daemon.connect()
    for _ in range(5):
        client.cmds(("USER alice", 331), ("PASS wrong", 530))
    daemon.login("alice").in_step()
    refused(daemon)
