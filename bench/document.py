"""Write doc/benchmarks.md and doc/benchmarks.svg from the results of a run."""

from html import escape
from pathlib import Path

import cpushare
import report
from rows import PSS_TARGET_KIB

INTRODUCTION = """# Benchmarks

miniftpd beside Debian's {versions}, written by `make bench` from one run.
`bench/README.md` says how it is measured, and how far to trust it.

{cores} cores ({cpu}), {memory_gib} GiB of memory, Linux {kernel}, files {data};
clients on the same machine, over loopback. Repetitions in turn: {repeat}, on {date}; medians, with the least and the largest in
parentheses. CPU is that of all processes of a server.{caution}

{summary}

A ratio is miniftpd's to that of the best peer of the row: below 1 is better for CPU, above 1 for the
rate. So is that of the bare loop, which does what no server can do without. Where client and server take turns on one
core, the row says so; the others have all cores.

![CPU per unit, as ratios to the best peer](benchmarks.svg)
"""
COSTS = """## What it costs

Where client and server share a core, one unit takes at least the CPU of both: the client bounds the
rate, and ratios of rates are nearer to 1 than those of CPU.

"""
REMARKS = Path(__file__).with_name("remarks.md")  # written by hand: what the numbers mean
CAUTION_TICKS = (" **Without control groups: steps of 10 ms, and processes that their server does not "
                 "wait for are missing, so some logins look cheaper than they are.**")
CAUTION_SESSIONS = (" **The CPU was shared by sessions (autogroup), so servers that call setsid(2) for "
                    "each client had more of it.**")
CAUTION = " **A quick run: it shows that the benchmark works, and not how fast anything is.**"

BAR_LEFT, BAR_UNIT, BAR_MAX = 230, 340, 1.5
LINE_HEIGHT, BAR_HEIGHT, TOP = 24, 14, 72
# A ground of its own, for pages that are light or dark; blue and orange differ for everybody's eyes.
GROUND, INK, GRID = "#f6f8fa", "#24292f", "#d0d7de"
LESS, MORE, EVEN, TARGET = "#0072b2", "#d55e00", "#8c959f", "#000000"
LEGEND = ((LESS, "less than the best peer"), (EVEN, "even, within the noise"), (MORE, "more"))


def write(results, scaling, directory):
    """Write both files into `directory`. `scaling`: from a run of its own, or None."""
    found = report.summaries(results)
    (directory / "benchmarks.md").write_text(markdown(results, scaling, found), encoding="utf-8")
    (directory / "benchmarks.svg").write_text(chart(found), encoding="utf-8")


def markdown(results, scaling, found):
    """The page."""
    names = {"vsftpd": "vsftpd", "Pure-FTPd": "Pure-FTPd", "ProFTPD": "ProFTPD"}
    versions = ", ".join(f"{names[name]} {version}"
                         for name, version in results["versions"].items())
    text = INTRODUCTION.format(versions=versions, repeat=results["repeat"], date=results["date"],
                               summary=report.in_words(found), caution=_cautions(results),
                               **results["machine"])
    parts = [text, _ratios(found), _costs(found)]
    if "memory" in results:
        parts.append(_memory(results["memory"]))
    if scaling:
        parts.append(_scaling(scaling))
    parts.append(REMARKS.read_text(encoding="utf-8"))
    return "\n".join(parts)


def _cautions(results):
    return "".join(text for text, said in (
        (CAUTION, results["quick"]), (CAUTION_TICKS, results["cpu_source"] == "/proc"),
        (CAUTION_SESSIONS, results["cpu_shared"] != cpushare.BY_PROCESS)) if said)


def _table(head, lines):
    rule = ["---"] * len(head)
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in [head, rule, *lines])


def _ratios(found):
    lines = [[one.row.title, _cores(one), one.row.target, _floor(one),
              report.ratio(one.cpu_ratio()), one.cheapest or "-",
              report.ratio(one.rate_ratio()), one.fastest or "-", one.winner(), one.verdict()]
             for one in found]
    return "## Who wins\n\n" + _table(["row", "cores", "target", "bare loop", "CPU ratio", "to", "rate ratio", "to",
                                       "least CPU", "verdict"], lines)


def _floor(summary):
    ratio = summary.floor_ratio()
    return "" if ratio is None else f"{ratio:.2f}"


def _cores(summary):
    return "all" if summary.row.spread else "one"


def _costs(found):
    lines = []
    for one in found:
        for server in one.servers:
            shown = [one.row.title, server, report.spread(one.values(server, "cpu_s"),
                                                          report.seconds) + f" per {one.row.unit}",
                     report.spread(one.values(server, "rate"), report.rate),
                     report.seconds(one.of(server, "load_cpu_s")), "", ""]
            if one.row.latency and server != report.FLOOR:
                shown[5:] = [f"{one.of(server, 'p50_us'):.0f} us",
                             f"{one.of(server, 'p99_us'):.0f} us"]
            lines.append(shown)
        for server, reason in one.skipped.items():
            lines.append([one.row.title, server, f"left out: {reason.replace('|', '/')}",
                          "", "", "", ""])
    return COSTS + _table(["row", "server", "CPU", "rate", "client's CPU", "p50", "p99"], lines)


def _memory(memory):
    few, many = next(((one["sessions_few"], one["sessions_many"]) for one in memory.values()),
                     (0, 0))
    lines = [[server, f"{one['pss_few_kib']:.0f} KiB", f"{one['pss_many_kib']:.0f} KiB" +
              ("" if one["sessions_many"] == many else f" (of {one['sessions_many']})"),
              f"{one['processes_many']:.1f}", f"{one['login_alone_us'] / 1000:.1f} ms",
              f"{one['login_held_us'] / 1000:.1f} ms", f"{one['again_alone_us'] / 1000:.1f} ms",
              f"{one['listener_before_kib']} / {one['listener_after_kib']} KiB"]
             for server, one in memory.items()]
    return (f"## Idle sessions\n\nMemory (PSS) per session, of all its processes; the target is "
            f"{PSS_TARGET_KIB} KiB. Logins: the median of one after the other, with no other "
            "session, beside the idle ones, and when those have ended.\n\n" +
            _table(["server", f"of {few:,}", f"of {many:,}", "processes", "login alone",
                    f"beside {many:,}", "after them", "listener before / after"], lines))


def _scaling(kept):
    parts = ["## Scaling", f"A run of its own, on {kept['date']}."]
    for lines, title, text in report.scaling_tables(kept["scaling"]):
        parts += [f"### {title}", text, _table(lines[0], lines[1:]).rstrip()]
    parts += report.scaling_gaps(kept["scaling_skipped"])
    return "\n\n".join(parts) + "\n"


def chart(found):
    """Bars of the CPU ratios, as SVG."""
    bars = [one for one in found if one.cpu_ratio()]
    width = BAR_LEFT + int(BAR_UNIT * BAR_MAX) + 60
    height = TOP + LINE_HEIGHT * len(bars) + 8
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             f'font-family="sans-serif" font-size="13" fill="{INK}">',
             '<title>CPU per unit of work, as a ratio to the best peer</title>',
             f'<rect width="{width}" height="{height}" rx="6" fill="{GROUND}"/>',
             '<text x="12" y="20" font-weight="bold">CPU of miniftpd per unit of work; '
             'the best peer of each row is 1</text>', *_legend(), *_grid(height)]
    for number, one in enumerate(bars):
        parts += _bar(TOP + LINE_HEIGHT * number, one)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend():
    parts, left = [], BAR_LEFT
    for color, text in LEGEND:
        parts.append(f'<rect x="{left}" y="32" width="12" height="12" fill="{color}"/>'
                     f'<text x="{left + 17}" y="43">{text}</text>')
        left += 40 + 7 * len(text)
    return [*parts, f'<path d="M{left + 4} 29v18" stroke="{TARGET}" stroke-width="3"/>'
            f'<text x="{left + 13}" y="43">target</text>']


def _grid(height):
    parts = []
    for ratio in (0.25, 0.5, 0.75, 1, 1.25):
        x = BAR_LEFT + BAR_UNIT * ratio
        style = f'stroke="{INK}" stroke-dasharray="4 3"' if ratio == 1 else f'stroke="{GRID}"'
        parts.append(f'<path d="M{x:.1f} {TOP - 4}V{height - 6}" {style}/>'
                     f'<text x="{x:.1f}" y="{TOP - 8}" font-size="11" text-anchor="middle">'
                     f'{ratio:g}</text>')
    return parts


def _bar(top, one):
    ratio = one.cpu_ratio()[0]
    length = BAR_UNIT * min(ratio, BAR_MAX)
    target = BAR_LEFT + BAR_UNIT * one.row.target
    color = {report.OURS: LESS, "even": EVEN}.get(one.winner(), MORE)
    text_y = top + BAR_HEIGHT - 2
    # Behind the bar, and behind a target mark that would be written over
    label = BAR_LEFT + length + 6
    if label - 6 <= target <= label + 30:
        label = target + 6
    return [f'<text x="{BAR_LEFT - 8}" y="{text_y}" text-anchor="end">'
            f'{escape(one.row.title)}</text>',
            f'<rect x="{BAR_LEFT}" y="{top}" width="{length:.1f}" height="{BAR_HEIGHT}" '
            f'fill="{color}"/>',
            f'<path d="M{target:.1f} {top - 3}v{BAR_HEIGHT + 6}" stroke="{TARGET}" '
            'stroke-width="3"/>',
            f'<text x="{label:.1f}" y="{text_y}" paint-order="stroke" stroke="{GROUND}" '
            f'stroke-width="4">{ratio:.2f}</text>']
