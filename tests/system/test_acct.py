"""ACCT."""

import codes


def test_is_not_needed(alice):
    alice.cmd("ACCT x", codes.ACCT)
    alice.in_step()
