"""Stored manifests that are not what they should be: refused by name, never a crash."""

from __future__ import annotations

import base64
import io
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radledger.crypto import envelope
from radledger.crypto.errors import UnwrapFailed
from radledger.crypto.keys import Kem, PrivateKey, new_private_key, public_key
from radledger.crypto.merkle import MerkleTree
from radledger.imaging.errors import CommitmentMismatch, ManifestInvalid, RootMismatch
from radledger.imaging.manifest import Group, Instance, Manifest, read_envelope
from radledger.imaging.model import ImageSet

CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
IDENTITY = "bafkqaddimvwgy3zao5xxe3debi"  # the multihash is the content itself


def instance(number):
    return Instance(
        sop_instance=f"1.2.3.{number}",
        sop_class="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax="1.2.840.10008.1.2.1",
        number=number,
        salt="0x" + f"{number:064x}",
        file_digest="0x" + "ab" * 32,
        image_digest="0x" + "cd" * 32,
        cid=CID,
        size=1000,
    )


@pytest.fixture(scope="module")
def manifest():
    instances = (instance(1), instance(2))
    root = "0x" + MerkleTree(each.leaf for each in instances).root.hex()
    return Manifest(
        image_set=ImageSet("0x" + "11" * 20, "0x" + "22" * 20, root, "0x" + "33" * 32),
        kind="original",
        parent=None,
        profile=None,
        study="1.2",
        series="1.2.4",
        modality="CT",
        visit=Group("1.2", "0x" + "44" * 32),
        course=None,
        instances=instances,
    )


def changed(manifest, path, value):
    """A manifest as JSON, with another value somewhere."""
    fields = json.loads(manifest.to_bytes())
    *way, name = path
    place = fields
    for step in way:
        place = place[step]
    place[name] = value
    return json.dumps(fields).encode()


FIRST = ("instances", 0)
WRONG = [
    *(((*FIRST, "size"), value) for value in (-1, 1 << 63, 10**400, 1.5, "1000", None, True, [])),
    *(((*FIRST, "number"), value) for value in (1 << 63, -(1 << 64), 1.5, "1", False)),
    *(((*FIRST, "sop_instance"), value) for value in ("", "../1", "1.2/3", "1" * 65, 5, None)),
    ((*FIRST, "sop_instance"), "1.2.3.2"),  # that of the other one
    *(((*FIRST, "cid"), value) for value in (IDENTITY, CID.upper(), CID[1:], "Qm" * 23, 7, None)),
    *(((*FIRST, "salt"), value) for value in ("ab" * 33, "0x" + "ab" * 31, "0x" + "é" * 64, 1)),
    ((*FIRST, "more"), 1),
    *((("instances",), value) for value in ([], {}, None, 5, [5], [[]])),
    *((("image_set", "patient"), value) for value in (5, "0x", "22" * 21, None)),
    (("image_set", "visit"), "0x12"),
    (("image_set",), []),
    *((("visit",), value) for value in (5, {"name": 1, "salt": "0x" + "44" * 32}, {"name": "1"})),
    *((("kind",), value) for value in ("another", 0, None)),
    *((("parent",), value) for value in ("0x12", 5)),
    (("profile",), 5),
    (("study",), None),
    *((("version",), value) for value in (2, True, 1.0, "1")),
    (("format",), "another"),
]


@pytest.mark.parametrize(("path", "value"), WRONG, ids=lambda each: repr(each)[:40])
def test_a_value_that_no_manifest_has_is_refused(manifest, path, value):
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest
    with pytest.raises(ManifestInvalid, match="not a manifest of an image set") as error:
        Manifest.from_bytes(changed(manifest, path, value))
    assert len(error.value.message) < 300


def test_leaves_of_another_set_are_refused(manifest):
    with pytest.raises(RootMismatch) as error:
        Manifest.from_bytes(changed(manifest, (*FIRST, "image_digest"), "0x" + "ef" * 32))
    assert error.value.values["expected"] == manifest.image_set.root


@pytest.mark.parametrize(
    "data", [b"", b"5", b"null", b"[]", b"\xff\xfe\x00", b"[" * 100_000, b'{"a":' * 100_000]
)
def test_what_is_not_a_manifest_is_refused(data):
    with pytest.raises(ManifestInvalid):
        Manifest.from_bytes(data)
    with pytest.raises(ManifestInvalid):
        read_envelope(io.BytesIO(data))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70),
    lambda children: st.lists(children, max_size=2) | st.dictionaries(st.text(), children),
    max_leaves=4,
)
PATHS = [
    *((name,) for name in ("image_set", "kind", "parent", "profile", "study", "visit", "course")),
    *((name,) for name in ("series", "modality", "instances", "format", "version")),
    *(("image_set", name) for name in ("custodian", "patient", "root", "visit", "course")),
    *(("visit", name) for name in ("name", "salt")),
    *((*FIRST, name) for name in Instance.__slots__),
]


@given(path=st.sampled_from(PATHS), value=VALUES)
def test_any_other_value_is_refused_or_kept_as_it_is(manifest, path, value):
    data = changed(manifest, path, value)
    try:
        read = Manifest.from_bytes(data)
    except (ManifestInvalid, RootMismatch):
        return
    assert json.loads(read.to_bytes()) == json.loads(data)
    assert len(read.image_set.image_id) == 66


@given(value=VALUES, name=st.sampled_from(["commitment", "hybrid", "wrapped", "format", "version"]))
def test_any_envelope_is_read_or_refused(manifest, value, name):
    secret = envelope.new_secret()
    line, rest = manifest.seal(secret, {}).split(b"\n", 1)
    head = {**json.loads(line), name: value}
    stored = io.BytesIO(json.dumps(head).encode() + b"\n" + rest)
    with suppress(ManifestInvalid, CommitmentMismatch):
        assert read_envelope(stored).open(secret) == manifest


def test_a_secret_is_wrapped_to_hybrid_keys_and_to_those_of_x25519(manifest):
    secret, hybrid = envelope.new_secret(), new_private_key()
    x25519 = PrivateKey(x25519=bytes(range(32)))
    keys = {"custodian": public_key(hybrid), "patient": public_key(x25519)}
    stored = manifest.seal(secret, keys)
    head = json.loads(stored.split(b"\n")[0])
    assert (list(head["hybrid"]), list(head["wrapped"])) == (["custodian"], ["patient"])
    found = read_envelope(io.BytesIO(stored))
    image_id = manifest.image_set.image_id
    assert found.secret_for("custodian", image_id, hybrid) == secret
    assert found.secret_for("patient", image_id, x25519) == secret
    with pytest.raises(UnwrapFailed):
        found.secret_for("custodian", image_id, x25519)
    both = manifest.seal(secret, dict.fromkeys(keys, public_key(hybrid)))
    # A release before hybrid keys reads so many bytes of an envelope, and opens the rest.
    assert both.index(b"\n") < 4096


def test_a_manifest_of_the_release_before_hybrid_keys_opens():
    earlier = json.loads(Path(__file__).with_name("earlier_manifest.json").read_text())
    found = read_envelope(io.BytesIO(base64.b64decode(earlier["stored"])))
    assert {each.kem for each in found.wrapped.values()} == {Kem.X25519}
    for role, key in earlier["private_keys"].items():
        # Its participants have made a hybrid key since.
        private = PrivateKey(hybrid=new_private_key().hybrid, x25519=bytes.fromhex(key))
        assert found.secret_for(role, earlier["image_id"], private) == earlier["secret"]
    assert found.open(earlier["secret"]).image_set.image_id == earlier["image_id"]
