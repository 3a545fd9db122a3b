"""Files that are not what they should be: left out with the reason, never a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import RLELossless

from radledger.dicom.deidentify import deidentify
from radledger.dicom.digest import image_digest, image_digest_of, undecoded_digest_of
from radledger.dicom.profiles import OPTIONS, Profile
from radledger.dicom.read import header_of
from radledger.dicom.source import open_dicom
from radledger.errors import DicomError
from radledger.imaging.ingest.workers import WorkerPool
from radledger.imaging.journal.journal import Journal
from radledger.imaging.service import Images
from radledger.storage import LocalStore
from tests.dicom.files import deflated, nested, part10, samples

EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"


@pytest.fixture
def mixture(series, sample, tmp_path):
    """A folder with a series and everything that does not belong into one."""
    outside = tmp_path / "outside.dcm"
    outside.write_bytes(sample("CT_small.dcm").read_bytes())
    whole = sorted(series.iterdir())[0].read_bytes()
    (series / "text.dcm").write_text("not DICOM " * 100)
    (series / "empty.dcm").touch()
    (series / "half.dcm").write_bytes(whole[: len(whole) // 2])
    (series / "bomb.dcm").write_bytes(part10(deflated(bytes(300 << 20)), DEFLATED))
    (series / "deep.dcm").write_bytes(part10(nested(2000, delimited=True), EXPLICIT))
    os.mkfifo(series / "pipe.dcm")
    (series / "link.dcm").symlink_to(outside)
    (series / "loop.dcm").symlink_to(series / "loop.dcm")
    twin = pydicom.dcmread(sorted(series.glob("CT*"))[0])
    twin.InstanceNumber = 99
    twin.save_as(series / "twin.dcm", enforce_file_format=True)
    (series / "line\nbreak\x1b.dcm").write_text("not DICOM either " * 50)
    return series


def test_what_does_not_belong_is_left_out_with_the_reason(add, mixture, images):
    (result,) = add(mixture)
    assert result.instances == 5
    assert images.show(result.image_id).instances == 5
    reasons = {Path(each.path).name: each.reason for each in result.skipped}
    for name, reason in {
        "text.dcm": "does not begin as a DICOM file",
        "empty.dcm": "empty",
        "half.dcm": "ends at byte",
        "pipe.dcm": "pipe",
        "link.dcm": "link out of the folder",
        "loop.dcm": "",
        "bomb.dcm": "",
        "deep.dcm": "",
        "line\\nbreak\\x1b.dcm": "does not begin as a DICOM file",
    }.items():
        assert reason in reasons.pop(name)
    # which of two with one SOP Instance UID comes first is a matter of chance
    ((left_out, reason),) = reasons.items()
    assert left_out in ("twin.dcm", "CT0001.dcm")
    assert "same SOP Instance UID" in reason


@pytest.mark.parametrize(
    ("attribute", "value"),
    [(b"\x08\x00\x60\x00CS", b"C\0T "), (b"\x20\x00\x13\x00IS", b"9" * 40)],
    ids=["Modality", "InstanceNumber"],
)
def test_a_value_that_no_database_holds_does_not_end_an_addition(
    ledger, store, home, who, each_journal, series, attribute, value
):
    path = sorted(series.iterdir())[0]
    before, mark, behind = path.read_bytes().partition(attribute)
    length = int.from_bytes(behind[:2], "little")
    changed = len(value).to_bytes(2, "little") + value + behind[2 + length :]
    path.write_bytes(before + mark + changed)
    images = Images(ledger, store, home, each_journal)
    (result,) = images.add(
        [series], who.patient.address, custodian=who.hospital, keep_identity=True
    )
    assert result.instances == 5


def test_burned_in_annotations_are_refused_unless_allowed(add, sample):
    from radledger.imaging.errors import NothingToAdd

    path = sample("examples_ybr_color.dcm")
    with pytest.raises(NothingToAdd) as error:
        add(path)
    assert "may show who the patient is" in error.value.values["skipped"][0]["reason"]
    assert add(path, allow_burned_in=True)[0].instances == 1


@pytest.fixture
def cut(sample, tmp_path):
    """A JPEG 2000 image without its last kilobyte."""
    dataset = pydicom.dcmread(sample("MR_small_jp2klossless.dcm"))
    [frame] = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([frame[:-1000]])
    dataset.BurnedInAnnotation = "NO"
    dataset.save_as(tmp_path / "cut.dcm", enforce_file_format=True)
    return tmp_path / "cut.dcm"


@pytest.mark.parametrize("options", [{}, {"keep_identity": True}, {"allow_unchecked": True}])
def test_pixels_that_no_decoder_reads_are_refused_with_its_reason(add, cut, options):
    from radledger.imaging.errors import NothingToAdd

    with pytest.raises(NothingToAdd) as error:
        add(cut, **options)
    assert "a tile does not end in it" in error.value.values["skipped"][0]["reason"]


def test_pixels_that_no_decoder_reads_are_taken_on_request_and_never_verified(add, cut, images):
    image_id = add(cut, keep_identity=True, allow_unchecked=True)[0].image_id
    [instance] = images.contents(image_id).instances
    with open_dicom(cut) as source:
        undecoded = undecoded_digest_of(source, header_of(source, cut))
    assert instance.image_digest == "0x" + undecoded.hex()
    [found] = images.verify(image_id, [cut])
    assert (found.verdict, found.instance) == ("identical", instance.sop_instance)
    assert "a tile does not end in it" in found.reason

    renamed = pydicom.dcmread(cut)
    renamed.PatientName = "Somebody^Else"
    renamed.save_as(cut, enforce_file_format=True)
    [found] = images.verify(image_id, [cut])
    assert (found.verdict, found.instance) == ("changed", instance.sop_instance)
    assert "a tile does not end in it" in found.reason


def test_every_file_of_pydicom_is_taken_or_left_out(add, images):
    added = add(*samples(), allow_burned_in=True)
    assert sum(each.instances for each in added) > 60
    assert all(images.show(each.image_id).instances == each.instances for each in added)
    for each in added:
        images.contents(each.image_id)  # its leaves add up to the root on the chain


@pytest.mark.parametrize("profile", ["basic", "+".join(OPTIONS)])
def test_the_digest_of_an_open_file_is_that_of_the_file_written(profile, tmp_path):
    compared = 0
    for path in samples():
        target = tmp_path / "written"
        try:
            with open_dicom(path) as source:
                header = header_of(source, path)
                deidentify(
                    source, header, target, Profile.parse(profile), b"k" * 32, allow_burned_in=True
                )
                digest = image_digest_of(source, header)
        except DicomError:
            continue
        assert image_digest(target) == digest, path.name
        compared += 1
    assert compared > 60


def test_compressed_pixels_are_decoded_in_another_process(add, series, monkeypatch):
    from radledger.imaging.ingest import workers as processes

    pooled = []
    run = WorkerPool._pooled

    def counted(pool, work, chunks, *rest):
        taken = list(chunks)
        pooled.append(sum(map(len, taken)))
        return run(pool, work, iter(taken), *rest)

    monkeypatch.setattr(processes.WorkerPool, "_pooled", counted)
    files = sorted(series.iterdir())
    add(*files[:2])
    assert pooled == []
    dataset = pydicom.dcmread(files[2])
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(files[2], enforce_file_format=True)
    assert add(*files[2:4])[0].instances == 2
    assert pooled == [1]


@dataclass(frozen=True)
class Order:
    """A task of this test: what its worker is to do."""

    number: int
    deadly: bool
    size: int = 9 << 20  # two are too much for the calling process to try


def obey(_worker, orders):
    if any(order.deadly for order in orders):
        os.kill(os.getpid(), signal.SIGKILL)
    return [order.number for order in orders]


def blame(order, _reason):
    return -order.number


def test_a_file_that_kills_its_process_is_blamed_and_the_others_are_done(tmp_path):
    Journal(tmp_path / "journal").close()
    pool = WorkerPool(tmp_path / "journal", LocalStore(tmp_path / "store"), tmp_path)
    orders = [Order(number, deadly=number in (4, 17)) for number in range(1, 25)]
    done = sorted(pool.run(obey, orders, blame))
    assert done == sorted(-n if n in (4, 17) else n for n in range(1, 25))


def fail(_worker, orders):
    raise OSError(28, "No space left on device", str(orders[0].number))


def test_what_no_file_caused_is_raised(tmp_path):
    Journal(tmp_path / "journal").close()
    pool = WorkerPool(tmp_path / "journal", LocalStore(tmp_path / "store"), tmp_path)
    with pytest.raises(OSError, match="No space left"):
        list(pool.run(fail, [Order(1, deadly=False), Order(2, deadly=False)], blame))


SCRIPT = """
import pathlib, sys
from radledger.imaging.journal.journal import Journal
from radledger.imaging.ingest.workers import WorkerPool
from radledger.imaging.service import Images
from radledger.storage import LocalStore
from tests.imaging.test_hostile import Order, blame, obey

print("begun")
folder = pathlib.Path(sys.argv[1])
Journal(folder / "journal").close()
pool = WorkerPool(folder / "journal", LocalStore(folder / "store"), folder)
print(sorted(pool.run(obey, [Order(1, False), Order(2, False)], blame)))
"""


def test_the_callers_script_needs_no_guard(tmp_path):
    """Worker processes do not run it again, as multiprocessing would by default."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.splitlines() == ["begun", "[1, 2]"], done.stderr


class NoStore(LocalStore):
    """A store that does not arrive in a worker."""

    def __reduce__(self):
        return os._exit, (3,)


def test_a_pool_that_breaks_while_a_process_is_started_is_broken(tmp_path, monkeypatch):
    """The executor then says that its pipes are closed."""

    def closed(*_):
        raise OSError("handle is closed")

    Journal(tmp_path / "journal").close()
    pool = WorkerPool(tmp_path / "journal", LocalStore(tmp_path / "store"), tmp_path)
    monkeypatch.setattr(ProcessPoolExecutor, "submit", closed)
    lost = []
    chunk = [Order(1, deadly=False)]
    assert list(pool._pooled(obey, iter([chunk]), 1, lost)) == []
    assert lost == chunk


def test_workers_that_cannot_start_are_not_the_fault_of_a_file(tmp_path):
    Journal(tmp_path / "journal").close()
    pool = WorkerPool(tmp_path / "journal", NoStore(tmp_path / "store"), tmp_path)
    with pytest.raises(BrokenProcessPool):
        list(pool.run(obey, [Order(1, deadly=False), Order(2, deadly=False)], blame))
