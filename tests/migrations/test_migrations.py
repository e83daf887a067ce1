"""The migrations make exactly the schema that the code declares, and come back from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, text, update

from storage.campaigns import life
from storage.clips.marks import tags
from storage.clips.query import ClipQuery
from storage.clips.search import search
from storage.database import Database
from storage.diagnosis.schema import head_revision, known_revisions, require_current, schema_of
from storage.labels import jobs as label_jobs
from storage.migrate import alembic_config, differences, migrate
from storage.tables import campaign_versions, metadata, signal_units, uploads
from tests.storage.clips.catalog_support import add_clip
from tests.storage.erasure.erasure_support import retain
from tests.storage.ledger.ledger_support import add_upload
from tests.support.fleet import (
    PROGRAM,
    a_user,
    add_draft,
    add_version,
    campaign_settings,
    charged_manifest,
    enroll_vehicle,
)
from triggers.contracts.bundle import make_bundle, seal_bundle
from triggers.contracts.campaign import BudgetLimits
from triggers.contracts.clip import CELL_BYTES


def test_the_migrated_schema_is_the_one_in_code(database: Database) -> None:
    assert differences(database) == []


def test_a_generated_column_with_another_expression_is_a_difference(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE clips DROP COLUMN recorded_ns"))
        generated = "bigint GENERATED ALWAYS AS (start_ns + 1) STORED NOT NULL"
        connection.execute(text(f"ALTER TABLE clips ADD COLUMN recorded_ns {generated}"))
        for index in metadata.tables["clips"].indexes:
            if "recorded_ns" in index.columns or index.name in ("ix_clips_implausible", "ix_clips_middle"):
                index.create(connection)
    (difference,) = differences(database)
    assert "recorded_ns" in difference.phrase


def test_the_revisions_that_are_known_by_their_files_names_are_those_that_alembic_goes_through() -> None:
    scripts = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    assert known_revisions() == tuple(script.revision for script in scripts)


def test_migrating_twice_changes_nothing(database: Database) -> None:
    assert migrate(database) == head_revision() == schema_of(database).revision
    require_current(database)


def test_every_migration_can_be_taken_back(database: Database) -> None:
    config = alembic_config()
    with database.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert schema_of(database).revision == ""
    migrate(database)
    assert differences(database) == []


def test_a_stored_manifest_loses_the_network_that_it_once_had_and_keeps_its_bytes(database: Database) -> None:
    config = alembic_config()
    manifest = charged_manifest({"wide": 7})
    with database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "wide")
        add_upload(connection, manifest)
        old = manifest.canonical_json().replace(b'],"recording":', b'],"network":"cellular","recording":', 1)
        assert old != manifest.canonical_json()
        connection.execute(update(uploads).values(manifest=old))
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
        command.upgrade(config, "0003")
        assert connection.execute(select(uploads.c.manifest)).scalar_one() == manifest.canonical_json()


def test_a_claimed_label_job_keeps_its_user_and_labeler(database: Database) -> None:
    config = alembic_config()
    worker = text("SELECT worker FROM label_jobs ORDER BY id")
    claimant = text("SELECT claimed_by, labeler FROM label_jobs ORDER BY id")
    with database.begin() as connection:
        for _ in range(2):
            label_jobs.ensure(connection, add_clip(connection), "auto")
        label_jobs.claim(connection, user="lab@x", task="auto", labeler="anna:2", count=1, lease_s=60)
        config.attributes["connection"] = connection
        command.downgrade(config, "0003")
        assert connection.execute(worker).scalars().all() == ["lab@x/anna:2", None]
        command.upgrade(config, "0004")
        assert connection.execute(claimant).all() == [("lab@x", "anna:2"), (None, None)]


def test_an_open_upload_gets_the_hashes_of_its_cells_and_loses_its_pieces_on_the_way_back(database: Database) -> None:
    config = alembic_config()
    manifest = charged_manifest({"wide": 2 * CELL_BYTES + 7})
    columns = select(uploads.c.cell_digests, uploads.c.offset_bytes)
    with database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "wide")
        add_upload(connection, manifest)
        connection.execute(update(uploads).values(manifest=manifest.canonical_json(), offset_bytes=CELL_BYTES + 5))
        config.attributes["connection"] = connection
        command.downgrade(config, "0005")
        command.upgrade(config, "0006")
        assert connection.execute(columns).one() == (bytes.fromhex("".join(manifest.cells)), CELL_BYTES)


def test_signals_of_earlier_clips_are_known_without_their_unit(database: Database) -> None:
    config = alembic_config()
    with database.begin() as connection:
        for _ in range(2):
            add_clip(connection, statistics={"ego.speed": (0.0, 2.0, 1.0)}, units={"ego.speed": "m/s"})
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
        command.upgrade(config, "0005")
        known = connection.execute(select(signal_units.c.signal, signal_units.c.unit)).all()
        assert known == [("ego.speed", None)]
        command.upgrade(config, "head")
        query = ClipQuery.parse(filter_source="ego.speed.max > 1")
        assert len(search(connection, query).clips) == 2


def test_an_extraction_job_gets_the_vehicle_of_its_clip(database: Database) -> None:
    config = alembic_config()
    with database.begin() as connection:
        clip_id = add_clip(connection)
        vehicle_id = connection.execute(text("SELECT vehicle_id FROM clips")).scalar_one()
        config.attributes["connection"] = connection
        command.downgrade(config, "0006")
        connection.execute(
            text("INSERT INTO extraction_jobs (clip_id, extractor_version) VALUES (:clip, 1)"), {"clip": clip_id}
        )
        command.upgrade(config, "0007")
        assert connection.execute(text("SELECT vehicle_id FROM extraction_jobs")).scalar_one() == vehicle_id
        assert connection.execute(text("SELECT remarks FROM clips")).scalar_one() == []


@pytest.mark.parametrize(
    ("retained", "days_left"), [([None], None), ([1], 7), ([400], 300), ([1, 400], 300), ([1, None], None)]
)
def test_clips_of_campaigns_that_retain_them_expire_after_a_week_at_the_earliest(
    database: Database, retained: list[int | None], days_left: int | None
) -> None:
    config = alembic_config()
    with database.begin() as connection:
        add_clip(connection, fired=[(f"campaign_{number}", "hard") for number in range(len(retained))])
        connection.execute(text("UPDATE clips SET stored_at = now() - interval '100 days'"))
        for number, days in enumerate(retained):
            retain(connection, f"campaign_{number}", 1, days and days * 86_400 * 10**9)
        config.attributes["connection"] = connection
        command.downgrade(config, "0009")
        command.upgrade(config, "0010")
        left = connection.execute(text("SELECT extract(epoch FROM expires_at - now()) / 86400 FROM clips")).scalar_one()
        assert left == days_left


def test_stored_versions_get_the_digest_of_their_bundle_whether_they_are_approved_or_not(database: Database) -> None:
    config = alembic_config()
    limits = BudgetLimits(total_bytes=10**9)
    digests = select(campaign_versions.c.approval_digest).order_by(campaign_versions.c.campaign)
    with database.begin() as connection:
        made = []
        for name in ("approved", "drafted"):
            content = life.VersionContent(campaign_settings(name, limits), PROGRAM, source="", signal_catalog="")
            made.append(add_draft(connection, content).approval_digest)
        bundle = seal_bundle(
            make_bundle(campaign_settings("approved", limits), 1, PROGRAM), Ed25519PrivateKey.generate()
        )
        life.submit(connection, "approved", 1, user=a_user(connection))
        life.approve(connection, "approved", 1, bundle=bundle, user=a_user(connection, "bob"))
        config.attributes["connection"] = connection
        command.downgrade(config, "0011")
        command.upgrade(config, "0012")
        assert connection.execute(digests).scalars().all() == made


def test_spellings_of_one_name_become_one_user(database: Database) -> None:
    config = alembic_config()
    token = "INSERT INTO api_tokens (token_hash, user_name, roles, created_at) VALUES (:hash, :name, '{viewer}', :at)"
    with database.begin() as connection:
        add_version(connection, "braking")
        label_jobs.ensure(connection, add_clip(connection), "auto")
        label_jobs.claim(connection, user="MALLORY", task="auto", labeler="a", count=1, lease_s=60)
        config.attributes["connection"] = connection
        command.downgrade(config, "0013")
        for number, name in enumerate(("mallory", "Mallory", "MALLORY", "bob")):
            values = {"hash": bytes([number]), "name": name, "at": f"2020-01-0{number + 1}T00:00:00Z"}
            connection.execute(text(token), values)
        connection.execute(text("UPDATE campaign_versions SET author = 'Mallory', approved_by = 'bob'"))
        command.upgrade(config, "0014")
        users = {row.name: row.id for row in connection.execute(text("SELECT name, id FROM users"))}
        assert {"mallory", "bob"} <= users.keys() and not {"Mallory", "MALLORY"} & users.keys()
        row = connection.execute(
            text("SELECT author_id, approved_by_id, submitted_by_id FROM campaign_versions WHERE campaign = 'braking'")
        )
        assert row.one() == (users["mallory"], users["bob"], None)
        of_users = connection.execute(text("SELECT user_id FROM api_tokens ORDER BY token_hash")).scalars().all()
        assert of_users == [*[users["mallory"]] * 3, users["bob"]]
        assert connection.execute(text("SELECT claimed_by FROM label_jobs")).scalar_one() == "mallory"
        command.downgrade(config, "0013")
        names = connection.execute(text("SELECT user_name FROM api_tokens ORDER BY token_hash")).scalars().all()
        assert names == ["mallory", "mallory", "mallory", "bob"]


def test_clips_of_before_get_the_cell_in_which_their_track_begins(database: Database) -> None:
    config = alembic_config()
    with database.begin() as connection:
        placed = add_clip(connection, track=[[48.1, 11.5], [10.0, 20.0]], place_cell="x")
        add_clip(connection, track=None)
        config.attributes["connection"] = connection
        command.downgrade(config, "0034")
        command.upgrade(config, "0035")
        rows = connection.execute(text("SELECT id, place_cell FROM clips WHERE place_cell IS NOT NULL")).all()
    assert [tuple(row) for row in rows] == [(placed, "871f8d45affffff")]


def test_the_tags_of_people_leave_their_clips_on_the_way_back(database: Database) -> None:
    config = alembic_config()
    with database.begin() as connection:
        clip_id = add_clip(connection, tags=["rain", "night"])
        tags.add(connection, clip_id, ["night", "wet road", "a"], user_id=a_user(connection).id or 0)
        config.attributes["connection"] = connection
        command.downgrade(config, "0033")
        kept = connection.execute(text("SELECT tags FROM clips")).scalar_one()
        command.upgrade(config, "head")
    assert kept == ["night", "rain"]


def test_clips_of_before_are_found_by_their_words(database: Database) -> None:
    config = alembic_config()
    with database.begin() as connection:
        clip_id = add_clip(connection, tags=["wet_road"], fired=[("braking", "hard_brake")])
        config.attributes["connection"] = connection
        command.downgrade(config, "0035")
        command.upgrade(config, "head")
        query = ClipQuery.parse(filter_source="text('wet roads')")
        assert [clip.id for clip in search(connection, query).clips] == [clip_id]


def test_the_days_of_earlier_clips_are_those_that_were_noted_when_these_came(database: Database) -> None:
    config = alembic_config()
    stored, forever = datetime(2026, 1, 6, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
    of_days = text("SELECT * FROM clip_days ORDER BY day")
    with database.begin() as connection:
        add_clip(connection, stored_at=stored, ready_at=stored + timedelta(seconds=3))
        add_clip(connection, stored_at=stored, start_ns=-1, duration_s=0)
        add_clip(connection, stored_at=stored, start_ns=0, duration_s=0, expires_at=stored)
        noted = [tuple(row) for row in connection.execute(of_days)]
        add_clip(connection, stored_at=stored, start_ns=-(10**15), duration_s=0, expires_at=forever)
        config.attributes["connection"] = connection
        command.downgrade(config, "0037")
        command.upgrade(config, "head")
        migrated = [tuple(row) for row in connection.execute(of_days)]
    assert migrated[1:] == noted
    assert migrated[0][-1] > 9_223_368_000 * 10**9
