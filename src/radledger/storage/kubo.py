"""A store in a Kubo (IPFS) daemon, over its RPC API.

Streams go through httpx, so that a content of any size takes constant memory; small calls through
ipfshttpclient.  What the daemon stores and what it sends is hashed here.

References
----------
.. [1] Kubo RPC API v0, https://docs.ipfs.tech/reference/kubo/rpc/
.. [2] Multiaddr, https://github.com/multiformats/multiaddr
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, cast

import httpx
import ipfshttpclient
import requests

from radledger.endpoints import is_loopback, proxy_for
from radledger.errors import UsageError
from radledger.storage import rpc
from radledger.storage.cid import (
    BUFFER,
    block_count,
    cid_digest,
    new_hasher,
    too_long,
    verified,
)
from radledger.storage.errors import (
    ContentMismatch,
    ContentNotFound,
    StorageSilent,
    StorageUnavailable,
)
from radledger.storage.protocol import Holding, Stat, Stored, holding, put_at_once
from radledger.transport import Deadline, over_httpx, within

__all__ = ["KuboStore"]

# ipfshttpclient hands urllib3 2 an argument that it ignores; a user can do nothing about it.
warnings.filterwarnings("ignore", "The 'strict' parameter", FutureWarning)

# Newer Kubo profiles choose other chunks, which give other CIDs.
_ADD = {"cid-version": "1", "raw-leaves": "true", "chunker": "size-262144", "pin": "true"}
_OFFLINE = {"offline": "true"}
# Seconds for a daemon to take a connection, and for a peer of it to say that it has a content.
_CONNECTING, _PATIENCE = 2.0, 10.0
# CIDs that a request asks about, which makes an address of 6 kB.
_AT_ONCE = 100
# Seconds in which a daemon looks at all that it keeps before it deletes the first block, and in
# which it is to be done.
_COLLECTING = 3600.0
# How many times as long as for one piece of an answer all of it may take; a content one second
# more for each so many bytes.
_MOST_WAITS = 10
_SLOWEST = 1 << 14
_SLOW = "its answer comes too slowly"


class KuboStore:
    """A :class:`~radledger.storage.Storage` in a Kubo daemon.

    Parameters
    ----------
    address
        Multiaddr of the RPC API, such as ``/ip4/127.0.0.1/tcp/5001``; with ``/https`` at its end
        where the API is behind TLS.
    timeout
        Seconds to wait for each next piece of an answer, and ten times as long for all of it; for
        a content longer, as its size asks for; for a connection, two at most.

    Raises
    ------
    UsageError
        If ``address`` is not such a multiaddr.

    Notes
    -----
    ``collect`` is the daemon's garbage collection: it deletes all that is not pinned there,
    whichever client put it.

    Examples
    --------
    >>> store = KuboStore("/dns/localhost/tcp/5001")
    >>> store.address
    '/dns/localhost/tcp/5001'
    """

    def __init__(self, address: str, timeout: float = 30.0) -> None:
        self.address = address
        self._timeout = timeout
        connect = min(timeout, _CONNECTING)
        try:
            self._rpc = rpc.connect(address, (connect, timeout))
            url = rpc.url(address)
        except (ipfshttpclient.exceptions.AddressError, ValueError):
            raise UsageError(
                f"{address!r} is not the multiaddr of an RPC API; give one like "
                "/ip4/127.0.0.1/tcp/5001",
                address=address,
            ) from None
        self._proxy = proxy_for(url)
        if is_loopback(url):
            # What a session's own settings say, the environment's proxies go before.
            self._rpc._client._request_proxies = {"no_proxy": "*"}
        self._http = httpx.Client(
            base_url=f"{url}/api/v0/",
            trust_env=not is_loopback(url),
            # Compressed, a small answer could fill the disk.
            headers={"Accept-Encoding": "identity"},
            timeout=httpx.Timeout(timeout, connect=connect),
        )
        over_httpx.hold_to_deadlines(self._http)

    def __reduce__(self) -> tuple[type[KuboStore], tuple[str, float]]:
        """Pickle the address alone, so that worker processes open connections of their own."""
        return KuboStore, (self.address, self._timeout)

    def close(self) -> None:
        """Close the connections that are kept open for the next call."""
        self._http.close()

    def put(self, source: IO[bytes], cid: str | None = None) -> Stored:
        """Store a stream and pin it; see :class:`Storage`.

        Raises
        ------
        ContentMismatch
            If the daemon stored something else than it was sent.
        """
        hashing = _HashingStream(source)
        files = {"file": cast(IO[bytes], hashing)}
        with (
            self._unavailable(),
            self._http.stream("POST", "add", params=_ADD, files=files) as response,
        ):
            answer = rpc.read(response)
        if response.status_code != httpx.codes.OK:
            raise self._refused(_reason(response, answer))
        got = _field(answer, "Hash")
        if got is None:
            raise self._refused("its answer is not Kubo's")
        stored = hashing.stored()
        expected = cid or stored.cid
        if got != expected:
            raise ContentMismatch(
                f"the daemon at {self.address} stored {got} for {expected}; check its disk and "
                "its import settings, and put it again",
                cid=expected,
                got=got,
                size=stored.size,
            )
        return stored

    def put_all(self, contents: Iterable[tuple[IO[bytes], str]]) -> None:
        """Store several streams and pin them; see :class:`Storage`."""
        put_at_once(self, contents)

    def get(self, cid: str, most: int | None = None) -> IO[bytes]:
        """Open a content, fetched and verified as a whole first; see :class:`Storage`."""
        self._reach(cid)
        with (
            self._unavailable(cid, self._deadline(pace=_SLOWEST)),
            self._http.stream("POST", "cat", params={"arg": cid}) as response,
        ):
            if response.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
                raise self._not_found(cid, _reason(response, rpc.read(response)))
            if response.status_code != httpx.codes.OK:
                raise self._refused(f"HTTP status {response.status_code}")
            return verified(cid, response.iter_raw(BUFFER), most)

    def pin(self, cid: str, most: int | None = None) -> None:
        """Pin a content, fetched from the daemon's peers if necessary; see :class:`Storage`."""
        self._reach(cid)
        deadline = self._deadline()
        with (
            self._unavailable(cid, deadline),
            self._http.stream("POST", "pin/add", params={"arg": cid, "progress": "true"}) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise self._not_found(cid, _reason(answer, rpc.read(answer)))
            blocks = self._pinning(cid, rpc.lines(answer), deadline)
            too_many = any(most is not None and got > block_count(most) for got in blocks)
        if most is not None and too_many:
            self.unpin(cid)  # the daemon may have been done by then
            raise too_long(cid, most)

    def unpin(self, cid: str) -> None:
        """Unpin a content; see :class:`Storage`."""
        if self._pins([cid]):
            with self._unavailable(cid):
                self._rpc.pin.rm(cid, opts=_OFFLINE)

    def stat(self, cid: str) -> Stat:
        """Size and pin of a content, all of which the daemon has itself; see :class:`Storage`."""
        cid_digest(cid)
        with self._unavailable(cid):
            answer = self._rpc.files.stat(f"/ipfs/{cid}", opts={**_OFFLINE, "with-local": "true"})
        try:
            size, whole = int(answer["Size"]), answer.get("Local", False)
        except (KeyError, TypeError, ValueError):
            raise self._refused("its answer is not Kubo's") from None
        if not whole:
            raise self._not_found(cid, "it is there only in part")
        return Stat(cid, size, bool(self._pins([cid])))

    def missing(self, cids: Collection[str]) -> set[str]:
        """The contents that are not pinned, queried in batches; see :class:`Storage`."""
        return {cid for part in _parts(cids) for cid in self._unpinned(part)}

    @property
    def copies(self) -> int:
        """One; see :class:`Storage`."""
        return 1

    def holdings(self, cid: str) -> dict[str, Holding]:
        """What this node has of a content; see :class:`Storage`."""
        return {self.address: holding(self, cid)}

    def collect(self) -> None:
        """Delete all that is not pinned in the daemon; see :class:`Storage`."""
        # ipfshttpclient's `repo.gc(quiet=True)` hangs up at once, which stops the collection.
        timeout = httpx.Timeout(self._timeout, connect=_CONNECTING, read=_COLLECTING)
        parameters = {"stream-errors": "true"}
        deadline = Deadline(_COLLECTING)
        with (
            self._unavailable(deadline=deadline),
            self._http.stream("POST", "repo/gc", params=parameters, timeout=timeout) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise self._refused(_reason(response, rpc.read(response)))
            for line in rpc.lines(response):
                if reason := _field(line, "Error"):
                    raise self._refused(reason)
                if deadline.passed:
                    raise self._refused("its collection does not end")

    def _unpinned(self, cids: Sequence[str]) -> list[str]:
        """Those that are not pinned; the daemon stops at the first, so the rest is asked singly."""
        pinned = self._pins(cids)
        left = [cid for cid in cids if cid not in pinned]
        return [cid for cid in left if not self._pins([cid])]

    def _pins(self, cids: Sequence[str]) -> Collection[str]:
        """The pinned ones of some CIDs, up to the first that is not."""
        for cid in cids:
            cid_digest(cid)
        try:
            with self._unavailable(cids[0]):
                answer = self._rpc.pin.ls(*cids, type="recursive", opts=_OFFLINE)
        except ContentNotFound as error:
            if "not pinned" in error.values["reason"]:
                return ()
            raise
        try:
            return set(answer["Keys"])
        except (KeyError, TypeError):
            raise self._refused("its answer is not Kubo's") from None

    def _reach(self, cid: str) -> None:
        """Ensure that the daemon has the beginning of a content, or gets it from a peer now.

        Asked for a content that no node has, it would wait for a node that has it.
        """
        cid_digest(cid)
        try:
            with self._unavailable(cid):
                self._rpc.block.stat(cid, opts=_OFFLINE)
        except ContentNotFound:
            peers = self._peers()
            if not peers:
                raise
            with self._unavailable(cid):
                try:
                    with self._http.stream(
                        "POST", "block/stat", params={"arg": cid}, timeout=_PATIENCE
                    ) as answer:
                        found = answer.status_code == httpx.codes.OK
                except httpx.ReadTimeout:
                    found = False
            if not found:
                reason = f"neither has any node connected to it, {peers} in all"
                raise self._not_found(cid, reason) from None

    def _peers(self) -> int:
        """The number of connected peers."""
        with self._unavailable():
            answer = self._rpc.swarm.peers()
        try:
            return len(answer["Peers"] or ())
        except (KeyError, TypeError):
            raise self._refused("its answer is not Kubo's") from None

    def _pinning(self, cid: str, lines: Iterator[str], deadline: Deadline) -> Iterator[int]:
        """How many blocks the daemon has got, after each line that it sends until it has all."""
        progress, stalled = 0, Deadline(self._timeout)
        for line in lines:
            if _field(line, "Pins") is not None:
                return
            try:
                now = int(_field(line, "Progress") or 0)
            except ValueError:
                raise self._refused("its answer is not Kubo's") from None
            if now > progress:
                progress = now
                stalled.restart()
                deadline.restart()
                yield progress
            elif stalled.passed:
                break
        raise self._not_found(cid, "its peers stopped sending it")

    def _deadline(self, pace: int | None = None) -> Deadline:
        return Deadline(_MOST_WAITS * self._timeout, pace=pace)

    @contextmanager
    def _unavailable(
        self, cid: str | None = None, deadline: Deadline | None = None
    ) -> Iterator[None]:
        """Apply a deadline, and translate errors of libraries into those of a store."""
        deadline = deadline or self._deadline()
        try:
            with within(deadline):
                yield
        except ipfshttpclient.exceptions.ErrorResponse as error:
            if cid is None:
                raise self._refused(str(error)) from error
            raise self._not_found(cid, str(error)) from error
        except rpc.TIMEOUTS as error:
            reason = _SLOW if deadline.passed else "no answer in time"
            raise self._refused(reason, StorageSilent) from error
        except (
            ipfshttpclient.exceptions.ConnectionError,
            requests.RequestException,  # ipfshttpclient lets it through
        ) as error:
            raise self._refused(type(error).__name__) from error  # its text is the library's own
        except (
            ipfshttpclient.exceptions.Error,
            AssertionError,  # ipfshttpclient lets it through
            httpx.HTTPError,
        ) as error:
            raise self._refused(str(error) or type(error).__name__) from error

    def _refused(
        self, reason: str, kind: type[StorageUnavailable] = StorageUnavailable
    ) -> StorageUnavailable:
        if self._proxy is not None:
            reason += f", by way of the proxy {self._proxy}, from the environment"
        return kind(
            f"the Kubo daemon at {self.address} does not serve ({reason}); see that it runs",
            address=self.address,
            reason=reason,
        )

    def _not_found(self, cid: str, reason: str) -> ContentNotFound:
        return ContentNotFound(
            f"the Kubo daemon at {self.address} has no {cid} ({reason})", cid=cid, reason=reason
        )


class _HashingStream(io.RawIOBase):
    """Hash what is read through it; of unknown length, so that httpx streams it."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._hasher = new_hasher()
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        chunk = self._source.read(size)
        self._hasher.update(chunk)
        self._size += len(chunk)
        return chunk

    def stored(self) -> Stored:
        return Stored(self._hasher.finalize(), self._size)


def _parts(cids: Collection[str]) -> Iterator[Sequence[str]]:
    listed = list(cids)
    return (listed[start : start + _AT_ONCE] for start in range(0, len(listed), _AT_ONCE))


def _field(answer: str, name: str) -> str | None:
    """A field of Kubo's JSON object, None if it is not there or the answer is something else."""
    try:
        return str(json.loads(answer)[name])
    except (ValueError, KeyError, TypeError):
        return None


def _reason(response: httpx.Response, answer: str) -> str:
    return _field(answer, "Message") or f"HTTP status {response.status_code}"
