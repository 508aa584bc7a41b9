"""How the servers and their clients share the CPU: as processes of one scheduling group.

Where the kernel's autogroup (sched(7)) is on, it shares the CPU by sessions in the sense of setsid(2)
instead: a server that makes a session of each client's process gets one more share for each of them.
It has no effect within a control group of the CPU, in which a service of systemd is, so all that
is compared here is in one, too.
"""

import os
from pathlib import Path

AUTOGROUP = Path("/proc/sys/kernel/sched_autogroup_enabled")
BY_PROCESS, BY_SESSION = "by process", "by session"


def make_group(meter_parent):
    """(the group to run in or None, how the CPU is shared then). `meter_parent` or its like."""
    if not AUTOGROUP.exists() or AUTOGROUP.read_text().strip() == "0":
        return None, BY_PROCESS
    if meter_parent and "cpu" in (meter_parent / "cgroup.controllers").read_text().split():
        return meter_parent, BY_PROCESS
    group = _version_1()
    return group, BY_PROCESS if group else BY_SESSION


def remove_group(group, meter_parent):
    """Remove it, unless it is the meter's."""
    if group and group != meter_parent:
        group.rmdir()


def within(group, command):
    """The command, in the group."""
    return ["sh", "-c", 'echo $$ >"$1" && shift && exec "$@"', "sh",
            str(group / "cgroup.procs"), *command] if group else command


def _version_1():
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, flags = line.split()[:4]
        if kind == "cgroup" and "cpu" in flags.split(","):
            group = Path(place) / f"miniftpd-bench-{os.getpid()}"
            try:
                group.mkdir()
            except OSError:
                return None
            return group
    return None
