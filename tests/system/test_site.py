"""SITE: what is no subcommand. Each of those has its own file."""

import pytest

import codes


@pytest.mark.parametrize("argument", ["XYZZY", "EXEC ls", "CPFRX f", "WHO",
                                      "LINK f g", "CHMODX 644 f", "%n%s%x", "x" * 1000])
def test_unknown_subcommand(alice, home, argument):
    home.file("f")
    alice.cmd(f"SITE {argument}", codes.SITE_UNKNOWN)
    alice.in_step()


@pytest.mark.parametrize("line", ["SITE", "SITE "])
def test_without_subcommand(alice, line):
    alice.cmd(line, codes.SITE_NO_ARGUMENT)
    alice.in_step()
