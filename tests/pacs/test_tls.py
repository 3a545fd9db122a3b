"""TLS: certificates tell peers apart, and one that does not begin it holds up no other."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from radledger.pacs.errors import InvalidTls
from radledger.pacs.tls import of_receiver, of_sender

VERIFICATION = "1.2.840.10008.1.1"


def certified(folder, name):
    """A certificate that signs itself, and its key, in files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(host, critical=False)
        .sign(key, SHA256())
    )
    public, private = folder / f"{name}.pem", folder / f"{name}.key"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return public, private


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    return {name: certified(folder, name) for name in ("receiver", "modality", "stranger")}


@pytest.fixture
def echo(association):
    """The status of a C-ECHO with TLS; nothing if there is no association."""

    def echo(port, tls):
        options = {} if tls is None else {"tls_args": (tls, "127.0.0.1")}
        with association(port, (VERIFICATION,), **options) as found:
            return found.send_c_echo().Status if found.is_established else None

    return echo


def test_only_who_speaks_tls_is_answered(listening, echo, files):
    tls = of_receiver(*files["receiver"])
    with listening(tls=tls, pdu_seconds=5) as port:
        assert echo(port, of_sender(files["receiver"][0])) == 0x0000
        assert echo(port, None) is None
        assert echo(port, of_sender(files["stranger"][0])) is None
        assert echo(port, of_sender(files["receiver"][0])) == 0x0000


def test_peers_prove_who_they_are(listening, echo, files):
    tls = of_receiver(*files["receiver"], files["modality"][0])
    trusted = files["receiver"][0]
    with listening(tls=tls, pdu_seconds=5) as port:
        assert echo(port, of_sender(trusted, *files["modality"])) == 0x0000
        assert echo(port, of_sender(trusted, *files["stranger"])) is None
        assert echo(port, of_sender(trusted)) is None


def test_dcmtk_speaks_it(listening, dcmtk, files):
    tls = of_receiver(*files["receiver"], files["modality"][0])
    certificate, key = files["modality"]
    options = ("+tls", key, certificate, "+cf", files["receiver"][0])
    with listening(tls=tls) as port:
        echoed = dcmtk("echoscu", port, *options)
        assert echoed.code == 0, echoed.said
        assert dcmtk("echoscu", port).code != 0


def test_connection_that_does_not_begin_tls_holds_up_no_other(listening, echo, files):
    tls = of_receiver(*files["receiver"])
    with (
        listening(tls=tls) as port,
        socket.create_connection(("127.0.0.1", port)),
        socket.create_connection(("127.0.0.1", port)) as partial,
    ):
        partial.sendall(b"\x16\3\1\2\0")
        assert echo(port, of_sender(files["receiver"][0])) == 0x0000


def test_old_versions_are_not_spoken(files):
    for context in (of_receiver(*files["receiver"]), of_sender(files["receiver"][0])):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_files_that_are_not_certificates(files, tmp_path):
    certificate, key = files["receiver"]
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    for make in (
        lambda: of_receiver(nonsense, key),
        lambda: of_receiver(certificate, nonsense),
        lambda: of_receiver(certificate, files["stranger"][1]),
        lambda: of_receiver(certificate, key, nonsense),
        lambda: of_receiver(tmp_path / "missing", key),
        lambda: of_sender(nonsense),
    ):
        with pytest.raises(InvalidTls):
            make()
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        serialization.load_pem_private_key(key.read_bytes(), None).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(InvalidTls, match="without a passphrase"):
        of_receiver(certificate, locked)
