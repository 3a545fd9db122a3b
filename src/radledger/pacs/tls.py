"""TLS for DICOM's network protocol (PS3.15 annex B)."""

from __future__ import annotations

import ssl
from pathlib import Path

from radledger.pacs.errors import InvalidTls

__all__ = ["of_receiver", "of_sender"]


def of_receiver(certificate: Path, key: Path, peers: Path | None = None) -> ssl.SSLContext:
    """What a receiver speaks TLS with: 1.2 or later.

    Parameters
    ----------
    certificate, key
        Its own, as PEM; the certificate with those between it and its root.
    peers
        Certificates, as PEM, by which those of peers are signed; then only these can connect.

    Raises
    ------
    InvalidTls
        If a file is not such a certificate or key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, certificate, key)
    if peers is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        _trust(context, peers)
    return context


def of_sender(
    peers: Path, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """What a sender speaks TLS with: 1.2 or later; the peer's certificate has to name its host.

    Parameters
    ----------
    peers
        Certificates, as PEM, by which that of the peer is signed.
    certificate, key
        Its own, as PEM, if the peer asks for one.

    Raises
    ------
    InvalidTls
        If a file is not such a certificate or key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _trust(context, peers)
    if certificate is not None and key is not None:
        _load(context, certificate, key)
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        # a key with a passphrase would be asked for at the terminal otherwise
        context.load_cert_chain(certificate, key, password=b"")
    except (ssl.SSLError, OSError) as error:
        raise InvalidTls(
            f"{certificate} and {key} are not a certificate and its key: {error}; give both as PEM "
            "files, the key without a passphrase",
            certificate=str(certificate),
            key=str(key),
        ) from error


def _trust(context: ssl.SSLContext, peers: Path) -> None:
    try:
        context.load_verify_locations(peers)
    except (ssl.SSLError, OSError) as error:
        raise InvalidTls(
            f"{peers} does not hold certificates: {error}; give a PEM file", certificates=str(peers)
        ) from error
