"""Who may query and retrieve: a list from AE titles to readers of the chain."""

from __future__ import annotations

import csv
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.consent.permission import Use
from radledger.errors import UsageError
from radledger.pacs.errors import InvalidWorkstationList
from radledger.pacs.peer import Peer, require_title

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

__all__ = ["Workstation", "read_workstations"]

_COLUMNS = ("title", "host", "port", "account", "purpose")
_LIST = (
    f"a list of workstations is a CSV file: its first line is {','.join(_COLUMNS)}, and each line "
    "after it names a workstation, such as READING_1,10.0.0.21,104,reading-room,CC"
)


@dataclass(frozen=True, slots=True)
class Workstation:
    """An application entity that reads, and as whom.

    Attributes
    ----------
    peer
        Its AE title, and host and port to which images are sent.
    account
        The account of the home that signs its receipts, and is the reader.
    use
        For what it reads.
    """

    peer: Peer
    account: LocalAccount
    use: Use

    @property
    def reader(self) -> str:
        """The address that the chain is asked about."""
        return str(self.account.address)

    def is_at(self, address: str) -> bool:
        """Whether its host has a network address."""
        try:
            found = socket.getaddrinfo(self.peer.host, None, type=socket.SOCK_STREAM)
        except OSError:
            return False
        return address in {each[4][0] for each in found}


def read_workstations(
    file: Path, account: Callable[[str], LocalAccount]
) -> Mapping[str, Workstation]:
    """The workstations of a CSV file, by AE title.

    Its columns are ``title``, ``host``, ``port``, ``account`` and ``purpose``: the last one has
    terms of the Data Use Ontology, with spaces between several.

    Parameters
    ----------
    file
        The list.
    account
        Opens an account of the home by its name.

    Raises
    ------
    InvalidWorkstationList
        If the file cannot be read, is not such a list, names no workstation, or a title twice.
    """
    stations: dict[str, Workstation] = {}
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines, strict=True)
            if set(reader.fieldnames or ()) != set(_COLUMNS):
                raise _invalid(file, 1, f"its columns are not those of a list; {_LIST}")
            for row in reader:
                station = _station(file, reader.line_num, row, account)
                if station.peer.title in stations:
                    reason = f"AE title {station.peer.title} is in a line above; leave one"
                    raise _invalid(file, reader.line_num, reason)
                stations[station.peer.title] = station
    except OSError as error:
        raise InvalidWorkstationList(
            f"{file} cannot be read: {error.strerror}; {_LIST}", file=str(file)
        ) from error
    except UnicodeDecodeError as error:
        raise _invalid(file, 1, "it is not text in UTF-8; save it as such") from error
    except csv.Error as error:
        raise _invalid(file, reader.reader.line_num, f"{error}; {_LIST}") from error
    if not stations:
        raise _invalid(file, 1, f"it names no workstation; {_LIST}")
    return stations


def _station(
    file: Path, line: int, row: Mapping[str, str], account: Callable[[str], LocalAccount]
) -> Workstation:
    if None in row or not all(row[name] for name in _COLUMNS):
        raise _invalid(file, line, f"it lacks a value, or has too many columns; {_LIST}")
    values = {name: row[name].strip() for name in _COLUMNS}
    try:
        port = int(values["port"]) if values["port"].isascii() else 0
    except ValueError:
        port = 0
    if not 0 < port < 1 << 16:
        raise _invalid(file, line, f"{values['port']!r} is not a port; give one, such as 104")
    try:
        peer = Peer(require_title(values["title"]), values["host"], port)
        return Workstation(peer, account(values["account"]), Use.of(values["purpose"].split()))
    except UsageError as error:
        raise _invalid(file, line, error.message) from error


def _invalid(file: Path, line: int, reason: str) -> InvalidWorkstationList:
    return InvalidWorkstationList(f"{file}, line {line}: {reason}", file=str(file), line=line)
