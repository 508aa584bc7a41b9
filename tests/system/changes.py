"""What the tests of the commands that change names share: things to be changed, and odd names."""

ODD_NAMES = [
    "two words", " leading", "trailing ", 'q"uote', '"', '""', "ünï", b"\xe4\xf6", "*", "a[1]",
    "%n%s%x", "-rf", "back\\slash", "x" * 255, "~x", "(1,2)", "#",
]

# Ways to `{}` in a chroot; "up" is a link to "../..".
PATHS_IN_A_CHROOT = ["../{}", "/../{}", "/../../{}", "full/../../{}", "up/{}"]


def furnish(home):
    """Put things to be made and removed in `home`, and return it."""
    home.file("f", b"content")
    home.file("readonly", b"content", 0o444)
    home.dir("empty")
    home.dir("full")
    home.file("full/inside")
    home.dir("closed")
    home.file("closed/inside")
    home.dir("closed/dir")
    (home / "closed").chmod(0o555)
    home.link("link", "f")
    home.link("linkdir", "empty")
    home.link("dangling", "nowhere")
    home.fifo("pipe")
    return home


def furnish_for_renaming(home):
    """Put things to be renamed in `home`, and return it."""
    home.file("f", b"content")
    home.file("other", b"other content")
    home.dir("d/e")
    home.file("d/inside", b"inside")
    home.link("link", "f")
    home.dir("closed", 0o555)
    return home
