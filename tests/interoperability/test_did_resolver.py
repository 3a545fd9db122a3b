"""A participant's ``did:ethr`` as others see it: npm's ethr-did-resolver on our registry."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_keys import keys
from eth_utils import keccak

from radledger.crypto.keys import new_private_key, public_key
from radledger.identity.records import GATEWAY_ATTRIBUTE, key_attribute
from tests.anvil import ARTIFACTS, Chain, Contract, account, running_chain

SCRIPT = Path(__file__).with_name("did_resolver.mjs")
ROOT = Path(__file__).parents[2]
DAY = 24 * 3600
DELAY = 3 * DAY
VERI_KEY = b"veriKey".ljust(32, b"\0")
SIG_AUTH = b"sigAuth".ljust(32, b"\0")
ENCRYPTION_KEY = b"did/pub/X25519/enc/hex".ljust(32, b"\0")
RECORDS = b"did/svc/Records".ljust(32, b"\0")

KEY = keys.PrivateKey(keccak(text="patient"))
PATIENT = KEY.public_key.to_checksum_address()
PARENT = account("parent")


def ask(*arguments: str) -> Any:
    """What the resolver answers."""
    node = shutil.which("node", path=f"{ROOT}/.venv/bin{os.pathsep}{os.environ['PATH']}")
    if node is None or not (ROOT / "node_modules" / "ethr-did-resolver").is_dir():
        pytest.skip("needs node and ethr-did-resolver: run `make setup`")
    answer = subprocess.run(
        [node, SCRIPT, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with running_chain() as chain:
        yield chain


@pytest.fixture
def registry(chain: Chain) -> Iterator[Contract]:
    with chain.undone():
        yield chain.deploy("IdentityRegistry", account("forwarder"), DELAY)


@pytest.fixture
def send(chain: Chain, registry: Contract) -> Callable[..., None]:
    def send(sender: str, function: str, *arguments: Any) -> None:
        chain.send(sender, registry, function, *arguments)

    return send


@pytest.fixture
def did(chain: Chain) -> str:
    return f"did:ethr:{chain.request('eth_chainId')}:{PATIENT}"


@pytest.fixture
def document(chain: Chain, registry: Contract, did: str) -> Callable[[], dict[str, Any]]:
    """The DID document now, by the clock of the chain, which may be ahead of this machine's."""

    def document() -> dict[str, Any]:
        chain.travel(1)
        block = int(chain.request("eth_blockNumber"), 16)
        endpoint = f"http://127.0.0.1:{chain.port}"
        answer = ask("resolve", endpoint, registry.address, f"{did}?versionId={block}")
        assert "error" not in answer["didResolutionMetadata"], answer
        return {
            **answer["didDocument"],
            "deactivated": "deactivated" in answer["didDocumentMetadata"],
        }

    return document


def controllers(document: dict[str, Any]) -> list[str]:
    """The addresses that the document names, the owner's first."""
    methods = document["verificationMethod"]
    return [
        method["blockchainAccountId"].rsplit(":", 1)[1]
        for method in methods
        if "blockchainAccountId" in method
    ]


def test_an_address_is_its_own_identity(document, did):
    answer = document()
    assert answer["id"] == did
    assert controllers(answer) == [PATIENT]


def test_owner_delegates_keys_and_services(send, document):
    encryption_key = bytes(range(32))
    send(PATIENT, "addDelegate", PATIENT, VERI_KEY, account("tablet"), DAY)
    send(PATIENT, "addDelegate", PATIENT, SIG_AUTH, account("phone"), DAY)
    send(PATIENT, "setAttribute", PATIENT, ENCRYPTION_KEY, encryption_key, DAY)
    send(PATIENT, "setAttribute", PATIENT, RECORDS, b"https://records.example", DAY)
    send(PATIENT, "changeOwner", PATIENT, PARENT)

    answer = document()
    assert controllers(answer) == [PARENT, account("tablet"), account("phone")]
    (key,) = [each for each in answer["verificationMethod"] if "publicKeyHex" in each]
    assert key["type"] == "X25519KeyAgreementKey2019"
    assert key["publicKeyHex"] == encryption_key.hex()
    assert answer["keyAgreement"] == [key["id"]]
    (service,) = answer["service"]
    assert (service["type"], service["serviceEndpoint"]) == ("Records", "https://records.example")


def test_a_hybrid_key_is_a_multikey_for_key_agreement(send, document):
    name, value = key_attribute(public_key(new_private_key()))
    send(PATIENT, "setAttribute", PATIENT, name.encode().ljust(32, b"\0"), value, DAY)
    answer = document()
    (key,) = [each for each in answer["verificationMethod"] if "publicKeyHex" in each]
    assert (key["type"], key["publicKeyHex"]) == ("Multikey", value.hex())
    assert answer["keyAgreement"] == [key["id"]]


def test_a_gateway_is_a_service(send, document):
    name = GATEWAY_ATTRIBUTE.encode().ljust(32, b"\0")
    for url in ("https://old.example", "https://gateway.example"):
        send(PATIENT, "setAttribute", PATIENT, name, url.encode(), DAY)
    services = [(each["type"], each["serviceEndpoint"]) for each in document()["service"]]
    assert ("RadLedgerGateway", "https://gateway.example") in services


def test_what_is_revoked_is_not_resolved(send, document):
    send(PATIENT, "addDelegate", PATIENT, VERI_KEY, account("tablet"), DAY)
    send(PATIENT, "setAttribute", PATIENT, RECORDS, b"https://records.example", DAY)
    answer = document()
    assert controllers(answer) == [PATIENT, account("tablet")]
    assert "service" in answer

    send(PATIENT, "revokeDelegate", PATIENT, VERI_KEY, account("tablet"))
    send(PATIENT, "revokeAttribute", PATIENT, RECORDS, b"https://records.example")
    answer = document()
    assert controllers(answer) == [PATIENT]
    assert "service" not in answer


def test_recovery_shows_the_new_owner(chain, send, document):
    guardian = account("sister")
    send(PATIENT, "addDelegate", PATIENT, VERI_KEY, account("thief"), 30 * DAY)
    send(PATIENT, "setGuardians", PATIENT, [guardian], 1)
    send(guardian, "approveRecovery", PATIENT, guardian, PARENT, [guardian], 1)
    assert controllers(document())[0] == PATIENT
    chain.travel(DELAY)
    send(account("anybody"), "executeRecovery", PATIENT, PARENT)
    assert controllers(document())[0] == PARENT

    send(PARENT, "revokeDelegate", PATIENT, VERI_KEY, account("thief"))
    assert controllers(document()) == [PARENT]


def test_deactivated(send, document):
    send(PATIENT, "changeOwner", PATIENT, "0x" + "00" * 20)
    answer = document()
    assert answer["deactivated"]
    assert answer["verificationMethod"] == []


@pytest.mark.parametrize(
    ("function", "named", "sent"),
    [
        ("changeOwner", [PARENT], (PARENT,)),
        ("addDelegate", ["veriKey", PARENT, DAY], (VERI_KEY, PARENT, DAY)),
        ("revokeDelegate", ["veriKey", PARENT], (VERI_KEY, PARENT)),
        ("setAttribute", ["did/svc/Records", "0x2511", DAY], (RECORDS, b"\x25\x11", DAY)),
        ("revokeAttribute", ["did/svc/Records", "0x2511"], (RECORDS, b"\x25\x11")),
    ],
)
def test_what_the_reference_controller_has_signed_is_accepted(
    chain, registry, send, did, function, named, sent
):
    endpoint = f"http://127.0.0.1:{chain.port}"
    digest = ask("digest", endpoint, registry.address, did, function, json.dumps(named))
    signature = KEY.sign_msg_hash(bytes.fromhex(digest[2:]))
    r, s = (part.to_bytes(32, "big") for part in (signature.r, signature.s))
    send(account("anybody"), f"{function}Signed", PATIENT, signature.v + 27, r, s, *sent)
    assert chain.call(registry, "nonce", PATIENT) == 1


def test_every_function_and_event_of_the_reference_is_here():
    """The same names, types, indexed fields and outputs; what a parameter is called may differ."""

    def signature(item: dict[str, Any]) -> tuple[Any, ...]:
        inputs = tuple((each["type"], each.get("indexed")) for each in item.get("inputs", ()))
        outputs = tuple(each["type"] for each in item.get("outputs", ()))
        return (item["type"], item.get("name"), inputs, outputs, item.get("stateMutability"))

    ours = json.loads((ARTIFACTS / "IdentityRegistry.json").read_text())["abi"]
    reference = {signature(item) for item in ask("abi") if item["type"] != "constructor"}
    assert len(reference) == 19
    assert reference <= {signature(item) for item in ours}
