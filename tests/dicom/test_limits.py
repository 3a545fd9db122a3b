"""Hostile and heavy files stay within the memory and the time that one file may use."""

from __future__ import annotations

import io
import multiprocessing
import os
import struct
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path

import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from radledger.dicom.deidentify import deidentify_file
from radledger.dicom.digest import file_digest, image_digest
from radledger.dicom.errors import DicomTooLarge, DicomTooSlow, PixelsUnreadable
from radledger.dicom.limits import WORKER_MEMORY_BYTES, bounded, limit_worker, time_limit
from radledger.dicom.preview import preview
from radledger.dicom.profiles import Profile
from radledger.dicom.read import read_header
from tests.dicom.files import image, sample, save
from tests.dicom.test_codestream import LOSSLESS, segment

KEY = bytes(32)


@pytest.fixture(scope="module")
def worker() -> Iterator[ProcessPoolExecutor]:
    """One process that may use what a worker of the ingest may."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=limit_worker) as pool:
        yield pool


def test_a_limited_worker_takes_ordinary_files(worker: ProcessPoolExecutor, tmp_path: Path) -> None:
    frames = 40
    dataset = image(512, 512, NumberOfFrames=frames, PixelData=os.urandom(512) * 1024 * frames)
    dataset["PixelData"].VR = "OW"
    native = image_digest(save(dataset, tmp_path / "native.dcm"))
    dataset.compress(RLELossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    save(dataset, tmp_path / "rle.dcm")
    assert worker.submit(image_digest, tmp_path / "native.dcm").result() == native
    assert worker.submit(image_digest, tmp_path / "rle.dcm").result() == native
    for name in (
        "MR_small_jp2klossless.dcm",
        "SC_rgb_jpeg_gdcm.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
    ):
        assert worker.submit(image_digest, sample(name)).result() == image_digest(sample(name))
    assert worker.submit(preview, sample("examples_ybr_color.dcm")).result()[1:4] == b"PNG"


def test_a_limited_worker_takes_a_mammogram(worker: ProcessPoolExecutor, tmp_path: Path) -> None:
    rows, columns, grey = 4096, 3328, 1 << 11
    dataset = image(rows, columns, BitsStored=12, HighBit=11)
    dataset.PixelData = grey.to_bytes(2, "little") * (rows * columns)
    native = image_digest(save(dataset, tmp_path / "native.dcm"))
    # ISO/IEC 10918-1 Annex H: one code, "0", says that a sample is as predicted
    frame = (
        b"\xff\xd8"
        + segment(0xC3, b"\x0c" + struct.pack(">HH", rows, columns) + b"\1\0\x11\0")
        + segment(0xC4, bytes([0, 1, *bytes(16)]))
        + segment(0xDA, b"\1\0\0\1\0\0")
        + bytes(rows * columns // 8)
        + b"\xff\xd9"
    )
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = LOSSLESS
    path = save(dataset, tmp_path / "lossless.dcm")
    assert worker.submit(image_digest, path).result() == native
    work = (path, tmp_path / "out.dcm", Profile.parse("basic"), KEY)
    assert worker.submit(deidentify_file, *work).result().image_digest == native


def test_memory_is_flat_in_the_size_of_the_file(tmp_path: Path) -> None:
    path, memory = sparse(tmp_path / "large.dcm", frames=700), 288 << 20
    assert path.stat().st_size > 350_000_000 > memory
    context = multiprocessing.get_context("spawn")
    limited = {"initializer": limit_worker, "initargs": (memory,)}
    with ProcessPoolExecutor(1, mp_context=context, **limited) as worker:
        before = worker.submit(image_digest, path).result()
        work = (path, tmp_path / "out.dcm", Profile.parse("basic"), KEY)
        done = worker.submit(deidentify_file, *work).result()
        assert done.size > 350_000_000
        assert done.file_digest == file_digest(tmp_path / "out.dcm")
        assert worker.submit(image_digest, tmp_path / "out.dcm").result() == before
    (tmp_path / "out.dcm").unlink()


def sparse(path: Path, frames: int) -> Path:
    """A file of 512 x 512 frames that takes no room on the disk."""
    save(image(512, 512, PixelData=bytes(512 * 512 * 2), NumberOfFrames=f"{frames}"), path)
    data = path.read_bytes()
    at = data.rindex((512 * 512 * 2).to_bytes(4, "little"))
    size = frames * 512 * 512 * 2
    with path.open("wb") as stream:
        stream.write(data[:at] + size.to_bytes(4, "little"))
        stream.truncate(at + 4 + size)
    return path


def test_claims_are_refused_before_anything_is_allocated(
    worker: ProcessPoolExecutor, tmp_path: Path
) -> None:
    dataset = pydicom.dcmread(sample("MR_small_RLE.dcm"))
    dataset.Rows = dataset.Columns = 65535
    save(dataset, tmp_path / "a.dcm")
    assert len(worker.submit(image_digest, tmp_path / "a.dcm").result()) == 32
    with pytest.raises(DicomTooLarge) as refusal:
        worker.submit(preview, tmp_path / "a.dcm").result()
    assert refusal.value.values["samples"] == 65535**2


@pytest.mark.parametrize(
    "name", ["MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "SC_rgb_jpeg_gdcm.dcm"]
)
def test_damaged_codestreams_do_not_end_the_worker(
    worker: ProcessPoolExecutor, name: str, tmp_path: Path
) -> None:
    data = sample(name).read_bytes()
    start = data.rindex(b"\xfe\xff\x00\xe0") + 8
    whole = image_digest(sample(name))
    for at in range(start + 64, len(data) - 200, max(1, (len(data) - start) // 12)):
        damaged = data[:at] + b"\xff\xff\x00\xff" + data[at + 4 :]
        (tmp_path / "a.dcm").write_bytes(damaged)
        with suppress(PixelsUnreadable):
            assert worker.submit(image_digest, tmp_path / "a.dcm").result() != whole
    assert worker.submit(image_digest, sample(name)).result() == whole


def test_exhausted_memory_is_a_typed_error(worker: ProcessPoolExecutor) -> None:
    with pytest.raises(DicomTooLarge) as refusal:
        worker.submit(bounded, bytearray, 2 * WORKER_MEMORY_BYTES).result()
    assert refusal.value.values == {"cause": "MemoryError"}
    assert worker.submit(bounded, len, b"abc").result() == 3


def test_a_time_limit_is_a_typed_error() -> None:
    def busy() -> None:
        while True:
            read_header(sample("CT_small.dcm"))

    with pytest.raises(DicomTooSlow) as refusal, time_limit(0.05):
        busy()
    assert refusal.value.values == {"seconds": 0.05}

    def swallowing() -> None:
        with suppress(Exception):
            busy()

    with pytest.raises(DicomTooSlow), time_limit(0.05):
        swallowing()
    with time_limit(60):
        assert deidentify_file(sample("CT_small.dcm"), io.BytesIO(), Profile.parse(), KEY).size
