"""REST, and the transfers that begin at an offset."""

import pytest

import codes

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)
OFF_MAX = 2 ** 63 - 1


@pytest.fixture
def client(alice, home):
    home.file("f", CONTENT)
    alice.cmd("TYPE I", 200)
    return alice


@pytest.mark.parametrize("mode", ["pasv", "epsv", "port", "eprt"])
@pytest.mark.parametrize("offset", [0, 1, 255, 4096, SIZE - 1, SIZE])
def test_download_from_an_offset(client, offset, mode):
    assert client.retr("f", mode, rest=offset) == CONTENT[offset:]
    client.in_step()


@pytest.mark.parametrize("offset", [SIZE + 1, 2 ** 31, 2 ** 32, OFF_MAX])
def test_download_from_behind_the_end_is_554(client, offset):
    client.refused("RETR f", 554, rest=offset)
    client.in_step()
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("number", ["0", "1", "00", "007", str(2 ** 31), str(2 ** 32),
                                    str(OFF_MAX)])
def test_any_number_is_accepted(client, number):
    client.cmd(f"REST {number}", 350)
    client.in_step()


@pytest.mark.parametrize("number", [str(2 ** 63), str(2 ** 64), "9" * 40])
def test_number_too_large_for_any_file(client, number):
    client.cmd(f"REST {number}", codes.REST_BEYOND_OFF_T)
    client.in_step()
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("argument", ["", " ", "x", "-1", "+1", "1 x", "1e3", "0x10",
                                      "1.5",
                                      "1,000", "¼", "--", "%n"])
def test_not_a_number_is_501(client, argument):
    client.cmd(f"REST {argument}", 501)
    client.in_step()
    assert client.retr("f") == CONTENT


def test_refused_rest_forgets_the_former(client):
    client.cmds(("REST 100", 350), ("REST x", 501))
    assert client.retr("f") == CONTENT


def test_before_and_after_pasv(client):
    client.cmd("REST 100", 350)
    assert client.retr("f") == CONTENT[100:]
    assert client.retr("f", rest=200) == CONTENT[200:]


def test_last_rest_counts(client):
    client.cmds(("REST 100", 350), ("REST 7", 350))
    assert client.retr("f") == CONTENT[7:]


@pytest.mark.parametrize("line, code", [("NOOP", 200), ("PWD", 257), ("TYPE I", 200), ("SIZE f",
                                        213),
                                        ("MDTM f", 213)])
def test_survives_other_commands(client, line, code):
    client.cmds(("REST 100", 350), (line, code))
    assert client.retr("f") == CONTENT[100:]


def test_serves_one_transfer(client):
    assert client.retr("f", rest=100) == CONTENT[100:]
    assert client.retr("f") == CONTENT


def test_is_used_up_by_a_listing(client):
    client.cmd("REST 100", 350)
    assert client.nlst() == ["f"]
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("line", ["RETR missing", "STOR missing/f", "LIST missing"])
def test_is_used_up_by_a_failed_transfer(client, line):
    client.refused(line, 550, 553, rest=100)
    assert client.retr("f") == CONTENT


def test_is_used_up_by_a_transfer_without_data_connection(client):
    client.cmds(("REST 100", 350), ("RETR f", 425))
    assert client.retr("f") == CONTENT


def test_opening_reply_of_a_resumed_download_tells_the_full_size(client):
    data = client.pasv()
    client.cmd("REST 100", 350)
    assert f"({SIZE} bytes)" in client.cmd("RETR f", 150).text
    data().close()
    client.reply(226, 426)


def test_over_4_gib(client, home):
    size = (5 << 30) + 4
    path = home.sparse("big", size)
    with open(path, "r+b") as big:
        big.seek(5 << 30)
        big.write(b"tail")
    assert client.retr("big", rest=size - 10) == bytes(6) + b"tail"
    assert client.retr("big", rest=size) == b""
    client.refused("RETR big", 554, rest=size + 1)


@pytest.mark.parametrize("offset, expected", [
    (1, b"0new456789"), (5, b"01234new89"), (7, b"0123456new"), (9, b"012345678new"),
    (10, b"0123456789new"),
])
def test_upload_at_an_offset_keeps_the_rest(client, home, offset, expected):
    home.file("up", b"0123456789")
    client.stor("up", b"new", rest=offset)
    assert (home / "up").read_bytes() == expected


def test_upload_at_offset_0_replaces_the_file(client, home):
    home.file("up", b"0123456789")
    client.stor("up", b"new", rest=0)
    assert (home / "up").read_bytes() == b"new"


def test_upload_at_the_end_resumes(client, home):
    home.file("up", CONTENT[:1000])
    client.stor("up", CONTENT[1000:], rest=1000)
    assert (home / "up").read_bytes() == CONTENT


def test_append_at_an_offset_is_as_stor(client, home):
    home.file("up", b"0123456789")
    client.stor("up", b"new", verb="APPE", rest=2)
    assert (home / "up").read_bytes() == b"01new56789"


def test_upload_behind_the_end_makes_no_hole(client, home):
    home.file("up", b"0123456789")
    client.refused("STOR up", codes.REST_BEHIND_UPLOAD, rest=11)
    client.refused("APPE up", codes.REST_BEHIND_UPLOAD, rest=2 ** 40)
    client.refused("STOR new", codes.REST_BEHIND_UPLOAD, rest=1)
    client.in_step()
    assert (home / "up").read_bytes() == b"0123456789"
    assert home.names() == ["f", "up"]


def test_upload_over_4_gib(client, home):
    path = home.sparse("big", (4 << 30) + 100)
    client.stor("big", b"tail", rest=(4 << 30) + 100)
    assert path.stat().st_size == (4 << 30) + 104
    with open(path, "rb") as big:
        big.seek((4 << 30) + 98)
        assert big.read() == b"\0\0tail"


def test_does_not_reach_into_the_next_session(ftpd, home):
    home.file("f", CONTENT)
    daemon = ftpd()
    daemon.login("alice").cmd("REST 100", 350)
    assert daemon.login("alice").retr("f") == CONTENT
