"""json_log_file: one object for each event, one id for each session."""

import datetime
import os
import re
import signal
import time

import pytest

import procs
from accounts import ALL
from logs import records, wait_records, whole_lines
from sessions import Session

OPTIONS = ("json_log_file",)

CONTENT = b"x" * 1234
# What stands in every record of a session.
ALWAYS = {"time", "event", "ok", "session", "pid", "client"}
LOGGED_IN = ALWAYS | {"user", "access"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.json"


@pytest.fixture
def session(ftpd, home, path):
    """alice, logged in, and no other log than this one."""
    return Session(ftpd(xferlog_enable="NO", json_log_file=str(path))).login()


def test_no_file_without_the_option(ftpd, home, path):
    daemon = ftpd(json_log_file=None)
    daemon.login("alice").cmd("MKD d", 257)
    assert procs.wait_for(lambda: "MKDIR" in daemon.log)
    assert not path.exists()


def test_every_record_names_the_session(session, home, path):
    home.file("f", CONTENT)
    client = session.client
    client.retr("f")
    client.stor("g", CONTENT)
    client.cmds(("MKD d", 257), ("RMD d", 250), ("RNFR f", 350), ("RNTO h", 250),
                ("SITE CHMOD 640 h", 200), ("DELE h", 250), ("DELE h", 550))
    wait_records(path, "delete", 2)
    found = records(path)
    assert [record["event"] for record in found] == [
        "connect", "login", "download", "upload", "mkdir", "rmdir", "rename", "chmod", "delete",
        "delete"]
    assert [record["ok"] for record in found] == [True] * 9 + [False]
    assert len({record["session"] for record in found}) == 1
    assert re.fullmatch("[0-9a-f]{16}", found[0]["session"])
    assert {record["pid"] for record in found} == {session.parent}
    assert {record["client"] for record in found} == {"127.0.0.1"}
    assert {record.get("user") for record in found[1:]} == {"alice"}
    assert {record.get("access") for record in found[1:]} == {"real"}
    assert set(found[0]) == ALWAYS and set(found[1]) == LOGGED_IN
    assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (0, 0o600)


def test_sessions_have_other_ids(ftpd, home, path):
    daemon = ftpd(json_log_file=str(path), max_per_ip="0")
    for _ in range(30):
        daemon.connect()
    found = wait_records(path, "connect", 30)
    assert len({record["session"] for record in found}) == 30


def test_time_is_utc_with_milliseconds(session, path):
    before = time.time()
    session.client.cmd("MKD d", 257)
    (record,) = wait_records(path, "mkdir")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])
    moment = datetime.datetime.strptime(record["time"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
    assert before - 0.001 <= moment <= time.time()


def test_download(session, home, path):
    home.file("f", CONTENT)
    session.client.retr("f", rest=1000)
    (record,) = wait_records(path, "download")
    assert set(record) == LOGGED_IN | {"path", "bytes", "duration_ms", "type"}
    assert (record["path"], record["bytes"], record["type"]) == ("/home/alice/f", 234, "binary")
    assert 0 <= record["duration_ms"] < 10000


def test_upload_in_ascii(session, path):
    session.client.cmd("TYPE A", 200)
    session.client.stor("f", CONTENT)
    (record,) = wait_records(path, "upload")
    assert (record["ok"], record["bytes"], record["type"]) == (True, 1234, "ascii")


def test_why_a_transfer_failed(session, home, path):
    home.sparse("big", 1 << 30)
    home.dir("d")
    client = session.client
    client.refused("RETR missing", 550)
    client.refused("RETR d", 550)
    sock = client.begin("RETR big")
    sock.recv(1000)
    client.send_line("ABOR")
    client.reply(426)
    client.reply(226)
    sock.close()
    sock = client.begin("RETR big")
    sock.recv(1000)
    sock.close()
    client.reply(426)
    reasons = [(record["reason"], record["bytes"] > 0)
               for record in wait_records(path, "download", 4)]
    assert reasons == [("No such file or directory", False), ("Is a directory", False),
                       ("aborted by the client", True), ("the data connection broke", True)]


def test_connection_that_never_came(ftpd, home, path):
    client = ftpd(json_log_file=str(path), accept_timeout="1").login("alice")
    client.cmds(("PASV", 227), ("STOR f", 150))
    client.reply(425)
    (record,) = wait_records(path, "upload")
    assert (record["ok"], record["reason"]) == (False, "Connection timed out")


def test_changes(session, home, path):
    home.file("f", CONTENT)
    client = session.client
    client.cmds(("RNFR f", 350), ("RNTO d/x", 550), ("RNFR f", 350), ("RNTO two words", 250),
                ("SITE CHMOD 640 two words", 200), ("SITE CHMOD 640 gone", 550), ("MKD f", 257),
                ("MKD f", 550), ("RMD gone", 550))
    wait_records(path, "rmdir")
    failed, renamed = records(path, "rename")
    assert (failed["path"], failed["to"]) == ("/home/alice/f", "/home/alice/d/x")
    assert (failed["ok"], failed["reason"]) == (False, "No such file or directory")
    assert (renamed["to"], renamed["ok"]) == ("/home/alice/two words", True)
    assert "reason" not in renamed
    good, bad = records(path, "chmod")
    assert (good["path"], good["mode"]) == ("/home/alice/two words", "640")
    assert (bad["mode"], bad["reason"]) == ("640", "No such file or directory")
    assert records(path, "mkdir")[1]["reason"] == "File exists"


def test_logins(ftpd, home, path):
    daemon = ftpd(json_log_file=str(path), max_login_fails="9")
    client = daemon.connect(source="127.0.0.2")
    for name in ("alice", "nosuchuser", "badshell"):
        client.cmds((f"USER {name}", 331), (f"PASS wrong{name}", 530))
    client.login("alice", ALL["alice"].password)
    daemon.connect().login("anonymous", "a b@c")
    found = wait_records(path, "login", 5)
    assert [(record["ok"], record["user"]) for record in found] == [
        (False, "alice"), (False, "nosuchuser"), (False, "badshell"), (True, "alice"),
        (True, "ftp")]
    assert [record.get("reason") for record in found[:2]] == ["wrong password", "no such account"]
    assert "reason" in found[2] and "access" not in found[2]
    assert len({record["session"] for record in found[:4]}) == 1
    assert (found[4]["access"], found[4]["anon_password"]) == ("anonymous", "a b@c")
    assert "wrongalice" not in path.read_text()


@pytest.mark.parametrize("limit, reason", [
    ({"max_clients": "1"}, "Connection refused: too many sessions."),
    ({"max_per_ip": "1"}, "Connection refused: too many sessions for this address."),
])
def test_refused_connections(ftpd, path, limit, reason):
    daemon = ftpd(json_log_file=str(path), **limit)
    daemon.connect()
    daemon.connect(greeting=421)
    _, refused = wait_records(path, "connect", 2)
    assert (refused["ok"], refused["reason"], refused["client"]) == (False, reason, "127.0.0.1")
    assert "session" not in refused and "user" not in refused


def test_warnings(session, path):
    """What the session parent has to say, for example that its child was killed."""
    os.kill(session.child, signal.SIGKILL)
    assert not session.daemon.wait_no_sessions()
    (record,) = wait_records(path, "warning")
    assert record["ok"] is False and "signal 9" in record["message"]
    assert record["user"] == "alice"


NAMES = [
    b"plain", "ünï€😀".encode(), b'a"b', b"a\\b", b'\\"', b"\xff", b"a\xff\xfeb", b"\xc3(",
    b"\xc2\x9b2J", b"\xed\xa0\x80", b"\\xFF", b"{}", b'","ok":true', b"%n%s", b"\xe2\x80\xae",
    b"'", b"<script>", b"\\u0041", b"\\n",
]


def decoded(text):
    """The bytes of a name: what is escaped is \\xHH, the backslash too."""
    parts = re.split(r"\\x([0-9A-F]{2})", text)
    return b"".join(bytes.fromhex(part) if number % 2 else part.encode()
                    for number, part in enumerate(parts))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_can_be_told_from_its_record(session, path, name):
    session.client.cmd(b"MKD " + name.replace(b"\xff", b"\xff\xff"), 257)
    (record,) = wait_records(path, "mkdir")
    assert decoded(record["path"]) == b"/home/alice/" + name


def test_names_of_all_bytes(session, path):
    """What every byte, and many pairs of them, make of a line: an object still."""
    names = [bytes([first, second]) for first in range(1, 256)
             for second in (first, 0x22, 0x5C, 0x80, 0xA9) if not {10, 13, ord("/")} & {first, second}]
    for name in names:
        session.client.send(b"DELE x" + name.replace(b"\xff", b"\xff\xff") + b"\r\n")
        session.client.reply(550)
    found = wait_records(path, "delete", len(names))
    assert [decoded(record["path"]) for record in found] == [
        b"/home/alice/x" + name for name in names]


@pytest.mark.parametrize("name", [
    'alice","ok":true,"x":"', 'a" b', "\\", "\\u0041", "\x1b[2J", "ünknown", "x" * 128, "{}",
])
def test_no_user_name_forges_a_record(ftpd, path, name):
    client = ftpd(json_log_file=str(path)).connect()
    client.cmds((f"USER {name}", 331), ("PASS wrong", 530))
    (record,) = wait_records(path, "login")
    assert (record["ok"], decoded(record["user"]).decode()) == (False, name)


def test_dialogue_is_not_in_it(ftpd, home, path):
    client = ftpd(json_log_file=str(path), log_ftp_protocol="YES").login("alice")
    client.cmd("MKD d", 257)
    wait_records(path, "mkdir")
    assert [record["event"] for record in records(path)] == ["connect", "login", "mkdir"]


def test_many_sessions_write_whole_objects(ftpd, home, path):
    daemon = ftpd(json_log_file=str(path), max_per_ip="0")
    crew = [daemon.login("alice") for _ in range(10)]
    for number in range(50):
        for client in crew:
            client.send_line(f"DELE {'x' * number}y")
    for client in crew:
        for _ in range(50):
            client.reply(550)
    found = wait_records(path, "delete", 500)
    by_session = {record["session"] for record in found}
    assert len(by_session) == 10 and len(whole_lines(path.read_text())) == 520
