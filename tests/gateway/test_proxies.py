"""Behind the proxies of the documentation: what one takes for one request, the gateway does too."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import textwrap
import threading
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from radledger.gateway import Gateway, create_application
from radledger.gateway.errors import GATEWAY
from radledger.httpapi.server import serving
from tests.relay.test_slow import closed

DOCS = Path(__file__).parents[2] / "docs" / "gateway.md"
HOST = "gateway.hospital.example"
HEAD = f"Host: {HOST}\r\n".encode()
BEHIND = b"GET /behind HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
# Connections that are waited for end soon.
CADDY = """{
    admin off
    auto_https off
    default_bind 127.0.0.1
    servers {
        timeouts {
            read_header 1s
            read_body 1s
            idle 1s
        }
    }
}
"""
NGINX = "client_header_timeout 1s;\nclient_body_timeout 1s;\nkeepalive_timeout 1s;\n"
ATTACKS = {
    "length and chunks": b"Content-Length: %d\r\n" % (5 + len(BEHIND)) + CHUNKED + b"\r\n0\r\n\r\n",
    "chunks and length": CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(BEHIND),
    "a list of lengths": b"Content-Length: 0, %d\r\n\r\n" % len(BEHIND),
    "space before the colon": b"Content-Length: 0\r\nTransfer-Encoding : chunked\r\n\r\n",
    "tab before the value": b"Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "chunked twice": CHUNKED + CHUNKED + b"\r\n0\r\n\r\n",
    "unknown coding": b"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n",
    "folded": b"X: a\r\n Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "bare line feeds": b"Content-Length: 0\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "extension of a chunk": CHUNKED + b"\r\n0;\r\n\r\n",
    "length in hexadecimal": b"Content-Length: 0x0\r\n\r\n",
    "signed length": b"Content-Length: +0\r\n\r\n",
}


def configuration(name):
    """What the documentation says of a proxy."""
    text = DOCS.read_text("utf-8")
    for block in re.findall(r"```\n(.*?)```", text.split("## Before it", 1)[1], re.DOTALL):
        if ("reverse_proxy" in block) == (name == "caddy"):
            return block
    raise AssertionError(name)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def caddy(folder, port, gateway):
    site = configuration("caddy").replace(HOST, f"http://{HOST}:{port}")
    (folder / "Caddyfile").write_text(CADDY + site.replace("127.0.0.1:8091", gateway))
    run = ["run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"]
    with running("caddy", *run, folder=folder):
        yield


@contextmanager
def nginx(folder, port, gateway):
    site = configuration("nginx").replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    site = textwrap.indent(site.replace("127.0.0.1:8091", gateway), "    ")
    paths = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{NGINX}{paths}{site}}}\n"
    )
    with running("nginx", "-p", folder, "-c", folder / "nginx.conf", folder=folder):
        yield


@contextmanager
def running(name, *arguments, folder):
    program = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if program is None:
        pytest.skip(f"needs {name}, on PATH")
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "PATH": "/usr/bin:/bin"}
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [program, *arguments], stderr=output, stdout=output, env=environment
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture
def seen():
    """The paths for which the gateway was asked."""
    return []


@pytest.fixture(params=[caddy, nginx], ids=["caddy", "nginx"])
def proxy(request, home, who, tmp_path, seen):
    """Address of a proxy before a gateway."""

    def create(_):
        application = create_application(Gateway(home, who.hospital, f"https://{HOST}"))

        class Watched:
            def __init__(self, app):
                self.app = app

            async def __call__(self, scope, receive, send):
                if scope["type"] == "http":
                    seen.append(scope["path"])
                await self.app(scope, receive, send)

        application.add_middleware(Watched)
        return application

    with serving(GATEWAY, create) as url:
        port = free_port()
        folder = tmp_path / "proxy"
        folder.mkdir()
        with request.param(folder, port, urlsplit(url).netloc):
            wait_for(port)
            yield "127.0.0.1", port


def wait_for(port):
    for _ in range(2400):
        with socket.socket() as connection:
            connection.settimeout(60)
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                return
            threading.Event().wait(0.05)
    raise AssertionError("the proxy does not listen")


def sent(address, request):
    """What comes until the connection ends."""
    with socket.create_connection(address, timeout=120) as connection:
        connection.sendall(request)
        return closed(connection)


def asked_for(address, path):
    """Ask as another client; the answer's status and text."""
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(address, timeout=120) as connection:
        connection.sendall(request.encode())
        answer = HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.read().decode()


def test_no_request_is_smuggled_past_a_proxy(proxy, seen):
    """Its answer would be given to who asks next over the proxy's connection to the gateway."""
    assert asked_for(proxy, "/health")[0] == 200
    for name, attack in ATTACKS.items():
        seen.clear()
        answers = sent(proxy, b"POST /sessions HTTP/1.1\r\n" + HEAD + attack + BEHIND)
        # Each that the gateway answered was one for the proxy, which passed its answer on.
        assert len(seen) <= answers.count(b"HTTP/1.1 "), name
        for number in range(3):
            status, text = asked_for(proxy, f"/mine-{number}")
            assert status == 404, name
            assert f"/mine-{number}" in text, name


def test_a_body_that_is_too_large_is_refused_by_proxy_or_gateway(proxy):
    head = b"POST /sessions HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\n"
    body = b'{"message": "' + b"a" * 400_000 + b'"}'
    answer = sent(proxy, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_page_of_another_host_is_not_answered(proxy):
    answer = sent(proxy, b"GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert b"custodian" not in answer
