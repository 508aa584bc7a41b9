"""REST, and the transfers that begin at an offset."""

import itertools

import pytest

import codes
from ftpraw import drain, receive_all, receive_exactly
from rules import check_refused

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


# The order of what comes before a transfer, and what a mark outlives.

@pytest.mark.parametrize("mode", ["pasv", "epsv", "port", "eprt"])
@pytest.mark.parametrize("verb", ["RETR", "STOR", "APPE"])
def test_order_of_the_commands_before_a_transfer(client, home, verb, mode):
    for order in itertools.permutations(("REST 100", mode, "TYPE I", "MODE S")):
        home.file("up", CONTENT)
        data = None
        for line in order:
            if line == mode:
                data = getattr(client, mode)()
            else:
                client.cmd(line, 200, 350)
        client.cmd(f"{verb} up", 150)
        if verb == "RETR":
            assert receive_all(data()) == CONTENT[100:]
        else:
            with data() as sock:
                sock.sendall(b"new")
        client.reply(226)
        expected = CONTENT if verb == "RETR" else CONTENT[:100] + b"new" + CONTENT[103:]
        assert (home / "up").read_bytes() == expected


@pytest.mark.parametrize("lines", [
    ["TYPE A"], ["TYPE A", "TYPE I"], ["MODE Z", "MODE S"], ["STRU F"], ["CWD d", "CWD .."],
    ["STAT"], ["STAT f"], ["MLST f"], ["FEAT"], ["ALLO 100"], ["MKD new"], ["NOOP", "NOOP"],
    ["PASV", "PASV", "EPSV"], ["DELE missing"], ["XYZZY"], [""], ["SITE CHMOD 600 f"],
])
def test_survives_what_is_no_transfer(client, home, lines):
    home.dir("d")
    client.cmd("REST 100", 350)
    for line in lines:
        client.send_line(line)
        if line:
            client.reply()
    assert client.retr("f") == CONTENT[100:]
    client.in_step()


@pytest.mark.parametrize("verb", ["RETR", "STOR", "APPE"])
def test_0_takes_the_mark_back(client, home, verb):
    home.file("up", b"0123456789")
    client.cmds(("REST 5", 350), ("REST 0", 350))
    if verb == "RETR":
        assert client.retr("up") == b"0123456789"
    else:
        client.stor("up", b"new", verb=verb)
        kept = {"STOR": b"new", "APPE": b"0123456789new"}[verb]
        assert (home / "up").read_bytes() == kept


# Every transfer uses the mark up, whatever becomes of it.

USERS = ["RETR missing", "RETR d", "STOR missing/f", "APPE missing/f", "STOU missing/f", "STOU",
         "LIST missing", "NLST missing", "MLSD missing", "MLSD f", "RETR", "STOR", "APPE"]


@pytest.mark.parametrize("line", USERS)
def test_is_used_up_by_every_failed_transfer(client, home, line):
    home.dir("d")
    data = client.pasv()
    client.cmd("REST 100", 350)
    check_refused(client, home, line, 501, 550, 553, 554)
    data().close()
    assert client.retr("f") == CONTENT
    client.in_step()


@pytest.mark.parametrize("line", ["RETR f", "STOR f", "APPE f", "STOU f", "LIST", "NLST", "MLSD"])
def test_is_used_up_by_every_transfer_without_data_connection(client, home, line):
    client.cmd("REST 100", 350)
    check_refused(client, home, line, 425)
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("verb", ["LIST", "NLST", "MLSD"])
def test_is_used_up_by_every_listing(client, home, verb):
    home.dir("d")
    client.cmd("REST 1", 350)
    assert len(client.list("", verb)) >= 2
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("verb", ["STOR", "APPE"])
def test_is_used_up_by_an_upload(client, home, verb):
    home.file("up", b"0123456789")
    client.stor("up", b"new", verb=verb, rest=2)
    client.stor("up", b"again")
    assert (home / "up").read_bytes() == b"again"
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("verb", ["RETR", "STOR", "APPE"])
def test_is_used_up_where_it_does_not_fit(client, home, verb):
    client.refused(f"{verb} f", 554, rest=SIZE + 1)
    assert client.retr("f") == CONTENT
    client.stor("f", b"new")
    assert (home / "f").read_bytes() == b"new"


def test_is_used_up_by_an_upload_that_is_not_allowed(ftpd, home):
    home.file("f", CONTENT)
    client = ftpd(write_enable="NO").login("alice")
    for verb in ("STOR", "APPE", "STOU"):
        client.refused(f"{verb} f", 550, rest=100)
        assert client.retr("f") == CONTENT


@pytest.mark.parametrize("verb", ["RETR", "STOR", "APPE"])
def test_is_used_up_by_an_aborted_transfer(client, home, verb):
    home.sparse("big", 1 << 30)
    home.file("up", CONTENT)
    sock = client.begin(f"{verb} {'big' if verb == 'RETR' else 'up'}", rest=100)
    if verb == "RETR":
        receive_exactly(sock, 1000)
    client.send_line("ABOR")
    client.reply(426)
    client.reply(226)
    drain(sock)
    assert client.retr("f") == CONTENT
    client.stor("up", b"new")
    assert (home / "up").read_bytes() == b"new"


# Uploads at the limits, and a client that resumes.

@pytest.mark.parametrize("verb", ["STOR", "APPE"])
def test_upload_far_behind_the_end(client, home, verb):
    for offset in (SIZE + 1, 2 ** 31, 2 ** 32, 2 ** 40, OFF_MAX):
        client.refused(f"{verb} f", codes.REST_BEHIND_UPLOAD, rest=offset)
        client.refused(f"{verb} new", codes.REST_BEHIND_UPLOAD, rest=offset)
    client.in_step()
    assert home.names() == ["f"] and (home / "f").read_bytes() == CONTENT


@pytest.mark.parametrize("verb", ["STOR", "APPE"])
def test_upload_with_a_number_too_large_for_any_file(client, home, verb):
    """The refused mark counts as none, and the client knows that."""
    client.cmd(f"REST {2 ** 64}", codes.REST_BEYOND_OFF_T)
    client.stor("new", b"new", verb=verb)
    assert (home / "new").read_bytes() == b"new"


@pytest.mark.parametrize("verb", ["STOR", "APPE"])
@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_empty_upload_at_an_offset_changes_nothing(client, home, verb, mode):
    for offset in (1, 100, SIZE):
        client.stor("f", b"", mode, verb=verb, rest=offset)
        assert (home / "f").read_bytes() == CONTENT


@pytest.mark.parametrize("verb", ["STOR", "APPE"])
def test_upload_that_broke_is_resumed(client, home, verb):
    sock = client.begin("STOR up")
    sock.sendall(CONTENT[:3000])
    client.send_line("ABOR")
    client.reply(426)
    client.reply(226)
    drain(sock)
    size = int(client.cmd("SIZE up", 213).text)
    client.stor("up", CONTENT[size:], verb=verb, rest=size)
    assert (home / "up").read_bytes() == CONTENT


def test_download_that_broke_is_resumed(client, home):
    content = CONTENT * 2000
    home.file("big", content)
    sock = client.begin("RETR big")
    received = receive_exactly(sock, 100_000)
    sock.close()
    client.reply(codes.DATA_BROKEN)
    assert received + client.retr("big", rest=len(received)) == content


def test_reply_tells_the_offset(client):
    assert client.cmd("REST 4294967297", 350).text == "Restarting at 4294967297."


# Who may, and when.

def test_before_login_is_530(ftpd, home):
    client = ftpd().connect()
    client.cmd("REST 100", 530)
    client.in_step()


def test_anonymous_user_resumes_a_download(anon):
    assert anon.retr("pub/data.bin", rest=102_300) == bytes(range(156, 256))
    anon.in_step()
