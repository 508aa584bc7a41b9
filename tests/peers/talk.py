"""Speak one step of the dialogue to a server and note what it answers.

A step is a list of lines. Each is sent as it is, without what it may begin with in parentheses:

    (EPSV) (PORT) (EPRT)  before a transfer: the way to the data connection; PASV if nothing is said
    (no data)             before a transfer: no data connection is offered
    (meanwhile)           sent while the transfer of the line before is under way; the last line
    (closed?)             nothing is sent; noted is whether the server has closed; the last line

Bytes instead of text are sent without a line end of their own; they are the last line, too.

The notes are the reply codes in order. Behind a listing stands the number of its lines, behind a
download the number of its bytes, and behind the reply to SIZE what it says.
"""

import calendar
import os
import re
import shutil
from pathlib import Path

import accounts
from ftpraw import Client, Closed, Deadline, ProtocolError, receive

LISTINGS = ("LIST", "NLST", "MLSD")
UPLOADS = ("STOR", "STOU", "APPE")
TRANSFERS = (*LISTINGS, *UPLOADS, "RETR")
MARKS = re.compile(r"\((EPSV|PORT|EPRT|no data|meanwhile|closed\?)\) ?")

WAIT_SEC = 10
REACTION_SEC = 1.5  # who has not answered by then does not answer before the transfer ends

PASSWORDS = {"alice": accounts.ALL["alice"].password, "anonymous": "test@example.com"}
HOME = Path(accounts.ALL["alice"].home)
ANONYMOUS_FILE = Path(accounts.ALL["ftp"].home, "pub", "readme.txt")
MODIFIED = calendar.timegm((2024, 1, 31, 12, 34, 56))
UPLOAD = b"from the client\n"
BIG_SIZE = 64 << 20
FILES = {
    "hello.txt": b"line one\nline two\n",
    "other.txt": b"other\n",
    "crlf.txt": b"line one\r\nline two\r\n",
    "name with blanks": b"blanks\n",
    "[1].txt": b"brackets\n",
    ".hidden": b"hidden\n",
    "part1": b"part one\n",
    "part2": b"part two\n",
    "secret.txt": b"secret\n",
    "sub/a.txt": b"a\n",
    "sub/b.txt": b"b\n",
    "sub/deep/c.txt": b"c\n",
}


def fresh_home():
    """Empty the home directory of alice and fill it with what the dialogue expects."""
    for entry in HOME.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    for name, content in FILES.items():
        path = HOME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (HOME / "big").touch()
    os.truncate(HOME / "big", BIG_SIZE)
    (HOME / "link").symlink_to("hello.txt")
    (HOME / "dangling").symlink_to("nowhere")
    (HOME / "empty").mkdir()
    (HOME / "closed").mkdir()
    account = accounts.ALL["alice"]
    for top, directories, files in os.walk(HOME, topdown=False):
        for name in (*directories, *files):
            path = os.path.join(top, name)
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
            os.utime(path, (MODIFIED, MODIFIED), follow_symlinks=False)
    os.utime(ANONYMOUS_FILE, (MODIFIED, MODIFIED))
    (HOME / "secret.txt").chmod(0)
    (HOME / "closed").chmod(0)


def split(line):
    """(mark, rest) of a line of a step; the mark is empty if there is none."""
    match = MARKS.match(line)
    return (match.group(1), line[match.end():]) if match else ("", line)


class Talk:
    """The session of one step. Without `user` it is before login, otherwise after TYPE I."""

    def __init__(self, user):
        self.client = Client()
        self.notes = []
        self.verb = ""
        self.meanwhile = None
        self.client.reply(220)
        if user:
            code = self.client.try_login(user, PASSWORDS[user])
            assert code == 230, f"the login as {user} is answered with {code}"
            self.client.cmd("TYPE I", 200)

    def close(self):
        self.client.close()

    def run(self, lines):
        """Speak all lines; returns the notes as one string."""
        try:
            for line, following in zip(lines, (*lines[1:], "")):
                mark, text = split(following)
                self.meanwhile = text if mark == "meanwhile" else None
                self.speak(line)
        except (Closed, ConnectionError):
            self.notes.append("closed")
        except ProtocolError:
            self.notes.append("malformed")
        except TimeoutError:
            self.notes.append("silent")
        return " ".join(self.notes) or "nothing"

    def speak(self, line):
        if isinstance(line, bytes):
            self.client.send(line)
            self.note_until_quit()
            return
        mark, text = split(line)
        if mark == "meanwhile":
            return  # spoken together with its transfer
        if mark == "closed?":
            self.note_closed()
        else:
            self.verb = text.split(" ")[0].upper()
            if self.verb in TRANSFERS and mark != "no data":
                self.transfer(text, mark or "PASV")
            else:
                self.command(text)

    # Replies.

    def note_reply(self):
        """Read a reply and note it; returns its code."""
        reply = self.client.reply(seconds=WAIT_SEC)
        note = str(reply.code)
        if self.verb in ("SIZE", "MDTM") and reply.text.isdigit():
            note += f" [{reply.text}]"
        self.notes.append(note)
        return reply.code

    def note_until_quit(self):
        """Note all replies that are still to come; QUIT marks their end and is not noted."""
        self.client.send_line("QUIT")
        while self.note_reply() != 221:
            pass
        self.notes.pop()

    def note_closed(self):
        """Note whether the server has closed."""
        try:
            self.client.send_line("NOOP")
            self.client.reply(seconds=WAIT_SEC)
        except (Closed, ConnectionError):
            self.notes.append("closed")

    def command(self, text):
        """A command without a data connection."""
        self.client.send_line(text)
        if self.note_reply() < 200:
            self.note_reply()

    # Transfers.

    def transfer(self, text, way):
        """A command that may move data."""
        try:
            opened = getattr(self.client, way.lower())()
        except (Closed, ProtocolError):
            raise
        except AssertionError:  # another code than the command has on success
            self.notes.append(f"no {way}")
            return
        self.client.send_line(text)
        if self.note_reply() >= 200:
            return
        with opened() as data:
            if self.meanwhile:
                self.speak_meanwhile(data)
                return
            moved = self.move(data)
        self.note_reply()
        if moved:
            self.notes.append(moved)

    def move(self, data):
        """Move the data of a transfer in its direction; returns a note about it."""
        if self.verb in UPLOADS:
            data.sendall(UPLOAD)
            return ""
        content = bytearray()
        deadline = Deadline()
        while chunk := receive(data, 1 << 18, deadline):
            content += chunk
        number = content.count(b"\n") if self.verb in LISTINGS else len(content)
        return f"[{number}]"

    def speak_meanwhile(self, data):
        """Send a command while `data` is not served by us, then let the transfer end."""
        if self.verb in UPLOADS:
            data.sendall(UPLOAD)
        self.client.send_line(self.meanwhile)
        try:
            reply = self.client.reply(seconds=REACTION_SEC)
            self.notes.append(str(reply.code))
        except TimeoutError:
            pass
        if self.verb not in UPLOADS:
            self.move(data)
        data.close()
        self.note_reply()
        if self.meanwhile == "QUIT":
            self.note_reply()
        else:
            self.note_until_quit()
