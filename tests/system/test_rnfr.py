"""RNFR."""

import pytest

from changes import furnish_for_renaming
from rules import ArgumentRule, WriteRule


@pytest.fixture
def things(home):
    return furnish_for_renaming(home)


class TestRules(ArgumentRule, WriteRule):
    verbs = ["RNFR"]
    lines = ["RNFR f"]


@pytest.mark.parametrize("path", ["missing", "d/missing", "f/x", "n" * 300, "*", "/root/x"])
def test_missing_source_is_550(alice, things, path):
    alice.cmds((f"RNFR {path}", 550), ("RNTO new", 503))
    assert not (things / "new").exists()


def test_refused_rnfr_forgets_the_former(alice, things):
    alice.cmds(("RNFR f", 350), ("RNFR missing", 550), ("RNTO g", 503))
    assert (things / "f").exists()


def test_last_rnfr_counts(alice, things):
    alice.cmds(("RNFR f", 350), ("RNFR other", 350), ("RNTO g", 250))
    assert (things / "g").read_bytes() == b"other content"
