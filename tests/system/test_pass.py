"""PASS."""

from accounts import ALL

ALICE = ALL["alice"].password


def test_without_user_is_503(client):
    client.cmd("PASS secret", 503)
    client.in_step()


def test_after_a_failure_needs_user_again(client):
    client.cmds(("USER alice", 331), ("PASS wrong", 530), (f"PASS {ALICE}", 503))
    client.login("alice", ALICE)


def test_after_login_is_230(alice):
    alice.cmd("PASS whatever", 230)
    alice.in_step()
