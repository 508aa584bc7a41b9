"""QUIT."""

import pytest

from ftpraw import receive_all, receive_exactly


def test_idle(alice):
    alice.cmd("QUIT", 221)
    alice.wait_closed()


def test_before_login(client):
    client.cmd("QUIT", 221)
    client.wait_closed()


def test_nothing_leaves_a_process_behind(ftpd):
    daemon = ftpd()
    clients = [daemon.connect(), daemon.login("alice"), daemon.anonymous()]
    for client in clients:
        client.cmd("QUIT", 221)
    assert not daemon.wait_no_sessions()


def test_commands_behind_it_are_not_run(alice, home):
    alice.send("QUIT\r\nMKD d\r\n")
    alice.reply(221)
    alice.wait_closed()
    assert home.names() == []


@pytest.mark.parametrize("line, code", [("QUIT", 221), ("GET / HTTP/1.1", 500)])
def test_unread_input_does_not_turn_the_end_into_a_reset(ftpd, line, code):
    """A reset can overtake the last reply on its way."""
    client = ftpd().connect()
    client.send(line + "\r\n" + "NOOP\r\n" * 2000)
    client.reply(code)
    assert receive_all(client.sock) == b""


@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_download_is_finished_first(alice, home, mode):
    home.sparse("big", 64 << 20)
    sock = alice.begin("RETR big", mode)
    receive_exactly(sock, 1000)
    alice.send_line("QUIT")
    assert len(receive_all(sock)) == (64 << 20) - 1000
    alice.reply(226)
    alice.reply(221)
    alice.wait_closed()


def test_upload_is_finished_first(alice, home):
    with alice.begin("STOR f") as sock:
        sock.sendall(b"one")
        alice.send_line("QUIT")
        sock.sendall(b"two")
    alice.reply(226)
    alice.reply(221)
    alice.wait_closed()
    assert (home / "f").read_bytes() == b"onetwo"


def test_session_of_another_client_goes_on(ftpd):
    daemon = ftpd()
    one, other = daemon.login("alice"), daemon.login("alice")
    one.cmd("QUIT", 221)
    one.wait_closed()
    other.in_step()
