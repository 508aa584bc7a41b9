"""Run the program to check configurations, and read what it says about them."""

import re
import subprocess

from ftpd import PROGRAM

USAGE = 2
FINE = 0


# Lines that are wrong wherever they stand but in front: what is said about each.
MALFORMED = {
    "unknown": ("frobnicate=YES", ["unknown option 'frobnicate'"]),
    "typo": ("anonymous_enabel=YES", ["unknown option", "'anonymous_enable'"]),
    "two words": ("local enable=YES", ["unknown option", "'local_enable'"]),
    "capitals": ("LOCAL_ENABLE=YES", ["unknown option"]),
    "plural": ("max_client=5", ["unknown option", "'max_clients'"]),
    "no value for a boolean": ("local_enable=", ["local_enable", "YES or NO"]),
    "no value for a number": ("max_clients=", ["max_clients", "number"]),
    "wrong boolean": ("local_enable=YESS", ["local_enable", "YES or NO", "'YESS'"]),
    "number for a boolean": ("local_enable=2", ["local_enable", "YES or NO", "'2'"]),
    "text for a number": ("max_clients=many", ["max_clients", "number", "'many'"]),
    "unit": ("idle_session_timeout=5m", ["idle_session_timeout", "'5m'"]),
    "negative": ("max_clients=-1", ["max_clients", "'-1'"]),
    "plus": ("max_clients=+1", ["max_clients", "'+1'"]),
    "hexadecimal": ("max_clients=0x10", ["max_clients", "'0x10'"]),
    "fraction": ("accept_timeout=1.5", ["accept_timeout", "'1.5'"]),
    "two numbers": ("max_clients=1 2", ["max_clients", "'1 2'"]),
    "below the range": ("listen_port=0", ["listen_port", "from 1 to 65535", "'0'"]),
    "above the range": ("listen_port=65536", ["listen_port", "from 1 to 65535", "'65536'"]),
    "far above": ("max_clients=99999999999999999999", ["max_clients"]),
    "wraps": ("max_clients=4294967297", ["max_clients", "'4294967297'"]),
    "no octal digit": ("local_umask=028", ["local_umask", "octal", "'028'"]),
    "octal above the range": ("local_umask=01000", ["local_umask", "from 000 to 777"]),
    "no equals sign": ("local_enable YES", ["'local_enable YES'", "name=value"]),
    "only a name": ("local_enable", ["'local_enable'", "name=value"]),
    "only a value": ("=YES", ["unknown option ''"]),
    "nothing but =": ("=", ["unknown option ''"]),
    "colon": ("local_enable: YES", ["name=value"]),
    "NUL in the value": ("ftpd_banner=a\0b", ["NUL"]),
    "NUL in the name": ("local\0_enable=YES", ["NUL"]),
    "NUL in a comment": ("# a\0b", ["NUL"]),
    "byte order mark": ("\ufefflocal_enable=YES", ["unknown option"]),
    "text that is too long": ("ftpd_banner=" + "x" * 4097, ["ftpd_banner", "too long"]),
    "name that is too long": ("x" * 90000 + "=1", ["unknown option"]),
    "comment behind a value": ("local_enable=YES # why", ["YES or NO", "a line of its own"]),
    "wrong value of an option without effect": ("tcp_wrappers=perhaps", ["YES or NO"]),
    "size with a wrong unit": ("max_upload_size=1X", ["max_upload_size", "number"]),
    "control characters": ("\x1b[2Jx=1", ["unknown option", r"\x1B[2Jx"]),
}


class Files:
    """Configuration files in a directory of their own."""

    def __init__(self, directory):
        self.directory = directory

    def __call__(self, content, name="test.conf", mode=0o644):
        """Write a file; its path as text."""
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return str(path)


def run(*arguments, stdin=subprocess.DEVNULL, **keywords):
    return subprocess.run([PROGRAM, *arguments], stdin=stdin, capture_output=True, text=True,
                          errors="surrogateescape", timeout=10, cwd="/", **keywords)


def errors_of(*arguments):
    """The lines of a check that fails; each says who speaks."""
    result = run("-t", *arguments)
    assert result.returncode == USAGE, result
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines and all(line.startswith("miniftpd: ") for line in lines), lines
    return [line[len("miniftpd: "):] for line in lines]


def only_error_of(*arguments):
    lines = errors_of(*arguments)
    assert len(lines) == 1, lines
    return lines[0]


class Explained:
    """What a check that succeeds prints: its parts as lists of lines, and the number of warnings."""

    def __init__(self, text):
        *parts, last = text.rstrip("\n").split("\n\n")
        self.parts = {}
        for part in parts:
            heading, *lines = part.splitlines()
            assert all(line.startswith("    ") for line in lines), part
            self.parts[heading] = [line.strip() for line in lines]
        match = re.fullmatch(r"miniftpd: the configuration is correct(, with (\d+) warnings?)?", last)
        assert match, last
        assert int(match.group(2) or 0) == len(self.warnings)

    @property
    def values(self):
        """{name: (value, place)} of what is not the default."""
        lines = self.parts.get("Values that are not the default:", [])
        rows = [re.split(r"\s{2,}", line) for line in lines]
        return {name: (value, place) for name, value, place in rows}

    @property
    def accepted(self):
        return self.parts.get("Accepted from vsftpd.conf:", [])

    @property
    def warnings(self):
        return self.parts.get("Warnings:", [])

    def about(self, option):
        """The warnings about an option."""
        return [line for line in self.warnings if re.search(rf"(^|: ){option}\b", line)]


def explained(*arguments, **keywords):
    """A check that succeeds, and what it tells."""
    result = run("-t", *arguments, **keywords)
    assert (result.returncode, result.stderr) == (FINE, ""), result
    return Explained(result.stdout)


def fine(*arguments):
    """A check that succeeds says so in its last line."""
    return explained(*arguments) is not None
