"""What the tests of PORT and EPRT share."""

import pytest

import codes
from ftpraw import eprt_command, port_command, receive_all


def peer_port(client, mode):
    """The port that an active data connection comes from."""
    sock = client.begin("NLST", mode)
    port = sock.getpeername()[1]
    receive_all(sock)
    client.reply(226)
    return port


class Active:
    """The tests that hold for both; `mode` is "port" or "eprt"."""

    mode = None

    def command(self, address):
        """The command that asks for a connection to `address`."""
        return {"port": port_command, "eprt": eprt_command}[self.mode](address)

    def test_data_comes_from_port_20(self, ftpd, home):
        client = ftpd(connect_from_port_20="YES").login("alice")
        assert peer_port(client, self.mode) == 20

    def test_data_comes_from_ftp_data_port(self, ftpd, home):
        client = ftpd(connect_from_port_20="YES", ftp_data_port="989").login("alice")
        assert peer_port(client, self.mode) == 989

    def test_data_comes_from_any_port_by_default(self, ftpd, home):
        assert peer_port(ftpd().login("alice"), self.mode) >= 1024

    def test_many_transfers_from_port_20(self, ftpd, home):
        home.file("f", b"content")
        client = ftpd(connect_from_port_20="YES").login("alice")
        for _ in range(50):
            assert client.retr("f", self.mode) == b"content"

    @pytest.mark.parametrize("host", ["127.0.0.2", "0.0.0.0", "255.255.255.255", "192.0.2.1",
                                      "127.0.0.0", "224.0.0.1"])
    def test_foreign_address_is_500(self, alice, host):
        alice.cmd(self.command((host, 5000)), 500)
        alice.in_step()

    def test_nothing_connects_to_a_foreign_address(self, alice, home):
        home.file("f", b"content")
        victim = alice.listen_data("127.0.0.2")
        alice.cmds((self.command(victim.getsockname()), 500), ("RETR f", 425))
        victim.setblocking(False)
        with pytest.raises(BlockingIOError):
            victim.accept()

    @pytest.mark.parametrize("port, code", [
        (0, codes.PORT_ZERO), (1, 500), (20, 500), (21, 500), (1023, 500), (1024, 200),
        (65535, 200),
    ])
    def test_ports_below_1024_are_500(self, alice, port, code):
        alice.cmd(self.command(("127.0.0.1", port)), code)
        alice.in_step()

    def test_serves_one_transfer(self, alice, home):
        home.file("f", b"content")
        assert alice.retr("f", self.mode) == b"content"
        alice.cmd("RETR f", 425)
        alice.in_step()

    def test_ipv4_client_of_an_ipv6_socket(self, dual):
        client = dual.login("alice", "127.0.0.1")
        assert client.retr("f", self.mode) == b"content"
        assert peer_port(client, self.mode) == 20
        client.cmd(self.command(("127.0.0.2", 51201)), 500)

    def test_port_enable(self, ftpd, home):
        home.file("f", b"content")
        client = ftpd(port_enable="NO").login("alice")
        client.cmd(self.command(("127.0.0.1", 51201)), 550)
        client.in_step()
        assert client.retr("f") == b"content"
