"""The fact perm of MLSD and MLST: each letter is there if, and only if, what it promises works."""

import os
import shutil
from collections import namedtuple

import pytest

import accounts
from ftpraw import receive_all
from mlsx import mlst, parse

# `x` in the directory `p`: the owner, group and mode of both. alice is in twenty groups; team20 is
# the last one.
Scene = namedtuple("Scene", "owner group mode p_owner p_group p_mode")

FILES = {
    "own": Scene("alice", "alice", 0o644, "alice", "alice", 0o755),
    "own, read-only": Scene("alice", "alice", 0o444, "alice", "alice", 0o755),
    "own, write-only": Scene("alice", "alice", 0o200, "alice", "alice", 0o755),
    "own, no rights": Scene("alice", "alice", 0o000, "alice", "alice", 0o755),
    "own, only others have rights": Scene("alice", "team20", 0o066, "alice", "alice", 0o755),
    "own, not for others": Scene("alice", "alice", 0o600, "alice", "alice", 0o755),
    "foreign, readable": Scene("root", "root", 0o644, "root", "root", 0o755),
    "foreign, writable": Scene("root", "root", 0o666, "root", "root", 0o755),
    "foreign, closed": Scene("root", "root", 0o600, "root", "root", 0o755),
    "foreign in an own directory": Scene("root", "root", 0o644, "alice", "alice", 0o755),
    "own in a foreign directory": Scene("alice", "alice", 0o644, "root", "root", 0o755),
    "of a group": Scene("root", "team20", 0o660, "root", "root", 0o755),
    "of a group, read-only": Scene("root", "team20", 0o640, "root", "team20", 0o775),
    "of a group without rights": Scene("root", "team20", 0o606, "root", "root", 0o755),
    "of a foreign group": Scene("root", "root", 0o664, "root", "root", 0o775),
    "in a directory for all": Scene("root", "root", 0o600, "root", "root", 0o777),
    "in a directory of a group": Scene("root", "root", 0o600, "root", "team20", 0o770),
    "in a read-only directory": Scene("alice", "alice", 0o644, "alice", "alice", 0o555),
    "in a directory to search": Scene("alice", "alice", 0o644, "alice", "alice", 0o111),
    "in a directory to search and write": Scene("alice", "alice", 0o644, "alice", "alice", 0o333),
    "foreign in a foreign sticky one": Scene("root", "root", 0o644, "root", "root", 0o1777),
    "own in a foreign sticky one": Scene("alice", "alice", 0o644, "root", "root", 0o1777),
    "foreign in an own sticky one": Scene("root", "root", 0o644, "alice", "alice", 0o1755),
    "own in a read-only sticky one": Scene("alice", "alice", 0o644, "alice", "alice", 0o1555),
    "own in a sticky one of a group": Scene("alice", "alice", 0o644, "root", "team20", 0o1770),
    "foreign in a sticky one of a group": Scene("root", "root", 0o644, "root", "team20", 0o1770),
}

DIRECTORIES = {
    **{name: scene._replace(mode=scene.mode | (scene.mode >> 2 & 0o111))
       for name, scene in FILES.items()},
    "own, to search only": Scene("alice", "alice", 0o100, "alice", "alice", 0o755),
    "own, to read only": Scene("alice", "alice", 0o400, "alice", "alice", 0o755),
    "own, to write without search": Scene("alice", "alice", 0o600, "alice", "alice", 0o755),
    "own, to write and search": Scene("alice", "alice", 0o300, "alice", "alice", 0o755),
    "own and sticky": Scene("alice", "alice", 0o1755, "alice", "alice", 0o755),
    "with an inherited group": Scene("alice", "team20", 0o2775, "alice", "alice", 0o755),
}

SESSIONS = {
    "writing": {},
    "jailed": {"chroot_local_user": "YES"},
    "reading": {"write_enable": "NO"},
    "anonymous": {"anon_world_readable_only": "YES"},
    "anonymous, all it may read": {"anon_world_readable_only": "NO"},
    "anonymous, uploading": {"anon_world_readable_only": "NO", "anon_upload_enable": "YES"},
    "anonymous, changing": {"anon_world_readable_only": "NO", "anon_other_write_enable": "YES"},
    "anonymous, doing all": {"anon_world_readable_only": "YES", "anon_upload_enable": "YES",
                             "anon_mkdir_write_enable": "YES", "anon_other_write_enable": "YES"},
    "without downloads": {"download_enable": "NO"},
    "without some commands": {"cmds_denied": "APPE,MKD,RNTO"},
    "without other commands": {"cmds_denied": "STOR,RMD,RETR"},
}


def identity(name):
    """The number of a user or of a group."""
    if name == "root":
        return 0
    return accounts.GROUPS[name] if name in accounts.GROUPS else accounts.ALL[name].uid


def give(path, owner, group, mode):
    """Set owner, group and mode; a link has no mode."""
    os.chown(path, identity(owner), identity(group), follow_symlinks=False)
    if not path.is_symlink():
        path.chmod(mode)


class Trial:
    """Does to p/x what the letters stand for. What that changes is put right by root."""

    def __init__(self, client, home, scene, kind):
        self.client = client
        self.home = home
        self.parent = home / "p"
        self.path = self.parent / "x"
        self.scene = scene
        self.kind = kind
        self.start = client.pwd()
        self.tries = {
            "a": lambda: self.transfers("APPE p/x", b"more"),
            "c": lambda: self.transfers("STOR p/x/new", b"new"),
            "d": self.can_be_removed,
            "e": lambda: client.cmd("CWD p/x").code == 250,
            "f": lambda: (client.cmd("RNFR p/x").code, client.cmd("RNTO p/y").code) == (350, 250),
            "l": lambda: self.listing("NLST p/x") == ["p/x/inside"],
            "m": lambda: client.cmd("MKD p/x/new directory").code == 257,
            "p": lambda: client.cmd("DELE p/x/inside").code == 250,
            "r": lambda: self.transfers("RETR p/x"),
            "w": lambda: self.transfers("STOR p/x", b"other"),
        }

    def make(self):
        """p/x as the scene wants it, whatever was there."""
        shutil.rmtree(self.parent, ignore_errors=True)
        self.parent.mkdir()
        if self.kind == "dir":
            self.path.mkdir()
            self.home.file("p/x/inside")
        elif self.kind == "fifo":
            os.mkfifo(self.path)
        elif self.kind == "link":
            self.path.symlink_to("../target")
        else:
            self.path.write_bytes(b"content")
        give(self.path, self.scene.owner, self.scene.group, self.scene.mode)
        give(self.parent, self.scene.p_owner, self.scene.p_group, self.scene.p_mode)

    def transfers(self, line, content=None):
        """True if the transfer succeeds."""
        data = self.client.pasv()
        reply = self.client.cmd(line)
        with data() as sock:
            if reply.code != 150:
                return False
            if content is None:
                receive_all(sock)
            else:
                sock.sendall(content)
        return self.client.reply().code == 226

    def listing(self, line):
        """The lines of a listing; None if it is refused."""
        data = self.client.pasv()
        with data() as sock:
            if self.client.cmd(line, 150, 550).code == 550:
                return None
            lines = receive_all(sock).decode().splitlines()
        self.client.reply(226)
        return lines

    def can_be_removed(self):
        if self.kind == "dir":
            for path in self.path.iterdir():
                path.unlink()
        return self.client.cmd("RMD p/x" if self.kind == "dir" else "DELE p/x").code == 250

    def letters(self):
        """The letters that the fact ought to have."""
        found = ""
        for letter in "cdeflmp" if self.kind == "dir" else "adfrw":
            self.make()
            found += letter if self.tries[letter]() else ""
            self.client.cmd(f"CWD {self.start}", 250)
        return found

    def shown(self):
        """The letters that it has by MLST; None if nothing can be learned of it."""
        self.make()
        if self.client.cmd("MLST p/x", 250, 550).code == 550:
            return None
        return mlst(self.client, "p/x").facts["perm"]

    def listed(self):
        """The same by MLSD, which needs more rights."""
        self.make()
        entries = {entry.name: entry.facts for entry in map(parse, self.listing("MLSD p") or [])}
        return entries["x"]["perm"] if "x" in entries else None


def trial(ftpd, home, scene, kind, options):
    """A trial in a session of one of the kinds."""
    if "anon_world_readable_only" in options:
        client = ftpd(ftp_username="alice", anon_root=str(home.path), **options).anonymous()
    else:
        client = ftpd(**options).login("alice")
    return Trial(client, home, scene, kind)


@pytest.mark.parametrize("options", SESSIONS.values(), ids=SESSIONS)
@pytest.mark.parametrize("scene", FILES.values(), ids=FILES)
def test_file(ftpd, home, scene, options):
    one = trial(ftpd, home, scene, "file", options)
    assert one.shown() == one.letters()
    assert one.listed() in (one.shown(), None)


@pytest.mark.parametrize("options", SESSIONS.values(), ids=SESSIONS)
@pytest.mark.parametrize("scene", DIRECTORIES.values(), ids=DIRECTORIES)
def test_directory(ftpd, home, scene, options):
    one = trial(ftpd, home, scene, "dir", options)
    assert one.shown() == one.letters()
    assert one.listed() in (one.shown(), None)


@pytest.mark.parametrize("options", SESSIONS.values(), ids=SESSIONS)
@pytest.mark.parametrize("name", ["own", "foreign, writable", "in a directory for all"])
def test_fifo(ftpd, home, name, options):
    """It can be removed and renamed, but is neither sent nor written."""
    one = trial(ftpd, home, FILES[name], "fifo", options)
    assert one.shown() == one.letters()
    assert one.listed() == one.shown()


@pytest.mark.parametrize("target_owner, target_mode", [
    ("alice", 0o644), ("alice", 0o000), ("root", 0o644), ("root", 0o666), ("root", 0o600),
])
@pytest.mark.parametrize("name", [
    "own", "foreign in an own directory", "own in a foreign directory",
    "foreign in a foreign sticky one", "own in a foreign sticky one",
    "foreign in an own sticky one"])
def test_link(alice, home, name, target_owner, target_mode):
    """MLST tells of the file it leads to, MLSD of itself; removed and renamed is the link."""
    give(home.file("target", b"content"), target_owner, target_owner, target_mode)
    one = Trial(alice, home, FILES[name], "link")
    letters = one.letters()
    assert one.listed() == "".join(letter for letter in letters if letter in "df")
    assert one.shown() == letters


def test_scenes_show_every_letter(ftpd, home):
    """What is compared above is not always nothing."""
    one = trial(ftpd, home, FILES["own"], "file", {})
    assert one.listed() == one.shown() == one.letters() == "adfrw"
    one = Trial(one.client, home, DIRECTORIES["own"], "dir")
    assert one.listed() == one.shown() == one.letters() == "cdeflmp"
    one = Trial(one.client, home, FILES["foreign, closed"], "file")
    assert one.listed() == one.shown() == one.letters() == ""
    one = Trial(one.client, home, FILES["in a directory to search"], "file")
    assert one.listed() is None and one.shown() == one.letters() == "arw"
