"""``radledger image erase`` and ``forget``, holders in other homes, and homes from a backup."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.test_gateway import CARE, elsewhere, fetch, gateway, permitted, serving

__all__ = ["elsewhere", "fetch", "gateway", "permitted", "serving"]


@pytest.fixture
def resume(cli, image):
    return lambda *options: cli("image", "erase", image, "--resume", *options, "--as", "hospital")


@pytest.fixture
def forget(cli, elsewhere):
    """Forget image sets as the radiologist, in another home."""
    return lambda *image: cli("image", "forget", *image, "--as", "radiologist", "--home", elsewhere)


def test_a_reader_forgets_what_was_erased_and_its_certificate_is_collected(
    gateway, permitted, fetch, forget, resume, ok, image, addresses
):
    ok("identity", "set-gateway", gateway, "--as", "hospital")
    assert fetch().code == 0
    forget(image).refused("ImageNotErased")
    erased = ok("image", "erase", image, "--as", "hospital")
    assert not erased["complete"]
    (holder,) = erased["holders"]
    assert (holder["account"], holder["certified_by"]) == (addresses["radiologist"], None)
    assert f"`radledger image forget {image}`" in holder["reason"]
    assert resume().object["holders"] == [holder]

    forgotten = forget(image).object
    assert (forgotten["image_id"], forgotten["delivered"]) == (image, True)
    done = resume().object
    assert done["complete"]
    assert done["holders"][0]["certificate"] == forgotten["digest"]
    assert ok("image", "erase", "--resume", "--as", "hospital") == done


def test_a_certificate_is_taken_from_a_file(
    gateway, permitted, fetch, forget, resume, cli, ok, image, tmp_path
):
    assert fetch("--key-service", gateway).code == 0
    ok("image", "erase", image, "--as", "hospital")
    forgotten = forget(image).object
    assert (forgotten["delivered"], forgotten["reason"]) == (
        False,
        "the custodian has published no gateway; send it the file",
    )
    file = tmp_path / "certificate.json"
    shutil.copy(forgotten["certificate"], file)
    resume("--certificate", tmp_path / "nothing").refused("InvalidFile", 2)
    assert resume("--certificate", file).object["complete"]
    file.write_text(file.read_text().replace('"contents": 0', '"contents": 1'))
    resume("--certificate", file).refused("CertificateInvalid")


def test_nothing_in_a_restored_home_uses_what_was_erased(
    home, cli, ok, image, study, tmp_path, permitted
):
    (file, *_) = study.iterdir()
    backup = shutil.copytree(home, tmp_path / "backup")
    ok("image", "erase", image, "--as", "hospital")
    there = ("--home", backup, "--as", "hospital")
    to = tmp_path / "to"
    for command in (
        ("image", "fetch", image, "--to", to),
        ("image", "verify", image, file),
        ("image", "rekey", image),
        ("image", "deidentify", image),
        ("bundle", "export", image, to, "--file", file),
        ("store", "repair", image),
        ("store", "pin", image),
        ("pacs", "send", image, "--to", "A@127.0.0.1:1"),
    ):
        assert cli(*command, *there).refused("ImageIsErased") == {"image": image}, command
    for name in ("patient", "hospital"):
        for command in (("fetch", image, "--to", to), ("verify", image, file)):
            own = cli("image", *command, "--home", backup, "--as", name)
            assert own.refused("ImageIsErased") == {"image": image}
    for command in (("image", "fetch", image, "--to", to), ("store", "pin", image)):
        cli(*command, *CARE, "--home", backup).refused("ConsentNotPermittedErased")
    cli("image", "forget", image, *there).refused("SecretRemains")
    assert ok("store", "status", image, *there)["contents"] == []
    skipped = cli("image", "add", study, "--patient", "patient", *there)
    assert image in skipped.refused("NothingToAdd")["skipped"][0]["reason"]
    assert not to.exists()

    assert ok("image", "erase", "--resume", *there)["image_id"] == image
    assert ok("image", "add", study, "--patient", "patient", *there)["added"]
    cli("image", "rekey", image, *there).refused("ImageIsErased")


def test_what_to_erase_is_to_be_clear(home, cli, image, tmp_path):
    file = tmp_path / "certificate.json"
    file.write_text("{}")
    cli("image", "erase", "--as", "hospital").refused("WhatToEraseUnclear", 2)
    erase = ("image", "erase", image, "--as", "hospital")
    cli(*erase, "--certificate", file).refused("WhatToEraseUnclear", 2)
    cli(*erase, "--resume").refused("ImageNotErased")
    cli(*erase, "--resume", "--certificate", file).refused("CertificateInvalid")
    assert cli("image", "show", image).object["state"] == "anchored"
    assert cli("image", "forget", "--as", "radiologist").objects == []
    assert cli("image", "erase", "--resume", "--as", "hospital").objects == []
