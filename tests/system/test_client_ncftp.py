"""ncftp with ncftpget, ncftpput and ncftpls. They know IPv4 only."""

import os

import pytest

from clients import (CONTENT, IPV4_WAYS, RESUME_AT, TREE, Site, expected_hashes, hashes, make_tree,
                     public_hashes, way_id)

# Without MLSD ncftp takes the listing of an empty directory for one that it cannot read.
EMPTY = "sub/empty directory/"
TREE_TO_GET = {name: content for name, content in TREE.items() if name != EMPTY}


class Ncftp(Site):
    """The programs for scripts, and the one for people, which is fed with commands."""

    @property
    def options(self):
        return ["-t", 10, "-r", 0, "-F" if self.passive else "-E"]

    @property
    def login(self):
        return ["-u", self.account.name, "-p", self.account.password]

    def ncftpls(self, *arguments, path="", login=None):
        """List a directory."""
        login = self.login if login is None else login
        return self.run(["ncftpls", *self.options, *login, *arguments, f"ftp://{self.host}/{path}"])

    def ncftpget(self, *arguments, login=None, codes=(0,)):
        """Download: options, local directory, names."""
        login = self.login if login is None else login
        options = [word for word in arguments if word.startswith("-")]
        return self.run(["ncftpget", "-d", "stdout", "-V", *self.options, *login, *options,
                         self.host, *arguments[len(options):]], codes=codes)

    def ncftpput(self, *arguments):
        """Upload: options, directory there, names."""
        options = [word for word in arguments if word.startswith("-")]
        return self.run(["ncftpput", "-d", "stdout", "-V", *self.options, *self.login, *options,
                         self.host, *arguments[len(options):]])

    def ncftp(self, *commands):
        """Give commands to the interactive program. It does not end with an error, whatever."""
        lines = ["debug 1", f"set passive {'on' if self.passive else 'off'}", *commands, "quit", ""]
        return self.run(["ncftp", *self.login, self.host], "\n".join(lines))


@pytest.fixture(params=IPV4_WAYS, ids=way_id)
def ncftp(request, ftpd, home, tmp_path):
    return Ncftp(ftpd, home, tmp_path, request.param)


def test_lists(ncftp):
    make_tree(ncftp.remote)
    lines = ncftp.ncftpls("-1").splitlines()
    for name in [name for name in TREE if "/" not in name]:
        ncftp.same(lines.count(name), 1, f"{name!r} in the listing")
    ncftp.ncftpls("-l")
    assert " 700001 " in ncftp.output, ncftp.story("long listing")
    ncftp.same(ncftp.ncftpls("-1", "-i", "*.bin").split(), ["big.bin", "telnet.bin"])


def test_gets_and_puts(ncftp):
    make_tree(ncftp.remote)
    names = ["big.bin", "empty", "two  blanks in a row", "it's a \"quoted\" name",
             "Grüße, 日本語 und €.txt", "sub/deep/empty too"]
    ncftp.ncftpget(".", *names)
    back = ncftp.remote.dir("back")
    ncftp.ncftpput("back", *map(os.path.basename, names))
    for name in names:
        ncftp.same_file(ncftp.local / os.path.basename(name), ncftp.remote / name)
        ncftp.same_file(ncftp.local / os.path.basename(name), back / os.path.basename(name))


def test_gets_by_a_pattern(ncftp):
    make_tree(ncftp.remote)
    ncftp.ncftpget(".", "*.bin")
    ncftp.same(ncftp.names_here(), ["big.bin", "telnet.bin"])


def test_resumes_a_download(ncftp):
    there = ncftp.remote.file("big.bin", CONTENT)
    here = ncftp.file_here("big.bin", CONTENT[:RESUME_AT])
    for path in (here, there):  # an older file here would be taken for another one
        os.utime(path, (1_000_000_000, 1_000_000_000))
    ncftp.ncftpget("-z", ".", "big.bin")
    ncftp.same_file(ncftp.local / "big.bin", ncftp.remote / "big.bin")
    ncftp.same(ncftp.log_bytes("DOWNLOAD"), [len(CONTENT) - RESUME_AT], "bytes sent")


def test_resumes_an_upload(ncftp):
    ncftp.file_here("big.bin")
    ncftp.remote.file("big.bin", CONTENT[:RESUME_AT])
    # -s: with sendfile it would send the whole file behind the mark
    ncftp.ncftpput("-z", "-s", ".", "big.bin")
    ncftp.same_file(ncftp.remote / "big.bin", ncftp.local / "big.bin")
    ncftp.same(ncftp.log_bytes("UPLOAD"), [len(CONTENT) - RESUME_AT], "bytes received")


def test_appends(ncftp):
    ncftp.remote.file("big.bin", CONTENT[:RESUME_AT])
    ncftp.file_here("big.bin", CONTENT[RESUME_AT:])
    ncftp.ncftpput("-A", ".", "big.bin")
    ncftp.same((ncftp.remote / "big.bin").read_bytes() == CONTENT, True, "the whole")


def test_uploads_under_another_name_first(ncftp):
    ncftp.file_here("big.bin")
    ncftp.ncftpput("-S.part", ".", "big.bin")
    ncftp.same_file(ncftp.remote / "big.bin", ncftp.local / "big.bin")
    assert "RNTO big.bin" in ncftp.output, ncftp.story("no rename")
    ncftp.same(ncftp.remote.names(), ["big.bin"])


def test_brings_a_tree(ncftp):
    ncftp.remote.dir("tree")
    make_tree(ncftp.remote, {"tree/" + name: content for name, content in TREE_TO_GET.items()})
    ncftp.ncftpget("-R", "-T", ".", "tree")
    ncftp.same_tree(ncftp.local / "tree", TREE_TO_GET)


def test_brings_a_tree_back(ncftp):
    make_tree(ncftp.dir_here("tree"))
    ncftp.ncftpput("-R", "-m", "new", "tree")
    ncftp.same_tree(ncftp.remote / "new" / "tree")


def test_changes_names(ncftp):
    make_tree(ncftp.remote)
    ncftp.ncftp("mkdir 'b b'", "mkdir 'b b/ü'", "rename plain.txt \"b b/moved 'file'\"",
                "rename sub 'b b/sub'", "rm 'two  blanks in a row'", "rmdir 'b b/ü'",
                "cd 'b b'", "pwd", "chmod 600 ../empty")
    expected = expected_hashes()
    for name in list(expected):
        if name.startswith("sub/"):
            expected["b b/" + name] = expected.pop(name)
    del expected["two  blanks in a row"]
    expected.update({"b b/": None, "b b/moved 'file'": expected.pop("plain.txt")})
    ncftp.same(hashes(ncftp.remote.path), expected)
    ncftp.same((ncftp.remote / "empty").stat().st_mode & 0o777, 0o600, "mode of a file")


def test_works_through_a_session(ncftp):
    make_tree(ncftp.remote)
    ncftp.ncftp("ls -l", "cd sub/deep", "ls", "get 'empty too'", "cd ../..", "get big.bin",
                "put -z big.bin", "mkdir up", "cd up", "put big.bin", "ls -a")
    ncftp.same_file(ncftp.local / "big.bin", ncftp.remote / "big.bin")
    ncftp.same_file(ncftp.local / "empty too", ncftp.remote / "sub/deep/empty too")
    ncftp.same_file(ncftp.local / "big.bin", ncftp.remote / "up/big.bin")


def test_anonymous(ncftp):
    ncftp.ncftpget(".", *("pub/" + name for name in public_hashes() if not name.endswith("/")),
                   login=[])
    flat = {os.path.basename(name): found for name, found in public_hashes().items() if found}
    ncftp.same(hashes(ncftp.local), flat)
    ncftp.ncftpls("-1", path="pub/sub/", login=[])
    ncftp.same(ncftp.output.split(), ["deep.txt"])


def test_a_missing_file_is_reported(ncftp):
    ncftp.ncftpget(".", "missing", codes=(3,))
