"""MONAI bundles: what their metadata say, and a digest that anyone can compute."""

from __future__ import annotations

import json
import subprocess

import pytest

from radledger.algorithms import MonaiBundle
from radledger.algorithms.bundle import folder_digest
from radledger.algorithms.errors import InvalidBundle

METADATA = {
    "schema": "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/",
    "version": "0.6.9",
    "monai_version": "1.4.0",
    "name": "Lung nodule CT detection",
    "description": "A pre-trained model for volumetric detection of the lung nodule from CT",
    "authors": "MONAI team",
    "copyright": "Copyright (c) MONAI Consortium",
}


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "lung_nodule_ct_detection"
    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    (folder / "configs" / "metadata.json").write_text(json.dumps(METADATA))
    (folder / "models" / "model.pt").write_bytes(b"weights")
    (folder / "Résumé 1.md").write_text("what it does")
    return folder


def test_it_tells_name_version_and_authors(bundle):
    read = MonaiBundle.read(bundle)
    names = ("name", "version", "description", "authors")
    assert {name: getattr(read, name) for name in names} == {n: METADATA[n] for n in names}
    assert read.digest == folder_digest(bundle)


def test_without_a_name_it_has_its_folders(bundle):
    metadata = {"version": "1", "authors": ["a list"]}
    (bundle / "configs" / "metadata.json").write_text(json.dumps(metadata))
    read = MonaiBundle.read(bundle)
    assert (read.name, read.authors) == ("lung_nodule_ct_detection", None)


def test_its_digest_is_what_coreutils_compute(bundle):
    command = (
        "find * -type f -not -path '*/.*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | "
        "sha256sum"
    )
    (bundle / ".git").mkdir()
    (bundle / ".git" / "HEAD").write_text("ref")
    (bundle / "models" / ".cache").write_text("hidden")
    (bundle / "link").symlink_to("models/model.pt")
    done = subprocess.run(["bash", "-c", command], cwd=bundle, capture_output=True, text=True)
    assert folder_digest(bundle) == "0x" + done.stdout.split()[0]
    before = folder_digest(bundle)
    (bundle / ".git" / "HEAD").write_text("other")
    assert folder_digest(bundle) == before
    (bundle / "models" / "model.pt").rename(bundle / "models" / "model.ts")
    assert folder_digest(bundle) != before


def test_a_name_that_sha256sum_would_escape_is_refused(bundle):
    (bundle / "a\nb").write_text("")
    with pytest.raises(InvalidBundle) as refused:
        folder_digest(bundle)
    assert refused.value.values == {"path": "a\nb"}


@pytest.mark.parametrize(
    "content", [None, "", "[]", "{", "[" * 100_000, "{}", '{"version": 1}', '{"version": " "}']
)
def test_what_is_not_a_bundle(bundle, content):
    metadata = bundle / "configs" / "metadata.json"
    if content is None:
        metadata.unlink()
    else:
        metadata.write_text(content)
    with pytest.raises(InvalidBundle) as refused:
        MonaiBundle.read(bundle)
    assert refused.value.values == {"path": str(metadata)}
