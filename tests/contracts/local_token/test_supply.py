"""The token of local networks is all its holder's, and there is never more of it."""

from __future__ import annotations

SUPPLY = 10**24


def test_holder_gets_the_whole_supply(deploy, isolate_module, hospital, stranger):
    token = deploy("LocalToken", hospital, SUPPLY)
    assert (token.name(), token.symbol(), token.decimals()) == ("RadLedger Local Token", "RLT", 18)
    assert token.totalSupply() == token.balanceOf(hospital) == SUPPLY

    token.transfer(stranger, 1, {"from": hospital})

    assert token.totalSupply() == SUPPLY
    assert token.balanceOf(stranger) == 1
    assert not hasattr(token, "mint")
