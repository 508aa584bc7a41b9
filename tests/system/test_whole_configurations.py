"""The files of tests/configs, each started as it is and used by a real client."""

import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

import accounts
import certs
import procs
from ftpd import PROGRAM, Ftpd
from starters import Inetd

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
INSTALLED = Path("/etc/vsftpd.conf")
PASSWORD = accounts.ALL["alice"].password
SERVERS = ("webdata", "archive")  # accounts that some of the files name


class Whole(Ftpd):
    """A daemon whose configuration is one of the files, in the place where vsftpd has it."""

    def __init__(self, name):
        shutil.copyfile(CONFIGS / name, INSTALLED)
        self.clients = []
        self.port = 21
        self.options = {}
        self.log_path = Path("/var/log/vsftpd.log")
        self.stderr_path = Path("/run/whole.stderr")
        with open(self.stderr_path, "wb") as output:
            self.process = subprocess.Popen([PROGRAM, str(INSTALLED)], stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output, cwd="/")
        self.pid = self.process.pid
        self.wait_listening()


@pytest.fixture
def server():
    """server("name.conf") starts the daemon; it must stop in order."""
    started = []

    def start(name):
        started.append(Whole(name))
        return started[-1]

    yield start
    problems = [problem for daemon in started for problem in daemon.stop()]
    assert not problems, "\n".join(problems)


@pytest.fixture(autouse=True)
def machine():
    """The accounts that the files name, and nothing of the log files of the test before."""
    added = {}
    for name, line in (("/etc/passwd", "{0}:x:{1}:{1}::/srv/{0}:/usr/sbin/nologin\n"),
                       ("/etc/shadow", "{0}:*:19000::::::\n"), ("/etc/group", "{0}:x:{1}:\n")):
        added[name] = Path(name).read_text()
        Path(name).write_text(added[name] + "".join(
            line.format(server, 980 + i) for i, server in enumerate(SERVERS)))
    yield
    for name, text in added.items():
        Path(name).write_text(text)
    for path in Path("/srv").iterdir():
        if path.name != "ftp":
            shutil.rmtree(path)
    for path in Path("/var/log").iterdir():
        if path.is_file():
            path.unlink()


def run(*command, code=0, **keywords):
    """Run a client; its output."""
    result = subprocess.run(command, capture_output=True, timeout=30, **keywords)
    assert result.returncode == code, (command, result.stdout[-2000:], result.stderr[-2000:])
    return result.stdout


def curl(*arguments, user=None, code=0):
    credentials = ("--user", user) if user else ()
    return run("curl", "--silent", "--show-error", "--disable", *credentials, *arguments, code=code)


def lftp(*commands, code=0):
    settings = "set cmd:fail-exit true; set net:max-retries 1; set net:timeout 10; "
    return run("lftp", "--norc", "-c", settings + "; ".join(commands), code=code).decode()


def directory(path, owner=0, mode=0o755, **files):
    """Make a directory of an account, with files in it."""
    path = Path(path)
    path.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (path / name).write_bytes(content)
        os.chown(path / name, owner, owner)
    path.chmod(mode)
    os.chown(path, owner, owner)
    return path


def wait_in(path, pattern):
    """Wait for a line in a log: it is written after the reply."""
    assert procs.wait_for(lambda: Path(path).exists() and re.search(
        pattern, Path(path).read_text(), re.MULTILINE)), (path, pattern)


def check(name, code=0):
    """What -t says about a file."""
    result = subprocess.run([PROGRAM, "-t", CONFIGS / name], capture_output=True, text=True,
                            timeout=10)
    assert result.returncode == code, result
    return result.stdout + result.stderr


def test_each_file_is_tested():
    """Every file stands in a test of its own below."""
    text = Path(__file__).read_text()
    for path in CONFIGS.glob("*.conf"):
        assert len(re.findall(rf'"{re.escape(path.name)}"', text)) >= 1, path.name


def test_anonymous_mirror(server, tmp_path):
    top = directory("/srv/mirror", readme=b"public\n")
    (top / ".message").write_bytes(b"Welcome to the mirror.\n")
    (top / "list.private").write_bytes(b"not public\n")
    directory(top / "pool", **{"file1": b"1" * 100_000, "file2": b"2" * 10})
    Path("/etc/mirror-banner").write_text("A mirror\nof everything\n")
    daemon = server("anonymous-mirror.conf")
    assert daemon.connect().cmd("USER anonymous", 230).lines[0] == "230-Welcome to the mirror."
    lftp(f"open ftp://127.0.0.1; mirror / {tmp_path}/copy")
    assert (tmp_path / "copy/pool/file1").read_bytes() == b"1" * 100_000
    assert not (tmp_path / "copy/list.private").exists()
    curl("ftp://127.0.0.1/list.private", code=78)
    curl("--upload-file", "/etc/hostname", "ftp://127.0.0.1/x", code=25)
    wait_in("/var/log/xferlog", r" 100000 /pool/file1 b _ o a \S+ ftp 0 \* c$")


def test_web_hosting(server, home):
    directory("/etc/vsftpd/users")
    Path("/etc/vsftpd.chroot_list").write_text("bob\n")
    Path("/etc/vsftpd.user_list").write_text("carol\n")
    Path("/etc/vsftpd/users/alice").write_text("local_umask=077\nhide_file={*.tmp}\n")
    home.file("index.html", b"<html>")
    home.file("x.tmp", b"")
    daemon = server("web-hosting.conf")
    listing = lftp(f"open ftp://alice:{PASSWORD}@127.0.0.1; pwd; put /etc/hostname -o new; cls")
    assert listing.splitlines()[0].endswith("@127.0.0.1/") or "/" in listing
    assert listing.split()[-2:] == ["index.html", "new"]
    assert home.path.joinpath("new").stat().st_mode & 0o777 == 0o600
    assert daemon.login("bob").pwd() == "/home/bob"
    daemon.connect().cmd("USER carol", 530)
    assert daemon.connect().cmd("USER alice", 331)
    assert "carol" in daemon.log
    wait_in("/var/log/xferlog", r" /new b _ i r alice ftp 0 \* c$")
    wait_in("/var/log/vsftpd.log", r"\[alice\] OK UPLOAD")
    check("web-hosting.conf")


def test_virtual_users(server, tmp_path):
    uid = 980
    sites = directory("/srv/sites")
    for name in ("shop", "blog"):
        directory(sites / name, uid, **{f"{name}.html": name.encode()})
        run(PROGRAM, "--passwd", "/etc/ftp-users", name, input=f"pw-{name}\n".encode())
    with open("/etc/ftp-users", "a") as users:
        users.write("# set by hand:\n")
    server("virtual-users.conf")
    assert curl("ftp://127.0.0.1/shop.html", user="shop:pw-shop") == b"shop"
    curl("ftp://127.0.0.1/shop.html", user="shop:pw-blog", code=67)
    curl("ftp://127.0.0.1/shop.html", user=f"alice:{PASSWORD}", code=67)
    curl("--upload-file", "/etc/hostname", "ftp://127.0.0.1/up", user="blog:pw-blog")
    status = (sites / "blog/up").stat()
    assert (status.st_uid, status.st_mode & 0o777) == (uid, 0o640)
    curl("ftp://127.0.0.1/../../shop/shop.html", "--path-as-is", user="blog:pw-blog", code=9)
    Path("/etc/ftp-users").unlink()


def test_behind_nat(server, home):
    home.file("f", b"content")
    daemon = server("behind-nat.conf")
    assert curl("ftp://127.0.0.1/f", user=f"alice:{PASSWORD}") == b"content"
    inside = daemon.login()
    assert inside.cmd("PASV", 227).text.split("(")[1].startswith("127,0,0,1,")
    try:
        subprocess.run(["ip", "address", "add", "10.9.8.7/32", "dev", "lo"], check=True)
        outside = daemon.connect(host="10.9.8.7", source="10.9.8.7")
        outside.login("alice", PASSWORD)
        reply = outside.cmd("PASV", 227).text
        assert "203,0,113,10," in reply
        high, low = re.search(r",(\d+),(\d+)\)", reply).groups()
        assert 21100 <= int(high) * 256 + int(low) <= 21110
        outside.close()
    finally:
        subprocess.run(["ip", "address", "del", "10.9.8.7/32", "dev", "lo"], check=True)
    wait_in(daemon.stderr_path, "OK LOGIN")  # the log is standard output


def test_drop_box(server):
    top = directory("/srv/dropbox")
    ftp = accounts.ALL["ftp"].uid
    incoming = directory(top / "incoming", ftp, 0o733)
    directory("/srv/archive")
    server("drop-box.conf")
    target = "ftp://127.0.0.1/incoming/"
    curl("--upload-file", "/etc/passwd", target + "report.txt")
    status = (incoming / "report.txt").stat()
    assert (status.st_uid, status.st_mode & 0o777) == (981, 0o640)
    curl(target + "report.txt", code=78)                              # nobody takes it away
    curl("--upload-file", "/etc/hostname", target + "report.txt", code=25)  # or overwrites it
    curl("--upload-file", "/etc/hostname", target + "program.exe", code=25)
    curl("--upload-file", "/etc/hostname", target + "deep/report.txt", "--ftp-create-dirs",
         code=9)
    big = Path("/tmp/big.zip")
    with open(big, "wb") as out:
        out.truncate(11 << 20)
    result = subprocess.run(["curl", "-sS", "-T", big, target], capture_output=True, timeout=30)
    assert result.returncode in (55, 70)  # 552, or the reset that came with it
    assert sorted(os.listdir(incoming)) == ["report.txt"]
    big.unlink()


def test_camera_uploads(server):
    alice = accounts.ALL["alice"]
    camera = directory("/srv/cameras/alice", alice.uid)
    daemon = server("camera-uploads.conf")
    picture = Path("/tmp/picture.jpg")
    picture.write_bytes(b"\xff\xd8" * 50_000)
    curl("--upload-file", picture, "--ftp-create-dirs", "ftp://127.0.0.1/2026-11-22/1.jpg",
         user=f"alice:{PASSWORD}")
    curl("--upload-file", picture, "ftp://127.0.0.1/1.exe", user=f"alice:{PASSWORD}", code=25)
    curl("ftp://127.0.0.1/2026-11-22/1.jpg", user=f"alice:{PASSWORD}", code=78)
    stored = camera / "2026-11-22/1.jpg"
    assert stored.read_bytes() == picture.read_bytes()
    assert stored.stat().st_mode & 0o777 == 0o640
    client = daemon.login()
    client.cmd("DELE 2026-11-22/1.jpg", 550)
    client.cmd("MKD x", 257)
    wait_in("/var/log/ftp.json", r'"event":"mkdir".*"path":"/x"')
    records = [json.loads(line) for line in Path("/var/log/ftp.json").read_text().splitlines()]
    assert [one for one in records if one.get("path") == "/2026-11-22/1.jpg"]
    picture.unlink()


def test_read_only_archive(server, tmp_path):
    top = directory("/srv/archive", 981, **{"members.txt": b"only for members\n"})
    (top / "members.txt").chmod(0o640)
    directory(top / "2025", 981, report=b"r" * 300_000)
    daemon = server("read-only-archive.conf")
    copy = tmp_path / "copy"
    lftp(f"open ftp://alice:{PASSWORD}@127.0.0.1; mirror / {copy}")
    assert (copy / "members.txt").read_bytes() == b"only for members\n"
    assert (copy / "2025/report").read_bytes() == b"r" * 300_000
    curl("--upload-file", "/etc/hostname", "ftp://127.0.0.1/x", user=f"alice:{PASSWORD}", code=25)
    client = daemon.login()
    for line in ("DELE members.txt", "MKD x", "RNFR members.txt", "SITE CHMOD 777 members.txt"):
        client.cmd(line, 550)
    wait_in("/var/log/xferlog", r" 300000 /2025/report b _ o g alice ftp 0 \* c$")
    titles = [Path(f"/proc/{one.pid}/cmdline").read_bytes()
              for one in procs.descendants(daemon.pid)]
    assert any(b"alice" in title for title in titles)


def test_ipv6_only(server, home):
    home.file("f", b"content")
    server("ipv6-only.conf")
    assert curl("ftp://[fd00::1]/f", user=f"alice:{PASSWORD}") == b"content"
    for mode in ("on", "off"):
        out = lftp(f"set ftp:passive-mode {mode}",
                   f"open ftp://alice:{PASSWORD}@[fd00::1]; put /etc/hostname -o {mode}; cls")
        assert mode in out.split()
    curl("ftp://127.0.0.1/f", user=f"alice:{PASSWORD}", code=7)


def test_inetd(home, tmp_path):
    home.file("f", b"content")
    inetd = Inetd(tmp_path)
    shutil.copyfile(CONFIGS / "inetd.conf", inetd.conf_path)
    try:
        for _ in range(2):
            accepting = threading.Thread(target=inetd.accept)
            accepting.start()
            assert curl("ftp://127.0.0.1/f", user=f"alice:{PASSWORD}") == b"content"
            accepting.join()
    finally:
        assert not inetd.close()


def test_tls_only(server, home):
    """Nothing is served in the clear, and without a certificate nothing at all."""
    assert "rsa_cert_file" in check("tls-only.conf", code=2)
    pem = Path("/etc/ssl/private/vsftpd.pem")
    pem.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(certs.rsa().both, pem)
    assert "CN=server-rsa" in check("tls-only.conf")
    server("tls-only.conf")
    home.file("f", b"content")
    encrypted = ("--ssl-reqd", "--cacert", str(pem))
    assert curl("ftp://127.0.0.1/f", *encrypted, user=f"alice:{PASSWORD}") == b"content"
    curl("ftp://127.0.0.1/f", user=f"alice:{PASSWORD}", code=67)  # login denied
