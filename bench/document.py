"""Write doc/benchmarks.md and doc/benchmarks.svg from the results of a run."""

from html import escape
from pathlib import Path

import report
from rows import PSS_TARGET_KIB

INTRODUCTION = """# Benchmarks

miniftpd beside Debian's {versions}, written by `make bench` from one run.
`bench/README.md` says how it is measured, and how far to trust it.

{cores} cores ({cpu}), {memory_gib} GiB of memory, Linux {kernel}, files {data};
clients on the same machine, over loopback. Repetitions in turn: {repeat}, on {date}; medians, with the least and the largest in
parentheses. CPU is that of all processes of a server.{caution}

A ratio is miniftpd's to that of the best peer of the row: below 1 is better for CPU, above 1 for the
rate.

![CPU per unit, as ratios to the best peer](benchmarks.svg)
"""
REMARKS = Path(__file__).with_name("remarks.md")  # written by hand: what the numbers mean
CAUTION = " **A quick run: it shows that the benchmark works, and not how fast anything is.**"

BAR_LEFT, BAR_UNIT, BAR_MAX = 230, 260, 1.75
LINE_HEIGHT, TOP = 22, 44
# Of middle lightness: to be read on white and on dark ground.
INK, GOOD, BAD, TARGET = "#808080", "#2f8fd0", "#d9653b", "#b8860b"


def write(results, directory):
    """Write both files into `directory`."""
    found = report.summaries(results)
    (directory / "benchmarks.md").write_text(markdown(results, found), encoding="utf-8")
    (directory / "benchmarks.svg").write_text(chart(found), encoding="utf-8")


def markdown(results, found):
    """The page."""
    names = {"vsftpd": "vsftpd", "Pure-FTPd": "Pure-FTPd", "ProFTPD": "ProFTPD"}
    versions = ", ".join(f"{names[name]} {version}"
                         for name, version in results["versions"].items())
    text = INTRODUCTION.format(versions=versions, repeat=results["repeat"], date=results["date"],
                               caution=CAUTION if results["quick"] else "", **results["machine"])
    parts = [text, _ratios(found), _costs(found)]
    if "memory" in results:
        parts.append(_memory(results["memory"]))
    if "scaling" in results:
        parts.append(_scaling(results["scaling"]))
    parts.append(REMARKS.read_text(encoding="utf-8"))
    return "\n".join(parts)


def _table(head, lines):
    rule = ["---"] * len(head)
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in [head, rule, *lines])


def _ratios(found):
    lines = [[one.row.title, one.row.target, report.ratio(one.cpu_ratio()), one.cheapest or "-",
              report.ratio(one.rate_ratio()), one.fastest or "-", one.winner(), one.verdict()]
             for one in found]
    return "## Who wins\n\n" + _table(["row", "target", "CPU ratio", "to", "rate ratio", "to",
                                       "least CPU", "target"], lines)


def _costs(found):
    lines = []
    for one in found:
        for server in one.servers:
            shown = [one.row.title, server, report.spread(one.values(server, "cpu_s"),
                                                          report.seconds) + f" per {one.row.unit}",
                     report.spread(one.values(server, "rate"), report.rate), "", ""]
            if one.row.latency and server != report.FLOOR:
                shown[4:] = [f"{one.of(server, 'p50_us'):.0f} us",
                             f"{one.of(server, 'p99_us'):.0f} us"]
            lines.append(shown)
        for server, reason in one.skipped.items():
            lines.append([one.row.title, server, f"left out: {reason.replace('|', '/')}",
                          "", "", ""])
    return "## What it costs\n\n" + _table(["row", "server", "CPU", "rate", "p50", "p99"], lines)


def _memory(memory):
    few, many = next(((one["sessions_few"], one["sessions_many"]) for one in memory.values()),
                     (0, 0))
    lines = [[server, f"{one['pss_few_kib']:.0f} KiB", f"{one['pss_many_kib']:.0f} KiB" +
              ("" if one["sessions_many"] == many else f" (of {one['sessions_many']})"),
              f"{one['processes_many']:.1f}", f"{one['login_alone_us'] / 1000:.1f} ms",
              f"{one['login_held_us'] / 1000:.1f} ms",
              f"{one['listener_before_kib']} / {one['listener_after_kib']} KiB"]
             for server, one in memory.items()]
    return (f"## Idle sessions\n\nMemory (PSS) per session, of all its processes; the target is "
            f"{PSS_TARGET_KIB} KiB.\n\n" +
            _table(["server", f"of {few:,}", f"of {many:,}", "processes", "login alone",
                    f"beside {many:,}", "listener before / after"], lines))


def _scaling(scaling):
    lines = [[server, what, report.scaled(one)]
             for server, found in scaling.items() for what, one in found.items()]
    return "## Scaling\n\n" + _table(["server", "what", "CPU, rate, latency"], lines)


def chart(found):
    """Bars of the CPU ratios, as SVG."""
    bars = [(one, one.cpu_ratio()) for one in found if one.cpu_ratio()]
    width = BAR_LEFT + BAR_UNIT * BAR_MAX + 60
    height = TOP + LINE_HEIGHT * len(bars) + 10
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
             f'font-family="sans-serif" font-size="13" fill="{INK}">',
             '<title>CPU per unit of work, as a ratio to the best peer</title>',
             f'<text x="{BAR_LEFT}" y="16">CPU of miniftpd, the best peer being 1 '
             f'(<tspan fill="{TARGET}">▎</tspan>target)</text>']
    for number, (one, ratio) in enumerate(bars):
        parts += _bar(TOP + LINE_HEIGHT * number, one, ratio[0])
    peer = BAR_LEFT + BAR_UNIT
    parts.append(f'<path d="M{peer} {TOP - 14}V{height - 8}" stroke="{INK}" '
                 'stroke-dasharray="3 3"/>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(top, one, ratio):
    length = BAR_UNIT * min(ratio, BAR_MAX)
    target = BAR_LEFT + BAR_UNIT * one.row.target
    color = GOOD if ratio <= 1 + one.row.noise else BAD
    middle = top + 6
    return [f'<text x="{BAR_LEFT - 8}" y="{middle + 5}" text-anchor="end">'
            f'{escape(one.row.title)}</text>',
            f'<rect x="{BAR_LEFT}" y="{top}" width="{length:.1f}" height="13" fill="{color}"/>',
            f'<path d="M{target:.1f} {top - 3}v19" stroke="{TARGET}" stroke-width="3"/>',
            f'<text x="{max(BAR_LEFT + length, target) + 8:.1f}" y="{middle + 5}">'
            f'{ratio:.2f}</text>']
