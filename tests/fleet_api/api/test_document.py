"""The OpenAPI document: both applications, every status with the problem that is sent, and the types on the wire."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.applications import api_application
from tests.support.declared_answers import Operations
from triggers.contracts.problem import MEDIA_TYPE, STATUSES

API_DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"
METHODS = ("delete", "get", "head", "options", "patch", "post", "put")
PROBLEM = {"$ref": "#/components/schemas/Problem"}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return api_application(tmp_path_factory.mktemp("api"), gateway_url="http://gateway.example").openapi()


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Operations by their id."""
    items = document["paths"].values()
    return {item[method]["operationId"]: item[method] for item in items for method in METHODS if method in item}


def test_ids_of_operations_are_names_that_a_client_can_have(document: dict[str, Any]) -> None:
    items = document["paths"].values()
    ids = [item[method]["operationId"] for item in items for method in METHODS if method in item]
    assert len(ids) == len(set(ids)) >= 34
    assert all(name.isidentifier() for name in ids)


def test_every_refusal_is_the_problem_that_is_sent(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        for status, response in operation["responses"].items():
            if int(status) >= 400 and name != "show_upload":  # HEAD has no body
                assert response["content"] == {MEDIA_TYPE: {"schema": PROBLEM}}, (name, status)
    properties = document["components"]["schemas"]["Problem"]["properties"]
    assert {"type", "title", "status", "detail", "code", "remedy"} <= set(properties)
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("healthz", {200, 422, 500}),
        ("search_clips", {200, 400, 401, 403, 429, 500, 503}),
        ("show_clip", {200, 400, 401, 403, 404, 410, 429, 500, 503}),
        ("create_scan", {201, 400, 401, 403, 408, 413, 415, 422, 429, 500, 503}),
        ("approve", {200, 400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503}),
        ("check_in", {200, 304, 400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503}),
        ("read_object", {200, 206, 403, 404, 416, 422, 429, 500, 503}),
        ("create_upload", {200, 201, 400, 401, 403, 408, 409, 412, 413, 415, 422, 429, 500, 503}),
        ("write_upload", {204, 400, 401, 403, 404, 408, 409, 410, 412, 413, 415, 422, 429, 460, 500, 503}),
    ],
)
def test_the_statuses_of_a_route_come_from_what_it_depends_on(
    document: dict[str, Any], name: str, statuses: set[int]
) -> None:
    assert {int(status) for status in operations(document)[name]["responses"]} == statuses


def test_a_refusal_names_its_codes_and_headers(document: dict[str, Any]) -> None:
    refused = operations(document)["create_upload"]["responses"]
    assert "`budget_exhausted`: A reservation was refused by a budget." in refused["403"]["description"]
    assert "Retry-After" in refused["503"]["headers"]
    assert "WWW-Authenticate" in refused["401"]["headers"]


def test_the_gateway_is_in_the_document_with_its_own_address(document: dict[str, Any]) -> None:
    paths = document["paths"]
    assert set(paths["/v1/uploads"]) == {"servers", "options", "post"}
    assert set(paths["/v1/uploads/{upload_id}"]) == {"servers", "options", "head", "patch", "delete"}
    for path in ("/v1/uploads", "/v1/uploads/{upload_id}"):
        assert [server["url"] for server in paths[path]["servers"]] == ["http://gateway.example"]
    assert "vehicle_token" in document["components"]["securitySchemes"]


@pytest.mark.parametrize(
    "name",
    [
        "ApplyRequest",
        "AssignmentList",
        "Bundle",
        "CampaignSettings",
        "CheckIn",
        "ClipManifest",
        "CreationRequest",
        "Telemetry",
    ],
)
def test_the_types_on_the_wire_are_components(document: dict[str, Any], name: str) -> None:
    assert document["components"]["schemas"][name]["properties"]


def test_signed_bytes_are_described_by_envelope_and_payload(document: dict[str, Any]) -> None:
    answer = operations(document)["check_in"]["responses"]["200"]["content"]["application/octet-stream"]
    assert answer["schema"] == {"$ref": "#/components/schemas/SignedAssignmentList"}
    envelope = document["components"]["schemas"]["SignedAssignmentList"]
    assert envelope["x-payload"] == {"$ref": "#/components/schemas/AssignmentList"}
    assert envelope["x-payload-offset-bytes"] == 76
    assert "Ed25519" in envelope["description"]


def test_an_answer_that_is_not_declared_is_noticed(document: dict[str, Any]) -> None:
    told = Operations(document)
    problem = b'{"status": 404, "detail": "x", "code": "not_found"}'
    assert told.mistake("GET", "/v1/clips/1", 404, MEDIA_TYPE, problem) is None
    assert "statuses of show_clip" in str(told.mistake("GET", "/v1/clips/1", 418, MEDIA_TYPE, problem))
    assert "text/html" in str(told.mistake("GET", "/v1/clips/1", 404, "text/html", b"x"))
    assert "code" in str(told.mistake("GET", "/v1/clips/1", 404, MEDIA_TYPE, b'{"status": 404, "detail": "x"}'))


def test_every_tag_is_described(document: dict[str, Any]) -> None:
    used = {tag for operation in operations(document).values() for tag in operation["tags"]}
    assert used == {tag["name"] for tag in document["tags"]}


def test_the_documented_codes_are_the_codes_that_travel() -> None:
    table = re.findall(r"^\| `(\w+)` \| (\d+) \|", API_DOCUMENT.read_text(), re.MULTILINE)
    assert {code: int(status) for code, status in table} == {kind.code: status for kind, status in STATUSES.items()}


def test_every_status_of_the_table_of_errors_can_be_described(document: dict[str, Any]) -> None:
    described = {int(status) for operation in operations(document).values() for status in operation["responses"]}
    assert set(STATUSES.values()) <= described


def test_descriptions_are_not_indented_as_code_is(document: dict[str, Any]) -> None:
    described = [operation["description"] for operation in operations(document).values()]
    assert not [text for text in described if any(line.startswith(" ") for line in text.splitlines())]
