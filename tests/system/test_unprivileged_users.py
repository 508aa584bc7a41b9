"""Users of virtual_users_file where an ordinary user runs the daemon: they write, but in their directory."""

import os

import pytest

import procs
from accounts import ALL, crypt_hash
from rules import mode_of, snapshot
from test_unprivileged import AS_USER, CONTENT, OUTSIDE, site, start  # noqa: F401

USER = ALL["bob"]


@pytest.fixture
def users(site):  # noqa: F811
    """The file: vera works for bob, mallory for somebody else."""
    path = site.parent / "users"
    hashed = crypt_hash("secret-vera", "yescrypt")
    path.write_text(f"vera:{hashed}:{USER.uid}:{USER.gid}:{site}:virtual_use_local_privs=YES\n"
                    f"mallory:{hashed}:{ALL['alice'].uid}:{ALL['alice'].gid}:{site}:\n")
    path.chmod(0o600)
    os.chown(path, USER.uid, USER.gid)
    return path


@pytest.fixture
def daemon(start, users):  # noqa: F811
    return start(virtual_users_file=str(users), anonymous_enable="NO")


@pytest.fixture
def vera(daemon):
    client = daemon.connect()
    client.login("vera", "secret-vera")
    return client


def test_service(vera, site):  # noqa: F811
    assert vera.pwd() == str(site)
    vera.stor("new", CONTENT)
    assert (site / "new").read_bytes() == CONTENT
    assert (site / "new").stat().st_uid == USER.uid
    vera.cmds(("MKD d", 257), ("RNFR new", 350), ("RNTO d/new", 250), ("SITE CHMOD 600 d/new", 200),
              ("MFMT 20200102030405 d/new", 213), ("DELE d/new", 250), ("RMD d", 250))


def test_wrong_password_and_foreign_rights(daemon):
    client = daemon.connect()
    assert client.try_login("vera", "wrong") == 530
    assert client.try_login("mallory", "secret-vera") == 530
    assert client.try_login("bob", "secret-bob") == 530
    assert procs.wait_for(lambda: "[mallory] FAIL LOGIN" in daemon.log)


@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_outside_can_be_changed(vera, site, path):  # noqa: F811
    path = path.format(site=site)
    before = snapshot(site.parent / "other"), mode_of(site.parent / "other")
    for line in (f"DELE {path}", f"RMD {path}", f"MKD {path}/d", f"RNFR {path}",
                 f"SITE CHMOD 777 {path}", f"MFMT 20200102030405 {path}", f"SITE UTIME {path} "
                 "20200102030405 20200102030405 20200102030405 UTC", f"SITE RMDIR {path}",
                 f"SITE MKDIR {path}/x", f"MDTM 20200102030405 {path}", f"SITE COPY f {path}/f",
                 f"SITE SYMLINK f {path}/link", f"SITE SYMLINK {path} l/link",
                 f"MFF UNIX.mode=777; {path}"):
        reply = vera.cmd(line)
        assert reply.code >= 500, f"{line}: {reply!r}"
    vera.refused(f"STOR {path}", 553, 550)
    vera.cmds(("RNFR f", 350), (f"RNTO {path}/f", (550, 553)))
    assert (snapshot(site.parent / "other"), mode_of(site.parent / "other")) == before
    assert (site / "f").read_bytes() == CONTENT
    vera.in_step()


@pytest.mark.parametrize("target", ["..", "/etc", "../other", "pub/../../other"])
def test_links_lead_to_their_own_directory_and_below_only(vera, site, target):  # noqa: F811
    vera.cmd(f"SITE SYMLINK {target} link", 550)
    assert not (site / "link").is_symlink()
