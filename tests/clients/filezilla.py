"""FileZilla in front of a screen that nobody sees, moved by keys as a user would.

What is to be seen is polled for, with deadlines: windows by xdotool, the dialogue with the server
in FileZilla's own log, outcomes on disk. Two clicks only are used, to choose one of the two lists
of files: on the part of it that stays empty.
"""

import base64
import os
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from xml.sax.saxutils import escape

from clients import DEADLINE_SEC, Site, expected_hashes

KEEP = Path("/run/keep")
SCREEN = "1280x1024x24"
WINDOW = "0 0 0 1280 900 "

# Below the files, for less than 20 of them.
EMPTY_PARTS = {"here": (300, 740), "there": (900, 740)}

# Numbers of FileZilla's: what to do when a file exists, which TYPE, which protocol.
OVERWRITE, RESUME = 1, 5
ASCII, BINARY = 1, 2
FTP, IMPLICIT_TLS, EXPLICIT_TLS, PLAIN_FTP = 0, 3, 4, 6

# The database of FileZilla's queue, version 7.
QUEUE_VERSION = 7
QUEUE_TABLES = {
    "servers": "host TEXT NOT NULL, port INTEGER, user TEXT, password TEXT, account TEXT, "
               "keyfile TEXT, protocol INTEGER, type INTEGER, logontype INTEGER, "
               "timezone_offset INTEGER, transfer_mode TEXT, max_connections INTEGER, "
               "encoding TEXT, bypass_proxy INTEGER, post_login_commands TEXT, name TEXT, "
               "parameters TEXT, site_path TEXT DEFAULT NULL",
    "files": "server INTEGER NOT NULL, source_file TEXT, target_file TEXT, local_path INTEGER, "
             "remote_path INTEGER, size INTEGER, error_count INTEGER, priority INTEGER, "
             "flags INTEGER, default_exists_action INTEGER, extra_flags TEXT",
    "local_paths": "path TEXT NOT NULL",
    "remote_paths": "path TEXT NOT NULL",
}
QUEUE_DOWNLOAD = 0x10
NORMAL_PRIORITY = 2

# The first two entries of the menu of either list, as keys.
TRANSFER = ["Down", "Return"]
ADD_TO_QUEUE = ["Down", "Down", "Return"]


def xml(content):
    """A configuration file of FileZilla."""
    return ('<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<FileZilla3 version="3.63.0" platform="*nix">{content}</FileZilla3>\n')


def remote_path(path):
    """A path of the server, "/" for the top, as FileZilla writes it: each part has its length."""
    return " ".join(["1 0", *(f"{len(part)} {part}" for part in path.split("/") if part)])


def names_below(top):
    """What is in a directory and below, as hashes() names it, while it changes."""
    return {os.path.relpath(os.path.join(directory, name), top) + end
            for directory, subdirectories, files in os.walk(top)
            for names, end in ((subdirectories, "/"), (files, "")) for name in names}


class Screen:
    """An X server without a window manager."""

    def __init__(self, log):
        here, there = os.pipe()
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                ["Xvfb", "-displayfd", str(there), "-screen", "0", SCREEN, "-nolisten", "tcp",
                 "-noreset"],
                pass_fds=[there], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        os.close(there)
        with os.fdopen(here) as pipe:
            number = pipe.readline().strip()
        assert number, f"Xvfb does not run: {Path(log).read_text(errors='replace')}"
        self.environment = {"DISPLAY": f":{number}"}

    def do(self, *words):
        """Run xdotool; returns its output. That it finds nothing is no error."""
        done = subprocess.run(["xdotool", *map(str, words)], env={**os.environ, **self.environment},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=DEADLINE_SEC, text=True)
        return done.stdout

    def keys(self, *names):
        """Press keys, one after the other."""
        self.do("key", *names)

    def windows(self):
        """The windows to be seen, menus and dialogues too, by their numbers."""
        return set(self.do("search", "--onlyvisible", "--maxdepth", 1, "--name", "").split())

    def titles(self):
        """The titles of the windows."""
        return self.do("search", "--onlyvisible", "--name", "", "getwindowname", "%@")

    def look(self):
        """What is to be seen, as bytes to compare."""
        return subprocess.run(["import", "-window", "root", "rgb:-"], check=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              env={**os.environ, **self.environment}, timeout=DEADLINE_SEC).stdout

    def picture(self, name):
        """Write what is to be seen into the directory that outlives the tests."""
        path = KEEP / (re.sub(r"[^A-Za-z0-9]+", "-", name) + ".png")
        subprocess.run(["import", "-window", "root", path], check=True, timeout=DEADLINE_SEC,
                       env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL)
        return path

    def close(self):
        """End the X server."""
        self.process.terminate()
        self.process.wait(10)


class FileZilla(Site):
    """A site in FileZilla's list of sites, and FileZilla with it. Settings come before start()."""

    def __init__(self, ftpd, home, directory, way, name="filezilla", **options):
        self.home = directory / "fz"
        self.conf = self.home / ".config/filezilla"
        self.log_path = self.home / "log"
        self.conf.mkdir(parents=True)
        local = directory / "local"
        local.mkdir()
        super().__init__(ftpd, home, local, way, chroot_local_user="YES", **options)
        self.name = name
        self.screen = Screen(self.home / "xvfb")
        self.process = None
        self.protocol = PLAIN_FTP
        self.trusted = None  # a certificate that the user has accepted before, in DER
        self.settings = {
            "Greeting version": "3.63.0", "Logging file": self.log_path,
            "Window position and size": WINDOW, "Show quickconnect bar": 0, "Show Tree Local": 0,
            "Show Tree Remote": 0, "Ascii Binary mode": BINARY, "Allow transfermode fallback": 0,
            "Reconnect count": 0, "Number of Transfers": 2,
            "Local filelist colwidths": "320 80 70 150",
            "Remote filelist colwidths": "220 70 70 130 70 75",
            "File exists action download": OVERWRITE, "File exists action upload": OVERWRITE,
        }

    # Start and end.

    def write_conf(self):
        """Write what FileZilla reads when it starts."""
        settings = "".join(f'<Setting name="{name}">{escape(str(value))}</Setting>'
                           for name, value in self.settings.items())
        password = base64.b64encode(self.account.password.encode()).decode()
        site = {"Host": self.host, "Port": self.daemon.port,
                "Protocol": self.protocol, "Type": 0,
                "User": self.account.name, "Logontype": 1,
                "PasvMode": "MODE_PASSIVE" if self.passive else "MODE_ACTIVE",
                "LocalDir": f"{self.local}/", "Name": self.account.name}
        server = "".join(f"<{tag}>{value}</{tag}>" for tag, value in site.items())
        files = {
            "filezilla.xml": f"<Settings>{settings}</Settings>",
            "sitemanager.xml": "<Servers><Server>" + server +
                               f'<Pass encoding="base64">{password}</Pass></Server></Servers>',
            # or it asks whether plain FTP will do, and whether to trust a certificate
            "trustedcerts.xml": f'<InsecureHosts><Host Port="21">{self.host}</Host>'
                                f"</InsecureHosts>{self.accepted()}",
        }
        for name, content in files.items():
            (self.conf / name).write_text(xml(content))

    def accepted(self):
        """The certificate that was accepted before, as FileZilla writes it down."""
        if self.trusted is None:
            return ""
        now = int(time.time())
        fields = {"Data": self.trusted.hex(), "ActivationTime": now - 86400,
                  "ExpirationTime": now + 86400, "Host": self.host, "Port": self.daemon.port,
                  "TrustSANs": 0}
        inner = "".join(f"<{tag}>{value}</{tag}>" for tag, value in fields.items())
        return f"<TrustedCerts><Certificate>{inner}</Certificate></TrustedCerts>"

    def start(self):
        """Start FileZilla, connect, and wait for the first listing."""
        self.write_conf()
        before = len(self.listings())
        environment = {
            "HOME": str(self.home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
            "NO_AT_BRIDGE": "1", "GSETTINGS_BACKEND": "memory",
            # none, and none is to be started
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.home}/none", **self.screen.environment,
        }
        with open(self.home / "stderr", "wb") as output:
            self.process = subprocess.Popen(
                ["filezilla", f"--site=0/{self.account.name}"], env=environment, cwd=self.local,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        title = f"{self.account.name}@"
        self.wait(lambda: title in self.screen.titles(), "the title of the window")
        self.wait(lambda: len(self.listings()) > before, "the first listing")

    def quit(self):
        """Leave FileZilla, which saves its queue then. It refuses while it is busy."""
        before = self.screen.windows()

        def ended():
            if self.process.poll() is None and self.screen.windows() - before:
                self.screen.keys("Escape")  # no, do not break off
            elif self.process.poll() is None:
                self.screen.keys("ctrl+q")
            return self.process.poll() is not None

        self.wait(ended, "its end")
        self.same(self.process.returncode, 0, "the exit status")

    def close(self):
        """End what still runs."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
        self.screen.close()

    # What it says.

    @property
    def log(self):
        """FileZilla's log: (kind, text) of each line."""
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return re.findall(r"^\S+ \S+ \d+ \d+ (\w+): (.*)$", text, re.M)

    def commands(self, *verbs):
        """The commands sent so far, all or those with one of these verbs."""
        return [text for kind, text in self.log
                if kind == "Command" and (not verbs or text.split()[0] in verbs)]

    def listings(self):
        """The directories listed so far."""
        return re.findall(r'^Directory listing of "(.*)" successful$',
                          "\n".join(text for _, text in self.log), re.M)

    def transferred(self):
        """The number of files brought over so far."""
        return sum(text.startswith("File transfer successful") for _, text in self.log)

    def story(self, what):
        self.output = "\n".join(": ".join(line) for line in self.log)
        errors = self.home / "stderr"
        return super().story(what) + (errors.read_text() if errors.exists() else "")

    def wait(self, condition, what, seconds=DEADLINE_SEC):
        """Wait until `condition` is true, or leave a picture and fail."""
        end = time.monotonic() + seconds
        while not condition():
            ended = self.process.poll() is not None and not condition()
            if ended or time.monotonic() > end:
                path = self.screen.picture(f"{self.name}-failed")
                raise AssertionError(self.story(f"FileZilla: waited for {what}, see {path.name}"))
            time.sleep(0.05)

    def wait_still(self):
        """Wait until what is to be seen does not change any more; returns that."""
        looks = [b"", self.screen.look()]

        def same_again():
            looks[:] = looks[1], self.screen.look()
            return looks[0] == looks[1]

        self.wait(same_again, "the window to come to rest")
        return looks[1]

    def wait_files(self, count):
        """Wait until `count` files are over; no more of them may have come."""
        self.wait(lambda: self.transferred() >= count, f"{count} files")
        self.same(self.transferred(), count, "the number of files brought over")

    def wait_tree(self, top, entries=None):
        """Wait for the tree in `top`; its last directories come after the last file."""
        names = set(expected_hashes(entries))
        self.wait(lambda: names_below(top) == names, f"the tree in {top}")
        self.same_tree(top, entries)

    # What it is told.

    def choose_all(self, where):
        """Select all that the list shows, until that can be seen: the files "here" or "there"."""
        self.screen.do("mousemove", *EMPTY_PARTS[where], "click", 1)
        before = self.wait_still()

        def selected():
            self.screen.keys("ctrl+a")
            return self.screen.look() != before

        self.wait(selected, f"the files {where} to be selected")

    def window_opens(self, *keys):
        """Press keys that open a menu or a dialogue, until it is open."""
        before = self.screen.windows()
        self.screen.keys(*keys)
        self.wait(lambda: self.screen.windows() - before, f"what {keys} opens")

    def menu(self, where, choice):
        """Open the menu of all files of a list and choose one of its entries."""
        self.choose_all(where)
        before = self.screen.windows()
        self.window_opens("Menu")
        self.screen.keys(*choice)
        self.wait(lambda: not self.screen.windows() - before, "the end of the menu")

    # Its queue.

    def write_queue(self, downloads, uploads):
        """Let the next start find a queue of these files and directories (that end in "/")."""
        tables = {name: [] for name in QUEUE_TABLES}

        def number(table, row):
            if row not in tables[table]:
                tables[table].append(row)
            return tables[table].index(row) + 1

        def here(name):
            return number("local_paths", (os.path.join(self.local, name, ""),))

        def there(name):
            return number("remote_paths", (remote_path(name),))

        def add(source, local, remote, size, flags):
            tables["files"].append((server, source, None, local, remote, size, None,
                                    NORMAL_PRIORITY, flags, None, None))

        server = number("servers", (
            self.host, 21, self.account.name, self.account.password, None, None, self.protocol, 0,
            1, 0, "passive" if self.passive else "active", 0, "Auto", 0, None, self.account.name,
            None, f"0/{self.account.name}"))
        for name in downloads:
            top, base = os.path.split(name)
            if base:
                add(base, here(top), there(top), (self.remote / name).stat().st_size,
                    QUEUE_DOWNLOAD)
            else:
                add(None, here(top), -1, None, QUEUE_DOWNLOAD)
        for name in uploads:
            top, base = os.path.split(name)
            if base:
                add(base, here(top), there(top), (self.local / name).stat().st_size, 0)
            else:
                add("", -1, there(top), None, 0)

        with sqlite3.connect(self.conf / "queue.sqlite3") as queue:
            queue.execute(f"PRAGMA user_version = {QUEUE_VERSION}")
            for table, columns in QUEUE_TABLES.items():
                queue.execute(f"CREATE TABLE {table} "
                              f"(id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, {columns})")
                for row, values in enumerate(tables[table], 1):
                    marks = ", ".join("?" * (len(values) + 1))
                    queue.execute(f"INSERT INTO {table} VALUES ({marks})", (row, *values))
        queue.close()

    def queued(self):
        """The number of entries in the queue that was saved."""
        queue = sqlite3.connect(self.conf / "queue.sqlite3")
        count = queue.execute("SELECT COUNT(*) FROM files").fetchone()[0]
        queue.close()
        return count
