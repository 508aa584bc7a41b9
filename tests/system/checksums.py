"""What the tests of HASH, of MD5 and of the X commands share."""

import hashlib
import os
import random
import socket
import zlib

import pytest

import codes
from changes import ODD_NAMES
from ftpraw import Client, encode, escaped
from rules import ArgumentRule, LoginRule, furnish_dead_ends

KIB, MIB = 1 << 10, 1 << 20
ENDLESS = 1 << 40  # bytes of a sparse file whose checksum takes an hour

RANDOM = random.Random(41)
CONTENTS = {
    "empty": b"", "one-byte": b"x", "text": b"one\ntwo\r\nthree\r", "every-byte": bytes(range(256)),
    "zeros": bytes(100_000), "256k-1": RANDOM.randbytes(256 * KIB - 1),
    "256k": RANDOM.randbytes(256 * KIB), "256k+1": RANDOM.randbytes(256 * KIB + 1),
    "3m": RANDOM.randbytes(3 * MIB + 17),
}


def crc32(data):
    """CRC-32 as eight digits."""
    return f"{zlib.crc32(data):08x}"


# By the names that HASH uses.
ALGORITHMS = {
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "SHA-512": lambda data: hashlib.sha512(data).hexdigest(),
    "SHA-1": lambda data: hashlib.sha1(data).hexdigest(),
    "MD5": lambda data: hashlib.md5(data).hexdigest(),
    "CRC32": crc32,
}


class Checksum(ArgumentRule, LoginRule):
    """The tests that hold for all of them. `verbs` are the commands to try."""

    def expected(self, verb, path, data):
        """The reply to "`verb` `path`" for a file with the content `data`, as bytes."""
        raise NotImplementedError

    @property
    def lines(self):
        return [f"{verb} f" for verb in self.verbs]

    @pytest.fixture
    def things(self, home):
        home.file("f", b"content")
        return home

    @pytest.fixture
    def endless(self, home):
        """A file that takes an hour, and one that does not."""
        home.sparse("endless", ENDLESS)
        home.file("f", b"content")
        return home

    def check(self, client, path, data):
        """Every command finds that content at `path`, which may be bytes."""
        for verb in self.verbs:
            reply = client.cmd(encode(verb) + b" " + escaped(path))
            assert encode(reply.lines[0]) == self.expected(verb, escaped(path), data), verb
            assert len(reply.lines) == 1
        client.in_step()

    @pytest.mark.parametrize("content", CONTENTS)
    def test_content(self, alice, home, content):
        home.file("f", CONTENTS[content])
        self.check(alice, "f", CONTENTS[content])

    @pytest.mark.parametrize("name", ODD_NAMES + [b"a\xffb", "20240101000000 x", "0", "f 0 5",
                                                  '"f" 0 5', "~"])
    def test_file_of_any_name(self, alice, home, name):
        home.file("f", b"wrong")
        home.file(name, b"right")
        self.check(alice, name, b"right")

    @pytest.mark.parametrize("path", ["d/f", "./d/f", "d//f", "d/../d/f", "/home/alice/d/f",
                                      "link", "linkdir/f"])
    def test_file_by_any_path(self, alice, home, path):
        home.dir("d")
        home.file("d/f", b"content")
        home.link("link", "d/f")
        home.link("linkdir", "d")
        self.check(alice, path, b"content")

    def test_file_in_the_home_directory(self, alice, home):
        home.dir("d")
        home.file("f", b"content")
        alice.cmd("CWD d", 250)
        for verb in self.verbs:
            digest = self.expected(verb, b"", b"content").split()[-1]
            assert digest.decode() in alice.cmd(f"{verb} ~/f").text, verb

    @pytest.mark.parametrize("path", ["/f", "../f", "/../../f", "link"])
    def test_file_in_a_chroot(self, jailed, home, path):
        home.file("f", b"content")
        home.link("link", "/f")
        self.check(jailed, path, b"content")

    @pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "out", "/home/alice/f"])
    def test_nothing_outside_a_chroot(self, jailed, home, path):
        home.file("f", b"content")
        home.link("out", "/etc/passwd")
        for verb in self.verbs:
            jailed.cmd(f"{verb} {path}", 550)

    @pytest.mark.parametrize("path", ["d", "d/", ".", "..", "/", "linkdir"])
    def test_directory_is_refused(self, alice, home, path):
        home.dir("d")
        home.link("linkdir", "d")
        for verb in self.verbs:
            alice.cmd(f"{verb} {path}", codes.CHECKSUM_DIRECTORY)
        alice.in_step()

    @pytest.mark.parametrize("path", [
        "missing", "missing/f", "f/", "f/x", "closed/f", "dangling", "loop", "n" * 300, "*", "?",
        "/root/x", "pipe", "socket", "unreadable", "/dev/zero", "/dev/null", "/etc/shadow",
        "/proc/version", "/proc/self/mem", "/sys/kernel/notes",
    ])
    def test_refused(self, alice, home, path):
        furnish_dead_ends(home)
        home.fifo("pipe")
        home.file("unreadable", b"x", 0o000)
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(home / "socket"))
        os.chmod(home / "socket", 0o666)
        for verb in self.verbs:
            alice.cmd(f"{verb} {path}", 550)
        alice.in_step()
        server.close()

    def test_needs_no_write_enable(self, ftpd, things):
        self.check(ftpd(write_enable="NO").login("alice"), "f", b"content")

    def test_needs_hash_enable(self, ftpd, things):
        client = ftpd(hash_enable="NO").login("alice")
        for verb in self.verbs:
            client.cmds((f"{verb} f", 550), (f"{verb} missing", 550), (verb, 550))
            features = client.cmd("FEAT", 211).lines
            assert not [line for line in features if line.split()[0] == verb]
        client.in_step()

    def test_feat(self, alice):
        features = [line.split()[0] for line in alice.cmd("FEAT", 211).lines[1:-1]]
        assert set(self.verbs) <= set(features)

    def test_anonymous_users_get_those_of_public_files(self, anon):
        self.check(anon, "pub/readme.txt", b"Hello, world.\n")
        for verb in self.verbs:
            anon.cmds((f"{verb} pub/secret.txt", 550), (f"{verb} pub", codes.CHECKSUM_DIRECTORY))

    def test_anonymous_users_get_none_of_what_is_not_for_everyone(self, ftpd, home):
        """The file is their own, so the system would let them."""
        home.file("f", b"content", 0o640)
        options = {"ftp_username": "alice", "anon_root": str(home.path)}
        client = ftpd(**options).anonymous()
        for verb in self.verbs:
            client.cmd(f"{verb} f", 550)
        client.in_step()
        client = ftpd(listen_port="2121", anon_world_readable_only="NO", **options).anonymous()
        self.check(client, "f", b"content")

    def test_type_and_mode_do_not_matter(self, ftpd, home):
        home.file("f", CONTENTS["text"])
        client = ftpd(ascii_download_enable="YES", mode_z_enable="YES").login("alice")
        client.cmds(("TYPE A", 200), ("MODE Z", 200))
        self.check(client, "f", CONTENTS["text"])

    def test_data_connection_is_kept(self, alice, things):
        data = alice.pasv()
        self.check(alice, "f", b"content")
        alice.cmd("RETR f", 150)
        assert data().recv(100) == b"content"
        alice.reply(226)

    # What takes long.

    def test_abor(self, alice, endless):
        for verb in self.verbs:
            alice.send_line(f"{verb} endless")
            alice.cmds(("STAT", 211), ("NOOP", 200), ("STAT", 211))
            alice.send_line("ABOR")
            alice.reply(426)
            alice.reply(226)
            self.check(alice, "f", b"content")

    def test_abor_in_the_same_segment(self, alice, endless):
        for verb in self.verbs:
            alice.send(f"{verb} endless\r\nNOOP\r\nabor\r\n")
            for code in (200, 426, 226):
                alice.reply(code)
            self.check(alice, "f", b"content")

    def test_other_commands_wait_for_its_end(self, alice, endless):
        for verb in self.verbs:
            alice.send(f"{verb} endless\r\nPWD\r\nSTAT\r\nABOR\r\nSIZE f\r\n")
            for code in (426, 257, 211, 226, 213):
                alice.reply(code)
            alice.in_step()

    def test_is_given_up_when_the_client_has_closed_its_side(self, alice, endless):
        """A session may be idle for five minutes, which nobody is there to wait for."""
        alice.send_line(f"{self.verbs[0]} endless")
        alice.sock.shutdown(socket.SHUT_WR)
        alice.reply(codes.WORK_TOO_LONG, seconds=30)
        alice.wait_closed()

    def test_takes_no_longer_than_a_session_may_be_idle(self, ftpd, endless):
        client = ftpd(idle_session_timeout="2").login("alice")
        client.cmd(f"{self.verbs[0]} endless", codes.WORK_TOO_LONG)
        client.in_step()
        self.check(client, "f", b"content")

    @pytest.mark.parametrize("end", [Client.close, Client.reset])
    def test_client_that_vanishes(self, ftpd, endless, end):
        """One that has closed might still read, but does not keep the session beyond its time."""
        daemon = ftpd(idle_session_timeout="2")
        client = daemon.login("alice")
        client.send_line(f"{self.verbs[0]} endless")
        client.cmd("STAT", 211)
        end(client)
        assert not daemon.wait_no_sessions(8)

    def test_file_that_shrinks_meanwhile_is_451(self, alice, endless):
        for verb in self.verbs:
            endless.sparse("endless", ENDLESS)
            alice.send_line(f"{verb} endless")
            alice.cmd("STAT", 211)
            os.truncate(endless / "endless", 5)
            alice.reply(451)
            alice.in_step()
