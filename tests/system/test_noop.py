"""NOOP and NOP."""

import pytest

VERBS = {"NOOP", "NOP"}


@pytest.mark.parametrize("line", ["NOOP", "noop", "NOP", "nop", "NOOP x", "NOP x"])
def test_is_200(alice, line):
    alice.cmd(line, 200)
    alice.in_step()


@pytest.mark.parametrize("line", ["NOOP", "NOP"])
def test_before_login(client, line):
    client.cmd(line, 200)
    client.in_step()


@pytest.mark.parametrize("line", ["NOOP", "NOP"])
def test_may_come_between_rnfr_and_rnto(alice, home, line):
    home.file("f")
    alice.cmds(("RNFR f", 350), (line, 200), ("RNTO g", 250))
    assert home.names() == ["g"]
