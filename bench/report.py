"""From measurements to medians, ratios and a table."""

from collections import Counter
from statistics import median

from contestants import FLOOR
from rows import BY_NAME, PSS_TARGET_KIB
from scaling import PARTS

OURS = "miniftpd"


class Summary:
    """What one row has shown. A ratio is None without a miniftpd or without a peer."""

    def __init__(self, name, measured):
        self.row = BY_NAME[name]
        self.servers = {server: found for server, found in measured["servers"].items() if found}
        self.skipped = measured["skipped"]
        peers = [server for server in self.servers if server not in (OURS, FLOOR)]
        self.complete = bool(peers) and OURS in self.servers
        self.cheapest = min(peers, key=lambda one: self.of(one, "cpu_s"), default=None)
        self.fastest = max(peers, key=lambda one: self.of(one, "rate"), default=None)

    def values(self, server, what):
        """All values of a server."""
        return [one[what] for one in self.servers[server]]

    def of(self, server, what):
        """The median of a server."""
        return median(self.values(server, what))

    def ratio(self, what, peer):
        """miniftpd / peer: (ratio of medians, the least and the largest within one repetition)."""
        if not self.complete:
            return None
        each = [ours / theirs for ours, theirs in zip(self.values(OURS, what),
                                                      self.values(peer, what)) if theirs > 0]
        theirs = self.of(peer, what)
        return (self.of(OURS, what) / theirs, min(each), max(each)) if theirs and each else None

    def cpu_ratio(self):
        """The cost, to the peer with the least."""
        return self.ratio("cpu_s", self.cheapest)

    def rate_ratio(self):
        """The rate, to the peer with the highest."""
        return self.ratio("rate", self.fastest)

    def floor_ratio(self):
        """The cost of the bare loop, to the peer with the least; None without one."""
        if not self.complete or FLOOR not in self.servers:
            return None
        return self.of(FLOOR, "cpu_s") / self.of(self.cheapest, "cpu_s")

    def winner(self):
        """Who needs the least CPU; "even" within the noise of the row."""
        ratio = self.cpu_ratio()
        if ratio is None:
            return "-"
        if abs(ratio[0] - 1) <= self.row.noise:
            return "even"
        return OURS if ratio[0] < 1 else self.cheapest

    def verdict(self):
        """Is the target reached?"""
        cpu, rate = self.cpu_ratio(), self.rate_ratio()
        if cpu is None or rate is None:
            return "-"
        if cpu[0] > self.row.target:
            return "near" if cpu[0] <= self.row.target * (1 + self.row.noise) else "missed"
        return "reached" if rate[0] >= 1 - self.row.noise else "slower"


def seconds(value):
    """A duration for people."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if value * factor >= 1 or unit == "us":
            return f"{value * factor:.3g} {unit}" if value * factor < 1000 \
                else f"{value * factor:.0f} {unit}"
    return ""


def rate(value):
    """Units per second for people."""
    return f"{value:,.0f}/s" if value >= 100 else f"{value:.3g}/s"


def ratio(found):
    """A ratio with its range."""
    return f"{found[0]:.2f} ({found[1]:.2f}-{found[2]:.2f})" if found else "-"


def spread(values, show):
    """Median and range."""
    if len(values) == 1:
        return show(values[0])
    return f"{show(median(values))} ({show(min(values))} - {show(max(values))})"


def summaries(results):
    """The rows that were measured."""
    return [Summary(name, measured) for name, measured in results.get("rows", {}).items()]


def in_words(found):
    """Who needs the least CPU in how many rows, for how many the target is reached: sentences."""
    compared = [one for one in found if one.complete]
    winners = Counter(one.winner() for one in compared)
    even = winners.pop("even", 0)
    verdicts = Counter(one.verdict() for one in compared)
    ours = winners.pop(OURS, 0)
    others = ", ".join(f"{name} in {count}" for name, count in winners.most_common())
    others = others or "no peer in any"
    return (f"**miniftpd needs the least CPU in {ours} of {len(compared)} rows, {others}; {even} are even "
            f"within the noise. It reaches its own targets in {verdicts['reached']}, and in "
            f"{verdicts['near']} more but for the noise.**")


def in_numbers(results):
    """Medians and ratios, for programs. A ratio is [of medians, least, largest]."""
    return {one.row.name: {
        "target": one.row.target, "unit": one.row.unit,
        "cores": "all" if one.row.spread else "one",
        "medians": {server: {what: one.of(server, what)
                             for what in ("cpu_s", "rate", "p50_us", "p99_us", "load_cpu_s")}
                    for server in one.servers},
        "cpu_ratio": one.cpu_ratio(), "cheapest_peer": one.cheapest,
        "rate_ratio": one.rate_ratio(), "fastest_peer": one.fastest,
        "winner": one.winner(), "verdict": one.verdict()} for one in summaries(results)}


def is_incomplete(results):
    """Was a server skipped that should not have been? Only TLS may be missing, and MLSD."""
    known = ("no TLS: ", "no MLSD: ")
    return not results["complete"] or any(
        not reason.startswith(known)
        for measured in results.get("rows", {}).values() for reason in measured["skipped"].values())


def show(results):
    """Print everything."""
    for summary in summaries(results):
        _show_row(summary)
    if "memory" in results:
        _show_memory(results["memory"], results["memory_skipped"])
    if "scaling" in results:
        _show_scaling(results["scaling"], results["scaling_skipped"])
    _show_overview(summaries(results))


def _show_row(summary):
    where = "" if summary.row.spread else "; client and server on one core"
    print(f"\n{summary.row.title} (server CPU per {summary.row.unit}, median and range{where})")
    for server in summary.servers:
        line = (f"  {server:<10} {spread(summary.values(server, 'cpu_s'), seconds):<34}"
                f"{spread(summary.values(server, 'rate'), rate):<34}")
        if summary.row.latency and server != FLOOR:
            line += (f"p50 {summary.of(server, 'p50_us'):.0f} us"
                     f"  p99 {summary.of(server, 'p99_us'):.0f} us")
        print(line.rstrip())
    for server, reason in summary.skipped.items():
        print(f"  {server:<10} skipped: {reason}")


def _show_overview(found):
    if not found:
        return
    print(f"\n{'row':<31}{'target':>6}  {'CPU, to the best peer':<32}"
          f"{'rate, to the best peer':<32}{'wins':<10}target")
    for one in found:
        cpu = f"{ratio(one.cpu_ratio())} {one.cheapest or ''}"
        fast = f"{ratio(one.rate_ratio())} {one.fastest or ''}"
        print(f"{one.row.title:<31}{one.row.target:>6}  {cpu:<32}{fast:<32}{one.winner():<10}"
              f"{one.verdict()}")
    print("\n" + in_words(found).strip("*"))


def _show_memory(memory, skipped):
    print(f"\nidle sessions: KiB (PSS) per session, all processes; target {PSS_TARGET_KIB}")
    for server, one in memory.items():
        print(f"  {server:<10} {one['pss_few_kib']:.0f} of {one['sessions_few']}, "
              f"{one['pss_many_kib']:.0f} of {one['sessions_many']}; "
              f"login {one['login_alone_us']} us alone, {one['login_held_us']} us beside them, "
              f"{one['again_alone_us']} us after them (p50); "
              f"listener {one['listener_before_kib']} KiB, {one['listener_after_kib']} KiB after "
              f"{one['listener_sessions']}")
    for server, reason in skipped.items():
        print(f"  {server:<10} skipped: {reason}")


def _show_scaling(scaling, skipped):
    for lines, title, _ in scaling_tables(scaling):
        print(f"\n{title}")
        for line in lines:
            print("  " + "".join(f"{text:<{width}}" for text, width in
                                 zip(line, [12, 24] + [30] * len(line))).rstrip())
    for text in scaling_gaps(skipped):
        print(f"  {text}")


def scaling_tables(scaling):
    """The parts that were measured: [(lines of cells, the first one with the heads; title; text)]."""
    return [(_scaling_lines(scaling[name]), title, text)
            for name, (_, title, text) in PARTS.items() if name in scaling]


def scaling_gaps(skipped):
    """Who is left out of a part, and why."""
    return [f"{PARTS[name][1]}: {server} is left out: {reason}"
            for name, reasons in skipped.items() for server, reason in reasons.items()]


def _scaling_lines(servers):
    columns = list(dict.fromkeys(column for found in servers.values() for cells in found.values()
                                 for column in cells))
    return [["server", "", *columns],
            *([server, what, *(_cell(cells.get(column)) for column in columns)]
              for server, found in servers.items() for what, cells in found.items())]


def _cell(one):
    if one is None:
        return "-"
    if "kib" in one:
        return f"{one['kib']:,} KiB"
    return f"{seconds(one['cpu_s'])}, p50 {seconds(one['p50_us'] / 1e6)}"
