"""Certificates, keys and what else is loaded: what is taken, what is refused, what is warned of."""

import datetime
import ssl
import subprocess

import pytest

import relay
from relay import pair, place, session, start  # pylint: disable=unused-import

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


def options(cert, key=None, kind="rsa"):
    return [(f"{kind}_cert_file", cert)] + ([(f"{kind}_private_key_file", key)] if key else [])


def shown(program, version=None, ciphers=None):
    """The certificate that a client is shown, by its subject."""
    one = relay.Session(program, version)
    if ciphers:
        one.context.set_ciphers(ciphers)
    one.context.verify_mode = ssl.CERT_NONE
    assert one.shake().kind == relay.UP
    der = one.tls.getpeercert(binary_form=True)
    done = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject"], input=der,
                          capture_output=True, check=True)
    return done.stdout.decode().strip().rpartition("= ")[2]


@pytest.fixture(scope="module")
def ecdsa(place):
    return relay.make_pair(place, "curve", *relay.ECDSA)


@pytest.mark.parametrize("option", ["rsa", "dsa"])
def test_ecdsa_certificate_alone(start, ecdsa, option):
    assert shown(start(**dict(options(*ecdsa, option)))) == "curve"


def test_client_chooses_between_rsa_and_ecdsa(start, pair, ecdsa):
    program = start(**dict(options(*pair) + options(*ecdsa, "dsa")))
    old = ssl.TLSVersion.TLSv1_2
    assert shown(program, old, "ECDHE-RSA-AES128-GCM-SHA256") == "server"
    assert shown(program, old, "ECDHE-ECDSA-AES128-GCM-SHA256") == "curve"


def test_key_in_the_file_of_the_certificate(start, place, pair):
    both = place / "both.pem"
    both.write_text(pair[0].read_text() + pair[1].read_text())
    both.chmod(0o600)
    assert shown(start(rsa_cert_file=both)) == "server"
    code, lines = relay.check(*options(both))
    assert (code, [line for line in lines if not line.startswith("info")]) == (0, [])
    both.chmod(0o644)
    code, lines = relay.check(*options(both))
    assert code == 0
    assert any(f"warning: rsa_cert_file={both}: everybody can read the private key, which is in the "
               "same file" in line for line in lines)


@pytest.fixture(scope="module")
def chain(place):
    """A root, and a certificate of an intermediate authority of it."""
    extension = ["-addext", "basicConstraints=critical,CA:TRUE"]
    root = relay.make_pair(place, "root", *relay.ECDSA)
    middle = relay.make_pair(place, "middle", *relay.ECDSA, ca=root, more=extension)
    leaf = relay.make_pair(place, "leaf", *relay.ECDSA, ca=middle, names=("ftp.example",),
                           more=["-addext", "basicConstraints=critical,CA:FALSE"])
    return root, middle, leaf


def test_chain_file_lets_a_client_verify(start, place, chain):
    root, middle, leaf = chain
    whole = place / "chain.pem"
    whole.write_text(leaf[0].read_text() + middle[0].read_text())
    for cert, good in ((whole, True), (leaf[0], False)):
        one = relay.Session(start(**dict(options(cert, leaf[1]))))
        one.context = ssl.create_default_context(cafile=root[0])
        assert (one.shake(name="ftp.example").kind == relay.UP) == good
        _, lines = relay.check(*options(cert, leaf[1]))
        assert "info: rsa_cert_file: CN=leaf, valid until" in lines[0]
        assert lines[0].endswith(", names ftp.example")
        warned = [line for line in lines if line.startswith("warning")]
        assert len(warned) == (0 if good else 1)
        assert good or "issuer, CN=middle, is not in the file" in warned[0]


def wrong(place, kind):
    """Options with something wrong, and what is to be said about it."""
    good = relay.make_pair(place, "good")
    other = relay.make_pair(place, "other")
    junk = place / "junk.pem"
    junk.write_text("hello\n")
    missing = place / "missing.pem"
    locked = place / "locked.key"
    relay.openssl("pkey", "-in", good[1], "-aes256", "-passout", "pass:x", "-out", locked)
    return {
        "no file": (options(missing, good[1]), f"rsa_cert_file={missing}: No such file or directory"),
        "no key file": (options(good[0], missing),
                        f"rsa_private_key_file={missing}: No such file or directory"),
        "no PEM": (options(junk, good[1]), f"rsa_cert_file={junk}: there is no certificate in this file"),
        "no PEM key": (options(good[0], junk),
                       f"rsa_private_key_file={junk}: there is no private key in this file"),
        "no key": (options(good[0]), f"rsa_cert_file={good[0]}: there is no private key in this file, "
                                     "and none is set"),
        "key of another": (options(good[0], other[1]), f"rsa_private_key_file={other[1]}: the key does "
                                                       f"not belong to the certificate in {good[0]}"),
        "passphrase": (options(good[0], locked), f"rsa_private_key_file={locked}: the key is encrypted "
                                                 "with a passphrase"),
        "nothing": ([("ssl_tlsv12", "YES")], "neither rsa_cert_file nor dsa_cert_file is set"),
        "ciphers": (options(*good) + [("ssl_ciphers", "NICE")], "ssl_ciphers=NICE: no cipher"),
        "suites": (options(*good) + [("ssl_ciphersuites", "NICE")],
                   "ssl_ciphersuites=NICE: not a list of TLS 1.3 suites"),
        "authorities": (options(*good) + [("ca_certs_file", junk)],
                        f"ca_certs_file={junk}: there is no certificate in this file"),
        "versions": (options(*good) + [("ssl_tlsv12", "NO"), ("ssl_tlsv13", "NO")],
                     "ssl_tlsv12=NO and ssl_tlsv13=NO leave no version of TLS"),
    }[kind]


@pytest.mark.parametrize("kind", ["no file", "no key file", "no PEM", "no PEM key", "no key",
                                  "key of another", "passphrase", "nothing", "ciphers", "suites",
                                  "authorities", "versions"])
def test_what_cannot_work_is_told(place, kind):
    given, said = wrong(place, kind)
    code, lines = relay.check(*given)
    assert code == 2
    assert any(line.startswith(f"error: {said}") for line in lines), lines
    empty = place / "empty"
    empty.mkdir(exist_ok=True)
    program = relay.Program(empty, **dict(given))
    program.close()
    assert program.said.kind == relay.WRONG
    assert program.said.text.startswith(said[:240])


def test_check_goes_on_after_an_error(place, pair):
    _, lines = relay.check(*options(*pair), ("ssl_ciphers", "NICE"), ("ca_certs_file", place / "none"))
    assert [line.split(":")[0] for line in lines] == ["error", "info", "error"]


@pytest.mark.parametrize("begins, ends, said", [
    (-10, -2, "the certificate expired on "), (5, 10, "the certificate is not valid before "),
    (-10, 3.5, "the certificate expires in 3 days"), (-10, 40, None)])
def test_dates_are_warned_of(place, begins, ends, said):
    cert, key = relay.make_dated(place, f"dated{begins}.{ends}", NOW + begins * DAY, NOW + ends * DAY)
    code, lines = relay.check(*options(cert, key))
    warned = [line for line in lines if line.startswith("warning")]
    (place / "empty").mkdir(exist_ok=True)
    program = relay.Program(place / "empty", **dict(options(cert, key)))
    program.close()
    assert (code, program.said.kind) == (0, relay.READY)
    if said is None:
        assert (warned, program.said.text) == ([], "")
    else:
        assert f"warning: rsa_cert_file={cert}: {said}" in warned[0]
        assert program.said.text.startswith(f"rsa_cert_file={cert}: {said}")


def test_warnings_are_told_as_far_as_they_fit(place):
    """The message of the start has 240 bytes; the check tells all."""
    cert, key = relay.make_dated(place, "very-long-name-of-a-certificate", NOW - 9 * DAY, NOW - DAY)
    key.chmod(0o644)
    _, lines = relay.check(*options(cert, key))
    told = "; ".join(line.removeprefix("warning: ") for line in lines if line.startswith("warning"))
    assert len(told) > 240
    program = relay.Program(place / "empty", **dict(options(cert, key)))
    program.close()
    assert (program.said.kind, program.said.text) == (relay.READY, told[:240])


def test_short_key_is_warned_of_where_it_is_taken_at_all(place):
    short = relay.make_pair(place, "short", "rsa:1024")
    code, lines = relay.check(*options(*short))
    assert (code, lines[-1]) == (2, f"error: rsa_cert_file={short[0]}: ee key too small")
    code, lines = relay.check(*options(*short), ("ssl_ciphers", "DEFAULT@SECLEVEL=1"))
    assert code == 0
    assert any("an RSA key of 1024 bits is too short" in line for line in lines)


@pytest.mark.parametrize("mode, said", [(0o600, None), (0o640, "the group can read the private key"),
                                        (0o644, "everybody can read the private key (mode 0644)")])
def test_readable_keys_are_warned_of(place, mode, said):
    cert, key = relay.make_pair(place, "readable")
    key.chmod(mode)
    _, lines = relay.check(*options(cert, key))
    warned = [line for line in lines if line.startswith("warning")]
    assert bool(warned) == bool(said)
    assert said is None or f"rsa_private_key_file={key}: {said}" in warned[0]


def test_key_without_certificate_is_warned_of(place, pair):
    code, lines = relay.check(*options(*pair), ("dsa_private_key_file", pair[1]))
    assert code == 0
    assert f"warning: dsa_private_key_file={pair[1]}: not used: there is no certificate to it" in lines


def test_other_version_is_told(place, pair):
    program = relay.Program(place, "0.0", **dict(options(*pair)))
    program.close()
    assert program.said.kind == relay.WRONG
    assert "after an upgrade the daemon has to be restarted" in program.said.text
    code, lines = relay.check(*options(*pair), version="0.0")
    assert (code, len(lines)) == (2, 1)
    assert "restarted" in lines[0]


@pytest.mark.parametrize("name, good", [("ftp.example", True), ("FTP.Example", True),
                                        ("other.example", False), (None, False)])
def test_sni(start, name, good):
    program = start(ssl_sni_hostname="ftp.example")
    said = relay.Session(program).shake(name=name)
    assert said.kind == (relay.UP if good else relay.DOWN)
    assert relay.Session(start()).shake(name=name).kind == relay.UP


# Certificates of clients.

@pytest.fixture(scope="module")
def authority(place):
    return relay.make_pair(place, "authority", *relay.ECDSA)


def come_with(program, shown_pair, version):
    one = relay.Session(program, version)
    if shown_pair:
        one.context.load_cert_chain(*shown_pair)
    said = one.shake()
    return said


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("given, none, own, issued", [
    ({}, "no", "no", "no"),
    ({"ssl_request_cert": "YES"}, "no", "own", "alice"),
    ({"require_cert": "YES"}, None, "own", "alice"),
    ({"ssl_request_cert": "YES", "validate_cert": "YES"}, "no", None, "alice"),
    ({"require_cert": "YES", "validate_cert": "YES"}, None, None, "alice"),
])
def test_client_certificates(start, place, authority, version, given, none, own, issued):
    """What is seen of clients without one, with one of their own, and with one of the authority."""
    program = start(ca_certs_file=authority[0], **given)
    shows = [None, relay.make_pair(place, "own", *relay.ECDSA),
             relay.make_pair(place, "alice", *relay.ECDSA, ca=authority)]
    for pair_shown, seen in zip(shows, (none, own, issued)):
        said = come_with(program, pair_shown, version)
        if seen is None:
            assert said.kind == relay.DOWN
        else:
            assert said.kind == relay.UP
            assert said.text.endswith("no client certificate" if seen == "no"
                                      else f", client certificate CN={seen}")


def test_name_of_a_client_is_escaped(start, place):
    cert = place / "odd.pem"
    key = place / "odd.key"
    relay.openssl("req", "-x509", "-nodes", "-newkey", *relay.ECDSA, "-keyout", key, "-out", cert,
                  "-days", "20", "-subj", "/CN=x\r\n230 \x1b[1mhello")
    said = come_with(start(ssl_request_cert="YES"), (cert, key), None)
    assert said.kind == relay.UP
    assert said.text.isprintable() and "hello" in said.text


def test_validating_without_authorities_is_warned_of(pair):
    _, lines = relay.check(*options(*pair), ("ssl_request_cert", "YES"), ("validate_cert", "YES"))
    assert "warning: validate_cert=YES without ca_certs_file: every client certificate is refused" in lines
