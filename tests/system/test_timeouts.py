"""The four time limits. Only that they end something is tested, and what they leave alone."""

import time

import pytest

from ftpraw import DEADLINE_SEC, drain, receive, receive_exactly

OPTIONS = ("idle_session_timeout",)

LIMIT_SEC = 1


def stay_busy(step, seconds=2.5 * LIMIT_SEC):
    """Call `step` again and again, for longer than a limit that it is to hold off."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        step()
        time.sleep(LIMIT_SEC / 5)


def test_idle_session_is_421_and_closed(ftpd):
    client = ftpd(idle_session_timeout=str(LIMIT_SEC)).login("alice")
    client.reply(421)
    client.wait_closed()


@pytest.mark.parametrize("said", ["", "USER alice\r\n"])
def test_idle_client_before_login_is_421_and_closed(ftpd, said):
    client = ftpd(idle_session_timeout=str(LIMIT_SEC)).connect()
    client.send(said)
    if said:
        client.reply(331)
    client.reply(421)
    client.wait_closed()


def test_unfinished_line_is_no_activity(ftpd):
    client = ftpd(idle_session_timeout=str(LIMIT_SEC)).login("alice")
    end = time.monotonic() + DEADLINE_SEC
    while time.monotonic() < end:
        client.sock.settimeout(LIMIT_SEC / 5)
        try:
            assert client.sock.recv(3, 0) == b"421"
            break
        except TimeoutError:
            client.send("x")
    else:
        raise AssertionError("the session lives on")


def test_commands_hold_the_idle_limit_off(ftpd):
    client = ftpd(idle_session_timeout=str(LIMIT_SEC)).login("alice")
    stay_busy(client.in_step)


def test_transfer_is_not_idle(ftpd, home):
    client = ftpd(idle_session_timeout=str(LIMIT_SEC)).login("alice")
    with client.begin("STOR f") as sock:
        stay_busy(lambda: sock.sendall(b"x"))
    client.reply(226)
    client.in_step()


def test_idle_limit_counts_from_the_end_of_a_transfer(ftpd, home):
    home.file("f", b"content")
    client = ftpd(idle_session_timeout=str(LIMIT_SEC)).login("alice")
    assert client.retr("f") == b"content"
    client.reply(421)
    client.wait_closed()


def test_download_that_nobody_reads_ends(ftpd, home):
    home.sparse("big", 1 << 30)
    daemon = ftpd(data_connection_timeout=str(LIMIT_SEC))
    client = daemon.login("alice")
    sock = client.begin("RETR big")
    client.reply(421, 426)
    drain(sock)
    client.close()
    assert not daemon.wait_no_sessions()


def test_upload_without_data_ends(ftpd, home):
    daemon = ftpd(data_connection_timeout=str(LIMIT_SEC))
    client = daemon.login("alice")
    sock = client.begin("STOR f")
    sock.sendall(b"x")
    client.reply(421, 426)
    drain(sock)
    client.close()
    assert not daemon.wait_no_sessions()


def test_listing_that_nobody_reads_ends(ftpd, home):
    for number in range(30000):
        (home / f"{number:0200}").touch()
    client = ftpd(data_connection_timeout=str(LIMIT_SEC)).login("alice")
    sock = client.begin("LIST")
    client.reply(421, 426)
    drain(sock)


def test_progress_holds_the_data_limit_off(ftpd, home):
    home.sparse("big", 32 << 20)
    client = ftpd(data_connection_timeout=str(LIMIT_SEC)).login("alice")
    with client.begin("STOR f") as sock:
        stay_busy(lambda: sock.sendall(b"x"))
    client.reply(226)
    with client.begin("RETR big") as sock:
        stay_busy(lambda: receive_exactly(sock, 1 << 20))
        while receive(sock, 1 << 20):
            pass
    client.reply(226)
    client.in_step()


def test_commands_are_no_progress_of_a_transfer(ftpd, home):
    home.sparse("big", 1 << 30)
    client = ftpd(data_connection_timeout=str(LIMIT_SEC)).login("alice")
    client.begin("RETR big")
    end = time.monotonic() + DEADLINE_SEC
    while client.cmd("STAT").code not in (421, 426):
        assert time.monotonic() < end
        time.sleep(LIMIT_SEC / 5)


@pytest.mark.parametrize("mode", ["PASV", "EPSV"])
def test_client_that_does_not_connect_is_425(ftpd, home, mode):
    home.file("f", b"content")
    client = ftpd(accept_timeout=str(LIMIT_SEC)).login("alice")
    client.cmd(mode, 227, 229)
    client.cmd_without_data("RETR f", 425)
    client.in_step()
    assert client.retr("f") == b"content"


def test_waiting_listener_is_not_limited(ftpd, home):
    """accept_timeout counts from the transfer command, not from PASV."""
    home.file("f", b"content")
    client = ftpd(accept_timeout=str(LIMIT_SEC)).login("alice")
    address = client.pasv_address()
    stay_busy(client.in_step, 1.5 * LIMIT_SEC)
    sock = client.connect_data(address)
    client.cmd("RETR f", 150)
    assert receive_exactly(sock, 100) == b"content"
    client.reply(226)
