"""A build with PAM, and real modules: logins, accounts, sessions. The account files are the suite's."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import accounts
import procs

OPTIONS = ("pam_service_name", "session_support", "reverse_lookup_enable")

SERVICES = Path("/etc/pam.d")
EVENTS = Path("/run/pam-events")
UNIX = "auth required pam_unix.so\naccount required pam_unix.so\n"
PERMIT = "auth required pam_permit.so\naccount required pam_permit.so\n"
DENY = "auth required pam_deny.so\naccount required pam_permit.so\n"
EXEC = "pam_exec.so quiet /run/pam-event\n"
SESSION = PERMIT + "session required " + EXEC
SCRIPT = f"""#!/bin/sh
echo "$PAM_TYPE user=$PAM_USER rhost=$PAM_RHOST tty=$PAM_TTY" >>{EVENTS}
"""


@pytest.fixture(scope="module", autouse=True)
def services():
    """An empty /etc/pam.d, with a service that lets nobody in for programs without their own."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", SERVICES], check=True)
    service("other", DENY)
    script = Path("/run/pam-event")
    script.write_text(SCRIPT)
    script.chmod(0o755)
    yield
    subprocess.run(["umount", SERVICES], check=True)


@pytest.fixture(autouse=True)
def fresh():
    EVENTS.unlink(missing_ok=True)
    for path in SERVICES.iterdir():
        if path.name != "other":
            path.unlink()


def service(name, text):
    (SERVICES / name).write_text(text)


def events():
    return EVENTS.read_text().splitlines() if EVENTS.exists() else []


def wait_for_event(start):
    assert procs.wait_for(lambda: any(line.startswith(start) for line in events())), events()


def attempt(daemon, user="alice", password=None):
    """The reply to PASS."""
    client = daemon.connect()
    client.cmd(f"USER {user}", 331)
    return client.cmd(f"PASS {password or 'secret-' + user}")


# Who may log in.


def test_the_password_of_the_account(ftpd):
    service("ftp", UNIX)
    daemon = ftpd()
    assert attempt(daemon).code == 230
    assert attempt(daemon, password="wrong").code == 530
    assert "FAIL LOGIN" in daemon.log and "PAM service ftp: Authentication failure" in daemon.log


@pytest.mark.parametrize("name", ["locked", "nopass", "star", "expired", "mustchange"])
def test_accounts_that_pam_unix_refuses(ftpd, name):
    service("ftp", UNIX)
    assert attempt(ftpd(), name).code == 530


def test_the_account_files_alone_decide_nothing(ftpd):
    """The password is right, and the service says no."""
    service("ftp", DENY)
    daemon = ftpd()
    assert attempt(daemon).code == 530
    assert "PAM service ftp" in daemon.log


def test_the_service_is_the_configured_one(ftpd):
    service("ftp", DENY)
    service("files", PERMIT)
    assert attempt(ftpd(pam_service_name="files"), password="any").code == 230


def test_a_missing_service_is_other(ftpd):
    assert attempt(ftpd(pam_service_name="nowhere")).code == 530


def test_an_account_check_counts(ftpd):
    service("ftp", "auth required pam_permit.so\naccount required pam_deny.so\n")
    assert attempt(ftpd()).code == 530


@pytest.mark.parametrize("name", ["root", "uidzero"])
def test_root_stays_outside(ftpd, name):
    service("ftp", PERMIT)
    daemon = ftpd()
    assert attempt(daemon, name, "any").code == 530
    assert "root may not log in" in daemon.log


def test_shells_are_a_matter_of_pam(ftpd):
    service("ftp", UNIX)
    assert attempt(ftpd(check_shell="YES"), "badshell").code == 230
    service("ftp", "auth required pam_shells.so\n" + UNIX)
    assert attempt(ftpd(listen_port="2121"), "badshell").code == 530


def test_a_name_without_an_account_is_nobody(ftpd):
    service("ftp", PERMIT)
    assert attempt(ftpd(), "stranger", "any").code == 530


def test_local_enable_comes_first(ftpd):
    service("ftp", "auth required " + EXEC + PERMIT)
    client = ftpd(local_enable="NO").connect()
    client.cmd("USER alice", 530)
    assert not events()


def test_a_list_of_users(ftpd, tmp_path):
    refused = tmp_path / "refused"
    refused.write_text("bob\n")
    service("ftp", f"auth required pam_listfile.so item=user sense=deny file={refused} "
                   "onerr=succeed\n" + UNIX)
    daemon = ftpd()
    assert attempt(daemon).code == 230
    assert attempt(daemon, "bob").code == 530


@pytest.fixture
def database(tmp_path):
    """A database of virtual users as the HOWTOs make it."""
    text = tmp_path / "users.txt"
    text.write_text("virtual\nvirtual-secret\n")
    subprocess.run(["db_load", "-T", "-t", "hash", "-f", text, tmp_path / "users.db"], check=True)
    home = Path("/srv/virtual/virtual")
    home.mkdir(parents=True)
    (home / "mine").write_text("of a virtual user\n")
    yield tmp_path / "users"
    shutil.rmtree("/srv/virtual")


def test_virtual_users_of_a_database(ftpd, database):
    """guest_enable with pam_userdb, the way of vsftpd's own examples."""
    service("vsftpd", f"auth required pam_userdb.so db={database}\n"
                      f"account required pam_userdb.so db={database}\n")
    daemon = ftpd(pam_service_name="vsftpd", guest_enable="YES", guest_username="bob",
                  user_sub_token="$USER", local_root="/srv/virtual/$USER",
                  virtual_use_local_privs="YES", chroot_local_user="YES")
    assert attempt(daemon, "virtual", "wrong").code == 530
    daemon.close_clients()
    assert not daemon.wait_no_sessions()
    client = daemon.connect()
    client.login("virtual", "virtual-secret")
    assert client.pwd() == "/"
    assert client.names() == ["mine"]
    _, service_child = daemon.only_session()
    uid = procs.status(service_child.pid)["Uid"].split()[0]
    assert int(uid) == accounts.ALL["bob"].uid


def test_virtual_users_file_needs_no_pam(ftpd, tmp_path):
    service("ftp", DENY)
    home = tmp_path / "home"
    home.mkdir()
    tmp_path.chmod(0o755)
    for path in (tmp_path, *tmp_path.parents):
        path.chmod(path.stat().st_mode | 0o011)
    users = tmp_path / "users"
    hashed = accounts.crypt_hash("own", "yescrypt")
    users.write_text(f"own:{hashed}:bob::{home}:\n")
    users.chmod(0o600)
    client = ftpd(virtual_users_file=str(users)).connect()
    client.login("own", "own")


# What modules are told.


@pytest.mark.parametrize("option, host", [("NO", "127.0.0.1"), ("YES", "localhost")])
def test_the_client_is_named(ftpd, option, host):
    assert "localhost" in Path("/etc/hosts").read_text()
    service("ftp", "auth required " + EXEC + PERMIT)
    assert attempt(ftpd(reverse_lookup_enable=option)).code == 230
    assert events() == [f"auth user=alice rhost={host} tty=ftp"]


def test_an_address_without_a_name_stays_one(ftpd):
    service("ftp", "auth required " + EXEC + PERMIT)
    client = ftpd(reverse_lookup_enable="YES").connect(source="127.9.8.7")
    client.login("alice", "any")
    assert events() == ["auth user=alice rhost=127.9.8.7 tty=ftp"]


# Sessions.


def test_a_session_is_opened_and_closed(ftpd):
    service("ftp", SESSION)
    client = ftpd(session_support="YES").login()
    assert [line.split()[0] for line in events()] == ["open_session"]
    client.cmd("QUIT", 221)
    wait_for_event("close_session user=alice")


def test_without_session_support_there_is_none(ftpd):
    service("ftp", SESSION)
    daemon = ftpd(session_support="NO")
    daemon.login().cmd("QUIT", 221)
    assert not daemon.wait_no_sessions()
    assert not events()


def test_a_session_that_cannot_be_opened_is_a_failed_login(ftpd):
    service("ftp", PERMIT + "session required pam_deny.so\n")
    assert attempt(ftpd(session_support="YES")).code == 530


def test_a_client_that_vanishes_closes_the_session(ftpd):
    service("ftp", SESSION)
    ftpd(session_support="YES").login().reset()
    wait_for_event("close_session")


@pytest.mark.parametrize("who", ["N", "S"])
def test_a_killed_process_closes_the_session(ftpd, who):
    service("ftp", SESSION)
    daemon = ftpd(session_support="YES")
    client = daemon.login()
    parent, child = daemon.only_session()
    os.kill(parent.pid if who == "N" else child.pid, signal.SIGKILL)
    client.close()
    wait_for_event("close_session")


def test_the_session_is_closed_though_miniftpd_auth_has_died(ftpd):
    service("ftp", SESSION)
    daemon = ftpd(session_support="YES")
    client = daemon.login()
    (helper,) = daemon.auth_helpers()
    (keeper,) = daemon.verifiers()
    os.kill(helper.pid, signal.SIGKILL)
    assert procs.wait_for(lambda: [one for one in daemon.auth_helpers() if one.pid != helper.pid], 10)
    client.cmd("NOOP", 200)
    assert procs.read(keeper.pid)
    client.cmd("QUIT", 221)
    wait_for_event("close_session")


def test_a_login_over_the_limit_closes_its_session(ftpd):
    service("ftp", SESSION)
    daemon = ftpd(session_support="YES", max_per_user="1")
    daemon.login()
    client = daemon.connect()
    client.cmd("USER alice", 331)
    client.cmd("PASS any", 530)
    wait_for_event("close_session")
    assert [line.split()[0] for line in events()].count("open_session") == 2


def test_sessions_do_not_take_the_checks_of_passwords_from_others(ftpd):
    """There are as many checks at once as processors, and more sessions than that."""
    service("ftp", SESSION)
    daemon = ftpd(session_support="YES")
    clients = [daemon.login() for _ in range(2 * os.cpu_count() + 1)]
    for client in clients:
        client.in_step()


def test_the_keeper_holds_nothing_of_the_session(ftpd):
    """The process that will close the session is root, and has one socket that says when."""
    service("ftp", SESSION)
    daemon = ftpd(session_support="YES")
    daemon.login()
    _, child = daemon.only_session()
    (keeper,) = daemon.verifiers()
    kinds = sorted(os.readlink(f"/proc/{keeper.pid}/fd/{fd}").split(":")[0]
                   for fd in os.listdir(f"/proc/{keeper.pid}/fd"))
    assert kinds == ["/dev/null", "/dev/null", "/dev/null", "socket"]
    assert procs.status(child.pid)["Uid"].split()[0] == str(accounts.ALL["alice"].uid)
    sockets = [os.readlink(f"/proc/{child.pid}/fd/{fd}")
               for fd in os.listdir(f"/proc/{child.pid}/fd")]
    assert len([one for one in sockets if one.startswith("socket")]) == 2


def test_who_shows_the_session(ftpd):
    service("ftp", SESSION)
    for path in ("/run/utmp", "/var/log/wtmp"):
        Path(path).write_bytes(b"")
    client = ftpd(session_support="YES").login()
    shown = subprocess.run(["who", "/run/utmp"], capture_output=True, text=True).stdout
    assert shown.startswith("alice") and "ftp:" in shown and "127.0.0.1" in shown
    client.cmd("QUIT", 221)
    wait_for_event("close_session")
    assert procs.wait_for(lambda: not subprocess.run(
        ["who", "/run/utmp"], capture_output=True, text=True).stdout)
    assert Path("/var/log/wtmp").stat().st_size > 0
