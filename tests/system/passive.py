"""What the tests of PASV and EPSV share."""

import socket

from ftpraw import closed_without_data, receive_all

STRANGER = "127.0.0.2"


def occupy(ports):
    """Listening sockets on all of `ports`, which are below those that the kernel chooses."""
    sockets = []
    for port in ports:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("0.0.0.0", port))
        sock.listen(1)
        sockets.append(sock)
    return sockets


def check_stranger_first(client, address, source=STRANGER):
    """A stranger connects first and gets nothing, and the client its file `f`."""
    other = client.connect_data(address, source)
    client.send_line("RETR f")
    sock = client.connect_data(address)
    client.reply(150)
    assert receive_all(sock) == b"content"
    client.reply(226)
    assert closed_without_data(other)


class Passive:
    """The tests that hold for both; `mode` is "pasv" or "epsv"."""

    mode = None

    def address(self, client):
        """The address that the server listens on."""
        return client.pasv_address() if self.mode == "pasv" else client.epsv_address()

    def test_default_ports(self, alice):
        for _ in range(50):
            assert 5001 <= self.address(alice)[1] <= 65535

    def test_range_of_one_port(self, ftpd, home):
        home.file("f", b"content")
        client = ftpd(pasv_min_port="20000", pasv_max_port="20000").login("alice")
        for _ in range(10):
            assert self.address(client)[1] == 20000
            assert client.retr("f", self.mode) == b"content"

    def test_no_free_port_is_425(self, ftpd, home):
        home.file("f", b"content")
        client = ftpd(pasv_min_port="20000", pasv_max_port="20003").login("alice")
        sockets = occupy(range(20000, 20004))
        client.cmds((self.mode, 425), ("RETR f", 425))
        client.in_step()
        for sock in sockets:
            sock.close()
        assert client.retr("f", self.mode) == b"content"

    def test_ipv4_client_of_an_ipv6_socket(self, dual):
        client = dual.login("alice", "127.0.0.1")
        address = self.address(client)
        assert address[0] == "127.0.0.1"
        check_stranger_first(client, address)

    def test_pasv_enable(self, ftpd, home):
        home.file("f", b"content")
        client = ftpd(pasv_enable="NO").login("alice")
        client.cmd(self.mode, 550)
        assert f" {self.mode.upper()}" not in client.cmd("FEAT", 211).lines
        assert client.retr("f", "port") == b"content"
