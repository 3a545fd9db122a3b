"""Algorithms, their versions and their executions: the service over ``AlgorithmRegistry``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from radledger.algorithms import bindings
from radledger.algorithms.errors import UnknownAlgorithm, UnknownVersion
from radledger.algorithms.ids import encode_family, execution_id, parse_digest, parse_training
from radledger.algorithms.model import (
    Algorithm,
    Executed,
    ExecutedBatch,
    Published,
    Registered,
    Release,
    Run,
    Version,
)
from radledger.algorithms.state import AlgorithmState, executed_id
from radledger.chain.action import Action, last, one_call
from radledger.chain.ledger import Call
from radledger.crypto.merkle import MerkleTree
from radledger.identity.address import parse_address
from radledger.identity.bindings import Roles

if TYPE_CHECKING:
    from radledger.chain.events import Event
    from radledger.chain.ledger import Ledger, Receipt
    from radledger.consent.permission import Use
    from radledger.imaging.model import ImageSet

__all__ = ["Algorithms"]

_CONTRACT = "AlgorithmRegistry"
_REGISTERED = "AlgorithmRegistered"
_PUBLISHED = "AlgorithmVersionPublished"
_LATER = (
    "AlgorithmVersionRecalled",
    "AlgorithmExecutionRecorded",
    "AlgorithmExecutionsRecorded",
)


class Algorithms:
    """Register algorithms, publish versions of them, and record their executions.

    Each change is an :class:`~radledger.chain.action.Action`, which its author sends and pays for.

    Examples
    --------
    >>> algorithms = Algorithms(ledger)                                      # doctest: +SKIP
    >>> algorithms.register("Lung nodules", "DCM:123110").send(developer)    # doctest: +SKIP
    >>> release = Release("1.0.0", weights, trained_on=f"{dataset_id}/1")    # doctest: +SKIP
    >>> version = algorithms.publish("Lung nodules", release).send(developer).version_id
    ... # doctest: +SKIP
    >>> algorithms.run(version, [image_set], Use.of(["HMB"]), output).send(radiologist)
    ... # doctest: +SKIP
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # --- the developer ------------------------------------------------------------------------

    def register(self, name: str, family: str | None = None) -> Action[Registered]:
        """Register an algorithm of the signer's institution, or change its family.

        A developer of the institution does.

        Parameters
        ----------
        name
            Algorithm Name (111001, DCM), unique within the institution.
        family
            Scheme and code of the Algorithm Family (111000, DCM), such as ``DCM:123110``.

        Raises
        ------
        InvalidFamily
            If the family is not a scheme and a code.
        """
        call = Call(_CONTRACT, "register", (name, encode_family(family)))

        def result(receipts: Sequence[Receipt]) -> Registered:
            args = last(receipts).event(_REGISTERED).args
            return Registered(args["algorithm"], last(receipts))

        return Action(self._ledger, lambda _: [call], result)

    def publish(self, name: str, release: Release) -> Action[Published]:
        """Publish a version of a registered algorithm of the signer's institution.

        A developer of the institution does.

        Parameters
        ----------
        name
            Name of the algorithm.
        release
            The version and its origin.

        Raises
        ------
        InvalidAlgorithmId, InvalidTraining, InvalidAddress
            If the release is invalid.
        UnknownAlgorithm
            If the institution has registered no algorithm of that name; raised when the action is
            sent, as the signer decides about the institution.  The contract keeps no names.
        """
        stated = bindings.NewVersion(
            parse_digest(release.digest),
            *parse_training(release.trained_on),
            parse_digest(release.conditions),
            parse_digest(release.parent),
        )
        developers = [parse_address(each) for each in release.developers]

        def calls(account: str) -> list[Call]:
            self._require_registered(account, name)
            arguments = (name, release.label, stated, developers or [account])
            return [Call(_CONTRACT, "publish", arguments)]

        def result(receipts: Sequence[Receipt]) -> Published:
            args = last(receipts).event(_PUBLISHED).args
            return Published(args["version"], args["algorithm"], last(receipts))

        return Action(self._ledger, calls, result)

    def recall(self, version_id: str, notice: str) -> Action[Receipt]:
        """Recall a faulty version for good, so that no execution of it on images is recorded.

        A developer of its institution does, or a regulator.

        Parameters
        ----------
        version_id
            The version.
        notice
            Digest of the safety notice: what is wrong, and what to do.
        """
        call = Call(_CONTRACT, "recall", (parse_digest(version_id), parse_digest(notice)))
        return one_call(self._ledger, lambda _: call)

    # --- the operator -------------------------------------------------------------------------

    def run(
        self, version_id: str, images: Sequence[ImageSet], use: Use, output: str
    ) -> Action[Executed]:
        """Record that the signer executed a version on image sets that it may use.

        The patients' consent is checked on the chain.  It is refused with the reason if one of the
        image sets may not be used so, and with `AlgorithmVersionIsRecalled`.

        Parameters
        ----------
        version_id
            The version.
        images
            The image sets, in the order in which the version took them.
        use
            What for.
        output
            SHA-256 of the output; where that can be guessed, of a salt and the output.
        """
        sets = [image.struct for image in images]
        arguments = (parse_digest(version_id), sets, use.struct, parse_digest(output))
        call = Call(_CONTRACT, "recordExecution", arguments)

        def result(receipts: Sequence[Receipt]) -> Executed:
            args = last(receipts).event("AlgorithmExecutionRecorded").args
            return Executed(executed_id(args), last(receipts))

        return Action(self._ledger, lambda _: [call], result)

    def run_batch(self, version_id: str, runs: Sequence[Run]) -> Action[ExecutedBatch]:
        """Record any number of executions by the signer, as the Merkle root of their ids.

        The chain does not check consent here; the receipts of reading prove it.

        Parameters
        ----------
        version_id
            The version, recalled or not.
        runs
            The executions.

        Raises
        ------
        EmptyTree
            If there is none.
        """
        version = parse_digest(version_id)

        def calls(account: str) -> list[Call]:
            root = _tree(self.execution_ids(version_id, account, runs)).root
            return [Call(_CONTRACT, "recordExecutions", (version, root, len(runs)))]

        def result(receipts: Sequence[Receipt]) -> ExecutedBatch:
            args = last(receipts).event("AlgorithmExecutionsRecorded").args
            ids = self.execution_ids(version_id, args["operator"], runs)
            return ExecutedBatch(args["root"], ids, last(receipts))

        return Action(self._ledger, calls, result)

    def execution_ids(self, version_id: str, operator: str, runs: Sequence[Run]) -> tuple[str, ...]:
        """The ids of executions, the leaves of the tree whose root :meth:`run_batch` records.

        Parameters
        ----------
        version_id, operator
            The version, and the address of who executed it.
        runs
            The executions.
        """
        version = parse_digest(version_id)
        return tuple(_run_id(version, parse_address(operator), run) for run in runs)

    # --- lists --------------------------------------------------------------------------------

    def show(self, algorithm_id: str) -> Algorithm:
        """Return an algorithm with its versions.

        Raises
        ------
        InvalidAlgorithmId
            If it is not an id.
        UnknownAlgorithm
            If nothing has been registered or published under it.
        """
        found = self._algorithms(algorithm=parse_digest(algorithm_id))
        if not found:
            raise UnknownAlgorithm(
                f"there is no algorithm {algorithm_id}; list them with `radledger algorithm list`",
                algorithm=algorithm_id,
            )
        return found[0]

    def version(self, version_id: str) -> Version:
        """Return a version with its executions.

        Raises
        ------
        InvalidAlgorithmId
            If it is not an id.
        UnknownVersion
            If it has not been published.
        """
        id_ = parse_digest(version_id)
        published = self._ledger.events(_CONTRACT, _PUBLISHED, version=id_)
        if not published:
            raise UnknownVersion(
                f"there is no version {version_id}; list them with `radledger algorithm list`",
                version=version_id,
            )
        (found,) = AlgorithmState.of([*published, *self._later(published)]).versions()
        return found

    def list(self, *, institution: str | None = None) -> tuple[Algorithm, ...]:
        """All algorithms, or those of an institution, oldest first."""
        filters = {} if institution is None else {"institution": parse_address(institution)}
        return tuple(self._algorithms(**filters))

    # --- internal -----------------------------------------------------------------------------

    def _require_registered(self, developer: str, name: str) -> None:
        """Check that a developer's institution has an algorithm of this name."""
        require = ("ParticipantRegistry", "requireRole", developer, Roles.DEVELOPER)
        institution = self._ledger.call(*require)
        algorithm = self._ledger.call(_CONTRACT, "algorithmIdOf", institution, name)
        if not self._ledger.events(_CONTRACT, _REGISTERED, algorithm=algorithm):
            raise UnknownAlgorithm(
                f"the institution {institution} has registered no algorithm {name!r}; check the "
                "name, or register it with `radledger algorithm register`",
                name=name,
                institution=institution,
            )

    def _algorithms(self, **filters: Any) -> Sequence[Algorithm]:
        registered = self._ledger.events(_CONTRACT, _REGISTERED, **filters)
        published = self._ledger.events(_CONTRACT, _PUBLISHED, **filters)
        return AlgorithmState.of([*registered, *published, *self._later(published)]).algorithms()

    def _later(self, published: Sequence[Event]) -> Sequence[Event]:
        """What became of versions."""
        if not published:
            return []
        versions = [event.args["version"] for event in published]
        # One question for a few versions; for many, the answer to a question about all is shorter.
        chosen: Any = {"version": versions} if len(versions) <= 100 else {}
        return self._ledger.events(_CONTRACT, *_LATER, from_block=published[0].block, **chosen)


def _tree(ids: Sequence[str]) -> MerkleTree:
    return MerkleTree(map(parse_digest, ids))


def _run_id(version: bytes, operator: str, run: Run) -> str:
    """The id of one execution, its digests checked."""
    use = run.use.struct
    said = {**use._asdict(), "disease": "0x" + use.disease.hex()}
    images = ["0x" + parse_digest(image).hex() for image in run.images]
    output = "0x" + parse_digest(run.output).hex()
    return execution_id("0x" + version.hex(), operator, images, said, output)
