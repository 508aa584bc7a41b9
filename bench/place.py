"""The place where the benchmark runs: namespaces, accounts and data files of its own.

Everything is in memory if there is enough, else in a directory which the page cache holds.
"""

import functools
import hashlib
import os
import subprocess
from pathlib import Path

import accounts
from rows import GIB, KIB, LARGE, LISTINGS, MIB, QUARTER, SMALL, TEXT

LOCAL = accounts.Account("bench", scheme="sha512-normal")
ANONYMOUS_TOP = Path(accounts.ALL["ftp"].home)
# Where accounts come from, as Debian installs it: the second source is asked for what the first has not.
SOURCES = "".join(f"{name}: files systemd\n" for name in ("passwd", "group", "shadow")) + "hosts: files dns\n"
HOME = Path(LOCAL.home)
# Large file, its quarter, what is uploaded, a million names, and all else twice over
NEEDED_BYTES = 6 * GIB
BLOCK = 4 * MIB
LINE = 64


def enter(tree, spare):
    """Make the mounts, in fresh namespaces, and go to the tree, which is /run/tree then.

    `spare`: a directory for the data, or None: they are in memory. MINIFTPD is changed to where the
    program is now.
    """
    program = Path(os.environ["MINIFTPD"])
    empty("/run")
    # What lies below a directory that is hidden next must be at hand before.
    for name, source in (("tree", tree), ("program", program.parent)):
        os.mkdir(f"/run/{name}")
        mount("--bind", source, f"/run/{name}")
    os.environ["MINIFTPD"] = f"/run/program/{program.name}"
    os.chdir("/run/tree")
    for directory in ("/srv", "/home"):
        if spare:
            below = Path(spare + directory)
            below.mkdir(mode=0o755)
            mount("--bind", below, directory)
        else:
            empty(directory, f"mode=755,size={NEEDED_BYTES},nr_inodes=0")
    empty("/tmp", "mode=1777")
    empty("/var/log")
    empty("/etc/pam.d")
    os.environ.update(HOME="/run", LC_ALL="C.UTF-8", PYTHONDONTWRITEBYTECODE="1")
    for name in ("TMPDIR", "TZ", "PYTHONPATH", "PYTHONHOME"):
        os.environ.pop(name, None)
    make_accounts()
    path_of(SMALL)


def empty(directory, options="mode=755"):
    """Hide a directory behind an empty one in memory."""
    mount("-t", "tmpfs", "-o", options, "tmpfs", directory)


def mount(*arguments):
    """Run mount(8)."""
    subprocess.run(["mount", *arguments], check=True)


def memory_is_enough():
    """May the data be in memory?"""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * KIB >= NEEDED_BYTES + 2 * GIB
    return False


def make_accounts():
    """One local user with a SHA-512 hash of normal cost, and those that servers need."""
    accounts.SCHEMES["sha512-normal"] = (b"$6$", 0)
    accounts.ALL = {account.name: account for account in [*accounts.SYSTEM, LOCAL]}
    accounts.GROUPS = {}
    accounts.write_files(Path("/run/accounts"))
    Path("/run/accounts/nsswitch.conf").write_text(SOURCES)
    for name in ("passwd", "shadow", "group", "nsswitch.conf", "shells"):
        mount("--bind", f"/run/accounts/{name}", f"/etc/{name}")
    os.umask(0o022)
    accounts.make_home(LOCAL)
    ANONYMOUS_TOP.mkdir()


def path_of(name):
    """Where a file of the anonymous area is; it is made at its first use."""
    path = ANONYMOUS_TOP / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _MAKERS[name](path)
    return path


def _make_bytes(size):
    def make(path):
        block = os.urandom(min(BLOCK, size))
        with open(path, "wb") as file:
            for start in range(0, size, len(block)):
                turn = start // len(block) % len(block)
                file.write(block[turn:] + block[:turn])

    return make


def _make_text(path):
    lines = os.urandom(BLOCK).translate(bytes(ord(" ") + i % 95 for i in range(256)))
    block = b"".join(lines[i:i + LINE - 1] + b"\n" for i in range(0, len(lines) - LINE, LINE))
    with open(path, "wb") as file:
        for _ in range(64 * MIB // len(block)):
            file.write(block)


def make_names(count):
    """A function that makes a directory of `count` empty files."""
    def make(path):
        path.mkdir()
        directory = os.open(path, os.O_DIRECTORY)
        for number in range(count):
            os.mknod(f"entry-{number:07}.dat", 0o100644, dir_fd=directory)
        os.close(directory)

    return make


_MAKERS = {
    LARGE: _make_bytes(GIB),
    QUARTER: _make_bytes(GIB // 4),
    TEXT: _make_text,
    SMALL: _make_bytes(KIB),
    **{path: make_names(count) for count, path in LISTINGS.items()},
}


@functools.cache
def sha256_of_sent(name, line_end=None):
    """SHA-256 of a file of the anonymous area, which does not change."""
    return sha256_of(path_of(name), line_end)


def sha256_of(path, line_end=None):
    """SHA-256 of a file; with `line_end` in place of each LF."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block.replace(b"\n", line_end) if line_end else block)
    return digest.hexdigest()


@functools.cache
def sha256_of_names(name):
    """SHA-256 of the names in a directory of the anonymous area, sorted, one a line; see names.py."""
    names = sorted(os.fsencode(entry) for entry in os.listdir(path_of(name)))
    return hashlib.sha256(b"\n".join(names)).hexdigest()
