"""The system calls of a running daemon, by strace(1)."""

import re
import subprocess
from pathlib import Path

import procs


class Trace:
    """Follows `pid` and every process it starts, from now on until stop().

    `calls` selects system calls as strace -e trace= does; `inject` lets some fail as -e inject= does.
    """

    def __init__(self, pid, directory, calls, inject=None):
        self.prefix = Path(directory) / "trace"
        more = ["-e", f"inject={inject}"] if inject else []
        self.process = subprocess.Popen(
            ["strace", "-q", "-ff", "-s", "4096", "-e", f"trace={calls}", "-e", "signal=none",
             *more, "-o", str(self.prefix), "-p", str(pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        attached = procs.wait_for(lambda: procs.status(pid)["TracerPid"] != "0", 10)
        assert attached, f"strace does not attach: {self.process.poll()}"

    def stop(self):
        """Let go of all processes; their traces are complete then."""
        self.process.terminate()
        self.process.communicate(timeout=10)

    def of(self, pid):
        """The calls of one process, as [(name, rest of the line)]."""
        path = self.prefix.with_name(f"{self.prefix.name}.{pid}")
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        matches = (re.match(r"(\w+)\((.*)", line) for line in lines)
        return [match.groups() for match in matches if match]

    def names(self, pid):
        """The names of the calls of one process."""
        return {name for name, _ in self.of(pid)}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
