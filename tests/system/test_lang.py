"""LANG."""

import pytest


@pytest.mark.parametrize("tag", ["", " en", " EN", " En", " en-US", " EN-us", " en-GB", " en-*",
                                 " en-AU-x"])
def test_english_is_200(alice, tag):
    alice.cmd(f"LANG{tag}", 200)
    alice.in_step()


@pytest.mark.parametrize("tag", ["de", "de-DE", "fr", "x", "e", "eng", "english", "ende", "*",
                                 "-en", "%n%s%x", "n" * 1000])
def test_other_languages_are_504(alice, tag):
    alice.cmd(f"LANG {tag}", 504)
    alice.in_step()


def test_before_login(client):
    client.cmds(("LANG", 200), ("LANG EN", 200), ("LANG de", 504))
    client.in_step()


def test_replies_stay_in_english(alice):
    before = alice.cmd("PWD", 257).lines
    alice.cmds(("LANG de", 504), ("LANG en-US", 200))
    assert alice.cmd("PWD", 257).lines == before
