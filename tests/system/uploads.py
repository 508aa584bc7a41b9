"""What the tests of STOR and APPE share."""

import os
import socket

import pytest

import codes


class Upload:
    """The tests that hold for both."""

    verb = None

    @pytest.mark.parametrize("path", [
        "missing/f", "dir", "dir/", ".", "/", "closed/f", "/etc/f", "/f", "n" * 256, "f/x",
        "readonly", "pipe", "loop", "/root/f", "socket",
    ])
    def test_refused(self, alice, home, path):
        home.file("f", b"content")
        home.file("readonly", b"content", 0o444)
        home.dir("dir")
        home.dir("closed", 0o555)
        home.fifo("pipe")
        home.link("loop", "loop")
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(home / "socket"))
        os.chmod(home / "socket", 0o666)
        before = home.names()
        alice.refused(f"{self.verb} {path}", codes.STOR_REFUSED)
        alice.in_step()
        assert home.names() == before
        assert (home / "f").read_bytes() == (home / "readonly").read_bytes() == b"content"
        server.close()

    def test_without_name_is_501(self, alice):
        alice.cmds((self.verb, 501), (f"{self.verb} ", 501))
        alice.in_step()

    def test_without_data_connection_is_425(self, alice, home):
        home.file("f", b"content")
        alice.cmd(f"{self.verb} f", 425)
        alice.in_step()
        assert (home / "f").read_bytes() == b"content"

    def test_needs_write_enable(self, ftpd, home):
        home.file("f", b"content")
        client = ftpd(write_enable="NO").login("alice")
        client.refused(f"{self.verb} f", 550)
        client.refused(f"{self.verb} new", 550)
        client.in_step()
        assert home.names() == ["f"] and (home / "f").read_bytes() == b"content"
