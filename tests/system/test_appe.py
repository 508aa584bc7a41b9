"""APPE."""

from uploads import Upload


class TestUpload(Upload):
    verb = "APPE"


def test_content_goes_behind_the_former(alice, home):
    home.file("f", b"one")
    alice.stor("f", b"two", verb="APPE")
    alice.stor("f", b"three", verb="APPE", mode="port")
    assert (home / "f").read_bytes() == b"onetwothree"


def test_missing_file_is_made(alice, home):
    alice.stor("f", b"new", verb="APPE")
    assert (home / "f").read_bytes() == b"new"
