"""Shares of an upload: which trigger pays for how many of its bytes, and where its vehicle belongs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, func, select

from storage.tables import vehicles
from triggers.contracts.clip import ClipManifest


def shares_of(manifest: ClipManifest) -> list[dict[str, Any]]:
    """The triggers that fired in a clip, each with its fires and the bytes that these are charged, sorted.

    The bytes of all of them sum to the clip's size; `end` is where a share ends when they lie one after the other.
    `first` is 3 for the first of the clip, 2 for the first of its campaign, 1 for the first of its version, else 0: a
    clip counts once in each of these.
    """
    fires: Counter[tuple[str, int, str]] = Counter()
    charged: Counter[tuple[str, int, str]] = Counter()
    for fire in manifest.recording.fires:
        trigger = fire.campaign, fire.version, fire.trigger
        fires[trigger] += 1
        charged[trigger] += fire.charged_bytes
    shares: list[dict[str, Any]] = []
    before: tuple[object, ...] = ()
    for key in sorted(fires):
        first = 3 if not shares else 2 if key[:1] != before[:1] else 1 if key[:2] != before[:2] else 0
        end = charged[key] + (shares[-1]["end"] if shares else 0)
        of_trigger = {"campaign": key[0], "version": key[1], "trigger": key[2], "fires": fires[key]}
        shares.append({**of_trigger, "bytes": charged[key], "end": end, "first": first})
        before = key
    return shares


def place_columns(vehicle_id: str) -> dict[str, ScalarSelect[str]]:
    """Values for `region` and `model` of a row about this vehicle: the attributes that it was enrolled with, or ''."""
    return {name: _attribute(name, vehicle_id) for name in ("region", "model")}


def _attribute(name: str, vehicle_id: str) -> ScalarSelect[str]:
    value: ColumnElement[str] = func.coalesce(vehicles.c.attributes[name].astext, "")
    return select(value).where(vehicles.c.id == vehicle_id).scalar_subquery()


SHARES = """
    jsonb_to_recordset(u.shares) AS s (
        campaign text, version integer, trigger text, fires bigint, bytes bigint, "end" bigint, first integer
    )"""
"""The shares of the upload `u` as rows, without a window over them: planning that takes longer than the rest."""


def share_of(received: str) -> str:
    """The SQL of what the share `s` has of so many received bytes of the upload `u`.

    The shares of all triggers sum to all bytes, whatever comes in which pieces: each is the difference of two floors.
    """
    # numeric: the product of two sizes does not fit into bigint
    to_end, to_start = (
        f"div(CAST({received} AS numeric) * {end}, u.size_bytes)" for end in ('s."end"', '(s."end" - s.bytes)')
    )
    return f"{to_end} - {to_start}"


STORED = f"""
    SELECT date_trunc('hour', coalesce(u.closed_at, u.created_at), 'UTC') AS hour, s.campaign, s.version, s.trigger,
        u.region, u.model, u.network, CAST(s.first = 3 AS integer) AS clips,
        CAST(s.first >= 2 AS integer) AS campaign_clips, CAST(s.first >= 1 AS integer) AS version_clips,
        1 AS trigger_clips,
        s.fires AS kept_fires, s.bytes AS clip_bytes
    FROM uploads u CROSS JOIN LATERAL {SHARES}"""  # noqa: S608 - put together from constants
"""What uploads count when their clips are stored."""

RECEIVED = f"""
    SELECT h.hour, s.campaign, s.version, s.trigger, u.region, u.model, h.network,
        {share_of("h.received_bytes")} AS wire_bytes
    FROM upload_hours h JOIN uploads u ON u.id = h.upload_id CROSS JOIN LATERAL {SHARES}"""  # noqa: S608 - likewise
"""What uploads count as their bytes come."""
