"""The CPU time and the memory of a server with all its processes.

One control group per server counts the time of all its processes to the microsecond, of those that
have ended too. Version 2 of the hierarchy counts without any controller. Where it cannot be used,
the ticks in /proc/PID/stat must do; then processes that nobody of the server waited for are missing.
"""

import os
import signal
import time
from pathlib import Path

import procs

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
SETTLE_STEP_S = 0.01
SETTLE_S = 1.0


def hierarchy():
    """Where the control groups of version 2 are mounted, or None."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind = line.split()[:3]
        if kind == "cgroup2" and (Path(place) / "cpu.stat").exists():
            return Path(place)
    return None


def make_parent():
    """The group that all groups of this run are made in, or None: then /proc is read."""
    top = hierarchy()
    parent = top and top / f"miniftpd-bench-{os.getpid()}"
    try:
        if parent:
            parent.mkdir()
    except OSError:
        return None
    return parent


def remove_parent(parent):
    """Remove all groups of the run; their processes have ended or are ending."""
    if not parent:
        return

    def removed():
        try:
            for group in [*parent.iterdir(), parent]:
                if group.is_dir():
                    group.rmdir()
        except OSError:
            return False
        return True

    procs.wait_for(removed, 5)


class Group:
    """The processes of one server. `parent` None: without a control group."""

    def __init__(self, parent, name):
        self.path = parent / name if parent else None
        self.root_pid = None
        if self.path:
            self.path.mkdir()

    def pids(self):
        """All processes of the server, the first one included."""
        if self.path:
            return [int(pid) for pid in (self.path / "cgroup.procs").read_text().split()]
        return [self.root_pid] + [process.pid for process in procs.descendants(self.root_pid)]

    def cpu_s(self):
        """The CPU seconds of all processes since the server was started."""
        if self.path:
            fields = (self.path / "cpu.stat").read_text().split()
            return int(fields[fields.index("usage_usec") + 1]) / 1e6
        return sum(map(_ticks, self.pids())) / TICKS_PER_SECOND

    def settled_cpu_s(self):
        """The same, when it no longer grows: ended sessions are cleaned up behind the reply."""
        end = time.monotonic() + SETTLE_S
        last = self.cpu_s()
        while time.monotonic() < end:
            time.sleep(SETTLE_STEP_S)
            now = self.cpu_s()
            if now == last:
                break
            last = now
        return last

    def pss_kib(self):
        """The proportional set size of all processes."""
        return sum(_field(f"/proc/{pid}/smaps_rollup", "Pss:") for pid in self.pids())

    def rss_kib(self):
        """The resident set size of the first process, which listens."""
        return _field(f"/proc/{self.root_pid}/status", "VmRSS:")

    def session_peak_kib(self):
        """The largest set that a process of a session ever had in memory."""
        return max((_field(f"/proc/{pid}/status", "VmHWM:")
                    for pid in self.pids() if pid != self.root_pid), default=0)

    def kill(self):
        """End all processes and remove the group."""
        def empty():
            for pid in self.pids():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not self.pids()

        if self.path:
            procs.wait_for(empty, 10)
            self.path.rmdir()


def _ticks(pid):
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime


def _field(path, name):
    """A number in a file of names and numbers; 0 if the process has ended meanwhile."""
    try:
        for line in Path(path).read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0
