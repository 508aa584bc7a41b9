"""RANG: REST with an end."""

import pytest

import codes
from ftpraw import drain, receive_exactly
from rules import LoginRule, check_refused

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)
OFF_MAX = 2 ** 63 - 1


class TestRules(LoginRule):
    lines = ["RANG 0 5", "RANG 1 0"]

    @pytest.fixture
    def things(self, home):
        return home


@pytest.fixture
def client(alice, home):
    home.file("f", CONTENT)
    return alice


def retr(client, first, last, mode="pasv"):
    """The bytes from `first` to `last`, both of them included."""
    client.cmd(f"RANG {first} {last}", 350)
    return client.retr("f", mode)


# The command itself.

@pytest.mark.parametrize("first, last", [(0, 0), (0, 1), (1, 1), (5, 1000), (2, 2 ** 32),
                                         (2 ** 31, 2 ** 31), (2 ** 40, 2 ** 62)])
def test_reply_tells_the_range(client, first, last):
    for line in (f"RANG {first} {last}", f"rang {first} {last}"):
        reply = client.cmd(line, 350)
        assert reply.text == f"Restarting at {first}. Ending at {last}."
    client.in_step()


@pytest.mark.parametrize("argument", ["2 1", "1000 999", "2 0", f"{OFF_MAX - 1} 1"])
def test_end_before_the_beginning_is_refused(client, argument):
    client.cmd(f"RANG {argument}", codes.RANGE_BACKWARDS)
    client.in_step()
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("argument", [
    "", " ", "5", "5 ", "x", "x y", "5 x", "x 5", "-1 5", "1 -5", "+1 5", "1 2 3", "1,5", "1-5",
    "0x1 5", "1.5 2", "¼ 5", f"0 {2 ** 63}", f"{2 ** 63} {2 ** 63}", f"0 {2 ** 64 + 5}",
    f"0 {'9' * 40}", "%n %s", "- 5", "5 -",
])
def test_not_two_numbers_is_501(client, argument):
    client.cmd(f"RANG {argument}", 501)
    client.in_step()
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("line, code", [("RANG x y", 501), ("RANG 5", 501), ("REST x", 501),
                                        ("RANG 9 5", codes.RANGE_BACKWARDS)])
def test_refused_mark_forgets_the_former(client, line, code):
    client.cmds(("RANG 5 9", 350), (line, code))
    assert client.retr("f") == CONTENT


def test_1_0_means_the_whole_file(client):
    client.cmds(("RANG 5 9", 350), ("RANG 1 0", 350))
    assert client.retr("f") == CONTENT
    client.in_step()


def test_last_one_counts(client):
    client.cmd("RANG 5 9", 350)
    assert retr(client, 20, 29) == CONTENT[20:30]


def test_feat(client):
    assert " RANG STREAM" in client.cmd("FEAT", 211).lines


# Downloads.

@pytest.mark.parametrize("mode", ["pasv", "epsv", "port", "eprt"])
@pytest.mark.parametrize("first, last", [
    (0, 0), (0, 1), (1, 1), (5, 9), (0, SIZE - 1), (0, SIZE - 2), (1, SIZE - 1),
    (SIZE - 1, SIZE - 1), (4095, 4096),
])
def test_download(client, first, last, mode):
    assert retr(client, first, last, mode) == CONTENT[first:last + 1]
    client.in_step()


@pytest.mark.parametrize("last", [SIZE, SIZE + 1, 2 ** 31, 2 ** 32 + 5, OFF_MAX - 1])
def test_end_behind_the_file_means_its_end(client, last):
    for first in (0, 1, 100, SIZE - 1):
        assert retr(client, first, last) == CONTENT[first:]
    client.in_step()


@pytest.mark.parametrize("last", [SIZE, SIZE + 1, OFF_MAX - 1])
def test_range_that_begins_at_the_end_is_empty(client, last):
    assert retr(client, SIZE, last) == b""
    client.in_step()


@pytest.mark.parametrize("first", [SIZE + 1, 2 ** 31, 2 ** 32, 2 ** 62])
def test_range_that_begins_behind_the_end_is_554(client, first):
    client.cmd(f"RANG {first} {first + 10}", 350)
    client.refused("RETR f", 554)
    client.in_step()
    assert client.retr("f") == CONTENT


def test_range_of_an_empty_file(client, home):
    home.file("f")
    assert retr(client, 0, 5) == b""
    client.cmd("RANG 1 5", 350)
    client.refused("RETR f", 554)


@pytest.mark.parametrize("first, last, expected", [
    ((4 << 30) - 2, (4 << 30) + 1, b"\0\0ta"), ((4 << 30) + 2, (4 << 30) + 2, b"i"),
    ((4 << 30) + 2, 5 << 40, b"il"), ((2 << 30) - 1, 2 << 30, b"\0\0"),
])
def test_over_4_gib(client, home, first, last, expected):
    path = home.sparse("f", 4 << 30)
    with open(path, "ab") as file:
        file.write(b"tail")
    assert retr(client, first, last) == expected
    client.in_step()


def test_parts_make_the_whole(client, home):
    content = CONTENT * 100
    home.file("f", content)
    step = 70_001
    parts = [retr(client, first, first + step - 1) for first in range(0, len(content), step)]
    assert b"".join(parts) == content


def test_before_and_after_pasv(client):
    data = client.pasv()
    client.cmds(("RANG 5 9", 350), ("TYPE I", 200), ("RETR f", 150))
    assert receive_exactly(data(), 100) == CONTENT[5:10]
    client.reply(226)
    assert retr(client, 5, 9) == CONTENT[5:10]


def test_file_may_be_read_without_write_enable(ftpd, home):
    home.file("f", CONTENT)
    assert retr(ftpd(write_enable="NO").login("alice"), 5, 9) == CONTENT[5:10]


def test_anonymous_download(anon):
    anon.cmd("RANG 7 11", 350)
    assert anon.retr("pub/readme.txt") == b"world"
    anon.in_step()


# REST and RANG are one mark.

def test_rang_replaces_rest(client):
    client.cmds(("REST 100", 350), ("RANG 5 9", 350))
    assert client.retr("f") == CONTENT[5:10]
    client.cmds(("REST 100", 350), ("RANG 1 0", 350))
    assert client.retr("f") == CONTENT


def test_rest_replaces_rang(client):
    client.cmds(("RANG 5 9", 350), ("REST 100", 350))
    assert client.retr("f") == CONTENT[100:]
    client.cmds(("RANG 5 9", 350), ("REST 0", 350))
    assert client.retr("f") == CONTENT


# Uploads have no end.

@pytest.mark.parametrize("line", ["STOR f", "APPE f", "STOR new", "APPE new"])
@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_upload_is_refused(client, home, line, mode):
    for mark in ("RANG 0 5", "RANG 5 9", f"RANG 0 {SIZE - 1}"):
        client.cmd(mark, 350)
        client.refused(line, codes.RANGE_OF_UPLOAD, mode=mode)
        client.in_step()
        assert home.names() == ["f"] and (home / "f").read_bytes() == CONTENT
    client.stor("f", b"new", mode)
    assert (home / "f").read_bytes() == b"new", "the range is still there"


def test_unique_upload_is_refused(client, home):
    client.cmd("RANG 0 5", 350)
    client.refused("STOU f", codes.STOU_RESTART)
    assert home.names() == ["f"]
    client.stor("f", b"new", verb="STOU")
    assert (home / "f.1").read_bytes() == b"new"


@pytest.mark.parametrize("verb", ["STOR", "APPE", "STOU"])
def test_upload_after_1_0(client, home, verb):
    client.cmds(("RANG 5 9", 350), ("RANG 1 0", 350))
    client.stor("new", b"new", verb=verb)
    assert (home / "new").read_bytes() == b"new"


# What uses it up.

def test_serves_one_transfer(client):
    assert retr(client, 5, 9) == CONTENT[5:10]
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("verb", ["LIST", "NLST", "MLSD"])
def test_is_used_up_by_a_listing(client, verb):
    client.cmd("RANG 0 3", 350)
    assert client.list("", verb)
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("line", ["RETR missing", "STOR missing/f", "STOU", "LIST missing",
                                  "MLSD f", "RETR", "HASH missing", "XCRC missing"])
def test_is_used_up_by_what_fails(client, home, line):
    client.pasv()
    client.cmd("RANG 5 9", 350)
    check_refused(client, home, line, 501, 550, 551, 553)
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("line", ["RETR f", "STOR f", "LIST"])
def test_is_used_up_without_data_connection(client, home, line):
    client.cmd("RANG 5 9", 350)
    check_refused(client, home, line, 425)
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("line, code", [("NOOP", 200), ("PWD", 257), ("TYPE I", 200),
                                        ("SIZE f", 213), ("STAT", 211), ("MLST f", 250),
                                        ("FEAT", 211), ("EPSV", 229), ("XYZZY", 500)])
def test_survives_other_commands(client, line, code):
    client.cmds(("RANG 5 9", 350), (line, code))
    assert client.retr("f") == CONTENT[5:10]


@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_abor(client, home, mode):
    home.sparse("big", 1 << 40)
    client.cmd(f"RANG 5 {1 << 39}", 350)
    sock = client.begin("RETR big", mode)
    receive_exactly(sock, 100_000)
    client.cmd("STAT", codes.STAT_IN_TRANSFER)
    client.send_line("ABOR")
    client.reply(426)
    client.reply(226)
    drain(sock)
    assert client.retr("f") == CONTENT
    client.in_step()


def test_does_not_reach_into_the_next_session(ftpd, home):
    home.file("f", CONTENT)
    daemon = ftpd()
    daemon.login("alice").cmd("RANG 5 9", 350)
    assert daemon.login("alice").retr("f") == CONTENT
