"""The chain's events in SQL: what happened to an image set or an address, and what became of it.

The index follows the chain; it decides nothing and can be rebuilt from the deployment block at any
time.  Import :class:`~radledger.index.service.Index` from :mod:`radledger.index.service`.
"""
