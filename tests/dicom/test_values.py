"""A value is kept only where it is written as its VR demands, and none provokes a foreign error."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
from pydicom.config import disable_value_validation
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from radledger.dicom.deidentify import deidentify_file
from radledger.dicom.digest import image_digest
from radledger.dicom.errors import BurnedInAnnotation, DicomError, MalformedDicom
from radledger.dicom.profiles import OPTIONS, Profile
from radledger.dicom.read import read_header
from tests.dicom.files import image, save, with_elements

KEY = b"a secret of the custodian".ljust(32)
PROFILES = [Profile.parse("basic"), Profile.parse(*OPTIONS)]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(image(), tmp_path_factory.mktemp("values") / "plain.dcm")


def put(plain: Path, target: Path, **elements: tuple[str, bytes]) -> Path:
    tags = {tag_for_keyword(keyword) or 0: element for keyword, element in elements.items()}
    target.write_bytes(with_elements(plain, tags))
    return target


def copied(path: Path, profile: Profile) -> bytes:
    stream = io.BytesIO()
    deidentify_file(path, stream, profile, KEY, allow_burned_in=True)
    return stream.getvalue()


def read(data: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(data))


@pytest.mark.parametrize("profile", PROFILES, ids=["basic", "all"])
@pytest.mark.parametrize(
    ("keyword", "vr", "value", "kept"),
    [
        ("ImageType", "CS", b"ORIGINAL\\PRIMARY\\AXIAL ", b"ORIGINAL\\PRIMARY\\AXIAL"),
        ("ImageType", "CS", b"ORIGINAL\\PRIMARY\\Doe Jane", b"ORIGINAL\\PRIMARY\\"),
        ("ImageType", "CS", b"ORIGINAL\\PRIMARY\\20240301", b"ORIGINAL\\PRIMARY\\"),
        ("ImageType", "CS", b"ORIGINAL\\PRIMARY\\MRN 0047111 ", b"ORIGINAL\\PRIMARY\\"),
        ("BodyPartExamined", "CS", b"DOE JANE BORN IN 1950 ", b""),
        ("BodyPartExamined", "CS", b"CHEST ", b"CHEST"),
        ("SpecificCharacterSet", "CS", b"ISO 2022 IR 149 ", b"ISO 2022 IR 149"),
        ("PatientSex", "CS", b"jane", b""),
        ("KVP", "DS", b"120.5 ", b"120.5"),
        ("KVP", "DS", b"2024-03-01", b""),
        ("KVP", "DS", b"+49-170-1234", b""),
        ("KVP", "DS", b"1e5\0", b"1e5"),
        ("EchoTrainLength", "IS", b" +12", b"+12"),
        ("EchoTrainLength", "IS", b"12-34-56", b""),
        ("FrameTimeVector", "DS", b"0\\40\\\\40.0", b"0\\40\\\\40.0"),
    ],
)
def test_terms_and_numbers_are_kept_as_their_vr_demands(
    profile: Profile, keyword: str, vr: str, value: bytes, kept: bytes, plain: Path, tmp_path: Path
) -> None:
    if keyword == "PatientSex" and profile == PROFILES[0]:
        kept = b""
    data = copied(put(plain, tmp_path / "in.dcm", **{keyword: (vr, value)}), profile)
    value = read(data)[keyword].value
    texts = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else value
    written = ("" if text is None else getattr(text, "original_string", text) for text in texts)
    assert "\\".join(map(str, written)).strip(" \0").encode() == kept


@pytest.mark.parametrize(
    ("keyword", "vr", "value"),
    [
        ("AcquisitionNumber", "US", b"canary"),
        ("AcquisitionNumber", "FL", b"canary01"),
        ("AcquisitionNumber", "DA", b"20240301"),
        ("AcquisitionNumber", "TM", b"20240301"),
        ("AcquisitionNumber", "UI", b"20240301"),
        ("KVP", "DT", b"20240301"),
        ("ExaminedBodyThickness", "UN", b"canary"),
        ("ExaminedBodyThickness", "UL", b"canary01"),
        ("SimpleFrameList", "UL", b"canary"),
        ("FrameIncrementPointer", "AT", b"canary"),
    ],
)
def test_a_number_that_is_none_of_its_vr_goes(
    keyword: str, vr: str, value: bytes, plain: Path, tmp_path: Path
) -> None:
    path = put(plain, tmp_path / "in.dcm", **{keyword: (vr, value)})
    for profile in PROFILES:
        data = copied(path, profile)
        assert value not in data
        assert keyword not in read(data)


def test_a_sop_class_that_is_none_is_refused(plain: Path, tmp_path: Path) -> None:
    path = put(plain, tmp_path / "in.dcm", SOPClassUID=("FD", bytes(8)))
    with pytest.raises(MalformedDicom) as refusal:
        copied(path, PROFILES[0])
    assert refusal.value.values == {"attribute": "SOPClassUID"}


def test_a_uid_that_an_option_keeps_is_a_uid(plain: Path, tmp_path: Path) -> None:
    profile = Profile.parse("retain-device-identity")
    path = put(plain, tmp_path / "in.dcm", DeviceUID=("UI", b"1.2.3.4711"))
    assert read(copied(path, profile)).DeviceUID == "1.2.3.4711"
    path = put(plain, tmp_path / "in.dcm", DeviceUID=("UI", b"Doe Jane"))
    with disable_value_validation():
        assert read(copied(path, profile)).DeviceUID.startswith("2.25.")


@pytest.mark.parametrize("keyword", ["PixelData", "FloatPixelData", "DoubleFloatPixelData"])
def test_a_picture_in_a_sequence_goes(keyword: str, tmp_path: Path) -> None:
    item = image()
    del item.PixelData
    setattr(item, keyword, b"canary01")
    if keyword == "PixelData":
        item["PixelData"].VR = "OW"
    path = save(image(ReferencedImageSequence=[item]), tmp_path / "in.dcm")
    assert b"canary01" in path.read_bytes()
    for profile in PROFILES:
        data = copied(path, profile)
        assert b"canary01" not in data
        assert read(data).ReferencedImageSequence[0].Rows == 4


@pytest.mark.parametrize(
    ("keyword", "vr"),
    [("PhotometricInterpretation", "US"), ("Rows", "FD"), ("Modality", "UL"), ("Columns", "SV")],
)
def test_an_attribute_that_cannot_be_read_is_named(
    keyword: str, vr: str, plain: Path, tmp_path: Path
) -> None:
    path = put(plain, tmp_path / "in.dcm", **{keyword: (vr, b"abc")})
    with pytest.raises(MalformedDicom) as refusal:
        read_header(path)
    assert refusal.value.values == {"attribute": keyword}


def test_one_image_type_is_read_as_one(plain: Path, tmp_path: Path) -> None:
    screen = put(plain, tmp_path / "in.dcm", ImageType=("CS", b"SCREEN"))
    with pytest.raises(BurnedInAnnotation, match="image type SCREEN"):
        deidentify_file(screen, io.BytesIO(), PROFILES[0], KEY)


def test_what_pydicom_thinks_of_a_value_does_not_reach_the_terminal(
    plain: Path, tmp_path: Path
) -> None:
    character_set = ("CS", b"ISO-IR 100")
    path = put(plain, tmp_path / "in.dcm", SpecificCharacterSet=character_set)
    program = (
        "import sys; from pathlib import Path; from radledger.dicom.digest import image_digest; "
        "image_digest(Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, check=True
    )
    assert (done.stdout, done.stderr) == (b"", b"")


READ = """
    ImageType BurnedInAnnotation PatientID IssuerOfPatientID InstanceNumber NumberOfFrames Modality
    PlanarConfiguration PixelPaddingValue PixelRepresentation PixelSpacing ContentSequence
    SharedFunctionalGroupsSequence CodeValue CodingSchemeDesignator LUTDescriptor RescaleSlope
    SpecificCharacterSet Rows Columns BitsAllocated BitsStored HighBit SamplesPerPixel SOPClassUID
    PhotometricInterpretation StudyInstanceUID SeriesInstanceUID SOPInstanceUID ImagesInAcquisition
""".split()  # noqa: SIM905 - a list of words reads best as words
VRS = """
    AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR
    US UT UV
""".split()  # noqa: SIM905 - a list of words reads best as words
ODD = [
    *(b"", b"\0", b"a", b"abc", b"NO", b"\xff\xff", b"\1\0", b"\xe9\xe9", b"\x1b$B", b"\\\\\\"),
    *(b"1\\2", b"1\0\2\0\3\0", b"1e999", b"nan ", b"-inf", b"-1", b"9" * 20, bytes(8), b"\xff" * 8),
    b"ISO 2022 IR 13\\ISO 2022 IR 87",
]


def test_random_values_in_random_vrs_provoke_no_foreign_error(
    rng: random.Random, plain: Path, tmp_path: Path
) -> None:
    taken = refused = 0
    for _ in range(600):
        elements = {}
        for keyword in rng.sample(READ, rng.choice([1, 1, 2])):
            vr = rng.choice(VRS)
            value = rng.choice([b"", b"\xfe\xff\0\xe0\0\0\0\0"] if vr == "SQ" else ODD)
            elements[keyword] = (vr, value)
        path = put(plain, tmp_path / "in.dcm", **elements)
        try:
            digest = image_digest(path)
            data = copied(path, rng.choice(PROFILES))
        except DicomError:
            refused += 1
            continue
        taken += 1
        (tmp_path / "out.dcm").write_bytes(data)
        assert image_digest(tmp_path / "out.dcm") == digest, elements
    assert taken > 100
    assert refused > 100
