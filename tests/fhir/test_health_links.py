"""SMART Health Links: the examples of the specification, and what is not one."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode

import pytest
from cryptography.exceptions import InvalidTag

from radledger.fhir.health_links import HealthLink, decrypted, encrypted

KEY = urlsafe_b64decode("rxTgYlOaKJPFtcEd0qcceN8wEU4p94SqAwIWQe6uX7Q=")
# Of the specification's section "Example SMART Health Link Generation".
EXAMPLE = (
    "https://viewer.example.org#shlink:/eyJ1cmwiOiJodHRwczovL2Voci5leGFtcGxlLm9yZy9xci9ZOXh3a1VkdG1"
    "OOXd3b0pvTjNmZkpJaFgyVUd2Q0wxSm5sUFZOTDNrRFdNL20iLCJmbGFnIjoiTFAiLCJrZXkiOiJyeFRnWWxPYUtKUEZ0Y"
    "0VkMHFjY2VOOHdFVTRwOTRTcUF3SVdRZTZ1WDdRIiwiZXhwIjoxODAwMDAwMDAwLCJsYWJlbCI6IkJhY2stdG8tc2Nob29"
    "sIGltbXVuaXphdGlvbnMgZm9yIE9saXZlciBCcm93biJ9"
)


def test_the_example_of_the_specification_is_read():
    link = HealthLink.parse(EXAMPLE)
    assert link.url == "https://ehr.example.org/qr/Y9xwkUdtmN9wwoJoN3ffJIhX2UGvCL1JnlPVNL3kDWM/m"
    assert link.key == KEY
    assert (link.long_term, link.with_passcode) == (True, True)
    assert link.label == "Back-to-school immunizations for Oliver Brown"


@pytest.mark.parametrize(
    ("long_term", "with_passcode", "flag"),
    [
        (False, False, None),
        (True, False, "L"),
        (False, True, "P"),
        (True, True, "LP"),
    ],
)
def test_a_link_says_how_it_is_opened(long_term, with_passcode, flag):
    link = HealthLink("https://g.example/shl/x", KEY, 7, long_term, with_passcode, "Chest, CT")
    payload = link.text.removeprefix("shlink:/")
    assert "=" not in payload
    read = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert read.get("flag") == flag
    assert (read["exp"], len(read["key"]), read["v"]) == (7, 43, 1)
    assert HealthLink.parse(link.text) == link
    assert "rxTg" not in repr(link)


def test_what_is_encrypted_is_a_jwe_that_its_key_alone_opens():
    text = encrypted(b'{"a": 1}', "application/fhir+json", KEY)
    protected, wrapped, nonce, _, _ = text.split(".")
    header = json.loads(urlsafe_b64decode(protected + "=="))
    assert header == {"alg": "dir", "enc": "A256GCM", "cty": "application/fhir+json"}
    assert (wrapped, len(nonce)) == ("", 16)
    assert decrypted(text, KEY) == (b'{"a": 1}', "application/fhir+json")
    assert encrypted(b'{"a": 1}', "application/fhir+json", KEY).split(".")[2] != nonce
    for changed in (text[:-2] + "AA", text.replace(protected, protected[:-4] + "In0x")):
        with pytest.raises((InvalidTag, ValueError)):
            decrypted(changed, KEY)
    with pytest.raises(InvalidTag):
        decrypted(text, bytes(32))


@pytest.mark.parametrize(
    "text", ["", "shlink:/", "https://example.org", "shlink:/W10", "shlink:/%%%"]
)
def test_what_is_not_a_link_is_refused(text):
    with pytest.raises(ValueError, match=r".*"):
        HealthLink.parse(text)
