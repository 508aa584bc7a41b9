"""The servers, with settings that are equal where they cost or save time; README.md lists them.

Each runs in a network namespace of its own, so all of them have the ports 21 and 20 at once, and in
a control group of its own. What is shared with the comparison of replies is in tests/peers.
"""

import os
import re
import subprocess
from pathlib import Path

import meter
import servers
from ftpd import listening_ports
from servers import FETCHED, WORK

TREE = Path.cwd()
SESSIONS = "4000"
ENTRIES = "2000000"
CERTIFICATE = WORK / "certificate.pem"
FLOOR = "bare loop"
# Where client and server meet in rows that one connection is enough for; see README.md.
ONE_CORE = str(max(os.sched_getaffinity(0)))

# Default of vsftpd and miniftpd: 50 sessions of one address, and no ASCII.
COMMON = {"listen": "YES", "listen_ipv6": "NO", "anonymous_enable": "YES", "local_enable": "YES",
          "write_enable": "YES", "connect_from_port_20": "YES", "max_clients": SESSIONS,
          "max_per_ip": SESSIONS, "ascii_download_enable": "YES", "ascii_upload_enable": "YES",
          "xferlog_enable": "YES",
          "secure_chroot_dir": WORK / "empty"}
# Namespaces per session cost vsftpd half as much again at each login; it competes without.
VSFTPD = COMMON | {"background": "NO", "pam_service_name": "vsftpd",
                   "isolate": "NO", "isolate_network": "NO"}
TLS = {"ssl_enable": "YES", "allow_anon_ssl": "YES", "force_local_logins_ssl": "NO",
       "force_local_data_ssl": "NO", "rsa_cert_file": CERTIFICATE}
# Its own default is DES.
VSFTPD_TLS = TLS | {"ssl_ciphers": "HIGH"}

PROFTPD_TLS = f"""
LoadModule mod_tls.c
TLSEngine on
TLSRequired off
TLSRSACertificateFile {CERTIFICATE}
TLSRSACertificateKeyFile {CERTIFICATE}
"""

# The shell that becomes the server: first it enters the control group and prepares its network.
LAUNCH = """
[ -z "$1" ] || echo $$ >"$1/cgroup.procs" || exit 1
shift
ip link set lo up || exit 1
echo reno >/proc/sys/net/ipv4/tcp_congestion_control
echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save
exec "$@"
"""


def prepare_miniftpd(tls):
    """The configuration that is installed, and what equality demands."""
    options = COMMON | (TLS if tls else {})
    return [os.environ["MINIFTPD"], str(TREE / "miniftpd.conf"),
            *(f"-o{name}={value}" for name, value in options.items())]


def prepare_vsftpd(tls):
    """As for the comparison of replies, with other options."""
    arguments = servers.prepare_vsftpd()
    options = VSFTPD | (VSFTPD_TLS if tls else {})
    Path(arguments[1]).write_text("".join(f"{name}={value}\n" for name, value in options.items()))
    return arguments


def prepare_pureftpd(tls):
    """Debian's configuration writes a log of transfers; the other options are limits."""
    Path("/var/log/pure-ftpd").mkdir(exist_ok=True)
    return [*servers.prepare_pureftpd(), "-c", SESSIONS, "-C", SESSIONS, "-L", f"{ENTRIES}:8",
            "-O", "clf:/var/log/pure-ftpd/transfer.log",
            *(("-Y", "1", "-2", str(CERTIFICATE)) if tls else ())]


def prepare_proftpd(tls):
    """Debian's configuration with room for the sessions."""
    arguments = servers.prepare_proftpd()
    modules = WORK / "modules"
    modules.mkdir(exist_ok=True)
    for module in FETCHED.glob("proftpd-*/usr/lib/proftpd/*.so"):
        link = modules / module.name
        if not link.is_symlink():
            link.symlink_to(module)
    conf, modules_conf = WORK / "proftpd.conf", WORK / "modules.conf"
    modules_conf.write_text(re.sub(r"(?m)^ModulePath .*", f"ModulePath {modules}",
                                   modules_conf.read_text()))
    conf.write_text(re.sub(r"(?m)^MaxInstances .*", f"MaxInstances {SESSIONS}", conf.read_text()) +
                    (PROFTPD_TLS if tls else ""))
    return arguments


class Contestant(servers.Server):
    """One server of a row: start() it, measure it, end() it."""

    def __init__(self, name, prepare, package=None):
        super().__init__(name, None, package)
        self.prepare_for = prepare
        self.group = None
        self.confine = []

    def begin(self, parent, tls, spread=False):
        """Start it in a control group below `parent`; it and its clients on one core, or `spread`."""
        self.confine = [] if spread else ["taskset", "--cpu-list", ONE_CORE]
        self.prepare = lambda: self.prepare_for(tls)
        self.group = meter.Group(parent, re.sub(r"\W", "", self.name))
        try:
            self.start()
        except Exception:
            self.group.root_pid = self.process and self.process.pid
            self.end()
            raise
        self.group.root_pid = self.process.pid

    def end(self):
        """End it with all its sessions, and wait for that."""
        if self.process and self.process.poll() is None:
            self.stop()
        if self.group:
            self.group.kill()
        self.group = self.process = None

    def launch(self, arguments):
        group = str(self.group.path or "")
        return ["unshare", "--net", "--", "sh", "-c", LAUNCH, "sh", group, *self.confine, *arguments]

    def listens(self):
        try:
            return servers.PORT in listening_ports(self.process.pid)
        except (FileNotFoundError, ProcessLookupError, OSError):
            return False

    def inside(self, *command):
        """A command in the network of this server, and on its core."""
        return ["nsenter", f"--net=/proc/{self.process.pid}/ns/net", "--", *self.confine,
                *map(str, command)]

    def refuses_tls(self):
        """The reply to AUTH TLS, if it is a refusal."""
        program = ("import ftplib; ftp = ftplib.FTP('127.0.0.1', timeout=20);"
                   "print(ftp.sendcmd('AUTH TLS'))")
        done = subprocess.run(self.inside("/usr/bin/python3", "-c", program), text=True,
                              check=False, capture_output=True)
        return None if done.stdout.startswith("234") else done.stderr.strip().split("\n")[-1]


class Floor(Contestant):
    """A bare kernel loop, which stands beside a row."""

    def __init__(self, program, arguments, tls):
        arguments = [program, arguments[0], "--port", str(servers.PORT), *arguments[1:]]
        if tls:
            arguments += ["--cert", str(CERTIFICATE)]
        super().__init__(FLOOR, lambda tls: arguments)


def make_certificate():
    """A certificate with its key, for all servers."""
    WORK.mkdir(exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", WORK / "key", "-out", WORK / "crt"],
                   check=True, stderr=subprocess.DEVNULL)
    CERTIFICATE.write_text((WORK / "key").read_text() + (WORK / "crt").read_text())
    CERTIFICATE.chmod(0o600)


def all_contestants():
    """miniftpd first, then the peers."""
    return [Contestant("miniftpd", prepare_miniftpd),
            Contestant("vsftpd", prepare_vsftpd, "vsftpd"),
            Contestant("Pure-FTPd", prepare_pureftpd, "pure-ftpd"),
            Contestant("ProFTPD", prepare_proftpd, "proftpd-core")]
