"""Certificates that are renewed, miniftpd-tls that dies or is missing."""

import os
import re
import shutil
import signal
import subprocess

import pytest

import certs
import ftpsraw
import procs
from checking import USAGE, run
from ftpd import TLS_NAME
from procs import wait_for
from starters import copy_program

OPTIONS = ("rsa_cert_file", "rsa_private_key_file", "ssl_enable")

CONTENT = bytes(range(256)) * 4000


class Place:
    """The files that a daemon is configured with, whose content is renewed."""

    def __init__(self, directory):
        self.cert, self.key = directory / "server.pem", directory / "server.key"

    def put(self, pair, key=None):
        shutil.copy(pair.cert, self.cert)
        shutil.copy(key or pair.key, self.key)


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    made.put(certs.rsa())
    return made


@pytest.fixture
def daemon(ftps, home, place):
    home.file("f", CONTENT)
    return ftps(pair=place)


def reload(daemon, **changes):
    """SIGHUP; waits until the log says how it went."""
    def told():
        return len(re.findall("configuration (?:was not )?read again", daemon.stderr + daemon.log))

    before = told()
    daemon.reload(**changes)
    assert wait_for(lambda: told() > before), daemon.stderr + daemon.log


def shown(client):
    """The certificate that the server has shown."""
    return client.sock.getpeercert(True)


def certificate(pair):
    return certs.der(pair.cert)


@pytest.mark.parametrize("renewed", [certs.pair, certs.ec])
def test_renewed_certificate_serves_the_next_session(daemon, place, renewed):
    pair = renewed("renewed") if renewed is certs.pair else renewed()
    before = ftpsraw.login(daemon)
    place.put(pair)
    assert shown(ftpsraw.secured(daemon)) == certificate(certs.rsa())
    reload(daemon)
    after = ftpsraw.login(daemon)
    assert shown(after) == certificate(pair)
    for client in (before, after):
        assert client.retr("f") == CONTENT
        client.stor("g", CONTENT)
    assert shown(before) == certificate(certs.rsa())
    assert before.sock.session_reused is False


def test_old_program_goes_with_its_last_session(daemon, place):
    (first,) = daemon.helpers()
    client = ftpsraw.login(daemon)
    place.put(certs.ec())
    reload(daemon)
    assert wait_for(lambda: len(daemon.helpers()) == 2 or not procs.read(first.pid))
    client.cmd("QUIT", 221)
    client.close()
    assert wait_for(lambda: len(daemon.helpers()) == 1)
    assert daemon.helpers()[0].pid != first.pid
    assert procs.read(first.pid) is None


def test_many_reloads_leave_one_program(daemon):
    for _ in range(10):
        reload(daemon)
    assert wait_for(lambda: len(daemon.helpers()) == 1)
    assert "has ended" not in daemon.stderr + daemon.log
    assert ftpsraw.login(daemon).retr("f") == CONTENT


BAD = {
    "key of another": lambda place: place.put(certs.rsa(), certs.pair("other").key),
    "no certificate": lambda place: place.cert.write_text("nothing\n"),
    "no key": lambda place: place.key.write_bytes(b""),
    "missing certificate": lambda place: place.cert.unlink(),
    "missing key": lambda place: place.key.unlink(),
}


@pytest.mark.parametrize("spoil", BAD.values(), ids=BAD)
def test_bad_pair_keeps_the_old_one(daemon, place, spoil):
    client = ftpsraw.login(daemon)
    spoil(place)
    reload(daemon)
    text = daemon.stderr + daemon.log
    assert re.search(r"rsa_(cert|private_key)_file", text), text
    assert str(place.cert) in text or str(place.key) in text
    fresh = ftpsraw.login(daemon)
    assert shown(fresh) == certificate(certs.rsa())
    for one in (client, fresh):
        assert one.retr("f") == CONTENT
    place.put(certs.ec())
    reload(daemon)
    assert shown(ftpsraw.login(daemon)) == certificate(certs.ec())


@pytest.mark.parametrize("spoil", BAD.values(), ids=BAD)
def test_bad_pair_is_no_start(conf, place, spoil):
    spoil(place)
    result = run(conf(ftpsraw.configuration(place)))
    assert result.returncode == USAGE
    assert re.search(r"rsa_(cert|private_key)_file", result.stderr), result
    assert str(place.cert) in result.stderr or str(place.key) in result.stderr


def test_tls_can_be_switched_on_and_off(ftpd, home, place):
    home.file("f", CONTENT)
    daemon = ftpd(**ftpsraw.options(place, ssl_enable="NO"))
    assert daemon.helpers() == []
    clear = daemon.login("alice")
    clear.cmd("AUTH TLS", 502)
    reload(daemon, ssl_enable="YES")
    assert len(daemon.helpers()) == 1
    encrypted = ftpsraw.login(daemon)
    daemon.connect().cmd("USER alice", 530)
    assert clear.retr("f") == encrypted.retr("f") == CONTENT
    reload(daemon, ssl_enable="NO")
    assert encrypted.retr("f") == CONTENT
    assert daemon.login("alice").retr("f") == CONTENT
    daemon.connect().cmd("AUTH TLS", 502)
    encrypted.cmd("QUIT", 221)
    encrypted.close()
    assert wait_for(lambda: daemon.helpers() == [])


# The program dies.

def test_killed_program_is_started_again(daemon):
    (first,) = daemon.helpers()
    client = ftpsraw.login(daemon)
    os.kill(first.pid, signal.SIGKILL)
    assert wait_for(lambda: [one for one in daemon.helpers()
                             if one.pid != first.pid and one.state != "Z"])
    assert wait_for(lambda: f"{TLS_NAME} has ended; starting another one"
                    in daemon.stderr + daemon.log)
    assert client.retr("f") == CONTENT
    client.stor("g", CONTENT)
    assert ftpsraw.login(daemon).retr("f") == CONTENT
    assert wait_for(lambda: procs.read(first.pid) is None)


def test_session_that_waits_while_the_program_dies(daemon):
    """Its AUTH is refused, or served by who comes next; it can go on either way."""
    client = ftpsraw.connect(daemon)
    os.kill(daemon.helpers()[0].pid, signal.SIGKILL)
    if client.cmd("AUTH TLS", 234, 431).code == 431:
        client.in_step()
    assert wait_for(lambda: served(daemon))


def served(daemon):
    """Is there TLS for a new client?"""
    client = ftpsraw.connect(daemon)
    code = client.cmd("AUTH TLS", 234, 431).code
    client.close()
    return code == 234


def test_transfers_go_on_without_the_program(daemon, home):
    home.sparse("big", 64 << 20)
    client = ftpsraw.login(daemon)
    sock = client.begin("RETR big")
    assert sock.recv(1000)
    os.kill(daemon.helpers()[0].pid, signal.SIGKILL)
    while sock.recv(1 << 18):
        pass
    client.reply(226)
    client.in_step()


def test_missing_program_is_told(ftpd, conf, tmp_path):
    """A build without OpenSSL says what is missing; without ssl_enable nobody misses it."""
    alone = copy_program(tmp_path)
    result = subprocess.run([alone, conf(ftpsraw.configuration())], capture_output=True, text=True,
                            timeout=10, cwd="/")
    assert result.returncode == USAGE
    assert f"{tmp_path}/{TLS_NAME}" in result.stderr and "ssl_enable" in result.stderr
    daemon = ftpd.start_by((), {"executable": alone})
    daemon.wait_listening()
    daemon.connect().cmd("AUTH TLS", 502)
