"""Certificates for the tests, made by the openssl command, each once in a run."""

import subprocess
from collections import namedtuple
from functools import lru_cache
from pathlib import Path

TOP = Path("/run/certs")
KINDS = {
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
}

# `both` holds the certificate and then the key.
Pair = namedtuple("Pair", "cert key both")


def openssl(*arguments):
    """Run the openssl command; its output as bytes."""
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True).stdout


@lru_cache(maxsize=None)
def pair(name, kind="rsa", issuer=None, is_ca=False):
    """A certificate CN=`name` and its key; signed by another pair or by itself."""
    TOP.mkdir(exist_ok=True)
    cert, key, both = (TOP / f"{name}{end}" for end in (".pem", ".key", ".both.pem"))
    openssl("genpkey", *KINDS[kind], "-out", key)
    signer = ["-CA", issuer.cert, "-CAkey", issuer.key] if issuer else []
    openssl("req", "-new", "-x509", "-key", key, *signer, "-subj", f"/CN={name}", "-days", 100,
            "-addext", f"basicConstraints=critical,CA:{'TRUE' if is_ca else 'FALSE'}",
            "-addext", f"subjectAltName=DNS:{name}.example,IP:127.0.0.1", "-out", cert)
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    for path in (key, both):
        path.chmod(0o600)
    return Pair(cert, key, both)


def rsa():
    return pair("server-rsa")


def ec():
    return pair("server-ec", "ec")


def authority():
    """Who signs other certificates."""
    return pair("authority", "ec", is_ca=True)


def client():
    """A certificate of a client, signed by authority()."""
    return pair("a-client", "ec", authority())


def chain():
    """A server's certificate with the one between it and authority() behind it."""
    middle = pair("middle", "ec", authority(), is_ca=True)
    leaf = pair("leaf", "ec", middle)
    whole = TOP / "chain.pem"
    whole.write_bytes(leaf.cert.read_bytes() + middle.cert.read_bytes())
    return Pair(whole, leaf.key, None)


@lru_cache(maxsize=None)
def expired():
    """A certificate that was valid until 2021-01-01."""
    made = pair("expired")
    conf, request, index = (TOP / f"expired.{end}" for end in ("conf", "csr", "index"))
    index.touch()
    conf.write_text("[ca]\ndefault_ca=d\n[d]\npolicy=p\ndefault_md=sha256\nrand_serial=yes\n"
                    f"database={index}\nnew_certs_dir={TOP}\n[p]\ncommonName=supplied\n")
    openssl("req", "-new", "-key", made.key, "-out", request, "-subj", "/CN=expired")
    openssl("ca", "-batch", "-selfsign", "-config", conf, "-keyfile", made.key, "-in", request,
            "-out", made.cert, "-startdate", "20200101000000Z", "-enddate", "20210101000000Z",
            "-notext")
    return made


def der(cert):
    """A certificate as the client gets it."""
    return openssl("x509", "-in", cert, "-outform", "DER")
