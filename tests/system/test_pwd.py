"""PWD and XPWD."""

VERBS = {"PWD", "XPWD"}
HOME = "/home/alice"


def test_both_forms(alice, home):
    home.dir("d/e")
    alice.cmd("CWD d/e", 250)
    for line in ("PWD", "XPWD", "pwd", "xpwd"):
        assert alice.cmd(line, 257).quoted() == HOME + "/d/e"
    alice.in_step()


def test_pwd_of_a_name_with_a_line_feed_is_one_line(alice, home):
    home.dir("a\r\n226 b")
    home.link("link", "a\r\n226 b")
    alice.cmd("CWD link", 250)
    assert len(alice.cmd("PWD", 257).lines) == 1
    alice.cmd("MKD d", 257)
    alice.in_step()


def test_directory_that_goes_away(alice, home):
    home.dir("d")
    alice.cmd("CWD d", 250)
    (home / "d").rmdir()
    alice.cmd("PWD", 257, 550)
    alice.cmd(f"CWD {HOME}", 250)
    assert alice.pwd() == HOME


def test_pwd_of_a_chroot(jailed, home):
    home.dir("d/e")
    assert jailed.pwd() == "/"
    jailed.cmd("CWD /d/e", 250)
    assert jailed.pwd() == "/d/e"
    jailed.cmd("CWD", 250)
    assert jailed.pwd() == "/"
