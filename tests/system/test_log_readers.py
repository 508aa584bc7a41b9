"""What programs that read vsftpd's log look for is found in ours.

The patterns say in our words what those of fail2ban (filter.d/vsftpd.conf, today's and that of old
versions) and of logwatch (scripts/services/vsftpd) want of a line. Daemon names are ours in syslog.
"""

import re

import pytest

import logs
import procs
from accounts import ALL
from logs import wait_lines

CONTENT = b"x" * 1234

HOST = r"(?P<host>[0-9a-f.:]+)"
FAIL2BAN = re.compile(  # the date has been taken away
    rf'^(?:\s*\[pid \d+\] |\s*miniftpd\[\d+\]: )\[(?P<user>[^]]+)\] FAIL LOGIN: Client "{HOST}"'
    r"(?:\s*$|,)")
FAIL2BAN_OLD = re.compile(rf'\[.+\] FAIL LOGIN: Client "{HOST}"$')

# Logwatch takes all that it can get: whatever stands between the first and the last quote.
LOGWATCH_LOGIN = re.compile(r'(?:\[.*\] )?\[(.*)\] (OK|FAIL) LOGIN: Client "(.*)"$')
LOGWATCH_ANONYMOUS = re.compile(r'OK LOGIN: Client "(.*)", anon password "(.*)"$')
LOGWATCH_TRANSFER = re.compile(
    r'(?:\[.*\] )?\[(.*)\] (OK|FAIL) (UPLOAD|DOWNLOAD): Client "(.*)", "(.*)", (?:(\d+) bytes)?')
LOGWATCH_CHANGE = re.compile(
    r'(?:\[.*\] )?\[(.*)\] (OK|FAIL) (DELETE|MKDIR|RMDIR): Client "(.*)", "(.*)"')
LOGWATCH_XFERLOG = re.compile(
    r"^(... ... .. ..:..:.. ....) \d+ ([^ ]+) (\d+) (.*) . . (.) (.) (.*) ftp . .*$")


@pytest.fixture(params=["file", "syslog"])
def log_of(request, ftpd, home):
    """A daemon that writes to a file or to syslog, and its lines as readers get them."""
    if request.param == "file":
        daemon = ftpd()
        return daemon, lambda: [re.sub(f"^{logs.DATE}", "", text)
                                for text in logs.whole_lines(daemon.log)]
    syslog = request.getfixturevalue("syslog")
    daemon = ftpd(syslog_enable="YES")
    found = []

    def read():
        found.extend(f" {line.tag}[{line.pid}]: {line.text}" for line in syslog.take())
        return found

    return daemon, read


def wait_for(read, text):
    """The line that has `text` in it."""
    assert procs.wait_for(lambda: [line for line in read() if text in line]), read()
    (line,) = [line for line in read() if text in line]
    return line


def bare(line):
    """A line as logwatch gets it: without what syslog puts in front."""
    return re.sub(r"^ miniftpd\[\d+\]: ", "", line)


@pytest.mark.parametrize("name", ["alice", "nosuchuser", "root]", "x y"])
def test_fail2ban_sees_failed_logins(log_of, name):
    daemon, read = log_of
    daemon.connect(source="127.0.0.2").cmds((f"USER {name}", 331), ("PASS wrong", 530))
    match = FAIL2BAN.match(wait_for(read, "FAIL LOGIN"))
    assert match and match["host"] == "127.0.0.2"


def test_fail2ban_sees_those_of_accounts_that_may_not_log_in(log_of):
    daemon, read = log_of
    client = daemon.connect(source="127.0.0.2")
    client.cmds(("USER badshell", 331), (f"PASS {ALL['badshell'].password}", 530))
    match = FAIL2BAN.match(wait_for(read, "FAIL LOGIN"))
    assert match and (match["host"], match["user"]) == ("127.0.0.2", "badshell")


def test_fail2ban_sees_nothing_in_what_is_no_failed_login(log_of):
    daemon, read = log_of
    client = daemon.login("alice")
    client.cmd('DELE [pid 1] [root] FAIL LOGIN: Client "192.0.2.1"', 550)
    wait_for(read, "FAIL DELETE")
    assert not any(FAIL2BAN.search(line) or FAIL2BAN_OLD.search(line) for line in read())


@pytest.mark.parametrize("name", ["alice", "nosuchuser"])
def test_old_versions_want_nothing_behind_the_client(log_of, name):
    daemon, read = log_of
    daemon.connect().cmds((f"USER {name}", 331), ("PASS wrong", 530))
    line = wait_for(read, "FAIL LOGIN")
    assert FAIL2BAN_OLD.search(line)["host"] == "127.0.0.1"
    assert LOGWATCH_LOGIN.search(bare(line)).groups() == (name, "FAIL", "127.0.0.1")


def test_logwatch_sees_logins(log_of):
    daemon, read = log_of
    daemon.login("alice")
    daemon.anonymous()
    assert LOGWATCH_LOGIN.search(bare(wait_for(read, "[alice] OK LOGIN"))).groups() == (
        "alice", "OK", "127.0.0.1")
    assert LOGWATCH_ANONYMOUS.search(bare(wait_for(read, "[ftp] OK LOGIN"))).groups() == (
        "127.0.0.1", "test@example.com")


def test_logwatch_sees_transfers(log_of, home):
    daemon, read = log_of
    home.file("f", CONTENT)
    client = daemon.login("alice")
    client.retr("f")
    client.stor("empty", b"")
    client.refused("RETR missing", 550)
    wanted = {"/f": ("OK", "DOWNLOAD", "1234"), "/empty": ("OK", "UPLOAD", None),
              "/missing": ("FAIL", "DOWNLOAD", None)}
    for name, (ok, event, size) in wanted.items():
        found = LOGWATCH_TRANSFER.search(bare(wait_for(read, name))).groups()
        assert found == ("alice", ok, event, "127.0.0.1", "/home/alice" + name, size)


def test_logwatch_sees_changes(log_of, home):
    daemon, read = log_of
    client = daemon.login("alice")
    client.cmds(("MKD d", 257), ("RMD gone", 550))
    assert LOGWATCH_CHANGE.search(bare(wait_for(read, "MKDIR"))).groups() == (
        "alice", "OK", "MKDIR", "127.0.0.1", "/home/alice/d")
    assert LOGWATCH_CHANGE.search(bare(wait_for(read, "RMDIR"))).groups() == (
        "alice", "FAIL", "RMDIR", "127.0.0.1", "/home/alice/gone")


def test_logwatch_reads_the_other_format(ftpd, home, tmp_path):
    path = tmp_path / "xferlog"
    client = ftpd(xferlog_std_format="YES", xferlog_file=str(path)).login("alice")
    client.stor("two words", CONTENT)
    logs.wait_xferlog(path)
    found = LOGWATCH_XFERLOG.match(logs.whole_lines(logs.read(path))[0]).groups()
    assert found[1:] == ("127.0.0.1", "1234", "/home/alice/two_words", "i", "r", "alice")


@pytest.mark.parametrize("limit, text", [
    ({"max_clients": "1"}, "Connection refused: too many sessions."),
    ({"max_per_ip": "1"}, "Connection refused: too many sessions for this address."),
])
def test_refused_connections_are_logged(ftpd, limit, text):
    daemon = ftpd(**limit)
    daemon.connect()
    daemon.connect(greeting=421)
    first, second = wait_lines(daemon, "CONNECT", 2)
    assert (first.rest, second.rest) == (None, f'"{text}"')
    assert int(second.pid) == daemon.pid
