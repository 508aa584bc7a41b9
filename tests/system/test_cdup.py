"""CDUP and XCUP."""

VERBS = {"CDUP", "XCUP"}
HOME = "/home/alice"


def test_cdup(alice, home):
    home.dir("d/e")
    alice.cmds(("CWD d/e", 250), ("CDUP", 250))
    assert alice.pwd() == HOME + "/d"


def test_x_form(alice, home):
    home.dir("d/e")
    alice.cmds(("CWD d/e", 250), ("XCUP", 250))
    assert alice.pwd() == HOME + "/d"


def test_cdup_up_to_the_root_and_on(alice):
    for expected in ("/home", "/", "/", "/"):
        alice.cmd("CDUP", 250)
        assert alice.pwd() == expected


def test_cdup_in_the_root_of_a_chroot(jailed):
    for _ in range(3):
        jailed.cmd("CDUP", 250)
        assert jailed.pwd() == "/"
