"""Clips: search the catalog, find similar ones, get one clip, download its files, tag, annotate and erase it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from fleet_api.client.clips.clip import Clip, ClipDetails, PageOfClips
from fleet_api.client.clips.found import FoundClips
from fleet_api.client.clips.ranges import LinkedFile
from fleet_api.client.transport import SHOWN_CANDIDATES, Transport, path_of, refuse_ambiguous, request_of
from triggers.contracts.api.clips import (
    DEFAULT_SIMILAR,
    ClipErasureView,
    ClipVector,
    ClipVectorView,
    FilterView,
    FunctionsView,
    FunctionView,
    PropertiesView,
    RestoreView,
    SimilarClips,
    SimilarRequest,
)
from triggers.contracts.api.facets.answers import CountView, FacetsView
from triggers.contracts.api.marks.notes import NoteRequest, NoteView
from triggers.contracts.api.marks.tags import ClipTagsView, TagsRequest
from triggers.contracts.clip import CLIP_ID_FORM
from triggers.errors import InvalidInput, Misconfigured, NotFound

PAGE = 100
MAX_READ_BYTES = 1024**3
ID_CHARACTERS = 32
_PREFIX = re.compile(rf"[0-9a-f]{{1,{ID_CHARACTERS}}}")


class Clips:
    """What `client.clips` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def search(
        self,
        filter_text: str | None = None,
        *,
        limit: int | None = None,
        sortby: str | None = None,
        note: Callable[[str], None] = lambda _: None,
    ) -> FoundClips:
        """Clips by CQL2 text, at most `limit`; newest first unless `sortby` says otherwise.

        What is returned is iterated, page after page, or turned into a table (`FoundClips.to_arrow`, `to_pandas`).
        `note` is told the names in the filter that nothing has, when nothing is found.
        """
        return FoundClips(lambda: self._pages(filter_text, limit, sortby, note))

    def _pages(
        self, filter_text: str | None, limit: int | None, sortby: str | None, note: Callable[[str], None]
    ) -> Iterator[Clip]:
        def clips_of(page: PageOfClips) -> list[Clip]:
            for text in page.notes:
                note(text)
            return [clip.bound(self._transport) for clip in page.clips]

        return self._transport.pages(
            PageOfClips,
            path_of("clips"),
            clips_of,
            by="token",
            size=PAGE,
            parameters={**_filtered(filter_text), "sortby": sortby},
            limit=limit,
        )

    def translate(self, filter_text: str, *, note: Callable[[str], None] = lambda _: None) -> str:
        """The CQL2 text that a filter with units and relative times stands for now.

        `ego.speed.max > 80 km/h AND start > now - 7 d` becomes what `search` takes. `note` is told which of its
        conditions have no index.
        """
        view = self._transport.get(FilterView, path_of("filter"), {"filter": filter_text})
        for text in view.notes:
            note(text)
        return view.filter

    def properties(self) -> PropertiesView:
        """What filters can name: properties, attributes of vehicles, and signals with their units."""
        return self._transport.get(PropertiesView, path_of("properties"))

    def functions(self) -> list[FunctionView]:
        """The functions that filters can call beside those of CQL2 itself."""
        return self._transport.get(FunctionsView, path_of("functions")).functions

    def get(self, clip_id: str) -> ClipDetails:
        """A clip with its fires, statistics, labels, and links to its files, which are valid for an hour."""
        return self._transport.get(ClipDetails, path_of("clips", clip_id)).bound(self._transport)

    def open_link(self, link: str, size_bytes: int) -> LinkedFile:
        """An asset, by its `href` and size, as a file of which only what is read travels."""
        return LinkedFile(partial(self._transport.range_of, link), size_bytes)

    def count(self, filter_text: str | None = None) -> CountView:
        """How many clips a CQL2 text finds: exactly up to 10,000, an estimate with its interval above."""
        return self._transport.get(CountView, path_of("clips", "count"), _filtered(filter_text))

    def facets(self, filter_text: str | None = None, *, by: str | None = None) -> FacetsView:
        """How the clips that a CQL2 text finds are spread over properties: `trigger,vehicle.model:20,recorded:week`."""
        return self._transport.get(FacetsView, path_of("clips", "facets"), {**_filtered(filter_text), "by": by})

    def similar(
        self,
        *like: str,
        unlike: Sequence[str] = (),
        filter_text: str | None = None,
        embedding: str | None = None,
        limit: int = DEFAULT_SIMILAR,
    ) -> SimilarClips:
        """The clips nearest to the examples `like`, and far from `unlike`, for which the CQL2 text is true.

        `embedding` names the vectors that are compared; None: Longtail's own.
        """
        body = request_of(
            SimilarRequest, like=like, unlike=tuple(unlike), filter=filter_text, embedding=embedding, limit=limit
        )
        return self._transport.post(SimilarClips, path_of("clips", "similar"), body)

    def put_vector(self, clip_id: str, embedding: str, vector: Sequence[float]) -> ClipVectorView:
        """Write a clip's vector of another model under an id of that model's own."""
        body = request_of(ClipVector, vector=tuple(float(number) for number in vector))
        return self._transport.put(ClipVectorView, path_of("clips", clip_id, "vectors", embedding), body)

    def erase(self, clip_id: str, *, reason: str, datasets: Sequence[str] = ()) -> ClipErasureView:
        """Erase a clip for good, with everything that belongs to it; `datasets` are all those that it is in."""
        parameters = {"reason": reason} | ({"datasets": ",".join(datasets)} if datasets else {})
        return self._transport.delete(ClipErasureView, path_of("clips", clip_id), parameters)

    def restore(self, clip_id: str) -> RestoreView:
        """Have an archived recording readable for some days; raises Conflict if it can be read anyway."""
        return self._transport.post(RestoreView, path_of("clips", clip_id, "restore"), None)

    def tag(self, clip_id: str, *tags: str) -> ClipTagsView:
        """Add tags to a clip; the answer has all of its tags."""
        return self._transport.post(ClipTagsView, path_of("clips", clip_id, "tags"), request_of(TagsRequest, tags=tags))

    def untag(self, clip_id: str, tag: str) -> ClipTagsView:
        """Remove a tag that a person has added; the answer has the tags that are left."""
        return self._transport.delete(ClipTagsView, path_of("clips", clip_id, "tags"), {"tag": tag})

    def note(self, clip_id: str, text: str) -> NoteView:
        """Add a note to a clip."""
        return self._transport.post(NoteView, path_of("clips", clip_id, "notes"), request_of(NoteRequest, text=text))

    def remove_note(self, clip_id: str, note_id: int) -> None:
        """Remove a note: one's own, or any with the role operator."""
        self._transport.remove(path_of("clips", clip_id, "notes", note_id))

    def resolve(self, prefix: str) -> str:
        """The id of the only clip whose id begins with `prefix`.

        Raises NotFound if there is no such clip, and InvalidInput with candidates if there are several, or if no id can
        begin with this text.
        """
        prefix = prefix.lower()
        if not _PREFIX.fullmatch(prefix):
            raise InvalidInput(f"{prefix[:60]!r} is not a clip's id, nor the beginning of one", remedy=CLIP_ID_FORM)
        if len(prefix) == ID_CHARACTERS:
            return prefix
        ids = [clip.id for clip in self.search(f"id >= '{prefix}' AND id < '{prefix}g'", limit=SHOWN_CANDIDATES + 1)]
        if not ids:
            raise NotFound(
                f"there is no clip whose id begins with {prefix}", remedy="list the clips: longtail clips search"
            )
        return ids[0] if len(ids) == 1 else refuse_ambiguous("clips", prefix, ids)

    def download(self, link: str, target: Path) -> None:
        """Write an asset, by its `href`, to `target`, which appears only once it is complete.

        Raises Misconfigured if the file cannot be written.
        """
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        try:
            with self._transport.linked(link) as response, part.open("xb") as file:
                for chunk in response.iter_bytes():
                    file.write(chunk)
            part.replace(target)
        except OSError as error:
            raise Misconfigured(
                f"{target}: cannot be written ({error.strerror})", remedy="free space, or choose another folder"
            ) from error
        finally:
            part.unlink(missing_ok=True)

    def read(self, link: str, *, limit_bytes: int = MAX_READ_BYTES) -> bytes:
        """An asset, by its `href`, in memory; raises InvalidInput if it has more than `limit_bytes`."""
        content = bytearray()
        with self._transport.linked(link) as response:
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > limit_bytes:
                    raise InvalidInput(f"{response.url} has more than {limit_bytes} bytes", remedy="download it")
        return bytes(content)


def _filtered(filter_text: str | None) -> dict[str, str | int | None]:
    return {"filter": filter_text, "filter-lang": None if filter_text is None else "cql2-text"}
