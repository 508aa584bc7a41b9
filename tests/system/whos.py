"""miniftpd --who, and the table of sessions that it reads."""

import json
import re
import subprocess
from collections import namedtuple
from pathlib import Path

from ftpd import PROGRAM

BOARD = Path("/run/miniftpd.scoreboard")
FINE = 0
ERROR = 1
USAGE = 2

Mapping = namedtuple("Mapping", "start end rights offset")


def run_who(*arguments, **options):
    """Run --who; text is what it printed."""
    return subprocess.run([PROGRAM, "--who", *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=10, cwd="/", **options)


def rows_of(daemon):
    """The sessions as a program sees them."""
    result = run_who("--json", daemon.conf_path)
    assert (result.returncode, result.stderr) == (FINE, ""), result
    return json.loads(result.stdout)


def row_of(daemon, session):
    """The row of one session."""
    (row,) = (row for row in rows_of(daemon) if row["pid"] == session.parent)
    return row


def table_of(daemon):
    """The lines that people see."""
    result = run_who(daemon.conf_path)
    assert (result.returncode, result.stderr) == (FINE, ""), result
    return result.stdout.splitlines()


def mappings(pid, board=BOARD):
    """What a process has mapped of the table."""
    found = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        match = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ \S+ +(\S+)", line)
        if match and match.group(5).startswith(f"{board}/"):
            start, end, offset = (int(match.group(n), 16) for n in (1, 2, 4))
            found.append(Mapping(start, end, match.group(3), offset))
    return found


def names(board=BOARD):
    """The files of the table."""
    return sorted(path.name for path in board.iterdir())
