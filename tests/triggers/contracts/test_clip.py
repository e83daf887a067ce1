"""Manifests: the grid of cells, digests, identities, and the lies that are refused before a byte is taken."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.contracts.clip import CELL_BYTES, ClipManifest, cell_count, cell_size
from triggers.errors import InvalidInput


def fire(**changes: Any) -> dict[str, Any]:
    base = {
        "campaign": "braking",
        "version": 1,
        "program_digest": "0" * 64,
        "trigger": "hard_braking",
        "ordinal": 1,
        "t_ns": 50,
        "window_start_ns": 0,
        "window_end_ns": 100,
        "inclusion_probability": 1.0,
        "charged_bytes": CELL_BYTES + 1,
    }
    return base | changes


def manifest(*, fires: list[dict[str, Any]] | None = None, **changes: Any) -> bytes:
    recording = {
        "vehicle_id": "car-1",
        "recording_id": "r-1",
        "start_ns": 0,
        "end_ns": 100,
        "fires": fires if fires is not None else [fire()],
        "signals": ["ego.speed"],
    }
    document = {"recording": recording, "size_bytes": CELL_BYTES + 1, "cells": ["a" * 64, "b" * 64]}
    return json.dumps(document | changes).encode()


def parse(data: bytes) -> ClipManifest:
    return ClipManifest.from_json(data, what="the manifest")


@given(size=st.integers(1, 20 * CELL_BYTES))
def test_the_cells_of_a_clip_cover_it_exactly(size: int) -> None:
    sizes = [cell_size(size, index) for index in range(cell_count(size))]
    assert sum(sizes) == size
    assert all(0 < cell <= CELL_BYTES for cell in sizes)
    assert all(cell == CELL_BYTES for cell in sizes[:-1])


def test_the_digest_is_the_sha256_of_the_cells_digests() -> None:
    expected = hashlib.sha256(bytes.fromhex("a" * 64) + bytes.fromhex("b" * 64)).hexdigest()
    assert parse(manifest()).digest == expected


def test_the_same_recording_with_the_same_bytes_is_the_same_clip() -> None:
    charged = [fire(charged_bytes=CELL_BYTES), fire(ordinal=2, charged_bytes=1)]
    assert parse(manifest()).clip_id == parse(manifest(fires=charged)).clip_id
    assert parse(manifest()).clip_id != parse(manifest(cells=["a" * 64, "c" * 64])).clip_id


def test_a_manifest_survives_its_canonical_form() -> None:
    original = parse(manifest())
    assert parse(original.canonical_json()) == original


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (manifest(cells=["a" * 64]), "make 2 cells, but 1 are listed"),
        (manifest(size_bytes=CELL_BYTES + 2), "are charged"),
        (manifest(fires=[]), "recording.fires"),
        (manifest(fires=[fire(t_ns=200)]), "outside its window"),
        (manifest(fires=[fire(charged_bytes=1), fire(charged_bytes=CELL_BYTES)]), "two fires have the same"),
        (manifest(size_bytes=-1), "size_bytes"),
        (manifest(cells=["A" * 64, "b" * 64]), "cells.0"),
        (manifest(extra=1), "extra"),
        (manifest(network="wifi"), "network"),
        (b"[1, 2", "not JSON"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused_with_the_place(data: bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match="the manifest") as caught:
        parse(data)
    assert says in caught.value.message
