"""How encrypted transfers end: well, cut off, given up."""

import ssl

import pytest

import ftpsraw
from procs import wait_for
from sessions import connect_slow, crowd, small_send_buffers

OPTIONS = ("strict_ssl_read_eof", "strict_ssl_write_shutdown")

CONTENT = bytes(range(256)) * 2000
VERSIONS = pytest.mark.parametrize("version", ftpsraw.BOTH, ids=lambda version: version.name)


@pytest.fixture
def files(home):
    home.file("f", CONTENT)
    home.sparse("big", 1 << 30)
    return home


def read_to_close_notify(sock):
    """All up to close_notify; an end without it would be an SSLEOFError."""
    data = b""
    while chunk := sock.recv(65536):
        data += chunk
    return data


# Uploads.

@VERSIONS
@pytest.mark.parametrize("conversion", [(), ("TYPE A",), ("MODE Z",)])
@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_cut_off_upload_is_426(ftps, files, version, conversion, size):
    daemon = ftps(ascii_upload_enable="YES", mode_z_enable="YES")
    client = ftpsraw.login(daemon, tls=ftpsraw.context(version))
    for line in conversion:
        client.cmd(line, 200)
    sock = client.begin("STOR new")
    sock.sendall(b"x" * size if conversion != ("MODE Z",) else b"x\x9c"[:size])
    ftpsraw.half_close(sock)
    client.reply(426)
    sock.close()
    client.in_step()
    if conversion != ("MODE Z",):
        text = "cut off: TLS was not ended; for clients that never do: strict_ssl_read_eof=NO"
        assert wait_for(lambda: text in daemon.log), daemon.log


@VERSIONS
def test_cut_off_upload_counts_without_the_option(ftps, files, version):
    client = ftpsraw.login(ftps(strict_ssl_read_eof="NO"), tls=ftpsraw.context(version))
    for verb in ("STOR", "APPE"):
        sock = client.begin(f"{verb} new")
        sock.sendall(CONTENT)
        ftpsraw.half_close(sock)
        client.reply(226)
        sock.close()
    assert (files / "new").read_bytes() == CONTENT * 2
    client.in_step()


@pytest.mark.parametrize("strict", ["YES", "NO"])
def test_reset_is_426_in_any_case(ftps, files, strict):
    client = ftpsraw.login(ftps(strict_ssl_read_eof=strict))
    sock = client.begin("STOR new")
    sock.sendall(CONTENT)
    assert wait_for(lambda: (files / "new").stat().st_size == len(CONTENT))
    ftpsraw.reset(sock)
    client.reply(426)
    client.in_step()


def cut_off(client, sock):
    ftpsraw.half_close(sock)
    client.reply(426)
    sock.close()


def break_off(client, sock):
    ftpsraw.reset(sock)
    client.reply(426)


def abort(client, sock):
    client.cmd("ABOR", 426)
    client.reply(226)
    ftpsraw.drain(sock)


def leave(client, sock):
    ftpsraw.reset(client.sock)
    ftpsraw.reset(sock)


@pytest.mark.parametrize("fail", [cut_off, break_off, abort, leave])
@pytest.mark.parametrize("line, before, after", [("STOR new", None, None), ("STOU new", None, None),
                                                 ("APPE old", b"old", b"old"),
                                                 ("STOR old", b"old", None)])
def test_failed_uploads_are_undone(ftps, home, fail, line, before, after):
    name = line.split()[1]
    if before is not None:
        home.file(name, before)
    client = ftpsraw.login(ftps(delete_failed_uploads="YES"))
    size = len(CONTENT) + (len(before) if line.startswith("APPE") else 0)
    sock = client.begin(line)
    sock.sendall(CONTENT)
    assert wait_for(lambda: (home / name).exists() and (home / name).stat().st_size == size)
    fail(client, sock)
    if after is None:
        assert wait_for(lambda: home.names() == [])
    else:
        assert wait_for(lambda: (home / name).read_bytes() == after)


@pytest.mark.parametrize("fail", [cut_off, abort])
def test_failed_uploads_stay_without_the_option(ftps, home, fail):
    client = ftpsraw.login(ftps())
    sock = client.begin("STOR new")
    sock.sendall(CONTENT)
    assert wait_for(lambda: (home / "new").stat().st_size == len(CONTENT))
    fail(client, sock)
    assert (home / "new").read_bytes() == CONTENT
    client.in_step()


def test_garbage_in_the_middle_of_an_upload(ftps, home):
    """A record that does not decrypt is no end."""
    client = ftpsraw.login(ftps())
    sock = client.begin("STOR new")
    sock.sendall(CONTENT)
    raw = ftpsraw.without_tls(sock)
    raw.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
    client.reply(426)
    raw.close()
    client.in_step()


# Downloads.

@VERSIONS
@pytest.mark.parametrize("line", ["RETR f", "LIST", "MLSD", "NLST nothing"])
@pytest.mark.parametrize("strict", ["YES", "NO"])
def test_downloads_end_with_close_notify(ftps, files, version, line, strict):
    files.dir("nothing")
    client = ftpsraw.login(ftps(strict_ssl_write_shutdown=strict), tls=ftpsraw.context(version))
    with client.begin(line) as sock:
        data = read_to_close_notify(sock)
        client.end_data(sock)
    client.reply(226)
    assert line != "RETR f" or data == CONTENT
    client.in_step()


@pytest.mark.parametrize("line", ["RETR f", "LIST"])
def test_client_that_does_not_confirm_the_end(ftps, files, line):
    """It may just close, unless strict_ssl_write_shutdown is set."""
    for number, (strict, code) in enumerate((("NO", 226), ("YES", 426))):
        daemon = ftps(strict_ssl_write_shutdown=strict, listen_port=str(2100 + number))
        client = ftpsraw.login(daemon)
        sock = client.begin(line)
        read_to_close_notify(sock)
        sock.close()
        client.reply(code)
        client.in_step()


def test_226_does_not_wait_for_a_client_that_never_closes(ftps, files):
    client = ftpsraw.login(ftps())
    socks = []
    for _ in range(20):
        socks.append(client.begin("RETR f"))
        assert read_to_close_notify(socks[-1]) == CONTENT
        client.reply(226)
    client.in_step()


@pytest.mark.parametrize("end", ["close", "reset"])
def test_client_that_leaves_a_download(ftps, files, end):
    client = ftpsraw.login(ftps())
    sock = client.begin("RETR big")
    assert len(sock.recv(1000)) > 0
    if end == "close":
        sock.close()
    else:
        ftpsraw.reset(sock)
    client.reply(426)
    client.in_step()


# Given up.

def slow(client, line):
    """A transfer that waits for the client, who reads nothing."""
    raw = connect_slow(client, client.pasv_address())
    client.cmd(line, 150)
    return client.wrap(raw, client.ticket())


@VERSIONS
def test_abor_ends_a_download(ftps, files, version):
    client = ftpsraw.login(ftps(), tls=ftpsraw.context(version))
    for _ in range(3):
        sock = slow(client, "RETR big")
        assert sock.recv(1000)
        client.cmd("ABOR", 426)
        client.reply(226)
        with pytest.raises((ssl.SSLError, ConnectionError)):  # not an end that looks like one
            read_to_close_notify(sock)
        sock.close()
        client.in_step()
    assert client.retr("f") == CONTENT


def test_abor_ends_a_listing(ftps, files):
    crowd(files / "crowd")
    client = ftpsraw.login(ftps())
    with small_send_buffers():
        sock = slow(client, "LIST crowd")
        client.cmd("ABOR", 426)
        client.reply(226)
        ftpsraw.drain(sock)
    client.in_step()


@pytest.mark.parametrize("line", ["RETR big", "STOR new"])
def test_status_during_a_transfer(ftps, files, line):
    client = ftpsraw.login(ftps())
    sock = slow(client, line)
    if line == "STOR new":
        sock.sendall(CONTENT)
        assert wait_for(lambda: (files / "new").stat().st_size == len(CONTENT))
    else:
        assert sock.recv(1000)
    first = client.cmd("STAT", 211).text
    assert int(first.split()[1]) >= 0
    client.cmd("NOOP", 200)
    client.cmd("ABOR", 426)
    client.reply(226)
    ftpsraw.drain(sock)
    client.in_step()


@pytest.mark.parametrize("line", ["RETR big", "STOR new", "LIST crowd"])
def test_client_that_does_not_shake_hands_is_given_up(ftps, files, line):
    """data_connection_timeout; the session lives."""
    files.dir("crowd")
    client = ftpsraw.login(ftps(data_connection_timeout="1"))
    raw = client.pasv()()
    client.cmd(line, 150)
    assert client.reply().code in (426, 522)
    ftpsraw.drain(raw)
    client.in_step()


@pytest.mark.parametrize("line", ["RETR big", "STOR new", "LIST crowd"])
def test_client_that_stands_still_is_given_up(ftps, files, line):
    crowd(files / "crowd")
    client = ftpsraw.login(ftps(data_connection_timeout="1"))
    with small_send_buffers():
        sock = slow(client, line)
        if line == "STOR new":
            sock.sendall(b"x")
        client.reply(426)
        ftpsraw.drain(sock)
    client.in_step()


def test_quit_during_a_download(ftps, files):
    """The transfer ends well, then the session."""
    files.file("more", CONTENT * 40)
    client = ftpsraw.login(ftps())
    sock = slow(client, "RETR more")
    client.send_line("QUIT")
    assert read_to_close_notify(sock) == CONTENT * 40
    client.reply(226)
    client.reply(221)
    client.wait_closed()


def test_the_end_of_the_session_is_an_end_of_tls(ftps, home):
    """221, then close_notify: nobody can cut off replies unseen."""
    client = ftpsraw.login(ftps())
    client.sock.suppress_ragged_eofs = False
    client.cmd("QUIT", 221)
    client.wait_closed()
