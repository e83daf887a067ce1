"""Clips as the API answers with them: with links to their files, for those who have asked with a token."""

from __future__ import annotations

from storage.clips.details import ClipDetails
from storage.clips.records import Clip
from storage.objects import ObjectStore
from triggers.contracts.api.clips import AssetView, ClipDetailsView, ClipView, LabelView, StatisticsView

LINK_S = 3600
CLIP_ASSET = "clip.mcap"
MCAP_MEDIA_TYPE = "application/x-mcap"


def clip_view(clip: Clip) -> ClipView:
    """A clip in a list."""
    return ClipView.model_validate(clip)


def details_view(details: ClipDetails, store: ObjectStore) -> ClipDetailsView:
    """One clip, with links to its files."""
    recording = AssetView(
        name=CLIP_ASSET,
        href=store.link(details.clip.object_key, expires_s=LINK_S),
        media_type=MCAP_MEDIA_TYPE,
        size_bytes=details.clip.size_bytes,
    )
    extracted = [
        AssetView(
            name=asset.name,
            href=store.link(asset.object_key, expires_s=LINK_S),
            media_type=asset.media_type,
            size_bytes=asset.size_bytes,
        )
        for asset in details.assets
    ]
    return ClipDetailsView(
        **clip_view(details.clip).model_dump(),
        software=details.software,
        track=details.track,
        assets=[recording, *extracted],
        statistics=[StatisticsView.model_validate(each) for each in details.statistics],
        labels=[LabelView.model_validate(each) for each in details.label_documents],
    )
