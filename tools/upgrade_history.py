"""The history in the home of a release: something of everything that a later release must open.

It is made with the commands of the release, and with the library where there is no command.  Ends
are far away, so that a release many years later still finds in force what is in force now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger import RadLedger
from radledger.algorithms import Run
from radledger.chain.keystore import pem
from radledger.chain.keystore.accounts import Keystore
from radledger.chain.rpc import request
from radledger.consent.duo import CONDITIONS
from radledger.crypto.keys import PrivateKey, public_key
from radledger.dicom.synthetic import make_ct_series
from radledger.files import write_atomically
from radledger.index.tables import layout
from radledger.relay.service import Relayer
from radledger.relay.tickets import Limits
from tools.upgrade_answers import digests, lasting, objects, questions

if TYPE_CHECKING:
    from web3 import Web3

__all__ = ["MNEMONIC", "History"]

MNEMONIC = "test test test test test test test test test test test junk"
"""Of the accounts: the same addresses in the home of every release."""

_FOREVER = ("--valid-for", "25000d")
_LONG = 25_000 * 24 * 3600

_PASSPHRASE = "the passphrase of the guardian's account"  # noqa: S105 - it protects nothing
_GUARDIAN_KEY = "0x" + "67" * 32
_RICH = hex(10**20)


class History:
    """What happens in a home whose local chain runs, and what a later release must find there.

    Parameters
    ----------
    home
        Folder of the local network's home.
    partner
        Folder of the home of another participant, who imports the record of the deployment.
    scratch
        Folder for what is not kept.
    """

    def __init__(self, home: Path, partner: Path, scratch: Path) -> None:
        self.home = home
        self.partner = partner
        self.scratch = scratch
        self.names: dict[str, str] = {}
        self.files: dict[str, list[str]] = {}
        self.readers: dict[str, tuple[str, ...]] = {}
        self.bundles: dict[str, dict[str, Any]] = {}
        self.tickets: dict[str, str] = {}
        self._studies = 0

    def happen(self) -> dict[str, Any]:
        """Let all of it happen, and return what must be found."""
        chapters: tuple[Callable[[], None], ...] = (
            *(self._people, self._images, self._consents, self._reading, self._emergencies),
            *(self._datasets, self._algorithms, self._bundles, self._other_home),
            *(self._documents, self._tickets, self._interrupted),
        )
        for chapter in chapters:
            chapter()
        answers = [{"asked": it, "answer": lasting(self(*it))} for it in questions(self.names)]
        indexed = self.one("index", "status")
        request(self._web3, "evm_mine", [])  # the index is behind: a later release continues it
        return {
            "passphrase": _PASSPHRASE,
            "names": self.names,
            "files": self.files,
            "readers": self.readers,
            "bundles": self.bundles,
            "tickets": self.tickets,
            "index": {"layout": layout(), "block": indexed["block"]},
            "answers": answers,
        }

    def __call__(self, *arguments: str | Path) -> list[dict[str, Any]]:
        """Run a command on the home."""
        return objects(self.home, *arguments)

    def one(self, *arguments: str | Path) -> dict[str, Any]:
        """Run a command that prints one object."""
        (printed,) = self(*arguments)
        return printed

    @cached_property
    def radledger(self) -> RadLedger:
        """The library on the home."""
        return RadLedger.open(home=self.home)

    @cached_property
    def keystore(self) -> Keystore:
        """The accounts of the home."""
        return Keystore(self.home)

    def _by(self, account: str, *arguments: str | Path) -> dict[str, Any]:
        """Run a command as an account."""
        return self.one(*arguments, "--as", account)

    # ---------------------------------------------------------------------------------- people

    def _people(self) -> None:
        """A guardian under a passphrase, and a patient whose key is of X25519 alone."""
        guardian = self.keystore.import_("guardian", _GUARDIAN_KEY, _PASSPHRASE)
        self.keystore.encryption_key("guardian", _PASSPHRASE)
        derived = self._by("patient", "account", "derive", "--for", "clinic")
        self.names |= {"second patient": derived["name"]}
        for address in (guardian.address, derived["address"], self._address("patient")):
            request(self._web3, "anvil_setBalance", [address, _RICH])

        path = self.home / "keystore" / f"{derived['name']}.x25519.pem"
        write_atomically(path, pem.new_keys(pem.X25519, None), private=True)
        private_key = PrivateKey(x25519=pem.read_keys(path.read_bytes(), pem.X25519, None))
        account = self.keystore.open(derived["name"])
        self.radledger.identities.set_key(public_key(private_key)).send(account)

        guards = ("guardian", "radiologist", "--threshold", "2")
        self._by("patient", "identity", "guardians", *guards)
        self._by("patient", "identity", "add-delegate", "stranger", "--for", "25000d")
        recovery = self.radledger.identities.approve_recovery(
            self._address("patient"), self._address("stranger")
        )
        recovery.send(self.keystore.open("guardian", _PASSPHRASE))
        self._by("clinic", "participant", "suspend", "researcher")
        self._by("clinic", "participant", "reinstate", "researcher")

    def _address(self, name: str) -> str:
        return str(self.keystore.show(name).address)

    @property
    def _web3(self) -> Web3:
        return self.radledger.ledger.web3

    # ---------------------------------------------------------------------------------- images

    def _images(self) -> None:
        """Of each kind, in each state, and with each kind of wrapped secret."""
        named = ("--visit", "first", "--course", "only", "--keep-identity")
        self.names["original"] = self._add("patient", "hospital", *named)
        derived = self._by("hospital", "image", "deidentify", self.names["original"])
        self.names["image"] = derived["image_id"]
        self.names["plain"] = self._add(self.names["second patient"], "clinic")
        self.names["erased"] = self._add("patient", "hospital")
        self.names["disowned"] = self._add("patient", "hospital")
        self._by("hospital", "image", "rekey", self.names["original"])
        self._by("patient", "image", "disown", self.names["disowned"])
        erased = self._by("hospital", "image", "erase", self.names["erased"])
        self.names["certificate"] = erased["digest"]

    def _add(self, patient: str, custodian: str, *options: str) -> str:
        self._studies += 1
        study = self.scratch / f"study {self._studies}"
        make_ct_series(study, 2, size=32, seed=self._studies)
        added = self._by(custodian, "image", "add", study, "--patient", patient, *options)
        return str(added["image_id"])

    # -------------------------------------------------------------------------------- consents

    def _consents(self) -> None:
        """Grants with every condition, of every kind; a request that waits."""
        signed = self.scratch / "grant.json"
        care = ("--purpose", "CC", "--sign-only", signed)
        self._by("patient", "consent", "grant", "radiologist", *care)
        self._by("hospital", "submit", signed)
        conditions = [word for term in CONDITIONS for word in ("--condition", term.name)]
        everything = ("--purpose", "GRU", *conditions, "--scope", self.names["original"])
        self._by("patient", "consent", "grant", "clinic", *everything)
        self._by("patient", "consent", "grant", "clinic", "--purpose", "HMB")
        second = self.names["second patient"]
        self._by(second, "consent", "grant", "clinic", "--purpose", "HMB")
        disease = ("--purpose", "DS", "--disease", "MONDO:0004992")
        times = ("--from", "2026-01-01", "--until", "2100-01-01", "--exact")
        granted = self._by("patient", "consent", "grant", "researcher", *disease, *times)
        self.names["disease"] = granted["disease"]
        self._by("patient", "consent", "grant", "stranger", "--purpose", "TEACHING")
        self._by("patient", "consent", "revoke", "stranger")
        wanted = ("--purpose", "POA", "--condition", "IRB", "--scope", self.names["image"])
        self._by("researcher", "consent", "request", "patient", *wanted)
        (waiting,) = self("consent", "list", "--requests")
        self.names["request"] = waiting["request_id"]

    def _reading(self) -> None:
        """The custodians, the patients and a reader read, each against a receipt."""
        second = self.names["second patient"]
        self.readers = {
            "original": ("patient", "hospital", "radiologist"),
            "image": ("patient", "hospital", "radiologist"),
            "plain": (second, "clinic"),
        }
        for image, readers in self.readers.items():
            for reader in readers:
                folder = self.scratch / f"{image} of {reader}"
                purpose = ("--purpose", "CC") if reader == "radiologist" else ()
                fetch = ("image", "fetch", self.names[image], "--to", folder, *purpose)
                self._by(reader, *fetch)
                self.files.setdefault(image, digests(folder))

    def _emergencies(self) -> None:
        """One that was reviewed and ended, one that was not, and a patient who forbids them."""
        second = self.names["second patient"]
        for patient in ("patient", second):
            reason = ("--reason", "unconscious", "--for", "2h")
            declared = self._by("radiologist", "consent", "break-glass", patient, *reason)
        self.names["emergency"] = str(declared["since"])
        since = self("consent", "emergencies", "--subject", "patient")[0]["since"]
        review = ("consent", "review", "patient", "radiologist", "--since", str(since))
        finding = ("--opinion", "the notes bear it out", "--justified")
        self._by("hospital", *review, *finding)
        self._by("patient", "consent", "revoke", "radiologist", "--scope", "emergency")
        self._by(second, "consent", "forbid-emergencies")

    # -------------------------------------------------------------------------------- research

    def _datasets(self) -> None:
        """Contributions that count, are suspended and wait to be made; money paid and due."""
        shares = ("--data", "60", "--custody", "30", "--annotation", "5", "--development", "5")
        weighing = ("--rule", "per-instance", "--most-instances", "10")
        terms = ("--purpose", "HMB", *shares, *weighing)
        created = self._by("researcher", "dataset", "create", *terms)
        dataset = self.names["dataset"] = created["dataset_id"]
        accept, contribute = ("dataset", "accept", dataset), ("dataset", "contribute", dataset)
        acceptance = self.scratch / "acceptance.json"
        self._by("researcher", *accept, self.names["image"], acceptance)
        self._by("hospital", *contribute, self.names["image"], "--acceptance", acceptance)
        self._by("researcher", *contribute, self.names["plain"])
        self._by("researcher", "dataset", "freeze", dataset)
        self._by("researcher", "dataset", "fund", dataset, "100")
        self("dataset", "claim", dataset, "--class", "data", "--as", "patient")
        second = self.names["second patient"]
        self._by(second, "dataset", "free", dataset)
        self._by(second, "consent", "revoke", "clinic")
        self._by("researcher", "dataset", "suspend", dataset, self.names["plain"])
        waiting = self._document("acceptance.json")
        self._by("researcher", *accept, self.names["original"], waiting)

    def _algorithms(self) -> None:
        """Two versions, one of them recalled, executions on a set and by their root."""
        named = ("--name", "Lung nodules")
        publish = ("algorithm", "publish", *named)
        self._by("researcher", "algorithm", "register", *named, "--family", "DCM:123110")
        trained = ("--trained-on", f"{self.names['dataset']}/1", "--developer", "stranger")
        content = ("--weights", self._text("weights"), "--conditions", self._text("conditions"))
        first = self._by("researcher", *publish, "--version", "1.0.0", *content, *trained)
        parent = ("--parent", first["version_id"], "--weights", self._text("better"))
        second = self._by("researcher", *publish, "--version", "1.1.0", *parent)
        self.names |= {"algorithm": first["algorithm_id"], "version": second["version_id"]}
        executed = ("algorithm", "run", second["version_id"], self.names["image"])
        output = ("--output", self._text("output"), "--purpose", "HMB")
        self._by("researcher", *executed, *output)
        researcher = self.keystore.open("researcher")
        image_set = self.radledger.images.show(self.names["image"]).image_set
        use = self.radledger.consents.use(researcher.address, image_set, ["HMB"])
        runs = [
            Run((self.names["image"],), use, "0x" + hashlib.sha256(output).hexdigest())
            for output in (b"one", b"two")
        ]
        batch = self.radledger.algorithms.run_batch(second["version_id"], runs)
        batch.send(researcher)
        self._by("researcher", "algorithm", "recall", first["version_id"], self._text("notice"))

    def _text(self, content: str) -> Path:
        path = self.scratch / f"{content}.txt"
        path.write_text(content, "utf-8")
        return path

    # ----------------------------------------------------------------------------------- proof

    def _bundles(self) -> None:
        """Of an image set, and of one that was erased."""
        for image in ("image", "erased"):
            path = self.home / f"{image}.bundle"
            exported = self._by("hospital", "bundle", "export", self.names[image], path)
            blocks = [each["hash"] for each in exported["proven"]]
            self.bundles[image] = {"contract": exported["contract"], "blocks": blocks}

    def _other_home(self) -> None:
        """Another participant takes the record of the deployment over."""
        node: Any = self._web3.provider
        (record,) = (self.home / "deployments").glob("*.json")
        objects(self.partner, "--network", node.endpoint_uri, "deploy", "import", record)

    # --------------------------------------------------------------------------- what waits

    def _documents(self) -> None:
        """Documents that were signed and not submitted: a consent and a call."""
        grant = ("consent", "grant", "governor", "--purpose", "CTRL")
        self._by("patient", *grant, *self._sign("grant.json"))
        acknowledge = ("image", "acknowledge", self.names["disowned"])
        self._by("patient", *acknowledge, *self._sign("call.json"))

    def _sign(self, name: str) -> tuple[str | Path, ...]:
        return ("--sign-only", self._document(name), *_FOREVER)

    def _document(self, name: str) -> Path:
        folder = self.home / "documents"
        folder.mkdir(exist_ok=True)
        return folder / name

    def _tickets(self) -> None:
        """A consent and a call wait in the queue of a relayer."""
        second = self.names["second patient"]
        signed = self.scratch / "relayed.json"
        hospital = self.keystore.open("hospital")
        # A relayer that does not work yet: what it takes on waits.
        relayer = Relayer(self.radledger.ledger, hospital, self.home, Limits(10**8, 10**9, 100))
        for name, command in {
            "consent": ("consent", "grant", "hospital", "--purpose", "MDS"),
            "call": ("identity", "add-delegate", "stranger", "--for", "25000d"),
        }.items():
            self._by(second, *command, "--sign-only", signed, *_FOREVER)
            self.tickets[name] = relayer.take(json.loads(signed.read_text("utf-8"))).ticket
        relayer.stop()

    def _interrupted(self) -> None:
        """A transaction that was signed and recorded, and did not reach the node."""
        node: Any = self._web3.provider
        send = node.make_request

        def interrupted(method: str, parameters: Any) -> Any:
            if method == "eth_sendRawTransaction":
                raise KeyboardInterrupt
            return send(method, parameters)

        action = self.radledger.identities.add_delegate(self._address("governor"), validity=_LONG)
        node.make_request = interrupted
        with suppress(KeyboardInterrupt):
            action.send(self.keystore.open("stranger"))
        node.make_request = send
