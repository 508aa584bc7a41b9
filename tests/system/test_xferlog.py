"""The log in the format of wu-ftpd, and which file gets what: as vsftpd 3.0.3 was seen to do it."""

import itertools
import time

import pytest

import logs
from accounts import ALL
from logs import wait_xferlog
from sessions import Session

OPTIONS = ("xferlog_std_format", "xferlog_file", "dual_log_enable")

CONTENT = b"x" * 1234
SWITCHES = ("xferlog_enable", "xferlog_std_format", "dual_log_enable", "syslog_enable")


def places(enable, std_format, dual, syslog):
    """Whether there is a native log, an xferlog, and whether syslog gets lines."""
    on = enable or dual
    return on and (dual or not std_format) and not syslog, on and (dual or std_format), syslog


@pytest.mark.parametrize("switches", itertools.product([False, True], repeat=4),
                         ids=lambda switches: "".join("-+"[one] for one in switches))
def test_which_log_gets_what(ftpd, home, syslog, tmp_path, switches):
    home.file("f", CONTENT)
    path = tmp_path / "xferlog"
    options = {name: "YES" if on else "NO" for name, on in zip(SWITCHES, switches)}
    daemon = ftpd(xferlog_file=str(path), log_ftp_protocol="YES", **options)
    client = daemon.login("alice")
    assert client.retr("f") == CONTENT
    client.cmds(("MKD d", 257), ("QUIT", 221))
    assert not daemon.wait_no_sessions()
    native, xferlog, to_syslog = places(*switches)
    if to_syslog:
        texts = [line.text for line in syslog.wait("221 ")]
    else:
        texts = [line.text for line in syslog.take()]
    assert daemon.log_path.exists() == native and path.exists() == xferlog
    for wanted, text in ((native, daemon.log), (to_syslog, "\n".join(texts))):
        for event in ("CONNECT", "OK LOGIN", "OK DOWNLOAD", "OK MKDIR", "FTP command",
                      "FTP response"):
            assert (f"{event}: Client" in text) == wanted, text
    assert [line.path for line in logs.xferlog(path)] == ["/home/alice/f"] * xferlog


@pytest.fixture
def session(ftpd, home, tmp_path):
    """alice, logged in; the log is session.xferlog."""
    path = tmp_path / "xferlog"
    session = Session(ftpd(xferlog_std_format="YES", xferlog_file=str(path))).login()
    session.xferlog = path
    return session


def test_download(session, home):
    home.file("f", CONTENT)
    before = int(time.time())
    session.client.retr("f")
    (line,) = wait_xferlog(session.xferlog)
    assert (line.peer, line.bytes, line.path) == ("127.0.0.1", "1234", "/home/alice/f")
    assert (line.type, line.direction, line.access, line.user, line.end) == (
        "b", "o", "r", "alice", "c")
    assert int(line.seconds) >= 1
    assert before <= time.mktime(time.strptime(line.date)) <= time.time()


def test_upload(session):
    session.client.stor("f", CONTENT)
    (line,) = wait_xferlog(session.xferlog)
    assert (line.direction, line.bytes, line.end) == ("i", "1234", "c")


def test_failed_transfers_are_incomplete(session, home):
    session.client.refused("RETR missing", 550)
    home.dir("d")
    session.client.refused("STOR d", 553)
    first, second = wait_xferlog(session.xferlog, 2)
    assert (first.direction, first.bytes, first.end) == ("o", "0", "i")
    assert (second.direction, second.bytes, second.end) == ("i", "0", "i")


def test_download_that_breaks_has_what_was_sent(session, home):
    home.sparse("big", 1 << 30)
    sock = session.client.begin("RETR big")
    sock.recv(1000)
    sock.close()
    session.client.reply(426)
    (line,) = wait_xferlog(session.xferlog)
    assert line.end == "i" and 1000 <= int(line.bytes) < 1 << 30


def test_transfer_whose_connection_never_came(ftpd, home, tmp_path):
    home.file("f", CONTENT)
    path = tmp_path / "xferlog"
    client = ftpd(xferlog_std_format="YES", xferlog_file=str(path),
                  accept_timeout="1").login("alice")
    for line in ("RETR f", "STOR g"):
        client.cmds(("PASV", 227), (line, 150))
        client.reply(425)
    first, second = wait_xferlog(path, 2)
    assert (first.direction, first.end, second.direction, second.end) == ("o", "i", "i", "i")


def test_type(session, home):
    """What TYPE said counts; the same in vsftpd, which converts no more than we do."""
    home.file("f", CONTENT)
    session.client.cmd("TYPE A", 200)
    session.client.retr("f")
    session.client.cmd("TYPE I", 200)
    session.client.retr("f")
    assert [line.type for line in wait_xferlog(session.xferlog, 2)] == ["a", "b"]


def test_seconds(session):
    """Measured in time, but at least one."""
    sock = session.client.begin("STOR f")
    sock.sendall(b"x")
    end = time.monotonic() + 2.6
    while time.monotonic() < end:
        time.sleep(0.1)
    sock.close()
    session.client.reply(226)
    (line,) = wait_xferlog(session.xferlog)
    assert int(line.seconds) >= 2


NAMES = {
    b"two words": "two_words", b" a  b ": "_a__b_", "ünï€😀".encode(): "ünï€😀", b'a"b': 'a"b',
    b"a\\b": r"a\x5Cb", b"\xff": r"\xFF", b"\xc2\x9b2J": r"\xC2\x9B2J", b"%n%s": "%n%s",
    "\u2028".encode(): r"\xE2\x80\xA8",
}


@pytest.mark.parametrize("name", NAMES)
def test_name(session, name):
    session.client.stor(name.replace(b"\xff", b"\xff\xff"), b"x")
    (line,) = wait_xferlog(session.xferlog)
    assert line.path == "/home/alice/" + NAMES[name]


@pytest.mark.parametrize("name", [b"a\tb", b"\x1b[2J", b"\x7f", b"a\x0bb\x0cc\x1cd"])
def test_control_bytes_forge_nothing(session, name):
    session.client.refused(b"RETR " + name, 550)
    (line,) = wait_xferlog(session.xferlog)
    escaped = "".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02X}" for byte in name)
    assert line.path == "/home/alice/" + escaped


@pytest.mark.parametrize("password, shown", [
    ("me@example.com", "me@example.com"), ("a b", "a_b"), ("", "?"),
    ("x ftp 0 * c", "x_ftp_0_*_c"), ("\x1b\x80", None),
])
def test_anonymous_users_are_named_by_their_password(ftpd, tmp_path, password, shown):
    path = tmp_path / "xferlog"
    client = ftpd(xferlog_std_format="YES", xferlog_file=str(path)).connect()
    client.login("anonymous", password)
    client.retr("pub/readme.txt")
    (line,) = wait_xferlog(path)
    assert (line.access, line.path) == ("a", "/pub/readme.txt")
    assert line.user == shown if shown else "\\x1B" in line.user


def test_events_that_are_no_transfers_are_not_in_it(session, home):
    home.file("f", CONTENT)
    session.client.cmds(("MKD d", 257), ("DELE f", 250), ("RMD d", 250))
    session.client.list()
    session.client.stor("last", b"x")
    (line,) = wait_xferlog(session.xferlog)
    assert line.path == "/home/alice/last"
    assert not session.daemon.log_path.exists()


def test_no_password_is_in_it(session):
    session.client.stor("f", CONTENT)
    wait_xferlog(session.xferlog)
    assert ALL["alice"].password not in session.xferlog.read_text()
    assert (session.xferlog.stat().st_uid, session.xferlog.stat().st_mode & 0o777) == (0, 0o600)


def test_two_logs_say_the_same(ftpd, home, tmp_path):
    path = tmp_path / "xferlog"
    daemon = ftpd(dual_log_enable="YES", xferlog_file=str(path))
    client = daemon.login("alice")
    for number in range(20):
        client.stor(f"f{number}", b"x" * number)
    ours = [(line.path, line.bytes) for line in wait_xferlog(path, 20)]
    native = [logs.TRANSFER.fullmatch(line.rest) for line in logs.wait_lines(daemon, "UPLOAD", 20)]
    assert ours == [(match["path"], match["bytes"] or "0") for match in native]
