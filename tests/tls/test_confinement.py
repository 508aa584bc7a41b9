"""What miniftpd-tls and its relays may do, what they hold, and where the private key is."""

import os
import subprocess

import pytest

import posture
import procs
import relay
from relay import pair, place, session, start  # pylint: disable=unused-import

NOBODY = 65534


def assert_confined(pid, filters):
    assert posture.ids(pid, "Uid") == posture.ids(pid, "Gid") == [NOBODY] * 4
    assert posture.groups(pid) == set()
    for which in ("Inh", "Prm", "Eff", "Amb"):
        assert posture.capabilities(pid, which) == set()
    # those that the listener has left of the bounding set
    assert not posture.capabilities(pid, "Bnd") & set(posture.CAPABILITIES.values())
    assert posture.no_new_privileges(pid)
    assert posture.filters(pid) == filters
    assert not posture.is_dumpable(pid)
    assert os.listdir(f"/proc/{pid}/root") == []


def test_program_is_nobody_nowhere(start):
    program = start()
    assert_confined(program.pid, 1)
    held = posture.descriptors(program.pid)
    assert held == {0: ("null",), 1: ("null",), 2: ("null",), 3: ("seqpacket",)}


def kinds(pid):
    return sorted(kind[0] for kind in posture.descriptors(pid).values())


def test_relay_is_nobody_nowhere(start):
    program = start()
    session = relay.Session(program).ready()
    other = relay.Session(program).ready()
    idle = sorted(["null"] * 3 + ["seqpacket", "tcp", "unix"])  # relay control, client, plain end
    for one in (session, other):
        assert_confined(one.pid, 2)
        assert kinds(one.pid) == idle
    tls, ours = session.begin_plain()
    assert relay.receive(session.relay).kind == relay.UP
    assert kinds(session.pid) == sorted(idle + ["tcp", "unix"])
    assert kinds(other.pid) == idle
    ours.close()
    assert relay.read_all(tls) == b""
    assert relay.receive(session.relay).result == relay.CLEAN
    tls.close()
    assert procs.wait_for(lambda: kinds(session.pid) == idle)


def test_descriptors_that_were_left_open_are_closed(place, pair):
    with open("/dev/null", "rb") as file:
        os.set_inheritable(file.fileno(), True)
        program = relay.Program(place / "empty", rsa_cert_file=pair[0], rsa_private_key_file=pair[1])
        assert sorted(posture.descriptors(program.pid)) == [0, 1, 2, 3]
        program.close()


def test_seccomp_sandbox_no_means_no_filters(start):
    session = relay.Session(start(seccomp_sandbox="NO")).ready()
    assert_confined(session.pid, 0)
    session.talk()


def test_ordinary_user_can_run_it(place, pair, tmp_path):
    """run_as_launching_user=YES: no change of ids and no chroot; Landlock leaves no file."""
    user = 1234
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(pair[0].read_bytes())
    key.write_bytes(pair[1].read_bytes())
    for path in (cert, key, tmp_path):
        os.chown(path, user, user)
    for parent in list(tmp_path.parents)[:-2]:
        parent.chmod(0o755)
    program = relay.Program("/", user=user, rsa_cert_file=cert, rsa_private_key_file=key,
                            run_as_launching_user="YES")
    try:
        assert program.said.kind == relay.READY, program.said.text
        session = relay.Session(program).ready()
        for pid, filters in ((program.pid, 1), (session.pid, 2)):
            assert posture.ids(pid, "Uid") == [user] * 4
            assert posture.capabilities(pid, "Prm") == set()
            assert posture.no_new_privileges(pid)
            assert posture.filters(pid) == filters
            assert not posture.is_dumpable(pid)
    finally:
        program.close()


def key_bytes(key):
    """The private key as text, as DER, and its numbers in both orders of bytes."""
    def run(*args):
        return subprocess.run(["openssl", *args], check=True, capture_output=True).stdout

    text = key.read_text().splitlines()[5].encode()
    der = run("rsa", "-in", key, "-outform", "DER", "-traditional")
    shown = run("rsa", "-in", key, "-noout", "-text").decode()
    prime = bytes.fromhex("".join(
        shown.partition("prime1:")[2].partition("prime2:")[0].split()).replace(":", "")).lstrip(b"\0")
    return {"text": text, "der": der[300:360], "prime": prime[:64], "number": prime[::-1][:64]}


def test_private_key_is_in_its_own_processes_only(start, pair):
    program = start()
    session = relay.Session(program).ready()
    secrets = key_bytes(pair[1])
    for pid in (program.pid, session.pid):
        found = posture.remembers(pid, list(secrets.values()))
        assert secrets["number"] in found  # as OpenSSL computes with it: the search works
        assert not found & {secrets["text"], secrets["der"], secrets["prime"]}, found


def test_relays_outlive_the_program(start):
    program = start()
    first, second = relay.Session(program).ready(), relay.Session(program).ready()
    assert first.pid != second.pid
    program.close()
    first.talk()
    second.talk()
    first.plain.close()
    assert first.tls.recv(1) == b""
    first.tls.close()
    assert first.is_gone()


def test_program_ends_with_its_last_sender(start):
    program = start()
    program.sock.close()
    assert program.process.wait(relay.DEADLINE_SEC) == 0


@pytest.mark.parametrize("number", ["0", "x", "-1", "4294967295"])
def test_nobody_has_to_be_somebody(place, pair, number):
    done = subprocess.run([relay.PROGRAM, relay.VERSION, number, "65534", place], capture_output=True,
                          check=False)
    assert done.returncode == 2
