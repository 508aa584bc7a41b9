"""lftp."""

import os
import re
import shlex

import pytest

from clients import (CONTENT, RESUME_AT, TREE, WAYS, Site, Way, expected_hashes, hashes,
                     make_tree, public_hashes, way_id)

SETTINGS = {
    "cmd:fail-exit": "yes", "net:max-retries": "2", "net:timeout": "10",
    "net:reconnect-interval-base": "1", "xfer:clobber": "yes", "ftp:ssl-allow": "no",
    "ftp:verify-address": "yes",
}
TOP_NAMES = [name for name in TREE if "/" not in name.rstrip("/")]


def quote(name):
    """A word of lftp's command language that is no option."""
    return shlex.quote(f"./{name}" if str(name).startswith("-") else str(name))


class Lftp(Site):
    """lftp: each call is one run of the program, with one session or more."""

    def __init__(self, ftpd, home, directory, way, **options):
        super().__init__(ftpd, home, directory, way, **options)
        if way == Way("active", "ipv6"):
            self.host = "fd00::1"  # on loopback lftp announces "::" where it listens

    def lftp(self, *commands, user=None, codes=(0,), **settings):
        """Log in and run `commands`; `settings` have "_" where lftp has ":" or "-"."""
        user = user or f"{self.account.name},{self.account.password}"
        wanted = {**SETTINGS, "ftp:passive-mode": "yes" if self.passive else "no",
                  "ftp:verify-port": "no" if self.passive else "yes",
                  **{name.replace("__", ":").replace("_", "-"): value
                     for name, value in settings.items()}}
        lines = [f"set {name} {value}" for name, value in wanted.items()]
        lines += ["debug -T 5", f"open -u {quote(user)} ftp://{self.url_host}/", *commands]
        return self.run(["lftp", "--norc", "-c", "\n".join(lines) + "\n"], codes=codes)


@pytest.fixture(params=WAYS, ids=way_id)
def lftp(request, ftpd, home, tmp_path):
    return Lftp(ftpd, home, tmp_path, request.param)


@pytest.fixture(params=[Way("passive", "ipv4"), Way("active", "ipv6")], ids=way_id)
def lftp_some_ways(request, ftpd, home, tmp_path):
    return Lftp(ftpd, home, tmp_path, request.param)


def test_lists(lftp):
    make_tree(lftp.remote)
    lines = lftp.lftp("cls -1 -a").splitlines()
    for name in TOP_NAMES:
        lftp.same(lines.count(name), 1, f"{name!r} in the listing")
    lftp.lftp("ls -l")
    assert re.search(r"^-rw-r--r-- .* 700001 .* big\.bin$", lftp.output, re.M), lftp.story("ls")


def test_gets(lftp):
    make_tree(lftp.remote)
    names = [name for name in TREE if not name.endswith("/")]
    lftp.lftp(*(f"get {quote(name)} -o {quote(f'f{n}')}" for n, name in enumerate(names)))
    for number, name in enumerate(names):
        lftp.same_file(lftp.local / f"f{number}", lftp.remote / name)


def test_puts(lftp):
    make_tree(lftp.local)
    names = [name for name in TREE if not name.endswith("/")]
    lftp.lftp(*(f"put {quote(name)} -o {quote(f'f{n}')}" for n, name in enumerate(names)))
    for number, name in enumerate(names):
        lftp.same_file(lftp.remote / f"f{number}", lftp.local / name)


def test_resumes_a_download(lftp):
    lftp.remote.file("big.bin", CONTENT)
    lftp.file_here("big.bin", CONTENT[:RESUME_AT])
    lftp.lftp("get -c big.bin")
    lftp.same_file(lftp.local / "big.bin", lftp.remote / "big.bin")
    lftp.same(lftp.log_bytes("DOWNLOAD"), [len(CONTENT) - RESUME_AT], "bytes sent")


def test_resumes_an_upload(lftp):
    lftp.file_here("big.bin")
    lftp.remote.file("big.bin", CONTENT[:RESUME_AT])
    lftp.lftp("put -c big.bin")
    lftp.same_file(lftp.remote / "big.bin", lftp.local / "big.bin")
    lftp.same(lftp.log_bytes("UPLOAD"), [len(CONTENT) - RESUME_AT], "bytes received")


def test_mirrors_a_tree(lftp):
    make_tree(lftp.remote)
    lftp.lftp("mirror . there")
    lftp.same_tree(lftp.local / "there")


def test_mirrors_a_tree_back(lftp):
    make_tree(lftp.dir_here("here"))
    lftp.lftp("mirror -R here there")
    lftp.same_tree(lftp.remote / "there")


def test_changes_names(lftp):
    make_tree(lftp.remote)
    lftp.lftp("mkdir -p a/'b b'/ü", "mv plain.txt \"a/b b/moved 'file'\"", "mv sub a/sub",
              "rm 'two  blanks in a row'", "rm -r 'Verzeichnis „für“ alle'", "rmdir a/'b b'/ü")
    expected = expected_hashes()
    for name in list(expected):
        if name.startswith("sub/"):
            expected["a/" + name] = expected.pop(name)
        elif name.startswith("Verzeichnis") or name.startswith("two"):
            del expected[name]
    expected.update({"a/": None, "a/b b/": None, "a/b b/moved 'file'": expected.pop("plain.txt")})
    lftp.same(hashes(lftp.remote.path), expected)


def test_anonymous_mirrors_the_public_tree(lftp):
    lftp.lftp("mirror --no-symlinks --exclude secret.txt pub there",
              user="anonymous,me@example.com")
    lftp.same(hashes(lftp.local / "there"), public_hashes())


def test_hidden_files_come_when_asked_for(lftp_some_ways):
    lftp = lftp_some_ways
    lftp.remote.file(".hidden", b"hidden")
    lftp.lftp("mirror . without", "set ftp:list-options -a", "mirror . with", ftp__use_mlsd="no")
    lftp.same(lftp.names_here("without"), [])
    lftp.same(lftp.names_here("with"), [".hidden"])


def test_hidden_files_come_by_mlsd(lftp_some_ways):
    lftp = lftp_some_ways
    lftp.remote.file(".hidden", b"hidden")
    lftp.lftp("mirror . there")
    lftp.same(lftp.names_here("there"), [".hidden"])


@pytest.mark.parametrize("settings", [
    {"ftp__sync_mode": "yes"}, {"ftp__sync_mode": "no"}, {"ftp__use_feat": "no"},
    {"ftp__use_stat_for_list": "yes"}, {"ftp__prefer_epsv": "yes"}, {"ftp__use_abor": "yes"},
    {"ftp__use_allo": "yes"}, {"ftp__use_telnet_iac": "no"}, {"ftp__use_size": "no"},
    {"ftp__use_mlsd": "no"}, {"ftp__use_tvfs": "no"}, {"ftp__use_hftp": "no"},
], ids=lambda settings: "-".join(next(iter(settings.items()))))
def test_mirrors_both_ways_with_other_settings(lftp_some_ways, settings):
    lftp = lftp_some_ways
    make_tree(lftp.remote)
    lftp.lftp("mirror . there", "mkdir back", "mirror -R there back", **settings)
    lftp.same_tree(lftp.local / "there")
    lftp.same_tree(lftp.remote / "back")


def test_mirrors_with_five_sessions_at_once(lftp_some_ways):
    lftp = lftp_some_ways
    entries = {f"file {number}": bytes([number]) * number * 3000 for number in range(40)}
    make_tree(lftp.remote, entries)
    lftp.lftp("mirror -P 5 . there", "mkdir back", "mirror -P 5 -R there back")
    lftp.same_tree(lftp.local / "there", entries)
    lftp.same_tree(lftp.remote / "back", entries)


def test_gets_one_file_in_parts_at_once(lftp_some_ways):
    lftp = lftp_some_ways
    lftp.remote.file("big.bin", CONTENT * 3)
    lftp.lftp("pget -n 4 big.bin", pget__min_chunk_size="1k")
    lftp.same_file(lftp.local / "big.bin", lftp.remote / "big.bin")


@pytest.fixture(params=[Way("passive", "ipv4"), Way("active", "ipv6")], ids=way_id)
def lftp_in_mode_z(request, ftpd, home, tmp_path):
    """It asks for MODE Z by itself once FEAT tells of it."""
    return Lftp(ftpd, home, tmp_path, request.param, mode_z_enable="YES")


def test_compresses_everything_if_it_may(lftp_in_mode_z):
    lftp = lftp_in_mode_z
    make_tree(lftp.remote, {**TREE, "zeros": bytes(3_000_000)})
    lftp.lftp("mirror . there", "mkdir back", "mirror -R there back")
    lftp.same_tree(lftp.local / "there", {**TREE, "zeros": bytes(3_000_000)})
    lftp.same_tree(lftp.remote / "back", {**TREE, "zeros": bytes(3_000_000)})
    assert "---> MODE Z" in lftp.output, lftp.story("MODE Z was not used")
    assert min(size for size in lftp.log_bytes("DOWNLOAD", 12) if size > 1000) < 10_000


def test_resumes_compressed(lftp_in_mode_z):
    lftp = lftp_in_mode_z
    lftp.remote.file("down", CONTENT)
    lftp.file_here("down", CONTENT[:RESUME_AT])
    lftp.file_here("up")
    lftp.remote.file("up", CONTENT[:RESUME_AT])
    lftp.lftp("get -c down", "put -c up")
    lftp.same_file(lftp.local / "down", lftp.remote / "down")
    lftp.same_file(lftp.remote / "up", lftp.local / "up")
    assert lftp.log_bytes("DOWNLOAD")[0] < len(CONTENT) - RESUME_AT + 1000, lftp.story("all came")


def test_changes_modes_times_and_links(lftp_some_ways):
    lftp = lftp_some_ways
    lftp.remote.file("f", b"content")
    os.utime(lftp.file_here("old", b"old"), (1_500_000_000, 1_500_000_000))
    lftp.lftp("chmod 640 f", "ln -s f new", "put old", "mkdir -p a/b/c")
    lftp.same((lftp.remote / "f").stat().st_mode & 0o7777, 0o640)
    lftp.same(os.readlink(lftp.remote / "new"), "f")
    lftp.same((lftp.remote / "old").stat().st_mtime, 1_500_000_000)
    assert (lftp.remote / "a" / "b" / "c").is_dir(), lftp.story("mkdir -p")
