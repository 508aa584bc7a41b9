"""Real clients over TLS: lftp (GnuTLS), curl, openssl s_client and Python's ftplib."""

import ftplib
import io
import shlex
import subprocess

import pytest

import accounts
import certs
import ftpsraw
from clients import CONTENT, RESUME_AT, WAYS, Site, Way, make_tree, way_id

USER = "alice:" + accounts.ALL["alice"].password
KINDS = ["explicit", "implicit"]
SOME_WAYS = [Way("passive", "ipv4"), Way("active", "ipv6")]


class TlsSite(Site):
    """A site that is served over TLS only."""

    def __init__(self, ftpd, home, directory, way, kind="explicit", **options):
        more = {"implicit_ssl": "YES", "listen_port": "990"} if kind == "implicit" else {}
        super().__init__(ftpd, home, directory, way, **ftpsraw.options(**{**more, **options}))
        self.kind = kind
        self.scheme = "ftps" if kind == "implicit" else "ftp"

    def lftp(self, *commands, codes=(0,)):
        """One run of lftp."""
        if self.way == Way("active", "ipv6"):
            self.host = "fd00::1"  # on loopback lftp announces "::" where it listens
        settings = {"cmd:fail-exit": "yes", "net:max-retries": "2", "net:timeout": "10",
                    "xfer:clobber": "yes", "ftp:ssl-force": "yes", "ftp:ssl-protect-data": "yes",
                    "ssl:verify-certificate": "no",
                    "ftp:passive-mode": "yes" if self.passive else "no"}
        user = USER.replace(":", ",")
        lines = [f"set {name} {value}" for name, value in settings.items()]
        lines += ["debug -T 5", f"open -u {shlex.quote(user)} {self.scheme}://{self.url_host}/",
                  *commands]
        return self.run(["lftp", "--norc", "-c", "\n".join(lines) + "\n"], codes=codes)

    def curl(self, *arguments, codes=(0,)):
        """One run of curl."""
        mode = () if self.passive else ("--ftp-port", self.host)
        return self.run(["curl", "--disable", "--silent", "--show-error", "--verbose", "--globoff",
                         "--insecure", "--ssl-reqd", "--max-time", "20", "--user", USER, *mode,
                         *arguments], codes=codes)

    def url(self, name=""):
        """The address of a file in alice's home."""
        return f"{self.scheme}://{self.url_host}/{name}"


@pytest.fixture(params=WAYS, ids=way_id)
def site(request, ftpd, home, tmp_path):
    return TlsSite(ftpd, home, tmp_path, request.param)


@pytest.fixture(params=[(way, kind) for way in SOME_WAYS for kind in KINDS],
                ids=lambda param: f"{way_id(param[0])}-{param[1]}")
def either(request, ftpd, home, tmp_path):
    return TlsSite(ftpd, home, tmp_path, *request.param)


def test_lftp_mirrors_a_tree_there_and_back(site):
    make_tree(site.remote)
    site.lftp("mirror . there", "mkdir back", "mirror -R there back")
    site.same_tree(site.local / "there")
    site.same_tree(site.remote / "back")


def test_lftp_in_either_way(either):
    make_tree(either.remote)
    either.lftp("cls -1 -a", "mirror -P 4 . there")
    either.same_tree(either.local / "there")


def test_lftp_resumes(site):
    site.remote.file("big.bin", CONTENT)
    site.file_here("big.bin", CONTENT[:RESUME_AT])
    site.lftp("get -c big.bin")
    site.same_file(site.local / "big.bin", site.remote / "big.bin")


def test_lftp_checks_the_certificate(ftpd, home, tmp_path):
    site = TlsSite(ftpd, home, tmp_path, SOME_WAYS[0])
    site.remote.file("f", b"content")
    script = (f"set ssl:ca-file {certs.rsa().cert}; set net:max-retries 1; set cmd:fail-exit yes; "
              f"set ftp:ssl-force yes; open -u {USER.replace(':', ',')} ftp://127.0.0.1; cat f")
    assert "content" in site.run(["lftp", "--norc", "-c", script])


@pytest.fixture(params=[way for way in WAYS if way.mode == "passive"], ids=way_id)
def passive_site(request, ftpd, home, tmp_path):
    """curl before 8.0 does not encrypt data connections that it accepts."""
    return TlsSite(ftpd, home, tmp_path, request.param)


def test_curl_both_ways(passive_site):
    site = passive_site
    site.remote.file("big.bin", CONTENT)
    site.curl("--remote-name", site.url("big.bin"))
    site.same_file(site.local / "big.bin", site.remote / "big.bin")
    site.curl("--upload-file", "big.bin", site.url("up.bin"))
    site.same_file(site.remote / "up.bin", site.remote / "big.bin")
    site.curl("--list-only", site.url())
    assert "up.bin" in site.output


def test_curl_by_implicit_tls(ftpd, home, tmp_path):
    site = TlsSite(ftpd, home, tmp_path, SOME_WAYS[0], "implicit")
    site.remote.file("big.bin", CONTENT)
    site.curl("--remote-name", site.url("big.bin"))
    site.same_file(site.local / "big.bin", site.remote / "big.bin")
    site.curl("--upload-file", "big.bin", site.url("up.bin"))
    site.same_file(site.remote / "up.bin", site.remote / "big.bin")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_with_one_version(ftpd, home, tmp_path, version):
    """Many files over one connection: a session that is resumed again and again."""
    site = TlsSite(ftpd, home, tmp_path, SOME_WAYS[0])
    names = [f"f{number}" for number in range(30)]
    for name in names:
        site.remote.file(name, name.encode())
    site.curl(f"--tlsv{version}", "--tls-max", version, "--remote-name-all",
              *(site.url(name) for name in names))
    for name in names:
        site.same((site.local / name).read_bytes(), name.encode())


def test_curl_without_tls_is_refused(ftpd, home, tmp_path):
    site = TlsSite(ftpd, home, tmp_path, SOME_WAYS[0])
    site.run(["curl", "--disable", "--silent", "--user", USER, site.url()], codes=(67,))
    assert "OK LOGIN" not in site.daemon.log


def test_curl_with_a_client_certificate(ftpd, home, tmp_path):
    pair = certs.client()
    site = TlsSite(ftpd, home, tmp_path, SOME_WAYS[0], require_cert="YES", validate_cert="YES",
                   ca_certs_file=str(certs.authority().cert))
    site.remote.file("f", b"content")
    site.curl("--cert", pair.cert, "--key", pair.key, "--remote-name", site.url("f"))
    site.same((site.local / "f").read_bytes(), b"content")
    site.curl("--remote-name", site.url("f"), codes=(35, 56))


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_s_client(ftps, home, version):
    """openssl s_client speaks FTP up to AUTH, and has a user who types."""
    ftps(ssl_request_cert="NO")
    done = subprocess.run(
        ["openssl", "s_client", "-connect", "127.0.0.1:21", "-starttls", "ftp", "-crlf", "-quiet",
         version, "-CAfile", certs.rsa().cert, "-verify_return_error"],
        input=b"USER alice\nPASS secret-alice\nPWD\nQUIT\n", capture_output=True, timeout=20)
    for text in (b"331 ", b"230 ", b'257 "/home/alice"', b"221 "):
        assert text in done.stdout, done


class FtplibClient(ftplib.FTP_TLS):
    """ftplib.FTP_TLS as its manual shows it."""

    def get(self, name):
        content = io.BytesIO()
        self.retrbinary("RETR " + name, content.write)
        return content.getvalue()


class ResumingClient(FtplibClient):
    """The same with the session of the control connection, as people add it by hand."""

    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            conn = self.context.wrap_socket(conn, session=self.sock.session)
        return conn, size


def test_ftplib_cannot_resume(ftps, home):
    home.file("big.bin", CONTENT)
    ftps(require_ssl_reuse="NO")
    with FtplibClient(context=ftpsraw.context(), timeout=20) as ftp:
        ftp.connect("127.0.0.1")
        ftp.login("alice", "secret-alice")
        ftp.prot_p()
        assert ftp.get("big.bin") == CONTENT
        ftp.storbinary("STOR up.bin", io.BytesIO(CONTENT))
        assert (home / "up.bin").read_bytes() == CONTENT
        assert sorted(ftp.nlst()) == ["big.bin", "up.bin"]


def test_ftplib_is_refused_where_it_has_to_resume(ftps, home):
    home.file("f", b"content")
    ftps()
    ftp = FtplibClient(context=ftpsraw.context(), timeout=20)
    ftp.connect("127.0.0.1")
    ftp.login("alice", "secret-alice")
    ftp.prot_p()
    with pytest.raises((ftplib.error_perm, OSError)):
        ftp.get("f")
    ftp.close()


def test_ftplib_with_the_session_by_hand(ftps, home):
    home.file("big.bin", CONTENT)
    ftps()
    with ResumingClient(context=ftpsraw.context(), timeout=20) as ftp:
        ftp.connect("127.0.0.1")
        ftp.login("alice", "secret-alice")
        ftp.prot_p()
        for _ in range(5):
            assert ftp.get("big.bin") == CONTENT
            ftp.storbinary("STOR up.bin", io.BytesIO(CONTENT))
        assert (home / "up.bin").read_bytes() == CONTENT
