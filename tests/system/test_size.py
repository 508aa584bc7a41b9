"""SIZE."""

import pytest

from facts import Fact


class TestFact(Fact):
    verb = "SIZE"
    expected = "4"


@pytest.mark.parametrize("size", [0, 1, 1234, (1 << 31) - 1, 1 << 31, (1 << 32) + 1, 5 << 40])
def test_size_is_digits_only(alice, home, size):
    home.sparse("f", size)
    assert alice.cmd("SIZE f", 213).lines == [f"213 {size}"]


def test_size_does_not_depend_on_type(alice, home):
    home.file("f", b"one\ntwo\n")
    for kind in ("A", "I"):
        alice.cmd(f"TYPE {kind}", 200)
        assert alice.cmd("SIZE f", 213).text == "8"
