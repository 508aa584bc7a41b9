"""Does the cost stay what it is: with many sessions, many entries, many transfers behind it?

Each part is a table: the results of a server are {line: {column: cell}}, and a cell
is a measurement or {"kib": memory}. The columns are what grows; a line that stays level scales.
"""

from dataclasses import replace
from statistics import median

from held import MANY_OF, Held
from measure import Failed, calibrated, measure, verify
from rows import BY_NAME, LISTINGS, SCALING_PARTS

SESSIONS = (1, 200, 2000)
# Loopback addresses of a crowd that nobody who is measured belongs to.
OTHERS = "127.0.0.2-250"
ENTRIES = {1000: 300, 10000: 30, 100000: 4, 1000000: 2}
TRANSFERS = 50000
LOGINS = (1000, 10000, 100000)
QUICK_PART = 50
# Of so many measurements the median is taken.
REPEAT = 3
# What would take a server longer than this is left out for it.
PATIENCE_S = 240


def part(count, quick):
    """Few for --quick."""
    return max(1, count // QUICK_PART) if quick else count


def settled(server, name, quick):
    """The median of some measurements of a row, each about as long as in a whole run."""
    row = BY_NAME[name]
    count = calibrated(server, row, quick)
    found = [measure(server, row, count) for _ in range(1 if quick else REPEAT)]
    return {what: median(one[what] for one in found) for what in ("cpu_s", "rate", "p50_us")}


def sessions(server, quick):
    """The cost of a login and of a command while others are logged in: max_per_ip, the scoreboard."""
    found = {"anonymous login": {}, "NOOP": {}}

    def beside(count, column, *arguments):
        if count > MANY_OF.get(server.name, count):
            return
        with Held(server, count, *arguments):
            for line, name in (("anonymous login", "login"), ("NOOP", "noop")):
                found[line][column] = settled(server, name, quick)

    for count in SESSIONS:
        count = part(count, quick)
        beside(count, f"{count:,}")
    beside(count, f"{count:,} of other addresses", "--source", OTHERS)
    return found


def listings(server, quick):
    """The cost of an entry, and the largest process of the session that lists them."""
    found = {"CPU per entry": {}, "largest process": {}}
    for entries, count in ENTRIES.items():
        if quick and entries > 10000:
            continue
        row = replace(BY_NAME["list"], options={"command": "LIST", "path": LISTINGS[entries]})
        try:
            verify(server, row)
        except Failed:
            continue  # not all names: the others' cost for them is no comparison
        one = measure(server, row, part(count, quick),
                      at_end=lambda: {"kib": server.group.session_peak_kib()})
        found["largest process"][f"{entries:,}"] = {"kib": one.pop("kib")}
        one["cpu_s"] /= entries
        found["CPU per entry"][f"{entries:,}"] = one
    return found


def long_run(server, quick):
    """The cost of small transfers before and after many of them in a row."""
    found = {}
    many = part(TRANSFERS, quick)
    for name, line in (("retr", "RETR of 1 KiB"), ("retr-port", "the same from port 20")):
        found[line] = {"at first": settled(server, name, quick)}
        if many / found[line]["at first"]["rate"] <= PATIENCE_S:
            found[line][f"{many:,} in a row"] = measure(server, BY_NAME[name], many)
            found[line]["after them"] = settled(server, name, quick)
    return found


def listener(server, quick):
    """The memory of the process that listens, after more and more logins."""
    row = BY_NAME["login16"]
    found = {"listening process": {"at first": {"kib": server.group.rss_kib()}},
             "anonymous login": {}}
    done, rate = 0, 100
    for count in LOGINS:
        count = part(count, quick)
        if (count - done) / rate > PATIENCE_S:
            break
        one = measure(server, row, count - done)
        done, rate, column = count, one["rate"], f"{count:,}"
        found["anonymous login"][column] = one
        found["listening process"][column] = {"kib": server.group.rss_kib()}
    return found


# What is measured: {part: (function, title, what it says)}
PARTS = dict(zip(SCALING_PARTS, (
    (sessions, "Beside other sessions",
     "CPU and median latency beside so many idle sessions of the client's address, or of 249 others."),
    (listings, "LIST of many entries",
     "CPU per entry, median latency of a listing, and the most memory (RSS) that the largest process "
     "of the session ever had."),
    (long_run, "Transfers in a row",
     "Before, within and after very many of them; ports in TIME_WAIT would show."),
    (listener, "Logins in a row",
     "A login, 16 at once, and the memory (RSS) of the listening process after so many of them."),
)))


def run(name, servers, parent, quick):
    """One part, for each server: ({server: {line: {column: cell}}}, {server: why not})."""
    found, skipped = {}, {}
    act = PARTS[name][0]
    for server in servers:
        try:
            server.begin(parent, False, act is listener)  # that one has many connections
            found[server.name] = act(server, quick)
        except (Failed, RuntimeError) as error:
            skipped[server.name] = str(error)
        finally:
            server.end()
    return found, skipped
