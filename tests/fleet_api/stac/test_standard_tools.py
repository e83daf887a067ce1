"""Tools of others read the catalog: stac-api-validator finds no error, pystac-client walks it, pystac validates it."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pystac_client
import pytest
import requests
from pystac.validation.stac_validator import JsonSchemaSTACValidator

from tests.fleet_api.stac.conftest import CLIPS, RECORDING, Catalog, Stac
from tests.fleet_api.stac.offline_validator import EXTENSIONS
from tests.support.paths import REPOSITORY

CLASSES = (
    *("core", "collections", "features", "features#filter"),
    *("item-search", "item-search#filter", "item-search#sort", "item-search#fields"),
)
OF_THE_VALIDATOR = re.compile(r'"collections": "braking"}')
"""A text where the standard has a list: so the validator posts it, twice, where it tests the order of items."""
AROUND = {"type": "Polygon", "coordinates": [[[11, 48], [12, 48], [12, 49], [11, 49], [11, 48]]]}


@pytest.mark.integration
def test_stac_api_validator_finds_no_error(stac: Stac) -> None:
    command = [sys.executable, "-m", "tests.fleet_api.stac.offline_validator", stac.url, stac.token, "braking"]
    done = subprocess.run(
        [*command, json.dumps(AROUND), *CLASSES],
        cwd=REPOSITORY,
        text=True,
        capture_output=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    errors = [error for error in found["errors"] if not OF_THE_VALIDATOR.search(error)]
    assert errors == [], json.dumps(found, indent=1)
    assert len(found["errors"]) == 2


def test_pystac_client_walks_the_catalog_by_its_links(stac: Stac, catalog: Catalog) -> None:
    client = pystac_client.Client.open(stac.url, headers=stac.headers)
    by_collection = {child.id: {item.id for item in child.get_items()} for child in client.get_children()}
    odd = {catalog.over_the_date_line, catalog.without_position}
    assert by_collection == {"braking": set(catalog.braking), "cut_in": {*catalog.shared, *odd}}
    assert [collection.id for collection in client.get_collections()] == ["braking", "cut_in"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pystac_client_searches_page_by_page(stac: Stac, catalog: Catalog, method: str) -> None:
    client = pystac_client.Client.open(stac.url, headers=stac.headers)
    search = client.search(
        method=method,
        collections=["braking", "cut_in"],
        bbox=[11.4, 48, 12, 49],
        datetime="2026-01-05T00:00:00Z/..",
        filter="platform <> 'car-7' AND longtail:state = 'ready'",
        filter_lang="cql2-text",
        sortby=[{"field": "properties.datetime", "direction": "desc"}],
        limit=5,
    )
    pages = list(search.pages())
    assert [len(page) for page in pages] == [5, 5, 5, 5, CLIPS - 20]
    assert [item.id for page in pages for item in page] == catalog.braking


def test_pystac_validates_collections_and_items_and_reads_their_files(stac: Stac, catalog: Catalog) -> None:
    client = pystac_client.Client.open(stac.url, headers=stac.headers)
    validator = JsonSchemaSTACValidator()
    validator.schema_cache |= EXTENSIONS
    for collection in client.get_collections():
        collection.validate(validator)
    items = list(client.search(limit=100).items())
    for item in items:
        item.validate(validator)
    assert len(items) == CLIPS + 2
    (item,) = client.search(ids=[catalog.braking[0]]).items()
    assert requests.get(item.assets["clip.mcap"].href, timeout=60).content == RECORDING
