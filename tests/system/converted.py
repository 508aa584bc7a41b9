"""What a data connection does to bytes: line ends in TYPE A, zlib streams in MODE Z."""

import os
import random
import re
import zlib

from ftpraw import closed_without_data, receive_all

BOTH_WAYS = {"ascii_download_enable": "YES", "ascii_upload_enable": "YES"}

# A Telnet client would act on these; on a data connection they are bytes.
TELNET = b"\xff\xf4\xff\xf2ABOR\r\n"


def to_network(content):
    """A file as RETR sends it in TYPE A: LF becomes CRLF, and CRLF stays."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", content)


def to_file(content):
    """What STOR in TYPE A makes of `content`: CRLF becomes LF, and a lone CR stays."""
    return content.replace(b"\r\n", b"\n")


def packed(content, level=6):
    """`content` as a zlib stream."""
    return zlib.compress(content, level)


def unpacked(stream):
    """The content of a zlib stream, which must be complete and have nothing behind it."""
    reader = zlib.decompressobj()
    content = reader.decompress(stream)
    assert reader.eof, "the stream has no end"
    assert not reader.unused_data, "there is more behind the stream"
    return content


def any_lines(seed, size):
    """At least `size` bytes: lines of all lengths, with every kind of end."""
    chance = random.Random(seed)
    ends = [b"\n", b"\n", b"\r\n", b"\r\n", b"\r", b"\n\n", b"\r\r\n", b"\n\r", b"\r\n\r\n", b""]
    content = bytearray()
    while len(content) < size:
        length = chance.choice((0, 1, 2, 80, 1000, 70000))
        line = chance.randbytes(chance.randint(0, length))
        content += line.replace(b"\n", b".") + chance.choice(ends)
    return bytes(content)


def packed_list(client, argument, verb, mode="pasv"):
    """The bytes of a listing in MODE Z, unpacked."""
    stream = receive_all(client.begin(f"{verb} {argument}".rstrip(), mode))
    client.reply(226)
    return unpacked(stream)


def truncate_while_sent(client, path, data):
    """Shorten the file `path` that comes over `data`: no orderly end, and 451."""
    assert data.recv(1000)
    os.truncate(path, 0)
    try:
        while data.recv(1 << 18):
            pass
    except ConnectionResetError:
        pass
    else:
        raise AssertionError("the connection ended as it does behind a complete file")
    client.reply(451)
    client.in_step()


def abort(client, data):
    """ABOR in the middle of a transfer."""
    client.send_line("ABOR")
    client.reply(426)
    client.reply(226)
    closed_without_data(data)
    client.in_step()
