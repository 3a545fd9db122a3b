"""Orthanc obeys a RadLedger gateway: each HTTP request is asked about, or refused.

A script for the Python plugin of Orthanc (``"PythonScript"``).  It asks the gateway what Orthanc's
authorization plugin would ask.  The section ``RadLedger`` of Orthanc's configuration has the
gateway's address, and the file with the name and password for it; see README.md beside this file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
import urllib.request
from pathlib import Path

import orthanc

GET, POST, PUT = 1, 2, 3
SECONDS = 5.0
MOST_ANSWERS = 10_000
UID = re.compile(r"(?=.{1,64}\Z)(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")
ID = r"([0-9a-f]{8}(?:-[0-9a-f]{8}){4})"
# What Orthanc's own interface gives of a study, a series or an instance, and of nothing else.
REST = re.compile(
    rf"/(?:(studies)/{ID}(?:/archive|/media|/series|/instances)?"
    rf"|(series)/{ID}(?:/archive|/media|/instances)?"
    rf"|(instances)/{ID}(?:/file|/preview|/rendered|/tags|/simplified-tags)?)"
)
WEB = re.compile(
    r"studies/([0-9.]+)(?:/(?:metadata|series|instances|rendered))?"
    r"|studies/[0-9.]+/series/([0-9.]+)(?:/(?:metadata|instances|rendered))?"
    r"|studies/[0-9.]+/series/[0-9.]+/instances/([0-9.]+)"
    r"(?:/(?:metadata|rendered|frames/[0-9,]+(?:/rendered)?|bulk/[0-9a-fA-F/]+))?"
)
FILE = re.compile(r"(/[\w-][\w.-]*)+/?")
LEVELS = ("study", "series", "instance")
NAMES = {"study": "StudyInstanceUID", "series": "SeriesInstanceUID", "instance": "SOPInstanceUID"}
STUDY_KEYS = ("studyinstanceuid", "0020000d")
# A parameter that is not known might widen what a path names.
PARAMETERS = {
    *("token", "accept", "includefield", "limit", "offset", "fuzzymatching"),
    *("quality", "viewport", "window"),
}

_settings = {}
_granted = {}  # until when (of the monotonic clock), by question
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def permit(uri, **request):
    """Say whether Orthanc may answer a request; what cannot be decided is refused."""
    try:
        return _permit(uri, request)
    except Exception as error:
        orthanc.LogWarning(f"RadLedger refuses {request.get('method')} {uri}: {error!r}")
        return False


def _permit(uri, request):
    if request["method"] == PUT and re.fullmatch(r"/auth/tokens/[a-z-]+", uri):
        return True  # the gateway decides
    if request["method"] != GET:
        return False
    arguments = {name.lower(): value for name, value in request["get"].items()}
    if len(arguments) < len(request["get"]):
        return False  # which one counts?
    unchecked = tuple(_settings.get("UncheckedFolders", ()))
    if uri.startswith(unchecked) and FILE.fullmatch(uri):
        return True
    token = _token(request)
    asked = None if token is None else asked_for(uri, arguments)
    return asked is not None and all(granted(token, *each) for each in asked)


def asked_for(uri, arguments):
    """Levels and UIDs that have to be granted for a path and its parameters; None if unknown."""
    if found := REST.fullmatch(uri):
        kind, identifier = (each for each in found.groups() if each)
        level = LEVELS[("studies", "series", "instances").index(kind)]
        return _below(level, identifier) if set(arguments) <= {"token"} else None
    root = _settings["DicomWebRoot"]
    if not uri.startswith(root):
        return None
    path = uri[len(root) :]
    keys = [key for key in STUDY_KEYS if key in arguments]
    if path in ("studies", "series", "instances") and len(keys) == 1:
        level, uid = "study", arguments.pop(keys[0])
    elif found := WEB.fullmatch(path):
        (position,) = (n for n, uid in enumerate(found.groups()) if uid)
        level, uid = LEVELS[position], found[position + 1]
    else:
        return None
    if not UID.fullmatch(uid) or not set(arguments) <= PARAMETERS:
        return None
    asked = {(level, uid)}
    for resource in json.loads(orthanc.RestApiPost("/tools/lookup", uid)):
        if level == "study" and resource["Type"] == "Study":
            asked |= _below("study", resource["ID"])
    return asked


def _below(level, identifier):
    """A resource, and the series that Orthanc has of a study: all of them are shown with it."""
    kinds = {"study": "studies", "series": "series", "instance": "instances"}
    found = json.loads(orthanc.RestApiGet(f"/{kinds[level]}/{identifier}"))
    asked = {(level, found["MainDicomTags"][NAMES[level]])}
    for series in found["Series"] if level == "study" else ():
        asked |= _below("series", series)
    return asked


def granted(token, level, uid):
    """Whether the gateway grants a study, series or instance to a token."""
    question = hashlib.sha256(f"{token}\0{level}\0{uid}".encode()).digest()
    if _granted.get(question, 0.0) > time.monotonic():
        return True
    asked_at = time.monotonic()
    fields = {"level": level, "method": "get", "dicom-uid": uid, "token-value": token}
    answer = _ask("POST", "tokens/validate", fields)
    if answer["granted"] is not True:
        return False
    if len(_granted) >= MOST_ANSWERS:
        _granted.clear()
    _granted[question] = asked_at + answer["validity"]
    return True


def make_link(output, uri, **request):
    """Give a token for some studies, as the authorization plugin does: `PUT /auth/tokens/TYPE`."""
    if request["method"] != "PUT":  # a filter is given numbers
        output.SendMethodNotAllowed("PUT")
        return
    try:
        body = json.loads(request["body"])
        fields = {
            "token-value": _token(request),
            "resources": [
                {"dicom-uid": each["DicomUid"], "level": each["Level"].lower()}
                for each in body["Resources"]
            ],
        }
        for ours, theirs in (
            ("validity-duration", "ValidityDuration"),
            ("expiration-date", "ExpirationDate"),
        ):
            if theirs in body:
                fields[ours] = body[theirs]
        answer = _ask("PUT", "tokens/" + request["groups"][0], fields)
    except Exception as error:
        orthanc.LogWarning(f"RadLedger gives no link: {error!r}")
        output.SendHttpStatusCode(403)
        return
    link = {"Token": answer["token"], "Url": answer["url"]}
    output.AnswerBuffer(json.dumps(link), "application/json")


def _token(request):
    headers = {name.lower(): value for name, value in request["headers"].items()}
    given = headers.get("authorization") or headers.get("token")
    return given or request.get("get", {}).get("token")  # without `GET` there is none


def _ask(method, path, fields):
    body = json.dumps(fields).encode()
    headers = {"Content-Type": "application/json", "Authorization": _settings["Authorization"]}
    url = _settings["Gateway"] + path
    request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310
    with _opener.open(request, timeout=SECONDS) as answer:
        return json.load(answer)


def configure(configuration):
    """Read Orthanc's configuration; without the gateway's address, every request is refused."""
    section = configuration["RadLedger"]
    credentials = Path(section["PasswordFile"]).read_bytes().strip()
    root = configuration.get("DicomWeb", {}).get("Root", "/dicom-web/")
    _settings.update(
        Gateway=section["Gateway"].rstrip("/") + "/orthanc/",
        Authorization=f"Basic {base64.b64encode(credentials).decode()}",
        DicomWebRoot="/" + root.strip("/") + "/",
        UncheckedFolders=section.get("UncheckedFolders", []),
    )


# Before anything that can fail.
orthanc.RegisterIncomingHttpRequestFilter(permit)
orthanc.RegisterRestCallback("/auth/tokens/(.*)", make_link)
configure(json.loads(orthanc.GetConfiguration()))
