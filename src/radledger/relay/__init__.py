"""A relayer: takes what people without Ether signed, pays for it, and tells what became of it.

The service (``service``, ``tickets``, ``worker``) needs only the library; its HTTP interface
(``application``, ``server``) the extra ``relay``; ``client`` speaks to it.
"""
