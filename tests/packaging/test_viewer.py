"""``make ohif``: the viewer comes from the package that is pinned, moved to where it is served."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from tools.prepare_viewer import Unexpected, prepare, verify

PACKAGE = {
    "package/package.json": "{}",
    "package/LICENSE": "MIT",
    "package/dist/index.html": '<a href="/a.css"></a><script>window.PUBLIC_URL="/"</script>'
    '<script src="/init-service-worker.js"></script><a href="//cdn.example/"></a>',
    "package/dist/app.bundle.0f6159c501addfe9.js": '__webpack_require__.p = "/"; a("/b")',
    "package/dist/app.bundle.0f6159c501addfe9.js.map": "{}",
    "package/dist/app.bundle.css": "b { background: url(/b.svg) }",
    "package/dist/manifest.json": '{"src": "/assets/a.png"}',
    "package/dist/assets/a.png": "picture",
    "package/dist/app-config.js": "window.config = {}",
    "package/dist/init-service-worker.js": "importScripts('https://cdn.example/')",
    "package/dist/ort/large.wasm": "network",
}


@pytest.fixture
def pack(tmp_path):
    def pack(files):
        path = tmp_path / "package.tgz"
        with tarfile.open(path, "w:gz") as archive:
            for name, text in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
        return path

    return pack


def test_the_application_is_moved_and_what_calls_elsewhere_is_left_out(pack, tmp_path):
    out = tmp_path / "out"
    prepare(pack(PACKAGE), out)
    written = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    script, styles = "app.bundle.0f6159c501addfe9.js", "app.bundle.css"
    compressed = {f"{name}.gz" for name in ("index.html", script, styles)}
    assert written.keys() - compressed == {
        *("index.html", script, styles, "manifest.json", "assets/a.png", "LICENSE")
    }
    assert written[script].read_text() == '__webpack_require__.p = "/ohif/"; a("/b")'
    assert written[styles].read_text() == "b { background: url(/ohif/b.svg) }"
    assert written["manifest.json"].read_text() == '{"src": "/ohif/assets/a.png"}'
    assert (
        written["index.html"].read_text()
        == '<a href="/ohif/a.css"></a><script>window.PUBLIC_URL="/ohif/"</script>'
        '<a href="//cdn.example/"></a>'
    )
    for name in compressed:
        plain = written[name.removesuffix(".gz")].read_bytes()
        assert gzip.decompress(written[name].read_bytes()) == plain


def test_a_package_that_is_not_the_pinned_one_is_refused(pack):
    with pytest.raises(Unexpected, match="SHA-512"):
        verify(pack(PACKAGE))


def test_an_application_of_another_form_is_refused(pack, tmp_path):
    other = {**PACKAGE, "package/dist/app.bundle.0f6159c501addfe9.js": 'b.p="/"'}
    with pytest.raises(Unexpected, match="where its scripts are"):
        prepare(pack(other), tmp_path / "out")
