"""Bring OHIF from npm as it is packed, and write what a gateway serves of it into ``build/ohif``.

Nothing is built: the package has the finished application.  It is moved below ``/ohif/``; what it
would load from elsewhere, and 150 MB that no image needs, are left out.

python tools/prepare_viewer.py [--from TGZ]
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "ohif"
VERSION = "3.13.2"
INTEGRITY = (
    "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
)
"""SHA-512 of the package, as the registry states it."""
BASE = "/ohif/"

_APPLICATION = "package/dist/"
# Segmentation by neural networks, slide microscopy, sign-in by others, and a service worker that
# loads scripts from a network of another company.
_LEFT_OUT = (
    *("ort/", "dicom-microscopy-viewer/", "customizations/", "sw.js", "init-service-worker.js"),
    *("oidc-client.min.js", "google.js", "silent-refresh.html", "es6-shim", "polyfill"),
    *("_headers", "_redirects", "serve.json", "assets/apple-touch-startup", "assets/yandex"),
    *("assets/coast", "app-config.js"),
)
_COMPRESSED = (".css", ".html", ".js", ".svg", ".wasm")
_ROOT_OF_SCRIPTS = b'__webpack_require__.p = "/"'


class Unexpected(Exception):
    """The package is not the one that this program was written for."""


def packed(folder: Path) -> Path:
    """Have npm bring the package, without what it depends on."""
    name = f"@ohif/app@{VERSION}"
    command = ["npm", "pack", name, "--ignore-scripts", "--silent", "--pack-destination"]
    subprocess.run([*command, str(folder)], check=True, stdout=subprocess.DEVNULL)
    (path,) = folder.glob("*.tgz")
    return path


def verify(package: Path) -> None:
    """Refuse a package that is not the pinned one."""
    with package.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    if base64.b64encode(digest).decode() != INTEGRITY:
        raise Unexpected(f"{package} is not @ohif/app {VERSION}: its SHA-512 is another one")


def wanted(package: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file that is served."""
    with tarfile.open(package) as archive:
        for member in archive:
            name = member.name.removeprefix(_APPLICATION)
            is_licence = member.name == "package/LICENSE"
            if member.isfile() and (is_licence or name != member.name):
                if is_licence:
                    name = "LICENSE"
                file = archive.extractfile(member)
                if file and not name.endswith((".map", ".md")) and not name.startswith(_LEFT_OUT):
                    yield name, _moved(name, file.read())


def prepare(package: Path, out: Path) -> int:
    """Write the files into a folder; how many bytes."""
    total = 0
    moved = False
    for name, data in wanted(package):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        total += len(data)
        moved |= name.startswith("app.bundle.") and f'.p = "{BASE}"'.encode() in data
        if path.suffix in _COMPRESSED:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(data, 6, mtime=0))
    if not moved:
        raise Unexpected("the application does not say where its scripts are; see _moved")
    return total


def _moved(name: str, data: bytes) -> bytes:
    """A file of the application as it is below `BASE`."""
    base = BASE.encode()
    if name.endswith(".js"):
        return data.replace(_ROOT_OF_SCRIPTS, b'__webpack_require__.p = "%s"' % base)
    if name.endswith(".css"):
        return data.replace(b"url(/", b"url(%s" % base)
    if name == "manifest.json":
        return data.replace(b'"/', b'"' + base)
    if name == "index.html":
        data = re.sub(rb'(href|src|content)="/(?!/)', rb'\1="' + base, data)
        data = re.sub(rb'<link rel="(apple-touch-startup-image|yandex)[^>]*>', b"", data)
        data = re.sub(rb"<script[^>]*init-service-worker[^>]*></script>", b"", data)
        return data.replace(b'PUBLIC_URL="/"', b'PUBLIC_URL="%s"' % base)
    return data


def main() -> int:
    """Prepare the viewer, unless the same is there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--from", dest="package", type=Path, metavar="TGZ", help="npm's package")
    options = parser.parse_args()
    stamp = OUT / "prepared"
    program = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    if not (stamp.is_file() and stamp.read_text("utf-8") == program):
        if options.package is None and shutil.which("npm") is None:
            print("OHIF comes from npm, which is not installed; run `make setup`", file=sys.stderr)
            return 1
        OUT.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=OUT.parent) as folder:
            package = options.package or packed(Path(folder))
            verify(package)
            new = Path(folder) / "ohif"
            total = prepare(package, new)
            (new / "prepared").write_text(program, "utf-8")
            shutil.rmtree(OUT, ignore_errors=True)
            new.rename(OUT)
        print(f"{total / 1e6:.0f} MB of @ohif/app {VERSION}")
    print(f"OHIF {VERSION}: {OUT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
