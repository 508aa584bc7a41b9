"""pasv_address_map: the address that PASV names, by the client's network."""

import subprocess

import pytest

from ftpd import PROGRAM

OPTIONS = ("pasv_address_map",)

PUBLIC = "203.0.113.5"
MAP = "127.0.0.2=10.1.2.3, 127.1.0.0/16=own, 127.0.0.0/30=192.0.2.9"


def announced(daemon, source, host="127.0.0.1"):
    """The address that a client at `source` is told."""
    return daemon.login("alice", host, source).pasv_address()[0]


def test_the_network_of_the_client_decides(ftpd):
    daemon = ftpd(pasv_address_map=MAP)
    for source, address in (("127.0.0.2", "10.1.2.3"), ("127.1.7.7", "127.0.0.1"),
                            ("127.0.0.3", "192.0.2.9"), ("127.0.0.4", "127.0.0.1")):
        assert announced(daemon, source) == address, source


def test_map_comes_before_pasv_address(ftpd):
    daemon = ftpd(pasv_address_map=MAP, pasv_address=PUBLIC)
    for source, address in (("127.0.0.2", "10.1.2.3"), ("127.1.7.7", "127.0.0.1"),
                            ("127.0.0.3", "192.0.2.9"), ("127.0.0.4", PUBLIC)):
        assert announced(daemon, source) == address, source


def test_own_is_where_the_control_connection_is(ftpd):
    daemon = ftpd(pasv_address_map="127.0.0.0/8=own", pasv_address=PUBLIC)
    assert announced(daemon, "127.0.0.1", "127.0.0.3") == "127.0.0.3"


def test_first_entry_counts(ftpd):
    daemon = ftpd(pasv_address_map="127.0.0.0/8=10.0.0.1,127.0.0.2=10.0.0.2")
    assert announced(daemon, "127.0.0.2") == "10.0.0.1"


def test_ipv4_clients_of_an_ipv6_socket(ftpd):
    daemon = ftpd(listen="NO", listen_ipv6="YES", pasv_address_map=MAP, pasv_address=PUBLIC)
    for source, address in (("127.0.0.2", "10.1.2.3"), ("127.1.7.7", "127.0.0.1"),
                            ("127.0.0.4", PUBLIC)):
        assert announced(daemon, source) == address, source


def test_without_a_map(ftpd):
    assert announced(ftpd(), "127.0.0.2") == "127.0.0.1"


@pytest.mark.parametrize("value, entry", [
    ("10.0.0.0/8", "10.0.0.0/8"), ("10.0.0.0/8=", "10.0.0.0/8="), ("=own", "=own"),
    ("10.0.0.0/33=own", "10.0.0.0/33=own"), ("10.0.0.0/8=own,10.0.0/8=own", "10.0.0/8=own"),
    ("10.0.0.0/8=own, 10.0.0.0/8=host, 1.2.3.4/x=own", "10.0.0.0/8=host"),
    ("10.0.0.0/8=own,", ""), ("fd00::/8=own", "fd00::/8=own"), ("10.0.0.0/8=fd00::1",
                                                              "10.0.0.0/8=fd00::1"),
    ("10.0.0.0/8 = own", "10.0.0.0/8 = own"), ("10.0.0.0/8=o\\wn", "10.0.0.0/8=o\\x5Cwn"),
])
def test_faulty_entry_is_named(tmp_path, value, entry):
    path = tmp_path / "ftpd.conf"
    path.write_text(f"listen=YES\nsecure_chroot_dir=/run/empty\npasv_address_map={value}\n")
    result = subprocess.run([PROGRAM, "-t", path], stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, timeout=10)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert "pasv_address_map" in line and f"'{entry}'" in line
