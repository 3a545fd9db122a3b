"""How fast instances are received over DICOM's network protocol, beside Orthanc's reception.

    python benchmarks/pacs.py                       # 100 instances of 512 x 512, three rounds

``received``  by `radledger pacs receive`: its file and its row are fsynced before each is
              acknowledged
``orthanc``   by Orthanc with its defaults, from `make orthanc`

dcmtk's storescu sends to both, on loopback, in one association of its own for each round, with
TCP_NODELAY and the largest PDU.  The two take turns; the ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pydicom
from measuring import ratio, timed

from radledger.dicom.synthetic import make_ct_series
from radledger.pacs.inbox import Inbox
from radledger.pacs.patients import PatientList
from radledger.pacs.receiver import Receiver
from radledger.pacs.settings import Settings

sys.path.append(str(Path(__file__).parents[1]))
from tools import orthanc

PATIENT = "0x" + "11" * 20
FASTEST = ["-pdu", "131072", "+sd", "+r"]


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--instances", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="radledger-benchmark-"))
        folder = Path(place)
        studies = [
            make_ct_series(folder / f"study{number}", options.instances, seed=number + 1)
            for number in range(options.rounds)
        ]
        ours = stack.enter_context(receiving(folder, studies[0][0]))
        theirs = stack.enter_context(orthanc_receiving(folder))
        print(json.dumps(measured(studies, ours, theirs)))


def measured(studies: list[list[Path]], ours: int, theirs: int | None) -> dict[str, float | None]:
    """Instances a second."""
    received, by_orthanc = [], []
    for study in studies:
        received.append(len(study) / timed(storing(study, "RADLEDGER", ours)))
        if theirs is not None:
            by_orthanc.append(len(study) / timed(storing(study, "ORTHANC", theirs)))
    return {
        "received_per_second": round(statistics.median(received), 1),
        "orthanc_per_second": round(statistics.median(by_orthanc), 1) if by_orthanc else None,
        "ratio": ratio(received, by_orthanc) if by_orthanc else None,
        "bytes_of_one": studies[0][0].stat().st_size,
    }


def storing(study: list[Path], title: str, port: int) -> Callable[[], object]:
    """Sends a study by dcmtk, whose programs pynetdicom shadows in a virtual environment."""
    own = Path(sys.executable).parent.resolve()
    folders = os.environ["PATH"].split(os.pathsep)
    path = os.pathsep.join(each for each in folders if Path(each).resolve() != own)
    program = shutil.which("storescu", path=path)
    if program is None:
        sys.exit("needs dcmtk: storescu, on PATH")
    where = ["-aec", title, "127.0.0.1", str(port), str(study[0].parent)]
    environment = os.environ | {"TCP_NODELAY": "1"}
    return lambda: subprocess.run([program, *FASTEST, *where], check=True, env=environment)


@contextmanager
def receiving(folder: Path, sample: Path) -> Iterator[int]:
    """This project's receiver; gives its port."""
    patients, under_way = folder / "patients.csv", folder / "inbox" / "receiving"
    patients.write_text(f"patient_id,patient\n{pydicom.dcmread(sample).PatientID},{PATIENT}\n")
    with closing(Inbox(folder / "inbox")) as inbox:
        under_way.mkdir()
        settings = Settings("RADLEDGER", ["STORESCU"])
        receiver = Receiver(inbox, under_way, PatientList(patients, str), settings)
        with receiver.listening("127.0.0.1", 0) as port:
            yield port


@contextmanager
def orthanc_receiving(folder: Path) -> Iterator[int | None]:
    """Orthanc; gives its port, or nothing where it is not there."""
    root = orthanc.find()
    if root is None:
        print("Orthanc is not here; `make orthanc` brings it", file=sys.stderr)
        yield None
        return
    with orthanc.running(root, folder / "orthanc") as peer:
        yield peer.dicom


if __name__ == "__main__":
    main()
