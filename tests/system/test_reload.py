"""SIGHUP: a new configuration for new sessions, whole or not at all."""

import hashlib
import os
import signal

import pytest

import posture
import procs
from checking import MALFORMED
from ftpraw import Client, receive, receive_exactly
from sessions import Session, gone

DONE = "configuration read again"
REFUSED = "the old one stays in force"
CONTENT = bytes(range(256)) * 4000


def reload(daemon, good=True, **changes):
    """Change options, reload, and wait until the daemon says that it has; returns what it said."""
    daemon.write_conf(**changes)
    return signal_reload(daemon, good)


def signal_reload(daemon, good=True):
    """The same with the file as it is."""
    before = len(daemon.stderr)
    daemon.process.send_signal(signal.SIGHUP)

    def said():
        return DONE in daemon.stderr[before:] or REFUSED in daemon.stderr[before:]

    assert procs.wait_for(said), f"no word about the reload: {daemon.stderr[before:]!r}"
    words = daemon.stderr[before:]
    assert (DONE if good else REFUSED) in words, words
    return words


def greeting(daemon):
    """The greeting of a new session."""
    with Client() as client:
        return client.reply(220).text


def idle_seconds(client):
    """The idle timeout that is in force for a session, from STAT."""
    (line,) = [line for line in client.cmd("STAT", 211).lines if "seconds" in line]
    return int("".join(filter(str.isdigit, line)))


def test_new_sessions_get_the_new_configuration(ftpd):
    daemon = ftpd(ftpd_banner="first", idle_session_timeout="111")
    early = daemon.connect()
    late = daemon.login("alice")
    assert greeting(daemon) == "first"
    reload(daemon, ftpd_banner="second", idle_session_timeout="222")
    assert greeting(daemon) == "second"
    assert idle_seconds(daemon.connect()) == 222
    for running in (early, late):
        assert idle_seconds(running) == 111
    early.login("bob", "secret-bob")
    assert idle_seconds(early) == 111


def test_removed_options_get_their_defaults(ftpd):
    daemon = ftpd(ftpd_banner="first", idle_session_timeout="111")
    reload(daemon, ftpd_banner=None, idle_session_timeout=None)
    assert greeting(daemon) != "first"
    assert idle_seconds(daemon.connect()) == 300


def test_settings_of_the_command_line_stay(ftpd):
    daemon = ftpd("-oftpd_banner=of the command line", ftpd_banner="of the file")
    assert greeting(daemon) == "of the command line"
    reload(daemon, ftpd_banner="another")
    assert greeting(daemon) == "of the command line"


def test_limits_change(ftpd):
    daemon = ftpd(max_clients="1")
    first = daemon.connect()
    daemon.connect(greeting=421)
    reload(daemon, max_clients="2")
    daemon.connect()
    daemon.connect(greeting=421)
    reload(daemon, max_clients="0", max_per_ip="2")
    daemon.connect(greeting=421)
    daemon.connect(source="127.0.0.2")
    first.in_step()


def test_logins_change(ftpd):
    daemon = ftpd()
    reload(daemon, anonymous_enable="NO")
    assert daemon.connect().try_login("anonymous", "x@example.com") == 530
    reload(daemon, anonymous_enable="YES", local_enable="NO")
    daemon.anonymous().in_step()
    assert daemon.connect().try_login("alice", "secret-alice") == 530


# Wrong files.

def line_of(daemon, name):
    """Where an option stands: FILE:LINE."""
    lines = daemon.conf_path.read_text().splitlines()
    (number,) = [number for number, line in enumerate(lines, 1) if line.startswith(name + "=")]
    return f"{daemon.conf_path}:{number}: "


@pytest.mark.parametrize("name, value, word", [
    ("no_such_option", "YES", "unknown option 'no_such_option'"),
    ("max_clients", "many", "max_clients"),
    ("idle_session_timeout", "0", "idle_session_timeout"),
    ("write_enable", "perhaps", "write_enable"),
])
def test_wrong_line_keeps_the_old_configuration(ftpd, name, value, word):
    daemon = ftpd(ftpd_banner="first")
    running = daemon.login("alice")
    words = reload(daemon, good=False, ftpd_banner="second", **{name: value})
    assert line_of(daemon, name) in words
    assert word in words
    assert greeting(daemon) == "first"
    running.in_step()
    reload(daemon, **{name: None})
    assert greeting(daemon) == "second"


def test_no_malformed_line_is_applied_in_half(ftpd):
    """The good lines around a wrong one count as little as it does, whatever is wrong with it."""
    daemon = ftpd(ftpd_banner="first")
    number = len(daemon.conf_path.read_text().splitlines()) + 2
    for line, words in MALFORMED.values():
        daemon.write_conf()
        with open(daemon.conf_path, "a", encoding="utf-8") as file:
            file.write(f"ftpd_banner=second\n{line}\nftpd_banner=third\n")
        said = signal_reload(daemon, good=False)
        assert f"{daemon.conf_path}:{number}: " in said, line
        assert greeting(daemon) == "first", line
    with open(daemon.conf_path, "a", encoding="utf-8") as file:
        file.write("#" * (1 << 20) + "\n")
    said = signal_reload(daemon, good=False)
    assert f"{daemon.conf_path}:{number + 2}: the file is longer" in said
    assert greeting(daemon) == "first"


def as_directory(path):
    path.mkdir()


def as_fifo(path):
    os.mkfifo(path, 0o600)


def as_dangling_link(path):
    path.symlink_to("nowhere")


def as_file_of_another(path):
    path.write_text("ftpd_banner=second\n")
    os.chown(path, 1001, 0)


def as_file_that_a_group_can_write(path):
    path.write_text("ftpd_banner=second\n")
    os.chown(path, 0, 1001)
    path.chmod(0o664)


@pytest.mark.parametrize("become", [as_directory, as_fifo, as_dangling_link, as_file_of_another,
                                    as_file_that_a_group_can_write])
def test_file_that_is_no_longer_right_keeps_the_old_configuration(ftpd, become):
    daemon = ftpd(ftpd_banner="first")
    daemon.conf_path.unlink()
    become(daemon.conf_path)
    said = signal_reload(daemon, good=False)
    assert f"{daemon.conf_path}: " in said
    assert greeting(daemon) == "first"


@pytest.mark.parametrize("changes, word", [
    ({"local_enable": "NO", "anonymous_enable": "NO"}, "local_enable"),
    ({"listen_ipv6": "YES"}, "listen_ipv6"),
    ({"run_as_launching_user": "YES"}, "run_as_launching_user"),
    ({"pasv_min_port": "3000", "pasv_max_port": "2000"}, "pasv_min_port"),
    ({"nopriv_user": "nosuchuser"}, "nosuchuser"),
    ({"ftp_username": "nosuchuser"}, "nosuchuser"),
    ({"secure_chroot_dir": "/tmp"}, "/tmp"),
])
def test_configuration_that_does_not_fit_keeps_the_old_one(ftpd, home, changes, word):
    home.file("f", CONTENT)
    daemon = ftpd(ftpd_banner="first")
    words = reload(daemon, good=False, ftpd_banner="second", **changes)
    assert word in words
    assert greeting(daemon) == "first"
    assert daemon.login("alice").retr("f") == CONTENT
    assert procs.wait_for(lambda: "OK DOWNLOAD" in daemon.log)


def test_file_that_is_gone_keeps_the_old_configuration(ftpd):
    daemon = ftpd(ftpd_banner="first")
    daemon.conf_path.unlink()
    daemon.process.send_signal(signal.SIGHUP)
    assert procs.wait_for(lambda: REFUSED in daemon.stderr)
    assert str(daemon.conf_path) in daemon.stderr
    assert greeting(daemon) == "first"


def test_file_that_anyone_can_write_keeps_the_old_configuration(ftpd):
    daemon = ftpd(ftpd_banner="first")
    daemon.conf_path.chmod(0o666)
    words = reload(daemon, good=False, ftpd_banner="second")
    assert str(daemon.conf_path) in words
    assert greeting(daemon) == "first"


def test_errors_do_not_reach_clients(ftpd):
    daemon = ftpd()
    running = daemon.login("alice")
    early = daemon.connect()
    reload(daemon, good=False, no_such_option="secret-text")
    for client in (running, early, daemon.connect()):
        client.in_step()
        for line in ("STAT", "HELP", "FEAT", "SYST"):
            reply = client.cmd(line)
            assert "secret-text" not in str(reply) and "option" not in str(reply).lower()


# What is said.

def test_changed_options_are_named(ftpd):
    daemon = ftpd()
    assert f"{DONE}; changed: nothing" in reload(daemon)
    words = reload(daemon, ftpd_banner="x", max_clients="7")
    (line,) = [line for line in words.splitlines() if DONE in line]
    assert set(line.partition("changed: ")[2].split(", ")) == {"ftpd_banner", "max_clients"}
    assert "restart" not in words


def test_options_that_need_a_restart_are_named(ftpd):
    daemon = ftpd(ftpd_banner="first")
    words = reload(daemon, listen_port="2121", listen_address="127.0.0.2", ftpd_banner="second")
    (line,) = [line for line in words.splitlines() if "restart" in line]
    assert set(line.partition("restart: ")[2].split(", ")) == {"listen_port", "listen_address"}
    assert greeting(daemon) == "second"


def test_many_reloads_leave_no_descriptors(ftpd):
    """After many reloads the listener holds what it held before."""
    daemon = ftpd()
    before = sorted(posture.descriptors(daemon.pid).values())
    for number in range(20):
        reload(daemon, ftpd_banner=f"number {number}")
        reload(daemon, good=False, no_such_option="1")
        daemon.options.pop("no_such_option")
    assert sorted(posture.descriptors(daemon.pid).values()) == before
    assert procs.wait_for(lambda: len(daemon.auth_helpers()) == 1)
    daemon.login("alice").in_step()


# The log.

def test_log_is_opened_again_after_a_rename(ftpd, home):
    daemon = ftpd()
    old = daemon.login("alice")
    rotated = daemon.log_path.with_suffix(".1")
    daemon.log_path.rename(rotated)
    reload(daemon)
    new = daemon.login("bob")
    old.cmd("MKD by-alice", 257)
    new.cmd("DELE by-bob", 550)
    for client in (old, new):
        client.cmd("QUIT", 221)
        client.wait_closed()
    assert not daemon.wait_no_sessions()
    assert "OK MKDIR" in rotated.read_text() and "[bob]" not in rotated.read_text()
    assert "FAIL DELETE" in daemon.log and "[alice]" not in daemon.log


def test_log_moves_to_another_file(ftpd, home):
    daemon = ftpd()
    path = daemon.log_path.with_name("other.log")
    reload(daemon, vsftpd_log_file=str(path))
    daemon.login("bob").in_step()
    assert "[bob] OK LOGIN" in path.read_text()
    assert "[bob]" not in daemon.log


def test_log_can_be_switched_on_and_off(ftpd):
    daemon = ftpd(xferlog_enable="NO")
    daemon.login("alice")
    assert daemon.log == ""
    reload(daemon, xferlog_enable="YES")
    daemon.login("bob")
    reload(daemon, xferlog_enable="NO")
    daemon.login("carol")
    assert "[bob] OK LOGIN" in daemon.log
    assert "[carol]" not in daemon.log and "[alice]" not in daemon.log


# Under load.

def test_fifty_reloads_under_a_running_transfer(ftpd, home):
    """Good and bad files in turn: nothing is dropped, and the last good one is in force."""
    home.sparse("big", 256 << 20)
    daemon = ftpd(ftpd_banner="0")
    session = Session(daemon).login()
    other = daemon.connect()
    sock = session.client.begin("RETR big")
    content, total = hashlib.sha256(), 0
    for number in range(1, 51):
        if number % 2:
            reload(daemon, ftpd_banner=str(number))
        else:
            words = reload(daemon, good=False, ftpd_banner=str(number), no_such_option="1")
            assert line_of(daemon, "no_such_option") in words
            daemon.options.pop("no_such_option")
        chunk = receive_exactly(sock, 1 << 20)
        content.update(chunk)
        total += len(chunk)
        if number % 10 == 0:
            assert greeting(daemon) == str(number - 1)
            daemon.login("bob").in_step()
    while chunk := receive(sock, 1 << 20):
        content.update(chunk)
        total += len(chunk)
    session.client.reply(226)
    assert total == 256 << 20
    expected = hashlib.sha256()
    for _ in range(256):
        expected.update(bytes(1 << 20))
    assert content.digest() == expected.digest()
    other.login("carol", "secret-carol")
    assert greeting(daemon) == "49"


def test_storm_of_signals(ftpd):
    """However many come, the last file is read."""
    daemon = ftpd(ftpd_banner="first")
    client = daemon.login("alice")
    daemon.write_conf(ftpd_banner="last")
    for _ in range(1000):
        os.kill(daemon.pid, signal.SIGHUP)
        os.kill(daemon.pid, signal.SIGCHLD)
    assert procs.wait_for(lambda: greeting(daemon) == "last")
    client.in_step()


def test_reload_reaps_what_ended_meanwhile(ftpd):
    daemon = ftpd(max_clients="5")
    for _ in range(20):
        session = Session(daemon)
        pids = session.pids
        session.client.close()
        reload(daemon)
        assert not gone(pids)
