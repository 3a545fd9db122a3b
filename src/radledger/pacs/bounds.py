"""Bounds of what one connection may take: time, memory and disk.

pynetdicom waits for the rest of a protocol data unit (PDU) without end, takes any length for one,
and shakes hands in TLS before it accepts the next connection.
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress
from socketserver import BaseServer
from typing import TYPE_CHECKING, Any, cast

from pynetdicom import evt
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.transport import AssociationSocket, ThreadedAssociationServer

if TYPE_CHECKING:
    from pynetdicom.association import Association
    from pynetdicom.events import Event

    from radledger.pacs.settings import Bounds

__all__ = ["BoundedServer", "bound"]

# Connections without an association, beside those with one; further ones are closed at once.
_WAITING = 16
_INVALID = "Evt19"  # an invalid PDU was received (PS3.8 table 9-10)


class BoundedServer(ThreadedAssociationServer):
    """Accepts connections without waiting for what they send."""

    daemon_threads = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._open: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; TLS is agreed on later, in the connection's own thread."""
        connection, address = cast(socket.socket, self.socket).accept()
        if self.ssl_context:
            connection = self.ssl_context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def shutdown(self) -> None:
        """Stop accepting connections."""
        # pynetdicom's own also looks for the server among those that it started itself
        BaseServer.shutdown(self)
        self.server_close()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is room for one more connection."""
        self._open = [each for each in self._open if each.fileno() >= 0]
        if len(self._open) >= self.ae.maximum_associations + _WAITING:
            return False
        self._open.append(request)
        return True


def bound(event: Event, bounds: Bounds) -> None:
    """Bound a connection that was opened.

    Parameters
    ----------
    event
        That it was opened (``EVT_CONN_OPEN``).
    bounds
        What it may take.
    """
    association = event.assoc
    transport = cast(AssociationSocket, association.dul.socket)
    connection = _Connection(association, cast(socket.socket, transport.socket), bounds)
    transport.recv = connection.receive  # type: ignore[method-assign]
    association.bind(evt.EVT_PDU_RECV, connection.count)
    association.bind(evt.EVT_CONN_CLOSE, connection.end)
    _abort_on_error(association)
    connection.begin()


def _abort_on_error(association: Association) -> None:
    """Abort an association whose peer sends what pynetdicom fails to decode."""
    machine = association.dul.state_machine
    act = machine.do_action

    def guarded(event: str) -> None:
        try:
            act(event)
        except Exception:
            act(_INVALID)

    machine.do_action = guarded  # type: ignore[method-assign]


class _Connection:
    """One connection, and the message that is under way."""

    def __init__(self, association: Association, connection: socket.socket, bounds: Bounds) -> None:
        self._association = association
        self._socket = connection
        self._bounds = bounds
        self._size = 0
        self._begun: float | None = None

    def begin(self) -> None:
        """Send without delay, and agree on TLS."""
        try:
            # an acknowledgement by TCP that is put off would cost 40 ms for each instance
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.settimeout(self._bounds.pdu_seconds)
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket.do_handshake()
        except OSError:
            self._close()

    def end(self, event: Event) -> None:
        """Close the connection, which pynetdicom leaves open if its peer was faster."""
        self._close()
        if event.assoc.requestor.primitive is None:
            # its thread waits for a request that does not come any more
            event.assoc.dul.to_user_queue.put(cast(Any, None))

    def receive(self, nr_bytes: int) -> bytearray:
        """So many bytes; fewer if the peer has closed the connection.

        Raises
        ------
        OSError
            If they are too many, or take too long.  The connection is closed then.
        """
        try:
            if nr_bytes > self._bounds.pdu_bytes:
                raise OSError("the peer announces a PDU that is too long")
            return self._received(nr_bytes)
        except OSError:
            self._close()
            raise

    def count(self, event: Event) -> None:
        """Close the connection if a message is too long, or takes too long."""
        if not isinstance(event.pdu, P_DATA_TF):
            return
        now = time.monotonic()
        for item in event.pdu.presentation_data_value_items:
            value = item.presentation_data_value or b""
            self._size += len(value)
            self._begun = now if self._begun is None else self._begun
            late = now - self._begun > self._bounds.message_seconds
            if self._size > self._most_bytes() or late:
                self._close()
            if value[:1] and value[0] & 2:  # the last fragment (PS3.8 section E.2)
                self._size, self._begun = 0, None

    def _most_bytes(self) -> int:
        """Of the message under way: only the data set of C-STORE goes into a file."""
        streamed = isinstance(self._association.dimse.message, C_STORE_RQ)
        return self._bounds.message_bytes if streamed else self._bounds.memory_bytes

    def _received(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        deadline = time.monotonic() + self._bounds.pdu_seconds
        taken = 0
        while taken < size:
            # a timeout of 0 would not wait at all
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            some = self._socket.recv_into(view[taken:])
            if not some:
                break
            taken += some
        self._socket.settimeout(self._bounds.pdu_seconds)
        view.release()
        del data[taken:]
        return data

    def _close(self) -> None:
        """End the connection, of which pynetdicom learns at its next use."""
        with suppress(OSError):  # it may have ended already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
