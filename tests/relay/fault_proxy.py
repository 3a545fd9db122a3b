"""A proxy in front of a node that does to some requests what networks do to them."""

from __future__ import annotations

import random
import threading
from collections import Counter
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAULTS = ("fail", "delay", "duplicate", "cut before", "cut after")


class FaultProxy(ThreadingHTTPServer):
    """Passes requests on, except for a share of them.

    ``fail``        answered with 503, and not passed on
    ``delay``       passed on, and answered late
    ``duplicate``   passed on twice; the second answer is given
    ``cut before``  the connection ends before it is passed on
    ``cut after``   passed on, and the connection ends within the answer

    Parameters
    ----------
    upstream
        Address of the node.
    share
        Of the requests, how many meet a fault.
    seed
        Of the choice.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream: str, share: float, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream).netloc
        self.counts: Counter[str] = Counter()
        self._share = share
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def __enter__(self) -> FaultProxy:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def choose(self) -> str:
        """What is done to the next request."""
        with self._lock:
            faulty = self._random.random() < self._share
            choice = self._random.choice(FAULTS) if faulty else "pass"
            self.counts[choice] += 1
            return choice

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that end early."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultProxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fault = self.server.choose()
        if fault == "fail":
            self._answer(503, b"{}")
            return
        if fault == "cut before":
            self.close_connection = True
            return
        status, content = self._forward(body)
        if fault == "duplicate":
            status, content = self._forward(body)
        if fault == "delay":
            threading.Event().wait(0.3)
        if fault == "cut after":
            self._answer(status, content, sent=len(content) // 2)
            self.close_connection = True
            return
        self._answer(status, content)

    def _forward(self, body: bytes) -> tuple[int, bytes]:
        connection = HTTPConnection(self.server.upstream, timeout=60)
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _answer(self, status: int, content: bytes, sent: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if sent is None else content[:sent])

    def log_message(self, *arguments: object) -> None:
        """Keep no log."""
