"""Checksums by the commands that came before HASH: XCRC and its kind, and MD5."""

import itertools
import zlib

import pytest

import codes
from checksums import ALGORITHMS, Checksum
from ftpraw import encode, escaped
from rules import check_refused

X_COMMANDS = {
    "XCRC": "CRC32", "XMD5": "MD5", "XSHA": "SHA-1", "XSHA1": "SHA-1", "XSHA256": "SHA-256",
    "XSHA512": "SHA-512",
}
VERBS = {"XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512", "MD5"}

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)


def checksum(verb, data):
    """What an X command says of `data`."""
    return ALGORITHMS[X_COMMANDS[verb]](data)


class TestX(Checksum):
    verbs = list(X_COMMANDS)

    def expected(self, verb, path, data):
        return b"250 " + checksum(verb, data).encode()


class TestMd5(Checksum):
    verbs = ["MD5"]

    def expected(self, verb, path, data):
        return b"251 " + path + b" " + ALGORITHMS["MD5"](data).encode()


@pytest.fixture
def client(alice, home):
    home.file("f", CONTENT)
    home.file("two words", CONTENT)
    home.file('q"uote', CONTENT)
    return alice


def check_part(client, argument, data):
    """All X commands find `data` in the part of a file that `argument` names."""
    for verb in X_COMMANDS:
        reply = client.cmd(encode(verb) + b" " + encode(argument), 250)
        assert reply.lines == [f"250 {checksum(verb, data)}"], f"{verb} {argument}"
    client.in_step()


# The part that is asked for: its first byte, and the one behind its last.

PARTS = [(0, 0), (0, 1), (5, 10), (0, SIZE), (0, SIZE + 1), (SIZE - 1, SIZE), (SIZE, SIZE), (7, 7),
         (100, 2 ** 40), (0, 2 ** 63 - 1), (SIZE, 2 ** 62)]
NO_PARTS = [(1, 0), (10, 5), (SIZE, SIZE - 1), (SIZE + 1, SIZE + 2), (SIZE + 1, SIZE + 1),
            (2 ** 40, 2 ** 41), (2 ** 62, 0)]


@pytest.mark.parametrize("name", ["f", '"f"', '"two words"', "two words", '"q""uote"', 'q"uote',
                                  "./f", '"/home/alice/f"', '"~/f"', "~/f"])
def test_part(client, name):
    for start, end in PARTS:
        check_part(client, f"{name} {start} {end}", CONTENT[start:end])


@pytest.mark.parametrize("name", ["f", '"f"', '"two words"', "two words", '"q""uote"'])
def test_part_up_to_the_end(client, name):
    for start in (0, 1, 5000, SIZE - 1, SIZE):
        check_part(client, f"{name} {start}", CONTENT[start:])


@pytest.mark.parametrize("argument", ["f 5 10", '"f"  5  10 ', '"f" 5 10', "f 05 010"])
def test_forms_of_a_part(client, argument):
    check_part(client, argument, CONTENT[5:10])


@pytest.mark.parametrize("name", ["f", '"f"', '"two words"'])
def test_no_such_part(client, name):
    for verb in X_COMMANDS:
        for start, end in NO_PARTS:
            client.cmd(f"{verb} {name} {start} {end}", codes.CHECKSUM_NO_PART)
        for start in (SIZE + 1, 2 ** 32, 2 ** 63 - 1):
            client.cmd(f"{verb} {name} {start}", codes.CHECKSUM_NO_PART)
    client.in_step()


def test_part_over_4_gib(client, home):
    with open(home.sparse("big", 4 << 30), "ab") as file:
        file.write(b"tail")
    check_part(client, f"big {(4 << 30) - 2} {(4 << 30) + 2}", b"\0\0ta")
    check_part(client, f"big {(4 << 30) + 2}", b"il")


def test_part_of_an_empty_file(client, home):
    home.file("empty")
    for numbers in ("", " 0", " 0 0", " 0 5"):
        check_part(client, f"empty{numbers}", b"")
    for line in ("XCRC empty 1", "XMD5 empty 1 2"):
        client.cmd(line, codes.CHECKSUM_NO_PART)


# Names: a file of the whole argument comes first, then numbers at the end, then quotes.

@pytest.mark.parametrize("name", ["f 5", "f 5 10", '"f"', '"f" 5 10', '"', "f 0", "two words 1 2"])
def test_file_of_the_whole_argument_comes_first(client, home, name):
    home.file(name, b"right")
    check_part(client, name, b"right")


def test_quotes_tell_a_name_from_numbers(client, home):
    home.file("f 5", b"right")
    home.file("f 5 10", b"other")
    check_part(client, '"f" 5 10', CONTENT[5:10])
    check_part(client, '"f 5"', b"right")
    check_part(client, '"f 5" 1 3', b"ig")
    check_part(client, '"f 5 10"', b"other")


@pytest.mark.parametrize("name", [" leading", "trailing ", '"', '""', 'a"b"c', "ünï", b"\xe4\xf6",
                                  b"a\xffb", "x" * 250, "*", "-rf", "#", "%n", "5", "1 2 3"])
def test_quoted_name(client, home, name):
    home.file(name, b"content")
    quoted = b'"' + escaped(name).replace(b'"', b'""') + b'"'
    for verb in X_COMMANDS:
        line = encode(verb) + b" " + quoted
        assert client.cmd(line, 250).text == checksum(verb, b"content")
        assert client.cmd(line + b" 1", 250).text == checksum(verb, b"ontent")
        assert client.cmd(line + b" 1 3", 250).text == checksum(verb, b"on")
    client.in_step()


@pytest.mark.parametrize("argument", [
    '"f', '"f" x', '"f" 1 x', '"f" x 2', '"f" 1 2 3', '"f"5', '"f"x', '"f" -1', '"f" 1 -2',
    '"f" 1.5', '"f" +1', '"f" 0x1', f'"f" {2 ** 63}', f'"f" 0 {2 ** 64}', '"f" "5" x', '"f""',
    '"f" %n',
])
def test_rubbish_behind_quotes_is_501(client, home, argument):
    for verb in X_COMMANDS:
        check_refused(client, home, f"{verb} {argument}", 501)


@pytest.mark.parametrize("argument", ["f x", "f 1 x", "f -1", "f 1 -2", "f 1 2 3", "f +1",
                                      "f 1.5", '""', '"" 1', '"missing"', '"missing" 1 2',
                                      "missing 1 2", '"two"', "two"])
def test_file_that_is_missing_whatever_is_behind_it(client, home, argument):
    for verb in X_COMMANDS:
        check_refused(client, home, f"{verb} {argument}", 550)


@pytest.mark.parametrize("argument", ["d 0 5", '"d"', '"d" 0 5', '"."', '"d/"', "d 5"])
def test_directory_in_any_form(client, home, argument):
    home.dir("d")
    for verb in X_COMMANDS:
        client.cmd(f"{verb} {argument}", codes.CHECKSUM_DIRECTORY)
    client.in_step()


def test_md5_has_no_parts_and_no_quotes(client):
    client.cmds(("MD5 f 0 5", 550), ('MD5 "f"', 550), ("MD5 f 5", 550))
    expected = ALGORITHMS["MD5"](CONTENT)
    assert client.cmd("MD5 two words", 251).text == f"two words {expected}"
    assert client.cmd('MD5 q"uote', 251).text == f'q"uote {expected}'
    client.in_step()


# The replies.

def test_crc_has_eight_digits(client, home):
    contents = (b"%d" % number for number in itertools.count())
    for zeros in range(1, 5):
        content = next(one for one in contents if zlib.crc32(one) < 1 << 32 - 4 * zeros)
        home.file("crc", content)
        text = client.cmd("XCRC crc", 250).text
        assert len(text) == 8 and text.startswith("0" * zeros)
        assert int(text, 16) == zlib.crc32(content)


def test_case_of_the_verb_does_not_matter(client):
    for verb in X_COMMANDS:
        assert client.cmd(f"{verb.lower()} f", 250).text == checksum(verb, CONTENT)
    client.cmd("md5 f", 251)


def test_choice_of_opts_hash_does_not_matter(client):
    client.cmd("OPTS HASH SHA-512", 200)
    check_part(client, "f", CONTENT)
    assert client.cmd("MD5 f", 251).text == f"f {ALGORITHMS['MD5'](CONTENT)}"


# REST and RANG, which hold where no numbers are given.

def test_rest(client):
    for verb in X_COMMANDS:
        for offset in (0, 1, 100, SIZE):
            client.cmd(f"REST {offset}", 350)
            assert client.cmd(f"{verb} f", 250).text == checksum(verb, CONTENT[offset:])


@pytest.mark.parametrize("first, last", [(0, 0), (5, 9), (0, SIZE - 1), (1, 2 ** 40), (SIZE, SIZE)])
def test_rang(client, first, last):
    for verb in X_COMMANDS:
        client.cmd(f"RANG {first} {last}", 350)
        assert client.cmd(f"{verb} f", 250).text == checksum(verb, CONTENT[first:last + 1])


def test_numbers_win_over_a_mark(client):
    for mark in ("REST 100", "RANG 100 200"):
        client.cmd(mark, 350)
        assert client.cmd("XMD5 f 5 10", 250).text == checksum("XMD5", CONTENT[5:10])
        assert client.retr("f") == CONTENT, "the mark is still there"


def test_mark_behind_the_end_is_554(client):
    for verb in X_COMMANDS:
        client.cmds((f"REST {SIZE + 1}", 350), (f"{verb} f", 554))
    check_part(client, "f", CONTENT)


@pytest.mark.parametrize("argument, code", [(" f", 250), (" missing", 550), (" .", 553),
                                            (' "f', 501), ("", 501), (" f 9 1", 501)])
def test_mark_is_used_up(client, argument, code):
    for mark in ("REST 100", "RANG 5 9"):
        for verb in X_COMMANDS:
            client.cmds((mark, 350), (f"{verb}{argument}", code))
            assert client.cmd(f"{verb} f", 250).text == checksum(verb, CONTENT)
        client.cmds((mark, 350), (f"XCRC{argument}", code))
        assert client.retr("f") == CONTENT
