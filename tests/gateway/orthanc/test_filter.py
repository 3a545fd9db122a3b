"""The filter in Orthanc: what it asks the gateway for each request, and refuses by itself.

Orthanc is played here; test_peer.py has a real one.
"""

# ruff: noqa: N802 (names of the plugin's functions)

from __future__ import annotations

import importlib.util
import io
import json
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import pytest

SCRIPT = Path(__file__).parents[3] / "infra/orthanc/radledger_filter.py"
GET, POST, PUT, DELETE = 1, 2, 3, 4
STUDY, FIRST, SECOND, INSTANCE = "1.2.3", "1.2.3.1", "1.2.3.2", "1.2.3.1.1"
STUDY_ID, FIRST_ID, SECOND_ID, INSTANCE_ID = (
    "-".join([f"{number:08x}"] * 5) for number in range(1, 5)
)
RESOURCES = {
    f"/studies/{STUDY_ID}": {
        "MainDicomTags": {"StudyInstanceUID": STUDY},
        "Series": [FIRST_ID, SECOND_ID],
    },
    f"/series/{FIRST_ID}": {"MainDicomTags": {"SeriesInstanceUID": FIRST}},
    f"/series/{SECOND_ID}": {"MainDicomTags": {"SeriesInstanceUID": SECOND}},
    f"/instances/{INSTANCE_ID}": {"MainDicomTags": {"SOPInstanceUID": INSTANCE}},
}
WHOLE_STUDY = {("study", STUDY), ("series", FIRST), ("series", SECOND)}


class Orthanc:
    """What the filter uses of the module of Orthanc's Python plugin."""

    def __init__(self, configuration):
        self._configuration = configuration
        self.filter, self.callbacks, self.warnings = None, {}, []

    def RegisterIncomingHttpRequestFilter(self, permit):
        self.filter = permit

    def RegisterRestCallback(self, path, callback):
        self.callbacks[path] = callback

    def GetConfiguration(self):
        return json.dumps(self._configuration)

    def LogWarning(self, text):
        self.warnings.append(text)

    def RestApiGet(self, path):
        return json.dumps(RESOURCES[path])

    def RestApiPost(self, path, uid):
        assert path == "/tools/lookup"
        found = [{"Type": "Study", "ID": STUDY_ID}] if uid == STUDY else []
        return json.dumps(found)

    def ask(self, uri, method=GET, headers=None, **get):
        headers = {"authorization": "Bearer good"} if headers is None else headers
        arguments = {"get": get} if method == GET else {}
        return self.filter(uri, method=method, headers=headers, ip="127.0.0.1", **arguments)


class Gateway:
    """What a gateway would answer, and what it was asked."""

    def __init__(self):
        self.asked, self.refused, self.validity, self.answers = [], set(), 1, True

    def open(self, request, timeout):
        assert request.get_header("Authorization") == "Basic b3J0aGFuYzpzZWNyZXQ="
        assert request.get_header("Content-type") == "application/json"
        body = json.loads(request.data)
        self.asked.append((request.method, request.full_url, body))
        if not self.answers:
            raise URLError("nothing answers")
        if request.full_url.endswith("/validate"):
            granted = body["token-value"] == "Bearer good"
            granted = granted and body["dicom-uid"] not in self.refused
            answer = {"granted": granted, "validity": self.validity}
        else:
            answer = {"request": {}, "token": "link", "url": None}
        return io.StringIO(json.dumps(answer))

    @property
    def questions(self):
        return {(body["level"], body["dicom-uid"]) for _, _, body in self.asked}


@pytest.fixture
def gateway():
    return Gateway()


@pytest.fixture
def load(gateway, monkeypatch, tmp_path):
    """Load the filter as Orthanc does, with a section of its configuration."""

    def load(**changes):
        password = tmp_path / "password"
        password.write_text("orthanc:secret\n")
        section = {
            "Gateway": "https://gateway.example/",
            "PasswordFile": str(password),
            "UncheckedFolders": ["/stone-webviewer/"],
        }
        orthanc = Orthanc({"RadLedger": section | changes})
        monkeypatch.setitem(sys.modules, "orthanc", orthanc)
        build = urllib.request.build_opener
        monkeypatch.setattr(
            urllib.request, "build_opener", lambda *_: SimpleNamespace(open=gateway.open)
        )
        specification = importlib.util.spec_from_file_location("radledger_filter", SCRIPT)
        module = importlib.util.module_from_spec(specification)
        try:
            specification.loader.exec_module(module)
        finally:
            monkeypatch.setattr(urllib.request, "build_opener", build)
            orthanc.module = module
            load.orthanc = orthanc
        return orthanc

    return load


@pytest.fixture
def orthanc(load):
    return load()


@pytest.mark.parametrize(
    ("uri", "questions"),
    [
        (f"/dicom-web/studies/{STUDY}", WHOLE_STUDY),
        (f"/dicom-web/studies/{STUDY}/metadata", WHOLE_STUDY),
        (f"/dicom-web/studies/{STUDY}/series", WHOLE_STUDY),
        (f"/dicom-web/studies/{STUDY}/series/{FIRST}", {("series", FIRST)}),
        (f"/dicom-web/studies/{STUDY}/series/{FIRST}/metadata", {("series", FIRST)}),
        *(
            (
                f"/dicom-web/studies/1.9/series/1.8/instances/{INSTANCE}{end}",
                {("instance", INSTANCE)},
            )
            for end in ("", "/metadata", "/rendered", "/frames/1,2", "/frames/1/rendered")
        ),
        (f"/studies/{STUDY_ID}", WHOLE_STUDY),
        (f"/studies/{STUDY_ID}/archive", WHOLE_STUDY),
        (f"/series/{FIRST_ID}/archive", {("series", FIRST)}),
        (f"/instances/{INSTANCE_ID}/file", {("instance", INSTANCE)}),
    ],
)
def test_what_is_asked_for_a_request(orthanc, gateway, uri, questions):
    assert orthanc.ask(uri) is True
    assert gateway.questions == questions
    assert {(method, url) for method, url, _ in gateway.asked} == {
        ("POST", "https://gateway.example/orthanc/tokens/validate")
    }
    assert {body["method"] for _, _, body in gateway.asked} == {"get"}
    gateway.refused = {sorted(questions)[-1][1]}
    orthanc.module._granted.clear()
    assert orthanc.ask(uri) is False


@pytest.mark.parametrize("key", ["StudyInstanceUID", "0020000D", "0020000d"])
def test_a_search_of_one_study_is_asked_as_the_study(orthanc, gateway, key):
    for path in ("studies", "series", "instances"):
        assert orthanc.ask(f"/dicom-web/{path}", **{key: STUDY, "includefield": "all"}) is True
    assert gateway.questions == WHOLE_STUDY
    for uid in ("", "*", "1.2.*", "1.2.3\\1.2.4", "1.2.3,1.2.4", "..", "1.2.3 "):
        assert orthanc.ask("/dicom-web/studies", **{key: uid}) is False
    for other in ("0020000D", "studyinstanceuid", "STUDYINSTANCEUID"):
        both = {"StudyInstanceUID": "1.9", other: STUDY}
        assert orthanc.ask("/dicom-web/studies", **both) is False


@pytest.mark.parametrize(
    "uri",
    [
        *("/", "/system", "/patients", "/studies", "/series", "/instances", "/changes", "/exports"),
        *("/dicom-web/studies", "/dicom-web/series", "/dicom-web/instances", "/dicom-web/servers"),
        *(
            "/tools/find",
            "/modalities",
            "/peers",
            "/jobs",
            "/wado",
            "/app/explorer.html",
            "/ui/app/",
        ),
        *(f"/studies/{STUDY_ID}/patient", f"/series/{FIRST_ID}/study", f"/patients/{STUDY_ID}"),
        *(f"/studies/{STUDY_ID}/attachments/dicom/data", f"/studies/{STUDY_ID}/"),
        *(f"//studies/{STUDY_ID}", f"/studies/{STUDY_ID}/../../patients", "/studies/x"),
        *(f"/dicom-web/studies/{STUDY}/../1.9", "/dicom-web/studies/..", "/dicom-web/studies/1..2"),
        *(
            f"/dicom-web//studies/{STUDY}",
            f"/dicom-web/studies/{STUDY}%2f..",
            f"/dicom-web/{STUDY}",
        ),
        *("/stone-webviewer/../patients", "/stone-webviewer", "/auth/user/profile"),
        *("/stone-webviewer/%2e%2e/patients", "/stone-webviewer//patients", "/stone-webviewer/./a"),
        f"/dicom-web/studies/{'1' * 65}",
    ],
)
def test_what_is_not_known_is_refused_without_being_asked(orthanc, gateway, uri):
    assert orthanc.ask(uri) is False
    assert gateway.asked == []


@pytest.mark.parametrize("method", [POST, PUT, DELETE, 5, "get", None])
def test_a_token_of_a_reader_changes_nothing(orthanc, gateway, method):
    for uri in (f"/studies/{STUDY_ID}", f"/dicom-web/studies/{STUDY}", "/stone-webviewer/a.js"):
        assert orthanc.ask(uri, method) is False
    assert gateway.asked == []


def test_a_parameter_that_is_not_known_is_refused(orthanc, gateway):
    for name in ("StudyInstanceUID", "0020000E", "PatientID", "x"):
        assert orthanc.ask(f"/dicom-web/studies/{STUDY}/series", **{name: "1.9"}) is False
        assert orthanc.ask(f"/studies/{STUDY_ID}", **{name: "1.9"}) is False
    assert gateway.asked == []


def test_the_token_is_in_a_header_or_a_parameter(orthanc, gateway):
    uri = f"/dicom-web/studies/{STUDY}/series/{FIRST}"
    assert orthanc.ask(uri, headers={"Token": "Bearer good"}) is True
    assert orthanc.ask(uri, headers={}, token="Bearer good") is True
    assert orthanc.ask(uri, headers={}) is False
    assert orthanc.ask(uri, headers={"authorization": "Bearer bad"}, token="Bearer good") is False
    assert len(gateway.asked) == 2


def test_files_of_a_viewer_are_not_asked_for(orthanc, gateway):
    assert orthanc.ask("/stone-webviewer/index.html", headers={}) is True
    assert gateway.asked == []


def test_a_grant_is_kept_for_its_validity_and_a_refusal_is_not(orthanc, gateway, monkeypatch):
    uri, now = f"/dicom-web/studies/{STUDY}/series/{FIRST}", [100.0]
    monkeypatch.setattr(orthanc.module.time, "monotonic", lambda: now[0])
    assert [orthanc.ask(uri) for _ in range(3)] == [True] * 3
    assert len(gateway.asked) == 1
    assert orthanc.ask(uri, headers={"authorization": "Bearer bad"}) is False
    assert len(gateway.asked) == 2
    gateway.refused = {FIRST}
    now[0] = 100.9
    assert orthanc.ask(uri) is True
    now[0] = 101.0
    assert [orthanc.ask(uri) for _ in range(2)] == [False] * 2
    assert len(gateway.asked) == 4
    gateway.refused, gateway.validity = set(), 0
    assert [orthanc.ask(uri) for _ in range(2)] == [True] * 2
    assert len(gateway.asked) == 6


def test_grants_that_are_kept_are_bounded(orthanc, monkeypatch):
    monkeypatch.setattr(orthanc.module, "MOST_ANSWERS", 2)
    for number in range(5):
        assert orthanc.ask(f"/dicom-web/studies/1/series/1.{number}") is True
    assert len(orthanc.module._granted) <= 2


@pytest.mark.parametrize(
    "answer",
    [
        *("null", "[]", "{}", "x", '{"granted": true}', '{"granted": true, "validity": null}'),
        *('{"granted": "true", "validity": 1}', '{"granted": 1, "validity": 1}'),
    ],
)
def test_a_gateway_that_does_not_answer_rightly_grants_nothing(
    orthanc, gateway, monkeypatch, answer
):
    uri = f"/dicom-web/studies/{STUDY}"
    monkeypatch.setattr(
        orthanc.module._opener, "open", lambda request, timeout: io.StringIO(answer)
    )
    assert orthanc.ask(uri) is False
    monkeypatch.undo()
    gateway.answers = False
    assert orthanc.ask(uri) is False
    assert "good" not in "".join(orthanc.warnings)


@pytest.mark.parametrize(
    "changes", [{"Gateway": None}, {"PasswordFile": "/nowhere"}, {"PasswordFile": None}]
)
def test_without_a_configuration_everything_is_refused(load, changes):
    with pytest.raises((AttributeError, OSError, TypeError)):
        load(**changes)
    for uri in (f"/studies/{STUDY_ID}", f"/dicom-web/studies/{STUDY}", "/", "/stone-webviewer/x"):
        assert load.orthanc.ask(uri) is False


# ----------------------------------------------------------------------------------- links


class Output:
    """What a callback answers."""

    def __init__(self):
        self.answer = None

    def AnswerBuffer(self, content, media_type):
        self.answer = json.loads(content)

    def SendHttpStatusCode(self, status):
        self.answer = status

    def SendMethodNotAllowed(self, allowed):
        self.answer = f"not allowed, but {allowed}"


def linked(orthanc, body, method="PUT", kind="stone-viewer-publication", headers=None):
    output = Output()
    headers = {"authorization": "Bearer good"} if headers is None else headers
    request = {"method": method, "headers": headers, "groups": [kind]}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    orthanc.callbacks["/auth/tokens/(.*)"](output, "/", body=content, **request)
    return output.answer


def test_a_link_is_asked_for_with_its_users_token(orthanc, gateway):
    assert orthanc.ask("/auth/tokens/stone-viewer-publication", PUT, headers={}) is True
    resources = [{"OrthancId": STUDY_ID, "DicomUid": STUDY, "Level": "study"}]
    body = {"Resources": resources, "Type": "stone-viewer-publication", "ValidityDuration": 60}
    assert linked(orthanc, body) == {"Token": "link", "Url": None}
    assert gateway.asked == [
        (
            "PUT",
            "https://gateway.example/orthanc/tokens/stone-viewer-publication",
            {
                "token-value": "Bearer good",
                "resources": [{"dicom-uid": STUDY, "level": "study"}],
                "validity-duration": 60,
            },
        )
    ]


def test_a_link_that_cannot_be_made_is_refused(orthanc, gateway):
    assert linked(orthanc, {}, method="GET") == "not allowed, but PUT"
    for body in (b"", b"{", b"null", b"{}", {"Resources": [{}]}):
        assert linked(orthanc, body) == 403
    assert gateway.asked == []
    gateway.answers = False
    assert linked(orthanc, {"Resources": [{"DicomUid": STUDY, "Level": "Study"}]}) == 403
    for uri in ("/auth/tokens/", "/auth/tokens/a/b", "/auth/tokens/../x", "/auth/tokens/decode/x"):
        assert orthanc.ask(uri, PUT) is False
