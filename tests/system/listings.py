"""What the tests of LIST and NLST share: something to list, and what holds for both."""

import os

import pytest

MODES = ["pasv", "epsv", "port", "eprt"]


def furnish(home):
    """Put some of everything in `home`, and return it."""
    home.file("b.txt", b"bee\n")
    home.file("a.txt", b"ay\n" * 100)
    home.file(".hidden", b"x")
    home.dir("dir")
    home.file("dir/inside.txt", b"1")
    home.file("dir/.dot", b"1")
    home.dir("my dir")
    home.file("my dir/two words", b"22")
    home.link("link", "a.txt")
    home.fifo("pipe")
    return home


class Listing:
    """The tests that hold for both; their modules have a fixture `things`, furnished as above."""

    verb = None

    def names(self, client, argument="", mode="pasv"):
        """The names in the listing, without details."""
        return client.nlst(argument, mode) if self.verb == "NLST" else client.names(argument, mode)

    @pytest.mark.parametrize("mode", MODES)
    def test_empty_directory_is_an_empty_transfer(self, alice, mode):
        assert alice.list("", self.verb, mode) == []
        alice.in_step()

    @pytest.mark.parametrize("path", ["missing", "dir/missing", "missing/", "b.txt/x", "/root/x",
                                      "x" * 300])
    def test_missing_path_is_550(self, alice, things, path):
        alice.refused(f"{self.verb} {path}", 550)
        alice.in_step()

    def test_without_data_connection_is_425(self, alice):
        alice.cmd(self.verb, 425)
        alice.in_step()

    def test_data_connection_serves_once(self, alice, things):
        alice.list("", self.verb)
        alice.cmd(self.verb, 425)
        alice.in_step()

    def test_hidden_files_with_a(self, alice, things):
        assert ".hidden" not in self.names(alice)
        assert ".hidden" in self.names(alice, "-a")

    def test_directory_itself_with_d(self, alice, things):
        assert self.names(alice, "-d dir") == ["dir"]

    def test_sorted(self, alice, home):
        names = [f"{letter}{number}" for letter in "zaMb" for number in range(30, 0, -1)]
        for name in names:
            home.file(name)
        assert self.names(alice) == sorted(names)

    def test_many_entries(self, alice, home):
        names = [f"file-number-{number:05}" for number in range(5000)]
        for name in names:
            (home / name).touch()
        assert self.names(alice) == names

    def test_directory_that_is_larger_than_the_buffers(self, alice, home):
        names = [f"{number:0240}" for number in range(3000)]
        for name in names:
            (home / name).touch()
        assert self.names(alice) == names

    @pytest.mark.parametrize("name", [
        "two words", " leading", "trailing ", "a -> b", 'q"uote', "ünï", b"\xe4\xf6", b"\xff",
        "x" * 255, "%n%s%x", "-la", "back\\slash", "100% (sure)", "~",
    ])
    def test_names_are_sent_as_they_are(self, alice, home, name):
        home.file(name)
        assert self.names(alice) == [os.fsdecode(name)]

    @pytest.mark.parametrize("name", ["line\nfeed", "return\rcr", "\r\n226 done", "\x1b[2J", "\x7f",
                                      "x\n-rw-r--r-- 1 0 0 1 Jan  1 00:00 forged"])
    def test_control_bytes_make_no_second_entry(self, alice, home, name):
        home.file(name)
        home.file("z")
        names = self.names(alice)
        assert "z" in names
        assert len(names) <= 2

    def test_unreadable_directory_shows_nothing(self, alice, home):
        home.dir("dark/inside")
        (home / "dark").chmod(0o311)
        alice.pasv()
        reply = alice.cmd(f"{self.verb} dark", 150, 550)
        if reply.code == 150:
            alice.reply(226)
        alice.in_step()
