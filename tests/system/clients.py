"""What the tests of the real clients share: ways to reach the daemon, trees and their hashes."""

import hashlib
import os
import random
import re
import subprocess
from collections import namedtuple
from pathlib import Path

import accounts
import procs
from conftest import Tree

DEADLINE_SEC = 30
ANONYMOUS_TREE = Path(accounts.ALL["ftp"].home)

# A way from the client to the daemon. `mapped` is an IPv4 client of an IPv6 socket.
Way = namedtuple("Way", "mode family")

WAYS = [Way(mode, family)
        for family in ("ipv4", "ipv6", "mapped") for mode in ("passive", "active")]
IPV4_WAYS = [way for way in WAYS if way.family != "ipv6"]

# A client that falls back to the other mode in silence finds it switched off.
MODE_OPTIONS = {"passive": {"port_enable": "NO"}, "active": {"pasv_enable": "NO"}}
FAMILY_OPTIONS = {
    "ipv4": {"listen": "YES"},
    "ipv6": {"listen": None, "listen_ipv6": "YES"},
    "mapped": {"listen": None, "listen_ipv6": "YES"},
}
HOSTS = {"ipv4": "127.0.0.1", "ipv6": "::1", "mapped": "127.0.0.1"}

CONTENT = random.Random(31).randbytes(700_001)
RESUME_AT = 300_007

# Directories end in "/". Every client must bring all of it over as it is.
TREE = {
    "plain.txt": b"plain\n",
    "empty": b"",
    "big.bin": CONTENT,
    "two  blanks in a row": b"blanks",
    "it's a \"quoted\" name": b"quotes",
    "50% & #1; (a+b)=c, [x] {y} $HOME ~ ^ ! @": b"signs",
    "Grüße, 日本語 und €.txt": "Grüße".encode(),
    "-dash": b"dash",
    "telnet.bin": b"\xff\xf4\xff\xf2ABOR\r\n" * 50,
    "lines.txt": b"one\ntwo\r\nthree\r",
    "sub/": None,
    "sub/empty directory/": None,
    "sub/deep/": None,
    "sub/deep/deeper still/": None,
    "sub/deep/deeper still/ünten": b"bottom",
    "sub/deep/empty too": b"",
    "Verzeichnis „für“ alle/": None,
    "Verzeichnis „für“ alle/it's here": b"here",
}


def way_id(way):
    """The name of a way in the names of tests."""
    return f"{way.mode}-{way.family}"


def make_tree(top, entries=None):
    """Write TREE or `entries` below `top`: a Path, or a Tree whose account is to own it."""
    for name, content in (TREE if entries is None else entries).items():
        path = Path(os.path.join(top.path if isinstance(top, Tree) else top, name))
        if content is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.write_bytes(content)
        if isinstance(top, Tree):
            top.own(path)


def directories():
    """The directories of TREE, the top as "" included, each behind the one that holds it."""
    return [""] + [name for name in TREE if name.endswith("/")]


def sha256(path):
    """The hash of a file, as text."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hashes(top):
    """All that is below `top`: the hash of every file, None for every directory, by its name."""
    found = {}
    for directory, subdirectories, files in os.walk(top):
        for name in subdirectories:
            found[os.path.relpath(os.path.join(directory, name), top) + "/"] = None
        for name in files:
            path = os.path.join(directory, name)
            found[os.path.relpath(path, top)] = sha256(path)
    return found


def expected_hashes(entries=None):
    """As hashes() would find TREE or `entries`."""
    return {name: None if content is None else hashlib.sha256(content).hexdigest()
            for name, content in (TREE if entries is None else entries).items()}


def public_hashes():
    """What an anonymous client may see below pub."""
    found = hashes(ANONYMOUS_TREE / "pub")
    del found["secret.txt"]  # not readable for the world
    del found["outside"]  # a link out of the root
    return found


class Site:
    """A daemon to be reached by one way; alice's home there, and an empty directory here."""

    def __init__(self, ftpd, home, directory, way, **options):
        self.way = way
        self.remote = home
        self.local = Path(directory)
        self.host = HOSTS[way.family]
        self.account = home.account
        self.output = ""
        self.daemon = ftpd(**{"connect_from_port_20": "YES", **MODE_OPTIONS[way.mode],
                              **FAMILY_OPTIONS[way.family], **options})

    @property
    def passive(self):
        return self.way.mode == "passive"

    @property
    def url_host(self):
        return f"[{self.host}]" if ":" in self.host else self.host

    def run(self, arguments, script=None, codes=(0,)):
        """Run a client in the local directory, `script` being its input; returns its output."""
        try:
            done = subprocess.run(
                list(map(str, arguments)), input=None if script is None else script.encode(),
                stdin=subprocess.DEVNULL if script is None else None, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, cwd=self.local, timeout=DEADLINE_SEC)
            end, output = done.returncode, done.stdout
        except subprocess.TimeoutExpired as error:
            end, output = f"no end within {DEADLINE_SEC} s", error.stdout or b""
        self.output = output.decode(errors="replace")
        assert end in codes, self.story(f"{arguments}\n{script or ''}ended with {end}")
        return self.output

    def story(self, what):
        """`what`, with everything that may explain it."""
        return (f"{what}\n--- the client said:\n{self.output}\n"
                f"--- the daemon's log:\n{self.daemon.log}{self.daemon.stderr}")

    def same(self, found, expected, what="not the same"):
        """Assert equality; the message shows what differs and the client's output."""
        if isinstance(found, dict) and isinstance(expected, dict):
            names = sorted(name for name in found.keys() | expected.keys()
                           if found.get(name, "missing") != expected.get(name, "missing"))
            what = f"{what}, differences at {names}"
        assert found == expected, self.story(f"{what}:\nfound    {found}\nexpected {expected}")

    def same_file(self, one, other):
        """Assert that two files have the same content, by hash."""
        self.same(sha256(one), sha256(other), f"{one} and {other} differ")

    def same_tree(self, found, entries=None):
        """Assert that the directory `found` holds TREE or `entries` and nothing else."""
        self.same(hashes(found), expected_hashes(entries), f"the tree in {found} is not right")

    def log_bytes(self, verb, count=1):
        """The sizes of the last `count` successful transfers; waits until the log has so many."""
        def logged():
            sizes = re.findall(rf'OK {verb}: Client "[^"]*", ".*", (\d+) bytes', self.daemon.log)
            return list(map(int, sizes)) if len(sizes) >= count else None

        sizes = procs.wait_for(logged)
        assert sizes, self.story(f"not {count} times OK {verb} in the log")
        return sizes[-count:]

    def file_here(self, name, content=CONTENT):
        """Make a file in the local directory."""
        path = self.local / name
        path.write_bytes(content)
        return path

    def dir_here(self, name):
        """Make a directory in the local directory."""
        path = self.local / name
        path.mkdir()
        return path

    def names_here(self, name="."):
        """The names in a directory below the local one."""
        return sorted(os.listdir(self.local / name))
