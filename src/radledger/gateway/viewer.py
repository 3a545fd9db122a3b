"""The viewer that a gateway serves: OHIF as ``make ohif`` prepares it, below ``/ohif/``.

Its pages run scripts that they make themselves (`unsafe-eval`), so it is served at the gateway's
own host name alone, where the one cookie is for the images that it shows.

References
----------
.. [1] OHIF, https://docs.ohif.org/configuration/configurationFiles
.. [2] Content Security Policy Level 3, https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from radledger.endpoints import shown
from radledger.gateway.dicomweb import ROOT as DICOM_WEB
from radledger.gateway.errors import InvalidGatewayUrl, InvalidViewerOrigin, ViewerMissing
from radledger.httpapi.browsers import origin_of
from radledger.identity.identities import require_gateway_url

if TYPE_CHECKING:
    from starlette.types import Scope

__all__ = ["MOUNT", "SETTINGS", "ViewerFiles", "require_origin", "require_viewer", "viewer_path"]

MOUNT = "/ohif"
_CONFIGURATION, _PAGE = "app-config.js", "index.html"

# JPEG 2000 is decoded by functions that are made from strings, others in workers made from blobs.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "worker-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "manifest-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
# The name of such a file has a digest of its content.
_NAMED_BY_DIGEST = re.compile(r"(?:^|\.)[0-9a-f]{16}\.")
_SOURCE = {
    "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
    "sourceName": "radledger",
    "configuration": {
        "friendlyName": "RadLedger",
        "name": "radledger",
        "wadoUriRoot": DICOM_WEB,
        "qidoRoot": DICOM_WEB,
        "wadoRoot": DICOM_WEB,
        "qidoSupportsIncludeField": True,
        "imageRendering": "wadors",
        "thumbnailRendering": "wadors",
        "enableStudyLazyLoad": True,
        "supportsFuzzyMatching": False,
        "supportsWildcard": True,
        "omitQuotationForMultipartRequest": True,
        "bulkDataURI": {"enabled": True},
    },
}
SETTINGS = {
    "routerBasename": MOUNT,
    "extensions": [],
    "modes": [],
    "customizationService": [{"ohif.tours": {"$set": []}}],
    "showStudyList": True,
    "maxNumberOfWebWorkers": 2,
    "showWarningMessageForCrossOrigin": False,
    "showCPUFallbackMessage": False,
    "strictZSpacingForVolumeViewport": True,
    "investigationalUseDialog": {"option": "never"},
    "disableConfirmationPrompts": True,
    "defaultDataSourceName": _SOURCE["sourceName"],
    "dataSources": [_SOURCE],
}
"""How OHIF is configured, for a gateway of the same origin."""


def require_origin(url: str) -> str:
    """The origin of a viewer elsewhere: scheme, host and port, with TLS unless on this machine.

    Raises
    ------
    InvalidViewerOrigin
        If it is not one.

    Examples
    --------
    >>> require_origin("https://viewer.hospital.example")
    'https://viewer.hospital.example'
    """
    try:
        if require_gateway_url(url) == url and origin_of(url) == url:
            return url
    except (InvalidGatewayUrl, ValueError):
        pass
    raise InvalidViewerOrigin(
        f"{shown(url)!r} is not the origin of a viewer; give scheme, host and port alone, such as "
        "https://viewer.hospital.example",
        origin=shown(url),
    )


def require_viewer(folder: Path, url: str | None = None) -> Path:
    """The folder of a prepared viewer, which a gateway serves at its public address.

    Raises
    ------
    ViewerMissing
        If there is none.
    InvalidGatewayUrl
        If the address has a path, below which the viewer does not find its files.
    """
    if url is not None and urlsplit(url).path:
        raise InvalidGatewayUrl(
            f"a gateway with a viewer has a host name of its own, and {shown(url)} is given with a "
            "path; give --url without one",
            gateway=shown(url),
        )
    if not (folder / _PAGE).is_file():
        raise ViewerMissing(
            f"{folder} has no viewer; run `make ohif` and name the folder build/ohif",
            path=str(folder),
        )
    return folder


def viewer_path(studies: Collection[str]) -> str:
    """Where the viewer shows one study, or the list of several.

    Examples
    --------
    >>> viewer_path(["1.2.3"]), viewer_path(["1.2.3", "1.2.4"])
    ('/ohif/viewer?StudyInstanceUIDs=1.2.3', '/ohif/')
    """
    if len(studies) == 1:
        (study,) = studies
        return f"{MOUNT}/viewer?StudyInstanceUIDs={quote(study, safe='')}"
    return f"{MOUNT}/"


class ViewerFiles(StaticFiles):
    """The files of the viewer, compressed where a browser accepts that.

    Parameters
    ----------
    folder
        As `require_viewer` returns it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self._compressed = {
            path.relative_to(folder).as_posix().removesuffix(".gz") for path in folder.rglob("*.gz")
        }

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file; the application's own addresses, which have no suffix, are its page.

        Raises
        ------
        HTTPException
            If there is no such file.
        """
        if path == _CONFIGURATION:
            settings = f"window.config = {json.dumps(SETTINGS)};"
            return _described(Response(settings, media_type="text/javascript"), path)
        name = path if PurePosixPath(path).suffix else _PAGE
        compressed = name in self._compressed and "gzip" in Headers(scope=scope).get(
            "accept-encoding", ""
        )
        response = await super().get_response(f"{name}.gz" if compressed else name, scope)
        if compressed:
            response.headers["Content-Encoding"] = "gzip"
        return _described(response, name)


def _described(response: Response, name: str) -> Response:
    for_good = _NAMED_BY_DIGEST.search(name)
    response.headers["Cache-Control"] = (
        "public, max-age=31536000, immutable" if for_good else "no-cache"
    )
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Vary"] = "Accept-Encoding"
    return response
