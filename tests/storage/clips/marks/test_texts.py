"""Searches by text: which texts of a clip are found, from when on, and what plain Python says about random ones."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, text, update

from storage import users
from storage.clips.cql2 import parse_filter
from storage.clips.marks import notes, tags, texts
from storage.clips.query import ClipQuery
from storage.clips.search import search
from storage.database import Database
from storage.labels import jobs
from storage.tables import campaign_versions
from tests.storage.clips.catalog_support import add_clip
from tests.storage.erasure import erasure_support as support
from tests.support.fleet import add_version, enroll_vehicle
from tests.support.locks import waits_for_a_lock
from tests.support.servers.database import migrated_database
from tests.support.waiting import wait_for
from triggers.errors import InvalidInput

WORDS = ("wet", "in", "straße", "cut", "m3", "überholen")
"""Of which English has one as a stop word, and none has another one's stem."""


def found(connection: Connection, words: str) -> set[str]:
    query = ClipQuery.parse(filter_source=f"text('{words}')")
    return {clip.id for clip in search(connection, query).clips}


@pytest.fixture
def fleet(database: Database) -> Database:
    with database.begin() as connection:
        enroll_vehicle(connection, "car-1")
        add_version(connection, "braking")
    return database


def ann(connection: Connection) -> int:
    return users.ensure(connection, "ann")[0]


def test_a_stored_clip_is_found_by_what_its_campaign_and_trigger_describe(fleet: Database) -> None:
    described = func.jsonb_set(
        campaign_versions.c.settings.concat(func.jsonb_build_object("describe", "a study of braking")),
        text("'{triggers,0,describe}'"),
        func.to_jsonb(text("'Emergency stops on wet roads'::text")),
    )
    with fleet.begin() as connection:
        connection.execute(update(campaign_versions).values(settings=described))
    clip_id = support.store(fleet)
    with fleet.begin() as connection:
        for words in ("study", "BRAKES", "emergency stop", "wet-road", "road study", "emerg*"):
            assert found(connection, words) == {clip_id}, words
        assert found(connection, "emer") == found(connection, "study snow") == set()


def test_tags_labels_and_notes_are_found_once_they_are_written_and_gone_with_them(fleet: Database) -> None:
    clip_id = support.store(fleet)
    support.complete(fleet, support.claim(fleet))
    with fleet.begin() as connection:
        assert found(connection, "car") == {clip_id}, "a type of its label"
        tags.add(connection, clip_id, ["wet_road"], user_id=ann(connection))
        note, _ = notes.add(connection, clip_id, "The left lane's closed.", user_id=ann(connection))
        for words in ("wet road", "lanes closed", "car wet lane"):
            assert found(connection, words) == {clip_id}, words
        notes.remove(connection, clip_id, note)
        tags.remove(connection, clip_id, "wet_road")
        assert found(connection, "lane") == found(connection, "wet") == set()
        assert found(connection, "car") == {clip_id}


def test_of_two_transactions_that_write_texts_of_one_clip_both_are_found(database: Database) -> None:
    with database.begin() as connection:
        clip_id = add_clip(connection)
        texts.write(connection, [clip_id])
        user_id = ann(connection)
        jobs.ensure(connection, clip_id, "auto")
        (job,) = jobs.claim(connection, user="ann", task="auto", labeler="x", count=1, lease_s=60)

    def label() -> None:
        with database.begin() as connection:
            jobs.complete(connection, job.id, token=job.token, types=["car"], openlabel={}, provenance={})

    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            notes.add(connection, clip_id, "wet", user_id=user_id)
            labelling = pool.submit(label)
            wait_for(lambda: waits_for_a_lock(database), within_s=30, what="the label waits for the note")
        labelling.result()
    with database.begin() as connection:
        assert found(connection, "wet car") == {clip_id}


@pytest.fixture(scope="module")
def written(postgres_url: str, migrated: str) -> Iterator[tuple[Connection, dict[str, set[str]]]]:
    """A clip for each set of three words, two of them as tags and one in a note; the sets by clip."""
    with migrated_database(postgres_url, migrated) as database, database.begin() as connection:
        clips: dict[str, set[str]] = {}
        for first, second, third in product(WORDS, repeat=3):
            clip_id = add_clip(connection, tags=[f"{first}_{second}"])
            notes.add(connection, clip_id, f"({third.capitalize()}?)", user_id=ann(connection))
            clips[clip_id] = {first, second, third}
        yield connection, clips


ASKED = st.lists(st.sampled_from([*WORDS, "c*", "w*", "über*", "snow"]), min_size=1, max_size=3)


@settings(max_examples=60, deadline=None)
@given(ASKED, st.sampled_from([" ", "-", " , "]))
def test_clips_are_found_whose_texts_have_every_word(
    written: tuple[Connection, dict[str, set[str]]], asked: list[str], between: str
) -> None:
    connection, clips = written
    if between == "-":
        asked = [word.removesuffix("*") for word in asked[:-1]] + asked[-1:]
    patterns = [re.compile(re.escape(word).replace(r"\*", ".*")) for word in asked]
    expected = {
        clip_id for clip_id, words in clips.items() if all(any(p.fullmatch(word) for word in words) for p in patterns)
    }
    query = ClipQuery.parse(filter_source=f"text('{between.join(asked)}')", limit=1000)
    assert {clip.id for clip in search(connection, query).clips} == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("text('')", "has no word"),
        ("text(' - *')", "has no word"),
        ("text('" + "a " * 21 + "')", "more than 20"),
        ("text(3)", "needs words in single quotes"),
        ("text(tag)", "needs words in single quotes"),
        ("text('a', 'b')", "takes 1 argument"),
    ],
)
def test_what_is_no_text_to_search_for_is_refused(source: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        parse_filter(source, "cql2-text")
    assert caught.value.remedy


@pytest.mark.parametrize(
    "word", ["a''b", "a\\b", "a:*", "a|b", "!a", "(a", "<->", "a&b*", "…", "a…*", "ﬁ*", "\u2019x*"]
)
def test_no_punctuation_is_a_mistake_of_the_database(database: Database, word: str) -> None:
    with database.begin() as connection:
        try:
            assert found(connection, word) == set()
        except InvalidInput as error:
            assert "has no word" in error.message


def test_the_examples_are_true() -> None:
    results = doctest.testmod(texts)
    assert results.attempted and not results.failed
