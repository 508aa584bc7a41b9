"""FileZilla over TLS (GnuTLS): it resumes the session of the control connection."""

import pytest

import certs
import ftpsraw
from clients import TREE, Way, make_tree, way_id
from filezilla import EXPLICIT_TLS, IMPLICIT_TLS, TRANSFER, FileZilla

FILES = [name for name in TREE if not name.endswith("/")]
IMPLICIT = {"implicit_ssl": "YES", "listen_port": "990"}
V13_ONLY, V12_ONLY = {"ssl_tlsv12": "NO"}, {"ssl_tlsv13": "NO"}


@pytest.fixture(params=[
    (EXPLICIT_TLS, {}), (EXPLICIT_TLS, V12_ONLY), (EXPLICIT_TLS, V13_ONLY),
    (IMPLICIT_TLS, IMPLICIT),
], ids=["explicit", "1.2", "1.3", "implicit"])
def kind(request):
    return request.param


@pytest.fixture(params=[Way("passive", "ipv4"), Way("active", "ipv6")], ids=way_id)
def filezilla(request, ftpd, home, tmp_path, kind):
    """It is not started yet; the server wants encrypted sessions, and resumed data."""
    made = FileZilla(ftpd, home, tmp_path, request.param, request.node.name,
                     **ftpsraw.options(**kind[1]))
    made.protocol = kind[0]
    made.trusted = certs.der(certs.rsa().cert)
    yield made
    made.close()


def test_downloads_a_tree(filezilla):
    make_tree(filezilla.remote)
    filezilla.start()
    filezilla.menu("there", TRANSFER)
    filezilla.wait_files(len(FILES))
    filezilla.wait_tree(filezilla.local)
    filezilla.quit()
    assert "require_ssl_reuse" not in filezilla.daemon.log


def test_uploads_a_tree(filezilla):
    make_tree(filezilla.local)
    filezilla.start()
    filezilla.menu("here", TRANSFER)
    filezilla.wait_files(len(FILES))
    filezilla.wait_tree(filezilla.remote.path)
    filezilla.quit()
    assert "cut off" not in filezilla.daemon.log
