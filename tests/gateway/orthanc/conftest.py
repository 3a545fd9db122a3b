"""A gateway that an Orthanc asks, which has the files of its image sets in plain."""

from __future__ import annotations

import pydicom
import pytest
from fastapi.testclient import TestClient

from radledger.gateway import create_application
from radledger.gateway.orthanc import Orthanc
from tests.gateway.conftest import URL, Http
from tests.gateway.dicomweb.conftest import CARE, add, granted, home, sample, series

__all__ = ["CARE", "add", "granted", "home", "sample", "series"]

PASSWORD = "correct-horse-battery-staple-0123"
CREDENTIALS = ("orthanc", PASSWORD)
ORTHANC = Orthanc(*CREDENTIALS, url="https://pacs.example")


@pytest.fixture
def http(gateway):
    application = create_application(gateway, asking=ORTHANC)
    return Http(TestClient(application, URL, raise_server_exceptions=False))


@pytest.fixture
def asked(http):
    """Ask as Orthanc does; gives the answer."""

    def ask(verb, path, /, auth=CREDENTIALS, **body):
        fields = {name.replace("_", "-"): value for name, value in body.items()}
        return http.client.request(verb, f"/orthanc{path}", json=fields, auth=auth)

    return ask


@pytest.fixture
def decided(asked):
    """Ask whether a token opens something; gives the decision."""

    def decide(token, level, uid, method="get", **more):
        body = {"level": level, "method": method, "dicom_uid": uid, "token_value": token}
        response = asked("POST", "/tokens/validate", **body | more)
        assert response.status_code == 200, response.text
        assert response.headers["cache-control"] == "no-store"
        return response.json()

    return decide


@pytest.fixture
def token_for(http, reader, ask):
    """The header with a token of the reader for image sets."""

    def token(*image_sets):
        requests = [ask(reader, image_set=each) for each in image_sets]
        return http.token(requests, reader)["Authorization"]

    return token


@pytest.fixture
def ct(series):
    return pydicom.dcmread(series[0])
