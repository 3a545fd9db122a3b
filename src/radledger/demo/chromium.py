"""Have Chromium open a page, look at it, and take a picture of it.

References
----------
.. [1] Chrome DevTools Protocol, https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

__all__ = ["BrowserFailed", "Page", "opened", "program"]

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    *("--headless", "--no-first-run", "--no-default-browser-check", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--disable-dev-shm-usage",  # containers have little of it
    # What a viewer draws with WebGL is computed where there is no graphics card.
    *("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"),
    "--remote-debugging-pipe",
)
# Chromium reads commands from descriptor 3 and writes answers to 4.
_WITH_PIPES = """
import os, sys
_, read, write, *command = sys.argv
os.dup2(int(read), 3)
os.dup2(int(write), 4)
os.execv(command[0], command)
"""
_ABOVE = 10  # no descriptor of its own has such a number yet
_ANSWER, _LOOK, _END = 60.0, 0.1, 10.0  # seconds


class BrowserFailed(Exception):
    """Chromium does not start, answer, or understand."""


def program() -> str | None:
    """Path of Chromium; None where it is not installed."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


class Page:
    """A page in a browser of its own.

    Attributes
    ----------
    requested
        The addresses that it asked for.
    complaints
        What it reported as errors.
    """

    def __init__(self, pipe: _Pipe) -> None:
        self.requested: list[str] = []
        self.complaints: list[str] = []
        self._pipe = pipe
        self._session: str | None = None
        pipe.on_event = self._note
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def go(self, url: str) -> None:
        """Open an address.

        Raises
        ------
        BrowserFailed
            If nothing answers there.
        """
        failed = self._call("Page.navigate", url=url).get("errorText")
        if failed:
            raise BrowserFailed(failed)

    def reload(self) -> None:
        """Load the page again, as the user's key does."""
        self._call("Page.reload")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrowserFailed(str(answer["exceptionDetails"].get("exception", answer)))
        return answer["result"].get("value")

    def wait_until(self, expression: str, seconds: float) -> bool:
        """Whether an expression becomes true in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(BrowserFailed):  # the page is being replaced
                if self.evaluate(expression):
                    return True
            time.sleep(_LOOK)
        return False

    def picture(self) -> bytes:
        """What it looks like, as PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot")["data"])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._pipe.call(method, parameters, self._session)

    def _note(self, method: str, parameters: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requested.append(parameters["request"]["url"])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            entry = parameters["entry"]
            self.complaints.append(f"{entry['text']} {entry.get('url', '')}".rstrip())
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(parameters["exceptionDetails"]))


@contextmanager
def opened(path: str, width: int = 1280, height: int = 800) -> Iterator[Page]:
    """A browser with an empty page and a profile of its own.

    Parameters
    ----------
    path
        The program.
    width, height
        Of its window.

    Raises
    ------
    BrowserFailed
        If it does not start.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = [*_FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # which it does not have for root
        theirs_read, ours_write = map(_moved, os.pipe())
        ours_read, theirs_write = map(_moved, os.pipe())
        process = subprocess.Popen(
            [sys.executable, "-c", _WITH_PIPES, str(theirs_read), str(theirs_write), path, *flags],
            pass_fds=(theirs_read, theirs_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_read)
        os.close(theirs_write)
        try:
            yield Page(_Pipe(ours_read, ours_write))
        finally:
            os.close(ours_write)  # by which it ends
            try:
                process.wait(_END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(ours_read)


class _Pipe:
    """Commands to a browser, and its answers; each message ends with a zero byte."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = read, write
        self._received = b""
        self._last = 0
        self.on_event: Callable[[str, dict[str, Any]], None] = lambda method, parameters: None

    def call(self, method: str, parameters: dict[str, Any], session: str | None) -> dict[str, Any]:
        self._last += 1
        command = {"id": self._last, "method": method, "params": parameters}
        if session is not None:
            command["sessionId"] = session
        self._send(json.dumps(command).encode() + b"\0")
        deadline = time.monotonic() + _ANSWER
        while True:
            message = self._receive(deadline)
            if "method" in message:
                self.on_event(message["method"], message["params"])
            elif message.get("id") == self._last:
                if "error" in message:
                    raise BrowserFailed(f"{method}: {message['error']['message']}")
                result: dict[str, Any] = message["result"]
                return result

    def _send(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._write, data) :]
        except BrokenPipeError:
            raise BrowserFailed("Chromium has ended") from None

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._received:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._read], [], [], left)[0]:
                raise BrowserFailed("Chromium does not answer")
            piece = os.read(self._read, 1 << 16)
            if not piece:
                raise BrowserFailed("Chromium has ended")
            self._received += piece
        text, _, self._received = self._received.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message


def _moved(descriptor: int) -> int:
    """The same under a number that Chromium does not use itself."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _ABOVE)
    os.close(descriptor)
    return moved
