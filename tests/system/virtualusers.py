"""Files of virtual users for the tests."""

import os

import accounts


class VirtualUsers:
    """virtual_users_file, with a line for each user that was added."""

    def __init__(self, path):
        self.path = path
        self.lines = []
        self.write()

    def add(self, name, password=None, *, hashed=None, uid="", gid="", home="", settings=""):
        """A user, whose password is secret-NAME unless it is given."""
        hashed = hashed or accounts.crypt_hash(password or f"secret-{name}", "yescrypt")
        self.add_line(":".join([name, hashed, str(uid), str(gid), str(home), settings]))

    def add_line(self, line):
        """Any line."""
        self.lines.append(line)
        self.write()

    def write(self):
        """Write the file as it should be."""
        text = "".join(line + "\n" for line in self.lines)
        self.path.write_text(text)
        os.chown(self.path, 0, 0)
        self.path.chmod(0o600)
