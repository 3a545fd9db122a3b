"""A server in the place of a node, which answers as a test wants."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

HTML = b"<!DOCTYPE html><html><body>Login to hospital WiFi</body></html>"
ERROR = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "invalid project id"}}
SECRETS = "/v3/SECRETKEY?token=SECRETTOKEN"


class AnsweringNode(ThreadingHTTPServer):
    """A server that asks a function for status, headers and body of each answer.

    Attributes
    ----------
    answer
        Called with the decoded request; returns a tuple of these three, or None to pass the
        request on to the node behind. A body that is not bytes is an iterable of its pieces.
    asked
        The decoded requests.
    sent
        How many bytes of answers were sent.
    """

    daemon_threads = True

    def __init__(self, behind=None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = behind
        self.answer = lambda asked: None
        self.asked = []
        self.sent = 0
        self.lines = []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def always(self, status, body, **headers):
        """Give one answer to everything."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = lambda asked: (status, named, content)


class _Handler(BaseHTTPRequestHandler):
    server: AnsweringNode

    def do_POST(self):
        self.server.lines.append(self.requestline)
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
        self.server.asked.append(asked)
        answer = self.server.answer(asked)
        if answer is None:
            with requests.Session() as session:
                session.trust_env = False  # a proxy set by a test is not for this server
                response = session.post(self.server.behind, json=asked, timeout=240)
            answer = (response.status_code, {}, response.content)
        status, headers, body = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if isinstance(body, bytes):
            self.send_header("Content-Length", str(len(body)))
            body = [body]
        self.end_headers()
        with contextlib.suppress(OSError):  # the client may have disconnected
            for piece in body:
                self.wfile.write(piece)
                self.server.sent += len(piece)

    def log_message(self, *args):
        """Say nothing."""


def names_node(error, node, *parts):
    """What an error says: parts of it, in one line, and nothing secret."""
    text = json.dumps([error.message, error.values, repr(error)])
    assert "SECRET" not in text
    assert "\n" not in error.message
    assert error.values["endpoint"] == node.endpoint
    for part in parts:
        assert part in error.message, error.message
