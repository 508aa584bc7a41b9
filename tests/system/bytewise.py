"""What the tests of TYPE, MODE and STRU share: transfers change no byte."""

TEXT = b"one\ntwo\r\nthree\rfour\n\xff\0"


def check_untouched(client, home, line):
    """Say `line`, whatever its reply, and transfer in all three ways."""
    home.file("f", TEXT)
    client.cmd(line)
    assert client.retr("f") == TEXT
    client.stor("g", TEXT)
    assert (home / "g").read_bytes() == TEXT
    assert client.nlst() == ["f", "g"]
