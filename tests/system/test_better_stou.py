"""better_stou: names by chance."""

import re

import pytest

OPTIONS = ("better_stou",)

NAMES = 40


def stou(client, line="STOU up"):
    """The name that an upload got."""
    data = client.pasv()
    name = client.cmd(line, 150).text.removeprefix("FILE: ")
    with data() as sock:
        sock.sendall(name.encode())
    assert client.reply(226).text.endswith(f"FILE: {name}")
    return name


def test_names_cannot_be_guessed(ftpd, home):
    client = ftpd(better_stou="YES").login("alice")
    names = [stou(client) for _ in range(NAMES)]
    assert all(re.fullmatch(r"up\.[0-9a-z]{6}", name) for name in names), names
    assert len(set(names)) == NAMES and home.names() == sorted(names)
    assert all((home / name).read_text() == name for name in names)


@pytest.mark.parametrize("line, pattern", [
    ("STOU", r"stou\.[0-9a-z]{6}"), ("STOU d/a.txt", r"d/a\.txt\.[0-9a-z]{6}"),
])
def test_what_the_name_begins_with(ftpd, home, line, pattern):
    home.dir("d")
    assert re.fullmatch(pattern, stou(ftpd(better_stou="YES").login("alice"), line))


def test_otherwise_names_are_counted(ftpd, home):
    client = ftpd(better_stou="NO").login("alice")
    assert [stou(client) for _ in range(3)] == ["up", "up.1", "up.2"]


def test_clients_at_once_get_names_of_their_own(ftpd, home):
    daemon = ftpd(better_stou="YES")
    clients = [daemon.login("alice") for _ in range(8)]
    waiting = [client.pasv() for client in clients]
    for client in clients:
        client.send_line("STOU up")
    names = [client.reply(150).text.removeprefix("FILE: ") for client in clients]
    for client, data in zip(clients, waiting):
        data().close()
        client.reply(226)
    assert len(set(names)) == len(clients) and home.names() == sorted(names)
