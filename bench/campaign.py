"""One run of the benchmark: all chosen rows, one after the other."""

import os
import platform
import re
import sys
import time
from pathlib import Path

import contestants
import held
import measure
import rows
import scaling


def machine(spare):
    """The machine in general terms."""
    model = re.search(r"(?m)^model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory_kib = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return {"cores": os.cpu_count(), "cpu": model.group(1) if model else platform.machine(),
            "kernel": ".".join(platform.release().split(".")[:2]),
            "memory_gib": round(int(memory_kib.group(1)) / (1 << 20)),
            "data": "on a disk, cached" if spare else "in memory"}


def run(names, options, keep):
    """Measure the rows `names` and hand what results.json holds to keep() after each."""
    repeat, quick = options.repeat, options.quick
    groups = Path(options.groups) if options.groups else None
    everybody = contestants.all_contestants()
    if options.servers:
        everybody = [one for one in everybody if one.name in options.servers.split(",")]
    contestants.make_certificate()
    results = {"date": time.strftime("%Y-%m-%d"), "machine": machine(options.spare),
               "repeat": repeat, "quick": quick, "cpu_source": "control groups" if groups else "/proc",
               "versions": {one.name: one.version for one in everybody if one.version},
               "rows": {}}
    for number, name in enumerate(names, 1):
        start_s = time.monotonic()
        print(f"[{number}/{len(names)}] {name}", end=" ", file=sys.stderr, flush=True)
        if name in rows.SCALING_PARTS:
            found, skipped = scaling.run(name, everybody, groups, quick)
            results.setdefault("scaling", {})[name] = found
            results.setdefault("scaling_skipped", {})[name] = skipped
        elif name == rows.MEMORY:
            results["memory"], results["memory_skipped"] = held.memory(everybody, groups, quick)
        else:
            contest = measure.Contest(rows.BY_NAME[name], everybody, groups)
            results["rows"][name] = {"servers": contest.run(repeat, quick),
                                     "skipped": contest.skipped, "ready_s": contest.ready_s}
            results["rows"][name]["seconds"] = round(time.monotonic() - start_s, 1)
        print(f"{time.monotonic() - start_s:.0f} s", file=sys.stderr, flush=True)
        keep(results)
