"""The reasons of damage are those that the page for operators lists, each with what to do."""

from __future__ import annotations

import re

from tests.support.paths import REPOSITORY
from triggers.clips.damage import REASONS
from triggers.contracts.base import MAX_SHORT_TEXT

SOURCES = [*(REPOSITORY / "triggers" / "clips").glob("*.py"), *(REPOSITORY / "ingest" / "extraction").rglob("*.py")]


def test_the_page_for_operators_lists_every_reason() -> None:
    page = (REPOSITORY / "docs" / "operations.md").read_text()
    for reason, (damages, remedy) in REASONS.items():
        state = "damaged" if damages else "ready"
        assert re.search(rf"^\| `{reason}` \| `{state}` \| .+ \| {re.escape(remedy)} \|$", page, re.MULTILINE), reason


def test_every_reason_is_given_somewhere() -> None:
    texts = [path.read_text() for path in SOURCES if path.name != "damage.py"]
    assert [reason for reason in REASONS if not any(f'"{reason}"' in text for text in texts)] == []


def test_a_remedy_leaves_room_for_the_detail() -> None:
    assert max(len(remedy) for _, remedy in REASONS.values()) + 500 + 100 < MAX_SHORT_TEXT
