"""Wrapped secrets: one key and one context open them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radledger.crypto.envelope import new_secret
from radledger.crypto.errors import InvalidPrivateKey, InvalidPublicKey, UnwrapFailed
from radledger.crypto.keys import (
    Kem,
    PrivateKey,
    PublicKey,
    Wrapped,
    new_private_key,
    public_key,
    unwrap,
    wrap,
)
from tests.crypto import hybrid_hpke

_P = 2**255 - 19
INFO = b"RadLedger wrapped secret, version 1\0" + b"grant"
VECTORS = json.loads((Path(__file__).parent / "vectors" / "mlkem768_x25519.json").read_text())
HYBRID = new_private_key()
X25519 = PrivateKey(x25519=bytes(range(32)))

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

each_kem = pytest.mark.parametrize("private", [HYBRID, X25519], ids=["hybrid", "X25519"])


@each_kem
@settings(deadline=None, max_examples=15)
@given(secret=st.text(max_size=200), context=st.binary(max_size=100))
def test_what_is_unwrapped_is_what_was_wrapped(private, secret: str, context: bytes) -> None:
    assert unwrap(wrap(secret, public_key(private), context), private, context) == secret


@each_kem
def test_wrapping_twice_gives_unlike_bytes(private) -> None:
    public = public_key(private)
    assert wrap("secret", public, b"grant") != wrap("secret", public, b"grant")


@pytest.mark.parametrize(
    ("private", "kem", "size"),
    [(HYBRID, Kem.HYBRID, 1088 + 32 + 74 + 16), (X25519, Kem.X25519, 32 + 74 + 16)],
    ids=["hybrid", "X25519"],
)
def test_the_wrapped_secret_of_an_image_set_does_not_show_it(private, kem, size) -> None:
    secret = new_secret()
    wrapped = wrap(secret, public_key(private), b"grant")
    assert (wrapped.kem, len(wrapped.data)) == (kem, size)
    assert secret.encode() not in wrapped.data


@each_kem
def test_another_key_is_refused(private) -> None:
    wrapped = wrap("secret", public_key(private), b"grant")
    other = PrivateKey(hybrid=new_private_key().hybrid, x25519=bytes(range(1, 33)))
    with pytest.raises(UnwrapFailed) as refusal:
        unwrap(wrapped, other, b"grant")
    assert refusal.value.values == {"context": b"grant".hex()}


@pytest.mark.parametrize(
    ("to", "private"), [(HYBRID, X25519), (X25519, HYBRID)], ids=["hybrid", "X25519"]
)
def test_what_is_wrapped_to_a_key_that_is_not_here_is_refused(to, private) -> None:
    wrapped = wrap("secret", public_key(to), b"grant")
    with pytest.raises(UnwrapFailed, match=f"wrapped to a key of {wrapped.kem}"):
        unwrap(wrapped, private, b"grant")
    both = PrivateKey(hybrid=HYBRID.hybrid, x25519=X25519.x25519)
    assert unwrap(wrapped, both, b"grant") == "secret"
    assert public_key(both) == public_key(HYBRID)


@each_kem
@pytest.mark.parametrize("context", [b"", b"grant 8", b"grant 77", b"\0grant 7"])
def test_another_context_is_refused(private, context: bytes) -> None:
    wrapped = wrap("secret", public_key(private), b"grant 7")
    with pytest.raises(UnwrapFailed) as refusal:
        unwrap(wrapped, private, context)
    assert refusal.value.values == {"context": context.hex()}
    assert unwrap(wrapped, private, b"grant 7") == "secret"


@each_kem
def test_every_flipped_byte_and_every_truncation_is_refused(private) -> None:
    """In the half of ML-KEM, in that of X25519, in the ciphertext and in its tag."""
    wrapped = wrap("secret", public_key(private), b"grant")
    for position in range(len(wrapped.data)):
        changed = bytearray(wrapped.data)
        changed[position] ^= 0x01
        for bad in (bytes(changed), wrapped.data[:position]):
            with pytest.raises(UnwrapFailed):
                unwrap(Wrapped(wrapped.kem, bad), private, b"grant")


@pytest.mark.parametrize("half", [slice(0, 64), slice(64, 96)], ids=["ML-KEM", "X25519"])
def test_one_half_of_a_hybrid_key_opens_nothing(half) -> None:
    wrapped = wrap("secret", public_key(HYBRID), b"grant")
    known = bytearray(new_private_key().hybrid or b"")
    known[half] = (HYBRID.hybrid or b"")[half]
    with pytest.raises(UnwrapFailed):
        unwrap(wrapped, PrivateKey(hybrid=bytes(known)), b"grant")


@pytest.mark.parametrize("point", _LOW_ORDER)
def test_a_key_of_low_order_is_refused(point: int) -> None:
    key = point.to_bytes(32, "little")
    with pytest.raises(InvalidPublicKey) as refusal:
        PublicKey(Kem.X25519, key)
    assert refusal.value.values.pop("reason").endswith("out of range or of low order")
    assert refusal.value.values == {"kem": "X25519", "public_key": key.hex()}
    with pytest.raises(InvalidPublicKey):
        PublicKey(Kem.HYBRID, public_key(HYBRID).raw[:1184] + key)


def test_a_key_of_ml_kem_that_is_not_in_range_is_refused() -> None:
    """FIPS 203, section 7.2: each coefficient is below 3329."""
    raw = public_key(HYBRID).raw
    with pytest.raises(InvalidPublicKey) as refusal:
        PublicKey(Kem.HYBRID, b"\xff\xff" + raw[2:])
    assert refusal.value.values["kem"] == "MLKEM768-X25519"


@pytest.mark.parametrize("length", [0, 31, 33, 65, 1184, 1215, 1217])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    for kem in Kem:
        most = 32 if kem is Kem.X25519 else 1216
        with pytest.raises(InvalidPublicKey, match=f"it has {length} bytes, not {most}; register"):
            PublicKey(kem, b"\x09" * length)
    for other in ({"x25519": b"\x09" * length}, {"hybrid": b"\x09" * length}):
        with pytest.raises(InvalidPrivateKey):
            PrivateKey(**other)
    with pytest.raises(InvalidPrivateKey) as refusal:
        PrivateKey()
    assert refusal.value.values == {"lengths": [None, None]}


def test_private_keys_are_not_shown() -> None:
    assert repr(PrivateKey(hybrid=HYBRID.hybrid, x25519=X25519.x25519)) == "PrivateKey()"


def test_an_independent_implementation_of_rfc_9180_opens_what_is_wrapped_here() -> None:
    pyhpke = pytest.importorskip("pyhpke", reason="needs pyhpke")
    suite = pyhpke.CipherSuite.new(
        pyhpke.KEMId.DHKEM_X25519_HKDF_SHA256,
        pyhpke.KDFId.HKDF_SHA256,
        pyhpke.AEADId.CHACHA20_POLY1305,
    )
    data = wrap("secret", public_key(X25519), b"grant").data
    key = suite.kem.deserialize_private_key(X25519.x25519)
    receiving = suite.create_recipient_context(data[:32], key, info=INFO)
    assert receiving.open(data[32:]) == b"secret"

    to = suite.kem.deserialize_public_key(public_key(X25519).raw)
    encapsulated, sending = suite.create_sender_context(to, info=INFO)
    wrapped = Wrapped(Kem.X25519, encapsulated + sending.seal(b"secret"))
    assert unwrap(wrapped, X25519, b"grant") == "secret"


@pytest.mark.parametrize("vector", VECTORS["xwing"], ids=range(3))
def test_the_vectors_of_x_wing(vector) -> None:
    private = hybrid_hpke.expanded(bytes.fromhex(vector["sk"]))
    assert public_key(PrivateKey(hybrid=private)).raw.hex() == vector["pk"]
    assert hybrid_hpke.decapsulate(bytes.fromhex(vector["ct"]), private).hex() == vector["ss"]


def test_the_vector_of_hpke_with_the_hybrid_kem() -> None:
    vector = VECTORS["hpke"]
    private = hybrid_hpke.expanded(bytes.fromhex(vector["skRm"]))
    assert public_key(PrivateKey(hybrid=private)).raw.hex() == vector["pkRm"]
    secret = hybrid_hpke.decapsulate(bytes.fromhex(vector["enc"]), private)
    assert secret.hex() == vector["shared_secret"]
    context = hybrid_hpke.context(secret, bytes.fromhex(vector["info"]))
    assert (context.key.hex(), context.nonce.hex()) == (vector["key"], vector["base_nonce"])
    first = {name: bytes.fromhex(value) for name, value in vector["encryptions"][0].items()}
    assert context.open(first["ct"], first["aad"]) == first["pt"]


def test_an_implementation_that_meets_the_vectors_opens_what_is_wrapped_here() -> None:
    data, private = wrap("secret", public_key(HYBRID), b"grant").data, HYBRID.hybrid or b""
    secret = hybrid_hpke.decapsulate(data[:1120], private)
    assert hybrid_hpke.context(secret, INFO).open(data[1120:]) == b"secret"

    secret, encapsulated = hybrid_hpke.encapsulate(public_key(HYBRID).raw)
    wrapped = Wrapped(Kem.HYBRID, encapsulated + hybrid_hpke.context(secret, INFO).seal(b"secret"))
    assert unwrap(wrapped, HYBRID, b"grant") == "secret"
