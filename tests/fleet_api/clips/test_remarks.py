"""A clip is shown with what was wrong with its recording, and with the size of what was derived from it."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from fleet_api.deployment.doctor.objects import check_derived
from storage.clips.details import get_clip
from storage.tables import clip_assets, clips
from tests.fleet_api.api_server import Api
from tests.storage.clips.catalog_support import add_clip
from tests.support.rows import add_row
from triggers.clips.damage import REASONS

pytestmark = pytest.mark.integration
REMARKS = [
    {"reason": "messages_unreadable", "message": "2 of 9 messages", "count": 2},
    {"reason": "mcap_truncated", "message": "the file ends after 10 of 20 bytes, no footer", "count": 1},
]


def test_remarks_say_what_to_do_and_those_that_damage_come_first(api: Api) -> None:
    with api.database.begin() as connection:
        clip_id = add_clip(connection, state="damaged")
        connection.execute(update(clips).values(remarks=REMARKS))
        stored = get_clip(connection, clip_id)
    assert [remark.reason for remark in stored.remarks] == [remark["reason"] for remark in REMARKS]
    shown = api.get(f"/v1/clips/{clip_id}").json()
    assert [(each["reason"], each["count"], each["damages"]) for each in shown["remarks"]] == [
        ("mcap_truncated", 1, True),
        ("messages_unreadable", 2, False),
    ]
    assert all(each["remedy"] == REASONS[each["reason"]].remedy for each in shown["remarks"])


def test_derived_bytes_are_told_for_a_clip_and_for_all(api: Api) -> None:
    with api.database.begin() as connection:
        clip_id = add_clip(connection)
        for number, size_bytes in enumerate((30, 12)):
            add_row(connection, clip_assets, clip_id=clip_id, name=f"a{number}", size_bytes=size_bytes)
    assert api.get(f"/v1/clips/{clip_id}").json()["derived_bytes"] == 42
    assert check_derived(api.database).message.startswith("42 bytes derived from ")
