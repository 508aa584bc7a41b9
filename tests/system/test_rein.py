"""REIN."""

from accounts import ALL

ALICE = ALL["alice"].password


def test_before_login_forgets_the_user(client):
    client.cmds(("USER alice", 331), ("REIN", 220), (f"PASS {ALICE}", 503))
    client.login("alice", ALICE)


def test_after_login_is_502(alice):
    alice.cmd("REIN", 502)
    alice.in_step()
    alice.cmd("PWD", 257)
