"""Names are bytes: every command takes and shows them as they are on the disk.

On the control connection a byte FF is doubled, because that is Telnet; in listings it is not.
"""

import os

import pytest

import codes
from ftpraw import encode, escaped, list_entry
from mlsx import mlsd, mlst

CONTENT = b"content"
STAMP = 1700000000

# Names that clients may make.
NAMES = {
    "plain": b"plain.txt",
    "UTF-8": "Grüße, 日本語 😀".encode(),
    "UTF-8, not normalised": "u\u0308 and \u00fc".encode(),
    "Latin-1": b"Gr\xfc\xdfe",
    "FF": b"\xff",
    "FFs": b"\xff\xff\xff",
    "FF inside": b"a\xffb",
    "FF and a command of Telnet": b"a\xff\xf4\xff\xf2b",
    "FF at the end": b"end\xff",
    "no UTF-8 at all": bytes(range(0x80, 0x100)),
    "quote": b'a"b',
    "quotes": b'"',
    "two quotes": b'""',
    "in quotes": b'"quoted"',
    "apostrophe": b"it's",
    "backslash": b"a\\b",
    "backslashes": b"\\\\n\\",
    "leading blank": b" lead",
    "leading blanks": b"   lead",
    "trailing blank": b"trail ",
    "blank": b" ",
    "blanks inside": b"two  blanks",
    "minus": b"-",
    "option": b"-a",
    "options": b"-la",
    "end of options": b"--",
    "star": b"*",
    "question mark": b"?",
    "set": b"[x]",
    "open set": b"[",
    "alternatives": b"{a,b}",
    "open alternatives": b"{a",
    "tilde": b"~",
    "tilde and name": b"~x",
    "tilde and account": b"~alice",
    "dots": b"...",
    "hidden": b".hidden",
    "format": b"%s%n%d",
    "percent": b"100%",
    "shell": b"$(id);`id`|&<>",
    "looks like a fact": b"type=dir;",
    "looks like facts": b"size=1;perm=r; x",
    "looks like a link": b"a -> b",
    "looks like a reply": b"226 Done",
    "looks like a command": b"NOOP",
    "time": b"20240101000000",
    "time and name": b"20240101000000 x",
    "parentheses": b"(1,2,3)",
    "numbers": b"0 100",
    "C1 control bytes": b"\xc2\x85\x85\x9b",
    "255 bytes": b"x" * 255,
    "255 bytes of UTF-8": "é".encode() * 127 + b"x",
    "255 blanks": b" " * 255,
    "255 times FF": b"\xff" * 255,
}

# Names on the disk that clients cannot make, but get rid of.
CONTROL_NAMES = {
    "escape": b"\x1b[2J", "one": b"\x01", "tab": b"tab\there", "delete": b"\x7f", "bell": b"a\x07",
    "all but line ends": bytes(byte for byte in range(1, 0x20) if byte not in b"\r\n"),
}
LINE_END_NAMES = {
    "LF": b"a\nb", "CR": b"a\rb", "CRLF": b"a\r\nb", "only LF": b"\n", "only CR": b"\r",
    "a reply": b"x\r\n226 Done\r\n", "an entry": b"x\n-rw-r--r-- 1 0 0 0 Jan  1  1970 forged",
    "an entry of MLSD": b"x\r\ntype=file; forged",
}

named = pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
named_with_controls = pytest.mark.parametrize(
    "name", [*NAMES.values(), *CONTROL_NAMES.values()], ids=[*NAMES, *CONTROL_NAMES])


def on_disk(top):
    """The names in a directory as bytes."""
    return sorted(os.listdir(os.fsencode(top)))


def argument(name):
    """A name as an argument of listings, where "-a" and "~" alone mean something else."""
    return b"./" + escaped(name) if name.startswith(b"-") or name == b"~" else escaped(name)


def quoted(reply):
    """The path of a 257 reply as bytes."""
    return encode(reply.quoted()).replace(b"\xff\xff", b"\xff")


# Listings.

@named_with_controls
def test_listings_show_the_name(alice, home, name):
    home.file(name)
    home.file("z")
    expected = sorted([name, b"z"])
    assert sorted(map(encode, alice.names("-A"))) == expected
    assert sorted(map(encode, alice.nlst("-A"))) == expected
    assert sorted(map(encode, mlsd(alice))) == sorted(expected + [b".", b".."])
    lines = alice.cmd("STAT .", 213).lines[1:-1]
    shown = [encode(list_entry(line)["name"]).replace(b"\xff\xff", b"\xff") for line in lines]
    assert sorted(one for one in shown if one not in (b".", b"..")) == expected
    alice.in_step()


@named_with_controls
def test_listings_of_the_name(alice, home, name):
    home.file(name, CONTENT)
    for other in ("a", "b", "x", "z"):
        home.file(other)
    path = argument(name)
    assert list(map(encode, alice.names(path))) == [name]
    assert list(map(encode, alice.nlst(path))) == [path.replace(b"\xff\xff", b"\xff")]
    entry = mlst(alice, escaped(name) if name != b"~" else path)
    assert encode(entry.name).endswith(b"/" + name)
    assert entry.facts["size"] == str(len(CONTENT))
    reply = alice.cmd(b"STAT " + path, 213)
    assert list_entry(reply.lines[1])["size"] == str(len(CONTENT))
    alice.in_step()


@named_with_controls
def test_listings_of_a_directory_of_the_name(alice, home, name):
    home.dir(name)
    home.file(os.path.join(name, b"inside"), CONTENT)
    for other in ("a", "b", "x", "z"):
        home.dir(other)
    path = argument(name)
    assert alice.names(path) == ["inside"]
    assert list(map(encode, alice.nlst(path))) == [
        path.replace(b"\xff\xff", b"\xff") + b"/inside"]
    assert sorted(mlsd(alice, path)) == [".", "..", "inside"]
    assert "inside" in " ".join(alice.cmd(b"STAT " + path, 213).lines)
    assert mlst(alice, path).facts["type"] == "dir"


@pytest.mark.parametrize("name", LINE_END_NAMES.values(), ids=LINE_END_NAMES)
def test_line_ends_are_question_marks(alice, home, name):
    """No command can spell such a name, so what stands for it needs to be one line and no more."""
    home.file(name, CONTENT)
    home.file("z")
    shown = os.fsdecode(name.replace(b"\r", b"?").replace(b"\n", b"?"))
    assert alice.names() == alice.nlst() == sorted([shown, "z"])
    assert set(mlsd(alice)) == {".", "..", shown, "z"}
    lines = alice.cmd("STAT .", 213).lines[1:-1]
    assert {list_entry(line)["name"] for line in lines} - {".", ".."} == {shown, "z"}
    assert len(alice.names("*")) == 2
    alice.cmds(("RNFR z", 350), ("RNTO y", 250))
    assert on_disk(home.path) == sorted([name, b"y"])
    alice.in_step()


# Files.

@named
def test_upload_and_download(alice, home, name):
    alice.stor(escaped(name), CONTENT)
    assert on_disk(home.path) == [name]
    assert alice.retr(escaped(name)) == CONTENT
    alice.stor(escaped(name), b" and more", verb="APPE")
    assert alice.retr(escaped(name)) == CONTENT + b" and more"
    assert on_disk(home.path) == [name]
    alice.in_step()


@named_with_controls
def test_facts_of_a_file(alice, home, name):
    os.utime(home.file(name, CONTENT), (STAMP, STAMP))
    assert alice.cmd(b"SIZE " + escaped(name), 213).lines == [f"213 {len(CONTENT)}"]
    assert alice.cmd(b"MDTM " + escaped(name), 213).lines == ["213 20231114221320"]
    assert alice.retr(escaped(name)) == CONTENT
    alice.in_step()


@named
def test_file_gets_and_loses_the_name(alice, home, name):
    home.file("canary")
    home.file("f", CONTENT)
    alice.cmds(("RNFR f", 350), (b"RNTO " + escaped(name), 250))
    assert on_disk(home.path) == sorted([b"canary", name])
    alice.cmds((b"RNFR " + escaped(name), 350), ("RNTO g", 250))
    assert on_disk(home.path) == [b"canary", b"g"]
    assert (home / "g").read_bytes() == CONTENT
    alice.in_step()


@named_with_controls
def test_file_can_be_removed(alice, home, name):
    for other in (b"a", b"b", b"x", b"canary", name.strip() or b"y"):
        home.file(other)
    home.file(name, CONTENT)
    before = on_disk(home.path)
    alice.cmd(b"DELE " + escaped(name), 250)
    assert on_disk(home.path) == [one for one in before if one != name]
    alice.cmd(b"DELE " + escaped(name), 550)
    alice.in_step()


@named_with_controls
def test_name_on_the_disk_can_be_changed(alice, home, name):
    home.file(name, CONTENT)
    alice.cmds((b"RNFR " + escaped(name), 350), ("RNTO better", 250))
    assert on_disk(home.path) == [b"better"]
    assert alice.retr("better") == CONTENT


@named
def test_unique_name_begins_with_it(alice, home, name):
    """STOU, if the name leaves room for a number; blanks alone are no name to begin with."""
    home.file(name)
    data = alice.pasv()
    reply = alice.cmd(b"STOU " + escaped(name))
    with data() as sock:
        if reply.code == 150:
            sock.sendall(CONTENT)
    if reply.code == 150:
        alice.reply(226)
        made = name + b".1" if name.strip() else b"stou"
        assert on_disk(home.path) == sorted([name, made])
    else:
        assert reply.code == 553 and len(name) == 255
    alice.in_step()


# Directories.

@named
def test_directory_is_made_entered_and_removed(alice, home, name):
    """In both replies of 257 quotes are doubled, and FF as well."""
    whole = b"/home/alice/" + name
    reply = alice.cmd(b"MKD " + escaped(name), 257)
    assert quoted(reply) == whole
    assert on_disk(home.path) == [name]
    path = argument(name)
    alice.cmd(b"CWD " + path if name.strip() else b"CWD ./" + path, 250)
    reply = alice.cmd("PWD", 257)
    assert quoted(reply) == whole
    assert encode(reply.lines[0]) == (
        b'257 "' + escaped(whole).replace(b'"', b'""') + b'" is the current directory')
    alice.stor("inside", CONTENT)
    assert alice.nlst() == ["inside"]
    alice.cmd("CDUP", 250)
    assert alice.retr(path + b"/inside") == CONTENT
    alice.cmds((b"DELE " + escaped(whole) + b"/inside", 250), (b"RMD " + escaped(name), 250))
    assert on_disk(home.path) == []
    alice.in_step()


@named
def test_directory_in_a_chroot(jailed, home, name):
    whole = escaped(b"/" + name)
    assert quoted(jailed.cmd(b"MKD " + whole, 257)) == b"/" + name
    jailed.cmd(b"CWD " + whole, 250)
    assert quoted(jailed.cmd("PWD", 257)) == b"/" + name
    assert encode(mlst(jailed).name) == b"/" + name
    jailed.cmds(("CDUP", 250), (b"RMD " + whole, 250))
    assert on_disk(home.path) == []
    jailed.in_step()


@named
def test_directory_gets_another_name(alice, home, name):
    home.dir("d")
    home.file("d/inside", CONTENT)
    alice.cmds(("RNFR d", 350), (b"RNTO " + escaped(name), 250))
    assert on_disk(home.path) == [name]
    assert alice.retr(argument(name) + b"/inside") == CONTENT
    alice.in_step()


@pytest.mark.parametrize("name", CONTROL_NAMES.values(), ids=CONTROL_NAMES)
def test_directory_with_control_bytes(alice, home, name):
    home.dir(name)
    alice.cmd(b"CWD " + name, 250)
    assert quoted(alice.cmd("PWD", 257)) == b"/home/alice/" + name
    alice.cmds(("CDUP", 250), (b"RMD " + name, 250))
    assert on_disk(home.path) == []


# What cannot be made.

@pytest.mark.parametrize("name", CONTROL_NAMES.values(), ids=CONTROL_NAMES)
def test_names_with_control_bytes_are_not_made(alice, home, name):
    home.file("f", CONTENT)
    alice.refused(b"STOR " + name, 553)
    alice.refused(b"APPE " + name, 553)
    alice.refused(b"STOU " + name, 553)
    alice.cmd(b"MKD " + name, 550, 553)
    alice.cmds(("RNFR f", 350), (b"RNTO " + name, (550, 553)))
    alice.cmd(b"SITE MKDIR " + name, 550, 553)
    alice.cmd(b"SITE SYMLINK f " + name, 550, 553)
    assert on_disk(home.path) == [b"f"]
    alice.in_step()


@pytest.mark.parametrize("name", [b"x" * 256, "é".encode() * 128, b"\xff" * 256, b"x" * 4000])
def test_names_that_are_too_long(alice, home, name):
    home.file("f", CONTENT)
    for verb in (b"STOR ", b"APPE ", b"RETR ", b"LIST ", b"NLST ", b"MLSD "):
        alice.refused(verb + escaped(name), 550, 553)
    for verb in (b"MKD ", b"CWD ", b"SIZE ", b"MDTM ", b"DELE ", b"RMD ", b"RNFR ", b"MLST "):
        alice.cmd(verb + escaped(name), 550, 553)
    alice.cmd(b"STAT " + escaped(name), codes.STAT_MISSING)
    alice.cmds(("RNFR f", 350), (b"RNTO " + escaped(name), (550, 553)))
    assert on_disk(home.path) == [b"f"]
    alice.in_step()


# Telnet.

@pytest.mark.parametrize("sent, name", [
    (b"a\xff\xffb", b"a\xffb"), (b"\xff\xff\xff\xff", b"\xff\xff"),
    (b"a\xff\xff\xf4b", b"a\xff\xf4b"), (b"a\xff\xf1b", b"ab"), (b"a\xff\xfb\x01b", b"ab"),
    (b"a\xff\xfe\xffb", b"ab"), (b"\xff\xf4\xff\xf2name", b"name"), (b"name\xff\xf1", b"name"),
    (b"a\xff\xfa\x01x\xff\xf0b", b"ab"),
])
def test_telnet_commands_are_no_part_of_a_name(alice, home, sent, name):
    alice.stor(sent, CONTENT)
    assert on_disk(home.path) == [name]
    alice.in_step()


def test_ff_is_one_byte_in_listings_and_two_in_replies(alice, home):
    home.dir(b"d\xff")
    home.file(b"d\xff/f\xff")
    assert encode(alice.nlst(b"d\xff\xff")[0]) == b"d\xff/f\xff"
    assert encode(alice.names(b"d\xff\xff")[0]) == b"f\xff"
    assert b"f\xff" in map(encode, mlsd(alice, "d\udcff\udcff"))
    alice.cmd(b"CWD d\xff\xff", 250)
    assert encode(alice.cmd("PWD", 257).quoted()) == b"/home/alice/d\xff\xff"
    assert encode(alice.cmd("MLST", 250).lines[1]).endswith(b"; /home/alice/d\xff\xff")
    assert encode(alice.cmd("STAT .", 213).lines[-2]).endswith(b" f\xff\xff")


def test_same_name_in_two_encodings_is_two_names(alice, home):
    """And in two forms of Unicode as well: nothing is normalised."""
    names = [b"\xfc", "ü".encode(), "u\u0308".encode(), b"U"]
    for name in names:
        alice.stor(name, name)
    assert on_disk(home.path) == sorted(names)
    for name in names:
        assert alice.retr(name) == name
    assert sorted(map(encode, alice.nlst())) == sorted(names)
