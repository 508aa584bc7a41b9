"""What hides the use of an RSA key from who measures its time is not shared by relays; tlsblind.h."""

import posture
import relay
from relay import pair, place, start  # pylint: disable=unused-import

FACTOR = 256  # bytes, of a key of 2,048 bits
ALIKE = 12    # bytes of two random numbers of that size may be the same by chance


def heap(pid):
    """Its address and its bytes."""
    return next((start, content) for name, start, content in posture.memory(pid) if name == "[heap]")


def numbers_that_differ(one, other):
    """How many stretches of the size of a factor differ in nearly every byte."""
    differs = bytes(a != b for a, b in zip(one, other))
    count = at = 0
    while at + FACTOR <= len(differs):
        if sum(differs[at:at + FACTOR]) >= FACTOR - ALIKE:
            count, at = count + 1, at + FACTOR
        else:
            at += 1 if any(differs[at:at + FACTOR]) else FACTOR
    return count


def test_each_relay_has_its_own_factor(start):
    program = start()
    sessions = [relay.Session(program) for _ in range(3)]
    found = [heap(session.pid) for session in sessions]
    assert len({address for address, _ in found}) == 1  # forks of one program
    for one, other in zip(found, found[1:]):
        # the factor and its inverse, before a key was used
        assert numbers_that_differ(one[1], other[1]) >= 2


def test_relays_differ_in_no_number_when_there_is_no_rsa_key(start, place):
    """So the test above looks at factors: what else is random in a relay is shorter."""
    cert, key = relay.make_pair(place, "elliptic", *relay.ECDSA)
    program = start(dsa_cert_file=cert, dsa_private_key_file=key)
    sessions = [relay.Session(program) for _ in range(2)]
    (_, one), (_, other) = [heap(session.pid) for session in sessions]
    assert numbers_that_differ(one, other) == 0
