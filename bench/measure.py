"""Measure a row: verify what each server sends, then the servers in turn, several times."""

import json
import re
import subprocess
import time
from pathlib import Path

import contestants
import place
from rows import MIB

LOAD = str(Path("build/bench/load").resolve())
FLOOR = Path("build/bench/floor").resolve()
HERE = Path(__file__).resolve().parent
# Who is asked how fast he is gets this part of the units, but at least one for each connection.
TRIAL_PART = 20
VERIFIED_UPLOAD = 64 * MIB


class Failed(Exception):
    """A server did not do what it should; the text is for people."""


class Load:
    """One run of the load generator at one server."""

    def __init__(self, server, kind, *arguments):
        command = server.inside(LOAD, kind, "--host", "127.0.0.1", "--port", "21", *arguments)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def wait_for(self, word):
        """Wait until it says `word`."""
        line = self.process.stdout.readline()
        if line.strip() != word:
            self.process.communicate()
            raise Failed(_reason(line))

    def go_on(self):
        """Let it continue."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def result(self):
        """Wait for its end and return what it found."""
        output = self.process.communicate()[0]
        if self.process.returncode != 0:
            raise Failed(_reason(output))
        return json.loads(output.splitlines()[-1])


def _reason(output):
    try:
        return json.loads(output.splitlines()[-1])["first_error"]
    except (IndexError, ValueError, KeyError):
        return "the load generator has failed"


def arguments_of(row, count, conns=None, **more):
    """The options of the load generator for a row."""
    found = {"count": count, "conns": conns or row.conns} | row.options | more
    if row.kind == "list":
        place.path_of(row.path)
    if row.local:
        found |= {"user": place.LOCAL.name, "password": place.LOCAL.password}
    return flattened(found) + ["--active"] * row.active + ["--tls"] * row.tls


def flattened(options):
    """The options of the load generator that have values."""
    return [text for name, value in options.items() for text in (f"--{name}", str(value))]


def measure(server, row, count, at_end=dict):
    """One measurement: cost and rate per unit of the row, and what at_end() finds.

    at_end() is called behind the last unit, when its session is still there.
    """
    if isinstance(server, contestants.Floor) and row.floor[1] is not None:
        options = {"count": count, "conns": row.conns} | row.floor[1]
        load = Load(server, "raw", *flattened(options), *["--tls"] * row.tls, "--marks")
    else:
        load = Load(server, row.kind, *arguments_of(row, count), "--marks")
    load.wait_for("begin")
    start_s = server.group.settled_cpu_s()
    load.go_on()
    load.wait_for("end")
    cpu_s = server.group.settled_cpu_s() - start_s
    more = at_end()
    load.go_on()
    found = load.result()
    units = found["units"] / row.per
    return {"cpu_s": cpu_s / units, "rate": units / found["wall_s"], "p50_us": found["p50_us"],
            "p99_us": found["p99_us"], "load_cpu_s": found["cpu_s"] / units,
            "resumed": found["resumed"], "units": units} | more


def verify(server, row):
    """Compare what the server sends or stores with what it should; Failed says that it differs."""
    if row.kind in ("retr", "asciiretr"):
        line_end = b"\r\n" if row.kind == "asciiretr" else None
        expected = place.sha256_of_sent(row.path, line_end)
        found = Load(server, row.kind, *arguments_of(row, 1, 1), "--hash").result()["hash"]
    elif row.kind in ("stor", "asciistor"):
        size = min(row.options["bytes"], VERIFIED_UPLOAD)
        load = Load(server, row.kind, *arguments_of(row, 1, 1, bytes=size), "--hash")
        expected = load.result()["hash"]
        line_end = b"\r\n" if row.kind == "asciistor" else None
        found = place.sha256_of(place.HOME / row.path, line_end)
    elif row.kind == "list":
        expected = place.sha256_of_names(row.path)
        lister = server.inside("/usr/bin/python3", HERE / "names.py", row.options["command"],
                               row.path)
        done = subprocess.run(lister, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reply = done.stderr.strip().split("\n")[-1]
            unknown = re.search(r"\b50[024]\b", reply)
            raise Failed(f"no {row.options['command']}: {reply}" if unknown else reply)
        found = done.stdout.strip()
    else:
        return  # each reply is checked anyway
    if found != expected:
        raise Failed("what was transferred differs from the file")


def calibrated(server, row, quick):
    """How many units one measurement of this server has; whole rounds of the connections."""
    least = row.conns if row.kind != "pipe" else 100
    trial = max(least, row.count // TRIAL_PART)
    rate = measure(server, row, trial)["rate"] * row.per
    seconds = row.seconds / 10 if quick else row.seconds
    most = max(least, row.count // 10 if quick else row.count)
    return max(least, min(most, int(rate * seconds) // least * least))


class Contest:
    """All servers that take part in one row."""

    def __init__(self, row, all_servers, parent):
        self.row = row
        self.parent = parent
        self.servers = list(all_servers)
        self.skipped = {}
        self.ready_s = 0  # how long everybody's start, proof and trial took
        if row.floor and FLOOR.exists():
            self.servers.append(contestants.Floor(FLOOR, row.floor[0], row.tls))

    def run(self, repeat, quick):
        """Measure everybody `repeat` times, in turn. Returns {name: [measurement, ...]}."""
        results, counts = {}, {}
        start_s = time.monotonic()
        try:
            for server in list(self.servers):
                self._try(server, lambda one: counts.update({one.name: self._ready(one, quick)}))
            self.ready_s = round(time.monotonic() - start_s, 1)
            for _ in range(repeat):
                for server in list(self.servers):
                    self._try(server, lambda one: results.setdefault(one.name, []).append(
                        measure(one, self.row, counts[one.name])))
        finally:
            for server in self.servers:
                server.end()
        return results

    def _ready(self, server, quick):
        try:
            server.begin(self.parent, self.row.tls, self.row.spread)
        except RuntimeError as error:
            raise Failed(f"no TLS: {error}") if self.row.tls else error
        if not isinstance(server, contestants.Floor):
            refusal = self.row.tls and server.refuses_tls()
            if refusal:
                raise Failed(f"no TLS: {refusal}")
            verify(server, self.row)
        return calibrated(server, self.row, quick)

    def _try(self, server, act):
        """A server that fails takes no further part in the row."""
        try:
            act(server)
        except (Failed, RuntimeError) as error:
            self.skipped[server.name] = " ".join(str(error).split())[:200]
            self.servers.remove(server)
            server.end()
