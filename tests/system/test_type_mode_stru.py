"""TYPE, MODE and STRU."""

import pytest

import codes

TEXT = b"one\ntwo\r\nthree\rfour\n\xff\0"


@pytest.mark.parametrize("line, code", [
    ("TYPE A", 200), ("TYPE a", 200), ("TYPE A N", 200), ("TYPE a n", 200), ("TYPE AN", 200),
    ("TYPE I", 200),
    ("TYPE i", 200), ("TYPE I N", 200), ("TYPE L 8", 200), ("TYPE L8", 200), ("type l 8", 200),
    ("TYPE A T", 504), ("TYPE A C", 504), ("TYPE E", 504), ("TYPE E N", 504), ("TYPE", 501),
    ("TYPE L 7", codes.TYPE_OTHER_SIZE), ("TYPE L 36", codes.TYPE_OTHER_SIZE), ("TYPE ", 501),
    ("TYPE X", 501), ("TYPE AX", 501),
    ("TYPE IMAGE", 501),
    ("TYPE %n", 501), ("TYPE " + "A" * 1000, 501),
    ("STRU F", 200), ("STRU f", 200), ("STRU R", 504), ("STRU P", 504), ("STRU", 501), ("STRU ",
    501),
    ("STRU X", 501), ("STRU FF", 501),
    ("MODE S", 200), ("MODE s", 200), ("MODE B", codes.MODE_REFUSED), ("MODE C",
    codes.MODE_REFUSED),
    ("MODE Z", codes.MODE_REFUSED), ("MODE", 501), ("MODE ", 501), ("MODE X", 501), ("MODE SS",
    501),
])
def test_reply(alice, line, code):
    alice.cmd(line, code)
    alice.in_step()


@pytest.mark.parametrize("line", ["TYPE A", "TYPE A N", "TYPE I", "TYPE L 8", "STRU F", "MODE S",
                                  "TYPE E",
                                  "STRU R", "MODE B", "TYPE X"])
def test_bytes_are_untouched_whatever_was_said(alice, home, line):
    home.file("f", TEXT)
    alice.cmd(line)
    assert alice.retr("f") == TEXT
    alice.stor("g", TEXT)
    assert (home / "g").read_bytes() == TEXT
    assert alice.nlst() == ["f", "g"]
