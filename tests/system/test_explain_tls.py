"""miniftpd -t explains certificates and keys, and what keeps TLS from working."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import certs
from checking import explained, only_error_of, run
from ftpd import PROGRAM

QUIET = "anonymous_enable=NO\nlocal_enable=YES\nsecure_chroot_dir=/run/empty\n"


def tls(cert, key=None, more=""):
    """A configuration with TLS; the certificate is in its line 5, the key in its line 6."""
    return (f"{QUIET}ssl_enable=YES\nrsa_cert_file={cert}\n"
            f"rsa_private_key_file={key or ''}\n{more}")


def certificates(told):
    return told.parts.get("Certificates:", [])


def test_certificate_that_is_fine(conf):
    pair = certs.rsa()
    told = explained(conf(tls(pair.cert, pair.key)))
    (line,) = certificates(told)
    assert line.startswith("rsa_cert_file: CN=server-rsa, valid until 20")
    assert line.endswith(", names server-rsa.example")
    assert not told.warnings


def test_both_kinds_of_certificate(conf):
    told = explained(conf(tls(certs.rsa().both, None, f"dsa_cert_file={certs.ec().both}\n")))
    assert [line.partition(":")[0] for line in certificates(told)] == ["rsa_cert_file",
                                                                       "dsa_cert_file"]
    assert not told.warnings


def test_nothing_is_looked_at_without_tls(conf):
    told = explained(conf(QUIET + "rsa_cert_file=/srv/none.pem\n"))
    assert not told.warnings and not certificates(told)


def test_implicit_tls_counts_too(conf):
    path = conf(QUIET + "rsa_cert_file=/srv/none.pem\nimplicit_ssl=YES\nlisten_port=990\n")
    assert only_error_of(path).startswith("rsa_cert_file=/srv/none.pem: ")


def test_certificate_that_is_missing(conf):
    assert only_error_of(conf(tls("/srv/none.pem"))) == (
        "rsa_cert_file=/srv/none.pem: No such file or directory")


def test_certificate_that_nobody_has_named(conf):
    """vsftpd's own place is the default."""
    error = only_error_of(conf(QUIET + "ssl_enable=YES\n"))
    assert error.startswith("rsa_cert_file=/usr/share/ssl/certs/vsftpd.pem: ")


def test_file_that_holds_no_certificate(conf):
    error = only_error_of(conf(tls("/etc/passwd")))
    assert error.startswith("rsa_cert_file=/etc/passwd: ") and "PEM" in error


def test_certificate_without_key(conf):
    pair = certs.rsa()
    error = only_error_of(conf(tls(pair.cert)))
    assert error.startswith("rsa_") and "no private key in this file" in error


def test_key_of_another_certificate(conf):
    pair, other = certs.rsa(), certs.pair("another")
    assert only_error_of(conf(tls(pair.cert, other.key))) == (
        f"rsa_private_key_file={other.key}: the key does not belong to the certificate in {pair.cert}")


def test_key_with_a_passphrase(conf, tmp_path):
    pair, key = certs.rsa(), tmp_path / "locked.key"
    certs.openssl("pkey", "-in", pair.key, "-aes128", "-passout", "pass:secret", "-out", key)
    assert "passphrase" in only_error_of(conf(tls(pair.cert, key)))


@pytest.mark.parametrize("mode, words", [
    (0o600, None), (0o400, None), (0o640, "the group can read"), (0o644, "everybody can read")])
def test_key_that_others_can_read(conf, tmp_path, mode, words):
    pair, key = certs.rsa(), tmp_path / "open.key"
    key.write_bytes(pair.key.read_bytes())
    key.chmod(mode)
    path = conf(tls(pair.cert, key))
    warnings = explained(path).warnings
    if words is None:
        assert not warnings
    else:
        assert len(warnings) == 1
        assert warnings[0].startswith(f"{path}:6: rsa_private_key_file: {key}: ")
        assert words in warnings[0]


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_key_that_is_no_file(conf, tmp_path, make):
    """Nor is a FIFO waited for."""
    pair, key = certs.rsa(), tmp_path / "key"
    make(key)
    assert only_error_of(conf(tls(pair.cert, key))) == (
        f"rsa_private_key_file={key}: is no regular file")


def test_certificate_that_has_expired(conf):
    pair = certs.expired()
    path = conf(tls(pair.cert, pair.key))
    told = explained(path)
    assert told.about("rsa_cert_file") == [
        f"{path}:5: rsa_cert_file: {pair.cert}: the certificate expired on 2021-01-01"]
    assert "valid until 2021-01-01" in certificates(told)[0]


def test_ciphers_that_do_not_exist(conf):
    assert only_error_of(conf(tls(certs.rsa().both, None, "ssl_ciphers=NONSENSE\n"))).startswith(
        "ssl_ciphers=NONSENSE: ")


def test_contradictions_are_told_once(conf):
    told = explained(conf(tls(certs.rsa().both, None, "validate_cert=YES\n")))
    assert len(told.warnings) == 1 and "ca_certs_file" in told.about("validate_cert")[0]


def test_somebody_else_than_root_is_told_nothing_of_keys(conf, tmp_path):
    for directory in (tmp_path, *tmp_path.parents[:2]):
        directory.chmod(0o755)
    told = explained(conf(tls("/srv/none.pem")), user=1001)
    assert not certificates(told) and "only root" in told.warnings[0]


def test_program_that_is_missing(conf, tmp_path):
    """A daemon alone, as from a build without OpenSSL."""
    alone = tmp_path / "miniftpd"
    alone.write_bytes(Path(PROGRAM).read_bytes())
    alone.chmod(0o755)
    shutil.copy(f"{PROGRAM}-auth", f"{alone}-auth")
    done = subprocess.run([alone, "-t", conf(tls(certs.rsa().both))], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"needs the program {alone}-tls" in done.stderr and "WITH_TLS=1" in done.stderr


def test_start_says_the_same_as_the_check(conf):
    """What -t calls an error keeps the daemon from starting."""
    path = conf(tls("/srv/none.pem"))
    error = only_error_of(path)
    started = run(path)
    assert started.returncode != 0 and error in started.stderr
