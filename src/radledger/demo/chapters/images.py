"""A hospital takes images in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.demo.checks import check
from radledger.demo.stage import COURSE
from radledger.demo.step import Picture, StepOutcome
from radledger.demo.words import short, size

if TYPE_CHECKING:
    from radledger.demo.stage import Stage
    from radledger.imaging.model import AddResult

__all__ = [
    "add_ct",
    "add_inspected",
    "add_samples",
    "add_samples_again",
    "bring_up",
    "read_own_images",
]

_MOST_SLICES = 5
_LEAST_WIDTH = 60


def bring_up(stage: Stage) -> StepOutcome:
    """Start the chain, deploy, accredit all participants."""
    stage.open()
    contracts = stage.ledger.deployment.contracts
    roles = {
        name: stage.radledger.participants.show(stage.address(name)).roles for name in stage.people
    }
    check(stage.ether("patient") == 0, "the patient has Ether")
    check(not roles["stranger"], "the stranger has a role")
    return StepOutcome(
        f"brings up chain {stage.ledger.chain_id} with {len(contracts)} contracts; "
        f"{len(stage.people)} people, {sum(map(bool, roles.values()))} of them accredited; "
        f"the patient holds {stage.ether('patient')} Ether",
        details=tuple(
            (name, f"{stage.address(name)} · {', '.join(held) or 'no role'}")
            for name, held in roles.items()
        )
        + tuple((f"contract {name}", each.address) for name, each in contracts.items()),
    )


def add_ct(stage: Stage) -> StepOutcome:
    """Add a CT series as the scanner made it, for care."""
    from radledger.dicom.synthetic import make_ct_series

    files = make_ct_series(stage.ct_folder, stage.slices, size=stage.size)
    added = stage.images.add(
        [stage.ct_folder],
        stage.address("patient"),
        custodian=stage.person("hospital"),
        course=COURSE,
        keep_identity=True,
    )
    check(len(added) == 1, f"one series became {len(added)} image sets")
    stage.ct = added[0]
    check(stage.ct.instances == len(files), f"{stage.ct.instances} of {len(files)} slices added")
    contents = stage.images.contents(stage.ct.image_id)
    return StepOutcome(
        f"adds a CT of {stage.ct.instances} slices, for care: "
        f"{size(sum(each.size for each in contents.instances))} hashed, encrypted and stored, "
        f"anchored as {short(stage.ct.image_id)}",
        pictures=tuple(_slices(files)),
        details=(
            ("image set", stage.ct.image_id),
            ("Merkle root", stage.ct.root),
            ("manifest", stage.ct.manifest_cid),
        ),
    )


def add_samples(stage: Stage) -> StepOutcome:
    """Add a folder of DICOM files from many sources, de-identified."""
    stage.others = _add_samples(stage, stage.samples)
    skipped = [each for result in stage.others for each in result.skipped]
    check(bool(skipped), "nothing was left out, though one file is not an image")
    check(all(each.reason for each in skipped), "something was left out without a reason")
    reasons = Counter(each.reason for each in skipped)
    return StepOutcome(
        f"{_added(stage.others)}, de-identified; {len(skipped)} files left out, each with a reason",
        details=tuple((f"{count} left out", reason) for reason, count in reasons.most_common()),
    )


def add_inspected(stage: Stage) -> StepOutcome:
    """Add what was left out for the text that its pixels may show, after looking."""
    found = {path.name: path for root in stage.samples for path in sorted(root.rglob("*"))}
    added = _add_samples(stage, [found[name] for name in stage.inspected], burned_in=True)
    check(all(each.added for each in added), "some had been added before they were looked at")
    stage.others += added
    return StepOutcome(
        f"has looked at {len(stage.inspected)} of them and found no text that names anyone: "
        f"{_added(added)}",
        details=tuple(
            (Path(each.path).name, each.reason) for result in added for each in result.skipped
        ),
    )


def add_samples_again(stage: Stage) -> StepOutcome:
    """Add the same folder again, which changes nothing."""
    before = stage.sent("hospital")
    again = _add_samples(stage, stage.samples)
    check(not any(each.added for each in again), "a file was added twice")
    check(stage.sent("hospital") == before, "it cost a transaction")
    return StepOutcome(f"gives the same folder again: {len(again)} image sets known, nothing added")


def read_own_images(stage: Stage) -> StepOutcome:
    """The patient opens all of it with the patient's own key."""
    opened: list[Path] = []
    with stage.at_no_cost("patient"):
        for number, result in enumerate(stage.others):
            fetched = stage.radledger.reading.fetch(
                result.image_id,
                stage.folder / "read" / f"patient-{number:02d}",
                reader=stage.person("patient"),
                private_key=stage.private_key("patient"),
            )
            check(len(fetched.files) == result.instances, f"{result.image_id} is not whole")
            opened += [each.path for each in fetched.files]
    objects = [_Object.of(path) for path in opened]
    pictures = sorted(filter(None, map(_Object.picture, objects)), key=lambda each: each.caption)
    kinds = Counter((each.kind, each.syntax) for each in objects)
    return StepOutcome(
        f"opens {len(objects)} objects in {len(stage.others)} sets with the patient's own key, at "
        f"no cost: {', '.join(sorted({each.modality for each in objects}))}, in "
        f"{len({each.syntax for each in objects})} transfer syntaxes",
        pictures=tuple(pictures),
        details=tuple((f"{n} {kind}", syntax) for (kind, syntax), n in sorted(kinds.items())),
    )


def _add_samples(
    stage: Stage, paths: Iterable[Path], *, burned_in: bool = False
) -> tuple[AddResult, ...]:
    return tuple(
        stage.images.add(
            paths,
            stage.address("patient"),
            custodian=stage.person("hospital"),
            course=COURSE,
            allow_burned_in=burned_in,
        )
    )


def _added(results: tuple[AddResult, ...]) -> str:
    objects = sum(each.instances for each in results)
    return f"adds {objects} objects in {len(results)} series"


def _slices(files: list[Path]) -> Iterable[Picture]:
    """Some slices, evenly spread."""
    from radledger.dicom.preview import preview

    count = min(_MOST_SLICES, len(files))
    for number in range(count):
        index = round((number + 0.5) * len(files) / count - 0.5)
        yield Picture(preview(files[index], 200), f"CT slice {index + 1}", "made on the spot")


@dataclass(frozen=True)
class _Object:
    """A DICOM object that was fetched."""

    path: Path
    modality: str
    kind: str
    syntax: str

    @classmethod
    def of(cls, path: Path) -> _Object:
        from pydicom import dcmread

        dataset = dcmread(path, stop_before_pixels=True)
        modality = dataset.get("Modality") or "OT"
        sop_class = dataset.SOPClassUID.name.replace(" Storage", "")
        syntax = dataset.file_meta.TransferSyntaxUID.name
        return cls(path, modality, f"{modality} · {sop_class}", syntax)

    def picture(self) -> Picture | None:
        """Its preview, if it has one that shows more than a few pixels."""
        from radledger.dicom.errors import DicomError
        from radledger.dicom.preview import preview
        from radledger.imaging.ingest.isolation import silent_codecs

        try:
            with silent_codecs():
                png = preview(self.path, 200)
        except DicomError:
            return None
        width = int.from_bytes(png[16:20])  # in the PNG's header
        return Picture(png, self.kind, self.syntax) if width >= _LEAST_WIDTH else None
