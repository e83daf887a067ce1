"""The nearest clips: by the index and exactly, with filters, several examples, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert, select, text

from bench.likeness.catalog import EMBEDDING as BENCHED
from bench.likeness.catalog import filled
from storage.backup.load import load
from storage.backup.snapshot import save
from storage.clips.cql2 import parse_filter
from storage.clips.plan import Caps
from storage.database import Connection, Database
from storage.erasure import clips as erasure
from storage.likeness import embeddings, nearest, vectors, walks
from storage.likeness.nearest import LikeClips, Question
from storage.tables import clip_vectors, clips
from storage.tables.erasure import ErasureCause
from tests.storage.clips.catalog_support import add_clip
from tests.storage.clips.plan.explained import Explained, explain_statements
from tests.storage.likeness.likeness_support import EMBEDDING, add_vector, clip_with
from triggers.errors import Conflict, Erased, InvalidInput, NotFound

pytestmark = pytest.mark.integration
MANY, DIMENSIONS = 3000, 16
INDEXES = {
    "trigger = 'rare'": "ix_clip_fires_trigger_recorded_ns_clip_id",
    "vehicle.model = 'nobody'": "ix_clips_terms",
    "ego.speed.max > 44.9": "ix_signal_statistics_maximum",
    "vehicle.region = 'EU'": "ix_clip_vectors_of_1",
    "tag = 'highway' OR trigger = 't0'": "ix_clip_vectors_of_1",
    "duplicate_of IS NULL": "ix_clip_vectors_of_1",
}
"""By filter: the index that must have been used."""


def ids(found: LikeClips) -> list[str]:
    return [each.clip.id for each in found.clips]


def ask(database: Database, *like: str, **values: object) -> LikeClips:
    with database.snapshot() as connection:
        return nearest.nearest(connection, Question(EMBEDDING, like, **values))  # type: ignore[arg-type]


def test_the_nearest_come_first_without_the_example_and_with_their_distances(database: Database) -> None:
    with database.begin() as connection:
        a, b, c, d = (clip_with(connection, vector) for vector in ((1, 0), (1, 0.1), (1, 1), (-1, 0)))
        add_clip(connection)  # without a vector
    found = ask(database, a)
    assert ids(found) == [b, c, d]
    assert [each.distance for each in found.clips] == pytest.approx([0.005, 1 - 0.5**0.5, 2], abs=1e-3)
    assert found.is_exact, "there are fewer than were asked for, so every one was compared"
    assert ids(ask(database, a, limit=1)) == [b]


def test_several_examples_are_averaged_and_counter_examples_push_away(database: Database) -> None:
    with database.begin() as connection:
        north, east, between, south = (clip_with(connection, v) for v in ((0, 1), (1, 0), (1, 1), (0.1, -1)))
        also_east = clip_with(connection, (1, -0.05))
    assert ids(ask(database, north, east))[0] == between
    assert ids(ask(database, east))[0] == also_east
    assert ids(ask(database, east, unlike=(also_east, south)))[0] == between
    with pytest.raises(InvalidInput, match="cancel each other out"):
        _opposed(database)


def _opposed(database: Database) -> LikeClips:
    with database.begin() as connection:
        one, other = clip_with(connection, (0, 1)), clip_with(connection, (0, -1))
    return ask(database, one, other)


def test_a_filter_decides_which_clips_may_be_found_whatever_is_near(database: Database) -> None:
    with database.begin() as connection:
        speed = {"ego.speed": (1.0, 2.0, 1.5)}
        example = clip_with(connection, (1, 0), fired=[("braking", "hard")], statistics=speed)
        clip_with(connection, (1, 0.01), fired=[("braking", "soft")])
        far = clip_with(connection, (-1, 0.5), fired=[("braking", "hard")])
    found = ask(database, example, filter=parse_filter("trigger = 'hard'", "cql2-text"))
    assert ids(found) == [far]
    assert found.is_exact
    with pytest.raises(InvalidInput, match=r"ego\.sped"):
        ask(database, example, filter=parse_filter("ego.sped.max > 3", "cql2-text"))


def test_examples_without_a_vector_and_erased_ones_are_told_apart(database: Database) -> None:
    with database.begin() as connection:
        one, without = clip_with(connection, (1, 0)), add_clip(connection)
        gone = clip_with(connection, (1, 0))
        erasure.erase(connection, [gone], ErasureCause.ERASED, reason="asked", by="olga")
        assert connection.execute(text("SELECT count(*) FROM clip_vectors")).scalar_one() == 1
    with pytest.raises(NotFound, match=f"clip {without} has no vector of {EMBEDDING}"):
        ask(database, one, without)
    with pytest.raises(Erased):
        ask(database, gone)
    with pytest.raises(NotFound, match="there is no clip"):
        ask(database, "0" * 32)
    with (
        database.begin() as connection,
        pytest.raises(InvalidInput, match="no vectors of the embedding 'other'") as caught,
    ):
        nearest.nearest(connection, Question("other", (one,)))
    assert EMBEDDING in str(caught.value.remedy)


def test_vectors_of_two_models_do_not_meet(database: Database) -> None:
    with database.begin() as connection:
        one, two = clip_with(connection, (1, 0)), clip_with(connection, (1, 0))
        add_vector(connection, one, (1, 0, 0), "three-1")
    assert ids(ask(database, one)) == [two]
    with database.snapshot() as connection:
        assert ids(nearest.nearest(connection, Question("three-1", (one,)))) == []
    with database.begin() as connection, pytest.raises(Conflict, match="have 3 numbers, and this one has 2"):
        add_vector(connection, two, (1, 0), "three-1")


def test_the_same_vector_again_changes_nothing(database: Database) -> None:
    with database.begin() as connection:
        one = clip_with(connection, (0.6, 0.8))
        embedding = embeddings.named(connection, EMBEDDING)
        assert not vectors.put(connection, one, embedding, (0.6, 0.8))
        assert vectors.put(connection, one, embedding, (0.8, 0.6))
        assert vectors.of_clips(connection, [one], embedding)[0] == pytest.approx((0.8, 0.6))


def many(connection: Connection) -> np.ndarray:
    """Many clips in clusters; every tenth is of another vehicle. Returns their vectors, whose places are in the ids."""
    random = np.random.default_rng(5)
    centres = random.normal(size=(40, DIMENSIONS))
    rows = centres[random.integers(40, size=MANY)] + 0.5 * random.normal(size=(MANY, DIMENSIONS))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    first = add_clip(connection, vehicle_id="car-0")
    add_clip(connection, vehicle_id="car-1")
    connection.execute(
        text("""
            INSERT INTO uploads
            SELECT (jsonb_populate_record(u, jsonb_build_object('id', 'c' || n, 'clip_id', 'c' || n))).*
            FROM uploads u, generate_series(1, :many) n WHERE u.id = :first
        """),
        {"first": first, "many": MANY},
    )
    columns = [column.name for column in clips.columns if column.computed is None]
    changed = {
        "id": "'c' || n",
        "upload_id": "'c' || n",
        "object_key": "'c' || n",
        "vehicle_id": "'car-' || (n % 10 > 0)::int",
        "tags": "CASE WHEN n % 25 = 0 THEN '{some}'::text[] ELSE '{}' END",
    }
    values = ", ".join(changed.get(name, f"c.{name}") for name in columns)
    copies = f"INSERT INTO clips ({', '.join(columns)}) SELECT {values}"
    from_first = "FROM clips c, generate_series(1, :many) n WHERE c.id = :first"
    connection.execute(text(f"{copies} {from_first}"), {"first": first, "many": MANY})
    embedding, _ = embeddings.begin(connection, EMBEDDING, DIMENSIONS)
    given = [
        {"clip_id": f"c{n + 1}", "embedding": embedding.number, "vector": tuple(row)} for n, row in enumerate(rows)
    ]
    connection.execute(insert(clip_vectors), given)
    connection.execute(text("ANALYZE"))
    return rows


def test_the_index_finds_what_is_nearest_with_and_without_a_filter(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recall at 10 of the index against all distances is at least 0.95, and it is the index that is asked."""
    monkeypatch.setattr(nearest, "CAPS", Caps(collected=50))
    with database.begin() as connection:
        rows = many(connection)
    likeness = rows @ rows.T
    number = np.arange(1, MANY + 1)
    filters = {None: number > 0, "vehicle = 'car-0'": number % 10 == 0, "tag = 'some'": number % 25 == 0}
    for source, admitted in filters.items():
        hits = 0
        for example in range(0, 400, 20):
            only = None if source is None else parse_filter(source, "cql2-text")
            found = ask(database, f"c{example + 1}", filter=only, limit=10)
            assert not found.is_exact
            order = np.argsort(-np.where(admitted, likeness[example], -9))
            expected = [f"c{place + 1}" for place in order if place != example][:10]
            hits += len(set(expected) & set(ids(found)))
        assert hits / 200 >= 0.95, source


def test_clips_are_counted_only_where_hardly_any_is_admitted_around_the_question(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk that is tried instead ends soon: when it has enough, or where they are few after all."""
    with database.begin() as connection:
        rows = many(connection)
        near = [f"c{place + 1}" for place in np.argsort(-(rows @ rows[3]))[1:4]]
        connection.execute(clips.update().where(clips.c.id.in_(near)).values(tags=["three"]))

    def asked(source: str, example: str, limit: int) -> tuple[LikeClips, Explained]:
        question = Question(EMBEDDING, (example,), filter=parse_filter(source, "cql2-text"), limit=limit)
        found: list[LikeClips] = []
        with database.snapshot() as connection:
            explained = explain_statements(connection, lambda: found.append(nearest.nearest(connection, question)))
        return found[0], explained

    monkeypatch.setattr(nearest, "CAPS", Caps(collected=MANY // 10))
    found, explained = asked("tag = 'some'", "c26", 15)
    assert len(found.clips) == 15 and not found.is_exact
    assert "ix_clips_terms" not in explained.indexes
    assert explained.visited < MANY, "about 25 neighbours for each clip, and each of them looked up"
    found, explained = asked("tag = 'three'", "c4", 10)
    assert ids(found) == near and found.is_exact
    assert "ix_clips_terms" in explained.indexes
    after_three = (len(near) + 1) * walks.PATIENCE
    assert explained.visited < 2 * after_three + MANY // 10
    found, explained = asked("tag = 'none'", "c4", 10)
    assert ids(found) == [] and found.is_exact
    assert explained.visited < 2 * walks.PATIENCE + MANY // 10


def test_each_answer_is_that_of_its_own_question_and_filter(database: Database) -> None:
    """Statements are written once, and asked with another vector, example, limit and value of the filter."""
    with database.begin() as connection:
        north, east = clip_with(connection, (0, 1)), clip_with(connection, (1, 0))
        near = {
            (vehicle, place): clip_with(connection, vector, vehicle_id=vehicle)
            for vehicle in ("car-1", "car-2")
            for place, vector in (("north", (0.1, 1)), ("east", (1, 0.1)))
        }
    for vehicle in ("car-1", "car-2"):
        only = parse_filter(f"vehicle = '{vehicle}'", "cql2-text")
        for place, example in (("north", north), ("east", east)):
            found = ids(ask(database, example, filter=only, limit=2))
            assert found[0] == near[vehicle, place]
            assert set(found) == {near[vehicle, "north"], near[vehicle, "east"]}
            assert ids(ask(database, example, filter=only, limit=1)) == [near[vehicle, place]]
    assert east in ids(ask(database, north)) and north not in ids(ask(database, north))


def test_where_the_index_ends_early_every_clip_is_compared(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "CAPS", Caps(collected=50))
    monkeypatch.setattr(walks, "SCANNED", 1)
    monkeypatch.setattr(walks, "SHORT", 1)
    with database.begin() as connection:
        rows = many(connection)
    found = ask(database, "c1", filter=parse_filter("vehicle = 'car-0'", "cql2-text"), limit=300)
    assert found.is_exact
    admitted = np.arange(1, MANY + 1) % 10 == 0
    expected = np.argsort(-np.where(admitted, rows @ rows[0], -9))[:300]
    assert ids(found) == [f"c{place + 1}" for place in expected]


def test_few_clips_of_a_filter_are_found_by_their_index_and_many_by_that_of_vectors(database: Database) -> None:
    """No filter makes it read a table from beginning to end, whatever matches."""
    filled(database, np.random.default_rng(6).normal(size=(MANY, DIMENSIONS)).astype(np.float32))
    with database.begin() as connection:
        example = connection.execute(select(clips.c.id).order_by(clips.c.id).limit(1)).scalar_one()
    large = {"clips", "clip_fires", "clip_vectors", "signal_statistics"}
    for source, index in INDEXES.items():
        question = Question(BENCHED, (example,), filter=parse_filter(source, "cql2-text"), limit=5)
        with database.snapshot() as connection:
            explained = explain_statements(connection, lambda question=question: nearest.nearest(connection, question))
        assert index in explained.indexes, source
        assert not explained.whole_tables & large, source


def test_embeddings_are_bounded_in_number(database: Database) -> None:
    with database.begin() as connection:
        for number in range(embeddings.MAX_EMBEDDINGS):
            embeddings.begin(connection, f"m-{number}", 2)
    with database.begin() as connection, pytest.raises(Conflict, match="64 embeddings already"):
        embeddings.begin(connection, "one-more", 2)
    with database.begin() as connection:
        assert embeddings.begin(connection, "m-0", 2)[1] is False


def test_a_restored_backup_has_the_vectors_and_an_index_for_each_embedding(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    with database.begin() as connection:
        one, two = clip_with(connection, (1, 0)), clip_with(connection, (1, 0.1))
    restored = Database(database_url)
    load(restored, tmp_path, save(database, tmp_path), backup_id="b")
    assert ids(ask(restored, one)) == [two]
    indexes = text("SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'ix\\_clip\\_vectors\\_of\\_%'")
    with restored.begin() as connection:
        assert connection.execute(indexes).scalar_one() == 1
        assert embeddings.begin(connection, "another-1", 3)[1]
        assert connection.execute(indexes).scalar_one() == 2
    restored.close()
