"""Old versions, clients that speak nonsense, too much or not at all, and messages that are not the daemon's."""

import os
import socket
import ssl
import subprocess
import warnings

import pytest

import relay
from relay import pair, place, session, start  # pylint: disable=unused-import

MIB = 1 << 20
OLD = ssl.TLSVersion.TLSv1_2
NEW = ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize("names, good", [
    (["ftp"], True), (["h2", "ftp"], True), (["x-filezilla-ftp", "ftp"], True), ([], True),
    (["h2"], False), (["http/1.1"], False), (["x-ftp"], False), (["xx\3ftp"], False)])
def test_alpn(start, names, good):
    session = relay.Session(start())
    if names:
        session.context.set_alpn_protocols(names)
    assert session.shake().kind == (relay.UP if good else relay.DOWN)
    if good:
        assert session.tls.selected_alpn_protocol() == ("ftp" if names else None)


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_versions_are_refused(start, version):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        session = relay.Session(start(ssl_ciphers="ALL:@SECLEVEL=0"), ssl.TLSVersion[version])
    session.context.set_ciphers("ALL:@SECLEVEL=0")
    said = session.shake()
    assert (said.kind, said.text) == (relay.DOWN, "unsupported protocol")


@pytest.mark.parametrize("option, version, good", [
    ("ssl_tlsv12", OLD, False), ("ssl_tlsv12", NEW, True),
    ("ssl_tlsv13", OLD, True), ("ssl_tlsv13", NEW, False)])
def test_one_version_alone(start, option, version, good):
    said = relay.Session(start(**{option: "NO"}), version).shake()
    assert said.kind == (relay.UP if good else relay.DOWN)


@pytest.mark.parametrize("option, value, version, cipher", [
    ("ssl_ciphers", "ECDHE-RSA-CHACHA20-POLY1305", OLD, "ECDHE-RSA-CHACHA20-POLY1305"),
    ("ssl_ciphersuites", "TLS_AES_256_GCM_SHA384", NEW, "TLS_AES_256_GCM_SHA384")])
def test_ciphers_are_those_of_the_options(start, option, value, version, cipher):
    assert f", {cipher}," in relay.Session(start(**{option: value}), version).shake().text
    # else what costs least, although Python's list begins with AES-256
    assert "AES_128_GCM" in relay.Session(start(), version).shake().text.replace("-", "_").replace(
        "AES128", "AES_128")


def test_renegotiation_is_refused(start):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = subprocess.Popen(
            ["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{listener.getsockname()[1]}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        server, _ = listener.accept()
    session = relay.Session(start(), ends=(None, server))
    relay.send(session.relay, relay.GO, timeout_ms=5000)
    assert relay.receive(session.relay).kind == relay.UP
    client.stdin.write(b"R\n")
    client.stdin.flush()
    output, _ = client.communicate(timeout=relay.DEADLINE_SEC)
    assert b"RENEGOTIATING" in output and b"no renegotiation" in output
    assert session.plain.recv(10) == b""  # it was the client that gave up
    session.plain.close()
    assert session.is_gone()


@pytest.mark.parametrize("words, said", [
    (b"USER x\r\nPASS y\r\n", "wrong version number"),
    (b"\x16\x03\x01\x02\x00\x01\xff\xff\xff" + bytes(600), None),
    (b"\x80\x2e\x01\x00\x02" + bytes(60), None), (b"\x15\x03\x01\x00\x02\x02\x28", None)])
def test_garbage_ends_a_handshake(start, words, said):
    program = start()
    good = relay.Session(program).ready()
    session = relay.Session(program)
    relay.send(session.relay, relay.GO, timeout_ms=5000)
    session.client.sendall(words)
    down = relay.receive(session.relay)
    assert down.kind == relay.DOWN
    assert said is None or down.text == said
    assert session.is_gone()
    good.talk()


@pytest.mark.parametrize("words", [b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"])
def test_handshake_that_stalls_has_a_deadline(start, words):
    session = relay.Session(start())
    relay.send(session.relay, relay.GO, timeout_ms=300)
    session.client.sendall(words)
    assert "in time" in relay.receive(session.relay).text
    assert relay.receive(session.relay) is None
    assert session.is_gone()


RECORDS = {
    "too long": b"\x17\x03\x03\x48\x01" + bytes(0x4801),
    "longest": b"\x17\x03\x03\xff\xff" + bytes(0xFFFF),
    "forged": b"\x17\x03\x03\x00\x20" + bytes(0x20), "noise": b"\x99" * 100,
    "clear text": b"USER x\r\n" * 10,
}


@pytest.mark.parametrize("record", RECORDS)
def test_bad_record_ends_the_session(start, record):
    program = start()
    good, session = relay.Session(program).ready(), relay.Session(program).ready()
    client = relay.bare(session.tls)
    client.sendall(RECORDS[record])
    assert session.plain.recv(100) == b""
    assert session.is_gone()
    good.talk()


def test_bad_record_in_an_upload_is_no_clean_end(session, tmp_path):
    tls = session.begin_file(tmp_path / "f", relay.UPLOAD)
    tls.sendall(b"content")
    relay.bare(tls).sendall(b"\x17\x03\x03\x00\x20" + bytes(0x20))
    end = session.end()
    assert end.result == relay.NET_ERROR
    assert (tmp_path / "f").read_bytes() == b"content"


def full(sock):
    """Send until nobody takes it any more."""
    sock.settimeout(0.5)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 64 * MIB:
            sent += sock.send(bytes(65536))


def test_reader_that_stops_holds_a_bounded_amount(session):
    tls, ours = session.begin_plain()
    before = relay.resident_kib(session.pid)
    full(ours)
    assert relay.resident_kib(session.pid) - before < 1024
    session.talk()  # the control channel goes on meanwhile
    relay.send(session.relay, relay.ABORT)
    assert session.end().result == relay.ABORTED
    tls.close()


def test_control_channel_that_is_not_read_holds_a_bounded_amount(session):
    before = relay.resident_kib(session.pid)
    full(session.plain)  # a client that does not read
    full(session.tls)  # and a daemon that does not
    assert relay.resident_kib(session.pid) - before < 1024
    session.tls.close()
    session.plain.close()
    assert session.is_gone()


def test_file_for_a_reader_that_stops_holds_a_bounded_amount(session, tmp_path):
    with open(tmp_path / "f", "wb") as file:
        file.truncate(1 << 30)
    tls = session.begin_file(tmp_path / "f")
    assert relay.receive(session.relay).kind == relay.UP
    session.talk()
    assert relay.resident_kib(session.pid) < 16 * 1024
    relay.send(session.relay, relay.ABORT, flags=relay.RESET)
    assert relay.receive(session.relay).result == relay.ABORTED
    tls.close()


def head(kind, flags=0, text_len=0, result=0, offset=0, limit=0):
    return relay.HEAD.pack(kind, flags, result, text_len, 0, offset, limit, 0, 0, 0, 0)


BAD = {
    "empty": b"\0", "short": head(relay.ABORT)[:20], "long": head(relay.ABORT) + b"x",
    "text": head(relay.ABORT, text_len=200), "kind": head(99), "zero": head(0),
    "flags": head(relay.ABORT, flags=0x80), "no descriptor": head(relay.DATA),
    "huge": bytes(5000), "file without data": head(relay.FILE), "start": head(relay.START),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_message_ends_its_session_only(start, kind):
    program = start()
    good, session = relay.Session(program).ready(), relay.Session(program).ready()
    session.relay.send(BAD[kind])
    assert relay.receive(session.relay) is None
    assert session.is_gone()
    good.talk()


@pytest.mark.parametrize("kind", [relay.PLAIN, relay.FILE, relay.NET, relay.START])
def test_descriptor_out_of_order_ends_its_session_only(start, kind):
    program = start()
    good, session = relay.Session(program).ready(), relay.Session(program).ready()
    with open("/dev/null", "rb") as file:
        relay.send(session.relay, kind, file.fileno())
    assert relay.receive(session.relay) is None
    assert session.is_gone()
    good.talk()


def test_second_data_while_one_is_busy_ends_the_session(session):
    _tls, _ours = session.begin_plain()
    assert relay.receive(session.relay).kind == relay.UP
    with open("/dev/null", "rb") as file:
        relay.send(session.relay, relay.DATA, file.fileno())
    assert relay.receive(session.relay) is None
    assert session.is_gone()


def test_data_that_is_no_socket_fails_alone(session):
    with open("/dev/null", "rb") as file:
        relay.send(session.relay, relay.DATA, file.fileno(), timeout_ms=5000)
        relay.send(session.relay, relay.FILE, file.fileno(), limit=1)
    assert relay.receive(session.relay).result == relay.HANDSHAKE
    session.talk()


@pytest.mark.parametrize("kind", BAD)
def test_bad_message_to_the_program_ends_nothing(start, kind):
    program = start()
    good = relay.Session(program).ready()
    program.sock.send(BAD[kind])
    relay.Session(program).ready()
    good.talk()


def test_too_many_descriptors_are_closed(start):
    program = start()
    files = [os.open("/dev/null", os.O_RDONLY) for _ in range(3)]
    for count in (2, 3):
        socket.send_fds(program.sock, [head(relay.START)], files[:count])
    for number in files:
        os.close(number)
    relay.Session(program).ready()
    assert len(os.listdir(f"/proc/{program.pid}/fd")) == 4
