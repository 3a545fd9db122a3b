"""Notices to patients at each reading of their image sets: where, when and how they are sent.

A notice says that something happened, and never what was seen, by whom or of which image set.

============  =======================================================================
``store``     where patients want notices, and notices that wait to be sent
``delivery``  webhooks (Standard Webhooks) and mail
``service``   follows the book of receipts, and sends, in a thread of its own
============  =======================================================================
"""

from __future__ import annotations

from radledger.gateway.notices.delivery import Delivery
from radledger.gateway.notices.service import Notices
from radledger.gateway.notices.store import Channel, Destination

__all__ = ["Channel", "Delivery", "Destination", "Notices"]
