"""Nodes that are one anvil behind a proxy each, which can be cut off or lie."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests


class RelayedNode(ThreadingHTTPServer):
    """A node that passes requests on; what a test wants changed, it changes on the way back.

    Attributes
    ----------
    down
        Whether it closes each connection without an answer.
    silent
        Whether it keeps each connection and never answers.
    change
        Called with method, parameters and answer; returns the answer to give.
    asked
        The methods that it was asked for, but for those that only look how it is.
    """

    daemon_threads = True

    def __init__(self, behind):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = behind
        self.down = False
        self.silent = False
        self._closing = threading.Event()
        self.change = lambda method, params, answer: answer
        self.asked = []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def shutdown(self):
        """End, and let go of those who wait for an answer."""
        self._closing.set()
        super().shutdown()

    def keep_silent(self):
        """Wait until the end."""
        self._closing.wait()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def lies(self, method, result):
        """Let every answer to a method be this result."""

        def change(called, params, answer):
            return {**answer, "result": result} if called == method else answer

        self.change = change

    def lags(self, blocks):
        """Know nothing of the last so many blocks."""

        def change(called, params, answer):
            if called == "eth_getBlockByNumber" and params[0] == "latest":
                head = max(0, int(answer["result"]["number"], 16) - blocks)
                body = {"jsonrpc": "2.0", "id": answer["id"], "method": called}
                body["params"] = [hex(head), False]
                return requests.post(self.behind, json=body, timeout=240).json()
            return answer

        self.change = change

    def forks(self):
        """Have another hash for all blocks but the first."""

        def change(called, params, answer):
            if called == "eth_getBlockByNumber" and int(answer["result"]["number"], 16):
                return {**answer, "result": {**answer["result"], "hash": "0x" + 32 * "f0"}}
            return answer

        self.change = change


class _Handler(BaseHTTPRequestHandler):
    server: RelayedNode

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.silent:
            self.server.keep_silent()
        if self.server.down or self.server.silent:
            self.close_connection = True
            return
        answers = requests.post(self.server.behind, json=asked, timeout=240).json()
        if isinstance(asked, list):
            answers = [self.changed(*both) for both in zip(asked, answers, strict=True)]
        else:
            answers = self.changed(asked, answers)
        body = json.dumps(answers).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def changed(self, asked, answer):
        method, params = asked["method"], asked["params"]
        if method not in ("eth_chainId", "eth_getBlockByNumber"):
            self.server.asked.append(method)
        return self.server.change(method, params, answer)

    def log_message(self, *args):
        """Say nothing."""
