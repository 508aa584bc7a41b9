"""FileZilla itself: a window, lists of files, a queue."""

import os

import pytest

from clients import CONTENT, RESUME_AT, TREE, WAYS, Way, make_tree, way_id
from filezilla import ADD_TO_QUEUE, ASCII, FTP, RESUME, TRANSFER, FileZilla

FILES = [name for name in TREE if not name.endswith("/")]
OLD = 1_000_000_000
SOME_WAYS = [Way("passive", "ipv4"), Way("active", "ipv6")]


def below(directory, entries=None):
    """TREE or `entries` within a directory."""
    return {f"{directory}/": None, **{f"{directory}/{name}": content for name, content in
                                      (TREE if entries is None else entries).items()}}


@pytest.fixture
def make(ftpd, home, tmp_path, request):
    """make(way, option="value", ...): a FileZilla that is not started yet."""
    made = []

    def make(way=Way("passive", "ipv4"), **options):
        made.append(FileZilla(ftpd, home, tmp_path, way, request.node.name, **options))
        return made[0]

    yield make
    for filezilla in made:
        filezilla.close()


@pytest.mark.parametrize("way", WAYS, ids=way_id)
def test_downloads_a_tree(make, way):
    filezilla = make(way)
    make_tree(filezilla.remote)
    filezilla.start()
    filezilla.menu("there", TRANSFER)
    filezilla.wait_files(len(FILES))
    filezilla.wait_tree(filezilla.local)
    filezilla.quit()


@pytest.mark.parametrize("way", WAYS, ids=way_id)
def test_uploads_a_tree(make, way):
    filezilla = make(way)
    make_tree(filezilla.local)
    filezilla.start()
    filezilla.menu("here", TRANSFER)
    filezilla.wait_files(len(FILES))
    filezilla.wait_tree(filezilla.remote.path)
    filezilla.quit()


@pytest.mark.parametrize("way", SOME_WAYS, ids=way_id)
def test_works_off_a_queue(make, way):
    filezilla = make(way)
    filezilla.settings["Number of Transfers"] = 5
    make_tree(filezilla.remote, below("down"))
    make_tree(filezilla.local, below("up"))
    filezilla.write_queue(below("down"), below("up"))
    filezilla.start()
    filezilla.same(filezilla.transferred(), 0, "files brought over before the start of the queue")
    filezilla.screen.keys("ctrl+p")
    filezilla.wait_files(2 * len(FILES))
    both = {**below("down"), **below("up")}
    filezilla.wait_tree(filezilla.remote.path, both)
    filezilla.wait_tree(filezilla.local, both)
    filezilla.quit()
    filezilla.same(filezilla.queued(), 0, "what is left in the queue")


def test_makes_the_same_directories_with_ten_sessions(make):
    # A session that comes second goes on when the 550 says "already exists", and gives up if not.
    filezilla = make()
    filezilla.settings["Number of Transfers"] = 10
    deep = "a/b/c/d/e/f/g/h/"
    entries = {deep[:length]: None for length in range(2, len(deep) + 1, 2)}
    files = {f"{deep}{number}/f": b"%d" % number for number in range(20)}
    for name, content in files.items():
        entries.update({os.path.dirname(name) + "/": None, name: content})
    make_tree(filezilla.local, entries)
    filezilla.write_queue([], files)
    filezilla.start()
    filezilla.screen.keys("ctrl+p")
    filezilla.wait_files(len(files))
    filezilla.wait_tree(filezilla.remote.path, entries)
    filezilla.quit()


def test_keeps_a_queue_for_the_next_start(make):
    filezilla = make()
    top = {name: content for name, content in TREE.items() if "/" not in name}
    make_tree(filezilla.remote, below("down"))
    make_tree(filezilla.local, top)
    filezilla.start()
    filezilla.menu("there", ADD_TO_QUEUE)
    filezilla.wait(lambda: len(filezilla.listings()) == 8, "six directories and twice the top")
    filezilla.menu("here", ADD_TO_QUEUE)
    filezilla.quit()
    filezilla.same(filezilla.transferred(), 0, "files brought over already")
    filezilla.start()
    filezilla.screen.keys("ctrl+p")
    filezilla.wait_files(len(FILES) + len(top))
    both = {**below("down"), **top}
    filezilla.wait_tree(filezilla.remote.path, both)
    filezilla.wait_tree(filezilla.local, both)
    filezilla.quit()


def test_keeps_times(make):
    filezilla = make()
    filezilla.settings["Preserve timestamps"] = 1
    make_tree(filezilla.remote, below("down"))
    make_tree(filezilla.local, below("up"))
    times = {}
    for number, name in enumerate(FILES):
        for top, directory in ((filezilla.remote.path, "down"), (filezilla.local, "up")):
            os.utime(top / directory / name, (OLD + number, OLD + number))
            times[f"{directory}/{name}"] = OLD + number
    filezilla.write_queue(below("down"), below("up"))
    filezilla.start()
    filezilla.screen.keys("ctrl+p")
    filezilla.wait_files(2 * len(FILES))
    for top in (filezilla.remote.path, filezilla.local):
        filezilla.same({name: (top / name).stat().st_mtime for name in times}, times, f"in {top}")
    filezilla.same(len(filezilla.commands("MFMT")), len(FILES))
    filezilla.quit()


def test_resumes(make):
    filezilla = make()
    filezilla.settings.update({"File exists action download": RESUME,
                               "File exists action upload": RESUME})
    filezilla.remote.file("down", CONTENT)
    filezilla.file_here("down", CONTENT[:RESUME_AT])
    filezilla.file_here("up", CONTENT)
    filezilla.remote.file("up", CONTENT[:RESUME_AT])
    filezilla.write_queue(["down"], ["up"])
    filezilla.start()
    filezilla.screen.keys("ctrl+p")
    filezilla.wait_files(2)
    for name in ("down", "up"):
        filezilla.same_file(filezilla.local / name, filezilla.remote / name)
    filezilla.same(filezilla.log_bytes("DOWNLOAD") + filezilla.log_bytes("UPLOAD"),
                   [len(CONTENT) - RESUME_AT] * 2, "bytes sent and received")
    filezilla.quit()


def test_text_is_converted(make):
    filezilla = make(ascii_download_enable="YES", ascii_upload_enable="YES")
    filezilla.settings["Ascii Binary mode"] = ASCII
    lines = b"".join(b"line %d\n" % number for number in range(20_000))
    filezilla.remote.file("down", lines)
    filezilla.file_here("up", lines)
    filezilla.start()
    filezilla.menu("there", TRANSFER)
    filezilla.wait_files(1)
    filezilla.menu("here", TRANSFER)
    filezilla.wait_files(3)  # what came down goes up again
    for top in (filezilla.local, filezilla.remote):
        filezilla.same([(top / name).read_bytes() == lines for name in ("down", "up")],
                       [True, True], f"both files in {top} are as they were")
    filezilla.same("TYPE A" in filezilla.commands("TYPE"), True, "TYPE A was sent")
    filezilla.same(sum("ASCII mode" in text for kind, text in filezilla.log
                       if kind == "Response"), 1, "downloads with conversion")
    filezilla.quit()


def test_deletes_a_tree(make):
    filezilla = make()
    make_tree(filezilla.remote)
    filezilla.start()
    filezilla.choose_all("there")
    filezilla.window_opens("Delete")
    filezilla.screen.keys("Return")
    filezilla.wait_tree(filezilla.remote.path, {})
    filezilla.quit()


def test_renames(make):
    filezilla = make()
    filezilla.remote.file("old name", b"content")
    filezilla.start()
    filezilla.choose_all("there")
    filezilla.screen.keys("F2")
    filezilla.screen.do("type", "new 'name'\n")
    filezilla.wait_tree(filezilla.remote.path, {"new 'name'": b"content"})
    filezilla.same(len(filezilla.commands("RNFR", "RNTO")), 2)
    filezilla.quit()


def test_asks_for_tls_first(make):
    filezilla = make()
    filezilla.protocol = FTP
    filezilla.remote.file("f", CONTENT)
    filezilla.start()
    filezilla.same(filezilla.commands()[:3], ["AUTH TLS", "AUTH SSL", "USER alice"])
    filezilla.menu("there", TRANSFER)
    filezilla.wait_files(1)
    filezilla.same_file(filezilla.local / "f", filezilla.remote / "f")
    filezilla.quit()


def test_a_picture_for_the_record(make):
    filezilla = make()
    make_tree(filezilla.remote)
    filezilla.start()
    filezilla.menu("there", TRANSFER)
    filezilla.wait_files(len(FILES))
    filezilla.wait_tree(filezilla.local)
    filezilla.wait_still()
    filezilla.screen.picture("filezilla")
    filezilla.quit()
