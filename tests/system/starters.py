"""What starts the daemon instead of a shell: inetd, a service manager; and a syslog that listens."""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import ftpd as daemon_under_test
import procs
from ftpraw import DEADLINE_SEC, Client

SYSLOG_SIZE = 65536


@contextlib.contextmanager
def syslog():
    """A /dev of its own with a /dev/log; gives a function that returns the messages so far."""
    messages = []
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/dev"], check=True)
    try:
        for name, minor in (("null", 3), ("zero", 5), ("random", 8), ("urandom", 9)):
            os.mknod(f"/dev/{name}", 0o666 | 0o020000, os.makedev(1, minor))
            os.chmod(f"/dev/{name}", 0o666)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind("/dev/log")
            os.chmod("/dev/log", 0o666)
            sock.setblocking(False)

            def received():
                with contextlib.suppress(BlockingIOError):
                    while True:
                        messages.append(sock.recv(SYSLOG_SIZE).decode(errors="replace"))
                return "\n".join(messages)

            yield received
    finally:
        subprocess.run(["umount", "--lazy", "/dev"], check=True)


class Inetd:
    """A tiny inetd: each client's connection becomes descriptors 0, 1 and 2 of a new process."""

    def __init__(self, directory, host="127.0.0.1", port=21, arguments=(), **options):
        self.directory = Path(directory)
        self.log_path = self.directory / "inetd.log"
        self.conf_path = self.directory / "inetd.conf"
        self.arguments = arguments
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, port), family=family)
        self.listener.settimeout(DEADLINE_SEC)
        self.address = (host, port)
        self.clients = []
        self.processes = []
        options = {**daemon_under_test.BASE, "listen": "NO", "vsftpd_log_file": str(self.log_path),
                   **options}
        lines = [f"{name}={value}\n" for name, value in options.items() if value is not None]
        self.conf_path.write_text("".join(lines))

    @property
    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def accept(self, **popen):
        """Start the program for the next client; the process is the last one of `processes`."""
        sock, _ = self.listener.accept()
        with sock:
            standard = {"stdin": sock, "stdout": sock, "stderr": sock, **popen}
            self.processes.append(subprocess.Popen(
                [daemon_under_test.PROGRAM, str(self.conf_path), *self.arguments], cwd="/",
                **standard))
        return self.processes[-1]

    def connect(self, source=None):
        """A client for whom the program was started; nothing has been read from it yet."""
        client = Client(*self.address, source)
        self.clients.append(client)
        self.accept()
        return client

    def close(self):
        """Close all; returns what was wrong: exit statuses, and processes that stay."""
        for client in self.clients:
            client.close()
        self.listener.close()
        problems = []
        for process in self.processes:
            try:
                code = process.wait(DEADLINE_SEC)
            except subprocess.TimeoutExpired:
                problems.append(f"{process.pid} runs on: {procs.descendants(process.pid)}")
                process.kill()
                continue
            if code not in (0, -signal.SIGKILL):
                problems.append(f"{process.pid} ended with {code}")
        lines = self.log.splitlines()
        return problems + [line for line in lines if daemon_under_test.ALARMS.search(line)]


def passing(sockets, prefix=()):
    """A command line in front of the program that passes `sockets` as systemd does, and what
    subprocess.Popen has to know of it."""
    moves = " ".join(f"{number}<&{sock.fileno()}" for number, sock in enumerate(sockets, 3))
    closes = " ".join(f"{sock.fileno()}<&-" for sock in sockets
                      if sock.fileno() >= 3 + len(sockets))
    assert all(sock.fileno() > 9 for sock in sockets), "numbers that are in the way"
    script = f'export LISTEN_PID=$$ LISTEN_FDS={len(sockets)}; exec "$@" {moves} {closes}'
    return ["/bin/bash", "-c", script, "sh", *prefix], {
        "pass_fds": [sock.fileno() for sock in sockets]}


def high(sock):
    """The socket with a number that is in nobody's way."""
    number = fcntl.fcntl(sock.fileno(), fcntl.F_DUPFD_CLOEXEC, 100)
    moved = socket.socket(fileno=number)
    sock.close()
    return moved


class Manager:
    """A service manager that listens for what the daemon tells it."""

    def __init__(self, name):
        """`name`: a path, or "@" and an abstract name."""
        self.name = str(name)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("\0" + self.name[1:] if self.name.startswith("@") else self.name)
        self.sock.settimeout(DEADLINE_SEC)

    @property
    def environment(self):
        return {**os.environ, "NOTIFY_SOCKET": self.name}

    def told(self):
        """The assignments of the next message."""
        lines = self.sock.recv(4096).decode().split("\n")
        return dict(line.split("=", 1) for line in lines)

    def nothing(self):
        """True if there is no message now."""
        self.sock.setblocking(False)
        try:
            self.sock.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self.sock.settimeout(DEADLINE_SEC)
        return False

    def close(self):
        self.sock.close()
        if self.name.startswith("/"):
            os.unlink(self.name)


def copy_program(directory):
    """The program, with the one that it cannot do without, where everybody may start it."""
    path = Path(directory) / "miniftpd"
    for name in ("", "-auth"):
        shutil.copy(f"{daemon_under_test.PROGRAM}{name}", f"{path}{name}")
        Path(f"{path}{name}").chmod(0o755)
    return path
