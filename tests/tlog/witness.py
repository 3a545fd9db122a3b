"""A witness over HTTP, as C2SP's tlog-witness describes it, for tests."""

from __future__ import annotations

import base64
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from radledger.verify.form import Invalid
from radledger.verify.logged.notes import read_checkpoint, signed_at
from radledger.verify.logged.tree import EMPTY, consistent


class DoubleWitness:
    """What it cosigned last of one log, and what it answers.

    `now` is its clock; `answer`, if set, is what it answers to everything.
    """

    def __init__(self, cosigner, log_key, now):
        self.cosigner, self.log_key, self.now = cosigner, log_key, now
        self.size, self.root = 0, EMPTY
        self.answer = None
        self.requests = []
        self.url = ""

    def add_checkpoint(self, body):
        """The status and the text of the answer to a request."""
        self.requests.append(body)
        if self.answer is not None:
            return self.answer
        head, _, note = body.partition(b"\n\n")
        first, *lines = head.decode().split("\n")
        old, proof = int(first.removeprefix("old ")), [base64.b64decode(each) for each in lines]
        try:
            checkpoint = read_checkpoint(note)
            if checkpoint.origin != self.log_key.name:
                return 404, "unknown log\n"
            if signed_at(checkpoint, self.log_key) is None:
                return 403, "not signed by the log\n"
        except Invalid:
            return 403, "not a checkpoint of the log\n"
        if old > checkpoint.size:
            return 400, "old size is larger\n"
        if old != self.size:
            return 409, f"{self.size}\n"
        try:
            if old:
                consistent(old, checkpoint.size, self.root, checkpoint.root, proof)
        except Invalid:
            return 422, "not consistent\n"
        self.size, self.root = checkpoint.size, checkpoint.root
        return 200, self.cosigner.line(checkpoint, self.now())


@contextmanager
def serving(witness):
    """Serve a witness at its `url`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            assert self.path == "/add-checkpoint"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, text = witness.add_checkpoint(body)
            content = text if isinstance(text, bytes) else text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    witness.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield witness
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
