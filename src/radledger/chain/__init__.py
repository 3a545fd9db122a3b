"""The chain: connect to it, deploy the contracts, call them, send to them, read their events.

================================  ==============================================================
:mod:`~radledger.chain.networks`  named networks and where they are
:mod:`~radledger.chain.connect`   a checked connection
:mod:`~radledger.chain.deploy`    put the contracts on a chain, and compare what is there
:mod:`~radledger.chain.ledger`    the connected contracts, by name
:mod:`~radledger.chain.forward`   calls by people without Ether, paid by another account
:mod:`~radledger.chain.refusals`  every custom error of every contract as a Python class
:mod:`~radledger.chain.accounts`  keys in files
================================  ==============================================================

Nothing is imported here: web3 costs a second.
"""

from __future__ import annotations

__all__: list[str] = []
