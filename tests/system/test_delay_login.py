"""delay_failed_login, delay_successful_login: only the lower bounds are looked at."""

import time

import pytest

from accounts import ALL
from sessions import readable

OPTIONS = ("delay_failed_login", "delay_successful_login")

NEARLY = 0.99  # of a second: clocks are read at different moments


def seconds(client, user, password, code):
    """How long the reply to PASS takes."""
    client.cmd(f"USER {user}", 331)
    start = time.monotonic()
    client.cmd(f"PASS {password}", code)
    return time.monotonic() - start


@pytest.mark.parametrize("user, password", [("alice", ALL["alice"].password),
                                            ("anonymous", "test@example.com")])
def test_successful_login_is_delayed(ftpd, user, password):
    client = ftpd(delay_successful_login="1").connect()
    assert seconds(client, user, password, 230) >= NEARLY
    client.in_step()


def test_successful_login_without_a_password_is_delayed(ftpd):
    client = ftpd(delay_successful_login="1", no_anon_password="YES").connect()
    start = time.monotonic()
    client.cmd("USER anonymous", 230)
    assert time.monotonic() - start >= NEARLY


def test_failed_login_has_a_delay_of_its_own(ftpd):
    """Each of them delays its own kind: the other one would take a minute."""
    client = ftpd(delay_successful_login="1", delay_failed_login="0").connect()
    client.cmds(("USER alice", 331), ("PASS wrong", 530))
    client = ftpd(delay_successful_login="60", delay_failed_login="1", listen_port="2121").connect()
    assert seconds(client, "alice", "wrong", 530) >= NEARLY
    client = ftpd(delay_successful_login="0", delay_failed_login="60", listen_port="2122").connect()
    client.login("alice", ALL["alice"].password)


def test_login_is_logged_when_it_is_granted(ftpd):
    daemon = ftpd(delay_successful_login="1")
    daemon.login("alice")
    assert "OK LOGIN" in daemon.log


def test_delay_of_one_session_does_not_hold_up_another(ftpd):
    daemon = ftpd(delay_successful_login="2")
    slow = daemon.connect()
    slow.cmd("USER alice", 331)
    slow.send_line("PASS secret-alice")
    quick = daemon.connect()
    quick.cmds(("USER bob", 331), ("PASS wrong", 530))
    assert not readable([slow.sock]), "the delay was over before"
    slow.reply(230)
    slow.in_step()


def test_commands_behind_the_password_wait_too(ftpd):
    client = ftpd(delay_successful_login="1").connect()
    client.cmd("USER alice", 331)
    client.send("PASS secret-alice\r\nPWD\r\nNOOP\r\n")
    assert [client.reply().code for _ in range(3)] == [230, 257, 200]
