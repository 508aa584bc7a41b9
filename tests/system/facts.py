"""What the tests of commands about facts of a file share, above all their times."""

import os

import pytest

from rules import ArgumentRule, LoginRule, furnish_dead_ends

# One point of time, as the kernel has it and as FTP writes it.
STAMP = 1700000000
STAMP_TEXT = "20231114221320"

# What can be written for times, and the nanoseconds since 1970.
TIMES = [
    ("19700101000000", 0), ("20000229121554", 951826554 * 10 ** 9),
    (STAMP_TEXT, STAMP * 10 ** 9), ("20380119031408", 2147483648 * 10 ** 9),
    ("21000101000000", 4102444800 * 10 ** 9), ("20161231235960", 1483228799 * 10 ** 9),
    (STAMP_TEXT + ".5", STAMP * 10 ** 9 + 500000000), (STAMP_TEXT + ".000", STAMP * 10 ** 9),
    (STAMP_TEXT + ".123456789", STAMP * 10 ** 9 + 123456789),
]

# No times, and none of them so long that a name with it in front is too long for a file.
NO_TIMES = [
    "20240230000000", "20230229000000", "20240431000000", "20241301000000", "20240001000000",
    "20240100000000", "20240132000000", "20240101240000", "20240101006000", "20240101000061",
    "19691231235959", "00000000000000", "2024013112345", "202401311234567", "20240131123456.",
    "20240131123456.x", "20240131123456Z", "-0240131123456", "+0240131123456", "2024-01-31",
    "0x240131123456", "now", "%n%s",
]


class Fact(ArgumentRule, LoginRule):
    """What holds for SIZE and MDTM, which tell a fact of a regular file.

    `expected` is the answer for 4 bytes written at STAMP.
    """

    verb = None
    expected = None

    @property
    def verbs(self):
        return [self.verb]

    @property
    def lines(self):
        return [f"{self.verb} f"]

    @pytest.fixture
    def things(self, home):
        home.file("f", b"1234")
        return home

    @pytest.mark.parametrize("path", ["missing", "d", "d/", ".", "/", "pipe", "dangling", "loop",
                                      "f/x", "closed/f", "n" * 300, "*", "/root/x"])
    def test_refused(self, alice, home, path):
        furnish_dead_ends(home)
        home.dir("d")
        home.fifo("pipe")
        alice.cmd(f"{self.verb} {path}", 550)
        alice.in_step()

    @pytest.mark.parametrize("path", ["d/f", "./d/f", "/home/alice/d/f", "link", "two words",
                                      "~/d/f", " leading", "20240101000000", "20240101000000 x"])
    def test_paths(self, alice, home, path):
        home.dir("d")
        for name in ("d/f", "two words", " leading", "20240101000000", "20240101000000 x"):
            os.utime(home.file(name, b"1234"), (STAMP, STAMP))
        home.link("link", "d/f")
        assert alice.cmd(f"{self.verb} {path}", 213).text == self.expected

    def test_unreadable_file_is_known_all_the_same(self, alice, home):
        home.file("f", b"1234", 0o000)
        alice.cmd(f"{self.verb} f", 213)

    def test_nothing_outside_a_chroot(self, jailed, home):
        home.link("out", "/etc/passwd")
        for path in ("/etc/passwd", "../../etc/passwd", "out"):
            jailed.cmd(f"{self.verb} {path}", 550)
