"""What is said when a data connection cannot be made: to the client's user, and in the log."""

import pytest

import procs
from ftpraw import port_command
from passive import occupy
from sessions import Session, readable

OPTIONS = ("accept_timeout", "connect_timeout")

LIMIT = {"accept_timeout": "1", "connect_timeout": "1"}
NEVER = "the client never connected to data port"
NO_ANSWER = "no data connection to the client at"


@pytest.fixture
def fast(ftpd, home):
    """A daemon that does not wait long."""
    home.file("f", b"content")
    return ftpd(pasv_address="203.0.113.5", **LIMIT)


def unanswering(client):
    """The address of a socket that drops what would connect: its queue is full."""
    listener = client.listen_data()
    listener.listen(0)
    filler = client.connect_data(listener.getsockname())
    assert filler
    return listener.getsockname()


def test_client_that_never_came(fast):
    client = fast.login("alice")
    port = client.pasv_address()[1]
    reply = client.cmd_without_data("RETR f", 425)
    assert f"port {port}" in reply.text and "firewall" in reply.text
    assert (f'"{NEVER} {port} (announced as 203.0.113.5); a firewall or NAT may be in between, '
            'see pasv_address and pasv_min_port"\n') in fast.whole_log()


def test_client_of_epsv_that_never_came(fast):
    client = fast.login("alice")
    port = client.epsv_address()[1]
    client.cmd_without_data("NLST", 425)
    assert f"{NEVER} {port} (announced by EPSV);" in fast.whole_log()


def test_one_line_a_session(fast):
    for _ in range(2):
        client = fast.login("alice")
        for _ in range(2):
            client.pasv_address()
            client.cmd_without_data("RETR f", 425)
    assert fast.whole_log().count(NEVER) == 2


@pytest.mark.parametrize("end", ["abor", "close", "reset"])
def test_client_that_gave_up(ftpd, home, end):
    """Most clients have less patience than accept_timeout, and then hang up."""
    home.file("f", b"content")
    daemon = ftpd()
    session = Session(daemon).login()
    session.client.pasv_address()
    session.client.cmd("RETR f", 150)
    assert not procs.wait_for(lambda: NEVER in daemon.log, 3.5)
    if end == "abor":
        session.client.cmd("ABOR", 426)
        session.client.reply(226)
    else:
        getattr(session.client, end)()
    assert procs.wait_for(lambda: NEVER in daemon.log)


@pytest.mark.parametrize("end", ["abor", "close"])
def test_client_that_changed_its_mind_at_once(ftpd, home, end):
    home.file("f", b"content")
    daemon = ftpd()
    client = daemon.login("alice")
    client.pasv_address()
    client.cmd("RETR f", 150)
    if end == "abor":
        client.cmds(("ABOR", 426))
        client.reply(226)
    assert "WARNING" not in daemon.whole_log()


def test_no_line_for_those_who_connect(fast):
    client = fast.login("alice")
    for mode in ("epsv", "port", "eprt"):
        assert client.retr("f", mode) == b"content"
    assert "WARNING" not in fast.whole_log()


def test_port_that_refuses(fast):
    client = fast.login("alice")
    listener = client.listen_data()
    address = listener.getsockname()
    listener.close()
    for _ in range(2):
        client.cmd(port_command(address), 200)
        reply = client.cmd_without_data("RETR f", 425)
        assert f"port {address[1]} refused" in reply.text and "passive mode" in reply.text
    assert fast.whole_log().count(f"{NO_ANSWER} 127.0.0.1 port {address[1]}: Connection refused; "
                          "a firewall or NAT may be") == 1


def test_port_that_does_not_answer(fast):
    client = fast.login("alice")
    address = unanswering(client)
    client.cmd(port_command(address), 200)
    reply = client.cmd_without_data("RETR f", 425)
    assert f"port {address[1]} does not answer" in reply.text and "passive mode" in reply.text
    assert client.retr("f", "port") == b"content"
    log = fast.whole_log()
    assert f"{NO_ANSWER} 127.0.0.1 port {address[1]}: Connection timed out; " in log


@pytest.mark.parametrize("options, ends", [
    ({"accept_timeout": "1"}, {"passive"}), ({"connect_timeout": "1"}, {"active"}), ({}, set()),
])
def test_each_limit_is_for_its_own_wait(ftpd, home, options, ends):
    home.file("f", b"content")
    daemon = ftpd(**options)
    passive, active = daemon.login("alice"), daemon.login("alice")
    passive.pasv_address()
    passive.cmd("RETR f", 150)
    active.cmd(port_command(unanswering(active)), 200)
    active.send_line("RETR f")
    waiting = {"passive": passive, "active": active}
    for name in ends:
        waiting.pop(name).reply(425)
    assert not readable([client.sock for client in waiting.values()], 2)


def test_passive_mode_is_not_recommended_where_there_is_none(ftpd, home):
    home.file("f", b"content")
    client = ftpd(pasv_enable="NO").login("alice")
    client.cmd(port_command(("127.0.0.1", 51201)), 200)
    reply = client.cmd_without_data("RETR f", 425)
    assert "51201" in reply.text and "passive" not in reply.text


def test_port_20_that_is_taken(ftpd, home):
    """What is no fault of the network is not blamed on it."""
    home.file("f", b"content")
    daemon = ftpd(connect_from_port_20="YES", ftp_data_port="30020")
    client = daemon.login("alice")
    (taken,) = occupy([30020])
    client.cmd(port_command(client.listen_data().getsockname()), 200)
    reply = client.cmd_without_data("RETR f", 425)
    taken.close()
    assert "firewall" not in reply.text
    log = daemon.whole_log()
    assert f"{NO_ANSWER} 127.0.0.1 port" in log and "firewall" not in log
