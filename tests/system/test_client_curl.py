"""curl."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from clients import (CONTENT, RESUME_AT, TREE, WAYS, Site, Way, directories, expected_hashes,
                     hashes, make_tree, public_hashes, way_id)
from ftpraw import list_entry

ANONYMOUS = "anonymous:me@example.com"
FILES = [name for name in TREE if not name.endswith("/")]
NAMES = sorted({name.partition("/")[0] for name in TREE})


class Curl(Site):
    """curl."""

    def curl(self, *arguments, user=None, glob=False, codes=(0,)):
        """Run curl with the options that all calls need."""
        user = user or f"{self.account.name}:{self.account.password}"
        mode = ["--ftp-pasv"] if self.passive else ["--ftp-port", "-"]
        return self.run(["curl", "--disable", "--verbose", "--no-progress-meter",
                         *([] if glob else ["--globoff"]), "--max-time", 20, "--user", user, *mode,
                         *arguments], codes=codes)

    def url(self, name=""):
        """The address of a file; relative to the directory that a login leads to."""
        return f"ftp://{self.url_host}/{quote(name)}"


@pytest.fixture(params=WAYS, ids=way_id)
def curl(request, ftpd, home, tmp_path):
    return Curl(ftpd, home, tmp_path, request.param)


def test_lists(curl):
    make_tree(curl.remote)
    curl.curl("--output", "long", curl.url())
    lines = (curl.local / "long").read_text().splitlines()
    curl.same(sorted(list_entry(line)["name"] for line in lines), NAMES)
    assert any(" 700001 " in line and line.endswith(" big.bin") for line in lines), lines
    curl.curl("--output", "short", "--list-only", curl.url())
    curl.same(sorted((curl.local / "short").read_text().splitlines()), NAMES)


def test_gets_files_in_one_session(curl):
    make_tree(curl.remote)
    # curl 7.88 sleeps a second now and then when it uses a session again, so not all of them
    names = ["sub/deep/deeper still/ünten", "empty", "big.bin"]
    curl.curl(*(word for name in names
                for word in ("--output", Path(name).name, curl.url(name))))
    for name in names:
        curl.same_file(curl.local / Path(name).name, curl.remote / name)
    curl.same(curl.output.count("230 Login successful."), 1, "the number of logins")


def test_puts_files_in_one_session(curl):
    make_tree(curl.local)
    names = ["big.bin", "empty", "it's a \"quoted\" name"]
    curl.curl("--upload-file", "{" + ",".join(names) + "}", curl.url(), glob=True)
    for name in names:
        curl.same_file(curl.remote / name, curl.local / name)
    curl.same(curl.output.count("230 Login successful."), 1, "the number of logins")


def bring_a_tree_there_and_back(curl, method):
    source, target = curl.dir_here("source"), curl.dir_here("target")
    make_tree(source)
    # --ftp-create-dirs makes what holds a file, and only multicwd makes it level by level
    made = directories()[1:] if method != "multicwd" else ["sub/", "sub/empty directory/"]
    quotes = [word for name in made for word in ("--quote", f"MKD {name[:-1]}")]
    curl.curl(*quotes, "--output", "/dev/null", curl.url())
    for name in FILES:
        curl.curl("--ftp-method", method, "--ftp-create-dirs", "--upload-file", source / name,
                  curl.url(name))
    curl.same_tree(curl.remote.path)
    for name in FILES:
        curl.curl("--ftp-method", method, "--create-dirs", "--output", target / name,
                  curl.url(name))
    (target / "sub/empty directory").mkdir()
    curl.same_tree(target)


def test_brings_a_tree_there_and_back(curl):
    bring_a_tree_there_and_back(curl, "multicwd")


@pytest.mark.parametrize("method", ["nocwd", "singlecwd"])
@pytest.mark.parametrize("way", [Way("passive", "ipv4"), Way("active", "ipv6")], ids=way_id)
def test_brings_a_tree_with_fewer_commands(ftpd, home, tmp_path, way, method):
    bring_a_tree_there_and_back(Curl(ftpd, home, tmp_path, way), method)


def test_resumes_a_download(curl):
    curl.remote.file("big.bin", CONTENT)
    curl.file_here("big.bin", CONTENT[:RESUME_AT])
    curl.curl("--continue-at", "-", "--remote-name", curl.url("big.bin"))
    curl.same_file(curl.local / "big.bin", curl.remote / "big.bin")
    curl.same(curl.log_bytes("DOWNLOAD"), [len(CONTENT) - RESUME_AT], "bytes sent")


def test_gets_a_range(curl):
    curl.remote.file("big.bin", CONTENT)
    curl.curl("--range", "1000-500999", "--output", "part", curl.url("big.bin"))
    curl.same((curl.local / "part").read_bytes() == CONTENT[1000:501000], True, "range")
    curl.curl("--range", "-1000", "--output", "end", curl.url("big.bin"))
    curl.same((curl.local / "end").read_bytes() == CONTENT[-1000:], True, "end of the file")


def test_resumes_an_upload(curl):
    curl.file_here("big.bin")
    curl.remote.file("big.bin", CONTENT[:RESUME_AT])
    curl.curl("--continue-at", "-", "--upload-file", "big.bin", curl.url())
    curl.same_file(curl.remote / "big.bin", curl.local / "big.bin")
    curl.same(curl.log_bytes("UPLOAD"), [len(CONTENT) - RESUME_AT], "bytes received")


def test_appends(curl):
    curl.file_here("rest", CONTENT[RESUME_AT:])
    curl.remote.file("big.bin", CONTENT[:RESUME_AT])
    curl.curl("--append", "--upload-file", "rest", curl.url("big.bin"))
    curl.same((curl.remote / "big.bin").read_bytes() == CONTENT, True, "the whole")


def test_changes_names(curl):
    make_tree(curl.remote)
    quotes = []
    for command in ("MKD b b", "MKD b b/ü", "RNFR plain.txt", "RNTO b b/moved 'file'", "RNFR sub",
                    "RNTO b b/sub", "DELE two  blanks in a row", "RMD b b/ü"):
        quotes += ["--quote", command]
    curl.curl(*quotes, "--output", "/dev/null", curl.url())
    expected = expected_hashes()
    for name in list(expected):
        if name.startswith("sub/"):
            expected["b b/" + name] = expected.pop(name)
    del expected["two  blanks in a row"]
    expected.update({"b b/": None, "b b/moved 'file'": expected.pop("plain.txt")})
    curl.same(hashes(curl.remote.path), expected)


def test_asks_for_size_and_time(curl):
    os.utime(curl.remote.file("f", CONTENT), (1_000_000_000, 1_000_000_000))
    curl.curl("--head", "--output", "head", curl.url("f"))
    head = (curl.local / "head").read_text()
    curl.same(head.splitlines(), ["Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT",
                                  f"Content-Length: {len(CONTENT)}", "Accept-ranges: bytes"])
    curl.curl("--remote-time", "--remote-name", curl.url("f"))
    curl.same(int((curl.local / "f").stat().st_mtime), 1_000_000_000, "the time of the file")


def test_anonymous(curl):
    expected = public_hashes()
    for name in expected:
        if name.endswith("/"):
            curl.dir_here(name)
        else:
            curl.curl("--output", name, curl.url("pub/" + name), user=ANONYMOUS)
    curl.same(hashes(curl.local), expected)
    curl.curl("--list-only", curl.url("pub/sub/"), user=ANONYMOUS)
    assert "\ndeep.txt\n" in curl.output, curl.story("listing")


@pytest.mark.parametrize("options", [["--disable-epsv"], ["--disable-eprt"]], ids=lambda o: o[0])
def test_old_commands_for_the_data_connection(ftpd, home, tmp_path, options):
    way = Way("passive" if "epsv" in options[0] else "active", "mapped")
    curl = Curl(ftpd, home, tmp_path, way)
    curl.remote.file("big.bin", CONTENT)
    curl.curl(*options, "--remote-name", curl.url("big.bin"))
    curl.same_file(curl.local / "big.bin", curl.remote / "big.bin")
    curl.same("EPSV" in curl.output or "EPRT" in curl.output, False, "the new command was used")


def test_a_missing_file_is_reported(curl):
    curl.curl("--output", "f", curl.url("missing"), codes=(78,))


def test_a_wrong_password_is_reported(curl):
    curl.curl(curl.url(), user="alice:wrong", codes=(67,))
