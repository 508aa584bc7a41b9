"""Processes, as /proc shows them."""

import os
import time
from collections import namedtuple
from pathlib import Path

Process = namedtuple("Process", "pid parent state name")


def wait_for(condition, seconds=5):
    """Call `condition` until it returns something true, which is returned; None after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= end:
            return None
        time.sleep(0.005)


def read(pid):
    """The process `pid`, or None if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    name, _, fields = text.partition("(")[2].rpartition(")")
    fields = fields.split()
    return Process(int(pid), int(fields[1]), fields[0], name)


def everyone():
    """All processes of this pid namespace, zombies too, by pid."""
    processes = (read(entry) for entry in os.listdir("/proc") if entry.isdigit())
    return {process.pid: process for process in processes if process}


def children(pid):
    """The child processes of `pid`, zombies too, in order of their pids."""
    found = [process for process in everyone().values() if process.parent == pid]
    return sorted(found, key=lambda process: process.pid)


def forks(pid):
    """The child processes of `pid` that run the same program, as those of a session do."""
    return [process for process in children(pid) if not process.name.startswith("miniftpd-")]


def descendants(pid):
    """The child processes of `pid` with all of theirs."""
    table = everyone()
    found, level = [], [pid]
    while level:
        level = [process.pid for process in table.values() if process.parent in level]
        found += [table[one] for one in level]
    return found


def status(pid):
    """The fields of /proc/PID/status as text, by name."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
