"""The audit: what must hold between vehicles, catalog, objects and ledger, once nothing is under way any more."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from fleet_api.client import ApiClient
from tests.chaos.stage import Stage
from tests.chaos.witness import Testimony, testimony
from tests.support.paths import REPOSITORY
from triggers.clips.cells import hash_cells
from triggers.contracts.api.clips import ClipView
from triggers.contracts.clip import clip_digest

FINAL = frozenset({"ready", "damaged"})
DOCTOR_S = 300.0


def witnesses(stage: Stage) -> dict[str, Testimony]:
    """What each vehicle saw so far."""
    return {name: testimony(stage.vehicle_folder(name) / "witness.jsonl") for name in stage.vehicle_names}


def contradictions(stage: Stage) -> list[str]:
    """Acknowledgements that were taken back, and errors that reached a vehicle's host; at any time."""
    seen = witnesses(stage)
    return [f"{name}: {text}" for name, one in seen.items() for text in (*one.contradictions, *one.errors)]


def is_settled(stage: Stage) -> bool:
    """Whether nothing is under way: every fire has ended, and every clip is extracted."""
    with stage.api() as api:
        in_flight = sum(outcomes.in_flight for outcomes in api.outcomes.count().outcomes)
        return not in_flight and all(clip.state in FINAL for clip in api.clips.search())


def findings(stage: Stage, *, cells_were_lost: bool) -> list[str]:
    """Everything that does not hold, in sentences; empty when all is well."""
    with stage.api() as api:
        clips = list(api.clips.search())
        return [
            *contradictions(stage),
            *_clips_once(clips),
            *_lost(api, clips, witnesses(stage), cells_were_lost=cells_were_lost),
            *_damaged(clips),
            *_wrong_bytes(api, clips, stage.folder / "fetched.mcap"),
            *_wrong_counts(api),
            *_wrong_ledger(api, clips),
            *_leftovers(stage, clips),
            *_doctor(stage),
        ]


def _clips_once(clips: Iterable[ClipView]) -> Iterator[str]:
    for digest, count in Counter(clip.digest for clip in clips).items():
        if count > 1:
            yield f"the catalog holds clip {digest} {count} times"


def _lost(
    api: ApiClient, clips: Iterable[ClipView], seen: dict[str, Testimony], *, cells_were_lost: bool
) -> Iterator[str]:
    """Clips that the gateway said it has all of, and that are not in the catalog."""
    known = {clip.digest for clip in clips}
    missing = [digest for one in seen.values() for digest in one.acknowledged if digest not in known]
    failed = sum(sum(outcomes.failed.values()) for outcomes in api.outcomes.count().outcomes)
    if missing and not cells_were_lost:
        yield f"{len(missing)} acknowledged clips are not in the catalog, such as {missing[0]}"
    elif len(missing) > failed:
        yield f"{len(missing)} acknowledged clips are not in the catalog, but only {failed} fires count as failed"


def _damaged(clips: Iterable[ClipView]) -> Iterator[str]:
    for clip in clips:
        if clip.state != "ready":
            yield f"clip {clip.id} is {clip.state}: {clip.damage}"


def _wrong_bytes(api: ApiClient, clips: Iterable[ClipView], target: Path) -> Iterator[str]:
    for clip in clips:
        links = {asset.name: asset.href for asset in api.clips.get(clip.id).assets}
        api.clips.download(links["clip.mcap"], target)
        if clip_digest(hash_cells(target).cells) != clip.digest:
            yield f"the recording of clip {clip.id} is not what its manifest says"


def _wrong_counts(api: ApiClient) -> Iterator[str]:
    for counts in api.outcomes.count().outcomes:
        ends = [counts.sampled_out, counts.catalogued, counts.in_flight]
        ends += [*counts.refused.values(), *counts.dropped.values(), *counts.failed.values()]
        if sum(ends) != counts.fired or counts.in_flight or counts.unaccounted:
            yield f"the counts of {counts.campaign} do not add up: {counts}"


def _wrong_ledger(api: ApiClient, clips: list[ClipView]) -> Iterator[str]:
    """`held` and `settled` of fleet and campaign against the catalogued clips."""
    expected = {
        "fleet": sum(clip.size_bytes for clip in clips),
        "campaign_bytes": sum(fire.charged_bytes for clip in clips for fire in clip.fires),
    }
    for account in api.budget.accounts().accounts:
        wanted = expected.get(account.kind)
        if wanted is not None and (account.held, account.settled) != (wanted, wanted):
            yield f"the account {account.kind}: {account.held} held, {account.settled} settled, {wanted} stored"


def _leftovers(stage: Stage, clips: list[ClipView]) -> Iterator[str]:
    s3 = stage.s3.client()
    uploads = s3.list_multipart_uploads(Bucket=stage.s3.bucket).get("Uploads", [])
    if uploads:
        yield f"{len(uploads)} multipart uploads were left in the bucket, such as {uploads[0]['Key']}"
    spooled = [path for path in (stage.data_dir / "spool").rglob("*") if path.is_file() and path.stat().st_size]
    if spooled:
        yield f"{len(spooled)} files were left in the spool, such as {spooled[0].name}"
    recordings = [key for key in _keys(stage) if key.endswith(".mcap")]
    if len(recordings) != len(clips):
        yield f"the bucket holds {len(recordings)} recordings, the catalog {len(clips)} clips"


def _keys(stage: Stage) -> Iterator[str]:
    for page in stage.s3.client().get_paginator("list_objects_v2").paginate(Bucket=stage.s3.bucket):
        yield from (entry["Key"] for entry in page.get("Contents", []))


def _doctor(stage: Stage) -> Iterator[str]:
    """What `longtail doctor` finds, which knows the tables from inside."""
    command = [sys.executable, "-m", "fleet_api.cli", "doctor", "--data", str(stage.data_dir), "--json"]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=stage.environment(), capture_output=True, text=True, timeout=DOCTOR_S, check=False
    )
    if not done.stdout.startswith(("{", "[")):
        yield f"doctor did not answer: {done.stderr[-500:]}"
        return
    found = json.loads(done.stdout)
    for finding in found["findings"] if isinstance(found, dict) else found:
        if finding.get("status") == "FAIL" or finding.get("ok") is False:
            yield f"doctor: {finding}"
