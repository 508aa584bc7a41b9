"""SYST."""

import pytest


@pytest.mark.parametrize("when", ["before", "after"])
def test_syst_is_what_parsers_look_for(ftpd, when):
    daemon = ftpd()
    client = daemon.connect() if when == "before" else daemon.login("alice")
    assert client.cmd("SYST", 215).lines == ["215 UNIX Type: L8"]
