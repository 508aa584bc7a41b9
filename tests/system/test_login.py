"""Who gets in: accounts, hashes, account rules, attempts."""

import os
import select
import time

import pytest

import accounts
import procs
from accounts import ALL

OPTIONS = ("local_enable", "anonymous_enable", "check_shell", "max_login_fails")

GOOD = [account.name for account in accounts.GOOD]
REFUSED = [account.name for account in accounts.REFUSED]
NO_HOME = [account.name for account in accounts.REFUSED if account.home_kind != "own"]


def session_ids(daemon):
    """Uid, gid and groups of the one service process."""
    status = procs.status(daemon.only_session()[1].pid)
    uids, gids = set(status["Uid"].split()), set(status["Gid"].split())
    assert len(uids) == len(gids) == 1, f"different ids: {status['Uid']}, {status['Gid']}"
    return int(uids.pop()), int(gids.pop()), {int(group) for group in status["Groups"].split()}


@pytest.mark.parametrize("name", GOOD)
def test_account_with_the_right_password(ftpd, name):
    daemon = ftpd()
    client = daemon.login(name)
    account = ALL[name]
    uid, gid, groups = session_ids(daemon)
    assert (uid, gid) == (account.uid, account.gid)
    assert 0 not in groups
    client.in_step()


@pytest.mark.parametrize("name", ["alice", "bob", "carol", "dave", "nosuchuser", "root", "nobody"])
def test_wrong_password_is_530(ftpd, name):
    client = ftpd().connect()
    client.cmds((f"USER {name}", 331), ("PASS wrong", 530))
    client.in_step()


@pytest.mark.parametrize("name", REFUSED)
def test_account_that_may_not_log_in(ftpd, name):
    daemon = ftpd()
    client = daemon.connect()
    assert client.try_login(name, ALL[name].password) == 530
    client.in_step()
    client.login("alice", ALL["alice"].password)


@pytest.mark.parametrize("name", NO_HOME)
def test_account_without_a_usable_home_in_a_chroot(ftpd, name):
    client = ftpd(chroot_local_user="YES").connect()
    assert client.try_login(name, ALL[name].password) == 530
    client.in_step()
    client.login("alice", ALL["alice"].password)


@pytest.mark.parametrize("name, password", [
    ("nopass", ""), ("nopass", " "), ("star", "*"), ("locked", "!"), ("alice", ""), ("root", ""),
    ("root", "*"), ("shorthash", "xx"), ("alice", "secret-alice "), ("alice", " secret-alice"),
    ("alice", "Secret-Alice"), ("alice", "secret-alicex"), ("alice", "secret-alic"),
    ("alice", "p" * 600), ("longpass", "p" * 127), ("ALICE", "secret-alice"),
    ("a" * 129, "x"), ("a" * 4000, "x"), ("../alice", "x"), ("a/b",
    "x"),
    ("alice bob", "secret-alice"), ("alice\x01", "secret-alice"), ("alice\t", "secret-alice"),
    ("%n%s%x", "%n%s%x"), ("alice:x", "x"), ("-alice", "x"), ("+", "x"), ("ünknown", "x"),
])
def test_odd_names_and_passwords_do_not_log_in(ftpd, name, password):
    client = ftpd().connect()
    assert client.try_login(name, password) in (501, 530)
    client.in_step()
    client.cmd("PWD", 530)


def test_unknown_name_and_wrong_password_get_the_same_words(ftpd):
    daemon = ftpd()
    replies = set()
    for name in ("alice", "nosuchuser", "locked", "badshell", "root", "expired"):
        client = daemon.connect()
        replies.add((client.cmd(f"USER {name}").lines[0].replace(name, "NAME"),
                     client.cmd("PASS wrong").lines[0]))
    assert len(replies) == 1, replies


def test_failed_logins_then_success(ftpd):
    client = ftpd().connect()
    client.cmds(("USER alice", 331), ("PASS a", 530), ("USER nosuchuser", 331), ("PASS b", 530))
    client.login("alice", ALL["alice"].password)
    client.in_step()


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_last_failed_login_ends_the_session(ftpd, limit):
    client = ftpd(max_login_fails=str(limit)).connect()
    for _ in range(limit):
        client.cmds(("USER alice", 331), ("PASS wrong", 530))
    client.wait_closed()


def test_failed_logins_of_different_names_count_together(ftpd):
    client = ftpd(max_login_fails="3").connect()
    for name in ("alice", "nosuchuser", "anonymous2"):
        client.cmds((f"USER {name}", 331), ("PASS wrong", 530))
    client.wait_closed()


def test_failed_login_is_delayed(ftpd):
    client = ftpd(delay_failed_login="1").connect()
    client.cmd("USER alice", 331)
    start = time.monotonic()
    client.cmd("PASS wrong", 530)
    assert time.monotonic() - start >= 0.99


def test_delay_of_one_session_does_not_hold_up_another(ftpd):
    daemon = ftpd(delay_failed_login="2")
    slow = daemon.connect()
    slow.cmd("USER alice", 331)
    slow.send_line("PASS wrong")
    daemon.login("bob").in_step()
    assert not select.select([slow.sock], [], [], 0)[0], "the delay was over before"
    slow.reply(530)


def test_local_users_need_local_enable(ftpd):
    daemon = ftpd(local_enable="NO")
    assert daemon.connect().try_login("alice", ALL["alice"].password) == 530
    daemon.anonymous().in_step()


@pytest.mark.parametrize("name", ["anonymous", "ftp", "FTP", "Anonymous"])
def test_anonymous_needs_anonymous_enable(ftpd, name):
    daemon = ftpd(anonymous_enable="NO")
    assert daemon.connect().try_login(name, "test@example.com") == 530
    daemon.login("alice").in_step()


def test_shell_is_not_checked_without_check_shell(ftpd):
    ftpd(check_shell="NO").login("badshell").in_step()


def test_supplementary_groups(ftpd):
    daemon = ftpd()
    daemon.login("grp")
    assert session_ids(daemon)[2] - {ALL["grp"].gid} == set(accounts.GROUPS.values())


def test_no_groups_of_the_daemon_are_kept(ftpd):
    daemon = ftpd()
    daemon.login("bob")
    assert session_ids(daemon)[2] <= {ALL["bob"].gid}


def test_group_right_is_used(ftpd, home):
    shared = home.file("shared", b"for the team", 0o640)
    os.chown(shared, 0, accounts.GROUPS["team7"])
    assert ftpd().login("grp").retr(str(shared)) == b"for the team"


def test_two_users_at_once(ftpd, home):
    daemon = ftpd()
    one, other = daemon.login("alice"), daemon.login("bob")
    home.file("private", b"of alice", 0o600)
    path = ALL["alice"].home + "/private"
    assert one.retr(path) == b"of alice"
    other.refused(f"RETR {path}", 550)
    assert one.retr(path) == b"of alice"


def test_start_directory_is_the_home(ftpd):
    assert ftpd().login("bob").cmd("PWD", 257).quoted() == ALL["bob"].home


def test_start_directory_of_a_linked_home_is_the_real_one(ftpd):
    client = ftpd().login("linkhome")
    assert client.cmd("PWD", 257).quoted() == ALL["linkhome"].home + ".real"


def test_jailed_user_starts_in_the_root(ftpd):
    daemon = ftpd(chroot_local_user="YES")
    assert daemon.login("bob").cmd("PWD", 257).quoted() == "/"


def test_jailed_user_with_a_linked_home(ftpd):
    client = ftpd(chroot_local_user="YES").login("linkhome")
    assert client.cmd("PWD", 257).quoted() == "/"
    client.stor("mark", b"x")
    client.cmd("DELE mark", 250)


def test_passwords_are_in_no_log(ftpd):
    daemon = ftpd()
    daemon.login("alice")
    client = daemon.connect()
    client.try_login("bob", "wrong-password-of-bob")
    client.cmd("PASS too-early", 503)
    client.cmd("PASSS mistyped-verb", 500)
    daemon.close_clients()
    daemon.wait_no_sessions()
    text = daemon.log + daemon.stderr
    for secret in (ALL["alice"].password, "wrong-password-of-bob", "too-early", "mistyped-verb"):
        assert secret not in text


def test_log_lines_that_tools_match(ftpd):
    daemon = ftpd()
    daemon.login("alice")
    daemon.connect().try_login("bob", "wrong")
    daemon.close_clients()
    daemon.wait_no_sessions()
    assert '[alice] OK LOGIN: Client "127.0.0.1"' in daemon.log
    assert '[bob] FAIL LOGIN: Client "127.0.0.1"' in daemon.log


def test_login_over_ipv6(ftpd):
    daemon = ftpd(listen="NO", listen_ipv6="YES")
    for host in ("::1", "fd00::1", "127.0.0.1"):
        daemon.login("alice", host).in_step()
