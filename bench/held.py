"""What many sessions cost: memory while they are idle, and what others notice of them."""

from measure import Failed, Load, calibrated, measure
from rows import BY_NAME

FEW, MANY = 200, 2000
QUICK_FEW, QUICK_MANY = 20, 100
# It takes less than 20 logins a second when many come and stay: 2,000 would take two minutes.
MANY_OF = {"ProFTPD": 500}


class Held:
    """Sessions that are logged in and idle, as a context."""

    def __init__(self, server, count, *arguments):
        self.server = server
        self.arguments = ["--conns", str(count), *arguments]
        self.load = None

    def __enter__(self):
        self.load = Load(self.server, "hold", *self.arguments)
        self.load.wait_for("ready")
        self.server.group.settled_cpu_s()
        return self

    def __exit__(self, *_):
        self.load.result()
        self.server.group.settled_cpu_s()


def memory_of(server, parent, quick):
    """Memory of idle sessions of one server, its listener's, and the latency of one more login."""
    few, many = (QUICK_FEW, QUICK_MANY) if quick else (FEW, MANY_OF.get(server.name, MANY))
    server.begin(parent, False)
    try:
        login = BY_NAME["login"]
        rss_before_kib = server.group.rss_kib()
        logins = calibrated(server, login, quick)  # so the server is warm, too
        empty_kib = server.group.pss_kib()
        alone = measure(server, login, logins)
        found = {"sessions_few": few, "sessions_many": many, "login_alone_us": alone["p50_us"],
                 "listener_before_kib": rss_before_kib}
        for name, count in (("few", few), ("many", many)):
            with Held(server, count):
                found[f"processes_{name}"] = (len(server.group.pids()) - 1) / count
                found[f"pss_{name}_kib"] = (server.group.pss_kib() - empty_kib) / count
                if name == "many":
                    held = measure(server, login, logins)
                    found["login_held_us"] = held["p50_us"]
        found["listener_after_kib"] = server.group.rss_kib()
        found["again_alone_us"] = measure(server, login, logins)["p50_us"]
        found["listener_sessions"] = few + many + 3 * logins
        return found
    finally:
        server.end()


def memory(servers, parent, quick):
    """The memory of all servers: ({name: what was found}, {name: why it was skipped})."""
    results, skipped = {}, {}
    for server in servers:
        try:
            results[server.name] = memory_of(server, parent, quick)
        except (Failed, RuntimeError) as error:
            skipped[server.name] = str(error)
    return results, skipped
