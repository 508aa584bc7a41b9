"""run_as_launching_user: an ordinary user starts the daemon, and nobody in it is root, ever."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

import posture
import procs
from accounts import ALL
from ftpd import PROGRAM
from ftpraw import Client
from posture import HeldChecks
from sessions import Session, gone
from starters import Inetd

OPTIONS = ("run_as_launching_user",)

PORT = 2121
CONTENT = bytes(range(256)) * 4000
USER = ALL["bob"]
AS_USER = {"user": USER.uid, "group": USER.gid, "extra_groups": [USER.gid]}
NONE = set()

# A program that takes Landlock away from what it starts: its three calls fail with ENOSYS.
NO_LANDLOCK = r"""
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
code = b"".join(struct.pack("HBBI", *one) for one in [
    (0x20, 0, 0, 0), (0x35, 0, 2, 444), (0x25, 1, 0, 446), (0x06, 0, 0, 0x00050000 | 38),
    (0x06, 0, 0, 0x7fff0000)])
buffer = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def site(tmp_path):
    """A directory of bob with files, things around it that he may read, and links that lead there."""
    tmp_path.chmod(0o755)
    for directory in (tmp_path.parent, tmp_path.parent.parent):
        directory.chmod(0o755)
    root = tmp_path / "site"
    for directory in (root, root / "pub", root / "pub" / "sub", tmp_path / "other"):
        directory.mkdir()
    (root / "f").write_bytes(CONTENT)
    (root / "pub" / "g").write_bytes(b"g\n")
    (tmp_path / "other" / "secret").write_bytes(b"outside\n")
    (root / "passwd").symlink_to("/etc/passwd")
    (root / "up").symlink_to("../other")
    (root / "pub" / "f").symlink_to("../f")
    (tmp_path / "linked").symlink_to("site")
    for directory, names, files in os.walk(tmp_path):
        for name in [directory, *(os.path.join(directory, one) for one in names + files)]:
            os.chown(name, USER.uid, USER.gid, follow_symlinks=False)
    return root


@pytest.fixture
def start(ftpd, site):
    """A function that starts a daemon as bob; `prefix` stands in front of the command."""
    def run(prefix=(), wait=True, popen=AS_USER, **options):
        logs = Path(f"{site.parent}/log{len(ftpd.daemons)}")
        logs.mkdir()
        os.chown(logs, USER.uid, USER.gid)
        ftpd.directory.chmod(0o755)
        daemon = ftpd.start_by(
            list(prefix), popen,
            **{"run_as_launching_user": "YES", "listen_port": str(PORT), "anon_root": str(site),
               "local_enable": "NO", "vsftpd_log_file": str(logs / "log"), **options})
        daemon.log_path = logs / "log"
        if wait:
            daemon.wait_listening()
        return daemon
    return run


@pytest.fixture
def anon(start):
    return start().anonymous()


# Service.

def test_pwd_shows_the_real_path(anon, site):
    assert anon.pwd() == str(site)
    anon.cmd("CWD pub", 250)
    assert anon.pwd() == str(site / "pub")
    anon.cmd("CDUP", 250)
    assert anon.pwd() == str(site)
    anon.cmd(f"CWD {site}/pub/sub", 250)
    anon.cmd("CWD ~", 250)
    assert anon.pwd() == str(site)


def test_pwd_when_anon_root_is_a_link(start, site):
    client = start(anon_root=str(site.parent / "linked")).anonymous()
    assert client.pwd() == str(site)
    assert client.retr(f"{site}/f") == CONTENT


@pytest.mark.parametrize("mode", ["pasv", "epsv", "port", "eprt"])
def test_transfers(anon, site, mode):
    assert anon.retr("f", mode) == CONTENT
    assert anon.retr(f"{site}/pub/g", mode) == b"g\n"
    assert set(anon.names("pub", mode)) == {"f -> ../f", "g", "sub"}
    assert anon.retr("pub/f", mode) == CONTENT


def test_ids_of_the_home_of_ftp_username_when_anon_root_is_not_set(start):
    client = start(anon_root=None).anonymous()
    assert client.pwd() == ALL["ftp"].home
    assert client.retr("pub/readme.txt") == b"Hello, world.\n"


def test_names_in_listings(start):
    client = start(text_userdb_names="YES", hide_ids="NO").anonymous()
    assert {line.split()[2] for line in client.list()} <= {"ftp", "bob"}


def test_unknown_account_names_are_enough(start):
    """In a container there may be none: the only ids are those of the process."""
    client = start(ftp_username="nosuchuser", nopriv_user="nosuchuser2").anonymous()
    assert client.retr("f") == CONTENT


def test_commands_without_paths(anon):
    for line in ("SYST", "FEAT", "STAT", "NOOP", "HELP", "TYPE I", "SITE HELP", "MLST", "STAT pub"):
        assert 200 <= anon.cmd(line).code < 300, line
    anon.cmd("SIZE f", 213)
    anon.cmd("MDTM pub/g", 213)
    anon.cmd("HASH f", 213)
    anon.in_step()


# The walls.

OUTSIDE = ["/etc/passwd", "/etc", "/", "..", "../other", "../other/secret", "pub/../../other/secret",
           "up", "up/secret", "passwd", "/proc/self/status", "/../etc/passwd", "~/../other/secret",
           "pub/sub/../../../other", "{site}/../other/secret", "{site}x", "/nonexistent"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_outside(anon, site, path):
    """And it does not show whether there is something."""
    path = path.format(site=site)
    for line in (f"CWD {path}", f"SIZE {path}", f"MDTM {path}", f"MLST {path}",
                 f"HASH {path}", f"XMD5 {path}"):
        reply = anon.cmd(line, 550)
        assert reply.text == "No such file or directory.", line
    anon.cmd(f"AVBL {path}", 550, 450, 451)
    for verb in ("RETR", "MLSD"):
        anon.refused(f"{verb} {path}", 550)
    for verb in ("LIST", "NLST"):
        anon.send_line("EPSV")
        anon.reply(229)
        anon.cmd_without_data(f"{verb} {path}", 550, 226)
    assert anon.pwd() == str(site)
    anon.in_step()


def test_cdup_at_the_top(anon, site):
    anon.cmd("CDUP", 550)
    anon.cmd("XCUP", 550)
    assert anon.pwd() == str(site)


def test_the_log_knows_what_was_asked_for(start):
    daemon = start()
    daemon.anonymous().refused("RETR ../other/secret", 550)
    assert procs.wait_for(lambda: "FAIL DOWNLOAD" in daemon.log)
    (line,) = [line for line in daemon.log.splitlines() if "FAIL DOWNLOAD" in line]
    assert ".outside-" in line and '/../other/secret"' in line


def test_landlock_is_the_wall_under_the_checks(start, site, ftpd):
    """A look at the service process: the kernel refuses what the checks would refuse before."""
    daemon = start(prefix=["strace", "-D", "-f", "-qq", "-e",
                           "trace=landlock_create_ruleset,landlock_add_rule,landlock_restrict_self",
                           "-e", "signal=none", "-o", str(site.parent / "trace")])
    daemon.anonymous().in_step()

    def done(what):
        lines = (site.parent / "trace").read_text().splitlines()
        return [line for line in lines if what in line and line.endswith("= 0")]

    def restricted():
        return {line.split()[0] for line in done("landlock_restrict_self")}

    assert procs.wait_for(lambda: len(restricted()) == 3)  # P, N and S
    rules = done("landlock_add_rule")
    assert len(rules) == 1  # S has one directory, the others have none


# Rights.

def check(pid, confined):
    assert posture.ids(pid, "Uid") == [USER.uid] * 4
    assert posture.ids(pid, "Gid") == [USER.gid] * 4
    for which in ("Inh", "Prm", "Eff", "Amb"):
        assert posture.capabilities(pid, which) == NONE
    assert posture.no_new_privileges(pid)
    assert posture.filters(pid) == posture.filters(os.getpid()) + (2 if confined else 1)
    assert posture.limit(pid, "Max core file size") == (0, 0)
    if confined:
        assert not posture.is_dumpable(pid)
        assert posture.limit(pid, "Max processes") == (0, 0)
    assert posture.root(pid) == "/"


def test_posture(start, site):
    daemon = start()
    check(daemon.pid, confined=False)
    session = Session(daemon)
    check(session.parent, confined=False)
    check(session.child, confined=True)
    assert posture.cwd(session.child) == "/"
    kinds = sorted(kind[0] for number, kind in posture.descriptors(session.child).items()
                   if number > 2)
    assert kinds == ["seqpacket", "tcp"]
    session.login("ftp")
    check(session.parent, confined=True)
    check(session.child, confined=True)
    assert posture.cwd(session.child) == str(site)
    assert posture.limit(session.child, "Max open files") == (64, 64)
    kinds = sorted(kind[0] for number, kind in posture.descriptors(session.child).items()
                   if number > 2)
    assert kinds == ["other", "seqpacket", "tcp"]  # the directory, to find paths


def test_capabilities_of_the_launching_user_go(start):
    """A unit may give some (AmbientCapabilities=): they are good for port 21, and then gone."""
    daemon = start(prefix=["setpriv", "--reuid", str(USER.uid), "--regid", str(USER.gid),
                           "--clear-groups", "--inh-caps", "+net_bind_service,+kill",
                           "--ambient-caps", "+net_bind_service,+kill"], popen={}, listen_port="21")
    assert procs.wait_for(lambda: "listens on" in daemon.stderr)
    check(daemon.pid, confined=False)
    daemon.anonymous().in_step()


def test_processes_end_together(start):
    daemon = start()
    for kind in ("parent", "child"):
        session = Session(daemon).login("ftp")
        pids = session.pids
        os.kill(getattr(session, kind), signal.SIGKILL)
        assert not gone(pids)


def test_drain(start):
    daemon = start()
    client = daemon.anonymous()
    daemon.process.send_signal(signal.SIGUSR1)
    client.reply(421)
    assert daemon.process.wait(5) == 0


def test_reload(start):
    daemon = start()
    daemon.reload(ftpd_banner="second")
    assert procs.wait_for(lambda: "read again" in daemon.stderr), daemon.stderr
    with Client(port=PORT) as client:
        assert client.reply(220).text == "second"


def test_reload_cannot_take_the_option_back(start):
    daemon = start()
    daemon.reload(run_as_launching_user="NO")
    assert procs.wait_for(lambda: "old one stays in force" in daemon.stderr), daemon.stderr
    assert "run_as_launching_user cannot change" in daemon.stderr
    assert daemon.anonymous().retr("f") == CONTENT


# What an ordinary user cannot have.

def test_local_users_are_refused(start):
    daemon = start(local_enable="YES")
    assert "accounts of this machine cannot log in" in daemon.stderr
    client = daemon.connect()
    assert client.try_login("alice", "secret-alice") == 530
    assert client.try_login("bob", "secret-bob") == 530
    client.login("anonymous", "x@")
    assert "only root can check passwords" in daemon.log


def test_port_20_does_not_count(start):
    daemon = start(connect_from_port_20="YES")
    assert "connect_from_port_20=YES does not count" in daemon.stderr
    assert daemon.anonymous().retr("f", "port") == CONTENT


def test_high_data_port_counts(start):
    daemon = start(connect_from_port_20="YES", ftp_data_port="2020")
    assert "connect_from_port_20" not in daemon.stderr
    client = daemon.anonymous()
    sock = client.begin("RETR f", "port")
    assert sock.getpeername()[1] == 2020


def test_low_port_is_one_clear_line(start, ftpd):
    daemon = start(listen_port="21", wait=False)
    assert daemon.process.wait(5) == 1
    (line,) = daemon.stderr.splitlines()
    assert "listen_port" in line and "CAP_NET_BIND_SERVICE" in line
    ftpd.daemons.remove(daemon)


def test_missing_anon_root_is_one_clear_line(start, ftpd):
    daemon = start(anon_root=None, ftp_username="nosuchuser", wait=False)
    assert daemon.process.wait(5) == 2
    (line,) = daemon.stderr.splitlines()
    assert "anon_root" in line
    ftpd.daemons.remove(daemon)


@pytest.mark.parametrize("options, word", [({}, "must be started as root"),
                                           ({"run_as_launching_user": "NO"}, "run_as_launching_user")])
def test_ordinary_user_without_the_option(start, ftpd, options, word):
    daemon = start(wait=False, **{"run_as_launching_user": None, **options})
    assert daemon.process.wait(5) == 1
    (line,) = daemon.stderr.splitlines()
    assert word in line
    ftpd.daemons.remove(daemon)


def test_root_with_the_option_is_one_clear_line(ftpd, site):
    daemon = ftpd.start(run_as_launching_user="YES", anon_root=str(site))
    assert daemon.process.wait(5) == 1
    (line,) = daemon.stderr.splitlines()
    assert "run_as_launching_user=YES" in line and "root" in line
    ftpd.daemons.remove(daemon)


# Without Landlock.

@pytest.fixture
def without_landlock(tmp_path):
    """A command in front of the daemon for which the kernel has no Landlock."""
    path = tmp_path / "no_landlock.py"
    path.write_text(NO_LANDLOCK)
    path.chmod(0o644)
    return ["/usr/bin/python3", str(path)]


def test_without_landlock_a_warning_says_so(start, site, without_landlock):
    daemon = start(prefix=without_landlock)
    assert "no Landlock" in daemon.stderr
    client = daemon.anonymous()
    assert client.retr("f") == CONTENT
    for path in OUTSIDE:
        client.refused(f"RETR {path.format(site=site)}", 550)
    client.cmd("CWD ..", 550)
    client.in_step()


def test_with_landlock_there_is_no_warning(start):
    assert "Landlock" not in start().stderr


# Other starts.

def test_inetd_as_an_ordinary_user(site, tmp_path):
    directory = tmp_path / "inetd"
    directory.mkdir()
    directory.chmod(0o777)
    server = Inetd(directory, run_as_launching_user="YES", anon_root=str(site), local_enable="NO",
                   port=PORT)
    with Client(port=PORT) as client:
        server.accept(user=USER.uid, group=USER.gid, extra_groups=[])
        client.reply(220)
        client.login("anonymous", "x@")
        assert client.retr("f") == CONTENT
        client.refused("RETR ../other/secret", 550)
    assert not server.close()


def test_program_finds_its_configuration_readable():
    """What is said of a file that only root can read."""
    result = subprocess.run([PROGRAM, "/etc/shadow"], user=USER.uid, group=USER.gid,
                            extra_groups=[], capture_output=True, text=True, timeout=10)
    assert result.returncode == 2
    assert "/etc/shadow" in result.stderr and "Permission denied" in result.stderr
