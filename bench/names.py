"""names.py COMMAND PATH - list PATH on 127.0.0.1 and print SHA-256 of the names, sorted."""

import ftplib
import hashlib
import sys


def name_in(line, command):
    """The name in a line of a listing; None: not an entry. The names have no blanks."""
    if command == "LIST":
        return line.rpartition(b" ")[2] if line[:1] == b"-" else None
    if command == "MLSD":
        facts, _, name = line.partition(b" ")
        return name if b"type=file" in facts.lower() else None
    name = line.rpartition(b"/")[2]
    return None if name in (b".", b"..") else name  # Pure-FTPd names them


def main(command, path):
    """Print the digest."""
    ftp = ftplib.FTP("127.0.0.1", "anonymous", "load@", timeout=60)
    data = b"".join(receive(ftp, f"{command} {path}"))
    ftp.quit()
    names = (name_in(line, command) for line in data.split(b"\r\n") if line)
    print(hashlib.sha256(b"\n".join(sorted(filter(None, names)))).hexdigest())


def receive(ftp, line):
    """The bytes that `line` yields, in blocks."""
    blocks = []
    ftp.sendcmd("TYPE A")
    with ftp.transfercmd(line) as data:
        while block := data.recv(1 << 16):
            blocks.append(block)
    ftp.voidresp()
    return blocks


if __name__ == "__main__":
    main(*sys.argv[1:])
