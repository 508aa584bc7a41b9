"""The accounts of the system suite.

Tests import the table for names and passwords. Run as a program (run-system does), it writes the
account files into a directory and makes the home directories and the anonymous area.
"""

import ctypes
import os
import sys
import time
from pathlib import Path

LOGIN_SHELL = "/bin/sh"
TODAY = int(time.time() // 86400)

# Prefix and cost of each hash scheme, as crypt_gensalt(3) takes them; cheap ones except the last.
SCHEMES = {
    "yescrypt": (b"$y$", 1),
    "sha512": (b"$6$", 1000),
    "sha256": (b"$5$", 1000),
    "bcrypt": (b"$2b$", 4),
    "yescrypt-normal": (b"$y$", 0),
}


class Account:
    """One line of passwd and shadow. `hash` is a format: {} stands for the hash of `password`."""

    next_uid = 1001

    def __init__(self, name, password=None, scheme="yescrypt", *, uid=None, gid=None, home=None,
                 shell=LOGIN_SHELL, hash="{}", aging="", shadow=True, home_kind="own"):
        if uid is None:
            uid = Account.next_uid
            Account.next_uid += 1
        self.name = name
        self.password = password or f"secret-{name}"
        self.scheme = scheme
        self.uid = uid
        self.gid = uid if gid is None else gid
        self.home = home or f"/home/{name}"
        self.shell = shell
        self.hash = hash
        self.aging = aging
        self.shadow = shadow
        self.home_kind = home_kind


def aging(lastchg=TODAY - 1, min_days="", max_days="", warn="", inactive="", expire=""):
    """The shadow fields behind the hash, without the reserved one."""
    return f"{lastchg}:{min_days}:{max_days}:{warn}:{inactive}:{expire}"


LONG_NAME = "l" * 32
LONG_PASSWORD = "p" * 128

SYSTEM = [
    Account("root", uid=0, home="/root", hash="*", home_kind="system"),
    Account("nobody", uid=65534, home="/nonexistent", shell="/usr/sbin/nologin", hash="*",
            home_kind="system"),
    Account("ftp", uid=990, home="/srv/ftp", shell="/usr/sbin/nologin", hash="*",
            home_kind="system"),
]

# Everyone in here can log in.
GOOD = [
    Account("alice"),
    Account("bob", scheme="sha512"),
    Account("carol", scheme="sha256"),
    Account("dave", scheme="bcrypt"),
    Account("erin", scheme="yescrypt-normal"),
    Account("grp"),
    Account("linkhome", home_kind="link"),
    Account(LONG_NAME),
    Account("dot.dash-under_score9"),
    Account("_underscore"),
    Account("blanks", " two  words "),
    Account("utf8", "pä55wörd €"),
    Account("telnet", "a\udcffb"),
    Account("longpass", LONG_PASSWORD),
    Account("current", aging=aging(max_days=90, warn=7, inactive=7, expire=TODAY + 365)),
]

# No one in here can, although the right password is given. The reason is the name.
REFUSED = [
    Account("locked", hash="!{}"),
    Account("nopass", hash=""),
    Account("star", hash="*"),
    Account("badsalt", hash="$z$nonsense"),
    Account("shorthash", hash="xx"),
    Account("noshadow", shadow=False),
    Account("expired", aging=aging(expire=TODAY - 2)),
    Account("longexpired", aging=aging(expire=1)),
    Account("oldpass", aging=aging(lastchg=TODAY - 400, max_days=30, inactive=7)),
    Account("mustchange", aging=aging(lastchg=0)),
    Account("badshell", shell="/usr/sbin/nologin"),
    Account("uidzero", uid=0, gid=0, home="/home/uidzero"),
    Account("nohome", home_kind="missing"),
    Account("closedhome", home_kind="closed"),
    Account("filehome", home_kind="file"),
    Account("roothome", home_kind="link-to-root"),
]

# Homes with a mark for passwd_chroot_enable, and accounts that others get the rights of.
PLACES = [
    Account("marked", home="/home/marked/./in/side", home_kind="deep"),
    Account("markend", home="/home/markend/./", home_kind="deep"),
    Account("markfront", home="/./home/markfront", home_kind="deep"),
    Account("marklost", home="/home/marklost/./lost", home_kind="lost"),
    Account("guest"),
    Account("tokens", home="/srv/web/$USER", home_kind="system"),
]

ALL = {account.name: account for account in SYSTEM + GOOD + REFUSED + PLACES}

# Supplementary groups of `grp`.
GROUPS = {f"team{n}": 2000 + n for n in range(1, 21)}


def crypt_hash(password, scheme):
    """The crypt(3) hash of `password`; raises ValueError where the scheme is not supported."""
    crypt = ctypes.CDLL("libcrypt.so.1")
    crypt.crypt.restype = crypt.crypt_gensalt.restype = ctypes.c_char_p
    crypt.crypt_gensalt.argtypes = [ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_int]
    prefix, cost = SCHEMES[scheme]
    salt = crypt.crypt_gensalt(prefix, cost, os.urandom(32), 32)
    hashed = salt and crypt.crypt(password.encode("utf-8", "surrogateescape"), salt)
    if not hashed or hashed.startswith(b"*"):
        raise ValueError(f"libcrypt cannot make {scheme} hashes")
    return hashed.decode("ascii")


def write_files(directory):
    """Write passwd, shadow, group, nsswitch.conf and shells."""
    passwd, shadow = [], []
    group = ["root:x:0:", "nogroup:x:65534:", "ftp:x:990:"]
    for account in ALL.values():
        passwd.append(f"{account.name}:x:{account.uid}:{account.gid}:Test account:"
                      f"{account.home}:{account.shell}")
        if account.shadow:
            hashed = account.hash
            if "{}" in hashed:
                hashed = hashed.format(crypt_hash(account.password, account.scheme))
            shadow.append(f"{account.name}:{hashed}:{account.aging or aging()}:")
        if account not in SYSTEM and account.gid != 0:
            group.append(f"{account.name}:x:{account.gid}:")
    # The twice named member and the member's own group are as legal as they are odd.
    group += [f"{name}:x:{gid}:grp,alice,grp" for name, gid in GROUPS.items()]
    nsswitch = ["passwd: files", "shadow: files", "group: files", "hosts: files"]

    directory.mkdir()
    for name, lines, mode in (("passwd", passwd, 0o644), ("shadow", shadow, 0o640),
                              ("group", group, 0o644), ("nsswitch.conf", nsswitch, 0o644),
                              ("shells", [LOGIN_SHELL], 0o644)):
        path = directory / name
        path.write_text("\n".join(lines) + "\n")
        path.chmod(mode)


def make_home(account):
    """Make the home directory of one account, in the state that its table row asks for."""
    home = Path(account.home)
    kind = account.home_kind
    if kind in ("system", "missing"):
        return
    if kind == "link-to-root":
        home.symlink_to("/root")
    elif kind == "file":
        home.write_text("not a directory\n")
        os.chown(home, account.uid, account.gid)
    elif kind == "closed":
        home.mkdir(mode=0o000)
    elif kind in ("deep", "lost"):
        real = home if kind == "deep" else home.parent
        real.mkdir(mode=0o755, parents=True)
        os.chown(real, account.uid, account.gid)
    else:
        real = home
        if kind == "link":
            real = home.with_name(home.name + ".real")
            home.symlink_to(real)
        real.mkdir(mode=0o755)
        os.chown(real, account.uid, account.gid)


def make_anonymous_area():
    """Make /srv/ftp: owned by root, nothing in it writable for ftp."""
    top = Path(ALL["ftp"].home)
    (top / "pub" / "sub").mkdir(parents=True)
    (top / "pub" / "empty").mkdir()
    (top / "pub" / "readme.txt").write_bytes(b"Hello, world.\n")
    (top / "pub" / "data.bin").write_bytes(bytes(range(256)) * 400)
    (top / "pub" / "name with blanks").write_bytes(b"blank\n")
    (top / "pub" / "sub" / "deep.txt").write_bytes(b"deep\n")
    secret = top / "pub" / "secret.txt"
    secret.write_bytes(b"for root only\n")
    secret.chmod(0o600)
    (top / "pub" / "outside").symlink_to("/etc/passwd")


if __name__ == "__main__":
    os.umask(0o022)
    write_files(Path(sys.argv[1]))
    for one in ALL.values():
        make_home(one)
    make_anonymous_area()
    Path("/run/empty").mkdir(mode=0o755)
