"""Rules for clips, as pure functions: what erasing one takes that is in datasets."""

from __future__ import annotations

from collections.abc import Collection

from triggers.errors import Conflict


def check_may_erase(clip_id: str, datasets: Collection[str], named: Collection[str]) -> None:
    """Conflict unless whoever erases a clip has named every dataset that has it."""
    if missing := sorted(set(datasets) - set(named)):
        raise Conflict(
            f"clip {clip_id} is in {'datasets' if len(missing) > 1 else 'dataset'} {', '.join(missing[:20])}",
            remedy="to erase it all the same, name every dataset that it is in (`longtail clips erase --from NAME`)",
        )
