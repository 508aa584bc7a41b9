"""pasv_min_port and pasv_max_port: a range, all of it, shared by all."""

import threading

import pytest

import procs
from ftpraw import Client, receive_all
from passive import occupy

OPTIONS = ("pasv_min_port", "pasv_max_port")

LOW, HIGH = 20000, 20002
RANGE = {"pasv_min_port": str(LOW), "pasv_max_port": str(HIGH)}
CONTENT = bytes(range(256)) * 400


@pytest.fixture
def daemon(ftpd, home):
    """One with three ports."""
    home.file("f", CONTENT)
    return ftpd(**RANGE)


def logins(daemon, count):
    return [daemon.login("alice") for _ in range(count)]


@pytest.mark.parametrize("mode", ["pasv", "epsv"])
def test_every_port_is_handed_out_and_no_other(daemon, mode):
    client = daemon.login("alice")
    seen = set()
    while len(seen) < 3:
        seen.add(getattr(client, f"{mode}_address")()[1])
        client.cmd("ABOR", 226)
    assert seen == {LOW, LOW + 1, HIGH}


@pytest.mark.parametrize("options, low, high", [
    ({"pasv_min_port": "0", "pasv_max_port": "1025"}, 1024, 1025),
    ({"pasv_min_port": "65534"}, 65534, 65535),
    ({"pasv_min_port": "65535", "pasv_max_port": "65535"}, 65535, 65535),
])
def test_ends_of_the_range(ftpd, home, options, low, high):
    client = ftpd(**options).login("alice")
    for _ in range(20):
        assert low <= client.pasv_address()[1] <= high
        client.cmd("ABOR", 226)


def test_three_ports_serve_three_who_wait_and_the_fourth_later(daemon):
    first, *others, fourth = logins(daemon, 4)
    address = first.pasv_address()
    ports = {client.pasv_address()[1] for client in others} | {address[1]}
    assert ports == {LOW, LOW + 1, HIGH}
    assert "try again" in fourth.cmd("PASV", 425).text
    fourth.cmds(("EPSV", 425), ("RETR f", 425), ("PWD", 257))
    fourth.in_step()
    first.send_line("RETR f")
    assert receive_all(first.connect_data(address)) == CONTENT
    first.reply(150)
    first.reply(226)
    assert fourth.retr("f") == CONTENT
    assert fourth.retr("f", "port") == CONTENT


def test_exhausted_range_is_logged_once_a_session(daemon):
    *others, late = logins(daemon, 4)
    for client in others:
        client.pasv_address()
    late.cmds(("PASV", 425), ("EPSV", 425))
    assert daemon.whole_log().count(f"no port from {LOW} to {HIGH} is free") == 1


def test_ports_that_others_listen_on_are_passed_over(daemon):
    client = daemon.login("alice")
    sockets = occupy([LOW, HIGH])
    for _ in range(10):
        assert client.pasv_address()[1] == LOW + 1
        client.cmd("ABOR", 226)
    for sock in sockets:
        sock.close()


def test_port_is_free_while_data_flows(ftpd, home):
    """Only the wait for the client takes a port: ten transfers at once need no more than one."""
    home.sparse("big", 1 << 30)
    daemon = ftpd(pasv_min_port=str(LOW), pasv_max_port=str(LOW))
    clients = logins(daemon, 10)
    sockets = [client.begin("RETR big") for client in clients]
    for sock in sockets:
        assert sock.recv(1)
    assert {sock.getpeername()[1] for sock in sockets} == {LOW}


def test_ten_sessions_take_turns(daemon):
    """Those that are idle hold nothing, whatever they have done before."""
    clients = logins(daemon, 10)
    for mode in ("pasv", "epsv"):
        for client in clients:
            assert client.retr("f", mode) == CONTENT
            client.stor(f"g{mode}", CONTENT, mode)
            assert "f" in client.nlst(mode=mode)


def test_ten_sessions_at_once(daemon):
    """A wait of a moment is enough for all of them."""
    failures = []

    def work():
        try:
            with Client() as client:
                client.reply(220)
                client.login("alice", "secret-alice")
                for _ in range(20):
                    assert client.retr("f") == CONTENT
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.parametrize("line, code", [("ABOR", 226), ("PORT 127,0,0,1,200,1", 200),
                                        ("EPRT |1|127.0.0.1|51201|", 200), ("QUIT", 221)])
def test_who_does_not_want_the_port_any_more_gives_it_back(ftpd, home, line, code):
    home.file("f", CONTENT)
    daemon = ftpd(pasv_min_port=str(LOW), pasv_max_port=str(LOW))
    one, other = logins(daemon, 2)
    one.pasv_address()
    other.cmd("PASV", 425)
    one.cmd(line, code)
    assert other.retr("f") == CONTENT


def test_port_is_free_after_a_client_that_never_came(ftpd, home):
    home.file("f", CONTENT)
    daemon = ftpd(pasv_min_port=str(LOW), pasv_max_port=str(LOW), accept_timeout="1")
    one, other = logins(daemon, 2)
    one.pasv_address()
    one.cmd_without_data("RETR f", 425)
    assert other.retr("f") == CONTENT


def test_port_is_free_after_the_session_was_killed(ftpd, home):
    home.file("f", CONTENT)
    daemon = ftpd(pasv_min_port=str(LOW), pasv_max_port=str(LOW))
    one = daemon.login("alice")
    one.pasv_address()
    one.reset()
    assert procs.wait_for(lambda: not daemon.sessions())
    assert daemon.login("alice").retr("f") == CONTENT


def test_refused_transfer_leaves_the_port_to_its_session(ftpd, home):
    home.file("f", CONTENT)
    client = ftpd(pasv_min_port=str(LOW), pasv_max_port=str(LOW)).login("alice")
    sock = client.connect_data(client.pasv_address())
    client.cmd("RETR missing", 550)
    client.cmd("RETR f", 150)
    assert receive_all(sock) == CONTENT
    client.reply(226)


def test_client_that_goes_on_does_not_wait_for_a_port(ftpd, home):
    """Commands behind PASV end its wait."""
    daemon = ftpd(pasv_min_port=str(LOW), pasv_max_port=str(LOW))
    one, other = logins(daemon, 2)
    one.pasv_address()
    other.send(b"PASV\r\nNOOP\r\nQUIT\r\n")
    for code in (425, 200, 221):
        other.reply(code)


def test_listener_is_kept_where_there_is_a_port_for_everybody(ftpd, home):
    """One request to the session parent is enough for many transfers."""
    home.file("f", CONTENT)
    daemon = ftpd(max_clients="3", **RANGE)
    clients = logins(daemon, 3)
    ports = set()
    for client in clients:
        own = set()
        for _ in range(5):
            own.add(client.pasv_address()[1])
            assert client.retr("f") == CONTENT
        assert len(own) == 1
        ports |= own
    assert ports == {LOW, LOW + 1, HIGH}
