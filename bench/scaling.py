"""Does the cost stay what it is: with many sessions, many entries, many transfers behind it?"""

from dataclasses import replace

from held import Held
from measure import Failed, measure
from rows import BY_NAME

SESSIONS = (1, 200, 2000)
ENTRIES = {1000: 100, 100000: 4, 1000000: 1}
TRANSFERS = 50000
LOGINS = 100000
QUICK_PART = 50
# A server that would need longer than this for the transfers in a row is left out of them.
PATIENCE_S = 240


def part(count, quick):
    """Few for --quick."""
    return max(1, count // QUICK_PART) if quick else count


def sessions(server, quick):
    """The cost of a login and of a command, while others are logged in."""
    found = {}
    for count in SESSIONS:
        count = part(count, quick)
        with Held(server, count):
            for name, units in (("login", 300), ("noop", 30000)):
                one = measure(server, BY_NAME[name], part(units, quick))
                found[f"{name} beside {count} sessions"] = one
    return found


def listings(server, quick):
    """The cost of an entry, and the memory behind the largest listing."""
    found = {}
    for entries, count in ENTRIES.items():
        if quick and entries > 1000:
            continue
        name = "many" if entries == 100000 else str(entries)
        row = replace(BY_NAME["list"], options={"command": "LIST", "path": f"pub/{name}"})
        one = measure(server, row, part(count, quick))
        one["cpu_s"] /= entries
        found[f"entry of {entries:,} in LIST"] = one
    return found


def long_run(server, quick):
    """The cost of small transfers before and after many of them in a row."""
    found = {}
    for name, text in (("retr", "RETR"), ("retr-port", "RETR with PORT")):
        row = BY_NAME[name]
        before = measure(server, row, part(2000, quick))
        found[f"{text}, at first"] = before
        if part(TRANSFERS, quick) / before["rate"] > PATIENCE_S:
            continue
        measure(server, row, part(TRANSFERS, quick))
        found[f"{text}, after {part(TRANSFERS, quick):,}"] = measure(server, row,
                                                                    part(2000, quick))
    return found


def listener(server, quick):
    """The memory of the process that listens, before and after many logins."""
    row = BY_NAME["login16"]
    first = measure(server, row, part(1000, quick))
    before_kib = server.group.rss_kib()
    if part(LOGINS, quick) / first["rate"] > PATIENCE_S:
        return {}
    measure(server, row, part(LOGINS, quick))
    return {f"listener after {part(LOGINS, quick):,} logins":
            {"before_kib": before_kib, "after_kib": server.group.rss_kib()}}


def run(servers, parent, quick):
    """All of it, for each server: ({name: {what: measurement}}, {name: why not})."""
    results, skipped = {}, {}
    for server in servers:
        found = results.setdefault(server.name, {})
        for group in (sessions, listings, long_run, listener):
            try:
                server.begin(parent, False, group is listener)
                found.update(group(server, quick))
            except (Failed, RuntimeError) as error:
                skipped[f"{server.name}, {group.__name__}"] = str(error)
            finally:
                server.end()
    return results, skipped
