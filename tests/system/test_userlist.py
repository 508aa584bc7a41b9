"""userlist_enable, userlist_deny, userlist_file: who is asked for a password at all."""

import os
import time

import pytest

import procs
from accounts import ALL

OPTIONS = ("userlist_enable", "userlist_deny", "userlist_file", "userlist_log")


class List:
    """A user list, and a daemon that goes by it."""

    def __init__(self, ftpd):
        self.ftpd = ftpd
        self.path = ftpd.directory / "list"

    def write(self, *lines, end="\n"):
        self.path.write_text("".join(line + end for line in lines))

    def daemon(self, *lines, deny="YES", **options):
        """Deny (or allow) the users of `lines`."""
        self.write(*lines)
        return self.ftpd(**{"userlist_enable": "YES", "userlist_deny": deny,
                            "userlist_file": str(self.path), **options})


@pytest.fixture
def users(ftpd):
    return List(ftpd)


def refused(client, name):
    """The name is refused before a password is asked for, and takes none then."""
    reply = client.cmd(f"USER {name}", 530)
    assert reply.text == "Permission denied."
    client.cmd(f"PASS {ALL[name].password if name in ALL else 'x'}", 503)
    client.in_step()


def test_list_counts_only_if_enabled(users):
    refused(users.daemon("alice").connect(), "alice")
    users.daemon("alice", userlist_enable="NO", listen_port="2121").login("alice").in_step()


def test_denied_users(users):
    daemon = users.daemon("alice", "carol")
    for name in ("alice", "carol"):
        refused(daemon.connect(), name)
    for name in ("bob", "dave"):
        daemon.login(name).in_step()
    daemon.anonymous().in_step()


def test_allowed_users(users):
    daemon = users.daemon("alice", "carol", deny="NO")
    for name in ("alice", "carol"):
        daemon.login(name).in_step()
    for name in ("bob", "root", "nosuchuser", "anonymous", "ftp", "a" * 200):
        refused(daemon.connect(), name)


@pytest.mark.parametrize("name", ["anonymous", "ftp", "ANONYMOUS", "Ftp"])
def test_anonymous_users_are_in_the_list_by_their_name(users, name):
    refused(users.daemon("anonymous", "ftp").connect(), name)
    client = users.daemon("anonymous", "ftp", deny="NO", listen_port="2121").connect()
    client.login(name, "test@example.com")


@pytest.mark.parametrize("options", [{}, {"no_anon_password": "YES"}])
def test_denied_anonymous_users_do_not_log_in(users, options):
    refused(users.daemon("anonymous", **options).connect(), "anonymous")


def test_comments_blanks_and_dos_line_ends(users):
    users.write("# alice", " bob ", "", "carol", end="\r\n")
    daemon = users.ftpd(userlist_enable="YES", userlist_file=str(users.path))
    for name in ("bob", "carol"):
        refused(daemon.connect(), name)
    daemon.login("alice").in_step()


@pytest.mark.parametrize("line", ["Alice", "alic", "alicex", "alice bob", "#alice", "*", ""])
def test_only_the_whole_name_counts(users, line):
    users.daemon(line).login("alice").in_step()


def test_change_of_the_file_counts_at_once(users):
    """For clients that are connected already, too."""
    daemon = users.daemon("alice")
    client = daemon.connect()
    refused(client, "alice")
    users.write("bob")
    client.cmd("USER alice", 331)
    users.write("alice")
    reply = client.cmd("PASS secret-alice", 530)
    assert reply.text == "Login incorrect."
    users.write("bob")
    client.login("alice", ALL["alice"].password)


def test_refused_user_does_not_stand_in_the_way_of_another(users):
    client = users.daemon("alice").connect()
    client.cmd("USER bob", 331)
    refused(client, "alice")
    client.login("bob", ALL["bob"].password)


@pytest.mark.parametrize("log", ["YES", "NO"])
def test_refusals_are_logged(users, log):
    """With userlist_log=NO, too: it is for vsftpd, whose default hides them."""
    daemon = users.daemon("alice", userlist_log=log)
    refused(daemon.connect(), "alice")
    assert '[alice] FAIL LOGIN: Client "127.0.0.1", "refused by userlist_file"' in daemon.log


def test_who_is_not_listed_is_logged(users):
    daemon = users.daemon("alice", deny="NO")
    refused(daemon.connect(), "bob")
    assert '[bob] FAIL LOGIN: Client "127.0.0.1", "not in userlist_file"' in daemon.log


def test_refusals_count_as_failed_logins(users):
    client = users.daemon("alice", max_login_fails="3").connect()
    client.cmd("USER alice", 530)
    client.cmds(("USER bob", 331), ("PASS wrong", 530))
    client.cmd("USER alice", 530)
    client.wait_closed()


def test_refusals_are_delayed(users):
    client = users.daemon("alice", delay_failed_login="1").connect()
    start = time.monotonic()
    client.cmd("USER alice", 530)
    assert time.monotonic() - start >= 0.99


# A list that cannot be read.

@pytest.mark.parametrize("deny", ["YES", "NO"])
@pytest.mark.parametrize("kind", ["missing", "directory", "fifo", "too long"])
def test_list_that_cannot_be_read_lets_nobody_in(users, kind, deny):
    daemon = users.daemon("nobody", deny=deny, max_login_fails="10")
    users.path.unlink()
    if kind == "directory":
        users.path.mkdir()
    elif kind == "fifo":
        os.mkfifo(users.path)
    elif kind == "too long":
        users.path.touch()
        os.truncate(users.path, 4 * 1024 * 1024 + 1)
    client = daemon.connect()
    for name in ("alice", "anonymous", "nosuchuser"):
        refused(client, name)
    text = f'[alice] FAIL LOGIN: Client "127.0.0.1", "cannot read userlist_file={users.path}: '
    assert text in daemon.log
    if kind == "directory":
        users.path.rmdir()
    else:
        users.path.unlink(missing_ok=True)
    users.write("bob" if deny == "YES" else "alice")
    client.login("alice", ALL["alice"].password)


def test_client_does_not_learn_of_the_list(users):
    daemon = users.daemon("alice")
    words = [daemon.connect().cmd("USER alice").lines]
    users.path.unlink()
    words.append(daemon.connect().cmd("USER bob").lines)
    assert words == [["530 Permission denied."]] * 2


def test_reload_changes_the_list(users):
    daemon = users.daemon("alice")
    refused(daemon.connect(), "alice")
    daemon.reload(userlist_deny="NO")
    assert procs.wait_for(lambda: "changed: userlist_deny" in daemon.stderr)
    daemon.login("alice").in_step()
    refused(daemon.connect(), "bob")
