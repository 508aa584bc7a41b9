"""A name server on 127.0.0.1 that says what a test tells it, and the files that lead to it."""

import contextlib
import socket
import struct
import subprocess
import threading
from pathlib import Path

QUERY = 17  # how long header, type and class are, and the end of the name
POINTER_TO_QUESTION = 0xC00C
TYPE_A, CLASS_IN = 1, 1
ANSWER, NO_SUCH_NAME = 0x8180, 0x8183


def question(query):
    """The name that is asked for, and where the question ends."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels), at + 5


class NameServer:
    """Answers from `addresses`, lists of IPv4 addresses by name; while `silent`, not at all."""

    def __init__(self):
        self.addresses = {}
        self.silent = False
        self.asked = 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 53))
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while True:
            query, client = self.sock.recvfrom(512)
            if len(query) < QUERY:
                return
            self.asked += 1
            if not self.silent:
                self.sock.sendto(self.answer(query), client)

    def answer(self, query):
        name, end = question(query)
        known = self.addresses.get(name.lower())
        (kind,) = struct.unpack("!H", query[end - 4:end - 2])
        found = known if known and kind == TYPE_A else []
        flags = NO_SUCH_NAME if known is None else ANSWER
        header = query[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0)
        records = b"".join(struct.pack("!HHHIH", POINTER_TO_QUESTION, TYPE_A, CLASS_IN, 1, 4)
                           + socket.inet_aton(address) for address in found)
        return header + query[12:end] + records

    def stop(self):
        """An empty datagram ends the thread."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", ("127.0.0.1", 53))
        self.thread.join()
        self.sock.close()


@contextlib.contextmanager
def file_replaced(path, text, directory):
    """While this is open, `path` has the content `text`; made with a mount, so nothing is lost."""
    copy = Path(directory) / Path(path).name
    copy.write_text(text)
    copy.chmod(0o644)
    subprocess.run(["mount", "--bind", copy, path], check=True)
    try:
        yield copy
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


@contextlib.contextmanager
def name_server(directory):
    """A NameServer that this machine asks, after /etc/hosts, while this is open."""
    nsswitch = Path("/etc/nsswitch.conf").read_text().replace("hosts: files", "hosts: files dns")
    server = NameServer()
    try:
        with file_replaced("/etc/nsswitch.conf", nsswitch, directory), \
                file_replaced("/etc/resolv.conf", "nameserver 127.0.0.1\n", directory):
            yield server
    finally:
        server.stop()
