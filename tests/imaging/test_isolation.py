"""A file that is read in a process of its own: for a time only, and in silence."""

from __future__ import annotations

import os

import pytest

from radledger.dicom.digest import image_digest
from radledger.dicom.errors import DicomTooSlow
from radledger.imaging.ingest import isolation
from radledger.imaging.ingest.isolation import limited
from tests.dicom.files import sample

# libjpeg's complaints are of the first of gdcm's two attempts.
LOUD = sample("JPGExtended.dcm")


def test_codecs_write_nothing_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    digest = image_digest(LOUD)
    assert "JPEG" in capfd.readouterr().err
    with limited(LOUD.stat().st_size, isolated=True):
        assert image_digest(LOUD) == digest
    assert capfd.readouterr() == ("", "")
    os.write(2, b"heard again")
    assert capfd.readouterr().err == "heard again"


def test_the_terminal_is_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with limited(1, isolated=True):
            os.write(2, b"not heard")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_in_a_shared_process_nothing_is_changed(capfd: pytest.CaptureFixture[str]) -> None:
    with limited(1, isolated=False):
        os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_a_file_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_SECONDS", 0.01)

    def wait() -> None:
        with limited(1, isolated=True):
            while True:
                pass

    with pytest.raises(DicomTooSlow):
        wait()
