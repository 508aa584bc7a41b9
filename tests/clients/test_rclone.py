"""rclone. It knows passive mode only."""

import json
import os
import re
import subprocess

import pytest

from clients import (CONTENT, RESUME_AT, TREE, Site, Way, expected_hashes, hashes, make_tree,
                     public_hashes)

# What a daemon and rclone are told, by the name of the variant.
VARIANTS = {
    "ipv4": ("ipv4", {}, []),
    "ipv6": ("ipv6", {}, []),
    "mapped": ("mapped", {}, []),
    "jailed": ("ipv4", {"chroot_local_user": "YES"}, []),
    "pasv": ("ipv4", {}, ["--ftp-disable-epsv"]),
    "list": ("ipv4", {}, ["--ftp-disable-mlsd"]),
}

# rclone's word for itself: one attempt, or a fault would be hidden by the next.
BASE = ["rclone", "--config", "", "--cache-dir", "/tmp/rclone-cache", "--retries", "1",
        "--low-level-retries", "1", "-vv", "--dump", "requests"]

OLD = 1_000_000_000
OLD_TEXT = "2001-09-09T01:46:40"
OVER_4_GIB = (4 << 30) + 12345


class Rclone(Site):
    """rclone: each call is one run of the program, with as many sessions as it likes."""

    def __init__(self, ftpd, home, directory, variant="ipv4", **options):
        family, more_options, self.flags = VARIANTS[variant]
        self.work = directory
        local = directory / "local"
        local.mkdir()
        super().__init__(ftpd, home, local, Way("passive", family), **more_options, **options)
        self.commands = []

    def rclone(self, *arguments, user=None, codes=(0,), script=None):
        """Run rclone; returns what it writes. Its log goes to `output`, see commands."""
        name, password = user or (self.account.name, self.account.password)
        obscured = subprocess.run(["rclone", "--config", "", "obscure", password], check=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        log = self.work / "log"
        log.write_bytes(b"")
        try:
            return self.run([*BASE, "--log-file", log, "--ftp-host", self.url_host, "--ftp-user",
                             name, "--ftp-pass", obscured.decode().strip(), *self.flags,
                             *arguments], script, codes)
        finally:
            self.output = log.read_text(errors="replace")
            # rclone writes them as strings of Go
            self.commands = [line.replace('\\"', '"') for line in
                             re.findall(r'FTP Tx: "(.*)"$', self.output, re.M)]

    def story(self, what):
        log = self.work / "log"
        return super().story(what) + (f"--- rclone's log:\n{log.read_text(errors='replace')}"
                                      if log.exists() and log.read_text() != self.output else "")

    def sent(self, verb):
        """How many of the commands of the last run began with `verb`."""
        return sum(line.partition(" ")[0] == verb for line in self.commands)

    def entries(self, *arguments):
        """lsjson: the entries by their path."""
        return {entry["Path"]: entry for entry in json.loads(self.rclone("lsjson", *arguments))}

    def same_here_and_there(self, here=".", there=""):
        """Let rclone compare the content of all files, both ways."""
        self.rclone("check", "--download", here, f":ftp:{there}")
        assert " 0 differences found" in self.output, self.story("check")


@pytest.fixture(params=VARIANTS)
def rclone(request, ftpd, home, tmp_path):
    return Rclone(ftpd, home, tmp_path, request.param)


@pytest.fixture(params=["ipv4", "jailed"])
def rclone_jailed_or_not(request, ftpd, home, tmp_path):
    return Rclone(ftpd, home, tmp_path, request.param)


@pytest.fixture
def rclone_plain(ftpd, home, tmp_path):
    return Rclone(ftpd, home, tmp_path)


def test_uses_the_commands_of_its_variant(rclone, request):
    make_tree(rclone.remote)
    rclone.rclone("copy", ":ftp:", ".")
    variant = request.node.callspec.params["rclone"]
    listing, other = ("LIST", "MLSD") if variant == "list" else ("MLSD", "LIST")
    passive, active = ("PASV", "EPSV") if variant == "pasv" else ("EPSV", "PASV")
    rclone.same([rclone.sent(verb) > 0 for verb in (listing, other, passive, active, "OPTS")],
                [True, False, True, False, True])


def test_copies_a_tree_down(rclone):
    make_tree(rclone.remote)
    rclone.rclone("copy", "--create-empty-src-dirs", ":ftp:", ".")
    rclone.same_tree(rclone.local)
    rclone.same_here_and_there()


def test_copies_a_tree_up(rclone):
    make_tree(rclone.local)
    rclone.rclone("copy", "--create-empty-src-dirs", ".", ":ftp:new/there")
    rclone.same_tree(rclone.remote / "new/there")
    rclone.same_here_and_there(there="new/there")


def test_check_finds_what_differs(rclone_plain):
    make_tree(rclone_plain.remote)
    make_tree(rclone_plain.local)
    (rclone_plain.local / "plain.txt").write_bytes(b"Plain\n")
    rclone_plain.rclone("check", "--download", ".", ":ftp:", codes=(1,))
    assert " 1 differences found" in rclone_plain.output, rclone_plain.story("check")


def test_lists_all_names(rclone):
    make_tree(rclone.remote)
    rclone.same(sorted(rclone.rclone("lsf", "-R", ":ftp:").splitlines()), sorted(TREE))


def test_lists_sizes_and_times(rclone_jailed_or_not):
    rclone = rclone_jailed_or_not
    make_tree(rclone.remote)
    os.utime(rclone.remote / "big.bin", (OLD, OLD))
    os.utime(rclone.remote / "sub/deep", (OLD, OLD))
    found = rclone.entries("-R", ":ftp:")
    rclone.same({name: entry["IsDir"] for name, entry in found.items()},
                {name.rstrip("/"): name.endswith("/") for name in TREE})
    rclone.same({name: found[name]["Size"] for name in found if not found[name]["IsDir"]},
                {name: len(content) for name, content in TREE.items() if content is not None})
    rclone.same([found[name]["ModTime"][:19] for name in ("big.bin", "sub/deep")],
                [OLD_TEXT, OLD_TEXT])


def test_hidden_files_are_listed(rclone_plain):
    rclone_plain.remote.file(".hidden", b"hidden")
    rclone_plain.same(list(rclone_plain.entries(":ftp:")), [".hidden"])
    rclone_plain.same(list(rclone_plain.entries("--ftp-force-list-hidden", ":ftp:")), [".hidden"])
    rclone_plain.same("LIST -a" in rclone_plain.commands, True, "LIST -a was sent")


def test_keeps_times_on_the_way_up(rclone_jailed_or_not):
    rclone = rclone_jailed_or_not
    make_tree(rclone.local)
    names = [name for name in TREE if not name.endswith("/")]
    for number, name in enumerate(names):
        os.utime(rclone.local / name, (OLD + number, OLD + number))
    rclone.rclone("copy", ".", ":ftp:")
    rclone.same([(rclone.remote / name).stat().st_mtime for name in names],
                [OLD + number for number in range(len(names))])
    rclone.same((rclone.sent("STOR"), rclone.sent("MFMT")), (len(names), len(names)))
    rclone.rclone("copy", ".", ":ftp:")
    rclone.same(rclone.sent("STOR"), 0, "uploads of what is there already")


def test_keeps_times_on_the_way_down(rclone_jailed_or_not):
    rclone = rclone_jailed_or_not
    make_tree(rclone.remote)
    os.utime(rclone.remote / "sub/deep/deeper still/ünten", (OLD, OLD))
    rclone.rclone("copy", ":ftp:", ".")
    rclone.same((rclone.local / "sub/deep/deeper still/ünten").stat().st_mtime, OLD)
    rclone.rclone("copy", ":ftp:", ".")
    rclone.same(rclone.sent("RETR"), 0, "downloads of what is here already")


def test_touches_a_file(rclone_plain):
    rclone_plain.remote.file("f", b"content")
    rclone_plain.rclone("touch", "--timestamp", OLD_TEXT, ":ftp:f")
    rclone_plain.same((rclone_plain.remote / "f").stat().st_mtime, OLD)
    rclone_plain.same((rclone_plain.remote / "f").read_bytes(), b"content")


def test_sync_deletes_what_is_gone(rclone):
    make_tree(rclone.local)
    make_tree(rclone.remote, {**TREE, "old.txt": b"old", "old dir/": None, "old dir/f": b"old",
                              "plain.txt": b"not the same", "sub/empty directory/no": b"more"})
    rclone.rclone("sync", "--create-empty-src-dirs", ".", ":ftp:")
    rclone.same_tree(rclone.remote.path)
    make_tree(rclone.local, {"only here": b"here"})
    rclone.rclone("sync", "--create-empty-src-dirs", ":ftp:", ".")
    rclone.same_tree(rclone.local)


def test_moves_and_renames(rclone_jailed_or_not):
    rclone = rclone_jailed_or_not
    make_tree(rclone.remote)
    rclone.rclone("moveto", ":ftp:plain.txt", ":ftp:a/b b/moved 'file'")
    rclone.same((rclone.sent("RNFR"), rclone.sent("RNTO"), rclone.sent("STOR")), (1, 1, 0))
    rclone.rclone("moveto", ":ftp:sub", ":ftp:a/sub „ü“")
    rclone.same((rclone.sent("RNFR"), rclone.sent("RNTO"), rclone.sent("STOR")), (1, 1, 0))
    expected = expected_hashes()
    for name in list(expected):
        if name.startswith("sub/"):
            expected["a/sub „ü“" + name[3:]] = expected.pop(name)
    expected.update({"a/": None, "a/b b/": None, "a/b b/moved 'file'": expected.pop("plain.txt"),
                     "a/sub „ü“/": None})
    rclone.same(hashes(rclone.remote.path), expected)


def test_makes_and_removes_directories(rclone_jailed_or_not):
    rclone = rclone_jailed_or_not
    rclone.rclone("mkdir", ":ftp:a/b b/ü")
    rclone.rclone("mkdir", ":ftp:a/b b/ü")
    rclone.rclone("mkdir", ":ftp:a/c")
    rclone.same(set(hashes(rclone.remote.path)), {"a/", "a/b b/", "a/b b/ü/", "a/c/"})
    rclone.rclone("rmdir", ":ftp:a", codes=(1, 3))
    rclone.rclone("rmdir", ":ftp:a/c")
    rclone.same(set(hashes(rclone.remote.path)), {"a/", "a/b b/", "a/b b/ü/"})
    rclone.remote.file("a/keep", b"keep")
    rclone.rclone("rmdirs", ":ftp:a")
    rclone.same(set(hashes(rclone.remote.path)), {"a/", "a/keep"})


def test_purges(rclone_jailed_or_not):
    rclone = rclone_jailed_or_not
    make_tree(rclone.remote)
    make_tree(rclone.remote, {"more/": None, "more/f": b"f", "more/d/": None, "more/d/g": b"g"})
    rclone.rclone("purge", ":ftp:more")
    rclone.same_tree(rclone.remote.path)
    rclone.rclone("deletefile", ":ftp:it's a \"quoted\" name")
    rclone.rclone("delete", "--rmdirs", ":ftp:sub")
    rclone.same(set(hashes(rclone.remote.path)),
                {"sub/"} | {name for name in TREE if not name.startswith(("sub/", "it's"))})


def test_adds_up_sizes(rclone_plain):
    make_tree(rclone_plain.remote)
    contents = [content for content in TREE.values() if content is not None]
    found = json.loads(rclone_plain.rclone("size", "--json", ":ftp:"))
    rclone_plain.same((found["count"], found["bytes"]), (len(contents), sum(map(len, contents))))


def test_reads_parts_of_a_file(rclone_plain):
    rclone = rclone_plain
    rclone.remote.file("lines", b"".join(b"%7d\n" % number for number in range(250_000)))
    whole = (rclone.remote / "lines").read_text()
    rclone.same(rclone.rclone("cat", ":ftp:lines") == whole, True, "the whole")
    rclone.same(rclone.rclone("cat", "--offset", RESUME_AT, ":ftp:lines") == whole[RESUME_AT:],
                True, "the rest")
    rclone.same(f"REST {RESUME_AT}" in rclone.commands, True, "REST was sent")
    for offset, count in ((0, 8), (RESUME_AT, 100), (len(whole) - 8, 8)):
        found = rclone.rclone("cat", "--offset", offset, "--count", count, ":ftp:lines")
        rclone.same(found, whole[offset:offset + count])
    rclone.same(rclone.rclone("cat", "--tail", 80, ":ftp:lines"), whole[-80:])


def test_a_file_of_more_than_4_gib(rclone_plain):
    rclone = rclone_plain
    rclone.remote.sparse("huge", OVER_4_GIB)
    with open(rclone.remote / "huge", "r+b") as file:
        file.seek(OVER_4_GIB - 4)
        file.write(b"tail")
    rclone.same(rclone.entries(":ftp:")["huge"]["Size"], OVER_4_GIB)
    rclone.flags = ["--ftp-disable-mlsd"]
    rclone.same(rclone.entries(":ftp:")["huge"]["Size"], OVER_4_GIB)
    rclone.same(rclone.rclone("cat", "--tail", 4, ":ftp:huge"), "tail")
    rclone.same(f"REST {OVER_4_GIB - 4}" in rclone.commands, True, "REST was sent")


def test_many_transfers_at_once(rclone_jailed_or_not):
    rclone = rclone_jailed_or_not
    entries = {f"file {number}": bytes([number]) * number * 3000 for number in range(80)}
    make_tree(rclone.remote, entries)
    rclone.rclone("copy", "--transfers", 8, ":ftp:", ".")
    rclone.same_tree(rclone.local, entries)
    rclone.rclone("copy", "--transfers", 8, ".", ":ftp:back")
    rclone.same(rclone.sent("TYPE") >= 4, True, "there was more than one session")
    rclone.same_tree(rclone.remote / "back", entries)


def test_a_shorter_file_replaces_a_longer_one(rclone_plain):
    rclone = rclone_plain
    rclone.remote.file("f", CONTENT)
    rclone.file_here("f", b"short")
    rclone.rclone("copy", "f", ":ftp:")
    rclone.same((rclone.remote / "f").read_bytes(), b"short")
    rclone.file_here("f", b"")
    rclone.rclone("copy", "f", ":ftp:")
    rclone.same((rclone.remote / "f").read_bytes(), b"")


def test_uploads_from_a_pipe(rclone_plain):
    text = "line\n" * 100_000
    rclone_plain.rclone("rcat", ":ftp:new dir/f", script=text)
    found = (rclone_plain.remote / "new dir/f").read_text()
    rclone_plain.same(found == text, True, "what was piped")


def bring_names(rclone, names, names_there):
    """Copy files of these names up and down again; on the way they have the other names."""
    make_tree(rclone.local, {name: name.encode() for name in names})
    rclone.rclone("copy", ".", ":ftp:")
    rclone.same(hashes(rclone.remote.path),
                expected_hashes({there: name.encode() for name, there in zip(names, names_there)}))
    rclone.same_here_and_there()
    rclone.rclone("copy", ":ftp:", "../back")
    rclone.same(hashes(rclone.work / "back"), hashes(rclone.local))


ODD_NAMES = [" leading", "  two leading", "trailing ", " both  ", "back\\slash", "a:b", "*", "?",
             "[a]", "{b,c}", "semi;colon", "type=dir; f", "tab\there", "~", "~alice", "-la",
             "percent%20", "\"", "a -> b", "x" * 250]


def encoded(name):
    """As rclone names a file by default: no control characters, no blank at the end."""
    return re.sub(" $", "␠", name).replace("\t", "␉")


def test_odd_names(rclone_jailed_or_not):
    bring_names(rclone_jailed_or_not, ODD_NAMES, list(map(encoded, ODD_NAMES)))


def test_odd_names_as_they_are(rclone_jailed_or_not):
    rclone_jailed_or_not.flags = ["--ftp-encoding", "Slash,Dot,Ctl"]
    bring_names(rclone_jailed_or_not, ODD_NAMES, [name.replace("\t", "␉") for name in ODD_NAMES])


def test_anonymous_copies_the_public_tree(rclone_plain):
    rclone_plain.rclone("copy", "--create-empty-src-dirs", "--exclude", "secret.txt", "--exclude",
                        "outside", ":ftp:pub", ".", user=("anonymous", "me@example.com"))
    rclone_plain.same(hashes(rclone_plain.local), public_hashes())


def test_a_read_only_server_refuses(ftpd, home, tmp_path):
    rclone = Rclone(ftpd, home, tmp_path, write_enable="NO")
    make_tree(rclone.remote)
    rclone.file_here("new", b"new")
    # rclone takes a 550 after DELE or MKD for "not there" or "is there already"
    for arguments, codes in ((("copy", "new", ":ftp:"), [1]), (("deletefile", ":ftp:empty"), [0]),
                             (("moveto", ":ftp:empty", ":ftp:full"), [1]),
                             (("mkdir", ":ftp:d"), [0]),
                             (("rmdir", ":ftp:sub/empty directory"), [3])):
        rclone.rclone(*arguments, codes=codes)
        rclone.same('Rx: "550 ' in rclone.output, True, f"{arguments} got a 550")
    rclone.rclone("touch", "-t", OLD_TEXT, ":ftp:plain.txt", codes=[0, 1])
    rclone.same((rclone.remote / "plain.txt").stat().st_mtime > OLD, True, "the time stays")
    rclone.same_tree(rclone.remote.path)


def test_a_missing_directory_is_reported(rclone_plain):
    rclone_plain.rclone("lsf", ":ftp:missing", codes=(3,))


def test_a_wrong_password_is_reported(rclone_plain):
    rclone_plain.rclone("lsf", ":ftp:", user=("alice", "wrong"), codes=(1,))
    assert "530" in rclone_plain.output, rclone_plain.story("login")
