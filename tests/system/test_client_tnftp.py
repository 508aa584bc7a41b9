"""tnftp, the ftp command of the BSDs."""

import os
import re

import pytest

from clients import (CONTENT, RESUME_AT, TREE, WAYS, Site, directories, expected_hashes, hashes,
                     make_tree, public_hashes, way_id)


def quote(name):
    """A word for tnftp. It has no way to write a name with a double quote in it."""
    assert '"' not in str(name)
    return f'"{name}"'


class Tnftp(Site):
    """tnftp, fed with commands or with the address of a file."""

    @property
    def options(self):
        return ["-i", "-e", "-v", "-d", "-p" if self.passive else "-A"]

    def tnftp(self, *commands, user=None, refusals=0):
        """Log in and run `commands`, of which `refusals` are answered with 4xx or 5xx."""
        name, password = user or (self.account.name, self.account.password)
        script = "\n".join([f"user {name} {quote(password)}", *commands, "bye", ""])
        self.run(["tnftp", "-n", *self.options, self.host], script)
        found = re.findall(r"^[45][0-9][0-9] (?!bytes).*", self.output, re.M)
        self.same(len(found), refusals, f"the number of refusals: {found}")
        for complaint in ("?Invalid", "usage:", "tnftp: "):
            assert complaint not in self.output, self.story("complaints")
        return self.output

    def fetch(self, path, *arguments, user=""):
        """Start with the address of a file, as scripts do."""
        return self.run(["tnftp", *self.options, *arguments,
                         f"ftp://{user}{self.url_host}/{path}"])


@pytest.fixture(params=WAYS, ids=way_id)
def tnftp(request, ftpd, home, tmp_path):
    return Tnftp(ftpd, home, tmp_path, request.param)


def test_lists(tnftp):
    make_tree(tnftp.remote)
    output = tnftp.tnftp("ls", "nlist")
    for name in [name for name in TREE if "/" not in name]:
        tnftp.same(output.count(f" {name}\n"), 1, f"{name!r} in the listing")
        tnftp.same(output.count(f"\n{name}\n"), 1, f"{name!r} in the names")
    assert re.search(r"^-rw-r--r-- .* 700001 .* big\.bin$", output, re.M), tnftp.story("ls")


def test_gets_and_puts(tnftp):
    make_tree(tnftp.remote)
    tnftp.tnftp("get big.bin", "get empty", 'get "two  blanks in a row" "here too"',
                "put big.bin back.bin", "put empty 'empty'")
    for here, there in (("big.bin", "big.bin"), ("empty", "empty"), ("big.bin", "back.bin"),
                        ("here too", "two  blanks in a row"), ("empty", "'empty'")):
        tnftp.same_file(tnftp.local / here, tnftp.remote / there)


def test_resumes_a_download(tnftp):
    tnftp.remote.file("big.bin", CONTENT)
    tnftp.file_here("big.bin", CONTENT[:RESUME_AT])
    tnftp.tnftp("reget big.bin")
    tnftp.same_file(tnftp.local / "big.bin", tnftp.remote / "big.bin")
    tnftp.same(tnftp.log_bytes("DOWNLOAD"), [len(CONTENT) - RESUME_AT], "bytes sent")


@pytest.mark.parametrize("command", [f"restart {RESUME_AT}\nput big.bin", "append rest big.bin"])
def test_resumes_an_upload(tnftp, command):
    tnftp.file_here("big.bin")
    tnftp.file_here("rest", CONTENT[RESUME_AT:])
    tnftp.remote.file("big.bin", CONTENT[:RESUME_AT])
    tnftp.tnftp(command)
    tnftp.same_file(tnftp.remote / "big.bin", tnftp.local / "big.bin")
    tnftp.same(tnftp.log_bytes("UPLOAD"), [len(CONTENT) - RESUME_AT], "bytes received")


def test_brings_a_tree(tnftp):
    make_tree(tnftp.remote)
    commands = []
    for name in directories():
        (tnftp.local / name).mkdir(exist_ok=True)
        commands += [f"cd {quote(tnftp.remote / name)}", f"lcd {quote(tnftp.local / name)}"]
        if os.listdir(tnftp.remote / name):
            commands.append("mget *")
    # mget asks for directories like for files, with SIZE and RETR
    tnftp.tnftp(*commands, refusals=2 * (len(directories()) - 1))
    tnftp.same_tree(tnftp.local)


def test_brings_a_tree_back(tnftp):
    make_tree(tnftp.local)
    commands = []
    for name in directories():
        if name:
            commands.append(f"mkdir {quote(tnftp.remote / name)}")
        commands += [f"cd {quote(tnftp.remote / name)}", f"lcd {quote(tnftp.local / name)}"]
        files = [entry.name for entry in os.scandir(tnftp.local / name) if entry.is_file()]
        # of its patterns only these match names with quotes or a leading dash
        commands += ["mput " + re.sub(r"[^A-Za-z0-9.]", "?", file) for file in files]
    tnftp.tnftp(*commands)
    tnftp.same_tree(tnftp.remote.path)


def test_changes_names(tnftp):
    make_tree(tnftp.remote)
    tnftp.tnftp('mkdir "b b"', "cd 'b b'".replace("'", '"'), "mkdir ü", "pwd", "cdup",
                "rename plain.txt \"b b/moved 'file'\"", 'rename sub "b b/sub"', "delete -dash",
                'rmdir "b b/ü"', "size big.bin", "modtime big.bin", "chmod 600 empty")
    expected = expected_hashes()
    for name in list(expected):
        if name.startswith("sub/"):
            expected["b b/" + name] = expected.pop(name)
    del expected["-dash"]
    expected.update({"b b/": None, "b b/moved 'file'": expected.pop("plain.txt")})
    tnftp.same(hashes(tnftp.remote.path), expected)
    tnftp.same((tnftp.remote / "empty").stat().st_mode & 0o777, 0o600, "mode of a file")
    assert f'257 "{tnftp.remote / "b b"}"' in tnftp.output, tnftp.story("pwd")


def test_anonymous(tnftp):
    tnftp.dir_here("sub")
    tnftp.dir_here("empty")
    tnftp.tnftp("ls pub", "cd pub", "mget data.bin name* re*txt", "lcd sub", "cd sub", "mget *",
                user=("anonymous", "me@example.com"))
    tnftp.same(hashes(tnftp.local), public_hashes())


def test_fetches_an_address(tnftp):
    make_tree(tnftp.remote)
    user = f"{tnftp.account.name}:{tnftp.account.password}@"
    tnftp.fetch("Verzeichnis%20%E2%80%9Ef%C3%BCr%E2%80%9C%20alle/it's%20here", "-o", "f", user=user)
    tnftp.same((tnftp.local / "f").read_bytes(), b"here")
    tnftp.file_here("big.bin", CONTENT[:RESUME_AT])
    tnftp.fetch("big.bin", "-R", user=user)
    tnftp.same_file(tnftp.local / "big.bin", tnftp.remote / "big.bin")
    tnftp.same(tnftp.log_bytes("DOWNLOAD", 2), [len(b"here"), len(CONTENT) - RESUME_AT], "sent")


def test_fetches_an_anonymous_address(tnftp):
    tnftp.fetch("pub/data.bin")
    tnftp.same((tnftp.local / "data.bin").read_bytes(), bytes(range(256)) * 400)


def test_uploads_to_an_address(tnftp):
    tnftp.file_here("big.bin")
    tnftp.run(["tnftp", *tnftp.options, "-u",
               f"ftp://{tnftp.account.name}:{tnftp.account.password}@{tnftp.url_host}/new.bin",
               "big.bin"])
    tnftp.same_file(tnftp.remote / "new.bin", tnftp.local / "big.bin")
