"""miniftpd-tls as the daemon uses it: the control channel, transfers in both directions, their ends."""

import contextlib
import os
import socket
import ssl
import time

import pytest

import relay
from relay import pair, place, session, start  # pylint: disable=unused-import

MIB = 1 << 20
BOTH = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@BOTH
def test_control_channel_passes_both_ways(start, version):
    session = relay.Session(start(), version)
    assert session.shake().kind == relay.UP
    session.talk(b"220 Hello.\r\n")
    session.tls.sendall(b"USER x\r\n")
    assert session.plain.recv(100) == b"USER x\r\n"
    session.plain.close()
    assert session.tls.recv(1) == b""


def test_up_tells_version_cipher_and_client(start):
    up = relay.Session(start(), ssl.TLSVersion.TLSv1_3).shake()
    assert up.text == "TLSv1.3, TLS_AES_128_GCM_SHA256, no client certificate"


def test_client_that_closes_gets_its_last_replies(session):
    """A FIN without close_notify ends one direction only."""
    session.tls.sendall(b"QUIT\r\n")
    session.tls = relay.bare(session.tls)
    session.tls.shutdown(socket.SHUT_WR)
    assert session.plain.recv(100) == b"QUIT\r\n"
    assert session.plain.recv(100) == b""
    session.plain.sendall(b"221 Goodbye.\r\n")
    session.plain.close()
    assert len(relay.read_all(session.tls)) > len(b"221 Goodbye.\r\n")
    session.tls.close()
    assert session.is_gone()


@BOTH
def test_download_of_a_file(start, tmp_path, version):
    content = os.urandom(3 * MIB + 7)
    (tmp_path / "f").write_bytes(content)
    session = relay.Session(start(), version).ready()
    tls = session.begin_file(tmp_path / "f", offset=7)
    got = relay.read_all(tls)
    tls.unwrap()
    tls.close()
    assert got == content[7:]
    up, end = relay.receive(session.relay), relay.receive(session.relay)
    assert up.flags == relay.RESUMED
    assert (end.result, end.bytes) == (relay.CLEAN, len(got))


def test_download_keeps_to_its_limit(session, tmp_path):
    (tmp_path / "f").write_bytes(b"0123456789")
    tls = session.begin_file(tmp_path / "f", offset=2, limit=3)
    assert relay.read_all(tls) == b"234"
    assert session.end().bytes == 3


@BOTH
@pytest.mark.parametrize("clean", [True, False])
def test_upload_to_a_file_tells_a_cut_one(start, tmp_path, version, clean):
    content = os.urandom(2 * MIB + 5)
    session = relay.Session(start(), version).ready()
    tls = session.begin_file(tmp_path / "f", relay.UPLOAD)
    tls.sendall(content)
    if clean:
        tls.unwrap()
    else:
        tls.shutdown(socket.SHUT_WR)
    end = session.end()
    assert end.result == (relay.CLEAN if clean else relay.TRUNCATED)
    assert end.bytes == len(content)
    assert (tmp_path / "f").read_bytes() == content


@BOTH
@pytest.mark.parametrize("clean", [True, False])
def test_upload_to_a_stream(start, version, clean):
    content = os.urandom(100_000)
    session = relay.Session(start(), version).ready()
    tls, ours = session.begin_plain(relay.UPLOAD)
    tls.sendall(content)
    if clean:
        tls.unwrap()
    else:
        tls.shutdown(socket.SHUT_WR)
    assert relay.read_all(ours) == content
    end = session.end()
    assert (end.result, end.bytes) == (relay.CLEAN if clean else relay.TRUNCATED, len(content))


@pytest.mark.parametrize("stream", [True, False])
def test_upload_is_answered_before_the_client_closes(session, tmp_path, stream):
    """curl waits for close_notify before it closes the connection."""
    if stream:
        tls, ours = session.begin_plain(relay.UPLOAD)
    else:
        tls = session.begin_file(tmp_path / "f", relay.UPLOAD)
    tls.sendall(b"content")
    raw = tls.unwrap()  # sends close_notify and waits for the answer
    assert session.end().result == relay.CLEAN
    if stream:
        assert relay.read_all(ours) == b"content"
    raw.close()


def test_end_of_a_download_does_not_wait_for_the_client(session, tmp_path):
    (tmp_path / "f").write_bytes(b"content")
    first = session.begin_file(tmp_path / "f")
    end = session.end()  # nothing was read or closed yet
    assert (end.result, end.flags) == (relay.CLEAN, 0)
    second = session.begin_file(tmp_path / "f")
    assert relay.read_all(first) == relay.read_all(second) == b"content"
    assert session.end().result == relay.CLEAN


def test_connection_after_its_end_takes_what_the_client_says(session, tmp_path):
    """Closed at once, it would be reset by it, and what the client has not read yet would be lost."""
    (tmp_path / "f").write_bytes(b"content")
    tls = session.begin_file(tmp_path / "f")
    session.end()
    for _ in range(20):
        tls.sendall(b"late")  # neither EPIPE nor ECONNRESET
    assert relay.read_all(tls) == b"content"
    tls.unwrap()


def test_what_a_client_says_during_a_download_is_not_for_the_daemon(session):
    tls, ours = session.begin_plain()
    tls.sendall(b"noise")
    ours.sendall(b"listing")
    ours.shutdown(socket.SHUT_WR)
    assert relay.read_all(tls) == b"listing"
    assert session.end().result == relay.CLEAN
    assert ours.recv(10) == b""


@pytest.mark.parametrize("answers", [True, False])
def test_strict_download_waits_for_close_notify(session, tmp_path, answers):
    (tmp_path / "f").write_bytes(b"content")
    tls = session.begin_file(tmp_path / "f", relay.STRICT)
    assert relay.read_all(tls) == b"content"
    if answers:
        tls.unwrap()
    else:
        tls.shutdown(socket.SHUT_WR)
    end = session.end()
    assert (end.result, end.flags) == (relay.CLEAN, relay.ANSWERED if answers else 0)


def test_strict_download_does_not_wait_for_ever(session, tmp_path):
    (tmp_path / "f").write_bytes(b"content")
    begun = time.monotonic()
    _tls = session.begin_file(tmp_path / "f", relay.STRICT)
    assert session.end().flags == 0
    assert time.monotonic() - begun >= 2


@BOTH
def test_data_channel_without_resumption_is_refused(start, version, tmp_path):
    (tmp_path / "f").write_bytes(b"secret")
    session = relay.Session(start(), version).ready()
    session.begin = fresh(session)
    for _ in range(2):
        tls = session.begin_file(tmp_path / "f")
        assert relay.receive(session.relay).result == relay.REFUSED
        assert relay.nothing_from(tls)
        # what it left behind is worth nothing
        tls = session.begin_file(tmp_path / "f", session=tls.session)
        assert relay.receive(session.relay).result == relay.REFUSED
        assert relay.nothing_from(tls)


@pytest.mark.parametrize("without_tickets", [True, False])
def test_session_of_the_control_channel_counts_by_its_number_too(start, tmp_path, without_tickets):
    """TLS 1.2 without tickets; the session of a refused connection does not count so either."""
    (tmp_path / "f").write_bytes(b"content")
    session = relay.Session(start(), ssl.TLSVersion.TLSv1_2)
    session.context.options |= ssl.OP_NO_TICKET if without_tickets else 0
    session.ready()
    begin, session.begin = session.begin, fresh(session)
    refused = session.begin_file(tmp_path / "f")
    assert relay.receive(session.relay).result == relay.REFUSED
    again = session.begin_file(tmp_path / "f", session=refused.session)
    assert relay.receive(session.relay).result == relay.REFUSED
    assert relay.nothing_from(again)
    session.begin = begin
    tls = session.begin_file(tmp_path / "f")
    assert relay.read_all(tls) == b"content"
    assert session.end().result == relay.CLEAN
    tls, _ours = session.begin_plain()  # one that ends badly takes nothing with it
    assert relay.receive(session.relay).kind == relay.UP
    relay.send(session.relay, relay.ABORT)
    assert relay.receive(session.relay).result == relay.ABORTED
    tls = session.begin_file(tmp_path / "f")
    assert session.end().result == relay.CLEAN


def fresh(one):
    """Session.begin, but without a session to resume unless it is given."""
    def begin(kind, fd, flags=0, session=None, **fields):
        client = one.offer(kind, fd, flags, **fields)
        return one.context.wrap_socket(client, session=session, suppress_ragged_eofs=False)
    return begin


@BOTH
def test_require_ssl_reuse_no_takes_a_full_handshake(start, version, tmp_path):
    (tmp_path / "f").write_bytes(b"content")
    session = relay.Session(start(require_ssl_reuse="NO"), version).ready()
    session.begin = fresh(session)
    tls = session.begin_file(tmp_path / "f")
    assert relay.read_all(tls) == b"content"
    assert relay.receive(session.relay).flags == 0
    assert relay.receive(session.relay).result == relay.CLEAN


@BOTH
def test_ticket_of_another_session_is_refused(start, version, tmp_path):
    (tmp_path / "f").write_bytes(b"secret")
    program = start()
    other, session = relay.Session(program, version), relay.Session(program, version)
    for one in (other, session):
        one.context = other.context  # sessions of another context are refused by Python itself
        one.ready()
    tls = session.begin_file(tmp_path / "f", session=other.tls.session)
    assert relay.receive(session.relay).result == relay.REFUSED
    assert relay.nothing_from(tls)


@BOTH
def test_three_hundred_transfers_each_with_a_new_ticket(start, version):
    session = relay.Session(start(), version).ready()
    used = set()
    for _ in range(300):
        if version == ssl.TLSVersion.TLSv1_3:
            assert session.tls.session.id not in used
            used.add(session.tls.session.id)
        tls, ours = session.begin_plain()
        assert relay.receive(session.relay).flags == relay.RESUMED
        ours.sendall(b"listing\r\n")
        ours.close()
        assert relay.read_all(tls) == b"listing\r\n"
        tls.close()
        assert relay.receive(session.relay).result == relay.CLEAN
        session.talk()


def listing(session, ticket=None):
    """A transfer; was it made? Then the control channel says something, as the server would."""
    tls, ours = session.begin_plain(session=ticket)
    with contextlib.suppress(BrokenPipeError):  # it may have been refused already
        ours.sendall(b"listing\r\n")
    ours.close()
    said = receive_after(session)
    made = said.result == relay.CLEAN
    assert made or (said.result == relay.REFUSED and relay.nothing_from(tls))
    if made:
        assert relay.read_all(tls) == b"listing\r\n"
    tls.close()
    session.talk()
    return made


def receive_after(session):
    """The END, whether an UP came before it or not."""
    said = relay.receive(session.relay)
    return relay.receive(session.relay) if said.kind == relay.UP else said


def test_tickets_may_be_used_some_transfers_later(session):
    """A client with a queue of them uses the oldest first."""
    queue, first = [], session.tls.session
    for number in range(100):
        assert listing(session, queue.pop(0) if number >= 20 else first), number
        queue.append(session.tls.session)
    assert len({ticket.id for ticket in queue}) == 20


def test_first_ticket_is_remembered_as_long_as_it_is_used(session):
    first = session.tls.session
    for number in range(100):
        assert listing(session, first if number % 20 == 0 else session.tls.session), number


def test_unused_tickets_are_forgotten_and_the_session_goes_on(session):
    """A relay's memory does not grow with each transfer."""
    first = session.tls.session
    for _ in range(20):
        assert listing(session)
    second = session.tls.session
    assert listing(session, first)
    for _ in range(20):
        assert listing(session)
    assert listing(session, second)
    for _ in range(40):
        assert listing(session)
    assert not listing(session, first)
    assert not listing(session, second)
    assert listing(session)


@BOTH
def test_broken_data_channel_does_not_cost_the_ticket(start, version):
    """What is no TLS ends the transfer by an alert, and OpenSSL would forbid to resume its session."""
    session = relay.Session(start(), version).ready()
    ticket = session.tls.session
    for _ in range(3):
        tls, ours = session.begin_plain(relay.UPLOAD, session=ticket)
        assert relay.receive(session.relay).flags == relay.RESUMED
        os.write(tls.fileno(), b"no record of TLS at all")
        assert relay.receive(session.relay).result == relay.NET_ERROR
        tls.close()
        ours.close()
    assert listing(session, ticket)


def test_rate_is_kept_over_small_transfers(session, tmp_path):
    """Files and streams, up and down, pay into one bucket: 200,000 bytes at 100,000 a second."""
    (tmp_path / "f").write_bytes(bytes(5000))
    begun = time.monotonic()
    for number in range(40):
        if number % 4 == 0:
            tls = session.begin_file(tmp_path / "f", rate=100_000)
        elif number % 4 == 1:
            tls = session.begin_file(tmp_path / "up", relay.UPLOAD, rate=100_000)
            tls.sendall(bytes(5000))
            tls.unwrap()
        elif number % 4 == 2:
            tls, ours = session.begin_plain(rate=100_000)
            ours.sendall(bytes(5000))
            ours.close()
        else:
            tls, ours = session.begin_plain(relay.UPLOAD, rate=100_000)
            tls.sendall(bytes(5000))
            tls.unwrap()
        end = session.end()
        assert (end.result, end.bytes) == (relay.CLEAN, 5000)
        tls.close()
    # what the last one has to pay is due before the next; one credit of 0.1 s is free at the start
    assert time.monotonic() - begun >= 1.5


def test_progress_is_told(session, tmp_path):
    (tmp_path / "f").write_bytes(bytes(100_000))
    _tls = session.begin_file(tmp_path / "f", rate=50_000)
    kinds = [relay.Message(session.relay.recv(512)).kind for _ in range(2)]
    assert kinds == [relay.UP, relay.PROGRESS]


@pytest.mark.parametrize("reset", [True, False])
def test_abort_ends_without_close_notify(session, reset):
    tls, _ours = session.begin_plain()
    assert relay.receive(session.relay).kind == relay.UP
    relay.send(session.relay, relay.ABORT, flags=relay.RESET if reset else 0)
    assert relay.receive(session.relay).result == relay.ABORTED
    raw = relay.bare(tls)
    if reset:
        with pytest.raises(ConnectionResetError):
            raw.recv(1)
    else:
        assert raw.recv(1) == b""
    session.talk()


def test_abort_before_and_after_a_transfer(session, tmp_path):
    relay.send(session.relay, relay.ABORT)
    session.talk()
    client, server = relay.tcp_pair()
    relay.send(session.relay, relay.DATA, server.fileno())
    relay.send(session.relay, relay.ABORT, flags=relay.RESET)
    server.close()
    assert relay.receive(session.relay).result == relay.ABORTED
    assert relay.nothing_from(client)
    (tmp_path / "f").write_bytes(b"x")
    tls = session.begin_file(tmp_path / "f")
    assert session.end().result == relay.CLEAN
    assert tls.recv(2) == b"x"


@pytest.mark.parametrize("upload", [True, False])
def test_failing_file_is_told(session, tmp_path, upload):
    if upload:
        with open("/dev/full", "wb") as file:
            tls = session.begin(relay.FILE, file.fileno(), relay.UPLOAD, limit=relay.TO_THE_END)
        tls.sendall(b"content")
    else:
        directory = os.open(tmp_path, os.O_RDONLY)
        tls = session.begin(relay.FILE, directory, limit=relay.TO_THE_END)
        os.close(directory)
    end = session.end()
    assert end.result == relay.FILE_ERROR
    assert os.strerror(end.error) == ("No space left on device" if upload else "Is a directory")
    with pytest.raises(OSError):  # a cut download must not look like a whole one
        relay.read_all(tls)


def test_upload_beyond_its_limit_is_a_file_error(session, tmp_path):
    tls = session.begin_file(tmp_path / "f", relay.UPLOAD, limit=5)
    tls.sendall(b"0123456789")
    end = session.end()
    assert (end.result, os.strerror(end.error)) == (relay.FILE_ERROR, "File too large")
    assert (tmp_path / "f").read_bytes() == b"01234"


def test_transfer_without_progress_times_out(session):
    with open("/dev/null", "wb") as file:
        raw = session.offer(relay.FILE, file.fileno(), relay.UPLOAD, timeout_ms=300, limit=relay.TO_THE_END)
    tls = session.context.wrap_socket(raw, session=session.tls.session)
    assert session.end().result == relay.TIMEOUT
    assert relay.nothing_from(tls)
    session.talk()


def test_handshake_of_a_data_channel_has_a_deadline(session, tmp_path):
    with open("/dev/null", "rb") as file:
        client = session.offer(relay.FILE, file.fileno(), timeout_ms=300, limit=1)
    client.sendall(b"\x16\x03\x01")
    assert relay.receive(session.relay).result == relay.TIMEOUT
    assert relay.nothing_from(client)


@pytest.mark.parametrize("word", [b"", b"GET / HTTP/1.0\r\n\r\n"])
def test_data_channel_without_tls_fails(session, word):
    with open("/dev/null", "wb") as file:
        client = session.offer(relay.FILE, file.fileno(), relay.UPLOAD, limit=1)
    client.sendall(word)
    if not word:
        client.shutdown(socket.SHUT_WR)
    assert relay.receive(session.relay).result == relay.HANDSHAKE
    session.talk()


def test_daemon_that_goes_away_ends_a_transfer(session):
    tls, _ours = session.begin_plain()
    assert relay.receive(session.relay).kind == relay.UP
    session.relay.close()
    with pytest.raises(OSError):
        tls.recv(1)
    session.talk()
    session.plain.close()
    assert session.tls.recv(1) == b""
    session.tls.close()
    assert session.is_gone()
