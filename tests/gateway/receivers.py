"""What receives notices in tests: a webhook, and a mail server, on ports of the system's choice."""

from __future__ import annotations

import json
import socketserver
import threading
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from types import SimpleNamespace

import pytest

LOOPBACK = (ip_network("127.0.0.0/8"),)


@contextmanager
def webhook(status=204, headers=()):
    """A webhook that answers with a status; gives its URL, and the requests that came."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((self.path, dict(self.headers), body))
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, running(server):
        yield f"http://127.0.0.1:{server.server_port}/hook", requests


@contextmanager
def mail_server(refused=()):
    """A mail server; gives its port, and sender, recipients and message of what came."""
    mails = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.say("220 mail.example")
            sender, recipients = "", []
            while line := self.rfile.readline().decode().rstrip("\r\n"):
                verb, _, rest = line.partition(":")
                word = verb.split(" ")[0].upper()
                if word == "MAIL":
                    sender = rest.partition(">")[0].strip(" <")
                elif word == "RCPT":
                    recipients.append(rest.strip(" <>"))
                    if recipients[-1] in refused:
                        self.say("550 no such mailbox")
                        continue
                elif word == "DATA":
                    self.say("354 go on")
                    message = message_from_bytes(self.data(), policy=policy.default)
                    mails.append((sender, recipients, message))
                self.say("221 bye" if word == "QUIT" else "250 ok")

        def data(self):
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line.removeprefix(b"."))
            return b"".join(lines)

        def say(self, text):
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server, running(server):
        yield server.server_address[1], mails


@contextmanager
def running(server):
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@pytest.fixture
def hook():
    with webhook() as (url, requests):
        yield SimpleNamespace(url=url, requests=requests)


@pytest.fixture
def mailbox():
    with mail_server(refused=["nobody@example.org"]) as (port, mails):
        yield SimpleNamespace(port=port, mails=mails)


def kinds(requests):
    return [json.loads(body)["type"] for _, _, body in requests]
