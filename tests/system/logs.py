"""The logs as their readers see them."""

import json
import os
import re
import socket
import threading
from pathlib import Path

import procs

DATE = (r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
        r"[ 123]\d \d\d:\d\d:\d\d \d{4}")
LINE = re.compile(
    rf'(?P<date>{DATE}) \[pid (?P<pid>\d+)\] (?:\[(?P<user>[^]]*)\] )?(?:(?P<ok>OK|FAIL) )?'
    r'(?P<event>[A-Z]+|FTP (?:command|response)): '
    r'Client "(?P<peer>[0-9a-f.:]+)"(?:, (?P<rest>.*))?')
# vsftpd names no bytes where there were none.
TRANSFER = re.compile(
    r'"(?P<path>.*?)"(?:, (?P<bytes>\d+) bytes)?, (?P<rate>\d+\.\d\d)Kbyte/sec')
XFERLOG = re.compile(
    rf"(?P<date>{DATE}) (?P<seconds>\d+) (?P<peer>\S+) (?P<bytes>\d+) (?P<path>\S+) "
    r"(?P<type>[ab]) _ (?P<direction>[io]) (?P<access>[agr]) (?P<user>\S+) ftp 0 \* (?P<end>[ci])")
SYSLOG = re.compile(
    r"<(?P<priority>\d+)>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d (?P<tag>[a-z]+)\[(?P<pid>\d+)\]: "
    r"(?P<text>.*)")
FACILITY_FTP = 11


class Fields:
    """A line that has the shape of a pattern; its groups are attributes."""

    def __init__(self, pattern, text):
        match = pattern.fullmatch(text)
        assert match, f"not a line of the log: {text!r}"
        self.text = text
        self.__dict__.update(match.groupdict())


def Line(text):
    """One line of the native log."""
    return Fields(LINE, text)


def whole_lines(content):
    """The lines of a log, which has to end with one."""
    assert content == "" or content.endswith("\n"), f"a line without end: {content[-200:]!r}"
    return content.split("\n")[:-1]


def settled(read_log):
    """What `read_log` returns at a moment when no line is just being written; the last it returned
    if that does not come."""
    seen = []

    def is_whole():
        seen.append(read_log())
        return seen[-1] == "" or seen[-1].endswith("\n")

    procs.wait_for(is_whole)
    return seen[-1]


def lines(daemon, event=None):
    """The lines so far, or those of one kind of event; every one of them must be well-formed."""
    parsed = [Line(text) for text in whole_lines(settled(lambda: daemon.log))]
    return [line for line in parsed if event in (None, line.event)]


def wait_lines(daemon, event, count=1):
    """The lines of an event, as soon as there are `count`."""
    assert procs.wait_for(lambda: len(lines(daemon, event)) >= count), daemon.log
    found = lines(daemon, event)
    assert len(found) == count, daemon.log
    return found


def read(path):
    """The content of a log, empty if there is none."""
    return Path(path).read_bytes().decode() if Path(path).exists() else ""


def xferlog(path):
    """The lines of a log in the format of wu-ftpd."""
    return [Fields(XFERLOG, text) for text in whole_lines(settled(lambda: read(path)))]


def wait_xferlog(path, count=1):
    """The same, as soon as there are `count`."""
    assert procs.wait_for(lambda: len(xferlog(path)) >= count), read(path)
    assert len(xferlog(path)) == count, read(path)
    return xferlog(path)


def _object(pairs):
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), f"twice the same name: {names}"
    return dict(pairs)


def records(path, event=None):
    """The objects of a JSON log, or those of one kind of event."""
    texts = whole_lines(settled(lambda: read(path)))
    found = [json.loads(text, object_pairs_hook=_object) for text in texts]
    return [record for record in found if event in (None, record["event"])]


def wait_records(path, event, count=1):
    """The same, as soon as there are `count`."""
    assert procs.wait_for(lambda: len(records(path, event)) >= count), read(path)
    assert len(records(path, event)) == count, read(path)
    return records(path, event)


class LogDaemon:
    """Stands for the log daemon: the socket /dev/log."""

    def __init__(self):
        self.sock = self.thread = None
        self.lines = []
        self.start()

    def start(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        self.wake()

    def _read(self):
        while True:
            data = self.sock.recv(1 << 16)
            if not data:
                return
            self.lines.append(data)

    def sleep(self):
        """Read no more; the queue of the kernel takes ten lines."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", "/dev/log")
        self.thread.join()

    def wake(self):
        """Read again."""
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def stop(self):
        self.sleep()
        self.sock.close()
        os.unlink("/dev/log")

    def take(self):
        """What has been read since the last call, as lines with priority, tag, pid and text."""
        found = []
        while self.lines:
            found.append(Fields(SYSLOG, self.lines.pop(0).decode()))
        return found

    def wait(self, text):
        """What comes, up to the line that holds `text`."""
        found = []

        def come():
            found.extend(self.take())
            return any(text in line.text for line in found)

        assert procs.wait_for(come), f"no {text!r} in {[line.text for line in found]}"
        return found
