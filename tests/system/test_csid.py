"""CSID."""

import subprocess

import pytest

from ftpd import PROGRAM
from rules import LoginRule


@pytest.fixture
def things(home):
    return home


class TestRules(LoginRule):
    lines = ["CSID Name=FTP Voyager; Version=16.0.0.1;", "CSID"]


@pytest.mark.parametrize("line", ["CSID Name=a client; Version=1;", "CSID", "CSID ", "CSID %n%s%x",
                                  "csid x", "CSID " + "x" * 1000])
def test_tells_what_the_server_is(alice, line):
    output = subprocess.run([PROGRAM, "-v"], capture_output=True, check=True, text=True)
    version = (output.stdout + output.stderr).split()[1]
    assert alice.cmd(line, 200).lines == [
        f"200 Name=miniftpd; Version={version}; CaseSensitive=1; DirSep=/;"]
    alice.in_step()
