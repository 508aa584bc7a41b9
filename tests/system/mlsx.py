"""What the tests of MLSD, MLST and their facts share."""

import os
import re
import time
from collections import namedtuple

from ftpraw import ProtocolError

# All facts, in the order in which they are sent, and what each may be.
FACTS = {
    "type": r"file|dir|cdir|pdir|OS\.unix=(slink:[^;]+|symlink|fifo|socket|char|block)",
    "size": r"\d+",
    "modify": r"\d{14}",
    "perm": r"a?c?d?e?f?l?m?p?r?w?",
    "unique": r"[0-9a-f]+g[0-9a-f]+",
    "UNIX.mode": r"[0-7]{4}",
    "UNIX.owner": r"[^;\s]+",
    "UNIX.group": r"[^;\s]+",
}

Entry = namedtuple("Entry", "facts name")


def parse(line):
    """One entry. As clients do, it takes the first blank for the one before the name."""
    words, blank, name = line.partition(" ")
    if not blank or not name or (words and not words.endswith(";")):
        raise ProtocolError(f"not an entry of RFC 3659: {line!r}")
    facts = {}
    for word in words.split(";")[:-1]:
        fact, _, value = word.partition("=")
        if fact not in FACTS or fact in facts or not re.fullmatch(FACTS[fact], value):
            raise ProtocolError(f"the fact {word!r} in {line!r}")
        facts[fact] = value
    if list(facts) != [fact for fact in FACTS if fact in facts]:
        raise ProtocolError(f"facts out of order: {line!r}")
    return Entry(facts, name)


def mlsd(client, path="", mode="pasv"):
    """The facts of what is in a directory, by name."""
    entries = [parse(line) for line in client.list(path, "MLSD", mode)]
    found = {entry.name: entry.facts for entry in entries}
    if len(found) != len(entries):
        raise ProtocolError(f"a name is there twice: {[entry.name for entry in entries]}")
    return found


def mlst(client, path=""):
    """The facts that MLST tells, and the path it shows. `path` may be bytes."""
    if not isinstance(path, bytes):
        path = path.encode("utf-8", "surrogateescape")
    reply = client.cmd(b"MLST " + path if path else b"MLST", 250)
    if len(reply.lines) != 3 or not re.match("250-Listing ", reply.lines[0]):
        raise ProtocolError(f"not a reply to MLST: {reply!r}")
    if reply.lines[1][:1] != " " or reply.lines[2] != "250 End":
        raise ProtocolError(f"not a reply to MLST: {reply!r}")
    # This is the control connection, where a byte FF of a name is doubled.
    return parse(reply.lines[1][1:].replace("\udcff\udcff", "\udcff"))


def unique_of(path, follow=False):
    """The fact `unique` as it has to be."""
    status = os.stat(path, follow_symlinks=follow)
    return f"{status.st_dev:x}g{status.st_ino:x}"


def modify_of(path, follow=False):
    """The fact `modify` as it has to be."""
    status = os.stat(path, follow_symlinks=follow)
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(status.st_mtime_ns // 10 ** 9))


def facts_on_disk(path, kind, perm):
    """All facts of `path` as they have to be; its type and rights as the caller knows them."""
    status = os.lstat(path)
    facts = {
        "type": kind, "size": str(status.st_size), "modify": modify_of(path), "perm": perm,
        "unique": unique_of(path), "UNIX.mode": f"{status.st_mode & 0o7777:04o}",
        "UNIX.owner": str(status.st_uid), "UNIX.group": str(status.st_gid),
    }
    if kind != "file":
        del facts["size"]
    return facts
