"""What identities cost at most, in gas, and that it does not grow with their number."""

from __future__ import annotations

from tests.contracts.identity_registry.conftest import ENCRYPTION_KEY, SIG_AUTH


def test_first_owner(identities, patient, researcher):
    transaction = identities.changeOwner(patient, researcher, {"from": patient})
    assert transaction.gas_used <= 48_000


def test_later_encryption_key(identities, patient):
    identities.setAttribute(patient, SIG_AUTH, b"", 0, {"from": patient})
    transaction = identities.setAttribute(
        patient, ENCRYPTION_KEY, b"\x25" * 32, 2**32, {"from": patient}
    )
    assert transaction.gas_used <= 33_500
