"""What anonymous users may change: one right for each kind of change, all under write_enable."""

import os
import shutil
from itertools import product
from pathlib import Path

import pytest

from accounts import ALL
from mlsx import mlst
from rules import mode_of, snapshot

OPTIONS = ("anon_upload_enable", "anon_mkdir_write_enable", "anon_other_write_enable", "anon_umask",
           "write_enable")

RIGHTS = ("anon_upload_enable", "anon_mkdir_write_enable", "anon_other_write_enable")
TOP = Path(ALL["ftp"].home, "incoming")

# What each right is for, in a directory that `incoming` has made. A line in parentheses comes before.
UPLOADS = ["STOR new", "STOU new", "SITE COPY old new", "(SITE CPFR old) SITE CPTO new"]
MAKING = ["MKD new", "XMKD new", "SITE MKDIR new/deep"]
CHANGES = ["APPE old", "APPE new", "DELE old", "RMD empty", "XRMD empty", "(RNFR old) RNTO new",
           "MDTM 20200101000000 old", "MFMT 20200101000000 old", "MFF modify=20200101000000; old",
           "SITE UTIME 20200101000000 old", "SITE RMDIR empty", "SITE SYMLINK old new",
           "COMB new old"]
NEVER = ["SITE CHMOD 777 old", "CHMOD 777 old", "SITE CHGRP ftp old", "SITE UMASK 022", "SITE UMASK",
         "MFF UNIX.mode=0777; old", "MFF UNIX.group=ftp; old"]
ALL_LINES = UPLOADS + MAKING + CHANGES + NEVER


@pytest.fixture
def incoming():
    """A directory of the anonymous user, with a file and a directory."""
    TOP.mkdir()
    (TOP / "old").write_bytes(b"old content")
    (TOP / "empty").mkdir()
    for path in (TOP, TOP / "old", TOP / "empty"):
        os.chown(path, ALL["ftp"].uid, ALL["ftp"].gid)
    yield TOP
    shutil.rmtree(TOP)


def session(ftpd, *granted, **options):
    """An anonymous client with some of the rights, in the directory."""
    client = ftpd(anon_world_readable_only="NO", **dict.fromkeys(granted, "YES"),
                  **options).anonymous()
    client.cmd("CWD incoming", 250)
    return client


def is_done(client, line):
    """True if the line succeeds, False if it is refused with 550 and nothing else happened."""
    before = snapshot(TOP)
    if line.startswith("("):
        first, line = line[1:].split(") ")
        client.cmd(first, 350, 550)
    if line.split()[0] in ("STOR", "STOU", "APPE"):
        with client.pasv()() as sock:
            reply = client.cmd(line)
            if reply.code == 150:
                sock.sendall(b"sent")
                sock.close()
                reply = client.reply()
    else:
        reply = client.cmd(line)
    client.in_step()
    if reply.code in (550, 503):
        assert snapshot(TOP) == before
        return False
    assert 200 <= reply.code < 300, f"after {line!r}: {reply!r}"
    return True


@pytest.mark.parametrize("granted", [
    [right for right, chosen in zip(RIGHTS, choice) if chosen]
    for choice in product((False, True), repeat=3)], ids="+".join)
def test_each_right_is_for_its_commands(ftpd, incoming, granted):
    kept = incoming.with_name("kept")
    shutil.copytree(incoming, kept)
    client = session(ftpd, *granted)
    try:
        for line in ALL_LINES:
            wanted = ((line in UPLOADS and "anon_upload_enable" in granted) or
                      (line in MAKING and "anon_mkdir_write_enable" in granted) or
                      (line in CHANGES and "anon_other_write_enable" in granted))
            assert is_done(client, line) == wanted, line
            for path in incoming.iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            shutil.copytree(kept, incoming, dirs_exist_ok=True)
            for path in incoming.iterdir():
                os.chown(path, ALL["ftp"].uid, ALL["ftp"].gid)
    finally:
        shutil.rmtree(kept)


def test_all_rights_need_write_enable(ftpd, incoming):
    client = session(ftpd, *RIGHTS, write_enable="NO")
    for line in ALL_LINES:
        assert not is_done(client, line), line


def test_uploads_make_new_files_only(ftpd, incoming):
    client = session(ftpd, "anon_upload_enable")
    for rest in (None, 4):
        client.refused("STOR old", 553, rest=rest)
    client.refused("STOR new", 554, rest=4)
    assert sorted(os.listdir(incoming)) == ["empty", "old"]
    assert (incoming / "old").read_bytes() == b"old content"
    client.stor("new", b"first")
    client.refused("STOR new", 553)
    (incoming / "link").symlink_to("missing")
    client.refused("STOR link", 553)
    assert (incoming / "new").read_bytes() == b"first" and not (incoming / "missing").exists()


def test_uploads_replace_files_with_the_right_to_change(ftpd, incoming):
    client = session(ftpd, "anon_upload_enable", "anon_other_write_enable")
    client.stor("old", b"NEW", rest=4)
    assert (incoming / "old").read_bytes() == b"old NEWtent"
    client.stor("old", b"other")
    assert (incoming / "old").read_bytes() == b"other"


def test_stou_finds_a_free_name(ftpd, incoming):
    client = session(ftpd, "anon_upload_enable")
    client.stor("old", b"beside", verb="STOU")
    assert (incoming / "old.1").read_bytes() == b"beside"
    assert (incoming / "old").read_bytes() == b"old content"


@pytest.mark.parametrize("umask", [None, "022", "0", "0137"])
def test_umask_of_anonymous_users(ftpd, incoming, umask):
    """local_umask is for others."""
    client = session(ftpd, *RIGHTS, anon_umask=umask, local_umask="0007")
    client.stor("file", b"x")
    client.cmd("MKD dir", 257)
    taken = int(umask or "077", 8)
    assert mode_of(incoming / "file") == 0o666 & ~taken
    assert mode_of(incoming / "dir") == 0o777 & ~taken


def test_local_users_have_their_own_umask(ftpd, home):
    client = ftpd(anon_umask="000", local_umask="027").login("alice")
    client.stor("file", b"x")
    assert mode_of(home / "file") == 0o640


def test_local_users_need_none_of_these_rights(ftpd, home):
    client = ftpd().login("alice")
    client.stor("file", b"x")
    client.stor("file", b"y")
    client.cmds(("MKD dir", 257), ("DELE file", 250), ("SITE UMASK 077", 200))


@pytest.mark.parametrize("granted, file, directory", [
    ([], "r", "el"),
    (["anon_upload_enable"], "r", "cel"),
    (["anon_mkdir_write_enable"], "r", "elm"),
    (["anon_other_write_enable"], "adfr", "deflp"),
    (["anon_upload_enable", "anon_other_write_enable"], "adfrw", "cdeflp"),
    (RIGHTS, "adfrw", "cdeflmp"),
])
def test_fact_perm_tells_of_the_rights(ftpd, incoming, granted, file, directory):
    client = session(ftpd, *granted)
    assert mlst(client, "old").facts["perm"] == file
    assert mlst(client, "empty").facts["perm"] == directory


@pytest.mark.parametrize("right, features", [
    ("anon_upload_enable", ["SITE COPY"]), ("anon_mkdir_write_enable", ["SITE MKDIR"]),
    ("anon_other_write_enable", ["COMB", "MFMT", "MFF modify;", "SITE RMDIR"]),
])
def test_feat_offers_what_is_granted(ftpd, right, features):
    for granted in ([], [right]):
        lines = ftpd(**dict.fromkeys(granted, "YES")).anonymous().cmd("FEAT", 211).lines
        offered = [line.strip() for line in lines]
        assert all((feature in offered) == bool(granted) for feature in features)
        ftpd.daemons[-1].stop()
