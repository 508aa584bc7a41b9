"""Habits of devices and programs that are no test clients: what they say, in their order.

The codes are those that they need; most give up at any other.
"""

import re

import pytest

import codes
from accounts import ALL
from ftpraw import receive_all

ALICE = ALL["alice"].password


@pytest.fixture
def site(home):
    """What a client may find."""
    home.file("f.txt", b"content")
    home.dir("d/e")
    home.file("d/inside", b"inside")
    return home


# Lines and their ends.

def test_bare_line_feeds(client, site):
    client.send(f"USER alice\nPASS {ALICE}\nCWD d\nPWD\nQUIT\n")
    for code in (331, 230, 250, 257, 221):
        client.reply(code)
    client.wait_closed()


@pytest.mark.parametrize("empty", ["\r\n", "\n", "\r\n\r\n\n", "\r\r\n"])
def test_empty_lines_are_no_commands(client, empty):
    """Address translators and their clients are kept awake so."""
    client.send(empty + "USER alice\r\n" + empty)
    client.reply(331)
    client.send(f"{empty}PASS {ALICE}\r\n{empty * 30}")
    client.reply(230)
    client.in_step()


def test_lower_case_session(client, site):
    client.cmds(("user alice", 331), (f"pass {ALICE}", 230), ("type i", 200), ("cwd d", 250),
                ("pwd", 257), ("cdup", 250), ("size f.txt", 213), ("mkd new", 257),
                ("rnfr f.txt", 350), ("rnto g.txt", 250), ("site chmod 600 g.txt", 200),
                ("dele g.txt", 250), ("rmd new", 250), ("syst", 215), ("feat", 211))
    data = client.pasv()
    client.cmd("retr d/inside", 150)
    assert receive_all(data()) == b"inside"
    client.reply(226)
    client.cmd("quit", 221)


def test_session_out_of_a_pipe(client, home):
    """A shell script on a camera: netcat, everything in one segment, and grep for the path."""
    client.send(f"USER alice\r\nPASS {ALICE}\r\nMKD 2024-01-31\r\nQUIT\r\n")
    for code in (331, 230):
        client.reply(code)
    assert re.search(r'"/home/alice/2024-01-31"', client.reply(257).lines[0])
    client.reply(221)
    client.wait_closed()
    assert home.names() == ["2024-01-31"]


def test_upload_out_of_a_pipe(client, home):
    """The commands come before the data connection, and wait for its end."""
    client.send(f"USER alice\r\nPASS {ALICE}\r\nTYPE I\r\nEPSV\r\nSTOR f\r\nSIZE f\r\nQUIT\r\n")
    for code in (331, 230, 200):
        client.reply(code)
    port = int(re.search(r"\|\|\|(\d+)\|", client.reply(229).text).group(1))
    with client.connect_data(("127.0.0.1", port)) as sock:
        client.reply(150)
        sock.sendall(b"picture")
    client.reply(226)
    assert client.reply(213).text == "7"
    client.reply(221)
    assert (home / "f").read_bytes() == b"picture"


# Cameras, printers, loggers.

@pytest.mark.parametrize("line", ["CWD", "CWD ", "CWD  ", "cwd "])
def test_empty_directory_name(alice, line):
    alice.cmd(line, 250)
    assert alice.pwd() == "/home/alice"


@pytest.mark.parametrize("path, expected", [
    ("//d", None), ("d//e", "/home/alice/d/e"), ("d/", "/home/alice/d"),
    ("//home//alice//d//", "/home/alice/d"), ("./d/./e/", "/home/alice/d/e"),
])
def test_too_many_slashes(alice, site, path, expected):
    alice.cmd(f"CWD {path}", 250 if expected else 550)
    assert alice.pwd() == (expected or "/home/alice")


def test_two_slashes_in_front_in_a_chroot(jailed, site):
    jailed.cmd("CWD //d", 250)
    assert jailed.pwd() == "/d"
    jailed.stor("//d//picture", b"picture")
    assert (site / "d" / "picture").read_bytes() == b"picture"


@pytest.mark.parametrize("verb", ["XMKD", "MKD"])
def test_every_level_is_made_again_for_every_picture(alice, home, verb):
    """The refusal is the usual answer there. It comes at once, and as often as it is asked for."""
    levels = ["cam", "cam/2024", "cam/2024/01", "cam/2024/01/31"]
    alice.cmds(*((f"{verb} {level}", 257) for level in levels))
    for _ in range(50):
        alice.send("".join(f"{verb} {level}\r\n" for level in levels))
        for _ in levels:
            alice.reply(codes.MKD_EXISTS)
    alice.stor("cam/2024/01/31/picture.jpg", b"picture")
    assert (home / "cam/2024/01/31/picture.jpg").read_bytes() == b"picture"


def test_level_by_level_with_cwd(alice, home):
    for level in ("2024", "01", "31"):
        alice.cmds((f"CWD {level}", 550), (f"MKD {level}", 257), (f"CWD {level}", 250))
    assert alice.pwd() == "/home/alice/2024/01/31"


def test_size_tells_whether_there_is_a_directory(alice, site):
    alice.cmds(("SIZE d", 550), ("SIZE d/", 550), ("SIZE missing", 550), ("SIZE /", 550))
    alice.in_step()


@pytest.mark.parametrize("kind", ["A N", "AN", "A", "I", "I N", "L 8", "L8", "a n", "l 8"])
@pytest.mark.parametrize("mode", ["port", "pasv"])
def test_scanner(ftpd, home, kind, mode):
    client = ftpd().connect()
    client.cmds(("USER alice", 331), (f"PASS {ALICE}", 230), (f"TYPE {kind}", 200),
                ("STRU F", 200), ("MODE S", 200), ("CWD .", 250))
    client.stor("scan.pdf", b"%PDF\r\n\n\r\xff", mode)
    assert (home / "scan.pdf").read_bytes() == b"%PDF\r\n\n\r\xff"
    client.cmd("QUIT", 221)


def test_scanner_that_lets_the_server_choose_the_name(alice, home):
    reports = []
    for number in range(3):
        with alice.begin("STOU", "port") as sock:
            sock.sendall(b"%d" % number)
        reports.append(re.search(r"FILE: (\S+)", alice.reply(226).text).group(1))
    assert [(home / name).read_bytes() for name in reports] == [b"0", b"1", b"2"]


def test_data_logger(alice, home):
    """It asks by NLST whether the file is there, and writes a heading if it is not."""
    for number in range(3):
        alice.cmd("TYPE A", 200)
        try_names = alice.pasv()
        alice.send_line("NLST log.csv")
        if alice.reply(150, 550).code == 150:
            assert receive_all(try_names()) == b"log.csv\r\n"
            alice.reply(226)
        else:
            alice.stor("log.csv", b"time,value\r\n", verb="APPE")
        alice.stor("log.csv", b"%d,0\r\n" % number, verb="APPE")
    assert (home / "log.csv").read_bytes() == b"time,value\r\n0,0\r\n1,0\r\n2,0\r\n"


# Programs.

def test_windows_command_line(client, site):
    """It says OPTS before the login, and knows neither PASV nor the commands of RFC 959 alone."""
    client.cmds(("OPTS UTF8 ON", 200), ("USER alice", 331), (f"PASS {ALICE}", 230), ("XPWD", 257))
    assert client.nlst(mode="port") == ["d", "f.txt"]
    assert "f.txt" in client.names(mode="port")
    client.cmds(("XMKD new", 257), ("CWD new", 250), ("CWD ..", 250), ("XRMD new", 250),
                ("TYPE I", 200))
    assert client.retr("f.txt", "port") == b"content"
    client.cmd("QUIT", 221)


def test_old_browser(anon):
    """It tries a file first, and takes what is refused for a directory."""
    anon.cmds(("TYPE I", 200), ("PWD", 257))
    anon.cmd("SIZE /pub", 550)
    anon.refused("RETR /pub", 550)
    anon.cmds(("MDTM /pub", 550), ("CWD /pub", 250))
    assert "readme.txt" in anon.names()
    assert anon.retr("/pub/readme.txt") == b"Hello, world.\n"


def test_old_browser_that_logs_in_again(anon):
    anon.cmds(("USER anonymous", 331), ("PASS mozilla@example.com", 230), ("CWD /pub", 250))


def features(client):
    """The lines of FEAT as a client parses them."""
    return [line[1:] for line in client.cmd("FEAT", 211).lines if line.startswith(" ")]


def test_rclone(client, site):
    client.cmds(("USER alice", 331), (f"PASS {ALICE}", 230))
    said = features(client)
    assert "UTF8" in said and "MFMT" in said and "MDTM" in said
    assert any(line.startswith("MLST ") for line in said)
    client.cmds(("TYPE I", 200), ("OPTS UTF8 ON", 200))
    client.cmd("MLST d", 250)
    client.cmd("MLST missing", 550, 450)
    assert any("type=file" in line and line.endswith(" f.txt")
               for line in client.list("", "MLSD", "epsv"))
    client.cmds(("MKD new", 257), ("MKD new", 550))
    client.stor("new/up", b"up", "epsv")
    client.cmds(("MFMT 20240131123456 new/up", 213), ("RNFR new/up", 350), ("RNTO new/moved", 250))
    assert client.cmd("SIZE new/moved", 213).text == "2"
    assert client.retr("new/moved", "epsv", rest=1) == b"p"
    client.cmds(("DELE new/moved", 250), ("RMD new", 250), ("QUIT", 221))


def test_filezilla(client, site):
    client.cmds(("AUTH TLS", 502), ("AUTH SSL", 502), ("USER alice", 331), (f"PASS {ALICE}", 230))
    assert "FileZilla" not in client.cmd("SYST", 215).text
    said = features(client)
    assert {"CLNT", "UTF8", "MFMT", "REST STREAM", "TVFS"} <= set(said)
    client.cmds(("CLNT FileZilla", 200), ("OPTS UTF8 ON", 200))
    wanted = "type;size;modify;perm;UNIX.mode;UNIX.owner;UNIX.group;"
    assert client.cmd(f"OPTS MLST {wanted}", 200).text == f"MLST OPTS {wanted}"
    assert client.pwd() == "/home/alice"
    client.cmd("TYPE I", 200)
    lines = client.list("", "MLSD")
    assert any(re.fullmatch(r"type=file;size=7;modify=\d{14};perm=\w+;UNIX\.mode=0644;"
                            r"UNIX\.owner=\S+;UNIX\.group=\S+; f\.txt", line) for line in lines)
    client.stor("up", b"up")
    client.cmds(("MFMT 20240131123456 up", 213), ("SITE CHMOD 640 up", 200))
    client.stor("up", b"load", rest=2)
    assert (site / "up").read_bytes() == b"upload"
    client.cmd("REST 0", 350)
    assert client.retr("f.txt") == b"content"


def test_lftp(client, site):
    said = features(client)
    assert {"REST STREAM", "SIZE", "MDTM", "TVFS", "EPSV", "MFMT", "LANG EN*"} <= set(said)
    assert "SITE MKDIR" in said and "SITE CHMOD" in said and "SITE SYMLINK" in said
    assert not any(line.startswith(("AUTH", "HOST", "PBSZ", "PROT")) for line in said)
    client.cmds(("AUTH TLS", 502), ("LANG", 200), ("OPTS UTF8 ON", 200),
                ("OPTS MLST type;size;modify;UNIX.mode;UNIX.uid;UNIX.gid;", 200),
                ("CLNT lftp/4.9.2", 200), ("USER alice", 331), (f"PASS {ALICE}", 230),
                ("PWD", 257), ("TYPE I", 200))
    assert "inside" in " ".join(client.list("d", "MLSD"))
    client.cmds(("SITE MKDIR a/b/c", 200), ("ALLO 2", (200, 202)))
    client.stor("a/b/c/up", b"up")
    client.cmds(("MFMT 20240131123456 a/b/c/up", 213), ("SITE CHMOD 644 a/b/c/up", 200),
                ("SITE UTIME 20240131123456 a/b/c/up", 200))
    client.cmds(('SITE SYMLINK a/b/c "a link"', 200), ("SIZE a link/up", 213), ("DELE a link", 250))
    client.cmds(("PRET RETR f.txt", 200), ("QUIT", 221))


def test_winscp(client, site):
    client.cmds(("USER alice", 331), (f"PASS {ALICE}", 230), ("SYST", 215))
    said = features(client)
    assert any(line.startswith("HASH ") for line in said) and "AVBL" in said
    client.cmds(("CLNT WinSCP-release-6.3", 200), ("OPTS UTF8 ON", 200), ("PWD", 257),
                ("CWD /home/alice", 250), ("PWD", 257), ("TYPE A", 200))
    assert "f.txt" in client.names("-a")
    client.cmds(("TYPE I", 200), ("AVBL /home/alice", 213), ("OPTS REST STOR", 200),
                ("SITE HELP", 214), ("HASH f.txt", 213), ('XSHA1 "f.txt"', 250),
                ("XCRC f.txt", 250))
    client.stor("up", b"up")
    client.cmds(("MFMT 20240131123456 up", 213), ("MDTM 20240131123456 up", 213),
                ("SITE SYMLINK f.txt link", 200), ("SITE CPFR f.txt", 350),
                ("SITE CPTO g.txt", 250), ("QUIT", 221))


def test_total_commander(client, site):
    client.cmds(("USER alice", 331), (f"PASS {ALICE}", 230), ("SYST", 215), ("FEAT", 211),
                ("CLNT Total Commander (UTF-8)", 200), ("OPTS UTF8 ON", 200), ("PWD", 257),
                ("TYPE A", 200))
    assert "type=dir" in " ".join(client.list("", "MLSD"))
    client.cmd("TYPE I", 200)
    client.stor("up", b"up")
    client.cmds(("MDTM 20240131123456 up", 213), ("MDTM up", 213), ("QUIT", 221))


def test_curl(client, site):
    client.cmds(("USER alice", 331), (f"PASS {ALICE}", 230), ("PWD", 257), ("CWD d", 250))
    address = client.epsv_address()
    sock = client.connect_data(address)
    client.cmds(("TYPE I", 200), ("SIZE inside", 213))
    assert re.search(r"\(6 bytes\)", client.cmd("RETR inside", 150).text)
    assert receive_all(sock) == b"inside"
    client.reply(226)
    client.cmds(("MDTM inside", 213), ("REST 0", 350), ("QUIT", 221))


def test_bsd_client_that_falls_back(ftpd, site):
    """Where EPRT is refused the old ones try LPRT; then they have to be told that it is unknown."""
    client = ftpd().connect()
    client.cmds(("AUTH GSSAPI", 502), ("USER alice", 331), (f"PASS {ALICE}", 230), ("SYST", 215),
                ("FEAT", 211), ("EPRT |9|127.0.0.1|50000|", 522),
                ("LPRT 4,4,127,0,0,1,2,195,80", 502), ("LPSV", 502))
    assert client.retr("f.txt", "port") == b"content"


def test_clients_that_ask_for_a_virtual_host(client):
    client.cmds(("HOST ftp.example.com", 502), ("USER alice", 331), (f"PASS {ALICE}", 230),
                ("HOST ftp.example.com", 502))
    client.in_step()
