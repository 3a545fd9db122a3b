"""Run Orthanc: the one that is installed, or that ``make orthanc`` has brought into ``build``."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

__all__ = ["Orthanc", "find", "running"]

_BUILD = Path(__file__).parents[1] / "build/orthanc/root"
_PROGRAM, _PLUGIN = "usr/sbin/Orthanc", "usr/share/orthanc/plugins/libOrthancPython.so"
_SECONDS = 60


class Orthanc:
    """An Orthanc that runs.

    Attributes
    ----------
    client
        Asks its REST interface.
    dicom
        Port of DICOM's network protocol; its AE title is ``ORTHANC``.
    """

    def __init__(self, client: httpx.Client, dicom: int) -> None:
        self.client, self.dicom = client, dicom


def find() -> Path | None:
    """Under which folder it is, with its Python plugin; none if it is not there."""
    roots = (Path("/"), _BUILD)
    return next(
        (e for e in roots if all((e / each).exists() for each in (_PROGRAM, _PLUGIN))), None
    )


@contextmanager
def running(root: Path, folder: Path, **settings: Any) -> Iterator[Orthanc]:
    """Run it while the block runs, on ports that are free.

    Parameters
    ----------
    root
        As `find` gives it.
    folder
        For its files; it is made.
    settings
        Of its configuration, beside those that are needed.

    Raises
    ------
    RuntimeError
        If it does not start.
    """
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("", 0)) as two:
        http, dicom = one.getsockname()[1], two.getsockname()[1]
    folder.mkdir()
    configuration = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "HttpPort": http,
        "HttpBindAddresses": ["127.0.0.1"],
        "AuthenticationEnabled": False,
        "DicomAet": "ORTHANC",
        "DicomPort": dicom,
        "DicomAlwaysAllowStore": True,
        "SaveJobs": False,
        "Plugins": [],
        **settings,
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    with (folder / "log").open("wb") as log:
        command = [str(root / _PROGRAM), str(folder / "orthanc.json")]
        process = subprocess.Popen(command, env=_environment(root), stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{http}"
            with httpx.Client(base_url=address, trust_env=False, timeout=_SECONDS) as client:
                _wait(process, client, folder / "log")
                yield Orthanc(client, dicom)
        finally:
            process.kill()
            process.wait()


def _environment(root: Path) -> dict[str, str]:
    libraries = [root / "usr/lib", *(root / "usr/lib").glob("*-linux-gnu")]
    # Without TCP_NODELAY each instance waits 40 ms for an acknowledgement.
    own = {"LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)), "TCP_NODELAY": "1"}
    for dictionary in root.glob("usr/share/libdcmtk*/dicom.dic"):
        own["DCMDICTPATH"] = str(dictionary)
    return os.environ | own


def _wait(process: subprocess.Popen[bytes], client: httpx.Client, log: Path) -> None:
    until = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            client.get("/system")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"Orthanc does not start: {log.read_text(errors='replace')[-2000:]}")
