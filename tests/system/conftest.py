"""Fixtures of the system suite. It runs in the namespaces that tests/run-system makes."""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

import accounts
import ftpsraw
from checking import Files
from ftpd import Factory

pytest.register_assert_rewrite("active", "bytewise", "checksums", "converted", "facts", "listings",
                               "logs", "mlsx", "passive", "rules", "uploads")

TEST_LIMIT_SEC = 60
COUNTS = {"passed": set(), "failed": set()}


class Tree:
    """A directory whose files belong to one account."""

    def __init__(self, path, account):
        self.path = Path(path)
        self.account = account

    def __truediv__(self, name):
        return self.path / name

    def own(self, path):
        """Give `path` to the account."""
        os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)
        return path

    def file(self, name, content=b"", mode=0o644):
        """Make a file; `name` may be bytes."""
        path = Path(os.fsdecode(os.path.join(os.fsencode(self.path), os.fsencode(name))))
        path.write_bytes(content)
        path.chmod(mode)
        return self.own(path)

    def sparse(self, name, size):
        """Make a file of `size` bytes that takes no room."""
        path = self.file(name)
        os.truncate(path, size)
        return path

    def dir(self, name, mode=0o755):
        """Make a directory, with those above it."""
        path = self.path
        for part in Path(os.fsdecode(name)).parts:
            path = path / part
            if not path.exists():
                path.mkdir()
                self.own(path)
        path.chmod(mode)
        return path

    def link(self, name, target):
        """Make a symbolic link."""
        path = self.path / name
        path.symlink_to(target)
        return self.own(path)

    def fifo(self, name):
        """Make a FIFO."""
        path = self.path / name
        os.mkfifo(path, 0o666)
        return self.own(path)

    def names(self):
        """The names in the directory."""
        return sorted(os.listdir(self.path))


def pytest_configure(config):
    """Refuse to run on the machine itself: the suite stops and starts things as root."""
    if os.getpid() == 1 or not Path("/run/accounts/passwd").exists():
        pytest.exit("the system tests are to be run by tests/run-system", returncode=4)


def pytest_runtest_logreport(report):
    """Count tests, not phases: a test has passed if its set-up and its end have, too."""
    if report.outcome != "passed":
        COUNTS["failed"].add(report.nodeid)
    elif report.when == "call":
        COUNTS["passed"].add(report.nodeid)


def pytest_collectreport(report):
    if report.outcome == "failed":
        COUNTS["failed"].add(report.nodeid)


def pytest_sessionfinish(session):
    """Hand the counts to run-all."""
    if "COUNTS_FD" in os.environ:
        passed = len(COUNTS["passed"] - COUNTS["failed"])
        os.write(int(os.environ["COUNTS_FD"]), f"{passed} {len(COUNTS['failed'])}\n".encode())


@pytest.fixture(autouse=True)
def time_limit():
    """No test hangs, whatever it waits for."""
    def expired(_signal, _frame):
        raise TimeoutError(f"the test took more than {TEST_LIMIT_SEC} s")

    signal.signal(signal.SIGALRM, expired)
    signal.alarm(TEST_LIMIT_SEC)
    yield
    signal.alarm(0)


@pytest.fixture
def ftpd():
    """ftpd(option="value", ...) starts a daemon. At the end of the test it must stop properly."""
    factory = Factory(Path(tempfile.mkdtemp(prefix="ftpd.")))
    yield factory
    problems = factory.finish()
    assert not problems, "\n".join(problems)


@pytest.fixture
def ftps(ftpd):
    """ftps(option="value", ...) starts a daemon with a certificate and ssl_enable=YES."""
    return lambda *arguments, **options: ftpd(*arguments, **ftpsraw.options(**options))


@pytest.fixture
def conf(tmp_path):
    """conf(content) writes a configuration file; its path as text."""
    return Files(tmp_path)


@pytest.fixture
def private_etc():
    """An /etc for this test alone, with the accounts and little more."""
    names = ("passwd", "shadow", "group", "nsswitch.conf", "shells", "ld.so.cache")
    saved = {name: Path("/etc", name).read_bytes() for name in names}
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/etc"], check=True)
    for name, content in saved.items():
        Path("/etc", name).write_bytes(content)
    yield Path("/etc")
    subprocess.run(["umount", "--lazy", "/etc"], check=True)


@pytest.fixture
def home():
    """The home directory of alice, empty."""
    account = accounts.ALL["alice"]
    path = Path(account.home)
    for entry in path.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    path.chmod(0o755)
    return Tree(path, account)


@pytest.fixture
def ground():
    """An empty directory /srv/ground of alice, gone after the test."""
    account = accounts.ALL["alice"]
    path = Path("/srv/ground")
    path.mkdir(mode=0o755)
    os.chown(path, account.uid, account.gid)
    yield Tree(path, account)
    shutil.rmtree(path)


@pytest.fixture
def client(ftpd):
    """A client that is not logged in."""
    return ftpd().connect()


@pytest.fixture
def alice(ftpd, home):
    """A client that is logged in as alice, in her empty home, not chrooted."""
    return ftpd().login("alice")


@pytest.fixture
def jailed(ftpd, home):
    """As alice, in a chroot to her home."""
    return ftpd(chroot_local_user="YES").login("alice")


@pytest.fixture
def anon(ftpd):
    """A client that is logged in as anonymous."""
    return ftpd().anonymous()


@pytest.fixture
def dual(ftpd, home):
    """A daemon on an IPv6 socket that takes IPv4, too; data comes from port 20; a file `f`."""
    home.file("f", b"content")
    return ftpd(listen="NO", listen_ipv6="YES", connect_from_port_20="YES")


@pytest.fixture
def disk(home):
    """A file system of 256 KiB and 10 files in alice's home."""
    path = home.dir("disk")
    options = f"size=256k,nr_inodes=10,mode=755,uid={home.account.uid},gid={home.account.gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=True)
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


@pytest.fixture
def syslog():
    """What is sent to syslog; /dev is one of its own for the test."""
    from logs import LogDaemon  # not before its asserts are registered

    dev = Path("/dev")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", dev], check=True)
    os.mknod(dev / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    daemon = LogDaemon()
    yield daemon
    daemon.stop()
    subprocess.run(["umount", "--lazy", dev], check=True)
