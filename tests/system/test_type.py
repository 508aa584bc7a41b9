"""TYPE."""

import pytest

import codes
from bytewise import check_untouched


@pytest.mark.parametrize("line, code", [
    ("TYPE A", 200), ("TYPE a", 200), ("TYPE A N", 200), ("TYPE a n", 200), ("TYPE AN", 200),
    ("TYPE I", 200), ("TYPE i", 200), ("TYPE I N", 200), ("TYPE L 8", 200), ("TYPE L8", 200),
    ("type l 8", 200), ("TYPE A T", 504), ("TYPE A C", 504), ("TYPE E", 504), ("TYPE E N", 504),
    ("TYPE", 501), ("TYPE ", 501), ("TYPE L 7", codes.TYPE_OTHER_SIZE),
    ("TYPE L 36", codes.TYPE_OTHER_SIZE), ("TYPE X", 501), ("TYPE AX", 501), ("TYPE IMAGE", 501),
    ("TYPE %n", 501), ("TYPE " + "A" * 1000, 501),
])
def test_reply(alice, line, code):
    alice.cmd(line, code)
    alice.in_step()


@pytest.mark.parametrize("line", ["TYPE A", "TYPE A N", "TYPE I", "TYPE L 8", "TYPE E", "TYPE X"])
def test_bytes_are_untouched_whatever_was_said(alice, home, line):
    check_untouched(alice, home, line)
