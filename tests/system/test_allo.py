"""ALLO."""

import pytest

import codes


@pytest.mark.parametrize("line, code", [
    ("ALLO 1000", codes.ALLO), ("ALLO 0", codes.ALLO), ("ALLO 1000 R 80", codes.ALLO),
    ("ALLO 9223372036854775807", codes.ALLO), ("ALLO x", codes.ALLO_BAD_NUMBER),
])
def test_reply(alice, line, code):
    alice.cmd(line, code)
    alice.in_step()
