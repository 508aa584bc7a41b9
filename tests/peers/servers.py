"""The four servers, each with local users, writing, anonymous users, active and passive mode on.

Whatever else can be set has its default: the program's own, or that of the configuration file which
Debian ships. Only what would make the comparison slow is switched off: delays and name look-ups.
"""

import os
import re
import signal
import subprocess
from pathlib import Path

import procs
from ftpd import listening_ports

FETCHED = Path(".cache/peers").resolve()
WORK = Path("/run/peers")
PORT = 21

# Lines of Debian's proftpd.conf and modules.conf that do not fit here: what replaces them.
PROFTPD_CHANGES = {
    r"Include /etc/proftpd/modules\.conf": f"Include {WORK}/modules.conf",
    r"Include /etc/proftpd/conf\.d/": f"Include {WORK}/anonymous.conf",
    r"User proftpd": "User nobody",
    r"DelayEngine on": "DelayEngine off",
    r"UseIPv6 on": "UseIPv6 off",
    r"ModulePath .*": f"ModulePath {FETCHED}/proftpd-core/usr/lib/proftpd",
    # Shipped but not loaded; it has HASH. mod_ifsession wants to be the last.
    r"LoadModule mod_ifsession\.c": "LoadModule mod_digest.c\nLoadModule mod_ifsession.c",
}

PROFTPD_ANONYMOUS = """
UseReverseDNS off
AuthOrder mod_auth_unix.c
ScoreboardFile /run/peers/scoreboard
PidFile /run/peers/pid
<Anonymous ~ftp>
  User ftp
  Group ftp
  UserAlias anonymous ftp
  RequireValidShell off
  <Directory *>
    <Limit WRITE>
      DenyAll
    </Limit>
  </Directory>
</Anonymous>
"""

VSFTPD = """
listen=YES
listen_ipv6=NO
background=NO
anonymous_enable=YES
local_enable=YES
write_enable=YES
connect_from_port_20=YES
delay_failed_login=0
secure_chroot_dir=/run/peers/empty
pam_service_name=vsftpd
"""

MINIFTPD = """
listen=YES
anonymous_enable=YES
local_enable=YES
write_enable=YES
delay_failed_login=0
secure_chroot_dir=/run/peers/empty
vsftpd_log_file=/run/peers/miniftpd.log
"""


def debian_version(package):
    """The upstream part of the version of a fetched package."""
    for line in (FETCHED / "versions").read_text().splitlines():
        name, version = line.split()
        if name == package:
            return re.match(r"(?:\d+:)?([\d.]*\d)", version).group(1)
    raise LookupError(f"{package} is not in {FETCHED}/versions")


def prepare_miniftpd():
    (WORK / "miniftpd.conf").write_text(MINIFTPD)
    return [os.environ["MINIFTPD"], str(WORK / "miniftpd.conf")]


def prepare_vsftpd():
    (WORK / "vsftpd.conf").write_text(VSFTPD)
    Path("/etc/pam.d/vsftpd").write_text("auth required pam_unix.so\naccount required pam_unix.so\n"
                                         "session required pam_permit.so\n")
    return [str(FETCHED / "vsftpd/usr/sbin/vsftpd"), str(WORK / "vsftpd.conf")]


def prepare_pureftpd():
    Path("/run/pure-ftpd").mkdir(exist_ok=True)
    return [str(FETCHED / "pure-ftpd/usr/sbin/pure-ftpd"), "-H", "-4", "-l", "unix",
            "-g", str(WORK / "pure-ftpd.pid")]


def prepare_proftpd():
    shipped = FETCHED / "proftpd-core/usr/share/proftpd/templates"
    for name in ("proftpd.conf", "modules.conf"):
        text = (shipped / name).read_text()
        for pattern, replacement in PROFTPD_CHANGES.items():
            text = re.sub(rf"(?m)^(\s*){pattern}$", rf"\g<1>{replacement}", text)
        (WORK / name).write_text(text)
    (WORK / "anonymous.conf").write_text(PROFTPD_ANONYMOUS)
    for directory in ("/run/proftpd", "/var/log/proftpd"):
        Path(directory).mkdir(exist_ok=True)
    return [str(FETCHED / "proftpd-core/usr/sbin/proftpd"), "--nodaemon", "--quiet",
            "-c", str(WORK / "proftpd.conf")]


class Server:
    """One server: start() and stop() it; `name` and `version` are for people."""

    def __init__(self, name, prepare, package=None):
        self.name = name
        self.prepare = prepare
        self.version = debian_version(package) if package else ""
        self.process = None

    def start(self):
        """Start it and wait until it listens."""
        (WORK / "empty").mkdir(parents=True, exist_ok=True)
        arguments = self.prepare()
        output_path = WORK / f"{self.name}.out"
        with open(output_path, "wb") as output:
            self.process = subprocess.Popen(self.launch(arguments), stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output, cwd="/",
                                            start_new_session=True)

        def ready():
            return self.process.poll() is not None or self.listens()

        procs.wait_for(ready, 10)
        if self.process.poll() is not None or not self.listens():
            raise RuntimeError(f"{self.name} does not listen: {output_path.read_text()}")

    def launch(self, arguments):
        """The command that becomes the server, which itself is started by `arguments`."""
        return arguments

    def listens(self):
        """Does it take connections?"""
        return PORT in listening_ports()

    def stop(self):
        """End it, with the sessions that it still has."""
        below = procs.descendants(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        for process in below:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        procs.wait_for(lambda: not self.listens(), 5)


def all_servers():
    """miniftpd first, then the peers."""
    return [Server("miniftpd", prepare_miniftpd),
            Server("vsftpd", prepare_vsftpd, "vsftpd"),
            Server("Pure-FTPd", prepare_pureftpd, "pure-ftpd"),
            Server("ProFTPD", prepare_proftpd, "proftpd-core")]
