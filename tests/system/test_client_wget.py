"""wget. It cannot upload."""

import os
import re
from urllib.parse import quote

import pytest

from clients import (CONTENT, RESUME_AT, TREE, WAYS, Site, make_tree, hashes, public_hashes,
                     way_id)

# as --mirror does, without its .listing files
MIRROR = ["--recursive", "--level=inf", "--timestamping", "--no-host-directories"]
ANONYMOUS = ("anonymous", "me@example.com")


class Wget(Site):
    """wget."""

    def wget(self, *arguments, user=None, codes=(0,)):
        """Run wget with the options that all calls need."""
        name, password = user or (self.account.name, self.account.password)
        return self.run(["wget", "--no-config", "--no-proxy", "--no-netrc", "--no-hsts",
                         "--debug", "--progress=dot:mega", "--tries=1", "--timeout=10",
                         "--restrict-file-names=nocontrol", "--local-encoding=UTF-8",
                         "--user", name, "--password", password,
                         "--passive-ftp" if self.passive else "--no-passive-ftp", *arguments],
                        codes=codes)

    def url(self, name=""):
        """The address of a file; relative to the directory that a login leads to."""
        return f"ftp://{self.url_host}/{quote(name)}"


@pytest.fixture(params=WAYS, ids=way_id)
def wget(request, ftpd, home, tmp_path):
    return Wget(ftpd, home, tmp_path, request.param)


def test_lists(wget):
    make_tree(wget.remote)
    wget.wget("--no-remove-listing", wget.url())
    lines = (wget.local / ".listing").read_text()
    for name in [name for name in TREE if "/" not in name]:
        wget.same(lines.count(f" {name}\n"), 1, f"{name!r} in the listing")
    assert re.search(r"^-rw-r--r-- .* 700001 .* big\.bin$", lines, re.M), lines
    page = (wget.local / "index.html").read_text()
    assert quote("Grüße, 日本語 und €.txt") in page, page


def test_gets(wget):
    make_tree(wget.remote)
    names = [name for name in TREE if not name.endswith("/")]
    wget.wget(*map(wget.url, names))
    for name in names:
        wget.same_file(wget.local / os.path.basename(name), wget.remote / name)


def test_resumes_a_download(wget):
    wget.remote.file("big.bin", CONTENT)
    wget.file_here("big.bin", CONTENT[:RESUME_AT])
    wget.wget("--continue", wget.url("big.bin"))
    wget.same_file(wget.local / "big.bin", wget.remote / "big.bin")
    wget.same(wget.log_bytes("DOWNLOAD"), [len(CONTENT) - RESUME_AT], "bytes sent")


def test_starts_at_a_position(wget):
    wget.remote.file("big.bin", CONTENT)
    wget.wget(f"--start-pos={RESUME_AT}", wget.url("big.bin"))
    wget.same((wget.local / "big.bin").read_bytes() == CONTENT[RESUME_AT:], True, "the rest")


def test_mirrors_a_tree(wget):
    make_tree(wget.remote)
    wget.wget(*MIRROR, wget.url())
    wget.same_tree(wget.local)


def test_mirrors_only_what_is_new(wget):
    make_tree(wget.remote)
    for name in ("big.bin", "plain.txt"):
        os.utime(wget.remote / name, (1_000_000_000, 1_000_000_000))
    wget.wget(*MIRROR, wget.url())
    wget.remote.file("plain.txt", b"a newer text\n")
    wget.wget(*MIRROR, wget.url())
    wget.same((wget.local / "plain.txt").read_bytes(), b"a newer text\n")
    wget.same("RETR plain.txt" in wget.output, True, "the changed file was asked for")
    wget.same("RETR big.bin" in wget.output, False, "the unchanged file was asked for")


def test_mirrors_below_a_directory(wget):
    make_tree(wget.remote)
    wget.wget(*MIRROR, "--no-parent", "--cut-dirs=2",
              wget.url("sub/deep/"))
    wget.same_tree(wget.local, {"deeper still/": None, "deeper still/ünten": b"bottom",
                                "empty too": b""})


def test_gets_by_a_pattern(wget):
    make_tree(wget.remote)
    wget.wget(f"ftp://{wget.url_host}/*.bin")
    wget.same(wget.names_here(), ["big.bin", "telnet.bin"])


def test_anonymous(wget):
    expected = public_hashes()
    # the two without are not there for an anonymous client, and wget would end with an error
    wget.wget(*MIRROR, "--cut-dirs=1",
              "--reject=secret.txt,outside", "--retr-symlinks=no", wget.url("pub/"),
              user=ANONYMOUS)
    wget.same(hashes(wget.local), expected)


def test_spider_sees_what_exists(wget):
    make_tree(wget.remote)
    for name, words in (("big.bin", "File ‘big.bin’ exists"), ("missing", "No such file")):
        # wget 1.21 ends with an error in both cases
        output = wget.wget("--spider", wget.url(name), codes=(0, 8))
        assert words in output, wget.story(words)


def test_a_wrong_password_is_reported(wget):
    wget.wget(wget.url(), user=("alice", "wrong"), codes=(6,))
