"""miniftpd-auth: what happens when it dies, hangs, is missing or is another one; what it is told."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import ftpd as harness
import posture
import procs
from ftpd import AUTH_NAME
from posture import HeldChecks
from procs import wait_for
from sessions import Session, gone

ENDED = f"{AUTH_NAME} has ended; starting another one"


def another(daemon, pid):
    """The program that has taken the place of the one with this pid."""
    found = wait_for(lambda: [one.pid for one in daemon.auth_helpers() if one.pid != pid], 10)
    assert found, f"no other {AUTH_NAME}: {daemon.stderr}"
    assert wait_for(lambda: posture.capabilities(found[0], "Bnd") == set())  # it is ready
    return found[0]


def only_helper(daemon):
    (helper,) = daemon.auth_helpers()
    return helper.pid


# Killed.

def test_another_one_is_started_when_it_dies(ftpd, home):
    daemon = ftpd()
    inside = daemon.login("alice")
    first = only_helper(daemon)
    os.kill(first, signal.SIGKILL)
    another(daemon, first)
    assert wait_for(lambda: daemon.stderr.count(ENDED) == 1)
    assert wait_for(lambda: not procs.read(first)), "it is not reaped"
    inside.in_step()
    daemon.login("bob").in_step()


def test_it_is_not_started_again_and_again(ftpd):
    """Who kills it in a loop makes the listener no busier than one start a second."""
    daemon = ftpd()
    for number in range(1, 3):
        first = only_helper(daemon)
        os.kill(first, signal.SIGKILL)
        another(daemon, first)
        assert wait_for(lambda: daemon.stderr.count(ENDED) == number)


def test_a_session_that_knows_the_dead_one_is_refused(ftpd):
    """The client has to come again: its session can only ask the program of its own start."""
    daemon = ftpd()
    early = daemon.connect()
    first = only_helper(daemon)
    os.kill(first, signal.SIGKILL)
    another(daemon, first)
    early.cmds(("USER alice", 331), ("PASS secret-alice", 530))
    early.cmds(("USER ftp", 331), ("PASS x@example.org", 230))  # who has no password needs nobody
    daemon.login("alice").in_step()
    assert 'FAIL LOGIN: Client "127.0.0.1", "the verifier died"' in daemon.whole_log()


def test_a_check_under_way_ends_well_without_it(ftpd, home):
    """A verifier is a process of its own: it answers although the program that made it is dead."""
    daemon = ftpd()
    with HeldChecks(daemon) as held:
        session = Session(daemon)
        session.check()
        first = only_helper(daemon)
        os.kill(first, signal.SIGKILL)
        another(daemon, first)
        held.release()
        session.client.reply(230)
        session.client.in_step()


def test_a_program_that_is_stopped_delays_only_passwords(ftpd, home):
    daemon = ftpd()
    inside = daemon.login("alice")
    helper = only_helper(daemon)
    os.kill(helper, signal.SIGSTOP)
    try:
        waiting = daemon.connect()
        waiting.cmd("USER bob", 331)
        waiting.send_line("PASS secret-bob")
        daemon.anonymous().in_step()
        inside.in_step()
    finally:
        os.kill(helper, signal.SIGCONT)
    waiting.reply(230)


# Verifiers.

@pytest.mark.parametrize("kind", ["parent", "child"])
def test_verifier_ends_with_its_session(ftpd, kind):
    """Whoever is killed: the check is given up, though it waits in a system call."""
    daemon = ftpd()
    with HeldChecks(daemon):
        session = Session(daemon)
        session.check()
        os.kill(getattr(session, kind), signal.SIGKILL)
        assert not gone([session.verifier])
    assert len(daemon.auth_helpers()) == 1


def test_verifiers_are_reaped(ftpd, home):
    daemon = ftpd()
    client = daemon.connect()
    client.cmds(("USER alice", 331), ("PASS wrong", 530))
    client.login("alice", "secret-alice")
    assert wait_for(lambda: daemon.verifiers() == [])


# Its end.

def test_it_ends_with_the_listener(ftpd):
    daemon = ftpd()
    helper = only_helper(daemon)
    daemon.process.terminate()
    assert daemon.process.wait(5) == 0
    assert not gone([helper])


def test_it_stays_for_sessions_before_their_login(ftpd, home):
    """As long as one of them can ask it, though the listener is gone."""
    daemon = ftpd()
    early = daemon.connect()
    helper = only_helper(daemon)
    daemon.process.terminate()
    assert daemon.process.wait(5) == 0
    early.login("alice", "secret-alice")
    early.in_step()
    assert not gone([helper])


# What it is told.

def test_a_reload_starts_another_one_with_the_new_options(ftpd, home):
    daemon = ftpd(userlist_enable="NO", check_shell="YES")
    first = only_helper(daemon)
    early = daemon.connect()
    daemon.reload(local_enable="NO", anonymous_enable="YES")
    second = another(daemon, first)
    assert wait_for(lambda: "configuration read again" in daemon.stderr)
    late = daemon.connect()
    late.cmds(("USER alice", (331, 530)), ("PASS secret-alice", (530, 503)))
    early.login("alice", "secret-alice")  # whose session began with the old ones
    assert not gone([first])
    assert only_helper(daemon) == second


def test_options_of_the_command_line_count(ftpd, home, tmp_path):
    """It is told what is in force, and reads no configuration itself."""
    settings = tmp_path / "users"
    settings.mkdir()
    (settings / "alice").write_text("write_enable=NO\n")
    daemon = ftpd(f"-ouser_config_dir={settings}", user_config_dir="/no/such/dir")
    client = daemon.login("alice")
    client.cmd("MKD x", 550)


# Missing, or another one.

@pytest.fixture
def program(tmp_path, monkeypatch):
    """A copy of the daemon, with its programs beside it, that daemons are started from."""
    for name in ("", "-auth", "-tls"):
        source = Path(harness.PROGRAM + name)
        if source.exists():
            shutil.copy(source, tmp_path / f"miniftpd{name}")
    monkeypatch.setattr(harness, "PROGRAM", str(tmp_path / "miniftpd"))
    return tmp_path / "miniftpd"


def run(program, *arguments, **options):
    return subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=20, check=False, **options)


@pytest.mark.parametrize("arguments", [[], ["-t"]])
def test_daemon_does_not_start_without_it(program, arguments):
    Path(f"{program}-auth").unlink()
    result = run(program, "-olisten_port=2121", "-olocal_enable=YES", *arguments)
    assert result.returncode != 0
    text = result.stderr + result.stdout
    assert f"{program}-auth: No such file or directory; it is installed with this one" in text


def test_passwd_says_that_it_is_missing(program, tmp_path):
    Path(f"{program}-auth").unlink()
    result = run(program, "--passwd", str(tmp_path / "users"), "bob")
    assert result.returncode == 1
    assert f"miniftpd: cannot start the program {program}-auth: No such file" in result.stderr


def test_reload_without_it_keeps_the_old_one(program, ftpd, home):
    daemon = ftpd()
    first = only_helper(daemon)
    Path(f"{program}-auth").rename(f"{program}-away")
    daemon.reload(ftpd_banner="new")
    assert wait_for(lambda: "the old one stays in force" in daemon.stderr)
    daemon.login("alice").in_step()
    assert only_helper(daemon) == first
    Path(f"{program}-away").rename(f"{program}-auth")


def test_one_that_cannot_be_started_again_is_tried_again(program, ftpd, home):
    daemon = ftpd()
    Path(f"{program}-auth").rename(f"{program}-away")
    os.kill(only_helper(daemon), signal.SIGKILL)
    said = "nobody with a password can log in until this is mended"
    assert wait_for(lambda: said in daemon.stderr, 5)
    daemon.anonymous().in_step()
    daemon.connect().cmds(("USER alice", 331), ("PASS secret-alice", 530))
    Path(f"{program}-away").rename(f"{program}-auth")
    assert wait_for(daemon.auth_helpers, 15)
    assert wait_for(lambda: posture.capabilities(only_helper(daemon), "Bnd") == set())
    daemon.login("alice").in_step()


def test_one_of_another_version_is_refused(program, ftpd):
    name = f"{program}-auth"
    Path(name).unlink()
    Path(name).write_text("#!/bin/sh\nexec sleep 0\n")
    Path(name).chmod(0o755)
    result = run(program, "-olisten_port=2121", "-olocal_enable=YES", "-olisten_ipv6=NO")
    assert result.returncode != 0 and AUTH_NAME in result.stderr


@pytest.mark.parametrize("arguments", [[], ["--help"], ["0.0.0", "--serve", "x"], ["0.0.0", "--account"]])
def test_by_hand_it_says_what_it_is(arguments):
    result = run(f"{harness.PROGRAM}-auth", *arguments)
    assert result.returncode == 2 and "is started by miniftpd" in result.stderr
