"""Headers of any file in the DICOM JSON Model: those that pydicom writes, and valid JSON."""

from __future__ import annotations

import json

import pydicom

from radledger.errors import DicomError
from radledger.gateway.dicomweb.instances import OpenInstance
from radledger.gateway.dicomweb.json_model import instance_json
from tests.dicom.files import image, samples, save, with_elements

URL = "https://gateway.example/dicom-web/studies/1/series/2/instances/3"
OWN = {"00080005", "00083002"}


def header_of(path):
    instance = OpenInstance(path.open("rb"))
    try:
        return json.loads(json.dumps(instance_json(instance, URL), allow_nan=False))
    finally:
        instance.close()


def test_every_file_of_the_wheel_has_a_header_in_json():
    seen = 0
    for path in samples():
        try:
            found = header_of(path)
        except DicomError:
            continue
        seen += 1
        assert list(found) == sorted(found)
        for tag, each in found.items():
            assert set(each) <= {"vr", "Value", "BulkDataURI", "InlineBinary"}, (path, tag)
            assert each.get("BulkDataURI", f"{URL}/bulkdata/{tag}") == f"{URL}/bulkdata/{tag}"
        assert len(pydicom.Dataset.from_json(found)) == len(found)
    assert seen > 60


def test_a_value_that_cannot_be_read_is_left_out(tmp_path):
    dataset = image()
    dataset.PatientComments = "Grüße"
    path = save(dataset, tmp_path / "a.dcm")
    path.write_bytes(with_elements(path, {0x00181110: ("DS", b"far ")}))
    found = header_of(path)
    assert "00181110" not in found
    assert found["00104000"] == {"vr": "LT", "Value": ["Grüße"]}
    assert found["00080005"] == {"vr": "CS", "Value": ["ISO_IR 192"]}
    dataset.pop("PixelData")
    assert found.keys() - OWN == dataset.to_json_dict().keys() - OWN | {"7FE00010"}


def test_small_binary_values_are_inline_and_large_ones_by_address(tmp_path):
    dataset = image()
    dataset.add_new(0x00091001, "OB", bytes(1024))
    dataset.add_new(0x00091002, "OB", bytes(1026))
    dataset.add_new(0x00090010, "LO", "RADLEDGER")
    found = header_of(save(dataset, tmp_path / "a.dcm"))
    assert found["00091001"].keys() == {"vr", "InlineBinary"}
    assert found["00091002"] == {"vr": "OB", "BulkDataURI": f"{URL}/bulkdata/00091002"}
