"""Searches by box and time beside pgstac's: the peer finds the same items, and answers that differ are refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.measure import ResultsDiffer
from bench.search.debian_postgres import DebianPostgres
from bench.search.made import make
from bench.search.pgstac import (
    BoxAndTime,
    collections,
    compare,
    ids,
    items,
    ours,
    questions,
    require_same,
    services_of,
    show,
)
from bench.search.pgstac_catalog import Layout, Pgstac
from fleet_api.services import Services
from storage.database import Database
from storage.embedded import scratch_dir

CLIPS = 400


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Services:
    make(database, CLIPS)
    return services_of(database, tmp_path)


@pytest.fixture
def peer() -> Iterator[Pgstac]:
    if find_spec("pypgstac") is None or shutil.which("apt-get") is None:
        pytest.skip("pgstac is installed by `make setup-bench`, and its PostgreSQL by Debian's apt")
    folder = scratch_dir("longtail-test-")
    try:
        with DebianPostgres(folder / "peer") as server, Pgstac(server.dsn) as pgstac:
            yield pgstac
    finally:
        shutil.rmtree(folder)


def test_the_items_are_those_of_clips_with_a_place_each_once(services: Services) -> None:
    found = list(items(services))
    assert 0.8 * CLIPS < len({item["id"] for item in found}) == len(found) < CLIPS
    assert {item["geometry"]["type"] for item in found} == {"LineString"}
    assert {item["collection"] for item in found} <= {each["id"] for each in collections(services.database)}


def test_every_question_is_about_a_clip_that_it_finds(services: Services) -> None:
    asked = questions(services.database, of_each=2)
    assert all(ids(ours(services, question)) for question in asked)
    assert len({question.kind for question in asked}) == 12
    assert asked == questions(services.database, of_each=2)  # the seed decides


def test_answers_with_other_items_or_in_another_order_are_refused() -> None:
    question = BoxAndTime("a box", (0.0, 0.0, 1.0, 1.0), "2025-01-01T00:00:00Z/2025-01-02T00:00:00Z")
    require_same(question, ["a", "b"], ["a", "b"])
    for other in (["b", "a"], ["a"], ["a", "b", "c"], []):
        with pytest.raises(ResultsDiffer, match="a box"):
            require_same(question, ["a", "b"], other)


@pytest.mark.parametrize("layout", [Layout.CAMPAIGNS, Layout.ONE_BY_MONTH])
def test_pgstac_finds_the_same_items_in_the_same_order(
    services: Services, peer: Pgstac, layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    all_items = list(items(services))
    peer.fill(collections(services.database), all_items, layout)
    assert peer.count() == len(all_items)
    answered = compare(services, peer, questions(services.database, of_each=1), rounds=1)
    assert max(one.found for one in answered) == 100
    assert all(len(one.ours) == len(one.theirs) == 1 for one in answered)
    show(answered)
    assert "median of 12 pairs" in capsys.readouterr().out
