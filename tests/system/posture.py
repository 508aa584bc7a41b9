"""What a process may do and what it holds, as /proc shows it."""

import fcntl
import os
import re
import stat
from pathlib import Path

import procs

# Bits of <linux/capability.h>; others are shown by their number.
CAPABILITIES = {
    0: "CHOWN", 2: "DAC_READ_SEARCH", 5: "KILL", 6: "SETGID", 7: "SETUID", 8: "SETPCAP",
    10: "NET_BIND_SERVICE", 18: "SYS_CHROOT",
}

LISTEN = "0A"
SEQPACKET = "0005"
O_CLOEXEC = 0o2000000


def capabilities(pid, which):
    """The names in one set: "Inh", "Prm", "Eff", "Bnd" or "Amb"."""
    bits = int(procs.status(pid)["Cap" + which], 16)
    return {CAPABILITIES.get(bit, bit) for bit in range(64) if bits >> bit & 1}


def ids(pid, which):
    """The four ids that "Uid" or "Gid" shows."""
    return [int(number) for number in procs.status(pid)[which].split()]


def groups(pid):
    """The supplementary groups."""
    return {int(number) for number in procs.status(pid)["Groups"].split()}


def filters(pid):
    """The number of system call filters in force; 0 if that is not the mode of the process."""
    status = procs.status(pid)
    return int(status["Seccomp_filters"]) if status["Seccomp"] == "2" else 0


def no_new_privileges(pid):
    return procs.status(pid)["NoNewPrivs"] == "1"


def is_dumpable(pid):
    """False if /proc shows the process as one that nobody but root may look into."""
    return os.stat(f"/proc/{pid}/fd").st_uid == ids(pid, "Uid")[1]


def limit(pid, name):
    """A resource limit by its name in /proc, as (soft, hard); None stands for no limit."""
    text = Path(f"/proc/{pid}/limits").read_text()
    match = re.search(rf"^{re.escape(name)} +(\S+) +(\S+)", text, re.MULTILINE)
    return tuple(None if word == "unlimited" else int(word) for word in match.groups())


def root(pid):
    return os.readlink(f"/proc/{pid}/root")


def cwd(pid):
    return os.readlink(f"/proc/{pid}/cwd")


def _sockets():
    """What every socket of this network namespace is, by inode."""
    kinds = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            port = int(fields[1].rpartition(":")[2], 16)
            listens = fields[3] == LISTEN
            kinds[int(fields[9])] = ("listen" if listens else "tcp", port)
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        named = len(fields) > 7
        kinds[int(fields[6])] = ("seqpacket" if fields[4] == SEQPACKET and not named else "unix",)
    return kinds


def descriptors(pid):
    """What each descriptor is, by number:

    ("null",), ("file", path), ("memory", name), ("listen", port), ("tcp", local port),
    ("seqpacket",), ("unix",) or ("other", what).
    """
    sockets = _sockets()
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{name}"
        try:
            target = os.readlink(path)
        except FileNotFoundError:
            continue
        inode = re.fullmatch(r"socket:\[(\d+)\]", target)
        memory = re.fullmatch(r"/memfd:(.*) \(deleted\)", target)
        if inode:
            kind = sockets.get(int(inode.group(1)), ("other", target))
        elif memory:
            kind = ("memory", memory.group(1))
        elif target == "/dev/null":
            kind = ("null",)
        elif stat.S_ISREG(os.stat(path).st_mode):
            kind = ("file", target)
        else:
            kind = ("other", target)
        found[int(name)] = kind
    return found


def inherited(pid):
    """The descriptors that a program started by the process would get."""
    open_after_exec = set()
    for name in os.listdir(f"/proc/{pid}/fdinfo"):
        text = Path(f"/proc/{pid}/fdinfo/{name}").read_text()
        flags = int(re.search(r"^flags:\s*([0-7]+)$", text, re.MULTILINE).group(1), 8)
        if not flags & O_CLOEXEC:
            open_after_exec.add(int(name))
    return open_after_exec


def memory(pid):
    """What can be read of the memory of the process, as (name, address, bytes) of each mapping."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as file:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+ *(.*)", line)
            if not match or match.group(3).startswith(("[vvar", "[vsyscall")):
                continue
            start, end = int(match.group(1), 16), int(match.group(2), 16)
            file.seek(start)
            yield match.group(3), start, file.read(end - start)


def remembers(pid, texts):
    """Those of `texts` (bytes) that stand somewhere in the memory of the process."""
    return {text for _, _, content in memory(pid) for text in texts if text in content}


class HeldChecks:
    """While this is open, it has the first `slots` slots for password checks; 0 stands for all."""

    def __init__(self, daemon, slots=0):
        (helper,) = daemon.auth_helpers()
        (number,) = (number for number, kind in descriptors(helper.pid).items()
                     if kind == ("memory", "password-checks"))
        self.fd = os.open(f"/proc/{helper.pid}/fd/{number}", os.O_RDWR)
        fcntl.lockf(self.fd, fcntl.LOCK_EX, slots)

    def release(self):
        """Let the checks go on."""
        if self.fd != -1:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()
