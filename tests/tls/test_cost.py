"""What a relay costs in system calls: counted, not timed."""

import collections

import relay
from relay import pair, place, session, start  # pylint: disable=unused-import
from tracing import Trace

MIB = 1 << 20
RECORDS = 16 * MIB // 16384
ALL_CALLS = "all"


def counts(trace, pid):
    return collections.Counter(name for name, _ in trace.of(pid))


def test_command_takes_six_calls(session, tmp_path):
    with Trace(session.pid, tmp_path, ALL_CALLS) as trace:
        for _ in range(10):
            session.tls.sendall(b"NOOP\r\n")
            assert session.plain.recv(100) == b"NOOP\r\n"
            session.talk(b"200 Zzz.\r\n")
        trace.stop()
    calls = trace.of(session.pid)
    assert len(calls) <= 10 * 6 + 2


def test_download_is_one_write_for_each_record(session, tmp_path):
    (tmp_path / "f").write_bytes(bytes(16 * MIB))
    with Trace(session.pid, tmp_path, ALL_CALLS) as trace:
        tls = session.begin_file(tmp_path / "f")
        assert len(relay.read_all(tls)) == 16 * MIB
        session.end()
        trace.stop()
    count = counts(trace, session.pid)
    blocked = sum(1 for name, rest in trace.of(session.pid) if name == "write" and "EAGAIN" in rest)
    assert count["write"] - blocked <= RECORDS + 10
    assert count["pread64"] <= RECORDS // 8 + 2
    assert count["ppoll"] <= blocked + 16 + 10
    assert sum(count.values()) - count["write"] - count["ppoll"] <= RECORDS // 8 + 60 + blocked


def test_upload_is_two_reads_and_a_write_for_each_record(session, tmp_path):
    with Trace(session.pid, tmp_path, ALL_CALLS) as trace:
        tls = session.begin_file(tmp_path / "f", relay.UPLOAD)
        tls.sendall(bytes(16 * MIB))
        tls.unwrap()
        session.end()
        trace.stop()
    count = counts(trace, session.pid)
    starved = sum(1 for name, rest in trace.of(session.pid) if name == "read" and "EAGAIN" in rest)
    assert count["pwrite64"] == RECORDS
    assert count["read"] - starved <= 3 * RECORDS + 10  # a record may come in two pieces
    assert count["ppoll"] <= starved + 16 + 10


def test_end_of_a_download_does_not_wait_for_the_client(session, tmp_path):
    (tmp_path / "f").write_bytes(b"content")
    with Trace(session.pid, tmp_path, ALL_CALLS) as trace:
        _tls = session.begin_file(tmp_path / "f")
        session.end()
        trace.stop()
    names = [name for name, _ in trace.of(session.pid)]
    last = names[names.index("shutdown"):]
    assert "sendmsg" in last
    assert "ppoll" not in last[:last.index("sendmsg")]
