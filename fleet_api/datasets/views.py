"""The API's views of a dataset's versions and members: as they were frozen, and what the catalog has of them now."""

from __future__ import annotations

from collections.abc import Sequence

from fleet_api.clips.views import LINK_S, clip_view, withheld_views
from storage.clips.positions import Sight
from storage.clips.positions.filters import ASK_FOR
from storage.clips.positions.sight import missing
from storage.clips.records import get_clips
from storage.database import Connection
from storage.datasets import members
from storage.datasets.versions import MemberRecord, VersionRecord
from storage.objects import ObjectStore
from triggers.contracts.api.clips import RECORDING_ASSET, LabelView
from triggers.contracts.api.datasets.versions import ErasureView, FrozenAsset, FrozenLabel, MemberView, VersionView

FILTER_WITHHELD = f"the filter: it asks for places more precisely than you may see; {ASK_FOR}"


def version_view(record: VersionRecord, sight: Sight) -> VersionView:
    """A version; its recipe has no filter by which the user would learn more of the clips' places than their cells."""
    view = VersionView.model_validate(record)
    asked = record.recipe.get("filter")
    if asked is None or record.recipe.get("places") == "cells" or sight.may_know(asked):
        return view
    return view.model_copy(update={"recipe": {**record.recipe, "filter": None, "withheld": FILTER_WITHHELD}})


def member_views(
    connection: Connection, sight: Sight, store: ObjectStore, records: Sequence[MemberRecord], *, documents: bool
) -> list[MemberView]:
    """Members with links to the files that are still the frozen ones; with `documents` also their pinned labels.

    Of the places of clips they have no more than the user may see; `withheld` says what is left out.
    """
    ids = [record.clip_id for record in records]
    clips = get_clips(connection, ids)
    keys = members.object_keys(connection, ids)
    pinned = {record.clip_id: [label["id"] for label in record.labels] for record in records}
    labels = members.label_documents(connection, pinned) if documents else {}
    views = []
    for record in records:
        clip = clips.get(record.clip_id)
        unchanged = {
            asset["name"]: keys[asset_key]
            for asset in record.assets
            if (asset_key := (record.clip_id, asset["name"], asset["digest"])) in keys and asset["digest"]
        }
        files = unchanged if clip is None else {RECORDING_ASSET: clip.object_key, **unchanged}
        of_record = labels.get(record.clip_id, [])
        read = of_record if clip is None else sight.labels(of_record, clip)
        kinds = [(asset["name"], asset["media_type"]) for asset in record.assets]
        withheld = [name for name in sight.files_withheld(kinds) if name in files]
        withheld += [f"label_documents/{each.id}" for each in missing(of_record, read)]
        views.append(
            MemberView(
                clip_id=record.clip_id,
                digest=record.digest,
                size_bytes=record.size_bytes,
                split=record.split,
                assets=[FrozenAsset(**asset) for asset in record.assets],
                labels=[FrozenLabel(**label) for label in record.labels],
                clip=None if clip is None else clip_view(clip, sight),
                links={name: store.link(key, expires_s=LINK_S) for name, key in files.items() if name not in withheld},
                withheld=withheld_views(withheld),
                label_documents=[LabelView.model_validate(each) for each in read],
                erased=None if record.erasure is None else ErasureView.model_validate(record.erasure),
            )
        )
    return views
