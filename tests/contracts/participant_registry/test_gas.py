"""What accreditation costs at most, in gas."""

from __future__ import annotations

from tests.contracts.conftest import Role


def test_new_member(accredited, hospital, stranger):
    transaction = accredited.admit(stranger, Role.CLINICIAN, {"from": hospital})
    assert transaction.gas_used <= 53_000
