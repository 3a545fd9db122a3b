"""How fast and how large adding images is, against the same libraries in a plain loop.

    python benchmarks/ingest.py                        # 300 slices, 150 MB, and a file of 256 MiB
    python benchmarks/ingest.py --large-mib 2048       # with a file of 2 GiB

Three ways to treat one CT study take turns, so that a busy machine slows all of them:

``added``     the library, all included: both digests, Merkle tree, journal, flushing to the disk,
              anchoring on a local anvil, waiting for the receipt, and starting worker processes
``loop``      read, de-identify, decode, hash, encrypt and write, one file after the other
``roofline``  hash, encrypt and write the bytes, nothing else

The figures are medians of the rounds; a ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import statistics
import struct
import tempfile
from pathlib import Path

import pydicom
from chain import account, chain
from measuring import peak_memory, ratio, timed
from pydicom.uid import generate_uid

from radledger.chain.ledger import Ledger
from radledger.crypto import envelope
from radledger.dicom.elements import Deidentifier
from radledger.dicom.profiles import Profile
from radledger.dicom.pseudonyms import Pseudonyms
from radledger.dicom.synthetic import make_ct_series
from radledger.imaging.service import Images
from radledger.storage import LocalStore

PATIENT = "0x" + "11" * 20


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--slices", type=int, default=300, help="of 512 x 512 pixels")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large-mib", type=int, default=256, help="size of the one large file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="radledger-benchmark-") as name:
        folder = Path(name)
        with chain(folder) as ledger:
            report = {
                "study": study(ledger, folder, options.slices, options.rounds),
                "large_file": large_file(ledger, folder, options.large_mib),
            }
    print(json.dumps(report, indent=2))


def study(ledger: Ledger, folder: Path, slices: int, rounds: int) -> dict[str, float]:
    """Times of a study in seconds, and the ratios of the library's."""
    paths = make_ct_series(folder / "study", slices)
    times: dict[str, list[float]] = {"added": [], "loop": [], "roofline": []}
    for index in range(rounds):
        place = folder / f"round-{index}"
        place.mkdir()
        times["loop"].append(timed(lambda place=place: plain_loop(paths, place)))
        times["roofline"].append(timed(lambda place=place: roofline(paths, place)))
        times["added"].append(timed(lambda place=place: add(ledger, folder / "study", place)))
    return {
        "megabytes": sum(path.stat().st_size for path in paths) / 1e6,
        **{f"{name}_seconds": round(statistics.median(all_), 3) for name, all_ in times.items()},
        "added_to_loop": ratio(times["added"], times["loop"]),
        "added_to_roofline": ratio(times["added"], times["roofline"]),
        "first_added_to_loop": round(times["added"][0] / times["loop"][0], 2),
    }


def large_file(ledger: Ledger, folder: Path, mebibytes: int) -> dict[str, float]:
    """The most memory that any process takes, with one file of many frames."""
    path = folder / "large.dcm"
    write_large(path, mebibytes)
    with peak_memory() as peaks:
        seconds = timed(lambda: add(ledger, path, folder))
    return {
        "mebibytes": mebibytes,
        "seconds": round(seconds, 1),
        "peak_mebibytes_of_any_process": round(max(peaks.values()) / 1024),
        "peak_mebibytes_together": round(sum(peaks.values()) / 1024),
    }


def add(ledger: Ledger, path: Path, place: Path) -> None:
    """What is measured."""
    images = Images(ledger, LocalStore(place / "store"), place / "home")
    (result,) = images.add([path], PATIENT, custodian=account("hospital"))
    assert result.added
    assert not result.skipped


def plain_loop(paths: list[Path], place: Path) -> None:
    """The same libraries, as one would write it down first."""
    profile, pseudonyms = Profile.parse("basic"), Pseudonyms(b"k" * 32)
    recipient = envelope.recipient(envelope.new_secret())
    for index, path in enumerate(paths):
        dataset = pydicom.dcmread(path)
        assert dataset.pixel_array.size
        Deidentifier(profile, pseudonyms, 7).apply(dataset)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        plain = io.BytesIO()
        dataset.save_as(plain, enforce_file_format=True)
        assert hashlib.sha256(plain.getvalue()).digest()
        plain.seek(0)
        with (place / f"{index}.age").open("wb") as target:
            envelope.encrypt(plain, target, recipient)


def roofline(paths: list[Path], place: Path) -> None:
    """The least that has to be done to each byte."""
    recipient = envelope.recipient(envelope.new_secret())
    for index, path in enumerate(paths):
        data = path.read_bytes()
        assert hashlib.sha256(data).digest()
        with (place / f"{index}.bare.age").open("wb") as target:
            envelope.encrypt(io.BytesIO(data), target, recipient)


def write_large(path: Path, mebibytes: int) -> None:
    """A multi-frame object whose pixel data is written piece by piece."""
    (small,) = make_ct_series(path.parent / "small", 1)
    dataset = pydicom.dcmread(small)
    dataset.NumberOfFrames = 2 * mebibytes
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    frame = dataset.PixelData
    del dataset.PixelData
    dataset.save_as(path, enforce_file_format=True)
    with path.open("ab") as file:
        length = len(frame) * 2 * mebibytes
        file.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, length))
        for _ in range(2 * mebibytes):
            file.write(frame)


if __name__ == "__main__":
    main()
