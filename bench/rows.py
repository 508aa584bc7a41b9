"""The rows of the benchmark: what is measured, with what, and what miniftpd is to reach.

A row is measured as units of one kind of the load generator (see its --help). `count` is how many
units one measurement has at most: for a server that is too slow it is reduced to what takes about
`seconds`, since cost and rate are per unit. `per` is how many units make what the table names, so
4 files of 256 MiB are one GiB. `target` is server CPU per unit, as a ratio to the best peer.
"""

from dataclasses import dataclass, field

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
LARGE, QUARTER, TEXT, SMALL = "pub/large", "pub/quarter", "pub/text", "pub/small"
TEN, MANY = "pub/ten", "pub/many"
# Directories with so many files
LISTINGS = {10: TEN, 1000: "pub/1000", 10000: "pub/10000", 100000: MANY, 1000000: "pub/1000000"}


@dataclass(frozen=True)
class Row:
    """One row of the results."""

    name: str
    title: str
    unit: str
    target: float
    kind: str
    count: int
    options: dict = field(default_factory=dict)
    per: int = 1
    conns: int = 1
    local: bool = False       # the local user; else anonymous
    active: bool = False      # PORT from port 20
    tls: bool = False
    latency: bool = False     # p50 and p99 say something
    noise: float = 0.05       # below this difference nobody wins
    seconds: float = 1
    # The bare loop beside it: (arguments of floor, options of load raw; None: units as everybody's)
    floor: tuple = ()
    spread: bool = False      # over all cores; else client and server share one

    def __post_init__(self):
        if self.conns > 1:
            object.__setattr__(self, "spread", True)

    @property
    def path(self):
        """The file or directory, below the directory of the login."""
        return self.options.get("path")


def bulk(name, title, kind, target, **more):
    """A row of which the unit is a large file."""
    return Row(name, title, more.pop("unit", "GiB"), target, kind, noise=0.1, seconds=2.5,
               spread=True, **more)


def small(name, title, kind, target, count, unit, **more):
    """A row of which the unit is so small that its latency counts."""
    return Row(name, title, unit, target, kind, count, latency=True, **more)


UPLOAD = {"path": "up"}
SENT = ("--bytes", str(GIB), "--path", f"/srv/ftp/{LARGE}", "--workers", "1")
STORED = ("--path", "/home/bench/floor", "--workers", "1")
FLOOR_SEND = (("send", *SENT), {"bytes": GIB})
FLOOR_RECEIVE = (("recv", *STORED), {"command": "send", "bytes": GIB})
FLOOR_FTP = (("ftp", "--bytes", str(KIB), "--workers", "1"), None)
FLOOR_LIST = (("ftp", "--path", f"/srv/ftp/{MANY}", "--bytes", "1", "--workers", "1"), None)
FLOOR_FORK = (("fork",), {})
FLOOR_TLS_SEND = (("tls-send", *SENT), {"bytes": GIB})
FLOOR_TLS_RECEIVE = (("tls-recv", *STORED), {"command": "send", "bytes": GIB})
FLOOR_TLS_FORK = (("tls-fork",), {})

# pylint: disable=line-too-long
ROWS = (
    bulk("download", "download of 1 GiB, 1 stream", "retr", 1.0, count=3, options={"path": LARGE}, floor=FLOOR_SEND),
    bulk("download4", "download of 1 GiB, 4 streams", "retr", 1.0, count=16, per=4, conns=4, options={"path": QUARTER}),
    bulk("upload", "upload of 1 GiB, 1 stream", "stor", 0.75, count=2, local=True, options=UPLOAD | {"bytes": GIB}, floor=FLOOR_RECEIVE),
    bulk("upload4", "upload of 1 GiB, 4 streams", "stor", 0.75, count=8, per=4, conns=4, local=True, options=UPLOAD | {"bytes": GIB // 4}),
    bulk("ascii-download", "ASCII download of 64 MiB", "asciiretr", 0.75, count=8, unit="64 MiB", options={"path": TEXT}),
    bulk("ascii-upload", "ASCII upload of 64 MiB", "asciistor", 0.8, count=8, unit="64 MiB", local=True, options=UPLOAD | {"bytes": 64 * MIB}),
    small("retr", "small RETR (1 KiB)", "retr", 0.65, 6000, "file", options={"path": SMALL}, floor=FLOOR_FTP),
    small("retr8", "small RETR, 8 connections", "retr", 0.65, 12000, "file", conns=8, options={"path": SMALL}),
    small("retr-port", "small RETR, PORT from port 20", "retr", 0.65, 4000, "file", active=True, options={"path": SMALL}, floor=FLOOR_FTP),
    small("stor", "small STOR (1 KiB)", "stor", 0.75, 6000, "file", local=True, options=UPLOAD | {"bytes": KIB}, floor=FLOOR_FTP),
    small("stor8", "small STOR, 8 connections", "stor", 0.75, 12000, "file", conns=8, local=True, options=UPLOAD | {"bytes": KIB}),
    small("login", "anonymous login to QUIT", "login", 0.35, 800, "login", floor=FLOOR_FORK),
    small("login16", "anonymous login, 16 at once", "login", 0.35, 1600, "login", conns=16, floor=FLOOR_FORK),
    small("login-local", "local login, SHA-512 hash", "login", 0.85, 150, "login", local=True),
    Row("list", "LIST of 100,000", "listing", 0.55, "list", 8, options={"command": "LIST", "path": MANY}, spread=True, floor=FLOOR_LIST),
    Row("nlst", "NLST of 100,000", "listing", 1.0, "list", 30, options={"command": "NLST", "path": MANY}, spread=True),
    Row("mlsd", "MLSD of 100,000", "listing", 0.65, "list", 8, options={"command": "MLSD", "path": MANY}, spread=True, floor=FLOOR_LIST),
    small("list10", "LIST of 10 entries", "list", 0.8, 6000, "listing", options={"command": "LIST", "path": TEN}),
    small("noop", "NOOP", "cmd", 0.85, 60000, "command", options={"command": "NOOP"}, floor=FLOOR_FTP),
    small("pwd", "PWD", "cmd", 0.85, 60000, "command", options={"command": "PWD"}, floor=FLOOR_FTP),
    small("size", "SIZE", "cmd", 0.85, 60000, "command", options={"command": f"SIZE {SMALL}"}, floor=FLOOR_FTP),
    Row("pipeline", "NOOP, pipelined by 100", "command", 0.05, "pipe", 200000, options={"command": "NOOP"}, floor=FLOOR_FTP),
    bulk("tls-download", "TLS download of 1 GiB", "retr", 1.0, count=1, tls=True, options={"path": LARGE}, floor=FLOOR_TLS_SEND),
    bulk("tls-upload", "TLS upload of 1 GiB", "stor", 1.0, count=1, tls=True, local=True, options=UPLOAD | {"bytes": GIB}, floor=FLOOR_TLS_RECEIVE),
    small("tls-login", "TLS login", "login", 0.6, 300, "login", tls=True, floor=FLOOR_TLS_FORK),
    small("tls-retr", "TLS small RETR", "retr", 0.7, 1000, "file", tls=True, options={"path": SMALL}),
)
# pylint: enable=line-too-long

# What is not a rate: see held.py. Without a number for a session there is no target.
MEMORY = "memory"
SCALING = "scaling"
SCALING_PARTS = ("scaling-sessions", "scaling-listings", "scaling-transfers", "scaling-listener")
PSS_TARGET_KIB = 100

BY_NAME = {row.name: row for row in ROWS}
GROUPS = (MEMORY, SCALING, *SCALING_PARTS)


def chosen(names):
    """The names of rows for ROW=: all but scaling when there are none; KeyError: the wrong one."""
    if not names:
        return [*BY_NAME, MEMORY]
    for name in names:
        if name not in BY_NAME and name not in GROUPS:
            raise KeyError(name)
    return [part for name in names for part in (SCALING_PARTS if name == SCALING else [name])]
