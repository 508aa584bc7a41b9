"""The rules that hold for every command, as classes: the tests of a command fill in its lines.

`lines` are complete commands that succeed, one after the other, in the fixture `things` of their
module; `verbs` are the verbs whose argument may not be missing.
"""

import os
import stat
import subprocess

import pytest

from changes import ODD_NAMES, PATHS_IN_A_CHROOT
from ftpraw import encode, escaped


def snapshot(top):
    """All that is below `top`, by its name: kind and mode, owner, size, time, and content."""
    found = {}
    for directory, subdirectories, files in os.walk(os.fsencode(top)):
        for name in subdirectories + files:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            content = None
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    content = file.read()
            size = None if stat.S_ISDIR(status.st_mode) else status.st_size
            found[os.path.relpath(path, os.fsencode(top))] = (
                status.st_mode, status.st_uid, status.st_gid, size, status.st_mtime_ns, content)
    return found


def mode_of(path):
    """The permissions of a file."""
    return path.stat().st_mode & 0o7777


def check_refused(client, tree, line, *codes):
    """Send `line`, which is to get one of `codes` and to change nothing in `tree`."""
    before = snapshot(tree.path)
    reply = client.cmd(line, *codes)
    client.in_step()
    assert snapshot(tree.path) == before
    return reply


def furnish_dead_ends(home):
    """Put a file in `home`, and what leads to no file."""
    home.file("f")
    home.link("dangling", "nowhere")
    home.link("loop", "loop")
    home.dir("closed")
    home.file("closed/f")
    (home / "closed").chmod(0o000)


class ArgumentRule:
    """A missing argument is 501."""

    verbs = ()

    def test_without_argument_is_501(self, alice, things):
        before = snapshot(things.path)
        for verb in self.verbs:
            alice.cmds((verb, 501), (f"{verb} ", 501))
        alice.in_step()
        assert snapshot(things.path) == before


class LoginRule:
    """Before a login nothing is done, and after it the same lines work."""

    lines = ()

    def test_before_login_is_530(self, ftpd, things):
        before = snapshot(things.path)
        client = ftpd().connect()
        for line in self.lines:
            client.cmd(line, 530)
        client.in_step()
        assert snapshot(things.path) == before

    def test_is_allowed_after_login(self, ftpd, things):
        client = ftpd().login("alice")
        for line in self.lines:
            reply = client.cmd(line)
            assert 200 <= reply.code < 400, f"after {line!r}: {reply!r}"
        client.in_step()


class WriteRule(LoginRule):
    """What changes files needs write_enable, and is not for anonymous users."""

    def test_needs_write_enable(self, ftpd, things):
        before = snapshot(things.path)
        client = ftpd(write_enable="NO").login("alice")
        for line in self.lines:
            client.cmd(line, 550)
        client.in_step()
        assert snapshot(things.path) == before

    def test_is_not_for_anonymous_users(self, ftpd, things):
        """The directory is one where the system would let them."""
        before = snapshot(things.path)
        client = ftpd(ftp_username="alice", anon_root=str(things.path)).anonymous()
        for line in self.lines:
            client.cmd(line, 550)
        client.in_step()
        assert snapshot(things.path) == before


class FileRule:
    """What a command that changes a fact of one file does with paths.

    `begin` is the line up to the path, `code` the reply to success; done() tells what has become of
    a file.
    """

    begin = ""
    code = 200

    def done(self, path):
        """True if the command has been carried out on `path`."""
        raise NotImplementedError

    @pytest.mark.parametrize("name", ODD_NAMES + [b"a\xffb", "20240101000000 x"])
    def test_file_of_any_name(self, alice, home, name):
        path = home.file(name)
        others = [home.file(other) for other in ("a1", "x", "canary")]
        alice.cmd(encode(self.begin) + escaped(name), self.code)
        alice.in_step()
        assert self.done(path)
        assert not any(map(self.done, others))

    @pytest.mark.parametrize("path", ["d/f", "./d/f", "d//f", "d/../d/f", "~/d/f",
                                      "/home/alice/d/f", "link", "linkdir/f"])
    def test_file_by_any_path(self, alice, home, path):
        home.dir("d")
        file = home.file("d/f")
        home.link("link", "d/f")
        home.link("linkdir", "d")
        alice.cmd(self.begin + path, self.code)
        assert self.done(file)

    @pytest.mark.parametrize("path", PATHS_IN_A_CHROOT)
    def test_file_in_a_chroot(self, jailed, home, path):
        file = home.file("f")
        home.dir("full")
        home.link("up", "../..")
        jailed.cmd(self.begin + path.format("f"), self.code)
        assert self.done(file)

    @pytest.mark.parametrize("path", ["/etc/passwd", "/home/alice/f", "out/passwd", "file"])
    def test_nothing_outside_a_chroot(self, jailed, home, path):
        home.file("f")
        home.link("out", "/etc")
        home.link("file", "/etc/passwd")
        jailed.cmd(self.begin + path, 550)
        assert not self.done(home / "f")

    @pytest.mark.parametrize("path", ["missing", "missing/f", "f/", "f/x", "closed/f", "dangling",
                                      "loop", "n" * 300, "/root/x", "*", "?"])
    def test_missing_file_is_550(self, alice, home, path):
        furnish_dead_ends(home)
        check_refused(alice, home, self.begin + path, 550)

    def test_file_of_another_user_is_550(self, alice, home):
        path = home / "f"
        path.write_bytes(b"of root")
        path.chmod(0o666)
        check_refused(alice, home, self.begin + "f", 550)
        alice.cmd(self.begin + "/etc/passwd", 550)

    def test_read_only_file_system_is_550(self, alice, home):
        path = home.dir("disk")
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", path], check=True)
        try:
            home.file("disk/f")
            subprocess.run(["mount", "-o", "remount,ro", path], check=True)
            alice.cmd(self.begin + "disk/f", 550)
            alice.in_step()
            assert not self.done(path / "f")
        finally:
            subprocess.run(["umount", "--lazy", path], check=True)
