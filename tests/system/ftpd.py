"""Start, watch and stop the daemon under test."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import accounts
import procs
from ftpraw import Client

PROGRAM = os.environ.get("MINIFTPD", "miniftpd")
TLS_NAME = "miniftpd-tls"  # of the programs beside it
AUTH_NAME = "miniftpd-auth"

# What every configuration of a test starts from; None leaves an option out.
BASE = {
    "listen": "YES",
    "anonymous_enable": "YES",
    "local_enable": "YES",
    "write_enable": "YES",
    "delay_failed_login": "0",
    "xferlog_enable": "YES",
    "secure_chroot_dir": "/run/empty",
}

# No test provokes these: sanitizers, our own assertions, and a filter that does not fit.
ALARMS = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|\bBUG\b|SIGSYS|Bad system call|"
                    r"ended by signal (?:4|5|6|7|8|11|31)\b|seccomp.*(?:kill|violat|denied|fail)")


def listening_ports(pid="self"):
    """The TCP ports on which someone in the network namespace of a process listens."""
    ports = set()
    for table in (f"/proc/{pid}/net/tcp", f"/proc/{pid}/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


class Killed:
    """Stands for a listener that was killed on purpose, so that its end is no fault."""

    def poll(self):
        return 0

    def wait(self, timeout=None):
        return 0


class Ftpd:
    """One running daemon. Its files are in `directory`; its clients are closed with it."""

    def __init__(self, directory, options, arguments=(), prefix=(), **popen):
        directory.mkdir()
        self.conf_path = directory / "ftpd.conf"
        self.log_path = directory / "ftpd.log"
        self.stderr_path = directory / "stderr"
        self.options = {**BASE, "vsftpd_log_file": str(self.log_path), **options}
        self.port = int(self.options.get("listen_port") or 21)
        self.clients = []
        self.write_conf()
        with open(self.stderr_path, "wb") as output:
            self.process = subprocess.Popen(
                [*prefix, PROGRAM, str(self.conf_path), *arguments], stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, **{"cwd": "/", **popen})
        self.pid = self.process.pid

    @property
    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    @property
    def log(self):
        """The native log so far; empty if there is none."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def write_conf(self, **changes):
        """Write the configuration file, with `changes` to the options from now on."""
        self.options.update(changes)
        lines = [f"{name}={value}\n" for name, value in self.options.items() if value is not None]
        self.conf_path.write_text("".join(lines))

    def wait_listening(self):
        """Wait until the daemon listens; an error with its messages if it ends instead."""
        def ready():
            return self.process.poll() is not None or self.port in listening_ports()

        assert procs.wait_for(ready, 10), f"does not listen on port {self.port}: {self.stderr}"
        assert self.process.poll() is None, f"ended at start: {self.stderr}"

    def reload(self, **changes):
        """Change options and send SIGHUP."""
        self.write_conf(**changes)
        self.process.send_signal(signal.SIGHUP)

    # Clients.

    def connect(self, host="127.0.0.1", source=None, greeting=220):
        """A client that has read the greeting."""
        client = Client(host, self.port, source)
        self.clients.append(client)
        client.reply(greeting)
        return client

    def login(self, name="alice", host="127.0.0.1", source=None):
        """A client that has logged in to one of the accounts."""
        client = self.connect(host, source)
        client.login(name, accounts.ALL[name].password)
        return client

    def anonymous(self, host="127.0.0.1", source=None):
        """A client that has logged in as anonymous."""
        client = self.connect(host, source)
        client.login("anonymous", "test@example.com")
        return client

    # Processes.

    def helpers(self):
        """The processes miniftpd-tls that the listener has started."""
        return [process for process in procs.children(self.pid) if process.name == TLS_NAME]

    def auth_helpers(self):
        """The processes miniftpd-auth that the listener has started."""
        return [process for process in procs.children(self.pid) if process.name == AUTH_NAME]

    def verifiers(self):
        """The process A of every login that is being checked."""
        return [one for helper in self.auth_helpers() for one in procs.children(helper.pid)]

    def relays(self):
        """The process R of every session with TLS."""
        return [relay for helper in self.helpers() for relay in procs.children(helper.pid)]

    def session_parents(self):
        """N of every session."""
        return [process for process in procs.children(self.pid)
                if process.name not in (TLS_NAME, AUTH_NAME)]

    def sessions(self):
        """(N, P or S) of every session, as processes; P or S is None while there is none."""
        pairs = []
        for parent in self.session_parents():
            below = procs.children(parent.pid)
            pairs.append((parent, below[0] if below else None))
        return pairs

    def only_session(self):
        """(N, P or S) of the one session there is."""
        def one():
            pairs = self.sessions()
            return pairs if len(pairs) == 1 and pairs[0][1] else None

        pairs = procs.wait_for(one)
        assert pairs, f"not one session: {self.sessions()}"
        return pairs[0]

    def wait_no_sessions(self, seconds=3):
        """Wait until L has no process of a session below it; returns those that stay."""
        def left():
            helpers = {helper.pid for helper in self.helpers() + self.auth_helpers()}
            return [one for one in procs.descendants(self.pid) if one.pid not in helpers]

        procs.wait_for(lambda: not left(), seconds)
        return left()

    # The end.

    def whole_log(self):
        """Close the clients and wait for the last word of their sessions; returns the native log."""
        self.close_clients()
        assert not self.wait_no_sessions()
        return self.log

    def close_clients(self):
        for client in self.clients:
            client.close()

    def stop(self):
        """Close the clients, end the daemon; returns a list of what was wrong."""
        problems = []
        self.close_clients()
        if self.process.poll() is None:
            left = self.wait_no_sessions()
            if left:
                problems.append(f"processes without a client: {left}")
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(1)
            if code != 0:
                problems.append(f"the daemon ended with {code}")
        except subprocess.TimeoutExpired:
            problems.append("the daemon runs on after SIGTERM")
            self.process.kill()
            self.process.wait()
        return problems + self.alarms()

    def kill(self):
        """Kill the listener, and nobody else."""
        self.process.kill()
        self.process.wait()
        self.process = Killed()

    def alarms(self):
        """The lines in log and messages that no test provokes."""
        lines = (self.stderr + self.log).splitlines()
        return [line for line in lines if ALARMS.search(line)]


class Factory:
    """Makes the daemons of one test, and holds them to their end."""

    def __init__(self, directory):
        self.directory = directory
        self.daemons = []
        self.before = set(procs.everyone())

    def __call__(self, *arguments, **options):
        """Start a daemon with `options` over the base configuration and wait until it listens."""
        daemon = self.start(*arguments, **options)
        daemon.wait_listening()
        return daemon

    def start(self, *arguments, **options):
        """Start a daemon without waiting for it; `arguments` follow the configuration file."""
        return self.start_by((), {}, *arguments, **options)

    def start_by(self, prefix, popen, *arguments, **options):
        """As start(), by another program in front (`prefix`) or with more for subprocess.Popen."""
        directory = self.directory / f"ftpd{len(self.daemons)}"
        daemon = Ftpd(directory, options, arguments, prefix, **popen)
        self.daemons.append(daemon)
        return daemon

    def finish(self):
        """Stop every daemon; returns what was wrong, a process that stayed behind included."""
        problems = []
        for daemon in self.daemons:
            problems += daemon.stop()

        def left():
            return [one for pid, one in procs.everyone().items() if pid not in self.before]

        procs.wait_for(lambda: not left(), 3)
        for process in left():
            problems.append(f"left behind: {process}")
            if process.state != "Z":
                os.kill(process.pid, signal.SIGKILL)
        shutil.rmtree(self.directory)
        return problems
