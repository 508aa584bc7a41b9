"""HASH, and OPTS HASH, which chooses the algorithm."""

import pytest

from checksums import ALGORITHMS, Checksum
from rules import check_refused

OPTIONS = ("hash_enable",)

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)


def hash_line(name, path, data, start=0):
    """The reply to HASH, without its code."""
    return f"{name} {start}-{start + len(data)} {ALGORITHMS[name](data)} {path}"


class TestHash(Checksum):
    verbs = ["HASH"]

    def expected(self, verb, path, data):
        return b"213 " + hash_line("SHA-256", "", data).encode() + path


@pytest.fixture
def client(alice, home):
    home.file("f", CONTENT)
    return alice


def selected(client):
    """The algorithm that FEAT tells as the selected one."""
    (line,) = [line for line in client.cmd("FEAT", 211).lines if line.startswith(" HASH ")]
    names = line.removeprefix(" HASH ").split(";")
    assert [name.removesuffix("*") for name in names] == list(ALGORITHMS)
    (star,) = [name for name in names if name.endswith("*")]
    return star.removesuffix("*")


# OPTS HASH.

@pytest.mark.parametrize("name", ALGORITHMS)
def test_algorithm(client, name):
    assert client.cmd(f"OPTS HASH {name}", 200).text == name
    assert client.cmd("HASH f", 213).text == hash_line(name, "f", CONTENT)
    assert client.cmd("OPTS HASH", 200).text == name
    assert selected(client) == name
    client.in_step()


def test_sha_256_is_the_first(client):
    assert client.cmd("OPTS HASH", 200).text == "SHA-256"
    assert selected(client) == "SHA-256"


def test_every_change(client):
    for _ in range(2):
        for name in ALGORITHMS:
            client.cmd(f"OPTS HASH {name}", 200)
            assert client.cmd("HASH f", 213).text == hash_line(name, "f", CONTENT)


@pytest.mark.parametrize("line, name", [("opts hash sha-512", "SHA-512"), ("OPTS HASH md5", "MD5"),
                                        ("Opts Hash Sha-1", "SHA-1"), ("OPTS HASH crc32", "CRC32"),
                                        ("OPTS HASH ", "SHA-256")])
def test_case_does_not_matter(client, line, name):
    assert client.cmd(line, 200).text == name


@pytest.mark.parametrize("argument", ["XYZZY", "SHA", "SHA1", "SHA256", "SHA-256*", "SHA-224",
                                      "SHA-256 MD5", "MD5;", "%n", "CRC", "-", "SHA-25", "5"])
def test_unknown_algorithm_is_501(client, argument):
    client.cmd("OPTS HASH SHA-1", 200)
    client.cmd(f"OPTS HASH {argument}", 501)
    client.in_step()
    assert selected(client) == "SHA-1"


def test_choice_ends_with_the_session(ftpd, home):
    daemon = ftpd()
    daemon.login("alice").cmd("OPTS HASH MD5", 200)
    assert selected(daemon.login("alice")) == "SHA-256"


def test_choice_before_login(client, ftpd):
    other = ftpd(listen_port="2121").connect()
    other.cmds(("OPTS HASH MD5", 200), ("OPTS HASH XYZZY", 501), ("HASH f", 530))
    other.in_step()


def test_opts_hash_needs_hash_enable(ftpd):
    client = ftpd(hash_enable="NO").login("alice")
    client.cmds(("OPTS HASH", 501), ("OPTS HASH SHA-1", 501))
    client.in_step()


# The mark of REST or RANG chooses a part, whose end is the byte behind it in the reply.

@pytest.mark.parametrize("offset", [0, 1, 100, SIZE - 1, SIZE])
def test_rest(client, offset):
    client.cmd(f"REST {offset}", 350)
    assert client.cmd("HASH f", 213).text == hash_line("SHA-256", "f", CONTENT[offset:], offset)


@pytest.mark.parametrize("first, last", [(0, 0), (5, 9), (0, SIZE - 1), (0, SIZE), (1, 2 ** 40),
                                         (SIZE - 1, SIZE - 1), (SIZE, SIZE + 5)])
@pytest.mark.parametrize("name", ["SHA-256", "MD5"])
def test_rang(client, first, last, name):
    client.cmds((f"OPTS HASH {name}", 200), (f"RANG {first} {last}", 350))
    part = CONTENT[first:last + 1]
    assert client.cmd("HASH f", 213).text == hash_line(name, "f", part, first)


def test_rang_1_0_means_the_whole_file(client):
    client.cmds(("RANG 5 9", 350), ("RANG 1 0", 350))
    assert client.cmd("HASH f", 213).text == hash_line("SHA-256", "f", CONTENT)


def test_range_over_4_gib(client, home):
    with open(home.sparse("big", 4 << 30), "ab") as file:
        file.write(b"tail")
    client.cmd(f"RANG {(4 << 30) - 2} {(4 << 30) + 1}", 350)
    assert client.cmd("HASH big", 213).text == hash_line("SHA-256", "big", b"\0\0ta", (4 << 30) - 2)


@pytest.mark.parametrize("mark", [f"REST {SIZE + 1}", f"RANG {SIZE + 1} {SIZE + 5}",
                                  f"REST {2 ** 62}"])
def test_mark_behind_the_end_is_554(client, home, mark):
    client.cmd(mark, 350)
    check_refused(client, home, "HASH f", 554)
    assert client.cmd("HASH f", 213).text == hash_line("SHA-256", "f", CONTENT)


@pytest.mark.parametrize("mark", ["REST 100", "RANG 5 9"])
def test_mark_is_used_up(client, mark):
    client.cmd(mark, 350)
    client.cmd("HASH f", 213)
    assert client.cmd("HASH f", 213).text == hash_line("SHA-256", "f", CONTENT)
    client.cmds((mark, 350), ("HASH f", 213))
    assert client.retr("f") == CONTENT


@pytest.mark.parametrize("mark", ["REST 100", "RANG 5 9"])
@pytest.mark.parametrize("line, code", [("HASH missing", 550), ("HASH d", 553), ("HASH", 501)])
def test_mark_is_used_up_by_what_fails(client, home, mark, line, code):
    home.dir("d")
    client.cmds((mark, 350), (line, code))
    assert client.cmd("HASH f", 213).text == hash_line("SHA-256", "f", CONTENT)
    client.cmds((mark, 350), (line, code))
    assert client.retr("f") == CONTENT


def test_mark_is_used_up_by_a_transfer(client):
    assert client.retr("f", rest=100) == CONTENT[100:]
    assert client.cmd("HASH f", 213).text == hash_line("SHA-256", "f", CONTENT)


def test_upload_can_be_checked_at_once(client):
    for number in range(20):
        content = b"%d" % number * number
        client.stor("up", content)
        assert client.cmd("HASH up", 213).text == hash_line("SHA-256", "up", content)
