"""STRU."""

import pytest

from bytewise import check_untouched


@pytest.mark.parametrize("line, code", [
    ("STRU F", 200), ("STRU f", 200), ("STRU R", 504), ("STRU P", 504), ("STRU", 501),
    ("STRU ", 501), ("STRU X", 501), ("STRU FF", 501),
])
def test_reply(alice, line, code):
    alice.cmd(line, code)
    alice.in_step()


@pytest.mark.parametrize("line", ["STRU F", "STRU R"])
def test_bytes_are_untouched_whatever_was_said(alice, home, line):
    check_untouched(alice, home, line)
