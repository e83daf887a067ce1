"""Runs stac-api-validator without a network: schemas come from pystac, which has those of STAC 1.1.0 and GeoJSON.

The schemas of extensions are in no package, so what we use of them is written down here. The validator's own command
cannot be told to test filters (it takes `filter` and looks for `item-search#filter`), so its function is called.
"""

from __future__ import annotations

import io
import json
import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from stac_api_validator.validations import QueryConfig, validate_api

from fleet_api.stac.items import FILE_EXTENSION, TIMESTAMPS_EXTENSION


def schemas() -> dict[str, Any]:
    """Every schema, by its address."""
    found: dict[str, Any] = {}
    with as_file(files("pystac.validation").joinpath("jsonschemas")) as folder:
        for file in Path(folder).rglob("*.json"):
            schema = json.loads(file.read_text("utf-8"))
            address = schema["$id"].rstrip("#").replace("commonjson", "common.json")  # as pystac's copy misspells it
            found[address] = schema
    return found | EXTENSIONS


def _extension(address: str, **properties: Any) -> dict[str, Any]:
    declared = {"type": "array", "contains": {"const": address}}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"{address}#",
        "type": "object",
        "required": ["stac_extensions"],
        "properties": {"stac_extensions": declared, **properties},
    }


EXTENSIONS = {
    FILE_EXTENSION: _extension(
        FILE_EXTENSION,
        assets={"additionalProperties": {"properties": {"file:size": {"type": "integer", "minimum": 0}}}},
    ),
    TIMESTAMPS_EXTENSION: _extension(
        TIMESTAMPS_EXTENSION,
        properties={"required": ["expires"], "properties": {"expires": {"type": "string", "pattern": "Z$"}}},
    ),
}


def serve_schemas() -> None:
    """Let `requests` find schemas here, and refuse every other host than this machine."""
    known, send = schemas(), requests.Session.send

    def answer(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        address = str(request.url)
        if urlsplit(address).hostname == "127.0.0.1":
            return send(session, request, **options)
        response = requests.Response()
        response.request, response.url = request, address
        schema = known.get(address.partition("#")[0])
        response.status_code = 404 if schema is None else 200
        response.headers["Content-Type"] = "application/json"
        response.raw = io.BytesIO(json.dumps(schema).encode())
        return response

    requests.Session.send = answer  # type: ignore[method-assign]


def validate(url: str, token: str, collection: str, geometry: str, classes: list[str]) -> dict[str, list[str]]:
    """The warnings and errors that the validator finds."""
    warnings, errors = validate_api(
        root_url=url,
        ccs_to_validate=classes,
        collection=collection,
        geometry=geometry,
        auth_bearer_token=token,
        auth_query_parameter=None,
        fields_nested_property="properties.platform",
        validate_pagination=True,
        query_config=QueryConfig(*[None] * 13),
        transaction_collection=None,
        headers={"Authorization": f"Bearer {token}"},
        open_assets_urls=False,
    )
    return {"warnings": list(warnings), "errors": list(errors)}


if __name__ == "__main__":
    serve_schemas()
    print(json.dumps(validate(*sys.argv[1:5], sys.argv[5:])))  # type: ignore[call-arg]
