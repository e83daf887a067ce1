"""The witness: what it notes of a vehicle's requests, and what it concludes from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.chaos.parts.witness import Witness

URL = "http://gateway/uploads/1"


def told(path: Path, *events: dict[str, object]) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "witness.jsonl"
    told(path, {"event": "recorded", "digest": "a"}, {"event": "created", "url": URL, "digest": "a", "size": 100})
    return path


def test_a_clip_is_acknowledged_once_the_gateway_has_all_of_it(path: Path) -> None:
    told(path, {"event": "patch", "url": URL, "offset": 60})
    witness = Witness(path)
    assert witness.testimony().acknowledged == set()
    told(path, {"event": "head", "url": URL, "offset": 100})
    seen = witness.testimony()
    assert (seen.acknowledged, seen.contradictions, list(seen.recorded)) == ({"a"}, [], ["a"])


def test_an_acknowledgement_that_is_taken_back_is_a_contradiction(path: Path) -> None:
    told(path, {"event": "patch", "url": URL, "offset": 60}, {"event": "head", "url": URL, "offset": 40})
    assert Witness(path).testimony().contradictions == [f"{URL}: 40 after 60 bytes were acknowledged"]


def test_an_error_that_reached_the_host_is_kept(path: Path) -> None:
    told(path, {"event": "error", "message": "KeyError: 'x'"})
    assert Witness(path).testimony().errors == ["KeyError: 'x'"]


def test_a_line_that_is_still_being_written_is_read_once_it_is_whole(path: Path) -> None:
    line = json.dumps({"event": "patch", "url": URL, "offset": 100})
    witness = Witness(path)
    with path.open("a") as file:
        file.write(line[:10])
    assert witness.testimony().acknowledged == set()
    with path.open("a") as file:
        file.write(line[10:] + "\n")
    assert witness.testimony().acknowledged == {"a"}


def test_a_vehicle_that_has_not_begun_has_seen_nothing(tmp_path: Path) -> None:
    seen = Witness(tmp_path / "none").testimony()
    assert not seen.recorded and not seen.acknowledged
