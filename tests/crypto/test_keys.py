"""Wrapped secrets: one key and one context open them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radledger.crypto.envelope import new_secret
from radledger.crypto.errors import InvalidPrivateKey, InvalidPublicKey, UnwrapFailed
from radledger.crypto.keys import new_private_key, public_key, unwrap, wrap

_P = 2**255 - 19

# The points of order 1, 2, 4 and 8 of Curve25519 and its twist: https://cr.yp.to/ecdh.html#validate
_LOW_ORDER = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    _P - 1,
    _P,
    _P + 1,
]


@settings(deadline=None, max_examples=30)
@given(secret=st.text(max_size=200), context=st.binary(max_size=100))
def test_what_is_unwrapped_is_what_was_wrapped(secret: str, context: bytes) -> None:
    private = new_private_key()
    assert unwrap(wrap(secret, public_key(private), context), private, context) == secret


def test_wrapping_twice_gives_unlike_bytes() -> None:
    public = public_key(new_private_key())
    assert wrap("secret", public, b"grant") != wrap("secret", public, b"grant")


def test_an_image_sets_secret_takes_122_bytes_that_do_not_show_it() -> None:
    secret, private = new_secret(), new_private_key()
    wrapped = wrap(secret, public_key(private), b"grant")
    assert len(wrapped) == 32 + len(secret) + 16
    assert secret.encode() not in wrapped


def test_another_key_is_refused() -> None:
    wrapped = wrap("secret", public_key(new_private_key()), b"grant")
    with pytest.raises(UnwrapFailed) as refusal:
        unwrap(wrapped, new_private_key(), b"grant")
    assert refusal.value.values == {"context": b"grant".hex()}


@pytest.mark.parametrize("context", [b"", b"grant 8", b"grant 77", b"\0grant 7"])
def test_another_context_is_refused(context: bytes) -> None:
    private = new_private_key()
    wrapped = wrap("secret", public_key(private), b"grant 7")
    with pytest.raises(UnwrapFailed) as refusal:
        unwrap(wrapped, private, context)
    assert refusal.value.values == {"context": context.hex()}
    assert unwrap(wrapped, private, b"grant 7") == "secret"


def test_every_flipped_byte_and_every_truncation_is_refused() -> None:
    private = new_private_key()
    wrapped = wrap("secret", public_key(private), b"grant")
    for position in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[position] ^= 0x01
        for bad in (bytes(changed), wrapped[:position]):
            with pytest.raises(UnwrapFailed):
                unwrap(bad, private, b"grant")


@pytest.mark.parametrize("point", _LOW_ORDER)
def test_a_key_of_low_order_is_refused(point: int) -> None:
    key = point.to_bytes(32, "little")
    with pytest.raises(InvalidPublicKey) as refusal:
        wrap("secret", key, b"grant")
    assert refusal.value.values == {"public_key": key.hex()}


@pytest.mark.parametrize("length", [0, 31, 33, 65])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidPublicKey):
        wrap("secret", b"\x09" * length, b"grant")
    with pytest.raises(InvalidPrivateKey) as refusal:
        unwrap(bytes(100), b"\x09" * length, b"grant")
    assert refusal.value.values == {"length": length}
    with pytest.raises(InvalidPrivateKey):
        public_key(b"\x09" * length)


def test_an_independent_implementation_of_rfc_9180_opens_what_is_wrapped_here() -> None:
    pyhpke = pytest.importorskip("pyhpke", reason="needs pyhpke")
    suite = pyhpke.CipherSuite.new(
        pyhpke.KEMId.DHKEM_X25519_HKDF_SHA256,
        pyhpke.KDFId.HKDF_SHA256,
        pyhpke.AEADId.CHACHA20_POLY1305,
    )
    info = b"RadLedger wrapped secret, version 1\0" + b"grant"
    private = new_private_key()

    wrapped = wrap("secret", public_key(private), b"grant")
    key = suite.kem.deserialize_private_key(private)
    receiving = suite.create_recipient_context(wrapped[:32], key, info=info)
    assert receiving.open(wrapped[32:]) == b"secret"

    to = suite.kem.deserialize_public_key(public_key(private))
    encapsulated, sending = suite.create_sender_context(to, info=info)
    assert unwrap(encapsulated + sending.seal(b"secret"), private, b"grant") == "secret"
