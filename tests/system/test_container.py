"""In containers: process 1, a root file system that cannot be written, and less than root has elsewhere."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

import posture
import procs
from accounts import ALL
from ftpd import PROGRAM
from ftpraw import Client, receive_all
from sessions import Session, gone

OPTIONS = ("secure_chroot_dir", "nopriv_user")

CONTENT = bytes(range(256)) * 4000

# What Docker leaves to root.
DOCKER = ("chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw "
          "sys_chroot mknod audit_write setfcap").split()

# A program that starts another one in a user namespace with the ids 0 to 65535 of this one.
MAPPED = r"""
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
ready, mapped = os.pipe(), os.pipe()
child = os.getpid()
if os.fork() == 0:
    os.read(ready[0], 1)
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{child}/{name}", "w") as file:
            file.write("0 0 65536")
    os.write(mapped[1], b"x")
    os._exit(0)
assert libc.unshare(0x10000000) == 0
os.write(ready[1], b"x")
os.read(mapped[0], 1)
os.wait()
os.setresuid(0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def with_capabilities(names):
    """A command that lets root have these capabilities and no others."""
    return ["setpriv", "--bounding-set", ",".join(["-all", *(f"+{name}" for name in names)]),
            "--inh-caps", "-all", "--ambient-caps", "-all"]


def without(*names):
    """The same for all but these."""
    return ["setpriv", "--bounding-set", ",".join(f"-{name}" for name in names),
            "--inh-caps", "-all", "--ambient-caps", "-all"]


def only_line(daemon, ftpd, code):
    """The one line with which the start fails."""
    assert daemon.process.wait(5) == code
    (line,) = daemon.stderr.splitlines()
    ftpd.daemons.remove(daemon)
    return line


def ready(daemon):
    assert procs.wait_for(lambda: "listens on" in daemon.stderr), daemon.stderr
    return daemon


# A file system that cannot be written.

READ_ONLY = ["unshare", "--mount", "/bin/sh", "-c",
             'for top in / /run /tmp /home /srv /var/log; do mount -o remount,bind,ro "$top" 2>/dev/null || '
             '{ mount --bind "$top" "$top" && mount -o remount,bind,ro "$top"; } || exit 9; done; '
             'exec "$@"', "sh"]


def test_read_only_file_systems(ftpd, home):
    home.file("f", CONTENT)
    daemon = ready(ftpd.start_by(READ_ONLY, {}, xferlog_enable="NO"))
    client = daemon.login("alice")
    assert client.retr("f") == CONTENT
    client.cmd("MKD d", 550)
    assert daemon.anonymous().retr("pub/readme.txt") == b"Hello, world.\n"


def test_read_only_file_system_without_the_jail(ftpd):
    daemon = ftpd.start_by(READ_ONLY, {}, xferlog_enable="NO", secure_chroot_dir="/run/missing/empty")
    line = only_line(daemon, ftpd, 2)
    assert "secure_chroot_dir=/run/missing/empty" in line and "image" in line


def test_jail_is_made_where_it_can_be(ftpd, tmp_path):
    for directory in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        directory.chmod(0o755)
    path = tmp_path / "a" / "b"
    session = Session(ftpd(secure_chroot_dir=str(path)))
    assert posture.root(session.child) == str(path)
    assert path.stat().st_uid == 0 and path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["nobody", "ftp"])
def test_account_of_what_needs_no_rights(ftpd, home, name):
    session = Session(ftpd(nopriv_user=name))
    assert posture.ids(session.child, "Uid") == [ALL[name].uid] * 4
    session.login()
    assert posture.ids(session.parent, "Uid") == [ALL[name].uid] * 4


# Process 1.

@pytest.fixture
def first(ftpd, home):
    """A daemon that is process 1 of its pid namespace."""
    home.file("f", CONTENT)
    daemon = ready(ftpd.start_by(["unshare", "--pid", "--fork", "--mount-proc"], {}))
    (child,) = procs.forks(daemon.pid)
    daemon.pid = child.pid
    assert re.search(r"^NSpid:.*\t1$", Path(f"/proc/{child.pid}/status").read_text(), re.MULTILINE)
    return daemon


def end(daemon, number):
    """End it, as the container's run time does; its exit status."""
    os.kill(daemon.pid, number)
    return daemon.process.wait(5)


def test_process_1_serves(first):
    assert first.login("alice").retr("f") == CONTENT
    assert end(first, signal.SIGTERM) == 0
    assert first.stderr.splitlines()[-1].startswith("miniftpd: stopped")


def test_process_1_says_what_becomes_of_sessions(first):
    first.login("alice")
    assert end(first, signal.SIGTERM) == 0
    assert first.stderr.splitlines()[-1] == (
        "miniftpd: stopped; running sessions end with this container")


def test_process_1_reads_its_configuration_again(first):
    first.write_conf(ftpd_banner="second")
    os.kill(first.pid, signal.SIGHUP)
    assert procs.wait_for(lambda: "read again" in first.stderr)
    assert first.login("alice").retr("f") == CONTENT
    assert end(first, signal.SIGINT) == 0


def test_process_1_drains(first, home):
    """What STOPSIGNAL SIGUSR1 in an image gives."""
    home.sparse("big", 64 << 20)
    client = first.login("alice")
    sock = client.begin("RETR big")
    os.kill(first.pid, signal.SIGUSR1)
    assert len(receive_all(sock)) == 64 << 20
    client.reply(226)
    client.reply(421)
    assert first.process.wait(5) == 0


@pytest.mark.parametrize("kind", ["parent", "child"])
def test_process_1_reaps_orphans(first, kind):
    for _ in range(3):
        session = Session(first).login()
        pids = session.pids
        os.kill(getattr(session, kind), signal.SIGKILL)
        assert not gone(pids)
    assert first.login("alice").retr("f") == CONTENT
    assert end(first, signal.SIGTERM) == 0


def test_process_1_reaps_what_others_left(first):
    """A process that somebody else started in the container, and whose parent has ended."""
    subprocess.run(["nsenter", f"--pid=/proc/{first.pid}/ns/pid", "/bin/sh", "-c",
                    "/bin/sh -c 'sleep 1' &"], check=True)
    assert procs.wait_for(lambda: len(procs.forks(first.pid)) == 1)
    assert procs.wait_for(lambda: not procs.forks(first.pid))
    first.login("alice").in_step()
    assert end(first, signal.SIGTERM) == 0


# Less than root has elsewhere.

def test_rights_as_docker_leaves_them(ftpd, home):
    """No CAP_SYS_ADMIN for the filter, no CAP_DAC_READ_SEARCH."""
    home.file("f", CONTENT)
    daemon = ready(ftpd.start_by(with_capabilities(DOCKER), {}, connect_from_port_20="YES",
                                 chroot_local_user="YES"))
    session = Session(daemon).login()
    for mode in ("pasv", "port"):
        assert session.client.retr("f", mode) == CONTENT
    session.client.stor("g", CONTENT)
    assert daemon.anonymous().retr("pub/readme.txt") == b"Hello, world.\n"
    assert len(daemon.stderr.splitlines()) == 1, daemon.stderr
    assert posture.no_new_privileges(daemon.pid)
    assert posture.filters(daemon.pid) == posture.filters(os.getpid()) + 1
    kept = posture.capabilities(daemon.pid, "Prm")
    assert {"NET_BIND_SERVICE", "SETUID", "SETGID", "SYS_CHROOT", "KILL", "SETPCAP"} <= kept
    assert len(kept) < len(DOCKER)
    assert posture.capabilities(session.child, "Bnd") == set()
    assert posture.root(session.child) == "/home/alice"


@pytest.mark.parametrize("name", ["setuid", "setgid", "sys_chroot", "kill", "setpcap"])
def test_missing_capability_is_named(ftpd, name):
    line = only_line(ftpd.start_by(without(name), {}), ftpd, 1)
    assert f"cap_{name}" in line and "run_as_launching_user" in line


def test_missing_capabilities_are_all_named(ftpd):
    line = only_line(ftpd.start_by(with_capabilities(["chown"]), {}), ftpd, 1)
    for name in ("setuid", "setgid", "sys_chroot", "kill", "setpcap"):
        assert f"cap_{name}" in line


def test_low_port_without_its_capability(ftpd):
    line = only_line(ftpd.start_by(without("net_bind_service"), {}), ftpd, 1)
    assert "CAP_NET_BIND_SERVICE" in line and "listen_port" in line and "port 21" in line


@pytest.mark.parametrize("port_20", ["YES", "NO"])
def test_high_port_without_the_capability_for_low_ones(ftpd, home, port_20):
    home.file("f", CONTENT)
    daemon = ftpd.start_by(without("net_bind_service"), {}, listen_port="2121",
                           connect_from_port_20=port_20)
    client = ready(daemon).login("alice")
    assert client.retr("f") == CONTENT
    assert ("CAP_NET_BIND_SERVICE" in daemon.stderr) == (port_20 == "YES")
    if port_20 == "YES":
        address = client.listen_data().getsockname()
        client.cmd("PORT 127,0,0,1,{},{}".format(*divmod(address[1], 256)), 200)
        client.cmd_without_data("RETR f", 425)
    else:
        assert client.retr("f", "port") == CONTENT


def test_low_port_that_needs_no_capability(ftpd, home):
    """As container run times have it."""
    path = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    before = path.read_text()
    path.write_text("0")
    try:
        home.file("f", CONTENT)
        daemon = ready(ftpd.start_by(without("net_bind_service"), {}, connect_from_port_20="YES"))
        assert daemon.login("alice").retr("f", "port") == CONTENT
    finally:
        path.write_text(before)


@pytest.fixture
def closed_shadow():
    """/etc/shadow as Fedora has it."""
    before = os.stat("/etc/shadow").st_mode
    os.chmod("/etc/shadow", 0)
    yield
    os.chmod("/etc/shadow", before)


@pytest.mark.parametrize("missing", [True, False])
def test_shadow_that_cannot_be_read(ftpd, closed_shadow, missing):
    """Everything else works, and the log says what to do."""
    prefix = without("dac_read_search", "dac_override") if missing else []
    daemon = ready(ftpd.start_by(prefix, {}))
    assert ("CAP_DAC_READ_SEARCH" in daemon.stderr) == missing
    client = daemon.connect()
    assert client.try_login("alice", "secret-alice") == (530 if missing else 230)
    daemon.anonymous().in_step()


# User namespaces.

def test_user_namespace_with_one_id(ftpd):
    """Nobody can be anybody else there."""
    line = only_line(ftpd.start_by(["unshare", "--user", "--map-root-user"], {}, listen_port="2121"),
                     ftpd, 2)
    assert "nopriv_user=nobody" in line and "namespace" in line


def test_user_namespace_with_a_range_of_ids(ftpd, home, tmp_path):
    script = tmp_path / "mapped.py"
    script.write_text(MAPPED)
    home.file("f", CONTENT)
    daemon = ready(ftpd.start_by(["/usr/bin/python3", str(script)], {}, listen_port="2121"))
    assert os.readlink(f"/proc/{daemon.pid}/ns/user") != os.readlink("/proc/self/ns/user")
    client = daemon.login("alice")
    assert client.retr("f") == CONTENT
    client.stor("g", CONTENT)
    assert (home / "g").stat().st_uid == ALL["alice"].uid
    daemon.anonymous().in_step()


def test_missing_directory_of_anonymous_users_in_an_image(ftpd):
    """What else a small image lacks is named at the start, all of it."""
    result = subprocess.run([PROGRAM, "-oftp_username=northis", "-onopriv_user=northat"],
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10)
    assert result.returncode == 2
    assert "northis" in result.stderr and "northat" in result.stderr
    with pytest.raises(ConnectionRefusedError):
        Client()
