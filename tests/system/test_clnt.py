"""CLNT."""

import pytest


@pytest.mark.parametrize("line", ["CLNT lftp 4.9", "CLNT %n%s%x"])
def test_is_200(alice, line):
    alice.cmd(line, 200)
    alice.in_step()
