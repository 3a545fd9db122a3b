"""DICOM's network protocol: instances from a PACS to image sets, and back.

================  ==============================================================
``settings``      how a receiver presents itself, and to whom
``patients``      whose images arrive
``inbox``         what was received and is not anchored yet
``holding``       whether an instance is held, however it arrives
``storing``       instances that arrive at a gateway by STOW-RS
``receiver``      C-ECHO and C-STORE, from the network into the inbox
``listening``     associations are accepted
``bounds``        what one connection may take
``closing``       from the inbox to image sets on the chain
``tls``           certificates
``commitment``    answers to requests for storage commitment
``receiving``     all of that together
``peer``          to whom instances are sent
``sender``        C-STORE, from files to the network
``sending``       an image set, fetched and sent
``streaming``     how pynetdicom is used
``workstations``  who may query and retrieve, and as which reader
``archive``       what the chain permits them
``querying``      what a C-FIND asks for, and its answers
``retrieving``    C-GET and C-MOVE
``server``        C-FIND, C-GET and C-MOVE, from the network to the archive
``serving``       all of that together
================  ==============================================================

What speaks the protocol needs the extra ``pacs``.
"""

from __future__ import annotations

__all__: list[str] = []
